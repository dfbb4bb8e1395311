"""The children in the admin: the whole file on one page, the schools, the custody, the tables of the law."""

from enfants.admin import ecole, enfant, fermeture, garde, inscription, presences

__all__ = ["ecole", "enfant", "fermeture", "garde", "inscription", "presences"]
