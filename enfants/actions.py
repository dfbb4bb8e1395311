"""What changes children, their files and their households. Demandes and the admin both come through here."""

from datetime import date, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from enfants.models import (
    ConsultationSante,
    DocumentEnfant,
    Enfant,
    Garde,
    Informations,
    PersonneAutorisee,
    Rattachement,
    Sante,
)
from familles import actions as familles
from familles.actions import ecrire
from familles.models import Famille, Responsable, Utilisateur
from messagerie.models import Fil

CHAMPS_ETAT_CIVIL = ("prenom", "nom", "sexe", "date_naissance", "lieu_naissance")
CHAMPS_PERSONNE = ("prenom", "nom", "lien", "telephone", "peut_chercher", "urgence", "piece", "ordre")
CHAMPS_INFORMATIONS = (
    "appareil_dentaire",
    "lunettes",
    "appareil_auditif",
    "autre_appareil",
    "photo",
    "sortie_seul",
    "hospitalisation",
    "baignade",
    "sorties",
    "assurance_compagnie",
    "assurance_numero",
    "assurance_fin",
)
CHAMPS_SANTE = (
    "medecin_nom",
    "medecin_telephone",
    "allergies",
    "pai_revision",
    "pai_consignes",
    "traitements",
    "recommandations",
)


def verrouiller(enfant_id: int) -> Enfant:
    """Lock the child's row until the end of the transaction, after its families': two households queue up.

    ``no_key``: a mark on the sheet of a day, a row that names the child, does not wait for it: who marks holds the day
    that who accepts an absence waits for.
    """
    return Enfant.objects.select_for_update(of=("self",), no_key=True).get(pk=enfant_id)


def verrouiller_le_dossier(enfant_id: int) -> Enfant:
    """The same, its families' rows first, as every action that changes what they share."""
    foyers = Rattachement.objects.filter(enfant=enfant_id).values_list("famille_id", flat=True)
    for famille_id in sorted(set(foyers)):
        familles.verrouiller(famille_id)
    return verrouiller(enfant_id)


# --- The child and its households ------------------------------------------------------------------------


@transaction.atomic
def ajouter_enfant(famille: Famille, *, prenom: str, nom: str, ecole="", **etat_civil) -> Enfant:
    """The child appears under « Mes enfants » of this household, from today on.

    :param ecole: key of the school, "" when unknown.
    :param etat_civil: other columns of Enfant.
    """
    enfant = Enfant.objects.create(prenom=prenom, nom=nom, ecole_id=ecole or None, **etat_civil)
    rattacher(enfant, famille)
    return enfant


@transaction.atomic
def rattacher(enfant: Enfant, famille: Famille, *, du: date | None = None) -> None:
    """The household sees the child, from ``du`` (today) on; nothing changes when it already does."""
    du = du or timezone.localdate()
    if not enfant.rattachements.en_vigueur(du).filter(famille=famille).exists():
        enfant.rattachements.filter(famille=famille, valable_du__gt=du).delete()
        Rattachement.objects.create(enfant=enfant, famille=famille, valable_du=du)


@transaction.atomic
def reprendre(enfant: Enfant, famille: Famille) -> None:
    """A child on file already is attached to this household; one that had left comes back."""
    ecrire(enfant, {"archive_le": None})
    rattacher(enfant, famille)


@transaction.atomic
def detacher(enfant: Enfant, famille: Famille, *, a_partir_du: date) -> None:
    """From this day on the household no longer sees the child."""
    rattachements = enfant.rattachements.filter(famille=famille)
    rattachements.filter(valable_du__gte=a_partir_du).delete()
    rattachements.en_vigueur(a_partir_du).update(valable_au=a_partir_du - timedelta(days=1))


def doublons(enfants: list[dict]) -> list[Enfant]:
    """Children already on file with the same names, and the same birth date where both are known."""
    ressemble = Q()
    for enfant in enfants:
        memes_noms = Q(nom__unaccent__iexact=enfant["nom"], prenom__unaccent__iexact=enfant["prenom"])
        if enfant.get("date_naissance"):
            memes_noms &= Q(date_naissance=enfant["date_naissance"]) | Q(date_naissance=None)
        ressemble |= memes_noms
    return list(Enfant.objects.filter(ressemble)) if ressemble else []


