"""The reminder that nothing is booked for a usual week: to whom, when, once."""

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from demandes.models import JourDemande
from demandes.planning import changer
from enfants import offre, rappels
from enfants.actions import ajouter_enfant
from enfants.models import (
    Attente,
    Enfant,
    Fermeture,
    Garde,
    Inscription,
    Place,
    RappelSemaine,
    RegleDelai,
    Service,
    SuspensionAcces,
)
from enfants.reservations import Changement
from familles import actions as familles
from familles.models import Utilisateur
from messagerie.models import Courriel, Fil, Message
from portail.echeances import rappeler_semaines

pytestmark = pytest.mark.django_db

LUNDI = date(2026, 11, 23)
MARDI_MIDI = "2026-11-17T12:00"  # 48 hours before the canteen of Monday 23 closes


@pytest.fixture
def habitudes(automne):
    """``habitudes({("Léa", "durand", "restauration"): [0, 3]})``: these habitual days and no other; nobody was told."""

    def fixer(jours):
        Inscription.objects.update(jours=[])
        for (prenom, identifiant, code), semaine in jours.items():
            sienne = Inscription.objects.filter(
                enfant__prenom=prenom, famille__responsables__utilisateur__identifiant=identifiant, service__code=code
            )
            assert sienne.update(jours=semaine) == 1
        Fil.objects.all().delete()
        Courriel.objects.all().delete()

    return fixer


@pytest.fixture
def lea(habitudes):
    """Léa usually eats on Mondays and Thursdays; nothing is booked."""
    habitudes({("Léa", "durand", "restauration"): [0, 3]})
    return Enfant.objects.get(prenom="Léa")


def dits():
    """(household, subject) of each message written."""
    return list(Fil.objects.order_by("pk").values_list("famille__nom", "sujet"))


def reserver(identifiant, prenom, jour, code="restauration"):
    compte = Utilisateur.objects.get(identifiant=identifiant)
    enfant = Enfant.objects.get(prenom=prenom)
    return changer(compte.adulte.famille, [Changement(enfant.pk, code, jour, "RESERVER")], par=compte)


RIEN_LE_23 = [("Durand", "Rien n'est réservé pour la semaine du lundi 23 novembre")]


def test_le_message_nomme_l_enfant_le_service_et_le_delai(lea, horloge):
    rappeler_semaines(maintenant=horloge(MARDI_MIDI))
    assert dits() == RIEN_LE_23
    message = Message.objects.get()
    assert message.corps == (
        "Bonjour,\n\nRien n'est réservé sur vos jours habituels pour la semaine du lundi 23 novembre. "
        "Vous pouvez encore réserver\u00a0:\n\n"
        "Léa, restauration scolaire\u00a0: jusqu'au jeudi 19 novembre à 12\u00a0h\n\n"
        "Si vous n'avez besoin de rien cette semaine-là, vous n'avez rien à faire.\n\nService Enfance Jeunesse"
    )
    assert (message.lien, message.lien_libelle) == ("/mes-enfants/semaine/2026-11-23/", "Réserver la semaine")


def test_le_courriel_ne_dit_ni_l_enfant_ni_le_service(lea, horloge):
    rappeler_semaines(maintenant=horloge(MARDI_MIDI))
    courriels = list(Courriel.objects.order_by("pk"))
    assert {c.destinataire for c in courriels} == {"claire.durand@famille.example", "julien.durand@famille.example"}
    assert {c.objet for c in courriels} == {
        "Saint-Martin-d'Auxigny : rien n'est réservé pour la semaine du lundi 23 novembre"
    }
    textes = [c.objet + c.corps + c.corps_html for c in courriels]
    assert [mot for texte in textes for mot in ("Léa", "Durand", "estauration") if mot in texte] == []
    assert all("/mes-enfants/semaine/2026-11-23/" in c.corps and c.desabonnement for c in courriels)


@pytest.mark.parametrize(
    ("instant", "attendus"),
    [
        ("2026-11-17T11:59", []),
        (MARDI_MIDI, RIEN_LE_23),
        ("2026-11-19T12:00", RIEN_LE_23),  # the limit itself is still in time
        ("2026-11-19T12:01", []),  # the first deadline of the week is past
        ("2026-11-21T13:00", []),  # another of its deadlines is near
    ],
)
def test_le_rappel_part_dans_les_48_heures_avant_le_premier_delai(instant, attendus, lea, horloge):
    rappeler_semaines(maintenant=horloge(instant))
    assert dits() == attendus


