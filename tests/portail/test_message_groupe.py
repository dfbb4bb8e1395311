"""« Message groupé » : choose, check, send, follow."""

import csv
import io
from datetime import date
from decimal import Decimal
from html import unescape
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from enfants.models import Enfant, Rattachement
from facturation.actions import encaisser
from familles.models import Famille, Responsable, Utilisateur
from messagerie import diffusions
from messagerie.models import Diffusion, EnvoiDiffusion, Fil, ServiceMairie
from tests.fabrique import PDF_SAIN
from tests.facturation.essai import facture_essai, regie_essai, titre_essai

pytestmark = pytest.mark.django_db

PAGE = "/admin/messages-groupes/"
TEXTE = {"sujet": "Grève jeudi", "corps": "Bonjour,\n\nLa cantine est fermée."}


def texte(reponse):
    return unescape(reponse.content.decode())


@pytest.fixture
def saisie(le_23_novembre):
    """A message to Léa's school, as its form is sent."""
    service = ServiceMairie.objects.get(code="enfance-jeunesse")
    ecole = Enfant.objects.get(prenom="Léa").ecole_id
    return {"selection": "ecole", "ecole": ecole, "service": service.pk, "cle": str(uuid4()), **TEXTE}


@pytest.fixture
def agent(connecter, saisie):
    return connecter("agent")


def envoyer(navigateur, saisie, **autres):
    apercu = navigateur.post(PAGE, saisie)
    return navigateur.post(PAGE, saisie | {"action": "envoyer", "empreinte": apercu.context["empreinte"], **autres})


def test_l_apercu_dit_qui_lira_et_quoi(agent, saisie):
    Enfant.objects.exclude(prenom="Léa").update(ecole=None)
    reponse = agent.post(PAGE, saisie)
    assert reponse.status_code == 200
    assert (reponse.context["totaux"], reponse.context["foyers"], reponse.context["bouton"]) == (
        [
            "1 famille recevra ce message",
            "2 adultes le liront sur le portail",
            "2 en seront prévenus tout de suite par e-mail",
        ],
        [("Durand", "Claire Durand, Julien Durand")],
        "Envoyer à 1 famille",
    )
    assert "<p>Bonjour,</p>\n\n<p>La cantine est fermée.</p>" in texte(reponse)
    assert not Diffusion.objects.exists(), "un aperçu n'envoie rien"


def test_corriger_rend_tout_ce_qui_est_saisi(agent, saisie):
    page = agent.post(PAGE, saisie | {"action": "corriger", "jour": "2026-11-26"})
    assert page.status_code == 200
    rendus = {champ.name: str(champ.value() or "") for champ in page.context["form"]}
    attendus = {nom: str(saisie.get(nom, "")) for nom in rendus} | {"jour": "2026-11-26"}
    assert rendus == attendus
    assert f'name="cle" value="{saisie["cle"]}"' in texte(page)


def test_envoyer_une_fois_puis_suivre(agent, saisie, comptes):
    reponses = [envoyer(agent, saisie) for _ in range(2)]
    diffusion = Diffusion.objects.get()
    assert {reponse.url for reponse in reponses} == {f"{PAGE}{diffusion.pk}/"}
    assert (diffusion.sujet, diffusion.corps.replace("\r\n", "\n"), diffusion.par, str(diffusion.service)) == (
        *TEXTE.values(),
        comptes["agent"],
        "Service Enfance Jeunesse",
    )
    assert diffusion.selection == str(Enfant.objects.get(prenom="Léa").ecole)
    total = diffusion.envois.count()
    suivre = agent.get(f"{PAGE}{diffusion.pk}/")
    assert (suivre.context["etat"], suivre.context["texte"]) == ("en-cours", f"0 famille sur {total}")
    diffusions.poursuivre()
    suivre = agent.get(f"{PAGE}{diffusion.pk}/")
    assert (suivre.context["etat"], f'<progress max="{total}" value="{total}"' in texte(suivre)) == ("fini", True)
    liste = texte(agent.get("/admin/messagerie/diffusion/"))
    assert ("Grève jeudi" in liste, f"{total} sur {total}" in liste, "Nadia Petit" in liste) == (True, True, True)


def test_arreter_puis_reprendre(agent, saisie):
    page = envoyer(agent, saisie).url
    assert agent.post(page, {"action": "arreter"}).url == page
    assert (agent.get(page).context["etat"], diffusions.poursuivre()) == ("arrete", 0)
    agent.post(page, {"action": "reprendre"})
    assert diffusions.poursuivre() == EnvoiDiffusion.objects.count() > 0


