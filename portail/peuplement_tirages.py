"""What invented people have: common names, and addresses and numbers that belong to nobody."""

from datetime import date, timedelta
from itertools import accumulate
from random import Random
from uuid import UUID

from schwifty import IBAN

from enfants.regles.annees import NIVEAUX, PREMIER_AGE, annee_scolaire
from portail.commune import Commune

# No bank has this number, and a BIC with 0 in eighth place is for tests (ISO 9362).
BANQUE, BIC = "99999", "EXEMFRP0XXX"


def _liste(texte: str) -> list[str]:
    return texte.strip().replace("\n", "|").split("|")


NOMS = _liste("""
Aubert|Barbier|Bellanger|Benoit|Berger|Bertin|Besson|Blanchard|Bonnet|Boucher|Bourgeois|Brunet|Carpentier
Chevalier|Clément|Colin|Collet|Cordier|Couturier|Da Silva|Delaunay|Diallo|Dumas|Dupuis|Faure|Ferreira|Fontaine
Fournier|Garnier|Gauthier|Gonçalves|Guérin|Guillot|Haddad|Hamidi|Hubert|Jacquet|Joly|Lacroix|Lambert|Langlois
Le Gall|Leblanc|Leclerc|Lefebvre|Legrand|Lemoine|Leroux|Lopes|Maillard|Marchand|Marty|Masson|Mercier|Meunier
Meyer|Michaud|Morel|Moulin|N'Diaye|Nguyen|Nicolas|Noël|Olivier|Paris|Pereira|Perrin|Picard|Poirier|Prévost
Renard|Renaud|Rey|Rivière|Robin|Roger|Roussel|Roux|Royer|Sanchez|Schneider|Simon|Tessier|Traoré|Vasseur|Vidal
Vincent|Weber|Yilmaz
""")
PRENOMS = {
    "MME": _liste("""
Amandine|Amélie|Anaïs|Anne-Sophie|Audrey|Aurélie|Camille|Caroline|Catherine|Céline|Charlotte|Claire|Clémence
Delphine|Élodie|Émilie|Fatima|Fanny|Hélène|Isabelle|Jennifer|Julie|Karine|Laetitia|Laura|Laure|Lucie|Marie
Marine|Marion|Mathilde|Mélanie|Morgane|Nadège|Nathalie|Nawel|Ophélie|Pauline|Sabrina|Samira|Sandrine|Sarah
Solène|Sonia|Stéphanie|Virginie
"""),
    "M": _liste("""
Adrien|Alexandre|Antoine|Arnaud|Aurélien|Bastien|Benjamin|Benoît|Cédric|Christophe|Clément|Damien|David|Fabien
Florian|Franck|Frédéric|Grégory|Guillaume|Hakim|Jean-Baptiste|Jérémy|Jérôme|Jonathan|Kévin|Laurent|Ludovic
Mathieu|Maxime|Mehdi|Mickaël|Nicolas|Olivier|Pierre|Quentin|Rachid|Romain|Samuel|Sébastien|Simon|Stéphane
Sylvain|Thibault|Thomas|Vincent|Xavier|Yannick
"""),
}
PRENOMS_ENFANTS = {
    "F": _liste("""
Adèle|Agathe|Alice|Alix|Ambre|Anna|Apolline|Assia|Camille|Capucine|Charlie|Chloé|Clara|Éden|Élise|Emma|Eva
Inaya|Iris|Jade|Jeanne|Julia|Léonie|Lina|Lou|Louise|Maëlle|Manon|Margaux|Mila|Nina|Nour|Olivia|Romane|Rose
Soline|Sofia|Yasmine
"""),
    "M": _liste("""
Aaron|Achille|Adam|Aloïs|Arthur|Augustin|Axel|Basile|Côme|Eliott|Ethan|Gabin|Gabriel|Hugo|Ilyan|Isaac|Jules
Liam|Louis|Lucas|Maël|Malo|Marius|Milo|Naël|Nathan|Noah|Nolan|Paul|Rayan|Robin|Sacha|Théo|Timéo|Tiago|Victor
Yanis
"""),
}
LIEUX_NAISSANCE = ["", *_liste("Bourges|Bourges|Bourges|Saint-Doulchard|Vierzon|Nevers|Orléans|Châteauroux|Paris")]
ECOLES = _liste("""
de la Forêt|de la Source|des Coquelicots|des Lilas|des Merisiers|des Noisetiers|des Prés|des Tilleuls|des Vignes
du Lavoir|du Moulin|du Vallon
""")
# Family tie -> title of who has it; the children's own parents need no leave.
LIENS = {
    "Grand-mère": "MME",
    "Grand-père": "M",
    "Tante": "MME",
    "Oncle": "M",
    "Voisine": "MME",
    "Voisin": "M",
    "Assistante maternelle": "MME",
}
MEDECINS = _liste("""
Dr Anne Bellanger|Dr Bruno Cordier|Dr Carole Dumas|Dr Denis Fontaine|Dr Émilie Haddad|Dr François Joly
Dr Gaëlle Lacroix|Dr Hervé Marty|Dr Inès Moulin|Dr Jean Prévost
""")
ASSUREURS = _liste("Assurances du Berry|Mutuelle des Vergers|Prévoyance du Centre")
APPAREILS = _liste("Semelles orthopédiques|Attelle de nuit|Corset")
TRAITEMENTS = _liste("""
Collyre le matin, donné à la maison.|Crème contre l'eczéma, appliquée à la maison.|Fer en sirop, le matin.
Inhalateur avant le sport, rangé dans le cartable.
""")
RECOMMANDATIONS = _liste("""
Garde ses lunettes pour jouer dehors.|Mal des transports : à placer à l'avant du car.|Peau claire : crème solaire.
Saigne facilement du nez : pincer la narine, tête penchée en avant.
""")
ALLERGIES = _liste("""
Piqûres de guêpe : du froid, puis appeler les parents.|Pollens au printemps : antihistaminique le matin.
Pansements : prendre ceux en papier.
""")
CONSIGNES = _liste("""
Trousse rouge à son nom : antihistaminique au premier signe, puis appeler le 15.
Inhalateur dans la trousse bleue : deux bouffées en cas de gêne, puis appeler les parents.
""")
VOIES = _liste("""
allée des Noisetiers|allée des Pommiers|chemin de la Fontaine|chemin des Coquelicots|chemin des Vignes
chemin du Moulin|impasse des Cerisiers|impasse du Pressoir|place du Marché|route de Bourges|route de Vierzon
rue de l'Église|rue de la Forêt|rue de la Gare|rue de la Mairie|rue des Écoles|rue des Lilas|rue des Potiers
rue des Tilleuls|rue des Vergers|rue du Lavoir|rue du Puits|rue du Stade
""")
COMPLEMENTS = ["", "", "", "", *_liste("Appartement 12|Bâtiment A|Bâtiment B|Le Bourg|Les Grands Champs")]
VOISINES = _liste("""
18110 Allogny|18110 Fussy|18110 Pigny|18110 Quantilly|18110 Saint-Palais|18110 Vasselay
18110 Vignoux-sous-les-Aix|18510 Menetou-Salon
""")
PROFESSIONS = _liste("""
Aide à domicile|Architecte|Bibliothécaire|Comptable|Fleuriste|Fonctionnaire|Garagiste|Géomètre|Graphiste
Interprète|Juriste|Kinésithérapeute|Libraire|Paysagiste|Peintre en bâtiment|Photographe|Secrétaire|Vétérinaire
""")
EMPLOYEURS = [
    "",
    *_liste("Clinique des Ormes|Coopérative des Vergers|Garage du Centre|Menuiserie des Tilleuls"),
]


