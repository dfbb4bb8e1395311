"""Tax certificates: who counts, what was paid, and the paper that says so (art. 200 quater B of the CGI)."""

from datetime import date
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.db import InternalError, connection, transaction
from django.utils import timezone

from enfants.models import Enfant, Rattachement, Service, SuspensionAcces
from facturation.actions import (
    annuler_reglement,
    creer_avoir,
    encaisser,
    imputer,
    marquer_article,
    prendre_en_role,
)
from facturation.attestations import RienAAttester, attester, gardes
from facturation.models import Article, AttestationFiscale, Facture, Reglement, VersementTitre
from facturation.regles.fiscal import FacturePayee, Ligne, est_concerne, par_annee, versements
from familles.models import Responsable
from tests.facturation.essai import regie_essai, titre_essai
from tests.facturation.papiers_essai import facturer, ligne

D = Decimal
LEA, TOM = ("Léa", "soir"), ("Tom", "soir")


# --- The rule --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("naissance", "oui"),
    [
        (date(2020, 1, 2), True),  # five years and 364 days on 1 January
        (date(2020, 1, 1), False),  # six that day
        (date(2026, 6, 1), True),  # born within the year
        (date(2019, 12, 31), False),
        (None, False),
    ],
)
def test_moins_de_six_ans_au_premier_janvier(naissance, oui):
    assert est_concerne(naissance, 2026) is oui


def payee(lignes, avant, pendant):
    return FacturePayee(tuple(Ligne(cle, D(m), D(p)) for cle, m, p in lignes), D(avant), D(pendant))


@pytest.mark.parametrize(
    ("lignes", "avant", "pendant", "attendu"),
    [
        ([(LEA, "20", 100)], 0, "20", {LEA: "20"}),
        ([(LEA, "20", 100)], 0, 0, {}),
        ([(LEA, "20", 100), (TOM, "10", 100)], 0, "15", {LEA: "10", TOM: "5"}),
        ([(LEA, "20", 100), (None, "20", 0)], 0, "40", {LEA: "20"}),  # a meal, a penalty
        ([(LEA, "20", 100), (None, "20", 0)], 0, "20", {LEA: "10"}),  # half paid
        ([(LEA, "20", 100), (None, "20", 0)], "20", "20", {LEA: "10"}),  # the other half, the year after
        ([(LEA, "20", "33.33")], 0, "20", {LEA: "6.67"}),
        ([(LEA, "20", 100), (LEA, "-8", 0)], 0, "12", {LEA: "12"}),  # an aid, whatever its own part
        ([(LEA, "20", 50), (LEA, "-8", 0)], 0, "12", {LEA: "6"}),
        ([(LEA, "20", 100), (TOM, "10", 100), (TOM, "-14", 0)], 0, "16", {LEA: "16"}),  # an old error put right
        ([(LEA, "30", 100), (None, "30", 0), (None, "-20", 0)], 0, "40", {LEA: "20"}),  # a reduction of all
        ([(LEA, "5", 100), (LEA, "-5", 0)], 0, 0, {}),
        ([(LEA, "0.01", 100), (TOM, "0.01", 100)], 0, "0.01", {LEA: "0.01"}),  # a cent has one owner
    ],
)
def test_ce_qui_est_verse_pour_la_garde(lignes, avant, pendant, attendu):
    assert versements(payee(lignes, avant, pendant)) == {cle: D(somme) for cle, somme in attendu.items()}


def test_des_paiements_sur_trois_ans_refont_la_somme():
    lignes = [(LEA, "17.33", 100), (TOM, "21.11", "66.67"), (None, "3.30", 0), (LEA, "-2.02", 0)]
    total = versements(payee(lignes, 0, "39.72"))
    payes = [("0", "0.37"), ("0.37", "13.01"), ("13.38", "26.34")]
    parts = [versements(payee(lignes, avant, pendant)) for avant, pendant in payes]
    assert {cle: sum(part.get(cle, 0) for part in parts) for cle in total} == total
    assert all(sum(part.values()) <= D(paye) for part, (_, paye) in zip(parts, payes, strict=True))


@pytest.mark.parametrize(
    ("dits", "attendu"),
    [
        ([], {}),
        ([(2026, "30"), (2027, "20")], {2026: "30", 2027: "20"}),
        ([(2026, "50"), (2026, "-30")], {2026: "20"}),
        ([(2026, "50"), (2027, "-30")], {2026: "20"}),  # 20 € in all, told in January
        ([(2026, "50"), (2027, "10"), (2027, "-30")], {2026: "30"}),  # what was told last goes first
        ([(2026, "50"), (2027, "-50"), (2027, "40")], {2027: "40"}),
    ],
)
def test_ce_que_la_tresorerie_a_dit_annee_par_annee(dits, attendu):
    lus = par_annee([(annee, D(montant)) for annee, montant in dits])
    assert lus == {annee: D(montant) for annee, montant in attendu.items()}


