"""Where a request with a sandbox key goes: the same application, over a log of its own.

Nothing in the endpoints knows of the sandbox. So what works there works with a live key, no score leaves without its
record there either, and nothing screened there is in the live log or in any figure made from it.
"""

from __future__ import annotations

import fcntl
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from service.access.keys import SANDBOX, Caller, Keys
from service.errors import FieldError, Problem, problem
from service.log.store import LogStore
from service.running.assembly import open_log
from service.running.telemetry import logger
from service.sandbox.cases import PREFIX
from service.settings import Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

MARK = ("Grounds-Sandbox", "true")
"""The header of every answer out of the sandbox."""


class SandboxKeys(Keys):
    """The service's sandbox keys and no others; in the sandbox each is a practitioner's."""

    def __init__(self, live: Keys) -> None:
        self._live = live

    def caller(self, authorization: str | None) -> Caller:
        """As `Keys`."""
        found = self._live.caller(authorization)
        if found.role != SANDBOX:
            raise problem("unknown_key", WWW_Authenticate='Bearer error="invalid_token"')
        return replace(found, role="practitioner")

    def known(self, authorization: str) -> Caller | None:
        """Nobody: bodies are read before the sandbox's door."""
        return None

    def by_id(self, key_id: str) -> Caller | None:
        """Nobody: the sandbox has no pages and no CDS clients."""
        return None

    def newest(self, key_id: str) -> Caller | None:
        """Nobody, as above."""
        return None


class SandboxDoor:
    """The sandbox of one worker; opened when the first sandbox key knocks."""

    def __init__(self, settings: Settings, application: Callable[[LogStore, str], WSGIApplication]) -> None:
        """`application` makes the app over a log of that origin."""
        self._settings = sandbox_settings(settings)
        self._application = application
        self._lock = threading.Lock()
        self._opened: WSGIApplication | None = None
        self._log: LogStore | None = None

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answers a request, marked as out of the sandbox."""

        def marked(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            return start_response(status, [*headers, MARK], *rest)

        try:
            opened = self._open()
        except Exception as error:  # a sandbox that cannot be opened must not look like a fault of the live service
            logger().error("sandbox_not_opened", error=type(error).__name__)
            return problem("sandbox_unavailable", Retry_After="1").response()(environ, marked)
        return opened(environ, marked)

    def close(self) -> None:
        """Closes the sandbox's log, where it was opened."""
        with self._lock:
            if self._log is not None:
                self._log.close()

    def _open(self) -> WSGIApplication:
        with self._lock:
            if self._opened is None:
                folder = self._settings.var
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                with (folder / ".opening.lock").open("ab") as file:  # workers must not each make a signing key
                    fcntl.flock(file, fcntl.LOCK_EX)
                    self._log = open_log(self._settings)
                self._opened = self._application(self._log, self._settings.origin)
            return self._opened


def sandbox_settings(settings: Settings) -> Settings:
    """Where the sandbox keeps its log: SQLite in a folder of its own, under an origin of its own."""
    var = settings.var / SANDBOX
    return replace(
        settings, var=var, checkpoints=var / "checkpoints", database_url="", origin=f"{settings.origin}/{SANDBOX}"
    )


def made_up_alone(asked: dict[str, Any]) -> Problem | None:
    """The refusal of a request whose reference is not one of the sandbox: it may be a real case, sent by mistake."""
    if str(asked["case_ref"]).startswith(PREFIX):
        return None
    fix = f"a sandbox key takes made-up cases alone; begin their references with {PREFIX}"
    return problem("refused", [FieldError("case_ref", fix)])
