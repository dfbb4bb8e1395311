"""Queries of the planning (qualite.md G4): a month of six services as one of one, a hundred days as one.

Counted as in tests/test_requetes.py, at Monday 16 November 2026, 9 o'clock.
"""

import json
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from demandes import planning
from demandes.models import JourDemande
from enfants import offre
from enfants.actions import ajouter_enfant
from enfants.models import (
    Attente,
    Enfant,
    Fermeture,
    Garde,
    Implantation,
    Inscription,
    Rattachement,
    RegleDelai,
    Service,
    Site,
    SuspensionAcces,
)
from enfants.reservations import Changement
from tests.test_requetes import comptees, lister, requetes

pytestmark = pytest.mark.django_db

SEMAINE, RECAPITULATIF = "/mes-enfants/semaine/2026-11-23/", "/mes-enfants/recapitulatif/"
AVANT_VEILLE = {
    "regle": {"type": "jours_avant", "n": 2, "heure": "12:00", "compte": "scolaires"},
    "valable_du": date(2020, 9, 1),
}


@pytest.fixture
def services(automne, famille_durand):
    """``services(6)``: this many are held for Léa every school day, with counted places and a pending demande each."""

    def services(nombre):
        Implantation.objects.all().delete()
        lea, parent = Enfant.objects.get(prenom="Léa"), famille_durand.responsables.get(rang=1).utilisateur
        for rang in range(nombre):
            service, _ = Service.objects.update_or_create(
                code=f"essai-{rang}",
                defaults={
                    "nom": f"Service d'essai numéro {rang}",
                    "nom_court": f"Essai {rang}",
                    "jours": [0, 1, 2, 3, 4],
                    "heure_debut": "08:00",
                    "heure_fin": "09:00",
                },
            )
            for usage in RegleDelai.Usage.values:
                RegleDelai.objects.get_or_create(service=service, usage=usage, defaults=AVANT_VEILLE)
            site, _ = Site.objects.get_or_create(nom=f"Site d'essai {rang}")
            Implantation.objects.create(service=service, site=site, capacite=5)
            for enfant in Enfant.objects.filter(rattachements__famille=famille_durand):
                Inscription.objects.get_or_create(
                    enfant=enfant,
                    famille=famille_durand,
                    service=service,
                    annee=2026,
                    defaults={"valable_du": date(2026, 9, 1), "valable_au": date(2027, 8, 31)},
                )
        Fermeture.objects.get_or_create(valable_du=date(2026, 11, 24), valable_au=date(2026, 11, 24), motif="Travaux")
        offre.oublier()
        codes = [f"essai-{rang}" for rang in range(nombre)]
        jours = [date(2026, 11, 17), *(date(2026, 11, jour) for jour in (23, 25, 26, 27))]
        voulus = [Changement(lea.pk, code, jour, "RESERVER") for code in codes for jour in jours]
        planning.changer(famille_durand, voulus, par=parent)
        return codes

    return services


def test_le_mois_ne_coute_pas_plus_avec_six_services_et_tient_ses_budgets(services, connecter):
    navigateur, couts = connecter("durand"), {}
    page = f"/mes-enfants/{Enfant.objects.get(prenom='Léa').uuid}/planning/2026-11/"
    for nombre in (1, 6):
        services(nombre)
        couts[nombre] = requetes(navigateur, page)
        assert len(navigateur.get(page).context["page"].services) == nombre
    assert len(couts[1]) == len(couts[6]) <= 8, lister(couts[6])
    assert requetes(navigateur, page.removesuffix("planning/2026-11/")) == couts[6]  # the child's own page
    corps = navigateur.get(page).content
    assert corps.count(b"data-jour=") == 180
    assert len(corps) <= 60_000


def test_la_semaine_de_six_enfants_tient_son_budget(services, connecter, famille_durand):
    navigateur, couts = connecter("durand"), {}
    for nombre in (2, 6):
        while len(navigateur.get(SEMAINE).context["page"].enfants) < nombre:
            enfant = ajouter_enfant(famille_durand, prenom="Lou", nom="Durand")
            Rattachement.objects.filter(enfant=enfant).update(valable_du=date(2020, 9, 1))
        services(6)
        couts[nombre] = requetes(navigateur, SEMAINE)
    assert len(navigateur.get(SEMAINE).context["page"].lignes) == 6 * 6 * 5
    assert len(couts[2]) == len(couts[6]) <= 10, lister(couts[6])


@pytest.mark.parametrize("semaines", [1, 20], ids=["5 jours", "100 jours"])
def test_confirmer_tient_son_budget_pour_un_jour_comme_pour_cent(semaines, services, connecter, comptes):
    """The worst mix: days booked, cancelled, late, full, closed, for a child in custody and its brother."""
    services(3)
    lea, tom = (Enfant.objects.get(prenom=prenom) for prenom in ("Léa", "Tom"))
    durand, benali = (comptes[identifiant].adulte.famille for identifiant in ("durand", "benali"))
    Garde.objects.create(
        enfant=lea,
        premier_foyer=durand,
        second_foyer=benali,
        premiere_semaine=date(2026, 8, 31),
        vacances=Garde.Vacances.ALTERNANCE,
    )
    SuspensionAcces.objects.create(
        enfant=lea, adulte=comptes["durand2"].adulte, motif="Jugement", valable_du=date(2026, 1, 1)
    )
    Implantation.objects.filter(service__code="essai-2").update(capacite=0)
    offre.oublier()
    lundi = date(2026, 11, 23)
    jours = [lundi + timedelta(days=7 * n + d) for n in range(semaines) for d in range(5)]
    changements = [[tom.pk, "essai-0", str(jour), "RESERVER", None] for jour in jours]
    changements += [[tom.pk, "essai-2", str(jour), "RESERVER", None] for jour in jours]
    changements += [[lea.pk, "essai-1", str(jour), "ANNULER", None] for jour in jours]
    changements += [[lea.pk, "essai-0", str(jour + timedelta(days=7)), "RESERVER", None] for jour in jours]
    changements += [[tom.pk, "essai-0", f"2026-11-{jour}", "RESERVER", None] for jour in (16, 17)]
    navigateur = connecter("durand")
    # What is kept for a minute is read before.
    echauffement = json.dumps([[tom.pk, "essai-1", "2027-06-07", "RESERVER", None]])
    navigateur.post(RECAPITULATIF, {"changements": echauffement, "confirmer": "1"})
    with CaptureQueriesContext(connection) as captees:
        reponse = navigateur.post(RECAPITULATIF, {"changements": json.dumps(changements), "confirmer": "1"})
    assert reponse.status_code == 302
    gestes = {geste for (geste,) in JourDemande.objects.values_list("geste")}
    assert (gestes, JourDemande.objects.filter(enfant=tom, tardif=True).count()) == ({"RESERVER", "ANNULER"}, 1)
    assert Attente.objects.count() >= semaines
    assert len(sqls := comptees(captees)) <= 15, lister(sqls)
