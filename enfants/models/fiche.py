"""What the mairie must know to look after a child: people, authorisations, insurance. Health is in sante.py."""

import uuid

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from enfants.models.enfant import Enfant
from portail.outils.chiffrement import TexteChiffre
from portail.outils.francais import de
from portail.outils.suivi import suivre


@suivre()
class PersonneAutorisee(models.Model):
    """Somebody a household trusts with the child. The other household keeps a list of its own."""

    class Piece(models.TextChoices):
        CARTE = "CARTE", "Carte d'identité"
        PASSEPORT = "PASSEPORT", "Passeport"
        PERMIS = "PERMIS", "Permis de conduire"
        SEJOUR = "SEJOUR", "Titre de séjour"

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    enfant = models.ForeignKey(Enfant, on_delete=models.CASCADE, related_name="personnes")
    famille = models.ForeignKey(
        "familles.Famille", verbose_name="désignée par", on_delete=models.CASCADE, related_name="personnes"
    )
    ordre = models.PositiveSmallIntegerField(
        "ordre d'appel", default=1, validators=[MinValueValidator(1), MaxValueValidator(99)]
    )
    prenom = models.CharField("prénom", max_length=80)
    nom = models.CharField("nom", max_length=80)
    lien = models.CharField("lien avec l'enfant", max_length=60, help_text="Grand-mère, voisin, nounou…")
    telephone = models.CharField("téléphone", max_length=20)
    peut_chercher = models.BooleanField("peut venir chercher l'enfant", default=True)
    urgence = models.BooleanField("à appeler en cas d'urgence", default=False)
    piece = models.CharField("pièce d'identité présentée", max_length=9, choices=Piece, blank=True)

    class Meta:
        verbose_name = "personne autorisée"
        verbose_name_plural = "personnes autorisées"
        ordering = ["enfant", "ordre", "pk"]

    def __str__(self):
        return f"{self.prenom} {self.nom} ({self.lien})"


@suivre()
class Informations(models.Model):
    """Devices, authorisations and insurance of a child. An authorisation that nobody gave or refused is null."""

    enfant = models.OneToOneField(Enfant, on_delete=models.CASCADE, related_name="informations")
    appareil_dentaire = models.BooleanField("appareil dentaire", default=False)
    lunettes = models.BooleanField("lunettes", default=False)
    appareil_auditif = models.BooleanField("appareil auditif", default=False)
    autre_appareil = TexteChiffre("autre appareil", blank=True)
    photo = models.BooleanField("photos et vidéos", null=True, blank=True)
    sortie_seul = models.BooleanField("rentre seul", null=True, blank=True)
    hospitalisation = models.BooleanField("soins d'urgence et transport à l'hôpital", null=True, blank=True)
    baignade = models.BooleanField("baignade", null=True, blank=True)
    sorties = models.BooleanField("sorties", null=True, blank=True)
    assurance_compagnie = models.CharField("assureur", max_length=100, blank=True)
    assurance_numero = models.CharField("numéro de contrat", max_length=40, blank=True)
    assurance_fin = models.DateField("assurance valable jusqu'au", null=True, blank=True)

    class Meta:
        verbose_name = "informations"
        verbose_name_plural = "informations"

    def __str__(self):
        return f"Informations {de(str(self.enfant))}"
