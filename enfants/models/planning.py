"""What families want (reservations) and what was seen (presences), day by day."""

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from enfants.models.enfant import Enfant, Garde
from enfants.models.service import Formule, MotifAbsence, Reglement, Service, Site
from portail.outils.suivi import suivre


@suivre()
class Inscription(models.Model):
    """A household registers a child to a service for a school year; registering books nothing by itself."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    enfant = models.ForeignKey(Enfant, on_delete=models.CASCADE, related_name="inscriptions")
    famille = models.ForeignKey("familles.Famille", on_delete=models.PROTECT, related_name="inscriptions")
    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="inscriptions")
    annee = models.PositiveSmallIntegerField("année scolaire")
    jours = ArrayField(
        models.PositiveSmallIntegerField(choices=Garde.Jour), verbose_name="jours habituels", blank=True, default=list
    )
    formule = models.ForeignKey(Formule, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    reglement = models.ForeignKey(
        Reglement, verbose_name="règlement accepté", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    reglement_accepte_le = models.DateTimeField("règlement accepté le", null=True, blank=True)
    valable_du = models.DateField("du")
    valable_au = models.DateField("au", help_text="Inclus.")
    jours_reserves_le = models.DateTimeField("jours habituels réservés le", null=True, editable=False)

    class Meta:
        verbose_name = "inscription"
        verbose_name_plural = "inscriptions"
        ordering = ["-annee", "enfant__nom", "enfant__prenom", "service__ordre", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["enfant", "famille", "service", "annee"],
                name="une_inscription_par_an",
                violation_error_message="Cet enfant est déjà inscrit à ce service pour l'année, par ce foyer.",
            ),
            models.CheckConstraint(
                condition=Q(valable_au__gte=models.F("valable_du")),
                name="inscription_dans_l_ordre",
                violation_error_message="La fin vient avant le début.",
            ),
        ]

    def __str__(self):
        return f"{self.enfant} : {self.service} {self.annee}-{self.annee + 1}"


@suivre()
class Place(models.Model):
    """A day of a service at a site: the row that bookings lock, and where its sheet is closed."""

    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="+")
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="+")
    jour = models.DateField("jour")
    close_le = models.DateTimeField("feuille close le", null=True, blank=True)
    close_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        verbose_name = "journée d'un service"
        verbose_name_plural = "journées des services"
        ordering = ["jour", "service", "site"]
        constraints = [models.UniqueConstraint(fields=["service", "site", "jour"], name="une_place_par_jour")]

    def __str__(self):
        return f"{self.service}, {self.site}, {self.jour:%d/%m/%Y}"


class ReservationQuerySet(models.QuerySet):
    def actives(self):
        """Booked and not cancelled; a declared absence keeps its reservation."""
        return self.filter(annulee_le=None)


class Reservation(models.Model):
    """What a family wants of a service on a day. Cancelled, the row stays: it tells when and by whom."""

    enfant = models.ForeignKey(Enfant, on_delete=models.PROTECT, related_name="reservations")
    famille = models.ForeignKey("familles.Famille", on_delete=models.PROTECT, related_name="reservations")
    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="reservations")
    jour = models.DateField("jour")
    place = models.ForeignKey(Place, on_delete=models.PROTECT, related_name="reservations")
    formule = models.ForeignKey(Formule, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    tardive = models.BooleanField("demandée après le délai", default=False)
    reservee_le = models.DateTimeField("réservée le", default=timezone.now)
    reservee_par = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    annulee_le = models.DateTimeField("annulée le", null=True, blank=True)
    annulee_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    annulation = models.CharField("raison de l'annulation", max_length=120, blank=True)
    motif_absence = models.ForeignKey(
        MotifAbsence, verbose_name="absence", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    absence_le = models.DateTimeField("absence déclarée le", null=True, blank=True)
    absence_justifiee = models.BooleanField("justificatif reçu", default=False)

    objects = ReservationQuerySet.as_manager()

    class Meta:
        verbose_name = "réservation"
        verbose_name_plural = "réservations"
        ordering = ["jour", "service", "enfant", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["enfant", "jour", "service"],
                condition=Q(annulee_le=None),
                name="une_reservation_par_jour",
                violation_error_message="Cet enfant a déjà une réservation ce jour-là.",
            ),
            models.CheckConstraint(
                condition=Q(annulee_le=None, annulee_par=None) | Q(annulee_le__isnull=False, annulee_par__isnull=False),
                name="reservation_annulee_par_quelqu_un",
            ),
            models.CheckConstraint(
                condition=Q(motif_absence=None, absence_le=None)
                | Q(motif_absence__isnull=False, absence_le__isnull=False),
                name="absence_avec_motif",
            ),
        ]
        indexes = [
            models.Index(fields=["place"], name="reservations_actives", condition=Q(annulee_le=None)),
            models.Index(fields=["famille", "jour"], name="reservations_par_famille"),
        ]

    def __str__(self):
        return f"{self.enfant}, {self.service}, {self.jour:%d/%m/%Y}"


class AttenteQuerySet(models.QuerySet):
    def ouvertes(self):
        """Waiting, or offered a place and not answered yet."""
        return self.filter(close_le=None)


class Attente(models.Model):
    """A child waits for a place of a full day; the first in line is offered the one that is freed."""

    class Issue(models.TextChoices):
        RESERVEE = "RESERVEE", "A pris la place"
        PASSEE = "PASSEE", "N'a pas répondu à temps"
        QUITTEE = "QUITTEE", "A quitté la liste"
        PERIMEE = "PERIMEE", "Le jour est passé"
        FERMEE = "FERMEE", "Service fermé ce jour-là"

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    enfant = models.ForeignKey(Enfant, on_delete=models.CASCADE, related_name="attentes")
    famille = models.ForeignKey("familles.Famille", on_delete=models.PROTECT, related_name="attentes")
    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="attentes")
    jour = models.DateField("jour")
    place = models.ForeignKey(Place, on_delete=models.PROTECT, related_name="attentes")
    formule = models.ForeignKey(Formule, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    inscrite_le = models.DateTimeField("inscrite le", default=timezone.now)
    inscrite_par = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    offerte_le = models.DateTimeField("place proposée le", null=True, blank=True)
    expire_le = models.DateTimeField("proposée jusqu'au", null=True, blank=True)
    close_le = models.DateTimeField("close le", null=True, blank=True)
    issue = models.CharField("issue", max_length=8, choices=Issue, blank=True)

    objects = AttenteQuerySet.as_manager()

    class Meta:
        verbose_name = "liste d'attente"
        verbose_name_plural = "listes d'attente"
        ordering = ["jour", "service", "inscrite_le", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["enfant", "jour", "service"], condition=Q(close_le=None), name="une_attente_par_jour"
            ),
            models.CheckConstraint(
                condition=Q(offerte_le=None, expire_le=None) | Q(offerte_le__isnull=False, expire_le__isnull=False),
                name="place_proposee_pour_un_temps",
            ),
            models.CheckConstraint(
                condition=Q(close_le=None, issue="") | (Q(close_le__isnull=False) & ~Q(issue="")),
                name="attente_close_par_une_issue",
            ),
        ]
        indexes = [models.Index(fields=["place", "inscrite_le"], name="attentes_en_ordre", condition=Q(close_le=None))]

    def __str__(self):
        return f"{self.enfant} attend {self.service}, {self.jour:%d/%m/%Y}"


class RappelSemaine(models.Model):
    """This household has been told that nothing is booked for a week where its children usually come."""

    famille = models.ForeignKey("familles.Famille", on_delete=models.CASCADE, related_name="+")
    lundi = models.DateField("semaine du lundi")
    envoye_le = models.DateTimeField("envoyé le", default=timezone.now)

    class Meta:
        verbose_name = "rappel de semaine vide"
        verbose_name_plural = "rappels de semaine vide"
        ordering = ["lundi", "famille"]
        constraints = [models.UniqueConstraint(fields=["famille", "lundi"], name="un_rappel_par_semaine")]

    def __str__(self):
        return f"{self.famille}, semaine du {self.lundi:%d/%m/%Y}"


class PresenceQuerySet(models.QuerySet):
    def accessibles_a(self, agent):
        """Those of the children of the schools where this agent works, all of them with a permission."""
        if agent.has_perm("enfants.voir_partout_enfant") or agent.has_perm("enfants.voir_partout_presence"):
            return self
        return self.filter(enfant__ecole__affectations__animateur=agent)


@suivre()
class Presence(models.Model):
    """What was seen, by whom: the child was there or was not, booked or not. What was noted by mistake is changed."""

    class Etat(models.TextChoices):
        PRESENT = "PRESENT", "Présent"
        ABSENT = "ABSENT", "Absent"

    enfant = models.ForeignKey(Enfant, on_delete=models.PROTECT, related_name="presences")
    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="presences")
    jour = models.DateField("jour")
    place = models.ForeignKey(Place, on_delete=models.PROTECT, related_name="presences")
    etat = models.CharField("état", max_length=7, choices=Etat)
    arrivee = models.TimeField("arrivée", null=True, blank=True)
    depart = models.TimeField("départ", null=True, blank=True)
    pointee_le = models.DateTimeField("pointée le", default=timezone.now)
    pointee_par = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    correction = models.CharField(
        "raison de la correction", max_length=200, blank=True, help_text="Demandée une fois la feuille close."
    )
    # The family is told once that the child was there without a booking.
    famille_prevenue_le = models.DateTimeField("famille prévenue le", null=True, blank=True, editable=False)

    objects = PresenceQuerySet.as_manager()

    class Meta:
        verbose_name = "présence"
        verbose_name_plural = "présences"
        ordering = ["jour", "service", "enfant", "pk"]
        permissions = [("voir_partout_presence", "Peut voir les présences de toutes les écoles")]
        constraints = [models.UniqueConstraint(fields=["enfant", "jour", "service"], name="une_presence_par_jour")]
        indexes = [models.Index(fields=["place"], name="presences_par_place")]

    def __str__(self):
        return f"{self.enfant}, {self.service}, {self.jour:%d/%m/%Y} : {self.get_etat_display().lower()}"


class AbonnementCalendrier(models.Model):
    """The secret address by which an adult's own calendar reads the reservations; replaced, the old one is dead."""

    adulte = models.OneToOneField("familles.Responsable", on_delete=models.CASCADE, related_name="abonnement")
    empreinte = models.CharField("empreinte du jeton", max_length=64, unique=True)
    cree_le = models.DateTimeField("créé le", default=timezone.now)
    lu_le = models.DateTimeField("lu le", null=True, blank=True)

    class Meta:
        verbose_name = "calendrier par abonnement"
        verbose_name_plural = "calendriers par abonnement"

    def __str__(self):
        return f"Calendrier de {self.adulte}"
