"""The child's page in the admin: the whole file, by permission; every reading of its health noted."""

from datetime import date, timedelta
from html import unescape

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from enfants import actions
from enfants.models import (
    Affectation,
    Classe,
    ConfirmationDossier,
    ConsultationSante,
    DocumentEnfant,
    Ecole,
    Enfant,
    Informations,
    PersonneAutorisee,
    Rattachement,
    Sante,
    SuspensionAcces,
)
from enfants.regles.annees import a_venir
from familles.models import Responsable
from portail.outils.fichiers import ranger
from portail.outils.pdf import PdfIndisponible
from tests.papiers import sans_encre
from tests.saisie_admin import saisie

pytestmark = pytest.mark.django_db

AUJOURDHUI = timezone.localdate


@pytest.fixture
def enfant(distribution):
    """``enfant("Léa")``."""
    return lambda prenom: Enfant.objects.get(prenom=prenom)


@pytest.fixture
def sans_sante(comptes, connecter):
    """An agent who keeps the files and may not read health: no role of ours is so."""
    compte = comptes["agent"]
    droits = Permission.objects.filter(group=Group.objects.get(name="Agent instructeur"))
    compte.groups.clear()
    compte.user_permissions.set(droits.exclude(content_type__model="sante"))
    return connecter("agent")


def adresse(enfant, suite="change"):
    return f"/admin/enfants/enfant/{enfant.pk}/{suite}/"


def lire(navigateur, enfant, suite="change"):
    reponse = navigateur.get(adresse(enfant, suite))
    assert reponse.status_code == 200
    return unescape(reponse.content.decode()).replace("\u00a0", " ")


def enregistrer(navigateur, enfant, **tapees):
    """Open the page, type, save; the page that comes back when it is refused."""
    page = navigateur.get(adresse(enfant))
    return navigateur.post(adresse(enfant), saisie(page, **tapees))


def consultations():
    return [
        (c.enfant.prenom, c.par.identifiant, c.page)
        for c in ConsultationSante.objects.select_related("enfant", "par").order_by("pk")
    ]


def document(enfant, nature="ASSURANCE", *, expire_le=None, monkeypatch):
    monkeypatch.setattr(DocumentEnfant, "url", property(lambda d: f"/mes-enfants/documents/{d.uuid}/"), raising=False)
    return DocumentEnfant.objects.create(
        enfant=enfant,
        famille=enfant.rattachements.first().famille,
        nature=nature,
        expire_le=expire_le,
        **ranger("papier.pdf", "application/pdf", b"%PDF-1.4 essai"),
    )


# --- Health is read, the reading is noted: iff (R5) ------------------------------------------------------


def test_ouvrir_le_dossier_note_une_consultation_et_une_seule(connecter, enfant):
    page = lire(connecter("agent"), enfant("Adam"))
    assert "Gonflement des lèvres" in page
    assert "Trousse rouge" in page
    assert consultations() == [("Adam", "agent", "Dossier de l'enfant")]


def test_l_animateur_de_l_ecole_lit_la_sante_et_c_est_note(connecter, enfant):
    actions.modifier_sante(enfant("Léa"), {"allergies": "Piqûres de guêpe"})
    assert "Piqûres de guêpe" in lire(connecter("animateur"), enfant("Léa"))
    assert consultations() == [("Léa", "animateur", "Dossier de l'enfant")]


def test_une_saisie_refusee_remontre_la_sante_et_le_note(connecter, enfant):
    reponse = enregistrer(connecter("agent"), enfant("Adam"), nom="")
    assert reponse.status_code == 200
    assert "Trousse rouge" in reponse.content.decode()
    assert consultations() == [("Adam", "agent", "Dossier de l'enfant")] * 2


def test_enregistrer_n_ajoute_pas_de_consultation(connecter, enfant):
    assert enregistrer(connecter("agent"), enfant("Adam")).status_code == 302
    assert len(consultations()) == 1, "celle de la page ouverte"


