"""The access matrix (qualite.md A1): what each profile gets at every address of the portal.

To add an address, add its row to ``MATRICE``, under its route as ``portail/urls.py`` writes it. The rows of the admin
are derived from ``portail.roles.ROLES`` and from ``PLAFONDS``: a new admin model needs one line there and one object
in ``tests/test_matrice.py``. Nothing here is read from the views: it says what must be, not what is.
"""

import re
from dataclasses import dataclass, field
from re import Pattern

from django.urls import URLPattern, get_resolver
from django.urls.resolvers import RegexPattern

from portail.roles import AJOUTER, CHANGER, ROLES, SUPPRIMER, TOUT, VOIR

PARENTS = ("durand", "durand2", "benali", "rossi", "martin")
# Staff account -> its group; None: see ``peut``.
AGENTS = {
    "agent": "Agent instructeur",
    "animateur": "Animateur",
    "comptable": "Comptabilité",
    "tresorerie": "Trésorerie",
    "administrateur": "Administrateur",
    "sans_groupe": None,  # no permission at all
    "lecteur": None,  # sees every model, may touch none
    "admin": None,  # superuser
}
PROFILS = ("anonyme", *PARENTS, *AGENTS)
METHODES = ("GET", "POST")
DURAND = ("durand", "durand2")

# What stands for an expected answer, beside a status and the address of a redirect.
CONNEXION = "la page de connexion, et retour"
REFUS = {403, 404, 405, 410, CONNEXION}
Attendu = int | str | Pattern

DEMANDE_DEPOSEE = re.compile(r"/demandes/[0-9a-f-]{36}/")
LISTE_OU_SUIVANTE = re.compile(r"/admin/demandes/demande/([0-9]+/change/)?")
PAGE_DU_FIL = re.compile(r"/admin/messagerie/fil/[0-9]+/change/")
PAGE_DE_GRILLE = re.compile(r"/admin/facturation/grille/[0-9]+/change/")
AVANCEMENT = "/admin/messages-groupes/{messagerie.diffusion}/"
MOIS_OUVERT = re.compile(r"/admin/facturer/[0-9]+/")
FIL_ECRIT = re.compile(r"/messagerie/[0-9a-f-]{36}/")
CETTE_SEMAINE = re.compile(r"/mes-enfants/semaine/[0-9-]{10}/")
ECRIT_UN_MESSAGE = {"messagerie_fil", "messagerie_message", "messagerie_courriel"}
N_IMPORTE_QUOI = "*"  # rows that a granted cell writes are another test's business


@dataclass(frozen=True)
class Ligne:
    """One row: an address with its objects, and what each profile gets.

    ``adresse`` and the values of ``donnees`` name the objects of the fixture ``monde`` in braces. ``ecrit`` tells the
    tables that a granted cell may write to; without it, none. ``suite``: judge the page after the redirects.
    ``croisee``: the identifiers belong to different owners.
    """

    quoi: str
    adresse: str
    get: dict[str, Attendu]
    post: dict[str, Attendu]
    donnees: dict = field(default_factory=dict)
    ecrit: dict[str, set | str] = field(default_factory=dict)
    suite: bool = False
    croisee: bool = False

    def attendu(self, methode: str, profil: str) -> Attendu:
        return (self.get if methode == "GET" else self.post)[profil]


# --- The URL resolver ------------------------------------------------------------------------------------


def routes(resolveur=None, prefixe="") -> list[str]:
    """Every address the resolver knows, as the row of the matrix is called.

    The admin's list of apps is a regular expression that names every app: it goes by its short name.
    """
    trouvees = []
    for motif in (resolveur or get_resolver()).url_patterns:
        if isinstance(motif, URLPattern):
            trouvees.append(nom_de_route(prefixe + str(motif.pattern), motif.pattern))
        else:
            trouvees += routes(motif, prefixe + str(motif.pattern))
    return trouvees


def nom_de_route(route, motif=None):
    est_liste_d_une_application = "(?P<app_label>" in route and (motif is None or isinstance(motif, RegexPattern))
    return "admin/<app_label>/" if est_liste_d_une_application else route


def identifiants(route: str) -> int:
    """How many identifiers an address holds."""
    return len(re.findall(r"<[^>]+>", route))


def sans_ligne_croisee(matrice: dict[str, list[Ligne]]) -> list[str]:
    """Addresses of parents with two identifiers or more, without a row that crosses two owners."""
    return [
        route
        for route, lignes in matrice.items()
        if not route.startswith("admin/") and identifiants(route) > 1 and not any(ligne.croisee for ligne in lignes)
    ]


# --- Columns ---------------------------------------------------------------------------------------------


def chacun(*, anonyme, parents, agents, **nommes) -> dict[str, Attendu]:
    """A cell for each profile: by kind, then by name."""
    return {"anonyme": anonyme, **dict.fromkeys(PARENTS, parents), **dict.fromkeys(AGENTS, agents), **nommes}


def _au_foyer(foyer, valeur):
    return dict.fromkeys(foyer, valeur)


def page_publique(adresse, *, get=200, post=200, quoi="page publique", **autres) -> Ligne:
    """The same for everybody, logged in or not."""
    return Ligne(quoi, adresse, dict.fromkeys(PROFILS, get), dict.fromkeys(PROFILS, post), **autres)


def page_famille(adresse, *, foyer=PARENTS, get=200, post=200, ailleurs=(404, 404), quoi="page du foyer", **autres):
    """A page of the adults of ``foyer``: nobody else learns that it exists, agents included."""
    return Ligne(
        quoi,
        adresse,
        chacun(anonyme=CONNEXION, parents=ailleurs[0], agents=404, **_au_foyer(foyer, get)),
        chacun(anonyme=403, parents=ailleurs[1], agents=404, **_au_foyer(foyer, post)),
        **autres,
    )


def _demander(type_, donnees) -> Ligne:
    """The form of a demande, sent with a value that cannot be accepted: the door is open, nothing is written."""
    return page_famille(f"/mon-compte/{type_}/", post=422, donnees=donnees, quoi=f"demande {type_}")


def _demander_enfant(enfant, type_, foyer, donnees) -> Ligne:
    """The same about a child, for the adults who see it."""
    adresse = f"/mes-enfants/{enfant}/{type_}/"
    donnees = donnees or {"personnes-TOTAL_FORMS": "x"}
    return page_famille(adresse, foyer=foyer, post=422, donnees=donnees, quoi=f"demande {type_} de {enfant}")


def _ranger(geste, fil, foyer, tables) -> Ligne:
    """What is done with a thread that is ticked, for the adults who read it."""
    return page_famille(
        "/messagerie/ranger/",
        foyer=foyer,
        get=405,
        post="/messagerie/",
        ailleurs=(405, 404),
        donnees={"geste": geste, "fil": fil},
        quoi=f"{geste} {fil}",
        ecrit={"POST": tables},
    )


def _piece_message(nom, foyer) -> Ligne:
    """A paper of a message: who reads its thread, and the agents who answer it."""
    agents = [agent for agent in AGENTS if peut(agent, VOIR, "messagerie.fil")]
    ouvert = _au_foyer(foyer, 200) | dict.fromkeys(agents, 200)
    return Ligne(
        nom,
        f"/messagerie/pieces/{{{nom}}}/",
        chacun(anonyme=CONNEXION, parents=404, agents=404, **ouvert),
        chacun(anonyme=403, parents=404, agents=404, **ouvert),
    )


def _document(nom, foyer, agents, *, note=False) -> Ligne:
    """A paper: the household that gave it, the agents who may; where it is health, their reading is noted."""
    ouvert = _au_foyer(foyer, 200) | dict.fromkeys(agents, 200)
    ecrites = {"enfants_consultationsante"} if note else set()
    return Ligne(
        nom,
        f"/mes-enfants/documents/{{{nom}}}/",
        chacun(anonyme=CONNEXION, parents=404, agents=404, **ouvert),
        chacun(anonyme=403, parents=404, agents=404, **ouvert),
        ecrit={"GET": ecrites, "POST": ecrites},
    )


def _fiche(enfant, foyer, quoi) -> Ligne:
    """The registration form of a child, as a PDF: read only."""
    adresse = f"/mes-enfants/{{{enfant}}}/fiche-inscription.pdf"
    return page_famille(adresse, foyer=foyer, post=405, ailleurs=(404, 405), quoi=quoi)


def _papier_facture(adresse, modele, ecrites=()) -> Ligne:
    """A paper of billing: its household, and the agents who may read its model; never the trésorerie."""
    agents = [agent for agent in AGENTS if peut(agent, VOIR, modele)]
    return Ligne(
        modele,
        adresse,
        chacun(anonyme=CONNEXION, parents=404, agents=404, **(_au_foyer(DURAND, 200) | _au_foyer(agents, 200))),
        chacun(anonyme=403, parents=405, agents=405),
        ecrit={"GET": set(ecrites)},
    )


