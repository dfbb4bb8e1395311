"""Papers about a child: the registration form of a household, the emergency sheet of the agents.

Everything is prepared here as text, boxes and numbers of lines; the templates print it. A text too long for its
paper is cut by the style sheet, after the number of lines it was given.
"""

import io
import unicodedata
from datetime import date
from itertools import pairwise
from typing import NamedTuple

from django.db import transaction
from django.db.models import Prefetch, prefetch_related_objects
from django.urls import reverse
from django.utils import timezone
from pypdf import PdfReader

from enfants.actions import noter_consultation
from enfants.models import (
    Allergene,
    Enfant,
    Informations,
    PersonneAutorisee,
    Rattachement,
    Sante,
    SuspensionAcces,
    Vaccin,
)
from enfants.regles.annees import a_venir, age_texte, libelle
from enfants.regles.vaccins import obligatoires
from familles.models import Famille, Responsable, Utilisateur
from portail.commune import Commune
from portail.outils import pdf
from portail.outils.dates import jour as en_lettres
from portail.outils.liens import absolu

FICHES_MAX = 60  # emergency sheets at once: two schools' outing, some ten seconds of printing
PAGES_INSCRIPTION = 2
# What the form tries in turn until it holds in its pages: people listed, lines of the four health texts together,
# rows close to each other without a fixed place for each page.
ESSAIS = ((8, 22, False), (5, 14, False), (1, 8, True))
PERSONNES_ECRITES = 4  # rows of people on the form at least, the last ones left blank
# The same for an emergency sheet, which is one page.
ESSAIS_URGENCE = ((8, 32, False), (6, 20, True), (1, 8, True))
LIGNES_MAX = 24  # longest class « lignes-… » of static/css/fiche.css
SIGNES_PAR_LIGNE = 80  # of the texts, capitals aside: the style sheet cuts what would still overflow

# In two columns, the long questions on the left; the wording of « sortie_seul » depends on the child.
AUTORISATIONS = (
    ("hospitalisation", "Soins d'urgence et transport à l'hôpital"),
    ("baignade", "Baignade"),
    ("sorties", "Sorties à pied, en car ou en minibus"),
    ("sortie_seul", "Rentrer {seul} (dès {age}\u00a0ans)"),
    ("photo", "Photos et vidéos pendant les activités"),
)
APPAREILS = (
    ("lunettes", "Lunettes"),
    ("appareil_dentaire", "Appareil dentaire"),
    ("appareil_auditif", "Appareil auditif"),
)
TEXTES = (
    ("allergies", "Autres allergies, et que faire"),
    ("pai_consignes", "PAI\u00a0: trousse et gestes d'urgence"),
    ("traitements", "Traitements en cours"),
    ("recommandations", "Recommandations"),
)


class TropDeFiches(Exception):
    """More sheets than one request may print; nothing was noted, the text says it to the agent."""


class Champ(NamedTuple):
    """What is known, "" to be written by hand.

    :param largeur: in twelfths of the line.
    :param lignes: what a long value takes at most.
    """

    libelle: str
    valeur: str
    largeur: int = 12
    lignes: int = 2


class Case(NamedTuple):
    libelle: str
    cochee: bool


class OuiNon(NamedTuple):
    """Two boxes, none ticked as long as nobody answered."""

    libelle: str
    reponse: bool | None


class Texte(NamedTuple):
    """A text and the lines it may take; ``blanches``: lines to write on."""

    libelle: str
    valeur: str
    lignes: int
    blanches: range


# --- The registration form -------------------------------------------------------------------------------


def imprimer_vierge(*, jour: date) -> bytes:
    """The PDF of the form for anybody's child, for the school year to come.

    :raises portail.outils.pdf.PdfIndisponible: no PDF on this machine.
    """
    return imprimer_inscription(None, None, jour=jour)


