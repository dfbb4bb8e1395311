"""Registrations as a parent asks for them, all services on one page, and as an agent decides."""

from datetime import date
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from demandes import actions
from demandes.models import Demande
from demandes.types import TYPES
from enfants import offre
from enfants.models import DocumentEnfant, Enfant, Inscription, Reglement, Reservation, Service
from messagerie.models import Message
from tests.fabrique import PDF_SAIN

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("le_23_novembre")]

ACCORD = {"reglement": "on"}
CANTINE = {"restauration-inscrit": "on", "restauration-jours": ["0", "3"]}
SOIR = {"accueil-soir-inscrit": "on"}


@pytest.fixture
def page():
    """``page("Zoé")``: the address of the registrations of a child."""
    return lambda prenom: f"/mes-enfants/{Enfant.objects.get(prenom=prenom).uuid}/inscriptions/"


@pytest.fixture
def martin(connecter):
    return connecter("martin")


@pytest.fixture
def demander(connecter, page):
    """``demander("martin", "Zoé", **fields)``: asked by the page, the rules accepted."""

    def demander(identifiant, prenom, **donnees):
        reponse = connecter(identifiant).post(page(prenom), ACCORD | donnees)
        assert reponse.status_code == 302, reponse.context["erreurs"]
        return Demande.objects.filter(type="inscription").latest("pk")

    return demander


def inscrire(prenom, famille, jours, code="restauration"):
    return Inscription.objects.create(
        enfant=Enfant.objects.get(prenom=prenom),
        famille=famille,
        service=Service.objects.get(code=code),
        annee=2026,
        jours=jours,
        reglement=Reglement.objects.get(),
        reglement_accepte_le="2026-09-01T08:00Z",
        valable_du=date(2026, 9, 1),
        valable_au=date(2027, 8, 31),
    )


def pdf(nom="assurance.pdf"):
    return SimpleUploadedFile(nom, PDF_SAIN, "application/pdf")


def attendues():
    """Pending demandes of registrations: service, what was, what is asked."""
    demandes = Demande.objects.en_attente().filter(type="inscription").order_by("pk")
    return [(d.objet, d.valeurs_avant, d.valeurs_demandees) for d in demandes]


def phrases(reponse):
    return [phrase for _, phrase in reponse.context["erreurs"]]


# --- Asked -----------------------------------------------------------------------------------------------


def test_un_envoi_depose_une_demande_par_service(martin, page):
    reglement = str(Reglement.objects.get().pk)
    reponse = martin.post(page("Zoé"), ACCORD | CANTINE | SOIR, follow=True)
    assert [str(message) for message in reponse.context["messages"]] == [
        "Vos demandes sont envoyées à la mairie\u00a0: restauration scolaire et accueil du soir. "
        "Vous pouvez encore changer en attendant."
    ]
    assert attendues() == [
        (
            "restauration/2026",
            {"inscrit": False, "jours": [], "reglement": ""},
            {"inscrit": True, "jours": ["0", "3"], "reglement": reglement},
        ),
        ("accueil-soir/2026", {"inscrit": False, "reglement": ""}, {"inscrit": True, "reglement": reglement}),
    ]
    assert [d.titre for d in Demande.objects.filter(type="inscription").order_by("pk")] == [
        "Inscription de Zoé\u00a0: restauration scolaire 2026-2027",
        "Inscription de Zoé\u00a0: accueil du soir 2026-2027",
    ]
    assert not Inscription.objects.exists()


def test_demander_encore_modifie_la_demande_et_laisse_les_autres(martin, page):
    martin.post(page("Zoé"), ACCORD | CANTINE | SOIR)
    martin.post(page("Zoé"), ACCORD | {"restauration-jours": ["1"]})
    demandes = {d.objet: d for d in Demande.objects.filter(type="inscription")}
    assert {objet: (d.version, d.valeurs_demandees.get("jours")) for objet, d in demandes.items()} == {
        "restauration/2026": (2, ["1"]),
        "accueil-soir/2026": (1, None),
    }


