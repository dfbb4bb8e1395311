"""Deadlines in the admin: typed as a form, read as a sentence, tried on a day before they are saved."""

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.db import transaction
from django.utils import timezone

from enfants import delais as regles_datees
from enfants import offre as offres
from enfants.admin.offre import Relue
from enfants.admin.regle import TYPES, RegleForm, decomposer
from enfants.models import RegleDelai
from enfants.regles import delais
from portail.outils.admin import EnMots, PortailAdmin
from portail.outils.dates import JOURS
from portail.outils.dates import jour as en_mots

CHAMPS = {  # kind -> lines of its group
    "jours_avant": [
        ("jours_avant_n", "jours_avant_heure"),
        "jours_avant_compte",
        "jours_avant_jours_comptes",
    ],
    "semaine": [("semaine_avant", "semaine_jour", "semaine_heure")],
    "table": [(f"table_{numero}_jours", f"table_{numero}_heure") for numero in range(len(JOURS))],
    "mois": [("mois_jour", "mois_heure")],
    "periode": [("periode_avant_jours", "periode_heure")],
    "heures_avant": ["heures_avant_n"],
}
AIDES = {"table": "Une ligne vide\u00a0: ce jour de la semaine est fermé. 0 jour avant\u00a0: le jour même."}

OUVERTURES = [tuple(f"{public}_{nom}" for nom in ("genre", "nombre", "date", "heure")) for public in delais.PUBLICS]


def _groupe(type_):
    """The group of a kind; ``static/js/regle_delai.js`` hides those of the others."""
    options = {"fields": CHAMPS[type_], "classes": [f"regle-{type_}"]}
    if type_ in AIDES:
        options["description"] = AIDES[type_]
    return f"Si la règle est «\u00a0{TYPES[type_].lower()}\u00a0»", options


@admin.register(RegleDelai)
class RegleDelaiAdmin(Relue, EnMots, PortailAdmin):
    form = RegleForm
    list_display = ["service", "usage", "en_phrase", "valable_du", "valable_au"]
    list_display_links = ["service", "usage"]
    list_filter = ["service", "usage"]
    list_select_related = ["service"]
    search_fields = ["service__nom__unaccent"]
    ordering = ["service__ordre", "service__nom", "usage", "-valable_du"]
    fieldsets = [
        (None, {"fields": [("service", "usage"), ("valable_du", "valable_au")]}),
        ("Jusqu'à quand", {"fields": ["type"]}),
        *(_groupe(type_) for type_ in CHAMPS),
        (
            "À partir de quand",
            {
                "fields": ["ouverture", *OUVERTURES],
                "description": "Ne sert qu'au délai pour réserver. Semaines et jours se comptent avant le jour "
                "réservé, ou avant le premier jour des vacances si la règle en dépend.",
            },
        ),
        ("Et si\u00a0?", {"fields": [("essai_jour", "essai_instant")], "classes": ["et-si"]}),
    ]
    change_form_template = "admin/enfants/regledelai/change_form.html"

    class Media:
        js = [forms.Script("js/regle_delai.js", defer=True)]

    @admin.display(description="règle")
    def en_phrase(self, regle):
        return regle.phrase

    # --- The form

    def get_fieldsets(self, request, obj=None):
        if self.has_change_permission(request, obj):
            return self.fieldsets
        lignes = [("service", "usage"), ("valable_du", "valable_au"), "en_phrase"]
        return [(None, {"fields": self._en_lecture(lignes)})]

    def get_form(self, request, obj=None, **kwargs):
        form = super().get_form(request, obj, **kwargs)
        form.essai = "_essayer" in request.POST
        return form

    def get_changeform_initial_data(self, request):
        """« Changer à partir d'un jour »: a new rule, that says first what this one says."""
        cle = request.GET.get("depuis", "")
        regle = RegleDelai.objects.filter(pk=cle).first() if cle.isdecimal() and len(cle) < 19 else None
        if regle is None:
            return super().get_changeform_initial_data(request)
        return {"service": regle.service_id, "usage": regle.usage, **decomposer(regle.regle)}

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        """Two agents who change the deadlines of one service queue up, then check."""
        if request.method != "POST":
            return super().changeform_view(request, object_id, form_url, extra_context)
        with transaction.atomic():
            regle = self.get_object(request, unquote(object_id)) if object_id else None
            service = str(regle.service_id if regle else request.POST.get("service", ""))
            if service.isdecimal() and len(service) < 19:
                regles_datees.verrouiller(int(service))
            return super().changeform_view(request, object_id, form_url, extra_context)

    def save_model(self, request, obj, form, change):
        if change:
            super().save_model(request, obj, form, change)
        elif ancienne := regles_datees.remplacer_regle(obj):
            phrase = f"Le délai d'avant vaut maintenant jusqu'au {en_mots(ancienne.valable_au)}."
            self.message_user(request, phrase, messages.INFO)

    # --- What it says

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        form = context["adminform"].form
        peut_essayer = self.has_change_permission(request, obj)
        context |= {"phrase": "", "reponses": [], "prochains": [], "peut_essayer": peut_essayer}
        if essai := self._essai(form, None if form.is_bound else obj):
            context |= {
                "phrase": delais.phrase(essai.regle),
                "prochains": essai.prochains(timezone.localdate()),
            }
            if form.essai and form.cleaned_data.get("essai_jour"):
                context["reponses"] = essai.reponses(form.cleaned_data["essai_jour"], form.instant_essaye())
        return super().render_change_form(request, context, add, change, form_url, obj)

    @staticmethod
    def _essai(form, regle):
        """The rule on file, or the one just typed as far as it can be read."""
        if regle is not None:
            service = offres.offre(regle.service)
            return regles_datees.Essai(regle.regle, regle.usage, service, regle.valable_du, regle.valable_au)
        if not form.is_bound or form.regle_lue is None or not form.cleaned_data.get("service"):
            return None
        donnees = form.cleaned_data
        service = offres.offre(donnees["service"])
        usage = donnees.get("usage") or RegleDelai.Usage.RESERVER
        return regles_datees.Essai(form.regle_lue, usage, service, donnees.get("valable_du"), donnees.get("valable_au"))
