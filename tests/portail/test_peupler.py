"""``manage.py peupler``: invented families, by the thousand."""

import re
from collections import Counter
from datetime import date
from itertools import pairwise

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError
from django.db import connection, transaction
from django.db.models import ForeignKey
from django.utils import timezone
from schwifty import IBAN

from demandes import actions
from demandes.forms.base import en_json
from demandes.models import Demande
from demandes.types import DU_DOSSIER, TYPES
from enfants.actions import ajouter_enfant
from enfants.models import (
    Classe,
    ConsultationSante,
    Ecole,
    Enfant,
    Formule,
    Garde,
    Implantation,
    Informations,
    Inscription,
    MotifAbsence,
    PersonneAutorisee,
    Place,
    Presence,
    Reglement,
    Reservation,
    Sante,
    Service,
    Site,
)
from familles.actions import ouvrir_famille
from familles.champs import IbanField, TelephoneField
from familles.models import CoordonneesBancaires, Famille, QuotientFamilial, Responsable, SituationFiscale, Utilisateur
from messagerie.actions import notifier
from messagerie.models import Diffusion, Fil, Lecture, Message, ServiceMairie
from portail import peuplement
from tests.portail.inventees import (
    JOURS,
    commander,
    enfants_inventes,
    familles_inventees,
    inventer,
    inventes,
    raconter,
)


@pytest.fixture
def peupler(distribution):
    """``peupler(30, annees=2)``: what was added."""
    return inventer


@pytest.fixture
def commande(distribution):
    """``commande(familles=30)``: what the command printed."""
    return commander


@pytest.fixture(params=JOURS, ids=lambda jour: f"le {jour}")
def histoire(request):
    """``histoire(annees)``: day, and rows of sixty families as of that day."""
    return lambda annees: (request.param, raconter(request.param, annees))


def sujets(famille, genre):
    """What a kind of demande of this household may be about: each of its children, or None."""
    return Enfant.objects.filter(rattachements__famille=famille) if genre.par_enfant else [None]


# --- Same seed -------------------------------------------------------------------------------------------

CLES = {
    Utilisateur: "identifiant",
    Famille: "uuid",
    Responsable: "utilisateur__identifiant",
    Enfant: "uuid",
    Ecole: "nom",
    Classe: "nom",
    Fil: "uuid",
    Diffusion: "cle",
    Message: "envoye_le",
    ServiceMairie: "code",
    Service: "code",
    Site: "nom",
    Implantation: "site__nom",
    Formule: "nom",
    Reglement: "version",
    MotifAbsence: "code",
    Place: "site__nom",
    Demande: "uuid",
}


def valeurs(modele):
    """All rows of a model in clear, other rows named by what does not depend on an id."""
    champs = [champ for champ in modele._meta.concrete_fields if champ.name not in ("id", "password")]
    noms = [f"{c.name}__{CLES[c.related_model]}" if isinstance(c, ForeignKey) else c.name for c in champs]
    lignes = list(modele.objects.order_by("pk").values_list(*noms))
    return [tuple(map(sans_cle_d_ecole, ligne)) for ligne in lignes] if modele is Demande else lignes


def sans_cle_d_ecole(valeur):
    """A demande names a school by its id, which another run does not give again."""
    if isinstance(valeur, dict) and valeur.get("ecole"):
        return {**valeur, "ecole": Ecole.objects.get(pk=valeur["ecole"]).nom}
    return valeur


@pytest.fixture
def photographier(peupler):
    """``photographier(12, graine=7)``: all that is in the tables with these families, which go again."""

    def photographier(familles, graine):
        with transaction.atomic():
            bilan = peupler(familles, annees=2, graine=graine)
            tables = {modele: valeurs(modele) for modele in bilan.lignes}
            transaction.set_rollback(True)
        return tables

    return photographier


@pytest.mark.django_db
def test_la_meme_graine_donne_les_memes_familles(photographier):
    premiere = photographier(12, graine=7)
    assert photographier(12, graine=7) == premiere
    assert len(premiere[Famille]) == Famille.objects.count() + 12


@pytest.mark.django_db
def test_une_autre_graine_donne_d_autres_familles(photographier):
    premiere, autre = photographier(12, graine=7), photographier(12, graine=8)
    assert {Sante, Informations, PersonneAutorisee, Garde, Inscription, Reservation, Presence} <= set(premiere)
    assert [modele for modele in premiere if premiere[modele] == autre[modele]] == []


