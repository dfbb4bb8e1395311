"""The waiting list: a place that is freed goes to the first in line, for a time, then to the next."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from enfants import offre
from enfants.attente import offrir_les_places
from enfants.models import Attente, Enfant, Implantation, Reservation, SuspensionAcces
from enfants.regles.attente import EnAttente, Tour, tour
from enfants.regles.planning import Lieu
from messagerie.models import Courriel, Fil, Message
from tests.demandes.test_concurrence import Course
from tests.enfants.service_essai import CODE, demander, jour_ouvert, ouvrir

pytestmark = pytest.mark.django_db

# --- The rule --------------------------------------------------------------------------------------------

MIDI = datetime(2026, 11, 24, 12, tzinfo=UTC)
DEBUT = MIDI + timedelta(days=3)
UN_LIEU = Lieu(1, "Centre", frozenset(), 2)


def juger(liste, pris=(), lieu=UN_LIEU, **autres):
    return tour(liste, pris, lieu, **{"debut": DEBUT, "heures": 24, "maintenant": MIDI, **autres})


def test_les_places_libres_vont_aux_premiers_de_la_liste():
    liste = [EnAttente(1, 6), EnAttente(2, 6), EnAttente(3, 6)]
    assert juger(liste, [7]) == Tour(offertes=[1], expire_le=MIDI + timedelta(hours=24))
    assert juger(liste, [7, 7]) == Tour()
    assert juger(liste) == Tour(offertes=[1, 2], expire_le=MIDI + timedelta(hours=24))


def test_une_offre_en_cours_tient_une_place():
    offerte = EnAttente(1, 6, expire_le=MIDI)
    assert juger([offerte, EnAttente(2, 6)], [7]) == Tour()
    assert juger([offerte, EnAttente(2, 6)], [7], maintenant=MIDI + timedelta(seconds=1)) == Tour(
        passees=[1], offertes=[2], expire_le=MIDI + timedelta(hours=24, seconds=1)
    )


def test_le_premier_dont_l_age_a_une_place():
    petits = Lieu(1, "Centre", frozenset(), 10, ((3, 5, 1),))
    liste = [EnAttente(1, 4), EnAttente(2, None), EnAttente(3, 7)]
    assert juger(liste, [5], petits).offertes == [2, 3]
    assert juger(liste, [9], petits).offertes == [1, 2, 3]


def test_une_capacite_baissee_n_offre_rien_et_ne_reprend_rien():
    assert juger([EnAttente(1, 6, expire_le=MIDI), EnAttente(2, 6)], [7, 7, 7]) == Tour()


def test_l_offre_ne_depasse_pas_le_debut_du_service():
    assert juger([EnAttente(1, 6)], heures=100).expire_le == DEBUT
    assert juger([EnAttente(1, 6), EnAttente(2, 6, expire_le=DEBUT)], maintenant=DEBUT) == Tour(perimees=[1, 2])


def test_un_enfant_parti_ou_deja_reserve_quitte_la_liste():
    liste = [EnAttente(1, 6, parti=True), EnAttente(2, 6, place_prise=True), EnAttente(3, 6)]
    fin = MIDI + timedelta(hours=24)
    assert juger(liste, [7]) == Tour(parties=[1], reservees=[2], offertes=[3], expire_le=fin)


def test_sans_lieu_rien_ne_s_offre():
    assert juger([EnAttente(1, 6)], lieu=None) == Tour()


# --- From the planning to the planning -------------------------------------------------------------------


@pytest.fixture
def jour(distribution):
    """A day whose only place is Zoé's; Léa, then Adam, then Tom wait."""
    ouvrir(capacite=1, heures_offre=24)
    jour = jour_ouvert()
    assert len(demander("martin", "Zoé", jour).faits) == 1
    for identifiant, prenom in (("durand", "Léa"), ("benali", "Adam"), ("durand", "Tom")):
        demander(identifiant, prenom, jour)
    Fil.objects.all().delete()
    return jour


def file(jour):
    """(child, offered?, outcome) in the order of the line."""
    lignes = (
        Attente.objects.filter(service__code=CODE, jour=jour).order_by("inscrite_le", "pk").select_related("enfant")
    )
    return [(a.enfant.prenom, a.offerte_le is not None, a.issue) for a in lignes]


def reserves(jour):
    tenues = Reservation.objects.actives().filter(service__code=CODE, jour=jour)
    return list(tenues.values_list("enfant__prenom", flat=True))


def liberer(jour):
    assert len(demander("martin", "Zoé", jour, "ANNULER").faits) == 1
    Fil.objects.all().delete()


def test_un_jour_complet_met_en_liste_dans_l_ordre(jour):
    assert file(jour) == [("Léa", False, ""), ("Adam", False, ""), ("Tom", False, "")]
    assert offrir_les_places(timezone.now()) == 0
    assert (Fil.objects.count(), Courriel.objects.count()) == (0, 0)


