"""Payments on line: what is offered, what leaves, what is believed of what comes back."""

import logging
import re
from datetime import date, timedelta
from decimal import Decimal
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.urls import reverse
from django.utils import timezone

from facturation import actions, comptes, paiements, payfip, simulateur
from facturation.actions import ActionImpossible
from facturation.models import Article, Ecriture, Facture, OperationSimulee, Reglement, TentativePaiement
from facturation.payfip import PayFipIndisponible
from facturation.regles import simulation
from messagerie.models import Courriel, Message
from portail.echeances import passer
from tests.facturation.essai import facture_essai, regie_essai, titre_essai

pytestmark = pytest.mark.django_db

EN_LIGNE = {"payfip": "REDIRECTION", "payfip_client": "018110", "payfip_saisie": "A"}
ECHEANCE = date(2026, 12, 2)  # of tests.facturation.essai


@pytest.fixture(autouse=True)
def le_23_novembre_a_dix_heures(distribution, horloge):
    horloge("2026-11-23T10:00")


@pytest.fixture
def claire(comptes):
    return comptes["durand"]


@pytest.fixture
def comptable(comptes):
    return comptes["comptable"]


@pytest.fixture
def regie():
    return regie_essai(**EN_LIGNE)


@pytest.fixture
def facture(famille_durand, regie):
    return facture_essai(famille_durand, regie, "47.60")


@pytest.fixture
def titre(famille_durand, comptable):
    """Taken in charge by the trésorerie."""
    regie = titre_essai(**EN_LIGNE)
    facture = facture_essai(famille_durand, regie, "30.00")
    role = {"regie": regie, "exercice": 2026, "le": date(2026, 11, 10), "par": comptable}
    actions.prendre_en_role([facture], numero="7", **role)
    return facture


def lue(facture):
    return paiements.lisibles(Facture.objects.filter(pk=facture.pk)).get()


def offre(facture, jour=date(2026, 11, 23)):
    return paiements.moyen_de_payer(lue(facture), jour)


def dit(facture, jour=date(2026, 11, 23)):
    return comptes.etat(lue(facture), jour).code


def avis(tentative, resultat="P", **autres):
    """The fields of PayFiP's notice about an attempt, as it sends them."""
    envoye = dict(parse_qsl(urlsplit(payfip.adresse_de_redirection(paiements.paiement_de(tentative))).query))
    return simulation.notification(envoye, resultat, jour="23112026", heure="1002") | autres


def recevoir(client, tentative, champs):
    reponse = client.post(reverse("avis_payfip", args=[tentative.jeton]), champs)
    assert (reponse.status_code, reponse.content) == (200, b"ok")


def bilan(facture):
    """State of the invoice, payments on the account, what the family owes, messages."""
    reglements = [(r.moyen, r.montant) for r in Reglement.objects.order_by("pk")]
    return dit(facture), reglements, sum(comptes.soldes(facture.famille).values()), Message.objects.count()


# --- What is offered ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("jours", "etat"), [(-20, "actif"), (0, "actif"), (30, "actif"), (31, "ferme"), (400, "ferme")]
)
def test_le_lien_est_actif_trente_jours_apres_l_echeance(jours, etat, titre):
    assert offre(titre, ECHEANCE + timedelta(days=jours)).etat == etat


def test_une_facture_fermee_dit_qui_appeler(titre, facture):
    apres = ECHEANCE + timedelta(days=31)
    assert offre(titre, apres).phrase == (
        "Le paiement en ligne est fermé\u00a0: il restait ouvert 30 jours après la date d'échéance. "
        "Pour payer autrement, appelez la trésorerie des Aix-d'Angillon au 02 48 64 40 72."
    )
    facture.regie.contact, facture.regie.telephone = "la régie de l'accueil de loisirs", "02 48 00 00 01"
    facture.regie.save()
    assert offre(facture, apres).phrase.endswith("appelez la régie de l'accueil de loisirs au 02 48 00 00 01.")


