"""Mon compte: the family's file, the five requests at the left, its demandes at the bottom; which mails it wants."""

from collections import namedtuple

from django.contrib import messages
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from demandes import presentation
from demandes.models import Demande
from demandes.types import MON_COMPTE
from familles.champs import masquer_iban
from familles.models import Famille, Responsable
from familles.pages import page_famille
from messagerie.courriels import choisir
from messagerie.forms import PreferenceForm
from messagerie.models import Preference
from portail.outils.argent import euros
from portail.outils.dates import MOIS, jour

Fiche = namedtuple("Fiche", "titre icone lignes lien libelle_lien")
DEMANDES_MONTREES = 10


@page_famille
def mon_compte(request):
    famille = Famille.objects.select_related("situation_fiscale", "dossier_caf", "coordonnees_bancaires").get(
        pk=request.famille.pk
    )
    adultes = {adulte.rang: adulte for adulte in famille.adultes()}
    demandes = Demande.objects.visibles_par(request.adulte).de_la_rubrique(MON_COMPTE)
    rail = presentation.rail(MON_COMPTE)
    liens = {icone.libelle: icone.url for icone in rail}
    responsable = adultes.get(Responsable.Rang.RESPONSABLE)
    conjoint = adultes.get(Responsable.Rang.CONJOINT)
    contexte = {
        "famille": famille,
        "rail": rail,
        "fiches": [
            Fiche("Responsable", "responsable", _adulte(responsable), liens["Infos Responsable"], "Modifier"),
            _fiche_conjoint(conjoint, liens["Informations Conjoint"]),
            Fiche("Adresse du foyer", "adresse", _adresse(famille), liens["Infos Responsable"], "Modifier"),
            Fiche("Situation fiscale", "fiscal", _fiscale(famille), liens["Informations Fiscales"], "Modifier"),
            Fiche("CAF et quotient familial", "caf", _caf(famille), liens["Info CAF"], "Modifier"),
            Fiche("Coordonnées bancaires", "banque", _banque(famille), liens["Coordonnées Bancaires"], "Modifier"),
        ],
        "lignes": presentation.lignes(demandes[:DEMANDES_MONTREES]),
    }
    return render(request, "portail/mon_compte.html", contexte)


def _fiche_conjoint(conjoint, lien):
    if conjoint is None:
        return Fiche("Conjoint", "conjoint", [("Conjoint", "Aucun conjoint dans ce dossier")], lien, "Ajouter")
    return Fiche("Conjoint", "conjoint", _adulte(conjoint), lien, "Modifier")


def _adulte(adulte):
    if adulte is None:
        return [("Nom", "")]
    compte = adulte.utilisateur
    lignes = [
        ("Nom", f"{adulte.get_civilite_display()} {compte.nom_complet}".strip()),
        ("Téléphone mobile", adulte.telephone_mobile),
    ]
    if adulte.telephone_fixe:
        lignes.append(("Téléphone fixe", adulte.telephone_fixe))
    lignes += [("Téléphone au travail", adulte.telephone_travail), ("Adresse e-mail", compte.courriel)]
    if compte.courriel_en_attente:
        lignes.append(("Nouvelle adresse à confirmer", f"{compte.courriel_en_attente} (suivez le lien reçu)"))
    return [*lignes, ("Profession", adulte.profession), ("Employeur", adulte.employeur)]


def _adresse(famille):
    return [("Adresse", ", ".join(famille.adresse_lignes))]


def _fiscale(famille):
    situation = getattr(famille, "situation_fiscale", None)
    if situation is None:
        return [("Régime allocataire", ""), ("Revenu fiscal de référence", "")]
    lignes = [("Régime allocataire", situation.get_regime_display())]
    if situation.non_communique:
        return [*lignes, ("Revenus", "Vous ne les communiquez pas")]
    revenu = euros(situation.revenu_fiscal) if situation.revenu_fiscal else ""
    annee = f" (revenus {situation.annee})" if situation.annee and revenu else ""
    parts = f"{situation.parts.normalize():f}".replace(".", ",") if situation.parts else ""
    return [*lignes, ("Revenu fiscal de référence", revenu + annee), ("Nombre de parts", parts)]


def _caf(famille):
    dossier = getattr(famille, "dossier_caf", None)
    aujourdhui = timezone.localdate()
    quotients = list(famille.quotients.filter(valable_au__gte=aujourdhui).order_by("valable_du"))
    lignes = [
        ("Caisse", dossier.caisse if dossier else ""),
        ("Numéro d'allocataire", str(dossier.numero_allocataire) if dossier else ""),
    ]
    for quotient in quotients:
        libelle = "Quotient familial" if quotient.valable_du <= aujourdhui else "Prochain quotient"
        lignes.append((libelle, _quotient(quotient)))
    if not any(quotient.valable_du <= aujourdhui for quotient in quotients):
        lignes.append(("Quotient familial", "Aucun à ce jour : le tarif de la tranche la plus haute s'applique"))
    return lignes


def _quotient(quotient):
    periode = f"du {jour(quotient.valable_du, semaine=False)} au {jour(quotient.valable_au, semaine=False)}"
    if quotient.valeur is None:
        return f"Non communiqué, {periode} : tranche la plus haute"
    mois = f" de {MOIS[quotient.mois.month - 1]} {quotient.mois.year}" if quotient.mois else ""
    return f"{euros(quotient.valeur)}, {periode} ({quotient.get_source_display().lower()}{mois})"


def _banque(famille):
    compte = getattr(famille, "coordonnees_bancaires", None)
    if compte is None:
        return [("Titulaire", ""), ("IBAN", "")]
    return [("Titulaire", compte.titulaire), ("IBAN", masquer_iban(compte.iban)), ("BIC", compte.bic)]


# --- Mes courriels ---------------------------------------------------------------------------------------


@page_famille
def mes_courriels(request):
    """Which mails this adult receives, and where; the other adult chooses for themselves."""
    preference = Preference.objects.filter(adulte=request.adulte).first()
    rythme = preference.rythme if preference else Preference.Rythme.IMMEDIAT
    post = request.method == "POST"
    form = PreferenceForm(request.POST if post else None, initial={"rythme": rythme})
    if post and form.is_valid():
        choisir(request.adulte, form.cleaned_data["rythme"])
        messages.success(request, "Votre choix est enregistré.")
        return redirect("mes_courriels")
    fiche = "responsable" if request.adulte.rang == Responsable.Rang.RESPONSABLE else "conjoint"
    contexte = {
        "form": form,
        "rail": presentation.rail(MON_COMPTE, actif="courriels"),
        "changer_adresse": reverse("demander", args=[fiche]),
    }
    return render(request, "portail/mes_courriels.html", contexte, status=422 if post else 200)
