"""Queries of the pages (qualite.md G4): as many with 1 row and with 3, and never above the budget.

Counted: SELECT, INSERT, UPDATE and DELETE of a warm request, session and account included; the session's idle stamp
is written once a minute at most and is not.
"""

import re
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from demandes.models import Demande
from demandes.types import DU_DOSSIER as TYPES
from enfants import actions as enfants
from enfants.actions import ajouter_enfant
from enfants.models import (
    Attente,
    Classe,
    ConfirmationDossier,
    Ecole,
    Enfant,
    Garde,
    Implantation,
    Inscription,
    PersonneAutorisee,
    Place,
    RegleDelai,
    Reservation,
    Service,
    Site,
    TrancheAge,
)
from facturation import actions as comptes
from facturation.models import (
    AideFamille,
    AttestationFiscale,
    LotPrelevement,
    Mandat,
    Produit,
    Regie,
    TentativePaiement,
)
from familles import actions as familles
from familles.models import CoordonneesBancaires, DossierCaf, QuotientFamilial, SituationFiscale, Utilisateur
from messagerie.actions import notifier
from messagerie.models import Courriel, ServiceMairie
from portail.outils.fichiers import ranger
from portail.publications import Actualite, Document, remplacer_fichier
from tests.canaris import papier
from tests.facturation.essai import facture_essai, regie_essai, titre_essai
from tests.facturation.grilles_essai import voter

pytestmark = pytest.mark.django_db

COMPTEES = ("SELECT", "INSERT", "UPDATE", "DELETE")


def requetes(navigateur, adresse) -> list[str]:
    """The queries of the page once the commune is cached and the session stamped."""
    assert navigateur.get(adresse).status_code == 200
    with CaptureQueriesContext(connection) as captees:
        assert navigateur.get(adresse).status_code == 200
    return comptees(captees)


def comptees(captees) -> list[str]:
    """The counted statements, without what the trail of changes sets in front of each."""
    sqls = [re.sub(r"^SELECT set_config\('pghistory.*?\}', true\); ", "", r["sql"]) for r in captees.captured_queries]
    return [sql for sql in sqls if sql.lstrip("(").startswith(COMPTEES)]


def lister(sqls):
    return "\n".join(sql[:200] for sql in sqls)


# --- Rows, one by one ------------------------------------------------------------------------------------


