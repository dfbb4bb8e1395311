"""Accounts: one per adult, for parents and for agents of the mairie."""

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.core.validators import RegexValidator
from django.db import models
from django.utils import timezone

from portail.outils.chiffrement import TexteChiffre
from portail.outils.suivi import suivre


class UtilisateurManager(BaseUserManager):
    def create_user(self, identifiant, password=None, **champs):
        utilisateur = self.model(identifiant=identifiant.lower(), **champs)
        utilisateur.set_password(password)
        utilisateur.save(using=self._db)
        return utilisateur

    def create_superuser(self, identifiant, password=None, **champs):
        return self.create_user(identifiant, password, is_staff=True, is_superuser=True, **champs)

    def get_by_natural_key(self, identifiant):
        return self.get(identifiant=identifiant.lower())


@suivre(exclude=["password", "last_login"])
class Utilisateur(AbstractBaseUser, PermissionsMixin):
    identifiant = models.CharField(
        "identifiant",
        max_length=40,
        unique=True,
        validators=[RegexValidator(r"^[a-z0-9][a-z0-9.-]*$", "Minuscules, chiffres, points et tirets seulement.")],
        error_messages={"unique": "Cet identifiant est déjà pris."},
    )
    prenom = models.CharField("prénom", max_length=80)
    nom = models.CharField("nom", max_length=80)
    courriel = models.EmailField("adresse e-mail", blank=True)
    courriel_en_attente = models.EmailField(
        "nouvelle adresse à confirmer",
        blank=True,
        editable=False,
        help_text="Compte dès que son destinataire a suivi le lien reçu.",
    )
    is_active = models.BooleanField("actif", default=True)
    is_staff = models.BooleanField("agent", default=False, help_text="Ouvre l'administration.")
    mot_de_passe_provisoire = models.BooleanField(
        "mot de passe provisoire", default=False, help_text="À remplacer à la prochaine connexion."
    )
    mot_de_passe_expire_le = models.DateTimeField("mot de passe valable jusqu'au", null=True, blank=True)
    cree_le = models.DateTimeField("créé le", default=timezone.now, editable=False)

    objects = UtilisateurManager()

    USERNAME_FIELD = "identifiant"
    EMAIL_FIELD = "courriel"
    REQUIRED_FIELDS = ["prenom", "nom"]

    class Meta:
        verbose_name = "compte"
        verbose_name_plural = "comptes"
        ordering = ["nom", "prenom", "pk"]

    def __str__(self):
        return self.nom_complet

    @property
    def nom_complet(self):
        return f"{self.prenom} {self.nom}"

    def get_full_name(self):
        return self.nom_complet

    def get_short_name(self):
        return self.prenom

    @property
    def adulte(self):
        """The adult of a family this account belongs to, None for an agent."""
        return getattr(self, "responsable", None)

    @property
    def a_choisi_son_mot_de_passe(self):
        return self.has_usable_password() and not self.mot_de_passe_provisoire


class OubliMotDePasse(models.Model):
    """Somebody typed an identifiant or an address on « oublié »: the worker answers by mail, or not at all.

    The page writes this row whatever was typed, so that known and unknown accounts take the same time.
    """

    saisie = TexteChiffre("identifiant ou adresse saisis")
    demande_le = models.DateTimeField(auto_now_add=True)
    traite_le = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "oubli de mot de passe"
        verbose_name_plural = "oublis de mot de passe"

    def __str__(self):
        return f"Oubli du {self.demande_le:%d/%m/%Y}"
