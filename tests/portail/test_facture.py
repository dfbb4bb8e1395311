"""An invoice as a page: what it tells, who opens it, and « Contester ce jour »."""

from datetime import date
from decimal import Decimal
from html import unescape

import pytest

from enfants.actions import separer
from enfants.models import Enfant, SuspensionAcces
from facturation import actions
from facturation.avis import envoyer_avis
from facturation.models import AvisFacture
from messagerie.models import Fil, Message
from tests.facturation.essai import facture_essai, regie_essai, titre_essai

pytestmark = pytest.mark.django_db


def texte(reponse):
    return " ".join(unescape(reponse.content.decode()).replace("\u00a0", " ").split())


def simple(valeurs):
    return [valeur.replace("\u00a0", " ") for valeur in valeurs]


@pytest.fixture
def regie(distribution, horloge):
    horloge("2026-11-23T10:00")
    return regie_essai(moyens_acceptes=["CHEQUE", "CESU"], moyens="À l'accueil de la mairie, le matin.")


@pytest.fixture
def lea(distribution):
    return Enfant.objects.get(prenom="Léa")


@pytest.fixture
def facture(famille_durand, regie, lea):
    return facture_essai(famille_durand, regie, "48.00", "-8.00", enfant=lea)


def contester(facture, rang=0, jour="2026-10-05"):
    ligne = facture.lignes.order_by("rang")[rang]
    return f"/messagerie/nouveau/?facture={facture.uuid}&ligne={ligne.pk}&jour={jour}"


# --- What it tells ---------------------------------------------------------------------------------------


def test_la_facture_dit_chaque_ligne_chaque_jour_et_comment_regler(connecter, facture, famille_durand, regie, comptes):
    reglement = {"moyen": "CHEQUE", "montant": Decimal("15.00"), "recu_le": date(2026, 11, 10), "par": None}
    actions.encaisser(famille_durand, regie=regie, **reglement)
    reponse = connecter("durand2").get(f"/factures/{facture.uuid}/")
    (partie,) = reponse.context["parties"]
    assert [partie.titre, *simple([partie.total])] == ["Léa", "40,00 €"]
    assert [simple(ligne[1:5]) for ligne in partie.lignes] == [
        ["Accueil de loisirs, 1 jour à 48.00 € (tarif unique)", "", "1 × 48,00 €", "48,00 €"],
        ["Accueil de loisirs, 1 jour à -8.00 € (tarif unique)", "", "1 × -8,00 €", "-8,00 €"],
    ]
    assert [tuple(jour) for jour in partie.lignes[0].jours] == [
        ("2026-10-05", "lundi 5 octobre 2026", "Réservé le 2 septembre, présent.", contester(facture))
    ]
    vue = texte(reponse)
    attendus = [
        f'data-facture="{facture.uuid}" data-etat="en-partie"',
        "<dt>À régler avant le</dt><dd>2 décembre 2026</dd>",
        "<dt>Réglé le 10/11/2026</dt><dd>15,00 €, chèque</dd>",
        "<strong>25,00 €</strong>",
        "Moyens acceptés : chèque, CESU.",
        "<p>À l'accueil de la mairie, le matin.</p>",
        f'href="/factures/{facture.uuid}/facture.pdf"',
    ]
    assert [attendu for attendu in attendus if attendu not in vue] == []
    assert "trésorerie" not in vue


def test_un_titre_renvoie_a_la_tresorerie(connecter, famille_durand, regie, comptes):
    titre = titre_essai()
    facture = facture_essai(famille_durand, titre, "54.40")
    role = {"exercice": 2026, "le": date(2026, 11, 12), "par": comptes["comptable"]}
    actions.prendre_en_role([facture], regie=titre, numero="7", **role)
    actions.marquer_article(facture.article, etat="A_PAYER", paye=Decimal("4.40"), le=date(2026, 11, 20), par=None)
    vue = texte(connecter("durand").get(f"/factures/{facture.uuid}/"))
    attendus = ['data-etat="titree"', "La commune ne gère pas directement les encaissements : ", "02 48 64 40 72"]
    attendus.append("<dt>Payé à la trésorerie</dt><dd>4,40 € payés à la trésorerie</dd>")
    assert [attendu for attendu in attendus if attendu not in vue] == []


