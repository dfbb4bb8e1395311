"""The month of a child and the menu of its cells, at a known hour: Monday 16 November 2026, 9 o'clock."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from demandes.models import Demande
from enfants import offre
from enfants.models import (
    Attente,
    Enfant,
    Fermeture,
    Formule,
    Garde,
    Implantation,
    Inscription,
    MotifAbsence,
    Place,
    Presence,
    RegleDelai,
    Reservation,
    Service,
)
from tests.grille import Vue, adresse, annonces, cases, place, reserver, texte

pytestmark = pytest.mark.django_db

MARDI_17, JEUDI_19, LUNDI_23, MARDI_24 = (date(2026, 11, n) for n in (17, 19, 23, 24))
DE_LEA = {"accueil-matin", "restauration", "accueil-soir", "alsh-mercredi", "alsh-vacances"}


def limiter(service, places):
    Implantation.objects.filter(service__code=service).update(capacite=places)
    offre.oublier()


def pointer(reservation_ou_place, enfant, etat, par):
    Presence.objects.create(
        enfant=enfant,
        service=reservation_ou_place.service,
        jour=reservation_ou_place.jour,
        place=getattr(reservation_ou_place, "place", reservation_ou_place),
        etat=etat,
        pointee_par=par,
    )


def novembre(navigateur, prenom="Léa", service="restauration"):
    """{day of November: cell} of a service."""
    page = cases(navigateur.get(adresse(prenom, "planning/2026-11/")))
    return {int(jour[-2:]): vue for (jour, code), vue in page.items() if code == service}


# --- The grid --------------------------------------------------------------------------------------------


def test_chaque_jour_du_mois_porte_une_case_par_service(automne, connecter):
    page = cases(connecter("durand").get(adresse("Léa", "planning/2026-11/")))
    assert set(page) == {(f"2026-11-{n:02}", code) for n in range(1, 31) for code in DE_LEA}


def test_la_page_de_l_enfant_montre_ce_mois(automne, connecter):
    navigateur = connecter("durand")
    par_le_mois = cases(navigateur.get(adresse("Léa", "planning/2026-11/")))
    ici = cases(navigateur.get(adresse("Léa")))
    assert {cle: vue[:3] for cle, vue in ici.items()} == {cle: vue[:3] for cle, vue in par_le_mois.items()}
    # The links of both lead to the same page of a cell.
    assert ici["2026-11-23", "restauration"].lien == "planning/2026-11-23/restauration/"
    assert par_le_mois["2026-11-23", "restauration"].lien == "../2026-11-23/restauration/"


def test_les_fleches_menent_au_mois_voisin(automne, connecter):
    navigateur = connecter("durand")
    page = navigateur.get(adresse("Léa"))
    for mois in ("2026-10", "2026-12"):
        assert f'href="{adresse("Léa", f"planning/{mois}/")}"' in texte(page)
    assert "Décembre 2026" in texte(navigateur.get(adresse("Léa", "planning/2026-12/")))
    for mois in ("2026-13", "2026-1", "1999-01", "novembre"):
        assert navigateur.get(adresse("Léa", f"planning/{mois}/")).status_code == 404


def test_les_onze_etats_se_voient_avec_leur_mot_et_leur_phrase(automne, connecter, comptes):
    claire, lea, hugo = comptes["durand"], Enfant.objects.get(prenom="Léa"), comptes["animateur"]
    pointer(place("restauration", date(2026, 11, 3), lea), lea, "PRESENT", hugo)
    pointer(reserver(claire, "Léa", date(2026, 11, 5)), lea, "PRESENT", hugo)
    pas_venue = reserver(claire, "Léa", date(2026, 11, 9))
    Place.objects.filter(pk=pas_venue.place_id).update(close_le=automne, close_par=hugo)
    greve = MotifAbsence.objects.get(code="greve")
    reserver(claire, "Léa", date(2026, 11, 12), motif_absence=greve, absence_le=automne)
    reserver(claire, "Léa", LUNDI_23)
    navigateur = connecter("durand")
    navigateur.post(adresse("Léa", "planning/2026-11-17/restauration/"), {"geste": "RESERVER"})
    # One place at the canteen: Adam has that of Thursday 26, Tom waits for that of Friday 27 before Léa.
    limiter("restauration", 1)
    reserver(comptes["benali"], "Adam", date(2026, 11, 26))
    reserver(comptes["benali"], "Adam", date(2026, 11, 27))
    navigateur.post(adresse("Tom", "planning/2026-11-27/restauration/"), {"geste": "ATTENDRE"})
    navigateur.post(adresse("Léa", "planning/2026-11-27/restauration/"), {"geste": "ATTENDRE"})
    vus = novembre(navigateur)
    assert {n: vus[n][:3] for n in (3, 5, 9, 11, 12, 17, 19, 20, 23, 26, 27)} == {
        3: ("present", "Présent", ""),
        5: ("present-reserve", "Présent et réservé", ""),
        9: ("absent", "Absent", "réservé, pas venu"),
        11: ("ferme", "Fermé", "jour férié"),
        12: ("absence", "Absence déclarée", "Enseignant absent ou en grève"),
        17: ("demande", "Demandé", "en attente de la mairie"),
        19: ("libre", "Libre", "jusqu'au lundi 16 novembre à 12\u00a0h"),
        20: ("libre", "Libre", "jusqu'au mardi 17 novembre à 12\u00a0h"),
        23: ("reserve", "Réservé", "annulable jusqu'au jeudi 19 novembre à 12\u00a0h"),
        26: ("complet", "Complet", "liste d'attente possible"),
        27: ("attente", "Liste d'attente", "2e de la liste"),
    }
    assert novembre(navigateur, "Tom")[17] == Vue(
        "hors-delai",
        "Trop tard",
        "délai passé depuis le vendredi 13 novembre à 12\u00a0h",
        "../2026-11-17/restauration/",
    )


def test_une_reservation_reste_reservee_passe_son_delai(automne, connecter, comptes, horloge):
    reserver(comptes["durand"], "Léa", LUNDI_23)
    for maintenant, phrase in (
        ("2026-11-19T12:00:00", "annulable jusqu'au jeudi 19 novembre à 12\u00a0h"),
        ("2026-11-19T12:00:01", "ne s'annule plus depuis le jeudi 19 novembre à 12\u00a0h"),
        ("2026-11-23T13:00:00", ""),
    ):
        horloge(maintenant)
        assert novembre(connecter("durand"))[23][:3] == ("reserve", "Réservé", phrase)


def test_un_jour_libre_est_trop_tard_puis_passe(automne, connecter, horloge):
    horloge("2026-11-19T12:00:01")
    passe = "délai passé depuis le jeudi 19 novembre à 12\u00a0h"
    assert novembre(connecter("durand"))[23] == Vue("hors-delai", "Trop tard", passe, "../2026-11-23/restauration/")
    horloge("2026-11-23T12:00:00")
    assert novembre(connecter("durand"))[23] == Vue("hors-delai", "Passé", "", "")


def test_une_fermeture_dit_sa_raison_et_ne_s_ouvre_pas(automne, connecter):
    Fermeture.objects.create(valable_du=MARDI_24, valable_au=MARDI_24, motif="Travaux au restaurant")
    assert novembre(connecter("durand"))[24] == Vue("ferme", "Fermé", "Travaux au restaurant", "")


def test_avant_l_ouverture_des_reservations_la_case_dit_quand(automne, connecter):
    moment = {"date": "2026-11-18", "heure": "07:00"}
    regle = RegleDelai.objects.get(service__code="restauration", usage="RESERVER")
    regle.regle["ouverture"] = {"residents": moment, "autres": moment}
    regle.save()
    offre.oublier()
    navigateur = connecter("durand")
    assert novembre(navigateur)[23] == Vue(
        "ferme", "Pas encore ouvert", "à partir du mercredi 18 novembre à 7\u00a0h", ""
    )
    case = texte(navigateur.get(adresse("Léa", "planning/2026-11-23/restauration/")))
    assert "Les réservations de ce jour ouvrent le mercredi 18 novembre à 7\u00a0h." in case


def test_le_prochain_delai_est_annonce(automne, connecter, comptes, horloge):
    """At noon the Wednesday and the canteen of Thursday; then the evening of tomorrow, reserved until 18 h."""
    assert "Mercredi, mercredi 18\u00a0: à réserver jusqu'au lundi 16 novembre à 12\u00a0h" in texte(
        connecter("durand").get(adresse("Tom"))
    )
    horloge("2026-11-16T12:00:01")
    page = texte(connecter("durand").get(adresse("Tom")))
    assert "Soir, mardi 17\u00a0: à réserver jusqu'au lundi 16 novembre à 18\u00a0h" in page
    reserver(comptes["durand"], "Tom", MARDI_17, "accueil-soir")
    page = texte(connecter("durand").get(adresse("Tom")))
    assert "Soir, mardi 17\u00a0: annulable jusqu'au lundi 16 novembre à 18\u00a0h" in page


def test_un_service_sans_inscription_est_dit_avec_le_lien_pour_inscrire(automne, connecter):
    page = connecter("durand").get(adresse("Tom", "planning/2026-11/"))
    assert {code for _, code in cases(page)} == {"restauration", "accueil-soir", "alsh-mercredi"}
    assert "Pas d'inscription pour\u00a0: Accueil du matin, ALSH des vacances." in texte(page)
    assert f'<a href="{adresse("Tom", "inscriptions/")}">Inscrire Tom</a>' in texte(page)


def test_une_inscription_en_cours_de_mois_ferme_les_jours_d_avant(automne, connecter):
    Inscription.objects.filter(enfant__prenom="Léa", service__code="restauration").update(valable_du=MARDI_24)
    vus = novembre(connecter("durand"))
    assert vus[23] == Vue("ferme", "Fermé", "inscription à faire", "")
    assert vus[24].etat == "libre"


def test_les_jours_de_l_autre_foyer_sont_fermes_et_ses_reservations_se_voient(automne, connecter, comptes):
    """Inès is at Benali's the week of 31 August, then one week in two: his are those of 9 and 23 November."""
    Garde.objects.update(premiere_semaine=date(2026, 8, 31), vacances=Garde.Vacances.ALTERNANCE)
    reserver(comptes["benali"], "Inès", date(2026, 11, 26))
    pere, mere = (novembre(connecter(login), "Inès") for login in ("benali", "rossi"))
    assert pere[30] == Vue("ferme", "Fermé", "chez son autre parent", "")
    assert (pere[24].etat, mere[24][:3], mere[30].etat) == (
        "libre",
        ("ferme", "Fermé", "chez son autre parent"),
        "libre",
    )
    assert mere[26][:3] == ("reserve", "Réservé", "par l'autre foyer")
    assert pere[26].phrase == "annulable jusqu'au lundi 23 novembre à 12\u00a0h"


