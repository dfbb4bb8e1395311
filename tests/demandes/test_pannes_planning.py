"""The same for the planning (qualite.md F1): a failure at any SQL statement leaves no row, no message and no file."""

from datetime import time, timedelta
from functools import partial

import pytest
from django.db import transaction
from django.utils import timezone

from demandes import actions, justificatifs, planning
from demandes.fermetures import refuser_jours_fermes
from demandes.models import Justificatif, PieceJointe
from enfants import inscriptions, presences
from enfants.attente import offrir_les_places
from enfants.fermetures import fermer
from enfants.models import Attente, Enfant, Fermeture, Inscription, MotifAbsence, Place, Reservation, Service, Site
from enfants.reservations import Changement, places_verrouillees
from portail.outils.fichiers import balayer_orphelins, ranger
from tests.canaris import papier
from tests.demandes.test_pannes import eprouver, fichiers_gardes
from tests.enfants.service_essai import CODE, demander, jour_ouvert, ouvrir

pytestmark = pytest.mark.django_db

GESTES = {}


def geste(fonction):
    """What prepares the rows and returns the action to try."""
    GESTES[fonction.__name__.replace("_", " ")] = fonction
    return fonction


def cle(prenom):
    return Enfant.objects.get(prenom=prenom).pk


def changements(geste, *jours, prenoms=("Léa", "Tom")):
    jours = jours or [jour_ouvert()]
    return [Changement(cle(prenom), CODE, jour, geste) for prenom in prenoms for jour in jours]


def changer(comptes, *args, **options):
    compte = comptes["durand"]
    return partial(planning.changer, compte.adulte.famille, changements(*args, **options), par=compte)


def absenter(comptes, motif, *jours, pieces=()):
    compte = comptes["durand"]
    return planning.declarer_absence(
        compte.adulte.famille,
        changements("ABSENCE", *jours),
        motif=MotifAbsence.objects.get(code=motif),
        pieces=pieces,
        par=compte,
    )


def a_decider(comptes):
    """A demande of two days, which waits for an agent."""
    ouvrir(validation="AGENT")
    (demande,) = changer(comptes, "RESERVER")().demandes
    return demande


def malade(comptes):
    ouvrir()
    changer(comptes, "RESERVER")()
    (demande,) = absenter(comptes, "maladie").demandes
    return demande


def liste_d_attente():
    """Zoé's place is free again: it is Léa's turn, then Adam's."""
    ouvrir(capacite=1)
    for identifiant, prenom in (("martin", "Zoé"), ("durand", "Léa"), ("benali", "Adam")):
        demander(identifiant, prenom, jour_ouvert())
    demander("martin", "Zoé", jour_ouvert(), "ANNULER")


def feuille(comptes):
    """Léa was booked yesterday."""
    service, hier = ouvrir(), timezone.localdate() - timedelta(days=1)
    cle_ = (service.pk, Site.objects.get(nom="Site d'essai").pk, hier)
    place = places_verrouillees([cle_])[cle_]
    lea = Enfant.objects.get(prenom="Léa")
    lea.rattachements.update(valable_du=hier - timedelta(days=9))
    Enfant.objects.get(prenom="Tom").rattachements.update(valable_du=hier - timedelta(days=9))
    Reservation.objects.create(
        enfant=lea,
        famille=comptes["durand"].adulte.famille,
        service=service,
        jour=hier,
        place=place,
        reservee_par=comptes["durand"],
    )
    return place


def inscrite():
    """Léa comes on Mondays and Tuesdays of three weeks to come."""
    service, lea, demain = ouvrir(), Enfant.objects.get(prenom="Léa"), timezone.localdate() + timedelta(days=1)
    return Inscription.objects.create(
        enfant=lea,
        famille=lea.rattachements.get().famille,
        service=service,
        annee=2098,
        jours=[0, 1],
        valable_du=demain,
        valable_au=demain + timedelta(days=21),
    )


# --- The family ------------------------------------------------------------------------------------------


@geste
def reserver(comptes):
    ouvrir()
    return changer(comptes, "RESERVER")


@geste
def rejoindre_la_liste(comptes):
    ouvrir(capacite=1)
    return changer(comptes, "RESERVER")


@geste
def demander_a_la_mairie(comptes):
    ouvrir(validation="AGENT")
    return changer(comptes, "RESERVER")


@geste
def annuler(comptes):
    ouvrir()
    changer(comptes, "RESERVER")()
    return changer(comptes, "ANNULER")


@geste
def declarer_une_absence(comptes):
    ouvrir()
    changer(comptes, "RESERVER")()
    return partial(absenter, comptes, "greve")


@geste
def declarer_une_maladie_avec_papier(comptes):
    ouvrir()
    changer(comptes, "RESERVER")()

    def declarer():
        absenter(comptes, "maladie", pieces=[ranger("a.pdf", "application/pdf", papier("a"))])

    return declarer


@geste
def annuler_et_declarer(comptes):
    ouvrir()
    jours, compte = (jour_ouvert(10), jour_ouvert(20)), comptes["durand"]
    changer(comptes, "RESERVER", *jours)()
    return partial(
        planning.annuler_et_declarer,
        compte.adulte.famille,
        changements("ANNULER", jours[1]),
        changements("ABSENCE", jours[0]),
        motif=MotifAbsence.objects.get(code="maladie"),
        par=compte,
    )


@geste
def revenir(comptes):
    ouvrir()
    changer(comptes, "RESERVER")()
    absenter(comptes, "greve")
    return changer(comptes, "REVENIR")


