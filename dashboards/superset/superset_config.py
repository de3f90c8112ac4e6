"""How Superset runs behind the hub: its tables in the hub's PostgreSQL, caches in the hub's Valkey, people known by the
hub's word alone, Portuguese first, nothing sent to its makers.

Read by Superset (SUPERSET_CONFIG_PATH); what is secret comes from the environment, which `hub up` fills.
"""

import os
from datetime import timedelta
from urllib.parse import urlsplit

from flask import Flask
from hub_dates import evaluate_one_at_a_time
from hub_security import HubSecurityManager, hub_rows, know_first
from hub_words import speak_brazilian

# --- where it keeps what it knows
SECRET_KEY = os.environ["HUB_SUPERSET_SECRET_KEY"]
SQLALCHEMY_DATABASE_URI = os.environ["HUB_SUPERSET_STORAGE_URL"]
# One process of a few threads; a connection that PostgreSQL has closed (its restart, the idle limit) is noticed first.
SQLALCHEMY_ENGINE_OPTIONS = {"pool_size": 4, "max_overflow": 6, "pool_pre_ping": True}


def cache(name: str, seconds: int) -> dict[str, object]:
    """A cache of its own prefix in the hub's Valkey, whose keys all end: Valkey evicts nothing."""
    settings = {"CACHE_KEY_PREFIX": f"superset:{name}:", "CACHE_DEFAULT_TIMEOUT": seconds}
    url = os.environ["HUB_REDIS_URL"]
    if not url.startswith("redis+sentinel://"):
        return {**settings, "CACHE_TYPE": "RedisCache", "CACHE_REDIS_URL": url}
    parts = urlsplit(url)
    hosts = [pair.rpartition(":") for pair in parts.netloc.rpartition("@")[2].split(",")]
    service, _, database = parts.path.strip("/").partition("/")
    return {
        **settings,
        "CACHE_TYPE": "RedisSentinelCache",
        "CACHE_REDIS_SENTINELS": [(host, int(port)) for host, _, port in hosts],
        "CACHE_REDIS_SENTINEL_MASTER": service,
        "CACHE_REDIS_PASSWORD": parts.password,
        "CACHE_REDIS_DB": int(database or 0),
    }


def FLASK_APP_MUTATOR(app: Flask) -> None:
    """What of the hub is in Superset's application: who asks, its words, and dates that threads do not spoil."""
    know_first(app)
    speak_brazilian(app)
    evaluate_one_at_a_time()


MINUTE, DAY = 60, 24 * 3600
CACHE_CONFIG = cache("meta", 10 * MINUTE)
# The tables of today are rebuilt every hour; an erasure waits ten minutes for the last copies.
DATA_CACHE_CONFIG = cache("data", 5 * MINUTE)
FILTER_STATE_CACHE_CONFIG = cache("filters", 7 * DAY)
EXPLORE_FORM_DATA_CACHE_CONFIG = cache("explore", DAY)

# --- who is there: no password, no session of its own
CUSTOM_SECURITY_MANAGER = HubSecurityManager
AUTH_TYPE = 3  # FAB's AUTH_REMOTE_USER: its sign-in page knows no password
AUTH_USER_REGISTRATION = False
HUB_ASSERTION_SECRET = os.environ["HUB_SUPERSET_SECRET"]
GUEST_ROLE_NAME = "hub_guest"
GUEST_TOKEN_JWT_SECRET = HUB_ASSERTION_SECRET
GUEST_TOKEN_JWT_AUDIENCE = "superset:guest"  # noqa: S105 - a name
GUEST_TOKEN_JWT_EXP_SECONDS = 300
FAB_ADD_SECURITY_API = True  # the provisioner looks roles up
SESSION_COOKIE_NAME = "superset"
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = os.environ.get("HUB_PUBLIC_URL", "").startswith("https://")
PERMANENT_SESSION_LIFETIME = timedelta(hours=12)
RATELIMIT_ENABLED = False  # the hub counts

FEATURE_FLAGS = {
    "EMBEDDED_SUPERSET": True,
    "DASHBOARD_RBAC": True,
    "ENABLE_TEMPLATE_PROCESSING": True,  # the rules of rows ask who is there
    "RLS_IN_SQLLAB": True,
    "MENU_HIDE_USER_INFO": True,  # one signs out of the hub
    # An answer that arrives by another request than the one that asked is where identities get mixed up.
    "GLOBAL_ASYNC_QUERIES": False,
    "ALERT_REPORTS": False,  # the hub makes its reports itself
    "THUMBNAILS": False,
    "ENABLE_JAVASCRIPT_CONTROLS": False,
    "DRILL_TO_DETAIL": True,
}
JINJA_CONTEXT_ADDONS = {"hub_rows": hub_rows}

