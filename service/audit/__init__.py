"""The log over HTTP: what the public may fetch, and what an auditor may search, prove and export."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from flask_smorest import Blueprint

from service.access import Keys
from service.audit.desk import Desk
from service.audit.entries import entries
from service.audit.exports import exports
from service.audit.proofs import proofs
from service.audit.public import public
from service.audit.rate import KeyRate
from service.log.search_index import SearchIndex
from service.log.store import LogStore

__all__ = ["AuditPlan", "log_addresses"]


@dataclass(frozen=True, slots=True)
class AuditPlan:
    """Where the search index is kept, and how often a key may ask of one worker, for instance `120/minute`."""

    index: Path
    rate: str


def log_addresses(log: LogStore, keys: Keys, plan: AuditPlan) -> list[Blueprint]:
    """The blueprints under `/v1/log`."""
    desk = Desk(log, keys, KeyRate(plan.rate))
    index = SearchIndex(log, plan.index)
    return [public(log), proofs(desk, log, index), entries(desk, log, index), exports(desk, log, index)]
