"""What changed in the rows that the database triggers follow (portail.outils.suivi): who, when, before, after.

The triggers keep a row as it was before each change: what came after is the next record, or today's row.
"""

from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache

from django.contrib.admin.utils import display_for_field
from django.db import models
from django.db.models import BooleanField, ExpressionWrapper, Q
from django.utils.text import capfirst

Changement = namedtuple("Changement", "le par quoi champ avant apres")
SANS_INTERET = {"id", "uuid", "password", "last_login", "rappele_le", "fichier", "type_mime", "taille"}


@dataclass(frozen=True)
class Suivi:
    """Rows of one model, followed by ``suivre``, whose history is asked.

    :param filtre: what tells the rows of this file. A row that left it (a deleted one, an adult with a household of
        its own) shows until it left, one that joined it from then on.
    :param textes: name of a field -> its value in words, where the field's own do not do.
    :param resume: a deleted row in words.
    :param sans: fields to leave out.
    :param seuls: the only fields to show; then deletions are left out too.
    """

    modele: type[models.Model]
    filtre: Q
    textes: Mapping[str, Callable] = field(default_factory=dict)
    resume: Callable | None = None
    sans: frozenset[str] = frozenset()
    seuls: frozenset[str] | None = None

    def montre(self, nom: str) -> bool:
        return nom not in SANS_INTERET | self.sans and (self.seuls is None or nom in self.seuls)


def changements(suivis: Iterable[Suivi], noms: Callable[[set], Mapping]) -> list[Changement]:
    """Every change of these rows, the newest first.

    :param noms: keys of accounts -> their names; who is not among them is « Le portail ».
    """
    bruts = [brut for suivi in suivis for brut in _de(suivi)]
    auteurs = noms({auteur for auteur, _ in bruts} - {None})
    lignes = [ligne._replace(par=auteurs.get(auteur, "Le portail")) for auteur, ligne in bruts]
    return sorted(lignes, key=lambda ligne: ligne.le, reverse=True)


def _de(suivi):
    """``(key of the account, change)`` of a model's rows."""
    nommer, quoi = cache(_nommer), capfirst(suivi.modele._meta.verbose_name)
    for avant, apres in _paires(suivi):
        auteur = avant.pgh_context.metadata.get("user") if avant.pgh_context else None
        for champ, *textes in _differences(suivi, avant, apres, nommer):
            yield auteur, Changement(avant.pgh_created_at, "", quoi, champ, *textes)


def _paires(suivi):
    """A row before a change and after it, None once deleted."""
    sienne = ExpressionWrapper(suivi.filtre, BooleanField())
    evenements = suivi.modele.pgh_event_model.objects.annotate(sienne=sienne)
    objets = suivi.modele._base_manager.annotate(sienne=sienne)
    anciennes, actuelles = (lignes.filter(sienne=True).values("id") for lignes in (evenements, objets))
    concernes = Q(id__in=anciennes) | Q(id__in=actuelles)
    suites = {}
    for evenement in evenements.filter(concernes).select_related("pgh_context").order_by("pgh_id"):
        suites.setdefault(evenement.id, []).append(evenement)
    actuels = objets.in_bulk(list(suites))
    for cle, suite in suites.items():
        for avant, apres in zip(suite, [*suite[1:], actuels.get(cle)], strict=True):
            if avant.sienne or (apres is not None and apres.sienne):
                yield avant, apres


def _differences(suivi, avant, apres, nommer):
    if apres is None or avant.pgh_label == "delete":
        if suivi.seuls is None:
            yield "Ligne supprimée", suivi.resume(avant) if suivi.resume else str(_ligne(suivi.modele, avant)), "–"
        return
    for champ in suivi.modele._meta.concrete_fields:
        if not suivi.montre(champ.name) or not hasattr(avant, champ.attname):
            continue
        ancien, nouveau = getattr(avant, champ.attname), getattr(apres, champ.attname)
        if ancien != nouveau:
            textes = (_texte(suivi, champ, valeur, nommer) for valeur in (ancien, nouveau))
            yield str(capfirst(champ.verbose_name)), *textes


def _ligne(modele, evenement):
    """The deleted row, to read its ``str``."""
    noms = [champ.attname for champ in modele._meta.concrete_fields if hasattr(evenement, champ.attname)]
    return modele(**{nom: getattr(evenement, nom) for nom in noms})


def _nommer(modele, cle):
    """The row a key leads to, in words: it may have gone since."""
    return str(modele._base_manager.select_related().filter(pk=cle).first() or f"n°\u00a0{cle}")


def _texte(suivi, champ, valeur, nommer):
    if valeur in (None, "", {}):
        return "–"
    if champ.name in suivi.textes:
        return suivi.textes[champ.name](valeur) or "–"
    if isinstance(valeur, bool):
        return "oui" if valeur else "non"
    return nommer(champ.related_model, valeur) if champ.is_relation else str(display_for_field(valeur, champ, "–"))
