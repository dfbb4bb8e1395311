"""Accounts in the admin: who may touch which, and how an address changes."""

import pytest
from django.urls import reverse

from familles.models import Utilisateur
from messagerie.models import Courriel

pytestmark = pytest.mark.django_db


def modifier(navigateur, compte, **changes):
    donnees = {"identifiant": compte.identifiant, "prenom": compte.prenom, "nom": compte.nom, "is_active": "on"}
    adresse = reverse("admin:familles_utilisateur_change", args=[compte.pk])
    return navigateur.post(adresse, {**donnees, "courriel": compte.courriel, **changes}, follow=True)


def test_une_adresse_saisie_par_l_agent_attend_aussi_son_lien(connecter, comptes):
    Courriel.objects.all().delete()
    modifier(connecter("agent"), comptes["durand"], courriel="neuve@famille.example")
    compte = Utilisateur.objects.get(identifiant="durand")
    assert (compte.courriel, compte.courriel_en_attente) == ("claire.durand@famille.example", "neuve@famille.example")
    assert Courriel.objects.get().destinataire == "neuve@famille.example"


def test_l_agent_ne_touche_pas_aux_comptes_de_ses_collegues(connecter, comptes):
    statuts = {
        qui: modifier(connecter(qui), comptes["comptable"], prenom="Annie").status_code
        for qui in ("agent", "comptable", "tresorerie")
    }
    assert statuts == {"agent": 403, "comptable": 403, "tresorerie": 403}
    comptes["comptable"].refresh_from_db()
    assert comptes["comptable"].prenom == "Anne"


def test_un_administrateur_ne_s_eleve_pas(connecter, comptes):
    compte = comptes["admin"]
    Utilisateur.objects.filter(pk=compte.pk).update(is_superuser=False)
    modifier(connecter("admin"), comptes["comptable"], prenom="Annie", is_superuser="on", groups=["1", "5"])
    comptable = Utilisateur.objects.get(identifiant="comptable")
    assert (comptable.prenom, comptable.is_superuser) == ("Annie", False)
    assert [groupe.name for groupe in comptable.groups.order_by("name")] == ["Comptabilité"]


def test_un_nouveau_compte_n_ouvre_rien_sans_son_lien(connecter):
    donnees = {"identifiant": "nouvel.agent", "prenom": "Lou", "nom": "Blanc", "is_active": "on", "is_staff": "on"}
    connecter("admin").post(reverse("admin:familles_utilisateur_add"), donnees)
    compte = Utilisateur.objects.get(identifiant="nouvel.agent")
    assert (compte.has_usable_password(), compte.is_staff, compte.is_superuser) == (False, True, False)
