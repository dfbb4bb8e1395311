"""The sheet of a day as an animateur fills it, without JavaScript: the whole list in one submit."""

import re
from datetime import date, timedelta
from html import unescape
from types import SimpleNamespace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from demandes.models import Demande, JourDemande
from enfants import presences
from enfants.models import Enfant, Implantation, Place, Presence, Rattachement, Reservation
from messagerie.models import Message
from portail.pages import presences as page

pytestmark = pytest.mark.django_db

JOUR = date(2025, 11, 27)  # a Thursday, far from the days that the cast has booked


@pytest.fixture(autouse=True)
def ce_jour_la(monkeypatch, distribution):
    monkeypatch.setattr(presences, "timezone", SimpleNamespace(localdate=lambda: JOUR, now=timezone.now))
    monkeypatch.setattr(page, "timezone", SimpleNamespace(localdate=lambda: JOUR))
    Rattachement.objects.update(valable_du=date(2020, 9, 1))


@pytest.fixture
def enfants():
    return {e.prenom: e for e in Enfant.objects.order_by("pk")}


@pytest.fixture
def cantine():
    return Implantation.objects.get(service__code="restauration")


@pytest.fixture
def adresse(cantine):
    return f"/admin/presences/restauration/{cantine.site_id}/{JOUR}/"


@pytest.fixture
def hugo(connecter):
    return connecter("animateur")


@pytest.fixture
def nadia(connecter):
    return connecter("agent")


@pytest.fixture
def reserver(cantine, enfants, comptes):
    def reserver(*prenoms, **colonnes):
        place, _ = Place.objects.get_or_create(service=cantine.service, site=cantine.site, jour=JOUR)
        for prenom in prenoms:
            Reservation.objects.create(
                enfant=enfants[prenom],
                famille=enfants[prenom].rattachements.order_by("pk").first().famille,
                service=cantine.service,
                jour=JOUR,
                place=place,
                reservee_par=comptes["durand"],
                **colonnes,
            )

    return reserver


def envoi(reponse, action, **champs):
    """What a browser would send of the sheet: its hidden fields, what is ticked, then ``champs``."""
    contenu = reponse.content.decode()
    donnees = {"version": re.search(r'name="version" value="([^"]*)"', contenu)[1], "action": action}
    donnees["enfant"] = re.findall(r'name="enfant" value="(\d+)"', contenu)
    for nom, valeur in re.findall(r'name="(etat-\d+)" value="(\w+)" checked', contenu):
        donnees[nom] = valeur
    for nom, valeur in re.findall(r'name="((?:arrivee|depart)-\d+)" value="([^"]*)"', contenu):
        donnees[nom] = valeur
    return donnees | champs


def texte(reponse):
    sans_balises = re.sub(r"<[^>]+>", " ", reponse.content.decode())
    return re.sub(r"\s+", " ", unescape(sans_balises).replace("\u00a0", " "))


def notees():
    lignes = Presence.objects.filter(jour=JOUR).order_by("enfant__prenom")
    return [(p.enfant.prenom, p.etat, p.pointee_par.identifiant) for p in lignes]


# --- The day ---------------------------------------------------------------------------------------------


def test_le_jour_s_ouvre_sur_les_services_et_leurs_nombres(hugo, reserver, adresse):
    reserver("Léa", "Inès", "Tom")
    reponse = hugo.get("/admin/presences/")
    assert reponse.status_code == 200
    assert f'href="{adresse}"' in reponse.content.decode()
    assert "Restauration scolaire Restaurant du Bourg 2 réservés, 0 pointé" in texte(reponse)
    assert "ALSH du mercredi Centre de loisirs Le Verger Aucune réservation Fermé : pas de service le jeudi" in texte(
        reponse
    )


@pytest.mark.parametrize(
    ("jour", "phrase"),
    [
        ("2025-11-28", "Le vendredi 28 novembre 2025 n'est pas encore venu"),
        ("hier", "Écrivez une date sous la forme 26/11/2026."),
        ("20251126", "Écrivez une date sous la forme 26/11/2026."),
        ("0001-01-01", "Écrivez une date sous la forme 26/11/2026."),
    ],
)
def test_un_jour_impossible_est_dit(hugo, jour, phrase):
    reponse = hugo.get("/admin/presences/", {"jour": jour})
    assert reponse.status_code == 422
    assert phrase in texte(reponse)


