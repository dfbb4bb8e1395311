"""Wakes the worker; the sweeps themselves can be run by anybody at any time."""

from django_tasks import task

from familles.acces import traiter_oublis


@task()
def balayer_oublis():
    traiter_oublis()


def reveiller() -> None:
    """Have the forgotten passwords answered within seconds; the clock would do it within a minute."""
    balayer_oublis.enqueue()
