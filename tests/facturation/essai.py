"""Régies and invoices for the tests, made directly: what is tested is what comes after them."""

from datetime import date, timedelta
from decimal import Decimal

from django.db import transaction

from enfants.models import Service
from facturation.actions import prendre_numeros, totaliser
from facturation.instantanes import instantane_debiteur, instantane_emetteur
from facturation.models import Ecriture, Facture, LigneFacture, Produit, Regie
from facturation.prelevements import annonce
from familles.models import Famille
from portail.commune import Commune

MOIS = date(2026, 10, 1)


def regie_essai(code="regie-essai", **colonnes) -> Regie:
    """The commune collects."""
    return Regie.objects.create(
        **{"code": code, "nom": "Accueil de loisirs", "regime": Regie.Regime.REGIE, "jours_echeance": 30} | colonnes
    )


def titre_essai(code="titre-essai", **colonnes) -> Regie:
    """The trésorerie collects, from 15 € on."""
    return regie_essai(
        code,
        **{"nom": "Restauration scolaire", "regime": Regie.Regime.TITRE, "minimum": Decimal(15)} | colonnes,
    )


def produit_essai(regie: Regie, service: str, part_garde=0) -> Produit:
    """The service of this code belongs to this régie."""
    return Produit.objects.create(regie=regie, service=Service.objects.get(code=service), part_garde=part_garde)


@transaction.atomic
def facture_essai(
    famille: Famille, regie: Regie, *montants, mois=MOIS, emise=True, emise_le=None, echeance=None, enfant=None
) -> Facture:
    """An invoice of lines of these amounts, issued with its entry, or a draft."""
    emise_le = emise_le or date(2026, 11, 2)
    facture = Facture.objects.create(famille=famille, regie=regie, mois=mois, exercice=emise_le.year)
    for rang, montant in enumerate(montants or ("40.80",)):
        prix = Decimal(montant)
        LigneFacture.objects.create(
            facture=facture,
            rang=rang,
            genre=LigneFacture.GenreLigne.PRESTATION,
            enfant=enfant,
            prenom=enfant.prenom if enfant else "",
            libelle=f"{regie.nom}, 1 jour à {prix} € (tarif unique)",
            quantite=1,
            prix=prix,
            montant=prix,
            jours=[[mois.replace(day=5).isoformat(), "Réservé le 2 septembre, présent."]],
        )
    totaliser(facture)
    if emise:
        emettre_essai(facture, emise_le, echeance or emise_le + timedelta(days=30))
    return facture


def emettre_essai(facture: Facture, emise_le: date, echeance: date) -> None:
    facture.emise_le, facture.echeance = emise_le, echeance
    facture.debiteur = instantane_debiteur(facture.famille, prelevement=annonce(facture))
    facture.emetteur = instantane_emetteur(facture.regie, Commune.actuelle())
    facture.numero = prendre_numeros(emise_le.year, 1)
    facture.reference = f"{emise_le.year}{facture.numero:08d}"
    facture.etat = Facture.Etat.EMISE
    facture.save()
    if facture.total:
        Ecriture.objects.create(
            famille=facture.famille,
            regie=facture.regie,
            le=emise_le,
            nature=Ecriture.Nature.FACTURE,
            libelle=f"Facture {facture.numero_complet}",
            debit=facture.total,
            facture=facture,
        )


def factures_en_nombre(famille: Famille, regie: Regie, nombre: int, emise_le=None) -> list[Facture]:
    """So many issued invoices with their entries, and no line: for what a page costs."""
    emise_le = emise_le or date(2026, 11, 2)
    premier = prendre_numeros(emise_le.year, nombre)
    factures = Facture.objects.bulk_create(
        Facture(
            famille=famille,
            regie=regie,
            mois=MOIS,
            exercice=emise_le.year,
            numero=premier + rang,
            etat=Facture.Etat.EMISE,
            emise_le=emise_le,
            echeance=emise_le + timedelta(days=30),
            total=Decimal("12.50"),
        )
        for rang in range(nombre)
    )
    Ecriture.objects.bulk_create(
        Ecriture(
            famille=famille,
            regie=regie,
            le=emise_le,
            nature=Ecriture.Nature.FACTURE,
            libelle=f"Facture {facture.numero_complet}",
            debit=facture.total,
            facture=facture,
        )
        for facture in factures
    )
    return factures
