"""The same notice twice at once: one payment, one entry, one message (qualite.md E4)."""

import threading
from decimal import Decimal

import pytest
from django.db import connection

from facturation import paiements
from facturation.models import Ecriture, Reglement, TentativePaiement
from facturation.regles import payfip
from messagerie.models import Message
from tests.facturation.essai import facture_essai, regie_essai

pytestmark = pytest.mark.django_db(transaction=True)

COURSES = 500


@pytest.fixture
def tentatives(distribution, famille_durand, comptes, horloge):
    """As many attempts on one invoice as there will be races."""
    horloge("2026-11-23T10:00")
    regie = regie_essai(payfip="REDIRECTION", payfip_client="018110", payfip_saisie="A")
    facture = facture_essai(famille_durand, regie, "2000.00")
    modele = paiements.commencer(facture, par=comptes["durand"])
    Message.objects.all().delete()
    autres = [
        TentativePaiement(
            facture=facture,
            par=modele.par,
            mode=modele.mode,
            client=modele.client,
            exercice=modele.exercice,
            reference=modele.reference,
            montant=Decimal("2.00"),
            saisie="A",
            courriel=modele.courriel,
            jeton=f"jeton-{rang}",
        )
        for rang in range(COURSES)
    ]
    return TentativePaiement.objects.bulk_create(autres)


def avis(tentative, resultat="P"):
    return {
        "numcli": tentative.client,
        "refdet": tentative.reference,
        "montant": payfip.centimes(tentative.montant),
        "saisie": tentative.saisie,
        "resultrans": resultat,
        "dattrans": "23112026",
        "heurtrans": "1000",
    }


def ensemble(tentatives, *resultats):
    """Each attempt receives these notices at the same instant, from as many threads."""
    depart, erreurs = threading.Barrier(len(resultats), timeout=60), []

    def courir(resultat):
        try:
            for tentative in tentatives:
                depart.wait()
                paiements.recevoir_avis(tentative.jeton, avis(tentative, resultat))
        except Exception as erreur:  # told to the test, which fails on it
            erreurs.append(erreur)
            depart.abort()
        finally:
            connection.close()

    fils = [threading.Thread(target=courir, args=(resultat,)) for resultat in resultats]
    for fil in fils:
        fil.start()
    for fil in fils:
        fil.join()
    assert erreurs == []


def bilan():
    return Reglement.objects.count(), Ecriture.objects.filter(nature="REGLEMENT").count(), Message.objects.count()


def test_le_meme_avis_deux_fois_a_la_fois_paie_une_fois(tentatives):
    ensemble(tentatives, "P", "P")
    assert bilan() == (COURSES, COURSES, COURSES)
    assert TentativePaiement.objects.filter(issue="PAYE", reglement__isnull=False).count() == COURSES


def test_paye_et_refuse_a_la_fois_finit_paye(tentatives):
    ensemble(tentatives[:10], "P", "R")
    assert bilan() == (10, 10, 10)


def test_sans_le_verrou_le_meme_avis_paie_deux_fois(tentatives, monkeypatch):
    """The control of the race above: it must be able to fail."""
    lus = threading.Barrier(2, timeout=60)

    def lire_sans_verrou(pk):
        lue = TentativePaiement.objects.select_related("facture__regie", "facture__famille").get(pk=pk)
        lus.wait()
        return lue

    monkeypatch.setattr(paiements, "_verrouiller", lire_sans_verrou)
    ensemble(tentatives[:5], "P", "P")
    assert bilan()[:2] == (10, 10)
