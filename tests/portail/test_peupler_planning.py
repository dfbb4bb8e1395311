"""``manage.py peupler``: a year of bookings, and what came of it."""

import re
from collections import Counter, defaultdict
from datetime import date, timedelta

import pytest
from django.db import connection
from django.db.models import Count, Exists, F, OuterRef, Q
from django.utils import timezone

from demandes.models import Demande, JourDemande, Justificatif
from enfants import offre as offres
from enfants.models import (
    Attente,
    Ecole,
    Fermeture,
    Garde,
    Implantation,
    Inscription,
    Place,
    Presence,
    Reservation,
    Service,
    TrancheAge,
)
from enfants.planning import Planning, enfants_de
from enfants.regles.annees import age, bornes
from enfants.regles.planning import ferme_ce_jour
from portail.peuplement import Copie
from tests.portail.inventees import JOUR, commander, enfants_inventes, familles_inventees, inventer

pytestmark = pytest.mark.django_db
DU_PLANNING = ["reservation", "absence"]


@pytest.fixture
def peupler(distribution):
    """``peupler(30, annees=2)``: what was added, as of ``JOUR``."""
    return inventer


def reservees():
    return Reservation.objects.filter(famille__in=familles_inventees())


# --- Where and when --------------------------------------------------------------------------------------


def test_chaque_jour_reserve_a_son_inscription_et_son_foyer(peupler):
    bilan = peupler(60)
    inscriptions = Inscription.objects.filter(
        enfant=OuterRef("enfant"),
        famille=OuterRef("famille"),
        service=OuterRef("service"),
        valable_du__lte=OuterRef("jour"),
        valable_au__gte=OuterRef("jour"),
    )
    assert reservees().exclude(Exists(inscriptions)).count() == 0
    assert reservees().exclude(place__jour=F("jour"), place__service=F("service")).count() == 0
    assert reservees().exclude(famille__rattachements__enfant=F("enfant")).count() == 0
    assert bilan.lignes[Reservation] == reservees().count() > 5000
    connection.check_constraints()


def test_on_reserve_de_la_rentree_a_la_fin_de_l_annee(peupler):
    peupler(40, annees=2)
    jours = sorted(set(reservees().values_list("jour", flat=True)))
    annees = Inscription.objects.filter(famille__in=familles_inventees()).values_list("annee", flat=True)
    assert (f"{jours[0]:%Y-%m}", f"{jours[-1]:%Y-%m}") == ("2024-09", "2026-08")
    assert set(annees) == {2024, 2025}


def test_qui_ne_reserve_pas_l_annee_reserve_trois_semaines(peupler):
    peupler(60)
    inscriptions = Inscription.objects.filter(famille__in=familles_inventees(), service__periode="SCOLAIRE")
    a_l_avance = inscriptions.filter(jours_reserves_le=None).values("famille")
    siennes = reservees().filter(service__periode="SCOLAIRE", famille__in=a_l_avance)
    autres = reservees().filter(service__periode="SCOLAIRE").exclude(famille__in=a_l_avance)
    fin = JOUR + timedelta(days=21)
    assert fin - timedelta(days=5) <= siennes.latest("jour").jour <= fin
    assert autres.latest("jour").jour > JOUR + timedelta(days=200)


def test_rien_n_est_reserve_un_jour_ferme(peupler):
    greve = Fermeture.objects.create(
        service=Service.objects.get(code="restauration"), valable_du=JOUR, valable_au=JOUR, motif="Grève"
    )
    peupler(30)
    par_service = {offre.cle: offre for offre in offres.actuelle()}
    scolaire = offres.calendrier(JOUR.replace(month=9, day=1), JOUR.replace(year=2026, month=8, day=31))
    jours = set(reservees().values_list("service", "jour"))
    assert {ferme_ce_jour(par_service[service], jour, scolaire) for service, jour in jours} == {""}
    assert (greve.service_id, JOUR) not in jours
    assert (greve.service_id, JOUR + timedelta(days=1)) in jours


def test_une_semaine_de_vacances_a_ses_deux_jours_au_moins(peupler):
    peupler(100)
    vacances = reservees().filter(service__code="alsh-vacances", annulee_le=None, enfant__garde=None)
    semaines = Counter((r.enfant_id, r.famille_id, r.jour - timedelta(days=r.jour.weekday())) for r in vacances)
    # One day of holidays in the week: the Monday before the rentrée, the Friday after the Ascension.
    d_un_jour = {date(2026, 8, 31), date(2026, 5, 11)}
    assert {nombre for (*_, lundi), nombre in semaines.items() if lundi not in d_un_jour} == {2, 3, 4, 5}
    assert vacances.filter(formule=None).count() == 0