def _publie(nom, foyers, *, quoi, anonyme=CONNEXION, agents=lambda agent: True) -> Ligne:
    """A published file: the households it is meant for, the agents; a stranger logs in, whatever there is."""
    ouvert = _au_foyer(foyers, 200) | {agent: 200 for agent in AGENTS if agents(agent)}
    cellules = chacun(anonyme=anonyme, parents=404, agents=404, **ouvert)
    return Ligne(quoi, f"/documents/{{{nom}}}/", cellules, cellules)


# --- What the roles allow --------------------------------------------------------------------------------

# Model of the admin -> what its page can do at most, whatever the permissions.
PLAFONDS: dict[str, tuple[str, ...]] = {
    "auth.group": TOUT,
    "demandes.demande": (VOIR,),
    "demandes.motifrefus": TOUT,
    "enfants.attente": (VOIR,),
    "enfants.ecole": TOUT,
    "enfants.enfant": (VOIR, CHANGER),
    "enfants.fermeture": TOUT,
    "enfants.garde": (VOIR, AJOUTER, CHANGER),
    "enfants.inscription": (VOIR,),
    "enfants.periodevacances": TOUT,
    "enfants.presence": (VOIR,),
    "enfants.implantation": TOUT,
    "enfants.jourferie": TOUT,
    "enfants.motifabsence": (VOIR, AJOUTER, CHANGER),
    "enfants.regledelai": TOUT,
    "enfants.reglement": TOUT,
    "enfants.reservation": (VOIR,),
    "enfants.service": TOUT,
    "enfants.site": TOUT,
    "enfants.vaccin": (VOIR, AJOUTER, CHANGER),
    "facturation.aidefamille": TOUT,
    "facturation.grille": TOUT,
    "facturation.regie": TOUT,
    "facturation.tentativepaiement": (VOIR,),
    "facturation.attestationfiscale": (VOIR,),
    "facturation.article": (VOIR,),
    "facturation.facture": (VOIR,),
    "facturation.lotprelevement": (VOIR,),
    "facturation.mandat": (VOIR,),
    "facturation.reglement": (VOIR,),
    "facturation.remise": (VOIR,),
    "facturation.role": (VOIR,),
    "facturation.suivifacture": (VOIR,),
    "facturation.suivireglement": (VOIR,),
    "familles.famille": (VOIR, AJOUTER, CHANGER),
    "familles.utilisateur": (VOIR, AJOUTER, CHANGER),
    "messagerie.courriel": (VOIR,),
    "messagerie.diffusion": (VOIR, AJOUTER),
    "messagerie.fil": (VOIR,),
    "messagerie.reponsetype": TOUT,
    "messagerie.servicemairie": TOUT,
    "portail.actualite": TOUT,
    "portail.commune": (VOIR, CHANGER),
    "portail.document": TOUT,
}


def peut(agent: str, action: str, modele: str) -> bool:
    """True when this staff account has the permission."""
    if AGENTS[agent]:
        return action in ROLES[AGENTS[agent]].get(modele, ())
    return agent == "admin" or (agent == "lecteur" and action in (VOIR, "voir_partout"))


def _decide_de_la_sante(agent):
    """Accounts decide demandes too, but read no health."""
    return peut(agent, "traiter", "demandes.demande") and peut(agent, VOIR, "enfants.sante")


def page_peut(agent, action, modele):
    """True when the role has it and the admin page allows it."""
    return action in PLAFONDS[modele] and peut(agent, action, modele)


def _voit(agent, modele):
    return page_peut(agent, VOIR, modele) or page_peut(agent, CHANGER, modele)


def _tient_les_dossiers(agent):
    return peut(agent, CHANGER, "familles.famille") and peut(agent, CHANGER, "enfants.enfant")


def _lit_la_sante(agent):
    return peut(agent, VOIR, "enfants.enfant") and peut(agent, VOIR, "enfants.sante")


def _publie_ou_lit(agent):
    return peut(agent, VOIR, "portail.document")


def _ecrit(agent):
    return peut(agent, "repondre", "messagerie.fil")


def _simule(agent):
    return peut(agent, VOIR, "facturation.grille") and peut(agent, VOIR, "familles.famille")


def _diffuse(agent):
    return peut(agent, AJOUTER, "messagerie.diffusion")


def _lit_les_mois(agent):
    return peut(agent, VOIR, "facturation.campagne")


def _facture(agent):
    return peut(agent, "emettre", "facturation.facture") and _lit_les_mois(agent)


def _du_service(agent, oui):
    """A thread of the service whose only agent is « agent »: for the others it does not exist."""
    if not peut(agent, VOIR, "messagerie.fil"):
        return 403
    return oui if agent in ("agent", "admin") else 404


def _pointe(agent):
    return peut(agent, AJOUTER, "enfants.presence") and peut(agent, CHANGER, "enfants.presence")


def page_admin(adresse, *, get, post, quoi="", **autres) -> Ligne:
    """A page of the admin: ``get`` and ``post`` tell what a staff account gets. A parent learns nothing of it."""
    return Ligne(
        quoi or "administration",
        adresse,
        chacun(anonyme=CONNEXION, parents=404, agents=None) | {agent: get(agent) for agent in AGENTS},
        chacun(anonyme=403, parents=404, agents=None) | {agent: post(agent) for agent in AGENTS},
        **autres,
    )


def tout_agent(valeur):
    return lambda agent: valeur


def si(condition, oui=200, non=403):
    return lambda agent: oui if condition(agent) else non


def pages_du_modele(modele: str) -> dict[str, list[Ligne]]:
    """The seven addresses that the admin gives to a model."""
    base = f"admin/{modele.replace('.', '/')}/"
    objet = f"/{base}{{{modele}}}/"
    voir, ajouter, changer, supprimer = (
        si(lambda agent: _voit(agent, modele)),
        *(si(lambda agent, action=action: page_peut(agent, action, modele)) for action in TOUT[1:]),
    )
    efface = si(lambda agent: page_peut(agent, SUPPRIMER, modele), oui=f"/{base}")
    return {
        base: [page_admin(f"/{base}", get=voir, post=voir)],
        f"{base}add/": [page_admin(f"/{base}add/", get=ajouter, post=ajouter)],
        f"{base}<path:object_id>/change/": [page_admin(f"{objet}change/", get=voir, post=changer)],
        f"{base}<path:object_id>/delete/": [
            page_admin(
                f"{objet}delete/",
                get=supprimer,
                post=efface,
                donnees={"post": "yes"},
                ecrit={"POST": N_IMPORTE_QUOI},
            )
        ],
        f"{base}<path:object_id>/history/": [page_admin(f"{objet}history/", get=voir, post=voir)],
        f"{base}<path:object_id>/": [
            page_admin(objet, get=tout_agent(f"{objet}change/"), post=tout_agent(f"{objet}change/"))
        ],
    }


def _listes_des_applications() -> list[Ligne]:
    applications = {}
    for modele in PLAFONDS:
        applications.setdefault(modele.partition(".")[0], []).append(modele)

    def ouverte(modeles):
        return si(lambda agent: any(page_peut(agent, a, m) for m in modeles for a in TOUT), non=404)

    return [
        page_admin(f"/admin/{application}/", get=ouverte(modeles), post=ouverte(modeles), quoi=application)
        for application, modeles in applications.items()
    ]


# --- The rows --------------------------------------------------------------------------------------------

