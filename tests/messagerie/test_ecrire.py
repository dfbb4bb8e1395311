"""A parent writes to the mairie and answers it: once, to the right desk, with what it is about, for the right eyes."""

import threading
from datetime import timedelta
from html import unescape
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.utils import timezone

from demandes.actions import refuser
from demandes.models import Demande
from enfants.models import Enfant, SuspensionAcces
from messagerie import actions
from messagerie.forms import LONGUEUR_MAX
from messagerie.models import Courriel, Fil, Message, PieceMessage, Rangement, ServiceMairie
from tests.fabrique import PDF_SAIN, image
from tests.facturation.essai import facture_essai, regie_essai

pytestmark = pytest.mark.django_db

NOUVEAU = "/messagerie/nouveau/"
INCONNU = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def service(distribution):
    """``service("comptabilite")``; nothing has been written yet."""
    Fil.objects.all().delete()
    Courriel.objects.all().delete()
    return lambda code="enfance-jeunesse": ServiceMairie.objects.get(code=code)


@pytest.fixture
def envoyer(connecter, service):
    """``envoyer("durand", sujet="Goûter")``: the form as its page sends it."""

    def envoyer(identifiant, adresse=NOUVEAU, **saisie):
        donnees = {"service": service().pk, "sujet": "Goûter", "corps": "Bonjour.", "cle": str(uuid4()), **saisie}
        return connecter(identifiant).post(adresse, {nom: v for nom, v in donnees.items() if v is not None})

    return envoyer


def texte(reponse):
    return unescape(reponse.content.decode())


def lea():
    return Enfant.objects.get(prenom="Léa")


# --- A new thread ----------------------------------------------------------------------------------------


def test_un_message_part_au_service_avec_ses_papiers(envoyer, service):
    photo = SimpleUploadedFile("photo.jpg", image(), "image/jpeg")
    reponse = envoyer("durand", service=service("comptabilite").pk, corps="Ligne 1\r\nLigne 2", pieces=photo)
    message = Message.objects.select_related("fil__service", "auteur").get()
    fil = message.fil
    assert reponse.url == f"/messagerie/{fil.uuid}/"
    assert (fil.sujet, fil.service.code, fil.etat, fil.destinataire) == ("Goûter", "comptabilite", "EN_ATTENTE", None)
    assert (message.corps, message.de_la_mairie, message.auteur.identifiant) == ("Ligne 1\nLigne 2", False, "durand")
    assert [(p.nom, p.type_mime) for p in PieceMessage.objects.filter(message=message)] == [("photo.jpg", "image/jpeg")]


def test_le_service_est_prevenu_par_un_courriel_qui_ne_dit_rien(envoyer):
    envoyer("durand", sujet="Motsecret", corps="Autresecret")
    courriel = Courriel.objects.get()
    assert courriel.destinataire == "enfance@mairie.example"
    assert [mot for mot in ("Motsecret", "Autresecret", "Durand") if mot in courriel.objet + courriel.corps] == []


def test_l_autre_adulte_lit_un_echange_commun_pas_un_echange_prive(envoyer, sujets):
    envoyer("durand", sujet="Commun")
    envoyer("durand", sujet="Privé", prive="on")
    vus = {qui: sujets(qui, "envoyes/") for qui in ("durand", "durand2", "martin")}
    assert vus == {"durand": ["Commun", "Privé"], "durand2": ["Commun"], "martin": []}


def test_un_adulte_seul_n_a_personne_a_qui_cacher(envoyer, connecter):
    pages = {qui: texte(connecter(qui).get(NOUVEAU)) for qui in ("durand", "martin")}
    assert {qui: "Ne montrer cet échange qu'à moi" in page for qui, page in pages.items()} == {
        "durand": True,
        "martin": False,
    }
    envoyer("martin", prive="on")  # forged
    assert Fil.objects.get().destinataire is None