def test_deux_clics_ne_font_qu_une_demande(martin, page):
    assert martin.post(page("Zoé"), ACCORD | CANTINE).status_code == 302
    reponse = martin.post(page("Zoé"), ACCORD | CANTINE)
    assert (reponse.status_code, len(attendues())) == (422, 1)
    assert Demande.objects.get(type="inscription").version == 1


def test_sans_accepter_le_reglement_rien_n_est_envoye(martin, page):
    reponse = martin.post(page("Zoé"), CANTINE)
    assert (reponse.status_code, attendues()) == (422, [])
    assert phrases(reponse) == ["Acceptez le règlement pour envoyer votre demande."]
    assert 'value="3" class="form-check-input" id="id_restauration-jours_2" checked' in reponse.content.decode()


def test_sans_rien_cocher_la_page_dit_quoi_faire(martin, page):
    reponse = martin.post(page("Zoé"), ACCORD)
    assert (reponse.status_code, attendues()) == (422, [])
    assert phrases(reponse) == ["Cochez au moins un service, ou changez des jours habituels."]


@pytest.mark.parametrize(
    ("donnees", "phrase"),
    [
        ({"restauration-jours": ["2"]}, "Restauration scolaire\u00a0: Ce service n'est pas ouvert ce jour-là."),
        ({"restauration-jours": ["0\x00"]}, "Restauration scolaire\u00a0: Ce service n'est pas ouvert ce jour-là."),
        (
            {"alsh-mercredi-inscrit": "on", "alsh-mercredi-jours": ["2"]},
            "ALSH du mercredi\u00a0: Choisissez la formule des jours habituels.",
        ),
        (
            {"alsh-mercredi-inscrit": "on", "alsh-mercredi-formule": "999999"},
            "ALSH du mercredi\u00a0: Choisissez une formule de la liste.",
        ),
    ],
)
def test_un_jour_ou_une_formule_qui_n_existe_pas_se_dit(donnees, phrase, martin, page):
    reponse = martin.post(page("Zoé"), ACCORD | CANTINE | donnees)
    assert (reponse.status_code, phrases(reponse), attendues()) == (422, [phrase], [])


def test_la_formule_d_un_autre_service_ne_se_prend_pas(martin, page):
    etrangere = Service.objects.get(code="alsh-vacances").formules.first()
    donnees = {"alsh-mercredi-inscrit": "on", "alsh-mercredi-formule": str(etrangere.pk)}
    assert martin.post(page("Zoé"), ACCORD | donnees).status_code == 422


def test_un_service_qui_n_est_pas_pour_cet_enfant_ne_se_demande_pas(martin, page):
    Service.objects.filter(code="alsh-mercredi").update(age_max=4)
    offre.oublier()
    reponse = martin.post(page("Zoé"), ACCORD | {"alsh-mercredi-inscrit": "on", "inconnu-inscrit": "on"})
    assert (reponse.status_code, attendues()) == (422, [])


def test_le_reglement_accepte_ne_se_choisit_pas(martin, page):
    autre = Reglement.objects.create(annee=2025, version="Vieux", texte="…", publie_le=date(2025, 9, 1))
    martin.post(page("Zoé"), ACCORD | CANTINE | {"restauration-reglement": str(autre.pk)})
    assert attendues()[0][2]["reglement"] == str(Reglement.objects.get(annee=2026).pk)


@pytest.mark.parametrize("annee", ["2025", "2027", "x", "20260"])
def test_une_annee_fermee_ne_prend_aucune_demande(annee, martin, page):
    reponse = martin.post(f"{page('Zoé')}?annee={annee}", ACCORD | CANTINE)
    assert (reponse.status_code, attendues()) == (422, [])
    assert phrases(reponse) == ["Cette année scolaire n'est pas ouverte aux inscriptions."]


def test_l_enfant_d_une_autre_famille_est_introuvable(martin, page):
    adresses = [page("Léa"), f"{page('Léa')}jours/", f"/mes-enfants/{uuid4()}/inscriptions/"]
    assert [martin.get(adresse).status_code for adresse in adresses] == [404] * 3
    assert [martin.post(adresse, ACCORD | CANTINE).status_code for adresse in adresses] == [404] * 3
    # The kind has its own page: not the one of the other kinds.
    assert martin.get(page("Zoé").replace("inscriptions", "inscription")).status_code == 404