def test_un_titre_se_paie_des_que_la_tresorerie_l_a_pris_en_charge(famille_durand, comptable):
    facture = facture_essai(famille_durand, regie := titre_essai(**EN_LIGNE), "30.00")
    assert (offre(facture).etat, offre(facture).phrase) == (
        "attente",
        "Le paiement en ligne ouvrira dès que la trésorerie aura pris cette facture en charge.",
    )
    actions.prendre_en_role([facture], regie=regie, numero="7", exercice=2026, le=ECHEANCE, par=comptable)
    assert (offre(facture).etat, offre(facture).montant) == ("actif", 30)


@pytest.mark.parametrize(
    ("geste", "etat"),
    [
        (lambda f, par: actions.creer_avoir(f, motif="Erreur", par=par), "rien"),
        (lambda f, par: payer(f, "47.60"), "rien"),
        (lambda f, par: payer(f, "46.61"), "rien"),  # 0,99 € is less than PayFiP takes
        (lambda f, par: payer(f, "46.60"), "actif"),
        (lambda f, par: regler(f, payfip="AUCUN"), "absent"),
        (lambda f, par: regler(f, payfip="SAISIE"), "actif"),
        (lambda f, par: regler(f, payfip_jours=0), "actif"),
    ],
)
def test_ce_qui_ne_se_paie_pas_en_ligne_n_a_pas_de_lien(geste, etat, facture, comptable, claire):
    geste(facture, comptable)
    assert offre(facture).etat == etat
    if etat != "actif":
        with pytest.raises(ActionImpossible):
            paiements.commencer(facture, par=claire)
    assert TentativePaiement.objects.count() == 0


def payer(facture, montant):
    recu = {"moyen": "CHEQUE", "montant": Decimal(montant), "recu_le": date(2026, 11, 20), "par": None}
    actions.encaisser(facture.famille, regie=facture.regie, **recu)


def regler(facture, **colonnes):
    type(facture.regie).objects.filter(pk=facture.regie_id).update(**colonnes)


def test_un_brouillon_un_avoir_ou_une_somme_trop_grande_ne_se_paient_pas(famille_durand, regie, comptable):
    brouillon = facture_essai(famille_durand, regie, "20.00", emise=False, mois=date(2026, 11, 1))
    grande = facture_essai(famille_durand, regie, "10000.00")
    avoir = actions.creer_avoir(facture_essai(famille_durand, regie, "20.00"), motif="Erreur", par=comptable)
    assert [offre(f).etat for f in (brouillon, avoir, grande)] == ["rien", "rien", "ferme"]


# --- What leaves -------------------------------------------------------------------------------------------


def test_la_tentative_est_ecrite_avant_de_partir_et_dit_ce_qui_est_demande(facture, connecter, settings):
    settings.PAYFIP_MODE, settings.URL_PORTAIL = "reel", "https://famille.example"
    reponse = connecter("durand").post(f"/factures/{facture.uuid}/payer/", {"montant": "1", "numcli": "999999"})
    tentative = TentativePaiement.objects.get()
    assert (tentative.facture, tentative.issue, tentative.montant) == (facture, "INCONNU", Decimal("47.60"))
    adresse = urlsplit(reponse["Location"])
    assert f"{adresse.scheme}://{adresse.netloc}{adresse.path}" == "https://www.payfip.gouv.fr/tpa/paiement.web"
    assert dict(parse_qsl(adresse.query)) == {
        "numcli": "018110",
        "exer": "2026",
        "refdet": facture.reference,
        "objet": f"Facture 2026 {facture.numero:06d}",
        "montant": "4760",
        "mel": "claire.durand@famille.example",
        "urlcl": f"https://famille.example/paiement/avis/{tentative.jeton}/",
        "saisie": "A",
    }


def test_sans_adresse_e_mail_la_famille_lit_ce_qu_il_faut_faire(facture, connecter, claire):
    claire.courriel = ""
    claire.save()
    reponse = connecter("durand").post(f"/factures/{facture.uuid}/payer/")
    assert (reponse.status_code, "indiquez d&#x27;abord votre adresse" in reponse.content.decode()) == (422, True)
    assert TentativePaiement.objects.count() == 0


