"""The account of a household: what is paid, taken back, cancelled, taken by the trésorerie."""

from datetime import date
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import InternalError, transaction

from facturation import actions, comptes
from facturation.actions import ActionImpossible
from facturation.models import Article, Ecriture, Facture, Imputation, LigneFacture, Reglement
from familles.models import Utilisateur
from tests.facturation.essai import facture_essai, regie_essai, titre_essai

pytestmark = pytest.mark.django_db
NOVEMBRE = date(2026, 11, 20)


@pytest.fixture
def durand(famille_durand):
    return famille_durand


@pytest.fixture
def martin(famille_martin):
    return famille_martin


@pytest.fixture
def agent(distribution):
    return Utilisateur.objects.get(identifiant="comptable")


@pytest.fixture
def regie(distribution, horloge):
    horloge("2026-11-23T10:00")
    return regie_essai()


def payer(famille, regie, montant, **autres):
    return actions.encaisser(
        famille,
        **{"regie": regie, "moyen": "CHEQUE", "montant": Decimal(montant), "recu_le": NOVEMBRE, "par": None} | autres,
    )


def restes(*factures):
    lues = {f.pk: f.reste for f in Facture.objects.filter(pk__in=[f.pk for f in factures]).avec_reste()}
    return [lues[f.pk] for f in factures]


def dit(facture, jour=NOVEMBRE):
    lue = Facture.objects.avec_reste().select_related("article").get(pk=facture.pk)
    return comptes.etat(lue, jour).code


def test_un_reglement_paie_la_plus_ancienne_puis_la_suivante(durand, regie):
    premiere = facture_essai(durand, regie, "30.00", mois=date(2026, 9, 1), emise_le=date(2026, 10, 1))
    seconde = facture_essai(durand, regie, "40.00")
    payer(durand, regie, "50.00")
    assert restes(premiere, seconde) == [0, 20]
    assert (dit(premiere), dit(seconde)) == ("payee", "en-partie")
    assert comptes.soldes(durand) == {regie: Decimal("20.00")}


def test_ce_qui_depasse_reste_au_credit_de_la_famille(durand, regie, agent):
    facture = facture_essai(durand, regie, "30.00")
    reglement = payer(durand, regie, "50.00")
    assert (restes(facture), comptes.soldes(durand)) == ([0], {regie: Decimal("-20.00")})
    suivante = facture_essai(durand, regie, "35.00", mois=date(2026, 11, 1))
    actions.imputer(reglement, [(suivante, Decimal("20.00"))], par=agent)
    assert restes(suivante) == [15]
    with pytest.raises(ActionImpossible, match="dépassent ce qui reste"):
        actions.imputer(reglement, [(suivante, Decimal("1.00"))], par=agent)


def test_un_agent_choisit_ce_qu_un_reglement_paie(durand, regie):
    premiere, seconde = facture_essai(durand, regie, "30.00"), facture_essai(durand, regie, "40.00")
    payer(durand, regie, "25.00", parts=[(seconde, Decimal("25.00"))])
    assert restes(premiere, seconde) == [30, 15]
    with pytest.raises(ActionImpossible, match="Il ne reste que 15,00"):
        payer(durand, regie, "25.00", parts=[(seconde, Decimal("16.00"))])


def test_on_ne_paie_pas_la_facture_d_un_autre(durand, martin, regie):
    autre = facture_essai(martin, regie, "30.00")
    with pytest.raises(ActionImpossible, match="Il ne reste que 0,00"):
        payer(durand, regie, "30.00", parts=[(autre, Decimal("30.00"))])
    assert Reglement.objects.count() == 0


def test_le_meme_formulaire_envoye_deux_fois_paie_une_fois(durand, regie):
    cle = uuid4()
    assert payer(durand, regie, "30.00", cle=cle).pk == payer(durand, regie, "30.00", cle=cle).pk
    assert Ecriture.objects.filter(nature="REGLEMENT").count() == 1


@pytest.mark.parametrize(
    ("change", "phrase"),
    [
        ({"montant": Decimal("0")}, "montant positif"),
        ({"montant": Decimal("-4")}, "montant positif"),
        ({"montant": Decimal("1.005")}, "centimes entiers"),
        ({"recu_le": date(2999, 1, 1)}, "à venir"),
    ],
)
def test_un_reglement_impossible_ne_laisse_rien(durand, regie, change, phrase):
    with pytest.raises(ActionImpossible, match=phrase):
        payer(durand, regie, **({"montant": "1"} | change))
    assert (Reglement.objects.count(), Ecriture.objects.count()) == (0, 0)


