"""The régisseur and PayFiP's list: what is matched, what is told back, and twice changes nothing."""

import re
from datetime import date
from decimal import Decimal
from html import unescape

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from facturation import paiements
from facturation.models import Ecriture, Reglement, TentativePaiement
from facturation.rapprochement import importer
from facturation.regles.payfip import Issue
from messagerie.models import Message
from portail.outils.tableur import TableauIllisible
from tests.facturation.essai import facture_essai, regie_essai

pytestmark = pytest.mark.django_db
LISTE = "/admin/facturation/tentativepaiement/"
IMPORTER = f"{LISTE}importer/"


@pytest.fixture
def payees(famille_durand, comptes, horloge):
    """Three invoices: two paid on the 23rd, the third without an answer from PayFiP."""
    horloge("2026-11-23T10:00")
    regie = regie_essai(payfip="REDIRECTION", payfip_client="018110", payfip_saisie="A")
    factures = [facture_essai(famille_durand, regie, montant) for montant in ("47.60", "12.00", "8.50")]
    tentatives = [paiements.commencer(facture, par=comptes["durand"]) for facture in factures]
    for tentative in tentatives[:2]:
        paiements.conclure(tentative, Issue.PAYE)
    return tentatives


def csv(*lignes, entete="Référence dette;Montant;Date de transaction"):
    return "\r\n".join([entete, *lignes]).encode()


def etats(lignes):
    return [(ligne.rang, ligne.etat) for ligne in lignes]


def restent():
    return TentativePaiement.objects.a_rapprocher().count()


def test_la_liste_rapproche_ce_qu_elle_reconnait_et_dit_le_reste(payees, comptes):
    un, deux, sans_avis = payees
    liste = csv(
        f"{un.reference};47,60;23/11/2026",
        f"{deux.reference};13,00;23/11/2026",
        f"{deux.reference};12,00;24/11/2026",
        f"{sans_avis.reference};8,50;23/11/2026",
        "202699999999;5,00;23/11/2026",
        f"{un.reference};quarante;hier",
        ";;",
    )
    lues = importer(liste, par=comptes["comptable"])
    assert etats(lues) == [
        (2, "rapprochee"),
        (3, "inconnue"),
        (4, "inconnue"),
        (5, "inconnue"),
        (6, "inconnue"),
        (7, "inconnue"),
    ]
    assert [ligne.phrase for ligne in lues[1:]] == [
        "Le paiement connu est de 12,00\u00a0€.",
        "Le paiement connu du 23 novembre 2026 n'est pas de ce jour, ou est déjà pris par une autre ligne.",
        "Une famille a commencé ce paiement et PayFiP n'en a rien dit\u00a0: constatez-le sur sa page.",
        "Aucune famille n'a commencé ce paiement depuis le portail.",
        "Le montant ou la date ne se lit pas.",
    ]
    assert restent() == 1
    un.refresh_from_db()
    assert un.rapprochee_par == comptes["comptable"]


def test_la_meme_liste_deux_fois_ne_change_rien(payees, comptes):
    liste = csv(*(f"{t.reference};{t.montant};2026-11-23" for t in payees[:2]))
    importer(liste, par=comptes["comptable"])
    avant = list(TentativePaiement.objects.order_by("pk").values()), Ecriture.objects.count(), Message.objects.count()
    assert etats(importer(liste, par=comptes["admin"])) == [(2, "deja"), (3, "deja")]
    apres = list(TentativePaiement.objects.order_by("pk").values()), Ecriture.objects.count(), Message.objects.count()
    assert avant == apres


def test_deux_paiements_pareils_demandent_deux_lignes(payees, comptes):
    autre = TentativePaiement.objects.get(pk=payees[0].pk)
    seconde = paiements.conclure(_encore(autre), Issue.PAYE)
    ligne = f"{seconde.reference};47,60;23/11/2026"
    assert etats(importer(csv(ligne), par=comptes["comptable"])) == [(2, "rapprochee")]
    assert etats(importer(csv(ligne), par=comptes["comptable"])) == [(2, "deja")]
    lues = importer(csv(ligne, ligne, ligne), par=comptes["comptable"])
    assert etats(lues) == [(2, "deja"), (3, "rapprochee"), (4, "inconnue")]


def _encore(tentative):
    """The same family pays the same again, on the same day."""
    tentative.pk, tentative.jeton, tentative.issue, tentative.conclue_le = None, "encore", Issue.INCONNU, None
    tentative.uuid, tentative.reglement = "0b6a3a3e-0000-4000-8000-000000000001", None
    tentative.save()
    return tentative


