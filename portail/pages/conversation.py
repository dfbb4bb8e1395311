"""What an agent has before their eyes to answer a family: the messages, and the family's file beside."""

from uuid import UUID

from django import forms
from django.contrib.auth.models import Permission
from django.db.models import Prefetch, Q
from django.urls import reverse
from django.utils import timezone

from demandes.models import Demande
from enfants.messages import adultes_suspendus
from enfants.models import Enfant
from facturation.models import Facture, LigneFacture
from familles.models import Responsable, Utilisateur
from messagerie.models import Fil, Lecture, ReponseType, ServiceMairie
from portail.outils.dates import quand
from portail.outils.pieces import PiecesField, regles_des_pieces
from portail.pages.compte_presentation import adresse_si_elle_existe

TEXTE_MAX = 10_000


class ReponseForm(forms.Form):
    corps = forms.CharField(
        label="Votre réponse",
        max_length=TEXTE_MAX,
        widget=forms.Textarea(attrs={"rows": 8}),
        error_messages={
            "required": "Écrivez votre réponse.",
            "max_length": "Ce texte est trop long\u00a0: 10\u00a0000 caractères au plus.",
        },
    )
    pieces = PiecesField(quoi="Un message", label="Pièces jointes", required=False, help_text=regles_des_pieces())


def etat(fil: Fil) -> str:
    """« Nouveau », « En attente », « Répondu »: where it stands, for an agent."""
    if fil.est_nouveau:
        return "Nouveau"
    return {Fil.Etat.EN_ATTENTE: "En attente", Fil.Etat.CLOS: "Sans réponse attendue"}.get(
        fil.etat, fil.get_etat_display()
    )


def pour_le_service(fil: Fil) -> Q:
    """Ready-made answers offered in this thread."""
    return Q(service=None) | Q(service=fil.service_id) if fil.service_id else Q(service=None)


def autres_services(fil: Fil):
    """To whom it may be passed on."""
    return ServiceMairie.objects.exclude(pk=fil.service_id).order_by("ordre", "nom")


def agents_de(fil: Fil) -> list[Utilisateur]:
    """Who may be asked to answer: the agents of its service who may; of a service of nobody, all who may."""
    repondre = Permission.objects.filter(codename="repondre_fil", content_type__app_label="messagerie")
    peut = Q(groups__permissions__in=repondre) | Q(user_permissions__in=repondre) | Q(is_superuser=True)
    agents = Utilisateur.objects.filter(peut, is_staff=True, is_active=True).distinct().order_by("nom", "prenom", "pk")
    siens = list(agents.filter(services_mairie=fil.service_id)) if fil.service_id else []
    return siens or list(agents)


def contexte(fil: Fil, agent: Utilisateur, *, peut_repondre: bool) -> dict:
    """Everything the page shows, as this agent may see it; as many queries for one message as for three hundred."""
    resultat = {
        "fil": fil,
        "etat": etat(fil),
        "depuis": quand(fil.famille_le) if fil.etat == Fil.Etat.EN_ATTENTE and fil.famille_le else "",
        "dernier_le": quand(fil.dernier_le),
        "echanges": (lus := messages(fil)),
        "vu": max((message.pk for message in lus), default=0),
        "dossier": dossier(fil, agent),
        "peut_repondre": peut_repondre,
    }
    if peut_repondre:
        agents = agents_de(fil)
        resultat |= {
            "agents": [a for a in agents if a == agent] + [a for a in agents if a != agent],
            "services": list(autres_services(fil)),
            "reponses_types": list(ReponseType.objects.filter(pour_le_service(fil)).order_by("libelle", "pk")),
            "peut_clore": fil.etat == Fil.Etat.EN_ATTENTE,
        }
    return resultat


