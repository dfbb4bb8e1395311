"""Deadlines in the admin: a form instead of JSON, the sentence, « et si », and a new rule in mid-year."""

from datetime import UTC, date, datetime
from html import unescape

import pytest

from enfants import delais as actions
from enfants import offre
from enfants.admin.regle import decomposer
from enfants.models import Fermeture, RegleDelai, Service
from enfants.regles.delais import valider
from tests.saisie_admin import saisie

pytestmark = pytest.mark.django_db

AJOUT = "/admin/enfants/regledelai/add/"
OUVERTURE = {
    "residents": {"date": "2026-08-21", "heure": "07:00"},
    "autres": {"semaines": 2, "heure": "07:30"},
}
REGLES = [
    {"type": "jours_avant", "n": 2, "heure": "12:00", "compte": "scolaires", "jours_comptes": [0, 3]},
    {"type": "jours_avant", "n": 0, "heure": "23:59", "compte": "francs"},
    {"type": "heures_avant", "n": 72},
    {"type": "semaine", "avant": 1, "jour": 0, "heure": "00:00"},
    {"type": "table", "jours": {"0": [-3, "09:00"], "4": [0, "07:15"]}},
    {"type": "mois", "jour": 20, "heure": "12:00"},
    {"type": "periode", "avant_jours": 21, "heure": "18:00", "ouverture": OUVERTURE},
    {"type": "aucune", "ouverture": {"residents": {"jours": 0, "heure": "07:00"}, "autres": OUVERTURE["autres"]}},
]


@pytest.fixture
def agent(connecter):
    return connecter("agent")


@pytest.fixture
def cantine(distribution):
    return Service.objects.get(code="restauration")


@pytest.fixture
def reserver(cantine):
    """The rule on file: two days of school before, at noon, from 2020 on."""
    return cantine.regles.get(usage="RESERVER")


def page_de(regle):
    return f"/admin/enfants/regledelai/{regle.pk}/change/"


def texte(reponse):
    return unescape(reponse.content.decode()).replace("\u00a0", " ")


def saisir(regle, **tapees):
    """The fields that say a rule, as a browser sends them."""
    champs = {nom: "on" if valeur is True else valeur for nom, valeur in decomposer(regle).items()}
    return champs | tapees


def nouvelle(cantine, regle, **tapees):
    return saisir(regle, service=cantine.pk, usage="RESERVER", valable_du="2027-01-04", valable_au="") | tapees


def erreurs(reponse):
    return {
        nom: [faute.replace("\u00a0", " ") for faute in fautes]
        for nom, fautes in reponse.context["adminform"].form.errors.items()
    }


def dates(cantine, usage="RESERVER"):
    lignes = cantine.regles.filter(usage=usage).order_by("valable_du")
    return list(lignes.values_list("regle__type", "valable_du", "valable_au"))


# --- The form --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("regle", REGLES, ids=lambda regle: regle["type"])
def test_chaque_sorte_de_regle_se_saisit_et_se_relit(regle, reserver, agent):
    assert valider(regle) == []
    assert agent.post(page_de(reserver), saisir(regle, valable_du="2020-09-01")).status_code == 302
    reserver.refresh_from_db()
    assert reserver.regle == regle
    relue = saisie(agent.get(page_de(reserver)))
    assert agent.post(page_de(reserver), relue).status_code == 302
    reserver.refresh_from_db()
    assert (reserver.regle, reserver.valable_du, reserver.valable_au) == (regle, date(2020, 9, 1), None)


def test_une_regle_changee_se_lit_aussitot_dans_le_planning(cantine, reserver, agent):
    def lue():
        service = next(service for service in offre.actuelle() if service.code == cantine.code)
        return service.regle("RESERVER", date(2026, 11, 26))["type"]

    assert lue() == "jours_avant"
    agent.post(page_de(reserver), saisir({"type": "aucune"}, valable_du="2020-09-01"))
    assert lue() == "aucune"


def test_le_service_et_l_usage_d_un_delai_ne_changent_plus(reserver, agent):
    autre = Service.objects.get(code="accueil-soir")
    donnees = saisir({"type": "aucune"}, valable_du="2020-09-01", service=autre.pk, usage="ABSENCE")
    assert agent.post(page_de(reserver), donnees).status_code == 302
    reserver.refresh_from_db()
    assert (reserver.service.code, reserver.usage, reserver.regle) == ("restauration", "RESERVER", {"type": "aucune"})