MATRICE: dict[str, list[Ligne]] = {
    "": [
        Ligne(
            "accueil",
            "/",
            chacun(anonyme=CONNEXION, parents=200, agents="/admin/"),
            chacun(anonyme=403, parents=200, agents="/admin/"),
        )
    ],
    "documents/": [
        Ligne(
            "documents",
            "/documents/",
            chacun(anonyme=CONNEXION, parents=200, agents=200),
            chacun(anonyme=403, parents=200, agents=200),
        )
    ],
    "documents/fiche-inscription.pdf": [
        Ligne(
            "fiche vierge",
            "/documents/fiche-inscription.pdf",
            chacun(anonyme=CONNEXION, parents=200, agents=200),
            chacun(anonyme=403, parents=405, agents=405),
        )
    ],
    "documents/formulaires/": [
        Ligne(
            "formulaires",
            "/documents/formulaires/",
            chacun(anonyme=CONNEXION, parents=200, agents=200),
            chacun(anonyme=403, parents=200, agents=200),
        )
    ],
    "documents/notice.pdf": [
        Ligne(
            "notice des parents",
            "/documents/notice.pdf",
            chacun(anonyme=CONNEXION, parents=200, agents=200),
            chacun(anonyme=403, parents=405, agents=405),
        )
    ],
    "documents/<uuid:uuid>/": [
        _publie("document_public", PARENTS, anonyme=200, quoi="ouvert à tous"),
        _publie("portail_document", PARENTS, quoi="pour toutes les familles"),
        _publie("document_bourg", (*DURAND, "benali", "rossi", "martin"), quoi="pour l'école du Bourg"),
        _publie("document_pommiers", (*DURAND, "benali"), quoi="pour l'école des Pommiers"),
        _publie("document_a_venir", (), agents=_publie_ou_lit, quoi="ouvert à tous, mais pas encore en ligne"),
        _publie("inconnu", (), agents=lambda agent: False, quoi="document inconnu"),
    ],
    "contact/": [page_publique("/contact/")],
    "accessibilite/": [page_publique("/accessibilite/")],
    "donnees-personnelles/": [page_publique("/donnees-personnelles/")],
    "theme.css": [page_publique("/theme.css", post=405)],
    "logo/": [page_publique("/logo/", get=404, post=405, quoi="commune sans logo")],
    "etat/": [page_publique("/etat/", post=405)],
    "mon-compte/": [page_famille("/mon-compte/")],
    "mes-enfants/": [page_famille("/mes-enfants/")],
    "mes-enfants/<uuid:uuid>/": [
        page_famille("/mes-enfants/{lea}/", foyer=DURAND, quoi="Léa, des Durand"),
        page_famille("/mes-enfants/{ines}/", foyer=("benali", "rossi"), quoi="Inès, aux deux foyers"),
        page_famille("/mes-enfants/{adam}/", foyer=("benali",), quoi="Adam, à Benali seul"),
        page_famille("/mes-enfants/{ancien}/", foyer=(), quoi="enfant qui a quitté les Durand"),
        page_famille("/mes-enfants/{inconnu}/", foyer=(), quoi="enfant inconnu"),
    ],
    "mes-enfants/<uuid:uuid>/dossier/": [
        page_famille("/mes-enfants/{lea}/dossier/", foyer=DURAND),
        page_famille("/mes-enfants/{ancien}/dossier/", foyer=(), quoi="enfant qui a quitté les Durand"),
    ],
    "mes-enfants/<uuid:uuid>/planning/<str:mois>/": [
        page_famille("/mes-enfants/{lea}/planning/2026-11/", foyer=DURAND, quoi="mois de Léa"),
        page_famille("/mes-enfants/{ines}/planning/2026-11/", foyer=("benali", "rossi"), quoi="mois d'Inès"),
        page_famille("/mes-enfants/{lea}/planning/2026-13/", foyer=(), quoi="mois qui n'existe pas"),
        page_famille("/mes-enfants/{ancien}/planning/2026-11/", foyer=(), quoi="mois d'un ancien", croisee=True),
    ],
    "mes-enfants/<uuid:uuid>/planning/<str:jour>/<slug:service>/": [
        page_famille(
            "/mes-enfants/{lea}/planning/2026-11-26/restauration/",
            foyer=DURAND,
            post="/mes-enfants/{lea}/planning/2026-11/",
            quoi="un jour de cantine, sans geste",
        ),
        page_famille("/mes-enfants/{lea}/planning/2026-11-26/inconnu/", foyer=(), quoi="service inconnu", croisee=True),
    ],
    "mes-enfants/semaine/": [page_famille("/mes-enfants/semaine/", get=CETTE_SEMAINE, post=CETTE_SEMAINE)],
    "mes-enfants/semaine/<str:jour>/": [
        page_famille(
            "/mes-enfants/semaine/2026-11-23/", post="/mes-enfants/semaine/2026-11-23/", quoi="semaine, rien de changé"
        ),
        page_famille("/mes-enfants/semaine/2026-11-31/", foyer=(), quoi="jour qui n'existe pas"),
    ],
    "mes-enfants/semaine/<str:jour>/copier/": [
        page_famille(
            "/mes-enfants/semaine/2026-11-23/copier/",
            get="/mes-enfants/semaine/2026-11-23/",
            post="/mes-enfants/semaine/2026-11-23/",
        )
    ],
    "mes-enfants/repeter/": [page_famille("/mes-enfants/repeter/", post=422, donnees={"du": "hier"})],
    "mes-enfants/recapitulatif/": [page_famille("/mes-enfants/recapitulatif/", get=405, post=400, ailleurs=(405, 400))],
    "mes-enfants/malade/": [page_famille("/mes-enfants/malade/")],
    "mes-enfants/absence/": [
        page_famille("/mes-enfants/absence/", get="/mes-enfants/malade/", post="/mes-enfants/malade/")
    ],
    "demandes/<uuid:uuid>/defaire/": [
        page_famille(
            "/demandes/{demande_planning}/defaire/",
            foyer=DURAND,
            get="/demandes/{demande_planning}/",
            post="/demandes/{demande_planning}/",
        ),
        page_famille("/demandes/{demande}/defaire/", foyer=(), quoi="demande d'un autre genre"),
    ],
    "mes-enfants/ajouter/": [
        page_famille("/mes-enfants/ajouter/", post=422, donnees={"prenom": ""}, quoi="enfant sans prénom"),
        page_famille("/mes-enfants/ajouter/?demande={demande}", foyer=(), quoi="demande d'un autre type"),
        page_famille(
            "/mes-enfants/ajouter/?demande={demande_ajout}",
            foyer=DURAND,
            post=DEMANDE_DEPOSEE,
            donnees={"prenom": "Lou", "nom": "Durand", "date_naissance": "2024-03-01", "regime": "STANDARD"},
            quoi="ajout qui attend, modifié",
            ecrit={"POST": {"demandes_demande"}},
        ),
    ],
    "mes-enfants/<uuid:uuid>/<slug:type>/": [
        _demander_enfant("{lea}", "etat-civil", DURAND, {"prenom": ""}),
        _demander_enfant("{lea}", "informations", DURAND, {"regime": "x"}),
        _demander_enfant("{lea}", "sante", DURAND, {"medecin_telephone": "12"}),
        _demander_enfant("{lea}", "autorisations", DURAND, {}),
        _demander_enfant("{ines}", "etat-civil", ("benali", "rossi"), {"prenom": ""}),
        page_famille(
            "/mes-enfants/{lea}/sante/",
            foyer=DURAND,
            post=DEMANDE_DEPOSEE,
            donnees={"medecin_nom": "Dr Neuf"},
            quoi="demande sante acceptable",
            ecrit={"POST": {"demandes_demande", "messagerie_courriel", "django_tasks_database_dbtaskresult"}},
        ),
        page_famille("/mes-enfants/{ancien}/sante/", foyer=(), quoi="enfant qui a quitté les Durand"),
        page_famille(
            "/mes-enfants/{adam}/sante/",
            foyer=("benali",),
            post=422,
            quoi="Adam, à Benali seul",
            donnees={"medecin_telephone": "12"},
            croisee=True,
        ),
        page_famille("/mes-enfants/{lea}/bancaires/", foyer=(), quoi="demande d'une autre rubrique"),
        page_famille("/mes-enfants/{lea}/ajout-enfant/", foyer=(), quoi="demande sans enfant"),
    ],
    "mes-enfants/<uuid:uuid>/inscriptions/": [
        page_famille("/mes-enfants/{lea}/inscriptions/", foyer=DURAND, post=422, quoi="sans accepter le règlement"),
        page_famille("/mes-enfants/{ines}/inscriptions/", foyer=("benali", "rossi"), post=422, quoi="aux deux foyers"),
        page_famille("/mes-enfants/{ancien}/inscriptions/", foyer=(), quoi="enfant qui a quitté les Durand"),
        page_famille("/mes-enfants/{inconnu}/inscriptions/", foyer=(), quoi="enfant inconnu"),
        page_famille(
            "/mes-enfants/{lea}/inscriptions/",
            foyer=DURAND,
            post=re.compile(r"/mes-enfants/[0-9a-f-]{36}/inscriptions/\?annee=[0-9]{4}"),
            donnees={"reglement": "on", "restauration-jours": ["1"]},
            quoi="d'autres jours habituels",
            ecrit={"POST": {"demandes_demande", "messagerie_courriel", "django_tasks_database_dbtaskresult"}},
        ),
    ],
    "mes-enfants/<uuid:uuid>/inscriptions/jours/": [
        page_famille(
            "/mes-enfants/{lea}/inscriptions/jours/",
            foyer=DURAND,
            post="/mes-enfants/{lea}/inscriptions/",
            quoi="jours habituels de Léa",
            ecrit={"POST": N_IMPORTE_QUOI},
        ),
        page_famille("/mes-enfants/{ancien}/inscriptions/jours/", foyer=(), quoi="enfant qui a quitté les Durand"),
    ],
    "mes-enfants/<uuid:uuid>/garde/": [
        page_famille("/mes-enfants/{ines}/garde/", foyer=("benali", "rossi"), quoi="Inès, aux deux foyers"),
        page_famille("/mes-enfants/{lea}/garde/", foyer=(), quoi="enfant d'un seul foyer"),
    ],
    "mes-enfants/<uuid:uuid>/consultations/": [
        page_famille("/mes-enfants/{lea}/consultations/", foyer=DURAND, quoi="Léa, des Durand"),
        page_famille("/mes-enfants/{ancien}/consultations/", foyer=(), quoi="enfant qui a quitté les Durand"),
    ],
    "mes-enfants/documents/<uuid:uuid>/": [
        _document("pai", DURAND, ("agent", "animateur", "administrateur", "admin", "lecteur"), note=True),
        _document("assurance", DURAND, ("agent", "administrateur", "admin")),
        _document("pai_ines", ("benali",), ("agent", "animateur", "administrateur", "admin", "lecteur"), note=True),
        _document("pai_tom", DURAND, ("agent", "administrateur", "admin", "lecteur"), note=True),
    ],
    "mes-enfants/<uuid:uuid>/fiche-inscription.pdf": [
        _fiche("lea", DURAND, "fiche de Léa, des Durand"),
        _fiche("ines", ("benali", "rossi"), "fiche d'Inès, aux deux foyers"),
        _fiche("adam", ("benali",), "fiche d'Adam, à Benali seul"),
        _fiche("ancien", (), "fiche d'un enfant qui a quitté les Durand"),
        _fiche("inconnu", (), "fiche d'un enfant inconnu"),
    ],
    "mes-enfants/<uuid:uuid>/confirmer/": [
        page_famille(
            "/mes-enfants/{lea}/confirmer/",
            foyer=DURAND,
            post="/mes-enfants/{lea}/dossier/",
            quoi="Léa, demandée aux Durand",
            ecrit={"POST": {"enfants_confirmationdossier"}},
        ),
        page_famille(
            "/mes-enfants/{ines}/confirmer/",
            foyer=("benali",),
            post="/mes-enfants/{ines}/dossier/",
            quoi="Inès, demandée à un seul de ses foyers",
            ecrit={"POST": {"enfants_confirmationdossier"}},
        ),
        page_famille("/mes-enfants/{adam}/confirmer/", foyer=(), quoi="Adam, à personne"),
        page_famille(
            "/mes-enfants/{ancien}/confirmer/", foyer=(), quoi="demandée pour un enfant qui a quitté le foyer"
        ),
    ],
    "mes-enfants/abonnement/": [
        page_famille("/mes-enfants/abonnement/", ecrit={"POST": {"enfants_abonnementcalendrier"}}),
    ],
    "mes-enfants/abonnement/supprimer/": [
        page_famille(
            "/mes-enfants/abonnement/supprimer/",
            get=405,
            post="/mes-enfants/abonnement/",
            ailleurs=(405, 404),
            ecrit={"POST": {"enfants_abonnementcalendrier"}},
        )
    ],
    "calendrier/<str:jeton>.ics": [
        page_publique(
            "/calendrier/{jeton_calendrier}.ics",
            post=405,
            quoi="qui a l'adresse lit le calendrier de Claire",
            ecrit={"GET": {"enfants_abonnementcalendrier"}},
        ),
        page_publique("/calendrier/inconnu.ics", get=404, post=405, quoi="adresse inconnue"),
    ],
    "releve/": [page_famille("/releve/")],
    "releve/<annee:annee>/": [
        page_famille("/releve/{annee}/"),
        page_famille("/releve/1999-2000/", foyer=(), quoi="année où rien ne s'est passé"),
    ],
    "releve/<annee:annee>/reglements/": [page_famille("/releve/{annee}/reglements/")],
    "releve/<annee:annee>/releve.csv": [page_famille("/releve/{annee}/releve.csv", post=405, ailleurs=(404, 405))],
    "releve/<annee:annee>/releve.pdf": [page_famille("/releve/{annee}/releve.pdf", post=405, ailleurs=(404, 405))],
    "factures/<uuid:uuid>/": [
        page_famille("/factures/{facture}/", foyer=DURAND, quoi="facture des Durand"),
        page_famille("/factures/{brouillon}/", foyer=(), quoi="brouillon de facture"),
        page_famille("/factures/{inconnu}/", foyer=(), quoi="facture inconnue"),
    ],
    # --- Papers of billing
    "factures/<uuid:uuid>/facture.pdf": [
        _papier_facture("/factures/{facture}/facture.pdf", "facturation.facture", {"facturation_pdffacture"})
    ],
    "releve/reglements/<uuid:uuid>/recu.pdf": [
        _papier_facture("/releve/reglements/{reglement}/recu.pdf", "facturation.reglement")
    ],
    "releve/attestations/<str:code>.pdf": [
        _papier_facture("/releve/attestations/{attestation_code}.pdf", "facturation.attestationfiscale")
    ],
    "releve/attestations/": [page_famille("/releve/attestations/", post=405, ailleurs=(404, 405))],
    "releve/attestations/<int:annee>/<uuid:uuid>/": [
        page_famille(
            "/releve/attestations/{annee_attestee}/{ancien}/",
            foyer=DURAND,
            get=405,
            post="/releve/attestations/{attestation_code}.pdf",
            ailleurs=(405, 404),
        ),
        page_famille(
            "/releve/attestations/{annee_attestee}/{adam}/",
            foyer=(),
            ailleurs=(405, 404),
            croisee=True,
            quoi="enfant d'un autre foyer",
        ),
    ],
    "admin/factures/imprimer/": [
        page_admin(
            "/admin/factures/imprimer/",
            get=si(lambda agent: peut(agent, VOIR, "facturation.facture")),
            post=tout_agent(405),
        )
    ],
    "admin/factures/imprimer/<int:regie>/<str:mois>/<int:rang>.pdf": [
        page_admin(
            "/admin/factures/imprimer/{regie_papiers}/2020-10/1.pdf",
            get=si(lambda agent: peut(agent, VOIR, "facturation.facture")),
            post=tout_agent(405),
            ecrit={"GET": {"facturation_pdffacture"}},
        )
    ],
    # --- Ways in and out
    "connexion/": [
        Ligne(
            "connexion",
            "/connexion/",
            chacun(anonyme=200, parents="/", agents="/admin/"),
            chacun(anonyme=200, parents="/", agents="/admin/"),
        )
    ],
    "deconnexion/": [
        Ligne(
            "déconnexion",
            "/deconnexion/",
            chacun(anonyme=405, parents=405, agents=405),
            # A session that has already ended ends where the others do.
            chacun(anonyme="/connexion/", parents="/connexion/", agents="/connexion/"),
        )
    ],
    "mot-de-passe/": [
        Ligne(
            "mot de passe",
            "/mot-de-passe/",
            chacun(anonyme=CONNEXION, parents=200, agents=200),
            chacun(anonyme=403, parents=200, agents=200),
        )
    ],
    "mot-de-passe/oublie/": [
        page_publique(
            "/mot-de-passe/oublie/",
            post="/mot-de-passe/oublie/envoye/",
            donnees={"saisie": "durand"},
            ecrit={"POST": {"familles_oublimotdepasse", "django_tasks_database_dbtaskresult"}},
        )
    ],
    "mot-de-passe/oublie/envoye/": [page_publique("/mot-de-passe/oublie/envoye/")],
    "mot-de-passe/nouveau/<str:uid>/<str:jeton>/": [
        page_publique(
            "/mot-de-passe/nouveau/{uid_durand}/{jeton_durand}/",
            get="/mot-de-passe/nouveau/{uid_durand}/choisir/",
            post="/mot-de-passe/nouveau/{uid_durand}/choisir/",
            quoi="lien reçu par courriel",
        ),
        page_publique(
            "/mot-de-passe/nouveau/{uid_durand}/choisir/", get=410, post=410, quoi="sans avoir suivi le lien"
        ),
        page_publique(
            "/mot-de-passe/nouveau/{uid_martin}/{jeton_durand}/",
            get=410,
            post=410,
            suite=True,
            croisee=True,
            quoi="compte de Martin, jeton de Durand",
        ),
    ],
    "adresse-e-mail/<str:jeton>/": [
        page_publique(
            "/adresse-e-mail/{jeton_courriel}/",
            post="/connexion/",
            quoi="lien reçu à la nouvelle adresse",
            ecrit={
                "POST": {
                    "familles_utilisateur",
                    "familles_utilisateurevent",
                    "messagerie_courriel",
                    "django_tasks_database_dbtaskresult",
                    "pghistory_context",
                }
            },
        ),
        page_publique("/adresse-e-mail/abime/", get=410, post=410, quoi="lien abîmé"),
    ],
    # --- Messages
    "messagerie/": [page_famille("/messagerie/")],
    "messagerie/envoyes/": [page_famille("/messagerie/envoyes/")],
    "messagerie/supprimes/": [page_famille("/messagerie/supprimes/")],
    "messagerie/nouveau/": [
        page_famille("/messagerie/nouveau/", post=422, quoi="message vide"),
        page_famille(
            "/messagerie/nouveau/",
            post=FIL_ECRIT,
            donnees={"service": "{service_mairie}", "sujet": "Goûter", "corps": "Bonjour."},
            quoi="message entier",
            ecrit={"POST": ECRIT_UN_MESSAGE},
        ),
        page_famille("/messagerie/nouveau/?demande={demande}", foyer=DURAND, post=422, quoi="demande des Durand"),
        page_famille("/messagerie/nouveau/?demande={demande_rossi}", foyer=("rossi",), post=422, quoi="de Rossi"),
        page_famille("/messagerie/nouveau/?enfant={lea}", foyer=DURAND, post=422, quoi="Léa, des Durand"),
        page_famille(
            "/messagerie/nouveau/?enfant={ines}", foyer=("benali", "rossi"), post=422, quoi="Inès, aux deux foyers"
        ),
        page_famille("/messagerie/nouveau/?enfant={adam}", foyer=("benali",), post=422, quoi="Adam, à Benali seul"),
        page_famille("/messagerie/nouveau/?enfant={ancien}", foyer=(), quoi="enfant qui a quitté les Durand"),
        page_famille("/messagerie/nouveau/?enfant={inconnu}", foyer=(), quoi="enfant inconnu"),
        page_famille("/messagerie/nouveau/?facture={facture}", foyer=DURAND, post=422, quoi="facture des Durand"),
        page_famille("/messagerie/nouveau/?facture={brouillon}", foyer=(), quoi="brouillon de facture"),
    ],
    "messagerie/ranger/": [
        _ranger("supprimer", "{fil}", DURAND, {"messagerie_rangement"}),
        _ranger("restaurer", "{fil}", DURAND, {"messagerie_rangement"}),
        _ranger("non_lu", "{fil}", DURAND, {"messagerie_lecture"}),
        _ranger("supprimer", "{fil_claire}", ("durand",), {"messagerie_rangement"}),
        _ranger("supprimer", "{inconnu}", (), set()),
        _ranger("effacer", "{fil}", (), set()),
    ],
    "messagerie/<uuid:uuid>/": [
        page_famille(
            "/messagerie/{fil}/",
            foyer=DURAND,
            quoi="fil du foyer Durand",
            post=422,
            ecrit={"GET": {"messagerie_lecture"}, "POST": {"messagerie_lecture"}},
        ),
        page_famille(
            "/messagerie/{fil}/",
            foyer=DURAND,
            post="/messagerie/{fil}/",
            donnees={"corps": "Merci."},
            quoi="réponse des Durand",
            ecrit={"GET": {"messagerie_lecture"}, "POST": {*ECRIT_UN_MESSAGE, "messagerie_rangement"}},
        ),
        page_famille(
            "/messagerie/{fil_claire}/",
            foyer=("durand",),
            post=422,
            quoi="fil pour Claire seule",
            ecrit={"GET": {"messagerie_lecture"}, "POST": {"messagerie_lecture"}},
        ),
    ],
    "messagerie/pieces/<uuid:uuid>/": [
        _piece_message("piece_message", DURAND),
        _piece_message("piece_claire", ("durand",)),
    ],
    "mon-compte/courriels/": [
        page_famille("/mon-compte/courriels/", post=422, quoi="sans choix"),
        page_famille(
            "/mon-compte/courriels/",
            post="/mon-compte/courriels/",
            donnees={"rythme": "AUCUN"},
            quoi="aucun courriel",
            ecrit={"POST": {"messagerie_preference"}},
        ),
    ],
    "courriels/<str:jeton>/": [
        page_publique(
            "/courriels/{jeton_desabonnement}/", quoi="lien reçu par Claire", ecrit={"POST": {"messagerie_preference"}}
        ),
        page_publique("/courriels/abime/", get=404, post=404, quoi="lien abîmé"),
    ],
    # --- Demandes
    "mon-compte/<str:type>/": [
        _demander("responsable", {"nom": ""}),
        _demander("conjoint", {"nom": ""}),
        _demander("fiscales", {"numero_fiscal": "x"}),
        _demander("caf", {"numero_allocataire": "!"}),
        _demander("bancaires", {"titulaire": ""}),
        page_famille(
            "/mon-compte/bancaires/",
            post=DEMANDE_DEPOSEE,
            donnees={"titulaire": "C. Nouveau", "iban": "FR7630006000011234567890189"},
            quoi="demande bancaires acceptable",
            ecrit={"POST": {"demandes_demande", "messagerie_courriel", "django_tasks_database_dbtaskresult"}},
        ),
        page_famille("/mon-compte/inconnu/", foyer=(), quoi="demande inconnue"),
    ],
    "demandes/": [page_famille("/demandes/")],
    "demandes/<uuid:uuid>/": [
        page_famille("/demandes/{demande}/", foyer=DURAND, quoi="demande des Durand"),
        page_famille("/demandes/{demande_rossi}/", foyer=("rossi",), quoi="demande de Rossi"),
    ],
    "demandes/<uuid:uuid>/retirer/": [
        page_famille(
            "/demandes/{demande}/retirer/",
            foyer=DURAND,
            get=405,
            post="/demandes/{demande}/",
            ailleurs=(405, 404),
            quoi="demande des Durand",
            ecrit={"POST": {"demandes_demande"}},
        )
    ],
    "demandes/<uuid:uuid>/justificatif/": [
        page_famille(
            "/demandes/{demande}/justificatif/",
            foyer=DURAND,
            get=405,
            post="/demandes/{demande}/",
            ailleurs=(405, 404),
            quoi="demande qui n'attend pas de justificatif",
        ),
        page_famille(
            "/demandes/{demande_absence}/justificatif/",
            foyer=DURAND,
            get=405,
            post=422,
            ailleurs=(405, 404),
            quoi="absence à justifier, sans papier",
        ),
    ],
    "demandes/pieces/<uuid:uuid>/": [
        Ligne(
            "pièce des Durand",
            "/demandes/pieces/{piece}/",
            chacun(anonyme=CONNEXION, parents=404, agents=404, **_au_foyer(DURAND, 200))
            | {agent: 200 for agent in AGENTS if peut(agent, "traiter", "demandes.demande")},
            chacun(anonyme=403, parents=404, agents=404, **_au_foyer(DURAND, 200))
            | {agent: 200 for agent in AGENTS if peut(agent, "traiter", "demandes.demande")},
        ),
        Ligne(
            "pièce de santé des Durand",
            "/demandes/pieces/{piece_sante}/",
            chacun(anonyme=CONNEXION, parents=404, agents=404, **_au_foyer(DURAND, 200))
            | {agent: 200 for agent in AGENTS if _decide_de_la_sante(agent)},
            chacun(anonyme=403, parents=404, agents=404, **_au_foyer(DURAND, 200))
            | {agent: 200 for agent in AGENTS if _decide_de_la_sante(agent)},
            ecrit={"GET": {"enfants_consultationsante"}, "POST": {"enfants_consultationsante"}},
        ),
    ],
    # --- The admin, beside its models
    "admin/": [page_admin("/admin/", get=tout_agent(200), post=tout_agent(200))],
    "admin/login/": [page_publique("/admin/login/", get="/connexion/?next=/admin/", post="/connexion/?next=/admin/")],
    "admin/logout/": [page_admin("/admin/logout/", get=tout_agent(405), post=tout_agent("/connexion/"))],
    "admin/password_change/": [
        page_admin("/admin/password_change/", get=tout_agent("/mot-de-passe/"), post=tout_agent("/mot-de-passe/"))
    ],
    "admin/password_change/done/": [
        page_admin("/admin/password_change/done/", get=tout_agent(200), post=tout_agent(405))
    ],
    "admin/autocomplete/": [page_admin("/admin/autocomplete/", get=tout_agent(403), post=tout_agent(405))],
    "admin/jsi18n/": [page_admin("/admin/jsi18n/", get=tout_agent(200), post=tout_agent(405))],
    "admin/<app_label>/": _listes_des_applications(),
    "admin/(?P<url>.*)$": [page_admin("/admin/n-importe-quoi/", get=tout_agent(404), post=tout_agent(404))],
    "admin/ouvrir-une-famille/": [
        page_admin(
            "/admin/ouvrir-une-famille/",
            get=si(lambda agent: peut(agent, AJOUTER, "familles.famille")),
            post=si(lambda agent: peut(agent, AJOUTER, "familles.famille"), oui=422),
        )
    ],
    "admin/fermer/": [
        page_admin(
            "/admin/fermer/",
            get=si(lambda agent: peut(agent, AJOUTER, "enfants.fermeture")),
            post=si(lambda agent: peut(agent, AJOUTER, "enfants.fermeture"), oui=422),
            quoi="fermeture sans date",
        ),
        page_admin(
            "/admin/fermer/",
            get=si(lambda agent: peut(agent, AJOUTER, "enfants.fermeture")),
            post=si(lambda agent: peut(agent, AJOUTER, "enfants.fermeture"), oui="/admin/enfants/fermeture/"),
            donnees={"valable_du": "2098-11-24", "valable_au": "2098-11-24", "motif": "Grève", "action": "fermer"},
            quoi="jours fermés",
            ecrit={"POST": N_IMPORTE_QUOI},
        ),
    ],
    "admin/facturer/": [
        page_admin("/admin/facturer/", get=si(_lit_les_mois), post=si(_facture, oui=422), quoi="sans régie"),
        page_admin(
            "/admin/facturer/",
            get=si(_lit_les_mois),
            post=si(_facture, oui=MOIS_OUVERT),
            donnees={"regie": "{regie_restauration}", "mois": "{mois_dernier}"},
            quoi="mois ouvert",
            ecrit={"POST": {"facturation_campagne"}},
        ),
    ],
    "admin/facturer/<int:pk>/": [
        page_admin(
            "/admin/facturer/{facturation.campagne}/",
            get=si(_lit_les_mois),
            post=si(_facture, oui="/admin/facturer/{facturation.campagne}/"),
            donnees={"action": "preparer"},
            ecrit={"POST": N_IMPORTE_QUOI},
        )
    ],
    "admin/ecrire-a-une-famille/": [
        page_admin("/admin/ecrire-a-une-famille/", get=si(_ecrit), post=si(_ecrit), quoi="sans famille : la recherche"),
        page_admin(
            "/admin/ecrire-a-une-famille/?famille={familles.famille}",
            get=si(_ecrit),
            post=si(_ecrit, oui=422),
            quoi="aux Durand, sans texte",
        ),
        page_admin(
            "/admin/ecrire-a-une-famille/?famille={familles.famille}",
            get=si(_ecrit),
            post=si(_ecrit, oui=PAGE_DU_FIL),
            donnees={"sujet": "Goûter", "corps": "Bonjour"},
            quoi="aux Durand",
            ecrit={"POST": N_IMPORTE_QUOI},
        ),
        page_admin(
            "/admin/ecrire-a-une-famille/?famille=999999999",
            get=si(_ecrit, oui=404),
            post=si(_ecrit, oui=404),
            quoi="famille inconnue",
        ),
    ],
    "admin/simuler/": [
        page_admin("/admin/simuler/", get=si(_simule), post=si(_simule), quoi="sans famille : la recherche"),
        page_admin(
            "/admin/simuler/?famille={familles.famille}",
            get=si(_simule),
            post=si(_simule),
            quoi="pour les Durand, sans question",
        ),
        page_admin(
            "/admin/simuler/?famille={familles.famille}&enfant={ines_cle}&jour=2026-11-23",
            get=si(_simule, oui=422),
            post=si(_simule, oui=422),
            quoi="l'enfant d'une autre famille",
        ),
        page_admin(
            "/admin/simuler/?famille=999999999",
            get=si(_simule, oui=404),
            post=si(_simule, oui=404),
            quoi="famille inconnue",
        ),
    ],
    "admin/facturation/grille/<path:object_id>/dupliquer/": [
        page_admin(
            "/admin/facturation/grille/{facturation.grille}/dupliquer/",
            get=si(lambda agent: page_peut(agent, CHANGER, "facturation.grille")),
            post=si(lambda agent: page_peut(agent, CHANGER, "facturation.grille"), oui=422),
            quoi="sans date",
        ),
        page_admin(
            "/admin/facturation/grille/{facturation.grille}/dupliquer/",
            get=si(lambda agent: page_peut(agent, CHANGER, "facturation.grille")),
            post=si(lambda agent: page_peut(agent, CHANGER, "facturation.grille"), oui=PAGE_DE_GRILLE),
            donnees={"le": "2099-01-01", "deliberation": "2098-12", "votee_le": "2098-12-12"},
            quoi="à partir d'un jour",
            ecrit={"POST": N_IMPORTE_QUOI},
        ),
    ],
    "admin/messages-groupes/": [
        page_admin("/admin/messages-groupes/", get=si(_diffuse), post=si(_diffuse, oui=422), quoi="sans texte"),
        page_admin(
            "/admin/messages-groupes/",
            get=si(_diffuse),
            post=si(_diffuse),
            donnees={"selection": "familles", "sujet": "Grève", "corps": "Bonjour"},
            quoi="aperçu",
        ),
        page_admin(
            "/admin/messages-groupes/",
            get=si(_diffuse),
            post=si(_diffuse, oui=409),
            donnees={"selection": "familles", "sujet": "Grève", "corps": "Bonjour", "action": "envoyer"},
            quoi="sans la liste relue",
        ),
    ],
    "admin/messages-groupes/<int:pk>/": [
        page_admin(
            "/admin/messages-groupes/{messagerie.diffusion}/",
            get=si(lambda agent: peut(agent, VOIR, "messagerie.diffusion")),
            post=si(_diffuse, oui="/admin/messages-groupes/{messagerie.diffusion}/"),
            donnees={"action": "arreter"},
            ecrit={"POST": {"messagerie_diffusion"}},
        )
    ],
    "admin/messagerie/fil/<path:object_id>/repondre/": [
        page_admin(
            "/admin/messagerie/fil/{messagerie.fil}/repondre/",
            get=lambda agent: _du_service(agent, "/admin/messagerie/fil/{messagerie.fil}/change/"),
            post=lambda agent: _du_service(agent, 422),
            quoi="à un service qui a son agent, sans texte",
        ),
        page_admin(
            "/admin/messagerie/fil/{fil_de_tous}/repondre/",
            get=si(_ecrit, oui="/admin/messagerie/fil/{fil_de_tous}/change/"),
            post=si(_ecrit, oui=re.compile(r"/admin/messagerie/fil/([0-9]+/change/)?")),
            donnees={"corps": "Bonjour", "vu": "999999999"},
            quoi="d'un service sans agent",
            ecrit={"POST": N_IMPORTE_QUOI},
        ),
    ],
    "admin/rentree/": [
        page_admin(
            "/admin/rentree/",
            get=si(lambda agent: peut(agent, AJOUTER, "enfants.rentree")),
            post=si(lambda agent: peut(agent, AJOUTER, "enfants.rentree")),
        ),
        page_admin(
            "/admin/rentree/",
            get=si(lambda agent: peut(agent, AJOUTER, "enfants.rentree")),
            post=si(lambda agent: peut(agent, AJOUTER, "enfants.rentree"), oui=409),
            donnees={"action": "faire", "empreinte": "d'une autre liste"},
            quoi="liste qui a changé",
        ),
        page_admin(
            "/admin/rentree/",
            get=si(lambda agent: peut(agent, AJOUTER, "enfants.rentree")),
            post=si(lambda agent: peut(agent, AJOUTER, "enfants.rentree"), oui="/admin/rentree/"),
            donnees={"action": "ouvrir"},
            quoi="ouvrir les confirmations",
            ecrit={"POST": N_IMPORTE_QUOI},
        ),
    ],
    "admin/presences/": [page_admin("/admin/presences/", get=si(_pointe), post=si(_pointe))],
    "admin/presences/<slug:service>/<int:site>/<str:jour>/": [
        page_admin(
            "/admin/presences/accueil-soir/{site_du_bourg}/2026-01-15/",
            get=si(_pointe),
            post=si(_pointe, oui="/admin/presences/accueil-soir/{site_du_bourg}/2026-01-15/"),
            quoi="site de l'école de l'animateur",
            ecrit={"POST": {"enfants_place"}},
        ),
        page_admin(
            "/admin/presences/accueil-soir/{site_ailleurs}/2026-01-15/",
            get=lambda agent: 404 if agent == "animateur" else 200 if _pointe(agent) else 403,
            post=lambda agent: (
                404
                if agent == "animateur"
                else "/admin/presences/accueil-soir/{site_ailleurs}/2026-01-15/"
                if _pointe(agent)
                else 403
            ),
            quoi="site d'une autre école",
            ecrit={"POST": {"enfants_place"}},
        ),
        page_admin(
            "/admin/presences/accueil-soir/{site_du_bourg}/2026-01-15/",
            get=si(_pointe),
            post=si(
                lambda agent: peut(agent, CHANGER, "enfants.place"),
                oui="/admin/presences/accueil-soir/{site_du_bourg}/2026-01-15/",
            ),
            donnees={"action": "rouvrir"},
            quoi="rouvrir une feuille n'est pas à l'animateur",
            ecrit={"POST": {"enfants_place"}},
        ),
        page_admin(
            "/admin/presences/accueil-soir/{site_du_bourg}/2999-01-15/",
            get=si(_pointe, oui=422),
            post=si(_pointe, oui=422),
            quoi="un jour à venir",
        ),
    ],
    "admin/separer/<int:pk>/": [
        page_admin(
            "/admin/separer/{adulte}/",
            get=si(lambda agent: _tient_les_dossiers(agent)),
            post=si(lambda agent: _tient_les_dossiers(agent), oui=422),
            quoi="Claire quitte les Durand",
        ),
        page_admin(
            "/admin/separer/{adulte_seul}/",
            get=si(lambda agent: _tient_les_dossiers(agent), oui="/admin/familles/famille/{famille_martin}/change/"),
            post=si(lambda agent: _tient_les_dossiers(agent), oui="/admin/familles/famille/{famille_martin}/change/"),
            quoi="Sophie Martin est seule",
        ),
    ],
    "admin/demandes/demande/<path:object_id>/decider/": [
        page_admin(
            "/admin/demandes/demande/{demandes.demande}/decider/",
            get=si(
                lambda agent: peut(agent, "traiter", "demandes.demande"),
                oui="/admin/demandes/demande/{demandes.demande}/change/",
            ),
            post=si(lambda agent: peut(agent, "traiter", "demandes.demande"), oui=LISTE_OU_SUIVANTE),
            donnees={"decision": "refuser", "version": "1", "motif": "Illisible"},
            ecrit={"POST": N_IMPORTE_QUOI},
        )
    ],
}

