"""Ways in: first passwords and their letters, forgotten passwords, changed passwords."""

from datetime import timedelta

from axes.utils import reset as lever_le_verrou
from django.contrib.auth.tokens import default_token_generator
from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from familles.actions import ecrire
from familles.models import OubliMotDePasse, Utilisateur
from familles.mots_de_passe import tirer_provisoire
from portail.outils.courriels import envoyer_modele
from portail.outils.liens import absolu

VALIDITE_PROVISOIRE = timedelta(days=60)
LIENS_PAR_HEURE = 5


def donner_mot_de_passe_provisoire(utilisateur: Utilisateur) -> str:
    """Draw a first password for a letter; any earlier one, and open sessions, stop working.

    It is only good for choosing one's own, within 60 days. Only its hash is kept: print the letter now.
    """
    clair = tirer_provisoire()
    utilisateur.set_password(clair)
    utilisateur.mot_de_passe_provisoire = True
    utilisateur.mot_de_passe_expire_le = timezone.now() + VALIDITE_PROVISOIRE
    utilisateur.save(update_fields=["password", "mot_de_passe_provisoire", "mot_de_passe_expire_le"])
    return clair


@transaction.atomic
def choisir_mot_de_passe(utilisateur: Utilisateur, clair: str) -> None:
    """The adult has chosen a password: it counts at once, the lock after ten failures is lifted."""
    utilisateur.set_password(clair)
    utilisateur.mot_de_passe_provisoire = False
    utilisateur.mot_de_passe_expire_le = None
    utilisateur.save(update_fields=["password", "mot_de_passe_provisoire", "mot_de_passe_expire_le"])
    lever_le_verrou(username=utilisateur.identifiant)


def lien_mot_de_passe(utilisateur: Utilisateur) -> str:
    """Absolute address where the password is chosen anew: once, within 24 hours."""
    uid = urlsafe_base64_encode(force_bytes(utilisateur.pk))
    jeton = default_token_generator.make_token(utilisateur)
    return absolu(reverse("mot_de_passe_reinitialiser", args=[uid, jeton]))


@transaction.atomic
def inviter(utilisateur: Utilisateur) -> None:
    """Mail the identifiant and a link to choose a first password (a password itself is never mailed)."""
    envoyer_modele("invitation", utilisateur.courriel, utilisateur=utilisateur, lien=lien_mot_de_passe(utilisateur))


def signaler_oubli(saisie: str) -> None:
    """Note what was typed on « oublié »; the worker answers. Same work whether the account exists or not."""
    OubliMotDePasse.objects.create(saisie=saisie)


def traiter_oublis() -> int:
    """Answer the forgotten passwords and identifiants by one mail for each address; returns how many were read."""
    traites = 0
    while True:
        with transaction.atomic():
            oubli = (
                OubliMotDePasse.objects.select_for_update(skip_locked=True)
                .filter(traite_le=None)
                .order_by("pk")
                .first()
            )
            if oubli is None:
                return traites
            _repondre(oubli)
            ecrire(oubli, {"traite_le": timezone.now()})
            traites += 1


def _repondre(oubli):
    saisie = oubli.saisie.strip().lower()
    comptes = Utilisateur.objects.filter(Q(identifiant=saisie) | Q(courriel__iexact=saisie), is_active=True)
    comptes = list(comptes.exclude(courriel="").order_by("pk"))
    if not comptes or _trop_de_liens(oubli, comptes):
        return
    par_adresse = {}
    for compte in comptes:
        par_adresse.setdefault(compte.courriel.lower(), []).append(compte)
    for adresse, siens in par_adresse.items():
        acces = [(compte.identifiant, lien_mot_de_passe(compte)) for compte in siens]
        envoyer_modele("oubli", adresse, acces=acces)


def _trop_de_liens(oubli, comptes):
    """True when these accounts, by name or address, were asked for too often lately: no flooded box."""
    noms = {compte.identifiant for compte in comptes} | {compte.courriel.lower() for compte in comptes}
    depuis = oubli.demande_le - timedelta(hours=1)
    recents = OubliMotDePasse.objects.filter(traite_le__isnull=False, demande_le__gte=depuis).order_by("pk")
    return sum(o.saisie.strip().lower() in noms for o in recents) >= LIENS_PAR_HEURE
