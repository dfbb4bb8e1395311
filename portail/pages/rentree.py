"""The rentrée, on one page of the admin: the list and its exceptions, the recap, then undoing and the confirmations.

The choices travel with the form from step to step and are written nowhere: all of them in the JSON of a hidden field,
those of the page shown in fields that win over it.
"""

import json

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.shortcuts import redirect, render
from django.utils import timezone

from enfants import rentree as actions
from enfants.models import ConfirmationDossier
from enfants.prevision import Quoi
from enfants.regles.annees import a_venir, annee_scolaire, libelle
from messagerie.models import ServiceMairie
from portail.outils.dates import quand
from portail.pages import rentree_presentation as presentation
from portail.pages.rentree_presentation import accorder

FOYERS_PAR_CLIC = 4_000  # half a minute of writing: a longer answer, a proxy would cut
PREFIXES = ("groupe-", "enfant-")  # names of the fields that hold choices


class DepartForm(forms.Form):
    archive_le = forms.DateField(
        label="Date de leur départ",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"required": "Écrivez une date.", "invalid": "Écrivez une date sous la forme 31/08/2027."},
    )

    def __init__(self, *args, annee, **kwargs):
        super().__init__(*args, initial={"archive_le": f"{annee}-08-31"}, use_required_attribute=False, **kwargs)
        self.annee = annee

    def clean_archive_le(self):
        jour = self.cleaned_data["archive_le"]
        if jour.year != self.annee:
            raise forms.ValidationError(f"Écrivez une date de l'année {self.annee}.")
        return jour


def rentree(request):
    """The rentrée to come: its list, its recap, what it has done. Each button is an ``action``."""
    if not request.user.has_perm("enfants.add_rentree"):
        raise PermissionDenied
    annee, action = a_venir(timezone.localdate()), request.POST.get("action", "")
    faite = actions.en_vigueur(annee)
    if action == "annuler":
        return _annuler(request, annee, faite)
    if action == "ouvrir":
        return _ouvrir(request, annee)
    if faite:
        if request.method == "POST":
            messages.error(request, str(actions.RentreeDejaFaite(annee, faite)))
        return _faite(request, annee, faite, status=409 if request.method == "POST" else 200)
    choix = lire_choix(request.POST)
    if action in ("verifier", "faire"):
        return _avancer(request, annee, choix, faire=action == "faire")
    return _liste(request, actions.prevoir(annee, choix))


def lire_choix(envoi) -> dict[str, str]:
    """The choices of all pages; a browser may send anything."""
    try:
        gardes = json.loads(envoi.get("choix", "{}"))
    except (ValueError, RecursionError):
        gardes = {}
    gardes = gardes if isinstance(gardes, dict) else {}
    visibles = {nom: valeur for nom, valeur in envoi.items() if nom.startswith(PREFIXES)}
    return {nom: valeur for nom, valeur in {**gardes, **visibles}.items() if isinstance(valeur, str)}


def _avancer(request, annee, choix, *, faire):
    """To the recap, and from there to the rentrée, as long as the list is the one that was read."""
    prevision, lue = actions.prevoir(annee, choix), request.POST.get("empreinte", "")
    if prevision.empreinte != lue:
        messages.error(request, str(actions.ListeChangee()))
        return _liste(request, prevision, status=409)
    depart = DepartForm(request.POST if faire else None, annee=annee)
    if not faire or not depart.is_valid():
        return _recapitulatif(request, prevision, depart, status=422 if faire else 200)
    jour = depart.cleaned_data["archive_le"]
    try:
        faite = actions.faire(annee, choix, par=request.user, archive_le=jour, empreinte=lue)
    except actions.ListeChangee as erreur:  # in the moment since the lines above
        messages.error(request, str(erreur))
        return _liste(request, actions.prevoir(annee, choix), status=409)
    except actions.RentreeDejaFaite as erreur:
        messages.error(request, str(erreur))
        return redirect("admin:rentree")
    messages.success(request, f"Rentrée {libelle(annee)} faite : {presentation.totaux_faits(faite)}.")
    return redirect("admin:rentree")


