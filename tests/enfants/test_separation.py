"""Two adults part: each keeps the child and only their own affairs; an access that is suspended closes at once."""

from datetime import timedelta
from html import unescape

import pytest
from django.urls import reverse
from django.utils import timezone

from demandes.models import Demande
from enfants import actions
from enfants.models import Enfant, Garde, PersonneAutorisee, SuspensionAcces
from familles.actions import modifier_coordonnees_bancaires
from familles.historique import changements
from familles.models import AncienFoyer, Famille, Responsable, Utilisateur
from messagerie.actions import notifier
from tests.matrice import routes

pytestmark = pytest.mark.django_db

ADRESSE = {"adresse": "4 rue Neuve", "complement": "", "code_postal": "18 000", "ville": "Bourges"}


@pytest.fixture
def claire(famille_durand):
    return Responsable.objects.select_related("utilisateur").get(utilisateur__identifiant="durand")


@pytest.fixture
def enfants(distribution):
    return {e.prenom: e for e in Enfant.objects.order_by("pk")}


@pytest.fixture
def page(claire):
    return reverse("admin:separer", args=[claire.pk])


@pytest.fixture
def papier(enfants):
    """``papier(Tom="ancien")``: what the agent types, both children in both households unless told."""

    def papier(le=None, **ou):
        partage = {f"enfant_{enfants[prenom].pk}": ou.get(prenom, "deux") for prenom in ("Léa", "Tom")}
        return {"le": (le or timezone.localdate()).isoformat(), **ADRESSE, **partage}

    return papier


@pytest.fixture
def separes(connecter, page, papier):
    """``separes(Tom="ancien")``: the agent has confirmed; returns both households."""

    def separer(**ou):
        reponse = connecter("agent").post(page, papier(**ou) | {"confirmer": "oui"})
        assert reponse.status_code == 302, unescape(reponse.content.decode())
        foyers = [Famille.objects.get(responsables__utilisateur__identifiant=nom) for nom in ("durand2", "durand")]
        assert reponse.url == reverse("admin:familles_famille_change", args=[foyers[1].pk])
        return foyers

    return separer


def lire(navigateur, adresse):
    reponse = navigateur.get(adresse)
    assert reponse.status_code == 200
    return unescape(reponse.content.decode()).replace("\u00a0", " ")


def etat():
    return (
        Famille.objects.count(),
        AncienFoyer.objects.count(),
        list(Responsable.objects.order_by("pk").values_list("famille", "rang")),
        Garde.objects.count(),
    )


# --- The page --------------------------------------------------------------------------------------------


def test_le_lien_est_pres_de_chaque_adulte_d_un_foyer_de_deux(connecter, famille_durand, famille_martin, page, claire):
    julien = Responsable.objects.get(utilisateur__identifiant="durand2")
    dossier = lire(connecter("agent"), f"/admin/familles/famille/{famille_durand.pk}/change/")
    assert (f'href="{page}"' in dossier, f'href="/admin/separer/{julien.pk}/"' in dossier) == (True, True)
    assert "/admin/separer/" not in lire(connecter("agent"), f"/admin/familles/famille/{famille_martin.pk}/change/")
    assert "/admin/separer/" not in lire(connecter("comptable"), f"/admin/familles/famille/{famille_durand.pk}/change/")


def test_les_enfants_vivent_aux_deux_foyers_sauf_autre_choix(connecter, page):
    form = connecter("agent").get(page).context["form"]
    assert [(champ.label, champ.value()) for champ in form.champs_enfants] == [
        ("Léa Durand", "deux"),
        ("Tom Durand", "deux"),
    ]
    assert [libelle for _, libelle in form.champs_enfants[0].field.choices] == [
        "vit aux deux foyers",
        "reste chez Julien",
        "part avec Claire",
    ]


