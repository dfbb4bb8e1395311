from django.apps import AppConfig


class EnfantsConfig(AppConfig):
    name = "enfants"
    verbose_name = "Enfants"

    def ready(self):
        from enfants.models import Enfant
        from familles.mots_de_passe import sources_de_noms

        sources_de_noms.append(lambda utilisateur: [e.prenom for e in Enfant.objects.visibles_par(utilisateur)])
