"""Liste des demandes: each with its trail in one line, the reason of a refusal, and what can be done from it."""

from datetime import UTC, datetime, timedelta
from html import unescape
from types import SimpleNamespace
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from demandes import actions
from demandes.models import Demande
from demandes.presentation import trajet
from familles.models import Utilisateur
from messagerie import actions as messagerie
from messagerie.models import ServiceMairie
from tests.test_requetes import comptees

pytestmark = pytest.mark.django_db

PAR = "par le service Enfance Jeunesse"


def le(jour, heure=9, mois=11, annee=2026):
    return datetime(annee, mois, jour, heure, tzinfo=UTC)


CAS = [
    ({}, "Déposée lundi 16 novembre, pas encore lue"),
    ({"lue_le": le(16, 15)}, "Déposée lundi 16 novembre, lue le même jour, en attente de réponse"),
    ({"lue_le": le(17)}, "Déposée lundi 16 novembre, lue mardi 17 novembre, en attente de réponse"),
    (
        {"lue_le": le(17), "etat": "ACCEPTEE", "traitee_le": le(18), "traitee_par_id": 1},
        f"Déposée lundi 16 novembre, lue mardi, acceptée mercredi 18 novembre {PAR}",
    ),
    (
        {"lue_le": le(17), "etat": "REFUSEE", "traitee_le": le(17, 15), "traitee_par_id": 1},
        f"Déposée lundi 16 novembre, lue mardi, refusée le même jour {PAR}",
    ),
    (
        {"lue_le": le(1, mois=12), "etat": "ACCEPTEE", "traitee_le": le(2, mois=12), "traitee_par_id": 1},
        f"Déposée lundi 16 novembre, lue mardi 1er décembre, acceptée mercredi 2 décembre {PAR}",
    ),
    (
        {"modifiee_le": le(17), "lue_le": le(18), "etat": "ACCEPTEE", "traitee_le": le(19), "traitee_par_id": 1},
        f"Déposée lundi 16 novembre, modifiée mardi, lue mercredi, acceptée jeudi 19 novembre {PAR}",
    ),
    (
        {"etat": "RETIREE", "traitee_le": le(18), "traitee_par_id": 1, "traitee_par": "Claire Durand"},
        "Déposée lundi 16 novembre, retirée mercredi 18 novembre par Claire Durand",
    ),
    ({"etat": "ACCEPTEE", "traitee_le": le(16)}, "Déposée lundi 16 novembre, acceptée d'elle-même"),
    (
        {"etat": "REFUSEE", "traitee_le": le(18)},
        "Déposée lundi 16 novembre, refusée mercredi 18 novembre par le portail, sans justificatif",
    ),
    ({"deposee_le": le(30, mois=12, annee=2025)}, "Déposée mardi 30 décembre 2025, pas encore lue"),
]


@pytest.mark.parametrize(("champs", "attendu"), CAS, ids=[attendu for _, attendu in CAS])
def test_le_trajet_se_lit_en_une_ligne(champs, attendu):
    champs = {"etat": "EN_ATTENTE", "deposee_le": le(16), "traitee_par": None, **champs}
    qui = champs.pop("traitee_par")
    demande = Demande(**champs)
    if qui:
        demande = SimpleNamespace(
            **{nom: getattr(demande, nom) for nom in ("etat", "deposee_le", "modifiee_le", "lue_le", "traitee_le")},
            traitee_par=qui,
            est_en_attente=False,
            est_automatique=False,
            get_etat_display=demande.get_etat_display,
        )
    assert trajet(demande, PAR, le(20).date()) == attendu


def lignes(navigateur, requete=""):
    return navigateur.get(f"/demandes/{requete}").context["lignes"]


def test_la_liste_dit_le_trajet_et_la_raison_d_un_refus(deposer, connecter, comptes, horloge):
    demande = deposer("martin", "responsable", ville="Bourges")
    Demande.objects.filter(pk=demande.pk).update(deposee_le=horloge("2026-11-16T09:00"))
    horloge("2026-11-17T09:00")
    actions.marquer_lue(demande, par=comptes["agent"])
    horloge("2026-11-18T09:00")
    actions.refuser(demande.pk, par=comptes["agent"], motif="Il manque un justificatif de domicile.")
    (ligne,) = lignes(connecter("martin"))
    assert ligne.date_texte == (
        "Déposée lundi 16 novembre, lue mardi, refusée mercredi 18 novembre par le service Enfance Jeunesse"
    )
    assert ligne.motif == "Il manque un justificatif de domicile."
    assert "Raison\u00a0: Il manque un justificatif" in unescape(connecter("martin").get("/demandes/").content.decode())


def test_un_service_qui_ne_s_appelle_pas_service_garde_son_nom(deposer, connecter, comptes):
    ServiceMairie.objects.filter(code="enfance-jeunesse").update(nom="Mairie annexe")
    demande = deposer("martin", "responsable", ville="Bourges")
    actions.accepter(demande.pk, par=comptes["agent"])
    (ligne,) = lignes(connecter("martin"))
    assert ligne.date_texte.endswith("par\u00a0: Mairie annexe")


def test_une_demande_de_trente_et_un_jours_est_la_une_plus_vieille_est_a_un_clic(deposer, connecter):
    demande = deposer("martin", "responsable", ville="Bourges")
    parent, trouvees = connecter("martin"), {}
    for jours in (30, 32):
        Demande.objects.filter(pk=demande.pk).update(deposee_le=timezone.now() - timedelta(days=jours))
        trouvees[jours] = (len(lignes(parent)), len(lignes(parent, "?periode=toutes")))
    assert trouvees == {30: (1, 1), 32: (0, 1)}


