"""Until when a family may reserve, cancel or declare an absence: a commune's rule as data, read with its calendar.

A rule is a JSON object of one of these shapes; hours are those of the commune, weekdays go from 0 (Monday) to 6:

* ``{"type": "jours_avant", "n": 2, "heure": "12:00", "compte": …, "jours_comptes": [0, 1, 3, 4]?}``: the n-th day
  before, 0 being the day itself. Which days count: ``calendaires``, all; ``ouvres``, Monday to Friday but public
  holidays; ``scolaires``, the weekdays of the service but public holidays and school holidays; ``francs``: n whole
  days lie between. ``jours_comptes`` replaces the weekdays of the service (scolaires) or leaves only these of Monday
  to Friday (ouvres); it changes nothing to the two others.
* ``{"type": "heures_avant", "n": 72}``: elapsed hours before the service starts, whatever the clocks do meanwhile.
* ``{"type": "semaine", "avant": 1, "jour": 1, "heure": "23:59"}``: that weekday, ``avant`` ISO weeks before; with 0
  it may come after the day.
* ``{"type": "table", "jours": {"0": [-3, "09:00"]}}``: by weekday of the day, days before it and hour; closed on the
  other weekdays.
* ``{"type": "mois", "jour": 20, "heure": "12:00"}``: of the month before; its last day when it is shorter.
* ``{"type": "periode", "avant_jours": 21, "heure": "18:00"}``: days before the first day of the holiday that holds
  the day; closed out of holidays.
* ``{"type": "aucune"}``: until the service starts.

Each may say from when, for the two audiences: ``"ouverture": {"residents": …, "autres": …}``, either of which is
``{"semaines": 6, "heure": "07:00"}``, ``{"jours": 30, "heure": "07:00"}`` (before the day; before the first day of
the holiday when the rule is a ``periode``) or ``{"date": "2026-08-21", "heure": "07:00"}``.

The closing hour ``23:59`` goes to the end of that day. An hour that a change of the clock skips moves on by the
change; one that comes twice means the first. Source: the deadlines of ``reference/regles-communales.md``.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from enfants.regles.dates import JOURS, en_clair
from enfants.regles.garde import Periode

RECUL = 400  # days walked back at most: in a service without any school day, nothing is found
JOURS_MAX = 366  # before the day
COMPTES_MAX = 30  # ouvres or scolaires: all within RECUL even when one weekday counts
COMPTES = ("calendaires", "ouvres", "scolaires", "francs")
PUBLICS = {"residents": "les habitants", "autres": "les autres familles"}
HEURE = re.compile("([01][0-9]|2[0-3]):[0-5][0-9]")


@dataclass(frozen=True)
class Calendrier:
    """What a rule needs to know of the commune and of the service.

    :param fuseau: time zone of the commune.
    :param jours_service: weekdays on which the service's school is open.
    :param debut: local time at which the service starts on a day.
    :param vacances: holidays of the zone, whole, back to ``RECUL`` days before the day; of two that overlap, the
        first listed counts.
    :param feries: public holidays, over the same days.
    """

    fuseau: ZoneInfo
    jours_service: Collection[int]
    debut: time
    vacances: Sequence[Periode] = ()
    feries: Collection[date] = frozenset()

    def vacances_du(self, jour: date) -> Periode | None:
        """The holiday that holds ``jour``."""
        return next((periode for periode in self.vacances if periode[0] <= jour <= periode[1]), None)

    def instant(self, jour: date, heure: time) -> datetime:
        """The first moment when the clocks of the commune show this hour, in its time zone."""
        # zoneinfo reads a skipped hour with the offset of before the change: through UTC, it has moved on.
        return self._local(datetime.combine(jour, heure, self.fuseau).astimezone(UTC))

    def debut_du(self, jour: date, *, heures_avant: int = 0) -> datetime:
        """When the service starts on ``jour``, or that many elapsed hours before."""
        debut = self.instant(jour, self.debut).astimezone(UTC)  # subtracting in local time would ignore the change
        return self._local(debut - timedelta(hours=heures_avant))

    def _local(self, instant: datetime) -> datetime:
        return instant.astimezone(self.fuseau)


def limite(regle: dict, jour: date, calendrier: Calendrier) -> datetime | None:
    """Last moment, included, at which ``jour`` may still be changed; None where ``jour`` is closed.

    In the commune's time zone. To compare it, use ``permis``: between two datetimes of one zone, Python compares
    what the clocks show, and is an hour wrong at the change of autumn.

    :param regle: a rule of which ``valider`` says nothing.
    """
    if regle["type"] == "aucune":
        return calendrier.debut_du(jour)
    if regle["type"] == "heures_avant":
        return calendrier.debut_du(jour, heures_avant=regle["n"])
    if regle["type"] == "table":
        if str(jour.weekday()) not in regle["jours"]:
            return None
        decalage, heure = regle["jours"][str(jour.weekday())]
        dernier = _avant(jour, -decalage)
    else:
        heure = regle["heure"]
        dernier = _DERNIERS_JOURS[regle["type"]](regle, jour, calendrier)
    if dernier is None:
        return None
    return calendrier.instant(dernier, time.max if heure == "23:59" else time.fromisoformat(heure))


def permis(regle: dict, jour: date, calendrier: Calendrier, maintenant: datetime) -> bool:
    """Is ``jour`` open and its ``limite`` not past? The limit itself is still in time; ``ouverture`` is not read.

    :param maintenant: aware, in any time zone.
    :raises TypeError: ``maintenant`` is naive.
    """
    fin = limite(regle, jour, calendrier)
    return fin is not None and maintenant <= fin.astimezone(UTC)


def ouverture(regle: dict, jour: date, calendrier: Calendrier, public: str) -> datetime | None:
    """From when ``jour`` may be asked, in the commune's time zone; None when the rule sets no opening.

    Also None where a ``periode`` is closed, which ``limite`` tells apart.

    :param regle: a rule of which ``valider`` says nothing.
    :param public: ``residents`` or ``autres``.
    :raises KeyError: another audience.
    """
    if "ouverture" not in regle:
        return None
    moment = regle["ouverture"][public]
    if "date" in moment:
        premier = date.fromisoformat(moment["date"])
    else:
        premier = _jour_vise(regle, jour, calendrier)
        if premier is None:
            return None
        premier = _avant(premier, moment["jours"] if "jours" in moment else 7 * moment["semaines"])
    return calendrier.instant(premier, time.fromisoformat(moment["heure"]))


# --- The last day ------------------------------------------------------------------------------------------


def _avant(jour: date, jours: int) -> date:
    return jour - timedelta(days=jours)


def _jour_vise(regle: dict, jour: date, calendrier: Calendrier) -> date | None:
    """The day from which a rule counts back: ``jour``, or for a ``periode`` the first day of its holiday."""
    if regle["type"] != "periode":
        return jour
    vacances = calendrier.vacances_du(jour)
    return vacances and vacances[0]


def _jours_avant(regle: dict, jour: date, calendrier: Calendrier) -> date | None:
    n, compte = regle["n"], regle["compte"]
    if compte == "calendaires" or (n == 0 and compte != "francs"):
        return _avant(jour, n)
    if compte == "francs":
        return _avant(jour, n + 1)
    veilles = (_avant(jour, recul) for recul in range(1, RECUL + 1))
    comptees = (veille for veille in veilles if _est_compte(regle, veille, calendrier))
    return next(islice(comptees, n - 1, None), None)


def _est_compte(regle: dict, jour: date, calendrier: Calendrier) -> bool:
    """Does ``jour`` count among the ``ouvres`` or ``scolaires``?"""
    if jour in calendrier.feries:
        return False
    if regle["compte"] == "ouvres":
        return jour.weekday() in set(range(5)).intersection(regle.get("jours_comptes", range(5)))
    jours = regle.get("jours_comptes", calendrier.jours_service)
    return jour.weekday() in jours and calendrier.vacances_du(jour) is None


def _semaine(regle: dict, jour: date, calendrier: Calendrier) -> date:
    return _avant(jour, jour.weekday() + 7 * regle["avant"] - regle["jour"])


def _mois(regle: dict, jour: date, calendrier: Calendrier) -> date:
    dernier = _avant(jour.replace(day=1), 1)
    return dernier.replace(day=min(regle["jour"], dernier.day))


def _periode(regle: dict, jour: date, calendrier: Calendrier) -> date | None:
    premier = _jour_vise(regle, jour, calendrier)
    return premier and _avant(premier, regle["avant_jours"])


_DERNIERS_JOURS = {"jours_avant": _jours_avant, "semaine": _semaine, "mois": _mois, "periode": _periode}


# --- In words ----------------------------------------------------------------------------------------------


def phrase(regle: dict) -> str:
    """Until when, for parents: « Jusqu'à 12 h, 2 jours d'école avant. », and a second sentence for the opening.

    :param regle: a rule of which ``valider`` says nothing.
    """
    texte = _PHRASES[regle["type"]](regle)
    return f"{texte}. {_phrase_ouverture(regle)}" if "ouverture" in regle else f"{texte}."


def _heure(texte: str) -> str:
    """« 9 h », « 23 h 59 »."""
    heures, minutes = texte.split(":")
    return f"{int(heures)}\u00a0h" + (f"\u00a0{minutes}" if minutes != "00" else "")


def _enumerer(mots: Sequence[str]) -> str:
    """« lundi, mardi et jeudi »."""
    return " et ".join([*([", ".join(mots[:-1])] if mots[1:] else []), mots[-1]])


def _pluriel(nombre: int, nom: str) -> str:
    """« 1 jour », « 2 jours francs »: the words of ``nom`` agree with the number."""
    return f"{nombre} " + (nom if nombre < 2 else " ".join(f"{mot}s" for mot in nom.split()))


def _phrase_jours_avant(regle: dict) -> str:
    n, compte = regle["n"], regle["compte"]
    jours = n + (compte == "francs")
    debut = f"Jusqu'à {_heure(regle['heure'])}"
    if jours == 0:
        return f"{debut} le jour même"
    if compte in ("calendaires", "francs"):
        avant = " la veille" if jours == 1 else f", {jours} jours avant"
        return debut + avant + (f" ({_pluriel(n, 'jour franc')})" if compte == "francs" and n else "")
    nom, noms = ("jour ouvré", "jours ouvrés") if compte == "ouvres" else ("jour d'école", "jours d'école")
    texte = f"{debut} le {nom} précédent" if n == 1 else f"{debut}, {n} {noms} avant"
    if "jours_comptes" not in regle:
        return texte
    return f"{texte} (jours comptés\u00a0: {_enumerer([JOURS[jour] for jour in sorted(set(regle['jours_comptes']))])})"


def _phrase_heures_avant(regle: dict) -> str:
    return f"Jusqu'à {_pluriel(regle['n'], 'heure')} avant le début du service" if regle["n"] else _phrase_aucune(regle)


def _phrase_aucune(regle: dict) -> str:
    return "Jusqu'au début du service"


def _phrase_semaine(regle: dict) -> str:
    avant = regle["avant"]
    semaine = {0: " de la même semaine", 1: " de la semaine précédente"}.get(
        avant, f", {avant} semaines avant celle du jour choisi"
    )
    return f"Jusqu'au {JOURS[regle['jour']]} {_heure(regle['heure'])}{semaine}"


def _phrase_table(regle: dict) -> str:
    groupes = {}  # the days that close at the same moment are said together
    for jour, (decalage, heure) in sorted(regle["jours"].items()):
        nom = JOURS[(int(jour) + decalage) % 7]
        if decalage >= -1:
            quand = f"jusqu'à {_heure(heure)} {'la veille' if decalage else 'le jour même'}"
        elif decalage >= -7:
            quand = f"jusqu'au {nom} précédent à {_heure(heure)}"
        else:
            quand = f"jusqu'au {nom} à {_heure(heure)}, {-decalage} jours avant"
        groupes.setdefault(quand, []).append(f"le {JOURS[int(jour)]}")
    textes = [f"pour {_enumerer(jours)}, {quand}" for quand, jours in groupes.items()]
    if len(regle["jours"]) < len(JOURS):
        textes.append("les autres jours sont fermés")
    texte = "\u00a0; ".join(textes)
    return texte[0].upper() + texte[1:]


def _phrase_mois(regle: dict) -> str:
    jour = regle["jour"]
    quantieme = {1: "1er", 31: "dernier jour"}.get(jour, jour)
    court = " (à défaut, son dernier jour)" if jour in (29, 30) else ""
    return f"Jusqu'au {quantieme} du mois précédent{court} à {_heure(regle['heure'])}"


def _phrase_periode(regle: dict) -> str:
    jours = regle["avant_jours"]
    avant = {0: " le", 1: " la veille du"}.get(jours, f", {jours} jours avant le")
    return f"Jusqu'à {_heure(regle['heure'])}{avant} premier jour des vacances"


_PHRASES = {
    "jours_avant": _phrase_jours_avant,
    "heures_avant": _phrase_heures_avant,
    "semaine": _phrase_semaine,
    "table": _phrase_table,
    "mois": _phrase_mois,
    "periode": _phrase_periode,
    "aucune": _phrase_aucune,
}


def _phrase_ouverture(regle: dict) -> str:
    repere = " le premier jour des vacances" if regle["type"] == "periode" else ""
    moments = {public: _phrase_moment(regle["ouverture"][public], repere) for public in PUBLICS}
    if moments["residents"] == moments["autres"]:
        return f"Ouverture {moments['residents']}."
    return "Ouverture " + "\u00a0; ".join(f"pour {qui} {moments[public]}" for public, qui in PUBLICS.items()) + "."


def _phrase_moment(moment: dict, repere: str) -> str:
    if "date" in moment:
        quand = f"le {en_clair(date.fromisoformat(moment['date']))}"
    elif nombre := moment.get("jours", moment.get("semaines")):
        quand = f"{_pluriel(nombre, 'jour' if 'jours' in moment else 'semaine')} avant{repere}"
    else:
        quand = repere.strip() or "le jour même"
    return f"{quand} à {_heure(moment['heure'])}"


# --- What an agent typed -------------------------------------------------------------------------------------


def valider(regle: object) -> list[str]:
    """What does not hold in a rule, in sentences for the agent who typed it; empty when all is well.

    :param regle: whatever ``json.loads`` may return; nothing is raised.
    """
    if not isinstance(regle, dict) or regle.get("type") not in list(_CHAMPS):
        return [f"Choisissez le type de la règle\u00a0: {', '.join(_CHAMPS)}."]
    demandes, permises = _CHAMPS[regle["type"]], {"type", "ouverture"}
    if regle["type"] == "jours_avant":
        permises.add("jours_comptes")
    if not set(demandes) <= set(regle) <= {*demandes, *permises}:
        noms = ", ".join(["type", *demandes, *(f"{nom} (facultatif)" for nom in sorted(permises - {"type"}))])
        return [f"Une règle «\u00a0{regle['type']}\u00a0» se compose de\u00a0: {noms}."]
    fautes = [faute for nom, verifier in demandes.items() for faute in verifier(regle[nom])]
    if "jours_comptes" in regle:
        fautes += _verifier_jours_comptes(regle["jours_comptes"], regle["compte"])
    if not fautes and regle.get("compte") in ("ouvres", "scolaires") and regle["n"] > COMPTES_MAX:
        fautes.append(f"Le nombre de jours ouvrés ou d'école va de 0 à {COMPTES_MAX}.")
    if "ouverture" in regle:
        fautes += _verifier_ouverture(regle["ouverture"])
    return fautes


def _est_entier(valeur: object, mini: int, maxi: int) -> bool:
    return type(valeur) is int and mini <= valeur <= maxi  # True is an int for isinstance


def _entier(sujet: str, maxi: int, mini: int = 0):
    return lambda valeur: [] if _est_entier(valeur, mini, maxi) else [f"{sujet} va de {mini} à {maxi}."]


def _verifier_heure(valeur: object) -> list[str]:
    if isinstance(valeur, str) and HEURE.fullmatch(valeur):
        return []
    return ["L'heure s'écrit avec quatre chiffres, de 00:00 à 23:59."]


def _verifier_compte(valeur: object) -> list[str]:
    return [] if valeur in COMPTES else [f"Choisissez quels jours comptent\u00a0: {', '.join(COMPTES)}."]


def _verifier_jours_comptes(valeur: object, compte: object) -> list[str]:
    if not isinstance(valeur, list) or not valeur or not all(_est_entier(jour, 0, 6) for jour in valeur):
        return ["Choisissez au moins un jour compté, de 0 (lundi) à 6 (dimanche)."]
    if compte == "ouvres" and min(valeur) > 4:
        return ["Le samedi et le dimanche ne sont jamais ouvrés\u00a0: comptez au moins un jour de la semaine."]
    return []


def _verifier_table(valeur: object) -> list[str]:
    if not isinstance(valeur, dict) or not valeur or not set(valeur) <= set("0123456"):
        return ["La table a une ligne par jour ouvert, de «\u00a00\u00a0» (lundi) à «\u00a06\u00a0» (dimanche)."]
    fautes = []
    for jour, ligne in sorted(valeur.items()):
        if not isinstance(ligne, list) or len(ligne) != 2:
            fautes.append(f"Pour le {JOURS[int(jour)]}, donnez un nombre de jours et une heure.")
        elif not _est_entier(ligne[0], -JOURS_MAX, 0):
            fautes.append(f"Pour le {JOURS[int(jour)]}, le nombre de jours va de −{JOURS_MAX} à 0.")
        elif _verifier_heure(ligne[1]):
            fautes.append(f"Pour le {JOURS[int(jour)]}, l'heure s'écrit avec quatre chiffres, de 00:00 à 23:59.")
    return fautes


def _verifier_ouverture(valeur: object) -> list[str]:
    if not isinstance(valeur, dict) or set(valeur) != set(PUBLICS):
        return [f"Donnez l'ouverture de chaque public\u00a0: {' et '.join(PUBLICS)}."]
    verifications = {"heure": _verifier_heure, **_MOMENTS}
    fautes = []
    for public, qui in PUBLICS.items():
        moment = valeur[public]
        cles = set(moment) if isinstance(moment, dict) else set()
        if len(cles) != 2 or "heure" not in cles or not cles <= set(verifications):
            trouvees = ["donnez l'heure, et des semaines, des jours ou une date."]
        else:
            trouvees = [faute for nom in sorted(cles) for faute in verifications[nom](moment[nom])]
        fautes += [f"Ouverture pour {qui}\u00a0: {faute[0].lower()}{faute[1:]}" for faute in trouvees]
    return fautes


def _verifier_date(valeur: object) -> list[str]:
    try:
        if re.fullmatch("2[0-9]{3}-[0-9]{2}-[0-9]{2}", valeur) and date.fromisoformat(valeur):
            return []
    except (TypeError, ValueError):
        pass
    return ["La date s'écrit 2026-08-21, à partir de l'an 2000."]


_MOMENTS = {
    "semaines": _entier("Le nombre de semaines", 52),
    "jours": _entier("Le nombre de jours", JOURS_MAX),
    "date": _verifier_date,
}
_CHAMPS = {  # type -> what it must hold, and how each is checked
    "jours_avant": {
        "n": _entier("Le nombre de jours", JOURS_MAX),
        "heure": _verifier_heure,
        "compte": _verifier_compte,
    },
    "heures_avant": {"n": _entier("Le nombre d'heures", 24 * JOURS_MAX)},
    "semaine": {
        "avant": _entier("Le nombre de semaines", 52),
        "jour": _entier("Le jour de la semaine", 6),
        "heure": _verifier_heure,
    },
    "table": {"jours": _verifier_table},
    "mois": {"jour": _entier("Le jour du mois", 31, mini=1), "heure": _verifier_heure},
    "periode": {"avant_jours": _entier("Le nombre de jours", JOURS_MAX), "heure": _verifier_heure},
    "aucune": {},
}