def imprimer_inscription(enfant: Enfant | None, famille: Famille | None, *, jour: date) -> bytes:
    """The PDF of the form filled with the child's file as ``famille`` knows it, on two pages.

    Nothing of the child's other household is on it, but that there is one. Lists and texts too long for the paper
    are cut, and say so: the portal has them whole.

    :raises portail.outils.pdf.PdfIndisponible: no PDF on this machine.
    """
    donnees_personnelles = absolu(reverse("donnees_personnelles"))
    for personnes, lignes, serree in ESSAIS:
        fiche = _inscription(enfant, famille, jour, personnes_max=personnes, lignes_max=lignes)
        contexte = {"fiche": fiche, "serree": serree, "donnees_personnelles": donnees_personnelles}
        document = pdf.rendre("pdf/fiche_inscription.html", contexte)
        if len(PdfReader(io.BytesIO(document)).pages) <= PAGES_INSCRIPTION:
            break
    return document


def _inscription(enfant, famille, jour, *, personnes_max, lignes_max):
    """What the form says; without a child, what it asks."""
    vierge = enfant is None
    enfant = enfant or Enfant(regime="")
    sante = getattr(enfant, "sante", None) or Sante()
    infos = getattr(enfant, "informations", None) or Informations()
    annee = libelle(a_venir(jour))
    personnes = [] if vierge else list(enfant.personnes.filter(famille=famille).order_by("ordre", "pk"))
    return {
        "vierge": vierge,
        "annee": annee,
        "titre": f"Fiche d'inscription {annee}" + ("" if vierge else f" de {enfant}"),
        "imprimee_le": en_lettres(jour, semaine=False),
        "noms": [Champ("Nom", enfant.nom, 6, 3), Champ("Prénom", enfant.prenom, 6, 3)],
        "naissance": [Champ(_ne(enfant), _chiffres(enfant.date_naissance), 3), Champ("à", enfant.lieu_naissance, 5)],
        "sexe": [Case(texte, enfant.sexe == code) for code, texte in Enfant.Sexe.choices],
        "scolarite": [
            Champ("École", str(enfant.ecole or "")),
            Champ("Classe", str(enfant.classe or ""), 7),
            Champ("Niveau", enfant.get_niveau_display(), 5),
        ],
        "regimes": [Case(texte, enfant.regime == code) for code, texte in Enfant.Regime.choices],
        "adultes": _adultes(famille),
        "adresse": _adresse(famille),
        "autre_foyer": not vierge and enfant.rattachements.en_vigueur(jour).exclude(famille=famille).exists(),
        "personnes": personnes[:personnes_max],
        "personnes_en_plus": _en_plus(personnes, personnes_max),
        "personnes_blanches": range(PERSONNES_ECRITES - len(personnes)),
        "autorisations": _autorisations(enfant, infos),
        "assurance": [
            Champ("Assureur", infos.assurance_compagnie),
            Champ("N°\u00a0de contrat", infos.assurance_numero, 7),
            Champ("Valable jusqu'au", _chiffres(infos.assurance_fin), 5),
        ],
        "medecin": [
            Champ("Médecin traitant", sante.medecin_nom, 7),
            Champ("Téléphone", sante.medecin_telephone, 5),
        ],
        **_vaccins(enfant, sante, jour, vierge=vierge),
        "allergenes": [Case(texte, code in sante.allergenes_codes) for code, texte in Allergene.choices],
        "pai": OuiNon("Un projet d'accueil individualisé (PAI) est signé", None if vierge else enfant.a_pai),
        "pai_revision": Champ("À revoir le", _chiffres(sante.pai_revision), 4),
        "textes": _textes(sante, lignes_max, blanches=2 if vierge else 1),
        "appareils": [Case(texte, getattr(infos, nom)) for nom, texte in APPAREILS],
        "autre_appareil": Champ("Autre appareil", infos.autre_appareil),
    }