# --- The accounts ----------------------------------------------------------------------------------------


@pytest.fixture
def janvier(distribution, horloge):
    """January 2027: 2026 is over. Tom is five, Léa eight."""
    Enfant.objects.filter(prenom="Tom").update(date_naissance=date(2021, 3, 14))
    Enfant.objects.filter(prenom="Léa").update(date_naissance=date(2018, 5, 14))
    return horloge("2027-01-15T09:00")


@pytest.fixture
def tom(janvier):
    return Enfant.objects.get(prenom="Tom")


@pytest.fixture
def adulte(janvier):
    return lambda identifiant: Responsable.objects.select_related("famille").get(utilisateur__identifiant=identifiant)


@pytest.fixture
def regie(janvier):
    return regie_essai()


@pytest.fixture
def services(janvier):
    return {service.code: service for service in Service.objects.all()}


def soirs(enfant, services, montant="40", part=100):
    return ligne("Accueil du soir", montant, enfant=enfant, service=services["accueil-soir"], part_garde=part)


def repas(enfant, services, montant="60"):
    return ligne("Restauration scolaire", montant, enfant=enfant, service=services["restauration"])


def payer(famille, regie, montant, le, **options):
    moyen = Reglement.Moyen.VIREMENT
    return encaisser(famille, regie=regie, moyen=moyen, montant=D(montant), recu_le=le, par=None, **options)


def sommes(adulte):
    return [(garde.annee, garde.enfant.prenom, garde.par_service) for garde in gardes(adulte)]


def test_seul_compte_ce_qui_est_paye_dans_l_annee_pour_la_garde_d_un_petit(
    famille_durand, regie, services, tom, adulte
):
    lea = Enfant.objects.get(prenom="Léa")
    facturer(famille_durand, regie, soirs(tom, services), soirs(lea, services), repas(tom, services, "20"))
    payer(famille_durand, regie, "50", date(2026, 12, 31))
    payer(famille_durand, regie, "50", date(2027, 1, 1))
    annees = sommes(adulte("durand"))
    assert annees == [(2027, "Tom", {"Accueil du soir": D(20)}), (2026, "Tom", {"Accueil du soir": D(20)})]
    assert sommes(adulte("durand2")) == annees


def test_un_reglement_annule_ou_un_avoir_ne_comptent_pas(famille_durand, regie, services, tom, adulte, comptes):
    facture = facturer(famille_durand, regie, soirs(tom, services))
    reglement = payer(famille_durand, regie, "40", date(2026, 11, 5))
    annuler_reglement(reglement, motif="rejeté", par=comptes["comptable"], le=date(2027, 1, 10))
    assert sommes(adulte("durand")) == []
    garde = payer(famille_durand, regie, "40", date(2026, 12, 5))
    creer_avoir(facture, motif="erreur", par=comptes["comptable"])
    assert sommes(adulte("durand")) == []
    neuve = facturer(famille_durand, regie, soirs(tom, services, "30"), mois=date(2026, 9, 1))
    imputer(garde, [(neuve, D(30))], par=comptes["comptable"])
    assert sommes(adulte("durand")) == [(2026, "Tom", {"Accueil du soir": D(30)})]


def test_un_petit_mois_reporte_compte_avec_la_facture_qui_le_demande(famille_durand, regie, services, tom, adulte):
    petite = facturer(famille_durand, regie, soirs(tom, services, "8"), mois=date(2026, 9, 1), emise=False)
    facture = facturer(
        famille_durand,
        regie,
        ligne("Report de septembre", "8", genre="REPORT"),
        ligne("Report sans détail", "4", genre="REPORT"),
        repas(tom, services, "8"),
    )
    Facture.objects.filter(pk=petite.pk).update(reporte_le=date(2026, 10, 1), reporte_sur=facture)
    payer(famille_durand, regie, "20", date(2026, 11, 5))
    assert sommes(adulte("durand")) == [(2026, "Tom", {"Accueil du soir": D(8)})]


