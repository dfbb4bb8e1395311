"""Accueil: what asks for attention, the news, the children, the frames of the account; its price."""

from datetime import date, timedelta
from decimal import Decimal
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from demandes import actions
from demandes.models import Demande, Justificatif, PieceJointe
from enfants import bientot, offre
from enfants.actions import ajouter_enfant, classer_document
from enfants.models import (
    DocumentEnfant,
    Enfant,
    Inscription,
    MotifAbsence,
    Rattachement,
    Reservation,
    Sante,
    Service,
    SuspensionAcces,
)
from facturation.actions import encaisser, prendre_en_role
from facturation.models import Article
from familles.models import Utilisateur
from messagerie.actions import marquer_lu, notifier
from messagerie.models import Fil
from portail.commune import Commune
from portail.mesures import PAGES
from portail.outils import fichiers
from portail.pages import accueil
from portail.publications import Actualite
from tests.facturation.essai import facture_essai, factures_en_nombre, regie_essai, titre_essai
from tests.portail.test_planning import reserver
from tests.test_requetes import comptees, lister

pytestmark = pytest.mark.django_db
PAYER = 'Payer en ligne 15,00 €<br><span class="ligne-detail">Accueil de loisirs, septembre 2026</span>'
MARDI_17, JEUDI_19 = date(2026, 11, 17), date(2026, 11, 19)


def texte(reponse):
    return " ".join(unescape(reponse.content.decode()).replace("\u00a0", " ").split())


def alertes(navigateur, icone=None):
    """(« sujet : suite », address) of what asks for attention."""
    page = navigateur.get("/").context["page"]
    return [
        (f"{alerte.sujet} : {alerte.suite}".replace("\u00a0", " "), alerte.url)
        for alerte in page.alertes
        if icone in (None, alerte.icone)
    ]


def phrases(navigateur, icone=None):
    return [phrase for phrase, _ in alertes(navigateur, icone)]


@pytest.fixture
def sans_papiers(distribution):
    """Nobody's paper is missing or ends: what else asks for attention stands alone."""
    Enfant.objects.update(a_pai=False)


@pytest.fixture
def une_inscription(automne, sans_papiers):
    """``une_inscription("restauration", "Léa")``: registered to this alone, on no habitual day, 16 November at 9."""

    def une_inscription(code, *prenoms):
        Inscription.objects.exclude(service__code=code, enfant__prenom__in=prenoms).delete()
        Inscription.objects.update(jours=[])
        Fil.objects.all().delete()
        Demande.objects.all().delete()
        offre.oublier()

    return une_inscription


# --- Messages --------------------------------------------------------------------------------------------


def test_les_trois_derniers_messages_non_lus_sont_dits_et_les_autres_comptes(connecter, famille_martin, comptes):
    Fil.objects.all().delete()
    for rang in range(5):
        notifier(famille_martin, sujet=f"Message {rang}", corps="…", par=comptes["agent"])
    navigateur = connecter("martin")
    reponse = navigateur.get("/")
    vus = [alerte.sujet for alerte in reponse.context["page"].alertes if alerte.icone == "enveloppe"]
    assert vus == ["Message 4", "Message 3", "Message 2"]
    assert ("Et 2 autres messages non lus", "/messagerie/") in reponse.context["page"].autres
    assert {o.libelle: o.compteur for o in reponse.context["onglets"]}["Boîte de réception"] == 5
    dernier = Fil.objects.get(sujet="Message 4")
    assert alertes(navigateur, "enveloppe")[0][1] == f"/messagerie/{dernier.uuid}/"
    for fil in Fil.objects.exclude(sujet="Message 4"):
        marquer_lu(fil, comptes["martin"].adulte)
    assert phrases(navigateur, "enveloppe") == [
        f"Message 4 : message non lu, la mairie, {accueil.quand(dernier.dernier_le)}".replace("\u00a0", " ")
    ]
    marquer_lu(dernier, comptes["martin"].adulte)
    reponse = navigateur.get("/")
    assert {o.libelle: o.compteur for o in reponse.context["onglets"]}["Boîte de réception"] == 0


def test_le_message_pour_l_autre_adulte_ne_se_dit_pas(connecter, famille_durand, comptes):
    notifier(famille_durand, sujet="Pour Claire", corps="…", par=None, destinataire=comptes["durand"].adulte)
    vus = {qui: any("Pour Claire" in p for p in phrases(connecter(qui))) for qui in ("durand", "durand2")}
    assert vus == {"durand": True, "durand2": False}


