"""The children: the list, the whole file on one page, its history, the emergency sheets."""

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models.functions import Concat
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.text import slugify

from enfants import actions, historique
from enfants.admin import filtres
from enfants.admin.formulaires import EnfantForm
from enfants.admin.lignes import LIGNES, voit_la_sante
from enfants.admin.resume import resume
from enfants.models import Classe, DocumentEnfant, Enfant, Informations, Sante
from enfants.regles.annees import libelle
from portail.outils.admin import EnMots, PortailAdmin
from portail.outils.pdf import PdfIndisponible

CONSULTATIONS_MONTREES = 20


@admin.register(Enfant)
class EnfantAdmin(EnMots, PortailAdmin):
    form = EnfantForm
    list_display = ["nom", "prenom", "naissance", "scolarite", "pai", "menu"]
    list_display_links = ["nom", "prenom"]
    list_select_related = ["ecole", "classe"]
    list_filter = [
        ("ecole", admin.RelatedOnlyFieldListFilter),
        filtres.FiltreClasse,
        "niveau",
        filtres.FiltrePai,
        "regime",
        filtres.FiltrePapiers,
        filtres.FiltreConfirmation,
        filtres.FiltreArchives,
    ]
    search_fields = ["nom__unaccent", "prenom__unaccent"]
    search_help_text = "Nom ou prénom, avec ou sans accents."
    fieldsets = [
        ("État civil", {"fields": [("prenom", "nom", "sexe"), ("date_naissance", "lieu_naissance")]}),
        ("École et repas", {"fields": [("ecole", "niveau", "classe"), ("regime", "a_pai"), "archive_le"]}),
    ]
    inlines = LIGNES
    actions = ["fiches_urgence"]
    change_form_template = "admin/enfants/enfant/change_form.html"

    # --- Who may see what

    def get_queryset(self, request):
        return super().get_queryset(request).accessibles_a(request.user)

    def has_add_permission(self, request):
        """A child comes with its family, or by the family's own request."""
        return False

    def has_delete_permission(self, request, obj=None):
        return False

    def has_sante_permission(self, request):
        return voit_la_sante(request.user)

    # --- The list

    @admin.display(description="né(e) le", ordering="date_naissance")
    def naissance(self, enfant):
        return f"{enfant.date_naissance:%d/%m/%Y}" if enfant.date_naissance else "–"

    @admin.display(description="classe et école", ordering=Concat("ecole__nom", "classe__nom"))
    def scolarite(self, enfant):
        return enfant.classe_texte or "–"

    @admin.display(description="PAI", ordering="a_pai")
    def pai(self, enfant):
        return "oui" if enfant.a_pai else "–"

    @admin.display(description="menu", ordering="regime")
    def menu(self, enfant):
        court = {Enfant.Regime.STANDARD: "–", Enfant.Regime.PANIER_PAI: "Panier PAI"}
        return court.get(enfant.regime) or enfant.get_regime_display()

    @staticmethod
    def proposition(enfant):
        """What an autocompletion shows: « Léa Durand, 14/08/2018 »."""
        return f"{enfant}, {enfant.date_naissance:%d/%m/%Y}" if enfant.date_naissance else str(enfant)

    # --- The file

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        champ = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if db_field.name == "classe":
            champ.queryset = Classe.objects.select_related("ecole")
            par_ecole = {}
            for classe in champ.queryset:
                par_ecole.setdefault(str(classe.ecole), []).append((classe.pk, classe.nom))
            champ.choices = [("", "---------"), *par_ecole.items()]
        return champ

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        """A save waits for the demandes and the colleagues that write the same file, then checks."""
        if request.method != "POST" or object_id is None:
            return super().changeform_view(request, object_id, form_url, extra_context)
        with transaction.atomic():
            enfant = self.get_object(request, unquote(object_id))
            if enfant is not None:
                actions.verrouiller_le_dossier(enfant.pk)
            return super().changeform_view(request, object_id, form_url, extra_context)

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        """The page is about to be shown: with health on it, the reading is noted."""
        if voit_la_sante(request.user):
            actions.noter_consultation([obj], par=request.user, page="Dossier de l'enfant")
        enfant = Enfant.objects.select_related("ecole", "classe", "sante", "informations").get(pk=obj.pk)
        context["resume"] = resume(enfant, request.user)
        if request.user.has_perm("enfants.view_consultationsante"):
            context["consultations"] = list(enfant.consultations.select_related("par")[:CONSULTATIONS_MONTREES])
        if request.user.has_perm("enfants.view_confirmationdossier"):
            confirmations = enfant.confirmations.select_related("famille", "confirmee_par")
            context["confirmations"] = [(libelle(c.annee), c) for c in confirmations]
        return super().render_change_form(request, context, add, change, form_url, obj)

    def save_formset(self, request, form, formset, change):
        """The sheets go through the actions: the reminders of their papers follow."""
        actes = {Sante: self._modifier_sante, Informations: self._modifier_informations, DocumentEnfant: _corriger}
        if formset.model not in actes:
            super().save_formset(request, form, formset, change)
            return
        formset.save(commit=False)  # tells the journal what changed
        for ligne in formset.forms:
            if ligne.has_changed():
                actes[formset.model](form.instance, ligne)

    @staticmethod
    def _modifier_sante(enfant, ligne):
        changees = _changees(ligne)
        if "allergenes_codes" in changees:
            changees["allergenes"] = changees.pop("allergenes_codes")
        if {"vaccins_etat", "vaccins_jusqu_au"} & set(changees):
            verdict = {nom: ligne.cleaned_data[nom] for nom in ("vaccins_etat", "vaccins_jusqu_au")}
            actions.verifier_vaccins(enfant, **verdict)
        actions.modifier_sante(enfant, changees)

    @staticmethod
    def _modifier_informations(enfant, ligne):
        actions.modifier_informations(enfant, _changees(ligne))

    # --- History and emergency sheets

    def get_urls(self):
        fiche = self.admin_site.admin_view(self.fiche_urgence)
        nom = "enfants_enfant_fiche_urgence"
        return [path("<path:object_id>/fiche-urgence/", fiche, name=nom), *super().get_urls()]

    def _ouvrir(self, request, object_id):
        enfant = self.get_object(request, unquote(object_id))
        if enfant is None:
            raise Http404("Enfant inconnu")
        return enfant

    def history_view(self, request, object_id, extra_context=None):
        """Who changed what in the file, before and after, from the database's own record."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        enfant = self._ouvrir(request, object_id)
        lignes = historique.changements(enfant, request.user)
        if voit_la_sante(request.user) and (sante := historique.de_sante(enfant)):
            actions.noter_consultation([enfant], par=request.user, page="Historique du dossier")
            lignes = sorted(lignes + sante, key=lambda ligne: ligne.le, reverse=True)
        contexte = {
            **self.admin_site.each_context(request),
            "title": f"Historique – {enfant}",
            "dossier": enfant,
            "retour": reverse("admin:enfants_enfant_change", args=[enfant.pk]),
            "changements": lignes,
        }
        return render(request, "admin/historique.html", contexte)

    def fiche_urgence(self, request, object_id):
        """The emergency sheet of one child, as a PDF."""
        if not (self.has_view_permission(request) and voit_la_sante(request.user)):
            raise PermissionDenied
        enfant = self._ouvrir(request, object_id)
        reponse = self._imprimer(request, [enfant], f"fiche-urgence-{slugify(enfant)}.pdf")
        return reponse or redirect("admin:enfants_enfant_change", enfant.pk)

    @admin.action(description="Imprimer les fiches d'urgence", permissions=["sante"])
    def fiches_urgence(self, request, queryset):
        return self._imprimer(request, queryset, f"fiches-urgence-{timezone.localdate()}.pdf")

    def _imprimer(self, request, enfants, nom):
        """The PDF, None when it cannot be made: a message says why."""
        from enfants import fiches

        try:
            pdf = fiches.imprimer_urgences(enfants, par=request.user)
        except (fiches.TropDeFiches, PdfIndisponible) as erreur:
            self.message_user(request, str(erreur), messages.ERROR)
            return None
        entetes = {"Content-Disposition": content_disposition_header(False, nom)}
        return HttpResponse(pdf, content_type="application/pdf", headers=entetes)


def _changees(ligne):
    return {nom: ligne.cleaned_data[nom] for nom in ligne.changed_data if nom in ligne.cleaned_data}


def _corriger(enfant, ligne):
    actions.corriger_document(ligne.instance, _changees(ligne))
