"""« Simuler »: the price of a day, why, who helps, and « et si »; nothing is written."""

import re
from datetime import date
from html import unescape

import pytest

from enfants.models import Enfant, Service
from facturation.models import AideFamille
from familles.models import QuotientFamilial
from tests.facturation.grilles_essai import TARD, tarifer, voter

pytestmark = pytest.mark.django_db

ADRESSE = "/admin/simuler/"


@pytest.fixture
def cantine(automne, famille_durand):
    QuotientFamilial.objects.filter(famille=famille_durand).delete()
    QuotientFamilial.objects.create(famille=famille_durand, valeur=812, source="CDAP", valable_du=date(2026, 9, 1))
    return voter("restauration", "400:1,20", "1000:3,40", "4,80", majorations=[TARD])


def demander(navigateur, famille, prenom="Léa", service="restauration", jour="2026-11-23", **autres):
    enfant, service = Enfant.objects.get(prenom=prenom), Service.objects.get(code=service)
    donnees = {"famille": famille.pk, "enfant": enfant.pk, "service": service.pk, "jour": jour}
    return navigateur.get(ADRESSE, donnees | autres)


def sections(reponse):
    """The text of each answer, spaces as one."""
    page = unescape(reponse.content.decode()).replace("\u00a0", " ")
    trouvees = re.findall(r'<section class="rentree-classe simulation".*?</section>', page, re.S)
    return [" ".join(re.sub("<[^>]+>", " ", section).split()) for section in trouvees]


def fautes(reponse):
    return {nom: [f.replace("\u00a0", " ") for f in dites] for nom, dites in reponse.context["form"].errors.items()}


def test_un_prix_se_lit_avec_sa_raison_ses_aides_et_un_autre_quotient(cantine, connecter, famille_durand):
    AideFamille.objects.create(famille=famille_durand, organisme="CCAS", montant=1, valable_du=date(2026, 9, 1))
    reponse = demander(connecter("agent"), famille_durand, quotient="350,50")
    assert sections(reponse) == [
        "Léa, lundi 23 novembre 2026 3,40 € par repas : tranche 2, QF 812 au 01/09. "
        "Restauration scolaire, aide de CCAS : -1,00 € La famille paie 2,40 € par repas. "
        "S'y ajoute, selon le cas : réservé après le délai : + 1,70 €",
        "Et si le quotient était de 350,50 1,20 € par repas : tranche 1, QF 350,50 au 23/11. "
        "Restauration scolaire, aide de CCAS : -1,00 € La famille paie 0,20 € par repas. "
        "S'y ajoute, selon le cas : réservé après le délai : + 0,60 €",
    ]
    assert "délibération 2026-42 du 12 juin 2026" in unescape(reponse.content.decode())


def test_sans_grille_ce_jour_la_la_page_le_dit(cantine, connecter, famille_durand):
    reponse = demander(connecter("comptable"), famille_durand, jour="2026-08-31")
    assert (sections(reponse), reponse.context["inconnu"]) == (
        [],
        "Aucune grille de tarifs ne vaut ce jour-là pour ce service.",
    )


def test_une_formule_se_choisit_et_a_son_prix(automne, connecter, famille_durand):
    grille = voter("alsh-mercredi", "10")
    journee, matin = grille.service.formules.order_by("ordre")[:2]
    tarifer(grille, "6", formule=matin)
    navigateur, le = connecter("agent"), {"service": "alsh-mercredi", "jour": "2026-11-25"}
    prix = {
        formule.nom: demander(navigateur, famille_durand, formule=formule.pk, **le).context["resultats"][0]["prix"]
        for formule in (journee, matin)
    }
    assert prix == {"Journée avec repas": "10,00\u00a0€", "Matin sans repas": "6,00\u00a0€"}
    sans = demander(navigateur, famille_durand, **le)
    assert (sans.status_code, fautes(sans)) == (
        422,
        {"formule": ["« ALSH du mercredi » se réserve par formule : choisissez-en une."]},
    )


@pytest.mark.parametrize(
    ("tapees", "attendues"),
    [
        ({"jour": "demain"}, {"jour": ["Écrivez une date sous la forme 24/11/2026."]}),
        ({"jour": "0001-01-01"}, {"jour": ["Vérifiez l'année."]}),
        ({"quotient": "x"}, {"quotient": ["Écrivez un nombre, par exemple 812 ou 812,50."]}),
        ({"quotient": "-1"}, {"quotient": ["Un quotient n'est pas négatif."]}),
        ({"prenom": "Inès"}, {"enfant": ["Choisissez un enfant de cette famille."]}),
    ],
)
def test_une_question_mal_posee_dit_pourquoi(tapees, attendues, cantine, connecter, famille_durand):
    reponse = demander(connecter("agent"), famille_durand, **tapees)
    assert (reponse.status_code, fautes(reponse), sections(reponse)) == (422, attendues, [])


def test_la_famille_se_cherche_et_le_service_reste_choisi(cantine, connecter, famille_durand):
    page = connecter("agent").get(ADRESSE, {"q": "durand", "service": cantine.service_id})
    lien = f"?famille={famille_durand.pk}&service={cantine.service_id}"
    assert f'href="{lien}"' in unescape(page.content.decode())
    suite = connecter("agent").get(ADRESSE + lien)
    assert suite.context["form"]["service"].value() == str(cantine.service_id)
    assert "Aucune famille ne correspond" in connecter("agent").get(ADRESSE, {"q": "zzz"}).content.decode()
