"""Who gets which mail: each message, once a day, none; what concerns the account's security always leaves."""

import re
from collections import Counter
from datetime import datetime
from email.utils import parseaddr
from html.parser import HTMLParser
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.template.loader import get_template
from django.test.utils import CaptureQueriesContext

from familles import acces
from familles import actions as familles
from familles.models import OubliMotDePasse, Responsable, Utilisateur
from messagerie.actions import marquer_lu, notifier, supprimer
from messagerie.courriels import choisir, envoyer_resumes
from messagerie.models import Courriel, Fil, Lecture, Message, Preference
from portail.commune import Commune
from portail.outils.courriels import composer, decouper, habiller

pytestmark = pytest.mark.django_db

PARIS = ZoneInfo("Europe/Paris")
CLAIRE, JULIEN = "claire.durand@famille.example", "julien.durand@famille.example"


def adulte(identifiant):
    return Responsable.objects.select_related("famille", "utilisateur").get(utilisateur__identifiant=identifiant)


@pytest.fixture(autouse=True)
def sans_courriel(distribution):
    Fil.objects.all().delete()
    Courriel.objects.all().delete()


@pytest.fixture
def ecrire(famille_durand, monkeypatch):
    """``ecrire("2026-11-24T10:00")``: the mairie writes to the household then."""

    def ecrire(instant="2026-11-24T10:00", **message):
        a(monkeypatch, instant)
        return notifier(famille_durand, **{"sujet": "Le goûter", "corps": "Bonjour.", "par": None} | message)

    return ecrire


@pytest.fixture
def passer(monkeypatch):
    """``passer("2026-11-24T18:00")``: the digest job at that hour; how many messages each address is told of."""

    def passer(instant):
        Courriel.objects.all().delete()
        envoyer_resumes(maintenant=a(monkeypatch, instant))
        return dict(Courriel.objects.values_list("destinataire", "objet"))

    return passer


def a(monkeypatch, texte):
    instant = datetime.fromisoformat(texte).replace(tzinfo=PARIS)
    monkeypatch.setattr("django.utils.timezone.now", lambda: instant)
    return instant


def recus():
    return Counter(Courriel.objects.order_by("pk").values_list("destinataire", flat=True))


# --- Each message, or none -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rythme", "attendus"),
    [
        ("", {CLAIRE: 1, JULIEN: 1}),
        ("IMMEDIAT", {CLAIRE: 1, JULIEN: 1}),
        ("QUOTIDIEN", {JULIEN: 1}),
        ("AUCUN", {JULIEN: 1}),
    ],
)
def test_un_message_previent_qui_veut_un_courriel_a_chaque_fois(rythme, attendus, ecrire):
    if rythme:
        choisir(adulte("durand"), rythme)
    ecrire()
    assert recus() == attendus


def test_ce_qui_touche_a_la_securite_part_toujours(distribution):
    """The forgotten password, the first access, the new address to confirm, the old one that is told."""
    claire = adulte("durand").utilisateur
    choisir(claire.adulte, Preference.Rythme.AUCUN)
    OubliMotDePasse.objects.create(saisie="durand")
    acces.traiter_oublis()
    acces.inviter(claire)
    familles.demander_courriel(claire, "neuve@famille.example")
    lien = re.search(r"/adresse-e-mail/([^/]+)/", Courriel.objects.latest("pk").corps)
    familles.confirmer_courriel(lien[1])
    assert recus() == {CLAIRE: 3, "neuve@famille.example": 1}
    assert set(Courriel.objects.values_list("desabonnement", flat=True)) == {""}
    assert [c for c in Courriel.objects.order_by("pk") if "/mon-compte/courriels/" in c.corps + c.corps_html] == []


def test_un_compte_ferme_ou_sans_adresse_ne_recoit_rien(ecrire):
    Utilisateur.objects.filter(identifiant="durand").update(is_active=False)
    Utilisateur.objects.filter(identifiant="durand2").update(courriel="")
    ecrire()
    assert recus() == {}


# --- Once a day ------------------------------------------------------------------------------------------


@pytest.fixture
def quotidien(monkeypatch, distribution):
    """Claire chose one mail a day, on Monday 23."""
    a(monkeypatch, "2026-11-23T09:00")
    choisir(adulte("durand"), Preference.Rythme.QUOTIDIEN)


UN, DEUX = (
    "Saint-Martin-d'Auxigny : 1 message vous attend",
    "Saint-Martin-d'Auxigny : 2 messages vous attendent",
)


def test_le_resume_part_a_dix_huit_heures_une_fois(quotidien, ecrire, passer):
    ecrire()
    ecrire("2026-11-24T11:00")
    passages = ("2026-11-24T17:59", "2026-11-24T18:00", "2026-11-24T18:10", "2026-11-24T23:00", "2026-11-25T18:00")
    assert [passer(instant) for instant in passages] == [{}, {CLAIRE: DEUX}, {}, {}, {}]