def test_la_reponse_a_une_demande_arrive_en_alerte(connecter, deposer, comptes):
    Fil.objects.all().delete()
    demande = deposer("martin", "responsable", telephone_mobile="06 39 98 20 99")
    actions.accepter(demande.pk, par=comptes["agent"])
    assert [p.partition(" : message")[0] for p in phrases(connecter("martin"), "enveloppe")] == [
        "Infos Responsable : demande acceptée"
    ]


def test_rien_a_signaler_se_dit(connecter, famille_martin):
    famille_martin.fils.all().delete()
    assert "Rien ne demande votre attention pour le moment." in texte(connecter("martin").get("/"))


# --- Papers ----------------------------------------------------------------------------------------------


@pytest.fixture
def papier(distribution, familles_de):
    """``papier("Léa", 30)``: her insurance ends in 30 days."""

    def papier(prenom, jours, nature="ASSURANCE", foyer="durand"):
        piece = fichiers.ranger("a.pdf", "application/pdf", b"%PDF-1.4 essai")
        fin = None if jours is None else timezone.localdate() + timedelta(days=jours)
        classer_document(Enfant.objects.get(prenom=prenom), familles_de(foyer), nature, [piece], expire_le=fin)

    return papier


@pytest.mark.parametrize(
    ("jours", "attendu", "icone"),
    [(31, None, "fiche"), (30, "expire", "fiche"), (0, "expire", "fiche"), (-1, "a expiré", "attention")],
)
def test_un_papier_se_dit_trente_jours_avant_sa_fin(jours, attendu, icone, connecter, papier):
    papier("Léa", jours)
    vues = [p for p in phrases(connecter("durand"), icone) if "assurance" in p]
    fin = accueil.en_mots(timezone.localdate() + timedelta(days=jours), semaine=False)
    assert vues == ([] if attendu is None else [f"Léa : l'attestation d'assurance {attendu} le {fin}"])


@pytest.mark.parametrize(("un", "autre", "dit"), [(5, 300, 0), (300, 5, 0), (5, None, 0), (None, 5, 0), (5, 6, 1)])
def test_des_deux_foyers_le_papier_le_plus_long_compte(un, autre, dit, connecter, papier):
    papier("Inès", un, foyer="benali")
    papier("Inès", autre, foyer="rossi")
    assert len([p for p in phrases(connecter("benali")) if "assurance" in p]) == dit


def test_un_pai_que_personne_n_a_se_dit_et_mene_a_la_demande(connecter):
    adam = Enfant.objects.get(prenom="Adam")
    pai = ("Adam : document du PAI manquant", f"/mes-enfants/{adam.uuid}/sante/")
    assert alertes(connecter("benali"), "attention") == [pai]


def test_ce_qui_manque_sans_presser_attend_dans_mes_enfants(connecter):
    page = texte(connecter("durand").get("/"))
    assert "Copie des pages de vaccination manquante" in texte(connecter("durand").get("/mes-enfants/"))
    assert ("vaccination" in page, "personne à appeler" in page) == (False, False)


@pytest.mark.parametrize(("jours", "dit"), [(31, False), (30, True), (-1, True)])
def test_les_vaccins_a_regulariser_se_disent_trente_jours_avant(jours, dit, connecter):
    fin = timezone.localdate() + timedelta(days=jours)
    Sante.objects.filter(enfant__prenom="Léa").update(vaccins_etat="PROVISOIRE", vaccins_jusqu_au=fin)
    assert any(p.startswith("Léa : vaccins à régulariser") for p in phrases(connecter("durand"))) == dit


# --- Deadlines -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("quand", "suite"),
    [
        # The canteen of a Thursday closes two school days before, at noon.
        ("2026-11-14T11:59", None),
        ("2026-11-14T12:00", "avant lundi 16 novembre 12 h"),
        ("2026-11-15T09:00", "avant demain 12 h"),
        ("2026-11-16T12:00", "aujourd'hui avant 12 h"),
        ("2026-11-16T12:01", None),
    ],
)
def test_un_delai_se_dit_quarante_huit_heures_avant(quand, suite, connecter, une_inscription, horloge):
    une_inscription("restauration", "Léa")
    horloge(quand)
    vues = [p for p in phrases(connecter("durand"), "horloge") if "jeudi 19" in p]
    assert vues == ([f"Cantine de jeudi 19 novembre pour Léa : réservez {suite}"] if suite else [])


