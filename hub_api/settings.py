"""Settings from the environment (`HUB_*`), then from `HUB_HOME/hub.env`, which the embedded stack writes.

Every setting is listed in the README's table, kept true by a test. Secrets have no default.
"""

import os
import re
from datetime import date, time
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveInt,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

Share = Annotated[float, Field(ge=0, lt=1)]
Service = Literal["auth", "chat", "whatsapp", "ai", "campaigns", "analytics"]


def weekly_hours(text: str) -> dict[int, tuple[time, time]]:
    """Opening and closing by ISO weekday of a text such as `1-5 08:00-20:00, 6 08:00-14:00`. Raises ValueError."""
    hours: dict[int, tuple[time, time]] = {}
    for part in filter(None, map(str.strip, text.split(","))):
        found = re.fullmatch(r"([1-7])(?:-([1-7]))? (\d\d:\d\d)-(\d\d:\d\d)", part)
        if found is None:
            raise ValueError(f"{part!r} is not like `1-5 08:00-20:00`")
        first, last = int(found[1]), int(found[2] or found[1])
        opens, closes = time.fromisoformat(found[3]), time.fromisoformat(found[4])
        if last < first or closes <= opens or hours.keys() & range(first, last + 1):
            raise ValueError(f"{part!r} runs backwards or names a day twice")
        hours |= dict.fromkeys(range(first, last + 1), (opens, closes))
    return hours


class App(BaseModel):
    """An app behind /apps/<name>/ which serves under that path itself; who has the permission gets in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")
    url: str = Field(pattern=r"^https?://[^/?#@\s]+$")
    permission: str = Field(pattern=r"^[a-z_]+:[a-z_]+$")


class Calendar(BaseSettings):
    """The business days: all that the shape of the warehouse's partitions depends on."""

    model_config = SettingsConfigDict(env_prefix="HUB_", frozen=True, extra="ignore")

    timezone: str = Field("America/Sao_Paulo", description="zone of the business day in KPIs and partitions")
    # No payload's time before 2009 is believed, so by default every event has a day in the tables.
    history_start: date = Field(
        date(2009, 1, 1), description="first business day of the warehouse's tables; older events stay in raw.events"
    )

    business_hours: str = Field(
        "1-5 08:00-20:00, 6 08:00-14:00",
        description="hours of service by weekday (1 Monday to 7 Sunday), `days from-to` by commas; others are closed",
    )
    holiday_state: str | None = Field(
        None, pattern="^[A-Z]{2}$", description="federative unit whose holidays are closed beside the national ones"
    )

    @field_validator("business_hours")
    @classmethod
    def _hours_are_readable(cls, text: str) -> str:
        weekly_hours(text)
        return text

    @property
    def zone(self) -> ZoneInfo:
        """The business zone as an object."""
        return ZoneInfo(self.timezone)


