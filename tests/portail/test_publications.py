"""News and documents: who reads what and when, what an agent may write, what never runs."""

from datetime import date, timedelta
from html import unescape

import pytest
from django.contrib.auth.models import AnonymousUser, Permission
from django.core.exceptions import ValidationError
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from enfants.models import Ecole, Enfant, Inscription, Reservation, Service, SuspensionAcces
from portail.echeances import faire_le_menage
from portail.outils.texte_riche import rendre
from portail.publications import Actualite, Document, FichierPublie, noter_la_cible, remplacer_fichier
from tests.charges import CHARGES_XSS, dangers
from tests.fabrique import PDF_SAIN
from tests.portail.conftest import fichiers
from tests.saisie_admin import saisie
from tests.test_requetes import comptees, lister

pytestmark = pytest.mark.django_db
FOYERS = ("durand", "durand2", "martin", "benali", "rossi")


def texte(reponse):
    return unescape(reponse.content.decode()).replace("\u00a0", " ")


def publier(titre="Règlement", *, ecoles=(), services=(), fichier=True, **colonnes):
    """A document as the page of the admin would leave it."""
    document = Document.objects.create(titre=titre, **colonnes)
    document.ecoles.set(Ecole.objects.filter(nom__in=ecoles))
    document.services.set(Service.objects.filter(code__in=services))
    noter_la_cible(document)
    if fichier:
        remplacer_fichier(document, ("a.pdf", "application/pdf", PDF_SAIN))
    return document


def lecteurs(document, comptes):
    return [qui for qui in FOYERS if Document.objects.visibles_par(comptes[qui]).filter(pk=document.pk).exists()]


# --- For whom --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cibles", "attendus"),
    [
        ({}, list(FOYERS)),
        ({"ecoles": ["École des Pommiers"]}, ["durand", "durand2", "benali"]),
        ({"ecoles": ["École élémentaire du Bourg"]}, list(FOYERS)),
        ({"services": ["accueil-matin"]}, ["durand", "durand2"]),
        ({"services": ["restauration"]}, ["durand", "durand2", "benali", "rossi"]),
        ({"ecoles": ["École des Pommiers"], "services": ["restauration"]}, ["durand", "durand2", "benali", "rossi"]),
        ({"services": ["alsh-vacances"]}, ["durand", "durand2"]),
    ],
    ids=str,
)
def test_une_publication_est_pour_qui_un_enfant_est_de_l_ecole_ou_du_service(cibles, attendus, comptes):
    assert lecteurs(publier(**cibles), comptes) == attendus


def test_un_service_reserve_un_jour_sans_inscription_suffit(comptes):
    document = publier(services=["restauration"])
    Inscription.objects.all().delete()
    assert lecteurs(document, comptes) == ["durand", "durand2", "benali", "rossi"]
    Reservation.objects.update(annulee_le=timezone.now(), annulee_par=comptes["agent"])
    assert lecteurs(document, comptes) == []


def test_une_inscription_terminee_ne_compte_plus(comptes):
    document = publier(services=["accueil-matin"])
    Inscription.objects.update(valable_du=date(2020, 9, 1), valable_au=timezone.localdate() - timedelta(days=1))
    assert lecteurs(document, comptes) == []


def test_l_acces_suspendu_ferme_ce_qui_etait_pour_cet_enfant(comptes):
    document = publier(ecoles=["École des Pommiers"])
    tom = Enfant.objects.get(prenom="Tom")
    SuspensionAcces.objects.create(enfant=tom, adulte=comptes["durand2"].adulte, motif="Jugement")
    assert lecteurs(document, comptes) == ["durand", "benali"]


def test_l_ecole_supprimee_ne_montre_pas_a_tous_ce_qui_etait_pour_elle(comptes):
    fermee = Ecole.objects.create(nom="École fermée")
    document = publier(ecoles=[fermee.nom])
    fermee.delete()
    assert lecteurs(document, comptes) == []


def test_un_agent_voit_tout_et_un_inconnu_rien(comptes):
    publier(ecoles=["École des Pommiers"])
    vus = [Document.objects.visibles_par(qui).count() for qui in (comptes["tresorerie"], AnonymousUser())]
    assert vus == [1, 0]


