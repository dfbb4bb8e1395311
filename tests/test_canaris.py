"""Canaries (qualite.md A2): words that exist nowhere else, put in each family's file, then looked for everywhere else.

``CANARIS_FAMILLES`` sets the number of families: 3 here, 30 in ``script/epreuves``.
"""

from pathlib import Path

import pytest
from django.apps import apps
from django.core import mail
from django.core.files.storage import default_storage
from django.db import connection

from demandes.models import PieceJointe
from enfants.models import ConsultationSante, DocumentEnfant, Enfant, Nature, Sante, SuspensionAcces
from facturation.documents import balayer_pdf
from facturation.models import PdfFacture
from familles import acces
from familles import actions as familles
from familles.models import CoordonneesBancaires, Utilisateur
from messagerie.models import Courriel, PieceMessage
from messagerie.taches import envoyer_courriels
from portail.outils import fichiers
from tests.canaris import NOMBRE, eclore
from tests.papiers import sans_encre
from tests.parcours import lire, parcourir, plier, vus
from tests.partage import copier_les_fichiers, partager

pytestmark = pytest.mark.django_db

# Which classes of data each member of staff may meet; a class not named here must never show.
DU_FOYER = {"adresse", "banque", "caf", "courriel", "demande", "fiscal", "message", "metier", "motif", "nom"}
DU_FOYER |= {"papier", "piece", "sujet", "telephone"}  # what a joined paper holds, what it is called
DES_ENFANTS = {"assurance", "demande-enfant", "enfant", "entourage", "garde", "naissance", "papier-enfant"}
DES_ENFANTS |= {"papier-sante", "piece-enfant", "sante"}
DU_PLANNING = {"absence", "papier-absence", "piece-absence"}
DU_COMPTE = {"facture", "reglement"}  # what a line, a cheque, a counter-entry says
TOUTES = DU_FOYER | DES_ENFANTS | DU_PLANNING | DU_COMPTE
PERMISES = {
    "agent": TOUTES | {"correction", "brouillon"},
    # Who came is counted: the children's names, why a mark was changed; not why they were away. Of the messages, those
    # of its service and of none.
    "comptable": DU_FOYER | DU_COMPTE | {"aide", "brouillon", "correction", "enfant"},
    # Of the children of his school alone; the adults to call are on the emergency sheet.
    "animateur": {"assurance", "enfant", "entourage", "naissance", "nom", "papier-sante", "piece-enfant", "sante"}
    | {"correction", "telephone"},
    "tresorerie": {"nom", "adresse"},
}


@pytest.fixture(scope="module")
def nichee(django_db_setup, django_db_blocker, tmp_path_factory):
    """The canaries, hatched once, and the directory of their papers."""
    dossier = tmp_path_factory.mktemp("canaris")
    with partager(eclore, django_db_blocker, dossier) as canaris:
        yield canaris, dossier


@pytest.fixture
def canaris(nichee, db, tmp_path):
    copier_les_fichiers(nichee[1], tmp_path)
    return nichee[0]


def test_aucun_parent_ne_lit_rien_d_une_autre_famille_ni_les_journaux(canaris, connecter, caplog):
    caplog.set_level("DEBUG")
    # The second adult of the first household: a message is for the first alone.
    for login in ["serin0b", *(f"serin{n}a" for n in range(NOMBRE))]:
        pages, refus = parcourir(connecter(login), "/")
        trouves = vus(pages, canaris)
        assert {c: page for c, page in trouves.items() if login not in c.proprietaires} == {}
        # Blind, the crawl would prove nothing: it must meet the parent's own.
        assert {c.classe for c in trouves} == TOUTES, f"{login} n'a pas tout vu"
        assert {c for c in canaris if c.classe in DES_ENFANTS and login in c.proprietaires} <= set(trouves)
        assert refus == {}, "un lien mène à une porte fermée"
    assert not ConsultationSante.objects.exists(), "une famille qui lit son dossier n'est pas notée"
    journaux = plier(caplog.text)
    assert [c for c in canaris if c.est_dans(journaux)] == [], "les journaux disent ce que les pages montrent"


