"""The rentrée in words: blocks of the list, lines of the recap, sentences. Prepared here, printed by the templates."""

from collections import Counter, namedtuple
from dataclasses import replace
from itertools import groupby

from enfants.models import Enfant, Rentree
from enfants.prevision import CP, RANGS, Groupe, Mouvement, Prevision, Quoi, cle_enfant
from enfants.regles.annees import NIVEAUX, niveau_suivant

ENFANTS_PAR_PAGE = 300  # each is a field, and a form takes DATA_UPLOAD_MAX_NUMBER_FIELDS of them

Page = namedtuple("Page", "numero titre groupes")
Bloc = namedtuple("Bloc", "titre ecole effectif groupes")
BlocGroupe = namedtuple("BlocGroupe", "cle titre destination destinations usuel simples lieux lignes")
Ligne = namedtuple("Ligne", "champ nom naissance choix")
LigneRecap = namedtuple("LigneRecap", "classe ecole niveau effectif destination choisie")

VERBES = {
    Quoi.MONTE: ("monte", "montent"),
    Quoi.SAUTE: ("saute une classe", "sautent une classe"),
    Quoi.REDOUBLE: ("redouble", "redoublent"),
    Quoi.PART: ("part", "partent"),
    Quoi.RESTE: ("n'a pas de niveau connu", "n'ont pas de niveau connu"),
}


def nombre(valeur: int) -> str:
    """« 3 912 »."""
    return f"{valeur:,}".replace(",", "\u00a0")


def accorder(valeur: int, un: str, plusieurs: str) -> str:
    """« 1 foyer », « 380 foyers »."""
    return f"{nombre(valeur)} {un if valeur < 2 else plusieurs}"


def en_niveau(code: str) -> str:
    """« CE1 », « grande section », within a sentence."""
    return code if NIVEAUX[code] == code else NIVEAUX[code].lower()


def le_niveau(code: str) -> str:
    """« le CE1 », « la grande section »."""
    return f"{'le' if RANGS[code] >= CP else 'la'} {en_niveau(code)}"


def totaux(comptes: Counter) -> str:
    """« 212 montent, 31 partent, 2 redoublent » of a count by Quoi."""
    return ", ".join(accorder(comptes[quoi], *verbes) for quoi, verbes in VERBES.items() if comptes[quoi])


def totaux_faits(rentree: Rentree) -> str:
    """The same of a rentrée that is done, as far as it changed files."""
    comptes = Counter()
    for mouvement in rentree.mouvements.values():
        avant, apres = mouvement["avant"], mouvement["apres"]
        comptes["part" if apres["archive_le"] else "monte" if apres["niveau"] != avant["niveau"] else "autre"] += 1
    verbes = {
        "monte": ("est monté", "sont montés"),
        "part": ("est parti", "sont partis"),
        "autre": ("a changé de classe", "ont changé de classe"),
    }
    phrases = [accorder(comptes[quoi], *mots) for quoi, mots in verbes.items() if comptes[quoi]]
    return ", ".join(phrases) or "aucun dossier n'a changé"


# --- The list --------------------------------------------------------------------------------------------


def paginer(groupes: list[Groupe]) -> list[Page]:
    """Pages of whole classes, called by their first school; a larger lot, of children without class, is cut."""
    pages, effectif, derniere = [], ENFANTS_PAR_PAGE, ""
    for (ecole, _), du_lieu in groupby(groupes, key=lambda groupe: (groupe.ecole, groupe.classe)):
        nom = str(ecole or "Sans école")
        for lot in _couper(list(du_lieu)):
            ajout = sum(len(groupe.mouvements) for groupe in lot)
            if effectif + ajout > ENFANTS_PAR_PAGE:
                pages.append(Page(len(pages) + 1, f"{nom} (suite)" if nom == derniere else nom, []))
                effectif = 0
            pages[-1].groupes.extend(lot)
            effectif, derniere = effectif + ajout, nom
    return pages


def _couper(groupes):
    if sum(len(groupe.mouvements) for groupe in groupes) <= ENFANTS_PAR_PAGE:
        return [groupes]
    return [
        [replace(groupe, mouvements=groupe.mouvements[debut:][:ENFANTS_PAR_PAGE])]
        for groupe in groupes
        for debut in range(0, len(groupe.mouvements), ENFANTS_PAR_PAGE)
    ]


