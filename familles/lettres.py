"""Letters with the first password, one page an adult, for a window envelope."""

from familles.acces import donner_mot_de_passe_provisoire
from familles.models import Responsable
from portail.outils import pdf
from portail.outils.liens import absolu

LETTRES_MAX = 300  # about half a minute of printing


class TropDeLettres(Exception):
    """More pages than one request may make."""


def adultes_sans_acces(familles) -> list[Responsable]:
    """Adults of these families whose account is open and who have not chosen a password yet."""
    adultes = Responsable.objects.filter(famille__in=familles, utilisateur__is_active=True, utilisateur__is_staff=False)
    adultes = adultes.select_related("utilisateur", "famille").order_by("famille__nom", "famille", "rang")
    return [adulte for adulte in adultes if not adulte.utilisateur.a_choisi_son_mot_de_passe]


def imprimer(adultes: list[Responsable]) -> bytes | None:
    """The PDF of the letters, None without adults; each gets a new one-time password.

    To call in a transaction: without a PDF, no password changes.

    :raises TropDeLettres: more than LETTRES_MAX.
    :raises portail.outils.pdf.PdfIndisponible: no PDF on this machine.
    """
    if not adultes:
        return None
    if len(adultes) > LETTRES_MAX:
        raise TropDeLettres(f"{len(adultes)} lettres, c'est trop à la fois : {LETTRES_MAX} au plus.")
    pdf.verifier()
    lettres = [
        {
            "adulte": adulte,
            "identifiant": adulte.utilisateur.identifiant,
            "mot_de_passe": donner_mot_de_passe_provisoire(adulte.utilisateur),
        }
        for adulte in adultes
    ]
    return pdf.rendre("pdf/lettre_acces.html", {"lettres": lettres, "adresse_portail": absolu("/connexion/")})