def test_on_n_ecrit_qu_aux_services_qui_recoivent(envoyer, service, connecter):
    ferme = ServiceMairie.objects.create(code="ferme", nom="Service fermé", recoit_messages=False)
    assert "Service fermé" not in texte(connecter("durand").get(NOUVEAU))
    reponses = [envoyer("durand", service=valeur) for valeur in (ferme.pk, "x", "9" * 30, None)]
    assert [(r.status_code, "Choisissez le service." in texte(r)) for r in reponses] == [(422, True)] * 4
    assert not Fil.objects.exists()


def test_un_seul_service_est_choisi_d_avance_et_aucun_n_empeche_pas_d_ecrire(envoyer, service, connecter):
    service("comptabilite").delete()
    assert connecter("durand").get(NOUVEAU).context["form"]["service"].value() == service().pk
    service().delete()
    assert connecter("durand").post(NOUVEAU, {"sujet": "Seul", "corps": "Bonjour."}).status_code == 302
    assert Fil.objects.get().service is None


@pytest.mark.parametrize(
    ("saisie", "phrase"),
    [
        ({"sujet": "  "}, "Dites en quelques mots de quoi il s'agit."),
        ({"sujet": "\u200b\u202e"}, "Dites en quelques mots de quoi il s'agit."),
        ({"sujet": "x" * 151}, "au plus 150 caractères"),
        ({"corps": "\r\n \u200b"}, "Écrivez votre message."),
        ({"corps": "x" * (LONGUEUR_MAX + 1)}, "au plus 5000 caractères"),
        ({"corps": "a\x00b"}, "Le caractère nul n’est pas autorisé."),
        ({"sujet": "a\x00b"}, "Le caractère nul n’est pas autorisé."),
        ({"pieces": SimpleUploadedFile("x.exe", b"MZ")}, "n'est pas accepté"),
    ],
    ids=lambda valeur: str(valeur)[:20],
)
def test_une_saisie_refusee_est_gardee_et_dite(saisie, phrase, envoyer):
    reponse = envoyer("durand", **{"sujet": "Mon sujet", "corps": "Mon texte", **saisie})
    page = texte(reponse)
    assert (reponse.status_code, phrase in page) == (422, True), page
    gardes = {"sujet": 'value="Mon sujet"', "corps": "Mon texte</textarea>"}
    assert [nom for nom, garde in gardes.items() if nom not in saisie and garde not in page] == []
    assert ("ajoutez-les de nouveau" in page) == ("pieces" in saisie)
    assert not Fil.objects.exists()


def test_une_ligne_compte_pour_un_caractere(envoyer):
    corps = "é" * (LONGUEUR_MAX - 500) + "\r\n" * 499 + "é"
    assert envoyer("durand", corps=corps).status_code == 302
    assert len(Message.objects.get().corps) == LONGUEUR_MAX


def test_un_sujet_tient_sur_une_ligne(envoyer):
    envoyer("durand", sujet="Goûter\r\nBcc:  tous\u202e@x.fr")
    assert Fil.objects.get().sujet == "Goûter Bcc: tous@x.fr"


def test_un_sujet_garde_ses_espaces_insecables(envoyer):
    envoyer("durand", sujet=" Ma demande «\u00a0Info CAF\u00a0»\u00a0 ")
    assert Fil.objects.get().sujet == "Ma demande «\u00a0Info CAF\u00a0»"


def test_cinq_pieces_pas_six(envoyer):
    pieces = [
        SimpleUploadedFile(f"{n}.pdf", PDF_SAIN, "application/pdf") for n in range(settings.NOMBRE_MAX_PIECES + 1)
    ]
    reponse = envoyer("durand", pieces=pieces)
    assert (reponse.status_code, "Un message porte 5 pièces au plus." in texte(reponse)) == (422, True)


def test_un_adulte_qui_ecrit_sans_fin_attend(envoyer, service, monkeypatch):
    monkeypatch.setattr(actions, "MESSAGES_PAR_HEURE", 2)
    assert [envoyer("durand").status_code for _ in range(3)] == [302, 302, 422]
    assert envoyer("durand2").status_code == 302
    fil = Fil.objects.filter(messages__auteur__identifiant="durand").first()
    reponse = envoyer("durand", f"/messagerie/{fil.uuid}/", corps="Encore")
    assert ("Attendez un peu" in texte(reponse), "Encore</textarea>" in texte(reponse)) == (True, True)
    Message.objects.update(envoye_le=timezone.now() - timedelta(minutes=61))
    assert envoyer("durand").status_code == 302


