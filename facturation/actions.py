"""What moves on the account of a household: payments, avoirs, titres. The ledger only grows.

Locks come in one order: households by key, then invoices, then the counter of numbers. Amounts are euros.
"""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, Max, Q, Sum
from django.utils import timezone

from facturation.models import (
    Article,
    AvisFacture,
    Compteur,
    Ecriture,
    Facture,
    Imputation,
    LigneFacture,
    Moyen,
    Regie,
    Reglement,
    Remise,
    Role,
    VersementTitre,
)
from facturation.regles.partages import repartir
from facturation.taches import balayer_factures
from familles.models import Famille, Utilisateur
from portail.outils.argent import euros

ZERO = Decimal(0)
TROP = Decimal(10**8)
PREMIER_RANG_MANUEL = 1000  # lines typed by agents come after those that the rules make, and survive them


class ActionImpossible(Exception):
    """Nothing was written; the text says why, to the person who tried."""


# --- Payments ----------------------------------------------------------------------------------------------


@transaction.atomic
def encaisser(
    famille: Famille,
    *,
    regie: Regie,
    moyen: str,
    montant: Decimal,
    recu_le: date,
    par: Utilisateur | None,
    reference: str = "",
    parts: Iterable[tuple[Facture, Decimal]] | None = None,
    cle: UUID | None = None,
) -> Reglement:
    """The family sees its payment on its account, and what it pays; what is left over stays to its credit.

    :param montant: euros, more than zero, in whole cents.
    :param recu_le: day of the payment, in the commune; not in the future.
    :param parts: what it pays of which invoices; None: the invoices of the régie, the first due first.
    :param cle: of the form: sent twice, it makes one payment.
    :raises ActionImpossible: the trésorerie collects here; an amount or a day that cannot be; a form that has made
        another payment already.
    """
    verrouiller([famille.pk])
    if cle is not None and (deja := Reglement.objects.filter(uuid=cle).first()):
        if (deja.famille_id, deja.montant) != (famille.pk, montant):
            raise ActionImpossible("Cette page a déjà enregistré un autre règlement\u00a0: ouvrez-en une neuve.")
        return deja
    _verifier_reglement(regie, montant, recu_le)
    reglement = Reglement.objects.create(
        **({"uuid": cle} if cle else {}),
        famille=famille,
        regie=regie,
        moyen=moyen,
        montant=montant,
        recu_le=recu_le,
        reference=reference,
        saisi_par=par,
    )
    Ecriture.objects.create(
        famille=famille,
        regie=regie,
        le=recu_le,
        nature=Ecriture.Nature.REGLEMENT,
        libelle=f"Règlement\u00a0: {Moyen(moyen).label.lower()}",
        credit=montant,
        reglement=reglement,
        par=par,
    )
    if parts is None:
        dues = [(facture, facture.reste) for facture in factures_dues(famille, regie)]
        parts, _ = repartir(montant, dues)
    _imputer(reglement, parts, par)
    return reglement


def _verifier_reglement(regie, montant, recu_le):
    if regie.est_titre:
        raise ActionImpossible(f"«\u00a0{regie}\u00a0» est encaissé par la trésorerie\u00a0: rien ne s'y règle ici.")
    if montant <= 0 or montant != montant.quantize(Decimal("0.01")):
        raise ActionImpossible("Un règlement est un montant positif, en centimes entiers.")
    if recu_le > timezone.localdate():
        raise ActionImpossible("La date du règlement est à venir.")


def factures_dues(famille: Famille, regie: Regie):
    """The invoices of a régie on which something is still due, the first due first, with ``reste``."""
    dues = Facture.objects.emises().filter(famille=famille, regie=regie).avec_reste().filter(reste__gt=0)
    return dues.order_by("echeance", "exercice", "numero")


@transaction.atomic
def imputer(reglement: Reglement, parts: Iterable[tuple[Facture, Decimal]], *, par: Utilisateur) -> None:
    """An agent says which invoices a payment pays, of what is left of it.

    :raises ActionImpossible: more than is left of the payment, than is due, or than was not given back since.
    """
    verrouiller([reglement.famille_id])
    if _est_annule(reglement):
        raise ActionImpossible("Ce règlement est annulé.")
    parts, libre = list(parts), max(_d_avance(reglement), ZERO)
    if libre < reste_a_imputer(reglement) and sum((montant for _, montant in parts), ZERO) > libre:
        raise ActionImpossible(f"Il ne reste que {euros(libre)} d'avance sur ce compte\u00a0: le reste est remboursé.")
    _imputer(reglement, parts, par)


