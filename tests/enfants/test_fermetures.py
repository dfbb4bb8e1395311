"""A closure: what it cancels, whom it tells, what the agent sees before; and bookings in progress meanwhile."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from demandes.fermetures import refuser_jours_fermes
from demandes.models import Demande, JourDemande
from enfants import fermetures, offre
from enfants.models import (
    Attente,
    Enfant,
    Fermeture,
    Implantation,
    Place,
    Presence,
    Reservation,
    Service,
    SuspensionAcces,
)
from enfants.reservations import places_verrouillees
from familles.models import Famille, Responsable, Utilisateur
from messagerie.actions import Envoi, diffuser
from messagerie.models import Courriel, Fil, Message
from tests.demandes.test_concurrence import Course
from tests.enfants.service_essai import demander as demander_au_planning
from tests.enfants.service_essai import jour_ouvert, ouvrir

pytestmark = pytest.mark.django_db

MARDI = date(2098, 11, 25)  # far from the cast's own bookings, a school day
JEUDI = date(2098, 11, 27)


def enfant(prenom):
    return Enfant.objects.get(prenom=prenom)


def cantine():
    return Service.objects.get(code="restauration")


def reserver(prenom, jour, *, par="durand", service="restauration", modele=Reservation):
    """A row as the planning would have made it."""
    service, compte = Service.objects.get(code=service), Utilisateur.objects.get(identifiant=par)
    site = Implantation.objects.filter(service=service).order_by("pk")[0].site_id
    place = places_verrouillees([(service.pk, site, jour)])[service.pk, site, jour]
    qui = "reservee_par" if modele is Reservation else "inscrite_par"
    colonnes = {"enfant": enfant(prenom), "famille": compte.adulte.famille, "service": service, "jour": jour}
    return modele.objects.create(**colonnes, place=place, **{qui: compte})


def fermeture(du=MARDI, au=None, **autres):
    return Fermeture(**{"valable_du": du, "valable_au": au or du, "motif": "grève du personnel", **autres})


@pytest.fixture
def agent(comptes):
    Fil.objects.all().delete()
    return comptes["agent"]


def fils():
    return [
        (str(m.fil.famille), m.fil.destinataire and str(m.fil.destinataire), m.fil.sujet, m.corps, m.lien)
        for m in Message.objects.order_by("fil__famille__nom", "pk").select_related("fil__destinataire", "fil__famille")
    ]


CORPS_DURAND = """Bonjour,

Restauration scolaire : fermé du 25 au 27 novembre 2098.
Raison : grève du personnel

Réservations annulées :
Léa, restauration scolaire : mardi 25 et jeudi 27 novembre
Tom, restauration scolaire : mardi 25 novembre

Rien ne vous sera compté pour ces jours.

