"""What a family does with the days of its children, at a known hour: Monday 16 November 2026, 9 o'clock."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from demandes import actions, planning
from demandes.models import Demande, JourDemande, Justificatif
from enfants import offre
from enfants.models import (
    Attente,
    Enfant,
    Fermeture,
    Formule,
    Garde,
    Implantation,
    Inscription,
    MotifAbsence,
    Presence,
    Reservation,
    Service,
    SuspensionAcces,
)
from enfants.planning import enfants_de
from enfants.reservations import Changement
from messagerie.models import Courriel, Fil, Message
from portail.outils.fichiers import ranger
from tests import fabrique

pytestmark = pytest.mark.django_db

JEUDI_19, LUNDI_23, MARDI_24 = date(2026, 11, 19), date(2026, 11, 23), date(2026, 11, 24)
MARDI_17 = date(2026, 11, 17)  # the canteen of tomorrow: its limit was Friday 13 at noon


def cle(prenom):
    return Enfant.objects.get(prenom=prenom).pk


def veut(geste, *jours, enfants=("Léa",), service="restauration", formule=None):
    return [Changement(cle(prenom), service, jour, geste, formule) for jour in jours for prenom in enfants]


@pytest.fixture
def changer(automne, comptes):
    """``changer("durand", changements)``: what the planning's pages do with a confirmed summary."""

    def changer(identifiant, changements):
        compte = comptes[identifiant]
        return planning.changer(compte.adulte.famille, changements, par=compte)

    return changer


@pytest.fixture
def etats(automne, comptes):
    """``etats("durand", "Léa", "restauration", jours…)``: the states of these cells, as the page shows them."""

    def etats(identifiant, prenom, service, *jours):
        compte = comptes[identifiant]
        (enfant,) = enfants_de(compte, prenom=prenom)
        vu = planning.ouvrir(compte.adulte.famille, [enfant], min(jours), max(jours))
        return [vu.cellule(enfant, vu.offre(service), jour).case().etat.value for jour in jours]

    return etats


def jours_reserves(**filtres):
    actives = Reservation.objects.actives().filter(**filtres)
    return sorted((r.enfant.prenom, r.service.code, r.jour) for r in actives.select_related("enfant", "service"))


def raisons(bilan):
    return [v.raison for v in bilan.impossibles]


# --- Booked and cancelled at once ------------------------------------------------------------------------


def test_dans_le_delai_la_reservation_est_faite_et_la_boite_en_garde_le_resume(changer, etats):
    Fil.objects.all().delete()
    bilan = changer("durand", veut("RESERVER", JEUDI_19, LUNDI_23, enfants=("Léa", "Tom")))
    assert jours_reserves() == [
        ("Léa", "restauration", JEUDI_19),
        ("Léa", "restauration", LUNDI_23),
        ("Tom", "restauration", JEUDI_19),
        ("Tom", "restauration", LUNDI_23),
    ]
    (demande,) = bilan.demandes
    demande.refresh_from_db()
    assert (demande.titre, demande.resume, demande.etat, demande.traitee_par, demande.est_automatique) == (
        "Réservations de Léa et Tom",
        "4 jours réservés, du jeudi 19 novembre au lundi 23 novembre",
        "ACCEPTEE",
        None,
        True,
    )
    assert etats("durand", "Léa", "restauration", JEUDI_19, MARDI_24) == ["reserve", "libre"]
    assert Message.objects.get().corps == (
        "Bonjour,\n\n4 jours réservés\u00a0:\n"
        "Léa, restauration scolaire\u00a0: jeudi 19 et lundi 23 novembre\n"
        "Tom, restauration scolaire\u00a0: jeudi 19 et lundi 23 novembre"
    )
    assert Courriel.objects.count() == 0  # one knows what one has just done


def test_le_resume_est_deja_lu_de_qui_l_a_fait_et_nouveau_pour_l_autre(changer, connecter):
    Fil.objects.all().delete()
    changer("durand", veut("RESERVER", JEUDI_19))
    for identifiant, nombre in (("durand", 0), ("durand2", 1)):
        onglets = connecter(identifiant).get("/mon-compte/").context["onglets"]
        assert [o.compteur for o in onglets if o.libelle == "Boîte de réception"] == [nombre]


