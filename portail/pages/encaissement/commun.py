"""What the pages of money share: who may, which household, amounts as typed, a page that asks before it does."""

import re
from decimal import Decimal

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils import timezone

from facturation.actions import ActionImpossible
from facturation.models import Facture, Regie
from familles.models import Famille
from portail.outils.argent import euros
from portail.pages.ecrire_famille import chercher_familles

CENTIME = Decimal("0.01")
NUMERO = re.compile(r"^(?:(?P<exercice>\d{4})-)?0*(?P<numero>\d{1,9})$")


def exiger(request, *droits):
    if not request.user.has_perms(droits):
        raise PermissionDenied


def rendre(request, gabarit, titre, contexte, status=200):
    contexte = {**admin.site.each_context(request), "title": titre, **contexte}
    return render(request, f"admin/encaissement/{gabarit}.html", contexte, status=status)


def cle_lue(texte: str) -> int | None:
    """A key of the database, as a browser sends it."""
    return int(texte) if texte.isascii() and texte.isdecimal() and len(texte) < 19 else None


def famille_demandee(request) -> Famille | None:
    """The household of the address; None when it names none."""
    texte = request.GET.get("famille", "")
    if not texte:
        return None
    famille = Famille.objects.filter(pk=cle_lue(texte)).first()
    if famille is None:
        raise Http404("Famille inconnue")
    return famille


def factures_designees(texte: str):
    """The issued invoices that this text names by number (« 2026-000042 », « 42 ») or by payment reference."""
    texte = "".join(texte.split())
    factures = Facture.objects.emises().select_related("famille", "regie").order_by("-exercice", "-numero")
    if not any(caractere.isdecimal() for caractere in texte):
        return factures.none()
    designee = Q(reference=texte)
    if trouve := NUMERO.match(texte):
        par_annee = {"exercice": int(trouve["exercice"])} if trouve["exercice"] else {}
        designee |= Q(numero=int(trouve["numero"]), **par_annee)
    return factures.filter(designee)


def trouver(texte: str) -> list[tuple[int, str, str]]:
    """``(key, who, where)`` of the households that a name, or the number of an invoice, points at."""
    factures = factures_designees(texte)[:30]
    if factures:
        return list(dict.fromkeys((f.famille_id, str(f.famille), f"Facture {f.numero_complet}") for f in factures))
    return chercher_familles(texte)


def choisir(request, titre, suite):
    """A search, then a link for each household found.

    :param suite: where a household leads, its key to be added.
    """
    texte = request.GET.get("q", "").strip()[:80]
    trouvees = [(f"{suite}{cle}", qui, ou) for cle, qui, ou in trouver(texte)] if texte else []
    return rendre(request, "choisir", titre, {"texte": texte, "trouvees": trouvees})


def dire_solde(solde: Decimal) -> str:
    """What follows « la famille »: an agent reads of her, not to her."""
    if solde > 0:
        return f"doit {euros(solde)}"
    return f"a {euros(-solde)} d'avance" if solde < 0 else "est à jour"


# --- Fields ------------------------------------------------------------------------------------------------


class MontantField(forms.DecimalField):
    """Euros: « 40,80 » as well as « 40.80 »."""

    def __init__(self, **options):
        erreurs = {
            "required": "Écrivez le montant.",
            "invalid": "Écrivez un montant, par exemple 40,80.",
            "min_value": "Écrivez un montant plus grand que zéro.",
            "max_value": "Ce montant est trop grand.",
            "max_digits": "Ce montant est trop grand.",
            "max_whole_digits": "Ce montant est trop grand.",
            "max_decimal_places": "Deux chiffres après la virgule au plus.",
        }
        defauts = {
            "label": "Montant (€)",
            "max_digits": 8,
            "decimal_places": 2,
            "min_value": CENTIME,
            "localize": True,
            "error_messages": erreurs,
            "widget": forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off", "size": 10}),
        }
        super().__init__(**defauts | options)


class JourField(forms.DateField):
    """A day, not to come unless told."""

    def __init__(self, *, a_venir=False, **options):
        self.a_venir = a_venir
        erreurs = {"required": "Choisissez un jour.", "invalid": "Écrivez une date sous la forme 24/11/2026."}
        widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
        super().__init__(**{"widget": widget, "error_messages": erreurs, "initial": timezone.localdate} | options)

    def validate(self, valeur):
        super().validate(valeur)
        if valeur and not self.a_venir and valeur > timezone.localdate():
            raise forms.ValidationError("Cette date est à venir.")
        if valeur and not 2000 <= valeur.year < 2100:
            raise forms.ValidationError("Vérifiez l'année de cette date.")


class RegieField(forms.ModelChoiceField):
    def __init__(self, *, titre=False, **options):
        regime = Regie.Regime.TITRE if titre else Regie.Regime.REGIE
        erreurs = {"required": "Choisissez la régie.", "invalid_choice": "Choisissez la régie."}
        defauts = {"label": "Titre" if titre else "Régie", "error_messages": erreurs}
        super().__init__(Regie.objects.filter(regime=regime), **defauts | options)


class MotifForm(forms.Form):
    motif = forms.CharField(
        label="Raison",
        max_length=100,
        help_text="La famille la lit sur son compte.",
        error_messages={"required": "Écrivez la raison\u00a0: la famille la lira."},
    )


# --- A page that asks before it does -----------------------------------------------------------------------


def demander(request, form, *, titre, faits, bouton, agir, retour, fait):
    """The facts, a form, one button; done, the page it came from.

    :param agir: what to do with the cleaned data.
    :param fait: the sentence that says it is done.
    :param retour: address to go back to.
    """
    status = 200
    if form.is_bound:
        status = 422
        if form.is_valid():
            try:
                agir(form.cleaned_data)
            except ActionImpossible as erreur:
                form.add_error(None, str(erreur))
            else:
                messages.success(request, fait)
                return redirect(retour)
    contexte = {"form": form, "faits": faits, "bouton": bouton, "retour": retour}
    return rendre(request, "demander", titre, contexte, status)


def donnees(request):
    return request.POST if request.method == "POST" else None
