"""A registration, and its habitual days that become reservations in one action."""

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from enfants import inscriptions, offre
from enfants.models import (
    Attente,
    DocumentEnfant,
    Enfant,
    Fermeture,
    Implantation,
    Inscription,
    Place,
    Reglement,
    Reservation,
    Service,
)
from enfants.regles.annees import bornes
from messagerie.models import Courriel, Fil
from portail.outils.fichiers import ranger

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("le_23_novembre")]

LUNDI, MARDI, JEUDI = 0, 1, 3
NOEL = [date(2026, 12, jour) for jour in (21, 24, 28, 31)]


def jours(novembre=(), decembre=(), janvier=()):
    mois = [(2026, 11, novembre), (2026, 12, decembre), (2027, 1, janvier)]
    return [date(annee, numero, jour) for annee, numero, tenus in mois for jour in tenus]


@pytest.fixture
def inscrire(familles_de):
    """``inscrire("Léa", "durand", "restauration", [LUNDI])``, until 15 January."""

    def inscrire(prenom, foyer, code="restauration", habituels=(LUNDI, JEUDI), au=date(2027, 1, 15), **autres):
        return Inscription.objects.create(
            enfant=Enfant.objects.get(prenom=prenom),
            famille=familles_de(foyer),
            service=Service.objects.get(code=code),
            annee=2026,
            jours=list(habituels),
            valable_du=date(2026, 9, 1),
            valable_au=au,
            **autres,
        )

    return inscrire


def tenus(inscription):
    """Days that are booked."""
    reservees = Reservation.objects.actives().filter(
        enfant=inscription.enfant, famille=inscription.famille, service=inscription.service
    )
    return list(reservees.order_by("jour").values_list("jour", flat=True))


# --- Registering -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("jour", "ouvertes", "habituelle"),
    [
        (date(2026, 9, 1), [2026], 2026),
        (date(2027, 2, 28), [2026], 2026),
        (date(2027, 3, 1), [2026, 2027], 2026),
        (date(2027, 6, 30), [2026, 2027], 2026),
        (date(2027, 7, 1), [2026, 2027], 2027),
        (date(2027, 8, 31), [2026, 2027], 2027),
    ],
)
def test_l_annee_suivante_s_ouvre_en_mars(jour, ouvertes, habituelle):
    assert (inscriptions.annees_ouvertes(jour), inscriptions.annee_habituelle(jour)) == (ouvertes, habituelle)


@pytest.mark.parametrize(("annee", "du"), [(2026, date(2026, 11, 23)), (2027, date(2027, 9, 1))])
def test_une_inscription_compte_d_aujourd_hui_ou_du_1er_septembre(annee, du, familles_de):
    zoe, service = Enfant.objects.get(prenom="Zoé"), Service.objects.get(code="restauration")
    ligne = inscriptions.inscrire(zoe, familles_de("martin"), service, annee, jours=[JEUDI, LUNDI])
    ligne.refresh_from_db()
    assert (ligne.valable_du, ligne.valable_au, ligne.jours) == (du, bornes(annee)[1], [LUNDI, JEUDI])


def test_s_inscrire_encore_change_les_jours_de_la_meme_inscription(inscrire):
    ligne = inscrire("Léa", "durand")
    Inscription.objects.update(jours_reserves_le="2026-11-22T10:00Z")
    inscriptions.inscrire(ligne.enfant, ligne.famille, ligne.service, 2026, jours=[MARDI])
    ligne.refresh_from_db()
    assert (Inscription.objects.count(), ligne.jours, ligne.jours_reserves_le) == (1, [MARDI], None)
    assert ligne.valable_du == date(2026, 9, 1)


def test_les_services_proposes_sont_ceux_de_l_ecole_et_de_l_age():
    adam, service = Enfant.objects.get(prenom="Adam"), Service.objects.get(code="accueil-soir")
    proposes = [propose.code for propose in inscriptions.offres_pour(adam, 2026)]
    assert proposes == ["accueil-matin", "restauration", "accueil-soir", "alsh-mercredi", "alsh-vacances"]
    service.implantations.filter(ecoles=adam.ecole).delete()
    Service.objects.filter(code="alsh-vacances").update(age_min=6)
    Service.objects.filter(code="accueil-matin").update(inscription_requise=False)
    offre.oublier()
    assert [propose.code for propose in inscriptions.offres_pour(adam, 2026)] == ["restauration", "alsh-mercredi"]