def test_seuls_les_champs_de_la_sorte_choisie_sont_lus(reserver, agent):
    ailleurs = {"jours_avant_n": "beaucoup", "jours_avant_heure": "25:00", "table_0_jours": "x", "mois_jour": "99"}
    donnees = saisir({"type": "heures_avant", "n": 48}, valable_du="2020-09-01", residents_date="x", **ailleurs)
    assert agent.post(page_de(reserver), donnees).status_code == 302
    reserver.refresh_from_db()
    assert reserver.regle == {"type": "heures_avant", "n": 48}


def test_sans_javascript_tous_les_groupes_ont_leur_legende(reserver, agent):
    page = texte(agent.get(page_de(reserver)))
    assert page.count("Si la règle est «") == 6
    assert '<script src="/static/js/regle_delai.js" defer></script>' in page


AVANT = {"type": "jours_avant", "n": 2, "heure": "12:00", "compte": "scolaires"}
VIDE = "Ce champ est obligatoire."


@pytest.mark.parametrize(
    ("regle", "tapees", "attendues"),
    [
        (AVANT, {"jours_avant_n": ""}, {"jours_avant_n": [VIDE]}),
        (AVANT, {"jours_avant_heure": "midi"}, {"jours_avant_heure": ["Saisissez une heure valide."]}),
        (AVANT, {"jours_avant_n": "367"}, {"jours_avant_n": ["Choisissez un nombre de 0 à 366."]}),
        (
            AVANT,
            {"jours_avant_n": "31"},
            {"jours_avant_n": ["Le nombre de jours ouvrés ou d'école va de 0 à 30."]},
        ),
        (
            AVANT | {"compte": "ouvres"},
            {"jours_avant_jours_comptes": ["5", "6"]},
            {
                "jours_avant_jours_comptes": [
                    "Le samedi et le dimanche ne sont jamais ouvrés : comptez au moins un jour de la semaine."
                ]
            },
        ),
        (AVANT, {"type": ""}, {"type": [VIDE]}),
        (AVANT, {"type": "jamais"}, {"type": ["Sélectionnez un choix valide. jamais n’en fait pas partie."]}),
        (
            {"type": "table", "jours": {}},
            {},
            {"table_0_jours": ["Remplissez la ligne d'au moins un jour."]},
        ),
        (
            {"type": "table", "jours": {"1": [-3, "09:00"]}},
            {"table_2_jours": "4", "table_3_heure": "09:00"},
            {"table_2_heure": [VIDE], "table_3_jours": [VIDE]},
        ),
        (
            {"type": "semaine", "avant": 53, "jour": 1, "heure": "12:00"},
            {},
            {"semaine_avant": ["Choisissez un nombre de 0 à 52."]},
        ),
        ({"type": "mois", "jour": 0, "heure": "12:00"}, {}, {"mois_jour": ["Choisissez un nombre de 1 à 31."]}),
        (
            {"type": "aucune"},
            {"ouverture": "on", "autres_genre": "date", "autres_heure": "07:00"},
            {"residents_genre": [VIDE], "residents_nombre": [VIDE], "residents_heure": [VIDE], "autres_date": [VIDE]},
        ),
        (
            {"type": "aucune", "ouverture": OUVERTURE},
            {"residents_date": "1999-12-31", "autres_nombre": "53"},
            {"residents_date": ["Choisissez une date à partir de 2000."]},
        ),
        (
            {"type": "aucune", "ouverture": OUVERTURE},
            {"autres_nombre": "53"},
            {"autres_nombre": ["Ouverture pour les autres familles : le nombre de semaines va de 0 à 52."]},
        ),
        (AVANT, {"valable_du": "0001-01-01"}, {"valable_du": ["Choisissez une date à partir de 2000."]}),
        (AVANT, {"valable_au": "2026-12-31"}, {"valable_au": ["La fin vient avant le début."]}),
        (AVANT, {"service": ""}, {"service": [VIDE]}),
    ],
)
def test_une_faute_se_dit_a_cote_de_son_champ(regle, tapees, attendues, cantine, agent):
    avant = dates(cantine)
    assert erreurs(agent.post(AJOUT, nouvelle(cantine, regle, **tapees))) == attendues
    assert dates(cantine) == avant


def test_un_service_des_vacances_dit_quels_jours_comptent(distribution, agent):
    vacances = Service.objects.get(code="alsh-vacances")
    reponse = agent.post(AJOUT, nouvelle(vacances, AVANT))
    assert erreurs(reponse) == {
        "jours_avant_jours_comptes": [
            "Ce service n'est pas tenu les jours d'école : dites quels jours de la semaine comptent."
        ]
    }


