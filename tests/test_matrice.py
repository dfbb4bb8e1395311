"""Who gets what, at every address: a cell of tests/matrice.py, a request, its answer, and what it wrote."""

from datetime import date
from decimal import Decimal
from itertools import product
from urllib.parse import quote
from uuid import uuid4

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.contrib.auth.tokens import default_token_generator
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.http import HttpResponse
from django.urls import resolve
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from demandes.models import Demande, Justificatif, MotifRefus, PieceJointe
from enfants import fiches
from enfants.abonnement import creer
from enfants.actions import ajouter_enfant
from enfants.models import (
    Attente,
    ConfirmationDossier,
    DocumentEnfant,
    Ecole,
    Enfant,
    Fermeture,
    Garde,
    Implantation,
    Inscription,
    JourFerie,
    MotifAbsence,
    PeriodeVacances,
    Presence,
    RegleDelai,
    Reglement,
    Reservation,
    Service,
    Site,
    Vaccin,
)
from enfants.regles.annees import a_venir, annee_scolaire, libelle
from facturation import actions as comptes
from facturation import campagnes, paiements
from facturation.actions import encaisser
from facturation.attestations import attester
from facturation.models import AideFamille, LotPrelevement, Mandat, Moyen, Prelevement, Regie
from facturation.regles.payfip import Issue
from familles.actions import SEL_COURRIEL
from familles.models import Famille, Responsable, Utilisateur
from messagerie.actions import ecrire, notifier, supprimer
from messagerie.courriels import SEL
from messagerie.diffusions import preparer
from messagerie.models import Courriel, Fil, PieceMessage, ReponseType, ServiceMairie
from portail import urls
from portail.outils.fichiers import ranger
from portail.publications import Actualite, Document, remplacer_fichier
from tests import matrice
from tests.conftest import ClientVerifie
from tests.facturation.essai import facture_essai, regie_essai, titre_essai
from tests.facturation.grilles_essai import voter
from tests.facturation.papiers_essai import facturer
from tests.facturation.papiers_essai import ligne as ligne_facture
from tests.matrice import AGENTS, GESTES, MATRICE, METHODES, PLAFONDS, PROFILS, Ligne, page_famille
from tests.papiers import sans_encre
from tests.partage import copier_les_fichiers, partager

pytestmark = pytest.mark.django_db

# Tables that a request may touch whatever the page: a session opens, closes, is stamped.
SANS_IMPORTANCE = {"django_session"}


# --- The world the addresses speak of --------------------------------------------------------------------


@pytest.fixture(scope="module")
def essais(django_db_setup, django_db_blocker, tmp_path_factory):
    """``(cookies, identifiers, directory of the files)``, the same rows for every test here."""
    dossier = tmp_path_factory.mktemp("matrice")
    with partager(_tout_batir, django_db_blocker, dossier) as (cles, monde):
        yield cles, monde, dossier


def _tout_batir():
    with pytest.MonkeyPatch.context() as monkeypatch:
        sans_encre(monkeypatch)
        return _ouvrir_les_sessions(), _batir_le_monde()


@pytest.fixture
def profils(essais, db):
    return essais[0]


@pytest.fixture
def monde(essais, db, tmp_path):
    copier_les_fichiers(essais[2], tmp_path)
    return essais[1]


def _ouvrir_les_sessions():
    """Session cookie of each profile, made without logging in fourteen times."""
    administrateur, _, lecteur = (
        Utilisateur.objects.create(identifiant=nom, prenom="Essai", nom=nom, is_staff=True, password="!")
        for nom in ("administrateur", "sans_groupe", "lecteur")
    )
    administrateur.groups.add(Group.objects.get(name=AGENTS["administrateur"]))
    partout = Permission.objects.filter(codename="voir_partout_enfant")
    lecteur.user_permissions.set(Permission.objects.filter(codename__startswith="view_") | partout)
    comptes = {c.identifiant: c for c in Utilisateur.objects.filter(identifiant__in=PROFILS)}
    assert set(comptes) == set(PROFILS) - {"anonyme"}
    sessions = {identifiant: _session(compte) for identifiant, compte in comptes.items()}
    Session.objects.bulk_create(sessions.values())
    return {identifiant: session.session_key for identifiant, session in sessions.items()}