def test_la_place_liberee_est_proposee_au_premier_avec_un_message_et_un_courriel(jour, famille_durand):
    liberer(jour)
    maintenant = timezone.now()
    assert (offrir_les_places(maintenant), offrir_les_places(maintenant)) == (1, 0)
    assert file(jour) == [("Léa", True, ""), ("Adam", False, ""), ("Tom", False, "")]
    lea = Attente.objects.get(service__code=CODE, jour=jour, enfant__prenom="Léa")
    assert (lea.offerte_le, lea.expire_le) == (maintenant, maintenant + timedelta(hours=24))
    message = Message.objects.select_related("fil").get()
    assert (message.fil.famille, message.fil.sujet) == (famille_durand, "Une place s'est libérée pour Léa")
    assert message.lien == f"/mes-enfants/{lea.enfant.uuid}/planning/{jour:%Y-%m}/"
    assert "Léa\u00a0: Atelier d'essai, le " in message.corps
    assert "Elle lui est gardée jusqu'au " in message.corps
    assert Courriel.objects.count() == 2  # both adults


def test_prendre_la_place_la_reserve_et_clot_l_attente(jour):
    liberer(jour)
    offrir_les_places(timezone.now())
    bilan = demander("durand", "Léa", jour, "PRENDRE")
    assert [v.changement.geste for v in bilan.faits] == ["PRENDRE"]
    assert reserves(jour) == ["Léa"]
    assert file(jour) == [("Léa", True, "RESERVEE"), ("Adam", False, ""), ("Tom", False, "")]
    assert offrir_les_places(timezone.now()) == 0


def test_une_place_proposee_n_est_plus_libre_pour_les_autres(jour):
    liberer(jour)
    offrir_les_places(timezone.now())
    demander("martin", "Zoé", jour)
    assert reserves(jour) == []
    assert file(jour)[-1] == ("Zoé", False, "")


def test_une_offre_sans_reponse_passe_au_suivant(jour):
    liberer(jour)
    maintenant = timezone.now()
    offrir_les_places(maintenant)
    Fil.objects.all().delete()
    assert offrir_les_places(maintenant + timedelta(hours=24)) == 0
    assert offrir_les_places(maintenant + timedelta(hours=24, seconds=1)) == 1
    assert file(jour) == [("Léa", True, "PASSEE"), ("Adam", True, ""), ("Tom", False, "")]
    assert sorted(Fil.objects.values_list("sujet", flat=True)) == [
        "La place proposée à Léa n'a pas été prise",
        "Une place s'est libérée pour Adam",
    ]


def test_une_offre_expiree_ne_se_prend_plus_meme_avant_le_balayage(jour):
    liberer(jour)
    offrir_les_places(timezone.now())
    Attente.objects.filter(service__code=CODE, enfant__prenom="Léa").update(
        expire_le=timezone.now() - timedelta(seconds=1)
    )
    bilan = demander("durand", "Léa", jour, "PRENDRE")
    assert (bilan.faits, len(bilan.impossibles), reserves(jour)) == ([], 1, [])


def test_quitter_la_liste_avance_les_rangs_et_rend_la_place_proposee(jour, comptes):
    from demandes.planning import ouvrir as ouvrir_planning
    from enfants.planning import enfants_de

    def rang(identifiant, prenom):
        compte = comptes[identifiant]
        (enfant,) = enfants_de(compte, prenom=prenom)
        planning = ouvrir_planning(compte.adulte.famille, [enfant], jour, jour)
        return planning.cellule(enfant, planning.offre(CODE), jour).case().phrase

    assert (rang("benali", "Adam"), rang("durand", "Tom")) == ("2e de la liste", "3e de la liste")
    liberer(jour)
    offrir_les_places(timezone.now())
    demander("durand", "Léa", jour, "QUITTER")
    assert (rang("benali", "Adam"), rang("durand", "Tom")) == ("1er de la liste", "2e de la liste")
    assert offrir_les_places(timezone.now()) == 1
    assert file(jour) == [("Léa", True, "QUITTEE"), ("Adam", True, ""), ("Tom", False, "")]


def test_une_capacite_baissee_par_l_agent_n_offre_plus_mais_tient_l_offre_faite(jour):
    liberer(jour)
    offrir_les_places(timezone.now())
    Implantation.objects.filter(service__code=CODE).update(capacite=0)
    offre.oublier()
    assert offrir_les_places(timezone.now()) == 0
    demander("durand", "Léa", jour, "PRENDRE")
    assert reserves(jour) == ["Léa"]
    demander("durand", "Léa", jour, "ANNULER")
    assert offrir_les_places(timezone.now()) == 0
    Implantation.objects.filter(service__code=CODE).update(capacite=2)
    offre.oublier()
    assert offrir_les_places(timezone.now()) == 2
    assert file(jour)[1:] == [("Adam", True, ""), ("Tom", True, "")]


