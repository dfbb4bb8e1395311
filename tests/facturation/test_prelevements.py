"""SEPA direct debits: mandates, what an invoice announces, the file for the bank, what it gives back."""

import xml.etree.ElementTree as ET
from datetime import UTC, date, datetime
from decimal import Decimal
from html import unescape

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from facturation import actions, prelevements
from facturation.actions import ActionImpossible
from facturation.fichier_sepa import nom_du_fichier
from facturation.models import Ecriture, Facture, LotPrelevement, Mandat, Prelevement, Reglement
from facturation.regles.sepa import derniers_jours, est_ics
from familles.models import CoordonneesBancaires, Utilisateur
from messagerie.models import Message
from portail.commune import Commune
from tests.facturation.essai import facture_essai, regie_essai

IBAN, ICS = "FR7630006000011234567890189", "FR72ZZZ123456"
ECHEANCE = date(2026, 12, 2)  # of the invoices of 2 November


# --- Rules -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("texte", "attendu"),
    [
        (ICS, True),
        ("FR72ABC123456", True),  # the letters of the activity do not count
        ("DE98ZZZ09999999999", True),
        ("FR73ZZZ123456", False),
        ("FR72ZZZ123457", False),
        ("FR72 ZZZ123456", False),
        ("FRZZZZZ123456", False),
        ("", False),
    ],
)
def test_la_cle_d_un_identifiant_creancier(texte, attendu):
    assert est_ics(texte) is attendu


@pytest.mark.parametrize(
    ("signe", "dernier", "attendu"),
    [
        (date(2024, 1, 15), None, date(2027, 1, 15)),
        (date(2020, 1, 15), date(2024, 6, 30), date(2027, 6, 30)),
        (date(2024, 2, 29), None, date(2027, 2, 28)),
        (date(2023, 12, 31), None, date(2026, 12, 31)),
    ],
)
def test_un_mandat_vit_36_mois_apres_son_dernier_prelevement(signe, dernier, attendu):
    assert derniers_jours(signe, dernier) == attendu


# --- The world ---------------------------------------------------------------------------------------------


@pytest.fixture
def agent(distribution):
    return Utilisateur.objects.get(identifiant="comptable")


@pytest.fixture
def regie(distribution, horloge):
    horloge("2026-11-23T10:00")
    return regie_essai(ics=ICS, iban="FR1420041010050500013M02606", titulaire="Régie de Saint-Martin-d'Auxigny")


@pytest.fixture
def mandat(regie, famille_durand, agent):
    compte = {"titulaire": "Mme Claire Durànd & Łucja Œhl", "iban": IBAN, "bic": ""}
    CoordonneesBancaires.objects.update_or_create(famille=famille_durand, defaults=compte)
    return prelevements.creer_mandat(famille_durand, regie=regie, signe_le=date(2026, 9, 1), par=agent)


@pytest.fixture
def factures(mandat, famille_durand, regie):
    return [
        facture_essai(famille_durand, regie, "30.00", mois=date(2026, 9, 1)),
        facture_essai(famille_durand, regie, "40.00"),
    ]


@pytest.fixture
def comptable(connecter, regie):
    return connecter("comptable")


@pytest.fixture
def lot(regie, factures, agent):
    return prelevements.preparer_lot(regie, le=ECHEANCE, par=agent)


pytestmark = pytest.mark.django_db


# --- Mandates ----------------------------------------------------------------------------------------------


def test_un_mandat_prend_le_compte_du_dossier_et_ne_montre_pas_l_iban(comptable, regie, famille_durand):
    CoordonneesBancaires.objects.update_or_create(famille=famille_durand, defaults={"titulaire": "C", "iban": IBAN})
    page = f"/admin/mandats/nouveau/?famille={famille_durand.pk}"
    assert "FR76 •••• 0189" in unescape(comptable.get(page).content.decode())
    for _ in range(2):
        reponse = comptable.post(page, {"regie": regie.pk, "signe_le": "2026-11-20"})
    assert (reponse.status_code, Mandat.objects.get().iban) == (422, IBAN)
    cle = Mandat.objects.get().pk
    for vue in ("/admin/facturation/mandat/", f"/admin/facturation/mandat/{cle}/change/"):
        page = comptable.get(vue).content.decode()
        assert ("FR76 •••• 0189" in page, IBAN in page) == (True, False)


