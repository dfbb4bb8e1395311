"""Tax certificates of a household: what it paid for the care of a young child in a year, and the paper that says so."""

import secrets
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from enfants.models import Enfant, Service, SuspensionAcces
from facturation.instantanes import COMMUNE, nom_de
from facturation.models import Article, AttestationFiscale, Facture, Imputation, LigneFacture, VersementTitre
from facturation.regles import fiscal
from familles.models import Famille, Responsable, Utilisateur
from portail.commune import Commune
from portail.outils import pdf
from portail.outils.argent import euros
from portail.outils.dates import jour

ZERO = Decimal(0)
ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # no letter that looks like a digit


class RienAAttester(Exception):
    """The household paid nothing that counts for this child in that year, or the year is not over."""


@dataclass(frozen=True)
class Garde:
    """What was paid in a year for the care of a child: by service, in euros."""

    annee: int
    enfant: Enfant
    par_service: dict[str, Decimal]

    @property
    def montant(self) -> Decimal:
        return sum(self.par_service.values(), ZERO)


def gardes(adulte: Responsable, *, annees: range | None = None) -> list[Garde]:
    """What the household of this adult paid, the last year first, then by child; a few queries whatever the years.

    Only children whom the adult may know of: a suspended access tells nothing.

    :param annees: those that count; None: all since the first payment.
    """
    factures = _factures(adulte.famille)
    payees = {pk: par_annee for pk, par_annee in _paye(adulte.famille).items() if pk in factures}
    if annees is None:
        vues = {annee for par_annee in payees.values() for annee in par_annee}
        annees = range(min(vues), max(vues) + 1) if vues else range(0)
    sommes = defaultdict(lambda: defaultdict(Decimal))
    for pk, par_annee in payees.items():
        for annee in annees:
            payee = fiscal.FacturePayee(
                factures[pk],
                avant=sum((somme for an, somme in par_annee.items() if an < annee), ZERO),
                pendant=par_annee.get(annee, ZERO),
            )
            for (enfant, service), montant in fiscal.versements(payee).items():
                sommes[annee, enfant][service] += montant
    return _nommer(sommes, adulte)


def _factures(famille):
    """Key of each issued invoice of the household -> its lines as the rule reads them."""
    emises = Facture.objects.emises().filter(famille=famille, total__gt=0)  # no avoirs
    cles = set(emises.values_list("pk", flat=True))
    # A small month carried to the next: its care is that of the invoice that bills it.
    reportees = Facture.objects.filter(famille=famille, reporte_sur__isnull=False).values_list("pk", "reporte_sur")
    sur = dict(reportees.order_by("pk"))
    par_facture, reports = defaultdict(list), defaultdict(Decimal)
    for ligne in LigneFacture.objects.filter(facture__in=cles | set(sur)).order_by("facture", "rang"):
        payee_par = ligne.facture_id
        while payee_par in sur:
            payee_par = sur[payee_par]
        if payee_par not in cles:
            continue
        if ligne.genre == LigneFacture.GenreLigne.REPORT:
            reports[payee_par] += ligne.montant
            continue
        if ligne.facture_id in sur:
            reports[payee_par] -= ligne.montant
        par_facture[payee_par].append(_ligne(ligne))
    # What a report bills beyond the lines that it carries is nobody's care.
    for pk, ecart in reports.items():
        if ecart:
            par_facture[pk].append(fiscal.Ligne(None, ecart, ZERO))
    return {pk: tuple(lignes) for pk, lignes in par_facture.items()}


def _ligne(ligne):
    """Penalties are no care, and nothing is taken off them."""
    est_penalite = ligne.genre == LigneFacture.GenreLigne.MAJORATION
    sans_cle = est_penalite or ligne.enfant_id is None or ligne.service_id is None
    cle = None if sans_cle else (ligne.enfant_id, ligne.service_id)
    return fiscal.Ligne(cle, ligne.montant, ZERO if sans_cle else ligne.part_garde)


def _paye(famille):
    """Key of an invoice -> year -> what was paid of it: to the commune by the day of the payment, or as the
    trésorerie said."""
    paye = defaultdict(dict)
    imputations = (
        Imputation.objects.filter(facture__famille=famille)
        .order_by()
        .values_list("facture", "reglement__recu_le__year")
        .annotate(total=Sum("montant"))
    )
    for facture, annee, total in imputations:
        if total:
            paye[facture][annee] = total
    dits = VersementTitre.objects.filter(article__facture__famille=famille).exclude(article__etat=Article.Etat.ANNULE)
    versements = defaultdict(list)
    for facture, annee, montant in dits.order_by("pk").values_list("article__facture", "dit_le__year", "montant"):
        versements[facture].append((annee, montant))
    for facture, siens in versements.items():
        paye[facture] = fiscal.par_annee(siens)
    return paye


