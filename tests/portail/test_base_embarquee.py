"""The launcher of the embedded PostgreSQL, tried on clusters of its own, never on the one of the tests."""

import os
import select
import shutil
import signal
import subprocess
import sys
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg2
import pytest

from portail.outils import base_embarquee
from portail.outils.base_embarquee import BaseIndisponible

UTILISATEUR = f"""
import os, sys
sys.path.insert(0, {str(Path(base_embarquee.__file__).parents[2])!r})
from pathlib import Path
from portail.outils import base_embarquee
base_embarquee.adresse(Path(sys.argv[1]))
print("pret", flush=True)
sys.stdin.read()
"""


@contextmanager
def un_clone(dossier: Path):
    dossier.mkdir(parents=True)
    yield dossier
    base_embarquee.liberer(dossier)
    assert base_embarquee.attendre_arret(dossier)
    effacer(base_embarquee.lieu(dossier))


def effacer(ici):
    if ici.dossier.is_relative_to(base_embarquee.DOSSIER_ROOT):  # pytest removes the rest
        shutil.rmtree(ici.dossier)
    assert not ici.socket.exists()


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    # Longer than a socket's path may be, with what shells and SQL trip on.
    with un_clone(tmp_path_factory.mktemp("clone") / "d'été à l'école" / ("long" * 40)) as dossier:
        base_embarquee.adresse(dossier)
        sql(dossier, "CREATE TABLE repas (jour date)")
        yield dossier


@pytest.fixture(autouse=True)
def en_marche(clone):
    base_embarquee.adresse(clone)


