"""The children of an invented household: their school, their file, their custody, and what is asked about them."""

import re
from collections import defaultdict
from datetime import date, timedelta
from itertools import cycle
from math import ceil
from random import Random
from uuid import UUID

from demandes.types import TYPES
from enfants.models import Allergene, Classe, Ecole, Enfant, Garde, Informations, PersonneAutorisee, Sante
from enfants.regles.annees import NIVEAUX, age, annee_scolaire, bornes, niveau_habituel
from enfants.regles.vaccins import limite_provisoire, manquants, obligatoires
from familles.models import Famille
from portail import peuplement_tirages as tirer
from portail.demo_enfants import ECOLES as ECOLES_DE_LA_DEMO

Place = tuple[Ecole, Classe | None]
Regime, Etat, Piece = Enfant.Regime, Sante.EtatVaccins, PersonneAutorisee.Piece

# How the name of a class tells its levels, where the code is not written whole.
SECTIONS = {
    "TPS": r"\bTPS\b|toute petite",
    "PS": r"\bPS\b|(?<!toute )petite",
    "MS": r"\bMS\b|moyenne",
    "GS": r"\bGS\b|grande",
}
MATERNELLE = ("TPS", "PS", "MS", "GS")
ENFANTS_PAR_FAMILLE, ENFANTS_PAR_CLASSE = 1.8, 25
AGE_DES_DEMANDES = timedelta(days=700)  # younger, nothing is asked about a child: it comes to no service
RAPPEL_A_SIX_ANS = ("DIPHTERIE", "TETANOS", "POLIO", "COQUELUCHE")
JOURS_DES_VACCINS = {"ROUGEOLE": 510, "OREILLONS": 510, "RUBEOLE": 510}  # of age; 340 for the others
AU_CHOIX = [Regime.STANDARD, Regime.SANS_PORC, Regime.SANS_VIANDE, Regime.VEGETARIEN]


# --- Schools ---------------------------------------------------------------------------------------------


def places(copie, familles: int, hasard: Random) -> dict[str, list[Place]]:
    """Where a child of each level may go: the schools of the base, after some were opened if it has but the demo's.

    A school none of whose classes tells its level takes every level, without a class.
    """
    ecoles = {ecole: list(ecole.classes.all()) for ecole in Ecole.objects.prefetch_related("classes")}
    if {ecole.nom for ecole in ecoles} <= set(ECOLES_DE_LA_DEMO):
        ecoles |= _ouvrir_des_ecoles(copie, familles, hasard)
    trouvees = defaultdict(list)
    for ecole, classes in ecoles.items():
        dites = [(niveau, classe) for classe in classes for niveau in niveaux_dits(classe.nom)]
        for niveau, classe in dites or [(niveau, None) for niveau in NIVEAUX]:
            trouvees[niveau].append((ecole, classe))
    return trouvees


def niveaux_dits(nom: str) -> list[str]:
    """Levels that the name of a class tells: « CE1-CE2 de M. Blanc », « Petite section »."""
    return [code for code in NIVEAUX if re.search(SECTIONS.get(code, rf"\b{code}\b"), nom, re.I)]


def _ouvrir_des_ecoles(copie, familles, hasard):
    """Two to four schools, with the classes that so many families fill."""
    genres = ["École maternelle", "École élémentaire", "École primaire", "École primaire"]
    genres = genres[: 2 + (familles >= 200) + (familles >= 1000)]
    servis = [
        [n for n in NIVEAUX if genre == "École primaire" or (n in MATERNELLE) == (genre == "École maternelle")]
        for genre in genres
    ]
    ecoles = {}
    for genre, niveaux, nom in zip(genres, servis, hasard.sample(tirer.ECOLES, len(genres)), strict=True):
        ecole, maitres = copie.creer(Ecole, nom=f"{genre} {nom}", telephone=tirer.fixe(hasard)), _maitres(hasard)
        ecoles[ecole] = []
        for niveau in niveaux:
            par_ecole = familles * ENFANTS_PAR_FAMILLE / len(NIVEAUX) / sum(niveau in autres for autres in servis)
            for _ in range(min(ceil(par_ecole / ENFANTS_PAR_CLASSE), len(tirer.NOMS))):
                classe = copie.creer(Classe, ecole=ecole, nom=f"{NIVEAUX[niveau]} de {next(maitres)}")
                ecoles[ecole].append(classe)
    return ecoles


