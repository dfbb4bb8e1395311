# shellcheck shell=bash disable=SC2034
# Set-up shared by script/server and script/test: Debian packages, venv, embedded database. To be sourced.
# Ends, at exit, every process that it started; kill -9 of the script ends them too (setpriv --pdeathsig).

set -euo pipefail
# Started with & by another script, we would be deaf to SIGINT, which bash then lets nobody change.
if [[ $(trap -p INT) ]]; then exec env --default-signal=INT "$BASH" "$0" "$@"; fi
unset CDPATH PYTHONHOME PYTHONPATH

# The one list of Debian packages.
PAQUETS_PYTHON=(python3 python3-venv ca-certificates)
PAQUETS_PDF=(libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core)
PAQUETS_NAVIGATEUR=(chromium)

cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
PYTHON=$PWD/.venv/bin/python
JOURNAUX=$PWD/var/journaux
mkdir -p -m 700 "$JOURNAUX" 2>/dev/null || { echo "✗ Je ne peux pas écrire dans « $PWD »." >&2; exit 1; }

declare -A EN_COURS=()  # process number -> name of what we started and must end
BASE=                   # process that keeps the embedded database up: the last to be ended
INSTALLATION=           # an apt-get under way, which must not be cut short

dire() { printf '→ %s\n' "$*"; }
alerter() { printf '! %s\n' "$*" >&2; }
echouer() { printf '✗ %s\n' "$*" >&2; exit 1; }
# A dead process that bash has not reaped yet does not count: within a trap it may not.
vivant() { local etat && { read -r etat <"/proc/$1/stat"; } 2>/dev/null && [[ $etat == *') '[!Z]* ]]; }
dormir() { read -rt "$1" -u "$SILENCE" || true; }  # without a process
exec {SILENCE}<> <(:)

avec_nous=()
if command -v setpriv >/dev/null; then avec_nous=(setpriv --pdeathsig TERM --); fi

# Run a command in the background and end it with the script: lancer NAME COMMAND…
lancer() {
    local nom=$1
    shift
    "${avec_nous[@]}" "$@" &
    EN_COURS[$!]=$nom
}

# Run a command like any other, but so that a signal ends it at once.
executer() {
    lancer "$1" "$@"
    local statut=0
    wait $! || statut=$?
    unset "EN_COURS[$!]"
    return $statut
}

# Show a dot each second while a process runs, then whether it ended well: patienter PID TITLE LOG
patienter() {
    local pid=$1 journal=$3 debut=$SECONDS statut=0
    printf '→ %s ' "$2"
    while vivant "$pid"; do
        dormir 0.2
        if ((SECONDS > debut)); then printf '.' && debut=$SECONDS; fi
    done
    wait "$pid" || statut=$?
    if ((statut)); then
        printf ' échec\n'
        tail -n 25 "$journal" >&2
    else
        printf ' fait\n'
    fi
    return $statut
}

# A long step whose output only matters when it fails: etape TITLE COMMAND…
etape() {
    local titre=$1 statut=0
    shift
    lancer "$titre" "$@" >"$JOURNAUX/installation.log" 2>&1
    local pid=$!
    patienter "$pid" "$titre" "$JOURNAUX/installation.log" || statut=$?
    unset "EN_COURS[$pid]"
    return $statut
}

terminer() {
    local pid essai
    for pid; do kill -TERM "$pid" 2>/dev/null || true; done
    for pid; do
        for ((essai = 0; essai < 100; essai++)); do
            vivant "$pid" || continue 2
            dormir 0.1
        done
        kill -KILL "$pid" 2>/dev/null || true
    done
}

nettoyer() {
    local statut=$?
    trap '' INT TERM HUP
    trap - EXIT
    terminer "${!EN_COURS[@]}"
    if [[ $BASE ]]; then terminer "$BASE"; fi
    if [[ $INSTALLATION ]]; then wait "$INSTALLATION" || true; fi
    exit $statut
}
trap nettoyer EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

