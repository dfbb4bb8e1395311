"""What a child's file lacks, case by case; ``jour`` is 1 August 2027 unless told."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from enfants.regles.dossier import FaitsDossier, Manque, manques

JOUR = date(2027, 8, 1)
FIN = date(2027, 8, 31)  # 30 days later
COMPLET = FaitsDossier(
    ecole_connue=True,
    naissance_connue=True,
    contacts_urgence=1,
    documents={"VACCINS": None, "ASSURANCE": None},
    vaccins_etat="A_JOUR",
)


def avec(documents=(), **faits):
    """A complete file, but for these papers and facts."""
    return replace(COMPLET, documents={**COMPLET.documents, **dict(documents)}, **faits)


def sans(nature, **faits):
    return replace(COMPLET, documents={n: fin for n, fin in COMPLET.documents.items() if n != nature}, **faits)


@pytest.mark.parametrize(
    "faits",
    [
        COMPLET,
        avec(vaccins_manquants=3),  # the agent read them on the page
        avec({"PAI": date(2020, 1, 1)}),  # of a child that has no PAI any more
        avec({"PAI": None}, a_pai=True),
        avec(vaccins_etat=""),
        sans("VACCINS", vaccins_etat="CONTRE_INDICATION"),
        avec(vaccins_jusqu_au=date(2020, 1, 1)),
    ],
)
def test_un_dossier_complet_ne_demande_rien(faits):
    assert manques(faits, JOUR) == []


@pytest.mark.parametrize(
    ("faits", "manque"),
    [
        (avec(contacts_urgence=0), ("contacts", "Aucune autre personne à appeler en urgence", "autorisations", False)),
        (avec(naissance_connue=False), ("naissance", "Date de naissance inconnue", "etat-civil", False)),
        (avec(ecole_connue=False), ("ecole", "École inconnue", "etat-civil", False)),
        (sans("ASSURANCE"), ("assurance", "Attestation d'assurance manquante", "informations", False)),
        (
            sans("ASSURANCE", assurance_fin=date(2028, 8, 31)),  # a date typed is not the paper
            ("assurance", "Attestation d'assurance manquante", "informations", False),
        ),
        (avec(a_pai=True), ("pai", "Document du PAI manquant", "sante", True)),
        (sans("VACCINS"), ("vaccins-page", "Copie des pages de vaccination manquante", "sante", False)),
        (avec(vaccins_etat="", vaccins_manquants=2), ("vaccins", "Vaccins : 2 dates manquent", "sante", False)),
        (avec(vaccins_etat="", vaccins_manquants=1), ("vaccins", "Vaccins : 1 date manque", "sante", False)),
        (avec(vaccins_etat="PROVISOIRE"), ("vaccins", "Vaccins : à régulariser", "sante", False)),
        (
            avec(vaccins_etat="PROVISOIRE", vaccins_manquants=2, vaccins_jusqu_au=date(2027, 12, 1)),
            ("vaccins", "Vaccins : à régulariser au plus tard le 1er décembre 2027", "sante", False),
        ),
        (
            avec(vaccins_etat="PROVISOIRE", vaccins_jusqu_au=JOUR),
            ("vaccins", "Vaccins : à régulariser au plus tard le 1er août 2027", "sante", False),
        ),
        (
            avec(vaccins_etat="PROVISOIRE", vaccins_jusqu_au=date(2027, 7, 31)),
            ("vaccins", "Vaccins : à régulariser, le délai a pris fin le 31 juillet 2027", "sante", True),
        ),
    ],
)
def test_ce_qui_manque_se_dit_en_une_phrase(faits, manque):
    assert manques(faits, JOUR) == [Manque(*manque)]


ECHEANCES = [
    (
        avec({"ASSURANCE": FIN}),
        ("assurance", "L'attestation d'assurance", "informations"),
        ("expire le 31 août 2027", "a expiré le 31 août 2027"),
    ),
    (
        avec(assurance_fin=FIN),  # the paper is kept without its end
        ("assurance", "L'attestation d'assurance", "informations"),
        ("expire le 31 août 2027", "a expiré le 31 août 2027"),
    ),
    (
        avec({"PAI": FIN}, a_pai=True),
        ("pai", "Le PAI", "sante"),
        ("est à revoir avant le 31 août 2027", "était à revoir avant le 31 août 2027"),
    ),
    (
        avec({"VACCINS": FIN}),
        ("vaccins-page", "La copie des vaccinations", "sante"),
        ("expire le 31 août 2027", "a expiré le 31 août 2027"),
    ),
    (
        avec(vaccins_etat="CONTRE_INDICATION", vaccins_jusqu_au=FIN),
        ("vaccins", "La contre-indication aux vaccins", "sante"),
        ("expire le 31 août 2027", "a expiré le 31 août 2027"),
    ),
]


@pytest.mark.parametrize(("faits", "sujet", "verbes"), ECHEANCES)
def test_une_echeance_se_dit_trente_jours_avant_et_le_papier_vaut_son_dernier_jour(faits, sujet, verbes):
    code, nom, type_ = sujet
    expire = [Manque(code, f"{nom} {verbes[0]}", type_, False)]
    a_expire = [Manque(code, f"{nom} {verbes[1]}", type_, True)]
    vus = [manques(faits, FIN - timedelta(days=avant)) for avant in (31, 30, 0, -1)]
    assert vus == [[], expire, expire, a_expire]


def test_le_preavis_se_choisit():
    faits = avec({"ASSURANCE": FIN})
    jours = [FIN - timedelta(days=avant) for avant in (8, 7)]
    assert [len(manques(faits, jour, timedelta(days=7))) for jour in jours] == [0, 1]


def test_la_fin_ecrite_sur_le_papier_compte_plus_que_celle_du_dossier():
    assert manques(avec({"ASSURANCE": date(2028, 8, 31)}, assurance_fin=date(2026, 8, 31)), JOUR) == []


def test_tout_se_dit_et_l_urgent_d_abord():
    faits = FaitsDossier(
        ecole_connue=False,
        naissance_connue=False,
        documents={"ASSURANCE": date(2027, 7, 31)},
        a_pai=True,
        vaccins_manquants=11,
    )
    assert [(manque.code, manque.urgent) for manque in manques(faits, JOUR)] == [
        ("pai", True),
        ("assurance", True),
        ("contacts", False),
        ("vaccins-page", False),
        ("vaccins", False),
        ("naissance", False),
        ("ecole", False),
    ]
