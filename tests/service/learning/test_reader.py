"""A vignette's file: what is wrong is one line that names file, key and fix."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from service.learning.reader import LARGEST, read_shelf, read_vignette, taken_codes
from tests.service.learning.conftest import DICTIONARY, VIGNETTES

COUNTERFACTUAL = "Nobody can know whether that night might have been different."

FAULTS = [
    ("format = 1", "format = 2", "format: use 1"),
    ("format = 1\n", "", "format: is missing; add it"),
    ("title =", "titel =", "titel: there is no such key; remove it or mend its spelling"),
    ('code = "half-a-picture"', 'code = "Half A"', "code: use small letters, digits and single dashes"),
    ('code = "half-a-picture"', 'code = "another"', "code: 'another' is not the file's name"),
    ('agency = "midwifery"\nrole', 'agency = "police"\nrole', "reader.agency: add [[agency]] with id = 'police'"),
    ('id = "gp"', 'id = "dentist"', "agency[2].id: use one of"),
    ('id = "gp"', 'id = "midwifery"', "agency[2].id: stands twice"),
    ("mother_age_years = 27", "mother_age = 27", "agency[1].features.mother_age: there is no question"),
    ("mother_age_years = 27", "mother_age_years = 7", "agency[1].features.mother_age_years: write a number from 11"),
    ('child_stage = "unborn"', 'child_stage = "baby"', 'agency[1].features.child_stage: write "unborn"'),
    ("missed_appointments = 0", "domestic_abuse_police_incidents = 0", "only police, childrens_social_care can say"),
    ('code = "ask-first"', 'code = "next-visit"', "choice[2].code: 'next-visit' stands twice"),
    ('feature = "domestic_abuse"', 'feature = "second_parent_identified"', "ask[5].feature: 'second_parent"),
    ('agency = "gp"\ntext', 'agency = "baker"\ntext', "ask[1].agency: use one of"),
    ('found = "not_known"', 'found = "perhaps"', 'ask[6].found: write "no", "yes"'),
    ('promise = "not_known_is_never_safe"', "", "point[1]: add promise or guidance"),
    ('promise = "not_known_is_never_safe"', 'promise = "be_kind"', "point[1].promise: use one of"),
    ("discussion = [", "discussion = []\nrest = [", "discussion: give 2 to 5"),
    ("You see a woman of 27", "On 3 May 2024 you see a woman of 27", "story[1]: looks like a date"),
    ("in a shop", "in a shop near SW1A 1AA", "story[1]: looks like a postcode"),
    ("She works", "Today Hannah works", "story[1]: 'Hannah' may be a name"),
    ("It is her first baby.", "She is tired because of work.", "story[1]: 'because' says too much"),
    ("The father came home", "The father did not engage", "hindsight.story[1]: 'did not engage': it blames a family"),
    ("The father came home", "It was obvious: he came home", "hindsight.story[1]: 'obvious': it judges with hindsight"),
    ("growing well.", "growing well. She is quite safe.", "story[1]: 'is quite safe': nobody can find that"),
    (COUNTERFACTUAL, "She will have met her sooner.", "hindsight.counterfactual: 'She will have met her"),
    (COUNTERFACTUAL, "That might help. It stopped it.", "hindsight.counterfactual: 'It stopped it.' is no hypothesis"),
    ("[hindsight]\nstory = [", "[hindsight]\nstory = 3\nrest = [", "hindsight.story: write a list"),
    ("format = 1", "format = ", "file: not valid TOML"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "fault"), FAULTS, ids=[fault[:40] for *_, fault in FAULTS])
def test_a_fault_is_one_line_with_its_fix(vignette_file, old, new, fault):
    read = read_vignette(vignette_file(old, new), DICTIONARY)
    assert read.vignette is None
    assert all("\n" not in line and line.startswith("half-a-picture.toml: ") for line in read.faults)
    assert any(fault in line for line in read.faults), read.faults


def test_every_fault_of_facts_and_words_is_said_at_once(vignette_file):
    path = vignette_file("mother_age_years = 27", "mother_age = 27")
    path.write_text(path.read_text(encoding="utf-8").replace("in a shop", "in a shop, due to luck,"), encoding="utf-8")
    assert len(read_vignette(path, DICTIONARY).faults) == 2


def test_an_unchanged_file_is_in_order_and_numbers_are_as_the_model_reads_them(vignette_file):
    read = read_vignette(vignette_file("mother_age_years = 27", "mother_age_years = 27.0"), DICTIONARY)
    assert read.faults == ()
    assert read.vignette == VIGNETTES["half-a-picture"]


def test_a_story_that_is_too_long_or_too_hard_is_refused(vignette_file):
    long = read_vignette(vignette_file("It is her first baby.", "The day is long. " * 40), DICTIONARY)
    hard = read_vignette(vignette_file(COUNTERFACTUAL, _HARD), DICTIONARY)
    assert any("story[1]: write 3 to 600 letters" in fault for fault in long.faults)
    assert hard.faults == ()  # one hard sentence is no hard story
    path = vignette_file()
    text = path.read_text(encoding="utf-8")
    path.write_text(
        re.sub(r'^(feedback|answer) = ".*"$', rf'\1 = "{_HARD}"', text, flags=re.MULTILINE), encoding="utf-8"
    )
    assert any("reading age: " in fault for fault in read_vignette(path, DICTIONARY).faults)


_HARD = (
    "Notwithstanding multidisciplinary communication, individualised organisational responsibilities might "
    "nevertheless institutionally complicate considerations regarding interprofessional collaboration, accompanying "
    "administrative reconfigurations."
)


def test_what_is_no_text_or_too_large_is_one_line(tmp_path):
    (tmp_path / "odd.toml").write_bytes(b"\xff\xfe")
    (tmp_path / "large.toml").write_bytes(b"#" * (LARGEST + 1))
    for name, words in (("odd", "not valid TOML"), ("large", "larger than"), ("gone", "cannot be read")):
        (fault,) = read_vignette(tmp_path / f"{name}.toml", DICTIONARY).faults
        assert fault.startswith(f"{name}.toml: file: ")
        assert words in fault


def test_a_facilitators_own_case_stands_beside_the_shipped_ones(vignette_file):
    own = vignette_file('code = "half-a-picture"', 'code = "our-own"', name="our-own")
    vignette_file()
    found = read_shelf(own.parent, DICTIONARY)
    assert {"our-own", *taken_codes()} == {read.vignette.code for read in found if read.vignette}
    (taken,) = [read for read in found if read.faults]
    assert "is a shipped training case; choose another" in taken.faults[0]


def test_the_example_in_the_facilitators_guide_is_in_order(tmp_path):
    guide = (Path(__file__).parents[3] / "docs/how-to/facilitator.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", guide, re.DOTALL)
    path = tmp_path / "quiet-house.toml"
    path.write_text(example, encoding="utf-8")
    assert read_vignette(path, DICTIONARY).faults == ()
