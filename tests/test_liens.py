"""No link leads to a closed door, and the crawl that says so reads one page of each kind."""

import pytest
from django.utils import timezone

from demandes.models import Demande
from enfants.models import Presence
from familles import acces
from messagerie.models import Courriel
from tests.papiers import sans_encre
from tests.parcours import EN_NOMBRE, parcourir, sorte

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("agent", ["agent", "comptable", "animateur", "tresorerie", "admin"])
def test_aucun_lien_de_l_administration_ne_mene_a_une_porte_fermee(agent, distribution, connecter, monkeypatch):
    sans_encre(monkeypatch)
    pages, refus = parcourir(connecter(agent), "/admin/")
    assert len(pages) > 10
    assert refus == {}


# --- One page of each kind -------------------------------------------------------------------------------


def test_deux_courriels_ne_se_lisent_qu_une_fois_sauf_si_l_un_a_echoue(famille_durand, comptes):
    for _ in range(2):
        acces.inviter(comptes["durand"])
    un, autre = Courriel.objects.order_by("-pk")[:2]
    adresses = [f"/admin/messagerie/courriel/{courriel.pk}/change/" for courriel in (un, autre)]
    assert sorte(adresses[0]) == sorte(adresses[1]) is not None
    assert sorte(adresses[0]) != sorte(adresses[0].replace("change", "history"))
    memes = {"erreur": "", "abandonne_le": None, "objet": un.objet}
    for autrement in ({"erreur": "Boîte pleine"}, {"abandonne_le": timezone.now()}, {"objet": "Autre chose"}):
        Courriel.objects.filter(pk=autre.pk).update(**memes | autrement)
        assert sorte(adresses[0]) != sorte(adresses[1]), autrement


def test_une_presence_de_chaque_etat_et_de_chaque_enfant_se_lit(distribution):
    memes = {"arrivee": None, "depart": None, "correction": "", "famille_prevenue_le": None, "etat": "PRESENT"}
    Presence.objects.update(**memes)
    un = Presence.objects.earliest("pk")
    autre = Presence.objects.filter(enfant=un.enfant).exclude(pk=un.pk).earliest("pk")
    ailleurs = Presence.objects.exclude(enfant=un.enfant).earliest("pk")
    sortes = [sorte(f"/admin/enfants/presence/{presence.pk}/change/") for presence in (un, autre, ailleurs)]
    assert sortes[0] == sortes[1] != sortes[2]
    for autrement in ({"etat": "ABSENT"}, {"correction": "Erreur"}, {"arrivee": "08:00"}):
        Presence.objects.filter(pk=autre.pk).update(**memes | autrement)
        assert sorte(f"/admin/enfants/presence/{autre.pk}/change/") != sortes[0], autrement


def test_on_ecrit_a_propos_d_une_demande_de_chaque_genre_et_de_chaque_etat(comptes, familles_de):
    def question(login, type_, **colonnes):
        demande = Demande.objects.create(
            type=type_, famille=familles_de(login), valeurs_demandees={}, deposee_par=comptes[login], **colonnes
        )
        return f"/messagerie/nouveau/?demande={demande.uuid}"

    decidee = {"etat": "ACCEPTEE", "traitee_le": timezone.now(), "traitee_par": comptes["agent"]}
    une = question("rossi", "bancaires", **decidee)
    assert sorte(une) == sorte(question("durand", "bancaires", **decidee)) is not None
    assert sorte(une) != sorte(question("durand", "caf", **decidee))
    assert sorte(une) != sorte(question("rossi", "bancaires", **decidee | {"etat": "REFUSEE", "motif": "Illisible"}))


def test_ce_que_les_familles_ecrivent_se_lit_page_par_page(distribution):
    demande = Demande.objects.earliest("pk")
    for adresse in (f"/demandes/{demande.uuid}/", f"/admin/demandes/demande/{demande.pk}/change/", "/mes-enfants/"):
        assert sorte(adresse) is None
    assert {"demandes/demande", "messagerie/fil", "enfants/enfant", "familles/famille"} & set(EN_NOMBRE) == set()
