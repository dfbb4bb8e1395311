"""The agents' queue and conversation: who reads what, what each button does, two agents at once."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from demandes.models import Demande
from enfants.models import Enfant, SuspensionAcces
from familles.models import Responsable, Utilisateur
from messagerie import actions
from messagerie.models import Fil, Message, ReponseType, ServiceMairie
from tests.fabrique import PDF_SAIN
from tests.portail.conftest import texte

pytestmark = pytest.mark.django_db

FILE = "/admin/messagerie/fil/"


def adulte(identifiant):
    return Responsable.objects.select_related("famille", "utilisateur").get(utilisateur__identifiant=identifiant)


@pytest.fixture
def service(distribution):
    Fil.objects.all().delete()
    return ServiceMairie.objects.get(code="enfance-jeunesse")


@pytest.fixture
def ecrire(service, monkeypatch):
    """``ecrire("durand", "Cantine")``: a thread that waits, each a minute younger than the one before."""
    debut, ecrits = timezone.now() - timedelta(hours=5), []

    def ecrire(identifiant, sujet="Cantine", corps="Bonjour", **autres):
        valeurs = {"service": service, "cle": uuid4(), **autres}
        fil = actions.ecrire(adulte(identifiant), sujet=sujet, corps=corps, **valeurs).fil
        if valeurs["service"] is None:  # as before the mairie had services
            Fil.objects.filter(pk=fil.pk).update(service=None)
        ecrits.append(fil)
        le = debut + timedelta(minutes=len(ecrits))
        # A thread of nobody's: a family's own goes to a service, those of before may not.
        Fil.objects.filter(pk=fil.pk).update(famille_le=le, dernier_le=le, service=valeurs["service"])
        return Fil.objects.get(pk=fil.pk)

    return ecrire


def page(fil):
    return f"{FILE}{fil.pk}/change/"


def geste(navigateur, fil, **saisie):
    return navigateur.post(f"{FILE}{fil.pk}/repondre/", {"vu": dernier(fil), "cle": str(uuid4()), **saisie})


def dernier(fil):
    return fil.messages.order_by("pk").last().pk


def sujets(navigateur, filtres=""):
    reponse = navigateur.get(FILE + filtres)
    assert reponse.status_code == 200
    return [fil.sujet for fil in reponse.context["cl"].result_list]


# --- The queue ---------------------------------------------------------------------------------------------


@pytest.fixture
def file(ecrire, service, comptes):
    """One of each: read, new, answered, closed, information, another service's, nobody's."""
    agent, autre = comptes["agent"], ServiceMairie.objects.get(code="comptabilite")
    actions.ouvrir(ecrire("durand", "Lu"), par=agent)
    ecrire("martin", "Ancien")
    ecrire("benali", "Récent")
    actions.repondre_a_la_famille(ecrire("durand", "Répondu"), par=agent, corps="Oui", cle=uuid4())
    actions.clore(ecrire("durand", "Clos"), par=agent)
    actions.notifier(adulte("rossi").famille, sujet="Information", corps="…", par=None, service=service)
    ecrire("durand", "Facture", service=autre)
    ecrire("durand", "À la mairie", service=None)


FILTRES = {
    "": ["Ancien", "Récent", "À la mairie", "Lu"],
    "?etat=repondues": ["Répondu"],
    "?etat=sans-reponse": ["Information", "Clos"],
    "?etat=inconnu": ["Ancien", "Récent", "À la mairie", "Lu"],
    "?famille=durand": ["À la mairie", "Lu"],
    "?confie=moi": ["Récent"],
    "?confie=personne": ["Ancien", "À la mairie", "Lu"],
    "?service=999999999999999999999": ["Ancien", "Récent", "À la mairie", "Lu"],
}


@pytest.mark.parametrize("filtres", FILTRES)
def test_la_file_montre_d_abord_ce_qui_n_est_pas_lu_puis_le_plus_ancien(filtres, file, connecter, comptes):
    actions.confier(Fil.objects.get(sujet="Récent"), comptes["agent"])
    assert sujets(connecter("agent"), filtres) == FILTRES[filtres]


def test_la_file_complete_finit_par_ce_qui_n_attend_pas(file, connecter):
    assert sujets(connecter("agent"), "?etat=toutes") == [
        *["Ancien", "Récent", "À la mairie", "Lu"],
        *["Information", "Répondu", "Clos"],
    ]
    assert sujets(connecter("comptable")) == ["Facture", "À la mairie"]


def test_la_recherche_lit_les_messages_sans_les_accents(ecrire, connecter):
    ecrire("durand", "Goûter", corps="Léa est allergique à l'œuf et au céleri")
    ecrire("martin", "Cantine", corps="Bonjour")
    agent = connecter("agent")
    cherches = ["celeri", "GOUTER lea", "martin", "sophie cantine", "céleri martin", "%", "a\\"]
    assert {mots: sujets(agent, f"?q={mots}".replace(" ", "+").replace("%", "%25")) for mots in cherches} == {
        "celeri": ["Goûter"],
        "GOUTER lea": ["Goûter"],
        "martin": ["Cantine"],
        "sophie cantine": ["Cantine"],
        "céleri martin": [],
        "%": [],
        "a\\": [],
    }


def test_zero_et_un_se_comptent_au_singulier(service, ecrire, connecter):
    def compteur():
        return [(c.nombre, c.libelle) for c in connecter("agent").get("/admin/").context["compteurs"]][1]

    assert compteur() == (0, "message à lire")
    ecrire("durand")
    assert compteur() == (1, "message à lire")


def test_les_compteurs_sont_ceux_des_services_de_l_agent(file, connecter):
    def compteurs(qui):
        vus = connecter(qui).get("/admin/").context["compteurs"]
        return [(c.nombre, c.libelle) for c in vus if "message" in c.libelle]

    assert {qui: compteurs(qui) for qui in ("agent", "comptable", "animateur", "tresorerie")} == {
        "agent": [(3, "messages à lire"), (1, "message lu, sans réponse")],
        "comptable": [(2, "messages à lire")],
        "animateur": [],
        "tresorerie": [],
    }


def test_un_service_dont_le_seul_agent_est_parti_reste_lu(ecrire, connecter):
    fil = ecrire("durand")
    comptable = connecter("comptable")
    assert comptable.get(page(fil)).status_code == 404
    Utilisateur.objects.filter(identifiant="agent").update(is_active=False)
    assert comptable.get(page(fil)).status_code == 200


# --- The conversation --------------------------------------------------------------------------------------


def test_la_page_montre_l_echange_et_le_dossier(ecrire, connecter, comptes):
    demande = Demande.objects.en_attente().get(famille=adulte("durand").famille)
    fil = ecrire("durand", objet=actions.Objet(f"demande/{demande.uuid}", "Info CAF", demande.get_absolute_url()))
    actions.repondre_a_la_famille(fil, par=comptes["agent"], corps="Oui", cle=uuid4())
    actions.marquer_lu(fil, adulte("durand2"))
    reponse = connecter("agent").get(page(fil))
    lus = [(m.de, m.corps, [lu.partition(",")[0] for lu in m.lu_par]) for m in reponse.context["echanges"]]
    assert lus == [("Claire Durand", "Bonjour", []), ("Nadia Petit", "Oui", ["Julien Durand"])]
    dossier = reponse.context["dossier"]
    enfants = list(Enfant.objects.filter(prenom__in=["Léa", "Tom"]).order_by("date_naissance"))
    assert ([str(a) for a in dossier["adultes"]], dossier["enfants"]) == (["Claire Durand", "Julien Durand"], enfants)
    assert [titre for titre, _, _ in dossier["demandes"]] == [demande.titre]
    assert dossier["a_propos"] == ("Info CAF", f"/admin/demandes/demande/{demande.pk}/change/")
    vu = texte(reponse)
    attendus = ['href="tel:0639981001"', "claire.durand@famille.example", "12 rue des Vergers"]
    attendus += [f"/admin/enfants/enfant/{enfant.pk}/change/" for enfant in enfants]
    assert [mot for mot in attendus if mot not in vu] == []


def test_le_dossier_ne_montre_que_ce_que_l_agent_peut_ouvrir(ecrire, connecter):
    """The accounts do not open the children's files, nor demandes about health."""
    lea = Enfant.objects.get(prenom="Léa")
    compte = adulte("durand").utilisateur
    Demande.objects.filter(famille=adulte("durand").famille).delete()
    sante = Demande.objects.create(type="sante", famille=adulte("durand").famille, enfant=lea, deposee_par=compte)
    objets = {
        "sante": actions.Objet(f"demande/{sante.uuid}", "Données sanitaires de Léa", "/"),
        "enfant": actions.Objet(f"enfant/{lea.uuid}", "Léa", "/"),
        "forgé": actions.Objet("enfant/x", "Léa ?", "/"),
    }
    fils = {nom: ecrire("durand", nom, service=None, objet=objet) for nom, objet in objets.items()}
    vus = {
        qui: {nom: connecter(qui).get(page(fil)).context["dossier"] for nom, fil in fils.items()}
        for qui in ("agent", "comptable")
    }
    assert {qui: [d["a_propos"][1] != "" for d in dossiers.values()] for qui, dossiers in vus.items()} == {
        "agent": [True, True, False],
        "comptable": [False, False, False],
    }
    assert [len(vus[qui]["enfant"][quoi]) for qui in vus for quoi in ("enfants", "demandes")] == [2, 1, 0, 0]


