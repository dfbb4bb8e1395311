"""What a browser would send back from a page of the admin, with what an agent types over it."""

from django import forms


def saisie(page, **tapees) -> dict:
    """The values of every field of the page, ``tapees`` instead: « __ » stands for the « - » of a prefix."""
    formulaires = [page.context["adminform"].form]
    for groupe in page.context["inline_admin_formsets"]:
        formulaires += [groupe.formset.management_form, *groupe.formset.forms]
    valeurs = {champ.html_name: _valeur(champ) for form in formulaires for champ in form}
    valeurs |= {nom.replace("__", "-"): valeur for nom, valeur in tapees.items()}
    return {nom: valeur for nom, valeur in valeurs.items() if valeur is not None}


def _valeur(champ):
    """As the widget writes it, None where a browser would send nothing."""
    valeur, widget = champ.value(), champ.field.widget
    if isinstance(widget, forms.CheckboxInput):
        return "on" if valeur else None
    if champ.field.disabled or valeur is None:
        return None
    return valeur if isinstance(widget, forms.widgets.ChoiceWidget) else widget.format_value(valeur)
