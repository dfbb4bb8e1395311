"""Grids in the admin: typed on one page without a script, read back, frozen by the invoices, duplicated from a day."""

from datetime import date
from html import unescape

import pytest
from django.contrib.messages import get_messages

from enfants.models import Enfant, Formule, Service
from facturation.grilles import dernier_jour_facture
from facturation.models import AideFamille, Facture, Grille, LigneFacture, Produit, Regie, TrancheTarif
from tests.facturation.grilles_essai import TARD, sans_tarifs, tarifer, voter
from tests.saisie_admin import saisie

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def rien_de_vote(distribution):
    sans_tarifs()


AJOUT = "/admin/facturation/grille/add/"


@pytest.fixture
def comptable(connecter):
    return connecter("comptable")


@pytest.fixture
def cantine(distribution):
    return Service.objects.get(code="restauration")


def page_de(grille, suite="change/"):
    return f"/admin/facturation/grille/{grille.pk}/{suite}"


def texte(reponse):
    return unescape(reponse.content.decode()).replace("\u00a0", " ")


def relue(grille):
    """(public, formule, how it is computed, price, brackets) of each price."""
    return [
        (t.public, t.formule and t.formule.nom, t.calcul, t.montant and str(t.montant), bornes(t))
        for t in grille.tarifs.order_by("pk")
    ]


def bornes(tarif):
    return [(t.au and int(t.au), str(t.montant)) for t in tarif.tranches.all()]


def erreurs(reponse):
    formulaires = [reponse.context["adminform"].form]
    for groupe in reponse.context["inline_admin_formsets"]:
        formulaires += groupe.formset.forms
    dites = [f for form in formulaires for fautes in form.errors.values() for f in fautes]
    dites += [f for groupe in reponse.context["inline_admin_formsets"] for f in groupe.formset.non_form_errors()]
    return [faute.replace("\u00a0", " ") for faute in dites]


def nouvelle(comptable, service, **tapees):
    champs = {"service": service.pk, "deliberation": "2026-42", "votee_le": "2026-06-12", "valable_du": "2026-09-01"}
    mots = {"mot": "repas", "mots": "repas"}
    return saisie(comptable.get(AJOUT), **champs | mots | tapees)


EXEMPLE = "400 : 1,20 / 800 : 2,30 / au-delà : 3,40"
CANTINE = {
    "tarifs__0__calcul": "TRANCHES",
    "tarifs__0__texte_tranches": EXEMPLE,
    "tarifs__1__public": "EXTERIEUR",
    "tarifs__1__supplement": "20",
    "majorations__0__cause": "RESERVE_TARD",
    "majorations__0__pourcent": "50",
}


def facturer(grille, famille, jours, emise=True):
    """An issued invoice with a line of this service for these days."""
    regie, _ = Regie.objects.get_or_create(code="essai", defaults={"nom": "Essai", "regime": "REGIE"})
    mois = date.fromisoformat(jours[0]).replace(day=1)
    facture = Facture.objects.create(famille=famille, regie=regie, mois=mois, exercice=2026)
    LigneFacture.objects.create(
        facture=facture,
        rang=0,
        genre="PRESTATION",
        service=grille.service,
        libelle="…",
        quantite=1,
        prix=1,
        montant=1,
        jours=[[jour, "présent"] for jour in jours],
    )
    if emise:
        Facture.objects.filter(pk=facture.pk).update(
            etat="EMISE", numero=facture.pk, emise_le="2026-12-01", echeance="2026-12-31"
        )


# --- Typed, read back ------------------------------------------------------------------------------------


