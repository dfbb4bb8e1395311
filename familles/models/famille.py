"""The household and its adults."""

import uuid

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.text import slugify

from familles.models.utilisateur import Utilisateur
from portail.commune import Commune
from portail.outils.suivi import suivre


@suivre()
class Famille(models.Model):
    """One household: adults who live together, one address, one account of money."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    nom = models.CharField("nom de la famille", max_length=170)
    adresse = models.CharField("adresse", max_length=160, blank=True)
    complement = models.CharField("complément d'adresse", max_length=160, blank=True)
    code_postal = models.CharField(
        "code postal", max_length=5, blank=True, validators=[RegexValidator(r"^[0-9]{5}$", "Cinq chiffres.")]
    )
    ville = models.CharField("commune", max_length=100, blank=True)
    cree_le = models.DateTimeField("ouverte le", auto_now_add=True)

    class Meta:
        verbose_name = "famille"
        verbose_name_plural = "familles"
        ordering = ["nom", "pk"]

    def __str__(self):
        return f"Famille {self.nom}"

    @property
    def adresse_lignes(self):
        """Address as printed in a window envelope, without empty lines."""
        lignes = [self.complement, self.adresse, f"{self.code_postal} {self.ville}".strip()]
        return [ligne for ligne in lignes if ligne]

    @property
    def est_residente(self):
        """Does it live in the commune? Some services open to residents first."""
        return _mots(self.ville) == _mots(Commune.actuelle().ville)

    def adultes(self):
        """The household's adults with their accounts, the responsable first."""
        return self.responsables.select_related("utilisateur").order_by("rang")


def _mots(ville):
    """« SAINT MARTIN D AUXIGNY » and « Saint-Martin-d'Auxigny » are one town."""
    return slugify(ville.replace("'", " ").replace("’", " "))


@suivre()
class Responsable(models.Model):
    """An adult of a household. Name, e-mail and login are the account's."""

    class Rang(models.IntegerChoices):
        RESPONSABLE = 1, "Responsable"
        CONJOINT = 2, "Conjoint"

    class Civilite(models.TextChoices):
        MADAME = "MME", "Madame"
        MONSIEUR = "M", "Monsieur"

    utilisateur = models.OneToOneField(
        Utilisateur, verbose_name="compte", on_delete=models.PROTECT, related_name="responsable"
    )
    famille = models.ForeignKey(Famille, on_delete=models.PROTECT, related_name="responsables")
    rang = models.PositiveSmallIntegerField("place dans le dossier", choices=Rang)
    civilite = models.CharField("civilité", max_length=3, choices=Civilite, blank=True)
    telephone_mobile = models.CharField("téléphone mobile", max_length=20, blank=True)
    telephone_fixe = models.CharField("téléphone fixe", max_length=20, blank=True)
    telephone_travail = models.CharField("téléphone au travail", max_length=20, blank=True)
    profession = models.CharField("profession", max_length=100, blank=True)
    employeur = models.CharField("employeur", max_length=100, blank=True)

    class Meta:
        verbose_name = "responsable"
        verbose_name_plural = "responsables"
        ordering = ["famille", "rang"]
        constraints = [
            models.UniqueConstraint(
                fields=["famille", "rang"],
                name="un_adulte_par_rang",
                violation_error_message="Ce dossier a déjà un adulte à cette place.",
            ),
            models.CheckConstraint(condition=Q(rang__in=[1, 2]), name="rang_connu"),
        ]

    def __str__(self):
        return self.utilisateur.nom_complet


@suivre()
class AncienFoyer(models.Model):
    """A household an adult has left: what was issued while they shared it stays readable to both."""

    adulte = models.ForeignKey(Responsable, on_delete=models.CASCADE, related_name="anciens_foyers")
    famille = models.ForeignKey(
        Famille, verbose_name="foyer quitté", on_delete=models.PROTECT, related_name="anciens_adultes"
    )
    quitte_le = models.DateField("quitté le", help_text="Premier jour du nouveau foyer.")

    class Meta:
        verbose_name = "ancien foyer"
        verbose_name_plural = "anciens foyers"
        ordering = ["adulte", "quitte_le", "pk"]

    def __str__(self):
        return f"{self.adulte}, {self.famille} jusqu'au {self.quitte_le:%d/%m/%Y}"
