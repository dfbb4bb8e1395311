"""Mass assignment (qualite.md A7): a form posted with every field of every model changes only what it is for."""

import datetime
import json
from uuid import uuid4

import pytest
from django.apps import apps
from django.core import signing
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, models
from django.utils import timezone

from demandes import actions
from demandes.forms.enfants import PersonneForm
from demandes.models import Demande, PieceJointe
from demandes.types import DU_DOSSIER as TYPES
from enfants.models import Enfant, Informations, PersonneAutorisee, Sante
from facturation import actions as encaissements
from facturation.models import AttestationFiscale, Facture, Regie, Reglement
from familles import acces
from familles.actions import SEL_COURRIEL
from familles.models import CoordonneesBancaires, DossierCaf, Famille, Responsable, SituationFiscale, Utilisateur
from messagerie.models import Preference, Rangement, ServiceMairie
from portail.outils.fichiers import ranger
from tests.canaris import papier
from tests.facturation.exemplaires import une_de_chaque
from tests.saisie import saisie

pytestmark = pytest.mark.django_db

APPLICATIONS = {"auth", "demandes", "enfants", "familles", "facturation", "messagerie", "portail"}
# Machinery that follows any write: sessions, waking tasks, the record of changes.
SUITES = ("django_session", "django_tasks_database_dbtaskresult", "pghistory_context")


# --- What changed in the whole database ------------------------------------------------------------------


def photographie() -> dict[str, dict]:
    """Every row of every table, by table and key."""
    photo = {}
    with connection.cursor() as curseur:
        for table in connection.introspection.table_names(curseur):
            if table not in SUITES and not table.endswith("event"):
                curseur.execute(f'SELECT to_jsonb(t)::text FROM "{table}" t')  # noqa: S608
                lignes = [json.loads(ligne) for (ligne,) in curseur.fetchall()]
                photo[table] = {ligne.get("id", str(ligne)): ligne for ligne in lignes}
    return photo


def changements(avant, apres) -> dict[tuple, set[str]]:
    """``{(table, key): changed columns}``; {"+"} for a new row, {"-"} for a lost one."""
    trouves = {}
    for table, lignes in apres.items():
        for cle in lignes.keys() | avant[table].keys():
            ancienne, nouvelle = avant[table].get(cle), lignes.get(cle)
            if ancienne is None or nouvelle is None:
                trouves[table, cle] = {"+" if ancienne is None else "-"}
            elif ancienne != nouvelle:
                trouves[table, cle] = {colonne for colonne in nouvelle if ancienne[colonne] != nouvelle[colonne]}
    return trouves


@pytest.fixture
def ce_qui_change():
    """``ce_qui_change(geste)``: what ``geste`` wrote, rows of mails aside (the service is told)."""

    def mesurer(geste):
        avant = photographie()
        geste()
        trouves = changements(avant, photographie())
        return {ou: colonnes for ou, colonnes in trouves.items() if ou[0] != "messagerie_courriel"}

    return mesurer


# --- What a thief would post -----------------------------------------------------------------------------


@pytest.fixture
def victimes(famille_martin, comptes):
    """A pending demande of each kind, with a paper, in the household that nothing may reach."""
    demandes, zoe = {}, famille_martin.rattachements.get().enfant
    for type_, genre in TYPES.items():
        demande = Demande.objects.create(
            type=type_,
            famille=famille_martin,
            enfant=zoe if genre.par_enfant else None,
            valeurs_demandees={"nom": "x"},
            deposee_par=comptes["martin"],
        )
        PieceJointe.objects.create(
            demande=demande, deposee_par=comptes["martin"], **ranger("a.pdf", "application/pdf", papier("a"))
        )
        demandes[type_] = demande
    return demandes