def test_une_annulation_garde_la_trace_de_la_reservation(changer, comptes, automne, etats):
    changer("durand", veut("RESERVER", LUNDI_23))
    changer("durand2", veut("ANNULER", LUNDI_23))
    reservation = Reservation.objects.get()
    assert (reservation.annulee_par, reservation.annulee_le) == (comptes["durand2"], automne)
    assert etats("durand", "Léa", "restauration", LUNDI_23) == ["libre"]
    changer("durand", veut("RESERVER", LUNDI_23))
    assert Reservation.objects.count() == 2


@pytest.mark.parametrize(
    ("maintenant", "etat"),
    [("2026-11-19T11:59:59", "libre"), ("2026-11-19T12:00:00", "libre"), ("2026-11-19T12:00:01", "reserve")],
)
def test_l_annulation_s_arrete_a_la_seconde_du_delai(maintenant, etat, changer, etats, horloge):
    """The canteen of Monday 23 is cancelled until Thursday 19 at noon, two school days before."""
    changer("durand", veut("RESERVER", LUNDI_23))
    horloge(maintenant)
    bilan = changer("durand", veut("ANNULER", LUNDI_23))
    assert etats("durand", "Léa", "restauration", LUNDI_23) == [etat]
    refus = [] if etat == "libre" else ["Le délai d'annulation est passé depuis le jeudi 19 novembre à 12\u00a0h."]
    assert raisons(bilan) == refus


def test_chaque_jour_impossible_dit_pourquoi_et_les_autres_sont_faits(changer):
    ferie, mercredi, vacances = date(2026, 11, 11), date(2026, 11, 25), date(2026, 12, 21)
    Fermeture.objects.create(valable_du=MARDI_24, valable_au=MARDI_24, motif="Travaux au restaurant")
    bilan = changer("durand", veut("RESERVER", ferie, LUNDI_23, MARDI_24, mercredi, vacances))
    assert jours_reserves() == [("Léa", "restauration", LUNDI_23)]
    assert raisons(bilan) == [
        "Fermé\u00a0: jour férié.",
        "Fermé\u00a0: Travaux au restaurant.",
        "Fermé\u00a0: pas de service le mercredi.",
        "Fermé\u00a0: vacances scolaires.",
    ]


def test_reserver_deux_fois_ne_fait_qu_une_reservation(changer):
    changer("durand", veut("RESERVER", LUNDI_23))
    bilan = changer("durand", veut("RESERVER", LUNDI_23, LUNDI_23))
    assert raisons(bilan) == ["Déjà réservé."]
    assert Reservation.objects.count() == 1
    assert Demande.objects.filter(type="reservation").count() == 1


def test_l_enfant_d_une_autre_famille_ne_se_reserve_pas(changer):
    bilan = changer("durand", veut("RESERVER", LUNDI_23, enfants=("Zoé", "Léa")))
    assert jours_reserves() == [("Léa", "restauration", LUNDI_23)]
    assert raisons(bilan) == ["Ce jour ne se change pas."]


def test_sans_inscription_rien_ne_se_reserve(changer, etats):
    bilan = changer("durand", veut("RESERVER", LUNDI_23, enfants=("Tom",), service="accueil-matin"))
    assert raisons(bilan) == ["Inscrivez d'abord l'enfant à ce service pour l'année scolaire."]
    assert etats("durand", "Tom", "accueil-matin", LUNDI_23) == ["ferme"]
    Inscription.objects.filter(enfant__prenom="Léa").update(valable_du=MARDI_24)
    assert etats("durand", "Léa", "restauration", LUNDI_23, MARDI_24) == ["ferme", "libre"]


def test_une_formule_se_choisit_parmi_celles_du_service(changer):
    mercredi = date(2026, 11, 25)
    autre = Formule.objects.filter(service__code="alsh-vacances").first()
    for formule in (None, autre.pk, 2**62):
        bilan = changer("durand", veut("RESERVER", mercredi, service="alsh-mercredi", formule=formule))
        assert raisons(bilan) == ["Choisissez une formule."]
    matin = Formule.objects.get(service__code="alsh-mercredi", nom="Matin avec repas")
    changer("durand", veut("RESERVER", mercredi, service="alsh-mercredi", formule=matin.pk))
    assert Reservation.objects.get().formule == matin
    bilan = changer("durand", veut("RESERVER", LUNDI_23, formule=matin.pk))
    assert raisons(bilan) == ["Choisissez une formule."]