def test_l_apercu_dit_tout_et_n_ecrit_rien(connecter, page, papier, claire, enfants):
    avant = etat()
    reponse = connecter("agent").post(page, papier(Tom="ancien"))
    assert (reponse.status_code, etat()) == (200, avant)
    phrases = {titre: [p.replace("\u00a0", " ") for p in suite] for titre, suite in reponse.context["consequences"]}
    assert phrases["Julien Durand"] == [
        "Garde le dossier « Famille Durand », son adresse, ses demandes et ses messages.",
        "Devient responsable du dossier.",
        "Garde les coordonnées bancaires.",
        "Garde les revenus et le quotient, calculés pour deux adultes : à mettre à jour.",
    ]
    assert phrases["Claire Durand"][0] == "Ouvre son dossier, « Famille Durand » : 4 rue Neuve, 18000 Bourges."
    assert [phrase[:22] for phrase in phrases["Enfants"]] == ["Léa vit aux deux foyer", "Tom reste chez Julien "]
    assert (
        "La demande en attente reste au foyer de Julien : traitez-la d'abord si besoin." in phrases["À faire ensuite"]
    )


def test_l_apercu_se_corrige_avec_ce_qui_etait_tape(connecter, page, papier):
    reponse = connecter("agent").post(page, papier(Tom="nouveau") | {"corriger": "oui"})
    form = reponse.context["form"]
    assert (reponse.status_code, reponse.context["consequences"]) == (200, None)
    assert (form["adresse"].value(), form.champs_enfants[1].value()) == ("4 rue Neuve", "nouveau")


@pytest.mark.parametrize(
    ("saisie", "phrase"),
    [
        ({"le": "2999-01-01"}, "aujourd'hui au plus tard"),
        ({"le": "1999-01-01"}, "Vérifiez l'année"),
        ({"le": "hier"}, "Saisissez une date valide"),
        ({"code_postal": "1"}, "Écrivez les cinq chiffres"),
        ({"adresse": ""}, "Ce champ est obligatoire"),
        ({"Léa": "ailleurs"}, "Sélectionnez un choix valide"),
    ],
)
def test_une_saisie_refusee_dit_quoi_reprendre(saisie, phrase, connecter, page, papier, enfants):
    avant = etat()
    tape = papier() | {f"enfant_{enfants[n].pk}" if n in enfants else n: valeur for n, valeur in saisie.items()}
    reponse = connecter("agent").post(page, tape | {"confirmer": "oui"})
    assert (reponse.status_code, etat()) == (422, avant)
    assert phrase in unescape(reponse.content.decode())


def test_qui_ne_tient_pas_les_dossiers_ne_separe_personne(connecter, page, papier):
    avant, saisie = etat(), papier() | {"confirmer": "oui"}
    codes = {qui: connecter(qui).post(page, saisie).status_code for qui in ("animateur", "comptable", "durand")}
    assert (codes, etat()) == ({"animateur": 403, "comptable": 403, "durand": 404}, avant)


def test_le_second_clic_lit_une_phrase(connecter, page, papier, separes):
    separes()
    apres = etat()
    reponse = connecter("agent").post(page, papier() | {"confirmer": "oui"}, follow=True)
    assert "Claire Durand est déjà seul adulte de son foyer." in unescape(reponse.content.decode())
    assert etat() == apres


def test_un_collegue_a_fait_le_meme_geste_entre_l_apercu_et_la_confirmation(connecter, page, papier, monkeypatch):
    def trop_tard(*args, **kwargs):
        raise actions.SeparationImpossible("Claire Durand est déjà seul adulte de son foyer.")

    monkeypatch.setattr(actions, "separer", trop_tard)
    reponse = connecter("agent").post(page, papier() | {"confirmer": "oui"}, follow=True)
    assert "Claire Durand est déjà seul adulte de son foyer." in unescape(reponse.content.decode())


# --- What each has afterwards ----------------------------------------------------------------------------


def test_le_foyer_quitte_garde_son_nom_et_un_responsable(separes, claire):
    ancien, nouveau = separes()
    assert [(f.nom, [(str(a), a.rang) for a in f.adultes()]) for f in (ancien, nouveau)] == [
        ("Durand", [("Julien Durand", 1)]),
        ("Durand", [("Claire Durand", 1)]),
    ]
    assert nouveau.adresse_lignes == ["4 rue Neuve", "18000 Bourges"]
    assert [(str(a.adulte), a.famille, a.quitte_le) for a in AncienFoyer.objects.all()] == [
        ("Claire Durand", ancien, timezone.localdate())
    ]


def test_chacun_voit_les_enfants_qui_vivent_chez_lui(separes, connecter, enfants):
    separes(Tom="nouveau")
    vus = {
        qui: [connecter(qui).get(f"/mes-enfants/{enfants[prenom].uuid}/").status_code for prenom in ("Léa", "Tom")]
        for qui in ("durand", "durand2")
    }
    assert vus == {"durand": [200, 200], "durand2": [200, 404]}