def test_sans_le_droit_la_page_ne_dit_rien_de_la_sante_et_rien_n_est_note(sans_sante, enfant, monkeypatch):
    adam = enfant("Adam")
    Informations.objects.filter(enfant=adam).update(lunettes=True, autre_appareil="Corset")
    document(adam, "PAI", monkeypatch=monkeypatch)
    page = lire(sans_sante, adam)
    secrets = [
        "lèvres",
        "Trousse",
        "Renaud",
        "Arachides",
        "Lunettes",
        "Corset",
        "papier.pdf",
        "injections",
        "vaccination",
    ]
    assert [mot for mot in secrets if mot in page] == []
    assert "Attestation d'assurance manquante" in page
    assert "Fiche d'urgence" not in page
    assert consultations() == []


def test_la_liste_ne_note_rien_et_ne_dit_que_oui_ou_non_du_pai(connecter, enfant):
    reponse = connecter("agent").get("/admin/enfants/enfant/?q=adam")
    assert reponse.status_code == 200
    assert "Trousse" not in reponse.content.decode()
    assert consultations() == []


def test_l_historique_note_une_consultation_quand_il_dit_la_sante(connecter, enfant):
    agent, lea = connecter("agent"), enfant("Léa")
    assert "médecin" not in lire(agent, lea, "history").lower()
    assert consultations() == []
    actions.modifier_sante(lea, {"medecin_nom": "Dr Neuf", "allergenes": ["lait", "soja"]})
    page = lire(agent, lea, "history")
    assert ("Dr Hélène Garnier" in page, "Dr Neuf" in page, "Lait, Soja" in page) == (True, True, True)
    assert consultations() == [("Léa", "agent", "Historique du dossier")]


def test_l_historique_sans_le_droit_tait_la_sante(sans_sante, enfant):
    lea = enfant("Léa")
    actions.modifier_sante(lea, {"medecin_nom": "Dr Neuf"})
    actions.modifier_informations(lea, {"lunettes": False, "photo": False})
    page = lire(sans_sante, lea, "history")
    assert ("Photos et vidéos" in page, "Lunettes" in page, "Dr Neuf" in page) == (True, False, False)
    assert consultations() == []


def test_les_vingt_dernieres_consultations_se_lisent_sur_la_page(connecter, enfant, comptes):
    lea = enfant("Léa")
    for rang in range(25):
        actions.noter_consultation([lea], par=comptes["animateur"], page=f"Fiche d'urgence {rang:02}")
    page = lire(connecter("agent"), lea)
    assert ("Fiche d'urgence 24" in page, "Fiche d'urgence 06" in page, "Fiche d'urgence 05" in page) == (
        True,
        True,
        False,
    )
    assert page.count("Fiche d'urgence ") == 19, "la dernière est celle de cette page"


# --- Who sees which child --------------------------------------------------------------------------------


def test_l_animateur_ne_connait_que_les_enfants_de_ses_ecoles(connecter, enfant, comptes):
    animateur = connecter("animateur")

    def connus():
        return [e.prenom for e in animateur.get("/admin/enfants/enfant/").context["cl"].result_list]

    assert connus() == ["Inès", "Léa", "Zoé"]
    assert animateur.get("/admin/enfants/enfant/?q=tom").context["cl"].result_count == 0
    assert animateur.get(adresse(enfant("Tom"))).url == "/admin/"
    Affectation.objects.create(animateur=comptes["animateur"], ecole=enfant("Tom").ecole)
    assert connus() == ["Adam", "Inès", "Léa", "Tom", "Zoé"]


def test_l_autocompletion_suit_la_meme_regle(connecter):
    def proposes(qui, terme):
        champ = "app_label=enfants&model_name=garde&field_name=enfant"
        reponse = connecter(qui).get(f"/admin/autocomplete/?{champ}&term={terme}")
        return [choix["text"] for choix in reponse.json()["results"]]

    assert (proposes("animateur", "tom"), len(proposes("animateur", "léa"))) == ([], 1)
    assert len(proposes("agent", "tom")) == 1


def test_l_autocompletion_distingue_deux_familles_du_meme_nom(connecter):
    champ = "app_label=enfants&model_name=rattachement&field_name=famille"
    reponse = connecter("agent").get(f"/admin/autocomplete/?{champ}&term=durand")
    assert [c["text"] for c in reponse.json()["results"]] == [
        "Famille Durand – Claire Durand, Julien Durand, 12 rue des Vergers"
    ]
    assert connecter("animateur").get(f"/admin/autocomplete/?{champ}&term=durand").status_code == 403