def _maitres(hasard):
    """All different, until there are more classes than names."""
    noms = hasard.sample(tirer.NOMS, len(tirer.NOMS))
    return cycle([f"{hasard.choice(['Mme', 'Mme', 'M.'])} {nom}" for nom in noms])


# --- A child's file --------------------------------------------------------------------------------------


def scolariser(hasard: Random, enfants: list[Enfant], annee: int, ou: dict[str, list[Place]]) -> None:
    """Level of its age, and a class of that level: brothers and sisters in the same school when it has one."""
    connues = set()
    for enfant in enfants:
        enfant.niveau = niveau_habituel(enfant.date_naissance, annee)
        libres = ou.get(enfant.niveau, [])
        if proches := [place for place in libres if place[0] in connues]:
            libres = proches
        if libres:
            enfant.ecole, enfant.classe = hasard.choice(libres)
            connues.add(enfant.ecole)


def entourage(hasard: Random, nom: str) -> list[dict]:
    """The people a household trusts with all its children, nobody to three: rows of the form, without their keys."""
    return [_personne(hasard, nom) for _ in range(hasard.choices([0, 1, 2, 3], [12, 33, 35, 20])[0])]


def _personne(hasard, nom):
    lien = hasard.choice(list(tirer.LIENS))
    proche = lien in ("Grand-mère", "Grand-père", "Tante", "Oncle") and hasard.random() < 0.6
    cherche = hasard.random() < 0.9
    return {
        "prenom": hasard.choice(tirer.PRENOMS[tirer.LIENS[lien]]),
        "nom": nom if proche else hasard.choice(tirer.NOMS),
        "lien": lien,
        "telephone": tirer.mobile(hasard),
        "peut_chercher": cherche,
        "urgence": not cherche or hasard.random() < 0.6,
        "piece": str(hasard.choice([Piece.CARTE, Piece.CARTE, Piece.PASSEPORT, Piece.PERMIS, ""])),
    }


