"""What the trésorerie reads: debtors, amounts, dates, states. Of the lines, the service alone: no child."""

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db.models import Sum
from django.http import Http404
from django.urls import path, reverse
from django.utils import timezone

from facturation import etats
from facturation.admin.colonnes import DES_ADULTES, DesFactures, debiteur, etat_en_mots
from facturation.admin.filtres import FiltreMoisEmis, FiltreMoisRecu, FiltrePaiement, FiltreRegie
from facturation.comptes import avec_annulation
from facturation.models import Article, Role, SuiviFacture, SuiviReglement
from portail.outils.admin import EnMots, LectureSeuleAdmin
from portail.outils.argent import arrondir, euros
from portail.outils.tableur import reponse_csv

PAR_LECTURE = 2000


class Suivi(EnMots, LectureSeuleAdmin):
    """A list with its totals, and the same list as a file."""

    change_list_template = "admin/facturation/suivi/change_list.html"
    entetes: list[str] = []

    def ligne(self, objet) -> list:
        raise NotImplementedError

    def totaux(self, queryset) -> list[tuple[str, str]]:
        """(label, amount) of the rows that the filters keep."""
        raise NotImplementedError

    def get_urls(self):
        nom = f"{self.opts.app_label}_{self.opts.model_name}_csv"
        return [path("export.csv", self.admin_site.admin_view(self.csv), name=nom), *super().get_urls()]

    def changelist_view(self, request, extra_context=None):
        reponse = super().changelist_view(request, extra_context)
        liste = getattr(reponse, "context_data", {}).get("cl")
        if liste is not None:
            adresse = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_csv")
            reponse.context_data |= {
                "totaux": self.totaux(liste.queryset.order_by()),
                "csv": f"{adresse}{liste.get_query_string(remove=['p'])}",
            }
        return reponse

    def csv(self, request):
        """The rows that the filters keep, all of them."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            rows = self.get_changelist_instance(request).queryset
        except IncorrectLookupParameters as erreur:
            raise Http404("Filtre inconnu") from erreur
        nom = f"{self.opts.model_name}-{timezone.localdate()}.csv"
        # A few rows at a time: of a whole year, the text alone is held.
        return reponse_csv(nom, self.entetes, (self.ligne(row) for row in rows.iterator(chunk_size=PAR_LECTURE)))


@admin.register(SuiviFacture)
class SuiviFactureAdmin(DesFactures, Suivi):
    list_display = ["numero_lisible", "qui", "mois_lisible", "total_lisible", "recu_lisible", "etat_lisible", "due"]
    list_display += ["emise", "role_lisible", "regie"]
    list_filter = [FiltreMoisEmis, FiltrePaiement, FiltreRegie]
    search_fields = [*DES_ADULTES, "reference", "=numero", "=article__role__numero"]
    search_help_text = "Nom du débiteur, numéro ou référence de la facture, n° d'ORMC."
    fields = readonly_fields = [
        *("numero_lisible", "etat_lisible", "qui", "regie", "mois_lisible", "services", "reference", "emise_le"),
        *("echeance", "total_lisible", "recu_lisible", "attendu_lisible", "role_lisible", "dit_le"),
    ]
    entetes = ["Numéro", "Référence", "Débiteur", "Régie ou titre", "Mois", "Montant", "Émise le", "Échéance"]
    entetes += ["ORMC", "État", "Reçu", "Reste"]

    def get_queryset(self, request):
        return etats.avec_suivi(super().get_queryset(request).emises())

    @admin.display(description="échéance", ordering="echeance")
    def due(self, facture):
        return f"{facture.echeance:%d/%m/%Y}"

    @admin.display(description="émise le", ordering="emise_le")
    def emise(self, facture):
        return f"{facture.emise_le:%d/%m/%Y}"

    @admin.display(description="reçu", ordering="recu")
    def recu_lisible(self, facture):
        return euros(facture.recu)

    @admin.display(description="reste")
    def attendu_lisible(self, facture):
        return euros(facture.attendu)

    @admin.display(description="dit par la trésorerie le")
    def dit_le(self, facture):
        article = getattr(facture, "article", None)
        return f"{article.dit_le:%d/%m/%Y}" if article and article.dit_le else "–"

    @admin.display(description="prestations")
    def services(self, facture):
        """By service: the lines themselves name children."""
        sommes = facture.lignes.order_by().values_list("service__nom").annotate(somme=Sum("montant"))
        return ", ".join(f"{nom or 'autres'}\u00a0: {euros(somme)}" for nom, somme in sorted(sommes, key=str)) or "–"

    def totaux(self, queryset):
        libelles = {"total": "Facturé", "recu": "Reçu", "attendu": "Reste à recevoir"}
        sommes = queryset.aggregate(**{f"somme_{nom}": Sum(nom) for nom in libelles})
        return [(libelle, euros(sommes[f"somme_{nom}"] or 0)) for nom, libelle in libelles.items()]

    def ligne(self, facture):
        article = getattr(facture, "article", None)
        return [
            facture.numero_complet,
            facture.reference,
            debiteur(facture),
            facture.regie.nom,
            facture.mois_en_clair,
            arrondir(facture.total),
            f"{facture.emise_le:%d/%m/%Y}",
            f"{facture.echeance:%d/%m/%Y}",
            f"{article.role.numero} ({article.role.exercice})" if article else "",
            etat_en_mots(facture),
            arrondir(facture.recu),
            arrondir(facture.attendu),
        ]


@admin.register(SuiviReglement)
class SuiviReglementAdmin(Suivi):
    list_display = ["recu_le", "qui", "regie", "moyen", "montant_lisible", "factures", "remise", "suite"]
    list_select_related = ["famille", "regie", "remise"]
    list_filter = [FiltreMoisRecu, FiltreRegie, "moyen"]
    search_fields = DES_ADULTES
    search_help_text = "Nom du débiteur."
    fields = readonly_fields = ["recu_le", "qui", "regie", "moyen", "montant_lisible", "factures", "remise", "suite"]
    entetes = ["Reçu le", "Débiteur", "Régie", "Moyen", "Montant", "Factures", "Bordereau", "Suite"]

    def get_queryset(self, request):
        """Its invoices and the adults in two more queries, whatever the number of rows."""
        reglements = avec_annulation(super().get_queryset(request).select_related(*self.list_select_related))
        return reglements.prefetch_related("imputations__facture", "famille__responsables__utilisateur")

    @admin.display(description="débiteur", ordering="famille__nom")
    def qui(self, reglement):
        return ", ".join(str(adulte) for adulte in reglement.famille.responsables.all()) or str(reglement.famille)

    @admin.display(description="montant", ordering="montant")
    def montant_lisible(self, reglement):
        return euros(reglement.montant)

    @admin.display(description="factures")
    def factures(self, reglement):
        return ", ".join(sorted({i.facture.numero_complet for i in reglement.imputations.all()})) or "–"

    @admin.display(description="suite")
    def suite(self, reglement):
        return "Annulé" if reglement.annule else "Encaissé"

    def totaux(self, queryset):
        encaisses = queryset.filter(annule=False).aggregate(t=Sum("montant"))["t"] or 0
        return [("Encaissé", euros(encaisses))]

    def ligne(self, reglement):
        return [
            f"{reglement.recu_le:%d/%m/%Y}",
            self.qui(reglement),
            reglement.regie.nom,
            reglement.get_moyen_display(),
            arrondir(reglement.montant),
            self.factures(reglement),
            reglement.remise.numero if reglement.remise else "",
            self.suite(reglement),
        ]


@admin.register(Role)
class RoleAdmin(EnMots, LectureSeuleAdmin):
    list_display = ["numero", "annee", "regie_lisible", "le"]
    list_select_related = ["regie"]
    list_filter = [FiltreRegie, "exercice"]
    search_fields = ["=numero", "regie__nom__unaccent"]
    fields = [("numero", "exercice"), ("regie", "le")]
    lectures = {"exercice": "annee", "regie": "regie_lisible"}
    change_list_template = "admin/facturation/role/change_list.html"
    change_form_template = "admin/facturation/role/change_form.html"

    @admin.display(description="exercice", ordering="exercice")
    def annee(self, role):
        return str(role.exercice)

    @admin.display(description="régie ou titre", ordering="regie__nom")
    def regie_lisible(self, role):
        return role.regie.nom


@admin.register(Article)
class ArticleAdmin(EnMots, LectureSeuleAdmin):
    list_display = ["facture_lisible", "qui", "role_lisible", "etat", "total_lisible", "paye_lisible", "dit_le"]
    list_select_related = ["facture__famille", "role"]
    list_filter = ["etat"]
    search_fields = ["facture__famille__nom__unaccent", "facture__reference", "=facture__numero", "=role__numero"]
    search_help_text = "Nom du débiteur, numéro ou référence de la facture, n° d'ORMC."
    fields = readonly_fields = [
        "facture_lisible",
        "qui",
        "role_lisible",
        "etat",
        "total_lisible",
        "paye_lisible",
        "dit_le",
        "versements",
    ]

    @admin.display(description="facture", ordering="facture__numero")
    def facture_lisible(self, article):
        return article.facture.numero_complet

    @admin.display(description="débiteur")
    def qui(self, article):
        return debiteur(article.facture)

    @admin.display(description="rôle", ordering="role__numero")
    def role_lisible(self, article):
        return str(article.role)

    @admin.display(description="montant")
    def total_lisible(self, article):
        return euros(article.facture.total)

    @admin.display(description="payé", ordering="paye")
    def paye_lisible(self, article):
        return euros(article.paye)

    @admin.display(description="ce que la trésorerie a dit")
    def versements(self, article):
        """Day by day, what was new; below zero, what it put right."""
        dits = [f"le {dit.dit_le:%d/%m/%Y}\u00a0: {euros(dit.montant)}" for dit in article.versements.order_by("pk")]
        return ", ".join(dits) or "–"