def test_un_jour_passe_se_choisit(hugo):
    assert "Mercredi 26 novembre 2025" in texte(hugo.get("/admin/presences/", {"jour": "2025-11-26"}))


def test_l_accueil_de_l_administration_y_mene(hugo, connecter):
    assert 'href="/admin/presences/"' in hugo.get("/admin/").content.decode()
    assert 'href="/admin/presences/"' not in connecter("comptable").get("/admin/").content.decode()


# --- The sheet -------------------------------------------------------------------------------------------


def test_la_feuille_montre_les_enfants_attendus_sans_leur_sante(nadia, reserver, enfants, adresse, comptes, cantine):
    reserver("Léa", "Adam", "Inès")
    demande = Demande.objects.create(
        type="absence",
        famille=enfants["Inès"].rattachements.order_by("pk").first().famille,
        deposee_par=comptes["benali"],
    )
    JourDemande.objects.create(
        demande=demande, enfant=enfants["Inès"], service=cantine.service, jour=JOUR, geste="ABSENCE"
    )
    reponse = nadia.get(adresse)
    lu = texte(reponse)
    assert "2 enfants attendus, 0 présent pointé" in lu
    assert "Benali Adam Petite et moyenne sections de Mme Lopez, École des Pommiers Panier fourni" in lu
    assert "Absence annoncée, à confirmer par la mairie. Sans porc" in lu
    assert "PAI" not in lu
    assert " checked" not in reponse.content.decode()


def test_tous_presents_pointe_les_attendus_et_eux_seuls(hugo, reserver, enfants, adresse):
    reserver("Léa")
    reserver("Inès", motif_absence_id=_motif(), absence_le=timezone.now())
    feuille = hugo.post(adresse, envoi(hugo.get(adresse), "chercher", cherche="zoé"))
    assert "Martin Zoé" in texte(feuille)
    reponse = hugo.post(adresse, envoi(feuille, "presents"))
    assert (reponse.status_code, reponse["Location"]) == (302, adresse)
    assert notees() == [("Léa", "PRESENT", "animateur")]
    lu = texte(hugo.get(adresse))
    assert "présent, pointé" in lu
    assert "Dernier enregistrement : Hugo Leroy, aujourd'hui à" in lu


def _motif():
    from enfants.models import MotifAbsence

    return MotifAbsence.objects.get(code="sortie").pk


def test_les_autres_absents_laisse_ceux_qui_sont_coches(hugo, reserver, enfants, adresse):
    reserver("Léa", "Inès")
    coche = {f"etat-{enfants['Léa'].pk}": "PRESENT", f"arrivee-{enfants['Léa'].pk}": "12:05"}
    hugo.post(adresse, envoi(hugo.get(adresse), "absents", **coche))
    assert notees() == [("Inès", "ABSENT", "animateur"), ("Léa", "PRESENT", "animateur")]
    assert f"{Presence.objects.get(enfant=enfants['Léa'], jour=JOUR).arrivee}" == "12:05:00"


def test_un_enfant_venu_sans_reservation_s_ajoute_et_sa_famille_l_apprend(hugo, reserver, enfants, adresse):
    reserver("Léa")
    lea = {f"etat-{enfants['Léa'].pk}": "PRESENT"}
    feuille = hugo.post(adresse, envoi(hugo.get(adresse), "chercher", cherche="martin", **lea))
    assert "1 enfant est sur la liste" in texte(feuille)
    assert envoi(feuille, "")[f"etat-{enfants['Léa'].pk}"] == "PRESENT"
    reponse = hugo.post(adresse, envoi(feuille, "enregistrer", **{f"etat-{enfants['Zoé'].pk}": "PRESENT"}), follow=True)
    assert "Présents sans réservation, leur famille reçoit un message : Zoé Martin." in texte(reponse)
    assert notees() == [("Léa", "PRESENT", "animateur"), ("Zoé", "PRESENT", "animateur")]
    message = Message.objects.get(fil__sujet__startswith="Zoé, Cantine du 27 novembre")
    assert message.lien == f"/mes-enfants/{enfants['Zoé'].uuid}/planning/2025-11/"


@pytest.mark.parametrize(
    ("cherche", "phrase"),
    [
        ("", "Écrivez le nom ou le prénom de l'enfant à ajouter."),
        ("Tom", "Aucun enfant des écoles de ce site ne s'appelle « Tom »."),
    ],
)
def test_une_recherche_vaine_le_dit(hugo, adresse, cherche, phrase):
    reponse = hugo.post(adresse, envoi(hugo.get(adresse), "chercher", cherche=cherche))
    assert reponse.status_code == 422
    assert phrase in texte(reponse)


