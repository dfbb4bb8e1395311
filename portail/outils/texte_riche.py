"""What an agent writes in Markdown, as HTML that cannot do harm: see docs/decisions/013-texte-riche.md."""

import re
from functools import lru_cache

from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

from portail.outils.francais import insecables

ADRESSES = re.compile(r"(https?://|mailto:|tel:)", re.IGNORECASE)
# Nothing is on but these: a rule of a later version of the library does not come in by itself.
REGLES = ["heading", "list", "blockquote", "hr", "emphasis", "link", "autolink", "newline", "escape", "entity"]
RELATION = "noopener nofollow"
PREMIER_TITRE = 4  # the page has its h1, the block its h2, the news its h3


@lru_cache(maxsize=256)
def rendre(texte: str) -> SafeString:
    """Paragraphs, titles, lists, quotes, bold, italic and links; anything else stays the text that was typed.

    A link goes to http, https, mailto or tel; HTML is shown as text; there are no images.
    """
    return mark_safe(_lecteur().render(insecables(texte)))


@lru_cache(maxsize=1)
def _lecteur():
    lecteur = MarkdownIt("zero", {"html": False, "linkify": False, "breaks": True, "maxNesting": 20})
    lecteur.enable([*REGLES, "balance_pairs", "fragments_join", "text_join"])
    lecteur.validateLink = lambda adresse: ADRESSES.match(adresse) is not None
    lecteur.add_render_rule("link_open", _lien)
    lecteur.add_render_rule("heading_open", _titre)
    lecteur.add_render_rule("heading_close", _titre)
    return lecteur


def _lien(rendu, jetons, rang, options, env):
    jetons[rang].attrSet("rel", RELATION)
    return rendu.renderToken(jetons, rang, options, env)


def _titre(rendu, jetons, rang, options, env):
    niveau = min(6, int(jetons[rang].tag[1]) + PREMIER_TITRE - 1)
    jetons[rang].tag = f"h{niveau}"
    return rendu.renderToken(jetons, rang, options, env)
