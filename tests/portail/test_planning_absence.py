"""« Mon enfant est malade », an absence from a cell, its proof, and the agent who decides day by day."""

import re
from datetime import date
from html import unescape

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from demandes.models import Demande, JourDemande, Justificatif, PieceJointe
from enfants.models import Enfant, Fermeture, Reservation
from messagerie.models import Message
from tests import fabrique
from tests.grille import adresse, annonces, cases, reserver, texte

pytestmark = pytest.mark.django_db

LUNDI_16, MARDI_17, JEUDI_19, LUNDI_23, MARDI_24 = (date(2026, 11, n) for n in (16, 17, 19, 23, 24))
MALADE, ABSENCE = "/mes-enfants/malade/", "/mes-enfants/absence/"
DUREE = {"du": "2026-11-16", "retour": "2026-11-24"}


def cle(prenom):
    return str(Enfant.objects.get(prenom=prenom).pk)


def certificat(nom="certificat.pdf", contenu=fabrique.PDF_SAIN):
    return SimpleUploadedFile(nom, contenu, "application/pdf")


def etats(navigateur, prenom="Léa", service="restauration"):
    """{day of November: state} of the days that are not closed."""
    page = cases(navigateur.get(adresse(prenom, "planning/2026-11/")))
    return {int(jour[-2:]): vue.etat for (jour, code), vue in page.items() if code == service and vue.etat != "ferme"}


@pytest.fixture
def reserves(automne, comptes):
    """Léa eats today, tomorrow, Thursday and next Monday; only the last can still be cancelled."""
    for jour in (LUNDI_16, MARDI_17, JEUDI_19, LUNDI_23):
        reserver(comptes["durand"], "Léa", jour)
    # Thursday's limit is today at noon: from then on, three days are due.
    return comptes["durand"]


# --- Sick ------------------------------------------------------------------------------------------------


def test_malade_demande_qui_et_jusqu_a_quand(automne, connecter):
    page = connecter("durand").get(f"{MALADE}?enfant={cle('Tom')}")
    form = page.context["form"]
    assert (form["enfants"].value(), form["du"].value(), form["retour"].value()) == (
        [cle("Tom")],
        LUNDI_16,
        MARDI_17,
    )
    # The only child of a household is ticked already.
    assert connecter("martin").get(MALADE).context["form"]["enfants"].value() == [cle("Zoé")]


def test_malade_annule_ce_qui_s_annule_et_declare_le_reste(reserves, connecter):
    navigateur = connecter("durand")
    donnees = {"maladie": "1", "enfants": [cle("Léa")], **DUREE}
    page = navigateur.get(ABSENCE, donnees)
    assert (page.context["annulables"], page.context["absents"]) == (
        ["Léa, restauration scolaire\u00a0: jeudi 19 et lundi 23 novembre"],
        ["Léa, restauration scolaire\u00a0: lundi 16 et mardi 17 novembre"],
    )
    assert page.context["choisi"] == "maladie"
    dit = texte(page).replace("&nbsp;", "\u00a0")
    assert "Annulé, rien à payer" in dit
    assert "Le premier jour reste dû, les suivants non." in dit
    # 48 hours from the first of the days that stay due.
    assert "Justificatif jusqu'au mercredi 18 novembre à 12\u00a0h." in dit
    assert Demande.objects.filter(type__in=["absence", "reservation"]).count() == 0
    fait = navigateur.post(
        ABSENCE, {**donnees, "motif": "maladie", "mot": "Angine", "pieces": certificat()}, follow=True
    )
    assert annonces(fait) == [
        "2 jours annulés.",
        "2 jours d'absence, en attente de la mairie. La réponse arrivera dans votre boîte de réception.",
    ]
    assert {n: etats(navigateur)[n] for n in (16, 17, 19, 23)} == {
        16: "demande",
        17: "demande",
        19: "libre",
        23: "libre",
    }
    demande = Demande.objects.get(type="absence")
    assert ([p.nom for p in demande.pieces.all()], demande.valeurs_demandees["mot"]) == (["certificat.pdf"], "Angine")


