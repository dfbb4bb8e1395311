"""What the trésorerie collects: rôles, an article for each invoice taken into one, and what it was paid of it."""

import pgtrigger
from django.db import models
from django.db.models import Q

from facturation.models.factures import Facture
from facturation.models.regies import Regie


class Role(models.Model):
    """An « ordre de recette multi-créanciers »: the invoices of a month, sent to the trésorerie together."""

    regie = models.ForeignKey(Regie, on_delete=models.PROTECT, related_name="roles")
    numero = models.CharField("n° d'ORMC", max_length=20)
    exercice = models.PositiveSmallIntegerField("exercice")
    le = models.DateField("pris en charge le")
    par = models.ForeignKey("familles.Utilisateur", on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = "rôle (ORMC)"
        verbose_name_plural = "rôles (ORMC)"
        ordering = ["-exercice", "-le", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["exercice", "numero"],
                name="un_role_par_numero",
                violation_error_message="Ce n° d'ORMC existe déjà pour cet exercice.",
            )
        ]

    def __str__(self):
        return f"ORMC n°\u00a0{self.numero} de {self.exercice}"


class Article(models.Model):
    """An invoice within a rôle, and what the trésorerie says of it.

    ``paye`` and ``dit_le`` sum up its ``VersementTitre`` rows: all that was paid, and when that was last told.
    """

    class Etat(models.TextChoices):
        A_PAYER = "A_PAYER", "À payer"
        ANNONCE = "ANNONCE", "Annoncé par PayFiP"
        PAYE = "PAYE", "Payé"
        ANNULE = "ANNULE", "Annulé"

    role = models.ForeignKey(Role, on_delete=models.PROTECT, related_name="articles")
    facture = models.OneToOneField(Facture, on_delete=models.PROTECT, related_name="article")
    etat = models.CharField("état", max_length=8, choices=Etat, default=Etat.A_PAYER)
    paye = models.DecimalField("payé (€)", max_digits=10, decimal_places=2, default=0)
    dit_le = models.DateField("dit par la trésorerie le", null=True, blank=True)

    class Meta:
        verbose_name = "titre"
        verbose_name_plural = "titres"
        ordering = ["role", "pk"]

    def __str__(self):
        return f"{self.facture}, {self.role}"


class VersementTitre(models.Model):
    """What the trésorerie has received of a titre since it last told; below zero, it puts right what it told."""

    article = models.ForeignKey(Article, on_delete=models.PROTECT, related_name="versements")
    montant = models.DecimalField("montant (€)", max_digits=10, decimal_places=2)
    dit_le = models.DateField("dit par la trésorerie le")
    par = models.ForeignKey("familles.Utilisateur", null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = "versement sur un titre"
        verbose_name_plural = "versements sur des titres"
        ordering = ["pk"]
        constraints = [models.CheckConstraint(condition=~Q(montant=0), name="versement_non_nul")]
        triggers = [pgtrigger.Protect(name="immuable", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self):
        return f"{self.article}, {self.dit_le:%d/%m/%Y}"
