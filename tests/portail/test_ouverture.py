"""An agent opens a family's file from its paper form, then hands out the accesses, on paper or by mail."""

import io
import re
from datetime import date
from html import unescape

import pytest
from django.urls import reverse
from django.utils import timezone
from pypdf import PdfReader

from enfants.models import Enfant
from familles import lettres
from familles.models import Famille, Responsable, Utilisateur
from messagerie.models import Courriel
from portail.commune import Commune
from portail.outils import pdf
from portail.outils.pdf import PdfIndisponible
from tests.conftest import ClientVerifie

pytestmark = pytest.mark.django_db

PAGE = "/admin/ouvrir-une-famille/"
ADRESSE = {
    "adresse-adresse": "5 rue du Puits",
    "adresse-complement": "Bâtiment B",
    "adresse-code_postal": "18 110",
    "adresse-ville": "Quantilly",
}


def adulte(place, prenom="", nom="", **autres):
    return {f"{place}-{champ}": valeur for champ, valeur in {"prenom": prenom, "nom": nom, **autres}.items()}


def fratrie(*enfants):
    """``("Nino", "Roux", "2019-05-04")`` and so on, as the page sends them."""
    saisie = {"enfants-TOTAL_FORMS": str(max(3, len(enfants))), "enfants-INITIAL_FORMS": "0"}
    for rang, enfant in enumerate(enfants):
        for champ, valeur in zip(("prenom", "nom", "date_naissance"), enfant, strict=False):
            saisie[f"enfants-{rang}-{champ}"] = valeur
    return saisie


def papier(*enfants, responsable=None, conjoint=None, **autres):
    """The paper form of a family that nobody knows, with what a test changes."""
    return {
        **adulte("responsable", **{"prenom": "Ana", "nom": "Roux", **(responsable or {})}),
        **adulte("conjoint", **(conjoint or {})),
        **ADRESSE,
        **fratrie(*enfants),
        **autres,
    }


def au_dossier():
    return Famille.objects.count(), Responsable.objects.count(), Utilisateur.objects.count(), Enfant.objects.count()


@pytest.fixture
def agent(connecter):
    return connecter("agent")


@pytest.fixture
def ouvrir(agent):
    """``ouvrir(papier(…))``: the family whose file the agent opens."""

    def ouvrir(saisie):
        reponse = agent.post(PAGE, saisie)
        assert reponse.status_code == 302, unescape(reponse.content.decode())
        famille = Famille.objects.latest("pk")
        assert reponse.url == reverse("admin:familles_famille_change", args=[famille.pk])
        return famille

    return ouvrir


# --- Opening -----------------------------------------------------------------------------------------------


def test_une_page_ouvre_le_foyer_les_adultes_et_les_enfants(ouvrir, agent):
    famille = ouvrir(
        papier(
            ("nino", "ROUX", "2019-05-04"),
            ("Lila", "Roux"),
            responsable={"civilite": "MME", "courriel": "Ana@Ex.FR", "telephone_mobile": "+33639984001"},
            conjoint={"civilite": "M", "prenom": "LUC", "nom": "BLIN", "telephone_mobile": "0639984002"},
        )
    )
    assert (famille.nom, famille.adresse_lignes) == ("Roux - Blin", ["Bâtiment B", "5 rue du Puits", "18110 Quantilly"])
    adultes = [
        (a.rang, a.civilite, str(a), a.telephone_mobile, a.utilisateur.courriel, a.utilisateur.identifiant)
        for a in famille.adultes()
    ]
    assert adultes == [
        (1, "MME", "Ana Roux", "06 39 98 40 01", "ana@ex.fr", "ana.roux"),
        (2, "M", "Luc Blin", "06 39 98 40 02", "", "luc.blin"),
    ]
    enfants = Enfant.objects.de_la_famille(famille.pk).order_by("prenom").values_list("prenom", "nom", "date_naissance")
    assert list(enfants) == [("Lila", "Roux", None), ("Nino", "Roux", date(2019, 5, 4))]
    assert [a.utilisateur.has_usable_password() for a in famille.adultes()] == [False, False]
    assert Courriel.objects.count() == 0, "rien ne part avant que l'agent donne les accès"
    page = unescape(agent.get(f"/admin/familles/famille/{famille.pk}/change/").content.decode())
    assert "Famille Roux - Blin est ouverte." in page