def test_l_autre_parent_dont_l_acces_est_suspendu_ne_lit_pas_le_resume(changer, comptes):
    Fil.objects.all().delete()
    SuspensionAcces.objects.create(
        enfant_id=cle("Léa"), adulte=comptes["durand2"].responsable, motif="…", valable_du=date(2026, 1, 1)
    )
    changer("durand", veut("RESERVER", LUNDI_23, enfants=("Léa", "Tom")))
    assert [fil.destinataire for fil in Fil.objects.all()] == [comptes["durand"].responsable]
    assert list(Demande.objects.visibles_par(comptes["durand2"].responsable).filter(type="reservation")) == []
    changer("durand2", veut("ANNULER", LUNDI_23, enfants=("Léa", "Tom")))
    assert jours_reserves() == [("Léa", "restauration", LUNDI_23)]


# --- Late ------------------------------------------------------------------------------------------------


def test_une_demande_tardive_attend_la_mairie_puis_se_reserve(changer, etats, comptes):
    bilan = changer("durand", veut("RESERVER", MARDI_17, LUNDI_23))
    assert etats("durand", "Léa", "restauration", MARDI_17, LUNDI_23) == ["demande", "reserve"]
    attend = bilan.demandes[1]
    assert [(j.jour, j.tardif, j.etat) for j in attend.jours.all()] == [(MARDI_17, True, "EN_ATTENTE")]
    actions.accepter(attend.pk, par=comptes["agent"])
    assert etats("durand", "Léa", "restauration", MARDI_17) == ["reserve"]
    assert Reservation.objects.get(jour=MARDI_17).tardive
    message = Message.objects.latest("pk")
    assert message.fil.sujet == "Réservations de Léa\u00a0: demande acceptée"
    assert "Accepté\u00a0:\nLéa, restauration scolaire\u00a0: mardi 17 novembre" in message.corps


def test_un_refus_laisse_le_jour_libre_et_dit_pourquoi(changer, etats, comptes):
    (attend,) = changer("durand", veut("RESERVER", MARDI_17)).demandes
    actions.refuser(attend.pk, par=comptes["agent"], motif="Les repas sont commandés.")
    assert etats("durand", "Léa", "restauration", MARDI_17) == ["hors-delai"]
    assert [j.etat for j in attend.jours.all()] == ["REFUSE"]
    assert "Les repas sont commandés." in Message.objects.latest("pk").corps


def test_un_agent_decide_jour_par_jour(changer, etats, comptes):
    (attend,) = changer("durand", veut("RESERVER", MARDI_17, enfants=("Léa", "Tom"))).demandes
    lea = attend.jours.get(enfant__prenom="Léa")
    with pytest.raises(actions.DecisionImpossible, match="pourquoi certains jours"):
        actions.accepter(attend.pk, par=comptes["agent"], decision={"jours": {lea.pk}})
    actions.accepter(attend.pk, par=comptes["agent"], decision={"jours": {lea.pk}}, mot="Plus de repas sans porc.")
    assert jours_reserves() == [("Léa", "restauration", MARDI_17)]
    corps = Message.objects.latest("pk").corps
    assert "Refusé\u00a0:\nTom, restauration scolaire\u00a0: mardi 17 novembre" in corps
    assert "Plus de repas sans porc." in corps


def test_un_jour_ferme_depuis_le_depot_ne_s_accepte_pas(changer, comptes):
    (attend,) = changer("durand", veut("RESERVER", MARDI_17)).demandes
    Fermeture.objects.create(valable_du=MARDI_17, valable_au=MARDI_17, motif="Grève")
    with pytest.raises(actions.DecisionImpossible, match=r"Léa, Cantine, mardi 17 novembre.*Grève"):
        actions.accepter(attend.pk, par=comptes["agent"])
    attend.refresh_from_db()
    assert (attend.etat, Reservation.objects.count()) == ("EN_ATTENTE", 0)


def test_retirer_sa_demande_rend_le_jour(changer, etats, comptes):
    (attend,) = changer("durand", veut("RESERVER", MARDI_17)).demandes
    bilan = changer("durand", veut("RESERVER", MARDI_17))
    assert raisons(bilan) == ["Une demande attend déjà une réponse pour ce jour."]
    actions.retirer(attend, par=comptes["durand"])
    assert etats("durand", "Léa", "restauration", MARDI_17) == ["hors-delai"]
    assert len(changer("durand", veut("RESERVER", MARDI_17)).a_decider) == 1


# --- Places ----------------------------------------------------------------------------------------------


