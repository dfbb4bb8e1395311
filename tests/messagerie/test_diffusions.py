"""A message to many: exactly its families, each once, even stopped, resumed or handed out by two workers."""

import threading
from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.core import mail
from django.db import connection
from django.utils import timezone

from enfants import destinataires
from enfants.actions import separer
from enfants.models import Enfant, Inscription, Place, Rattachement, Reservation, Service, Site, SuspensionAcces
from enfants.regles.dossier import Manque
from familles.models import Famille, Responsable
from messagerie import diffusions
from messagerie.actions import ecrire_a_la_famille
from messagerie.models import Courriel, Diffusion, EnvoiDiffusion, Fil, Message, PieceMessage, Preference
from messagerie.taches import envoyer_courriels
from portail.echeances import faire_le_menage, passer
from portail.outils.fichiers import lire, ranger

pytestmark = pytest.mark.django_db

LE_JOUR = date(2026, 11, 26)
TOUS = ["benali", "durand", "durand2", "martin", "rossi"]


@pytest.fixture
def lundi(le_23_novembre):
    """The cast on Monday 23 November 2026, inboxes and outbox empty."""
    Fil.objects.all().delete()
    Courriel.objects.all().delete()


def enfant(prenom):
    return Enfant.objects.select_related("ecole", "classe").get(prenom=prenom)


def adulte(identifiant):
    return Responsable.objects.get(utilisateur__identifiant=identifiant)


def lecteurs(foyers):
    """Logins of who will read."""
    return sorted(a.utilisateur.identifiant for foyer in foyers for a in foyer.lecteurs)


def de(*enfants):
    return lecteurs(destinataires.foyers([e.pk for e in enfants], timezone.localdate()))


def suspendre(prenom, identifiant, **periode):
    SuspensionAcces.objects.create(enfant=enfant(prenom), adulte=adulte(identifiant), motif="Jugement", **periode)


def reserver(prenom, identifiant, code="restauration", site="Cantine", **autres):
    """A reservation of that Thursday."""
    service = Service.objects.get(code=code)
    place, _ = Place.objects.get_or_create(service=service, site=Site.objects.get_or_create(nom=site)[0], jour=LE_JOUR)
    famille = adulte(identifiant).famille
    compte = adulte(identifiant).utilisateur
    return Reservation.objects.create(
        enfant=enfant(prenom),
        famille=famille,
        service=service,
        jour=LE_JOUR,
        place=place,
        reservee_par=compte,
        **autres,
    )


@pytest.fixture
def preparer(comptes):
    """``preparer([(family, adult)])``: a message to them."""

    def preparer(cibles, **autres):
        valeurs = {"sujet": "Grève jeudi", "corps": "La cantine est fermée.", "selection": "Essai", "cle": uuid4()}
        valeurs |= {"service": None, "par": comptes["agent"], **autres}
        return diffusions.preparer(destinataires=cibles, **valeurs)

    return preparer


def boites():
    """Login -> subjects that this adult reads."""
    lues = {
        a.utilisateur.identifiant: list(Fil.objects.recus_par(a).values_list("sujet", flat=True))
        for a in Responsable.objects.select_related("utilisateur").order_by("pk")
    }
    return {identifiant: sujets for identifiant, sujets in sorted(lues.items()) if sujets}


# --- Exactly its families ----------------------------------------------------------------------------------


def test_un_message_a_une_classe_n_atteint_que_ses_familles(lundi, preparer):
    Enfant.objects.exclude(prenom__in=["Léa", "Inès"]).update(classe=None)
    Enfant.objects.filter(prenom="Inès").update(classe=enfant("Léa").classe)
    classe = Enfant.objects.filter(classe=enfant("Léa").classe).order_by("pk")
    cles = [cle for foyer in destinataires.foyers([e.pk for e in classe], LE_JOUR) for cle in foyer.cles]
    preparer(cles)
    assert boites() == {}, "rien n'arrive avant l'ouvrier"
    assert diffusions.poursuivre() == 3
    assert boites() == {qui: ["Grève jeudi"] for qui in ("benali", "durand", "durand2", "rossi")}
    envoyer_courriels()
    assert sorted(m.to[0].partition(".")[0] for m in mail.outbox) == ["claire", "elena", "julien", "karim"]
    assert [m.body for m in mail.outbox if "cantine" in m.body.lower()] == []


def test_un_enfant_de_deux_foyers_atteint_les_deux(lundi):
    assert (de(enfant("Inès")), de(enfant("Adam"))) == (["benali", "rossi"], ["benali"])


