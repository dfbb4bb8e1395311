"""The loop: a family asks, an agent decides, the file changes, the family is told why."""

from datetime import date
from decimal import Decimal

import pytest
from django.core import mail
from django.core.exceptions import ValidationError

from demandes import actions
from demandes.models import Demande
from familles.actions import modifier_adulte
from familles.models import CoordonneesBancaires, Responsable
from messagerie.models import Courriel, Fil
from messagerie.taches import envoyer_courriels

pytestmark = pytest.mark.django_db


def claire():
    return Responsable.objects.select_related("utilisateur", "famille").get(utilisateur__identifiant="durand")


def test_accepter_change_le_dossier_et_previent_la_famille(deposer, comptes):
    demande = deposer("durand", "responsable", telephone_mobile="0639981099")
    actions.accepter(demande.pk, par=comptes["agent"], version=demande.version)
    demande.refresh_from_db()
    assert claire().telephone_mobile == "06 39 98 10 99"
    assert (demande.etat, demande.traitee_par) == ("ACCEPTEE", comptes["agent"])
    message = Fil.objects.filter(famille=demande.famille).latest("pk").messages.get()
    assert message.fil.sujet == "Infos Responsable : demande acceptée"
    assert message.lien == f"/demandes/{demande.uuid}/"


def test_seul_ce_qui_change_est_garde(deposer):
    demande = deposer("durand", "responsable", telephone_mobile="06 39 98 10 99", ville="Bourges")
    assert demande.valeurs_avant == {"telephone_mobile": "06 39 98 10 01", "ville": "Saint-Martin-d'Auxigny"}
    assert demande.valeurs_demandees == {"telephone_mobile": "06 39 98 10 99", "ville": "Bourges"}


def test_refuser_ne_touche_pas_au_dossier(deposer, comptes):
    demande = deposer("durand", "responsable", telephone_mobile="06 39 98 10 99")
    actions.refuser(demande.pk, par=comptes["agent"], motif="Le numéro ne répond pas.", version=1)
    demande.refresh_from_db()
    assert claire().telephone_mobile == "06 39 98 10 01"
    assert (demande.etat, demande.motif) == ("REFUSEE", "Le numéro ne répond pas.")
    message = Fil.objects.filter(famille=demande.famille).latest("pk").messages.get()
    assert "Raison : Le numéro ne répond pas." in message.corps


def test_un_refus_sans_raison_est_impossible(deposer, comptes):
    demande = deposer("durand", "responsable", ville="Bourges")
    with pytest.raises(ValidationError, match="pourquoi"):
        actions.refuser(demande.pk, par=comptes["agent"], motif="   ")
    demande.refresh_from_db()
    assert demande.etat == "EN_ATTENTE"


def test_le_courriel_ne_dit_rien_de_personnel(deposer, comptes):
    demande = deposer("durand", "bancaires", titulaire="Claire Durand")
    Courriel.objects.all().delete()
    actions.accepter(demande.pk, par=comptes["comptable"])
    envoyer_courriels()
    assert sorted(m.to[0] for m in mail.outbox) == ["claire.durand@famille.example", "julien.durand@famille.example"]
    for message in mail.outbox:
        assert "Durand" not in message.subject + message.body
        assert "une réponse à votre demande" in message.subject


def test_redemander_modifie_la_demande_en_attente(deposer):
    premiere = deposer("durand", "responsable", ville="Bourges")
    seconde = deposer("durand2", "responsable", ville="Vierzon")
    assert seconde.pk == premiere.pk
    assert (seconde.version, seconde.valeurs_demandees) == (2, {"ville": "Vierzon"})
    assert Demande.objects.en_attente().filter(famille=premiere.famille, type="responsable").count() == 1


def test_l_agent_ne_decide_pas_d_une_version_qu_il_n_a_pas_lue(deposer, comptes):
    demande = deposer("durand", "responsable", ville="Bourges")
    deposer("durand", "responsable", ville="Vierzon")
    with pytest.raises(actions.DemandeModifiee, match="Relisez-la"):
        actions.accepter(demande.pk, par=comptes["agent"], version=1)
    assert claire().famille.ville == "Saint-Martin-d'Auxigny"


def test_le_second_agent_lit_qui_a_decide(deposer, comptes):
    demande = deposer("durand", "responsable", ville="Bourges")
    actions.accepter(demande.pk, par=comptes["agent"])
    with pytest.raises(actions.DemandeDejaTraitee, match="acceptée par Nadia Petit, aujourd'hui à"):
        actions.refuser(demande.pk, par=comptes["admin"], motif="Trop tard")


def test_un_dossier_change_depuis_le_depot_garde_la_demande_en_attente(deposer, comptes):
    demande = deposer("durand", "responsable", telephone_mobile="06 39 98 10 99")
    modifier_adulte(claire(), {"telephone_mobile": "06 39 98 11 11"})
    with pytest.raises(actions.DossierModifie, match="Téléphone mobile"):
        actions.accepter(demande.pk, par=comptes["agent"])
    demande.refresh_from_db()
    assert (demande.etat, claire().telephone_mobile) == ("EN_ATTENTE", "06 39 98 11 11")