def test_un_parent_seul_sans_enfant_saisi(ouvrir):
    famille = ouvrir(papier())
    assert (famille.nom, [str(a) for a in famille.adultes()]) == ("Roux", ["Ana Roux"])
    assert Enfant.objects.de_la_famille(famille.pk).count() == 0


def test_deux_homonymes_ont_deux_identifiants(ouvrir):
    for _ in range(3):
        famille = ouvrir(papier(responsable={"prenom": "Éloïse", "nom": "Le Gall"}, malgre_tout="1"))
    identifiants = Utilisateur.objects.filter(nom="Le Gall").order_by("pk").values_list("identifiant", flat=True)
    assert list(identifiants) == ["eloise.le-gall", "eloise.le-gall2", "eloise.le-gall3"]
    assert famille.adultes().get().utilisateur.identifiant == "eloise.le-gall3"


def test_un_nom_d_une_autre_ecriture_a_aussi_un_identifiant(ouvrir):
    famille = ouvrir(papier(responsable={"prenom": "Олена", "nom": "Шевченко"}))
    compte = famille.adultes().get().utilisateur
    assert compte.identifiant == "famille"
    compte.clean_fields(exclude=["password"])


# --- Duplicates --------------------------------------------------------------------------------------------


@pytest.fixture
def deja_la(distribution):
    """Éloïse Durand, mother of Léa, is on file."""
    Utilisateur.objects.filter(identifiant="durand").update(prenom="Éloïse")
    Enfant.objects.filter(prenom="Léa").update(date_naissance=date(2018, 4, 14))


RESSEMBLANCES = {
    "nom sans accents": papier(responsable={"prenom": "eloise", "nom": "DURAND"}),
    "nom du conjoint": papier(conjoint={"prenom": "ÉLOÏSE", "nom": "Durand"}),
    "adresse e-mail": papier(responsable={"courriel": "Claire.DURAND@famille.example"}),
    "mobile": papier(responsable={"telephone_mobile": "+33 6 39 98 10 01"}),
    "enfant": papier(("LEA", "durand", "2018-04-14")),
    "enfant sans date": papier(("Léa", "Durand")),
}


@pytest.mark.parametrize("saisie", RESSEMBLANCES.values(), ids=RESSEMBLANCES)
def test_un_doublon_est_signale_avant_d_ecrire_puis_l_agent_passe_outre(saisie, deja_la, agent):
    avant = au_dossier()
    reponse = agent.post(PAGE, saisie)
    page = unescape(reponse.content.decode())
    assert (reponse.status_code, au_dossier()) == (422, avant)
    assert "Ce dossier existe peut-être déjà" in page
    trouves = {quoi: [str(qui) for qui in liste] for quoi, liste in reponse.context["ressemblants"].items()}
    assert trouves in ({"adultes": ["Éloïse Durand"]}, {"enfants": ["Léa Durand"]})
    assert agent.post(PAGE, {**saisie, "malgre_tout": "1"}).status_code == 302
    assert au_dossier()[0] == avant[0] + 1


@pytest.mark.parametrize(
    "saisie",
    [
        papier(("Léa", "Durand", "2011-01-01")),  # another birth date: another child
        papier(responsable={"prenom": "Éloïse", "nom": "Duran"}),
        papier(responsable={"prenom": "Claire"}),
        papier(),  # without e-mail or mobile, as others on file are
    ],
)
def test_qui_ne_ressemble_a_personne_n_est_pas_signale(saisie, deja_la, ouvrir):
    assert ouvrir(saisie).nom == saisie["responsable-nom"]


