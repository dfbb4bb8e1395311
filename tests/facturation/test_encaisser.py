"""Agents enter payments, one by one or by a pile of cheques; they allocate, cancel, give back."""

from datetime import date
from decimal import Decimal
from html import unescape
from uuid import uuid4

import pytest

from facturation.actions import encaisser
from facturation.models import Ecriture, Facture, LigneFacture, Reglement, Remise
from familles.models import Utilisateur
from tests.demandes.test_concurrence import Course
from tests.facturation.essai import facture_essai, regie_essai, titre_essai
from tests.test_requetes import requetes

pytestmark = pytest.mark.django_db


def texte(reponse):
    return unescape(reponse.content.decode())


@pytest.fixture
def regie(distribution, horloge):
    horloge("2026-11-23T10:00")
    return regie_essai(moyens_acceptes=["CHEQUE", "ESPECES"])


@pytest.fixture
def factures(famille_durand, regie):
    """September, 30 €, then October, 40 €."""
    premiere = facture_essai(famille_durand, regie, "30.00", mois=date(2026, 9, 1), emise_le=date(2026, 10, 1))
    return [premiere, facture_essai(famille_durand, regie, "40.00")]


@pytest.fixture
def comptable(connecter, regie):
    return connecter("comptable")


@pytest.fixture
def page(famille_durand):
    return f"/admin/reglements/nouveau/?famille={famille_durand.pk}"


@pytest.fixture
def saisie(regie):
    return {"regie": regie.pk, "moyen": "CHEQUE", "montant": "50,00", "recu_le": "2026-11-20", "reference": "0012345"}


def restes():
    return [f.reste for f in Facture.objects.avec_reste().order_by("exercice", "numero")]


# --- One payment -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cherche", ["durand", "claire DURAND", "2026-000001", "1", "202600000001"])
def test_la_famille_se_trouve_par_son_nom_ou_par_une_facture(cherche, comptable, factures, famille_durand):
    reponse = comptable.get("/admin/reglements/nouveau/", {"q": cherche})
    assert [adresse for adresse, _, _ in reponse.context["trouvees"]] == [f"?famille={famille_durand.pk}"]


def test_un_reglement_paie_d_abord_la_plus_ancienne_et_la_page_le_dit_avant(comptable, page, saisie, factures):
    apercu = comptable.post(page, saisie | {"apercu": "1"})
    assert (apercu.status_code, Reglement.objects.count()) == (200, 0)
    assert apercu.context["apercu"] == [
        "30,00\u00a0€ sur la facture 2026-000001",
        "20,00\u00a0€ sur la facture 2026-000002",
    ]
    reponse = comptable.post(page, saisie, follow=True)
    assert "50,00\u00a0€ encaissés\u00a0: facture 2026-000001 (30,00\u00a0€) et facture 2026-000002" in texte(reponse)
    assert restes() == [0, 20]


def test_un_reglement_paie_ce_que_l_agent_choisit(comptable, page, saisie, factures):
    comptable.post(page, saisie | {f"part-{factures[1].pk}": "40"})
    assert restes() == [30, 0]


@pytest.mark.parametrize(
    ("change", "phrase"),
    [
        ({"montant": "0"}, "plus grand que zéro"),
        ({"montant": "1,005"}, "Deux chiffres après la virgule"),
        ({"montant": "quarante"}, "Écrivez un montant"),
        ({"montant": "NaN"}, "Écrivez un montant"),
        ({"moyen": "CARTE"}, "n'accepte pas ce moyen"),
        ({"moyen": "PRELEVEMENT"}, "Choisissez le moyen"),
        ({"recu_le": "2026-11-24"}, "à venir"),
        ({"part": "41"}, "Il ne reste que 40,00\u00a0€"),
        ({"part": "50,01"}, "dépassent ce qui reste"),
        ({"part-999999": "5"}, "vient d'être payée"),
        ({"regie": "titre"}, "Choisissez la régie"),
    ],
)
def test_un_reglement_refuse_n_ecrit_rien_et_garde_ce_qui_etait_tape(change, phrase, comptable, page, saisie, factures):
    if "part" in change:
        change = {f"part-{factures[1].pk}": change["part"]}
    if change.get("regie") == "titre":
        change = {"regie": titre_essai().pk}
    reponse = comptable.post(page, saisie | change)
    assert (reponse.status_code, Reglement.objects.count()) == (422, 0)
    assert phrase in texte(reponse)
    assert 'value="0012345"' in texte(reponse)


def test_le_double_clic_encaisse_une_fois(comptable, page, saisie, factures):
    saisie |= {"cle": str(uuid4()), f"part-{factures[0].pk}": "30"}
    reponses = [comptable.post(page, saisie) for _ in range(2)]
    assert reponses[0]["Location"] == reponses[1]["Location"]
    assert (Reglement.objects.count(), restes()) == (1, [0, 40])


