"""The top of the child's page: who it is, where it lives, what its file lacks."""

from typing import NamedTuple

from django.urls import reverse
from django.utils import timezone

from enfants import dossier, foyers, garde
from enfants.admin.lignes import voit_la_sante
from enfants.models import Enfant, Garde, SuspensionAcces
from enfants.regles import garde as regles
from enfants.regles.annees import age_texte
from enfants.regles.dossier import Manque
from familles.models import Utilisateur
from portail.outils.dates import jour as en_lettres


class Adulte(NamedTuple):
    nom: str
    suspendu: bool


class Foyer(NamedTuple):
    nom: str
    url: str
    adultes: list[Adulte]
    depuis: str


class Resume(NamedTuple):
    """What the page prints; "" and [] for what is not known, or not for this reader."""

    age: str
    classe: str
    depart: str
    foyers: list[Foyer]
    garde: str
    url_garde: str
    libelle_garde: str
    manques: list[Manque]


def resume(enfant: Enfant, agent: Utilisateur) -> Resume:
    """What this agent may read of the child at a glance."""
    return Resume(
        age=_age(enfant),
        classe=enfant.classe_texte or "École inconnue",
        depart=_depart(enfant),
        foyers=_foyers(enfant) if agent.has_perm("familles.view_famille") else [],
        manques=_manques(enfant, agent),
        **_garde(enfant, agent),
    )


def _age(enfant):
    if not enfant.date_naissance:
        return "Date de naissance inconnue"
    ne = {Enfant.Sexe.FILLE: "née", Enfant.Sexe.GARCON: "né"}.get(enfant.sexe, "né(e)")
    texte = age_texte(enfant.date_naissance, timezone.localdate())
    return f"{texte}, {ne} le {en_lettres(enfant.date_naissance, semaine=False)}"


def _depart(enfant):
    if enfant.archive_le is None:
        return ""
    verbe = "A quitté" if enfant.archive_le <= timezone.localdate() else "Quittera"
    return f"{verbe} les services le {en_lettres(enfant.archive_le, semaine=False)}"


def _manques(enfant, agent):
    tous = dossier.manques_de(enfant, None, timezone.localdate(), dossier.vaccins_actifs())
    return [manque for manque in tous if manque.type != "sante" or voit_la_sante(agent)]


def _foyers(enfant):
    aujourdhui = timezone.localdate()
    rattachements = enfant.rattachements.en_vigueur(aujourdhui).select_related("famille").order_by("valable_du", "pk")
    adultes = foyers.adultes_par_foyer([r.famille_id for r in rattachements])
    suspensions = SuspensionAcces.objects.en_vigueur(aujourdhui).filter(enfant=enfant)
    suspendus = set(suspensions.values_list("adulte_id", flat=True))
    return [
        Foyer(
            str(rattachement.famille),
            reverse("admin:familles_famille_change", args=[rattachement.famille_id]),
            [Adulte(str(adulte), adulte.pk in suspendus) for adulte in adultes[rattachement.famille_id]],
            f"depuis le {rattachement.valable_du:%d/%m/%Y}",
        )
        for rattachement in rattachements
    ]


def _garde(enfant, agent):
    """The custody in a sentence, or the way to note it once there are two households."""
    rien = {"garde": "", "url_garde": "", "libelle_garde": ""}
    accord = Garde.objects.filter(enfant=enfant).first()
    if accord is not None and agent.has_perm("enfants.view_garde"):
        return {
            "garde": phrase(accord),
            "url_garde": reverse("admin:enfants_garde_change", args=[accord.pk]),
            "libelle_garde": "Calendrier et exceptions",
        }
    deux = enfant.rattachements.en_vigueur(timezone.localdate()).count() > 1
    if accord is None and deux and agent.has_perm("enfants.add_garde"):
        ajout = f"{reverse('admin:enfants_garde_add')}?enfant={enfant.pk}"
        return {"garde": "Deux foyers, garde non notée.", "url_garde": ajout, "libelle_garde": "Noter la garde"}
    return rien


def phrase(accord: Garde) -> str:
    """The custody as a judgment says it, households called by their adults."""
    noms = foyers.noms([accord.premier_foyer_id, accord.second_foyer_id])
    exceptions = {exception.foyer_id for exception in accord.exceptions.all()} - set(noms)
    return regles.phrase(garde.regle(accord), noms | foyers.noms(list(exceptions)))