@pytest.mark.django_db
def test_ecrire_en_plusieurs_lots_donne_les_memes_familles(photographier, monkeypatch):
    d_un_coup = photographier(20, graine=7)
    monkeypatch.setattr(peuplement, "LOT", 1)
    assert photographier(20, graine=7) == d_un_coup


# --- What is written -------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_chaque_ligne_passe_les_controles_du_portail(peupler):
    bilan = peupler(12, annees=2)
    fautes, vues = [], 0
    assert len(bilan.lignes) > 25
    for modele, ajoutees in bilan.lignes.items():
        for objet in modele.objects.order_by("-pk")[: min(ajoutees, 60)]:  # of thousands of days, the last will do
            vues += 1
            try:
                objet.full_clean(exclude={"auteur"} if modele is Message else None)  # nobody: the portal itself
            except ValidationError as erreur:
                fautes.append((modele.__name__, erreur.message_dict))
    assert fautes == []
    assert vues == sum(min(ajoutees, 60) for ajoutees in bilan.lignes.values())
    connection.check_constraints()


@pytest.mark.django_db
def test_telephones_courriels_et_comptes_ne_sont_a_personne(peupler):
    peupler(40)
    adultes = Responsable.objects.filter(utilisateur__in=inventes())
    demandes = Demande.objects.filter(famille__in=familles_inventees())
    dits = [{**d.valeurs_demandees, "avant": d.valeurs_avant} for d in demandes]
    dits += [dit["avant"] for dit in dits]
    dits += [personne for dit in dits for personne in dit.get("personnes", ())]
    champs = ["telephone_mobile", "telephone_fixe", "telephone_travail"]
    telephones = {tel for ligne in adultes.values_list(*champs) for tel in ligne if tel}
    telephones |= {
        dit[champ] for dit in dits for champ in [*champs, "telephone", "medecin_telephone"] if dit.get(champ)
    }
    personnes = PersonneAutorisee.objects.filter(famille__in=familles_inventees())
    telephones |= set(personnes.values_list("telephone", flat=True))
    telephones |= {fiche.medecin_telephone for fiche in Sante.objects.filter(enfant__in=enfants_inventes())} - {""}
    assert {tel[:8] for tel in telephones} == {"06 39 98", "02 61 91"}
    assert {TelephoneField().clean(tel) for tel in telephones} == telephones
    assert {courriel.split("@")[1] for courriel in inventes().values_list("courriel", flat=True)} == {"famille.example"}
    comptes = CoordonneesBancaires.objects.filter(famille__in=familles_inventees())
    ibans = {compte.iban for compte in comptes} | {dit["iban"] for dit in dits if dit.get("iban")}
    assert {IBAN(iban).bank_code for iban in ibans} == {"99999"}
    assert {IbanField().clean(iban) for iban in ibans} == ibans
    assert {IBAN(iban).bank for iban in ibans} == {None}
    numeros = {s.numero_fiscal for s in SituationFiscale.objects.filter(famille__in=familles_inventees())} - {""}
    assert min(int(numero[-3:]) for numero in numeros) > 510  # a real one ends with a remainder by 511


@pytest.mark.django_db
def test_une_demande_acceptee_est_dans_le_dossier(peupler):
    peupler(40, annees=3)
    ecarts, vues = [], Counter()
    for famille in familles_inventees():
        for genre in DU_DOSSIER.values():
            for enfant in sujets(famille, genre):
                dernieres, actuelles = dernieres_acceptees(famille, genre, enfant), genre.actuelles(famille, enfant)
                vues[genre.rubrique] += len(dernieres)
                ecarts += [(famille, nom) for nom, valeur in dernieres.items() if actuelles[nom] != valeur]
    assert ecarts == []
    assert min(vues.values()) > 30


def dernieres_acceptees(famille, genre, enfant):
    """What the last accepted demandes asked of each field."""
    acceptees = famille.demandes.filter(type=genre.code, enfant=enfant, etat="ACCEPTEE").order_by("traitee_le")
    dernieres = {nom: valeur for d in acceptees for nom, valeur in d.valeurs_demandees.items()}
    if genre.code in ("caf", "fiscales"):  # the agent may have written a later quotient without a demande
        return {n: v for n, v in dernieres.items() if n in ("numero_fiscal", "non_communique")}
    return dernieres


@pytest.mark.django_db
def test_la_demande_en_attente_part_du_dossier_d_aujourd_hui(peupler):
    peupler(80)
    en_attente = Demande.objects.en_attente().filter(famille__in=familles_inventees())
    ecarts = [
        (demande, nom)
        for demande in en_attente.order_by("pk")
        for nom, avant in demande.valeurs_avant.items()
        if demande.genre.actuelles(demande.famille, demande.enfant)[nom] != avant
    ]
    assert ecarts == []
    assert {demande.genre.rubrique for demande in en_attente} == {"mon-compte", "mes-enfants"}


