"""Money in the admin: how the commune collects, the prices it voted, who helps, payments on line."""

from facturation.admin import paiements, regies, tarifs

__all__ = ["paiements", "regies", "tarifs"]