def test_une_recherche_trop_large_demande_le_prenom(nadia, adresse, monkeypatch):
    monkeypatch.setattr(page, "TROUVES_MAX", 1)
    reponse = nadia.post(adresse, envoi(nadia.get(adresse), "chercher", cherche="durand"))
    assert reponse.status_code == 422
    assert "Plus de 1 enfants portent ce nom" in texte(reponse)


@pytest.mark.parametrize(
    ("champs", "phrase"),
    [
        ({"etat": "PEUT-ETRE"}, "Choisissez présent ou absent."),
        ({"etat": "PRESENT", "arrivee": "midi"}, "Écrivez l'heure comme 16:30."),
        ({"arrivee": "12:00"}, "Une heure est écrite : cochez « Présent » ou effacez-la."),
        ({"etat": "ABSENT", "depart": "12:00"}, "Une heure est écrite : cochez « Présent » ou effacez-la."),
        ({"etat": "PRESENT", "arrivee": "13:00", "depart": "12:00"}, "Le départ vient avant l'arrivée."),
    ],
)
def test_une_saisie_fausse_est_dite_et_rien_n_est_perdu(hugo, reserver, enfants, adresse, champs, phrase):
    reserver("Léa", "Inès")
    lea = {f"{nom}-{enfants['Léa'].pk}": valeur for nom, valeur in champs.items()}
    reponse = hugo.post(
        adresse, envoi(hugo.get(adresse), "enregistrer", **lea, **{f"etat-{enfants['Inès'].pk}": "ABSENT"})
    )
    assert reponse.status_code == 422
    assert phrase in texte(reponse)
    assert "Rien n'est enregistré" in texte(reponse)
    assert notees() == []
    garde = envoi(reponse, "")
    assert garde[f"etat-{enfants['Inès'].pk}"] == "ABSENT"
    assert garde[f"arrivee-{enfants['Léa'].pk}"] == champs.get("arrivee", "")


def test_le_second_qui_enregistre_sait_qui_et_garde_ses_choix(hugo, nadia, reserver, enfants, adresse):
    reserver("Léa", "Inès")
    avant = hugo.get(adresse)
    lea, ines = f"etat-{enfants['Léa'].pk}", f"etat-{enfants['Inès'].pk}"
    nadia.post(adresse, envoi(nadia.get(adresse), "enregistrer", **{lea: "ABSENT"}))
    reponse = hugo.post(adresse, envoi(avant, "enregistrer", **{lea: "PRESENT", ines: "PRESENT"}))
    assert reponse.status_code == 409
    assert "Nadia Petit a enregistré cette feuille aujourd'hui à" in texte(reponse)
    assert 'class="conflit"' in reponse.content.decode()
    assert notees() == [("Léa", "ABSENT", "agent")]
    assert hugo.post(adresse, envoi(reponse, "enregistrer")).status_code == 302
    assert notees() == [("Inès", "PRESENT", "animateur"), ("Léa", "PRESENT", "animateur")]


# --- Closing ---------------------------------------------------------------------------------------------


def test_clore_demande_que_tous_soient_pointes(hugo, reserver, enfants, adresse):
    reserver("Léa", "Inès")
    lea = {f"etat-{enfants['Léa'].pk}": "PRESENT"}
    reponse = hugo.post(adresse, envoi(hugo.get(adresse), "clore", **lea), follow=True)
    assert "La feuille reste ouverte : pointez d'abord Inès Benali." in texte(reponse)
    assert notees() == [("Léa", "PRESENT", "animateur")]
    ines = {f"etat-{enfants['Inès'].pk}": "ABSENT"}
    reponse = hugo.post(adresse, envoi(reponse, "clore", **ines), follow=True)
    assert "Feuille close par Hugo Leroy aujourd'hui" in texte(reponse)
    assert "Rouvrir la feuille" not in texte(reponse)


