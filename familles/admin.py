"""Families in the admin: search, correct, hand out accesses."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html

from familles import acces, actions, historique
from familles.champs import masquer_iban
from familles.lettres import TropDeLettres, adultes_sans_acces, imprimer
from familles.models import (
    CoordonneesBancaires,
    DossierCaf,
    Famille,
    QuotientFamilial,
    Responsable,
    SituationFiscale,
    Utilisateur,
)
from portail.outils.admin import LectureSeule, PortailAdmin
from portail.outils.pdf import PdfIndisponible


def _noms(adultes):
    return ", ".join(map(str, adultes)) or "aucun"


class ResponsableInline(admin.StackedInline):
    model = Responsable
    extra = 0
    can_delete = False
    readonly_fields = ["compte", "acces", "place", "separation"]
    fields = [
        ("compte", "acces"),
        ("place", "civilite"),
        ("telephone_mobile", "telephone_fixe", "telephone_travail"),
        ("profession", "employeur"),
    ]

    def has_add_permission(self, request, obj=None):
        return False

    def get_fields(self, request, obj=None):
        """With two adults, the way to note that one leaves."""
        peut_separer = request.user.has_perms(["familles.change_famille", "enfants.change_enfant"])
        deux = obj is not None and obj.responsables.count() == 2
        return [*self.fields, "separation"] if deux and peut_separer else self.fields

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("utilisateur").order_by("rang")

    @admin.display(description="séparation")
    def separation(self, adulte):
        adresse = reverse("admin:separer", args=[adulte.pk])
        return format_html('<a href="{}">Séparer {} de ce foyer</a>', adresse, adulte.utilisateur.prenom)

    @admin.display(description="nom, identifiant, adresse e-mail")
    def compte(self, adulte):
        compte = adulte.utilisateur
        return f"{compte.nom_complet} – {compte.identifiant} – {compte.courriel or 'pas d’adresse e-mail'}"

    @admin.display(description="place dans le dossier")
    def place(self, adulte):
        return adulte.get_rang_display()

    @admin.display(description="accès au portail")
    def acces(self, adulte):
        compte = adulte.utilisateur
        if not compte.is_active:
            return "Compte fermé"
        if compte.mot_de_passe_provisoire:
            return f"Lettre éditée, valable jusqu'au {compte.mot_de_passe_expire_le:%d/%m/%Y}"
        if not compte.has_usable_password():
            return "Aucune lettre éditée"
        vu = f", dernière connexion le {compte.last_login:%d/%m/%Y}" if compte.last_login else ""
        return f"Mot de passe choisi{vu}"


class SituationFiscaleInline(LectureSeule, admin.TabularInline):
    model = SituationFiscale
    fields = ["regime", "revenu_fiscal", "parts", "annee", "non_communique"]


class DossierCafInline(LectureSeule, admin.TabularInline):
    model = DossierCaf
    fields = ["caisse", "numero_allocataire"]


class CoordonneesBancairesInline(LectureSeule, admin.TabularInline):
    model = CoordonneesBancaires
    fields = readonly_fields = ["titulaire", "compte"]

    @admin.display(description="IBAN")
    def compte(self, coordonnees):
        return masquer_iban(coordonnees.iban)


class QuotientInline(LectureSeule, admin.TabularInline):
    model = QuotientFamilial
    extra = 0
    readonly_fields = ["agent"]
    fields = ["valeur", "source", "mois", "valable_du", "valable_au", "agent"]
    ordering = ["-valable_du"]

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("saisi_par")

    @admin.display(description="saisi par")
    def agent(self, quotient):
        """Without the link to the account, which not every reader may open."""
        return str(quotient.saisi_par or "–")


@admin.register(Famille)
class FamilleAdmin(PortailAdmin):
    list_display = ["nom", "adultes_texte", "adresse", "code_postal", "ville"]
    search_fields = [
        "nom__unaccent",
        "responsables__utilisateur__nom__unaccent",
        "responsables__utilisateur__prenom__unaccent",
        "responsables__utilisateur__identifiant",
        "responsables__utilisateur__courriel",
        "responsables__telephone_mobile",
    ]
    search_help_text = "Nom, prénom, identifiant, adresse e-mail ou téléphone, avec ou sans accents."
    fields = ["nom", "adresse", "complement", ("code_postal", "ville")]
    inlines = [
        ResponsableInline,
        QuotientInline,
        SituationFiscaleInline,
        DossierCafInline,
        CoordonneesBancairesInline,
    ]
    actions = ["lettres", "invitations"]

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("responsables__utilisateur")

    @admin.display(description="adultes")
    def adultes_texte(self, famille):
        return ", ".join(str(adulte) for adulte in famille.responsables.all())

    @staticmethod
    def proposition(famille):
        """What an autocompletion shows: « Famille Durand – Claire Durand, Julien Durand, 12 rue des Vergers »."""
        adultes = [str(adulte) for adulte in famille.responsables.all()]
        return " – ".join(filter(None, [str(famille), ", ".join(filter(None, [*adultes, famille.adresse]))]))

    def has_delete_permission(self, request, obj=None):
        return False

    def add_view(self, request, form_url="", extra_context=None):
        """A family is opened with its adults and children, on one page."""
        return redirect("admin:ouvrir_famille")

    def history_view(self, request, object_id, extra_context=None):
        """Who changed what in the file, before and after, from the database's own record."""
        famille = self.get_object(request, object_id)
        if famille is None:
            raise Http404("Famille inconnue")
        if not self.has_change_permission(request, famille):  # it tells income and bank: not for every reader
            raise PermissionDenied
        contexte = {
            **self.admin_site.each_context(request),
            "title": f"Historique – {famille}",
            "dossier": famille,
            "retour": reverse("admin:familles_famille_change", args=[famille.pk]),
            "changements": historique.changements(famille),
        }
        return render(request, "admin/historique.html", contexte)

    @admin.action(description="Imprimer les lettres d'accès (nouveaux mots de passe)", permissions=["change"])
    def lettres(self, request, queryset):
        """One PDF, a page for each adult who has not chosen a password yet."""
        try:
            with transaction.atomic():
                pdf = imprimer(adultes_sans_acces(queryset))
        except (PdfIndisponible, TropDeLettres) as erreur:
            self.message_user(request, str(erreur), messages.ERROR)
            return None
        if pdf is None:
            self.message_user(request, "Tous ces adultes ont déjà choisi leur mot de passe.", messages.INFO)
            return None
        return HttpResponse(
            pdf,
            content_type="application/pdf",
            headers={"Content-Disposition": 'attachment; filename="lettres-acces.pdf"'},
        )

    @admin.action(description="Envoyer le lien d'accès par e-mail", permissions=["change"])
    def invitations(self, request, queryset):
        adultes = adultes_sans_acces(queryset)
        avec = [adulte for adulte in adultes if adulte.utilisateur.courriel]
        for adulte in avec:
            acces.inviter(adulte.utilisateur)
        self.message_user(
            request,
            f"Liens mis à l'envoi : {_noms(avec)}. Sans adresse e-mail : {_noms(a for a in adultes if a not in avec)}.",
            messages.SUCCESS if avec else messages.WARNING,
        )


