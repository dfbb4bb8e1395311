"""The prices that the council votes, and the aids that others give."""

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from facturation.regles import grilles as regles
from portail.outils.periodes import PeriodeQuerySet, dans_l_ordre, sans_recouvrement
from portail.outils.suivi import suivre

POURCENT = {"max_digits": 6, "decimal_places": 2, "validators": [MinValueValidator(0), MaxValueValidator(1000)]}
EUROS = {"max_digits": 8, "decimal_places": 2, "validators": [MinValueValidator(0)]}


@suivre()
class Grille(models.Model):
    """The prices of a service from a day to a day, as a deliberation fixed them."""

    class Unite(models.TextChoices):
        JOUR = "JOUR", "À chaque jour"
        DUREE = "DUREE", "À la durée"
        MOIS = "MOIS", "Forfait au mois"
        SEMAINE = "SEMAINE", "Forfait à la semaine"

    service = models.ForeignKey("enfants.Service", on_delete=models.PROTECT, related_name="grilles")
    deliberation = models.CharField("délibération", max_length=60, help_text="« 2026-42 ».")
    votee_le = models.DateField("votée le")
    valable_du = models.DateField("valable du")
    valable_au = models.DateField("valable au", null=True, blank=True, help_text="Inclus.")
    unite = models.CharField("prix", max_length=7, choices=Unite, default=Unite.JOUR)
    mot = models.CharField("une unité", max_length=20, default="jour", help_text="« repas », « demi-heure ».")
    mots = models.CharField("plusieurs", max_length=20, default="jours")
    minutes = models.PositiveSmallIntegerField(
        "minutes d'une unité", default=30, validators=[MinValueValidator(1), MaxValueValidator(480)]
    )
    tolerance = models.PositiveSmallIntegerField("minutes de tolérance", default=0)
    rangs = ArrayField(
        models.DecimalField(max_digits=5, decimal_places=2, validators=[MinValueValidator(0), MaxValueValidator(100)]),
        verbose_name="remise selon le rang de l'enfant (%)",
        blank=True,
        default=list,
        help_text="0, 20, 50\u00a0: rien pour le premier, 20\u00a0% pour le deuxième, 50\u00a0% pour les suivants.",
    )

    objects = PeriodeQuerySet.as_manager()

    class Meta:
        verbose_name = "grille de tarifs"
        verbose_name_plural = "grilles de tarifs"
        ordering = ["service__ordre", "-valable_du"]
        constraints = [
            sans_recouvrement(
                "service", nom="une_grille_par_jour", phrase="Une autre grille vaut déjà pour ce service ces jours-là."
            ),
            dans_l_ordre("grille_dans_l_ordre"),
        ]

    def __str__(self):
        return f"{self.service}, au {self.valable_du:%d/%m/%Y}"


@suivre()
class Tarif(models.Model):
    """A price of a grid: of whom, and how it follows the quotient."""

    class Public(models.TextChoices):
        NORMAL = "NORMAL", "Tout le monde"
        EXTERIEUR = "EXTERIEUR", "Hors commune"
        OCCASIONNEL = "OCCASIONNEL", "Sans jours habituels"
        PANIER = "PANIER", "Panier fourni par la famille (PAI)"
        SEMAINE = "SEMAINE", "Semaine complète"

    class Calcul(models.TextChoices):
        FIXE = "FIXE", "Le même pour tous"
        TRANCHES = "TRANCHES", "Par tranche de quotient"
        TAUX = "TAUX", "Taux d'effort"

    grille = models.ForeignKey(Grille, on_delete=models.CASCADE, related_name="tarifs")
    formule = models.ForeignKey(
        "enfants.Formule",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Vide\u00a0: toutes les autres.",
    )
    public = models.CharField("pour", max_length=11, choices=Public, default=Public.NORMAL)
    calcul = models.CharField("calcul", max_length=8, choices=Calcul, default=Calcul.FIXE)
    montant = models.DecimalField("prix (€)", null=True, blank=True, **EUROS)
    taux = models.DecimalField(
        "taux (% du quotient)",
        max_digits=7,
        decimal_places=4,
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
    )
    plancher = models.DecimalField("prix plancher (€)", null=True, blank=True, **EUROS)
    plafond = models.DecimalField("prix plafond (€)", null=True, blank=True, **EUROS)
    supplement = models.DecimalField("supplément hors commune (%)", null=True, blank=True, **POURCENT)
    jours_semaine = models.PositiveSmallIntegerField(
        "dès ce nombre de jours", null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(7)]
    )

    class Meta:
        verbose_name = "tarif"
        verbose_name_plural = "tarifs"
        ordering = ["grille", "formule", "public", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["grille", "formule", "public"],
                nulls_distinct=False,
                name="un_tarif_par_public",
                violation_error_message="La grille a déjà un tarif pour ce public.",
            ),
            models.CheckConstraint(
                condition=Q(calcul="FIXE", montant__isnull=False)
                | Q(calcul="TAUX", taux__isnull=False, plafond__isnull=False)
                | Q(calcul="TRANCHES"),
                name="tarif_complet",
                violation_error_message="Un prix fixe a un montant, un taux d'effort a un taux et un plafond.",
            ),
            models.CheckConstraint(
                condition=Q(public="SEMAINE", jours_semaine__isnull=False)
                | (~Q(public="SEMAINE") & Q(jours_semaine=None)),
                name="semaine_en_jours",
                violation_error_message="Une semaine complète dit de combien de jours.",
            ),
        ]

    def __str__(self):
        return f"{self.grille}, {self.get_public_display().lower()}"