# --- The menu of a cell ----------------------------------------------------------------------------------


@pytest.fixture
def menu(automne, connecter):
    """``menu("durand", "Léa", jour)``: (what the cell offers with its sentence, the page)."""

    def menu(identifiant, prenom, jour, service="restauration"):
        reponse = connecter(identifiant).get(adresse(prenom, f"planning/{jour}/{service}/"))
        assert reponse.status_code == 200
        return [(g.libelle, g.phrase) for g in reponse.context["gestes"]], texte(reponse)

    return menu


@pytest.fixture
def faire(automne, connecter):
    """``faire("durand", "Léa", jour, "RESERVER")``: the page after the click, and what it announces."""

    def faire(identifiant, prenom, jour, geste, service="restauration", **donnees):
        page = adresse(prenom, f"planning/{jour}/{service}/")
        reponse = connecter(identifiant).post(page, {"geste": geste, **donnees}, follow=True)
        assert [code for _, code in reponse.redirect_chain] == [302]
        assert reponse.redirect_chain[0][0].partition("?")[0] == adresse(prenom, f"planning/{jour:%Y-%m}/")
        return annonces(reponse)

    return faire


def test_un_jour_libre_se_reserve_et_le_dit(menu, faire):
    gestes, page = menu("durand", "Léa", LUNDI_23)
    assert gestes == [("Demande de réservation", "jusqu'au jeudi 19 novembre à 12\u00a0h")]
    assert "Léa\u00a0: Restauration scolaire, lundi 23 novembre" in page.replace("&nbsp;", "\u00a0")
    for libelle in ("Déclarer une absence", "Annuler la réservation"):
        assert libelle not in page
    assert faire("durand", "Léa", LUNDI_23, "RESERVER") == ["1 jour réservé."]
    reservation = Reservation.objects.get()
    assert (reservation.enfant.prenom, reservation.jour, reservation.tardive) == ("Léa", LUNDI_23, False)