class Lignes:
    """Adds rows that the list pages show, all different: another family, adult, child, agent each time."""

    def __init__(self, famille):
        self.famille, self.nombre = famille, 0
        self.parent = famille.responsables.get().utilisateur
        self.types = iter(TYPES)

    def _nom(self):
        self.nombre += 1
        return f"Zedelai{chr(ord('a') + self.nombre)}"

    def demande(self):
        agent = self.agent()
        return Demande.objects.create(
            type=next(self.types), famille=self.famille, deposee_par=self.parent, lue_par=agent, lue_le=timezone.now()
        )

    def fil(self, famille=None):
        nom = self._nom()
        service = ServiceMairie.objects.create(code=nom.lower(), nom=nom)
        return notifier(famille or self.famille, sujet=nom, corps="…", par=self.agent(), service=service).fil

    def enfant(self):
        return ajouter_enfant(self.famille, prenom=self._nom(), nom="Essai")

    def enfant_complet(self):
        enfant = dossier_complet(self.famille, self._nom())
        Demande.objects.create(type="sante", famille=self.famille, enfant=enfant, deposee_par=self.parent)
        return enfant

    def autre_famille(self):
        nom = self._nom()
        adultes = [{"prenom": prenom, "nom": nom, "courriel": f"{prenom}@{nom}.example"} for prenom in ("Ana", "Luc")]
        return familles.ouvrir_famille(responsable=adultes[0], conjoint=adultes[1], adresse={"ville": "Bourges"})

    def attestation(self):
        famille = self.autre_famille()
        return AttestationFiscale.objects.create(
            code=self._nom(),
            famille=famille,
            enfant=ajouter_enfant(famille, prenom=self._nom(), nom="Essai"),
            annee=2026,
            montant=40,
            faite_pour=famille.responsables.first().utilisateur,
        )

    def demande_d_une_autre_famille(self):
        famille = self.autre_famille()
        parent = famille.responsables.first().utilisateur
        return Demande.objects.create(type="caf", famille=famille, deposee_par=parent, lue_par=self.agent())

    def fil_d_une_autre_famille(self):
        return self.fil(self.autre_famille())

    def enfant_d_une_autre_famille(self):
        famille, ecole = self.autre_famille(), self.ecole()
        classe = ecole.classes.get()
        return ajouter_enfant(famille, prenom="Léo", nom=famille.nom, ecole=ecole.pk, classe=classe, a_pai=True)

    def ecole(self):
        ecole = Ecole.objects.create(nom=self._nom())
        Classe.objects.create(ecole=ecole, nom="CP")
        return ecole

    def garde(self):
        foyers = [self.autre_famille(), self.autre_famille()]
        return Garde.objects.create(
            enfant=ajouter_enfant(foyers[0], prenom="Léo", nom=foyers[0].nom),
            premier_foyer=foyers[0],
            second_foyer=foyers[1],
            premiere_semaine=timezone.localdate(),
        )

    def inscription(self):
        famille = self.autre_famille()
        return Inscription.objects.create(
            enfant=ajouter_enfant(famille, prenom="Léo", nom=famille.nom),
            famille=famille,
            service=Service.objects.get(code="restauration"),
            annee=2026,
            jours=[0],
            valable_du=date(2026, 9, 1),
            valable_au=date(2027, 8, 31),
        )

    def service(self):
        nom = self._nom()
        return Service.objects.create(
            code=nom.lower(), nom=nom, nom_court=nom, jours=[0, 3], heure_debut="08:00", heure_fin="09:00"
        )

    def site(self):
        return Site.objects.create(nom=self._nom())

    def implantation(self):
        lieu = Implantation.objects.create(service=self.service(), site=self.site())
        lieu.ecoles.add(self.ecole())
        TrancheAge.objects.create(implantation=lieu, age_min=3, age_max=5, capacite=8)
        return lieu

    def regle(self):
        debut = timezone.localdate()
        return RegleDelai.objects.create(
            service=self.service(), usage="RESERVER", regle={"type": "aucune"}, valable_du=debut
        )

    def _jour_d_un_enfant(self):
        """What a reservation and a wait have in common, of rows that no other has."""
        nom, famille, lieu, jour = self._nom(), self.autre_famille(), self.implantation(), timezone.localdate()
        return {
            "enfant": ajouter_enfant(famille, prenom="Léo", nom=nom),
            "famille": famille,
            "service": lieu.service,
            "jour": jour,
            "place": Place.objects.create(service=lieu.service, site=lieu.site, jour=jour),
        }

    def reservation(self):
        return Reservation.objects.create(**self._jour_d_un_enfant(), reservee_par=self.parent)

    def attente(self):
        return Attente.objects.create(**self._jour_d_un_enfant(), inscrite_par=self.parent)

    def grille(self):
        return voter(self.service().code, "3,40")

    def regie(self):
        nom = self._nom()
        regie = Regie.objects.create(code=nom.lower(), nom=nom, regime="REGIE")
        Produit.objects.create(regie=regie, service=self.service())
        return regie

    def aide(self):
        famille, service = self.autre_famille(), self.service()
        enfant = ajouter_enfant(famille, prenom="Léo", nom=famille.nom)
        return AideFamille.objects.create(
            famille=famille, enfant=enfant, service=service, organisme="CCAS", montant=1, valable_du="2026-09-01"
        )

    def agent(self):
        nom = self._nom()
        return Utilisateur.objects.create(identifiant=nom.lower(), prenom="Agent", nom=nom, is_staff=True)

    def actualite(self):
        actualite = Actualite.objects.create(titre=self._nom(), corps="…")
        actualite.ecoles.add(self.ecole())
        actualite.services.add(self.service())

    def document(self):
        document = Document.objects.create(titre=self._nom())
        remplacer_fichier(document, ("a.pdf", "application/pdf", papier("a")))
        document.ecoles.add(self.ecole())

    def paiement_en_ligne(self):
        famille, nom = self.autre_famille(), self._nom()
        facture = facture_essai(famille, regie_essai(nom, payfip="REDIRECTION", payfip_client="018110"))
        TentativePaiement.objects.create(
            facture=facture, par=self.parent, mode="REDIRECTION", montant=1, jeton=nom, exercice=2026, reference=nom
        )

    def _regie(self, faire=regie_essai):
        nom = self._nom()
        return faire(nom.lower(), nom=nom)

    def facture(self, regie=None):
        return facture_essai(self.autre_famille(), regie or self._regie(), "30.00")

    def role(self):
        regie, jour = self._regie(titre_essai), date(2020, 1, 2)
        factures = [self.facture(regie)]
        return comptes.prendre_en_role(
            factures, regie=regie, numero=regie.nom, exercice=2026, le=jour, par=self.agent()
        )

    def titre(self):
        return self.role().articles.get()

    def reglement(self):
        facture = self.facture()
        payer = {"moyen": "CHEQUE", "montant": Decimal(5), "recu_le": date(2020, 1, 2), "par": self.agent()}
        return comptes.encaisser(facture.famille, regie=facture.regie, **payer)

    def remise(self):
        reglement = self.reglement()
        return comptes.remettre([reglement], regie=reglement.regie, le=reglement.recu_le, par=self.agent())

    def mandat(self):
        regie, jour = self._regie(), date(2020, 1, 2)
        return Mandat.objects.create(
            famille=self.autre_famille(), regie=regie, rum=regie.nom, titulaire="C", iban="FR76", signe_le=jour
        )

    def lot(self):
        regie, jour = self._regie(), date(2020, 1, 2)
        return LotPrelevement.objects.create(regie=regie, le=jour, identifiant=regie.nom, prepare_par=self.agent())

    def courriel(self):
        nom = self._nom()
        return Courriel.objects.create(objet=nom, destinataire="a@b.example", corps="…", message_id=nom)


