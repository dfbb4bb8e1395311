"""The pictures of the notice for parents, taken from a demo that runs: see script/captures."""

import io
import os
import shutil
import sys
from datetime import date, timedelta
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

DOSSIER = Path(__file__).resolve().parents[2] / "docs" / "captures"
ECRAN = {"width": 1040, "height": 760}
LARGEUR, POIDS = 700, 60_000  # pixels and bytes of a picture at most
# Debian's Chromium speaks English alone: it would write 11/23/2026.
DATES_FRANCAISES = """() => {
  for (const champ of document.querySelectorAll("input[type=date]")) {
    const jour = champ.value.split("-").reverse().join("/");
    champ.type = "text";
    champ.value = jour;
  }
}"""
MOT_DE_PASSE = "Portail2026"  # of the demo


def main(adresse: str) -> None:
    with sync_playwright() as playwright:
        options = ["--no-sandbox"] if os.geteuid() == 0 else []
        navigateur = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=options)
        page = navigateur.new_page(viewport=ECRAN, locale="fr-FR")
        page.goto(f"{adresse}/connexion/")
        prendre(page, "connexion", hauteur=640)
        page.fill("[name=username]", "durand")
        page.fill("[name=password]", MOT_DE_PASSE)
        page.get_by_role("button", name="Connexion").click()
        page.wait_for_url(lambda url: "/connexion/" not in url)
        for nom, chemin, hauteur in adresses(page, adresse):
            if page.goto(adresse + chemin).status == 200:
                prendre(page, nom, hauteur=hauteur)
            else:
                print(f"! {nom} : la page {chemin} ne s'ouvre pas, l'image n'est pas refaite")
        navigateur.close()


def adresses(page, adresse):
    """(name, path, height of what is shown) of each picture."""
    page.goto(f"{adresse}/mes-enfants/")
    lea = page.get_by_role("link", name="Léa Durand").get_attribute("href")
    page.goto(f"{adresse}/releve/")
    facture = page.get_by_role("link", name="Restauration scolaire").first.get_attribute("href")
    jour = date.today() + timedelta(days=7)  # noqa: DTZ011, a demo of this day
    enfant = "/mes-enfants/malade/"
    return [
        ("accueil", "/", 1250),
        ("documents", "/documents/", 760),
        ("mon-compte", "/mon-compte/", 820),
        ("mes-enfants", "/mes-enfants/", 760),
        ("planning", lea, 860),
        ("semaine", f"/mes-enfants/semaine/{jour}/", 900),
        ("absence", enfant, 760),
        ("releve", "/releve/", 1080),
        ("facture", facture, 1130),
        ("messagerie", "/messagerie/", 680),
        ("demandes", "/demandes/", 620),
    ]


def prendre(page, nom, *, hauteur):
    """The top of the page, without the ribbon of the demo, small enough for a PDF that is sent by mail."""
    page.wait_for_load_state("networkidle")
    page.evaluate("document.querySelector('.bandeau-demo')?.remove()")
    page.evaluate(DATES_FRANCAISES)
    page.set_viewport_size({**ECRAN, "height": hauteur})
    brute = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    page.set_viewport_size(ECRAN)
    reduite = brute.resize((LARGEUR, round(brute.height * LARGEUR / brute.width)), Image.Resampling.LANCZOS)
    for couleurs in (64, 32, 16, 8):
        sortie = io.BytesIO()
        reduite.quantize(couleurs, dither=Image.Dither.NONE).save(sortie, "PNG", optimize=True)
        if len(sortie.getvalue()) < POIDS:
            break
    DOSSIER.mkdir(exist_ok=True)
    (DOSSIER / f"{nom}.png").write_bytes(sortie.getvalue())
    print(f"→ docs/captures/{nom}.png, {len(sortie.getvalue()) // 1000} ko, {couleurs} couleurs")


if __name__ == "__main__":
    main(sys.argv[1].rstrip("/"))
