"""Parents, agents and the clock change the same days at once (qualite.md E2): one outcome, told to each of them."""

import os
import threading
from collections import Counter
from datetime import timedelta
from itertools import count

import pytest
from django.utils import timezone

from demandes import actions, planning
from demandes.models import Demande, JourDemande
from enfants import actions as enfants
from enfants import reservations
from enfants.attente import offrir_les_places
from enfants.fermetures import fermer
from enfants.models import (
    Attente,
    Enfant,
    Fermeture,
    MotifAbsence,
    Place,
    Presence,
    RegleDelai,
    Reservation,
    Service,
    Site,
)
from enfants.planning import enfants_de
from enfants.presences import Pointage, pointer
from enfants.reservations import Changement
from familles import actions as familles
from familles.models import Utilisateur
from messagerie.models import Fil
from tests.demandes.test_concurrence import Course
from tests.enfants.service_essai import CODE, demander, jour_ouvert, ouvrir

pytestmark = pytest.mark.django_db(transaction=True)

COURSES = 200 if os.environ.get("EPREUVES") else 60  # qualite.md E2
TARDIF = {"type": "jours_avant", "n": 300, "heure": "12:00", "compte": "calendaires"}


class Jours:
    """A new day for each race: nothing is to be put back."""

    def __init__(self, depuis=10):
        self.suivants, self.jour = count(depuis), None

    def suivant(self):
        autre = jour_ouvert(next(self.suivants))
        self.jour = autre if autre != self.jour else jour_ouvert(next(self.suivants))


def du_jour(*jours):
    return Reservation.objects.filter(service__code=CODE, jour__in=jours)


def actives(jour):
    return sorted(du_jour(jour).actives().values_list("enfant__prenom", flat=True))


def compte_de(identifiant):
    return Utilisateur.objects.get(identifiant=identifiant)


# --- The last place --------------------------------------------------------------------------------------


@pytest.fixture
def parents(distribution):
    """Eight families, a child each: (the parent, the child)."""
    couples = []
    for n in range(8):
        foyer = familles.ouvrir_famille(responsable={"prenom": "Ana", "nom": f"Course{n}"}, conjoint=None, adresse={})
        enfant = enfants.ajouter_enfant(foyer, prenom=f"Nino{n}", nom=f"Course{n}")
        couples.append((foyer.adultes()[0].utilisateur, enfant))
    return couples


def reservateurs(parents, jours):
    def reserver(compte, enfant):
        planning.changer(compte.adulte.famille, [Changement(enfant.pk, CODE, jours.jour, "RESERVER")], par=compte)

    return [lambda c=compte, e=enfant: reserver(c, e) for compte, enfant in parents]


def rangs(parents, jour):
    """What each parent who waits reads in its planning."""
    lus = []
    for compte, _ in parents:
        (enfant,) = enfants_de(compte)
        vu = planning.ouvrir(compte.adulte.famille, [enfant], jour, jour)
        lus.append(vu.cellule(enfant, vu.offre(CODE), jour).contexte.marques.rang)
    return sorted(lus)


def test_a_chaque_course_huit_parents_et_une_place(parents):
    ouvrir(capacite=1)
    jours, gagnants = Jours(), Counter()
    for tour, resultats in enumerate(Course(*reservateurs(parents, jours)).tours(COURSES, jours.suivant)):
        assert resultats == ["gagne"] * 8
        (gagnant,) = actives(jours.jour)
        en_liste = (
            Attente.objects.ouvertes()
            .filter(service__code=CODE, jour=jours.jour)
            .values_list("enfant__prenom", flat=True)
        )
        assert sorted([gagnant, *en_liste]) == [f"Nino{n}" for n in range(8)]
        if tour % 40 == 0:
            assert rangs(parents, jours.jour) == list(range(8))
        gagnants[gagnant] += 1
    assert gagnants.total() == COURSES


