"""What a browser may send to the planning beside what its pages offer: nothing of it is written, none breaks."""

import json
import re
from datetime import date, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from demandes import actions, planning
from demandes.models import Demande, JourDemande
from enfants import abonnement, offre
from enfants import actions as enfants
from enfants.models import (
    Attente,
    Ecole,
    Enfant,
    Fermeture,
    Formule,
    Garde,
    Implantation,
    Inscription,
    MotifAbsence,
    Presence,
    Reglement,
    Reservation,
    Service,
    Site,
    SuspensionAcces,
)
from enfants.reservations import Changement
from messagerie.models import Fil, Message
from tests.demandes.test_planning import veut
from tests.enfants.service_essai import CODE, demander, jour_ouvert, ouvrir

pytestmark = pytest.mark.django_db

LUNDI, INCONNU = date(2026, 11, 23), "00000000-0000-4000-8000-000000000000"
RECAPITULATIF = "/mes-enfants/recapitulatif/"


def cle(prenom):
    return Enfant.objects.get(prenom=prenom).pk


def ecrits():
    """How many rows the planning holds; a wrong key is found here, not when the transaction ends."""
    with connection.cursor() as curseur:
        curseur.execute("SET CONSTRAINTS ALL IMMEDIATE")
        curseur.execute("SET CONSTRAINTS ALL DEFERRED")
    return [modele.objects.count() for modele in (Reservation, Attente, Demande, JourDemande, Message, Presence)]


@pytest.fixture
def durand(automne, connecter):
    return connecter("durand")


def confirmer(navigateur, *lignes):
    return navigateur.post(RECAPITULATIF, {"changements": json.dumps(lignes), "confirmer": "1"})


def ligne(prenom="Léa", service="restauration", jour="2026-11-23", geste="RESERVER", formule=None):
    return [cle(prenom), service, jour, geste, formule]


# --- The changes that a page carries ---------------------------------------------------------------------

ILLISIBLES = {
    "rien": "",
    "nombre": "1",
    "nul": "null",
    "objet": "{}",
    "texte": '"a"',
    "listes emboîtées": "[" * 100_000,
    "objets emboîtés": '{"a":' * 100_000,
    "ligne courte": "[[1]]",
    "ligne longue": '[[1,"restauration","2026-11-23","RESERVER",null,null]]',
    "NaN": '[[NaN,"restauration","2026-11-23","RESERVER",null]]',
    "infini": '[[1e999,"restauration","2026-11-23","RESERVER",null]]',
    "2^63": f'[[{2**63},"restauration","2026-11-23","RESERVER",null]]',
    "cinq mille chiffres": f'[[{"9" * 5000},"restauration","2026-11-23","RESERVER",null]]',
    "négatif": '[[-1,"restauration","2026-11-23","RESERVER",null]]',
    "booléen": '[[true,"restauration","2026-11-23","RESERVER",null]]',
    "clé en texte": '[["1","restauration","2026-11-23","RESERVER",null]]',
    "formule booléenne": '[[1,"restauration","2026-11-23","RESERVER",true]]',
    "formule fausse": '[[1,"restauration","2026-11-23","ANNULER",false]]',
    "formule vide": '[[1,"restauration","2026-11-23","ANNULER",""]]',
    "formule liste": '[[1,"restauration","2026-11-23","ANNULER",[]]]',
    "formule zéro": '[[1,"restauration","2026-11-23","ANNULER",0]]',
    "an 1": '[[1,"restauration","0001-01-01","RESERVER",null]]',
    "an 9999": '[[1,"restauration","9999-12-31","RESERVER",null]]',
    "30 février": '[[1,"restauration","2026-02-30","RESERVER",null]]',
    "jour en nombre": '[[1,"restauration",20261123,"RESERVER",null]]',
    "nul dans le service": '[[1,"a\\u0000b","2026-11-23","RESERVER",null]]',
    "geste liste": '[[1,"restauration","2026-11-23",["RESERVER"],null]]',
    "geste objet": '[[1,"restauration","2026-11-23",{},null]]',
    **{
        geste: f'[[1,"restauration","2026-11-23","{geste}",null]]'
        for geste in ("ABSENCE", "REVENIR", "PRENDRE", "QUITTER", "reserver", "")
    },
    "dix mille lignes": json.dumps([[1, "restauration", "2026-11-23", "RESERVER", None]] * 10_000),
}


