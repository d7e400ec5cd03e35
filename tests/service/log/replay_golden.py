"""Made the golden files of replay (`tests/golden/log/format-1.replay`); run it only for a format that is new.

    python -m tests.service.log.replay_golden FOLDER

A real service screens a few cases with a small model that has every kind of feature, and its log is exported. The
private keys stay behind in a folder that is thrown away.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from model.artefact import write_model
from service.access.keys import Keys, create_key, read_keys
from service.app import Collaborators, create_app
from service.log.export import export_lines
from service.model_files import RELEASE_PUBLIC_KEY, load_active
from service.running.assembly import open_log
from tests.builders import model_content, plain_dictionary
from tests.service.conftest import release_into, settings_in

VERSION = "golden-1"
FEATURES = (
    {"name": "history", "kind": "yes_no", "direction": "raises", "essential": True},
    {"name": "concern", "kind": "ordinal", "levels": ["none", "some", "much"], "direction": "raises"},
    {"name": "source", "kind": "category", "levels": ["gp", "police", "school"], "held_by": ["police", "gp"]},
    {"name": "area", "kind": "category", "levels": ["town", "country"], "held_by": []},
    {"name": "visits", "kind": "count"},
    {"name": "gap", "kind": "number", "unit": "weeks", "not_applicable": True, "minimum": -50},
)
GROUND = {
    "code": "history_and_much",
    "label": "History and much concern",
    "when": {"all": ["history = yes", "concern = much"]},
    "text": "Both are known – “much” concern, ä.",
    "action": "discuss",
    "source": "Test",
}
CASES = (
    {"history": "yes", "concern": "much", "source": "police", "area": "town", "visits": 3, "gap": 12.5},
    {"history": "no", "concern": "none", "source": "gp", "visits": 0, "gap": "not_applicable"},
    {},
    # Levels that the dictionary does not list, in no order; whole numbers that were sent as 38.0 and -0.0.
    {"source": "dentist", "history": "yes", "area": "moon", "gap": 38.0, "visits": 11},
    {"gap": -0.0, "visits": 7, "history": "not_known", "concern": None},
    {"gap": 1e-7, "source": "school"},
)


def golden_model() -> bytes:
    """The small model's bytes."""
    raw = plain_dictionary(*FEATURES, ground=[GROUND], policy={"capacity": 0.05, "answers": 2, "minimum_known": 3})
    return write_model(model_content(raw, [_term(feature) for feature in FEATURES], version=VERSION))


def _term(feature):
    edges = {"visits": [2.0, 8.0], "gap": [0.0, 10.1, 38.0]}.get(feature["name"])
    bins = len(edges) + 1 if edges else len(feature.get("levels", "no")) or 2
    values = [-0.123456789012345 + index / 3 for index in range(bins)]
    applies = feature.get("not_applicable", False)
    slots = bins + 1 + applies
    return {
        "feature": feature["name"],
        **({"edges": edges} if edges else {}),
        "values": values,
        "not_known": values[0] + 0.1,
        "not_applicable": 0.7 if applies else None,
        "mean": 0.0412345678901,
        "reference": 0,
        "counts": [100] * bins,
        "deviations": [[0.01 * slot, -0.02, 0.013 * slot] for slot in range(slots)],
    }


def main(out: Path) -> None:
    """Writes `log.jsonl`, `models/` and `keys/` (public key only) into `out`."""
    with tempfile.TemporaryDirectory() as folder:
        settings = settings_in(Path(folder) / "var", origin="golden.invalid/replay")
        release_into(settings, golden_model(), VERSION)
        key, _ = create_key(settings.keys, "practitioner")
        released, log = load_active(settings.models, settings.keys), open_log(settings)
        app = create_app(Collaborators(released, log, Keys(read_keys(settings.keys)), settings.origin))
        for number, features in enumerate(CASES):
            body = {"case_ref": f"case-{number}", "agency": "gp", "features": features}
            answer = app.test_client().post("/v1/screenings", json=body, headers={"Authorization": f"Bearer {key}"})
            assert answer.status_code == 201, answer.text
        out.mkdir(parents=True)
        (out / "log.jsonl").write_bytes(b"".join(export_lines(log)))
        log.close()
        shutil.copytree(settings.models / VERSION, out / "models" / VERSION)
        (out / "keys").mkdir()
        shutil.copy(settings.keys / RELEASE_PUBLIC_KEY, out / "keys")
        shutil.copy(settings.keys / "log.pub", out / "log.pub")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
