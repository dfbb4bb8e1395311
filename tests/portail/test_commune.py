"""The commune's identity on every page."""

import pytest
from django.core.exceptions import ValidationError

from portail.commune import Commune, contraste


@pytest.mark.parametrize("couleur", ["#0f5f6e", "#7a1020", "#000000"])
def test_une_couleur_lisible_est_acceptee(couleur):
    assert Commune(nom="Essai", couleur=couleur).clean_fields() is None


@pytest.mark.parametrize("couleur", ["#6cc5d3", "#ffff00", "rouge"])
def test_une_couleur_illisible_est_refusee(couleur):
    with pytest.raises(ValidationError) as refus:
        Commune(nom="Essai", couleur=couleur).clean_fields()
    assert list(refus.value.message_dict) == ["couleur"]


@pytest.mark.parametrize("couleur", ["#0f5f6e", "#7a1020", "#000000", "#1a1a6e"])
def test_la_couleur_se_lit_aussi_en_sombre(couleur):
    assert contraste(Commune(couleur=couleur).teintes["commune-sombre"], "#1b232b") >= 4.5


@pytest.mark.django_db
def test_le_nom_et_la_couleur_choisis_paraissent_partout(client, distribution):
    commune = Commune.objects.get()
    commune.nom, commune.couleur = "Sainte-Solange", "#7a1020"
    commune.save()
    assert "Sainte-Solange" in client.get("/connexion/").content.decode()
    assert "--commune:#7a1020;" in client.get("/theme.css").content.decode()


@pytest.mark.django_db
def test_sans_encaissement_l_accueil_renvoie_a_la_tresorerie(connecter):
    page = connecter("martin").get("/").content.decode()
    assert "02 48 64 40 72" in page
    commune = Commune.objects.get()
    commune.encaisse = True
    commune.save()
    assert "02 48 64 40 72" not in connecter("martin").get("/").content.decode()