@pytest.mark.parametrize("nom", ILLISIBLES)
def test_des_changements_forges_sont_illisibles(nom, durand):
    avant = ecrits()
    for suite in ({}, {"confirmer": "1"}):
        assert durand.post(RECAPITULATIF, {"changements": ILLISIBLES[nom], **suite}).status_code == 400
    assert ecrits() == avant


@pytest.mark.parametrize("service", ["inconnu", "\ud800", "x" * 100_000, "<script>", ["restauration"], {"a": 1}, None])
def test_un_service_inconnu_ne_change_rien(service, durand):
    avant = ecrits()
    assert durand.post(RECAPITULATIF, {"changements": json.dumps([ligne(service=service)])}).status_code == 200
    assert confirmer(durand, ligne(service=service)).status_code == 302
    assert ecrits() == avant


def test_une_formule_d_ailleurs_ne_casse_pas_une_annulation(durand, comptes):
    """The key of no formule, or of another service's: what is cancelled keeps the one that was booked."""
    d_ailleurs = Formule.objects.filter(service__code="alsh-vacances").first().pk
    for fausse in (d_ailleurs, 999_999, 2**63 - 1):
        confirmer(durand, ligne())
        assert confirmer(durand, ligne(geste="ANNULER", formule=fausse)).status_code == 302
        confirmer(durand, ligne())
        page = f"/mes-enfants/{Enfant.objects.get(prenom='Léa').uuid}/planning/2026-11-23/restauration/"
        assert durand.post(page, {"geste": "ANNULER", "formule": str(fausse)}).status_code == 302
        ecrits()
        assert Reservation.objects.actives().count() == 0
    assert set(JourDemande.objects.values_list("formule", flat=True)) == {None}


def test_une_annulation_se_defait_avec_sa_formule(durand):
    mercredi, matin = "2026-12-02", Formule.objects.get(service__code="alsh-mercredi", nom="Matin avec repas").pk
    if not Inscription.objects.filter(enfant__prenom="Tom", service__code="alsh-mercredi").exists():
        modele = Inscription.objects.filter(enfant__prenom="Tom").first()
        modele.pk, modele.uuid, modele.service = None, INCONNU, Service.objects.get(code="alsh-mercredi")
        modele.save(force_insert=True)
    choix = {"prenom": "Tom", "service": "alsh-mercredi", "jour": mercredi}
    confirmer(durand, ligne(**choix, formule=matin))
    confirmer(durand, ligne(**choix, geste="ANNULER"))
    annulation = Demande.objects.filter(type="reservation").latest("pk")
    durand.post(f"/demandes/{annulation.uuid}/defaire/")
    assert Reservation.objects.actives().get().formule_id == matin


@pytest.mark.parametrize("formule", [None, 999_999, "autre service"])
def test_une_formule_se_choisit_parmi_celles_du_service(formule, durand):
    if formule == "autre service":
        formule = Formule.objects.filter(service__code="alsh-vacances").first().pk
    service = ouvrir()
    Formule.objects.create(service=service, nom="Journée")
    offre.oublier()
    avant = ecrits()
    confirmer(durand, ligne(service=CODE, formule=formule))
    assert ecrits() == avant


def test_deux_dates_a_quatre_vingts_ans_l_une_de_l_autre_se_lisent(durand):
    avant = ecrits()
    lignes = [ligne(jour="2020-01-01"), ligne(jour="2099-12-31")]
    assert confirmer(durand, *lignes).status_code == 302
    assert ecrits() == avant


# --- Another family's child, a child that one no longer has ----------------------------------------------


def test_les_cases_d_un_enfant_d_une_autre_famille_ne_disent_ni_ne_font_rien(durand):
    confirmer(durand, ligne())
    zoe, avant = cle("Zoé"), ecrits()
    case = f"{zoe}.restauration.2026-11-23"
    for envoi in (
        {"c": case, f"f.{zoe}.restauration": "1"},
        {"montree": case},
        {"c": [case, f"{cle('Léa')}.restauration.2026-11-23"]},
    ):
        page = durand.post("/mes-enfants/semaine/2026-11-23/", envoi)
        assert (page.status_code, "Zoé" in page.content.decode()) == (200, False)
    for geste in ("RESERVER", "ANNULER", "ATTENDRE"):
        confirmer(durand, ligne("Zoé", geste=geste))
    uuid = Enfant.objects.get(prenom="Zoé").uuid
    assert (
        durand.post(f"/mes-enfants/{uuid}/planning/2026-11-23/restauration/", {"geste": "RESERVER"}).status_code == 404
    )
    absence = {"enfants": zoe, "du": "2026-11-23", "retour": "2026-11-24", "motif": "greve"}
    assert durand.post("/mes-enfants/absence/", absence).status_code == 422
    repeter = {"geste": "RESERVER", "enfants": zoe, "services": "restauration", "jours": "0", "rythme": "1"}
    repeter |= {"du": "2026-11-23", "au": "2026-12-23"}
    assert durand.post("/mes-enfants/repeter/", repeter).status_code == 422
    assert ecrits() == avant


