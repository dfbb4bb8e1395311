"""The month is billed by two at once, killed at any statement, run again: the same result (qualite.md D3, D4, F1)."""

import os
import threading
from datetime import date
from decimal import Decimal
from itertools import count

import pytest
from django.db import connection, transaction
from django.db.models import Max, Sum

from enfants.models import Garde, Rattachement
from facturation import actions, campagnes
from facturation.actions import prendre_numeros
from facturation.models import (
    Anomalie,
    Article,
    AvisFacture,
    Campagne,
    Compteur,
    DecisionJour,
    Ecriture,
    Facture,
    Imputation,
    LigneFacture,
    LotCampagne,
    Regie,
    Reglement,
    Remise,
    Role,
    VersementTitre,
)
from familles.models import Utilisateur
from tests.demandes.test_pannes import Panne, eprouver, ordres_sql
from tests.facturation import test_mois
from tests.facturation.essai import facture_essai, regie_essai, titre_essai
from tests.facturation.mois_essai import ECHEANCE, EMISE_LE, OCTOBRE, foyer, journee, preparer

pytestmark = pytest.mark.django_db
octobre = test_mois.octobre
MODELES = [
    Anomalie,
    Article,
    AvisFacture,
    Campagne,
    Compteur,
    DecisionJour,
    Ecriture,
    Facture,
    Imputation,
    LigneFacture,
    LotCampagne,
    Reglement,
    Remise,
    Role,
    VersementTitre,
]


def bilan():
    """What the month made, without the keys and instants that another run gives otherwise."""
    factures = Facture.objects.order_by("numero", "famille").values_list(
        "famille", "mois", "etat", "numero", "total", "reference", "emise_le", "echeance", "reporte_le", "debiteur"
    )
    lignes = LigneFacture.objects.order_by("facture__famille", "rang").values_list(
        "facture__famille", "rang", "genre", "libelle", "quantite", "prix", "montant", "jours"
    )
    return {
        "factures": list(factures),
        "lignes": list(lignes),
        "ecritures": sorted(Ecriture.objects.values_list("famille", "libelle", "debit", "credit")),
        "avis": AvisFacture.objects.count(),
        "anomalies": sorted(Anomalie.objects.values_list("famille", "genre", "phrase")),
        "etapes": [(campagne.etape, campagne.faites) for campagne in Campagne.objects.order_by("pk")],
        "compteurs": list(Compteur.objects.values_list("exercice", "dernier")),
    }


@pytest.fixture
def octobre_de_tous():
    for numero in (1, 2, 5, 6, 8):
        journee("Léa", "durand", "restauration", numero)
        journee("Adam", "benali", "restauration", numero)
    journee("Tom", "durand", "restauration", 1, vu=False)
    journee("Zoé", None, "restauration", 2)
    journee("Inès", "rossi", "restauration", 1)  # carried over


@pytest.fixture(autouse=True)
def lots_de_deux(monkeypatch):
    monkeypatch.setattr(campagnes, "LOT", 2)


def facturer():
    """The whole month by lots of two households, each step taken up again as long as something is left."""
    comptable = Utilisateur.objects.get(identifiant="comptable")
    campagne = campagnes.ouvrir(Regie.objects.get(code="restauration"), OCTOBRE)
    campagne.refresh_from_db()
    if campagne.etape == "OUVERTE":
        campagnes.lancer_preparation(campagne, par=comptable)
    if not finir(campagne, "PREPAREE"):
        campagnes.lancer_emission(campagne, emise_le=EMISE_LE, echeance=ECHEANCE, par=comptable)
    finir(campagne, "EMISE")


def finir(campagne, etape):
    """Run until this step; True once the month is past it."""
    while campagnes.un_lot(campagne.pk):
        pass
    campagne.refresh_from_db()
    return campagne.etape != etape


