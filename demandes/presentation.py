"""Demandes as the pages print them: prepared here, so that templates only print."""

from collections import namedtuple
from datetime import date
from textwrap import shorten

from django.db.models import Count
from django.urls import reverse
from django.utils import timezone

from demandes.models import Demande, Justificatif
from demandes.types import MES_ENFANTS, MON_COMPTE, types_de
from messagerie.models import ServiceMairie
from portail.outils.dates import JOURS, quand
from portail.outils.dates import jour as date_en_clair
from portail.outils.francais import au_milieu

MOTIF_MAX = 200  # characters of a reason on the list; its page has it whole
Ligne = namedtuple("Ligne", "url icone libelle resume date_texte etat etat_libelle motif", defaults=[""])
Etape = namedtuple("Etape", "libelle detail fait courant")
Icone = namedtuple("Icone", "libelle url icone actif")
JourImprime = namedtuple("JourImprime", "prenom service jour geste etat etat_libelle")


def lignes(demandes) -> list[Ligne]:
    """A row for each demande, the newest first."""
    return [
        Ligne(
            demande.get_absolute_url(),
            demande.genre.icone,
            demande.titre,
            demande.resume,
            f"Déposée {quand(demande.deposee_le)}",
            demande.etat,
            demande.get_etat_display(),
        )
        for demande in demandes
    ]


def lignes_suivies(demandes) -> list[Ligne]:
    """The same with the whole trail of each, and why it was refused: for the list of demandes.

    :param demandes: joined to their ``traitee_par``.
    """
    aujourdhui, services = timezone.localdate(), {}
    suivies = []
    for demande, ligne in zip(demandes, lignes(demandes), strict=True):
        code = demande.genre.service
        if code not in services:
            services[code] = par_qui(code)
        motif = shorten(demande.motif, MOTIF_MAX, placeholder="…") if demande.etat == Demande.Etat.REFUSEE else ""
        trace = trajet(demande, services[code], aujourdhui)
        suivies.append(ligne._replace(date_texte=trace, motif=motif))
    return suivies


def par_qui(code: str) -> str:
    """« par le service Enfance Jeunesse »."""
    service = ServiceMairie.de(code)
    if service is None:
        return "par la mairie"
    return f"par le {au_milieu(service.nom)}" if service.nom.startswith("Service ") else f"par\u00a0: {service.nom}"


def trajet(demande: Demande, par: str, aujourdhui: date) -> str:
    """« Déposée lundi 16 novembre, lue mardi, acceptée mercredi 18 novembre par le service Enfance Jeunesse ».

    :param par: who decides this kind of demande, see ``par_qui``.
    """
    debut = f"Déposée {_en_bref(timezone.localdate(demande.deposee_le), aujourdhui)}"
    if demande.est_automatique and demande.etat == Demande.Etat.ACCEPTEE:
        return f"{debut}, acceptée d'elle-même"
    suite = [("modifiée", demande.modifiee_le, ""), ("lue", demande.lue_le, "")]
    if not demande.est_en_attente:
        suite.append((demande.get_etat_display().lower(), demande.traitee_le, _par(demande, par)))
    suite = [(mot, timezone.localdate(instant), qui) for mot, instant, qui in suite if instant]
    morceaux, avant = [debut], timezone.localdate(demande.deposee_le)
    for rang, (mot, le, qui) in enumerate(suite, 1):
        morceaux.append(f"{mot} {_ensuite(le, avant, aujourdhui, derniere=rang == len(suite))} {qui}".strip())
        avant = le
    if demande.est_en_attente:
        morceaux.append("en attente de réponse" if demande.lue_le else "pas encore lue")
    return ", ".join(morceaux)


def _par(demande, par):
    if demande.etat == Demande.Etat.RETIREE:
        return f"par {demande.traitee_par}"
    return "par le portail, sans justificatif" if demande.est_automatique else par


def _en_bref(le, aujourdhui):
    """« lundi 16 novembre », with the year when it is another."""
    texte = date_en_clair(le)
    return texte.removesuffix(f" {le.year}") if le.year == aujourdhui.year else texte


def _ensuite(le, avant, aujourdhui, *, derniere):
    """« le même jour » as the step before, « mardi » between two days that are said whole."""
    if le == avant:
        return "le même jour"
    if not derniere and (le - avant).days < 7:
        return JOURS[le.weekday()]
    return _en_bref(le, aujourdhui)


def ecrire_a_propos(demande: Demande) -> str:
    """Address where the family writes about it; what is written joins its thread."""
    return f"{reverse('messagerie')}nouveau/?demande={demande.uuid}"


def echanges(demande: Demande, fils) -> list:
    """The threads about it among ``fils``, each with ``nombre`` of messages, the oldest first."""
    return list(fils.filter(contexte=demande.objet_du_fil.cle).annotate(nombre=Count("messages")).order_by("pk"))