# --- When ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("du", "au", "etat"),
    [
        (0, None, "en ligne"),
        (0, 0, "en ligne"),
        (-3, 0, "en ligne"),
        (-3, -1, "passée"),
        (1, None, "à venir"),
    ],
)
def test_le_premier_et_le_dernier_jour_comptent(du, au, etat, connecter):
    aujourdhui = timezone.localdate()
    jours = [n if n is None else aujourdhui + timedelta(days=n) for n in (du, au)]
    actualite = Actualite.objects.create(titre="Kermesse", corps="…", publie_du=jours[0], publie_au=jours[1])
    document = publier("Menu", publie_du=jours[0], publie_au=jours[1])
    navigateur, en_ligne = connecter("martin"), etat == "en ligne"
    assert (actualite.etat(aujourdhui), document.etat(aujourdhui)) == (etat, etat)
    assert ("Kermesse" in texte(navigateur.get("/"))) == en_ligne
    page = texte(navigateur.get("/documents/"))
    assert ("Kermesse" in page, "Menu" in page) == (en_ligne, en_ligne)
    assert navigateur.get(document.adresse).status_code == (200 if en_ligne else 404)
    liste = connecter("agent").get("/admin/portail/actualite/")
    assert etat in texte(liste)


@pytest.mark.parametrize(("filtre", "nombre"), [("en_ligne", 2), ("a_venir", 1), ("passee", 1), ("n-importe", 4)])
def test_la_liste_se_filtre_par_etat(filtre, nombre, connecter):
    aujourdhui = timezone.localdate()
    for du, au in [(0, None), (-2, 0), (-2, -1), (1, None)]:
        fin = None if au is None else aujourdhui + timedelta(days=au)
        Actualite.objects.create(titre="x", corps="…", publie_du=aujourdhui + timedelta(days=du), publie_au=fin)
    page = connecter("agent").get(f"/admin/portail/actualite/?etat={filtre}")
    assert page.context["cl"].result_count == nombre


# --- What holds of one row -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("colonnes", "phrase"),
    [
        ({"genre": "LIEN"}, "Donnez l'adresse de la page, qui commence par https://."),
        ({"lien": "https://a.example/"}, "Seul un lien a une adresse : effacez-la ou choisissez le genre « Lien »."),
        ({"publie_du": date(2026, 9, 2), "publie_au": date(2026, 9, 1)}, "La fin vient avant le début."),
    ],
)
def test_une_ligne_fausse_est_refusee_par_la_base_avec_sa_phrase(colonnes, phrase):
    document = Document(titre="Essai", **colonnes)
    with pytest.raises(ValidationError) as refus:
        document.validate_constraints()
    assert [message.replace("\u00a0", " ") for message in refus.value.messages] == [phrase]
    with pytest.raises(IntegrityError), transaction.atomic():
        document.save()


@pytest.mark.parametrize("lien", ["javascript:alert(1)", "data:text/html,x", "ftp://a.example/", "//a.example/", "/x"])
def test_un_lien_ne_mene_qu_a_une_page_internet(lien):
    with pytest.raises(ValidationError) as refus:
        Document(genre="LIEN", titre="Essai", lien=lien).full_clean()
    assert refus.value.message_dict["lien"] == ["Écrivez une adresse qui commence par https://."]
    with pytest.raises(IntegrityError), transaction.atomic():
        Document.objects.create(genre="LIEN", titre="Essai", lien=lien)


# --- The file --------------------------------------------------------------------------------------------


def test_un_fichier_est_chiffre_et_le_remplacant_est_une_autre_ligne():
    document = publier()
    ancien = document.fichier
    with default_storage.open(ancien.fichier.name) as garde:
        assert PDF_SAIN not in garde.read()
    nouveau = remplacer_fichier(document, ("b.pdf", "application/pdf", PDF_SAIN))
    assert (nouveau.pk != ancien.pk, nouveau.fichier.name != ancien.fichier.name) == (True, True)
    assert list(FichierPublie.objects.filter(document=document)) == [nouveau]


def test_le_menage_garde_les_fichiers_publies_et_emporte_les_remplaces():
    document = publier()
    remplacer_fichier(document, ("b.pdf", "application/pdf", PDF_SAIN))
    assert len(list(fichiers())) == 2
    faire_le_menage(maintenant=timezone.now() + timedelta(days=2))
    assert list(fichiers()) == [document.__class__.objects.get().fichier.fichier.name.rpartition("/")[2]]


def test_qui_n_est_pas_connecte_va_a_la_page_de_connexion_que_le_document_existe_ou_non(client, distribution):
    document, libre = publier(), publier("Menu", public=True)
    inconnu = "/documents/7b7b8f1c-6f0e-4b53-9d3e-000000000000/"
    menees = [client.get(adresse).headers.get("Location") for adresse in (document.adresse, inconnu, libre.adresse)]
    assert menees == [f"/connexion/?next={document.adresse}", f"/connexion/?next={inconnu}", None]
    assert b"".join(client.get(libre.adresse).streaming_content) == PDF_SAIN
    Document.objects.filter(pk=libre.pk).update(publie_du=timezone.localdate() + timedelta(days=1))
    assert client.get(libre.adresse).status_code == 302