# --- Twice the same --------------------------------------------------------------------------------------


def test_le_meme_formulaire_envoye_deux_fois_fait_un_message(envoyer):
    cle = str(uuid4())
    assert envoyer("durand", cle=cle).url == envoyer("durand", cle=cle).url
    assert Message.objects.count() == 1
    envoyer("durand2", cle=cle)  # drawn by another
    assert Message.objects.count() == 2


def test_la_cle_d_un_autre_echange_n_y_renvoie_pas(envoyer):
    cle = str(uuid4())
    envoyer("durand", cle=cle)
    second = envoyer("durand").url
    assert envoyer("durand", second, cle=cle).url == second
    assert Message.objects.count() == 3


@pytest.mark.parametrize("cle", [None, "", "x", "a\x00b"])
def test_sans_cle_lisible_le_message_part_quand_meme(cle, envoyer):
    reponse = envoyer("durand", cle=cle)
    assert (reponse.status_code, Message.objects.count()) == (302, 1)


def test_une_saisie_refusee_garde_sa_cle(envoyer):
    cle = str(uuid4())
    assert str(envoyer("durand", cle=cle, corps="").context["form"]["cle"].value()) == cle


def test_chaque_formulaire_vide_tire_sa_cle(connecter):
    cles = {UUID(connecter("durand").get(NOUVEAU).context["form"]["cle"].value()) for _ in range(2)}
    assert len(cles) == 2


def a_deux(geste):
    """Both at the same moment; returns what each got."""
    depart, obtenus = threading.Barrier(2), []

    def essayer():
        depart.wait()
        try:
            obtenus.append(geste())
        finally:
            connection.close()

    fils = [threading.Thread(target=essayer) for _ in range(2)]
    for fil in fils:
        fil.start()
    for fil in fils:
        fil.join()
    return obtenus


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("nouveau", [True, False])
def test_deux_clics_ensemble_font_un_message(nouveau, service, adulte):
    claire, cle = adulte("durand"), uuid4()
    if nouveau:
        obtenus = a_deux(lambda: actions.ecrire(claire, service=None, sujet="Un", corps="Bonjour", cle=cle))
    else:
        fil = actions.notifier(claire.famille, sujet="Un", corps="…", par=None).fil
        obtenus = a_deux(lambda: actions.repondre(fil, adulte=claire, corps="Merci", cle=cle))
    assert len({message.pk for message in obtenus}) == 1 == Message.objects.filter(de_la_mairie=False).count()
    assert Fil.objects.count() == 1


# --- What it is about ------------------------------------------------------------------------------------


@pytest.fixture
def demande(service, famille_durand):
    return Demande.objects.en_attente().get(famille=famille_durand)


def test_une_question_sur_une_demande_le_dit_et_choisit_le_service(demande, envoyer, connecter):
    adresse = f"{NOUVEAU}?demande={demande.uuid}"
    reponse = connecter("durand").get(adresse)
    assert f'<a href="/demandes/{demande.uuid}/">{demande.titre}</a>' in texte(reponse)
    form = reponse.context["form"]
    propose = ServiceMairie.objects.get(code=demande.genre.service)
    assert (form["service"].value(), demande.titre in form["sujet"].value()) == (propose.pk, True)
    envoyer("durand", adresse)
    fil = Fil.objects.get()
    assert (fil.contexte, fil.contexte_libelle, fil.contexte_lien) == (
        f"demande/{demande.uuid}",
        demande.titre,
        f"/demandes/{demande.uuid}/",
    )
    # The next question goes on in the same thread, whoever of the two asks it.
    for qui in ("durand", "durand2"):
        assert connecter(qui).get(adresse).url == f"/messagerie/{fil.uuid}/#repondre"


