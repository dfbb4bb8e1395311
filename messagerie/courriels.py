"""The mails that tell an adult of what reached its inbox, as each adult wants them."""

from collections.abc import Iterable

from django.core import signing
from django.db.models import Q
from django.urls import reverse

from familles.models import Responsable
from messagerie.models import Preference
from portail.outils.courriels import envoyer_a_tous
from portail.outils.liens import absolu

SEL = "desabonnement"


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


def choisir(adulte: Responsable, rythme: str) -> None:
    """From now on this adult is told by mail of each message, once a day, or of nothing but its own security."""
    Preference.objects.update_or_create(adulte=adulte, defaults={"rythme": rythme})
