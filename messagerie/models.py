"""Messages between the mairie and the families, services of the mairie, outbox of e-mails."""

import uuid

from django.core.cache import cache
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from familles.models import Famille, Responsable, Utilisateur
from portail.outils.chiffrement import TexteChiffre


class ServiceMairie(models.Model):
    """A desk of the mairie that answers families."""

    class Rythme(models.TextChoices):
        IMMEDIAT = "IMMEDIAT", "À chaque fois"
        QUOTIDIEN = "QUOTIDIEN", "Une fois par jour"
        JAMAIS = "JAMAIS", "Jamais"

    code = models.SlugField("code", unique=True, help_text="enfance-jeunesse, comptabilite…")
    nom = models.CharField("nom", max_length=80)
    courriel = models.EmailField("adresse e-mail du service", blank=True)
    rythme = models.CharField("prévenir des nouvelles demandes", max_length=9, choices=Rythme, default=Rythme.IMMEDIAT)
    resume_le = models.DateTimeField("dernier résumé envoyé le", null=True, editable=False)

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


class FilQuerySet(models.QuerySet):
    def visibles_par(self, adulte):
        """Threads of the household, but for those written to the other adult alone."""
        return self.filter(Q(destinataire=None) | Q(destinataire=adulte), famille=adulte.famille_id)

    def avec_non_lus(self, adulte):
        """Each thread with ``non_lu``: a message of the mairie that this adult has not opened."""
        lus = Lecture.objects.filter(adulte=adulte, message=OuterRef("pk"))
        non_lus = Message.objects.filter(fil=OuterRef("pk"), de_la_mairie=True).exclude(Exists(lus))
        return self.annotate(non_lu=Exists(non_lus))


class Fil(models.Model):
    """A thread of messages about one subject."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    famille = models.ForeignKey(Famille, on_delete=models.CASCADE, related_name="fils")
    destinataire = models.ForeignKey(
        Responsable,
        verbose_name="seul destinataire",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="fils",
        help_text="Vide : les deux adultes du foyer lisent ce fil.",
    )
    service = models.ForeignKey(ServiceMairie, null=True, blank=True, on_delete=models.PROTECT, related_name="fils")
    sujet = models.CharField("sujet", max_length=150)
    dernier_le = models.DateTimeField("dernier message le", default=timezone.now)

    objects = FilQuerySet.as_manager()

    class Meta:
        verbose_name = "fil de messages"
        verbose_name_plural = "fils de messages"
        ordering = ["-dernier_le", "-pk"]
        indexes = [models.Index(fields=["famille", "-dernier_le"], name="fil_par_famille")]

    def __str__(self):
        return self.sujet


class Message(models.Model):
    fil = models.ForeignKey(Fil, on_delete=models.CASCADE, related_name="messages")
    auteur = models.ForeignKey(Utilisateur, null=True, on_delete=models.PROTECT, related_name="+")
    de_la_mairie = models.BooleanField("écrit par la mairie")
    corps = models.TextField("texte")
    # Where the message leads; the app that writes it gives the address.
    lien = models.CharField("lien", max_length=200, blank=True)
    lien_libelle = models.CharField("texte du lien", max_length=60, blank=True)
    envoye_le = models.DateTimeField("envoyé le", default=timezone.now)

    class Meta:
        verbose_name = "message"
        verbose_name_plural = "messages"
        ordering = ["envoye_le", "pk"]
        indexes = [models.Index(fields=["fil", "envoye_le"], name="message_par_fil")]

    def __str__(self):
        return f"{self.fil} ({self.envoye_le:%d/%m/%Y})"


class Lecture(models.Model):
    """This adult has opened this message."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="lectures")
    adulte = models.ForeignKey(Responsable, on_delete=models.CASCADE, related_name="+")
    lu_le = models.DateTimeField("lu le", default=timezone.now)

    class Meta:
        verbose_name = "lecture"
        verbose_name_plural = "lectures"
        constraints = [models.UniqueConstraint(fields=["message", "adulte"], name="lu_une_fois")]

    def __str__(self):
        return f"{self.message} lu le {self.lu_le:%d/%m/%Y}"


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
