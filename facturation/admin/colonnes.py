"""Columns that several lists share: amounts, states, debtors, in words."""

from django.contrib import admin
from django.utils import timezone

from facturation import comptes
from facturation.models import Facture
from portail.outils.admin import EnMots, LectureSeuleAdmin
from portail.outils.argent import euros

DES_ADULTES = ["famille__nom__unaccent", "famille__responsables__utilisateur__nom__unaccent"]  # for search_fields


def debiteur(facture: Facture) -> str:
    """As the invoice says it, which the family's file may not say any more."""
    return ", ".join(facture.debiteur.get("noms", [])) or str(facture.famille)


def etat_en_mots(facture: Facture) -> str:
    return comptes.etat(facture, timezone.localdate()).libelle


class DesFactures(EnMots, LectureSeuleAdmin):
    """Invoices as rows: one query for all that their columns tell."""

    list_select_related = ["famille", "regie", "article__role"]

    def get_queryset(self, request):
        return super().get_queryset(request).avec_reste().select_related(*self.list_select_related)

    @admin.display(description="numéro", ordering="numero")
    def numero_lisible(self, facture):
        return facture.numero_complet or "Brouillon"

    @admin.display(description="débiteur", ordering="famille__nom")
    def qui(self, facture):
        return debiteur(facture)

    @admin.display(description="mois", ordering="mois")
    def mois_lisible(self, facture):
        return facture.mois_en_clair

    @admin.display(description="total", ordering="total")
    def total_lisible(self, facture):
        return euros(facture.total)

    @admin.display(description="état")
    def etat_lisible(self, facture):
        return etat_en_mots(facture)

    @admin.display(description="rôle")
    def role_lisible(self, facture):
        return str(facture.article.role) if hasattr(facture, "article") else "–"