def test_un_filtre_d_une_autre_rubrique_ne_montre_rien(deposer, connecter):
    deposer("martin", "caf", caisse="MSA")
    parent = connecter("martin")
    trouvees = {
        requete: len(lignes(parent, requete))
        for requete in ("?type=caf", "?rubrique=mes-enfants&type=caf", "?rubrique=x&type=y", "?page=9", "?page=x")
    }
    assert trouvees == {
        "?type=caf": 1,
        "?rubrique=mes-enfants&type=caf": 0,
        "?rubrique=x&type=y": 1,
        "?page=9": 1,
        "?page=x": 1,
    }


@pytest.mark.parametrize(
    ("requete", "phrase", "adresse"),
    [
        ("", "Aucune demande de moins d'un mois.", "/mon-compte/"),
        ("?rubrique=mon-compte", "Aucune demande de moins d'un mois.", "/mon-compte/"),
        ("?rubrique=mes-enfants", "Aucune demande de moins d'un mois.", "/mes-enfants/"),
        ("?periode=toutes", "Aucune demande.", "/mon-compte/"),
    ],
)
def test_une_liste_vide_mene_la_ou_se_fait_une_telle_demande(requete, phrase, adresse, distribution, connecter):
    Demande.objects.all().delete()
    page = unescape(connecter("martin").get(f"/demandes/{requete}").content.decode())
    vide = page[page.index('<div class="vide">') :]
    assert (f"<p>{phrase}</p>" in vide, f'href="{adresse}">Faire une demande' in vide) == (True, True)


def test_les_pages_de_la_liste_se_suivent_sans_trou(famille_martin, connecter):
    _beaucoup(famille_martin, 45)
    parent = connecter("martin")
    urls = [ligne.url for page in (1, 2, 3) for ligne in lignes(parent, f"?page={page}")]
    assert urls == [d.get_absolute_url() for d in Demande.objects.filter(famille=famille_martin)]


# --- From its page ---------------------------------------------------------------------------------------


def test_la_page_mene_a_l_echange_et_permet_de_repondre(deposer, connecter, comptes):
    demande = deposer("martin", "caf", caisse="MSA")
    adresse = demande.get_absolute_url()
    avant = unescape(connecter("martin").get(adresse).content.decode())
    assert ("Écrire à la mairie" in avant, "Voir l'échange" in avant) == (True, False)
    assert f'href="/messagerie/nouveau/?demande={demande.uuid}"' in avant
    actions.refuser(demande.pk, par=comptes["comptable"], motif="L'attestation manque.")
    adulte = comptes["martin"].adulte
    fil = messagerie.ecrire(
        adulte, service=None, sujet="…", corps="La voici.", objet=demande.objet_du_fil, cle=uuid4()
    ).fil
    page = unescape(connecter("martin").get(adresse).content.decode())
    assert "Voir l'échange (2 messages)" in page
    assert f'href="{fil.get_absolute_url()}"' in page
    assert ("Répondre" in page, "Redemander" in page) == (True, True)


def test_l_echange_de_l_autre_adulte_seul_ne_se_montre_pas(deposer, connecter, comptes):
    demande = deposer("durand", "conjoint", profession="Ébéniste")
    claire = comptes["durand"].adulte
    messagerie.ecrire(
        claire, service=None, sujet="…", corps="Entre nous.", prive=True, objet=demande.objet_du_fil, cle=uuid4()
    )
    vus = {
        login: "Voir l'échange" in unescape(connecter(login).get(demande.get_absolute_url()).content.decode())
        for login in ("durand", "durand2")
    }
    assert vus == {"durand": True, "durand2": False}


def test_l_agent_lit_l_echange_sur_la_page_de_decision(deposer, connecter, comptes):
    demande = deposer("martin", "responsable", ville="Bourges")
    fil = messagerie.ecrire(
        comptes["martin"].adulte,
        service=ServiceMairie.objects.get(code="enfance-jeunesse"),
        sujet="Ma demande",
        corps="Nous déménageons samedi.",
        objet=demande.objet_du_fil,
        cle=uuid4(),
    ).fil
    page = unescape(connecter("agent").get(f"/admin/demandes/demande/{demande.pk}/change/").content.decode())
    assert ("Nous déménageons samedi." in page, f"/admin/messagerie/fil/{fil.pk}/change/" in page) == (True, True)
    page = unescape(connecter("comptable").get(f"/admin/demandes/demande/{demande.pk}/change/").content.decode())
    assert "Nous déménageons samedi." not in page  # the thread is another service's


# --- What it costs ---------------------------------------------------------------------------------------


def _beaucoup(famille, nombre):
    parent = famille.responsables.first().utilisateur
    agents = list(Utilisateur.objects.filter(is_staff=True).order_by("pk"))
    maintenant = timezone.now()
    Demande.objects.bulk_create(
        Demande(
            type=["caf", "responsable", "fiscales"][n % 3],
            famille=famille,
            etat=["REFUSEE", "RETIREE"][n % 2],
            motif=f"Raison {n}",
            deposee_par=parent,
            deposee_le=maintenant - timedelta(minutes=n),
            lue_le=maintenant,
            lue_par=agents[n % len(agents)],
            traitee_par=agents[n % len(agents)],
            traitee_le=maintenant,
        )
        for n in range(nombre)
    )


def test_la_liste_coute_six_requetes_pour_deux_et_trois_cents_demandes(famille_martin, connecter):
    parent, couts = connecter("martin"), {}
    for nombre in (2, 300):
        Demande.objects.filter(famille=famille_martin).delete()
        _beaucoup(famille_martin, nombre)
        parent.get("/demandes/")
        with CaptureQueriesContext(connection) as captees:
            page = parent.get("/demandes/")
        assert page.context["filtres"][0][1] == nombre
        couts[nombre] = len(comptees(captees))
    assert couts[2] == couts[300] <= 6