# --- What comes back, by redirection -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("resultat", "attendu", "moyen"),
    [
        ("P", ("payee", [("CARTE", Decimal("47.60"))], 0, 1), "CARTE"),
        ("V", ("payee", [("PRELEVEMENT", Decimal("47.60"))], 0, 1), "PRELEVEMENT"),
        ("R", ("a-payer", [], Decimal("47.60"), 0), "CARTE"),
        ("Z", ("a-payer", [], Decimal("47.60"), 0), "PRELEVEMENT"),
        ("A", ("a-payer", [], Decimal("47.60"), 0), ""),
    ],
)
def test_les_cinq_avis_de_payfip(resultat, attendu, moyen, facture, claire, client):
    Message.objects.all().delete()
    tentative = paiements.commencer(facture, par=claire)
    for _ in range(3):  # PayFiP may tell several times
        recevoir(client, tentative, avis(tentative, resultat))
    assert bilan(facture) == attendu
    tentative.refresh_from_db()
    assert (tentative.moyen, tentative.confirmee) == (moyen, False)
    assert list(TentativePaiement.objects.a_rapprocher()) == ([tentative] if resultat in "PV" else [])


@pytest.mark.parametrize(
    "change",
    [
        {"montant": "4761"},
        {"montant": "100"},
        {"montant": "-4760"},
        {"montant": "٤٧٦٠"},
        {"numcli": "018111"},
        {"refdet": "202600000099"},
        {"saisie": "T"},
        {"resultrans": "X"},
        {"dattrans": "99999999"},
        {"refdet": "Claire Durand"},
    ],
    ids=str,
)
def test_un_avis_qui_dit_autre_chose_ne_change_rien_et_se_note_sans_donnee(change, facture, claire, client, caplog):
    tentative = paiements.commencer(facture, par=claire)
    avant = bilan(facture)
    with caplog.at_level(logging.WARNING):
        recevoir(client, tentative, avis(tentative) | change)
    assert bilan(facture) == avant
    assert (TentativePaiement.objects.get().issue, len(caplog.records)) == ("INCONNU", 1)
    assert str(tentative.uuid) in caplog.text
    assert [mot for mot in ("claire", "Durand", tentative.jeton) if mot in caplog.text] == []


def texte(reponse):
    return " ".join(unescape(reponse.content.decode()).replace("\u00a0", " ").split())


def boutons(reponse):
    return re.findall(r'class="btn btn-(primary|secondary) btn-large"[^>]*>([^<]+)', texte(reponse))


def test_un_paiement_en_cours_se_suit_avant_de_se_refaire(facture, claire, connecter):
    parent, adresse = connecter("durand"), f"/factures/{facture.uuid}/"
    assert boutons(parent.get(adresse)) == [("primary", "Payer 47,60 €")]
    paiements.commencer(facture, par=claire)
    reponse = parent.get(adresse)
    assert boutons(reponse) == [("primary", "Voir où il en est"), ("secondary", "Payer de nouveau 47,60 €")]
    assert "Ne payez de nouveau que s'il a échoué : sinon, vous paieriez deux fois." in texte(reponse)


def test_un_avis_sans_tentative_a_la_meme_reponse(facture, claire, client):
    tentative = paiements.commencer(facture, par=claire)
    avant = bilan(facture)
    for geste in (
        lambda: client.post("/paiement/avis/inconnu/", avis(tentative)),
        lambda: client.get("/paiement/avis/inconnu/"),
        lambda: client.post(f"/paiement/avis/{tentative.jeton}/", {f"c{n}": "x" for n in range(1500)}),
        lambda: client.post(f"/paiement/avis/{tentative.jeton}/", b"\xff%zz=\x00", content_type="text/plain"),
        lambda: client.post(f"/paiement/avis/{tentative.jeton}/", {"montant": "4" * 9000}),
    ):
        assert (geste().status_code, geste().content) == (200, b"ok")
    assert bilan(facture) == avant


