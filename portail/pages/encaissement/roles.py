"""Rôles: a month of a titre is taken by the trésorerie, then what it says of each titre is noted."""

import hashlib
from decimal import Decimal

from django import forms
from django.contrib import messages
from django.db import transaction
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone

from facturation import actions
from facturation.actions import ActionImpossible
from facturation.admin.colonnes import debiteur
from facturation.admin.filtres import lire_mois
from facturation.models import Article, Facture, Regie, Role
from portail.outils.argent import euros
from portail.pages.encaissement.commun import JourField, MontantField, RegieField, donnees, exiger, rendre
from portail.pages.rentree_presentation import accorder

FACTURES_MONTREES = 200


class MoisForm(forms.Form):
    regie = RegieField(titre=True, empty_label=None)
    mois = forms.ChoiceField(label="Mois", error_messages={"invalid_choice": "Choisissez un mois."})

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        mois = _prenables().order_by("-mois").values_list("mois", flat=True).distinct()
        self.fields["mois"].choices = [(f"{m:%Y-%m}", Facture(mois=m).mois_en_clair) for m in mois]


class RoleForm(forms.Form):
    numero = forms.CharField(
        label="N° d'ORMC", max_length=20, error_messages={"required": "Écrivez le numéro donné par la trésorerie."}
    )
    exercice = forms.IntegerField(
        label="Exercice",
        min_value=2000,
        max_value=2100,
        initial=lambda: timezone.localdate().year,
        error_messages={"required": "Écrivez l'année.", "invalid": "Écrivez une année, par exemple 2026."},
    )
    le = JourField(label="Pris en charge le")


def _prenables():
    """Issued invoices of titres that no rôle holds, no avoir cancels, and of which the commune was paid nothing."""
    factures = Facture.objects.emises().filter(regie__regime=Regie.Regime.TITRE, article=None, avoir_de=None)
    return factures.filter(avoir=None, total__gt=0).avec_reste().filter(impute=0)


def _empreinte(factures):
    """Of the list that the agent has read: one invoice more or less, and it is another."""
    return hashlib.sha256(" ".join(str(facture.pk) for facture in factures).encode()).hexdigest()[:16]


def nouveau(request):
    """Which month, the invoices and their total, then the number of the rôle: all of them are taken, or none."""
    exiger(request, "facturation.add_role")
    choix = MoisForm(request.GET if "mois" in request.GET else None)
    factures, form, status = [], None, 200
    if choix.is_bound and choix.is_valid():
        regie, mois = choix.cleaned_data["regie"], lire_mois(choix.cleaned_data["mois"])
        factures = list(_prenables().filter(regie=regie, mois=mois).select_related("famille").order_by("numero"))
        form = RoleForm(donnees(request))
        if form.is_bound:
            status = 422
            if form.is_valid() and request.POST.get("vue") != _empreinte(factures):
                form.add_error(None, "Cette liste a changé depuis que vous l'avez ouverte\u00a0: relisez-la.")
                status = 409
            if form.is_valid() and (role := _prendre(form, factures, regie, request.user)):
                messages.success(
                    request,
                    f"{accorder(len(factures), 'facture prise', 'factures prises')} en charge dans l'{role}.",
                )
                return redirect("admin:titres", role.pk)
    contexte = {
        "choix": choix,
        "form": form,
        "vue": _empreinte(factures),
        "nombre": accorder(len(factures), "facture", "factures"),
        "total": euros(sum((facture.total for facture in factures), Decimal(0))),
        "factures": [(f.numero_complet, debiteur(f), euros(f.total)) for f in factures[:FACTURES_MONTREES]],
        "suite": max(0, len(factures) - FACTURES_MONTREES),
    }
    return rendre(request, "nouveau_role", "Prendre un mois en charge dans un rôle", contexte, status)


def _prendre(form, factures, regie, agent):
    try:
        return actions.prendre_en_role(factures, regie=regie, par=agent, **form.cleaned_data)
    except ActionImpossible as erreur:
        form.add_error(None, str(erreur))
        return None


class TitresForm(forms.Form):
    """A box and an amount for each titre that is not cancelled, and the day on which the trésorerie told it."""

    le = JourField(label="Dit par la trésorerie le")

    def __init__(self, *args, articles, **kwargs):
        super().__init__(*args, **kwargs)
        self.articles = {article.pk: article for article in articles}
        for cle, article in self.articles.items():
            numero = article.facture.numero_complet
            self.fields[f"dit-{cle}"] = forms.BooleanField(label=f"Noter la facture {numero}", required=False)
            self.fields[f"paye-{cle}"] = MontantField(
                label=f"Payé en tout de la facture {numero}",
                min_value=0,
                initial=article.paye or article.facture.total,
                required=False,
            )

    def clean(self):
        lues = super().clean()
        for cle, article in self.articles.items():
            paye = lues.get(f"paye-{cle}")
            if lues.get(f"dit-{cle}") and f"paye-{cle}" not in self.errors:
                if paye is None:
                    self.add_error(f"paye-{cle}", "Écrivez le montant, ou 0.")
                elif paye > article.facture.total:
                    self.add_error(f"paye-{cle}", f"Le titre est de {euros(article.facture.total)}.")
        if not self.errors and not self.dits():
            raise forms.ValidationError("Cochez au moins un titre.")
        return lues

    def dits(self):
        """``(titre, amount)`` of the ticked ones."""
        lues = self.cleaned_data
        return [(article, lues[f"paye-{cle}"]) for cle, article in self.articles.items() if lues.get(f"dit-{cle}")]


def titres(request, pk):
    """The titres of a rôle; one or many are noted as the trésorerie tells them on paper."""
    exiger(request, "facturation.change_article")
    role = get_object_or_404(Role.objects.select_related("regie"), pk=pk)
    articles = list(role.articles.select_related("facture__famille").order_by("facture__numero"))
    vivants = [article for article in articles if article.etat != Article.Etat.ANNULE]
    form = TitresForm(donnees(request), articles=vivants)
    if form.is_bound and form.is_valid():
        try:
            nombre = _noter(form, request.user)
        except ActionImpossible as erreur:
            form.add_error(None, str(erreur))
        else:
            messages.success(request, f"{accorder(nombre, 'titre noté', 'titres notés')}.")
            return redirect("admin:titres", pk)
    contexte = {
        "role": role,
        "form": form,
        "total": euros(sum((a.facture.total for a in vivants), Decimal(0))),
        "paye": euros(sum((a.paye for a in vivants), Decimal(0))),
        "titres": [_ligne(article, form) for article in articles],
    }
    return rendre(request, "titres", f"Titres de l'{role}", contexte, 422 if form.errors else 200)


def _ligne(article, form):
    facture, ouvert = article.facture, article.pk in form.articles
    return {
        "article": article,
        "numero": facture.numero_complet,
        "qui": debiteur(facture),
        "total": euros(facture.total),
        "dit": form[f"dit-{article.pk}"] if ouvert else None,
        "paye": form[f"paye-{article.pk}"] if ouvert else None,
    }


@transaction.atomic
def _noter(form, agent):
    for article, paye in form.dits():
        etat = Article.Etat.PAYE if paye == article.facture.total else Article.Etat.A_PAYER
        actions.marquer_article(article, etat=etat, paye=paye, le=form.cleaned_data["le"], par=agent)
    return len(form.dits())
