"""The children in the admin: the whole file on one page, the schools, the custody, what the commune offers them."""

from enfants.admin import delais, ecole, enfant, fermeture, garde, inscription, offre, presences

__all__ = ["delais", "ecole", "enfant", "fermeture", "garde", "inscription", "offre", "presences"]
