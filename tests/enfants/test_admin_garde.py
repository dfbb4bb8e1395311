"""The custody in the admin: noted from the child's page, checked by the rules, shown as a calendar."""

from datetime import date
from html import unescape

import pytest
from django.urls import reverse

from enfants import actions
from enfants.admin.garde import trois_mois
from enfants.garde import calendrier, regle
from enfants.models import Enfant, ExceptionGarde, Garde, PeriodeVacances
from familles.models import Famille
from tests.saisie_admin import saisie

pytestmark = pytest.mark.django_db


@pytest.fixture
def garde(distribution):
    """Inès, from Monday to Monday: with her father the week of 31 August 2026, half of the holidays each."""
    garde = Garde.objects.get(enfant__prenom="Inès")
    garde.premiere_semaine = date(2026, 9, 1)
    garde.save()
    return garde


@pytest.fixture
def adresse(garde):
    return reverse("admin:enfants_garde_change", args=[garde.pk])


def enregistrer(navigateur, adresse, **tapees):
    return navigateur.post(adresse, saisie(navigateur.get(adresse), **tapees))


def exception(foyer, du, au, rang=0):
    ligne = {"foyer": foyer.pk, "valable_du": du, "valable_au": au}
    return {"exceptions-TOTAL_FORMS": str(rang + 1)} | {f"exceptions-{rang}-{n}": v for n, v in ligne.items()}


# --- The page --------------------------------------------------------------------------------------------


def test_la_page_dit_la_garde_en_une_phrase_et_en_trois_mois(garde, adresse, connecter):
    page = unescape(connecter("agent").get(adresse).content.decode())
    assert "chez Karim Benali la semaine du 31 août 2026, chez Elena Rossi la suivante." in page
    assert page.count('<table class="garde">') == 3


def test_le_calendrier_dit_chaque_jour_par_une_initiale_une_forme_et_des_mots(garde):
    resultat = trois_mois(garde, date(2026, 12, 21))
    assert resultat.legende == [("K", "pleine", "Karim Benali"), ("E", "creuse", "Elena Rossi")]
    assert [mois.titre for mois in resultat.mois] == ["décembre 2026", "janvier 2027", "février 2027"]
    decembre = resultat.mois[0].semaines
    assert [case and case.marque for case in decembre[0]] == [None, *"EEEEEE"]
    assert "".join(case.marque for case in decembre[2]) == "EEEEEKK", "les vacances commencent le samedi 19"
    lundi = decembre[3][0]
    assert (lundi.numero, lundi.forme, lundi.vacances, lundi.aujourdhui) == (21, "pleine", True, True)
    assert lundi.en_mots == "lundi 21 décembre 2026\u00a0: Karim Benali, Vacances de Noël"
    assert decembre[3][6].en_mots == "dimanche 27 décembre 2026\u00a0: Elena Rossi, Vacances de Noël"


def test_le_calendrier_couvre_les_mois_entiers_d_un_bout_a_l_autre_de_l_annee(garde):
    jours = [
        case.numero
        for mois in trois_mois(garde, date(2026, 12, 31)).mois
        for semaine in mois.semaines
        for case in semaine
        if case
    ]
    assert jours == [*range(1, 32), *range(1, 32), *range(1, 29)]


def test_deux_foyers_de_meme_initiale_se_numerotent(garde):
    compte = garde.second_foyer.adultes().get().utilisateur
    compte.prenom = "Katia"
    compte.save()
    assert [marque for marque, _, _ in trois_mois(garde, date(2026, 12, 1)).legende] == ["1", "2"]


def test_les_factures_partagees_montrent_les_deux(garde):
    garde.mode = Garde.Mode.PARTS
    case = trois_mois(garde, date(2026, 12, 1)).mois[0].semaines[0][1]
    assert (case.marque, case.forme, case.en_mots) == (
        "K E",
        "double",
        "mardi 1er décembre 2026\u00a0: Karim Benali et Elena Rossi",
    )


def test_le_pont_de_l_ascension_suit_les_semaines(garde):
    def ascension():
        return calendrier(garde, date(2027, 5, 3), date(2027, 5, 9))

    avant = ascension()
    PeriodeVacances.objects.create(nom="Pont de l'Ascension", valable_du=date(2027, 5, 6), valable_au=date(2027, 5, 8))
    assert ascension() == avant
    assert len(set(avant.values())) == 1


def test_une_exception_se_lit_dans_le_calendrier(garde):
    ExceptionGarde.objects.create(
        garde=garde, foyer=garde.second_foyer, valable_du=date(2026, 12, 21), valable_au=date(2026, 12, 22)
    )
    assert regle(garde).exceptions == ((date(2026, 12, 21), date(2026, 12, 22), garde.second_foyer_id),)
    noel = trois_mois(garde, date(2026, 12, 1)).mois[0].semaines[3]
    assert "".join(case.marque for case in noel) == "EEKKKKE"


# --- Saving ----------------------------------------------------------------------------------------------


def test_les_choix_sont_les_foyers_de_l_enfant(garde, adresse, connecter):
    page = connecter("agent").get(adresse)
    for nom in ("premier_foyer", "second_foyer"):
        champ = page.context["adminform"].form.fields[nom]
        assert [libelle for _, libelle in champ.choices][1:] == ["Karim Benali", "Elena Rossi"]