def test_un_adulte_suspendu_ne_lit_pas_ce_qui_concerne_cet_enfant(lundi, preparer):
    suspendre("Léa", "durand2")
    assert (de(enfant("Léa")), de(enfant("Tom"))) == (["durand"], ["durand", "durand2"])
    assert de(enfant("Léa"), enfant("Tom")) == ["durand", "durand2"], "Tom lui reste ouvert"
    (foyer,) = destinataires.foyers([enfant("Léa").pk], LE_JOUR)
    preparer(foyer.cles)
    diffusions.poursuivre()
    assert boites() == {"durand": ["Grève jeudi"]}


def test_un_foyer_dont_personne_n_a_acces_a_l_enfant_ne_recoit_rien(lundi):
    suspendre("Inès", "rossi")
    assert de(enfant("Inès")) == ["benali"]


def test_une_suspension_finie_ou_a_venir_ne_compte_pas(lundi):
    suspendre("Léa", "durand", valable_du=date(2026, 1, 1), valable_au=date(2026, 11, 22))
    suspendre("Léa", "durand2", valable_du=date(2026, 11, 24))
    assert de(enfant("Léa")) == ["durand", "durand2"]


def test_un_enfant_parti_ou_un_rattachement_fini_ne_mene_nulle_part(lundi):
    assert lecteurs(destinataires.tous_les_foyers(timezone.localdate())) == TOUS
    Enfant.objects.filter(prenom="Zoé").update(archive_le=date(2026, 11, 23))
    Rattachement.objects.filter(famille=adulte("rossi").famille).update(valable_au=date(2026, 11, 22))
    assert lecteurs(destinataires.tous_les_foyers(timezone.localdate())) == ["benali", "durand", "durand2"]
    assert de(enfant("Zoé"), enfant("Inès")) == ["benali"]


def test_qui_a_reserve_ce_jour_la(lundi, comptes):
    reserver("Léa", "durand")
    reserver("Zoé", "martin", site="Autre salle")
    reserver("Inès", "rossi", annulee_le=timezone.now(), annulee_par=comptes["rossi"])
    reserver("Adam", "benali", code="accueil-soir")
    cantine = Service.objects.get(code="restauration")
    trouves = {
        "partout": destinataires.qui_ont_reserve(cantine, LE_JOUR),
        "un site": destinataires.qui_ont_reserve(cantine, LE_JOUR, Site.objects.get(nom="Autre salle")),
        "la veille": destinataires.qui_ont_reserve(cantine, LE_JOUR - timedelta(days=1)),
    }
    assert {quoi: de(*Enfant.objects.filter(pk__in=cles)) for quoi, cles in trouves.items()} == {
        "partout": ["durand", "durand2", "martin"],
        "un site": ["martin"],
        "la veille": [],
    }


def test_qui_est_inscrit_cette_annee(lundi):
    cantine = Service.objects.get(code="restauration")
    for prenom, identifiant, annee, fin in [
        ("Léa", "durand", 2026, date(2027, 8, 31)),
        ("Zoé", "martin", 2025, date(2026, 8, 31)),
        ("Adam", "benali", 2026, date(2026, 10, 1)),
    ]:
        Inscription.objects.create(
            enfant=enfant(prenom),
            famille=adulte(identifiant).famille,
            service=cantine,
            annee=annee,
            valable_du=date(annee, 9, 1),
            valable_au=fin,
        )
    cles = destinataires.inscrits(cantine, 2026, timezone.localdate())
    assert de(*Enfant.objects.filter(pk__in=cles)) == ["durand", "durand2"]


def test_a_qui_il_manque_un_papier(lundi, monkeypatch):
    """As the child's own page says; a missing contact is not a paper."""
    manques = {"Léa": ["contacts"], "Tom": ["ecole"], "Zoé": ["assurance"], "Inès": ["vaccins-page"], "Adam": []}

    def manques_de(enfant, *args):
        return [Manque(code, "…", "sante", False) for code in manques[enfant.prenom]]

    monkeypatch.setattr(destinataires, "manques_de", manques_de)
    cles = destinataires.a_papiers_manquants(timezone.localdate())
    assert de(*Enfant.objects.filter(pk__in=cles)) == ["benali", "martin", "rossi"]


def test_un_mail_part_selon_le_choix_de_chacun(lundi, preparer):
    Preference.objects.create(adulte=adulte("durand"), rythme="AUCUN")
    preparer([(adulte("durand").famille_id, None)])
    diffusions.poursuivre()
    assert boites() == {"durand": ["Grève jeudi"], "durand2": ["Grève jeudi"]}
    assert list(Courriel.objects.values_list("destinataire", flat=True)) == ["julien.durand@famille.example"]


# --- Once --------------------------------------------------------------------------------------------------


def test_le_meme_formulaire_envoye_deux_fois_fait_un_message(lundi, preparer):
    cle, famille = uuid4(), adulte("martin").famille_id
    premiere, seconde = (preparer([(famille, None)], cle=cle) for _ in range(2))
    assert premiere == seconde
    diffusions.poursuivre()
    diffusions.poursuivre()
    assert (Diffusion.objects.count(), Message.objects.count(), Courriel.objects.count()) == (1, 1, 1)


