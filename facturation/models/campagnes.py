"""Billing a month: how far it is, what does not look right, what agents decided."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from enfants.regles.dates import MOIS
from facturation.models.regies import Regie


class Campagne(models.Model):
    """A month of a régie: drafts are prepared, looked at, then issued. By lots of households, and it can be killed."""

    class Etape(models.TextChoices):
        OUVERTE = "OUVERTE", "À préparer"
        PREPARATION = "PREPARATION", "Brouillons en préparation"
        PREPAREE = "PREPAREE", "Brouillons à vérifier"
        EMISSION = "EMISSION", "Factures en cours d'émission"
        EMISE = "EMISE", "Émise"

    regie = models.ForeignKey(Regie, verbose_name="régie", on_delete=models.PROTECT, related_name="campagnes")
    mois = models.DateField("mois", help_text="Premier jour du mois facturé.")
    etape = models.CharField("étape", max_length=11, choices=Etape, default=Etape.OUVERTE)
    familles = models.PositiveIntegerField("familles à traiter", default=0, editable=False)
    emise_le = models.DateField("date des factures", null=True, blank=True)
    echeance = models.DateField("échéance", null=True, blank=True)
    lancee_par = models.ForeignKey("familles.Utilisateur", null=True, on_delete=models.PROTECT, related_name="+")
    lancee_le = models.DateTimeField("lancée le", null=True, blank=True)
    finie_le = models.DateTimeField("terminée le", null=True, blank=True)

    class Meta:
        verbose_name = "facturation d'un mois"
        verbose_name_plural = "facturation du mois"
        ordering = ["-mois", "regie__ordre", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["regie", "mois"],
                name="une_campagne_par_mois",
                violation_error_message="La facturation de ce mois existe déjà pour cette régie.",
            ),
            models.CheckConstraint(condition=Q(mois__day=1), name="mois_de_campagne"),
        ]

    def __str__(self):
        return f"{self.regie}, {self.mois:%m/%Y}"

    @property
    def mois_en_clair(self):
        """« novembre 2026 »."""
        return f"{MOIS[self.mois.month - 1]} {self.mois.year}"

    @property
    def est_en_cours(self):
        return self.etape in (self.Etape.PREPARATION, self.Etape.EMISSION)

    @property
    def faites(self):
        """How many families are treated; a query."""
        return self.lots.filter(fait=True).aggregate(n=models.Sum("familles"))["n"] or 0


class LotCampagne(models.Model):
    """Households that one transaction prepares or issues; whoever works takes the first that nobody holds."""

    campagne = models.ForeignKey(Campagne, on_delete=models.CASCADE, related_name="lots")
    # Keys of the first and the last household.
    de = models.BigIntegerField()
    a = models.BigIntegerField()
    familles = models.PositiveIntegerField()
    fait = models.BooleanField(default=False)

    class Meta:
        verbose_name = "lot de familles"
        verbose_name_plural = "lots de familles"
        ordering = ["campagne", "de"]
        constraints = [models.UniqueConstraint(fields=["campagne", "de"], name="un_lot_par_debut")]

    def __str__(self):
        return f"{self.campagne}, {self.familles} familles"


class Anomalie(models.Model):
    """Something of a month that an agent should look at before the invoices leave; made again with the drafts."""

    class Genre(models.TextChoices):
        SANS_RESERVATION = "SANS_RESERVATION", "Présent sans réservation"
        SANS_PRESENCE = "SANS_PRESENCE", "Réservé, pas venu"
        NON_POINTE = "NON_POINTE", "Réservé, pas pointé"
        A_DECIDER = "A_DECIDER", "À décider"
        SANS_QUOTIENT = "SANS_QUOTIENT", "Sans quotient"
        SANS_PRIX = "SANS_PRIX", "Sans prix"
        SAUT = "SAUT", "Prix en hausse de plus de 50\u00a0%"
        NEGATIF = "NEGATIF", "Total négatif"

    campagne = models.ForeignKey(Campagne, on_delete=models.CASCADE, related_name="anomalies")
    genre = models.CharField("anomalie", max_length=16, choices=Genre)
    famille = models.ForeignKey("familles.Famille", on_delete=models.CASCADE, related_name="+")
    enfant = models.ForeignKey("enfants.Enfant", null=True, on_delete=models.CASCADE, related_name="+")
    service = models.ForeignKey("enfants.Service", null=True, on_delete=models.CASCADE, related_name="+")
    jour = models.DateField("jour", null=True)
    phrase = models.CharField("ce qui s'est passé", max_length=600)
    facturee = models.BooleanField("facturée", null=True)

    class Meta:
        verbose_name = "anomalie"
        verbose_name_plural = "anomalies"
        ordering = ["genre", "jour", "famille", "pk"]
        indexes = [models.Index(fields=["campagne", "famille"], name="anomalies_par_famille")]

    def __str__(self):
        return f"{self.get_genre_display()}, {self.famille}"


class DecisionJour(models.Model):
    """An agent's word on a day that the rules leave to one; a later word replaces it, with its reason."""

    enfant = models.ForeignKey("enfants.Enfant", on_delete=models.PROTECT, related_name="+")
    service = models.ForeignKey("enfants.Service", on_delete=models.PROTECT, related_name="+")
    jour = models.DateField("jour")
    facturer = models.BooleanField("facturer")
    motif = models.CharField("raison", max_length=200, help_text="Imprimée dans le détail de la facture.")
    par = models.ForeignKey("familles.Utilisateur", on_delete=models.PROTECT, related_name="+")
    le = models.DateTimeField("décidé le", default=timezone.now)

    class Meta:
        verbose_name = "décision sur un jour"
        verbose_name_plural = "décisions sur des jours"
        ordering = ["jour", "enfant", "service", "pk"]
        constraints = [models.UniqueConstraint(fields=["enfant", "service", "jour"], name="une_decision_par_jour")]

    def __str__(self):
        return f"{self.enfant}, {self.jour:%d/%m/%Y}\u00a0: {'facturer' if self.facturer else 'ne pas facturer'}"
