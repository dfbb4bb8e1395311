"""Billing a month: which month of which régie; its drafts, what should be looked at, then issuing."""

from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count, Sum
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from enfants.regles.dates import MOIS, en_clair
from facturation import campagnes
from facturation.actions import ActionImpossible
from facturation.models import Anomalie, Campagne, Regie
from portail.outils.argent import euros
from portail.outils.dates import quand
from portail.pages.rentree_presentation import accorder, nombre

PAR_PAGE = 100
MOIS_PROPOSES = 6
Etape = Campagne.Etape
# What an agent may decide of it, day by day; the others are mended where they come from.
DECIDABLES = ("SANS_RESERVATION", "SANS_PRESENCE", "NON_POINTE", "A_DECIDER")
CONSEILS = {
    "SANS_QUOTIENT": "Enregistrez le quotient de la famille, puis préparez de nouveau.",
    "SANS_PRIX": "Complétez la grille de tarifs du service, puis préparez de nouveau. Rien n'est facturé en attendant.",
    "SAUT": "Vérifiez le quotient et la grille. Si le prix est juste, il n'y a rien à faire.",
    "NEGATIF": "Corrigez la ligne ajoutée à la main. La facture reste un brouillon en attendant.",
}


class DateChamp(forms.DateField):
    def __init__(self, **options):
        widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
        phrases = {"required": "Choisissez une date.", "invalid": "Écrivez une date sous la forme 24/11/2026."}
        super().__init__(widget=widget, error_messages=phrases, **options)


class OuvrirForm(forms.Form):
    """A month that has begun, the last one first."""

    regie = forms.ModelChoiceField(
        Regie.objects.all(), label="Régie", empty_label=None, error_messages={"required": "Choisissez la régie."}
    )
    mois = forms.ChoiceField(label="Mois", error_messages={"invalid_choice": "Choisissez un mois de la liste."})

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        premier, choix = timezone.localdate().replace(day=1), []
        for _ in range(MOIS_PROPOSES):
            choix.append((premier.isoformat(), f"{MOIS[premier.month - 1]} {premier.year}"))
            premier = (premier - timedelta(days=1)).replace(day=1)
        self.fields["mois"].choices = choix
        self.fields["mois"].initial = choix[1][0]


class EmettreForm(forms.Form):
    emise_le = DateChamp(label="Date des factures")
    echeance = DateChamp(label="À payer avant le")
    compris = forms.BooleanField(
        label="J'ai vérifié les brouillons\u00a0: une facture émise ne change plus",
        error_messages={"required": "Cochez la case quand les brouillons sont vérifiés."},
    )


class DeciderForm(forms.Form):
    """Days ticked on the page, and one word for all."""

    geste = forms.ChoiceField(choices=[("facturer", "Facturer"), ("ne-pas-facturer", "Ne pas facturer")])
    motif = forms.CharField(
        label="Raison",
        max_length=200,
        help_text="Imprimée dans le détail de la facture.",
        error_messages={"required": "Donnez une raison\u00a0: elle est imprimée dans le détail de la facture."},
    )
    jours = forms.ModelMultipleChoiceField(
        Anomalie.objects.none(),
        error_messages={
            "required": "Cochez au moins un jour.",
            "invalid_choice": "Les brouillons ont été préparés de nouveau\u00a0: relisez la liste avant de décider.",
        },
    )

    def __init__(self, *args, campagne, **options):
        super().__init__(*args, **options)
        self.fields["jours"].queryset = campagne.anomalies.filter(genre__in=DECIDABLES).select_related(
            "enfant", "service"
        )


@dataclass(frozen=True)
class LigneCampagne:
    libelle: str
    regie: str
    etape: str
    code: str
    url: str