def dossier_complet(famille, prenom):
    """A child with a class of its own, and every sheet of its file."""
    ecole = Ecole.objects.create(nom=f"École de {prenom}")
    classe = Classe.objects.create(ecole=ecole, nom="CP")
    naissance = timezone.localdate() - timedelta(days=2500)
    enfant = ajouter_enfant(
        famille, prenom=prenom, nom="Essai", ecole=ecole.pk, classe=classe, date_naissance=naissance
    )
    enfants.modifier_informations(enfant, {"photo": True, "autre_appareil": "Attelle", "assurance_fin": naissance})
    sante = {"medecin_nom": "Dr Roy", "vaccinations": {"POLIO": "2022-03-14"}, "a_pai": True}
    enfants.modifier_sante(enfant, sante)
    ConfirmationDossier.objects.create(enfant=enfant, famille=famille, annee=2026)
    personne_et_papier(enfant, famille)
    return enfant


def personne_et_papier(enfant, famille, nature="PAI"):
    PersonneAutorisee.objects.create(
        enfant=enfant, famille=famille, prenom="Ana", nom="Roy", lien="Tante", urgence=True
    )
    piece = ranger("a.pdf", "application/pdf", papier("a"))
    enfants.classer_document(enfant, famille, nature, [piece], expire_le=timezone.localdate())


@pytest.fixture
def lignes(famille_martin):
    """Martin's household starts without demande or message."""
    assert not famille_martin.demandes.exists()
    famille_martin.fils.all().delete()
    famille_martin.rattachements.all().delete()
    return Lignes(famille_martin)


PAGES_DE_PARENT = {
    "/demandes/": (Lignes.demande, lambda contexte: len(contexte["lignes"])),
    "/messagerie/": (Lignes.fil, lambda contexte: len(contexte["page"])),
    "/mon-compte/": (Lignes.demande, lambda contexte: len(contexte["lignes"])),
    "/mes-enfants/": (Lignes.enfant, lambda contexte: len(contexte["enfants"])),
}


