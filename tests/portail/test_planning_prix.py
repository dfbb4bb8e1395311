"""The price before booking: on the page of a cell and in the summary, by the rules of the invoice to come."""

import json
import re
from datetime import date, timedelta
from decimal import Decimal
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from enfants.models import Enfant, Formule, Garde, Reservation
from enfants.regles.presences import AFacturer, Code
from facturation.models import AideFamille
from facturation.regles.grilles import Journee
from facturation.regles.lignes import facturer
from facturation.tarification import Payeurs, grilles
from familles.models import QuotientFamilial
from tests.facturation.grilles_essai import TARD, sans_tarifs, tarifer, voter
from tests.grille import adresse
from tests.test_requetes import comptees, lister

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def rien_de_vote(distribution):
    sans_tarifs()


RECAPITULATIF = "/mes-enfants/recapitulatif/"
SEMAINE_DU_23 = ("2026-11-23", "2026-11-24", "2026-11-26")
TARDIF = "2026-11-17"


@pytest.fixture
def quotients(automne, familles_de):
    """Durand 812, Benali 350, Rossi 1500; Martin tells none."""
    QuotientFamilial.objects.all().delete()
    for identifiant, valeur in {"durand": 812, "benali": 350, "rossi": 1500}.items():
        famille = familles_de(identifiant)
        QuotientFamilial.objects.create(famille=famille, valeur=valeur, source="CDAP", valable_du=date(2026, 9, 1))


@pytest.fixture
def cantine(quotients):
    return voter("restauration", "400:1,20", "1000:3,40", "4,80", majorations=[TARD])


def voulus(prenom, *jours, service="restauration", formule=None):
    enfant = Enfant.objects.get(prenom=prenom).pk
    return [[enfant, service, jour, "RESERVER", formule] for jour in jours]


def recapituler(navigateur, changements, **suite):
    return navigateur.post(RECAPITULATIF, {"changements": json.dumps(changements)} | suite)


def cout(reponse):
    """(lines by child, total, notes), spaces as one."""
    c = reponse.context["cout"]
    propre = lambda texte: texte.replace("\u00a0", " ")  # noqa: E731
    enfants = {prenom: [(propre(dit), propre(montant)) for dit, montant in lignes] for prenom, lignes in c.enfants}
    return enfants, propre(c.total) if c.complet else None, [propre(note) for note in c.notes]


def menu(reponse):
    """The lines about the price on the page of a cell."""
    page = unescape(reponse.content.decode()).replace("\u00a0", " ")
    (prix,) = re.findall(r'<p class="menu-prix">(.*?)</p>', page, re.S)
    return prix.split("<br>")


# --- The summary -----------------------------------------------------------------------------------------


def test_le_recapitulatif_dit_le_prix_de_chaque_jour_et_le_total(cantine, connecter):
    changements = voulus("Léa", *SEMAINE_DU_23) + voulus("Tom", "2026-11-23")
    reponse = recapituler(connecter("durand"), changements)
    assert cout(reponse) == (
        {
            "Léa": [("Restauration scolaire, 3 repas à 3,40 € (tranche 2, QF 812 au 01/09)", "10,20 €")],
            "Tom": [("Restauration scolaire, 1 repas à 3,40 € (tranche 2, QF 812 au 01/09)", "3,40 €")],
        },
        "13,60 €",
        [],
    )
    page = " ".join(unescape(reponse.content.decode()).replace("\u00a0", " ").split())
    assert "<span>Total</span> <strong>13,60 €</strong>" in page


