"""The child, and the households it belongs to."""

import uuid

from django.db import models
from django.utils import timezone

from portail.outils.periodes import PeriodeQuerySet, dans_l_ordre, sans_recouvrement
from portail.outils.suivi import suivre


class EnfantQuerySet(models.QuerySet):
    def visibles_par(self, utilisateur, jour=None):
        """The only door to a child: those attached today to the household of this adult."""
        adulte = utilisateur.adulte
        if adulte is None:
            return self.none()
        return self.de_la_famille(adulte.famille_id, jour)

    def de_la_famille(self, famille_id, jour=None):
        """Children attached to this household on ``jour`` (today by default)."""
        rattaches = Rattachement.objects.en_vigueur(jour or timezone.localdate()).filter(famille=famille_id)
        return self.filter(pk__in=rattaches.values("enfant"))


@suivre()
class Enfant(models.Model):
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    prenom = models.CharField("prénom", max_length=80)
    nom = models.CharField("nom", max_length=80)
    date_naissance = models.DateField("date de naissance", null=True, blank=True)

    objects = EnfantQuerySet.as_manager()

    class Meta:
        verbose_name = "enfant"
        verbose_name_plural = "enfants"
        ordering = ["nom", "prenom", "pk"]

    def __str__(self):
        return f"{self.prenom} {self.nom}"


@suivre()
class Rattachement(models.Model):
    """A child belongs to a household, from a day to a day; two households share it in alternating custody."""

    enfant = models.ForeignKey(Enfant, on_delete=models.CASCADE, related_name="rattachements")
    famille = models.ForeignKey("familles.Famille", on_delete=models.PROTECT, related_name="rattachements")
    valable_du = models.DateField("du", default=timezone.localdate)
    valable_au = models.DateField("au", null=True, blank=True, help_text="Inclus.")

    objects = PeriodeQuerySet.as_manager()

    class Meta:
        verbose_name = "rattachement"
        verbose_name_plural = "rattachements"
        ordering = ["enfant", "valable_du", "pk"]
        constraints = [
            sans_recouvrement(
                "enfant",
                "famille",
                nom="un_rattachement_par_foyer_et_jour",
                phrase="Cet enfant est déjà rattaché à ce foyer pendant cette période.",
            ),
            dans_l_ordre("rattachement_dans_l_ordre"),
        ]

    def __str__(self):
        return f"{self.enfant} au foyer {self.famille}"
