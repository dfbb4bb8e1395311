"""What a child's file lacks, in sentences for the family's page and for the agent's list."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import NamedTuple

from enfants.regles.dates import en_clair

PREAVIS = timedelta(days=30)


class Manque(NamedTuple):
    """One thing to put right.

    :param code: stable name of the lack.
    :param phrase: what the family reads; the page adds the link to ask.
    :param type: the kind of demande that mends it.
    :param urgent: a date has passed, or nobody would know whom to call or how to look after this child.
    """

    code: str
    phrase: str
    type: str
    urgent: bool


@dataclass(frozen=True)
class FaitsDossier:
    """The file, in plain values.

    :param contacts_urgence: number of people to call in an emergency, beside the parents.
    :param documents: nature ("VACCINS", "ASSURANCE", "PAI") -> its last day, None without end; no key, no paper.
    :param vaccins_manquants: number of mandatory vaccines without a date.
    :param vaccins_etat: what the agent found: "" not looked at, "A_JOUR", "PROVISOIRE", "CONTRE_INDICATION".
    :param vaccins_jusqu_au: last day of the provisional admission or of the contraindication.
    :param assurance_fin: last day of the insurance as typed in the file, for a paper kept without its end.
    """

    ecole_connue: bool = True
    naissance_connue: bool = True
    contacts_urgence: int = 0
    documents: Mapping[str, date | None] = field(default_factory=dict)
    a_pai: bool = False
    vaccins_manquants: int = 0
    vaccins_etat: str = ""
    vaccins_jusqu_au: date | None = None
    assurance_fin: date | None = None


def manques(faits: FaitsDossier, jour: date, preavis: timedelta = PREAVIS) -> list[Manque]:
    """What the family is asked to put right on ``jour``, the urgent first.

    A paper is good until its last day, included; its end is told from ``preavis`` before, included.
    """
    trouves = []
    if not faits.contacts_urgence:
        trouves.append(Manque("contacts", "Aucune autre personne à appeler en urgence", "autorisations", False))
    trouves += [*_pai(faits, jour, preavis), *_vaccins(faits, jour, preavis), *_assurance(faits, jour, preavis)]
    if not faits.naissance_connue:
        trouves.append(Manque("naissance", "Date de naissance inconnue", "etat-civil", False))
    if not faits.ecole_connue:
        trouves.append(Manque("ecole", "École inconnue", "etat-civil", False))
    return sorted(trouves, key=lambda manque: not manque.urgent)


def pressants(faits: FaitsDossier, jour: date, preavis: timedelta = PREAVIS) -> list[Manque]:
    """Of all that, what cannot wait: what is urgent, or ends within ``preavis``."""
    sans_date = manques(faits, jour, timedelta.min)  # told whatever the day
    fin = faits.vaccins_jusqu_au
    return [
        manque
        for manque in manques(faits, jour, preavis)
        if manque.urgent or manque not in sans_date or (manque.code == "vaccins" and fin and fin - jour <= preavis)
    ]


def _pai(faits, jour, preavis):
    if not faits.a_pai:
        return
    if "PAI" not in faits.documents:
        yield Manque("pai", "Document du PAI manquant", "sante", True)
    elif (fin := faits.documents["PAI"]) and fin - jour <= preavis:
        verbe = "était" if fin < jour else "est"
        yield Manque("pai", f"Le PAI {verbe} à revoir avant le {en_clair(fin)}", "sante", fin < jour)


def _assurance(faits, jour, preavis):
    if "ASSURANCE" not in faits.documents:
        yield Manque("assurance", "Attestation d'assurance manquante", "informations", False)
    elif (fin := faits.documents["ASSURANCE"] or faits.assurance_fin) and fin - jour <= preavis:
        yield Manque("assurance", _expire("L'attestation d'assurance", fin, jour), "informations", fin < jour)


def _vaccins(faits, jour, preavis):
    """The agent's finding counts more than the number of dates: a doctor's certificate gives none."""
    fin = faits.vaccins_jusqu_au
    if faits.vaccins_etat == "CONTRE_INDICATION":
        if fin and fin - jour <= preavis:
            yield Manque("vaccins", _expire("La contre-indication aux vaccins", fin, jour), "sante", fin < jour)
        return
    if "VACCINS" not in faits.documents:
        yield Manque("vaccins-page", "Copie des pages de vaccination manquante", "sante", False)
    elif (papier := faits.documents["VACCINS"]) and papier - jour <= preavis:
        yield Manque("vaccins-page", _expire("La copie des vaccinations", papier, jour), "sante", papier < jour)
    if faits.vaccins_etat == "PROVISOIRE":
        depasse = bool(fin and fin < jour)
        delai = f"{', le délai a pris fin' if depasse else ' au plus tard'} le {en_clair(fin)}" if fin else ""
        yield Manque("vaccins", f"Vaccins : à régulariser{delai}", "sante", depasse)
    elif faits.vaccins_etat != "A_JOUR" and faits.vaccins_manquants:
        n = faits.vaccins_manquants
        dates = "1 date manque" if n == 1 else f"{n} dates manquent"
        yield Manque("vaccins", f"Vaccins : {dates}", "sante", False)


def _expire(sujet: str, fin: date, jour: date) -> str:
    return f"{sujet} {'a expiré' if fin < jour else 'expire'} le {en_clair(fin)}"