def test_une_liste_qui_a_change_se_relit(agent, saisie):
    empreinte = agent.post(PAGE, saisie).context["empreinte"]
    Enfant.objects.filter(prenom="Léa").update(archive_le="2026-11-20")
    reponse = agent.post(PAGE, saisie | {"action": "envoyer", "empreinte": empreinte})
    assert (reponse.status_code, "La liste des familles a changé." in texte(reponse)) == (409, True)
    assert not Diffusion.objects.exists()


def test_les_pieces_vont_a_chaque_famille(agent, saisie, connecter):
    Enfant.objects.exclude(prenom="Léa").update(ecole=None)
    pieces = [SimpleUploadedFile("note.pdf", PDF_SAIN), SimpleUploadedFile("un.exe", b"MZ")]
    refus = envoyer(agent, saisie, pieces=pieces)
    assert (refus.status_code, "n'est pas accepté. Envoyez un PDF" in texte(refus)) == (422, True)
    assert "Choisissez de nouveau les fichiers" in texte(refus)
    assert not Diffusion.objects.exists()
    envoyer(agent, saisie, pieces=[SimpleUploadedFile("note.pdf", PDF_SAIN)])
    diffusions.poursuivre()
    piece = Diffusion.objects.get().pieces.get()
    fil = Fil.objects.filter(famille__nom="Durand").latest("pk")
    assert piece.url in texte(agent.get(f"/admin/messagerie/fil/{fil.pk}/change/"))
    assert [connecter(qui).get(piece.url).status_code for qui in ("durand", "martin")] == [200, 404]


FAUSSES = [
    ({"selection": ""}, "Choisissez à qui vous écrivez."),
    ({"selection": "inconnue"}, "Choisissez à qui vous écrivez."),
    ({"ecole": ""}, "Choisissez l'école."),
    ({"ecole": "999999"}, "Sélectionnez un choix valide."),
    ({"selection": "classe"}, "Choisissez la classe."),
    ({"selection": "reservations"}, "Choisissez le jour."),
    ({"selection": "reservations", "jour": "31/02/2026"}, "Écrivez une date sous la forme 24/11/2026."),
    ({"selection": "inscrits"}, "Choisissez le service."),
    ({"selection": "inscrits", "annee": "1"}, "Sélectionnez un choix valide."),
    ({"sujet": ""}, "Écrivez le sujet."),
    ({"corps": " "}, "Écrivez le texte du message."),
    ({"corps": "a\x00b"}, "Le caractère nul n’est pas autorisé."),
    ({"service": "999999"}, "Choisissez un de vos services."),
]


@pytest.mark.parametrize(("fausse", "phrase"), FAUSSES)
def test_une_mauvaise_saisie_est_dite_et_rien_ne_part(fausse, phrase, agent, saisie):
    reponse = agent.post(PAGE, saisie | fausse | {"action": "envoyer"})
    assert (reponse.status_code, phrase in texte(reponse)) == (422, True)
    assert not Diffusion.objects.exists()


def test_une_selection_vide_ne_s_envoie_pas(agent, saisie):
    Enfant.objects.update(ecole=None)
    reponse = agent.post(PAGE, saisie)
    assert (reponse.status_code, "Aucune famille ne correspond" in texte(reponse)) == (422, True)


def test_on_n_ecrit_pas_au_nom_d_un_autre_service(connecter, saisie):
    reponse = connecter("comptable").post(PAGE, saisie)
    assert (reponse.status_code, "Choisissez un de vos services." in texte(reponse)) == (422, True)


def test_la_comptabilite_n_apprend_pas_quel_dossier_est_incomplet(connecter, saisie):
    comptable = connecter("comptable")
    assert 'value="papiers"' not in texte(comptable.get(PAGE))
    assert comptable.post(PAGE, saisie | {"selection": "papiers", "service": ""}).status_code == 422
    assert 'value="papiers"' in texte(connecter("agent").get(PAGE))


