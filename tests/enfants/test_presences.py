"""The sheet of a day is marked, closed, corrected; the family of a child who came without booking is told once."""

from datetime import date, datetime, time, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from enfants import feuilles, presences
from enfants.models import (
    Affectation,
    Attente,
    Enfant,
    Garde,
    Implantation,
    MotifAbsence,
    Place,
    Presence,
    Rattachement,
    Reservation,
    Service,
    SuspensionAcces,
)
from enfants.presences import Pointage, clore, pointer, rouvrir
from familles.models import Responsable
from messagerie.models import Courriel, Fil, Message

pytestmark = pytest.mark.django_db

JOUR = date(2025, 11, 27)  # a Thursday, far from the days that the cast has booked
PRESENT, ABSENT = "PRESENT", "ABSENT"


@pytest.fixture(autouse=True)
def ce_jour_la(monkeypatch, distribution):
    """It is that Thursday, and the children have belonged to their households for years."""
    horloge = SimpleNamespace(localdate=lambda: JOUR, now=timezone.now)
    monkeypatch.setattr(presences, "timezone", horloge)
    Rattachement.objects.update(valable_du=date(2020, 9, 1))


@pytest.fixture
def enfants():
    return {e.prenom: e for e in Enfant.objects.order_by("pk")}


@pytest.fixture
def cantine():
    return Implantation.objects.get(service__code="restauration")


@pytest.fixture
def place(cantine):
    return Place.objects.create(service=cantine.service, site=cantine.site, jour=JOUR)


@pytest.fixture
def hugo(comptes):
    return comptes["animateur"]


@pytest.fixture
def nadia(comptes):
    return comptes["agent"]


@pytest.fixture
def reserver(place, enfants, comptes):
    def reserver(*prenoms, **colonnes):
        for prenom in prenoms:
            famille = enfants[prenom].rattachements.order_by("pk").first().famille
            Reservation.objects.create(
                **{
                    "enfant": enfants[prenom],
                    "famille": famille,
                    "service": place.service,
                    "jour": JOUR,
                    "place": place,
                    "reservee_par": comptes["durand"],
                    "reservee_le": datetime(2025, 11, 12, 9, tzinfo=ZoneInfo("Europe/Paris")),
                }
                | colonnes
            )

    return reserver


def notees():
    lignes = Presence.objects.filter(jour=JOUR).order_by("enfant__prenom")
    return [(p.enfant.prenom, p.etat, p.pointee_par.identifiant, p.correction) for p in lignes]


def presents(*enfants):
    return [Pointage(enfant.pk, PRESENT) for enfant in enfants]


def messages_de(identifiant):
    fils = Fil.objects.filter(
        famille__responsables__utilisateur__identifiant=identifiant, sujet__contains="réservation"
    )
    return [message.corps for message in Message.objects.filter(fil__in=fils).order_by("pk")]


# --- Marking ---------------------------------------------------------------------------------------------


def test_pointer_note_chaque_enfant_avec_ses_heures(place, enfants, hugo, reserver):
    reserver("Léa", "Inès")
    lignes = [Pointage(enfants["Léa"].pk, PRESENT, time(12), time(13, 30)), Pointage(enfants["Inès"].pk, ABSENT)]
    bilan = pointer(place, lignes, par=hugo)
    assert [p.enfant.prenom for p in bilan.notes] == [
        e.prenom for e in sorted((enfants["Léa"], enfants["Inès"]), key=lambda e: e.pk)
    ]
    assert notees() == [("Inès", ABSENT, "animateur", ""), ("Léa", PRESENT, "animateur", "")]
    lea = Presence.objects.get(enfant=enfants["Léa"], jour=JOUR)
    assert (lea.arrivee, lea.depart, lea.place) == (time(12), time(13, 30), place)


def test_pointer_cree_la_journee_si_personne_n_avait_reserve(cantine, enfants, hugo):
    place = Place(service=cantine.service, site=cantine.site, jour=JOUR)
    pointer(place, presents(enfants["Léa"]), par=hugo)
    assert Presence.objects.get(jour=JOUR).place == Place.objects.get(jour=JOUR)


def test_enregistrer_deux_fois_n_ecrit_qu_une(place, enfants, hugo, nadia, reserver):
    reserver("Léa")
    pointer(place, presents(enfants["Léa"]), par=hugo)
    assert pointer(place, presents(enfants["Léa"]), par=nadia).notes == []
    assert notees() == [("Léa", PRESENT, "animateur", "")]


