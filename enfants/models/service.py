"""What the commune offers: services, where they are held, until when they are asked, when they are closed."""

from django.contrib.postgres.fields import ArrayField
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q

from enfants.models.ecole import Ecole
from enfants.models.enfant import Garde
from enfants.models.sante import Nature
from enfants.regles import delais
from portail.outils.periodes import PeriodeQuerySet, dans_l_ordre, sans_recouvrement
from portail.outils.suivi import suivre

CLE_OFFRE = "enfants.offre"  # cache of enfants/offre.py
JOURS_D_ECOLE = {0, 1, 3, 4}


class Site(models.Model):
    """A building where services are held."""

    nom = models.CharField("nom", max_length=80, unique=True, error_messages={"unique": "Ce site existe déjà."})
    telephone = models.CharField("téléphone", max_length=20, blank=True)

    class Meta:
        verbose_name = "site"
        verbose_name_plural = "sites"
        ordering = ["nom"]

    def __str__(self):
        return self.nom


@suivre()
class Service(models.Model):
    class Periode(models.TextChoices):
        SCOLAIRE = "SCOLAIRE", "Hors vacances scolaires"
        VACANCES = "VACANCES", "Pendant les vacances scolaires"
        TOUTE = "TOUTE", "Toute l'année"

    class Validation(models.TextChoices):
        AUTOMATIQUE = "AUTOMATIQUE", "D'elle-même dans le délai, impossible ensuite"
        AGENT = "AGENT", "Toujours par un agent"
        RETARD = "RETARD", "D'elle-même dans le délai, par un agent ensuite"

    code = models.SlugField(
        "code", max_length=30, unique=True, help_text="restauration, accueil-matin… Il ne change plus ensuite."
    )
    nom = models.CharField("nom", max_length=60)
    nom_court = models.CharField("nom court", max_length=18, help_text="Pour la grille du mois : « Cantine ».")
    couleur = models.CharField(
        "couleur",
        max_length=7,
        default="#0f5f6e",
        validators=[RegexValidator("^#[0-9a-f]{6}$", "Une couleur s'écrit #0f5f6e.")],
    )
    ordre = models.PositiveSmallIntegerField("ordre", default=10)
    actif = models.BooleanField("proposé aux familles", default=True)
    jours = ArrayField(
        models.PositiveSmallIntegerField(choices=Garde.Jour),
        verbose_name="jours de la semaine",
        help_text="Les jours où le service est ouvert.",
    )
    periode = models.CharField("période", max_length=8, choices=Periode, default=Periode.SCOLAIRE)
    heure_debut = models.TimeField("début")
    heure_fin = models.TimeField("fin")
    age_min = models.PositiveSmallIntegerField("âge minimum", null=True, blank=True, help_text="En années, ce jour-là.")
    age_max = models.PositiveSmallIntegerField("âge maximum", null=True, blank=True, help_text="Inclus.")
    validation = models.CharField(
        "acceptation des demandes", max_length=11, choices=Validation, default=Validation.RETARD
    )
    inscription_requise = models.BooleanField("inscription à l'année nécessaire", default=True)
    pieces_requises = ArrayField(
        models.CharField(max_length=9, choices=Nature),
        verbose_name="pièces demandées à l'inscription",
        blank=True,
        default=list,
    )
    note_retard = models.CharField(
        "prix d'une demande tardive",
        max_length=200,
        blank=True,
        help_text="Dit à la famille avant qu'elle demande : « Le repas est majoré de 50 %. »",
    )
    heures_offre = models.PositiveSmallIntegerField(
        "durée d'une place proposée (heures)",
        default=24,
        validators=[MinValueValidator(1), MaxValueValidator(240)],
        help_text="Une place qui se libère est proposée au premier de la liste pendant ces heures, puis au suivant.",
    )
    minimum_semaine = models.PositiveSmallIntegerField(
        "jours minimum par semaine de vacances",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(5)],
    )
    forfait_semaine = models.BooleanField(
        "forfait à la semaine", default=False, help_text="Réserver un jour réserve toute la semaine ouverte."
    )

    class Meta:
        verbose_name = "service"
        verbose_name_plural = "services"
        ordering = ["ordre", "nom"]
        constraints = [
            models.CheckConstraint(
                condition=Q(heure_fin__gt=F("heure_debut")),
                name="service_heures_dans_l_ordre",
                violation_error_message="La fin vient avant le début.",
            ),
            models.CheckConstraint(
                condition=Q(age_min=None) | Q(age_max=None) | Q(age_max__gte=F("age_min")),
                name="service_ages_dans_l_ordre",
                violation_error_message="L'âge maximum est sous l'âge minimum.",
            ),
        ]

    def __str__(self):
        return self.nom

    def save(self, *args, **kwargs):
        super().save(*args, **kwargs)
        cache.delete(CLE_OFFRE)

    def clean(self):
        if not self.jours:
            raise ValidationError({"jours": "Choisissez au moins un jour."})
        self.jours = sorted(set(self.jours))

    @property
    def est_tenu_les_jours_d_ecole(self):
        return self.periode != self.Periode.VACANCES and bool(JOURS_D_ECOLE & set(self.jours))


