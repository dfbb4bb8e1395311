"""Delete, restore, mark as unread: each adult in their own box, and nothing is lost for the mairie."""

from uuid import uuid4

import pytest

from messagerie.actions import repondre_a_la_famille
from messagerie.models import Fil, Lecture, Message, Rangement

pytestmark = pytest.mark.django_db

INCONNU = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def ranger(connecter):
    """``ranger("durand", "supprimer", fil)``: tick and press, as the page does."""

    def ranger(identifiant, geste, *fils, **autres):
        donnees = {"geste": geste, "fil": [str(getattr(fil, "uuid", fil)) for fil in fils], **autres}
        return connecter(identifiant).post("/messagerie/ranger/", donnees)

    return ranger


def test_supprimer_ne_vide_que_sa_boite_et_rien_n_est_perdu(ecrire, ranger, sujets):
    un, deux = ecrire("durand", "Un"), ecrire("durand", "Deux")
    avant = list(Message.objects.order_by("pk").values())
    assert ranger("durand", "supprimer", un, deux).url == "/messagerie/"
    assert (sujets("durand"), sujets("durand", "supprimes/")) == ([], ["Deux", "Un"])
    assert (sujets("durand2"), sujets("durand2", "supprimes/")) == (["Deux", "Un"], [])
    assert (Fil.objects.count(), list(Message.objects.order_by("pk").values())) == (2, avant)


def test_supprimer_deux_fois_est_sans_effet(ecrire, ranger):
    fil = ecrire("durand", "Un")
    ranger("durand", "supprimer", fil)
    premier = Rangement.objects.get()
    ranger("durand", "supprimer", fil)
    assert list(Rangement.objects.all()) == [premier]


def test_un_fil_supprime_se_lit_et_se_restaure(ecrire, ranger, sujets, connecter):
    fil = ecrire("durand", "Un")
    ranger("durand", "supprimer", fil)
    page = connecter("durand").get(f"/messagerie/{fil.uuid}/").content.decode()
    assert ("Restaurer cet échange" in page, "Supprimer cet échange" in page) == (True, False)
    assert ranger("durand", "restaurer", fil, boite="supprimes").url == "/messagerie/supprimes/"
    assert (sujets("durand"), sujets("durand", "supprimes/")) == (["Un"], [])


def test_une_reponse_de_la_mairie_fait_revenir_le_fil_supprime(ecrire, ranger, sujets, comptes):
    fil = ecrire("durand", "Un")
    ranger("durand", "supprimer", fil)
    repondre_a_la_famille(fil, par=comptes["agent"], corps="Encore un mot.", cle=uuid4())
    assert (sujets("durand"), sujets("durand", "supprimes/")) == (["Un"], [])


def test_marquer_comme_non_lu_ne_vaut_que_pour_soi(ecrire, ranger, connecter):
    fil = ecrire("durand", "Un")
    for qui in ("durand", "durand2"):
        connecter(qui).get(f"/messagerie/{fil.uuid}/")
    ranger("durand", "non_lu", fil)
    non_lus = {qui: connecter(qui).get("/messagerie/").context["page"][0].non_lu for qui in ("durand", "durand2")}
    assert non_lus == {"durand": True, "durand2": False}


@pytest.mark.parametrize(
    ("donnees", "retour"),
    [
        ({}, "/messagerie/"),
        ({"boite": "envoyes", "q": "goûter & co", "page": "2"}, "/messagerie/envoyes/?q=go%C3%BBter+%26+co&page=2"),
        ({"boite": "https://ailleurs.example"}, "/messagerie/"),
        ({"q": "a\x00b", "page": "x" * 300}, "/messagerie/?page=" + "x" * 100),
    ],
)
def test_on_revient_ou_l_on_etait(donnees, retour, ecrire, ranger):
    assert ranger("durand", "supprimer", ecrire("durand", "Un"), **donnees).url == retour


@pytest.mark.parametrize("geste", ["supprimer", "restaurer", "non_lu"])
def test_on_ne_range_que_ses_propres_fils(geste, ecrire, ranger):
    siens = ecrire("durand", "À Claire")
    autres = [ecrire("martin", "Aux Martin"), ecrire("durand2", "À Julien seul", seul=True)]
    assert ranger("durand", geste, *autres, INCONNU, "x", "\x00").status_code == 404
    assert not Rangement.objects.exists()
    assert ranger("durand", geste, siens, *autres, INCONNU, "x").status_code == 302
    assert {r.fil for r in Rangement.objects.select_related("fil")} == ({siens} if geste == "supprimer" else set())
    assert not Lecture.objects.exists()


def test_sans_rien_cocher_la_page_dit_quoi_faire(ecrire, ranger, connecter):
    navigateur = connecter("durand")
    reponse = navigateur.post("/messagerie/ranger/", {"geste": "supprimer", "boite": "envoyes"}, follow=True)
    assert reponse.redirect_chain == [("/messagerie/envoyes/", 302)]
    assert "Cochez d'abord un échange dans la liste." in [str(m) for m in reponse.context["messages"]]


@pytest.mark.parametrize("geste", ["", "effacer", "marquer_lu", "__class__"])
def test_un_geste_inconnu_n_existe_pas(geste, ecrire, ranger):
    assert ranger("durand", geste, ecrire("durand", "Un")).status_code == 404
    assert not Rangement.objects.exists()


def test_ouvrir_l_adresse_ne_range_rien(connecter):
    assert connecter("durand").get("/messagerie/ranger/").status_code == 405
