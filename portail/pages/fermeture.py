"""Closing a service: whom it touches and what they will read, then one click cancels and tells everyone."""

from datetime import timedelta

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect, render
from django.utils import timezone

from demandes.fermetures import refuser_jours_fermes
from enfants import fermetures
from enfants.models import Ecole, Fermeture, Service
from portail.outils.dates import jour
from portail.pages.rentree_presentation import accorder

JOUR = {"required": "Choisissez un jour.", "invalid": "Écrivez une date sous la forme 24/11/2026."}


class FermetureForm(forms.Form):
    service = forms.ModelChoiceField(Service.objects.all(), label="Service", required=False, empty_label="Tous")
    ecole = forms.ModelChoiceField(Ecole.objects.all(), label="École", required=False, empty_label="Toutes")
    valable_du = forms.DateField(
        label="Premier jour", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), error_messages=JOUR
    )
    valable_au = forms.DateField(
        label="Dernier jour",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="Inclus.",
        error_messages=JOUR,
    )
    motif = forms.CharField(
        label="Raison",
        max_length=120,
        error_messages={"required": "Écrivez la raison que les familles liront."},
        help_text="Les familles la lisent\u00a0: «\u00a0grève du personnel\u00a0».",
    )

    def clean_valable_du(self):
        du = self.cleaned_data["valable_du"]
        if du < timezone.localdate():
            raise forms.ValidationError("Ce jour est passé\u00a0: une fermeture commence aujourd'hui au plus tôt.")
        return du

    def clean(self):
        donnees = super().clean()
        du, au = donnees.get("valable_du"), donnees.get("valable_au")
        if du and au and au < du:
            self.add_error("valable_au", "La fin vient avant le début.")
        elif du and au and au - du >= timedelta(days=fermetures.JOURS_MAX):
            self.add_error("valable_au", "Un an au plus. Au-delà, retirez le service de ce qui est proposé.")
        return donnees


def fermer(request):
    """The form, the preview, the closure: ``action`` is the button; without one, the preview."""
    if not request.user.has_perm("enfants.add_fermeture"):
        raise PermissionDenied
    form = FermetureForm(request.POST if request.method == "POST" else None)
    action = request.POST.get("action", "")
    if not form.is_bound or action == "corriger" or not form.is_valid():
        return _rendre(request, form, None, 422 if form.is_bound and action != "corriger" else 200)
    fermeture = Fermeture(**form.cleaned_data)
    if action != "fermer":
        return _rendre(request, form, fermetures.prevoir(fermeture), 200)
    try:
        faite = fermetures.fermer(fermeture, par=request.user)
    except fermetures.FermetureImpossible as erreur:
        messages.error(request, str(erreur))
        return redirect("admin:enfants_fermeture_changelist")
    refusees = refuser_jours_fermes(par=request.user)
    messages.success(request, " ".join(["Fermeture enregistrée.", *_bilan(faite, refusees)]))
    return redirect("admin:enfants_fermeture_changelist")


def _bilan(faite, refusees):
    if not faite.foyers and not refusees:
        return ["Aucune réservation n'est touchée\u00a0: aucun message n'est parti."]
    phrases = [
        f"{accorder(faite.reservations, 'réservation annulée', 'réservations annulées')}, "
        f"{accorder(faite.foyers, 'foyer prévenu', 'foyers prévenus')}."
    ]
    if refusees:
        phrases.append(f"{accorder(refusees, 'demande en attente refusée', 'demandes en attente refusées')}.")
    return phrases


def _rendre(request, form, prevision, status):
    contexte = {
        **admin.site.each_context(request),
        "title": "Vérifiez la fermeture" if prevision else "Fermer un service",
        "form": form,
        "prevision": prevision,
    }
    if prevision:
        contexte |= {
            "totaux": [
                accorder(prevision.reservations, "réservation sera annulée", "réservations seront annulées"),
                accorder(prevision.enfants, "enfant concerné", "enfants concernés"),
                accorder(prevision.foyers, "foyer sera prévenu", "foyers seront prévenus"),
                accorder(prevision.attentes, "attente sera close", "attentes seront closes"),
            ],
            "par_jour": [(jour(le), nombre) for le, nombre in prevision.par_jour],
        }
    return render(request, "admin/fermer.html", contexte, status=status)