def test_un_document_d_une_autre_ecole_n_existe_pas(connecter):
    adresse = publier(ecoles=["École des Pommiers"]).adresse
    assert [connecter(qui).get(adresse).status_code for qui in ("durand", "martin", "animateur")] == [200, 404, 200]


def test_le_fichier_ne_peut_rien_faire_dans_le_navigateur(connecter):
    reponse = connecter("martin").get(publier().adresse)
    assert reponse["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert (reponse["Content-Type"], reponse["Content-Disposition"]) == ("application/pdf", 'inline; filename="a.pdf"')


# --- The pages -------------------------------------------------------------------------------------------


def test_les_documents_sont_ranges_par_annee_puis_par_ordre(connecter):
    publier("B", annee=2026, ordre=1)
    publier("A", annee=2026, ordre=2)
    publier("Ancien", annee=2025)
    publier("Toujours")
    publier("Sans fichier", fichier=False)
    publier("Carte", genre="LIEN", lien="https://a.example/", fichier=False)
    publier("Attestation", genre="FORMULAIRE")
    contexte = connecter("martin").get("/documents/").context
    ranges = [(annee, [ligne.titre for ligne in lignes]) for annee, lignes in contexte["annees"]]
    assert ranges == [("", ["Toujours"]), ("2026-2027", ["B", "A"]), ("2025-2026", ["Ancien"])]
    assert [(ligne.titre, ligne.url) for ligne in contexte["liens"]] == [("Carte", "https://a.example/")]
    contexte = connecter("martin").get("/documents/formulaires/").context
    assert [ligne.titre for _, lignes in contexte["annees"] for ligne in lignes] == ["Attestation"]


def test_sans_rien_de_publie_les_pages_le_disent(connecter):
    page = texte(connecter("martin").get("/documents/"))
    assert page.index("Notice d'utilisation du portail famille") < page.index("pas encore publié d'autre document")
    assert "Aucune actualité pour le moment." in page
    assert "La mairie n'a pas publié d'autre formulaire." in texte(connecter("martin").get("/documents/formulaires/"))


@pytest.mark.parametrize("adresse", ["/documents/", "/documents/formulaires/"])
def test_trois_cents_lignes_ne_coutent_pas_plus_qu_une(adresse, connecter, distribution):
    navigateur, couts = connecter("durand"), {}
    modele = publier(ecoles=["École des Pommiers"], genre="FORMULAIRE" if "form" in adresse else "DOCUMENT")
    Actualite.objects.create(titre="x", corps="**x**")
    for nombre in (1, 300):
        while Document.objects.count() < nombre:
            document = Document.objects.create(titre="Essai", genre=modele.genre, annee=2026)
            FichierPublie.objects.create(
                document=document, nom="a.pdf", type_mime="application/pdf", taille=10, fichier="pieces/a"
            )
            Actualite.objects.create(titre="x", corps="**x**")
        assert navigateur.get(adresse).status_code == 200
        with CaptureQueriesContext(connection) as captees:
            navigateur.get(adresse)
        couts[nombre] = comptees(captees)
    assert len(couts[1]) == len(couts[300]) <= 6, lister(couts[300])


# --- What an agent writes --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ecrit", "lu"),
    [
        ("**gras** et *penché*", "<p><strong>gras</strong> et <em>penché</em></p>"),
        ("- un\n- deux", "<ul>\n<li>un</li>\n<li>deux</li>\n</ul>"),
        ("# Titre", "<h4>Titre</h4>"),
        ("###### Titre", "<h6>Titre</h6>"),
        ("une ligne\nune autre", "<p>une ligne<br>\nune autre</p>"),
        ("[menu](https://a.example/m)", '<p><a href="https://a.example/m" rel="noopener nofollow">menu</a></p>'),
        ("<mailto:a@b.example>", '<p><a href="mailto:a@b.example" rel="noopener nofollow">mailto:a@b.example</a></p>'),
        ("[appeler](tel:0248666161)", '<p><a href="tel:0248666161" rel="noopener nofollow">appeler</a></p>'),
        ("[x](ftp://a.example/)", "<p>[x](ftp://a.example/)</p>"),
        ("[x](/documents/)", "<p>[x](/documents/)</p>"),
        ("<b>x</b>", "<p>&lt;b&gt;x&lt;/b&gt;</p>"),
        ("`x`", "<p>`x`</p>"),
        ("Oui ; « non » ?", "<p>Oui\u00a0; «\u00a0non\u00a0»\u00a0?</p>"),
    ],
)
def test_le_texte_accepte_le_necessaire_et_montre_le_reste_tel_quel(ecrit, lu):
    assert rendre(ecrit).strip() == lu


