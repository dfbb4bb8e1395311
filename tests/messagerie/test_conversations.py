"""Threads: what they are about, where they stand, what the mairie and the family find in them."""

from uuid import uuid4

import pytest
from django.utils import timezone

from demandes import actions as demandes
from enfants.actions import separer
from familles.models import Responsable, Utilisateur
from messagerie import actions
from messagerie.models import Courriel, Fil, Lecture, Message, Rangement, ServiceMairie
from tests.demandes.test_concurrence import Course

pytestmark = pytest.mark.django_db


@pytest.fixture
def claire(distribution):
    Fil.objects.all().delete()
    Courriel.objects.all().delete()
    return adulte("durand")


@pytest.fixture
def agent(distribution):
    return Utilisateur.objects.get(identifiant="agent")


@pytest.fixture
def enfance(distribution):
    return ServiceMairie.objects.get(code="enfance-jeunesse")


def adulte(identifiant):
    return Responsable.objects.select_related("utilisateur", "famille").get(utilisateur__identifiant=identifiant)


def ecrire(adulte, service, corps="Bonjour, une question.", **autres):
    return actions.ecrire(adulte, service=service, sujet="Le goûter", corps=corps, **{"cle": uuid4(), **autres})


def repondre_en_agent(fil, agent, corps="Bonjour, voici.", **autres):
    return actions.repondre_a_la_famille(fil, par=agent, corps=corps, **{"cle": uuid4(), **autres})


def boites(adulte):
    """Subjects received, sent, put away."""
    return [
        list(fils.values_list("sujet", flat=True))
        for fils in (
            Fil.objects.recus_par(adulte),
            Fil.objects.envoyes_par(adulte),
            Fil.objects.supprimes_par(adulte),
        )
    ]


def destinataires():
    return sorted(Courriel.objects.values_list("destinataire", flat=True))


# --- Where a thread stands --------------------------------------------------------------------------------


def test_un_fil_attend_la_mairie_puis_la_famille(claire, agent, enfance):
    fil = ecrire(claire, enfance).fil
    etats = [fil.etat]
    repondre_en_agent(fil, agent)
    etats.append(Fil.objects.get().etat)
    actions.repondre(fil, adulte=claire, corps="Merci, et demain ?", cle=uuid4())
    etats.append(Fil.objects.get().etat)
    actions.clore(fil, par=agent)
    etats.append(Fil.objects.get().etat)
    actions.repondre(fil, adulte=claire, corps="Une chose encore.", cle=uuid4())
    etats.append(Fil.objects.get().etat)
    assert etats == ["EN_ATTENTE", "REPONDU", "EN_ATTENTE", "CLOS", "EN_ATTENTE"]


def test_ce_que_le_portail_dit_de_lui_meme_ne_repond_pas_a_une_question(claire, enfance):
    objet = actions.Objet("demande/x", "Réservations de Léa", "/demandes/")
    ecrire(claire, enfance, objet=objet)
    actions.notifier(claire.famille, sujet="Justificatif attendu", corps="…", par=None, objet=objet)
    fil = Fil.objects.get()
    assert (fil.etat, fil.messages.count()) == ("EN_ATTENTE", 2)


def test_la_famille_sait_quand_la_mairie_a_lu(claire, agent, enfance, horloge):
    horloge("2026-11-16T09:00")
    fil = ecrire(claire, enfance).fil
    lu = horloge("2026-11-16T10:30")
    actions.ouvrir(fil, par=agent)
    horloge("2026-11-16T11:00")
    actions.ouvrir(Fil.objects.get(), par=Utilisateur.objects.get(identifiant="admin"))
    fil = Fil.objects.get()
    assert (fil.lu_mairie_le, fil.lu_mairie_par, fil.est_nouveau) == (lu, agent, False)
    actions.repondre(fil, adulte=claire, corps="Et aussi…", cle=uuid4())
    assert Fil.objects.get().est_nouveau


# --- One matter, one thread -------------------------------------------------------------------------------


def test_la_reponse_a_une_demande_rejoint_la_question_posee_sur_elle(claire, agent, enfance, deposer):
    demande = deposer("durand", "responsable", ville="Bourges")
    ecrire(claire, enfance, corps="Faut-il un justificatif ?", objet=demande.objet_du_fil)
    demandes.accepter(demande.pk, par=agent)
    fil = Fil.objects.get()
    assert fil.sujet == "Infos Responsable\u00a0: demande acceptée"
    assert (fil.etat, fil.contexte_libelle) == ("REPONDU", "Infos Responsable")
    assert [message.de_la_mairie for message in fil.messages.all()] == [False, True]


def test_une_question_gardee_pour_soi_n_est_pas_rejointe_par_la_reponse_aux_deux(claire, agent, enfance, deposer):
    demande = deposer("durand", "responsable", ville="Bourges")
    ecrire(claire, enfance, prive=True, objet=demande.objet_du_fil)
    demandes.accepter(demande.pk, par=agent)
    julien = adulte("durand2")
    assert boites(julien)[0] == ["Infos Responsable\u00a0: demande acceptée"]
    assert list(Fil.objects.visibles_par(julien).values_list("messages__corps", flat=True)) == [
        Message.objects.get(de_la_mairie=True).corps
    ]