def detacher(comptes):
    enfants.detacher(Enfant.objects.get(prenom="Inès"), comptes["rossi"].adulte.famille, a_partir_du=LUNDI)


def suspendre(comptes):
    SuspensionAcces.objects.create(
        enfant=Enfant.objects.get(prenom="Inès"), adulte=comptes["rossi"].adulte, motif="jugement"
    )


def garder(comptes):
    Garde.objects.update(premiere_semaine=date(2026, 11, 23))  # this week is Benali's


EMPECHEMENTS = {
    "l'autre foyer l'a ce jour-là": garder,
    "l'enfant a quitté le foyer": detacher,
    "l'accès est suspendu": suspendre,
    "l'enfant est parti": lambda comptes: Enfant.objects.filter(prenom="Inès").update(archive_le=date(2026, 11, 1)),
    "le service n'est plus proposé": lambda comptes: Service.objects.update(actif=False),
    "pas pour son école": lambda comptes: Implantation.objects.get(service__code="restauration").ecoles.set(
        Ecole.objects.exclude(enfants__prenom="Inès")[:1]
    ),
    "pas de son âge": lambda comptes: Service.objects.update(age_min=11, age_max=12),
    "sans inscription": lambda comptes: Inscription.objects.filter(enfant__prenom="Inès").delete(),
    "service fermé": lambda comptes: Fermeture.objects.create(valable_du=LUNDI, valable_au=LUNDI, motif="Grève"),
    "feuille close": None,
}


def test_ines_se_reserve_par_rossi_quand_rien_ne_l_empeche(connecter, automne):
    """The control of what follows."""
    Garde.objects.update(premiere_semaine=date(2026, 11, 16))
    confirmer(connecter("rossi"), ligne("Inès"))
    assert Reservation.objects.actives().count() == 1


@pytest.mark.parametrize("nom", [nom for nom, faire in EMPECHEMENTS.items() if faire])
def test_ce_que_la_page_ne_propose_pas_ne_se_force_pas(nom, connecter, automne, comptes):
    Garde.objects.update(premiere_semaine=date(2026, 11, 16))
    EMPECHEMENTS[nom](comptes)
    offre.oublier()
    navigateur, avant = connecter("rossi"), ecrits()
    for geste in ("RESERVER", "ATTENDRE"):
        assert confirmer(navigateur, ligne("Inès", geste=geste)).status_code == 302
        page = f"/mes-enfants/{Enfant.objects.get(prenom='Inès').uuid}/planning/2026-11-23/restauration/"
        assert navigateur.post(page, {"geste": geste}).status_code in {302, 404}
    navigateur.post("/mes-enfants/semaine/2026-11-23/", {"c": f"{cle('Inès')}.restauration.2026-11-23"})
    assert ecrits() == avant


@pytest.mark.parametrize("depart", ["fermeture", "garde", "foyer quitté plus tard"])
def test_une_place_proposee_ne_se_prend_pas_un_jour_que_l_enfant_n_a_plus(depart, distribution, comptes):
    """Joined while it could come; offered; then the day was closed or went to the other household."""
    ouvrir(capacite=1)
    Garde.objects.all().delete()
    jour = jour_ouvert()
    for identifiant, prenom in (("martin", "Zoé"), ("rossi", "Inès")):
        demander(identifiant, prenom, jour)
    demander("martin", "Zoé", jour, "ANNULER")
    maintenant = timezone.now()
    ines = Attente.objects.filter(enfant__prenom="Inès", jour=jour)
    assert ines.update(offerte_le=maintenant, expire_le=maintenant + timedelta(hours=24)) == 1
    if depart == "fermeture":
        Fermeture.objects.create(valable_du=jour, valable_au=jour, motif="Grève")
    elif depart == "garde":
        lundi = jour - timedelta(days=jour.weekday())
        foyers = {"premier_foyer": comptes["benali"].adulte.famille, "second_foyer": comptes["rossi"].adulte.famille}
        Garde.objects.create(
            enfant=ines.get().enfant, **foyers, premiere_semaine=lundi, vacances=Garde.Vacances.ALTERNANCE
        )
    else:
        enfants.detacher(ines.get().enfant, comptes["rossi"].adulte.famille, a_partir_du=jour)
    assert demander("rossi", "Inès", jour, "PRENDRE").faits == []
    assert not Reservation.objects.actives().filter(jour=jour, service__code=CODE).exists()
    assert len(demander("rossi", "Inès", jour, "QUITTER").faits) == 1


