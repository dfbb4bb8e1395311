"""The payments on line, for the régisseur: what is to be matched with PayFiP's list, what was rejected."""

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef
from django.shortcuts import redirect, render
from django.urls import path

from facturation import paiements
from facturation.actions import ActionImpossible
from facturation.models import Ecriture, TentativePaiement
from facturation.rapprochement import importer
from portail.outils.admin import EnMots, LectureSeuleAdmin
from portail.outils.argent import euros
from portail.outils.tableur import TableauIllisible

LISTE_MAX = 1024 * 1024  # bytes
Issue = TentativePaiement.Issue
SAISIES = {"T": "Test", "X": "Activation", "A": "Production", "W": "Production"}  # facturation.regles.payfip.Saisie
MOYENS = {"CARTE": "Carte bancaire", "PRELEVEMENT": "Prélèvement"}


class FiltreRapprochement(admin.SimpleListFilter):
    title = "rapprochement"
    parameter_name = "rapprochement"

    def lookups(self, request, model_admin):
        return [
            ("a-rapprocher", "À rapprocher"),
            ("rapproches", "Rapprochés"),
            ("confirmes", "Confirmés par PayFiP"),
            ("rejetes", "Rejetés"),
        ]

    def queryset(self, request, queryset):
        return {
            "a-rapprocher": queryset.a_rapprocher(),
            "rapproches": queryset.filter(rapprochee_le__isnull=False),
            "confirmes": queryset.filter(confirmee=True),
            "rejetes": queryset.filter(rejetee=True),
        }.get(self.value(), queryset)


class ListeForm(forms.Form):
    liste = forms.FileField(
        label="Liste des paiements (CSV)",
        help_text="Avec les colonnes référence, montant et date. 1\u00a0Mo au plus.",
        widget=forms.FileInput(attrs={"accept": ".csv,text/csv"}),
        error_messages={"required": "Choisissez le fichier que PayFiP ou votre compte DFT vous a donné."},
    )

    def clean_liste(self):
        liste = self.cleaned_data["liste"]
        if liste.size > LISTE_MAX:
            raise forms.ValidationError("Ce fichier dépasse 1\u00a0Mo\u00a0: donnez une période plus courte.")
        return liste.read()


