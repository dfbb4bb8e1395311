"""Two people click at once: one effect, one message, and a sentence for the other (qualite.md E1, E3)."""

import threading
from collections import Counter

import pytest
from django.db import connection
from django.utils import timezone

from demandes import actions
from demandes.models import Demande
from demandes.types import TYPES
from enfants import actions as enfants
from enfants.models import Enfant, Sante
from familles.models import Famille, Responsable, Utilisateur
from messagerie.models import Courriel, Fil, Message

pytestmark = pytest.mark.django_db(transaction=True)

ANCIEN, NOUVEAU = "06 39 98 10 01", "06 39 98 10 99"


class Course:
    """Two threads, each with its own connection, let loose on the same demande again and again."""

    def __init__(self, *gestes):
        self.gestes, self.resultats = gestes, [None] * len(gestes)
        self.depart, self.arrivee = (threading.Barrier(len(gestes) + 1, timeout=60) for _ in range(2))

    def _courir(self, rang, tours):
        try:
            for _ in range(tours):
                try:
                    self.depart.wait()
                except threading.BrokenBarrierError:
                    return
                try:
                    self.gestes[rang]()
                    self.resultats[rang] = "gagne"
                except actions.DecisionImpossible as erreur:
                    self.resultats[rang] = str(erreur)
                except Exception as erreur:  # told to the test, which fails on it
                    self.resultats[rang] = erreur
                self.arrivee.wait()
        finally:
            connection.close()

    def tours(self, nombre, preparer):
        """Yield the results of each of ``nombre`` races, ``preparer()`` run before each."""
        fils = [threading.Thread(target=self._courir, args=(rang, nombre)) for rang in range(len(self.gestes))]
        for fil in fils:
            fil.start()
        try:
            for _ in range(nombre):
                preparer()
                self.depart.wait()
                self.arrivee.wait()
                yield list(self.resultats)
        finally:
            self.depart.abort()  # lets the threads go when a check failed in mid-course
            for fil in fils:
                fil.join()


@pytest.fixture
def demande(deposer):
    return deposer("durand", "responsable", telephone_mobile=NOUVEAU)


@pytest.fixture
def remettre_en_attente(demande):
    """Put the demande and the file back as they were before the race."""

    def remettre():
        Demande.objects.filter(pk=demande.pk).update(
            etat="EN_ATTENTE", traitee_le=None, traitee_par=None, motif="", version=1, valeurs_demandees=demandees
        )
        Responsable.objects.filter(utilisateur__identifiant="durand").update(telephone_mobile=ANCIEN)
        Fil.objects.all().delete()
        Courriel.objects.all().delete()

    demandees = demande.valeurs_demandees
    return remettre


def bilan():
    """State of the demande, phone on file, messages and mails written."""
    demande = Demande.objects.filter(type="responsable").latest("pk")
    telephone = Responsable.objects.get(utilisateur__identifiant="durand").telephone_mobile
    return demande.etat, telephone, Message.objects.count(), Courriel.objects.count()


def decideurs(demande):
    agent, admin = (Utilisateur.objects.get(identifiant=nom) for nom in ("agent", "admin"))
    return (
        lambda: actions.accepter(demande.pk, par=agent, version=1),
        lambda: actions.refuser(demande.pk, par=admin, motif="Illisible", version=1),
    )


def test_deux_agents_decident_mille_fois_un_seul_gagne(demande, remettre_en_attente):
    gagnants = Counter()
    for accord, refus in Course(*decideurs(demande)).tours(1000, remettre_en_attente):
        if accord == "gagne":
            assert bilan() == ("ACCEPTEE", NOUVEAU, 1, 2)
            assert "déjà traitée : acceptée par Nadia Petit" in refus
        else:
            assert bilan() == ("REFUSEE", ANCIEN, 1, 2)
            assert "déjà traitée : refusée par Isabelle Fabre" in accord
            assert refus == "gagne"
        gagnants["accord" if accord == "gagne" else "refus"] += 1
    assert sum(gagnants.values()) == 1000


def test_sans_le_verrou_les_deux_agents_gagnent(demande, remettre_en_attente, monkeypatch):
    """The control of the race above: it must be able to fail."""
    ensemble = threading.Barrier(2, timeout=60)

    def lire_sans_verrou(demande_id):
        lue = Demande.objects.get(pk=demande_id)
        ensemble.wait()
        return lue

    monkeypatch.setattr(actions, "verrouiller", lire_sans_verrou)
    for resultats in Course(*decideurs(demande)).tours(10, remettre_en_attente):
        assert resultats == ["gagne", "gagne"]
        assert Message.objects.count() == 2