def test_l_animateur_lit_sans_pouvoir_rien_changer(connecter, enfant):
    page = connecter("animateur").get(adresse(enfant("Léa")))
    groupes = [groupe.opts.model for groupe in page.context["inline_admin_formsets"]]
    assert groupes == [PersonneAutorisee, Informations, Sante, DocumentEnfant]
    texte = page.content.decode()
    assert ("<select" in texte, 'type="text"' in texte.split("content-main")[1]) == (False, False)
    assert "True" not in texte.split("content-main")[1], "des mots, pas des icônes anglaises"
    assert page.context["resume"].foyers == []


def test_l_animateur_n_ouvre_que_les_papiers_de_sante(connecter, enfant, monkeypatch):
    lea = enfant("Léa")
    pai, assurance = (document(lea, nature, monkeypatch=monkeypatch) for nature in ("PAI", "ASSURANCE"))
    page = connecter("animateur").get(adresse(lea)).content.decode()
    assert (pai.url in page, assurance.url in page) == (True, False)
    assert page.count("papier.pdf</a> (") == page.count(">papier.pdf (") == 1


# --- Saving ----------------------------------------------------------------------------------------------


def test_la_sante_se_corrige_par_cases_et_par_textes(connecter, enfant):
    adam = enfant("Adam")
    reponse = enregistrer(
        connecter("agent"),
        adam,
        sante__0__allergenes_codes=["lait"],
        sante__0__medecin_telephone="+33261915099",
    )
    assert reponse.status_code == 302
    sante = Sante.objects.get(enfant=adam)
    assert (sante.allergenes, sante.medecin_telephone) == ("lait", "02 61 91 50 99")
    assert sante.pai_consignes == "Trousse rouge dans le bureau de la directrice, stylo d'adrénaline."


def test_enregistrer_sans_rien_changer_n_ecrit_pas_d_historique(connecter, enfant):
    adam = enfant("Adam")
    suivis = [m.pgh_event_model for m in (Enfant, Sante, Informations, Rattachement, PersonneAutorisee)]
    avant = [m.objects.count() for m in suivis]
    assert enregistrer(connecter("agent"), adam).status_code == 302
    assert [m.objects.count() for m in suivis] == avant


def test_la_premiere_fiche_de_sante_se_cree_depuis_la_page(connecter, enfant):
    tom = enfant("Tom")
    assert not Sante.objects.filter(enfant=tom).exists()
    assert enregistrer(connecter("agent"), tom, sante__0__allergies="Fraises").status_code == 302
    assert Sante.objects.get(enfant=tom).allergies == "Fraises"


def test_l_agent_note_ce_qu_il_a_lu_des_vaccins(connecter, enfant):
    tom, agent = enfant("Tom"), connecter("agent")
    refus = enregistrer(agent, tom, sante__0__vaccins_etat="PROVISOIRE")
    assert "Une admission provisoire a une fin" in refus.content.decode()
    fin = AUJOURDHUI() + timedelta(days=90)
    enregistrer(agent, tom, sante__0__vaccins_etat="PROVISOIRE", sante__0__vaccins_jusqu_au=fin.isoformat())
    assert list(Sante.objects.filter(enfant=tom).values_list("vaccins_etat", "vaccins_jusqu_au")) == [
        ("PROVISOIRE", fin)
    ]
    enregistrer(agent, tom, sante__0__vaccins_etat="A_JOUR")
    assert list(Sante.objects.filter(enfant=tom).values_list("vaccins_etat", "vaccins_jusqu_au")) == [("A_JOUR", None)]


def test_les_vaccins_se_lisent_en_liste_avec_ceux_qui_manquent(connecter, enfant):
    lea = enfant("Léa")
    sante = Sante.objects.get(enfant=lea)
    sante.vaccinations = {code: le for code, le in sante.vaccinations.items() if code != "ROUGEOLE"} | {
        "BCG": "2019-01-02"
    }
    sante.save()
    page = connecter("agent").get(adresse(lea)).content.decode()
    assert '<li class="vaccin manque">Rougeole\u00a0: <strong>date manquante</strong></li>' in page
    assert page.count('class="vaccin fait"') == 10
    assert "BCG (non obligatoire)\u00a0: <strong>02/01/2019</strong>" in page
    assert "2019-01-02" not in page, "les dates ne se lisent pas en JSON"


