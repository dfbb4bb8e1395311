"""The presences of a day in the admin: choose a service and a site, then mark the whole list in one submit."""

from datetime import date

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from demandes.models import JourDemande
from enfants import feuilles, presences
from enfants import offre as offres
from enfants.models import Enfant, Place
from enfants.regles.planning import ferme_ce_jour
from portail.outils.dates import jour as jour_en_clair
from portail.outils.dates import quand
from portail.pages import presences_saisie as saisies
from portail.pages.rentree_presentation import accorder

TROUVES_MAX = 20
LIGNES_PAPIER = 5  # empty rows of the printed sheet, for who comes without a booking
LES_AUTRES = {"presents": saisies.PRESENT, "absents": saisies.ABSENT}
PANIER = "Panier fourni par la famille"  # the sheet lies about: it tells no health


def choisir(request):
    """The services of a day, today by default, with how many children are expected and marked."""
    _verifier(request.user)
    jour, erreur = timezone.localdate(), ""
    if "jour" in request.GET:
        voulu = _lire_jour(request.GET["jour"])
        if voulu is None:
            erreur = "Écrivez une date sous la forme 26/11/2026."
        elif voulu > jour:
            erreur = str(presences.JourAVenir(voulu))
        else:
            jour = voulu
    return _choix(request, jour, erreur)


def feuille(request, service, site, jour):
    """The sheet of a service, a site and a day. Each button is an ``action``; all of them send the whole list."""
    _verifier(request.user)
    jour = _lire_jour(jour)
    if jour is None:
        raise Http404("Jour inconnu")
    lieux = feuilles.implantations(request.user).prefetch_related("ecoles")
    lieu = get_object_or_404(lieux, service__code=service, site=site)
    if jour > timezone.localdate():
        return _choix(request, timezone.localdate(), str(presences.JourAVenir(jour)))
    if request.method != "POST":
        return _rendre(request, feuilles.lire(request.user, lieu, jour, annonces=_annonces))
    if request.POST.get("action") == "rouvrir":
        return _rouvrir(request, lieu, jour)
    return _enregistrer(request, lieu, jour)


def _verifier(agent):
    if not agent.has_perms(["enfants.add_presence", "enfants.change_presence"]):
        raise PermissionDenied


def _lire_jour(texte):
    try:
        jour = date.fromisoformat(texte)
    except ValueError:
        return None
    return jour if len(texte) == 10 and jour.year >= 2000 else None


def _annonces(enfants, service, jour):
    """Children whose absence waits for an agent: the family has told it, its proof is not there yet."""
    jours = JourDemande.objects.filter(
        etat=JourDemande.Etat.EN_ATTENTE,
        geste=JourDemande.Geste.ABSENCE,
        enfant__in=enfants,
        service=service,
        jour=jour,
    )
    return list(jours.order_by().values_list("enfant", flat=True))


def _adresse(lieu, jour):
    return reverse("admin:feuille_presences", args=[lieu.service.code, lieu.site_id, jour.isoformat()])


# --- What is sent ----------------------------------------------------------------------------------------


def _enregistrer(request, lieu, jour):
    action, agent = request.POST.get("action", ""), request.user
    cles = saisies.cles_des_enfants(request.POST)
    fiche = _completer(agent, lieu, jour, cles)
    saisie = saisies.lire(request.POST, fiche, cles, les_autres=LES_AUTRES.get(action, ""))
    motif = saisies.MotifForm(request.POST)
    if action == "chercher":
        return _chercher(request, fiche, saisie, motif)
    if not saisie.est_valide or not motif.is_valid():
        messages.error(request, "Rien n'est enregistré\u00a0: corrigez ce qui est signalé.")
        return _rendre(request, fiche, saisie, motif=motif, status=422)
    place = Place(service=lieu.service, site=lieu.site, jour=jour)
    try:
        bilan = presences.pointer(
            place,
            saisie.pointages,
            par=agent,
            motif=motif.cleaned_data["motif"],
            lue=request.POST.get("version", ""),
            lien=lambda enfant: reverse("planning_mois", args=[enfant.uuid, f"{jour:%Y-%m}"]),
        )
    except presences.FeuilleChangee as erreur:
        messages.error(request, str(erreur))
        return _rendre(request, _completer(agent, lieu, jour, cles), saisie, conflits=erreur.enfants, status=409)
    except (presences.PointeAilleurs, presences.MotifManquant) as erreur:
        if isinstance(erreur, presences.MotifManquant):
            motif.add_error("motif", "Écrivez la raison du changement.")
        messages.error(request, str(erreur))
        return _rendre(request, _completer(agent, lieu, jour, cles), saisie, motif=motif, status=422)
    _dire(request, bilan)
    if action == "clore":
        _clore(request, place, fiche)
    return redirect(_adresse(lieu, jour))


