"""Filters of the lists of invoices and payments."""

from datetime import date

from django.contrib import admin
from django.utils import timezone

from enfants.regles.dates import MOIS
from facturation import comptes, etats
from facturation.models import Facture, Regie

MOIS_PROPOSES = 18  # the last ones: an older invoice is found by its number
LIBELLES = {
    "brouillon": comptes.BROUILLON,
    "reportee": comptes.REPORTEE,
    "a-payer": comptes.A_PAYER,
    "en-partie": comptes.EN_PARTIE,
    "en-retard": comptes.EN_RETARD,
    "payee": comptes.PAYEE,
    "titree": comptes.TITREE,
    "annoncee": comptes.ANNONCEE,
    "titre-paye": comptes.TITRE_PAYE,
    "titre-annule": comptes.TITRE_ANNULE,
    "annulee": comptes.ANNULEE,
    "avoir": comptes.AVOIR,
}


def lire_mois(texte: str) -> date | None:
    """« 2026-09 »."""
    try:
        return date.fromisoformat(f"{texte}-01")
    except ValueError:
        return None


class FiltreMois(admin.SimpleListFilter):
    """The month that is billed."""

    title = "mois"
    parameter_name = "mois"

    def factures(self):
        """Those whose months are offered."""
        return Facture.objects.all()

    def lookups(self, request, model_admin):
        mois = self.factures().order_by("-mois").values_list("mois", flat=True).distinct()[:MOIS_PROPOSES]
        return [(f"{m:%Y-%m}", f"{MOIS[m.month - 1]} {m.year}") for m in mois]

    def queryset(self, request, queryset):
        mois = lire_mois(self.value() or "")
        return queryset.filter(mois=mois) if mois else queryset


class FiltreMoisEmis(FiltreMois):
    """The month that is billed, of a list without drafts."""

    def factures(self):
        return Facture.objects.emises()


class FiltreRegie(admin.SimpleListFilter):
    title = "régie ou titre"
    parameter_name = "regie"

    def lookups(self, request, model_admin):
        return [(str(regie.pk), regie.nom) for regie in Regie.objects.all()]

    def queryset(self, request, queryset):
        cle = self.value() or ""
        return queryset.filter(regie=cle) if cle.isdecimal() and len(cle) < 10 else queryset


class FiltreEtat(admin.SimpleListFilter):
    """Every state that an agent reads on the list."""

    title = "état"
    parameter_name = "suivi"

    def lookups(self, request, model_admin):
        return [(code, etat.libelle) for code, etat in LIBELLES.items()]

    def queryset(self, request, queryset):
        if self.value() in LIBELLES:
            return queryset.filter(etats.conditions(timezone.localdate())[self.value()])
        return queryset


class FiltrePaiement(admin.SimpleListFilter):
    """Who has not paid: whoever collects, late or not."""

    title = "paiement"
    parameter_name = "paiement"
    groupes = {
        "non": ("Non payées", etats.NON_PAYEES),
        "retard": ("En retard", ("en-retard",)),
        "annonce": ("Annoncées par PayFiP", ("annoncee",)),
        "oui": ("Payées", etats.PAYEES),
        "annulees": ("Annulées et avoirs", etats.ANNULEES),
    }

    def lookups(self, request, model_admin):
        return [(code, libelle) for code, (libelle, _) in self.groupes.items()]

    def queryset(self, request, queryset):
        if self.value() in self.groupes:
            return queryset.filter(etats.une_de(self.groupes[self.value()][1], timezone.localdate()))
        return queryset


class FiltreMoisRecu(admin.SimpleListFilter):
    """The month in which a payment came."""

    title = "mois"
    parameter_name = "mois"

    def lookups(self, request, model_admin):
        mois = model_admin.model.objects.dates("recu_le", "month", order="DESC")[:MOIS_PROPOSES]
        return [(f"{m:%Y-%m}", f"{MOIS[m.month - 1]} {m.year}") for m in mois]

    def queryset(self, request, queryset):
        mois = lire_mois(self.value() or "")
        return queryset.filter(recu_le__year=mois.year, recu_le__month=mois.month) if mois else queryset