# --- the hub's proxy in front
ENABLE_PROXY_FIX = True
PROXY_FIX_CONFIG = {
    "x_for": 1,
    "x_proto": 1,
    "x_host": 1,
    "x_port": 0,
    "x_prefix": 0,
}  # it serves under its path itself
ENABLE_CORS = False
TALISMAN_CONFIG = {
    "content_security_policy": {
        "base-uri": ["'self'"],
        "default-src": ["'self'"],
        "img-src": ["'self'", "blob:", "data:"],
        "worker-src": ["'self'", "blob:"],
        "connect-src": ["'self'"],
        "object-src": "'none'",
        "style-src": ["'self'", "'unsafe-inline'"],
        "font-src": ["'self'"],
        "script-src": ["'self'", "'strict-dynamic'"],
        "frame-ancestors": ["'self'"],  # the console shows dashboards
    },
    "content_security_policy_nonce_in": ["script-src"],
    "frame_options": "SAMEORIGIN",
    "force_https": False,
    "session_cookie_secure": SESSION_COOKIE_SECURE,
}
THEME_FONT_URL_ALLOWED_DOMAINS: list[str] = []

# --- what it may ask the warehouse for
SQLLAB_TIMEOUT = 30
SUPERSET_WEBSERVER_TIMEOUT = 60
ROW_LIMIT = 10_000
SQL_MAX_ROW = 50_000
DISPLAY_MAX_ROW = 10_000
PREVENT_UNSAFE_DB_CONNECTIONS = True
CELERY_CONFIG = None

# --- how it speaks
APP_NAME = "Telecom Hub"
LOGO = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='150' height='24'%3E%3Cpath d='M3 4h18v13H10l-5 4v-4H3z' "
    "fill='%230b6e4f'/%3E%3Ctext x='28' y='18' font-family='Inter,Arial' font-size='16' font-weight='600' fill='%230b6e4f'%3E"
    "Telecom Hub%3C/text%3E%3C/svg%3E"
)
BRAND = {
    "brandAppName": APP_NAME, "brandLogoAlt": APP_NAME, "brandLogoUrl": LOGO, "brandLogoMargin": "18px 0", "brandLogoHref": "/",
    "brandLogoHeight": "24px", "colorPrimary": "#0b6e4f", "colorLink": "#0b6e4f", "colorError": "#c0392b", "colorWarning": "#e0a100",
    "colorSuccess": "#2e9e6b", "colorInfo": "#2f80c1", "fontUrls": [], "fontFamily": "Inter, Helvetica, Arial, sans-serif",
    "fontFamilyCode": "'IBM Plex Mono', 'Courier New', monospace", "transitionTiming": 0.3, "brandIconMaxWidth": 150,
    "fontSizeXS": "8", "fontSizeXXL": "28", "fontWeightNormal": "400", "fontWeightLight": "300", "fontWeightStrong": "500",
    "fontWeightBold": "700", "colorEditorSelection": "#fff5cf", "brandSpinnerUrl": None, "brandSpinnerSvg": None,
}  # fmt: skip
THEME_DEFAULT = {"token": BRAND, "algorithm": "default"}
THEME_DARK: dict[str, object] = {}  # none: screens on walls look the same for everybody
BABEL_DEFAULT_LOCALE = "pt_BR"
LANGUAGES = {"pt_BR": {"flag": "br", "name": "Português"}, "en": {"flag": "us", "name": "English"}}
D3_FORMAT = {"decimal": ",", "thousands": ".", "grouping": [3], "currency": ["R$ ", ""]}
D3_TIME_FORMAT = {
    "dateTime": "%d/%m/%Y %H:%M:%S",
    "date": "%d/%m/%Y",
    "time": "%H:%M:%S",
    "periods": ["AM", "PM"],
    "days": ["domingo", "segunda-feira", "terça-feira", "quarta-feira", "quinta-feira", "sexta-feira", "sábado"],
    "shortDays": ["dom", "seg", "ter", "qua", "qui", "sex", "sáb"],
    "months": ["janeiro", "fevereiro", "março", "abril", "maio", "junho", "julho", "agosto", "setembro", "outubro",
               "novembro", "dezembro"],
    "shortMonths": ["jan", "fev", "mar", "abr", "mai", "jun", "jul", "ago", "set", "out", "nov", "dez"],
}  # fmt: skip
CURRENCIES = ["BRL", "USD", "EUR"]
CSV_EXPORT = {"encoding": "utf-8-sig", "sep": ";", "decimal": ","}  # as a Brazilian spreadsheet opens it

# --- what it writes down
LOG_LEVEL = os.environ.get("HUB_LOG_LEVEL", "INFO")
SUPERSET_LOG_VIEW = False
SCARF_ANALYTICS = False
