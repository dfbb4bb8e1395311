"""Where the mairie checks the code of a tax certificate."""

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html

from facturation.models import AttestationFiscale
from portail.outils.admin import LectureSeuleAdmin
from portail.outils.argent import euros


@admin.register(AttestationFiscale)
class AttestationFiscaleAdmin(LectureSeuleAdmin):
    """Read only: a certificate says what it said. Its code is typed as it is printed, with or without its dashes."""

    list_display = ["code", "an", "famille", "enfant", "somme", "faite_le"]
    list_filter = ["annee"]
    list_select_related = ["famille", "enfant"]
    search_fields = ["code", "famille__nom__unaccent", "enfant__nom__unaccent", "enfant__prenom__unaccent"]
    search_help_text = "Code de vérification, nom de la famille ou de l'enfant."
    fields = ["code", "an", "famille", "enfant", "somme", "detail", "faite_le", "faite_pour", "document"]
    readonly_fields = fields

    def get_search_results(self, request, queryset, search_term):
        signes = "".join(search_term.upper().split()).replace("-", "")
        if len(signes) == 12 and signes.isascii() and signes.isalnum():
            search_term = "-".join(signes[n : n + 4] for n in (0, 4, 8))
            trouvees = queryset.filter(code=search_term)
            if trouvees.exists():
                return trouvees, False
        return super().get_search_results(request, queryset, search_term)

    @admin.display(description="année", ordering="annee")
    def an(self, attestation):
        return str(attestation.annee)

    @admin.display(description="montant", ordering="montant")
    def somme(self, attestation):
        return euros(attestation.montant)

    @admin.display(description="détail")
    def detail(self, attestation):
        par_service = attestation.contenu.get("par_service", {})
        return ", ".join(f"{nom}\u00a0: {euros(montant)}" for nom, montant in par_service.items())

    @admin.display(description="document")
    def document(self, attestation):
        return format_html('<a href="{}">Ouvrir le PDF</a>', reverse("attestation_pdf", args=[attestation.code]))
