"""PayFiP as its specification says it: what is asked of it, what it answers. Pure: no network, no clock, no database.

Three products share the words: the page where a family types a reference, the redirection to ``paiement.web``, the
web service of the régies (SOAP 1.1). Amounts travel in cents; an answer by redirection is not signed, and only says
that something may have happened.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from urllib.parse import urlencode
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

MINIMUM, MAXIMUM = Decimal("1.00"), Decimal("9999.99")  # euros, in one payment
PARIS = ZoneInfo("Europe/Paris")
JOURS_OUVERTS = 30  # after the due date, unless the régie says otherwise: notice, « Relevé de compte »
DUREE_OPERATION = timedelta(minutes=15)  # of an address of the web service
DELAI_RESULTAT = timedelta(hours=2)  # past it, an unknown result is one that never came

ESPACE = "http://securite.service.tpa.cp.finances.gouv.fr/services/mas_securite/contrat_paiement_securise/PaiementSecuriseService"
ENVELOPPE = "http://schemas.xmlsoap.org/soap/envelope/"


class DemandeInvalide(Exception):
    """PayFiP would refuse it; the text says what to mend, to an agent."""


class ReponseIllisible(Exception):
    """What came back is not what PayFiP sends."""


class Saisie(StrEnum):
    """The « saisie » parameter: what the payment is worth."""

    TEST = "T"
    ACTIVATION = "X"
    PRODUCTION = "A"
    SERVICE = "W"  # production of the web service


class Issue(StrEnum):
    """What became of a payment."""

    PAYE = "PAYE"
    REFUSE = "REFUSE"
    ABANDONNE = "ABANDONNE"
    INCONNU = "INCONNU"  # not known yet
    PERIME = "PERIME"  # will never be known


class Moyen(StrEnum):
    CARTE = "CARTE"
    PRELEVEMENT = "PRELEVEMENT"


# resultrans -> what became of it, and by which means.
RESULTATS = {
    "P": (Issue.PAYE, Moyen.CARTE),
    "V": (Issue.PAYE, Moyen.PRELEVEMENT),
    "R": (Issue.REFUSE, Moyen.CARTE),
    "Z": (Issue.REFUSE, Moyen.PRELEVEMENT),
    "A": (Issue.ABANDONNE, None),
}
# Codes of the web service that say what became of an operation, rather than that we were wrong.
ISSUES_DES_FAUTES = {"P1": Issue.PERIME, "P4": Issue.PERIME, "P5": Issue.INCONNU}


@dataclass(frozen=True)
class Paiement:
    """What is asked of PayFiP.

    :param numcli: number of the régie's or the product's client, six digits, zeros first.
    :param exercice: budget year of the debt.
    :param refdet: reference of the debt, 6 to 30 letters or digits.
    :param montant: euros.
    :param retour: where PayFiP tells the result; the address the family comes back to is ``suite``, of the web
        service alone.
    """

    numcli: str
    exercice: int
    refdet: str
    montant: Decimal
    courriel: str
    saisie: Saisie
    objet: str = ""
    retour: str = ""
    suite: str = ""

    def controler(self) -> None:
        """:raises DemandeInvalide: the first parameter that PayFiP would refuse, in words."""
        defauts = [
            (not re.fullmatch(r"[0-9]{6}", self.numcli), "Le numéro de client PayFiP compte six chiffres."),
            (not re.fullmatch(r"[A-Za-z0-9]{6,30}", self.refdet), "La référence compte de 6 à 30 lettres ou chiffres."),
            (self.montant != self.montant.quantize(Decimal("0.01")), "Le montant se compte en centimes entiers."),
            (not MINIMUM <= self.montant <= MAXIMUM, "PayFiP accepte de 1,00 à 9\u202f999,99\u00a0€ par paiement."),
            (not 6 <= len(self.courriel) <= 80 or "@" not in self.courriel, "Une adresse e-mail est nécessaire."),
            (not 1000 <= self.exercice <= 9999, "L'exercice compte quatre chiffres."),
            (any(len(url) >= 250 for url in (self.retour, self.suite)), "L'adresse de retour est trop longue."),
        ]
        for est_vrai, phrase in defauts:
            if est_vrai:
                raise DemandeInvalide(phrase)


@dataclass(frozen=True)
class Resultat:
    """What PayFiP says of a payment.

    :param le: when it was made, in Paris; None where it was not.
    """

    numcli: str
    refdet: str
    montant: Decimal
    saisie: str
    issue: Issue
    moyen: Moyen | None = None
    autorisation: str = ""
    le: datetime | None = None
    objet: str = ""

    def concerne(self, paiement: Paiement) -> bool:
        """Does it answer this? Debtor, amount and worth must be those that were sent; the year may come back cut."""
        envoye = (paiement.numcli, paiement.refdet, paiement.montant, paiement.saisie)
        return (self.numcli, self.refdet, self.montant, self.saisie) == envoye


# --- References and dates --------------------------------------------------------------------------------


def objet(texte: str) -> str:
    """The subject as PayFiP takes it: ASCII letters, digits and spaces, 99 at most."""
    sans_accents = unicodedata.normalize("NFKD", texte).encode("ascii", "ignore").decode()
    return " ".join(re.sub(r"[^A-Za-z0-9]+", " ", sans_accents).split())[:99].strip()


def centimes(montant: Decimal) -> str:
    """« 350 » for 3,50 €, three digits at least."""
    return f"{int(montant * 100):03d}"


def est_payable(echeance: date, aujourdhui: date, jours: int = JOURS_OUVERTS) -> bool:
    """May an invoice still be paid on line: until so many days after its due date, that day included."""
    return aujourdhui <= echeance + timedelta(days=jours)


# --- The redirection -------------------------------------------------------------------------------------


def adresse_de_redirection(base: str, paiement: Paiement) -> str:
    """The address of PayFiP that shows this payment.

    :param base: « https://www.payfip.gouv.fr/tpa » or the simulator's.
    :raises DemandeInvalide: PayFiP would refuse it.
    """
    paiement.controler()
    parametres = {
        "numcli": paiement.numcli,
        "exer": paiement.exercice,
        "refdet": paiement.refdet,
        "objet": objet(paiement.objet),
        "montant": centimes(paiement.montant),
        "mel": paiement.courriel,
        "urlcl": paiement.retour,
        "saisie": paiement.saisie,
    }
    return f"{base}/paiement.web?{urlencode({nom: valeur for nom, valeur in parametres.items() if valeur})}"


def lire_notification(champs: dict[str, str]) -> Resultat:
    """What a notice says. Anybody may have written it: match it to a payment that was asked.

    :raises ReponseIllisible: a field is missing or is none of PayFiP's.
    """
    try:
        issue, moyen = RESULTATS[champs["resultrans"]]
        if not re.fullmatch(r"[0-9]{1,9}", champs["montant"]):
            raise ReponseIllisible("montant")
        return Resultat(
            numcli=champs["numcli"][:6],
            refdet=champs["refdet"][:30],
            montant=Decimal(champs["montant"]) / 100,
            saisie=champs["saisie"][:1],
            issue=issue,
            moyen=moyen,
            autorisation=champs.get("numauto", "")[:16],
            le=_instant(champs.get("dattrans", ""), champs.get("heurtrans", "")),
            objet=champs.get("objet", "")[:99],
        )
    except KeyError as erreur:
        raise ReponseIllisible(str(erreur)) from None


def _instant(jour, heure):
    """JJMMAAAA and HHMM of Paris; None where they are not there."""
    try:
        return datetime.strptime(f"{jour}{heure or '0000'}", "%d%m%Y%H%M").replace(tzinfo=PARIS) if jour else None
    except ValueError:
        raise ReponseIllisible("dattrans") from None


# --- The web service -------------------------------------------------------------------------------------


def creer_operation(paiement: Paiement) -> bytes:
    """The SOAP message that asks for an operation; the answer holds its ``idOp``.

    :raises DemandeInvalide: PayFiP would refuse it.
    """
    paiement.controler()
    return _message(
        "creerPaiementSecurise",
        exer=str(paiement.exercice),
        mel=paiement.courriel,
        montant=centimes(paiement.montant),
        numcli=paiement.numcli,
        objet=objet(paiement.objet),
        refdet=paiement.refdet,
        saisie=paiement.saisie,
        urlnotif=paiement.retour,
        urlredirect=paiement.suite,
    )


def demander_resultat(operation: str) -> bytes:
    """The SOAP message that asks what became of an operation."""
    return _message("recupererDetailPaiementSecurise", idOp=operation)


def adresse_de_l_operation(base: str, operation: str) -> str:
    """Where the family pays an operation, once, within a quarter of an hour."""
    return f"{base}/paiementws.web?{urlencode({'idop': operation})}"


def lire_operation(reponse: bytes) -> str:
    """The ``idOp`` of an operation that was created.

    :raises DemandeInvalide: PayFiP refused it, in its words.
    :raises ReponseIllisible: no answer of PayFiP.
    """
    champs, faute = _lire(reponse)
    if faute:
        raise DemandeInvalide(f"PayFiP refuse le paiement ({faute['code']})\u00a0: {faute['libelle']}")
    if not champs.get("idOp"):
        raise ReponseIllisible("idOp")
    return champs["idOp"]


def lire_resultat(reponse: bytes, *, demandee_le: datetime, maintenant: datetime) -> Resultat | Issue:
    """What became of an operation: the result, or why there is none.

    :param demandee_le, maintenant: aware; an unknown result is waited for two hours.
    :raises ReponseIllisible: no answer of PayFiP, or one that tells of another trouble: ask again later.
    """
    champs, faute = _lire(reponse)
    if not faute:
        return lire_notification(champs)
    issue = ISSUES_DES_FAUTES.get(faute["code"])
    if issue is None:
        raise ReponseIllisible(f"{faute['code']} {faute['libelle']}")
    if issue == Issue.INCONNU and maintenant - demandee_le > DELAI_RESULTAT:
        return Issue.PERIME
    return issue


def _message(operation, **champs):
    """The envelope: inner elements belong to no namespace, as the contract has it."""
    enveloppe = ElementTree.Element(f"{{{ENVELOPPE}}}Envelope")
    corps = ElementTree.SubElement(enveloppe, f"{{{ENVELOPPE}}}Body")
    argument = ElementTree.SubElement(ElementTree.SubElement(corps, f"{{{ESPACE}}}{operation}"), "arg0")
    for nom, valeur in champs.items():
        if valeur:
            ElementTree.SubElement(argument, nom).text = valeur
    return ElementTree.tostring(enveloppe, encoding="utf-8", xml_declaration=True)


def _lire(reponse):
    """``(fields of the answer, fields of the fault)``; one of the two is empty."""
    try:
        if b"<!DOCTYPE" in reponse:  # SOAP has none; an entity could grow without end
            raise ReponseIllisible("DOCTYPE")
        corps = ElementTree.fromstring(reponse).find(f"{{{ENVELOPPE}}}Body")  # noqa: S314 no entity is left
    except (ElementTree.ParseError, ValueError, LookupError):  # the last two: an encoding that is none
        raise ReponseIllisible("XML") from None
    if corps is None:
        raise ReponseIllisible("Body")
    faute = corps.find(f"{{{ENVELOPPE}}}Fault")
    if faute is not None:
        dits = {element.tag.rpartition("}")[2]: (element.text or "").strip() for element in faute.iter()}
        return {}, {"code": dits.get("code", "?"), "libelle": dits.get("libelle") or dits.get("faultstring", "")}
    retour = corps.find(".//return")
    return {element.tag: (element.text or "").strip() for element in retour} if retour is not None else {}, {}