def test_le_reglement_est_le_dernier_en_vigueur_de_l_annee():
    ancien = Reglement.objects.get()
    Reglement.objects.create(annee=2026, version="À venir", texte="…", publie_le=date(2026, 12, 1))
    de_l_an_prochain = Reglement.objects.create(annee=2027, version="2027", texte="…", publie_le=date(2027, 9, 1))
    assert inscriptions.reglement_de(2026, date(2026, 11, 23)) == ancien
    assert inscriptions.reglement_de(2026, date(2026, 12, 1)).version == "À venir"
    assert inscriptions.reglement_de(2027, date(2027, 4, 1)) == de_l_an_prochain


@pytest.mark.parametrize(
    ("expire_le", "valide"),
    [(None, True), (date(2027, 8, 31), True), (date(2026, 11, 23), True), (date(2026, 11, 22), False)],
)
def test_un_papier_perime_n_est_plus_au_dossier(expire_le, valide, familles_de):
    zoe = Enfant.objects.get(prenom="Zoé")
    piece = ranger("a.pdf", "application/pdf", b"%PDF-1.4")
    DocumentEnfant.objects.create(
        enfant=zoe, famille=familles_de("martin"), nature="ASSURANCE", expire_le=expire_le, **piece
    )
    assert inscriptions.papiers_valides(zoe, 2026, date(2026, 11, 23)) == ({"ASSURANCE"} if valide else set())


# --- Habitual days ---------------------------------------------------------------------------------------


def test_l_agent_reserve_les_jours_ouverts_quel_que_soit_le_delai(inscrire, comptes):
    ligne = inscrire("Léa", "durand")
    Fermeture.objects.create(motif="grève", valable_du=date(2026, 12, 10), valable_au=date(2026, 12, 10))
    bilan = inscriptions.reserver_jours_habituels(ligne, par=comptes["agent"])
    attendus = jours(novembre=[26, 30], decembre=[3, 7, 14, 17], janvier=[4, 7, 11, 14])
    assert (bilan.reserves, tenus(ligne)) == (attendus, attendus)
    assert bilan.ecartes == {"grève": [date(2026, 12, 10)], "vacances scolaires": NOEL}
    ligne.refresh_from_db()
    assert ligne.jours_reserves_le is not None
    assert Place.objects.count() == len(attendus), "un jour fermé n'a pas de feuille"
    assert set(Reservation.objects.values_list("reservee_par__identifiant", "tardive")) == {("agent", False)}


def test_un_parent_ne_reserve_que_ce_que_le_delai_permet(inscrire, comptes):
    ligne = inscrire("Léa", "durand", au=date(2026, 12, 4))
    bilan = inscriptions.reserver_jours_habituels(ligne, par=comptes["durand"])
    assert (bilan.reserves, tenus(ligne)) == (jours([30], [3]), jours([30], [3]))
    assert bilan.ecartes == {"délai passé": [date(2026, 11, 26)]}


def test_un_jour_ferie_et_un_autre_depart_ne_se_reservent_pas(inscrire, comptes):
    ligne = inscrire("Léa", "durand", habituels=[JEUDI], au=date(2027, 5, 14))
    bilan = inscriptions.reserver_jours_habituels(ligne, par=comptes["agent"], a_partir_du=date(2027, 5, 3))
    assert (bilan.reserves, bilan.ecartes) == ([date(2027, 5, 13)], {"jour férié": [date(2027, 5, 6)]})


