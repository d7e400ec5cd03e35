"""A model released in an older format answers as it did then, to the byte.

`tests/golden/model/format-N.json` is a model, `format-N.asked.jsonl` what was asked of it and `format-N.answers.jsonl`
the answers of the service that introduced the format.
"""

import json
from pathlib import Path

import pytest

from model.artefact import read_model
from model.grounds import GroundRules
from model.view import view
from service.screening.answer import AnswerWriter
from tests.builders import admitted

GOLDEN = Path(__file__).parents[1] / "golden" / "model"
FORMATS = sorted(path.stem for path in GOLDEN.glob("format-?.json"))


def answers(data, asked):
    """The answer to each line asked, as the service writes it, a line each."""
    model = read_model(data)
    writer, rules = AnswerWriter(model), GroundRules(model.dictionary)
    found = [
        writer.write("id", f"ref-{number}", [], view(model, rules, admitted(model, json.loads(line))))
        for number, line in enumerate(asked.splitlines())
    ]
    return b"\n".join(found) + b"\n"


@pytest.mark.parametrize("stored", FORMATS)
def test_a_model_of_an_older_format_answers_as_it_did(stored):
    kept = (GOLDEN / f"{stored}.answers.jsonl").read_bytes()
    assert kept.count(b"\n") > 5
    assert answers((GOLDEN / f"{stored}.json").read_bytes(), (GOLDEN / f"{stored}.asked.jsonl").read_text()) == kept
