"""« Nouvelle facture »: each household is told once, whatever happens to the worker, by a mail that tells nothing."""

import threading
from datetime import date

import pytest
from django.db import connection

from facturation import actions, avis
from facturation.models import AvisFacture
from familles.models import Famille
from messagerie.courriels import choisir
from messagerie.models import Courriel, Fil, Message
from portail.echeances import passer
from tests.facturation.essai import facture_essai, regie_essai, titre_essai

pytestmark = pytest.mark.django_db
FOYERS = ("benali", "durand", "martin", "rossi")


@pytest.fixture
def regie(distribution, horloge):
    horloge("2026-11-23T10:00")
    Fil.objects.all().delete()
    Courriel.objects.all().delete()
    return regie_essai()


@pytest.fixture
def emettre(regie, familles_de):
    """``emettre("durand")``: an issued invoice of this household, of which it is to be told."""

    def emettre(qui, montant="40.80", **autres):
        facture = facture_essai(familles_de(qui), autres.pop("regie", regie), montant, **autres)
        AvisFacture.objects.create(facture=facture)
        return facture

    return emettre


def lus():
    """(household, subject) of what was written."""
    return sorted((fil.famille.nom, fil.sujet.replace("\u00a0", " ")) for fil in Fil.objects.order_by("pk"))


def test_la_famille_lit_sa_facture_et_le_courriel_n_en_dit_rien(emettre, connecter):
    facture = emettre("durand")
    emettre("durand", "54.40", regie=titre_essai(), mois=date(2026, 9, 1))
    assert (avis.envoyer_avis(), avis.envoyer_avis()) == (2, 0)
    assert lus() == [
        ("Durand", "Facture d'octobre 2026 : Accueil de loisirs"),
        ("Durand", "Facture de septembre 2026 : Restauration scolaire"),
    ]
    message = Message.objects.get(fil__contexte=f"facture/{facture.uuid}")
    assert (message.corps.replace("\u00a0", " "), message.lien, message.fil.service.code) == (
        "Bonjour,\n\nVotre facture 2026-000001 d'octobre 2026 (Accueil de loisirs) est disponible : 40,80 €, "
        "à régler avant le 2 décembre 2026.\n\nElle montre chaque jour facturé, et comment la régler.",
        f"/factures/{facture.uuid}/",
        "comptabilite",
    )
    assert "à régler à la trésorerie avant le 2 décembre 2026" in Message.objects.latest("pk").corps
    courriels = Courriel.objects.order_by("destinataire")
    assert [c.destinataire for c in courriels] == ["claire.durand@famille.example", "julien.durand@famille.example"]
    assert {c.objet for c in courriels} == {"Saint-Martin-d'Auxigny : une nouvelle facture vous attend"}
    textes = "".join(c.corps + c.corps_html for c in courriels)
    assert [mot for mot in ("40,80", "Durand", "Accueil de loisirs", str(facture.uuid)) if mot in textes] == []
    assert (
        f'href="/factures/{facture.uuid}/"' in connecter("durand2").get(message.fil.get_absolute_url()).content.decode()
    )


def test_chacun_est_prevenu_comme_il_l_a_choisi(emettre, comptes):
    choisir(comptes["durand"].adulte, "AUCUN")
    choisir(comptes["martin"].adulte, "QUOTIDIEN")
    for qui in ("durand", "martin"):
        emettre(qui)
    avis.envoyer_avis()
    assert [nom for nom, _ in lus()] == ["Durand", "Martin"]
    assert list(Courriel.objects.values_list("destinataire", flat=True)) == ["julien.durand@famille.example"]


def test_l_avoir_se_dit_aussi_avec_sa_raison_et_un_brouillon_jamais(emettre, regie, comptes, familles_de):
    facture = emettre("durand")
    brouillon = facture_essai(familles_de("martin"), regie, emise=False)
    AvisFacture.objects.create(facture=brouillon)
    avis.envoyer_avis()
    Courriel.objects.all().delete()
    actions.creer_avoir(facture, motif="Repas comptés deux fois", par=comptes["comptable"])
    passer()
    assert lus()[0] == ("Durand", "Avoir sur la facture d'octobre 2026 : Accueil de loisirs")
    assert Message.objects.latest("pk").corps.replace("\u00a0", " ") == (
        "Bonjour,\n\nVotre facture 2026-000001 d'octobre 2026 (Accueil de loisirs) est annulée par l'avoir "
        "2026-000002 de 40,80 €.\n\nRaison : Repas comptés deux fois"
    )
    recus = Courriel.objects.filter(destinataire__endswith="@famille.example").values_list("objet", flat=True)
    assert set(recus) == {"Saint-Martin-d'Auxigny : un avoir sur une de vos factures"}
    assert {nom for nom, _ in lus()} == {"Durand"}


def test_un_ouvrier_tue_au_milieu_n_ecrit_ni_deux_fois_ni_zero(emettre, monkeypatch):
    monkeypatch.setattr(avis, "LOT", 2)
    for qui in FOYERS:
        emettre(qui)
    remettre, lots = avis.diffuser, []

    def mourir_au_second(*args, **kwargs):
        lots.append(remettre(*args, **kwargs))  # all is written when it dies, and nothing is kept
        if len(lots) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(avis, "diffuser", mourir_au_second)
    with pytest.raises(KeyboardInterrupt):
        avis.envoyer_avis()
    assert (Fil.objects.count(), AvisFacture.objects.filter(envoye_le=None).count()) == (2, 2)
    monkeypatch.setattr(avis, "diffuser", remettre)
    assert avis.envoyer_avis() == 2
    assert [nom.lower() for nom, _ in lus()] == sorted(FOYERS)


def test_un_lot_ne_coute_pas_plus_pour_cinquante_foyers(regie, django_assert_max_num_queries):
    for rang in range(50):
        facture = facture_essai(Famille.objects.create(nom=f"Foyer {rang}"), regie, "10.00")
        AvisFacture.objects.create(facture=facture)
    with django_assert_max_num_queries(14):
        assert avis.envoyer_avis() == 50
    assert Fil.objects.count() == 50


@pytest.mark.django_db(transaction=True)
def test_deux_ouvriers_se_partagent_les_avis(emettre, monkeypatch):
    monkeypatch.setattr(avis, "LOT", 2)
    for qui in FOYERS:
        emettre(qui)
    ensemble, bilans, premiers = threading.Barrier(2, timeout=30), [], set()
    remettre = avis.diffuser

    def ensemble_la_premiere_fois(*args, **kwargs):
        if threading.get_ident() not in premiers:
            premiers.add(threading.get_ident())
            ensemble.wait()
        return remettre(*args, **kwargs)

    def ouvrier():
        try:
            bilans.append(avis.envoyer_avis())
        finally:
            connection.close()

    monkeypatch.setattr(avis, "diffuser", ensemble_la_premiere_fois)
    ouvriers = [threading.Thread(target=ouvrier) for _ in range(2)]
    for fil in ouvriers:
        fil.start()
    for fil in ouvriers:
        fil.join()
    assert bilans == [2, 2]
    assert [nom.lower() for nom, _ in lus()] == sorted(FOYERS)
    assert not AvisFacture.objects.filter(envoye_le=None).exists()
