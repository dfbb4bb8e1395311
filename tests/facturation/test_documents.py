"""The papers of billing: what an invoice says, that it is made once, receipts, and many for the printer."""

import csv
import io
import os
import re
import threading
from datetime import date
from decimal import Decimal
from random import Random

import pytest
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import connection
from pypdf import PdfReader

from enfants.models import Enfant, SuspensionAcces
from facturation import documents
from facturation.actions import annuler_reglement, creer_avoir, encaisser
from facturation.models import Facture, PdfFacture, Regie, Reglement
from familles.models import Famille
from portail.commune import Commune
from portail.outils import pdf
from portail.outils.argent import euros
from portail.outils.fichiers import lire
from tests.charges import CHARGES_XSS
from tests.fabrique import PDF_SAIN
from tests.facturation.essai import regie_essai, titre_essai
from tests.facturation.papiers_essai import facturer, ligne
from tests.poison import Effets

try:
    pdf.verifier()
except pdf.PdfIndisponible as absence:
    pytest.skip(f"BIBLIOTHÈQUES PDF ABSENTES : {absence}", allow_module_level=True)

pytestmark = pytest.mark.django_db

SOMME = r"-?[\d\u202f]+,\d\d\s€"
LIGNE = re.compile(rf"(-?\d+) ({SOMME}) ({SOMME})")
NOMBRE = 500 if os.environ.get("EPREUVES") else 20


def pages(document: bytes) -> list[str]:
    """The text of each page, spaces folded but those that amounts hold."""
    return [re.sub(r"[ \n]+", " ", page.extract_text()) for page in PdfReader(io.BytesIO(document)).pages]


def lu(facture) -> str:
    return " ".join(pages(documents.imprimer(facture)))


def en_nombre(somme: str) -> Decimal:
    return Decimal(re.sub(r"[\u202f\s€]", "", somme).replace(",", "."))


@pytest.fixture
def lea(distribution):
    return Enfant.objects.get(prenom="Léa")


@pytest.fixture
def regie(distribution):
    return regie_essai()


# --- What it says ----------------------------------------------------------------------------------------


def _au_hasard(hasard, enfants):
    """Lines as a month makes them, aids and increases among them."""
    lignes = []
    for rang in range(hasard.randint(1, 9)):
        quantite, prix = hasard.randint(1, 23), Decimal(hasard.randint(1, 40_000 if rang == 0 else 1500)) / 100
        genre = hasard.choice(["PRESTATION", "MAJORATION", "AIDE"]) if rang else "PRESTATION"
        prix = -prix / 100 if genre == "AIDE" else prix
        prix = prix.quantize(Decimal("0.01"))
        lignes.append(ligne(f"Service {rang}", prix, quantite=quantite, enfant=hasard.choice(enfants), genre=genre))
    return lignes


def test_les_lignes_font_le_total_et_le_pdf_et_les_tableurs_le_disent_au_centime(famille_durand, regie, connecter):
    hasard, enfants, totaux = Random(42), list(Enfant.objects.order_by("pk")[:3]), {}
    for numero in range(NOMBRE):
        mois = date(2000 + numero // 12, numero % 12 + 1, 1)
        facture = facturer(famille_durand, regie, *_au_hasard(hasard, enfants), mois=mois)
        texte = lu(facture)
        imprimees = sorted((int(q), en_nombre(p), en_nombre(m)) for q, p, m in LIGNE.findall(texte))
        assert imprimees == sorted(facture.lignes.values_list("quantite", "prix", "montant"))
        total = en_nombre(re.search(rf"Total(?: à payer)? ({SOMME})", texte)[1])
        assert total == facture.total == sum(montant for *_, montant in imprimees)
        totaux[str(facture)] = total
    releve = tableur(connecter("durand").get("/releve/2026-2027/releve.csv"))
    debits = {ligne["Description"]: en_nombre(ligne["Débit"]) for ligne in releve if "Facture" in ligne["Description"]}
    assert debits == totaux
    suivi = tableur(connecter("tresorerie").get("/admin/facturation/suivifacture/export.csv"))
    assert {f"Facture {ligne['Numéro']}": en_nombre(ligne["Montant"]) for ligne in suivi} == totaux


def tableur(reponse) -> list[dict]:
    """A CSV as a spreadsheet opens it."""
    texte = b"".join(reponse).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(texte), delimiter=";"))