def _imputer(reglement, parts, par):
    """:raises ActionImpossible: see imputer; the household is locked."""
    parts = [(facture.pk, montant) for facture, montant in parts]
    if any(montant <= 0 for _, montant in parts) or len({cle for cle, _ in parts}) != len(parts):
        raise ActionImpossible("Chaque facture reçoit une seule part, plus grande que zéro.")
    if sum((montant for _, montant in parts), ZERO) > reste_a_imputer(reglement):
        raise ActionImpossible("Ces parts dépassent ce qui reste du règlement.")
    dues = {
        facture.pk: facture.reste
        for facture in Facture.objects.emises()
        .filter(famille=reglement.famille_id, regie=reglement.regie_id, pk__in=[cle for cle, _ in parts])
        .avec_reste()
        .order_by("pk")
    }
    for cle, montant in parts:
        if montant > dues.get(cle, ZERO):
            raise ActionImpossible(f"Il ne reste que {euros(dues.get(cle, ZERO))} à payer sur une de ces factures.")
    Imputation.objects.bulk_create(
        Imputation(reglement=reglement, facture_id=cle, montant=montant, par=par) for cle, montant in parts
    )


def _d_avance(reglement):
    """What the household paid to this régie that pays no invoice and was not given back, in euros."""
    compte = Ecriture.objects.filter(famille=reglement.famille_id, regie=reglement.regie_id)
    recu = compte.filter(Q(reglement__isnull=False) | Q(nature=Ecriture.Nature.REMBOURSEMENT))
    impute = Imputation.objects.filter(reglement__famille=reglement.famille_id, reglement__regie=reglement.regie_id)
    garde = recu.aggregate(t=Sum(F("credit") - F("debit")))["t"] or ZERO
    return garde - (impute.aggregate(t=Sum("montant"))["t"] or ZERO)


def reste_a_imputer(reglement: Reglement) -> Decimal:
    """What of a payment pays no invoice yet, in euros."""
    return reglement.montant - (reglement.imputations.aggregate(t=Sum("montant"))["t"] or ZERO)


@transaction.atomic
def annuler_reglement(reglement: Reglement, *, motif: str, par: Utilisateur | None, le: date | None = None) -> Ecriture:
    """The family sees the payment taken back, with the reason; what it paid is due again. The payment itself stays.

    :param le: day of the counter-entry, today when it is not told.
    :raises ActionImpossible: it is cancelled already, or no reason is given.
    """
    verrouiller([reglement.famille_id])
    if not motif.strip():
        raise ActionImpossible("Dites pourquoi ce règlement est annulé.")
    if _est_annule(reglement):
        raise ActionImpossible("Ce règlement est déjà annulé.")
    _reprendre(reglement.imputations.all(), par)
    origine = reglement.ecritures.get(nature=Ecriture.Nature.REGLEMENT)
    return _contre_passer(origine, f"Annulation d'un règlement\u00a0: {motif.strip()}", par, le)


def _est_annule(reglement):
    return Ecriture.objects.filter(annule__reglement=reglement, annule__nature=Ecriture.Nature.REGLEMENT).exists()


def _reprendre(imputations, par):
    """Negative parts take back what these payments paid, invoice by invoice."""
    pris = imputations.order_by().values("reglement", "facture").annotate(total=Sum("montant")).filter(total__gt=0)
    Imputation.objects.bulk_create(
        Imputation(reglement_id=p["reglement"], facture_id=p["facture"], montant=-p["total"], par=par) for p in pris
    )


def _contre_passer(ecriture, libelle, par, le=None):
    return Ecriture.objects.create(
        famille_id=ecriture.famille_id,
        regie_id=ecriture.regie_id,
        le=le or timezone.localdate(),
        nature=Ecriture.Nature.ANNULATION,
        libelle=libelle[:150],
        debit=ecriture.credit,
        credit=ecriture.debit,
        facture_id=ecriture.facture_id,
        reglement_id=ecriture.reglement_id,
        annule=ecriture,
        par=par,
    )


