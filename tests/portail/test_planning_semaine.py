"""The week of all the children, days repeated, a week copied, and the summary, at Monday 16 November 2026, 9 h."""

import json
import re
from datetime import date, timedelta
from html import unescape

import pytest

from demandes.models import Demande
from enfants import offre
from enfants.models import Enfant, Fermeture, Formule, Garde, Implantation, Inscription, Reservation, Service
from tests.grille import annonces, reserver, texte

pytestmark = pytest.mark.django_db

LUNDI_23, MARDI_24, JEUDI_26, VENDREDI_27 = (date(2026, 11, n) for n in (23, 24, 26, 27))
SEMAINE, RECAPITULATIF, REPETER = (
    "/mes-enfants/semaine/2026-11-23/",
    "/mes-enfants/recapitulatif/",
    "/mes-enfants/repeter/",
)


def case(prenom, jour, service="restauration"):
    return f"{Enfant.objects.get(prenom=prenom).pk}.{service}.{jour}"


def boites(reponse):
    """{value: ticked?} of the boxes of the week, and the set of those that were shown ticked."""
    page = reponse.content.decode()
    cochees = {unescape(v): bool(c) for v, c in re.findall(r'name="c" value="([^"]+)"( checked)?', page)}
    return cochees, set(re.findall(r'name="montree" value="([^"]+)"', page))


def etats(navigateur, prenom, service="restauration", semaine=SEMAINE):
    """States of the week, in order."""
    (section,) = (s for s in navigateur.get(semaine).context["page"].enfants if s.enfant.prenom == prenom)
    return [c.etat for ligne in section.lignes if ligne.service.code == service for c in ligne.cases]


def recapitulatif(reponse):
    """What the summary tells: (done at once, to be decided, impossible); the days that unfold are left out."""
    assert reponse.status_code == 200
    assert reponse.templates[0].name == "portail/planning/recapitulatif.html"
    c = reponse.context
    directs, impossibles = ([(t, [ligne for ligne, _ in ls]) for t, ls in c[nom]] for nom in ("directs", "impossibles"))
    return directs, [ligne for ligne, _ in c["attendus"]], impossibles


def confirmer(navigateur, reponse):
    """The page that follows the button of the summary."""
    changements = unescape(re.search(r'name="changements" value="([^"]*)"', reponse.content.decode())[1])
    return navigateur.post(RECAPITULATIF, {"changements": changements, "confirmer": "1"}, follow=True)


def jours_reserves():
    actives = Reservation.objects.actives().select_related("enfant", "service")
    return sorted((r.enfant.prenom, r.service.code, r.jour) for r in actives)


# --- The week --------------------------------------------------------------------------------------------


def test_la_semaine_montre_les_jours_reserves_coches_et_les_autres_non(automne, connecter, comptes):
    reserver(comptes["durand"], "Léa", LUNDI_23)
    reponse = connecter("durand").get(SEMAINE)
    cochees, montrees = boites(reponse)
    assert montrees == {case("Léa", LUNDI_23)} == {nom for nom, cochee in cochees.items() if cochee}
    assert {nom for nom in cochees if ".restauration." in nom} == {
        case(prenom, jour) for prenom in ("Léa", "Tom") for jour in (LUNDI_23, MARDI_24, JEUDI_26, VENDREDI_27)
    }
    assert case("Léa", "2026-11-25", "alsh-mercredi") in cochees
    # Without a registration there is nothing to tick, but a way to register.
    assert not any(nom.startswith(case("Tom", LUNDI_23, "accueil-matin")) for nom in cochees)
    page = texte(reponse)
    assert "Sans inscription acceptée\u00a0: Accueil du matin, ALSH des vacances." in page.replace("&nbsp;", "\u00a0")
    assert "Réservé, annulable jusqu'au jeudi 19 novembre à 12\u00a0h" in page


@pytest.mark.parametrize("jour", ["2026-11-23", "2026-11-26", "2026-11-29"])
def test_n_importe_quel_jour_ouvre_sa_semaine(jour, automne, connecter):
    reponse = connecter("durand").get(f"/mes-enfants/semaine/{jour}/")
    assert (reponse.context["page"].lundi, reponse.context["precedente"], reponse.context["suivante"]) == (
        LUNDI_23,
        "2026-11-16",
        "2026-11-30",
    )


