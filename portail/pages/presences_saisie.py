"""What an agent has ticked and typed on the sheet of a day, whatever the browser sent."""

from dataclasses import dataclass, field

from django import forms
from django.http import Http404, QueryDict

from enfants.feuilles import Feuille
from enfants.models import Presence
from enfants.presences import Pointage

ENFANTS_MAX = 600  # rows of a sheet: a larger one is no browser's
HEURES = ["%H:%M", "%H:%M:%S", "%Hh%M", "%H h %M"]
PRESENT, ABSENT = Presence.Etat.PRESENT, Presence.Etat.ABSENT
CLES = [("etat", "état"), ("arrivee", "arrivée"), ("depart", "départ")]


class MotifForm(forms.Form):
    motif = forms.CharField(
        label="Raison du changement",
        max_length=Presence._meta.get_field("correction").max_length,
        required=False,
        error_messages={"max_length": "Écrivez 200 caractères au plus."},
    )


@dataclass
class Saisie:
    """The choices of each child as they came, and what is wrong with them.

    :param choix: key of the child -> what was ticked, the hours as they were typed.
    """

    choix: dict[int, dict[str, str]] = field(default_factory=dict)
    erreurs: dict[int, str] = field(default_factory=dict)
    pointages: list[Pointage] = field(default_factory=list)

    @property
    def est_valide(self) -> bool:
        return not self.erreurs


def cles_des_enfants(envoi: QueryDict) -> list[int]:
    """Keys of the rows that were shown.

    :raises Http404: what no sheet holds.
    """
    cles = envoi.getlist("enfant")
    if len(cles) > ENFANTS_MAX or not all(cle.isdecimal() and len(cle) < 19 for cle in cles):
        raise Http404("Feuille illisible")
    return list(dict.fromkeys(int(cle) for cle in cles))


def lire(envoi: QueryDict, feuille: Feuille, cles: list[int], *, les_autres: str = "") -> Saisie:
    """Read the rows ``cles``, all of them on ``feuille``.

    :param les_autres: state given to the children expected, not marked and left without a choice.
    """
    saisie, attendus = Saisie(), {ligne.enfant.pk for ligne in feuille.a_pointer()}
    for cle in cles:
        choix = {nom: envoi.get(f"{nom}-{cle}", "").replace("\x00", "").strip() for nom, _ in CLES}
        if not choix["etat"] and les_autres and cle in attendus:
            choix["etat"] = les_autres
        saisie.choix[cle] = choix
        try:
            pointage = _pointage(cle, choix)
        except forms.ValidationError as erreur:
            saisie.erreurs[cle] = erreur.message
        else:
            saisie.pointages += [pointage] if pointage else []
    return saisie


def _pointage(cle, choix):
    etat, arrivee, depart = choix["etat"], _heure(choix["arrivee"]), _heure(choix["depart"])
    if etat not in ("", PRESENT, ABSENT):
        raise forms.ValidationError("Choisissez présent ou absent.")
    if (arrivee or depart) and etat != PRESENT:
        raise forms.ValidationError("Une heure est écrite\u00a0: cochez «\u00a0Présent\u00a0» ou effacez-la.")
    if arrivee and depart and depart <= arrivee:
        raise forms.ValidationError("Le départ vient avant l'arrivée.")
    return Pointage(cle, etat, arrivee, depart) if etat else None


def _heure(texte):
    champ = forms.TimeField(
        required=False, input_formats=HEURES, error_messages={"invalid": "Écrivez l'heure comme 16:30."}
    )
    return champ.clean(texte)