def test_une_fois_par_foyer_et_par_semaine(lea, horloge):
    for instant in (MARDI_MIDI, "2026-11-17T13:00", "2026-11-18T09:00"):
        rappeler_semaines(maintenant=horloge(instant))
    assert dits() == RIEN_LE_23
    rappeler_semaines(maintenant=horloge("2026-11-24T13:00"))
    assert [sujet for _, sujet in dits()][1:] == ["Rien n'est réservé pour la semaine du lundi 30 novembre"]
    assert list(RappelSemaine.objects.values_list("lundi", flat=True)) == [LUNDI, date(2026, 11, 30)]


def test_un_jour_reserve_suffit(lea, horloge):
    reserver("durand", "Léa", date(2026, 11, 24))  # not a habitual day: the week is not empty all the same
    Fil.objects.all().delete()
    rappeler_semaines(maintenant=horloge(MARDI_MIDI))
    assert dits() == []


def test_une_reservation_annulee_laisse_la_semaine_vide(lea, horloge):
    reserver("durand", "Léa", LUNDI)
    claire = Utilisateur.objects.get(identifiant="durand")
    changer(claire.adulte.famille, [Changement(lea.pk, "restauration", LUNDI, "ANNULER")], par=claire)
    Fil.objects.all().delete()
    rappeler_semaines(maintenant=horloge(MARDI_MIDI))
    assert dits() == RIEN_LE_23


def test_ce_qui_attend_la_mairie_compte_comme_reserve(lea, horloge):
    Service.objects.filter(code="restauration").update(validation="AGENT")
    offre.oublier()
    reserver("durand", "Léa", LUNDI)
    assert JourDemande.objects.filter(etat="EN_ATTENTE", jour=LUNDI).count() == 1
    Fil.objects.all().delete()
    rappeler_semaines(maintenant=horloge(MARDI_MIDI))
    assert dits() == []


def test_une_liste_d_attente_compte_comme_reserve(lea, horloge):
    cantine = Service.objects.get(code="restauration")
    place = Place.objects.create(service=cantine, site=cantine.implantations.get().site, jour=LUNDI)
    inscription = Inscription.objects.get(enfant=lea, service=cantine)
    Attente.objects.create(
        enfant=lea,
        famille=inscription.famille,
        service=cantine,
        jour=LUNDI,
        place=place,
        inscrite_par=Utilisateur.objects.get(identifiant="durand"),
    )
    rappeler_semaines(maintenant=horloge(MARDI_MIDI))
    assert dits() == []


def test_une_semaine_fermee_ne_se_rappelle_pas(lea, horloge):
    Fermeture.objects.create(valable_du=LUNDI, valable_au=date(2026, 11, 27), motif="travaux")
    rappeler_semaines(maintenant=horloge(MARDI_MIDI))
    assert dits() == []


def test_la_rentree_de_janvier_se_rappelle_avant_les_vacances(lea, horloge):
    """Two school days before Monday 4 January: Thursday 17 December at noon."""
    rappeler_semaines(maintenant=horloge("2026-12-15T12:00"))
    assert dits() == [("Durand", "Rien n'est réservé pour la semaine du lundi 4 janvier")]


@pytest.mark.parametrize("cause", ["sans jour habituel", "plus inscrite", "partie", "accès suspendu aux deux"])
def test_qui_n_est_pas_concerne_ne_lit_rien(cause, lea, horloge, famille_durand):
    if cause == "sans jour habituel":
        Inscription.objects.update(jours=[])
    elif cause == "plus inscrite":
        Inscription.objects.update(valable_au=date(2026, 11, 20))
    elif cause == "partie":
        Enfant.objects.filter(pk=lea.pk).update(archive_le=date(2026, 11, 20))
    else:
        for adulte in famille_durand.adultes():
            SuspensionAcces.objects.create(enfant=lea, adulte=adulte, motif="…", valable_du=date(2026, 1, 1))
    rappeler_semaines(maintenant=horloge(MARDI_MIDI))
    assert dits() == []