@pytest.mark.parametrize(
    ("maintenant", "lundi"), [("2026-11-20T11:59", "2026-11-20"), ("2026-11-20T12:00", "2026-11-23")]
)
def test_du_vendredi_midi_on_ouvre_la_semaine_suivante(maintenant, lundi, automne, connecter, horloge):
    horloge(maintenant)
    assert connecter("durand").get("/mes-enfants/semaine/").url == f"/mes-enfants/semaine/{lundi}/"


def test_le_recapitulatif_dit_tout_et_n_ecrit_rien_puis_confirmer_ecrit(automne, connecter, comptes):
    reserver(comptes["durand"], "Léa", LUNDI_23)
    navigateur = connecter("durand")
    voulues = [case(prenom, jour) for prenom in ("Léa", "Tom") for jour in (MARDI_24, JEUDI_26)]
    recap = navigateur.post(SEMAINE, {"montree": [case("Léa", LUNDI_23)], "c": voulues})
    assert recapitulatif(recap) == (
        [
            (
                "4 jours réservés",
                [
                    "Léa, restauration scolaire\u00a0: mardi 24 et jeudi 26 novembre",
                    "Tom, restauration scolaire\u00a0: mardi 24 et jeudi 26 novembre",
                ],
            ),
            ("1 jour annulé", ["Léa, restauration scolaire\u00a0: lundi 23 novembre"]),
        ],
        [],
        [],
    )
    assert "Confirmer\u00a0: 4 jours réservés et 1 jour annulé" in texte(recap).replace("&nbsp;", "\u00a0")
    assert (jours_reserves(), Demande.objects.filter(type="reservation").count()) == (
        [("Léa", "restauration", LUNDI_23)],
        0,
    )
    fait = confirmer(navigateur, recap)
    assert annonces(fait) == ["4 jours réservés et 1 jour annulé."]
    assert jours_reserves() == [
        (prenom, "restauration", jour) for prenom in ("Léa", "Tom") for jour in (MARDI_24, JEUDI_26)
    ]
    defaire = f"/demandes/{Demande.objects.get(type='reservation').uuid}/defaire/"
    assert f'action="{defaire}"' in texte(fait)
    assert annonces(navigateur.post(defaire, follow=True)) == ["1 jour réservé et 4 jours annulés."]
    assert jours_reserves() == [("Léa", "restauration", LUNDI_23)]


def test_sans_changement_la_page_le_dit(automne, connecter, comptes):
    reserver(comptes["durand"], "Léa", LUNDI_23)
    donnees = {"montree": [case("Léa", LUNDI_23)], "c": [case("Léa", LUNDI_23)]}
    reponse = connecter("durand").post(SEMAINE, donnees, follow=True)
    assert annonces(reponse) == ["Rien n'a changé\u00a0: aucun jour n'a été ajouté ni retiré."]
    assert reponse.redirect_chain[-1][0] == SEMAINE


def test_ce_que_l_autre_parent_a_change_entre_temps_est_dit(automne, connecter, comptes):
    """Claire has Monday to book and Tuesday to cancel on her screen; her husband does both first."""
    reserver(comptes["durand"], "Léa", MARDI_24)
    claire, karim = connecter("durand"), connecter("durand2")
    donnees = {"montree": [case("Léa", MARDI_24)], "c": [case("Léa", LUNDI_23)]}
    confirmer(karim, karim.post(SEMAINE, donnees))
    directs, attendus, impossibles = recapitulatif(claire.post(SEMAINE, donnees))
    assert (directs, attendus) == ([], [])
    lignes = [
        ["Léa, restauration scolaire\u00a0: lundi 23 novembre"],
        ["Léa, restauration scolaire\u00a0: mardi 24 novembre"],
    ]
    assert impossibles == [("Déjà réservé.", lignes[0]), ("Aucune réservation ce jour-là.", lignes[1])]
    assert jours_reserves() == [("Léa", "restauration", LUNDI_23)]


