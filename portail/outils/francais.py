"""French that a template cannot know."""

import re
import unicodedata


def de(nom: str) -> str:
    """« d'Inès », « de Léa »: elided before a vowel; an h or a y may be aspirate, and is left alone."""
    initiale = unicodedata.normalize("NFD", nom.casefold())[:1]
    return f"d'{nom}" if initiale in tuple("aeiouœæ") else f"de {nom}"


def au_milieu(nom: str) -> str:
    """« Restauration scolaire » loses its capital within a sentence, « ALSH » and « IBAN » do not."""
    return nom if nom[1:2].isupper() else nom[:1].lower() + nom[1:]


def insecables(texte: str) -> str:
    """« Oui ? », typed with plain spaces, does not leave its sign alone at the start of a line."""
    return re.sub("(?<=«) | (?=[:;?!»%€])", "\u00a0", texte)
