"""What the commune publishes for families: news, documents, forms, links; from a day to a day, for all or for some."""

import uuid

from django.core.validators import URLValidator
from django.db import models, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.urls import reverse
from django.utils import timezone

from enfants.models import Ecole, Enfant, Inscription, Reservation, Service
from enfants.regles.annees import libelle
from portail.outils.fichiers import Piece, ranger
from portail.outils.texte_riche import rendre


class PublicationQuerySet(models.QuerySet):
    def en_cours(self, aujourdhui):
        """What is online on this day: both its first and its last day count."""
        return self.filter(Q(publie_au=None) | Q(publie_au__gte=aujourdhui), publie_du__lte=aujourdhui)

    def visibles_par(self, utilisateur):
        """What is meant for this adult, whatever the dates: an agent sees all, a stranger nothing.

        Without a target, it is for everybody. Otherwise for who may see a child of one of the schools, or one
        registered today, or booked some day, in one of the services.
        """
        if not utilisateur.is_authenticated:
            return self.none()
        if utilisateur.is_staff:
            return self
        ecoles, services = self._cibles("ecoles"), self._cibles("services")
        pour_tous = Q(ciblee=False) & ~Exists(ecoles) & ~Exists(services)
        enfants = Enfant.objects.visibles_par(utilisateur).order_by()
        cles = enfants.values("pk")
        inscrits = Inscription.objects.filter(
            enfant__in=cles, valable_du__lte=timezone.localdate(), valable_au__gte=timezone.localdate()
        )
        reserves = Reservation.objects.actives().filter(enfant__in=cles)
        de_l_ecole = Exists(ecoles.filter(ecole__in=enfants.values("ecole")))
        du_service = Exists(services.filter(service__in=inscrits.order_by().values("service"))) | Exists(
            services.filter(service__in=reserves.order_by().values("service"))
        )
        return self.filter(pour_tous | Q(de_l_ecole) | Q(du_service))

    def _cibles(self, nom):
        """Rows of the link to the schools, or to the services, of each publication."""
        lien = getattr(self.model, nom).through
        return lien.objects.filter(**{self.model._meta.model_name: OuterRef("pk")})


class Publication(models.Model):
    """When, and for whom."""

    publie_du = models.DateField("en ligne du", default=timezone.localdate)
    publie_au = models.DateField("au", null=True, blank=True, help_text="Inclus. Vide\u00a0: sans fin.")
    ecoles = models.ManyToManyField(
        Ecole, verbose_name="écoles", blank=True, related_name="+", help_text="Aucune\u00a0: toutes."
    )
    services = models.ManyToManyField(
        Service, verbose_name="services", blank=True, related_name="+", help_text="Aucun\u00a0: tous."
    )
    # Once its last school is deleted, what was for that school is for nobody, not for everybody.
    ciblee = models.BooleanField(default=False, editable=False)

    objects = PublicationQuerySet.as_manager()

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=Q(publie_au=None) | Q(publie_au__gte=F("publie_du")),
                name="%(class)s_dates_dans_l_ordre",
                violation_error_message="La fin vient avant le début.",
            )
        ]

    def __str__(self):
        return self.titre

    def etat(self, aujourdhui) -> str:
        """« en ligne », « à venir » or « passée »."""
        if self.publie_du > aujourdhui:
            return "à venir"
        return "passée" if self.publie_au and self.publie_au < aujourdhui else "en ligne"


class Actualite(Publication):
    """A piece of news on the first page, for some days."""

    titre = models.CharField("titre", max_length=120)
    corps = models.TextField("texte", max_length=10_000)
    epinglee = models.BooleanField("toujours en premier", default=False)

    class Meta(Publication.Meta):
        verbose_name = "actualité"
        verbose_name_plural = "actualités"
        ordering = ["-epinglee", "-publie_du", "-pk"]

    @property
    def html(self):
        return rendre(self.corps)


