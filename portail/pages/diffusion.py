"""A message to many families: whom, the text, then what will leave, then how far it is."""

import hashlib
from dataclasses import dataclass

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from enfants import destinataires
from enfants.models import Classe, Ecole, Enfant, Service, Site
from enfants.regles.annees import a_venir, annee_scolaire, libelle
from facturation.destinataires import en_retard
from facturation.models import Regie
from messagerie import diffusions
from messagerie.courriels import a_prevenir
from messagerie.models import Diffusion
from portail.outils.dates import jour, quand
from portail.outils.fichiers import ranger
from portail.outils.pieces import PiecesField, regles_des_pieces
from portail.outils.tableur import reponse_csv
from portail.pages.ecrire_famille import TexteForm, cle_du_formulaire
from portail.pages.rentree_presentation import accorder, nombre

FOYERS_MONTRES = 200
SELECTIONS = {
    "familles": "Toutes les familles qui ont un enfant aux services",
    "ecole": "Une école",
    "classe": "Une classe",
    "reservations": "Les enfants qui ont réservé un service, un jour donné",
    "inscrits": "Les enfants inscrits à un service pour l'année",
    "papiers": "Les enfants à qui il manque un papier, ou dont un papier expire bientôt",
    "impayes": "Les familles qui ont une facture en retard",
}
# What tells something of the families: the permission to know it already.
RESERVEES = {"papiers": "enfants.view_enfant", "impayes": "facturation.view_facture"}
# Selection -> what it needs; the field -> the sentence when it is missing.
NECESSAIRES = {
    "ecole": ["ecole"],
    "classe": ["classe"],
    "reservations": ["activite", "jour"],
    "inscrits": ["activite", "annee"],
}
MANQUE = {
    "ecole": "Choisissez l'école.",
    "classe": "Choisissez la classe.",
    "activite": "Choisissez le service.",
    "jour": "Choisissez le jour.",
    "annee": "Choisissez l'année.",
}


class ClasseField(forms.ModelChoiceField):
    def label_from_instance(self, classe):
        return f"{classe.nom}, {classe.ecole}"


class MessageGroupeForm(TexteForm):
    selection = forms.ChoiceField(
        label="Destinataires",
        choices=list(SELECTIONS.items()),
        widget=forms.RadioSelect,
        error_messages={
            "required": "Choisissez à qui vous écrivez.",
            "invalid_choice": "Choisissez à qui vous écrivez.",
        },
    )
    ecole = forms.ModelChoiceField(Ecole.objects.all(), label="École", required=False)
    classe = ClasseField(Classe.objects.select_related("ecole"), label="Classe", required=False)
    activite = forms.ModelChoiceField(Service.objects.all(), label="Service", required=False)
    jour = forms.DateField(
        label="Jour",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": "Écrivez une date sous la forme 24/11/2026."},
    )
    site = forms.ModelChoiceField(Site.objects.all(), label="Site", required=False, empty_label="Tous les sites")
    annee = forms.TypedChoiceField(label="Année scolaire", required=False, coerce=int, empty_value=None)
    regie = forms.ModelChoiceField(Regie.objects.all(), label="Régie", required=False, empty_label="Toutes les régies")

    def __init__(self, *args, agent, **kwargs):
        super().__init__(*args, agent=agent, **kwargs)
        aujourdhui = timezone.localdate()
        annees = sorted({annee_scolaire(aujourdhui), a_venir(aujourdhui)})
        self.fields["annee"].choices = [(annee, libelle(annee)) for annee in annees]
        fermees = {nom for nom, permission in RESERVEES.items() if not agent.has_perm(permission)}
        self.fields["selection"].choices = [c for c in SELECTIONS.items() if c[0] not in fermees]

    def clean(self):
        donnees = super().clean()
        for champ in NECESSAIRES.get(donnees.get("selection"), []):
            if champ not in self.errors and not donnees.get(champ):
                self.add_error(champ, MANQUE[champ])
        return donnees

    def en_mots(self) -> str:
        """Whom it goes to, as the list of the messages sent will tell it."""
        d = self.cleaned_data
        match d["selection"]:
            case "ecole":
                return str(d["ecole"])
            case "classe":
                return f"{d['classe'].nom}, {d['classe'].ecole}"
            case "reservations":
                return ", ".join(filter(None, [str(d["activite"]), jour(d["jour"]), str(d["site"] or "")]))
            case "inscrits":
                return f"Inscrits à {d['activite']}, {libelle(d['annee'])}"
            case "impayes":
                return ", ".join(filter(None, ["Factures en retard", str(d["regie"] or "")]))
        return SELECTIONS[d["selection"]]

    def foyers(self) -> list[destinataires.Foyer]:
        """The households it reaches today."""
        d, aujourdhui = self.cleaned_data, timezone.localdate()
        match d["selection"]:
            case "ecole":
                enfants = Enfant.objects.filter(ecole=d["ecole"])
            case "classe":
                enfants = Enfant.objects.filter(classe=d["classe"])
            case "reservations":
                enfants = destinataires.qui_ont_reserve(d["activite"], d["jour"], d["site"])
            case "inscrits":
                enfants = destinataires.inscrits(d["activite"], d["annee"], aujourdhui)
            case "papiers":
                enfants = destinataires.a_papiers_manquants(aujourdhui)
            case "impayes":
                return en_retard(aujourdhui, d["regie"])
            case _:
                return destinataires.tous_les_foyers(aujourdhui)
        if not isinstance(enfants, list):
            enfants = list(enfants.order_by().values_list("pk", flat=True))
        return destinataires.foyers(enfants, aujourdhui)


