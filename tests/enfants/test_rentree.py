"""The rentrée: what is foreseen, what is written, what is undone, and the files that households confirm."""

import threading
from datetime import date, timedelta

import pytest
from django.utils import timezone

from demandes import actions as demandes
from demandes.models import Demande
from enfants import actions as enfants
from enfants import rentree
from enfants.models import Classe, ConfirmationDossier, Ecole, Enfant, Rattachement, Rentree, SuspensionAcces
from enfants.prevision import cle_enfant
from familles.models import Famille, Utilisateur
from messagerie.models import Courriel, Fil, Message
from tests.demandes.test_concurrence import Course

ANNEE, DEPART = 2027, date(2027, 8, 31)


@pytest.fixture
def agent(distribution):
    return Utilisateur.objects.get(identifiant="agent")


def inscrire(prenom, niveau, classe=None, ecole=None, **autres):
    return Enfant.objects.create(
        prenom=prenom, nom="Essai", niveau=niveau, classe=classe, ecole=classe.ecole if classe else ecole, **autres
    )


@pytest.fixture
def village(distribution):
    """A maternelle and an élémentaire with one child a level; the children of the cast are too young for school."""
    Enfant.objects.update(niveau="", classe=None, ecole=None)
    Classe.objects.all().delete()
    Ecole.objects.all().delete()
    lilas, jaures = (Ecole.objects.create(nom=nom) for nom in ("Les Lilas", "Jaurès"))
    for ecole, nom, eleves in [
        (lilas, "Petits", {"Pia": "PS", "Max": "MS"}),
        (lilas, "Grands", {"Gus": "GS"}),
        (jaures, "CP", {"Cléo": "CP"}),
        (jaures, "CE1-CE2", {"Eva": "CE1", "Ezra": "CE2"}),
        (jaures, "CM1-CM2", {"Milo": "CM1", "Mona": "CM2"}),
    ]:
        classe = Classe.objects.create(ecole=ecole, nom=nom)
        for prenom, niveau in eleves.items():
            inscrire(prenom, niveau, classe)


def classe(nom):
    return Classe.objects.get(nom=nom)


def enfant(prenom):
    return Enfant.objects.get(prenom=prenom)


def groupe(prenom):
    """Key of the group of this child."""
    return next(g.cle for g in rentree.prevoir(ANNEE).groupes if any(m.enfant.prenom == prenom for m in g.mouvements))


def sort_de(prenom, choix=None):
    """``(what, level, class, school)`` of a child in the preview."""
    mouvement = next(m for m in rentree.prevoir(ANNEE, choix).mouvements if m.enfant.prenom == prenom)
    niveau, classe_id, ecole_id = mouvement.apres
    return (
        str(mouvement.quoi),
        niveau,
        classe_id and Classe.objects.get(pk=classe_id).nom,
        ecole_id and Ecole.objects.get(pk=ecole_id).nom,
    )


def etats():
    """Every child as the base has it."""
    return {
        e.prenom: (e.niveau, e.classe and e.classe.nom, e.ecole and e.ecole.nom, e.archive_le)
        for e in Enfant.objects.select_related("classe", "ecole")
    }


def faire(agent, choix=None):
    choix = choix or {}
    empreinte = rentree.prevoir(ANNEE, choix).empreinte
    return rentree.faire(ANNEE, choix, par=agent, archive_le=DEPART, empreinte=empreinte)


