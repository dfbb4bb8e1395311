"""The accountant bills a month: the pages from the first click to the invoices."""

import pytest

from facturation import campagnes
from facturation.actions import creer_avoir
from facturation.models import Campagne, DecisionJour, Facture, Regie
from familles.models import Utilisateur
from portail.outils.argent import euros
from tests.facturation import test_mois
from tests.facturation.mois_essai import emettre, facture_de, journee, preparer

pytestmark = pytest.mark.django_db
octobre = test_mois.octobre
ADRESSE = "/admin/facturer/"


@pytest.fixture
def comptable(connecter):
    return connecter("comptable")


def test_du_mois_choisi_aux_factures_emises(comptable):
    journee("Léa", "durand", "accueil-soir", 1)
    ouverture = comptable.post(ADRESSE, {"regie": campagne_regie("periscolaire"), "mois": "2026-10-01"})
    page = ouverture.headers["Location"]
    assert "Préparer les brouillons" in comptable.get(page).text
    comptable.post(page, {"action": "preparer"})
    assert "Brouillons en préparation" in comptable.get(page).text
    campagnes.poursuivre()
    prete = comptable.get(page).text
    assert "Accueil du soir, prestation" in prete
    assert "2,20\u00a0€" in prete
    refus = comptable.post(page, {"action": "emettre", "emise_le": "2026-11-03", "echeance": "2026-12-03"})
    assert (refus.status_code, "Cochez la case" in refus.text) == (422, True)
    dates = {"emise_le": "2026-11-03", "echeance": "2026-12-03", "compris": "on"}
    comptable.post(page, {"action": "emettre", **dates})
    campagnes.poursuivre()
    assert "Factures émises" in comptable.get(page).text
    assert facture_de("durand", "periscolaire").etat == Facture.Etat.EMISE


def campagne_regie(code):
    return Regie.objects.get(code=code).pk


def test_des_jours_coches_sont_decides_avec_une_raison(comptable):
    for numero in (1, 2):
        journee("Léa", "durand", "restauration", numero, vu=False)
    campagne = preparer()
    page = f"{ADRESSE}{campagne.pk}/"
    assert "absent sans l&#x27;avoir annoncé" in comptable.get(page).text
    jours = [str(a.pk) for a in campagne.anomalies.filter(genre="SANS_PRESENCE")]
    assert len(jours) == 2
    choix = {"action": "decider", "geste": "ne-pas-facturer", "jours": jours}
    for manque, phrase in (({"motif": ""}, "Donnez une raison"), ({"motif": "Grève", "jours": []}, "Cochez au moins")):
        refus = comptable.post(page, choix | manque)
        assert (refus.status_code, phrase in refus.text) == (422, True)
    comptable.post(page, choix | {"motif": "Car en panne"})
    assert set(DecisionJour.objects.values_list("facturer", "motif")) == {(False, "Car en panne")}
    assert not Facture.objects.exists()
    rejoue = comptable.post(page, choix | {"motif": "Encore"})
    assert (rejoue.status_code, "préparés de nouveau" in rejoue.text) == (422, True)


def test_une_anomalie_d_un_autre_mois_ne_se_decide_pas_ici(comptable):
    journee("Léa", "durand", "restauration", 1, vu=False)
    journee("Léa", "durand", "accueil-soir", 1, vu=False)
    ici, ailleurs = preparer(), preparer("periscolaire")
    choix = {"action": "decider", "geste": "facturer", "motif": "x", "jours": [ailleurs.anomalies.get().pk]}
    assert comptable.post(f"{ADRESSE}{ici.pk}/", choix).status_code == 422
    assert not DecisionJour.objects.exists()


def test_un_mois_en_cours_ne_se_lance_pas_deux_fois(comptable):
    campagne = preparer()
    page = f"{ADRESSE}{campagne.pk}/"
    comptable.post(page, {"action": "preparer"})
    deuxieme = comptable.post(page, {"action": "preparer"}, follow=True)
    assert "attendez qu&#x27;elle finisse" in deuxieme.text
    assert Campagne.objects.get(pk=campagne.pk).etape == "PREPARATION"


def test_un_mois_inconnu_de_la_liste_est_refuse(comptable):
    refus = comptable.post(ADRESSE, {"regie": campagne_regie("restauration"), "mois": "2031-01-01"})
    assert (refus.status_code, "Choisissez un mois de la liste" in refus.text) == (422, True)
    assert not Campagne.objects.exists()


# --- What the page says when something is missing, and once done -------------------------------------------


def test_les_jours_coches_le_restent_quand_la_raison_manque(comptable):
    for numero in (1, 2):
        journee("Léa", "durand", "restauration", numero, vu=False)
    campagne = preparer()
    premier, second = campagne.anomalies.filter(genre="SANS_PRESENCE").order_by("pk")
    choix = {"action": "decider", "geste": "facturer", "jours": [premier.pk], "motif": ""}
    refus = comptable.post(f"{ADRESSE}{campagne.pk}/?genre=SANS_PRESENCE", choix).text
    assert (f'value="{premier.pk}" checked' in refus, f'value="{second.pk}" checked' in refus) == (True, False)


def test_la_derniere_anomalie_d_une_sorte_decidee_la_page_montre_les_autres(comptable):
    journee("Léa", None, "restauration", 1)
    journee("Léa", "durand", "restauration", 2, vu=False)
    campagne = preparer()
    page = f"{ADRESSE}{campagne.pk}/?genre=SANS_RESERVATION"
    choix = {"action": "decider", "geste": "facturer", "motif": "Repas servi"}
    choix["jours"] = [campagne.anomalies.get(genre="SANS_RESERVATION").pk]
    suite = comptable.post(page, choix, follow=True).text
    assert "1 jour décidé\u00a0: facturé." in suite
    assert "absent sans l&#x27;avoir annoncé" in suite


def test_une_date_refusee_se_dit_pres_des_dates_qui_restent_comme_ecrites(comptable):
    journee("Léa", "durand", "accueil-soir", 1)
    page = f"{ADRESSE}{preparer('periscolaire').pk}/"
    refus = comptable.post(
        page, {"action": "emettre", "emise_le": "2026-10-15", "echeance": "2026-12-03", "compris": "on"}
    )
    formulaire = refus.text.partition('id="emettre"')[2]
    assert refus.status_code == 422
    assert "Les factures se datent entre la fin du mois" in formulaire
    assert 'value="2026-10-15"' in formulaire


def test_une_facture_annulee_ne_compte_plus_dans_le_total_du_mois(comptable):
    journee("Léa", "durand", "accueil-soir", 1)
    journee("Inès", "benali", "accueil-soir", 1)
    emettre("periscolaire")
    page = f"{ADRESSE}{Campagne.objects.get().pk}/"
    annulee = facture_de("durand", "periscolaire")
    garde = facture_de("benali", "periscolaire")
    creer_avoir(annulee, motif="Erreur", par=Utilisateur.objects.get(identifiant="comptable"))
    assert comptable.get(page).context["resume"] == [
        ("Factures émises", "1"),
        ("Total facturé", euros(garde.total)),
        ("Annulées par un avoir, non comptées", "1"),
    ]


def test_du_mois_prepare_un_lien_mene_a_ses_brouillons(comptable):
    journee("Léa", "durand", "accueil-soir", 1)
    lien = comptable.get(f"{ADRESSE}{preparer('periscolaire').pk}/").context["brouillons"]
    liste = comptable.get(lien).context["cl"].result_list
    assert [facture.pk for facture in liste] == [facture_de("durand", "periscolaire").pk]
