"""What days would cost a household, before they are booked: the prices of the invoice to come, line by line.

Nine queries at most, however many days, children and services.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from enfants.regles.presences import AFacturer, Code
from facturation.regles.grilles import Cause, Genre, Journee, Ligne, Payeur, Quotient, Unite
from facturation.regles.lignes import aider, facturer, lundi, supplement
from facturation.regles.phrases import majorer
from facturation.regles.tarifs import Prix, TarifInconnu, prix_unitaire
from facturation.tarification import GrilleDatee, Payeurs, grilles
from familles.models import Famille
from portail.outils.argent import euros


@dataclass(frozen=True)
class JourVoulu:
    """A day that the family is about to book."""

    enfant: int
    service: int
    jour: date
    formule: int | None = None
    tardif: bool = False


@dataclass(frozen=True)
class PrixDuJour:
    """The price of one unit on a day, and all that explains it.

    :param majorations: « réservé après le délai : + 1,70 € »; those that may be added.
    :param aides: what each helper takes off one unit.
    """

    prix: Prix
    datee: GrilleDatee
    majorations: tuple[str, ...]
    aides: tuple[Ligne, ...]

    @property
    def unite(self) -> str:
        """« par repas »."""
        unites = {Unite.MOIS: "mois", Unite.SEMAINE: "semaine"}
        return f"par {unites.get(self.datee.grille.unite, self.datee.grille.mots[0])}"

    @property
    def reste(self) -> Decimal:
        """What the family pays of one unit."""
        return self.prix.montant + sum(aide.montant for aide in self.aides)

    @property
    def phrase(self) -> str:
        """« 3,40 € par repas (tranche 3, QF 812 au 01/09) »."""
        return f"{euros(self.prix.montant)} {self.unite} ({self.prix.raison})"


class Devis:
    """Grids and household, read once for some days.

    :param famille: the one that books, hence pays: of a child in two households, each has its own prices.
    :param services: keys.
    :param du, au: first and last day that will be priced.
    """

    def __init__(self, famille: Famille, services: Iterable[int], du: date, au: date):
        self.famille = famille.pk
        self.grilles = grilles(set(services), du, au)
        self.payeurs = Payeurs([famille.pk], du, au) if self.grilles else None

    def prix(
        self,
        enfant: int,
        service: int,
        jour: date,
        formule: int | None = None,
        *,
        quotient: Decimal | None = None,
        tardif: bool | None = None,
    ) -> PrixDuJour:
        """The price of one unit that day.

        :param quotient: as if the household had this one.
        :param tardif: asked after the deadline or not, which keeps the increase of that alone; None: all of them.
        :raises TarifInconnu: no grid is valid that day, or it gives no price; the text says which.
        """
        datee = next((g for g in self.grilles.get(service, []) if g.vaut(jour)), None)
        if datee is None:
            raise TarifInconnu("Aucune grille de tarifs ne vaut ce jour-là pour ce service.")
        payeur = self._payeur(enfant, service, jour, quotient)
        prix = prix_unitaire(datee.grille, payeur, jour, formule)
        return PrixDuJour(
            prix,
            datee,
            tuple(_majorations(datee.grille, payeur, _journee(JourVoulu(enfant, service, jour, formule)), tardif)),
            tuple(aider(datee.grille, payeur, [Ligne(Genre.PRESTATION, "", 1, prix.montant, (jour,))])),
        )

    @property
    def a_forfaits(self) -> bool:
        """True where days already booked change what the next ones cost."""
        toutes = [datee.grille for datees in self.grilles.values() for datee in datees]
        return any(g.semaine is not None or g.unite in (Unite.MOIS, Unite.SEMAINE) for g in toutes)

    def _payeur(self, enfant, service, jour, quotient) -> Payeur:
        payeur = self.payeurs.payeur(self.famille, enfant, service)
        return payeur if quotient is None else replace(payeur, quotients=(Quotient(quotient, jour),))

    def lignes(self, voulus: Iterable[JourVoulu]) -> list[Ligne] | None:
        """The lines that an invoice would hold for these days of one child and one service, if the child comes.

        None where the price of one of them is not known before: no grid, or a duration.
        """
        par_facture = {}
        for voulu in voulus:
            datee = next((g for g in self.grilles.get(voulu.service, []) if g.vaut(voulu.jour)), None)
            if datee is None or datee.grille.unite == Unite.DUREE:
                return None
            mois = _jour_compte(datee.grille, voulu.jour).replace(day=1)
            par_facture.setdefault((datee.du, mois), (datee.grille, []))[1].append(voulu)
        try:
            return [ligne for grille, jours in par_facture.values() for ligne in self._facturer(grille, jours)]
        except TarifInconnu:
            return None

    def _facturer(self, grille, voulus):
        """The days of one invoice at the prices of one grid."""
        premier = voulus[0]
        payeur = self._payeur(premier.enfant, premier.service, premier.jour, None)
        comptes = [_jour_compte(grille, voulu.jour) for voulu in voulus]
        return facturer(grille, payeur, map(_journee, voulus), du=min(comptes), au=max(comptes))


def _jour_compte(grille, jour):
    """A week that has a price of its own goes whole to the month of its Monday."""
    return lundi(jour) if grille.semaine is not None or grille.unite == Unite.SEMAINE else jour


def _journee(voulu):
    return Journee(voulu.jour, Code.PRESENT_RESERVE, AFacturer.OUI, voulu.formule, tardif=voulu.tardif)


def _majorations(grille, payeur, journee, tardif):
    for majoration in grille.majorations:
        if tardif is None or (tardif and majoration.cause == Cause.RESERVE_TARD):
            montant = supplement(grille, payeur, majoration, journee)
            if montant:
                yield majorer(majoration, euros(montant))
