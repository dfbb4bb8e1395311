"""What a household owes today, for its first page: one query, whatever it owes."""

from dataclasses import dataclass
from decimal import Decimal

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import F, OuterRef, Q, Subquery, Sum, TextField
from django.db.models.functions import Cast, JSONObject

from facturation.models import Article, Ecriture, Facture, Regie
from familles.models import Famille

COLONNES = ("id", "uuid", "mois", "exercice", "numero", "emise_le", "echeance", "total", "reference")
CALCULEES = ("reste", "impute")
DU_TITRE = ("etat", "paye")


@dataclass(frozen=True)
class Situation:
    """Where a household stands with a régie.

    :param solde: what it owes, in euros; below zero, what it has to its credit.
    :param impayees: its invoices that are still due, to the commune or to the trésorerie, the first due first; as
        from ``avec_reste()``, with their ``article``.
    """

    regie: Regie
    solde: Decimal
    impayees: list[Facture]


def situations(famille: Famille) -> list[Situation]:
    """By régie, those where the household never had anything left out; one query."""
    ecritures = Ecriture.objects.filter(famille=famille, regie=OuterRef("pk")).order_by()
    solde = ecritures.values("regie").annotate(t=Sum(F("debit") - F("credit"))).values("t")
    dues = Facture.objects.emises().filter(famille=famille, regie=OuterRef("pk")).avec_reste()
    dues = dues.filter(Q(reste__gt=0) | Q(article__etat=Article.Etat.A_PAYER)).order_by("echeance", "pk")
    # As text: a number of JSON would be a float.
    textes = {nom: Cast(nom, TextField()) for nom in (*COLONNES, *CALCULEES)}
    textes |= {f"article_{nom}": Cast(f"article__{nom}", TextField()) for nom in DU_TITRE}
    regies = Regie.objects.annotate(
        solde=Subquery(solde), impayees=ArraySubquery(dues.values(ligne=JSONObject(**textes)))
    )
    return [
        Situation(regie, regie.solde, [_facture(famille, regie, ligne) for ligne in regie.impayees])
        for regie in regies.exclude(solde=None).order_by("ordre", "nom", "pk")
    ]


def _facture(famille, regie, ligne):
    """The invoice of a row read as text, as if it had been read alone."""
    champ = Facture._meta.get_field
    colonnes = {nom: champ(nom).to_python(ligne[nom]) for nom in COLONNES}
    facture = Facture(famille=famille, regie=regie, etat=Facture.Etat.EMISE, **colonnes)
    facture._state.adding, facture.annulee = False, False
    facture.reste, facture.impute = (Decimal(ligne[nom]) for nom in CALCULEES)
    article = None
    if ligne["article_etat"]:
        article = Article(facture=facture, etat=ligne["article_etat"], paye=Decimal(ligne["article_paye"]))
    champ("article").set_cached_value(facture, article)
    return facture