def test_ce_que_le_recapitulatif_annonce_est_ce_que_les_regles_facturent(cantine, connecter, famille_durand):
    """Late days, a helper, a month that ends: the invoice of the bookings, day for day."""
    AideFamille.objects.create(
        famille=famille_durand, organisme="CCAS", pourcent=Decimal(33), valable_du=date(2026, 11, 24)
    )
    navigateur = connecter("durand")
    changements = voulus("Léa", TARDIF, *SEMAINE_DU_23, "2026-11-30", "2026-12-01")
    annonce = recapituler(navigateur, changements)
    recapituler(navigateur, changements, confirmer="1")
    reserves = dict.fromkeys(Reservation.objects.values_list("jour", flat=True), False) | {date(2026, 11, 17): True}
    (datee,) = grilles([cantine.service_id], date(2026, 11, 1), date(2026, 12, 31))[cantine.service_id]
    lea = Enfant.objects.get(prenom="Léa")
    payeur = Payeurs([famille_durand.pk], date(2026, 11, 1), date(2026, 12, 31)).payeur(
        famille_durand.pk, lea.pk, cantine.service_id
    )
    journees = [Journee(jour, Code.PRESENT_RESERVE, AFacturer.OUI, tardif=tard) for jour, tard in reserves.items()]
    lignes = [
        ligne
        for du, au in ((date(2026, 11, 1), date(2026, 11, 30)), (date(2026, 12, 1), date(2026, 12, 31)))
        for ligne in facturer(datee.grille, payeur, journees, du=du, au=au)
    ]
    assert len(journees) == 6
    assert annonce.context["cout"].montant == sum(ligne.montant for ligne in lignes) == Decimal("17.61")
    assert [dit for dit, _ in annonce.context["cout"].enfants[0][1]] == [ligne.libelle for ligne in lignes]
    assert cout(annonce)[2] == ["Les jours que la mairie décidera sont comptés."]


def test_la_majoration_d_un_jour_tardif_est_dite_meme_si_la_premiere_fois_est_pardonnee(cantine, connecter):
    navigateur = connecter("durand")
    (enfants, total, _) = cout(recapituler(navigateur, voulus("Léa", TARDIF)))
    assert (enfants["Léa"][1], total) == (
        ("Restauration scolaire, réservé après le délai, 1 fois à 1,70 €", "1,70 €"),
        "5,10 €",
    )
    cantine.majorations.update(a_partir_de=2)
    (enfants, total, notes) = cout(recapituler(navigateur, voulus("Léa", TARDIF)))
    assert (len(enfants["Léa"]), total) == (1, "3,40 €")
    assert notes == [
        "Restauration scolaire, réservé après le délai : + 1,70 €, à partir de la 2e fois du mois.",
        "Les jours que la mairie décidera sont comptés.",
    ]


def test_sans_grille_le_prix_n_est_pas_communique_et_une_duree_n_a_pas_de_total(cantine, connecter):
    voter("accueil-soir", "1", unite="DUREE", mot="demi-heure", mots="demi-heures")
    changements = voulus("Léa", "2026-11-23")
    changements += voulus("Léa", "2026-11-24", service="accueil-soir")
    changements += voulus("Léa", "2026-11-24", service="accueil-matin")
    reponse = recapituler(connecter("durand"), changements)
    assert (dict(cout(reponse)[0]["Léa"]), reponse.context["cout"].total) == (
        {
            "Restauration scolaire, 1 repas à 3,40 € (tranche 2, QF 812 au 01/09)": "3,40 €",
            "Accueil du soir, 1,00 € par demi-heure (tarif unique), selon la durée": "",
            "Accueil du matin, prix non communiqué": "",
        },
        "3,40\u00a0€",
    )
    assert "Total de ce qui est connu" in reponse.content.decode()


def test_un_forfait_ne_compte_qu_une_fois_et_une_semaine_pleine_a_son_prix(quotients, connecter):
    voter("accueil-matin", "45", unite="MOIS")
    grille = voter("restauration", "3,40")
    grille.tarifs.create(public="SEMAINE", montant=9, jours_semaine=3)
    changements = voulus("Léa", "2026-11-23", "2026-11-24", "2026-12-01", service="accueil-matin")
    changements += voulus("Tom", *SEMAINE_DU_23, "2026-11-30")
    enfants, total, notes = cout(recapituler(connecter("durand"), changements))
    assert enfants == {
        "Léa": [
            ("Accueil du matin, forfait de novembre 2026 (tarif unique)", "45,00 €"),
            ("Accueil du matin, forfait de décembre 2026 (tarif unique)", "45,00 €"),
        ],
        "Tom": [
            ("Restauration scolaire, forfait de la semaine du 23 novembre 2026 (tarif unique)", "9,00 €"),
            ("Restauration scolaire, 1 repas à 3,40 € (tarif unique)", "3,40 €"),
        ],
    }
    assert (total, notes) == ("102,40 €", ["Un forfait se compte une seule fois, avec les jours déjà réservés."])


