"""Every setting of the service, in one typed place. Each is an environment variable `GROUNDS_...`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from environs import Env, EnvError

from service.cores import usable_cores

_OWN_URL = re.compile(r"https://[^/?#@]+|http://(?:127\.0\.0\.1|localhost|\[::1\])(?::[0-9]+)?")
_POSTGRESQL = re.compile(r"postgresql://(?:[^:@/]*@)?[^@]+$")
"""A URL without a password: the environment of a process is not a place for one."""
LOOPBACK = ("127.0.0.1", "::1", "localhost")
RATE = re.compile(r"[1-9][0-9]{0,6}/(second|minute|hour|day)")


class SettingsError(ValueError):
    """A setting that cannot be used; one line names it and the fix."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The configuration of one service. Paths are made on first use, private where they hold secrets."""

    var: Path
    """GROUNDS_VAR: folder for all that is made at run time. Default `var`."""
    checkpoints: Path
    """GROUNDS_CHECKPOINTS: folder for published checkpoints; best on another host. Default `var/checkpoints`."""
    database_url: str
    """GROUNDS_LOG_DATABASE: URL of the log's PostgreSQL database, `postgresql://user@host/name`. Default: none, and the
    log is the SQLite file `log/log.sqlite` in GROUNDS_VAR. A password goes into libpq's own password file."""
    origin: str
    """GROUNDS_LOG_ORIGIN: the log's name in checkpoints. Default `grounds.invalid/log`: set your own."""
    host: str
    """GROUNDS_HOST: address to listen on. Default 127.0.0.1."""
    port: int
    """GROUNDS_PORT: port to listen on. Default 8000."""
    workers: int
    """GROUNDS_WORKERS: worker processes. Default: one for each core that the service may use, at least 2. With 1 nobody
    is answered while that worker is replaced: enough to try things out."""
    threads: int
    """GROUNDS_THREADS: requests that a worker serves at once in threads, each of which may wait for a durable commit,
    and as many plain screenings apart from these, which wait without a thread; half as many more of either may wait,
    and the rest are answered 503. Default 32."""
    body_limit: int
    """GROUNDS_BODY_LIMIT: largest request body, in bytes. Default 65536."""
    https: bool = False
    """GROUNDS_HTTPS: whether users reach the service by HTTPS (a proxy in front of it counts): cookies are then sent by
    HTTPS only. Default: no where GROUNDS_HOST is this machine alone, else yes."""
    audit_rate: str = "120/minute"
    """GROUNDS_AUDIT_RATE: requests about the log that one key may make of one worker. Default 120/minute."""

    screening_rate: str = "1200/minute"
    """GROUNDS_SCREENING_RATE: screenings, looks at them and responses that one key may ask of one worker. Default
    1200/minute."""

    oidc_issuer: str = ""
    """GROUNDS_OIDC_ISSUER: the identity provider whose tokens are accepted beside keys, as in their `iss`. Default:
    none."""
    oidc_audience: str = ""
    """GROUNDS_OIDC_AUDIENCE: this service's name in the tokens' `aud`."""
    oidc_role_claim: str = "grounds_role"
    """GROUNDS_OIDC_ROLE_CLAIM: claim that holds practitioner, auditor or operator. Default `grounds_role`."""
    oidc_agency_claim: str = "grounds_agency"
    """GROUNDS_OIDC_AGENCY_CLAIM: claim that holds the agency's id; a token without it is of no one agency. Default
    `grounds_agency`."""
    public_url: str = ""
    """GROUNDS_PUBLIC_URL: the address by which others reach the service, `https://grounds.example`. Needed with
    GROUNDS_CDS_ISSUERS: tokens name it, cards link to it. Default: none."""

    cds_issuers: Path | None = None
    """GROUNDS_CDS_ISSUERS: file of the systems that may call by CDS Hooks. Default: none, and there is no CDS Hooks."""
    batch_body_limit: int = 4 * 1024 * 1024
    """GROUNDS_BATCH_BODY_LIMIT: largest body of a request of many cases, in bytes. Default 4194304."""

    body_seconds: int = 30
    """GROUNDS_BODY_SECONDS: how long a body may be on its way; then its connection is ended. Default 30."""

    vignettes: Path | None = None
    """GROUNDS_VIGNETTES: folder of a facilitator's own training cases, beside the shipped ones. Default: none."""

    @property
    def models(self) -> Path:
        """Folder of released models, one folder a version, and the file `active` that names the one in use."""
        return self.var / "models"

    @property
    def log_database(self) -> Path | str:
        """Where the log is: the path of a SQLite file, or the URL of a PostgreSQL database."""
        return self.database_url or self.var / "log" / "log.sqlite"

    @property
    def run(self) -> Path:
        """What tells of the running service: its process id, the cores that its workers hold."""
        return self.var / "run"

    @property
    def audit_index(self) -> Path:
        """The search index over the log; it may be deleted at any time."""
        return self.var / "log" / "audit-index.sqlite3"

    @property
    def keys(self) -> Path:
        """Folder of keys, readable by the service's user alone."""
        return self.var / "keys"


