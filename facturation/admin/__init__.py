"""Money in the admin: how the commune collects, the prices it voted, who helps."""

from facturation.admin import regies, tarifs

__all__ = ["regies", "tarifs"]