# --- Forms -----------------------------------------------------------------------------------------------

REPETER = {"geste": "RESERVER", "services": "restauration", "jours": "0", "rythme": "1"}
REPETER |= {"du": "2026-11-23", "au": "2026-12-23"}


@pytest.mark.parametrize(
    "faux",
    [
        {"au": "2028-11-23"},
        {"du": "0001-01-01"},
        {"du": "9999-12-31", "au": "9999-12-31"},
        {"au": "9999-12-31"},
        {"du": "2026-02-30"},
        {"geste": "ABSENCE"},
        {"geste": "PRENDRE"},
        {"jours": "6"},
        {"rythme": "0"},
        {"rythme": "-1"},
        {"services": "inconnu"},
        {"enfants": "٣" * 20},
        {"formule_alsh-mercredi": "999999", "services": "alsh-mercredi"},
    ],
    ids=str,
)
def test_repeter_refuse_avec_une_phrase_et_garde_la_saisie(faux, durand):
    avant = ecrits()
    reponse = durand.post("/mes-enfants/repeter/", {"enfants": cle("Tom"), **REPETER, **faux})
    assert (reponse.status_code, ecrits()) == (422, avant)
    assert re.search(r'class="[^"]*invalid-feedback|role="alert"', reponse.content.decode())


@pytest.mark.parametrize("jusqu_au", ["0001-01-01", "9999-12-31", "2027-12-31", "2026-11-23", "2026-02-30", "", "\x00"])
def test_copier_une_semaine_trop_loin_revient_avec_un_mot(jusqu_au, durand):
    confirmer(durand, ligne())
    durand.get("/mes-enfants/semaine/2026-11-23/")  # reads the word of the booking
    avant = ecrits()
    reponse = durand.post("/mes-enfants/semaine/2026-11-23/copier/", {"jusqu_au": jusqu_au}, follow=True)
    assert (reponse.status_code, len(list(reponse.context["messages"])), ecrits()) == (200, 1, avant)


@pytest.mark.parametrize(
    "faux",
    [
        {"motif": "inconnu"},
        {"motif": "inactif"},
        {"motif": ""},
        {"service": "inconnu"},
        {"du": "0001-01-01"},
        {"du": "2026-11-23", "retour": "9999-12-31"},
        {"retour": "2026-11-23"},
        {"mot": "x" * 501},
        {"mot": "a\x00b"},
        {"enfants": "0"},
        {"motif": "maladie"},
    ],
    ids=str,
)
def test_une_absence_forgee_est_refusee_avec_une_phrase(faux, durand):
    confirmer(durand, ligne())
    MotifAbsence.objects.create(code="inactif", libelle="Ancien", actif=False)
    avant = ecrits()
    juste = {"enfants": cle("Léa"), "du": "2026-11-23", "retour": "2026-11-24", "motif": "greve"}
    reponse = durand.post("/mes-enfants/absence/", juste | faux)
    assert (reponse.status_code, ecrits()) == (422, avant)
    assert durand.post("/mes-enfants/absence/", juste).status_code == 302


@pytest.mark.parametrize(
    "envoi",
    [
        {"geste": "ABSENCE"},
        {"geste": ""},
        {"geste": "SUPPRIMER"},
        {"geste": "PRENDRE"},
        {"geste": "QUITTER"},
        {"geste": "REVENIR"},
        {"geste": "RESERVER", "formule": "1"},
        {"geste": "RESERVER", "formule": "9" * 18},
    ],
    ids=str,
)
def test_le_menu_d_une_case_ne_fait_que_ce_qu_il_propose(envoi, durand):
    page = f"/mes-enfants/{Enfant.objects.get(prenom='Léa').uuid}/planning/2026-11-23/restauration/"
    avant = ecrits()
    assert durand.post(page, envoi, follow=True).status_code == 200
    assert ecrits() == avant