def test_ce_qui_change_entre_le_recapitulatif_et_la_confirmation_est_dit(automne, connecter):
    claire, karim = connecter("durand"), connecter("durand2")
    donnees = {"c": [case("Léa", LUNDI_23), case("Léa", MARDI_24)]}
    recap = claire.post(SEMAINE, donnees)
    confirmer(karim, karim.post(SEMAINE, {"c": [case("Léa", LUNDI_23)]}))
    Fermeture.objects.create(valable_du=MARDI_24, valable_au=MARDI_24, motif="Grève")
    assert annonces(confirmer(claire, recap)) == [
        "Sans effet pour le lundi 23 novembre. Déjà réservé.",
        "Sans effet pour le mardi 24 novembre. Fermé\u00a0: Grève.",
    ]
    assert jours_reserves() == [("Léa", "restauration", LUNDI_23)]


def test_une_case_de_l_autre_foyer_se_montre_sans_se_cocher(automne, connecter, comptes):
    Garde.objects.update(premiere_semaine=date(2026, 8, 31), vacances=Garde.Vacances.ALTERNANCE)
    reserver(comptes["benali"], "Inès", LUNDI_23)
    mere = connecter("rossi")
    assert etats(mere, "Inès") == ["reserve", "ferme", "ferme", "ferme", "ferme"]
    assert boites(mere.get(SEMAINE)) == ({}, set())


def test_en_retard_et_complet_le_recapitulatif_dit_ce_que_chaque_jour_devient(automne, connecter, comptes):
    Implantation.objects.filter(service__code="restauration").update(capacite=1)
    offre.oublier()
    reserver(comptes["benali"], "Adam", LUNDI_23)
    mardi_17 = date(2026, 11, 17)
    navigateur = connecter("durand")
    recap = navigateur.post(SEMAINE, {"c": [case("Léa", jour) for jour in (mardi_17, LUNDI_23, MARDI_24)]})
    assert recapitulatif(recap) == (
        [
            ("1 jour en liste d'attente", ["Léa, restauration scolaire\u00a0: lundi 23 novembre"]),
            ("1 jour réservé", ["Léa, restauration scolaire\u00a0: mardi 24 novembre"]),
        ],
        ["Léa, restauration scolaire\u00a0: mardi 17 novembre"],
        [],
    )
    assert recap.context["notes"] == [
        "Demande tardive, la mairie décide\u00a0: un repas demandé en retard est majoré de 50\u00a0%."
    ]
    assert annonces(confirmer(navigateur, recap)) == [
        "1 jour réservé et 1 jour en liste d'attente.",
        "1 jour demandé, en attente de la mairie. La réponse arrivera dans votre boîte de réception.",
    ]
    assert etats(navigateur, "Léa")[:2] == ["attente", "reserve"]
    assert etats(navigateur, "Léa", semaine="/mes-enfants/semaine/2026-11-16/")[1] == "demande"


def test_une_formule_se_choisit_pour_la_ligne(automne, connecter):
    navigateur, mercredi = connecter("durand"), date(2026, 11, 25)
    lea = Enfant.objects.get(prenom="Léa").pk
    matin = Formule.objects.get(service__code="alsh-mercredi", nom="Matin avec repas")
    assert f'name="f.{lea}.alsh-mercredi" aria-label="Formule, ALSH du mercredi"' in texte(navigateur.get(SEMAINE))
    donnees = {"c": [case("Léa", mercredi, "alsh-mercredi")], f"f.{lea}.alsh-mercredi": str(matin.pk)}
    confirmer(navigateur, navigateur.post(SEMAINE, donnees))
    assert Reservation.objects.get().formule == matin
    # Once it is booked the row keeps its formule: the cell says which.
    assert "Réservé, matin avec repas" in texte(navigateur.get(SEMAINE))


@pytest.mark.parametrize(
    "valeur", ["", "x", "1.restauration", "a.b.c", "1.restauration.2026-99-01", "1\x00.b.2026-11-23"]
)
def test_une_case_illisible_est_laissee_de_cote(valeur, automne, connecter):
    reponse = connecter("durand").post(SEMAINE, {"c": [valeur], "montree": [valeur]}, follow=True)
    assert annonces(reponse) == ["Rien n'a changé\u00a0: aucun jour n'a été ajouté ni retiré."]


