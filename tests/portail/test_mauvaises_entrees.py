"""Bad input: a clear French page, nothing written, nothing lost of what was typed (qualite.md C1)."""

import re
from contextlib import contextmanager
from html import unescape
from html.parser import HTMLParser
from urllib.parse import quote_from_bytes

import pytest
from django.conf import settings as reglages
from django.contrib.sessions.models import Session
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.http import QueryDict
from django.test import Client
from hypothesis import HealthCheck, given, strategies
from hypothesis import settings as essais

from demandes.actions import formulaire
from demandes.forms.base import DatesField, LignesField
from demandes.forms.enfants import PersonneForm
from demandes.models import Demande, PieceJointe
from demandes.types import DU_DOSSIER as TYPES
from enfants.models import Enfant
from enfants.regles.vaccins import TABLE_2025
from facturation.models import Campagne, Regie
from familles.models import Famille, OubliMotDePasse
from tests.conftest import ClientVerifie
from tests.fabrique import PDF_SAIN
from tests.portail.conftest import CAF, PAGE, ecrits, gardee, texte
from tests.saisie import lignes
from tests.saisie import saisie as saisie_de

pytestmark = pytest.mark.django_db

ICI = {"HTTP_ORIGIN": "http://testserver"}


def titre(reponse):
    return unescape(re.search(r"<h1>(.*?)</h1>", reponse.content.decode())[1])


class Formulaire(HTMLParser):
    """The main form of a page as a browser would send it: its address, its named inputs in order."""

    def __init__(self, reponse):
        super().__init__()
        self.formulaires, self.courant = [], None
        self.feed(reponse.content.decode())
        (formulaire,) = [f for f in self.formulaires if f["action"] != "/deconnexion/"]
        self.action, self.champs = formulaire["action"], formulaire["champs"]

    def handle_starttag(self, balise, attributs):
        attributs = dict(attributs)
        if balise == "form":
            self.courant = {"action": attributs.get("action", ""), "champs": []}
            self.formulaires.append(self.courant)
        elif balise == "input" and self.courant and attributs.get("name"):
            self.courant["champs"].append((attributs["name"], attributs.get("value", "")))

    def handle_endtag(self, balise):
        if balise == "form":
            self.courant = None

    def saisie(self):
        """Values by name, several to a name, without the token."""
        valeurs = {}
        for nom, valeur in self.champs:
            if nom != "csrfmiddlewaretoken":
                valeurs.setdefault(nom, []).append(valeur)
        return valeurs

    def renvoyer(self, navigateur):
        return navigateur.post(self.action, {**self.saisie(), "csrfmiddlewaretoken": self.jeton()}, **ICI)

    def jeton(self):
        return dict(self.champs)["csrfmiddlewaretoken"]


# --- The page that stood open too long ---------------------------------------------------------------------


@pytest.fixture
def durand(comptes):
    """Claire's browser, which checks the tokens of the forms like a real one; nothing of hers waits."""
    Demande.objects.update(etat="RETIREE", traitee_le="2020-01-01T00:00Z", traitee_par=comptes["durand"])
    navigateur = ClientVerifie(enforce_csrf_checks=True)
    navigateur.force_login(comptes["durand"], "familles.connexion.CompteActif")
    return navigateur


def test_une_page_expiree_rend_la_saisie_et_la_renvoie(durand):
    avant = ecrits()
    reponse = durand.post(PAGE, {**CAF, "caisse": "L'« école » <b>&amp;"}, **ICI)
    assert (reponse.status_code, titre(reponse), ecrits()) == (403, "Cette page a expiré", avant)
    assert ("votre saisie est gardée" in texte(reponse), b"<b>" in reponse.content) == (True, False)
    rendu = Formulaire(reponse)
    assert rendu.action == PAGE
    assert rendu.saisie() == {nom: [valeur] for nom, valeur in CAF.items()} | {"caisse": ["L'« école » <b>&amp;"]}
    assert rendu.renvoyer(durand).status_code == 302
    demandees = Demande.objects.en_attente().get().valeurs_demandees
    assert (demandees["caisse"], demandees["numero_allocataire"]) == ("L'« école » <b>&amp;", "7654321")