# --- Bad input ---------------------------------------------------------------------------------------------


def test_une_erreur_garde_tout_ce_qui_est_tape(agent):
    saisie = papier(
        ("Nino", "", "2019-02-30"),
        responsable={"courriel": "ana@", "telephone_mobile": "12"},
        conjoint={"nom": "Blin"},
        **{"adresse-code_postal": "1811"},
    )
    avant = au_dossier()
    reponse = agent.post(PAGE, saisie)
    assert (reponse.status_code, au_dossier()) == (422, avant)
    formulaires = [reponse.context[nom] for nom in ("responsable", "conjoint", "adresse")]
    formulaires += reponse.context["enfants"].forms
    erreurs = {f.add_prefix(champ): list(es) for f in formulaires for champ, es in f.errors.items()}
    assert erreurs == {
        "responsable-courriel": ["Écrivez une adresse e-mail complète, par exemple nom@exemple.fr."],
        "responsable-telephone_mobile": ["Écrivez un numéro de téléphone complet, par exemple 06 12 34 56 78."],
        "conjoint-prenom": ["Ce champ est obligatoire."],
        "adresse-code_postal": ["Écrivez les cinq chiffres du code postal."],
        "enfants-0-nom": ["Ce champ est obligatoire."],
        "enfants-0-date_naissance": ["Saisissez une date valide."],
    }
    page = unescape(reponse.content.decode())
    tapes = [valeur for nom, valeur in saisie.items() if valeur and "FORMS" not in nom]
    assert [valeur for valeur in tapes if f'value="{valeur}"' not in page] == []
    assert [phrase for phrases in erreurs.values() for phrase in phrases if phrase not in page] == []


@pytest.mark.parametrize(
    "defaut",
    [
        {"enfants-TOTAL_FORMS": "trois"},
        {"enfants-TOTAL_FORMS": "13"}
        | {f"enfants-{n}-{champ}": "Nino" for n in range(13) for champ in ("prenom", "nom")},
        {"enfants-0-prenom": "Nino\x00", "enfants-0-nom": "Roux"},
        {"adresse-ville": "x" * 101},
        {"responsable-civilite": "PDG"},
    ],
    ids=["en lettres", "treize", "nul", "ville trop longue", "civilité inconnue"],
)
def test_une_saisie_impossible_est_refusee_sans_rien_ecrire(defaut, agent):
    avant = au_dossier()
    assert agent.post(PAGE, papier(**defaut)).status_code == 422
    assert au_dossier() == avant


def test_deux_noms_tres_longs_font_une_famille(ouvrir):
    famille = ouvrir(papier(responsable={"nom": "A" * 80}, conjoint={"prenom": "Luc", "nom": "B" * 80}))
    assert famille.adultes().count() == 2


@pytest.mark.parametrize(
    "responsable",
    [{"telephone_mobile": "06 39 98 40 01 x1234"}, {"courriel": "a" * 60 + "@" + ".".join(["b" * 59] * 4) + ".fr"}],
    ids=["téléphone avec poste", "adresse de 300 caractères"],
)
def test_ce_que_la_colonne_ne_contient_pas_est_refuse(responsable, agent):
    assert agent.post(PAGE, papier(responsable=responsable)).status_code == 422


# --- Letters -----------------------------------------------------------------------------------------------


@pytest.fixture
def avec_pdf():
    """Skips, and says so in the summary, where WeasyPrint has not its libraries."""
    try:
        pdf.verifier()
    except PdfIndisponible as erreur:
        pytest.skip(f"LETTRES NON ESSAYÉES : {erreur}")


def faire(navigateur, action, *familles, follow=False):
    """An action of the list of families, on these."""
    choix = {"action": action, "_selected_action": [famille.pk for famille in familles]}
    return navigateur.post("/admin/familles/famille/", choix, follow=follow)


