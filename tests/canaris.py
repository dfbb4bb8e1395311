"""Words that exist nowhere else, put in each family's file: see test_canaris.py, which looks for them."""

import itertools
import os
import uuid
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from schwifty import IBAN

from demandes import actions as demandes
from demandes import planning
from demandes.models import Demande
from demandes.types import TYPES
from enfants import offre, presences
from enfants.actions import ajouter_enfant, rattacher
from enfants.models import Ecole, Enfant, Fermeture, Garde, Implantation, Place, SuspensionAcces
from enfants.reservations import Changement
from facturation.avis import envoyer_avis
from familles import acces
from familles import actions as familles
from familles.actions import PERIODE_HABITUELLE
from familles.champs import masquer_iban
from familles.models import Utilisateur
from messagerie.actions import ecrire, notifier, repondre_a_la_famille
from portail.outils import fichiers
from tests.conftest import ClientVerifie
from tests.enfants import service_essai as essai
from tests.facturation.exemplaires import une_de_chaque
from tests.parcours import plier
from tests.saisie import lignes, saisie

NOMBRE = int(os.environ.get("CANARIS_FAMILLES", "3"))
SECRETES = {
    "absence",
    "demande",
    "demande-enfant",
    "garde",
    "papier",
    "papier-absence",
    "papier-enfant",
    "papier-sante",
}
SECRETES |= {"sante"}


# --- The canaries ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Canari:
    """A value that belongs to ``proprietaires`` (logins) alone.

    ``formes``: how a page may spell it. ``secret``: the database and the files hold it encrypted. ``ici``: it is of
    a child of the animateur's school, or of a household that has one.
    """

    classe: str
    proprietaires: frozenset[str]
    formes: tuple[str, ...]
    secret: bool
    ici: bool

    def est_dans(self, texte: str) -> bool:
        return any(forme in texte for forme in self.formes)


