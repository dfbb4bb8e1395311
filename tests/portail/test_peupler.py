"""``manage.py peupler``: invented families, by the thousand."""

import re
from datetime import date, timedelta
from io import StringIO
from itertools import count, pairwise
from random import Random

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.models import Count, ForeignKey
from django.utils import timezone
from schwifty import IBAN

from demandes import actions
from demandes.forms import en_json
from demandes.models import Demande
from demandes.types import TYPES
from enfants.actions import ajouter_enfant
from enfants.models import Enfant, Rattachement
from familles.actions import ouvrir_famille
from familles.champs import IbanField, TelephoneField
from familles.models import CoordonneesBancaires, Famille, QuotientFamilial, Responsable, SituationFiscale, Utilisateur
from messagerie.actions import notifier
from messagerie.models import Fil, Lecture, Message, ServiceMairie
from portail import peuplement
from portail.commune import Commune
from portail.peuplement_foyer import Decor, Foyer

JOUR = date(2025, 11, 24)  # the families of most tests are as of this day, whatever the clock says


@pytest.fixture
def peupler(distribution):
    """``peupler(30, annees=2)``: what was added."""

    def peupler(familles, *, annees=1, graine=42):
        return peuplement.peupler(familles, annees=annees, graine=graine, aujourdhui=JOUR)

    return peupler


@pytest.fixture
def commande(distribution):
    """``commande(familles=30)``: what the command printed."""

    def commande(**options):
        sortie = StringIO()
        call_command("peupler", stdout=sortie, **options)
        return sortie.getvalue().replace("\u202f", " ")

    return commande


def inventes():
    return Utilisateur.objects.filter(identifiant__startswith="famille0").order_by("identifiant")


def familles_inventees():
    return Famille.objects.filter(pk__in=inventes().values("responsable__famille")).order_by("pk")


# --- Same seed -------------------------------------------------------------------------------------------

CLES = {
    Utilisateur: "identifiant",
    Famille: "uuid",
    Responsable: "utilisateur__identifiant",
    Enfant: "uuid",
    Fil: "uuid",
    Message: "envoye_le",
    ServiceMairie: "code",
}


def valeurs(modele):
    """All rows of a model in clear, other rows named by what does not depend on an id."""
    champs = [champ for champ in modele._meta.concrete_fields if champ.name not in ("id", "password")]
    noms = [f"{c.name}__{CLES[c.related_model]}" if isinstance(c, ForeignKey) else c.name for c in champs]
    return list(modele.objects.order_by("pk").values_list(*noms))


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
    premiere, autre = photographier(3, graine=7), photographier(3, graine=8)
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
    for modele, ajoutees in bilan.lignes.items():
        for objet in modele.objects.order_by("-pk")[:ajoutees]:
            vues += 1
            try:
                objet.full_clean()
            except ValidationError as erreur:
                fautes.append((modele.__name__, erreur.message_dict))
    assert fautes == []
    assert vues == bilan.lignes.total()
    connection.check_constraints()


@pytest.mark.django_db
def test_telephones_courriels_et_comptes_ne_sont_a_personne(peupler):
    peupler(40)
    adultes = Responsable.objects.filter(utilisateur__in=inventes())
    demandes = Demande.objects.filter(famille__in=familles_inventees())
    dits = [{**d.valeurs_demandees, "avant": d.valeurs_avant} for d in demandes]
    dits += [dit["avant"] for dit in dits]
    champs = ["telephone_mobile", "telephone_fixe", "telephone_travail"]
    telephones = {tel for ligne in adultes.values_list(*champs) for tel in ligne if tel}
    telephones |= {dit[champ] for dit in dits for champ in champs if dit.get(champ)}
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
    ecarts, vues = [], 0
    for famille in familles_inventees():
        for type_, genre in TYPES.items():
            acceptees = famille.demandes.filter(type=type_, etat="ACCEPTEE").order_by("traitee_le")
            dernieres = {nom: valeur for d in acceptees for nom, valeur in d.valeurs_demandees.items()}
            actuelles = genre.actuelles(famille)
            if type_ in ("caf", "fiscales"):  # the agent may have written a later quotient without a demande
                dernieres = {n: v for n, v in dernieres.items() if n in ("numero_fiscal", "non_communique")}
            vues += len(dernieres)
            ecarts += [(famille, nom) for nom, valeur in dernieres.items() if actuelles[nom] != valeur]
    assert ecarts == []
    assert vues > 40


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
    peupler(80)
    en_attente = Demande.objects.en_attente().filter(famille__in=familles_inventees()).order_by("pk")
    decidees = [actions.accepter(demande.pk, par=comptes["agent"], version=1) for demande in en_attente]
    assert len(decidees) > 5
    assert {demande.etat for demande in decidees} == {"ACCEPTEE"}


@pytest.mark.django_db
def test_chaque_decision_est_dite_a_la_famille(peupler):
    peupler(30)
    decidees = Demande.objects.filter(famille__in=familles_inventees(), etat__in=["ACCEPTEE", "REFUSEE"])
    liens = Message.objects.filter(fil__famille__in=familles_inventees(), de_la_mairie=True).exclude(lien="")
    attendus = sorted((demande.get_absolute_url(), demande.traitee_le) for demande in decidees)
    assert sorted(liens.values_list("lien", "envoye_le")) == attendus
    assert len(attendus) > 20
    refus = decidees.filter(etat="REFUSEE").first()
    assert refus.motif in Message.objects.get(lien=refus.get_absolute_url()).corps