def test_un_agent_d_une_ecole_ne_voit_que_ses_enfants(ecrire, connecter, comptes):
    fil = ecrire("durand", service=None)
    comptes["animateur"].user_permissions.add(Permission.objects.get(codename="view_fil"))
    dossier = connecter("animateur").get(page(fil)).context["dossier"]
    assert ([enfant.prenom for enfant in dossier["enfants"]], dossier["url"]) == (["Léa"], "")


@pytest.mark.parametrize("quoi", ["enfant", "demande", ""])
def test_un_agent_sait_qu_un_adulte_suspendu_lit_l_echange(quoi, ecrire, connecter, deposer):
    """The thread began before: nothing of the child must be told in it from now on."""
    lea = Enfant.objects.get(prenom="Léa")
    demande = deposer("durand", "informations", enfant=lea, regime="VEGETARIEN") if quoi == "demande" else None
    cles = {"enfant": f"enfant/{lea.uuid}", "demande": demande and f"demande/{demande.uuid}", "": ""}
    objet = actions.Objet(cles[quoi], "Léa")
    fil, seul = ecrire("durand", objet=objet), ecrire("durand", objet=objet, prive=True)
    phrase = "Julien Durand lit cet échange, mais son accès à l'enfant concerné est suspendu."
    agent = connecter("agent")
    assert phrase not in texte(agent.get(page(fil)))
    SuspensionAcces.objects.create(enfant=lea, adulte=adulte("durand2"), motif="Jugement")
    vues = [phrase in texte(agent.get(page(un))) for un in (fil, seul)]
    assert vues == [bool(quoi), False]