def _valeur(champ, objets):
    """A value of another family, or one that would be worth having."""
    if champ.is_relation:
        return objets.get(champ.related_model, 1)
    if champ.primary_key:
        return objets.get(champ.model, 1)
    if isinstance(champ, models.UUIDField):
        return objets[Demande, "uuid"]
    if champ.name == "etat":
        return "ACCEPTEE"
    if isinstance(champ, models.BooleanField):
        return "on"
    if isinstance(champ, models.IntegerField | models.DecimalField):
        return "7"
    if isinstance(champ, models.DateField):
        return "2026-01-01"
    return "pirate"


@pytest.fixture
def butin(victimes, famille_martin, comptes):
    """``{name: value}``: all the fields of all the models, aimed at Martin's household."""
    demande = victimes["caf"]
    objets = {
        type(famille_martin): famille_martin.pk,
        Utilisateur: comptes["martin"].pk,
        Responsable: comptes["martin"].responsable.pk,
        Demande: demande.pk,
        (Demande, "uuid"): str(demande.uuid),
        PieceJointe: demande.pieces.get().pk,
        Enfant: famille_martin.rattachements.get().enfant_id,
    }
    noms = {"cle": str(demande.uuid), "pk": str(demande.pk), "user": str(comptes["martin"].pk), "username": "martin"}
    for modele in apps.get_models():
        if modele._meta.app_label in APPLICATIONS and not modele.__name__.endswith("Event"):
            for champ in [*modele._meta.concrete_fields, *modele._meta.many_to_many]:
                valeur = str(_valeur(champ, objets))
                noms |= {champ.name: valeur, getattr(champ, "attname", champ.name): valeur}
    assert len(noms) > 70
    return noms


# What leads to somebody else's rows, or to rights: tried one at a time too.
CLES = ["id", "pk", "uuid", "famille", "famille_id", "enfant", "enfant_id", "utilisateur", "demande", "type", "rang"]
CLES += ["etat", "version", "deposee_par", "traitee_par", "traitee_le", "is_staff", "is_superuser", "groups"]
CLES += ["identifiant", "classe", "archive_le", "vaccins_etat", "cle"]


# --- Demandes --------------------------------------------------------------------------------------------

# Kind -> two values that a parent asks for, and where they land once accepted.
DEMANDES = {
    "responsable": ({"profession": "Potière"}, {"profession": "Vannière"}, Responsable),
    "conjoint": ({"profession": "Potier"}, {"profession": "Vannier"}, Responsable),
    "fiscales": ({"regime": "MSA"}, {"regime": "AUTRE"}, SituationFiscale),
    "caf": ({"caisse": "MSA Centre"}, {"caisse": "MSA Berry"}, DossierCaf),
    "bancaires": ({"titulaire": "C. Durand"}, {"titulaire": "J. Durand"}, CoordonneesBancaires),
    "etat-civil": ({"lieu_naissance": "Bourges"}, {"lieu_naissance": "Vierzon"}, Enfant),
    "informations": ({"assurance_numero": "SC-1"}, {"assurance_numero": "SC-2"}, Informations),
    "sante": ({"traitements": "Sirop"}, {"traitements": "Collyre"}, Sante),
}
PERSONNES = {"personnes-0-telephone": "06 39 98 10 98"}
AJOUT = {"prenom": "Lou", "nom": "Durand", "date_naissance": "2023-05-14"}


@pytest.fixture
def lea(distribution):
    return Enfant.objects.get(prenom="Léa")


@pytest.fixture
def remplir(durand, lea):
    """``remplir("caf", {"caisse": "MSA"})``: the form as the page fills it, with the values asked for."""
    return lambda type_, demandees: saisie(durand.get(adresse(type_, lea)).context["form"]) | demandees


@pytest.fixture
def poster(durand, lea):
    def poster(type_, donnees, **autres):
        reponse = durand.post(adresse(type_, lea), donnees | autres)
        assert reponse.status_code == 302, reponse.context["form"].errors

    return poster


def adresse(type_, enfant):
    return TYPES[type_].url(enfant if TYPES[type_].par_enfant else None)


