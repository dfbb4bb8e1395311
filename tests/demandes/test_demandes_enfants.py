"""The requests of « Mes enfants », from the form to the child's file."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from demandes import actions
from demandes.models import Demande
from demandes.types import TYPES
from enfants.actions import rattacher
from enfants.models import (
    ConsultationSante,
    DocumentEnfant,
    Enfant,
    Nature,
    PersonneAutorisee,
    Rattachement,
    Sante,
    SuspensionAcces,
)
from messagerie.models import Fil
from portail.outils import fichiers
from tests.fabrique import PDF_SAIN

pytestmark = pytest.mark.django_db


@pytest.fixture
def enfant(distribution):
    """``enfant("Léa")``: a child of the cast."""
    return lambda prenom: Enfant.objects.get(prenom=prenom)


def personne(**champs):
    return {
        "cle": "",
        "prenom": "Ana",
        "nom": "Lopez",
        "lien": "Voisine",
        "telephone": "06 39 98 40 01",
        "peut_chercher": True,
        "urgence": False,
        "piece": "",
        "ordre": "",
        **champs,
    }


def deux_personnes(enfant, famille):
    return TYPES["autorisations"].actuelles(famille, enfant)["personnes"]


# --- Each kind changes what it says, and nothing else ----------------------------------------------------


def test_accepter_l_etat_civil_change_le_nom_et_sort_de_la_classe(deposer, enfant, comptes):
    lea = enfant("Léa")
    autre = Enfant.objects.get(prenom="Tom").ecole
    demande = deposer("durand", "etat-civil", enfant=lea, nom="Durand Petit", ecole=str(autre.pk))
    actions.accepter(demande.pk, par=comptes["agent"])
    lea.refresh_from_db()
    assert (lea.nom, lea.ecole, lea.classe, lea.niveau) == ("Durand Petit", autre, None, "CE2")


def test_une_demande_ajoute_change_et_retire_des_personnes(deposer, enfant, comptes, familles_de):
    lea = enfant("Léa")
    odile, _marc = deux_personnes(lea, familles_de("durand"))
    lignes = [{**odile, "telephone": "06 39 98 10 99"}, personne(urgence=True, ordre="1")]
    demande = deposer("durand", "autorisations", enfant=lea, personnes=lignes)
    actions.accepter(demande.pk, par=comptes["agent"])
    assert list(lea.personnes.values_list("prenom", "telephone", "ordre", "urgence")) == [
        ("Odile", "06 39 98 10 99", 1, True),
        ("Ana", "06 39 98 40 01", 2, True),
    ]
    assert str(lea.personnes.first().uuid) == odile["cle"]


def test_la_comparaison_dit_chaque_personne_ajoutee_changee_retiree(deposer, enfant, familles_de):
    lea = enfant("Léa")
    odile, _marc = deux_personnes(lea, familles_de("durand"))
    demande = deposer("durand", "autorisations", enfant=lea, personnes=[{**odile, "lien": "Mamie"}, personne()])
    lignes = {
        ligne.libelle: (ligne.avant[:12], ligne.demande[:12]) for ligne in actions.comparer(demande, pour_agent=True)
    }
    assert lignes == {
        "Odile Durand": ("Grand-mère, ", "Mamie, 06 39"),
        "Ana Lopez": ("–", "Voisine, 06 "),
        "Marc Durand": ("Oncle, 06 39", "–"),
    }


def test_la_cle_d_une_personne_d_un_autre_foyer_ne_la_prend_pas(deposer, enfant, comptes):
    tante = PersonneAutorisee.objects.get(prenom="Samia")
    demande = deposer("rossi", "autorisations", enfant=enfant("Inès"), personnes=[personne(cle=str(tante.uuid))])
    actions.accepter(demande.pk, par=comptes["agent"])
    tante.refresh_from_db()
    assert tante.prenom == "Samia"
    assert set(enfant("Inès").personnes.values_list("prenom", "famille__nom")) == {
        ("Samia", "Benali"),
        ("Ana", "Rossi"),
    }


def test_chaque_foyer_tient_sa_liste_de_personnes(connecter, enfant):
    page = connecter("rossi").get(f"/mes-enfants/{enfant('Inès').uuid}/autorisations/").content.decode()
    assert ("Samia" in page, "06 39 98 30 11" in page) == (False, False)


def test_accepter_les_informations_change_le_repas_et_les_autorisations(deposer, enfant, comptes):
    lea = enfant("Léa")
    demande = deposer("durand", "informations", enfant=lea, regime="VEGETARIEN", photo="non", assurance_numero="Z-9")
    assert demande.valeurs_demandees == {"regime": "VEGETARIEN", "photo": False, "assurance_numero": "Z-9"}
    actions.accepter(demande.pk, par=comptes["agent"])
    lea = enfant("Léa")
    assert (lea.regime, lea.informations.photo, lea.informations.baignade) == ("VEGETARIEN", False, True)


def test_une_autorisation_jamais_donnee_n_est_pas_un_refus(enfant, connecter):
    tom = enfant("Tom")
    page = connecter("durand").post(f"/mes-enfants/{tom.uuid}/informations/", {"regime": "STANDARD"})
    assert page.status_code == 422
    assert page.context["form"].errors["photo"] == ["Répondez par oui ou par non."]


@pytest.mark.parametrize(("ans", "permis"), [(7, False), (8, True)])
def test_rentrer_seul_a_un_age(ans, permis, enfant, comptes, familles_de):
    lea = enfant("Léa")
    aujourdhui = timezone.localdate()
    lea.date_naissance = date(aujourdhui.year - ans, 1, 1)
    famille, genre = familles_de("durand"), TYPES["informations"]
    donnees = {**genre.actuelles(famille, lea), "sortie_seul": "oui"}
    form = actions.formulaire(genre, famille, lea, demandeur=comptes["durand"], data=donnees)
    assert form.is_valid() is permis


def test_une_assurance_deja_finie_est_refusee_mais_pas_celle_qui_finit_pendant_l_attente(
    deposer, enfant, comptes, familles_de
):
    famille, genre, lea = familles_de("durand"), TYPES["informations"], enfant("Léa")
    donnees = {**genre.actuelles(famille, lea), "assurance_fin": "2020-01-01"}
    form = actions.formulaire(genre, famille, lea, demandeur=comptes["durand"], data=donnees)
    assert list(form.errors) == ["assurance_fin"]
    demande = deposer("durand", "informations", enfant=lea, assurance_fin="2099-08-31")
    Demande.objects.filter(pk=demande.pk).update(valeurs_demandees={"assurance_fin": "2020-01-01"})
    assert actions.accepter(demande.pk, par=comptes["agent"]).etat == Demande.Etat.ACCEPTEE


def test_le_panier_pai_suppose_un_pai(enfant, comptes, familles_de):
    famille, genre, lea = familles_de("durand"), TYPES["informations"], enfant("Léa")
    donnees = {**genre.actuelles(famille, lea), "regime": "PANIER_PAI"}
    form = actions.formulaire(genre, famille, lea, demandeur=comptes["durand"], data=donnees)
    assert not form.is_valid()
    assert "suppose un PAI" in form.errors["regime"][0]


def test_accepter_la_sante_garde_les_vaccins_et_l_avis_de_l_agent(deposer, enfant, comptes):
    lea = enfant("Léa")
    faits = {**lea.sante.vaccinations, "ROUGEOLE": "2020-02-03"}
    demande = deposer("durand", "sante", enfant=lea, vaccinations=faits, allergenes=["lait", "oeufs"])
    (propose,) = {TYPES["sante"].decision_proposee(demande)["vaccins_etat"]}
    assert propose == Sante.EtatVaccins.A_JOUR
    actions.accepter(demande.pk, par=comptes["agent"], decision={"vaccins_etat": "A_JOUR", "vaccins_jusqu_au": None})
    sante = enfant("Léa").sante
    assert (sante.vaccinations["ROUGEOLE"], sante.allergenes_libelles) == ("2020-02-03", ["Œufs", "Lait"])
    assert sante.vaccins_etat == "A_JOUR"


def test_un_vaccin_qui_manque_propose_une_admission_de_trois_mois(deposer, enfant):
    tom = enfant("Tom")
    demande = deposer("durand", "sante", enfant=tom, vaccinations={"ROUGEOLE": "2023-02-03"})
    propose = TYPES["sante"].decision_proposee(demande)
    assert propose["vaccins_etat"] == Sante.EtatVaccins.PROVISOIRE
    assert 88 < (propose["vaccins_jusqu_au"] - timezone.localdate()).days < 93


def test_le_vaccin_d_avant_la_naissance_est_refuse(enfant, comptes, familles_de):
    famille, genre, lea = familles_de("durand"), TYPES["sante"], enfant("Léa")
    donnees = {**genre.actuelles(famille, lea), "vaccinations": {"ROUGEOLE": "2001-01-01", "POLIO": "31/02/2020"}}
    form = actions.formulaire(genre, famille, lea, demandeur=comptes["durand"], data=donnees)
    assert not form.is_valid()
    assert form.errors["vaccinations"] == ["Poliomyélite : Écrivez une date sous la forme 14/03/2024."]


def test_arreter_le_pai_efface_sa_date_et_ses_consignes(deposer, enfant, comptes):
    adam = enfant("Adam")
    actions.accepter(deposer("benali", "informations", enfant=adam, regime="STANDARD").pk, par=comptes["agent"])
    demande = deposer("benali", "sante", enfant=enfant("Adam"), a_pai=False)
    actions.accepter(demande.pk, par=comptes["agent"])
    adam = enfant("Adam")
    assert (adam.a_pai, adam.sante.pai_revision, adam.sante.pai_consignes) == (False, None, "")


# --- Papers ----------------------------------------------------------------------------------------------


def envoyer(navigateur, adresse, donnees, **fichiers_):
    pieces = {nom: SimpleUploadedFile(f"{nom}.pdf", PDF_SAIN, "application/pdf") for nom in fichiers_}
    return navigateur.post(adresse, {**donnees, **pieces})


def test_un_papier_seul_rejoint_le_dossier_avec_sa_fin(connecter, enfant, comptes):
    lea = enfant("Léa")
    adresse = f"/mes-enfants/{lea.uuid}/informations/"
    actuelles = TYPES["informations"].actuelles(None, lea)
    donnees = {n: {True: "oui", False: "non"}.get(v, v) if n in OUI_NON else v for n, v in actuelles.items()}
    donnees = {nom: valeur for nom, valeur in donnees.items() if valeur is not False}
    assert envoyer(connecter("durand"), adresse, donnees, piece_ASSURANCE=1).status_code == 302
    demande = Demande.objects.get(type="informations")
    assert (demande.valeurs_demandees, demande.resume) == ({}, "Pièces jointes")
    actions.accepter(demande.pk, par=comptes["agent"])
    document = lea.documents.get()
    assert (document.nature, document.expire_le) == (Nature.ASSURANCE, lea.informations.assurance_fin)
    assert fichiers.lire(document) == PDF_SAIN


OUI_NON = ("photo", "sortie_seul", "hospitalisation", "baignade", "sorties")


def test_un_papier_neuf_remplace_l_ancien_sans_le_perdre(enfant, familles_de):
    from enfants.actions import classer_document

    lea, famille = enfant("Léa"), familles_de("durand")
    for nom in ("vieux.pdf", "neuf.pdf"):
        classer_document(lea, famille, "VACCINS", [fichiers.ranger(nom, "application/pdf", PDF_SAIN)], expire_le=None)
    assert [d.nom for d in lea.documents.actuels()] == ["neuf.pdf"]
    assert lea.documents.count() == 2


def test_le_fichier_est_chiffre_sur_le_disque(enfant, familles_de):
    from enfants.actions import classer_document

    piece = fichiers.ranger("pai.pdf", "application/pdf", PDF_SAIN)
    classer_document(enfant("Léa"), familles_de("durand"), "PAI", [piece], expire_le=None)
    document = DocumentEnfant.objects.get()
    with document.fichier.open("rb") as fichier:
        assert PDF_SAIN[:8] not in fichier.read()
    assert fichiers.lire(document) == PDF_SAIN


# --- Adding a child --------------------------------------------------------------------------------------

LOU = {"prenom": "Lou", "nom": "Durand", "date_naissance": "2023-05-14", "regime": "STANDARD", "niveau": "PS"}


def test_accepter_l_ajout_cree_l_enfant_et_son_rattachement(deposer, comptes, familles_de):
    demande = deposer("durand", "ajout-enfant", **LOU)
    assert demande.titre == "Ajouter un enfant : Lou"
    demande = actions.accepter(demande.pk, par=comptes["agent"])
    lou = Enfant.objects.get(prenom="Lou")
    assert (lou.date_naissance, lou.niveau, demande.enfant) == (date(2023, 5, 14), "PS", lou)
    assert lou in Enfant.objects.visibles_par(comptes["durand2"])


def test_deux_enfants_peuvent_attendre_mais_pas_deux_fois_le_meme(deposer):
    premiere, double = deposer("durand", "ajout-enfant", **LOU), deposer("durand2", "ajout-enfant", **LOU)
    autre = deposer("durand", "ajout-enfant", **{**LOU, "prenom": "Max"})
    assert premiere.pk == double.pk != autre.pk


def test_un_enfant_deja_la_ne_s_ajoute_pas(connecter, enfant):
    lea = enfant("Léa")
    page = connecter("durand").post(
        "/mes-enfants/ajouter/", {**LOU, "prenom": "LEA", "date_naissance": lea.date_naissance.isoformat()}
    )
    assert page.status_code == 422
    assert "déjà dans l'onglet" in page.context["form"].errors["prenom"][0]


def test_un_enfant_connu_ailleurs_se_montre_avant_de_decider(deposer, enfant, comptes, connecter):
    zoe = enfant("Zoé")
    demande = deposer(
        "durand", "ajout-enfant", **{**LOU, "prenom": "Zoe", "nom": "MARTIN", "date_naissance": zoe.date_naissance}
    )
    with pytest.raises(actions.DecisionImpossible, match="déjà connu"):
        actions.accepter(demande.pk, par=comptes["agent"])
    agent = connecter("agent")
    adresse = reverse("admin:demandes_demande_change", args=[demande.pk])
    assert "C&#x27;est Zoé Martin" in agent.get(adresse).content.decode()
    decider = reverse("admin:demandes_demande_decider", args=[demande.pk])
    assert agent.post(decider, {"decision": "accepter", "version": 1}).status_code == 422
    assert Enfant.objects.filter(nom__iexact="martin").count() == 1
    agent.post(decider, {"decision": "accepter", "version": 1, "enfant_existant": zoe.pk})
    assert set(Rattachement.objects.filter(enfant=zoe).values_list("famille__nom", flat=True)) == {"Martin", "Durand"}


def test_l_agent_peut_dire_que_c_est_un_autre_enfant(deposer, enfant, comptes):
    zoe = enfant("Zoé")
    demande = deposer(
        "durand", "ajout-enfant", **{**LOU, "prenom": "Zoé", "nom": "Martin", "date_naissance": zoe.date_naissance}
    )
    actions.accepter(demande.pk, par=comptes["agent"], decision={"enfant_existant": "nouveau"})
    assert Enfant.objects.filter(nom="Martin", prenom="Zoé").count() == 2


def test_un_ajout_qui_attend_se_modifie_a_son_adresse(deposer, connecter):
    demande = deposer("durand", "ajout-enfant", **LOU)
    navigateur = connecter("durand")
    lien = navigateur.get(demande.get_absolute_url()).context["lien_formulaire"]
    assert lien == f"/mes-enfants/ajouter/?demande={demande.uuid}"
    assert 'value="Lou"' in navigateur.get(lien).content.decode()
    navigateur.post(lien, {**LOU, "prenom": "Louise"})
    demande.refresh_from_db()
    assert (demande.valeurs_demandees["prenom"], demande.version) == ("Louise", 2)
    for perdu in ("x", "00000000-0000-0000-0000-000000000000"):
        assert navigateur.get(f"/mes-enfants/ajouter/?demande={perdu}").status_code == 404


# --- Two households --------------------------------------------------------------------------------------


def test_l_autre_foyer_apprend_que_le_dossier_a_change_sans_savoir_quoi(deposer, enfant, comptes, familles_de):
    ines = enfant("Inès")
    demande = deposer("benali", "sante", enfant=ines, traitements="Gouttes secrètes")
    actions.accepter(demande.pk, par=comptes["agent"])
    (fil,) = Fil.objects.filter(famille=familles_de("rossi"))
    corps = fil.messages.get().corps
    assert fil.sujet == "Données sanitaires d'Inès : dossier mis à jour"
    assert ("Gouttes" in corps, "Benali" in corps, "Karim" in corps) == (False, False, False)


def test_la_demande_d_un_foyer_ne_se_voit_pas_de_l_autre(deposer, enfant, connecter):
    demande = deposer("benali", "sante", enfant=enfant("Inès"), traitements="Gouttes")
    assert connecter("rossi").get(demande.get_absolute_url()).status_code == 404
    page = connecter("rossi").get(f"/mes-enfants/{enfant('Inès').uuid}/sante/")
    assert page.context["pendante"] is None


def test_chacun_des_deux_foyers_peut_attendre_une_reponse(deposer, enfant, comptes):
    ines = enfant("Inès")
    la, ici = (deposer(qui, "sante", enfant=ines, traitements=qui) for qui in ("benali", "rossi"))
    actions.accepter(la.pk, par=comptes["agent"])
    with pytest.raises(actions.DossierModifie):
        actions.accepter(ici.pk, par=comptes["agent"])


# --- Access suspended, child gone ------------------------------------------------------------------------


def suspendre(enfant, adulte):
    SuspensionAcces.objects.create(enfant=enfant, adulte=adulte, motif="Jugement")


def test_un_acces_suspendu_ferme_tout_des_la_requete_suivante(deposer, enfant, connecter, comptes, familles_de):
    lea = enfant("Léa")
    demande = deposer("durand", "sante", enfant=lea, traitements="Sirop")
    navigateur = connecter("durand2")
    adresses = [
        f"/mes-enfants/{lea.uuid}/",
        f"/mes-enfants/{lea.uuid}/sante/",
        f"/mes-enfants/{lea.uuid}/consultations/",
        demande.get_absolute_url(),
    ]
    assert [navigateur.get(adresse).status_code for adresse in adresses] == [200] * 4
    suspendre(lea, comptes["durand2"].responsable)
    assert [navigateur.get(adresse).status_code for adresse in adresses] == [404] * 4
    assert [connecter("durand").get(adresse).status_code for adresse in adresses] == [200] * 4
    for liste in ("/", "/mes-enfants/", "/demandes/"):
        assert "Léa" not in navigateur.get(liste).content.decode()


def test_la_reponse_sur_un_enfant_ne_va_qu_a_l_adulte_qui_le_voit(deposer, enfant, comptes):
    lea = enfant("Léa")
    demande = deposer("durand", "sante", enfant=lea, traitements="Sirop")
    suspendre(lea, comptes["durand2"].responsable)
    actions.accepter(demande.pk, par=comptes["agent"])
    fil = Fil.objects.get(sujet__startswith="Données sanitaires de Léa")
    assert fil.destinataire == comptes["durand"].responsable


def test_une_suspension_finie_rouvre(enfant, comptes):
    lea, hier = enfant("Léa"), timezone.localdate() - timedelta(days=1)
    SuspensionAcces.objects.create(
        enfant=lea, adulte=comptes["durand2"].responsable, motif="…", valable_du=hier, valable_au=hier
    )
    assert lea in Enfant.objects.visibles_par(comptes["durand2"])


def test_un_enfant_archive_disparait_des_pages_mais_ses_demandes_restent(deposer, enfant, connecter):
    lea = enfant("Léa")
    demande = deposer("durand", "sante", enfant=lea, traitements="Sirop")
    Enfant.objects.filter(pk=lea.pk).update(archive_le=timezone.localdate())
    navigateur = connecter("durand")
    assert navigateur.get(f"/mes-enfants/{lea.uuid}/").status_code == 404
    page = navigateur.get(demande.get_absolute_url())
    assert (page.status_code, page.context["lien_formulaire"]) == (200, "")


# --- Who reads health ------------------------------------------------------------------------------------


def test_lire_une_demande_de_sante_se_note_et_la_famille_le_lit(deposer, enfant, connecter):
    lea = enfant("Léa")
    demande = deposer("durand", "sante", enfant=lea, traitements="Sirop")
    civil = deposer("durand", "etat-civil", enfant=lea, lieu_naissance="Bourges")
    for lue in (demande, civil):
        connecter("agent").get(reverse("admin:demandes_demande_change", args=[lue.pk]))
    assert list(ConsultationSante.objects.values_list("enfant", "par__identifiant", "page")) == [
        (lea.pk, "agent", "Demande de la famille")
    ]
    page = connecter("durand2").get(f"/mes-enfants/{lea.uuid}/consultations/").content.decode()
    assert "Nadia Petit" in page


def test_la_comptabilite_ne_trouve_aucune_demande_sur_un_enfant(deposer, enfant, connecter):
    demande = deposer("durand", "sante", enfant=enfant("Léa"), traitements="Sirop")
    comptable = connecter("comptable")
    assert comptable.get(reverse("admin:demandes_demande_change", args=[demande.pk])).status_code == 404
    comptable.post(
        reverse("admin:demandes_demande_changelist"),
        {"action": "accepter_la_selection", "_selected_action": [demande.pk]},
    )
    demande.refresh_from_db()
    assert demande.est_en_attente


# --- Shapes of input -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "lignes",
    [
        {"personnes-TOTAL_FORMS": "x", "personnes-INITIAL_FORMS": "0"},
        {"personnes-TOTAL_FORMS": "1000", "personnes-INITIAL_FORMS": "0"},
        {"personnes": '[{"cle": ""}]'},
    ],
)
def test_des_lignes_forgees_sont_refusees_sans_rien_casser(lignes, enfant, connecter):
    reponse = connecter("durand").post(f"/mes-enfants/{enfant('Léa').uuid}/autorisations/", lignes)
    assert reponse.status_code == 422
    assert not Demande.objects.filter(type="autorisations").exists()


def test_une_personne_sans_role_est_signalee_sur_sa_ligne(enfant, connecter):
    donnees = {f"personnes-0-{nom}": valeur for nom, valeur in personne(peut_chercher="").items() if valeur}
    donnees |= {"personnes-TOTAL_FORMS": "1", "personnes-INITIAL_FORMS": "0"}
    reponse = connecter("durand").post(f"/mes-enfants/{enfant('Léa').uuid}/autorisations/", donnees)
    assert reponse.status_code == 422
    page = reponse.content.decode()
    assert "être appelée, ou les deux" in page
    assert 'value="Lopez"' in page, "ce qui était saisi est rendu"


def test_rattacher_deux_fois_ne_fait_qu_un_rattachement(enfant, familles_de):
    lea = enfant("Léa")
    rattacher(lea, familles_de("durand"))
    assert lea.rattachements.count() == 1


def test_un_refus_sans_raison_est_refuse_aussi_pour_un_enfant(deposer, enfant, comptes):
    demande = deposer("durand", "sante", enfant=enfant("Léa"), traitements="Sirop")
    with pytest.raises(ValidationError):
        actions.refuser(demande.pk, par=comptes["agent"], motif=" ")
