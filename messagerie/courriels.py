"""The mails that tell an adult of what reached its inbox, as each adult wants them."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import groupby

from django.core import signing
from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone

from familles.models import Responsable
from messagerie.models import Lecture, Message, Preference, Rangement
from portail.outils.courriels import composer, deposer, envoyer_a_tous
from portail.outils.liens import absolu

SEL = "desabonnement"
HEURE_RESUME = 18  # local time of the families' daily mail


def prevenir_adultes(adultes: Iterable[int] | Q, modele: str, *, reveiller: bool = True, **contexte) -> int:
    """Each of these adults who wants a mail at each message gets this one, once; returns how many do.

    :param adultes: keys of Responsable, or a filter of them.
    :param modele: name of the pair of templates; it tells nothing of the family.
    """
    prevenus = a_prevenir(adultes).values_list("pk", "utilisateur__courriel")
    destinataires = [(courriel, lien_desabonnement(cle)) for cle, courriel in prevenus]
    if destinataires:
        envoyer_a_tous(modele, destinataires, reveiller=reveiller, **contexte)
    return len(destinataires)


def a_prevenir(adultes: Iterable[int] | Q):
    """Those of these adults to whom a message also makes a mail leave, at once.

    :param adultes: keys of Responsable, or a filter of them.
    """
    choisis = adultes if isinstance(adultes, Q) else Q(pk__in=list(adultes))
    return (
        Responsable.objects.filter(choisis, utilisateur__is_active=True)
        .exclude(utilisateur__courriel="")
        .exclude(preference_courriels__rythme__in=[Preference.Rythme.QUOTIDIEN, Preference.Rythme.AUCUN])
        .order_by("pk")
    )


def lien_desabonnement(adulte: int) -> str:
    """Absolute address by which this adult, not logged in, stops the mails of its messages."""
    return absolu(reverse("desabonnement", args=[signing.dumps(adulte, salt=SEL)]))


def adulte_du_lien(jeton: str) -> int | None:
    """Key of the adult of such an address; None when it is not one of ours."""
    try:
        return int(signing.loads(jeton, salt=SEL))
    except (signing.BadSignature, ValueError, TypeError):
        return None


@transaction.atomic
def choisir(adulte: Responsable, rythme: str) -> None:
    """From now on this adult is told by mail of each message, once a day, or of nothing but its own security."""
    preference, _ = Preference.objects.get_or_create(adulte=adulte)
    preference = Preference.objects.select_for_update(of=("self",)).get(pk=preference.pk)
    if rythme == Preference.Rythme.QUOTIDIEN and preference.rythme != rythme:
        preference.resume_le = timezone.now()  # what came before was told by a mail of its own, or was not wanted
    preference.rythme = rythme
    preference.save(update_fields=["rythme", "resume_le"])


# --- One mail a day --------------------------------------------------------------------------------------


@transaction.atomic
def envoyer_resumes(*, maintenant: datetime) -> int:
    """From 18 h, who chose one mail a day gets it, where the mairie wrote since the last one and it is not read.

    It tells how many messages await, nothing of them. As many queries for one adult as for a thousand; rows are
    locked, two workers share them.

    :returns: how many mails were filed.
    """
    local = timezone.localtime(maintenant)
    ce_soir = local.replace(hour=HEURE_RESUME, minute=0, second=0, microsecond=0)
    if local < ce_soir:
        return 0
    dus = (
        Preference.objects.filter(Q(resume_le=None) | Q(resume_le__lt=ce_soir), rythme=Preference.Rythme.QUOTIDIEN)
        .select_for_update(of=("self",), skip_locked=True)
        .select_related("adulte__utilisateur")
        .annotate(nombre=Coalesce(Subquery(_non_lus(maintenant)), 0))
        .order_by("pk")
    )
    dus = list(dus)
    courriels = []
    for nombre, groupe in groupby(sorted(filter(_est_joignable, dus), key=_nombre), key=_nombre):
        adresses = [(p.adulte.utilisateur.courriel, lien_desabonnement(p.adulte_id)) for p in groupe]
        courriels += composer("resume_messages", adresses, nombre=nombre)
    if courriels:
        deposer(courriels)
    Preference.objects.filter(pk__in=[preference.pk for preference in dus]).update(resume_le=maintenant)
    return len(courriels)


def _nombre(preference):
    return preference.nombre


def _est_joignable(preference):
    compte = preference.adulte.utilisateur
    return preference.nombre and compte.is_active and compte.courriel


def _non_lus(maintenant):
    """How many messages came since the adult's last digest and await it; for a first digest, within the day."""
    adulte = OuterRef("adulte")
    lus = Lecture.objects.filter(message=OuterRef("pk"), adulte=OuterRef(adulte))
    supprimes = Rangement.objects.filter(fil=OuterRef("fil"), adulte=OuterRef(adulte))
    depuis = Coalesce(OuterRef("resume_le"), Value(maintenant - timedelta(days=1)))
    messages = Message.objects.filter(
        Q(fil__destinataire=None) | Q(fil__destinataire=adulte),
        fil__famille=OuterRef("adulte__famille"),
        de_la_mairie=True,
        envoye_le__gt=depuis,
        envoye_le__lte=maintenant,
    ).exclude(Exists(lus) | Exists(supprimes))
    return messages.order_by().values("de_la_mairie").annotate(n=Count("pk")).values("n")
