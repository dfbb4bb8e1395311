"""Messages about children, read by those alone who may see them."""

from django.utils import timezone

from enfants.models import Enfant, SuspensionAcces
from familles.models import Famille
from messagerie.actions import notifier


def prevenir(famille: Famille, enfants: list[Enfant], *, suspendus: set[int] | None = None, **message) -> None:
    """Both adults of the household read the message, but for one who may no longer see one of the children.

    :param enfants: whom it is about; empty for the household itself.
    :param suspendus: keys of these adults where they are known already.
    :param message: what messagerie.actions.notifier takes.
    """
    if suspendus is None:
        suspendus = adultes_suspendus(famille, enfants)
    if not suspendus:
        notifier(famille, **message)
        return
    lu_par = message.pop("lu_par", None)
    for adulte in famille.adultes():
        if adulte.pk not in suspendus:
            notifier(famille, destinataire=adulte, lu_par=lu_par if adulte == lu_par else None, **message)


def adultes_suspendus(famille: Famille, enfants: list[Enfant]) -> set[int]:
    """Keys of the adults of the household who may no longer see one of these children."""
    suspensions = SuspensionAcces.objects.en_vigueur(timezone.localdate()).filter(
        enfant__in=enfants, adulte__famille=famille
    )
    return set(suspensions.values_list("adulte", flat=True)) if enfants else set()