# --- Undone ----------------------------------------------------------------------------------------------


def test_on_ne_defait_que_ses_reservations_et_qu_une_fois(durand, connecter, deposer):
    autre_genre = deposer("durand", "responsable", ville="Bourges")
    confirmer(durand, ligne())
    demande = Demande.objects.filter(type="reservation").latest("pk")
    avant = ecrits()
    assert connecter("martin").post(f"/demandes/{demande.uuid}/defaire/").status_code == 404
    assert connecter("agent").post(f"/demandes/{demande.uuid}/defaire/").status_code in {302, 403, 404}
    assert durand.post(f"/demandes/{autre_genre.uuid}/defaire/").status_code == 404
    assert durand.post(f"/demandes/{INCONNU}/defaire/").status_code == 404
    assert durand.get(f"/demandes/{demande.uuid}/defaire/").status_code == 302
    assert ecrits() == avant
    durand.post(f"/demandes/{demande.uuid}/defaire/")
    assert Reservation.objects.actives().count() == 0
    apres = ecrits()
    reponse = durand.post(f"/demandes/{demande.uuid}/defaire/", follow=True)
    assert ("Sans effet" in reponse.content.decode(), ecrits()) == (True, apres)


# --- The agents ------------------------------------------------------------------------------------------


@pytest.fixture
def a_decider(automne, comptes):
    """A late demande of Léa's, another of Zoé's."""
    Service.objects.update(inscription_requise=False)
    offre.oublier()

    def demander_tard(identifiant, prenom):
        changements = veut("RESERVER", date(2026, 11, 17), enfants=(prenom,))
        (demande,) = planning.changer(
            comptes[identifiant].adulte.famille, changements, par=comptes[identifiant]
        ).demandes
        return demande

    return demander_tard("durand", "Léa"), demander_tard("martin", "Zoé")


def decider(navigateur, demande, **envoi):
    donnees = {"decision": "accepter", "version": demande.version, **envoi}
    return navigateur.post(f"/admin/demandes/demande/{demande.pk}/decider/", donnees)


def test_un_agent_ne_decide_pas_les_jours_d_une_autre_demande(connecter, a_decider):
    sienne, autre = a_decider
    etranger, propre = autre.jours.get().pk, sienne.jours.get().pk
    for jours in ([etranger], [propre, etranger], ["0"], ["-1"], ["9" * 30], ["a"], [""], ["\x00"], []):
        reponse = decider(connecter("agent"), sienne, jours=jours, mot="Complet.")
        assert reponse.status_code == 422
    assert set(JourDemande.objects.filter(demande__in=a_decider).values_list("etat", flat=True)) == {"EN_ATTENTE"}
    assert not Reservation.objects.exists()
    assert decider(connecter("agent"), sienne, jours=[propre]).status_code == 302


def test_qui_n_en_a_pas_le_droit_ne_decide_ni_ne_lit(connecter, a_decider, comptes, automne):
    confirmer(connecter("durand"), ligne())
    (absence,) = planning.declarer_absence(
        comptes["durand"].adulte.famille,
        [Changement(cle("Léa"), "restauration", LUNDI, "ABSENCE")],
        motif=MotifAbsence.objects.get(code="maladie"),
        mot="Varicelle",
        par=comptes["durand"],
    ).demandes
    for qui in ("animateur", "comptable", "tresorerie", "durand"):
        navigateur = connecter(qui)
        for demande in (absence, a_decider[0]):
            page = navigateur.get(f"/admin/demandes/demande/{demande.pk}/change/")
            assert "Varicelle" not in page.content.decode()
            assert page.status_code in {302, 403, 404}
            jours = list(demande.jours.values_list("pk", flat=True))
            assert decider(navigateur, demande, jours=jours).status_code in {302, 403, 404}
            demande.refresh_from_db()
            assert demande.etat == "EN_ATTENTE"