def _annuler(request, annee, faite):
    """Undo the rentrée that the page showed, and name the children who stay as they are."""
    if faite is None or str(faite.pk) != request.POST.get("rentree"):
        messages.error(request, f"Aucune rentrée {libelle(annee)} à annuler : elle l'est peut-être déjà.")
        return redirect("admin:rentree")
    try:
        laisses = actions.annuler(faite, par=request.user)
    except actions.RentreeDejaAnnulee as erreur:
        messages.error(request, str(erreur))
        return redirect("admin:rentree")
    messages.success(request, f"Rentrée {libelle(annee)} annulée : les classes sont de nouveau celles d'avant.")
    if laisses:
        noms = presentation.noms(laisses)
        messages.warning(request, f"Restés comme ils étaient, car leur dossier a changé depuis la rentrée : {noms}.")
    return redirect("admin:rentree")


def _ouvrir(request, annee):
    foyers = actions.ouvrir_confirmations(annee, par=request.user, au_plus=FOYERS_PAR_CLIC)
    restent = len(actions.foyers_a_inviter(annee))
    if foyers:
        phrase = accorder(foyers, "foyer est prévenu", "foyers sont prévenus")
        messages.success(request, f"{phrase} : chacun peut relire et confirmer ses dossiers.")
    if restent:
        messages.warning(request, f"Il reste {accorder(restent, 'foyer', 'foyers')} à prévenir : continuez.")
    elif not foyers:
        messages.info(request, "Tous les foyers sont déjà prévenus.")
    return redirect("admin:rentree")


# --- Pages -----------------------------------------------------------------------------------------------


def _rendre(request, annee, etape, contexte, status):
    contexte = {
        **admin.site.each_context(request),
        "title": f"Rentrée {libelle(annee)}",
        "annee": libelle(annee),
        "ecoulee": libelle(annee - 1),
        "etape": etape,
        **contexte,
    }
    return render(request, "admin/rentree.html", contexte, status=status)


def _liste(request, prevision, status=200):
    pages = presentation.paginer(prevision.groupes)
    voulue = request.POST.get("page", "")
    rang = min(max(int(voulue), 1), len(pages)) if voulue.isdecimal() and len(voulue) < 6 else 1
    groupes = pages[rang - 1].groupes if pages else []
    annee = prevision.annee
    contexte = {
        "prevision": prevision,
        "totaux": presentation.totaux(prevision.totaux),
        "pages": pages,
        "page": rang,
        "blocs": presentation.blocs(prevision, groupes),
        "choix": json.dumps(prevision.choix),
        "commencee": annee_scolaire(timezone.localdate()) == annee,
        "confirmations": _confirmations(annee) if prevision.semble_deja_faite else None,
    }
    return _rendre(request, annee, "liste", contexte, status)


def _recapitulatif(request, prevision, depart, status):
    contexte = {
        "title": f"Vérifiez la rentrée {libelle(prevision.annee)}",
        "prevision": prevision,
        "totaux": presentation.totaux(prevision.totaux),
        "lignes": presentation.lignes_du_recapitulatif(prevision),
        "exceptions": presentation.exceptions(prevision),
        "sans_classe": prevision.sans_classe,
        "partants": prevision.totaux[Quoi.PART],
        "depart": depart,
        "choix": json.dumps(prevision.choix),
    }
    return _rendre(request, prevision.annee, "recapitulatif", contexte, status)


def _faite(request, annee, faite, status):
    modifies = actions.modifies_depuis(faite)
    contexte = {
        "rentree": faite,
        "cle": str(faite.pk),  # as text: the templates put spaces in numbers
        "faite_quand": quand(faite.faite_le),
        "totaux": presentation.totaux_faits(faite),
        "a_remettre": accorder(len(faite.mouvements) - len(modifies), "enfant retrouve", "enfants retrouvent"),
        "modifies": presentation.noms(modifies),
        "confirmations": _confirmations(annee),
    }
    return _rendre(request, annee, "faite", contexte, status)


def _confirmations(annee):
    """How far the households are, and how many a click would write to."""
    demandees = ConfirmationDossier.objects.filter(annee=annee, enfant__archive_le=None)
    comptes = demandees.aggregate(total=Count("pk"), confirmes=Count("confirmee_le"))
    foyers = len(actions.foyers_a_inviter(annee))
    sujet, corps = actions.composer_invitation(annee, ServiceMairie.de("enfance-jeunesse"))
    return comptes | {
        "mesure": {nom: str(valeur) for nom, valeur in comptes.items()},
        "foyers": foyers,
        "long": foyers > FOYERS_PAR_CLIC / 10,
        "foyers_texte": accorder(foyers, "foyer", "foyers"),
        "avancement": f"{accorder(comptes['confirmes'], 'dossier confirmé', 'dossiers confirmés')}"
        f" sur {presentation.nombre(comptes['total'])}",
        "sujet": sujet,
        "corps": corps,
    }
