"""The log over HTTP: what the public may fetch, and what an auditor may search, prove and export."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from flask_smorest import Blueprint

from service.access.keys import Keys
from service.access.rate import KeyRate
from service.audit.desk import Desk
from service.audit.entries import entries
from service.audit.exports import exports
from service.audit.proofs import proofs
from service.audit.public import public
from service.log.search_index import SearchIndex
from service.log.store import LogStore

__all__ = ["AuditPlan", "AuditRoom", "log_addresses"]


@dataclass(frozen=True, slots=True)
class AuditPlan:
    """Where the search index is kept, and how often a key may ask of one worker, for instance `120/minute`."""

    index: Path
    rate: str


@dataclass(frozen=True, slots=True)
class AuditRoom:
    """Where auditors are served, over HTTP and by pages alike: one desk, so that its rate and seats hold for both."""

    desk: Desk
    index: SearchIndex

    @classmethod
    def of(cls, log: LogStore, keys: Keys, plan: AuditPlan) -> AuditRoom:
        """The room of one log."""
        return cls(Desk(log, keys, KeyRate(plan.rate)), SearchIndex(log, plan.index))


def log_addresses(log: LogStore, room: AuditRoom) -> list[Blueprint]:
    """The blueprints under `/v1/log`."""
    desk, index = room.desk, room.index
    return [public(log), proofs(desk, log, index), entries(desk, log, index), exports(desk, log, index)]
