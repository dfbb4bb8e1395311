"""An agent opens the file of a family from its paper form: adults, address, children, on one page."""

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.forms import formset_factory
from django.shortcuts import redirect, render
from django.utils import timezone

from enfants import actions as enfants
from familles import actions as familles
from familles.champs import CodePostalField, CourrielField, NomField, TelephoneField
from familles.models import Responsable

ENFANTS_PROPOSES = 3
ENFANTS_MAX = 12
AGE_MAX = 25  # years


class AdulteForm(forms.Form):
    civilite = forms.ChoiceField(label="Civilité", choices=[("", "–"), *Responsable.Civilite.choices], required=False)
    prenom = NomField(label="Prénom")
    nom = NomField(label="Nom")
    courriel = CourrielField(label="Adresse e-mail", required=False)
    telephone_mobile = TelephoneField(label="Téléphone mobile", required=False)


class ConjointForm(AdulteForm):
    """Left empty for a parent alone; a name without a first name is asked for again."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, empty_permitted=True, use_required_attribute=False, **kwargs)


class AdresseForm(forms.Form):
    adresse = forms.CharField(label="Numéro et voie", max_length=160)
    complement = forms.CharField(label="Complément", max_length=160, required=False)
    code_postal = CodePostalField(label="Code postal")
    ville = forms.CharField(label="Commune", max_length=100)


class EnfantForm(forms.Form):
    prenom = NomField(label="Prénom")
    nom = NomField(label="Nom")
    date_naissance = forms.DateField(
        label="Date de naissance",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )

    def clean_date_naissance(self):
        naissance = self.cleaned_data["date_naissance"]
        if naissance and not 0 <= (timezone.localdate() - naissance).days < AGE_MAX * 366:
            raise forms.ValidationError("Cette date n'est pas celle de la naissance d'un enfant.")
        return naissance


EnfantsFormSet = formset_factory(EnfantForm, extra=ENFANTS_PROPOSES, max_num=ENFANTS_MAX, validate_max=True)


def ouvrir_famille(request):
    """Blank form, duplicates warned before anything is written, then the new file."""
    if not request.user.has_perm("familles.add_famille"):
        raise PermissionDenied
    data = request.POST if request.method == "POST" else None
    formulaires = {
        "responsable": AdulteForm(data, prefix="responsable"),
        "conjoint": ConjointForm(data, prefix="conjoint"),
        "adresse": AdresseForm(data, prefix="adresse"),
        "enfants": EnfantsFormSet(data, prefix="enfants"),
    }
    ressemblants = {}
    valides = [form.is_valid() for form in formulaires.values()]  # all of them: every error shows at once
    if all(valides):
        saisie = _saisie(formulaires)
        with transaction.atomic():
            familles.attendre_son_tour()
            ressemblants = {} if "malgre_tout" in data else _doublons(saisie)
            if not ressemblants:
                return _ouvrir(request, saisie)
    contexte = {
        **admin.site.each_context(request),
        "title": "Ouvrir le dossier d'une famille",
        "ressemblants": ressemblants,
        **formulaires,
    }
    return render(request, "admin/ouvrir_famille.html", contexte, status=422 if data is not None else 200)


def _saisie(formulaires):
    conjoint = formulaires["conjoint"]
    return {
        "responsable": formulaires["responsable"].cleaned_data,
        "conjoint": conjoint.cleaned_data if conjoint.has_changed() else None,
        "adresse": formulaires["adresse"].cleaned_data,
        "enfants": [form.cleaned_data for form in formulaires["enfants"] if form.has_changed()],
    }


def _doublons(saisie):
    adultes = [adulte for adulte in (saisie["responsable"], saisie["conjoint"]) if adulte]
    trouves = {"adultes": familles.doublons(adultes), "enfants": enfants.doublons(saisie["enfants"])}
    return {quoi: liste for quoi, liste in trouves.items() if liste}


def _ouvrir(request, saisie):
    famille = familles.ouvrir_famille(
        responsable=saisie["responsable"], conjoint=saisie["conjoint"], adresse=saisie["adresse"]
    )
    for enfant in saisie["enfants"]:
        enfants.ajouter_enfant(famille, **enfant)
    messages.success(request, f"{famille} est ouverte. Imprimez la lettre d'accès, ou envoyez le lien par e-mail.")
    return redirect("admin:familles_famille_change", famille.pk)
