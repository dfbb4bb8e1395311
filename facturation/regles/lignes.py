"""The lines of a month: what was used, what is added, what others pay, each with the sentence that explains it.

Pure. A line is its quantity times its unit price, so that anybody can check it with a pencil.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, time, timedelta
from decimal import Decimal
from operator import attrgetter

from enfants.regles.dates import en_clair
from enfants.regles.presences import AFacturer, Code
from facturation.regles.grilles import (
    ZERO,
    Bareme,
    Baremes,
    Cause,
    Genre,
    Grille,
    Journee,
    Ligne,
    Majoration,
    Payeur,
    Unite,
)
from facturation.regles.tarifs import CENT, TarifInconnu, prix_unitaire
from portail.outils.argent import arrondir, euros


def facturer(
    grille: Grille,
    payeur: Payeur,
    journees: Iterable[Journee],
    *,
    du: date,
    au: date,
    debut: time | None = None,
    fin: time | None = None,
) -> list[Ligne]:
    """The lines of one service, one child, one payer, for the days of a month.

    :param journees: the days, each once, with those around the month: an absence may have begun before it, and a
        week that costs a price of its own is billed whole, with the month of its Monday.
    :param du, au: first and last day of the month.
    :param debut, fin: hours of the service, which a duration needs where an arrival or a departure is not marked.
    :raises TarifInconnu: the grid has no price for one of the days.
    """
    toutes = dues_de(sorted(journees, key=attrgetter("jour")))
    return facturer_dues(grille, payeur, toutes, du=du, au=au, debut=debut, fin=fin)


def facturer_dues(
    grille: Grille,
    payeur: Payeur,
    toutes: list[Journee],
    *,
    du: date,
    au: date,
    debut: time | None = None,
    fin: time | None = None,
) -> list[Ligne]:
    """As ``facturer``, of days that ``dues_de`` has chosen: a month that changes grid chooses them once."""
    dues = [journee for journee in toutes if du <= journee.jour <= au]
    if grille.semaine is not None or grille.unite == Unite.SEMAINE:
        dues = [journee for journee in toutes if du <= lundi(journee.jour) <= au]
    lignes = {
        Unite.JOUR: _par_jour,
        Unite.DUREE: _par_duree,
        Unite.MOIS: _par_mois,
        Unite.SEMAINE: _par_semaine,
    }[grille.unite](grille, payeur, dues, (debut, fin))
    lignes += _majorations(grille, payeur, dues)
    return lignes + aider(grille, payeur, lignes)


def dues_de(journees: list[Journee]) -> list[Journee]:
    """The days that are billed, in order: decided, or due by the rules, the first days of an absence included."""
    restes = _carences(journees)
    return [journee for journee in journees if _est_due(journee, restes)]


def lundi(jour: date) -> date:
    """The Monday of its week."""
    return jour - timedelta(days=jour.weekday())


def _est_due(journee, restes):
    if journee.decision is not None:
        return journee.decision
    if journee.code == Code.ANNULE_TARD:
        return not journee.place_reprise
    if journee.carence is not None and journee.code in (Code.ABSENT_JUSTIFIE, Code.ABSENCE_DECLAREE):
        return journee.jour in restes
    return journee.a_facturer == AFacturer.OUI


def _carences(journees):
    """The days of justified absences that stay due; a day on which the child came ends an absence."""
    absences, suite = [], []
    for journee in journees:
        absente = journee.carence is not None and journee.code in (Code.ABSENT_JUSTIFIE, Code.ABSENCE_DECLAREE)
        if absente and (not suite or suite[-1].carence == journee.carence):
            suite.append(journee)
            continue
        absences.append(suite)
        suite = [journee] if absente else []
    restes = set()
    for absence in filter(None, [*absences, suite]):
        carence = absence[0].carence
        dus = len(absence) if len(absence) < carence.remise_des else carence.jours
        restes |= {journee.jour for journee in absence[:dus]}
    return restes


def _par_jour(grille, payeur, dues, heures):
    if grille.semaine is None:
        return _grouper(grille, payeur, [(journee, 1) for journee in dues])
    jours_min, bareme = grille.semaine
    lignes, restent = [], []
    for debut, semaine in _semaines(dues).items():
        if len(semaine) < jours_min:
            restent += semaine
        else:
            lignes.append(_forfait(grille, payeur, bareme, semaine, f"la semaine du {en_clair(debut)}"))
    return lignes + _grouper(grille, payeur, [(journee, 1) for journee in restent])


def _par_duree(grille, payeur, dues, heures):
    return _grouper(grille, payeur, [(journee, unites(grille, journee, *heures)) for journee in dues])


def unites(grille: Grille, journee: Journee, debut: time | None, fin: time | None) -> int:
    """Units of a duration: each one begun, but for the minutes of tolerance; one for a day due without coming.

    An hour that nobody marked is that of the service: its beginning, its end.
    """
    if journee.code not in (Code.PRESENT_RESERVE, Code.PRESENT_SANS_RESERVATION):
        return 1
    arrivee, depart = journee.arrivee or debut, journee.depart or fin
    if arrivee is None or depart is None:
        raise TarifInconnu("Une durée demande les heures du service.")
    duree = (depart.hour - arrivee.hour) * 60 + depart.minute - arrivee.minute - grille.tolerance
    return max(1, -(-duree // grille.minutes))


def _par_mois(grille, payeur, dues, heures):
    if not dues:
        return []
    premier = dues[0].jour
    return [_forfait(grille, payeur, None, dues, en_clair(premier).split(" ", 1)[1])]


def _par_semaine(grille, payeur, dues, heures):
    return [
        _forfait(grille, payeur, None, semaine, f"la semaine du {en_clair(debut)}")
        for debut, semaine in _semaines(dues).items()
    ]


def _semaines(journees):
    semaines = defaultdict(list)
    for journee in journees:
        semaines[lundi(journee.jour)].append(journee)
    return semaines


def _forfait(grille, payeur, bareme, journees, quand):
    """One line for all these days, at the price of the first.

    :param bareme: prices of the forfait; None: those of the service.
    """
    premiere = journees[0]
    if bareme is not None:
        grille = replace(grille, baremes=replace(_des_journees(grille, premiere), normal=bareme), formules=())
    prix = prix_unitaire(grille, payeur, premiere.jour, premiere.formule)
    libelle = f"{grille.service}, forfait de {quand} ({prix.raison})"
    return Ligne(Genre.PRESTATION, libelle, 1, prix.montant, tuple(journee.jour for journee in journees))


def _des_journees(grille, journee):
    return dict(grille.formules).get(journee.formule, grille.baremes) or Baremes(Bareme())


def _grouper(grille, payeur, comptees):
    """A line for each price, in the order of their first days."""
    pareilles = defaultdict(list)
    for journee, nombre in comptees:  # the day itself changes nothing but the quotient that counts
        pareilles[journee.formule, _quotient(payeur, journee.jour)].append((journee.jour, nombre))
    groupes = defaultdict(list)
    for (formule, _), jours in pareilles.items():
        groupes[prix_unitaire(grille, payeur, jours[0][0], formule)] += jours
    return [
        Ligne(
            Genre.PRESTATION,
            f"{grille.service}, {_compter(nombre, grille.mots)} à {euros(prix.montant)} ({prix.raison})",
            nombre,
            prix.montant,
            tuple(sorted(jour for jour, _ in jours)),
        )
        for prix, jours in groupes.items()
        if (nombre := sum(n for _, n in jours))
    ]


def _quotient(payeur, jour):
    """Which of its quotients counts that day; a loop, as it runs for each day of each child."""
    for rang, quotient in enumerate(payeur.quotients):
        if quotient.vaut(jour):
            return rang
    return None


# --- What is added ---------------------------------------------------------------------------------------


CAUSES = {
    Cause.RESERVE_TARD: lambda j: j.tardif,
    Cause.SANS_RESERVATION: lambda j: j.code == Code.PRESENT_SANS_RESERVATION,
    Cause.DEPART_TARDIF: lambda j: j.minutes_de_retard > 0,
    Cause.ABSENCE: lambda j: j.code == Code.ABSENT_NON_JUSTIFIE,
}
DITES = {
    Cause.RESERVE_TARD: "réservé après le délai",
    Cause.SANS_RESERVATION: "venu sans réservation",
    Cause.DEPART_TARDIF: "départ après l'heure",
    Cause.ABSENCE: "absence sans justificatif",
}


def _majorations(grille, payeur, dues):
    lignes = []
    for majoration in grille.majorations:
        groupes = defaultdict(list)
        concernees = [journee for journee in dues if CAUSES[majoration.cause](journee)]
        for fois, journee in enumerate(concernees, 1):
            if fois < majoration.a_partir_de:
                continue
            prix = supplement(grille, payeur, majoration, journee)
            double = majoration.double_des is not None and fois >= majoration.double_des
            nombre = 1
            if majoration.cause == Cause.DEPART_TARDIF:
                nombre = -(-journee.minutes_de_retard // majoration.minutes)
            groupes[prix * (2 if double else 1), double].append((journee.jour, nombre))
        for (prix, double), jours in groupes.items():
            nombre = sum(n for _, n in jours)
            quoi = DITES[majoration.cause] + (", compté double" if double else "")
            libelle = f"{grille.service}, {quoi}, {_fois(majoration, nombre)} à {euros(prix)}"
            lignes.append(Ligne(Genre.MAJORATION, libelle, nombre, prix, tuple(jour for jour, _ in jours)))
    return [ligne for ligne in lignes if ligne.prix]


def supplement(grille: Grille, payeur: Payeur, majoration: Majoration, journee: Journee) -> Decimal:
    """What an increase adds once to this day, in euros."""
    if majoration.montant is not None:
        return arrondir(majoration.montant)
    prix = prix_unitaire(grille, payeur, journee.jour, journee.formule)
    return arrondir(prix.montant * majoration.pourcent / CENT)


def _fois(majoration, nombre):
    if majoration.cause == Cause.DEPART_TARDIF:
        quart = "quart d'heure" if majoration.minutes == 15 else f"fois {majoration.minutes} minutes"
        pluriel = "quarts d'heure" if majoration.minutes == 15 else quart
        return f"{nombre} {quart if nombre == 1 else pluriel}"
    return f"{nombre} fois"


# --- What others pay -------------------------------------------------------------------------------------


def aider(grille: Grille, payeur: Payeur, lignes: list[Ligne]) -> list[Ligne]:
    """What the helpers take off, each its own line, never more than what is left to pay; increases are the family's."""
    aidees = [ligne for ligne in lignes if ligne.genre == Genre.PRESTATION]
    reste = {rang: ligne.montant for rang, ligne in enumerate(aidees)}
    resultat = []
    for aide in payeur.aides:
        total, jours = ZERO, set()
        for rang, ligne in enumerate(aidees):
            couverts = [jour for jour in ligne.jours if aide.du <= jour <= aide.au]
            if not couverts:
                continue
            pris = _part(aide, ligne, len(couverts), reste[rang])
            if aide.plafond is not None:
                pris = min(pris, aide.plafond - total)
            if pris > 0:
                reste[rang] -= pris
                total += pris
                jours.update(couverts)
        if total:
            libelle = f"{grille.service}, aide de {aide.organisme}"
            resultat.append(Ligne(Genre.AIDE, libelle, 1, -total, tuple(sorted(jours))))
    return resultat


def _part(aide, ligne, jours, reste):
    """What a helper pays of a line: of its units, in proportion to the days that it covers."""
    if aide.montant is not None:
        du = aide.montant * ligne.quantite * jours / len(ligne.jours)
    else:
        du = reste * aide.pourcent / CENT * jours / len(ligne.jours)
    return min(arrondir(du), reste)


def _compter(nombre, mots):
    return f"{nombre} {mots[0] if nombre == 1 else mots[1]}"
