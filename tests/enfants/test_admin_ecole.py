"""Schools, vaccines and holidays in the admin."""

from datetime import date
from html import unescape

import pytest

from enfants.models import Affectation, Ecole, Enfant, Implantation, PeriodeVacances, Service, Site, Vaccin
from tests.saisie_admin import saisie

pytestmark = pytest.mark.django_db


@pytest.fixture
def bourg(distribution):
    return Ecole.objects.get(nom="École élémentaire du Bourg")


def page_de(objet):
    return f"/admin/enfants/{objet._meta.model_name}/{objet.pk}/change/"


def enregistrer(navigateur, objet, **tapees):
    return navigateur.post(page_de(objet), saisie(navigateur.get(page_de(objet)), **tapees))


def test_la_liste_compte_les_classes_et_les_enfants_presents(bourg, connecter):
    Enfant.objects.filter(prenom="Zoé").update(archive_le=date(2026, 7, 4))
    lignes = connecter("agent").get("/admin/enfants/ecole/").context["cl"].result_list
    assert [(e.nom, e.n_classes, e.n_enfants) for e in lignes] == [
        ("École des Pommiers", 2, 2),
        ("École élémentaire du Bourg", 3, 2),
    ]


def test_l_animateur_se_choisit_parmi_les_agents_en_activite(bourg, connecter, comptes):
    comptes["comptable"].is_active = False
    comptes["comptable"].save()
    groupe = connecter("agent").get(page_de(bourg)).context["inline_admin_formsets"][1]
    noms = {libelle for _, libelle in groupe.formset.empty_form.fields["animateur"].choices} - {"---------"}
    assert {"Hugo Leroy", "Nadia Petit"} <= noms
    assert noms & {"Claire Durand", "Anne Girard"} == set()


def test_affecter_un_animateur_lui_ouvre_l_ecole_et_le_retirer_la_ferme(bourg, connecter, comptes):
    zoe = f"/admin/enfants/enfant/{Enfant.objects.get(prenom='Zoé').pk}/change/"
    enregistrer(connecter("agent"), bourg, **{"affectations-0-DELETE": "on"})
    assert not Affectation.objects.exists()
    assert connecter("animateur").get(zoe).url == "/admin/"
    ligne = {"affectations-TOTAL_FORMS": "1", "affectations-0-animateur": comptes["animateur"].pk}
    assert enregistrer(connecter("agent"), bourg, **ligne).status_code == 302
    assert connecter("animateur").get(zoe).status_code == 200


def test_deux_fois_le_meme_animateur_se_dit(bourg, connecter, comptes):
    ligne = {"affectations-TOTAL_FORMS": "2", "affectations-1-animateur": comptes["animateur"].pk}
    assert enregistrer(connecter("agent"), bourg, **ligne).status_code == 200
    assert Affectation.objects.count() == 1


def test_une_classe_avec_des_enfants_ne_se_supprime_pas(bourg, connecter):
    assert enregistrer(connecter("agent"), bourg, **{"classes-0-DELETE": "on"}).status_code == 200
    assert bourg.classes.count() == 3


def test_le_code_d_un_vaccin_ne_change_plus(distribution, connecter):
    rougeole = Vaccin.objects.get(code="ROUGEOLE")
    assert enregistrer(connecter("agent"), rougeole, code="AUTRE", nom="Rougeole (ROR)").status_code == 302
    rougeole.refresh_from_db()
    assert (rougeole.code, rougeole.nom) == ("ROUGEOLE", "Rougeole (ROR)")


@pytest.mark.parametrize(
    ("du", "au", "phrase"),
    [
        ("2026-12-26", "2026-12-19", "La fin vient avant le début."),
        ("2026-12-26", "2027-01-10", "D'autres vacances couvrent ces jours."),
    ],
)
def test_des_vacances_impossibles_se_disent(du, au, phrase, distribution, connecter):
    donnees = {"nom": "Noël", "valable_du": du, "valable_au": au}
    reponse = connecter("agent").post("/admin/enfants/periodevacances/add/", donnees)
    assert phrase in unescape(reponse.content.decode())
    assert PeriodeVacances.objects.filter(nom="Noël").count() == 0


def test_une_ecole_ou_l_on_tient_un_service_ne_se_supprime_pas(connecter):
    """Its place would be left without a school, and take the children of all."""
    ecole = Ecole.objects.create(nom="École neuve")
    service, site = Service.objects.get(code="accueil-soir"), Site.objects.create(nom="Préau")
    Implantation.objects.create(service=service, site=site).ecoles.add(ecole)
    admin, adresse = connecter("admin"), f"/admin/enfants/ecole/{ecole.pk}/delete/"
    assert admin.post(adresse, {"post": "yes"}).status_code == 403
    Implantation.objects.filter(site=site).delete()
    assert admin.post(adresse, {"post": "yes"}).status_code == 302
    assert not Ecole.objects.filter(nom="École neuve").exists()
