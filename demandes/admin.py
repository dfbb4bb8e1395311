"""Where agents find, read and decide what families ask."""

from datetime import timedelta
from functools import partial

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import timezone

from demandes import actions, planning, presentation
from demandes.forms.decision import RefusForm
from demandes.models import Demande, MotifRefus
from familles.models import Utilisateur
from messagerie.models import Fil, Message, ServiceMairie
from portail.outils.admin import FiltreTexte, LectureSeuleAdmin, PortailAdmin
from portail.outils.dates import quand


class FiltreEtat(admin.SimpleListFilter):
    """Pending by default: that is what an agent comes for."""

    title = "état"
    parameter_name = "etat"

    def lookups(self, request, model_admin):
        return [("toutes", "Toutes"), *Demande.Etat.choices[1:]]

    def queryset(self, request, queryset):
        etat = self.value()
        if etat == "toutes":
            return queryset
        return queryset.filter(etat=etat if etat in Demande.Etat.values else Demande.Etat.EN_ATTENTE)

    def choices(self, changelist):
        sans_choix, *autres = super().choices(changelist)
        yield {**sans_choix, "display": "En attente"}
        yield from autres


class FiltreAge(admin.SimpleListFilter):
    title = "ancienneté"
    parameter_name = "age"

    def lookups(self, request, model_admin):
        return [("2", "Plus de 2 jours"), ("7", "Plus de 7 jours"), ("30", "Plus de 30 jours")]

    def queryset(self, request, queryset):
        if self.value() not in ("2", "7", "30"):
            return queryset
        return queryset.filter(deposee_le__lt=timezone.now() - timedelta(days=int(self.value())))


class FiltreAgent(admin.RelatedOnlyFieldListFilter):
    """The agents who decided; a parent who withdrew is not one of them."""

    def field_choices(self, field, request, model_admin):
        agents = set(Utilisateur.objects.filter(is_staff=True).values_list("pk", flat=True).order_by("pk"))
        return [choix for choix in super().field_choices(field, request, model_admin) if choix[0] in agents]


class FiltreFamille(FiltreTexte):
    title = "famille"
    parameter_name = "famille"
    champs = ("famille__nom", "famille__responsables__utilisateur__nom")

    def queryset(self, request, queryset):
        return super().queryset(request, queryset).distinct() if self.value() else queryset