# --- The preview -------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_chacun_monte_dans_la_classe_qui_tient_le_niveau_et_le_cm2_part(village):
    avant = etats()
    prenoms = ["Pia", "Max", "Gus", "Cléo", "Eva", "Ezra", "Milo", "Mona"]
    assert {prenom: sort_de(prenom) for prenom in prenoms} == {
        "Pia": ("monte", "MS", "Petits", "Les Lilas"),
        "Max": ("monte", "GS", "Grands", "Les Lilas"),
        "Gus": ("monte", "CP", None, None),  # the maternelle has no CP: another school, to be given
        "Cléo": ("monte", "CE1", "CE1-CE2", "Jaurès"),
        "Eva": ("monte", "CE2", "CE1-CE2", "Jaurès"),
        "Ezra": ("monte", "CM1", "CM1-CM2", "Jaurès"),
        "Milo": ("monte", "CM2", "CM1-CM2", "Jaurès"),
        "Mona": ("part", "CM2", None, "Jaurès"),
    }
    prevision = rentree.prevoir(ANNEE)
    assert [m.enfant.prenom for m in prevision.mouvements] == ["Cléo", "Eva", "Ezra", "Milo", "Mona", *prenoms[:3]]
    assert (prevision.totaux, prevision.sans_classe, prevision.choix) == ({"monte": 7, "part": 1}, 1, {})
    assert etats() == avant


@pytest.mark.django_db
def test_entre_deux_classes_du_niveau_la_mairie_choisit(village):
    autre = Classe.objects.create(ecole=classe("CP").ecole, nom="CE1 bis")
    inscrire("Zoran", "CE1", autre)
    assert sort_de("Cléo") == ("monte", "CE1", None, "Jaurès")
    assert sort_de("Cléo", {groupe("Cléo"): f"classe:{autre.pk}"}) == ("monte", "CE1", "CE1 bis", "Jaurès")


@pytest.mark.django_db
def test_une_classe_que_personne_ne_tient_est_a_donner(village):
    Enfant.objects.filter(prenom="Ezra").delete()
    assert sort_de("Eva") == ("monte", "CE2", None, "Jaurès")


@pytest.mark.django_db
def test_la_grande_section_suit_l_ecole_que_l_agent_lui_donne(village):
    jaures, cp = classe("CP").ecole, classe("CP")
    assert sort_de("Gus", {groupe("Gus"): f"ecole:{jaures.pk}"}) == ("monte", "CP", None, "Jaurès")
    assert sort_de("Gus", {groupe("Gus"): f"classe:{cp.pk}"}) == ("monte", "CP", "CP", "Jaurès")


@pytest.mark.django_db
def test_la_grande_section_va_dans_toute_ecole_qui_n_est_pas_une_maternelle(village):
    autre, neuve = Ecole.objects.create(nom="Pins"), Ecole.objects.create(nom="Neuve")
    inscrire("Mina", "MS", ecole=autre)
    gus = next(g for g in rentree.prevoir(ANNEE).groupes if g.niveau == "GS")
    jaures = [f"classe:{classe(nom).pk}" for nom in ("CE1-CE2", "CM1-CM2", "CP")]
    attendues = ["", f"ecole:{classe('CP').ecole_id}", *jaures, f"ecole:{neuve.pk}"]
    assert sorted(gus.destinations) == sorted(attendues)


@pytest.mark.django_db
def test_une_ecole_primaire_garde_sa_grande_section(village):
    inscrire("Paco", "CP", ecole=classe("Grands").ecole)
    assert sort_de("Gus") == ("monte", "CP", None, "Les Lilas")


EXCEPTIONS = [
    ("Ezra", "redouble", ("redouble", "CE2", "CE1-CE2", "Jaurès")),
    ("Mona", "redouble", ("redouble", "CM2", "CM1-CM2", "Jaurès")),
    ("Cléo", "saute", ("saute", "CE2", "CE1-CE2", "Jaurès")),
    ("Max", "saute", ("saute", "CP", None, None)),
    ("Gus", "saute", ("saute", "CE1", None, None)),
    ("Eva", "part", ("part", "CE1", None, "Jaurès")),
    ("Eva", "classe:CM1-CM2", ("monte", "CE2", "CM1-CM2", "Jaurès")),
    ("Eva", "ecole:Jaurès", ("monte", "CE2", None, "Jaurès")),
    ("Gus", "ecole:Jaurès", ("monte", "CP", None, "Jaurès")),
    # What is not possible counts for nothing.
    ("Milo", "saute", ("monte", "CM2", "CM1-CM2", "Jaurès")),
    ("Eva", "classe:Petits", ("monte", "CE2", "CE1-CE2", "Jaurès")),
    ("Eva", "classe:0", ("monte", "CE2", "CE1-CE2", "Jaurès")),
    ("Eva", "n'importe quoi", ("monte", "CE2", "CE1-CE2", "Jaurès")),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("prenom", "choix", "attendu"), EXCEPTIONS)
