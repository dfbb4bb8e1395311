"""The door of the parents' pages."""

from functools import wraps

from django.http import Http404


def page_famille(vue):
    """Open the page to an adult of a family only, and hand ``request.famille`` over; 404 for an agent."""

    @wraps(vue)
    def gardee(request, *args, **kwargs):
        adulte = request.user.adulte
        if adulte is None:
            raise Http404("Page réservée aux familles")
        request.adulte, request.famille = adulte, adulte.famille
        return vue(request, *args, **kwargs)

    return gardee
