"""A grid read back in French, and its brackets as an agent types them."""

from datetime import date
from decimal import Decimal

import pytest

from facturation.regles import tranches as saisie
from facturation.regles.grilles import Baremes, Cause, Grille, Majoration, Tranche, Unite
from facturation.regles.phrases import lire
from tests.facturation.tarifs_essai import fixe, grille, taux, tranches

CANTINE = tranches("400:1,20", "800:2,30", "3,40")
VOTE = {"deliberation": "2026-42", "votee_le": date(2026, 6, 12), "formules": {7: "Matin avec repas"}}

PHRASES = [
    (grille(fixe("3,40")), "chaque repas coûte 3,40 €."),
    (
        grille(CANTINE),
        "chaque repas coûte 1,20 € jusqu'au quotient 400, 2,30 € jusqu'à 800, 3,40 € au-delà et sans quotient.",
    ),
    (
        grille(taux("0,5", "1,50", "6")),
        "chaque repas coûte 0,5 % du quotient, au moins 1,50 €, au plus 6,00 € et sans quotient.",
    ),
    (
        grille(fixe("3,40"), pourcent_exterieur=Decimal(20), panier=fixe("1"), occasionnel=fixe("4")),
        "chaque repas coûte 3,40 € ; hors commune : + 20 % ; sans jours habituels : 4,00 € ; "
        "panier fourni par la famille (PAI) : 1,00 €.",
    ),
    (grille(fixe("3,40"), exterieur=fixe("5")), "chaque repas coûte 3,40 € ; hors commune : 5,00 €."),
    (
        grille(fixe("1"), unite=Unite.DUREE, mots=("demi-heure", "demi-heures"), tolerance=5),
        "chaque demi-heure (30 minutes commencées, 5 minutes de tolérance) coûte 1,00 €.",
    ),
    (grille(fixe("45"), unite=Unite.MOIS), "chaque mois, quel que soit le nombre de jours, coûte 45,00 €."),
    (grille(fixe("45"), unite=Unite.SEMAINE), "chaque semaine, quel que soit le nombre de jours, coûte 45,00 €."),
    (
        Grille("Restauration", mots=("jour", "jours"), formules=((7, Baremes(fixe("5"))),), semaine=(4, fixe("18"))),
        "chaque jour « Matin avec repas » coûte 5,00 € ; dès 4 jours dans la semaine, la semaine coûte 18,00 €.",
    ),
    (
        grille(fixe("3,40"), rangs=(Decimal(0), Decimal(20), Decimal(50))),
        "chaque repas coûte 3,40 € ; 2e enfant : − 20 % ; 3e enfant et suivants : − 50 %.",
    ),
    (
        grille(
            fixe("3,40"),
            majorations=(
                Majoration(Cause.RESERVE_TARD, pourcent=Decimal(50)),
                Majoration(Cause.SANS_RESERVATION, montant=Decimal(2), a_partir_de=2, double_des=3),
                Majoration(Cause.DEPART_TARDIF, montant=Decimal(5)),
            ),
        ),
        "chaque repas coûte 3,40 € ; réservé après le délai : + 50 % ; venu sans réservation : + 2,00 €, à partir de "
        "la 2e fois du mois, compté double à partir de la 3e fois ; départ après l'heure : + 5,00 € par quart d'heure.",
    ),
    (Grille("Restauration"), "aucun prix n'est donné."),
]


@pytest.mark.parametrize(("votee", "attendue"), PHRASES)
def test_une_grille_se_relit_en_francais(votee, attendue):
    phrase = lire(votee, du=date(2026, 9, 1), au=None, **VOTE).phrase.replace("\u00a0", " ")
    assert phrase == f"Restauration, à partir du 1er septembre 2026, délibération 2026-42 du 12 juin 2026 : {attendue}"


def test_une_grille_close_dit_ses_deux_bornes():
    lecture = lire(grille(fixe("1")), du=date(2026, 9, 1), au=date(2027, 8, 31), **VOTE)
    assert lecture.titre.startswith("Restauration, du 1er septembre 2026 au 31 août 2027, délibération")


# --- Typed -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "texte",
    [
        "400 : 1,20 / 800 : 2,30 / au-delà : 3,40",
        "400:1.2\n800:2,30€\r\nAU-DELÀ : 3,40 €\n",
        "400:1,20/800:2,3/au dela:3,4",
    ],
)
def test_les_tranches_se_lisent_comme_on_les_ecrit(texte):
    assert saisie.lire(texte) == CANTINE.tranches
    assert saisie.lire(saisie.ecrire(CANTINE.tranches)) == CANTINE.tranches


def test_un_grand_prix_et_un_quotient_a_centimes_se_relisent():
    lues = (Tranche(Decimal("812.5"), Decimal(0)), Tranche(None, Decimal("1234.5")))
    assert saisie.ecrire(lues).replace("\u00a0", " ") == "812,50 : 0,00 / au-delà : 1\u202f234,50"
    assert saisie.lire(saisie.ecrire(lues)) == lues


@pytest.mark.parametrize(
    ("texte", "phrase"),
    [
        ("", "Écrivez les tranches, par exemple « 400 : 1,20 / 800 : 2,30 / au-delà : 3,40 »."),
        ("400 : 1,20", "La dernière tranche est sans borne : « au-delà : 3,40 »."),
        ("au-delà : 1 / au-delà : 2", "« au-delà » ne s'écrit qu'une fois, à la fin."),
        ("400 : 1 / 400 : 2 / au-delà : 3", "Les quotients vont en montant : 400 vient après 400."),
        ("800 : 1 / 400 : 2 / au-delà : 3", "Les quotients vont en montant : 400 vient après 800."),
        ("400 1,20 / au-delà : 3", "« 400 1,20 » : écrivez le quotient, deux points, le prix."),
        ("quatre cents : 1,20 / au-delà : 3", "« quatre cents » n'est pas un quotient."),
        ("400 : 1,205 / au-delà : 3", "« 1,205 » n'est pas un prix."),
        ("400 : -1 / au-delà : 3", "« -1 » n'est pas un prix."),
        ("400 : 1 : 2 / au-delà : 3", "« 1 : 2 » n'est pas un prix."),
    ],
)
def test_des_tranches_douteuses_sont_refusees_avec_leur_raison(texte, phrase):
    with pytest.raises(saisie.TranchesIllisibles) as refus:
        saisie.lire(texte)
    assert str(refus.value).replace("\u00a0", " ") == phrase