def test_chaque_foyer_lit_son_prix_pour_le_meme_enfant(cantine, connecter):
    Garde.objects.all().delete()
    prix = {
        foyer: cout(recapituler(connecter(foyer), voulus("Inès", "2026-11-23")))[1] for foyer in ("benali", "rossi")
    }
    assert prix == {"benali": "1,20 €", "rossi": "4,80 €"}


def test_annuler_ne_parle_pas_de_prix(cantine, connecter):
    navigateur = connecter("durand")
    recapituler(navigateur, voulus("Léa", "2026-11-23"), confirmer="1")
    annuler = [[*voulus("Léa", "2026-11-23")[0][:3], "ANNULER", None]]
    reponse = recapituler(navigateur, annuler)
    assert reponse.context["cout"] is None
    assert "Ce que vous paierez" not in reponse.content.decode()


def test_le_prix_de_quatre_vingts_jours_ne_coute_pas_plus_de_requetes_que_celui_d_un(cantine, connecter):
    voter("accueil-soir", "2")
    navigateur = connecter("durand")
    recapituler(navigateur, voulus("Léa", "2027-06-07"))  # what is kept for a minute is read before
    jours = [date(2026, 11, 23) + timedelta(days=7 * n + d) for n in range(20) for d in (0, 1, 3, 4)]
    couts = []
    for choisis in (jours[:1], jours):
        isos = [jour.isoformat() for jour in choisis]
        changements = voulus("Léa", *isos) + voulus("Tom", *isos, service="accueil-soir")
        with CaptureQueriesContext(connection) as captees:
            assert recapituler(navigateur, changements).context["cout"].complet
        couts.append(comptees(captees))
    assert len(couts[0]) == len(couts[1]), lister(couts[1])


# --- One cell --------------------------------------------------------------------------------------------


def test_la_page_d_un_jour_dit_son_prix_l_aide_et_la_majoration(cantine, connecter, famille_durand):
    navigateur = connecter("durand")
    page = menu(navigateur.get(adresse("Léa", "planning/2026-11-23/restauration/")))
    assert page == ["Prix : 3,40 € par repas (tranche 2, QF 812 au 01/09)."]
    tard = menu(navigateur.get(adresse("Léa", f"planning/{TARDIF}/restauration/")))
    assert tard[1:] == ["Réservé après le délai : + 1,70 €."]
    AideFamille.objects.create(famille=famille_durand, organisme="CCAS", montant=1, valable_du=date(2026, 9, 1))
    page = menu(navigateur.get(adresse("Léa", "planning/2026-11-23/restauration/")))
    assert page[1:] == ["Restauration scolaire, aide de CCAS : -1,00 €.", "Il vous reste 2,40 € par repas."]
    assert menu(navigateur.get(adresse("Léa", "planning/2026-11-24/accueil-soir/"))) == ["Prix non communiqué."]


def test_chaque_formule_dit_son_prix_dans_le_choix(quotients, connecter):
    grille = voter("alsh-mercredi", "10")
    matin = Formule.objects.get(service=grille.service, nom="Matin sans repas")
    tarifer(grille, "6", formule=matin)
    reponse = connecter("durand").get(adresse("Léa", "planning/2026-11-25/alsh-mercredi/"))
    choix = re.findall(
        r"<option value=\"\d+\">(.*?)</option>", unescape(reponse.content.decode()).replace("\u00a0", " ")
    )
    assert choix == [
        "Journée avec repas : 10,00 €",
        "Matin sans repas : 6,00 €",
        "Matin avec repas : 10,00 €",
        "Après-midi : 10,00 €",
    ]


def test_un_jour_reserve_ne_redit_pas_son_prix(cantine, connecter):
    navigateur = connecter("durand")
    recapituler(navigateur, voulus("Léa", "2026-11-23"), confirmer="1")
    page = navigateur.get(adresse("Léa", "planning/2026-11-23/restauration/"))
    assert ("menu-prix" in page.content.decode(), "Annuler la réservation" in unescape(page.content.decode())) == (
        False,
        True,
    )