@transaction.atomic
def rembourser(
    famille: Famille,
    *,
    regie: Regie,
    montant: Decimal,
    le: date,
    motif: str,
    par: Utilisateur,
    vu: int | None = None,
) -> Ecriture:
    """What the family had to its credit is given back to it, and leaves its account.

    :param vu: key of the last entry of the account that the agent has read: a second click finds another.
    :raises ActionImpossible: more than it has to its credit, or the account has moved since it was read.
    """
    verrouiller([famille.pk])
    if vu is not None and vu != derniere_ecriture(famille):
        raise ActionImpossible("Ce compte a changé depuis que vous l'avez ouvert\u00a0: relisez-le.")
    totaux = Ecriture.objects.filter(famille=famille, regie=regie).aggregate(debit=Sum("debit"), credit=Sum("credit"))
    avoir = (totaux["credit"] or ZERO) - (totaux["debit"] or ZERO)
    if not ZERO < montant <= avoir:
        raise ActionImpossible(f"Le compte a {euros(max(avoir, ZERO))} à rembourser.")
    return Ecriture.objects.create(
        famille=famille,
        regie=regie,
        le=le,
        nature=Ecriture.Nature.REMBOURSEMENT,
        libelle=f"Remboursement\u00a0: {motif}"[:150],
        debit=montant,
        par=par,
    )


def derniere_ecriture(famille: Famille) -> int | None:
    """The key of the last entry of an account, None of an empty one."""
    return Ecriture.objects.filter(famille=famille).aggregate(n=Max("pk"))["n"]


@transaction.atomic
def remettre(reglements: Iterable[Reglement], *, regie: Regie, le: date, par: Utilisateur) -> Remise:
    """Cheques are brought to the bank together, under a numbered slip.

    :raises ActionImpossible: none, or one that is no cheque of this régie, cancelled, or on another slip.
    """
    # Two slips at once: one number each. no_key: a month being issued names its payments, then the régie.
    Regie.objects.select_for_update(of=("self",), no_key=True).get(pk=regie.pk)
    lus = Reglement.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=[r.pk for r in reglements])
    lus = list(lus.order_by("pk"))
    if not lus:
        raise ActionImpossible("Choisissez au moins un chèque.")
    for reglement in lus:
        if (reglement.regie_id, reglement.moyen) != (regie.pk, Moyen.CHEQUE) or reglement.remise_id is not None:
            raise ActionImpossible("Un bordereau ne prend que des chèques de sa régie, qui ne sont sur aucun autre.")
        if _est_annule(reglement):
            raise ActionImpossible("Un de ces chèques est annulé.")
    dernier = Remise.objects.aggregate(n=Max("numero"))["n"] or 0
    remise = Remise.objects.create(numero=dernier + 1, regie=regie, le=le, par=par)
    Reglement.objects.filter(pk__in=[r.pk for r in lus]).update(remise=remise)
    return remise


# --- Invoices ----------------------------------------------------------------------------------------------


@transaction.atomic
def creer_avoir(facture: Facture, *, motif: str, par: Utilisateur) -> Facture:
    """The invoice is cancelled as a whole: the family sees an avoir, and what it had paid returns to its credit.

    The invoice itself stays as it is. Of one that the trésorerie collects, the titre is cancelled too.

    :raises ActionImpossible: a draft, an avoir, cancelled already, or no reason.
    """
    verrouiller([facture.famille_id])
    facture = Facture.objects.select_for_update(of=("self",)).select_related("regie").get(pk=facture.pk)
    if facture.etat != Facture.Etat.EMISE or facture.est_avoir:
        raise ActionImpossible("Seule une facture émise s'annule par un avoir.")
    if not motif.strip():
        raise ActionImpossible("Dites pourquoi cette facture est annulée.")
    if Facture.objects.filter(avoir_de=facture).exists():
        raise ActionImpossible("Cette facture a déjà un avoir.")
    aujourdhui = timezone.localdate()
    avoir = _copier_en_avoir(facture, motif.strip(), aujourdhui)
    if facture.total:
        Ecriture.objects.create(
            famille_id=facture.famille_id,
            regie=facture.regie,
            le=aujourdhui,
            nature=Ecriture.Nature.AVOIR,
            libelle=f"Avoir {avoir.numero_complet} sur la facture {facture.numero_complet}",
            credit=facture.total,
            facture=avoir,
            par=par,
        )
    _reprendre(facture.imputations.all(), par)
    if Article.objects.filter(facture=facture).update(etat=Article.Etat.ANNULE, dit_le=aujourdhui):
        titre = facture.ecritures.get(nature=Ecriture.Nature.TITRE)
        _contre_passer(titre, f"Annulation du titre de la facture {facture.numero_complet}", par)
    AvisFacture.objects.create(facture=avoir)
    balayer_factures.enqueue()
    return avoir


