"""Encryption at rest of IBANs, tax numbers, health texts and requests: fields over MultiFernet.

The keys are ``settings.CLES_CHIFFREMENT``: the first encrypts, all decrypt. A value read and saved unchanged
keeps its ciphertext, so a save rewrites nothing and the history triggers stay silent.
"""

import json
from functools import cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models


class DonneeIllisible(Exception):
    """A ciphertext that none of the configured keys opens."""


@cache
def _trousseau(cles: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(cle) for cle in cles])


def chiffrer_octets(octets: bytes) -> bytes:
    """Ciphertext of ``octets`` under the first key."""
    return _trousseau(tuple(settings.CLES_CHIFFREMENT)).encrypt(octets)


def dechiffrer_octets(chiffre: bytes) -> bytes:
    """Bytes behind ``chiffre``; DonneeIllisible when no key fits."""
    try:
        return _trousseau(tuple(settings.CLES_CHIFFREMENT)).decrypt(chiffre)
    except InvalidToken as erreur:
        raise DonneeIllisible("Aucune clé de CLES_CHIFFREMENT n'ouvre cette donnée.") from erreur


def chiffrer(texte: str) -> str:
    """Ciphertext of ``texte`` under the first key."""
    return chiffrer_octets(texte.encode()).decode()


def dechiffrer(chiffre: str) -> str:
    """Plain text behind ``chiffre``; DonneeIllisible when no key fits."""
    return dechiffrer_octets(chiffre.encode()).decode()


class _TexteLu(str):
    """Plain text as read from the database, with the ciphertext it came from."""

    __slots__ = ("chiffre",)


class _ValeursLues(dict):
    """JSON object as read from the database, with its plain text and its ciphertext."""

    __slots__ = ("chiffre", "clair")


class TexteChiffre(models.TextField):
    """Text stored encrypted; the empty text stays empty, so that « absent » needs no key."""

    def from_db_value(self, valeur, expression, connection):
        if not valeur:
            return valeur
        lu = _TexteLu(dechiffrer(valeur))
        lu.chiffre = valeur
        return lu

    def get_prep_value(self, valeur):
        valeur = super().get_prep_value(valeur)
        if not valeur:
            return valeur
        return valeur.chiffre if isinstance(valeur, _TexteLu) else chiffrer(valeur)

    def get_lookup(self, nom):
        """Only emptiness can be asked of the database: the same text has many ciphertexts."""
        return super().get_lookup(nom) if nom == "isnull" else None


class ValeursChiffrees(models.TextField):
    """JSON object stored encrypted (what a family asks for holds IBANs and health)."""

    def from_db_value(self, valeur, expression, connection):
        if not valeur:
            return {}
        lues = _ValeursLues(json.loads(dechiffrer(valeur)))
        lues.chiffre, lues.clair = valeur, _json(lues)
        return lues

    def to_python(self, valeur):
        return valeur if isinstance(valeur, dict) else json.loads(valeur or "{}")

    def get_prep_value(self, valeur):
        if not valeur:
            return ""
        clair = _json(valeur)
        if isinstance(valeur, _ValeursLues) and valeur.clair == clair:
            return valeur.chiffre
        return chiffrer(clair)

    def value_to_string(self, obj):
        return _json(self.value_from_object(obj))

    def get_lookup(self, nom):
        return super().get_lookup(nom) if nom == "isnull" else None


def _json(valeurs: dict) -> str:
    return json.dumps(valeurs, cls=DjangoJSONEncoder, sort_keys=True, ensure_ascii=False)
