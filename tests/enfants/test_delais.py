"""Deadlines: until when a day may be changed, in a table worked out by hand, and as parents and agents read it."""

import json
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from enfants.regles.dates import JOURS
from enfants.regles.delais import RECUL, limite, ouverture, permis, phrase, valider
from tests.enfants.calendriers import CALENDRIERS, TOUSSAINT, calendrier

B = CALENDRIERS["B"]
PARIS = ZoneInfo("Europe/Paris")
SECONDE = timedelta(seconds=1)
SCOLAIRES = {"type": "jours_avant", "n": 2, "heure": "12:00", "compte": "scolaires"}
PERIODE = {"type": "periode", "avant_jours": 21, "heure": "18:00"}


def cas():
    """Each line of the table: calendar, rule, day and limit, the weekdays checked."""
    table = (Path(__file__).parent / "delais.txt").read_text()
    for ligne in table.splitlines():
        if ligne.startswith(";"):
            continue
        if not ligne.startswith(" "):
            nom, titre, regle = ligne.split(" | ")
            continue
        semaine, texte, *fin = ligne.split()
        jour = date.fromisoformat(texte)
        assert JOURS[jour.weekday()].startswith(semaine), ligne
        if fin != ["fermé"]:
            assert JOURS[date.fromisoformat(fin[1][:10]).weekday()].startswith(fin[0]), ligne
        yield pytest.param(nom, json.loads(regle), jour, fin[-1], id=f"{nom}: {titre}, {texte}")


CAS = list(cas())


def test_la_table_a_au_moins_250_cas():
    assert len(CAS) == 373
    assert len({cas.id for cas in CAS}) == len(CAS)


@pytest.mark.parametrize(("nom", "regle", "jour", "attendue"), CAS)
def test_la_limite_et_la_seconde_d_avant_sont_permises_la_seconde_d_apres_refusee(nom, regle, jour, attendue):
    trouvee = limite(regle, jour, CALENDRIERS[nom])
    assert valider(regle) == []
    if attendue == "fermé":
        assert trouvee is None
        assert permis(regle, jour, CALENDRIERS[nom], datetime(2020, 1, 1, tzinfo=UTC)) is False
        return
    assert trouvee.isoformat() == attendue
    assert trouvee.tzinfo is CALENDRIERS[nom].fuseau
    instant = datetime.fromisoformat(attendue)  # a fixed offset: nothing of the commune's time zone is asked
    instants = [instant - SECONDE, instant, instant + SECONDE]
    for fuseau in (UTC, PARIS, CALENDRIERS[nom].fuseau):
        reponses = [permis(regle, jour, CALENDRIERS[nom], moment.astimezone(fuseau)) for moment in instants]
        assert reponses == [True, True, False], fuseau


def test_la_journee_entiere_dure_jusqu_a_minuit():
    regle = {"type": "jours_avant", "n": 1, "heure": "23:59", "compte": "calendaires"}
    minuit = datetime(2026, 11, 26, tzinfo=PARIS)
    assert permis(regle, date(2026, 11, 26), B, minuit - timedelta(microseconds=1)) is True
    assert permis(regle, date(2026, 11, 26), B, minuit) is False


def test_la_seconde_fois_qu_il_est_deux_heures_vient_apres_la_premiere():
    """02:15 for the second time is after 02:30 for the first, though a clock shows less."""
    regle = {"type": "jours_avant", "n": 1, "heure": "02:30", "compte": "calendaires"}
    avant = datetime(2026, 10, 25, 2, 15, tzinfo=PARIS)
    assert [permis(regle, date(2026, 10, 26), B, avant.replace(fold=fold)) for fold in (0, 1)] == [True, False]


def test_un_instant_sans_fuseau_ne_se_devine_pas():
    with pytest.raises(TypeError):
        permis(SCOLAIRES, date(2026, 11, 26), B, datetime(2026, 11, 24, 12))  # noqa: DTZ001