def test_la_fin_de_l_assurance_suit_le_papier(connecter, enfant, monkeypatch):
    lea = enfant("Léa")
    papier = document(lea, expire_le=date(2027, 8, 31), monkeypatch=monkeypatch)
    DocumentEnfant.objects.update(rappele_le=timezone.now())
    assert enregistrer(connecter("agent"), lea, informations__0__assurance_fin="2028-08-31").status_code == 302
    papier.refresh_from_db()
    assert (papier.expire_le, papier.rappele_le) == (date(2028, 8, 31), None)


def test_l_agent_renomme_un_papier_et_sa_fin_et_le_rappel_repart(connecter, enfant, monkeypatch):
    lea = enfant("Léa")
    papier = document(lea, expire_le=date(2027, 8, 31), monkeypatch=monkeypatch)
    DocumentEnfant.objects.update(rappele_le=timezone.now())
    page = connecter("agent").get(adresse(lea)).content.decode()
    assert f'href="/mes-enfants/documents/{papier.uuid}/"' in page
    enregistrer(connecter("agent"), lea, documents__0__nature="JUGEMENT", documents__0__expire_le="2029-01-01")
    papier.refresh_from_db()
    assert (papier.nature, papier.expire_le, papier.rappele_le) == ("JUGEMENT", date(2029, 1, 1), None)


def test_une_classe_d_une_autre_ecole_est_refusee(connecter, enfant):
    autre = Classe.objects.exclude(ecole=enfant("Léa").ecole).first()
    reponse = enregistrer(connecter("agent"), enfant("Léa"), classe=autre.pk)
    assert "Cette classe est dans une autre école." in reponse.content.decode()


def test_une_naissance_impossible_est_refusee(connecter, enfant):
    for naissance in (AUJOURDHUI() + timedelta(days=1), date(1990, 1, 1)):
        reponse = enregistrer(connecter("agent"), enfant("Léa"), date_naissance=naissance.isoformat())
        assert "pas celle de la naissance" in unescape(reponse.content.decode())


# --- Households and suspended accesses -------------------------------------------------------------------


def nouvelle_ligne(prefixe, rang, **champs):
    lignes = {f"{prefixe}-TOTAL_FORMS": str(rang + 1)}
    return lignes | {f"{prefixe}-{rang}-{nom}": valeur for nom, valeur in champs.items()}


def test_l_agent_rattache_l_enfant_a_un_second_foyer(connecter, enfant, famille_martin):
    lea, aujourdhui = enfant("Léa"), AUJOURDHUI()
    ligne = nouvelle_ligne("rattachements", 1, famille=famille_martin.pk, valable_du=aujourdhui.isoformat())
    assert enregistrer(connecter("agent"), lea, **ligne).status_code == 302
    assert connecter("martin").get(f"/mes-enfants/{lea.uuid}/").status_code == 200
    page = lire(connecter("agent"), lea)
    assert f"/admin/enfants/garde/add/?enfant={lea.pk}" in page


def test_on_ferme_un_rattachement_et_on_le_rouvre_d_un_meme_geste(connecter, enfant, famille_durand):
    lea, aujourdhui = enfant("Léa"), AUJOURDHUI()
    hier = aujourdhui - timedelta(days=1)
    ligne = nouvelle_ligne("rattachements", 1, famille=famille_durand.pk, valable_du=aujourdhui.isoformat())
    refus = enregistrer(connecter("agent"), lea, **ligne)
    assert "Cet enfant est déjà rattaché à ce foyer pendant cette période." in unescape(refus.content.decode())
    assert lea.rattachements.count() == 1
    reponse = enregistrer(connecter("agent"), lea, **ligne, **{"rattachements-0-valable_au": hier.isoformat()})
    assert reponse.status_code == 302
    assert lea.rattachements.count() == 2


