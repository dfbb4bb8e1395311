"""The desks of the mairie that answer families, and the answers they keep ready."""

from django.core.cache import cache
from django.db import models

from familles.models import Utilisateur


class ServiceMairieQuerySet(models.QuerySet):
    def joignables(self):
        """To whom families may write."""
        return self.filter(recoit_messages=True).order_by("ordre", "nom")

    def tenus_par(self, agent):
        """Whose threads this agent reads: its own, and those that nobody still here is named for."""
        if agent.is_superuser:
            return self
        return self.filter(models.Q(agents=agent) | ~models.Q(agents__is_active=True)).distinct()


class ServiceMairie(models.Model):
    """A desk of the mairie that answers families."""

    class Rythme(models.TextChoices):
        IMMEDIAT = "IMMEDIAT", "À chaque fois"
        QUOTIDIEN = "QUOTIDIEN", "Une fois par jour"
        JAMAIS = "JAMAIS", "Jamais"

    code = models.SlugField("code", unique=True, help_text="enfance-jeunesse, comptabilite…")
    nom = models.CharField("nom", max_length=80)
    courriel = models.EmailField("adresse e-mail du service", blank=True)
    rythme = models.CharField(
        "prévenir des nouvelles demandes et des nouveaux messages",
        max_length=9,
        choices=Rythme,
        default=Rythme.IMMEDIAT,
    )
    resume_le = models.DateTimeField("dernier résumé envoyé le", null=True, editable=False)
    recoit_messages = models.BooleanField("les familles peuvent lui écrire", default=True)
    ordre = models.PositiveSmallIntegerField("ordre dans la liste des familles", default=0)
    agents = models.ManyToManyField(
        Utilisateur,
        verbose_name="agents",
        blank=True,
        related_name="services_mairie",
        limit_choices_to={"is_staff": True, "is_active": True},
        help_text="Ils lisent ses messages et y répondent. Personne\u00a0: tous les agents qui ont accès aux messages.",
    )

    objects = ServiceMairieQuerySet.as_manager()

    class Meta:
        verbose_name = "service de la mairie"
        verbose_name_plural = "services de la mairie"
        ordering = ["nom"]

    def __str__(self):
        return self.nom

    def save(self, *args, **kwargs):
        super().save(*args, **kwargs)
        cache.delete(f"service-{self.code}")

    @classmethod
    def de(cls, code: str) -> "ServiceMairie | None":
        """The service of this code, kept a minute: it signs every answer; None where the mairie has none."""
        return cache.get_or_set(f"service-{code}", lambda: cls.objects.filter(code=code).first(), 60)


class ReponseType(models.Model):
    """A ready-made answer that an agent completes at will."""

    service = models.ForeignKey(
        ServiceMairie,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="reponses_types",
        help_text="Vide\u00a0: proposée à tous les services.",
    )
    libelle = models.CharField("nom court", max_length=80)
    texte = models.TextField("texte proposé")

    class Meta:
        verbose_name = "réponse toute prête"
        verbose_name_plural = "réponses toutes prêtes"
        ordering = ["service", "libelle", "pk"]

    def __str__(self):
        return self.libelle