def test_une_regle_changee_en_cours_d_annee():
    """Rules are dated: each is asked for its own days, and neither knows the other."""
    ancienne, nouvelle = SCOLAIRES, {**SCOLAIRES, "n": 1, "heure": "18:00"}
    assert limite(ancienne, date(2026, 12, 18), B) == datetime(2026, 12, 15, 12, tzinfo=PARIS)
    assert limite(nouvelle, date(2027, 1, 4), B) == datetime(2026, 12, 18, 18, tzinfo=PARIS)


def test_on_ne_cherche_pas_un_jour_d_ecole_au_dela_du_recul():
    """Holidays of RECUL - 1 days leave one day to find; a day more of them, none."""
    jour, regle = date(2026, 11, 26), {**SCOLAIRES, "n": 1}
    tous_les_jours = range(7)

    def calendrier_en_vacances(depuis):
        vacances = [(jour - timedelta(days=depuis), jour)]
        return calendrier(vacances=vacances, jours_service=tous_les_jours)

    premier = jour - timedelta(days=RECUL)
    assert limite(regle, jour, calendrier_en_vacances(RECUL - 1)) == datetime.combine(premier, time(12), PARIS)
    assert limite(regle, jour, calendrier_en_vacances(RECUL)) is None


def test_trente_mercredis_d_ecole_se_trouvent_toujours():
    """The longest count that ``valider`` accepts, with one weekday: 30 Wednesdays back through a year's holidays."""
    regle = {**SCOLAIRES, "n": 30, "jours_comptes": [2]}
    assert valider(regle) == []
    assert limite(regle, date(2027, 9, 1), B) == datetime(2026, 10, 7, 12, tzinfo=PARIS)


def test_de_deux_vacances_qui_se_recouvrent_la_premiere_compte():
    deux = calendrier(vacances=[TOUSSAINT, (date(2026, 10, 10), date(2026, 11, 8))])
    assert limite(PERIODE, date(2026, 10, 21), deux) == datetime(2026, 9, 26, 18, tzinfo=PARIS)
    assert limite(PERIODE, date(2026, 11, 4), deux) == datetime(2026, 9, 19, 18, tzinfo=PARIS)


# --- Opening -------------------------------------------------------------------------------------------------

SIX_SEMAINES, TRENTE_JOURS = {"semaines": 6, "heure": "07:00"}, {"jours": 30, "heure": "08:30"}
LE_21, LE_28 = {"date": "2026-08-21", "heure": "07:00"}, {"date": "2026-08-28", "heure": "07:00"}


@pytest.mark.parametrize(
    ("regle", "residents", "autres", "jour", "attendues"),
    [
        (
            SCOLAIRES,
            SIX_SEMAINES,
            TRENTE_JOURS,
            "2026-11-26",
            ("2026-10-15T07:00:00+02:00", "2026-10-27T08:30:00+01:00"),
        ),
        (SCOLAIRES, LE_21, LE_28, "2026-11-26", ("2026-08-21T07:00:00+02:00", "2026-08-28T07:00:00+02:00")),
        # before the first day of the holidays, not before the day
        (PERIODE, SIX_SEMAINES, TRENTE_JOURS, "2026-10-28", ("2026-09-05T07:00:00+02:00", "2026-09-17T08:30:00+02:00")),
        (PERIODE, LE_21, LE_28, "2026-10-28", ("2026-08-21T07:00:00+02:00", "2026-08-28T07:00:00+02:00")),
        (PERIODE, SIX_SEMAINES, TRENTE_JOURS, "2026-11-26", (None, None)),
        # opening hours are the minute said, and follow the clocks like the others
        (
            SCOLAIRES,
            {"jours": 1, "heure": "23:59"},
            {"jours": 1, "heure": "02:30"},
            "2027-03-29",
            ("2027-03-28T23:59:00+02:00", "2027-03-28T03:30:00+02:00"),
        ),
        (
            {"type": "aucune"},
            {"semaines": 0, "heure": "00:00"},
            {"jours": 1, "heure": "02:30"},
            "2026-10-26",
            ("2026-10-26T00:00:00+01:00", "2026-10-25T02:30:00+02:00"),
        ),
    ],
)
def test_l_ouverture_depend_du_public(regle, residents, autres, jour, attendues):
    regle = {**regle, "ouverture": {"residents": residents, "autres": autres}}
    assert valider(regle) == []
    moments = [ouverture(regle, date.fromisoformat(jour), B, public) for public in ("residents", "autres")]
    assert tuple(moment and moment.isoformat() for moment in moments) == attendues