def test_chaque_foyer_ne_reserve_que_ses_jours_de_garde(peupler):
    peupler(80)
    ecarts, vus = [], 0
    for garde in Garde.objects.filter(enfant__in=enfants_inventes()).order_by("pk"):
        siennes = list(garde.enfant.reservations.order_by("jour", "pk"))
        for foyer in (garde.premier_foyer, garde.second_foyer):
            planning = planning_de(foyer, garde.enfant)
            ici = [r for r in siennes if r.famille_id == foyer.pk]
            ecarts += [r for r in ici if not planning.est_chez_nous(planning.enfants[r.enfant_id], r.jour)]
        vus += len({r.famille_id for r in siennes}) == 2
    assert ecarts == []
    assert vus > 3


def planning_de(foyer, enfant):
    """The school year of one child, as its household opens it."""
    enfants = enfants_de(foyer.adultes()[0].utilisateur, pk=enfant.pk)
    return Planning(foyer, enfants, *bornes(2025), maintenant=timezone.now())


# --- Places ----------------------------------------------------------------------------------------------


def occupations():
    """Active bookings of each place, with the capacity of its site."""
    actives = Count("reservations", filter=Q(reservations__annulee_le=None))
    places = {(i.service_id, i.site_id): i.capacite for i in Implantation.objects.order_by("pk")}
    return [
        (place, place.prises, places[place.service_id, place.site_id])
        for place in Place.objects.annotate(prises=actives).order_by("pk")
    ]


def test_aucun_jour_ne_depasse_ses_places_meme_au_second_passage(peupler):
    Implantation.objects.filter(service__code__startswith="accueil").update(capacite=4)
    TrancheAge.objects.update(capacite=2)
    peupler(80)
    peupler(80)
    limites = [(prises, capacite) for _, prises, capacite in occupations() if capacite is not None]
    assert [limite for limite in limites if limite[0] > limite[1]] == []
    assert sum(prises == capacite for prises, capacite in limites) > 20
    tranche = TrancheAge.objects.get()
    petits = defaultdict(int)
    tenues = Reservation.objects.actives().filter(
        service=tranche.implantation.service, place__site=tranche.implantation.site
    )
    for reservation in tenues.select_related("enfant"):
        ans = age(reservation.enfant.date_naissance, reservation.jour)
        petits[reservation.jour] += tranche.age_min <= ans <= tranche.age_max
    assert max(petits.values()) == tranche.capacite


def test_on_n_attend_qu_un_jour_complet_a_venir(peupler):
    Implantation.objects.filter(service__code="accueil-soir").update(capacite=2)
    peupler(60)
    pleines = {place.pk for place, prises, capacite in occupations() if prises == capacite}
    attentes = list(Attente.objects.order_by("pk"))
    assert {attente.place_id in pleines for attente in attentes} == {True}
    assert min(attente.jour for attente in attentes) > JOUR
    assert max(Counter(attente.place_id for attente in attentes).values()) <= 3


def test_une_ecole_ouverte_a_son_site_et_la_cantine_reste_a_tous(peupler):
    peupler(5)
    ouvertes = Ecole.objects.filter(nom__in=[site[21:] for site in sites("Maison de l'enfance, ")])
    assert ouvertes.count() == 2
    lieux = Counter(Implantation.objects.filter(ecoles__in=ouvertes).values_list("service__code", flat=True))
    assert lieux == dict.fromkeys(("accueil-matin", "accueil-soir", "alsh-mercredi", "alsh-vacances"), 2)
    assert Implantation.objects.get(service__code="restauration").capacite is None
    peupler(5)
    assert len(sites("Maison")) == 2


def sites(debut):
    noms = Implantation.objects.filter(site__nom__startswith=debut).values_list("site__nom", flat=True)
    return sorted(set(noms))


def test_sans_service_rien_n_est_reserve(peupler):
    Service.objects.update(actif=False)
    bilan = peupler(10)
    assert {Reservation, Inscription, Presence, Place} & set(bilan.lignes) == set()
    assert Demande.objects.filter(famille__in=familles_inventees(), type__in=DU_PLANNING).count() == 0


# --- What was seen ---------------------------------------------------------------------------------------