MENTIONS = "Titre exécutoire, article L. 252 A. Vous pouvez contester cette somme dans les deux mois."
TITRE = {
    "payfip": "SAISIE",
    "payfip_client": "018110",
    "signataire": "Jeanne Morel, maire",
    "mentions": MENTIONS,
    "moyens_acceptes": ["CHEQUE", "CESU"],
}


@pytest.mark.parametrize(
    ("faire", "colonnes", "dits", "tus"),
    [
        (
            titre_essai,
            TITRE,
            [
                "recouvrée par la trésorerie",
                "trésorerie des Aix-d'Angillon, 02 48 64 40 72",
                "n°\u00a0client 018110, référence {reference}, montant {total}",
                "Moyens acceptés\u00a0: chèque, CESU.",
                "L'ordonnateur\u00a0: Jeanne Morel, maire",
                MENTIONS,
            ],
            [],
        ),
        (
            regie_essai,
            {
                "payfip": "REDIRECTION",
                "payfip_client": "018111",
                "contact": "Régie",
                "telephone": "02 48 00 00 00",
                "signataire": "Jeanne Morel",
            },
            ["par PayFiP (n°\u00a0client 018111)", "Régie, 02 48 00 00 00"],
            ["trésorerie", "ordonnateur", "Moyens acceptés"],
        ),
    ],
    ids=["titre", "régie"],
)
def test_chaque_regime_a_ses_mentions(faire, colonnes, dits, tus, famille_durand, lea):
    commune = Commune.objects.get()
    commune.siret = "21180223100015"
    commune.save()
    facture = facturer(
        famille_durand,
        faire(**colonnes),
        ligne("Restauration scolaire, 12 repas", "3.40", quantite=12, enfant=lea, deliberation="2026-42"),
    )
    texte = lu(facture)
    communs = [
        *("Facture n°\u00a02026-000001", "Madame Claire Durand Monsieur Julien Durand 12 rue des Vergers 18110"),
        *("SIRET 21180223100015", "Émise le 2 novembre 2026", "Mois octobre 2026", "avant le 2 décembre 2026"),
        *("TVA non applicable, art. 256 B du CGI. Tarifs votés par délibération 2026-42.", "Léa"),
    ]
    attendus = [dit.format(reference=facture.reference, total=euros(facture.total)) for dit in [*communs, *dits]]
    assert [dit for dit in attendus if dit not in texte] == []
    assert [tu for tu in tus if tu in texte] == []


def test_un_avoir_dit_quelle_facture_il_annule_et_ne_demande_rien(famille_durand, regie, lea, comptes):
    facture = facturer(famille_durand, regie, ligne("Accueil du soir", "2.10", quantite=8, enfant=lea))
    avoir = creer_avoir(facture, motif="facturée deux fois", par=comptes["comptable"])
    texte = lu(avoir)
    assert "Cet avoir annule la facture n°\u00a02026-000001\u00a0: facturée deux fois" in texte
    assert [(q, en_nombre(m)) for q, _, m in LIGNE.findall(texte)] == [("-8", Decimal("-16.80"))]
    assert "Comment payer" not in texte
    assert "avant le" not in texte


def test_une_facture_que_les_aides_couvrent_ne_demande_rien(famille_durand, regie, lea):
    facture = facturer(
        famille_durand, regie, ligne("Accueil", "5", enfant=lea), ligne("Aide", "-5", enfant=lea, genre="AIDE")
    )
    texte = lu(facture)
    assert "Vous n'avez rien à payer." in texte
    assert "Comment payer" not in texte


def test_elle_dit_ce_qu_elle_disait_quand_elle_est_partie(famille_durand, regie):
    facture = facturer(famille_durand, regie, ligne("Accueil", "5"))
    avant = lu(facture)
    Famille.objects.filter(pk=famille_durand.pk).update(adresse="1 rue Neuve", ville="Bourges")
    Regie.objects.filter(pk=regie.pk).update(nom="Autre nom", moyens="Autrement")
    commune = Commune.objects.get()
    commune.nom = "Autre-Commune"
    commune.save()
    assert lu(Facture.objects.get(pk=facture.pk)) == avant


