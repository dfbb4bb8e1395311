"""What a list of the admin may be asked: its own filters, and no column more."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

pytestmark = pytest.mark.django_db

CURIEUX = [
    "/admin/familles/utilisateur/?password__startswith=argon2",
    "/admin/familles/utilisateur/?is_superuser__exact=1",
    "/admin/familles/utilisateur/?identifiant__regex=(",
    "/admin/familles/famille/?responsables__utilisateur__password__startswith=a",
    "/admin/familles/famille/?nom__trigram_similar=x",
    "/admin/demandes/demande/?deposee_le__year=99999",
    "/admin/messagerie/courriel/?corps__contains=lien",
    "/admin/enfants/enfant/?sante__allergies__isnull=1",
    "/admin/enfants/enfant/?rattachements__famille__adresse__startswith=1",
    "/admin/enfants/garde/?enfant__sante__pai_revision__isnull=1",
]


@pytest.mark.parametrize("adresse", CURIEUX)
def test_une_recherche_libre_est_refusee(connecter, adresse):
    assert connecter("admin").get(adresse).status_code == 400


def test_une_selection_forgee_est_refusee(connecter):
    donnees = {"action": "invitations", "_selected_action": "abc"}
    assert connecter("agent").post("/admin/familles/famille/", donnees).status_code == 400


def test_le_filtre_par_famille_joint_une_fois_les_tables(connecter):
    """Each word once joined them anew: sixteen words took seven seconds."""
    agent = connecter("agent")
    with CaptureQueriesContext(connection) as requetes:
        page = agent.get("/admin/demandes/demande/?etat=toutes&famille=" + "+".join("a" * 16))
    assert page.context["cl"].result_count == 3
    assert max(requete["sql"].count("JOIN") for requete in requetes) <= 5


def test_voir_sur_le_site_ne_revele_pas_l_adresse_d_une_demande(connecter):
    assert connecter("animateur").get("/admin/r/38/2/").status_code == 404