def test_le_resume_ne_dit_que_le_nombre(quotidien, ecrire, passer):
    ecrire(sujet="Facture de Léa", corps="Elle a mangé lundi.")
    passer("2026-11-24T18:00")
    courriel = Courriel.objects.get()
    assert "Un nouveau message vous attend" in courriel.corps
    textes = courriel.objet + courriel.corps + courriel.corps_html
    assert [mot for mot in ("Léa", "Facture", "mangé", "Claire", "Durand") if mot in textes] == []
    assert courriel.desabonnement.startswith("http://localhost:8000/courriels/")


@pytest.mark.parametrize(
    "cause", ["lu", "supprimé", "pour l'autre adulte", "d'avant le choix", "de la famille", "rien"]
)
def test_sans_message_nouveau_pas_de_resume(cause, quotidien, ecrire, passer):
    claire = adulte("durand")
    if cause == "lu":
        marquer_lu(ecrire().fil, claire)
    elif cause == "supprimé":
        supprimer([ecrire().fil], claire)
    elif cause == "pour l'autre adulte":
        ecrire(destinataire=adulte("durand2"))
    elif cause == "d'avant le choix":
        ecrire("2026-11-23T08:59")
    elif cause == "de la famille":
        message = ecrire("2026-11-22T08:00")
        Message.objects.create(fil=message.fil, de_la_mairie=False, corps="Merci", auteur=claire.utilisateur)
    assert [passer(f"2026-11-{jour}T18:00") for jour in (23, 24)] == [{}, {}]


def test_un_message_du_soir_attend_le_lendemain(quotidien, ecrire, passer):
    assert passer("2026-11-24T18:00") == {}
    ecrire("2026-11-24T18:30")
    instants = ("2026-11-24T19:00", "2026-11-25T18:05", "2026-11-26T18:05")
    assert [passer(instant) for instant in instants] == [{}, {CLAIRE: UN}, {}]


def test_un_premier_resume_ne_remonte_pas_a_plus_d_un_jour(ecrire, passer):
    """Of a choice that says not since when."""
    Preference.objects.create(adulte=adulte("durand"), rythme="QUOTIDIEN")
    ecrire("2026-11-01T10:00")
    ecrire("2026-11-24T10:00")
    assert passer("2026-11-24T18:00") == {CLAIRE: UN}


def test_choisir_de_nouveau_le_resume_n_en_oublie_aucun(quotidien, ecrire, passer):
    ecrire()
    choisir(adulte("durand"), Preference.Rythme.QUOTIDIEN)  # the form sent once more: nothing changes
    assert passer("2026-11-24T18:00") == {CLAIRE: UN}


def test_chacun_a_son_nombre_sans_requete_de_plus(quotidien, ecrire, passer, monkeypatch):
    choisir(adulte("durand2"), Preference.Rythme.QUOTIDIEN)
    premier = ecrire()
    ecrire()
    marquer_lu(premier.fil, adulte("durand2"))
    assert passer("2026-11-24T18:00") == {CLAIRE: DEUX, JULIEN: UN}


def test_le_resume_coute_autant_de_requetes_pour_deux_et_vingt_adultes(famille_durand, monkeypatch):
    couts = {}
    for nombre in (2, 20):
        while Preference.objects.count() < nombre:
            numero = Preference.objects.count()
            qui = {"prenom": "Ana", "nom": f"N{numero}", "courriel": f"a{numero}@ex.fr"}
            famille = familles.ouvrir_famille(responsable=qui, conjoint=None, adresse={"ville": "Bourges"})
            Preference.objects.create(adulte=famille.responsables.get(), rythme="QUOTIDIEN")
        Preference.objects.update(resume_le=None)
        a(monkeypatch, "2026-11-24T12:00")
        for preference in Preference.objects.select_related("adulte__famille"):
            notifier(preference.adulte.famille, sujet="…", corps="…", par=None, courriel=False)
        maintenant = a(monkeypatch, "2026-11-24T18:00")
        Lecture.objects.all().delete()
        Commune.actuelle()
        with CaptureQueriesContext(connection) as captees:
            envoyes = envoyer_resumes(maintenant=maintenant)
        couts[nombre] = len([r for r in captees.captured_queries if "SAVEPOINT" not in r["sql"]])
        assert envoyes == nombre
        Fil.objects.all().delete()
    assert couts[2] == couts[20] <= 6


# --- Text and HTML ---------------------------------------------------------------------------------------


