"""Services, places, reasons, rules and public holidays in the admin; what families booked, to look at."""

from datetime import date, time, timedelta
from html import unescape

import pytest
from django.utils import timezone

from enfants import offre
from enfants.admin.offre import jours_en_mots
from enfants.models import (
    Attente,
    Ecole,
    Enfant,
    Implantation,
    Inscription,
    JourFerie,
    MotifAbsence,
    PeriodeVacances,
    Place,
    Reglement,
    Reservation,
    Service,
    Site,
    TrancheAge,
)
from tests.saisie_admin import saisie

pytestmark = pytest.mark.django_db

CORDES = (
    {"code": "cordes", "nom": "Atelier de corde", "nom_court": "Corde", "couleur": "#123456", "ordre": "90"}
    | {"actif": "on", "jours": ["4", "0"], "periode": "SCOLAIRE", "heure_debut": "16:30", "heure_fin": "17:30"}
    | {"validation": "AUTOMATIQUE", "pieces_requises": ["ASSURANCE"], "heures_offre": "24"}
    | {"formules-TOTAL_FORMS": "0", "formules-INITIAL_FORMS": "0"}
)


@pytest.fixture
def agent(connecter):
    return connecter("agent")


@pytest.fixture
def cantine(distribution):
    return Service.objects.get(code="restauration")


def page_de(objet):
    return f"/admin/enfants/{objet._meta.model_name}/{objet.pk}/change/"


def enregistrer(navigateur, objet, **tapees):
    return navigateur.post(page_de(objet), saisie(navigateur.get(page_de(objet)), **tapees))


def texte(reponse):
    return unescape(reponse.content.decode()).replace("\u00a0", " ")


def erreurs(reponse):
    return {nom: list(fautes) for nom, fautes in reponse.context["adminform"].form.errors.items()}


def memoire():
    """What the planning pages read, by the name of each service."""
    return {service.nom: service for service in offre.actuelle()}


# --- Services --------------------------------------------------------------------------------------------


def test_un_service_s_ouvre_avec_ses_jours_en_cases_a_cocher(distribution, agent):
    memoire()
    assert agent.post("/admin/enfants/service/add/", CORDES).status_code == 302
    service = Service.objects.get(code="cordes")
    assert (service.jours, service.pieces_requises) == ([0, 4], ["ASSURANCE"])
    assert (service.heure_debut, service.heure_fin, service.inscription_requise) == (time(16, 30), time(17, 30), False)
    assert memoire()["Atelier de corde"].jours == {0, 4}


def test_la_page_montre_des_cases_une_couleur_et_des_heures_du_navigateur(cantine, agent):
    page = texte(agent.get(page_de(cantine)))
    assert page.count('<input type="checkbox" name="jours"') == 7
    assert page.count('<input type="time"') == 2
    assert '<input type="color" name="couleur" value="#0f5f6e"' in page


@pytest.mark.parametrize(
    ("tapees", "attendues"),
    [
        ({"jours": []}, {"jours": ["Choisissez au moins un jour."]}),
        ({"heure_fin": "16:00"}, {"__all__": ["La fin vient avant le début."]}),
        ({"age_min": "6", "age_max": "3"}, {"__all__": ["L'âge maximum est sous l'âge minimum."]}),
        ({"couleur": "rouge"}, {"couleur": ["Une couleur s'écrit #0f5f6e."]}),
    ],
)
def test_un_service_mal_ecrit_se_dit_a_cote_du_champ(tapees, attendues, distribution, agent):
    assert erreurs(agent.post("/admin/enfants/service/add/", CORDES | tapees)) == attendues
    assert not Service.objects.filter(code="cordes").exists()


def test_le_code_d_un_service_ne_change_plus(cantine, agent):
    assert enregistrer(agent, cantine, code="autre", nom="Cantine scolaire").status_code == 302
    cantine.refresh_from_db()
    assert (cantine.code, cantine.nom, cantine.jours) == ("restauration", "Cantine scolaire", [0, 1, 3, 4])