def _completer(agent, lieu, jour, cles):
    """The sheet with the children that were added to it; a child that the agent may not add is unknown here."""
    fiche = feuilles.lire(agent, lieu, jour, annonces=_annonces)
    connus = {ligne.enfant.pk for ligne in fiche.lignes}
    if not (en_plus := set(cles) - connus):
        return fiche
    ajoutes = list(feuilles.enfants_servis(agent, lieu, jour).filter(pk__in=en_plus))
    if len(ajoutes) < len(en_plus):
        raise Http404("Enfant inconnu")
    fiche.ajouter(ajoutes)
    return fiche


def _chercher(request, fiche, saisie, motif):
    """Children found by name join the list, to be marked with the others; nothing is written."""
    texte, status = request.POST.get("cherche", "").strip()[:80], 200
    trouves = []
    if texte:
        trouves = feuilles.chercher(request.user, fiche.implantation, fiche.jour, texte, au_plus=TROUVES_MAX + 1)
    if not trouves:
        status = 422
        messages.error(
            request,
            f"Aucun enfant des écoles de ce site ne s'appelle «\u00a0{texte}\u00a0»."
            if texte
            else "Écrivez le nom ou le prénom de l'enfant à ajouter.",
        )
    elif len(trouves) > TROUVES_MAX:
        status = 422
        messages.error(request, f"Plus de {TROUVES_MAX} enfants portent ce nom\u00a0: écrivez aussi le prénom.")
    else:
        fiche.ajouter(trouves)
        phrase = accorder(len(trouves), "enfant est", "enfants sont")
        messages.info(request, f"{phrase} sur la liste\u00a0: cochez les présents, puis enregistrez.")
    contexte = {"cherche": texte, "trouves": {enfant.pk for enfant in trouves}}
    return _rendre(request, fiche, saisie, motif=motif, status=status, **contexte)


def _dire(request, bilan):
    if not bilan.notes:
        messages.info(request, "Rien n'a changé.")
        return
    messages.success(request, f"{accorder(len(bilan.notes), 'présence enregistrée', 'présences enregistrées')}.")
    if bilan.prevenus:
        noms = ", ".join(str(enfant) for enfant in bilan.prevenus)
        messages.info(request, f"Présents sans réservation, leur famille reçoit un message\u00a0: {noms}.")


def _clore(request, place, fiche):
    annoncees = [ligne.enfant.pk for ligne in fiche.lignes if ligne.absence]
    if fiche.ailleurs:
        attendus = Enfant.objects.filter(reservations__place=fiche.place)
        annoncees += _annonces(attendus, place.service_id, place.jour)
    try:
        presences.clore(place, par=request.user, annoncees=annoncees)
    except (presences.FeuilleIncomplete, presences.FeuilleDejaClose) as erreur:
        messages.warning(request, str(erreur))
    else:
        messages.success(request, "La feuille est close.")


def _rouvrir(request, lieu, jour):
    if not request.user.has_perm("enfants.change_place"):
        raise PermissionDenied
    try:
        presences.rouvrir(Place(service=lieu.service, site=lieu.site, jour=jour))
    except presences.FeuilleOuverte as erreur:
        messages.warning(request, str(erreur))
    else:
        messages.success(request, "La feuille est ouverte de nouveau.")
    return redirect(_adresse(lieu, jour))


# --- Pages -----------------------------------------------------------------------------------------------