class Formule(models.Model):
    """A way to take a service: the day, the morning with lunch… A child has one a day."""

    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="formules")
    nom = models.CharField("nom", max_length=40, help_text="« Matin avec repas ».")
    ordre = models.PositiveSmallIntegerField("ordre", default=10)

    class Meta:
        verbose_name = "formule"
        verbose_name_plural = "formules"
        ordering = ["service", "ordre", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["service", "nom"],
                name="une_formule_par_nom",
                violation_error_message="Ce service a déjà une formule de ce nom.",
            )
        ]

    def __str__(self):
        return self.nom


class Implantation(models.Model):
    """Where a service is held, for the children of which schools, with how many places a day."""

    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="implantations")
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="implantations")
    ecoles = models.ManyToManyField(
        Ecole, verbose_name="écoles", blank=True, help_text="Aucune : les enfants de toutes les écoles."
    )
    capacite = models.PositiveSmallIntegerField("places par jour", null=True, blank=True, help_text="Vide : illimité.")

    class Meta:
        verbose_name = "lieu du service"
        verbose_name_plural = "lieux du service"
        ordering = ["service", "site__nom"]
        constraints = [
            models.UniqueConstraint(
                fields=["service", "site"],
                name="un_lieu_par_service_et_site",
                violation_error_message="Ce service est déjà tenu sur ce site.",
            )
        ]

    def __str__(self):
        return f"{self.service}, {self.site}"


class TrancheAge(models.Model):
    """Places kept for an age: under six, one animateur looks after fewer children."""

    implantation = models.ForeignKey(Implantation, on_delete=models.CASCADE, related_name="tranches")
    age_min = models.PositiveSmallIntegerField("de (ans)")
    age_max = models.PositiveSmallIntegerField("à (ans)", help_text="Inclus.")
    capacite = models.PositiveSmallIntegerField("places par jour")

    class Meta:
        verbose_name = "places par âge"
        verbose_name_plural = "places par âge"
        ordering = ["implantation", "age_min"]
        constraints = [
            models.CheckConstraint(
                condition=Q(age_max__gte=F("age_min")),
                name="tranche_dans_l_ordre",
                violation_error_message="L'âge de fin vient avant l'âge de début.",
            )
        ]

    def __str__(self):
        return f"{self.age_min} à {self.age_max} ans : {self.capacite} places"