@pytest.mark.django_db
def test_un_quotient_accepte_vaut_pour_l_annee_qui_suit(peupler):
    peupler(40, annees=3)
    acceptees = Demande.objects.filter(famille__in=familles_inventees(), etat="ACCEPTEE", type="caf")
    demandes = [
        (demande.famille_id, demande.traitee_le.year, demande.valeurs_demandees["quotient"])
        for demande in acceptees
        if "quotient" in demande.valeurs_demandees  # the same two years running: only its month is new
    ]
    quotients = QuotientFamilial.objects.filter(famille__in=familles_inventees()).exclude(valeur=None)
    dates = {(q.famille_id, q.valable_du.year, en_json(q.valeur)) for q in quotients}
    assert [demande for demande in demandes if demande not in dates] == []
    assert len(demandes) > 20


@pytest.mark.django_db
def test_un_agent_peut_accepter_toutes_les_demandes_en_attente(peupler, comptes):
    peupler(400)
    en_attente = Demande.objects.en_attente().filter(famille__in=familles_inventees()).order_by("pk")
    decidees = [actions.accepter(demande.pk, par=comptes["agent"], version=1) for demande in en_attente]
    assert {demande.etat for demande in decidees} == {"ACCEPTEE"}
    assert {demande.type for demande in decidees} == {*TYPES} - {"ajout-enfant", "inscription"}


@pytest.mark.django_db
def test_chaque_decision_est_dite_a_la_famille(peupler):
    peupler(30)
    demandes = Demande.objects.filter(famille__in=familles_inventees())
    decidees = demandes.filter(etat__in=["ACCEPTEE", "REFUSEE"]).exclude(type__in=["reservation", "absence"])
    du_planning = {demande.get_absolute_url() for demande in demandes.filter(type__in=["reservation", "absence"])}
    liens = Message.objects.filter(fil__famille__in=familles_inventees(), de_la_mairie=True).exclude(
        lien__in={"", *du_planning}
    )
    attendus = sorted((demande.get_absolute_url(), demande.traitee_le) for demande in decidees)
    assert sorted(liens.values_list("lien", "envoye_le")) == attendus
    assert len(attendus) > 20
    refus = decidees.filter(etat="REFUSEE").first()
    assert refus.motif in Message.objects.get(lien=refus.get_absolute_url()).corps


# --- Using it --------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_un_parent_invente_se_connecte_et_ses_pages_s_ouvrent(commande, client, mot_de_passe):
    commande(familles=10)
    conjoint = Responsable.objects.filter(utilisateur__in=inventes(), rang=2).order_by("pk").first()
    famille, identifiant = conjoint.famille, conjoint.utilisateur.identifiant
    reponse = client.post("/connexion/", {"username": identifiant, "password": mot_de_passe})
    assert (reponse.status_code, reponse.url) == (302, "/")
    adresses = ["/", "/mon-compte/", "/mes-enfants/", "/messagerie/", "/demandes/?periode=toutes"]
    adresses += [genre.url() for genre in TYPES.values() if not genre.par_enfant and not genre.au_planning]
    enfants = list(Enfant.objects.visibles_par(conjoint.utilisateur))
    adresses += [genre.url(e) for genre in TYPES.values() if genre.par_enfant for e in enfants]
    adresses += [f"/mes-enfants/{e.uuid}/{page}" for page in ("", "consultations/") for e in enfants]
    adresses += [f"/messagerie/{fil.uuid}/" for fil in famille.fils.all()]
    adresses += [demande.get_absolute_url() for demande in famille.demandes.all()]
    assert [adresse for adresse in adresses if client.get(adresse).status_code != 200] == []
    assert len(adresses) >= 20


@pytest.mark.django_db
def test_apres_le_peuplement_le_portail_ecrit_toujours(peupler, comptes):
    peupler(5)
    adulte = {"prenom": "Élise", "nom": "Nouvelle", "telephone_mobile": "06 39 98 99 99"}
    famille = ouvrir_famille(responsable=adulte, conjoint=None, adresse={"ville": "Quantilly"})
    enfant = ajouter_enfant(famille, prenom="Luce", nom="Nouvelle")
    message = notifier(famille, sujet="Bonjour", corps="Bonjour", par=comptes["agent"])
    connection.check_constraints()
    assert [famille.pk, enfant.pk, message.pk] == [
        modele.objects.order_by("pk").last().pk for modele in (Famille, Enfant, Message)
    ]


