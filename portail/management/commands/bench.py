"""``manage.py bench``: what the pages cost, on a base that ``peupler`` has filled."""

from dataclasses import fields

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from facturation.campagnes import LOT
from portail.mesures import PAGES, Budget, MesureImpossible, demandeurs, mesurer
from portail.mesures_mois import facturer_tout, mois_charge

COLONNES = {
    "requetes": ("requêtes", "{:.0f}"),
    "ko": ("ko de HTML", "{:.1f}"),
    "temps": ("ms", "{:.1f}"),
    "processeur": ("ms de calcul", "{:.1f}"),
    "rapport": ("fois le plancher", "{:.1f}"),
}
LARGEUR, MARGE = 18, 22  # characters of a column, of the names


class Command(BaseCommand):
    help = (
        "Mesure les pages des familles : requêtes, taille, durée, et combien de fois son plancher coûte chacune. "
        "Le budget, quand il y en a un, est entre parenthèses."
    )

    def add_arguments(self, parser):
        parser.add_argument("--tours", type=int, default=200, help="demandes de chaque page (200)")
        parser.add_argument("--minimum", type=int, default=500, help="familles sans lesquelles rien n'est mesuré (500)")

    def handle(self, *, tours, minimum, **options):
        if not settings.MODE_DEMO:
            raise CommandError("Les mesures se font sur des familles inventées, pas sur une base de production.")
        if tours < 1:
            raise CommandError("Il faut au moins un tour.")
        try:
            bancs = demandeurs(minimum)
        except MesureImpossible as erreur:
            raise CommandError(str(erreur)) from erreur
        self.ecrire(["page", *(titre for titre, _ in COLONNES.values()), ""])
        for page in PAGES:
            banc = bancs[page.tous]
            try:
                mesure = mesurer(page, banc, tours)
            except MesureImpossible as erreur:
                self.ecrire([page.nom, str(erreur)])
                continue
            self.ecrire([page.nom, *cellules(mesure, page.budget), verdict(mesure, page.budget)])
        for tous, quoi in ((True, "tous ses enfants"), (False, "un enfant")):
            banc = bancs[tous]
            self.stdout.write(f"Pages sur {quoi} : {banc.compte.identifiant}, {banc.enfants} enfant(s).")

        self.facturer()

    def facturer(self):
        """A month, lot by lot: what a lot costs must not grow with the number of lots."""
        try:
            mois, jours = mois_charge()
        except MesureImpossible as erreur:
            self.stdout.write(str(erreur))
            return
        self.stdout.write(f"\nFacturer {mois:%m/%Y} : {jours} jours réservés, par lots de {LOT} familles")
        self.ecrire(["lot", "familles", "secondes", "ordres SQL", "Mo au plus"])
        for rang, (etape, lot) in enumerate(facturer_tout(mois), 1):
            chiffres = [str(lot.familles), f"{lot.secondes:.2f}", str(lot.ordres), f"{lot.memoire:.0f}"]
            self.ecrire([f"{rang} {etape}", *(chiffre.replace(".", ",") for chiffre in chiffres)])

    def ecrire(self, mots):
        nom, *autres = mots
        self.stdout.write((f"{nom:<{MARGE}}" + "".join(f"{mot:>{LARGEUR}}" for mot in autres)).rstrip())
        self.stdout.flush()


def cellules(mesure, budget: Budget) -> list[str]:
    """« 7 (8) »: what it costs, and what it may."""
    return [
        en_clair(getattr(mesure, nom), forme) + (f" ({en_clair(promis, '{:g}')})" if promis is not None else "")
        for nom, (_, forme) in COLONNES.items()
        for promis in [getattr(budget, nom)]
    ]


def en_clair(valeur: float | None, forme: str) -> str:
    return "–" if valeur is None else forme.format(valeur).replace(".", ",")


def verdict(mesure, budget: Budget) -> str:
    """« bien » within its budget, « au-dessus », « – » without one."""
    promis = {champ.name: getattr(budget, champ.name) for champ in fields(budget)}
    couts = [(getattr(mesure, nom), limite) for nom, limite in promis.items() if limite is not None]
    if not couts:
        return "–"
    return "bien" if all(cout is None or cout <= limite for cout, limite in couts) else "au-dessus"