def read_settings() -> Settings:
    """The settings from the environment. Raises `SettingsError`."""
    env = Env()
    try:
        with env.prefixed("GROUNDS_"):
            var = env.path("VAR", Path("var"))
            host = env.str("HOST", "127.0.0.1")
            settings = Settings(
                var=var,
                checkpoints=env.path("CHECKPOINTS", var / "checkpoints"),
                database_url=env.str("LOG_DATABASE", ""),
                origin=env.str("LOG_ORIGIN", "grounds.invalid/log"),
                host=host,
                port=env.int("PORT", 8000),
                workers=env.int("WORKERS", max(2, usable_cores())),
                threads=env.int("THREADS", 32),
                body_limit=env.int("BODY_LIMIT", 65_536),
                https=env.bool("HTTPS", host not in LOOPBACK),
                audit_rate=env.str("AUDIT_RATE", "120/minute"),
                screening_rate=env.str("SCREENING_RATE", "1200/minute"),
                oidc_issuer=env.str("OIDC_ISSUER", ""),
                oidc_audience=env.str("OIDC_AUDIENCE", ""),
                oidc_role_claim=env.str("OIDC_ROLE_CLAIM", "grounds_role"),
                oidc_agency_claim=env.str("OIDC_AGENCY_CLAIM", "grounds_agency"),
                batch_body_limit=env.int("BATCH_BODY_LIMIT", 4 * 1024 * 1024),
                body_seconds=env.int("BODY_SECONDS", 30),
                vignettes=env.path("VIGNETTES", None),
                public_url=env.str("PUBLIC_URL", "").rstrip("/"),
                cds_issuers=env.path("CDS_ISSUERS", None),
            )
    except EnvError as error:
        raise SettingsError(str(error)) from None
    if settings.database_url and not _POSTGRESQL.match(settings.database_url):
        raise SettingsError(
            "GROUNDS_LOG_DATABASE: set postgresql://user@host/name, without a password (use a password file), "
            "or nothing for SQLite"
        )
    for name, value, low, high in (
        ("PORT", settings.port, 1, 65_535),
        ("WORKERS", settings.workers, 1, 256),
        ("THREADS", settings.threads, 1, 1024),
        ("BODY_LIMIT", settings.body_limit, 1024, 16 * 1024 * 1024),
        ("BODY_SECONDS", settings.body_seconds, 2, 3600),
        ("BATCH_BODY_LIMIT", settings.batch_body_limit, 1024, 16 * 1024 * 1024),
    ):
        if not low <= value <= high:
            raise SettingsError(f"GROUNDS_{name}: {value} is not between {low} and {high}")
    for name, rate in (("AUDIT", settings.audit_rate), ("SCREENING", settings.screening_rate)):
        if not RATE.fullmatch(rate):
            raise SettingsError(f"GROUNDS_{name}_RATE: set a number and a time, for instance 120/minute")
    if settings.oidc_issuer and not is_own_or_https(settings.oidc_issuer):
        raise SettingsError("GROUNDS_OIDC_ISSUER: set the https:// address of your identity provider")
    if settings.oidc_issuer and not settings.oidc_audience:
        raise SettingsError("GROUNDS_OIDC_AUDIENCE: set this service's name in the tokens' aud")
    if settings.public_url and not _OWN_URL.fullmatch(settings.public_url):
        raise SettingsError("GROUNDS_PUBLIC_URL: set https://host, without a path")
    if settings.vignettes is not None and not settings.vignettes.is_dir():
        raise SettingsError(f"GROUNDS_VIGNETTES: {settings.vignettes} is no folder; make it, or set nothing")
    return settings


def is_own_or_https(url: str) -> bool:
    """Whether an address is by HTTPS, or of this machine alone."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK))
