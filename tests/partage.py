"""What is long to build and many tests look at: built once for the module, each test rolls back to it."""

import shutil
from contextlib import contextmanager

import pytest
from django.conf import settings as reglages
from django.core.cache import cache
from django.db import transaction
from django.test import override_settings

from portail import demo
from tests.papiers import sans_processus


def envoi_et_fichiers(dossier) -> dict:
    """Settings of a test: mails stay in memory, files go to ``dossier``."""
    stockage = reglages.STORAGES["default"]
    return {
        "EMAIL_BACKEND": "messagerie.boite_envoi.BoiteDEnvoi",
        "COURRIEL_BACKEND": "django.core.mail.backends.locmem.EmailBackend",
        "STORAGES": {
            **reglages.STORAGES,
            "default": {
                "BACKEND": "django.core.files.storage.FileSystemStorage",
                "OPTIONS": {**stockage["OPTIONS"], "location": str(dossier)},
            },
        },
    }


@contextmanager
def _transaction_annulee():
    bloc = transaction.atomic()
    bloc._from_testcase = True  # as those of TestCase: a durable block may open within
    with bloc:
        yield
        transaction.set_rollback(True)


@contextmanager
def partager(construire, bloqueur, dossier):
    """For a fixture of a module: the cast is there, then what ``construire()`` returns, until the module ends.

    Every test of the module sees these rows, whether it asks for them or not: the others belong in another file.
    No transactional test there, which would empty the tables. ``bloqueur``: the fixture ``django_db_blocker``.
    ``dossier``: where the files of these rows go; see ``copier_les_fichiers``.
    """
    with bloqueur.unblock(), _transaction_annulee():
        with override_settings(**envoi_et_fichiers(dossier)), pytest.MonkeyPatch.context() as monkeypatch:
            sans_processus(monkeypatch)
            cache.clear()
            if demo.est_vide():
                demo.charger()
            construit = construire()
        yield construit


def copier_les_fichiers(dossier, tmp_path):
    """Give a test its own copy of the files: what it writes goes with it, as its rows do."""
    if dossier.exists():
        shutil.copytree(dossier, tmp_path / "fichiers", dirs_exist_ok=True)