def test_un_jour_reserve_s_annule_ou_se_declare_absent_jusqu_au_delai(menu, faire, comptes, horloge):
    reserver(comptes["durand"], "Léa", LUNDI_23)
    absence = ("Déclarer une absence", "jusqu'au lundi 23 novembre à 23\u00a0h\u00a059")
    gestes, page = menu("durand", "Léa", LUNDI_23)
    assert gestes == [("Annuler la réservation", "jusqu'au jeudi 19 novembre à 12\u00a0h"), absence]
    enfant = Enfant.objects.get(prenom="Léa")
    assert f"/mes-enfants/absence/?enfants={enfant.pk}&du=2026-11-23&retour=2026-11-24&service=restauration" in page
    horloge("2026-11-19T12:00:01")
    assert menu("durand", "Léa", LUNDI_23)[0] == [absence]
    assert faire("durand", "Léa", LUNDI_23, "ANNULER") == [
        "Sans effet pour le lundi 23 novembre. Le délai d'annulation est passé depuis le jeudi 19 novembre à 12\u00a0h."
    ]
    horloge("2026-11-19T12:00:00")
    assert faire("durand", "Léa", LUNDI_23, "ANNULER") == ["1 jour annulé."]
    assert Reservation.objects.actives().count() == 0


def test_une_demande_tardive_dit_son_prix_avant_et_attend_la_mairie(menu, faire):
    gestes, _ = menu("durand", "Léa", MARDI_17)
    phrase = "Demande tardive, la mairie décide\u00a0: un repas demandé en retard est majoré de 50\u00a0%."
    assert gestes == [("Demande de réservation", phrase)]
    assert faire("durand", "Léa", MARDI_17, "RESERVER") == [
        "1 jour demandé, en attente de la mairie. La réponse arrivera dans votre boîte de réception."
    ]
    assert Reservation.objects.count() == 0
    gestes, page = menu("durand", "Léa", MARDI_17)
    demande = Demande.objects.get(type="reservation")
    assert gestes == []
    assert "Une demande attend déjà une réponse pour ce jour." in page
    assert f'href="{demande.get_absolute_url()}">Voir la demande, la retirer' in page