def pages(reponse):
    assert (reponse.status_code, reponse["Content-Type"]) == (200, "application/pdf")
    assert reponse["Content-Disposition"].startswith("attachment")
    return [" ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(reponse.content)).pages]


MOT = re.compile(r"\b[A-Z][a-z]{5}-\d{4}-[a-z]{6}\b")


def acces():
    """Whose password is what: ``{identifiant: (hash, provisoire)}``."""
    return {u.identifiant: (u.password, u.mot_de_passe_provisoire) for u in Utilisateur.objects.order_by("pk")}


def entre(identifiant, mot):
    navigateur = ClientVerifie()
    navigateur.post("/connexion/", {"username": identifiant, "password": mot})
    return "_auth_user_id" in navigateur.session


def test_la_lettre_ouvre_l_acces_de_son_destinataire(avec_pdf, ouvrir, agent):
    (page,) = pages(faire(agent, "lettres", ouvrir(papier(responsable={"civilite": "MME"}))))
    (mot,) = MOT.findall(page)
    dits = ["Madame Ana Roux", "5 rue du Puits", "18110 Quantilly", "ana.roux", "/connexion/"]
    assert [dit for dit in dits if dit not in page] == []
    limite = timezone.localtime(Utilisateur.objects.get(identifiant="ana.roux").mot_de_passe_expire_le)
    assert re.search(rf"avant le {limite.day}(er)? \w+ {limite.year}", page)
    assert entre("ana.roux", mot)
    assert Utilisateur.objects.get(identifiant="ana.roux").mot_de_passe_provisoire


def test_une_page_pour_chaque_adulte_qui_n_a_pas_choisi_son_mot_de_passe(avec_pdf, ouvrir, agent, familles_de):
    commune = Commune.objects.get()
    commune.telephone = commune.horaires = commune.signataire = ""  # letters short enough to share a sheet
    commune.save()
    famille = ouvrir(papier(conjoint={"prenom": "Luc", "nom": "Blin"}))
    longue = {"adresse-adresse": "Lieu-dit " + "La Croix Blanche " * 8, "adresse-complement": "Étage " * 25}
    lointaine = ouvrir(papier(responsable={"prenom": "Zoé", "nom": "Weiss"}, **longue))
    fermee = ouvrir(papier(responsable={"prenom": "Paul", "nom": "Vert"}))
    Utilisateur.objects.filter(nom="Vert").update(is_active=False)
    lues = pages(faire(agent, "lettres", famille, lointaine, fermee, familles_de("durand")))
    tous = ("Ana Roux", "ana.roux", "Luc Blin", "luc.blin", "Zoé Weiss", "zoe.weiss", "Paul Vert", "Durand")
    noms = [[nom for nom in tous if nom in page] for page in lues]
    assert noms == [["Ana Roux", "ana.roux"], ["Luc Blin", "luc.blin"], ["Zoé Weiss", "zoe.weiss"]]
    d_ana, de_luc, _ = (mot for page in lues for mot in MOT.findall(page))
    assert [entre("ana.roux", d_ana), entre("luc.blin", de_luc), entre("ana.roux", de_luc)] == [True, True, False]


def test_la_lettre_a_sa_mise_en_page(avec_pdf, ouvrir, agent, caplog):
    assert len(pages(faire(agent, "lettres", ouvrir(papier())))) == 1
    assert [trace.getMessage() for trace in caplog.records if trace.name.startswith("weasyprint")] == []


def test_une_nouvelle_lettre_remplace_la_premiere(avec_pdf, ouvrir, agent):
    famille = ouvrir(papier())
    mots = [MOT.findall(pages(faire(agent, "lettres", famille))[0])[0] for _ in range(2)]
    assert [entre("ana.roux", mot) for mot in mots] == [False, True]


def test_qui_a_choisi_son_mot_de_passe_n_a_pas_de_lettre(agent, familles_de):
    avant = acces()
    reponse = faire(agent, "lettres", familles_de("durand"), familles_de("martin"), follow=True)
    assert "Tous ces adultes ont déjà choisi leur mot de passe." in unescape(reponse.content.decode())
    assert acces() == avant


@pytest.mark.parametrize("panne", ["verifier", "rendre"])
def test_sans_pdf_aucun_mot_de_passe_ne_change(panne, ouvrir, agent, monkeypatch):
    famille = ouvrir(papier())

    def en_panne(*args):
        raise PdfIndisponible("Les PDF sont désactivés sur ce serveur.")

    monkeypatch.setattr(pdf, "verifier", lambda: None)
    monkeypatch.setattr(pdf, panne, en_panne)
    avant = acces()
    reponse = faire(agent, "lettres", famille, follow=True)
    assert "Les PDF sont désactivés sur ce serveur." in reponse.content.decode()
    assert acces() == avant


def test_une_panne_en_pleine_impression_ne_change_aucun_mot_de_passe(ouvrir, agent, monkeypatch):
    famille = ouvrir(papier(conjoint={"prenom": "Luc", "nom": "Blin"}))
    monkeypatch.setattr(pdf, "verifier", lambda: None)
    monkeypatch.setattr(pdf, "rendre", lambda *args: 1 / 0)
    avant = acces()
    with pytest.raises(ZeroDivisionError):
        faire(agent, "lettres", famille)
    assert acces() == avant


def test_trop_de_lettres_a_la_fois_sont_refusees(ouvrir, agent, monkeypatch):
    famille = ouvrir(papier(conjoint={"prenom": "Luc", "nom": "Blin"}))
    monkeypatch.setattr(lettres, "LETTRES_MAX", 1)
    avant = acces()
    reponse = faire(agent, "lettres", famille, follow=True)
    assert "2 lettres, c'est trop à la fois : 1 au plus." in unescape(reponse.content.decode())
    assert acces() == avant


@pytest.mark.parametrize("qui", ["comptable", "tresorerie"])
def test_qui_ne_fait_que_lire_les_dossiers_ne_donne_pas_d_acces(qui, ouvrir, connecter):
    famille = ouvrir(papier(responsable={"courriel": "ana@ex.fr"}))
    avant = acces()
    reponses = [faire(connecter(qui), action, famille) for action in ("lettres", "invitations")]
    assert [reponse["Content-Type"].partition(";")[0] for reponse in reponses] == ["text/html"] * 2
    assert (acces(), Courriel.objects.count()) == (avant, 0)


# --- Invitations -------------------------------------------------------------------------------------------


def test_l_invitation_porte_un_lien_et_aucun_mot_de_passe(ouvrir, agent, familles_de):
    famille = ouvrir(papier(responsable={"courriel": "ana@ex.fr"}, conjoint={"prenom": "Luc", "nom": "Blin"}))
    avant = acces()
    reponse = faire(agent, "invitations", famille, familles_de("durand"), follow=True)
    assert "Liens mis à l'envoi : Ana Roux. Sans adresse e-mail : Luc Blin." in unescape(reponse.content.decode())
    courriel = Courriel.objects.get()
    assert courriel.destinataire == "ana@ex.fr"
    assert (re.findall(r"Identifiant : (\S+)", courriel.corps), MOT.findall(courriel.corps)) == (["ana.roux"], [])
    assert acces() == avant, "inviter tire un mot de passe"
    (lien,) = re.findall(r"\S+(/mot-de-passe/nouveau/\S+)", courriel.corps)
    invitee = ClientVerifie()
    page = invitee.get(lien, follow=True).request["PATH_INFO"]
    invitee.post(page, {"new_password1": "Cerisier18", "new_password2": "Cerisier18"})
    assert entre("ana.roux", "Cerisier18")


def test_une_lettre_imprimee_reste_bonne_apres_une_invitation(ouvrir, agent):
    famille = ouvrir(papier(responsable={"courriel": "ana@ex.fr"}))
    mot = lettres.donner_mot_de_passe_provisoire(famille.adultes().get().utilisateur)
    faire(agent, "invitations", famille)
    assert entre("ana.roux", mot)
