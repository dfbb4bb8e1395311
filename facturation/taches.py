"""What the worker does of billing; each task only wakes a sweep of rows, which ``manage.py horloge`` runs too."""

from django_tasks import task


@task()
def balayer_campagnes():
    from facturation.campagnes import poursuivre

    poursuivre()


@task()
def balayer_factures():
    from facturation.avis import envoyer_avis

    envoyer_avis()


@task()
def balayer_documents():
    from facturation.documents import balayer_pdf

    while balayer_pdf():
        pass