@pytest.mark.django_db(transaction=True)
def test_deux_guichets_qui_paient_la_meme_facture_ne_la_paient_pas_deux_fois(famille_durand, regie):
    """The slower one reads what is left; a lock off, both would pay it."""
    faits = []

    def preparer():
        faits.append(facture_essai(famille_durand, regie, "30.00", mois=date(2020, 1 + len(faits), 1)))

    def payer():
        parts = [(faits[-1], Decimal(30))]
        encaisser(
            famille_durand,
            regie=regie,
            moyen="CHEQUE",
            montant=Decimal(30),
            recu_le=date(2026, 11, 20),
            par=None,
            parts=parts,
        )

    for resultats in Course(payer, payer).tours(10, preparer):
        assert sorted(str(r) for r in resultats) == [
            "Il ne reste que 0,00\u00a0€ à payer sur une de ces factures.",
            "gagne",
        ]
    assert Reglement.objects.count() == 10


# --- The account -------------------------------------------------------------------------------------------


def test_le_compte_dit_ce_qui_est_du_ce_qui_est_paye_et_par_quoi(comptable, page, saisie, factures, famille_durand):
    comptable.post(page, saisie)
    reponse = comptable.get(f"/admin/comptes/{famille_durand.pk}/")
    assert [(str(r), dit) for r, dit, _ in reponse.context["soldes"]] == [("Accueil de loisirs", "doit 20,00\u00a0€")]
    assert [(f.numero, etat.code) for f, etat, *_ in reponse.context["factures"]] == [(2, "en-partie"), (1, "payee")]
    (paie,) = reponse.context["reglements"]
    assert (paie["payees"], paie["reste"]) == ("2026-000001\u00a0: 30,00\u00a0€, 2026-000002\u00a0: 20,00\u00a0€", "")
    assert [ligne[2] for ligne in reponse.context["releve"]["lignes"]] == [
        "Facture 2026-000001",
        "Facture 2026-000002",
        "Règlement\u00a0: chèque",
    ]


def test_le_compte_ne_mene_qu_aux_annees_ou_il_s_est_passe_quelque_chose(comptable, factures, famille_durand, regie):
    facture_essai(famille_durand, regie, "12.00", mois=date(2023, 9, 1), emise_le=date(2023, 10, 1))
    adresse = f"/admin/comptes/{famille_durand.pk}/"
    proposees = {annee: comptable.get(f"{adresse}?annee={annee}").context["annees"] for annee in ("", 2023, 2035)}
    assert proposees == {
        "": [(2023, "2023-2024")],
        2023: [(2026, "2026-2027")],
        2035: [(2026, "2026-2027"), (2023, "2023-2024")],
    }


def test_le_compte_ne_coute_pas_plus_avec_trois_reglements(comptable, page, saisie, factures, famille_durand):
    couts = []
    for _ in range(3):
        comptable.post(page, saisie | {"montant": "10"})
        couts.append(len(requetes(comptable, f"/admin/comptes/{famille_durand.pk}/")))
    assert couts[0] == couts[2]


def test_un_reglement_s_annule_par_une_ecriture_contraire_avec_sa_raison(comptable, page, saisie, factures):
    comptable.post(page, saisie)
    annuler = f"/admin/reglements/{Reglement.objects.get().pk}/annuler/"
    assert comptable.post(annuler, {"motif": " "}).status_code == 422
    assert restes() == [0, 20]
    comptable.post(annuler, {"motif": "chèque sans provision"})
    assert (restes(), Reglement.objects.count()) == ([30, 40], 1)
    encore = comptable.post(annuler, {"motif": "encore"})
    assert (encore.status_code, "déjà annulé" in texte(encore)) == (422, True)
    assert Ecriture.objects.filter(nature="ANNULATION").count() == 1


def test_ce_qui_est_d_avance_s_impute_a_la_main_ou_se_rembourse(comptable, page, saisie, famille_durand, regie):
    comptable.post(page, saisie)  # nothing is due yet
    facture = facture_essai(famille_durand, regie, "40.00")
    imputer = f"/admin/reglements/{Reglement.objects.get().pk}/imputer/"
    assert comptable.post(imputer, {}).status_code == 422
    comptable.post(imputer, {f"part-{facture.pk}": "15"})
    assert restes() == [25]
    rembourser = f"/admin/comptes/{famille_durand.pk}/rembourser/"
    rendre = {"regie": regie.pk, "montant": "10,01", "le": "2026-11-23", "motif": "départ"}
    trop = comptable.post(rembourser, rendre)
    assert (trop.status_code, "Le compte a 10,00\u00a0€ à rembourser" in texte(trop)) == (422, True)
    comptable.post(rembourser, rendre | {"montant": "10"})
    assert Ecriture.objects.get(nature="REMBOURSEMENT").debit == 10


