"""Timed jobs: when each ran last, so that a restart, or a second node, neither forgets nor doubles one."""

from datetime import timedelta

from django.db import models, transaction
from django.utils import timezone


class Minuterie(models.Model):
    nom = models.CharField("tâche", max_length=60, unique=True)
    faite_le = models.DateTimeField("faite le", null=True)

    class Meta:
        verbose_name = "tâche minutée"
        verbose_name_plural = "tâches minutées"

    def __str__(self):
        return self.nom


def executer_si_due(nom: str, tous_les: timedelta, travail, *, maintenant=None) -> bool:
    """Run ``travail(maintenant=…)`` unless it ran within ``tous_les``; True when it did.

    The row stays locked meanwhile and another node skips it. Work and mark are one transaction: an error
    leaves the job due.
    """
    maintenant = maintenant or timezone.now()
    Minuterie.objects.get_or_create(nom=nom)
    with transaction.atomic():
        minuterie = Minuterie.objects.select_for_update(skip_locked=True).filter(nom=nom).first()
        if minuterie is None or (minuterie.faite_le and minuterie.faite_le > maintenant - tous_les):
            return False
        travail(maintenant=maintenant)
        minuterie.faite_le = maintenant
        minuterie.save(update_fields=["faite_le"])
        return True