def test_on_change_le_jour_et_on_ajoute_une_exception(garde, adresse, connecter):
    ligne = exception(garde.second_foyer, "2026-12-24", "2026-12-26")
    assert enregistrer(connecter("agent"), adresse, jour_passage="4", **ligne).status_code == 302
    garde.refresh_from_db()
    assert garde.jour_passage == Garde.Jour.VENDREDI
    assert list(garde.exceptions.values_list("foyer", "valable_du", "valable_au")) == [
        (garde.second_foyer_id, date(2026, 12, 24), date(2026, 12, 26))
    ]


@pytest.mark.parametrize(
    ("tapees", "phrase"),
    [
        ({"premiere_semaine": "0026-09-01"}, "Vérifiez l'année de la première semaine."),
        ({"part": "101"}, "La part va de 0 à 100 %."),
        ({"second_foyer": "{premier}"}, "Choisissez deux foyers différents."),
        ({"second_foyer": "{martin}"}, "Sélectionnez un choix valide"),
    ],
)
def test_une_garde_impossible_se_dit(tapees, phrase, garde, adresse, connecter, familles_de):
    foyers = {"{premier}": garde.premier_foyer_id, "{martin}": familles_de("martin").pk}
    reponse = enregistrer(connecter("agent"), adresse, **{nom: foyers.get(v, v) for nom, v in tapees.items()})
    assert reponse.status_code == 200
    assert phrase in unescape(reponse.content.decode()).replace("\u00a0", " ")


def test_les_exceptions_se_controlent_ensemble(garde, adresse, connecter, familles_de):
    agent = connecter("agent")
    inverse = enregistrer(agent, adresse, **exception(garde.second_foyer, "2026-12-26", "2026-12-24"))
    assert "La fin vient avant le début." in inverse.content.decode()
    deux = exception(garde.second_foyer, "2026-12-24", "2026-12-26") | exception(
        garde.premier_foyer, "2026-12-26", "2026-12-27", rang=1
    )
    assert "Une autre exception couvre ces jours." in enregistrer(agent, adresse, **deux).content.decode()
    actions.rattacher(garde.enfant, familles_de("martin"))
    ailleurs = enregistrer(agent, adresse, **exception(familles_de("martin"), "2026-12-24", "2026-12-26"))
    attendu = "Exception du 24 décembre 2026 : ce foyer n'est pas un de ceux de l'enfant."
    assert attendu in unescape(ailleurs.content.decode()).replace("\u00a0", " ")
    assert not garde.exceptions.exists()


# --- Noting a custody ------------------------------------------------------------------------------------


@pytest.fixture
def lea(distribution):
    return Enfant.objects.get(prenom="Léa")


def test_la_garde_se_note_depuis_la_page_de_l_enfant(lea, connecter, familles_de):
    durand, martin = familles_de("durand"), familles_de("martin")
    actions.rattacher(lea, martin)
    ajout, agent = f"/admin/enfants/garde/add/?enfant={lea.pk}", connecter("agent")
    donnees = {
        **saisie(agent.get(ajout)),
        "premier_foyer": durand.pk,
        "second_foyer": martin.pk,
        "premiere_semaine": "2026-11-23",
    }
    assert agent.post(ajout, donnees).status_code == 302
    garde = Garde.objects.get(enfant=lea)
    assert (garde.premier_foyer, garde.second_foyer, garde.mode) == (durand, martin, "ALTERNEE")
    assert agent.get(ajout).url == reverse("admin:enfants_garde_change", args=[garde.pk])
    assert agent.post(ajout, donnees).url == reverse("admin:enfants_garde_change", args=[garde.pk]), "deux clics"


def test_un_enfant_d_un_seul_foyer_n_a_pas_de_garde(lea, connecter):
    reponse = connecter("agent").get(f"/admin/enfants/garde/add/?enfant={lea.pk}", follow=True)
    assert "Léa Durand n'a qu'un foyer" in unescape(reponse.content.decode())


@pytest.mark.parametrize("cle", ["", "abc", "0", "99999999999999999999"])
def test_sans_enfant_connu_on_revient_a_la_liste(cle, distribution, connecter):
    assert connecter("agent").get(f"/admin/enfants/garde/add/?enfant={cle}").url == "/admin/enfants/enfant/"


def test_la_garde_d_un_enfant_d_une_autre_ecole_est_inconnue(garde, adresse, connecter, comptes):
    """No role of ours keeps custodies for its own schools only: one that a commune would make."""
    from django.contrib.auth.models import Permission

    comptes["animateur"].user_permissions.add(Permission.objects.get(codename="view_garde"))
    assert connecter("animateur").get(adresse).status_code == 200
    Enfant.objects.filter(pk=garde.enfant_id).update(ecole=Enfant.objects.get(prenom="Tom").ecole)
    assert connecter("animateur").get(adresse).url == "/admin/"


def test_apres_une_separation_les_foyers_se_distinguent_par_leurs_adultes(distribution, famille_durand, connecter):
    claire = famille_durand.adultes().first()
    actions.separer(
        claire, le=date(2026, 11, 2), adresse={"ville": "Bourges"}, enfants={e.pk: "deux" for e in Enfant.objects.all()}
    )
    garde = Garde.objects.get(enfant__prenom="Léa")
    assert Famille.objects.filter(nom="Durand").count() == 2
    page = unescape(connecter("agent").get(reverse("admin:enfants_garde_change", args=[garde.pk])).content.decode())
    assert "chez Julien Durand la semaine du 2 novembre 2026, chez Claire Durand la suivante." in page