@pytest.mark.parametrize("page", PAGES_DE_PARENT)
def test_une_page_de_parent_ne_coute_pas_plus_avec_trois_lignes(page, lignes, connecter):
    ajouter, compter = PAGES_DE_PARENT[page]
    navigateur, couts = connecter("martin"), {}
    for nombre in (1, 3):
        while compter(navigateur.get(page).context) < nombre:
            ajouter(lignes)
        couts[nombre] = requetes(navigateur, page)
    assert len(couts[1]) == len(couts[3]), lister(couts[3])


def test_l_accueil_ne_coute_pas_plus_avec_trois_enfants_et_trois_demandes(lignes, connecter):
    navigateur, couts = connecter("martin"), {}
    for nombre in (1, 3):
        while len(navigateur.get("/").context["enfants"]) < nombre:
            lignes.enfant()
            lignes.demande()
            lignes.fil()
        couts[nombre] = requetes(navigateur, "/")
    assert len(navigateur.get("/").context["en_attente"]) == 3
    assert len(couts[1]) == len(couts[3]), lister(couts[3])


@pytest.mark.parametrize("page", ["/mes-enfants/", "/"])
def test_six_dossiers_remplis_ne_coutent_pas_plus_qu_un(page, lignes, connecter):
    navigateur, couts = connecter("martin"), {}
    for nombre in (1, 6):
        while len(navigateur.get(page).context["enfants"]) < nombre:
            lignes.enfant_complet()
        couts[nombre] = requetes(navigateur, page)
    assert len(couts[1]) == len(couts[6]), lister(couts[6])


def test_la_page_d_un_enfant_ne_coute_pas_plus_avec_trois_personnes_et_trois_papiers(lignes, connecter, famille_durand):
    enfant = lignes.enfant_complet()
    enfants.rattacher(enfant, famille_durand)  # the other household has its own list and papers
    Garde.objects.create(
        enfant=enfant, premier_foyer=lignes.famille, second_foyer=famille_durand, premiere_semaine=timezone.localdate()
    )
    navigateur, page = connecter("martin"), f"/mes-enfants/{enfant.uuid}/dossier/"
    premier = requetes(navigateur, page)
    for nature in ("VACCINS", "ASSURANCE"):
        personne_et_papier(enfant, lignes.famille, nature)
        personne_et_papier(enfant, famille_durand, nature)
        Demande.objects.create(
            type="etat-civil" if nature == "VACCINS" else "informations",
            famille=lignes.famille,
            enfant=enfant,
            deposee_par=lignes.parent,
        )
    assert len(navigateur.get(page).context["papiers"]) == 5
    troisieme = requetes(navigateur, page)
    assert len(premier) == len(troisieme), lister(troisieme)


# List of the admin -> how a row is added; a search shows these rows alone.
LISTES = {
    "facturation/attestationfiscale": Lignes.attestation,
    "demandes/demande": Lignes.demande_d_une_autre_famille,
    "enfants/attente": Lignes.attente,
    "enfants/ecole": Lignes.ecole,
    "enfants/enfant": Lignes.enfant_d_une_autre_famille,
    "enfants/garde": Lignes.garde,
    "enfants/inscription": Lignes.inscription,
    "enfants/implantation": Lignes.implantation,
    "enfants/regledelai": Lignes.regle,
    "enfants/reservation": Lignes.reservation,
    "enfants/service": Lignes.service,
    "enfants/site": Lignes.site,
    "facturation/aidefamille": Lignes.aide,
    "facturation/grille": Lignes.grille,
    "facturation/regie": Lignes.regie,
    "facturation/tentativepaiement": Lignes.paiement_en_ligne,
    "facturation/article": Lignes.titre,
    "facturation/facture": Lignes.facture,
    "facturation/lotprelevement": Lignes.lot,
    "facturation/mandat": Lignes.mandat,
    "facturation/reglement": Lignes.reglement,
    "facturation/remise": Lignes.remise,
    "facturation/role": Lignes.role,
    "facturation/suivifacture": Lignes.titre,
    "facturation/suivireglement": Lignes.reglement,
    "familles/famille": Lignes.autre_famille,
    "familles/utilisateur": Lignes.agent,
    "messagerie/courriel": Lignes.courriel,
    "messagerie/fil": Lignes.fil_d_une_autre_famille,
    "portail/actualite": Lignes.actualite,
    "portail/document": Lignes.document,
}