def test_une_facture_d_avant_un_mot_nouveau_s_imprime_encore(famille_durand, regie):
    facture = facturer(famille_durand, regie, ligne("Accueil", "5"))
    facture.debiteur, facture.emetteur = {"noms": ["Claire Durand"]}, {"commune": {"nom": "Saint-Martin"}}
    assert "Total à payer 5,00" in lu(facture)


def test_les_jours_sont_groupes_par_ce_qui_s_est_passe(famille_durand, regie, lea):
    jours = [[f"2026-10-{n:02}", "Réservé le 2 septembre, présente."] for n in (1, 2, 5, 6, 8, 9)]
    jours.append(["2026-10-12", "Venue sans réservation."])
    facture = facturer(
        famille_durand,
        regie,
        ligne("Accueil du soir, 7 soirs à 2,10 €", "2.10", quantite=7, enfant=lea, jours=jours),
        ligne("Accueil du soir, aide de la Caf", "-1", enfant=lea, genre="AIDE", jours=jours),
    )
    suite = lu(facture).partition("Jour par jour ")[2].partition(" Saint-Martin")[0]
    assert suite == (
        "Léa, Accueil du soir octobre\u00a0: 1er, 2, 5, 6, 8 et 9 – Réservé le 2 septembre, présente. "
        "lundi 12 octobre – Venue sans réservation."
    )


def test_une_page_quand_elle_tient_et_la_suite_quand_elle_ne_tient_pas(famille_durand, regie, lea):
    jours = [[f"2026-10-{n:02}", "Réservé le 2 septembre, présente."] for n in range(1, 9)]
    courte = [ligne(f"Accueil {n}", "2.10", quantite=8, enfant=lea, jours=jours) for n in range(3)]
    longue = [ligne(f"Accueil {n}", "2.10", quantite=8, enfant=lea, jours=jours) for n in range(40)]
    assert len(pages(documents.imprimer(facturer(famille_durand, regie, *courte)))) == 1
    feuilles = pages(documents.imprimer(facturer(famille_durand, regie, *longue, mois=date(2026, 9, 1))))
    assert all(f"Page {n} sur {len(feuilles)}" in feuille for n, feuille in enumerate(feuilles, 1))
    assert len(feuilles) > 1
    assert len(LIGNE.findall(" ".join(feuilles))) == 40


def test_un_mois_de_cantine_de_deux_enfants_tient_sur_une_page(famille_durand, lea, distribution):
    """With the longest mentions, those of a titre, and a QR code."""
    jours = [
        [f"2026-10-{n:02}", "Réservé le 1er octobre, présent, pointé à 13 h par Hugo Leroy."] for n in range(1, 11)
    ]
    mot = "Restauration scolaire, 10 repas à 3,40 € (tranche 3, QF 812 au 01/09)"
    enfants = [lea, Enfant.objects.get(prenom="Tom")]
    repas = [ligne(mot, "3.40", quantite=10, enfant=enfant, jours=jours) for enfant in enfants]
    cantine = Regie.objects.get(code="restauration")
    assert len(pages(documents.imprimer(facturer(famille_durand, cantine, *repas)))) == 1


def test_le_pdf_est_accessible_et_en_francais(famille_durand, regie):
    document = PdfReader(io.BytesIO(documents.imprimer(facturer(famille_durand, regie, ligne("Accueil", "5")))))
    assert re.search('pdfuaid:part(>|=")1', document.trailer["/Root"]["/Metadata"].get_data().decode())
    assert document.trailer["/Root"]["/Lang"] == "fr"
    assert bool(document.trailer["/Root"]["/MarkInfo"]["/Marked"])
    assert document.metadata.title == "Facture n°\u00a02026-000001"


@pytest.mark.parametrize("charge", CHARGES_XSS)
def test_un_texte_hostile_reste_un_texte(charge, famille_durand, regie, lea):
    """Whatever people type: labels, reasons, names, addresses, mentions; WeasyPrint's reader is tested on its own."""
    Famille.objects.filter(pk=famille_durand.pk).update(adresse=charge[:160])
    regie.mentions = regie.moyens = charge
    regie.save()
    famille_durand.refresh_from_db()
    textes = {"motif": charge[:200], "deliberation": charge[:60], "prenom": charge[:80]}
    jours = [["2026-10-05", charge]]
    facture = facturer(famille_durand, regie, ligne(charge[:250], "5", jours=jours, **textes), ligne("Autre", "5"))
    page = Effets(documents.composer(facture))
    assert page.effets == []
    assert page.textes or "xq" not in charge