def test_une_grille_se_saisit_sur_une_page_et_se_relit_en_francais(comptable, cantine):
    assert comptable.post(AJOUT, nouvelle(comptable, cantine, **CANTINE)).status_code == 302
    grille = Grille.objects.get()
    attendu = [
        ("NORMAL", None, "TRANCHES", None, [(400, "1.20"), (800, "2.30"), (None, "3.40")]),
        ("EXTERIEUR", None, "TRANCHES", None, []),
    ]
    assert relue(grille) == attendu
    page = comptable.get(page_de(grille))
    for phrase in [
        "Restauration scolaire, à partir du 1er septembre 2026, délibération 2026-42 du 12 juin 2026 :",
        "chaque repas coûte 1,20 € jusqu'au quotient 400, 2,30 € jusqu'à 800, 3,40 € au-delà et sans quotient ;",
        "hors commune : + 20 % ;",
        "réservé après le délai : + 50 %.",
    ]:
        assert phrase in texte(page)
    # Sent again as it is shown, nothing changes; a bracket typed over replaces all of them.
    cles = set(TrancheTarif.objects.values_list("pk", flat=True))
    assert comptable.post(page_de(grille), saisie(page)).status_code == 302
    assert (relue(grille), set(TrancheTarif.objects.values_list("pk", flat=True))) == (attendu, cles)
    tapee = saisie(page, tarifs__0__texte_tranches="500 : 2 / au-delà : 4")
    assert comptable.post(page_de(grille), tapee).status_code == 302
    assert relue(grille)[0][-1] == [(500, "2.00"), (None, "4.00")]


@pytest.mark.parametrize(
    ("tapees", "phrases"),
    [
        ({"tarifs__0__texte_tranches": "400 : 1"}, ["La dernière tranche est sans borne : « au-delà : 3,40 »."]),
        ({"tarifs__0__texte_tranches": "/"}, [f"Écrivez les tranches, par exemple « {EXEMPLE} »."]),
        ({"tarifs__0__montant": "3"}, ["Ce champ ne compte pas pour ce tarif : videz-le."]),
        ({"tarifs__1__supplement": ""}, ["Écrivez le prix."]),
        ({"tarifs__1__montant": "3"}, ["Ce champ ne compte pas pour ce tarif : videz-le."]),
        ({"tarifs__1__public": "NORMAL", "tarifs__1__supplement": "", "tarifs__1__montant": "3"},
         ["Deux tarifs sont pour les mêmes personnes et la même formule."]),
        ({"tarifs__0__public": "OCCASIONNEL"}, ["Donnez le prix de « Tout le monde »."]),
        ({"tarifs__1__public": "SEMAINE", "tarifs__1__supplement": "", "tarifs__1__montant": "3"},
         ["Une semaine complète dit de combien de jours."]),
        ({"majorations__0__montant": "2"}, ["Une majoration est un pourcentage ou un montant."]),
        ({"valable_au": "2026-08-01"}, ["La fin vient avant le début."]),
    ],
)  # fmt: skip
def test_une_saisie_douteuse_est_refusee_avec_sa_raison(tapees, phrases, comptable, cantine):
    reponse = comptable.post(AJOUT, nouvelle(comptable, cantine, **CANTINE | tapees))
    assert (reponse.status_code, erreurs(reponse), Grille.objects.count()) == (200, phrases, 0)


def test_une_formule_d_un_autre_service_est_refusee(comptable, cantine):
    formule = Formule.objects.filter(service__code="alsh-mercredi").first()
    tapees = {"tarifs__1__public": "NORMAL", "tarifs__1__supplement": "", "tarifs__1__montant": "3"}
    reponse = comptable.post(AJOUT, nouvelle(comptable, cantine, **CANTINE | tapees, tarifs__1__formule=formule.pk))
    assert erreurs(reponse) == ["La formule « Journée avec repas » est d'un autre service."]


def test_deux_grilles_ne_valent_pas_le_meme_jour(comptable, cantine):
    voter("restauration", "3,40")
    reponse = comptable.post(AJOUT, nouvelle(comptable, cantine, **CANTINE))
    assert erreurs(reponse) == ["Une autre grille vaut déjà pour ce service ces jours-là."]


# --- Once invoices have used it ------------------------------------------------------------------------


