"""The money of the cast: régies, prices voted, and two invoices of the Durand household."""

from datetime import date, timedelta
from decimal import Decimal

from django.utils import timezone

from enfants.models import Formule, Service
from enfants.regles.annees import annee_scolaire, bornes
from facturation import actions, campagnes
from facturation.models import Grille, MajorationGrille, Moyen, Produit, Regie, Tarif, TrancheTarif
from familles.models import QuotientFamilial, Utilisateur
from portail import demo_planning

TRANCHES = (("400", 0), ("700", 1), ("1000", 2), (None, 3))  # highest quotient, rank of the price
# Code of the service -> (its régie, percent of care, one unit and several, prices by bracket of each formule)
PRIX = {
    "accueil-matin": ("periscolaire", 100, ("accueil", "accueils"), {None: "0.90 1.20 1.50 1.80"}),
    "restauration": ("restauration", 0, ("repas", "repas"), {None: "1.00 2.60 3.40 4.10"}),
    "accueil-soir": ("periscolaire", 100, ("accueil", "accueils"), {None: "1.30 1.80 2.20 2.60"}),
    "alsh-mercredi": (
        "loisirs",
        100,
        ("jour", "jours"),
        {
            None: "6.00 9.00 12.00 15.00",
            "Matin sans repas": "2.50 3.50 4.70 6.00",
            "Matin avec repas": "4.00 6.10 8.10 10.10",
            "Après-midi": "2.50 3.50 4.70 6.00",
        },
    ),
    "alsh-vacances": (
        "loisirs",
        100,
        ("jour", "jours"),
        {
            None: "6.00 9.00 12.00 15.00",
            "Demi-journée avec repas": "4.00 6.10 8.10 10.10",
            "Demi-journée sans repas": "2.50 3.50 4.70 6.00",
        },
    ),
}
# What the régies share.
TOUS = [Moyen.CARTE, Moyen.VIREMENT, Moyen.CHEQUE, Moyen.ESPECES, Moyen.CESU, Moyen.ANCV, Moyen.PRELEVEMENT]
COMMUNES = {
    "jours_echeance": 30,
    "contact": "Service Comptabilité",
    "telephone": "02 48 66 61 61",
    "moyens_acceptes": TOUS,
}


def charger() -> None:
    """How the commune collects, and what the council voted; to call once the services are there."""
    regies = _regies()
    rentree = date(annee_scolaire(timezone.localdate()) - 2, 9, 1)
    for code, (regie, part_garde, mots, prix) in PRIX.items():
        service = Service.objects.get(code=code)
        Produit.objects.create(service=service, regie=regies[regie], part_garde=part_garde)
        grille = Grille.objects.create(
            service=service,
            deliberation=f"{rentree.year}-42",
            votee_le=date(rentree.year, 6, 12),
            valable_du=rentree,
            mot=mots[0],
            mots=mots[1],
        )
        for formule, montants in prix.items():
            _tarif(grille, formule, montants.split())
        if code == "restauration":
            MajorationGrille.objects.create(grille=grille, cause="RESERVE_TARD", pourcent=50)
            MajorationGrille.objects.create(grille=grille, cause="SANS_RESERVATION", pourcent=50, a_partir_de=2)
        if code == "accueil-soir":
            MajorationGrille.objects.create(grille=grille, cause="DEPART_TARDIF", montant=Decimal("5.00"))


def animer() -> None:
    """The month before last and the last one are billed; the Durand household owes an invoice of each kind.

    Not part of the cast: its tests make their own invoices.
    """
    comptable = Utilisateur.objects.get(identifiant="comptable")
    aujourdhui = timezone.localdate()
    _venir_le_mois_passe(aujourdhui)
    for regie in Regie.objects.order_by("ordre"):
        campagne = campagnes.ouvrir(regie, aujourdhui.replace(day=1) - timedelta(days=1))
        campagnes.lancer_preparation(campagne, par=comptable)
        campagnes.poursuivre()
        emise_le = aujourdhui.replace(day=1) + timedelta(days=min(1, aujourdhui.day - 1))
        echeance = emise_le + timedelta(days=regie.jours_echeance)
        campagnes.lancer_emission(campagne, emise_le=emise_le, echeance=echeance, par=comptable)
        campagnes.poursuivre()
    restauration = Regie.objects.get(code="restauration")
    factures = restauration.factures.emises().order_by("numero")
    if factures:
        actions.prendre_en_role(
            factures,
            regie=restauration,
            numero="12",
            exercice=aujourdhui.year,
            le=factures[0].emise_le,
            par=comptable,
        )


