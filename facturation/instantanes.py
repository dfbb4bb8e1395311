"""What an invoice says of who owes and who collects, copied when it is issued: it must go on saying it."""

from collections.abc import Iterable

from enfants.foyers import adultes_par_foyer
from facturation.models import Regie
from familles.models import Famille
from portail.commune import Commune


def debiteurs(familles: Iterable[int]) -> dict[int, dict]:
    """Key of each household -> ``noms``, ``adresse``, ``complement``, ``code_postal``, ``ville``; two queries."""
    lues = Famille.objects.in_bulk(list(familles))
    adultes = adultes_par_foyer(list(lues))
    return {cle: instantane_debiteur(famille, adultes[cle]) for cle, famille in lues.items()}


def instantane_debiteur(famille: Famille, adultes: Iterable) -> dict:
    """:param adultes: the adults of the household with their accounts, the responsable first."""
    return {
        "noms": [" ".join(filter(None, [a.get_civilite_display(), a.utilisateur.nom_complet])) for a in adultes],
        "famille": famille.nom,
        "adresse": famille.adresse,
        "complement": famille.complement,
        "code_postal": famille.code_postal,
        "ville": famille.ville,
    }


def instantane_emetteur(regie: Regie, commune: Commune) -> dict:
    """The commune and its régie, as the invoice prints them."""
    return {
        "commune": commune.nom,
        "adresse": commune.adresse,
        "code_postal": commune.code_postal,
        "ville": commune.ville,
        "telephone": commune.telephone,
        "courriel": commune.courriel,
        "siret": commune.siret,
        "tresorerie": commune.tresorerie,
        "tresorerie_telephone": commune.tresorerie_telephone,
        "regie": regie.nom,
        "regime": regie.regime,
        "signataire": regie.signataire,
        "mentions": regie.mentions,
        "moyens": regie.moyens,
        "contact": regie.contact,
        "contact_telephone": regie.telephone,
        "payfip": regie.payfip,
        "payfip_client": regie.payfip_client,
    }
