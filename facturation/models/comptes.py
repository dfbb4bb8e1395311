"""The account of a household: rows that are added, never changed; a balance is their sum."""

import uuid

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils import timezone

from facturation.models.factures import Facture
from facturation.models.regies import Moyen, Regie


class Remise(models.Model):
    """A batch of cheques brought to the bank together, with its slip."""

    numero = models.PositiveIntegerField("n° de bordereau", unique=True)
    regie = models.ForeignKey(Regie, on_delete=models.PROTECT, related_name="remises")
    le = models.DateField("remise le")
    par = models.ForeignKey("familles.Utilisateur", on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = "bordereau de chèques"
        verbose_name_plural = "bordereaux de chèques"
        ordering = ["-numero"]

    def __str__(self):
        return f"Bordereau {self.numero}"


class Reglement(models.Model):
    """Money received from a household; cancelled by a counter-entry, never removed."""

    Moyen = Moyen

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    famille = models.ForeignKey("familles.Famille", on_delete=models.PROTECT, related_name="reglements")
    regie = models.ForeignKey(Regie, verbose_name="régie", on_delete=models.PROTECT, related_name="reglements")
    moyen = models.CharField("moyen", max_length=11, choices=Moyen)
    montant = models.DecimalField("montant (€)", max_digits=10, decimal_places=2)
    recu_le = models.DateField("reçu le")
    reference = models.CharField("référence", max_length=60, blank=True, help_text="N° de chèque, banque, virement.")
    remise = models.ForeignKey(Remise, null=True, blank=True, on_delete=models.PROTECT, related_name="reglements")
    saisi_par = models.ForeignKey("familles.Utilisateur", null=True, on_delete=models.PROTECT, related_name="+")
    saisi_le = models.DateTimeField("saisi le", default=timezone.now)

    class Meta:
        verbose_name = "règlement"
        verbose_name_plural = "règlements"
        ordering = ["-recu_le", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(montant__gt=0),
                name="reglement_positif",
                violation_error_message="Un règlement est un montant positif.",
            )
        ]
        indexes = [models.Index(fields=["famille", "-recu_le"], name="reglements_par_famille")]
        permissions = [("annuler_reglement", "Peut annuler un règlement")]
        triggers = [
            pgtrigger.Protect(name="garde", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="immuable",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange("famille", "regie", "moyen", "montant", "recu_le"),
            ),
        ]

    def __str__(self):
        return f"{self.get_moyen_display()}, {self.famille}"


class Ecriture(models.Model):
    """A row of the ledger: a debit is what the family owes more, a credit what it owes less."""

    class Nature(models.TextChoices):
        FACTURE = "FACTURE", "Facture"
        AVOIR = "AVOIR", "Avoir"
        REGLEMENT = "REGLEMENT", "Règlement"
        ANNULATION = "ANNULATION", "Annulation"
        TITRE = "TITRE", "Titre émis"
        REMBOURSEMENT = "REMBOURSEMENT", "Remboursement"

    famille = models.ForeignKey("familles.Famille", on_delete=models.PROTECT, related_name="ecritures")
    regie = models.ForeignKey(Regie, on_delete=models.PROTECT, related_name="ecritures")
    le = models.DateField("date")
    nature = models.CharField("nature", max_length=13, choices=Nature)
    libelle = models.CharField("description", max_length=150)
    debit = models.DecimalField("débit (€)", max_digits=10, decimal_places=2, default=0)
    credit = models.DecimalField("crédit (€)", max_digits=10, decimal_places=2, default=0)
    facture = models.ForeignKey(Facture, null=True, blank=True, on_delete=models.PROTECT, related_name="ecritures")
    reglement = models.ForeignKey(Reglement, null=True, blank=True, on_delete=models.PROTECT, related_name="ecritures")
    annule = models.OneToOneField("self", null=True, blank=True, on_delete=models.PROTECT, related_name="annulation")
    par = models.ForeignKey("familles.Utilisateur", null=True, on_delete=models.PROTECT, related_name="+")
    ecrite_le = models.DateTimeField("écrite le", default=timezone.now)

    class Meta:
        verbose_name = "écriture"
        verbose_name_plural = "écritures"
        ordering = ["le", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(debit__gt=0, credit=0) | Q(debit=0, credit__gt=0), name="debit_ou_credit"
            ),
            models.UniqueConstraint(
                fields=["facture", "nature"],
                condition=Q(nature__in=["FACTURE", "AVOIR", "TITRE"]),
                name="facture_ecrite_une_fois",
            ),
            models.UniqueConstraint(
                fields=["reglement"], condition=Q(nature="REGLEMENT"), name="reglement_ecrit_une_fois"
            ),
        ]
        indexes = [models.Index(fields=["famille", "le"], name="ecritures_par_famille")]
        triggers = [pgtrigger.Protect(name="immuable", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self):
        return f"{self.libelle} ({self.le:%d/%m/%Y})"


class Imputation(models.Model):
    """Which part of a payment pays which invoice; a negative one takes it back."""

    reglement = models.ForeignKey(Reglement, on_delete=models.PROTECT, related_name="imputations")
    facture = models.ForeignKey(Facture, on_delete=models.PROTECT, related_name="imputations")
    montant = models.DecimalField("montant (€)", max_digits=10, decimal_places=2)
    le = models.DateTimeField("imputé le", default=timezone.now)
    par = models.ForeignKey("familles.Utilisateur", null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = "imputation"
        verbose_name_plural = "imputations"
        ordering = ["pk"]
        constraints = [models.CheckConstraint(condition=~Q(montant=0), name="imputation_non_nulle")]
        triggers = [pgtrigger.Protect(name="immuable", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self):
        return f"{self.reglement} → {self.facture}"