def test_une_grille_facturee_ne_change_plus_et_dit_de_la_dupliquer(comptable, cantine, famille_durand):
    grille = voter("restauration", "3,40", majorations=[TARD])
    facturer(grille, famille_durand, ["2026-11-03", "2026-11-26"])
    refus = (
        "Des factures émises comptent ces prix jusqu'au 26 novembre 2026 : ils ne changent plus. "
        "Pour d'autres prix, dupliquez cette grille à partir d'un jour."
    )
    page = comptable.get(page_de(grille))
    assert refus in texte(page)
    for tapee in ({"tarifs__0__montant": "9"}, {"majorations__0__pourcent": "9"}, {"valable_du": "2026-10-01"}):
        reponse = comptable.post(page_de(grille), saisie(page, **tapee))
        assert (reponse.status_code, erreurs(reponse)) == (200, [refus])
    fin = comptable.post(page_de(grille), saisie(page, valable_au="2026-11-25"))
    assert [phrase.partition(" : ")[2] for phrase in erreurs(fin)] == ["donnez cette fin ou une autre après."]
    assert comptable.post(page_de(grille, "delete/"), {"post": "yes"}).status_code == 403
    assert comptable.post(page_de(grille), saisie(page, valable_au="2026-11-26")).status_code == 302
    grille.refresh_from_db()
    assert (relue(grille), grille.valable_au) == ([("NORMAL", None, "FIXE", "3.40", [])], date(2026, 11, 26))


@pytest.mark.parametrize(
    ("jours", "emise", "attendu"),
    [
        (["2026-11-03", "2026-11-26"], True, date(2026, 11, 26)),
        (["2026-11-03"], False, None),  # a draft is made again
        (["2026-08-31"], True, None),  # of the grid before
        (["2026-08-31", "2026-09-01"], True, date(2026, 9, 1)),  # a week, with the month of its Monday
        (["2027-01-04"], True, None),  # of the grid after
    ],
)
def test_seules_les_factures_emises_de_ses_jours_gelent_une_grille(jours, emise, attendu, famille_durand):
    grille = voter("restauration", "3,40", au=date(2026, 12, 31))
    facturer(grille, famille_durand, jours, emise)
    assert dernier_jour_facture(grille) == attendu


def test_dupliquer_ferme_l_ancienne_la_veille_et_copie_tous_les_prix(comptable, famille_durand):
    grille = voter("alsh-mercredi", "5:1", "2", du=date(2026, 9, 1), majorations=[TARD])
    tarifer(grille, "12", formule=grille.service.formules.first())
    facturer(grille, famille_durand, ["2026-12-16"])
    vote = {"deliberation": "2026-90", "votee_le": "2026-12-10"}
    page = page_de(grille, "dupliquer/")
    assert comptable.get(page).status_code == 200
    trop_tot = comptable.post(page, {"le": "2026-12-16"} | vote)
    assert trop_tot.status_code == 422
    assert "comptent ces prix jusqu'au 16 décembre 2026 : choisissez un jour après." in texte(trop_tot)
    assert "Choisissez un jour à partir du 2 septembre 2026." in texte(
        comptable.post(page, {"le": "2026-09-01"} | vote)
    )
    reponse = comptable.post(page, {"le": "2027-01-01"} | vote)
    ancienne, neuve = Grille.objects.order_by("valable_du")
    assert reponse["Location"] == page_de(neuve)
    assert (ancienne.valable_au, neuve.valable_du, neuve.valable_au) == (date(2026, 12, 31), date(2027, 1, 1), None)
    assert (neuve.deliberation, neuve.votee_le) == ("2026-90", date(2026, 12, 10))
    assert relue(neuve) == relue(ancienne) == [
        ("NORMAL", None, "TRANCHES", None, [(5, "1.00"), (None, "2.00")]),
        ("NORMAL", "Journée avec repas", "FIXE", "12.00", []),
    ]  # fmt: skip
    assert list(neuve.majorations.values_list("cause", "pourcent")) == [("RESERVE_TARD", 50)]
    (annonce,) = get_messages(reponse.wsgi_request)
    assert (
        str(annonce).replace("\u00a0", " ").startswith("Grille dupliquée : l'ancienne vaut jusqu'au 31 décembre 2026.")
    )


def test_l_agent_lit_la_grille_et_ne_la_change_pas(connecter):
    grille = voter("restauration", "400:1,20", "3,40")
    agent = connecter("agent")
    page = agent.get(page_de(grille))
    assert "400 : 1,20 / au-delà : 3,40" in texte(page)
    assert 'name="deliberation"' not in texte(page)
    assert [agent.post(page_de(grille), {}).status_code, agent.get(page_de(grille, "dupliquer/")).status_code] == [
        403
    ] * 2