def test_sans_iban_au_dossier_la_page_le_dit_et_n_offre_rien(comptable, regie, famille_martin):
    CoordonneesBancaires.objects.filter(famille=famille_martin).delete()
    adresse = f"/admin/mandats/nouveau/?famille={famille_martin.pk}"
    page = unescape(comptable.get(adresse).content.decode())
    assert ("n'a pas d'IBAN" in page, "Créer le mandat" in page) == (True, False)
    assert comptable.post(adresse, {"regie": regie.pk, "signe_le": "2026-11-20"}).status_code == 422
    assert not Mandat.objects.exists()


@pytest.mark.parametrize(
    ("colonnes", "phrase"),
    [
        ({"ics": "FR73ZZZ123456"}, "ICS"),
        ({"iban": "FR1420041010050500013M02607"}, "IBAN"),
        ({"titulaire": ""}, "titulaire"),
        ({"regime": "TITRE"}, "trésorerie"),
    ],
)
def test_une_regie_incomplete_ne_preleve_pas(colonnes, phrase, regie, famille_durand, agent):
    for nom, valeur in colonnes.items():
        setattr(regie, nom, valeur)
    with pytest.raises(ActionImpossible, match=phrase):
        prelevements.creer_mandat(famille_durand, regie=regie, signe_le=date(2026, 9, 1), par=agent)


def test_la_facture_annonce_le_prelevement(factures, mandat):
    assert prelevements.annonce(factures[1]) == (
        f"40,00\u00a0€ seront prélevés le 2 décembre 2026 sur votre compte FR76 •••• 0189 (mandat {mandat.rum}, "
        f"créancier {ICS})."
    )


@pytest.mark.parametrize("colonnes", [{"revoque_le": date(2026, 11, 3)}, {"signe_le": date(2026, 11, 3)}])
def test_sans_mandat_qui_vaille_rien_n_est_annonce_ni_preleve(colonnes, factures, mandat, regie):
    Mandat.objects.filter(pk=mandat.pk).update(**colonnes)
    assert (prelevements.annonce(factures[1]), prelevements.a_prelever(regie, ECHEANCE)) == ("", [])


def test_un_mandat_endormi_36_mois_ne_sert_plus(factures, mandat, regie):
    Mandat.objects.filter(pk=mandat.pk).update(signe_le=date(2023, 12, 1))
    assert prelevements.a_prelever(regie, ECHEANCE) == []


# --- The lot -----------------------------------------------------------------------------------------------


def test_un_lot_prend_ce_qui_est_annonce_et_rien_avant_son_jour(factures, regie, famille_durand):
    tot = facture_essai(
        famille_durand, regie, "9.00", mois=date(2026, 11, 1), emise_le=date(2026, 11, 20), echeance=ECHEANCE
    )
    assert prelevements.a_prelever(regie, date(2026, 12, 1)) == []
    assert [ligne.facture.numero for ligne in prelevements.a_prelever(regie, ECHEANCE)] == [1, 2]
    assert tot.numero in [ligne.facture.numero for ligne in prelevements.a_prelever(regie, date(2026, 12, 4))]


def test_rien_n_est_preleve_sans_avoir_ete_annonce(regie, famille_durand, agent):
    """The mandate was signed before the invoice, and recorded after it."""
    CoordonneesBancaires.objects.update_or_create(famille=famille_durand, defaults={"titulaire": "C", "iban": IBAN})
    facture = facture_essai(famille_durand, regie, "30.00")
    prelevements.creer_mandat(famille_durand, regie=regie, signe_le=date(2026, 9, 1), par=agent)
    assert (facture.debiteur["prelevement"], prelevements.a_prelever(regie, ECHEANCE)) == ("", [])


def test_ce_qui_est_annonce_sous_un_mandat_ne_se_preleve_pas_sous_un_autre(factures, mandat, regie, agent):
    prelevements.revoquer(mandat, le=date(2026, 11, 20))
    prelevements.creer_mandat(mandat.famille, regie=regie, signe_le=date(2026, 9, 2), par=agent)
    assert prelevements.a_prelever(regie, ECHEANCE) == []