@pytest.mark.django_db
def test_des_enfants_vivent_dans_deux_foyers_qui_les_voient_tous_les_deux(peupler):
    peupler(40)
    nombres = Enfant.objects.filter(rattachements__famille__in=familles_inventees()).annotate(
        foyers=Count("rattachements")
    )
    partages = nombres.filter(foyers=2)
    assert {enfant.foyers for enfant in nombres} == {1, 2}
    for rattachement in Rattachement.objects.filter(enfant__in=partages).order_by("pk"):
        parent = rattachement.famille.responsables.get(rang=1).utilisateur
        assert rattachement.enfant in Enfant.objects.visibles_par(parent)


# --- Using it --------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_un_parent_invente_se_connecte_et_ses_pages_s_ouvrent(commande, client, mot_de_passe):
    commande(familles=10)
    conjoint = Responsable.objects.filter(utilisateur__in=inventes(), rang=2).order_by("pk").first()
    famille, identifiant = conjoint.famille, conjoint.utilisateur.identifiant
    reponse = client.post("/connexion/", {"username": identifiant, "password": mot_de_passe})
    assert (reponse.status_code, reponse.url) == (302, "/")
    adresses = ["/", "/mon-compte/", "/mes-enfants/", "/messagerie/", "/demandes/?periode=toutes"]
    adresses += [f"/mon-compte/{type_}/" for type_ in TYPES]
    adresses += [f"/mes-enfants/{e.uuid}/" for e in Enfant.objects.visibles_par(conjoint.utilisateur)]
    adresses += [f"/messagerie/{fil.uuid}/" for fil in famille.fils.all()]
    adresses += [demande.get_absolute_url() for demande in famille.demandes.all()]
    assert [adresse for adresse in adresses if client.get(adresse).status_code != 200] == []
    assert len(adresses) >= 12


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
    assert re.match(r"10 familles ajoutées en \d+ s : \d+ adultes, \d+ enfants, ", lignes[3])
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


class SansBase:
    """Takes rows as ``Copie`` does, and keeps them."""

    def __init__(self):
        self.numeros, self.lignes = count(1), []

    def creer(self, modele, **valeurs):
        return self.ajouter(modele(**valeurs))

    def ajouter(self, objet):
        objet.pk = next(self.numeros)
        self.lignes.append(objet)
        return objet

    def toutes(self, modele):
        return [ligne for ligne in self.lignes if isinstance(ligne, modele)]


@pytest.fixture(
    params=["2026-08-31", "2026-09-01", "2026-11-22", "2027-01-01", "2027-07-15", "2028-02-29"],
    ids=lambda jour: f"le {jour}",
)
def histoire(request):
    """``histoire(annees)``: day, and rows of sixty families as of that day."""
    jour = date.fromisoformat(request.param)
    agent = Utilisateur(pk=900_001, identifiant="agent", is_staff=True)
    services = {code: ServiceMairie(pk=900_001, code=code, nom=code) for code in peuplement.AGENTS}
    agents = dict.fromkeys(peuplement.AGENTS, agent)

    def histoire(annees):
        decor = Decor(Commune(nom="Ici"), agents, services, [], "secret", jour, annees)
        lignes, foyer = SansBase(), None
        for numero in range(1, 61):
            foyer = Foyer(decor, lignes, Random(f"42/{numero}"), numero).inventer(foyer)
        return jour, lignes

    return histoire


@pytest.mark.parametrize("annees", [1, 3])
def test_rien_n_est_date_du_jour_ni_d_apres(histoire, annees):
    jour, lignes = histoire(annees)
    instants = [(m.envoye_le, m.envoye_le) for m in lignes.toutes(Message)]
    instants += [(lecture.message.envoye_le, lecture.lu_le) for lecture in lignes.toutes(Lecture)]
    for demande in lignes.toutes(Demande):
        instants += [(demande.deposee_le, i) for i in (demande.lue_le, demande.traitee_le) if i]
    assert max(timezone.localdate(apres) for _, apres in instants) < jour
    assert [(avant, apres) for avant, apres in instants if apres < avant] == []
    assert {f.cree_le <= d.deposee_le for d in lignes.toutes(Demande) for f in [d.famille]} == {True}


@pytest.mark.parametrize("annees", [1, 3])
def test_une_demande_est_close_avant_la_suivante_du_meme_type(histoire, annees):
    _, lignes = histoire(annees)
    par_type = {}
    for demande in sorted(lignes.toutes(Demande), key=lambda demande: demande.deposee_le):
        par_type.setdefault((demande.famille.pk, demande.type), []).append(demande)
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


def test_les_enfants_ont_l_age_de_l_ecole(histoire):
    jour, lignes = histoire(1)
    ages = {(jour - enfant.date_naissance) // timedelta(days=365.25) for enfant in lignes.toutes(Enfant)}
    assert ages | {2, 11} == set(range(2, 12))
