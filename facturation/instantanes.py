"""What an invoice says of who owes and who asks, copied when it is issued: it may never change afterwards.

An invoice of before a word was added does not have it: what reads fills the gaps with ``lire``.
"""

from collections.abc import Iterable
from decimal import Decimal

from enfants.foyers import adultes_par_foyer
from facturation.models import Facture, Moyen, Regie
from familles.models import Famille, Responsable
from portail.commune import Commune

# « avance »: what was paid of it already when it was issued, in euros, by what the household had in advance.
DEBITEUR = {
    "noms": [],
    "complement": "",
    "adresse": "",
    "code_postal": "",
    "ville": "",
    "prelevement": "",
    "avance": "",
}
COMMUNE = ("nom", "adresse", "code_postal", "ville", "telephone", "courriel", "siret")
REGIE = (
    *("nom", "regime", "signataire", "mentions", "moyens", "contact", "telephone"),
    *("payfip", "payfip_client", "payfip_jours"),
)
TRESORERIE = ("nom", "telephone")
CIVILITES = dict(Responsable.Civilite.choices)  # read once: Django makes it again for each adult


def instantane_debiteur(famille: Famille, *, adultes: Iterable | None = None, prelevement: str = "") -> dict:
    """Who owes: the adults of the household, the responsable first, and the address of the envelope.

    :param adultes: where they are known, with their accounts.
    :param prelevement: the sentence that announces the direct debit, "" without one.
    """
    return {
        "noms": [nom_de(adulte) for adulte in (famille.adultes() if adultes is None else adultes)],
        "complement": famille.complement,
        "adresse": famille.adresse,
        "code_postal": famille.code_postal,
        "ville": famille.ville,
        "prelevement": prelevement,
    }


def debiteurs(familles: Iterable[int]) -> dict[int, dict]:
    """Key of each household -> who owes; two queries, however many."""
    lues = Famille.objects.in_bulk(list(familles))
    adultes = adultes_par_foyer(list(lues))
    return {cle: instantane_debiteur(famille, adultes=adultes[cle]) for cle, famille in lues.items()}


def nom_de(adulte) -> str:
    """« Madame Claire Durand »."""
    return f"{CIVILITES.get(adulte.civilite, '')} {adulte.utilisateur.nom_complet}".strip()


def instantane_emetteur(regie: Regie, commune: Commune) -> dict:
    """Who asks, and how to pay: the same for all the invoices of a régie that are issued together."""
    return {
        "commune": {cle: getattr(commune, cle) for cle in COMMUNE},
        "regie": {cle: getattr(regie, cle) for cle in REGIE}
        | {"moyens_acceptes": [Moyen(moyen).label for moyen in regie.moyens_acceptes]},
        "tresorerie": {"nom": commune.tresorerie, "telephone": commune.tresorerie_telephone},
    }


def lire(facture: Facture) -> tuple[dict, dict]:
    """The debtor and the issuer as the invoice keeps them, every word there."""
    emetteur = facture.emetteur
    return DEBITEUR | facture.debiteur, {
        "commune": dict.fromkeys(COMMUNE, "") | emetteur.get("commune", {}),
        "regie": dict.fromkeys(REGIE, "")
        | {"payfip": Regie.PayFip.AUCUN, "payfip_jours": 0, "moyens_acceptes": []}
        | emetteur.get("regie", {}),
        "tresorerie": dict.fromkeys(TRESORERIE, "") | emetteur.get("tresorerie", {}),
    }


def avance_de(facture: Facture) -> Decimal:
    """What of its total was paid already when it was issued, in euros."""
    return Decimal(facture.debiteur.get("avance") or 0)


def lignes_adresse(lieu: dict) -> list[str]:
    """The address as the window of an envelope shows it, without empty lines."""
    lignes = [lieu.get("complement", ""), lieu["adresse"], f"{lieu['code_postal']} {lieu['ville']}".strip()]
    return [ligne for ligne in lignes if ligne]