class Voliere:
    """Makes the values and remembers whose they are.

    ``voisins``: logins of the households with a child at the animateur's school.
    """

    def __init__(self, voisins):
        self.canaris, self.numeros, self.voisins = [], itertools.count(1), frozenset(voisins)

    def garder(self, classe, proprietaires, *formes, secret=False, ici=None):
        formes, proprietaires = tuple(plier(forme) for forme in formes), frozenset(proprietaires)
        ici = bool(proprietaires & self.voisins) if ici is None else ici
        self.canaris.append(Canari(classe, proprietaires, formes, secret or classe in SECRETES, ici))

    def mot(self, classe, *proprietaires, ici=None):
        """A made-up word of a fixed length, so that none is part of another."""
        numero = next(self.numeros)
        mot = "Zq" + "".join(chr(ord("a") + numero // 26**rang % 26) for rang in range(4)) + "x"
        self.garder(classe, proprietaires, mot, ici=ici)
        return mot

    def chiffres(self, classe, gabarit, *proprietaires, secret=False, ici=None):
        """Digits in a shape that a form accepts: « 06 39 98 %04d »."""
        valeur = gabarit % next(self.numeros)
        self.garder(classe, proprietaires, valeur, secret=secret, ici=ici)
        return valeur

    def montant(self, classe, *proprietaires, secret=False):
        valeur = Decimal(70_000 + next(self.numeros)) + Decimal("0.37")
        self.garder(classe, proprietaires, f"{valeur}", f"{valeur}".replace(".", ","), secret=secret)
        return valeur

    def iban(self, classe, *proprietaires):
        compte = f"{next(self.numeros):08d}{7 * next(self.numeros) % 1000:03d}"
        iban = str(IBAN.generate("FR", bank_code="30006", branch_code="00001", account_code=compte))
        self.garder(classe, proprietaires, iban, masquer_iban(iban), secret=True)
        return iban


def papier(texte: str) -> bytes:
    """The smallest PDF with one line of text."""
    trait = f"BT /F1 12 Tf 72 720 Td ({texte}) Tj ET".encode()
    objets = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>\nstream\n%s\nendstream" % (len(trait), trait),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    corps, places = b"%PDF-1.4\n", []
    for numero, objet in enumerate(objets, 1):
        places.append(len(corps))
        corps += b"%d 0 obj\n%s\nendobj\n" % (numero, objet)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    fin = b"xref\n0 6\n0000000000 65535 f \n%strailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n"
    return corps + fin % (table, len(corps))


# --- The families ----------------------------------------------------------------------------------------


def _adulte(v, foyer):
    return {
        "prenom": v.mot("nom", *foyer),
        "nom": v.mot("nom", *foyer),
        "courriel": f"{v.mot('courriel', *foyer)}@famille.example".lower(),
        "telephone_mobile": v.chiffres("telephone", "06 39 98 %04d", *foyer),
        "telephone_fixe": v.chiffres("telephone", "02 61 91 %04d", *foyer),
        "telephone_travail": v.chiffres("telephone", "03 53 01 %04d", *foyer),
        "profession": v.mot("metier", *foyer),
        "employeur": v.mot("metier", *foyer),
    }


def _ouvrir(v, foyer):
    adresse = {
        "adresse": v.mot("adresse", *foyer),
        "complement": v.mot("adresse", *foyer),
        "code_postal": "18110",
        "ville": v.mot("adresse", *foyer),
    }
    un, deux = (_adulte(v, foyer) for _ in foyer)
    famille = familles.ouvrir_famille(responsable=un, conjoint=deux, adresse=adresse)
    for login, adulte in zip(foyer, famille.adultes(), strict=True):
        Utilisateur.objects.filter(pk=adulte.utilisateur_id).update(identifiant=login, password="!")
    familles.modifier_coordonnees_bancaires(
        famille, {"titulaire": v.mot("banque", *foyer), "iban": v.iban("banque", *foyer)}
    )
    fiscal = {
        "numero_fiscal": v.chiffres("fiscal", "30%011d", *foyer, secret=True),
        "annee": 2024,
        "parts": Decimal("2"),
    }
    agent = Utilisateur.objects.get(identifiant="agent")
    familles.modifier_situation_fiscale(
        famille,
        fiscal | {"revenu_fiscal": str(v.montant("fiscal", *foyer, secret=True))},
        par=agent,
        periode=PERIODE_HABITUELLE,
    )
    familles.modifier_dossier_caf(
        famille,
        {
            "caisse": v.mot("caf", *foyer),
            "numero_allocataire": v.chiffres("caf", "ZQ%06dK", *foyer, secret=True),
        },
        {"valeur": v.montant("caf", *foyer), "mois": timezone.localdate().replace(day=1)},
        par=agent,
        periode=PERIODE_HABITUELLE,
    )
    return famille


def _demander(login, type_, enfant=None, **demandees):
    """Ask as a parent does, by what the page sends, with papers."""
    genre, compte = TYPES[type_], Utilisateur.objects.select_related("responsable__famille").get(identifiant=login)
    famille, enfant = compte.responsable.famille, enfant and Enfant.objects.get(pk=enfant.pk)
    pendante = demandes.en_cours(genre, famille, enfant)
    form = demandes.formulaire(genre, famille, enfant, demandeur=compte, pendante=pendante)
    navigateur = ClientVerifie()
    navigateur.force_login(compte, "familles.connexion.CompteActif")
    reponse = navigateur.post(genre.url(enfant), saisie(form) | demandees)
    assert reponse.status_code == 302, reponse.context["form"].errors
    return Demande.objects.latest("pk")


def _vivre(v, famille, foyer):
    """Answered and pending demandes of every kind, papers, messages."""
    agent = Utilisateur.objects.get(identifiant="agent")

    def mot(classe):
        return v.mot(classe, *foyer)

    refusee = _demander(foyer[0], "responsable", profession=mot("demande"))
    demandes.refuser(refusee.pk, par=agent, motif=mot("motif"))
    for champ, classe in (("employeur", "metier"), ("ville", "adresse")):  # from now on, the file's
        acceptee = _demander(foyer[0], "responsable", **{champ: mot(classe)})
        demandes.accepter(acceptee.pk, par=agent, mot=mot("motif"))
    iban = _demander(foyer[0], "bancaires", iban=v.iban("banque", *foyer))
    demandes.accepter(iban.pk, par=agent)
    pieces = [SimpleUploadedFile(f"{mot('piece')}.pdf", papier(mot("papier")), "application/pdf") for _ in range(2)]
    _demander(
        foyer[0],
        "responsable",
        employeur=mot("demande"),
        courriel=f"{mot('demande')}@neuf.example".lower(),
        telephone_fixe=v.chiffres("demande", "04 65 71 %04d", *foyer),
        pieces=pieces,
    )
    _demander(foyer[0], "conjoint", profession=mot("demande"))
    _demander(
        foyer[0],
        "fiscales",
        numero_fiscal=v.chiffres("demande", "31%011d", *foyer),
        revenu_fiscal=str(v.montant("demande", *foyer)),
    )
    _demander(
        foyer[0],
        "caf",
        numero_allocataire=v.chiffres("demande", "ZD%06dK", *foyer),
        quotient=str(v.montant("demande", *foyer)),
    )
    _demander(foyer[0], "bancaires", titulaire=mot("demande"), iban=v.iban("demande", *foyer))
    notifier(famille, sujet=mot("sujet"), corps=f"Bonjour, {mot('message')}.", par=agent)
    seul = famille.responsables.get(utilisateur__identifiant=foyer[0])
    notifier(famille, sujet="Pour vous", corps=v.mot("message", foyer[0]), par=agent, destinataire=seul)
    _s_ecrire(v, seul, foyer[0], agent)


def _s_ecrire(v, adulte, login, agent):
    """A question that this adult alone reads, its answer, a paper with each."""

    def message():
        papiers = [fichiers.ranger(f"{v.mot('piece', login)}.pdf", "application/pdf", papier(v.mot("papier", login)))]
        return {"corps": v.mot("message", login), "pieces": papiers, "cle": uuid.uuid4()}

    fil = ecrire(adulte, service=None, sujet=v.mot("sujet", login), prive=True, **message()).fil
    repondre_a_la_famille(fil, par=agent, **message())


# --- Their children --------------------------------------------------------------------------------------

OUI = dict.fromkeys(("photo", "hospitalisation", "baignade", "sorties"), "oui") | {"sortie_seul": "non"}


@dataclass(frozen=True)
class Petit:
    """A child and whose its words are: ``lecteurs`` read its file, ``ici``: at the animateur's school."""

    v: Voliere
    enfant: Enfant
    lecteurs: tuple[str, ...]
    ici: bool

    def mot(self, classe, *proprietaires):
        return self.v.mot(classe, *(proprietaires or self.lecteurs), ici=self.ici)

    def chiffres(self, classe, gabarit, *proprietaires):
        return self.v.chiffres(classe, gabarit, *(proprietaires or self.lecteurs), ici=self.ici)

    def papiers(self, proprietaires, **classes):
        """A PDF in each field, with a word in it and another for a name."""
        return {
            champ: SimpleUploadedFile(
                f"{self.mot('piece-enfant', *proprietaires)}.pdf",
                papier(self.mot(classe, *proprietaires)),
                "application/pdf",
            )
            for champ, classe in classes.items()
        }

    def personne(self, classe, proprietaires):
        return {nom: self.mot(classe, *proprietaires) for nom in ("prenom", "nom", "lien")} | {
            "telephone": self.chiffres(classe, "06 39 99 %04d", *proprietaires),
            "peut_chercher": True,
            "urgence": True,
        }


def _naitre(v, famille, lecteurs, *, ici):
    du_bourg = Ecole.objects.filter(affectations__animateur__identifiant="animateur")
    ecole = du_bourg.get() if ici else Ecole.objects.exclude(pk__in=du_bourg).first()
    prenom, nom = (v.mot("enfant", *lecteurs, ici=ici) for _ in range(2))
    naissance = timezone.localdate() - timedelta(days=2500)
    enfant = ajouter_enfant(famille, prenom=prenom, nom=nom, ecole=ecole.pk, date_naissance=naissance, niveau="CP")
    return Petit(v, enfant, tuple(lecteurs), ici)


def _remplir_le_dossier(petit, foyer):
    """Each sheet of the child, asked for with its papers, and accepted; the health sheet twice, for its history.

    :param foyer: logins that read what this household alone keeps, the one who asks first.
    """
    bientot = timezone.localdate() + timedelta(days=300)
    sante = {nom: petit.mot("sante") for nom in ("medecin_nom", "allergies", "pai_consignes", "recommandations")}
    sante |= {"medecin_telephone": petit.chiffres("sante", "02 61 92 %04d"), "a_pai": "on", "pai_revision": bientot}
    sante["traitements"] = petit.mot("sante", *foyer)  # soon replaced: the other household reads it no more
    informations = {nom: petit.mot("assurance") for nom in ("assurance_compagnie", "assurance_numero")}
    informations |= OUI | {"autre_appareil": petit.mot("sante")}
    papiers_de_sante = petit.papiers(foyer, piece_VACCINS="papier-sante", piece_PAI="papier-sante")
    _obtenir(petit, foyer, "sante", **sante, **papiers_de_sante)
    _obtenir(petit, foyer, "sante", traitements=petit.mot("sante"))
    _obtenir(petit, foyer, "informations", **informations, **petit.papiers(foyer, piece_ASSURANCE="papier-enfant"))
    _obtenir(petit, foyer, "informations", assurance_fin=bientot)
    papiers = petit.papiers(foyer, piece_NAISSANCE="papier-enfant", piece_JUGEMENT="garde")
    _obtenir(petit, foyer, "etat-civil", lieu_naissance=petit.mot("naissance"), **papiers)


def _obtenir(petit, foyer, type_, **demandees):
    demande = _demander(foyer[0], type_, petit.enfant, **demandees)
    agent = Utilisateur.objects.get(identifiant="agent")
    demandes.accepter(demande.pk, par=agent, mot=petit.mot("message", *foyer))


def _designer(petit, foyer):
    """The people of this household, two of them replaced by one."""
    deux = [petit.personne("entourage", foyer) for _ in range(2)]
    _obtenir(petit, foyer, "autorisations", **lignes("personnes", deux))
    _obtenir(petit, foyer, "autorisations", **lignes("personnes", [petit.personne("entourage", foyer)]))


def _demander_pour(petit, foyer):
    """A refused demande, and one of each kind that waits."""
    classe = "demande-enfant"

    def demander(type_, **demandees):
        return _demander(foyer[0], type_, petit.enfant, **demandees)

    refusee = demander("sante", recommandations=petit.mot(classe, *foyer))
    agent = Utilisateur.objects.get(identifiant="agent")
    demandes.refuser(refusee.pk, par=agent, motif=petit.mot("message", *foyer))
    demander("sante", allergies=petit.mot(classe, *foyer), **petit.papiers(foyer, pieces="papier-sante"))
    demander("informations", **OUI, autre_appareil=petit.mot(classe, *foyer))
    demander("etat-civil", lieu_naissance=petit.mot(classe, *foyer), **petit.papiers(foyer, piece_JUGEMENT="garde"))
    demander("autorisations", **lignes("personnes", [petit.personne(classe, foyer)]))


def _annoncer(v, foyer):
    """A child that is not on file yet."""
    mots = {nom: v.mot("demande-enfant", *foyer) for nom in ("prenom", "nom", "lieu_naissance", "precisions")}
    _demander(foyer[0], "ajout-enfant", **mots, date_naissance="2024-03-14")


def _partager(v, ouvertes, foyers):
    """A child of the first two households: one file, a list of people and papers for each."""
    petit = _naitre(v, ouvertes[0], foyers[0] + foyers[1], ici=True)
    rattacher(petit.enfant, ouvertes[1])
    _s_absenter(petit, foyers[0])  # before the weeks are told apart
    Garde.objects.create(
        enfant=petit.enfant,
        premier_foyer=ouvertes[0],
        second_foyer=ouvertes[1],
        premiere_semaine=timezone.localdate(),
    )
    _remplir_le_dossier(petit, foyers[0])
    for foyer in foyers[:2]:
        _designer(petit, foyer)
        _demander_pour(petit, foyer)
    return petit


def _suspendre(v, famille, foyer):
    """A child whose second parent may not see it any more: nobody of the household reads why."""
    petit = _naitre(v, famille, foyer[:1], ici=True)
    suspension = SuspensionAcces.objects.create(
        enfant=petit.enfant,
        adulte=famille.responsables.get(utilisateur__identifiant=foyer[1]),
        motif=v.mot("garde", ici=True),
    )
    familles.ecrire(suspension, {"valable_au": date(2040, 1, 1)})  # for its history
    _remplir_le_dossier(petit, foyer[:1])
    _designer(petit, foyer[:1])
    _demander_pour(petit, foyer[:1])
    _s_absenter(petit, foyer[:1])
    return petit


# --- Their days ------------------------------------------------------------------------------------------


def _changer(login, enfant, geste, jour):
    compte = Utilisateur.objects.select_related("responsable__famille").get(identifiant=login)
    return planning.changer(compte.adulte.famille, [Changement(enfant.pk, essai.CODE, jour, geste)], par=compte)


def _s_absenter(petit, foyer):
    """Two days told absent with a proof, one accepted, one that waits; a mark of the sheet, corrected."""
    agent, navigateur = Utilisateur.objects.get(identifiant="agent"), ClientVerifie()
    compte = Utilisateur.objects.get(identifiant=foyer[0])
    navigateur.force_login(compte, "familles.connexion.CompteActif")
    jours = (essai.jour_ouvert(10), essai.jour_ouvert(30))
    for jour in jours:
        assert len(_changer(foyer[0], petit.enfant, "RESERVER", jour).faits) == 1
        contenu = papier(petit.mot("papier-absence", *foyer))
        envoi = {
            "enfants": petit.enfant.pk,
            "du": jour,
            "retour": jour + timedelta(days=1),
            "motif": "maladie",
            "mot": petit.mot("absence", *foyer),
            "pieces": SimpleUploadedFile(f"{petit.mot('piece-absence', *foyer)}.pdf", contenu, "application/pdf"),
        }
        assert navigateur.post("/mes-enfants/absence/", envoi).status_code == 302
        if jour == jours[0]:
            acceptee = Demande.objects.filter(type="absence").latest("pk")
            demandes.accepter(acceptee.pk, par=agent, mot=petit.mot("message", *foyer))
    lieu = Implantation.objects.get(service__code=essai.CODE)
    place = Place(service=lieu.service, site=lieu.site, jour=timezone.localdate())
    marques = [presences.Pointage(petit.enfant.pk, etat) for etat in ("PRESENT", "ABSENT")]
    presences.pointer(place, marques[:1], par=agent)
    Place.objects.filter(service=lieu.service, jour=place.jour).update(close_le=timezone.now(), close_par=agent)
    # Nobody of the household reads why a mark was changed.
    presences.pointer(place, marques[1:], par=agent, motif=petit.v.mot("correction", ici=petit.ici))
    Place.objects.filter(service=lieu.service, jour=place.jour).update(close_le=None, close_par=None)


def _attendre(couples):
    """All of them want the one place of a day: the others wait, and none reads who has it; a closure, told to all."""
    Implantation.objects.filter(service__code=essai.CODE).update(capacite=1)
    offre.oublier()
    jour = essai.jour_ouvert(20)
    bilans = [_changer(foyer[0], petit.enfant, "RESERVER", jour) for petit, foyer in couples]
    gestes = [v.possible.geste for bilan in bilans for v in bilan.faits]
    assert gestes == ["RESERVER"] + ["ATTENDRE"] * (len(couples) - 1)
    ferme = essai.jour_ouvert(12)
    Fermeture.objects.create(valable_du=ferme, valable_au=ferme, motif="Grève du personnel")


# --- Their money -----------------------------------------------------------------------------------------

POUR_LES_AGENTS = {"brouillon", "aide"}  # nobody of the household reads them


def _facturer(v, famille, foyer, petits):
    """What is billed for these children, paid, and noted by agents."""

    def mot(classe):
        if classe in POUR_LES_AGENTS:
            return v.mot(classe)
        return v.mot(classe, *foyer)

    agent = Utilisateur.objects.get(identifiant="agent")
    une_de_chaque(famille, [petit.enfant for petit in petits], par=agent, mot=mot)


def eclore() -> list[Canari]:
    """The canaries of NOMBRE families; the first two share a child, the second parent of the first lost sight of one.

    One family in three has its own child at the animateur's school, and the two that share one have that one there.
    """
    foyers = [(f"serin{n}a", f"serin{n}b") for n in range(NOMBRE)]
    v = Voliere(login for n, foyer in enumerate(foyers) if n % 3 == 0 or n == 1 for login in foyer)
    ouvertes, couples = [_ouvrir(v, foyer) for foyer in foyers], []
    essai.ouvrir()
    for n, (famille, foyer) in enumerate(zip(ouvertes, foyers, strict=True)):
        petit = _naitre(v, famille, foyer, ici=n % 3 == 0)
        _remplir_le_dossier(petit, foyer)
        _designer(petit, foyer)
        _demander_pour(petit, foyer)
        _annoncer(v, foyer)
        _vivre(v, famille, foyer)
        _s_absenter(petit, foyer)
        couples.append((petit, foyer))
    commun = _partager(v, ouvertes, foyers)
    couples.append((_suspendre(v, ouvertes[0], foyers[0]), foyers[0][:1]))
    for n, (famille, foyer) in enumerate(zip(ouvertes, foyers, strict=True)):
        petits = [petit for petit, parents in couples if parents[0] == foyer[0]]
        _facturer(v, famille, foyer, petits + ([commun] if n < 2 else []))
    envoyer_avis()
    _attendre(couples)
    acces.signaler_oubli(foyers[0][0])
    acces.inviter(Utilisateur.objects.get(identifiant=foyers[1][1]))
    return v.canaris
