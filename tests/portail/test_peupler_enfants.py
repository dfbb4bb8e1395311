"""``manage.py peupler``: the children of the invented families, their schools, files and custody."""

from datetime import date, timedelta

import pytest
from django.db.models import Count

from demandes.models import Demande
from demandes.types import DU_DOSSIER
from enfants.dossier import informations, sante
from enfants.models import (
    Classe,
    ConsultationSante,
    DocumentEnfant,
    Ecole,
    Enfant,
    Garde,
    Informations,
    Niveau,
    PersonneAutorisee,
    Rattachement,
    Sante,
    SuspensionAcces,
)
from enfants.regles.annees import niveau_habituel
from enfants.regles.vaccins import TABLE_2025, manquants
from portail import demo_enfants
from portail.peuplement_enfants import niveaux_dits
from tests.portail.inventees import JOUR, JOURS, commander, enfants_inventes, familles_inventees, inventer, raconter


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


@pytest.mark.django_db
def test_chaque_enfant_a_une_classe_de_son_age(peupler):
    peupler(120)
    enfants = list(enfants_inventes().select_related("classe", "ecole"))
    assert {e for e in enfants if e.niveau != niveau_habituel(e.date_naissance, 2025)} == set()
    assert {e for e in enfants if e.niveau not in niveaux_dits(e.classe.nom) or e.classe.ecole != e.ecole} == set()
    assert {e.niveau for e in enfants} == {"TPS", "PS", "MS", "GS", "CP", "CE1", "CE2", "CM1", "CM2"}


@pytest.mark.parametrize(("familles", "ouvertes"), [(5, 2), (250, 3)])
@pytest.mark.django_db
def test_des_ecoles_s_ouvrent_selon_le_nombre_de_familles_et_resservent(familles, ouvertes, peupler):
    peupler(familles)
    ecoles = set(Ecole.objects.values_list("nom", flat=True))
    assert set(demo_enfants.ECOLES) < ecoles
    assert len(ecoles) == 2 + ouvertes
    classes = Classe.objects.count()
    peupler(5)
    assert (set(Ecole.objects.values_list("nom", flat=True)), Classe.objects.count()) == (ecoles, classes)


@pytest.mark.django_db
def test_les_ecoles_de_la_commune_servent_si_elle_en_a(peupler):
    Ecole.objects.create(nom="École Jacques-Prévert")
    peupler(40)
    assert Ecole.objects.count() == 3
    trouvees = {(e.ecole.nom, e.classe is None) for e in enfants_inventes().exclude(ecole=None)}
    assert ("École Jacques-Prévert", True) in trouvees
    assert {ecole for ecole, sans_classe in trouvees if not sans_classe} == set(demo_enfants.ECOLES)


@pytest.mark.parametrize(
    ("nom", "niveaux"),
    [
        ("CE1-CE2 de M. Blanc", ["CE1", "CE2"]),
        ("Petite et moyenne sections de Mme Lopez", ["PS", "MS"]),
        ("Toute petite section", ["TPS"]),
        ("TPS/PS", ["TPS", "PS"]),
        ("Grande section de M. Prat", ["GS"]),
        ("Les coccinelles", []),
    ],
)
def test_le_nom_d_une_classe_dit_ses_niveaux(nom, niveaux):
    assert niveaux_dits(nom) == niveaux


@pytest.mark.django_db
def test_les_dossiers_des_enfants_sont_remplis_a_peu_pres_tous(peupler):
    peupler(200)
    enfants = list(enfants_inventes().select_related("sante", "informations"))

    def part(condition):
        return sum(map(condition, enfants)) / len(enfants)

    assert 0.75 < part(lambda e: informations(e).photo is not None) < 0.97
    assert 0.85 < part(lambda e: bool(sante(e).medecin_nom)) < 0.99
    assert 0.02 < part(lambda e: bool(sante(e).allergenes or sante(e).allergies)) < 0.16
    assert 0.01 < part(lambda e: e.a_pai) < 0.06
    assert 0.75 < part(lambda e: e.regime == "STANDARD") < 0.97
    complets = part(lambda e: not manquants(e.date_naissance, JOUR, TABLE_2025, sante(e).vaccinations or {}))
    assert 0.75 < complets < 0.95
    assert part(lambda e: bool(sante(e).vaccins_etat)) > 0.6
    par_foyer = PersonneAutorisee.objects.filter(famille__in=familles_inventees()).values("famille", "enfant")
    assert {n for (n,) in par_foyer.annotate(n=Count("pk")).values_list("n")} >= {1, 2, 3}
    assert familles_inventees().filter(personnes=None).exists()


