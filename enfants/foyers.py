"""Households in words, where their names alone do not tell them apart: after a separation both are « Durand »."""

from enfants.models import Enfant
from familles.models import Famille, Responsable


def adultes_par_foyer(foyers: list[int]) -> dict[int, list[Responsable]]:
    """Key of each household -> its adults with their accounts, the responsable first."""
    adultes = {cle: [] for cle in foyers}
    for adulte in Responsable.objects.filter(famille__in=foyers).select_related("utilisateur").order_by("rang", "pk"):
        adultes[adulte.famille_id].append(adulte)
    return adultes


def noms(foyers: list[int]) -> dict[int, str]:
    """Key of each household -> « Claire et Julien Durand », « Karim Benali »."""
    return {cle: en_clair(adultes) for cle, adultes in adultes_par_foyer(foyers).items()}


def en_clair(adultes: list[Responsable]) -> str:
    """« Claire et Julien Durand », « Ana Roux et Luc Blin », the first name once when the last is the same."""
    comptes = [adulte.utilisateur for adulte in adultes]
    if len(comptes) == 2 and comptes[0].nom == comptes[1].nom:
        return f"{comptes[0].prenom} et {comptes[1].nom_complet}"
    return " et ".join(compte.nom_complet for compte in comptes) or "foyer sans adulte"


def de_l_enfant(enfant: Enfant):
    """The households that the child belongs to, belonged to or will belong to."""
    return Famille.objects.filter(rattachements__enfant=enfant).distinct()
