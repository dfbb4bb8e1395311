"""Direct debits: mandates, the lot of a day, the file for the bank, what it gave back."""

from decimal import Decimal

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone

from enfants.regles.dates import en_clair
from facturation import prelevements as actions
from facturation.actions import ActionImpossible
from facturation.fichier_sepa import FichierRefuse, nom_du_fichier, pain_008
from facturation.models import LotPrelevement, Mandat, Prelevement
from facturation.regles.sepa import PREAVIS, REJETS
from familles.champs import masquer_iban
from familles.models import CoordonneesBancaires
from portail.outils.argent import euros
from portail.pages.encaissement.commun import (
    JourField,
    RegieField,
    choisir,
    cle_lue,
    demander,
    donnees,
    exiger,
    famille_demandee,
    rendre,
)
from portail.pages.rentree_presentation import accorder


class MandatForm(forms.Form):
    regie = RegieField(empty_label=None)
    signe_le = JourField(label="Mandat signé le")


def nouveau_mandat(request):
    """From the account of the file, which the family has given: nobody types an IBAN here."""
    exiger(request, "facturation.add_mandat", "familles.view_famille")
    famille = famille_demandee(request)
    if famille is None:
        return choisir(request, "Nouveau mandat de prélèvement", "?famille=")
    titre, retour = f"Mandat de prélèvement de la famille {famille.nom}", reverse("admin:compte", args=[famille.pk])
    compte = CoordonneesBancaires.objects.filter(famille=famille).first()
    if compte is None or not compte.iban:
        return rendre(request, "sans_iban", titre, {"famille": famille, "retour": retour}, 422 if request.POST else 200)
    return demander(
        request,
        MandatForm(donnees(request)),
        titre=titre,
        faits=[
            f"Compte du dossier\u00a0: {compte.titulaire}, {masquer_iban(compte.iban)}.",
            "Les prochaines factures annonceront le jour du prélèvement.",
        ],
        bouton="Créer le mandat",
        agir=lambda lues: actions.creer_mandat(famille, par=request.user, **lues),
        retour=retour,
        fait="Le mandat est créé.",
    )


class RevocationForm(forms.Form):
    le = JourField(label="Révoqué le")


def revoquer(request, pk):
    exiger(request, "facturation.change_mandat")
    mandat = get_object_or_404(Mandat.objects.select_related("famille", "regie"), pk=pk)
    return demander(
        request,
        RevocationForm(donnees(request)),
        titre=f"Révoquer le mandat {mandat.rum}",
        faits=[
            f"{mandat.famille}, {mandat.regie}.",
            "Plus rien ne sera prélevé sous ce mandat, sauf ce qui est déjà dans un fichier remis à la banque.",
        ],
        bouton="Révoquer le mandat",
        agir=lambda lues: actions.revoquer(mandat, le=lues["le"]),
        retour=reverse("admin:compte", args=[mandat.famille_id]),
        fait="Le mandat est révoqué.",
    )


# --- Lots --------------------------------------------------------------------------------------------------


class LotForm(forms.Form):
    regie = RegieField(empty_label=None)
    le = JourField(label="Jour du prélèvement", a_venir=True, initial=lambda: timezone.localdate() + PREAVIS)


def preparer(request):
    """Which régie and day, the invoices that were announced, then the lot."""
    exiger(request, "facturation.add_lotprelevement")
    choix = LotForm(request.POST if request.method == "POST" else request.GET if "regie" in request.GET else None)
    lignes, regardes = [], choix.is_bound and choix.is_valid()
    if regardes:
        try:
            if request.method == "POST":
                lot = actions.preparer_lot(choix.cleaned_data["regie"], le=choix.cleaned_data["le"], par=request.user)
                messages.success(request, f"Le lot {lot.identifiant} est prêt\u00a0: portez son fichier à la banque.")
                return redirect("admin:lot", lot.pk)
            actions.verifier_creancier(choix.cleaned_data["regie"])
            lignes = actions.a_prelever(choix.cleaned_data["regie"], choix.cleaned_data["le"])
        except ActionImpossible as erreur:
            choix.add_error(None, str(erreur))
    contexte = {
        "choix": choix,
        "regardes": regardes and not choix.errors,
        "lignes": [(x.facture.numero_complet, x.mandat.titulaire, x.mandat.rum, euros(x.montant)) for x in lignes],
        "nombre": accorder(len(lignes), "facture", "factures"),
        "total": euros(sum((ligne.montant for ligne in lignes), Decimal(0))),
    }
    status = 422 if choix.errors and request.method == "POST" else 200
    return rendre(request, "nouveau_lot", "Préparer des prélèvements", contexte, status)


class RejetForm(forms.Form):
    code = forms.ChoiceField(
        label="Raison donnée par la banque",
        choices=[("", "–"), *((code, f"{code}, {phrase}") for code, phrase in REJETS.items())],
        error_messages={"required": "Choisissez la raison donnée par la banque."},
    )
    le = JourField(label="Rejeté le")


