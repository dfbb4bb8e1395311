"""The demo's logins, shown on the login page and the console in demo mode only."""

MOT_DE_PASSE = "Portail2026"
IDENTIFIANTS = [
    ("durand", "Claire Durand, deux enfants"),
    ("durand2", "Julien Durand, son mari"),
    ("martin", "Sophie Martin, famille voisine"),
    ("benali", "Karim Benali, garde alternée"),
    ("rossi", "Elena Rossi, l'autre foyer"),
    ("agent", "Agent qui traite les demandes"),
    ("animateur", "Animateur"),
    ("comptable", "Comptabilité"),
    ("tresorerie", "Trésorerie"),
    ("admin", "Administrateur"),
]


def comptes_de_demonstration(mode_demo: bool) -> dict:
    """Context of the login page: empty outside of demo mode."""
    if not mode_demo:
        return {"connexion_demo": [], "mot_de_passe_demo": ""}
    return {"connexion_demo": IDENTIFIANTS, "mot_de_passe_demo": MOT_DE_PASSE}
