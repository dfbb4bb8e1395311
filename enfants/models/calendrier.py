"""School and public holidays, imported from a package by ``manage.py calendrier`` and then the agents' to correct."""

from django.db import models

from portail.outils.periodes import dans_l_ordre, sans_recouvrement


class PeriodeVacances(models.Model):
    nom = models.CharField("nom", max_length=60)
    valable_du = models.DateField("premier jour")
    valable_au = models.DateField("dernier jour", help_text="Inclus.")

    class Meta:
        verbose_name = "vacances scolaires"
        verbose_name_plural = "vacances scolaires"
        ordering = ["valable_du"]
        constraints = [
            sans_recouvrement(nom="vacances_sans_recouvrement", phrase="D'autres vacances couvrent ces jours."),
            dans_l_ordre("vacances_dans_l_ordre"),
        ]

    def __str__(self):
        return self.nom


class JourFerie(models.Model):
    jour = models.DateField("jour", unique=True, error_messages={"unique": "Ce jour férié est déjà dans la liste."})
    nom = models.CharField("nom", max_length=60)

    class Meta:
        verbose_name = "jour férié"
        verbose_name_plural = "jours fériés"
        ordering = ["jour"]

    def __str__(self):
        return self.nom