def rail(rubrique: str, enfant=None, actif: str = "") -> list[Icone]:
    """The icons at the left of a tab: what can be asked about this child, or without one; then what can be read.

    « Mes enfants » also leads to the five requests of the family, as the notice has it.
    """
    genres = [
        genre for genre in types_de(rubrique) if genre.par_enfant == (enfant is not None) and not genre.au_planning
    ]
    icones = [Icone(genre.libelle_icone, genre.url(enfant), genre.icone, genre.code == actif) for genre in genres]
    if rubrique == MON_COMPTE:
        icones.append(Icone("Mes courriels", reverse("mes_courriels"), "enveloppe", actif == "courriels"))
    if enfant is None and rubrique == MES_ENFANTS:
        aller = [
            ("Semaine de tous", "semaine_courante", "semaine", "calendrier"),
            ("Mon enfant est malade", "malade", "malade", "sante"),
            ("Répéter des jours", "repeter", "repeter", "repeter"),
        ]
        famille = [Icone(genre.libelle_icone, genre.url(), genre.icone, False) for genre in types_de(MON_COMPTE)]
        planning = [Icone(mot, reverse(nom), icone, cle == actif) for mot, nom, cle, icone in aller]
        return planning + icones + famille
    if enfant is not None:
        planning = [
            Icone("Planning", reverse("enfant", args=[enfant.uuid]), "calendrier", actif == "planning"),
            Icone("Mon enfant est malade", f"{reverse('malade')}?enfant={enfant.pk}", "sante", False),
            Icone("Dossier", reverse("dossier_enfant", args=[enfant.uuid]), "fiche", actif == "dossier"),
        ]
        lire = [
            ("Fiche d'inscription", "fiche_inscription", "imprimer"),
            ("Qui a consulté", "consultations", "oeil"),
        ]
        lus = [Icone(mot, reverse(nom, args=[enfant.uuid]), icone, nom == actif) for mot, nom, icone in lire]
        icones = planning + icones + lus
    return icones


def etapes(demande: Demande, *, pour_agent: bool = False) -> list[Etape]:
    """déposée → lue → décidée, with when and by whom; agents alone read which colleague."""
    deposee = quand(demande.modifiee_le or demande.deposee_le)
    depot = f"{deposee} par {demande.deposee_par}"
    lue = quand(demande.lue_le) if demande.lue_le else ""
    attente = "En attente de votre réponse" if pour_agent else "La réponse arrivera dans votre boîte de réception"
    par_lue, par_traitee = (
        f" par {qui}" if pour_agent and qui else "" for qui in (demande.lue_par, demande.traitee_par)
    )
    decidee = not demande.est_en_attente
    if demande.est_automatique and demande.etat == Demande.Etat.ACCEPTEE:
        return [
            Etape("Déposée", depot, True, False),
            Etape("Acceptée", "d'elle-même\u00a0: le délai le permettait", True, True),
        ]
    if demande.etat == Demande.Etat.RETIREE:
        return [
            Etape("Déposée", depot, True, False),
            Etape("Retirée", f"{quand(demande.traitee_le)} par {demande.traitee_par}", True, True),
        ]
    return [
        Etape("Modifiée" if demande.modifiee_le else "Déposée", depot, True, not demande.lue_le),
        Etape(
            "Lue",
            lue + par_lue if lue else "La mairie ne l'a pas encore ouverte",
            bool(demande.lue_le),
            bool(lue) and not decidee,
        ),
        Etape(
            demande.get_etat_display() if decidee else "Décidée",
            quand(demande.traitee_le) + par_traitee if decidee else attente,
            decidee,
            decidee,
        ),
    ]


def fiche(genre, famille, enfant=None, *, complete=True) -> list[tuple[str, str]]:
    """``(label, text)`` of all that the file holds of a kind, in the order and words of its form.

    :param complete: False to sum up long tables.
    """
    propre = genre.fiche(famille, enfant)
    if propre is not None:
        return propre
    actuelles, lignes = genre.actuelles(famille, enfant), []
    for nom, libelle in genre.libelles().items():
        valeur = actuelles[nom]
        resume = None if complete else genre.resumer(nom, valeur)
        eclatees = genre.eclater(nom, valeur) if resume is None else None
        if eclatees:
            lignes += eclatees.values()
        else:
            vide = valeur in ("", [], {})
            lignes.append((libelle, resume or ("" if vide else genre.afficher(nom, valeur))))
    return lignes


def jours(demande: Demande) -> list[JourImprime]:
    """The days of a planning demande, each with what became of it; none for another kind."""
    if not demande.genre.au_planning:
        return []
    return [
        JourImprime(
            jour.enfant.prenom,
            jour.service.nom + (f", {jour.formule.nom.lower()}" if jour.formule_id else ""),
            date_en_clair(jour.jour),
            jour.get_geste_display() + (", après le délai" if jour.tardif else ""),
            jour.etat,
            jour.get_etat_display(),
        )
        for jour in demande.jours.select_related("enfant", "service", "formule")
    ]


def justificatif(demande: Demande) -> dict | None:
    """Until when the proof of an absence is awaited, and whether it came; None where none is."""
    if not demande.genre.au_planning:
        return None
    attendu = Justificatif.objects.filter(demande=demande).select_related("recu_par").first()
    if attendu is None:
        return None
    return {
        "avant": quand(attendu.attendu_avant),
        "recu": quand(attendu.recu_le) if attendu.recu_le else "",
        "recu_par": attendu.recu_par,
        "en_retard": attendu.attendu_avant < timezone.now(),
    }
