"""Mes enfants: the cards, a child's file, its custody, its papers and their reminder."""

import re
from datetime import date, timedelta
from html import unescape

import pytest
from django.utils import timezone

from enfants.actions import classer_document
from enfants.models import Affectation, ConsultationSante, DocumentEnfant, Enfant, ExceptionGarde, SuspensionAcces
from messagerie.models import Fil
from portail.echeances import rappeler_documents
from portail.outils import fichiers
from portail.outils.dates import jour

pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.4 essai"


@pytest.fixture
def enfant(distribution):
    return lambda prenom: Enfant.objects.get(prenom=prenom)


def texte(reponse):
    return unescape(reponse.content.decode())


def ranger(enfant, famille, nature="VACCINS", *, expire_le=None, nom="papier.pdf"):
    piece = fichiers.ranger(nom, "application/pdf", PDF)
    classer_document(enfant, famille, nature, [piece], expire_le=expire_le)
    return DocumentEnfant.objects.actuels().get(enfant=enfant, famille=famille, nature=nature)


# --- The cards -------------------------------------------------------------------------------------------


def test_chaque_fiche_du_dossier_porte_son_titre(connecter, enfant):
    page = texte(connecter("durand").get(f"/mes-enfants/{enfant('Léa').uuid}/dossier/"))
    titres = [" ".join(re.sub("<[^>]*>", "", titre).split()) for titre in re.findall(r"<h2.*?</h2>", page, re.DOTALL)]
    assert titres == [
        "État civil",
        "Personnes autorisées",
        "Informations",
        "Données sanitaires",
        "Inscriptions",
        "Documents",
        "Vos demandes",
    ]


def test_une_carte_dit_l_age_la_classe_et_ce_qui_manque(connecter):
    cartes = connecter("durand").get("/mes-enfants/").context["enfants"]
    assert [(carte.prenom, carte.detail, carte.ecole) for carte in cartes] == [
        ("Léa", "8\u00a0ans", "CE1-CE2 de M. Blanc, École élémentaire du Bourg"),
        ("Tom", "5\u00a0ans", "Grande section de M. Prat, École des Pommiers"),
    ]
    assert [phrase for phrase, _, _ in cartes[0].manques] == [
        "Copie des pages de vaccination manquante",
        "Attestation d'assurance manquante",
    ]


def test_ce_qui_manque_mene_a_la_demande_qui_le_donne(connecter, enfant):
    navigateur = connecter("durand")
    (lea, tom) = navigateur.get("/mes-enfants/").context["enfants"]
    for _phrase, lien, _urgent in [*lea.manques, *tom.manques]:
        assert navigateur.get(lien).status_code == 200


def test_un_papier_donne_ne_manque_plus(connecter, enfant, familles_de):
    lea = enfant("Léa")
    for nature in ("VACCINS", "ASSURANCE"):
        ranger(lea, familles_de("durand"), nature)
    assert "Dossier complet" in texte(connecter("durand").get(f"/mes-enfants/{lea.uuid}/dossier/"))


def test_l_accueil_donne_la_fiche_d_inscription_a_cote_de_chaque_nom(connecter, enfant):
    page = texte(connecter("durand").get("/"))
    for prenom in ("Léa", "Tom"):
        assert f"/mes-enfants/{enfant(prenom).uuid}/fiche-inscription.pdf" in page


# --- The child's file ------------------------------------------------------------------------------------


def test_la_page_de_l_enfant_dit_tout_son_dossier(connecter, enfant):
    page = texte(connecter("durand").get(f"/mes-enfants/{enfant('Léa').uuid}/dossier/"))
    attendus = [
        jour(enfant("Léa").date_naissance, semaine=False),
        "Grand-mère, 06 39 98 10 11, peut venir chercher, à appeler en urgence, appel n°\u00a01, carte d'identité",
        "Assurances du Berry",
        "Dr Hélène Garnier",
        "11 dates notées",
    ]
    assert [attendu for attendu in attendus if attendu not in page] == []


def test_les_pages_des_parents_ne_notent_aucune_consultation(connecter, enfant):
    lea, navigateur = enfant("Léa").uuid, connecter("durand")
    for suite in ("", "sante/", "informations/", "consultations/"):
        navigateur.get(f"/mes-enfants/{lea}/{suite}")
    assert not ConsultationSante.objects.exists()


def test_le_papier_de_l_autre_foyer_se_sait_mais_ne_s_ouvre_pas(connecter, enfant, familles_de):
    ines = enfant("Inès")
    document = ranger(ines, familles_de("benali"), "PAI", expire_le=date(2030, 1, 31), nom="chez-karim.pdf")
    page = texte(connecter("rossi").get(f"/mes-enfants/{ines.uuid}/dossier/"))
    assert "donné par l'autre foyer, valable jusqu'au 31 janvier 2030" in page
    assert ("chez-karim" in page, str(document.uuid) in page) == (False, False)
    statuts = {login: connecter(login).get(document.url).status_code for login in ("rossi", "benali", "durand")}
    assert statuts == {"rossi": 404, "benali": 200, "durand": 404}