def test_une_page_expiree_garde_les_cases_cochees_plusieurs_fois(durand):
    reponse = durand.post(f"{PAGE}?de=loin", {"retirer": ["un", "deux"], "caisse": ""}, **ICI)
    rendu = Formulaire(reponse)
    assert (rendu.action, rendu.saisie()) == (f"{PAGE}?de=loin", {"retirer": ["un", "deux"], "caisse": [""]})


def test_une_page_expiree_dit_que_les_fichiers_sont_a_rajouter(durand):
    reponse = durand.post(PAGE, {**CAF, "pieces": SimpleUploadedFile("rib.pdf", b"%PDF")}, **ICI)
    assert (reponse.status_code, "Les fichiers joints ne peuvent pas être gardés" in texte(reponse)) == (403, True)


@pytest.mark.parametrize(
    "origine",
    [
        {"HTTP_ORIGIN": "https://ailleurs.example"},
        {"HTTP_ORIGIN": "http://testserver.ailleurs.example"},
        {"HTTP_ORIGIN": "http://testserver:8080"},
        {"HTTP_ORIGIN": "http://ailleurs.example@testserver"},
        {"HTTP_ORIGIN": "null"},
        {"HTTP_ORIGIN": "null", "HTTP_REFERER": "http://testserver/mon-compte/"},
        {"HTTP_REFERER": "https://ailleurs.example/testserver"},
        {},
    ],
)
def test_un_formulaire_forge_ailleurs_ne_se_fait_rien_rendre(origine, durand):
    avant = ecrits()
    reponse = durand.post(PAGE, CAF, **origine)
    assert (reponse.status_code, titre(reponse), ecrits()) == (403, "Cette page a expiré", avant)
    assert [valeur for valeur in ("MSA Beauce", "7654321") if valeur in texte(reponse)] == []


def test_une_origine_illisible_ne_casse_pas_la_page_expiree(durand):
    assert durand.post(PAGE, CAF, HTTP_ORIGIN="http://[").status_code == 403


def test_a_defaut_d_origine_la_page_precedente_fait_foi(durand):
    reponse = durand.post(PAGE, CAF, HTTP_REFERER="http://testserver/mon-compte/caf/")
    assert Formulaire(reponse).saisie() == {nom: [valeur] for nom, valeur in CAF.items()}


@pytest.mark.parametrize(
    ("page", "saisie"),
    [
        ("/connexion/", {"username": "durand", "password": "MotSecret18"}),
        ("/mot-de-passe/", {"ancien": "MotSecret17", "new_password1": "MotSecret18", "new_password2": "MotSecret18"}),
        ("/mot-de-passe/nouveau/MQ/choisir/", {"new_password1": "MotSecret18", "new_password2": "MotSecret18"}),
    ],
)
def test_un_mot_de_passe_n_est_jamais_rendu(page, saisie, durand):
    reponse = durand.post(page, saisie, **ICI)
    assert (reponse.status_code, "MotSecret" in texte(reponse)) == (403, False)


def couper(navigateur):
    Session.objects.all().delete()


def laisser_dormir(navigateur):
    session = navigateur.session
    session["vu_le"] -= 31 * 60
    session.save()


@pytest.mark.parametrize("fin", [couper, laisser_dormir])
def test_une_session_fermee_au_milieu_d_un_formulaire_n_en_perd_rien(fin, durand, comptes, mot_de_passe):
    jeton = Formulaire(durand.get(PAGE)).jeton()
    fin(durand)
    avant = ecrits()
    reponse = durand.post(PAGE, {**CAF, "csrfmiddlewaretoken": jeton}, **ICI)
    assert (reponse.status_code, titre(reponse), ecrits()) == (403, "Cette page a expiré", avant)
    assert "Reconnectez-vous dans un nouvel onglet" in texte(reponse)
    en_attente = Formulaire(reponse)
    assert en_attente.saisie() == {nom: [valeur] for nom, valeur in CAF.items()}

    connexion = Formulaire(durand.get("/connexion/"))
    acces = {"username": "durand", "password": mot_de_passe, "csrfmiddlewaretoken": connexion.jeton()}
    assert durand.post("/connexion/", acces, **ICI).url == "/"

    # Logging in renews the token: the page that waits is sent once more, with the values and the new token.
    encore = en_attente.renvoyer(durand)
    assert Formulaire(encore).saisie() == en_attente.saisie()
    assert "Reconnectez-vous" not in texte(encore)
    assert Formulaire(encore).renvoyer(durand).status_code == 302
    assert Demande.objects.en_attente().get().valeurs_demandees["numero_allocataire"] == "7654321"