def test_changer_une_formule_se_lit_aussitot_dans_le_planning(distribution, agent):
    mercredi = Service.objects.get(code="alsh-mercredi")
    memoire()
    assert enregistrer(agent, mercredi, **{"formules-0-nom": "Journée entière"}).status_code == 302
    assert next(nom for _, nom in memoire()[mercredi.nom].formules) == "Journée entière"


def test_la_liste_dit_les_jours_la_periode_et_l_acceptation(distribution, agent):
    Service.objects.filter(code="alsh-vacances").update(actif=False)
    page = texte(agent.get("/admin/enfants/service/"))
    assert "lundi, mardi, jeudi et vendredi" in page
    assert "Toujours par un agent" in page
    assert [(s.nom_court, s.actif) for s in agent.get("/admin/enfants/service/").context["cl"].result_list] == [
        ("Matin", True),
        ("Cantine", True),
        ("Soir", True),
        ("Mercredi", True),
        ("Vacances", False),
    ]


def test_les_jours_se_disent_en_mots():
    assert [jours_en_mots(jours) for jours in ([4, 0], [2], [])] == ["lundi et vendredi", "mercredi", "–"]


def test_un_service_reserve_ne_se_supprime_pas_mais_se_retire(cantine, agent):
    assert agent.post(f"/admin/enfants/service/{cantine.pk}/delete/", {"post": "yes"}).status_code == 403
    choix = {"_selected_action": [cantine.pk], "post": "yes"}
    page = texte(agent.post("/admin/enfants/service/", choix | {"action": "delete_selected"}))
    assert "Choisissez plutôt « Ne plus proposer »." in page
    assert cantine.nom in memoire()
    agent.post("/admin/enfants/service/", choix | {"action": "ne_plus_proposer"})
    cantine.refresh_from_db()
    assert cantine.actif is False
    assert cantine.nom not in memoire()


def test_un_service_jamais_reserve_se_supprime(distribution, agent):
    agent.post("/admin/enfants/service/add/", CORDES)
    service = Service.objects.get(code="cordes")
    assert "Atelier de corde" in memoire()
    assert agent.post(f"/admin/enfants/service/{service.pk}/delete/", {"post": "yes"}).status_code == 302
    assert "Atelier de corde" not in memoire()


# --- Places ----------------------------------------------------------------------------------------------


def test_un_lieu_recoit_ses_ecoles_et_ses_places_par_age(distribution, agent):
    matin = Service.objects.get(code="alsh-mercredi")
    lieu = matin.implantations.get()
    bourg = Ecole.objects.get(nom="École élémentaire du Bourg")
    memoire()
    ligne = {"tranches-TOTAL_FORMS": "2", "tranches-1-age_min": "6", "tranches-1-age_max": "11"}
    assert (
        enregistrer(agent, lieu, ecoles=[bourg.pk], capacite="44", **ligne, **{"tranches-1-capacite": "28"}).status_code
        == 302
    )
    lu = memoire()[matin.nom].lieux[0]
    assert (lu.ecoles, lu.capacite, lu.tranches) == ({bourg.pk}, 44, ((3, 5, 16), (6, 11, 28)))


def test_deux_lignes_du_meme_age_se_disent(distribution, agent):
    lieu = Implantation.objects.get(service__code="alsh-mercredi")
    ligne = {"tranches-TOTAL_FORMS": "2", "tranches-1-age_min": "5", "tranches-1-age_max": "7"}
    page = enregistrer(agent, lieu, **ligne, **{"tranches-1-capacite": "9"})
    assert "Deux lignes comptent les enfants du même âge." in texte(page)
    assert TrancheAge.objects.count() == 1


def ajouter_un_lieu(agent, service, site, ecoles):
    donnees = {"service": service.pk, "site": site.pk, "ecoles": [ecole.pk for ecole in ecoles], "capacite": ""}
    return agent.post(
        "/admin/enfants/implantation/add/", donnees | {"tranches-TOTAL_FORMS": "0", "tranches-INITIAL_FORMS": "0"}
    )


