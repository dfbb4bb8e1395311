"""What happened on a day of a service, from what was wanted and what was seen, and the sentence that explains it.

Pure: facts in, one ``Constat`` out. Billing reads its fields, clerks and families its sentence. Instants are in the
commune's time zone.
"""

from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum

from enfants.regles.dates import en_clair


class Code(StrEnum):
    RIEN = "RIEN"
    ATTENDU = "ATTENDU"
    EN_LISTE = "EN_LISTE"
    PRESENT_RESERVE = "PRESENT_RESERVE"
    PRESENT_SANS_RESERVATION = "PRESENT_SANS_RESERVATION"
    ABSENT_NON_JUSTIFIE = "ABSENT_NON_JUSTIFIE"
    ABSENT_JUSTIFIE = "ABSENT_JUSTIFIE"
    ABSENCE_A_JUSTIFIER = "ABSENCE_A_JUSTIFIER"
    ABSENCE_DECLAREE = "ABSENCE_DECLAREE"  # for a reason that needs no proof
    ANNULE = "ANNULE"
    ANNULE_TARD = "ANNULE_TARD"


class AFacturer(StrEnum):
    OUI = "OUI"
    NON = "NON"
    A_DECIDER = "A_DECIDER"


class Preuve(StrEnum):
    INUTILE = "INUTILE"
    ATTENDUE = "ATTENDUE"
    RECUE = "RECUE"
    NON_RECUE = "NON_RECUE"


@dataclass(frozen=True)
class Reserve:
    """A booking, cancelled perhaps.

    :param tardive: asked after the deadline.
    :param annulee_a_temps: before the deadline; tells nothing while the booking stands.
    :param par_la_mairie: cancelled by an agent: a closure, a late request accepted.
    """

    le: datetime
    tardive: bool = False
    annulee_le: datetime | None = None
    annulee_par: str = ""
    annulee_a_temps: bool = True
    par_la_mairie: bool = False

    @property
    def est_active(self) -> bool:
        return self.annulee_le is None


@dataclass(frozen=True)
class Absence:
    """An absence the family declared.

    :param motif: "" for who may not read it: it may tell an illness.
    :param consequence: what the reason leaves due, in the commune's words; "" when nothing does.
    """

    motif: str
    le: datetime | None = None
    preuve: Preuve = Preuve.INUTILE
    consequence: str = ""


@dataclass(frozen=True)
class Vu:
    """What was seen.

    :param correction: why it was changed once the sheet was closed.
    """

    present: bool
    le: datetime
    par: str
    arrivee: time | None = None
    depart: time | None = None
    correction: str = ""


@dataclass(frozen=True)
class Faits:
    """All that is known of one child, one service, one day; ``fin`` is when the service ends."""

    jour: date
    fin: time
    reserve: Reserve | None = None
    absence: Absence | None = None
    vu: Vu | None = None
    en_liste: bool = False
    feuille_close: bool = False


@dataclass(frozen=True)
class Constat:
    """What happened, and what billing makes of it.

    :param tardif: booked after the deadline, and the booking stands.
    :param minutes_de_retard: between the end of the service and the departure.
    """

    code: Code
    phrase: str
    a_facturer: AFacturer
    tardif: bool = False
    sans_reservation: bool = False
    minutes_de_retard: int = 0


def conclure(faits: Faits) -> Constat:
    """The one constat of these facts. What was seen wins over what was said; a cancelled booking counts no more."""
    if faits.vu and faits.vu.present:
        return _present(faits)
    if faits.reserve and faits.reserve.est_active:
        return _reserve(faits)
    if faits.en_liste:
        return Constat(Code.EN_LISTE, _clore("Sur liste d'attente, sans place", faits), AFacturer.NON)
    if faits.reserve:
        return _annule(faits)
    return Constat(Code.RIEN, _clore("Ni réservé ni présent", faits), AFacturer.NON)


def minutes_de_retard(depart: time | None, fin: time) -> int:
    """Whole minutes after the end of the service; 0 when the departure is not known."""
    if depart is None:
        return 0
    return max(0, depart.hour * 60 + depart.minute - fin.hour * 60 - fin.minute)


# --- Cases -----------------------------------------------------------------------------------------------


def _present(f):
    retard = minutes_de_retard(f.vu.depart, f.fin)
    if not (f.reserve and f.reserve.est_active):
        phrase = _clore(f"{_faute_de_reservation(f)}, présent", f, retard)
        return Constat(
            Code.PRESENT_SANS_RESERVATION,
            phrase,
            AFacturer.OUI,
            sans_reservation=True,
            minutes_de_retard=retard,
        )
    debut = _debut(f.reserve) + (f", absence annoncée{_entre_parentheses(f.absence.motif)} mais" if f.absence else ",")
    return Constat(
        Code.PRESENT_RESERVE,
        _clore(f"{debut} présent", f, retard),
        AFacturer.OUI,
        tardif=f.reserve.tardive,
        minutes_de_retard=retard,
    )


