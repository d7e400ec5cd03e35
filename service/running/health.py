"""`python -m service health`: asks this machine's service whether it is ready; for a container's health check."""

from __future__ import annotations

import urllib.error
import urllib.request

from service.settings import Settings

TIMEOUT = 4.0  # seconds: less than the health check's own, so that it is we who say what is wrong


class NotHealthy(RuntimeError):
    """The service does not answer that it is ready; one line."""


def check_health(settings: Settings) -> None:
    """Raises `NotHealthy`. A service that listens on every address is asked on the loopback one."""
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::", "") else settings.host  # noqa: S104
    address = f"http://{f'[{host}]' if ':' in host else host}:{settings.port}/readyz"
    try:
        with urllib.request.urlopen(address, timeout=TIMEOUT) as answer:
            if answer.status != 200:
                raise NotHealthy(f"{address} answered {answer.status}")
    except urllib.error.HTTPError as error:
        raise NotHealthy(f"{address} answered {error.code}: {error.read(1000).decode(errors='replace')}") from None
    except OSError as error:
        raise NotHealthy(f"{address} does not answer: {type(error).__name__}") from None