# --- Addresses and fields that no browser sends ------------------------------------------------------------


@pytest.mark.parametrize(
    "adresse",
    ["/%00", "/mon-compte/%00caf/", "/demandes/?page=%00", "/messagerie/?page=1&x=a%00b", "/connexion/?next=/%00"],
)
def test_un_nul_dans_une_adresse_est_refuse(adresse, connecter):
    for navigateur in (Client(), connecter("durand")):
        reponse = sans_controle(navigateur, adresse)
        assert (reponse.status_code, titre(reponse)) == (400, "Adresse illisible")


def sans_controle(navigateur, adresse):
    """The page alone: its headers have a test of their own, below."""
    simple = Client()
    simple.cookies = navigateur.cookies
    return simple.get(adresse)


@pytest.mark.parametrize("requete", [{"path": "/%00"}, {"path": "/", "CONTENT_LENGTH": str(300 * 1024 * 1024)}])
def test_une_entree_illisible_a_les_memes_en_tetes_que_les_autres_pages(requete, distribution):
    assert ClientVerifie().get(**requete).status_code in (400, 413)


UNE_LIGNE = {"personnes-TOTAL_FORMS": "1", "personnes-INITIAL_FORMS": "0"}


def envoyes(genre):
    """``(field, name)`` of all that a browser may send of a kind, a row of people and each vaccine included."""
    for champ, type_ in genre.formulaire.base_fields.items():
        if isinstance(type_, LignesField):
            yield from ((champ, f"{champ}-0-{nom}") for nom in [*PersonneForm.base_fields, "DELETE"])
        elif isinstance(type_, DatesField):
            yield from ((champ, f"{champ}-{vaccin.code}") for vaccin in TABLE_2025)
        else:
            yield champ, champ


def page_de(type_, enfant):
    """Address of the form of a kind, about this child or about the household."""
    return TYPES[type_].url(enfant if TYPES[type_].par_enfant else None)


def zoe():
    """The child of the Martins."""
    return Enfant.objects.select_related("informations", "sante").get(prenom="Zoé")


@pytest.mark.parametrize("type_", TYPES)
def test_un_nul_dans_un_champ_est_dit_et_rien_n_est_ecrit(type_, connecter):
    navigateur, champs = connecter("martin"), TYPES[type_].formulaire.base_fields
    textes = {nom: "a\x00b" for champ, nom in envoyes(TYPES[type_]) if not hasattr(champs[champ], "choices")}
    textes.pop("personnes-0-DELETE", None)
    reponse = navigateur.post(page_de(type_, zoe()), textes | UNE_LIGNE)
    assert reponse.status_code == 422
    assert "rien n'est envoyé pour l'instant" in texte(reponse)
    assert not Famille.objects.get(responsables__utilisateur__identifiant="martin").demandes.exists()


def test_un_nul_a_l_entree_est_dit(client, distribution):
    for page, saisie in {
        "/connexion/": {"username": "dur\x00and", "password": "x\x00"},
        "/mot-de-passe/oublie/": {"saisie": "dur\x00and"},
    }.items():
        reponse = client.post(page, saisie)
        assert (reponse.status_code, "Le caractère nul n’est pas autorisé." in texte(reponse)) == (200, True)
    assert not OubliMotDePasse.objects.exists()


INCONNU = "00000000-0000-4000-8000-000000000000"


@pytest.mark.parametrize("qui", [None, "durand", "agent"])
def test_une_adresse_inconnue_est_une_page_claire(qui, client, connecter):
    navigateur = connecter(qui) if qui else client
    inconnues = ["/inconnue/", "/mes-enfants/abc/", "/demandes/abc/", "/wp-login.php", "/é/", "/mon-compte/caf/x/"]
    if qui == "durand":
        inconnues += ["/mon-compte/inconnu/", "/admin/", "/admin/inconnue/"]
        inconnues += [f"/{quoi}/{INCONNU}/" for quoi in ("demandes", "demandes/pieces", "messagerie", "mes-enfants")]
    vues = {adresse: navigateur.get(adresse) for adresse in inconnues}
    lues = {adresse: (reponse.status_code, titre(reponse)) for adresse, reponse in vues.items()}
    assert lues == dict.fromkeys(inconnues, (404, "Page introuvable"))
    assert ["Revenir à l'accueil" in texte(reponse) for reponse in vues.values()] == [True] * len(inconnues)