@admin.register(Demande)
class DemandeAdmin(LectureSeuleAdmin):
    list_display = ["type_demande", "famille", "etat", "deposee_le", "traitee_par"]
    list_filter = [
        FiltreEtat,
        "type",
        FiltreAge,
        FiltreFamille,
        ("traitee_par", FiltreAgent),
    ]
    list_select_related = ["famille", "enfant", "traitee_par"]
    search_fields = ["famille__nom__unaccent", "enfant__nom__unaccent", "enfant__prenom__unaccent"]
    ordering = ["deposee_le", "pk"]
    actions = ["accepter_la_selection"]

    @admin.display(description="demande", ordering="type")
    def type_demande(self, demande):
        return demande.titre

    def get_queryset(self, request):
        return super().get_queryset(request).ouvertes_a(request.user)

    def has_traiter_permission(self, request):
        return request.user.has_perm("demandes.traiter_demande")

    def get_urls(self):
        decider = self.admin_site.admin_view(self.decider)
        return [
            path("<path:object_id>/decider/", decider, name="demandes_demande_decider"),
            *super().get_urls(),
        ]

    @admin.action(description="Accepter les demandes sélectionnées", permissions=["traiter"])
    def accepter_la_selection(self, request, queryset):
        acceptees = 0
        for pk in queryset.order_by("pk").values_list("pk", flat=True):
            try:
                actions.accepter(pk, par=request.user)
                acceptees += 1
            except actions.DecisionImpossible as erreur:
                demande = Demande.objects.select_related("famille", "enfant").get(pk=pk)
                self.message_user(request, f"{demande} : {erreur}", messages.WARNING)
        if acceptees:
            phrase = "1 demande acceptée, la famille est prévenue."
            if acceptees > 1:
                phrase = f"{acceptees} demandes acceptées, les familles sont prévenues."
            self.message_user(request, phrase, messages.SUCCESS)

    def _demande(self, request, object_id):
        demande = self.get_object(request, object_id)
        if demande is None:
            raise Http404("Demande inconnue")
        if not self.has_view_permission(request, demande):
            raise PermissionDenied
        return demande

    def change_view(self, request, object_id, form_url="", extra_context=None):
        """Read: before, asked, now; papers; the two answers."""
        demande = self._demande(request, object_id)
        if self.has_traiter_permission(request):
            actions.marquer_lue(demande, par=request.user)
            demande.refresh_from_db()
        return self._page(request, demande)

    def decider(self, request, object_id):
        """Accept or refuse; in error, the page comes back with what was typed."""
        demande = self._demande(request, object_id)
        if not self.has_traiter_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return redirect("admin:demandes_demande_change", demande.pk)
        if "apercu" in request.POST:
            return self._page(request, demande, refus=RefusForm(request.POST), apercu=True)
        if request.POST.get("decision") == "attestation":
            planning.recevoir_justificatif(demande, par=request.user)
            self.message_user(request, "Attestation reçue, c'est noté. L'absence attend votre décision.")
            return redirect("admin:demandes_demande_change", demande.pk)
        decision = self._accepter if request.POST.get("decision") == "accepter" else self._refuser
        return decision(request, demande)

    def _accepter(self, request, demande):
        form = self._formulaire_decision(demande, request.POST)
        if form is not None and not form.is_valid():
            return self._page(request, demande, decision=form)
        choix = form.cleaned_data if form is not None else None
        mot = request.POST.get("mot", "")[:2000].replace("\x00", "")
        decider = partial(actions.accepter, demande.pk, par=request.user, decision=choix, mot=mot)
        return self._conclure(request, demande, decider)

    def _refuser(self, request, demande):
        form = RefusForm(request.POST)
        if not form.is_valid():
            return self._page(request, demande, refus=form)
        decider = partial(actions.refuser, demande.pk, par=request.user, motif=form.cleaned_data["motif"])
        return self._conclure(request, demande, decider)

    def _conclure(self, request, demande, decider):
        version = request.POST.get("version", "")
        try:
            decider(version=int(version) if version.isdecimal() and len(version) < 10 else 0)
        except actions.DecisionImpossible as erreur:
            self.message_user(request, str(erreur), messages.ERROR)
            demande = self._demande(request, demande.pk)
            # What the agent has ticked or typed stays: a day unticked may not come back ticked.
            acceptee = demande.est_en_attente and request.POST.get("decision") == "accepter"
            decision = self._formulaire_decision(demande, request.POST) if acceptee else None
            refus = RefusForm(initial=request.POST.dict())
            return self._page(request, demande, refus=refus, decision=decision, status=409)
        demande.refresh_from_db()
        self.message_user(
            request, f"{demande} : {demande.get_etat_display().lower()}. La famille est prévenue.", messages.SUCCESS
        )
        suivante = self._voisine(request, demande, apres=True)
        if suivante:
            return redirect("admin:demandes_demande_change", suivante.pk)
        return redirect("admin:demandes_demande_changelist")

    @staticmethod
    def _formulaire_decision(demande, data=None):
        proposer = planning.decision_proposee if demande.genre.au_planning else demande.genre.decision_proposee
        initial = proposer(demande)
        return demande.genre.formulaire_decision(data, initial=initial) if initial else None

    def _voisine(self, request, demande, *, apres):
        """The next pending demande, oldest first, or the one before."""
        autres = self.get_queryset(request).en_attente().exclude(pk=demande.pk)
        if apres:
            return autres.filter(deposee_le__gte=demande.deposee_le).order_by("deposee_le", "pk").first()
        return autres.filter(deposee_le__lte=demande.deposee_le).order_by("-deposee_le", "-pk").first()

    def _echanges(self, request, demande):
        """What was written about it, for who may read messages."""
        if not request.user.has_perm("messagerie.view_fil"):
            return []
        messages_ = Prefetch("messages", Message.objects.select_related("auteur"), to_attr="dits")
        fils = Fil.objects.ouverts_a(request.user).prefetch_related(messages_)
        fils = presentation.echanges(demande, fils)
        for message in (message for fil in fils for message in fil.dits):
            message.quand = quand(message.envoye_le)
            message.de = message.auteur or "Le portail"
        return fils

    def _page(self, request, demande, *, refus=None, decision=None, apercu=False, status=None):
        actions.noter_lecture(demande, par=request.user, page="Demande de la famille")
        service = ServiceMairie.de(demande.genre.service)
        peut_traiter = demande.est_en_attente and self.has_traiter_permission(request)
        refus = refus or RefusForm()
        motif_tape = refus["motif"].value() or ""
        precedente, suivante = (self._voisine(request, demande, apres=sens) for sens in (False, True))
        contexte = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": str(demande),
            "demande": demande,
            "lignes": actions.comparer(demande, pour_agent=True),
            "jours": presentation.jours(demande),
            "justificatif": presentation.justificatif(demande),
            "pieces": list(demande.pieces.all()),
            "etapes": presentation.etapes(demande, pour_agent=True),
            "adultes": list(demande.famille.adultes()),
            "fils": self._echanges(request, demande),
            "peut_traiter": peut_traiter,
            "a_savoir": demande.genre.a_savoir(demande) if peut_traiter else [],
            "enfant_perdu": actions.EnfantPerdu(demande) if peut_traiter and actions.a_perdu_l_enfant(demande) else "",
            "decision": decision or (self._formulaire_decision(demande) if peut_traiter else None),
            "refus": refus,
            "apercu_refus": apercu,
            "mot": request.POST.get("mot", ""),
            "motifs": MotifRefus.objects.filter(type__in=["", demande.type]) if peut_traiter else [],
            "message_accord": actions.composer_reponse(demande, Demande.Etat.ACCEPTEE, "", service),
            "message_refus": actions.composer_reponse(
                demande, Demande.Etat.REFUSEE, motif_tape or "(votre raison)", service
            ),
            "precedente": precedente,
            "suivante": suivante,
            "liste": reverse("admin:demandes_demande_changelist"),
        }
        if status is None:
            refus_invalide = refus.is_bound and not apercu and not refus.is_valid()
            status = 422 if refus_invalide or (decision is not None and not decision.is_valid()) else 200
        return render(request, "admin/demandes/decision.html", contexte, status=status)


@admin.register(MotifRefus)
class MotifRefusAdmin(PortailAdmin):
    list_display = fields = ["libelle", "type", "texte"]
    list_filter = ["type"]
