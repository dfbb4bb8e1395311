"""The planning in a real browser: four weeks for two children, one day cancelled, one that no longer can be, one
absence with a photo, one late day; the agent decides, the cells say so. With a mouse, the keyboard, no JavaScript.

The clock is the real one: the days are found by the portal's own planning, in a service open all year.
"""

import io
from datetime import timedelta

import pytest
from django.utils import timezone
from PIL import Image
from playwright.sync_api import expect

from demandes.models import Demande
from demandes.planning import ouvrir as planning
from enfants import offre
from enfants.models import Enfant, RegleDelai, Reservation
from enfants.planning import enfants_de
from enfants.regles.planning import Geste
from familles.models import Utilisateur
from tests.enfants.service_essai import CODE, ouvrir

pytestmark = pytest.mark.django_db(transaction=True)

PRENOMS = ("Léa", "Tom")
ECRANS = [("telephone", True), ("bureau", True), ("telephone", False), ("bureau", False)]


class Jours:
    """Days that the journey needs, whatever today is: booked three days before at the latest, cancelled sixteen."""

    def __init__(self):
        service = ouvrir(note_retard="le jour coûte le double.")
        for usage, n in (("RESERVER", 3), ("ANNULER", 16)):
            RegleDelai.objects.create(
                service=service,
                usage=usage,
                regle={"type": "jours_avant", "n": n, "heure": "12:00", "compte": "calendaires"},
                valable_du=timezone.localdate() - timedelta(days=400),
            )
        offre.oublier()
        aujourdhui = timezone.localdate()
        self.lundi = aujourdhui + timedelta(days=5)
        self.lundi += timedelta(days=-self.lundi.weekday() % 7)
        voulus = [self.lundi + timedelta(days=7 * n + d) for n in range(4) for d in (0, 3)]
        self.voulus = [jour for jour in voulus if self._cellule(jour).geste(Geste.RESERVER)]
        self.fin = voulus[-1]
        proches = (aujourdhui + timedelta(days=n) for n in (1, 2))
        self.tardif = next(jour for jour in proches if self._cellule(jour).geste(Geste.RESERVER))
        self.passe, self.absence = self.voulus[:2]
        self.annulable = self.voulus[-1]

    def _cellule(self, jour):
        claire = Utilisateur.objects.get(identifiant="durand")
        (lea,) = enfants_de(claire, prenom="Léa")
        vu = planning(claire.adulte.famille, [lea], jour, jour)
        return vu.cellule(lea, vu.offre(CODE), jour)


@pytest.fixture
def jours(distribution):
    return Jours()


@pytest.fixture
def photo():
    sortie = io.BytesIO()
    Image.new("RGB", (1200, 900), "white").save(sortie, "JPEG")
    return {"name": "certificat.jpg", "mimeType": "image/jpeg", "buffer": sortie.getvalue()}


def reserves():
    actives = Reservation.objects.actives().filter(service__code=CODE).select_related("enfant")
    return sorted((r.enfant.prenom, r.jour) for r in actives)


def case(parent, jour, prenom="Léa"):
    """The cell of the trial service, on the page of its month, opened first when needed."""
    mois = f"/mes-enfants/{Enfant.objects.get(prenom=prenom).uuid}/planning/{jour:%Y-%m}/"
    if mois not in parent.page.url:
        parent.ouvrir(mois)
    return parent.page.locator(f'[data-jour="{jour}"][data-service="{CODE}"]')


def repeter_quatre_semaines(parent, jours):
    page = parent.ouvrir("/mes-enfants/repeter/")
    for libelle in (*PRENOMS, "Atelier d'essai", "Lundi", "Jeudi"):
        page.get_by_label(libelle, exact=True).check()
    page.locator("[name=du]").fill(jours.lundi.isoformat())
    page.locator("[name=au]").fill(jours.fin.isoformat())
    page.get_by_role("button", name="Voir le récapitulatif").click()
    assert parent.deborde() == 0
    page.get_by_role("button", name=f"Confirmer : {2 * len(jours.voulus)} jours réservés").click()
    expect(page.get_by_text(f"{2 * len(jours.voulus)} jours réservés.")).to_be_visible()


def accepter(agent, demande):
    page = agent.ouvrir(f"/admin/demandes/demande/{demande.pk}/change/")
    page.get_by_role("button", name="Accepter la demande").click()
    expect(page.get_by_text("La famille est prévenue.")).to_be_visible()


