"""A household is told of each invoice issued for it: rows written with the invoices, handed out by lots."""

from itertools import groupby

from django.db import transaction
from django.utils import timezone

from facturation.instantanes import avance_de
from facturation.models import AvisFacture, Facture
from messagerie.actions import Envoi, Objet, diffuser
from messagerie.models import ServiceMairie
from portail.outils.argent import euros
from portail.outils.dates import jour
from portail.outils.francais import de

LOT = 50  # invoices a transaction


def objet_de(facture: Facture) -> Objet:
    """What a thread about this invoice is about."""
    nom = "Avoir" if facture.est_avoir else "Facture"
    return Objet(f"facture/{facture.uuid}", f"{nom} {facture.numero_complet}", facture.get_absolute_url())


def envoyer_avis() -> int:
    """Each household reads in its inbox that an invoice awaits, or an avoir, and a mail says so; returns how many.

    A lot is one transaction: its messages, its mails and the mark that they are done. A kill loses the lot under way,
    which is handed out anew; two workers share the lots.
    """
    envoyes = 0
    while lot := _envoyer_un_lot():
        envoyes += lot
    return envoyes


@transaction.atomic
def _envoyer_un_lot():
    avis = list(
        AvisFacture.objects.filter(envoye_le=None, facture__etat=Facture.Etat.EMISE)
        .select_for_update(of=("self",), skip_locked=True)
        .select_related("facture__regie", "facture__avoir_de")
        .order_by("pk")[:LOT]
    )
    factures = sorted((a.facture for a in avis), key=_est_avoir)
    for est_avoir, ensemble in groupby(factures, key=_est_avoir):
        diffuser(
            [_envoi(facture) for facture in ensemble],
            par=None,
            service=ServiceMairie.de("comptabilite"),
            modele="nouvel_avoir" if est_avoir else "nouvelle_facture",
        )
    AvisFacture.objects.filter(pk__in=[a.pk for a in avis]).update(envoye_le=timezone.now())
    return len(avis)


def _est_avoir(facture):
    return facture.est_avoir


def _envoi(facture):
    sujet, corps = _textes_de_l_avoir(facture) if facture.est_avoir else _textes(facture)
    return Envoi(
        facture.famille_id,
        sujet,
        corps,
        lien=facture.get_absolute_url(),
        lien_libelle="Voir l'avoir" if facture.est_avoir else "Voir la facture",
        objet=objet_de(facture),
    )


def _textes(facture):
    """Subject and text, in the family's own inbox."""
    suite = f"à régler avant le {jour(facture.echeance, semaine=False)}"
    avance = avance_de(facture)
    if facture.total <= avance:
        suite = "vous n'avez rien à régler"
    elif facture.regie.est_titre:
        suite = f"à régler à la trésorerie avant le {jour(facture.echeance, semaine=False)}"
    return (
        f"Facture {de(facture.mois_en_clair)}\u00a0: {facture.regie}",
        f"Bonjour,\n\nVotre facture {facture.numero_complet} {de(facture.mois_en_clair)} ({facture.regie}) est "
        f"disponible\u00a0: {euros(facture.total)}, {_deja_regle(facture.total, avance)}{suite}.\n\n"
        "Elle montre chaque jour facturé, et comment la régler.",
    )


def _deja_regle(total, avance):
    """« dont 12,00 € déjà réglés par ce que vous aviez d'avance : il reste 31,20 €, »"""
    if not avance:
        return ""
    reste = f"\u00a0: il reste {euros(total - avance)}, " if avance < total else "\u00a0: "
    return f"dont {euros(avance)} déjà réglés par ce que vous aviez d'avance{reste}"


def _textes_de_l_avoir(avoir):
    origine = avoir.avoir_de.numero_complet
    return (
        f"Avoir sur la facture {de(avoir.mois_en_clair)}\u00a0: {avoir.regie}",
        f"Bonjour,\n\nVotre facture {origine} {de(avoir.mois_en_clair)} ({avoir.regie}) est annulée par l'avoir "
        f"{avoir.numero_complet} de {euros(-avoir.total)}.\n\nRaison\u00a0: {avoir.motif}",
    )
