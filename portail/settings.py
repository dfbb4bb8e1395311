"""All settings of the portal, in one file: defaults that just run for a demo, environment for production.

``PORTAIL_MODE`` is ``demo`` (default) or ``production``. In production every secret and address comes from
the environment (see docs/exploitation.md) and the start is refused, with one sentence each, when one is
missing or left at its demo value.
"""

from pathlib import Path

import bootstrap_wrapper
import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from portail.outils import base_embarquee, secrets_demo

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"

env = environ.Env()

MODE = env("PORTAIL_MODE", default="demo")
if MODE not in ("demo", "production"):
    raise ImproperlyConfigured("PORTAIL_MODE vaut « demo » ou « production ».")
MODE_DEMO = MODE == "demo"
DEBUG = MODE_DEMO and env.bool("DEBUG", default=False)

# --- What a production must give -------------------------------------------------------------------------

demo = secrets_demo.creer(VAR_DIR) if MODE_DEMO else secrets_demo.VIDES
SECRET_KEY = env("SECRET_KEY", default=demo.cle_secrete)
# Comma-separated Fernet keys: the first one encrypts, all of them decrypt (rotation).
CLES_CHIFFREMENT = env.list("CLES_CHIFFREMENT", default=demo.cles_chiffrement)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"] if MODE_DEMO else [])
DATABASE_URL = env("DATABASE_URL", default="")
# Where mails really leave from: smtp+tls://user:password@host:587
EMAIL_URL = env("EMAIL_URL", default="")
DEFAULT_FROM_EMAIL = env("COURRIEL_EXPEDITEUR", default="portail@example.org")
# Address of the portal in mails and letters.
URL_PORTAIL = env("URL_PORTAIL", default=f"http://localhost:{env('PORT', default='8000')}" if MODE_DEMO else "")
# Payment on line: the State's own (« reel »), or the one that the portal plays (« simulateur »).
PAYFIP_MODE = env("PAYFIP_MODE", default="simulateur" if MODE_DEMO else "reel")
if PAYFIP_MODE not in ("simulateur", "reel"):
    raise ImproperlyConfigured("PAYFIP_MODE vaut « simulateur » ou « reel ».")
PAYFIP_BASE_URL = env("PAYFIP_BASE_URL", default="https://www.payfip.gouv.fr/tpa").rstrip("/")


def verifier_production():
    """Refuse to start a production that would run on demo secrets; one sentence a defect."""
    defauts = []
    de_demo = secrets_demo.lire(VAR_DIR)
    if len(SECRET_KEY) < 50 or de_demo.cle_secrete == SECRET_KEY:
        defauts.append("SECRET_KEY manque ou vaut celle de la démonstration : donnez 50 caractères au hasard.")
    if not CLES_CHIFFREMENT or not all(map(secrets_demo.est_cle_fernet, CLES_CHIFFREMENT)):
        defauts.append("CLES_CHIFFREMENT manque ou n'est pas une clé Fernet : elle protège IBAN et santé.")
    elif set(CLES_CHIFFREMENT) & set(de_demo.cles_chiffrement):
        defauts.append("CLES_CHIFFREMENT est celle de la démonstration : créez-en une pour la production.")
    if not ALLOWED_HOSTS or "*" in ALLOWED_HOSTS:
        defauts.append("ALLOWED_HOSTS manque ou vaut « * » : donnez le nom de domaine du portail.")
    if not DATABASE_URL.startswith(("postgres://", "postgresql://")):
        defauts.append("DATABASE_URL manque : donnez une base PostgreSQL, l'embarquée ne sert qu'à la démonstration.")
    if not EMAIL_URL or not EMAIL_URL.startswith("smtp"):
        defauts.append("EMAIL_URL manque : donnez le serveur de courriel (smtp+tls://…).")
    if DEFAULT_FROM_EMAIL.endswith("example.org"):
        defauts.append("COURRIEL_EXPEDITEUR manque : donnez l'adresse d'expéditeur de la commune.")
    if not URL_PORTAIL.startswith("https://"):
        defauts.append("URL_PORTAIL manque : donnez l'adresse publique du portail, en https.")
    if PAYFIP_MODE == "simulateur":
        defauts.append("PAYFIP_MODE vaut « simulateur » : ses paiements sont faux, donnez « reel ».")
    if not PAYFIP_BASE_URL.startswith("https://"):
        defauts.append("PAYFIP_BASE_URL n'est pas en https : donnez l'adresse de PayFiP.")
    if defauts:
        raise ImproperlyConfigured("Le portail ne démarre pas en production.\n- " + "\n- ".join(defauts))


if not MODE_DEMO:
    verifier_production()

