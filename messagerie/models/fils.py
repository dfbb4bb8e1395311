"""Threads of messages between a household and the mairie, and what each adult has read or put away."""

import uuid

from django.db import models
from django.db.models import Count, Exists, OuterRef, Q
from django.urls import reverse
from django.utils import timezone

from familles.models import Famille, Responsable, Utilisateur
from messagerie.models.services import ServiceMairie
from portail.outils.fichiers import Piece


class FilQuerySet(models.QuerySet):
    def visibles_par(self, adulte):
        """Threads of the household, but for those written to the other adult alone."""
        return self.filter(Q(destinataire=None) | Q(destinataire=adulte), famille=adulte.famille_id)

    def recus_par(self, adulte):
        """Its inbox: what the mairie has written, but for what this adult deleted."""
        return self.visibles_par(adulte).filter(~_supprime_par(adulte), mairie_le__isnull=False)

    def envoyes_par(self, adulte):
        """What the household has written, with the answers, but for what this adult deleted."""
        return self.visibles_par(adulte).filter(~_supprime_par(adulte), famille_le__isnull=False)

    def supprimes_par(self, adulte):
        """What this adult deleted, and may restore."""
        return self.visibles_par(adulte).filter(_supprime_par(adulte))

    def avec_non_lus(self, adulte):
        """Each thread with ``non_lu``: a message of the mairie that this adult has not opened."""
        return self.annotate(non_lu=_non_lu_par(adulte))

    def avec_pieces(self):
        """Each thread with ``a_pieces``: a paper is joined to a message, or to the diffusion it is a copy of."""
        jointes = PieceMessage.objects.filter(Q(message__fil=OuterRef("pk")) | Q(diffusion=OuterRef("diffusion")))
        return self.annotate(a_pieces=Exists(jointes))

    def compter(self, adulte) -> dict[str, int]:
        """How many threads this adult has in each of its boxes, and ``non_lus``, in one query."""
        ici, mairie = Q(supprime=False), Q(mairie_le__isnull=False)
        fils = self.visibles_par(adulte).annotate(supprime=_supprime_par(adulte), non_lu=_non_lu_par(adulte))
        return fils.order_by().aggregate(
            recus=Count("pk", filter=ici & mairie),
            envoyes=Count("pk", filter=ici & Q(famille_le__isnull=False)),
            supprimes=Count("pk", filter=Q(supprime=True)),
            non_lus=Count("pk", filter=ici & mairie & Q(non_lu=True)),
        )

    def contenant(self, mots: str):
        """Threads of which the subject or a message holds every word; accents and capitals do not count."""
        fils = self
        for mot in mots.replace("\x00", "").split()[:5]:
            dit = Message.objects.filter(fil=OuterRef("pk"), corps__unaccent__icontains=mot)
            fils = fils.filter(Q(sujet__unaccent__icontains=mot) | Exists(dit))
        return fils

    def ouverts_a(self, agent):
        """Threads that an agent may read: of its services, and of none."""
        return self.filter(Q(service=None) | Q(service__in=ServiceMairie.objects.tenus_par(agent)))

    def en_attente(self):
        """The family wrote last and waits for an answer."""
        return self.filter(etat=Fil.Etat.EN_ATTENTE)


def _supprime_par(adulte):
    return Exists(Rangement.objects.filter(fil=OuterRef("pk"), adulte=adulte))


def _non_lu_par(adulte):
    lus = Lecture.objects.filter(adulte=adulte, message=OuterRef("pk"))
    return Exists(Message.objects.filter(fil=OuterRef("pk"), de_la_mairie=True).exclude(Exists(lus)))