class Dossier:
    """The file of a child as one household keeps it. It may still change until ``ecrire``."""

    def __init__(self, decor, hasard: Random, enfant: Enfant, famille: Famille, *, seul: bool):
        """:param decor: what all the families share, see portail/peuplement_foyer.py.
        :param seul: no other household has the child. A file that two share never changes here by a demande:
            the other one would have to be told; each keeps its own list of people.
        """
        self.decor, self.hasard, self.enfant, self.famille = decor, hasard, enfant, famille
        self.personnes: list[dict] = []  # rows of the form
        self.souhaits = {"autorisations": self._liste_changee}
        if seul:
            self.souhaits |= {
                "etat-civil": self._etat_civil_change,
                "informations": self._informations_changees,
                "sante": self._sante_changee,
            }
        self.fiches, self.dites = {}, set()  # sheets by kind of demande; kinds of those that were told

    def declarer(self, personnes: list[dict], *, premier: bool) -> "Dossier":
        """What the household told at the opening.

        :param premier: it is this household that told the rest of the file, not the one the child came from.
        """
        h = self.hasard
        self.personnes = [
            {"cle": str(tirer.uuid(h)), **personne, "ordre": str(n)} for n, personne in enumerate(personnes, 1)
        ]
        if premier:
            enfant = self.enfant
            enfant.lieu_naissance = h.choice(tirer.LIEUX_NAISSANCE)
            enfant.regime = h.choices(AU_CHOIX, [87, 7, 2, 4])[0]
            self.fiches = {"informations": Informations(enfant=enfant), "sante": Sante(enfant=enfant)}
            if h.random() < 0.85:
                self.changer("informations", self._premieres_informations())
            if h.random() < 0.92:
                self.changer("sante", self._premiere_sante())
        return self

    def accepte_demande(self, depot: date) -> bool:
        return self.enfant.date_naissance + AGE_DES_DEMANDES <= depot

    def actuelles(self, type_: str) -> dict:
        """Today's values, as the form of the demande has them."""
        if type_ == "autorisations":
            return {"personnes": self.personnes}
        return TYPES[type_].actuelles(None, self.enfant)

    def changer(self, type_: str, valeurs: dict) -> None:
        """The file takes these values, as accepting a demande would write them."""
        if type_ == "autorisations":
            self.personnes = valeurs["personnes"]
            return
        fiche = self.fiches.get(type_, self.enfant)
        for nom, valeur in valeurs.items():
            if nom == "ecole":
                self._changer_d_ecole(int(valeur))
            else:
                valeur = ",".join(valeur) if nom == "allergenes" else valeur
                setattr(fiche if hasattr(fiche, nom) else self.enfant, nom, valeur)
        if "vaccinations" in valeurs:
            self._verifier_les_vaccins()
        if type_ in self.fiches:
            self.dites.add(type_)

    def ecrire(self, copie) -> None:
        """Rows of what was told; nothing is kept of what nobody answered."""
        for type_, fiche in self.fiches.items():
            if type_ in self.dites:
                copie.ajouter(fiche)
        for ligne in self.personnes:
            cles = {"uuid": UUID(ligne["cle"]), "ordre": int(ligne["ordre"])}
            valeurs = {nom: valeur for nom, valeur in ligne.items() if nom != "cle"} | cles
            copie.creer(PersonneAutorisee, enfant=self.enfant, famille=self.famille, **valeurs)

    # --- At the opening ---

    def _peut_rentrer_seul(self, jour):
        return age(self.enfant.date_naissance, jour) >= self.decor.commune.age_depart_seul

    def _reponses(self, jour):
        """All the authorisations, given or refused."""
        h = self.hasard
        return {
            "hospitalisation": h.random() < 0.98,
            "sorties": h.random() < 0.96,
            "baignade": h.random() < 0.94,
            "photo": h.random() < 0.85,
            "sortie_seul": self._peut_rentrer_seul(jour) and h.random() < 0.4,
        }

    def _premieres_informations(self):
        h, hier = self.hasard, self.decor.hier
        annee = annee_scolaire(hier) - (h.random() < 0.2)  # of the year before: expired
        assurance = tirer.assurance(h, bornes(annee)[1]) if h.random() < 0.9 else {}
        appareils = {
            "lunettes": h.random() < 0.2,
            "appareil_dentaire": age(self.enfant.date_naissance, hier) > 7 and h.random() < 0.1,
            "appareil_auditif": h.random() < 0.01,
            "autre_appareil": h.choice(tirer.APPAREILS) if h.random() < 0.02 else "",
        }
        return self._reponses(hier) | assurance | appareils

    def _premiere_sante(self):
        h = self.hasard
        valeurs = tirer.medecin(h) | {"vaccinations": self._premieres_dates()}
        if h.random() < 0.08:
            allergenes = h.sample(Allergene.values, h.choice([0, 1, 1, 2]))
            valeurs["allergenes"] = [code for code in Allergene.values if code in allergenes]
            valeurs["allergies"] = h.choice(tirer.ALLERGIES) if not allergenes or h.random() < 0.3 else ""
        if h.random() < 0.03:
            revision = self.decor.hier + timedelta(days=h.randint(-20, 300))
            valeurs |= {"a_pai": True, "pai_revision": revision, "pai_consignes": h.choice(tirer.CONSIGNES)}
            if h.random() < 0.4:
                self.enfant.regime = Regime.PANIER_PAI
        if h.random() < 0.05:
            valeurs["traitements"] = h.choice(tirer.TRAITEMENTS)
        if h.random() < 0.06:
            valeurs["recommandations"] = h.choice(tirer.RECOMMANDATIONS)
        return valeurs

    # --- Vaccines ---

    def _premieres_dates(self):
        """The dates of the law's vaccines for this child, all of them more often than not."""
        h, hier = self.hasard, self.decor.hier
        codes = [vaccin.code for vaccin in obligatoires(self.enfant.date_naissance, hier, self.decor.vaccins)]
        oublies = set(h.sample(codes, min(len(codes), h.randint(1, 3)))) if h.random() < 0.1 else set()
        return {code: self._date_de(code).isoformat() for code in codes if code not in oublies}

    def _date_de(self, code):
        """Day of the last dose, at the age of the schedule give or take some weeks."""
        naissance, hier = self.enfant.date_naissance, self.decor.hier
        jours = JOURS_DES_VACCINS.get(code, 340) + self.hasard.randint(0, 60)
        rappel = naissance + timedelta(days=2190 + jours % 60)
        if code in RAPPEL_A_SIX_ANS and rappel <= hier:
            return rappel
        return min(naissance + timedelta(days=jours), hier)

    def _manquants(self):
        hier, faites = self.decor.hier, self.fiches["sante"].vaccinations or {}
        return manquants(self.enfant.date_naissance, hier, self.decor.vaccins, faites)

    def _verifier_les_vaccins(self):
        """What the agent found, unless the dates are still to check."""
        h, sante, hier = self.hasard, self.fiches["sante"], self.decor.hier
        sante.vaccins_etat, sante.vaccins_jusqu_au = "", None
        if not self._manquants():
            sante.vaccins_etat = Etat.A_JOUR if h.random() < 0.8 else ""
        elif h.random() < 0.5:
            sante.vaccins_etat = Etat.PROVISOIRE
            sante.vaccins_jusqu_au = limite_provisoire(hier - timedelta(days=h.randint(0, 110)))
        elif h.random() < 0.1:
            sante.vaccins_etat = Etat.CONTRE_INDICATION

    # --- What is asked ---

    def souhaiter(self, type_: str, depot: date) -> dict:
        """Values of a demande of this kind on that day, none when nothing differs."""
        return self.souhaits[type_](depot)

    def _liste_changee(self, depot):
        """One person more, another number, or one person less."""
        h, personnes = self.hasard, list(self.personnes)
        gestes = [*(["ajouter"] if len(personnes) < 6 else []), *(["rappeler", "retirer"] if personnes else [])]
        geste, rang = h.choice(gestes), h.randrange(len(personnes) or 1)
        if geste == "ajouter":
            personnes.append({"cle": str(tirer.uuid(h)), **_personne(h, h.choice(tirer.NOMS))})
        elif geste == "rappeler":
            personnes[rang] = personnes[rang] | {"telephone": tirer.mobile(h)}
        else:
            del personnes[rang]
        return {"personnes": [personne | {"ordre": str(n)} for n, personne in enumerate(personnes, 1)]}

    def _etat_civil_change(self, depot):
        h, enfant = self.hasard, self.enfant
        autres = sorted({ecole.pk for ecole, _ in self.decor.places.get(enfant.niveau, [])} - {enfant.ecole_id})
        souhaits = [{"lieu_naissance": h.choice(tirer.LIEUX_NAISSANCE[1:])}]
        if autres:
            souhaits.append({"ecole": str(h.choice(autres))})
        return h.choice(souhaits)

    def _changer_d_ecole(self, ecole_id):
        """The new school, and the class where the mairie has put the child since."""
        places = [place for place in self.decor.places[self.enfant.niveau] if place[0].pk == ecole_id]
        self.enfant.ecole, self.enfant.classe = self.hasard.choice(places)

    def _informations_changees(self, depot):
        h, fiche = self.hasard, self.fiches["informations"]
        if "informations" not in self.dites:
            return self._reponses(depot)
        souhaits = [{"photo": not fiche.photo}, {"lunettes": not fiche.lunettes}]
        fin = bornes(annee_scolaire(depot))[1]
        if fiche.assurance_fin is None or fiche.assurance_fin < fin:
            souhaits.append(tirer.assurance(h, fin))
        if self.enfant.regime != Regime.PANIER_PAI:
            souhaits.append({"regime": h.choice(AU_CHOIX)})
        if self._peut_rentrer_seul(depot):
            souhaits.append({"sortie_seul": not fiche.sortie_seul})
        return h.choice(souhaits)

    def _sante_changee(self, depot):
        h, fiche = self.hasard, self.fiches["sante"]
        souhaits = [
            tirer.medecin(h),
            {"traitements": h.choice([*tirer.TRAITEMENTS, ""])},
            {"recommandations": h.choice(tirer.RECOMMANDATIONS)},
            {"allergenes": [h.choice(Allergene.values)]},
        ]
        faites = fiche.vaccinations or {}
        if (manquent := self._manquants()) and all(jour <= depot.isoformat() for jour in faites.values()):
            jour = depot - timedelta(days=h.randint(1, 40))
            souhaits.append({"vaccinations": {**faites, **{vaccin.code: jour.isoformat() for vaccin in manquent}}})
        return h.choice(souhaits)


# --- Custody ---------------------------------------------------------------------------------------------


def garde(decor, hasard: Random, enfant: Enfant, premier: Famille, second: Famille) -> dict:
    """Columns of the custody of a child of two households."""
    mode = hasard.choices(list(Garde.Mode), [85, 15])[0]
    return {
        "enfant": enfant,
        "premier_foyer": premier,
        "second_foyer": second,
        "mode": mode,
        "premiere_semaine": decor.rentrees[-1] + timedelta(days=hasard.randrange(14)),
        "jour_passage": hasard.choices([Garde.Jour.LUNDI, Garde.Jour.VENDREDI, Garde.Jour.DIMANCHE], [50, 35, 15])[0],
        "vacances": hasard.choices(list(Garde.Vacances), [35, 65])[0],
        "premiere_moitie_annees_paires": hasard.random() < 0.5,
        "part": hasard.choice([50, 50, 50, 40, 60]) if mode == Garde.Mode.PARTS else 50,
    }
