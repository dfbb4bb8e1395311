"""Days that families asked for and on which the service has closed since."""

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, Subquery
from django.utils import timezone

from demandes import actions
from demandes.models import Demande, JourDemande
from enfants.messages import prevenir
from enfants.models import Fermeture
from enfants.regles.dates import enumerer, jours_en_clair
from familles.models import Utilisateur
from messagerie.models import ServiceMairie


def refuser_jours_fermes(*, par: Utilisateur | None) -> int:
    """The pending days of a closure are refused with its reason, and their households read it.

    A demande with other days stays pending for those. Each in its own transaction, and again by the clock: a demande
    sent while the closure was being written is found at the next pass.

    :param par: the agent who closes, None for the portal itself.
    :returns: how many demandes lost days.
    """
    touchees = Demande.objects.en_attente().filter(Exists(_fermes().filter(demande=OuterRef("pk"))))
    return sum(_refuser(pk, par) for pk in touchees.order_by("pk").values_list("pk", flat=True))


def _fermes():
    """Pending days to come that a closure covers."""
    fermetures = Fermeture.objects.filter(
        Q(service=None) | Q(service=OuterRef("service")),
        Q(ecole=None) | Q(ecole=OuterRef("enfant__ecole")),
        valable_du__lte=OuterRef("jour"),
        valable_au__gte=OuterRef("jour"),
    )
    motif = Subquery(fermetures.order_by("pk").values("motif")[:1])
    attendus = JourDemande.objects.filter(etat=JourDemande.Etat.EN_ATTENTE, jour__gte=timezone.localdate())
    return attendus.filter(Exists(fermetures)).annotate(fermeture=motif)


@transaction.atomic
def _refuser(pk, par):
    demande = actions.verrouiller(pk)
    jours = list(_fermes().filter(demande=demande).select_related("enfant").order_by("jour", "pk"))
    if not demande.est_en_attente or not jours:
        return False
    quand = jours_en_clair({jour.jour for jour in jours})
    raison = enumerer(dict.fromkeys(jour.fermeture for jour in jours))
    motif = f"Le service est fermé ({quand})\u00a0: {raison}. Rien ne vous sera compté pour ces jours."
    for jour in jours:
        jour.etat, jour.motif = JourDemande.Etat.REFUSE, jour.fermeture
    JourDemande.objects.bulk_update(jours, ["etat", "motif"])
    if not demande.jours.filter(etat=JourDemande.Etat.EN_ATTENTE).exists():
        actions.refuser(demande.pk, par=par, motif=motif)
        return True
    Demande.objects.filter(pk=demande.pk).update(version=demande.version + 1)  # whoever reads it reads it again
    prevenir(
        demande.famille,
        list({jour.enfant_id: jour.enfant for jour in jours}.values()),
        sujet=f"{demande.titre}\u00a0: des jours sont fermés",
        corps=f"Bonjour,\n\n{motif}\n\nVotre demande attend toujours une réponse pour les autres jours.",
        par=par,
        service=ServiceMairie.de(demande.genre.service),
        lien=demande.get_absolute_url(),
        lien_libelle="Voir la demande",
        objet=demande.objet_du_fil,
    )
    return True