def test_le_lot_se_prepare_une_fois_depuis_sa_page(comptable, factures, regie):
    choix = {"regie": regie.pk, "le": ECHEANCE.isoformat()}
    assert comptable.get("/admin/prelevements/nouveau/", choix).context["total"] == "70,00\u00a0€"
    assert comptable.post("/admin/prelevements/nouveau/", choix).status_code == 302
    assert comptable.post("/admin/prelevements/nouveau/", choix).status_code == 422
    assert list(Prelevement.objects.order_by("pk").values_list("montant", "sequence")) == [(30, "FRST"), (40, "RCUR")]


def test_le_fichier_de_la_banque_dit_chaque_prelevement(comptable, lot, mandat):
    """It is validated by its schema when it is made; a bad account is refused there."""
    reponse = comptable.post(f"/admin/prelevements/{lot.pk}/fichier.xml")
    racine = ET.fromstring(reponse.content)  # noqa: S314
    iso = {"p": "urn:iso:std:iso:20022:tech:xsd:pain.008.001.08"}

    def lire(chemin):
        return [noeud.text for noeud in racine.findall(f".//p:{chemin}", iso)]

    assert (lire("GrpHdr/p:MsgId"), lire("GrpHdr/p:CtrlSum")) == ([lot.identifiant], ["70.00"])
    assert (sorted(lire("InstdAmt")), sorted(lire("SeqTp"))) == (["30.00", "40.00"], ["FRST", "RCUR"])
    assert (set(lire("MndtId")), set(lire("DtOfSgntr"))) == ({mandat.rum}, {"2026-09-01"})
    assert (set(lire("DbtrAcct/p:Id/p:IBAN")), set(lire("Dbtr/p:Nm"))) == ({IBAN}, {"Mme Claire Durand Lucja OEhl"})
    assert (set(lire("ReqdColltnDt")), lire("CdtrSchmeId//p:Othr/p:Id")[0]) == ({"2026-12-02"}, ICS)
    assert sorted(lire("Ustrd")) == ["Facture 2026-000001", "Facture 2026-000002"]


def test_le_fichier_du_tresor_nomme_le_poste_comptable_la_regie_et_la_commune(comptable, lot, regie):
    """A DFT account: what the portal of the DGFiP asks beside the bank's (normes.md, SEPA)."""
    au_siret("21180223800019")
    regie.dft_service, regie.dft_comptable = "CANTINE18", "SGC de Bourges"
    regie.dft_adresse = "2 rue Victor Hugo\n\n18000 Bourges"
    regie.save()
    reponse = comptable.post(f"/admin/prelevements/{lot.pk}/fichier.xml")
    racine, iso = ET.fromstring(reponse.content), {"p": "urn:iso:std:iso:20022:tech:xsd:pain.008.001.08"}  # noqa: S314

    def lire(chemin):
        return [noeud.text for noeud in racine.findall(f".//p:{chemin}", iso)]

    assert set(lire("Cdtr/p:Nm")) == {"SGC de Bourges"}
    assert lire("Cdtr/p:PstlAdr/p:AdrLine")[:2] == ["2 rue Victor Hugo", "18000 Bourges"]
    assert set(lire("UltmtCdtr/p:Nm")) == set(lire("InitgPty/p:Nm")) == {"Regie de Saint-Martin-d'Auxigny"}
    assert len(lire("UltmtCdtr/p:Nm")) == len(racine.findall(".//p:PmtInf", iso)) > 0
    assert lire("InitgPty//p:Othr/p:Id") == ["21180223800019"]
    assert (lire("InitgPty//p:Prtry"), set(lire("ChrgBr"))) == (["SIRET"], {"SLEV"})
    assert sorted(lire("InstdAmt")) == ["30.00", "40.00"]
    jour = timezone.localdate(lot.prepare_le)
    assert f'filename="CANTINE18-DFT-SDD-{jour:%y%j}-001.xml"' in reponse["Content-Disposition"]
    second = LotPrelevement.objects.create(regie=regie, le=lot.le, identifiant="X", prepare_par=lot.prepare_par)
    assert nom_du_fichier(second).endswith("-002.xml")


def au_siret(siret):
    commune = Commune.objects.get()
    commune.siret = siret
    commune.save()