def blocs(prevision: Prevision, groupes: list[Groupe]) -> list[Bloc]:
    """A block for each class, with a table for each of its levels."""
    resultat = []
    for (ecole, classe), du_lieu in groupby(groupes, key=lambda groupe: (groupe.ecole, groupe.classe)):
        lot = list(du_lieu)
        effectif = accorder(sum(len(groupe.mouvements) for groupe in lot), "enfant", "enfants")
        titre = str(classe or "Sans classe")
        resultat.append(Bloc(titre, str(ecole or "sans école"), effectif, [_bloc_groupe(prevision, g) for g in lot]))
    return resultat


def _bloc_groupe(prevision, groupe):
    simples, lieux = [], []
    for valeur in groupe.exceptions:
        est_un_lieu = ":" in valeur
        libelle = lieu(prevision, groupe, valeur) if est_un_lieu else _exception(groupe, valeur)
        (lieux if est_un_lieu else simples).append((str(valeur), libelle))
    return BlocGroupe(
        groupe.cle,
        _titre(groupe),
        groupe.destination,
        [(valeur, lieu(prevision, groupe, valeur)) for valeur in groupe.destinations],
        _usuel(groupe),
        simples,
        lieux,
        [_ligne(mouvement) for mouvement in groupe.mouvements],
    )


def _ligne(mouvement):
    enfant = mouvement.enfant
    naissance = f"{enfant.date_naissance:%d/%m/%Y}" if enfant.date_naissance else ""
    return Ligne(cle_enfant(enfant.pk), f"{enfant.nom} {enfant.prenom}", naissance, str(mouvement.choix))


def _titre(groupe):
    if not groupe.niveau:
        return "Niveau inconnu"
    return f"{NIVEAUX[groupe.niveau]} → {NIVEAUX[groupe.suivant] if groupe.suivant else 'collège'}"


def _usuel(groupe):
    """What becomes of a child without exception."""
    if groupe.suivant is None:
        return "part au collège"
    return f"passe en {en_niveau(groupe.suivant)}" if groupe.suivant else "ne change pas"


def _exception(groupe, valeur):
    if valeur == Quoi.REDOUBLE:
        return f"redouble {le_niveau(groupe.niveau)}"
    if valeur == Quoi.SAUTE:
        return f"saute une classe, passe en {en_niveau(niveau_suivant(groupe.suivant))}"
    return "part"


def lieu(prevision: Prevision, groupe: Groupe, destination: str) -> str:
    """« CM1-CM2 de Mme Roy », « École du Bourg, classe à donner », « école à donner »: where a destination leads."""
    genre, _, cle = destination.partition(":")
    if not genre:
        return "école à donner"
    classe = prevision.classes[int(cle)] if genre == "classe" else None
    ecole = prevision.ecoles[classe.ecole_id if classe else int(cle)]
    nom = classe.nom if classe else "classe à donner"
    return nom if ecole == groupe.ecole else f"{ecole}, {nom}"


# --- The recap -------------------------------------------------------------------------------------------


def lignes_du_recapitulatif(prevision: Prevision) -> list[LigneRecap]:
    """Where each group goes, exceptions aside."""
    return [
        LigneRecap(
            str(groupe.classe or "Sans classe"),
            str(groupe.ecole or "Sans école"),
            _titre(groupe),
            len([m for m in groupe.mouvements if not m.choix]),
            _destination(prevision, groupe),
            groupe.destination != groupe.proposee,
        )
        for groupe in prevision.groupes
    ]


def _destination(prevision, groupe):
    if groupe.suivant is None:
        return "départ"
    return lieu(prevision, groupe, groupe.destination) if groupe.suivant else "sans changement"


def exceptions(prevision: Prevision) -> list[str]:
    """A sentence for each child for whom the agent chose otherwise."""
    return [
        _phrase(prevision, groupe, mouvement)
        for groupe in prevision.groupes
        for mouvement in groupe.mouvements
        if mouvement.choix
    ]


def _phrase(prevision, groupe, mouvement: Mouvement):
    niveau, classe_id, ecole_id = mouvement.apres
    if mouvement.quoi == Quoi.REDOUBLE:
        suite = f"redouble {le_niveau(niveau)}"
    elif mouvement.quoi == Quoi.PART:
        return f"{mouvement.enfant} part."
    elif mouvement.quoi == Quoi.SAUTE:
        suite = f"saute une classe et passe en {en_niveau(niveau)}"
    else:
        suite = f"passe en {en_niveau(niveau)}" if niveau else "change de classe"
    ou = f"classe:{classe_id}" if classe_id else f"ecole:{ecole_id}" if ecole_id else ""
    return f"{mouvement.enfant} {suite} ({lieu(prevision, groupe, ou)})."


def noms(enfants: list[Enfant]) -> str:
    return ", ".join(map(str, enfants))
