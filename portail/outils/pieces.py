"""Papers that a family or an agent sends: the upload field."""

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from portail.outils.fichiers import controler


class EnvoiMultiple(forms.ClearableFileInput):
    allow_multiple_selected = True


class PiecesField(forms.FileField):
    """Several files; each one that fails says why, by its name."""

    widget = EnvoiMultiple(attrs={"accept": ".pdf,.jpg,.jpeg,.png", "data-taille-max": settings.TAILLE_MAX_PIECE})

    def __init__(self, *, quoi="Une demande", **kwargs):
        super().__init__(**kwargs)
        self.quoi = quoi

    def clean(self, data, initial=None):
        envois = [envoi for envoi in (data or []) if envoi]
        if len(envois) > settings.NOMBRE_MAX_PIECES:  # before any is read: reading costs
            raise ValidationError(trop_de_pieces(self.quoi))
        erreurs, bonnes = [], []
        for envoi in envois:
            try:
                bonnes.append(controler(envoi))
            except ValidationError as erreur:
                erreurs.append(erreur)
        if erreurs:
            raise ValidationError(erreurs)
        return bonnes


def trop_de_pieces(quoi: str) -> str:
    """The sentence of a refusal: « Un message porte 5 pièces au plus. »"""
    return f"{quoi} porte {settings.NOMBRE_MAX_PIECES} pièces au plus."


def regles_des_pieces() -> str:
    """What may be joined, in one line, for the help under the field."""
    return (
        f"PDF, ou photo JPEG ou PNG, {settings.TAILLE_MAX_PIECE // (1024 * 1024)} Mo au plus chacune, "
        f"{settings.NOMBRE_MAX_PIECES} pièces au plus."
    )