def test_les_enfants_laisses_de_cote_ne_changent_pas(place, enfants, hugo, nadia, reserver):
    reserver("Léa", "Inès")
    pointer(place, presents(enfants["Léa"]), par=hugo)
    pointer(place, presents(enfants["Inès"]), par=nadia)
    assert notees() == [("Inès", PRESENT, "agent", ""), ("Léa", PRESENT, "animateur", "")]


def test_un_jour_a_venir_ne_se_pointe_ni_ne_se_clot(cantine, enfants, hugo):
    demain = Place.objects.create(service=cantine.service, site=cantine.site, jour=JOUR + timedelta(days=1))
    with pytest.raises(presences.JourAVenir, match="Le vendredi 28 novembre 2025 n'est pas encore venu"):
        pointer(demain, presents(enfants["Léa"]), par=hugo)
    with pytest.raises(presences.JourAVenir):
        clore(demain, par=hugo)
    assert not Presence.objects.filter(jour=demain.jour).exists()


def test_celui_qui_enregistre_sur_une_feuille_perimee_sait_qui_l_a_changee(place, enfants, hugo, nadia, reserver):
    reserver("Léa", "Inès")
    pointer(place, [Pointage(enfants["Léa"].pk, ABSENT)], par=nadia, lue="")
    with pytest.raises(presences.FeuilleChangee) as erreur:
        pointer(place, presents(enfants["Léa"], enfants["Inès"]), par=hugo, lue="")
    assert erreur.value.enfants == [enfants["Léa"].pk]
    assert str(erreur.value).startswith("Nadia Petit a enregistré cette feuille aujourd'hui à ")
    assert "Léa Durand est noté absent." in str(erreur.value)
    assert notees() == [("Léa", ABSENT, "agent", "")]


def test_deux_personnes_qui_ne_pointent_pas_les_memes_enfants_ne_se_genent_pas(place, enfants, hugo, nadia, reserver):
    reserver("Léa", "Inès")
    pointer(place, presents(enfants["Léa"]), par=nadia, lue="")
    pointer(place, presents(enfants["Inès"]), par=hugo, lue="")
    assert notees() == [("Inès", PRESENT, "animateur", ""), ("Léa", PRESENT, "agent", "")]


def test_relire_la_feuille_permet_de_la_changer(place, cantine, enfants, hugo, nadia, reserver):
    reserver("Léa")
    pointer(place, [Pointage(enfants["Léa"].pk, ABSENT)], par=nadia, lue="")
    lue = feuilles.lire(hugo, cantine, JOUR).version
    pointer(place, presents(enfants["Léa"]), par=hugo, lue=lue)
    assert notees() == [("Léa", PRESENT, "animateur", "")]


def test_un_enfant_n_est_pas_pointe_sur_deux_sites(place, cantine, enfants, hugo):
    autre = Place.objects.create(
        service=cantine.service, site=Implantation.objects.get(service__code="alsh-mercredi").site, jour=JOUR
    )
    pointer(autre, presents(enfants["Léa"]), par=hugo)
    with pytest.raises(presences.PointeAilleurs, match=r"Léa Durand \(Centre de loisirs Le Verger\)"):
        pointer(place, [Pointage(enfants["Léa"].pk, ABSENT)], par=hugo)
    assert Presence.objects.get(jour=JOUR).place == autre


def test_un_pointage_simultane_sur_un_autre_site_est_dit(place, enfants, hugo, monkeypatch):
    def deja_la(*args, **options):
        raise IntegrityError

    monkeypatch.setattr(Presence.objects, "bulk_create", deja_la)
    with pytest.raises(presences.PointeAilleurs, match="un de ces enfants"):
        pointer(place, presents(enfants["Léa"]), par=hugo)


@pytest.mark.parametrize("nombre", [1, 3])
def test_le_nombre_de_requetes_ne_depend_pas_du_nombre_d_enfants(place, enfants, hugo, reserver, nombre):
    prenoms = ["Léa", "Inès", "Zoé"][:nombre]
    reserver(*prenoms)
    with CaptureQueriesContext(connection) as captees:
        pointer(place, presents(*(enfants[prenom] for prenom in prenoms)), par=hugo)
    ecrites = [r["sql"] for r in captees.captured_queries if r["sql"].startswith(("SELECT", "INSERT", "UPDATE"))]
    assert len(ecrites) == 5, "\n".join(sql[:120] for sql in ecrites)