def test_l_enfant_d_un_autre_foyer_ne_se_coche_pas(automne, connecter):
    directs, attendus, impossibles = recapitulatif(connecter("durand").post(SEMAINE, {"c": [case("Zoé", LUNDI_23)]}))
    assert (directs, attendus, [raison for raison, _ in impossibles]) == ([], [], ["Ce jour ne se change pas."])


@pytest.mark.parametrize(
    "changements",
    ["", "{", "[1]", '[["1","restauration","2026-11-23","RESERVER",null]]', "[" * 5000]
    + [json.dumps([[1, "restauration", jour, geste, None]]) for jour, geste in (("1999-01-01", "RESERVER"),)]
    + [json.dumps([[1, "restauration", "2026-11-23", geste, None]]) for geste in ("ABSENCE", "DETRUIRE")],
)
def test_un_recapitulatif_forge_est_refuse(changements, automne, connecter):
    for suite in ({}, {"confirmer": "1"}):
        reponse = connecter("durand").post(RECAPITULATIF, {"changements": changements, **suite})
        assert reponse.status_code == 400
    assert Reservation.objects.count() == 0


# --- Repeated --------------------------------------------------------------------------------------------


def repetition(*, prenoms=("Léa", "Tom"), services=("restauration",), jours=("0", "3"), **donnees):
    return {
        "geste": "RESERVER",
        "enfants": [str(Enfant.objects.get(prenom=prenom).pk) for prenom in prenoms],
        "services": list(services),
        "jours": list(jours),
        "du": "2026-11-23",
        "au": "2026-12-18",
        "rythme": "1",
        **donnees,
    }


def test_chaque_semaine_jusqu_a_un_jour(automne, connecter):
    navigateur = connecter("durand")
    recap = navigateur.post(REPETER, repetition())
    assert recap.context["bouton"] == "16 jours réservés"
    confirmer(navigateur, recap)
    voulus = [LUNDI_23 + timedelta(days=7 * n + d) for n in range(4) for d in (0, 3)]
    assert jours_reserves() == [(prenom, "restauration", jour) for prenom in ("Léa", "Tom") for jour in voulus]
    # Asked again, nothing is new; and no day is called closed for being booked.
    reponse = navigateur.post(REPETER, repetition(), follow=True)
    assert annonces(reponse) == ["Rien n'a changé\u00a0: aucun jour n'a été ajouté ni retiré."]


def test_une_semaine_sur_deux_a_partir_de_celle_du_premier_jour(automne, connecter):
    navigateur = connecter("durand")
    recap = navigateur.post(REPETER, repetition(prenoms=("Léa",), du="2026-11-25", rythme="2"))
    confirmer(navigateur, recap)
    # From Wednesday 25 on: its Monday is behind; the next such week is that of 7 December.
    assert [jour for _, _, jour in jours_reserves()] == [JEUDI_26, date(2026, 12, 7), date(2026, 12, 10)]


def test_les_jours_fermes_sont_sautes_et_comptes(automne, connecter):
    """Christmas holidays: Mondays and Thursdays of two weeks; and Monday 23, closed for works."""
    Fermeture.objects.create(valable_du=LUNDI_23, valable_au=LUNDI_23, motif="Travaux")
    recap = connecter("durand").post(REPETER, repetition(au="2027-01-07"))
    assert annonces(recap) == [
        "5 jours fermés sont laissés de côté\u00a0: vacances, jours fériés, fermetures, jours de l'autre foyer."
    ]
    assert recap.context["bouton"] == "18 jours réservés"
    assert recap.context["impossibles"] == []


def test_les_jours_de_l_autre_foyer_sont_sautes(automne, connecter):
    Garde.objects.update(premiere_semaine=date(2026, 8, 31), vacances=Garde.Vacances.ALTERNANCE)
    navigateur = connecter("rossi")
    recap = navigateur.post(REPETER, repetition(prenoms=("Inès",), jours=("1",)))
    confirmer(navigateur, recap)
    assert [jour for _, _, jour in jours_reserves()] == [date(2026, 12, 1), date(2026, 12, 15)]


