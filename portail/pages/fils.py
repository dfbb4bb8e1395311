"""The queue of a service's messages in the admin, and what an agent does with each."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Case, Exists, F, IntegerField, OuterRef, Q, Value, When
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.html import format_html

from familles.models import Responsable
from messagerie import actions
from messagerie.models import Fil, Message, ReponseType, ServiceMairie
from portail.outils.admin import FiltreTexte, LectureSeuleAdmin
from portail.outils.dates import quand
from portail.outils.fichiers import ranger
from portail.pages import conversation
from portail.pages.ecrire_famille import cle_du_formulaire

NOUVEAU = Q(etat=Fil.Etat.EN_ATTENTE) & (
    Q(lu_mairie_le=None) | Q(famille_le=None) | Q(lu_mairie_le__lt=F("famille_le"))
)


class FiltreEtat(admin.SimpleListFilter):
    """What waits by default: that is what an agent comes for."""

    title = "état"
    parameter_name = "etat"
    etats = {
        "repondues": [Fil.Etat.REPONDU],
        "sans-reponse": [Fil.Etat.CLOS, Fil.Etat.INFORMATION],
    }

    def lookups(self, request, model_admin):
        return [("toutes", "Toutes"), ("repondues", "Répondues"), ("sans-reponse", "Sans réponse attendue")]

    def queryset(self, request, queryset):
        if self.value() == "toutes":
            return queryset
        return queryset.filter(etat__in=self.etats.get(self.value(), [Fil.Etat.EN_ATTENTE]))

    def choices(self, changelist):
        sans_choix, *autres = super().choices(changelist)
        yield {**sans_choix, "display": "À traiter"}
        yield from autres


class FiltreService(admin.SimpleListFilter):
    """The agent's own services."""

    title = "service"
    parameter_name = "service"

    def lookups(self, request, model_admin):
        return [(str(cle), nom) for cle, nom in ServiceMairie.objects.tenus_par(request.user).values_list("pk", "nom")]

    def queryset(self, request, queryset):
        cle = self.value() or ""
        return queryset.filter(service=cle) if cle.isdecimal() and len(cle) < 19 else queryset


class FiltreConfie(admin.SimpleListFilter):
    title = "agent"
    parameter_name = "confie"

    def lookups(self, request, model_admin):
        return [("moi", "Confié à moi"), ("personne", "Confié à personne")]

    def queryset(self, request, queryset):
        choix = {"moi": Q(affecte_a=request.user), "personne": Q(affecte_a=None)}
        return queryset.filter(choix.get(self.value(), Q()))


class FiltreFamille(FiltreTexte):
    title = "famille"
    parameter_name = "famille"
    champs = ("famille__nom",)


