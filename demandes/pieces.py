"""Papers joined to a demande."""

from django import forms
from django.conf import settings
from django.forms.utils import ErrorDict

from enfants.models import Nature
from portail.outils.fichiers import ranger
from portail.outils.pieces import PiecesField, regles_des_pieces, trop_de_pieces


class PiecesForm(forms.Form):
    """What a family joins, and what it takes back, on one demande.

    :param natures: papers asked for by name; the accepted ones join the child's file.
    """

    pieces = PiecesField(label="Pièces à joindre", required=False)

    def __init__(self, *args, deja=(), natures=(), **kwargs):
        super().__init__(*args, **kwargs)
        self.deja = list(deja)
        self.natures = {f"piece_{nature}": nature for nature in natures}
        for nom, nature in self.natures.items():
            self.fields[nom] = PiecesField(label=Nature(nature).label, required=False)
        if natures:
            self.fields["pieces"].label = "Autre pièce"
        self.fields["pieces"].help_text = regles_des_pieces()
        choix = [(str(piece.uuid), piece.nom) for piece in self.deja]
        self.fields["retirer"] = forms.MultipleChoiceField(choices=choix, required=False)

    def champs_fichiers(self):
        """The upload fields, the named papers first."""
        return [self[nom] for nom in [*self.natures, "pieces"]]

    def full_clean(self):
        """Too many files are refused before any is read: reading costs."""
        compter = getattr(self.files, "getlist", lambda nom: [])
        if sum(len(compter(nom)) for nom in [*self.natures, "pieces"]) <= settings.NOMBRE_MAX_PIECES:
            super().full_clean()
            return
        self._errors, self.cleaned_data = ErrorDict(), {}
        self.add_error("pieces", trop_de_pieces("Une demande"))

    def clean(self):
        donnees = super().clean()
        envois = [piece for nom in [*self.natures, "pieces"] for piece in donnees.get(nom) or []]
        if len(self.deja) - len(donnees.get("retirer", [])) + len(envois) > settings.NOMBRE_MAX_PIECES:
            self.add_error("pieces", trop_de_pieces("Une demande"))
        return donnees

    def ranger(self) -> list[dict]:
        """Store the files; the columns of a PieceJointe for each."""
        return [
            {**ranger(*piece), "nature": self.natures.get(nom, "")}
            for nom in [*self.natures, "pieces"]
            for piece in self.cleaned_data[nom]
        ]


class PreuveForm(PiecesForm):
    """The proof of an absence, sent after it: one paper at least."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["pieces"].label = "Justificatif"

    def clean(self):
        donnees = super().clean()
        if "pieces" not in self.errors and not donnees.get("pieces"):
            self.add_error("pieces", "Choisissez le papier ou la photo à envoyer.")
        return donnees