def limiter(service, places):
    Implantation.objects.filter(service__code=service).update(capacite=places)
    offre.oublier()


def test_le_dernier_repas_pris_le_suivant_attend_a_son_rang(changer, etats, comptes):
    limiter("restauration", 1)
    bilan = changer("durand", veut("RESERVER", LUNDI_23, enfants=("Léa", "Tom")))
    assert [v.possible.geste.value for v in bilan.faits] == ["RESERVER", "ATTENDRE"]
    assert etats("durand", "Léa", "restauration", LUNDI_23) == ["reserve"]
    assert etats("durand", "Tom", "restauration", LUNDI_23) == ["attente"]
    assert etats("benali", "Adam", "restauration", LUNDI_23) == ["complet"]
    changer("benali", veut("ATTENDRE", LUNDI_23, enfants=("Adam",)))
    (adam,) = enfants_de(comptes["benali"], prenom="Adam")
    vu = planning.ouvrir(comptes["benali"].adulte.famille, [adam], LUNDI_23, LUNDI_23)
    assert vu.cellule(adam, vu.offre("restauration"), LUNDI_23).case().phrase == "2e de la liste"


def test_une_place_proposee_se_prend_et_ne_se_prend_qu_a_temps(changer, etats, automne, horloge):
    limiter("restauration", 1)
    changer("durand", veut("RESERVER", LUNDI_23, enfants=("Léa", "Tom")))
    assert raisons(changer("durand", veut("PRENDRE", LUNDI_23, enfants=("Tom",)))) != []
    changer("durand", veut("ANNULER", LUNDI_23))
    Attente.objects.update(offerte_le=automne, expire_le=automne + timedelta(hours=24))
    assert etats("benali", "Adam", "restauration", LUNDI_23) == ["complet"]  # the offer holds the place
    horloge("2026-11-17T09:00:01")
    assert raisons(changer("durand", veut("PRENDRE", LUNDI_23, enfants=("Tom",)))) != []
    horloge("2026-11-17T09:00:00")
    changer("durand", veut("PRENDRE", LUNDI_23, enfants=("Tom",)))
    assert jours_reserves() == [("Tom", "restauration", LUNDI_23)]
    assert Attente.objects.get().issue == "RESERVEE"


def test_une_place_rendue_n_est_pas_au_premier_venu_quand_on_attend(changer, etats):
    limiter("restauration", 1)
    changer("durand", veut("RESERVER", LUNDI_23, enfants=("Léa", "Tom")))
    changer("durand", veut("ANNULER", LUNDI_23))
    assert etats("benali", "Adam", "restauration", LUNDI_23) == ["complet"]
    changer("durand", veut("QUITTER", LUNDI_23, enfants=("Tom",)))
    assert etats("benali", "Adam", "restauration", LUNDI_23) == ["libre"]


def test_un_agent_n_accepte_pas_au_dela_des_places(changer, comptes):
    limiter("restauration", 1)
    (attend,) = changer("durand", veut("RESERVER", MARDI_17, enfants=("Léa", "Tom"))).demandes
    with pytest.raises(actions.DecisionImpossible, match=r"Tom, Cantine, mardi 17 novembre.*complet"):
        actions.accepter(attend.pk, par=comptes["agent"])
    assert Reservation.objects.count() == 0


def test_une_semaine_de_vacances_a_un_minimum_de_jours(changer):
    lundi = date(2026, 12, 21)
    formule = Formule.objects.filter(service__code="alsh-vacances").first().pk
    Service.objects.filter(code="alsh-vacances").update(validation="RETARD")
    offre.oublier()
    voulus = {"service": "alsh-vacances", "formule": formule}
    bilan = changer("durand", veut("RESERVER", lundi, **voulus))
    assert raisons(bilan) == ["2 jours au moins par semaine de vacances."]
    changer("durand", veut("RESERVER", lundi, lundi + timedelta(days=1), **voulus))
    assert Reservation.objects.count() == 2
    bilan = changer("durand", veut("ANNULER", lundi, service="alsh-vacances"))
    assert raisons(bilan) == ["2 jours au moins par semaine de vacances."]
    changer("durand", veut("ANNULER", lundi, lundi + timedelta(days=1), service="alsh-vacances"))
    assert Reservation.objects.actives().count() == 0