@pytest.fixture(autouse=True)
def papiers_sans_encre(monkeypatch):
    """The right to print, not the print."""
    sans_encre(monkeypatch)


def _session(compte):
    donnees = {
        "_auth_user_id": str(compte.pk),
        "_auth_user_backend": "familles.connexion.CompteActif",
        "_auth_user_hash": compte.get_session_auth_hash(),
        "vu_le": int(timezone.now().timestamp()),
    }
    return Session(
        session_key=f"essai{compte.pk:027d}",
        session_data=SessionStore().encode(donnees),
        expire_date=timezone.now() + timezone.timedelta(hours=1),
    )


def familles_de(identifiant):
    return Famille.objects.get(responsables__utilisateur__identifiant=identifiant)


def _batir_le_monde():
    """Name in an address -> identifier: the objects are the Durands' unless their name says otherwise."""
    famille_durand = familles_de("durand")
    claire = Responsable.objects.get(utilisateur__identifiant="durand")
    agent = Utilisateur.objects.get(identifiant="agent")
    demande = Demande.objects.en_attente().get(famille=famille_durand)
    rossi = Demande.objects.create(
        type="bancaires",
        famille=familles_de("rossi"),
        valeurs_demandees={"titulaire": "Elena"},
        deposee_par=Utilisateur.objects.get(identifiant="rossi"),
        deposee_le=demande.deposee_le - timezone.timedelta(days=1),
    )
    piece = PieceJointe.objects.create(
        demande=demande, deposee_par=claire.utilisateur, **ranger("avis.pdf", "application/pdf", b"%PDF-1.4 essai")
    )
    enfants = {e.prenom: e for e in Enfant.objects.order_by("pk")}
    sante = Demande.objects.create(
        type="sante",
        famille=famille_durand,
        enfant=enfants["Léa"],
        valeurs_demandees={"medecin_nom": "Dr Rose"},
        deposee_par=claire.utilisateur,
        etat=Demande.Etat.REFUSEE,
        motif="Illisible",
        traitee_par=agent,
        traitee_le=timezone.now(),
    )
    piece_sante = PieceJointe.objects.create(
        demande=sante, deposee_par=claire.utilisateur, **ranger("carnet.pdf", "application/pdf", b"%PDF-1.4 carnet")
    )
    ajout = Demande.objects.create(
        type="ajout-enfant",
        famille=famille_durand,
        valeurs_demandees={"prenom": "Lou", "nom": "Durand", "date_naissance": "2024-03-02"},
        deposee_par=claire.utilisateur,
    )
    planning = Demande.objects.create(
        type="reservation",
        famille=famille_durand,
        valeurs_demandees={"enfants": "Léa", "resume": "1 jour réservé"},
        etat=Demande.Etat.ACCEPTEE,
        traitee_le=timezone.now(),
        deposee_par=claire.utilisateur,
    )
    absence = Demande.objects.create(
        type="absence",
        famille=famille_durand,
        enfant=enfants["Léa"],
        valeurs_demandees={"enfants": "Léa", "resume": "1 jour d'absence", "raison": "Enfant malade"},
        deposee_par=claire.utilisateur,
        deposee_le=demande.deposee_le,
    )
    Justificatif.objects.create(demande=absence, attendu_avant=timezone.now() + timezone.timedelta(days=1))
    documents = {
        nom: DocumentEnfant.objects.create(
            enfant=enfants[prenom],
            famille=familles_de(login),
            nature=nature,
            **ranger(f"{nom}.pdf", "application/pdf", b"%PDF-1.4 document"),
        ).uuid
        for nom, prenom, login, nature in [
            ("pai", "Léa", "durand", "PAI"),
            ("assurance", "Léa", "durand", "ASSURANCE"),
            ("pai_ines", "Inès", "benali", "PAI"),
            ("pai_tom", "Tom", "durand", "PAI"),
        ]
    }
    fil = notifier(famille_durand, sujet="Pour tous", corps="…", par=agent).fil
    fil_claire = notifier(famille_durand, sujet="Pour vous", corps="…", par=agent, destinataire=claire).fil
    enfance = ServiceMairie.objects.get(code="enfance-jeunesse")
    fil_du_service = notifier(famille_durand, sujet="Du service", corps="…", par=agent, service=enfance).fil
    fil_de_tous = ecrire(claire, service=None, sujet="Essai", corps="Bonjour", cle=uuid4()).fil
    Fil.objects.filter(pk=fil_de_tous.pk).update(service=None)
    diffusion = preparer(
        sujet="Essai",
        corps="Bonjour",
        selection="Essai",
        destinataires=[(famille_durand.pk, None)],
        service=None,
        par=agent,
        cle=uuid4(),
    )
    supprimer([fil], claire)
    papiers = {
        nom: PieceMessage.objects.create(
            message=ecrit.messages.first(), **ranger("plan.pdf", "application/pdf", b"%PDF-1.4 plan")
        ).uuid
        for nom, ecrit in [("piece_message", fil), ("piece_claire", fil_claire)]
    }
    ancien = ajouter_enfant(famille_durand, prenom="Paul", nom="Durand")
    hier = timezone.localdate() - timezone.timedelta(days=1)
    ancien.rattachements.update(valable_du=hier, valable_au=hier)
    Utilisateur.objects.filter(pk=claire.utilisateur_id).update(courriel_en_attente="neuve@famille.example")
    a_confirmer = [(enfants["Léa"], "durand"), (ancien, "durand"), (enfants["Inès"], "benali")]
    ConfirmationDossier.objects.bulk_create(
        ConfirmationDossier(enfant=enfant, famille=familles_de(foyer), annee=a_venir(timezone.localdate()))
        for enfant, foyer in a_confirmer
    )
    uid = {nom: Utilisateur.objects.get(identifiant=nom) for nom in ("durand", "martin", "admin", "comptable")}
    return {
        **documents,
        **papiers,
        "service_mairie": ServiceMairie.objects.get(code="enfance-jeunesse").pk,
        "jeton_desabonnement": signing.dumps(claire.pk, salt=SEL),
        "demande_absence": absence.uuid,
        "jeton_calendrier": creer(claire),
        "demande_sante": sante.pk,
        "demande_ajout": ajout.uuid,
        "demande_planning": planning.uuid,
        "piece_sante": piece_sante.uuid,
        "demande": demande.uuid,
        "demande_rossi": rossi.uuid,
        "piece": piece.uuid,
        "fil": fil.uuid,
        "fil_claire": fil_claire.uuid,
        "lea": enfants["Léa"].uuid,
        "ines": enfants["Inès"].uuid,
        "adam": enfants["Adam"].uuid,
        "ancien": ancien.uuid,
        "inconnu": uuid4(),
        "uid_durand": urlsafe_base64_encode(force_bytes(uid["durand"].pk)),
        "uid_martin": urlsafe_base64_encode(force_bytes(uid["martin"].pk)),
        "jeton_durand": default_token_generator.make_token(uid["durand"]),
        "jeton_courriel": signing.dumps([uid["durand"].pk, "neuve@famille.example"], salt=SEL_COURRIEL),
        "compte_admin": uid["admin"].pk,
        "compte_agent": uid["comptable"].pk,
        "adulte": claire.pk,
        "adulte_seul": Responsable.objects.get(utilisateur__identifiant="martin").pk,
        "famille_martin": familles_de("martin").pk,
        "enfant_ailleurs": enfants["Tom"].pk,
        "ines_cle": enfants["Inès"].pk,
        "auth.group": Group.objects.create(name="Essai").pk,
        "demandes.demande": demande.pk,
        "demandes.motifrefus": MotifRefus.objects.first().pk,
        "enfants.ecole": Ecole.objects.create(nom="Essai").pk,
        "enfants.enfant": enfants["Léa"].pk,
        "enfants.fermeture": Fermeture.objects.create(
            valable_du="2099-05-07", valable_au="2099-05-07", motif="Pont"
        ).pk,
        "enfants.garde": Garde.objects.get(enfant=enfants["Inès"]).pk,
        "enfants.inscription": Inscription.objects.exclude(jours=[]).filter(enfant=enfants["Léa"]).first().pk,
        **_offre(),
        **_argent(famille_durand, uid["comptable"]),
        "enfants.periodevacances": PeriodeVacances.objects.first().pk,
        "enfants.presence": Presence.objects.filter(enfant=enfants["Léa"]).order_by("pk").first().pk,
        "enfants.vaccin": Vaccin.objects.first().pk,
        "site_du_bourg": site_de(enfants["Léa"]),
        "site_ailleurs": site_de(enfants["Tom"]),
        **_tarifs(famille_durand),
        "familles.famille": famille_durand.pk,
        "familles.utilisateur": uid["durand"].pk,
        "messagerie.courriel": Courriel.objects.order_by("pk").first().pk,
        "messagerie.diffusion": diffusion.pk,
        "messagerie.fil": fil_du_service.pk,
        "messagerie.reponsetype": ReponseType.objects.order_by("pk").first().pk,
        "fil_de_tous": fil_de_tous.pk,
        "messagerie.servicemairie": ServiceMairie.objects.create(code="essai", nom="Essai").pk,
        "portail.actualite": Actualite.objects.create(titre="Essai", corps="…").pk,
        "portail.commune": 1,
        **_publications(),
        **_mois(),
        **_factures(famille_durand),
        **_paiements(famille_durand, claire.utilisateur),
        **_papiers_factures(famille_durand, ancien, claire),
    }


