"""What changed in a family's file, when and by whom, as the database triggers recorded it."""

from collections import namedtuple

from django.contrib.admin.utils import display_for_field

from familles.champs import masquer_iban
from familles.models import (
    CoordonneesBancaires,
    DossierCaf,
    Famille,
    QuotientFamilial,
    Responsable,
    SituationFiscale,
    Utilisateur,
)

Changement = namedtuple("Changement", "le par quoi champ avant apres")
SANS_INTERET = {"id", "uuid", "password", "last_login", "rappele_le"}
PAR_FAMILLE = (Responsable, SituationFiscale, DossierCaf, QuotientFamilial, CoordonneesBancaires)


def changements(famille: Famille) -> list[Changement]:
    """Every change of the file's rows, the newest first; bank numbers masked.

    The triggers keep a row as it was before each change: what came after is the next record, or today's row.
    """
    comptes = Utilisateur.objects.filter(responsable__famille=famille)
    lignes = [*_de(Famille, Famille.objects.filter(pk=famille.pk)), *_de(Utilisateur, comptes)]
    for modele in PAR_FAMILLE:
        lignes += _de(modele, modele.objects.filter(famille=famille), famille=famille)
    return sorted(lignes, key=lambda ligne: ligne.le, reverse=True)


def _de(modele, actuels, famille=None):
    evenements = modele.pgh_event_model.objects.select_related("pgh_context").order_by("pgh_id")
    actuels = {objet.pk: objet for objet in actuels}
    # A deleted row is no longer among today's: its family tells whose it was.
    evenements = evenements.filter(famille=famille) if famille else evenements.filter(pgh_obj_id__in=list(actuels))
    par_objet = {}
    for evenement in evenements:
        par_objet.setdefault(evenement.id, []).append(evenement)
    auteurs = _auteurs(evenements)
    for cle, suite in par_objet.items():
        for avant, apres in zip(suite, [*suite[1:], actuels.get(cle)], strict=True):
            yield from _differences(modele, avant, apres, auteurs)


def _auteurs(evenements):
    cles = {e.pgh_context.metadata.get("user") for e in evenements if e.pgh_context}
    return {compte.pk: str(compte) for compte in Utilisateur.objects.filter(pk__in=cles - {None})}


def _differences(modele, avant, apres, auteurs):
    contexte = avant.pgh_context.metadata if avant.pgh_context else {}
    par = auteurs.get(contexte.get("user"), "Le portail")
    quoi = str(modele._meta.verbose_name).capitalize()
    if apres is None or avant.pgh_label == "delete":
        yield Changement(avant.pgh_created_at, par, quoi, "Ligne supprimée", str(_lire(avant, modele)), "–")
        return
    for champ in modele._meta.concrete_fields:
        if champ.name in SANS_INTERET or not hasattr(avant, champ.attname):
            continue
        ancien, nouveau = getattr(avant, champ.attname), getattr(apres, champ.attname)
        if ancien != nouveau:
            textes = (_texte(champ, valeur) for valeur in (ancien, nouveau))
            yield Changement(avant.pgh_created_at, par, quoi, str(champ.verbose_name).capitalize(), *textes)


def _lire(evenement, modele):
    valeur = getattr(evenement, "valeur", None)
    return f"{modele._meta.verbose_name} {valeur}" if valeur is not None else modele._meta.verbose_name


def _texte(champ, valeur):
    if champ.name == "iban":
        return masquer_iban(valeur) or "–"
    return str(display_for_field(valeur, champ, "–"))