def test_chaque_foyer_ne_reserve_que_ses_semaines(inscrire, comptes):
    chez_benali, chez_rossi = inscrire("Inès", "benali"), inscrire("Inès", "rossi")
    siens = jours(novembre=[26], decembre=[7, 10], janvier=[4, 7])
    autres = jours(novembre=[30], decembre=[3, 14, 17], janvier=[11, 14])
    for ligne, attendus, ailleurs in [(chez_benali, siens, autres), (chez_rossi, autres, siens)]:
        bilan = inscriptions.reserver_jours_habituels(ligne, par=comptes["agent"])
        assert (bilan.reserves, tenus(ligne)) == (attendus, attendus)
        assert bilan.ecartes["vacances scolaires"] == NOEL
        refus = {motif: tenus_ for motif, tenus_ in bilan.ecartes.items() if motif != "vacances scolaires"}
        assert sorted(jour for tenus_ in refus.values() for jour in tenus_) == ailleurs
        assert set(refus) <= {"chez son autre parent", "réservé par l'autre foyer"}


def test_recommencer_ne_reserve_rien_de_plus(inscrire, comptes):
    ligne = inscrire("Léa", "durand", au=date(2026, 12, 4))
    premiers = inscriptions.reserver_jours_habituels(ligne, par=comptes["agent"]).reserves
    bilan = inscriptions.reserver_jours_habituels(ligne, par=comptes["agent"])
    assert (bilan.reserves, bilan.ecartes) == ([], {"déjà réservé": premiers})
    assert tenus(ligne) == premiers == jours([26, 30], [3])


def test_un_jour_complet_est_dit_et_n_inscrit_pas_en_liste_d_attente(inscrire, comptes):
    Implantation.objects.filter(service__code="restauration").update(capacite=1)
    offre.oublier()
    lea = inscrire("Léa", "durand", au=date(2026, 12, 4), habituels=[JEUDI])
    tom = inscrire("Tom", "durand", au=date(2026, 12, 4))
    inscriptions.reserver_jours_habituels(lea, par=comptes["agent"])
    for par in ("agent", "durand"):
        bilan = inscriptions.prevoir_jours_habituels([tom], par=comptes[par])[0]
        assert (bilan.reserves, bilan.ecartes) == (jours([30]), {"complet": jours([26], [3])})
    bilan = inscriptions.reserver_jours_habituels(tom, par=comptes["durand"])
    assert (bilan.reserves, tenus(tom), Attente.objects.count()) == (jours([30]), jours([30]), 0)


def test_deux_enfants_d_un_foyer_ne_prennent_pas_la_meme_place(inscrire, comptes, famille_durand):
    Implantation.objects.filter(service__code="restauration").update(capacite=1)
    offre.oublier()
    lignes = [inscrire(prenom, "durand", au=date(2026, 12, 1), habituels=[LUNDI]) for prenom in ("Léa", "Tom")]
    bilans = inscriptions.reserver_pour_le_foyer(famille_durand, lignes, par=comptes["agent"])
    assert [(b.reserves, b.ecartes) for b in bilans] == [(jours([30]), {}), ([], {"complet": jours([30])})]


def test_un_jour_en_liste_d_attente_y_reste(inscrire, comptes, famille_durand):
    ligne = inscrire("Léa", "durand", au=date(2026, 12, 1))
    service, site = ligne.service, ligne.service.implantations.get().site
    place = Place.objects.create(service=service, site=site, jour=date(2026, 11, 30))
    Attente.objects.create(
        enfant=ligne.enfant,
        famille=famille_durand,
        service=service,
        jour=place.jour,
        place=place,
        inscrite_par=comptes["durand"],
    )
    bilan = inscriptions.reserver_jours_habituels(ligne, par=comptes["agent"])
    assert (bilan.reserves, bilan.ecartes) == (jours([26]), {"en liste d'attente": jours([30])})


def test_un_service_que_la_mairie_valide_ne_se_reserve_pas_d_un_clic(inscrire, comptes):
    service = Service.objects.get(code="alsh-vacances")
    journee = service.formules.first()
    ligne = inscrire("Léa", "durand", "alsh-vacances", [LUNDI, MARDI], date(2027, 3, 5), formule=journee)
    bilan = inscriptions.prevoir_jours_habituels([ligne], par=comptes["durand"])[0]
    assert (bilan.reserves, len(bilan.ecartes)) == ([], 2)
    assert "hors vacances" in bilan.ecartes
    bilan = inscriptions.reserver_jours_habituels(ligne, par=comptes["agent"])
    hiver = [date(2027, 2, 22), date(2027, 2, 23), date(2027, 3, 1), date(2027, 3, 2)]
    assert bilan.reserves == [*jours(decembre=[21, 22, 28, 29]), *hiver]
    assert set(Reservation.objects.values_list("formule", flat=True)) == {journee.pk}