# --- Régies, helpers -------------------------------------------------------------------------------------


REGIE = {"nom": "Cantine", "code": "cantine", "regime": "TITRE", "minimum": "15", "payfip": "SAISIE",
         "payfip_client": "018110", "produits__0__service": "", "produits__0__part_garde": "0"}  # fmt: skip


def test_une_regie_se_saisit_avec_ses_services(comptable, cantine):
    page = "/admin/facturation/regie/add/"
    tapees = {"produits__0__service": cantine.pk, "moyens_acceptes": ["CHEQUE"], "ics": "fr72 zzz 123456"}
    donnees = saisie(comptable.get(page), **REGIE | tapees)
    assert comptable.post(page, donnees).status_code == 302
    regie = Regie.objects.get()
    assert (regie.code, regie.moyens_acceptes, regie.reference) == ("cantine", ["CHEQUE"], "{exercice}{numero:08d}")
    assert regie.ics == "FR72ZZZ123456"
    assert Produit.objects.get(service=cantine).regie == regie
    double = comptable.post(page, donnees | {"code": "autre"})
    assert erreurs(double) == ["Ce service est déjà rattaché à une régie."]
    # A service depends on it: it stays.
    assert comptable.post(f"/admin/facturation/regie/{regie.pk}/delete/", {"post": "yes"}).status_code == 403


@pytest.mark.parametrize(
    ("tapees", "phrase"),
    [
        ({"payfip_client": ""}, "Le paiement en ligne demande le n° client donné par PayFiP."),
        ({"payfip": "SERVICE"}, "Le service web de PayFiP ne sert qu'aux régies."),
        ({"reference": "{exercice}"}, "Sans {numero}, deux factures auraient la même référence."),
        ({"reference": "{numero.real}"}, "Entre accolades, seulement {exercice}, {numero:08d} et {code_recette}."),
        ({"reference": "{numero:9999999d}"}, "Entre accolades, seulement {exercice}, {numero:08d} et {code_recette}."),
        ({"reference": "{numero"}, "Une accolade n'est pas fermée."),
        ({"reference": "F-{numero:08d}"}, "La référence compte de 6 à 30 lettres et chiffres."),
        (
            {"ics": "FR73ZZZ123456"},
            "Cet identifiant créancier n'est pas valable : recopiez-le de la lettre de la Banque de France.",
        ),
    ],
)
def test_une_regie_douteuse_est_refusee_avec_sa_raison(tapees, phrase, comptable):
    page = "/admin/facturation/regie/add/"
    reponse = comptable.post(page, saisie(comptable.get(page), **REGIE | tapees))
    assert (erreurs(reponse), Regie.objects.count()) == ([phrase], 0)


def test_une_aide_se_donne_a_un_enfant_de_la_famille_et_s_arrete_sans_s_effacer(comptable, famille_durand):
    page = f"/admin/facturation/aidefamille/add/?famille={famille_durand.pk}"
    lea, ines = (Enfant.objects.get(prenom=prenom) for prenom in ("Léa", "Inès"))
    donnees = saisie(comptable.get(page), organisme="CCAS", montant="1.50", valable_du="2026-09-01")
    reponse = comptable.post(page, donnees | {"enfant": ines.pk})
    assert erreurs(reponse) == ["Choisissez un enfant de cette famille."]
    assert comptable.post(page, donnees | {"enfant": lea.pk}).status_code == 302
    aide = AideFamille.objects.get()
    assert (aide.famille, aide.enfant, str(aide.montant)) == (famille_durand, lea, "1.50")
    assert "1,50 € par unité" in texte(comptable.get("/admin/facturation/aidefamille/"))
    facturer(voter("restauration", "3"), famille_durand, ["2026-11-03"], emise=False)
    ligne = LigneFacture.objects.get()
    LigneFacture.objects.filter(pk=ligne.pk).update(genre="AIDE", libelle="Restauration scolaire, aide de CCAS")
    Facture.objects.update(etat="EMISE", numero=1, emise_le="2026-12-01", echeance="2026-12-31")
    assert comptable.post(f"/admin/facturation/aidefamille/{aide.pk}/delete/", {"post": "yes"}).status_code == 403