class PiecesForm(forms.Form):
    """On the last page: a browser does not send a file a second time."""

    pieces = PiecesField(quoi="Un message", label="Pièces jointes", required=False, help_text=regles_des_pieces())


@dataclass(frozen=True)
class Apercu:
    """What will leave."""

    foyers: list[destinataires.Foyer]

    @property
    def cles(self):
        return [cle for foyer in self.foyers for cle in foyer.cles]

    @property
    def lecteurs(self):
        return [adulte for foyer in self.foyers for adulte in foyer.lecteurs]

    @property
    def empreinte(self) -> str:
        """Changes with the list: what was shown is what leaves."""
        return hashlib.sha256(repr(sorted(self.cles, key=str)).encode()).hexdigest()[:16]

    def totaux(self) -> list[str]:
        prevenus = a_prevenir([adulte.pk for adulte in self.lecteurs]).count()
        return [
            accorder(len(self.foyers), "famille recevra ce message", "familles recevront ce message"),
            accorder(len(self.lecteurs), "adulte le lira sur le portail", "adultes le liront sur le portail"),
            accorder(
                prevenus, "en sera prévenu tout de suite par e-mail", "en seront prévenus tout de suite par e-mail"
            ),
        ]


def message_groupe(request):
    """The form, the preview, the sending: ``action`` is the button; without one, the preview."""
    if not request.user.has_perm("messagerie.add_diffusion"):
        raise PermissionDenied
    poste = request.method == "POST"
    form = MessageGroupeForm(request.POST if poste else None, agent=request.user)
    action = request.POST.get("action", "")
    if not poste or action == "corriger" or not form.is_valid():
        return _formulaire(request, form, 422 if poste and action != "corriger" else 200)
    apercu = Apercu(form.foyers())
    if not apercu.foyers:
        form.add_error("selection", "Aucune famille ne correspond\u00a0: changez les destinataires.")
        return _formulaire(request, form, 422)
    if action == "csv":
        return _liste(apercu)
    pieces = PiecesForm(request.POST, request.FILES) if action == "envoyer" else PiecesForm()
    if action != "envoyer" or not pieces.is_valid():
        return _apercu(request, form, apercu, pieces, 200 if action != "envoyer" else 422)
    if request.POST.get("empreinte") != apercu.empreinte:
        messages.warning(request, "La liste des familles a changé. Relisez-la avant d'envoyer.")
        return _apercu(request, form, apercu, PiecesForm(), 409)
    return _envoyer(request, form, apercu, pieces)