def test_la_famille_voit_quand_la_mairie_a_lu(ecrire, connecter, comptes):
    fil = ecrire("durand", service=None)
    comptes["tresorerie"].user_permissions.add(Permission.objects.get(codename="view_fil"))
    lus = {}
    for qui in ("tresorerie", "agent", "comptable"):
        assert connecter(qui).get(page(fil)).status_code == 200
        fil.refresh_from_db()
        lus[qui] = fil.lu_mairie_par
    assert lus == {"tresorerie": None, "agent": comptes["agent"], "comptable": comptes["agent"]}, "qui peut répondre"


# --- Answering ---------------------------------------------------------------------------------------------


def test_repondre_mene_au_suivant_qui_attend(ecrire, connecter, comptes):
    ancien, fil, suivant, au_collegue = (ecrire("durand", f"n° {n}") for n in range(4))
    actions.confier(au_collegue, comptes["admin"])
    agent = connecter("agent")
    reponse = geste(agent, fil, corps="C'est noté.", pieces=[SimpleUploadedFile("note.pdf", PDF_SAIN)])
    assert reponse.url == page(suivant)
    message = fil.messages.order_by("pk").last()
    assert (message.corps, message.auteur, message.de_la_mairie, message.pieces.get().nom) == (
        "C'est noté.",
        comptes["agent"],
        True,
        "note.pdf",
    )
    fil.refresh_from_db()
    assert fil.etat == Fil.Etat.REPONDU
    assert geste(agent, suivant, corps="Oui").url == page(ancien), "après le dernier, le premier"
    assert geste(agent, ancien, corps="Oui").url == FILE