for _modele in PLAFONDS:
    MATRICE |= pages_du_modele(_modele)


def _page_de_sante(agent):
    """A demande about Léa's health: a child of the animateur's school, but demandes are not his work."""
    if not peut(agent, VOIR, "enfants.sante"):
        return 404
    return 200 if peut(agent, VOIR, "demandes.demande") else 403


# Where a page of the admin does not do what a model's page does.
MATRICE["admin/familles/famille/add/"] = [
    page_admin(
        "/admin/familles/famille/add/",
        get=tout_agent("/admin/ouvrir-une-famille/"),
        post=tout_agent("/admin/ouvrir-une-famille/"),
    )
]
MATRICE["admin/messagerie/fil/<path:object_id>/change/"] = [
    page_admin(
        "/admin/messagerie/fil/{messagerie.fil}/change/",
        get=lambda agent: _du_service(agent, 200),
        post=lambda agent: _du_service(agent, 200),
        quoi="fil d'un service qui a son agent",
    ),
    page_admin(
        "/admin/messagerie/fil/{fil_de_tous}/change/",
        get=si(lambda agent: peut(agent, VOIR, "messagerie.fil")),
        post=si(lambda agent: peut(agent, VOIR, "messagerie.fil")),
        quoi="fil qui attend, d'un service sans agent : lu, et la famille le voit",
        ecrit={methode: {"messagerie_fil"} for methode in METHODES},
    ),
]
MATRICE["admin/messagerie/fil/<path:object_id>/history/"] = [
    page_admin(
        "/admin/messagerie/fil/{messagerie.fil}/history/",
        get=lambda agent: _du_service(agent, "/admin/messagerie/fil/{messagerie.fil}/change/"),
        post=lambda agent: _du_service(agent, "/admin/messagerie/fil/{messagerie.fil}/change/"),
        quoi="l'échange est sa propre histoire",
    )
]
MATRICE["admin/messagerie/diffusion/add/"] = [
    page_admin(
        "/admin/messagerie/diffusion/add/",
        get=si(_diffuse, oui="/admin/messages-groupes/"),
        post=si(_diffuse, oui="/admin/messages-groupes/"),
    )
]
MATRICE["admin/messagerie/diffusion/<path:object_id>/change/"] = [
    page_admin(
        "/admin/messagerie/diffusion/{messagerie.diffusion}/change/",
        get=si(lambda agent: _voit(agent, "messagerie.diffusion"), oui=AVANCEMENT),
        post=si(lambda agent: _voit(agent, "messagerie.diffusion"), oui=AVANCEMENT),
    )
]
MATRICE["admin/familles/famille/<path:object_id>/history/"] = [
    page_admin(
        "/admin/familles/famille/{familles.famille}/history/",
        get=si(lambda agent: page_peut(agent, CHANGER, "familles.famille")),
        post=si(lambda agent: page_peut(agent, CHANGER, "familles.famille")),
        quoi="dit les revenus et la banque : à qui tient le dossier",
    )
]
MATRICE["admin/demandes/demande/<path:object_id>/change/"] = [
    page_admin(
        "/admin/demandes/demande/{demandes.demande}/change/",
        get=si(lambda agent: peut(agent, VOIR, "demandes.demande")),
        post=si(lambda agent: peut(agent, VOIR, "demandes.demande")),
        quoi="lue, donc marquée lue",
        ecrit={"GET": {"demandes_demande"}, "POST": {"demandes_demande"}},
    )
]
MATRICE["admin/demandes/demande/<path:object_id>/change/"] += [
    page_admin(
        "/admin/demandes/demande/{demande_sante}/change/",
        get=_page_de_sante,
        post=_page_de_sante,
        quoi="demande de santé : cachée à la comptabilité, sa lecture est notée",
        ecrit={methode: {"demandes_demande", "enfants_consultationsante"} for methode in METHODES},
    )
]
MATRICE["admin/familles/utilisateur/<path:object_id>/change/"] += [
    page_admin(
        "/admin/familles/utilisateur/{compte_agent}/change/",
        get=si(lambda agent: _voit(agent, "familles.utilisateur")),
        post=si(lambda agent: page_peut(agent, AJOUTER, "familles.utilisateur")),
        quoi="compte d'un collègue",
    ),
    page_admin(
        "/admin/familles/utilisateur/{compte_admin}/change/",
        get=si(lambda agent: _voit(agent, "familles.utilisateur")),
        post=si(lambda agent: agent == "admin"),
        quoi="compte d'un superutilisateur",
    ),
]