def test_une_annee_ne_coute_pas_plus_de_requetes_qu_une_semaine(inscrire, comptes):
    couts = []
    for prenom, au in (("Tom", date(2026, 11, 27)), ("Léa", date(2027, 8, 31))):
        ligne = inscrire(prenom, "durand", au=au)
        inscriptions.prevoir_jours_habituels([ligne], par=comptes["agent"])  # the offer is cached
        with CaptureQueriesContext(connection) as captees:
            bilan = inscriptions.reserver_jours_habituels(ligne, par=comptes["agent"])
        couts.append((len(bilan.reserves), len(captees)))
    (peu, cout), (beaucoup, cher) = couts
    assert (peu, beaucoup > 40, cher) == (1, True, cout)


# --- Told ------------------------------------------------------------------------------------------------


def test_le_foyer_recoit_un_message_pour_tous_ses_enfants(inscrire, comptes, famille_durand):
    Fil.objects.all().delete()
    lignes = [inscrire(prenom, "durand", au=date(2026, 12, 1)) for prenom in ("Léa", "Tom")]
    inscriptions.reserver_pour_le_foyer(famille_durand, lignes, par=comptes["agent"])
    fil = Fil.objects.get()
    assert (fil.famille, fil.sujet) == (famille_durand, "Jours habituels de Léa et Tom\u00a0: 4 jours")
    assert [ligne for ligne in fil.messages.get().corps.splitlines() if ":" in ligne] == [
        f"{prenom}, restauration scolaire, jours réservés\u00a0: 2 jours, du 26 au 30 novembre 2026."
        for prenom in ("Léa", "Tom")
    ]
    assert Courriel.objects.count() == 2  # both adults


def test_un_parent_qui_reserve_lui_meme_ne_recoit_pas_de_courriel(inscrire, comptes, famille_durand):
    Fil.objects.all().delete()
    ligne = inscrire("Léa", "durand", au=date(2026, 12, 4))
    inscriptions.reserver_pour_le_foyer(famille_durand, [ligne], par=comptes["durand"])
    assert (Fil.objects.count(), Courriel.objects.count()) == (1, 0)


def test_l_agent_reserve_toute_la_selection_et_previent_chaque_foyer_une_fois(inscrire, connecter):
    Fil.objects.all().delete()
    au = date(2026, 12, 1)
    lignes = [inscrire("Léa", "durand", au=au), inscrire("Tom", "durand", au=au), inscrire("Adam", "benali", au=au)]
    sans_jours = inscrire("Zoé", "martin", au=au, habituels=[])
    choisies = [str(ligne.pk) for ligne in [*lignes, sans_jours]]
    reponse = connecter("agent").post(
        "/admin/enfants/inscription/",
        {"action": "reserver_les_jours", "_selected_action": choisies},
        follow=True,
    )
    assert [str(message) for message in reponse.context["messages"]] == ["6 jours réservés, 2 foyers sont prévenus."]
    assert [tenus(ligne) for ligne in lignes] == [jours([26, 30])] * 3
    assert sorted(Fil.objects.values_list("famille__nom", flat=True)) == ["Benali", "Durand"]


def test_l_agent_retrouve_les_inscriptions_dont_les_jours_restent_a_reserver(inscrire, connecter, comptes):
    a_faire, faite = inscrire("Léa", "durand"), inscrire("Tom", "durand")
    inscrire("Zoé", "martin", habituels=[])
    inscriptions.reserver_jours_habituels(faite, par=comptes["agent"])
    navigateur = connecter("agent")

    def liste(filtre):
        return [ligne.pk for ligne in navigateur.get(f"/admin/enfants/inscription/?{filtre}").context["cl"].queryset]

    assert liste("habituels=a-reserver") == [a_faire.pk]
    assert liste("habituels=reserves") == [faite.pk]
    assert liste("annee=2025") == []
    assert liste("q=tom") == [faite.pk]
