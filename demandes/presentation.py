"""Demandes as the pages print them: prepared here, so that templates only print."""

from collections import namedtuple

from django.urls import reverse

from demandes.models import Demande
from demandes.types import types_de
from portail.outils.dates import quand

Ligne = namedtuple("Ligne", "url icone libelle resume date_texte etat etat_libelle")
Etape = namedtuple("Etape", "libelle detail fait courant")
Icone = namedtuple("Icone", "libelle url icone actif")


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
    """The icons at the left of a tab: what can be asked about this child, or without one; then what can be read."""
    genres = [genre for genre in types_de(rubrique) if genre.par_enfant == (enfant is not None)]
    icones = [Icone(genre.libelle_icone, genre.url(enfant), genre.icone, genre.code == actif) for genre in genres]
    if enfant is not None:
        lire = [
            ("Fiche d'inscription", "fiche_inscription", "imprimer"),
            ("Qui a consulté", "consultations", "oeil"),
        ]
        icones += [Icone(mot, reverse(nom, args=[enfant.uuid]), icone, nom == actif) for mot, nom, icone in lire]
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