def adresse(hasard: Random, commune: Commune) -> dict:
    """An address in the commune, or in a village around."""
    code_postal, ville = commune.code_postal, commune.ville
    if not ville or hasard.random() < 0.3:
        code_postal, ville = hasard.choice(VOISINES).split(" ", 1)
    return {
        "adresse": f"{hasard.randint(1, 90)} {hasard.choice(VOIES)}",
        "complement": hasard.choice(COMPLEMENTS),
        "code_postal": code_postal,
        "ville": ville,
    }


def mobile(hasard: Random) -> str:
    """A number of the range that the ARCEP keeps for fiction."""
    return f"06 39 98 {hasard.randrange(100):02} {hasard.randrange(100):02}"


def fixe(hasard: Random) -> str:
    """A number of the range that the ARCEP keeps for fiction, in this part of France."""
    return f"02 61 91 {hasard.randrange(100):02} {hasard.randrange(100):02}"


def numero_fiscal(hasard: Random) -> str:
    """Thirteen digits that nobody has: real ones end with a remainder by 511."""
    return f"30{hasard.randrange(10**8):08}{hasard.randint(511, 999)}"


def compte_bancaire(hasard: Random) -> dict:
    """An IBAN whose keys are right, and its BIC."""
    guichet, numero = f"{hasard.randrange(10**5):05}", f"{hasard.randrange(10**11):011}"
    iban = IBAN.generate("FR", bank_code=BANQUE, branch_code=guichet, account_code=numero)
    return {"iban": iban.compact, "bic": BIC}


def medecin(hasard: Random) -> dict:
    """A doctor of the place, always with the same number."""
    rang = hasard.randrange(len(MEDECINS))
    return {"medecin_nom": MEDECINS[rang], "medecin_telephone": f"02 61 91 50 {rang:02}"}


def assurance(hasard: Random, fin: date) -> dict:
    """A school insurance until this day."""
    numero = f"SC-{hasard.randrange(10**6):06}"
    return {"assurance_compagnie": hasard.choice(ASSUREURS), "assurance_numero": numero, "assurance_fin": fin}


def uuid(hasard: Random) -> UUID:
    """A uuid that the seed gives again."""
    return UUID(int=hasard.getrandbits(128), version=4)


def naissances(hasard: Random, nombre: int, aujourdhui: date) -> list[date]:
    """Birth dates of brothers and sisters from two years old to CM2, the youngest first."""
    ecart = (420, 820) if nombre < 5 else (330, 480)  # days
    ecarts = [hasard.randint(*ecart) for _ in range(nombre - 1)]
    aine = date(annee_scolaire(aujourdhui) - PREMIER_AGE - len(NIVEAUX) + 1, 1, 1)
    benjamin = hasard.randint(900, (aujourdhui - aine).days - sum(ecarts))
    ages = accumulate([benjamin, *ecarts])
    return [aujourdhui - timedelta(days=age) for age in ages][:nombre]


def jour_ouvre(jour: date) -> date:
    """The day, or the Monday after a week-end."""
    return jour + timedelta(days=7 - jour.weekday() if jour.weekday() > 4 else 0)
