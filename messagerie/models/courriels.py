"""The outbox of e-mails, and which of them each adult wants."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from familles.models import Responsable
from portail.outils.chiffrement import TexteChiffre


class CourrielQuerySet(models.QuerySet):
    def a_envoyer(self, maintenant):
        return self.filter(envoye_le=None, abandonne_le=None, prochain_essai_le__lte=maintenant).order_by("pk")


class Courriel(models.Model):
    """An e-mail to send. Written in the transaction of what it tells; the worker sends it, at least once."""

    destinataire = models.EmailField("destinataire")
    objet = models.CharField("objet", max_length=200)
    corps = TexteChiffre("texte")  # may hold a link that opens an account
    corps_html = TexteChiffre("texte mis en forme", blank=True)
    expediteur = models.CharField("expéditeur", max_length=200)
    repondre_a = models.CharField("répondre à", max_length=200, blank=True)
    desabonnement = TexteChiffre("adresse de désabonnement", blank=True)  # signed: who has it may unsubscribe
    message_id = models.CharField("Message-ID", max_length=200, unique=True)
    cree_le = models.DateTimeField("écrit le", default=timezone.now)
    tentatives = models.PositiveSmallIntegerField("essais", default=0)
    prochain_essai_le = models.DateTimeField("prochain essai le", default=timezone.now)
    envoye_le = models.DateTimeField("envoyé le", null=True)
    abandonne_le = models.DateTimeField("abandonné le", null=True)
    erreur = models.TextField("dernière erreur", blank=True)

    objects = CourrielQuerySet.as_manager()

    class Meta:
        verbose_name = "courriel"
        verbose_name_plural = "courriels"
        ordering = ["-cree_le", "-pk"]
        indexes = [
            models.Index(
                fields=["prochain_essai_le"],
                name="courriels_a_envoyer",
                condition=Q(envoye_le=None, abandonne_le=None),
            )
        ]

    def __str__(self):
        return f"{self.objet} → {self.destinataire}"


class Preference(models.Model):
    """Which mails an adult wants; without a row, each message. Those of security always leave."""

    class Rythme(models.TextChoices):
        IMMEDIAT = "IMMEDIAT", "À chaque message"
        QUOTIDIEN = "QUOTIDIEN", "Un résumé par jour"
        AUCUN = "AUCUN", "Aucun"

    adulte = models.OneToOneField(Responsable, on_delete=models.CASCADE, related_name="preference_courriels")
    rythme = models.CharField("courriels reçus", max_length=9, choices=Rythme, default=Rythme.IMMEDIAT)
    resume_le = models.DateTimeField("dernier résumé envoyé le", null=True, editable=False)

    class Meta:
        verbose_name = "choix des courriels"
        verbose_name_plural = "choix des courriels"

    def __str__(self):
        return f"{self.adulte} : {self.get_rythme_display()}"