def test_un_avis_compte_en_get_et_dans_l_encodage_de_payfip(facture, claire, client, famille_durand, regie):
    autre = facture_essai(famille_durand, regie, "12.00", mois=date(2026, 11, 1))
    premiere, seconde = (paiements.commencer(f, par=claire) for f in (facture, autre))
    client.get(reverse("avis_payfip", args=[premiere.jeton]), avis(premiere))
    corps = "&".join(f"{nom}={valeur}" for nom, valeur in avis(seconde).items())
    latin = "application/x-www-form-urlencoded; charset=ISO-8859-1"
    client.post(reverse("avis_payfip", args=[seconde.jeton]), corps, content_type=latin)
    assert (dit(facture), dit(autre)) == ("payee", "payee")


def test_en_production_un_paiement_d_essai_ne_credite_rien(facture, claire, client, settings, connecter):
    for saisie in ("T", "X"):
        regler(facture, payfip_saisie=saisie)
        tentative = paiements.commencer(facture, par=claire)
        settings.PAYFIP_MODE = "reel"
        recevoir(client, tentative, avis(tentative))
        settings.PAYFIP_MODE = "simulateur"
    assert (dit(facture), Reglement.objects.count()) == ("a-payer", 0)
    assert not TentativePaiement.objects.a_rapprocher().exists()
    assert ce_que_dit_la_page(connecter("durand"), tentative) == "ESSAI"


def test_un_refus_ne_defait_pas_un_paiement_et_un_paiement_suit_un_refus(facture, claire, client):
    tentative = paiements.commencer(facture, par=claire)
    for resultat, etat in (("A", "a-payer"), ("R", "a-payer"), *((lettre, "payee") for lettre in "PRAP")):
        recevoir(client, tentative, avis(tentative, resultat))
        assert dit(facture) == etat
    assert Reglement.objects.count() == 1


def test_un_avis_en_retard_de_deux_jours_paie_quand_meme(facture, claire, client, horloge):
    tentative = paiements.commencer(facture, par=claire)
    horloge("2026-11-25T10:00")
    passer()
    assert TentativePaiement.objects.get().issue == "PERIME"
    recevoir(client, tentative, avis(tentative))
    assert (dit(facture), Reglement.objects.get().recu_le) == ("payee", date(2026, 11, 23))


def test_payer_deux_fois_la_meme_facture_reste_au_credit_et_se_dit(facture, claire, comptes, client):
    Message.objects.all().delete()
    tentatives = [paiements.commencer(facture, par=comptes[nom]) for nom in ("durand", "durand2")]
    for tentative in tentatives:
        recevoir(client, tentative, avis(tentative))
    deux = [("CARTE", Decimal("47.60"))] * 2
    assert bilan(facture) == ("payee", deux, Decimal("-47.60"), 2)
    corps = Message.objects.latest("pk").corps
    assert "ce qui est en trop reste à votre crédit" in corps
    assert "Conservez le ticket de paiement" in corps


def test_le_paiement_recu_se_dit_a_la_famille_et_le_courriel_n_a_pas_de_montant(facture, claire, client):
    Courriel.objects.all().delete()
    tentative = paiements.commencer(facture, par=claire)
    recevoir(client, tentative, avis(tentative))
    message = Message.objects.latest("pk")
    assert message.fil.sujet == f"Paiement reçu\u00a0: facture {facture.numero_complet}"
    assert "Votre paiement de 47,60\u00a0€ pour la facture" in message.corps
    assert message.lien == f"/paiement/{tentative.uuid}/"
    assert Courriel.objects.count() == 2
    assert [c.pk for c in Courriel.objects.order_by("pk") if "47,60" in c.corps + c.objet] == []


def test_un_titre_paye_est_annonce_et_le_compte_ne_bouge_pas(titre, claire, client):
    ecritures = Ecriture.objects.count()
    tentative = paiements.commencer(titre, par=claire)
    for _ in range(2):
        recevoir(client, tentative, avis(tentative))
    assert (dit(titre), offre(titre).etat) == ("annoncee", "annonce")
    assert (Ecriture.objects.count(), Reglement.objects.count()) == (ecritures, 0)
    assert Message.objects.latest("pk").corps.startswith(
        f"Bonjour,\n\nPayFiP nous annonce votre paiement de 30,00\u00a0€ pour la facture {titre.numero_complet}."
    )


