"""Money in the admin: how the commune collects, accounts, payments, what the trésorerie follows, direct debits."""

from facturation.admin import attestations, comptes, paiements, prelevements, regies, tarifs, tresorerie

__all__ = ["attestations", "comptes", "paiements", "prelevements", "regies", "tarifs", "tresorerie"]
