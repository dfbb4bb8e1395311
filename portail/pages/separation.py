"""An agent notes that two adults part: who lives where, then a page that says what it changes, then it is done."""

from datetime import date, timedelta

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join

from demandes.models import Demande
from enfants import actions
from enfants.models import Enfant, Garde
from familles.actions import CHAMPS_ADRESSE
from familles.models import CoordonneesBancaires, QuotientFamilial, Responsable
from portail.outils.dates import jour
from portail.pages.ouverture import AdresseForm

RETARD_MAX = timedelta(days=5 * 366)  # a typing slip, « 2016 » for « 2026 »


class SeparationForm(AdresseForm):
    """When, where to, and each child: ``enfants`` are those of the household, ``reste`` the adult who keeps it."""

    field_order = ["le"]
    le = forms.DateField(
        label="Date de la séparation",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="Premier jour du nouveau foyer, aujourd'hui au plus tard.",
    )

    def __init__(self, *args, adulte, reste, enfants, **kwargs):
        super().__init__(*args, **kwargs)
        self.enfants = enfants
        choix = [
            ("deux", "vit aux deux foyers"),
            ("ancien", f"reste chez {reste.utilisateur.prenom}"),
            ("nouveau", f"part avec {adulte.utilisateur.prenom}"),
        ]
        for enfant in enfants:
            self.fields[f"enfant_{enfant.pk}"] = forms.ChoiceField(
                label=str(enfant), choices=choix, initial="deux", widget=forms.RadioSelect
            )

    def clean_le(self):
        le, aujourdhui = self.cleaned_data["le"], timezone.localdate()
        if le > aujourdhui:
            raise ValidationError("Une séparation se note à partir du jour où elle a lieu, aujourd'hui au plus tard.")
        if le < aujourdhui - RETARD_MAX:
            raise ValidationError("Vérifiez l'année de cette date.")
        return le

    def adresse_saisie(self) -> dict:
        return {nom: self.cleaned_data[nom] for nom in CHAMPS_ADRESSE}

    def partage(self) -> dict[int, str]:
        """Key of each child -> where it will live."""
        return {enfant.pk: self.cleaned_data[f"enfant_{enfant.pk}"] for enfant in self.enfants}

    @property
    def champs_enfants(self):
        return [self[f"enfant_{enfant.pk}"] for enfant in self.enfants]

    @property
    def champs_foyer(self):
        return [self[nom] for nom in CHAMPS_ADRESSE]


def separer(request, pk):
    """The form, then what will happen in sentences, then the new household's page."""
    if not request.user.has_perms(["familles.change_famille", "enfants.change_enfant"]):
        raise PermissionDenied
    adulte = get_object_or_404(Responsable.objects.select_related("utilisateur", "famille"), pk=pk)
    reste = adulte.famille.adultes().exclude(pk=adulte.pk).first()
    if reste is None:
        return _impossible(request, adulte, f"{adulte} est déjà seul adulte de son foyer.")
    data = request.POST if request.method == "POST" else None
    enfants = list(Enfant.objects.de_la_famille(adulte.famille_id).presents())
    form = SeparationForm(data, adulte=adulte, reste=reste, enfants=enfants, initial={"le": timezone.localdate()})
    valable = data is not None and "corriger" not in data and form.is_valid()
    if valable and "confirmer" in data:
        return _separer(request, adulte, form)
    contexte = {
        **admin.site.each_context(request),
        "title": f"Séparer {adulte} et {reste}",
        "adulte": adulte,
        "form": form,
        "consequences": consequences(adulte, reste, form) if valable else None,
    }
    return render(request, "admin/separer.html", contexte, status=422 if form.errors else 200)


def _separer(request, adulte, form):
    valeurs = form.cleaned_data
    try:
        foyer = actions.separer(
            adulte, le=valeurs["le"], adresse=form.adresse_saisie(), enfants=form.partage(), par=request.user
        )
    except actions.SeparationImpossible as erreur:
        return _impossible(request, adulte, str(erreur))
    deux = [cle for cle, ou in form.partage().items() if ou == "deux"]
    gardes = Garde.objects.filter(enfant__in=deux).select_related("enfant").order_by("pk")
    liens = [(reverse("admin:enfants_garde_change", args=[garde.pk]), garde.enfant.prenom) for garde in gardes]
    phrase = f"{adulte} a son propre foyer depuis le {jour(valeurs['le'], semaine=False)}."
    if liens:
        reglages = format_html_join(", ", '<a href="{}">{}</a>', liens)
        phrase = format_html("{} Réglez maintenant la garde de\u00a0: {}.", phrase, reglages)
    messages.success(request, phrase)
    return redirect("admin:familles_famille_change", foyer.pk)


