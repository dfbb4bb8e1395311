"""What waits on the admin's first page."""

from collections import namedtuple
from datetime import timedelta

from django.db.models import Count, Min, Q
from django.urls import reverse
from django.utils import timezone

from demandes.models import Demande
from enfants.feuilles import a_pointer
from facturation.models import Campagne
from messagerie.models import Courriel, Fil
from portail.pages.fils import NOUVEAU

Compteur = namedtuple("Compteur", "nombre libelle url attention")


def compteurs(agent) -> list[Compteur]:
    """Counters that this agent may open, the most pressing first."""
    compteurs = []
    if agent.has_perm("demandes.view_demande"):
        compteurs += _demandes(agent)
    if agent.has_perm("messagerie.repondre_fil"):
        compteurs += _messages(agent)
    if agent.has_perms(["enfants.add_presence", "enfants.change_presence"]):
        reste = a_pointer(agent, timezone.localdate())
        libelle = "enfant à pointer aujourd'hui" if reste < 2 else "enfants à pointer aujourd'hui"
        compteurs.append(Compteur(reste, libelle, reverse("admin:presences"), False))
    if agent.has_perm("facturation.view_campagne"):
        prets = Campagne.objects.filter(etape=Campagne.Etape.PREPAREE).count()
        compteurs.append(Compteur(prets, "mois à émettre", reverse("admin:facturer"), False))
    if agent.has_perm("messagerie.view_courriel"):
        echoues = Courriel.objects.filter(abandonne_le__isnull=False).count()
        if echoues:
            url = reverse("admin:messagerie_courriel_changelist") + "?envoi=abandonnes"
            libelle = "courriel non remis" if echoues == 1 else "courriels non remis"
            compteurs.append(Compteur(echoues, libelle, url, True))
    return compteurs


def _messages(agent):
    """Those of the agent's services: to read first, then read and without an answer yet."""
    liste = reverse("admin:messagerie_fil_changelist")
    comptes = (
        Fil.objects.ouverts_a(agent).en_attente().aggregate(tous=Count("pk"), nouveaux=Count("pk", filter=NOUVEAU))
    )
    a_lire = "message à lire" if comptes["nouveaux"] < 2 else "messages à lire"
    resultat = [Compteur(comptes["nouveaux"], a_lire, liste, False)]
    if lus := comptes["tous"] - comptes["nouveaux"]:
        resultat.append(
            Compteur(lus, "message lu, sans réponse" if lus == 1 else "messages lus, sans réponse", liste, False)
        )
    return resultat


def _demandes(agent):
    liste = reverse("admin:demandes_demande_changelist")
    vieille = timezone.now() - timedelta(days=7)
    comptes = (
        Demande.objects.ouvertes_a(agent)
        .en_attente()
        .aggregate(
            toutes=Count("pk"), vieilles=Count("pk", filter=Q(deposee_le__lt=vieille)), premiere=Min("deposee_le")
        )
    )
    en_attente = "demande en attente" if comptes["toutes"] < 2 else "demandes en attente"
    resultat = [Compteur(comptes["toutes"], en_attente, liste, False)]
    if comptes["vieilles"]:
        resultat.append(Compteur(comptes["vieilles"], "depuis plus de 7 jours", f"{liste}?age=7", True))
    return resultat
