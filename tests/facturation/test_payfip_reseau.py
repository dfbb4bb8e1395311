"""The call to PayFiP's web service: what is believed of an answer, and of none."""

import io
from datetime import UTC, datetime
from email.message import Message
from http.client import IncompleteRead
from urllib.error import URLError
from urllib.request import HTTPSHandler
from urllib.response import addinfourl

import pytest

from facturation import payfip
from facturation.payfip import PayFipIndisponible
from facturation.regles import simulation
from facturation.regles.payfip import Issue

OPERATION = "0b6a3a3e-0000-4000-8000-000000000001"
MIDI = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def internet(settings, monkeypatch):
    """``internet(status, body or error, **headers)``: PayFiP answers this; the requests that left."""
    settings.PAYFIP_MODE, settings.PAYFIP_BASE_URL = "reel", "https://payfip.example/tpa"
    parties = []

    def repondre(statut, corps, **entetes):
        class Faux(HTTPSHandler):
            def https_open(self, requete):
                parties.append((requete.full_url, requete.get_header("Soapaction"), requete.timeout))
                if isinstance(corps, Exception):
                    raise corps
                dits = Message()
                for nom, valeur in entetes.items():
                    dits[nom] = valeur
                reponse = addinfourl(io.BytesIO(corps), dits, requete.full_url, statut)
                reponse.msg = "Essai"
                return reponse

        faux = Faux()
        faux.add_parent(payfip.OUVREUR)
        monkeypatch.setitem(payfip.OUVREUR.handle_open, "https", [faux])
        return parties

    return repondre


def demander():
    return payfip.resultat(OPERATION, demandee_le=MIDI, maintenant=MIDI)


def test_une_faute_de_payfip_arrive_avec_le_statut_500_et_se_lit(internet):
    parties = internet(500, simulation.faute("P5", "Résultat de la transaction non connu."))
    assert demander() == Issue.INCONNU
    assert parties == [("https://payfip.example/tpa/services/securite", '""', 5)]


@pytest.mark.parametrize(
    ("statut", "corps", "entetes"),
    [
        (302, b"", {"Location": "https://ailleurs.example/"}),
        (503, b"", {}),
        (404, simulation.faute("P1", "IdOp incorrect."), {}),
        (200, b"<html>Maintenance</html>", {}),
        (200, simulation.faute("P1", "x" * 70_000), {}),
        (200, URLError("timed out"), {}),
        (200, TimeoutError(), {}),
        (200, IncompleteRead(b""), {}),
    ],
    ids=["detour", "503", "404", "page", "trop-long", "dns", "lent", "coupe"],
)
def test_ce_qui_n_est_pas_une_reponse_est_une_panne_et_rien_n_est_suivi(statut, corps, entetes, internet):
    parties = internet(statut, corps, **entetes)
    with pytest.raises(PayFipIndisponible):
        demander()
    assert len(parties) == 1


def test_payfip_ne_s_appelle_qu_en_https(internet, settings):
    parties = internet(200, b"")
    settings.PAYFIP_BASE_URL = "http://payfip.example/tpa"
    with pytest.raises(PayFipIndisponible, match="https"):
        demander()
    assert parties == []