def test_l_avoir_et_la_facture_qu_il_annule_menent_l_un_a_l_autre(connecter, facture, comptes):
    avoir = actions.creer_avoir(facture, motif="Repas comptés deux fois", par=comptes["comptable"])
    pages = {f.pk: texte(connecter("durand").get(f"/factures/{f.uuid}/")) for f in (facture, avoir)}
    assert f'<a href="/factures/{avoir.uuid}/">Avoir 2026-000002</a>' in pages[facture.pk]
    assert f'<a href="/factures/{facture.uuid}/">Facture 2026-000001</a>' in pages[avoir.pk]
    assert "<dt>Raison</dt><dd>Repas comptés deux fois</dd>" in pages[avoir.pk]
    assert not any("Contester ce jour" in page or "Moyens acceptés" in page for page in pages.values())


# --- Who opens it ----------------------------------------------------------------------------------------


def test_seul_le_foyer_ouvre_sa_facture_et_jamais_un_brouillon(connecter, facture, famille_durand, regie):
    brouillon = facture_essai(famille_durand, regie, emise=False)
    obtenus = {
        qui: tuple(connecter(qui).get(f"/factures/{f.uuid}/").status_code for f in (facture, brouillon))
        for qui in ("durand", "durand2", "martin", "benali", "agent", "comptable", "admin")
    }
    ferme = (404, 404)
    assert obtenus == {"durand": (200, 404), "durand2": (200, 404)} | dict.fromkeys(
        ("martin", "benali", "agent", "comptable", "admin"), ferme
    )


def test_en_garde_alternee_chaque_foyer_n_ouvre_que_la_sienne(connecter, familles_de, regie):
    ines = Enfant.objects.get(prenom="Inès")
    adresses = [f"/factures/{facture_essai(familles_de(f), regie, enfant=ines).uuid}/" for f in ("benali", "rossi")]
    obtenus = [[connecter(qui).get(adresse).status_code for adresse in adresses] for qui in ("benali", "rossi")]
    assert obtenus == [[200, 404], [404, 200]]


def test_apres_une_separation_chacun_ouvre_les_factures_d_avant(connecter, famille_durand, regie, comptes):
    dates = {"avant": date(2026, 10, 31), "le jour même": date(2026, 11, 1), "après": date(2026, 11, 2)}
    factures = {
        quand: facture_essai(famille_durand, regie, mois=date(2026, rang, 1), emise_le=le)
        for rang, (quand, le) in enumerate(dates.items(), 1)
    }
    reglement = {"moyen": "CHEQUE", "montant": Decimal("10.00"), "recu_le": date(2026, 11, 20), "par": None}
    actions.encaisser(famille_durand, regie=regie, **reglement)
    separer(comptes["durand2"].adulte, le=date(2026, 11, 1), adresse={"ville": "Bourges"}, enfants={})
    obtenus = {
        qui: {quand: connecter(qui).get(f"/factures/{f.uuid}/").status_code for quand, f in factures.items()}
        for qui in ("durand", "durand2")
    }
    assert obtenus == {
        "durand": {"avant": 200, "le jour même": 200, "après": 200},
        "durand2": {"avant": 200, "le jour même": 404, "après": 404},
    }
    avant = f"/factures/{factures['avant'].uuid}/"
    vues = ["Réglé le 20/11/2026" in texte(connecter(qui).get(avant)) for qui in ("durand", "durand2")]
    assert vues == [True, False], "ce que l'autre foyer a payé ensuite ne regarde que lui"


def test_de_l_enfant_qu_il_ne_peut_plus_voir_un_adulte_lit_les_montants_seuls(connecter, facture, lea, comptes):
    SuspensionAcces.objects.create(enfant=lea, adulte=comptes["durand2"].adulte, motif="Jugement")
    vues = {qui: texte(connecter(qui).get(f"/factures/{facture.uuid}/")) for qui in ("durand", "durand2")}
    assert {qui: ("Léa" in v, "Réservé le 2 septembre" in v, "48,00 €" in v) for qui, v in vues.items()} == {
        "durand": (True, True, True),
        "durand2": (False, False, True),
    }
    assert connecter("durand2").get(contester(facture)).status_code == 404


# --- Contester -------------------------------------------------------------------------------------------