def facturer(request):
    """The months under way, and a new one."""
    _verifier(request, "facturation.view_campagne")
    form = OuvrirForm(request.POST if request.method == "POST" else None)
    if request.method == "POST":
        _verifier(request, "facturation.emettre_facture")
        if form.is_valid():
            mois = date.fromisoformat(form.cleaned_data["mois"])
            return redirect("admin:mois_facture", campagnes.ouvrir(form.cleaned_data["regie"], mois).pk)
    lignes = [
        LigneCampagne(
            c.mois_en_clair.capitalize(),
            c.regie.nom,
            c.get_etape_display(),
            c.etape,
            reverse("admin:mois_facture", args=[c.pk]),
        )
        for c in Campagne.objects.select_related("regie").order_by("-mois", "regie__ordre")[:60]
    ]
    contexte = {
        **admin.site.each_context(request),
        "title": "Facturation du mois",
        "form": form,
        "lignes": lignes,
        "peut_agir": request.user.has_perm("facturation.emettre_facture"),
    }
    return render(request, "admin/facturation/facturer.html", contexte, status=422 if form.errors else 200)


def mois(request, pk):
    """A month of a régie: ``action`` is the button."""
    _verifier(request, "facturation.view_campagne")
    campagne = get_object_or_404(Campagne.objects.select_related("regie", "lancee_par"), pk=pk)
    formulaires = {"emettre": None, "decider": None}
    if request.method == "POST":
        _verifier(request, "facturation.emettre_facture")
        suite = _agir(request, campagne, formulaires)
        if suite is not None:
            return suite
    return _montrer(request, campagne, formulaires)


def _agir(request, campagne, formulaires):
    """None where a form is to be mended."""
    action = request.POST.get("action", "")
    try:
        if action == "preparer":
            campagnes.lancer_preparation(campagne, par=request.user)
        elif action == "emettre":
            form = formulaires["emettre"] = EmettreForm(request.POST)
            if not form.is_valid():
                return None
            dates = {nom: form.cleaned_data[nom] for nom in ("emise_le", "echeance")}
            try:
                campagnes.lancer_emission(campagne, **dates, par=request.user)
            except ActionImpossible as erreur:
                form.add_error(None, str(erreur))  # beside the dates, which stay as they were typed
                return None
        elif action == "decider":
            form = formulaires["decider"] = DeciderForm(request.POST, campagne=campagne)
            if not form.is_valid():
                return None
            _decider(request, campagne, form.cleaned_data)
    except ActionImpossible as erreur:
        messages.error(request, str(erreur))
    retour = reverse("admin:mois_facture", args=[campagne.pk])
    genre = request.GET.get("genre", "")
    return redirect(f"{retour}?genre={genre}#anomalies" if genre in DECIDABLES else retour)


def _decider(request, campagne, choisi):
    jours = [(a.enfant, a.service, a.jour) for a in choisi["jours"]]
    a_facturer = choisi["geste"] == "facturer"
    decides = campagnes.decider_jours(campagne, jours, facturer=a_facturer, motif=choisi["motif"], par=request.user)
    s = "s" if decides > 1 else ""
    suite = f"facturé{s}" if a_facturer else f"non facturé{s}"
    messages.success(request, f"{accorder(decides, 'jour décidé', 'jours décidés')}\u00a0: {suite}.")


