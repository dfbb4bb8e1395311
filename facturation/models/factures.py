"""Invoices: a draft that is made again at will, then a document that never changes."""

import uuid
from decimal import Decimal

import pgtrigger
from django.apps import apps
from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce
from django.urls import reverse

from enfants.models import SuspensionAcces
from enfants.regles.dates import MOIS
from facturation.models.regies import Regie
from facturation.regles.grilles import Genre
from familles.models import AncienFoyer
from portail.outils.fichiers import Piece

MONTANT = models.DecimalField(max_digits=12, decimal_places=2)

EMISE = pgtrigger.Q(old__etat="EMISE")
# Lines of an issued invoice, or of one that is carried to the next, are neither added, changed nor removed.
GELER_LES_LIGNES = """
IF EXISTS (
    SELECT 1 FROM facturation_facture
    WHERE id IN (CASE TG_OP WHEN 'INSERT' THEN NULL ELSE OLD.facture_id END,
                 CASE TG_OP WHEN 'DELETE' THEN NULL ELSE NEW.facture_id END)
    AND (etat = 'EMISE' OR reporte_le IS NOT NULL)
) THEN
    RAISE EXCEPTION 'Une facture émise ne change plus.';
END IF;
RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
"""


class FactureQuerySet(models.QuerySet):
    def emises(self):
        """Issued, avoirs among them."""
        return self.filter(etat=Facture.Etat.EMISE)

    def visibles_par(self, adulte):
        """What this adult may read: its household's, and those of a household it has left, issued before it left."""
        ancien = AncienFoyer.objects.filter(
            adulte=adulte, famille=OuterRef("famille"), quitte_le__gt=OuterRef("emise_le")
        )
        return self.emises().filter(Q(famille=adulte.famille_id) | Exists(ancien))

    def avec_reste(self):
        """With ``impute`` (paid so far, in euros), ``annulee`` (by an avoir) and ``reste`` (still due to the commune).

        Nothing is due to the commune of a cancelled one, nor of one that the trésorerie collects: what is due to the
        trésorerie is told by the titre alone.
        """
        imputations = apps.get_model("facturation", "Imputation").objects.filter(facture=OuterRef("pk"))
        impute = imputations.order_by().values("facture").annotate(t=Sum("montant"))
        avoir = Facture.objects.filter(avoir_de=OuterRef("pk"), etat=Facture.Etat.EMISE)
        return self.annotate(
            impute=Coalesce(Subquery(impute.values("t")), Value(Decimal(0)), output_field=MONTANT),
            annulee=Exists(avoir),
        ).annotate(
            reste=Case(
                When(Q(annulee=True) | Q(avoir_de__isnull=False) | Q(article__isnull=False), then=Value(Decimal(0))),
                default=F("total") - F("impute"),
                output_field=MONTANT,
            )
        )


class Facture(models.Model):
    """What a household owes for a month to one régie; or, with a negative total, an avoir."""

    class Etat(models.TextChoices):
        BROUILLON = "BROUILLON", "Brouillon"
        EMISE = "EMISE", "Émise"

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    famille = models.ForeignKey("familles.Famille", on_delete=models.PROTECT, related_name="factures")
    regie = models.ForeignKey(Regie, verbose_name="régie", on_delete=models.PROTECT, related_name="factures")
    mois = models.DateField("mois", help_text="Premier jour du mois facturé.")
    etat = models.CharField("état", max_length=9, choices=Etat, default=Etat.BROUILLON)
    exercice = models.PositiveSmallIntegerField("exercice")
    numero = models.PositiveIntegerField("numéro", null=True)
    emise_le = models.DateField("émise le", null=True)
    echeance = models.DateField("échéance", null=True)
    total = models.DecimalField("total (€)", max_digits=10, decimal_places=2, default=0)
    reference = models.CharField("référence de paiement", max_length=30, blank=True)
    # What it says and must go on saying: the family may move, the régie change its name.
    debiteur = models.JSONField("débiteur", default=dict)
    emetteur = models.JSONField("émetteur", default=dict)
    avoir_de = models.OneToOneField(
        "self", verbose_name="avoir de", null=True, blank=True, on_delete=models.PROTECT, related_name="avoir"
    )
    # Too small to be asked for: it waits for the next one, of which it is a line (art. D1611-1 of the CGCT).
    reporte_le = models.DateField("reportée le", null=True, editable=False)
    reporte_sur = models.ForeignKey(
        "self", null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="reports"
    )
    motif = models.CharField("raison", max_length=200, blank=True)
    cree_le = models.DateTimeField("préparée le", auto_now_add=True)

    objects = FactureQuerySet.as_manager()

    class Meta:
        verbose_name = "facture"
        verbose_name_plural = "factures"
        ordering = ["-exercice", "-numero", "-pk"]
        permissions = [("emettre_facture", "Peut émettre les factures")]
        constraints = [
            models.UniqueConstraint(fields=["exercice", "numero"], name="un_numero_par_exercice"),
            models.UniqueConstraint(
                fields=["famille", "regie", "mois"],
                condition=Q(etat="BROUILLON", avoir_de=None),
                name="un_brouillon_par_mois",
            ),
            models.CheckConstraint(
                condition=Q(etat="BROUILLON", numero=None, emise_le=None)
                | Q(etat="EMISE", numero__isnull=False, emise_le__isnull=False, echeance__isnull=False),
                name="facture_emise_numerotee",
            ),
            models.CheckConstraint(condition=Q(mois__day=1), name="mois_de_facture"),
            models.CheckConstraint(condition=Q(reporte_le=None) | Q(etat="BROUILLON"), name="report_d_un_brouillon"),
        ]
        indexes = [
            models.Index(fields=["famille", "-emise_le"], name="factures_par_famille"),
            models.Index(fields=["regie", "mois", "etat"], name="factures_par_mois"),
        ]
        triggers = [pgtrigger.Protect(name="gelee", operation=pgtrigger.Update | pgtrigger.Delete, condition=EMISE)]

    def __str__(self):
        return f"Facture {self.numero_complet}" if self.numero else f"Brouillon, {self.famille}"

    def get_absolute_url(self):
        return reverse("facture", args=[self.uuid])

    @property
    def numero_complet(self):
        """« 2026-000042 »."""
        return f"{self.exercice}-{self.numero:06d}" if self.numero else ""

    def enfants_fermes_a(self, adulte, jour) -> set[int]:
        """Keys of its children whose names and days this adult may not read that day; one query."""
        fermes = SuspensionAcces.objects.en_vigueur(jour).filter(adulte=adulte, enfant__in=self.lignes.values("enfant"))
        return set(fermes.order_by().values_list("enfant", flat=True))

    @property
    def est_avoir(self):
        return self.avoir_de_id is not None

    @property
    def est_reportee(self):
        return self.reporte_le is not None

    @property
    def mois_en_clair(self):
        """« novembre 2026 »."""
        return f"{MOIS[self.mois.month - 1]} {self.mois.year}"


