from messagerie.models.courriels import Courriel, Preference
from messagerie.models.diffusions import Diffusion, EnvoiDiffusion
from messagerie.models.fils import Fil, Lecture, Message, PieceMessage, Rangement
from messagerie.models.services import ReponseType, ServiceMairie

__all__ = [
    "Courriel",
    "Diffusion",
    "EnvoiDiffusion",
    "Fil",
    "Lecture",
    "Message",
    "PieceMessage",
    "Preference",
    "Rangement",
    "ReponseType",
    "ServiceMairie",
]