def _nommer(sommes, adulte):
    suspendus = SuspensionAcces.objects.en_vigueur(timezone.localdate()).filter(adulte=adulte).values("enfant")
    enfants = Enfant.objects.filter(pk__in={enfant for _, enfant in sommes}).exclude(pk__in=suspendus).in_bulk()
    services = Service.objects.in_bulk({service for somme in sommes.values() for service in somme})
    trouvees = []
    for (annee, cle), par_service in sommes.items():
        enfant = enfants.get(cle)
        if enfant is None or not fiscal.est_concerne(enfant.date_naissance, annee):
            continue
        noms = {services[pk].nom: montant for pk, montant in sorted(par_service.items()) if montant > 0}
        if noms:
            trouvees.append(Garde(annee, enfant, noms))
    return sorted(trouvees, key=lambda garde: (-garde.annee, garde.enfant.date_naissance, garde.enfant.pk))


# --- The paper -------------------------------------------------------------------------------------------


@transaction.atomic
def attester(adulte: Responsable, enfant: UUID, annee: int, *, par: Utilisateur) -> AttestationFiscale:
    """The family gets the certificate of a year that is over; asked again, the same one as long as it says the same.

    :param enfant: its public key; of a child for whom the household paid nothing, nothing is certified.
    :raises RienAAttester: the year is not over, or nothing that counts was paid for this child.
    """
    famille = Famille.objects.select_for_update(of=("self",), no_key=True).get(pk=adulte.famille_id)
    if annee >= timezone.localdate().year:
        raise RienAAttester(f"L'attestation {annee} sera prête en janvier {annee + 1}.")
    garde = next((g for g in gardes(adulte, annees=range(annee, annee + 1)) if g.enfant.uuid == enfant), None)
    if garde is None:
        raise RienAAttester(f"Aucun versement de {annee} n'ouvre droit au crédit d'impôt pour cet enfant.")
    contenu = _contenu(garde, famille)
    faites = AttestationFiscale.objects.filter(famille=famille, enfant=garde.enfant, annee=annee)
    deja = faites.filter(montant=garde.montant, contenu=contenu).first()
    return deja or AttestationFiscale.objects.create(
        code=_code(),
        famille=famille,
        enfant=garde.enfant,
        annee=annee,
        montant=garde.montant,
        contenu=contenu,
        faite_pour=par,
    )


def _contenu(garde, famille):
    """All that the paper says: it is printed from this alone."""
    commune = Commune.actuelle()
    return {
        "commune": {cle: getattr(commune, cle) for cle in COMMUNE},
        "signataire": commune.signataire,
        "noms": [nom_de(adulte) for adulte in famille.adultes()],
        "adresse": famille.adresse_lignes,
        "enfant": str(garde.enfant),
        "ne": {Enfant.Sexe.FILLE: "née", Enfant.Sexe.GARCON: "né"}.get(garde.enfant.sexe, "né(e)"),
        "naissance": garde.enfant.date_naissance.isoformat(),
        "par_service": {nom: str(montant) for nom, montant in garde.par_service.items()},
    }


def _code():
    """« 7KQ2-M9XA-4TRD »: sixty bits, read aloud without a mistake."""
    signes = [secrets.choice(ALPHABET) for _ in range(12)]
    return "-".join("".join(signes[n : n + 4]) for n in (0, 4, 8))


def imprimer(attestation: AttestationFiscale) -> bytes:
    """The PDF of a certificate, as it was certified.

    :raises portail.outils.pdf.PdfIndisponible: no PDF on this machine.
    """
    contenu = attestation.contenu
    contexte = {
        "titre": f"Attestation de frais de garde {attestation.annee}",
        "annee": str(attestation.annee),
        "contenu": contenu,
        "naissance": jour(date.fromisoformat(contenu["naissance"]), semaine=False),
        "lignes": [(nom, euros(montant)) for nom, montant in contenu["par_service"].items()],
        "montant": euros(attestation.montant),
        "code": attestation.code,
        "faite_le": jour(timezone.localdate(attestation.faite_le), semaine=False),
    }
    return pdf.rendre("pdf/attestation.html", contexte)