def test_un_enfant_peut_faire_exception(prenom, choix, attendu, village):
    genre, _, nom = choix.partition(":")
    if nom and nom != "0":
        choix = f"{genre}:{(classe(nom) if genre == 'classe' else Ecole.objects.get(nom=nom)).pk}"
    assert sort_de(prenom, {cle_enfant(enfant(prenom).pk): choix}) == attendu


@pytest.mark.django_db
def test_qui_saute_une_classe_suit_l_ecole_donnee_a_son_groupe(village):
    choix = {groupe("Gus"): f"ecole:{classe('CP').ecole_id}", cle_enfant(enfant("Gus").pk): "saute"}
    assert sort_de("Gus", choix) == ("saute", "CE1", "CE1-CE2", "Jaurès")


@pytest.mark.django_db
def test_sans_classe_on_monte_par_ecole_et_niveau_et_sans_niveau_on_attend(village):
    inscrire("Nina", "CP", ecole=classe("CP").ecole)
    inscrire("Ulysse", "CE1")
    inscrire("Bébé", "")
    sans_niveau = inscrire("Oscar", "", classe("CP"))
    assert sort_de("Nina") == ("monte", "CE1", "CE1-CE2", "Jaurès")
    assert sort_de("Ulysse") == ("monte", "CE2", None, None)
    assert sort_de("Oscar") == ("reste", "", "CP", "Jaurès")
    ailleurs = {cle_enfant(sans_niveau.pk): f"classe:{classe('CE1-CE2').pk}"}
    assert sort_de("Oscar", ailleurs) == ("reste", "", "CE1-CE2", "Jaurès")
    assert "Bébé" not in {m.enfant.prenom for m in rentree.prevoir(ANNEE).mouvements}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("naissances", "deja"),
    [
        ({"Eva": date(2019, 5, 1)}, True),  # CE1 is the level of 2026-2027, the year to come being ANNEE - 1
        ({"Eva": date(2018, 5, 1)}, False),
        ({"Eva": date(2019, 5, 1), "Ezra": date(2017, 5, 1)}, False),  # as many of each: nobody knows
        ({}, False),
    ],
)
def test_des_niveaux_deja_a_jour_se_remarquent(naissances, deja, village):
    for prenom, naissance in naissances.items():
        Enfant.objects.filter(prenom=prenom).update(date_naissance=naissance)
    Enfant.objects.exclude(prenom__in=naissances).update(date_naissance=None)
    assert rentree.prevoir(ANNEE - 1).semble_deja_faite is deja


# --- Doing it ----------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_la_rentree_ecrit_ce_qui_etait_prevu_et_garde_ce_qui_etait(village, agent):
    ezra = cle_enfant(enfant("Ezra").pk)
    avant = etats()
    faite = faire(agent, {ezra: "redouble"})
    assert etats() == avant | {
        "Pia": ("MS", "Petits", "Les Lilas", None),
        "Max": ("GS", "Grands", "Les Lilas", None),
        "Gus": ("CP", None, None, None),
        "Cléo": ("CE1", "CE1-CE2", "Jaurès", None),
        "Eva": ("CE2", "CE1-CE2", "Jaurès", None),
        "Milo": ("CM2", "CM1-CM2", "Jaurès", None),
        "Mona": ("CM2", None, "Jaurès", DEPART),
    }
    assert (faite.annee, faite.faite_par, faite.annulee_le) == (ANNEE, agent, None)
    mona, jaures, cm = enfant("Mona"), classe("CP").ecole_id, classe("CM1-CM2").pk
    assert faite.mouvements[str(mona.pk)] == {
        "avant": {"niveau": "CM2", "classe_id": cm, "ecole_id": jaures, "archive_le": None},
        "apres": {"niveau": "CM2", "classe_id": None, "ecole_id": jaures, "archive_le": "2027-08-31"},
    }
    assert set(faite.mouvements) == {str(enfant(p).pk) for p in ("Pia", "Max", "Gus", "Cléo", "Eva", "Milo", "Mona")}


