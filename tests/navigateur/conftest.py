"""A real Chromium over the running portal: Debian's, headless, on the loopback."""

import os
import shutil
from pathlib import Path

import pytest

# Playwright's synchronous API runs an event loop in the thread that also talks to the database.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

CHROMIUM = shutil.which("chromium")
TAILLES = {"telephone": {"width": 360, "height": 740}, "bureau": {"width": 1280, "height": 800}}
OPTIONS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_collection_modifyitems(items):
    """Without Chromium the browser tests are skipped, loudly; script/test makes that a failure in CI."""
    ici = Path(__file__).parent
    for item in items:
        if ici in item.path.parents:
            item.add_marker(pytest.mark.navigateur)
            if not CHROMIUM:
                item.add_marker(pytest.mark.skip(reason="CHROMIUM ABSENT : l'essai dans un navigateur n'est pas fait"))


@pytest.fixture(scope="session")
def chromium():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        sans_bac = ["--no-sandbox"] if os.geteuid() == 0 else []
        navigateur = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS + sans_bac)
        yield navigateur
        navigateur.close()


class Visiteur:
    """Somebody at a screen: opens pages by address, logs in, and notes what the browser complains of."""

    def __init__(self, contexte, adresse, mot_de_passe):
        self.page, self.adresse, self.mot_de_passe, self.plaintes = contexte.new_page(), adresse, mot_de_passe, []
        self.page.on("console", self._noter)
        self.page.on("pageerror", lambda erreur: self.plaintes.append(str(erreur)))

    def _noter(self, message):
        # A refused form answers 422: Chromium calls that an error to load, it is none.
        if message.type in ("error", "warning") and "status of 4" not in message.text:
            self.plaintes.append(message.text)

    def ouvrir(self, chemin):
        self.page.goto(self.adresse + chemin)
        return self.page

    def connecter(self, identifiant):
        page = self.ouvrir("/connexion/")
        page.locator("[name=username]").fill(identifiant)
        page.locator("[name=password]").fill(self.mot_de_passe)
        page.get_by_role("button", name="Connexion").click()
        page.wait_for_url(lambda url: "/connexion/" not in url)
        return page

    def deborde(self):
        """Pixels that the page sticks out of the screen, to the right."""
        self.page.wait_for_load_state()  # a click is over as soon as the next page begins to come
        return self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")


@pytest.fixture
def visiteur(chromium, live_server, distribution, mot_de_passe):
    """``visiteur("telephone", javascript=False)``: a browser of its own for each person."""
    contextes = []

    def visiteur(taille, *, javascript=True, theme="light"):
        contexte = chromium.new_context(
            viewport=TAILLES[taille], java_script_enabled=javascript, locale="fr-FR", color_scheme=theme
        )
        contexte.set_default_timeout(10_000)
        contextes.append(contexte)
        return Visiteur(contexte, live_server.url, mot_de_passe)

    yield visiteur
    for contexte in contextes:
        contexte.close()