@transaction.atomic
def separer(
    adulte: Responsable, *, le: date, adresse: dict, enfants: dict[int, str], par: Utilisateur | None = None
) -> Famille:
    """The adult gets a household of its own: own address, bank, income, invoices and inbox, from ``le`` on.

    What was issued before stays readable to both (AncienFoyer). The other adult keeps the household, its
    messages and its bank details.

    :param le: first day of the new household, today at the latest: accounts change at once.
    :param adresse: familles.actions.CHAMPS_ADRESSE of the new household.
    :param enfants: key of each child of the household -> « ancien », « nouveau » or « deux » : where it lives.
    :raises SeparationImpossible: the adult lives alone already, or the day is to come.
    """
    ancienne = familles.verrouiller(adulte.famille_id)
    adulte = Responsable.objects.select_related("utilisateur").get(pk=adulte.pk)
    if le > timezone.localdate():
        raise SeparationImpossible("Une séparation se note à partir du jour où elle a lieu, aujourd'hui au plus tard.")
    if adulte.famille_id != ancienne.pk or ancienne.responsables.count() < 2:
        raise SeparationImpossible(f"{adulte} est déjà seul adulte de son foyer.")
    partages = [
        (verrouiller(enfant.pk), enfants.get(enfant.pk, "ancien"))
        for enfant in Enfant.objects.de_la_famille(ancienne.pk).order_by("pk")
    ]
    nouvelle = familles.donner_un_foyer(adulte, adresse, le=le)
    Fil.objects.filter(destinataire=adulte).update(famille=nouvelle)
    for enfant, ou in partages:
        if ou == "ancien":
            continue
        rattacher(enfant, nouvelle, du=le)
        if ou == "nouveau":
            detacher(enfant, ancienne, a_partir_du=le)
        elif not Garde.objects.filter(enfant=enfant).exists():
            Garde.objects.create(enfant=enfant, premier_foyer=ancienne, second_foyer=nouvelle, premiere_semaine=le)
    return nouvelle


class SeparationImpossible(Exception):
    """Nothing was written; the text says why, to the agent."""


# --- The child's file ------------------------------------------------------------------------------------


@transaction.atomic
def modifier_etat_civil(enfant: Enfant, valeurs: dict) -> None:
    """The child's page shows the new names, dates and school; another school or level takes it out of its class.

    :param valeurs: any of CHAMPS_ETAT_CIVIL, ``ecole`` (key or ""), ``niveau``.
    """
    colonnes = {nom: valeurs[nom] for nom in (*CHAMPS_ETAT_CIVIL, "niveau") if nom in valeurs}
    if "ecole" in valeurs:
        colonnes["ecole_id"] = int(valeurs["ecole"]) if valeurs["ecole"] else None
        if colonnes["ecole_id"] != enfant.ecole_id:
            colonnes["classe"] = None
    ecrire(enfant, colonnes)


@transaction.atomic
def remplacer_personnes(enfant: Enfant, famille: Famille, personnes: list[dict]) -> None:
    """The household's list of trusted people becomes this one: added, changed, removed together.

    :param personnes: ``cle`` (uuid) and CHAMPS_PERSONNE of each.
    """
    actuelles = {str(p.uuid): p for p in enfant.personnes.filter(famille=famille)}
    gardees = {ligne["cle"] for ligne in personnes}
    for cle, personne in actuelles.items():
        if cle not in gardees:
            personne.delete()
    for ligne in personnes:
        personne = actuelles.get(ligne["cle"]) or PersonneAutorisee(enfant=enfant, famille=famille, uuid=ligne["cle"])
        valeurs = {nom: ligne[nom] for nom in CHAMPS_PERSONNE} | {"ordre": int(ligne["ordre"])}
        if personne.pk is None:
            for nom, valeur in valeurs.items():
                setattr(personne, nom, valeur)
            personne.save()
        else:
            ecrire(personne, valeurs)


