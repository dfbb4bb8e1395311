"""Every text of the cast becomes a payload, and the reader that sees what a page would do of it."""

import re
from datetime import timedelta
from html.parser import HTMLParser
from uuid import uuid4

import pgtrigger
from django.apps import apps
from django.db import models
from django.db.models import EmailField, SlugField
from django.forms import CharField
from django.forms import EmailField as ChampEmail
from django.utils import timezone

from demandes import actions
from demandes.models import Demande, JourDemande, PieceJointe
from demandes.types import DU_DOSSIER
from enfants import offre
from enfants.models import DocumentEnfant, Enfant, Fermeture, Place, Presence, Service, SuspensionAcces
from facturation.models import PdfFacture
from familles.models import Utilisateur
from messagerie import actions as messagerie
from messagerie.actions import notifier
from messagerie.models import Diffusion, PieceMessage, ReponseType, ServiceMairie
from portail.commune import Commune
from portail.outils.fichiers import ranger
from portail.publications import Actualite, Document, FichierPublie
from tests.canaris import papier
from tests.charges import CHARGES_XSS
from tests.facturation.exemplaires import une_de_chaque

APPLICATIONS = ("familles", "enfants", "messagerie", "demandes", "facturation", "portail")
# Written by the portal alone, or by nobody: keys, addresses of pages, hashes, types of files.
JAMAIS_TAPES = {
    "Utilisateur.password",
    "Utilisateur.identifiant",
    "Fil.contexte",
    "Fil.contexte_lien",
    "Message.lien",
    "PieceMessage.type_mime",
    "PieceJointe.type_mime",
    "DocumentEnfant.type_mime",
    "Demande.objet",
    "Demande.valeurs_avant",
    "Demande.valeurs_demandees",  # below, by the fields of its form
    "AbonnementCalendrier.empreinte",
    "SituationFiscale.revenu_fiscal",  # a number
    "ConsultationSante.page",
    "Sante.vaccinations",
    "Sante.allergenes",
    "Commune.couleur",  # colours: seen on their own, below
    "Service.couleur",
    "FichierPublie.type_mime",
    "Document.lien",  # an address, checked as one; see tests/portail/test_publications.py
    "PdfFacture.type_mime",
    "Facture.reference",  # computed, as are the next ones
    "TentativePaiement.client",
    "TentativePaiement.reference",
    "TentativePaiement.jeton",
    "TentativePaiement.operation",
    "TentativePaiement.saisie",
    "TentativePaiement.moyen",
    "AttestationFiscale.code",
    "LotPrelevement.identifiant",
    "Prelevement.rejet",  # one of a list
    "Regie.dft_service",  # capitals and digits
    "Regie.payfip_client",  # six digits
    "Regie.reference",  # a pattern, checked as one; see tests/facturation/test_admin_grilles.py
}
SANS_LIGNE = {"Courriel", "OubliMotDePasse", "Minuterie"}  # of the portal's own
SANS_LIGNE |= {"OperationSimulee"}  # the simulator's, written by its own pages
# What an invoice keeps of what was typed elsewhere: all the texts within.
COPIES = {"Facture.debiteur", "Facture.emetteur", "LigneFacture.jours", "AttestationFiscale.contenu"}
SAUF_COPIES = {"regime", "payfip", "payfip_client", "naissance", "avance"}  # read by the portal, not printed
GELES = ("Facture:gelee", "LigneFacture:gelee", "Ecriture:immuable")  # triggers that no page gets round


# --- What a payload would do ---------------------------------------------------------------------------

SCHEMAS = re.compile(
    r"^[\x00-\x20]*(j\s*a\s*v\s*a\s*s\s*c\s*r\s*i\s*p\s*t|v\s*b\s*s\s*c\s*r\s*i\s*p\s*t|data\s*:\s*text)", re.I
)
ADRESSES = ("href", "src", "action", "formaction", "data", "xlink:href", "poster", "srcdoc", "background")
JAMAIS = {"iframe", "object", "embed", "base", "math", "applet"}