def test_l_inscription_d_un_service_deja_tenu_ne_se_perd_pas(connecter, page, famille_durand):
    inscrire("Léa", famille_durand, [0, 3])
    connecter("durand").post(page("Léa"), ACCORD | {"restauration-jours": ["1"]})
    assert attendues() == [("restauration/2026", {"jours": ["0", "3"]}, {"jours": ["1"]})]


def test_remettre_les_jours_du_dossier_invite_a_retirer(connecter, page, famille_durand):
    inscrire("Léa", famille_durand, [0, 3])
    durand = connecter("durand")
    durand.post(page("Léa"), ACCORD | {"restauration-jours": ["1"]})
    reponse = durand.post(page("Léa"), ACCORD | {"restauration-jours": ["0", "3"]})
    assert (reponse.status_code, len(attendues())) == (422, 1)
    assert phrases(reponse) == ["Restauration scolaire\u00a0: pour ne rien changer, retirez votre demande."]


def test_la_demande_se_retire_et_se_modifie_depuis_sa_page(martin, page):
    martin.post(page("Zoé"), ACCORD | CANTINE)
    demande = Demande.objects.get(type="inscription")
    assert f'href="{page("Zoé")}?annee=2026"' in martin.get(demande.get_absolute_url()).content.decode()
    martin.post(f"{demande.get_absolute_url()}retirer/")
    demande.refresh_from_db()
    assert (demande.etat, Inscription.objects.count()) == ("RETIREE", 0)


# --- Papers ----------------------------------------------------------------------------------------------


def test_un_papier_ne_va_qu_a_une_demande_puis_au_dossier(martin, page, comptes):
    martin.post(page("Zoé"), ACCORD | SOIR | CANTINE | {"piece_ASSURANCE": pdf()})
    pieces = {d.objet: [p.nature for p in d.pieces.all()] for d in Demande.objects.filter(type="inscription")}
    assert pieces == {"restauration/2026": ["ASSURANCE"], "accueil-soir/2026": []}
    assert [papier.etat for papier, _ in martin.get(page("Zoé")).context["papiers"]] == ["envoyee"]
    actions.accepter(Demande.objects.get(objet="restauration/2026").pk, par=comptes["agent"])
    document = DocumentEnfant.objects.get(enfant__prenom="Zoé")
    assert (document.nature, document.expire_le) == ("ASSURANCE", date(2027, 8, 31))
    assert [papier.etat for papier, _ in martin.get(page("Zoé")).context["papiers"]] == ["dossier"]


def test_un_papier_seul_rejoint_le_service_qui_le_demande(connecter, page, famille_durand, comptes):
    ligne = inscrire("Léa", famille_durand, [0, 3])
    donnees = ACCORD | {"restauration-jours": ["0", "3"], "piece_ASSURANCE": pdf()}
    assert connecter("durand").post(page("Léa"), donnees).status_code == 302
    assert attendues() == [("restauration/2026", {}, {})]
    actions.accepter(Demande.objects.get(type="inscription").pk, par=comptes["agent"])
    ligne.refresh_from_db()
    assert (ligne.jours, ligne.jours_reserves_le) == ([0, 3], None)
    assert DocumentEnfant.objects.filter(enfant=ligne.enfant, nature="ASSURANCE").count() == 1


def test_un_papier_sans_service_attend_qu_on_en_coche_un(martin, page):
    reponse = martin.post(page("Zoé"), ACCORD | {"piece_ASSURANCE": pdf()})
    assert (reponse.status_code, attendues()) == (422, [])


def test_un_papier_illisible_garde_la_saisie(martin, page):
    faux = SimpleUploadedFile("a.pdf", b"pas un pdf", "application/pdf")
    reponse = martin.post(page("Zoé"), ACCORD | CANTINE | {"piece_ASSURANCE": faux})
    assert (reponse.status_code, attendues(), len(phrases(reponse))) == (422, [], 1)


