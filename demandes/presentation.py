"""Demandes as the pages print them: prepared here, so that templates only print."""

from collections import namedtuple

from django.urls import reverse
from django.utils import timezone

from demandes.models import Demande, Justificatif
from demandes.types import MES_ENFANTS, MON_COMPTE, types_de
from portail.outils.dates import jour as date_en_clair
from portail.outils.dates import quand

Ligne = namedtuple("Ligne", "url icone libelle resume date_texte etat etat_libelle")
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
