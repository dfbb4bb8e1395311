"""Boîte de réception: each adult reads for themselves, and nobody reads another's."""

from datetime import timedelta
from html import unescape
from uuid import uuid4

import pytest
from django.utils import timezone

from messagerie.actions import clore, marquer_lu, ouvrir, repondre_a_la_famille, supprimer
from messagerie.actions import ecrire as ecrire_a_la_mairie
from messagerie.models import Diffusion, Fil, Lecture, Message, PieceMessage, ServiceMairie
from portail.outils.fichiers import ranger
from tests.fabrique import PDF_SAIN
from tests.test_requetes import requetes

pytestmark = pytest.mark.django_db


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


def test_relire_ne_compte_pas_deux_fois(ecrire, adulte):
    fil = ecrire("durand", "Le goûter")
    marquer_lu(fil, adulte("durand"))
    premiere = Lecture.objects.get()
    marquer_lu(fil, adulte("durand"))
    assert list(Lecture.objects.order_by("pk")) == [premiere]
    assert Lecture.objects.get().lu_le == premiere.lu_le


def test_le_fil_d_un_adulte_est_invisible_a_l_autre(ecrire, boite, compteur, connecter, adulte):
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


@pytest.mark.parametrize(
    ("dossier", "phrase"),
    [
        ("", "Vous n'avez pas de message."),
        ("envoyes/", "Vous n'avez encore rien écrit à la mairie."),
        ("supprimes/", "Vous n'avez pas de message supprimé."),
    ],
)
def test_une_boite_vide_n_est_pas_une_impasse(dossier, phrase, ecrire, connecter):
    page = unescape(connecter("durand").get(f"/messagerie/{dossier}").content.decode())
    assert (phrase in page, 'href="/messagerie/nouveau/"' in page, 'type="search"' in page) == (True, True, False)


# --- What a row tells ------------------------------------------------------------------------------------


@pytest.fixture
def question(adulte):
    """``question("durand", "Goûter")``: what an adult asks the Enfance Jeunesse desk."""

    def question(identifiant, sujet, **autres):
        service = ServiceMairie.objects.get(code="enfance-jeunesse")
        return ecrire_a_la_mairie(
            adulte(identifiant), service=service, sujet=sujet, corps="Une question.", cle=uuid4(), **autres
        ).fil

    return question


def test_une_ligne_dit_a_qui_ou_on_en_est_et_ce_qui_est_joint(ecrire, question, connecter, comptes):
    agent, papier = comptes["agent"], ranger("plan.pdf", "application/pdf", PDF_SAIN)
    question("durand", "Attend", pieces=[papier])
    repondre_a_la_famille(question("durand", "Répondu", prive=True), par=agent, corps="Voici.", cle=uuid4())
    clore(question("durand", "Clos"), par=agent)
    groupe = ecrire("durand", "Groupé")
    diffusion = Diffusion.objects.create(sujet="Groupé", corps="…", selection="Tous", par=agent)
    PieceMessage.objects.create(diffusion=diffusion, **papier)
    Fil.objects.filter(pk=groupe.pk).update(diffusion=diffusion)
    navigateur = connecter("durand")
    lignes = {
        fil.sujet: (fil.service, fil.etat_libelle, fil.a_pieces, fil.prive)
        for dossier in ("", "envoyes/")
        for fil in navigateur.get(f"/messagerie/{dossier}").context["page"]
    }
    assert lignes == {
        "Attend": ("Service Enfance Jeunesse", "En attente de réponse", True, False),
        "Répondu": ("Service Enfance Jeunesse", "Répondu", False, True),
        "Clos": ("Service Enfance Jeunesse", "Clos", False, False),
        "Groupé": ("La mairie", "", True, False),
    }


def test_chaque_volet_compte_ses_fils(ecrire, question, connecter, adulte):
    ecrire("durand", "Reçu"), ecrire("durand", "Autre")
    question("durand2", "Envoyé"), question("durand2", "Pour lui", prive=True)
    navigateur = connecter("durand")
    fil = Fil.objects.get(sujet="Autre")
    navigateur.post("/messagerie/ranger/", {"geste": "supprimer", "fil": fil.uuid})

    def volets(qui):
        return [(v.nom, v.nombre, v.actif) for v in connecter(qui).get("/messagerie/envoyes/").context["boite"].volets]

    assert volets("durand") == [("Reçus", 1, False), ("Envoyés", 1, True), ("Supprimés", 1, False)]
    assert volets("durand2") == [("Reçus", 2, False), ("Envoyés", 2, True), ("Supprimés", 0, False)]


