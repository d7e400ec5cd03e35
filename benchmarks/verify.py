"""How fast, and in how much memory, does the offline verifier read an export? Against reading its lines at all.

Beside it, on the same file in the same run: `json.loads` and one SHA-256 of each line with the standard library, which
proves nothing and is about the least that any check of such a file could do.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import orjson
from rich.console import Console

from benchmarks.figures import print_aim, print_note, ratio_table
from service.log.checkpoint import SigningKey, create_signing_key
from service.log.entry import commitment, leaf_bytes, time_text, uuid7
from service.log.merkle import Frontier, leaf_hash

ENTRIES = int(os.environ.get("BENCHMARK_ENTRIES", "1000000"))
FEW = 10_000
REPEATS = 3
AIM_ENTRIES = 100_000
AIM_MEGABYTES = 16.0
"""Growth of memory from a file of 10,000 entries to one of a million: bounded means that it hardly grows."""
ORIGIN = "benchmark.invalid/log"

VERIFY = """
import sys
from service.log.checkpoint import VerifierKey
from service.log.verifier import verify
key = VerifierKey.parse(open(sys.argv[2]).read())
def run(lines):
    report = verify(lines, key)
    assert report.ok, report.problems[0]
"""
PLAIN = """
import hashlib, json
def run(lines):
    for line in lines:
        json.loads(line)
        hashlib.sha256(line).digest()
"""
MEASURE = """
import json, sys, time
with open(sys.argv[1], "rb") as lines:
    began, used = time.perf_counter(), time.process_time()
    run(lines)
    took = {"wall": time.perf_counter() - began, "cpu": time.process_time() - used}
# Not getrusage: its peak is the parent's, where that was larger when this process was made.
peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM:"))
print(json.dumps({**took, "megabytes": peak * 1.024e-3}))
"""


@dataclass(frozen=True, slots=True)
class Reading:
    """One process that read the file once: seconds of the clock and of the processor, peak memory in MB of 10^6."""

    wall: float
    cpu: float
    megabytes: float


def run(console: Console) -> None:
    """Writes exports, verifies them in fresh processes, in turn with the plain reading, and prints the table."""
    with tempfile.TemporaryDirectory(prefix="benchmark-verify-") as name:
        folder = Path(name)
        key = create_signing_key(folder / "log.pem", ORIGIN)
        few, many = folder / "few.jsonl", folder / "many.jsonl"
        write_export(few, FEW, key)
        payload, line = write_export(many, ENTRIES, key)
        small = _read(VERIFY, few, folder)
        ours, plain = [], []
        for _ in range(REPEATS):
            ours.append(_read(VERIFY, many, folder))
            plain.append(_read(PLAIN, many, folder))
    floor = median(reading.cpu for reading in plain)
    rows = [_row("json.loads and SHA-256 of each line", plain, floor), _row("verify", ours, floor)]
    title = f"{ENTRIES:,} entries, payload {payload:,} B, line of the export {line:,} B, read once by one process"
    columns = ("", "entries a second a core", "by the clock", "of the plain reading", "peak MB")
    console.print(ratio_table(title, columns, rows))
    print_note(console, f"Peak memory with {FEW:,} entries: {small.megabytes:.0f} MB. MB of 10^6 bytes.")
    rate = ENTRIES / median(reading.cpu for reading in ours)
    print_aim(console, f"{AIM_ENTRIES:,} entries a second a core", f"{rate:,.0f}", rate >= AIM_ENTRIES)
    growth = max(reading.megabytes for reading in ours) - small.megabytes
    aim = f"memory grows by less than {AIM_MEGABYTES:.0f} MB from {FEW:,} to {ENTRIES:,} entries"
    print_aim(console, aim, f"{growth:.1f} MB", growth < AIM_MEGABYTES)


def write_export(path: Path, entries: int, key: SigningKey) -> tuple[int, int]:
    """Writes an honest export of that many entries of about 1 kB; returns the bytes of a payload and of a line."""
    contributions = [
        {"contribution": 0.8125 / (n + 3), "feature": f"feature_number_{n}", "label": f"A concern of kind {n}"}
        for n in range(9)
    ]
    body: dict[str, Any] = {"answer": contributions, "asked": {f"feature_number_{n}": "not_known" for n in range(9)}}
    frontier = Frontier()
    payload = line = b""
    with path.open("wb") as file:
        file.write(orjson.dumps({"format": 1, "origin": key.name, "size": entries}) + b"\n")
        for index in range(entries):
            body["case_ref"] = f"case-{index}"
            payload, salt = orjson.dumps(body), os.urandom(16)
            at = time_text((1_790_000_000_000 + index) * 1_000_000)
            leaf = leaf_bytes(at, uuid7(), "screening", commitment(salt, payload))
            frontier.append(leaf_hash(leaf))
            said = {"index": index, "leaf": leaf.decode(), "payload": payload.decode(), "salt": salt.hex()}
            line = orjson.dumps(said) + b"\n"
            file.write(line)
        file.write(orjson.dumps({"checkpoint": key.sign(entries, frontier.root())}) + b"\n")
    return len(payload), len(line)


def _read(program: str, export: Path, folder: Path) -> Reading:
    command = [sys.executable, "-c", program + MEASURE, str(export), str(folder / "log.pub")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return Reading(**json.loads(done.stdout))


def _row(name: str, readings: list[Reading], floor: float) -> list[str]:
    cpu, wall = median(r.cpu for r in readings), median(r.wall for r in readings)
    peak = max(r.megabytes for r in readings)
    return [name, f"{ENTRIES / cpu:,.0f}", f"{ENTRIES / wall:,.0f}", f"{floor / cpu:.2f}", f"{peak:.0f}"]
