"""The pages where agents move money: payments, cheques, accounts, rôles, direct debits."""

from django.urls import path


def adresses(garder):
    """The addresses, behind the admin's door.

    :param garder: ``AdminSite.admin_view``.
    """
    from portail.pages.encaissement import cheques, compte, factures, prelevements, reglement, roles

    pages = [
        ("comptes/", compte.chercher, "comptes"),
        ("comptes/<int:pk>/", compte.compte, "compte"),
        ("comptes/<int:pk>/rembourser/", compte.rembourser, "rembourser"),
        ("reglements/nouveau/", reglement.nouveau, "nouveau_reglement"),
        ("reglements/<int:pk>/imputer/", reglement.imputer, "imputer_reglement"),
        ("reglements/<int:pk>/annuler/", reglement.annuler, "annuler_reglement"),
        ("cheques/", cheques.saisir, "cheques"),
        ("bordereaux/nouveau/", cheques.remettre, "nouveau_bordereau"),
        ("bordereaux/<int:pk>/", cheques.bordereau, "bordereau"),
        ("factures/<int:pk>/avoir/", factures.avoir, "avoir"),
        ("factures/<int:pk>/lignes/", factures.lignes, "lignes_facture"),
        ("roles/nouveau/", roles.nouveau, "nouveau_role"),
        ("roles/<int:pk>/", roles.titres, "titres"),
        ("mandats/nouveau/", prelevements.nouveau_mandat, "nouveau_mandat"),
        ("mandats/<int:pk>/revoquer/", prelevements.revoquer, "revoquer_mandat"),
        ("prelevements/nouveau/", prelevements.preparer, "nouveau_lot"),
        ("prelevements/<int:pk>/", prelevements.lot, "lot"),
        ("prelevements/<int:pk>/fichier.xml", prelevements.fichier, "fichier_sepa"),
    ]
    return [path(route, garder(vue), name=nom) for route, vue, nom in pages]