def test_un_autre_champ_change_depuis_n_empeche_rien(deposer, comptes):
    demande = deposer("durand", "responsable", telephone_mobile="06 39 98 10 99")
    modifier_adulte(claire(), {"profession": "Sage-femme"})
    actions.accepter(demande.pk, par=comptes["agent"])
    assert (claire().telephone_mobile, claire().profession) == ("06 39 98 10 99", "Sage-femme")


def test_retirer_puis_redemander(deposer, comptes):
    demande = deposer("durand", "responsable", ville="Bourges")
    actions.retirer(demande, par=comptes["durand"])
    with pytest.raises(actions.DemandeDejaTraitee, match="retirée par Claire Durand"):
        actions.accepter(demande.pk, par=comptes["agent"])
    assert deposer("durand", "responsable", ville="Bourges").pk != demande.pk


def test_rien_a_demander_n_ecrit_rien(deposer):
    avant = Demande.objects.count()
    with pytest.raises(actions.RienADemander):
        deposer("martin", "responsable")
    assert Demande.objects.count() == avant


def test_accepter_un_conjoint_lui_ouvre_un_compte(deposer, comptes):
    demande = deposer(
        "martin", "conjoint", prenom="marc", nom="PETITJEAN", telephone_mobile="+33639982002", courriel="M@Ex.FR"
    )
    actions.accepter(demande.pk, par=comptes["agent"])
    conjoint = Responsable.objects.get(famille=demande.famille, rang=2)
    assert str(conjoint) == "Marc Petitjean"
    assert conjoint.utilisateur.identifiant == "marc.petitjean"
    assert conjoint.telephone_mobile == "06 39 98 20 02"
    assert not conjoint.utilisateur.has_usable_password()


def test_un_adulte_ne_change_pas_l_adresse_e_mail_de_l_autre(deposer):
    demande = deposer("durand", "conjoint", profession="Ébéniste", courriel="voleur@ailleurs.example")
    assert demande.valeurs_demandees == {"profession": "Ébéniste"}


def test_accepter_la_caf_date_le_quotient(deposer, comptes):
    demande = deposer("martin", "caf", caisse="CAF du Cher", quotient="1 234,50", mois="10/2026")
    decision = {"effet": date(2026, 12, 1), "expiration": date(2027, 8, 31), "source": "CDAP"}
    actions.accepter(demande.pk, par=comptes["comptable"], decision=decision)
    quotient = demande.famille.quotients.get()
    assert (quotient.valeur, quotient.source, quotient.mois) == (Decimal("1234.50"), "CDAP", date(2026, 10, 1))
    assert (quotient.valable_du, quotient.valable_au) == (date(2026, 12, 1), date(2027, 8, 31))
    assert quotient.saisi_par == comptes["comptable"]


def test_un_nouveau_quotient_ferme_le_precedent_la_veille(deposer, comptes, famille_durand):
    ancien = famille_durand.quotients.get()
    demande = Demande.objects.en_attente().get(famille=famille_durand, type="caf")
    actions.retirer(demande, par=comptes["durand"])
    effet = date(ancien.valable_du.year + 1, 1, 1)
    demande = deposer("durand", "caf", quotient="900", mois="01/2026")
    actions.accepter(demande.pk, par=comptes["agent"], decision={"effet": effet, "expiration": date(effet.year, 8, 31)})
    assert list(famille_durand.quotients.order_by("valable_du").values_list("valeur", "valable_au")) == [
        (Decimal("812"), date(ancien.valable_du.year, 12, 31)),
        (Decimal("900"), date(effet.year, 8, 31)),
    ]


def test_ne_pas_communiquer_vaut_la_tranche_la_plus_haute(deposer, comptes):
    demande = deposer("martin", "caf", non_communique="on")
    actions.accepter(demande.pk, par=comptes["agent"])
    quotient = demande.famille.quotients.get()
    assert (quotient.valeur, quotient.source) == (None, "NON_COMMUNIQUE")


def test_l_avis_d_imposition_donne_le_quotient_par_la_formule(deposer, comptes):
    demande = deposer("martin", "fiscales", revenu_fiscal="30000", parts="2,5", annee="2024")
    actions.accepter(demande.pk, par=comptes["agent"])
    quotient = demande.famille.quotients.get()
    assert (quotient.valeur, quotient.source) == (Decimal("1000.00"), "AVIS")


def test_un_iban_change_est_dit_aux_deux_adultes(deposer, comptes):
    demande = deposer("durand", "bancaires", iban="FR76 3000 6000 0112 3456 7890 189")
    actions.accepter(demande.pk, par=comptes["comptable"])
    fil = Fil.objects.filter(famille=demande.famille).latest("pk")
    assert fil.destinataire is None  # both adults read it
    assert "Demandée par Claire Durand, elle concerne tout le foyer." in fil.messages.get().corps
    assert CoordonneesBancaires.objects.get(famille=demande.famille).iban == "FR7630006000011234567890189"


def test_la_demande_est_lue_au_premier_regard_d_un_agent(deposer, comptes):
    demande = deposer("durand", "responsable", ville="Bourges")
    actions.marquer_lue(demande, par=comptes["agent"])
    actions.marquer_lue(demande, par=comptes["admin"])
    demande.refresh_from_db()
    assert demande.lue_par == comptes["agent"]