def test_un_delai_mene_a_la_semaine_du_jour_et_reunit_les_enfants(connecter, une_inscription, horloge):
    une_inscription("restauration", "Léa", "Tom")
    horloge("2026-11-16T08:00")
    jeudi, vendredi = alertes(connecter("durand"), "horloge")
    assert jeudi == (
        "Cantine de jeudi 19 novembre pour Léa et Tom : réservez aujourd'hui avant 12 h",
        "/mes-enfants/semaine/2026-11-19/",
    )
    assert vendredi == (
        "Cantine de vendredi 20 novembre pour Léa et Tom : réservez avant demain 12 h",
        "/mes-enfants/semaine/2026-11-20/",
    )


def test_qui_a_des_jours_habituels_n_est_presse_que_pour_eux(connecter, une_inscription, horloge):
    une_inscription("restauration", "Léa", "Tom")
    horloge("2026-11-16T08:00")
    Inscription.objects.filter(enfant__prenom="Tom").update(jours=[3])  # Thursdays
    dits = phrases(connecter("durand"), "horloge")
    assert [dit.partition(":")[0].strip() for dit in dits] == [
        "Cantine de jeudi 19 novembre pour Léa et Tom",
        "Cantine de vendredi 20 novembre pour Léa",
    ]


def test_qui_a_reserve_ou_n_est_pas_inscrit_n_est_pas_presse(connecter, une_inscription, comptes, horloge):
    une_inscription("restauration", "Léa", "Tom")
    reserver(comptes["durand"], "Léa", JEUDI_19, "restauration")
    (phrase,) = [p for p in phrases(connecter("durand"), "horloge") if "jeudi 19" in p]
    assert phrase.startswith("Cantine de jeudi 19 novembre pour Tom : ")
    Inscription.objects.filter(enfant__prenom="Tom").delete()
    assert [p for p in phrases(connecter("durand"), "horloge") if "jeudi 19" in p] == []
    assert phrases(connecter("martin"), "horloge") == []


def test_un_service_sans_inscription_ne_presse_personne(connecter, une_inscription):
    une_inscription("restauration", "Léa")
    assert phrases(connecter("durand"), "horloge") != []
    Service.objects.update(inscription_requise=False)
    offre.oublier()
    assert phrases(connecter("durand"), "horloge") == []


def test_un_jour_ferme_ou_chez_l_autre_parent_ne_presse_pas(connecter, une_inscription):
    une_inscription("restauration", "Inès")
    vus = [phrases(connecter(qui), "horloge") != [] for qui in ("benali", "rossi")]
    assert sorted(vus) == [False, True]  # the week is of one household


def test_plus_de_cinq_jours_se_disent_par_leurs_bornes(connecter, une_inscription, horloge):
    une_inscription("alsh-vacances", "Léa")
    horloge("2026-11-27T09:00")
    assert alertes(connecter("durand"), "horloge") == [
        (
            "Vacances, du 21 au 31 décembre 2026, pour Léa : réservez avant demain 18 h",
            "/mes-enfants/semaine/2026-12-21/",
        )
    ]


def test_le_jour_ne_se_dit_pas_deux_fois(connecter, une_inscription, horloge):
    une_inscription("alsh-mercredi", "Léa")
    horloge("2026-11-15T09:00")
    vues = phrases(connecter("durand"), "horloge")
    assert vues == ["ALSH du mercredi 18 novembre pour Léa : réservez avant demain 12 h"]


# --- Proofs ----------------------------------------------------------------------------------------------


@pytest.fixture
def absence(automne, famille_martin, comptes):
    """``absence(heures=30)``: of Zoé, its proof awaited for so long."""
    Fil.objects.all().delete()

    def absence(heures=30):
        demande = Demande.objects.create(
            type="absence",
            famille=famille_martin,
            enfant=Enfant.objects.get(prenom="Zoé"),
            valeurs_demandees={"enfants": "Zoé", "resume": "1 jour d'absence"},
            deposee_par=comptes["martin"],
        )
        attendu = timezone.now() + timedelta(hours=heures)
        return Justificatif.objects.create(demande=demande, attendu_avant=attendu)

    return absence