def _venir_le_mois_passe(aujourdhui):
    """The days of the last month that the cast does not tell: meals, evenings, Wednesdays, a quotient."""
    au = aujourdhui.replace(day=1) - timedelta(days=1)
    du, connu = au.replace(day=1), aujourdhui - timedelta(days=36)
    for identifiant in ("durand", "benali"):
        demo_planning.venir(identifiant, "restauration", (0, 1, 3, 4), du, min(au, connu))
    demo_planning.venir("durand", "alsh-mercredi", (2,), du, au)
    demo_planning.venir("benali", "accueil-soir", (0, 1, 3, 4), du, au)
    # Known since the start of the school year, so that the invoice of last month tells a bracket.
    debut, _ = bornes(annee_scolaire(du))
    QuotientFamilial.objects.filter(famille__responsables__utilisateur__identifiant="durand").update(valable_du=debut)


def _regies():
    regies = (_restauration(), _loisirs(), _periscolaire())
    return {regie.code: regie for regie in regies}


def _restauration():
    return Regie.objects.create(
        code="restauration",
        nom="Restauration scolaire",
        regime=Regie.Regime.TITRE,
        minimum=15,
        payfip=Regie.PayFip.SAISIE,
        payfip_client="018110",
        payfip_saisie="A",
        code_recette="CA",
        signataire="Fabrice Chenu, maire",
        moyens="Chèque à l'ordre du Trésor public, envoyé avec le talon à la trésorerie.\n"
        "Carte bancaire ou espèces (jusqu'à 300\u00a0€) chez un buraliste partenaire.",
        mentions="Titre exécutoire en application de l'article L. 252 A du livre des procédures fiscales, pris, émis "
        "et rendu exécutoire conformément aux dispositions du code général des collectivités territoriales. Dans le "
        "délai de deux mois suivant la notification du présent acte (art. L. 1617-5 du CGCT), vous pouvez contester la "
        "somme mentionnée ci-dessus en saisissant directement le tribunal administratif d'Orléans.",
        contact="Trésorerie des Aix-d'Angillon",
        telephone="02 48 64 40 72",
        ordre=1,
    )


def _loisirs():
    return Regie.objects.create(
        code="loisirs",
        nom="Accueil de loisirs",
        regime=Regie.Regime.REGIE,
        payfip=Regie.PayFip.SERVICE,
        payfip_client="018111",
        payfip_saisie="A",
        moyens="Chèque à l'ordre de la régie, espèces, CESU ou chèques-vacances à l'accueil de la mairie.",
        ics="FR72ZZZ123456",
        titulaire="REGIE ACCUEIL DE LOISIRS",
        iban="FR7630001007941234567890185",
        bic="BDFEFRPPXXX",
        ordre=2,
        **COMMUNES,
    )


def _periscolaire():
    return Regie.objects.create(
        code="periscolaire",
        nom="Accueil périscolaire",
        regime=Regie.Regime.REGIE,
        payfip=Regie.PayFip.REDIRECTION,
        payfip_client="018112",
        payfip_saisie="A",
        moyens="Chèque à l'ordre de la régie, espèces ou CESU à l'accueil de la mairie.",
        ordre=3,
        **COMMUNES,
    )


def _tarif(grille, formule, montants):
    row = Formule.objects.get(service=grille.service, nom=formule) if formule else None
    tarif = Tarif.objects.create(grille=grille, formule=row, calcul=Tarif.Calcul.TRANCHES)
    TrancheTarif.objects.bulk_create(
        TrancheTarif(tarif=tarif, au=au and Decimal(au), montant=Decimal(montants[rang])) for au, rang in TRANCHES
    )
    if grille.service.code.startswith("alsh"):
        return
    if formule is None:
        Tarif.objects.create(grille=grille, public=Tarif.Public.EXTERIEUR, calcul="FIXE", montant=Decimal("5.60"))
    if grille.service.code == "restauration":
        Tarif.objects.create(grille=grille, public=Tarif.Public.PANIER, calcul="FIXE", montant=Decimal("0.80"))