# A child's file: who reads its health is noted. The animateur works at Léa's school, not at Tom's.
_NOTEE = {"GET": {"enfants_consultationsante"}, "POST": {"enfants_consultationsante"}}
_INCONNU = "/admin/"  # what Django answers for an object that is not in the list


def _selon_l_ecole(agent):
    if not _voit(agent, "enfants.enfant"):
        return 403
    return 200 if peut(agent, "voir_partout", "enfants.enfant") else _INCONNU


MATRICE["admin/enfants/enfant/<path:object_id>/change/"] = [
    page_admin(
        "/admin/enfants/enfant/{enfants.enfant}/change/",
        get=si(lambda agent: _voit(agent, "enfants.enfant")),
        post=si(lambda agent: page_peut(agent, CHANGER, "enfants.enfant")),
        quoi="Léa, de l'école de l'animateur",
        ecrit=_NOTEE,
    ),
    page_admin(
        "/admin/enfants/enfant/{enfant_ailleurs}/change/",
        get=_selon_l_ecole,
        post=si(lambda agent: page_peut(agent, CHANGER, "enfants.enfant")),
        quoi="Tom, d'une autre école",
        ecrit=_NOTEE,
    ),
]
MATRICE["admin/enfants/enfant/<path:object_id>/history/"] = [
    page_admin(
        "/admin/enfants/enfant/{enfants.enfant}/history/",
        get=si(lambda agent: page_peut(agent, CHANGER, "enfants.enfant")),
        post=si(lambda agent: page_peut(agent, CHANGER, "enfants.enfant")),
        quoi="à qui tient le dossier",
        ecrit=_NOTEE,
    )
]
MATRICE["admin/enfants/enfant/<path:object_id>/fiche-urgence/"] = [
    page_admin(
        "/admin/enfants/enfant/{enfants.enfant}/fiche-urgence/",
        get=si(_lit_la_sante),
        post=si(_lit_la_sante),
        quoi="Léa, de l'école de l'animateur",
        ecrit=_NOTEE,
    ),
    page_admin(
        "/admin/enfants/enfant/{enfant_ailleurs}/fiche-urgence/",
        get=lambda agent: 404 if agent == "animateur" else 200 if _lit_la_sante(agent) else 403,
        post=lambda agent: 404 if agent == "animateur" else 200 if _lit_la_sante(agent) else 403,
        quoi="Tom, d'une autre école",
        ecrit=_NOTEE,
    ),
]
MATRICE["admin/enfants/fermeture/add/"] = [
    page_admin(
        "/admin/enfants/fermeture/add/",
        get=si(lambda agent: page_peut(agent, AJOUTER, "enfants.fermeture"), oui="/admin/fermer/"),
        post=si(lambda agent: page_peut(agent, AJOUTER, "enfants.fermeture"), oui="/admin/fermer/"),
        quoi="se fait sur une page qui dit qui est touché",
    )
]
MATRICE["admin/enfants/garde/add/"] = [
    page_admin(
        "/admin/enfants/garde/add/",
        get=si(lambda agent: page_peut(agent, AJOUTER, "enfants.garde"), oui="/admin/enfants/enfant/"),
        post=si(lambda agent: page_peut(agent, AJOUTER, "enfants.garde"), oui="/admin/enfants/enfant/"),
        quoi="se note depuis la page de l'enfant",
    )
]