class Settings(Calendar):
    """What one process needs to know; frozen, units in the names."""

    home: Path = Field(Path(".hub"), description="folder of the embedded stack: data, logs, generated passwords")

    database_url: SecretStr = Field(description="PostgreSQL 15 or newer, postgresql://user:password@host:port/name")
    redis_url: SecretStr = Field(description="Valkey or Redis, redis://, rediss:// or redis+sentinel://")
    clickhouse_url: SecretStr = Field(
        description="ClickHouse over HTTP, http://user:password@host:port, embedded or a cluster"
    )
    clickhouse_cluster: str | None = Field(None, description="name of the ClickHouse cluster; empty on one node")

    secret_key: SecretStr = Field(
        description="32 bytes in base64: encrypts tokens at rest, keys the hashes of identifiers"
    )
    secret_key_previous: SecretStr | None = Field(
        None, description="the key before it, which still reads, until `hub keys rotate` has run"
    )
    hash_key: SecretStr | None = Field(
        None, description="keys the hashes of identifiers, when HUB_SECRET_KEY has been changed: the first there was"
    )

    meta_base_url: str = Field("https://graph.facebook.com", description="Cloud API, or the simulator's address")
    meta_version: str = Field("v26.0", description="Graph API version of our calls")
    meta_app_secret: SecretStr = Field(description="signs the webhooks (X-Hub-Signature-256)")
    meta_app_secret_previous: SecretStr | None = Field(None, description="also accepted while the secret is rotated")
    meta_verify_token: SecretStr = Field(description="what Meta shows in the webhook's verification handshake")

    send_timeout_s: float = Field(10.0, gt=0, description="one send call; silence past it leaves the message `unknown`")
    send_concurrency: int = Field(64, gt=0, description="send calls in flight from one worker process")
    reply_headroom: tuple[tuple[PositiveInt, Share], ...] = Field(
        ((20, 0.2), (80, 0.15), (1000, 0.1)),
        min_length=1,
        description="share of a number's throughput kept for replies, from each level on, as JSON [[level, share], …]",
    )
    outbox_shards: int = Field(8, gt=0, le=64, description="queued messages are spread over this many shards")
    inbox_lanes: int = Field(
        4,
        gt=0,
        le=256,
        description="inbound items are spread by contact over this many lanes: as many workers can handle at once; more make smaller chunks. Change it while nothing waits",
    )
    inbox_queue_limit: int = Field(5000, gt=0, description="webhooks waiting for a commit in one process; above it 503")
    webhook_read_timeout_s: float = Field(10.0, gt=0, description="a slower webhook body is cut off with 408")

    public_url: str = Field(
        "http://127.0.0.1:8000",
        description="address of the hub as browsers know it, with the prefix of a proxy that takes one away",
    )
    trusted_proxies: tuple[str, ...] = Field(
        (), description="addresses or networks whose X-Forwarded-For and -Proto are believed, as a JSON list"
    )
    signin_per_minute: int = Field(5, gt=0, description="sign-in attempts a minute per account and per address")
    send_per_minute: int = Field(1000, gt=0, description="messages that one user or key may queue a minute")
    link_hosts: tuple[str, ...] = Field(
        (), description="hosts that short links may lead to, host or .suffix, as a JSON list; empty: none"
    )
    link_per_minute: int = Field(
        600,
        gt=0,
        description="short links that one address may open a minute; a mobile network is many people's address",
    )
    user_rate_per_minute: int = Field(1200, gt=0, description="API requests of one user a minute")
    key_rate_per_minute: int = Field(12000, gt=0, description="API requests of one key a minute")
    smtp_url: SecretStr | None = Field(None, description="mail server, smtp:// or smtps://user:password@host:port")
    mail_from: str = Field("Telecom Chat <no-reply@localhost>", description="sender of e-mails")
    sms_url: SecretStr | None = Field(
        None, description="SMS provider: https://… (JSON) or twilio://SID:TOKEN@api.twilio.com?from=+…"
    )

    sign_in_template: str | None = Field(
        None,
        pattern=r"^[a-z0-9_]{1,512}(:[A-Za-z_]{2,10})?$",
        description="authentication template by which codes go first, `name` or `name:language` (pt_BR); empty: SMS only",
    )

    oidc_issuer: str | None = Field(
        None, description="issuer of an OpenID Connect provider by which people sign in; empty: none"
    )
    oidc_client_id: str | None = Field(None, description="the hub's id at that provider")
    oidc_client_secret: SecretStr | None = Field(None, description="the hub's secret there; empty for a public client")
    oidc_scopes: str = Field("openid email profile", description="what the provider is asked for, by spaces")
    oidc_link_by_email: bool = Field(
        False, description="a user with the address that the provider has verified is taken for the same person"
    )
    oidc_create_users: bool = Field(False, description="who has a role by HUB_OIDC_ROLES and no user here gets one")
    oidc_role_claim: str = Field("groups", description="claim that tells the role")
    oidc_roles: tuple[tuple[str, str], ...] = Field(
        (), description="value of the claim and role, as JSON [[value, role], …], the first that fits; empty: not told"
    )
    oidc_mfa: tuple[str, ...] = Field(
        ("mfa",), description="values of amr or acr by which the provider says that it asked for a second factor"
    )
    dagster_url: str | None = Field(
        None, description="Dagster's web server behind /apps/dagster, started with that path prefix; empty: none"
    )
    superset_url: str | None = Field(
        None, description="Superset behind /apps/superset, run with dashboards/superset/superset_config.py; empty: none"
    )
    superset_secret: SecretStr | None = Field(
        None, description="signs who is there for Superset, which has the same; 32 bytes or more"
    )
    warehouse_gold_password: SecretStr | None = Field(
        None, description="of the warehouse's user `gold`, as which Superset reads; empty: no dashboards"
    )
    apps: tuple[App, ...] = Field(
        (),
        description='more apps behind /apps/<name>/, as JSON [{"name": …, "url": "http://host:port", "permission": …}, …]',
    )
    outbound_hosts: tuple[str, ...] = Field(
        (),
        description="hosts of your own network (host or host:port) that calls to given addresses may reach, JSON list",
    )

    console: bool = Field(True, description="the agents' console at /console/")
    api_services: tuple[Service, ...] = Field(
        (), description="services this API process mounts, as a JSON list; empty: all"
    )
    database_pool_size: int = Field(10, gt=0, description="PostgreSQL connections of one process")
    checker_url: str | None = Field(
        None, description="the process that runs Great Expectations, http://host:port; empty: each run starts its own"
    )
    alert_url: SecretStr | None = Field(
        None,
        description="webhook that the data platform tells its trouble, a JSON POST with `text` (Slack, Teams); empty: none",
    )
    alert_mail: tuple[str, ...] = Field(
        (), description="addresses that get the same by e-mail through HUB_SMTP_URL, as a JSON list"
    )
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR")
    otlp_url: str | None = Field(
        None,
        description="OpenTelemetry collector or Jaeger that takes traces over HTTP, as in http://jaeger:4318; empty: none",
    )
    trace_share: float = Field(1.0, ge=0, le=1, description="share of the traces that are sent to HUB_OTLP_URL")
    metrics_dir: Path | None = Field(None, description="folder for metrics shared by several processes of one role")
    template_sync_hours: int = Field(
        6, gt=0, le=168, description="templates of an account are read from Meta at least this often, beside webhooks"
    )
    models_dir: Path | None = Field(None, description="folder of the trained models; empty: HUB_HOME/models")
    media_dir: Path | None = Field(
        None, description="folder for files of messages, and for those under way; empty: HUB_HOME/media"
    )
    media_url: SecretStr | None = Field(
        None, description="S3-compatible store instead: s3://key:secret@bucket/prefix?endpoint=https://…&region=…"
    )
    lake_dir: Path | None = Field(None, description="folder of the Parquet lake; empty: HUB_HOME/lake")
    lake_url: SecretStr | None = Field(
        None, description="S3-compatible store instead: s3://key:secret@bucket/prefix?endpoint=https://…&region=…"
    )
    media_hosts: tuple[str, ...] = Field(
        (".fbsbx.com", ".facebook.com", ".whatsapp.net"),
        description="hosts that files are fetched from, as a JSON list; that of HUB_META_BASE_URL always",
    )
    media_max_bytes: int = Field(104_857_600, gt=0, description="a larger file of a customer is not kept")
    media_timeout_s: float = Field(120.0, gt=0, description="one download or upload of a file")
    media_concurrency: int = Field(4, gt=0, le=64, description="files that one process fetches or scans at a time")
    media_link_s: int = Field(300, gt=0, le=86_400, description="life of an address under which a file is read")
    media_retention_days: int = Field(365, gt=0, description="files of messages are kept this long")
    media_serve_unscanned: bool = Field(False, description="serve files while clamd is away, before they are scanned")
    clamd_url: str | None = Field(
        None, description="antivirus: tcp://host:port or unix:///path of clamd; empty: files are not scanned"
    )
    inbox_retention_days: int = Field(30, gt=0, description="raw webhook bodies are kept this long")
    events_months: int = Field(
        13,
        ge=0,
        description="months of events that PostgreSQL keeps before this one; older ones are in the lake alone; 0: all",
    )
    retention_days: tuple[tuple[str, int], ...] = Field(
        (), description="days that a kind of data is kept, as JSON [[kind, days], …]; kinds: privacy/retention.yaml"
    )
    rate_cards: Path | None = Field(
        None, description="YAML of rate cards, in the form of whatsapp/cost/rates.yaml; empty: those"
    )
    sla_first_response_s: int = Field(
        120, gt=0, description="a person answers within this time, counted in business hours"
    )
    sla_resolution_hours: int = Field(
        168, gt=0, description="a demand is resolved within this time; Decreto 11.034/2022 gives seven days"
    )
    reopen_hours: int = Field(24, ge=0, description="a message within this time of `resolved` reopens the conversation")
    bot_quiet_hours: int = Field(24, gt=0, description="a conversation with the bot is resolved after this silence")
    stale_inbound_minutes: int = Field(30, gt=0, description="no bot answers an inbound message older than this")
    llm_url: str | None = Field(
        None,
        pattern=r"^https?://[^?#@\s]+$",
        description="language model that writes summaries: what comes before /chat/completions; empty: none, nothing leaves",
    )
    llm_model: str = Field("gpt-4o-mini", description="its name there")
    llm_key: SecretStr | None = Field(None, description="its API key")
    llm_timeout_s: float = Field(
        20.0, gt=0, description="one call of the model; without an answer the summary is extracted"
    )
    llm_labels_per_day: int = Field(
        0,
        ge=0,
        le=10_000,
        description="messages a day that it labels for our own models, without names and numbers; 0: none",
    )
    survey_template: str | None = Field(
        None,
        pattern=r"^[a-z0-9_]{1,512}(:[A-Za-z_]{2,10})?$",
        description="utility template that asks how it was once the 24 h window has closed, `name` or `name:language` (pt_BR); empty: nobody is asked then",
    )
    survey_nps: bool = Field(
        False, description="whoever graded a conversation from 1 to 5 is asked from 0 to 10 too (NPS)"
    )
    nps_flow: str | None = Field(
        None,
        pattern=r"^\d{1,32}$",
        description="WhatsApp Flow (its id at Meta) that asks from 0 to 10, its field `score`; empty: by a typed number",
    )

    @model_validator(mode="before")
    @classmethod
    def _join_keys(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Who is given the key is given all: `platform/crypto.py` writes by the first, reads by each, hashes by the last."""
        key, *more = (_plain(values.get(name)) for name in ("secret_key", "secret_key_previous", "hash_key"))
        if not key or not any(more):
            return values
        return {**values, "secret_key": " ".join([key.split()[0], *filter(None, more)])}


def _plain(value: Any) -> Any:
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def load_calendar() -> Calendar:
    """The business days as `load_settings` would give them, without the rest: definitions load where no secret is."""
    return Calendar(_env_file=_home() / "hub.env")


def load_settings() -> Settings:
    """Settings of this process: the environment wins over `HUB_HOME/hub.env`. Raises ValidationError naming what is missing."""
    return Settings(_env_file=_home() / "hub.env")


def problems_of(error: ValidationError) -> dict[str, str]:
    """What `load_settings` complains about: variable -> reason, without its value, which may be a secret."""
    return {
        f"HUB_{problem['loc'][0]}".upper() if problem["loc"] else "HUB_*": problem["msg"] for problem in error.errors()
    }


def _home() -> Path:
    return Path(os.environ.get("HUB_HOME", ".hub"))
