from django.apps import AppConfig
from django.db.models.signals import post_migrate


def creer_les_vaccins(sender, using, **kwargs):
    """After each migrate: the law's vaccines are there; what an agent changed or added stays."""
    from enfants.models import Vaccin
    from enfants.regles.vaccins import TABLE_2025

    connus = set(Vaccin.objects.using(using).values_list("code", flat=True))
    Vaccin.objects.using(using).bulk_create(
        Vaccin(ordre=rang, **vars(obligation))
        for rang, obligation in enumerate(TABLE_2025, 1)
        if obligation.code not in connus
    )


class EnfantsConfig(AppConfig):
    name = "enfants"
    verbose_name = "Enfants"

    def ready(self):
        from enfants.models import Enfant
        from familles.mots_de_passe import sources_de_noms

        sources_de_noms.append(lambda utilisateur: [e.prenom for e in Enfant.objects.visibles_par(utilisateur)])
        post_migrate.connect(creer_les_vaccins, sender=self)
