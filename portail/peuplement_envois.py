"""What the invented families sent from the planning: demandes, their days, their proofs, the summary in the inbox."""

from datetime import datetime, time, timedelta

from django.utils import timezone

from demandes import textes_planning as textes
from demandes.models import Demande, JourDemande, Justificatif
from demandes.planning import Bilan
from demandes.types.planning import Absences, Reservations
from enfants.models import Enfant, MotifAbsence
from enfants.planning import Cellule
from enfants.regles.planning import Contexte, Geste, Possibilite
from enfants.reservations import Changement, Verdict
from messagerie.models import Fil, Lecture, Message
from portail import peuplement_tirages as tirer

Etat = Demande.Etat
MOTS = ["", "", "", "Il reste à la maison aujourd'hui.", "Elle reprendra dès qu'elle ira mieux."]


class Envois:
    """Writes demandes as demandes/planning.py and the agents would have."""

    def __init__(self, copie, decor):
        self.creer, self.decor = copie.creer, decor
        self.motifs = list(MotifAbsence.objects.filter(actif=True).order_by("pk"))

    def verdict(self, enfant: Enfant, guichet, feuille, geste: Geste, *, formule=None, attend=False, tardif=False):
        """One day of a submit.

        :param attend: an agent decides.
        """
        changement = Changement(enfant.pk, guichet.offre.code, feuille.jour, geste, formule, tardif)
        debut = guichet.calendrier.debut_du(feuille.jour)
        contexte = Contexte(guichet.offre, feuille.jour, guichet.calendrier, maintenant=debut, famille=0)
        return Verdict(changement, Cellule(enfant, contexte), Possibilite(geste, direct=not attend, tardif=tardif))

    # --- Bookings ---

    def reserver(self, foyer, verdicts: list[Verdict], *, par, depot: datetime) -> None:
        """A submit that the deadlines allowed: a demande closed at once."""
        self._deposer(foyer, Reservations, verdicts, par=par, depot=depot)

    def demander(self, foyer, verdicts: list[Verdict], *, par, depot: datetime) -> None:
        """A submit that waits for an agent."""
        demande, _ = self._deposer(foyer, Reservations, verdicts, par=par, depot=depot)
        foyer.faire_lire(demande, tirer.jour_ouvre(depot.date() + timedelta(days=1)))

    # --- Absences ---

    def absence(self, foyer, enfant, guichet, feuille, *, par, depot: datetime | None = None) -> tuple:
        """A day told absent; one that needs a proof waits for an agent, who may have answered since.

        :param depot: the morning of the day when none is given.
        :returns: columns of the reservation: reason, instant, proof seen.
        """
        h = foyer.hasard
        depot = depot or self._au_matin(h, feuille.jour)
        motif = h.choice(self.motifs)
        if not motif.justificatif:
            self._absence(foyer, enfant, guichet, feuille, motif, par=par, depot=depot)
            return motif.pk, str(depot), False
        demande, jours, preuve = self._absence(foyer, enfant, guichet, feuille, motif, par=par, depot=depot)
        reponse = tirer.jour_ouvre(depot.date() + timedelta(days=h.randint(1, 4)))
        if reponse >= self.decor.aujourdhui:
            foyer.faire_lire(demande, tirer.jour_ouvre(depot.date() + timedelta(days=1)))
            return None, None, False
        demande.etat = Etat.ACCEPTEE
        foyer.repondre(demande, reponse)
        for jour in jours:
            jour.etat = JourDemande.Etat.ACCEPTE
        preuve.recu_le, preuve.recu_par = demande.traitee_le - timedelta(minutes=10), demande.traitee_par
        return motif.pk, str(demande.traitee_le), True

    def absence_a_prouver(self, foyer, enfant, guichet, feuille, *, par, depot: datetime) -> None:
        """A day to come told absent, for a reason that needs a proof: nobody has answered yet."""
        motifs = [motif for motif in self.motifs if motif.justificatif]
        if motifs:
            motif = foyer.hasard.choice(motifs)
            demande, *_ = self._absence(foyer, enfant, guichet, feuille, motif, par=par, depot=depot)
            foyer.faire_lire(demande, tirer.jour_ouvre(depot.date() + timedelta(days=1)))

    def _absence(self, foyer, enfant, guichet, feuille, motif, *, par, depot):
        verdict = self.verdict(enfant, guichet, feuille, Geste.ABSENCE, attend=motif.justificatif)
        valeurs = {"motif": motif.code, "raison": motif.libelle, "mot": foyer.hasard.choice(MOTS)}
        demande, jours = self._deposer(foyer, Absences, [verdict], par=par, depot=depot, valeurs=valeurs)
        if not motif.justificatif:
            return demande, jours, None
        depart = max(guichet.calendrier.debut_du(feuille.jour), depot)
        attendu = depart + timedelta(hours=motif.heures_justificatif)
        return demande, jours, self.creer(Justificatif, demande=demande, attendu_avant=attendu)

    def _au_matin(self, hasard, jour):
        """Before any service has started."""
        return datetime.combine(jour, time(6, hasard.randrange(60)), timezone.get_current_timezone())

    # --- The trail ---

    def _deposer(self, foyer, genre, verdicts, *, par, depot, valeurs=None):
        attend = not verdicts[0].est_direct
        enfants = {v.cellule.enfant.pk: v.cellule.enfant for v in verdicts}
        demande = self.creer(
            Demande,
            uuid=tirer.uuid(foyer.hasard),
            type=genre.code,
            famille=foyer.famille,
            enfant=next(iter(enfants.values())) if len(enfants) == 1 else None,
            valeurs_demandees=textes.resumer(verdicts) | (valeurs or {}),
            etat=Etat.EN_ATTENTE if attend else Etat.ACCEPTEE,
            deposee_par=par,
            deposee_le=depot,
            traitee_le=None if attend else depot,
        )
        jours = [
            self.creer(
                JourDemande,
                demande=demande,
                enfant=v.cellule.enfant,
                service_id=v.cellule.offre.cle,
                jour=v.changement.jour,
                geste=v.possible.geste,
                formule_id=v.changement.formule,
                tardif=v.possible.tardif,
                etat=JourDemande.Etat.EN_ATTENTE if attend else JourDemande.Etat.ACCEPTE,
            )
            for v in verdicts
        ]
        self._raconter(foyer, demande, verdicts, par)
        return demande, jours

    def _raconter(self, foyer, demande, verdicts, par):
        """The summary of the submit; who sent it has read it more often than not."""
        h, le = foyer.hasard, demande.deposee_le
        faits, a_decider = ([], verdicts) if demande.est_en_attente else (verdicts, [])
        sujet, corps = textes.message(Bilan(faits=faits, a_decider=a_decider))
        fil = self.creer(
            Fil,
            uuid=tirer.uuid(h),
            famille=foyer.famille,
            sujet=sujet,
            dernier_le=le,
            mairie_le=le,
            contexte=demande.objet_du_fil.cle,
            contexte_libelle=demande.objet_du_fil.libelle,
            contexte_lien=demande.objet_du_fil.lien,
        )
        message = self.creer(
            Message,
            cle=tirer.uuid(h),
            fil=fil,
            de_la_mairie=True,
            corps=corps,
            envoye_le=le,
            lien=demande.get_absolute_url(),
            lien_libelle="Voir le détail",
        )
        if h.random() < 0.6:
            adulte = next(adulte for adulte in foyer.adultes if adulte.utilisateur is par)
            self.creer(Lecture, message=message, adulte=adulte, lu_le=le + timedelta(minutes=1))
