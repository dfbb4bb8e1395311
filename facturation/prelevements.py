"""Direct debits: mandates, the lot of a day, what came back from the bank. Amounts are euros."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import NAMESPACE_URL, uuid5

from django.db import transaction
from django.db.models import Max, Q
from django.utils import timezone
from schwifty import IBAN

from enfants.regles.dates import en_clair
from facturation import actions
from facturation.actions import ActionImpossible, verrouiller
from facturation.instantanes import avance_de
from facturation.models import Facture, LotPrelevement, Mandat, Moyen, Prelevement, Regie
from facturation.regles.sepa import PREAVIS, REJETS, derniers_jours, est_ics, jour_annonce
from familles.champs import masquer_iban
from familles.models import CoordonneesBancaires, Famille, Utilisateur
from messagerie.actions import notifier
from portail.commune import Commune
from portail.outils.argent import euros


def verifier_creancier(regie: Regie) -> None:
    """:raises ActionImpossible: what a bank asks of the régie is missing."""
    if regie.est_titre:
        raise ActionImpossible(f"«\u00a0{regie}\u00a0» est encaissé par la trésorerie\u00a0: elle prélève elle-même.")
    if not est_ics(regie.ics):
        raise ActionImpossible(f"L'identifiant créancier (ICS) de «\u00a0{regie}\u00a0» manque ou n'est pas valable.")
    if not regie.titulaire or not IBAN(regie.iban, allow_invalid=True).is_valid:
        raise ActionImpossible(
            f"L'IBAN ou le titulaire du compte de «\u00a0{regie}\u00a0» manque ou n'est pas valable."
        )
    if regie.dft_service and not Commune.actuelle().siret:
        raise ActionImpossible("Un compte DFT demande le SIRET de la commune\u00a0: complétez sa fiche.")


# --- Mandates ----------------------------------------------------------------------------------------------


@transaction.atomic
def creer_mandat(famille: Famille, *, regie: Regie, signe_le: date, par: Utilisateur) -> Mandat:
    """From the next invoices on, the family reads the day on which its account is debited.

    The account is the one of its file, copied: a mandate is for one account.

    :raises ActionImpossible: no account in the file, a mandate already, a day to come, a régie that cannot debit.
    """
    verrouiller([famille.pk])
    verifier_creancier(regie)
    compte = CoordonneesBancaires.objects.filter(famille=famille).first()
    if compte is None or not compte.iban:
        raise ActionImpossible("Le dossier de cette famille n'a pas d'IBAN.")
    if signe_le > timezone.localdate():
        raise ActionImpossible("La date de signature est à venir.")
    if Mandat.objects.filter(famille=famille, regie=regie, revoque_le=None).exists():
        raise ActionImpossible("Cette famille a déjà un mandat en cours pour cette régie.")
    rang = Mandat.objects.filter(famille=famille).count() + 1
    return Mandat.objects.create(
        famille=famille,
        regie=regie,
        rum=f"PF-{regie.pk:03d}-{famille.pk:06d}-{rang:02d}",
        titulaire=compte.titulaire[:70] or famille.nom[:70],
        iban=compte.iban,
        bic=compte.bic,
        signe_le=signe_le,
        cree_par=par,
    )


@transaction.atomic
def revoquer(mandat: Mandat, *, le: date) -> None:
    """The family's account is debited no more under this mandate; a file that the bank has already is not changed."""
    mandat = Mandat.objects.select_for_update(of=("self",)).get(pk=mandat.pk)
    if mandat.revoque_le is None:
        mandat.revoque_le = le
        mandat.save(update_fields=["revoque_le"])


def mandats_utiles(regie: Regie, le: date, familles: Iterable[int] | None = None) -> dict[int, Mandat]:
    """Household -> the mandate under which it may be debited that day: neither revoked nor lapsed; one query."""
    mandats = Mandat.objects.filter(Q(revoque_le=None) | Q(revoque_le__gt=le), regie=regie, signe_le__lte=le)
    if familles is not None:
        mandats = mandats.filter(famille__in=familles)
    recus = Q(prelevements__rejete_le=None, prelevements__retire_le=None)
    mandats = mandats.annotate(dernier=Max("prelevements__lot__le", filter=recus)).order_by("signe_le", "pk")
    return {m.famille_id: m for m in mandats if derniers_jours(m.signe_le, m.dernier) >= le}


def annonce(facture: Facture) -> str:
    """The sentence by which an invoice announces its debit, "" where there is none."""
    if facture.est_avoir or facture.emise_le is None:
        return ""
    totaux = {facture.famille_id: facture.total - avance_de(facture)}
    return annonces(facture.regie, totaux, emise_le=facture.emise_le, echeance=facture.echeance).get(
        facture.famille_id, ""
    )