def test_un_papier_de_l_enfant_n_est_qu_au_foyer_qui_l_a_donne(canaris, connecter):
    """By its address, which the pages of the others do not give."""
    natures, papiers = set(), {c for c in canaris if c.classe.startswith(("papier-", "garde"))}
    for login in ["serin0b", *(f"serin{n}a" for n in range(NOMBRE))]:
        navigateur = connecter(login)
        for document in DocumentEnfant.objects.all():
            reponse = navigateur.get(document.url)
            texte = plier(lire(reponse)) if reponse.status_code == 200 else ""
            (mot,) = [c for c in papiers if c.est_dans(plier(fichiers.lire(document).decode("latin-1")))]
            attendu = 200 if login in mot.proprietaires else 404
            assert (reponse.status_code, mot.est_dans(texte)) == (attendu, attendu == 200)
            natures |= {document.nature} if attendu == 200 else set()
    assert natures == {*Nature.values}
    # The cast of this test: a child of two households, one that a second parent may not see any more.
    assert {c.classe for c in canaris if {"serin0a", "serin1b"} <= c.proprietaires} >= {"sante", "assurance", "enfant"}
    assert "garde" in {c.classe for c in canaris if not c.proprietaires}


def test_un_animateur_n_ouvre_que_les_papiers_de_sante_des_enfants_de_son_ecole(canaris, connecter):
    navigateur, vues = connecter("animateur"), {}
    for document in DocumentEnfant.objects.select_related("enfant__ecole"):
        ici = document.enfant.ecole.affectations.filter(animateur__identifiant="animateur").exists()
        vues.setdefault((ici, document.est_de_sante), set()).add(navigateur.get(document.url).status_code)
    assert vues == {(True, True): {200}, (True, False): {404}, (False, True): {404}, (False, False): {404}}
    # Neither the accounts nor the trésorerie open any, nor what is joined to a demande about a child.
    papiers = [*DocumentEnfant.objects.all(), *PieceJointe.objects.filter(demande__enfant__isnull=False)]
    for agent in ("comptable", "tresorerie"):
        assert {connecter(agent).get(papier.url).status_code for papier in papiers} == {404}


@pytest.mark.parametrize("agents", [["agent", "comptable", "tresorerie"], ["animateur"]], ids=str)
def test_un_agent_ne_lit_que_ce_que_son_role_permet(agents, canaris, connecter, monkeypatch):
    if "comptable" in agents:  # the papers of billing are many; which ones an agent opens, the matrix says
        sans_encre(monkeypatch)
    for agent in agents:
        trouves = vus(parcourir(connecter(agent), "/admin/")[0], canaris)
        interdits = {c: page for c, page in trouves.items() if c.classe not in PERMISES[agent]}
        assert interdits == {}, agent
        if agent == "animateur":
            assert {c: page for c, page in trouves.items() if not c.ici} == {}
        assert {c.classe for c in trouves} == PERMISES[agent], f"{agent} n'a pas tout vu"


def test_l_agent_lit_pourquoi_un_acces_est_suspendu(canaris, connecter):
    suspension = SuspensionAcces.objects.get()
    page = connecter("agent").get(f"/admin/enfants/enfant/{suspension.enfant_id}/change/").content.decode()
    assert suspension.motif in page


def test_l_agent_lit_le_texte_des_messages_d_un_fil(famille_durand, connecter):
    fil = famille_durand.fils.get(sujet="Bienvenue sur le Portail Famille")
    page = connecter("agent").get(f"/admin/messagerie/fil/{fil.pk}/change/")
    assert "Votre dossier est ouvert." in page.content.decode()


def test_l_agent_lit_a_quels_foyers_un_enfant_est_rattache(connecter):
    ines = Enfant.objects.get(prenom="Inès")
    page = connecter("agent").get(f"/admin/enfants/enfant/{ines.pk}/change/").content.decode()
    assert ("Famille Benali" in page, "Famille Rossi" in page) == (True, True)