def test_la_liste_des_charges_en_compte_quarante_et_le_controle_les_voit():
    assert len(set(CHARGES_XSS)) == 40
    assert sum(bool(dangers(charge)) for charge in CHARGES_XSS) >= 20  # as they are; the others need a page around


@pytest.mark.parametrize("charge", CHARGES_XSS)
def test_aucune_charge_ne_vit_dans_le_texte(charge):
    assert dangers(rendre(charge)) == []
    assert dangers(rendre(f"# {charge}\n\n- {charge}\n\n> [a]({charge})\n\n**{charge}**")) == []


# The check of every response would take the last one for a piece of template of ours.
CHARGES = [charge for charge in CHARGES_XSS if "{{" not in charge]
DU_CADRE = {"svg", "script", "img"}  # our icons and files; a payload of one of these has an attribute or a text more


def _dans_la_page(reponse):
    """What lives, beside the frame of the page."""
    page = reponse.content.decode()
    assert "xq(1)</script>" not in page
    return [danger for danger in dangers(page) if danger not in DU_CADRE]


def test_les_quarante_charges_ne_font_rien_sur_l_accueil(connecter):
    """Three at a time, as the page shows them."""
    parent, vivants = connecter("martin"), {}
    for rang in range(0, len(CHARGES), 3):
        Actualite.objects.all().delete()
        charges = CHARGES[rang : rang + 3]
        for charge in charges:
            Actualite.objects.create(titre=charge, corps=charge)
        reponse = parent.get("/")
        assert len(reponse.context["page"].actualites) == len(charges)
        vivants[rang] = _dans_la_page(reponse)
    assert {rang: trouves for rang, trouves in vivants.items() if trouves} == {}


def test_les_quarante_charges_ne_font_rien_sur_les_pages_ni_dans_l_administration(connecter):
    """Title, text, description: every place where an agent types."""
    for rang, charge in enumerate(CHARGES):
        Actualite.objects.create(titre=charge, corps=charge, epinglee=rang % 2 == 0)
        publier(charge[:120], description=charge, annee=2026)
        publier(charge[:120], genre="FORMULAIRE", description=charge, fichier=rang == 0)
    parent, agent = connecter("martin"), connecter("agent")
    lues = ["/documents/", "/documents/?page=2", "/documents/formulaires/"]
    assert {page: _dans_la_page(parent.get(page)) for page in lues} == {page: [] for page in lues}
    listes = ["/admin/portail/actualite/", "/admin/portail/document/"]
    pages = listes + [
        f"/admin/portail/actualite/{cle}/change/" for cle in Actualite.objects.values_list("pk", flat=True)
    ]
    vivants = {page: _dans_la_page(agent.get(page)) for page in pages}
    assert {page: trouves for page, trouves in vivants.items() if trouves} == {}


@pytest.mark.parametrize("charge", [c for c in CHARGES_XSS if c.startswith("[")] + ["javascript:alert(1)"])
def test_une_charge_dans_l_adresse_d_un_lien_est_refusee_avec_sa_phrase(charge, connecter):
    agent = connecter("agent")
    page = agent.get("/admin/portail/document/add/")
    adresse = charge.partition("(")[2].rstrip(")") or charge
    reponse = agent.post("/admin/portail/document/add/", saisie(page, titre="x", genre="LIEN", lien=adresse))
    assert reponse.status_code == 200
    assert "lien" in reponse.context["adminform"].form.errors
    assert Document.objects.count() == 0


# --- The admin -------------------------------------------------------------------------------------------


def ajouter(navigateur, quoi, **tapees):
    adresse = f"/admin/portail/{quoi}/add/"
    return navigateur.post(adresse, saisie(navigateur.get(adresse), **tapees))


def envoi(nom="reglement.pdf", contenu=PDF_SAIN):
    return SimpleUploadedFile(nom, contenu)


