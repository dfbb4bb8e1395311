"""Health of a child: texts encrypted, each reading by the staff noted. Papers with their expiry."""

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone

from enfants.models.enfant import Enfant
from portail.outils.chiffrement import TexteChiffre, ValeursChiffrees
from portail.outils.fichiers import Piece
from portail.outils.francais import de
from portail.outils.suivi import suivre


class Allergene(models.TextChoices):
    """The 14 allergens that a menu must tell (règlement UE 1169/2011, annexe II)."""

    GLUTEN = "gluten", "Céréales contenant du gluten"
    CRUSTACES = "crustaces", "Crustacés"
    OEUFS = "oeufs", "Œufs"
    POISSONS = "poissons", "Poissons"
    ARACHIDES = "arachides", "Arachides"
    SOJA = "soja", "Soja"
    LAIT = "lait", "Lait"
    FRUITS_A_COQUE = "fruits-a-coque", "Fruits à coque"
    CELERI = "celeri", "Céleri"
    MOUTARDE = "moutarde", "Moutarde"
    SESAME = "sesame", "Sésame"
    SULFITES = "sulfites", "Sulfites"
    LUPIN = "lupin", "Lupin"
    MOLLUSQUES = "mollusques", "Mollusques"


class Vaccin(models.Model):
    """A vaccine and the children who must have it; read by enfants/regles/vaccins.py, which holds the first rows."""

    code = models.SlugField("code", unique=True)
    nom = models.CharField("nom", max_length=80)
    ne_a_partir_de = models.DateField("enfants nés à partir du", null=True, blank=True)
    ne_avant = models.DateField("enfants nés avant le", null=True, blank=True)
    obligatoire_du = models.DateField("obligatoire à partir du", null=True, blank=True)
    obligatoire_au = models.DateField("obligatoire jusqu'au", null=True, blank=True, help_text="Inclus.")
    ordre = models.PositiveSmallIntegerField("ordre", default=0)
    actif = models.BooleanField("proposé aux familles", default=True)

    class Meta:
        verbose_name = "vaccin"
        verbose_name_plural = "vaccins"
        ordering = ["ordre", "pk"]

    def __str__(self):
        return self.nom


@suivre()
class Sante(models.Model):
    class EtatVaccins(models.TextChoices):
        A_JOUR = "A_JOUR", "À jour"
        PROVISOIRE = "PROVISOIRE", "Admission provisoire"
        CONTRE_INDICATION = "CONTRE_INDICATION", "Contre-indication médicale"

    enfant = models.OneToOneField(Enfant, on_delete=models.CASCADE, related_name="sante")
    medecin_nom = TexteChiffre("médecin traitant", blank=True)
    medecin_telephone = TexteChiffre("téléphone du médecin", blank=True)
    # Code of the vaccine -> day of the last injection, « 2024-03-14 ».
    vaccinations = ValeursChiffrees("vaccinations", blank=True)
    vaccins_etat = models.CharField("état des vaccins", max_length=17, choices=EtatVaccins, blank=True)
    vaccins_jusqu_au = models.DateField("admission provisoire jusqu'au", null=True, blank=True)
    allergenes = TexteChiffre("allergènes", blank=True)  # codes of Allergene, separated by commas
    allergies = TexteChiffre("autres allergies et conduite à tenir", blank=True)
    pai_revision = models.DateField("PAI à revoir le", null=True, blank=True)
    pai_consignes = TexteChiffre("PAI : trousse et gestes d'urgence", blank=True)
    traitements = TexteChiffre("traitements en cours", blank=True)
    recommandations = TexteChiffre("recommandations", blank=True)

    class Meta:
        verbose_name = "données sanitaires"
        verbose_name_plural = "données sanitaires"

    def __str__(self):
        return f"Données sanitaires {de(str(self.enfant))}"

    @property
    def allergenes_codes(self):
        return self.allergenes.split(",") if self.allergenes else []

    @property
    def allergenes_libelles(self):
        return [libelle for code, libelle in Allergene.choices if code in self.allergenes_codes]


class Nature(models.TextChoices):
    VACCINS = "VACCINS", "Pages de vaccination du carnet de santé"
    PAI = "PAI", "Projet d'accueil individualisé (PAI)"
    ASSURANCE = "ASSURANCE", "Attestation d'assurance"
    JUGEMENT = "JUGEMENT", "Jugement ou convention de garde"
    NAISSANCE = "NAISSANCE", "Acte de naissance ou livret de famille"


class DocumentQuerySet(models.QuerySet):
    def actuels(self):
        """Papers that no newer one of the same nature replaces."""
        return self.filter(remplace_le=None)


@suivre()
class DocumentEnfant(Piece):
    """A paper of the child's file. Only the household that gave it can open it: it tells addresses."""

    DE_SANTE = (Nature.VACCINS, Nature.PAI)

    enfant = models.ForeignKey(Enfant, on_delete=models.CASCADE, related_name="documents")
    famille = models.ForeignKey(
        "familles.Famille", verbose_name="fourni par", on_delete=models.PROTECT, related_name="documents"
    )
    nature = models.CharField("nature", max_length=9, choices=Nature)
    expire_le = models.DateField("valable jusqu'au", null=True, blank=True)
    rappele_le = models.DateTimeField("rappel envoyé le", null=True, blank=True, editable=False)
    remplace_le = models.DateTimeField("remplacé le", null=True, blank=True, editable=False)

    objects = DocumentQuerySet.as_manager()

    class Meta:
        verbose_name = "document"
        verbose_name_plural = "documents"
        ordering = ["enfant", "nature", "pk"]
        indexes = [models.Index(fields=["expire_le"], name="documents_a_rappeler")]

    @property
    def url(self):
        return reverse("document_enfant", args=[self.uuid])

    @property
    def est_de_sante(self):
        return self.nature in self.DE_SANTE


class ConsultationSante(models.Model):
    """An agent has opened a page with a child's health on it: the family can read who and when."""

    enfant = models.ForeignKey(Enfant, on_delete=models.CASCADE, related_name="consultations")
    par = models.ForeignKey(settings.AUTH_USER_MODEL, verbose_name="par", on_delete=models.PROTECT, related_name="+")
    page = models.CharField("page", max_length=60)
    le = models.DateTimeField("le", default=timezone.now)

    class Meta:
        verbose_name = "consultation des données sanitaires"
        verbose_name_plural = "consultations des données sanitaires"
        ordering = ["-le", "-pk"]
        indexes = [models.Index(fields=["enfant", "-le"], name="consultations_par_enfant")]

    def __str__(self):
        return f"{self.page}, {self.par}"