def test_la_comptabilite_lit_qui_est_venu_pas_qui_etait_malade(connecter, comptes, automne):
    """An illness is told by the reason of the absence: on the sentence of a mark as elsewhere."""
    confirmer(connecter("durand"), ligne())
    reservation, malade = Reservation.objects.get(), MotifAbsence.objects.get(code="maladie")
    Reservation.objects.update(motif_absence=malade, absence_le=timezone.now(), absence_justifiee=True)
    for etat in ("ABSENT", "PRESENT"):
        presence, _ = Presence.objects.update_or_create(
            enfant=reservation.enfant,
            service=reservation.service,
            jour=reservation.jour,
            defaults={"place": reservation.place, "etat": etat, "pointee_par": comptes["agent"]},
        )
        pages = ["/admin/enfants/presence/", f"/admin/enfants/presence/{presence.pk}/change/"]
        pages += ["/admin/enfants/reservation/", f"/admin/enfants/reservation/{reservation.pk}/change/"]
        lues = {qui: [connecter(qui).get(page).content.decode() for page in pages] for qui in ("comptable", "agent")}
        assert ["absence annoncée" in page for page in lues["comptable"][:2]] == [True, True]
        assert ["enfant malade" in page.lower() for page in lues["comptable"]] == [False] * 4
        assert ["enfant malade" in page for page in lues["agent"][:2]] == [True, True]


def test_l_autre_foyer_ne_lit_ni_la_maladie_ni_l_absence_qui_attend(connecter, comptes, automne):
    Garde.objects.update(premiere_semaine=date(2026, 11, 23))  # that week is Benali's
    benali = comptes["benali"]
    planning.changer(benali.adulte.famille, veut("RESERVER", LUNDI, enfants=("Inès",)), par=benali)
    (demande,) = planning.declarer_absence(
        benali.adulte.famille,
        veut("ABSENCE", LUNDI, enfants=("Inès",)),
        motif=MotifAbsence.objects.get(code="maladie"),
        par=benali,
    ).demandes
    lien = f"/mes-enfants/{Enfant.objects.get(prenom='Inès').uuid}/planning/2026-11"
    pages = (f"{lien}/", f"{lien}-23/restauration/", "/mes-enfants/semaine/2026-11-23/", "/demandes/", "/messagerie/")
    for _ in ("qui attend", "acceptée"):
        for page in pages:
            lue = connecter("rossi").get(page).content.decode().split("<legend")[0]
            assert ("malade</strong>" in lue, "absence en attente" in lue, "Enfant malade" in lue) == (False,) * 3, page
        assert "par l&#x27;autre foyer" in connecter("rossi").get(pages[1]).content.decode()
        if demande.est_en_attente:
            actions.accepter(demande.pk, par=comptes["agent"])
            demande.refresh_from_db()


def test_un_animateur_ne_pointe_ni_ne_lit_une_feuille_d_ailleurs(connecter, automne):
    du_bourg = Ecole.objects.get(affectations__animateur__identifiant="animateur")
    ailleurs = Enfant.objects.exclude(ecole=du_bourg).filter(ecole__isnull=False).first()
    lieu = Implantation.objects.get(service__code="restauration")
    page = f"/admin/presences/restauration/{lieu.site_id}/2026-11-16/"
    navigateur, avant = connecter("animateur"), ecrits()
    envoi = {"enfant": ailleurs.pk, f"etat-{ailleurs.pk}": "PRESENT", "action": "enregistrer", "version": ""}
    assert navigateur.post(page, envoi).status_code == 404
    for faux in ({"enfant": "-1"}, {"enfant": "٣" * 30}, {"enfant": [str(n) for n in range(601)]}):
        assert navigateur.post(page, faux).status_code == 404
    site = Site.objects.create(nom="Ailleurs")
    Implantation.objects.create(service=lieu.service, site=site).ecoles.set([ailleurs.ecole])
    assert navigateur.get(f"/admin/presences/restauration/{site.pk}/2026-11-16/").status_code == 404
    assert ecrits() == avant


# --- The calendar by subscription ------------------------------------------------------------------------


