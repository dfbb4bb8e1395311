"""What changes a family's file. Demandes and the admin both come through here."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.core import signing
from django.db import connection, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from familles.models import (
    AncienFoyer,
    CoordonneesBancaires,
    DossierCaf,
    Famille,
    QuotientFamilial,
    Responsable,
    SituationFiscale,
    Utilisateur,
)
from familles.regles.quotient import depuis_avis, effet_par_defaut, expiration_par_defaut
from portail.commune import Commune
from portail.outils.courriels import envoyer_modele
from portail.outils.liens import absolu

SEL_COURRIEL = "familles.courriel"
DUREE_LIEN_COURRIEL = 3 * 24 * 3600  # seconds


class LienInvalide(Exception):
    """A confirmation link that is wrong, too old, or overtaken by a newer request."""


@dataclass(frozen=True)
class Periode:
    """When a new quotient counts; None takes the commune's usual dates."""

    effet: date | None = None
    expiration: date | None = None
    source: str = QuotientFamilial.Source.ATTESTATION


PERIODE_HABITUELLE = Periode()


def verrouiller(famille_id: int) -> Famille:
    """Lock the family's row until the end of the transaction, so that two changes of its file queue up.

    ``no_key``: the word to a child's other household, a row that names it, does not wait for a lock held there.
    """
    return Famille.objects.select_for_update(of=("self",), no_key=True).get(pk=famille_id)


def ecrire(objet, valeurs: dict) -> list[str]:
    """Save the ``valeurs`` that differ, in one update of these columns; returns their names."""
    changees = [nom for nom, valeur in valeurs.items() if getattr(objet, nom) != valeur]
    for nom in changees:
        setattr(objet, nom, valeurs[nom])
    if changees:
        objet.save(update_fields=None if objet.pk is None else changees)
    return changees


CHAMPS_COMPTE = ("prenom", "nom")
CHAMPS_ADULTE = (
    "civilite",
    "telephone_mobile",
    "telephone_fixe",
    "telephone_travail",
    "profession",
    "employeur",
)
CHAMPS_ADRESSE = ("adresse", "complement", "code_postal", "ville")


def _choisir(valeurs, champs):
    return {nom: valeurs[nom] for nom in champs if nom in valeurs}


@transaction.atomic
def modifier_adulte(adulte: Responsable, valeurs: dict) -> None:
    """The adult's sheet shows the new name, phones and work; a new e-mail address waits for its link.

    :param valeurs: any of CHAMPS_COMPTE, CHAMPS_ADULTE, ``courriel``.
    """
    ecrire(adulte.utilisateur, _choisir(valeurs, CHAMPS_COMPTE))
    ecrire(adulte, _choisir(valeurs, CHAMPS_ADULTE))
    courriel = valeurs.get("courriel", "")
    if courriel and courriel != adulte.utilisateur.courriel:
        demander_courriel(adulte.utilisateur, courriel)


@transaction.atomic
def modifier_adresse(famille: Famille, valeurs: dict) -> None:
    """The household moves: both adults see the new address."""
    ecrire(famille, _choisir(valeurs, CHAMPS_ADRESSE))


@transaction.atomic
def ajouter_adulte(famille: Famille, rang: int, valeurs: dict) -> Responsable:
    """An adult joins the household, with an account that opens with the letter or the link of the mairie."""
    compte = Utilisateur.objects.create_user(
        _identifiant_libre(valeurs["prenom"], valeurs["nom"]),
        courriel=valeurs.get("courriel", ""),
        **_choisir(valeurs, CHAMPS_COMPTE),
    )
    return Responsable.objects.create(
        utilisateur=compte, famille=famille, rang=rang, **_choisir(valeurs, CHAMPS_ADULTE)
    )


def _identifiant_libre(prenom, nom):
    """« claire.durand », or « claire.durand2 » when taken. Two openings at once: the unique column decides."""
    from django.utils.text import slugify

    racine = ".".join(filter(None, (slugify(prenom), slugify(nom)))).replace("_", "-").strip("-.")[:34] or "famille"
    pris = set(Utilisateur.objects.filter(identifiant__startswith=racine).values_list("identifiant", flat=True))
    suites = (f"{racine}{n}" for n in range(2, len(pris) + 3))
    return racine if racine not in pris else next(s for s in suites if s not in pris)