def test_sans_le_verrou_des_places_deux_parents_ont_la_derniere(parents, monkeypatch):
    """The control of the race above: it must be able to fail."""
    ouvrir(capacite=1)
    ensemble, jours, lire = threading.Barrier(2, timeout=60), Jours(), reservations._planning

    def sans_verrou(cles):
        Place.objects.bulk_create([Place(service_id=s, site_id=o, jour=j) for s, o, j in cles], ignore_conflicts=True)
        return {(p.service_id, p.site_id, p.jour): p for p in Place.objects.filter(jour=jours.jour)}

    def lire_ensemble(*args):
        lu = lire(*args)
        ensemble.wait()
        return lu

    def preparer():
        jours.suivant()
        site = Site.objects.get(nom="Site d'essai")
        Place.objects.get_or_create(service=Service.objects.get(code=CODE), site=site, jour=jours.jour)

    monkeypatch.setattr(reservations, "places_verrouillees", sans_verrou)
    monkeypatch.setattr(reservations, "_planning", lire_ensemble)
    for resultats in Course(*reservateurs(parents[:2], jours)).tours(5, preparer):
        assert resultats == ["gagne", "gagne"]
        assert actives(jours.jour) == ["Nino0", "Nino1"]


def test_deux_agents_accordent_la_derniere_place_a_un_seul(distribution):
    ouvrir(capacite=1, validation="AGENT")
    jours, demandes = Jours(), {}
    agents = [compte_de("agent"), compte_de("admin")]

    def preparer():
        jours.suivant()
        for rang, (identifiant, prenom) in enumerate((("durand", "Léa"), ("martin", "Zoé"))):
            (demandes[rang],) = demander(identifiant, prenom, jours.jour).demandes

    gestes = [lambda r=rang: actions.accepter(demandes[r].pk, par=agents[r]) for rang in range(2)]
    for resultats in Course(*gestes).tours(25, preparer):
        premier = resultats.index("gagne")
        assert "complet" in str(resultats[1 - premier])
        assert actives(jours.jour) == [("Léa", "Zoé")[premier]]
        etats = [Demande.objects.get(pk=demandes[rang].pk).etat for rang in range(2)]
        assert (etats[premier], etats[1 - premier]) == ("ACCEPTEE", "EN_ATTENTE")


# --- One household ---------------------------------------------------------------------------------------


def changeur(identifiant, jours, geste, prenoms, decalages=(0,)):
    """``changeur("durand", jours, "RESERVER", ["Léa"])``: the submit of this parent, in this order."""
    compte = compte_de(identifiant)
    cles = [Enfant.objects.get(prenom=prenom).pk for prenom in prenoms]

    def changer():
        dates = [jours.jour + timedelta(days=n) for n in decalages]
        changements = [Changement(cle, CODE, jour, geste) for cle in cles for jour in dates]
        return planning.changer(compte.adulte.famille, changements, par=compte)

    return changer


def test_un_double_clic_ne_reserve_et_ne_demande_qu_une_fois(distribution):
    ouvrir()
    jours = Jours()
    clic = changeur("durand", jours, "RESERVER", ["Léa", "Tom"])
    for resultats in Course(clic, clic).tours(50, jours.suivant):
        assert resultats == ["gagne", "gagne"]
        assert actives(jours.jour) == ["Léa", "Tom"]
        assert du_jour(jours.jour).count() == 2
        assert Demande.objects.filter(jours__jour=jours.jour).distinct().count() == 1
    Fil.objects.all().delete()
    annuler = changeur("durand", jours, "ANNULER", ["Léa", "Tom"])
    assert next(Course(annuler, annuler).tours(1, lambda: None)) == ["gagne", "gagne"]
    assert (actives(jours.jour), Fil.objects.count()) == ([], 1)


def test_deux_adultes_changent_les_memes_jours_sans_se_bloquer(distribution):
    """In opposite orders, one to book and the other to cancel."""
    ouvrir()
    jours, trois = Jours(), (0, 1, 2)
    claire = changeur("durand", jours, "RESERVER", ["Léa", "Tom"], trois)
    julien = changeur("durand2", jours, "RESERVER", ["Tom", "Léa"], trois[::-1])
    contraire = changeur("durand2", jours, "ANNULER", ["Tom", "Léa"], trois[::-1])

    def preparer():
        for _ in trois:
            jours.suivant()

    for autre in (julien, contraire):
        for resultats in Course(claire, autre).tours(20, preparer):
            assert resultats == ["gagne", "gagne"]
            tenus = du_jour(*(jours.jour + timedelta(days=n) for n in trois)).actives()
            par_cellule = Counter(tenus.values_list("enfant", "jour"))
            assert set(par_cellule.values()) <= {1}
            if autre is julien:
                assert len(par_cellule) >= 4  # a public holiday may be among them, which takes two
                assert Demande.objects.filter(jours__jour__gte=jours.jour).distinct().count() == 1