def test_une_question_sur_un_enfant_continue_jusqu_a_la_reponse(envoyer, connecter, comptes):
    adresse = f"{NOUVEAU}?enfant={lea().uuid}"
    assert connecter("durand").get(adresse).context["form"]["sujet"].value() == "Question au sujet de Léa"
    envoyer("durand", adresse)
    fil = Fil.objects.get()
    assert (fil.contexte_libelle, fil.contexte_lien) == ("Léa", f"/mes-enfants/{lea().uuid}/dossier/")
    assert connecter("durand2").get(adresse).url == f"/messagerie/{fil.uuid}/#repondre"
    actions.repondre_a_la_famille(fil, par=comptes["agent"], corps="Oui.", cle=uuid4())
    assert connecter("durand").get(adresse).status_code == 200
    envoyer("durand", adresse, sujet="Autre chose")
    assert sorted(Fil.objects.values_list("sujet", flat=True)) == ["Autre chose", "Goûter"]


def test_une_question_privee_sur_une_demande_n_est_pas_l_echange_commun(demande, envoyer, connecter):
    adresse = f"{NOUVEAU}?demande={demande.uuid}"
    envoyer("durand", adresse, prive="on")
    assert connecter("durand2").get(adresse).status_code == 200
    envoyer("durand2", adresse)
    assert Fil.objects.count() == 2


@pytest.mark.parametrize("nom", ["demande", "enfant", "facture"])
@pytest.mark.parametrize("valeur", [INCONNU, "x", "9" * 5000, "../../", "d'un autre"])
def test_ce_qui_n_est_pas_a_soi_n_existe_pas(nom, valeur, demande, envoyer, connecter):
    if valeur == "d'un autre":
        facture = facture_essai(lea().rattachements.get().famille, regie_essai())
        valeur = {"demande": demande.uuid, "enfant": lea().uuid, "facture": facture.uuid}[nom]
    adresse = f"{NOUVEAU}?{nom}={valeur}"
    assert (connecter("martin").get(adresse).status_code, envoyer("martin", adresse).status_code) == (404, 404)
    assert not Fil.objects.exists()
    assert connecter("martin").get(f"/contact/?{nom}={valeur}").status_code == 200


@pytest.mark.parametrize("requete", ["?jour=2026-11-16&ligne=1", "?inconnu=x", "?demande=", "?enfant=", "?facture="])
def test_un_parametre_inconnu_ne_change_rien(requete, service, connecter):
    reponse = connecter("durand").get(NOUVEAU + requete)
    assert (reponse.status_code, reponse.context["propos"]) == (200, None)


@pytest.fixture
def julien_ne_voit_plus_lea(adulte):
    SuspensionAcces.objects.create(enfant=lea(), adulte=adulte("durand2"), motif="Jugement")


def test_ce_qui_concerne_un_enfant_reste_a_qui_le_voit(julien_ne_voit_plus_lea, envoyer, connecter, sujets):
    adresse = f"{NOUVEAU}?enfant={lea().uuid}"
    page = connecter("durand").get(adresse)
    assert ("ne sera montré qu'à vous" in texte(page), "Ne montrer cet échange" in texte(page)) == (True, False)
    envoyer("durand", adresse)
    assert (sujets("durand", "envoyes/"), sujets("durand2", "envoyes/")) == (["Goûter"], [])
    assert connecter("durand2").get(adresse).status_code == 404


def test_l_echange_commun_d_avant_n_est_pas_repris_quand_l_autre_ne_voit_plus_l_enfant(envoyer, connecter, adulte):
    adresse = f"{NOUVEAU}?enfant={lea().uuid}"
    envoyer("durand", adresse)
    SuspensionAcces.objects.create(enfant=lea(), adulte=adulte("durand2"), motif="Jugement")
    assert connecter("durand").get(adresse).status_code == 200
    envoyer("durand", adresse, sujet="Depuis le jugement")
    assert Fil.objects.get(sujet="Depuis le jugement").destinataire == adulte("durand")


# --- « Nous contacter » ----------------------------------------------------------------------------------


