"""Accueil and the small public pages."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.db.models import Count, Exists, F, OuterRef, Window
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from demandes import planning as demandes
from demandes.models import Demande, PieceJointe
from demandes.presentation import Icone, Ligne, lignes
from enfants import bientot, offre
from enfants.dossier import avec_papiers, pressants_de
from enfants.planning import enfants_de
from enfants.regles.dates import JOURS, enumerer, jours_en_clair, periode
from facturation.situation import situations
from familles.pages import page_famille
from portail.commune import Commune
from portail.contexte import fils_non_lus
from portail.outils.dates import heure, quand
from portail.outils.dates import jour as en_mots
from portail.outils.francais import au_milieu
from portail.pages import compte_presentation as presentation
from portail.publications import Actualite

DELAI = timedelta(hours=48)  # a deadline that passes sooner is told
# How many of each are shown; what is left out is a link away.
MESSAGES, ECHEANCES, PAPIERS, ACTUALITES, DEMANDES = 3, 5, 6, 3, 5
CORPS_COURT = 600  # characters of a piece of news shown whole


class CarteEnfant(NamedTuple):
    prenom: str
    de_prenom: str
    nom: str
    url: str
    fiche_url: str
    jours: list[tuple[str, str]]


class Alerte(NamedTuple):
    """Something that asks for attention: « sujet : suite », and where to go."""

    icone: str
    sujet: str
    suite: str
    url: str


class Nouvelle(NamedTuple):
    titre: str
    date: str
    html: str
    suite: str  # where the whole text is, when it is too long for here


class Compte(NamedTuple):
    """The frames « Informations compte » and « Factures impayées »."""

    soldes: list[presentation.Solde]
    impayees: list[presentation.LigneFacture]
    tresorerie: presentation.Tresorerie | None


@dataclass
class AccueilPrepare:
    """All that the first page prints.

    :param autres: (sentence, address) of what is left out.
    """

    alertes: list[Alerte]
    autres: list[tuple[str, str]]
    actualites: list[Nouvelle]
    enfants: list[CarteEnfant]
    en_attente: list[Ligne]
    compte: Compte

    @property
    def lignes(self):
        return [
            *self.alertes,
            *self.autres,
            *self.actualites,
            *self.enfants,
            *self.en_attente,
            *self.compte.soldes,
            *self.compte.impayees,
        ]


def accueil(request):
    """Agents go to their desk; parents see what is new."""
    return redirect("admin:index") if request.user.is_staff else _accueil_famille(request)


@page_famille
def _accueil_famille(request):
    page = charger_accueil(request)
    contexte = {
        "rail": [
            Icone("Mot de passe", reverse("mot_de_passe"), "cadenas", False),
            Icone("Infos./Documents", reverse("documents"), "document", False),
            Icone("Fiche d'inscription", reverse("fiche_vierge"), "fiche", False),
            Icone("Nous contacter", reverse("contact"), "contact", False),
        ],
        "page": page,
        "enfants": page.enfants,
        "en_attente": page.en_attente,
    }
    return render(request, "portail/accueil.html", contexte)


def charger_accueil(request) -> AccueilPrepare:
    """What a family reads on arriving, ready to print; the unread threads are counted for the tabs too."""
    maintenant = timezone.now()
    aujourdhui = timezone.localdate(maintenant)
    enfants = list(avec_papiers(enfants_de(request.user)))
    cartes, echeances = _jours_des_enfants(request.famille, enfants, aujourdhui, maintenant)
    messages, autres_messages = _messages(request)
    papiers = [_papier(enfant, manque) for enfant in enfants for manque in pressants_de(enfant, aujourdhui)]
    en_attente = _demandes_en_attente(request.adulte)
    autres = [
        _autres(autres_messages, "message non lu", "messages non lus", reverse("messagerie")),
        _autres(len(echeances) - ECHEANCES, "délai proche", "délais proches", reverse("semaine_courante")),
        _autres(len(papiers) - PAPIERS, "papier à envoyer", "papiers à envoyer", reverse("mes_enfants")),
    ]
    recentes = sorted(en_attente, key=lambda demande: (demande.deposee_le, demande.pk), reverse=True)
    return AccueilPrepare(
        alertes=[
            *messages,
            *_preuves(en_attente, maintenant),
            *(_echeance(echeance, aujourdhui) for echeance in echeances[:ECHEANCES]),
            *papiers[:PAPIERS],
        ],
        autres=[autre for autre in autres if autre],
        actualites=[
            nouvelle(actualite)
            for actualite in Actualite.objects.en_cours(aujourdhui).visibles_par(request.user)[:ACTUALITES]
        ],
        enfants=cartes,
        en_attente=lignes(recentes[:DEMANDES]),
        compte=_compte(request.famille, aujourdhui),
    )


def _compte(famille, aujourdhui) -> Compte:
    """What the household owes, régie by régie, and its invoices that are still due, the first due first."""
    trouvees = situations(famille)
    dues = sorted((facture for s in trouvees for facture in s.impayees), key=lambda facture: facture.echeance)
    return Compte(
        [presentation.solde(s.regie.nom, s.regie.est_titre, s.solde) for s in trouvees],
        [presentation.ligne_de_facture(facture, aujourdhui) for facture in dues],
        presentation.tresorerie((s.regie.nom, s.regie.est_titre) for s in trouvees),
    )


# --- The children: today, tomorrow, what closes soon -----------------------------------------------------


def _jours_des_enfants(famille, enfants, aujourdhui, maintenant):
    """Their cards, and the deadlines about to pass: one reading of the planning for both."""
    if not enfants:
        return [], []
    demain = aujourdhui + timedelta(days=1)
    qui_ferment = bientot.jours_qui_ferment(maintenant, DELAI)
    au = max([demain, *(jour for _, jour in qui_ferment)])
    planning = demandes.ouvrir(famille, enfants, aujourdhui, au, maintenant=maintenant)
    cartes = [
        CarteEnfant(
            enfant.prenom,
            enfant.de_prenom,
            enfant.nom,
            reverse("enfant", args=[enfant.uuid]),
            reverse("fiche_inscription", args=[enfant.uuid]),
            [
                (mot, enumerer(offre.nom_court for offre in reserves) if reserves else "rien de réservé")
                for mot, jour in (("Aujourd'hui", aujourdhui), ("Demain", demain))
                for reserves in [planning.reserves(enfant, jour)]
            ],
        )
        for enfant in enfants
    ]
    return cartes, bientot.echeances(planning, qui_ferment)


def _echeance(echeance, aujourdhui) -> Alerte:
    """« Cantine de jeudi 26 novembre pour Léa : réservez avant demain 12 h », to the week of that day."""
    jours = echeance.jours
    sujet = f"{_service_et_jours(echeance.offre, jours)} pour {enumerer(echeance.enfants)}"
    semaine = reverse("semaine", args=[jours[0].isoformat()])
    return Alerte("horloge", sujet, f"réservez {avant(echeance.limite, aujourdhui)}", semaine)


def _service_et_jours(service, jours) -> str:
    """« Cantine de jeudi 26 novembre », « ALSH du mercredi 25 novembre », « Vacances, du 21 au 31 décembre 2026, »."""
    if len(jours) > 5:
        return f"{service.nom_court}, {periode(jours[0], jours[-1])},"
    quels = jours_en_clair(jours)
    if service.nom_court.lower() not in JOURS:
        return f"{service.nom_court} de {quels}"
    nom, _, mot = service.nom.rpartition(" ")
    return f"{nom} {quels}" if quels.startswith(mot) else f"{service.nom} de {quels}"


def avant(limite: datetime, aujourdhui: date) -> str:
    """« aujourd'hui avant 18 h », « avant demain 12 h », « avant mardi 24 novembre 12 h »."""
    local = timezone.localtime(limite)
    if local.date() == aujourdhui:
        return f"aujourd'hui avant {heure(limite)}"
    if local.date() == aujourdhui + timedelta(days=1):
        return f"avant demain {heure(limite)}"
    return f"avant {jours_en_clair([local.date()])} {heure(limite)}"