def test_tue_a_chaque_ordre_sql_puis_repris_le_mois_est_le_meme(octobre_de_tous):
    point = transaction.savepoint()
    facturer()
    attendu = bilan()
    assert (len(attendu["factures"]), attendu["compteurs"]) == (4, [(2026, 2)])
    transaction.savepoint_rollback(point)
    for numero in count(1):
        point = transaction.savepoint()
        try:
            ordres_sql(facturer, panne_au=numero)
        except Panne:
            facturer()
            assert bilan() == attendu, f"après une panne au {numero}e ordre"
            transaction.savepoint_rollback(point)
        else:
            break  # past the last statement
    assert numero > 100


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("essai", range(2))
def test_deux_a_la_fois_font_le_mois_une_seule_fois(octobre_de_tous, monkeypatch, essai):
    monkeypatch.setattr(campagnes, "LOT", 1)
    comptable = Utilisateur.objects.get(identifiant="comptable")
    campagne = campagnes.ouvrir(Regie.objects.get(code="restauration"), OCTOBRE)
    campagnes.lancer_preparation(campagne, par=comptable)
    a_deux(lambda: _jusqu_au_bout(campagne.pk))
    campagnes.lancer_emission(campagne, emise_le=EMISE_LE, echeance=ECHEANCE, par=comptable)
    a_deux(lambda: _jusqu_au_bout(campagne.pk))
    fait = bilan()
    assert [(f[2], f[3], f[4]) for f in fait["factures"]] == [
        ("EMISE", 1, Decimal("20.40")),
        ("EMISE", 2, Decimal("20.50")),
        ("BROUILLON", None, Decimal("5.60")),
        ("BROUILLON", None, Decimal("4.10")),
    ]
    assert (len(fait["ecritures"]), fait["avis"], fait["etapes"]) == (2, 2, [("EMISE", campagne.familles or 4)])


@pytest.mark.django_db(transaction=True)
def test_deux_preparent_chacun_son_lot_et_le_dernier_finit(octobre_de_tous, monkeypatch):
    """Who finds no free lot leaves, while another still holds one: the month is not said to be ready yet."""
    campagne = campagnes.ouvrir(Regie.objects.get(code="restauration"), OCTOBRE)
    monkeypatch.setattr(campagnes, "LOT", 2)
    campagnes.lancer_preparation(campagne, par=Utilisateur.objects.get(identifiant="comptable"))
    nombre = campagne.lots.count()
    with transaction.atomic():
        assert campagnes.un_lot(campagne.pk) == 2  # held until the end of the block
        assert dans_un_fil(campagnes.poursuivre) == campagne.lots.aggregate(n=Sum("familles"))["n"] - 2
        assert dans_un_fil(lambda: Campagne.objects.get(pk=campagne.pk).etape) == "PREPARATION"
    campagne.refresh_from_db()
    assert (campagne.etape, campagne.lots.filter(fait=True).count()) == ("PREPARATION", nombre)
    assert campagnes.un_lot(campagne.pk) == 0
    campagne.refresh_from_db()
    assert campagne.etape == "PREPAREE"


def dans_un_fil(geste):
    """What it returns, on a connection of its own."""
    vus = []

    def courir():
        try:
            vus.append(geste())
        finally:
            connection.close()

    fil = threading.Thread(target=courir)
    fil.start()
    fil.join(timeout=60)
    return vus[0]


def _jusqu_au_bout(cle):
    while campagnes.un_lot(cle):
        pass


def a_deux(geste):
    depart, erreurs = threading.Barrier(2, timeout=60), []

    def courir():
        try:
            depart.wait()
            geste()
        except Exception as erreur:
            erreurs.append(erreur)
        finally:
            connection.close()

    fils = [threading.Thread(target=courir) for _ in range(2)]
    for fil in fils:
        fil.start()
    for fil in fils:
        fil.join()
    assert erreurs == []


# --- Numbers (D4) ------------------------------------------------------------------------------------------


def sans_verrou(exercice, combien):
    """The number as one would take it naively: what the counter is there for."""
    return (Facture.objects.filter(exercice=exercice).aggregate(n=Max("numero"))["n"] or 0) + 1