def test_ni_les_courriels_ni_les_journaux_ne_disent_rien_de_personnel(canaris, connecter, caplog):
    caplog.set_level("DEBUG")
    acces.traiter_oublis()
    assert envoyer_courriels() == Courriel.objects.count() > 10 * NOMBRE
    connecter("serin0a").post("/mon-compte/bancaires/", {"titulaire": canaris[0].formes[0], "iban": "x"})
    enfant = Enfant.objects.visibles_par(Utilisateur.objects.get(identifiant="serin0a")).first()
    sans_date = {"a_pai": "on", "allergies": canaris[1].formes[0]}
    assert connecter("serin0a").post(f"/mes-enfants/{enfant.uuid}/sante/", sans_date).status_code == 422
    for liste in ("familles/famille", "enfants/enfant", "demandes/demande"):
        connecter("agent").get(f"/admin/{liste}/", {"q": canaris[0].formes[0]})
    lettres = plier(" ".join(f"{m.subject} {m.body} {getattr(m, 'alternatives', '')}" for m in mail.outbox))
    assert [c for c in canaris if c.est_dans(lettres)] == []
    journaux = plier(caplog.text)
    assert [c for c in canaris if c.est_dans(journaux)] == []
    assert "/connexion/" in lettres or "/messagerie/" in lettres


def lire_toute_la_base() -> dict[str, str]:
    """``table.column`` -> all its values, folded, as whoever holds a copy of the database reads them."""
    with connection.cursor() as curseur:
        curseur.execute(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2"
        )
        colonnes, textes = curseur.fetchall(), {}
        for table, colonne in colonnes:
            curseur.execute(f'SELECT string_agg("{colonne}"::text, \' | \') FROM "{table}"')  # noqa: S608
            textes[f"{table}.{colonne}"] = plier(curseur.fetchone()[0] or "")
    return textes


def test_une_copie_de_la_base_ne_dit_ni_iban_ni_numero_fiscal_ni_sante_ni_demande_ni_courriel(canaris):
    base = lire_toute_la_base()
    historique = ("coordonneesbancairesevent.iban", "santeevent.traitements", "informationsevent.autre_appareil")
    lues = {nom.partition("_")[2]: texte for nom, texte in base.items()}
    assert all(lues[colonne] for colonne in (*historique, "suspensionaccesevent.motif")), "l'historique en fait partie"
    trouves = {c: colonne for c in canaris for colonne, texte in base.items() if c.est_dans(texte)}
    assert {c: colonne for c, colonne in trouves.items() if c.secret} == {}
    corps = {plier(corps) for corps in Courriel.objects.values_list("corps", flat=True).order_by("pk")}
    assert [colonne for colonne, texte in base.items() if any(c in texte for c in corps)] == []
    # What is not secret is found, so the reading reads; what is secret is there, for who has the key.
    assert {c for c in canaris if not c.secret} <= set(trouves)
    ibans = {plier(i) for i in CoordonneesBancaires.objects.values_list("iban", flat=True).order_by("pk")}
    secrets = {forme for c in canaris if c.secret for forme in c.formes}
    assert len(ibans & secrets) == NOMBRE
    fiches = list(Sante.objects.filter(enfant__prenom__startswith="Zq"))
    for nom in ("medecin_nom", "medecin_telephone", "allergies", "pai_consignes", "traitements", "recommandations"):
        assert {plier(getattr(fiche, nom)) for fiche in fiches} <= secrets
    assert {plier(s.motif) for s in SuspensionAcces.objects.all()} <= secrets
    assert len(fiches) == NOMBRE + 2


def test_une_copie_des_fichiers_ne_dit_rien(canaris):
    balayer_pdf()
    gardes = [fichier for fichier in Path(default_storage.location).rglob("*") if fichier.is_file()]
    textes = [plier(f"{fichier} {fichier.read_bytes().decode('latin-1')}") for fichier in gardes]
    assert [c for c in canaris for texte in textes if c.est_dans(texte)] == []
    # Deciphered, each paper says its word.
    pieces = [*DocumentEnfant.objects.all(), *PieceJointe.objects.all(), *PieceMessage.objects.all()]
    pieces += PdfFacture.objects.all()
    lus = [plier(fichiers.lire(piece).decode("latin-1")) for piece in pieces]
    papiers = {c for c in canaris if c.classe.startswith("papier") or (c.classe == "garde" and c.proprietaires)}
    assert {c for c in papiers for texte in lus if c.est_dans(texte)} == papiers
    assert {Path(piece.fichier.path) for piece in pieces} == set(gardes)


def test_l_historique_garde_la_valeur_d_avant(famille_durand):
    familles.modifier_adresse(famille_durand, {"ville": "Bourges"})
    evenements = apps.get_model("familles", "FamilleEvent").objects.filter(pgh_obj=famille_durand).order_by("pk")
    assert "Saint-Martin-d'Auxigny" in [evenement.ville for evenement in evenements]
