"""The grids as agents keep them: their brackets, the next one from a day on, and those that invoices have used."""

from datetime import date, timedelta

from django.db import connection, transaction

from facturation.models import AideFamille, Facture, Grille, LigneFacture, Tarif, TrancheTarif
from facturation.regles import phrases
from facturation.regles.grilles import Tranche
from facturation.regles.tarifs import pourcent
from facturation.tarification import en_regles
from portail.outils.argent import euros
from portail.outils.dates import jour as en_mots

UN_JOUR = timedelta(days=1)


class GrilleUtilisee(Exception):
    """Issued invoices count these prices; the text is what the agent reads."""


def verrouiller(cle: int) -> None:
    """Two agents who change a grid queue up."""
    Grille.objects.select_for_update(of=("self",), no_key=True).filter(pk=cle).order_by("pk").first()


@transaction.atomic
def ecrire_tranches(tarif: Tarif, tranches: tuple[Tranche, ...]) -> None:
    """The families pay by these brackets, and by none of those before."""
    tarif.tranches.all().delete()
    TrancheTarif.objects.bulk_create(TrancheTarif(tarif=tarif, au=t.au, montant=t.montant) for t in tranches)


@transaction.atomic
def dupliquer(grille: Grille, *, le: date, deliberation: str, votee_le: date) -> Grille:
    """From ``le`` on the prices are those of a new grid, the same until they are edited; the old one ends before it.

    :param deliberation, votee_le: of the new one.
    :raises GrilleUtilisee: the day is not within the old one, or invoices count it for that day or a later one.
    """
    verrouiller(grille.pk)
    grille.refresh_from_db()
    fin = grille.valable_au
    if le <= grille.valable_du or (fin is not None and le > fin):
        jusqua = f" et jusqu'au {en_mots(fin, semaine=False)}" if fin else ""
        debut = en_mots(grille.valable_du + UN_JOUR, semaine=False)
        raise GrilleUtilisee(f"Choisissez un jour à partir du {debut}{jusqua}.")
    dernier = dernier_jour_facture(grille)
    if dernier is not None and le <= dernier:
        raise GrilleUtilisee(
            f"Des factures émises comptent ces prix jusqu'au {en_mots(dernier, semaine=False)}\u00a0: "
            "choisissez un jour après."
        )
    # Read before the old one ends: the copies keep everything but the key and the grid.
    tarifs = list(grille.tarifs.order_by("pk").prefetch_related("tranches"))
    majorations = list(grille.majorations.all())
    Grille.objects.filter(pk=grille.pk).update(valable_au=le - UN_JOUR)
    nouvelle = _copier(grille, valable_du=le, valable_au=fin, deliberation=deliberation, votee_le=votee_le)
    for tarif in tarifs:
        tranches = list(tarif.tranches.all())
        copie = _copier(tarif, grille=nouvelle)
        TrancheTarif.objects.bulk_create(TrancheTarif(tarif=copie, au=t.au, montant=t.montant) for t in tranches)
    for majoration in majorations:
        _copier(majoration, grille=nouvelle)
    return nouvelle


def _copier(row, **autrement):
    """A new row with the same columns, ``autrement`` instead."""
    colonnes = {c.attname: getattr(row, c.attname) for c in row._meta.concrete_fields if not c.primary_key}
    for nom, valeur in autrement.items():
        colonnes[row._meta.get_field(nom).attname] = getattr(valeur, "pk", valeur)
    return type(row).objects.create(**colonnes)


# --- What invoices have used -----------------------------------------------------------------------------

DERNIER_JOUR_DU_MOIS = """
SELECT max((jour ->> 0)::date)
FROM facturation_facture facture
JOIN facturation_lignefacture ligne ON ligne.facture_id = facture.id
CROSS JOIN LATERAL jsonb_array_elements(ligne.jours) jour
WHERE facture.etat = 'EMISE' AND facture.mois = %s AND ligne.service_id = %s
AND (jour ->> 0)::date BETWEEN %s AND %s
"""


def dernier_jour_facture(grille: Grille) -> date | None:
    """The last day that an issued invoice counts at these prices, None when none does.

    From the last month back: years of invoices are not read. A week is billed with the month of its Monday, so the
    month before the last one found is read too.
    """
    du, au = grille.valable_du, grille.valable_au or date.max
    mois = Facture.objects.emises().filter(mois__gte=(du - 6 * UN_JOUR).replace(day=1), mois__lte=au)
    trouve = None
    with connection.cursor() as curseur:
        for premier in mois.order_by("-mois").values_list("mois", flat=True).distinct():
            curseur.execute(DERNIER_JOUR_DU_MOIS, [premier, grille.service_id, du, au])
            (dernier,) = curseur.fetchone()
            if trouve is not None:
                return max(filter(None, [trouve, dernier]))
            trouve = dernier
    return trouve


def aide_facturee(aide: AideFamille) -> bool:
    """True once an issued invoice of the family tells this aid."""
    return LigneFacture.objects.filter(
        facture__famille=aide.famille_id,
        facture__etat=Facture.Etat.EMISE,
        genre=LigneFacture.GenreLigne.AIDE,
        libelle__endswith=f"aide de {aide.organisme}",
    ).exists()


# --- Read back -------------------------------------------------------------------------------------------


def lire(grille: Grille) -> phrases.Lecture:
    """The grid in French, as its page prints it."""
    return phrases.lire(
        en_regles(grille),
        du=grille.valable_du,
        au=grille.valable_au,
        deliberation=grille.deliberation,
        votee_le=grille.votee_le,
        formules=dict(grille.service.formules.values_list("pk", "nom")),
    )


def dire_aide(aide: AideFamille) -> str:
    """« 1,50 € par unité, au plus 60,00 € par mois »."""
    if aide.montant is not None:
        texte = f"{euros(aide.montant)} par unité"
    else:
        texte = f"{pourcent(aide.pourcent)} du reste à payer"
    return texte + (f", au plus {euros(aide.plafond)} par mois" if aide.plafond is not None else "")
