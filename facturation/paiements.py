"""Payments on line: how an invoice may be paid, what leaves for PayFiP, what is believed of what comes back.

Locks: the attempt, then what ``actions`` locks (the household, then its invoices).
"""

import logging
import secrets
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from facturation import actions, payfip
from facturation.actions import ActionImpossible
from facturation.models import Article, Facture, Regie, TentativePaiement
from facturation.payfip import PayFipIndisponible
from facturation.regles import payfip as regles
from facturation.regles.payfip import DemandeInvalide, Issue, Paiement, ReponseIllisible, Resultat, Saisie
from familles.models import Utilisateur
from messagerie.actions import Objet, notifier
from messagerie.models import ServiceMairie
from portail.commune import Commune
from portail.outils.argent import euros
from portail.outils.dates import jour
from portail.outils.liens import absolu

journal = logging.getLogger(__name__)

EN_COURS = timedelta(minutes=20)  # a family may still be on PayFiP's pages
DUREE_DE_VIE = timedelta(days=1)  # past it, nobody asks any more; a notice is still heard
PAUSE = timedelta(seconds=3)  # between two questions about one payment
PAUSE_DU_BALAYAGE = timedelta(minutes=5)
REVIREMENT = timedelta(minutes=30)  # PayFiP may call abandoned what is paid a minute later
TESTS = (Saisie.TEST, Saisie.ACTIVATION)
ANNONCE = "PayFiP nous annonce votre paiement\u00a0: la trésorerie le confirmera."
TICKET = "Conservez le ticket de paiement que PayFiP vous a envoyé par e-mail."


# --- How an invoice may be paid --------------------------------------------------------------------------


@dataclass(frozen=True)
class MoyenDePayer:
    """What the page of an invoice shows of the payment on line.

    :param etat: « actif »; « attente » (not open yet), « ferme », « annonce » (said paid by PayFiP), « absent » (not
        for this régie), « rien » (nothing is left to pay here).
    :param phrase: why it is not open, and whom to call.
    """

    facture: Facture
    etat: str
    montant: Decimal = Decimal(0)
    phrase: str = ""
    jusqu_au: date | None = None

    @property
    def est_actif(self):
        return self.etat == "actif"

    @property
    def mode(self):
        return self.facture.regie.payfip

    @property
    def par_saisie(self):
        return self.mode == Regie.PayFip.SAISIE

    @property
    def nouvel_onglet(self):
        """PayFiP does not send back whom it was sent by redirection: the invoice stays open beside it."""
        return self.mode == Regie.PayFip.REDIRECTION

    @property
    def client(self):
        return self.facture.regie.payfip_client

    @property
    def adresse(self):
        return payfip.adresse_de_saisie()

    @property
    def en_clair(self):
        return euros(self.montant)

    @property
    def en_chiffres(self):
        """« 47,60 », as it is typed."""
        return f"{self.montant:.2f}".replace(".", ",")

    @property
    def jusqu_au_en_clair(self):
        return jour(self.jusqu_au) if self.jusqu_au else ""

    @property
    def tentative(self):
        """The one that is under way; a query, where the page asks for it."""
        recentes = self.facture.tentatives.en_cours().filter(cree_le__gte=timezone.now() - EN_COURS)
        return recentes.order_by("-cree_le").first()