def test_malade_sans_papier_ni_promesse_garde_la_saisie(reserves, connecter):
    navigateur = connecter("durand")
    donnees = {"maladie": "1", "enfants": [cle("Léa")], **DUREE, "motif": "maladie", "mot": "Angine blanche"}
    page = navigateur.post(ABSENCE, donnees)
    assert page.status_code == 422
    dit = texte(page)
    assert "Joignez le justificatif, ou cochez que vous le déposerez plus tard." in dit
    assert "Angine blanche</textarea>" in dit
    assert re.search(r'name="motif" value="maladie" checked', dit)
    assert [f'name="{nom}" value="{valeur}"' in dit for nom, valeur in DUREE.items()] == [True, True]
    assert Reservation.objects.actives().count() == 4
    page = navigateur.post(ABSENCE, {**donnees, "plus_tard": "on"}, follow=True)
    assert len(annonces(page)) == 2
    assert Justificatif.objects.count() == 1


def test_un_papier_illisible_garde_la_saisie_et_ne_change_rien(reserves, connecter):
    donnees = {"maladie": "1", "enfants": [cle("Léa")], **DUREE, "motif": "maladie", "mot": "Angine blanche"}
    page = connecter("durand").post(ABSENCE, {**donnees, "pieces": certificat("virus.pdf", b"MZ")})
    assert page.status_code == 422
    assert "virus.pdf" in texte(page)
    assert "Angine blanche</textarea>" in texte(page)
    assert (Reservation.objects.actives().count(), PieceJointe.objects.count()) == (4, 0)


def test_tous_les_jours_s_annulent_encore_sans_papier(automne, connecter, comptes):
    reserver(comptes["durand"], "Léa", LUNDI_23)
    navigateur = connecter("durand")
    donnees = {"maladie": "1", "enfants": [cle("Léa")], "du": "2026-11-23", "retour": "2026-11-24"}
    page = texte(navigateur.get(ABSENCE, donnees))
    assert "Justificatif" not in page.replace("aucun justificatif", "")
    assert "Annuler ces jours" in page
    assert annonces(navigateur.post(ABSENCE, {**donnees, "motif": "maladie"}, follow=True)) == ["1 jour annulé."]


def test_rien_de_reserve_rien_a_declarer(automne, connecter):
    page = connecter("durand").get(ABSENCE, {"maladie": "1", "enfants": [cle("Léa")], **DUREE}, follow=True)
    assert annonces(page) == ["Aucune réservation à changer sur ces jours\u00a0: il n'y a rien à déclarer."]


@pytest.mark.parametrize(
    ("donnees", "champ", "erreur"),
    [
        ({"enfants": []}, "enfants", "Choisissez au moins un enfant."),
        ({"retour": "2026-11-16"}, "retour", "Le retour vient après le premier jour d'absence."),
        ({"retour": "2027-02-16"}, "retour", "Au-delà de deux mois, écrivez à la mairie."),
        ({"du": "2019-11-16"}, "du", "Vérifiez l'année."),
    ],
)
def test_des_jours_mal_choisis_gardent_la_saisie(donnees, champ, erreur, automne, connecter):
    page = connecter("durand").get(ABSENCE, {"maladie": "1", "enfants": [cle("Léa")], **DUREE, **donnees})
    assert (page.status_code, page.context["form"].errors[champ]) == (422, [erreur])
    assert 'name="maladie" value="1"' in texte(page)


def test_l_enfant_d_un_autre_foyer_ne_se_declare_pas(automne, connecter, comptes):
    reserver(comptes["benali"], "Adam", LUNDI_23)
    donnees = {"enfants": [cle("Adam")], **DUREE, "motif": "greve"}
    assert connecter("durand").post(ABSENCE, donnees).status_code == 422
    assert Reservation.objects.get().motif_absence is None


# --- From a cell -----------------------------------------------------------------------------------------


