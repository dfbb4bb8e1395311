"""How the commune collects: its régies and its titres, and which service belongs to which."""

from decimal import Decimal

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q

from portail.outils.suivi import suivre


class Moyen(models.TextChoices):
    """How a household pays: an open list, PayFiP adds its own with the years."""

    CARTE = "CARTE", "Carte bancaire"
    PRELEVEMENT = "PRELEVEMENT", "Prélèvement"
    VIREMENT = "VIREMENT", "Virement"
    CHEQUE = "CHEQUE", "Chèque"
    ESPECES = "ESPECES", "Espèces"
    CESU = "CESU", "CESU"
    ANCV = "ANCV", "Chèques-vacances (ANCV)"
    AUTRE = "AUTRE", "Autre"


@suivre()
class Regie(models.Model):
    """A way to collect: an invoice is of one, never of two."""

    class Regime(models.TextChoices):
        REGIE = "REGIE", "Régie\u00a0: la commune encaisse"
        TITRE = "TITRE", "Titre ou rôle (ORMC)\u00a0: la trésorerie encaisse"

    class PayFip(models.TextChoices):
        AUCUN = "AUCUN", "Pas de paiement en ligne"
        SAISIE = "SAISIE", "La famille recopie la référence sur PayFiP"
        REDIRECTION = "REDIRECTION", "Le portail mène à PayFiP"
        SERVICE = "SERVICE", "Service web de PayFiP"

    code = models.SlugField("code", max_length=20, unique=True)
    nom = models.CharField("nom", max_length=100, help_text="Imprimé sur les factures.")
    regime = models.CharField("régime", max_length=5, choices=Regime)
    minimum = models.DecimalField(
        "montant au-dessous duquel une facture est reportée (€)",
        max_digits=6,
        decimal_places=2,
        default=0,
        validators=[MinValueValidator(0)],
        help_text="15\u00a0€ pour un titre (art. D1611-1 du CGCT), 0 pour une régie.",
    )
    solde_en_decembre = models.BooleanField(
        "facturer en décembre même au-dessous", default=False, help_text="Sinon le report passe à l'année suivante."
    )
    jours_echeance = models.PositiveSmallIntegerField(
        "jours pour payer", default=30, validators=[MinValueValidator(1), MaxValueValidator(120)]
    )
    payfip = models.CharField("paiement en ligne", max_length=11, choices=PayFip, default=PayFip.AUCUN)
    payfip_client = models.CharField(
        "n° client PayFiP", max_length=6, blank=True, validators=[RegexValidator(r"^[0-9]{6}$", "Six chiffres.")]
    )
    payfip_jours = models.PositiveSmallIntegerField(
        "jours de paiement en ligne après l'échéance", default=30, validators=[MaxValueValidator(365)]
    )
    payfip_saisie = models.CharField(
        "mode de PayFiP",
        max_length=1,
        choices=[("T", "Test"), ("X", "Activation"), ("A", "Production")],
        default="T",
    )
    code_recette = models.CharField(
        "code recette", max_length=2, blank=True, help_text="Donné par la trésorerie, pour les rôles."
    )
    reference = models.CharField(
        "modèle de référence de paiement",
        max_length=80,
        default="{exercice}{numero:08d}",
        help_text="Avec {exercice}, {numero}, {code_recette}. De 6 à 30 lettres et chiffres.",
    )
    moyens_acceptes = ArrayField(
        models.CharField(max_length=11, choices=Moyen), verbose_name="moyens acceptés", blank=True, default=list
    )
    moyens = models.TextField("comment payer autrement", blank=True, help_text="Imprimé sur la facture.")
    signataire = models.CharField(
        "signataire des titres", max_length=120, blank=True, help_text="Prénom, nom et qualité (art. L212-1 du CRPA)."
    )
    ics = models.CharField("identifiant créancier SEPA (ICS)", max_length=35, blank=True)
    titulaire = models.CharField("titulaire du compte", max_length=70, blank=True)
    iban = models.CharField("IBAN du compte", max_length=34, blank=True)
    bic = models.CharField("BIC", max_length=11, blank=True)
    dft_service = models.CharField(
        "identifiant DFT du service",
        max_length=20,
        blank=True,
        validators=[RegexValidator("^[A-Z0-9]+$", "Des capitales et des chiffres.")],
        help_text="Pour un compte de dépôt de fonds au Trésor, donné par la DGFiP. Vide\u00a0: le compte d'une banque.",
    )
    dft_comptable = models.CharField(
        "poste comptable qui tient le compte", max_length=70, blank=True, help_text="«\u00a0SGC de Bourges\u00a0»."
    )
    dft_adresse = models.TextField("son adresse", max_length=140, blank=True, help_text="Deux lignes.")
    mentions = models.TextField("mentions légales", blank=True, help_text="Validées par la trésorerie.")
    contact = models.CharField("qui appeler", max_length=120, blank=True)
    telephone = models.CharField("téléphone", max_length=20, blank=True)
    ordre = models.PositiveSmallIntegerField("ordre", default=10)

    class Meta:
        verbose_name = "régie"
        verbose_name_plural = "régies et titres"
        ordering = ["ordre", "nom"]
        constraints = [
            models.CheckConstraint(
                condition=Q(payfip="AUCUN") | ~Q(payfip_client=""),
                name="payfip_avec_client",
                violation_error_message="Le paiement en ligne demande le n° client donné par PayFiP.",
            ),
            models.CheckConstraint(
                condition=~Q(payfip="SERVICE", regime="TITRE"),
                name="service_web_des_regies",
                violation_error_message="Le service web de PayFiP ne sert qu'aux régies.",
            ),
            models.CheckConstraint(
                condition=Q(dft_service="") | ~Q(dft_comptable=""),
                name="compte_dft_avec_comptable",
                violation_error_message="Un compte DFT demande le poste comptable qui le tient.",
            ),
        ]

    def __str__(self):
        return self.nom

    @property
    def est_titre(self):
        return self.regime == self.Regime.TITRE


@suivre()
class Produit(models.Model):
    """What a service is for the accounts."""

    service = models.OneToOneField("enfants.Service", on_delete=models.CASCADE, related_name="produit")
    regie = models.ForeignKey(Regie, verbose_name="régie", on_delete=models.PROTECT, related_name="produits")
    part_garde = models.DecimalField(
        "part de garde (%)",
        max_digits=5,
        decimal_places=2,
        default=Decimal(0),
        validators=[MinValueValidator(0), MaxValueValidator(100)],
        help_text="Ouvre droit au crédit d'impôt (art. 200 quater B du CGI)\u00a0: 100 pour l'accueil, 0 pour un repas",
    )

    class Meta:
        verbose_name = "rattachement comptable"
        verbose_name_plural = "rattachements comptables"
        ordering = ["service__ordre", "pk"]

    def __str__(self):
        return f"{self.service}\u00a0: {self.regie}"
