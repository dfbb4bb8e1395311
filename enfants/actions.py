"""What changes children and their households."""

from django.db import transaction
from django.db.models import Q

from enfants.models import Enfant, Rattachement
from familles.models import Famille


@transaction.atomic
def ajouter_enfant(famille: Famille, *, prenom: str, nom: str, date_naissance=None) -> Enfant:
    """The child appears under « Mes enfants » of this household, from today on."""
    enfant = Enfant.objects.create(prenom=prenom, nom=nom, date_naissance=date_naissance)
    Rattachement.objects.create(enfant=enfant, famille=famille)
    return enfant


def doublons(enfants: list[dict]) -> list[Enfant]:
    """Children already on file with the same names, and the same birth date where both are known."""
    ressemble = Q()
    for enfant in enfants:
        memes_noms = Q(nom__unaccent__iexact=enfant["nom"], prenom__unaccent__iexact=enfant["prenom"])
        if enfant.get("date_naissance"):
            memes_noms &= Q(date_naissance=enfant["date_naissance"]) | Q(date_naissance=None)
        ressemble |= memes_noms
    return list(Enfant.objects.filter(ressemble)) if ressemble else []