# --- The sentence and the list ---------------------------------------------------------------------------


def test_la_page_et_la_liste_disent_la_regle_en_francais(reserver, connecter):
    for adresse in (page_de(reserver), "/admin/enfants/regledelai/"):
        for qui in ("agent", "comptable"):
            assert "Jusqu'à 12 h, 2 jours d'école avant." in texte(connecter(qui).get(adresse))


def test_la_liste_va_par_service_et_se_filtre(cantine, agent):
    page = agent.get("/admin/enfants/regledelai/")
    assert [(r.service.nom_court, r.usage) for r in page.context["cl"].result_list][:6] == [
        *(("Matin", usage) for usage in ("ABSENCE", "ANNULER", "RESERVER")),
        *(("Cantine", usage) for usage in ("ABSENCE", "ANNULER", "RESERVER")),
    ]
    filtres = {"service__id__exact": cantine.pk, "usage__exact": "ANNULER"}
    assert agent.get("/admin/enfants/regledelai/", filtres).context["cl"].result_count == 1


def test_la_comptabilite_lit_et_n_essaie_pas(reserver, connecter):
    navigateur = connecter("comptable")
    page = texte(navigateur.get(page_de(reserver)))
    assert "Les prochains jours du service" in page
    assert 'name="_essayer"' not in page
    assert navigateur.post(page_de(reserver), {"_essayer": "1"}).status_code == 403


# --- What if ---------------------------------------------------------------------------------------------


def reponses(page):
    return [reponse.replace("\u00a0", " ") for reponse in page.context["reponses"]]


def essayer(agent, cantine, regle, jour, instant, **tapees):
    """Before the first save, and without any date of the rule."""
    donnees = nouvelle(cantine, regle, valable_du="", _essayer="1", essai_jour=jour, essai_instant=instant)
    return agent.post(AJOUT, donnees | tapees)


@pytest.mark.parametrize(
    ("regle", "jour", "instant", "attendues"),
    [
        (
            AVANT,
            "2026-11-26",
            "2026-11-23T12:00",
            [
                "Limite pour le jeudi 26 novembre 2026 : lundi 23 novembre 2026 à 12 h.",
                "permis le lundi 23 novembre 2026 à 12 h, la limite n'est pas passée.",
            ],
        ),
        (
            AVANT,
            "2026-11-26",
            "2026-11-23T12:01",
            [
                "Limite pour le jeudi 26 novembre 2026 : lundi 23 novembre 2026 à 12 h.",
                "refusé le lundi 23 novembre 2026 à 12 h 01, "
                "le délai est passé depuis le lundi 23 novembre 2026 à 12 h.",
                "La famille peut encore faire une demande tardive : un agent décide.",
            ],
        ),
        (
            AVANT,
            "2026-11-26",
            "2026-11-26T12:00",
            [
                "Limite pour le jeudi 26 novembre 2026 : lundi 23 novembre 2026 à 12 h.",
                "refusé le jeudi 26 novembre 2026 à 12 h, le délai est passé depuis le lundi 23 novembre 2026 à 12 h.",
            ],
        ),
        (
            AVANT,
            "2026-11-25",
            "2026-11-24T12:01",
            ["Le service n'est pas tenu le mercredi 25 novembre 2026 : pas de service le mercredi."],
        ),
        (
            AVANT,
            "2026-12-04",
            "2026-11-24T12:01",
            ["Le service n'est pas tenu le vendredi 4 décembre 2026 : Grève."],
        ),
        (
            {"type": "table", "jours": {"0": [-3, "09:00"]}},
            "2026-11-26",
            "2026-11-24T12:01",
            ["Rien ne se change le jeudi 26 novembre 2026 : cette règle ferme ce jour."],
        ),
        (
            {"type": "mois", "jour": 20, "heure": "12:00"} | {"ouverture": OUVERTURE},
            "2026-11-26",
            "2026-10-20T11:00",
            [
                "Limite pour le jeudi 26 novembre 2026 : mardi 20 octobre 2026 à 12 h.",
                "Pour les habitants : permis le mardi 20 octobre 2026 à 11 h, la limite n'est pas passée.",
                "Pour les autres familles : pas encore permis le mardi 20 octobre 2026 à 11 h, les réservations "
                "ouvrent le jeudi 12 novembre 2026 à 7 h 30.",
            ],
        ),
    ],
)
def test_essayer_repond_avant_d_enregistrer(regle, jour, instant, attendues, cantine, agent):
    Fermeture.objects.create(valable_du=date(2026, 12, 4), valable_au=date(2026, 12, 4), motif="Grève")
    avant = dates(cantine)
    page = essayer(agent, cantine, regle, jour, instant)
    assert (page.status_code, erreurs(page), reponses(page)) == (200, {}, attendues)
    assert dates(cantine) == avant