class Document(Publication):
    """A paper, a form or a link on « Infos./Documents »."""

    class Genre(models.TextChoices):
        DOCUMENT = "DOCUMENT", "Document"
        FORMULAIRE = "FORMULAIRE", "Formulaire à télécharger"
        LIEN = "LIEN", "Lien vers une page internet"

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    genre = models.CharField("genre", max_length=10, choices=Genre, default=Genre.DOCUMENT)
    titre = models.CharField("titre", max_length=120)
    description = models.CharField("description", max_length=300, blank=True)
    # Not a URLField: its form would guess a scheme for an address typed without one.
    lien = models.CharField(
        "adresse de la page",
        max_length=500,
        blank=True,
        validators=[URLValidator(schemes=["http", "https"], message="Écrivez une adresse qui commence par https://.")],
        help_text="Pour un lien\u00a0: https://…",
    )
    annee = models.PositiveSmallIntegerField("année scolaire", null=True, blank=True)
    ordre = models.PositiveSmallIntegerField("ordre", default=10, help_text="Le plus petit vient en premier.")
    public = models.BooleanField(
        "ouvert à tous", default=False, help_text="Qui a l'adresse du fichier le lit sans se connecter."
    )

    class Meta(Publication.Meta):
        verbose_name = "document"
        verbose_name_plural = "documents"
        ordering = ["-annee", "ordre", "titre", "pk"]
        constraints = [
            *Publication.Meta.constraints,
            models.CheckConstraint(
                condition=~Q(genre="LIEN") | Q(lien__regex="^[hH][tT][tT][pP][sS]?://"),
                name="document_lien_avec_adresse",
                violation_error_message="Donnez l'adresse de la page, qui commence par https://.",
            ),
            models.CheckConstraint(
                condition=Q(genre="LIEN") | Q(lien=""),
                name="document_fichier_sans_adresse",
                violation_error_message="Seul un lien a une adresse\u00a0: effacez-la ou choisissez le genre "
                "«\u00a0Lien\u00a0».",
            ),
        ]

    @property
    def adresse(self):
        """Where the family goes: the page of a link, the file of the rest."""
        return self.lien or reverse("document_publie", args=[self.uuid])

    @property
    def piece(self) -> "FichierPublie | None":
        return getattr(self, "fichier", None)

    @property
    def annee_texte(self):
        return libelle(self.annee) if self.annee else ""


class FichierPublie(Piece):
    """The file of a document; a newer one is a new row, and the old file goes with the next sweep."""

    document = models.OneToOneField(Document, on_delete=models.CASCADE, related_name="fichier")

    class Meta:
        verbose_name = "fichier publié"
        verbose_name_plural = "fichiers publiés"

    @property
    def url(self):
        return reverse("document_publie", args=[self.document.uuid])


@transaction.atomic
def remplacer_fichier(document: Document, piece: tuple[str, str, bytes]) -> FichierPublie:
    """Families open this file from now on, and no longer the one before.

    :param piece: of ``portail.outils.fichiers.controler``.
    """
    colonnes = ranger(*piece)
    Document.objects.select_for_update().get(pk=document.pk)
    FichierPublie.objects.filter(document=document).delete()
    return FichierPublie.objects.create(document=document, **colonnes)


def retirer_fichier(document: Document) -> None:
    """Families no longer open it: the document has become a link."""
    FichierPublie.objects.filter(document=document).delete()


def noter_la_cible(publication: Publication) -> None:
    """To call once the schools and services are saved."""
    publication.ciblee = publication.ecoles.exists() or publication.services.exists()
    publication.save(update_fields=["ciblee"])


def coherence(genre: str, lien: str, *, a_un_fichier: bool) -> dict[str, str]:
    """What is wrong with a document, as ``{field: sentence}``: a link has an address, the rest has a file."""
    if genre == Document.Genre.LIEN:
        fautes = {} if lien else {"lien": "Donnez l'adresse de la page, qui commence par https://."}
        return fautes | ({"fichier": "Un lien n'a pas de fichier."} if a_un_fichier else {})
    fautes = {"lien": "Seul un lien a une adresse\u00a0: effacez-la."} if lien else {}
    return fautes if a_un_fichier else fautes | {"fichier": "Choisissez le fichier à publier."}
