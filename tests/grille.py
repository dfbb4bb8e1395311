"""The planning as a parent reads it: the cells that its pages print."""

from datetime import date
from html import unescape
from html.parser import HTMLParser
from typing import NamedTuple

from enfants.models import Enfant, Place, Reservation, Service


class Vue(NamedTuple):
    """A cell as it is printed."""

    etat: str
    mot: str
    phrase: str
    lien: str


class _Lecteur(HTMLParser):
    def __init__(self):
        super().__init__()
        self.cases, self._cle, self._dans = {}, None, ""

    def handle_starttag(self, balise, attributs):
        a = dict(attributs)
        if "data-jour" in a:
            self._cle, self._balise = (a["data-jour"], a["data-service"]), balise
            assert self._cle not in self.cases, "case imprimée deux fois"
            self.cases[self._cle] = {"etat": a["data-etat"], "em": "", "b": "", "i": "", "lien": a.get("href", "")}
        elif self._cle and balise in ("em", "b", "i"):
            self._dans = balise

    def handle_endtag(self, balise):
        if self._cle and balise == self._balise:
            self._cle = None
        elif balise == self._dans:
            self._dans = ""

    def handle_data(self, texte):
        if self._cle and self._dans:
            self.cases[self._cle][self._dans] += texte


def texte(reponse) -> str:
    return unescape(reponse.content.decode())


def cases(reponse) -> dict[tuple[str, str], Vue]:
    """(day, service) -> cell of the page of a month."""
    assert reponse.status_code == 200
    lecteur = _Lecteur()
    lecteur.feed(reponse.content.decode())
    return {cle: Vue(c["etat"], c["b"], c["i"], c["lien"]) for cle, c in lecteur.cases.items()}


def annonces(reponse) -> list[str]:
    """What the messages at the head of the page say."""
    return [str(message) for message in reponse.context["messages"]]


def adresse(prenom, suite="") -> str:
    return f"/mes-enfants/{Enfant.objects.get(prenom=prenom).uuid}/{suite}"


def place(service: str, jour: date, enfant: Enfant) -> Place:
    """The day of the service where this child goes."""
    service = Service.objects.get(code=service)
    lieux = service.implantations.order_by("pk")
    lieu = lieux.filter(ecoles=enfant.ecole_id).first() or lieux.first()
    return Place.objects.get_or_create(service=service, site=lieu.site, jour=jour)[0]


def reserver(compte, prenom, jour: date, service="restauration", **colonnes) -> Reservation:
    """Booked long ago, whatever the deadline."""
    enfant = Enfant.objects.get(prenom=prenom)
    lieu = place(service, jour, enfant)
    return Reservation.objects.create(
        enfant=enfant,
        famille=compte.adulte.famille,
        service=lieu.service,
        jour=jour,
        place=lieu,
        reservee_par=compte,
        **colonnes,
    )