def test_deux_demandes_font_deux_fils(claire, agent, deposer):
    for demande in (deposer("durand", "responsable", ville="Bourges"), deposer("durand", "conjoint", prenom="Jules")):
        demandes.accepter(demande.pk, par=agent)
    assert Fil.objects.values("contexte").distinct().count() == Fil.objects.count() == 2


# --- Each adult's box -------------------------------------------------------------------------------------


def test_un_fil_est_recu_envoye_ou_les_deux(claire, agent, enfance):
    fil = ecrire(claire, enfance).fil
    assert boites(claire) == [[], ["Le goûter"], []] == boites(adulte("durand2"))
    repondre_en_agent(fil, agent)
    assert boites(claire) == [["Le goûter"], ["Le goûter"], []]


def test_supprimer_ne_range_que_chez_soi_et_la_reponse_ramene_le_fil(claire, agent, enfance):
    fil = ecrire(claire, enfance).fil
    repondre_en_agent(fil, agent)
    actions.supprimer([fil], claire)
    actions.supprimer([fil], claire)
    assert boites(claire) == [[], [], ["Le goûter"]]
    assert boites(adulte("durand2")) == [["Le goûter"], ["Le goûter"], []]
    assert list(Fil.objects.ouverts_a(agent)) == [fil], "la mairie a perdu l'échange"
    repondre_en_agent(fil, agent, "Encore un mot.")
    assert (boites(claire)[0], Rangement.objects.count()) == (["Le goûter"], 0)


def test_restaurer_rend_le_fil_a_sa_place(claire, enfance):
    fil = ecrire(claire, enfance).fil
    actions.supprimer([fil], claire)
    actions.restaurer([fil], claire)
    assert boites(claire) == [[], ["Le goûter"], []]


def test_marquer_non_lu_ne_touche_que_le_dernier_message_et_que_soi(claire, agent, enfance):
    fil = ecrire(claire, enfance).fil
    messages = [repondre_en_agent(fil, agent, texte) for texte in ("Un", "Deux")]
    julien = adulte("durand2")
    for lecteur in (claire, julien):
        actions.marquer_lu(fil, lecteur)
    actions.marquer_non_lu(fil, claire)
    lus = Lecture.objects.order_by("message", "adulte").values_list("message", "adulte")
    assert list(lus) == [(messages[0].pk, claire.pk), (messages[0].pk, julien.pk), (messages[1].pk, julien.pk)]


@pytest.mark.parametrize(
    ("mots", "trouves"),
    [("gouter", 1), ("GOÛTER", 1), ("question", 1), ("bonjour gouter", 1), ("absent", 0), ("\x00", 1), ("%", 0)],
)
def test_chercher_dans_le_sujet_et_le_texte(claire, enfance, mots, trouves):
    ecrire(claire, enfance)
    assert Fil.objects.contenant(mots).count() == trouves


# --- Twice, too much, at the same time --------------------------------------------------------------------


def test_le_meme_formulaire_envoye_deux_fois_fait_un_message(claire, agent, enfance):
    cle = uuid4()
    premier, second = ecrire(claire, enfance, cle=cle), ecrire(claire, enfance, cle=cle)
    assert premier == second
    reponses = [repondre_en_agent(premier.fil, agent, cle=cle) for _ in range(2)]
    suites = [actions.repondre(premier.fil, adulte=claire, corps="Merci", cle=uuid4()) for _ in range(2)]
    assert (len(set(reponses)), len(set(suites)), Message.objects.count()) == (1, 2, 4)


def test_le_formulaire_repris_avec_un_autre_texte_ou_un_papier_fait_un_autre_message(claire, agent, enfance):
    """« Précédent », a word changed, « Envoyer »: the page says that it is sent, so it is."""
    cle, papier = uuid4(), {"nom": "a.pdf", "type_mime": "application/pdf", "taille": 3, "fichier": "a.pdf"}
    fil = ecrire(claire, enfance, cle=cle).fil
    ecrire(claire, enfance, cle=cle, corps="Je me suis trompée de jour")
    suites = [("Merci", ()), ("Merci encore", ()), ("Merci encore", [papier]), ("Merci encore", [papier])]
    for corps, pieces in suites:
        actions.repondre(fil, adulte=claire, corps=corps, pieces=pieces, cle=cle)
    for corps in ("Oui", "Non"):
        repondre_en_agent(fil, agent, corps=corps, cle=cle)
    assert (Fil.objects.count(), Message.objects.count()) == (2, 7)