def test_une_adresse_d_agenda_ne_se_devine_ni_ne_survit(comptes, client, automne):
    ancienne = abonnement.creer(comptes["durand"].adulte)
    jeton = abonnement.creer(comptes["durand"].adulte)
    assert client.get(f"/calendrier/{jeton}.ics").status_code == 200
    fausses = [ancienne, jeton[:-1], jeton + "A", jeton.swapcase(), "%ED%A0%80", "a" * 5000, "..%2f", "%25"]
    fausses += [comptes["durand"].adulte.abonnement.empreinte, "'%20OR%201=1%20--"]
    assert {f: client.get(f"/calendrier/{f}.ics").status_code for f in fausses} == dict.fromkeys(fausses, 404)
    assert client.get("/calendrier/%00.ics").status_code == 400
    assert client.post(f"/calendrier/{jeton}.ics").status_code == 405
    SuspensionAcces.objects.create(
        enfant=Enfant.objects.get(prenom="Léa"), adulte=comptes["durand"].adulte, motif="jugement"
    )
    planning.changer(comptes["durand2"].adulte.famille, veut("RESERVER", LUNDI), par=comptes["durand2"])
    assert b"Cantine" not in client.get(f"/calendrier/{jeton}.ics").content


# --- Texts -----------------------------------------------------------------------------------------------

PIQUES = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'-alert(1)-'",
    "`${alert(1)}`</textarea><script>alert(1)</script>",
    "]]></title><svg/onload=alert(1)>",
    "a\r\nATTACH:javascript:alert(1)\r\nX:",
]


@pytest.mark.parametrize("pique", PIQUES)
def test_un_texte_pique_ne_s_execute_nulle_part(pique, durand, connecter, comptes, client):
    """Each text that a parent or an agent may type here, through the pages, the admin, the messages, the agenda."""
    plat = " ".join(pique.split())
    for modele, champs in {
        Service: ("nom", "nom_court", "note_retard"),
        Site: ("nom",),
        MotifAbsence: ("libelle", "consequence"),
        Formule: ("nom",),
        Reglement: ("version", "texte"),
    }.items():
        for objet in modele.objects.order_by("pk"):
            for champ in champs:
                taille = modele._meta.get_field(champ).max_length or 200
                setattr(objet, champ, f"{objet.pk}{plat}"[:taille])
            objet.save()
    offre.oublier()
    confirmer(durand, ligne(), ligne(jour="2026-11-24"), ligne(jour="2026-11-17"))
    Fermeture.objects.create(valable_du=date(2026, 11, 26), valable_au=date(2026, 11, 26), motif=plat)
    absence = {"enfants": cle("Léa"), "du": "2026-11-23", "retour": "2026-11-24", "mot": pique, "plus_tard": "on"}
    assert durand.get("/mes-enfants/absence/", absence).status_code == 200
    assert durand.post("/mes-enfants/absence/", absence | {"motif": "maladie"}).status_code == 302
    lea, demande = Enfant.objects.get(prenom="Léa"), Demande.objects.filter(type="absence").latest("pk")
    pages = [
        "/mes-enfants/semaine/2026-11-23/",
        f"/mes-enfants/{lea.uuid}/planning/2026-11/",
        demande.get_absolute_url(),
    ]
    pages += [f"/mes-enfants/{lea.uuid}/planning/2026-11-{j}/restauration/" for j in (23, 24, 26, 30)]
    pages += ["/mes-enfants/repeter/", f"/mes-enfants/{lea.uuid}/inscriptions/", "/demandes/", "/messagerie/", "/"]
    pages += [f"/messagerie/{fil.uuid}/" for fil in Fil.objects.filter(famille=demande.famille)]
    internes = [f"/admin/demandes/demande/{demande.pk}/change/", "/admin/presences/", "/admin/enfants/service/"]
    internes += ["/admin/enfants/fermeture/", "/admin/enfants/reservation/", "/admin/enfants/motifabsence/"]
    internes += [f"/admin/enfants/service/{Service.objects.first().pk}/change/", "/admin/enfants/reglement/"]
    lieu = Implantation.objects.get(service__code="restauration")
    internes.append(f"/admin/presences/restauration/{lieu.site_id}/2026-11-16/")
    lues = 0
    for navigateur, adresses in ((durand, pages), (connecter("agent"), internes)):
        for adresse in adresses:
            reponse = navigateur.get(adresse)
            page = reponse.content.decode()
            assert reponse.status_code == 200, adresse
            for actif in ("<script>alert", "<img src=x", "<svg/onload"):
                assert actif not in page, adresse
            lues += plat[:10] in page or "&" in page
    assert lues
    jeton = abonnement.creer(comptes["durand"].adulte)
    agenda = client.get(f"/calendrier/{jeton}.ics").content
    assert b"\nATTACH" not in agenda.replace(b"\r\n ", b"")
