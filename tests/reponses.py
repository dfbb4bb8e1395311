"""What every HTML response of the suite must be (qualite.md C3): nothing inline, nothing foreign."""

import re
from html.parser import HTMLParser
from urllib.parse import urlsplit

CSP_ATTENDUE = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
    "object-src": "'none'",
}
ADRESSES = {"src", "href", "action", "formaction", "poster", "data"}


def lien(balise: str, attributs: dict) -> list[str]:
    """Where an element leads a reader, or what it shows him."""
    noms = ("src", "data") if balise == "link" else ("href", "src", "data")
    return [attributs[nom] for nom in noms if attributs.get(nom)]


class _Examen(HTMLParser):
    def __init__(self):
        super().__init__()
        self.fautes, self.dans_script, self.titres, self.liens = [], False, 0, []

    def handle_starttag(self, balise, attributs):
        attributs = dict(attributs)
        self.liens += lien(balise, attributs)
        if balise == "style" or "style" in attributs:
            self.fautes.append(f"style dans la page : <{balise}>")
        if balise == "script" and "src" not in attributs and attributs.get("type") != "application/json":
            self.fautes.append("script dans la page")
        if balise == "h1":
            self.titres += 1
        for nom, valeur in attributs.items():
            if nom.startswith("on"):
                self.fautes.append(f"gestionnaire {nom} sur <{balise}>")
            if nom in ADRESSES and balise != "a" and valeur:
                self._adresse(balise, valeur)

    def _adresse(self, balise, valeur):
        morceaux = urlsplit(valeur)
        if morceaux.netloc or morceaux.scheme not in ("", "data", "mailto", "tel"):
            self.fautes.append(f"adresse étrangère sur <{balise}> : {valeur}")
        if morceaux.scheme == "javascript":
            self.fautes.append(f"adresse active sur <{balise}>")


def liens_de(page: str) -> list[str]:
    """Where a page leads, in its order."""
    examen = _Examen()
    examen.feed(page)
    return examen.liens


def verifier_reponse(reponse):
    """Assert what holds for every response; HTML gets the closer look, and its links are kept in ``reponse.liens``."""
    if not reponse.get("Content-Type", "").startswith("text/html") or reponse.streaming:
        return
    regles = dict(
        regle.strip().split(" ", 1) for regle in reponse["Content-Security-Policy"].split(";") if " " in regle.strip()
    )
    attendues = {nom: regles.get(nom) for nom in CSP_ATTENDUE}
    assert attendues == CSP_ATTENDUE, "politique de sécurité affaiblie"
    assert "unsafe" not in reponse["Content-Security-Policy"]
    assert reponse["X-Content-Type-Options"] == "nosniff"
    assert reponse["X-Frame-Options"] == "DENY"
    examen = _Examen()
    page = reponse.content.decode()
    examen.feed(page)
    assert examen.fautes == [], f"{reponse.request['PATH_INFO']} : {examen.fautes}"
    assert not re.search(r"\{\{|\{%", page), "morceau de gabarit non rendu"
    reponse.liens = examen.liens