def _copier_en_avoir(facture, motif, aujourdhui):
    avoir = Facture.objects.create(
        famille_id=facture.famille_id,
        regie=facture.regie,
        mois=facture.mois,
        exercice=aujourdhui.year,
        debiteur=facture.debiteur,
        emetteur=facture.emetteur,
        avoir_de=facture,
        motif=motif[:200],
        total=-facture.total,
    )
    lignes = list(facture.lignes.order_by("rang"))
    for ligne in lignes:
        ligne.pk, ligne.facture = None, avoir
        ligne.quantite, ligne.montant = -ligne.quantite, -ligne.montant
    LigneFacture.objects.bulk_create(lignes)
    avoir.etat, avoir.numero = Facture.Etat.EMISE, prendre_numeros(aujourdhui.year, 1)
    avoir.emise_le = avoir.echeance = aujourdhui
    avoir.save(update_fields=["etat", "numero", "emise_le", "echeance"])
    return avoir


def prendre_numeros(exercice: int, combien: int) -> int:
    """The first of so many numbers of the year, without a hole: the counter stays locked until the transaction ends."""
    with connection.cursor() as curseur:
        curseur.execute(
            f"INSERT INTO {Compteur._meta.db_table} AS c (exercice, dernier) VALUES (%s, %s) "  # noqa: S608
            "ON CONFLICT (exercice) DO UPDATE SET dernier = c.dernier + EXCLUDED.dernier RETURNING dernier",
            [exercice, combien],
        )
        return curseur.fetchone()[0] - combien + 1


@transaction.atomic
def ajouter_ligne(
    brouillon: Facture,
    *,
    libelle: str,
    quantite: int,
    prix: Decimal,
    motif: str,
    par: Utilisateur,
    enfant=None,
    service=None,
    vues: int | None = None,
) -> LigneFacture:
    """A line typed by an agent joins a draft, with its reason, which is printed.

    :param prix: euros a unit, negative to take off.
    :param vues: how many typed lines the agent has read: a second click finds one more.
    :raises ActionImpossible: the invoice is issued, carried over or gone, no reason is given, a total beyond any
        invoice, or typed lines have changed since.
    """
    facture = _brouillon(brouillon)
    if not motif.strip():
        raise ActionImpossible("Une ligne ajoutée à la main dit pourquoi.")
    if vues is not None and vues != facture.lignes.filter(genre=LigneFacture.GenreLigne.MANUELLE).count():
        raise ActionImpossible("Les lignes ont changé depuis que vous les avez ouvertes\u00a0: relisez-les.")
    rang = facture.lignes.filter(rang__gte=PREMIER_RANG_MANUEL).aggregate(n=Max("rang"))["n"]
    ligne = LigneFacture.objects.create(
        facture=facture,
        rang=PREMIER_RANG_MANUEL if rang is None else rang + 1,
        genre=LigneFacture.GenreLigne.MANUELLE,
        enfant=enfant,
        prenom=enfant.prenom if enfant else "",
        service=service,
        libelle=libelle,
        quantite=quantite,
        prix=prix,
        montant=quantite * prix,
        motif=motif.strip(),
        par=par,
    )
    totaliser(facture)
    return ligne


@transaction.atomic
def retirer_ligne(ligne: LigneFacture, *, par: Utilisateur) -> None:
    """A line typed by an agent leaves a draft.

    :raises ActionImpossible: the invoice is issued or carried over, or the line was not typed.
    """
    facture = _brouillon(ligne.facture)
    if not facture.lignes.filter(pk=ligne.pk, genre=LigneFacture.GenreLigne.MANUELLE).delete()[0]:
        raise ActionImpossible("Seule une ligne ajoutée à la main se retire.")
    totaliser(facture)


def _brouillon(facture):
    facture = Facture.objects.select_for_update(of=("self",)).filter(pk=facture.pk).first()
    if facture is None:
        raise ActionImpossible("Ce brouillon n'existe plus\u00a0: le mois a été préparé de nouveau.")
    if facture.etat != Facture.Etat.BROUILLON or facture.est_reportee:
        raise ActionImpossible("Cette facture ne change plus\u00a0: faites un avoir, ou une ligne sur la suivante.")
    return facture