def test_un_justificatif_attendu_se_dit_jusqu_a_ce_qu_il_vienne(connecter, absence, comptes):
    attendu, navigateur = absence(), connecter("martin")
    adresse = f"/demandes/{attendu.demande.uuid}/"
    assert alertes(navigateur) == [("Absence de Zoé : envoyez le justificatif avant demain 15 h", adresse)]
    attendu.recu_le = timezone.now()
    attendu.recu_par = comptes["agent"]
    attendu.save()
    assert alertes(navigateur) == []
    autre = absence()
    piece = fichiers.ranger("a.pdf", "application/pdf", b"%PDF-1.4 essai")
    assert len(alertes(navigateur)) == 1
    PieceJointe.objects.create(demande=autre.demande, deposee_par=comptes["martin"], **piece)
    assert alertes(navigateur) == []
    absence(heures=-1)
    assert alertes(navigateur) == []


# --- News ------------------------------------------------------------------------------------------------


def test_trois_actualites_les_epinglees_d_abord_puis_les_plus_recentes(connecter):
    aujourdhui = timezone.localdate()
    for titre, age, epinglee in [("A", 1, False), ("B", 9, True), ("C", 2, False), ("D", 0, False), ("E", 3, False)]:
        Actualite.objects.create(
            titre=titre, corps="**x**", epinglee=epinglee, publie_du=aujourdhui - timedelta(days=age)
        )
    reponse = connecter("martin").get("/")
    vues = [(n.titre, n.date) for n in reponse.context["page"].actualites]
    dates = [accueil.en_mots(aujourdhui - timedelta(days=age)) for age in (9, 0, 1)]
    assert vues == list(zip("BDA", dates, strict=True))
    assert "/documents/#actualites" in reponse.content.decode()
    assert texte(reponse).index("Bienvenue sur le Portail Famille") < texte(reponse).index("<h3>B</h3>")


def test_une_longue_actualite_se_lit_sur_sa_page(connecter):
    longue = Actualite.objects.create(titre="Longue", corps="mot " * 200)
    reponse = connecter("martin").get("/")
    assert (longue.corps.strip() in texte(reponse), "Lire l'actualité" in texte(reponse)) == (False, True)
    (nouvelle,) = reponse.context["page"].actualites
    assert f'id="{nouvelle.suite.partition("#")[2]}"' in connecter("martin").get("/documents/").content.decode()


def test_sans_message_ni_actualite_le_cadre_n_est_pas_la(connecter):
    Commune.objects.update(message_accueil="")
    assert "Message de la commune" not in texte(connecter("martin").get("/"))


# --- Children --------------------------------------------------------------------------------------------


def test_chaque_enfant_dit_aujourd_hui_et_demain_et_a_sa_fiche(connecter, automne, comptes):
    for service in ("accueil-soir", "restauration"):
        reserver(comptes["durand"], "Léa", MARDI_17, service)
    lea, tom = connecter("durand").get("/").context["enfants"]
    assert (lea.prenom, lea.jours) == ("Léa", [("Aujourd'hui", "rien de réservé"), ("Demain", "Cantine et Soir")])
    assert (tom.prenom, tom.jours[1]) == ("Tom", ("Demain", "rien de réservé"))
    assert lea.fiche_url == f"/mes-enfants/{Enfant.objects.get(prenom='Léa').uuid}/fiche-inscription.pdf"
    Reservation.objects.filter(service__code="restauration").update(
        motif_absence=MotifAbsence.objects.get(code="maladie"), absence_le=timezone.now()
    )
    assert connecter("durand").get("/").context["enfants"][0].jours[1] == ("Demain", "Soir")


def test_ce_qu_a_reserve_l_autre_foyer_ne_se_dit_pas(connecter, automne, comptes):
    ines = Enfant.objects.get(prenom="Inès")
    foyer = next(qui for qui in ("benali", "rossi") if any("Inès" in p for p in phrases(connecter(qui), "horloge")))
    reserver(comptes[foyer], "Inès", JEUDI_19, "restauration")
    autre = {"benali": "rossi", "rossi": "benali"}[foyer]
    Reservation.objects.filter(enfant=ines).update(jour=MARDI_17)
    jours = {
        qui: next(c.jours[1][1] for c in connecter(qui).get("/").context["enfants"] if c.prenom == "Inès")
        for qui in (foyer, autre)
    }
    assert jours == {foyer: "Cantine", autre: "rien de réservé"}


