"""Whatever is done to an account, in whatever order, it balances (qualite.md D1)."""

import os
from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest
from django.db import transaction
from django.db.models import Sum
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from facturation import actions, comptes
from facturation.actions import ActionImpossible
from facturation.models import Ecriture, Facture, Imputation, Reglement
from familles.models import Famille, Utilisateur
from tests.facturation.essai import facture_essai, regie_essai, titre_essai

pytestmark = pytest.mark.django_db
JOUR = date(2026, 11, 20)
MONTANTS = st.integers(1, 9000).map(lambda centimes: Decimal(centimes) / 100)
CHOIX = st.integers(0, 20)
SEQUENCES = 1000 if os.environ.get("EPREUVES") else 100


class Compte(RuleBasedStateMachine):
    """A household, a régie and a titre; ``du`` is what it owes to each, as one would count it by hand."""

    def __init__(self):
        super().__init__()
        self.transaction = transaction.atomic()
        self.transaction.__enter__()
        self.famille = Famille.objects.get(responsables__utilisateur__identifiant="durand")
        self.par = Utilisateur.objects.get(identifiant="comptable")
        self.regie, self.titre = regie_essai(), titre_essai()
        self.du = {self.regie: Decimal(0), self.titre: Decimal(0)}
        self.factures, self.reglements, self.annules = [], [], set()
        self.cles = 0

    def teardown(self):
        transaction.set_rollback(True)
        self.transaction.__exit__(None, None, None)

    def tenter(self, geste):
        """What an action refuses leaves nothing: the savepoint says so to the next ones."""
        try:
            return geste()
        except ActionImpossible:
            return None

    @rule(montant=MONTANTS, titree=st.booleans())
    def facturer(self, montant, titree):
        regie = self.titre if titree else self.regie
        self.factures.append(facture_essai(self.famille, regie, montant))
        self.du[regie] += montant

    @rule(montant=MONTANTS, deux_fois=st.booleans())
    def payer(self, montant, deux_fois):
        self.cles += 1
        for _ in range(1 + deux_fois):
            reglement = actions.encaisser(
                self.famille,
                regie=self.regie,
                moyen="CARTE",
                montant=montant,
                recu_le=JOUR,
                par=None,
                cle=UUID(int=self.cles),
            )
        self.reglements.append(reglement)
        self.du[self.regie] -= montant

    @precondition(lambda self: self.reglements and self.factures)
    @rule(choix=CHOIX, autre=CHOIX, montant=MONTANTS)
    def imputer(self, choix, autre, montant):
        reglement = self.reglements[choix % len(self.reglements)]
        facture = self.factures[autre % len(self.factures)]
        self.tenter(lambda: actions.imputer(reglement, [(facture, montant)], par=self.par))

    @precondition(lambda self: self.reglements)
    @rule(choix=CHOIX)
    def annuler(self, choix):
        reglement = self.reglements[choix % len(self.reglements)]
        if self.tenter(lambda: actions.annuler_reglement(reglement, motif="impayé", par=self.par, le=JOUR)):
            assert reglement.pk not in self.annules
            self.annules.add(reglement.pk)
            self.du[self.regie] += reglement.montant

    @precondition(lambda self: self.factures)
    @rule(choix=CHOIX)
    def annuler_par_un_avoir(self, choix):
        facture = self.factures[choix % len(self.factures)]
        titree = hasattr(Facture.objects.select_related("article").get(pk=facture.pk), "article")
        if self.tenter(lambda: actions.creer_avoir(facture, motif="erreur", par=self.par)) and not titree:
            self.du[facture.regie] -= facture.total

    @precondition(lambda self: self.factures)
    @rule(choix=CHOIX)
    def prendre_en_role(self, choix):
        facture = self.factures[choix % len(self.factures)]
        self.cles += 1
        pris = {"numero": str(self.cles), "exercice": 2026, "le": JOUR, "par": self.par}
        if self.tenter(lambda: actions.prendre_en_role([facture], regie=self.titre, **pris)):
            self.du[self.titre] -= facture.total

    @rule(montant=MONTANTS)
    def rembourser(self, montant):
        rendu = {"regie": self.regie, "montant": montant, "le": JOUR, "motif": "départ", "par": self.par}
        if self.tenter(lambda: actions.rembourser(self.famille, **rendu)):
            self.du[self.regie] += montant

    @invariant()
    def le_solde_est_ce_qui_est_du(self):
        lus = comptes.soldes(self.famille)
        assert {regie: lus.get(regie, 0) for regie in self.du} == self.du
        sommes = Ecriture.objects.aggregate(debit=Sum("debit"), credit=Sum("credit"))
        assert (sommes["debit"] or 0) - (sommes["credit"] or 0) == sum(self.du.values())
        assert comptes.releve(self.famille, 2027).ancien_solde == sum(self.du.values())

    @invariant()
    def rien_n_est_paye_deux_fois(self):
        for facture in Facture.objects.emises().avec_reste():
            assert 0 <= facture.impute <= max(facture.total, 0)
            assert not (facture.annulee and facture.impute)
            assert facture.total == sum(ligne.montant for ligne in facture.lignes.all())
        for reglement in Reglement.objects.all():
            parts = Imputation.objects.filter(reglement=reglement).aggregate(t=Sum("montant"))["t"] or 0
            assert 0 <= parts <= reglement.montant
            assert not (reglement.pk in self.annules and parts)


def test_le_compte_tombe_juste_quoi_qu_on_fasse(distribution, horloge):
    horloge("2026-11-23T10:00")
    regles = settings(
        max_examples=SEQUENCES,
        stateful_step_count=12,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
        database=None,
    )
    run_state_machine_as_test(Compte, settings=regles)