@pytest.fixture
def durand(connecter, famille_durand):
    """Claire's browser; nothing of her household is pending."""
    famille_durand.demandes.filter(etat="EN_ATTENTE").delete()
    return connecter("durand")


def identite(demande):
    """What the family does not choose."""
    return (
        demande.famille.nom,
        demande.type,
        demande.etat,
        str(demande.deposee_par),
        demande.traitee_par,
        demande.enfant and demande.enfant.prenom,
    )


def voulu(type_):
    return ("Durand", type_, "EN_ATTENTE", "Claire Durand", None, "Léa" if TYPES[type_].par_enfant else None)


def du_dossier(ecrit):
    """What was written of the families, the children and the rights."""
    return {ou: colonnes for ou, colonnes in ecrit.items() if ou[0].startswith(("familles_", "enfants_", "auth_"))}


@pytest.mark.parametrize("type_", DEMANDES)
def test_une_demande_ne_prend_que_les_champs_de_son_formulaire(
    type_, remplir, poster, butin, famille_durand, lea, comptes, ce_qui_change
):
    premiere, seconde, modele = DEMANDES[type_]
    envoi = remplir(type_, premiere)
    vol = {nom: valeur for nom, valeur in butin.items() if nom not in TYPES[type_].formulaire.base_fields}

    ecrit = ce_qui_change(lambda: poster(type_, envoi, **vol))
    demande = famille_durand.demandes.get(etat="EN_ATTENTE")
    assert ecrit == {("demandes_demande", demande.pk): {"+"}}
    assert (identite(demande), demande.version, demande.valeurs_demandees) == (voulu(type_), 1, premiere)

    ecrit = ce_qui_change(lambda: poster(type_, envoi | seconde, **vol))
    demande.refresh_from_db()
    assert ecrit == {("demandes_demande", demande.pk): {"valeurs_demandees", "modifiee_le", "version"}}
    assert (identite(demande), demande.version, demande.valeurs_demandees) == (voulu(type_), 2, seconde)

    ecrit = ce_qui_change(lambda: actions.accepter(demande.pk, par=comptes["agent"]))
    if modele is Enfant:
        ligne = lea
    elif TYPES[type_].par_enfant:
        ligne = modele.objects.get(enfant=lea)
    else:
        rang = {"rang": 2 if type_ == "conjoint" else 1} if modele is Responsable else {}
        ligne = modele.objects.get(famille=famille_durand, **rang)
    assert du_dossier(ecrit) == {(modele._meta.db_table, ligne.pk): set(seconde)}


def test_une_personne_designee_ne_prend_que_les_champs_de_sa_ligne(
    remplir, poster, butin, famille_durand, lea, comptes, ce_qui_change
):
    envoi = remplir("autorisations", PERSONNES)
    vol = butin | {f"personnes-0-{n}": v for n, v in butin.items() if n not in PersonneForm.base_fields}
    ecrit = ce_qui_change(lambda: poster("autorisations", envoi, **vol))
    demande = famille_durand.demandes.get(etat="EN_ATTENTE")
    assert ecrit == {("demandes_demande", demande.pk): {"+"}}
    assert (identite(demande), set(demande.valeurs_demandees)) == (voulu("autorisations"), {"personnes"})
    ecrit = ce_qui_change(lambda: actions.accepter(demande.pk, par=comptes["agent"]))
    assert du_dossier(ecrit) == {("enfants_personneautorisee", lea.personnes.first().pk): {"telephone"}}


def test_la_personne_d_une_autre_famille_ne_se_prend_pas(remplir, poster, famille_durand, lea, comptes, ce_qui_change):
    """By its key, which would move it or change its number."""
    samia = PersonneAutorisee.objects.get(prenom="Samia")
    poster("autorisations", remplir("autorisations", PERSONNES | {"personnes-0-cle": str(samia.uuid)}))
    demande = famille_durand.demandes.get(etat="EN_ATTENTE")
    ecrit = ce_qui_change(lambda: actions.accepter(demande.pk, par=comptes["agent"]))
    assert ("enfants_personneautorisee", samia.pk) not in ecrit
    assert {famille.nom for famille in Famille.objects.filter(personnes__enfant=lea)} == {"Durand"}


