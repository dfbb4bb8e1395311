"""What changed in a child's file, when and by whom; what tells its health apart from the rest."""

from django.db.models import Q

from enfants.models import (
    Allergene,
    DocumentEnfant,
    Enfant,
    ExceptionGarde,
    Garde,
    Informations,
    PersonneAutorisee,
    Rattachement,
    Sante,
    SuspensionAcces,
    Vaccin,
)
from familles.historique import noms_des_comptes
from familles.models import Utilisateur
from portail.outils import historique
from portail.outils.historique import Changement, Suivi

APPAREILS = frozenset({"appareil_dentaire", "lunettes", "appareil_auditif", "autre_appareil"})


def changements(enfant: Enfant, agent: Utilisateur) -> list[Changement]:
    """Every change of the file that this agent may read, the newest first; not those of health."""
    sien, papier_de_sante = Q(enfant=enfant), Q(nature__in=DocumentEnfant.DE_SANTE)
    suivis = [
        Suivi(Enfant, Q(id=enfant.pk)),
        Suivi(Informations, sien, sans=APPAREILS),
        Suivi(PersonneAutorisee, sien),
        Suivi(Rattachement, sien),
        Suivi(Garde, sien),
        Suivi(ExceptionGarde, Q(garde__enfant=enfant), resume=_exception),
        Suivi(SuspensionAcces, sien),
        Suivi(DocumentEnfant, sien & ~papier_de_sante, resume=_papier),
    ]
    lisibles = [suivi for suivi in suivis if agent.has_perm(f"enfants.view_{suivi.modele._meta.model_name}")]
    return historique.changements(lisibles, noms_des_comptes)


def de_sante(enfant: Enfant) -> list[Changement]:
    """The changes that tell its health, the newest first: who reads them is noted."""
    sien, vaccins = Q(enfant=enfant), dict(Vaccin.objects.values_list("code", "nom"))

    def dates(faites):
        return ", ".join(f"{vaccins.get(code, code)} {jour}" for code, jour in faites.items() if jour)

    def allergenes(codes):
        return ", ".join(dict(Allergene.choices).get(code, code) for code in codes.split(","))

    suivis = [
        Suivi(Sante, sien, textes={"vaccinations": dates, "allergenes": allergenes}),
        Suivi(Informations, sien, seuls=APPAREILS),
        Suivi(DocumentEnfant, sien & Q(nature__in=DocumentEnfant.DE_SANTE), resume=_papier),
    ]
    return historique.changements(suivis, noms_des_comptes)


def _papier(document):
    return f"{document.nom} ({document.get_nature_display()})"


def _exception(exception):
    return f"du {exception.valable_du:%d/%m/%Y} au {exception.valable_au:%d/%m/%Y}"