def test_accepter_contre_retirer(demande, remettre_en_attente):
    agent, claire = (Utilisateur.objects.get(identifiant=nom) for nom in ("agent", "durand"))
    gestes = (
        lambda: actions.accepter(demande.pk, par=agent, version=1),
        lambda: actions.retirer(demande, par=claire),
    )
    for accord, retrait in Course(*gestes).tours(250, remettre_en_attente):
        if accord == "gagne":
            assert bilan() == ("ACCEPTEE", NOUVEAU, 1, 2)
            assert "déjà traitée : acceptée par Nadia Petit" in retrait
        else:
            assert bilan() == ("RETIREE", ANCIEN, 0, 0)
            assert "déjà traitée : retirée par Claire Durand" in accord
            assert retrait == "gagne"


def test_accepter_contre_modifier(demande, remettre_en_attente):
    """The agent decides on what was read: an edit that came first stops the decision."""
    agent, claire = (Utilisateur.objects.get(identifiant=nom) for nom in ("agent", "durand"))
    genre = TYPES["responsable"]

    def modifier():
        famille = Famille.objects.get(pk=demande.famille_id)
        form = actions.formulaire(
            genre, famille, demandeur=claire, data={**genre.actuelles(famille), "telephone_mobile": "06 39 98 10 88"}
        )
        assert form.is_valid()
        actions.deposer(genre, famille, form, par=claire)

    def preparer():
        Demande.objects.filter(famille=demande.famille_id, type="responsable").exclude(pk=demande.pk).delete()
        remettre_en_attente()

    gestes = (lambda: actions.accepter(demande.pk, par=agent, version=1), modifier)
    for accord, modification in Course(*gestes).tours(250, preparer):
        assert modification == "gagne"
        demande.refresh_from_db()
        telephone = Responsable.objects.get(utilisateur__identifiant="durand").telephone_mobile
        if accord == "gagne":
            # The edit came after: it is a new demande, on the new file.
            assert (demande.etat, telephone) == ("ACCEPTEE", NOUVEAU)
            assert Demande.objects.en_attente().filter(famille=demande.famille_id, type="responsable").count() == 1
        else:
            assert "a modifié sa demande" in accord
            assert (demande.etat, demande.version, telephone) == ("EN_ATTENTE", 2, ANCIEN)


def test_deux_clics_font_une_seule_demande(distribution):
    compte = Utilisateur.objects.get(identifiant="martin")
    genre = TYPES["responsable"]

    def demander():
        famille = Famille.objects.get(responsables__utilisateur=compte)
        form = actions.formulaire(
            genre, famille, demandeur=compte, data={**genre.actuelles(famille), "ville": "Bourges"}
        )
        assert form.is_valid()
        actions.deposer(genre, famille, form, par=compte)

    def preparer():
        Demande.objects.filter(deposee_par=compte).delete()
        Courriel.objects.all().delete()

    for resultats in Course(demander, demander).tours(50, preparer):
        assert resultats == ["gagne", "gagne"]
        assert Demande.objects.filter(deposee_par=compte).count() == 1
        assert Courriel.objects.count() == 1  # the service is told once
    assert Demande.objects.get(deposee_par=compte).deposee_le < timezone.now()


# --- A child's file --------------------------------------------------------------------------------------


@pytest.fixture
def demandes_de_sante(deposer):
    """``demandes_de_sante("Inès", benali="Sirop", rossi="Collyre")``: a demande of each household on one child."""

    def demandes_de_sante(prenom, **traitements):
        enfant = Enfant.objects.get(prenom=prenom)
        enfants.modifier_sante(enfant, {"medecin_nom": "Dr Roy"})
        return [deposer(qui, "sante", enfant=enfant, traitements=texte) for qui, texte in traitements.items()]

    return demandes_de_sante


def reouvrir(demandes):
    """Put the demandes, and the treatments of the child, back as they were before the race."""

    def reouvrir():
        vierges = {"etat": "EN_ATTENTE", "traitee_le": None, "traitee_par": None, "motif": "", "version": 1}
        Demande.objects.filter(pk__in=[demande.pk for demande in demandes]).update(**vierges)
        for fiche in Sante.objects.filter(enfant=demandes[0].enfant_id):
            fiche.traitements = ""
            fiche.save(update_fields=["traitements"])
        Fil.objects.all().delete()
        Courriel.objects.all().delete()

    return reouvrir


def accepteurs(*demandes):
    """An acceptance by each of two agents."""
    agents = [Utilisateur.objects.get(identifiant=nom) for nom in ("agent", "admin")]
    return [
        lambda pk=demande.pk, par=agent: actions.accepter(pk, par=par, version=1)
        for demande, agent in zip(demandes, agents, strict=True)
    ]


