"""Which household has a child on which days: noted by an agent, checked, shown as a calendar of three months."""

from datetime import date, timedelta
from itertools import groupby
from typing import NamedTuple

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404
from django.shortcuts import redirect
from django.utils import timezone

from enfants import actions, foyers
from enfants.admin.formulaires import FamilleField
from enfants.admin.resume import phrase
from enfants.garde import calendrier, regle
from enfants.models import Enfant, ExceptionGarde, Garde, PeriodeVacances
from enfants.regles import garde as regles
from portail.outils.admin import EnMots, PortailAdmin
from portail.outils.dates import MOIS, jour
from portail.outils.periodes import LigneForm, PeriodesFormSet

MOIS_MONTRES = 3


class GardeForm(forms.ModelForm):
    def clean(self):
        donnees = super().clean()
        if not self.errors:
            brouillon = Garde(**{nom: donnees[nom] for nom in donnees})
            for faute in regles.verifier(regle(brouillon, exceptions=[])):
                self.add_error(None, faute)
        return donnees


class ExceptionsFormSet(PeriodesFormSet):
    phrase = "Une autre exception couvre ces jours."

    def clean(self):
        """The sentences of the rules that the exceptions add to those of the custody itself."""
        super().clean()
        garde = self.instance
        if not (garde.premier_foyer_id and garde.second_foyer_id and garde.premiere_semaine):
            return  # the custody's own form says it
        exceptions = [(e["valable_du"], e["valable_au"], e["foyer"].pk) for e in self.lignes() if e.get("foyer")]
        connues = set(regles.verifier(regle(garde, exceptions=[])))
        fautes = [faute for faute in regles.verifier(regle(garde, exceptions)) if faute not in connues]
        if fautes:
            raise forms.ValidationError(fautes)


class _Foyers:
    """The choice of a household, among those of the child alone."""

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        if db_field.related_model is not Enfant:
            siens = foyers.de_l_enfant(request.enfant_garde)
            champ = super().formfield_for_foreignkey(
                db_field, request, form_class=FamilleField, queryset=siens, **kwargs
            )
            champ.noms = request.noms_des_foyers
            return champ
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


class ExceptionInline(EnMots, _Foyers, admin.TabularInline):
    model = ExceptionGarde
    form = LigneForm
    formset = ExceptionsFormSet
    extra = 0
    fields = ["foyer", "valable_du", "valable_au"]
    classes = ["serree"]

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("foyer")


@admin.register(Garde)
class GardeAdmin(EnMots, _Foyers, PortailAdmin):
    form = GardeForm
    list_display = ["enfant", "premier_foyer", "second_foyer", "mode", "vacances"]
    list_select_related = ["enfant", "premier_foyer", "second_foyer"]
    list_filter = ["mode", "vacances"]
    search_fields = ["enfant__nom__unaccent", "enfant__prenom__unaccent"]
    ordering = ["enfant__nom", "enfant__prenom", "pk"]
    fieldsets = [
        ("Foyers", {"fields": [("premier_foyer", "second_foyer")]}),
        ("Semaines", {"fields": ["mode", ("premiere_semaine", "jour_passage")]}),
        ("Vacances", {"fields": ["vacances", "premiere_moitie_annees_paires"]}),
        ("Factures", {"fields": ["part"]}),
    ]
    inlines = [ExceptionInline]
    change_form_template = "admin/enfants/garde/change_form.html"

    def get_queryset(self, request):
        return super().get_queryset(request).filter(enfant__in=Enfant.objects.accessibles_a(request.user))

    def has_delete_permission(self, request, obj=None):
        """A custody that ends is a household that leaves: see the dates of « Rattachements »."""
        return False

    def add_view(self, request, form_url="", extra_context=None):
        """From the child's page, which tells the two households to choose from."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        cle, enfant = request.GET.get("enfant", ""), None
        if cle.isdecimal() and len(cle) < 19:
            enfant = Enfant.objects.accessibles_a(request.user).filter(pk=cle).first()
        if enfant is None:
            self.message_user(request, "La garde se note depuis la page de l'enfant.", messages.INFO)
            return redirect("admin:enfants_enfant_changelist")
        if Garde.objects.filter(enfant=enfant).exists():
            return redirect("admin:enfants_garde_change", enfant.garde.pk)
        if foyers.de_l_enfant(enfant).count() < 2:
            self.message_user(
                request, f"{enfant} n'a qu'un foyer\u00a0: ajoutez d'abord l'autre aux rattachements.", messages.WARNING
            )
            return redirect("admin:enfants_enfant_change", enfant.pk)

        def noter():
            if Garde.objects.filter(enfant=enfant).exists():  # a colleague was first
                return redirect("admin:enfants_garde_change", enfant.garde.pk)
            return super(GardeAdmin, self).add_view(request, form_url)

        return self._avec_enfant(request, enfant, noter)

    def change_view(self, request, object_id, form_url="", extra_context=None):
        garde = self.get_object(request, unquote(object_id))
        if garde is None:
            return super().change_view(request, object_id, form_url, extra_context)
        return self._avec_enfant(
            request, garde.enfant, lambda: super(GardeAdmin, self).change_view(request, object_id, form_url)
        )

    def history_view(self, request, object_id, extra_context=None):
        """It is part of the child's."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        garde = self.get_object(request, unquote(object_id))
        if garde is None:
            raise Http404("Garde inconnue")
        return redirect("admin:enfants_enfant_history", garde.enfant_id)

    def _avec_enfant(self, request, enfant, page):
        """Its households are the choices; two agents who note its custody queue up."""
        request.enfant_garde = enfant
        request.noms_des_foyers = foyers.noms([famille.pk for famille in foyers.de_l_enfant(enfant)])
        if request.method != "POST":
            return page()
        with transaction.atomic():
            actions.verrouiller_le_dossier(enfant.pk)
            return page()

    def save_form(self, request, form, change):
        garde = super().save_form(request, form, change)
        garde.enfant = request.enfant_garde
        return garde

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        enfant = request.enfant_garde
        context |= {"enfant": enfant, "calendrier": None, "show_save_and_add_another": False}
        if obj is not None:
            garde = Garde.objects.select_related("enfant").get(pk=obj.pk)  # not what an invalid form has put in it
            context |= {"phrase": phrase(garde), "calendrier": trois_mois(garde, timezone.localdate())}
        return super().render_change_form(request, context, add, change, form_url, obj)