def _impossible(request, adulte, phrase):
    """Two clicks, or a colleague a moment ago: the sentence, on the page of the household as it is now."""
    messages.error(request, phrase)
    return redirect("admin:familles_famille_change", Responsable.objects.get(pk=adulte.pk).famille_id)


# --- What will happen, in sentences ----------------------------------------------------------------------


def consequences(adulte: Responsable, reste: Responsable, form: SeparationForm) -> list[tuple[str, list[str]]]:
    """(title, sentences): what each keeps, what both still read, where the children live, what is left to do."""
    le, partage = form.cleaned_data["le"], form.partage()
    part, garde_foyer = adulte.utilisateur.prenom, reste.utilisateur.prenom
    return [
        (str(reste), _garde_le_foyer(adulte, reste)),
        (str(adulte), _a_son_foyer(adulte, form)),
        ("Ce que les deux lisent encore", [f"Les factures émises avant le {jour(le, semaine=False)}."]),
        ("Enfants", [_sort(enfant, partage[enfant.pk], part, garde_foyer, le) for enfant in form.enfants]),
        ("À faire ensuite", _a_faire(adulte, reste, form)),
    ]


def _garde_le_foyer(adulte, reste):
    famille = adulte.famille
    phrases = [f"Garde le dossier «\u00a0{famille}\u00a0», son adresse, ses demandes et ses messages."]
    if reste.rang != Responsable.Rang.RESPONSABLE:
        phrases.append("Devient responsable du dossier.")
    if CoordonneesBancaires.objects.filter(famille=famille).exists():
        phrases.append("Garde les coordonnées bancaires.")
    if QuotientFamilial.objects.filter(famille=famille).exists():
        phrases.append("Garde les revenus et le quotient, calculés pour deux adultes\u00a0: à mettre à jour.")
    return phrases


def _a_son_foyer(adulte, form):
    adresse = form.adresse_saisie()
    lignes = [adresse["complement"], adresse["adresse"], f"{adresse['code_postal']} {adresse['ville']}"]
    return [
        f"Ouvre son dossier, «\u00a0Famille {adulte.utilisateur.nom}\u00a0»\u00a0: {', '.join(filter(None, lignes))}.",
        "Garde son identifiant, son mot de passe et les messages écrits à son seul nom.",
        "Ne voit plus l'adresse, la banque, les revenus, les demandes ni les messages du foyer quitté.",
        "N'a ni coordonnées bancaires ni quotient\u00a0: le tarif le plus haut s'applique tant que rien n'est déclaré.",
    ]


def _sort(enfant, ou, part, reste, le):
    depuis = jour(le, semaine=False)
    if ou == "ancien":
        return f"{enfant.prenom} reste chez {reste}\u00a0: {part} ne verra plus son dossier."
    if ou == "nouveau":
        return f"{enfant.prenom} vit avec {part} depuis le {depuis}\u00a0: {reste} ne verra plus son dossier."
    if Garde.objects.filter(enfant=enfant).exists():
        return f"{enfant.prenom} vit aux deux foyers. Sa garde est déjà notée et ne change pas\u00a0: à revoir."
    return (
        f"{enfant.prenom} vit aux deux foyers depuis le {depuis}\u00a0: une semaine chez chacun, "
        f"d'abord chez {reste} la semaine du {jour(_lundi(le), semaine=False)}."
    )


def _lundi(le: date) -> date:
    return le - timedelta(days=le.weekday())


def _a_faire(adulte, reste, form):
    phrases = []
    if any(ou == "deux" for ou in form.partage().values()):
        phrases.append("Réglez les jours de garde de chaque enfant qui vit aux deux foyers.")
    if any(ou != "ancien" for ou in form.partage().values()):
        phrases.append(
            f"{adulte.utilisateur.prenom} désigne ses propres personnes autorisées\u00a0: "
            f"la liste du foyer de {reste.utilisateur.prenom} ne change pas."
        )
    attente = Demande.objects.en_attente().filter(famille=adulte.famille).count()
    foyer = f"au foyer de {reste.utilisateur.prenom}"
    if attente == 1:
        phrases.append(f"La demande en attente reste {foyer}\u00a0: traitez-la d'abord si besoin.")
    elif attente:
        phrases.append(f"Les {attente} demandes en attente restent {foyer}\u00a0: traitez-les d'abord si besoin.")
    return phrases
