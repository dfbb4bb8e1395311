"""Who may do what in the admin: one table, from which the groups and the tests of access derive."""

VOIR, AJOUTER, CHANGER, SUPPRIMER = "view", "add", "change", "delete"
TOUT = (VOIR, AJOUTER, CHANGER, SUPPRIMER)

RESSOURCES = {
    "familles.quotientfamilial": (VOIR,),
    "familles.situationfiscale": (VOIR,),
    "familles.dossiercaf": (VOIR,),
    "familles.coordonneesbancaires": (VOIR,),
}
PRESENCES = {
    "enfants.presence": (VOIR, AJOUTER, CHANGER),
    "enfants.place": (CHANGER,),  # opens a closed sheet again
}
ENFANTS = {
    "enfants.enfant": (VOIR, CHANGER, "voir_partout"),
    "enfants.rattachement": (VOIR, AJOUTER, CHANGER),
    "enfants.suspensionacces": TOUT,  # a wrong one is lifted at once; its history stays
    "enfants.garde": (VOIR, AJOUTER, CHANGER),
    "enfants.exceptiongarde": TOUT,
    "enfants.personneautorisee": TOUT,
    "enfants.informations": (VOIR, AJOUTER, CHANGER),
    "enfants.sante": (VOIR, AJOUTER, CHANGER),
    "enfants.documentenfant": (VOIR, CHANGER),
    "enfants.consultationsante": (VOIR,),
    "enfants.confirmationdossier": (VOIR,),
    "enfants.rentree": (VOIR, AJOUTER, CHANGER),
    "enfants.inscription": (VOIR, CHANGER),  # to change: to book the habitual days, the rows are read only
    "enfants.ecole": TOUT,
    "enfants.classe": TOUT,
    "enfants.affectation": TOUT,
    "enfants.vaccin": (VOIR, AJOUTER, CHANGER),
    "enfants.periodevacances": TOUT,
    "enfants.fermeture": TOUT,
}
# What the commune offers; of it, what families booked or wait for is only read here.
OFFRE = {
    "enfants.site": TOUT,
    "enfants.service": TOUT,  # one that families have used stays, see enfants/admin/offre.py
    "enfants.formule": TOUT,
    "enfants.implantation": TOUT,
    "enfants.trancheage": TOUT,
    "enfants.regledelai": TOUT,
    "enfants.motifabsence": (VOIR, AJOUTER, CHANGER),
    "enfants.reglement": TOUT,
    "enfants.jourferie": TOUT,
    "enfants.reservation": (VOIR,),
    "enfants.attente": (VOIR,),
}
PUBLICATIONS = {
    "portail.actualite": TOUT,
    "portail.document": TOUT,
}
# Of the threads, those of the agent's services alone, see FilQuerySet.ouverts_a.
MESSAGES = {
    "messagerie.fil": (VOIR, "repondre"),
    "messagerie.message": (VOIR,),
    "messagerie.reponsetype": TOUT,
    "messagerie.diffusion": (VOIR, AJOUTER),
}
# Billing a month: its drafts, what should be looked at, issuing.
MOIS = {"facturation.campagne": (VOIR,)}
# How the commune collects and what it votes; what issued invoices have used stays, see facturation/admin/tarifs.py.
TARIFS = {
    "facturation.regie": TOUT,
    "facturation.produit": TOUT,
    "facturation.grille": TOUT,
    "facturation.tarif": TOUT,
    "facturation.majorationgrille": TOUT,
    "facturation.aidefamille": TOUT,
}
TARIFS_A_LIRE = {
    "facturation.grille": (VOIR,),
    "facturation.tarif": (VOIR,),
    "facturation.majorationgrille": (VOIR,),
}
# Certificates to check; the trésorerie has none, nor invoices: they name children.
PAPIERS_FACTURES = {"facturation.attestationfiscale": (VOIR,)}
DOSSIER = {
    "familles.famille": (VOIR, AJOUTER, CHANGER),
    "familles.responsable": (VOIR, CHANGER),
    "familles.utilisateur": (VOIR, CHANGER),
    **RESSOURCES,
    **ENFANTS,
    **PRESENCES,
    **OFFRE,
}