@pytest.mark.parametrize("prefixe", ["rattachements", "suspensions"])
def test_une_fin_avant_le_debut_se_dit_au_lieu_d_une_panne(prefixe, connecter, enfant, famille_martin):
    lea = enfant("Léa")
    rang = {"rattachements": 1, "suspensions": 0}[prefixe]
    cible = {"famille": famille_martin.pk, "adulte": Responsable.objects.get(utilisateur__prenom="Claire").pk}
    ligne = nouvelle_ligne(prefixe, rang, **cible, motif="x", valable_du="2026-11-10", valable_au="2026-11-09")
    reponse = enregistrer(connecter("agent"), lea, **ligne)
    assert "La fin vient avant le début." in reponse.content.decode()


def test_on_ne_suspend_qu_un_adulte_des_foyers_de_l_enfant(connecter, enfant):
    lea, aujourdhui = enfant("Léa"), AUJOURDHUI().isoformat()
    etranger = Responsable.objects.get(utilisateur__identifiant="martin")
    ligne = nouvelle_ligne("suspensions", 0, adulte=etranger.pk, motif="Jugement", valable_du=aujourdhui)
    assert enregistrer(connecter("agent"), lea, **ligne).status_code == 200
    assert not SuspensionAcces.objects.exists()
    julien = Responsable.objects.get(utilisateur__identifiant="durand2")
    ligne["suspensions-0-adulte"] = julien.pk
    assert enregistrer(connecter("agent"), lea, **ligne).status_code == 302
    assert connecter("durand2").get(f"/mes-enfants/{lea.uuid}/").status_code == 404
    assert connecter("durand").get(f"/mes-enfants/{lea.uuid}/").status_code == 200
    assert "accès suspendu" in lire(connecter("agent"), lea)


def test_une_personne_est_designee_par_un_des_foyers_de_l_enfant(connecter, enfant, famille_martin):
    lea = enfant("Léa")
    ligne = nouvelle_ligne(
        "personnes", 2, prenom="Ana", nom="Roux", lien="Voisine", telephone="0639984001", ordre="3", peut_chercher="on"
    )
    refus = enregistrer(connecter("agent"), lea, **ligne, **{"personnes-2-famille": famille_martin.pk})
    assert refus.status_code == 200
    sienne = {"personnes-2-famille": lea.rattachements.get().famille_id}
    assert enregistrer(connecter("agent"), lea, **ligne, **sienne).status_code == 302
    assert str(lea.personnes.last()) == "Ana Roux (Voisine)"


# --- History ---------------------------------------------------------------------------------------------


def test_l_historique_dit_qui_a_change_quoi_dans_tout_le_dossier(connecter, enfant):
    lea = enfant("Léa")
    pommiers = Classe.objects.get(nom="Grande section de M. Prat")
    enregistrer(
        connecter("agent"),
        lea,
        ecole=pommiers.ecole_id,
        classe=pommiers.pk,
        **{"informations-0-photo": "false", "personnes-0-DELETE": "on"},
    )
    page = connecter("agent").get(adresse(lea, "history"))
    lignes = {(c.par, c.quoi, c.champ, c.avant, c.apres) for c in page.context["changements"]}
    assert lignes >= {
        ("Nadia Petit", "Enfant", "École", "École élémentaire du Bourg", "École des Pommiers"),
        ("Nadia Petit", "Enfant", "Classe", "CE1-CE2 de M. Blanc", "Grande section de M. Prat"),
        ("Nadia Petit", "Informations", "Photos et vidéos", "oui", "non"),
        ("Nadia Petit", "Personne autorisée", "Ligne supprimée", "Odile Durand (Grand-mère)", "–"),
    }


def test_l_historique_est_pour_qui_tient_le_dossier(connecter, enfant):
    codes = {
        qui: connecter(qui).get(adresse(enfant("Léa"), "history")).status_code for qui in ("animateur", "comptable")
    }
    assert codes == {"animateur": 403, "comptable": 403}


# --- The list and its filters ----------------------------------------------------------------------------


@pytest.fixture
def trouves(connecter):
    agent = connecter("agent")

    def trouves(requete):
        reponse = agent.get(f"/admin/enfants/enfant/?{requete}")
        assert reponse.status_code == 200
        return [e.prenom for e in reponse.context["cl"].result_list]

    return trouves


