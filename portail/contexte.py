"""What every template knows."""

from collections import namedtuple

from django.conf import settings
from django.urls import reverse

from messagerie.models import Fil
from portail.commune import Commune

Onglet = namedtuple("Onglet", "libelle url icone actif compteur")
ONGLETS = [
    ("Accueil", "accueil", "maison", ()),
    ("Mon compte", "mon_compte", "compte", ("/mon-compte/",)),
    ("Mes enfants", "mes_enfants", "enfants", ("/mes-enfants/",)),
    ("Relevé de compte", "releve", "releve", ("/releve/", "/factures/", "/paiement/")),
    ("Boîte de réception", "messagerie", "boite", ("/messagerie/",)),
    ("Liste des demandes", "demandes", "demandes", ("/demandes/",)),
]
# Pages about one child, by the name of their address; « Nous contacter » keeps it in mind.
D_UN_ENFANT = {
    *("enfant", "dossier_enfant", "planning_mois", "planning_case", "garde", "consultations", "confirmer_dossier"),
    *("demander_enfant", "inscriptions", "jours_habituels"),
}
D_UNE_DEMANDE = {"demande", "joindre_justificatif"}
D_UNE_FACTURE = {"facture"}


def gabarit(request):
    """The commune, where to write to it, and the tabs of a logged-in adult with the count of unread threads."""
    utilisateur = getattr(request, "user", None)
    adulte = utilisateur.adulte if utilisateur is not None and utilisateur.is_authenticated else None
    return {
        "commune": Commune.actuelle(),
        "mode_demo": settings.MODE_DEMO,
        "onglets": _onglets(request, adulte) if adulte else [],
        "lien_contact": lien_contact(request if adulte else None),
    }


def lien_contact(request) -> str:
    """Address of « Nous contacter », about what the page shows; ``request`` is None for who has no family."""
    page, contact = getattr(request, "resolver_match", None), reverse("contact")
    if page is None:
        return contact
    for noms, quoi in ((D_UN_ENFANT, "enfant"), (D_UNE_DEMANDE, "demande"), (D_UNE_FACTURE, "facture")):
        if page.url_name in noms:
            return f"{contact}?{quoi}={page.kwargs['uuid']}"
    return contact


def fils_non_lus(adulte):
    """Threads with a message of the mairie that this adult has not opened, the newest first."""
    return Fil.objects.recus_par(adulte).avec_non_lus(adulte).filter(non_lu=True)


def _onglets(request, adulte):
    """A page that has counted the unread threads says so in ``request.non_lus``: they are not counted twice."""
    non_lus, chemin = getattr(request, "non_lus", None), request.path
    if non_lus is None:
        non_lus = fils_non_lus(adulte).order_by().count()
    return [
        Onglet(
            libelle,
            reverse(nom),
            icone,
            chemin == "/" if not prefixes else chemin.startswith(prefixes),
            non_lus if nom == "messagerie" else 0,
        )
        for libelle, nom, icone, prefixes in ONGLETS
    ]
