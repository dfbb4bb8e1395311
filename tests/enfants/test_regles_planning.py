"""A cell of the planning: its state, its words, what may be done, on instants around each limit."""

from dataclasses import replace
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from enfants.regles.delais import Calendrier
from enfants.regles.planning import (
    Contexte,
    Etat,
    Geste,
    Lieu,
    Marques,
    Offre,
    RegleDatee,
    case,
    ferme_ce_jour,
    gestes,
    hors_age,
    pourquoi_rien,
)

PARIS = ZoneInfo("Europe/Paris")
AVANT_VEILLE = {"type": "jours_avant", "n": 2, "heure": "12:00", "compte": "scolaires"}
VEILLE = {"type": "jours_avant", "n": 1, "heure": "18:00", "compte": "calendaires"}
CANTINE = Offre(
    cle=1,
    code="restauration",
    nom="Restauration scolaire",
    nom_court="Cantine",
    couleur="#0f5f6e",
    ordre=1,
    jours=frozenset({0, 1, 3, 4}),
    periode="SCOLAIRE",
    debut=time(12),
    fin=time(13, 45),
    age_min=None,
    age_max=None,
    validation="RETARD",
    inscription=True,
    note_retard="un repas demandé en retard est majoré de 50\u00a0%.",
    minimum_semaine=None,
    forfait_semaine=False,
    heures_offre=24,
    formules=(),
    lieux=(Lieu(1, "Restaurant", frozenset(), None),),
    regles=(
        RegleDatee("RESERVER", AVANT_VEILLE, date(2020, 9, 1), None),
        RegleDatee("ANNULER", VEILLE, date(2020, 9, 1), None),
    ),
)
CALENDRIER = Calendrier(
    PARIS,
    CANTINE.jours,
    CANTINE.debut,
    ((date(2026, 10, 17), date(2026, 11, 1)), (date(2026, 12, 19), date(2027, 1, 3))),
    frozenset({date(2026, 11, 11)}),
)
JEUDI = date(2026, 11, 26)  # to reserve until Monday 23 at noon, to cancel until Wednesday 25 at 18


def instant(texte):
    return datetime.fromisoformat(texte).replace(tzinfo=PARIS)


def contexte(maintenant="2026-11-23T11:00", **autres):
    return Contexte(CANTINE, JEUDI, CALENDRIER, instant(maintenant), famille=7, **autres)


def reserve(**autres):
    return Marques(reservation=3, famille=7, **autres)


