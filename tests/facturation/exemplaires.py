"""A row of each kind that billing keeps of a household: for the tests that look everywhere."""

from datetime import date, timedelta
from decimal import Decimal

from django.utils import timezone

from enfants.models import Service
from facturation import actions, attestations
from facturation.models import (
    AideFamille,
    Anomalie,
    AvisFacture,
    Campagne,
    DecisionJour,
    LotPrelevement,
    Mandat,
    Prelevement,
    Regie,
    TentativePaiement,
)
from tests.facturation.papiers_essai import facturer, ligne


def une_de_chaque(famille, enfants, *, par, mot=lambda classe: "x"):
    """Invoices issued, paid, cancelled, in a rôle, a draft; a certificate, a mandate, what agents noted.

    :param enfants: told on each invoice; the first is certified, and is under six last year.
    :param mot: what is typed, by whom it concerns: « facture » and « reglement » the household reads, « brouillon » and
        « aide » agents alone.
    """
    titre, regie = (Regie.objects.get(code=code) for code in ("restauration", "loisirs"))
    aujourdhui = timezone.localdate()
    mois = (aujourdhui.replace(day=1) - timedelta(days=1)).replace(day=1)
    emise_le, jadis = aujourdhui - timedelta(days=3), date(aujourdhui.year - 1, 6, 2)
    loisirs = {"service": Service.objects.get(code="alsh-mercredi"), "part_garde": 100, "deliberation": "2025-42"}

    def lignes(quoi):
        jours = {"jours": [[mois.isoformat(), f"Présent, {quoi}."]]}
        return [ligne(f"Mercredi, {quoi}", "8.10", enfant=enfant, **loisirs, **jours) for enfant in enfants]

    def a_la_main(classe):
        return ligne("Sortie", "3.00", genre="MANUELLE", motif=mot(classe), par=par)

    ancienne = facturer(famille, regie, *lignes("l'an passé"), mois=jadis.replace(day=1), emise_le=jadis)
    recente = facturer(famille, regie, *lignes(mot("facture")), a_la_main("facture"), mois=mois, emise_le=emise_le)
    erronee = facturer(famille, regie, *lignes("par erreur"), mois=mois, emise_le=emise_le)
    repas = facturer(famille, titre, *lignes("repas"), mois=mois, emise_le=emise_le)
    brouillon = facturer(famille, regie, *lignes("à venir"), a_la_main("brouillon"), emise=False)
    AvisFacture.objects.create(facture=recente)

    def payer(facture, le, moyen="CHEQUE"):
        colonnes = {"montant": facture.total, "recu_le": le, "reference": mot("reglement")}
        return actions.encaisser(
            famille, regie=regie, moyen=moyen, par=par, parts=[(facture, facture.total)], **colonnes
        )

    actions.remettre([payer(ancienne, jadis)], regie=regie, le=jadis, par=par)
    actions.annuler_reglement(payer(recente, emise_le), motif=mot("reglement"), par=par)
    debite = payer(recente, emise_le, "PRELEVEMENT")
    actions.creer_avoir(erronee, motif=mot("facture"), par=par)
    actions.prendre_en_role([repas], regie=titre, numero=f"9{famille.pk}", exercice=2026, le=emise_le, par=par)
    attestations.attester(
        famille.responsables.get(rang=1), enfants[0].uuid, jadis.year, par=famille.responsables.get(rang=1).utilisateur
    )
    _noter(famille, enfants[0], brouillon, par, mot)
    _prelever(famille, recente, debite, par)
    TentativePaiement.objects.create(
        facture=repas, par=famille.responsables.get(rang=1).utilisateur, mode=titre.payfip, client=titre.payfip_client,
        exercice=repas.exercice, reference=repas.reference, montant=repas.total, saisie="A", courriel="x@ex.fr",
        jeton=str(repas.uuid), operation=str(repas.uuid), autorisation="x",
    )  # fmt: skip


def _noter(famille, enfant, brouillon, par, mot):
    """What agents alone read of a month: an anomaly, a decision, an aid that is over."""
    campagne, _ = Campagne.objects.get_or_create(
        regie=brouillon.regie, mois=brouillon.mois, defaults={"etape": "PREPAREE", "lancee_par": par}
    )
    quoi = {"enfant": enfant, "service": Service.objects.get(code="alsh-mercredi"), "jour": brouillon.mois}
    Anomalie.objects.create(campagne=campagne, genre="SANS_PRESENCE", famille=famille, phrase=mot("brouillon"), **quoi)
    DecisionJour.objects.create(facturer=False, motif=mot("brouillon"), par=par, **quoi)
    AideFamille.objects.create(
        famille=famille, organisme=mot("aide"), pourcent=10, valable_du=date(2024, 1, 1), valable_au=date(2024, 6, 1)
    )


def _prelever(famille, facture, reglement, par):
    """A debit under a mandate."""
    compte = getattr(famille, "coordonnees_bancaires", None)
    mandat = Mandat.objects.create(
        famille=famille,
        regie=facture.regie,
        rum=f"RUM-{famille.pk}",
        titulaire=compte.titulaire[:70] if compte else "x",
        iban=compte.iban if compte else "FR7630006000011234567890189",
        bic="BDFEFRPPXXX",
        signe_le=facture.emise_le,
        cree_par=par,
    )
    lot = LotPrelevement.objects.create(
        regie=facture.regie, le=facture.emise_le, identifiant=f"LOT-{famille.pk}", prepare_par=par
    )
    Prelevement.objects.create(
        lot=lot, mandat=mandat, facture=facture, montant=Decimal(facture.total), sequence="FRST", reglement=reglement
    )
