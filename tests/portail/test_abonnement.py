"""The calendar by subscription: what an agenda reads, for whom, until when; and RFC 5545 as it is written."""

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import icalendar
import pytest
from django.utils import timezone

from enfants import abonnement
from enfants.models import (
    AbonnementCalendrier,
    Enfant,
    MotifAbsence,
    Place,
    Reservation,
    Service,
    Site,
    SuspensionAcces,
)
from familles.models import Utilisateur
from portail.outils import ical

pytestmark = pytest.mark.django_db
PARIS = ZoneInfo("Europe/Paris")
MARDI = date(2026, 11, 24)
MATIN = datetime(2026, 11, 22, 8, tzinfo=UTC)


def reserver(prenom, jour=MARDI, *, par="durand", service="restauration", **autres):
    compte, service = Utilisateur.objects.get(identifiant=par), Service.objects.get(code=service)
    site, _ = Site.objects.get_or_create(nom="Essai")
    place, _ = Place.objects.get_or_create(service=service, site=site, jour=jour)
    colonnes = {"famille": compte.adulte.famille, "service": service, "jour": jour, "reservee_le": MATIN, **autres}
    enfant = Enfant.objects.get(prenom=prenom)
    return Reservation.objects.create(enfant=enfant, place=place, reservee_par=compte, **colonnes)


@pytest.fixture
def claire(comptes):
    Reservation.objects.all().delete()
    return comptes["durand"].adulte


def lire(adulte, maintenant=MATIN):
    abonne = AbonnementCalendrier.objects.filter(adulte=adulte).first()
    return abonnement.lire(abonne or abonnement.trouver(abonnement.creer(adulte)), maintenant=maintenant).decode()


def rendez_vous(texte):
    return sorted(icalendar.Calendar.from_ical(texte).walk("VEVENT"), key=lambda vu: (vu["DTSTART"].dt, vu["SUMMARY"]))


def resumes(texte):
    return [(f"{vu['DTSTART'].dt:%Y%m%d}", str(vu["SUMMARY"])) for vu in rendez_vous(texte)]


# --- What is read ----------------------------------------------------------------------------------------


def test_le_calendrier_dit_le_prenom_le_service_les_heures_et_rien_d_autre(claire):
    reserver("Léa")
    (vu,) = rendez_vous(lire(claire))
    assert {cle: valeur.to_ical().decode() for cle, valeur in vu.items()} == {
        "UID": str(vu["UID"]),
        "DTSTAMP": "20261122T080000Z",
        "DTSTART": "20261124T120000",
        "DTEND": "20261124T134500",
        "SUMMARY": "Cantine – Léa",
        "TRANSP": "TRANSPARENT",
    }


def test_l_identifiant_reste_le_meme_quand_le_jour_est_annule_puis_repris(claire, comptes):
    ligne = reserver("Léa")
    avant = re.search("UID:(.*)\r\n", lire(claire))[1]
    Reservation.objects.filter(pk=ligne.pk).update(annulee_le=MATIN, annulee_par=comptes["durand"])
    assert "UID:" not in lire(claire)
    reserver("Léa")
    assert re.search("UID:(.*)\r\n", lire(claire))[1] == avant
    reserver("Tom")
    assert len(set(re.findall("UID:(.*)\r\n", lire(claire)))) == 2


def test_ni_les_absences_ni_les_jours_trop_loin(claire):
    aujourdhui = timezone.localdate(MATIN)
    for ecart in (-32, -31, 365, 366):
        reserver("Léa", aujourdhui + timedelta(days=ecart))
    reserver("Léa", motif_absence=MotifAbsence.objects.first(), absence_le=MATIN)
    assert [jour for jour, _ in resumes(lire(claire))] == ["20261022", "20271122"]


def test_chaque_foyer_lit_ses_propres_jours_de_l_enfant_partage(comptes, claire):
    reserver("Inès", par="benali")
    reserver("Inès", MARDI + timedelta(days=2), par="rossi")
    assert resumes(lire(comptes["benali"].adulte)) == [("20261124", "Cantine – Inès")]
    assert resumes(lire(comptes["rossi"].adulte)) == [("20261126", "Cantine – Inès")]
    assert resumes(lire(claire)) == []


def test_un_enfant_suspendu_ou_parti_sort_du_calendrier(claire):
    reserver("Léa")
    reserver("Tom")
    assert resumes(lire(claire)) == [("20261124", "Cantine – Léa"), ("20261124", "Cantine – Tom")]
    SuspensionAcces.objects.create(enfant=Enfant.objects.get(prenom="Léa"), adulte=claire, motif="jugement")
    assert resumes(lire(claire)) == [("20261124", "Cantine – Tom")]
    Enfant.objects.filter(prenom="Tom").update(archive_le=timezone.localdate())
    assert resumes(lire(claire)) == []


# --- The address -----------------------------------------------------------------------------------------


def test_l_adresse_se_lit_sans_compte_ni_cookie(client, claire):
    reserver("Léa", timezone.localdate())
    jeton = abonnement.creer(claire)
    reponse = client.get(f"/calendrier/{jeton}.ics")
    assert (reponse.status_code, "SUMMARY:Cantine – Léa" in reponse.content.decode()) == (200, True)
    entetes = {nom: reponse.headers.get(nom) for nom in ("Content-Type", "Cache-Control", "Set-Cookie", "Vary")}
    assert entetes == {
        "Content-Type": "text/calendar; charset=utf-8",
        "Cache-Control": "private, max-age=300",
        "Set-Cookie": None,
        "Vary": None,
    }
    assert not reponse.cookies