# --- Closing ---------------------------------------------------------------------------------------------


def test_clore_dit_par_qui_et_quand(place, enfants, hugo, reserver):
    reserver("Léa")
    pointer(place, presents(enfants["Léa"]), par=hugo)
    clore(place, par=hugo)
    place.refresh_from_db()
    assert (place.close_par, place.close_le is not None) == (hugo, True)
    with pytest.raises(presences.FeuilleDejaClose, match="Feuille déjà close par Hugo Leroy aujourd'hui à"):
        clore(place, par=hugo)


def test_une_feuille_ou_manque_un_enfant_attendu_reste_ouverte(place, enfants, hugo, nadia, reserver):
    reserver("Léa", "Tom")
    with pytest.raises(presences.FeuilleIncomplete) as erreur:
        clore(place, par=hugo)
    phrase = "pointez d'abord Léa Durand, et 1 enfant d'une autre école n'est pas encore pointé."
    assert str(erreur.value).replace("\u00a0", " ") == f"La feuille reste ouverte : {phrase}"
    pointer(place, presents(enfants["Léa"], enfants["Tom"]), par=nadia)
    clore(place, par=hugo)


def test_une_absence_annoncee_n_empeche_pas_de_clore(place, enfants, hugo, reserver):
    reserver("Léa", motif_absence=MotifAbsence.objects.get(code="sortie"), absence_le=timezone.now())
    reserver("Inès")
    clore(place, par=hugo, annoncees=[enfants["Inès"].pk])
    place.refresh_from_db()
    assert place.close_par == hugo


def test_apres_la_cloture_un_changement_dit_pourquoi_et_garde_l_ancien(place, enfants, hugo, nadia, reserver):
    reserver("Léa")
    pointer(place, presents(enfants["Léa"]), par=hugo)
    clore(place, par=hugo)
    with pytest.raises(presences.MotifManquant):
        pointer(place, [Pointage(enfants["Léa"].pk, ABSENT)], par=nadia, motif="  ")
    assert notees() == [("Léa", PRESENT, "animateur", "")]
    assert pointer(place, presents(enfants["Léa"]), par=nadia).notes == []  # nothing changes: no reason to give
    pointer(place, [Pointage(enfants["Léa"].pk, ABSENT)], par=nadia, motif="Confondue avec sa cousine")
    assert notees() == [("Léa", ABSENT, "agent", "Confondue avec sa cousine")]
    avant = Presence.pgh_event_model.objects.get(pgh_obj__enfant=enfants["Léa"], jour=JOUR)
    assert (avant.etat, avant.pointee_par, avant.correction) == (PRESENT, hugo, "")


def test_rouvrir_permet_de_pointer_sans_raison_et_garde_qui_avait_clos(place, enfants, hugo, reserver):
    reserver("Léa")
    pointer(place, presents(enfants["Léa"]), par=hugo)
    clore(place, par=hugo)
    rouvrir(place)
    pointer(place, [Pointage(enfants["Léa"].pk, ABSENT)], par=hugo)
    assert notees() == [("Léa", ABSENT, "animateur", "")]
    closes = Place.pgh_event_model.objects.filter(pgh_obj=place, close_le__isnull=False)
    assert [evenement.close_par for evenement in closes] == [hugo]
    with pytest.raises(presences.FeuilleOuverte):
        rouvrir(place)


# --- Without a booking -----------------------------------------------------------------------------------