def _adultes(famille):
    """The two columns of adults: (title, fields); the second stays to be written without conjoint."""
    connus = {adulte.rang: adulte for adulte in famille.adultes()} if famille else {}
    conjoint = "Conjoint" if Responsable.Rang.CONJOINT in connus else "Conjoint, s'il vit au foyer"
    return [
        (titre, _champs_adulte(connus.get(rang) or Responsable(utilisateur=Utilisateur())))
        for rang, titre in ((Responsable.Rang.RESPONSABLE, "Responsable"), (Responsable.Rang.CONJOINT, conjoint))
    ]


def _champs_adulte(adulte):
    return [
        Champ("Nom", _nom(adulte), lignes=4),
        Champ("Mobile", adulte.telephone_mobile),
        Champ("Fixe", adulte.telephone_fixe),
        Champ("Travail", adulte.telephone_travail),
        Champ("E-mail", adulte.utilisateur.courriel),
        Champ("Profession", adulte.profession),
        Champ("Employeur", adulte.employeur),
    ]


def _nom(adulte):
    """« Madame Claire Durand », "" for nobody."""
    return f"{adulte.get_civilite_display()} {adulte.utilisateur.nom_complet}".strip()


def _adresse(famille):
    famille = famille or Famille()
    rue = ", ".join(filter(None, [famille.complement, famille.adresse]))
    return [
        Champ("Adresse", rue, lignes=3),
        Champ("Code postal", famille.code_postal, 4),
        Champ("Commune", famille.ville, 8),
    ]


def _autorisations(enfant, infos):
    mots = {"seul": _seul(enfant), "age": Commune.actuelle().age_depart_seul}
    return [OuiNon(texte.format(**mots), getattr(infos, nom)) for nom, texte in AUTORISATIONS]


def _seul(enfant):
    return "seule" if enfant.sexe == Enfant.Sexe.FILLE else "seul"


def _ne(enfant):
    return {Enfant.Sexe.FILLE: "Née le", Enfant.Sexe.GARCON: "Né le"}.get(enfant.sexe, "Né(e) le")


def _vaccins(enfant, sante, jour, *, vierge):
    """The mandatory ones for this birth date, and those with a date; for anybody's child, all that are asked for."""
    vaccins = list(Vaccin.objects.filter(actif=True))
    faits = sante.vaccinations or {}
    exiges = {vaccin.code for vaccin in obligatoires(enfant.date_naissance, jour, vaccins)}
    if vierge or enfant.date_naissance is None:
        exiges = {v.code for v in vaccins if v.obligatoire_au is None or v.obligatoire_au >= jour}
    dates = [
        (vaccin.nom, _chiffres(date.fromisoformat(faits[vaccin.code])) if vaccin.code in faits else "")
        for vaccin in vaccins
        if vaccin.code in exiges or vaccin.code in faits
    ]
    milieu = (len(dates) + 1) // 2
    etat = sante.get_vaccins_etat_display()
    if etat and sante.vaccins_jusqu_au:
        etat += f" jusqu'au {_chiffres(sante.vaccins_jusqu_au)}"
    return {"vaccins": [dates[:milieu], dates[milieu:]], "vaccins_etat": etat}


# --- The emergency sheets --------------------------------------------------------------------------------


@transaction.atomic
def imprimer_urgences(enfants, *, par: Utilisateur) -> bytes | None:
    """A page for each child, by class: how to look after it, whom to call. Its families read that ``par`` printed it.

    The households, their people, and the adults whose access is suspended are those of today. The caller gives
    children whose health ``par`` may read. None without children.

    :param enfants: list or QuerySet of Enfant.
    :raises TropDeFiches: more than FICHES_MAX.
    :raises portail.outils.pdf.PdfIndisponible: no PDF on this machine; nothing is noted.
    """
    enfants = list(enfants)
    if not enfants:
        return None
    if len(enfants) > FICHES_MAX:
        raise TropDeFiches(f"{len(enfants)} fiches, c'est trop à la fois\u00a0: {FICHES_MAX} au plus.")
    pdf.verifier()
    noter_consultation(enfants, par=par, page="Fiche d'urgence")
    jour = timezone.localdate()
    _completer(enfants, jour)
    enfants.sort(key=_par_classe)
    contexte = {"imprimee_le": _chiffres(jour), "par": par.nom_complet}
    essais = [0] * len(enfants)
    while True:
        fiches = [_urgence(enfant, jour, *ESSAIS_URGENCE[essai]) for enfant, essai in zip(enfants, essais, strict=True)]
        document = pdf.rendre("pdf/fiche_urgence.html", {**contexte, "fiches": fiches})
        debordent = [numero for numero in _sur_plusieurs_pages(document) if essais[numero] + 1 < len(ESSAIS_URGENCE)]
        if not debordent:
            return document
        for numero in debordent:
            essais[numero] += 1