def _mois():
    """A month begun, another to begin."""
    regie = Regie.objects.get(code="restauration")
    dernier = timezone.localdate().replace(day=1) - timezone.timedelta(days=1)
    campagne = campagnes.ouvrir(regie, dernier)
    return {
        "regie_restauration": regie.pk,
        "facturation.campagne": campagne.pk,
        "mois_dernier": dernier.replace(day=1).isoformat(),
    }


def _factures(famille):
    """Of the household: an invoice, a draft; and the school year."""
    regie = regie_essai("factures")
    return {
        "facture": facture_essai(famille, regie).uuid,
        "brouillon": facture_essai(famille, regie, emise=False).uuid,
        "annee": libelle(annee_scolaire(timezone.localdate())),
    }


def _paiements(famille, par):
    """An invoice to pay on line, a payment under way, one that awaits PayFiP's list."""
    regie = regie_essai("en-ligne", payfip="REDIRECTION", payfip_client="018110")
    demain = timezone.localdate() + timezone.timedelta(days=1)
    factures = [facture_essai(famille, regie, "30.00", echeance=demain) for _ in range(2)]
    en_cours, payee = (paiements.commencer(facture, par=par) for facture in factures)
    paiements.conclure(payee, Issue.PAYE)
    return {
        "facture_en_ligne": factures[0].uuid,
        "tentative": en_cours.uuid,
        "jeton_avis": en_cours.jeton,
        "facturation.tentativepaiement": payee.pk,
    }