# --- A parent and an agent -------------------------------------------------------------------------------


def malade(jour):
    """Léa is told ill on a booked day."""
    compte, lea = compte_de("durand"), Enfant.objects.get(prenom="Léa")
    demander("durand", "Léa", jour)
    (demande,) = planning.declarer_absence(
        compte.adulte.famille,
        [Changement(lea.pk, CODE, jour, "ABSENCE")],
        motif=MotifAbsence.objects.get(code="maladie"),
        par=compte,
    ).demandes
    return demande


def test_annuler_contre_la_decision_d_une_absence(distribution):
    """Withdrawn then cancelled by the parent, or decided by the agent: never half of each."""
    ouvrir()
    jours, agent, claire, en_cours = Jours(), compte_de("agent"), compte_de("durand"), {}

    def preparer():
        jours.suivant()
        en_cours["demande"] = malade(jours.jour)

    def annuler():
        try:
            actions.retirer(en_cours["demande"], par=claire)
        finally:
            demander("durand", "Léa", jours.jour, "ANNULER")

    decisions = {
        "ACCEPTEE": lambda: actions.accepter(en_cours["demande"].pk, par=agent),
        "REFUSEE": lambda: actions.refuser(en_cours["demande"].pk, par=agent, motif="Illisible"),
    }
    for etat, decider in decisions.items():
        for retrait, decision in Course(annuler, decider).tours(15, preparer):
            reservation = du_jour(jours.jour).select_related("motif_absence").get()
            fait = (
                Demande.objects.get(pk=en_cours["demande"].pk).etat,
                JourDemande.objects.get(demande=en_cours["demande"]).etat,
                reservation.annulee_le is not None,
                reservation.motif_absence is not None,
            )
            if decision == "gagne":
                assert "déjà traitée" in str(retrait)
                # Refused, the booking stands again: the parent may cancel it.
                attendu = ("ACCEPTE", False, True) if etat == "ACCEPTEE" else ("REFUSE", True, False)
                assert fait == (etat, *attendu)
            else:
                assert (retrait, "déjà traitée" in str(decision)) == ("gagne", True)
                assert fait == ("RETIREE", "RETIRE", True, False)


def test_cent_fois_reserver_contre_fermer_ne_laisse_aucune_reservation_sur_un_jour_ferme(distribution):
    ouvrir()
    jours, agent = Jours(), compte_de("agent")

    def fermer_le_jour():
        fermer(Fermeture(valable_du=jours.jour, valable_au=jours.jour, motif="Grève"), par=agent)

    vus = Counter()
    reserver = changeur("durand", jours, "RESERVER", ["Léa", "Tom"])
    for resultats in Course(reserver, fermer_le_jour).tours(100, jours.suivant):
        assert resultats == ["gagne", "gagne"]
        assert actives(jours.jour) == []
        annulees = du_jour(jours.jour)
        assert set(annulees.values_list("annulation", flat=True)) <= {"Grève"}
        vus[annulees.count()] += 1
    assert set(vus) <= {0, 2}


def test_declarer_un_enfant_malade_pendant_qu_un_agent_ferme_ne_se_bloque_pas(distribution):
    """The last day is cancelled, the first told absent; the closure takes both, in the order of the days."""
    service = ouvrir()
    RegleDelai.objects.create(service=service, usage="ANNULER", regle=TARDIF | {"n": 15}, valable_du="2020-01-01")
    premier, dernier, lea, agent = jour_ouvert(5), jour_ouvert(25), Enfant.objects.get(prenom="Léa"), compte_de("agent")
    claire, motif = compte_de("durand"), MotifAbsence.objects.get(code="greve")
    annuler, absenter = Changement(lea.pk, CODE, dernier, "ANNULER"), Changement(lea.pk, CODE, premier, "ABSENCE")

    def preparer():
        Fermeture.objects.all().delete()
        JourDemande.objects.all().delete()
        du_jour(premier, dernier).delete()
        for jour in (premier, dernier):
            demander("durand", "Léa", jour)

    def declarer():
        planning.annuler_et_declarer(claire.adulte.famille, [annuler], [absenter], par=claire, motif=motif)

    def fermer_tout():
        fermer(Fermeture(service=service, valable_du=premier, valable_au=dernier, motif="Neige"), par=agent)

    for resultats in Course(declarer, fermer_tout).tours(20, preparer):
        assert resultats == ["gagne", "gagne"]
        assert (actives(premier), actives(dernier)) == ([], [])


