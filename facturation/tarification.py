"""The voted prices and the families as the rules read them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import Prefetch, Q

from enfants.models import Enfant, Inscription, Rattachement
from enfants.regles.annees import annee_scolaire
from enfants.regles.dates import en_clair
from facturation.models import AideFamille, Grille, Tarif
from facturation.regles import grilles as regles
from familles.models import Famille, QuotientFamilial


@dataclass(frozen=True)
class GrilleDatee:
    """A grid with the days it is valid.

    :param deliberation: what the invoice keeps of the vote: « 2026-42 du 12 juin 2026 ».
    """

    grille: regles.Grille
    deliberation: str
    du: date
    au: date | None

    def vaut(self, jour: date) -> bool:
        return self.du <= jour and (self.au is None or jour <= self.au)


def grilles(services: Iterable[int], du: date, au: date) -> dict[int, list[GrilleDatee]]:
    """Key of each service -> the grids that are valid on a day of these, by their first day; three queries."""
    rows = (
        Grille.objects.filter(Q(valable_au__gte=du) | Q(valable_au=None), valable_du__lte=au, service__in=services)
        .select_related("service")
        .prefetch_related("majorations", Prefetch("tarifs", Tarif.objects.prefetch_related("tranches")))
        .order_by("service", "valable_du")
    )
    resultat = {}
    for row in rows:
        vote = f"{row.deliberation} du {en_clair(row.votee_le)}"
        datee = GrilleDatee(en_regles(row), vote, row.valable_du, row.valable_au)
        resultat.setdefault(row.service_id, []).append(datee)
    return resultat


def en_regles(row: Grille) -> regles.Grille:
    """One grid as the rules read it."""
    par_formule = {}
    for tarif in row.tarifs.all():
        par_formule.setdefault(tarif.formule_id, {})[tarif.public] = tarif
    semaine = par_formule.get(None, {}).get(Tarif.Public.SEMAINE)
    return regles.Grille(
        service=row.service.nom,
        unite=regles.Unite(row.unite),
        mots=(row.mot, row.mots),
        baremes=_baremes(par_formule.get(None, {})),
        formules=tuple((cle, _baremes(tarifs)) for cle, tarifs in par_formule.items() if cle is not None),
        rangs=tuple(row.rangs),
        semaine=(semaine.jours_semaine, _bareme(semaine)) if semaine else None,
        minutes=row.minutes,
        tolerance=row.tolerance,
        majorations=tuple(
            regles.Majoration(regles.Cause(m.cause), m.pourcent, m.montant, m.a_partir_de, m.double_des, m.minutes)
            for m in row.majorations.all()
        ),
    )


def _baremes(tarifs):
    """:param tarifs: public -> Tarif, of one formule."""
    publics = Tarif.Public
    if publics.NORMAL not in tarifs:
        return None
    exterieur = tarifs.get(publics.EXTERIEUR)
    return regles.Baremes(
        normal=_bareme(tarifs[publics.NORMAL]),
        exterieur=_bareme(exterieur) if exterieur and exterieur.supplement is None else None,
        pourcent_exterieur=exterieur.supplement if exterieur and exterieur.supplement else regles.ZERO,
        occasionnel=_bareme(tarifs[publics.OCCASIONNEL]) if publics.OCCASIONNEL in tarifs else None,
        panier=_bareme(tarifs[publics.PANIER]) if publics.PANIER in tarifs else None,
    )


def _bareme(tarif):
    if tarif.calcul == Tarif.Calcul.FIXE:
        return regles.Bareme(fixe=tarif.montant)
    if tarif.calcul == Tarif.Calcul.TAUX:
        return regles.Bareme(taux=tarif.taux, plancher=tarif.plancher, plafond=tarif.plafond)
    return regles.Bareme(tranches=tuple(regles.Tranche(t.au, t.montant) for t in tarif.tranches.all()))


class Payeurs:
    """Who pays for whom: what the prices need of some households, read in five queries.

    :param familles: keys of households.
    :param du, au: the days that will be priced.
    """

    def __init__(self, familles: Iterable[int], du: date, au: date):
        self.familles = {famille.pk: famille for famille in Famille.objects.filter(pk__in=familles)}
        par_ville = {famille.ville: famille for famille in self.familles.values()}
        d_ici = {ville for ville, famille in par_ville.items() if famille.est_residente}
        self.residentes = {cle: famille.ville in d_ici for cle, famille in self.familles.items()}
        self.quotients, self.aides, self.rangs, self.reguliers = {}, {}, {}, set()
        for q in QuotientFamilial.objects.filter(famille__in=self.familles).order_by("valable_du"):
            self.quotients.setdefault(q.famille_id, []).append(regles.Quotient(q.valeur, q.valable_du, q.valable_au))
        aides = AideFamille.objects.filter(famille__in=self.familles, valable_du__lte=au)
        for aide in aides.filter(Q(valable_au=None) | Q(valable_au__gte=du)).order_by("pk"):
            self.aides.setdefault(aide.famille_id, []).append(aide)
        self._ranger_enfants(du, au)
        annees = {annee_scolaire(du), annee_scolaire(au)}
        inscrites = Inscription.objects.filter(famille__in=self.familles, annee__in=annees).exclude(jours=[])
        self.reguliers = set(inscrites.order_by().values_list("famille", "enfant", "service"))

    def _ranger_enfants(self, du, au):
        """The children of each household, from the eldest: their rank is what prices go down with."""
        ici = Rattachement.objects.filter(famille__in=self.familles, valable_du__lte=au)
        ici = ici.filter(Q(valable_au=None) | Q(valable_au__gte=du), enfant__archive_le=None)
        self.paniers = set()
        liens = ici.order_by("famille", "enfant__date_naissance", "enfant")
        for famille, enfant, regime in liens.values_list("famille", "enfant", "enfant__regime"):
            rangs = self.rangs.setdefault(famille, {})
            rangs.setdefault(enfant, len(rangs) + 1)
            if regime == Enfant.Regime.PANIER_PAI:
                self.paniers.add(enfant)

    def payeur(self, famille: int, enfant: int, service: int) -> regles.Payeur:
        """This household for this child and this service; a child that left it is priced as the first."""
        return regles.Payeur(
            residente=self.residentes[famille],
            quotients=tuple(self.quotients.get(famille, ())),
            rang=self.rangs.get(famille, {}).get(enfant, 1),
            regulier=(famille, enfant, service) in self.reguliers,
            panier=enfant in self.paniers,
            aides=tuple(
                regles.Aide(a.organisme, a.montant, a.pourcent, a.plafond, a.valable_du, a.valable_au or date.max)
                for a in self.aides.get(famille, ())
                if a.enfant_id in (None, enfant) and a.service_id in (None, service)
            ),
        )
