"""SEPA direct debits of a régie: mandates, the files brought to the bank, what came back."""

import pgtrigger
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from facturation.models.comptes import Reglement
from facturation.models.factures import Facture
from facturation.models.regies import Regie
from portail.outils.chiffrement import TexteChiffre
from portail.outils.suivi import suivre


@suivre()
class Mandat(models.Model):
    """A household lets a régie debit its account; it lapses after 36 months without a debit."""

    famille = models.ForeignKey("familles.Famille", on_delete=models.PROTECT, related_name="mandats")
    regie = models.ForeignKey(Regie, verbose_name="régie", on_delete=models.PROTECT, related_name="mandats")
    rum = models.CharField(
        "référence unique (RUM)",
        max_length=35,
        unique=True,
        validators=[RegexValidator(r"^[A-Za-z0-9/\-?:().,'+ ]+$", "Lettres sans accent et chiffres.")],
    )
    titulaire = models.CharField("titulaire du compte", max_length=70)
    iban = TexteChiffre("IBAN")
    bic = models.CharField("BIC", max_length=11, blank=True)
    signe_le = models.DateField("signé le")
    revoque_le = models.DateField("révoqué le", null=True, blank=True)
    cree_par = models.ForeignKey("familles.Utilisateur", null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = "mandat de prélèvement"
        verbose_name_plural = "mandats de prélèvement"
        ordering = ["famille__nom", "-signe_le", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["famille", "regie"],
                condition=Q(revoque_le=None),
                name="un_mandat_en_cours",
                violation_error_message="Cette famille a déjà un mandat en cours pour cette régie.",
            )
        ]

    def __str__(self):
        return f"Mandat {self.rum}"


class LotPrelevement(models.Model):
    """The invoices debited together on a day: one pain.008 file."""

    regie = models.ForeignKey(Regie, verbose_name="régie", on_delete=models.PROTECT, related_name="lots_prelevement")
    le = models.DateField("prélevés le")
    identifiant = models.CharField("identifiant du fichier", max_length=35, unique=True)
    prepare_le = models.DateTimeField("préparé le", default=timezone.now)
    prepare_par = models.ForeignKey("familles.Utilisateur", on_delete=models.PROTECT, related_name="+")
    # From then on the bank has it: what changes afterwards is told to the agent.
    fichier_le = models.DateTimeField("fichier fait le", null=True, blank=True)
    execute_le = models.DateTimeField("encaissé le", null=True, blank=True)

    class Meta:
        verbose_name = "lot de prélèvements"
        verbose_name_plural = "lots de prélèvements"
        ordering = ["-le", "-pk"]

    def __str__(self):
        return f"Prélèvements du {self.le:%d/%m/%Y}, {self.regie}"


class PrelevementQuerySet(models.QuerySet):
    def en_cours(self):
        """Those that the bank takes, or has taken."""
        return self.filter(rejete_le=None, retire_le=None)


class Prelevement(models.Model):
    """What one file takes for one invoice; a rejection is a counter-entry, the row tells why.

    One that is withdrawn is not taken: nothing was due any more when the file was made, or the bank took it out.
    """

    lot = models.ForeignKey(LotPrelevement, on_delete=models.PROTECT, related_name="prelevements")
    mandat = models.ForeignKey(Mandat, on_delete=models.PROTECT, related_name="prelevements")
    facture = models.ForeignKey(Facture, on_delete=models.PROTECT, related_name="prelevements")
    montant = models.DecimalField("montant (€)", max_digits=10, decimal_places=2)
    sequence = models.CharField("séquence", max_length=4, choices=[("FRST", "Premier"), ("RCUR", "Suivant")])
    reglement = models.OneToOneField(
        Reglement, null=True, blank=True, on_delete=models.PROTECT, related_name="prelevement"
    )
    rejete_le = models.DateField("rejeté le", null=True, blank=True)
    rejet = models.CharField("raison du rejet", max_length=4, blank=True)
    retire_le = models.DateField("retiré le", null=True, blank=True)

    objects = PrelevementQuerySet.as_manager()

    class Meta:
        verbose_name = "prélèvement"
        verbose_name_plural = "prélèvements"
        ordering = ["lot", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["facture"],
                condition=Q(rejete_le=None, retire_le=None),
                name="un_prelevement_en_cours_par_facture",
            ),
            models.CheckConstraint(condition=Q(montant__gt=0), name="prelevement_positif"),
        ]
        triggers = [pgtrigger.Protect(name="garde", operation=pgtrigger.Delete)]

    def __str__(self):
        return f"{self.facture}, {self.lot}"