MATRICE["admin/enfants/garde/<path:object_id>/history/"] = [
    page_admin(
        "/admin/enfants/garde/{enfants.garde}/history/",
        get=si(lambda agent: _voit(agent, "enfants.garde"), oui="/admin/enfants/enfant/{ines_cle}/history/"),
        post=si(lambda agent: _voit(agent, "enfants.garde"), oui="/admin/enfants/enfant/{ines_cle}/history/"),
        quoi="dans celui de l'enfant",
    )
]


# Payment on line: the family pays its own, PayFiP's doors are open to all and tell nothing.
def _rapproche(agent):
    return peut(agent, "rapprocher", "facturation.tentativepaiement")


MATRICE |= {
    "factures/<uuid:uuid>/payer/": [
        page_famille(
            "/factures/{facture_en_ligne}/payer/",
            foyer=DURAND,
            get=405,
            post=re.compile(r"/demo/payfip/paiement\.web\?numcli=018110&.*"),
            ailleurs=(405, 404),
            ecrit={"POST": {"facturation_tentativepaiement"}},
        )
    ],
    "paiement/<uuid:uuid>/": [page_famille("/paiement/{tentative}/", foyer=DURAND)],
    "paiement/retour/<uuid:uuid>/": [
        page_publique("/paiement/retour/{tentative}/", get="/paiement/{tentative}/", post="/paiement/{tentative}/")
    ],
    "paiement/avis/<str:jeton>/": [
        page_publique("/paiement/avis/{jeton_avis}/", quoi="avis illisible"),
        page_publique("/paiement/avis/inconnu/", quoi="avis que rien n'attend"),
    ],
    "demo/payfip/": [
        page_publique("/demo/payfip/", get="/demo/payfip/accueilportail.web", post="/demo/payfip/accueilportail.web")
    ],
    "demo/payfip/paiement.web": [page_publique("/demo/payfip/paiement.web", get=422, post=405)],
    "demo/payfip/paiementws.web": [page_publique("/demo/payfip/paiementws.web", get=422, post=405)],
    "demo/payfip/accueilportail.web": [page_publique("/demo/payfip/accueilportail.web", post=422)],
    "demo/payfip/services/securite": [page_publique("/demo/payfip/services/securite", get=400, post=400)],
    "demo/payfip/resultat/": [page_publique("/demo/payfip/resultat/", get=405, post=422)],
    "demo/payfip/avis/": [page_publique("/demo/payfip/avis/", get=405, post=422)],
    "admin/facturation/tentativepaiement/importer/": [
        page_admin("/admin/facturation/tentativepaiement/importer/", get=si(_rapproche), post=si(_rapproche, oui=422))
    ],
}
MATRICE["admin/facturation/tentativepaiement/<path:object_id>/change/"] += [
    page_admin(
        "/admin/facturation/tentativepaiement/{facturation.tentativepaiement}/change/",
        get=si(lambda agent: _voit(agent, "facturation.tentativepaiement")),
        post=si(_rapproche, oui="/admin/facturation/tentativepaiement/{facturation.tentativepaiement}/change/"),
        donnees={"geste": "rapprocher"},
        quoi="paiement vu sur la liste de PayFiP",
        ecrit={"POST": {"facturation_tentativepaiement"}},
    )
]
# --- Money: the pages of agents ---------------------------------------------------------------------------