def test_l_ouverture_ne_change_pas_la_limite():
    regle = {**SCOLAIRES, "ouverture": {"residents": LE_21, "autres": LE_28}}
    jour = date(2026, 11, 26)
    assert limite(regle, jour, B) == limite(SCOLAIRES, jour, B)
    assert permis(regle, jour, B, datetime(2026, 1, 1, tzinfo=PARIS)) is True


def test_sans_ouverture_rien_n_attend():
    assert ouverture(SCOLAIRES, date(2026, 11, 26), B, "residents") is None


def test_un_public_inconnu_se_voit():
    with pytest.raises(KeyError):
        ouverture({**SCOLAIRES, "ouverture": {"residents": LE_21, "autres": LE_28}}, date(2026, 11, 26), B, "tous")


# --- In words ------------------------------------------------------------------------------------------------


def avant(n, compte, heure="12:00", **reste):
    return {"type": "jours_avant", "n": n, "heure": heure, "compte": compte, **reste}


def semaine(n, jour=1, heure="23:59"):
    return {"type": "semaine", "avant": n, "jour": jour, "heure": heure}


def mois(jour, heure="12:00"):
    return {"type": "mois", "jour": jour, "heure": heure}


def table(**jours):
    """``table(j0=[-3, "09:00"])``: by weekday."""
    return {"type": "table", "jours": {nom[1]: ligne for nom, ligne in jours.items()}}


def ouverte(regle, residents, autres):
    return {**regle, "ouverture": {"residents": residents, "autres": autres}}