def test_un_enfant_ajoute_ne_prend_que_les_champs_de_son_formulaire(
    remplir, poster, butin, famille_durand, comptes, ce_qui_change
):
    vol = {nom: valeur for nom, valeur in butin.items() if nom not in TYPES["ajout-enfant"].formulaire.base_fields}
    ecrit = ce_qui_change(lambda: poster("ajout-enfant", remplir("ajout-enfant", AJOUT), **vol))
    demande = famille_durand.demandes.get(etat="EN_ATTENTE")
    assert ecrit == {("demandes_demande", demande.pk): {"+"}}
    assert (identite(demande), demande.valeurs_demandees) == (voulu("ajout-enfant"), AJOUT | {"regime": "STANDARD"})
    ecrit = ce_qui_change(lambda: actions.accepter(demande.pk, par=comptes["agent"]))
    lou = Enfant.objects.get(prenom="Lou")
    rattachement = lou.rattachements.get(famille=famille_durand)
    assert du_dossier(ecrit) == {("enfants_enfant", lou.pk): {"+"}, ("enfants_rattachement", rattachement.pk): {"+"}}
    assert (lou.a_pai, lou.archive_le, lou.classe, lou.ecole) == (False, None, None, None)
    assert str(lou.uuid) != butin["uuid"]


# Days and registrations have pages of their own, and tests beside them.
PAR_FORMULAIRE = [code for code, genre in TYPES.items() if not genre.au_planning and not genre.par_objet]


@pytest.mark.parametrize("type_", PAR_FORMULAIRE)
def test_aucun_identifiant_glisse_dans_une_demande_ne_la_detourne(
    type_, remplir, poster, butin, famille_durand, ce_qui_change
):
    premiere = {"autorisations": PERSONNES, "ajout-enfant": AJOUT}.get(type_) or DEMANDES[type_][0]
    envoi = remplir(type_, premiere)
    poster(type_, envoi)
    demande = famille_durand.demandes.get(etat="EN_ATTENTE")
    for nom in CLES:
        ecrit = ce_qui_change(lambda nom=nom: poster(type_, envoi, **{nom: butin[nom]}))
        # Asked again with the same values: it is the same demande, sent later.
        assert ecrit == {("demandes_demande", demande.pk): {"modifiee_le", "version"}}, nom


# --- Papers ----------------------------------------------------------------------------------------------


def test_une_piece_jointe_ne_va_qu_a_la_demande_de_qui_l_envoie(
    remplir, poster, butin, famille_durand, comptes, ce_qui_change
):
    envoi = remplir("bancaires", {"titulaire": "C. Durand"})
    vol = {nom: valeur for nom, valeur in butin.items() if nom not in envoi | {"iban": "", "bic": ""}}
    rib = SimpleUploadedFile("rib.pdf", papier("rib"), "application/pdf")
    ecrit = ce_qui_change(lambda: poster("bancaires", envoi, pieces=[rib], **vol))
    demande = famille_durand.demandes.get(etat="EN_ATTENTE")
    piece = demande.pieces.get()
    assert ecrit == {("demandes_demande", demande.pk): {"+"}, ("demandes_piecejointe", piece.pk): {"+"}}
    assert (piece.nom, piece.deposee_par, piece.type_mime) == ("rib.pdf", comptes["durand"], "application/pdf")
    assert piece.fichier.name.startswith("pieces/")
    assert (piece.nature, str(piece.uuid) == butin["uuid"]) == ("", False)


