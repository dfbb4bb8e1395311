"""What the worker does of billing; each task only wakes a sweep of rows."""

from django_tasks import task


@task()
def balayer_campagnes():
    from facturation.campagnes import poursuivre

    poursuivre()
