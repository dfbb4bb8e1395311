"""Forms of the ways in: login, password."""

from axes.models import AccessAttempt
from django import forms
from django.contrib.auth import authenticate
from django.contrib.auth.forms import AuthenticationForm, SetPasswordForm

LONGUEUR_NOTEE = AccessAttempt._meta.get_field("username").max_length
PHRASE_REFUS = (
    "Identifiant ou mot de passe incorrect. Après 10 essais, le compte se ferme 15 minutes ; "
    "le lien « Identifiant ou mot de passe oublié » l'ouvre sans attendre."
)


class ConnexionForm(AuthenticationForm):
    """One sentence whatever went wrong: nobody learns which accounts exist, or are locked."""

    error_messages = {"invalid_login": PHRASE_REFUS, "inactive": PHRASE_REFUS}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["username"].label = "Identifiant"
        self.fields["username"].widget.attrs["autocapitalize"] = "none"

    def clean_username(self):
        """Cut to what django-axes can note down: longer than any account's, it is refused like a wrong one."""
        return self.cleaned_data["username"].strip().lower()[:LONGUEUR_NOTEE]


class NouveauMotDePasseForm(SetPasswordForm):
    """A new password typed twice; who opens it has already shown who they are."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["new_password1"].label = "Nouveau mot de passe"
        self.fields["new_password1"].help_text = ""
        self.fields["new_password2"].label = "Le même, une deuxième fois"
        self.fields["new_password2"].help_text = ""

    def validate_password_for_user(self, user, *champ):
        """What is wrong with a password is said under it, not under its repetition."""
        super().validate_password_for_user(user, "new_password1")

    def clean(self):
        donnees = super().clean()
        nouveau = donnees.get("new_password1")
        if nouveau and self.user.check_password(nouveau):
            self.add_error("new_password1", "Choisissez un mot de passe différent de l'actuel.")
        return donnees


class MotDePasseForm(NouveauMotDePasseForm):
    """The padlock: the present password, then the new one."""

    ancien = forms.CharField(
        label="Mot de passe actuel",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    field_order = ["ancien", "new_password1", "new_password2"]

    def __init__(self, *args, request, **kwargs):
        self.request = request
        super().__init__(*args, **kwargs)

    def clean_ancien(self):
        ancien = self.cleaned_data["ancien"]
        # As at the login page: ten wrong ones close the account, also from an open session.
        if authenticate(self.request, username=self.user.identifiant, password=ancien) is None:
            raise forms.ValidationError("Ce n'est pas votre mot de passe actuel.")
        return ancien


class OubliForm(forms.Form):
    saisie = forms.CharField(
        label="Votre identifiant ou votre adresse e-mail",
        max_length=254,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none"}),
    )