def _envoyer(request, form, apercu, pieces):
    diffusion = diffusions.preparer(
        sujet=form.cleaned_data["sujet"],
        corps=form.cleaned_data["corps"],
        selection=form.en_mots(),
        destinataires=apercu.cles,
        service=form.cleaned_data["service"],
        par=request.user,
        pieces=[ranger(*piece) for piece in pieces.cleaned_data["pieces"]],
        cle=cle_du_formulaire(request),
    )
    return redirect("admin:avancement_message", diffusion.pk)


def _formulaire(request, form, status):
    contexte = {
        **admin.site.each_context(request),
        "title": "Message groupé",
        "form": form,
        "cle": cle_du_formulaire(request),
    }
    return render(request, "admin/messages/groupe.html", contexte, status=status)


def _apercu(request, form, apercu, pieces, status):
    contexte = {
        **admin.site.each_context(request),
        "title": "Vérifiez le message",
        "form": form,
        "pieces": pieces,
        "cle": cle_du_formulaire(request),
        "selection": form.en_mots(),
        "de": str(form.cleaned_data["service"] or "La mairie"),
        "sujet": form.cleaned_data["sujet"],
        "corps": form.cleaned_data["corps"],
        "totaux": apercu.totaux(),
        "empreinte": apercu.empreinte,
        "bouton": f"Envoyer à {accorder(len(apercu.foyers), 'famille', 'familles')}",
        "foyers": [_ligne(foyer) for foyer in apercu.foyers[:FOYERS_MONTRES]],
        "autres": nombre(max(0, len(apercu.foyers) - FOYERS_MONTRES)),
        "fichiers_perdus": bool(request.FILES),
    }
    return render(request, "admin/messages/apercu.html", contexte, status=status)


def _ligne(foyer):
    return foyer.famille.nom, ", ".join(str(adulte) for adulte in foyer.lecteurs)


def _liste(apercu):
    """Who the message reaches, for a spreadsheet: to call those without a mail."""
    lignes = (
        [
            foyer.famille.nom,
            " / ".join(str(adulte) for adulte in foyer.lecteurs),
            " / ".join(filter(None, (adulte.telephone_mobile or adulte.telephone_fixe for adulte in foyer.lecteurs))),
            " / ".join(filter(None, (adulte.utilisateur.courriel for adulte in foyer.lecteurs))),
        ]
        for foyer in apercu.foyers
    )
    nom = f"destinataires-{timezone.localdate()}.csv"
    return reponse_csv(nom, ["Famille", "Adultes", "Téléphones", "Adresses e-mail"], lignes)


def avancement(request, pk):
    """How far the message is; it may be stopped, and resumed."""
    if not request.user.has_perm("messagerie.view_diffusion"):
        raise PermissionDenied
    diffusion = get_object_or_404(Diffusion.objects.avec_avancement().select_related("par", "service"), pk=pk)
    if request.method == "POST":
        if not request.user.has_perm("messagerie.add_diffusion"):
            raise PermissionDenied
        geste = {"arreter": diffusions.arreter, "reprendre": diffusions.reprendre}.get(request.POST.get("action"))
        if geste:
            geste(diffusion)
        return redirect("admin:avancement_message", pk)
    fini = diffusion.remis == diffusion.total
    etat = "fini" if fini else "arrete" if diffusion.arretee_le else "en-cours"
    contexte = {
        **admin.site.each_context(request),
        "title": diffusion.sujet,
        "diffusion": diffusion,
        "envoyee": quand(diffusion.cree_le),
        "arretee": quand(diffusion.arretee_le) if diffusion.arretee_le else "",
        "etat": etat,
        "texte": f"{accorder(diffusion.remis, 'famille', 'familles')} sur {nombre(diffusion.total)}",
        "pieces": list(diffusion.pieces.all()),
        "peut_agir": request.user.has_perm("messagerie.add_diffusion"),
        "liste": reverse("admin:messagerie_diffusion_changelist"),
    }
    return render(request, "admin/messages/avancement.html", contexte)