@pytest.mark.django_db
def test_qui_part_n_est_plus_montre_a_sa_famille_des_le_jour_du_depart(distribution, agent, comptes):
    Enfant.objects.filter(prenom="Léa").update(niveau="CM2")
    faire(agent)

    def visibles(jour):
        return {e.prenom for e in Enfant.objects.visibles_par(comptes["durand"], jour)}

    assert (visibles(DEPART - timedelta(days=1)), visibles(DEPART)) == ({"Léa", "Tom"}, {"Tom"})


@pytest.mark.django_db
def test_une_rentree_ne_se_fait_qu_une_fois(village, agent):
    faire(agent)
    avant = etats()
    with pytest.raises(rentree.RentreeDejaFaite, match="La rentrée 2027-2028 est déjà faite par Nadia Petit, auj"):
        faire(agent)
    assert (etats(), Rentree.objects.count()) == (avant, 1)


CHANGEMENTS = {
    "un enfant change de niveau": lambda: Enfant.objects.filter(prenom="Eva").update(niveau="CE2"),
    "un enfant change de classe": lambda: Enfant.objects.filter(prenom="Eva").update(classe=classe("CP")),
    "un enfant part": lambda: Enfant.objects.filter(prenom="Eva").update(archive_le=DEPART),
    "un enfant arrive": lambda: inscrire("Lou", "CP", classe("CP")),
    "un niveau devient connu": lambda: Enfant.objects.filter(prenom="Léa").update(niveau="CP"),
    "une classe ouvre": lambda: Classe.objects.create(ecole=classe("CP").ecole, nom="CP bis"),
    "une école ouvre": lambda: Ecole.objects.create(nom="Neuve"),
}


@pytest.mark.django_db
@pytest.mark.parametrize("changer", CHANGEMENTS.values(), ids=CHANGEMENTS)
def test_une_liste_qui_a_change_depuis_sa_lecture_n_ecrit_rien(changer, village, agent):
    lue = rentree.prevoir(ANNEE).empreinte
    changer()
    avant = etats()
    with pytest.raises(rentree.ListeChangee, match="La liste a changé pendant que vous la lisiez"):
        rentree.faire(ANNEE, {}, par=agent, archive_le=DEPART, empreinte=lue)
    assert (etats(), Rentree.objects.count()) == (avant, 0)


@pytest.mark.django_db
def test_un_nom_corrige_ne_change_pas_la_liste(village, agent):
    lue = rentree.prevoir(ANNEE).empreinte
    Enfant.objects.filter(prenom="Eva").update(nom="Éssai")
    assert rentree.faire(ANNEE, {}, par=agent, archive_le=DEPART, empreinte=lue).pk


# --- Undoing it --------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_annuler_remet_chacun_ou_il_etait(village, agent):
    avant = etats()
    faite = faire(agent)
    assert rentree.annuler(faite, par=agent) == []
    faite.refresh_from_db()
    assert (etats(), faite.annulee_par) == (avant, agent)
    assert faire(agent).pk != faite.pk, "une rentrée annulée se refait"


@pytest.mark.django_db
def test_annuler_laisse_les_dossiers_changes_depuis_et_les_nomme(village, agent):
    avant = etats()
    faite = faire(agent)
    Enfant.objects.filter(prenom="Gus").update(ecole=classe("CP").ecole)  # by hand, or by an accepted demande
    assert [e.prenom for e in rentree.modifies_depuis(faite)] == ["Gus"]
    assert [e.prenom for e in rentree.annuler(faite, par=agent)] == ["Gus"]
    assert etats() == avant | {"Gus": ("CP", None, "Jaurès", None)}