def test_l_acces_suspendu_retire_l_enfant_de_l_accueil(connecter, comptes):
    lea = Enfant.objects.get(prenom="Léa")
    SuspensionAcces.objects.create(enfant=lea, adulte=comptes["durand2"].adulte, motif="Jugement")
    assert [c.prenom for c in connecter("durand2").get("/").context["enfants"]] == ["Tom"]
    assert not any("Léa" in p for p in phrases(connecter("durand2"), "horloge"))


def test_sans_enfant_l_accueil_s_ouvre(connecter, famille_martin):
    famille_martin.rattachements.all().delete()
    page = texte(connecter("martin").get("/"))
    assert ("Aucun dossier d'enfant ne vous est ouvert." in page, "Réserver à la semaine" in page) == (True, False)


# --- The account -----------------------------------------------------------------------------------------

IMPAYEES = "La commune ne gère pas directement les encaissements : le suivi de vos règlements et de votre solde "
IMPAYEES += "n'est pas possible avec ce portail. Demandez ces informations à la trésorerie des Aix-d'Angillon, au "


@pytest.mark.parametrize("encaisse", [True, False])
def test_sans_facture_les_cadres_du_compte_disent_qui_encaisse(encaisse, connecter):
    commune = Commune.objects.get()
    commune.encaisse = encaisse
    commune.save()
    page = texte(connecter("martin").get("/"))
    assert all(f"{titre}</h2>" in page for titre in ("Informations compte", "Factures impayées"))
    vus = [mot in page for mot in (IMPAYEES, 'href="tel:0248644072">02 48 64 40 72<', "Votre compte est à jour")]
    assert vus == [not encaisse, not encaisse, encaisse]


def test_les_cadres_du_compte_disent_ce_qui_est_du_et_le_lien_de_paiement(connecter, famille_martin, horloge, comptes):
    horloge("2026-11-23T10:00")
    regie = regie_essai(payfip="REDIRECTION", payfip_client="018110")
    titre = titre_essai(ordre=1)
    septembre = facture_essai(famille_martin, regie, "20.00", mois=date(2026, 9, 1), emise_le=date(2026, 10, 1))
    reglement = {"moyen": "CHEQUE", "montant": Decimal("5.00"), "recu_le": date(2026, 11, 2), "par": None}
    encaisser(famille_martin, regie=regie, **reglement)
    octobre = facture_essai(famille_martin, titre, "54.40")
    facture_essai(famille_martin, titre, "6.80", mois=date(2026, 11, 1), emise=False)
    reponse = connecter("martin").get("/")
    compte = reponse.context["page"].compte
    assert [(s.regie, s.phrase.replace("\u00a0", " ")) for s in compte.soldes] == [
        ("Restauration scolaire", "Vous devez 54,40 €"),
        ("Accueil de loisirs", "Vous devez 15,00 €"),
    ]
    assert [(f.titre, f.reste[:5], f.code, f.url, f.payer) for f in compte.impayees] == [
        (
            *("Accueil de loisirs, septembre 2026", "15,00", "en-retard"),
            *(f"/factures/{septembre.uuid}/", f"/factures/{septembre.uuid}/#payer"),
        ),
        ("Restauration scolaire, octobre 2026", "54,40", "a-payer", f"/factures/{octobre.uuid}/", ""),
    ]
    page = texte(reponse)
    assert "« Restauration scolaire » : la commune ne gère pas directement les encaissements, et" in page
    assert ('href="tel:0248644072">02 48 64 40 72<' in page, PAYER in page) == (True, True)
    prendre_en_role([octobre], regie=titre, numero="7", exercice=2026, le=date(2026, 11, 20), par=comptes["comptable"])
    vus = [f.code for f in connecter("martin").get("/").context["page"].compte.impayees]
    assert vus == ["en-retard", "titree"]
    Article.objects.update(etat="PAYE", paye="54.40")
    assert len(connecter("martin").get("/").context["page"].compte.impayees) == 1