def test_la_recherche_ignore_les_accents(trouves):
    assert (trouves("q=lea"), trouves("q=ines+benali")) == (["Léa"], ["Inès"])


def test_les_filtres_trient_les_enfants(trouves, enfant, famille_durand, comptes):
    bourg, adam = enfant("Léa").ecole, enfant("Adam")
    assert trouves(f"ecole__id__exact={bourg.pk}") == ["Inès", "Léa", "Zoé"]
    assert trouves(f"classe={enfant('Léa').classe_id}") == ["Léa"]
    assert trouves("niveau__exact=PS") == ["Adam"]
    assert (trouves("pai=oui"), trouves("pai=non")) == (["Adam"], ["Inès", "Léa", "Tom", "Zoé"])
    assert trouves("regime__exact=SANS_PORC") == ["Inès"]
    Enfant.objects.filter(pk=adam.pk).update(archive_le=AUJOURDHUI())
    assert trouves("") == ["Inès", "Léa", "Tom", "Zoé"]
    assert (trouves("presence=partis"), "Adam" in trouves("presence=tous")) == (["Adam"], True)
    Enfant.objects.filter(pk=adam.pk).update(archive_le=AUJOURDHUI() + timedelta(days=1))
    assert ("Adam" in trouves(""), trouves("presence=partis")) == (True, [])
    Enfant.objects.filter(pk=adam.pk).update(archive_le=AUJOURDHUI())
    annee = a_venir(AUJOURDHUI())
    demande = ConfirmationDossier.objects.create(enfant=enfant("Léa"), famille=famille_durand, annee=annee)
    assert trouves("confirme=oui") == []
    ConfirmationDossier.objects.filter(pk=demande.pk).update(
        confirmee_le=timezone.now(), confirmee_par=comptes["durand"]
    )
    assert (trouves("confirme=oui"), trouves("confirme=non")) == (["Léa"], ["Inès", "Tom", "Zoé"])


@pytest.mark.parametrize("classe", ["abc", "99999999999999999999", "0"])
def test_une_classe_inconnue_dans_l_adresse_ne_casse_rien(trouves, classe):
    assert isinstance(trouves(f"classe={classe}"), list)


def test_les_classes_d_une_grande_commune_se_montrent_par_ecole(connecter, enfant, famille_durand):
    ecole = Ecole.objects.create(nom="Grande école")
    for rang in range(25):
        classe = Classe.objects.create(ecole=ecole, nom=f"Classe {rang:02}")
        actions.ajouter_enfant(famille_durand, prenom=f"E{rang}", nom="Essai", ecole=ecole.pk, classe=classe)
    agent = connecter("agent")
    assert "Classe 03" not in agent.get("/admin/enfants/enfant/?q=lea").content.decode()
    assert "Classe 03" in agent.get(f"/admin/enfants/enfant/?q=lea&ecole__id__exact={ecole.pk}").content.decode()


PAPIERS = [
    # papers {nature: end}, a_pai, columns of Sante, columns of Informations -> missing?
    ({}, False, {}, {}, True),
    ({"ASSURANCE": None, "VACCINS": None}, False, {}, {}, False),
    ({"ASSURANCE": 0, "VACCINS": None}, False, {}, {}, False),
    ({"ASSURANCE": -1, "VACCINS": None}, False, {}, {}, True),
    ({"ASSURANCE": None, "VACCINS": None}, False, {}, {"assurance_fin": -1}, True),
    ({"ASSURANCE": 30, "VACCINS": None}, False, {}, {"assurance_fin": -1}, False),
    ({"ASSURANCE": None}, False, {}, {}, True),
    ({"ASSURANCE": None}, False, {"vaccins_etat": "CONTRE_INDICATION"}, {}, False),
    ({"ASSURANCE": None}, False, {"vaccins_etat": "CONTRE_INDICATION", "vaccins_jusqu_au": -1}, {}, True),
    ({"ASSURANCE": None, "VACCINS": None}, True, {}, {}, True),
    ({"ASSURANCE": None, "VACCINS": None, "PAI": None}, True, {}, {}, False),
    ({"ASSURANCE": None, "VACCINS": None, "PAI": -1}, True, {}, {}, True),
    ({"ASSURANCE": None, "VACCINS": None, "PAI": None}, True, {"pai_revision": -1}, {}, True),
    ({"ASSURANCE": None, "VACCINS": None, "PAI": None}, True, {"pai_revision": 0}, {}, False),
]