CASES = {
    "libre dans le délai": ({}, Etat.LIBRE, "Libre", "jusqu'au lundi 23 novembre à 12\u00a0h"),
    "libre à la dernière seconde": (
        {"maintenant": "2026-11-23T12:00"},
        Etat.LIBRE,
        "Libre",
        "jusqu'au lundi 23 novembre à 12\u00a0h",
    ),
    "trop tard une seconde après": (
        {"maintenant": "2026-11-23T12:00:01"},
        Etat.HORS_DELAI,
        "Trop tard",
        "délai passé depuis le lundi 23 novembre à 12\u00a0h",
    ),
    "passé dès que le service commence": ({"maintenant": "2026-11-26T12:00"}, Etat.HORS_DELAI, "Passé", ""),
    "complet": ({"complet": True}, Etat.COMPLET, "Complet", "liste d'attente possible"),
    "complet et trop tard": (
        {"complet": True, "maintenant": "2026-11-24T12:00"},
        Etat.HORS_DELAI,
        "Trop tard",
        "délai passé depuis le lundi 23 novembre à 12\u00a0h",
    ),
    "fermé": ({"ferme": "grève"}, Etat.FERME, "Fermé", "grève"),
    "sans inscription": ({"inscrit": False}, Etat.FERME, "Fermé", "inscription à faire"),
    "réservé, annulable": (
        {"marques": reserve()},
        Etat.RESERVE,
        "Réservé",
        "annulable jusqu'au mercredi 25 novembre à 18\u00a0h",
    ),
    "réservé, annulable à la dernière seconde": (
        {"marques": reserve(), "maintenant": "2026-11-25T18:00"},
        Etat.RESERVE,
        "Réservé",
        "annulable jusqu'au mercredi 25 novembre à 18\u00a0h",
    ),
    "réservé, ne s'annule plus": (
        {"marques": reserve(), "maintenant": "2026-11-25T18:00:01"},
        Etat.RESERVE,
        "Réservé",
        "ne s'annule plus depuis le mercredi 25 novembre à 18\u00a0h",
    ),
    "réservé, commencé": ({"marques": reserve(), "maintenant": "2026-11-26T12:30"}, Etat.RESERVE, "Réservé", ""),
    "réservé un jour fermé depuis": (
        {"marques": reserve(), "ferme": "grève"},
        Etat.RESERVE,
        "Réservé",
        "annulable jusqu'au mercredi 25 novembre à 18\u00a0h",
    ),
    "réservé par l'autre foyer": (
        {"marques": Marques(reservation=3, famille=8)},
        Etat.RESERVE,
        "Réservé",
        "par l'autre foyer",
    ),
    "l'autre foyer a déclaré une absence": (
        {"marques": Marques(reservation=3, famille=8, absence="Enfant malade")},
        Etat.RESERVE,
        "Réservé",
        "par l'autre foyer",
    ),
    "l'absence de l'autre foyer attend la mairie": (
        {"marques": Marques(reservation=3, famille=8, demande="ABSENCE"), "feuille_close": True},
        Etat.RESERVE,
        "Réservé",
        "par l'autre foyer",
    ),
    "présent et réservé": ({"marques": reserve(presence="PRESENT")}, Etat.PRESENT_RESERVE, "Présent et réservé", ""),
    "présent sans réserver": ({"marques": Marques(presence="PRESENT")}, Etat.PRESENT, "Présent", ""),
    "absent pointé": ({"marques": reserve(presence="ABSENT")}, Etat.ABSENT, "Absent", "réservé, pas venu"),
    "absent, feuille close": (
        {"marques": reserve(), "feuille_close": True},
        Etat.ABSENT,
        "Absent",
        "réservé, pas venu",
    ),
    "absence déclarée": (
        {"marques": reserve(absence="Enfant malade")},
        Etat.ABSENCE,
        "Absence déclarée",
        "Enfant malade",
    ),
    "absence déclarée, feuille close": (
        {"marques": reserve(absence="Enfant malade"), "feuille_close": True},
        Etat.ABSENCE,
        "Absence déclarée",
        "Enfant malade",
    ),
    "demandé": ({"marques": Marques(demande="RESERVER")}, Etat.DEMANDE, "Demandé", "en attente de la mairie"),
    "absence demandée": (
        {"marques": reserve(demande="ABSENCE")},
        Etat.DEMANDE,
        "Demandé",
        "absence en attente de la mairie",
    ),
    "liste d'attente": ({"marques": Marques(attente=4, rang=2)}, Etat.ATTENTE, "Liste d'attente", "2e de la liste"),
    "place proposée": (
        {"marques": Marques(attente=4, rang=1, offerte_jusqu_au=instant("2026-11-24T09:00"))},
        Etat.ATTENTE,
        "Place proposée",
        "à prendre jusqu'au mardi 24 novembre à 9\u00a0h",
    ),
    "vu absent sans avoir réservé": (
        {"marques": Marques(presence="ABSENT")},
        Etat.LIBRE,
        "Libre",
        "jusqu'au lundi 23 novembre à 12\u00a0h",
    ),
}


@pytest.mark.parametrize("nom", CASES)
def test_la_case_dit_son_etat_son_mot_et_sa_phrase(nom):
    faits, etat, mot, phrase = CASES[nom]
    vue = case(contexte(**faits))
    assert (vue.etat, vue.mot, vue.phrase) == (etat, mot, phrase)