def test_le_meme_formulaire_repris_avec_un_autre_texte_part_aussi(lundi, preparer):
    cle, famille = uuid4(), adulte("martin").famille_id
    for corps in ("Fermé jeudi", "Fermé vendredi"):
        preparer([(famille, None)], corps=corps, cle=cle)
    diffusions.poursuivre()
    assert sorted(Message.objects.values_list("corps", flat=True)) == ["Fermé jeudi", "Fermé vendredi"]


def test_qui_a_change_de_foyer_avant_la_remise_lit_le_message_dans_le_nouveau(lundi, preparer):
    claire = adulte("durand")
    preparer([(claire.famille_id, claire.pk)])
    separer(claire, le=timezone.localdate(), adresse={}, enfants={})
    diffusions.poursuivre()
    assert boites() == {"durand": ["Grève jeudi"]}


def test_un_envoi_arrete_reprend_ou_il_en_etait(lundi, preparer, monkeypatch):
    monkeypatch.setattr(diffusions, "LOT", 2)
    cles = [(famille.pk, None) for famille in Famille.objects.order_by("pk")]
    diffusion = preparer(cles)
    diffusions._remettre_un_lot()
    diffusions.arreter(diffusion)
    assert diffusions.poursuivre() == 0
    avancement = Diffusion.objects.avec_avancement().get()
    assert (avancement.remis, avancement.total) == (2, 4)
    avant = set(Message.objects.values_list("pk", flat=True))
    diffusions.reprendre(diffusion)
    assert diffusions.poursuivre() == 2
    assert avant < set(Message.objects.values_list("pk", flat=True))
    assert boites() == {qui: ["Grève jeudi"] for qui in TOUS}


def test_l_horloge_reprend_ce_qu_un_arret_a_laisse(lundi, preparer):
    preparer([(adulte("martin").famille_id, None)])
    passer()
    assert boites() == {"martin": ["Grève jeudi"]}
    assert [m.to for m in mail.outbox] == [["sophie.martin@famille.example"]], "le courriel part au même passage"


def test_la_plus_ancienne_diffusion_passe_d_abord(lundi, preparer, monkeypatch):
    monkeypatch.setattr(diffusions, "LOT", 1)
    for sujet in ("Première", "Seconde"):
        preparer([(adulte("martin").famille_id, None)], sujet=sujet)
    diffusions._remettre_un_lot()
    assert boites() == {"martin": ["Première"]}


def test_le_menage_garde_les_pieces_des_messages(lundi, preparer, comptes):
    famille = adulte("martin").famille
    noms = [ranger(f"{n}.pdf", "application/pdf", b"%PDF-1.4 essai") for n in range(2)]
    preparer([(famille.pk, None)], pieces=noms[:1])
    valeurs = {"par": comptes["agent"], "service": None, "sujet": "x", "corps": "x", "cle": uuid4()}
    ecrire_a_la_famille(famille, pieces=noms[1:], **valeurs)
    faire_le_menage(maintenant=timezone.now() + timedelta(days=3650))
    assert [lire(piece) for piece in PieceMessage.objects.order_by("pk")] == [b"%PDF-1.4 essai"] * 2


@pytest.mark.django_db(transaction=True)
def test_deux_ouvriers_se_partagent_les_familles(distribution, preparer, monkeypatch):
    """Each holds its first lot until the other has one too: neither waits, neither repeats."""
    monkeypatch.setattr(diffusions, "LOT", 7)
    familles = Famille.objects.bulk_create(Famille(nom=f"Foyer {n}") for n in range(60))
    diffusion = preparer([(famille.pk, None) for famille in familles])
    ensemble, bilans = threading.Barrier(2, timeout=30), []
    remettre, premiers = diffusions.diffuser, set()

    def ensemble_la_premiere_fois(*args, **kwargs):
        if threading.get_ident() not in premiers:
            premiers.add(threading.get_ident())
            ensemble.wait()
        return remettre(*args, **kwargs)

    def ouvrier():
        try:
            bilans.append(diffusions.poursuivre())
        finally:
            connection.close()

    monkeypatch.setattr(diffusions, "diffuser", ensemble_la_premiere_fois)
    ouvriers = [threading.Thread(target=ouvrier) for _ in range(2)]
    for fil in ouvriers:
        fil.start()
    for fil in ouvriers:
        fil.join()
    assert (sum(bilans), min(bilans) >= 7) == (60, True)
    fils = Fil.objects.filter(diffusion=diffusion).values_list("famille", flat=True)
    assert sorted(fils) == sorted(famille.pk for famille in familles)
    assert not EnvoiDiffusion.objects.filter(fait_le=None).exists()