def test_une_ecole_ne_va_pas_a_deux_lieux(cantine, agent):
    neuf, matin = Site.objects.create(nom="Neuf"), Service.objects.get(code="accueil-matin")
    bourg = matin.implantations.get(site__nom="Accueil du Bourg").ecoles.get()
    assert erreurs(ajouter_un_lieu(agent, matin, neuf, [bourg])) == {
        "ecoles": [f"Les enfants de «\u00a0{bourg}\u00a0» vont déjà ici\u00a0: Accueil du Bourg."]
    }
    assert erreurs(ajouter_un_lieu(agent, cantine, neuf, [])) == {
        "ecoles": ["Les enfants de toutes les écoles vont déjà ici\u00a0: Restaurant du Bourg."]
    }
    assert ajouter_un_lieu(agent, cantine, neuf, [bourg]).status_code == 302


def test_un_service_n_a_qu_un_lieu_par_site(cantine, agent):
    reponse = ajouter_un_lieu(agent, cantine, Site.objects.get(nom="Restaurant du Bourg"), [Ecole.objects.first()])
    assert erreurs(reponse) == {"__all__": ["Ce service est déjà tenu sur ce site."]}


def test_le_lieu_de_jours_reserves_reste(cantine, agent):
    lieu = cantine.implantations.get()
    site = Site.objects.create(nom="Neuf")
    a_venir = reservation_de("Zoé", cantine, timezone.localdate() + timedelta(days=1))
    assert agent.post(f"/admin/enfants/implantation/{lieu.pk}/delete/", {"post": "yes"}).status_code == 403
    assert enregistrer(agent, lieu, site=site.pk, capacite="80").status_code == 302
    lieu.refresh_from_db()
    assert (lieu.site.nom, lieu.capacite) == ("Restaurant du Bourg", 80)
    Reservation.objects.filter(jour__gte=timezone.localdate()).update(
        annulee_le=timezone.now(), annulee_par=a_venir.reservee_par
    )
    assert agent.post(f"/admin/enfants/implantation/{lieu.pk}/delete/", {"post": "yes"}).status_code == 302


def test_un_site_qui_sert_ne_se_supprime_pas(distribution, agent):
    occupe, vide = Site.objects.get(nom="Restaurant du Bourg"), Site.objects.create(nom="Vide")
    page = agent.post(
        "/admin/enfants/site/",
        {"action": "delete_selected", "_selected_action": [occupe.pk, vide.pk], "post": "yes"},
    )
    assert "Restaurant du Bourg : un service y est tenu, ou l'a été." in texte(page)
    assert agent.post(f"/admin/enfants/site/{vide.pk}/delete/", {"post": "yes"}).status_code == 302
    assert Site.objects.filter(nom="Restaurant du Bourg").exists()


def test_renommer_un_site_se_lit_aussitot(distribution, agent, cantine):
    memoire()
    enregistrer(agent, cantine.implantations.get().site, nom="La Cantine")
    assert memoire()[cantine.nom].lieux[0].nom == "La Cantine"


# --- Reasons, rules, days --------------------------------------------------------------------------------


def test_le_code_d_un_motif_ne_change_plus_et_il_ne_se_supprime_pas(distribution, agent):
    maladie = MotifAbsence.objects.get(code="maladie")
    assert enregistrer(agent, maladie, code="x", heures_justificatif="72").status_code == 302
    maladie.refresh_from_db()
    assert (maladie.code, maladie.heures_justificatif) == ("maladie", 72)
    assert agent.post(f"/admin/enfants/motifabsence/{maladie.pk}/delete/", {"post": "yes"}).status_code == 403
    assert "sous 72 heures" in texte(agent.get("/admin/enfants/motifabsence/"))