def test_un_compte_du_tresor_demande_le_poste_comptable_et_le_siret(regie, agent):
    with pytest.raises(ValidationError, match="le poste comptable qui le tient"):
        type(regie)(code="x", nom="x", regime="REGIE", dft_service="A").full_clean()
    au_siret("")
    type(regie).objects.filter(pk=regie.pk).update(dft_service="A", dft_comptable="SGC")
    with pytest.raises(ActionImpossible, match="SIRET de la commune"):
        prelevements.preparer_lot(regie, le=ECHEANCE, par=agent)


def test_un_fichier_que_la_banque_refuserait_ne_se_telecharge_pas(comptable, lot, regie):
    type(regie).objects.filter(pk=regie.pk).update(iban="FAUX")
    reponse = comptable.post(f"/admin/prelevements/{lot.pk}/fichier.xml", follow=True)
    assert "La banque refuserait ce fichier" in unescape(reponse.content.decode())


def restes():
    return [f.reste for f in Facture.objects.avec_reste().order_by("numero")]


def test_le_lot_s_encaisse_le_jour_dit_et_une_seule_fois(connecter, lot, horloge):
    page = f"/admin/prelevements/{lot.pk}/"
    assert connecter("comptable").post(page, {"encaisser": "1"}).status_code == 422
    prelevements.arreter_lot(lot)
    horloge("2026-12-02T09:00")
    comptable = connecter("comptable")
    for _ in range(2):
        comptable.post(page, {"encaisser": "1"})
    assert (restes(), Reglement.objects.count()) == ([0, 0], 2)
    assert Ecriture.objects.filter(libelle="Règlement\u00a0: prélèvement", le=ECHEANCE).count() == 2


def test_avant_son_jour_un_lot_n_offre_ni_encaissement_ni_rejet(connecter, lot, horloge):
    gestes = ("Encaisser le lot", "Saisir un rejet", "à partir du 2 décembre 2026")
    prelevements.arreter_lot(lot)
    page = page_du_lot(connecter("comptable"), lot)
    assert [geste in page for geste in gestes] == [False, False, True]
    horloge("2026-12-02T09:00")
    page = page_du_lot(connecter("comptable"), lot)
    assert [geste in page for geste in gestes] == [True, True, False]


def test_le_fichier_est_fait_le_jour_de_la_commune(comptable, lot):
    LotPrelevement.objects.update(fichier_le=datetime(2026, 11, 22, 23, 30, tzinfo=UTC))
    assert "Fichier fait le 23/11/2026" in comptable.get("/admin/facturation/lotprelevement/").text


def test_ce_qui_etait_deja_paye_reste_d_avance(lot, factures, regie, famille_durand, agent, horloge):
    prelevements.arreter_lot(lot)
    payer = {"regie": regie, "moyen": "CHEQUE", "recu_le": date(2026, 11, 23), "par": agent}
    actions.encaisser(famille_durand, montant=Decimal(25), **payer)
    horloge("2026-12-02T09:00")
    prelevements.encaisser_lot(lot, par=agent)
    assert (restes(), actions.reste_a_imputer(Reglement.objects.get(montant=30))) == ([0, 0], 25)


def test_un_rejet_rend_la_facture_due_dit_pourquoi_et_ne_se_represente_pas(
    connecter, lot, famille_durand, agent, horloge
):
    prelevements.arreter_lot(lot)
    horloge("2026-12-02T09:00")
    prelevements.encaisser_lot(lot, par=agent)
    horloge("2026-12-08T09:00")
    comptable = connecter("comptable")
    rejete = lot.prelevements.order_by("pk").first()
    page = f"/admin/prelevements/{lot.pk}/"
    rejet = {"rejeter": rejete.pk, "code": "AM04", "le": "2026-12-07"}
    assert comptable.post(page, rejet | {"code": ""}).status_code == 422
    assert comptable.post(page, rejet | {"le": "2026-12-01"}).status_code == 422
    assert comptable.post(page, rejet).status_code == 302
    assert comptable.post(page, rejet).status_code == 404
    assert restes() == [30, 0]
    contre = Ecriture.objects.get(nature="ANNULATION")
    assert (contre.debit, contre.libelle) == (
        30,
        "Annulation d'un règlement\u00a0: prélèvement rejeté, la provision est insuffisante (AM04)",
    )
    message = Message.objects.get(fil__famille=famille_durand, fil__sujet__startswith="Prélèvement rejeté")
    assert "la provision est insuffisante" in message.corps
    assert prelevements.a_prelever(lot.regie, date(2027, 1, 15)) == []