def test_un_double_clic_ne_repond_qu_une_fois(ecrire, connecter):
    fil, cle = ecrire("durand"), str(uuid4())
    agent, vu = connecter("agent"), dernier(fil)
    for _ in range(2):
        assert geste(agent, fil, corps="Oui", cle=cle, vu=vu).status_code == 302
    assert fil.messages.filter(de_la_mairie=True).count() == 1


def test_deux_agents_le_second_relit_et_garde_son_texte(ecrire, connecter):
    fil = ecrire("durand")
    vu = dernier(fil)
    assert geste(connecter("agent"), fil, corps="Oui", vu=vu).status_code == 302
    reponse = geste(connecter("admin"), fil, corps="Non, désolée", vu=vu)
    lu = texte(reponse)
    assert reponse.status_code == 409
    assert "Nadia Petit vient d'écrire dans cet échange." in lu
    assert ("Non, désolée" in lu, [m.corps for m in reponse.context["echanges"]]) == (True, ["Bonjour", "Oui"])
    assert f'name="vu" value="{dernier(fil)}"' in lu
    assert geste(connecter("admin"), fil, corps="Non, désolée", vu=reponse.context["vu"]).status_code == 302
    assert fil.messages.filter(de_la_mairie=True).count() == 2


def test_ce_que_dit_le_portail_entre_temps_n_est_pas_de_la_famille(ecrire, connecter):
    fil = ecrire("durand")
    vu = dernier(fil)
    Message.objects.create(fil=fil, de_la_mairie=True, corps="Votre demande est acceptée.")
    assert "Le portail vient d'écrire" in texte(geste(connecter("agent"), fil, corps="Oui", vu=vu))


def test_clore_n_efface_pas_ce_que_la_famille_vient_d_ecrire(ecrire, connecter, comptes):
    fil = ecrire("durand")
    vu, agent = dernier(fil), connecter("agent")
    actions.repondre(fil, adulte=adulte("durand2"), corps="Encore une chose", cle=uuid4())
    reponse = geste(agent, fil, geste="clore", vu=vu)
    assert (reponse.status_code, "La famille vient d'écrire" in texte(reponse)) == (409, True)
    fil.refresh_from_db()
    assert fil.etat == Fil.Etat.EN_ATTENTE
    assert geste(agent, fil, geste="clore").url == FILE
    fil.refresh_from_db()
    assert (fil.etat, fil.lu_mairie_par) == (Fil.Etat.CLOS, comptes["agent"])


def test_un_grand_numero_de_message_reste_un_numero(ecrire, connecter):
    """Printed the French way, 12345 would come back as « 12 345 » and every answer be refused."""
    fil = ecrire("durand")
    Message.objects.filter(fil=fil).update(id=12345)
    assert 'name="vu" value="12345"' in texte(connecter("agent").get(page(fil)))


@pytest.mark.parametrize(
    ("saisie", "phrase"),
    [
        ({}, "Écrivez votre réponse."),
        ({"corps": " \n"}, "Écrivez votre réponse."),
        ({"corps": "a\x00b"}, "Le caractère nul n’est pas autorisé."),
        ({"corps": "x" * 10_001}, "Ce texte est trop long"),
        ({"geste": "confier", "agent": "999"}, "Choisissez un agent de ce service."),
        ({"geste": "confier", "agent": "x\x00"}, "Choisissez un agent de ce service."),
        ({"geste": "transferer", "service": ""}, "Choisissez le service qui répondra."),
        ({"geste": "transferer", "service": "9" * 30}, "Choisissez le service qui répondra."),
    ],
)
def test_une_mauvaise_saisie_est_dite_et_rien_n_est_ecrit(saisie, phrase, ecrire, connecter):
    fil = ecrire("durand")
    reponse = geste(connecter("agent"), fil, **saisie)
    assert (reponse.status_code, phrase in texte(reponse)) == (422, True)
    assert (fil.messages.count(), Fil.objects.get(pk=fil.pk).affecte_a) == (1, None)


def test_une_version_ou_une_cle_forgee_fait_relire(ecrire, connecter):
    fil = ecrire("durand")
    for forge in ({"vu": "x"}, {"vu": ""}, {"vu": "²"}):
        assert geste(connecter("agent"), fil, corps="Oui", cle="x", **forge).status_code == 409
    assert geste(connecter("agent"), fil, corps="Oui", cle="x").status_code == 302


