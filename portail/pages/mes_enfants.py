"""Mes enfants: the cards, the child's file with its icons at the left, its custody, who read its health."""

from collections import defaultdict, namedtuple
from datetime import date, timedelta

from django.db.models import Exists, OuterRef
from django.http import Http404
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone

from demandes import presentation
from demandes.models import Demande
from demandes.types import MES_ENFANTS, types_de
from enfants.actions import noter_consultation
from enfants.dossier import A_CHARGER, manques_de, vaccins_actifs
from enfants.garde import calendrier, regle
from enfants.models import ConsultationSante, DocumentEnfant, Enfant, Reservation
from enfants.regles import garde as regles_garde
from enfants.regles.annees import age_texte
from enfants.regles.dates import enumerer
from familles.pages import page_famille
from portail.outils.dates import JOURS, MOIS, jour, quand
from portail.outils.fichiers import servir
from portail.pages.confirmation import confirmations_demandees

Carte = namedtuple("Carte", "prenom de_prenom nom url dossier detail ecole manques a_confirmer en_attente jours")
Papier = namedtuple("Papier", "nature detail piece")
Consultation = namedtuple("Consultation", "quand par page")
JourGarde = namedtuple("JourGarde", "numero du_mois chez aujourdhui titre")
DEMANDES_MONTREES = 10
CONSULTATIONS_MONTREES = 100


def enfants_du_foyer(request):
    """Children this adult may see, with all that their cards tell."""
    a_confirmer = confirmations_demandees(request.famille).filter(enfant=OuterRef("pk"), confirmee_le=None)
    en_attente = Demande.objects.en_attente().filter(enfant=OuterRef("pk"), famille=request.famille)
    return (
        Enfant.objects.visibles_par(request.user)
        .select_related("ecole", "classe", "informations", "sante")
        .prefetch_related(*A_CHARGER)
        .annotate(a_confirmer=Exists(a_confirmer), en_attente=Exists(en_attente))
    )


def cartes(enfants, famille) -> list[Carte]:
    """A card for each child: age, class, what is booked today and tomorrow, what its file lacks."""
    aujourdhui, vaccins = timezone.localdate(), vaccins_actifs()
    enfants = list(enfants)
    reserves = _reserves(enfants, famille, aujourdhui)
    return [
        Carte(
            enfant.prenom,
            enfant.de_prenom,
            enfant.nom,
            reverse("enfant", args=[enfant.uuid]),
            reverse("dossier_enfant", args=[enfant.uuid]),
            age_texte(enfant.date_naissance, aujourdhui) if enfant.date_naissance else "",
            enfant.classe_texte,
            _liens(enfant, manques_de(enfant, famille, aujourdhui, vaccins)),
            reverse("confirmer_dossier", args=[enfant.uuid]) if enfant.a_confirmer else "",
            enfant.en_attente,
            reserves[enfant.pk],
        )
        for enfant in enfants
    ]


def _reserves(enfants, famille, aujourdhui) -> dict[int, list[tuple[str, str]]]:
    """Child -> (« Aujourd'hui », « Cantine et Soir »), the same tomorrow, where this household has booked."""
    demain = aujourdhui + timedelta(days=1)
    noms = defaultdict(list)
    reservations = Reservation.objects.actives().filter(
        enfant__in=enfants, famille=famille, jour__in=[aujourdhui, demain], motif_absence=None
    )
    for enfant, le, nom in reservations.order_by("service__heure_debut", "pk").values_list(
        "enfant", "jour", "service__nom_court"
    ):
        noms[enfant, le].append(nom)
    return {
        enfant.pk: [
            (mot, enumerer(noms[enfant.pk, le]) if (enfant.pk, le) in noms else "rien de réservé")
            for mot, le in (("Aujourd'hui", aujourdhui), ("Demain", demain))
        ]
        for enfant in enfants
    }


def _liens(enfant, manques):
    return [
        (manque.phrase, reverse("demander_enfant", args=[enfant.uuid, manque.type]), manque.urgent)
        for manque in manques
    ]


@page_famille
def mes_enfants(request):
    demandes = Demande.objects.visibles_par(request.adulte).de_la_rubrique(MES_ENFANTS).select_related("enfant")
    contexte = {
        "rail": presentation.rail(MES_ENFANTS),
        "enfants": cartes(enfants_du_foyer(request), request.famille),
        "lignes": presentation.lignes(demandes[:DEMANDES_MONTREES]),
    }
    return render(request, "portail/mes_enfants.html", contexte)