@pytest.mark.parametrize(
    ("regle", "attendue"),
    [
        (avant(0, "calendaires", "09:00"), "Jusqu'à 9 h le jour même."),
        (avant(1, "calendaires", "18:00"), "Jusqu'à 18 h la veille."),
        (avant(2, "calendaires"), "Jusqu'à 12 h, 2 jours avant."),
        (avant(2, "calendaires", jours_comptes=[0]), "Jusqu'à 12 h, 2 jours avant."),
        (avant(0, "ouvres"), "Jusqu'à 12 h le jour même."),
        (avant(1, "ouvres", "10:30"), "Jusqu'à 10 h 30 le jour ouvré précédent."),
        (avant(2, "ouvres"), "Jusqu'à 12 h, 2 jours ouvrés avant."),
        (
            avant(2, "ouvres", jours_comptes=[3, 0, 1, 4]),
            "Jusqu'à 12 h, 2 jours ouvrés avant (jours comptés : lundi, mardi, jeudi et vendredi).",
        ),
        (avant(1, "scolaires", "23:59"), "Jusqu'à 23 h 59 le jour d'école précédent."),
        (avant(2, "scolaires"), "Jusqu'à 12 h, 2 jours d'école avant."),
        (
            avant(2, "scolaires", jours_comptes=[2]),
            "Jusqu'à 12 h, 2 jours d'école avant (jours comptés : mercredi).",
        ),
        (avant(0, "francs"), "Jusqu'à 12 h la veille."),
        (avant(1, "francs"), "Jusqu'à 12 h, 2 jours avant (1 jour franc)."),
        (avant(2, "francs"), "Jusqu'à 12 h, 3 jours avant (2 jours francs)."),
        ({"type": "heures_avant", "n": 0}, "Jusqu'au début du service."),
        ({"type": "heures_avant", "n": 1}, "Jusqu'à 1 heure avant le début du service."),
        ({"type": "heures_avant", "n": 72}, "Jusqu'à 72 heures avant le début du service."),
        (semaine(0), "Jusqu'au mardi 23 h 59 de la même semaine."),
        (semaine(1), "Jusqu'au mardi 23 h 59 de la semaine précédente."),
        (semaine(2, 4, "12:00"), "Jusqu'au vendredi 12 h, 2 semaines avant celle du jour choisi."),
        (
            table(j0=[-3, "09:00"], j1=[-4, "09:00"], j3=[-2, "09:00"], j4=[-3, "09:00"]),
            "Pour le lundi et le mardi, jusqu'au vendredi précédent à 9 h ; pour le jeudi et le vendredi, "
            "jusqu'au mardi précédent à 9 h ; les autres jours sont fermés.",
        ),
        (
            table(**{f"j{jour}": [-1, "18:00"] for jour in range(7)}),
            "Pour le lundi, le mardi, le mercredi, le jeudi, le vendredi, le samedi et le dimanche, "
            "jusqu'à 18 h la veille.",
        ),
        (
            table(j2=[0, "07:05"], j5=[-7, "00:00"], j6=[-9, "12:00"]),
            "Pour le mercredi, jusqu'à 7 h 05 le jour même ; pour le samedi, jusqu'au samedi précédent à 0 h ; "
            "pour le dimanche, jusqu'au vendredi à 12 h, 9 jours avant ; les autres jours sont fermés.",
        ),
        (mois(1), "Jusqu'au 1er du mois précédent à 12 h."),
        (mois(20), "Jusqu'au 20 du mois précédent à 12 h."),
        (mois(28), "Jusqu'au 28 du mois précédent à 12 h."),
        (mois(29), "Jusqu'au 29 du mois précédent (à défaut, son dernier jour) à 12 h."),
        (mois(30), "Jusqu'au 30 du mois précédent (à défaut, son dernier jour) à 12 h."),
        (mois(31), "Jusqu'au dernier jour du mois précédent à 12 h."),
        ({**PERIODE, "avant_jours": 0}, "Jusqu'à 18 h le premier jour des vacances."),
        ({**PERIODE, "avant_jours": 1}, "Jusqu'à 18 h la veille du premier jour des vacances."),
        (PERIODE, "Jusqu'à 18 h, 21 jours avant le premier jour des vacances."),
        ({"type": "aucune"}, "Jusqu'au début du service."),
        (
            ouverte(avant(1, "calendaires", "09:00"), SIX_SEMAINES, SIX_SEMAINES),
            "Jusqu'à 9 h la veille. Ouverture 6 semaines avant à 7 h.",
        ),
        (
            ouverte(SCOLAIRES, LE_21, LE_28),
            "Jusqu'à 12 h, 2 jours d'école avant. Ouverture pour les habitants le 21 août 2026 à 7 h ; "
            "pour les autres familles le 28 août 2026 à 7 h.",
        ),
        (
            ouverte(PERIODE, SIX_SEMAINES, {"jours": 1, "heure": "07:30"}),
            "Jusqu'à 18 h, 21 jours avant le premier jour des vacances. Ouverture pour les habitants 6 semaines avant "
            "le premier jour des vacances à 7 h ; pour les autres familles 1 jour avant le premier jour des vacances "
            "à 7 h 30.",
        ),
        (
            ouverte(PERIODE, {"jours": 0, "heure": "07:00"}, {"semaines": 1, "heure": "07:00"}),
            "Jusqu'à 18 h, 21 jours avant le premier jour des vacances. Ouverture pour les habitants le premier jour "
            "des vacances à 7 h ; pour les autres familles 1 semaine avant le premier jour des vacances à 7 h.",
        ),
        (
            ouverte({"type": "aucune"}, {"jours": 0, "heure": "07:00"}, {"jours": 0, "heure": "07:00"}),
            "Jusqu'au début du service. Ouverture le jour même à 7 h.",
        ),
    ],
)
def test_la_regle_se_dit_aux_parents(regle, attendue):
    """The hours and the signs of two parts hold together; here they are typed with plain spaces."""
    assert valider(regle) == []
    assert phrase(regle).replace("\u00a0", " ") == attendue


def test_les_heures_et_les_signes_ne_se_coupent_pas_en_fin_de_ligne():
    assert phrase(semaine(1)) == "Jusqu'au mardi 23\u00a0h\u00a059 de la semaine précédente."
    assert phrase(table(j0=[-3, "09:00"])) == (
        "Pour le lundi, jusqu'au vendredi précédent à 9\u00a0h\u00a0; les autres jours sont fermés."
    )
