"""Which mails an adult receives: its page, and the address by which a mail program stops them."""

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.csrf import csrf_exempt

from familles.models import Responsable
from familles.pages import page_famille
from messagerie.courriels import adulte_du_lien, choisir
from messagerie.models import Preference


class PreferenceForm(forms.Form):
    rythme = forms.ChoiceField(label="Courriels reçus", choices=Preference.Rythme, widget=forms.RadioSelect)


@page_famille
def mes_courriels(request):
    preference = Preference.objects.filter(adulte=request.adulte).first()
    rythme = preference.rythme if preference else Preference.Rythme.IMMEDIAT
    post = request.method == "POST"
    form = PreferenceForm(request.POST if post else None, initial={"rythme": rythme})
    if post and form.is_valid():
        choisir(request.adulte, form.cleaned_data["rythme"])
        messages.success(request, "Votre choix est enregistré.")
        return redirect("mes_courriels")
    return render(request, "messagerie/mes_courriels.html", {"form": form}, status=422 if post else 200)


@login_not_required
@csrf_exempt  # RFC 8058: a mail program posts here by itself
def desabonnement(request, jeton):
    """Stop the mails of an adult's messages; opening the page alone changes nothing: mail programs open links."""
    cle = adulte_du_lien(jeton)
    if cle is None:
        raise Http404("Lien inconnu")
    adulte = get_object_or_404(Responsable, pk=cle)
    if request.method == "POST":
        choisir(adulte, Preference.Rythme.AUCUN)
    return render(request, "messagerie/desabonnement.html", {"fait": request.method == "POST"})
