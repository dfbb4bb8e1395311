"""A new e-mail address counts once its link is followed, and the old one is told (docs/decisions/004)."""

import re

import pytest
from django.core import signing

from demandes import actions as demandes
from demandes.models import Demande
from demandes.types import TYPES
from familles.actions import SEL_COURRIEL, demander_courriel
from familles.models import Famille, Utilisateur
from messagerie.models import Courriel
from tests.conftest import ClientVerifie

pytestmark = pytest.mark.django_db

ANCIENNE, NOUVELLE = "claire.durand@famille.example", "claire@neuve.example"


@pytest.fixture
def claire(comptes):
    return comptes["durand"]


def adresses():
    """Claire's address, and the one that waits."""
    compte = Utilisateur.objects.get(identifiant="durand")
    return compte.courriel, compte.courriel_en_attente


def demander(claire, courriel=NOUVELLE):
    """The link that leaves for a new address."""
    demander_courriel(claire, courriel)
    return lien_recu(Courriel.objects.filter(destinataire=courriel).latest("pk"))


def lien_recu(courriel):
    (lien,) = re.findall(r"\S+(/adresse-e-mail/\S+)", courriel.corps)
    return lien


def suivre(lien, navigateur=None):
    """Open the link, press its button."""
    return (navigateur or ClientVerifie()).post(lien)


def est_hors_d_usage(reponse):
    page = reponse.content.decode()
    return reponse.status_code == 410 and "Ce lien ne sert plus" in page and 'href="/connexion/"' in page


def test_la_nouvelle_adresse_ne_compte_qu_une_fois_son_lien_suivi(claire):
    lien = demander(claire)
    assert adresses() == (ANCIENNE, NOUVELLE)
    assert list(Courriel.objects.values_list("destinataire", flat=True)) == [NOUVELLE]
    reponse = suivre(lien)
    assert (reponse.status_code, reponse.url) == (302, "/connexion/")
    assert adresses() == (NOUVELLE, "")


def test_l_ancienne_adresse_est_prevenue_sans_apprendre_la_nouvelle(claire):
    lien = demander(claire)
    Courriel.objects.all().delete()
    suivre(lien)
    courriel = Courriel.objects.get()
    assert courriel.destinataire == ANCIENNE
    assert "a changé" in courriel.objet
    assert "Si ce n'est pas vous, prévenez la mairie" in courriel.corps
    assert [dit for dit in (NOUVELLE, "Durand", "/adresse-e-mail/") if dit in courriel.objet + courriel.corps] == []


def test_une_premiere_adresse_ne_previent_personne(claire):
    Utilisateur.objects.filter(identifiant="durand").update(courriel="")
    claire.refresh_from_db()
    lien = demander(claire)
    Courriel.objects.all().delete()
    suivre(lien)
    assert (adresses(), Courriel.objects.count()) == ((NOUVELLE, ""), 0)


def test_un_robot_qui_ouvre_le_lien_ne_change_rien(claire):
    lien = demander(claire)
    for _ in range(2):
        reponse = ClientVerifie().get(lien)
        assert reponse.status_code == 200
        assert NOUVELLE in reponse.content.decode()
    assert (adresses(), Courriel.objects.count()) == ((ANCIENNE, NOUVELLE), 1)
    assert suivre(lien).status_code == 302


def test_le_bouton_demande_un_jeton_de_formulaire(claire):
    navigateur = ClientVerifie(enforce_csrf_checks=True)
    assert suivre(demander(claire), navigateur).status_code == 403
    assert adresses() == (ANCIENNE, NOUVELLE)


def test_une_demande_plus_recente_annule_l_ancien_lien(claire):
    ancien = demander(claire)
    recent = demander(claire, "autre@neuve.example")
    assert est_hors_d_usage(suivre(ancien))
    assert adresses() == (ANCIENNE, "autre@neuve.example")
    suivre(recent)
    assert adresses() == ("autre@neuve.example", "")