@pytest.mark.parametrize("liste", LISTES)
def test_une_liste_de_l_administration_ne_coute_pas_plus_avec_trois_lignes(liste, lignes, connecter):
    # Of a list that shows what waits, all of it: « etat=toutes ».
    suite = "&etat=toutes" if liste == "messagerie/fil" else ""
    navigateur, couts, page = connecter("admin"), {}, f"/admin/{liste}/?q=zedelai{suite}"
    assert navigateur.get(page).context["cl"].result_count == 0
    for nombre in (1, 3):
        while (presentes := navigateur.get(page).context["cl"].result_count) < nombre:
            LISTES[liste](lignes)
            assert navigateur.get(page).context["cl"].result_count > presentes
        couts[nombre] = requetes(navigateur, page)
    assert len(couts[1]) == len(couts[3]), lister(couts[3])


# --- Budgets ---------------------------------------------------------------------------------------------

BUDGETS = {"/mon-compte/": 8, "/": 8, "/messagerie/": 6, "/demandes/": 6, "/mes-enfants/": 8, "/releve/": 7}


def _rien(famille):
    """As an agent has just opened it."""
    Demande.objects.filter(famille=famille).delete()
    for modele in (SituationFiscale, DossierCaf, QuotientFamilial, CoordonneesBancaires):
        modele.objects.filter(famille=famille).delete()
    famille.fils.all().delete()
    famille.rattachements.all().delete()


def _beaucoup(famille):
    """Years of use: every sheet, quotients to come, forty demandes and messages, six children with their files."""
    parent = famille.responsables.get(rang=1).utilisateur
    agent = Utilisateur.objects.get(identifiant="agent")
    SituationFiscale.objects.update_or_create(famille=famille, defaults={"regime": "CAF", "revenu_fiscal": "30000"})
    DossierCaf.objects.update_or_create(famille=famille, defaults={"numero_allocataire": "1234567"})
    CoordonneesBancaires.objects.update_or_create(famille=famille, defaults={"titulaire": "Nous"})
    QuotientFamilial.objects.filter(famille=famille).delete()
    aujourdhui = timezone.localdate()
    for rang in range(4):
        debut = aujourdhui + timezone.timedelta(days=100 * rang)
        QuotientFamilial.objects.create(
            famille=famille, valeur=800, source="CDAP", valable_du=debut, valable_au=debut + timezone.timedelta(days=99)
        )
    for prenom in ("Un", "Deux", "Trois", "Quatre", "Cinq", "Six"):
        dossier_complet(famille, prenom)
    enfant = Enfant.objects.get(prenom="Six")
    Demande.objects.bulk_create(
        Demande(
            type=type_,
            famille=famille,
            enfant=enfant if TYPES[type_].par_enfant else None,
            etat="REFUSEE",
            motif="…",
            deposee_par=parent,
            traitee_par=agent,
            traitee_le=timezone.now(),
        )
        for type_ in [*TYPES] * 8
    )
    for numero in range(40):
        notifier(famille, sujet=f"Message {numero}", corps="…", par=agent)


@pytest.mark.parametrize("donnees", [_rien, _beaucoup], ids=["sans donnée", "avec beaucoup"])
@pytest.mark.parametrize("identifiant", ["martin", "durand", "durand2"])
def test_les_pages_tiennent_leur_budget_quelle_que_soit_la_famille(identifiant, donnees, connecter, familles_de):
    donnees(familles_de(identifiant))
    navigateur = connecter(identifiant)
    depassees = {}
    for page, budget in BUDGETS.items():
        sqls = requetes(navigateur, page)
        assert sqls
        if len(sqls) > budget:
            depassees[page] = f"{len(sqls)} requêtes pour {budget} :\n{lister(sqls)}"
    assert depassees == {}