def test_un_papier_de_sante_passe_par_les_donnees_sanitaires(martin, page):
    Service.objects.filter(code="restauration").update(pieces_requises=["PAI"])
    offre.oublier()
    reponse = martin.post(page("Zoé"), ACCORD | CANTINE | {"piece_PAI": pdf()}, follow=True)
    (papier, champ) = reponse.context["papiers"][0]
    assert (papier.etat, papier.lien, champ) == ("a_fournir", page("Zoé").replace("inscriptions", "sante"), None)
    assert not Demande.objects.get(type="inscription").pieces.exists()


# --- Decided ---------------------------------------------------------------------------------------------


def test_accepter_inscrit_et_reserve_les_jours_habituels(demander, comptes, famille_martin):
    demande = demander("martin", "Zoé", **CANTINE)
    decision = {"valable_du": date(2026, 11, 30), "reserver": True}
    actions.accepter(demande.pk, par=comptes["agent"], decision=decision, version=1)
    ligne = Inscription.objects.get()
    assert (ligne.famille, ligne.jours, ligne.valable_du, ligne.valable_au) == (
        famille_martin,
        [0, 3],
        date(2026, 11, 30),
        date(2027, 8, 31),
    )
    assert (ligne.reglement, ligne.reglement_accepte_le) == (Reglement.objects.get(), demande.deposee_le)
    jours = Reservation.objects.actives().order_by("jour").values_list("jour", flat=True)
    assert list(jours[:3]) == [date(2026, 11, 30), date(2026, 12, 3), date(2026, 12, 7)]
    corps = Message.objects.latest("pk").corps
    assert f"Zoé, restauration scolaire, jours réservés\u00a0: {len(jours)} jours, du 30 novembre 2026 au" in corps


def test_accepter_sans_reserver_n_ecrit_aucun_jour(demander, comptes):
    demande = demander("martin", "Zoé", **CANTINE)
    decision = {"valable_du": date(2026, 11, 23), "reserver": False}
    actions.accepter(demande.pk, par=comptes["agent"], decision=decision)
    assert (Inscription.objects.get().jours_reserves_le, Reservation.objects.count()) == (None, 0)


def test_accepter_d_autres_jours_change_l_inscription(demander, comptes, famille_durand):
    ligne = inscrire("Léa", famille_durand, [0, 3])
    demande = demander("durand", "Léa", **{"restauration-jours": ["1"]})
    assert TYPES["inscription"].pour(demande.objet).decision_proposee(demande) == {
        "annee": 2026,
        "valable_du": date(2026, 9, 1),
        "reserver": True,
    }
    actions.accepter(demande.pk, par=comptes["agent"])
    ligne.refresh_from_db()
    assert (ligne.jours, ligne.valable_du, ligne.reglement_accepte_le.year) == ([1], date(2026, 9, 1), 2026)
    jours = Reservation.objects.order_by("jour").values_list("jour", flat=True)
    assert {jour.weekday() for jour in jours} == {1}


def test_refuser_n_inscrit_personne(demander, comptes):
    demande = demander("martin", "Zoé", **CANTINE)
    actions.refuser(demande.pk, par=comptes["agent"], motif="Dossier incomplet")
    assert (Inscription.objects.count(), Reservation.objects.count()) == (0, 0)


def test_un_service_qui_n_est_plus_propose_ne_s_accepte_plus(demander, comptes):
    demande = demander("martin", "Zoé", **CANTINE)
    Service.objects.filter(code="restauration").update(actif=False)
    offre.oublier()
    with pytest.raises(actions.DemandeInvalide, match="n'est plus proposé"):
        actions.accepter(demande.pk, par=comptes["agent"])
    assert demande.titre == "Inscription de Zoé\u00a0: restauration scolaire 2026-2027"


def test_une_inscription_changee_entre_temps_arrete_la_decision(demander, comptes, famille_durand):
    ligne = inscrire("Léa", famille_durand, [0, 3])
    demande = demander("durand", "Léa", **{"restauration-jours": ["1"]})
    Inscription.objects.filter(pk=ligne.pk).update(jours=[4])
    with pytest.raises(actions.DossierModifie, match="Jours habituels"):
        actions.accepter(demande.pk, par=comptes["agent"])