def _sur_plusieurs_pages(document):
    """Numbers of the sheets longer than a page; the name of each child, its title, is a bookmark."""
    lecteur = PdfReader(io.BytesIO(document))
    debuts = [lecteur.get_destination_page_number(signet) for signet in lecteur.outline]
    return [n for n, (debut, fin) in enumerate(pairwise([*debuts, len(lecteur.pages)])) if fin - debut > 1]


def _completer(enfants, jour):
    """Load what the sheets say, in as many queries for sixty children as for one."""
    rattachements = Rattachement.objects.en_vigueur(jour).select_related("famille").order_by("valable_du", "pk")
    adultes = Responsable.objects.select_related("utilisateur").order_by("rang")
    prefetch_related_objects(
        enfants,
        "ecole",
        "classe",
        "sante",
        "informations",
        Prefetch("personnes", PersonneAutorisee.objects.order_by("ordre", "pk")),
        Prefetch("suspensions", SuspensionAcces.objects.en_vigueur(jour).order_by("pk"), to_attr="suspensions_du_jour"),
        Prefetch("rattachements", rattachements, to_attr="rattachements_du_jour"),
        Prefetch("rattachements_du_jour__famille__responsables", adultes),
    )


def _par_classe(enfant):
    """School, class, name, accents aside; children without a class last."""
    ecole, classe = str(enfant.ecole or ""), str(enfant.classe or "")
    return not enfant.classe, *(_sans_accents(mot) for mot in (ecole, classe, enfant.nom, enfant.prenom)), enfant.pk


def _sans_accents(mot):
    return "".join(c for c in unicodedata.normalize("NFKD", mot.casefold()) if not unicodedata.combining(c))


def _urgence(enfant, jour, personnes_max, lignes_max, serree):
    """What a sheet says."""
    sante = getattr(enfant, "sante", None) or Sante()
    infos = getattr(enfant, "informations", None) or Informations()
    foyers = {rattachement.famille_id: rattachement.famille for rattachement in enfant.rattachements_du_jour}
    adultes = [(adulte, foyer) for foyer in foyers.values() for adulte in foyer.responsables.all()]
    ecartes = {suspension.adulte_id for suspension in enfant.suspensions_du_jour}
    presents = [(adulte, foyer) for adulte, foyer in adultes if adulte.pk not in ecartes]
    # Who is trusted by a household none of whose adults may see the child is trusted by nobody.
    de_confiance = {foyer.pk for _, foyer in presents}
    personnes = [personne for personne in enfant.personnes.all() if personne.famille_id in de_confiance]
    urgences = [personne for personne in personnes if personne.urgence]
    appareils = [*(texte for nom, texte in APPAREILS if getattr(infos, nom)), infos.autre_appareil]
    return {
        "serree": serree,
        "nom": str(enfant),
        "age": _age(enfant, jour),
        "classe": enfant.classe_texte,
        "regime": "" if enfant.regime == Enfant.Regime.STANDARD else enfant.get_regime_display(),
        "sans_photo": infos.photo is False,
        "ecartes": ", ".join(_nom(adulte) for adulte, _ in adultes if adulte.pk in ecartes),
        "sante_inconnue": sante.pk is None,
        "rien_a_signaler": not any([sante.allergenes, enfant.a_pai, *(getattr(sante, nom) for nom, _ in TEXTES)]),
        "allergenes": ", ".join(sante.allergenes_libelles),
        "a_pai": enfant.a_pai,
        "pai_revision": en_lettres(sante.pai_revision, semaine=False) if sante.pai_revision else "",
        "textes": _textes(sante, lignes_max),
        "medecin": ", ".join(filter(None, [sante.medecin_nom, sante.medecin_telephone])),
        "hospitalisation": _reponse(infos.hospitalisation),
        "appareils": ", ".join(filter(None, appareils)),
        "appels": [
            *(_appel_adulte(adulte, foyer) for adulte, foyer in presents),
            *(_appel(personne) for personne in urgences[:personnes_max]),
        ],
        "appels_en_plus": _en_plus(urgences, personnes_max),
        "cherchent": ", ".join(
            [
                *(_nom(adulte) for adulte, _ in presents),
                *(_qui_cherche(personne) for personne in personnes if personne.peut_chercher),
            ]
        ),
        "rentre_seul": f"Rentre {_seul(enfant)}\u00a0: {_reponse(infos.sortie_seul)}",
    }