def test_essayer_montre_la_phrase_et_garde_la_saisie(reserver, agent):
    donnees = saisie(agent.get(page_de(reserver)), type="heures_avant", heures_avant_n="72", _essayer="1")
    page = agent.post(page_de(reserver), donnees | {"essai_jour": "2026-11-26"})
    assert "Jusqu'à 72 heures avant le début du service." in texte(page)
    assert page.context["adminform"].form["heures_avant_n"].value() == "72"
    assert len(page.context["prochains"]) == 10
    reserver.refresh_from_db()
    assert reserver.regle["type"] == "jours_avant"


def test_essayer_sans_jour_ou_avec_une_regle_fausse_se_dit(cantine, agent):
    page = essayer(agent, cantine, AVANT, "", "")
    assert (erreurs(page), reponses(page)) == ({"essai_jour": ["Choisissez le jour à essayer."]}, [])
    page = essayer(agent, cantine, AVANT, "2026-11-26", "demain", jours_avant_n="")
    assert erreurs(page) == {"jours_avant_n": [VIDE], "essai_instant": ["Saisissez une date et une heure valides."]}
    assert reponses(page) == page.context["prochains"] == []
    assert essayer(agent, cantine, AVANT, "9999-12-31", "").status_code == 200


def test_annuler_n_a_ni_ouverture_ni_demande_tardive(cantine, agent):
    page = essayer(agent, cantine, AVANT | {"ouverture": OUVERTURE}, "2026-11-26", "2026-11-25T12:00", usage="ANNULER")
    assert reponses(page)[1:] == [
        "refusé le mercredi 25 novembre 2026 à 12 h, le délai est passé depuis le lundi 23 novembre 2026 à 12 h."
    ]


def test_un_jour_hors_des_dates_du_delai_se_dit(cantine):
    essai = actions.Essai(AVANT, "RESERVER", offre.offre(cantine), date(2027, 1, 4), date(2027, 7, 2))
    hors = "Ce jour est hors des dates du délai\u00a0: un autre y compte."
    instant = datetime(2026, 9, 1, tzinfo=UTC)
    jours = [date(2026, 12, 18), date(2027, 1, 4), date(2027, 7, 2), date(2027, 9, 6)]
    assert [hors in essai.reponses(jour, instant) for jour in jours] == [True, False, False, True]


def test_les_prochains_jours_ouverts_ont_leur_limite(cantine):
    essai = actions.Essai(AVANT, "RESERVER", offre.offre(cantine))
    Fermeture.objects.create(
        service=cantine, valable_du=date(2026, 12, 14), valable_au=date(2026, 12, 14), motif="Grève"
    )
    lignes = essai.prochains(date(2026, 12, 11), 4)
    assert [(jour, limite.replace("\u00a0", " ")) for jour, limite in lignes] == [
        ("vendredi 11 décembre 2026", "mardi 8 décembre 2026 à 12 h"),
        ("mardi 15 décembre 2026", "vendredi 11 décembre 2026 à 12 h"),
        ("jeudi 17 décembre 2026", "lundi 14 décembre 2026 à 12 h"),
        ("vendredi 18 décembre 2026", "mardi 15 décembre 2026 à 12 h"),
    ]


def test_un_delai_fini_n_a_plus_de_jours_et_un_delai_a_venir_a_les_siens(cantine):
    service = offre.offre(cantine)
    fini = actions.Essai(AVANT, "RESERVER", service, date(2025, 9, 1), date(2026, 8, 31))
    a_venir = actions.Essai(AVANT, "RESERVER", service, date(2027, 1, 7), date(2027, 1, 7))
    assert fini.prochains(date(2026, 11, 23)) == []
    assert [jour for jour, _ in a_venir.prochains(date(2026, 11, 23))] == ["jeudi 7 janvier 2027"]


# --- From a day on ---------------------------------------------------------------------------------------

DEBUT = date(2020, 9, 1)


def test_un_nouveau_delai_clot_la_veille_celui_qui_valait(cantine, agent):
    page = agent.post(AJOUT, nouvelle(cantine, {"type": "aucune"}), follow=True)
    assert "Le délai d'avant vaut maintenant jusqu'au dimanche 3 janvier 2027." in texte(page)
    assert dates(cantine) == [("jours_avant", DEBUT, date(2027, 1, 3)), ("aucune", date(2027, 1, 4), None)]
    assert dates(cantine, "ANNULER") == [("jours_avant", DEBUT, None)]


