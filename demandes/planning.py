"""The demandes of the planning: one submit changes many days of several children.

Days that the rules allow are done at once, the others wait for an agent: at most two demandes and one message a
submit. The rules are enfants/regles/planning.py, on rows that enfants/reservations.py has locked.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from demandes import textes_planning as textes
from demandes.models import Demande, JourDemande, Justificatif, PieceJointe
from demandes.types.planning import Absences, Reservations
from enfants import reservations
from enfants.models import MotifAbsence
from enfants.planning import Planning, marques
from enfants.regles.dates import jours_en_clair
from enfants.regles.planning import Geste
from enfants.reservations import Changement, Verdict
from familles.models import Famille, Utilisateur
from messagerie.actions import notifier, prevenir_service
from messagerie.models import ServiceMairie

INVERSES = {
    JourDemande.Geste.RESERVER: Geste.ANNULER,
    JourDemande.Geste.ANNULER: Geste.RESERVER,
    JourDemande.Geste.ABSENCE: Geste.REVENIR,
}
DES_DEMANDES = tuple(JourDemande.Geste.values)  # the others, about the waiting list, leave no demande


@dataclass
class Bilan:
    """What a submit has done, day by day.

    :param preuve_avant: until when the family is to send the proof of its absence, None when it sent one.
    """

    faits: list[Verdict] = field(default_factory=list)
    a_decider: list[Verdict] = field(default_factory=list)
    impossibles: list[Verdict] = field(default_factory=list)
    demandes: list[Demande] = field(default_factory=list)
    preuve_avant: datetime | None = None

    @property
    def demande(self) -> Demande | None:
        """The one done at once, which may be undone."""
        return next((demande for demande in self.demandes if not demande.est_en_attente), None)


def en_attente(enfants: list[int], du: date, au: date):
    """Days of the pending demandes of these children, as marks of the planning."""
    jours = JourDemande.objects.filter(etat=JourDemande.Etat.EN_ATTENTE, enfant__in=enfants, jour__gte=du, jour__lte=au)
    return marques(
        jours,
        "demande",
        enfant=F("enfant_id"),
        service=F("service_id"),
        jour=F("jour"),
        texte=F("geste"),
        cle=F("demande_id"),
    )


def ouvrir(famille: Famille, enfants: Iterable, du: date, au: date, *, maintenant: datetime | None = None) -> Planning:
    """The planning of these children with the days that wait for an agent, to print."""
    maintenant = maintenant or timezone.now()
    return Planning(famille, enfants, du, au, maintenant=maintenant, en_attente=en_attente)


def prevoir(famille: Famille, changements: list[Changement], *, par: Utilisateur) -> list[Verdict]:
    """What would become of each change if it were sent now; nothing is written."""
    planning = reservations.charger(par, famille, changements, maintenant=timezone.now(), en_attente=en_attente)
    return reservations.verifier(planning, changements)


@transaction.atomic
def changer(famille: Famille, changements: list[Changement], *, par: Utilisateur) -> Bilan:
    """The family books and cancels days, of several children at once; its inbox keeps a summary.

    What the deadline and the service allow is done, what is late waits for an agent, a full day puts the child on
    the waiting list, and what is impossible is told: each day for itself. Of two clicks at once, the second waits,
    then finds the days booked.
    """
    planning = reservations.verrouiller(par, famille, changements, maintenant=timezone.now(), en_attente=en_attente)
    verdicts = reservations.verifier(planning, changements)
    reservations.appliquer(planning, [v for v in verdicts if v.est_direct], par=par)
    return _conclure(planning, Reservations, verdicts, par=par)


@transaction.atomic
def declarer_absence(
    famille: Famille,
    changements: list[Changement],
    *,
    motif: MotifAbsence,
    mot: str = "",
    pieces: list[dict] = (),
    par: Utilisateur,
) -> Bilan:
    """Booked days are told absent; a reason that needs a proof waits for it and for an agent.

    :param changements: of geste ABSENCE.
    :param mot: what the parent adds.
    :param pieces: columns of PieceJointe; without any, the family brings its proof before an hour.
    """
    planning = reservations.verrouiller(par, famille, changements, maintenant=timezone.now(), en_attente=en_attente)
    verdicts = reservations.verifier(planning, changements)
    if motif.justificatif:
        verdicts = [_a_justifier(v) for v in verdicts]
    reservations.appliquer(planning, [v for v in verdicts if v.est_direct], par=par, motif=motif)
    return _conclure(
        planning,
        Absences,
        verdicts,
        par=par,
        valeurs={"motif": motif.code, "raison": motif.libelle, "mot": mot},
        motif=motif,
        pieces=pieces,
    )


@transaction.atomic
def annuler_et_declarer(
    famille: Famille, annuler: list[Changement], declarer: list[Changement], *, par: Utilisateur, **absence
) -> list[Bilan]:
    """« Mon enfant est malade »: what can still be cancelled is, the rest is told absent; all of it, or nothing.

    :param annuler: of geste ANNULER; may be empty, as ``declarer``.
    :param absence: what ``declarer_absence`` takes.
    """
    # Locked at once: a closure takes the same days, in their order, and the two would wait for each other.
    reservations.attendre_son_tour(par, annuler + declarer)
    bilans = [changer(famille, annuler, par=par)] if annuler else []
    return bilans + ([declarer_absence(famille, declarer, par=par, **absence)] if declarer else [])


def _a_justifier(verdict):
    if verdict.possible is None or verdict.possible.geste != Geste.ABSENCE:
        return verdict
    return Verdict(
        verdict.changement,
        verdict.cellule,
        type(verdict.possible)(Geste.ABSENCE, verdict.possible.phrase, verdict.possible.jusqu_au, direct=False),
        reservation=verdict.reservation,
    )


# --- The trail -------------------------------------------------------------------------------------------


def _conclure(planning, genre, verdicts, *, par, valeurs=None, motif=None, pieces=()):
    bilan = Bilan(
        faits=[v for v in verdicts if v.est_direct],
        a_decider=[v for v in verdicts if v.possible and not v.possible.direct],
        impossibles=[v for v in verdicts if not v.possible],
    )
    lots = [
        (etat, jours)
        for etat, tous in ((Demande.Etat.ACCEPTEE, bilan.faits), (Demande.Etat.EN_ATTENTE, bilan.a_decider))
        if (jours := [v for v in tous if v.possible.geste in DES_DEMANDES])
    ]
    bilan.demandes = Demande.objects.bulk_create(
        Demande(
            type=genre.code,
            famille=planning.famille,
            enfant=_seul_enfant(jours),
            valeurs_demandees=textes.resumer(jours) | (valeurs or {}),
            etat=etat,
            deposee_par=par,
            deposee_le=planning.maintenant,
            traitee_le=planning.maintenant if etat == Demande.Etat.ACCEPTEE else None,
        )
        for etat, jours in lots
    )
    JourDemande.objects.bulk_create(
        JourDemande(
            demande=demande,
            enfant=v.cellule.enfant,
            service_id=v.cellule.offre.cle,
            jour=v.changement.jour,
            geste=v.possible.geste,
            formule_id=_formule(v),
            tardif=v.possible.tardif,
            etat=JourDemande.Etat.ACCEPTE if etat == Demande.Etat.ACCEPTEE else JourDemande.Etat.EN_ATTENTE,
        )
        for demande, (etat, jours) in zip(bilan.demandes, lots, strict=True)
        for v in jours
    )
    for demande in bilan.demandes:
        PieceJointe.objects.bulk_create(PieceJointe(demande=demande, deposee_par=par, **piece) for piece in pieces)
        if demande.est_en_attente:
            bilan.preuve_avant = _attendre(demande, genre, bilan.a_decider, motif, pieces)
    if bilan.faits or bilan.a_decider:
        _raconter(planning, bilan, par)
    return bilan


def _formule(v):
    """The one asked for; what is cancelled keeps the one that was booked, to be undone, whatever the browser sent."""
    return v.changement.formule if v.possible.geste == Geste.RESERVER else v.cellule.contexte.marques.formule


def _seul_enfant(verdicts):
    enfants = {v.cellule.enfant.pk: v.cellule.enfant for v in verdicts}
    return next(iter(enfants.values())) if len(enfants) == 1 else None


def _attendre(demande, genre, verdicts, motif, pieces):
    """The service hears that a demande waits; returns until when an absence waits for its proof, if it does."""
    prevenir_service(ServiceMairie.de(genre.service), "nouvelle_demande")
    if motif is not None:
        debut = min(v.cellule.contexte.calendrier.debut_du(v.changement.jour) for v in verdicts)
        # A proof for a day that is over is awaited from now, not from then.
        avant = max(debut, demande.deposee_le) + timedelta(hours=motif.heures_justificatif)
        Justificatif.objects.create(demande=demande, attendu_avant=avant)
        return None if pieces else avant
    return None


def _raconter(planning, bilan, par):
    """One message for the household, which has just done it: no mail."""
    sujet, corps = textes.message(bilan)
    demande = next(iter(bilan.demandes), None)
    message = {"sujet": sujet, "corps": corps, "par": None, "courriel": False, "lu_par": par.adulte}
    if demande:
        lien = {"lien": demande.get_absolute_url(), "lien_libelle": "Voir le détail"}
        service, objet = ServiceMairie.de(demande.genre.service), replace(demande.objet_du_fil, neuf=True)
        message |= {"objet": objet, "service": service, **lien}
    # A household has two adults: beside one who may not see these children, who has just done it reads it alone.
    notifier(planning.famille, destinataire=par.adulte if planning.suspendus else None, **message)


# --- Undone ----------------------------------------------------------------------------------------------


def a_defaire(demande: Demande) -> list[Changement]:
    """The changes that would undo this demande, by the deadlines of now; empty when there is nothing to undo."""
    if not (demande.genre.au_planning and demande.est_automatique and demande.etat == Demande.Etat.ACCEPTEE):
        return []
    return [
        Changement(jour.enfant_id, jour.service.code, jour.jour, INVERSES[jour.geste], jour.formule_id)
        for jour in demande.jours.select_related("service")
        if jour.geste in INVERSES
    ]


# --- An agent decides ------------------------------------------------------------------------------------


def accepter_jours(demande: Demande, *, par: Utilisateur, acceptes: set[int] | None) -> list[str]:
    """The accepted days are booked, cancelled or told absent; the others are refused. To call with the demande locked.

    :param acceptes: keys of JourDemande, None for all of them.
    :returns: why some of the accepted days cannot be; when there is any, nothing may be kept.
    """
    pris = [jour for jour in jours_a_decider(demande) if acceptes is None or jour.pk in acceptes]
    changements = [_en_changement(jour) for jour in pris]
    planning = reservations.verrouiller(demande.deposee_par, demande.famille, changements, maintenant=timezone.now())
    verdicts = reservations.imposer(planning, changements)
    refus = [
        f"{jour.enfant.prenom}, {jour.service.nom_court}, {jours_en_clair([jour.jour])}\u00a0: {v.raison}"
        for jour, v in zip(pris, verdicts, strict=True)
        if not v.possible
    ]
    if refus:
        return refus
    motif = MotifAbsence.objects.filter(code=demande.valeurs_demandees.get("motif", "")).first()
    reservations.appliquer(planning, verdicts, par=par, motif=motif, justifiee=bool(motif and motif.justificatif))
    clore_jours(demande, {jour.pk for jour in pris})
    return []


def jours_a_decider(demande: Demande) -> list[JourDemande]:
    attendus = demande.jours.filter(etat=JourDemande.Etat.EN_ATTENTE)
    return list(attendus.select_related("enfant", "service", "formule"))


def _en_changement(jour):
    return Changement(jour.enfant_id, jour.service.code, jour.jour, jour.geste, jour.formule_id, jour.tardif)


def decision_proposee(demande: Demande) -> dict:
    """Initial values of JoursDecisionForm: every day that can be accepted is ticked, the others say why they cannot."""
    jours = jours_a_decider(demande)
    changements = [_en_changement(jour) for jour in jours]
    planning = reservations.charger(demande.deposee_par, demande.famille, changements, maintenant=timezone.now())
    verdicts = reservations.imposer(planning, changements)
    paires = list(zip(jours, verdicts, strict=True))
    return {
        "choix": [
            (jour.pk, textes.jour_demande(jour) + (f" – impossible, {v.raison}" if v.raison else ""))
            for jour, v in paires
        ],
        "jours": [jour.pk for jour, v in paires if v.possible],
    }


def clore_jours(demande: Demande, acceptes: set[int], *, sinon: str = JourDemande.Etat.REFUSE) -> None:
    """Its pending days are accepted, or ``sinon``."""
    attendus = demande.jours.filter(etat=JourDemande.Etat.EN_ATTENTE)
    attendus.filter(pk__in=acceptes).update(etat=JourDemande.Etat.ACCEPTE)
    attendus.exclude(pk__in=acceptes).update(etat=sinon)


@transaction.atomic
def recevoir_justificatif(demande: Demande, *, par: Utilisateur) -> None:
    """« Attestation reçue »: the proof came by mail or at the desk, and the absence no longer falls for want of it.

    The demande is locked: where the portal refuses it at the same moment, the proof is not marked as received.
    """
    demande = Demande.objects.select_for_update(of=("self",)).get(pk=demande.pk)
    if demande.est_en_attente:
        Justificatif.objects.filter(demande=demande, recu_le=None).update(recu_le=timezone.now(), recu_par=par)


# --- Found -----------------------------------------------------------------------------------------------


def demande_visible(adulte, uuid) -> Demande | None:
    """The planning demande of this adult's household, None when it is another's."""
    return Demande.objects.visibles_par(adulte).filter(uuid=uuid, type__in=[Reservations.code, Absences.code]).first()


def demande_du_jour(adulte, enfant, service: int, jour: date) -> Demande | None:
    """The pending demande about this day, where it is the household's own."""
    attendu = JourDemande.objects.filter(etat=JourDemande.Etat.EN_ATTENTE, enfant=enfant, service=service, jour=jour)
    return Demande.objects.visibles_par(adulte).filter(jours__in=attendu).first()