def totaliser(facture: Facture) -> None:
    """The total of a draft is the sum of its lines.

    :raises ActionImpossible: beyond what an invoice can say.
    """
    facture.total = facture.lignes.aggregate(t=Sum("montant"))["t"] or ZERO
    if abs(facture.total) >= TROP:
        raise ActionImpossible("Ce total est trop grand pour une facture.")
    facture.save(update_fields=["total"])


# --- Titres ------------------------------------------------------------------------------------------------


@transaction.atomic
def prendre_en_role(
    factures: Iterable[Facture], *, regie: Regie, numero: str, exercice: int, le: date, par: Utilisateur
) -> Role:
    """The invoices are taken into a rôle: the families read « Titre émis (ORMC n°X) », and owe the trésorerie.

    Their accounts are credited in full: what happens next is between the family and the trésorerie (notice, « Relevé
    de compte »).

    :raises ActionImpossible: none, one of another régie, a draft, an avoir, cancelled, taken already, or paid to the
        commune, in part or in full.
    """
    cles = [facture.pk for facture in factures]
    lues = Facture.objects.emises().filter(pk__in=cles, regie=regie)
    verrouiller(lues.order_by().values_list("famille", flat=True))
    lues = list(lues.avec_reste().select_related("article").order_by("exercice", "numero"))
    if not regie.est_titre:
        raise ActionImpossible(f"«\u00a0{regie}\u00a0» n'est pas encaissé par la trésorerie.")
    if not lues or len(lues) != len(set(cles)):
        raise ActionImpossible("Un rôle prend les factures émises d'une seule régie.")
    for facture in lues:
        deja = facture.annulee or facture.impute or hasattr(facture, "article")
        if facture.est_avoir or deja or facture.total <= 0:
            raise ActionImpossible(f"La facture {facture.numero_complet} ne peut pas être prise dans un rôle.")
    if Role.objects.filter(exercice=exercice, numero=numero).exists():
        raise ActionImpossible("Ce n° d'ORMC existe déjà pour cet exercice.")
    role = Role.objects.create(regie=regie, numero=numero, exercice=exercice, le=le, par=par)
    Article.objects.bulk_create(Article(role=role, facture=facture) for facture in lues)
    Ecriture.objects.bulk_create(
        Ecriture(
            famille_id=facture.famille_id,
            regie=regie,
            le=le,
            nature=Ecriture.Nature.TITRE,
            libelle=f"Titre émis (ORMC n°\u00a0{numero})",
            credit=facture.total,
            facture=facture,
            par=par,
        )
        for facture in lues
    )
    return role


@transaction.atomic
def marquer_article(article: Article, *, etat: str, paye: Decimal, le: date, par: Utilisateur | None) -> None:
    """The family sees what the trésorerie says of its titre; the account itself does not change.

    What is new since it last told becomes a row of its own, by which tax certificates know the year.

    :param paye: euros that the trésorerie has received of it, in all.
    :param le: day on which it told so.
    :raises ActionImpossible: more than its amount, or a cancelled titre.
    """
    article = Article.objects.select_for_update(of=("self",)).select_related("facture").get(pk=article.pk)
    if article.etat == Article.Etat.ANNULE:
        raise ActionImpossible("Ce titre est annulé.")
    if not ZERO <= paye <= article.facture.total:
        raise ActionImpossible(f"Le titre est de {euros(article.facture.total)}.")
    if etat != Article.Etat.ANNONCE:  # PayFiP's word, which is not the trésorerie's
        deja = article.versements.aggregate(t=Sum("montant"))["t"] or ZERO
        if paye != deja:
            VersementTitre.objects.create(article=article, montant=paye - deja, dit_le=le, par=par)
    article.etat, article.paye, article.dit_le = etat, paye, le
    article.save(update_fields=["etat", "paye", "dit_le"])


def verrouiller(familles: Iterable[int]) -> None:
    """Nobody else moves the accounts of these households until the transaction ends."""
    verrou = Famille.objects.select_for_update(of=("self",), no_key=True)
    list(verrou.filter(pk__in=sorted(set(familles))).order_by("pk").values_list("pk", flat=True))
