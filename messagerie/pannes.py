"""Why a mail did not leave, in a sentence for an agent; and whether trying again is of any use."""

import re
import smtplib

CODE = re.compile(r"\((\d{3}), b?['\"](.*)", re.S)  # as smtplib writes what the server answered
ETENDU = re.compile(r"\b[245]\.(\d{1,3}\.\d{1,3})\b")  # RFC 3463

INCONNUE = "L'adresse n'existe pas"
PLEINE = "La boîte est pleine"
FERMEE = "La boîte est fermée"
INDESIRABLE = "Refusé comme indésirable"
PLUS_TARD = "Le serveur du destinataire demande de réessayer plus tard"
REFUSE = "Le serveur du destinataire refuse ce courriel"
MUET = "Le serveur de courriel ne répond pas"
COUPE = "Le serveur de courriel a coupé la liaison"
EXPEDITEUR = "L'adresse d'expéditeur du portail est refusée"
MOT_DE_PASSE = "Le serveur de courriel refuse l'identifiant ou le mot de passe du portail"
LIAISON = "Le serveur de courriel n'accepte pas la liaison chiffrée du portail"
ILLISIBLE = "Le texte de ce courriel ne se déchiffre plus"
MAL_ECRITE = "L'adresse est mal écrite"
AUTRE = "L'envoi a échoué"

# Name of the exception -> sentence, where the answer of the server adds nothing.
PANNES = {
    "SMTPSenderRefused": EXPEDITEUR,
    "SMTPAuthenticationError": MOT_DE_PASSE,
    "SMTPNotSupportedError": LIAISON,
    "SSLError": LIAISON,
    "SSLCertVerificationError": LIAISON,
    "DonneeIllisible": ILLISIBLE,
    "BadHeaderError": MAL_ECRITE,
    "UnicodeEncodeError": MAL_ECRITE,
    "ValueError": MAL_ECRITE,
    **dict.fromkeys(
        ["ConnectionRefusedError", "ConnectionResetError", "TimeoutError", "timeout", "gaierror", "SMTPConnectError"],
        MUET,
    ),
    **dict.fromkeys(["OSError", "SMTPHeloError"], MUET),
}
# What servers answer, by extended status then by word: many give only one of the two.
STATUTS = {
    "1.": INCONNUE,
    "2.1": FERMEE,
    "2.2": PLEINE,
    "2.3": "Le courriel est trop gros pour cette boîte",
    "7.": INDESIRABLE,
}
MOTS = [
    (re.compile(r"quota|full|storage|pleine", re.I), PLEINE),
    (re.compile(r"spam|blocked|blacklist|block list|policy|reputation|unsolicited|indésirable", re.I), INDESIRABLE),
    (re.compile(r"disabled|inactive|suspended", re.I), FERMEE),
    (re.compile(r"unknown|no such|not exist|not found|invalid|unavailable|inconnu", re.I), INCONNUE),
]


def raison(erreur: str) -> str:
    """« La boîte est pleine », of what the outbox keeps: « SMTPRecipientsRefused : {…: (552, b'5.2.2 …')} »."""
    if not erreur:
        return ""
    nom = re.match(r"\w*", erreur)[0]
    if nom == "SMTPServerDisconnected":
        return MUET if "timed out" in erreur else COUPE
    if nom in PANNES:
        return PANNES[nom]
    trouve = CODE.search(erreur)
    if trouve is None:
        return AUTRE
    return _d_apres_le_serveur(nom, int(trouve[1]), trouve[2])


def _d_apres_le_serveur(nom, code, texte):
    etendu = ETENDU.search(texte)
    par_statut = [phrase for debut, phrase in STATUTS.items() if etendu and etendu[1].startswith(debut)]
    par_mot = [phrase for motif, phrase in MOTS if motif.search(texte)]
    if code < 500:  # a greylisting says « blocked » as well: what matters is that it is for now
        return PLEINE if PLEINE in par_statut + par_mot else PLUS_TARD
    if par_statut or par_mot:
        return (par_statut + par_mot)[0]
    return INCONNUE if nom == "SMTPRecipientsRefused" and code in (550, 551, 553) else REFUSE


def est_definitive(erreur: Exception) -> bool:
    """The server says for good that it will not take this recipient (5xx)."""
    if not isinstance(erreur, smtplib.SMTPRecipientsRefused):
        return False
    return all(reponse[0] >= 500 for reponse in erreur.recipients.values())


def a_garde_la_liaison(erreur: Exception) -> bool:
    """The server refused this mail alone: the next one may go by the same connection."""
    refus = (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError, smtplib.SMTPSenderRefused)
    if not isinstance(erreur, refus):
        return False
    codes = [r[0] for r in erreur.recipients.values()] if hasattr(erreur, "recipients") else [erreur.smtp_code]
    return 421 not in codes
