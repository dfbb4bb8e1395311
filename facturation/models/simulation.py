"""What the simulator of PayFiP remembers, in a demonstration: the operations of its web service."""

import uuid

from django.db import models
from django.utils import timezone


class OperationSimulee(models.Model):
    """A payment asked of the simulated web service, and what its visitor made of it."""

    operation = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    champs = models.JSONField("demande", default=dict)
    resultat = models.CharField("résultat", max_length=1, blank=True)
    cree_le = models.DateTimeField("créée le", default=timezone.now)
    conclue_le = models.DateTimeField("conclue le", null=True, blank=True)

    class Meta:
        verbose_name = "opération simulée"
        verbose_name_plural = "opérations simulées"

    def __str__(self):
        return str(self.operation)