def _faute_de_reservation(f):
    if f.reserve:
        return f"{_debut(f.reserve)}, annulé le {en_clair(f.reserve.annulee_le.date(), annee=False)}"
    return "Sur liste d'attente, sans place" if f.en_liste else "Sans réservation"


def _reserve(f):
    tardif, debut = f.reserve.tardive, _debut(f.reserve)
    if f.absence:
        return _absence(f, debut, tardif)
    if f.vu:
        phrase = _clore(f"{debut}, absent sans l'avoir annoncé", f)
        return Constat(Code.ABSENT_NON_JUSTIFIE, phrase, AFacturer.OUI, tardif)
    if f.feuille_close:
        phrase = f"{debut}, non pointé quand la feuille a été close."
        return Constat(Code.ABSENT_NON_JUSTIFIE, phrase, AFacturer.OUI, tardif)
    return Constat(Code.ATTENDU, f"{debut}, pas encore pointé.", AFacturer.A_DECIDER, tardif)


def _absence(f, debut, tardif):
    a = f.absence
    annonce = f" le {_jour(a.le)}" if a.le else ""
    code, preuve = {
        Preuve.RECUE: (Code.ABSENT_JUSTIFIE, "justificatif reçu"),
        Preuve.ATTENDUE: (Code.ABSENCE_A_JUSTIFIER, "justificatif attendu"),
        Preuve.NON_RECUE: (Code.ABSENT_NON_JUSTIFIE, "justificatif non reçu"),
        Preuve.INUTILE: (Code.ABSENCE_DECLAREE, ""),
    }[a.preuve]
    if code == Code.ABSENT_NON_JUSTIFIE:
        a_facturer = AFacturer.OUI
    elif code == Code.ABSENCE_A_JUSTIFIER or a.consequence:
        a_facturer = AFacturer.A_DECIDER
    else:
        a_facturer = AFacturer.NON
    phrase = _clore(f"{debut}, absence annoncée{annonce}{_entre_parentheses(a.motif, preuve)}", f)
    if a.consequence and code in (Code.ABSENT_JUSTIFIE, Code.ABSENCE_DECLAREE):
        phrase += f" Règle\u00a0: {a.consequence.rstrip('.')}."
    return Constat(code, phrase, a_facturer, tardif)


def _entre_parentheses(motif, preuve=""):
    raison = ", ".join(filter(None, [motif.lower(), preuve]))
    return f" ({raison})" if raison else ""


def _annule(f):
    r = f.reserve
    par = f" par {r.annulee_par}" if r.annulee_par else ""
    tard = not r.annulee_a_temps and not r.par_la_mairie
    quand = " après le délai" if tard else ""
    phrase = _clore(f"{_debut(r)}, annulé{quand} le {_jour(r.annulee_le)}{par}", f)
    if tard:
        return Constat(Code.ANNULE_TARD, phrase, AFacturer.A_DECIDER)
    return Constat(Code.ANNULE, phrase, AFacturer.NON)


# --- Words -----------------------------------------------------------------------------------------------


def _debut(reserve):
    return f"Réservé {'après le délai ' if reserve.tardive else ''}le {_jour(reserve.le)}"


def _clore(phrase, f, retard=0):
    """Ends the sentence with who marked it and when, the hours, the correction."""
    if not f.vu:
        return f"{phrase}."
    le = "" if f.vu.le.date() == f.jour else f"le {_jour(f.vu.le)} "
    pointe = "pointé" if f.vu.present else "pointé absent"
    phrases = [f"{phrase}, {pointe} {le}à {_heure(f.vu.le)} par {f.vu.par}."]
    if f.vu.present and (heures := _heures(f.vu, retard)):
        phrases.append(heures)
    if f.vu.correction:
        phrases.append(f"Corrigé\u00a0: {f.vu.correction.rstrip('.')}.")
    return " ".join(phrases)


def _heures(vu, retard):
    morceaux = []
    if vu.arrivee:
        morceaux.append(f"arrivé à {_heure(vu.arrivee)}")
    if vu.depart:
        morceaux.append(f"parti à {_heure(vu.depart)}")
    if retard:
        morceaux[-1] += f", {retard}\u00a0minute{'s' if retard > 1 else ''} après la fin"
    return f"{' et '.join(morceaux).capitalize()}." if morceaux else ""


def _jour(instant):
    return en_clair(instant.date(), annee=False)


def _heure(instant):
    return f"{instant.hour}\u00a0h\u00a0{instant.minute:02}" if instant.minute else f"{instant.hour}\u00a0h"