def test_deux_agents_acceptent_la_meme_demande_de_sante(demandes_de_sante):
    (demande,) = demandes_de_sante("Léa", durand="Sirop")
    for resultats in Course(*accepteurs(demande, demande)).tours(100, reouvrir([demande])):
        gagnant, perdant = sorted(resultats, key=lambda resultat: resultat != "gagne")
        assert (gagnant, "déjà traitée : acceptée par" in perdant) == ("gagne", True)
        assert (Sante.objects.get(enfant=demande.enfant).traitements, Message.objects.count()) == ("Sirop", 1)
        assert Courriel.objects.count() == 2  # one for each adult


def test_deux_foyers_changent_le_dossier_d_un_enfant_un_seul_passe(demandes_de_sante):
    demandes = demandes_de_sante("Inès", benali="Sirop", rossi="Collyre")
    gagnants = Counter()
    for resultats in Course(*accepteurs(*demandes)).tours(200, reouvrir(demandes)):
        premier = resultats.index("gagne")
        assert "Le dossier a changé depuis le dépôt (Traitements en cours)" in str(resultats[1 - premier])
        assert Sante.objects.get(enfant=demandes[0].enfant).traitements == ("Sirop", "Collyre")[premier]
        etats = [Demande.objects.get(pk=demande.pk).etat for demande in demandes]
        assert etats[premier] == "ACCEPTEE"
        assert etats[1 - premier] == "EN_ATTENTE"
        assert Message.objects.count() == 2  # the answer, and the word to the other household
        gagnants[premier] += 1
    assert sum(gagnants.values()) == 200


def test_sans_le_verrou_de_l_enfant_les_deux_foyers_passent(demandes_de_sante, monkeypatch):
    """The control of the race above."""
    demandes = demandes_de_sante("Inès", benali="Sirop", rossi="Collyre")
    ensemble = threading.Barrier(2, timeout=60)

    def lire_sans_verrou(enfant_id):
        return Enfant.objects.get(pk=enfant_id)

    def reunis(*args, **options):
        form = revalider(*args, **options)
        ensemble.wait()
        return form

    revalider = actions._revalider
    monkeypatch.setattr(actions, "_revalider", reunis)
    monkeypatch.setattr(enfants, "verrouiller", lire_sans_verrou)
    for resultats in Course(*accepteurs(*demandes)).tours(10, reouvrir(demandes)):
        assert resultats == ["gagne", "gagne"]


LOU = {"prenom": "Lou", "nom": "Martin", "date_naissance": "2023-05-14", "regime": "STANDARD"}


def test_deux_foyers_ajoutent_le_meme_enfant_un_seul_dossier_s_ouvre(deposer):
    demandes = [deposer(qui, "ajout-enfant", **LOU) for qui in ("benali", "rossi")]

    def preparer():
        Demande.objects.filter(enfant__prenom="Lou").update(enfant=None)
        Enfant.objects.filter(prenom="Lou").delete()
        remettre()

    remettre = reouvrir(demandes)
    for resultats in Course(*accepteurs(*demandes)).tours(50, preparer):
        premier = resultats.index("gagne")
        assert "est déjà connu : ouvrez la demande pour dire lequel" in resultats[1 - premier]
        lou = Enfant.objects.get(prenom="Lou")
        assert lou.rattachements.get().famille == demandes[premier].famille


def ajouteurs():
    """The second click of a hurried parent, on « Ajouter un enfant »."""
    compte, genre = Utilisateur.objects.get(identifiant="martin"), TYPES["ajout-enfant"]

    def ajouter():
        famille = Famille.objects.get(responsables__utilisateur=compte)
        form = actions.formulaire(genre, famille, demandeur=compte, data=LOU)
        assert form.is_valid()
        actions.deposer(genre, famille, form, par=compte)

    return ajouter, ajouter


def effacer_les_ajouts():
    Demande.objects.filter(type="ajout-enfant").delete()
    Courriel.objects.all().delete()


def test_deux_clics_n_ajoutent_qu_un_enfant(distribution):
    for resultats in Course(*ajouteurs()).tours(100, effacer_les_ajouts):
        assert resultats == ["gagne", "gagne"]
        assert (Demande.objects.filter(type="ajout-enfant").count(), Courriel.objects.count()) == (1, 1)


def test_sans_le_verrou_du_foyer_deux_clics_en_ajoutent_deux(distribution, monkeypatch):
    """The control of the race above."""
    ensemble = threading.Barrier(2, timeout=60)

    def chercher_ensemble(*args):
        trouvee = chercher(*args)
        ensemble.wait()
        return trouvee

    chercher = actions._a_modifier
    monkeypatch.setattr(actions.familles, "verrouiller", lambda famille_id: Famille.objects.get(pk=famille_id))
    monkeypatch.setattr(actions, "_a_modifier", chercher_ensemble)
    for resultats in Course(*ajouteurs()).tours(10, effacer_les_ajouts):
        assert resultats == ["gagne", "gagne"]
        assert Demande.objects.filter(type="ajout-enfant").count() == 2
