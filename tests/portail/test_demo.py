"""What the demonstration adds to the cast."""

from demandes.models import Demande
from enfants.models import Fermeture
from messagerie.models import Courriel
from portail import demo


def test_la_demonstration_donne_a_decider_sans_envoyer_de_courriel(distribution, famille_durand):
    des_durand = list(Demande.objects.filter(famille=famille_durand).order_by("pk"))
    demo.animer()
    assert list(Demande.objects.filter(famille=famille_durand).order_by("pk")) == des_durand
    fermeture = Fermeture.objects.get()
    assert (fermeture.motif, fermeture.valable_du.weekday()) == ("formation du personnel", 3)
    assert Courriel.objects.count() == 0