def _montrer(request, campagne, formulaires):
    campagne.refresh_from_db()
    apercu = campagnes.apercu(campagne)
    genres = [(g.value, g.label, apercu.anomalies[g.value]) for g in Anomalie.Genre if g.value in apercu.anomalies]
    genre = request.GET.get("genre", "")
    if genre not in apercu.anomalies:  # none asked for, or the last of its kind is decided
        genre = genres[0][0] if genres else ""
    anomalies = campagne.anomalies.filter(genre=genre).select_related("famille", "enfant", "service")
    page = Paginator(anomalies.order_by("jour", "famille__nom", "pk"), PAR_PAGE).get_page(request.GET.get("page"))
    emettre = formulaires["emettre"] or EmettreForm(initial=_dates(campagne))
    contexte = {
        **admin.site.each_context(request),
        "title": f"{campagne.regie}, {campagne.mois_en_clair}",
        "campagne": campagne,
        "etape": campagne.etape,
        "en_cours": campagne.est_en_cours,
        "avancement": f"{accorder(campagne.faites, 'famille', 'familles')} sur {nombre(campagne.familles)}",
        "lancee": quand(campagne.lancee_le) if campagne.lancee_le else "",
        "totaux": [(s.libelle, nombre(s.lignes), euros(s.montant)) for s in apercu.services],
        "resume": _resume(campagne, apercu),
        "genres": genres,
        "genre": genre,
        "decidable": genre in DECIDABLES,
        "conseil": CONSEILS.get(genre, ""),
        "anomalies": [_anomalie(a) for a in page],
        "page": page,
        "emettre": emettre,
        "decider": formulaires["decider"] or DeciderForm(campagne=campagne),
        "coches": set(request.POST.getlist("jours")) if formulaires["decider"] else set(),
        "brouillons": _brouillons(campagne) if apercu.factures else "",
        "a_decider": apercu.anomalies.get("A_DECIDER", 0)
        + campagne.anomalies.filter(facturee=None).exclude(genre="A_DECIDER").count(),
        "peut_agir": request.user.has_perm("facturation.emettre_facture") and not campagne.est_en_cours,
        "peut_emettre": campagne.etape == Etape.PREPAREE and campagne.mois < timezone.localdate().replace(day=1),
        "echeance": en_clair(campagne.echeance) if campagne.echeance else "",
    }
    erreurs = any(form is not None and form.errors for form in formulaires.values())
    return render(request, "admin/facturation/mois.html", contexte, status=422 if erreurs else 200)


def _anomalie(a):
    jour = en_clair(a.jour, annee=False) if a.jour else ""
    facturee = {None: "à décider", True: "facturé", False: "non facturé"}[a.facturee]
    qui = f"{a.enfant.prenom} {a.enfant.nom}" if a.enfant else str(a.famille)
    return (a.pk, jour, qui, a.service.nom_court if a.service else "", a.phrase, facturee)


def _resume(campagne, apercu):
    """(what, how much), in the order that an agent checks them."""
    if campagne.etape == Etape.EMISE:
        emises = campagne.regie.factures.emises().filter(mois=campagne.mois, avoir_de=None)
        valables = emises.filter(avoir=None).aggregate(n=Count("pk"), total=Sum("total"))
        annulees = emises.filter(avoir__isnull=False).count()
        lignes = [("Factures émises", nombre(valables["n"])), ("Total facturé", euros(valables["total"] or 0))]
        if annulees:
            lignes.append(("Annulées par un avoir, non comptées", nombre(annulees)))
    else:
        lignes = [("Brouillons", nombre(apercu.factures)), ("Total", euros(apercu.total))]
        lignes.append(("La plus haute", euros(apercu.plus_haute)))
    if apercu.negatives:
        lignes.append(("Restent en brouillon, leur total est négatif", nombre(apercu.negatives)))
    if apercu.reportees:
        lignes.append(("Reportées au mois suivant", nombre(apercu.reportees)))
    return lignes


def _brouillons(campagne):
    """The list of the drafts of the month."""
    filtres = urlencode({"mois": f"{campagne.mois:%Y-%m}", "regie": campagne.regie_id, "suivi": "brouillon"})
    return f"{reverse('admin:facturation_facture_changelist')}?{filtres}"


def _dates(campagne):
    """Today, or the last day that the rules allow, and the days that the régie gives to pay."""
    fin = (campagne.mois + timedelta(days=31)).replace(day=1)
    emise_le = max(timezone.localdate(), fin)
    return {"emise_le": emise_le, "echeance": emise_le + timedelta(days=campagne.regie.jours_echeance)}


def _verifier(request, permission):
    if not request.user.has_perm(permission):
        raise PermissionDenied