def test_la_famille_d_un_enfant_venu_sans_reservation_est_prevenue_une_fois(place, enfants, hugo):
    Courriel.objects.all().delete()
    bilan = pointer(place, presents(enfants["Zoé"]), par=hugo, lien=lambda enfant: f"/mes-enfants/{enfant.uuid}/")
    assert bilan.prevenus == [enfants["Zoé"]]
    [corps] = messages_de("martin")
    assert corps.replace("\u00a0", " ") == (
        "Bonjour,\n\n"
        "Nous avons accueilli Zoé le jeudi 27 novembre 2025 sans réservation : Restauration scolaire.\n\n"
        "Cela peut arriver : ce message vous le signale pour la prochaine fois.\n\n"
        "Pour réserver, ouvrez le planning de Zoé dans « Mes enfants » et choisissez le jour. "
        "Jusqu'à 12 h, 2 jours d'école avant.\n\n"
        "Si ce n'est pas juste, répondez à ce message."
    )
    message = Message.objects.get(corps=corps)
    assert (message.lien, message.auteur) == (f"/mes-enfants/{enfants['Zoé'].uuid}/", hugo)
    assert Courriel.objects.count() == 1
    pointer(place, [Pointage(enfants["Zoé"].pk, ABSENT)], par=hugo)
    assert pointer(place, presents(enfants["Zoé"]), par=hugo).prevenus == []
    assert len(messages_de("martin")) == 1


def test_la_deuxieme_fois_de_l_annee_le_mot_est_moins_doux(place, cantine, enfants, hugo):
    avant = Place.objects.create(service=cantine.service, site=cantine.site, jour=JOUR - timedelta(days=7))
    pointer(avant, presents(enfants["Zoé"]), par=hugo)
    pointer(place, presents(enfants["Zoé"]), par=hugo)
    premier, second = messages_de("martin")
    assert "Cela peut arriver" in premier
    assert "Nous avons de nouveau accueilli Zoé" in second
    assert "Une présence sans réservation peut être facturée plus cher." in second


def test_l_annee_scolaire_suivante_recommence_en_douceur(place, cantine, enfants, hugo):
    juin = Place.objects.create(service=cantine.service, site=cantine.site, jour=date(2025, 6, 26))
    pointer(juin, presents(enfants["Zoé"]), par=hugo)
    pointer(place, presents(enfants["Zoé"]), par=hugo)
    assert ["Cela peut arriver" in corps for corps in messages_de("martin")] == [True, True]


def test_un_enfant_reserve_ou_absent_ne_vaut_pas_de_message(place, enfants, hugo, reserver):
    reserver("Léa")
    bilan = pointer(place, [*presents(enfants["Léa"]), Pointage(enfants["Zoé"].pk, ABSENT)], par=hugo)
    assert (bilan.prevenus, messages_de("durand"), messages_de("martin")) == ([], [], [])


def test_une_reservation_annulee_n_en_est_plus_une(place, enfants, comptes, hugo, reserver):
    reserver("Léa", annulee_le=timezone.now(), annulee_par=comptes["durand"])
    assert pointer(place, presents(enfants["Léa"]), par=hugo).prevenus == [enfants["Léa"]]


@pytest.mark.parametrize(("premier", "averti", "autre"), [("benali", "benali", "rossi"), ("rossi", "rossi", "benali")])
def test_en_garde_alternee_le_foyer_du_jour_est_seul_averti(place, enfants, familles_de, hugo, premier, averti, autre):
    second = "rossi" if premier == "benali" else "benali"
    garde = Garde.objects.get(enfant=enfants["Inès"])
    garde.exceptions.all().delete()
    Garde.objects.filter(pk=garde.pk).update(
        premier_foyer=familles_de(premier),
        second_foyer=familles_de(second),
        premiere_semaine=JOUR,
        jour_passage=0,
        mode="ALTERNEE",
    )
    pointer(place, presents(enfants["Inès"]), par=hugo)
    assert (len(messages_de(averti)), len(messages_de(autre))) == (1, 0)


def test_l_adulte_qui_ne_voit_plus_l_enfant_n_est_pas_averti(place, enfants, hugo):
    julien = Responsable.objects.get(utilisateur__identifiant="durand2")
    SuspensionAcces.objects.create(enfant=enfants["Léa"], adulte=julien, motif="Jugement", valable_du=date(2025, 1, 1))
    pointer(place, presents(enfants["Léa"]), par=hugo)
    fils = Fil.objects.filter(sujet__startswith="Léa, Cantine du 27 novembre")
    assert [fil.destinataire.utilisateur.identifiant for fil in fils] == ["durand"]


# --- Reading ---------------------------------------------------------------------------------------------