# --- Searching -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mots", "trouves"),
    [
        ("goûter", ["Le goûter"]),
        ("GOUTER", ["Le goûter"]),
        ("voici cantine", ["La cantine"]),
        ("Éleve", ["La cantine"]),
        ("100%", ["La cantine"]),
        ("%", ["La cantine"]),
        ("cantine_", []),
        ("' OR 1=1 --", []),
        ("   ", ["La cantine", "Le goûter"]),
    ],
)
def test_la_recherche_lit_le_sujet_et_le_texte_sans_les_accents(mots, trouves, ecrire, sujets):
    ecrire("durand", "Le goûter", corps="Bonjour.")
    ecrire("durand", "La cantine", corps="Voici : chaque élève mange 100% de saison.")
    assert sujets("durand", q=mots) == trouves


def test_une_recherche_reste_dans_son_volet_et_dit_quand_elle_ne_trouve_rien(ecrire, question, sujets, connecter):
    ecrire("durand", "Cantine de la mairie")
    question("durand", "Cantine de Léa")
    assert (sujets("durand", q="cantine"), sujets("durand", "envoyes/", q="cantine")) == (
        ["Cantine de la mairie"],
        ["Cantine de Léa"],
    )
    page = unescape(connecter("durand").get("/messagerie/envoyes/", {"q": "<b>piscine"}).content.decode())
    assert "Aucun message envoyé ne contient «\u00a0<b>piscine\u00a0»." in page
    assert 'href="/messagerie/envoyes/">Effacer la recherche' in page


def test_la_recherche_ne_trouve_rien_chez_l_autre_adulte_ni_ailleurs(ecrire, question, sujets):
    question("durand", "Secret", prive=True)
    ecrire("martin", "Secret des Martin")
    assert (sujets("durand2", "envoyes/", q="secret"), sujets("durand2", q="secret")) == ([], [])


def test_la_page_suivante_d_une_recherche_la_garde(ecrire, connecter):
    for numero in range(21):
        ecrire("durand", f"n° {numero}")
    page = unescape(connecter("durand").get("/messagerie/", {"q": "voici"}).content.decode())
    assert "?q=voici&page=2" in page


# --- A thread --------------------------------------------------------------------------------------------


def suivis(navigateur, fil):
    return [message.suivi for message in navigateur.get(f"/messagerie/{fil.uuid}/").context["messages_du_fil"]]


def test_la_famille_suit_ce_que_devient_son_message(ecrire, question, connecter, comptes, horloge):
    agent = comptes["agent"]
    horloge("2026-11-16T09:00")
    fil, navigateur = question("durand", "Goûter"), connecter("durand")
    assert suivis(navigateur, fil) == [["Envoyé aujourd'hui à 9\u00a0h"]]
    horloge("2026-11-16T10:00")
    ouvrir(Fil.objects.get(), par=agent)
    horloge("2026-11-16T10:30")
    ouvrir(Fil.objects.get(), par=agent)  # read already: the first time counts
    lu = ["Envoyé aujourd'hui à 9\u00a0h", "Lu par la mairie aujourd'hui à 10\u00a0h"]
    assert suivis(navigateur, fil) == [lu]
    horloge("2026-11-16T11:00")
    repondre_a_la_famille(fil, par=agent, corps="Oui.", cle=uuid4())
    assert suivis(navigateur, fil) == [[*lu, "Répondu aujourd'hui à 11\u00a0h"], []]


def test_ce_que_le_portail_dit_de_lui_meme_ne_repond_pas(ecrire, question, connecter, adulte):
    fil = question("durand", "Goûter")
    Message.objects.create(fil=fil, de_la_mairie=True, corps="Rappel automatique.")
    assert [len(suivi) for suivi in suivis(connecter("durand"), fil)] == [1, 0]


def test_un_echange_clos_sans_reponse_le_dit(ecrire, question, connecter, comptes):
    fil = question("durand", "Merci")
    clore(fil, par=comptes["agent"])
    ((_, lu, clos),) = suivis(connecter("durand"), fil)
    assert (lu.startswith("Lu par la mairie"), clos) == (True, "Clos par la mairie")