def _papiers_factures(famille, enfant, claire):
    """An invoice paid last year, for a child who was small; its receipt and its certificate."""
    annee = timezone.localdate().year - 1
    Enfant.objects.filter(pk=enfant.pk).update(date_naissance=date(annee - 3, 5, 1))
    regie, service = regie_essai("papiers"), Service.objects.get(code="accueil-soir")
    soirs = ligne_facture("Accueil du soir", "40", enfant=enfant, service=service, part_garde=100)
    facture = facturer(famille, regie, soirs, mois=date(2020, 10, 1), emise_le=date(2020, 11, 2))
    virement = {"moyen": Moyen.VIREMENT, "montant": facture.total, "recu_le": date(annee, 6, 1)}
    reglement = encaisser(famille, regie=regie, par=None, **virement)
    attestation = attester(claire, enfant.uuid, annee, par=claire.utilisateur)
    return {
        "reglement": reglement.uuid,
        "regie_papiers": regie.pk,
        "annee_attestee": annee,
        "attestation_code": attestation.code,
        "facturation.attestationfiscale": attestation.pk,
    }


def _publications():
    """Documents for all, for one school, to come; the last may be deleted."""
    demain = timezone.localdate() + timezone.timedelta(days=1)
    publies = {
        nom: Document.objects.create(titre=nom, **colonnes)
        for nom, colonnes in [
            ("portail_document", {}),
            ("document_public", {"public": True}),
            ("document_bourg", {}),
            ("document_pommiers", {}),
            ("document_a_venir", {"public": True, "publie_du": demain}),
        ]
    }
    for nom, document in publies.items():
        remplacer_fichier(document, ("essai.pdf", "application/pdf", b"%PDF-1.4 essai"))
        if nom in ("document_bourg", "document_pommiers"):
            document.ecoles.add(Ecole.objects.get(nom__endswith=nom.partition("_")[2].capitalize()))
    cles = {nom: document.uuid for nom, document in publies.items()}
    return cles | {"portail.document": publies["portail_document"].pk}