def test_la_garde_commence_a_une_semaine_chez_chacun(separes, enfants):
    ancien, nouveau = separes(Tom="ancien")
    garde = Garde.objects.get(enfant__in=[enfants["Léa"], enfants["Tom"]])
    assert (garde.enfant, garde.premier_foyer, garde.second_foyer, garde.mode, garde.premiere_semaine) == (
        enfants["Léa"],
        ancien,
        nouveau,
        Garde.Mode.ALTERNEE,
        timezone.localdate(),
    )


def test_chacun_ne_lit_que_son_adresse_sa_banque_ses_revenus_et_son_quotient(separes, connecter):
    _, nouveau = separes()
    modifier_coordonnees_bancaires(nouveau, {"titulaire": "Claire D.", "iban": "FR7630006000011234567890189"})
    pages = {qui: lire(connecter(qui), "/mon-compte/") for qui in ("durand", "durand2")}
    siens = {
        "durand": ["4 rue Neuve", "FR76 •••• 0189"],
        "durand2": ["12 rue des Vergers", "FR14 •••• 2606", "32 450", "1234567", "812"],
    }
    for qui, autre in (("durand", "durand2"), ("durand2", "durand")):
        page = pages[qui].replace("\u202f", " ")
        assert [mot for mot in siens[qui] if mot not in page] == [], qui
        assert [mot for mot in siens[autre] if mot in page] == [], qui


def test_les_demandes_restent_au_foyer_et_les_nouvelles_sont_a_chacun(separes, connecter, deposer):
    anciennes = list(Demande.objects.order_by("pk").filter(famille__nom="Durand"))
    separes()
    neuve = deposer("durand", "responsable", profession="Sage-femme")
    liens = {
        qui: [connecter(qui).get(f"/demandes/{demande.uuid}/").status_code for demande in [*anciennes, neuve]]
        for qui in ("durand", "durand2")
    }
    assert liens == {"durand": [404] * len(anciennes) + [200], "durand2": [200] * len(anciennes) + [404]}
    assert len(anciennes) == 2


def test_les_messages_restent_au_foyer_et_ceux_a_son_seul_nom_suivent(separes, connecter, claire, comptes):
    ancien = claire.famille
    julien = Responsable.objects.get(utilisateur__identifiant="durand2")
    fils = {
        "commun": ancien.fils.filter(destinataire=None).first(),
        "claire": notifier(ancien, sujet="Claire", corps="…", par=comptes["agent"], destinataire=claire).fil,
        "julien": notifier(ancien, sujet="Julien", corps="…", par=comptes["agent"], destinataire=julien).fil,
    }
    _, nouveau = separes()
    fils["neuf"] = notifier(nouveau, sujet="Neuf", corps="…", par=comptes["agent"]).fil
    lus = {
        qui: [nom for nom, fil in fils.items() if connecter(qui).get(f"/messagerie/{fil.uuid}/").status_code == 200]
        for qui in ("durand", "durand2")
    }
    assert lus == {"durand": ["claire", "neuf"], "durand2": ["commun", "julien"]}


def test_les_personnes_autorisees_restent_a_qui_les_a_designees(separes, enfants):
    ancien, nouveau = separes()
    assert set(PersonneAutorisee.objects.filter(enfant=enfants["Léa"]).values_list("famille", flat=True)) == {ancien.pk}
    assert not nouveau.personnes.exists()


def test_une_date_passee_ouvre_le_foyer_ce_jour_la(connecter, page, papier, enfants):
    le = timezone.localdate() - timedelta(days=30)
    connecter("agent").post(page, papier(le=le, Tom="nouveau") | {"confirmer": "oui"})
    tom = [(r.famille.ville, r.valable_du, r.valable_au) for r in enfants["Tom"].rattachements.order_by("valable_du")]
    assert tom == [
        ("Saint-Martin-d'Auxigny", timezone.localdate() - timedelta(days=400), le - timedelta(days=1)),
        ("Bourges", le, None),
    ]


