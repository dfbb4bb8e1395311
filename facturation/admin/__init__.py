"""Money in the admin: how the commune collects, the prices it voted, payments on line, certificates."""

from facturation.admin import attestations, paiements, regies, tarifs

__all__ = ["attestations", "paiements", "regies", "tarifs"]
