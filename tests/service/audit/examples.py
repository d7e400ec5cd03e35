"""Asks every address of the log of a small one, and records the answers as the contract's examples.

Usage: python -m tests.service.audit.examples, after the shape of an answer has changed.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from model.dictionary import shipped_dictionary
from service.access.keys import Keys, create_key, read_keys
from service.app import Collaborators, create_app
from service.audit import AuditPlan
from service.audit.shapes import EXAMPLES
from service.model_files import load_active
from service.running.assembly import open_log
from tests.service.conftest import hand_made_model, release_into, settings_in

ASKED = {
    "checkpoint": "checkpoint",
    "key": "key",
    "entries": "entries?kind=screening&limit=1",
    "entries/{at}": "entries/0",
    "proof/inclusion": "proof/inclusion?index=1&size=3",
    "proof/consistency": "proof/consistency?from=1&to=3",
    "export": "export?from=0&to=1",
}
"""By address of the contract, what is asked."""


def answered(service_client, practitioner, auditor):
    """Makes three small entries, a screening among them, and gives what each address then answers."""
    case = {"case_ref": "case-0001", "agency": "gp", "features": {"parent_mental_health_history": "yes"}}
    for body in ({}, case, {}):
        service_client.post("/v1/screenings", json=body, headers=practitioner)
    answers = {}
    for address, asked in ASKED.items():
        response = service_client.get(f"/v1/log/{asked}", headers=auditor)
        assert response.status_code == 200, response.text
        answers[address] = response.get_json() if response.mimetype == "application/json" else response.text
    return answers


def main():
    with tempfile.TemporaryDirectory() as folder:
        settings = settings_in(Path(folder) / "var", origin="grounds.example/log")
        release_into(settings, hand_made_model(shipped_dictionary()))
        made = [create_key(settings.keys, role)[0] for role in ("practitioner", "auditor")]
        practitioner, auditor = ({"Authorization": f"Bearer {key}"} for key in made)
        log = open_log(settings)
        released = load_active(settings.models, settings.keys)
        audit = AuditPlan(settings.audit_index, settings.audit_rate)
        app = create_app(Collaborators(released, log, Keys(read_keys(settings.keys)), settings.origin, audit))
        examples = answered(app.test_client(), practitioner, auditor)
        log.close()
    EXAMPLES.write_text(json.dumps(examples, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
