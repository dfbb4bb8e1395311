"""The history of a file: who changed what, before and after, whoever wrote the SQL."""

import pytest
from django.db import connection
from django.urls import reverse

from familles.actions import Periode, enregistrer_quotient
from familles.historique import changements
from familles.models import Responsable

pytestmark = pytest.mark.django_db


def en_bref(famille):
    return [(c.par, c.quoi, c.champ, c.avant, c.apres) for c in changements(famille)]


@pytest.fixture
def sans_passe(famille_martin):
    """A family whose file has not changed since its opening, but for the demo's short login."""
    return famille_martin, len(changements(famille_martin))


def test_une_decision_dit_l_agent_l_avant_et_l_apres(deposer, connecter, sans_passe):
    famille, deja = sans_passe
    demande = deposer("martin", "responsable", telephone_mobile="06 39 98 20 99", profession="Directrice")
    adresse = reverse("admin:demandes_demande_decider", args=[demande.pk])
    connecter("agent").post(adresse, {"decision": "accepter", "version": 1})
    assert sorted(en_bref(famille)[: len(changements(famille)) - deja]) == [
        ("Nadia Petit", "Responsable", "Profession", "Enseignante", "Directrice"),
        ("Nadia Petit", "Responsable", "Téléphone mobile", "06 39 98 20 01", "06 39 98 20 99"),
    ]


def test_un_changement_fait_en_sql_se_voit_aussi(sans_passe):
    famille, deja = sans_passe
    with connection.cursor() as curseur:
        curseur.execute("UPDATE familles_famille SET ville = 'Bourges' WHERE id = %s", [famille.pk])
    assert en_bref(famille)[: len(changements(famille)) - deja] == [
        ("Le portail", "Famille", "Commune", "Quantilly", "Bourges")
    ]


def test_un_quotient_remplace_reste_dans_l_historique(famille_durand, comptes):
    quotient = famille_durand.quotients.get()
    periode = Periode(quotient.valable_du, quotient.valable_au)
    deja = len(changements(famille_durand))
    enregistrer_quotient(famille_durand, 900, source="CDAP", mois=None, periode=periode, par=comptes["agent"])
    nouveaux = en_bref(famille_durand)[: len(changements(famille_durand)) - deja]
    assert nouveaux == [("Le portail", "Quotient familial", "Ligne supprimée", "quotient familial 812.00", "–")]


def test_l_iban_reste_masque(famille_durand):
    compte = famille_durand.coordonnees_bancaires
    compte.iban = "FR7630006000011234567890189"
    compte.save(update_fields=["iban"])
    assert ("Le portail", "Coordonnées bancaires", "IBAN", "FR14 •••• 2606", "FR76 •••• 0189") in en_bref(
        famille_durand
    )


def test_enregistrer_sans_rien_changer_n_ecrit_pas_d_historique(famille_durand):
    deja = len(changements(famille_durand))
    famille_durand.coordonnees_bancaires.save()
    famille_durand.save()
    Responsable.objects.filter(famille=famille_durand).first().save()
    assert len(changements(famille_durand)) == deja


def test_l_historique_s_ouvre_pour_l_agent_et_pas_pour_la_tresorerie(famille_durand, connecter):
    adresse = reverse("admin:familles_famille_history", args=[famille_durand.pk])
    assert {qui: connecter(qui).get(adresse).status_code for qui in ("agent", "tresorerie", "durand")} == {
        "agent": 200,
        "tresorerie": 403,
        "durand": 404,
    }