RESERVER_TARD = "Demande tardive, la mairie décide\u00a0: un repas demandé en retard est majoré de 50\u00a0%."
MENUS = {
    "libre": ({}, [(Geste.RESERVER, "jusqu'au lundi 23 novembre à 12\u00a0h", True)]),
    "trop tard": ({"maintenant": "2026-11-24T09:00"}, [(Geste.RESERVER, RESERVER_TARD, False)]),
    "commencé": ({"maintenant": "2026-11-26T12:00"}, []),
    "complet": ({"complet": True}, [(Geste.ATTENDRE, "jusqu'au lundi 23 novembre à 12\u00a0h", True)]),
    "complet et trop tard": ({"complet": True, "maintenant": "2026-11-24T09:00"}, []),
    "fermé": ({"ferme": "grève"}, []),
    "sans inscription": ({"inscrit": False}, []),
    "réservé": (
        {"marques": reserve()},
        [
            (Geste.ABSENCE, "jusqu'au jeudi 26 novembre à 12\u00a0h", True),
            (Geste.ANNULER, "jusqu'au mercredi 25 novembre à 18\u00a0h", True),
        ],
    ),
    "réservé, délai d'annulation passé": (
        {"marques": reserve(), "maintenant": "2026-11-26T08:00"},
        [(Geste.ABSENCE, "jusqu'au jeudi 26 novembre à 12\u00a0h", True)],
    ),
    "réservé, commencé": ({"marques": reserve(), "maintenant": "2026-11-26T12:00:01"}, []),
    "réservé par l'autre foyer": ({"marques": Marques(reservation=3, famille=8)}, []),
    "absence déclarée": (
        {"marques": reserve(absence="Enfant malade")},
        [(Geste.REVENIR, "jusqu'au jeudi 26 novembre à 12\u00a0h", True)],
    ),
    "demandé": ({"marques": Marques(demande="RESERVER")}, []),
    "présent": ({"marques": reserve(presence="PRESENT")}, []),
    "liste d'attente": ({"marques": Marques(attente=4, rang=2)}, [(Geste.QUITTER, "", True)]),
    "place proposée": (
        {"marques": Marques(attente=4, rang=1, offerte_jusqu_au=instant("2026-11-24T09:00"))},
        [(Geste.PRENDRE, "jusqu'au mardi 24 novembre à 9\u00a0h", True), (Geste.QUITTER, "", True)],
    ),
    "place proposée trop longtemps": (
        {"marques": Marques(attente=4, rang=1, offerte_jusqu_au=instant("2026-11-23T10:59"))},
        [(Geste.QUITTER, "", True)],
    ),
}


@pytest.mark.parametrize("nom", MENUS)
def test_le_menu_offre_ce_que_le_delai_permet(nom):
    faits, attendus = MENUS[nom]
    c = contexte(**faits)
    assert [(g.geste, g.phrase, g.direct) for g in gestes(c)] == attendus
    assert pourquoi_rien(c).endswith(".")


def test_un_service_valide_par_un_agent_ne_reserve_rien_de_lui_meme():
    c = replace(contexte(), offre=replace(CANTINE, validation="AGENT"))
    assert [(g.geste, g.direct, g.tardif) for g in gestes(c)] == [(Geste.RESERVER, False, False)]


def test_un_service_automatique_refuse_le_retard():
    c = replace(contexte("2026-11-24T09:00"), offre=replace(CANTINE, validation="AUTOMATIQUE"))
    assert gestes(c) == []
    assert pourquoi_rien(c) == (
        "Le délai est passé depuis le lundi 23 novembre à 12\u00a0h. Jusqu'à 12\u00a0h, 2 jours d'école avant."
    )


def test_une_regle_changee_en_cours_d_annee_vaut_pour_les_jours_reserves():
    """The rule is that of the day booked, not of the day one clicks."""
    nouvelle = {"type": "jours_avant", "n": 1, "heure": "10:00", "compte": "scolaires"}
    offre = replace(
        CANTINE,
        regles=(
            RegleDatee("RESERVER", AVANT_VEILLE, date(2020, 9, 1), date(2026, 11, 29)),
            RegleDatee("RESERVER", nouvelle, date(2026, 11, 30), None),
        ),
    )
    avant, apres = (replace(contexte(), offre=offre, jour=jour) for jour in (date(2026, 11, 27), date(2026, 11, 30)))
    assert case(avant).phrase == "jusqu'au mardi 24 novembre à 12\u00a0h"
    assert case(apres).phrase == "jusqu'au vendredi 27 novembre à 10\u00a0h"
    assert offre.regle("ANNULER", date(2026, 11, 30)) == nouvelle  # no rule of its own: as for reserving


