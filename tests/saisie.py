"""The forms of the demandes as a browser sends them."""

from django.forms import Select

from demandes.forms.base import DatesField, LignesField


def saisie(form) -> dict:
    """What a browser sends of this form as its page shows it, papers aside."""
    envoi = {}
    for nom, champ in form.fields.items():
        valeur = form[nom].value()
        if isinstance(champ, LignesField):
            envoi |= lignes(nom, valeur or [])
        elif isinstance(champ, DatesField):
            envoi |= {f"{nom}-{code}": jour for code, jour in (valeur or {}).items()}
        elif type(champ.widget) is Select and not valeur:
            envoi[nom] = champ.choices[0][0]  # a list shows its first line
        else:
            envoi |= _cochee({nom: valeur})
    return envoi


def lignes(nom: str, valeurs: list[dict]) -> dict:
    """Rows of a formset: ``personnes-0-prenom`` and the like."""
    envoi = {f"{nom}-TOTAL_FORMS": str(len(valeurs)), f"{nom}-INITIAL_FORMS": "0"}
    for rang, ligne in enumerate(valeurs):
        envoi |= _cochee({f"{nom}-{rang}-{champ}": valeur for champ, valeur in ligne.items()})
    return envoi


def _cochee(valeurs):
    """A box that is not ticked is not sent."""
    return {
        nom: "on" if valeur is True else valeur for nom, valeur in valeurs.items() if valeur not in (None, False, [])
    }
