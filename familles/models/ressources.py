"""What a household tells of its income, and where it is debited. Numbers that identify are encrypted."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from familles.models.famille import Famille
from portail.outils.chiffrement import TexteChiffre
from portail.outils.periodes import PeriodeQuerySet, dans_l_ordre, sans_recouvrement
from portail.outils.suivi import suivre


@suivre()
class SituationFiscale(models.Model):
    class Regime(models.TextChoices):
        CAF = "CAF", "CAF"
        MSA = "MSA", "MSA"
        AUTRE = "AUTRE", "Autre régime"
        AUCUN = "AUCUN", "Aucun"

    famille = models.OneToOneField(Famille, on_delete=models.CASCADE, related_name="situation_fiscale")
    regime = models.CharField("régime allocataire", max_length=5, choices=Regime, blank=True)
    numero_fiscal = TexteChiffre("numéro fiscal", blank=True)
    revenu_fiscal = TexteChiffre("revenu fiscal de référence", blank=True)
    parts = models.DecimalField("nombre de parts", max_digits=4, decimal_places=2, null=True, blank=True)
    annee = models.PositiveSmallIntegerField("année des revenus", null=True, blank=True)
    non_communique = models.BooleanField("ne communique pas ses revenus", default=False)

    class Meta:
        verbose_name = "situation fiscale"
        verbose_name_plural = "situations fiscales"

    def __str__(self):
        return f"Situation fiscale de {self.famille}"


@suivre()
class DossierCaf(models.Model):
    famille = models.OneToOneField(Famille, on_delete=models.CASCADE, related_name="dossier_caf")
    caisse = models.CharField("caisse", max_length=60, blank=True)
    numero_allocataire = TexteChiffre("numéro d'allocataire", blank=True)

    class Meta:
        verbose_name = "dossier CAF"
        verbose_name_plural = "dossiers CAF"

    def __str__(self):
        return f"Dossier CAF de {self.famille}"


@suivre()
class QuotientFamilial(models.Model):
    """A quotient and the days it prices. No row for a day, or no value: the highest bracket."""

    class Source(models.TextChoices):
        ATTESTATION = "ATTESTATION", "Attestation de la caisse"
        CDAP = "CDAP", "Consultation CDAP"
        AVIS = "AVIS", "Avis d'imposition"
        NON_COMMUNIQUE = "NON_COMMUNIQUE", "Non communiqué"

    famille = models.ForeignKey(Famille, on_delete=models.CASCADE, related_name="quotients")
    valeur = models.DecimalField(
        "quotient familial (€)",
        max_digits=10,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(9_999_999)],
    )
    source = models.CharField("source", max_length=14, choices=Source)
    mois = models.DateField("mois du quotient", null=True, blank=True, help_text="Premier jour du mois.")
    valable_du = models.DateField("valable du")
    valable_au = models.DateField("valable au", null=True, blank=True, help_text="Inclus.")
    rappele_le = models.DateTimeField("rappel envoyé le", null=True, blank=True, editable=False)
    saisi_par = models.ForeignKey(
        "familles.Utilisateur", verbose_name="saisi par", null=True, on_delete=models.PROTECT, related_name="+"
    )

    objects = PeriodeQuerySet.as_manager()

    class Meta:
        verbose_name = "quotient familial"
        verbose_name_plural = "quotients familiaux"
        ordering = ["famille", "-valable_du"]
        constraints = [
            sans_recouvrement(
                "famille",
                nom="un_quotient_par_jour",
                phrase="Un autre quotient vaut déjà pour une partie de cette période.",
            ),
            dans_l_ordre("quotient_dans_l_ordre"),
            models.CheckConstraint(
                condition=Q(source="NON_COMMUNIQUE", valeur=None)
                | (~Q(source="NON_COMMUNIQUE") & Q(valeur__isnull=False)),
                name="quotient_valeur_selon_source",
                violation_error_message="Un quotient communiqué a une valeur, un quotient non communiqué n'en a pas.",
            ),
        ]

    def __str__(self):
        return f"Quotient de {self.famille} au {self.valable_du:%d/%m/%Y}"


@suivre()
class CoordonneesBancaires(models.Model):
    famille = models.OneToOneField(Famille, on_delete=models.CASCADE, related_name="coordonnees_bancaires")
    titulaire = models.CharField("titulaire du compte", max_length=100, blank=True)
    iban = TexteChiffre("IBAN", blank=True)
    bic = models.CharField("BIC", max_length=11, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "coordonnées bancaires"

    def __str__(self):
        return f"Coordonnées bancaires de {self.famille}"
