"""Schools, their classes, and who looks after the children there."""

from django.conf import settings
from django.db import models

from portail.outils.suivi import suivre


class Niveau(models.TextChoices):
    """Level of a child; the last one leaves for the collège."""

    TPS = "TPS", "Toute petite section"
    PS = "PS", "Petite section"
    MS = "MS", "Moyenne section"
    GS = "GS", "Grande section"
    CP = "CP", "CP"
    CE1 = "CE1", "CE1"
    CE2 = "CE2", "CE2"
    CM1 = "CM1", "CM1"
    CM2 = "CM2", "CM2"


class Ecole(models.Model):
    nom = models.CharField("nom", max_length=100, unique=True)
    telephone = models.CharField("téléphone", max_length=20, blank=True)

    class Meta:
        verbose_name = "école"
        verbose_name_plural = "écoles"
        ordering = ["nom"]

    def __str__(self):
        return self.nom


class Classe(models.Model):
    ecole = models.ForeignKey(Ecole, verbose_name="école", on_delete=models.PROTECT, related_name="classes")
    nom = models.CharField("nom", max_length=60, help_text="Par exemple : CP-CE1 de Mme Faure.")

    class Meta:
        verbose_name = "classe"
        verbose_name_plural = "classes"
        ordering = ["ecole__nom", "nom"]
        constraints = [
            models.UniqueConstraint(
                fields=["ecole", "nom"],
                name="une_classe_par_nom_et_ecole",
                violation_error_message="Cette école a déjà une classe de ce nom.",
            )
        ]

    def __str__(self):
        return self.nom


@suivre()
class Affectation(models.Model):
    """An animateur works at a school: the children's files, health included, open for that school only."""

    animateur = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="affectations",
        limit_choices_to={"is_staff": True},
    )
    ecole = models.ForeignKey(Ecole, verbose_name="école", on_delete=models.CASCADE, related_name="affectations")

    class Meta:
        verbose_name = "affectation"
        verbose_name_plural = "affectations"
        ordering = ["ecole", "animateur"]
        constraints = [
            models.UniqueConstraint(
                fields=["animateur", "ecole"],
                name="une_affectation_par_ecole",
                violation_error_message="Cet agent travaille déjà dans cette école.",
            )
        ]

    def __str__(self):
        return f"{self.animateur} – {self.ecole}"