def site_de(enfant):
    """Where the child goes in the evening."""
    return Implantation.objects.get(service__code="accueil-soir", ecoles=enfant.ecole).site_id


def _argent(famille, agent):
    """What the Durands owe and pay: by régie, by titre, by direct debit."""
    regie = regie_essai(ics="FR72ZZZ123456", iban="FR1420041010050500013M02606", titulaire="Essai")
    titre, jour = titre_essai(), date(2020, 1, 2)
    emise = facture_essai(famille, regie, "30.00")
    brouillon = facture_essai(famille, regie, "30.00", mois=date(2026, 11, 1), emise=False)
    payer = {"regie": regie, "moyen": "CHEQUE", "montant": Decimal(5), "recu_le": jour, "par": agent}
    remis, reglement = (comptes.encaisser(famille, **payer) for _ in range(2))
    role = comptes.prendre_en_role(
        [facture_essai(famille, titre, "30.00")], regie=titre, numero="7", exercice=2026, le=jour, par=agent
    )
    mandat = Mandat.objects.create(
        famille=famille, regie=regie, rum="ESSAI", titulaire="C", iban="FR7630006000011234567890189", signe_le=jour
    )
    lot = LotPrelevement.objects.create(
        regie=regie, le=jour, identifiant="ESSAI", prepare_par=agent, fichier_le=timezone.now()
    )
    Prelevement.objects.create(lot=lot, mandat=mandat, facture=emise, montant=20, sequence="FRST")
    return {
        "regie": regie.pk,
        "brouillon_cle": brouillon.pk,
        "facturation.article": role.articles.get().pk,
        "facturation.facture": emise.pk,
        "facturation.lotprelevement": lot.pk,
        "facturation.mandat": mandat.pk,
        "facturation.reglement": reglement.pk,
        "facturation.remise": comptes.remettre([remis], regie=regie, le=jour, par=agent).pk,
        "facturation.role": role.pk,
        "facturation.suivifacture": emise.pk,
        "facturation.suivireglement": reglement.pk,
    }


def _offre():
    """Rows that nothing leads to, so that who may delete them can; a reservation of the cast, and who waits."""
    reservation = Reservation.objects.select_related("place").order_by("pk").first()
    attente = Attente.objects.create(
        enfant=reservation.enfant,
        famille=reservation.famille,
        service=reservation.service,
        jour=reservation.jour,
        place=reservation.place,
        inscrite_par=reservation.reservee_par,
    )
    service = Service.objects.create(
        code="essai", nom="Essai", nom_court="Essai", jours=[0], heure_debut="08:00", heure_fin="09:00"
    )
    lieu = Implantation.objects.create(service=reservation.service, site=Site.objects.create(nom="Essai occupé"))
    return {
        "enfants.attente": attente.pk,
        "enfants.implantation": lieu.pk,
        "enfants.jourferie": JourFerie.objects.first().pk,
        "enfants.motifabsence": MotifAbsence.objects.first().pk,
        "enfants.regledelai": RegleDelai.objects.first().pk,
        "enfants.reglement": Reglement.objects.create(
            annee=2030, version="Essai", texte="…", publie_le="2030-06-01"
        ).pk,
        "enfants.reservation": reservation.pk,
        "enfants.service": service.pk,
        "enfants.site": Site.objects.create(nom="Essai").pk,
    }


def _tarifs(famille):
    """A grid, a régie and an aid that no invoice has used."""
    return {
        "facturation.grille": voter("restauration", "3,40").pk,
        "facturation.regie": Regie.objects.create(code="essai", nom="Essai", regime="REGIE").pk,
        "facturation.aidefamille": AideFamille.objects.create(
            famille=famille, organisme="CCAS", montant=1, valable_du="2026-09-01"
        ).pk,
    }


def situer(texte: str, monde: dict) -> str:
    """``/demandes/{demande}/`` with the identifiers of this run."""
    for nom, valeur in monde.items():
        texte = texte.replace(f"{{{nom}}}", str(valeur))
    assert "{" not in texte, f"objet inconnu dans {texte}"
    return texte