def annonces(regie: Regie, totaux: dict[int, Decimal], *, emise_le: date, echeance: date) -> dict[int, str]:
    """Household -> how its invoice announces the debit, where it has a mandate; one query, however many.

    « 43,20 € seront prélevés le 2 décembre 2026 sur votre compte FR76 •••• 0189 (mandat PF-001-000042-01, créancier
    FR72ZZZ123456). »

    :param totaux: household -> what its invoice leaves to be paid.
    """
    if regie.est_titre or not regie.ics:
        return {}
    le = jour_annonce(emise_le, echeance)
    return {
        famille: f"{euros(totaux[famille])} seront prélevés le {en_clair(le)} sur votre compte "
        f"{masquer_iban(mandat.iban)} (mandat {mandat.rum}, créancier {regie.ics})."
        for famille, mandat in mandats_utiles(regie, le, totaux).items()
        if totaux[famille] > 0 and mandat.signe_le <= emise_le
    }


# --- The lot of a day --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class APrelever:
    facture: Facture
    mandat: Mandat
    montant: Decimal


def a_prelever(regie: Regie, le: date) -> list[APrelever]:
    """What a lot of that day would take: what was announced for that day or before, and is still due. Two queries.

    Not under another mandate, nor more than the invoice announced, though an advance that it counted was cancelled
    since: the family was not told so, and pays that otherwise. Nor an invoice that a bank has given back once.
    """
    dues = Facture.objects.emises().filter(regie=regie, prelevements=None, emise_le__lte=le - PREAVIS)
    dues = list(dues.filter(echeance__lte=le).avec_reste().filter(reste__gt=0).order_by("exercice", "numero"))
    mandats = mandats_utiles(regie, le, {facture.famille_id for facture in dues})
    return [
        APrelever(facture, mandat, min(facture.reste, facture.total - avance_de(facture)))
        for facture in dues
        if (mandat := mandats.get(facture.famille_id)) and _est_annoncee(facture, mandat)
    ]


def _est_annoncee(facture, mandat):
    return mandat.signe_le <= facture.emise_le and mandat.rum in facture.debiteur.get("prelevement", "")


@transaction.atomic
def preparer_lot(regie: Regie, *, le: date, par: Utilisateur) -> LotPrelevement:
    """The families see nothing yet: the invoices of the day are kept for one file, to bring to the bank.

    :param le: day of the debits, in the commune; to come.
    :raises ActionImpossible: nothing to take, a day that is past, a régie that cannot debit.
    """
    # Two lots at once: the second finds none. no_key: payments, which name the régie, do not wait.
    regie = Regie.objects.select_for_update(of=("self",), no_key=True).get(pk=regie.pk)
    verifier_creancier(regie)
    if le <= timezone.localdate():
        raise ActionImpossible("Choisissez un jour à venir\u00a0: la banque reçoit le fichier la veille au plus tard.")
    lignes = a_prelever(regie, le)
    if not lignes:
        raise ActionImpossible("Aucune facture annoncée n'est à prélever ce jour-là.")
    rang = LotPrelevement.objects.filter(regie=regie, le=le).count() + 1
    lot = LotPrelevement.objects.create(
        regie=regie, le=le, identifiant=f"PF-{regie.pk:03d}-{le:%Y%m%d}-{rang:02d}", prepare_par=par
    )
    deja = set(
        Prelevement.objects.en_cours()
        .filter(mandat__in={ligne.mandat.pk for ligne in lignes})
        .order_by()
        .values_list("mandat", flat=True)
    )
    rows = []
    for ligne in lignes:
        sequence = "RCUR" if ligne.mandat.pk in deja else "FRST"
        deja.add(ligne.mandat.pk)
        rows.append(
            Prelevement(lot=lot, mandat=ligne.mandat, facture=ligne.facture, montant=ligne.montant, sequence=sequence)
        )
    Prelevement.objects.bulk_create(rows)
    return lot


def restes_du_lot(lot: LotPrelevement) -> dict[int, Decimal]:
    """Key of each invoice of a lot -> what is still due of it, in euros; one query."""
    return dict(Facture.objects.filter(prelevements__lot=lot).avec_reste().values_list("pk", "reste"))


@transaction.atomic
def arreter_lot(lot: LotPrelevement) -> int:
    """What the file of a lot takes is settled, once, when it is made; returns how many debits it takes.

    Since the lot was prepared families may have paid otherwise, invoices have been cancelled, mandates revoked: they
    are debited less than announced, or not at all. Afterwards the bank has the file: it takes what it says.
    """
    lot = LotPrelevement.objects.select_for_update(of=("self",)).get(pk=lot.pk)
    prises = list(lot.prelevements.en_cours().filter(reglement=None).select_related("mandat").order_by("pk"))
    if lot.fichier_le is None:
        verrouiller([prelevement.mandat.famille_id for prelevement in prises])
        restes = restes_du_lot(lot)
        for prelevement in prises:
            reste = restes[prelevement.facture_id]
            if reste <= 0 or est_revoque(prelevement, lot):
                prelevement.retire_le = timezone.localdate()
            else:
                prelevement.montant = min(prelevement.montant, reste)
        Prelevement.objects.bulk_update(prises, ["montant", "retire_le"])
        lot.fichier_le = timezone.now()
        lot.save(update_fields=["fichier_le"])
    return lot.prelevements.en_cours().count()


