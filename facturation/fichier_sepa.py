"""The file of a lot of direct debits, as a bank reads it (ISO 20022 pain.008.001.08), checked against its schema."""

from xml.parsers.expat import ExpatError

from facturation.models import LotPrelevement
from facturation.regles.sepa import en_alphabet_sepa

SCHEMA = "pain.008.001.08"


class FichierRefuse(Exception):
    """The bank would not read this file; the text says why."""


def pain_008(lot: LotPrelevement) -> bytes:
    """The same lot makes the same debits, under the same message and end-to-end identifiers: a bank takes it once.

    :raises FichierRefuse: what the régie or a mandate tells does not fit the schema.
    """
    from sepaxml import SepaDD  # its schemas take a second to read
    from sepaxml.validation import ValidationError
    from text_unidecode import unidecode

    regie = lot.regie
    entete = {
        "name": en_alphabet_sepa(unidecode(regie.titulaire)),
        "IBAN": "".join(regie.iban.split()),
        "batch": True,
        "creditor_id": regie.ics,
        "currency": "EUR",
        "instrument": "CORE",
    }
    if regie.bic:
        entete["BIC"] = regie.bic
    fichier = SepaDD(entete, schema=SCHEMA, clean=False)
    fichier.msg_id = lot.identifiant
    fichier._xml.find(".//GrpHdr/MsgId").text = lot.identifiant
    for prelevement in lot.prelevements.en_cours().select_related("mandat", "facture").order_by("pk"):
        mandat = prelevement.mandat
        debit = {
            "name": en_alphabet_sepa(unidecode(mandat.titulaire)),
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
        return fichier.export(validate=True, pretty_print=True)
    except (ValidationError, ExpatError) as erreur:  # the second: a character that no XML holds
        raise FichierRefuse(str(erreur)) from erreur