def _choix(request, jour, erreur):
    agent = request.user
    totaux, par_cle = feuilles.comptes(agent, jour), {offre.cle: offre for offre in offres.actuelle()}
    calendrier = offres.calendrier(jour, jour)
    closes = {
        (place.service_id, place.site_id): f"Close par {place.close_par} {quand(place.close_le)}"
        for place in Place.objects.filter(jour=jour, close_le__isnull=False).select_related("close_par").order_by("pk")
    }
    lieux = []
    for lieu in feuilles.implantations(agent):
        cle = (lieu.service_id, lieu.site_id)
        if cle not in totaux and cle[0] not in par_cle:
            continue  # no longer offered, and nobody came
        reserves, absents, vus = totaux.get(cle, (0, 0, 0))
        ferme = ferme_ce_jour(par_cle[cle[0]], jour, calendrier) if cle[0] in par_cle else "n'est plus proposé"
        nombres = [accorder(reserves, "réservé", "réservés")] if reserves or vus else []
        nombres += [accorder(absents, "absence annoncée", "absences annoncées")] if absents else []
        nombres += [accorder(vus, "pointé", "pointés")] if reserves or vus else []
        etat = closes.get(cle) or (f"Fermé\u00a0: {ferme}" if ferme else "")
        lieux.append((lieu, _adresse(lieu, jour), ", ".join(nombres) or "Aucune réservation", etat))
    contexte = {
        **admin.site.each_context(request),
        "title": "Présences du jour",
        "jour": jour.isoformat(),
        "aujourdhui": timezone.localdate().isoformat(),
        "quel_jour": jour_en_clair(jour),
        "lieux": lieux,
        "erreur": erreur,
    }
    return render(request, "admin/presences.html", contexte, status=422 if erreur else 200)


def _rendre(request, fiche, saisie=None, *, motif=None, conflits=(), cherche="", trouves=(), status=200):
    saisie = saisie or saisies.Saisie()
    phrases = feuilles.constats([ligne.presence for ligne in fiche.lignes if ligne.presence], agent=request.user)
    lignes = [_ligne(ligne, saisie, phrases, conflits, trouves) for ligne in fiche.lignes]
    lieu = fiche.implantation
    attendus = sum(ligne.est_attendu for ligne in fiche.lignes)
    presents = sum(bool(li.presence and li.presence.etat == saisies.PRESENT) for li in fiche.lignes)
    contexte = {
        **admin.site.each_context(request),
        "title": f"{lieu.service.nom}, {jour_en_clair(fiche.jour)}",
        "site": lieu.site.nom,
        "totaux": f"{accorder(attendus, 'enfant attendu', 'enfants attendus')}, "
        f"{accorder(presents, 'présent pointé', 'présents pointés')}",
        "ailleurs": fiche.ailleurs,
        "lignes": lignes,
        "reste": len(fiche.a_pointer()),
        "version": fiche.version,
        "derniere": _derniere(fiche),
        "close": f"Feuille close par {fiche.place.close_par} {quand(fiche.place.close_le)}." if fiche.est_close else "",
        "peut_rouvrir": request.user.has_perm("enfants.change_place"),
        "motif": motif or saisies.MotifForm(),
        "cherche": cherche,
        "autres_services": f"{reverse('admin:presences')}?jour={fiche.jour.isoformat()}",
        "lignes_papier": range(LIGNES_PAPIER),
    }
    return render(request, "admin/presences_feuille.html", contexte, status=status)


def _derniere(fiche):
    if not (derniere := fiche.derniere):
        return ""
    return f"Dernier enregistrement\u00a0: {derniere.pointee_par}, {quand(derniere.pointee_le)}."


def _ligne(ligne, saisie, phrases, conflits, trouves):
    """A row of the page: what was typed wins over what is on file."""
    enfant, presence, cle = ligne.enfant, ligne.presence, ligne.enfant.pk
    choix = saisie.choix.get(cle, {})
    if presence and not choix.get("etat"):
        choix = {"etat": presence.etat, "arrivee": _hm(presence.arrivee), "depart": _hm(presence.depart)}
    formule = ligne.reservation.formule if ligne.reservation else None
    panier = enfant.regime == Enfant.Regime.PANIER_PAI
    if ligne.absence:
        # The sheet goes round on paper and on phones: never why, it may be an illness.
        note = (
            f"Absence annoncée, {feuilles.A_CONFIRMER}."
            if ligne.absence == feuilles.A_CONFIRMER
            else "Absence annoncée."
        )
    else:
        note = "" if ligne.reservation else "Sans réservation."
    return {
        "cle": str(cle),  # as text: the templates put spaces in numbers
        "nom": f"{enfant.nom} {enfant.prenom}",
        "classe": enfant.classe_texte,
        "menu": PANIER if panier else enfant.get_regime_display(),
        "ordinaire": enfant.regime == Enfant.Regime.STANDARD,
        "formule": str(formule or ""),
        "note": phrases[presence.pk].phrase if presence else note,
        "a_venir": presence is None and not ligne.absence,
        "etat": choix.get("etat", ""),
        "arrivee": choix.get("arrivee", ""),
        "depart": choix.get("depart", ""),
        "erreur": saisie.erreurs.get(cle, ""),
        "conflit": cle in conflits,
        "ajoute": cle in trouves,
    }


def _hm(heure):
    return f"{heure:%H:%M}" if heure else ""