def moyen_de_payer(facture: Facture, aujourdhui: date) -> MoyenDePayer:
    """How this invoice is paid on line today, or why it is not. No query of its own.

    :param facture: from ``avec_reste()``, with its ``regie`` and ``article``.
    """
    article, regie = getattr(facture, "article", None), facture.regie
    montant = facture.total - article.paye if article is not None else facture.reste
    sans_suite = article is not None and article.etat in (Article.Etat.PAYE, Article.Etat.ANNULE)
    if facture.etat != Facture.Etat.EMISE or facture.est_avoir or facture.annulee or sans_suite:
        return MoyenDePayer(facture, "rien")
    if montant < regles.MINIMUM:
        return MoyenDePayer(facture, "rien")
    if article is not None and article.etat == Article.Etat.ANNONCE:
        return MoyenDePayer(facture, "annonce", montant, ANNONCE)
    if regie.payfip == Regie.PayFip.AUCUN:
        return MoyenDePayer(facture, "absent", montant, f"Cette facture ne se paie pas en ligne. {_sinon(regie)}")
    fin = facture.echeance + timedelta(days=regie.payfip_jours)
    if not regles.est_payable(facture.echeance, aujourdhui, regie.payfip_jours):
        jours = f"{regie.payfip_jours} jour{'s' if regie.payfip_jours > 1 else ''} après la date d'échéance"
        phrase = f"Le paiement en ligne est fermé\u00a0: il restait ouvert {jours}. {_sinon(regie)}"
        return MoyenDePayer(facture, "ferme", montant, phrase, fin)
    if montant > regles.MAXIMUM:
        plafond = f"PayFiP ne prend pas plus de {euros(regles.MAXIMUM)} par paiement."
        return MoyenDePayer(facture, "ferme", montant, f"{plafond} {_sinon(regie)}")
    if regie.est_titre and article is None:
        phrase = "Le paiement en ligne ouvrira dès que la trésorerie aura pris cette facture en charge."
        return MoyenDePayer(facture, "attente", montant, phrase)
    return MoyenDePayer(facture, "actif", montant, jusqu_au=fin)


def qui_appeler(regie: Regie) -> str:
    """« appelez la trésorerie des Aix-d'Angillon au 02 48 64 40 72. »"""
    commune = Commune.actuelle()
    if regie.contact or regie.telephone:
        qui, telephone = regie.contact or "la mairie", regie.telephone
    elif regie.est_titre:
        qui, telephone = f"la {commune.tresorerie or 'trésorerie'}", commune.tresorerie_telephone
    else:
        qui, telephone = "la mairie", commune.telephone
    return f"appelez {qui} au {telephone}." if telephone else f"appelez {qui}."


def _sinon(regie):
    return f"Pour payer autrement, {qui_appeler(regie)}"


def lisibles(factures):
    """Invoices with all that ``moyen_de_payer`` looks at."""
    return factures.avec_reste().select_related("regie", "article", "famille")


# --- Leaving for PayFiP ----------------------------------------------------------------------------------


@transaction.atomic
def commencer(facture: Facture, *, par: Utilisateur) -> TentativePaiement:
    """The family is about to leave for PayFiP: what will be asked is written first, in full.

    :param par: whose e-mail PayFiP sends the ticket to.
    :raises ActionImpossible: it cannot be paid on line today, or the adult has no e-mail.
    """
    facture = lisibles(Facture.objects.filter(pk=facture.pk)).get()
    moyen, regie = moyen_de_payer(facture, timezone.localdate()), facture.regie
    if not moyen.est_actif or moyen.par_saisie:
        raise ActionImpossible(moyen.phrase or "Il n'y a rien à payer en ligne sur cette facture.")
    if not par.courriel:
        raise ActionImpossible(
            "PayFiP envoie le ticket de paiement par e-mail\u00a0: indiquez d'abord votre adresse "
            "dans «\u00a0Mon compte\u00a0»."
        )
    saisie = regie.payfip_saisie
    if regie.payfip == Regie.PayFip.SERVICE and saisie == Saisie.PRODUCTION:
        saisie = Saisie.SERVICE
    return TentativePaiement.objects.create(
        facture=facture,
        par=par,
        mode=regie.payfip,
        client=regie.payfip_client,
        exercice=facture.exercice,
        reference=facture.reference,
        montant=moyen.montant,
        saisie=saisie,
        courriel=par.courriel[:80],
        jeton=secrets.token_urlsafe(32),
        cree_le=timezone.now(),
    )


def partir(tentative: TentativePaiement) -> str:
    """The address where the family pays; the web service is asked for it at once, outside of any transaction.

    :raises ActionImpossible: PayFiP does not answer, or refuses what it is asked; the attempt is closed.
    """
    try:
        if tentative.mode == Regie.PayFip.REDIRECTION:
            return payfip.adresse_de_redirection(paiement_de(tentative))
        operation = payfip.creer_operation(paiement_de(tentative))
    except (DemandeInvalide, PayFipIndisponible) as erreur:
        journal.error("Paiement %s impossible\u00a0: %s", tentative.uuid, erreur)
        conclure(tentative, Issue.PERIME)
        raise ActionImpossible(
            "PayFiP ne répond pas pour le moment, rien n'est débité. Réessayez dans quelques minutes. "
            + _sinon(tentative.facture.regie)
        ) from erreur
    tentative.operation = operation
    tentative.save(update_fields=["operation"])
    return payfip.adresse_de_l_operation(operation)


