"""The password rules of the notices, told before and checked as typed."""

import secrets
import unicodedata
from collections.abc import Callable

from django.core.exceptions import ValidationError

LONGUEUR_FAMILLE = 8
LONGUEUR_AGENT = 12

# Other apps add what else must not be in an adult's password (the children's first names).
sources_de_noms: list[Callable[["Utilisateur"], list[str]]] = []  # noqa: F821


def longueur_minimale(utilisateur) -> int:
    """Characters asked of this account: 8 of a parent (the notices), 12 of an agent (normes §6.1)."""
    return LONGUEUR_AGENT if utilisateur is not None and utilisateur.is_staff else LONGUEUR_FAMILLE


def regles(utilisateur) -> list[tuple[str, str]]:
    """``(code, sentence)`` of each rule; the page ticks the first four as one types."""
    return [
        ("longueur", f"{longueur_minimale(utilisateur)} caractères au moins"),
        ("majuscule", "au moins une majuscule"),
        ("minuscule", "au moins une minuscule"),
        ("chiffre", "au moins un chiffre"),
        ("noms", "ni votre identifiant, ni un nom de votre famille"),
        ("courant", "pas un mot de passe courant"),
    ]


class Composition:
    """Length, one capital, one small letter, one digit."""

    def validate(self, password, user=None):
        respectees = {
            "longueur": len(password) >= longueur_minimale(user),
            "majuscule": any(c.isupper() for c in password),
            "minuscule": any(c.islower() for c in password),
            "chiffre": any(c.isdigit() for c in password),
        }
        manques = [phrase for code, phrase in regles(user) if not respectees.get(code, True)]
        if manques:
            raise ValidationError("Il manque à ce mot de passe : " + ", ".join(manques) + ".")

    def get_help_text(self):
        return "8 caractères au moins, avec une majuscule, une minuscule et un chiffre."


class PasLesNoms:
    """Neither the identifiant nor a name of the family, accents and capitals aside."""

    def validate(self, password, user=None):
        if user is None:
            return
        plie = _plier(password)
        sans_chiffres = plie.strip("0123456789!?.*-_")
        for nom in noms_a_eviter(user):
            # A short first name (« Léa ») would be found in many words: it must be all there is.
            if plie == nom or sans_chiffres == nom or (len(nom) >= 4 and nom in plie):
                raise ValidationError("Ce mot de passe contient votre identifiant ou un nom de votre famille.")

    def get_help_text(self):
        return "Ni votre identifiant, ni un nom de votre famille."


def noms_a_eviter(utilisateur) -> set[str]:
    noms = [utilisateur.identifiant, utilisateur.nom, utilisateur.prenom]
    if adulte := utilisateur.adulte:
        for autre in adulte.famille.adultes():
            noms += [autre.utilisateur.nom, autre.utilisateur.prenom]
        noms.append(adulte.famille.nom)
    for source in sources_de_noms:
        noms += source(utilisateur)
    return {_plier(nom) for nom in noms if len(nom) >= 3}


def _plier(texte):
    return "".join(c for c in unicodedata.normalize("NFKD", texte.lower()) if not unicodedata.combining(c))


def tirer_provisoire() -> str:
    """A first password that can be read aloud and typed from paper: « Rovamu-4827-bikeda ».

    About 43 bits: enough for a password that must be replaced, behind the lock-out of ten failures.
    """
    consonnes, voyelles = "bcdfgjkmnprstv", "aeiou"  # no l or h, no I, O: nothing to misread
    syllabes = ["".join((secrets.choice(consonnes), secrets.choice(voyelles))) for _ in range(6)]
    chiffres = "".join(secrets.choice("23456789") for _ in range(4))
    return f"{''.join(syllabes[:3]).capitalize()}-{chiffres}-{''.join(syllabes[3:])}"
