"""What the code promises about itself: who imports whom, what is pinned, what no template holds."""

import ast
import base64
import hashlib
import re
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.db import connection
from django.template.loader import get_template

RACINE = settings.BASE_DIR
GABARITS = RACINE / "templates"

# --- Imports (design §3) ---------------------------------------------------------------------------------

# App -> the apps it may import. ``portail`` (urls, pages, site, demo) may import them all.
IMPORTE = {
    "familles": set(),
    "messagerie": {"familles"},
    "enfants": {"messagerie", "familles"},
    "facturation": {"enfants", "messagerie", "familles"},
    "demandes": {"facturation", "enfants", "messagerie", "familles"},
}
FEUILLES = ("portail.outils", "portail.commune")  # what everybody may import; they know no app
PURES = ("portail.outils.argent",)  # leaves that the rules may import
INSTANT_PRESENT = {"now", "today", "localdate", "localtime", "utcnow", "time"}


def imports(arbre: ast.AST) -> set[str]:
    """Full names of the modules that a file imports, at its top or inside a function."""
    noms = set()
    for noeud in ast.walk(arbre):
        if isinstance(noeud, ast.Import):
            noms |= {alias.name for alias in noeud.names}
        elif isinstance(noeud, ast.ImportFrom):
            assert not noeud.level, "imports relatifs : écrivez le nom entier"
            noms |= {f"{noeud.module}.{alias.name}" for alias in noeud.names}
    return noms


def permis(fichier: Path, nom: str) -> bool:
    """True when ``fichier`` (from the root) may import the module or name ``nom``."""
    application, cible = fichier.parts[0], nom.partition(".")[0]
    if cible == "tests":
        return False
    if cible not in {*IMPORTE, "portail"}:
        return True  # a library
    est_feuille = any(f"{nom}.".startswith(f"{feuille}.") for feuille in FEUILLES)
    module = ".".join(fichier.with_suffix("").parts)
    if any(f"{module}.".startswith(f"{feuille}.") for feuille in FEUILLES):
        return est_feuille
    if application == "portail":
        return True
    return est_feuille if cible == "portail" else cible == application or cible in IMPORTE[application]


def modules():
    """``(path from the root, syntax tree)`` of our Python files, migrations and tests aside."""
    for application in [*IMPORTE, "portail"]:
        for chemin in sorted((RACINE / application).rglob("*.py")):
            if "migrations" not in chemin.parts:
                yield chemin.relative_to(RACINE), ast.parse(chemin.read_text())


def test_les_applications_ne_s_importent_que_dans_un_sens():
    lus = list(modules())
    assert len(lus) > 60
    assert [f"{fichier} : {nom}" for fichier, arbre in lus for nom in imports(arbre) if not permis(fichier, nom)] == []


@pytest.mark.parametrize(
    ("fichier", "ligne", "attendu"),
    [
        ("familles/actions.py", "from messagerie.actions import notifier", False),
        ("messagerie/models.py", "import demandes.models", False),
        ("demandes/actions.py", "from messagerie.actions import notifier", True),
        ("demandes/views.py", "from portail.pages.accueil import cartes", False),
        ("demandes/views.py", "from portail import commune", True),
        ("portail/outils/pdf.py", "from familles.models import Famille", False),
        ("portail/outils/pdf.py", "from portail import settings", False),
        ("portail/pages/accueil.py", "from demandes.models import Demande", True),
    ],
)
def test_la_regle_des_imports_sait_dire_non(fichier, ligne, attendu):
    assert [permis(Path(fichier), nom) for nom in imports(ast.parse(ligne))] == [attendu]


def test_une_regle_ne_connait_ni_django_ni_la_base_ni_l_heure():
    regles = [(fichier, arbre) for fichier, arbre in modules() if "regles" in fichier.parts]
    assert regles
    for fichier, arbre in regles:
        importes = {nom for nom in imports(arbre) if nom.partition(".")[0] not in sys.stdlib_module_names}
        assert all(".regles." in f"{nom}." or nom.startswith(PURES) for nom in importes), fichier
        appels = {n.func.attr for n in ast.walk(arbre) if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute)}
        assert appels & INSTANT_PRESENT == set(), f"{fichier} lit l'heure : donnez-la en paramètre"