# --- What asks for attention -----------------------------------------------------------------------------


def _messages(request):
    """The newest unread threads, and how many more."""
    fils = fils_non_lus(request.adulte).select_related("service").annotate(nombre=Window(Count("pk")))
    fils = list(fils[:MESSAGES])
    request.non_lus = fils[0].nombre if fils else 0
    alertes = [
        Alerte(
            "enveloppe",
            fil.sujet,
            f"message non lu, {fil.service.nom if fil.service else 'la mairie'}, {quand(fil.dernier_le)}",
            reverse("message", args=[fil.uuid]),
        )
        for fil in fils
    ]
    return alertes, request.non_lus - len(fils)


def _papier(enfant, manque) -> Alerte:
    adresse = reverse("demander_enfant", args=[enfant.uuid, manque.type])
    suite = au_milieu(manque.phrase).replace("\u00a0: ", " ")  # « vaccins : à régulariser » comes after a colon
    return Alerte("attention" if manque.urgent else "fiche", enfant.prenom, suite, adresse)


def _demandes_en_attente(adulte):
    """Pending demandes, those that a proof holds up first: some of them when there are many."""
    pieces = PieceJointe.objects.filter(demande=OuterRef("pk"))
    en_attente = Demande.objects.visibles_par(adulte).en_attente().select_related("enfant", "justificatif")
    ordre = [F("justificatif__attendu_avant").asc(nulls_last=True), "-deposee_le", "-pk"]
    return list(en_attente.annotate(a_piece=Exists(pieces)).order_by(*ordre)[: 2 * DEMANDES])


