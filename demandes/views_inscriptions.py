"""Inscriptions of a child: its services for the year on one page, and its habitual days booked in one action."""

from collections import Counter, namedtuple

from django.conf import settings
from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from demandes import actions, presentation
from demandes import inscriptions as page
from demandes.forms.inscription import ReglementForm
from demandes.pieces import PiecesForm
from demandes.planning import en_attente
from demandes.types import MES_ENFANTS, Inscriptions
from enfants import inscriptions as actions_inscriptions
from enfants import offre as offres
from enfants.models import Enfant
from enfants.regles.annees import libelle
from enfants.regles.dates import enumerer
from enfants.regles.planning import ferme_ce_jour
from familles.pages import page_famille
from portail.outils.dates import MOIS, jour, quand
from portail.outils.francais import au_milieu

Annee = namedtuple("Annee", "libelle url actif")
Resume = namedtuple("Resume", "service total mois sans_effet")
RIEN = "Cochez au moins un service, ou changez des jours habituels."


def _enfant(request, uuid):
    enfants = Enfant.objects.visibles_par(request.user).select_related("ecole", "informations", "sante")
    return get_object_or_404(enfants, uuid=uuid)


@page_famille
def inscriptions(request, uuid):
    """All the services held for the child; what is ticked is asked of the mairie in one submit."""
    enfant, post = _enfant(request, uuid), request.method == "POST"
    annee, est_ouverte = _annee(request)
    saisie, erreurs = Saisie(request, enfant, annee, liee=post and est_ouverte), []
    if post and not est_ouverte:
        erreurs = [("", "Cette année scolaire n'est pas ouverte aux inscriptions.")]
    elif post:
        erreurs = saisie.fautes()
        if not erreurs and (reponse := _deposer(request, enfant, annee, saisie)):
            return reponse
        erreurs = erreurs or [(saisie.ancre, RIEN)]
    contexte = {
        **saisie.contexte(),
        "enfant": enfant,
        "annees": _annees(annee),
        "erreurs": erreurs,
        "rail": presentation.rail(MES_ENFANTS, enfant, actif=Inscriptions.code),
        "habituels": _habituels(request.famille, enfant),
    }
    return render(request, "demandes/inscriptions.html", contexte, status=422 if post else 200)


def _annee(request):
    """The school year of the address, and whether it is open; without one, the usual one."""
    aujourdhui, voulue = timezone.localdate(), request.GET.get("annee", "")
    if voulue in map(str, actions_inscriptions.annees_ouvertes(aujourdhui)):
        return int(voulue), True
    return actions_inscriptions.annee_habituelle(aujourdhui), not voulue


def _annees(annee):
    """Links to the open years; none where there is no choice."""
    ouvertes = actions_inscriptions.annees_ouvertes(timezone.localdate())
    return [Annee(libelle(a), f"?annee={a}", a == annee) for a in ouvertes] if len(ouvertes) > 1 else []


class Saisie:
    """The form of the page: a block for each service, the papers, the rules to accept."""

    def __init__(self, request, enfant, annee, *, liee):
        self.annee, aujourdhui = annee, timezone.localdate()
        donnees, fichiers = (request.POST, request.FILES) if liee else (None, None)
        self.reglement = actions_inscriptions.reglement_de(annee, aujourdhui)
        self.blocs = page.blocs(
            request.famille, enfant, annee, demandeur=request.user, reglement=self.reglement, data=donnees
        )
        self.papiers = page.papiers(enfant, annee, self.blocs)
        self.pieces = PiecesForm(donnees, fichiers, natures=page.a_envoyer(self.papiers))
        self.accord = None
        if self.reglement is not None:
            texte = f"J'accepte le règlement {libelle(annee)} ({self.reglement.version})"
            self.accord = ReglementForm(donnees, libelle=texte)

    @property
    def ancre(self):
        return f"#{self.blocs[0].offre.code}" if self.blocs else ""

    def fautes(self) -> list[tuple[str, str]]:
        """``(anchor, sentence)`` of all that is to correct, in the order of the page."""
        fautes = [(f"#{bloc.offre.code}", f"{bloc.offre.nom}\u00a0: {f}") for bloc in self.blocs for f in bloc.fautes()]
        if not self.pieces.is_valid():
            fautes += [("#pieces", erreur) for erreurs in self.pieces.errors.values() for erreur in erreurs]
        if self.accord is not None and not self.accord.is_valid():
            fautes += [("#id_reglement", erreur) for erreur in self.accord.errors["reglement"]]
        return fautes

    def contexte(self):
        champs = {nature: self.pieces[nom] for nom, nature in self.pieces.natures.items()}
        return {
            "annee": libelle(self.annee),
            "action": f"?annee={self.annee}",
            "blocs": self.blocs,
            "papiers": [(papier, champs.get(papier.nature)) for papier in self.papiers],
            "taille_max": str(settings.TAILLE_MAX_PIECE),  # as text: the templates put spaces in numbers
            "reglement": self.reglement,
            "accord": self.accord,
        }