# --- A cell ----------------------------------------------------------------------------------------------


class Navigateur(ClientVerifie):
    """A browser that changes hands: one set of middleware for fourteen profiles."""

    def prendre(self, cle):
        self.cookies.clear()
        if cle:
            self.cookies["sessionid"] = cle


@pytest.fixture
def navigateur(monkeypatch):
    """Half of the cells are refusals: their page is written once for all by others, here a word does.

    PDFs are not printed either: the right to them is what counts.
    """

    def refuser(request, exception):
        return HttpResponse("refus", status=403 if isinstance(exception, PermissionDenied) else 404)

    for nom in ("handler403", "handler404"):
        monkeypatch.setattr(urls, nom, refuser, raising=False)
    monkeypatch.setattr(fiches, "imprimer_inscription", lambda *args, **options: b"%PDF-")
    return Navigateur()


class Ecritures:
    """What a request wrote, and its undoing.

    A statement that is no SELECT raises the doubt, the counters of PostgreSQL settle it: triggers count, and so does
    a row written then put back, which a snapshot of values would miss.
    """

    LECTURES = ("SELECT", "SAVEPOINT", "RELEASE SAVEPOINT", "ROLLBACK TO SAVEPOINT")

    def __enter__(self):
        self.point, self.avant, self.doute = transaction.savepoint(), self._compteurs(), False
        self.ecoute = connection.execute_wrapper(self._ecouter)
        self.ecoute.__enter__()
        return self

    def __exit__(self, *erreur):
        self.ecoute.__exit__(*erreur)
        transaction.savepoint_rollback(self.point)

    def _ecouter(self, executer, sql, params, many, context):
        self.doute = self.doute or not sql.lstrip().startswith(self.LECTURES)
        return executer(sql, params, many, context)

    @staticmethod
    def _compteurs():
        with connection.cursor() as curseur:
            curseur.execute("SELECT relname, n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_xact_user_tables")
            return dict(curseur.fetchall())

    def relever(self) -> set[str]:
        """Tables written since the last call; the rows are as they were before."""
        if not self.doute:
            return set()
        apres = self._compteurs()
        ecrites = {table for table, nombre in apres.items() if nombre != self.avant.get(table, 0)}
        transaction.savepoint_rollback(self.point)
        self.avant, self.doute = apres, False
        return ecrites - SANS_IMPORTANCE


def essayer(navigateur, ligne: Ligne, methode: str, monde: dict, ecritures: Ecritures):
    """Send the request of a cell; return what came and the tables it wrote to."""
    adresse = situer(ligne.adresse, monde)
    if methode == "GET":
        reponse = navigateur.get(adresse, follow=ligne.suite)
    else:
        donnees = {nom: situer(v, monde) if str(v).startswith("{") else v for nom, v in ligne.donnees.items()}
        reponse = navigateur.post(adresse, donnees, follow=ligne.suite)
    if reponse.streaming:
        b"".join(reponse)  # read to its end, the file closes
    return _obtenu(reponse, adresse), ecritures.relever()


def _obtenu(reponse, adresse):
    if reponse.status_code not in (301, 302):
        return reponse.status_code
    retour = quote(adresse, safe="/")
    pages_de_connexion = (f"/connexion/?next={retour}", f"/admin/login/?next={retour}")
    return matrice.CONNEXION if reponse["Location"] in pages_de_connexion else reponse["Location"]


def conforme(attendu, obtenu, monde):
    if isinstance(attendu, str):
        return obtenu == (attendu if attendu == matrice.CONNEXION else situer(attendu, monde))
    if isinstance(attendu, int):
        return obtenu == attendu
    return isinstance(obtenu, str) and attendu.fullmatch(obtenu) is not None


def examiner(ligne, navigateur, profils, monde):
    """A sentence for each cell of the row that is not as declared."""
    with Ecritures() as ecritures:
        for profil, methode in product(PROFILS, METHODES):
            navigateur.prendre(profils.get(profil))
            attendu = ligne.attendu(methode, profil)
            obtenu, ecrites = essayer(navigateur, ligne, methode, monde, ecritures)
            cellule = f"{methode} {ligne.adresse} ({ligne.quoi}) par {profil}"
            if not conforme(attendu, obtenu, monde):
                yield f"{cellule} : {obtenu} au lieu de {attendu}"
            permises = set() if attendu in matrice.REFUS else ligne.ecrit.get(methode, set())
            if permises != matrice.N_IMPORTE_QUOI and not ecrites <= permises:
                yield f"{cellule} : a écrit dans {sorted(ecrites - permises)}"