def test_un_reglement_accepte_ne_change_plus(distribution, agent):
    reglement = Reglement.objects.get()
    page = agent.get(page_de(reglement))
    assert "il ne change plus. Ajoutez une nouvelle version." in texte(page)
    donnees = {"annee": "2026", "version": "Autre", "publie_le": "2026-09-01", "texte": "Autre"}
    assert agent.post(page_de(reglement), donnees).status_code == 403
    assert agent.post(f"/admin/enfants/reglement/{reglement.pk}/delete/", {"post": "yes"}).status_code == 403
    assert Reglement.objects.get().version == "Délibération du 12 juin"


def test_un_reglement_que_personne_n_a_accepte_se_corrige(distribution, agent):
    Inscription.objects.update(reglement=None, reglement_accepte_le=None)
    reglement = Reglement.objects.get()
    assert enregistrer(agent, reglement, texte="Corrigé").status_code == 302
    assert agent.post(f"/admin/enfants/reglement/{reglement.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not Reglement.objects.exists()


def test_un_jour_ferie_se_lit_aussitot_dans_les_delais(distribution, agent):
    jour = date(2027, 6, 14)
    assert jour not in offre.calendrier(jour, jour).feries
    agent.post("/admin/enfants/jourferie/add/", {"jour": "2027-06-14", "nom": "Fête locale"})
    assert jour in offre.calendrier(jour, jour).feries
    ferie = JourFerie.objects.get(jour=jour)
    agent.post(f"/admin/enfants/jourferie/{ferie.pk}/delete/", {"post": "yes"})
    assert jour not in offre.calendrier(jour, jour).feries


def test_un_jour_ferie_n_est_qu_une_fois_dans_la_liste(distribution, agent):
    reponse = agent.post("/admin/enfants/jourferie/add/", {"jour": "2027-07-14", "nom": "Fête"})
    assert erreurs(reponse) == {"jour": ["Ce jour férié est déjà dans la liste."]}


def test_des_vacances_changees_se_lisent_aussitot(distribution, agent):
    vacances = PeriodeVacances.objects.order_by("valable_du").last()
    premier = vacances.valable_du
    assert offre.calendrier(premier, premier).vacances_du(premier)
    choix = {"action": "delete_selected", "_selected_action": [vacances.pk], "post": "yes"}
    agent.post("/admin/enfants/periodevacances/", choix)
    assert (premier, vacances.valable_au) not in offre.calendrier(premier, premier).vacances


# --- Lists -----------------------------------------------------------------------------------------------


def reservation_de(prenom, service, jour, **valeurs):
    enfant = Enfant.objects.get(prenom=prenom)
    famille = enfant.rattachements.get().famille
    lieu = service.implantations.first()
    place, _ = Place.objects.get_or_create(service=service, site=lieu.site, jour=jour)
    compte = famille.responsables.order_by("rang").first().utilisateur
    return Reservation.objects.create(
        enfant=enfant, famille=famille, service=service, jour=jour, place=place, reservee_par=compte, **valeurs
    )


def lignes(navigateur, liste, **filtres):
    page = navigateur.get(f"/admin/enfants/{liste}/", filtres)
    return [(ligne.enfant.prenom, ligne.jour) for ligne in page.context["cl"].result_list]


@pytest.fixture
def jours(distribution, cantine):
    """Zoé alone, the day before yesterday, today, tomorrow cancelled, in ten days with an absence."""
    Reservation.objects.all().delete()
    aujourdhui = timezone.localdate()
    jours = [aujourdhui + timedelta(days=n) for n in (-2, 0, 1, 10)]
    hier, *_ = [reservation_de("Zoé", cantine, jour) for jour in jours]
    annulee = Reservation.objects.get(jour=jours[2])
    Reservation.objects.filter(pk=annulee.pk).update(annulee_le=timezone.now(), annulee_par=hier.reservee_par)
    motif = MotifAbsence.objects.get(code="maladie")
    Reservation.objects.filter(jour=jours[3]).update(motif_absence=motif, absence_le=timezone.now())
    return jours


@pytest.mark.parametrize(
    ("filtres", "rangs"),
    [
        ({}, [1, 3]),
        ({"moment": "aujourdhui"}, [1]),
        ({"moment": "demain"}, []),
        ({"moment": "demain", "etat": "annulees"}, [2]),
        ({"moment": "semaine", "etat": "toutes"}, [1, 2]),
        ({"moment": "passes"}, [0]),
        ({"moment": "tous", "etat": "toutes"}, [0, 1, 2, 3]),
        ({"etat": "absences"}, [3]),
        ({"etat": "tardives"}, []),
        ({"moment": "x", "etat": "x"}, [1, 3]),
        ({"jour": "31/02/2026"}, []),
        ({"q": "zoe"}, [1, 3]),
        ({"q": "lea"}, []),
    ],
)
def test_les_reservations_se_filtrent_par_jour_et_par_etat(filtres, rangs, jours, connecter):
    assert lignes(connecter("comptable"), "reservation", **filtres) == [("Zoé", jours[rang]) for rang in rangs]


def test_un_jour_precis_se_tape(jours, agent):
    assert lignes(agent, "reservation", jour=f"{jours[0]:%d/%m/%Y}") == [("Zoé", jours[0])]
    assert lignes(agent, "reservation", jour=f"{jours[1]:%Y-%m-%d}") == [("Zoé", jours[1])]


def test_une_ecole_et_un_service_se_choisissent(jours, agent, cantine):
    zoe = Enfant.objects.get(prenom="Zoé")
    autre = Ecole.objects.exclude(pk=zoe.ecole_id).get()
    trouvees = [lignes(agent, "reservation", enfant__ecole__id__exact=cle) for cle in (zoe.ecole_id, autre.pk)]
    assert [len(liste) for liste in trouvees] == [2, 0]
    assert len(lignes(agent, "reservation", service__id__exact=cantine.pk)) == 2


def test_une_reservation_se_lit_sans_la_raison_de_l_absence(jours, agent):
    absente = Reservation.objects.get(jour=jours[3])
    for adresse in (page_de(absente), "/admin/enfants/reservation/"):
        page = texte(agent.get(adresse))
        assert "absence déclarée" in page
        assert "malade" not in page
    assert agent.post(page_de(absente), {"jour": "2026-01-01"}).status_code == 403


@pytest.mark.parametrize(
    ("etat", "attendues"), [("", ["Zoé", "Tom"]), ("offertes", ["Zoé"]), ("closes", ["Léa"]), ("toutes", None)]
)
def test_les_listes_d_attente_montrent_les_places_proposees(etat, attendues, jours, agent):
    modele = Reservation.objects.get(jour=jours[3])
    maintenant = timezone.now()
    offerte = {"offerte_le": maintenant, "expire_le": maintenant + timedelta(hours=24)}
    for rang, (prenom, valeurs) in enumerate(
        [("Zoé", offerte), ("Tom", {}), ("Léa", {"close_le": maintenant, "issue": Attente.Issue.QUITTEE})]
    ):
        Attente.objects.create(
            enfant=Enfant.objects.get(prenom=prenom),
            famille=modele.famille,
            service=modele.service,
            jour=modele.jour,
            place=modele.place,
            inscrite_par=modele.reservee_par,
            inscrite_le=maintenant + timedelta(minutes=rang),
            **valeurs,
        )
    trouvees = [prenom for prenom, _ in lignes(agent, "attente", **({"etat": etat} if etat else {}))]
    assert trouvees == (["Zoé", "Tom", "Léa"] if attendues is None else attendues)


def test_un_animateur_ne_voit_rien_de_l_offre(distribution, connecter):
    animateur = connecter("animateur")
    for modele in ("service", "regledelai", "reservation", "attente", "reglement"):
        assert animateur.get(f"/admin/enfants/{modele}/").status_code == 403