def paiement_de(tentative: TentativePaiement) -> Paiement:
    """What was asked, as PayFiP is told: an answer must say the same."""
    return Paiement(
        numcli=tentative.client,
        exercice=tentative.exercice,
        refdet=tentative.reference,
        montant=tentative.montant,
        courriel=tentative.courriel,
        saisie=Saisie(tentative.saisie),
        objet=f"Facture {tentative.facture.numero_complet}",
        retour=absolu(reverse("avis_payfip", args=[tentative.jeton])),
        suite=absolu(reverse("retour_payfip", args=[tentative.uuid])),
    )


# --- What comes back -------------------------------------------------------------------------------------


def recevoir_avis(jeton: str, champs: dict[str, str]) -> None:
    """A notice came on the address of an attempt: anybody may have written it, it is only a hint.

    By redirection it must say all that was sent; of the web service it only makes the portal ask.
    What does not fit is noted without a word of what it holds, and changes nothing.
    """
    tentative = TentativePaiement.objects.filter(jeton=jeton).select_related("facture__regie").first()
    if tentative is None:
        journal.warning("Avis PayFiP écarté\u00a0: aucune tentative ne l'attend")
        return
    if tentative.mode == Regie.PayFip.SERVICE:
        if champs.get("idop") == tentative.operation != "":
            verifier(tentative)
        else:
            journal.warning("Avis PayFiP écarté (opération), tentative %s", tentative.uuid)
        return
    try:
        resultat = regles.lire_notification(champs)
    except ReponseIllisible as erreur:
        journal.warning("Avis PayFiP illisible (%s), tentative %s", erreur, tentative.uuid)
        return
    croire(tentative, resultat, confirmee=False)


def verifier(tentative: TentativePaiement, *, pause: timedelta = PAUSE) -> bool:
    """Ask the web service what became of a payment, and believe it; True when it has said so.

    Never twice within ``pause``, whoever asks: the notice, the family that is back, the sweep.
    """
    maintenant = timezone.now()
    a_demander = TentativePaiement.objects.filter(pk=tentative.pk).exclude(operation="")
    a_demander = a_demander.filter(Q(interrogee_le=None) | Q(interrogee_le__lte=maintenant - pause))
    if tentative.issue == Issue.PAYE or not a_demander.update(interrogee_le=maintenant):
        return False
    try:
        resultat = payfip.resultat(tentative.operation, demandee_le=tentative.cree_le, maintenant=maintenant)
    except PayFipIndisponible as erreur:
        journal.warning("PayFiP ne dit rien de la tentative %s\u00a0: %s", tentative.uuid, erreur)
        return False
    if isinstance(resultat, Issue):
        conclure(tentative, resultat)
        return resultat != Issue.INCONNU
    return croire(tentative, resultat, confirmee=True)


def croire(tentative: TentativePaiement, resultat: Resultat, *, confirmee: bool) -> bool:
    """Conclude with a result that says what was sent; note one that does not."""
    if not resultat.concerne(paiement_de(tentative)):
        journal.warning("Résultat PayFiP écarté (autre paiement), tentative %s", tentative.uuid)
        return False
    try:
        conclure(tentative, resultat.issue, resultat, confirmee=confirmee)
    except ActionImpossible as erreur:  # the régie has changed hands since: an agent must look
        journal.error("Paiement %s non enregistré\u00a0: %s", tentative.uuid, erreur)
        return False
    return True


