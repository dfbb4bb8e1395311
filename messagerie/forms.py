"""What a parent writes to the mairie."""

import re
from uuid import uuid4

from django import forms
from django.core.exceptions import ValidationError

from messagerie.models import Fil, Preference, ServiceMairie
from portail.outils.fichiers import ranger
from portail.outils.pieces import PiecesField, regles_des_pieces

LONGUEUR_MAX = 5_000  # characters of a message
INSECABLES = "\u00a0\u202f"  # of « Info CAF »: the subject that the page proposes comes back with them
BLANCS = re.compile(rf"[^\S{INSECABLES}]+")


class TexteField(forms.CharField):
    """A text of several lines; a line break counts for one character, as the browser counts it."""

    widget = forms.Textarea(attrs={"rows": 7})

    def to_python(self, value):
        texte = super().to_python((value or "").replace("\r\n", "\n").replace("\r", "\n"))
        return texte if _se_lit(texte) else ""


class LigneField(forms.CharField):
    """A line of words: what a browser would not let type is left out."""

    def to_python(self, value):
        if "\x00" in (value or ""):
            return value  # its validator says it
        texte = "".join(c for c in BLANCS.sub(" ", value or "").strip() if c.isprintable() or c in INSECABLES)
        return texte if _se_lit(texte) else ""


class CleField(forms.UUIDField):
    """Altered or lost, it is drawn anew: that is not the business of who typed the rest."""

    def to_python(self, value):
        try:
            return super().to_python(value) or uuid4()
        except ValidationError:
            return uuid4()


def _se_lit(texte):
    """Signs that take no room, and nothing else, make a message that nobody can read, or a link nobody can follow."""
    return "\x00" in texte or any(c.isprintable() and not c.isspace() for c in texte)


class ReponseForm(forms.Form):
    """A text and papers; ``cle`` is drawn with the empty form, so that two clicks send one message."""

    corps = TexteField(
        label="Votre message",
        max_length=LONGUEUR_MAX,
        error_messages={"required": "Écrivez votre message."},
    )
    pieces = PiecesField(label="Photos ou documents", required=False, quoi="Un message")
    cle = CleField(required=False, widget=forms.HiddenInput(attrs={"autocomplete": "off"}))

    def __init__(self, data=None, files=None, **kwargs):
        super().__init__(data, files, **kwargs)
        self.initial.setdefault("cle", uuid4())
        self.fields["pieces"].help_text = regles_des_pieces()

    def message(self) -> dict:
        """What the actions take; the papers are stored by then."""
        return {
            "corps": self.cleaned_data["corps"],
            "pieces": [ranger(*piece) for piece in self.cleaned_data["pieces"]],
            "cle": self.cleaned_data["cle"],
        }


class EcrireForm(ReponseForm):
    """The first message of a thread.

    :param a_deux: the household has another adult, from whom the thread may be kept.
    """

    service = forms.ModelChoiceField(
        label="À qui écrivez-vous\u00a0?",
        queryset=ServiceMairie.objects.none(),
        widget=forms.RadioSelect,
        empty_label=None,
        error_messages=dict.fromkeys(("required", "invalid_choice"), "Choisissez le service."),
    )
    sujet = LigneField(
        label="Sujet",
        max_length=Fil._meta.get_field("sujet").max_length,
        error_messages={"required": "Dites en quelques mots de quoi il s'agit."},
    )
    prive = forms.BooleanField(label="Ne montrer cet échange qu'à moi", required=False)
    field_order = ["service", "sujet", "corps", "pieces", "prive", "cle"]

    def __init__(self, *args, a_deux, **kwargs):
        super().__init__(*args, **kwargs)
        services = ServiceMairie.objects.joignables()
        self.fields["service"].queryset = services
        joignables = list(services[:2])
        if not joignables:
            del self.fields["service"]
        elif len(joignables) == 1:
            self.initial["service"] = joignables[0]
        if not a_deux:
            del self.fields["prive"]


class PreferenceForm(forms.Form):
    """Which mails an adult wants, each choice explained."""

    AIDES = {
        Preference.Rythme.IMMEDIAT: "Un courriel dès qu'un message arrive dans votre boîte de réception.",
        Preference.Rythme.QUOTIDIEN: "Un seul courriel par jour, s'il y a du nouveau.",
        Preference.Rythme.AUCUN: "Vos messages vous attendent dans le portail, sans que rien ne vous prévienne.",
    }
    rythme = forms.ChoiceField(
        label="Quand vous prévenir\u00a0?",
        choices=Preference.Rythme,
        widget=forms.RadioSelect,
        error_messages=dict.fromkeys(("required", "invalid_choice"), "Choisissez une des trois réponses."),
    )

    def choix(self):
        """``(button, what it means)`` of each choice."""
        return [(bouton, self.AIDES[bouton.data["value"]]) for bouton in self["rythme"]]