def refuser(agent, demande, raison):
    page = agent.ouvrir(f"/admin/demandes/demande/{demande.pk}/change/")
    page.get_by_label("Raison donnée à la famille").fill(raison)
    page.get_by_role("button", name="Refuser la demande").click()
    expect(page.get_by_text("La famille est prévenue.")).to_be_visible()


def decider(agent):
    """The absence is accepted, the late day refused."""
    agent.connecter("agent")
    absence, tardive = (
        Demande.objects.get(type=type_, etat=Demande.Etat.EN_ATTENTE) for type_ in ("absence", "reservation")
    )
    assert [piece.nom for piece in absence.pieces.all()] == ["certificat.jpg"]
    accepter(agent, absence)
    refuser(agent, tardive, "L'atelier est prêt sans elle.")


def etats_dits(parent, jours):
    return {nom: case(parent, getattr(jours, nom)).get_attribute("data-etat") for nom in ("tardif", "absence")}


@pytest.mark.parametrize(("taille", "javascript"), ECRANS, ids=[f"{t}{'' if js else '-sans-js'}" for t, js in ECRANS])
def test_de_la_reservation_a_la_reponse(taille, javascript, visiteur, jours, photo):
    parent, agent = visiteur(taille, javascript=javascript), visiteur("bureau", javascript=javascript)
    parent.connecter("durand")
    repeter_quatre_semaines(parent, jours)
    assert reserves() == [(prenom, jour) for prenom in PRENOMS for jour in jours.voulus]

    page = parent.page
    case(parent, jours.annulable).click()
    page.get_by_role("button", name="Annuler la réservation").click()
    expect(page.get_by_text("1 jour annulé.")).to_be_visible()
    expect(case(parent, jours.annulable)).to_have_attribute("data-etat", "libre")

    case(parent, jours.passe).click()
    menu = page.locator("[data-portail-menu-case]")
    expect(menu.get_by_text("ne s'annule plus depuis le")).to_be_visible()
    expect(menu.get_by_role("button", name="Annuler la réservation")).to_have_count(0)
    assert parent.deborde() == 0

    parent.ouvrir("/mes-enfants/")  # away from the menu, whichever way it was shown
    case(parent, jours.absence).click()
    page.get_by_role("link", name="Déclarer une absence").click()
    page.get_by_label("Enfant malade").check()
    page.get_by_label("Pièces à joindre").set_input_files(photo)
    assert parent.deborde() == 0
    page.get_by_role("button", name="Déclarer l'absence").click()
    expect(page.get_by_text("1 jour d'absence, en attente de la mairie.")).to_be_visible()

    case(parent, jours.tardif).click()
    expect(page.get_by_text("Demande tardive, la mairie décide : le jour coûte le double.")).to_be_visible()
    page.get_by_role("button", name="Demande de réservation").click()
    expect(page.get_by_text("1 jour demandé, en attente de la mairie.")).to_be_visible()
    assert etats_dits(parent, jours) == {"tardif": "demande", "absence": "demande"}

    decider(agent)
    parent.ouvrir("/mes-enfants/")
    assert etats_dits(parent, jours) == {"tardif": "hors-delai", "absence": "absence"}
    expect(case(parent, jours.absence)).to_contain_text("Absence déclarée")
    expect(case(parent, jours.absence)).to_contain_text("Enfant malade")
    page = parent.ouvrir("/messagerie/")
    page.get_by_role("link", name="Réservations de Léa : demande refusée").first.click()
    expect(page.get_by_text("Raison : L'atelier est prêt sans elle.")).to_be_visible()
    assert parent.deborde() == 0
    assert parent.plaintes + agent.plaintes == []


# --- The menu --------------------------------------------------------------------------------------------


@pytest.fixture
def lea(visiteur, jours):
    """Claire at the month of Léa."""

    def lea(taille="bureau"):
        parent = visiteur(taille)
        parent.connecter("durand")
        return parent, case(parent, jours.annulable)

    return lea