def test_une_reponse_toute_prete_rejoint_le_texte_sans_javascript(ecrire, connecter, service):
    fil, agent = ecrire("durand"), connecter("agent")
    autre = ServiceMairie.objects.get(code="comptabilite")
    pretes = {p.libelle: p for p in ReponseType.objects.order_by("pk")}
    proposees = [p.libelle for p in agent.get(page(fil)).context["reponses_types"]]
    assert proposees == ["Bien reçu", "Réserver en ligne"]
    reponse = geste(agent, fil, geste="inserer", reponse=pretes["Bien reçu"].pk, corps="Bonjour Claire")
    assert reponse.status_code == 200
    assert reponse.context["form"].initial["corps"] == "Bonjour Claire\n\n" + pretes["Bien reçu"].texte
    etrangere = ReponseType.objects.get(service=autre)
    for cle in (etrangere.pk, "", "x", "9" * 30):
        reponse = geste(agent, fil, geste="inserer", reponse=cle, corps="Bonjour")
        assert (reponse.status_code, reponse.context["form"].initial["corps"]) == (200, "Bonjour")
    assert fil.messages.count() == 1


# --- Handing over ------------------------------------------------------------------------------------------


def test_confier_propose_les_agents_du_service_soi_d_abord(ecrire, connecter, comptes, service):
    collegue = Utilisateur.objects.create(identifiant="zoe", prenom="Zoé", nom="Abel", is_staff=True)
    service.agents.add(collegue)
    fil, agent = ecrire("durand"), connecter("agent")
    assert agent.get(page(fil)).context["agents"] == [comptes["agent"]], "Zoé ne peut pas encore répondre"
    collegue.groups.set(comptes["agent"].groups.all())
    assert agent.get(page(fil)).context["agents"] == [comptes["agent"], collegue]
    assert geste(agent, fil, geste="confier", agent=collegue.pk).url == page(fil)
    assert Fil.objects.get(pk=fil.pk).affecte_a == collegue
    reponse = geste(agent, fil, geste="confier", agent="", corps="Mon brouillon")
    assert (reponse.status_code, "Mon brouillon" in texte(reponse)) == (200, True)
    assert Fil.objects.get(pk=fil.pk).affecte_a is None


def test_transferer_donne_le_fil_a_l_autre_service(ecrire, connecter, comptes):
    fil, reste = ecrire("durand"), ecrire("martin", "Autre")
    actions.confier(fil, comptes["agent"])
    comptabilite = ServiceMairie.objects.get(code="comptabilite")
    agent = connecter("agent")
    assert geste(agent, fil, geste="transferer", service=comptabilite.pk).url == page(reste)
    fil.refresh_from_db()
    assert (fil.service, fil.affecte_a) == (comptabilite, None)
    assert (agent.get(page(fil)).status_code, sujets(connecter("comptable"))) == (404, ["Cantine"])


@pytest.mark.parametrize(("qui", "attendu"), [("comptable", 404), ("animateur", 403), ("tresorerie", 403)])
def test_un_agent_d_un_autre_service_ne_touche_pas_au_fil(qui, attendu, ecrire, connecter, comptes):
    fil, navigateur = ecrire("durand"), connecter(qui)
    gestes = [{"corps": "x"}, {"geste": "clore"}, {"geste": "confier", "agent": comptes[qui].pk}, {"geste": "inserer"}]
    assert [geste(navigateur, fil, **saisie).status_code for saisie in gestes] == [attendu] * 4
    assert navigateur.get(page(fil)).status_code == attendu
    intact = Fil.objects.get(pk=fil.pk)
    assert (intact.messages.count(), intact.etat, intact.affecte_a, intact.lu_mairie_le) == (
        1,
        Fil.Etat.EN_ATTENTE,
        None,
        None,
    )


# --- Writing to a family -----------------------------------------------------------------------------------