def test_chacun_lit_qui_a_ecrit(ecrire, question, connecter):
    fil = question("durand2", "Goûter")
    lus = {
        qui: [m.de for m in connecter(qui).get(f"/messagerie/{fil.uuid}/").context["messages_du_fil"]]
        for qui in ("durand", "durand2")
    }
    assert lus == {"durand": ["Julien Durand"], "durand2": ["Vous"]}


def test_un_texte_se_lit_sans_rien_executer(ecrire, connecter):
    fil = ecrire(
        "durand", "Lien", corps="Voir https://ecole.example/a?b=1&c=2\n\n<script>alert(1)</script> javascript:x"
    )
    page = connecter("durand").get(f"/messagerie/{fil.uuid}/").content.decode()
    assert '<a href="https://ecole.example/a?b=1&amp;c=2" rel="nofollow">' in page
    assert ("<script>alert" in page, 'href="javascript' in page) == (False, False)


def test_les_papiers_d_un_message_et_d_une_diffusion_s_ouvrent(ecrire, question, connecter, comptes):
    papier = ranger("plan.pdf", "application/pdf", PDF_SAIN)
    fil, groupe = question("durand", "Plan", pieces=[papier]), ecrire("durand", "Groupé")
    diffusion = Diffusion.objects.create(sujet="Groupé", corps="…", selection="Tous", par=comptes["agent"])
    PieceMessage.objects.create(diffusion=diffusion, **papier)
    Fil.objects.filter(pk=groupe.pk).update(diffusion=diffusion)
    for lu in (fil, groupe):
        (message,) = connecter("durand").get(f"/messagerie/{lu.uuid}/").context["messages_du_fil"]
        (piece,) = message.pieces
        assert b"".join(connecter("durand2").get(piece.url)) == PDF_SAIN
        assert connecter("martin").get(piece.url).status_code == 404


@pytest.mark.parametrize("entete", [{"Sec-Purpose": "prefetch;prerender"}, {"Purpose": "prefetch"}])
def test_une_page_preparee_d_avance_n_est_pas_lue(entete, ecrire, compteur, connecter):
    fil = ecrire("durand", "Le goûter")
    connecter("durand").get(f"/messagerie/{fil.uuid}/", headers=entete)
    connecter("durand").head(f"/messagerie/{fil.uuid}/")
    assert compteur("durand") == 1
    connecter("durand").get(f"/messagerie/{fil.uuid}/")
    assert compteur("durand") == 0


# --- What it costs ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("dossier", ["", "envoyes/", "supprimes/", "?q=bonjour", "envoyes/?q=bonjour"])
def test_la_boite_coute_autant_pour_un_et_trois_cents_fils(dossier, ecrire, connecter, adulte):
    claire, navigateur = adulte("durand"), connecter("durand")
    service = ServiceMairie.objects.first()

    def remplir(nombre):
        instant = timezone.now()
        fils = Fil.objects.bulk_create(
            Fil(famille=claire.famille, service=service, sujet=f"n° {n}", mairie_le=instant, famille_le=instant)
            for n in range(nombre)
        )
        Message.objects.bulk_create(
            Message(fil=fil, de_la_mairie=cote, corps="Bonjour") for fil in fils for cote in (True, False)
        )
        if dossier == "supprimes/":
            supprimer(fils, claire)

    remplir(1)
    un = requetes(navigateur, f"/messagerie/{dossier}")
    remplir(299)
    beaucoup = requetes(navigateur, f"/messagerie/{dossier}")
    assert len(un) == len(beaucoup) <= 6


def test_un_long_echange_coute_autant_qu_un_court(ecrire, question, connecter, adulte):
    navigateur, fil = connecter("durand"), question("durand", "Un")
    court = len(requetes(navigateur, f"/messagerie/{fil.uuid}/"))
    julien = adulte("durand2").utilisateur
    Message.objects.bulk_create(
        Message(fil=fil, de_la_mairie=cote, auteur=julien, corps="Suite") for _ in range(50) for cote in (True, False)
    )
    marquer_lu(fil, adulte("durand"))
    assert (len(requetes(navigateur, f"/messagerie/{fil.uuid}/")), court <= 8) == (court, True)