# --- The calendar ----------------------------------------------------------------------------------------


class Case(NamedTuple):
    """A day: its number, the mark of the household, and all of it in words for who does not see the grid."""

    numero: int
    marque: str
    forme: str
    vacances: bool
    aujourdhui: bool
    en_mots: str


class Mois(NamedTuple):
    titre: str
    semaines: list[list[Case | None]]


class Calendrier(NamedTuple):
    """:param legende: (mark, shape, name) of each household."""

    legende: list[tuple[str, str, str]]
    mois: list[Mois]


FORMES = ("pleine", "creuse")  # a full square, an outlined one: told apart in black and white too


def trois_mois(garde: Garde, aujourdhui: date) -> Calendrier:
    """The month of ``aujourdhui`` and the two that follow."""
    debut = aujourdhui.replace(day=1)
    fin = debut
    for _ in range(MOIS_MONTRES):
        fin = (fin + timedelta(days=31)).replace(day=1)
    fin -= timedelta(days=1)
    foyers_garde = [garde.premier_foyer_id, garde.second_foyer_id]
    noms = foyers.noms(foyers_garde)
    marques = _marques([noms[cle] for cle in foyers_garde])
    formes = dict(zip(foyers_garde, zip(marques, FORMES, strict=True), strict=True))
    vacances = list(PeriodeVacances.objects.filter(valable_au__gte=debut, valable_du__lte=fin))

    def case(jour_, chez):
        marque, forme = formes.get(chez[0], ("?", "")) if len(chez) == 1 else (" ".join(marques), "double")
        pendant = next((v.nom for v in vacances if v.valable_du <= jour_ <= v.valable_au), "")
        qui = " et ".join(noms.get(cle, "autre foyer") for cle in chez)
        en_mots = ", ".join(filter(None, [f"{jour(jour_)}\u00a0: {qui}", pendant]))
        return Case(jour_.day, marque, forme, bool(pendant), jour_ == aujourdhui, en_mots)

    jours = calendrier(garde, debut, fin)
    mois = [
        Mois(f"{MOIS[numero - 1]} {annee}", _semaines([(j, case(j, chez)) for j, chez in suite]))
        for (annee, numero), suite in groupby(jours.items(), key=lambda ligne: (ligne[0].year, ligne[0].month))
    ]
    return Calendrier([(*formes[cle], noms[cle]) for cle in foyers_garde], mois)


def _marques(noms):
    """An initial each, a number where both are the same."""
    initiales = [nom[:1].upper() for nom in noms]
    return initiales if len(set(initiales)) == len(noms) else ["1", "2"]


def _semaines(cases):
    """Weeks of seven days, from Monday, None before the first and after the last."""
    ligne = [None] * cases[0][0].weekday() + [case for _, case in cases]
    ligne += [None] * (-len(ligne) % 7)
    return [ligne[debut : debut + 7] for debut in range(0, len(ligne), 7)]
