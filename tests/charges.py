"""What was ever typed into a field to make a page act: each one must stay text. See tests/test_injections.py.

All call ``xq``, the name that the tests look for.
"""

from html.parser import HTMLParser

CHARGES_XSS = [
    "<script>xq(1)</script>",
    "</script><script>xq(2)</script>",
    "<ScRiPt>xq(3)</sCrIpT>",
    "<scr<script>ipt>xq(4)</scr</script>ipt>",
    "<script/src=//x.example/xq5></script>",
    "<script\x0b>xq(6)</script>",
    "<img src=x onerror=xq(7)>",
    '"><img src=x onerror=xq(8)>',
    "'><img src=x onerror=xq(9)>",
    "<img/src/onerror=xq(10)>",
    "<svg onload=xq(11)>",
    "<svg><script>xq(12)</script></svg>",
    "<svg/onload=xq(13)//",
    "<body onload=xq(14)>",
    "<iframe src=javascript:xq(15)>",
    "<iframe srcdoc='<script>xq(16)</script>'>",
    "<a href=javascript:xq(17)>x</a>",
    "javascript:xq(18)",
    "JaVaScRiPt:xq(19)",
    "java\tscript:xq(20)",
    "data:text/html,<script>xq(21)</script>",
    "vbscript:xq(22)",
    '" onmouseover=xq(23) x="',
    "' onfocus=xq(24) autofocus='",
    "x onclick=xq(25)",
    '" autofocus onfocus=xq(26) "',
    '" style="background:url(javascript:xq(27))',
    "<style>@import'javascript:xq(28)'</style>",
    "<link rel=stylesheet href=//x.example/xq29>",
    "<meta http-equiv=refresh content='0;url=javascript:xq(30)'>",
    "<base href=//x.example/xq31/>",
    "<form action=javascript:xq(32)><button>x</form>",
    "<object data=javascript:xq(33)>",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=xq(34)>",
    "</textarea><script>xq(35)</script>",
    "</title><script>xq(36)</script>",
    "<!--><script>xq(37)</script>-->",
    "<![CDATA[<script>xq(38)</script>]]>",
    "{{ 39|add:'xq' }}{% debug %}{{constructor.constructor('xq(39)')()}}",
    "&lt;script&gt;xq(40)&lt;/script&gt;",
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
