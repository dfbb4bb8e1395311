"""The parent's pages: ask, join a paper, edit, withdraw, find again."""

import io
from datetime import timedelta
from html import unescape

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from demandes import actions
from demandes.models import Demande, PieceJointe
from demandes.types import TYPES
from familles.models import Famille

pytestmark = pytest.mark.django_db


def texte(reponse):
    return unescape(reponse.content.decode())


def photo(nom="justificatif.jpg"):
    fichier = io.BytesIO()
    Image.new("RGB", (40, 30), "white").save(fichier, "JPEG")
    return SimpleUploadedFile(nom, fichier.getvalue())


def formulaire(identifiant, type_, **demandees):
    """What the browser would post: today's values, and what the parent changed."""
    famille = Famille.objects.get(responsables__utilisateur__identifiant=identifiant)
    valeurs = {nom: valeur for nom, valeur in TYPES[type_].actuelles(famille).items() if valeur not in ("", False)}
    return {**valeurs, **demandees}


def test_la_demande_parait_en_bas_de_mon_compte(connecter):
    parent = connecter("martin")
    reponse = parent.post("/mon-compte/responsable/", formulaire("martin", "responsable", ville="Bourges"), follow=True)
    assert "Votre demande est envoyée à la mairie." in texte(reponse)
    page = texte(parent.get("/mon-compte/"))
    assert page.index("Vos demandes") < page.index("En attente")


def test_le_formulaire_montre_ce_qui_est_deja_demande(deposer, connecter):
    deposer("martin", "responsable", ville="Bourges")
    page = texte(connecter("martin").get("/mon-compte/responsable/"))
    assert 'value="Bourges"' in page
    assert "Une demande attend déjà une réponse" in page


def test_une_photo_jointe_se_lit_et_se_retire(connecter):
    parent = connecter("martin")
    donnees = formulaire("martin", "responsable", ville="Bourges")
    parent.post("/mon-compte/responsable/", {**donnees, "pieces": [photo()]})
    piece = PieceJointe.objects.get()
    assert (piece.nom, piece.type_mime) == ("justificatif.jpg", "image/jpeg")
    ouverte = parent.get(reverse("piece_jointe", args=[piece.uuid]))
    assert (ouverte.status_code, ouverte["Content-Type"]) == (200, "image/jpeg")
    assert b"".join(ouverte.streaming_content)[:3] == b"\xff\xd8\xff"
    parent.post("/mon-compte/responsable/", {**donnees, "retirer": [str(piece.uuid)]})
    assert PieceJointe.objects.count() == 0


def test_une_piece_seule_est_une_demande(connecter):
    parent = connecter("martin")
    parent.post("/mon-compte/fiscales/", {"pieces": [photo("avis.jpg")]})
    demande = Demande.objects.get(famille__nom="Martin")
    assert (demande.valeurs_demandees, demande.resume) == ({}, "Pièces jointes")


def test_envoyer_sans_rien_changer_ne_depose_rien(connecter):
    reponse = connecter("martin").post("/mon-compte/responsable/", formulaire("martin", "responsable"), follow=True)
    assert "Rien n'a changé" in texte(reponse)
    assert not Demande.objects.filter(famille__nom="Martin").exists()


def test_retirer_sa_demande(deposer, connecter):
    demande = deposer("martin", "responsable", ville="Bourges")
    reponse = connecter("martin").post(reverse("retirer_demande", args=[demande.uuid]), follow=True)
    assert "Votre demande est retirée." in texte(reponse)
    demande.refresh_from_db()
    assert demande.etat == "RETIREE"


def test_retirer_trop_tard_dit_pourquoi(deposer, connecter, comptes):
    demande = deposer("martin", "responsable", ville="Bourges")
    actions.accepter(demande.pk, par=comptes["agent"])
    reponse = connecter("martin").post(reverse("retirer_demande", args=[demande.uuid]), follow=True)
    assert "Demande déjà traitée : acceptée par Nadia Petit" in texte(reponse)


def test_l_iban_n_est_jamais_ecrit_en_entier(deposer, connecter):
    demande = deposer("durand", "bancaires", iban="FR76 3000 6000 0112 3456 7890 189")
    parent = connecter("durand")
    for chemin in ("/mon-compte/", "/mon-compte/bancaires/", demande.get_absolute_url()):
        page = texte(parent.get(chemin)).replace(" ", "")
        assert "FR1420041010050500013M02606" not in page
        assert "FR7630006000011234567890189" not in page
    assert "FR76 •••• 0189" in texte(parent.get(demande.get_absolute_url()))


def test_la_liste_va_a_un_mois_et_plus_loin_d_un_clic(deposer, connecter, comptes):
    ancienne = deposer("martin", "caf", caisse="MSA")
    actions.refuser(ancienne.pk, par=comptes["agent"], motif="Illisible")
    Demande.objects.filter(pk=ancienne.pk).update(deposee_le=timezone.now() - timedelta(days=40))
    deposer("martin", "responsable", ville="Bourges")
    parent = connecter("martin")
    lignes = lambda requete: [ligne.libelle for ligne in parent.get("/demandes/" + requete).context["lignes"]]  # noqa: E731
    assert {requete: lignes(requete) for requete in ("", "?periode=toutes", "?rubrique=mes-enfants")} == {
        "": ["Infos Responsable"],
        "?periode=toutes": ["Infos Responsable", "Info CAF"],
        "?rubrique=mes-enfants": [],
    }
    assert lignes("?periode=toutes&rubrique=mon-compte&type=caf") == ["Info CAF"]


def test_les_filtres_comptent(deposer, connecter):
    deposer("martin", "responsable", ville="Bourges")
    deposer("martin", "caf", caisse="MSA")
    filtres = connecter("martin").get("/demandes/?rubrique=mon-compte").context["filtres"]
    assert [(libelle, nombre) for libelle, nombre, _, _ in filtres] == [
        ("Toutes", 2),
        ("Mon compte", 2),
        ("Mes enfants", 0),
        ("Responsable", 1),
        ("Conjoint", 0),
        ("Fiscales", 0),
        ("CAF", 1),
        ("Bancaires", 0),
    ]


def test_un_refus_dit_sa_raison_et_ce_qu_on_peut_faire(deposer, connecter, comptes):
    demande = deposer("martin", "caf", caisse="MSA")
    actions.refuser(demande.pk, par=comptes["comptable"], motif="L'attestation manque.")
    page = texte(connecter("martin").get(demande.get_absolute_url()))
    assert "Réponse : Service Comptabilité" in page
    assert "L'attestation manque." in page
    assert "Redemander" in page
