"""What was tried against the portal, and now holds."""

import threading

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client

from demandes.models import Demande
from familles.lettres import adultes_sans_acces
from familles.models import Famille, Utilisateur
from portail.outils import pieces


@pytest.mark.django_db
def test_un_temoin_de_session_illisible_ne_casse_rien(distribution):
    navigateur = Client()
    navigateur.cookies["sessionid"] = "\x00aaaaaaaaaaaaa"
    assert navigateur.get("/connexion/").status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("jeu", ["unicode_escape", "utf-7", "rot13", "hex"])
def test_un_jeu_de_caracteres_farfelu_est_refuse(distribution, jeu):
    type_mime = f"multipart/form-data; boundary=b; charset={jeu}"
    corps = b'--b\r\nContent-Disposition: form-data; name="saisie"\r\n\r\n\\ud800\r\n--b--\r\n'
    reponse = Client().generic("POST", "/mot-de-passe/oublie/", corps, content_type=type_mime)
    assert reponse.status_code == 400


@pytest.mark.django_db
def test_trop_de_pieces_sont_refusees_sans_en_ouvrir_une(connecter, monkeypatch):
    ouvertes = []
    monkeypatch.setattr(pieces, "controler", ouvertes.append)
    envois = [SimpleUploadedFile(f"{n}.png", b"x") for n in range(6)]
    reponse = connecter("martin").post("/mon-compte/caf/", {"pieces": envois})
    assert (reponse.status_code, ouvertes) == (422, [])


@pytest.mark.django_db
def test_un_visiteur_sans_session_n_envoie_pas_un_gros_corps(distribution):
    reponse = Client().generic("POST", "/connexion/", b"x", CONTENT_LENGTH="30000000")
    assert reponse.status_code == 413


@pytest.mark.django_db
def test_la_lettre_d_un_agent_ne_s_imprime_pas_avec_celles_des_familles(famille_durand):
    Utilisateur.objects.filter(responsable__famille=famille_durand).update(password="!")
    Utilisateur.objects.filter(identifiant="durand2").update(is_staff=True)
    adultes = adultes_sans_acces(Famille.objects.filter(pk=famille_durand.pk))
    assert [adulte.utilisateur.identifiant for adulte in adultes] == ["durand"]


@pytest.mark.django_db
def test_dix_mots_de_passe_actuels_faux_ferment_le_compte(connecter, mot_de_passe):
    parent = connecter("durand")
    nouveau = {"new_password1": "Cerisier2027", "new_password2": "Cerisier2027"}
    for _ in range(10):
        parent.post("/mot-de-passe/", {"ancien": "Faux2026", **nouveau})
    reponse = parent.post("/mot-de-passe/", {"ancien": mot_de_passe, **nouveau})
    assert "mot de passe actuel" in reponse.content.decode()
    assert Utilisateur.objects.get(identifiant="durand").check_password(mot_de_passe)


@pytest.mark.django_db
def test_une_session_inactive_ne_montre_plus_le_nom_sur_une_page_publique(connecter):
    parent = connecter("durand")
    parent.get("/")
    session = parent.session
    session["vu_le"] -= 3600
    session.save()
    assert "Claire Durand" not in parent.get("/contact/").content.decode()


@pytest.mark.django_db(transaction=True)
def test_deux_agents_n_ouvrent_pas_deux_fois_la_meme_famille(connecter):
    """The second one, a moment later, reads that the file exists."""
    papier = {
        "responsable-prenom": "Ana",
        "responsable-nom": "Roux",
        "adresse-adresse": "1 rue des Prés",
        "adresse-code_postal": "18110",
        "adresse-ville": "Vasselay",
        "enfants-TOTAL_FORMS": "0",
        "enfants-INITIAL_FORMS": "0",
    }
    navigateurs, statuts, depart = [connecter("agent"), connecter("admin")], [], threading.Barrier(2, timeout=30)

    def ouvrir(navigateur):
        try:
            depart.wait()
            statuts.append(navigateur.post("/admin/ouvrir-une-famille/", papier).status_code)
        finally:
            connection.close()

    fils = [threading.Thread(target=ouvrir, args=(navigateur,)) for navigateur in navigateurs]
    for fil in fils:
        fil.start()
    for fil in fils:
        fil.join()
    assert (sorted(statuts), Famille.objects.filter(nom="Roux").count()) == ([302, 422], 1)


@pytest.mark.django_db
def test_la_demande_garde_l_ordre_du_formulaire_et_les_sigles(deposer):
    demande = deposer("durand", "bancaires", titulaire="Claire", iban="FR7630006000011234567890189")
    assert Demande.objects.get(pk=demande.pk).resume == "Titulaire du compte, IBAN"