def test_une_facture_s_annule_par_un_avoir_depuis_sa_page(comptable, factures):
    facture = factures[0]
    page = comptable.get(f"/admin/facturation/facture/{facture.pk}/change/")
    assert f"/admin/factures/{facture.pk}/avoir/" in texte(page)
    comptable.post(f"/admin/factures/{facture.pk}/avoir/", {"motif": "Repas comptés deux fois"})
    assert Facture.objects.get(avoir_de=facture).total == -30
    page = texte(comptable.get(f"/admin/facturation/facture/{facture.pk}/change/"))
    assert ("Annulée par un avoir" in page, f"/admin/factures/{facture.pk}/avoir/" in page) == (True, False)


def test_un_brouillon_recoit_une_ligne_motivee_et_la_perd(comptable, famille_durand, regie):
    brouillon = facture_essai(famille_durand, regie, "30.00", emise=False)
    page = f"/admin/factures/{brouillon.pk}/lignes/"
    ligne = {"libelle": "Sortie à la ferme", "quantite": "2", "prix": "-4,50", "motif": "Annulée"}
    assert comptable.post(page, ligne | {"motif": ""}).status_code == 422
    comptable.post(page, ligne)
    assert Facture.objects.get().total == 21
    calculee, ajoutee = LigneFacture.objects.order_by("rang")
    comptable.post(page, {"retirer": calculee.pk})
    assert LigneFacture.objects.count() == 2, "une ligne calculée ne se retire pas"
    comptable.post(page, {"retirer": ajoutee.pk})
    assert Facture.objects.get().total == 30


def test_une_ligne_ne_se_pose_pas_sur_l_enfant_d_un_autre_foyer(comptable, famille_durand, famille_martin, regie):
    brouillon = facture_essai(famille_durand, regie, "30.00", emise=False)
    zoe = famille_martin.rattachements.get().enfant_id
    ligne = {"libelle": "Sortie", "quantite": "1", "prix": "4", "motif": "m", "enfant": zoe}
    assert comptable.post(f"/admin/factures/{brouillon.pk}/lignes/", ligne).status_code == 422


# --- A pile of cheques -------------------------------------------------------------------------------------


def pile(regie, *cheques, **autres):
    champs = {"cheques-TOTAL_FORMS": "15", "cheques-INITIAL_FORMS": "0", "regie": regie.pk, "recu_le": "2026-11-20"}
    for rang, (qui, montant, numero) in enumerate(cheques):
        champs |= {
            f"cheques-{rang}-qui": qui,
            f"cheques-{rang}-montant": montant,
            f"cheques-{rang}-reference": numero,
        }
    return champs | autres


def test_une_pile_de_cheques_se_verifie_s_enregistre_une_fois_et_part_avec_son_bordereau(
    comptable, factures, famille_martin, regie
):
    facture_essai(famille_martin, regie, "12.00")
    envoi = pile(regie, ("2026-000002", "25,00", "111"), ("martin", "12", "222"), cle=str(uuid4()))
    verifies = comptable.post("/admin/cheques/", envoi | {"action": "verifier"})
    assert verifies.context["verifies"] == [
        ("Famille Durand", "25,00\u00a0€", "111", "2026-000002\u00a0: 25,00\u00a0€"),
        ("Famille Martin", "12,00\u00a0€", "222", "2026-000003\u00a0: 12,00\u00a0€"),
    ]
    assert Reglement.objects.count() == 0
    for _ in range(2):
        suite = comptable.post("/admin/cheques/", envoi | {"action": "enregistrer"})
    assert (restes(), Reglement.objects.count()) == ([30, 15, 0], 2)
    attendent = comptable.get(suite["Location"]).context["cheques"]
    cochees = {"cheque": [cheque.pk for cheque, _ in attendent], "le": "2026-11-24"}
    bordereau = comptable.post(suite["Location"], cochees, follow=True)
    assert (bordereau.context["nombre"], bordereau.context["total"]) == ("2 chèques", "37,00\u00a0€")
    assert comptable.post(suite["Location"], cochees).status_code == 422
    assert Remise.objects.count() == 1


