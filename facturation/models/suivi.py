"""What the trésorerie follows: the same invoices and payments, under permissions of their own."""

from facturation.models.comptes import Reglement
from facturation.models.factures import Facture


class SuiviFacture(Facture):
    """An issued invoice without its lines: nothing about children."""

    class Meta:
        proxy = True
        verbose_name = "facture (suivi)"
        verbose_name_plural = "suivi des factures"
        ordering = ["-exercice", "-numero"]


class SuiviReglement(Reglement):
    class Meta:
        proxy = True
        verbose_name = "règlement (suivi)"
        verbose_name_plural = "suivi des règlements"
        ordering = ["-recu_le", "-pk"]
