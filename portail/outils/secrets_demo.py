"""Secrets of a demonstration: drawn once for each clone and kept in ``var/``, never shared, never committed."""

import json
import os
import secrets
from base64 import urlsafe_b64decode
from binascii import Error
from pathlib import Path
from typing import NamedTuple

from cryptography.fernet import Fernet


class Secrets(NamedTuple):
    cle_secrete: str
    cles_chiffrement: list[str]


VIDES = Secrets("", [])
FICHIER = "secrets-demo.json"


def lire(dossier: Path) -> Secrets:
    """The secrets of this clone's demonstration, ``VIDES`` where it never ran."""
    try:
        return Secrets(**json.loads((dossier / FICHIER).read_text()))
    except FileNotFoundError:
        return VIDES


def creer(dossier: Path) -> Secrets:
    """Read the secrets, drawing them at the first call; two first calls at once agree on one file."""
    connus = lire(dossier)
    if connus != VIDES:
        return connus
    dossier.mkdir(parents=True, exist_ok=True)
    nouveaux = Secrets("demo-" + secrets.token_urlsafe(50), [Fernet.generate_key().decode()])
    brouillon = dossier / f"{FICHIER}.{os.getpid()}"
    brouillon.touch(mode=0o600)
    brouillon.write_text(json.dumps(nouveaux._asdict()))
    try:
        os.link(brouillon, dossier / FICHIER)  # fails where another process was first: its secrets hold
    except FileExistsError:
        pass
    finally:
        brouillon.unlink()
    return lire(dossier)


def est_cle_fernet(cle: str) -> bool:
    try:
        return len(urlsafe_b64decode(cle)) == 32
    except (Error, ValueError):
        return False
