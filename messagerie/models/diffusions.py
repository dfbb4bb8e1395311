"""A message sent to many households: written once, handed out by the worker."""

import uuid

from django.db import models
from django.db.models import Count, Q
from django.utils import timezone

from familles.models import Famille, Responsable, Utilisateur
from messagerie.models.services import ServiceMairie


class DiffusionQuerySet(models.QuerySet):
    def avec_avancement(self):
        """Each with ``total`` households and ``remis``, those that have it."""
        return self.annotate(total=Count("envois"), remis=Count("envois", filter=Q(envois__fait_le__isnull=False)))


class Diffusion(models.Model):
    """One text, and to whom it goes: the rows of ``envois``, fixed when it is sent."""

    cle = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    service = models.ForeignKey(
        ServiceMairie, verbose_name="service", null=True, on_delete=models.PROTECT, related_name="diffusions"
    )
    sujet = models.CharField("sujet", max_length=150)
    corps = models.TextField("texte")
    selection = models.CharField("destinataires", max_length=200, help_text="En mots, comme l'agent les a choisis.")
    par = models.ForeignKey(Utilisateur, verbose_name="envoyé par", on_delete=models.PROTECT, related_name="+")
    cree_le = models.DateTimeField("envoyé le", default=timezone.now)
    arretee_le = models.DateTimeField("arrêtée le", null=True, editable=False)

    objects = DiffusionQuerySet.as_manager()

    class Meta:
        verbose_name = "message groupé"
        verbose_name_plural = "messages groupés"
        ordering = ["-cree_le", "-pk"]

    def __str__(self):
        return self.sujet


class EnvoiDiffusion(models.Model):
    """One household, or one adult of it alone, that a diffusion must reach once."""

    diffusion = models.ForeignKey(Diffusion, on_delete=models.CASCADE, related_name="envois")
    famille = models.ForeignKey(Famille, on_delete=models.CASCADE, related_name="+")
    adulte = models.ForeignKey(
        Responsable, verbose_name="seul destinataire", null=True, on_delete=models.CASCADE, related_name="+"
    )
    fait_le = models.DateTimeField("remis le", null=True)

    class Meta:
        verbose_name = "envoi d'un message groupé"
        verbose_name_plural = "envois des messages groupés"
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["diffusion", "famille", "adulte"], nulls_distinct=False, name="un_envoi_par_foyer"
            )
        ]
        indexes = [models.Index(fields=["id"], name="envois_a_faire", condition=Q(fait_le=None))]

    def __str__(self):
        return f"{self.diffusion} → {self.famille}"
