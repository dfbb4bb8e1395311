"""What families ask for, the papers they join, the ready-made reasons of a refusal."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils import timezone

from demandes.types import TYPES
from enfants.models import Enfant, Nature, SuspensionAcces
from messagerie.actions import Objet
from portail.outils.chiffrement import ValeursChiffrees
from portail.outils.fichiers import Piece
from portail.outils.francais import au_milieu, de


def choix_types():
    """A callable, so that a new kind of demande needs no migration."""
    return [(genre.code, genre.libelle) for genre in TYPES.values()]


class DemandeQuerySet(models.QuerySet):
    def en_attente(self):
        return self.filter(etat=Demande.Etat.EN_ATTENTE)

    def visibles_par(self, adulte):
        """Demandes of this adult's household, but for those about a child whose access it has lost."""
        suspendus = SuspensionAcces.objects.en_vigueur(timezone.localdate()).filter(adulte=adulte)
        ses_jours = JourDemande.objects.filter(demande=OuterRef("pk"), enfant__in=suspendus.values("enfant"))
        return self.filter(famille=adulte.famille_id).exclude(
            Exists(suspendus.filter(enfant=OuterRef("enfant"))) | Exists(ses_jours)
        )

    def ouvertes_a(self, agent):
        """Demandes of the kinds this agent may read: health is not for the accounts."""
        fermes = [code for code, genre in TYPES.items() if genre.permission and not agent.has_perm(genre.permission)]
        accessibles = Enfant.objects.accessibles_a(agent)
        ici = Q(enfant=None) | Q(enfant__in=accessibles)
        if not agent.has_perm("enfants.voir_partout_enfant"):
            ici &= ~Exists(JourDemande.objects.filter(demande=OuterRef("pk")).exclude(enfant__in=accessibles))
        return self.filter(ici).exclude(type__in=fermes)

    def de_la_rubrique(self, rubrique):
        """Demandes of « mon-compte » or of « mes-enfants »."""
        return self.filter(type__in=[t.code for t in TYPES.values() if t.rubrique == rubrique])

    def deposees_depuis(self, instant):
        return self.filter(deposee_le__gte=instant)


# Days that the deadlines decide, at once or when a proof has not come: the portal answers, no agent.
_PAR_LES_REGLES = Q(type__in=["reservation", "absence"])


class Demande(models.Model):
    """One coherent change that a family asks for and an agent decides."""

    class Etat(models.TextChoices):
        EN_ATTENTE = "EN_ATTENTE", "En attente"
        ACCEPTEE = "ACCEPTEE", "Acceptée"
        REFUSEE = "REFUSEE", "Refusée"
        RETIREE = "RETIREE", "Retirée"

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    type = models.CharField("type", max_length=20, choices=choix_types)
    # What it is about, where several of a type may wait for one child: « restauration/2026 » of an inscription.
    objet = models.CharField("objet", max_length=60, blank=True)
    famille = models.ForeignKey("familles.Famille", on_delete=models.PROTECT, related_name="demandes")
    enfant = models.ForeignKey(
        "enfants.Enfant", null=True, blank=True, on_delete=models.PROTECT, related_name="demandes"
    )
    valeurs_avant = ValeursChiffrees("valeurs au dépôt", blank=True)
    valeurs_demandees = ValeursChiffrees("valeurs demandées", blank=True)
    etat = models.CharField("état", max_length=10, choices=Etat, default=Etat.EN_ATTENTE)
    version = models.PositiveIntegerField("version", default=1)
    motif = models.TextField("réponse à la famille", blank=True)
    deposee_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name="déposée par", on_delete=models.PROTECT, related_name="+"
    )
    deposee_le = models.DateTimeField("déposée le", default=timezone.now)
    modifiee_le = models.DateTimeField("modifiée le", null=True, blank=True)
    lue_par = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="lue par",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    lue_le = models.DateTimeField("lue le", null=True, blank=True)
    traitee_par = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="traitée par",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    traitee_le = models.DateTimeField("traitée le", null=True, blank=True)

    objects = DemandeQuerySet.as_manager()

    class Meta:
        verbose_name = "demande"
        verbose_name_plural = "demandes"
        ordering = ["-deposee_le", "-pk"]
        permissions = [("traiter_demande", "Peut accepter ou refuser une demande")]
        constraints = [
            models.UniqueConstraint(
                fields=["famille", "enfant", "type", "objet"],
                condition=Q(etat="EN_ATTENTE") & ~Q(type__in=["ajout-enfant", "reservation", "absence"]),
                nulls_distinct=False,
                name="une_demande_en_attente_par_type",
                violation_error_message="Une demande de ce type attend déjà une réponse.",
            ),
            models.CheckConstraint(
                condition=Q(etat="EN_ATTENTE", traitee_le=None)
                | (
                    ~Q(etat="EN_ATTENTE")
                    & Q(traitee_le__isnull=False)
                    & (Q(traitee_par__isnull=False) | _PAR_LES_REGLES)
                ),
                name="demande_decidee_par_quelqu_un",
                violation_error_message="Une demande close dit par qui et quand.",
            ),
            models.CheckConstraint(
                condition=~Q(etat="REFUSEE") | ~Q(motif=""),
                name="refus_motive",
                violation_error_message="Un refus dit pourquoi.",
            ),
        ]
        indexes = [
            models.Index(fields=["famille", "-deposee_le"], name="demandes_par_famille"),
            models.Index(fields=["deposee_le"], name="demandes_en_attente", condition=Q(etat="EN_ATTENTE")),
        ]

    def __str__(self):
        return f"{self.titre} – {self.famille}"

    def get_absolute_url(self):
        return reverse("demande", args=[self.uuid])

    @property
    def genre(self):
        """The class of demandes/types/ behind ``type``."""
        return TYPES[self.type].pour(self.objet)

    @property
    def titre(self):
        """« Données sanitaires de Léa », « Réservations de Léa et Tom »."""
        if self.objet:
            return self.genre.titre(self.enfant)
        if self.genre.au_planning:
            return f"{self.genre.libelle_icone} {de(self.valeurs_demandees['enfants'])}"
        prenom = self.enfant.prenom if self.enfant_id else self.valeurs_demandees.get("prenom", "")
        if self.genre.plusieurs:
            return f"{self.genre.libelle_icone} : {prenom}"
        return f"{self.genre.libelle_icone} {de(prenom)}" if self.genre.par_enfant else self.genre.libelle_icone

    @property
    def objet_du_fil(self):
        """What a thread about it says: its answers and the questions it raises read together."""
        return Objet(f"demande/{self.uuid}", self.titre, self.get_absolute_url())

    @property
    def est_en_attente(self):
        return self.etat == self.Etat.EN_ATTENTE

    @property
    def est_automatique(self):
        """Decided by the rules of the service, not by an agent."""
        return not self.est_en_attente and self.traitee_par_id is None

    def enfants_concernes(self):
        """The children it is about: the days of a planning may be of several."""
        if self.genre.au_planning:
            return list(Enfant.objects.filter(pk__in=self.jours.values("enfant")).order_by("pk"))
        return [self.enfant] if self.enfant_id else []

    @property
    def resume(self):
        """What changes, in the words of the form: « Téléphone mobile, adresse », « 12 jours réservés »."""
        if self.genre.au_planning:
            return self.valeurs_demandees["resume"]
        libelles = self.genre.libelles()
        noms = [libelles.get(nom, nom).removesuffix(" (€)") for nom, _ in self.demandees_dans_l_ordre()]
        return ", ".join(noms[:1] + [au_milieu(nom) for nom in noms[1:]]) or "Pièces jointes"

    def demandees_dans_l_ordre(self):
        """``(field, value)`` of what is asked, as the form lists them."""
        ordre = list(self.genre.libelles())
        return sorted(self.valeurs_demandees.items(), key=lambda demandee: ordre.index(demandee[0]))


