"""The planning's changes in words: titles of the demandes, summaries, messages."""

from collections import Counter, defaultdict
from collections.abc import Iterable

from demandes.models import JourDemande
from enfants.regles.dates import enumerer, jours_en_clair
from enfants.regles.planning import Geste
from enfants.reservations import Verdict
from portail.outils.dates import quand
from portail.outils.francais import au_milieu, de

JOURS_EN_LIGNE = 8
# geste -> what happened to one day, to several
MOTS = {
    Geste.RESERVER: ("jour réservé", "jours réservés"),
    Geste.ANNULER: ("jour annulé", "jours annulés"),
    Geste.ABSENCE: ("jour d'absence", "jours d'absence"),
    Geste.REVENIR: ("absence annulée", "absences annulées"),
    Geste.ATTENDRE: ("jour en liste d'attente", "jours en liste d'attente"),
    Geste.QUITTER: ("liste d'attente quittée", "listes d'attente quittées"),
    Geste.PRENDRE: ("place prise", "places prises"),
}


# The mairie has not answered yet: nothing is booked.
MOTS_DEMANDES = MOTS | {Geste.RESERVER: ("jour demandé", "jours demandés")}


def compter(gestes: Iterable[str], demandes: Iterable[str] = ()) -> str:
    """« 12 jours réservés, 1 jour annulé et 2 jours demandés ».

    :param demandes: those that the mairie decides.
    """
    return enumerer([*_compter(gestes, MOTS), *_compter(demandes, MOTS_DEMANDES)])


def compter_verdicts(verdicts: Iterable[Verdict]) -> str:
    """The same, of changes foreseen or made."""
    verdicts = list(verdicts)
    return compter(
        (v.possible.geste for v in verdicts if v.possible.direct),
        (v.possible.geste for v in verdicts if not v.possible.direct),
    )


def _compter(gestes, mots):
    nombres = Counter(gestes)
    return [f"{nombres[geste]} {mots[geste][nombres[geste] > 1]}" for geste in mots if nombres[geste]]


def resumer(verdicts: list[Verdict]) -> dict:
    """What a demande keeps to be listed by, without a look at its days."""
    prenoms = dict.fromkeys(v.cellule.enfant.prenom for v in verdicts)
    jours = [v.changement.jour for v in verdicts]
    nombre = compter_verdicts(verdicts)
    return {"enfants": enumerer(prenoms), "resume": f"{nombre}, {_periode(jours)}"}


def _periode(jours):
    premier, dernier = min(jours), max(jours)
    if premier == dernier:
        return f"le {jours_en_clair([premier])}"
    return f"du {jours_en_clair([premier])} au {jours_en_clair([dernier])}"


def par_enfant(verdicts: Iterable[Verdict]) -> list[str]:
    """« Léa, restauration scolaire : lundi 23 et jeudi 26 novembre », a line for each child and service."""
    lignes = defaultdict(list)
    for v in verdicts:
        lignes[v.cellule.enfant.prenom, v.cellule.offre.nom].append(v.changement.jour)
    return [_ligne(prenom, service, jours) for (prenom, service), jours in lignes.items()]


def par_enfant_en_bref(verdicts: Iterable[Verdict]) -> list[tuple[str, str]]:
    """(line, days) for each child and service: over many days the line counts them, and the days come apart."""
    lignes = defaultdict(list)
    for v in verdicts:
        lignes[v.cellule.enfant.prenom, v.cellule.offre.nom].append(v.changement.jour)
    return [_en_bref(prenom, service, jours) for (prenom, service), jours in lignes.items()]


def _en_bref(prenom, service, jours):
    if len(jours) <= JOURS_EN_LIGNE:
        return _ligne(prenom, service, jours), ""
    nombre = f"{len(jours)} jours {_periode(jours)}"
    return f"{prenom}, {au_milieu(service)}\u00a0: {nombre}", jours_en_clair(jours)


def _ligne(prenom, service, jours):
    return f"{prenom}, {au_milieu(service)}\u00a0: {jours_en_clair(jours)}"


def message(bilan) -> tuple[str, str]:
    """Subject and text of the summary that the inbox keeps of a submit."""
    tous = bilan.faits + bilan.a_decider
    prenoms = enumerer(dict.fromkeys(v.cellule.enfant.prenom for v in tous))
    blocs = ["Bonjour,"]
    for geste in MOTS:
        faits = [v for v in bilan.faits if v.possible.geste == geste]
        if faits:
            blocs.append(_bloc(f"{compter(v.possible.geste for v in faits).capitalize()}\u00a0:", faits))
    if bilan.a_decider:
        blocs.append(_bloc("En attente de la mairie, qui vous répondra ici\u00a0:", bilan.a_decider))
    if bilan.preuve_avant:
        blocs.append(
            f"Envoyez votre justificatif au plus tard {quand(bilan.preuve_avant)}\u00a0: sans lui, l'absence ne pourra "
            "pas être validée et le service restera dû."
        )
    if bilan.impossibles:
        raisons = [f"{v.changement.jour:%d/%m}\u00a0: {v.raison}" for v in bilan.impossibles[:20]]
        blocs.append("Sans effet\u00a0:\n" + "\n".join(raisons))
    return f"Planning {de(prenoms)}\u00a0: {compter_verdicts(tous)}"[:150], "\n\n".join(blocs)


def _bloc(titre, verdicts):
    return "\n".join([titre, *par_enfant(verdicts)])


def decision(jours: Iterable[JourDemande]) -> list[str]:
    """What was accepted and what was not, in the answer to the family; nothing is refused yet in a preview."""
    jours, blocs = list(jours), []
    for etat, titre in (("ACCEPTE", "Accepté"), ("EN_ATTENTE", "Accepté"), ("REFUSE", "Refusé")):
        lignes = defaultdict(list)
        for jour in jours:
            if jour.etat == etat:
                lignes[jour.enfant.prenom, jour.service.nom].append(jour.jour)
        if lignes:
            blocs.append("\n".join([f"{titre}\u00a0:", *(_ligne(*cle, js) for cle, js in lignes.items())]))
    return blocs


def jour_demande(jour: JourDemande) -> str:
    """« Léa, restauration scolaire, jeudi 26 novembre : réserver, après le délai »."""
    service = au_milieu(jour.service.nom)
    formule = f" ({jour.formule.nom.lower()})" if jour.formule_id else ""
    geste = jour.get_geste_display().lower() + (", après le délai" if jour.tardif else "")
    return f"{jour.enfant.prenom}, {service}{formule}, {jours_en_clair([jour.jour])}\u00a0: {geste}"