def test_sans_acceptation_tardive_la_case_dit_depuis_quand_il_est_trop_tard(menu, faire):
    Service.objects.filter(code="restauration").update(validation="AUTOMATIQUE")
    offre.oublier()
    gestes, page = menu("durand", "Léa", MARDI_17)
    assert gestes == []
    assert "Le délai est passé depuis le vendredi 13 novembre à 12\u00a0h." in page
    assert "Nous contacter" in page
    (dit,) = faire("durand", "Léa", MARDI_17, "RESERVER")
    assert dit.startswith("Sans effet pour le mardi 17 novembre. Le délai est passé depuis le vendredi 13 novembre")


@pytest.mark.parametrize(
    ("jour", "raison"),
    [
        (date(2026, 11, 11), "Fermé\u00a0: jour férié."),
        (date(2026, 11, 25), "Fermé\u00a0: pas de service le mercredi."),
        (date(2026, 12, 21), "Fermé\u00a0: vacances scolaires."),
        (date(2026, 11, 12), "Ce jour est passé."),
    ],
)
def test_une_case_fermee_dit_pourquoi(jour, raison, menu, faire):
    gestes, page = menu("durand", "Léa", jour)
    assert gestes == []
    ferme = raison.removeprefix("Fermé\u00a0: ").removesuffix(".")
    assert (raison if raison == "Ce jour est passé." else f"<strong>Fermé</strong><span>, {ferme}</span>") in page
    (dit,) = faire("durand", "Léa", jour, "RESERVER")
    assert dit.endswith(raison)


def test_un_service_sans_inscription_dit_quoi_faire(menu):
    gestes, page = menu("durand", "Tom", LUNDI_23, "accueil-matin")
    assert gestes == []
    assert "Inscrivez d'abord l'enfant à ce service pour l'année scolaire." in page


def test_un_jour_complet_met_en_liste_et_la_liste_se_quitte(menu, faire, comptes):
    limiter("restauration", 1)
    reserver(comptes["benali"], "Adam", LUNDI_23)
    assert menu("durand", "Léa", LUNDI_23)[0] == [
        ("Rejoindre la liste d'attente", "jusqu'au jeudi 19 novembre à 12\u00a0h")
    ]
    assert faire("durand", "Léa", LUNDI_23, "ATTENDRE") == ["1 jour en liste d'attente."]
    assert menu("durand", "Léa", LUNDI_23)[0] == [("Quitter la liste d'attente", "")]
    assert faire("durand", "Léa", LUNDI_23, "QUITTER") == ["1 liste d'attente quittée."]
    assert Attente.objects.get().issue == "QUITTEE"