def test_un_papier_de_l_enfant_ne_va_qu_a_son_dossier(
    remplir, poster, butin, famille_durand, lea, comptes, ce_qui_change
):
    envoi = remplir("sante", {})
    vol = {nom: valeur for nom, valeur in butin.items() if nom not in TYPES["sante"].formulaire.base_fields}
    poster("sante", envoi, piece_VACCINS=SimpleUploadedFile("v.pdf", papier("v"), "application/pdf"), **vol)
    demande = famille_durand.demandes.get(etat="EN_ATTENTE")
    ecrit = ce_qui_change(lambda: actions.accepter(demande.pk, par=comptes["agent"]))
    document = lea.documents.get()
    assert du_dossier(ecrit) == {("enfants_documentenfant", document.pk): {"+"}}
    assert (document.famille, document.nature, document.remplace_le) == (famille_durand, "VACCINS", None)


def test_on_ne_retire_que_ses_propres_pieces(durand, remplir, poster, victimes, famille_durand, comptes, ce_qui_change):
    envoi = remplir("caf", {"caisse": "MSA"})
    poster("caf", envoi, pieces=[SimpleUploadedFile("a.pdf", papier("a"), "application/pdf")])
    sienne = famille_durand.demandes.get(etat="EN_ATTENTE").pieces.get()
    etrangere = victimes["caf"].pieces.get()

    def essayer(*retirer):
        donnees = envoi | {"retirer": [str(piece.uuid) for piece in retirer]}
        return lambda: reponses.append(durand.post("/mon-compte/caf/", donnees).status_code)

    reponses = []
    assert ce_qui_change(essayer(etrangere)) == {}
    assert ce_qui_change(essayer(sienne, etrangere)) == {}
    assert ("demandes_piecejointe", sienne.pk) in ce_qui_change(essayer(sienne))
    assert reponses == [422, 422, 302]
    assert list(PieceJointe.objects.filter(pk__in=[sienne.pk, etrangere.pk])) == [etrangere]


def test_retirer_une_demande_ne_retire_que_celle_de_l_adresse(
    durand, remplir, poster, butin, famille_durand, ce_qui_change
):
    poster("caf", remplir("caf", {"caisse": "MSA"}))
    demande = famille_durand.demandes.get(etat="EN_ATTENTE")
    ecrit = ce_qui_change(lambda: durand.post(f"/demandes/{demande.uuid}/retirer/", butin))
    assert ecrit == {("demandes_demande", demande.pk): {"etat", "traitee_le", "traitee_par_id"}}
    demande.refresh_from_db()
    assert (demande.etat, str(demande.traitee_par)) == ("RETIREE", "Claire Durand")


# --- Messages --------------------------------------------------------------------------------------------


def test_un_message_ne_prend_que_ce_que_la_famille_ecrit(durand, butin, famille_durand, comptes, ce_qui_change):
    service = ServiceMairie.objects.get(code="comptabilite")
    saisie = {"service": service.pk, "sujet": "Goûter", "corps": "Bonjour.", "cle": str(uuid4())}
    vol = {nom: valeur for nom, valeur in butin.items() if nom not in {*saisie, "prive"}}
    ecrit = ce_qui_change(lambda: durand.post("/messagerie/nouveau/", vol | saisie))
    fil = famille_durand.fils.get(sujet="Goûter")
    message = fil.messages.get()
    assert ecrit == {("messagerie_fil", fil.pk): {"+"}, ("messagerie_message", message.pk): {"+"}}
    assert (fil.service, fil.etat, fil.destinataire, fil.contexte) == (service, "EN_ATTENTE", None, "")
    assert (fil.affecte_a, fil.lu_mairie_le, str(fil.uuid) == butin["uuid"]) == (None, None, False)
    assert (message.auteur, message.de_la_mairie, message.lien) == (comptes["durand"], False, "")

    reponse = {"corps": "Et aussi…", "cle": str(uuid4())}
    ecrit = ce_qui_change(lambda: durand.post(f"/messagerie/{fil.uuid}/", butin | reponse))
    suite = fil.messages.latest("pk")
    assert ecrit == {("messagerie_fil", fil.pk): {"dernier_le", "famille_le"}, ("messagerie_message", suite.pk): {"+"}}