def test_un_formulaire_demesure_est_refuse(connecter):
    navigateur, avant = connecter("durand"), ecrits()
    trop_long = b"caisse=" + b"x" * 3_000_000
    trop_de_champs = b"&".join(b"c%d=x" % n for n in range(2500))
    for corps in (trop_long, trop_de_champs):
        reponse = navigateur.generic("POST", PAGE, corps, "application/x-www-form-urlencoded")
        assert (reponse.status_code, "Rien n'a été enregistré" in texte(reponse)) == (400, True)
    assert ecrits() == avant


def test_un_envoi_demesure_est_refuse_avant_d_etre_lu(distribution):
    reponse = Client().post(PAGE, CAF, CONTENT_LENGTH=str(300 * 1024 * 1024))
    assert (reponse.status_code, titre(reponse)) == (413, "Envoi trop lourd")


def test_un_iban_faux_garde_le_reste_de_la_saisie(connecter):
    navigateur, avant = connecter("durand"), ecrits()
    saisie = {"titulaire": "Claire et Julien D.", "iban": "FR76 3000 6000 0112 3456 7890 188", "bic": "AGRIFRPP"}
    reponse = navigateur.post("/mon-compte/bancaires/", saisie)
    page = texte(reponse)
    assert (reponse.status_code, ecrits()) == (422, avant)
    assert "Cet IBAN n'est pas valable" in page
    assert [valeur for valeur in saisie.values() if f'value="{valeur}"' not in page] == []
    assert "FR1420041010050500013M02606" not in page, "l'IBAN du dossier paraît en entier"


# --- Papers ------------------------------------------------------------------------------------------------


def test_chaque_mauvaise_piece_est_nommee(joindre):
    reponse = joindre(("un.exe", b"MZ"), ("bon.pdf", PDF_SAIN), ("deux.pdf", b""))
    erreurs = reponse.context["pieces"].errors["pieces"]
    assert [erreur.split(" »")[0] for erreur in erreurs] == ["« un.exe", "« deux.pdf"]


def test_cinq_pieces_pas_six(joindre):
    avant = ecrits()
    reponse = joindre(*[(f"{n}.pdf", PDF_SAIN) for n in range(6)])
    assert (reponse.status_code, ecrits()) == (422, avant)
    assert "Une demande porte 5 pièces au plus." in texte(reponse)
    gardee(joindre(*[(f"{n}.pdf", PDF_SAIN) for n in range(5)]))
    assert joindre(("6.pdf", PDF_SAIN)).status_code == 422
    premiere = PieceJointe.objects.earliest("pk")
    gardee(joindre(("6.pdf", PDF_SAIN), retirer=str(premiere.uuid)))
    assert sorted(PieceJointe.objects.values_list("nom", flat=True)) == [f"{n}.pdf" for n in (1, 2, 3, 4, 6)]


def test_on_ne_retire_pas_la_piece_d_une_autre_famille(joindre, connecter):
    piece = gardee(joindre(("rib.pdf", PDF_SAIN)))
    reponse = connecter("durand").post(PAGE, {**CAF, "retirer": str(piece.uuid)})
    assert (reponse.status_code, list(PieceJointe.objects.order_by("pk"))) == (422, [piece])


# --- Whatever a parent can send, an agent can read and decide ----------------------------------------------


DECISION = {"decision": "accepter", "version": "1", "source": "ATTESTATION"}
DECISION |= {"effet": "2026-12-01", "expiration": "2027-08-31"}


@pytest.mark.parametrize(
    ("type_", "saisie"),
    [
        ("fiscales", {"revenu_fiscal": "9999999,99", "parts": "0,5", "annee": "2019"}),
        ("responsable", {"telephone_mobile": "06 39 98 10 99 x1234"}),
        ("responsable", {"courriel": "a" * 60 + "@" + ".".join(["b" * 59] * 4) + ".fr"}),
    ],
    ids=["quotient de 1 666 666 €", "téléphone avec poste", "adresse e-mail de 300 caractères"],
)
def test_ce_qu_un_parent_peut_demander_un_agent_peut_l_accepter(type_, saisie, connecter, familles_de):
    famille = familles_de("martin")
    depot = connecter("martin").post(f"/mon-compte/{type_}/", {**TYPES[type_].actuelles(famille), **saisie})
    if depot.status_code == 422:  # refused at once, and nothing to decide
        assert not famille.demandes.exists()
        return
    demande = famille.demandes.get()
    reponse = connecter("agent").post(f"/admin/demandes/demande/{demande.pk}/decider/", DECISION)
    demande.refresh_from_db()
    assert (reponse.status_code, demande.etat) == (302, "ACCEPTEE")