# --- Applications ----------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "portail.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "axes",
    "crispy_forms",
    "crispy_bootstrap5",
    "csp",
    "django_tasks_db",
    "pgtrigger",
    "pghistory",
    "familles",
    "messagerie",
    "enfants",
    "facturation",
    "demandes",
    "portail.apps.PortailConfig",  # last: its post_migrate fills the groups once every permission exists
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "portail.intergiciels.entree_lisible",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "portail.intergiciels.ConnexionObligatoire",
    "pghistory.middleware.HistoryMiddleware",
]

ROOT_URLCONF = "portail.urls"
WSGI_APPLICATION = "portail.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portail.contexte.gabarit",
            ],
        },
    }
]

CRISPY_ALLOWED_TEMPLATE_PACKS = CRISPY_TEMPLATE_PACK = "bootstrap5"

# --- Database, cache, tasks, mail ------------------------------------------------------------------------

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        **(env.db_url_config(DATABASE_URL) if DATABASE_URL else base_embarquee.adresse(BASE_DIR)),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": ["default"]}}

# Every mail becomes a row of the outbox; the worker hands it to COURRIEL_BACKEND.
EMAIL_BACKEND = "messagerie.boite_envoi.BoiteDEnvoi"
if EMAIL_URL:
    _courriel = env.email_url_config(EMAIL_URL)
    COURRIEL_BACKEND = _courriel.pop("EMAIL_BACKEND")
    globals().update(_courriel)
else:
    COURRIEL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = VAR_DIR / "courriels"
EMAIL_TIMEOUT = 20

# Who changed a tracked row is noted on requests that write; a read needs no look at the session for it.
PGHISTORY_MIDDLEWARE_METHODS = ("POST", "PUT", "PATCH", "DELETE")

# --- Language and time -----------------------------------------------------------------------------------

LANGUAGE_CODE = "fr"
TIME_ZONE = env("TZ_COMMUNE", default="Europe/Paris")
USE_TZ = True
USE_I18N = True
USE_THOUSAND_SEPARATOR = True

# --- Static and private files ----------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [
    BASE_DIR / "static",
    ("bootstrap", Path(bootstrap_wrapper.__file__).resolve().parent.parent / "bootstrap"),
]
STORAGES = {
    # Families' papers: outside of any served directory; one directory shared by the nodes in production.
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {
            "location": env("FICHIERS_DIR", default=str(VAR_DIR / "fichiers")),
            "file_permissions_mode": 0o600,
            "directory_permissions_mode": 0o700,
        },
    },
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_MAX_AGE = 3600
TAILLE_MAX_PIECE = 5 * 1024 * 1024  # bytes, for one attachment
NOMBRE_MAX_PIECES = 5
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024  # bytes of a form, files not counted
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000

# --- Accounts --------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "familles.Utilisateur"
AUTHENTICATION_BACKENDS = ["familles.connexion.Verrou", "familles.connexion.CompteActif"]
LOGIN_URL = "connexion"
LOGIN_REDIRECT_URL = "accueil"
LOGOUT_REDIRECT_URL = "connexion"
PASSWORD_HASHERS = ["familles.connexion.Argon2id"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "familles.mots_de_passe.Composition"},
    {"NAME": "familles.mots_de_passe.PasLesNoms"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
PASSWORD_RESET_TIMEOUT = 24 * 3600  # seconds; CNIL: a reset link lives a day at most

AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = ["username"]  # per account: a school or a media library shares one address
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_USERNAME_FORM_FIELD = "username"
AXES_ENABLE_ADMIN = False
AXES_DISABLE_ACCESS_LOG = True
AXES_VERBOSE = False
# No AxesMiddleware: the login form answers a locked account with the sentence of a wrong password.
SILENCED_SYSTEM_CHECKS = ["axes.W002", "axes.W006"]

# --- Sessions, cookies, headers --------------------------------------------------------------------------

SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_AGE = 12 * 3600  # seconds; the idle limits below come first
SESSION_INACTIVITE_FAMILLE = 30 * 60  # seconds
SESSION_INACTIVITE_AGENT = 15 * 60
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not MODE_DEMO
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "portail.pages.erreurs.page_expiree"

X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
if not MODE_DEMO:
    SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SECURE_REDIRECT_EXEMPT = [r"^etat/$"]  # the load balancer asks in plain http


def _origine(adresse):
    """« https://www.payfip.gouv.fr », of an address there."""
    return "/".join(adresse.split("/")[:3])


CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        # The form that pays is answered by a redirection to PayFiP.
        "form-action": [SELF] if PAYFIP_MODE == "simulateur" else [SELF, _origine(PAYFIP_BASE_URL)],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "object-src": [NONE],
    }
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"simple": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "simple"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "django.request": {"level": "ERROR"},  # a refused address may hold a token
        "pypdf": {"level": "CRITICAL"},  # they quote what families send
        "weasyprint": {"level": "CRITICAL"},
    },
}
