"""What booking costs, told before it is done: the lines of the invoice to come, by the same rules."""

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal

from enfants.planning import Cellule
from enfants.regles.planning import Geste
from enfants.reservations import Verdict
from facturation.devis import Devis, JourVoulu, PrixDuJour
from facturation.regles.grilles import Genre
from facturation.regles.tarifs import TarifInconnu
from familles.models import Famille
from portail.outils.argent import euros

NON_COMMUNIQUE = "prix non communiqué"


@dataclass
class Cout:
    """The price of the days that a submit would book, as the summary prints it.

    :param enfants: (first name, lines): each line is what is paid and how much, "" where it is not known before.
    """

    enfants: list[tuple[str, list[tuple[str, str]]]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    montant: Decimal = Decimal(0)
    complet: bool = True

    @property
    def total(self) -> str:
        return euros(self.montant)


def chiffrer(famille: Famille, verdicts: list[Verdict]) -> Cout | None:
    """What the days to book would cost this household, those that the mairie will decide included; None without any.

    The number of queries does not depend on the number of days.
    """
    voulus = defaultdict(list)
    for v in verdicts:
        if v.possible and v.possible.geste == Geste.RESERVER:
            voulus[v.cellule.enfant.pk, v.cellule.offre.cle].append(v)
    if not voulus:
        return None
    jours = [v.changement.jour for vs in voulus.values() for v in vs]
    devis = Devis(famille, {service for _, service in voulus}, min(jours), max(jours))
    cout, par_enfant = Cout(), {}
    for vs in voulus.values():
        enfant = vs[0].cellule.enfant
        par_enfant.setdefault(enfant.pk, (enfant.prenom, []))[1].extend(_lignes(devis, vs, cout))
    cout.enfants = list(par_enfant.values())
    if devis.a_forfaits:
        cout.notes.append("Un forfait se compte une seule fois, avec les jours déjà réservés.")
    if any(not v.est_direct for vs in voulus.values() for v in vs):
        cout.notes.append("Les jours que la mairie décidera sont comptés.")
    return cout


def _lignes(devis, verdicts, cout):
    """The lines of one child and one service; ``cout`` adds them up."""
    voulus = [_voulu(v.cellule, v.changement.formule, v.possible.tardif) for v in verdicts]
    lignes = devis.lignes(voulus)
    service = verdicts[0].cellule.offre.nom
    if lignes is None:
        cout.complet = False
        return [(f"{service}, {_faute_de_total(devis, voulus[0])}", "")]
    cout.montant += sum(ligne.montant for ligne in lignes)
    tardif = next((voulu for voulu in voulus if voulu.tardif), None)
    if tardif and not any(ligne.genre == Genre.MAJORATION for ligne in lignes):  # the first times only warn
        cout.notes += [f"{service}, {majoration}." for majoration in _prix(devis, tardif).majorations]
    return [(ligne.libelle, euros(ligne.montant)) for ligne in lignes]


def _voulu(cellule, formule, tardif):
    return JourVoulu(cellule.enfant.pk, cellule.offre.cle, cellule.jour, formule, tardif)


def _prix(devis, voulu) -> PrixDuJour:
    return devis.prix(voulu.enfant, voulu.service, voulu.jour, voulu.formule, tardif=voulu.tardif)


def _faute_de_total(devis, voulu):
    """A duration has a price, but no total before the child has come and gone."""
    try:
        return f"{_prix(devis, voulu).phrase}, selon la durée"
    except TarifInconnu:
        return NON_COMMUNIQUE


# --- One cell --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PrixDeCase:
    """The price of a day, as the page of its cell prints it.

    :param formules: (key, name and price) of each, to choose from.
    """

    phrase: str
    suites: tuple[str, ...] = ()
    formules: tuple[tuple[int, str], ...] = ()


def prix_de_case(famille: Famille, cellule: Cellule) -> PrixDeCase | None:
    """What this household pays if it books this cell; None when there is nothing to book."""
    reserver = next((cellule.geste(geste) for geste in (Geste.RESERVER, Geste.ATTENDRE) if cellule.geste(geste)), None)
    if reserver is None:
        return None
    offre, le = cellule.offre, cellule.jour
    devis = Devis(famille, [offre.cle], le, le)
    if not offre.formules:
        prix = _essayer(devis, _voulu(cellule, None, reserver.tardif))
        return PrixDeCase(f"Prix\u00a0: {prix.phrase}.", _suites(prix)) if prix else _inconnu()
    par_formule = [(cle, nom, _essayer(devis, _voulu(cellule, cle, reserver.tardif))) for cle, nom in offre.formules]
    connus = [prix for _, _, prix in par_formule if prix]
    inconnue = f"\u00a0: {NON_COMMUNIQUE}" if connus else ""  # of none, the phrase says it once
    choix = tuple(
        (cle, nom + (f"\u00a0: {euros(prix.prix.montant)}" if prix else inconnue)) for cle, nom, prix in par_formule
    )
    raisons = dict.fromkeys(prix.prix.raison for prix in connus)
    if len(raisons) == 1:
        phrase = f"Prix\u00a0: {next(iter(raisons))}."
    else:
        phrase = "Le prix dépend de la formule." if raisons else _inconnu().phrase
    suites = {suite: None for prix in connus for suite in _suites(prix, aides=False)}
    return PrixDeCase(phrase, tuple(suites), choix)


def _essayer(devis, voulu):
    try:
        return _prix(devis, voulu)
    except TarifInconnu:
        return None


def _inconnu():
    return PrixDeCase(f"{NON_COMMUNIQUE.capitalize()}.")


def _suites(prix, *, aides=True):
    """What is added, what others pay."""
    dites = [f"{majoration[:1].upper()}{majoration[1:]}." for majoration in prix.majorations]
    if aides and prix.aides:
        dites += [f"{aide.libelle}\u00a0: {euros(aide.montant)}." for aide in prix.aides]
        dites.append(f"Il vous reste {euros(prix.reste)} {prix.unite}.")
    return tuple(dites)