def test_un_rejet_connu_avant_l_encaissement_n_encaisse_pas(lot, agent, horloge):
    prelevements.arreter_lot(lot)
    horloge("2026-12-03T09:00")
    premier = lot.prelevements.order_by("pk").first()
    prelevements.rejeter(premier, code="AC04", le=date(2026, 12, 3), par=agent)
    assert prelevements.encaisser_lot(lot, par=agent) == 1
    assert (restes(), LotPrelevement.objects.get().execute_le is not None) == ([30, 0], True)


# --- What changes between the lot, the file and the day ------------------------------------------------------


def fichier(comptable, lot, methode="post"):
    """(amount, invoice) of each debit of the file."""
    reponse = getattr(comptable, methode)(f"/admin/prelevements/{lot.pk}/fichier.xml")
    racine, iso = ET.fromstring(reponse.content), {"p": "urn:iso:std:iso:20022:tech:xsd:pain.008.001.08"}  # noqa: S314
    debits = racine.findall(".//p:DrctDbtTxInf", iso)
    return sorted((d.find("p:InstdAmt", iso).text, d.find(".//p:Ustrd", iso).text[-1]) for d in debits)


def page_du_lot(comptable, lot):
    return unescape(comptable.get(f"/admin/prelevements/{lot.pk}/").content.decode()).replace("\u00a0", " ")


@pytest.fixture
def payer(famille_durand, regie, agent):
    """``payer(facture, "25.00")``: another way, today."""
    recu = {"regie": regie, "moyen": "CHEQUE", "recu_le": date(2026, 11, 23), "par": agent}
    return lambda facture, montant: actions.encaisser(
        famille_durand, montant=Decimal(montant), parts=[(facture, Decimal(montant))], **recu
    )


def test_le_fichier_ne_prend_que_ce_qui_est_encore_du(comptable, lot, factures, payer, agent, horloge):
    actions.creer_avoir(factures[0], motif="erreur", par=agent)
    payer(factures[1], "25.00")
    page = page_du_lot(comptable, lot)
    assert "Plus rien à payer : le fichier ne la prendra pas." in page
    assert "Il ne reste que 15,00 € à payer : le fichier prendra cette somme." in page
    assert "retirer" not in page
    assert fichier(comptable, lot) == [("15.00", "2")]
    assert "Retiré le 23 novembre 2026 : rien n'est prélevé" in page_du_lot(comptable, lot)
    horloge("2026-12-02T09:00")
    assert (prelevements.encaisser_lot(lot, par=agent), restes()[:2]) == (1, [0, 0])
    retire = lot.prelevements.get(facture=factures[0])
    with pytest.raises(ActionImpossible, match="est retiré"):
        prelevements.rejeter(retire, code="AC04", le=ECHEANCE, par=agent)


def test_un_lot_dont_plus_rien_n_est_du_n_a_pas_de_fichier(comptable, lot, factures, payer):
    payer(factures[0], "30.00")
    payer(factures[1], "40.00")
    reponse = comptable.post(f"/admin/prelevements/{lot.pk}/fichier.xml", follow=True)
    assert "Plus rien n'est à prélever dans ce lot" in unescape(reponse.content.decode())
    assert "Encaisser le lot" not in page_du_lot(comptable, lot)