def test_l_adulte_dont_l_acces_est_suspendu_ne_lit_rien(lea, horloge, famille_durand):
    claire, julien = famille_durand.adultes()
    SuspensionAcces.objects.create(enfant=lea, adulte=julien, motif="…", valable_du=date(2026, 1, 1))
    rappeler_semaines(maintenant=horloge(MARDI_MIDI))
    assert list(Fil.objects.values_list("destinataire", flat=True)) == [claire.pk]


def test_en_garde_alternee_seul_le_foyer_de_la_semaine_est_prevenu(habitudes, horloge):
    habitudes({("Inès", "benali", "restauration"): [0, 3], ("Inès", "rossi", "restauration"): [0, 3]})
    Garde.objects.update(premiere_semaine=date(2026, 11, 16), jour_passage=0)  # Benali has the week of the 16th
    rappeler_semaines(maintenant=horloge(MARDI_MIDI))
    assert dits() == [("Rossi", "Rien n'est réservé pour la semaine du lundi 23 novembre")]


def test_tous_les_services_vides_de_la_semaine_sont_dits_ensemble(habitudes, horloge):
    habitudes(
        {
            ("Léa", "durand", "restauration"): [0],
            ("Léa", "durand", "accueil-soir"): [0, 1],
            ("Tom", "durand", "restauration"): [3],
        }
    )
    rappeler_semaines(maintenant=horloge(MARDI_MIDI))
    assert dits() == RIEN_LE_23
    lignes = Message.objects.get().corps.split("\n\n")[2].splitlines()
    assert lignes == [
        "Léa, restauration scolaire\u00a0: jusqu'au jeudi 19 novembre à 12\u00a0h",
        "Léa, accueil du soir\u00a0: jusqu'au dimanche 22 novembre à 18\u00a0h",
        "Tom, restauration scolaire\u00a0: jusqu'au lundi 23 novembre à 12\u00a0h",
    ]


def test_une_regle_du_mois_ne_rappelle_que_la_premiere_semaine_vide(lea, horloge):
    """The 20th of the month before, at noon: the whole of December closes at once."""
    RegleDelai.objects.filter(service__code="restauration", usage="RESERVER").update(
        regle={"type": "mois", "jour": 20, "heure": "12:00"}
    )
    offre.oublier()
    for instant in ("2026-11-18T11:00", "2026-11-18T12:00", "2026-11-18T13:00"):
        rappeler_semaines(maintenant=horloge(instant))
    assert dits() == [("Durand", "Rien n'est réservé pour la semaine du lundi 7 décembre")]


def test_deux_a_la_fois_n_ecrivent_qu_une_fois(lea, horloge, famille_durand):
    """Both have read that nobody was told: the row stops the second."""
    maintenant = horloge(MARDI_MIDI)
    (foyer,) = rappels._a_prevenir(maintenant, None)
    assert [rappels._prevenir(*foyer, maintenant=maintenant) for _ in range(2)] == [True, False]
    assert dits() == RIEN_LE_23


def _une_famille_de_plus(numero):
    nom = f"Essai{numero}"
    adulte = {"prenom": "Ana", "nom": nom, "courriel": f"ana{numero}@famille.example"}
    famille = familles.ouvrir_famille(responsable=adulte, conjoint=None, adresse={"ville": "Bourges"})
    modele = Inscription.objects.get(enfant__prenom="Léa", service__code="restauration")
    enfant = ajouter_enfant(famille, prenom="Ana", nom=nom, ecole=modele.enfant.ecole_id)
    famille.rattachements.update(valable_du=date(2020, 9, 1))
    Inscription.objects.create(
        enfant=enfant,
        famille=famille,
        service=modele.service,
        annee=2026,
        jours=[0],
        valable_du=modele.valable_du,
        valable_au=modele.valable_au,
    )


def test_chercher_ne_coute_pas_plus_de_requetes_pour_vingt_foyers(lea, horloge):
    maintenant, couts = horloge(MARDI_MIDI), {}
    for nombre in (1, 20):
        while Inscription.objects.exclude(jours=[]).count() < nombre:
            _une_famille_de_plus(Inscription.objects.count())
        list(rappels._a_prevenir(maintenant, None))
        with CaptureQueriesContext(connection) as captees:
            assert len(list(rappels._a_prevenir(maintenant, None))) == nombre
        couts[nombre] = len(captees)
    assert couts[1] == couts[20] <= 6