def test_contester_un_jour_ecrit_a_la_comptabilite_dans_l_echange_de_la_facture(connecter, facture):
    Fil.objects.all().delete()
    AvisFacture.objects.create(facture=facture)
    envoyer_avis()
    navigateur, adresse = connecter("durand"), contester(facture)
    page = navigateur.get(adresse)
    form = page.context["form"]
    assert simple([form["sujet"].value(), form["corps"].value(), str(form.initial["service"])]) == [
        "Facture 2026-000001 : je conteste le lundi 5 octobre 2026",
        "Bonjour,\n\nSur la facture 2026-000001, je conteste le lundi 5 octobre 2026 (Léa, Accueil de loisirs, "
        "1 jour à 48.00 € (tarif unique)).\nLa facture dit : « Réservé le 2 septembre, présent. »\n\n"
        "Voici pourquoi :\n",
        "Service Comptabilité",
    ]
    saisie = {"service": form["service"].value(), "sujet": form["sujet"].value(), "corps": "Il était malade."}
    reponse = navigateur.post(adresse, saisie)
    fil = Fil.objects.get()
    assert (reponse.url, fil.contexte, fil.contexte_libelle) == (
        fil.get_absolute_url(),
        f"facture/{facture.uuid}",
        "Facture 2026-000001",
    )
    assert [m.corps for m in fil.messages.order_by("pk")][1:] == ["Il était malade."]
    question = navigateur.get(f"/messagerie/nouveau/?facture={facture.uuid}")
    assert question.url == f"{fil.get_absolute_url()}#repondre"


def test_on_ne_conteste_que_le_jour_d_une_ligne_de_sa_facture(connecter, facture, familles_de, regie):
    autre = facture_essai(familles_de("martin"), regie, "30.00", mois=date(2026, 9, 1))
    assert connecter("martin").get(contester(autre, jour="2026-09-05")).status_code == 200
    croisee = contester(autre, jour="2026-09-05").replace(str(autre.uuid), str(facture.uuid))
    fausses = [contester(autre), croisee, contester(facture, jour="2026-10-06"), contester(facture, jour="x")]
    fausses += [f"/messagerie/nouveau/?facture={facture.uuid}&ligne={ligne}" for ligne in ("", "x", "9" * 30, "-1")]
    assert {connecter("durand").get(adresse).status_code for adresse in fausses} == {404}
    assert connecter("martin").get(contester(facture)).status_code == 404
    assert not Message.objects.filter(de_la_mairie=False, fil__contexte__startswith="facture/").exists()


def test_nous_contacter_garde_la_facture_en_tete(connecter, facture):
    navigateur = connecter("durand")
    assert navigateur.get(f"/factures/{facture.uuid}/").context["lien_contact"] == f"/contact/?facture={facture.uuid}"
    page = texte(navigateur.get(f"/contact/?facture={facture.uuid}"))
    assert f'<a href="/factures/{facture.uuid}/">Facture 2026-000001</a>' in page
    assert "Facture 2026-000001" not in texte(connecter("martin").get(f"/contact/?facture={facture.uuid}"))


def test_l_agent_lit_a_quelle_facture_se_rapporte_un_message(connecter, facture, lea, comptes):
    SuspensionAcces.objects.create(enfant=lea, adulte=comptes["durand2"].adulte, motif="Jugement")
    AvisFacture.objects.create(facture=facture)
    envoyer_avis()
    pour_tous = Fil.objects.get(contexte=f"facture/{facture.uuid}")
    navigateur = connecter("durand")
    form = navigateur.get(contester(facture)).context["form"]
    saisie = {"service": form["service"].value(), "sujet": "Erreur", "corps": "Il était malade."}
    assert navigateur.post(contester(facture), saisie).status_code == 302
    fil = Fil.objects.get(contexte=f"facture/{facture.uuid}", famille_le__isnull=False)
    assert fil.destinataire == comptes["durand"].adulte, "l'autre adulte ne peut plus voir l'enfant"
    page = texte(connecter("comptable").get(f"/admin/messagerie/fil/{fil.pk}/change/"))
    assert "À propos de : " in page
    assert ("Facture 2026-000001" in page, "est suspendu" in page) == (True, False)
    page = texte(connecter("comptable").get(f"/admin/messagerie/fil/{pour_tous.pk}/change/"))
    assert "Julien Durand lit cet échange, mais son accès à l'enfant concerné est suspendu." in page
