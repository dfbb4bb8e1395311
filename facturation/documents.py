"""The papers of billing: invoices, made once and kept; receipts; many invoices for the printer.

An invoice is printed from what it keeps (``instantanes``), never from today's file: its PDF could be made again.
"""

import io
import logging
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby

import segno
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils.text import slugify
from pypdf import PdfWriter

from enfants.regles.dates import jours_en_clair
from facturation.instantanes import avance_de, lignes_adresse, lire, nom_de
from facturation.models import Facture, LigneFacture, PdfFacture, Regie, Reglement
from portail.outils import pdf
from portail.outils.argent import euros
from portail.outils.dates import jour
from portail.outils.fichiers import lire as lire_piece
from portail.outils.fichiers import ranger
from portail.outils.francais import au_milieu
from portail.outils.liens import absolu

journal = logging.getLogger(__name__)

FEUILLES = ("css/papier.css", "css/facture.css")
UN_ENFANT = "Un enfant du foyer"  # instead of a name that the reader may not know
PAYFIP = "www.payfip.gouv.fr"
ZERO = Decimal(0)
PAR_PASSAGE = 200  # of one sweep: some twenty seconds
PAR_IMPRESSION = 100  # of one file for the printer: some ten seconds where none is made yet


# --- What an invoice says ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class LigneImprimee:
    libelle: str
    precision: str
    quantite: int
    prix: str
    montant: str


@dataclass(frozen=True)
class Bloc:
    """The lines of a child, or its days: (what, [(which days, what happened)])."""

    prenom: str
    lignes: list


def composer(facture: Facture) -> str:
    """The page of an invoice, from what it keeps."""
    return pdf.composer("pdf/facture.html", _contexte(facture))


def imprimer(facture: Facture, *, caches: Collection[int] = ()) -> bytes:
    """The PDF of an invoice.

    :param caches: keys of the children of whom the reader may know the sums alone.
    :raises portail.outils.pdf.PdfIndisponible: no PDF on this machine.
    """
    return pdf.rendre("pdf/facture.html", _contexte(facture, caches), feuilles=FEUILLES)


def _contexte(facture, caches=()):
    lignes = list(facture.lignes.order_by("rang"))
    for ligne in lignes:
        if ligne.enfant_id in caches:
            ligne.prenom, ligne.jours = UN_ENFANT, []
    debiteur, emetteur = lire(facture)
    regie, est_titre = emetteur["regie"], emetteur["regie"]["regime"] == Regie.Regime.TITRE
    mot = "Avoir" if facture.est_avoir else "Facture"
    deliberations = list(dict.fromkeys(ligne.deliberation for ligne in lignes if ligne.deliberation))
    avance = ZERO if facture.est_avoir else avance_de(facture)
    a_payer = not facture.est_avoir and facture.total > avance
    return {
        "titre": f"{mot} n°\u00a0{facture.numero_complet}",
        "emetteur": emetteur["commune"],
        "emetteur_adresse": lignes_adresse(emetteur["commune"]),
        "regie": regie,
        "est_titre": est_titre,
        "debiteur_noms": debiteur["noms"],
        "debiteur_adresse": lignes_adresse(debiteur),
        "reperes": _reperes(facture, a_payer),
        "avoir": _avoir(facture),
        "blocs": [
            Bloc(prenom, [_ligne(ligne, deliberations) for ligne in siennes]) for prenom, siennes in _par_enfant(lignes)
        ],
        "deliberations": _deliberations(deliberations),
        "totaux": _totaux(facture, avance),
        "a_payer": a_payer,
        "moyens": _moyens(facture, emetteur, debiteur) if a_payer else [],
        "autres_moyens": regie["moyens"] if a_payer else "",
        "qr": _qr(facture) if a_payer else "",
        "adresse_portail": absolu("/"),
        "en_ligne": regie["payfip"] in (Regie.PayFip.REDIRECTION, Regie.PayFip.SERVICE),
        "question": _question(emetteur),
        "annexe": [] if facture.est_avoir else _annexe(lignes),
    }


def _totaux(facture, avance):
    """(word, sum): the total, what was paid of it in advance, and what is to be paid."""
    if facture.est_avoir:
        return [("Total de l'avoir", euros(facture.total))]
    reste = "Total à payer" if facture.total > avance else "Total"
    if not avance:
        return [(reste, euros(facture.total))]
    deja = ("Déjà réglé, par ce que vous aviez d'avance", euros(-avance))
    return [("Total", euros(facture.total)), deja, ("Total à payer", euros(facture.total - avance))]