def test_accepter_une_demande_tardive_contre_la_retirer(distribution):
    service = ouvrir()
    RegleDelai.objects.create(service=service, usage="RESERVER", regle=TARDIF, valable_du="2020-01-01")
    jours, agent, claire, en_cours = Jours(), compte_de("agent"), compte_de("durand"), {}

    def preparer():
        jours.suivant()
        (en_cours["demande"],) = demander("durand", "Léa", jours.jour).demandes

    gestes = (
        lambda: actions.accepter(en_cours["demande"].pk, par=agent, version=1),
        lambda: actions.retirer(en_cours["demande"], par=claire),
    )
    for accord, retrait in Course(*gestes).tours(40, preparer):
        demande = en_cours["demande"]
        demande.refresh_from_db()
        tardives = list(du_jour(jours.jour).values_list("tardive", flat=True))
        if accord == "gagne":
            assert (demande.etat, tardives, "déjà traitée" in retrait) == ("ACCEPTEE", [True], True)
        else:
            assert (demande.etat, tardives, retrait) == ("RETIREE", [], "gagne")
            assert "déjà traitée" in accord


def test_accepter_une_absence_pendant_le_pointage_ne_se_bloque_pas(distribution, horloge):
    """The agent holds the child and wants the day; the animateur holds the day and names the child."""
    horloge("2026-11-17T07:00")
    ouvrir()
    agent, jour, en_cours = compte_de("agent"), timezone.localdate(), {}
    lea, place = Enfant.objects.get(prenom="Léa"), {}

    def preparer():
        Presence.objects.filter(jour=jour, service__code=CODE).delete()
        JourDemande.objects.filter(jour=jour).delete()
        du_jour(jour).delete()
        en_cours["demande"] = malade(jour)
        reservee = du_jour(jour).select_related("place").get()
        place["du jour"] = Place(service=reservee.service, site=reservee.place.site, jour=jour)

    gestes = (
        lambda: actions.accepter(en_cours["demande"].pk, par=agent),
        lambda: pointer(place["du jour"], [Pointage(lea.pk, "ABSENT")], par=agent),
    )
    for resultats in Course(*gestes).tours(30, preparer):
        assert resultats == ["gagne", "gagne"]


# --- The waiting list ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("geste", "proposees"), [("PRENDRE", 0), ("QUITTER", 1)])
def test_prendre_ou_quitter_contre_deux_balayages(distribution, geste, proposees):
    ouvrir(capacite=1)
    jours = Jours()

    def preparer():
        jours.suivant()
        demander("martin", "Zoé", jours.jour)
        demander("durand", "Léa", jours.jour)
        demander("benali", "Adam", jours.jour)
        demander("martin", "Zoé", jours.jour, "ANNULER")
        offrir_les_places(timezone.now())
        Fil.objects.all().delete()

    def balayer():
        offrir_les_places(timezone.now())

    def repondre():
        demander("durand", "Léa", jours.jour, geste)

    for resultats in Course(repondre, balayer, balayer).tours(20, preparer):
        assert resultats == ["gagne"] * 3
        balayer()
        issue = {"PRENDRE": "RESERVEE", "QUITTER": "QUITTEE"}[geste]
        liste = Attente.objects.filter(jour=jours.jour).order_by("inscrite_le", "pk")
        assert list(liste.values_list("enfant__prenom", "issue")) == [("Léa", issue), ("Adam", "")]
        assert liste.filter(enfant__prenom="Adam", offerte_le__isnull=False).count() == proposees
        assert actives(jours.jour) == (["Léa"] if geste == "PRENDRE" else [])
        assert Fil.objects.filter(sujet="Une place s'est libérée pour Adam").count() == proposees
