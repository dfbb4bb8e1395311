"""What a household that lost a child, a suspended adult, or too many papers at once must not get."""

import logging
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from demandes import actions as demandes
from enfants import actions, fiches
from enfants.models import DocumentEnfant, Enfant, PersonneAutorisee, Sante, SuspensionAcces
from portail.outils import pieces
from tests.fabrique import PDF_SAIN

pytestmark = pytest.mark.django_db
PERSONNE = {
    "cle": "", "prenom": "Ami", "nom": "Durand", "lien": "ami", "telephone": "0639981010",
    "peut_chercher": True, "urgence": True, "piece": "", "ordre": "1",
}  # fmt: skip


def _enfant(prenom):
    return Enfant.objects.get(prenom=prenom)


def _quitter(familles_de):
    actions.detacher(_enfant("Inès"), familles_de("rossi"), a_partir_du=timezone.localdate())


def test_un_foyer_quitte_ne_lit_pas_maintenant(connecter, deposer, familles_de):
    demande = deposer("rossi", "sante", enfant=_enfant("Inès"), traitements="ancien")
    _quitter(familles_de)
    actions.modifier_sante(_enfant("Inès"), {"traitements": "SECRET"})
    assert b"SECRET" not in connecter("rossi").get(f"/demandes/{demande.uuid}/").content


def test_un_enfant_archive_ne_se_lit_pas_par_une_demande(connecter, deposer):
    demande = deposer("durand", "sante", enfant=_enfant("Léa"), traitements="ancien")
    Enfant.objects.filter(prenom="Léa").update(archive_le=timezone.localdate())
    actions.modifier_sante(_enfant("Léa"), {"traitements": "SECRET"})
    assert b"SECRET" not in connecter("durand").get(f"/demandes/{demande.uuid}/").content


def test_la_demande_d_un_foyer_quitte_ne_change_plus_le_dossier(deposer, familles_de, comptes):
    demande = deposer("rossi", "sante", enfant=_enfant("Inès"), traitements="d'un autre foyer")
    _quitter(familles_de)
    with pytest.raises(demandes.DecisionImpossible):
        demandes.accepter(demande.pk, par=comptes["agent"])
    assert not Sante.objects.filter(enfant=_enfant("Inès")).exists()


def test_l_agent_sait_que_l_acces_de_qui_demande_est_suspendu(connecter, deposer, comptes):
    demande = deposer("durand", "autorisations", enfant=_enfant("Léa"), personnes=[PERSONNE])
    SuspensionAcces.objects.create(enfant=_enfant("Léa"), adulte=comptes["durand"].responsable, motif="jugement")
    page = connecter("agent").get(f"/admin/demandes/demande/{demande.pk}/change/").content.decode()
    assert "suspendu" in page


def test_les_proches_d_un_foyer_suspendu_ne_viennent_pas_chercher(familles_de):
    rossi, ines = familles_de("rossi"), _enfant("Inès")
    PersonneAutorisee.objects.create(
        enfant=ines, famille=rossi, prenom="Ami", nom="Rossi", lien="ami", telephone="1", urgence=True
    )
    for adulte in rossi.adultes():
        SuspensionAcces.objects.create(enfant=ines, adulte=adulte, motif="jugement")
    enfants = [_enfant("Inès")]
    fiches._completer(enfants, timezone.localdate())
    fiche = fiches._urgence(enfants[0], timezone.localdate(), 8, 32, False)
    assert "Ami Rossi" not in fiche["cherchent"]
    assert "Ami Rossi" not in [appel.nom for appel in fiche["appels"]]


def test_un_animateur_ne_lit_plus_qui_est_parti(connecter):
    Enfant.objects.filter(prenom="Léa").update(archive_le=timezone.localdate() - timedelta(days=900))
    reponse = connecter("animateur").get(f"/admin/enfants/enfant/{_enfant('Léa').pk}/change/")
    assert b"Garnier" not in reponse.content


def test_un_pdf_n_ecrit_pas_la_sante_dans_le_journal(connecter, capfd):
    actions.modifier_sante(_enfant("Léa"), {"traitements": "🥜"})
    connecter("durand").get(f"/mes-enfants/{_enfant('Léa').uuid}/fiche-inscription.pdf")
    assert "🥜" not in capfd.readouterr().err
    assert not logging.getLogger("weasyprint").isEnabledFor(logging.WARNING)


def test_cinq_pieces_en_tout_sont_lues(connecter, monkeypatch):
    lues, vrai = [], pieces.controler
    monkeypatch.setattr(pieces, "controler", lambda envoi: lues.append(envoi) or vrai(envoi))
    envois = {
        nom: [SimpleUploadedFile(f"{n}.pdf", PDF_SAIN) for n in range(5)]
        for nom in ("pieces", "piece_VACCINS", "piece_PAI")
    }
    reponse = connecter("durand").post(f"/mes-enfants/{_enfant('Léa').uuid}/sante/", envois)
    assert reponse.status_code == 422
    assert len(lues) <= 5
    assert not DocumentEnfant.objects.exists()
