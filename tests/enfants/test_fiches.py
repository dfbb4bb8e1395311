"""Papers about a child: what is on them, for whom, and that they hold in their pages."""

import io
import logging
import re
from datetime import date, timedelta

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pypdf import PdfReader

from enfants import fiches
from enfants.actions import detacher, modifier_informations, modifier_sante, remplacer_personnes
from enfants.models import (
    Allergene,
    Classe,
    ConsultationSante,
    Ecole,
    Enfant,
    PersonneAutorisee,
    Rattachement,
    Sante,
    SuspensionAcces,
    Vaccin,
)
from familles.models import Famille, Responsable, Utilisateur
from portail.outils import pdf

try:
    pdf.verifier()
except pdf.PdfIndisponible as absence:
    pytest.skip(f"BIBLIOTHÈQUES PDF ABSENTES : {absence}", allow_module_level=True)

pytestmark = pytest.mark.django_db

JOUR = date(2026, 10, 5)
SUITE = "(suite dans le dossier)"


def pages(document: bytes) -> list[str]:
    """The text of each page, spaces folded."""
    return [" ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(document)).pages]


def plier(texte) -> str:
    """Without spaces: a value may be on two lines."""
    return "".join(str(texte).split())


def absents(valeurs, document: bytes) -> list[str]:
    texte = plier(pages(document))
    return [valeur for valeur in valeurs if plier(valeur) not in texte]


@pytest.fixture
def enfant(distribution):
    return lambda prenom: Enfant.objects.get(prenom=prenom)


@pytest.fixture
def agent(comptes):
    return comptes["agent"]


def inscription(enfant, famille):
    return fiches.imprimer_inscription(enfant, famille, jour=JOUR)


# --- The registration form -------------------------------------------------------------------------------


def test_la_fiche_vierge_ne_nomme_personne(connecter):
    reponse = connecter("durand").get("/documents/fiche-inscription.pdf")
    lues = pages(reponse.content)
    assert len(lues) == 2
    mots = set(re.findall(r"\w+", " ".join(lues)))
    noms = {*Utilisateur.objects.values_list("prenom", flat=True), *Enfant.objects.values_list("prenom", flat=True)}
    assert noms & mots == set()
    assert "X" not in mots
    assert not re.search(r"\d\d \d\d \d\d \d\d \d\d", " ".join(lues).replace("02 48 66 61 61", ""))  # the mairie's


@pytest.mark.parametrize(
    ("jour", "annee"), [(date(2027, 2, 28), "2026-2027"), (date(2027, 3, 1), "2027-2028"), (JOUR, "2026-2027")]
)
def test_la_fiche_est_celle_de_l_annee_a_venir(distribution, jour, annee):
    assert f"Fiche d'inscription {annee}" in pages(fiches.imprimer_vierge(jour=jour))[0]


def test_la_fiche_vierge_demande_tous_les_vaccins_en_vigueur(distribution):
    demandes = Vaccin.objects.exclude(code="MENINGO_C_2024")
    assert demandes.count() == 13
    document = fiches.imprimer_vierge(jour=JOUR)
    assert absents(demandes.values_list("nom", flat=True), document) == []
    assert absents(["Méningocoque C (jusqu'en 2024)"], document) != []


def test_la_fiche_de_lea_dit_tout_son_dossier(enfant, famille_durand):
    lea = enfant("Léa")
    lea.lieu_naissance = "Bourges"
    lea.save()
    textes = {
        "allergies": "Piqûres de guêpe : appeler le 15.",
        "traitements": "Ventoline avant le sport.",
        "recommandations": "Se fatigue vite.\nBoit souvent.",
        "pai_consignes": "Trousse bleue, deux bouffées.",
    }
    modifier_sante(lea, textes | {"a_pai": True, "pai_revision": date(2027, 9, 15), "allergenes": ["celeri"]})
    modifier_informations(lea, {"autre_appareil": "Corset la nuit"})
    Sante.objects.filter(enfant=lea).update(vaccins_etat="PROVISOIRE", vaccins_jusqu_au=date(2026, 12, 31))
    lea = enfant("Léa")
    document = inscription(lea, famille_durand)
    attendus = [
        *("Durand", "Léa", "Bourges", "Fille", "École élémentaire du Bourg", "CE1-CE2 de M. Blanc", "CE2", "Standard"),
        *("Madame Claire Durand", "06 39 98 10 01", "02 61 91 10 01", "claire.durand@famille.example", "Infirmière"),
        *("Centre hospitalier", "Monsieur Julien Durand", "06 39 98 10 02", "02 61 91 10 02", "Menuisier"),
        *("12 rue des Vergers", "18110", "Saint-Martin-d'Auxigny"),
        *("Odile Durand", "Grand-mère, carte d'identité", "06 39 98 10 11", "Marc Durand", "Oncle", "06 39 98 10 12"),
        *("Assurances du Berry", "SC-204518", f"{lea.informations.assurance_fin:%d/%m/%Y}"),
        *("Dr Hélène Garnier", "02 61 91 50 10", "Admission provisoire jusqu'au 31/12/2026"),
        *(Vaccin.objects.get(code=code).nom for code in lea.sante.vaccinations),
        *(f"{date.fromisoformat(le):%d/%m/%Y}" for le in lea.sante.vaccinations.values()),
        *textes.values(),
        *("15/09/2027", "Corset la nuit", f"{lea.date_naissance:%d/%m/%Y}", "5 octobre 2026"),
    ]
    assert absents(attendus, document) == []
    assert len(pages(document)) == 2


def test_les_cases_cochees_sont_celles_du_dossier(enfant, famille_durand):
    lea = enfant("Léa")
    modifier_sante(lea, {"allergenes": ["oeufs", "lupin"]})
    modifier_informations(lea, {"regime": "SANS_PORC", "hospitalisation": None, "photo": False, "lunettes": False})
    fiche = fiches._inscription(enfant("Léa"), famille_durand, JOUR, personnes_max=8, lignes_max=20)
    for groupe, attendues in {
        "sexe": ["Fille"],
        "regimes": ["Sans porc"],
        "allergenes": ["Œufs", "Lupin"],
        "appareils": [],
    }.items():
        assert [case.libelle for case in fiche[groupe] if case.cochee] == attendues
    assert {q.libelle: q.reponse for q in fiche["autorisations"]} == {
        "Soins d'urgence et transport à l'hôpital": None,
        "Baignade": True,
        "Sorties à pied, en car ou en minibus": True,
        "Rentrer seule (dès 8\u00a0ans)": False,
        "Photos et vidéos pendant les activités": False,
    }
    texte = " ".join(pages(inscription(enfant("Léa"), famille_durand)))
    for coche in (
        "Sexe : X Fille Garçon",
        "Repas : Standard X Sans porc Sans viande",
        "Oui Non Soins d'urgence",
        "X Oui Non Baignade",
        "X Oui Non Sorties",
        "Oui X Non Rentrer seule",
        "Oui X Non Photos",
        "Oui X Non Un projet d'accueil",
        "Odile Durand Grand-mère, carte d'identité 06 39 98 10 11 X X",
        "Marc Durand Oncle, carte d'identité 06 39 98 10 12 X",
        "X Œufs",
        "X Lupin",
    ):
        assert coche in texte
    assert texte.count("X ") == 12


@pytest.mark.parametrize(("identifiant", "autre"), [("benali", "rossi"), ("rossi", "benali")])
def test_chaque_foyer_n_a_que_ses_propres_donnees(identifiant, autre, connecter, familles_de, enfant):
    ines, autre_foyer = enfant("Inès"), familles_de(autre)
    remplacer_personnes(ines, autre_foyer, [personne("Ada", "Lovelace", "06 39 98 30 99", "Marraine")])
    reponse = connecter(identifiant).get(f"/mes-enfants/{ines.uuid}/fiche-inscription.pdf")
    adulte, autre_adulte = (familles_de(i).responsables.get() for i in (identifiant, autre))
    sien = [adulte.telephone_mobile, adulte.utilisateur.courriel, adulte.famille.adresse, str(adulte)]
    sien += ["L'enfant vit aussi dans un autre foyer, connu de la mairie."]
    assert absents(sien, reponse.content) == []
    compte = autre_adulte.utilisateur
    secrets = [autre_adulte.telephone_mobile, compte.courriel, autre_foyer.adresse, str(compte), compte.prenom]
    secrets += [autre_adulte.profession, "Lovelace", "06 39 98 30 99", "Marraine"]
    assert absents(secrets, reponse.content) == secrets
    assert b"Lovelace" not in reponse.content


def personne(prenom, nom, telephone, lien, **autres):
    cle = "00000000-0000-4000-8000-000000000001"
    valeurs = {"peut_chercher": True, "urgence": True, "piece": "", "ordre": "1", "cle": cle}
    return valeurs | {"prenom": prenom, "nom": nom, "telephone": telephone, "lien": lien} | autres


def test_un_seul_foyer_ne_parle_pas_d_un_autre(enfant, familles_de):
    assert "autre foyer" not in " ".join(pages(inscription(enfant("Adam"), familles_de("benali"))))


def test_un_enfant_sans_dossier_a_sa_fiche(enfant, familles_de):
    Enfant.objects.filter(prenom="Zoé").update(date_naissance=None, ecole=None, classe=None, niveau="")
    document = inscription(enfant("Zoé"), familles_de("martin"))
    assert len(pages(document)) == 2
    assert absents(["Zoé", "Madame Sophie Martin", "Né(e) le", "Méningocoque B"], document) == ["Né(e) le"]


# --- Too much for the paper ------------------------------------------------------------------------------

PRENOM = "Marie-Charlotte-Élisabeth-Guillemette-Wilhelmine Anne-Sophie-Christophe-Sabrina"[:80]
NOM = "Wojciechowska-Montmorency-Luxembourg-de-La-Rochefoucauld d'Estrées-Vandenbrouck"[:80]
TEXTES_LONGS = {
    "phrases": ("Prendre l'appareil, vérifier la date, appeler le quinze puis les parents. " * 30)[:2000],
    "majuscules": ("ADMINISTRER IMMÉDIATEMENT LE MÉDICAMENT WWWW MMMM WWWW MMMM. " * 40)[:2000],
    "lignes": "a\n" * 1000,
    "un seul mot": "W" * 2000,
}
SANTE_TEXTES = [nom for nom, _ in fiches.TEXTES]


def remplir(enfant, foyers):
    """Every column as long as it may be, in both households."""
    ecole = Ecole.objects.create(
        nom="École élémentaire intercommunale Marguerite-Yourcenar de Saint-Rémy-en-Bouzemont et Saint-Genest"
    )
    classe = Classe.objects.create(ecole=ecole, nom="Petite, moyenne et grande sections de Mme Wilhelmine-A. Roy")
    Enfant.objects.filter(pk=enfant.pk).update(
        prenom=PRENOM, nom=NOM, lieu_naissance="Saint-Rémy-en-Bouzemont-Saint-Genest-et-Isson " * 2, ecole=ecole
    )
    Enfant.objects.filter(pk=enfant.pk).update(classe=classe, niveau="TPS", regime="PANIER_PAI", date_naissance=JOUR)
    fait = {vaccin.code: "2024-03-14" for vaccin in Vaccin.objects.order_by("pk")}
    modifier_sante(
        enfant,
        {"a_pai": True, "pai_revision": JOUR, "allergenes": Allergene.values, "vaccinations": fait}
        | {"medecin_nom": f"Docteur {NOM}", "medecin_telephone": "+352 621 123 456 789"},
    )
    Sante.objects.filter(enfant=enfant).update(vaccins_etat="CONTRE_INDICATION", vaccins_jusqu_au=JOUR)
    modifier_informations(
        enfant,
        dict.fromkeys(("lunettes", "appareil_dentaire", "appareil_auditif"), True)
        | {"autre_appareil": "Corset et attelles, pompe à insuline. " * 5, "assurance_compagnie": "Mutuelle " * 11}
        | {"assurance_numero": "W" * 40, "assurance_fin": JOUR},
    )
    for foyer in foyers:
        _remplir_foyer(enfant, foyer)


def _remplir_foyer(enfant, foyer):
    if foyer.responsables.count() == 1:
        compte = Utilisateur.objects.create(identifiant=f"conjoint{foyer.pk}")
        Responsable.objects.create(famille=foyer, rang=2, utilisateur=compte)
    Utilisateur.objects.filter(responsable__famille=foyer).update(
        prenom=PRENOM, nom=NOM, courriel=f"{'marie-charlotte.' * 14}@montmorency.example"
    )
    telephones = dict.fromkeys(("telephone_mobile", "telephone_fixe", "telephone_travail"), "+352 621 123 456 789")
    foyer.responsables.update(
        civilite="MME", profession="Ingénieure de recherche " * 4, employeur="Établissement public " * 4, **telephones
    )
    Famille.objects.filter(pk=foyer.pk).update(
        nom=f"{NOM} {NOM}", adresse="1234 bis boulevard de la Libération, " * 4, complement="Bâtiment C, porte 12, " * 7
    )
    PersonneAutorisee.objects.filter(enfant=enfant, famille=foyer).delete()
    PersonneAutorisee.objects.bulk_create(
        PersonneAutorisee(
            enfant=enfant,
            famille=foyer,
            ordre=ordre,
            prenom=PRENOM,
            nom=NOM,
            lien="Arrière-grand-mère maternelle, ou la nounou le mercredi soir",
            telephone="+352 621 123 456 789",
            urgence=True,
            piece="PASSEPORT",
        )
        for ordre in range(1, 13)
    )


@pytest.fixture
def rempli(enfant, familles_de):
    """Inès, with the longest file that the forms allow."""
    foyers = [familles_de("benali"), familles_de("rossi")]
    remplir(enfant("Inès"), foyers)
    return Enfant.objects.get(prenom=PRENOM), foyers


@pytest.mark.parametrize("texte", TEXTES_LONGS)
def test_le_plus_long_des_dossiers_tient_sur_deux_pages(texte, rempli):
    enfant, (foyer, _) = rempli
    modifier_sante(enfant, dict.fromkeys(SANTE_TEXTES, TEXTES_LONGS[texte]))
    document = inscription(enfant, foyer)
    assert len(pages(document)) == 2
    attendus = [PRENOM, NOM, "et 11 autres, voir le portail.", "À revoir le : 05/10/2026", "la CNIL"]
    assert absents(attendus, document) == []
    if texte != "un seul mot":
        assert pages(document)[1].count(SUITE) == 4


@pytest.mark.parametrize("texte", TEXTES_LONGS)
def test_la_plus_longue_des_fiches_d_urgence_tient_sur_une_page(texte, rempli, agent, comptes):
    enfant, _ = rempli
    modifier_sante(enfant, dict.fromkeys(SANTE_TEXTES, TEXTES_LONGS[texte]))
    SuspensionAcces.objects.create(enfant=enfant, adulte=comptes["benali"].responsable, motif="Jugement")
    enfants = [enfant, *Enfant.objects.filter(prenom__in=["Léa", "Tom"])]
    lues = pages(fiches.imprimer_urgences(enfants, par=agent))
    assert len(lues) == 3
    (page,) = [page for page in lues if PRENOM[:20] in page]
    assert plier(PRENOM + NOM) in plier(page.partition(" né")[0])
    assert "Rentre seule : oui." in page  # its last words
    assert "et 23 autres, voir le portail." in page


def test_un_texte_qui_a_sa_place_n_est_pas_coupe(enfant, famille_durand, agent):
    lea = enfant("Léa")
    texte = "Une phrase de vingt-neuf lettres. " * 30  # 1,000 characters, the others short
    modifier_sante(lea, {"traitements": texte, "recommandations": "Lunettes au tableau."})
    document = inscription(enfant("Léa"), famille_durand)
    assert absents([texte], document) == []
    assert absents([texte], fiches.imprimer_urgences([lea], par=agent)) == []
    assert len(pages(document)) == 2


def test_douze_personnes_se_coupent_et_se_comptent(enfant, famille_durand):
    lignes = [personne(f"Nom{'abcdefghijkl'[i]}", "Durand", "06 39 98 10 50", "Oncle") for i in range(12)]
    for numero, ligne in enumerate(lignes):
        ligne |= {"cle": f"00000000-0000-4000-8000-0000000000{numero:02}", "ordre": str(numero + 1)}
    remplacer_personnes(enfant("Léa"), famille_durand, lignes)
    document = inscription(enfant("Léa"), famille_durand)
    vues = [ligne["prenom"] for ligne in lignes if ligne["prenom"] in " ".join(pages(document))]
    assert vues == [ligne["prenom"] for ligne in lignes[:8]]
    assert absents(["… et 4 autres, voir le portail."], document) == []


@pytest.mark.parametrize(
    ("besoins", "total", "parts"),
    [
        ([1, 2, 3, 4], 10, [1, 2, 3, 4]),
        ([1, 2, 3, 4], 30, [1, 2, 3, 4]),
        ([20, 1, 20, 1], 10, [4, 1, 4, 1]),
        ([20, 20, 20, 20], 8, [2, 2, 2, 2]),
        ([0, 9, 0, 30], 20, [0, 9, 0, 11]),
        ([5, 5, 5], 10, [3, 3, 4]),
    ],
)
def test_les_textes_se_partagent_les_lignes(besoins, total, parts):
    assert fiches.repartir(besoins, total) == parts


# --- The file itself -------------------------------------------------------------------------------------


@pytest.mark.parametrize("papier", ["vierge", "inscription", "urgence"])
def test_le_pdf_est_accessible(papier, enfant, famille_durand, agent, caplog):
    with caplog.at_level(logging.WARNING):
        document, titre = {
            "vierge": lambda: (fiches.imprimer_vierge(jour=JOUR), "Fiche d'inscription 2026-2027"),
            "inscription": lambda: (
                inscription(enfant("Léa"), famille_durand),
                "Fiche d'inscription 2026-2027 de Léa Durand",
            ),
            "urgence": lambda: (fiches.imprimer_urgences([enfant("Léa")], par=agent), "Fiches d'urgence"),
        }[papier]()
    lecteur = PdfReader(io.BytesIO(document))
    racine = lecteur.trailer["/Root"]
    assert lecteur.metadata.title == titre
    assert racine["/Lang"] == "fr"
    assert racine["/MarkInfo"]["/Marked"]
    assert racine["/ViewerPreferences"]["/DisplayDocTitle"]
    assert "pdfuaid" in racine["/Metadata"].get_object().get_data().decode()
    assert {police["/BaseFont"][8:] for page in lecteur.pages for police in polices(page)} <= {
        "DejaVu-Sans",
        "DejaVu-Sans-Bold",
    }
    assert caplog.messages == []
    assert len(document) < 100_000


def polices(page):
    return [police.get_object() for police in page["/Resources"]["/Font"].values()]


def test_la_fiche_s_ouvre_dans_le_navigateur_sous_le_prenom_de_l_enfant(connecter, enfant):
    reponse = connecter("durand2").get(f"/mes-enfants/{enfant('Léa').uuid}/fiche-inscription.pdf")
    assert (reponse.status_code, reponse["Content-Type"]) == (200, "application/pdf")
    assert reponse["Content-Disposition"] == 'inline; filename="fiche-inscription-lea.pdf"'
    assert reponse["Cache-Control"] == "no-store"


def test_un_prenom_que_l_ascii_ignore_donne_un_nom_de_fichier(connecter, enfant):
    Enfant.objects.filter(prenom="Léa").update(prenom="莉亚")
    reponse = connecter("durand").get(f"/mes-enfants/{enfant('莉亚').uuid}/fiche-inscription.pdf")
    assert reponse["Content-Disposition"] == 'inline; filename="fiche-inscription.pdf"'


@pytest.mark.parametrize("page", ["/documents/", "/mes-enfants/{uuid}/"])
def test_sans_pdf_la_famille_revient_a_sa_page(page, connecter, enfant, monkeypatch):
    def en_panne(*args):
        raise pdf.PdfIndisponible("Il manque des bibliothèques.")

    monkeypatch.setattr(pdf, "rendre", en_panne)
    page = page.format(uuid=enfant("Léa").uuid)
    reponse = connecter("durand").get(f"{page}fiche-inscription.pdf")
    assert (reponse.status_code, reponse["Location"]) == (302, page)
    assert [str(m) for m in get_messages(reponse.wsgi_request)] == ["Les PDF ne sont pas disponibles pour le moment."]


def test_l_acces_suspendu_ferme_aussi_la_fiche(connecter, enfant, comptes):
    lea = enfant("Léa")
    SuspensionAcces.objects.create(enfant=lea, adulte=comptes["durand2"].responsable, motif="Jugement")
    adresse = f"/mes-enfants/{lea.uuid}/fiche-inscription.pdf"
    assert [connecter(qui).get(adresse).status_code for qui in ("durand", "durand2")] == [200, 404]


# --- The emergency sheets --------------------------------------------------------------------------------


def test_la_fiche_d_urgence_dit_comment_soigner_et_qui_appeler(enfant, familles_de, agent):
    ines = enfant("Inès")
    modifier_sante(
        ines,
        {"a_pai": True, "pai_revision": date(2027, 9, 1), "pai_consignes": "Stylo dans la trousse rouge."}
        | {"allergenes": ["arachides", "lait"], "allergies": "Urticaire géante.", "traitements": "Sirop le soir."}
        | {"medecin_nom": "Dr Paul Renaud", "medecin_telephone": "02 61 91 50 20"},
    )
    remplacer_personnes(ines, familles_de("rossi"), [personne("Ada", "Rossi", "06 39 98 30 99", "Marraine")])
    (page,) = pages(fiches.imprimer_urgences([ines], par=agent))
    attendus = [
        "Inès Benali",
        "CM1-CM2 de Mme Roy, École élémentaire du Bourg",
        "Repas : Sans porc. Pas de photo ni de vidéo.",
        "Allergies : Arachides, Lait",
        "Urticaire géante.",
        "PAI : oui, à revoir le 1er septembre 2027",
        "Stylo dans la trousse rouge.",
        "Sirop le soir.",
        "Appareils : Appareil dentaire",
        "Médecin traitant : Dr Paul Renaud, 02 61 91 50 20",
        "Soins d'urgence et transport à l'hôpital autorisés : oui",
        "1 Monsieur Karim Benali Responsable, foyer Benali 06 39 98 30 01 mobile",
        "2 Madame Elena Rossi Responsable, foyer Rossi 06 39 98 30 02 mobile",
        "Monsieur Karim Benali, Madame Elena Rossi, ",
        "Samia Benali (Tante)",
        "Ada Rossi (Marraine)",
        "Rentre seule : oui.",
        "par Nadia Petit",
    ]
    assert [attendu for attendu in attendus if attendu not in page] == []
    assert page.index("3 Samia Benali") < page.index("4 Ada Rossi")  # both first on the list of their household


def test_les_personnes_s_appellent_dans_l_ordre_des_foyers(enfant, famille_durand, agent):
    PersonneAutorisee.objects.filter(prenom="Marc").update(urgence=True, ordre=1)
    PersonneAutorisee.objects.filter(prenom="Odile").update(ordre=2)
    (page,) = pages(fiches.imprimer_urgences([enfant("Léa")], par=agent))
    assert page.index("3 Marc Durand") < page.index("4 Odile Durand")


def test_qui_n_a_plus_acces_a_l_enfant_n_est_ni_appele_ni_attendu(enfant, comptes, agent):
    lea, hier = enfant("Léa"), timezone.localdate() - timedelta(days=1)
    julien, claire = comptes["durand2"].responsable, comptes["durand"].responsable
    SuspensionAcces.objects.create(enfant=lea, adulte=julien, motif="Jugement du 3 mars")
    SuspensionAcces.objects.create(enfant=lea, adulte=claire, motif="Levée", valable_du=hier, valable_au=hier)
    (page,) = pages(fiches.imprimer_urgences([lea], par=agent))
    assert "ne pas confier l'enfant : Monsieur Julien Durand Santé" in page
    assert page.count("Julien") == 1
    assert julien.telephone_mobile not in page
    assert "Jugement" not in page
    assert "1 Madame Claire Durand" in page


def test_un_foyer_quitte_n_est_plus_sur_la_fiche(enfant, familles_de, agent):
    ines = enfant("Inès")
    detacher(ines, familles_de("benali"), a_partir_du=timezone.localdate())
    (page,) = pages(fiches.imprimer_urgences([ines], par=agent))
    assert [nom for nom in ("Karim", "Samia", "Elena") if nom in page] == ["Elena"]


@pytest.mark.parametrize(
    ("sante", "phrase"),
    [
        (None, "Sa fiche sanitaire n'est pas remplie."),
        ({"medecin_nom": "Dr No"}, "Ni allergie, ni PAI, ni traitement signalés."),
        ({"traitements": "Sirop."}, None),
        ({"recommandations": "Repos."}, None),
        ({"allergenes": ["lait"]}, None),
    ],
)
def test_l_absence_de_sante_se_dit_sans_se_confondre(sante, phrase, enfant, agent):
    tom = enfant("Tom")
    if sante:
        modifier_sante(tom, sante)
    (page,) = pages(fiches.imprimer_urgences(Enfant.objects.filter(pk=tom.pk), par=agent))
    phrases = ["Sa fiche sanitaire n'est pas remplie.", "Ni allergie, ni PAI, ni traitement signalés."]
    assert [p for p in phrases if p in page] == ([phrase] if phrase else [])
    assert "autorisés : non renseigné" in page


def test_les_fiches_se_suivent_par_classe_puis_par_nom(enfant, agent, famille_durand):
    blanc = Classe.objects.get(nom="CE1-CE2 de M. Blanc")
    for prenom, nom in (("Ève", "Élan"), ("Max", "Zola"), ("Ana", "Elan")):
        Enfant.objects.create(prenom=prenom, nom=nom, ecole=blanc.ecole, classe=blanc)
    Enfant.objects.create(prenom="Sans", nom="Classe")
    lues = pages(fiches.imprimer_urgences(Enfant.objects.order_by("-pk"), par=agent))
    noms = ["Tom Durand", "Adam Benali"]  # « École des Pommiers » comes before « École élémentaire »
    noms += ["Léa Durand", "Ana Elan", "Ève Élan", "Max Zola", "Inès Benali", "Zoé Martin", "Sans Classe"]
    assert [next((nom for nom in noms if f"Fiche d'urgence {nom}" in page), page) for page in lues] == noms


def test_imprimer_se_note_sur_chaque_enfant(enfant, agent):
    fiches.imprimer_urgences([enfant("Léa"), enfant("Adam")], par=agent)
    notes = ConsultationSante.objects.order_by("enfant__prenom").values_list("enfant__prenom", "par", "page")
    assert list(notes) == [("Adam", agent.pk, "Fiche d'urgence"), ("Léa", agent.pk, "Fiche d'urgence")]


@pytest.mark.parametrize("panne", ["verifier", "rendre"])
def test_ce_qui_n_est_pas_imprime_n_est_pas_note(panne, enfant, agent, monkeypatch):
    def en_panne(*args):
        raise pdf.PdfIndisponible("Il manque des bibliothèques.")

    monkeypatch.setattr(pdf, panne, en_panne)
    with pytest.raises(pdf.PdfIndisponible):
        fiches.imprimer_urgences([enfant("Léa")], par=agent)
    assert not ConsultationSante.objects.exists()


def test_trop_de_fiches_a_la_fois(agent):
    enfants = [Enfant(prenom="Un", nom="Essai") for _ in range(61)]
    with pytest.raises(fiches.TropDeFiches) as refus:
        fiches.imprimer_urgences(enfants, par=agent)
    assert str(refus.value) == "61 fiches, c'est trop à la fois\u00a0: 60 au plus."
    assert not ConsultationSante.objects.exists()


def test_sans_enfant_pas_de_fiche(agent):
    assert fiches.imprimer_urgences(Enfant.objects.none(), par=agent) is None


def test_cinq_fiches_ne_coutent_pas_plus_de_requetes_qu_une(agent, enfant, comptes):
    SuspensionAcces.objects.create(enfant=enfant("Léa"), adulte=comptes["durand2"].responsable, motif="Jugement")
    assert Rattachement.objects.values("famille").distinct().count() == 4
    couts = []
    for choix in (Enfant.objects.filter(prenom="Léa"), Enfant.objects.order_by("pk")):
        fiches.imprimer_urgences(choix, par=agent)
        with CaptureQueriesContext(connection) as requetes:
            fiches.imprimer_urgences(choix.all(), par=agent)
        couts.append([requete["sql"][:80] for requete in requetes.captured_queries])
    assert len(couts[0]) == len(couts[1]), couts[1]
