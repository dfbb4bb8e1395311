"""The child, the households it belongs to, the adults who may no longer see it."""

import uuid

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from enfants.models.ecole import Classe, Ecole, Niveau
from portail.outils.chiffrement import TexteChiffre
from portail.outils.francais import de
from portail.outils.periodes import PeriodeQuerySet, dans_l_ordre, sans_recouvrement
from portail.outils.suivi import suivre


class EnfantQuerySet(models.QuerySet):
    def presents(self):
        """Children who have not left, nor are about to, for the collège or another commune."""
        return self.filter(archive_le=None)

    def non_partis(self, jour):
        """Children still here on ``jour``: a departure counts from its day on."""
        return self.filter(Q(archive_le=None) | Q(archive_le__gt=jour))

    def visibles_par(self, utilisateur, jour=None):
        """The only door to a child: attached today to this adult's household, and access not suspended."""
        adulte = utilisateur.adulte
        if adulte is None:
            return self.none()
        jour = jour or timezone.localdate()
        suspendus = SuspensionAcces.objects.en_vigueur(jour).filter(adulte=adulte)
        visibles = self.de_la_famille(adulte.famille_id, jour).non_partis(jour)
        return visibles.exclude(Exists(suspendus.filter(enfant=OuterRef("pk"))))

    def de_la_famille(self, famille_id, jour=None):
        """Children attached to this household on ``jour`` (today by default)."""
        rattaches = Rattachement.objects.en_vigueur(jour or timezone.localdate()).filter(famille=famille_id)
        return self.filter(pk__in=rattaches.values("enfant"))

    def accessibles_a(self, agent):
        """Children whose file this agent may open: those of its schools, all of them with the permission."""
        if agent.has_perm("enfants.voir_partout_enfant"):
            return self
        return self.filter(ecole__affectations__animateur=agent).non_partis(timezone.localdate())

    def avec_papiers_manquants(self, jour):
        """Children one of whose papers is missing or out of date on ``jour``, as enfants/regles/dossier.py tells."""
        from enfants.models.fiche import Informations
        from enfants.models.sante import DocumentEnfant, Nature, Sante

        def papier(nature):
            papiers = DocumentEnfant.objects.actuels().filter(enfant=OuterRef("pk"), nature=nature)
            return papiers.filter(Q(expire_le=None) | Q(expire_le__gte=jour))

        finie = Informations.objects.filter(enfant=OuterRef("enfant"), assurance_fin__lt=jour)
        assurance = papier(Nature.ASSURANCE).exclude(Exists(finie), expire_le=None)
        sante = Sante.objects.filter(enfant=OuterRef("pk"))
        dispense = sante.filter(
            Q(vaccins_jusqu_au=None) | Q(vaccins_jusqu_au__gte=jour), vaccins_etat=Sante.EtatVaccins.CONTRE_INDICATION
        )
        pai_a_revoir = ~Exists(papier(Nature.PAI)) | Exists(sante.filter(pai_revision__lt=jour))
        return self.filter(
            ~Exists(assurance) | ~Exists(papier(Nature.VACCINS)) & ~Exists(dispense) | Q(a_pai=True) & pai_a_revoir
        )


@suivre()
class Enfant(models.Model):
    class Sexe(models.TextChoices):
        FILLE = "F", "Fille"
        GARCON = "M", "Garçon"

    class Regime(models.TextChoices):
        """Menus, never a religion (CNIL NS-058)."""

        STANDARD = "STANDARD", "Standard"
        SANS_PORC = "SANS_PORC", "Sans porc"
        SANS_VIANDE = "SANS_VIANDE", "Sans viande"
        VEGETARIEN = "VEGETARIEN", "Végétarien"
        PANIER_PAI = "PANIER_PAI", "Panier PAI fourni par la famille"

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    prenom = models.CharField("prénom", max_length=80)
    nom = models.CharField("nom", max_length=80)
    sexe = models.CharField("sexe", max_length=1, choices=Sexe, blank=True)
    date_naissance = models.DateField("date de naissance", null=True, blank=True)
    lieu_naissance = models.CharField("lieu de naissance", max_length=100, blank=True)
    ecole = models.ForeignKey(
        Ecole, verbose_name="école", null=True, blank=True, on_delete=models.PROTECT, related_name="enfants"
    )
    classe = models.ForeignKey(Classe, null=True, blank=True, on_delete=models.PROTECT, related_name="enfants")
    niveau = models.CharField("niveau", max_length=3, choices=Niveau, blank=True)
    regime = models.CharField("régime des repas", max_length=11, choices=Regime, default=Regime.STANDARD)
    # Plain, as lists filter on it; what the PAI says is encrypted, see Sante.
    a_pai = models.BooleanField("a un PAI", default=False)
    archive_le = models.DateField(
        "a quitté les services le",
        null=True,
        blank=True,
        help_text="Dès ce jour, son dossier n'est plus montré à la famille.",
    )

    objects = EnfantQuerySet.as_manager()

    class Meta:
        verbose_name = "enfant"
        verbose_name_plural = "enfants"
        ordering = ["nom", "prenom", "pk"]
        permissions = [("voir_partout_enfant", "Peut voir les enfants de toutes les écoles")]

    def __str__(self):
        return f"{self.prenom} {self.nom}"

    def clean(self):
        if self.classe and self.classe.ecole_id != self.ecole_id:
            raise ValidationError({"classe": "Cette classe est dans une autre école."})
        if self.regime == self.Regime.PANIER_PAI and not self.a_pai:
            raise ValidationError({"regime": "Le panier PAI suppose un PAI."})

    @property
    def de_prenom(self):
        """« d'Inès », « de Léa »."""
        return de(self.prenom)

    @property
    def classe_texte(self):
        """« CP-CE1 de Mme Faure, École du Bourg », with what is known of it."""
        return ", ".join(filter(None, [str(self.classe or self.get_niveau_display()), str(self.ecole or "")]))


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