class Balises(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.balises, self.liens, self.textes = Counter(), [], []
        self.feed(html)

    def handle_starttag(self, balise, attributs):
        self.balises[balise] += 1
        attributs = dict(attributs)
        self.liens += [(attributs.get("class", ""), attributs["href"])] if balise == "a" else []
        self.langue = attributs.get("lang", getattr(self, "langue", None)) if balise == "html" else self.langue

    def handle_data(self, texte):
        self.textes.append(texte)


def modeles():
    dossier = get_template("courriels/_habillage.html").origin.name.rpartition("/")[0]
    return sorted(chemin.name.removesuffix("_objet.txt") for chemin in Path(dossier).glob("*_objet.txt"))


CONTEXTE = {
    "avant": "avant jeudi 26 novembre à 10 h",
    "jusqu_au": "jusqu'au jeudi 26 novembre à 10 h",
    "semaine": "lundi 30 novembre",
    "lundi": "2026-11-30",
    "nombre": 3,
    "lien": "http://localhost:8000/x/",
    "acces": [("durand", "http://localhost:8000/x/")],
    "service": {"nom": "Service <b>Enfance</b>"},
    "utilisateur": {"identifiant": "durand"},
}


@pytest.mark.parametrize("nom", modeles())
def test_chaque_courriel_a_son_texte_et_son_html(nom, distribution):
    (courriel,) = composer(nom, [("claire@ex.fr", "http://localhost:8000/courriels/x/")], **CONTEXTE)
    ((html, mime),) = courriel.alternatives
    lu = Balises(html)
    assert (mime, lu.langue, len(html.encode()) < 10_000) == ("text/html", "fr", True)
    assert lu.balises["img"] + lu.balises["script"] + lu.balises["link"] + lu.balises["b"] == 0
    boutons = [href for classe, href in lu.liens if classe == "bouton"]
    assert boutons or nom == "adresse_remplacee"
    # What the text says, the HTML says: without the spaces, and the address that a button hides.
    dit = "".join("".join(lu.textes).split())
    for ligne in courriel.body.splitlines():
        mots = re.sub(r"http\S+$", "", ligne) if any(href in ligne for href in boutons) else ligne
        assert "".join(mots.split()) in dit, ligne
    assert "http://localhost:8000/mon-compte/courriels/" in courriel.body
    assert parseaddr(courriel.from_email)[1] == "portail@example.org"


@pytest.mark.parametrize(
    ("texte", "attendu"),
    [
        ("Pour le lire : http://localhost:8000/messagerie/", ("Pour le lire :", True, True)),
        ("http://localhost:8000/x/", ("", True, True)),
        ("Choisir : http://localhost:8000/x/", ("Choisir :", True, False)),
        ("Pour voir : http://pirate.example/", ("Pour voir : http://pirate.example/", False, False)),
        ("Pour voir : http://localhost:8000.pirate.example/", None),
        ("javascript:alert(1)", ("javascript:alert(1)", False, False)),
    ],
)
def test_seules_les_adresses_du_portail_deviennent_des_liens(texte, attendu):
    (((ligne),),) = decouper(texte)
    if attendu is None:
        attendu = (texte, False, False)
    assert (ligne.mots, bool(ligne.adresse), ligne.bouton) == attendu


@pytest.mark.parametrize("couleur", ["red;background:url(http://x)", '"><script>', "#12", ""])
def test_une_couleur_qui_n_en_est_pas_une_ne_passe_pas(couleur, distribution):
    html = habiller("Bonjour", "Bonjour,", Commune(nom="Ville", couleur=couleur))
    assert "#0f5f6e" in html
    assert [mot for mot in ("url(", "<script>") if mot in html] == []


def test_un_texte_qui_porte_une_balise_arrive_en_texte(distribution):
    html = habiller("<script>alert(1)</script>", "Bonjour <script>alert(2)</script> & <b>vous</b>", Commune.actuelle())
    lu = Balises(html)
    assert (lu.balises["script"], lu.balises["b"]) == (0, 0)
    assert "Bonjour <script>alert(2)</script> & <b>vous</b>" in " ".join("".join(lu.textes).split())


def test_le_jour_ou_le_desabonnement_est_choisi_plus_rien_ne_part(client, ecrire):
    ecrire()
    lien = Courriel.objects.get(destinataire=CLAIRE).desabonnement.removeprefix("http://localhost:8000")
    assert client.get(lien).status_code == 200
    ecrire()
    assert recus()[CLAIRE] == 2, "ouvrir la page ne change rien"
    assert client.post(lien, {"List-Unsubscribe": "One-Click"}).status_code == 200
    ecrire()
    assert recus() == {CLAIRE: 2, JULIEN: 3}
    assert Preference.objects.get().rythme == "AUCUN"