def test_le_fichier_fait_redit_la_meme_chose_et_la_page_dit_ce_qui_a_change(
    connecter, lot, factures, payer, agent, horloge
):
    comptable = connecter("comptable")
    remis = fichier(comptable, lot)
    assert "Changée depuis la remise" not in page_du_lot(comptable, lot)
    actions.creer_avoir(factures[0], motif="erreur", par=agent)
    payer(factures[1], "25.00")
    assert fichier(comptable, lot) == fichier(comptable, lot, "get") == remis == [("30.00", "1"), ("40.00", "2")]
    page = page_du_lot(comptable, lot)
    assert "2 factures de ce lot ont changé depuis la remise du fichier" in page
    assert (
        "Changée depuis la remise : plus rien n'est à payer. Demandez à la banque de retirer ce prélèvement, puis "
        "retirez-le ici. S'il passe, 30,00 € resteront d'avance sur le compte." in page
    )
    assert "il ne reste que 15,00 € à payer. Laissez passer ce prélèvement" in page
    premier = lot.prelevements.get(facture=factures[0])
    adresse = f"/admin/prelevements/{lot.pk}/"
    assert comptable.post(adresse, {"retirer": premier.pk}).status_code == 302
    assert comptable.post(adresse, {"retirer": premier.pk}).status_code == 422
    horloge("2026-12-02T09:00")
    connecter("comptable").post(adresse, {"encaisser": "1"})
    assert (restes()[:2], Reglement.objects.filter(moyen="PRELEVEMENT").count()) == ([0, 0], 1)
    assert actions.reste_a_imputer(Reglement.objects.get(moyen="PRELEVEMENT")) == 25


def test_un_lot_dont_le_fichier_n_est_pas_fait_ne_s_encaisse_pas(connecter, lot, horloge):
    horloge("2026-12-02T09:00")
    comptable, page = connecter("comptable"), f"/admin/prelevements/{lot.pk}/"
    assert "Encaisser le lot" not in page_du_lot(comptable, lot)
    reponse = comptable.post(page, {"encaisser": "1"})
    assert (reponse.status_code, Reglement.objects.count(), restes()) == (422, 0, [30, 40])
    assert "Le fichier de ce lot n'a jamais été fait" in unescape(reponse.content.decode())


def test_un_mandat_revoque_avant_le_fichier_n_y_est_plus(comptable, lot, mandat):
    prelevements.revoquer(mandat, le=ECHEANCE)
    assert "Mandat révoqué : le fichier ne prendra pas cette facture." in page_du_lot(comptable, lot)
    reponse = comptable.post(f"/admin/prelevements/{lot.pk}/fichier.xml", follow=True)
    assert "Plus rien n'est à prélever dans ce lot" in unescape(reponse.content.decode())
    assert (lot.prelevements.en_cours().count(), restes()) == (0, [30, 40])


def test_un_mandat_revoque_apres_la_remise_se_retire_a_la_main(comptable, lot, mandat):
    prelevements.revoquer(mandat, le=date(2026, 12, 3))
    remis = fichier(comptable, lot)
    assert (len(remis), "Mandat révoqué" in page_du_lot(comptable, lot)) == (2, False)
    Mandat.objects.filter(pk=mandat.pk).update(revoque_le=date(2026, 11, 24))
    assert fichier(comptable, lot) == remis
    assert "Mandat révoqué depuis la remise : demandez à la banque de retirer ce débit" in page_du_lot(comptable, lot)
    premier = lot.prelevements.order_by("pk").first()
    assert comptable.post(f"/admin/prelevements/{lot.pk}/", {"retirer": premier.pk}).status_code == 302
    assert lot.prelevements.en_cours().count() == 1


def test_un_prelevement_toujours_du_ne_se_retire_pas(comptable, lot):
    fichier(comptable, lot)
    page = f"/admin/prelevements/{lot.pk}/"
    assert comptable.post(page, {"retirer": lot.prelevements.first().pk}).status_code == 422
    assert comptable.post(page, {"retirer": "0"}).status_code == 404
    assert lot.prelevements.en_cours().count() == 2


def test_un_fichier_se_fait_depuis_la_page_du_lot_avant_de_se_telecharger(comptable, lot):
    page = comptable.get(f"/admin/prelevements/{lot.pk}/fichier.xml", follow=True).content.decode()
    assert "Ce fichier n'est pas encore fait" in unescape(page)
    assert "Faire le fichier pour la banque" in page
    assert LotPrelevement.objects.get().fichier_le is None


def test_un_fichier_refuse_n_arrete_rien(comptable, lot, factures, payer, regie):
    payer(factures[0], "30.00")
    type(regie).objects.filter(pk=regie.pk).update(iban="FAUX")
    comptable.post(f"/admin/prelevements/{lot.pk}/fichier.xml")
    assert (LotPrelevement.objects.get().fichier_le, lot.prelevements.en_cours().count()) == (None, 2)
