"""Payments on line: what was asked of PayFiP before the family left for it, and what came of it."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone

from facturation.models.comptes import Reglement
from facturation.models.factures import Facture
from facturation.models.regies import Regie
from facturation.regles import payfip


class TentativeQuerySet(models.QuerySet):
    def en_cours(self):
        """Nobody knows yet what came of them."""
        return self.filter(issue=TentativePaiement.Issue.INCONNU)

    def a_rapprocher(self):
        """Paid in the words of a notice that nobody signs: the régisseur has not seen the money yet.

        Of a titre nothing is credited here: the trésorerie's own file will say.
        """
        payees = self.filter(issue=TentativePaiement.Issue.PAYE, reglement__isnull=False)
        return payees.filter(confirmee=False, rapprochee_le=None)


class TentativePaiement(models.Model):
    """A family left to pay an invoice. What PayFiP says later is believed of a payment that stands here alone."""

    class Issue(models.TextChoices):
        INCONNU = payfip.Issue.INCONNU.value, "En cours"
        PAYE = payfip.Issue.PAYE.value, "Payé"
        REFUSE = payfip.Issue.REFUSE.value, "Refusé"
        ABANDONNE = payfip.Issue.ABANDONNE.value, "Abandonné"
        PERIME = payfip.Issue.PERIME.value, "Sans réponse"

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    facture = models.ForeignKey(Facture, on_delete=models.PROTECT, related_name="tentatives")
    par = models.ForeignKey("familles.Utilisateur", on_delete=models.PROTECT, related_name="+")
    mode = models.CharField("mode", max_length=11, choices=Regie.PayFip)
    # What was sent, as it was sent: an answer must say the same.
    client = models.CharField("n° client", max_length=6)
    exercice = models.PositiveSmallIntegerField("exercice")
    reference = models.CharField("référence", max_length=30)
    montant = models.DecimalField("montant (€)", max_digits=10, decimal_places=2)
    saisie = models.CharField("saisie", max_length=1)
    courriel = models.CharField("adresse e-mail", max_length=80)
    jeton = models.CharField("jeton de l'adresse de retour", max_length=43, unique=True, editable=False)
    operation = models.CharField("opération PayFiP", max_length=36, blank=True)
    cree_le = models.DateTimeField("commencée le", default=timezone.now)
    issue = models.CharField("issue", max_length=9, choices=Issue, default=Issue.INCONNU)
    moyen = models.CharField("moyen", max_length=11, blank=True)
    autorisation = models.CharField("n° d'autorisation", max_length=16, blank=True)
    conclue_le = models.DateTimeField("conclue le", null=True, blank=True)
    interrogee_le = models.DateTimeField("PayFiP interrogé le", null=True, blank=True)
    confirmee = models.BooleanField("confirmée par le service web", default=False)
    rapprochee_le = models.DateTimeField("rapprochée le", null=True, blank=True)
    rapprochee_par = models.ForeignKey(
        "familles.Utilisateur", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    reglement = models.OneToOneField(
        Reglement, null=True, blank=True, on_delete=models.PROTECT, related_name="tentative"
    )

    objects = TentativeQuerySet.as_manager()

    class Meta:
        verbose_name = "paiement en ligne"
        verbose_name_plural = "paiements en ligne"
        ordering = ["-cree_le", "-pk"]
        permissions = [("rapprocher_tentativepaiement", "Peut rapprocher les paiements en ligne")]
        constraints = [
            models.UniqueConstraint(
                fields=["operation"], condition=~Q(operation=""), name="une_tentative_par_operation"
            ),
            models.CheckConstraint(
                condition=Q(issue="INCONNU", conclue_le=None) | (~Q(issue="INCONNU") & Q(conclue_le__isnull=False)),
                name="tentative_conclue_datee",
            ),
        ]
        indexes = [
            models.Index(fields=["reference"], name="tentatives_par_reference"),
            models.Index(fields=["cree_le"], name="tentatives_en_cours", condition=Q(issue="INCONNU")),
        ]

    def __str__(self):
        return f"{self.facture}, {timezone.localtime(self.cree_le):%d/%m/%Y %H:%M}"