def _argent(route, *droits, get=200, post=422, adresse="", quoi="", **autres):
    """A page of money: ``droits`` are « action modèle » of facturation, all needed."""

    def ouvert(agent):
        return all(peut(agent, action, f"facturation.{modele}") for action, modele in map(str.split, droits))

    page = page_admin(adresse or f"/{route}", get=si(ouvert, oui=get), post=si(ouvert, oui=post), quoi=quoi, **autres)
    MATRICE.setdefault(route, []).append(page)


_argent("admin/comptes/", "view ecriture", post=200)
_argent("admin/comptes/<int:pk>/", "view ecriture", post=200, adresse="/admin/comptes/{familles.famille}/")
_argent("admin/comptes/<int:pk>/rembourser/", "add ecriture", adresse="/admin/comptes/{familles.famille}/rembourser/")
_NOUVEAU = "admin/reglements/nouveau/"
_argent(_NOUVEAU, "add reglement", post=200, quoi="sans famille : la recherche")
_argent(_NOUVEAU, "add reglement", adresse=f"/{_NOUVEAU}?famille={{familles.famille}}", quoi="sans montant")
_argent(_NOUVEAU, "add reglement", adresse=f"/{_NOUVEAU}?famille=999999999", get=404, post=404, quoi="famille inconnue")
_argent(
    _NOUVEAU,
    "add reglement",
    adresse=f"/{_NOUVEAU}?famille={{familles.famille}}",
    post="/admin/comptes/{familles.famille}/",
    donnees={"regie": "{regie}", "moyen": "ESPECES", "montant": "5", "recu_le": "2020-01-02"},
    ecrit={"POST": {"facturation_reglement", "facturation_ecriture", "facturation_imputation"}},
    quoi="5 € en espèces",
)
for _geste, _droit in [("imputer", "add imputation"), ("annuler", "annuler reglement")]:
    _page = f"/admin/reglements/{{facturation.reglement}}/{_geste}/"
    _argent(f"admin/reglements/<int:pk>/{_geste}/", _droit, adresse=_page)
