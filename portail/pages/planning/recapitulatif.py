"""What a change would do, told before it is sent: done at once, to be decided, impossible; then done."""

import json
from collections import defaultdict
from datetime import date

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from demandes import planning as demandes
from demandes import presentation
from demandes.textes_planning import compter, compter_verdicts, par_enfant_en_bref
from demandes.types import MES_ENFANTS
from enfants.regles.planning import Geste
from enfants.reservations import CHANGEMENTS_MAX, Changement, Verdict
from familles.pages import page_famille
from portail.pages.planning.mois import annoncer
from portail.pages.planning.prix import chiffrer

GESTES = (Geste.RESERVER, Geste.ANNULER, Geste.ATTENDRE)


def ecrire(changements: list[Changement]) -> str:
    """The changes as the page carries them to its confirmation: choices, no right and no price."""
    return json.dumps([[c.enfant, c.service, c.jour.isoformat(), c.geste, c.formule] for c in changements])


def lire(texte: str) -> list[Changement]:
    """The changes that a page carried.

    :raises BadRequest: not written by ``ecrire``.
    """
    try:
        lignes = json.loads(texte)
        if type(lignes) is not list:
            raise TypeError("Pas une liste")
        changements = [
            Changement(_cle(enfant), str(service), date.fromisoformat(jour), Geste(geste), _formule(formule))
            for enfant, service, jour, geste, formule in lignes
        ]
    except (ValueError, TypeError, RecursionError) as erreur:
        raise BadRequest("Changements illisibles") from erreur
    if len(changements) > CHANGEMENTS_MAX or any(not est_lisible(c) for c in changements):
        raise BadRequest("Changements illisibles")
    return changements


def _cle(valeur):
    if type(valeur) is not int or not 0 < valeur < 2**63:
        raise ValueError("Pas une clé")
    return valeur


def _formule(valeur):
    return None if valeur is None else _cle(valeur)


def est_lisible(c: Changement) -> bool:
    """A day near enough to be planned, something that this page may do."""
    return 2020 <= c.jour.year < 2100 and c.geste in GESTES and "\x00" not in c.service


@page_famille
@require_POST
def recapitulatif(request):
    """The summary of the changes that the form carries; with « confirmer », they are done."""
    changements = lire(request.POST.get("changements", ""))
    if "confirmer" in request.POST:
        return confirmer(request, changements)
    return montrer(request, changements)


def montrer(request, changements: list[Changement], semaine: date | None = None):
    """The summary page; without a change, back with a word.

    :param semaine: a day of the week that the parent was looking at.
    """
    if not changements:
        messages.info(request, "Rien n'a changé\u00a0: aucun jour n'a été ajouté ni retiré.")
        return redirect("semaine", semaine.isoformat()) if semaine else redirect("semaine_courante")
    if len(changements) > CHANGEMENTS_MAX:
        messages.error(request, "C'est trop de jours à la fois\u00a0: choisissez une période plus courte.")
        return redirect("repeter")
    verdicts = demandes.prevoir(request.famille, changements, par=request.user)
    directs = [v for v in verdicts if v.est_direct]
    attendus = [v for v in verdicts if v.possible and not v.possible.direct]
    utiles = [v.changement for v in directs + attendus]
    contexte = {
        "rail": presentation.rail(MES_ENFANTS),
        "directs": _par_geste(directs),
        "attendus": par_enfant_en_bref(attendus),
        "notes": _notes(attendus),
        "cout": chiffrer(request.famille, directs + attendus),
        "impossibles": _par_raison([v for v in verdicts if not v.possible]),
        "changements": ecrire(utiles),
        "bouton": compter_verdicts(directs + attendus) if utiles else "",
        "jour": min(c.jour for c in changements).isoformat(),
    }
    return render(request, "portail/planning/recapitulatif.html", contexte)


def _par_geste(verdicts: list[Verdict]):
    """(« 12 jours réservés », lines by child and service) of each kind of change."""
    gestes = defaultdict(list)
    for v in verdicts:
        gestes[v.possible.geste].append(v)
    return [(compter(v.possible.geste for v in vs), par_enfant_en_bref(vs)) for vs in gestes.values()]


def _notes(verdicts):
    """Why these wait: their price when late, once each."""
    return list(dict.fromkeys(v.possible.phrase for v in verdicts if v.possible.tardif))


def _par_raison(verdicts):
    """(reason, lines) of the days that cannot be."""
    raisons = defaultdict(list)
    for v in verdicts:
        raisons[v.raison].append(v)
    return [(raison, par_enfant_en_bref([v for v in vs if v.cellule])) for raison, vs in raisons.items()]


def confirmer(request, changements: list[Changement]):
    """Done, as far as the rules of this very moment allow."""
    bilan = demandes.changer(request.famille, changements, par=request.user)
    annoncer(request, bilan)
    jour = min((c.jour for c in changements), default=None)
    if jour is None:
        return redirect("semaine_courante")
    retour = redirect("semaine", jour.isoformat())
    if bilan.demande:
        retour["Location"] += f"?fait={bilan.demande.uuid}"
    return retour