@pytest.mark.django_db
def test_annuler_laisse_ceux_dont_la_classe_n_existe_plus(village, agent):
    faite = faire(agent)
    classe("CP").delete()
    assert [e.prenom for e in rentree.annuler(faite, par=agent)] == ["Cléo"]
    assert etats()["Cléo"] == ("CE1", "CE1-CE2", "Jaurès", None)


@pytest.mark.django_db
def test_annuler_oublie_un_enfant_efface(village, agent):
    faite = faire(agent)
    enfant("Eva").delete()
    assert rentree.annuler(faite, par=agent) == []


@pytest.mark.django_db
def test_une_rentree_ne_s_annule_qu_une_fois(village, agent):
    faite = faire(agent)
    rentree.annuler(faite, par=agent)
    with pytest.raises(rentree.RentreeDejaAnnulee, match="Rentrée 2027-2028 : déjà annulée par Nadia Petit"):
        rentree.annuler(faite, par=agent)


# --- Two at once -------------------------------------------------------------------------------------------


@pytest.fixture
def preparer(transactional_db, village):
    """``preparer()``: the village as it was before the race; its preview is in ``preparer.empreinte``."""
    colonnes = {e.pk: [getattr(e, nom) for nom in rentree.COLONNES] for e in Enfant.objects.order_by("pk")}

    def preparer():
        Rentree.objects.all().delete()
        for pk, valeurs in colonnes.items():
            Enfant.objects.filter(pk=pk).update(**dict(zip(rentree.COLONNES, valeurs, strict=True)))
        preparer.empreinte = rentree.prevoir(ANNEE).empreinte

    preparer()
    return preparer


def faire_ce_qui_est_lu(identifiant, preparer):
    par = Utilisateur.objects.get(identifiant=identifiant)
    return lambda: rentree.faire(ANNEE, {}, par=par, archive_le=DEPART, empreinte=preparer.empreinte)


def test_deux_agents_font_la_rentree_un_seul_gagne(preparer):
    gestes = [faire_ce_qui_est_lu(identifiant, preparer) for identifiant in ("agent", "admin")]
    for resultats in Course(*gestes).tours(40, preparer):
        perdants = [r for r in resultats if r != "gagne"]
        assert [type(perdant) for perdant in perdants] == [rentree.RentreeDejaFaite], resultats
        assert "La rentrée 2027-2028 est déjà faite par " in str(perdants[0])
        assert (enfant("Eva").niveau, Rentree.objects.count()) == ("CE2", 1)


def test_deux_agents_sans_aucun_enfant_un_seul_gagne(preparer):
    """No child to queue for: the constraint decides."""

    def vider():
        preparer()
        Enfant.objects.update(niveau="", classe=None, archive_le=DEPART)
        preparer.empreinte = rentree.prevoir(ANNEE).empreinte

    gestes = [faire_ce_qui_est_lu(identifiant, preparer) for identifiant in ("agent", "admin")]
    for resultats in Course(*gestes).tours(40, vider):
        assert sorted(str(type(r).__name__) for r in resultats) == ["RentreeDejaFaite", "str"], resultats
        assert Rentree.objects.count() == 1


@pytest.fixture
def demande_de_niveau(preparer, deposer):
    """Léa's family asks for another level while the rentrée is being prepared."""
    Enfant.objects.filter(prenom="Léa").update(niveau="CE1", ecole=classe("CP").ecole)
    demande = deposer("durand", "etat-civil", enfant=enfant("Léa"), niveau="CM1")

    def remettre():
        preparer()
        Enfant.objects.filter(prenom="Léa").update(niveau="CE1", ecole=classe("CP").ecole)
        Demande.objects.filter(pk=demande.pk).update(etat="EN_ATTENTE", traitee_le=None, traitee_par=None, version=1)
        preparer.empreinte = rentree.prevoir(ANNEE).empreinte

    return demande, remettre