def _age(enfant, jour):
    naissance = enfant.date_naissance
    return f"{age_texte(naissance, jour)}, {_ne(enfant).lower()} {_chiffres(naissance)}" if naissance else "Âge inconnu"


def _qui_cherche(personne):
    """« Odile Durand (Grand-mère, carte d'identité) »."""
    precisions = filter(None, [personne.lien, personne.get_piece_display().lower()])
    return f"{personne.prenom} {personne.nom} ({', '.join(precisions)})"


class Appel(NamedTuple):
    nom: str
    lien: str
    telephones: list[tuple[str, str]]


def _appel_adulte(adulte, foyer):
    telephones = [
        ("mobile", adulte.telephone_mobile),
        ("travail", adulte.telephone_travail),
        ("fixe", adulte.telephone_fixe),
    ]
    return Appel(_nom(adulte), f"{adulte.get_rang_display()}, foyer {foyer.nom}", [t for t in telephones if t[1]])


def _appel(personne):
    return Appel(f"{personne.prenom} {personne.nom}", personne.lien, [("", personne.telephone)])


def _reponse(accord):
    return {True: "oui", False: "non", None: "non renseigné"}[accord]


# --- Words on paper --------------------------------------------------------------------------------------


def _en_plus(personnes, place):
    """« … et 6 autres, voir le portail. », "" when they all have room."""
    nombre = len(personnes) - place
    return f"… et {nombre} autre{'s' if nombre > 1 else ''}, voir le portail." if nombre > 0 else ""


def _chiffres(jour):
    """« 03/09/2018 », as forms are filled; "" when unknown."""
    return f"{jour:%d/%m/%Y}" if jour else ""


def _textes(sante, total, *, blanches=0) -> dict[str, Texte]:
    """The health texts, with what each may take of ``total`` lines; ``blanches`` for one to be written."""
    valeurs = [getattr(sante, nom).strip() for nom, _ in TEXTES]
    parts = repartir([_lignes(valeur) if valeur else blanches for valeur in valeurs], total)
    return {
        nom: Texte(titre, valeur, max(1, min(part, LIGNES_MAX)), range(0 if valeur else blanches - 1))
        for (nom, titre), valeur, part in zip(TEXTES, valeurs, parts, strict=True)
    }


def _lignes(texte):
    """Lines that the text takes on paper, about, its label on a line of its own."""
    return 1 + sum(1 + len(ligne) // SIGNES_PAR_LIGNE for ligne in texte.splitlines())


def repartir(besoins: list[int], total: int) -> list[int]:
    """Lines given to each: what it needs while there is enough, else the same to the long ones."""
    parts, reste = [0] * len(besoins), total
    for rang, numero in enumerate(sorted(range(len(besoins)), key=besoins.__getitem__)):
        parts[numero] = min(besoins[numero], reste // (len(besoins) - rang))
        reste -= parts[numero]
    return parts
