"""What an agent does to an invoice: an avoir when it is issued, lines typed by hand while it is a draft."""

from django import forms
from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse

from enfants.models import Enfant, Service
from facturation import actions
from facturation.actions import ActionImpossible
from facturation.models import Facture, LigneFacture
from portail.outils.argent import euros
from portail.pages.encaissement.commun import (
    MontantField,
    MotifForm,
    cle_lue,
    demander,
    donnees,
    exiger,
    rendre,
)


def avoir(request, pk):
    """The invoice stays as it is; a numbered avoir cancels it as a whole."""
    exiger(request, "facturation.change_facture")
    facture = get_object_or_404(Facture.objects.emises().select_related("famille", "regie"), pk=pk)
    return demander(
        request,
        MotifForm(donnees(request)),
        titre=f"Annuler la facture {facture.numero_complet} par un avoir",
        faits=[
            f"{facture.famille}, {facture.regie}, {facture.mois_en_clair}\u00a0: {euros(facture.total)}.",
            "La facture est annulée en entier. Ce qui était payé revient d'avance sur le compte de la famille.",
        ],
        bouton="Faire l'avoir",
        agir=lambda lues: actions.creer_avoir(facture, motif=lues["motif"], par=request.user),
        retour=reverse("admin:facturation_facture_change", args=[facture.pk]),
        fait=f"La facture {facture.numero_complet} est annulée par un avoir.",
    )


class LigneForm(forms.Form):
    libelle = forms.CharField(
        label="Libellé", max_length=250, error_messages={"required": "Écrivez ce que la famille lira."}
    )
    enfant = forms.ModelChoiceField(Enfant.objects.none(), label="Enfant", required=False)
    service = forms.ModelChoiceField(Service.objects.all(), label="Service", required=False)
    quantite = forms.IntegerField(
        label="Quantité",
        min_value=1,
        max_value=1000,
        initial=1,
        error_messages={
            "required": "Écrivez la quantité.",
            "invalid": "Écrivez un nombre entier.",
            "min_value": "Écrivez un nombre entier, de 1 à 1000.",
            "max_value": "Écrivez un nombre entier, de 1 à 1000.",
        },
    )
    prix = MontantField(
        label="Prix (€)", min_value=-99_999, max_value=99_999, help_text="Négatif pour retirer\u00a0: -4,50."
    )
    motif = forms.CharField(
        label="Raison",
        max_length=200,
        help_text="Imprimée sur la facture.",
        error_messages={"required": "Une ligne ajoutée à la main dit pourquoi."},
    )
    vues = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args, famille, **kwargs):
        super().__init__(*args, **kwargs)
        du_foyer = Enfant.objects.filter(rattachements__famille=famille).distinct()
        self.fields["enfant"].queryset = du_foyer.order_by("prenom", "pk")

    def clean_prix(self):
        if self.cleaned_data["prix"] == 0:
            raise forms.ValidationError("Écrivez un prix.")
        return self.cleaned_data["prix"]


def lignes(request, pk):
    """``action``: « ajouter », or « retirer » the line of this key."""
    exiger(request, "facturation.change_facture")
    facture = get_object_or_404(Facture.objects.select_related("famille", "regie"), pk=pk)
    if facture.etat != Facture.Etat.BROUILLON or facture.est_reportee:
        raise Http404("Ce n'est plus un brouillon")
    retrait = "retirer" in request.POST
    typees = facture.lignes.filter(genre=LigneFacture.GenreLigne.MANUELLE).count()
    form = LigneForm(None if retrait else donnees(request), famille=facture.famille, initial={"vues": typees})
    try:
        if retrait:
            ligne = get_object_or_404(LigneFacture, pk=cle_lue(request.POST["retirer"]), facture=facture)
            actions.retirer_ligne(ligne, par=request.user)
            messages.success(request, "La ligne est retirée.")
            return redirect("admin:lignes_facture", pk)
        if form.is_bound and form.is_valid():
            actions.ajouter_ligne(facture, par=request.user, **form.cleaned_data)
            messages.success(request, "La ligne est ajoutée.")
            return redirect("admin:lignes_facture", pk)
    except ActionImpossible as erreur:
        messages.error(request, str(erreur))
        return redirect("admin:facturation_facture_change", pk)
    contexte = {
        "facture": facture,
        "form": form,
        "total": euros(facture.total),
        "lignes": [
            (ligne, euros(ligne.prix), euros(ligne.montant), ligne.genre == LigneFacture.GenreLigne.MANUELLE)
            for ligne in facture.lignes.order_by("rang")
        ],
    }
    titre = f"Lignes du brouillon, {facture.famille}, {facture.mois_en_clair}"
    return rendre(request, "lignes", titre, contexte, 422 if form.errors else 200)
