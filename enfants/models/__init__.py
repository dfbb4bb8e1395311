from enfants.models.enfant import Enfant, Rattachement

__all__ = ["Enfant", "Rattachement"]