# --- Made once -------------------------------------------------------------------------------------------


def fichiers():
    """Files of the storage."""
    trouves, dossiers = [], ["pieces"] if default_storage.exists("pieces") else []
    while dossiers:
        dossier = dossiers.pop()
        sous, noms = default_storage.listdir(dossier)
        dossiers += [f"{dossier}/{nom}" for nom in sous]
        trouves += [f"{dossier}/{nom}" for nom in noms]
    return trouves


@pytest.mark.django_db(transaction=True)
def test_deux_a_la_fois_n_en_gardent_qu_un(famille_durand, regie, monkeypatch):
    facture = facturer(famille_durand, regie, ligne("Accueil", "5"))
    avant, ensemble, gardes = set(fichiers()), threading.Barrier(2, timeout=30), []

    def imprimer(facture):
        ensemble.wait()  # both have seen that there is none
        return PDF_SAIN

    def fabriquer():
        try:
            gardes.append(documents.fabriquer_pdf(facture))
        finally:
            connection.close()

    monkeypatch.setattr(documents, "imprimer", imprimer)
    fils = [threading.Thread(target=fabriquer) for _ in range(2)]
    for fil in fils:
        fil.start()
    for fil in fils:
        fil.join()
    garde = PdfFacture.objects.get()
    assert [g.pk for g in gardes] == [garde.pk, garde.pk]
    assert set(fichiers()) - avant == {garde.fichier.name}


def test_le_balayage_fait_ce_qui_manque_et_passe_sur_ce_qui_echoue(famille_durand, regie, monkeypatch, caplog):
    factures = [facturer(famille_durand, regie, ligne("Accueil", "5"), mois=date(2026, mois, 1)) for mois in (7, 8, 9)]
    facturer(famille_durand, regie, ligne("Accueil", "5"), emise=False)

    def imprimer(facture):
        if facture == factures[0]:
            raise ValueError("Police illisible")
        return PDF_SAIN

    monkeypatch.setattr(documents, "imprimer", imprimer)
    assert documents.balayer_pdf() == 2
    assert set(PdfFacture.objects.values_list("facture", flat=True)) == {factures[1].pk, factures[2].pk}
    assert [r.getMessage() for r in caplog.records] == [f"PDF de la facture {factures[0].pk} impossible"]
    monkeypatch.setattr(documents, "imprimer", lambda facture: PDF_SAIN)
    assert [documents.balayer_pdf(), documents.balayer_pdf()] == [1, 0]


def test_sans_bibliotheque_le_balayage_attend_et_la_page_le_dit(famille_durand, regie, monkeypatch, connecter):
    def imprimer(facture):
        raise pdf.PdfIndisponible

    facture = facturer(famille_durand, regie, ligne("Accueil", "5"))
    monkeypatch.setattr(documents, "imprimer", imprimer)
    assert documents.balayer_pdf() == 0
    page = connecter("durand").get(f"/factures/{facture.uuid}/facture.pdf", follow=True)
    assert page.redirect_chain == [("/releve/", 302)]
    assert "Les PDF ne sont pas disponibles pour le moment." in page.content.decode()


def test_ouverte_avant_le_balayage_elle_se_fait_sur_le_champ_et_reste(famille_durand, regie, connecter, monkeypatch):
    facture = facturer(famille_durand, regie, ligne("Accueil", "5"))
    premiere = b"".join(connecter("durand").get(f"/factures/{facture.uuid}/facture.pdf"))
    monkeypatch.setattr(documents, "imprimer", lambda facture: pytest.fail("déjà faite"))
    reponse = connecter("durand2").get(f"/factures/{facture.uuid}/facture.pdf")
    assert b"".join(reponse) == premiere == lire(PdfFacture.objects.get())
    assert reponse["Content-Disposition"] == 'inline; filename="facture-2026-000001.pdf"'


# --- For the printer -------------------------------------------------------------------------------------