def test_une_feuille_close_change_avec_une_raison(hugo, reserver, enfants, adresse):
    reserver("Léa")
    lea = f"etat-{enfants['Léa'].pk}"
    close = hugo.post(adresse, envoi(hugo.get(adresse), "clore", **{lea: "PRESENT"}), follow=True)
    refus = hugo.post(adresse, envoi(close, "enregistrer", **{lea: "ABSENT"}))
    assert refus.status_code == 422
    assert "La feuille est close : dites pourquoi elle change." in texte(refus)
    assert envoi(refus, "")[lea] == "ABSENT"
    long = hugo.post(adresse, envoi(refus, "enregistrer", motif="x" * 201))
    assert (long.status_code, "Écrivez 200 caractères au plus." in texte(long)) == (422, True)
    assert notees() == [("Léa", "PRESENT", "animateur")]
    reponse = hugo.post(adresse, envoi(refus, "enregistrer", motif="Partie malade à midi"), follow=True)
    assert "Corrigé : Partie malade à midi." in texte(reponse)
    assert notees() == [("Léa", "ABSENT", "animateur")]


def test_rouvrir_est_a_l_agent_pas_a_l_animateur(hugo, nadia, reserver, adresse):
    reserver("Léa")
    hugo.post(adresse, envoi(hugo.get(adresse), "presents"))
    hugo.post(adresse, envoi(hugo.get(adresse), "clore"))
    place = Place.objects.get(jour=JOUR)
    assert place.close_par.identifiant == "animateur"
    assert hugo.post(adresse, {"action": "rouvrir"}).status_code == 403
    assert "La feuille est ouverte de nouveau." in texte(nadia.post(adresse, {"action": "rouvrir"}, follow=True))
    assert "La feuille est déjà ouverte." in texte(nadia.post(adresse, {"action": "rouvrir"}, follow=True))
    place.refresh_from_db()
    assert place.close_le is None


def test_l_absence_qui_attend_la_mairie_dans_une_autre_ecole_n_empeche_pas_de_clore(
    hugo, reserver, enfants, adresse, cantine, comptes
):
    reserver("Léa", "Tom")
    famille = enfants["Tom"].rattachements.get().famille
    demande = Demande.objects.create(type="absence", famille=famille, deposee_par=comptes["durand"])
    JourDemande.objects.create(
        demande=demande, enfant=enfants["Tom"], service=cantine.service, jour=JOUR, geste="ABSENCE"
    )
    hugo.post(adresse, envoi(hugo.get(adresse), "presents"))
    reponse = hugo.post(adresse, envoi(hugo.get(adresse), "clore"), follow=True)
    assert "La feuille est close." in texte(reponse)


# --- Doors -----------------------------------------------------------------------------------------------


def test_un_enfant_d_une_autre_ecole_ne_se_pointe_pas(hugo, enfants, adresse, reserver):
    reserver("Tom")
    tom = str(enfants["Tom"].pk)
    for action in ("enregistrer", "chercher", "presents", "clore"):
        assert hugo.post(adresse, {"action": action, "enfant": [tom], f"etat-{tom}": "PRESENT"}).status_code == 404
    assert notees() == []


@pytest.mark.parametrize("cle", ["x", "-1", "9" * 25, "999999999", "1\x00"])
def test_un_enfant_inconnu_est_refuse(hugo, adresse, cle):
    assert hugo.post(adresse, {"action": "enregistrer", "enfant": [cle]}).status_code == 404


def test_une_feuille_sans_fin_est_refusee(hugo, adresse):
    assert hugo.post(adresse, {"enfant": [str(n) for n in range(601)]}).status_code == 404


def test_les_adresses_qui_n_existent_pas_sont_introuvables(hugo, enfants, cantine):
    ailleurs = Implantation.objects.get(service__code="accueil-soir", ecoles=enfants["Tom"].ecole).site_id
    for suite in (
        f"accueil-soir/{ailleurs}/{JOUR}/",
        f"restauration/{ailleurs}/{JOUR}/",
        f"inconnu/{cantine.site_id}/{JOUR}/",
        f"restauration/{'9' * 30}/{JOUR}/",
        f"restauration/{cantine.site_id}/2025-11-31/",
        f"restauration/{cantine.site_id}/20251127/",
    ):
        assert hugo.get(f"/admin/presences/{suite}").status_code == 404, suite


def test_un_jour_a_venir_ne_se_pointe_pas(hugo, enfants, cantine):
    demain = f"/admin/presences/restauration/{cantine.site_id}/{JOUR + timedelta(days=1)}/"
    lea = str(enfants["Léa"].pk)
    reponse = hugo.post(demain, {"action": "enregistrer", "enfant": [lea], f"etat-{lea}": "PRESENT"})
    assert reponse.status_code == 422
    assert "n'est pas encore venu" in texte(reponse)
    assert not Presence.objects.filter(jour=JOUR + timedelta(days=1)).exists()