def test_un_agent_publie_une_actualite_pour_une_ecole(connecter, comptes):
    pommiers = Ecole.objects.get(nom="École des Pommiers")
    reponse = ajouter(connecter("agent"), "actualite", titre="Photos", corps="**Mardi**", ecoles=[str(pommiers.pk)])
    assert reponse.status_code == 302
    actualite = Actualite.objects.get()
    assert (actualite.ciblee, list(actualite.ecoles.all())) == (True, [pommiers])
    vues = {qui: "Photos" in texte(connecter(qui).get("/")) for qui in ("durand", "martin")}
    assert vues == {"durand": True, "martin": False}
    assert "École des Pommiers" in texte(connecter("agent").get("/admin/portail/actualite/"))


def test_l_apercu_montre_le_texte_sans_rien_enregistrer(connecter):
    agent = connecter("agent")
    page = ajouter(agent, "actualite", titre="Photos", corps="**Mardi**", _apercu="1")
    assert (page.status_code, Actualite.objects.count()) == (200, 0)
    assert "<strong>Mardi</strong>" in page.content.decode()
    assert page.context["adminform"].form["corps"].value() == "**Mardi**"
    actualite = Actualite.objects.create(titre="Photos", corps="*Jeudi*")
    adresse = f"/admin/portail/actualite/{actualite.pk}/change/"
    assert "<em>Jeudi</em>" in agent.get(adresse).content.decode()
    page = agent.post(adresse, saisie(agent.get(adresse), corps="**Lundi**", _apercu="1"))
    actualite.refresh_from_db()
    assert ("<strong>Lundi</strong>" in page.content.decode(), actualite.corps) == (True, "*Jeudi*")


def test_un_agent_publie_un_document_puis_en_remplace_le_fichier(connecter):
    agent = connecter("agent")
    assert ajouter(agent, "document", titre="Règlement", annee="", fichier=envoi()).status_code == 302
    document = Document.objects.get()
    premier = document.fichier
    assert (premier.nom, document.ciblee) == ("reglement.pdf", False)
    adresse = f"/admin/portail/document/{document.pk}/change/"
    assert premier.nom in texte(agent.get(adresse))
    assert agent.post(adresse, saisie(agent.get(adresse), titre="Règlement 2")).status_code == 302
    document = Document.objects.get()
    assert (document.titre, document.fichier) == ("Règlement 2", premier)
    assert agent.post(adresse, saisie(agent.get(adresse), fichier=envoi("neuf.pdf"))).status_code == 302
    assert Document.objects.get().fichier.nom == "neuf.pdf"
    assert agent.post(adresse, saisie(agent.get(adresse), genre="LIEN", lien="https://a.example/")).status_code == 302
    assert (Document.objects.get().lien, FichierPublie.objects.count()) == ("https://a.example/", 0)


@pytest.mark.parametrize(
    ("tapees", "champ", "phrase"),
    [
        ({}, "fichier", "Choisissez le fichier à publier."),
        ({"genre": "LIEN"}, "lien", "Donnez l'adresse de la page, qui commence par https://."),
        ({"lien": "https://a.example/", "fichier": envoi}, "lien", "Seul un lien a une adresse : effacez-la."),
        ({"genre": "LIEN", "lien": "https://a.example/", "fichier": envoi}, "fichier", "Un lien n'a pas de fichier."),
        (
            {"fichier": lambda: envoi("virus.pdf", b"MZ\x90")},
            "fichier",
            "« virus.pdf » n'est pas accepté. Envoyez un PDF, ou une photo JPEG ou PNG.",
        ),
        (
            {"fichier": envoi, "publie_du": "2026-09-02", "publie_au": "2026-09-01"},
            "publie_au",
            "La fin vient avant le début.",
        ),
    ],
    ids=["sans fichier", "sans adresse", "adresse de trop", "fichier de trop", "faux PDF", "dates"],
)
def test_une_saisie_fausse_se_dit_a_cote_du_champ_et_n_ecrit_rien(tapees, champ, phrase, connecter):
    donnees = {nom: valeur() if callable(valeur) else valeur for nom, valeur in tapees.items()}
    page = ajouter(connecter("agent"), "document", titre="Règlement", **donnees)
    erreurs = page.context["adminform"].form.errors
    lues = {nom: [str(e).replace("\u00a0", " ") for e in phrases] for nom, phrases in erreurs.items()}
    assert lues == {champ: [phrase]}
    assert (Document.objects.count(), list(fichiers())) == (0, [])


def test_qui_ne_fait_que_lire_n_a_rien_a_envoyer(connecter, comptes):
    comptes["tresorerie"].user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    document = publier(annee=2026)
    page = connecter("tresorerie").get(f"/admin/portail/document/{document.pk}/change/")
    assert ("a.pdf" in texte(page), 'type="file"' in texte(page)) == (True, False)
