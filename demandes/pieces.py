"""Papers joined to a demande: the upload field."""

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from portail.outils.fichiers import controler


class EnvoiMultiple(forms.ClearableFileInput):
    allow_multiple_selected = True


class PiecesField(forms.FileField):
    """Several files; each one that fails says why, by its name."""

    widget = EnvoiMultiple(attrs={"accept": ".pdf,.jpg,.jpeg,.png", "data-taille-max": settings.TAILLE_MAX_PIECE})

    def clean(self, data, initial=None):
        envois = [envoi for envoi in (data or []) if envoi]
        if len(envois) > settings.NOMBRE_MAX_PIECES:  # before any is read: reading costs
            raise ValidationError(f"Une demande porte {settings.NOMBRE_MAX_PIECES} pièces au plus.")
        erreurs, bonnes = [], []
        for envoi in envois:
            try:
                bonnes.append(controler(envoi))
            except ValidationError as erreur:
                erreurs.append(erreur)
        if erreurs:
            raise ValidationError(erreurs)
        return bonnes


class PiecesForm(forms.Form):
    """What a family joins, and what it takes back, on one demande."""

    pieces = PiecesField(label="Pièces à joindre", required=False)

    def __init__(self, *args, deja=(), **kwargs):
        super().__init__(*args, **kwargs)
        self.deja = list(deja)
        self.fields["pieces"].help_text = (
            f"PDF, ou photo JPEG ou PNG, {settings.TAILLE_MAX_PIECE // (1024 * 1024)} Mo au plus chacune, "
            f"{settings.NOMBRE_MAX_PIECES} pièces au plus."
        )
        choix = [(str(piece.uuid), piece.nom) for piece in self.deja]
        self.fields["retirer"] = forms.MultipleChoiceField(choices=choix, required=False)

    def clean(self):
        donnees = super().clean()
        total = len(self.deja) - len(donnees.get("retirer", [])) + len(donnees.get("pieces") or [])
        if total > settings.NOMBRE_MAX_PIECES:
            self.add_error("pieces", f"Une demande porte {settings.NOMBRE_MAX_PIECES} pièces au plus.")
        return donnees