def test_le_lien_ne_sert_qu_une_fois(claire):
    lien = demander(claire)
    suivre(lien)
    Utilisateur.objects.filter(identifiant="durand").update(courriel="rectifiee@mairie.example")
    assert est_hors_d_usage(suivre(lien))
    assert adresses() == ("rectifiee@mairie.example", "")


def test_un_lien_mort_se_dit_des_l_ouverture(claire):
    lien = demander(claire)
    suivre(lien)
    assert est_hors_d_usage(ClientVerifie().get(lien))


def test_le_lien_vaut_trois_jours(claire, monkeypatch):
    maintenant = signing.time.time()

    def demander_il_y_a(secondes):
        with monkeypatch.context() as passe:
            passe.setattr("django.core.signing.time.time", lambda: maintenant - secondes)
            return demander(claire)

    vieux = demander_il_y_a(3 * 24 * 3600 + 5)
    assert est_hors_d_usage(ClientVerifie().get(vieux))
    assert est_hors_d_usage(suivre(vieux))
    assert adresses() == (ANCIENNE, NOUVELLE)
    assert suivre(demander_il_y_a(3 * 24 * 3600 - 60)).status_code == 302
    assert adresses() == (NOUVELLE, "")


def test_un_lien_fabrique_est_une_page_claire(claire, comptes):
    jeton = demander(claire).split("/")[2]
    charge, _, signature = jeton.rpartition(":")
    charge_d_un_autre = signing.dumps([comptes["martin"].pk, NOUVELLE], salt=SEL_COURRIEL).rpartition(":")[0]
    faux = {
        "tronqué": jeton[:-1],
        "sans signature": charge,
        "vide de sens": "abc",
        "étrange": "é\u202e<b>",
        "d'un autre usage": signing.dumps([claire.pk, NOUVELLE], salt="autre"),
        "d'un autre compte": f"{charge_d_un_autre}:{signature}",
        "d'un compte effacé": signing.dumps([0, NOUVELLE], salt=SEL_COURRIEL),
        "pour qui n'a rien demandé": signing.dumps([comptes["martin"].pk, NOUVELLE], salt=SEL_COURRIEL),
    }
    hors_d_usage = {nom: est_hors_d_usage(suivre(f"/adresse-e-mail/{lu}/")) for nom, lu in faux.items()}
    assert hors_d_usage == dict.fromkeys(faux, True)
    assert adresses() == (ANCIENNE, NOUVELLE)
    assert Utilisateur.objects.filter(courriel=NOUVELLE).count() == 0


def test_de_la_demande_a_l_adresse_confirmee(connecter, comptes):
    famille = Famille.objects.get(responsables__utilisateur=comptes["durand"])
    saisie = {**TYPES["responsable"].actuelles(famille), "courriel": " Claire@Neuve.EXAMPLE "}
    navigateur = connecter("durand")
    assert navigateur.post("/mon-compte/responsable/", saisie).status_code == 302
    demande = Demande.objects.en_attente().get(famille=famille, type="responsable")
    assert demande.valeurs_demandees == {"courriel": NOUVELLE}
    assert not Courriel.objects.filter(destinataire=NOUVELLE).exists(), "le lien part avant l'accord de la mairie"
    demandes.accepter(demande.pk, par=comptes["agent"])
    assert adresses() == (ANCIENNE, NOUVELLE)
    assert "à confirmer" in navigateur.get("/mon-compte/").content.decode()
    suivre(lien_recu(Courriel.objects.get(destinataire=NOUVELLE)))
    assert adresses() == (NOUVELLE, "")


@pytest.mark.parametrize("agent", ["agent", "admin"])
def test_une_adresse_corrigee_par_un_agent_attend_aussi_son_lien(agent, claire, connecter):
    compte = f"/admin/familles/utilisateur/{claire.pk}/change/"
    saisie = {"identifiant": "durand", "prenom": "Claire", "nom": "Durand", "courriel": NOUVELLE, "is_active": "on"}
    assert connecter(agent).post(compte, saisie).status_code == 302
    assert adresses() == (ANCIENNE, NOUVELLE)
    suivre(lien_recu(Courriel.objects.get(destinataire=NOUVELLE)))
    assert adresses() == (NOUVELLE, "")
