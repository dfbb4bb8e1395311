"""PayFiP on paper: what is sent, what is refused before it leaves, what the answers say."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from urllib.parse import parse_qsl, urlsplit
from xml.etree import ElementTree

import pytest

from facturation.regles import payfip
from facturation.regles.payfip import DemandeInvalide, Issue, Moyen, Paiement, ReponseIllisible, Resultat, Saisie
from tests.facturation.tarifs_essai import dec

BASE = "https://www.payfip.example/tpa"
CANTINE = Paiement(
    numcli="018110",
    exercice=2026,
    refdet="2026CA00000042",
    montant=dec("47,60"),
    courriel="claire@famille.example",
    saisie=Saisie.PRODUCTION,
    objet="Restauration d'octobre – Léa",
    retour="https://portail.example/paiements/retour/abc/",
)


def test_l_adresse_de_redirection_porte_chaque_parametre():
    adresse = urlsplit(payfip.adresse_de_redirection(BASE, CANTINE))
    assert (adresse.netloc, adresse.path) == ("www.payfip.example", "/tpa/paiement.web")
    assert parse_qsl(adresse.query, strict_parsing=True) == [
        ("numcli", "018110"),
        ("exer", "2026"),
        ("refdet", "2026CA00000042"),
        ("objet", "Restauration d octobre Lea"),
        ("montant", "4760"),
        ("mel", "claire@famille.example"),
        ("urlcl", "https://portail.example/paiements/retour/abc/"),
        ("saisie", "A"),
    ]


REFUS = [
    ({"numcli": "18110"}, "six chiffres"),
    ({"numcli": "0181100"}, "six chiffres"),
    ({"numcli": "01811O"}, "six chiffres"),
    ({"refdet": "12345"}, "6 à 30"),
    ({"refdet": "2026-CA-42"}, "6 à 30"),
    ({"refdet": "A" * 31}, "6 à 30"),
    ({"refdet": "2026é00042"}, "6 à 30"),
    ({"montant": dec("0,99")}, "1,00 à 9"),
    ({"montant": dec("10000")}, "1,00 à 9"),
    ({"montant": dec("-5")}, "1,00 à 9"),
    ({"montant": dec("5,005")}, "centimes"),
    ({"courriel": ""}, "e-mail"),
    ({"courriel": "a@b.c"}, "e-mail"),
    ({"courriel": "claire"}, "e-mail"),
    ({"courriel": "c" * 70 + "@famille.example"}, "e-mail"),
    ({"exercice": 26}, "quatre chiffres"),
    ({"retour": "https://portail.example/" + "a" * 250}, "trop longue"),
]


@pytest.mark.parametrize(("change", "phrase"), REFUS)
def test_ce_que_payfip_refuserait_ne_part_pas(change, phrase):
    for partir in (lambda p: payfip.adresse_de_redirection(BASE, p), payfip.creer_operation):
        with pytest.raises(DemandeInvalide, match=phrase):
            partir(replace(CANTINE, **change))


@pytest.mark.parametrize(
    ("euros", "centimes"), [("1", "100"), ("1,05", "105"), ("9999,99", "999999"), ("47,6", "4760")]
)
def test_le_montant_voyage_en_centimes(euros, centimes):
    assert payfip.centimes(dec(euros)) == centimes
    payfip.adresse_de_redirection(BASE, replace(CANTINE, montant=dec(euros)))


@pytest.mark.parametrize(
    ("texte", "objet"),
    [("", ""), ("Cantine", "Cantine"), ("  L'été à l'ALSH !", "L ete a l ALSH"), ("é" * 120, "e" * 99), ("<b>&", "b")],
)
def test_l_objet_n_a_ni_accent_ni_signe(texte, objet):
    assert payfip.objet(texte) == objet


@pytest.mark.parametrize(("jours", "payable"), [(-1, True), (0, True), (29, True), (30, True), (31, False)])
def test_le_lien_est_actif_trente_jours_apres_l_echeance(jours, payable):
    assert payfip.est_payable(date(2026, 11, 30), date(2026, 11, 30) + timedelta(days=jours)) is payable


# --- Notices ---------------------------------------------------------------------------------------------

NOTIFIE = {
    "numcli": "018110",
    "exer": "20",  # cut, as the tests of the DGFiP send it
    "refdet": "2026CA00000042",
    "objet": "Restauration d octobre Lea",
    "montant": "4760",
    "mel": "claire@famille.example",
    "saisie": "A",
    "resultrans": "P",
    "numauto": "112233445566-tip",
    "dattrans": "02112026",
    "heurtrans": "1905",
}


def test_une_notification_se_lit():
    resultat = payfip.lire_notification(NOTIFIE)
    assert resultat == Resultat(
        "018110",
        "2026CA00000042",
        dec("47,60"),
        "A",
        Issue.PAYE,
        Moyen.CARTE,
        "112233445566-tip",
        datetime(2026, 11, 2, 18, 5, tzinfo=UTC),
        "Restauration d octobre Lea",
    )
    assert resultat.concerne(CANTINE)


@pytest.mark.parametrize(
    ("code", "issue", "moyen"),
    [
        ("P", "PAYE", "CARTE"),
        ("V", "PAYE", "PRELEVEMENT"),
        ("R", "REFUSE", "CARTE"),
        ("Z", "REFUSE", "PRELEVEMENT"),
        ("A", "ABANDONNE", None),
    ],
)
def test_les_cinq_resultats(code, issue, moyen):
    resultat = payfip.lire_notification({**NOTIFIE, "resultrans": code})
    assert (resultat.issue, resultat.moyen) == (issue, moyen)


@pytest.mark.parametrize(
    "autre",
    [{"montant": "4761"}, {"montant": "100"}, {"numcli": "018111"}, {"refdet": "2026CA00000043"}, {"saisie": "T"}],
)
def test_une_notification_qui_dit_autre_chose_n_est_pas_la_notre(autre):
    assert not payfip.lire_notification({**NOTIFIE, **autre}).concerne(CANTINE)


def test_un_abandon_n_a_ni_heure_ni_autorisation():
    abandon = {cle: valeur for cle, valeur in NOTIFIE.items() if cle not in ("numauto", "dattrans", "heurtrans")}
    resultat = payfip.lire_notification({**abandon, "resultrans": "A"})
    assert (resultat.le, resultat.autorisation, resultat.issue) == (None, "", Issue.ABANDONNE)


@pytest.mark.parametrize(
    "autre",
    [
        {"resultrans": "X"},
        {"resultrans": ""},
        {"montant": "47,60"},
        {"montant": "-4760"},
        {"montant": ""},
        {"montant": "9" * 10},
        {"dattrans": "31022026"},
        {"dattrans": "demain"},
        {"heurtrans": "9999"},
    ],
)
def test_une_notification_illisible_est_refusee(autre):
    with pytest.raises(ReponseIllisible):
        payfip.lire_notification({**NOTIFIE, **autre})


@pytest.mark.parametrize("nom", ["numcli", "refdet", "montant", "saisie", "resultrans"])
def test_une_notification_incomplete_est_refusee(nom):
    with pytest.raises(ReponseIllisible):
        payfip.lire_notification({cle: valeur for cle, valeur in NOTIFIE.items() if cle != nom})


# --- The web service -------------------------------------------------------------------------------------

SOAP = '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>{}</s:Body></s:Envelope>'
REPONSE = '<n:r xmlns:n="http://securite.service.tpa.cp.finances.gouv.fr/reponse"><return>{}</return></n:r>'
FAUTE = (
    "<s:Fault><faultcode>s:Server</faultcode><faultstring>FonctionnelleErreur</faultstring><detail>"
    '<n:FonctionnelleErreur xmlns:n="x"><code>{}</code><libelle>{}</libelle><severite>2</severite>'
    "</n:FonctionnelleErreur></detail></s:Fault>"
)
MIDI = datetime(2026, 11, 2, 11, tzinfo=UTC)


def recu(gabarit, *valeurs):
    return SOAP.format(gabarit.format(*valeurs)).encode()


def detail(**champs):
    return recu(REPONSE, "".join(f"<{nom}>{valeur}</{nom}>" for nom, valeur in champs.items()))


def resultat(reponse, apres=timedelta()):
    return payfip.lire_resultat(reponse, demandee_le=MIDI, maintenant=MIDI + apres)


def test_creer_une_operation_dans_l_ordre_du_contrat():
    service = replace(CANTINE, saisie=Saisie.SERVICE, suite="https://portail.example/suite/")
    corps = ElementTree.fromstring(payfip.creer_operation(service)).find(f"{{{payfip.ENVELOPPE}}}Body")  # noqa: S314 ours
    (operation,) = corps
    (argument,) = operation
    assert (operation.tag, argument.tag) == (f"{{{payfip.ESPACE}}}creerPaiementSecurise", "arg0")
    assert [(element.tag, element.text) for element in argument] == [
        ("exer", "2026"),
        ("mel", "claire@famille.example"),
        ("montant", "4760"),
        ("numcli", "018110"),
        ("objet", "Restauration d octobre Lea"),
        ("refdet", "2026CA00000042"),
        ("saisie", "W"),
        ("urlnotif", "https://portail.example/paiements/retour/abc/"),
        ("urlredirect", "https://portail.example/suite/"),
    ]


def test_ce_qui_est_ecrit_reste_du_texte():
    envoye = payfip.demander_resultat("<x/>&]]>")
    assert ElementTree.fromstring(envoye).find(".//idOp").text == "<x/>&]]>"  # noqa: S314 ours


def test_l_operation_creee_a_son_adresse():
    operation = payfip.lire_operation(detail(idOp="3f2a-11"))
    assert payfip.adresse_de_l_operation(BASE, operation) == f"{BASE}/paiementws.web?idop=3f2a-11"


def test_un_refus_de_payfip_est_dit():
    with pytest.raises(DemandeInvalide, match=r"\(R3\).*REFDET"):
        payfip.lire_operation(recu(FAUTE, "R3", "Le format du paramètre REFDET n'est pas conforme"))


def test_le_detail_d_un_paiement_se_lit_comme_une_notification():
    assert resultat(detail(idOp="3f2a-11", **NOTIFIE)) == payfip.lire_notification(NOTIFIE)


@pytest.mark.parametrize(
    ("code", "apres", "issue"),
    [
        ("P1", 0, Issue.PERIME),
        ("P4", 0, Issue.PERIME),
        ("P5", 0, Issue.INCONNU),
        ("P5", 120, Issue.INCONNU),
        ("P5", 121, Issue.PERIME),
    ],
)
def test_une_operation_sans_resultat(code, apres, issue):
    assert resultat(recu(FAUTE, code, "…"), timedelta(minutes=apres)) == issue


@pytest.mark.parametrize(
    "reponse",
    [
        b"",
        b"<html>Indisponible</html>",
        b"pas du XML",
        SOAP.format("").encode(),
        recu(FAUTE, "T1", "Client inconnu"),
        recu(REPONSE, ""),
        b'<!DOCTYPE a [<!ENTITY b "c">]>' + detail(**NOTIFIE),
        detail(**{**NOTIFIE, "resultrans": "?"}),
    ],
)
def test_une_reponse_illisible_ne_dit_ni_paye_ni_refuse(reponse):
    with pytest.raises(ReponseIllisible):
        resultat(reponse)


def test_le_montant_est_un_decimal_exact():
    assert isinstance(payfip.lire_notification(NOTIFIE).montant, Decimal)