def test_ecrire_aux_familles_qui_ont_une_facture_en_retard(connecter, saisie, familles_de):
    impayes = saisie | {"selection": "impayes", "service": ""}
    alsh, cantine = regie_essai(), titre_essai()
    echue = {"mois": date(2026, 9, 1), "emise_le": date(2026, 10, 1)}
    facture_essai(familles_de("durand"), alsh, "20.00", **echue)
    facture_essai(familles_de("martin"), cantine, "30.00", **echue)
    facture_essai(familles_de("benali"), alsh, "20.00", **echue)
    facture_essai(familles_de("rossi"), alsh, "20.00")  # due on 2 December
    reglement = {"moyen": "CHEQUE", "montant": Decimal("20.00"), "recu_le": date(2026, 11, 2), "par": None}
    encaisser(familles_de("benali"), regie=alsh, **reglement)
    admin = connecter("admin")
    vues = [admin.post(PAGE, impayes | regie) for regie in ({}, {"regie": alsh.pk})]
    assert [[famille for famille, _ in vue.context["foyers"]] for vue in vues] == [["Durand", "Martin"], ["Durand"]]
    assert [vue.context["selection"] for vue in vues] == [
        "Factures en retard",
        "Factures en retard, Accueil de loisirs",
    ]
    assert vues[1].context["foyers"] == [("Durand", "Claire Durand, Julien Durand")]


def test_qui_ne_lit_pas_les_factures_n_apprend_pas_qui_est_en_retard(connecter, saisie):
    lire = Permission.objects.get(codename="view_facture")
    for groupe in Group.objects.all():
        groupe.permissions.remove(lire)
    agent = connecter("agent")
    assert 'value="impayes"' not in texte(agent.get(PAGE))
    assert agent.post(PAGE, saisie | {"selection": "impayes"}).status_code == 422
    Group.objects.get(name="Agent instructeur").permissions.add(lire)
    assert 'value="impayes"' in texte(connecter("agent").get(PAGE))


def test_la_liste_a_telecharger_neutralise_les_formules(agent, saisie):
    Enfant.objects.exclude(prenom="Léa").update(ecole=None)
    Famille.objects.filter(nom="Durand").update(nom='=HYPERLINK("http://x")')
    Responsable.objects.filter(utilisateur__identifiant="durand").update(telephone_mobile="+33 6 39 98 10 01")
    reponse = agent.post(PAGE, saisie | {"action": "csv"})
    lignes = list(csv.reader(io.StringIO(reponse.content.decode("utf-8-sig")), delimiter=";"))
    assert lignes == [
        ["Famille", "Adultes", "Téléphones", "Adresses e-mail"],
        [
            '\'=HYPERLINK("http://x")',
            "Claire Durand / Julien Durand",
            "'+33 6 39 98 10 01 / 06 39 98 10 02",
            "claire.durand@famille.example / julien.durand@famille.example",
        ],
    ]
    assert not Diffusion.objects.exists()


def _trois_cents_familles(ecole):
    """Each with an adult, a child of this school, and no paper."""
    familles = Famille.objects.bulk_create(Famille(nom=f"Foyer {n}") for n in range(300))
    comptes = Utilisateur.objects.bulk_create(
        Utilisateur(identifiant=f"f{n}", prenom="Ana", nom="Roy", courriel=f"f{n}@famille.example") for n in range(300)
    )
    paires = list(zip(familles, comptes, strict=True))
    Responsable.objects.bulk_create(Responsable(famille=f, utilisateur=u, rang=1) for f, u in paires)
    enfants = Enfant.objects.bulk_create(Enfant(prenom="Léo", nom="Roy", ecole=ecole) for _ in familles)
    Rattachement.objects.bulk_create(
        Rattachement(famille=f, enfant=e, valable_du="2020-09-01") for f, e in zip(familles, enfants, strict=True)
    )


@pytest.mark.parametrize("selection", ["familles", "ecole", "papiers"])
def test_l_apercu_ne_coute_pas_plus_pour_trois_cents_familles(selection, agent, saisie):
    saisie["selection"] = selection

    def cout():
        agent.post(PAGE, saisie)  # warm
        with CaptureQueriesContext(connection) as captees:
            reponse = agent.post(PAGE, saisie)
        return [requete["sql"] for requete in captees.captured_queries], reponse

    peu, _ = cout()
    _trois_cents_familles(Enfant.objects.get(prenom="Léa").ecole)
    beaucoup, reponse = cout()
    assert len(beaucoup) == len(peu) <= 20, "\n".join(sql[:150] for sql in beaucoup)
    assert len(reponse.context["foyers"]) == 200
    assert int(reponse.context["autres"]) >= 100