# What the régisseur sees of the payments on line.
EN_LIGNE = {"facturation.tentativepaiement": (VOIR, "rapprocher")}
# The accounts of the families: money moves by the pages of portail/pages/encaissement.
COMPTES = {
    "facturation.facture": (VOIR, CHANGER, "emettre"),  # to change: an avoir, lines of a draft
    "facturation.reglement": (VOIR, AJOUTER, "annuler"),
    "facturation.remise": (VOIR, AJOUTER),
    "facturation.ecriture": (VOIR, AJOUTER),  # to add: give back what a family has to its credit
    "facturation.imputation": (VOIR, AJOUTER),
    "facturation.role": (VOIR, AJOUTER),
    "facturation.article": (VOIR, CHANGER),
    "facturation.suivifacture": (VOIR,),
    "facturation.suivireglement": (VOIR,),
    "facturation.mandat": (VOIR, AJOUTER, CHANGER),
    "facturation.lotprelevement": (VOIR, AJOUTER, CHANGER),
    "facturation.prelevement": (VOIR, CHANGER),
}
COMPTES_EN_LECTURE = {"facturation.ecriture": (VOIR,), "facturation.facture": (VOIR,), "facturation.reglement": (VOIR,)}

# Group -> model -> actions. A word that is no stock action is a permission of the model itself.
ROLES: dict[str, dict[str, tuple[str, ...]]] = {
    "Agent instructeur": {
        **DOSSIER,
        **PUBLICATIONS,
        "demandes.demande": (VOIR, "traiter"),
        "demandes.motifrefus": TOUT,
        **MESSAGES,
        "messagerie.courriel": (VOIR,),
        "messagerie.servicemairie": (VOIR,),
        **TARIFS_A_LIRE,
        **COMPTES_EN_LECTURE,
    },
    "Comptabilité": {
        "familles.famille": (VOIR,),
        "familles.responsable": (VOIR,),
        **RESSOURCES,
        **TARIFS,
        "demandes.demande": (VOIR, "traiter"),
        "demandes.motifrefus": (VOIR,),
        **MESSAGES,
        "messagerie.reponsetype": (VOIR,),
        **PAPIERS_FACTURES,
        "enfants.presence": (VOIR, "voir_partout"),
        "enfants.service": (VOIR,),
        "enfants.formule": (VOIR,),
        "enfants.regledelai": (VOIR,),
        "enfants.reservation": (VOIR,),
        **MOIS,
        **EN_LIGNE,
        **COMPTES,
    },
    # Only of the children of the schools where they work, see EnfantQuerySet.accessibles_a.
    "Animateur": {
        "enfants.enfant": (VOIR,),
        "enfants.personneautorisee": (VOIR,),
        "enfants.informations": (VOIR,),
        "enfants.sante": (VOIR,),
        "enfants.documentenfant": (VOIR,),
        "enfants.presence": (VOIR, AJOUTER, CHANGER),
    },
    # Debtors, amounts, dates, states: nothing about children.
    "Trésorerie": {
        "familles.famille": (VOIR,),
        "facturation.suivifacture": (VOIR,),
        "facturation.suivireglement": (VOIR,),
        "facturation.role": (VOIR,),
        "facturation.article": (VOIR,),
    },
    "Administrateur": {
        **DOSSIER,
        **PUBLICATIONS,
        **TARIFS,
        "familles.utilisateur": (VOIR, AJOUTER, CHANGER),
        "demandes.demande": (VOIR, "traiter"),
        "demandes.motifrefus": TOUT,
        **MESSAGES,
        "messagerie.courriel": (VOIR,),
        "messagerie.servicemairie": TOUT,
        **PAPIERS_FACTURES,
        "portail.commune": (VOIR, CHANGER),
        **MOIS,
        **EN_LIGNE,
        "auth.group": (VOIR,),
        **COMPTES,
    },
}


def permissions(role: str) -> set[str]:
    """Full names of a role's permissions: ``demandes.traiter_demande``."""
    return {
        f"{modele.partition('.')[0]}.{action}_{modele.partition('.')[2]}"
        for modele, actions in ROLES[role].items()
        for action in actions
    }


def creer_les_groupes(sender, using, **kwargs):
    """After each migrate: the groups exist with the permissions of the table; what an admin added stays."""
    from django.contrib.auth.models import Group, Permission

    existantes = {
        f"{p.content_type.app_label}.{p.codename}": p
        for p in Permission.objects.using(using).select_related("content_type").order_by("pk")
    }
    for role in ROLES:
        groupe, _ = Group.objects.using(using).get_or_create(name=role)
        groupe.permissions.add(*(existantes[nom] for nom in sorted(permissions(role))))