def _preuves(en_attente, maintenant) -> list[Alerte]:
    """« Absences de Léa : envoyez le justificatif avant demain 12 h »."""
    aujourdhui = timezone.localdate(maintenant)
    return [
        Alerte(
            "trombone",
            demande.titre,
            f"envoyez le justificatif {avant(attendu.attendu_avant, aujourdhui)}",
            demande.get_absolute_url(),
        )
        for demande in en_attente
        if (attendu := getattr(demande, "justificatif", None))
        and attendu.recu_le is None
        and not demande.a_piece
        and attendu.attendu_avant > maintenant
    ]


def _autres(nombre, un, plusieurs, adresse):
    if nombre <= 0:
        return None
    return (f"Et 1 autre {un}" if nombre == 1 else f"Et {nombre} autres {plusieurs}", adresse)


def nouvelle(actualite: Actualite) -> Nouvelle:
    """A piece of news as the first page shows it; a long one is read on the page of all the news."""
    long = len(actualite.corps) > CORPS_COURT
    return Nouvelle(
        actualite.titre,
        en_mots(actualite.publie_du),
        "" if long else actualite.html,
        f"{reverse('documents')}#actualite-{actualite.pk}" if long else "",
    )


# --- Small pages -----------------------------------------------------------------------------------------


@login_not_required
def accessibilite(request):
    return render(request, "portail/accessibilite.html")


@login_not_required
def donnees_personnelles(request):
    return render(request, "portail/donnees_personnelles.html")


@login_not_required
@require_safe
@cache_control(public=True, max_age=300)
def theme(request):
    """The colours of the commune and of its services as CSS variables: the policy allows no inline style."""
    variables = "".join(f"--{nom}:{valeur};" for nom, valeur in Commune.actuelle().teintes.items())
    services = "".join(
        f'[data-ligne="{service.code}"]{{--service:{service.couleur}}}\n' for service in offre.actuelle()
    )
    return HttpResponse(f":root{{{variables}}}\n{services}", content_type="text/css; charset=utf-8")


@login_not_required
@require_safe
@cache_control(public=True, max_age=300)
def logo(request):
    """The commune's logo, the only uploaded file that anybody may see."""
    from django.http import FileResponse, Http404

    commune = Commune.actuelle()
    if not commune.logo:
        raise Http404("Pas de logo")
    return FileResponse(commune.logo.open("rb"))


@login_not_required
@require_safe
def etat(request):
    """Liveness for a load balancer: the web worker answers and reaches the database."""
    with connection.cursor() as curseur:
        curseur.execute("SELECT 1")
    return HttpResponse("ok\n", content_type="text/plain")