class PieceJointe(Piece):
    demande = models.ForeignKey(Demande, on_delete=models.CASCADE, related_name="pieces")
    nature = models.CharField("nature", max_length=9, choices=Nature, blank=True)
    deposee_par = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = "pièce jointe"
        verbose_name_plural = "pièces jointes"
        ordering = ["pk"]

    @property
    def url(self):
        return reverse("piece_jointe", args=[self.uuid])


class JourDemande(models.Model):
    """A day of a planning demande: what is asked of one service for one child; decided day by day if need be."""

    class Geste(models.TextChoices):
        RESERVER = "RESERVER", "Réserver"
        ANNULER = "ANNULER", "Annuler"
        ABSENCE = "ABSENCE", "Absence"
        REVENIR = "REVENIR", "Annuler l'absence"

    class Etat(models.TextChoices):
        EN_ATTENTE = "EN_ATTENTE", "En attente"
        ACCEPTE = "ACCEPTE", "Accepté"
        REFUSE = "REFUSE", "Refusé"
        RETIRE = "RETIRE", "Retiré"

    demande = models.ForeignKey(Demande, on_delete=models.CASCADE, related_name="jours")
    enfant = models.ForeignKey("enfants.Enfant", on_delete=models.PROTECT, related_name="+")
    service = models.ForeignKey("enfants.Service", on_delete=models.PROTECT, related_name="+")
    jour = models.DateField("jour")
    geste = models.CharField("geste", max_length=8, choices=Geste)
    formule = models.ForeignKey("enfants.Formule", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    tardif = models.BooleanField("après le délai", default=False)
    etat = models.CharField("état", max_length=10, choices=Etat, default=Etat.EN_ATTENTE)
    motif = models.CharField("raison", max_length=300, blank=True)

    class Meta:
        verbose_name = "jour demandé"
        verbose_name_plural = "jours demandés"
        ordering = ["jour", "enfant", "service", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["enfant", "service", "jour"],
                condition=Q(etat="EN_ATTENTE"),
                name="un_jour_en_attente",
                violation_error_message="Une demande attend déjà une réponse pour ce jour.",
            )
        ]

    def __str__(self):
        return f"{self.get_geste_display()} {self.jour:%d/%m/%Y}"


class Justificatif(models.Model):
    """The proof that an absence waits for: joined to the demande, or brought, before an hour."""

    demande = models.OneToOneField(Demande, on_delete=models.CASCADE, related_name="justificatif")
    attendu_avant = models.DateTimeField("attendu avant le")
    recu_le = models.DateTimeField("reçu le", null=True, blank=True)
    recu_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    rappele_le = models.DateTimeField("rappel envoyé le", null=True, blank=True)

    class Meta:
        verbose_name = "justificatif"
        verbose_name_plural = "justificatifs"

    def __str__(self):
        return f"Justificatif de {self.demande}"


class MotifRefus(models.Model):
    """A ready-made reason that an agent completes at will."""

    type = models.CharField(
        "type de demande",
        max_length=20,
        blank=True,
        choices=choix_types,
        help_text="Vide : proposé pour tous les types.",
    )
    libelle = models.CharField("nom court", max_length=80)
    texte = models.TextField("texte envoyé à la famille")

    class Meta:
        verbose_name = "motif de refus"
        verbose_name_plural = "motifs de refus"
        ordering = ["type", "libelle"]

    def __str__(self):
        return self.libelle