def test_ranger_ne_touche_que_le_fil_coche(durand, butin, famille_durand, comptes, ce_qui_change):
    fil, claire = famille_durand.fils.first(), comptes["durand"].responsable
    saisie = {"geste": "supprimer", "fil": str(fil.uuid)}
    ecrit = ce_qui_change(lambda: durand.post("/messagerie/ranger/", butin | saisie))
    rangement = Rangement.objects.get(fil=fil, adulte=claire)
    assert ecrit == {("messagerie_rangement", rangement.pk): {"+"}}


def test_choisir_ses_courriels_ne_change_que_les_siens(durand, butin, comptes, ce_qui_change):
    ecrit = ce_qui_change(lambda: durand.post("/mon-compte/courriels/", butin | {"rythme": "AUCUN"}))
    preference = Preference.objects.get()
    assert (ecrit, preference.adulte) == (
        {("messagerie_preference", preference.pk): {"+"}},
        comptes["durand"].responsable,
    )


# --- Money -----------------------------------------------------------------------------------------------


@pytest.fixture
def facture(famille_durand, lea, comptes):
    """What the Durand household still owes; Martin's has as much."""
    for famille in (famille_durand, comptes["martin"].responsable.famille):
        enfant = famille.rattachements.order_by("pk").first().enfant
        Enfant.objects.filter(pk=enfant.pk).update(date_naissance=timezone.localdate() - datetime.timedelta(days=2500))
        enfant.refresh_from_db()
        une_de_chaque(famille, [enfant], par=comptes["agent"])
    reglement = Reglement.objects.get(famille=famille_durand, moyen="PRELEVEMENT")
    encaissements.annuler_reglement(reglement, motif="rejet", par=comptes["agent"])
    return reglement.imputations.first().facture


def test_payer_ne_demande_que_ce_que_la_facture_dit(durand, butin, facture, comptes, ce_qui_change):
    Utilisateur.objects.filter(pk=comptes["durand"].pk).update(courriel="claire@famille.example")
    Regie.objects.filter(pk=facture.regie_id).update(payfip="REDIRECTION")
    ecrit = ce_qui_change(lambda: durand.post(f"/factures/{facture.uuid}/payer/", butin))
    tentative = facture.tentatives.get()
    assert ecrit == {("facturation_tentativepaiement", tentative.pk): {"+"}}
    assert (tentative.montant, tentative.reference) == (facture.total, facture.reference)
    assert (tentative.par, tentative.courriel) == (comptes["durand"], "claire@famille.example")
    assert (tentative.issue, tentative.confirmee, tentative.reglement) == ("INCONNU", False, None)


def test_une_attestation_ne_dit_que_ce_que_le_foyer_a_paye(durand, butin, facture, comptes, ce_qui_change):
    deja = AttestationFiscale.objects.get(famille=facture.famille)
    AttestationFiscale.objects.filter(pk=deja.pk).delete()
    adresse = f"/releve/attestations/{deja.annee}/{deja.enfant.uuid}/"
    ecrit = ce_qui_change(lambda: durand.post(adresse, butin))
    faite = AttestationFiscale.objects.get(famille=facture.famille)
    assert ecrit == {("facturation_attestationfiscale", faite.pk): {"+"}}
    assert (faite.montant, faite.contenu, faite.faite_pour) == (deja.montant, deja.contenu, comptes["durand"])