@suivre()
class TrancheTarif(models.Model):
    """A bracket of quotients."""

    tarif = models.ForeignKey(Tarif, on_delete=models.CASCADE, related_name="tranches")
    au = models.DecimalField(
        "jusqu'au quotient (€)",
        max_digits=8,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text="Inclus. Vide\u00a0: au-delà.",
    )
    montant = models.DecimalField("prix (€)", **EUROS)

    class Meta:
        verbose_name = "tranche"
        verbose_name_plural = "tranches"
        ordering = ["tarif", models.F("au").asc(nulls_last=True), "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["tarif", "au"],
                nulls_distinct=False,
                name="une_tranche_par_borne",
                violation_error_message="Deux tranches ont la même borne.",
            )
        ]

    def __str__(self):
        return f"{self.tarif}, jusqu'à {self.au}" if self.au is not None else f"{self.tarif}, au-delà"


@suivre()
class MajorationGrille(models.Model):
    """What a grid adds: booked late, come without booking, fetched late, absent without a word."""

    class Cause(models.TextChoices):
        RESERVE_TARD = regles.Cause.RESERVE_TARD.value, "Réservé après le délai"
        SANS_RESERVATION = regles.Cause.SANS_RESERVATION.value, "Venu sans réservation"
        DEPART_TARDIF = regles.Cause.DEPART_TARDIF.value, "Départ après l'heure"
        ABSENCE = regles.Cause.ABSENCE.value, "Absence sans justificatif"

    grille = models.ForeignKey(Grille, on_delete=models.CASCADE, related_name="majorations")
    cause = models.CharField("cause", max_length=16, choices=Cause)
    pourcent = models.DecimalField("en % du prix", null=True, blank=True, **POURCENT)
    montant = models.DecimalField("ou en euros", null=True, blank=True, **EUROS)
    a_partir_de = models.PositiveSmallIntegerField(
        "à partir de la n-ième fois du mois", default=1, validators=[MinValueValidator(1)]
    )
    double_des = models.PositiveSmallIntegerField(
        "compte double à partir de la n-ième", null=True, blank=True, validators=[MinValueValidator(1)]
    )
    minutes = models.PositiveSmallIntegerField(
        "par tranche de minutes (départ)", default=15, validators=[MinValueValidator(1)]
    )

    class Meta:
        verbose_name = "majoration"
        verbose_name_plural = "majorations"
        ordering = ["grille", "cause"]
        constraints = [
            models.UniqueConstraint(
                fields=["grille", "cause"],
                name="une_majoration_par_cause",
                violation_error_message="La grille a déjà une majoration pour cette cause.",
            ),
            models.CheckConstraint(
                condition=Q(pourcent__isnull=False, montant=None) | Q(pourcent=None, montant__isnull=False),
                name="majoration_en_un_seul_mode",
                violation_error_message="Une majoration est un pourcentage ou un montant.",
            ),
        ]

    def __str__(self):
        return f"{self.grille}, {self.get_cause_display().lower()}"


@suivre()
class AideFamille(models.Model):
    """What somebody else pays of the family's invoices."""

    famille = models.ForeignKey("familles.Famille", on_delete=models.PROTECT, related_name="aides")
    enfant = models.ForeignKey("enfants.Enfant", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    service = models.ForeignKey("enfants.Service", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    organisme = models.CharField("organisme", max_length=60, help_text="« CCAS », « MSA », « VACAF ».")
    montant = models.DecimalField("par unité (€)", null=True, blank=True, **EUROS)
    pourcent = models.DecimalField("ou en % du reste à payer", null=True, blank=True, **POURCENT)
    plafond = models.DecimalField("au plus par mois (€)", null=True, blank=True, **EUROS)
    valable_du = models.DateField("du")
    valable_au = models.DateField("au", null=True, blank=True, help_text="Inclus.")

    objects = PeriodeQuerySet.as_manager()

    class Meta:
        verbose_name = "aide"
        verbose_name_plural = "aides"
        ordering = ["famille", "valable_du", "pk"]
        constraints = [
            dans_l_ordre("aide_dans_l_ordre"),
            models.CheckConstraint(
                condition=Q(pourcent__isnull=False, montant=None) | Q(pourcent=None, montant__isnull=False),
                name="aide_en_un_seul_mode",
                violation_error_message="Une aide est un pourcentage ou un montant.",
            ),
        ]

    def __str__(self):
        return f"{self.organisme}, {self.famille}"
