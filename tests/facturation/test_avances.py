"""What a family has in advance pays its next invoice, which says so; never twice, never another régie's."""

import threading
from datetime import date
from decimal import Decimal

import pytest
from django.db import OperationalError, connection, transaction

from facturation import actions, avances, avis, campagnes, comptes, documents, prelevements
from facturation.actions import ActionImpossible
from facturation.models import Facture, Imputation, Regie, Reglement
from familles.models import CoordonneesBancaires, Utilisateur
from messagerie.models import Message
from tests.facturation import test_mois
from tests.facturation.essai import facture_essai
from tests.facturation.mois_essai import ECHEANCE, EMISE_LE, OCTOBRE, emettre, facture_de, foyer, journee, preparer

pytestmark = pytest.mark.django_db
octobre = test_mois.octobre
D = Decimal


@pytest.fixture
def comptable():
    return Utilisateur.objects.get(identifiant="comptable")


@pytest.fixture
def regie():
    return Regie.objects.get(code="periscolaire")


@pytest.fixture
def mandats(regie, comptable):
    """Of the Durand and of the Benali; the régie can debit."""
    Regie.objects.filter(pk=regie.pk).update(
        ics="FR72ZZZ123456", iban="FR1420041010050500013M02606", titulaire="Régie périscolaire"
    )
    regie.refresh_from_db()
    for qui in ("durand", "benali"):
        compte = {"titulaire": "C. Durand", "iban": "FR7630006000011234567890189"}
        CoordonneesBancaires.objects.update_or_create(famille=foyer(qui), defaults=compte)
        prelevements.creer_mandat(foyer(qui), regie=regie, signe_le=date(2026, 9, 1), par=comptable)


@pytest.fixture
def soirs():
    """Two evenings of Léa, and one of Inès: 4,40 € and 2,60 €."""
    for numero in (1, 2):
        journee("Léa", "durand", "accueil-soir", numero)
    journee("Inès", "benali", "accueil-soir", 1)


@pytest.fixture
def payer(regie, comptable):
    """``payer("durand", "3.00")``: a payment that pays no invoice."""

    def payer(qui, montant, jour=1, **autres):
        recu = {"regie": regie, "moyen": "CHEQUE", "recu_le": date(2026, 9, jour), "par": comptable, "parts": []}
        return actions.encaisser(foyer(qui), montant=D(montant), **(recu | autres))

    return payer


def parts():
    """(payment, household, amount) of what pays invoices, in the order written."""
    lues = Imputation.objects.order_by("pk").values_list("reglement__montant", "facture__famille__nom", "montant")
    return list(lues)


def reste(qui="durand"):
    return Facture.objects.avec_reste().get(pk=facture_de(qui, "periscolaire").pk).reste


def test_l_avance_paie_la_nouvelle_facture_le_plus_ancien_reglement_d_abord(soirs, payer, regie):
    payer("durand", "5.00", jour=9)
    payer("durand", "3.00", jour=2)
    payer("benali", "1.00")
    emettre("periscolaire")
    assert parts() == [(3, "Durand", D("3.00")), (5, "Durand", D("1.40")), (1, "Benali", D("1.00"))]
    assert (reste(), reste("benali")) == (0, D("1.60"))
    assert comptes.soldes(foyer("durand")) == {regie: D("-3.60")}
    assert [actions.reste_a_imputer(r) for r in Reglement.objects.order_by("montant")] == [0, 0, D("3.60")]


def test_ni_une_autre_regie_ni_un_reglement_annule_ni_ce_qui_est_rendu_ne_paie(soirs, payer, regie, comptable):
    payer("durand", "9.00", regie=Regie.objects.get(code="loisirs"))
    actions.annuler_reglement(payer("durand", "8.00"), motif="sans provision", par=comptable)
    payer("durand", "7.00", jour=3)
    rendre = {"regie": regie, "le": date(2026, 10, 1), "motif": "départ", "par": comptable}
    actions.rembourser(foyer("durand"), montant=D("5.50"), **rendre)
    emettre("periscolaire")
    assert (parts(), reste()) == ([(7, "Durand", D("1.50"))], D("2.90"))


def test_ce_que_la_tresorerie_encaisse_ne_prend_rien_de_l_avance(payer, regie):
    payer("durand", "20.00")
    for numero in (1, 2, 5, 6, 8):
        journee("Léa", "durand", "restauration", numero)
    Regie.objects.filter(pk=regie.pk).update(regime="TITRE")
    journee("Léa", "durand", "accueil-soir", 1)
    emettre("restauration")
    emettre("periscolaire")
    assert (Facture.objects.emises().count(), parts()) == (2, [])


def test_ce_qu_un_avoir_a_rendu_paie_la_facture_qui_le_remplace(soirs, payer, comptable):
    emettre("periscolaire")
    facture = facture_de("durand", "periscolaire")
    actions.imputer(payer("durand", "4.40"), [(facture, D("4.40"))], par=comptable)
    actions.creer_avoir(facture, motif="Un jour oublié", par=comptable)
    journee("Léa", "durand", "accueil-soir", 5)
    emettre("periscolaire", emise_le=date(2026, 11, 5))
    neuve = Facture.objects.avec_reste().latest("numero")
    assert (neuve.total, neuve.impute, neuve.reste) == (D("6.60"), D("4.40"), D("2.20"))