def accepter(demande):
    admin = Utilisateur.objects.get(identifiant="admin")
    return lambda: demandes.accepter(demande.pk, par=admin)


def test_la_rentree_et_une_demande_acceptee_ne_se_recouvrent_pas(preparer, demande_de_niveau):
    demande, remettre = demande_de_niveau
    gestes = [faire_ce_qui_est_lu("agent", preparer), accepter(demande)]
    for montee, accord in Course(*gestes).tours(40, remettre):
        if accord == "gagne":
            assert (type(montee), enfant("Léa").niveau) == (rentree.ListeChangee, "CM1")
        else:
            assert (montee, enfant("Léa").niveau) == ("gagne", "CE2")
            assert "a changé" in str(accord)


def test_sans_le_verrou_la_rentree_ecrase_la_demande(preparer, demande_de_niveau, monkeypatch):
    """The control of the race above: it must be able to fail."""
    demande, remettre = demande_de_niveau
    lu, accorde = threading.Barrier(2, timeout=60), threading.Barrier(2, timeout=60)

    def lire_sans_verrou():
        lus = list(Enfant.objects.presents())
        lu.wait()
        accorde.wait()
        return lus

    def accepter_apres_la_lecture():
        lu.wait()
        accepter(demande)()
        accorde.wait()

    monkeypatch.setattr(rentree, "verrouiller_les_presents", lire_sans_verrou)
    gestes = [faire_ce_qui_est_lu("agent", preparer), accepter_apres_la_lecture]
    for resultats in Course(*gestes).tours(5, remettre):
        assert resultats == ["gagne", "gagne"]
        assert enfant("Léa").niveau == "CE2", "ce que la mairie vient d'accepter est perdu"


# --- Confirmation of the files -----------------------------------------------------------------------------


def demandees():
    return {
        (c.enfant.prenom, c.famille.nom)
        for c in ConfirmationDossier.objects.filter(annee=ANNEE).select_related("enfant", "famille")
    }


DE_LA_DISTRIBUTION = {
    ("Léa", "Durand"),
    ("Tom", "Durand"),
    ("Zoé", "Martin"),
    ("Inès", "Benali"),
    ("Adam", "Benali"),
    ("Inès", "Rossi"),
}


@pytest.fixture
def sans_message(distribution):
    Fil.objects.all().delete()
    Courriel.objects.all().delete()


@pytest.mark.django_db
def test_chaque_foyer_recoit_un_seul_message_pour_tous_ses_enfants(sans_message, agent):
    assert rentree.ouvrir_confirmations(ANNEE, par=agent) == 4
    assert demandees() == DE_LA_DISTRIBUTION
    fils = {fil.famille.nom: fil.sujet for fil in Fil.objects.select_related("famille")}
    assert fils == dict.fromkeys(
        ["Durand", "Martin", "Benali", "Rossi"], "Rentrée 2027-2028 : vos dossiers à confirmer"
    )
    assert {(m.lien, m.auteur_id) for m in Message.objects.order_by("pk")} == {("/mes-enfants/", agent.pk)}
    assert (Fil.objects.count(), Courriel.objects.count()) == (4, 5)  # the Durands are two


@pytest.mark.django_db
def test_ouvrir_deux_fois_n_ecrit_qu_a_ceux_qui_sont_arrives(sans_message, agent, famille_martin):
    rentree.ouvrir_confirmations(ANNEE, par=agent)
    assert rentree.ouvrir_confirmations(ANNEE, par=agent) == 0
    enfants.ajouter_enfant(famille_martin, prenom="Nino", nom="Martin")
    assert rentree.foyers_a_inviter(ANNEE) == [famille_martin.pk]
    assert rentree.ouvrir_confirmations(ANNEE, par=agent) == 1
    assert demandees() == DE_LA_DISTRIBUTION | {("Nino", "Martin")}
    assert (Fil.objects.count(), famille_martin.fils.count()) == (5, 2)


