"""Dated quotients: one a day at most, a reminder before the end, the highest bracket after it."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from html import unescape

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from familles.actions import Periode, dernier_quotient, enregistrer_quotient, refuser_quotient
from familles.models import QuotientFamilial
from messagerie.models import Courriel, Fil
from portail.commune import Commune
from portail.echeances import rappeler_quotients

pytestmark = pytest.mark.django_db

FIN = date(2027, 8, 31)


@pytest.fixture
def famille(famille_martin):
    """A family without any quotient yet."""
    assert not famille_martin.quotients.exists()
    return famille_martin


def midi(jour, heure=11):
    """Noon of ``jour`` in winter, in Paris."""
    return datetime(jour.year, jour.month, jour.day, heure, tzinfo=UTC)


@pytest.fixture
def le(monkeypatch):
    """``le(date(2026, 11, 14))``: the day it is."""
    return lambda jour, heure=11: monkeypatch.setattr("django.utils.timezone.now", lambda: midi(jour, heure))


@pytest.fixture
def enregistrer(famille, comptes):
    """``enregistrer("900", du, au)``: an agent takes a quotient into the file."""

    def enregistrer(valeur, du=None, au=None):
        return enregistrer_quotient(
            famille,
            Decimal(valeur),
            source=QuotientFamilial.Source.ATTESTATION,
            mois=date(2026, 10, 1),
            periode=Periode(effet=du, expiration=au),
            par=comptes["agent"],
        )

    return enregistrer


def lignes(famille):
    quotients = famille.quotients.order_by("valable_du")
    return [(str(q.valeur), q.valable_du, q.valable_au) for q in quotients]


def ligne(famille, du, au, **autres):
    valeurs = {"valeur": Decimal("900"), "source": QuotientFamilial.Source.ATTESTATION, **autres}
    return QuotientFamilial(famille=famille, valable_du=du, valable_au=au, **valeurs)


# --- In the database ---------------------------------------------------------------------------------------

SEPTEMBRE, DECEMBRE = date(2026, 9, 1), date(2026, 12, 31)


@pytest.mark.parametrize(
    ("du", "au"),
    [
        (date(2026, 12, 31), date(2027, 8, 31)),  # the last day is included
        (date(2026, 8, 1), date(2026, 9, 1)),
        (date(2026, 10, 1), date(2026, 10, 1)),
        (date(2026, 8, 1), None),
    ],
)
def test_deux_quotients_ne_valent_pas_le_meme_jour(du, au, famille):
    ligne(famille, SEPTEMBRE, DECEMBRE).save()
    autre = ligne(famille, du, au)
    with pytest.raises(IntegrityError, match="un_quotient_par_jour"), transaction.atomic():
        autre.save()
    with pytest.raises(ValidationError, match="Un autre quotient vaut déjà pour une partie de cette période"):
        autre.full_clean(exclude=["saisi_par"])


def test_deux_quotients_se_suivent(famille, famille_durand):
    ligne(famille, SEPTEMBRE, DECEMBRE).save()
    ligne(famille, DECEMBRE + timedelta(days=1), None).save()
    ligne(famille, SEPTEMBRE - timedelta(days=9), SEPTEMBRE - timedelta(days=1)).save()
    assert len(lignes(famille)) == 3
    famille_durand.quotients.all().delete()
    ligne(famille_durand, SEPTEMBRE, DECEMBRE).save()  # another family's days are its own
    assert len(lignes(famille_durand)) == 1


@pytest.mark.parametrize(
    ("defaut", "contrainte"),
    [
        ({"valeur": None}, "quotient_valeur_selon_source"),
        ({"source": QuotientFamilial.Source.NON_COMMUNIQUE}, "quotient_valeur_selon_source"),
        ({"valable_au": date(2026, 8, 31)}, "quotient_dans_l_ordre"),
    ],
)
def test_un_quotient_incoherent_n_entre_pas(defaut, contrainte, famille):
    quotient = ligne(famille, SEPTEMBRE, DECEMBRE)
    for nom, valeur in defaut.items():
        setattr(quotient, nom, valeur)
    with pytest.raises(IntegrityError, match=contrainte), transaction.atomic():
        quotient.save()


# --- One after the other -----------------------------------------------------------------------------------


def test_le_precedent_finit_la_veille(enregistrer, famille):
    enregistrer("800", SEPTEMBRE, FIN)
    enregistrer("900", date(2027, 1, 1), FIN)
    assert lignes(famille) == [("800.00", SEPTEMBRE, DECEMBRE), ("900.00", date(2027, 1, 1), FIN)]


def test_un_precedent_sans_fin_finit_aussi_la_veille(enregistrer, famille):
    ligne(famille, SEPTEMBRE, None).save()
    enregistrer("950", date(2027, 1, 1), FIN)
    assert lignes(famille) == [("900.00", SEPTEMBRE, DECEMBRE), ("950.00", date(2027, 1, 1), FIN)]


def test_un_precedent_deja_fini_ne_bouge_pas(enregistrer, famille):
    enregistrer("800", date(2025, 9, 1), date(2026, 8, 31))
    enregistrer("900", date(2026, 12, 1), FIN)
    assert lignes(famille)[0] == ("800.00", date(2025, 9, 1), date(2026, 8, 31))


def test_celui_qui_devait_commencer_plus_tard_cede_la_place(enregistrer, famille):
    enregistrer("800", SEPTEMBRE, date(2026, 12, 31))
    enregistrer("850", date(2027, 1, 1), FIN)
    enregistrer("900", date(2026, 12, 1), FIN)
    assert lignes(famille) == [("800.00", SEPTEMBRE, date(2026, 11, 30)), ("900.00", date(2026, 12, 1), FIN)]


def test_corriger_le_jour_meme_remplace(enregistrer, famille):
    enregistrer("800", SEPTEMBRE, FIN)
    enregistrer("900", SEPTEMBRE, FIN)
    assert lignes(famille) == [("900.00", SEPTEMBRE, FIN)]


def test_les_quotients_d_une_autre_famille_ne_bougent_pas(enregistrer, famille, famille_durand):
    avant = lignes(famille_durand)
    enregistrer("900", date(2000, 1, 1), FIN)
    assert lignes(famille_durand) == avant != []


@pytest.mark.parametrize(
    ("jour", "heure", "mois_fin", "effet", "expiration"),
    [
        (date(2026, 11, 14), 11, 8, date(2026, 12, 1), date(2027, 8, 31)),
        (date(2026, 12, 15), 11, 8, date(2027, 1, 1), date(2027, 8, 31)),
        (date(2027, 7, 31), 11, 8, date(2027, 8, 1), date(2027, 8, 31)),
        (date(2027, 8, 31), 11, 8, date(2027, 9, 1), date(2028, 8, 31)),
        (date(2026, 11, 14), 11, 12, date(2026, 12, 1), date(2026, 12, 31)),
        (date(2026, 11, 30), 23, 8, date(2027, 1, 1), date(2027, 8, 31)),  # midnight has struck in Paris
    ],
)
def test_les_dates_d_un_quotient_sont_celles_de_la_commune(
    jour, heure, mois_fin, effet, expiration, le, enregistrer, famille
):
    commune = Commune.objects.get()
    commune.quotient_mois_fin = mois_fin
    commune.save()
    le(jour, heure)
    enregistrer("900")
    assert lignes(famille) == [("900.00", effet, expiration)]


def test_qui_ne_communique_pas_n_a_plus_de_valeur(enregistrer, famille, comptes):
    enregistrer("800", SEPTEMBRE, FIN)
    refuser_quotient(famille, par=comptes["agent"], periode=Periode(effet=date(2027, 1, 1), expiration=FIN))
    assert lignes(famille) == [("800.00", SEPTEMBRE, DECEMBRE), ("None", date(2027, 1, 1), FIN)]
    assert dernier_quotient(famille).source == "NON_COMMUNIQUE"


def test_une_date_d_effet_a_l_aube_des_temps_n_arrete_pas_l_agent(connecter, comptes, famille):
    connecter("martin").post("/mon-compte/caf/", {"quotient": "900", "mois": "01/2020"})
    demande = famille.demandes.get()
    decision = {"decision": "accepter", "version": "1", "source": "CDAP"}
    dates = {"effet": "0001-01-01", "expiration": "2027-08-31"}
    reponse = connecter("agent").post(f"/admin/demandes/demande/{demande.pk}/decider/", decision | dates)
    assert (reponse.status_code, lignes(famille)) == (422, [])


# --- The reminder and the end ------------------------------------------------------------------------------


def rappels(famille):
    return [fil.sujet for fil in Fil.objects.filter(famille=famille).order_by("pk")]


RAPPEL = "Votre quotient familial arrive à échéance"


def test_la_famille_est_rappelee_une_fois_trente_jours_avant(enregistrer, famille):
    enregistrer("900", SEPTEMBRE, FIN)
    vus = []
    for avant in (31, 30, 29, 1, 0):
        rappeler_quotients(maintenant=midi(FIN - timedelta(days=avant)))
        vus.append((avant, len(rappels(famille))))
    assert vus == [(31, 0), (30, 1), (29, 1), (1, 1), (0, 1)]
    assert rappels(famille) == [RAPPEL]


def test_une_horloge_restee_arretee_rappelle_encore_le_dernier_jour_mais_pas_apres(enregistrer, famille):
    enregistrer("900", SEPTEMBRE, FIN)
    rappeler_quotients(maintenant=midi(FIN + timedelta(days=1)))
    assert rappels(famille) == []
    rappeler_quotients(maintenant=midi(FIN))
    assert rappels(famille) == [RAPPEL]


def test_le_rappel_dit_quand_et_ou_mais_le_courriel_rien(enregistrer, famille):
    enregistrer("912.34", SEPTEMBRE, FIN)
    Courriel.objects.all().delete()
    rappeler_quotients(maintenant=midi(FIN - timedelta(days=10)))
    message = Fil.objects.get(famille=famille).messages.get()
    assert "mardi 31 août 2027" in message.corps
    assert "tranche la plus haute" in message.corps
    assert message.lien == "/mon-compte/caf/"
    courriel = Courriel.objects.get(destinataire="sophie.martin@famille.example")
    assert [dit for dit in ("912", "Sophie", "quotient", "échéance") if dit in courriel.objet + courriel.corps] == []


def test_sans_rappel_quand_le_suivant_est_connu(enregistrer, famille):
    enregistrer("900", SEPTEMBRE, FIN)
    enregistrer("950", FIN + timedelta(days=1), date(2028, 8, 31))
    rappeler_quotients(maintenant=midi(FIN - timedelta(days=20)))
    assert rappels(famille) == []


def test_sans_rappel_pour_qui_ne_communique_pas(famille, comptes):
    refuser_quotient(famille, par=comptes["agent"], periode=Periode(effet=SEPTEMBRE, expiration=FIN))
    rappeler_quotients(maintenant=midi(FIN - timedelta(days=20)))
    assert rappels(famille) == []


def test_apres_l_expiration_aucun_quotient_ne_vaut(enregistrer, famille, connecter, le):
    enregistrer("900", SEPTEMBRE, FIN)
    veille = SEPTEMBRE - timedelta(days=1)
    jours = [veille, SEPTEMBRE, FIN, FIN + timedelta(days=1)]
    assert [famille.quotients.en_vigueur(jour).count() for jour in jours] == [0, 1, 1, 0]

    def mon_compte(jour):
        le(jour)
        return unescape(connecter("martin").get("/mon-compte/").content.decode())

    aucun = "Aucun à ce jour : le tarif de la tranche la plus haute s'applique"
    assert [aucun in mon_compte(jour) for jour in (veille, FIN, FIN + timedelta(days=1))] == [True, False, True]
    assert "900,00" in mon_compte(FIN)