@pytest.mark.django_db
def test_un_second_passage_continue_les_numeros(commande):
    assert "Identifiants : famille000001 à famille000003," in commande(familles=3)
    assert "Identifiants : famille000004 à famille000005," in commande(familles=2)
    responsables = inventes().filter(responsable__rang=1)
    assert list(responsables.values_list("identifiant", flat=True)) == [f"famille{n:06}" for n in range(1, 6)]


@pytest.mark.django_db
def test_la_commande_dit_ou_elle_en_est_et_ce_qu_elle_a_ajoute(commande, monkeypatch):
    monkeypatch.setattr(peuplement, "LOT", 4)
    avant = Demande.objects.count()
    lignes = commande(familles=10).splitlines()
    assert [ligne.split(" (")[0] for ligne in lignes[:3]] == [f"→ {n} familles sur 10" for n in (4, 8, 10)]
    assert re.match(r"10 familles ajoutées en \d+ s : \d+ adultes, \d+ enfants, [\d ]+ réservations, ", lignes[3])
    assert f" {Demande.objects.count() - avant} demandes," in lignes[3]


@pytest.mark.django_db
def test_la_production_n_est_pas_peuplee(commande, settings):
    settings.MODE_DEMO = False
    with pytest.raises(CommandError, match="production"):
        commande(familles=2)
    assert inventes().count() == 0


@pytest.mark.django_db
@pytest.mark.parametrize(("familles", "annees"), [(0, 1), (2, 0), (2, 11)])
def test_des_nombres_impossibles_sont_refuses(commande, familles, annees):
    with pytest.raises(CommandError, match="au moins une famille"):
        commande(familles=familles, annees=annees)


@pytest.mark.django_db
def test_sans_agents_pour_repondre_rien_n_est_ecrit(commande):
    Utilisateur.objects.filter(identifiant="comptable").update(identifiant="comptable2")
    with pytest.raises(CommandError, match="Il manque la mairie de démonstration"):
        commande(familles=2)
    assert inventes().count() == 0


# --- Any day of the year, without the database -----------------------------------------------------------


@pytest.mark.parametrize("annees", [1, 3])
def test_rien_n_est_date_du_jour_ni_d_apres(histoire, annees):
    jour, lignes = histoire(annees)
    instants = [(m.envoye_le, m.envoye_le) for m in lignes.toutes(Message)]
    instants += [(lecture.message.envoye_le, lecture.lu_le) for lecture in lignes.toutes(Lecture)]
    for demande in lignes.toutes(Demande):
        instants += [(demande.deposee_le, i) for i in (demande.lue_le, demande.traitee_le) if i]
    instants += [(lue.le, lue.le) for lue in lignes.toutes(ConsultationSante)]
    assert max(timezone.localdate(apres) for _, apres in instants) < jour
    assert [(avant, apres) for avant, apres in instants if apres < avant] == []
    assert {f.cree_le <= d.deposee_le for d in lignes.toutes(Demande) for f in [d.famille]} == {True}


@pytest.mark.parametrize("annees", [1, 3])
def test_une_demande_est_close_avant_la_suivante_du_meme_type(histoire, annees):
    _, lignes = histoire(annees)
    par_type = {}
    for demande in sorted(lignes.toutes(Demande), key=lambda demande: demande.deposee_le):
        sujet = (demande.famille.pk, demande.type, demande.enfant_id)
        par_type.setdefault(sujet, []).append(demande)
    suites = [suite for demandes in par_type.values() for suite in pairwise(demandes)]
    assert [(a.type, a.etat) for a, b in suites if not a.traitee_le or a.traitee_le > b.deposee_le] == []
    assert len(suites) > 5


@pytest.mark.parametrize("annees", [1, 3])
def test_un_quotient_par_annee_scolaire(histoire, annees):
    jour, lignes = histoire(annees)
    par_famille = {}
    for quotient in lignes.toutes(QuotientFamilial):
        par_famille.setdefault(quotient.famille.pk, []).append((quotient.valable_du, quotient.valable_au))
    rentree = jour.year if jour.month >= 9 else jour.year - 1
    periodes = [(date(n, 9, 1), date(n + 1, 8, 31)) for n in range(rentree - annees + 1, rentree + 1)]
    assert {tuple(siennes) for siennes in par_famille.values()} == {tuple(periodes)}
    assert {valable_du <= jour <= valable_au for valable_du, valable_au in periodes[-1:]} == {True}