def messages(fil: Fil) -> list:
    """The messages in order, each with its papers, who wrote it and who in the household has read it."""
    lectures = Lecture.objects.select_related("adulte__utilisateur").order_by("lu_le", "pk")
    lus = list(
        fil.messages.select_related("auteur").prefetch_related("pieces", Prefetch("lectures", queryset=lectures))
    )
    for message in lus:
        message.quand = quand(message.envoye_le)
        message.papiers = list(message.pieces.all())
        message.de = str(message.auteur or "Le portail")
        message.lu_par = [f"{lecture.adulte}, {quand(lecture.lu_le)}" for lecture in message.lectures.all()]
    if lus and fil.diffusion_id:  # a paper of a message to many is kept once for all
        lus[0].papiers += fil.diffusion.pieces.all()
    return lus


def dossier(fil: Fil, agent: Utilisateur) -> dict:
    """The family's file beside its messages: what this agent may open, and no more."""
    famille, suspendus = fil.famille, _sans_acces(fil)
    adultes = list(famille.adultes())
    for adulte in adultes:
        adulte.telephones = telephones(adulte)
    trouve = {
        "adultes": adultes,
        "url": "",
        "enfants": [],
        "demandes": [],
        "a_propos": a_propos(fil, agent),
        "sans_acces": [str(adulte) for adulte in adultes if adulte.pk in suspendus],
    }
    if agent.has_perm("familles.view_famille"):
        trouve["url"] = reverse("admin:familles_famille_change", args=[famille.pk])
    if agent.has_perm("enfants.view_enfant"):
        enfants = Enfant.objects.accessibles_a(agent).de_la_famille(famille.pk).non_partis(timezone.localdate())
        trouve["enfants"] = list(enfants.select_related("classe", "ecole").order_by("date_naissance", "pk"))
    if agent.has_perm("demandes.view_demande"):
        demandes = Demande.objects.ouvertes_a(agent).en_attente().filter(famille=famille).select_related("enfant")
        trouve["demandes"] = [
            (demande.titre, quand(demande.deposee_le), reverse("admin:demandes_demande_change", args=[demande.pk]))
            for demande in demandes.order_by("deposee_le", "pk")
        ]
    return trouve


def telephones(adulte: Responsable) -> list[dict]:
    """Each number as it is written, and as a telephone dials it."""
    numeros = (adulte.telephone_mobile, adulte.telephone_fixe, adulte.telephone_travail)
    return [{"texte": n, "appel": "".join(c for c in n if c in "+0123456789")} for n in numeros if n]


def _sans_acces(fil):
    """Keys of the adults of the household who read the thread, and may no longer see a child it is about."""
    quoi, _, cle = fil.contexte.partition("/")
    try:
        uuid = UUID(cle)
    except ValueError:
        return set()
    enfants = []
    if quoi == "enfant":
        enfants = list(Enfant.objects.filter(uuid=uuid))
    elif quoi == "facture":
        enfants = list(Enfant.objects.filter(pk__in=LigneFacture.objects.filter(facture__uuid=uuid).values("enfant")))
    elif demande := Demande.objects.filter(uuid=uuid).first():
        enfants = demande.enfants_concernes()
    suspendus = adultes_suspendus(fil.famille, enfants)
    return suspendus & {fil.destinataire_id} if fil.destinataire_id else suspendus


def a_propos(fil: Fil, agent: Utilisateur) -> tuple[str, str] | None:
    """What the thread is about, in words, and its address in the admin, "" where this agent may not go."""
    if not fil.contexte_libelle:
        return None
    quoi, _, cle = fil.contexte.partition("/")
    try:
        uuid = UUID(cle)
    except ValueError:
        return fil.contexte_libelle, ""
    url = ""
    if quoi == "demande" and agent.has_perm("demandes.view_demande"):
        url = _page("demandes_demande", Demande.objects.ouvertes_a(agent).filter(uuid=uuid))
    elif quoi == "enfant" and agent.has_perm("enfants.view_enfant"):
        url = _page("enfants_enfant", Enfant.objects.accessibles_a(agent).filter(uuid=uuid))
    elif quoi == "facture" and agent.has_perm("facturation.view_facture"):
        url = _page("facturation_facture", Facture.objects.filter(uuid=uuid))
    return fil.contexte_libelle, url


def _page(modele, lignes):
    cle = lignes.order_by().values_list("pk", flat=True).first()
    return adresse_si_elle_existe(f"admin:{modele}_change", cle) if cle else ""