def test_une_version_demesuree_ne_casse_pas_la_decision(connecter):
    demande = Demande.objects.en_attente().first()
    decision = {"decision": "refuser", "motif": "Illisible", "version": "9" * 5000}
    reponse = connecter("agent").post(f"/admin/demandes/demande/{demande.pk}/decider/", decision)
    demande.refresh_from_db()
    assert (reponse.status_code, demande.etat) == (409, "EN_ATTENTE")


# --- Anything at all ---------------------------------------------------------------------------------------

MEGAOCTET = "<1 Mo>"  # written out when sent: hypothesis prints what it tries
N_IMPORTE_QUOI = [
    "", " ", "\x00", "a\x00b", "\ud800", "\udfff\ud800", "\ufeff", "\u202e", "\u0660\u0661", "²", "é" * 300, "x" * 5000,
    MEGAOCTET, "9" * 5000, "NaN", "-NaN", "Infinity", "-1", "-0", "1e400", "1E5", "0,001", str(2**31), str(2**63),
    str(-(2**63) - 1), "0001-01-01", "9999-12-31", "01/0001", "12/9999", "0000-00-00", "2026-02-30", "06 39 98 10 99",
    "FR1420041010050500013M02606", "CAF", "on", "<script>alert(1)</script>", "' OR 1=1 --", "%s%n%00",
    "\r\nBcc: tous@ex.fr", "../../etc/passwd", "a@b.fr", "٣@٣.fr", INCONNU, "[]", "javascript:alert(1)",
    "//ailleurs.example",
]  # fmt: skip
valeurs = strategies.sampled_from(N_IMPORTE_QUOI) | strategies.text(max_size=40)


def encoder(paires):
    """As a form is sent, lone surrogates and duplicate keys included, which a careful client would not send."""
    return "&".join(f"{_encoder(nom)}={_encoder(str(valeur))}" for nom, valeur in paires)


def _encoder(texte):
    return quote_from_bytes(texte.replace(MEGAOCTET, "x" * 1_000_000).encode("utf-8", "surrogatepass"))


def paires(noms, nombre):
    """Up to ``nombre`` of these names, sometimes twice, sometimes another, each with any value."""
    nom = strategies.sampled_from([*noms, *noms, "inconnu\x00"])
    return strategies.lists(strategies.tuples(nom, valeurs), min_size=1, max_size=nombre)


def suivies(formulaires, nombre=5):
    """A page and what is sent to it."""
    return strategies.sampled_from(sorted(formulaires)).flatmap(
        lambda page: strategies.tuples(strategies.just(page), paires(formulaires[page], nombre))
    )