class FilAdmin(LectureSeuleAdmin):
    list_display = ["sujet", "famille", "service", "ou_en_est", "confie_a", "dernier"]
    list_filter = [FiltreEtat, FiltreService, FiltreConfie, FiltreFamille]
    list_select_related = ["famille", "service", "affecte_a"]
    search_fields = ["sujet"]  # shows the box; see get_search_results
    search_help_text = "Mots du sujet ou des messages, nom de la famille ou d'un adulte, avec ou sans accents."
    change_list_template = "admin/messagerie/fil/change_list.html"

    # --- The queue

    def get_queryset(self, request):
        """Of the agent's services: never opened first, then what waits, the oldest first, then the rest."""
        fils = super().get_queryset(request).ouverts_a(request.user)
        attend = Q(etat=Fil.Etat.EN_ATTENTE)
        return fils.annotate(
            rang=Case(When(NOUVEAU, then=0), When(attend, then=1), default=2, output_field=IntegerField()),
            attend_depuis=Case(When(attend, then=F("famille_le")), default=Value(None)),
        )

    def get_ordering(self, request):
        return [F("rang").asc(), F("attend_depuis").asc(nulls_last=True), F("dernier_le").desc()]

    def get_search_results(self, request, queryset, search_term):
        """Every word in the subject, a message or a name; accents and capitals do not count."""
        for mot in search_term.split()[:5]:
            dit = Message.objects.filter(fil=OuterRef("pk"), corps__unaccent__icontains=mot)
            adultes = Responsable.objects.filter(famille=OuterRef("famille"))
            nomme = adultes.filter(
                Q(utilisateur__nom__unaccent__icontains=mot) | Q(utilisateur__prenom__unaccent__icontains=mot)
            )
            ici = Q(sujet__unaccent__icontains=mot) | Q(famille__nom__unaccent__icontains=mot)
            queryset = queryset.filter(ici | Exists(dit) | Exists(nomme))
        return queryset, False

    @admin.display(description="état", ordering="rang")
    def ou_en_est(self, fil):
        etat = conversation.etat(fil)
        return format_html("<strong>{}</strong>", etat) if fil.rang == 0 else etat

    @admin.display(description="confié à", ordering="affecte_a__nom")
    def confie_a(self, fil):
        return str(fil.affecte_a or "–")

    @admin.display(description="dernier message", ordering="dernier_le")
    def dernier(self, fil):
        return quand(fil.dernier_le)

    def changelist_view(self, request, extra_context=None):
        return super().changelist_view(request, {"title": "Messages des familles", **(extra_context or {})})

    # --- A conversation

    def has_repondre_permission(self, request):
        return request.user.has_perm("messagerie.repondre_fil")

    def get_urls(self):
        repondre = self.admin_site.admin_view(self.repondre)
        return [
            path("<path:object_id>/repondre/", repondre, name="messagerie_fil_repondre"),
            *super().get_urls(),
        ]

    def _fil(self, request, object_id):
        """A thread of another service does not exist for this agent."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        fil = self.get_object(request, object_id)
        if fil is None:
            raise Http404("Échange inconnu")
        return fil

    def history_view(self, request, object_id, extra_context=None):
        """The conversation is its own history."""
        return redirect("admin:messagerie_fil_change", self._fil(request, object_id).pk)

    def change_view(self, request, object_id, form_url="", extra_context=None):
        """Read, answer, hand over. The family sees that the mairie has read, once who may answer has."""
        fil = self._fil(request, object_id)
        if self.has_repondre_permission(request):
            actions.ouvrir(fil, par=request.user)
        return self._page(request, fil, conversation.ReponseForm())

    def repondre(self, request, object_id):
        """What the buttons of the page do; in error, it comes back with what was typed."""
        fil = self._fil(request, object_id)
        if not self.has_repondre_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return redirect("admin:messagerie_fil_change", fil.pk)
        gestes = {
            "inserer": self._inserer,
            "confier": self._confier,
            "transferer": self._transferer,
            "clore": self._clore,
        }
        return gestes.get(request.POST.get("geste"), self._envoyer)(request, fil)

    def _envoyer(self, request, fil):
        form = conversation.ReponseForm(request.POST, request.FILES)
        if not form.is_valid():
            return self._page(request, fil, form, status=422)
        try:
            actions.repondre_a_la_famille(
                fil,
                par=request.user,
                corps=form.cleaned_data["corps"],
                pieces=[ranger(*piece) for piece in form.cleaned_data["pieces"]],
                cle=cle_du_formulaire(request),
                vu=_entier(request.POST.get("vu")) or 0,
            )
        except actions.ReponseEntreTemps as erreur:
            return self._relire(request, fil, erreur)
        self.message_user(request, f"Réponse envoyée à la {_famille(fil)}.", messages.SUCCESS)
        return self._au_suivant(request, fil)

    def _clore(self, request, fil):
        try:
            actions.clore(fil, par=request.user, vu=_entier(request.POST.get("vu")) or 0)
        except actions.ReponseEntreTemps as erreur:
            return self._relire(request, fil, erreur)
        self.message_user(request, f"«\u00a0{fil.sujet}\u00a0» n'attend plus de réponse.", messages.SUCCESS)
        return self._au_suivant(request, fil)

    def _relire(self, request, fil, erreur):
        """Somebody wrote meanwhile: the page shows it, and what was typed stays."""
        self.message_user(request, str(erreur), messages.ERROR)
        return self._page(request, self._fil(request, fil.pk), _tape(request), status=409)

    def _inserer(self, request, fil):
        """Without JavaScript, the ready-made answer joins the text through the server."""
        cle = _entier(request.POST.get("reponse"))
        prete = ReponseType.objects.filter(conversation.pour_le_service(fil), pk=cle).first() if cle else None
        form = _tape(request)
        if prete:
            form.initial["corps"] = "\n\n".join(filter(None, [form.initial["corps"].strip(), prete.texte]))
        return self._page(request, fil, form)

    def _confier(self, request, fil):
        choix = request.POST.get("agent", "")
        agents = {str(agent.pk): agent for agent in conversation.agents_de(fil)}
        if choix and choix not in agents:
            self.message_user(request, "Choisissez un agent de ce service.", messages.ERROR)
            return self._page(request, fil, _tape(request), status=422)
        actions.confier(fil, agents.get(choix))
        qui = f"est confié à {agents[choix]}" if choix else "n'est plus confié à personne"
        self.message_user(request, f"«\u00a0{fil.sujet}\u00a0» {qui}.", messages.SUCCESS)
        return self._rester(request, fil)

    def _transferer(self, request, fil):
        cle = _entier(request.POST.get("service"))
        service = conversation.autres_services(fil).filter(pk=cle).first() if cle else None
        if service is None:
            self.message_user(request, "Choisissez le service qui répondra.", messages.ERROR)
            return self._page(request, fil, _tape(request), status=422)
        actions.transferer(fil, service)
        self.message_user(
            request, f"«\u00a0{fil.sujet}\u00a0» est transféré\u00a0: {service} répondra.", messages.SUCCESS
        )
        if self.get_object(request, fil.pk) is None:
            return self._au_suivant(request, fil)
        return self._rester(request, fil)

    def _rester(self, request, fil):
        """The same page, with the answer under way if there is one."""
        form = _tape(request)
        if form.initial["corps"].strip():
            return self._page(request, self._fil(request, fil.pk), form)
        return redirect("admin:messagerie_fil_change", fil.pk)

    def _au_suivant(self, request, fil):
        suivant = self._voisin(request, fil, apres=True) or self._en_attente(request, fil).first()
        if suivant:
            return redirect("admin:messagerie_fil_change", suivant.pk)
        return redirect("admin:messagerie_fil_changelist")

    def _en_attente(self, request, fil):
        """The other threads that wait for this agent, but for those handed to a colleague."""
        siens = Q(affecte_a=None) | Q(affecte_a=request.user)
        return self.get_queryset(request).en_attente().filter(siens).exclude(pk=fil.pk).order_by("famille_le", "pk")

    def _voisin(self, request, fil, *, apres):
        """The next that waits, oldest first, or the one before."""
        autres, rang = self._en_attente(request, fil), (fil.famille_le or fil.dernier_le, fil.pk)
        if apres:
            return autres.filter(Q(famille_le__gt=rang[0]) | Q(famille_le=rang[0], pk__gt=rang[1])).first()
        return autres.filter(Q(famille_le__lt=rang[0]) | Q(famille_le=rang[0], pk__lt=rang[1])).last()

    def _page(self, request, fil, form, *, status=200):
        peut_repondre = self.has_repondre_permission(request)
        contexte = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": fil.sujet,
            **conversation.contexte(fil, request.user, peut_repondre=peut_repondre),
            "form": form,
            "cle": cle_du_formulaire(request),
            "fichiers_perdus": bool(request.FILES),
            "precedent": self._voisin(request, fil, apres=False),
            "suivant": self._voisin(request, fil, apres=True),
            "liste": reverse("admin:messagerie_fil_changelist"),
        }
        return render(request, "admin/messagerie/fil/conversation.html", contexte, status=status)


def _famille(fil):
    return f"famille {fil.famille.nom}"


def _tape(request):
    """The answer as it was typed, whatever it is worth."""
    return conversation.ReponseForm(initial={"corps": request.POST.get("corps", "").replace("\x00", "")})


def _entier(texte):
    return int(texte) if texte and texte.isascii() and texte.isdecimal() and len(texte) < 19 else None