def test_un_avis_ne_rouvre_pas_un_titre_que_la_tresorerie_dit_paye(titre, claire, client, comptable):
    tentative = paiements.commencer(titre, par=claire)
    paye = {"etat": "PAYE", "paye": Decimal("30.00"), "le": date(2026, 11, 20), "par": comptable}
    actions.marquer_article(Article.objects.get(), **paye)
    recevoir(client, tentative, avis(tentative))
    assert dit(titre) == "titre-paye"
    assert "qui était déjà payée ou annulée" in Message.objects.latest("pk").corps


# --- The web service ---------------------------------------------------------------------------------------


@pytest.fixture
def par_service(facture, claire):
    """An attempt of the web service whose family is on PayFiP's page."""
    regler(facture, payfip="SERVICE")
    tentative = paiements.commencer(facture, par=claire)
    adresse = paiements.partir(tentative)
    assert adresse == f"/demo/payfip/paiementws.web?idop={tentative.operation}"
    return tentative


def faire(resultat, tentative):
    """The family pays, or not, on PayFiP's page."""
    assert simulateur.conclure(simulateur.operation_de(tentative.operation), resultat)


def test_un_avis_du_service_web_ne_vaut_rien_par_lui_meme(par_service, facture, client):
    recevoir(client, par_service, avis_direct(par_service))
    recevoir(client, par_service, {"idop": par_service.operation})
    assert (dit(facture), TentativePaiement.objects.get().issue) == ("a-payer", "INCONNU")


def avis_direct(tentative):
    return avis(tentative) | {"idop": "un autre"}


@pytest.mark.parametrize("resultat", ["P", "R", "A"])
def test_un_avis_du_service_web_fait_demander_le_resultat_qui_est_confirme(resultat, par_service, facture, client):
    faire(resultat, par_service)
    for _ in range(2):
        recevoir(client, par_service, {"idop": par_service.operation})
    tentative = TentativePaiement.objects.get()
    assert (dit(facture), tentative.confirmee) == (("payee", True) if resultat == "P" else ("a-payer", False))
    assert not TentativePaiement.objects.a_rapprocher().exists()


def test_sans_avis_l_horloge_demande_toutes_les_cinq_minutes_pendant_un_jour(
    par_service, facture, horloge, monkeypatch
):
    demandes, resultat = [], payfip.resultat
    monkeypatch.setattr(payfip, "resultat", lambda *a, **o: demandes.append(a) or resultat(*a, **o))
    for heure in ("10:01", "10:02", "10:06", "10:07"):
        horloge(f"2026-11-23T{heure}")
        passer()
    assert (len(demandes), dit(facture)) == (2, "a-payer")
    faire("P", par_service)
    horloge("2026-11-23T10:12")
    passer()
    assert (len(demandes), dit(facture)) == (3, "payee")
    horloge("2026-11-23T10:30")
    passer()
    assert len(demandes) == 3


def test_dix_avis_d_affilee_ne_posent_qu_une_question_a_payfip(par_service, client, monkeypatch):
    demandes, resultat = [], payfip.resultat
    monkeypatch.setattr(payfip, "resultat", lambda *a, **o: demandes.append(a) or resultat(*a, **o))
    for _ in range(10):
        recevoir(client, par_service, {"idop": par_service.operation})
    assert len(demandes) == 1


@pytest.mark.parametrize(
    ("faute", "apres", "issue"),
    [
        ("P1", timedelta(minutes=6), "PERIME"),
        ("P4", timedelta(minutes=20), "PERIME"),
        ("P5", timedelta(minutes=20), "INCONNU"),
        ("P5", timedelta(hours=2, minutes=1), "PERIME"),
        ("T9", timedelta(hours=3), "INCONNU"),
        (None, timedelta(hours=3), "INCONNU"),
    ],
)
def test_ce_que_le_service_ne_sait_pas(faute, apres, issue, par_service, monkeypatch):
    def appeler(message):
        if faute is None:
            raise PayFipIndisponible("timeout")
        return simulation.faute(faute, "Essai")

    monkeypatch.setattr(payfip, "_appeler", appeler)
    instant = timezone.now() + apres
    monkeypatch.setattr("django.utils.timezone.now", lambda: instant)
    paiements.interroger()
    assert TentativePaiement.objects.get().issue == issue