def _reperes(facture, a_payer):
    """(word, value), in the order in which people look for them."""
    reperes = [("Émise le", jour(facture.emise_le, semaine=False)), ("Mois", facture.mois_en_clair)]
    if a_payer:
        reperes += [("À payer avant le", jour(facture.echeance, semaine=False)), ("Référence", facture.reference)]
    return [(mot, valeur) for mot, valeur in reperes if valeur]


def _avoir(facture):
    if not facture.est_avoir:
        return ""
    annulee = f"Cet avoir annule la facture n°\u00a0{facture.avoir_de.numero_complet}"
    return f"{annulee}\u00a0: {facture.motif}" if facture.motif else f"{annulee}."


def _par_enfant(lignes):
    """(first name, its lines), children in the order of the invoice, what is nobody's in particular last."""
    rangs = {}
    for ligne in lignes:
        rangs.setdefault(ligne.prenom, len(rangs))
    tries = sorted(lignes, key=lambda ligne: (not ligne.prenom, rangs[ligne.prenom], ligne.rang))
    return [(prenom, list(siennes)) for prenom, siennes in groupby(tries, key=lambda ligne: ligne.prenom)]


def _ligne(ligne, deliberations):
    libelle = ligne.libelle
    if ligne.deliberation and len(deliberations) > 1:
        libelle += f" ({deliberations.index(ligne.deliberation) + 1})"
    return LigneImprimee(libelle, ligne.motif, ligne.quantite, euros(ligne.prix), euros(ligne.montant))


def _deliberations(deliberations):
    """« 2026-42 du 12 juin 2026 », or each with the number that its lines bear."""
    if len(deliberations) < 2:
        return "".join(f" {d}" for d in deliberations)
    return "\u00a0: " + ", ".join(f"({rang}) {d}" for rang, d in enumerate(deliberations, 1))


def _moyens(facture, emetteur, debiteur):
    """How to pay, a sentence each."""
    regie, tresorerie, phrases = emetteur["regie"], emetteur["tresorerie"], []
    if debiteur["prelevement"]:
        phrases.append(debiteur["prelevement"])
    if regie["regime"] == Regie.Regime.TITRE:
        qui = ", ".join(filter(None, [tresorerie["nom"] or "la trésorerie", tresorerie["telephone"]]))
        phrases.append(f"La trésorerie encaisse cette facture, et suit son paiement\u00a0: {qui}.")
    if regie["payfip"] == Regie.PayFip.SAISIE:
        phrases.append(
            f"En ligne, sur {PAYFIP}\u00a0: n°\u00a0client {regie['payfip_client']}, "
            f"référence {facture.reference}, montant {euros(facture.total - avance_de(facture))}."
        )
    elif regie["payfip"] != Regie.PayFip.AUCUN:
        phrases.append(
            f"En ligne, par PayFiP (n°\u00a0client {regie['payfip_client']})\u00a0: depuis la page de cette facture "
            f"sur {absolu('/')}, ou avec le code à côté."
        )
    if regie["moyens_acceptes"]:
        moyens = ", ".join(au_milieu(moyen) for moyen in regie["moyens_acceptes"])
        phrases.append(f"Moyens acceptés\u00a0: {moyens}.")
    return phrases


def _question(emetteur):
    """Whom to call: the régie's own person, or else the mairie."""
    regie, commune = emetteur["regie"], emetteur["commune"]
    qui = ", ".join(filter(None, [regie["contact"], regie["telephone"] or commune["telephone"]]))
    return f"Une question sur cette facture\u00a0? {qui or 'Écrivez-nous depuis le portail'}."


def _qr(facture):
    """The page of the invoice, for a phone."""
    adresse = absolu(f"/factures/{facture.uuid}/")
    return segno.make(adresse, error="l", micro=False, boost_error=False).svg_data_uri(border=0, omitsize=True)


def _annexe(lignes):
    """Day by day, for each child and each service; what happened alike is told once."""
    comptees = [
        ligne for ligne in lignes if ligne.jours and ligne.genre not in (LigneFacture.GenreLigne.AIDE, "REPORT")
    ]
    return [Bloc(prenom, [_jours(ligne) for ligne in siennes]) for prenom, siennes in _par_enfant(comptees)]


def _jours(ligne):
    par_phrase = {}
    for le, phrase in ligne.jours:
        par_phrase.setdefault(phrase, []).append(date.fromisoformat(le))
    mots = ligne.libelle.split(", ")
    quoi = ", ".join(mots[:2] if ligne.genre == LigneFacture.GenreLigne.MAJORATION else mots[:1])
    return quoi, [(jours_en_clair(jours), phrase) for phrase, jours in par_phrase.items()]


