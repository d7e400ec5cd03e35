"""Clients that screen all the time, whatever happens to the service; some send a request again until it is answered."""

from __future__ import annotations

import http.client
import json
import random
import select
import threading
import time
from uuid import UUID

from tests.service.soaking.ledger import Ledger

_TIMEOUT_SECONDS = 30
_MEAN_PAUSE_SECONDS = 0.07  # with which twenty senders are still too many for a slow disk, and leave a core to others
_NOBODY_SECONDS = 0.1
_HANG_UP = 0.05
"""Share of the repeated requests whose sender hangs up before the answer, and sends again."""
_ONCE_MORE = 0.1
"""Share of the repeated requests that are sent once more though they were answered."""
_ANSWERS = ("yes", "no", "not_known")


class Client(threading.Thread):
    """One sender with one connection. With `repeats`, each request has an Idempotency-Key and is sent until answered.

    Without, a request that is not answered is given up, as it may be in the log already.
    """

    def __init__(self, name: str, port: int, key: str, ledger: Ledger, chance: random.Random, repeats: bool) -> None:
        super().__init__(name=name)
        self.screened = 0
        """How often it was given a screening."""
        self._port = port
        self._key = key
        self._ledger = ledger
        self._chance = chance
        self._repeats = repeats
        self._over = threading.Event()
        self._connection: http.client.HTTPConnection | None = None

    def run(self) -> None:
        """Sends until told to stop; what was sent is brought to its end."""
        number = 0
        while not self._over.is_set():
            number += 1
            self._screen(f"soak-{self.name}-{number}")
            self._pause()
        self._hang_up()

    def stop(self) -> None:
        """No new request from now on."""
        self._over.set()

    def _screen(self, case_ref: str) -> None:
        features = {"immediate_danger": self._chance.choice(_ANSWERS)}
        body = json.dumps({"case_ref": case_ref, "agency": "gp", "features": features}).encode()
        if not self._repeats:
            self._ask(case_ref, body, None)
            return
        key = str(UUID(int=self._chance.getrandbits(128)))
        if self._chance.random() < _HANG_UP:
            self._ask_and_hang_up(case_ref, body, key)
        while not self._ask(case_ref, body, key):
            self._pause()
        if self._chance.random() < _ONCE_MORE:
            self._ask(case_ref, body, key)

    def _ask(self, case_ref: str, body: bytes, key: str | None) -> bool:
        """Whether a screening came back."""
        self._ledger.begin(case_ref)
        began = time.monotonic()
        try:
            answer = self._sent(body, key).getresponse()
            said = answer.read()
        except ConnectionRefusedError:
            self._failed("nobody listened")
            time.sleep(_NOBODY_SECONDS)
        except TimeoutError:
            self._failed(f"no answer in {_TIMEOUT_SECONDS} seconds")
        except (OSError, http.client.HTTPException):
            self._failed("cut off")
        else:
            kind = answer.headers.get("Content-Type", "none")
            screened = self._ledger.answer(case_ref, answer.status, kind, said, time.monotonic() - began)
            self.screened += screened
            return screened
        return False

    def _ask_and_hang_up(self, case_ref: str, body: bytes, key: str) -> None:
        self._ledger.begin(case_ref)
        try:
            self._sent(body, key)
            time.sleep(self._chance.uniform(0, 0.02))
        except (OSError, http.client.HTTPException):
            self._failed("cut off")
        else:
            self._failed("hung up by the client")

    def _sent(self, body: bytes, key: str | None) -> http.client.HTTPConnection:
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        if key is not None:
            headers["Idempotency-Key"] = key
        if self._connection is not None and self._closed():
            self._hang_up()
        if self._connection is None:
            self._connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_TIMEOUT_SECONDS)
        self._connection.request("POST", "/v1/screenings", body, headers)
        return self._connection

    def _closed(self) -> bool:
        """Whether the service closed the connection while nothing was asked, as clients look before they use it."""
        socket = None if self._connection is None else self._connection.sock
        return socket is not None and bool(select.select([socket], [], [], 0)[0])

    def _failed(self, kind: str) -> None:
        self._ledger.cut_off(kind)
        self._hang_up()

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _pause(self) -> None:
        time.sleep(self._chance.uniform(0, 2 * _MEAN_PAUSE_SECONDS))