def test_la_facture_et_son_avis_disent_ce_qui_est_deja_regle_et_le_gardent(soirs, payer, comptable):
    regles = [payer("durand", "1.40"), payer("benali", "2.60")]
    emettre("periscolaire")
    avis.envoyer_avis()
    corps = [m.corps for m in Message.objects.filter(fil__sujet__startswith="Facture").order_by("fil__famille__nom")]
    assert (
        "2,60\u00a0€, dont 2,60\u00a0€ déjà réglés par ce que vous aviez d'avance\u00a0: vous n'avez rien" in corps[0]
    )
    assert "4,40\u00a0€, dont 1,40\u00a0€ déjà réglés par ce que vous aviez d'avance\u00a0: il reste" in corps[1]
    assert "il reste 3,00\u00a0€, à régler avant le 3 décembre 2026" in corps[1]
    for reglement in regles:  # the paper goes on saying what it said
        actions.annuler_reglement(reglement, motif="sans provision", par=comptable)
    durand, benali = (documents.composer(facture_de(qui, "periscolaire")) for qui in ("durand", "benali"))
    for mot, somme in [("Total", "4,40"), ("Déjà réglé, par ce que vous aviez d&#x27;avance", "-1,40")]:
        assert f'{mot}</th><td class="somme">{somme}\u00a0€</td>' in durand
    assert 'Total à payer</th><td class="somme">3,00\u00a0€</td>' in durand
    assert ("Vous n'avez rien à payer" in benali, "Vous n'avez rien à payer" in durand) == (True, False)


def test_le_prelevement_annonce_et_prend_ce_qui_reste(soirs, payer, regie, comptable, mandats):
    payer("durand", "1.40")
    payer("benali", "2.60")
    emettre("periscolaire")
    annonces = [facture_de(qui, "periscolaire").debiteur["prelevement"] for qui in ("durand", "benali")]
    assert (annonces[0][:27], annonces[1]) == ("3,00\u00a0€ seront prélevés le 3", "")
    lot = prelevements.preparer_lot(regie, le=ECHEANCE, par=comptable)
    assert list(lot.prelevements.values_list("facture__famille__nom", "montant")) == [("Durand", 3)]


def test_une_avance_reprise_ensuite_ne_se_preleve_pas(soirs, payer, regie, comptable, mandats):
    """The cheques come back unpaid: the debit takes what the invoice announced, and nothing where it announced none."""
    avance = [payer("durand", "1.40"), payer("benali", "2.60")]
    emettre("periscolaire")
    for reglement in avance:
        actions.annuler_reglement(reglement, motif="sans provision", par=comptable)
    assert (reste(), reste("benali")) == (D("4.40"), D("2.60"))
    lot = prelevements.preparer_lot(regie, le=ECHEANCE, par=comptable)
    assert list(lot.prelevements.values_list("facture__famille__nom", "montant")) == [("Durand", 3)]


def test_un_lot_ne_coute_pas_plus_avec_trois_reglements(soirs, payer, comptable, django_assert_max_num_queries):
    campagne = preparer("periscolaire")
    campagnes.lancer_emission(campagne, emise_le=EMISE_LE, echeance=ECHEANCE, par=comptable)

    def ordres():
        with transaction.atomic(), django_assert_max_num_queries(24) as captees:
            campagnes.un_lot(campagne.pk)
            faites = Imputation.objects.count()
            transaction.set_rollback(True)
        return len(captees), faites

    payer("durand", "1.00")
    ordres()  # the commune is read once
    un = ordres()
    for qui in ("durand", "durand", "benali"):
        payer(qui, "1.00")
    assert (un[1], ordres()) == (1, (un[0], 4))


# --- Two at once -------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_la_meme_avance_n_est_pas_prise_par_un_agent_et_par_l_emission(soirs, payer, regie, comptable, monkeypatch):
    """The agent imputes it to an older invoice while the month is issued: one of the two has it."""
    reglement = payer("durand", "4.00")
    ancienne = facture_essai(foyer("durand"), regie, "4.00", mois=date(2026, 9, 1), emise_le=date(2026, 10, 2))
    campagne = preparer("periscolaire")
    campagnes.lancer_emission(campagne, emise_le=EMISE_LE, echeance=ECHEANCE, par=comptable)
    ici, fini, refus = threading.Event(), threading.Event(), []
    vraie = avances.imputer_avances

    def en_meme_temps(*args, **options):
        faites = vraie(*args, **options)
        ici.set()
        fini.wait(1)  # the agent is done only where nothing holds it back
        return faites

    def agent():
        try:
            ici.wait(60)
            actions.imputer(reglement, [(ancienne, D("4.00"))], par=comptable)
        except ActionImpossible as erreur:
            refus.append(str(erreur))
        finally:
            fini.set()
            connection.close()

    monkeypatch.setattr("facturation.emission.imputer_avances", en_meme_temps)
    fil = threading.Thread(target=agent)
    fil.start()
    campagnes.poursuivre()
    fil.join()
    assert (parts(), refus) == ([(4, "Durand", D("4.00"))], ["Ces parts dépassent ce qui reste du règlement."])
    assert Facture.objects.filter(regie=regie, mois=OCTOBRE).count() == 2


@pytest.mark.django_db(transaction=True)
def test_un_bordereau_qui_se_fait_ne_retient_pas_l_emission(soirs, payer, regie, comptable):
    """It holds the régie, then its cheques; the month names the cheque that it takes, then the régie."""
    cheque, erreurs = payer("durand", "4.00"), []
    campagne = preparer("periscolaire")
    campagnes.lancer_emission(campagne, emise_le=EMISE_LE, echeance=ECHEANCE, par=comptable)

    def ouvrier():
        try:
            with connection.cursor() as curseur:
                curseur.execute("SET lock_timeout = '5s'")
            campagnes.poursuivre()
        except OperationalError as erreur:
            erreurs.append(erreur)
        finally:
            connection.close()

    with transaction.atomic():
        actions.remettre([cheque], regie=regie, le=EMISE_LE, par=comptable)
        fil = threading.Thread(target=ouvrier)
        fil.start()
        fil.join()
    assert (erreurs, parts()) == ([], [(4, "Durand", D("4.00"))])