@transaction.atomic
def modifier_informations(enfant: Enfant, valeurs: dict) -> None:
    """Devices, meals, authorisations and insurance change; the reminder follows the insurance's new end.

    :param valeurs: any of CHAMPS_INFORMATIONS, ``regime``. An authorisation left out stays as it is.
    """
    if "regime" in valeurs:
        ecrire(enfant, {"regime": valeurs["regime"]})
    fiche = Informations.objects.filter(enfant=enfant).first() or Informations(enfant=enfant)
    changees = ecrire(fiche, {nom: valeurs[nom] for nom in CHAMPS_INFORMATIONS if nom in valeurs})
    if "assurance_fin" in changees:
        _prolonger(enfant, "ASSURANCE", fiche.assurance_fin)


@transaction.atomic
def modifier_sante(enfant: Enfant, valeurs: dict) -> None:
    """The health sheet changes; new vaccination dates are to be checked by an agent again.

    :param valeurs: any of CHAMPS_SANTE, ``vaccinations`` (code -> ISO day), ``allergenes`` (codes), ``a_pai``.
    """
    sante = Sante.objects.filter(enfant=enfant).first() or Sante(enfant=enfant)
    colonnes = {nom: valeurs[nom] for nom in CHAMPS_SANTE if nom in valeurs}
    if "vaccinations" in valeurs:
        colonnes |= {"vaccinations": valeurs["vaccinations"], "vaccins_etat": "", "vaccins_jusqu_au": None}
    if "allergenes" in valeurs:
        colonnes["allergenes"] = ",".join(valeurs["allergenes"])
    changees = ecrire(sante, colonnes)
    if "a_pai" in valeurs:
        ecrire(enfant, {"a_pai": valeurs["a_pai"]})
    if "pai_revision" in changees:
        _prolonger(enfant, "PAI", sante.pai_revision)


@transaction.atomic
def verifier_vaccins(enfant: Enfant, *, vaccins_etat: str, vaccins_jusqu_au: date | None) -> None:
    """An agent has read the vaccination pages: up to date, admitted for three months, or medically exempted."""
    sante = Sante.objects.filter(enfant=enfant).first() or Sante(enfant=enfant)
    ecrire(sante, {"vaccins_etat": vaccins_etat, "vaccins_jusqu_au": vaccins_jusqu_au})


@transaction.atomic
def classer_document(
    enfant: Enfant, famille: Famille, nature: str, pieces: list[dict], *, expire_le: date | None
) -> None:
    """Papers of one nature join the child's file and take the place of the household's earlier ones.

    :param pieces: columns of Piece for each file, already stored.
    :param expire_le: last day they count; the household is reminded 30 days before.
    """
    anciens = enfant.documents.actuels().filter(famille=famille, nature=nature)
    anciens.update(remplace_le=timezone.now())
    DocumentEnfant.objects.bulk_create(
        DocumentEnfant(enfant=enfant, famille=famille, nature=nature, expire_le=expire_le, **piece) for piece in pieces
    )


@transaction.atomic
def corriger_document(document: DocumentEnfant, valeurs: dict) -> None:
    """An agent names a paper better, or changes its last day: the household is reminded anew.

    :param valeurs: ``nature``, ``expire_le``.
    """
    document = DocumentEnfant.objects.select_for_update(of=("self",)).get(pk=document.pk)
    if "expire_le" in ecrire(document, {nom: valeurs[nom] for nom in ("nature", "expire_le") if nom in valeurs}):
        ecrire(document, {"rappele_le": None})


def _prolonger(enfant, nature, expire_le):
    """The papers on file follow the date of the form, and are reminded anew."""
    enfant.documents.actuels().filter(nature=nature).update(expire_le=expire_le, rappele_le=None)


# --- Who read its health ---------------------------------------------------------------------------------


def noter_consultation(enfants: list[Enfant], *, par: Utilisateur, page: str) -> None:
    """Each child's family can read that this agent opened this page with health on it.

    :param page: its name as the family reads it, « Fiche d'urgence ».
    """
    ConsultationSante.objects.bulk_create(ConsultationSante(enfant=enfant, par=par, page=page) for enfant in enfants)