def test_aucun_formulaire_ne_prend_tous_les_champs():
    """Mass assignment: the fields that a browser may write are named one by one."""
    chaines = [
        f"{fichier}:{noeud.lineno}"
        for fichier, arbre in modules()
        for noeud in ast.walk(arbre)
        if isinstance(noeud, ast.Constant) and noeud.value == "__all__"
    ]
    assert chaines == []


# --- What is pinned --------------------------------------------------------------------------------------

# sha384 of the files of npm's packages: bootstrap 5.3.8 (the hashes its site gives for its CDN), htmx.org 2.0.10.
EMPREINTES = {
    "bootstrap/css/bootstrap.min.css": "sRIl4kxILFvY47J16cr9ZwB07vP4J8+LH7qKQnuqkuIAvNWLzeN8tE5YBujZqJLB",
    "bootstrap/js/bootstrap.bundle.min.js": "FKyoEForCGlyvwx9Hj09JcYn3nv7wiPVlz7YYwJrWVcXK/BmnVDxM+D2scQbITxI",
    "bootstrap/js/bootstrap.min.js": "G/EV+4j2dNv+tEPo3++6LCgdCROaejBqfUeNjuKAiuXbjrxilcCdDz6ZAVfHWe1Y",
    "django_htmx/htmx-2.min.js": "H5SrcfygHmAuTDZphMHqBJLc3FhssKjG7w/CeCpFReSfwBWDTKpkzPP8c+cLsK+V",
}


def trouver(nom):
    """A static file: ours, or of a library that is not installed as an app (yet)."""
    if chemin := finders.find(nom):
        return Path(chemin)
    import django_htmx

    return Path(django_htmx.__file__).parent / "static" / nom


@pytest.mark.parametrize("nom", EMPREINTES)
def test_bootstrap_et_htmx_sont_ceux_de_leurs_auteurs(nom):
    assert base64.b64encode(hashlib.sha384(trouver(nom).read_bytes()).digest()).decode() == EMPREINTES[nom]


def test_aucun_fichier_d_une_bibliotheque_ne_sert_sans_empreinte():
    utilises = {nom for _, nom in statiques() if nom.startswith(("bootstrap/", "django_htmx/"))}
    assert utilises
    assert utilises <= set(EMPREINTES)


def test_le_pilote_est_psycopg2():
    assert connection.Database.__name__ == "psycopg2"


@pytest.mark.django_db
def test_les_migrations_disent_tout_ce_que_disent_les_modeles(capsys):
    call_command("makemigrations", check=True, dry_run=True)
    assert capsys.readouterr().out.strip() == "No changes detected"


# --- Templates -------------------------------------------------------------------------------------------


def gabarits(*suffixes) -> list[Path]:
    trouves = sorted(c for c in GABARITS.rglob("*") if c.suffix in suffixes)
    assert len(trouves) > 10
    return trouves


def statiques() -> list[tuple[str, str]]:
    """``(template, name)`` of each ``{% static %}`` with a literal name."""
    return [
        (str(chemin.relative_to(GABARITS)), nom)
        for chemin in gabarits(".html")
        for nom in re.findall(r"""{%\s*static\s+["']([^"']+)["']""", chemin.read_text())
    ]


def test_chaque_gabarit_se_compile():
    for chemin in gabarits(".html", ".txt"):
        assert get_template(str(chemin.relative_to(GABARITS))).template.nodelist, chemin


def test_chaque_fichier_statique_nomme_existe():
    noms = statiques()
    assert len(noms) > 10
    assert [(gabarit, nom) for gabarit, nom in noms if finders.find(nom) is None] == []


DANS_LA_PAGE = re.compile(
    r"""<style|\sstyle\s*=|<script(?![^>]*\ssrc=)(?![^>]*type="application/json")|<[^>]*\son[a-z]+\s*=|javascript:""",
    re.I,
)


@pytest.mark.parametrize(
    "morceau", ["<style>", '<p style="x">', "<script>", "<script defer>", '<a onclick="x">', '<a href="javascript:x">']
)
def test_un_style_ou_un_script_dans_la_page_se_voit(morceau):
    assert DANS_LA_PAGE.search(morceau)


def test_aucun_gabarit_ne_porte_de_style_ni_de_script():
    fautes = {
        str(chemin.relative_to(GABARITS)): trouve[0]
        for chemin in gabarits(".html")
        if chemin.parent.name != "courriels"  # a mail has no other place for its style
        if (trouve := DANS_LA_PAGE.search(re.sub(r"{%.*?%}|{{.*?}}", "x", chemin.read_text())))
    }
    assert fautes == {}