def test_le_minimum_compte_aussi_les_jours_qui_attendent_un_agent(changer):
    lundi = date(2026, 12, 21)
    voulus = {"service": "alsh-vacances", "formule": Formule.objects.filter(service__code="alsh-vacances").first().pk}
    assert len(changer("durand", veut("RESERVER", lundi, lundi + timedelta(days=1), **voulus)).a_decider) == 2
    assert len(changer("durand", veut("RESERVER", lundi + timedelta(days=2), **voulus)).a_decider) == 1


def test_un_forfait_se_prend_et_se_rend_a_la_semaine(changer):
    Service.objects.filter(code="accueil-soir").update(forfait_semaine=True)
    offre.oublier()
    changer("durand", veut("RESERVER", MARDI_24, service="accueil-soir"))
    assert [jour for _, _, jour in jours_reserves()] == [
        LUNDI_23,
        MARDI_24,
        date(2026, 11, 26),
        date(2026, 11, 27),
    ]
    changer("durand", veut("ANNULER", LUNDI_23, service="accueil-soir"))
    assert jours_reserves() == []


# --- Two households --------------------------------------------------------------------------------------


def test_chaque_foyer_reserve_ses_semaines_et_elles_seules(changer, etats):
    """Inès is at Benali's the week of 31 August, then one week in two: at Rossi's the week of 23 November."""
    Garde.objects.update(premiere_semaine=date(2026, 8, 31), vacances=Garde.Vacances.ALTERNANCE)
    bilan = changer("benali", veut("RESERVER", LUNDI_23, date(2026, 11, 30), enfants=("Inès",)))
    assert jours_reserves() == [("Inès", "restauration", LUNDI_23)]
    assert raisons(bilan) == ["Fermé\u00a0: chez son autre parent."]
    assert etats("rossi", "Inès", "restauration", LUNDI_23, date(2026, 11, 30)) == ["reserve", "libre"]
    bilan = changer("rossi", veut("ANNULER", LUNDI_23, enfants=("Inès",)))
    assert raisons(bilan) == ["Réservé par l'autre foyer\u00a0: lui seul peut changer ce jour."]


# --- Absences --------------------------------------------------------------------------------------------


@pytest.fixture
def absenter(automne, comptes):
    def absenter(identifiant, jours, motif, *, pieces=(), enfants=("Léa",)):
        compte, raison = comptes[identifiant], MotifAbsence.objects.get(code=motif)
        changements = veut("ABSENCE", *jours, enfants=enfants)
        return planning.declarer_absence(
            compte.adulte.famille, changements, motif=raison, mot="Fièvre", pieces=pieces, par=compte
        )

    return absenter


def test_une_absence_sans_justificatif_demande_est_faite(changer, absenter, etats):
    changer("durand", veut("RESERVER", LUNDI_23))
    absenter("durand", [LUNDI_23], "greve")
    assert etats("durand", "Léa", "restauration", LUNDI_23) == ["absence"]
    reservation = Reservation.objects.get()
    assert (reservation.motif_absence.code, reservation.absence_justifiee) == ("greve", False)
    changer("durand", veut("REVENIR", LUNDI_23))
    assert etats("durand", "Léa", "restauration", LUNDI_23) == ["reserve"]


def test_une_absence_medicale_attend_sa_preuve_et_l_agent(changer, absenter, etats, comptes, automne):
    changer("durand", veut("RESERVER", JEUDI_19))
    piece = ranger("certificat.pdf", "application/pdf", fabrique.PDF_SAIN)
    (demande,) = absenter("durand", [JEUDI_19], "maladie", pieces=[piece]).demandes
    assert etats("durand", "Léa", "restauration", JEUDI_19) == ["demande"]
    assert Reservation.objects.get().motif_absence is None
    # 48 hours from noon of the day of absence
    assert Justificatif.objects.get().attendu_avant == datetime(2026, 11, 21, 11, tzinfo=UTC)
    assert [p.nom for p in demande.pieces.all()] == ["certificat.pdf"]
    actions.accepter(demande.pk, par=comptes["agent"])
    assert etats("durand", "Léa", "restauration", JEUDI_19) == ["absence"]
    assert Reservation.objects.get().absence_justifiee


def test_le_resume_dit_jusqu_a_quand_envoyer_la_preuve(changer, absenter):
    changer("durand", veut("RESERVER", JEUDI_19))
    absenter("durand", [JEUDI_19], "maladie")
    assert (
        "Envoyez votre justificatif au plus tard le 21 novembre 2026 à 12\u00a0h" in Message.objects.latest("pk").corps
    )