@pytest.mark.django_db
def test_aucun_fichier_ni_acces_suspendu_n_est_invente(peupler):
    bilan = peupler(40)
    assert DocumentEnfant not in bilan.lignes
    assert SuspensionAcces not in bilan.lignes


@pytest.mark.django_db
def test_qui_a_ouvert_une_demande_de_sante_est_note(peupler):
    peupler(80)
    lues = Demande.objects.filter(
        famille__in=familles_inventees(), type__in=["sante", "informations", "absence"], lue_le__isnull=False
    )
    notees = ConsultationSante.objects.filter(enfant__in=enfants_inventes())
    attendues = sorted(lues.values_list("enfant", "lue_par", "lue_le"))
    assert sorted(notees.values_list("enfant", "par", "le")) == attendues
    assert len(attendues) > 5


# --- Two households --------------------------------------------------------------------------------------


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
    foyers = (
        Rattachement.objects.filter(enfant__in=partages).order_by("enfant_id", "pk").values_list("enfant", "famille")
    )
    gardes = Garde.objects.filter(enfant__in=partages).order_by("enfant_id")
    de_la_garde = [(g.enfant_id, f) for g in gardes for f in (g.premier_foyer_id, g.second_foyer_id)]
    assert de_la_garde == list(foyers)
    assert Garde.objects.exclude(enfant__in=partages).filter(enfant__in=enfants_inventes()).count() == 0


@pytest.mark.django_db
def test_les_deux_foyers_d_un_enfant_lisent_son_calendrier(commande, connecter):
    commande(familles=40)
    garde = Garde.objects.filter(enfant__in=enfants_inventes()).select_related("enfant").first()
    for foyer in (garde.premier_foyer, garde.second_foyer):
        navigateur = connecter(foyer.responsables.get(rang=1).utilisateur.identifiant)
        for page in ("", "garde/", "autorisations/"):
            assert navigateur.get(f"/mes-enfants/{garde.enfant.uuid}/{page}").status_code == 200


# --- Any day of the year ---------------------------------------------------------------------------------


@pytest.mark.parametrize("annees", [1, 3])
def test_un_vaccin_n_est_ni_d_avant_la_naissance_ni_d_apres_la_veille(histoire, annees):
    jour, lignes = histoire(annees)
    faits = [
        (s.enfant.date_naissance, date.fromisoformat(le))
        for s in lignes.toutes(Sante)
        for le in (s.vaccinations or {}).values()
    ]
    assert [(naissance, le) for naissance, le in faits if not naissance < le < jour] == []
    assert len(faits) > 500


def test_les_enfants_ont_l_age_de_l_ecole(histoire):
    jour, lignes = histoire(1)
    ages = {(jour - enfant.date_naissance) // timedelta(days=365.25) for enfant in lignes.toutes(Enfant)}
    assert ages | {2, 11} == set(range(2, 12))
    assert {enfant.niveau for enfant in lignes.toutes(Enfant)} - {""} == {*Niveau.values}  # "": too young yet


def test_les_demandes_sur_un_enfant_de_deux_foyers_ne_touchent_que_la_liste_de_chacun(histoire):
    """The other one would have had to be told: each household asks only about its own list of people."""
    _, lignes = histoire(3)
    partages = {garde.enfant.pk for garde in lignes.toutes(Garde)}
    assert {d.type for d in lignes.toutes(Demande) if d.enfant_id in partages} == {"autorisations"}
    sans_planning = {*DU_DOSSIER}
    assert {d.type for d in lignes.toutes(Demande)} == sans_planning - {"ajout-enfant"}


def test_les_deux_foyers_d_un_enfant_ne_changent_pas_ses_fiches(histoire):
    _, lignes = histoire(1)
    for modele in (Sante, Informations):
        enfants = [fiche.enfant.pk for fiche in lignes.toutes(modele)]
        assert len(enfants) == len(set(enfants)) > 60