def test_la_feuille_montre_les_attendus_et_les_presents_de_ses_ecoles(cantine, place, enfants, hugo, nadia, reserver):
    reserver("Léa", "Tom")
    reserver("Inès", motif_absence=MotifAbsence.objects.get(code="sortie"), absence_le=timezone.now())
    pointer(place, presents(enfants["Zoé"]), par=hugo)

    def vue(agent):
        fiche = feuilles.lire(agent, cantine, JOUR)
        lignes = [(li.enfant.prenom, li.est_attendu, li.absence, li.presence is not None) for li in fiche.lignes]
        return sorted(lignes), fiche.ailleurs, [li.enfant.prenom for li in fiche.a_pointer()]

    siens = [("Inès", False, "Sortie scolaire", False), ("Léa", True, "", False), ("Zoé", False, "", True)]
    assert vue(hugo) == (siens, 1, ["Léa"])
    assert vue(nadia) == (sorted([*siens, ("Tom", True, "", False)]), 0, ["Tom", "Léa"])


def test_un_animateur_n_a_que_les_sites_de_ses_ecoles(hugo, nadia, enfants):
    soirs = feuilles.implantations(hugo).filter(service__code="accueil-soir")
    assert [lieu.ecoles.get() for lieu in soirs] == [enfants["Léa"].ecole]
    assert feuilles.implantations(nadia).count() == Implantation.objects.count()
    Affectation.objects.all().delete()
    assert list(feuilles.implantations(hugo)) == []


def test_chercher_ne_trouve_que_les_enfants_que_ce_site_sert(hugo, nadia, enfants, cantine):
    soir = Implantation.objects.get(service__code="accueil-soir", ecoles=enfants["Tom"].ecole)

    def trouves(agent, lieu, texte):
        return [e.prenom for e in feuilles.chercher(agent, lieu, JOUR, texte, au_plus=20)]

    assert trouves(hugo, cantine, "durand") == ["Léa"]
    assert trouves(nadia, cantine, "DURAND") == ["Léa", "Tom"]
    assert trouves(nadia, soir, "durand") == ["Tom"]
    assert trouves(nadia, cantine, "zoe\x00 mart") == ["Zoé"]


def test_les_comptes_du_jour_sont_ceux_que_l_agent_voit(cantine, place, enfants, hugo, nadia, reserver):
    reserver("Léa", "Tom")
    reserver("Inès", motif_absence=MotifAbsence.objects.get(code="sortie"), absence_le=timezone.now())
    pointer(place, presents(enfants["Tom"]), par=nadia)
    cle = (cantine.service_id, cantine.site_id)
    assert feuilles.comptes(nadia, JOUR) == {cle: (3, 1, 1)}
    assert feuilles.comptes(hugo, JOUR) == {cle: (2, 1, 0)}
    assert (feuilles.a_pointer(hugo, JOUR), feuilles.a_pointer(nadia, JOUR)) == (1, 1)


def test_les_constats_lisent_la_reservation_qui_tient_et_le_delai(place, enfants, comptes, hugo, reserver):
    a_temps = datetime(2025, 11, 20, 9, tzinfo=ZoneInfo("Europe/Paris"))
    trop_tard = datetime(2025, 11, 27, 9, tzinfo=ZoneInfo("Europe/Paris"))
    reserver("Léa", annulee_le=a_temps, annulee_par=comptes["durand"])
    reserver("Léa")
    reserver("Tom", annulee_le=trop_tard, annulee_par=comptes["durand"])
    reserver("Inès", annulee_le=trop_tard, annulee_par=comptes["agent"])
    famille = enfants["Zoé"].rattachements.get().famille
    Attente.objects.create(
        enfant=enfants["Zoé"], famille=famille, service=place.service, jour=JOUR, place=place, inscrite_par=hugo
    )
    pointer(place, [Pointage(enfants[nom].pk, ABSENT) for nom in ("Léa", "Tom", "Inès", "Zoé")], par=hugo)
    lues = Presence.objects.filter(jour=JOUR).select_related("service", "place", "pointee_par", "enfant")
    constats = feuilles.constats(lues, agent=hugo)
    codes = {p.enfant.prenom: constats[p.pk].code for p in lues}
    assert codes == {"Léa": "ABSENT_NON_JUSTIFIE", "Tom": "ANNULE_TARD", "Inès": "ANNULE", "Zoé": "EN_LISTE"}
    Service.objects.update(actif=False)
    feuilles.offres.oublier()
    tom = lues.get(enfant=enfants["Tom"])
    assert (
        feuilles.constats([tom], agent=hugo)[tom.pk].code == "ANNULE"
    )  # the deadline of what is no longer offered is not known