class Effets(HTMLParser):
    """What a page would do that no template of ours asks for; and the texts that hold a payload."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.effets, self.textes, self.ouverte = [], [], ""
        self.feed(html)
        self.close()

    def handle_starttag(self, balise, attributs):
        self.ouverte = balise
        if balise in JAMAIS:
            self.effets.append(f"<{balise}>")
        for nom, valeur in attributs:
            valeur = valeur or ""
            if nom.startswith("on") or "xq" in nom or (nom == "style" and "xq" in valeur):
                self.effets.append(f"<{balise} {nom}={valeur[:60]}>")
            if nom in ADRESSES and (SCHEMAS.match(valeur) or "x.example" in valeur.partition("?")[0]):
                self.effets.append(f"<{balise} {nom}={valeur[:60]}>")
            if balise == "meta" and "xq" in valeur:
                self.effets.append(f"<meta {nom}={valeur[:60]}>")
            if "xq" in valeur:
                self.textes.append(valeur)

    handle_startendtag = handle_starttag

    def handle_endtag(self, balise):
        self.ouverte = ""

    def handle_data(self, texte):
        if self.ouverte in ("script", "style") and "xq" in texte:
            self.effets.append(f"<{self.ouverte}> : {texte[:60]}")
        elif "xq" in texte:
            self.textes.append(texte)

    def handle_comment(self, texte):
        if "xq" in texte:
            self.effets.append(f"commentaire : {texte[:60]}")


# --- Every field ----------------------------------------------------------------------------------------


def remplir(maximum, rang):
    """As many payloads as the field takes, from this one on; the beginning of one where none fits."""
    ordre = [CHARGES_XSS[(rang + n) % len(CHARGES_XSS)] for n in range(len(CHARGES_XSS))]
    if maximum is None:
        return "\n".join(ordre)
    texte = ""
    for charge in ordre:
        if len(texte) + len(charge) <= maximum:
            texte += charge
    return texte or ordre[0][:maximum]


def champs(modele):
    """The fields of a model into which somebody types a text."""
    return [
        champ
        for champ in modele._meta.concrete_fields
        if isinstance(champ, models.CharField | models.TextField)
        and not isinstance(champ, SlugField)
        and not champ.choices
        and f"{modele.__name__}.{champ.name}" not in JAMAIS_TAPES
    ]


def modeles():
    return [
        modele
        for modele in apps.get_models()
        if modele._meta.app_label in APPLICATIONS
        and not modele._meta.proxy
        and not modele.__name__.endswith("Event")
        and modele.__name__ not in SANS_LIGNE
        and (champs(modele) or copies(modele))
    ]


def copies(modele):
    return [champ for champ in modele._meta.concrete_fields if f"{modele.__name__}.{champ.name}" in COPIES]


def empoisonner_copie(valeur, rang):
    """The same value, each text within a payload; dates stay, which a page reads."""
    if isinstance(valeur, dict):
        return {
            nom: v if nom in SAUF_COPIES else empoisonner_copie(v, rang + n)
            for n, (nom, v) in enumerate(valeur.items())
        }
    if isinstance(valeur, list):
        return [empoisonner_copie(v, rang + n) for n, v in enumerate(valeur)]
    if not isinstance(valeur, str) or re.fullmatch(r"[0-9.-]+", valeur):
        return valeur
    return remplir(80, rang)


@pgtrigger.ignore(*(f"facturation.{gele}" for gele in GELES))
def empoisonner(tour):
    """Fill every text field of every row; returns the fields that have no row."""
    rang, sans_ligne = tour, []
    for modele in modeles():
        lignes = list(modele.objects.order_by("pk"))
        if not lignes:
            sans_ligne.append(modele.__name__)
        for ligne in lignes:
            for champ in champs(modele):
                rang += 1
                if isinstance(champ, EmailField):
                    valeur = f'"<img/src/onerror=xq({rang % 40 + 1})>{ligne.pk}"@ex.fr'
                elif champ.unique or modele.__name__ in ("Formule", "Classe"):
                    valeur = remplir(champ.max_length - 6, rang) + str(ligne.pk)
                else:
                    valeur = remplir(champ.max_length, rang)
                if champ.name in ("expediteur", "courriel_en_attente"):
                    continue
                setattr(ligne, champ.name, valeur)
            for champ in copies(modele):
                setattr(ligne, champ.name, empoisonner_copie(getattr(ligne, champ.name), rang))
            models.Model.save(ligne)
    offre.oublier()
    for service in ServiceMairie.objects.order_by("pk"):
        service.save()  # forgets the one kept a minute
    Commune.objects.get().save()
    return sans_ligne


def demander_partout():
    """A pending demande of each kind, every text of its form a payload; a refused one; threads, papers."""
    claire, agent = (Utilisateur.objects.get(identifiant=login) for login in ("durand", "agent"))
    famille, lea = claire.adulte.famille, Enfant.objects.get(prenom="Léa")
    famille.demandes.en_attente().delete()
    for rang, genre in enumerate(DU_DOSSIER.values()):
        textes = [
            nom
            for nom, champ in genre.formulaire.base_fields.items()
            if isinstance(champ, CharField) and not isinstance(champ, ChampEmail) and nom != "iban"
        ]
        Demande.objects.create(
            type=genre.code,
            famille=famille,
            enfant=lea if genre.par_enfant else None,
            valeurs_demandees={nom: remplir(80, rang + n) for n, nom in enumerate(textes)}
            | ({"date_naissance": "2024-03-14"} if "date_naissance" in genre.formulaire.base_fields else {}),
            valeurs_avant={},
            deposee_par=claire,
        )
    refusee = Demande.objects.filter(famille=famille, type="responsable").latest("pk")
    colonnes = ranger("a.pdf", "application/pdf", papier("x"))
    PieceJointe.objects.create(demande=refusee, deposee_par=claire, **colonnes)
    actions.refuser(refusee.pk, par=agent, motif="motif")
    fil = notifier(famille, sujet="s", corps="c", par=agent, lien="/demandes/", lien_libelle="l").fil
    PieceMessage.objects.create(message=fil.messages.get(), **colonnes)
    rien_sans_ligne(famille, colonnes)
    notifier(famille, sujet="s", corps="c", par=None, objet=refusee.objet_du_fil)
    messagerie.ecrire(claire.adulte, service=None, sujet="s", corps="c", objet=refusee.objet_du_fil, cle=uuid4())


def rien_sans_ligne(famille, piece):
    """A row of what the cast has none of."""
    lea, agent = Enfant.objects.get(prenom="Léa"), Utilisateur.objects.get(identifiant="agent")
    jour, cantine = timezone.localdate(), Service.objects.get(code="restauration")
    julien = famille.responsables.get(rang=2)
    Enfant.objects.filter(pk=lea.pk).update(date_naissance=jour - timedelta(days=2500))
    lea.refresh_from_db()
    une_de_chaque(famille, [lea], par=agent)
    PdfFacture.objects.create(facture=famille.factures.emises().earliest("pk"), **piece)
    ReponseType.objects.create(libelle="l", texte="t")
    Actualite.objects.create(titre="t", corps="c")
    FichierPublie.objects.create(document=Document.objects.create(genre="DOCUMENT", titre="t"), **piece)
    diffusion = Diffusion.objects.create(sujet="s", corps="c", selection="s", par=agent)
    PieceMessage.objects.create(diffusion=diffusion, **piece)
    SuspensionAcces.objects.create(enfant=Enfant.objects.get(prenom="Tom"), adulte=julien, motif="m")
    DocumentEnfant.objects.create(enfant=lea, famille=famille, nature="ASSURANCE", **piece)
    Fermeture.objects.create(valable_du=jour + timedelta(days=9), valable_au=jour + timedelta(days=9), motif="m")
    place = Place.objects.get_or_create(
        service=cantine, site=cantine.implantations.first().site, jour=jour - timedelta(days=1)
    )[0]
    Presence.objects.update_or_create(
        enfant=lea, service=cantine, jour=place.jour, defaults={"place": place, "etat": "ABSENT", "pointee_par": agent}
    )

    for genre, geste in (("reservation", "RESERVER"), ("absence", "ABSENCE")):
        demande = Demande.objects.create(
            type=genre,
            famille=famille,
            enfant=lea,
            deposee_par=famille.responsables.get(rang=1).utilisateur,
            valeurs_demandees={"enfants": "e", "resume": "r", "raison": "r", "mot": "m", "motif": "maladie"},
        )
        le = jour + timedelta(days=20 + len(genre))
        JourDemande.objects.create(demande=demande, enfant=lea, service=cantine, jour=le, geste=geste)


def poison_des_plannings():
    for demande in Demande.objects.filter(type__in=["reservation", "absence"]):
        textes = {nom: remplir(60, n) for n, nom in enumerate(("enfants", "resume", "raison", "mot"))}
        demande.valeurs_demandees = demande.valeurs_demandees | textes
        demande.save(update_fields=["valeurs_demandees"])
