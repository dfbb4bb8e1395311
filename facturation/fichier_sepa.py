"""The file of a lot of direct debits, as a bank reads it (ISO 20022 pain.008.001.08), checked against its schema.

The account of a régie is often kept by the Treasury (DFT): its portal wants the post that keeps it as the creditor, the
régie as the ultimate one, the SIRET of the commune, and a name of file of its own.
"""

import xml.etree.ElementTree as ET
from xml.parsers.expat import ExpatError

from django.utils import timezone

from facturation.models import LotPrelevement, Regie
from facturation.regles.sepa import en_alphabet_sepa
from portail.commune import Commune

SCHEMA = "pain.008.001.08"
ESPACE = f"urn:iso:std:iso:20022:tech:xsd:{SCHEMA}"


class FichierRefuse(Exception):
    """The bank would not read this file; the text says why."""


def pain_008(lot: LotPrelevement) -> bytes:
    """The same lot makes the same debits, under the same message and end-to-end identifiers: a bank takes it once.

    :raises FichierRefuse: what the régie or a mandate tells does not fit the schema.
    """
    from sepaxml import SepaDD  # its schemas take a second to read
    from sepaxml.validation import ValidationError, try_valid_xml

    regie = lot.regie
    entete = {
        "name": _lisible(regie.dft_comptable if regie.dft_service else regie.titulaire),
        "IBAN": "".join(regie.iban.split()),
        "batch": True,
        "creditor_id": regie.ics,
        "currency": "EUR",
        "instrument": "CORE",
    }
    if regie.bic:
        entete["BIC"] = regie.bic
    if regie.dft_service:
        entete["address"] = {"country": "FR", "lines": _lignes(regie.dft_adresse)}
    fichier = SepaDD(entete, schema=SCHEMA, clean=False)
    fichier.msg_id = lot.identifiant
    fichier._xml.find(".//GrpHdr/MsgId").text = lot.identifiant
    for prelevement in lot.prelevements.en_cours().select_related("mandat", "facture").order_by("pk"):
        mandat = prelevement.mandat
        debit = {
            "name": _lisible(mandat.titulaire),
            "IBAN": mandat.iban,
            "amount": int(prelevement.montant * 100),
            "type": prelevement.sequence,
            "collection_date": lot.le,
            "mandate_id": mandat.rum,
            "mandate_date": mandat.signe_le,
            "description": f"Facture {prelevement.facture.numero_complet}",
            "endtoend_id": f"{lot.identifiant}-{prelevement.pk}",
        }
        fichier.add_payment(debit | ({"BIC": mandat.bic} if mandat.bic else {}))
    try:
        contenu = fichier.export(validate=True, pretty_print=True)
        if regie.dft_service:
            contenu = _pour_le_tresor(contenu, regie)
            try_valid_xml(contenu, SCHEMA)
    except (ValidationError, ExpatError) as erreur:  # the second: a character that no XML holds
        raise FichierRefuse(str(erreur)) from erreur
    return contenu


def nom_du_fichier(lot: LotPrelevement) -> str:
    """As the portal of the DGFiP wants it: service, year and day of the year, rank of the day; of a bank, our own."""
    service, jour = lot.regie.dft_service, timezone.localdate(lot.prepare_le)
    if not service:
        return f"{lot.identifiant}.xml"
    avant = LotPrelevement.objects.filter(
        regie__dft_service=service, prepare_le__date=jour, prepare_le__lte=lot.prepare_le
    )
    return f"{service}-DFT-SDD-{jour:%y%j}-{avant.count():03d}.xml"


def _pour_le_tresor(contenu: bytes, regie: Regie) -> bytes:
    """What sepaxml cannot say: who asks, by its SIRET, and for whom the creditor holds the account."""
    ET.register_namespace("", ESPACE)
    racine = ET.fromstring(contenu)  # noqa: S314 what we wrote ourselves
    demandeur = racine.find(f".//{{{ESPACE}}}GrpHdr/{{{ESPACE}}}InitgPty")
    demandeur.clear()
    _ajouter(demandeur, "Nm", texte=_lisible(regie.titulaire))
    autre = _ajouter(demandeur, "Id", "OrgId", "Othr")
    _ajouter(autre, "Id", texte=Commune.actuelle().siret)
    _ajouter(autre, "SchmeNm", "Prtry", texte="SIRET")
    for paiement in racine.iter(f"{{{ESPACE}}}PmtInf"):
        titulaire = ET.Element(f"{{{ESPACE}}}UltmtCdtr")
        _ajouter(titulaire, "Nm", texte=_lisible(regie.titulaire))
        frais = paiement.find(f"{{{ESPACE}}}ChrgBr")
        paiement.insert(list(paiement).index(frais), titulaire)
    return ET.tostring(racine, encoding="utf-8", xml_declaration=True)


def _ajouter(noeud, *noms, texte=None):
    """One within the other; the innermost holds the text."""
    for nom in noms:
        noeud = ET.SubElement(noeud, f"{{{ESPACE}}}{nom}")
    noeud.text = texte
    return noeud


def _lisible(nom):
    from text_unidecode import unidecode

    return en_alphabet_sepa(unidecode(nom))


def _lignes(adresse):
    return [ligne[:70] for ligne in map(_lisible, adresse.splitlines()) if ligne.strip()][:2]