def test_une_absence_refusee_laisse_la_reservation_due(changer, absenter, etats, comptes):
    changer("durand", veut("RESERVER", JEUDI_19))
    (demande,) = absenter("durand", [JEUDI_19], "maladie").demandes
    actions.refuser(demande.pk, par=comptes["agent"], motif="Certificat d'un autre enfant.")
    assert etats("durand", "Léa", "restauration", JEUDI_19) == ["reserve"]


def test_une_absence_ne_se_declare_que_sur_une_reservation(absenter):
    bilan = absenter("durand", [JEUDI_19], "greve")
    assert (bilan.faits, bilan.demandes) == ([], [])
    assert len(bilan.impossibles) == 1


def test_l_absence_d_un_enfant_vu_present_ne_s_accepte_pas(changer, absenter, comptes):
    changer("durand", veut("RESERVER", JEUDI_19))
    (demande,) = absenter("durand", [JEUDI_19], "maladie").demandes
    reservation = Reservation.objects.get()
    Presence.objects.create(
        enfant=reservation.enfant,
        service=reservation.service,
        jour=JEUDI_19,
        place=reservation.place,
        etat="PRESENT",
        pointee_par=comptes["animateur"],
    )
    with pytest.raises(actions.DecisionImpossible, match=r"Léa, Cantine, jeudi 19 novembre.*pointé présent"):
        actions.accepter(demande.pk, par=comptes["agent"])
    reservation.refresh_from_db()
    assert reservation.motif_absence is None


def test_un_jour_pointe_ne_se_change_plus(changer, absenter, comptes):
    changer("durand", veut("RESERVER", JEUDI_19))
    reservation = Reservation.objects.get()
    Presence.objects.create(
        enfant=reservation.enfant,
        service=reservation.service,
        jour=JEUDI_19,
        place=reservation.place,
        etat="PRESENT",
        pointee_par=comptes["animateur"],
    )
    for bilan in (changer("durand", veut("ANNULER", JEUDI_19)), absenter("durand", [JEUDI_19], "greve")):
        assert raisons(bilan) == ["La journée est pointée\u00a0: contactez la mairie si quelque chose n'est pas juste."]


# --- Undone ----------------------------------------------------------------------------------------------


def test_le_dernier_changement_se_defait_tant_que_le_delai_court(changer, horloge, etats):
    changer("durand", veut("RESERVER", LUNDI_23))
    demande = changer("durand", veut("ANNULER", LUNDI_23) + veut("RESERVER", MARDI_24, enfants=("Léa", "Tom"))).demande
    changer("durand", planning.a_defaire(demande))
    assert jours_reserves() == [("Léa", "restauration", LUNDI_23)]
    demande = changer("durand", veut("RESERVER", JEUDI_19)).demande
    horloge("2026-11-16T12:00:01")  # the limit of Thursday 19
    bilan = changer("durand", planning.a_defaire(demande))
    assert raisons(bilan) == ["Le délai d'annulation est passé depuis le lundi 16 novembre à 12\u00a0h."]
    assert etats("durand", "Léa", "restauration", JEUDI_19) == ["reserve"]


def test_une_demande_decidee_par_un_agent_ne_se_defait_pas(changer, comptes):
    (attend,) = changer("durand", veut("RESERVER", MARDI_17)).demandes
    actions.accepter(attend.pk, par=comptes["agent"])
    attend.refresh_from_db()
    assert planning.a_defaire(attend) == []


# --- Budget ----------------------------------------------------------------------------------------------

COMPTEES = ("SELECT", "INSERT", "UPDATE", "DELETE")


def test_une_annee_d_un_coup_ne_coute_pas_plus_de_requetes_qu_un_jour(changer):
    changer("durand", veut("RESERVER", JEUDI_19))  # what is kept a minute is read
    couts = []
    for jours in ([LUNDI_23], [LUNDI_23 + timedelta(days=n) for n in range(1, 200)]):
        changements = veut("RESERVER", *jours, enfants=("Léa", "Tom"))
        with CaptureQueriesContext(connection) as captees:
            changer("durand", changements)
        couts.append([r["sql"] for r in captees.captured_queries if r["sql"].startswith(COMPTEES)])
    assert JourDemande.objects.count() == Reservation.objects.count() == 177
    assert [len(sqls) for sqls in couts] == [9, 9], "\n".join(sql[:150] for sql in couts[1])