def test_une_absence_depuis_la_case_ne_concerne_que_ce_service(reserves, connecter, comptes):
    reserver(comptes["durand"], "Léa", LUNDI_23, "accueil-soir")
    navigateur = connecter("durand")
    case = navigateur.get(adresse("Léa", "planning/2026-11-23/restauration/"))
    lien = unescape(re.search(r'href="(/mes-enfants/absence/[^"]+)"', case.content.decode())[1])
    page = navigateur.get(lien)
    # The parent has seen « Annuler la réservation » beside it: an absence is an absence.
    assert (page.context["annulables"], page.context["absents"]) == (
        [],
        ["Léa, restauration scolaire\u00a0: lundi 23 novembre"],
    )
    donnees = {"enfants": [cle("Léa")], "du": "2026-11-23", "retour": "2026-11-24", "service": "restauration"}
    fait = navigateur.post(ABSENCE, {**donnees, "motif": "greve"}, follow=True)
    assert annonces(fait) == ["1 jour d'absence."]
    assert (etats(navigateur)[23], etats(navigateur, service="accueil-soir")[23]) == ("absence", "reserve")


def test_sans_raison_rien_n_est_declare(reserves, connecter):
    donnees = {"enfants": [cle("Léa")], **DUREE, "mot": "Voyage"}
    for motif in ("", "inconnu"):
        page = connecter("durand").post(ABSENCE, {**donnees, "motif": motif})
        assert page.status_code == 422
        assert "Voyage</textarea>" in texte(page)
    assert Reservation.objects.filter(motif_absence=None).count() == 4


# --- The proof, after ------------------------------------------------------------------------------------


@pytest.fixture
def attendue(reserves, connecter):
    """An absence of Tuesday 17 whose proof was promised."""
    donnees = {"enfants": [cle("Léa")], "du": "2026-11-16", "retour": "2026-11-18", "motif": "maladie"}
    connecter("durand").post(ABSENCE, {**donnees, "plus_tard": "on"})
    return Demande.objects.get(type="absence")


def test_le_justificatif_promis_se_depose_ensuite(attendue, connecter):
    navigateur, adresse_ = connecter("durand"), attendue.get_absolute_url()
    assert "Envoyez votre justificatif <strong>avant le mercredi 18 novembre à 12\u00a0h" in texte(
        navigateur.get(adresse_)
    )
    page = navigateur.post(f"{adresse_}justificatif/", {"pieces": certificat()}, follow=True)
    assert annonces(page) == ["Votre justificatif est joint. La mairie le lira avant de répondre."]
    assert [p.nom for p in attendue.pieces.all()] == ["certificat.pdf"]


def test_l_attestation_recue_au_guichet_se_note(attendue, connecter, comptes):
    decider = reverse("admin:demandes_demande_decider", args=[attendue.pk])
    agent = connecter("agent")
    page = texte(agent.get(reverse("admin:demandes_demande_change", args=[attendue.pk])))
    assert "Justificatif attendu au plus tard" in page
    assert ">Attestation reçue</button>" in page
    apres = agent.post(decider, {"decision": "attestation"}, follow=True)
    assert "Attestation reçue, c'est noté. L'absence attend votre décision." in texte(apres)
    assert ">Attestation reçue</button>" not in texte(apres)
    assert Justificatif.objects.get().recu_par == comptes["agent"]
    attendue.refresh_from_db()
    assert attendue.etat == "EN_ATTENTE"


# --- The agent decides day by day ------------------------------------------------------------------------


@pytest.fixture
def deux_jours(automne, connecter):
    """One demande of two late days: Léa's and Tom's of Tuesday 17."""
    changements = f'[[{cle("Léa")},"restauration","2026-11-17","RESERVER",null],'
    changements += f'[{cle("Tom")},"restauration","2026-11-17","RESERVER",null]]'
    connecter("durand").post("/mes-enfants/recapitulatif/", {"changements": changements, "confirmer": "1"})
    return Demande.objects.get(type="reservation")


def jour_de(demande, prenom):
    return JourDemande.objects.get(demande=demande, enfant__prenom=prenom)


