"""The deadlines on file: one that starts during another, and what a rule, saved or not, says of a day."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from enfants import offre as offres
from enfants.models import Fermeture, RegleDelai, Service
from enfants.regles import delais
from enfants.regles.planning import Offre, ferme_ce_jour
from portail.outils.dates import heure
from portail.outils.dates import jour as en_mots

UN_JOUR = timedelta(days=1)
HORIZON = 366  # days looked through for the next open ones


# --- From a day on ---------------------------------------------------------------------------------------


def verrouiller(service_id: int) -> None:
    """Two agents who change the deadlines of a service queue up; bookings go on."""
    Service.objects.select_for_update(of=("self",), no_key=True).filter(pk=service_id).order_by("pk").first()


def remplacee(regle: RegleDelai) -> RegleDelai | None:
    """The rule on file that ``regle``, not saved yet, would cut short: in force on its first day, begun before it."""
    return _autres(regle).en_vigueur(regle.valable_du).filter(valable_du__lt=regle.valable_du).first()


def genante(regle: RegleDelai) -> RegleDelai | None:
    """The first rule on file that begins while ``regle``, not saved yet, would be in force: they cannot both be."""
    suivantes = _autres(regle).filter(valable_du__gte=regle.valable_du)
    if regle.valable_au is not None:
        suivantes = suivantes.filter(valable_du__lte=regle.valable_au)
    return suivantes.order_by("valable_du").first()


def _autres(regle):
    return RegleDelai.objects.filter(service=regle.service_id, usage=regle.usage).exclude(pk=regle.pk)


@transaction.atomic
def remplacer_regle(regle: RegleDelai) -> RegleDelai | None:
    """From its first day on families read this deadline; the one in force until then ends the day before.

    Where ``regle`` ends before the other would have, the other resumes the day after: no day is left without a
    deadline, which would leave it open until the service starts.

    :param regle: not saved yet, of which ``genante`` finds nothing.
    :returns: the rule cut short, None when none was in force.
    """
    verrouiller(regle.service_id)
    ancienne = remplacee(regle)
    fin = ancienne and ancienne.valable_au
    if ancienne is not None:
        ancienne.valable_au = regle.valable_du - UN_JOUR
        ancienne.save(update_fields=["valable_au"])
    regle.save()
    if ancienne is not None and regle.valable_au is not None and (fin is None or fin > regle.valable_au):
        RegleDelai.objects.create(
            service_id=ancienne.service_id,
            usage=ancienne.usage,
            regle=ancienne.regle,
            valable_du=regle.valable_au + UN_JOUR,
            valable_au=fin,
        )
    return ancienne


# --- What if ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Essai:
    """A rule that an agent reads or is about to save, with all that it is read with.

    :param regle: a rule of which ``delais.valider`` says nothing.
    """

    regle: dict
    usage: str
    service: Offre
    du: date | None = None
    au: date | None = None

    def reponses(self, jour: date, instant: datetime) -> list[str]:
        """Until when ``jour`` may be changed, then whether it may be at ``instant`` and why, sentence by sentence."""
        calendrier = offres.pour(self.service, offres.calendrier(jour, jour))
        if raison := self._ferme(jour, calendrier):
            return [f"Le service n'est pas tenu le {en_mots(jour)}\u00a0: {raison}."]
        limite = delais.limite(self.regle, jour, calendrier)
        if limite is None:
            return [f"Rien ne se change le {en_mots(jour)}\u00a0: cette règle ferme ce jour."]
        phrases = [f"Limite pour le {en_mots(jour)}\u00a0: {moment(limite)}."]
        if (self.du and jour < self.du) or (self.au and jour > self.au):
            phrases.append("Ce jour est hors des dates du délai\u00a0: un autre y compte.")
        permis = delais.permis(self.regle, jour, calendrier, instant)
        for qui, debut in self._ouvertures(jour, calendrier):
            phrases.append(qui + self._verdict(permis, limite, debut, instant))
        if not permis and self._accepte_en_retard() and instant < calendrier.debut_du(jour):
            phrases.append("La famille peut encore faire une demande tardive\u00a0: un agent décide.")
        return phrases

    def _ouvertures(self, jour, calendrier):
        """To whom the answer goes, and from when; all at once where the rule tells no audience from the other."""
        if self.usage != RegleDelai.Usage.RESERVER or "ouverture" not in self.regle:
            return [("", None)]
        return [
            (f"Pour {qui}\u00a0: ", delais.ouverture(self.regle, jour, calendrier, public))
            for public, qui in delais.PUBLICS.items()
        ]

    @staticmethod
    def _verdict(permis, limite, debut, instant):
        if not permis:
            return f"refusé le {moment(instant)}, le délai est passé depuis le {moment(limite)}."
        if debut is not None and instant < debut:
            return f"pas encore permis le {moment(instant)}, les réservations ouvrent le {moment(debut)}."
        return f"permis le {moment(instant)}, la limite n'est pas passée."

    def _accepte_en_retard(self):
        return self.usage == RegleDelai.Usage.RESERVER and self.service.validation != Service.Validation.AUTOMATIQUE

    def prochains(self, aujourdhui: date, nombre: int = 10) -> list[tuple[str, str]]:
        """The next open days of the service that the rule is for, with their limits, in words."""
        debut = max(aujourdhui, self.du or aujourdhui)
        fin = min(debut + HORIZON * UN_JOUR, self.au or date.max)
        calendrier = offres.pour(self.service, offres.calendrier(debut, max(debut, fin)))
        lignes = []
        for jour in self._jours_ouverts(debut, fin, calendrier):
            limite = delais.limite(self.regle, jour, calendrier)
            lignes.append((en_mots(jour), moment(limite) if limite else "fermé par cette règle"))
            if len(lignes) == nombre:
                break
        return lignes

    def _jours_ouverts(self, debut, fin, calendrier) -> Iterator[date]:
        fermetures = self._fermetures(debut, fin)
        jour = debut
        while jour <= fin:
            if not ferme_ce_jour(self.service, jour, calendrier) and not _motif(fermetures, jour):
                yield jour
            jour += UN_JOUR

    def _ferme(self, jour, calendrier):
        return ferme_ce_jour(self.service, jour, calendrier) or _motif(self._fermetures(jour, jour), jour)

    def _fermetures(self, debut, fin):
        """Of every school: the closure of one leaves the service open to the others."""
        lignes = Fermeture.objects.filter(
            Q(service=None) | Q(service=self.service.cle), ecole=None, valable_du__lte=fin, valable_au__gte=debut
        )
        return list(lignes.values_list("valable_du", "valable_au", "motif"))


def _motif(fermetures, jour):
    return next((motif for du, au, motif in fermetures if du <= jour <= au), "")


def moment(instant: datetime) -> str:
    """« mardi 24 novembre 2026 à 12 h », by the commune's clocks."""
    return f"{en_mots(timezone.localtime(instant).date())} à {heure(instant)}"
