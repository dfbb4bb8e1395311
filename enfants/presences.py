"""Who was there: the sheet of a day is marked, closed, opened again; the family of a child without booking is told."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import time

from django.db import IntegrityError, transaction
from django.utils import timezone

from enfants import offre as offres
from enfants.feuilles import non_pointes, version
from enfants.garde import foyers_du_jour
from enfants.messages import prevenir
from enfants.models import Enfant, Place, Presence, Reservation
from enfants.regles import delais
from enfants.regles.annees import annee_scolaire, bornes
from enfants.regles.dates import en_clair, enumerer
from enfants.reservations import places_verrouillees
from familles.models import Famille, Utilisateur
from portail.outils.dates import jour as jour_en_clair
from portail.outils.dates import quand

NOMS_MONTRES = 5


@dataclass(frozen=True)
class Pointage:
    """What was seen of a child: the browser sends this and nothing more."""

    enfant: int
    etat: str  # of Presence.Etat
    arrivee: time | None = None
    depart: time | None = None

    def est(self, presence: Presence) -> bool:
        return (self.etat, self.arrivee, self.depart) == (presence.etat, presence.arrivee, presence.depart)


@dataclass
class Bilan:
    """What a save has written."""

    notes: list[Presence] = field(default_factory=list)
    prevenus: list[Enfant] = field(default_factory=list)


class JourAVenir(Exception):
    """Nobody was seen on a day that has not come."""

    def __init__(self, jour):
        super().__init__(f"Le {jour_en_clair(jour)} n'est pas encore venu\u00a0: ses présences se pointent ce jour-là.")


class FeuilleChangee(Exception):
    """Somebody else has marked these children otherwise since the sheet was shown."""

    def __init__(self, presences: list[Presence]):
        self.enfants = [p.enfant_id for p in presences]
        derniere = max(presences, key=lambda p: p.pointee_le)
        notes = [f"{p.enfant} est noté {p.get_etat_display().lower()}" for p in presences[:NOMS_MONTRES]]
        super().__init__(
            f"{derniere.pointee_par} a enregistré cette feuille {quand(derniere.pointee_le)}\u00a0: {enumerer(notes)}. "
            "Rien n'est perdu\u00a0: vos choix sont encore là. Vérifiez-les, puis enregistrez de nouveau."
        )


class MotifManquant(Exception):
    """A closed sheet is changed for a reason."""

    def __init__(self):
        super().__init__("La feuille est close\u00a0: dites pourquoi elle change.")


class PointeAilleurs(Exception):
    """The child is on the sheet of another site, for the same service and day."""

    def __init__(self, presences: list[Presence]):
        ou = [f"{p.enfant} ({p.place.site})" for p in presences]
        super().__init__(f"Déjà pointé sur un autre site\u00a0: {enumerer(ou) if ou else 'un de ces enfants'}.")


class FeuilleDejaClose(Exception):
    def __init__(self, place: Place):
        super().__init__(f"Feuille déjà close par {place.close_par} {quand(place.close_le)}.")


class FeuilleOuverte(Exception):
    def __init__(self):
        super().__init__("La feuille est déjà ouverte.")


class FeuilleIncomplete(Exception):
    """Children expected there are not marked: closing would call them absent."""

    def __init__(self, vus: list[Enfant], ailleurs: int):
        phrases = []
        if vus:
            noms = [str(enfant) for enfant in vus[:NOMS_MONTRES]]
            if len(vus) > NOMS_MONTRES:
                noms.append(f"{len(vus) - NOMS_MONTRES} autres")
            phrases.append(f"pointez d'abord {enumerer(noms)}")
        if ailleurs:
            enfants = (
                "1 enfant d'une autre école n'est" if ailleurs == 1 else f"{ailleurs} enfants d'autres écoles ne sont"
            )
            phrases.append(f"{enfants} pas encore pointé{'s' if ailleurs > 1 else ''}")
        super().__init__(f"La feuille reste ouverte\u00a0: {', et '.join(phrases)}.")


# --- Actions ---------------------------------------------------------------------------------------------


@transaction.atomic
def pointer(
    place: Place,
    lignes: Iterable[Pointage],
    *,
    par: Utilisateur,
    motif: str = "",
    lue: str | None = None,
    lien: Callable[[Enfant], str] | None = None,
) -> Bilan:
    """The children are noted present or absent; the household of one who came without booking is told, once.

    Those who are left out stay as they are. The day is locked: two people who save at once do so one after the other.

    :param place: saved or not: its service, site and day tell which.
    :param lignes: one a child.
    :param motif: why the sheet changes after it was closed; kept on the rows that change.
    :param lue: ``version`` of the sheet that the choices were made on; None writes over whatever is there.
    :param lien: the page where the family books for this child.
    :raises JourAVenir: the day has not come.
    :raises FeuilleChangee: marks newer than ``lue`` differ; nothing is written.
    :raises MotifManquant: the sheet is closed and something would change; nothing is written.
    :raises PointeAilleurs: a child is on the sheet of another site; nothing is written.
    """
    if place.jour > timezone.localdate():
        raise JourAVenir(place.jour)
    place = _verrouiller(place)
    maintenant, lignes = timezone.now(), {ligne.enfant: ligne for ligne in lignes}
    deja = {
        p.enfant_id: p
        for p in Presence.objects.filter(enfant__in=lignes, service=place.service_id, jour=place.jour)
        .select_related("enfant", "pointee_par", "place__site")
        .order_by("enfant")
    }
    changees = {cle: ligne for cle, ligne in lignes.items() if cle not in deja or not ligne.est(deja[cle])}
    _verifier(place, [deja[cle] for cle in changees if cle in deja], motif, lue, bool(changees))
    correction = motif if place.close_le else ""
    venus = [cle for cle, li in changees.items() if li.etat == "PRESENT" and not _etait_present(deja.get(cle))]
    sans_reservation = _sans_reservation(place, [c for c in venus if not (c in deja and deja[c].famille_prevenue_le)])
    notes = []
    for cle, ligne in sorted(changees.items()):
        presence = deja.get(cle) or Presence(enfant_id=cle, service_id=place.service_id, jour=place.jour, place=place)
        _noter(presence, ligne, maintenant, par, correction)
        if cle in sans_reservation:
            presence.famille_prevenue_le = maintenant
        notes.append(presence)
    _ecrire(notes)
    return Bilan(notes, _prevenir(place, sans_reservation, par=par, lien=lien))


def _verrouiller(place):
    cle = (place.service_id, place.site_id, place.jour)
    return places_verrouillees([cle])[cle]


def _etait_present(presence):
    return presence is not None and presence.etat == Presence.Etat.PRESENT


def _verifier(place, changees, motif, lue, change):
    if ailleurs := [p for p in changees if p.place_id != place.pk]:
        raise PointeAilleurs(ailleurs)
    if lue is not None and (plus_neuves := [p for p in changees if version([p]) > lue]):
        raise FeuilleChangee(plus_neuves)
    if place.close_le and change and not motif.strip():
        raise MotifManquant


def _noter(presence, ligne, maintenant, par, correction):
    presence.etat, presence.arrivee, presence.depart = ligne.etat, ligne.arrivee, ligne.depart
    presence.pointee_le, presence.pointee_par = maintenant, par
    presence.correction = correction or presence.correction


def _ecrire(notes):
    """Two queries, however many children."""
    champs = ["etat", "arrivee", "depart", "pointee_le", "pointee_par", "correction", "famille_prevenue_le"]
    Presence.objects.bulk_update([p for p in notes if p.pk], champs, batch_size=1000)
    try:
        with transaction.atomic():
            Presence.objects.bulk_create([p for p in notes if not p.pk])
    except IntegrityError as erreur:  # marked on the sheet of another site since the lines above
        raise PointeAilleurs([]) from erreur


@transaction.atomic
def clore(place: Place, *, par: Utilisateur, annoncees: Iterable[int] = ()) -> Place:
    """The sheet is closed: families see who was absent, billing may count; a change asks a reason from now on.

    :param annoncees: keys of the children whose absence waits for an agent.
    :raises JourAVenir: the day has not come.
    :raises FeuilleDejaClose: somebody closed it before.
    :raises FeuilleIncomplete: children expected are not marked.
    """
    if place.jour > timezone.localdate():
        raise JourAVenir(place.jour)
    place = _verrouiller(place)
    if place.close_le:
        raise FeuilleDejaClose(place)
    if restants := non_pointes(place, annoncees):
        visibles = set(
            Enfant.objects.accessibles_a(par).filter(pk__in=[e.pk for e in restants]).values_list("pk", flat=True)
        )
        vus = [enfant for enfant in restants if enfant.pk in visibles]
        raise FeuilleIncomplete(vus, len(restants) - len(vus))
    place.close_le, place.close_par = timezone.now(), par
    place.save(update_fields=["close_le", "close_par"])
    return place


@transaction.atomic
def rouvrir(place: Place) -> Place:
    """The sheet may be marked again without a reason; the history of the row keeps who had closed it, who opened it.

    :raises FeuilleOuverte: it is not closed.
    """
    place = _verrouiller(place)
    if not place.close_le:
        raise FeuilleOuverte
    place.close_le = place.close_par = None
    place.save(update_fields=["close_le", "close_par"])
    return place


# --- Without a booking -----------------------------------------------------------------------------------


def _sans_reservation(place, enfants):
    """Those of these children who are not booked for the service on that day, on any site."""
    if not enfants:
        return set()
    reserves = Reservation.objects.actives().filter(enfant__in=enfants, service=place.service_id, jour=place.jour)
    return set(enfants) - set(reserves.values_list("enfant", flat=True))


def _prevenir(place, cles, *, par, lien):
    """Each household that has the child that day reads what happened; the first time of the school year, gently."""
    if not cles:
        return []
    enfants = list(Enfant.objects.filter(pk__in=cles).order_by("nom", "prenom", "pk"))
    foyers = foyers_du_jour([enfant.pk for enfant in enfants], place.jour)
    familles = Famille.objects.in_bulk({famille for siens in foyers.values() for famille in siens})
    du, au = bornes(annee_scolaire(place.jour))
    avant = Presence.objects.filter(enfant__in=cles, jour__gte=du, jour__lte=au, famille_prevenue_le__isnull=False)
    deja = set(avant.exclude(service=place.service_id, jour=place.jour).values_list("enfant", flat=True))
    prevenus = []
    for enfant in enfants:
        message = _message(enfant, place, encore=enfant.pk in deja)
        if lien is not None:
            message |= {"lien": lien(enfant), "lien_libelle": f"Planning {enfant.de_prenom}"}
        for famille in foyers[enfant.pk]:
            prevenir(familles[famille], [enfant], par=par, **message)
        if foyers[enfant.pk]:
            prevenus.append(enfant)
    return prevenus


def _message(enfant, place, *, encore):
    jour = jour_en_clair(place.jour)
    accueilli = "de nouveau accueilli" if encore else "accueilli"
    phrases = [
        "Bonjour,",
        f"Nous avons {accueilli} {enfant.prenom} le {jour} sans réservation\u00a0: {place.service.nom}.",
        "Ce n'est pas la première fois cette année. Une présence sans réservation peut être facturée plus cher."
        if encore
        else "Cela peut arriver\u00a0: ce message vous le signale pour la prochaine fois.",
        f"Pour réserver, ouvrez le planning {enfant.de_prenom} dans «\u00a0Mes enfants\u00a0» et choisissez le jour. "
        f"{_delai(place)}",
        "Si ce n'est pas juste, répondez à ce message.",
    ]
    court = f"{place.service.nom_court} du {en_clair(place.jour, annee=False)}"
    sujet = f"{enfant.prenom}, {court}\u00a0: présent sans réservation"
    return {"sujet": sujet, "corps": "\n\n".join(phrase.strip() for phrase in phrases)}


def _delai(place):
    offre = next((offre for offre in offres.actuelle() if offre.cle == place.service_id), None)
    return delais.phrase(offre.regle("RESERVER", place.jour)) if offre else ""
