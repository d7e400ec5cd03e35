"""`python -m service learn`: what a facilitator types, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from service.learning.reader import SHIPPED
from tests.service.learning.conftest import VIGNETTES


@pytest.fixture
def learn(tmp_path_factory):
    """Runs the command over an empty service folder."""

    def run(*arguments, **changes):
        environment = {**os.environ, "GROUNDS_VAR": str(tmp_path_factory.mktemp("var")), **changes}
        command = [sys.executable, "-m", "service", "learn", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, env=environment)

    return run


def test_a_case_in_order_is_one_line_and_exit_code_0(learn, vignette_file):
    done = learn("check", vignette_file('code = "half-a-picture"', 'code = "our-own"', name="our-own"))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "our-own.toml: in order; reading age 8\n"


def test_faults_are_one_line_each_and_exit_code_1(learn, vignette_file):
    path = vignette_file('code = "half-a-picture"', 'code = "our-own"', name="our-own")
    text = path.read_text(encoding="utf-8").replace("in a shop", "in a shop because of money")
    path.write_text(text.replace("mother_age_years", "mother_age"), encoding="utf-8")
    done = learn("check", path)
    assert done.returncode == 1
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("error: our-own.toml: ") for line in lines)


def test_the_shipped_folder_is_in_order_and_an_empty_one_says_so(learn, tmp_path):
    done = learn("check", SHIPPED)
    assert (done.returncode, len(done.stdout.splitlines())) == (0, len(VIGNETTES))
    empty = learn("check", tmp_path)
    assert empty.returncode == 1
    assert empty.stderr.strip().endswith("holds no training case; their names end in .toml")


def test_list_shows_shipped_and_own_and_what_keeps_one_out(learn, vignette_file):
    own = vignette_file('code = "half-a-picture"', 'code = "our-own"', name="our-own")
    done = learn("list", GROUNDS_VIGNETTES=str(own.parent))
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == len(VIGNETTES) + 1
    assert "our-own  own  A first baby, and half a picture" in done.stdout
    vignette_file()
    taken = learn("list", GROUNDS_VIGNETTES=str(own.parent))
    assert taken.returncode == 1
    assert "is a shipped training case" in taken.stderr


def test_a_folder_that_there_is_not_is_one_line(learn, tmp_path):
    done = learn("list", GROUNDS_VIGNETTES=str(tmp_path / "gone"))
    assert done.returncode == 1
    assert done.stderr.startswith("error: GROUNDS_VIGNETTES: ")
    assert len(done.stderr.splitlines()) == 1


def test_a_case_is_checked_against_the_dictionary_that_is_given(learn, vignette_file, tmp_path):
    dictionary = tmp_path / "other" / "dictionary.toml"
    dictionary.parent.mkdir()
    dictionary.write_text(
        'format = 1\nname = "Other"\nversion = "1"\n[outcome]\ncolumn = "y"\nmeaning = "m"\npositive = ["1"]\n'
        '[[agency]]\nid = "gp"\nlabel = "GP"\n'
        '[[feature]]\nname = "only"\nlabel = "Only"\nkind = "yes_no"\ndirection = "raises"\nheld_by = ["gp"]\n'
    )
    done = learn("check", vignette_file(), "--dictionary", dictionary)
    assert done.returncode == 1
    assert "there is no question 'child_stage' in the dictionary" in done.stderr
