"""Boîte de réception: each adult reads for themselves, and nobody reads another's."""

from datetime import timedelta
from html import unescape

import pytest
from django.utils import timezone

from familles.models import Responsable
from messagerie.actions import marquer_lu, notifier
from messagerie.models import Fil, Lecture, Message

pytestmark = pytest.mark.django_db


def adulte(identifiant):
    return Responsable.objects.select_related("famille").get(utilisateur__identifiant=identifiant)


@pytest.fixture
def ecrire(distribution):
    """``ecrire("durand", "Sujet")``: a message of the mairie to a household, or to one of its adults alone."""
    Fil.objects.all().delete()

    def ecrire(identifiant, sujet, *, seul=False):
        destinataire = adulte(identifiant)
        return notifier(
            destinataire.famille,
            sujet=sujet,
            corps=f"Bonjour, voici {sujet}.",
            par=None,
            destinataire=destinataire if seul else None,
        ).fil

    return ecrire


@pytest.fixture
def boite(connecter):
    """``boite("durand")``: ``(subject, not read yet)`` of each line of the inbox, the newest first."""
    return lambda identifiant: [
        (fil.sujet, fil.non_lu) for fil in connecter(identifiant).get("/messagerie/").context["page"]
    ]


@pytest.fixture
def compteur(connecter):
    """``compteur("durand")``: the number on the tab."""

    def compteur(identifiant):
        onglets = connecter(identifiant).get("/").context["onglets"]
        return next(onglet.compteur for onglet in onglets if onglet.libelle == "Boîte de réception")

    return compteur


def test_chaque_adulte_a_ses_non_lus(ecrire, boite, compteur, connecter):
    fil = ecrire("durand", "Le goûter")
    assert connecter("durand").get(f"/messagerie/{fil.uuid}/").status_code == 200
    assert (boite("durand"), compteur("durand")) == ([("Le goûter", False)], 0)
    assert (boite("durand2"), compteur("durand2")) == ([("Le goûter", True)], 1)


def test_l_onglet_compte_les_fils_non_lus(ecrire, compteur, connecter):
    fils = [ecrire("durand", f"Message {n}") for n in range(3)]
    Message.objects.create(fil=fils[0], de_la_mairie=True, corps="Un oubli.")  # two messages, one thread
    assert compteur("durand") == 3
    connecter("durand").get(f"/messagerie/{fils[0].uuid}/")
    assert compteur("durand") == 2
    page = connecter("durand").get("/messagerie/").content.decode()
    assert page.count("Non lu") == 2


def test_la_page_montre_tout_le_fil_dans_l_ordre(ecrire, connecter):
    fil = ecrire("durand", "Le goûter")
    instant = timezone.now()
    Message.objects.create(fil=fil, de_la_mairie=False, corps="Merci !", envoye_le=instant + timedelta(minutes=2))
    Message.objects.create(fil=fil, de_la_mairie=True, corps="À demain.", envoye_le=instant + timedelta(minutes=5))
    lus = connecter("durand").get(f"/messagerie/{fil.uuid}/").context["messages_du_fil"]
    assert [(message.de, message.corps) for message in lus] == [
        ("La mairie", "Bonjour, voici Le goûter."),
        ("Vous", "Merci !"),
        ("La mairie", "À demain."),
    ]


def test_une_reponse_de_la_mairie_rend_le_fil_non_lu(ecrire, boite, connecter):
    fil = ecrire("durand", "Le goûter")
    connecter("durand").get(f"/messagerie/{fil.uuid}/")
    Message.objects.create(fil=fil, de_la_mairie=True, corps="Une précision.")
    assert boite("durand") == [("Le goûter", True)]


def test_ce_que_la_famille_ecrit_n_est_pas_non_lu_pour_elle(ecrire, boite, connecter):
    fil = ecrire("durand", "Le goûter")
    connecter("durand").get(f"/messagerie/{fil.uuid}/")
    Message.objects.create(fil=fil, de_la_mairie=False, corps="Merci !")
    assert boite("durand") == [("Le goûter", False)]


def test_relire_ne_compte_pas_deux_fois(ecrire):
    fil = ecrire("durand", "Le goûter")
    marquer_lu(fil, adulte("durand"))
    premiere = Lecture.objects.get()
    marquer_lu(fil, adulte("durand"))
    assert list(Lecture.objects.order_by("pk")) == [premiere]
    assert Lecture.objects.get().lu_le == premiere.lu_le


def test_le_fil_d_un_adulte_est_invisible_a_l_autre(ecrire, boite, compteur, connecter):
    fil = ecrire("durand", "Votre mot de passe", seul=True)
    assert (boite("durand"), compteur("durand")) == ([("Votre mot de passe", True)], 1)
    assert (boite("durand2"), compteur("durand2")) == ([], 0)
    assert connecter("durand2").get(f"/messagerie/{fil.uuid}/").status_code == 404
    assert connecter("durand").get(f"/messagerie/{fil.uuid}/").status_code == 200
    assert [lecture.adulte for lecture in Lecture.objects.select_related("adulte").order_by("pk")] == [adulte("durand")]


@pytest.mark.parametrize("curieux", ["martin", "benali", "rossi", "agent", "animateur", "admin"])
def test_le_fil_d_une_famille_n_existe_pas_pour_les_autres(curieux, ecrire, connecter):
    fil = ecrire("durand", "Le goûter")
    reponse = connecter(curieux).get(f"/messagerie/{fil.uuid}/")
    assert reponse.status_code == 404
    assert "Le goûter" not in reponse.content.decode()
    assert not Lecture.objects.exists()


def test_les_deux_foyers_d_un_enfant_ont_chacun_leur_boite(ecrire, boite):
    ecrire("benali", "La facture de Karim")
    assert (boite("benali"), boite("rossi")) == ([("La facture de Karim", True)], [])


def test_les_plus_recents_d_abord_vingt_par_page(ecrire, connecter):
    for numero in range(21):
        Fil.objects.filter(pk=ecrire("durand", f"n° {numero}").pk).update(
            dernier_le=timezone.now() + timedelta(minutes=numero)
        )
    navigateur = connecter("durand")

    def sujets(page):
        return [fil.sujet for fil in navigateur.get("/messagerie/", {"page": page}).context["page"]]

    assert (sujets(1), sujets(2)) == ([f"n° {numero}" for numero in range(20, 0, -1)], ["n° 0"])


def test_une_boite_vide_n_est_pas_une_impasse(ecrire, connecter):
    page = unescape(connecter("durand").get("/messagerie/").content.decode())
    assert ("Vous n'avez pas de message." in page, 'href="/contact/"' in page) == (True, True)


def test_la_boite_coute_autant_de_requetes_pour_un_et_trois_messages(ecrire, connecter, django_assert_max_num_queries):
    navigateur = connecter("durand")

    def requetes(page):
        navigateur.get(page)  # warm: session stamp, commune
        with django_assert_max_num_queries(8) as vues:
            navigateur.get(page)
        return len(vues)

    fil = ecrire("durand", "Un")
    avec_un = (requetes("/messagerie/"), requetes(f"/messagerie/{fil.uuid}/"))
    for sujet in ("Deux", "Trois"):
        ecrire("durand", sujet)
        Message.objects.create(fil=fil, de_la_mairie=True, corps=sujet)
    marquer_lu(fil, adulte("durand"))
    assert (requetes("/messagerie/"), requetes(f"/messagerie/{fil.uuid}/")) == avec_un
