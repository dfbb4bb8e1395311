"""The simulator of PayFiP, in demo mode: what it keeps, answers and notifies. Its pages are in ``views_simulateur.py``.

It plays the State's side alone: of the portal it knows what PayFiP knows, the address of the notice.
"""

from decimal import Decimal
from urllib.parse import urlsplit
from uuid import UUID

from django.db import transaction
from django.urls import Resolver404, resolve
from django.utils import timezone

from facturation.models import Article, Facture, OperationSimulee
from facturation.regles import payfip, simulation
from facturation.regles.payfip import DUREE_OPERATION, ReponseIllisible
from portail.commune import Commune


def repondre(message: bytes) -> bytes:
    """The SOAP answer to a SOAP request, faults among them."""
    try:
        operation, champs = simulation.lire_requete(message)
    except ReponseIllisible:
        return simulation.faute("X1", "La requête n'est pas lisible.")
    return REPONSES[operation](champs)


def _creer(champs):
    if refus := simulation.defauts(champs, service=True):
        return simulation.faute(*refus[0])
    creee = OperationSimulee.objects.create(champs=champs, cree_le=timezone.now())
    return simulation.reponse("creerPaiementSecurise", {"idOp": str(creee.operation)})


def _detail(champs):
    operation = operation_de(champs.get("idOp", ""))
    if operation is None:
        return simulation.faute("P1", "IdOp incorrect.")
    if not operation.resultat:
        if timezone.now() - operation.cree_le > DUREE_OPERATION:
            return simulation.faute("P4", "IdOp périmé.")
        return simulation.faute("P5", "Résultat de la transaction non connu.")
    dit = avis_de(operation.champs, operation.resultat, operation.conclue_le)
    return simulation.reponse("recupererDetailPaiementSecurise", {"idOp": str(operation.operation), **dit})


def _client(champs):
    numero = champs.get("numCli", "")
    if refus := [r for r in simulation.defauts({"numcli": numero}) if r[0] == "T1"]:
        return simulation.faute(*refus[0])
    return simulation.reponse("recupererDetailClient", {"libelleN1": Commune.actuelle().nom, "numcli": numero})


REPONSES = {
    "creerPaiementSecurise": _creer,
    "recupererDetailPaiementSecurise": _detail,
    "recupererDetailClient": _client,
}


def operation_de(texte: str) -> OperationSimulee | None:
    """The operation of this identifier, whatever was typed."""
    try:
        cle = UUID(texte)
    except ValueError:
        return None
    return OperationSimulee.objects.filter(operation=cle).first()


def est_a_payer(operation: OperationSimulee) -> bool:
    """Its address serves once, within a quarter of an hour."""
    return not operation.resultat and timezone.now() - operation.cree_le <= DUREE_OPERATION


@transaction.atomic
def conclure(operation: OperationSimulee, resultat: str) -> bool:
    """The visitor has paid, or not: once. False where it was done before."""
    restent = OperationSimulee.objects.filter(pk=operation.pk, resultat="")
    return bool(restent.update(resultat=resultat, conclue_le=timezone.now()))


def avis_de(champs: dict[str, str], resultat: str, instant) -> dict[str, str]:
    """What PayFiP says of a payment made at this instant."""
    local = instant.astimezone(payfip.PARIS)
    return simulation.notification(champs, resultat, jour=f"{local:%d%m%Y}", heure=f"{local:%H%M}")


def jeton_de(adresse: str) -> str | None:
    """The token of the address where a notice is awaited."""
    try:
        vue = resolve(urlsplit(adresse).path)
    except (Resolver404, ValueError):
        return None
    return vue.kwargs["jeton"] if vue.url_name == "avis_payfip" else None


def dette(client: str, reference: str, montant: Decimal) -> Facture | None:
    """What PayFiP knows of itself: a titre that was taken in charge, with its exact amount; of a régie, its invoice."""
    factures = Facture.objects.emises().filter(regie__payfip_client=client, reference=reference, total=montant)
    trouvee = factures.exclude(reference="").select_related("regie", "article").order_by("pk").first()
    if trouvee is None or not trouvee.regie.est_titre:
        return trouvee
    article = getattr(trouvee, "article", None)
    return trouvee if article is not None and article.etat != Article.Etat.ANNULE else None