_argent("admin/cheques/", "add reglement")
_argent("admin/bordereaux/nouveau/", "add remise")
_argent("admin/bordereaux/<int:pk>/", "view remise", post=200, adresse="/admin/bordereaux/{facturation.remise}/")
_argent("admin/factures/<int:pk>/avoir/", "change facture", adresse="/admin/factures/{facturation.facture}/avoir/")
_LIGNES = "admin/factures/<int:pk>/lignes/"
_argent(_LIGNES, "change facture", adresse="/admin/factures/{brouillon_cle}/lignes/")
_argent(
    _LIGNES, "change facture", get=404, post=404, adresse="/admin/factures/{facturation.facture}/lignes/", quoi="émise"
)
_argent("admin/roles/nouveau/", "add role", post=200)
_argent("admin/roles/<int:pk>/", "change article", adresse="/admin/roles/{facturation.role}/")
_argent("admin/mandats/nouveau/", "add mandat", post=200, quoi="sans famille : la recherche")
_argent("admin/mandats/nouveau/", "add mandat", adresse="/admin/mandats/nouveau/?famille={familles.famille}")
_argent("admin/mandats/<int:pk>/revoquer/", "change mandat", adresse="/admin/mandats/{facturation.mandat}/revoquer/")
_LOT = "/admin/prelevements/{facturation.lotprelevement}/"
_argent("admin/prelevements/nouveau/", "add lotprelevement")
_argent("admin/prelevements/<int:pk>/", "change lotprelevement", post=200, adresse=_LOT)
_argent("admin/prelevements/<int:pk>/fichier.xml", "add lotprelevement", post=200, adresse=f"{_LOT}fichier.xml")
for _suivi in ("suivifacture", "suivireglement"):
    _argent(f"admin/facturation/{_suivi}/export.csv", f"view {_suivi}", post=200)

# --- Actions on the lists of the admin: no address of their own, but they write ---------------------------


@dataclass(frozen=True)
class Geste:
    """An action of a list: who may launch it on the object of ``monde``.

    ``sur``: the model that the permission is about, when it is not the list's.
    """

    modele: str
    nom: str
    permission: str
    sur: str = ""

    def permis(self, agent: str) -> bool:
        return peut(agent, self.permission, self.sur or self.modele)


GESTES = [
    Geste("demandes.demande", "accepter_la_selection", "traiter"),
    Geste("enfants.enfant", "fiches_urgence", VOIR, sur="enfants.sante"),
    Geste("enfants.ecole", "delete_selected", SUPPRIMER),
    Geste("enfants.fermeture", "delete_selected", SUPPRIMER),
    Geste("enfants.inscription", "reserver_les_jours", CHANGER),
    Geste("enfants.implantation", "delete_selected", SUPPRIMER),
    Geste("enfants.jourferie", "delete_selected", SUPPRIMER),
    Geste("enfants.periodevacances", "delete_selected", SUPPRIMER),
    Geste("enfants.regledelai", "delete_selected", SUPPRIMER),
    Geste("enfants.reglement", "delete_selected", SUPPRIMER),
    Geste("enfants.service", "delete_selected", SUPPRIMER),
    Geste("enfants.service", "ne_plus_proposer", CHANGER),
    Geste("enfants.site", "delete_selected", SUPPRIMER),
    Geste("facturation.aidefamille", "delete_selected", SUPPRIMER),
    Geste("facturation.grille", "delete_selected", SUPPRIMER),
    Geste("facturation.regie", "delete_selected", SUPPRIMER),
    Geste("facturation.tentativepaiement", "rapprocher_la_selection", "rapprocher"),
    Geste("familles.famille", "lettres", CHANGER),
    Geste("familles.famille", "invitations", CHANGER),
    Geste("familles.utilisateur", "nouveau_mot_de_passe", CHANGER),
    Geste("messagerie.courriel", "reessayer", VOIR),
    Geste("demandes.motifrefus", "delete_selected", SUPPRIMER),
    Geste("messagerie.reponsetype", "delete_selected", SUPPRIMER),
    Geste("messagerie.servicemairie", "delete_selected", SUPPRIMER),
    Geste("portail.actualite", "delete_selected", SUPPRIMER),
    Geste("portail.document", "delete_selected", SUPPRIMER),
    Geste("auth.group", "delete_selected", SUPPRIMER),
]