OUVERTURE = AVANT_VEILLE | {
    "ouverture": {"residents": {"semaines": 6, "heure": "07:00"}, "autres": {"semaines": 1, "heure": "07:00"}}
}


@pytest.mark.parametrize(
    ("public", "maintenant", "etat", "mot"),
    [
        ("residents", "2026-11-18T12:00", Etat.LIBRE, "Libre"),
        ("autres", "2026-11-18T12:00", Etat.FERME, "Pas encore ouvert"),
        ("autres", "2026-11-19T06:59:59", Etat.FERME, "Pas encore ouvert"),
        ("autres", "2026-11-19T07:00", Etat.LIBRE, "Libre"),
    ],
)
def test_les_habitants_reservent_avant_les_autres(public, maintenant, etat, mot):
    offre = replace(CANTINE, regles=(RegleDatee("RESERVER", OUVERTURE, date(2020, 9, 1), None),))
    vue = case(replace(contexte(maintenant), offre=offre, public=public))
    assert (vue.etat, vue.mot) == (etat, mot)


@pytest.mark.parametrize(
    ("jour", "periode", "raison"),
    [
        (date(2026, 11, 26), "SCOLAIRE", ""),
        (date(2026, 11, 25), "SCOLAIRE", "pas de service le mercredi"),
        (date(2026, 11, 11), "SCOLAIRE", "jour férié"),
        (date(2026, 10, 20), "SCOLAIRE", "vacances scolaires"),
        (date(2026, 10, 20), "VACANCES", ""),
        (date(2026, 11, 1), "VACANCES", "pas de service le dimanche"),
        (date(2026, 11, 26), "VACANCES", "hors vacances"),
        (date(2026, 10, 20), "TOUTE", ""),
        (date(2026, 11, 26), "TOUTE", ""),
    ],
)
def test_un_service_se_tient_ses_jours_et_sa_periode(jour, periode, raison):
    assert ferme_ce_jour(replace(CANTINE, periode=periode), jour, CALENDRIER) == raison


@pytest.mark.parametrize(
    ("naissance", "jour", "dehors"),
    [
        (date(2023, 11, 27), date(2026, 11, 26), True),  # three tomorrow
        (date(2023, 11, 26), date(2026, 11, 26), False),
        (date(2014, 11, 27), date(2026, 11, 26), False),  # eleven for a day more
        (date(2014, 11, 26), date(2026, 11, 26), True),
        (None, date(2026, 11, 26), False),
    ],
)
def test_l_age_se_compte_le_jour_du_service(naissance, jour, dehors):
    assert hors_age(replace(CANTINE, age_min=3, age_max=11), naissance, jour) is dehors


@pytest.mark.parametrize(
    ("capacite", "tranches", "ages", "enfant", "complet"),
    [
        (None, (), [5] * 100, 5, False),
        (2, (), [5], 5, False),
        (2, (), [5, 8], 5, True),
        (10, ((3, 5, 2),), [4, 5, 8, 9], 5, True),
        (10, ((3, 5, 2),), [4, 5, 8, 9], 6, False),
        (None, ((3, 5, 1), (6, 11, 1)), [7, None], 4, False),
        (10, ((3, 5, 0),), [], None, False),
    ],
)
def test_les_places_se_comptent_aussi_par_age(capacite, tranches, ages, enfant, complet):
    assert Lieu(1, "Verger", frozenset(), capacite, tranches).est_complet(ages, enfant) is complet


def test_un_enfant_va_au_lieu_de_son_ecole_avant_celui_de_toutes():
    offre = replace(CANTINE, lieux=(Lieu(1, "Pour tous", frozenset(), None), Lieu(2, "Bourg", frozenset({4}), None)))
    assert [offre.lieu(ecole).nom for ecole in (4, 5, None)] == ["Bourg", "Pour tous", "Pour tous"]
    assert replace(offre, lieux=offre.lieux[1:]).lieu(5) is None