def test_meme_connecte_l_adresse_ne_touche_pas_a_la_session(connecter, claire):
    reponse = connecter("martin").get(f"/calendrier/{abonnement.creer(claire)}.ics")
    assert (reponse.status_code, bool(reponse.cookies)) == (200, False)


def test_seule_l_empreinte_est_gardee(claire):
    jeton = abonnement.creer(claire)
    colonnes = AbonnementCalendrier.objects.values_list("empreinte", "adulte").get()
    assert (len(jeton), len(colonnes[0]), jeton in str(colonnes)) == (43, 64, False)


def test_remplacee_supprimee_fausse_ou_compte_ferme_l_adresse_est_inconnue(client, claire):
    ancien, neuf = abonnement.creer(claire), abonnement.creer(claire)

    def code(jeton):
        return client.get(f"/calendrier/{jeton}.ics").status_code

    empreinte = AbonnementCalendrier.objects.get().empreinte
    assert [code(jeton) for jeton in (ancien, neuf, neuf[:-1], empreinte, "x" * 3000)] == [404, 200, 404, 404, 404]
    Utilisateur.objects.filter(pk=claire.utilisateur_id).update(is_active=False)
    assert code(neuf) == 404
    Utilisateur.objects.filter(pk=claire.utilisateur_id).update(is_active=True)
    assert (abonnement.supprimer(claire), abonnement.supprimer(claire), code(neuf)) == (True, False, 404)


def test_la_lecture_est_notee_une_fois_par_heure_au_plus(claire):
    def lue_a(maintenant):
        lire(claire, maintenant)
        return AbonnementCalendrier.objects.get().lu_le

    assert lue_a(MATIN) == MATIN
    assert lue_a(MATIN + timedelta(minutes=60)) == MATIN
    assert lue_a(MATIN + timedelta(minutes=61)) == MATIN + timedelta(minutes=61)


# --- The page --------------------------------------------------------------------------------------------


def adresse_montree(reponse):
    trouvee = re.search(r'value="https?://[^"]+(/calendrier/[\w-]{43}\.ics)"', reponse.content.decode())
    return trouvee and trouvee[1]


def test_l_adresse_est_montree_une_seule_fois_puis_remplacee_ou_supprimee(connecter, client, claire):
    navigateur, page = connecter("durand"), "/mes-enfants/abonnement/"
    assert "Créer mon adresse" in navigateur.get(page).content.decode()
    premiere = adresse_montree(navigateur.post(page))
    assert client.get(premiere).status_code == 200
    relue = navigateur.get(page)
    assert (adresse_montree(relue), "Une adresse est active" in relue.content.decode()) == (None, True)
    assert "Lue par un agenda aujourd&#x27;hui à" in relue.content.decode()
    seconde = adresse_montree(navigateur.post(page))
    assert [client.get(adresse).status_code for adresse in (premiere, seconde)] == [404, 200]
    navigateur.post(f"{page}supprimer/")
    assert client.get(seconde).status_code == 404
    assert "Créer mon adresse" in navigateur.get(page).content.decode()


def test_chaque_adulte_a_la_sienne(connecter, client, claire):
    siennes = [adresse_montree(connecter(nom).post("/mes-enfants/abonnement/")) for nom in ("durand", "durand2")]
    assert [client.get(adresse).status_code for adresse in siennes] == [200, 200]
    connecter("durand").post("/mes-enfants/abonnement/supprimer/")
    assert [client.get(adresse).status_code for adresse in siennes] == [404, 200]


# --- RFC 5545 --------------------------------------------------------------------------------------------

DANGEREUX = ["Matin, midi; soir", "C:\\temp", "deux\r\nlignes\nBEGIN:VEVENT", "é" * 200, "SUMMARY:" + "😀" * 60]


@pytest.mark.parametrize("valeur", DANGEREUX)
def test_un_texte_ne_sort_pas_de_sa_ligne(valeur):
    debut = datetime(2026, 11, 24, 12, tzinfo=PARIS)
    evenement = ical.Evenement("1", debut, debut + timedelta(hours=1), valeur, MATIN)
    lu = ical.calendrier("x", [evenement], PARIS)
    assert all(len(ligne) <= 75 for ligne in lu.split(b"\r\n"))
    (vu,) = icalendar.Calendar.from_ical(lu).walk("VEVENT")
    assert str(vu["SUMMARY"]) == valeur.replace("\r\n", "\n")


def test_le_fuseau_est_decrit_avec_ses_changements():
    debuts = [datetime(2026, 10, 20, 12, tzinfo=PARIS), datetime(2027, 4, 1, 12, tzinfo=PARIS)]
    evenements = [ical.Evenement(str(n), d, d + timedelta(hours=1), "x", MATIN) for n, d in enumerate(debuts)]
    lu = icalendar.Calendar.from_ical(ical.calendrier("x", evenements, PARIS))
    assert [str(fuseau["TZID"]) for fuseau in lu.walk("VTIMEZONE")] == ["Europe/Paris"]
    assert [vu["DTSTART"].dt for vu in lu.walk("VEVENT")] == debuts


def test_un_calendrier_vide_reste_un_calendrier():
    lu = icalendar.Calendar.from_ical(ical.calendrier("Portail", [], PARIS))
    assert (str(lu["X-WR-CALNAME"]), lu.walk("VEVENT")) == ("Portail", [])