def test_nous_contacter_garde_ce_dont_on_parle(demande, connecter):
    navigateur, uuid = connecter("durand"), lea().uuid
    attendus = {
        f"/mes-enfants/{uuid}/dossier/": f"/contact/?enfant={uuid}",
        f"/mes-enfants/{uuid}/sante/": f"/contact/?enfant={uuid}",
        f"/demandes/{demande.uuid}/": f"/contact/?demande={demande.uuid}",
        "/mon-compte/caf/": "/contact/",
        f"/mes-enfants/{INCONNU}/": "/contact/?enfant=" + INCONNU,
    }
    pages = {adresse: texte(navigateur.get(adresse)) for adresse in attendus}
    assert [a for a, lien in attendus.items() if f'href="{lien}"' not in pages[a]] == []
    for nom, objet in (("enfant", uuid), ("demande", demande.uuid)):
        page = texte(navigateur.get(f"/contact/?{nom}={objet}"))
        assert (f'href="{NOUVEAU}?{nom}={objet}"' in page, "02 48 66 61 61" in page) == (True, True)
    assert f'href="{NOUVEAU}"' in texte(navigateur.get(f"/contact/?enfant={INCONNU}"))


@pytest.mark.parametrize("qui", [None, "agent"])
def test_la_page_publique_n_invite_pas_a_ecrire(qui, client, connecter):
    page = texte((connecter(qui) if qui else client).get(f"/contact/?enfant={lea().uuid}"))
    assert ("02 48 66 61 61" in page, NOUVEAU in page, "Léa" in page) == (True, False, False)


def test_poser_une_question_part_de_la_demande_et_de_l_enfant(demande, connecter):
    navigateur, uuid = connecter("durand"), lea().uuid
    for adresse, lien in {
        f"/demandes/{demande.uuid}/": f"{NOUVEAU}?demande={demande.uuid}",
        f"/mes-enfants/{uuid}/dossier/": f"{NOUVEAU}?enfant={uuid}",
        f"/mes-enfants/{uuid}/planning/2026-11/": f"{NOUVEAU}?enfant={uuid}",
    }.items():
        assert f'href="{lien}"' in texte(navigateur.get(adresse)), adresse


# --- Answering -------------------------------------------------------------------------------------------


def test_repondre_a_la_reponse_d_une_demande_la_remet_en_attente(demande, envoyer, comptes):
    refuser(demande.pk, par=comptes["agent"], motif="Illisible")
    fil = Fil.objects.get(destinataire=None)
    Rangement.objects.create(fil=fil, adulte=comptes["durand"].responsable)
    reponse = envoyer("durand", fil.get_absolute_url(), corps="La voici de nouveau.")
    fil.refresh_from_db()
    assert (reponse.url, fil.etat, fil.service.code) == (fil.get_absolute_url(), "EN_ATTENTE", demande.genre.service)
    assert not Rangement.objects.exists()


def test_une_reponse_a_un_fil_sans_service_va_au_premier_qui_recoit(service, envoyer, adulte):
    fil = actions.notifier(adulte("durand").famille, sujet="Du portail", corps="…", par=None, courriel=False).fil
    ServiceMairie.objects.create(code="accueil", nom="Accueil", recoit_messages=False)
    envoyer("durand", fil.get_absolute_url(), corps="Merci.")
    fil.refresh_from_db()
    assert fil.service == service()
    assert [courriel.destinataire for courriel in Courriel.objects.all()] == ["enfance@mairie.example"]


def test_insister_ne_previent_pas_deux_fois_le_service(envoyer):
    adresse = envoyer("durand").url
    envoyer("durand", adresse, corps="Et aussi ceci.")
    assert (Message.objects.count(), Courriel.objects.count()) == (2, 1)


def test_une_reponse_vide_garde_le_fil_sous_les_yeux(envoyer):
    adresse = envoyer("durand").url
    reponse = envoyer("durand", adresse, corps=" ")
    assert (reponse.status_code, "Écrivez votre message." in texte(reponse), "Bonjour." in texte(reponse)) == (
        422,
        True,
        True,
    )
    assert Message.objects.count() == 1


def test_on_ne_repond_pas_dans_l_echange_d_un_autre(envoyer):
    adresse = envoyer("durand", prive="on").url
    assert [envoyer(qui, adresse).status_code for qui in ("durand2", "martin", "agent")] == [404, 404, 404]
    assert Message.objects.count() == 1
