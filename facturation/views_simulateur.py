"""The pages of the simulator of PayFiP: they exist in demo mode only, and say on each that nothing is real.

What a page must keep until the next one travels signed: nothing to store, nothing to forge.
"""

from decimal import Decimal, InvalidOperation
from functools import wraps

from django.contrib.auth.decorators import login_not_required
from django.core import signing
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from facturation import paiements, payfip, simulateur
from facturation.models import TentativePaiement
from facturation.regles import simulation
from facturation.regles.payfip import centimes
from portail.outils.argent import euros

SEL = "simulateur-payfip"
DUREE = 3600  # seconds that a page may stay open
RESULTATS = {
    "P": "Payé par carte bancaire",
    "V": "Payé par prélèvement",
    "R": "Carte refusée",
    "Z": "Prélèvement refusé",
    "A": "Paiement abandonné",
}
AVIS = {
    "normal": "tout de suite",
    "double": "deux fois",
    "retard": "plus tard, quand vous le direz",
    "jamais": "jamais",
}


def page_simulee(vue):
    """Open to everybody, as PayFiP is; 404 where payments are real."""

    @wraps(vue)
    def gardee(request, *args, **kwargs):
        if not payfip.est_simule():
            raise Http404("PayFiP n'est pas simulé")
        return vue(request, *args, **kwargs)

    return login_not_required(gardee)


@page_simulee
def sommaire(request):
    return redirect("simulateur_saisie")


# --- The three ways in -----------------------------------------------------------------------------------


@page_simulee
@require_GET
def redirection(request):
    champs = {nom: request.GET.get(nom, "") for nom in (*simulation.ECHOS, "urlcl")}
    if refus := simulation.defauts(champs):
        return _refuser(request, refus)
    return _choisir(request, {"champs": champs, "avis": champs["urlcl"]})


@page_simulee
@require_GET
def service(request):
    operation = simulateur.operation_de(request.GET.get("idop", ""))
    if operation is None or not simulateur.est_a_payer(operation):
        return _refuser(
            request, [("P3", "Cette adresse de paiement n'existe pas, a déjà servi ou a plus de 15 minutes.")]
        )
    champs = operation.champs
    return _choisir(
        request, {"champs": champs, "avis": champs.get("urlnotif", ""), "operation": str(operation.operation)}
    )


@page_simulee
def saisie(request):
    """What a family types with its invoice in hand: client, reference, amount, e-mail."""
    saisis = {nom: request.POST.get(nom, "").strip()[:80] for nom in ("numcli", "refdet", "montant", "mel")}
    refus = []
    if request.method == "POST":
        montant = _montant(saisis["montant"])
        champs = {**saisis, "montant": centimes(montant) if montant is not None else "", "saisie": "M"}
        refus = simulation.defauts(champs)
        if not refus and (facture := simulateur.dette(saisis["numcli"], saisis["refdet"], montant)):
            return _choisir(request, {"champs": champs | {"exer": str(facture.exercice)}, "avis": ""})
        refus = refus or [("R0", "Ce numéro de client, cette référence et ce montant ne vont pas ensemble.")]
    contexte = {"saisis": saisis, "refus": refus}
    return render(request, "facturation/simulateur/saisie.html", contexte, status=422 if refus else 200)


def _montant(texte):
    """Euros, as typed: « 47,60 » or « 47.60 »; None where it is no amount."""
    try:
        montant = Decimal(texte.replace("\u00a0", "").replace("€", "").replace(" ", "").replace(",", "."))
    except InvalidOperation:
        return None
    return montant if montant.is_finite() and 0 < montant < 100_000 else None


def _choisir(request, demande):
    champs = demande["champs"]
    contexte = {
        "client": champs["numcli"],
        "reference": champs["refdet"],
        "objet": champs.get("objet", ""),
        "montant": euros(Decimal(champs["montant"]) / 100),
        "mel": champs["mel"],
        "demande": signing.dumps(demande, salt=SEL, compress=True),
        "avis": AVIS if demande["avis"] else {},
    }
    return render(request, "facturation/simulateur/payer.html", contexte)


def _refuser(request, refus):
    return render(request, "facturation/simulateur/refus.html", {"refus": refus}, status=422)


# --- What the visitor does -------------------------------------------------------------------------------


@page_simulee
@require_POST
def resultat(request):
    """Paid, refused or abandoned; the portal is told as the visitor chose."""
    demande, issue = _lire(request.POST.get("demande")), request.POST.get("issue")
    if demande is None or issue not in RESULTATS:
        return _refuser(request, [("", "Cette page a expiré\u00a0: revenez au portail et recommencez.")])
    champs = simulateur.avis_de(demande["champs"], issue, timezone.now())
    if cle := demande.get("operation"):
        if not simulateur.conclure(simulateur.operation_de(cle), issue):
            return _refuser(request, [("P3", "Ce paiement a déjà été fait.")])
        champs = {"idop": cle}
    choix = request.POST.get("avis", "normal")
    if demande["avis"]:
        for _ in range({"normal": 1, "double": 2}.get(choix, 0)):
            _remettre(demande["avis"], champs)
    return _ticket(request, demande, issue, champs if choix == "retard" and demande["avis"] else None)


@page_simulee
@require_POST
def avis(request):
    """The late notice leaves."""
    attente = _lire(request.POST.get("attente"))
    if attente is None:
        return _refuser(request, [("", "Cette page a expiré\u00a0: revenez au portail et recommencez.")])
    _remettre(attente["demande"]["avis"], attente["champs"])
    return _ticket(request, attente["demande"], attente["issue"], None)


def _remettre(adresse, champs):
    """As a POST of PayFiP would: the function that its address leads to is called, not the network.

    With a single worker the portal would wait for itself.
    """
    if (jeton := simulateur.jeton_de(adresse)) is not None:
        paiements.recevoir_avis(jeton, champs)


def _ticket(request, demande, issue, attente):
    champs, jeton = demande["champs"], simulateur.jeton_de(demande["avis"])
    tentative = TentativePaiement.objects.filter(jeton=jeton).first() if jeton else None
    contexte = {
        "paye": issue in "PV",
        "issue": RESULTATS[issue],
        "client": champs["numcli"],
        "reference": champs["refdet"],
        "montant": euros(Decimal(champs["montant"]) / 100),
        "attente": signing.dumps({"demande": demande, "issue": issue, "champs": attente}, salt=SEL, compress=True)
        if attente
        else "",
        "retour": reverse("retour_payfip", args=[tentative.uuid]) if tentative else reverse("accueil"),
    }
    return render(request, "facturation/simulateur/ticket.html", contexte)


def _lire(signe):
    try:
        return signing.loads(signe or "", salt=SEL, max_age=DUREE)
    except signing.BadSignature:
        return None


@csrf_exempt
@page_simulee
def soap(request):
    reponse = simulateur.repondre(request.body)
    statut = 400 if b"<code>X1</code>" in reponse else 500 if b":Fault>" in reponse else 200
    return HttpResponse(reponse, content_type="text/xml; charset=utf-8", status=statut)