@pytest.mark.parametrize(
    ("qui", "phrase"),
    [
        ("inconnue", "Aucune famille ni facture"),
        ("2026-000099", "Aucune famille ni facture"),
        ("a", "Plusieurs familles"),
    ],
)
def test_un_cheque_qu_on_ne_sait_a_qui_attribuer_arrete_la_pile(qui, phrase, comptable, factures, regie):
    envoi = pile(regie, ("durand", "10", "1"), (qui, "10", "2"), action="enregistrer")
    reponse = comptable.post("/admin/cheques/", envoi)
    assert (reponse.status_code, Reglement.objects.count()) == (422, 0)
    assert (phrase in texte(reponse), 'value="durand"' in texte(reponse)) == (True, True)


def test_une_pile_vide_le_dit(comptable, regie):
    reponse = comptable.post("/admin/cheques/", pile(regie, action="verifier"))
    assert (reponse.status_code, "Écrivez au moins un chèque" in texte(reponse)) == (422, True)


# --- Two clicks --------------------------------------------------------------------------------------------


def test_le_double_clic_rembourse_une_fois(comptable, famille_durand, regie):
    encaisser(famille_durand, regie=regie, moyen="CHEQUE", montant=Decimal(100), recu_le=date(2026, 11, 20), par=None)
    adresse = f"/admin/comptes/{famille_durand.pk}/rembourser/"
    vu = comptable.get(adresse).context["form"]["vu"].value()
    saisie = {"regie": regie.pk, "montant": "40", "le": "2026-11-22", "motif": "trop-perçu", "vu": vu}
    reponses = [comptable.post(adresse, saisie) for _ in range(2)]
    assert [reponse.status_code for reponse in reponses] == [302, 422]
    assert "Ce compte a changé" in texte(reponses[1])
    assert list(Ecriture.objects.filter(nature="REMBOURSEMENT").values_list("debit", flat=True)) == [40]


def test_le_double_clic_ajoute_une_ligne(comptable, famille_durand, regie):
    brouillon = facture_essai(famille_durand, regie, "10.00", emise=False)
    adresse = f"/admin/factures/{brouillon.pk}/lignes/"
    vues = comptable.get(adresse).context["form"]["vues"].value()
    for _ in range(2):
        saisie = {"libelle": "Sortie", "quantite": "1", "prix": "4", "motif": "sortie", "vues": vues}
        reponse = comptable.post(adresse, saisie, follow=True)
    assert "Les lignes ont changé" in texte(reponse)
    assert Facture.objects.get(pk=brouillon.pk).total == 14


def test_des_cheques_corriges_apres_l_enregistrement_ne_se_disent_pas_enregistres(comptable, regie, famille_durand):
    saisie = {"regie": regie.pk, "recu_le": "2026-11-20", "cle": str(uuid4()), "action": "enregistrer"}
    saisie |= {"cheques-TOTAL_FORMS": "1", "cheques-INITIAL_FORMS": "0", "cheques-0-qui": "claire DURAND"}
    reponses = [comptable.post("/admin/cheques/", saisie | {"cheques-0-montant": m}) for m in ("40", "40", "99")]
    assert [reponse.status_code for reponse in reponses] == [302, 302, 422]
    assert "a déjà enregistré un autre règlement" in texte(reponses[2])
    assert list(Reglement.objects.values_list("montant", flat=True)) == [40]


def test_la_fiche_d_un_reglement_mene_a_son_recu_et_a_son_annulation(comptable, page, saisie, factures):
    comptable.post(page, saisie)
    reglement = Reglement.objects.get()
    fiche = f"/admin/facturation/reglement/{reglement.pk}/change/"
    gestes = (f"/releve/reglements/{reglement.uuid}/recu.pdf", f"/admin/reglements/{reglement.pk}/annuler/")
    assert [geste in comptable.get(fiche).text for geste in gestes] == [True, True]
    comptable.post(gestes[1], {"motif": "Chèque impayé"})
    assert [geste in comptable.get(fiche).text for geste in gestes] == [False, False]


def test_une_quantite_nulle_se_dit_en_francais_simple(comptable, famille_durand, regie):
    brouillon = facture_essai(famille_durand, regie, "10.00", emise=False)
    ligne = {"libelle": "Sortie", "quantite": "0", "prix": "4", "motif": "sortie"}
    reponse = comptable.post(f"/admin/factures/{brouillon.pk}/lignes/", ligne)
    assert reponse.context["form"].errors["quantite"] == ["Écrivez un nombre entier, de 1 à 1000."]


def test_les_bordereaux_ecrivent_regie_avec_son_accent(comptable, regie):
    le_comptable = Utilisateur.objects.get(identifiant="comptable")
    remise = Remise.objects.create(regie=regie, numero=1, le=date(2026, 11, 23), par=le_comptable)
    pages = [f"/admin/facturation/remise/{suite}" for suite in ("", f"{remise.pk}/change/")]
    assert ["Regie" in texte(comptable.get(page)) for page in pages] == [False, False]