def test_deux_foyers_d_un_enfant_ont_chacun_leur_inscription(demander, comptes, familles_de):
    for login, jours in (("benali", ["0"]), ("rossi", ["3"])):
        demande = demander(login, "Inès", **{"restauration-inscrit": "on", "restauration-jours": jours})
        actions.accepter(demande.pk, par=comptes["agent"])
    inscriptions = Inscription.objects.filter(enfant__prenom="Inès").order_by("pk")
    assert [(ligne.famille, ligne.jours) for ligne in inscriptions] == [
        (familles_de("benali"), [0]),
        (familles_de("rossi"), [3]),
    ]


def test_l_agent_choisit_le_premier_jour_sur_la_page_de_la_demande(demander, connecter):
    demande, agent = demander("martin", "Zoé", **CANTINE), connecter("agent")
    decider = f"/admin/demandes/demande/{demande.pk}/decider/"
    page = agent.get(f"/admin/demandes/demande/{demande.pk}/change/")
    assert [str(phrase) for phrase in page.context["a_savoir"]] == [
        "Attestation d'assurance\u00a0: ni au dossier, ni joint à cette demande."
    ]
    envoi = {"decision": "accepter", "version": "1", "reserver": "on"}
    reponse = agent.post(decider, envoi | {"valable_du": "2027-09-01"})
    assert (reponse.status_code, Inscription.objects.count()) == (422, 0)
    assert "Choisissez un jour de l'année scolaire 2026-2027." in reponse.content.decode().replace("&#x27;", "'")
    assert agent.post(decider, envoi | {"valable_du": "2026-12-01"}).status_code == 302
    assert Inscription.objects.get().valable_du == date(2026, 12, 1)
    assert Reservation.objects.order_by("jour").first().jour == date(2026, 12, 3)


# --- Habitual days, by the parent ------------------------------------------------------------------------


def test_le_parent_voit_le_resume_puis_reserve_ses_jours_habituels(connecter, page, famille_durand):
    ligne = inscrire("Léa", famille_durand, [0, 3])
    Inscription.objects.update(valable_au=date(2026, 12, 31))
    durand, adresse = connecter("durand"), f"{page('Léa')}jours/"
    assert durand.get(page("Léa")).context["habituels"]["fin"] == "17 décembre 2026"
    (resume,) = durand.get(adresse).context["resumes"]
    assert (resume.total, resume.mois) == (
        "6 jours, du 30 novembre au 17 décembre 2026",
        [("Novembre 2026", "1"), ("Décembre 2026", "5")],
    )
    assert resume.sans_effet == [
        ("vacances scolaires", "lundi 21, jeudi 24, lundi 28 et jeudi 31 décembre"),
        ("délai passé", "jeudi 26 novembre"),
    ]
    assert not Reservation.objects.exists(), "le résumé ne réserve rien"
    assert durand.post(adresse).status_code == 302
    assert Reservation.objects.filter(enfant=ligne.enfant, reservee_par__identifiant="durand").count() == 6
    assert durand.get(page("Léa")).context["habituels"]["fait"] == "aujourd'hui à 13\u00a0h"
    durand.post(adresse)
    assert Reservation.objects.count() == 6


def test_un_jour_deja_demande_a_la_mairie_n_est_pas_reserve_en_plus(connecter, page, famille_durand, comptes):
    ligne = inscrire("Léa", famille_durand, [0])
    Inscription.objects.update(valable_au=date(2026, 12, 1))
    demande = Demande.objects.create(
        type="reservation", famille=famille_durand, valeurs_demandees={}, deposee_par=comptes["durand"]
    )
    demande.jours.create(enfant=ligne.enfant, service=ligne.service, jour=date(2026, 11, 30), geste="RESERVER")
    (resume,) = connecter("durand").get(f"{page('Léa')}jours/").context["resumes"]
    assert (resume.mois, resume.sans_effet) == ([], [("une demande attend déjà une réponse", "lundi 30 novembre")])


def test_sans_jours_habituels_il_n_y_a_rien_a_reserver(martin, page, famille_martin):
    inscrire("Zoé", famille_martin, [])
    assert martin.get(page("Zoé")).context["habituels"] is None
    assert martin.get(f"{page('Zoé')}jours/").status_code == 302