def test_un_resultat_du_service_sur_un_autre_montant_ne_credite_rien(par_service, facture, client):
    operation = OperationSimulee.objects.get()
    operation.champs["montant"] = "100"
    operation.save()
    faire("P", par_service)
    recevoir(client, par_service, {"idop": par_service.operation})
    assert (dit(facture), Reglement.objects.count()) == ("a-payer", 0)


def test_payfip_en_panne_ne_retient_personne(facture, connecter, monkeypatch):
    regler(facture, payfip="SERVICE")

    def en_panne(message):
        raise PayFipIndisponible("timeout")

    monkeypatch.setattr(payfip, "_appeler", en_panne)
    reponse = connecter("durand").post(f"/factures/{facture.uuid}/payer/")
    assert (reponse.status_code, TentativePaiement.objects.get().issue) == (422, "PERIME")
    assert "PayFiP ne répond pas pour le moment, rien n&#x27;est débité." in reponse.content.decode()
    assert offre(facture).etat == "actif"


# --- The régisseur -----------------------------------------------------------------------------------------


def ce_que_dit_la_page(navigateur, tentative):
    page = navigateur.get(f"/paiement/{tentative.uuid}/").content.decode()
    return re.search(r'data-paiement="(\w+)"', page)[1]


def test_un_prelevement_rejete_rend_la_facture_a_payer_et_un_vieil_avis_n_y_change_rien(
    facture, claire, client, comptable, connecter
):
    tentative = paiements.commencer(facture, par=claire)
    recevoir(client, tentative, avis(tentative, "V"))
    paiements.rejeter(tentative, motif="provision insuffisante", par=comptable)
    attendu = (dit(facture), sum(comptes.soldes(facture.famille).values()))
    assert attendu == ("a-payer", Decimal("47.60"))
    contre = Ecriture.objects.get(nature="ANNULATION")
    assert contre.libelle == "Annulation d'un règlement\u00a0: paiement PayFiP rejeté, provision insuffisante"
    assert "rejeté par la banque\u00a0: provision insuffisante." in Message.objects.latest("pk").corps
    recevoir(client, tentative, avis(tentative, "V"))
    with pytest.raises(ActionImpossible, match="déjà annulé"):
        paiements.rejeter(tentative, motif="encore", par=comptable)
    assert (dit(facture), Reglement.objects.count()) == ("a-payer", 1)
    assert ce_que_dit_la_page(connecter("durand2"), tentative) == "REJETE"


def test_un_titre_annonce_puis_rejete_est_de_nouveau_a_payer(titre, claire, client, comptable, connecter):
    tentative = paiements.commencer(titre, par=claire)
    recevoir(client, tentative, avis(tentative, "V"))
    assert ce_que_dit_la_page(connecter("durand"), tentative) == "ANNONCE"
    paiements.rejeter(tentative, motif="compte clos", par=comptable)
    assert (dit(titre), ce_que_dit_la_page(connecter("durand"), tentative)) == ("titree", "REJETE")
    seconde = paiements.commencer(titre, par=claire)
    recevoir(client, seconde, avis(seconde))
    with pytest.raises(ActionImpossible, match="déjà saisi"):
        paiements.rejeter(tentative, motif="encore", par=comptable)
    assert dit(titre) == "annoncee", "le second paiement n'est pas le premier"


def test_l_argent_vu_sans_avis_se_constate_une_fois(facture, claire, comptable, client):
    tentative = paiements.commencer(facture, par=claire)
    paiements.constater(tentative, par=comptable)
    recevoir(client, tentative, avis(tentative))
    assert (dit(facture), Reglement.objects.count()) == ("payee", 1)
    assert not TentativePaiement.objects.a_rapprocher().exists()
    with pytest.raises(ActionImpossible, match="déjà enregistré"):
        paiements.constater(tentative, par=comptable)
