"""Two people save the same sheet at once: one of them wins, the other reads who, and nothing is written twice."""

from datetime import date

import pytest

from enfants.models import Enfant, Implantation, Place, Presence
from enfants.presences import FeuilleChangee, Pointage, pointer
from messagerie.models import Message
from tests.demandes.test_concurrence import Course

pytestmark = pytest.mark.django_db(transaction=True)

JOUR, TOURS = date(2025, 11, 27), 30


def test_deux_pointages_contraires_a_la_fois_n_en_gardent_qu_un(distribution, comptes):
    lieu, zoe = Implantation.objects.get(service__code="restauration"), Enfant.objects.get(prenom="Zoé")

    def nettoyer():
        Presence.objects.filter(jour=JOUR).delete()
        Place.objects.filter(jour=JOUR).delete()

    def noter(identifiant, etat):
        place = Place(service=lieu.service, site=lieu.site, jour=JOUR)
        return lambda: pointer(place, [Pointage(zoe.pk, etat)], par=comptes[identifiant], lue="")

    course = Course(noter("agent", "PRESENT"), noter("animateur", "ABSENT"))
    for resultats in course.tours(TOURS, nettoyer):
        perdant = next(resultat for resultat in resultats if resultat != "gagne")
        assert resultats.count("gagne") == 1
        assert isinstance(perdant, FeuilleChangee)
        gagnant = ("PRESENT", "agent") if resultats[0] == "gagne" else ("ABSENT", "animateur")
        assert [(p.etat, p.pointee_par.identifiant) for p in Presence.objects.filter(jour=JOUR)] == [gagnant]


def test_le_meme_pointage_deux_fois_ne_previent_la_famille_qu_une_fois(distribution, comptes):
    lieu, zoe = Implantation.objects.get(service__code="restauration"), Enfant.objects.get(prenom="Zoé")
    zoe.rattachements.update(valable_du=date(2020, 9, 1))
    place = Place(service=lieu.service, site=lieu.site, jour=JOUR)

    def nettoyer():
        Presence.objects.filter(jour=JOUR).delete()
        Message.objects.filter(fil__sujet__startswith="Zoé, Cantine").delete()

    def noter(identifiant):
        return lambda: pointer(place, [Pointage(zoe.pk, "PRESENT")], par=comptes[identifiant], lue="")

    for resultats in Course(noter("agent"), noter("animateur")).tours(TOURS, nettoyer):
        assert resultats == ["gagne", "gagne"]
        assert Presence.objects.filter(jour=JOUR).count() == 1
        assert Message.objects.filter(fil__sujet__startswith="Zoé, Cantine").count() == 1