@pytest.mark.parametrize(
    "contenu",
    [
        "Date,Réf,Montant TTC\n23/11/2026,{r},47.60\n".encode("cp1252"),
        "\ufeffmontant (€)\tdattrans\trefdet\n47,60 €\t23112026\t{r}\n".encode(),
    ],
)
def test_la_liste_se_lit_quelle_que_soit_sa_forme(contenu, payees, comptes):
    octets = contenu.replace(b"{r}", payees[0].reference.encode())
    assert etats(importer(octets, par=comptes["comptable"])) == [(2, "rapprochee")]


@pytest.mark.parametrize(
    "octets", [b"", b"\x00\xff", b"PK\x03\x04" * 500, "Référence;Montant\nA;1".encode(), b'"' + b"a" * 200_000]
)
def test_un_fichier_qui_n_est_pas_une_liste_est_refuse(octets, comptes):
    with pytest.raises(TableauIllisible):
        importer(octets, par=comptes["comptable"])


# --- In the admin ------------------------------------------------------------------------------------------


def texte(reponse):
    return unescape(reponse.content.decode())


def test_la_comptabilite_envoie_la_liste_et_lit_le_resultat(payees, connecter):
    navigateur = connecter("comptable")
    liste = csv(f"{payees[0].reference};47,60;23/11/2026", "<b>xq;1;23/11/2026")
    page = navigateur.post(IMPORTER, {"liste": SimpleUploadedFile("dft.csv", liste)})
    assert "Rapprochées\u00a0: 1. Déjà connues\u00a0: 0. À regarder\u00a0: 1." in texte(page)
    assert (restent(), b"<b>xq" in page.content) == (1, False)
    vide = navigateur.post(IMPORTER, {"liste": SimpleUploadedFile("dft.csv", b"a;b\n1;2")})
    assert (vide.status_code, "La colonne «\u00a0référence\u00a0» manque" in texte(vide)) == (422, True)


def test_le_filtre_et_l_action_rapprochent_a_la_main(payees, connecter):
    navigateur = connecter("comptable")
    a_faire = navigateur.get(f"{LISTE}?rapprochement=a-rapprocher").context["cl"].queryset
    assert {t.pk for t in a_faire} == {t.pk for t in payees[:2]}
    choix = {"action": "rapprocher_la_selection", "_selected_action": [t.pk for t in payees]}
    assert "2 paiements rapprochés." in texte(navigateur.post(LISTE, choix, follow=True))
    assert "Aucun paiement à rapprocher" in texte(navigateur.post(LISTE, choix, follow=True))
    assert restent() == 0


def test_un_rejet_demande_une_raison_et_la_famille_la_lit(payees, connecter):
    navigateur, page = connecter("comptable"), f"{LISTE}{payees[0].pk}/change/"
    refus = navigateur.post(page, {"geste": "rejeter", "motif": " "})
    assert (refus.status_code, "Dites pourquoi ce paiement est rejeté." in texte(refus)) == (422, True)
    rejet = navigateur.post(page, {"geste": "rejeter", "motif": "compte clos"}, follow=True)
    assert "La facture est de nouveau à payer" in texte(rejet)
    assert Ecriture.objects.get(nature="ANNULATION").debit == Decimal("47.60")
    assert "compte clos" in Message.objects.latest("pk").corps
    assert "Rejeter ce paiement" not in texte(navigateur.get(page))
    encore = navigateur.post(page, {"geste": "rejeter", "motif": "compte clos"})
    assert (encore.status_code, "Ce règlement est déjà annulé." in texte(encore)) == (422, True)


def test_un_paiement_sans_avis_s_enregistre_depuis_sa_page(payees, connecter):
    page = f"{LISTE}{payees[2].pk}/change/"
    connecter("comptable").post(page, {"geste": "constater"})
    payees[2].refresh_from_db()
    assert (payees[2].issue, payees[2].rapprochee_le is not None) == ("PAYE", True)
    assert Reglement.objects.latest("pk").recu_le == date(2026, 11, 23)


def test_une_raison_illisible_rejette_sans_erreur(payees, connecter):
    adresse = f"{LISTE}{payees[0].pk}/change/"
    reponse = connecter("comptable").post(adresse, {"geste": "rejeter", "motif": "compte\x00 clos"})
    assert (reponse.status_code, Ecriture.objects.filter(libelle__endswith="rejeté, compte clos").count()) == (302, 1)


def test_la_fiche_d_un_paiement_dit_ses_codes_en_mots(payees, connecter):
    tentative = TentativePaiement.objects.order_by("pk").first()
    TentativePaiement.objects.filter(pk=tentative.pk).update(saisie="W", moyen="CARTE")
    page = connecter("comptable").get(f"/admin/facturation/tentativepaiement/{tentative.pk}/change/").text
    trouver = r'fieldBox field-{}.*?class="readonly">([^<]*)<'
    lus = [re.search(trouver.format(nom), page, re.DOTALL)[1] for nom in ("saisie", "moyen")]
    assert lus == ["Production", "Carte bancaire"]