@pytest.mark.parametrize(("papiers", "a_pai", "sante", "informations", "manque"), PAPIERS)
def test_les_papiers_manquants(papiers, a_pai, sante, informations, manque, enfant, trouves, monkeypatch):
    tom, jour = enfant("Tom"), AUJOURDHUI()

    def dates(colonnes):
        return {nom: jour + timedelta(days=v) if isinstance(v, int) else v for nom, v in colonnes.items()}

    Enfant.objects.filter(pk=tom.pk).update(a_pai=a_pai)
    Sante.objects.create(enfant=tom, **dates(sante))
    Informations.objects.create(enfant=tom, **dates(informations))
    for nature, fin in dates(papiers).items():
        document(tom, nature, expire_le=fin, monkeypatch=monkeypatch)
    assert ("Tom" in trouves("papiers=oui"), "Tom" in trouves("papiers=non")) == (manque, not manque)


def test_un_papier_remplace_ne_compte_plus(enfant, trouves, monkeypatch):
    tom = enfant("Tom")
    for nature in ("ASSURANCE", "VACCINS"):
        document(tom, nature, monkeypatch=monkeypatch)
    assert "Tom" not in trouves("papiers=oui")
    DocumentEnfant.objects.filter(nature="VACCINS").update(remplace_le=timezone.now())
    assert "Tom" in trouves("papiers=oui")


# --- Emergency sheets ------------------------------------------------------------------------------------


def test_la_fiche_d_urgence_s_imprime_seule_ou_par_classe(connecter, enfant, monkeypatch):
    sans_encre(monkeypatch)
    agent, lea = connecter("agent"), enfant("Léa")
    reponse = agent.get(adresse(lea, "fiche-urgence"))
    assert (reponse["Content-Type"], reponse["Content-Disposition"]) == (
        "application/pdf",
        'inline; filename="fiche-urgence-lea-durand.pdf"',
    )
    choisis = Enfant.objects.filter(ecole=lea.ecole).values_list("pk", flat=True)
    donnees = {"action": "fiches_urgence", "_selected_action": list(choisis)}
    assert agent.post("/admin/enfants/enfant/", donnees)["Content-Type"] == "application/pdf"
    assert sorted(consultations()) == [
        ("Inès", "agent", "Fiche d'urgence"),
        ("Léa", "agent", "Fiche d'urgence"),
        ("Léa", "agent", "Fiche d'urgence"),
        ("Zoé", "agent", "Fiche d'urgence"),
    ]


def test_une_fiche_impossible_dit_pourquoi(connecter, enfant, monkeypatch):
    sans_encre(monkeypatch)
    from enfants import fiches

    def refuser(enfants, *, par):
        raise erreur

    monkeypatch.setattr(fiches, "imprimer_urgences", refuser)
    agent, lea = connecter("agent"), enfant("Léa")
    for erreur in (fiches.TropDeFiches("61 fiches, c'est trop."), PdfIndisponible("Les PDF sont désactivés.")):
        reponse = agent.get(adresse(lea, "fiche-urgence"), follow=True)
        assert str(erreur) in unescape(reponse.content.decode())


# --- Two agents ------------------------------------------------------------------------------------------


def test_un_enregistrement_verrouille_les_foyers_puis_l_enfant(connecter, enfant):
    agent, lea = connecter("agent"), enfant("Léa")
    donnees = saisie(agent.get(adresse(lea)))
    with CaptureQueriesContext(connection) as requetes:
        agent.post(adresse(lea), donnees)
    verrous = [
        r["sql"].split('FROM "')[1].split('"')[0]
        for r in requetes
        if "FOR " in r["sql"] and "UPDATE" in r["sql"] and r["sql"].startswith("SELECT")
    ]
    assert verrous[:2] == ["familles_famille", "enfants_enfant"]
