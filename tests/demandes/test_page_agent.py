"""The agent's page: read, accept, refuse, and what the loser of a race reads."""

from html import unescape

import pytest
from django.urls import reverse

from demandes import actions
from demandes.models import Demande
from familles.models import Responsable

pytestmark = pytest.mark.django_db


def adresse(demande, nom="change"):
    return reverse(f"admin:demandes_demande_{nom}", args=[demande.pk])


def texte(reponse):
    return unescape(reponse.content.decode())


def test_l_agent_lit_avant_demande_maintenant(deposer, connecter):
    demande = deposer("durand", "responsable", telephone_mobile="06 39 98 10 99")
    page = texte(connecter("agent").get(adresse(demande)))
    for attendu in ("Avant", "06 39 98 10 01", "Demandé", "06 39 98 10 99", "Maintenant", "Famille Durand"):
        assert attendu in page
    demande.refresh_from_db()
    assert demande.lue_par.identifiant == "agent"


def test_accepter_depuis_la_page(deposer, connecter):
    demande = deposer("durand", "responsable", telephone_mobile="06 39 98 10 99")
    page = connecter("agent").post(
        adresse(demande, "decider"), {"decision": "accepter", "version": 1, "mot": "Merci."}, follow=True
    )
    assert "La famille est prévenue" in texte(page)
    demande.refresh_from_db()
    assert (demande.etat, demande.motif) == ("ACCEPTEE", "Merci.")
    assert Responsable.objects.get(utilisateur__identifiant="durand").telephone_mobile == "06 39 98 10 99"


def test_refuser_sans_raison_garde_la_page_et_dit_quoi_faire(deposer, connecter):
    demande = deposer("durand", "responsable", ville="Bourges")
    page = connecter("agent").post(adresse(demande, "decider"), {"decision": "refuser", "version": 1, "motif": " "})
    assert page.status_code == 422
    assert "Dites à la famille pourquoi sa demande est refusée." in texte(page)
    demande.refresh_from_db()
    assert demande.etat == "EN_ATTENTE"


def test_l_apercu_montre_le_message_sans_rien_envoyer(deposer, connecter):
    demande = deposer("durand", "responsable", ville="Bourges")
    donnees = {"decision": "refuser", "version": 1, "motif": "Le justificatif manque.", "apercu": "1"}
    page = texte(connecter("agent").post(adresse(demande, "decider"), donnees))
    assert "Raison : Le justificatif manque." in page
    demande.refresh_from_db()
    assert demande.etat == "EN_ATTENTE"


def test_le_perdant_lit_qui_a_decide_et_garde_sa_raison(deposer, connecter, comptes):
    demande = deposer("durand", "responsable", ville="Bourges")
    deposer("durand", "responsable", ville="Vierzon")
    donnees = {"decision": "refuser", "version": 1, "motif": "Une longue raison"}
    page = connecter("agent").post(adresse(demande, "decider"), donnees)
    assert page.status_code == 409
    assert "a modifié sa demande" in texte(page)
    assert "Une longue raison" in texte(page)
    actions.accepter(demande.pk, par=comptes["admin"])
    page = connecter("agent").post(adresse(demande, "decider"), {**donnees, "version": 2})
    assert "déjà traitée : acceptée par Isabelle Fabre" in texte(page)


def test_l_agent_choisit_la_date_d_effet_d_un_quotient(deposer, connecter):
    demande = deposer("martin", "caf", quotient="900", mois="10/2026")
    donnees = {
        "decision": "accepter",
        "version": 1,
        "effet": "2027-01-01",
        "expiration": "2026-12-01",
        "source": "CDAP",
    }
    page = connecter("comptable").post(adresse(demande, "decider"), donnees)
    assert page.status_code == 422
    assert "La fin de validité vient avant la date d'effet." in texte(page)
    connecter("comptable").post(adresse(demande, "decider"), {**donnees, "expiration": "2027-08-31"})
    assert str(demande.famille.quotients.get().valable_du) == "2027-01-01"


def test_accepter_en_nombre_dit_ce_qui_n_a_pas_pu_l_etre(deposer, connecter):
    bonne = deposer("martin", "responsable", ville="Bourges")
    perimee = deposer("durand", "responsable", telephone_mobile="06 39 98 10 99")
    Responsable.objects.filter(utilisateur__identifiant="durand").update(telephone_mobile="06 39 98 11 11")
    page = connecter("agent").post(
        reverse("admin:demandes_demande_changelist"),
        {"action": "accepter_la_selection", "_selected_action": [bonne.pk, perimee.pk]},
        follow=True,
    )
    assert "1 demande acceptée, la famille est prévenue." in texte(page)
    assert "Le dossier a changé depuis le dépôt (Téléphone mobile)" in texte(page)
    assert set(Demande.objects.filter(pk__in=[bonne.pk, perimee.pk]).values_list("pk", "etat")) == {
        (bonne.pk, "ACCEPTEE"),
        (perimee.pk, "EN_ATTENTE"),
    }


def test_la_tresorerie_et_l_animateur_ne_decident_pas(deposer, connecter):
    demande = deposer("durand", "responsable", ville="Bourges")
    for identifiant in ("tresorerie", "animateur"):
        page = connecter(identifiant).post(adresse(demande, "decider"), {"decision": "accepter", "version": 1})
        assert page.status_code == 403
    demande.refresh_from_db()
    assert demande.etat == "EN_ATTENTE"


def test_les_filtres_de_la_liste(deposer, connecter):
    deposer("martin", "responsable", ville="Bourges")
    liste = reverse("admin:demandes_demande_changelist")
    agent = connecter("agent")
    compter = lambda requete: agent.get(liste + requete).context["cl"].result_count  # noqa: E731
    attendus = {
        "": 3,  # with the registration that Adam's father asks for
        "?etat=toutes": 4,
        "?etat=ACCEPTEE": 1,
        "?type__exact=caf": 1,
        "?age=2": 1,
        "?famille=martin": 1,
        "?famille=sophie": 0,
        "?famille=%C3%A9": 1,
        "?q=dur%C3%A0nd": 1,
    }
    assert {requete: compter(requete) for requete in attendus} == attendus