def test_une_suspension_ferme_aussi_les_papiers(connecter, enfant, familles_de, comptes):
    lea = enfant("Léa")
    document = ranger(lea, familles_de("durand"))
    SuspensionAcces.objects.create(enfant=lea, adulte=comptes["durand2"].responsable, motif="…")
    assert connecter("durand2").get(document.url).status_code == 404
    assert connecter("durand").get(document.url).status_code == 200


def test_un_animateur_n_ouvre_que_la_sante_des_enfants_de_son_ecole(connecter, enfant, familles_de, comptes):
    ici, ailleurs = ranger(enfant("Léa"), familles_de("durand"), "PAI"), ranger(enfant("Tom"), familles_de("durand"))
    jugement = ranger(enfant("Léa"), familles_de("durand"), "JUGEMENT")
    animateur = connecter("animateur")
    assert [animateur.get(d.url).status_code for d in (ici, ailleurs, jugement)] == [200, 404, 404]
    assert list(ConsultationSante.objects.values_list("enfant__prenom", "par__identifiant")) == [("Léa", "animateur")]
    Affectation.objects.filter(animateur=comptes["animateur"]).delete()
    assert animateur.get(ici.url).status_code == 404


# --- Custody ---------------------------------------------------------------------------------------------


def test_chaque_parent_verifie_les_jours_de_garde(connecter, enfant, familles_de):
    ines = enfant("Inès")
    ines.garde.premiere_semaine = date(2026, 8, 31)
    ines.garde.save()
    ExceptionGarde.objects.create(
        garde=ines.garde, foyer=familles_de("rossi"), valable_du=date(2026, 11, 10), valable_au=date(2026, 11, 10)
    )
    chez = {}
    for login in ("benali", "rossi"):
        reponse = connecter(login).get(f"/mes-enfants/{ines.uuid}/garde/?mois=2026-11")
        semaines = reponse.context["semaines"]
        chez[login] = [jour.chez for jour in semaines[2]]
        assert ("Benali" in texte(reponse), "Rossi" in texte(reponse)) == (login == "benali", login == "rossi")
    inverse = {"vous": "autre", "autre": "vous"}
    assert chez["benali"] == ["vous", "autre", "vous", "vous", "vous", "vous", "vous"]
    assert chez["rossi"] == [inverse[ou] for ou in chez["benali"]]


@pytest.mark.parametrize("mois", ["", "2026-13", "x", "0001-01", "9999-12", "2026-11-03"])
def test_un_mois_illisible_montre_celui_d_aujourd_hui(mois, connecter, enfant):
    reponse = connecter("rossi").get(f"/mes-enfants/{enfant('Inès').uuid}/garde/", {"mois": mois})
    aujourdhui = timezone.localdate()
    assert (reponse.status_code, str(aujourdhui.year) in reponse.context["titre_mois"]) == (200, True)


# --- Reminders -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("jours", "rappeles"), [(31, 0), (30, 1), (0, 1), (-1, 0)])
def test_un_papier_qui_expire_se_rappelle_trente_jours_avant_une_fois(jours, rappeles, enfant, familles_de):
    famille, maintenant = familles_de("durand"), timezone.now()
    ranger(enfant("Léa"), famille, "ASSURANCE", expire_le=timezone.localdate() + timedelta(days=jours))
    avant = Fil.objects.count()
    for _ in range(2):
        rappeler_documents(maintenant=maintenant)
    nouveaux = Fil.objects.order_by("-pk")[: Fil.objects.count() - avant]
    assert [(fil.famille, fil.sujet) for fil in nouveaux] == [
        (famille, "Attestation d'assurance de Léa\u00a0: bientôt à renouveler")
    ] * rappeles


def test_le_rappel_ne_va_qu_au_foyer_qui_a_donne_le_papier_et_mene_a_la_demande(enfant, familles_de, connecter):
    ines = enfant("Inès")
    ranger(ines, familles_de("benali"), "VACCINS", expire_le=timezone.localdate())
    rappeler_documents(maintenant=timezone.now())
    (fil,) = Fil.objects.filter(sujet__startswith="Pages de vaccination")
    assert fil.famille == familles_de("benali")
    lien = fil.messages.get().lien
    assert lien == f"/mes-enfants/{ines.uuid}/sante/"
    assert connecter("benali").get(lien).status_code == 200


def test_un_papier_remplace_ne_se_rappelle_plus(enfant, familles_de):
    lea, famille = enfant("Léa"), familles_de("durand")
    ranger(lea, famille, "ASSURANCE", expire_le=timezone.localdate())
    ranger(lea, famille, "ASSURANCE", expire_le=timezone.localdate() + timedelta(days=300))
    avant = Fil.objects.count()
    rappeler_documents(maintenant=timezone.now())
    assert Fil.objects.count() == avant


def test_une_date_d_assurance_changee_rearme_le_rappel(enfant, familles_de):
    from enfants.actions import modifier_informations

    lea, famille, fin = enfant("Léa"), familles_de("durand"), timezone.localdate() + timedelta(days=10)
    document = ranger(lea, famille, "ASSURANCE", expire_le=timezone.localdate())
    rappeler_documents(maintenant=timezone.now())
    modifier_informations(lea, {"assurance_fin": fin})
    document.refresh_from_db()
    assert (document.expire_le, document.rappele_le) == (fin, None)