def test_on_ecrit_aux_deux_adultes_ou_a_un_seul(connecter, service):
    agent, famille = connecter("agent"), adulte("durand").famille
    adresse = f"/admin/ecrire-a-une-famille/?famille={famille.pk}"
    saisie = {"service": service.pk, "sujet": "Réunion", "corps": "Bonjour", "cle": str(uuid4())}
    pour_deux = agent.post(adresse, saisie).url
    assert agent.post(adresse, saisie).url == pour_deux, "un double clic écrit une fois"
    saisie |= {"cle": str(uuid4()), "destinataire": adulte("durand2").pk}
    saisie["pieces"] = [SimpleUploadedFile("note.pdf", PDF_SAIN)]
    pour_un = agent.post(adresse, saisie).url
    fils = [(page(f), f.destinataire, f.service, f.etat) for f in Fil.objects.order_by("pk")]
    assert fils == [
        (pour_deux, None, service, Fil.Etat.INFORMATION),
        (pour_un, adulte("durand2"), service, Fil.Etat.INFORMATION),
    ]
    assert agent.get(pour_un).status_code == 200


def test_on_n_ecrit_pas_a_l_adulte_d_un_autre_foyer(connecter, service):
    adresse = f"/admin/ecrire-a-une-famille/?famille={adulte('durand').famille_id}"
    saisie = {"service": service.pk, "sujet": "Réunion", "corps": "Gardé", "destinataire": adulte("martin").pk}
    reponse = connecter("agent").post(adresse, saisie)
    assert (reponse.status_code, "Choisissez un adulte de ce foyer." in texte(reponse)) == (422, True)
    assert ("Gardé" in texte(reponse), Fil.objects.count()) == (True, 0)


def test_la_famille_se_cherche_par_un_nom(connecter, service):
    agent = connecter("agent")
    trouves = {
        mots: [qui for _, qui, _ in agent.get("/admin/ecrire-a-une-famille/", {"q": mots}).context["trouvees"]]
        for mots in ("julien", "INES", "martin sophie", "durand martin", "")
    }
    assert trouves == {
        "julien": ["Claire et Julien Durand"],
        "INES": [],
        "martin sophie": ["Sophie Martin"],
        "durand martin": [],
        "": [],
    }
    for fausse in ("0", "x", "²", "9" * 30, "-1"):
        assert agent.get("/admin/ecrire-a-une-famille/", {"famille": fausse}).status_code == 404


def test_la_page_de_la_famille_mene_a_l_ecrire(connecter, service):
    cle = adulte("durand").famille_id
    lien = f"/admin/ecrire-a-une-famille/?famille={cle}"
    pages = {
        qui: texte(connecter(qui).get(f"/admin/familles/famille/{cle}/change/")) for qui in ("agent", "tresorerie")
    }
    assert {qui: lien in vue for qui, vue in pages.items()} == {"agent": True, "tresorerie": False}


# --- Costs -------------------------------------------------------------------------------------------------


def cout(navigateur, adresse):
    """Queries of the warm page."""
    navigateur.get(adresse)
    with CaptureQueriesContext(connection) as captees:
        assert navigateur.get(adresse).status_code == 200
    return [requete["sql"] for requete in captees.captured_queries]


def test_la_file_et_l_echange_coutent_autant_pour_trois_cents(ecrire, connecter, comptes, service):
    fil, agent = ecrire("durand"), connecter("agent")
    ecrire("martin", "Avant"), ecrire("martin", "Après")
    peu = {adresse: cout(agent, adresse) for adresse in (FILE, page(fil))}
    Fil.objects.bulk_create(
        Fil(
            famille=adulte(("durand", "martin", "benali", "rossi")[n % 4]).famille,
            service=service if n % 2 else None,
            sujet=f"n° {n}",
            etat="EN_ATTENTE",
            famille_le=timezone.now(),
            affecte_a=comptes["admin"] if n % 3 else None,
        )
        for n in range(300)
    )
    Message.objects.bulk_create(Message(fil=fil, de_la_mairie=n % 2 == 0, corps=f"n° {n}") for n in range(300))
    actions.marquer_lu(fil, adulte("durand"))
    beaucoup = {adresse: cout(agent, adresse) for adresse in peu}
    assert {a: len(sqls) for a, sqls in beaucoup.items()} == {a: len(sqls) for a, sqls in peu.items()}
    assert (len(beaucoup[FILE]) <= 10, len(beaucoup[page(fil)]) <= 25) == (True, True), beaucoup