@admin.register(Utilisateur)
class UtilisateurAdmin(PortailAdmin):
    list_display = ["identifiant", "nom", "prenom", "courriel", "is_active", "is_staff", "last_login"]
    list_filter = ["is_staff", "is_active", "groups"]
    search_fields = ["identifiant", "nom__unaccent", "prenom__unaccent", "courriel"]
    fields = [
        "identifiant",
        ("prenom", "nom"),
        ("courriel", "courriel_en_attente"),
        "is_active",
        "is_staff",
        "groups",
        "last_login",
    ]
    readonly_fields = ["courriel_en_attente", "last_login"]
    filter_horizontal = ["groups"]
    actions = ["nouveau_mot_de_passe"]

    def get_readonly_fields(self, request, obj=None):
        """Only a superuser makes agents: an administrator could otherwise lift themselves."""
        lecture = list(super().get_readonly_fields(request, obj))
        return lecture if request.user.is_superuser else [*lecture, "is_staff", "groups"]

    def has_change_permission(self, request, obj=None):
        """Agents look after parents' accounts; those of colleagues are for who may add some."""
        if obj is not None and obj.is_superuser and not request.user.is_superuser:
            return False
        if obj is not None and obj.is_staff and not request.user.has_perm("familles.add_utilisateur"):
            return False
        return super().has_change_permission(request, obj)

    def save_model(self, request, obj, form, change):
        """A new account waits for its link or letter; a new address waits for its own link."""
        nouveau = obj.courriel if change and "courriel" in form.changed_data else ""
        if not change:
            obj.set_unusable_password()
        if nouveau:
            obj.courriel = form.initial["courriel"]
        super().save_model(request, obj, form, change)
        if nouveau:
            actions.demander_courriel(obj, nouveau)
            self.message_user(request, f"L'adresse {nouveau} comptera quand le lien qui y est envoyé aura été suivi.")

    def has_delete_permission(self, request, obj=None):
        return False

    @admin.action(description="Envoyer un lien pour choisir un mot de passe", permissions=["change"])
    def nouveau_mot_de_passe(self, request, queryset):
        if not request.user.has_perm("familles.add_utilisateur"):
            queryset = queryset.filter(is_staff=False)
        avec = list(queryset.exclude(courriel="").filter(is_active=True).order_by("pk"))
        for compte in avec:
            acces.inviter(compte)
        self.message_user(request, f"Liens mis à l'envoi : {len(avec)}.", messages.SUCCESS)
