"""October 2026 of the cast, day by day, billed on 5 November."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from enfants.models import Enfant, MotifAbsence, Place, Presence, Reservation, Service
from facturation import campagnes
from facturation.models import Campagne, Facture, Regie
from familles.models import Famille, Utilisateur

OCTOBRE, EMISE_LE, ECHEANCE = date(2026, 10, 1), date(2026, 11, 3), date(2026, 12, 3)
PARIS = ZoneInfo("Europe/Paris")


def foyer(identifiant: str) -> Famille:
    return Famille.objects.get(responsables__utilisateur__identifiant=identifiant)


def a(jour: date, heure=13, minute=0) -> datetime:
    return datetime.combine(jour, time(heure, minute), PARIS)


def journee(prenom, qui, code, numero, *, vu=True, mois=10, close=True, motif=None, justifiee=False, **colonnes):
    """A day of a child: booked by this household on 2 September, seen or not.

    :param qui: account of the household that booked; None for who came without a booking.
    :param vu: seen there; False marked away; None not marked.
    """
    jour = date(2026, mois, numero)
    service, enfant = Service.objects.get(code=code), Enfant.objects.get(prenom=prenom)
    hugo = Utilisateur.objects.get(identifiant="animateur")
    place, _ = Place.objects.get_or_create(
        service=service,
        site=service.implantations.order_by("pk").first().site,
        jour=jour,
        defaults={"close_le": a(jour, 18), "close_par": hugo} if close else {},
    )
    if qui is not None:
        parent = Utilisateur.objects.get(identifiant=qui)
        absence = {}
        if motif:
            absence = {
                "motif_absence": MotifAbsence.objects.get(code=motif),
                "absence_le": a(jour, 8),
                "absence_justifiee": justifiee,
            }
        if "annulee_le" in colonnes:
            colonnes.setdefault("annulee_par", parent)
        Reservation.objects.create(
            enfant=enfant,
            famille=parent.responsable.famille,
            service=service,
            jour=jour,
            place=place,
            reservee_par=parent,
            **{"reservee_le": a(date(2026, 9, 2))} | absence | colonnes,
        )
    if vu is not None:
        etat = Presence.Etat.PRESENT if vu else Presence.Etat.ABSENT
        colonnes = {"enfant": enfant, "service": service, "jour": jour, "place": place}
        Presence.objects.create(**colonnes, etat=etat, pointee_par=hugo, pointee_le=a(jour, 12, 10))
    return enfant, service, jour


def preparer(code="restauration", mois=OCTOBRE) -> Campagne:
    campagne = campagnes.ouvrir(Regie.objects.get(code=code), mois)
    campagnes.lancer_preparation(campagne, par=Utilisateur.objects.get(identifiant="comptable"))
    campagnes.poursuivre()
    campagne.refresh_from_db()
    return campagne


def emettre(code="restauration", mois=OCTOBRE, emise_le=EMISE_LE, echeance=ECHEANCE) -> Campagne:
    campagne = preparer(code, mois)
    comptable = Utilisateur.objects.get(identifiant="comptable")
    campagnes.lancer_emission(campagne, emise_le=emise_le, echeance=echeance, par=comptable)
    campagnes.poursuivre()
    campagne.refresh_from_db()
    return campagne


def facture_de(identifiant: str, code="restauration", mois=OCTOBRE) -> Facture:
    return Facture.objects.get(famille=foyer(identifiant), regie__code=code, mois=mois, avoir_de=None)


def lignes_de(facture: Facture) -> list[tuple]:
    """(kind, first name, label, amount) of each line."""
    return [(li.genre, li.prenom, li.libelle, li.montant) for li in facture.lignes.order_by("rang")]