@transaction.atomic
def conclure(
    tentative: TentativePaiement,
    issue: Issue,
    resultat: Resultat | None = None,
    *,
    confirmee: bool = False,
    par: Utilisateur | None = None,
) -> TentativePaiement:
    """The family's payment is on its account, once; or its invoice stays to be paid.

    Said again, it changes nothing; said paid after refused, abandoned or without an answer, it is paid; never back.

    :param confirmee: said by the web service, whose word is PayFiP's.
    :param par: the agent who has seen the money, None where PayFiP says it.
    """
    lue = _verrouiller(tentative.pk)
    if lue.issue == Issue.PAYE:
        if confirmee and not lue.confirmee:
            lue.confirmee = True
            lue.save(update_fields=["confirmee"])
        return lue
    if issue in (Issue.INCONNU, lue.issue) or (issue == Issue.PERIME and lue.issue != Issue.INCONNU):
        return lue
    lue.issue, lue.conclue_le, lue.confirmee = issue, timezone.now(), confirmee and issue == Issue.PAYE
    if resultat is not None:
        lue.moyen, lue.autorisation = resultat.moyen or "", resultat.autorisation
    if issue == Issue.PAYE and not _est_un_essai(lue):
        _crediter(lue, _jour_du_paiement(lue, resultat), par)
    lue.save(update_fields=["issue", "conclue_le", "confirmee", "moyen", "autorisation", "reglement"])
    return lue


def _verrouiller(pk):
    """The attempt, which nobody else concludes until the transaction ends."""
    verrou = TentativePaiement.objects.select_for_update(of=("self",))
    return verrou.select_related("facture__regie", "facture__famille", "par").get(pk=pk)


def _est_un_essai(tentative):
    """In production a payment in test mode brings no money."""
    return tentative.saisie in TESTS and not payfip.est_simule()


def _jour_du_paiement(tentative, resultat):
    """As PayFiP says, between the day it was asked and today."""
    aujourdhui = timezone.localdate()
    dit = timezone.localdate(resultat.le) if resultat is not None and resultat.le else aujourdhui
    return min(max(dit, timezone.localdate(tentative.cree_le)), aujourdhui)


def _crediter(tentative, recu_le, par):
    facture, famille = tentative.facture, tentative.facture.famille
    if facture.regie.est_titre:
        # Not a word of the trésorerie: its own file will confirm, or not.
        annonces = Article.objects.filter(facture=facture, etat=Article.Etat.A_PAYER)
        de_trop = not annonces.update(etat=Article.Etat.ANNONCE)
    else:
        actions.verrouiller([famille.pk])
        reste = Facture.objects.filter(pk=facture.pk).avec_reste().values_list("reste", flat=True).get()
        part = min(tentative.montant, max(reste, Decimal(0)))
        tentative.reglement = actions.encaisser(
            famille,
            regie=facture.regie,
            moyen=tentative.moyen or "CARTE",
            montant=tentative.montant,
            recu_le=recu_le,
            par=par,
            reference=f"PayFiP {tentative.autorisation}".strip(),
            parts=[(facture, part)] if part else [],
        )
        de_trop = part < tentative.montant
    _prevenir(tentative, "Paiement reçu", f"{_phrase_du_paiement(tentative, de_trop)}\n\n{TICKET}")


def _phrase_du_paiement(tentative, de_trop):
    facture, montant = tentative.facture, euros(tentative.montant)
    if facture.regie.est_titre:
        dit = f"PayFiP nous annonce votre paiement de {montant} pour la facture {facture.numero_complet}"
        if de_trop:
            return f"{dit}, qui était déjà payée ou annulée\u00a0: {qui_appeler(facture.regie)}"
        return f"{dit}. La trésorerie le confirmera."
    dit = f"Votre paiement de {montant} pour la facture {facture.numero_complet} est enregistré."
    if de_trop:
        dit += " Elle était déjà payée, en tout ou en partie\u00a0: ce qui est en trop reste à votre crédit."
    return dit


def _prevenir(tentative, sujet, phrase):
    facture = tentative.facture
    lien = reverse("paiement", args=[tentative.uuid])
    notifier(
        facture.famille,
        sujet=f"{sujet}\u00a0: facture {facture.numero_complet}",
        corps=f"Bonjour,\n\n{phrase}",
        par=None,
        service=ServiceMairie.de("comptabilite"),
        lien=lien,
        lien_libelle="Voir ce paiement",
        objet=Objet(cle=f"facture/{facture.uuid}", libelle=str(facture), lien=facture.get_absolute_url()),
    )


# --- What nobody has told --------------------------------------------------------------------------------


