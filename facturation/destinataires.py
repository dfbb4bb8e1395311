"""Whom a message about unpaid invoices reaches."""

from datetime import date

from enfants.destinataires import Foyer
from enfants.foyers import adultes_par_foyer
from facturation.models import Facture, Regie
from familles.models import Famille


def en_retard(jour: date, regie: Regie | None = None) -> list[Foyer]:
    """The households that owe the commune an invoice past its due date, by name; three queries, however many.

    What the trésorerie collects already is not of them: it writes to the families itself.

    :param regie: of this régie alone; None: of any.
    """
    dues = Facture.objects.emises().filter(echeance__lt=jour).avec_reste().filter(reste__gt=0)
    if regie is not None:
        dues = dues.filter(regie=regie)
    familles = Famille.objects.filter(pk__in=dues.order_by().values("famille")).order_by("nom", "pk")
    familles = list(familles)
    adultes = adultes_par_foyer([famille.pk for famille in familles])
    return [Foyer(famille, tuple(adultes[famille.pk]), True) for famille in familles if adultes[famille.pk]]
