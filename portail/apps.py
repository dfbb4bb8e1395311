"""The project as an app: its own models, the admin site, the groups."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin
from django.db.models.signals import post_migrate


class PortailConfig(AppConfig):
    default = True
    name = "portail"
    verbose_name = "Portail"

    def ready(self):
        from portail.roles import creer_les_groupes

        post_migrate.connect(creer_les_groupes, sender=self)


class AdminConfig(admin.AdminConfig):
    default = False
    default_site = "portail.site.SitePortail"