# --- The tests -------------------------------------------------------------------------------------------


def test_chaque_adresse_du_portail_a_sa_ligne():
    connues, presentes = set(MATRICE), set(matrice.routes())
    assert presentes - connues == set(), "adresses sans ligne : dites qui y a droit"
    assert connues - presentes == set(), "lignes d'adresses qui n'existent plus"


def test_chaque_modele_de_l_administration_a_son_plafond():
    assert {modele._meta.label_lower for modele in admin.site._registry} == set(PLAFONDS)


def test_une_adresse_a_deux_identifiants_a_une_ligne_croisee():
    assert matrice.sans_ligne_croisee(MATRICE) == []


def test_une_ligne_croisee_oubliee_se_voit():
    droite = page_famille("/mes-enfants/{lea}/pieces/{piece}/")
    route = "mes-enfants/<uuid:enfant>/pieces/<uuid:uuid>/"
    assert matrice.sans_ligne_croisee({route: [droite]}) == [route]
    croisee = page_famille("/mes-enfants/{adam}/pieces/{piece}/", foyer=(), croisee=True)
    assert matrice.sans_ligne_croisee({route: [droite, croisee]}) == []


@pytest.mark.parametrize("route", MATRICE)
def test_chacun_obtient_ce_qui_lui_revient_et_rien_d_autre(route, navigateur, profils, monde):
    assert MATRICE[route], "une route sans ligne ne prouve rien"
    for ligne in MATRICE[route]:
        chemin = resolve(situer(ligne.adresse, monde).partition("?")[0]).route
        assert matrice.nom_de_route(chemin) == route, f"{ligne.adresse} est l'adresse d'une autre page"
        assert list(examiner(ligne, navigateur, profils, monde)) == []


def test_un_mot_de_passe_provisoire_n_ouvre_que_le_choix_d_un_autre(navigateur, profils, monde):
    Utilisateur.objects.filter(identifiant__in=PROFILS).update(mot_de_passe_provisoire=True)
    fermees = [
        ligne
        for route, lignes in MATRICE.items()
        for ligne in lignes
        if ligne.get["anonyme"] == matrice.CONNEXION and route not in ("mot-de-passe/", "deconnexion/")
    ]
    assert len(fermees) > 70
    with Ecritures() as ecritures:
        for ligne, profil in product(fermees, ("durand", "admin")):
            navigateur.prendre(profils[profil])
            assert essayer(navigateur, ligne, "POST", monde, ecritures) == ("/mot-de-passe/", set()), ligne.adresse


def test_chaque_geste_des_listes_est_dans_la_table():
    """The stock action of deletion only counts where the page allows it."""
    presents = set()
    for modele, page in admin.site._registry.items():
        nom = modele._meta.label_lower
        presents |= {(nom, getattr(action, "__name__", action)) for action in page.actions}
        if matrice.SUPPRIMER in PLAFONDS[nom]:
            presents.add((nom, "delete_selected"))
    assert presents == {(geste.modele, geste.nom) for geste in GESTES}


@pytest.mark.parametrize("geste", GESTES, ids=lambda geste: f"{geste.nom} {geste.modele}")
def test_un_geste_sur_une_liste_ne_sert_qu_a_qui_en_a_le_droit(geste, navigateur, profils, monde):
    Utilisateur.objects.filter(identifiant__startswith="durand").update(password="!")
    donnees = {"action": geste.nom, "_selected_action": [str(monde[geste.modele])], "post": "yes"}
    adresse = f"/admin/{geste.modele.replace('.', '/')}/"
    ligne = Ligne(geste.nom, adresse, {}, {}, donnees=donnees)
    with Ecritures() as ecritures:
        for profil in PROFILS:
            navigateur.prendre(profils.get(profil))
            _, ecrites = essayer(navigateur, ligne, "POST", monde, ecritures)
            permis = profil in AGENTS and geste.permis(profil)
            assert bool(ecrites) == permis, f"{geste.nom} par {profil} a écrit dans {sorted(ecrites)}"
