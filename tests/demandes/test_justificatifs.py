"""The proof of an absence: awaited, reminded of, joined later; without it the portal itself refuses the absence."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.utils import timezone

from demandes import actions, planning
from demandes.justificatifs import relancer_justificatifs
from demandes.models import Demande, JourDemande, Justificatif, PieceJointe
from enfants.models import Enfant, MotifAbsence, Reservation
from enfants.reservations import Changement
from familles.models import Utilisateur
from messagerie.models import Courriel, Fil, Message
from portail.outils.fichiers import ranger
from tests.demandes.test_concurrence import Course
from tests.enfants.service_essai import CODE, demander, jour_ouvert, ouvrir
from tests.fabrique import PDF_SAIN

pytestmark = pytest.mark.django_db

ECHEANCE = datetime(2098, 11, 27, 11, tzinfo=UTC)  # a Thursday, noon in the commune


def declarer():
    """Léa is ill on a booked day; the proof is awaited before ECHEANCE."""
    if not Reservation.objects.filter(service__code=CODE).exists():
        ouvrir()
        demander("durand", "Léa", jour_ouvert())
    compte, lea = Utilisateur.objects.get(identifiant="durand"), Enfant.objects.get(prenom="Léa")
    bilan = planning.declarer_absence(
        compte.adulte.famille,
        [Changement(lea.pk, CODE, jour_ouvert(), "ABSENCE")],
        motif=MotifAbsence.objects.get(code="maladie"),
        par=compte,
    )
    (demande,) = bilan.demandes
    Justificatif.objects.filter(demande=demande).update(attendu_avant=ECHEANCE)
    Fil.objects.all().delete()
    Courriel.objects.all().delete()
    return demande


@pytest.fixture
def demande(distribution):
    return declarer()


def joindre_un_papier(demande):
    papier = ranger("certificat.pdf", "application/pdf", PDF_SAIN)
    PieceJointe.objects.create(demande=demande, deposee_par=demande.deposee_par, **papier)


def etat(demande):
    demande.refresh_from_db()
    return demande.etat


# --- The sweep -------------------------------------------------------------------------------------------


def test_le_delai_court_depuis_le_debut_du_premier_jour_d_absence(distribution):
    ouvrir()
    demander("durand", "Léa", jour_ouvert())
    compte, lea = Utilisateur.objects.get(identifiant="durand"), Enfant.objects.get(prenom="Léa")
    changement, motif = Changement(lea.pk, CODE, jour_ouvert(), "ABSENCE"), MotifAbsence.objects.get(code="maladie")
    planning.declarer_absence(compte.adulte.famille, [changement], motif=motif, par=compte)
    attendu = timezone.localtime(Justificatif.objects.get().attendu_avant)
    assert (attendu.date(), attendu.hour) == (jour_ouvert() + timedelta(days=2), 8)


def test_douze_heures_avant_la_famille_est_rappelee_une_fois(demande):
    relancer_justificatifs(maintenant=ECHEANCE - timedelta(hours=12, seconds=1))
    assert Fil.objects.count() == 0
    for heures in (12, 11, 1):
        relancer_justificatifs(maintenant=ECHEANCE - timedelta(hours=heures))
    message = Message.objects.select_related("fil").get()
    assert message.fil.sujet == "Absence de Léa\u00a0: justificatif attendu"
    assert "(«\u00a0Enfant malade\u00a0») avant le jeudi 27 novembre à 12\u00a0h." in message.corps
    assert message.lien == demande.get_absolute_url()
    assert Courriel.objects.count() == 2
    assert Justificatif.objects.get().rappele_le == ECHEANCE - timedelta(hours=12)
    assert etat(demande) == "EN_ATTENTE"


def test_passe_l_heure_le_portail_refuse_et_dit_tout(demande):
    relancer_justificatifs(maintenant=ECHEANCE)
    demande.refresh_from_db()
    assert (demande.etat, demande.traitee_par, demande.est_automatique) == ("REFUSEE", None, True)
    assert demande.motif == (
        "Le justificatif de cette absence («\u00a0Enfant malade\u00a0») était attendu avant le jeudi 27 novembre à "
        "12\u00a0h et n'est pas arrivé. L'absence n'est pas validée\u00a0: le service reste dû. Si vous l'avez, "
        "contactez le service Enfance Jeunesse (02 48 66 61 61, contact@mairie.example)."
    )
    assert [jour.etat for jour in demande.jours.all()] == ["REFUSE"]
    assert Message.objects.get().corps.count(demande.motif) == 1
    relancer_justificatifs(maintenant=ECHEANCE + timedelta(days=1))
    assert (Message.objects.count(), Courriel.objects.count()) == (1, 2)
    reservation = Reservation.objects.get(service__code=CODE)
    assert (reservation.annulee_le, reservation.motif_absence) == (None, None)


def test_l_horloge_refuse_ce_que_rien_ne_justifie(demande):
    Justificatif.objects.update(attendu_avant=timezone.now() - timedelta(seconds=1))
    call_command("horloge", une_fois=True)
    assert etat(demande) == "REFUSEE"


@pytest.mark.parametrize("comment", ["papier", "guichet", "retirée"])
def test_rien_n_arrive_a_qui_a_fourni_ou_retire(demande, comptes, comment):
    if comment == "papier":
        joindre_un_papier(demande)
    elif comment == "guichet":
        planning.recevoir_justificatif(demande, par=comptes["agent"])
    else:
        actions.retirer(demande, par=comptes["durand"])
    avant = etat(demande)
    for maintenant in (ECHEANCE - timedelta(hours=1), ECHEANCE + timedelta(hours=1)):
        relancer_justificatifs(maintenant=maintenant)
    assert (etat(demande), Fil.objects.count()) == (avant, 0)


def test_une_demande_refusee_par_le_portail_ne_se_recoit_plus(demande, comptes):
    relancer_justificatifs(maintenant=ECHEANCE)
    planning.recevoir_justificatif(demande, par=comptes["agent"])
    assert Justificatif.objects.get().recu_le is None
    with pytest.raises(actions.DemandeDejaTraitee, match="refusée par le portail"):
        actions.refuser(demande.pk, par=comptes["agent"], motif="Illisible")


@pytest.mark.django_db(transaction=True)
def test_l_agent_et_le_portail_ne_decident_jamais_tous_les_deux(distribution):
    demande, agent = declarer(), Utilisateur.objects.get(identifiant="agent")

    def remettre():
        Demande.objects.filter(pk=demande.pk).update(etat="EN_ATTENTE", traitee_le=None, traitee_par=None, motif="")
        JourDemande.objects.filter(demande=demande).update(etat="EN_ATTENTE")
        Reservation.objects.filter(service__code=CODE).update(motif_absence=None, absence_le=None)
        Fil.objects.all().delete()

    def accepter():
        actions.accepter(demande.pk, par=agent)

    def relancer():
        relancer_justificatifs(maintenant=ECHEANCE)

    for accord, relance in Course(accepter, relancer).tours(60, remettre):
        absents = Reservation.objects.filter(service__code=CODE, motif_absence__isnull=False).count()
        gagnant = ("ACCEPTEE", 1) if accord == "gagne" else ("REFUSEE", 0)
        assert ((etat(demande), absents), relance, Fil.objects.count()) == (gagnant, "gagne", 1)


# --- The parent joins it later ---------------------------------------------------------------------------


def envoi(contenu=PDF_SAIN, nom="certificat.pdf"):
    return {"pieces": SimpleUploadedFile(nom, contenu, "application/pdf")}


def adresse(demande):
    return f"/demandes/{demande.uuid}/justificatif/"


def test_la_page_dit_jusqu_a_quand_et_prend_le_papier(connecter, demande, comptes):
    navigateur = connecter("durand2")
    page = navigateur.get(demande.get_absolute_url()).content.decode()
    assert "Envoyez votre justificatif <strong>avant le jeudi 27 novembre à 12\u00a0h</strong>." in page
    Demande.objects.filter(pk=demande.pk).update(lue_le=timezone.now(), lue_par=comptes["agent"])
    reponse = navigateur.post(adresse(demande), envoi(), follow=True)
    assert "Votre justificatif est joint." in reponse.content.decode()
    assert "Un justificatif est joint&nbsp;: la mairie décidera." in reponse.content.decode()
    demande.refresh_from_db()
    pieces = [(piece.nom, piece.deposee_par.identifiant) for piece in demande.pieces.all()]
    assert (demande.version, demande.lue_le, pieces) == (2, None, [("certificat.pdf", "durand2")])
    relancer_justificatifs(maintenant=ECHEANCE)
    assert etat(demande) == "EN_ATTENTE"


@pytest.mark.parametrize(
    ("corps", "phrase"),
    [
        ({}, "Choisissez le papier ou la photo à envoyer."),
        (envoi(b"MZ programme", "virus.exe"), "Envoyez un PDF, ou une photo JPEG ou PNG."),
        (envoi(b""), "est vide"),
    ],
)
def test_un_papier_refuse_laisse_la_page_et_la_demande(connecter, demande, corps, phrase):
    reponse = connecter("durand").post(adresse(demande), corps)
    page = reponse.content.decode()
    assert (reponse.status_code, phrase in page, "<h1>Absence de Léa</h1>" in page) == (422, True, True)
    demande.refresh_from_db()
    assert (demande.version, demande.pieces.count()) == (1, 0)


def test_apres_la_decision_le_papier_est_refuse_avec_une_phrase(connecter, demande):
    relancer_justificatifs(maintenant=ECHEANCE)
    reponse = connecter("durand").post(adresse(demande), envoi(), follow=True)
    assert "Demande déjà traitée\u00a0: refusée par le portail" in reponse.content.decode()
    assert PieceJointe.objects.count() == 0
    assert "joindre" not in reponse.content.decode()


def test_un_papier_recu_au_guichet_ne_se_demande_plus(connecter, demande, comptes):
    planning.recevoir_justificatif(demande, par=comptes["agent"])
    navigateur = connecter("durand")
    assert "titre-justificatif" not in navigateur.get(demande.get_absolute_url()).content.decode()
    reponse = navigateur.post(adresse(demande), envoi(), follow=True)
    assert "attend pas de justificatif." in reponse.content.decode()
    assert PieceJointe.objects.count() == 0


def test_les_deux_adultes_ne_depassent_pas_ensemble_le_nombre_de_pieces(connecter, demande, settings):
    settings.NOMBRE_MAX_PIECES = 1
    joindre_un_papier(demande)
    reponse = connecter("durand").post(adresse(demande), envoi())
    assert (reponse.status_code, demande.pieces.count()) == (422, 1)
    assert "Une demande porte 1 pièces au plus." in reponse.content.decode()
