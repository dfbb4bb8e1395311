"""Mails written from a pair of templates; they go to the outbox and leave with the worker."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from email.utils import parseaddr, quote

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.template.loader import render_to_string

from portail.commune import Commune
from portail.outils.liens import absolu

CHOISIR = "Choisir les courriels que vous recevez\u00a0: "
NOM_MAX = 80  # characters of the sender's name
ADRESSE = re.compile(r"(https?://\S+)$")


@dataclass(frozen=True)
class Ligne:
    """A line of a mail as its HTML prints it.

    :param adresse: the portal's address that ends it, "" without.
    :param bouton: the address is what the mail is for, and stands out.
    """

    mots: str
    adresse: str = ""
    bouton: bool = False


def envoyer_modele(nom: str, destinataire: str, *, reveiller: bool = True, desabonnement: str = "", **contexte) -> None:
    """File the mail ``courriels/<nom>_{objet,corps}.txt`` in the outbox, in the current transaction.

    :param reveiller: False to leave it to the next round of the clock, without waking the worker for it.
    :param desabonnement: absolute address that a mail program may post to, for its reader to stop these mails.
    """
    envoyer_a_tous(nom, [(destinataire, desabonnement)], reveiller=reveiller, **contexte)


def envoyer_a_tous(nom: str, destinataires: Iterable[tuple[str, str]], *, reveiller: bool = True, **contexte) -> None:
    """The same text to each, a mail each, in as many queries for one as for a thousand.

    :param destinataires: e-mail address, and address of unsubscription or "".
    """
    deposer(composer(nom, destinataires, **contexte), reveiller=reveiller)


def deposer(courriels: list[EmailMultiAlternatives], *, reveiller: bool = True) -> None:
    """File these mails in the outbox, all at once."""
    get_connection(reveiller=reveiller).send_messages(courriels)


def composer(nom: str, destinataires: Iterable[tuple[str, str]], **contexte) -> list[EmailMultiAlternatives]:
    """The mails of a pair of templates, text and HTML, one for each of ``destinataires``; nothing is filed yet."""
    commune = Commune.actuelle()
    contexte |= {"commune": commune, "portail": absolu("/")}
    objet = _sur_une_ligne(render_to_string(f"courriels/{nom}_objet.txt", contexte))
    corps = render_to_string(f"courriels/{nom}_corps.txt", contexte).strip() + "\n"
    # Those that can be stopped say where; those of security have no such line.
    textes = {False: corps, True: f"{corps}\n{CHOISIR}{absolu('/mon-compte/courriels/')}\n"}
    htmls = {arretable: habiller(objet, texte, commune) for arretable, texte in textes.items()}
    courriels = []
    for adresse, desabonnement in destinataires:
        arretable = bool(desabonnement)
        courriel = EmailMultiAlternatives(
            objet,
            textes[arretable],
            expediteur(commune),
            [adresse],
            reply_to=[commune.courriel] if commune.courriel else None,
            headers={"List-Unsubscribe": f"<{desabonnement}>"} if arretable else None,
        )
        courriel.attach_alternative(htmls[arretable], "text/html")
        courriels.append(courriel)
    return courriels


def expediteur(commune: Commune) -> str:
    """« Saint-Martin-d'Auxigny – Portail famille <portail@…> », whatever characters the commune's name holds."""
    nom = _sur_une_ligne(f"{commune.nom} – {commune.nom_portail}")[:NOM_MAX]
    return f'"{quote(nom)}" <{parseaddr(settings.DEFAULT_FROM_EMAIL)[1]}>'


def _sur_une_ligne(texte):
    """For a header: no line break, nor what mail programs would decode as one (« =?utf-8?q?=0A?= »)."""
    lisible = "".join(c if c.isprintable() else " " for c in texte)
    return " ".join(lisible.split()).replace("=?", "= ?")


# --- The same in HTML ------------------------------------------------------------------------------------


def habiller(objet: str, texte: str, commune: Commune) -> str:
    """The same text as a small page: paragraphs, the portal's addresses as links. Whatever it holds stays text."""
    *paragraphes, dernier = decouper(texte)
    arret = dernier if dernier[0].mots == CHOISIR.strip() else None
    contexte = {
        "objet": objet,
        "commune": commune,
        "couleurs": couleurs(commune),
        "paragraphes": paragraphes if arret else [*paragraphes, dernier],
        "arret": arret[0] if arret else None,
    }
    return render_to_string("courriels/_habillage.html", contexte)


def couleurs(commune: Commune) -> dict[str, str]:
    """The commune's colour, and the one of it that reads on the dark; its default, where it is no colour."""
    if not re.fullmatch("#[0-9a-fA-F]{6}", commune.couleur):
        commune = Commune()
    return {"claire": commune.couleur, "sombre": commune.teintes["commune-sombre"]}


def decouper(texte: str) -> list[list[Ligne]]:
    """Paragraphs, each of lines; only addresses of the portal itself become links."""
    paragraphes = [[]]
    for brute in texte.strip().splitlines():
        if not brute.strip():
            paragraphes.append([])
        else:
            paragraphes[-1].append(_ligne(brute.strip()))
    return [paragraphe for paragraphe in paragraphes if paragraphe]


def _ligne(texte):
    trouvee = ADRESSE.search(texte)
    if trouvee is None or not trouvee[1].startswith(absolu("/")):
        return Ligne(texte)
    mots = texte[: trouvee.start()].strip()
    return Ligne(mots, trouvee[1], bouton=not mots or mots.startswith("Pour "))