@contextmanager
def autre_utilisateur(clone, programme=UTILISATEUR):
    """Another process that uses the cluster, until it is killed or its input ends."""
    commande = [sys.executable, "-c", programme, str(clone)]
    with subprocess.Popen(commande, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as processus:
        yield processus


def sql(clone, requete):
    base = base_embarquee.adresse(clone)
    connexion = psycopg2.connect(
        dbname=base["NAME"], user=base["USER"], host=base["HOST"], port=base["PORT"], connect_timeout=10
    )
    with closing(connexion), connexion, connexion.cursor() as curseur:
        curseur.execute(requete)
        return curseur.fetchall() if curseur.description else None


def pid_serveur(clone):
    return int((base_embarquee.lieu(clone).donnees / "postmaster.pid").read_text().split()[0])


def pid_gardien(clone):
    etat = Path(f"/proc/{pid_serveur(clone)}/stat").read_text()
    return int(etat.rpartition(")")[2].split()[1])


def test_la_base_connait_les_accents_et_les_extensions(clone):
    for extension in ("btree_gist", "unaccent", "pg_trgm"):
        sql(clone, f"CREATE EXTENSION IF NOT EXISTS {extension}")
    assert sql(clone, "SELECT upper('été'), unaccent('Éloïse'), inet_server_port()") == [
        ("ÉTÉ", "Eloise", None)  # no port: nothing listens beside the socket
    ]


def test_le_serveur_ne_tourne_jamais_en_root(clone):
    assert Path(f"/proc/{pid_serveur(clone)}").stat().st_uid != 0


def test_la_base_vit_tant_que_quelqu_un_s_en_sert(clone):
    with autre_utilisateur(clone) as autre:
        assert autre.stdout.readline() == "pret\n"
        serveur = pid_serveur(clone)
        base_embarquee.liberer(clone)
        assert not base_embarquee.attendre_arret(clone)
        base_embarquee.adresse(clone)
        assert pid_serveur(clone) == serveur


def test_la_base_s_arrete_apres_le_dernier_meme_tue(clone):
    with autre_utilisateur(clone) as autre:
        assert autre.stdout.readline() == "pret\n"
        base_embarquee.liberer(clone)
        autre.kill()
    assert base_embarquee.attendre_arret(clone)
    with pytest.raises(FileNotFoundError):
        pid_serveur(clone)


def test_un_enfant_garde_la_base_apres_la_mort_de_son_parent(clone):
    """The workers of a gunicorn whose master is killed."""
    with autre_utilisateur(clone, UTILISATEUR.replace('"pret"', "os.fork() or ''")) as pere:
        enfant = int("".join(pere.stdout.readline() for _ in range(2)))
        fin_de_l_enfant = os.pidfd_open(enfant)
        base_embarquee.liberer(clone)
        pere.kill()
        pere.wait()
        assert not base_embarquee.attendre_arret(clone)
        os.kill(enfant, signal.SIGKILL)
        assert select.select([fin_de_l_enfant], [], [], 30)[0]
        os.close(fin_de_l_enfant)
    assert base_embarquee.attendre_arret(clone)


def test_deux_premiers_demarrages_a_la_fois_donnent_une_seule_base(tmp_path):
    with (
        un_clone(tmp_path / "neuf") as neuf,
        autre_utilisateur(neuf) as premier,
        autre_utilisateur(neuf) as second,
    ):
        assert [premier.stdout.readline(), second.stdout.readline()] == ["pret\n", "pret\n"]
        assert sql(neuf, "SELECT current_database()") == [("portail",)]
        premier.kill()
        second.kill()


def test_un_clone_refait_au_meme_endroit_repart_de_zero(tmp_path):
    """The demo's keys went with the former clone: its data could not be read."""
    with un_clone(tmp_path / "ici") as ici:
        sql(ici, "CREATE TABLE repas (jour date)")
        base_embarquee.liberer(ici)
        assert base_embarquee.attendre_arret(ici)
        ancien = base_embarquee.lieu(ici)
        shutil.rmtree(ici / "var")
        assert sql(ici, "SELECT to_regclass('repas')") == [(None,)]
        effacer(ancien)


@pytest.mark.parametrize("victime", [pid_serveur, pid_gardien])
def test_apres_un_kill_9_la_base_repart_avec_ses_donnees(clone, victime):
    avant = sql(clone, "INSERT INTO repas VALUES ('2026-11-23'); SELECT count(*) FROM repas")
    os.kill(victime(clone), signal.SIGKILL)
    base_embarquee.liberer(clone)
    assert base_embarquee.attendre_arret(clone)  # the guardian, not always its server
    assert sql(clone, "SELECT count(*) FROM repas") == avant
    base_embarquee.liberer(clone)
    assert base_embarquee.attendre_arret(clone)
    with pytest.raises(FileNotFoundError):
        pid_serveur(clone)


def test_la_trace_d_un_serveur_mort_n_empeche_pas_de_demarrer(clone):
    """Its process number may have gone to another process of the same user: here, to a child of the tests."""
    base_embarquee.liberer(clone)
    assert base_embarquee.attendre_arret(clone)
    with subprocess.Popen(["sleep", "60"], **base_embarquee._serveur()) as quidam:
        trace = base_embarquee.lieu(clone).donnees / "postmaster.pid"
        trace.write_text(f"{quidam.pid}\n{trace.parent}\n1\n5432\n\n\n0 0\nready\n")
        base_embarquee._donner_au_serveur(trace)
        assert sql(clone, "SELECT 1") == [(1,)]
        assert quidam.poll() is None
        quidam.kill()


def test_un_dossier_de_socket_fait_par_un_autre_est_refuse(tmp_path):
    socket = base_embarquee.lieu(tmp_path).socket
    socket.symlink_to(tmp_path)
    try:
        with pytest.raises(BaseIndisponible, match="créé par quelqu'un d'autre"):
            base_embarquee.adresse(tmp_path)
    finally:
        socket.unlink()
        if os.geteuid() == 0:
            shutil.rmtree(base_embarquee.lieu(tmp_path).dossier)


def test_un_demarrage_impossible_dit_pourquoi(clone):
    base_embarquee.liberer(clone)
    assert base_embarquee.attendre_arret(clone)
    version = base_embarquee.lieu(clone).donnees / "PG_VERSION"
    vraie = version.read_text()
    version.write_text("9.6\n")
    try:
        with pytest.raises(BaseIndisponible, match=r"FATAL: .* by PostgreSQL version 9\.6"):
            base_embarquee.adresse(clone)
    finally:
        version.write_text(vraie)


def test_pg_bindir_sans_postgres_est_signale(clone, monkeypatch, tmp_path):
    base_embarquee.liberer(clone)
    assert base_embarquee.attendre_arret(clone)
    monkeypatch.setenv("PG_BINDIR", str(tmp_path))
    with pytest.raises(BaseIndisponible, match="PG_BINDIR"):
        base_embarquee.adresse(clone)
