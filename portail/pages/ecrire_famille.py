"""An agent writes to one family: who reads it, in whose name, the text."""

from uuid import UUID, uuid4

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Q
from django.http import Http404
from django.shortcuts import redirect, render

from enfants.foyers import adultes_par_foyer, en_clair
from familles.models import Famille, Responsable, Utilisateur
from messagerie.actions import ecrire_a_la_famille
from messagerie.models import ServiceMairie
from portail.outils.fichiers import ranger
from portail.outils.pieces import PiecesField, regles_des_pieces
from portail.pages.conversation import TEXTE_MAX

FAMILLES_TROUVEES = 30


class TexteForm(forms.Form):
    """What any message of the mairie holds."""

    service = forms.ModelChoiceField(
        ServiceMairie.objects.none(),
        label="Au nom de",
        required=False,
        empty_label="La mairie",
        help_text="Les réponses arriveront à ce service.",
        error_messages={"invalid_choice": "Choisissez un de vos services."},
    )
    sujet = forms.CharField(label="Sujet", max_length=150, error_messages={"required": "Écrivez le sujet."})
    corps = forms.CharField(
        label="Texte",
        max_length=TEXTE_MAX,
        widget=forms.Textarea(attrs={"rows": 10}),
        error_messages={
            "required": "Écrivez le texte du message.",
            "max_length": "Ce texte est trop long\u00a0: 10\u00a0000 caractères au plus.",
        },
    )

    def __init__(self, *args, agent: Utilisateur, **kwargs):
        super().__init__(*args, **kwargs)
        services = ServiceMairie.objects.tenus_par(agent).order_by("ordre", "nom")
        self.fields["service"].queryset = services
        if not self.is_bound:
            siens = services.filter(agents=agent)
            self.initial.setdefault("service", (siens.first() or services.first()))


class LettreForm(TexteForm):
    destinataire = forms.ModelChoiceField(
        Responsable.objects.none(),
        label="À",
        required=False,
        empty_label="Les deux adultes du foyer",
        error_messages={"invalid_choice": "Choisissez un adulte de ce foyer."},
    )
    pieces = PiecesField(quoi="Un message", label="Pièces jointes", required=False, help_text=regles_des_pieces())
    field_order = ["destinataire", "service", "sujet", "corps", "pieces"]

    def __init__(self, *args, famille: Famille, **kwargs):
        super().__init__(*args, **kwargs)
        adultes = famille.adultes()
        self.fields["destinataire"].queryset = adultes
        if len(adultes) < 2:
            self.fields["destinataire"].empty_label = en_clair(list(adultes))
            self.fields["destinataire"].queryset = adultes.none()


def ecrire(request):
    """The family first, by a search, then its message."""
    if not request.user.has_perms(["messagerie.repondre_fil", "familles.view_famille"]):
        raise PermissionDenied
    cle = request.GET.get("famille", "")
    if not cle:
        return _choisir(request)
    famille = Famille.objects.filter(pk=cle).first() if cle.isascii() and cle.isdecimal() and len(cle) < 19 else None
    if famille is None:
        raise Http404("Famille inconnue")
    if request.method != "POST":
        return _rendre(request, famille, LettreForm(agent=request.user, famille=famille), 200)
    form = LettreForm(request.POST, request.FILES, agent=request.user, famille=famille)
    if not form.is_valid():
        return _rendre(request, famille, form, 422)
    pieces = [ranger(*piece) for piece in form.cleaned_data.pop("pieces")]
    message = ecrire_a_la_famille(
        famille, par=request.user, pieces=pieces, cle=cle_du_formulaire(request), **form.cleaned_data
    )
    messages.success(request, f"Message envoyé à la famille {famille.nom}.")
    return redirect("admin:messagerie_fil_change", message.fil_id)


def cle_du_formulaire(request) -> UUID:
    """Drawn with the empty form: sent twice, it writes once."""
    try:
        return UUID(request.POST.get("cle", ""))
    except ValueError:
        return uuid4()


def _choisir(request):
    texte = request.GET.get("q", "").strip()[:80]
    trouvees = chercher_familles(texte) if texte else []
    contexte = {
        **admin.site.each_context(request),
        "title": "Écrire à une famille",
        "texte": texte,
        "trouvees": trouvees,
        "trop": len(trouvees) == FAMILLES_TROUVEES,
    }
    return render(request, "admin/messages/choisir_famille.html", contexte)


def chercher_familles(texte):
    """``(key, who, where)`` of the households whose name or an adult's holds every word."""
    familles = Famille.objects.all()
    for mot in texte.split()[:5]:
        adultes = Responsable.objects.filter(famille=OuterRef("pk")).filter(
            Q(utilisateur__nom__unaccent__icontains=mot) | Q(utilisateur__prenom__unaccent__icontains=mot)
        )
        familles = familles.filter(Q(nom__unaccent__icontains=mot) | Exists(adultes))
    familles = list(familles[:FAMILLES_TROUVEES])
    adultes = adultes_par_foyer([famille.pk for famille in familles])
    return [(f.pk, en_clair(adultes[f.pk]), ", ".join(f.adresse_lignes)) for f in familles]


def _rendre(request, famille, form, status):
    contexte = {
        **admin.site.each_context(request),
        "title": f"Écrire à la famille {famille.nom}",
        "famille": famille,
        "form": form,
        "cle": cle_du_formulaire(request),
        "fichiers_perdus": bool(request.FILES),
    }
    return render(request, "admin/messages/ecrire.html", contexte, status=status)
