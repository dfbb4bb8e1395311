"""Who may log in: the lock of ten failures, accounts in force, the hash."""

from axes.backends import AxesStandaloneBackend
from axes.exceptions import AxesBackendPermissionDenied
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.hashers import Argon2PasswordHasher, make_password
from django.utils import timezone

from familles.models import Utilisateur


class Argon2id(Argon2PasswordHasher):
    """OWASP's memory-lean setting: 19 MiB, two passes, one lane (33 logins a second and core)."""

    memory_cost = 19 * 1024  # KiB
    time_cost = 2
    parallelism = 1


class Verrou(AxesStandaloneBackend):
    """Ten failures close an account for 15 minutes; a closed account answers no faster than a wrong password."""

    def authenticate(self, request, username=None, password=None, **autres):
        try:
            return super().authenticate(request, username=username, password=password, **autres)
        except AxesBackendPermissionDenied:
            make_password(password)
            raise


class CompteActif(ModelBackend):
    """Accounts in force; loads the adult and the family with the account, in one query a request."""

    def user_can_authenticate(self, user):
        expire = user.mot_de_passe_provisoire and user.mot_de_passe_expire_le
        return super().user_can_authenticate(user) and not (expire and user.mot_de_passe_expire_le < timezone.now())

    def get_user(self, user_id):
        utilisateur = Utilisateur.objects.select_related("responsable__famille").filter(pk=user_id).first()
        return utilisateur if utilisateur and self.user_can_authenticate(utilisateur) else None