@page_famille
def enfant(request, uuid):
    enfants = enfants_du_foyer(request).select_related("garde").prefetch_related("garde__exceptions")
    enfant = get_object_or_404(enfants, uuid=uuid)
    demandes = Demande.objects.visibles_par(request.adulte).filter(enfant=enfant).select_related("enfant")
    (carte,) = cartes([enfant], request.famille)
    garde = getattr(enfant, "garde", None)
    contexte = {
        "enfant": enfant,
        "carte": carte,
        "rail": presentation.rail(MES_ENFANTS, enfant, actif="dossier"),
        "fiches": [
            (genre, presentation.fiche(genre, request.famille, enfant, complete=False), genre.url(enfant))
            for genre in types_de(MES_ENFANTS)
            if genre.par_enfant
        ],
        "papiers": _papiers(enfant, request.famille),
        "garde": _phrase_garde(garde, request.famille) if garde else "",
        "lignes": presentation.lignes(demandes[:DEMANDES_MONTREES]),
    }
    return render(request, "portail/enfant.html", contexte)


def _papiers(enfant, famille):
    """The papers on file; those of the other household are told, not opened."""
    papiers = []
    for document in enfant.documents.all():
        if document.remplace_le is None:
            fin = f"valable jusqu'au {jour(document.expire_le, semaine=False)}" if document.expire_le else ""
            sien = document.famille_id == famille.pk
            detail = fin if sien else ", ".join(filter(None, ["donné par l'autre foyer", fin]))
            papiers.append(Papier(document.get_nature_display(), detail, document if sien else None))
    return papiers


def _phrase_garde(garde, famille):
    noms = defaultdict(lambda: "l'autre parent", {famille.pk: "vous"})  # an address is nobody else's
    return regles_garde.phrase(regle(garde), noms)


@page_famille
def garde(request, uuid):
    """Which household has the child, day by day: a month that both parents and the mairie can check."""
    enfant = get_object_or_404(Enfant.objects.visibles_par(request.user).select_related("garde"), uuid=uuid)
    garde = getattr(enfant, "garde", None)
    if garde is None:
        raise Http404("Enfant d'un seul foyer")
    premier = _mois_demande(request.GET.get("mois", ""))
    suivant = (premier + timedelta(days=32)).replace(day=1)
    contexte = {
        "enfant": enfant,
        "rail": presentation.rail(MES_ENFANTS, enfant),
        "phrase": _phrase_garde(garde, request.famille),
        "titre_mois": f"{MOIS[premier.month - 1]} {premier.year}",
        "semaines": _semaines(garde, request.famille, premier, suivant),
        "precedent": f"{premier - timedelta(days=1):%Y-%m}",
        "suivant": f"{suivant:%Y-%m}",
        "jours": JOURS,
    }
    return render(request, "portail/garde.html", contexte)


def _mois_demande(texte):
    """First day of « 2026-11 », of this month when it is something else."""
    try:
        demande = date.fromisoformat(f"{texte}-01")
    except ValueError:
        demande = timezone.localdate()
    return demande.replace(day=1) if 2000 <= demande.year < 2100 else timezone.localdate().replace(day=1)


def _semaines(garde, famille, premier, suivant):
    """Weeks from Monday to Sunday, the days of the months around included."""
    debut = premier - timedelta(days=premier.weekday())
    fin = suivant + timedelta(days=(7 - suivant.weekday()) % 7 - 1)
    aujourdhui = timezone.localdate()
    jours = [
        JourGarde(
            le.day,
            le.month == premier.month,
            "partage" if len(foyers) > 1 else "vous" if foyers == (famille.pk,) else "autre",
            le == aujourdhui,
            jour(le),
        )
        for le, foyers in calendrier(garde, debut, fin).items()
    ]
    return [jours[n : n + 7] for n in range(0, len(jours), 7)]


@page_famille
def consultations(request, uuid):
    """« Qui a consulté »: each opening of the child's health by an agent."""
    enfant = get_object_or_404(Enfant.objects.visibles_par(request.user), uuid=uuid)
    lues = ConsultationSante.objects.filter(enfant=enfant).select_related("par")[:CONSULTATIONS_MONTREES]
    contexte = {
        "enfant": enfant,
        "rail": presentation.rail(MES_ENFANTS, enfant, "consultations"),
        "consultations": [Consultation(quand(lue.le), lue.par.nom_complet, lue.page) for lue in lues],
    }
    return render(request, "portail/consultations.html", contexte)


def document_enfant(request, uuid):
    """A paper of a child's file: for the household that gave it, and for the agents of the child's site."""
    document = get_object_or_404(DocumentEnfant.objects.select_related("enfant"), uuid=uuid)
    utilisateur = request.user
    if utilisateur.adulte is not None:
        visibles = Enfant.objects.visibles_par(utilisateur).filter(pk=document.enfant_id)
        if document.famille_id != utilisateur.adulte.famille_id or not visibles.exists():
            raise Http404("Document d'un autre foyer")
        return servir(document)
    if not _agent_peut_ouvrir(utilisateur, document):
        raise Http404("Document réservé")
    if document.est_de_sante:
        noter_consultation([document.enfant], par=utilisateur, page=document.get_nature_display())
    return servir(document)


def _agent_peut_ouvrir(agent, document):
    if not agent.has_perm("enfants.view_sante" if document.est_de_sante else "enfants.change_enfant"):
        return False
    return Enfant.objects.accessibles_a(agent).filter(pk=document.enfant_id).exists()