def test_annuler_un_reglement_rend_les_factures_a_payer_et_garde_la_trace(durand, regie, agent):
    facture = facture_essai(durand, regie, "30.00")
    reglement = payer(durand, regie, "30.00")
    ecriture = actions.annuler_reglement(reglement, motif="chèque sans provision", par=agent)
    assert (ecriture.debit, ecriture.libelle) == (30, "Annulation d'un règlement\u00a0: chèque sans provision")
    assert (restes(facture), comptes.soldes(durand)) == ([30], {regie: Decimal("30.00")})
    assert [i.montant for i in Imputation.objects.order_by("pk")] == [30, -30]
    with pytest.raises(ActionImpossible, match="déjà annulé"):
        actions.annuler_reglement(reglement, motif="encore", par=agent)


def test_un_avoir_annule_la_facture_et_rend_ce_qui_etait_paye(durand, regie, agent):
    facture = facture_essai(durand, regie, "30.00", "-5.00")
    payer(durand, regie, "25.00")
    avoir = actions.creer_avoir(facture, motif="Repas comptés deux fois", par=agent)
    assert (avoir.total, avoir.numero, [ligne.montant for ligne in avoir.lignes.order_by("rang")]) == (-25, 2, [-30, 5])
    assert (dit(facture), dit(avoir), comptes.soldes(durand)) == ("annulee", "avoir", {regie: Decimal("-25.00")})
    with pytest.raises(ActionImpossible, match="déjà un avoir"):
        actions.creer_avoir(facture, motif="encore", par=agent)
    suivante = facture_essai(durand, regie, "20.00", mois=date(2026, 11, 1))
    actions.imputer(Reglement.objects.get(), [(suivante, Decimal("20.00"))], par=agent)
    assert restes(suivante) == [0]


def test_ce_que_la_famille_a_d_avance_se_rembourse_et_pas_plus(durand, regie, agent):
    payer(durand, regie, "12.00")
    rendre = {"regie": regie, "le": NOVEMBRE, "motif": "départ", "par": agent}
    with pytest.raises(ActionImpossible, match="12,00"):
        actions.rembourser(durand, montant=Decimal("12.01"), **rendre)
    actions.rembourser(durand, montant=Decimal("12.00"), **rendre)
    assert comptes.soldes(durand) == {regie: Decimal("0.00")}


def test_pris_en_role_le_compte_est_credite_et_la_tresorerie_suit_le_titre(durand, agent):
    titre = titre_essai()
    facture = facture_essai(durand, titre, "30.00")
    role = {"regie": titre, "exercice": 2026, "le": NOVEMBRE, "par": agent}
    actions.prendre_en_role([facture], numero="7", **role)
    ligne = Ecriture.objects.get(nature="TITRE")
    assert (ligne.libelle, ligne.credit) == ("Titre émis (ORMC n°\u00a07)", 30)
    assert (dit(facture), restes(facture), comptes.soldes(durand)) == ("titree", [0], {titre: Decimal("0.00")})
    for numero in ("7", "8"):
        with pytest.raises(ActionImpossible, match="ne peut pas être prise"):
            actions.prendre_en_role([facture], numero=numero, **role)
    with pytest.raises(ActionImpossible, match="encaissé par la trésorerie"):
        payer(durand, titre, "30.00")
    article = Article.objects.get()
    actions.marquer_article(article, etat="PAYE", paye=Decimal("30.00"), le=NOVEMBRE, par=agent)
    assert (dit(facture), Ecriture.objects.count()) == ("titre-paye", 2)
    with pytest.raises(ActionImpossible, match="Le titre est de 30,00"):
        actions.marquer_article(article, etat="PAYE", paye=Decimal("31.00"), le=NOVEMBRE, par=agent)


def test_l_avoir_d_un_titre_annule_le_titre_aussi(durand, agent):
    titre = titre_essai()
    facture = facture_essai(durand, titre, "30.00")
    actions.prendre_en_role([facture], regie=titre, numero="7", exercice=2026, le=NOVEMBRE, par=agent)
    actions.creer_avoir(facture, motif="Erreur de tranche", par=agent)
    assert comptes.soldes(durand) == {titre: Decimal("0.00")}
    assert Article.objects.get().etat == Article.Etat.ANNULE


def test_une_ligne_ajoutee_a_la_main_dit_pourquoi_et_se_retire_d_un_brouillon(durand, regie, agent):
    brouillon = facture_essai(durand, regie, "30.00", emise=False)
    ajout = {"libelle": "Sortie à la ferme", "quantite": 2, "prix": Decimal("4.50"), "par": agent}
    with pytest.raises(ActionImpossible, match="dit pourquoi"):
        actions.ajouter_ligne(brouillon, motif=" ", **ajout)
    ligne = actions.ajouter_ligne(brouillon, motif="Sortie du 8 octobre", **ajout)
    assert Facture.objects.get(pk=brouillon.pk).total == 39
    actions.retirer_ligne(ligne, par=agent)
    assert Facture.objects.get(pk=brouillon.pk).total == 30
    emise = facture_essai(durand, regie, "30.00", mois=date(2026, 11, 1))
    with pytest.raises(ActionImpossible, match="ne change plus"):
        actions.ajouter_ligne(emise, motif="Oubli", **ajout)