@pytest.mark.parametrize(
    ("etat", "paye", "attendu"),
    [
        (Article.Etat.PAYE, "100", [(2026, "Tom", {"Accueil du soir": D(40)})]),
        (Article.Etat.A_PAYER, "50", [(2026, "Tom", {"Accueil du soir": D(20)})]),
        (Article.Etat.ANNONCE, "100", []),  # PayFiP says so, the trésorerie not yet
        (Article.Etat.ANNULE, "100", []),
        (Article.Etat.A_PAYER, "0", []),
    ],
)
def test_un_titre_compte_quand_la_tresorerie_l_a_dit(
    etat, paye, attendu, famille_durand, services, tom, adulte, comptes
):
    titre, par = titre_essai(), comptes["comptable"]
    facture = facturer(famille_durand, titre, soirs(tom, services), repas(tom, services))
    prendre_en_role([facture], regie=titre, numero="12", exercice=2026, le=date(2026, 11, 10), par=par)
    marquer_article(facture.article, etat=etat, paye=D(paye), le=date(2026, 12, 20), par=par)
    assert sommes(adulte("durand")) == attendu


@pytest.fixture
def titre_de_tom(famille_durand, services, tom, comptes):
    """A titre of 100 €, of which 40 € are care; ``dire(paye, le)`` notes what the trésorerie says."""
    titre, par = titre_essai(), comptes["comptable"]
    facture = facturer(famille_durand, titre, soirs(tom, services), repas(tom, services))
    prendre_en_role([facture], regie=titre, numero="12", exercice=2026, le=date(2026, 11, 10), par=par)
    return lambda paye, le, etat=Article.Etat.A_PAYER: marquer_article(
        facture.article, etat=etat, paye=D(paye), le=le, par=par
    )


def test_un_titre_paye_sur_deux_ans_compte_pour_chaque_annee_ce_qui_y_fut_paye(titre_de_tom, adulte):
    titre_de_tom("30", date(2026, 12, 20))
    titre_de_tom("30", date(2026, 12, 29))
    titre_de_tom("80", date(2027, 1, 10))
    assert list(VersementTitre.objects.values_list("montant", "dit_le")) == [
        (30, date(2026, 12, 20)),
        (50, date(2027, 1, 10)),
    ]
    assert sommes(adulte("durand")) == [
        (2027, "Tom", {"Accueil du soir": D(20)}),
        (2026, "Tom", {"Accueil du soir": D(12)}),
    ]


def test_un_paiement_seulement_annonce_laisse_ce_que_la_tresorerie_avait_dit(titre_de_tom, adulte):
    titre_de_tom("50", date(2026, 12, 20))
    Article.objects.update(etat=Article.Etat.ANNONCE)  # PayFiP tells of the rest
    assert sommes(adulte("durand")) == [(2026, "Tom", {"Accueil du soir": D(20)})]
    titre_de_tom("20", date(2027, 1, 10))  # it was wrong
    assert sommes(adulte("durand")) == [(2026, "Tom", {"Accueil du soir": D(8)})]


def test_ce_que_la_tresorerie_a_dit_ne_se_reecrit_pas(titre_de_tom):
    titre_de_tom("50", date(2026, 12, 20))
    for ecrire in (lambda: VersementTitre.objects.update(montant=1), VersementTitre.objects.all().delete):
        with pytest.raises(InternalError, match="versementtitre"), transaction.atomic():
            ecrire()


@pytest.mark.django_db(transaction=True)
def test_les_titres_d_avant_gardent_ce_qui_en_fut_dit(titre_de_tom):
    titre_de_tom("50", date(2026, 12, 20))
    call_command("migrate", "facturation", "0003", verbosity=0)
    try:
        assert "facturation_versementtitre" not in connection.introspection.table_names()
    finally:
        call_command("migrate", "facturation", verbosity=0)
    assert list(VersementTitre.objects.values_list("montant", "dit_le")) == [(50, date(2026, 12, 20))]


def test_chaque_foyer_d_une_garde_alternee_a_les_siens(familles_de, regie, services, adulte, janvier):
    ines = Enfant.objects.get(prenom="Inès")
    Enfant.objects.filter(pk=ines.pk).update(date_naissance=date(2022, 6, 2))
    for identifiant, montant in [("benali", "40"), ("rossi", "30")]:
        facturer(familles_de(identifiant), regie, soirs(ines, services, montant))
        payer(familles_de(identifiant), regie, montant, date(2026, 11, 5))
    assert sommes(adulte("benali")) == [(2026, "Inès", {"Accueil du soir": D(40)})]
    assert sommes(adulte("rossi")) == [(2026, "Inès", {"Accueil du soir": D(30)})]