class LigneFacture(models.Model):
    """A line: its amount is its quantity times its price."""

    class GenreLigne(models.TextChoices):
        PRESTATION = Genre.PRESTATION.value, "Prestation"
        MAJORATION = Genre.MAJORATION.value, "Majoration"
        AIDE = Genre.AIDE.value, "Aide"
        MANUELLE = "MANUELLE", "Ligne ajoutée par un agent"
        REPORT = "REPORT", "Report"

    facture = models.ForeignKey(Facture, on_delete=models.CASCADE, related_name="lignes")
    rang = models.PositiveSmallIntegerField("rang")
    genre = models.CharField("genre", max_length=10, choices=GenreLigne)
    enfant = models.ForeignKey("enfants.Enfant", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    service = models.ForeignKey("enfants.Service", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    prenom = models.CharField("prénom", max_length=80, blank=True)
    libelle = models.CharField("libellé", max_length=250)
    deliberation = models.CharField("délibération", max_length=60, blank=True)
    quantite = models.IntegerField("quantité")
    prix = models.DecimalField("prix (€)", max_digits=8, decimal_places=2)
    montant = models.DecimalField("montant (€)", max_digits=10, decimal_places=2)
    # The annex: [["2026-11-16", "Réservé le 2 novembre, présent…"], …]
    jours = models.JSONField("jours", default=list)
    part_garde = models.DecimalField("part de garde (%)", max_digits=5, decimal_places=2, default=0)
    motif = models.CharField("raison", max_length=200, blank=True)
    par = models.ForeignKey("familles.Utilisateur", null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = "ligne de facture"
        verbose_name_plural = "lignes de facture"
        ordering = ["facture", "rang"]
        constraints = [
            models.UniqueConstraint(fields=["facture", "rang"], name="une_ligne_par_rang"),
            models.CheckConstraint(condition=Q(montant=F("quantite") * F("prix")), name="montant_de_ligne_exact"),
            models.CheckConstraint(
                condition=~Q(genre="MANUELLE") | ~Q(motif=""),
                name="ligne_manuelle_motivee",
                violation_error_message="Une ligne ajoutée à la main dit pourquoi.",
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="gelee",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
                func=GELER_LES_LIGNES,
            )
        ]

    def __str__(self):
        return self.libelle


class PdfFacture(Piece):
    """The document of an issued invoice, made once."""

    facture = models.OneToOneField(Facture, on_delete=models.PROTECT, related_name="pdf")

    class Meta:
        verbose_name = "PDF de facture"
        verbose_name_plural = "PDF de factures"


class Compteur(models.Model):
    """The last number given in a year: locked, so that there is neither hole nor double."""

    exercice = models.PositiveSmallIntegerField("exercice", unique=True)
    dernier = models.PositiveIntegerField("dernier numéro", default=0)

    class Meta:
        verbose_name = "compteur"
        verbose_name_plural = "compteurs"

    def __str__(self):
        return f"{self.exercice}\u00a0: {self.dernier}"


class AvisFacture(models.Model):
    """A household is to be told that an invoice awaits; written with the invoice, handed out by the worker."""

    facture = models.OneToOneField(Facture, on_delete=models.PROTECT, related_name="avis")
    envoye_le = models.DateTimeField("envoyé le", null=True, blank=True)

    class Meta:
        verbose_name = "avis de facture"
        verbose_name_plural = "avis de factures"
        indexes = [models.Index(fields=["id"], name="avis_a_envoyer", condition=Q(envoye_le=None))]

    def __str__(self):
        return f"Avis, {self.facture}"
