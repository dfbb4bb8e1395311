"""PayFiP as the simulator plays it: what it refuses of a payment, and its SOAP. Pure.

Written from the specification alone, it owes nothing to what the portal sends: each checks the other.
"""

import re
from xml.etree import ElementTree

from facturation.regles.payfip import ENVELOPPE, ESPACE, ReponseIllisible

REPONSES = ESPACE.partition("/services/")[0] + "/reponse"
PLAFONDS = {False: 999999, True: 9999999}  # cents; the web service takes more
SAISIES = {False: set("TXAM"), True: set("TXW")}
OPERATIONS = {"creerPaiementSecurise", "recupererDetailPaiementSecurise", "recupererDetailClient"}
ECHOS = ("numcli", "exer", "refdet", "objet", "montant", "mel", "saisie")


def defauts(champs: dict[str, str], *, service: bool = False) -> list[tuple[str, str]]:
    """What PayFiP refuses: ``(code, sentence)``, in the order in which it checks.

    :param service: asked of the web service, rather than by redirection.
    """
    dit = {nom: champs.get(nom, "") for nom in (*ECHOS, "urlcl", "urlnotif", "urlredirect")}
    montant = int(dit["montant"]) if re.fullmatch(r"[0-9]{3,9}", dit["montant"]) else None
    adresse = re.compile(r"https?://[^/\s]+/\S*")
    regles = [
        ("T1", re.fullmatch(r"[0-9]{6}", dit["numcli"]), "Le numéro de client compte six chiffres."),
        ("E1", re.fullmatch(r"([0-9]{4})?", dit["exer"]), "L'exercice compte quatre chiffres."),
        ("R3", re.fullmatch(r"[A-Za-z0-9]{6,30}", dit["refdet"]), "Le format du paramètre REFDET n'est pas conforme."),
        ("O1", re.fullmatch(r"[A-Za-z0-9 ]{0,99}", dit["objet"]), "Le format du paramètre OBJET n'est pas conforme."),
        ("M1", montant is not None, "Le montant se donne en centimes, sans virgule."),
        ("M3", montant is None or montant >= 100, "Le montant est inférieur à 1\u00a0€."),
        ("M5", montant is None or montant <= PLAFONDS[service], "Le montant est supérieur au plafond."),
        ("A1", dit["mel"], "L'adresse mél manque."),
        ("A2", not dit["mel"] or re.fullmatch(r"(?=.{6,80}$)[^@\s]+@[^@\s]+", dit["mel"]), "Adresse mél incorrecte."),
        ("S1", dit["saisie"] in SAISIES[service], "Le mode de saisie n'est pas connu."),
    ]
    if service:
        regles += [
            ("N1", adresse.fullmatch(dit["urlnotif"]) and len(dit["urlnotif"]) < 250, "L'urlnotif est incorrecte."),
            ("D1", adresse.fullmatch(dit["urlredirect"]), "L'urlredirect est incorrecte."),
        ]
    elif dit["urlcl"]:
        regles.append(("U1", adresse.fullmatch(dit["urlcl"]) and len(dit["urlcl"]) < 250, "L'urlcl est incorrecte."))
    return [(code, phrase) for code, est_bon, phrase in regles if not est_bon]


def notification(champs: dict[str, str], resultat: str, *, jour: str, heure: str) -> dict[str, str]:
    """The notice of a redirection: what was asked, and what came of it.

    :param resultat: « P », « V », « R », « Z » or « A ».
    :param jour, heure: JJMMAAAA and HHMM, of Paris.
    """
    avis = {nom: champs[nom] for nom in ECHOS if champs.get(nom)} | {"resultrans": resultat}
    if resultat in "PV":
        avis |= {"numauto": "112233445566-tip", "dattrans": jour, "heurtrans": heure}
    return avis


# --- SOAP ------------------------------------------------------------------------------------------------


def lire_requete(message: bytes) -> tuple[str, dict[str, str]]:
    """The operation that is asked, and its fields.

    :raises ReponseIllisible: no message of this service.
    """
    try:
        if b"<!DOCTYPE" in message:
            raise ReponseIllisible("DOCTYPE")
        corps = ElementTree.fromstring(message).find(f"{{{ENVELOPPE}}}Body")  # noqa: S314 no entity is left
    except (ElementTree.ParseError, ValueError, LookupError):
        raise ReponseIllisible("XML") from None
    demande = corps[0] if corps is not None and len(corps) else None
    operation = demande.tag.removeprefix(f"{{{ESPACE}}}") if demande is not None else ""
    if operation not in OPERATIONS:
        raise ReponseIllisible("operation")
    argument = demande.find("arg0")
    return operation, {e.tag: (e.text or "").strip() for e in argument} if argument is not None else {}


def reponse(operation: str, champs: dict[str, str]) -> bytes:
    """What the service answers."""
    enveloppe, corps = _enveloppe()
    retour = ElementTree.SubElement(ElementTree.SubElement(corps, f"{{{ESPACE}}}{operation}Response"), "return")
    for nom, valeur in champs.items():
        ElementTree.SubElement(retour, nom).text = valeur
    return ElementTree.tostring(enveloppe, encoding="utf-8", xml_declaration=True)


def faute(code: str, libelle: str) -> bytes:
    """What it refuses."""
    enveloppe, corps = _enveloppe()
    dite = ElementTree.SubElement(corps, f"{{{ENVELOPPE}}}Fault")
    ElementTree.SubElement(dite, "faultcode").text = "S:Server"
    nom = "fr.gouv.finances.cp.tpa.webservice.exceptions.FonctionnelleErreur"
    ElementTree.SubElement(dite, "faultstring").text = nom
    detail = ElementTree.SubElement(ElementTree.SubElement(dite, "detail"), f"{{{REPONSES}}}FonctionnelleErreur")
    for element, valeur in (("code", code), ("descriptif", ""), ("libelle", libelle), ("severite", "2")):
        ElementTree.SubElement(detail, element).text = valeur
    return ElementTree.tostring(enveloppe, encoding="utf-8", xml_declaration=True)


def _enveloppe():
    enveloppe = ElementTree.Element(f"{{{ENVELOPPE}}}Envelope")
    return enveloppe, ElementTree.SubElement(enveloppe, f"{{{ENVELOPPE}}}Body")
