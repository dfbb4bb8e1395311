"""Tax certificates: what a household paid for the care of a young child, with a code that the mairie can look up."""

from django.db import models
from django.utils import timezone


class AttestationFiscale(models.Model):
    """What was certified, as it was certified: a certificate asked again later may say more."""

    code = models.CharField("code de vérification", max_length=14, unique=True)
    famille = models.ForeignKey("familles.Famille", on_delete=models.PROTECT, related_name="attestations")
    enfant = models.ForeignKey("enfants.Enfant", on_delete=models.PROTECT, related_name="+")
    annee = models.PositiveSmallIntegerField("année")
    montant = models.DecimalField("montant (€)", max_digits=10, decimal_places=2)
    contenu = models.JSONField("ce qu'elle dit", default=dict)
    faite_le = models.DateTimeField("faite le", default=timezone.now)
    faite_pour = models.ForeignKey("familles.Utilisateur", on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = "attestation fiscale"
        verbose_name_plural = "attestations fiscales"
        ordering = ["-faite_le", "-pk"]

    def __str__(self):
        return f"Attestation {self.annee}, {self.code}"
