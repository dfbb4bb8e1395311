"""The timed jobs: what happens without anybody clicking."""

from datetime import timedelta

from django.apps import apps
from django.contrib.sessions.backends.db import SessionStore
from django.db.models import Count, Q
from django.urls import reverse
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from demandes import planning
from demandes.fermetures import refuser_jours_fermes
from demandes.justificatifs import relancer_justificatifs
from demandes.models import Demande
from demandes.types import TYPES
from enfants import rappels
from enfants.attente import offrir_les_places
from enfants.messages import prevenir
from enfants.models import DocumentEnfant
from facturation import campagnes
from facturation.avis import envoyer_avis
from facturation.documents import balayer_pdf
from facturation.paiements import interroger
from familles.acces import traiter_oublis
from familles.models import OubliMotDePasse, QuotientFamilial
from messagerie import courriels
from messagerie.actions import notifier
from messagerie.diffusions import poursuivre
from messagerie.models import Courriel, Fil, ServiceMairie
from messagerie.taches import envoyer_courriels
from portail.minuterie import executer_si_due
from portail.outils.courriels import envoyer_modele
from portail.outils.dates import jour
from portail.outils.fichiers import Piece, balayer_orphelins

RAPPEL_QUOTIENT = timedelta(days=30)
RAPPEL_DOCUMENT = timedelta(days=30)
# Nature of a paper -> the kind of demande it is joined to.
DEMANDE_DU_DOCUMENT = {nature: genre.code for genre in TYPES.values() if genre.par_enfant for nature in genre.natures}
PDF_PAR_TOUR = 20  # documents of invoices made in one round, so that the other jobs do not wait
HEURE_RESUME = 8  # local time of the services' daily mail


def passer() -> None:
    """One round of the clock: sweep what waits, then the timed jobs that are due. Safe at any time, anywhere."""
    maintenant = timezone.now()
    traiter_oublis()
    refuser_jours_fermes(par=None)
    relancer_justificatifs(maintenant=maintenant)
    offrir_les_places(maintenant)
    poursuivre()
    campagnes.poursuivre()
    envoyer_avis()
    envoyer_courriels()
    interroger()
    balayer_pdf(limite=PDF_PAR_TOUR)
    executer_si_due("resumes", timedelta(minutes=10), envoyer_resumes)
    executer_si_due("resumes-familles", timedelta(minutes=10), courriels.envoyer_resumes)
    executer_si_due("semaines", timedelta(hours=1), rappeler_semaines)
    executer_si_due("quotients", timedelta(hours=6), rappeler_quotients)
    executer_si_due("documents", timedelta(hours=6), rappeler_documents)
    executer_si_due("menage", timedelta(days=1), faire_le_menage)


def rappeler_semaines(*, maintenant) -> None:
    """What waits for the mairie counts as booked, and only demandes knows it."""
    rappels.rappeler(maintenant=maintenant, en_attente=planning.en_attente)


def envoyer_resumes(*, maintenant) -> None:
    """Once a day from 8 o'clock, tell each service that wants it how many demandes and messages wait; no name."""
    local = timezone.localtime(maintenant)
    if local.hour < HEURE_RESUME:
        return
    ce_matin = local.replace(hour=0, minute=0, second=0, microsecond=0)
    services = ServiceMairie.objects.filter(rythme=ServiceMairie.Rythme.QUOTIDIEN).exclude(courriel="")
    for service in services.filter(Q(resume_le=None) | Q(resume_le__lt=ce_matin)):
        codes = [genre.code for genre in TYPES.values() if genre.service == service.code]
        nombre = Demande.objects.en_attente().filter(type__in=codes).aggregate(n=Count("pk"))["n"]
        messages = Fil.objects.en_attente().filter(service=service).count()
        if nombre or messages:
            envoyer_modele("resume_demandes", service.courriel, service=service, nombre=nombre, messages=messages)
        service.resume_le = maintenant
        service.save(update_fields=["resume_le"])


def rappeler_quotients(*, maintenant) -> None:
    """A month before a quotient ends without a next one, the family reads it in its inbox, once."""
    aujourdhui = timezone.localdate(maintenant)
    bientot = QuotientFamilial.objects.filter(
        valable_au__gte=aujourdhui, valable_au__lte=aujourdhui + RAPPEL_QUOTIENT, valeur__isnull=False, rappele_le=None
    ).select_related("famille")
    for quotient in bientot.select_for_update(of=("self",)).order_by("pk"):
        if quotient.famille.quotients.filter(valable_du__gt=quotient.valable_au).exists():
            continue
        notifier(
            quotient.famille,
            sujet="Votre quotient familial arrive à échéance",
            corps=f"Bonjour,\n\nVotre quotient familial vaut jusqu'au {jour(quotient.valable_au)}. "
            "Sans nouveau quotient, le tarif de la tranche la plus haute s'appliquera ensuite.\n\n"
            "Indiquez-nous votre quotient actuel et joignez votre attestation.",
            par=None,
            service=ServiceMairie.de("comptabilite"),
            lien=reverse("demander", args=["caf"]),
            lien_libelle="Indiquer mon quotient",
        )
        quotient.rappele_le = maintenant
        quotient.save(update_fields=["rappele_le"])


def rappeler_documents(*, maintenant) -> None:
    """A month before a child's paper expires, the household that gave it reads it in its inbox, once."""
    aujourdhui = timezone.localdate(maintenant)
    bientot = DocumentEnfant.objects.actuels().filter(
        expire_le__gte=aujourdhui,
        expire_le__lte=aujourdhui + RAPPEL_DOCUMENT,
        rappele_le=None,
        enfant__archive_le=None,
    )
    deja = set()
    for document in bientot.select_related("enfant", "famille").select_for_update(of=("self",)).order_by("pk"):
        enfant, famille = document.enfant, document.famille
        papier = (enfant.pk, famille.pk, document.nature)
        if papier not in deja and enfant.rattachements.en_vigueur(aujourdhui).filter(famille=famille).exists():
            prevenir(
                famille,
                [enfant],
                sujet=f"{document.get_nature_display()} {enfant.de_prenom} : bientôt à renouveler",
                corps=f"Bonjour,\n\nLe document « {document.get_nature_display()} » {enfant.de_prenom} "
                f"vaut jusqu'au {jour(document.expire_le)}. Envoyez-nous le nouveau dès que vous l'avez : "
                "une photo nette suffit.",
                par=None,
                service=ServiceMairie.de("enfance-jeunesse"),
                lien=reverse("demander_enfant", args=[enfant.uuid, DEMANDE_DU_DOCUMENT[document.nature]]),
                lien_libelle="Envoyer le document",
                modele="document_expire",
            )
        deja.add(papier)
        document.rappele_le = maintenant
        document.save(update_fields=["rappele_le"])


def faire_le_menage(*, maintenant) -> None:
    """Forget what has served: old sessions, mails, forgotten passwords, finished tasks, files without a row."""
    SessionStore.clear_expired()
    Courriel.objects.filter(envoye_le__lt=maintenant - timedelta(days=30)).delete()
    OubliMotDePasse.objects.filter(traite_le__lt=maintenant - timedelta(days=2)).delete()
    DBTaskResult.objects.filter(enqueued_at__lt=maintenant - timedelta(days=1)).delete()
    pieces = [modele for modele in apps.get_models() if issubclass(modele, Piece)]
    balayer_orphelins(pieces, maintenant=maintenant)