def test_une_garde_deja_notee_ne_change_pas(connecter, page, papier, enfants, claire, familles_de):
    actions.rattacher(enfants["Léa"], familles_de("martin"))
    Garde.objects.create(
        enfant=enfants["Léa"],
        premier_foyer=claire.famille,
        second_foyer=familles_de("martin"),
        premiere_semaine=timezone.localdate(),
    )
    agent = connecter("agent")
    apercu = dict(agent.post(page, papier()).context["consequences"])["Enfants"][0]
    assert "Sa garde est déjà notée et ne change pas" in apercu
    agent.post(page, papier() | {"confirmer": "oui"})
    assert Garde.objects.get(enfant=enfants["Léa"]).second_foyer == familles_de("martin")


def test_l_historique_du_foyer_quitte_dit_le_depart(separes):
    ancien, nouveau = separes()
    for foyer in (ancien, nouveau):
        lignes = [(c.par, c.quoi, c.champ) for c in changements(foyer)]
        assert ("Nadia Petit", "Responsable", "Famille") in lignes
    assert "Ligne supprimée" not in [c.champ for c in changements(ancien)]


def test_sans_enfant_la_page_separe_aussi(connecter, famille_durand, page):
    famille_durand.rattachements.all().delete()
    agent = connecter("agent")
    saisie = {"le": timezone.localdate().isoformat(), **ADRESSE}
    assert dict(agent.post(page, saisie).context["consequences"])["Enfants"] == []
    assert agent.post(page, saisie | {"confirmer": "oui"}).status_code == 302
    assert famille_durand.responsables.count() == 1


# --- A suspended access ----------------------------------------------------------------------------------


def pages_d_un_enfant(enfant):
    """Every address of the parents that names a child, whoever wrote its page."""
    connues = {"<uuid:uuid>": str(enfant.uuid), "<slug:type>": "sante", "<str:type>": "sante"}
    for route in routes():
        if route.startswith("mes-enfants/<uuid:uuid>/"):
            adresse = route
            for motif, valeur in connues.items():
                adresse = adresse.replace(motif, valeur)
            if "<" not in adresse:
                yield f"/{adresse}"


def test_un_acces_suspendu_ferme_tout_de_l_enfant_des_la_page_suivante(connecter, enfants, deposer):
    lea, tom = enfants["Léa"], enfants["Tom"]
    demande = deposer("durand2", "sante", enfant=lea, recommandations="Sieste")
    julien, claire = connecter("durand2"), connecter("durand")
    pages = [*pages_d_un_enfant(lea), f"/demandes/{demande.uuid}/"]
    assert len(pages) >= 3
    assert {adresse: julien.get(adresse).status_code for adresse in pages if "pdf" not in adresse}.items() >= {
        (f"/mes-enfants/{lea.uuid}/", 200),
        (f"/mes-enfants/{lea.uuid}/sante/", 200),
        (f"/demandes/{demande.uuid}/", 200),
    }
    suspendu = Responsable.objects.get(utilisateur__identifiant="durand2")
    SuspensionAcces.objects.create(enfant=lea, adulte=suspendu, motif="Jugement")
    assert {adresse: julien.get(adresse).status_code for adresse in pages} == dict.fromkeys(pages, 404)
    assert {julien.post(adresse).status_code for adresse in pages} <= {404, 405}
    for adresse in ("/", "/mes-enfants/", "/demandes/"):
        assert "Léa" not in lire(julien, adresse)
    assert julien.get(f"/mes-enfants/{tom.uuid}/").status_code == 200
    assert claire.get(f"/mes-enfants/{lea.uuid}/").status_code == 200
    assert claire.get(f"/demandes/{demande.uuid}/").status_code == 200


def test_une_suspension_a_un_debut_et_une_fin(connecter, enfants):
    lea, aujourdhui = enfants["Léa"], timezone.localdate()
    julien = Utilisateur.objects.get(identifiant="durand2")
    periodes = [(-10, -1, True), (1, None, True), (0, 0, False), (-10, None, False)]
    for du, au, visible in periodes:
        SuspensionAcces.objects.all().delete()
        fin = None if au is None else aujourdhui + timedelta(days=au)
        SuspensionAcces.objects.create(
            enfant=lea, adulte=julien.adulte, motif="x", valable_du=aujourdhui + timedelta(days=du), valable_au=fin
        )
        assert Enfant.objects.visibles_par(julien).filter(pk=lea.pk).exists() == visible, (du, au)
