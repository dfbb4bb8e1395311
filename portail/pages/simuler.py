"""« Simuler »: what a day costs a family, and why; and what it would with another quotient. Nothing is written."""

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import render
from django.utils import timezone

from enfants.foyers import en_clair
from enfants.models import Enfant, Formule, Rattachement, Service
from facturation import grilles
from facturation.devis import Devis, PrixDuJour
from facturation.models import Grille
from facturation.regles.tarifs import TarifInconnu, nombre
from familles.models import Famille
from portail.outils.argent import euros
from portail.outils.dates import jour as en_mots
from portail.pages.ecrire_famille import FAMILLES_TROUVEES, chercher_familles


class FormuleField(forms.ModelChoiceField):
    def label_from_instance(self, formule):
        return f"{formule.service.nom}, {formule.nom}"


class SimulerForm(forms.Form):
    enfant = forms.ModelChoiceField(
        Enfant.objects.none(),
        label="Enfant",
        empty_label=None,
        error_messages={
            "required": "Choisissez un enfant.",
            "invalid_choice": "Choisissez un enfant de cette famille.",
        },
    )
    service = forms.ModelChoiceField(
        Service.objects.all(),
        label="Service",
        empty_label="Choisissez",
        error_messages={"required": "Choisissez un service.", "invalid_choice": "Choisissez un service de la liste."},
    )
    formule = FormuleField(
        Formule.objects.select_related("service").order_by("service__ordre", "service", "ordre", "pk"),
        label="Formule",
        required=False,
        empty_label="Sans formule",
        error_messages={"invalid_choice": "Choisissez une formule de la liste."},
    )
    jour = forms.DateField(
        label="Jour",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"required": "Choisissez un jour.", "invalid": "Écrivez une date sous la forme 24/11/2026."},
    )
    quotient = forms.DecimalField(
        label="Et si le quotient était de",
        required=False,
        min_value=0,
        max_digits=8,
        decimal_places=2,
        localize=True,
        help_text="Vide\u00a0: celui du dossier.",
        error_messages={
            "invalid": "Écrivez un nombre, par exemple 812 ou 812,50.",
            "min_value": "Un quotient n'est pas négatif.",
        },
    )

    def __init__(self, *args, famille: Famille, **kwargs):
        super().__init__(*args, **kwargs)
        liens = Rattachement.objects.filter(famille=famille)
        self.fields["enfant"].queryset = Enfant.objects.filter(
            pk__in=liens.en_vigueur(timezone.localdate()).values("enfant")
        ).order_by("date_naissance", "pk")
        self.fields["enfant"].label_from_instance = lambda enfant: enfant.prenom

    def clean_jour(self):
        jour = self.cleaned_data["jour"]
        if not 2020 <= jour.year < 2100:
            raise forms.ValidationError("Vérifiez l'année.")
        return jour

    def clean(self):
        donnees = super().clean()
        service, formule = donnees.get("service"), donnees.get("formule")
        if service and "formule" not in self.errors:
            if formule and formule.service_id != service.pk:
                self.add_error("formule", f"Cette formule n'est pas de «\u00a0{service}\u00a0».")
            elif not formule and service.formules.exists():
                self.add_error("formule", f"«\u00a0{service}\u00a0» se réserve par formule\u00a0: choisissez-en une.")
        return donnees


def simuler(request):
    """The family first, by a search; then the child, the service and the day."""
    if not request.user.has_perms(["facturation.view_grille", "familles.view_famille"]):
        raise PermissionDenied
    cle = request.GET.get("famille", "")
    if not cle:
        return _choisir(request)
    famille = Famille.objects.filter(pk=cle).first() if cle.isascii() and cle.isdecimal() and len(cle) < 19 else None
    if famille is None:
        raise Http404("Famille inconnue")
    demande = "jour" in request.GET
    initial = {"jour": timezone.localdate(), "service": request.GET.get("service", "")}
    form = SimulerForm(request.GET if demande else None, famille=famille, initial=initial)
    reponse = {"resultats": [], "lecture": None, "inconnu": ""}
    if demande and form.is_valid():
        reponse = _repondre(famille, form.cleaned_data)
    contexte = {
        **admin.site.each_context(request),
        "title": f"Simuler\u00a0: famille {famille.nom}",
        "famille": famille,
        "adultes": en_clair(list(famille.adultes())),
        "form": form,
        **reponse,
    }
    return render(request, "admin/simuler.html", contexte, status=422 if form.errors else 200)


def _choisir(request):
    texte = request.GET.get("q", "").strip()[:80].replace("\x00", "")
    trouvees = chercher_familles(texte) if texte else []
    contexte = {
        **admin.site.each_context(request),
        "title": "Simuler un prix",
        "texte": texte,
        "trouvees": trouvees,
        "trop": len(trouvees) == FAMILLES_TROUVEES,
        "service": request.GET.get("service", ""),
    }
    return render(request, "admin/simuler_famille.html", contexte)


def _repondre(famille, donnees):
    """What the page prints: the price of the file's quotient, that of « et si », the grid in full, or why none."""
    service, jour, essai = donnees["service"], donnees["jour"], donnees["quotient"]
    formule = donnees["formule"] and donnees["formule"].pk
    devis = Devis(famille, [service.pk], jour, jour)
    grille = Grille.objects.en_vigueur(jour).filter(service=service).select_related("service").first()
    reponse = {"resultats": [], "lecture": grilles.lire(grille) if grille else None, "inconnu": ""}
    try:
        for quotient in [None] if essai is None else [None, essai]:
            prix = devis.prix(donnees["enfant"].pk, service.pk, jour, formule, quotient=quotient)
            reponse["resultats"].append(_imprimer(prix, donnees["enfant"], jour, quotient))
    except TarifInconnu as erreur:
        reponse["inconnu"] = str(erreur)
    return reponse


def _imprimer(prix: PrixDuJour, enfant, jour, quotient):
    quand = f"{enfant.prenom}, {en_mots(jour)}"
    return {
        "titre": quand if quotient is None else f"Et si le quotient était de {nombre(quotient)}",
        "prix": euros(prix.prix.montant),
        "unite": prix.unite,
        "raison": prix.prix.raison,
        "aides": [(aide.libelle, euros(aide.montant)) for aide in prix.aides],
        "reste": euros(prix.reste),
        "majorations": prix.majorations,
    }