def test_encaisser_ne_touche_que_le_compte_de_l_adresse(connecter, butin, facture, ce_qui_change):
    """An agent's form too: whose account moves is said by the address, the invoices by what is due there."""
    adresse = f"/admin/reglements/nouveau/?famille={facture.famille_id}"
    autre = Facture.objects.emises().filter(famille__nom="Martin").earliest("pk")
    envoi = {"regie": facture.regie_id, "moyen": "CHEQUE", "montant": "5,00", "recu_le": "2026-11-02"}
    envoi |= {"reference": "", "cle": str(uuid4())}
    agent, avant = connecter("comptable"), set(Reglement.objects.values_list("pk", flat=True))
    assert agent.post(adresse, butin | envoi | {f"part-{autre.pk}": "5,00"}).status_code == 422
    ecrit = ce_qui_change(lambda: agent.post(adresse, butin | envoi))
    fait = Reglement.objects.exclude(pk__in=avant).get()
    assert {table for table, _ in ecrit} == {
        *("facturation_reglement", "facturation_ecriture", "facturation_imputation"),
    }
    assert (len(ecrit), set(map(frozenset, ecrit.values()))) == (3, {frozenset("+")})
    assert (fait.famille, fait.montant, fait.remise, fait.saisi_par.identifiant) == (
        *(facture.famille, 5, None, "comptable"),
    )


# --- Ways in ---------------------------------------------------------------------------------------------

NOUVEAU = {"new_password1": "Coquelicot2027", "new_password2": "Coquelicot2027"}


def test_changer_son_mot_de_passe_ne_change_que_le_sien(durand, butin, comptes, mot_de_passe, ce_qui_change):
    donnees = butin | NOUVEAU | {"ancien": mot_de_passe}
    ecrit = ce_qui_change(lambda: durand.post("/mot-de-passe/", donnees))
    assert ecrit == {("familles_utilisateur", comptes["durand"].pk): {"password"}}
    assert Utilisateur.objects.get(identifiant="durand").check_password("Coquelicot2027")


def test_le_lien_du_mot_de_passe_oublie_ne_change_que_son_compte(client, butin, comptes, ce_qui_change):
    page = client.get(acces.lien_mot_de_passe(comptes["durand"]), follow=True).request["PATH_INFO"]
    ecrit = ce_qui_change(lambda: client.post(page, butin | NOUVEAU))
    assert ecrit == {("familles_utilisateur", comptes["durand"].pk): {"password"}}


def test_le_lien_d_une_adresse_ne_confirme_que_la_sienne(client, butin, comptes, ce_qui_change):
    durand = comptes["durand"]
    Utilisateur.objects.filter(pk=durand.pk).update(courriel_en_attente="neuve@famille.example")
    jeton = signing.dumps([durand.pk, "neuve@famille.example"], salt=SEL_COURRIEL)
    ecrit = ce_qui_change(lambda: client.post(f"/adresse-e-mail/{jeton}/", butin))
    assert ecrit == {("familles_utilisateur", durand.pk): {"courriel", "courriel_en_attente"}}
    assert Utilisateur.objects.get(pk=durand.pk).courriel == "neuve@famille.example"


def test_signaler_un_oubli_n_ecrit_que_ce_qui_est_tape(client, butin, ce_qui_change):
    ecrit = ce_qui_change(lambda: client.post("/mot-de-passe/oublie/", butin | {"saisie": "durand"}))
    oubli = apps.get_model("familles", "OubliMotDePasse").objects.get()
    assert ecrit == {("familles_oublimotdepasse", oubli.pk): {"+"}}
    assert (oubli.saisie, oubli.traite_le) == ("durand", None)
    assert timezone.now() - oubli.demande_le < datetime.timedelta(minutes=5)


def test_se_connecter_ne_change_que_la_date_de_connexion(client, butin, comptes, mot_de_passe, ce_qui_change):
    donnees = butin | {"username": "durand", "password": mot_de_passe}
    ecrit = ce_qui_change(lambda: client.post("/connexion/", donnees))
    assert ecrit == {("familles_utilisateur", comptes["durand"].pk): {"last_login"}}