def numeroter(prendre, combien):
    """Eight threads issue invoices, one in ten of which is given up at the last moment; returns the numbers."""
    famille, regie = foyer("durand"), regie_essai()
    depart, erreurs = threading.Barrier(8, timeout=60), []

    def emettre(rang):
        try:
            depart.wait()
            for n in range(combien // 8):
                try:
                    with transaction.atomic():
                        Facture.objects.create(
                            famille=famille,
                            regie=regie,
                            mois=OCTOBRE,
                            exercice=2026,
                            etat="EMISE",
                            numero=prendre(2026, 1),
                            emise_le=EMISE_LE,
                            echeance=ECHEANCE,
                        )
                        if (rang + n) % 10 == 0:
                            raise Panne
                except Panne:
                    pass
        except Exception as erreur:
            erreurs.append(erreur)
        finally:
            connection.close()

    fils = [threading.Thread(target=emettre, args=(rang,)) for rang in range(8)]
    for fil in fils:
        fil.start()
    for fil in fils:
        fil.join()
    return sorted(Facture.objects.values_list("numero", flat=True)), erreurs


@pytest.mark.django_db(transaction=True)
def test_huit_a_la_fois_les_numeros_n_ont_ni_trou_ni_double(distribution):
    numeros, erreurs = numeroter(prendre_numeros, 4000 if os.environ.get("EPREUVES") else 400)
    assert erreurs == []
    assert len(numeros) > 300
    assert numeros == list(range(1, len(numeros) + 1))


@pytest.mark.django_db(transaction=True)
def test_sans_le_compteur_les_numeros_se_doublent(distribution):
    _, erreurs = numeroter(sans_verrou, 400)
    assert "un_numero_par_exercice" in str(erreurs[0])


# --- Households cut anywhere ---------------------------------------------------------------------------------


@pytest.mark.parametrize("bornes", [{"valable_au": date(2026, 10, 5)}, {"valable_du": date(2026, 10, 12)}])
def test_un_imprevu_d_un_jour_ou_un_foyer_n_avait_pas_l_enfant_se_partage_comme_le_mois(bornes, monkeypatch):
    """Read by the lots of both households, which come to the same cents."""
    monkeypatch.setattr(campagnes, "LOT", 1)
    Garde.objects.update(mode="PARTS", part=50)
    Rattachement.objects.filter(enfant__prenom="Inès", famille=foyer("rossi")).update(**bornes)
    journee("Inès", None, "restauration", 8)
    preparer()
    assert {f.famille: f.total for f in Facture.objects.all()} == dict.fromkeys(
        (foyer("benali"), foyer("rossi")), Decimal("2.05")
    )


# --- A failure at any statement of any action (F1) -----------------------------------------------------------


@pytest.fixture
def gestes(comptes, famille_durand):
    comptable, regie, titre = comptes["comptable"], regie_essai(), titre_essai()
    jour = date(2026, 11, 4)
    recu = {"regie": regie, "recu_le": jour, "par": comptable}
    facture, titree, prise = (facture_essai(famille_durand, r, "30.00") for r in (regie, titre, titre))
    a_imputer = actions.encaisser(famille_durand, moyen="VIREMENT", montant=Decimal(50), parts=[], **recu)
    cheque = actions.encaisser(famille_durand, moyen="CHEQUE", montant=Decimal(10), **recu)
    actions.prendre_en_role([prise], regie=titre, numero="1", exercice=2026, le=jour, par=comptable)
    brouillon = facture_essai(famille_durand, regie, "5.00", mois=date(2026, 9, 1), emise=False)
    a_decider = journee("Léa", "durand", "restauration", 8, vu=False)
    campagne = preparer()
    paye = {"etat": "PAYE", "paye": Decimal(30), "le": jour, "par": comptable}
    return {
        "encaisser": lambda: actions.encaisser(famille_durand, moyen="CHEQUE", montant=Decimal(40), **recu),
        "imputer": lambda: actions.imputer(a_imputer, [(facture, Decimal(5))], par=comptable),
        "annuler": lambda: actions.annuler_reglement(cheque, motif="impayé", par=comptable),
        "avoir": lambda: actions.creer_avoir(facture, motif="erreur", par=comptable),
        "avoir d'un titre": lambda: actions.creer_avoir(prise, motif="erreur", par=comptable),
        "role": lambda: actions.prendre_en_role(
            [titree], regie=titre, numero="2", exercice=2026, le=jour, par=comptable
        ),
        "article": lambda: actions.marquer_article(Article.objects.get(), **paye),
        "rembourser": lambda: actions.rembourser(
            famille_durand, regie=regie, montant=Decimal(3), le=jour, motif="départ", par=comptable
        ),
        "remettre": lambda: actions.remettre([cheque], regie=regie, le=jour, par=comptable),
        "ligne": lambda: actions.ajouter_ligne(
            brouillon, libelle="x", quantite=1, prix=Decimal(1), motif="y", par=comptable
        ),
        "decider": lambda: campagnes.decider_jours(campagne, [a_decider], facturer=False, motif="grève", par=comptable),
    }


NOMS = ["encaisser", "imputer", "annuler", "avoir", "avoir d'un titre", "role", "article", "rembourser", "remettre"]


@pytest.mark.parametrize("nom", [*NOMS, "ligne", "decider"])
def test_une_panne_a_n_importe_quel_ordre_sql_ne_laisse_rien(nom, gestes):
    eprouver(gestes[nom], MODELES)
