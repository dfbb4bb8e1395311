"""Two agents separate the same couple at once: one household is opened, the other agent reads why not."""

import pytest
from django.utils import timezone

from enfants import actions
from familles import actions as familles
from familles.models import AncienFoyer, Responsable
from tests.demandes.test_concurrence import Course

pytestmark = pytest.mark.django_db(transaction=True)

TOURS = 50


def _adulte(prenom):
    return {"prenom": prenom, "nom": "Course"}


@pytest.mark.parametrize("les_deux", [False, True], ids=["le même adulte", "l'un et l'autre"])
def test_deux_separations_a_la_fois_ouvrent_un_foyer(les_deux, distribution):
    couple = []

    def marier():
        foyer = familles.ouvrir_famille(responsable=_adulte("Ana"), conjoint=_adulte("Luc"), adresse={})
        enfant = actions.ajouter_enfant(foyer, prenom="Nino", nom="Course")
        couple[:] = [*foyer.adultes(), {enfant.pk: "deux"}]

    def separer(rang):
        ana, luc, partage = couple
        adulte = Responsable.objects.get(pk=(luc if rang and les_deux else ana).pk)
        actions.separer(adulte, le=timezone.localdate(), adresse={"ville": "Bourges"}, enfants=partage)

    for resultats in Course(lambda: separer(0), lambda: separer(1)).tours(TOURS, marier):
        perdant = next(resultat for resultat in resultats if resultat != "gagne")
        assert resultats.count("gagne") == 1
        assert isinstance(perdant, actions.SeparationImpossible)
        assert "est déjà seul adulte de son foyer." in str(perdant)
        foyers = [Responsable.objects.get(pk=adulte.pk).famille for adulte in couple[:2]]
        assert [foyer.responsables.get().rang for foyer in foyers] == [1, 1]
        assert AncienFoyer.objects.filter(adulte__in=couple[:2]).count() == 1