def test_une_place_proposee_se_prend_depuis_la_case(menu, faire, comptes, automne):
    limiter("restauration", 1)
    adam = reserver(comptes["benali"], "Adam", LUNDI_23)
    faire("durand", "Léa", LUNDI_23, "ATTENDRE")
    adam.annulee_le, adam.annulee_par = automne, comptes["benali"]
    adam.save()
    fin = datetime(2026, 11, 17, 9, tzinfo=ZoneInfo("Europe/Paris"))
    Attente.objects.update(offerte_le=automne, expire_le=fin)
    gestes, page = menu("durand", "Léa", LUNDI_23)
    jusque = "jusqu'au mardi 17 novembre à 9\u00a0h"
    assert gestes == [("Prendre la place", jusque), ("Quitter la liste d'attente", "")]
    assert "<strong>Place proposée</strong>" in page
    assert faire("durand", "Léa", LUNDI_23, "PRENDRE") == ["1 place prise."]
    assert Reservation.objects.actives().get().enfant.prenom == "Léa"


def test_une_absence_declaree_se_reprend(menu, faire, comptes, automne):
    greve = MotifAbsence.objects.get(code="greve")
    reserver(comptes["durand"], "Léa", LUNDI_23, motif_absence=greve, absence_le=automne)
    assert [libelle for libelle, _ in menu("durand", "Léa", LUNDI_23)[0]] == ["Annuler l'absence"]
    assert faire("durand", "Léa", LUNDI_23, "REVENIR") == ["1 absence annulée."]
    assert Reservation.objects.get().motif_absence is None


def test_une_formule_se_choisit_dans_le_menu(menu, faire):
    mercredi = date(2026, 11, 25)
    _, page = menu("durand", "Léa", mercredi, "alsh-mercredi")
    formules = Formule.objects.filter(service__code="alsh-mercredi")
    assert [f'<option value="{f.pk}">{f.nom}\u00a0: ' in page for f in formules] == [True] * 4
    for formule in ("", "x", "9" * 30, Formule.objects.exclude(service__code="alsh-mercredi").first().pk):
        assert faire("durand", "Léa", mercredi, "RESERVER", "alsh-mercredi", formule=formule) == [
            "Sans effet pour le mercredi 25 novembre. Choisissez une formule."
        ]
    matin = formules.get(nom="Matin avec repas")
    assert faire("durand", "Léa", mercredi, "RESERVER", "alsh-mercredi", formule=matin.pk) == ["1 jour réservé."]
    assert Reservation.objects.get().formule == matin


def test_le_bouton_annuler_ce_que_je_viens_de_faire_rend_le_jour(automne, connecter):
    navigateur = connecter("durand")
    page = navigateur.post(adresse("Léa", "planning/2026-11-23/restauration/"), {"geste": "RESERVER"}, follow=True)
    defaire = f"/demandes/{Demande.objects.get(type='reservation').uuid}/defaire/"
    assert f'action="{defaire}"' in texte(page)
    assert annonces(navigateur.post(defaire, follow=True)) == ["1 jour annulé."]
    assert novembre(navigateur)[23].etat == "libre"


@pytest.mark.parametrize("geste", ["", "DETRUIRE", "ABSENCE"])
def test_un_geste_inconnu_ne_change_rien_et_le_dit(geste, faire, comptes):
    reserver(comptes["durand"], "Léa", LUNDI_23)
    assert faire("durand", "Léa", LUNDI_23, geste) == ["Choisissez ce que vous voulez faire de ce jour."]
    assert Reservation.objects.actives().get().motif_absence is None


def test_le_menu_seul_pour_la_fenetre_de_la_grille(automne, connecter):
    navigateur, page = connecter("durand"), adresse("Léa", "planning/2026-11-23/restauration/")
    seul = texte(navigateur.get(page, headers={"X-Portail-Fragment": "1"}))
    assert "data-portail-menu-case" in seul
    assert "<html" not in seul
    assert "<html" in texte(navigateur.get(page))


def test_une_case_qui_n_existe_pas_n_ouvre_rien(automne, connecter):
    navigateur = connecter("durand")
    for suite in ("2026-11-31/restauration", "2026-11-23/piscine", "20261123/restauration", "1999-01-01/restauration"):
        assert navigateur.get(adresse("Léa", f"planning/{suite}/")).status_code == 404
    assert navigateur.get(adresse("Zoé", "planning/2026-11-23/restauration/")).status_code == 404
    assert navigateur.post(adresse("Zoé", "planning/2026-11-23/restauration/")).status_code == 404