def test_les_factures_d_un_mois_sortent_dans_l_ordre_des_noms(familles_de, regie, connecter):
    for identifiant, nom in [("durand", "élan"), ("martin", "Zoé"), ("benali", "Eaubonne"), ("rossi", "Enfin")]:
        Famille.objects.filter(pk=familles_de(identifiant).pk).update(nom=nom)
        facturer(familles_de(identifiant), regie, ligne(f"Pour {nom}", "5"))
    comptable = connecter("comptable")
    page = comptable.get("/admin/factures/imprimer/?recto-verso=oui").content.decode()
    fichier = f"/admin/factures/imprimer/{regie.pk}/2026-10/1.pdf?recto-verso=oui"
    assert fichier in page
    feuilles = pages(comptable.get(fichier).content)
    assert [re.findall(r"Pour \w+", feuille) for feuille in feuilles] == [
        *(["Pour Eaubonne"], [], ["Pour élan"], []),
        *(["Pour Enfin"], [], ["Pour Zoé"], []),
    ]
    assert len(pages(comptable.get(fichier.partition("?")[0]).content)) == 4
    assert PdfFacture.objects.count() == 4
    for inconnu in ("2026-10/2", "2026-10/0", "2026-13/1", "2026-09/1"):
        assert comptable.get(f"/admin/factures/imprimer/{regie.pk}/{inconnu}.pdf").status_code == 404


def test_le_banc_compare_les_debits_et_ne_garde_rien(famille_durand, regie):
    facturer(famille_durand, regie, ligne("Accueil", "5"))
    avant, sortie = fichiers(), io.StringIO()
    call_command("bench_pdf", nombre=2, processus=1, stdout=sortie)
    formes = [
        r"portail\s: 2 PDF à 1 processus, \d+,\d s, \d+,\d par seconde",
        r"WeasyPrint seul\s: 2 PDF à 1 processus, \d+,\d s, \d+,\d par seconde",
        r"\d+\s% du débit de WeasyPrint seul \(90 au moins\)\s: (bien|au-dessous)",
    ]
    lues = sortie.getvalue().splitlines()
    assert [lue for lue, forme in zip(lues, formes, strict=True) if not re.fullmatch(forme, lue)] == []
    assert (PdfFacture.objects.count(), fichiers()) == (0, avant)


# --- Receipts --------------------------------------------------------------------------------------------


def test_le_recu_dit_ce_qui_est_paye_et_ce_qui_reste_a_valoir(famille_durand, regie, connecter, comptes):
    facturer(famille_durand, regie, ligne("Accueil", "25"))
    reglement = encaisser(
        famille_durand,
        regie=regie,
        moyen=Reglement.Moyen.CHEQUE,
        montant=Decimal("30.50"),
        recu_le=date(2026, 11, 10),
        par=comptes["comptable"],
        reference="Chèque 1234567",
    )
    adresse = f"/releve/reglements/{reglement.uuid}/recu.pdf"
    (texte,) = pages(connecter("durand2").get(adresse).content)
    attendus = [
        "Nous avons reçu de Madame Claire Durand et Monsieur Julien Durand la somme de 30,50\u00a0€, le 10 novembre",
        "Chèque (Chèque 1234567). Sous réserve de son encaissement.",
        "Facture n°\u00a02026-000001 25,00\u00a0€",
        "À valoir sur vos prochaines factures 5,50\u00a0€",
    ]
    assert [attendu for attendu in attendus if attendu not in texte] == []
    annuler_reglement(reglement, motif="chèque refusé", par=comptes["comptable"])
    assert connecter("durand").get(adresse).status_code == 404


def test_de_l_enfant_qu_il_ne_peut_plus_voir_un_adulte_imprime_les_montants_seuls(
    connecter, comptes, famille_durand, regie, lea
):
    jours = [["2026-10-05", "Réservé le 2 septembre, présent."]]
    facture = facturer(famille_durand, regie, ligne("Repas", "48.00", enfant=lea, jours=jours))
    SuspensionAcces.objects.create(enfant=lea, adulte=comptes["durand2"].adulte, motif="Jugement")
    vues = {}
    for qui in ("durand2", "durand", "durand2"):
        reponse = connecter(qui).get(f"/factures/{facture.uuid}/facture.pdf")
        vues[qui] = " ".join(pages(b"".join(reponse)))
    assert {qui: ("Léa" in v, "Réservé le 2" in v, "48,00" in v) for qui, v in vues.items()} == {
        "durand": (True, True, True),
        "durand2": (False, False, True),
    }