Service Enfance Jeunesse""".replace(" :", "\u00a0:")


def test_fermer_annule_et_previent_chaque_foyer_de_ses_propres_jours(agent):
    lignes = [reserver("Léa", MARDI), reserver("Léa", JEUDI), reserver("Tom", MARDI)]
    adam = reserver("Adam", JEUDI, par="benali")
    prevue = fermetures.prevoir(fermeture(MARDI, JEUDI, service=cantine()))
    assert Reservation.objects.filter(jour__year=2098).actives().count() == 4
    faite = fermetures.fermer(fermeture(MARDI, JEUDI, service=cantine()), par=agent)
    assert faite == prevue
    assert (faite.reservations, faite.enfants, faite.foyers, faite.attentes) == (4, 3, 2, 0)
    assert faite.par_jour == [(MARDI, 2), (JEUDI, 2)]
    for ligne in [*lignes, adam]:
        ligne.refresh_from_db()
        assert (ligne.annulee_par, ligne.annulation) == (agent, "grève du personnel")
    sujet = "Restauration scolaire\u00a0: fermeture du 25 au 27 novembre 2098"
    benali, durand = fils()
    assert durand == (str(lignes[0].famille), None, sujet, CORPS_DURAND, "/mes-enfants/semaine/2098-11-25/")
    assert "Adam, restauration scolaire\u00a0: jeudi 27 novembre\n" in benali[3]
    assert "Léa" not in benali[3]
    assert prevue.exemple == (sujet, CORPS_DURAND)
    adresses = Courriel.objects.order_by("destinataire").values_list("destinataire", flat=True)
    membres = Responsable.objects.filter(famille__in=[lignes[0].famille, adam.famille])
    assert list(adresses) == sorted(membres.values_list("utilisateur__courriel", flat=True))


def test_fermer_ne_touche_ni_les_autres_jours_ni_les_autres_services(agent):
    garde = [reserver("Léa", JEUDI), reserver("Léa", MARDI, service="accueil-soir")]
    reserver("Léa", MARDI)
    fermetures.fermer(fermeture(MARDI, service=cantine()), par=agent)
    actives = Reservation.objects.actives().filter(jour__year=2098)
    assert set(actives) == set(garde)


def test_fermer_une_ecole_ne_touche_que_ses_enfants(agent):
    lea, tom = reserver("Léa", MARDI), reserver("Tom", MARDI)
    assert lea.enfant.ecole != tom.enfant.ecole
    fermetures.fermer(fermeture(ecole=tom.enfant.ecole), par=agent)
    assert list(Reservation.objects.actives().filter(jour__year=2098)) == [lea]


def test_un_enfant_deja_vu_present_garde_sa_reservation(agent):
    lea = reserver("Léa", MARDI)
    Presence.objects.create(
        enfant=lea.enfant, service=lea.service, jour=MARDI, place=lea.place, etat="PRESENT", pointee_par=agent
    )
    assert fermetures.fermer(fermeture(), par=agent).reservations == 0
    assert list(Reservation.objects.actives().filter(jour=MARDI)) == [lea]


def test_la_liste_d_attente_du_jour_ferme_se_clot(agent):
    attente = reserver("Léa", MARDI, service="alsh-mercredi", modele=Attente)
    assert fermetures.fermer(fermeture(), par=agent).attentes == 1
    attente.refresh_from_db()
    assert (attente.issue, attente.close_le is None) == ("FERMEE", False)
    ((_, _, _, corps, _),) = fils()
    assert "Listes d'attente closes\u00a0:\nLéa, ALSH du mercredi\u00a0: mardi 25 novembre" in corps
    assert "Rien ne vous sera compté" not in corps


def test_un_adulte_dont_l_acces_est_suspendu_ne_lit_rien(agent, comptes):
    reserver("Léa", MARDI)
    SuspensionAcces.objects.create(enfant=enfant("Léa"), adulte=comptes["durand2"].adulte, motif="jugement")
    fermetures.fermer(fermeture(), par=agent)
    ((_, destinataire, *_),) = fils()
    assert destinataire == str(comptes["durand"].adulte)
    assert [c.destinataire for c in Courriel.objects.all()] == [comptes["durand"].courriel]


def test_un_jour_passe_ou_deja_ferme_est_refuse(agent):
    hier = timezone.localdate() - timedelta(days=1)
    with pytest.raises(fermetures.FermetureImpossible, match="passé"):
        fermetures.fermer(fermeture(hier), par=agent)
    fermetures.fermer(fermeture(), par=agent)
    with pytest.raises(fermetures.FermetureImpossible, match="déjà fermés"):
        fermetures.fermer(fermeture(), par=agent)
    assert Fermeture.objects.count() == 1


# --- Demandes --------------------------------------------------------------------------------------------


def demander(*jours):
    compte = Utilisateur.objects.get(identifiant="durand")
    demande = Demande.objects.create(
        type="reservation",
        famille=compte.adulte.famille,
        enfant=enfant("Léa"),
        valeurs_demandees={"enfants": "Léa", "resume": "des jours"},
        deposee_par=compte,
    )
    for jour in jours:
        JourDemande.objects.create(
            demande=demande, enfant=enfant("Léa"), service=cantine(), jour=jour, geste="RESERVER"
        )
    return demande


def test_une_demande_dont_tous_les_jours_ferment_est_refusee_avec_la_raison(agent):
    demande = demander(MARDI, JEUDI)
    fermeture(MARDI, JEUDI).save()
    assert refuser_jours_fermes(par=agent) == 1
    demande.refresh_from_db()
    raison = "Le service est fermé (mardi 25 et jeudi 27 novembre)\u00a0: grève du personnel."
    assert (demande.etat, demande.traitee_par, demande.motif) == (
        "REFUSEE",
        agent,
        f"{raison} Rien ne vous sera compté pour ces jours.",
    )
    assert {jour.etat for jour in demande.jours.all()} == {"REFUSE"}
    assert refuser_jours_fermes(par=agent) == 0


def test_une_demande_garde_ses_jours_ouverts_en_attente(agent):
    demande = demander(MARDI, JEUDI)
    fermeture(MARDI).save()
    assert refuser_jours_fermes(par=None) == 1
    demande.refresh_from_db()
    assert (demande.etat, demande.version) == ("EN_ATTENTE", 2)
    assert [(jour.jour, jour.etat, jour.motif) for jour in demande.jours.order_by("jour")] == [
        (MARDI, "REFUSE", "grève du personnel"),
        (JEUDI, "EN_ATTENTE", ""),
    ]
    ((_, _, sujet, corps, _),) = fils()
    assert sujet == "Réservations de Léa\u00a0: des jours sont fermés"
    assert "(mardi 25 novembre)\u00a0: grève du personnel." in corps
    assert refuser_jours_fermes(par=None) == 0


# --- Hundreds of households ------------------------------------------------------------------------------


def foyers(nombre):
    comptes = Utilisateur.objects.bulk_create(
        Utilisateur(identifiant=f"masse-{n}", prenom="M", nom=f"Masse{n}", courriel=f"masse-{n}@famille.example")
        for n in range(nombre)
    )
    familles = Famille.objects.bulk_create(Famille(nom=f"Masse{n}") for n in range(nombre))
    Responsable.objects.bulk_create(
        Responsable(utilisateur=compte, famille=famille, rang=1)
        for compte, famille in zip(comptes, familles, strict=True)
    )
    return familles


def requetes(faire):
    with CaptureQueriesContext(connection) as captees:
        faire()
    return len(captees.captured_queries)


def test_diffuser_a_trois_cents_foyers_ne_coute_pas_plus_qu_a_un(agent):
    def envoyer(familles):
        envois = [Envoi(famille.pk, "Fermeture", f"Bonjour {famille.nom}") for famille in familles]
        return requetes(lambda: diffuser(envois, par=agent))

    tous = foyers(301)
    un, trois_cents = envoyer(tous[:1]), envoyer(tous[1:])
    assert trois_cents <= un <= 10
    lus = Message.objects.filter(fil__famille__in=tous).values_list("fil__famille", "corps", "auteur")
    assert set(lus) == {(famille.pk, f"Bonjour {famille.nom}", agent.pk) for famille in tous}
    assert Courriel.objects.filter(destinataire__startswith="masse-").count() == 301


def test_diffuser_a_un_seul_adulte_ne_previent_pas_l_autre(agent, comptes):
    claire = comptes["durand"].adulte
    diffuser([Envoi(claire.famille_id, "Pour vous", "…", claire.pk)], par=None)
    assert [fil.destinataire for fil in Fil.objects.all()] == [claire]
    assert [c.destinataire for c in Courriel.objects.all()] == [comptes["durand"].courriel]


def test_fermer_pour_trois_cents_foyers_ne_coute_pas_plus_que_pour_un(agent):
    familles, service, jours = foyers(301), cantine(), [MARDI, JEUDI]
    enfants = Enfant.objects.bulk_create(Enfant(prenom=f"E{f.pk}", nom="Masse") for f in familles)
    site = Implantation.objects.get(service=service).site_id

    def reserver_et_fermer(jour, rangs):
        place = places_verrouillees([(service.pk, site, jour)])[service.pk, site, jour]
        Reservation.objects.bulk_create(
            Reservation(
                enfant=enfants[n], famille=familles[n], service=service, jour=jour, place=place, reservee_par=agent
            )
            for n in rangs
        )
        return requetes(lambda: fermetures.fermer(fermeture(jour), par=agent))

    offre.actuelle()
    un, tous = reserver_et_fermer(jours[0], [0]), reserver_et_fermer(jours[1], range(1, 301))
    assert tous <= un <= 30


# --- The page --------------------------------------------------------------------------------------------

SAISIE = {"service": "", "ecole": "", "valable_du": str(MARDI), "valable_au": str(MARDI), "motif": "grève"}


def test_la_page_dit_qui_est_touche_puis_ferme(connecter, agent):
    reserver("Léa", MARDI)
    demande = demander(MARDI)
    navigateur = connecter("agent")
    apercu = navigateur.post("/admin/fermer/", SAISIE | {"action": "apercu"})
    page = apercu.content.decode()
    assert apercu.status_code == 200
    for mot in ("1 réservation sera annulée", "1 foyer sera prévenu", "Rien ne vous sera compté pour ces jours."):
        assert mot in page
    assert Fermeture.objects.count() == 0
    reponse = navigateur.post("/admin/fermer/", SAISIE | {"action": "fermer"}, follow=True)
    phrase = "Fermeture enregistrée. 1 réservation annulée, 1 foyer prévenu. 1 demande en attente refusée."
    assert [str(m) for m in reponse.context["messages"]] == [phrase]
    demande.refresh_from_db()
    assert (demande.etat, Fermeture.objects.get().motif) == ("REFUSEE", "grève")
    deux = navigateur.post("/admin/fermer/", SAISIE | {"action": "fermer"}, follow=True)
    assert "Ces jours sont déjà fermés." in deux.content.decode()


@pytest.mark.parametrize(
    ("changes", "phrase"),
    [
        ({"valable_du": "2020-01-06"}, "Ce jour est passé"),
        ({"valable_au": "2098-11-24"}, "La fin vient avant le début."),
        ({"valable_au": "2099-11-26"}, "Un an au plus."),
        ({"valable_du": "demain"}, "Écrivez une date"),
        ({"service": "999999"}, "Sélectionnez un choix valide"),
        ({"motif": ""}, "Écrivez la raison"),
    ],
)
def test_une_saisie_fausse_revient_avec_sa_phrase(connecter, changes, phrase):
    reponse = connecter("agent").post("/admin/fermer/", SAISIE | changes)
    assert (reponse.status_code, phrase in reponse.content.decode()) == (422, True)


def test_corriger_rend_la_saisie(connecter):
    reponse = connecter("agent").post("/admin/fermer/", SAISIE | {"action": "corriger"})
    assert (reponse.status_code, 'value="grève"' in reponse.content.decode()) == (200, True)


def test_seule_la_raison_se_change_et_supprimer_rouvre_sans_rendre(connecter, agent):
    ligne = reserver("Léa", MARDI)
    ferme = fermeture()
    fermetures.fermer(ferme, par=agent)
    navigateur, page = connecter("agent"), f"/admin/enfants/fermeture/{ferme.pk}"
    navigateur.post(f"{page}/change/", {"motif": "travaux", "valable_du": "2099-01-01", "valable_au": "2099-01-01"})
    ferme.refresh_from_db()
    assert (ferme.motif, ferme.valable_du) == ("travaux", MARDI)
    assert "ne reviennent pas" in navigateur.get(f"{page}/delete/").content.decode()
    reponse = navigateur.post(f"{page}/delete/", {"post": "yes"}, follow=True)
    assert "Les jours sont rouverts." in reponse.content.decode()
    ligne.refresh_from_db()
    assert (Fermeture.objects.exists(), ligne.annulation) == (False, "grève du personnel")


# --- Two at once -----------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_une_reservation_en_cours_est_vue_et_annulee_ou_trouve_le_jour_ferme(distribution):
    ouvrir()
    jour, agent, bilans = jour_ouvert(), Utilisateur.objects.get(identifiant="agent"), []

    def reserver_en_ligne():
        bilans.append(demander_au_planning("durand", "Léa", jour))

    def remettre():
        bilans.clear()
        Fermeture.objects.all().delete()
        JourDemande.objects.all().delete()
        Reservation.objects.filter(jour=jour).delete()
        Place.objects.filter(jour=jour).delete()

    def fermer():
        fermetures.fermer(fermeture(jour), par=agent)

    for resultats in Course(reserver_en_ligne, fermer).tours(60, remettre):
        assert resultats == ["gagne", "gagne"]
        annulees = Reservation.objects.filter(enfant__prenom="Léa", jour=jour).values_list("annulation", flat=True)
        assert list(annulees) == ["grève du personnel"] * len(bilans[0].faits)
