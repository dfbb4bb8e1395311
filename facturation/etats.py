"""The states of invoices as lists filter them: in SQL, what ``comptes.etat`` says of one invoice."""

from datetime import date
from decimal import Decimal

from django.db.models import Case, DecimalField, F, Q, Value, When

from facturation.models import Article, Facture

MONTANT = DecimalField(max_digits=12, decimal_places=2)
ZERO = Value(Decimal(0), output_field=MONTANT)
EN_COURS = Q(etat=Facture.Etat.EMISE, avoir_de=None, annulee=False)
SANS_TITRE = EN_COURS & Q(article=None)


def conditions(aujourdhui: date) -> dict[str, Q]:
    """Code of a state -> the invoices of ``avec_reste()`` that are in it; each is in one."""
    due = SANS_TITRE & Q(reste__gt=0)
    a_temps = due & Q(echeance__gte=aujourdhui)
    return {
        "brouillon": Q(etat=Facture.Etat.BROUILLON, reporte_le=None),
        "reportee": Q(etat=Facture.Etat.BROUILLON, reporte_le__isnull=False),
        "avoir": Q(etat=Facture.Etat.EMISE, avoir_de__isnull=False),
        "annulee": Q(etat=Facture.Etat.EMISE, avoir_de=None, annulee=True),
        "payee": SANS_TITRE & Q(reste__lte=0),
        "en-retard": due & Q(echeance__lt=aujourdhui),
        "en-partie": a_temps & ~Q(impute=0),
        "a-payer": a_temps & Q(impute=0),
        "titree": EN_COURS & Q(article__etat=Article.Etat.A_PAYER),
        "annoncee": EN_COURS & Q(article__etat=Article.Etat.ANNONCE),
        "titre-paye": EN_COURS & Q(article__etat=Article.Etat.PAYE),
        "titre-annule": EN_COURS & Q(article__etat=Article.Etat.ANNULE),
    }


def une_de(codes, aujourdhui: date) -> Q:
    """The invoices in one of these states."""
    tous, choisies = conditions(aujourdhui), Q()
    for code in codes:
        choisies |= tous[code]
    return choisies


# What the trésorerie asks: two answers, whoever collects.
NON_PAYEES = ("a-payer", "en-partie", "en-retard", "titree", "annoncee")
PAYEES = ("payee", "titre-paye")
ANNULEES = ("annulee", "titre-annule", "avoir")


def avec_suivi(factures):
    """``avec_reste()``, with ``recu`` (by the commune or the trésorerie) and ``attendu`` (still), in euros."""
    sans_dette = Q(annulee=True) | Q(avoir_de__isnull=False) | Q(article__etat=Article.Etat.ANNULE)
    return factures.avec_reste().annotate(
        recu=Case(When(article__isnull=False, then=F("article__paye")), default=F("impute"), output_field=MONTANT),
        attendu=Case(
            When(sans_dette | Q(article__etat=Article.Etat.PAYE), then=ZERO),
            When(article__isnull=False, then=F("total") - F("article__paye")),
            default=F("reste"),
            output_field=MONTANT,
        ),
    )