class Fil(models.Model):
    """A thread of messages about one subject."""

    class Etat(models.TextChoices):
        INFORMATION = "INFORMATION", "Information"
        EN_ATTENTE = "EN_ATTENTE", "En attente de réponse"
        REPONDU = "REPONDU", "Répondu"
        CLOS = "CLOS", "Clos"

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
    etat = models.CharField("état", max_length=11, choices=Etat, default=Etat.INFORMATION)
    dernier_le = models.DateTimeField("dernier message le", default=timezone.now)
    # When each side wrote last: what makes a thread received, sent, or both.
    mairie_le = models.DateTimeField("dernier message de la mairie le", null=True, editable=False)
    famille_le = models.DateTimeField("dernier message de la famille le", null=True, editable=False)
    affecte_a = models.ForeignKey(
        Utilisateur,
        verbose_name="confié à",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        limit_choices_to={"is_staff": True, "is_active": True},
    )
    lu_mairie_le = models.DateTimeField("ouvert par la mairie le", null=True, editable=False)
    lu_mairie_par = models.ForeignKey(
        Utilisateur, null=True, on_delete=models.SET_NULL, related_name="+", editable=False
    )
    # What it is about, by a key that its app understands (« demande/<uuid> »); the words and the address to show.
    contexte = models.CharField("objet", max_length=60, blank=True, editable=False)
    contexte_libelle = models.CharField("à propos de", max_length=150, blank=True, editable=False)
    contexte_lien = models.CharField(max_length=200, blank=True, editable=False)
    diffusion = models.ForeignKey(
        "messagerie.Diffusion", null=True, on_delete=models.SET_NULL, related_name="fils", editable=False
    )

    objects = FilQuerySet.as_manager()

    class Meta:
        verbose_name = "échange avec une famille"
        verbose_name_plural = "messages des familles"
        ordering = ["-dernier_le", "-pk"]
        permissions = [("repondre_fil", "Peut écrire aux familles")]
        indexes = [
            models.Index(fields=["famille", "-dernier_le"], name="fil_par_famille"),
            models.Index(fields=["famille_le"], name="fils_en_attente", condition=Q(etat="EN_ATTENTE")),
            models.Index(fields=["contexte"], name="fils_par_objet", condition=~Q(contexte="")),
        ]

    def __str__(self):
        return self.sujet

    def get_absolute_url(self):
        return reverse("message", args=[self.uuid])

    @property
    def expediteur(self):
        """Who answers in it, for the family."""
        return self.service.nom if self.service_id else "La mairie"

    @property
    def est_nouveau(self):
        """The family wrote since an agent last opened it."""
        return self.etat == self.Etat.EN_ATTENTE and (
            self.lu_mairie_le is None or self.famille_le is None or self.lu_mairie_le < self.famille_le
        )


class Message(models.Model):
    # Drawn with the empty form: the same form sent twice makes one message.
    cle = models.UUIDField(default=uuid.uuid4, editable=False)
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
        constraints = [models.UniqueConstraint(fields=["auteur", "cle"], name="message_ecrit_une_fois")]
        indexes = [models.Index(fields=["fil", "envoye_le"], name="message_par_fil")]

    def __str__(self):
        return f"{self.fil} ({self.envoye_le:%d/%m/%Y})"


class PieceMessage(Piece):
    """A paper joined to a message, or to all the messages of a diffusion."""

    message = models.ForeignKey(Message, null=True, on_delete=models.CASCADE, related_name="pieces")
    diffusion = models.ForeignKey("messagerie.Diffusion", null=True, on_delete=models.CASCADE, related_name="pieces")

    class Meta:
        verbose_name = "pièce d'un message"
        verbose_name_plural = "pièces des messages"
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(message__isnull=False, diffusion=None) | Q(message=None, diffusion__isnull=False),
                name="piece_d_un_message_ou_d_une_diffusion",
            )
        ]

    @property
    def url(self):
        return reverse("piece_message", args=[self.uuid])


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


class Rangement(models.Model):
    """This adult has deleted this thread from its box; the mairie and the other adult keep it."""

    fil = models.ForeignKey(Fil, on_delete=models.CASCADE, related_name="rangements")
    adulte = models.ForeignKey(Responsable, on_delete=models.CASCADE, related_name="+")
    supprime_le = models.DateTimeField("supprimé le", default=timezone.now)

    class Meta:
        verbose_name = "fil supprimé"
        verbose_name_plural = "fils supprimés"
        constraints = [models.UniqueConstraint(fields=["fil", "adulte"], name="supprime_une_fois")]

    def __str__(self):
        return f"{self.fil} supprimé le {self.supprime_le:%d/%m/%Y}"