def test_apres_un_delai_de_quelques_semaines_l_ancien_reprend(cantine, agent):
    agent.post(AJOUT, nouvelle(cantine, {"type": "aucune"}, valable_au="2027-02-19"))
    assert dates(cantine) == [
        ("jours_avant", DEBUT, date(2027, 1, 3)),
        ("aucune", date(2027, 1, 4), date(2027, 2, 19)),
        ("jours_avant", date(2027, 2, 20), None),
    ]
    regles = list(cantine.regles.filter(usage="RESERVER").order_by("valable_du"))
    assert regles[2].regle == regles[0].regle


def test_l_ancien_ne_reprend_pas_au_dela_de_sa_fin(cantine, reserver, agent):
    reserver.valable_au = date(2027, 2, 19)
    reserver.save()
    agent.post(AJOUT, nouvelle(cantine, {"type": "aucune"}, valable_au="2027-02-19"))
    assert dates(cantine) == [
        ("jours_avant", DEBUT, date(2027, 1, 3)),
        ("aucune", date(2027, 1, 4), date(2027, 2, 19)),
    ]


@pytest.mark.parametrize(
    ("tapees", "attendues"),
    [
        (
            {"valable_du": "2026-12-01"},
            {"valable_au": ["Un autre délai commence le lundi 4 janvier 2027 : donnez une fin, avant ce jour."]},
        ),
        (
            {"valable_du": "2026-12-01", "valable_au": "2027-01-04"},
            {"valable_au": ["Un autre délai commence le lundi 4 janvier 2027 : donnez une autre fin, avant ce jour."]},
        ),
        ({"valable_du": "2027-01-04"}, {"valable_du": ["Un autre délai commence ce jour-là : modifiez-le."]}),
    ],
)
def test_un_delai_qui_en_rencontre_un_autre_se_dit(tapees, attendues, cantine, agent):
    agent.post(AJOUT, nouvelle(cantine, {"type": "aucune"}))
    avant = dates(cantine)
    assert erreurs(agent.post(AJOUT, nouvelle(cantine, {"type": "heures_avant", "n": 1}, **tapees))) == attendues
    assert dates(cantine) == avant


def test_allonger_un_delai_sur_le_suivant_se_refuse(cantine, reserver, agent):
    agent.post(AJOUT, nouvelle(cantine, {"type": "aucune"}))
    reponse = agent.post(page_de(reserver), saisie(agent.get(page_de(reserver)), valable_au=""))
    assert erreurs(reponse) == {"__all__": ["Un autre délai vaut déjà ces jours-là."]}


def test_changer_a_partir_d_un_jour_part_de_la_regle_d_avant(reserver, agent):
    assert f'href="{AJOUT}?depuis={reserver.pk}"' in texte(agent.get(page_de(reserver)))
    envoi = saisie(agent.get(f"{AJOUT}?depuis={reserver.pk}"), valable_du="2027-01-04", jours_avant_n="1")
    assert agent.post(AJOUT, envoi).status_code == 302
    nouveau = RegleDelai.objects.get(valable_du=date(2027, 1, 4))
    assert (nouveau.service, nouveau.usage, nouveau.regle) == (reserver.service, "RESERVER", reserver.regle | {"n": 1})
    assert [agent.get(f"{AJOUT}?depuis={cle}").status_code for cle in ("0", "x", "9" * 30, "²")] == [200] * 4


def test_un_remplacement_qui_echoue_ne_change_rien(cantine, monkeypatch):
    def tomber(self, *args, **kwargs):
        raise RuntimeError

    nouveau = RegleDelai(service=cantine, usage="RESERVER", regle={"type": "aucune"}, valable_du=date(2027, 1, 4))
    monkeypatch.setattr(nouveau, "save", tomber.__get__(nouveau))
    with pytest.raises(RuntimeError):
        actions.remplacer_regle(nouveau)
    assert dates(cantine) == [("jours_avant", DEBUT, None)]


def test_la_page_ne_depend_pas_de_la_fin_du_calendrier(reserver, agent):
    """Days far from the tables: the package answers, or nothing is closed."""
    for jour in ("2000-01-01", "2100-12-31"):
        donnees = saisie(agent.get(page_de(reserver)), _essayer="1", essai_jour=jour)
        assert agent.post(page_de(reserver), donnees).status_code == 200