# Print those of the given Debian packages that are not installed; none on another system.
manquants() {
    command -v dpkg-query >/dev/null || return 0
    local presents paquet
    presents=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null || true)
    for paquet; do
        if [[ $'\n'$presents$'\n' != *$'\n'"installed $paquet"$'\n'* ]]; then echo "$paquet"; fi
    done
}

ligne_apt() { echo "apt-get update && apt-get install --no-install-recommends $*"; }

# Install Debian packages as root; fails when that cannot be: installer TITLE PACKAGE…
installer() {
    local titre=$1
    shift
    ((EUID == 0)) && command -v apt-get >/dev/null || return 1
    {
        export DEBIAN_FRONTEND=noninteractive
        # In a session of its own: Ctrl-C would leave packages half configured.
        setsid apt-get -q update &&
            setsid apt-get -q -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "$@"
    } >"$JOURNAUX/installation.log" 2>&1 &
    INSTALLATION=$!
    local statut=0
    patienter "$INSTALLATION" "$titre" "$JOURNAUX/installation.log" || statut=$?
    INSTALLATION=
    return $statut
}

python_convient() { python3 -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

preparer_python() {
    python_convient && return
    if installer "Paquets Debian pour Python" "${PAQUETS_PYTHON[@]}" && python_convient; then return; fi
    if command -v python3 >/dev/null && ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
        echouer "Il faut Python 3.11 au moins ; ici : $(python3 --version)."
    fi
    echouer "Il manque Python et de quoi faire un environnement. En root : $(ligne_apt "${PAQUETS_PYTHON[@]}")"
}

# The libraries that draw PDFs: the portal runs without them, its PDFs do not.
preparer_pdf() {
    local manque
    mapfile -t manque < <(manquants "${PAQUETS_PDF[@]}")
    ((${#manque[@]})) || return 0
    installer "Paquets Debian pour les PDF" "${manque[@]}" ||
        alerter "Pas de PDF : il manque des bibliothèques. En root : $(ligne_apt "${manque[@]}")"
}

# What the packages of a lock file, and the Python they are installed for, look like.
empreinte() { sha256sum <"$1" && readlink -f "$PYTHON"; }

# Two scripts of the same clone prepare it one after the other.
mon_tour() {
    exec {TOUR}>var/preparation.verrou
    flock -n "$TOUR" || { dire "J'attends la fin d'une autre préparation de ce dossier" && flock "$TOUR"; }
}
tour_suivant() { flock -u "$TOUR"; }  # closing would not do: our children hold the file too

# Make or update .venv, only when the lock file or Python changed: preparer_venv LOCK_FILE
preparer_venv() {
    local verrou=$1 marque=.venv/installe-$1
    if [[ -e $marque && $(<"$marque") == "$(empreinte "$verrou")" ]]; then return; fi
    preparer_python
    if ! { [[ $(readlink -f "$PYTHON") == "$(readlink -f "$(python3 -c 'import sys; print(sys.executable)')")" ]] &&
        "$PYTHON" -m pip --version >/dev/null 2>&1; }; then
        etape "Environnement Python (.venv)" python3 -m venv --clear .venv ||
            echouer "L'environnement Python n'a pas pu être créé."
    fi
    etape "Bibliothèques Python ($verrou)" \
        "$PYTHON" -m pip install --disable-pip-version-check --no-input --require-hashes -r "$verrou" ||
        echouer "Les bibliothèques Python n'ont pas pu être installées."
    empreinte "$verrou" >"$marque"
    # The development lock holds all of the other one, in the same versions.
    if [[ $verrou == requirements-dev.txt ]]; then empreinte requirements.txt >.venv/installe-requirements.txt; fi
}

# Keep the embedded database up until the end of the script, unless another database was given.
preparer_base() {
    [[ -z ${DATABASE_URL:-} && ${PORTAIL_MODE:-demo} == demo ]] || return 0
    local reponse
    coproc TENUE { exec "${avec_nous[@]}" "$PYTHON" -P portail/outils/base_embarquee.py tenir "$PWD"; }
    # shellcheck disable=SC2153
    BASE=$TENUE_PID
    dire "Base de données embarquée"
    read -ru "${TENUE[0]}" reponse || exit 1  # the reason is on the screen already
}