def lot(request, pk):
    """« encaisser » the lot, or « rejeter » or « retirer » the debit of this key."""
    exiger(request, "facturation.view_lotprelevement", "facturation.change_lotprelevement")
    lot = get_object_or_404(LotPrelevement.objects.select_related("regie"), pk=pk)
    rejet = RejetForm(donnees(request) if "rejeter" in request.POST else None)
    choisi = _choisi(request, lot)
    status = 200
    try:
        if "encaisser" in request.POST:
            nombre = actions.encaisser_lot(lot, par=request.user)
            messages.success(request, f"{accorder(nombre, 'prélèvement encaissé', 'prélèvements encaissés')}.")
            return redirect("admin:lot", pk)
        if "retirer" in request.POST:
            actions.retirer(get_object_or_404(lot.prelevements, pk=cle_lue(request.POST["retirer"])))
            messages.success(request, "Le prélèvement est retiré du lot\u00a0: rien n'en sera encaissé.")
            return redirect("admin:lot", pk)
        if rejet.is_bound:
            status = 422
            if rejet.is_valid():
                actions.rejeter(choisi, par=request.user, **rejet.cleaned_data)
                messages.success(
                    request, "Le rejet est noté\u00a0: la facture est de nouveau due, la famille prévenue."
                )
                return redirect("admin:lot", pk)
    except ActionImpossible as erreur:
        rejet.add_error(None, str(erreur)) if rejet.is_bound else messages.error(request, str(erreur))
        status = 422
    rows = list(lot.prelevements.select_related("facture", "mandat__famille").order_by("pk"))
    restes = actions.restes_du_lot(lot)
    lignes = [_ligne(row, restes[row.facture_id], lot) for row in rows]
    contexte = {
        "lot": lot,
        "jour": en_clair(lot.le),
        "rejet": rejet,
        "choisi": choisi,
        "a_encaisser": any(_est_a_encaisser(row) for row in rows),
        "lignes": lignes,
        "est_venu": lot.le <= timezone.localdate(),
        "changees": sum(bool(ligne["changee"]) for ligne in lignes) if lot.fichier_le else 0,
        "total": euros(sum((row.montant for row in rows if _est_en_cours(row)), Decimal(0))),
    }
    return rendre(request, "lot", f"Prélèvements {lot.identifiant}", contexte, status)


def _choisi(request, lot):
    """The debit whose rejection is being typed."""
    texte = request.POST.get("rejeter") or request.GET.get("rejeter") or ""
    if not texte:
        return None
    choisi = lot.prelevements.select_related("facture", "mandat").en_cours().filter(pk=cle_lue(texte)).first()
    if choisi is None:
        raise Http404("Prélèvement inconnu, ou déjà rejeté ou retiré")
    return choisi


def _est_en_cours(row):
    return row.rejete_le is None and row.retire_le is None


def _est_a_encaisser(row):
    return _est_en_cours(row) and row.reglement_id is None


def _ligne(row, reste, lot):
    """``changee``: why the debit should take less than it does, and what to do of it."""
    changee = _changee(row, reste, lot) if _est_a_encaisser(row) else ""
    return {
        "row": row,
        "montant": euros(row.montant),
        "suite": _suite(row),
        "changee": changee,
        "rejetable": _est_en_cours(row) and lot.le <= timezone.localdate(),
        "retirable": bool(changee and lot.fichier_le),
    }


def _changee(row, reste, lot):
    if actions.est_revoque(row, lot):
        if lot.fichier_le is None:
            return "Mandat révoqué\u00a0: le fichier ne prendra pas cette facture."
        return "Mandat révoqué depuis la remise\u00a0: demandez à la banque de retirer ce débit, puis retirez-le ici."
    if reste >= row.montant:
        return ""
    if lot.fichier_le is None:
        if reste <= 0:
            return "Plus rien à payer\u00a0: le fichier ne la prendra pas."
        return f"Il ne reste que {euros(reste)} à payer\u00a0: le fichier prendra cette somme."
    if reste <= 0:
        dit = "plus rien n'est à payer. Demandez à la banque de retirer ce prélèvement, puis retirez-le ici."
        trop = row.montant
    else:
        dit = f"il ne reste que {euros(reste)} à payer. Laissez passer ce prélèvement, ou demandez à la banque de le "
        dit, trop = f"{dit}retirer, puis retirez-le ici et prévenez la famille.", row.montant - reste
    return f"Changée depuis la remise\u00a0: {dit} S'il passe, {euros(trop)} resteront d'avance sur le compte."


def _suite(row: Prelevement) -> str:
    if row.retire_le:
        return f"Retiré le {en_clair(row.retire_le)}\u00a0: rien n'est prélevé"
    if row.rejete_le:
        return f"Rejeté le {en_clair(row.rejete_le)}\u00a0: {REJETS.get(row.rejet, row.rejet)} ({row.rejet})"
    return "Encaissé" if row.reglement_id else "À encaisser"


def fichier(request, pk):
    """The file that the bank reads: made by a POST, which settles what it takes, then downloaded at will."""
    exiger(request, "facturation.add_lotprelevement")
    lot = get_object_or_404(LotPrelevement.objects.select_related("regie"), pk=pk)
    if lot.fichier_le is None and request.method != "POST":
        messages.error(request, "Ce fichier n'est pas encore fait\u00a0: faites-le depuis la page du lot.")
        return redirect("admin:lot", pk)
    try:
        with transaction.atomic():
            contenu = pain_008(lot) if actions.arreter_lot(lot) else b""
    except FichierRefuse:
        messages.error(
            request,
            "La banque refuserait ce fichier\u00a0: vérifiez l'IBAN, le BIC et l'ICS de la régie, et "
            "pour un compte DFT le SIRET de la commune.",
        )
        return redirect("admin:lot", pk)
    if not contenu:
        messages.error(request, "Plus rien n'est à prélever dans ce lot\u00a0: il n'y a pas de fichier à porter.")
        return redirect("admin:lot", pk)
    return HttpResponse(
        contenu,
        content_type="application/xml",
        headers={"Content-Disposition": f'attachment; filename="{nom_du_fichier(lot)}"'},
    )