@pytest.mark.parametrize("depart", ["archive", "foyer"])
def test_un_enfant_parti_quitte_la_liste_sans_message(jour, depart):
    lea = Enfant.objects.get(prenom="Léa")
    if depart == "archive":
        Enfant.objects.filter(pk=lea.pk).update(archive_le=jour)
    else:
        lea.rattachements.update(valable_au=jour - timedelta(days=1))
    liberer(jour)
    assert offrir_les_places(timezone.now()) == 1
    assert file(jour) == [("Léa", False, "QUITTEE"), ("Adam", True, ""), ("Tom", False, "")]
    assert list(Fil.objects.values_list("sujet", flat=True)) == ["Une place s'est libérée pour Adam"]


def test_l_age_compte_par_tranche(distribution):
    ouvrir(capacite=5, tranches=[(0, 17, 1)])
    jour = jour_ouvert()
    demander("martin", "Zoé", jour)
    demander("durand", "Léa", jour)
    Enfant.objects.filter(prenom="Léa").update(date_naissance=None)  # of an unknown age, she fills no slice
    assert offrir_les_places(timezone.now()) == 1
    assert file(jour) == [("Léa", True, "")]


def test_un_adulte_suspendu_ne_lit_pas_l_offre(jour, comptes):
    SuspensionAcces.objects.create(
        enfant=Enfant.objects.get(prenom="Léa"), adulte=comptes["durand2"].adulte, motif="jugement"
    )
    liberer(jour)
    offrir_les_places(timezone.now())
    assert [fil.destinataire for fil in Fil.objects.all()] == [comptes["durand"].adulte]
    assert Courriel.objects.count() == 1


def test_un_jour_commence_clot_sa_liste(jour):
    liberer(jour)
    debut = datetime.combine(jour, time(8), ZoneInfo(settings.TIME_ZONE))
    offrir_les_places(debut - timedelta(hours=1))
    assert Attente.objects.get(service__code=CODE, enfant__prenom="Léa", jour=jour).expire_le == debut
    assert offrir_les_places(debut) == 0
    assert {issue for _, _, issue in file(jour)} == {"PERIMEE"}
    assert offrir_les_places(debut) == 0


def test_l_horloge_propose_la_place(jour):
    liberer(jour)
    call_command("horloge", une_fois=True)
    assert file(jour) == [("Léa", True, ""), ("Adam", False, ""), ("Tom", False, "")]


def test_un_passage_sans_rien_a_faire_coute_autant_pour_trois_jours_que_pour_un(jour):
    def passage():
        with CaptureQueriesContext(connection) as captees:
            assert offrir_les_places(timezone.now()) == 0
        return len(captees.captured_queries)

    offre.actuelle()
    un = passage()
    autres = [jour_ouvert(20), jour_ouvert(30)]
    for autre in autres:
        demander("martin", "Zoé", autre)
        demander("durand", "Léa", autre)
    assert passage() <= un <= 8


# --- Two at once -----------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_deux_passages_a_la_fois_ne_font_qu_une_offre(distribution):
    ouvrir(capacite=1)
    jour = jour_ouvert()
    demander("martin", "Zoé", jour)
    demander("durand", "Léa", jour)
    demander("benali", "Adam", jour)
    demander("martin", "Zoé", jour, "ANNULER")

    def remettre():
        Attente.objects.filter(service__code=CODE, jour=jour).update(offerte_le=None, expire_le=None)
        Fil.objects.all().delete()

    def passer():
        offrir_les_places(timezone.now())

    for resultats in Course(passer, passer).tours(60, remettre):
        assert resultats == ["gagne", "gagne"]
        assert file(jour) == [("Léa", True, ""), ("Adam", False, "")]
        assert Fil.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_prendre_une_place_a_l_instant_ou_elle_expire_fait_un_seul_gagnant(distribution):
    ouvrir(capacite=1)
    jour = jour_ouvert()
    demander("martin", "Zoé", jour)
    demander("durand", "Léa", jour)
    demander("benali", "Adam", jour)
    demander("martin", "Zoé", jour, "ANNULER")

    def remettre():
        Reservation.objects.filter(service__code=CODE, jour=jour).delete()
        Attente.objects.filter(service__code=CODE, jour=jour).update(
            offerte_le=None, expire_le=None, close_le=None, issue=""
        )
        bientot = timezone.now() + timedelta(minutes=1)
        Attente.objects.filter(service__code=CODE, enfant__prenom="Léa").update(
            offerte_le=timezone.now(), expire_le=bientot
        )

    def prendre():
        demander("durand", "Léa", jour, "PRENDRE")

    def passer_plus_tard():
        offrir_les_places(timezone.now() + timedelta(minutes=2))

    for resultats in Course(prendre, passer_plus_tard).tours(40, remettre):
        assert resultats == ["gagne", "gagne"]
        assert (reserves(jour), file(jour)) in [
            (["Léa"], [("Léa", True, "RESERVEE"), ("Adam", False, "")]),
            ([], [("Léa", True, "PASSEE"), ("Adam", True, "")]),
        ]
