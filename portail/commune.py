"""The commune: names, contacts, colour, words, money choices. One row, read by every page, cached a minute."""

import re
from colorsys import hls_to_rgb, rgb_to_hls

from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.core.validators import FileExtensionValidator, MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models

CLE_CACHE = "commune"
DUREE_CACHE = 60  # seconds


def _luminance(couleur: str) -> float:
    """Relative luminance of ``#rrggbb``, WCAG 2.1 §1.4.3."""
    parts = [int(couleur[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, v, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * r + 0.7152 * v + 0.0722 * b


def contraste(couleur: str, autre: str = "#ffffff") -> float:
    """Contrast ratio of two ``#rrggbb`` colours, 1 to 21."""
    claire, sombre = sorted((_luminance(couleur), _luminance(autre)), reverse=True)
    return (claire + 0.05) / (sombre + 0.05)


def couleur_lisible(couleur: str):
    """White text on the colour, and the colour on the pages' grey, must be readable (RGAA 3.2: 4.5 to 1)."""
    if re.fullmatch(r"#[0-9a-f]{6}", couleur, re.I) and contraste(couleur) < 5:
        raise ValidationError("Cette couleur est trop claire : le texte blanc n'y serait pas lisible.")


def logo_leger(fichier):
    if fichier.size > 200_000:
        raise ValidationError("Le logo dépasse 200 ko : réduisez-le.")


class Commune(models.Model):
    nom = models.CharField("nom de la commune", max_length=100)
    nom_portail = models.CharField("nom du portail", max_length=60, default="Portail famille")
    logo = models.FileField(
        "logo",
        upload_to="commune/",
        blank=True,
        validators=[FileExtensionValidator(["png", "jpg", "jpeg"]), logo_leger],
        help_text="PNG ou JPEG, 200 ko au plus.",
    )
    couleur = models.CharField(
        "couleur",
        max_length=7,
        default="#0f5f6e",
        validators=[
            RegexValidator(r"^#[0-9a-fA-F]{6}$", "Écrivez la couleur sous la forme #0f5f6e."),
            couleur_lisible,
        ],
    )
    adresse = models.CharField("adresse", max_length=200, blank=True)
    code_postal = models.CharField("code postal", max_length=5, blank=True)
    ville = models.CharField("ville", max_length=100, blank=True)
    telephone = models.CharField("téléphone", max_length=20, blank=True)
    courriel = models.EmailField("adresse e-mail", blank=True)
    horaires = models.CharField("horaires d'ouverture", max_length=200, blank=True)
    siret = models.CharField(
        "SIRET", max_length=14, blank=True, validators=[RegexValidator(r"^[0-9]{14}$", "Quatorze chiffres.")]
    )
    signataire = models.CharField("signataire des courriers", max_length=100, blank=True, default="Le maire")

    message_bienvenue = models.TextField(
        "mot d'accueil de la page de connexion",
        blank=True,
        default="Bienvenue sur le portail des services aux familles.",
    )
    message_accueil = models.TextField(
        "message de la page d'accueil", blank=True, default="Bienvenue sur le Portail Famille."
    )

    encaisse = models.BooleanField(
        "la commune encaisse elle-même",
        default=False,
        help_text="Décochez si la trésorerie encaisse : le portail renvoie alors vers elle pour le solde.",
    )
    tresorerie = models.CharField("trésorerie", max_length=100, blank=True)
    tresorerie_telephone = models.CharField("téléphone de la trésorerie", max_length=20, blank=True)

    quotient_abattement = models.DecimalField(
        "abattement sur le revenu fiscal (%)",
        max_digits=4,
        decimal_places=1,
        default=0,
        validators=[MinValueValidator(0), MaxValueValidator(50)],
        help_text="Quotient d'après l'avis d'imposition : revenu fiscal moins l'abattement, "
        "divisé par 12 puis par le nombre de parts.",
    )
    quotient_mois_fin = models.PositiveSmallIntegerField(
        "dernier mois de validité des quotients",
        default=8,
        validators=[MinValueValidator(1), MaxValueValidator(12)],
        help_text="8 : les quotients valent jusqu'au 31 août qui suit leur date d'effet.",
    )

    age_depart_seul = models.PositiveSmallIntegerField(
        "âge à partir duquel un enfant peut rentrer seul",
        default=8,
        validators=[MinValueValidator(3), MaxValueValidator(18)],
        help_text="En années. Avant cet âge, une personne autorisée vient le chercher.",
    )

    zone = models.CharField(
        "zone des vacances scolaires",
        max_length=1,
        choices=[("A", "Zone A"), ("B", "Zone B"), ("C", "Zone C")],
        default="B",
    )

    class Meta:
        verbose_name = verbose_name_plural = "commune"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(pk=1), name="commune_unique", violation_error_message="La commune existe déjà."
            )
        ]

    def __str__(self):
        return self.nom

    def save(self, *args, **kwargs):
        self.pk = 1
        super().save(*args, **kwargs)
        cache.delete(CLE_CACHE)

    @classmethod
    def actuelle(cls) -> "Commune":
        """The commune of this portal; an unsaved « Votre commune » before the first set-up."""
        commune = cache.get(CLE_CACHE)
        if commune is None:
            commune = cls.objects.first() or cls(nom="Votre commune")
            cache.set(CLE_CACHE, commune, DUREE_CACHE)
        return commune

    @property
    def teintes(self) -> dict[str, str]:
        """The commune's colour and what the light and dark themes derive from it, as ``#rrggbb``."""
        return {
            "commune": self.couleur,
            "commune-teinte": _melanger(self.couleur, "#ffffff", 0.9),
            "commune-sombre": _eclaircir(self.couleur),
        }


def _melanger(couleur, autre, part):
    """``couleur`` mixed with ``part`` (0 to 1) of ``autre``."""
    canaux = ((int(couleur[i : i + 2], 16), int(autre[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{round(a + (b - a) * part):02x}" for a, b in canaux)


def _eclaircir(couleur, fond="#1b232b"):
    """The same hue, lighter until it reads on the dark theme's cards."""
    teinte, clarte, saturation = rgb_to_hls(*(int(couleur[i : i + 2], 16) / 255 for i in (1, 3, 5)))
    claire = couleur
    while contraste(claire, fond) < 6 and clarte < 0.95:
        clarte += 0.02
        claire = "#" + "".join(f"{round(canal * 255):02x}" for canal in hls_to_rgb(teinte, clarte, saturation))
    return claire