def test_annuler_chaque_lundi(automne, connecter, comptes):
    for jour in (LUNDI_23, JEUDI_26, LUNDI_23 + timedelta(days=7)):
        reserver(comptes["durand"], "Léa", jour)
    navigateur = connecter("durand")
    recap = navigateur.post(REPETER, repetition(prenoms=("Léa",), jours=("0",), geste="ANNULER"))
    # The Mondays of December hold nothing: they are not told as refusals.
    assert (recap.context["bouton"], recap.context["impossibles"], annonces(recap)) == ("2 jours annulés", [], [])
    confirmer(navigateur, recap)
    assert jours_reserves() == [("Léa", "restauration", JEUDI_26)]


@pytest.mark.parametrize(
    ("donnees", "champ", "erreur"),
    [
        ({"enfants": []}, "enfants", "Choisissez au moins un enfant."),
        ({"services": []}, "services", "Choisissez au moins un service."),
        ({"jours": []}, "jours", "Choisissez au moins un jour de la semaine."),
        ({"au": "2026-11-22"}, "au", "La fin vient avant le début."),
        ({"du": "2019-11-22"}, "du", "Vérifiez l'année."),
        ({"au": "2028-11-22"}, "au", "Choisissez une période d'un an au plus."),
    ],
)
def test_une_repetition_incomplete_garde_la_saisie(donnees, champ, erreur, automne, connecter):
    reponse = connecter("durand").post(REPETER, {**repetition(), **donnees})
    assert (reponse.status_code, reponse.context["form"].errors[champ]) == (422, [erreur])
    assert reponse.context["form"]["rythme"].value() == "1"
    assert 'value="restauration"' in texte(reponse)


def test_les_formules_se_choisissent_pour_la_repetition(automne, connecter):
    navigateur = connecter("durand")
    matin = Formule.objects.get(service__code="alsh-mercredi", nom="Matin avec repas")
    voulu = {"services": ("alsh-mercredi",), "jours": ("2",), "au": "2026-12-02"}
    confirmer(navigateur, navigateur.post(REPETER, repetition(**voulu, **{"formule_alsh-mercredi": str(matin.pk)})))
    assert {r.formule for r in Reservation.objects.select_related("formule")} == {matin}
    assert len(jours_reserves()) == 4


# --- Copied ----------------------------------------------------------------------------------------------


def test_copier_une_semaine_sur_les_suivantes(automne, connecter, comptes):
    reserver(comptes["durand"], "Léa", LUNDI_23)
    reserver(comptes["durand"], "Tom", VENDREDI_27, "accueil-soir")
    navigateur = connecter("durand")
    recap = navigateur.post(f"{SEMAINE}copier/", {"jusqu_au": "2026-12-10"})
    assert recap.context["bouton"] == "3 jours réservés"  # Friday 11 December is after the last day
    confirmer(navigateur, recap)
    assert jours_reserves() == [
        ("Léa", "restauration", LUNDI_23),
        ("Léa", "restauration", date(2026, 11, 30)),
        ("Léa", "restauration", date(2026, 12, 7)),
        ("Tom", "accueil-soir", VENDREDI_27),
        ("Tom", "accueil-soir", date(2026, 12, 4)),
    ]


@pytest.mark.parametrize(
    ("jusqu_au", "dit"),
    [
        ("2026-12-10", "Cette semaine ne porte aucune réservation à copier."),
        ("2026-11-29", "Choisissez un jour d'une semaine suivante."),
        ("2028-12-10", "Choisissez une période d'un an au plus."),
    ],
)
def test_une_copie_impossible_le_dit(jusqu_au, dit, automne, connecter):
    reponse = connecter("durand").post(f"{SEMAINE}copier/", {"jusqu_au": jusqu_au}, follow=True)
    assert (annonces(reponse), reponse.redirect_chain) == ([dit], [(SEMAINE, 302)])


def test_sans_enfant_la_semaine_dit_a_qui_s_adresser(automne, connecter):
    Enfant.objects.get(prenom="Zoé").rattachements.all().delete()
    assert "Aucun dossier d'enfant ne vous est ouvert." in texte(connecter("martin").get(SEMAINE))


def test_un_service_qui_ferme_ce_mois_ci_disparait_de_la_semaine(automne, connecter):
    Service.objects.filter(code="restauration").update(actif=False)
    offre.oublier()
    assert etats(connecter("durand"), "Léa") == []
    assert Inscription.objects.filter(service__code="restauration").exists()