def test_un_acces_suspendu_ne_montre_rien_et_un_enfant_parti_compte_encore(
    famille_durand, regie, services, tom, adulte
):
    facturer(famille_durand, regie, soirs(tom, services))
    payer(famille_durand, regie, "40", date(2026, 11, 5))
    Rattachement.objects.filter(enfant=tom).update(valable_du=date(2025, 9, 1), valable_au=date(2026, 12, 1))
    SuspensionAcces.objects.create(enfant=tom, adulte=adulte("durand2"), motif="Jugement", valable_du=date(2026, 12, 1))
    assert sommes(adulte("durand")) == [(2026, "Tom", {"Accueil du soir": D(40)})]
    assert sommes(adulte("durand2")) == []


# --- The paper -------------------------------------------------------------------------------------------


def test_l_attestation_redit_ce_qu_elle_a_dit_et_la_mairie_la_retrouve(
    famille_durand, regie, services, tom, connecter, adulte, monkeypatch
):
    facturer(famille_durand, regie, soirs(tom, services))
    payer(famille_durand, regie, "30", date(2026, 11, 5))
    durand, ecrits = connecter("durand"), []
    monkeypatch.setattr("portail.outils.pdf.rendre", lambda modele, contexte: ecrits.append(contexte) or b"%PDF-")
    page = durand.get("/releve/attestations/").content.decode()
    assert "30,00\u00a0€" in page
    demande = f"/releve/attestations/2026/{tom.uuid}/"
    assert demande in page
    adresse = durand.post(demande)["Location"]
    assert connecter("durand2").post(demande)["Location"] == adresse  # the same paper as long as it says the same
    assert durand.get(adresse).status_code == 200
    attestation = AttestationFiscale.objects.get()
    assert adresse == f"/releve/attestations/{attestation.code}.pdf"
    dit = [ecrits[-1][mot] for mot in ("annee", "montant", "naissance")]
    assert (attestation.montant, dit) == (D(30), ["2026", "30,00\u00a0€", "14 mars 2021"])
    payer(famille_durand, regie, "10", date(2026, 12, 5))
    assert durand.post(demande)["Location"] != adresse
    durand.get(adresse)
    assert ecrits[-1]["montant"] == "30,00\u00a0€"
    liste = connecter("comptable").get(f"/admin/facturation/attestationfiscale/?q={attestation.code.lower()}")
    assert [ligne.pk for ligne in liste.context["cl"].result_list] == [attestation.pk]
    assert connecter("martin").get(adresse).status_code == 404
    assert connecter("durand2").get(adresse).status_code == 200
    SuspensionAcces.objects.create(enfant=tom, adulte=Responsable.objects.get(utilisateur__identifiant="durand2"))
    assert connecter("durand2").get(adresse).status_code == 404


def test_une_annee_en_cours_ou_sans_versement_ne_s_atteste_pas(famille_durand, regie, services, tom, adulte, connecter):
    facturer(famille_durand, regie, soirs(tom, services))
    payer(famille_durand, regie, "40", date(2027, 1, 5))
    for annee in (2027, 2026, 0, 99999):
        with pytest.raises(RienAAttester):
            attester(adulte("durand"), tom.uuid, annee, par=adulte("durand").utilisateur)
        assert connecter("durand").post(f"/releve/attestations/{annee}/{tom.uuid}/").status_code == 404
    page = connecter("durand").get("/releve/attestations/").content.decode()
    assert "L'attestation sera prête en janvier 2028." in page
    assert f"/{tom.uuid}/" not in page


def test_la_page_garde_les_icones_du_releve_a_gauche(connecter):
    rail = connecter("durand").get("/releve/attestations/").context["rail"]
    assert [(icone.libelle, icone.actif) for icone in rail] == [
        ("Mes factures", False),
        ("Mes règlements", False),
        ("Attestations fiscales", True),
    ]


def test_sans_rien_a_attester_la_page_le_dit(connecter):
    assert "n'ouvre droit à une attestation" in connecter("martin").get("/releve/attestations/").content.decode()


def test_la_page_ne_coute_pas_plus_avec_trois_factures(
    famille_durand, regie, services, tom, connecter, django_assert_max_num_queries
):
    durand = connecter("durand")
    for mois in (8, 9, 10):
        facturer(famille_durand, regie, soirs(tom, services), mois=date(2026, mois, 1))
        payer(famille_durand, regie, "40", date(2026, mois, 28))
        durand.get("/releve/attestations/")
        with django_assert_max_num_queries(11):
            durand.get("/releve/attestations/")
    assert timezone.localdate() == date(2027, 1, 15)