def attendre_son_tour() -> None:
    """Openings of files queue up until the end of the transaction: the second agent sees the first's family."""
    with connection.cursor() as curseur:
        curseur.execute("SELECT pg_advisory_xact_lock(hashtext('ouverture de famille'))")


@transaction.atomic
def ouvrir_famille(*, responsable: dict, conjoint: dict | None, adresse: dict) -> Famille:
    """Open the file of a family from its paper form: household, adults and their accounts.

    :param responsable: values of the first adult (names and what modifier_adulte takes).
    :param conjoint: values of the second adult, None without.
    :param adresse: CHAMPS_ADRESSE.
    """
    attendre_son_tour()
    noms = [responsable["nom"]] + ([conjoint["nom"]] if conjoint else [])
    famille = Famille.objects.create(nom=" - ".join(dict.fromkeys(noms)), **_choisir(adresse, CHAMPS_ADRESSE))
    ajouter_adulte(famille, Responsable.Rang.RESPONSABLE, responsable)
    if conjoint:
        ajouter_adulte(famille, Responsable.Rang.CONJOINT, conjoint)
    return famille


@transaction.atomic
def donner_un_foyer(adulte: Responsable, adresse: dict, *, le: date) -> Famille:
    """The adult leaves the household for one of its own, and becomes its responsable; the other one stays.

    Messages written to this adult alone follow. To call with the household locked.

    :param adresse: CHAMPS_ADRESSE.
    :param le: first day of the new household.
    """
    ancienne = adulte.famille
    famille = Famille.objects.create(nom=adulte.utilisateur.nom, **_choisir(adresse, CHAMPS_ADRESSE))
    ecrire(adulte, {"famille": famille, "rang": Responsable.Rang.RESPONSABLE})
    AncienFoyer.objects.create(adulte=adulte, famille=ancienne, quitte_le=le)
    ancienne.responsables.filter(rang=Responsable.Rang.CONJOINT).update(rang=Responsable.Rang.RESPONSABLE)
    return famille


def doublons(adultes: list[dict]) -> list[Responsable]:
    """Adults already on file with the same name, e-mail or mobile as one of ``adultes``."""
    ressemble = Q()
    for adulte in adultes:
        ressemble |= Q(
            utilisateur__nom__unaccent__iexact=adulte["nom"],
            utilisateur__prenom__unaccent__iexact=adulte["prenom"],
        )
        if courriel := adulte.get("courriel"):
            ressemble |= Q(utilisateur__courriel__iexact=courriel)
        if mobile := adulte.get("telephone_mobile"):
            ressemble |= Q(telephone_mobile=mobile)
    trouves = Responsable.objects.filter(ressemble) if ressemble else Responsable.objects.none()
    return list(trouves.select_related("utilisateur", "famille").order_by("famille", "rang"))


# --- Income ----------------------------------------------------------------------------------------------


@transaction.atomic
def modifier_situation_fiscale(famille: Famille, valeurs: dict, *, par: Utilisateur, periode: Periode) -> None:
    """The tax sheet changes; with an income and parts, a dated quotient follows by the commune's formula.

    « Je ne communique pas mes revenus » writes a quotient without value: the highest bracket.
    """
    situation = SituationFiscale.objects.filter(famille=famille).first() or SituationFiscale(famille=famille)
    changees = ecrire(situation, valeurs)
    if situation.non_communique:
        if "non_communique" in changees:
            refuser_quotient(famille, par=par, periode=periode)
    elif (
        situation.revenu_fiscal
        and situation.parts
        and {"revenu_fiscal", "parts", "annee", "non_communique"} & set(changees)
    ):
        valeur = depuis_avis(
            Decimal(situation.revenu_fiscal), Decimal(situation.parts), Commune.actuelle().quotient_abattement
        )
        enregistrer_quotient(famille, valeur, par=par, mois=None, periode=periode, source=QuotientFamilial.Source.AVIS)