def test_l_agent_lit_chaque_jour_et_pourquoi_certains_ne_peuvent_pas(deux_jours, connecter):
    tom = Enfant.objects.get(prenom="Tom")
    Fermeture.objects.create(ecole=tom.ecole, valable_du=MARDI_17, valable_au=MARDI_17, motif="Sortie de l'école")
    page = connecter("agent").get(reverse("admin:demandes_demande_change", args=[deux_jours.pk]))
    form = page.context["decision"]
    lignes = {
        prenom: f"{prenom}, restauration scolaire, mardi 17 novembre\u00a0: réserver, après le délai"
        for prenom in ("Léa", "Tom")
    }
    impossible = {enfant.prenom: enfant.ecole_id == tom.ecole_id for enfant in Enfant.objects.filter(prenom__in=lignes)}
    assert dict(form.fields["jours"].choices) == {
        jour_de(deux_jours, prenom).pk: ligne + (" – impossible, Sortie de l'école" if impossible[prenom] else "")
        for prenom, ligne in lignes.items()
    }
    assert set(form["jours"].value()) == {jour_de(deux_jours, p).pk for p in lignes if not impossible[p]}


def test_l_agent_accepte_une_partie_avec_un_mot(deux_jours, connecter):
    agent, decider = connecter("agent"), reverse("admin:demandes_demande_decider", args=[deux_jours.pk])
    donnees = {"decision": "accepter", "version": 1, "jours": [jour_de(deux_jours, "Léa").pk]}
    sans_mot = agent.post(decider, donnees)
    assert sans_mot.status_code == 409
    assert "pourquoi certains jours" in texte(sans_mot)
    # The day that was unticked stays so: with the word that lacks, one more click must not accept it.
    assert sans_mot.context["decision"]["jours"].value() == [str(jour_de(deux_jours, "Léa").pk)]
    assert Reservation.objects.count() == 0
    page = agent.post(decider, {**donnees, "mot": "Plus de repas."}, follow=True)
    assert "La famille est prévenue." in texte(page)
    parent = connecter("durand")
    assert (etats(parent, "Léa")[17], etats(parent, "Tom")[17]) == ("reserve", "hors-delai")
    corps = Message.objects.latest("pk").corps
    assert "Accepté\u00a0:\nLéa, restauration scolaire\u00a0: mardi 17 novembre" in corps
    assert "Refusé\u00a0:\nTom, restauration scolaire\u00a0: mardi 17 novembre" in corps
    assert "Plus de repas." in corps
    detail = texte(parent.get(deux_jours.get_absolute_url()))
    assert ("Accepté" in detail, "Refusé" in detail) == (True, True)


@pytest.mark.parametrize("jours", [[], ["x"], ["999999"]])
def test_l_agent_qui_ne_coche_rien_garde_son_mot(jours, deux_jours, connecter):
    decider = reverse("admin:demandes_demande_decider", args=[deux_jours.pk])
    page = connecter("agent").post(decider, {"decision": "accepter", "version": 1, "jours": jours, "mot": "Mon mot"})
    assert page.status_code == 422
    assert "Mon mot</textarea>" in texte(page)
    assert JourDemande.objects.filter(etat="EN_ATTENTE").count() == 2


def test_refuser_tout_dit_pourquoi_dans_chaque_case(deux_jours, connecter):
    decider = reverse("admin:demandes_demande_decider", args=[deux_jours.pk])
    connecter("agent").post(decider, {"decision": "refuser", "version": 1, "motif": "Repas commandés."})
    parent = connecter("durand")
    assert (etats(parent, "Léa")[17], etats(parent, "Tom")[17]) == ("hors-delai", "hors-delai")
    assert "Repas commandés." in texte(parent.get(deux_jours.get_absolute_url()))


def test_accepter_une_absence_se_voit_dans_la_case(attendue, connecter):
    decider = reverse("admin:demandes_demande_decider", args=[attendue.pk])
    jours = list(attendue.jours.values_list("pk", flat=True))
    connecter("agent").post(decider, {"decision": "accepter", "version": 1, "jours": jours})
    vus = cases(connecter("durand").get(adresse("Léa", "planning/2026-11/")))
    assert vus["2026-11-17", "restauration"][:3] == ("absence", "Absence déclarée", "Enfant malade")
    assert Reservation.objects.get(jour=MARDI_17).absence_justifiee