def test_qui_change_de_foyer_pendant_qu_il_ecrit_ecrit_du_nouveau(claire, enfance):
    """What each transaction reads was loaded before the separation."""
    fil = ecrire(claire, enfance).fil
    separer(adulte("durand"), le=timezone.localdate(), adresse={}, enfants={})
    nouveau = ecrire(claire, enfance, prive=True).fil
    assert (nouveau.famille_id == adulte("durand").famille_id, fil.famille_id == nouveau.famille_id) == (True, False)
    with pytest.raises(actions.EnvoiImpossible, match="ancien foyer"):
        actions.repondre(fil, adulte=claire, corps="Encore", cle=uuid4())


def test_on_n_ecrit_pas_sans_fin(claire, enfance, monkeypatch):
    monkeypatch.setattr(actions, "MESSAGES_PAR_HEURE", 2)
    fil = ecrire(claire, enfance).fil
    actions.repondre(fil, adulte=claire, corps="Deux", cle=uuid4())
    with pytest.raises(actions.TropDeMessages):
        actions.repondre(fil, adulte=claire, corps="Trois", cle=uuid4())
    ecrire(adulte("durand2"), enfance)  # the other adult is not stopped
    assert Message.objects.count() == 3


def test_le_second_agent_apprend_qu_on_vient_de_repondre(claire, agent, enfance):
    question = ecrire(claire, enfance)
    repondre_en_agent(question.fil, agent, vu=question.pk)
    with pytest.raises(actions.ReponseEntreTemps, match="Nadia Petit vient d'écrire"):
        repondre_en_agent(question.fil, Utilisateur.objects.get(identifiant="admin"), vu=question.pk)
    assert Message.objects.count() == 2


# --- Who is told by mail ----------------------------------------------------------------------------------


def test_le_service_est_prevenu_une_fois_de_ce_qui_attend(claire, agent, enfance):
    fil = ecrire(claire, enfance).fil
    actions.repondre(fil, adulte=claire, corps="J'oubliais…", cle=uuid4())
    assert destinataires() == ["enfance@mairie.example"]
    repondre_en_agent(fil, agent)
    actions.repondre(fil, adulte=claire, corps="Merci", cle=uuid4())
    assert destinataires() == [
        "claire.durand@famille.example",
        "enfance@mairie.example",
        "enfance@mairie.example",
        "julien.durand@famille.example",
    ]


def test_un_fil_prive_ne_previent_que_son_adulte(claire, agent, enfance):
    fil = ecrire(claire, enfance, prive=True).fil
    Courriel.objects.all().delete()
    repondre_en_agent(fil, agent)
    assert destinataires() == ["claire.durand@famille.example"]


def test_transferer_previent_l_autre_service_de_ce_qui_attend(claire, agent, enfance):
    ServiceMairie.objects.update(rythme="IMMEDIAT")
    comptabilite = ServiceMairie.objects.get(code="comptabilite")
    fil = ecrire(claire, enfance).fil
    actions.confier(fil, agent)
    Courriel.objects.all().delete()
    actions.transferer(fil, comptabilite)
    fil.refresh_from_db()
    assert (fil.service, fil.affecte_a, destinataires()) == (comptabilite, None, ["comptabilite@mairie.example"])


# --- Which threads an agent reads -------------------------------------------------------------------------


def test_un_agent_lit_les_fils_de_ses_services_et_de_ceux_sans_agent(claire, enfance):
    comptabilite = ServiceMairie.objects.get(code="comptabilite")
    agents = {nom: Utilisateur.objects.get(identifiant=nom) for nom in ("agent", "comptable", "admin")}
    ecrire(claire, enfance)
    actions.ecrire(claire, service=comptabilite, sujet="Ma facture", corps="…", cle=uuid4())
    actions.notifier(claire.famille, sujet="Sans service", corps="…", par=None)

    def lus():
        return {nom: set(Fil.objects.ouverts_a(a).values_list("sujet", flat=True)) for nom, a in agents.items()}

    enfance.agents.set([])
    comptabilite.agents.set([])
    tous = {"Le goûter", "Ma facture", "Sans service"}
    assert lus() == {"agent": tous, "comptable": tous, "admin": tous}
    comptabilite.agents.set([agents["comptable"]])
    assert lus() == {"agent": tous - {"Ma facture"}, "comptable": tous, "admin": tous}
    enfance.agents.set([agents["agent"]])
    assert lus() == {"agent": tous - {"Ma facture"}, "comptable": tous - {"Le goûter"}, "admin": tous}


@pytest.mark.django_db(transaction=True)
def test_deux_adultes_qui_demandent_la_meme_chose_ensemble_ont_un_seul_echange(distribution):
    couple = [adulte(identifiant) for identifiant in ("durand", "durand2")]
    objets = []

    def demander(rang):
        actions.ecrire(couple[rang], service=None, sujet="Question", corps="…", objet=objets[-1], cle=uuid4())

    for resultats in Course(lambda: demander(0), lambda: demander(1)).tours(
        10, lambda: objets.append(actions.Objet(f"demande/{uuid4()}", "Cantine"))
    ):
        assert resultats == ["gagne", "gagne"]
        assert Fil.objects.filter(contexte=objets[-1].cle).count() == 1