def test_le_passe_est_pointe_et_clos_l_avenir_ne_l_est_pas(peupler):
    peupler(60)
    presences = Presence.objects.filter(enfant__in=enfants_inventes())
    passees = reservees().actives().filter(jour__lt=JOUR)
    vue = presences.filter(enfant=OuterRef("enfant"), service=OuterRef("service"), jour=OuterRef("jour"))
    assert passees.exclude(Exists(vue)).count() == 0
    assert presences.filter(jour__gte=JOUR).count() == 0
    places = Place.objects.filter(reservations__in=reservees())
    assert {place.jour < JOUR for place in places.filter(close_le__isnull=False)} == {True}
    assert places.filter(close_le=None, jour__lt=JOUR).count() == 0
    nombres = Counter(presences.values_list("etat", flat=True))
    assert 0.95 < nombres["PRESENT"] / nombres.total() < 0.99
    inattendus = presences.exclude(
        Exists(reservees().actives().filter(enfant=OuterRef("enfant"), jour=OuterRef("jour")))
    )
    assert inattendus.count() > 5


def test_rien_du_planning_n_est_date_du_jour_ni_d_apres(peupler):
    peupler(80)
    instants = []
    for noms in (["reservee_le", "annulee_le"], ["reservee_le", "absence_le"]):
        instants += reservees().exclude(**{noms[1]: None}).values_list(*noms)
    instants += Attente.objects.values_list("inscrite_le", "inscrite_le")
    instants += [(i, i) for i in reservees().values_list("reservee_le", flat=True)]
    instants += [(i, i) for i in Inscription.objects.values_list("jours_reserves_le", flat=True) if i]
    instants += [(i, i) for i in Justificatif.objects.values_list("recu_le", flat=True) if i]
    ici = [(avant, apres) for avant, apres in instants if timezone.localdate(apres) < JOUR.replace(year=2026)]
    assert [(avant, apres) for avant, apres in ici if apres < avant] == []
    assert max(timezone.localdate(apres) for _, apres in ici) < JOUR


# --- What was asked --------------------------------------------------------------------------------------


def jours_demandes(type_, etat):
    """(day of a demande, its reservation or None)."""
    jours = JourDemande.objects.filter(demande__famille__in=familles_inventees(), demande__type=type_, etat=etat)
    actives = reservees().actives()
    return [
        (jour, actives.filter(enfant=jour.enfant_id, service=jour.service_id, jour=jour.jour).first())
        for jour in jours.order_by("pk")
    ]


def test_une_demande_du_planning_et_les_reservations_disent_la_meme_chose(peupler):
    peupler(250)
    faits, tardifs = jours_demandes("reservation", "ACCEPTE"), jours_demandes("reservation", "EN_ATTENTE")
    assert {r.reservee_le == jour.demande.deposee_le for jour, r in faits} == {True}
    assert {reservation for _, reservation in tardifs} == {None}
    dites, a_prouver = jours_demandes("absence", "ACCEPTE"), jours_demandes("absence", "EN_ATTENTE")
    assert {r.motif_absence.code == jour.demande.valeurs_demandees["motif"] for jour, r in dites} == {True}
    assert {(r.motif_absence, jour.demande.justificatif.recu_le) for jour, r in a_prouver} == {(None, None)}
    assert min(map(len, (faits, tardifs, dites, a_prouver))) > 1
    motif = {r.motif_absence.justificatif: r.absence_justifiee for _, r in dites}
    assert motif == {True: True, False: False}


def test_une_demande_du_planning_garde_ce_que_la_vraie_garde(peupler):
    peupler(60)
    demandes = Demande.objects.filter(famille__in=familles_inventees(), type__in=DU_PLANNING)
    cles = {type_: {tuple(sorted(d.valeurs_demandees)) for d in demandes if d.type == type_} for type_ in DU_PLANNING}
    assert cles == {
        "reservation": {("enfants", "resume")},
        "absence": {("enfants", "mot", "motif", "raison", "resume")},
    }
    assert {d.titre.split(" d")[0] for d in demandes} == {"Réservations", "Absence"}
    assert demandes.filter(jours=None).count() == 0


# --- By COPY ---------------------------------------------------------------------------------------------


def test_une_grande_table_a_toutes_ses_colonnes():
    with pytest.raises(ValueError, match="'etat'"):
        Copie().grande_table(Presence, "enfant_id service_id jour place_id arrivee depart pointee_le pointee_par_id")


def test_la_commande_dit_le_nombre_de_reservations(distribution):
    dites = re.search(r" enfants, ([\d ]+) réservations, ", commander(familles=10)).group(1)
    assert int(dites.replace(" ", "")) == reservees().count() > 100
