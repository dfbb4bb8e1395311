"""An invoice as a page: what is billed and why, day by day, and how to pay it."""

from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import NamedTuple
from urllib.parse import urlencode

from django.db.models import Sum
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone

from enfants.regles.annees import annee_scolaire
from facturation import comptes, paiements
from facturation.documents import UN_ENFANT
from facturation.models import Facture, Moyen
from familles.pages import page_famille
from portail.outils.argent import euros
from portail.outils.dates import jour as en_mots
from portail.outils.francais import au_milieu
from portail.pages import compte_presentation as presentation


class Jour(NamedTuple):
    """A day of the annex; ``contester``: where the family says that it does not agree, "" when it cannot."""

    iso: str
    texte: str
    phrase: str
    contester: str


class Ligne(NamedTuple):
    cle: int
    libelle: str
    precision: str
    calcul: str
    montant: str
    jours: list[Jour]


@dataclass
class Partie:
    """The lines of a child, or of nobody."""

    titre: str
    lignes: list[Ligne]
    total: str


@page_famille
def facture(request, uuid):
    """What this adult may read of it: the household's own, and the older ones of a household it has left."""
    lues = Facture.objects.visibles_par(request.adulte).avec_reste()
    facture = get_object_or_404(lues.select_related("regie", "article__role", "avoir_de", "avoir"), uuid=uuid)
    aujourdhui = timezone.localdate()
    etat = comptes.etat(facture, aujourdhui)
    est_due = facture.reste > 0 or etat == comptes.TITREE
    est_au_foyer = facture.famille_id == request.famille.pk
    contexte = {
        "facture": facture,
        "rail": presentation.rail(annee_scolaire(facture.emise_le if est_au_foyer else aujourdhui), ""),
        "titre": f"{'Avoir' if facture.est_avoir else 'Facture'} {facture.numero_complet}",
        "ligne": presentation.ligne_de_facture(facture, aujourdhui),
        "parties": _parties(request.adulte, facture, etat, aujourdhui),
        "total": euros(facture.total),
        "emise_le": en_mots(facture.emise_le, semaine=False),
        "echeance": en_mots(facture.echeance, semaine=False) if est_due else "",
        "reste": euros(facture.reste) if facture.impute and facture.reste > 0 else "",
        "regles": _regles(facture) if est_au_foyer else [],
        "paiement": paiements.moyen_de_payer(facture, aujourdhui),
        "moyens": [au_milieu(Moyen(moyen).label) for moyen in facture.regie.moyens_acceptes] if est_due else [],
        "autrement": facture.regie.moyens if est_due else "",
        "tresorerie": presentation.Tresorerie("") if facture.regie.est_titre else None,
    }
    return render(request, "facturation/facture.html", contexte)


def _parties(adulte, facture, etat, aujourdhui):
    """The lines by child, in their order; of a child that this adult may no longer see, the sums alone."""
    lignes = list(facture.lignes.order_by("rang"))
    caches = facture.enfants_fermes_a(adulte, aujourdhui)
    conteste = etat not in (comptes.AVOIR, comptes.ANNULEE)
    parties = []
    for (enfant, prenom), siennes in groupby(lignes, key=lambda ligne: (ligne.enfant_id, ligne.prenom)):
        parties.append(_partie(facture, prenom, list(siennes), conteste, enfant in caches))
    return parties


def _partie(facture, prenom, lignes, conteste, cache):
    titre = UN_ENFANT if cache else prenom or "Pour le foyer"
    total = sum(ligne.montant for ligne in lignes)
    return Partie(titre, [_ligne(facture, ligne, conteste, cache) for ligne in lignes], euros(total))


def _ligne(facture, ligne, conteste, cache):
    precisions = [ligne.motif, f"délibération {ligne.deliberation}" if ligne.deliberation else ""]
    return Ligne(
        ligne.pk,
        ligne.libelle,
        ", ".join(filter(None, precisions)),
        f"{ligne.quantite} × {euros(ligne.prix)}",
        euros(ligne.montant),
        [] if cache else [_jour(facture, ligne, *jour, conteste) for jour in ligne.jours],
    )


def _jour(facture, ligne, iso, phrase, conteste):
    quoi = urlencode({"facture": facture.uuid, "ligne": ligne.pk, "jour": iso})
    return Jour(iso, en_mots(date.fromisoformat(iso)), phrase, f"{reverse('ecrire')}?{quoi}" if conteste else "")


def _regles(facture):
    """What was paid of it: (day, how, how much)."""
    parts = facture.imputations.order_by().values_list("reglement__recu_le", "reglement__moyen", "reglement")
    parts = parts.annotate(t=Sum("montant")).filter(t__gt=0).order_by("reglement__recu_le", "reglement")
    return [(f"{le:%d/%m/%Y}", au_milieu(Moyen(moyen).label), euros(montant)) for le, moyen, _, montant in parts]