# --- The invoices, made once -------------------------------------------------------------------------------


def fabriquer_pdf(facture: Facture) -> PdfFacture:
    """The document of an issued invoice, made unless it is there: two at once keep one.

    :raises portail.outils.pdf.PdfIndisponible: no PDF on this machine.
    """
    deja = PdfFacture.objects.filter(facture=facture).first()
    if deja is not None:
        return deja
    mot = "avoir" if facture.est_avoir else "facture"
    colonnes = ranger(f"{mot}-{facture.numero_complet}.pdf", "application/pdf", imprimer(facture))
    fait, est_neuf = PdfFacture.objects.get_or_create(facture=facture, defaults=colonnes)
    if not est_neuf:  # somebody was faster: ours is nobody's
        default_storage.delete(colonnes["fichier"])
    return fait


def balayer_pdf(limite: int = PAR_PASSAGE) -> int:
    """Make the documents that are missing, the oldest first, and return how many.

    One transaction an invoice, its row locked: two workers share them, a kill leaves at worst a file without a row.
    One that fails is left to the next sweep, and stops none of the others.
    """
    faits, echoues = 0, []
    while faits + len(echoues) < limite:
        with transaction.atomic():
            sans = Facture.objects.emises().filter(pdf=None).exclude(pk__in=echoues).select_related("avoir_de")
            # Without a key: what a parent asks for meanwhile does not wait.
            facture = sans.select_for_update(of=("self",), skip_locked=True, no_key=True).order_by("pk").first()
            if facture is None:
                break
            try:
                with transaction.atomic():
                    fabriquer_pdf(facture)
            except pdf.PdfIndisponible:
                break
            except Exception:
                journal.exception("PDF de la facture %s impossible", facture.pk)
                echoues.append(facture.pk)
            else:
                faits += 1
    return faits


# --- Many, for the printer ---------------------------------------------------------------------------------


def a_imprimer(regie: Regie, mois: date) -> list[Facture]:
    """The invoices of a month in the order of the families' names, accents and capitals aside."""
    factures = Facture.objects.emises().filter(regie=regie, mois=mois).select_related("famille", "avoir_de")
    return sorted(factures, key=lambda facture: (slugify(facture.famille.nom), facture.exercice, facture.numero))


def imprimer_ensemble(factures: Iterable[Facture], *, recto_verso: bool = False) -> bytes:
    """These invoices one after the other, in one PDF; those without a document get theirs.

    :param recto_verso: each begins on a sheet of its own, with a blank page where needed.
    :raises portail.outils.pdf.PdfIndisponible: no PDF on this machine.
    """
    ensemble = PdfWriter()
    factures = list(factures)
    deja = {p.facture_id: p for p in PdfFacture.objects.filter(facture__in=factures).order_by("pk")}
    for facture in factures:
        ensemble.append(io.BytesIO(lire_piece(deja.get(facture.pk) or fabriquer_pdf(facture))), import_outline=False)
        if recto_verso and len(ensemble.pages) % 2:
            ensemble.add_blank_page()
    sortie = io.BytesIO()
    ensemble.write(sortie)
    return sortie.getvalue()


# --- Receipts ----------------------------------------------------------------------------------------------


def imprimer_recu(reglement: Reglement) -> bytes:
    """The receipt of a payment: what was received, and what it pays today.

    :raises portail.outils.pdf.PdfIndisponible: no PDF on this machine.
    """
    parts = {}
    for imputation in reglement.imputations.select_related("facture").order_by("pk"):
        facture = imputation.facture
        parts[facture.numero_complet] = parts.get(facture.numero_complet, 0) + imputation.montant
    famille, paye = reglement.famille, sum(parts.values())
    contexte = {
        "titre": f"Reçu n°\u00a0{reglement.pk}",
        "noms": [nom_de(adulte) for adulte in famille.adultes()],
        "adresse": famille.adresse_lignes,
        "regie": reglement.regie.nom,
        "montant": euros(reglement.montant),
        "le": jour(reglement.recu_le, semaine=False),
        "moyen": reglement.get_moyen_display(),
        "reference": reglement.reference,
        "est_cheque": reglement.moyen == Reglement.Moyen.CHEQUE,
        "parts": [(numero, euros(montant)) for numero, montant in sorted(parts.items()) if montant],
        "reste": euros(reglement.montant - paye) if reglement.montant > paye else "",
    }
    return pdf.rendre("pdf/recu.html", contexte)