def n_importe_quoi(nombre):
    return essais(
        max_examples=nombre,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


@contextmanager
def sans_suite():
    """Each request starts from the same database."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


# What Zoé's household sends when all is right, beside what its pages show.
JUSTE = {
    "autorisations": lignes(
        "personnes",
        [{"prenom": "Ana", "nom": "Roy", "lien": "Tante", "telephone": "06 39 98 40 01", "peut_chercher": True}],
    ),
    "informations": dict.fromkeys(("photo", "sortie_seul", "hospitalisation", "baignade", "sorties"), "non"),
    "ajout-enfant": {"prenom": "Lou", "nom": "Martin", "date_naissance": "2023-05-14"},
}
FORMULAIRES = {
    **{
        code: [
            *(nom for _, nom in envoyes(genre)),
            *(f"piece_{nature}" for nature in genre.natures),
            *("retirer", "pieces", *UNE_LIGNE),
        ]
        for code, genre in TYPES.items()
    },
    "/mot-de-passe/": ["ancien", "new_password1", "new_password2"],
    f"/demandes/{INCONNU}/retirer/": ["x"],
    "/messagerie/nouveau/": ["service", "sujet", "corps", "prive", "cle"],
    "/messagerie/ranger/": ["geste", "fil", "boite", "q", "page"],
    "/mon-compte/courriels/": ["rythme"],
    f"/factures/{INCONNU}/payer/": ["x"],
    f"/releve/attestations/2025/{INCONNU}/": ["x"],
}
PORTES = {
    "/connexion/": ["username", "password", "next"],
    "/mot-de-passe/oublie/": ["saisie"],
    "/mot-de-passe/nouveau/MQ/choisir/": ["new_password1", "new_password2"],
    "/adresse-e-mail/jeton/": ["x"],
    "/courriels/jeton/": ["List-Unsubscribe"],
    "/demo/payfip/accueilportail.web": ["numcli", "refdet", "montant", "mel"],
    "/demo/payfip/resultat/": ["demande", "issue", "avis"],
    "/demo/payfip/avis/": ["attente"],
}
LISTES = {
    "/demandes/": ["rubrique", "type", "periode", "page"],
    "/messagerie/": ["page", "q"],
    "/messagerie/envoyes/": ["page", "q"],
    "/contact/": ["enfant", "demande", "facture"],
    "/mon-compte/": ["page"],
    "/mon-compte/caf/": ["type", "quotient"],
    "/mes-enfants/": ["jour"],
    "/releve/": ["annee"],
    "/releve/attestations/": ["annee"],
    "/messagerie/nouveau/": ["facture", "ligne", "jour", "enfant", "demande"],
    "/paiement/avis/jeton/": ["numcli", "montant", "resultrans", "idop"],
    "/documents/": ["page"],
    "/": ["next"],
}


def envoyer(navigateur, page, saisie):
    return navigateur.generic("POST", page, encoder(saisie).encode(), "application/x-www-form-urlencoded")


@pytest.mark.parametrize("type_", TYPES)
def test_chaque_champ_supporte_chaque_valeur_et_la_reaffiche(type_, comptes, familles_de):
    """Every field with every odd value, without the page around it: what the drawn cases below may not reach."""
    genre, famille, adulte = TYPES[type_], familles_de("martin"), comptes["martin"]
    enfant, casses = zoe() if genre.par_enfant else None, []
    actuelles = genre.actuelles(famille, enfant)
    options = {"actuelles": actuelles, "demandeur": adulte, **genre.options(famille, enfant)}
    juste = saisie_de(genre.formulaire(initial=dict(actuelles), **options)) | JUSTE.get(type_, {})
    for champ, nom in [*envoyes(genre), *(("personnes", nom) for nom in UNE_LIGNE if type_ == "autorisations")]:
        for valeur in N_IMPORTE_QUOI:
            envoi = QueryDict(encoder((juste | {nom: valeur}).items()))
            form = genre.formulaire(envoi, initial=dict(actuelles), **options)
            try:
                form.is_valid() and form.changees()
                str(form[champ])
            except Exception as erreur:
                casses.append((nom, valeur[:40], type(erreur).__name__))
    assert casses == []


def attendus(saisie, statuts):
    """Beyond two megabytes, the form is not read at all."""
    return {400, 413} if len(encoder(saisie)) > reglages.DATA_UPLOAD_MAX_MEMORY_SIZE else statuts


@n_importe_quoi(80)
@given(suivies(FORMULAIRES, 3))
def test_n_importe_quoi_dans_un_formulaire_de_parent(connecter, familles_de, envoi):
    """Mostly valid, so that much is filed: what is filed can be read by the family, read and accepted by the mairie."""
    page, changees = envoi
    with sans_suite():
        navigateur, famille, valides = connecter("martin"), familles_de("martin"), {}
        if genre := TYPES.get(page):
            enfant = zoe() if genre.par_enfant else None
            form = formulaire(genre, famille, enfant, demandeur=famille.responsables.get().utilisateur)
            page, valides = page_de(genre.code, enfant), saisie_de(form) | JUSTE.get(genre.code, {})
        saisie = [(nom, valeur) for nom, valeur in valides.items() if nom not in dict(changees)] + changees
        reponse = envoyer(navigateur, page, saisie)
        assert reponse.status_code in attendus(saisie, {200, 302, 404, 422})
        if demande := famille.demandes.first():
            assert navigateur.get(reponse.url).status_code == 200
            agent, adresse = connecter("agent"), f"/admin/demandes/demande/{demande.pk}"
            assert agent.get(f"{adresse}/change/").status_code == 200
            assert agent.post(f"{adresse}/decider/", DECISION).status_code in {302, 422}


@n_importe_quoi(50)
@given(suivies(PORTES))
def test_n_importe_quoi_a_l_entree(settings, distribution, envoi):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    with sans_suite():
        refus = {422} if envoi[0].startswith("/demo/") else set()
        assert envoyer(ClientVerifie(), *envoi).status_code in attendus(envoi[1], {200, 302, 404, 410} | refus)


CHEQUES = [f"cheques-{nom}" for nom in ("TOTAL_FORMS", "INITIAL_FORMS", "0-qui", "0-montant", "0-reference")]
JUSTE_ARGENT = {"/admin/cheques/": {"cheques-TOTAL_FORMS": "15", "cheques-INITIAL_FORMS": "0"}}
# The pages of money of the mairie: to read, and to send.
ARGENT = {
    "/admin/comptes/": ["q"],
    "/admin/comptes/{famille}/": ["annee"],
    "/admin/comptes/{famille}/rembourser/": ["regie", "montant", "le", "motif"],
    "/admin/reglements/nouveau/?famille={famille}": [
        "regie",
        "moyen",
        "montant",
        "recu_le",
        "reference",
        "cle",
        "apercu",
    ],
    "/admin/reglements/nouveau/": ["famille", "q"],
    "/admin/cheques/": ["regie", "recu_le", "action", "cle", *CHEQUES],
    "/admin/bordereaux/nouveau/?regie={regie}": ["le", "cheque", "regie"],
    "/admin/mandats/nouveau/?famille={famille}": ["regie", "signe_le"],
    "/admin/prelevements/nouveau/": ["regie", "le"],
    "/admin/roles/nouveau/": ["regie", "mois", "numero", "exercice", "le", "vue"],
    "/admin/facturer/": ["regie", "mois"],
    "/admin/facturer/{campagne}/": [
        "action",
        "genre",
        "page",
        "emise_le",
        "echeance",
        "compris",
        "geste",
        "motif",
        "jours",
    ],
    "/admin/factures/imprimer/": ["recto-verso"],
    "/admin/simuler/": ["famille", "q", "enfant", "service", "jour", "quotient", "formule"],
    "/admin/facturation/suivifacture/": ["mois", "paiement", "regie", "q", "p"],
    "/admin/facturation/suivifacture/export.csv": ["mois", "paiement", "regie", "q"],
    "/admin/facturation/suivireglement/export.csv": ["mois", "moyen__exact", "regie"],
    "/admin/facturation/facture/": ["mois", "etat", "regie", "q", "p"],
}


@n_importe_quoi(100)
@given(suivies(ARGENT))
def test_n_importe_quoi_dans_une_page_d_argent(connecter, familles_de, envoi):
    with sans_suite():
        modele, saisie = envoi
        regie = Regie.objects.get(code="loisirs")
        campagne = Campagne.objects.create(regie=regie, mois="2026-09-01", etape="PREPAREE")
        cles = {"famille": familles_de("durand").pk, "regie": regie.pk, "campagne": campagne.pk}
        page, agent = modele.format(**cles), connecter("comptable")
        requete, lien = encoder(saisie), "&" if "?" in page else "?"
        lue = sans_controle(agent, f"{page}{lien}{requete}")
        assert lue.status_code in ({400} if "%00" in requete else {200, 302, 404})
        if "/facturation/" not in page:  # the lists of the admin are read alone
            saisie = [*JUSTE_ARGENT.get(modele, {}).items(), *saisie]
            assert envoyer(agent, page, saisie).status_code in attendus(saisie, {200, 302, 404, 405, 409, 422})


@n_importe_quoi(80)
@given(suivies(LISTES))
def test_n_importe_quoi_dans_une_adresse(connecter, envoi):
    with sans_suite():
        page, requete = envoi[0], encoder(envoi[1])
        reponse = sans_controle(connecter("durand"), f"{page}?{requete}")
        lue = {200, 404} if page == "/messagerie/nouveau/" else {200}  # what a question is about may be unknown
        assert reponse.status_code in ({400} if "%00" in requete else lue)