def test_sans_la_permission_la_page_est_fermee(connecter, adresse):
    for compte in ("comptable", "tresorerie"):
        assert connecter(compte).get("/admin/presences/").status_code == 403
        assert connecter(compte).get(adresse).status_code == 403


# --- Queries and list ------------------------------------------------------------------------------------


def requetes(appel):
    with CaptureQueriesContext(connection) as captees:
        assert appel().status_code in (200, 302)
    return [r["sql"][:150] for r in captees if r["sql"].startswith(("SELECT", "INSERT", "UPDATE", "DELETE"))]


def test_autant_de_requetes_pour_un_enfant_et_pour_trois(hugo, nadia, reserver, enfants, adresse):
    nombres = []
    for prenoms in (["Léa"], ["Tom", "Adam"]):
        reserver(*prenoms)
        nadia.get(adresse)
        lire = requetes(lambda: nadia.get(adresse))
        choix = envoi(nadia.get(adresse), "presents")
        nombres.append((len(lire), len(requetes(lambda choix=choix: nadia.post(adresse, choix)))))
        Presence.objects.filter(jour=JOUR).delete()
    assert nombres[0] == nombres[1]
    assert nombres[0][0] <= 12


def test_la_comptabilite_lit_ce_qui_s_est_passe(connecter, hugo, reserver, enfants, adresse):
    reserver("Léa")
    hugo.post(adresse, envoi(hugo.get(adresse), "presents"))
    comptable = connecter("comptable")
    liste = comptable.get("/admin/enfants/presence/", {"jour": str(JOUR)})
    lu = texte(liste)
    assert "27 novembre 2025 Léa Durand Cantine, Restaurant du Bourg Réservé le" in lu
    assert "1 présence" in lu
    cle = Presence.objects.get(jour=JOUR).pk
    assert "présent, pointé" in texte(comptable.get(f"/admin/enfants/presence/{cle}/change/"))
    assert comptable.get("/admin/enfants/presence/", {"jour": "hier"}).status_code == 200
    presences.pointer(
        Place.objects.get(jour=JOUR), [presences.Pointage(enfants["Léa"].pk, "ABSENT")], par=liste.wsgi_request.user
    )
    assert "Absent" in texte(comptable.get(f"/admin/enfants/presence/{cle}/history/"))


def test_l_historique_d_une_presence_est_le_sien_quel_que_soit_le_numero_du_changement(
    connecter, hugo, reserver, adresse
):
    """A record of a change has a key of its own, which may be that of another child's presence."""
    reserver("Léa")
    hugo.post(adresse, envoi(hugo.get(adresse), "presents"))
    changee = Presence.objects.get(jour=JOUR)
    autre = Presence.objects.exclude(enfant=changee.enfant).order_by("pk").first()
    Presence.objects.filter(pk=changee.pk).update(correction="Parti avec sa tante")
    Presence.pgh_event_model.objects.filter(id=changee.pk).update(pgh_id=autre.pk)
    pages = {p: texte(connecter("agent").get(f"/admin/enfants/presence/{p.pk}/history/")) for p in (changee, autre)}
    assert {p: "Parti avec sa tante" in page for p, page in pages.items()} == {changee: True, autre: False}


def test_un_animateur_ne_lit_que_les_presences_de_ses_ecoles(hugo, nadia, reserver, adresse):
    reserver("Léa", "Tom")
    nadia.post(adresse, envoi(nadia.get(adresse), "presents"))
    liste = texte(hugo.get("/admin/enfants/presence/", {"jour": str(JOUR)}))
    assert ("Léa Durand Cantine" in liste, "Tom Durand" in liste) == (True, False)


def test_la_liste_des_presences_ne_demande_pas_plus_pour_trois_que_pour_une(
    connecter, hugo, reserver, enfants, nadia, adresse
):
    comptable, nombres = connecter("comptable"), []
    for prenoms in (["Léa"], ["Tom", "Adam"]):
        reserver(*prenoms)
        nadia.post(adresse, envoi(nadia.get(adresse), "presents"))
        liste = f"/admin/enfants/presence/?jour={JOUR}"
        comptable.get(liste)
        nombres.append(len(requetes(lambda liste=liste: comptable.get(liste))))
    assert nombres[0] == nombres[1]