@suivre()
class RegleDelai(models.Model):
    """Until when a service may be asked, cancelled, or an absence told; for the days from ``valable_du`` on."""

    class Usage(models.TextChoices):
        RESERVER = "RESERVER", "Réserver"
        ANNULER = "ANNULER", "Annuler"
        ABSENCE = "ABSENCE", "Déclarer une absence"

    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="regles")
    usage = models.CharField("pour", max_length=8, choices=Usage)
    regle = models.JSONField("règle")
    valable_du = models.DateField("pour les jours du")
    valable_au = models.DateField("au", null=True, blank=True, help_text="Inclus. Vide : sans fin.")

    objects = PeriodeQuerySet.as_manager()

    class Meta:
        verbose_name = "délai"
        verbose_name_plural = "délais"
        ordering = ["service", "usage", "valable_du"]
        constraints = [
            sans_recouvrement(
                "service", "usage", nom="un_delai_par_usage_et_jour", phrase="Un autre délai vaut déjà ces jours-là."
            ),
            dans_l_ordre("delai_dans_l_ordre"),
        ]

    def __str__(self):
        return f"{self.service}, {self.get_usage_display().lower()}"

    def clean(self):
        if fautes := delais.valider(self.regle):
            raise ValidationError({"regle": fautes})
        scolaires = self.regle.get("compte") == "scolaires" and "jours_comptes" not in self.regle
        if scolaires and self.service_id and not self.service.est_tenu_les_jours_d_ecole:
            raise ValidationError(
                {"regle": "Ce service n'est pas tenu les jours d'école : dites quels jours de la semaine comptent."}
            )

    @property
    def phrase(self):
        return delais.phrase(self.regle)


@suivre()
class Fermeture(models.Model):
    """Days on which a service is not held, everywhere or for one school: a strike, works, a bridge."""

    service = models.ForeignKey(
        Service, null=True, blank=True, on_delete=models.CASCADE, related_name="fermetures", help_text="Vide : tous."
    )
    ecole = models.ForeignKey(
        Ecole,
        verbose_name="école",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="fermetures",
        help_text="Vide : toutes.",
    )
    valable_du = models.DateField("du")
    valable_au = models.DateField("au", help_text="Inclus.")
    motif = models.CharField("raison donnée aux familles", max_length=120)

    class Meta:
        verbose_name = "fermeture"
        verbose_name_plural = "fermetures"
        ordering = ["-valable_du", "pk"]
        constraints = [dans_l_ordre("fermeture_dans_l_ordre")]

    def __str__(self):
        return f"{self.motif} ({self.valable_du:%d/%m/%Y})"


class MotifAbsence(models.Model):
    """A reason a parent may give, and what comes of it."""

    code = models.SlugField("code", max_length=30, unique=True)
    libelle = models.CharField("raison", max_length=60)
    justificatif = models.BooleanField("justificatif nécessaire", default=False)
    heures_justificatif = models.PositiveSmallIntegerField(
        "heures pour le fournir",
        default=48,
        validators=[MinValueValidator(1), MaxValueValidator(720)],
        help_text="Comptées depuis le début du premier jour d'absence.",
    )
    consequence = models.CharField(
        "ce qui reste dû",
        max_length=200,
        blank=True,
        help_text="Dit à la famille avant qu'elle confirme : « Le premier jour reste dû. »",
    )
    jours_dus = models.PositiveSmallIntegerField(
        "premiers jours qui restent dus",
        null=True,
        blank=True,
        help_text="0\u00a0: rien n'est dû. Vide\u00a0: un agent décide au moment de facturer.",
    )
    remise_des = models.PositiveSmallIntegerField(
        "rien n'est rendu d'une absence de moins de (jours)", default=1, validators=[MinValueValidator(1)]
    )
    maladie = models.BooleanField("proposée par « Mon enfant est malade »", default=False)
    ordre = models.PositiveSmallIntegerField("ordre", default=10)
    actif = models.BooleanField("proposée aux familles", default=True)

    class Meta:
        verbose_name = "motif d'absence"
        verbose_name_plural = "motifs d'absence"
        ordering = ["ordre", "libelle"]

    def __str__(self):
        return self.libelle


class Reglement(models.Model):
    """The rules of the services that a family accepts when it registers a child."""

    annee = models.PositiveSmallIntegerField("année scolaire", help_text="2026 pour 2026-2027.")
    version = models.CharField("version", max_length=40, help_text="« Délibération du 12 juin 2026 ».")
    texte = models.TextField("texte")
    publie_le = models.DateField("en vigueur le")

    class Meta:
        verbose_name = "règlement des services"
        verbose_name_plural = "règlements des services"
        ordering = ["-annee", "-publie_le", "-pk"]

    def __str__(self):
        return f"Règlement {self.annee}-{self.annee + 1}, {self.version}"