@admin.register(TentativePaiement)
class TentativePaiementAdmin(EnMots, LectureSeuleAdmin):
    """Nothing is typed here: a payment is matched, seen, or rejected."""

    change_list_template = "admin/paiements/liste.html"
    change_form_template = "admin/paiements/paiement.html"
    list_display = ["cree_le", "numero", "famille", "en_euros", "ou_il_en_est"]
    list_select_related = ["facture__famille", "facture__regie", "reglement"]
    list_filter = [FiltreRapprochement, "issue", "mode"]
    search_fields = ["reference", "autorisation", "facture__famille__nom__unaccent"]
    ordering = ["-cree_le", "-pk"]
    fieldsets = [
        (None, {"fields": [("facture", "famille"), ("en_euros", "regie"), ("cree_le", "par")]}),
        ("Ce qui a été demandé à PayFiP", {"fields": [("mode", "saisie"), ("client", "reference")]}),
        (
            "Ce que PayFiP a répondu",
            {"fields": [("issue", "conclue_le"), ("moyen", "autorisation"), "confirmee"]},
        ),
        ("Rapprochement", {"fields": ["rapprochement", ("rapprochee_le", "rapproche_par")]}),
    ]
    lectures = {"saisie": "saisie_lisible", "moyen": "moyen_lisible"}
    actions = ["rapprocher_la_selection"]

    def get_queryset(self, request):
        """With ``rejetee``: the payment was taken back by a counter-entry."""
        contre = Ecriture.objects.filter(annule__reglement=OuterRef("reglement"), annule__nature="REGLEMENT")
        return super().get_queryset(request).annotate(rejetee=Exists(contre))

    @admin.display(description="famille", ordering="facture__famille__nom")
    def famille(self, tentative):
        return tentative.facture.famille

    @admin.display(description="facture")
    def numero(self, tentative):
        return tentative.facture.numero_complet

    @admin.display(description="état")
    def ou_il_en_est(self, tentative):
        return self.rapprochement(tentative) if tentative.issue == Issue.PAYE else tentative.get_issue_display()

    @admin.display(description="rapprochée par")
    def rapproche_par(self, tentative):
        return tentative.rapprochee_par or "–"

    @admin.display(description="montant", ordering="montant")
    def en_euros(self, tentative):
        return euros(tentative.montant)

    @admin.display(description="régie", ordering="facture__regie__nom")
    def regie(self, tentative):
        return tentative.facture.regie

    @admin.display(description="saisie")
    def saisie_lisible(self, tentative):
        return SAISIES.get(tentative.saisie, tentative.saisie)

    @admin.display(description="moyen")
    def moyen_lisible(self, tentative):
        return MOYENS.get(tentative.moyen, tentative.moyen) or "–"

    @admin.display(description="rapprochement")
    def rapprochement(self, tentative):
        if tentative.rejetee:
            return "Rejeté"
        if tentative.issue != Issue.PAYE:
            return "–"
        if tentative.reglement_id is None:
            if not tentative.facture.regie.est_titre:
                return "Essai, sans argent"
            return "Rejeté" if tentative.rapprochee_le else "Suivi par la trésorerie"
        if tentative.rapprochee_le:
            return "Rapproché"
        return "Confirmé par PayFiP" if tentative.confirmee else "À rapprocher"

    def has_rapprocher_permission(self, request):
        return request.user.has_perm("facturation.rapprocher_tentativepaiement")

    @admin.action(description="Rapprocher de la liste de PayFiP", permissions=["rapprocher"])
    def rapprocher_la_selection(self, request, queryset):
        faits = 0
        for tentative in queryset.a_rapprocher().order_by("pk"):
            try:
                paiements.rapprocher(tentative, par=request.user)
                faits += 1
            except ActionImpossible:  # a colleague was faster
                continue
        if not faits:
            self.message_user(request, "Aucun paiement à rapprocher dans cette sélection.", messages.WARNING)
        else:
            s = "s" if faits > 1 else ""
            self.message_user(request, f"{faits} paiement{s} rapproché{s}.", messages.SUCCESS)

    def get_urls(self):
        page = path(
            "importer/", self.admin_site.admin_view(self.importer), name="facturation_tentativepaiement_importer"
        )
        return [page, *super().get_urls()]

    def changelist_view(self, request, extra_context=None):
        contexte = {"peut_rapprocher": self.has_rapprocher_permission(request)}
        return super().changelist_view(request, contexte | (extra_context or {}))

    # --- One payment ---------------------------------------------------------------------------------------

    def change_view(self, request, object_id, form_url="", extra_context=None):
        contexte = {"motif": "", "peut_rapprocher": self.has_rapprocher_permission(request)}
        if request.method == "POST" and "geste" in request.POST:
            if not (self.has_view_permission(request) and contexte["peut_rapprocher"]):
                raise PermissionDenied
            return self._faire(request, object_id, form_url, contexte)
        return super().change_view(request, object_id, form_url, contexte | (extra_context or {}))

    def _faire(self, request, object_id, form_url, contexte):
        """What the régisseur says of a payment; a refusal comes back on the page, with what was typed."""
        motif = request.POST.get("motif", "").replace("\x00", "").strip()[:100]
        gestes = {
            "rapprocher": lambda t: (paiements.rapprocher(t, par=request.user), "Le paiement est rapproché."),
            "constater": lambda t: (
                paiements.constater(t, par=request.user),
                "Le paiement est sur le compte de la famille, qui est prévenue.",
            ),
            "rejeter": lambda t: (
                paiements.rejeter(t, motif=motif, par=request.user),
                "La facture est de nouveau à payer, la famille est prévenue.",
            ),
        }
        tentative = self.get_object(request, unquote(object_id))
        geste = gestes.get(request.POST["geste"])
        if tentative is None or geste is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        try:
            _, phrase = geste(tentative)
        except ActionImpossible as erreur:
            self.message_user(request, str(erreur), messages.ERROR)
            request.method = "GET"  # the same page, with what was typed
            reponse = super().change_view(request, object_id, form_url, contexte | {"motif": motif})
            reponse.status_code = 422
            return reponse
        self.message_user(request, phrase, messages.SUCCESS)
        return redirect("admin:facturation_tentativepaiement_change", tentative.pk)

    # --- A list --------------------------------------------------------------------------------------------

    def importer(self, request):
        """PayFiP's list is read, matched and told back row by row; sent again, it changes nothing."""
        if not self.has_rapprocher_permission(request):
            raise PermissionDenied
        envoye, lignes = request.method == "POST", None
        form = ListeForm(request.POST, request.FILES) if envoye else ListeForm()
        if envoye and form.is_valid():
            try:
                lignes = importer(form.cleaned_data["liste"], par=request.user)
            except TableauIllisible as erreur:
                form.add_error("liste", str(erreur))
        contexte = {
            **self.admin_site.each_context(request),
            "title": "Rapprocher la liste de PayFiP",
            "opts": self.opts,
            "form": form,
            "lignes": lignes,
            "bilan": _bilan(lignes) if lignes is not None else "",
        }
        return render(request, "admin/paiements/importer.html", contexte, status=422 if envoye and form.errors else 200)


def _bilan(lignes):
    """« Rapprochées : 12. Déjà connues : 0. À regarder : 1. »"""
    mots = {"rapprochee": "Rapprochées", "deja": "Déjà connues", "inconnue": "À regarder"}
    return " ".join(f"{mot}\u00a0: {sum(li.etat == etat for li in lignes)}." for etat, mot in mots.items())