@pytest.mark.parametrize("taille", ["telephone", "bureau"])
@pytest.mark.parametrize("ouvrir_menu", ["clic", "clic droit", "appui long"])
def test_le_menu_s_ouvre_sur_la_grille_et_se_referme_ou_l_on_etait(taille, ouvrir_menu, lea):
    parent, cellule = lea(taille)
    fenetre = parent.page.get_by_role("dialog")
    if ouvrir_menu == "appui long":
        cellule.scroll_into_view_if_needed()
        boite = cellule.bounding_box()
        ici = {"x": boite["x"] + boite["width"] / 2, "y": boite["y"] + boite["height"] / 2}
        doigt = parent.page.context.new_cdp_session(parent.page)
        doigt.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
        doigt.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [ici]})
        expect(fenetre).to_be_visible()  # while the finger is down
        doigt.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    else:
        cellule.click(button="right" if ouvrir_menu == "clic droit" else "left")
    expect(fenetre.get_by_role("button", name="Demande de réservation")).to_be_visible()
    assert parent.deborde() == 0
    parent.page.keyboard.press("Escape")
    expect(fenetre).to_have_count(0)
    expect(cellule).to_be_focused()
    assert parent.plaintes == []


# --- The keyboard ----------------------------------------------------------------------------------------


def aller(page, selecteur):
    """Tab until the focus is there."""
    for _ in range(500):
        page.keyboard.press("Tab")
        if page.evaluate("(s) => document.activeElement.matches(s)", selecteur):
            return
    raise AssertionError(f"Tab ne mène pas à {selecteur}")


def test_tout_le_parcours_au_clavier(visiteur, jours, photo):
    parent, agent = visiteur("bureau"), visiteur("bureau")
    parent.connecter("durand")
    page = parent.page
    cles = {prenom: Enfant.objects.get(prenom=prenom).pk for prenom in PRENOMS}
    for n in range(4):
        lundi = jours.lundi + timedelta(days=7 * n)
        parent.ouvrir(f"/mes-enfants/semaine/{lundi}/")
        ici = [jour for jour in jours.voulus if lundi <= jour < lundi + timedelta(days=7)]
        for prenom in PRENOMS:
            for jour in ici:
                aller(page, f'[value="{cles[prenom]}.{CODE}.{jour}"]')
                page.keyboard.press("Space")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Vérifiez avant d'envoyer")).to_be_visible()
        aller(page, "[name=confirmer]")
        page.keyboard.press("Enter")
        expect(page.get_by_text(f"{2 * len(ici)} jours réservés.")).to_be_visible()
    assert reserves() == [(prenom, jour) for prenom in PRENOMS for jour in jours.voulus]

    cellule = case(parent, jours.annulable)
    aller(page, f'[data-jour="{jours.annulable}"][data-service="{CODE}"]')
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").get_by_role("heading")).to_be_focused()
    page.keyboard.press("Escape")
    expect(cellule).to_be_focused()
    # From a cell to its neighbours and back.
    page.keyboard.press("ArrowLeft")
    expect(cellule).not_to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(cellule).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    aller(page, 'dialog form:has([value="ANNULER"]) button')
    page.keyboard.press("Space")
    expect(page.get_by_text("1 jour annulé.")).to_be_visible()

    case(parent, jours.passe)
    aller(page, f'[data-jour="{jours.passe}"][data-service="{CODE}"]')
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").get_by_text("ne s'annule plus depuis le")).to_be_visible()
    aller(page, "dialog button")
    page.keyboard.press("Enter")  # « Fermer »

    case(parent, jours.absence)
    aller(page, f'[data-jour="{jours.absence}"][data-service="{CODE}"]')
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    aller(page, "dialog a")
    page.keyboard.press("Enter")
    page.wait_for_url("**/absence/**")
    aller(page, "[name=motif]")
    page.keyboard.press("Space")
    expect(page.get_by_label("Enfant malade")).to_be_checked()
    aller(page, "[type=file]")
    page.locator("[type=file]").set_input_files(photo)  # the window of the files is the system's
    aller(page, "[type=submit]")
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 jour d'absence, en attente de la mairie.")).to_be_visible()

    case(parent, jours.tardif)
    aller(page, f'[data-jour="{jours.tardif}"][data-service="{CODE}"]')
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    aller(page, "dialog [type=submit]")
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 jour demandé, en attente de la mairie.")).to_be_visible()
    decider(agent)
    parent.ouvrir("/mes-enfants/")
    assert etats_dits(parent, jours) == {"tardif": "hors-delai", "absence": "absence"}
    assert parent.plaintes + agent.plaintes == []
