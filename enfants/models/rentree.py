"""The rentrée: classes move up once a year, files are confirmed by each household."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from enfants.models.enfant import Enfant
from enfants.regles.annees import libelle
from portail.outils.francais import de


class Rentree(models.Model):
    """One move up. It keeps what each child was before, so that it can be undone."""

    annee = models.PositiveSmallIntegerField("année de la rentrée", help_text="2027 pour 2027-2028.")
    faite_le = models.DateTimeField("faite le", default=timezone.now)
    faite_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name="faite par", on_delete=models.PROTECT, related_name="+"
    )
    annulee_le = models.DateTimeField("annulée le", null=True, blank=True)
    annulee_par = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="annulée par",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    # Key of a child -> {"avant": values of the columns, "apres": values of the columns}.
    mouvements = models.JSONField("mouvements", default=dict)

    class Meta:
        verbose_name = "rentrée"
        verbose_name_plural = "rentrées"
        ordering = ["-annee", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["annee"],
                condition=Q(annulee_le=None),
                name="une_rentree_par_annee",
                violation_error_message="Cette rentrée est déjà faite.",
            )
        ]

    def __str__(self):
        return f"Rentrée {libelle(self.annee)}"


class ConfirmationDossier(models.Model):
    """A household is asked to read a child's file again for a school year, and says that it is right."""

    enfant = models.ForeignKey(Enfant, on_delete=models.CASCADE, related_name="confirmations")
    famille = models.ForeignKey("familles.Famille", on_delete=models.CASCADE, related_name="confirmations")
    annee = models.PositiveSmallIntegerField("année de la rentrée")
    demandee_le = models.DateTimeField("demandée le", default=timezone.now)
    confirmee_le = models.DateTimeField("confirmée le", null=True, blank=True)
    confirmee_par = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="confirmée par",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )

    class Meta:
        verbose_name = "confirmation du dossier"
        verbose_name_plural = "confirmations des dossiers"
        ordering = ["-annee", "enfant", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["enfant", "famille", "annee"], name="une_confirmation_par_foyer_et_annee"),
            models.CheckConstraint(
                condition=Q(confirmee_le=None, confirmee_par=None)
                | Q(confirmee_le__isnull=False, confirmee_par__isnull=False),
                name="confirmation_par_quelqu_un",
            ),
        ]

    def __str__(self):
        return f"Dossier {de(str(self.enfant))}, {libelle(self.annee)}"