def test_les_cheques_remis_ont_un_bordereau_numerote_et_un_seul(durand, regie, agent):
    cheques = [payer(durand, regie, "10.00"), payer(durand, regie, "20.00")]
    remise = actions.remettre(cheques, regie=regie, le=NOVEMBRE, par=agent)
    assert (remise.numero, remise.reglements.count()) == (1, 2)
    for refuses in (cheques, [payer(durand, regie, "5.00", moyen="ESPECES")], []):
        with pytest.raises(ActionImpossible):
            actions.remettre(refuses, regie=regie, le=NOVEMBRE, par=agent)


def test_le_releve_d_une_annee_scolaire_part_de_l_ancien_solde(durand, regie):
    facture_essai(durand, regie, "12.00", mois=date(2026, 7, 1), emise_le=date(2026, 8, 31))
    facture = facture_essai(durand, regie, "30.00", emise_le=date(2026, 9, 1))
    payer(durand, regie, "15.00")
    releve = comptes.releve(durand, 2026)
    assert (releve.ancien_solde, releve.debit, releve.credit, releve.solde) == (12, 30, 15, 27)
    assert [(ligne.regle, ligne.debit, ligne.credit, ligne.solde) for ligne in releve.lignes] == [
        ("en partie", 30, 0, 42),
        ("", 0, 15, 27),
    ]
    assert releve.lignes[0].facture == facture
    assert [comptes.releve(durand, annee).solde for annee in (2025, 2026, 2027)] == [12, 27, 27]


@pytest.mark.parametrize(
    "geste",
    [
        lambda f: Facture.objects.filter(pk=f.pk).update(total=1),
        lambda f: Facture.objects.filter(pk=f.pk).delete(),
        lambda f: f.lignes.update(libelle="Autre"),
        lambda f: f.lignes.all().delete(),
        lambda f: LigneFacture.objects.create(facture=f, rang=9, genre="PRESTATION", quantite=1, prix=1, montant=1),
        lambda f: f.ecritures.update(debit=1),
        lambda f: f.ecritures.all().delete(),
        lambda f: Imputation.objects.update(montant=1),
        lambda f: Reglement.objects.update(montant=1),
        lambda f: Reglement.objects.all().delete(),
    ],
)
def test_rien_de_ce_qui_est_emis_ou_ecrit_ne_change(durand, regie, geste):
    facture = facture_essai(durand, regie, "30.00")
    payer(durand, regie, "10.00")
    avant = [list(m.objects.order_by("pk").values()) for m in (Facture, LigneFacture, Ecriture, Imputation, Reglement)]
    with pytest.raises(Exception) as levee, transaction.atomic():
        geste(facture)
    assert isinstance(levee.value, InternalError) or "protected" in str(levee.value)
    assert avant == [
        list(m.objects.order_by("pk").values()) for m in (Facture, LigneFacture, Ecriture, Imputation, Reglement)
    ]


def test_ce_qui_est_rembourse_ne_paie_plus_rien(durand, regie, agent):
    reglement = payer(durand, regie, "50")
    actions.rembourser(durand, regie=regie, montant=Decimal(30), le=NOVEMBRE, motif="trop-perçu", par=agent)
    facture = facture_essai(durand, regie, "50.00")
    with pytest.raises(ActionImpossible, match="Il ne reste que 20,00"):
        actions.imputer(reglement, [(facture, Decimal(50))], par=agent)
    actions.imputer(reglement, [(facture, Decimal(20))], par=agent)
    assert (restes(facture), comptes.soldes(durand)) == ([30], {regie: 30})


def test_une_facture_payee_a_la_commune_n_entre_dans_aucun_role(durand, regie, agent):
    facture = facture_essai(durand, regie, "50.00")
    payer(durand, regie, "20")
    regie.regime = "TITRE"
    regie.save()
    with pytest.raises(ActionImpossible, match="ne peut pas être prise"):
        actions.prendre_en_role([facture], regie=regie, numero="1", exercice=2026, le=NOVEMBRE, par=agent)
    assert comptes.soldes(durand) == {regie: 30}


def test_une_ligne_sur_un_brouillon_disparu_ou_trop_grande_se_refuse_en_clair(durand, regie, agent):
    ligne = {"libelle": "Sortie", "quantite": 1000, "prix": Decimal(99_999), "motif": "essai", "par": agent}
    brouillon = facture_essai(durand, regie, "10.00", emise=False)
    actions.ajouter_ligne(brouillon, **ligne)
    with pytest.raises(ActionImpossible, match="trop grand"):
        actions.ajouter_ligne(brouillon, **ligne)
    Facture.objects.get(pk=brouillon.pk).delete()
    with pytest.raises(ActionImpossible, match="n'existe plus"):
        actions.ajouter_ligne(brouillon, **ligne)