def test_ce_que_doit_une_autre_famille_ne_se_dit_pas(connecter, famille_durand, famille_martin, horloge):
    horloge("2026-11-23T10:00")
    regie = regie_essai()
    facture_essai(famille_durand, regie, "20.00")
    reglement = {"moyen": "CHEQUE", "montant": Decimal("5.00"), "recu_le": date(2026, 11, 2), "par": None}
    encaisser(famille_martin, regie=regie, **reglement)
    vus = {qui: len(connecter(qui).get("/").context["page"].compte.impayees) for qui in ("durand", "durand2", "martin")}
    assert vus == {"durand": 1, "durand2": 1, "martin": 0}
    soldes = [s.phrase.replace("\u00a0", " ") for s in connecter("martin").get("/").context["page"].compte.soldes]
    assert soldes == ["Vous avez 5,00 € d'avance"]


# --- Its price -------------------------------------------------------------------------------------------


def _remplir(famille, parent, nombre):
    """Rows of every kind that the page reads."""
    agent = Utilisateur.objects.get(identifiant="agent")
    Demande.objects.bulk_create(
        Demande(
            type="absence", famille=famille, deposee_par=parent, valeurs_demandees={"enfants": "Zoé", "resume": "…"}
        )
        for _ in range(nombre)
    )
    Justificatif.objects.bulk_create(
        Justificatif(demande=demande, attendu_avant=timezone.now() + timedelta(days=1))
        for demande in Demande.objects.filter(type="absence")
    )
    for rang in range(nombre):
        notifier(famille, sujet=f"Message {rang}", corps="…", par=agent, courriel=False)
    Actualite.objects.bulk_create(Actualite(titre="x", corps="**x**") for _ in range(nombre))
    factures_en_nombre(famille, regie_essai(payfip="REDIRECTION", payfip_client="018110"), nombre)
    facture_essai(famille, titre_essai())
    zoe = Enfant.objects.get(prenom="Zoé")
    piece = {"nom": "a.pdf", "type_mime": "application/pdf", "taille": 1, "fichier": "pieces/a"}
    DocumentEnfant.objects.bulk_create(
        DocumentEnfant(enfant=zoe, famille=famille, nature="ASSURANCE", expire_le=timezone.localdate(), **piece)
        for _ in range(nombre)
    )


@pytest.mark.parametrize("nombre", [1, 300])
def test_l_accueil_tient_son_budget_avec_une_ligne_ou_trois_cents(nombre, automne, connecter, famille_martin, comptes):
    _remplir(famille_martin, comptes["martin"], nombre)
    for rang in range(min(nombre, 12) - 1):
        ajouter_enfant(famille_martin, prenom=f"Lou{rang}", nom="Martin")
    Rattachement.objects.update(valable_du=date(2020, 9, 1))
    for enfant in Enfant.objects.filter(rattachements__famille=famille_martin):
        for service in Service.objects.all():
            Inscription.objects.get_or_create(
                enfant=enfant,
                famille=famille_martin,
                service=service,
                annee=2026,
                defaults={"valable_du": date(2026, 9, 1), "valable_au": date(2027, 8, 31)},
            )
    navigateur = connecter("martin")
    assert navigateur.get("/").status_code == 200
    with CaptureQueriesContext(connection) as captees:
        page = navigateur.get("/").context["page"]
    assert len(comptees(captees)) == 8, lister(comptees(captees))
    assert (len(page.compte.soldes), len(page.compte.impayees)) == (2, nombre + 1)
    montres = [len([a for a in page.alertes if a.icone == icone]) for icone in ("enveloppe", "trombone")]
    assert montres == [min(nombre, 3), min(nombre, 10)]
    assert (len(page.actualites), len(page.en_attente)) == (min(nombre, 3), min(nombre, 5))
    assert len(page.alertes) <= 25


def test_le_banc_mesure_l_accueil_contre_son_plancher():
    page = next(page for page in PAGES if page.nom == "Accueil")
    assert (page.chargeur(), page.budget.requetes, page.budget.rapport) == (accueil.charger_accueil, 8, 2)


def test_le_delai_n_est_lu_dans_aucune_table(automne, django_assert_num_queries):
    bientot.jours_qui_ferment(timezone.now(), timedelta(hours=48))
    with django_assert_num_queries(0):
        assert bientot.jours_qui_ferment(timezone.now(), timedelta(hours=48))
