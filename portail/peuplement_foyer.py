"""An invented household: its file, and the years of demandes and messages that made it what it is."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from types import SimpleNamespace

from django.utils import timezone
from django.utils.text import slugify

from demandes.actions import composer_reponse
from demandes.forms.base import en_json
from demandes.models import Demande, MotifRefus
from enfants.models import ConsultationSante, Enfant, Garde, Rattachement
from enfants.regles.annees import annee_scolaire
from familles.models import (
    CoordonneesBancaires,
    DossierCaf,
    Famille,
    QuotientFamilial,
    Responsable,
    SituationFiscale,
    Utilisateur,
)
from familles.regles.quotient import depuis_avis
from messagerie.models import Fil, Lecture, Message, ServiceMairie
from portail import peuplement_tirages as tirer
from portail.commune import Commune
from portail.peuplement_enfants import Dossier, Place, entourage, garde, scolariser

Source, Regime, Etat = QuotientFamilial.Source, SituationFiscale.Regime, Demande.Etat
DE_LA_CAF = (Source.ATTESTATION, Source.CDAP)

MOTIFS = ["Il manque un justificatif. Joignez-le à une nouvelle demande."]  # for a mairie that wrote none
QUESTIONS = [
    (
        "Attestation pour mon employeur",
        "Mon employeur me demande une attestation d'inscription à la cantine. Pouvez-vous me la faire ?",
        "L'attestation est prête à l'accueil de la mairie, aux heures d'ouverture.",
    ),
    (
        "Changement d'emploi du temps",
        "Mes horaires changent le mois prochain. Faut-il refaire un dossier ?",
        "Non : votre dossier reste valable, indiquez seulement votre nouvel employeur dans « Mon compte ».",
    ),
    (
        "Mon quotient est-il à jour ?",
        "Ma caisse m'a envoyé un nouveau quotient. À partir de quand compte-t-il ?",
        "Un nouveau quotient compte à partir du premier jour du mois qui suit son acceptation.",
    ),
    (
        "Numéro de téléphone au travail",
        "Le standard de mon travail ne répond pas après 17 heures : appelez plutôt mon mobile.",
        "C'est noté, merci. Les animateurs appelleront d'abord votre mobile.",
    ),
]
BIENVENUE = (
    "Bonjour,\n\nVotre dossier est ouvert. Vérifiez vos coordonnées dans l'onglet « Mon compte » : c'est à "
    "elles que nous vous joignons pendant que vos enfants sont avec nous.\n\nService Enfance Jeunesse"
)


@dataclass(frozen=True)
class Decor:
    """What all the families share."""

    commune: Commune
    agents: dict[str, Utilisateur]  # by code of service
    services: dict[str, ServiceMairie]
    motifs: list[MotifRefus]
    mot_de_passe: str  # hash
    aujourdhui: date
    annees: int
    places: dict[str, list[Place]]  # by level
    vaccins: list  # the law's table

    @property
    def hier(self) -> date:
        return self.aujourdhui - timedelta(days=1)

    @property
    def rentrees(self) -> list[date]:
        """First day of each school year, the current one last."""
        annee = annee_scolaire(self.aujourdhui)
        return [date(annee - n, 9, 1) for n in reversed(range(self.annees))]

    @property
    def debut(self) -> date:
        """Day from which the families ask, all files being open: the first quotient is told in June."""
        return min(self.aujourdhui - timedelta(days=365 * self.annees), self.rentrees[0].replace(month=6))

    def motifs_de(self, type_: str) -> list[str]:
        return [motif.texte for motif in self.motifs if motif.type in ("", type_)] or MOTIFS


class Foyer:
    """A household being invented. Nothing it does is dated of today or later, whatever the hour."""

    def __init__(self, decor: Decor, copie, hasard: Random, numero: int):
        """:param copie: takes the rows, which may change until the household is done."""
        self.decor, self.hasard, self.numero = decor, hasard, numero
        self.creer, self.ajouter = copie.creer, copie.ajouter
        self.gardes: dict[int, Garde] = {}  # by child, once the other household is there

    def inventer(self, precedent: "Foyer | None") -> "Foyer":
        """Draw the household and play its years.

        :param precedent: the household before, whose children this one shares when its parents are separated.
        """
        partage = precedent is not None and precedent.est_separe
        self.est_separe = not partage and self.hasard.random() < 0.12
        self._ouvrir(seul=self.est_separe or self.hasard.random() < (0.6 if partage else 0.3))
        self._inscrire(precedent if partage else None)
        self._declarer()
        for rentree in self.decor.rentrees:
            self._donner_quotient(rentree)
        self._demander_au_fil_des_annees()
        self._attendre_reponse()
        self._correspondre()
        self.ajouter(self.fiscal)
        if self.caf.caisse:
            self.ajouter(self.caf)
        if self.banque.titulaire:
            self.ajouter(self.banque)
        for dossier in self.dossiers:
            dossier.ecrire(self)
        return self

    def instant(self, jour: date, premiere: int = 7, derniere: int = 22) -> datetime:
        """A moment of the day, between these hours."""
        heure = time(self.hasard.randint(premiere, derniere), self.hasard.randrange(60))
        return datetime.combine(jour, heure, timezone.get_current_timezone())

    # --- The file ---

    def _ouvrir(self, *, seul):
        h = self.hasard
        depuis = self.decor.debut - timedelta(days=h.randint(10, 1000))
        self.ouverture = self.instant(tirer.jour_ouvre(depuis), 9, 16)
        noms = [h.choice(tirer.NOMS)]
        if not seul:
            noms.append(noms[0] if h.random() < 0.7 else h.choice(tirer.NOMS))
        self.famille = self.creer(
            Famille,
            uuid=tirer.uuid(h),
            nom=" - ".join(dict.fromkeys(noms)),
            cree_le=self.ouverture,
            **tirer.adresse(h, self.decor.commune),
        )
        civilites = h.choices([("MME", "M"), ("M", "MME"), ("MME", "MME"), ("M", "M")], [60, 32, 4, 4])[0]
        places = zip(Responsable.Rang, civilites, noms, strict=False)  # one name: one adult
        self.adultes = [self._adulte(*place) for place in places]

    def _adulte(self, rang, civilite, nom):
        h = self.hasard
        prenom = h.choice(tirer.PRENOMS[civilite])
        suite = "b" if rang == Responsable.Rang.CONJOINT else ""
        connexion = self.decor.hier - timedelta(days=h.randrange(60))
        compte = self.creer(
            Utilisateur,
            identifiant=f"famille{self.numero:06}{suite}",
            password=self.decor.mot_de_passe,
            prenom=prenom,
            nom=nom,
            courriel=f"{slugify(prenom)}.{slugify(nom)}.{self.numero}{suite}@famille.example",
            cree_le=self.ouverture,
            last_login=self.instant(connexion) if h.random() < 0.8 else None,
        )
        profession = h.choice(tirer.PROFESSIONS) if h.random() < 0.9 else ""
        return self.creer(
            Responsable,
            utilisateur=compte,
            famille=self.famille,
            rang=rang,
            civilite=civilite,
            telephone_mobile=tirer.mobile(h),
            telephone_fixe=tirer.fixe(h) if h.random() < 0.2 else "",
            telephone_travail=tirer.fixe(h) if profession and h.random() < 0.5 else "",
            profession=profession,
            employeur=h.choice(tirer.EMPLOYEURS) if profession else "",
        )

    def _inscrire(self, autre):
        """Children of its own, and those of the other household, a week in each."""
        h, decor = self.hasard, self.decor
        partages = autre.enfants if autre else []
        nombre = h.randint(0, 1) if partages else h.choices([1, 2, 3, 4, 6], [34, 43, 17, 5, 1])[0]
        nom = h.choice(self.adultes).utilisateur.nom
        connus = [(prenom, sexe) for sexe, prenoms in tirer.PRENOMS_ENFANTS.items() for prenom in prenoms]
        siens = [
            self.creer(Enfant, uuid=tirer.uuid(h), prenom=prenom, nom=nom, sexe=sexe, date_naissance=naissance)
            for (prenom, sexe), naissance in zip(
                h.sample(connus, nombre), tirer.naissances(h, nombre, decor.aujourdhui), strict=True
            )
        ]
        scolariser(h, siens, annee_scolaire(decor.aujourdhui), decor.places)
        self.enfants, personnes = [*partages, *siens], entourage(h, nom)
        for enfant in self.enfants:
            depuis = max(enfant.date_naissance, timezone.localdate(self.ouverture))
            self.creer(Rattachement, enfant=enfant, famille=self.famille, valable_du=depuis)
        for enfant in partages:
            convenue = garde(decor, h, enfant, autre.famille, self.famille)
            self.gardes[enfant.pk] = autre.gardes[enfant.pk] = self.creer(Garde, **convenue)
        self.dossiers = [
            Dossier(decor, h, enfant, self.famille, seul=not self.est_separe and enfant in siens).declarer(
                personnes, premier=enfant in siens
            )
            for enfant in self.enfants
        ]

    def _declarer(self):
        """What the household told at the opening. ``fiches``: where each kind of demande finds its values."""
        h, famille = self.hasard, self.famille
        sources = [Source.ATTESTATION, Source.CDAP, Source.AVIS, Source.NON_COMMUNIQUE, None]
        self.source = h.choices(sources, [45, 25, 15, 10, 5])[0]
        self.niveau, self.parts = h.randint(250, 1900), Decimal(h.choice(["1.5", "2", "2.5", "3", "4"]))
        self.fiscal = SituationFiscale(famille=famille, regime=h.choice([Regime.AUTRE, Regime.AUCUN]))
        self.caf, self.banque = DossierCaf(famille=famille), CoordonneesBancaires(famille=famille)
        self.dit = SimpleNamespace(quotient=None, mois=None, non_communique=False)
        self.fiches = {
            "responsable": [self.adultes[0], famille],
            "conjoint": self.adultes[1:],
            "fiscales": [self.fiscal],
            "caf": [self.caf, self.dit],
            "bancaires": [self.banque],
        }
        self.types = [type_ for type_ in ("responsable", "conjoint", "bancaires") if self.fiches[type_]]
        if self.source in DE_LA_CAF:
            self.types.append("fiscales")
            msa = h.random() < 0.1
            self.fiscal.regime = Regime.MSA if msa else Regime.CAF
            self.caf.caisse = "MSA Beauce Cœur de Loire" if msa else "CAF du Cher"
            self.caf.numero_allocataire = f"{h.randrange(10**7):07}"
            if h.random() < 0.4:
                self._changer("fiscales", self._avis(timezone.localdate(self.ouverture)))
        if h.random() < 0.7:
            self._changer("bancaires", self._souhait("bancaires"))

    def _fiche(self, type_, nom):
        return next(fiche for fiche in self.fiches[type_] if hasattr(fiche, nom))

    def _changer(self, type_, valeurs):
        for nom, valeur in valeurs.items():
            setattr(self._fiche(type_, nom), nom, valeur)

    # --- What it asks ---

    def _avis(self, jour):
        """The last tax notice on that day."""
        revenu = self.niveau * 12 * self.parts * self.hasard.randint(90, 110) / 100
        return {
            "numero_fiscal": str(self.fiscal.numero_fiscal) or tirer.numero_fiscal(self.hasard),
            "revenu_fiscal": str(int(revenu)),
            "parts": self.parts,
            "annee": jour.year - (1 if jour.month > 8 else 2),
        }

    def _quotient_dit(self, jour):
        """Type and values of a demande by which this household tells its income."""
        if self.source == Source.NON_COMMUNIQUE:
            return "fiscales", {"non_communique": True}
        if self.source == Source.AVIS:
            return "fiscales", self._avis(jour)
        mois = (jour.replace(day=1) - timedelta(days=1)).replace(day=1)
        return "caf", {"quotient": Decimal(self.niveau + self.hasard.randint(-90, 90)), "mois": mois}

    def _souhait(self, type_):
        """Values of a demande of another kind."""
        h = self.hasard
        if type_ == "fiscales":
            return {"numero_fiscal": tirer.numero_fiscal(h)}
        if type_ == "bancaires":
            return {"titulaire": h.choice(self.adultes).utilisateur.nom_complet, **tirer.compte_bancaire(h)}
        souhaits = [
            {"telephone_mobile": tirer.mobile(h)},
            {"telephone_travail": tirer.fixe(h)},
            {"profession": h.choice(tirer.PROFESSIONS), "employeur": h.choice(tirer.EMPLOYEURS)},
            tirer.adresse(h, self.decor.commune),
        ]
        return h.choice(souhaits if type_ == "responsable" else souhaits[:-1])

    def _donner_quotient(self, rentree):
        """The quotient of a school year, told in June or July, by a demande more often than not."""
        if self.source is None:
            return
        h, depot = self.hasard, rentree - timedelta(days=self.hasard.randint(44, 72))
        if h.random() < 0.08:
            self._demander(*self._quotient_dit(depot), depot=depot - timedelta(days=16), etat=Etat.REFUSEE)
        type_, valeurs = self._quotient_dit(depot)
        if h.random() < 0.6:
            self._demander(type_, valeurs, depot=depot, etat=Etat.ACCEPTEE)
        self._changer(type_, valeurs)
        valeur = valeurs.get("quotient")
        if self.source == Source.AVIS:
            revenu = Decimal(valeurs["revenu_fiscal"])
            valeur = depuis_avis(revenu, self.parts, self.decor.commune.quotient_abattement)
        self.creer(
            QuotientFamilial,
            famille=self.famille,
            valeur=valeur,
            source=self.source,
            mois=valeurs.get("mois"),
            valable_du=rentree,
            valable_au=rentree.replace(year=rentree.year + 1) - timedelta(days=1),
            saisi_par=self.decor.agents["comptabilite"],
        )
        self.dit.non_communique = self.source == Source.NON_COMMUNIQUE

    def _sujets(self, depot):
        """``(kind, child's file or None)`` of what this household may ask on that day, money aside."""
        enfants = [
            (type_, dossier)
            for dossier in self.dossiers
            if dossier.accepte_demande(depot)
            for type_ in dossier.souhaits
        ]
        return [*((type_, None) for type_ in self.types), *enfants]

    def _demander_au_fil_des_annees(self):
        """Answered demandes, far enough from each other for one to be closed before the next."""
        h, debut = self.hasard, self.decor.debut
        nombre = sum(h.choices([0, 1, 2, 3], [22, 32, 28, 18], k=self.decor.annees))
        jours = (self.decor.aujourdhui - debut).days - 30
        for n in range(nombre):
            depot = debut + timedelta(days=jours * n // nombre + h.randrange(jours // nombre - 15))
            type_, dossier = h.choice(self._sujets(depot))
            valeurs = dossier.souhaiter(type_, depot) if dossier else self._souhait(type_)
            etat = h.choices([Etat.ACCEPTEE, Etat.REFUSEE, Etat.RETIREE], [72, 16, 12])[0]
            self._demander(type_, valeurs, dossier, depot=depot, etat=etat)

    def _attendre_reponse(self):
        """Demandes of the last days, of different types, on the file as it is now."""
        h, hier = self.hasard, self.decor.hier
        sujets = h.sample(self._sujets(hier - timedelta(days=12)), h.choices([0, 1, 2], [82, 14, 4])[0])
        for n, (type_, dossier) in enumerate(sujets):
            depot = hier - timedelta(days=h.randint(0, 12))
            valeurs = dossier.souhaiter(type_, depot) if dossier else self._souhait(type_)
            if n == 0 and self.source in (*DE_LA_CAF, Source.AVIS) and h.random() < 0.3:
                (type_, valeurs), dossier = self._quotient_dit(depot), None
            self._demander(type_, valeurs, dossier, depot=depot, etat=Etat.EN_ATTENTE)

    def _demander(self, type_, valeurs, dossier=None, *, depot, etat):
        """One demande on the file as it stands, which it changes when accepted; none when nothing differs.

        :param dossier: the file of the child it is about, None for « Mon compte ».
        """
        if dossier:
            avant = dossier.actuelles(type_)
        else:
            avant = {nom: en_json(getattr(self._fiche(type_, nom), nom)) for nom in valeurs}
        demandees = {nom: en_json(valeur) for nom, valeur in valeurs.items() if en_json(valeur) != avant[nom]}
        if not demandees:
            return
        demande = self.creer(
            Demande,
            uuid=tirer.uuid(self.hasard),
            type=type_,
            famille=self.famille,
            enfant=dossier and dossier.enfant,
            valeurs_avant={nom: avant[nom] for nom in demandees},
            valeurs_demandees=demandees,
            etat=etat,
            deposee_par=self.hasard.choices(self.adultes, [8, 2][: len(self.adultes)])[0].utilisateur,
            deposee_le=self.instant(depot),
        )
        if etat == Etat.EN_ATTENTE:
            self.faire_lire(demande, tirer.jour_ouvre(depot + timedelta(days=1)))
        elif etat == Etat.RETIREE:
            retrait = depot + timedelta(days=self.hasard.randint(1, 4))
            demande.traitee_par, demande.traitee_le = demande.deposee_par, self.instant(retrait)
        else:
            self.repondre(demande, tirer.jour_ouvre(depot + timedelta(days=self.hasard.randint(1, 9))))
        if etat == Etat.ACCEPTEE:
            changer = dossier.changer if dossier else self._changer
            changer(type_, valeurs)

    # --- What it is told ---

    def faire_lire(self, demande: Demande, jour: date) -> None:
        """An agent has read the demande and not decided yet, or nobody has."""
        if jour < self.decor.aujourdhui and self.hasard.random() < 0.6:
            demande.lue_par = self.decor.agents[demande.genre.service]
            demande.lue_le = self.instant(jour, 9, 16)
            self._noter_lecture(demande)

    def _noter_lecture(self, demande):
        """Where a demande tells a child's health, its family can read who opened it."""
        if demande.genre.est_de_sante:
            lue = {"par": demande.lue_par, "le": demande.lue_le}
            self.creer(ConsultationSante, enfant=demande.enfant, page="Demande de la famille", **lue)

    def repondre(self, demande: Demande, jour: date) -> None:
        """An agent closed the demande on that day, as its state tells; the inbox says so."""
        code = demande.genre.service
        agent, service = self.decor.agents[code], self.decor.services[code]
        demande.traitee_par, demande.traitee_le = agent, self.instant(jour, 9, 16)
        demande.lue_par, demande.lue_le = agent, demande.traitee_le - timedelta(minutes=3)
        self._noter_lecture(demande)
        if demande.etat == Etat.REFUSEE:
            demande.motif = self.hasard.choice(self.decor.motifs_de(demande.type))
        sujet, corps = composer_reponse(demande, demande.etat, demande.motif, service)
        lien = {"lien": demande.get_absolute_url(), "lien_libelle": "Voir la demande"}
        reponse = {"auteur": agent, "corps": corps, "envoye_le": demande.traitee_le, **lien}
        propos = demande.objet_du_fil
        objet = {"contexte": propos.cle, "contexte_libelle": propos.libelle, "contexte_lien": propos.lien}
        self._ecrire(sujet, service, reponse, objet=objet)

    def _correspondre(self):
        """The word of welcome, and now and then a question with its answer."""
        h, service = self.hasard, self.decor.services["enfance-jeunesse"]
        agent = self.decor.agents["enfance-jeunesse"]
        bienvenue = {"auteur": agent, "corps": BIENVENUE, "envoye_le": self.ouverture + timedelta(minutes=20)}
        self._ecrire("Bienvenue sur le Portail Famille", service, bienvenue)
        jours = (self.decor.aujourdhui - self.decor.debut).days - 15
        for _ in range(sum(h.random() < 0.35 for _ in range(self.decor.annees))):
            sujet, question, reponse = h.choice(QUESTIONS)
            parent = h.choice(self.adultes).utilisateur
            jour = self.decor.debut + timedelta(days=h.randrange(jours))
            echange = [{"auteur": parent, "corps": question, "envoye_le": self.instant(jour)}]
            if h.random() < 0.9:
                jour = tirer.jour_ouvre(jour + timedelta(days=h.randint(1, 4)))
                echange.append({"auteur": agent, "corps": reponse, "envoye_le": self.instant(jour, 9, 16)})
            self._ecrire(sujet, service, *echange)

    def _ecrire(self, sujet, service, *messages, objet=None):
        """A thread; the adults open what the mairie wrote, or not yet."""
        h = self.hasard
        cotes = {message["auteur"].is_staff: message["envoye_le"] for message in messages}
        etat = Fil.Etat.INFORMATION
        if False in cotes:
            etat = Fil.Etat.REPONDU if messages[-1]["auteur"].is_staff else Fil.Etat.EN_ATTENTE
        fil = self.creer(
            Fil,
            uuid=tirer.uuid(h),
            famille=self.famille,
            service=service,
            sujet=sujet,
            etat=etat,
            dernier_le=messages[-1]["envoye_le"],
            mairie_le=cotes.get(True),
            famille_le=cotes.get(False),
            **(objet or {}),
        )
        for valeurs in messages:
            de_la_mairie = valeurs["auteur"].is_staff
            message = self.creer(Message, cle=tirer.uuid(h), fil=fil, de_la_mairie=de_la_mairie, **valeurs)
            for adulte, chance in zip(self.adultes, (0.85, 0.4), strict=False) if de_la_mairie else ():
                lu_le = message.envoye_le + timedelta(minutes=h.randint(5, 6000))
                if h.random() < chance:
                    self.creer(Lecture, message=message, adulte=adulte, lu_le=lu_le)