def _deposer(request, enfant, annee, saisie):
    """Where to go next; None when nothing is asked."""
    pieces = saisie.pieces.ranger()
    try:
        demandes = page.deposer(request.famille, enfant, saisie.blocs, par=request.user, pieces=pieces)
    except page.PapierSansService:
        return None
    except actions.TropDePieces:
        messages.error(request, "Trop de pièces attendent avec cette demande\u00a0: envoyez-en moins.")
        return redirect(f"{Inscriptions.url(enfant)}?annee={annee}")
    if not demandes:
        return None
    noms = [offres.nom(demande.genre.code_service) for demande in demandes]
    services = enumerer(au_milieu(nom) for nom in noms)
    mot = "Votre demande est envoyée" if len(demandes) == 1 else "Vos demandes sont envoyées"
    messages.success(request, f"{mot} à la mairie\u00a0: {services}. Vous pouvez encore changer en attendant.")
    return redirect(f"{Inscriptions.url(enfant)}?annee={annee}")


# --- Habitual days ---------------------------------------------------------------------------------------


def _habituels(famille, enfant):
    """« jusqu'au 2 juillet 2027 » and where it is done; None without habitual days to book."""
    lignes = actions_inscriptions.a_reserver(famille, enfant)
    fins = [fin for ligne in lignes if (fin := _dernier_jour(ligne))]
    if not fins:
        return None
    faits = [ligne.jours_reserves_le for ligne in lignes]
    return {
        "fin": jour(max(fins), semaine=False),
        "url": reverse("jours_habituels", args=[enfant.uuid]),
        "fait": quand(max(faits)) if all(faits) else "",
    }


def _dernier_jour(ligne):
    """The last habitual day on which the service is held."""
    offre = next((offre for offre in offres.actuelle() if offre.cle == ligne.service_id), None)
    if offre is None:
        return None
    calendrier, un_jour = offres.calendrier(timezone.localdate(), ligne.valable_au), timezone.timedelta(days=1)
    fin = ligne.valable_au
    while fin > timezone.localdate() and (fin.weekday() not in ligne.jours or ferme_ce_jour(offre, fin, calendrier)):
        fin -= un_jour
    return fin if fin > timezone.localdate() else None


@page_famille
def jours_habituels(request, uuid):
    """What the habitual days would book, by month, and what they would not; then one button does it."""
    enfant = _enfant(request, uuid)
    retour = Inscriptions.url(enfant)
    lignes = actions_inscriptions.a_reserver(request.famille, enfant)
    if not lignes:
        messages.info(request, "Aucun jour habituel à réserver\u00a0: choisissez-les dans l'inscription.")
        return redirect(retour)
    if request.method == "POST":
        bilans = actions_inscriptions.reserver_pour_le_foyer(
            request.famille, lignes, par=request.user, en_attente=en_attente
        )
        total = [jour_ for bilan in bilans for jour_ in bilan.reserves]
        if total:
            verbe = "sont réservés" if len(total) > 1 else "est réservé"
            nombre = actions_inscriptions.compter(total)
            messages.success(request, f"{nombre} {verbe}. Le détail est dans votre boîte de réception.")
        else:
            messages.info(request, "Rien à réserver de plus\u00a0: ces jours le sont déjà, ou ne peuvent pas l'être.")
        return redirect(retour)
    bilans = actions_inscriptions.prevoir_jours_habituels(lignes, par=request.user, en_attente=en_attente)
    contexte = {
        "enfant": enfant,
        "retour": retour,
        "rail": presentation.rail(MES_ENFANTS, enfant, actif=Inscriptions.code),
        "resumes": [_resume(bilan) for bilan in bilans],
        "total": actions_inscriptions.compter(jour_ for bilan in bilans for jour_ in bilan.reserves),
        "rien": not any(bilan.reserves for bilan in bilans),
    }
    return render(request, "demandes/jours_habituels.html", contexte)


def _resume(bilan):
    par_mois = Counter((jour_.year, jour_.month) for jour_ in sorted(bilan.reserves))
    return Resume(
        f"{bilan.inscription.service.nom} {libelle(bilan.inscription.annee)}",
        bilan.resultat,
        [(f"{MOIS[mois - 1].capitalize()} {annee}", str(nombre)) for (annee, mois), nombre in par_mois.items()],
        [(raison, actions_inscriptions.detail(jours)) for raison, jours in bilan.ecartes.items()],
    )