def est_revoque(prelevement: Prelevement, lot: LotPrelevement) -> bool:
    """May the account be debited no more on the day of the lot?

    :param prelevement: with its mandate.
    """
    revoque_le = prelevement.mandat.revoque_le
    return revoque_le is not None and revoque_le <= lot.le


@transaction.atomic
def retirer(prelevement: Prelevement) -> None:
    """The bank has taken it out of the file: the family, which owes less or has revoked its mandate, is not debited.

    :raises ActionImpossible: collected, rejected or withdrawn already, or the invoice owes as much as ever.
    """
    lot = LotPrelevement.objects.select_for_update(of=("self",)).get(pk=prelevement.lot_id)
    prelevement = lot.prelevements.en_cours().filter(pk=prelevement.pk, reglement=None).select_related("mandat").first()
    if prelevement is None:
        raise ActionImpossible("Ce prélèvement est déjà encaissé, rejeté ou retiré.")
    verrouiller([prelevement.mandat.famille_id])
    doit_autant = restes_du_lot(lot)[prelevement.facture_id] >= prelevement.montant
    if doit_autant and not est_revoque(prelevement, lot):
        raise ActionImpossible("Cette facture doit toujours ce montant\u00a0: attendez ce que dira la banque.")
    prelevement.retire_le = timezone.localdate()
    prelevement.save(update_fields=["retire_le"])


@transaction.atomic
def encaisser_lot(lot: LotPrelevement, *, par: Utilisateur) -> int:
    """The families see their payments; how many are new. Done twice, it pays once.

    What was paid otherwise in between stays to the credit of the family.

    :raises ActionImpossible: before the day of the debits, or of a lot that the bank never had.
    """
    lot = LotPrelevement.objects.select_for_update(of=("self",)).select_related("regie").get(pk=lot.pk)
    if lot.le > timezone.localdate():
        raise ActionImpossible(f"Ces prélèvements sont pour le {en_clair(lot.le)}\u00a0: encaissez-les ce jour-là.")
    if lot.fichier_le is None:
        raise ActionImpossible("Le fichier de ce lot n'a jamais été fait\u00a0: la banque n'a rien pris.")
    restent = list(lot.prelevements.en_cours().filter(reglement=None).select_related("mandat__famille").order_by("pk"))
    verrouiller([prelevement.mandat.famille_id for prelevement in restent])
    for prelevement in restent:
        facture = Facture.objects.avec_reste().get(pk=prelevement.facture_id)
        part = min(prelevement.montant, facture.reste)
        prelevement.reglement = actions.encaisser(
            prelevement.mandat.famille,
            regie=lot.regie,
            moyen=Moyen.PRELEVEMENT,
            montant=prelevement.montant,
            recu_le=lot.le,
            par=par,
            reference=prelevement.mandat.rum,
            parts=[(facture, part)] if part > 0 else [],
            cle=uuid5(NAMESPACE_URL, f"prelevement/{prelevement.pk}"),
        )
        prelevement.save(update_fields=["reglement"])
    if lot.execute_le is None:
        lot.execute_le = timezone.now()
        lot.save(update_fields=["execute_le"])
    return len(restent)


@transaction.atomic
def rejeter(prelevement: Prelevement, *, code: str, le: date, par: Utilisateur) -> None:
    """The family reads that its bank gave the debit back, and why; the invoice is due again.

    :param code: of the bank, one of ``REJETS``.
    :raises ActionImpossible: rejected already, an unknown code, a day before the debit or to come.
    """
    if code not in REJETS:
        raise ActionImpossible("Choisissez la raison donnée par la banque.")
    lot = LotPrelevement.objects.select_for_update(of=("self",)).get(pk=prelevement.lot_id)
    prelevement = Prelevement.objects.select_related("facture", "mandat__famille", "reglement").get(pk=prelevement.pk)
    if prelevement.rejete_le is not None:
        raise ActionImpossible("Ce rejet est déjà saisi.")
    if prelevement.retire_le is not None:
        raise ActionImpossible("Ce prélèvement est retiré\u00a0: la banque n'a rien pris.")
    if not lot.le <= le <= timezone.localdate():
        raise ActionImpossible(f"Un rejet vient après le {en_clair(lot.le)}, et au plus tard aujourd'hui.")
    if prelevement.reglement is not None:
        motif = f"prélèvement rejeté, {REJETS[code]} ({code})"
        actions.annuler_reglement(prelevement.reglement, motif=motif, par=par, le=le)
    prelevement.rejete_le, prelevement.rejet = le, code
    prelevement.save(update_fields=["rejete_le", "rejet"])
    facture = prelevement.facture
    notifier(
        prelevement.mandat.famille,
        sujet=f"Prélèvement rejeté, facture {facture.numero_complet}",
        corps=(
            f"Bonjour,\n\nVotre banque a rejeté le prélèvement de {euros(prelevement.montant)} du {en_clair(lot.le)}, "
            f"pour la facture {facture.numero_complet}\u00a0: {REJETS[code]}.\n\n"
            "Cette facture est de nouveau à payer. Elle ne sera pas présentée une seconde fois\u00a0: "
            "réglez-la par un autre moyen, ou répondez à ce message."
        ),
        par=par,
    )