@pytest.mark.django_db
def test_on_ne_demande_rien_pour_qui_est_parti_detache_ou_ecarte(sans_message, agent, familles_de):
    aujourdhui = timezone.localdate()
    Enfant.objects.filter(prenom="Tom").update(archive_le=aujourdhui)
    Rattachement.objects.filter(famille=familles_de("martin")).update(valable_au=aujourdhui - timedelta(days=1))
    rossi = familles_de("rossi").responsables.get()
    SuspensionAcces.objects.create(enfant=enfant("Inès"), adulte=rossi, motif="Jugement")
    julien = familles_de("durand2").responsables.get(utilisateur__identifiant="durand2")
    SuspensionAcces.objects.create(enfant=enfant("Léa"), adulte=julien, motif="Jugement")  # her mother still may
    assert rentree.ouvrir_confirmations(ANNEE, par=agent) == 2
    assert demandees() == {("Léa", "Durand"), ("Inès", "Benali"), ("Adam", "Benali")}


@pytest.mark.django_db
def test_une_ouverture_tuee_en_chemin_se_termine_au_second_passage(sans_message, agent, monkeypatch):
    monkeypatch.setattr(rentree, "LOT", 2)
    ecrits, notifier = [], rentree.notifier

    def notifier_puis_mourir(famille, **message):
        notifier(famille, **message)
        ecrits.append(famille.pk)
        if len(ecrits) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(rentree, "notifier", notifier_puis_mourir)
    with pytest.raises(KeyboardInterrupt):
        rentree.ouvrir_confirmations(ANNEE, par=agent)
    premiers = sorted(Famille.objects.filter(fils__isnull=False).values_list("pk", flat=True).order_by("pk"))
    assert premiers == sorted(ecrits[:2]), "le premier lot est écrit, le second est défait en entier"
    assert set(ConfirmationDossier.objects.values_list("famille", flat=True).order_by("pk")) == set(premiers)

    monkeypatch.setattr(rentree, "notifier", notifier)
    assert rentree.ouvrir_confirmations(ANNEE, par=agent) == 2
    assert demandees() == DE_LA_DISTRIBUTION
    assert [famille.fils.count() for famille in Famille.objects.order_by("pk")] == [1, 1, 1, 1]


@pytest.mark.django_db
def test_une_ouverture_peut_s_arreter_a_un_nombre_de_foyers(sans_message, agent):
    assert rentree.ouvrir_confirmations(ANNEE, par=agent, au_plus=3) == 3
    assert rentree.ouvrir_confirmations(ANNEE, par=agent, au_plus=3) == 1


def test_deux_agents_ouvrent_ensemble_chaque_foyer_n_est_ecrit_qu_une_fois(transactional_db, distribution):
    def ouvrir(identifiant):
        par = Utilisateur.objects.get(identifiant=identifiant)
        return lambda: rentree.ouvrir_confirmations(ANNEE, par=par)

    def preparer():
        ConfirmationDossier.objects.all().delete()
        Fil.objects.all().delete()

    for resultats in Course(ouvrir("agent"), ouvrir("admin")).tours(20, preparer):
        assert resultats == ["gagne", "gagne"]
        assert (demandees(), Fil.objects.count()) == (DE_LA_DISTRIBUTION, 4)


@pytest.mark.django_db
def test_confirmer_garde_le_premier_qui_et_le_premier_quand(distribution, agent, comptes, famille_durand):
    rentree.ouvrir_confirmations(ANNEE, par=agent)
    rentree.confirmer(enfant("Léa"), famille_durand, ANNEE, par=comptes["durand"])
    premiere = ConfirmationDossier.objects.get(enfant__prenom="Léa")
    rentree.confirmer(enfant("Léa"), famille_durand, ANNEE, par=comptes["durand2"])
    seconde = ConfirmationDossier.objects.get(enfant__prenom="Léa")
    assert (premiere.confirmee_par, seconde.confirmee_par) == (comptes["durand"], comptes["durand"])
    assert premiere.confirmee_le == seconde.confirmee_le
    assert ConfirmationDossier.objects.exclude(confirmee_le=None).count() == 1