@transaction.atomic
def modifier_dossier_caf(
    famille: Famille, valeurs: dict, quotient: dict | None, *, par: Utilisateur, periode: Periode
) -> None:
    """The CAF sheet changes, and the quotient when one is given.

    :param valeurs: caisse, numero_allocataire.
    :param quotient: ``{"valeur": Decimal | None, "mois": date | None}`` when it changes (valeur None: not told),
        None when it stays.
    """
    ecrire(DossierCaf.objects.filter(famille=famille).first() or DossierCaf(famille=famille), valeurs)
    if quotient is None:
        return
    if quotient["valeur"] is None:
        refuser_quotient(famille, par=par, periode=periode)
    else:
        enregistrer_quotient(
            famille, quotient["valeur"], par=par, mois=quotient["mois"], periode=periode, source=periode.source
        )


@transaction.atomic
def enregistrer_quotient(
    famille: Famille,
    valeur: Decimal | None,
    *,
    source: str,
    mois: date | None,
    periode: Periode,
    par: Utilisateur | None,
) -> QuotientFamilial:
    """From the date of effect on, the family's prices follow this quotient.

    The one before ends the day before; one that would have started later gives way. Default dates: first of
    the next month, to the commune's last month of validity.
    """
    verrouiller(famille.pk)
    aujourdhui = timezone.localdate()
    effet = periode.effet or effet_par_defaut(aujourdhui)
    expiration = periode.expiration or expiration_par_defaut(effet, Commune.actuelle().quotient_mois_fin)
    famille.quotients.filter(valable_du__gte=effet).delete()
    famille.quotients.filter(Q(valable_au__gte=effet) | Q(valable_au=None)).update(valable_au=effet - timedelta(days=1))
    return QuotientFamilial.objects.create(
        famille=famille,
        valeur=valeur,
        source=source,
        mois=mois,
        valable_du=effet,
        valable_au=expiration,
        saisi_par=par,
    )


def dernier_quotient(famille: Famille) -> QuotientFamilial | None:
    """The last quotient told, in force, still to come or expired."""
    return famille.quotients.order_by("-valable_du").first()


def refuser_quotient(famille: Famille, *, par: Utilisateur, periode: Periode) -> QuotientFamilial:
    """« Je ne communique pas » : the highest bracket, from the date of effect on."""
    return enregistrer_quotient(
        famille, None, source=QuotientFamilial.Source.NON_COMMUNIQUE, mois=None, periode=periode, par=par
    )


@transaction.atomic
def modifier_coordonnees_bancaires(famille: Famille, valeurs: dict) -> None:
    """The household's bank details change; the caller tells both adults."""
    actuelles = CoordonneesBancaires.objects.filter(famille=famille).first()
    ecrire(actuelles or CoordonneesBancaires(famille=famille), valeurs)


# --- E-mail address --------------------------------------------------------------------------------------


@transaction.atomic
def demander_courriel(utilisateur: Utilisateur, courriel: str) -> None:
    """A link leaves for the new address; the account keeps the old one until it is followed."""
    ecrire(utilisateur, {"courriel_en_attente": courriel})
    jeton = signing.dumps([utilisateur.pk, courriel], salt=SEL_COURRIEL)
    envoyer_modele("confirmer_adresse", courriel, lien=absolu(reverse("confirmer_courriel", args=[jeton])))


def lire_jeton_courriel(jeton: str) -> tuple[int, str]:
    """Account and address of a confirmation link; LienInvalide when it is wrong or older than three days."""
    try:
        pk, courriel = signing.loads(jeton, salt=SEL_COURRIEL, max_age=DUREE_LIEN_COURRIEL)
    except signing.BadSignature as erreur:
        raise LienInvalide from erreur
    return pk, courriel


def courriel_a_confirmer(jeton: str) -> str:
    """The address that a link would confirm; LienInvalide when it no longer would."""
    pk, courriel = lire_jeton_courriel(jeton)
    if not Utilisateur.objects.filter(pk=pk, courriel_en_attente=courriel).exists():
        raise LienInvalide
    return courriel


@transaction.atomic
def confirmer_courriel(jeton: str) -> Utilisateur:
    """The link was followed: the account takes the new address and the old one is told."""
    pk, courriel = lire_jeton_courriel(jeton)
    utilisateur = Utilisateur.objects.select_for_update(of=("self",)).filter(pk=pk).first()
    if utilisateur is None or utilisateur.courriel_en_attente != courriel:
        raise LienInvalide
    ancien = utilisateur.courriel
    ecrire(utilisateur, {"courriel": courriel, "courriel_en_attente": ""})
    if ancien:
        envoyer_modele("adresse_remplacee", ancien)
    return utilisateur