@geste
def retirer(comptes):
    return partial(actions.retirer, a_decider(comptes), par=comptes["durand"])


@geste
def joindre(comptes):
    demande = malade(comptes)

    def joindre():
        pieces = [ranger("a.pdf", "application/pdf", papier("a"))]
        justificatifs.joindre(demande, pieces, par=comptes["durand"])

    return joindre


@geste
def prendre(comptes):
    liste_d_attente()
    offrir_les_places(timezone.now())
    return changer(comptes, "PRENDRE", prenoms=["Léa"])


@geste
def quitter(comptes):
    liste_d_attente()
    return changer(comptes, "QUITTER", prenoms=["Léa"])


# --- The agents ------------------------------------------------------------------------------------------


@geste
def accepter_tout(comptes):
    return partial(actions.accepter, a_decider(comptes).pk, par=comptes["agent"])


@geste
def accepter_une_partie(comptes):
    demande = a_decider(comptes)
    premier = demande.jours.order_by("pk")[0].pk
    return partial(actions.accepter, demande.pk, par=comptes["agent"], decision={"jours": {premier}}, mot="Complet.")


@geste
def accepter_une_absence(comptes):
    return partial(actions.accepter, malade(comptes).pk, par=comptes["agent"])


@geste
def refuser(comptes):
    return partial(actions.refuser, a_decider(comptes).pk, par=comptes["agent"], motif="Plus de place.")


@geste
def recevoir_le_justificatif(comptes):
    return partial(planning.recevoir_justificatif, malade(comptes), par=comptes["agent"])


@geste
def fermer_un_jour(comptes):
    liste_d_attente()
    changer(comptes, "RESERVER", jour_ouvert(20))()
    du_au = {"valable_du": jour_ouvert(), "valable_au": jour_ouvert(20)}
    return lambda: fermer(Fermeture(**du_au, motif="Grève"), par=comptes["agent"])


@geste
def refuser_les_jours_fermes(comptes):
    a_decider(comptes)
    Fermeture.objects.create(valable_du=jour_ouvert(), valable_au=jour_ouvert(), motif="Grève")
    return partial(refuser_jours_fermes, par=comptes["agent"])


@geste
def pointer(comptes):
    """One who is expected, one who is not: its family is told."""
    place = feuille(comptes)
    lignes = [presences.Pointage(cle("Léa"), "ABSENT"), presences.Pointage(cle("Tom"), "PRESENT", time(9))]
    return lambda: presences.pointer(
        Place(service=place.service, site=place.site, jour=place.jour), lignes, par=comptes["agent"]
    )


@geste
def clore(comptes):
    place = feuille(comptes)
    presences.pointer(place, [presences.Pointage(cle("Léa"), "PRESENT")], par=comptes["agent"])
    return partial(presences.clore, place, par=comptes["agent"])


@geste
def rouvrir(comptes):
    place = feuille(comptes)
    Place.objects.filter(pk=place.pk).update(close_le=timezone.now(), close_par=comptes["agent"])
    return partial(presences.rouvrir, place)


@geste
def inscrire(comptes):
    lea = Enfant.objects.get(prenom="Léa")
    famille = comptes["durand"].adulte.famille
    return partial(inscriptions.inscrire, lea, famille, ouvrir(), 2098, jours=[0, 1])


@geste
def reinscrire(comptes):
    i = inscrite()
    return lambda: inscriptions.inscrire(i.enfant, i.famille, Service.objects.get(code=CODE), i.annee, jours=[3])


@geste
def reserver_les_jours_habituels(comptes):
    return partial(inscriptions.reserver_jours_habituels, inscrite(), par=comptes["agent"])


@geste
def reserver_pour_le_foyer(comptes):
    inscription = inscrite()
    return partial(inscriptions.reserver_pour_le_foyer, inscription.famille, [inscription], par=comptes["agent"])


# --- The clock -------------------------------------------------------------------------------------------


@geste
def offrir_une_place(comptes):
    liste_d_attente()
    return partial(offrir_les_places, timezone.now())


@geste
def passer_au_suivant(comptes):
    liste_d_attente()
    maintenant = timezone.now()
    offrir_les_places(maintenant)
    return partial(offrir_les_places, maintenant + timedelta(hours=25))


@geste
def rappeler_le_justificatif(comptes):
    malade(comptes)
    avant = Justificatif.objects.get().attendu_avant
    return partial(justificatifs.relancer_justificatifs, maintenant=avant - timedelta(hours=1))


@geste
def refuser_sans_justificatif(comptes):
    # The transaction alone: the sweep goes on to read what else is due once this demande is done with.
    demande = malade(comptes)
    return partial(justificatifs._refuser, demande.pk, Justificatif.objects.get().attendu_avant)


@pytest.mark.parametrize("nom", GESTES)
def test_une_panne_a_n_importe_quel_ordre_sql_ne_laisse_rien_au_planning(nom, comptes):
    Attente.objects.all().delete()
    Justificatif.objects.all().delete()
    essai = GESTES[nom](comptes)
    point = transaction.savepoint()
    essai()  # once for the caches: each try runs the same statements
    transaction.savepoint_rollback(point)
    eprouver(essai)
    # A file without a row is nobody's: no address leads to it, and it goes a day later.
    assert bool(fichiers_gardes()) == (nom in ("joindre", "declarer une maladie avec papier"))
    balayer_orphelins([PieceJointe], maintenant=timezone.now() + timedelta(days=2))
    assert fichiers_gardes() == set()