def interroger(maintenant: datetime | None = None) -> None:
    """Notices get lost: ask the web service again every five minutes for a day; then the attempt is « sans réponse ».

    Each question is outside of any transaction, and two clocks at once do not ask twice.
    """
    maintenant = maintenant or timezone.now()
    service = TentativePaiement.objects.filter(mode=Regie.PayFip.SERVICE, cree_le__gt=maintenant - DUREE_DE_VIE)
    service = service.exclude(operation="").select_related("facture__regie")
    attendues = Q(issue=Issue.INCONNU) | Q(issue=Issue.ABANDONNE, cree_le__gt=maintenant - REVIREMENT)
    dues = Q(interrogee_le=None) | Q(interrogee_le__lte=maintenant - PAUSE_DU_BALAYAGE)
    for tentative in service.filter(attendues, dues).order_by("pk"):
        verifier(tentative, pause=PAUSE_DU_BALAYAGE)
    for tentative in TentativePaiement.objects.en_cours().filter(cree_le__lte=maintenant - DUREE_DE_VIE).order_by("pk"):
        conclure(tentative, Issue.PERIME)


# --- What the régisseur does -----------------------------------------------------------------------------


@transaction.atomic
def rapprocher(tentative: TentativePaiement, *, par: Utilisateur) -> TentativePaiement:
    """The régisseur has seen the money on PayFiP's list; the family sees nothing of it.

    :raises ActionImpossible: it awaits no matching.
    """
    lue = _verrouiller(tentative.pk)
    if not TentativePaiement.objects.a_rapprocher().filter(pk=lue.pk).exists():
        raise ActionImpossible("Ce paiement n'est pas à rapprocher.")
    lue.rapprochee_le, lue.rapprochee_par = timezone.now(), par
    lue.save(update_fields=["rapprochee_le", "rapprochee_par"])
    return lue


@transaction.atomic
def constater(tentative: TentativePaiement, *, par: Utilisateur) -> TentativePaiement:
    """PayFiP never told, but the money is on its list: the payment is on the family's account, which is told.

    :raises ActionImpossible: of a titre, which the trésorerie follows, or paid already.
    """
    lue = _verrouiller(tentative.pk)
    if lue.facture.regie.est_titre:
        raise ActionImpossible("Ce titre est suivi par la trésorerie.")
    if lue.issue == Issue.PAYE:
        raise ActionImpossible("Ce paiement est déjà enregistré.")
    if _est_un_essai(lue):
        raise ActionImpossible("Ce paiement est un essai\u00a0: il n'apporte pas d'argent.")
    return rapprocher(conclure(lue, Issue.PAYE, par=par), par=par)


@transaction.atomic
def rejeter(tentative: TentativePaiement, *, motif: str, par: Utilisateur) -> None:
    """The bank has rejected a direct debit: the invoice is due again, and the family reads why.

    :raises ActionImpossible: no payment, taken back already, or no reason.
    """
    lue = _verrouiller(tentative.pk)
    if not motif.strip():
        raise ActionImpossible("Dites pourquoi ce paiement est rejeté.")
    if lue.issue != Issue.PAYE:
        raise ActionImpossible("Seul un paiement reçu peut être rejeté.")
    if lue.reglement is not None:
        actions.annuler_reglement(lue.reglement, motif=f"paiement PayFiP rejeté, {motif.strip()}", par=par)
    elif lue.rapprochee_le is not None:  # what is announced now may be another payment
        raise ActionImpossible("Ce rejet est déjà saisi.")
    elif not Article.objects.filter(facture=lue.facture, etat=Article.Etat.ANNONCE).update(etat=Article.Etat.A_PAYER):
        raise ActionImpossible("Ce paiement n'est plus seulement annoncé\u00a0: voyez avec la trésorerie.")
    if lue.rapprochee_le is None:
        lue.rapprochee_le, lue.rapprochee_par = timezone.now(), par
        lue.save(update_fields=["rapprochee_le", "rapprochee_par"])
    montant, facture = euros(lue.montant), lue.facture.numero_complet
    _prevenir(
        lue,
        "Paiement rejeté",
        f"Votre paiement de {montant} pour la facture {facture} a été rejeté par la banque\u00a0: {motif.strip()}.\n\n"
        "Cette facture est de nouveau à payer. Vous la trouvez dans votre relevé de compte.",
    )