@suivre()
class SuspensionAcces(models.Model):
    """An adult who may not see this child any more, by decision of the mairie (a judgment): at the next request."""

    enfant = models.ForeignKey(Enfant, on_delete=models.CASCADE, related_name="suspensions")
    adulte = models.ForeignKey("familles.Responsable", on_delete=models.CASCADE, related_name="suspensions")
    motif = TexteChiffre("raison", help_text="Par exemple la date du jugement. La famille ne la lit pas.")
    valable_du = models.DateField("du", default=timezone.localdate)
    valable_au = models.DateField("au", null=True, blank=True, help_text="Inclus. Vide : jusqu'à nouvel ordre.")

    objects = PeriodeQuerySet.as_manager()

    class Meta:
        verbose_name = "accès suspendu"
        verbose_name_plural = "accès suspendus"
        ordering = ["enfant", "valable_du", "pk"]
        constraints = [
            sans_recouvrement(
                "enfant",
                "adulte",
                nom="une_suspension_par_jour",
                phrase="L'accès de cet adulte est déjà suspendu pendant cette période.",
            ),
            dans_l_ordre("suspension_dans_l_ordre"),
        ]

    def __str__(self):
        return f"{self.enfant} – accès suspendu pour {self.adulte}"


@suivre()
class Garde(models.Model):
    """Which of its two households has the child, on which days; read by enfants/regles/garde.py."""

    class Mode(models.TextChoices):
        ALTERNEE = "ALTERNEE", "Une semaine sur deux"
        PARTS = "PARTS", "Toute l'année, factures partagées"

    class Vacances(models.TextChoices):
        ALTERNANCE = "ALTERNANCE", "L'alternance continue"
        MOITIES = "MOITIES", "Par moitié, en changeant chaque année"

    class Jour(models.IntegerChoices):
        LUNDI = 0, "lundi"
        MARDI = 1, "mardi"
        MERCREDI = 2, "mercredi"
        JEUDI = 3, "jeudi"
        VENDREDI = 4, "vendredi"
        SAMEDI = 5, "samedi"
        DIMANCHE = 6, "dimanche"

    enfant = models.OneToOneField(Enfant, on_delete=models.CASCADE, related_name="garde")
    premier_foyer = models.ForeignKey(
        "familles.Famille", verbose_name="premier foyer", on_delete=models.PROTECT, related_name="+"
    )
    second_foyer = models.ForeignKey(
        "familles.Famille", verbose_name="second foyer", on_delete=models.PROTECT, related_name="+"
    )
    mode = models.CharField("mode de garde", max_length=8, choices=Mode, default=Mode.ALTERNEE)
    premiere_semaine = models.DateField(
        "une semaine du premier foyer", help_text="Un jour quelconque d'une semaine passée au premier foyer."
    )
    jour_passage = models.PositiveSmallIntegerField("jour du passage", choices=Jour, default=Jour.LUNDI)
    vacances = models.CharField("vacances", max_length=10, choices=Vacances, default=Vacances.ALTERNANCE)
    premiere_moitie_annees_paires = models.BooleanField(
        "première moitié au premier foyer les années paires",
        default=True,
        help_text="Année de la rentrée : 2026 pour 2026-2027.",
    )
    part = models.PositiveSmallIntegerField("part du premier foyer dans les factures (%)", default=50)

    class Meta:
        verbose_name = "garde alternée"
        verbose_name_plural = "garde alternée"
        constraints = [
            models.CheckConstraint(
                condition=~Q(premier_foyer=F("second_foyer")),
                name="garde_entre_deux_foyers",
                violation_error_message="Choisissez deux foyers différents.",
            ),
            models.CheckConstraint(
                condition=Q(part__lte=100),
                name="garde_part_en_pourcentage",
                violation_error_message="La part va de 0 à 100 %%.",
            ),
        ]

    def __str__(self):
        return f"Garde {de(str(self.enfant))}"


@suivre()
class ExceptionGarde(models.Model):
    """Days agreed otherwise: they win over the alternation."""

    garde = models.ForeignKey(Garde, on_delete=models.CASCADE, related_name="exceptions")
    foyer = models.ForeignKey("familles.Famille", on_delete=models.PROTECT, related_name="+")
    valable_du = models.DateField("du")
    valable_au = models.DateField("au", help_text="Inclus.")

    class Meta:
        verbose_name = "exception à la garde"
        verbose_name_plural = "exceptions à la garde"
        ordering = ["garde", "valable_du", "pk"]
        constraints = [
            sans_recouvrement("garde", nom="une_exception_par_jour", phrase="Une autre exception couvre ces jours."),
            dans_l_ordre("exception_dans_l_ordre"),
        ]

    def __str__(self):
        return f"{self.garde} : {self.foyer}"
