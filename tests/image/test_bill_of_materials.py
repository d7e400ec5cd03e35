"""What the image is made of is listed whole: Python's packages, what the pages ship, and the base's Debian packages."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from tests.image.components import NOT_BUILT, SHIPPED, copyright_licences

TOP = Path(__file__).parents[2]


def listed(folder, *root):
    """The bill of materials and the licences as the command makes them."""
    command = [str(TOP / "tests/image/bill_of_materials"), sys.executable, str(folder), *map(str, root)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=TOP)
    assert done.returncode == 0, done.stdout + done.stderr
    text = (folder / "sbom.cdx.json").read_text(encoding="utf-8")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    return json.loads(text), (folder / "licences.md").read_text(encoding="utf-8"), done.stdout


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """The dpkg of this machine, which is a Debian, in the place of the image's."""
    root = tmp_path_factory.mktemp("root")
    for part in ("var/lib/dpkg", "usr/share/doc"):
        (root / part).parent.mkdir(parents=True, exist_ok=True)
        (root / part).symlink_to(f"/{part}")
    (root / "etc").mkdir()
    (root / "etc/os-release").write_text(Path("/etc/os-release").read_text())
    (root / "opt/grounds").mkdir(parents=True)
    (root / "opt/grounds/pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.11.2\n")
    return root


@pytest.fixture(scope="module")
def whole(tmp_path_factory, root):
    return listed(tmp_path_factory.mktemp("sbom"), root)


def test_every_python_package_is_in_it_and_the_licences_are_ours_to_use(whole):
    bill, licences, _ = whole
    python = {one["name"].lower() for one in bill["components"] if one["purl"].startswith("pkg:pypi/")}
    lock = (TOP / "requirements.lock").read_text()
    assert python == {name.lower() for name in re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==", lock, re.MULTILINE)}
    assert all(
        re.search(rf"\| {re.escape(name)} ", licences, re.IGNORECASE) for name in ("flask", "pysqlite3", "granian")
    )


def test_what_the_pages_ship_is_in_it(whole):
    bill, licences, _ = whole
    (shipped,) = (one for one in bill["components"] if one["purl"].startswith("pkg:npm/"))
    locked = json.loads((TOP / "service/pages/package-lock.json").read_text())["packages"][
        "node_modules/govuk-frontend"
    ]
    assert (shipped["name"], shipped["version"]) == ("govuk-frontend", locked["version"])
    assert shipped["licenses"] == [{"license": {"name": "MIT"}}]
    assert f"| govuk-frontend | {locked['version']} | MIT |" in licences


def test_nothing_else_comes_into_the_pages_from_npm():
    """What the build copies and what the styles use are packages that are listed."""
    build = json.loads((TOP / "service/pages/package.json").read_text())["scripts"]["build"]
    copied = re.findall(r"node_modules/((?:@[^/ ]+/)?[^/ ]+)/", build)
    styles = [path.read_text() for path in (TOP / "service/pages/style").glob("*.scss")]
    used = [name for text in styles for name in re.findall(r'@(?:use|import|forward) "([^"./:]+)/', text)]
    assert set(copied) | set(used) == set(SHIPPED)


def test_every_installed_package_of_the_base_is_in_it_with_its_licences(whole):
    bill, licences, said = whole
    form = "${db:Status-Status} ${Package} ${Version}\n"
    asked = subprocess.run(["dpkg-query", "-W", "-f", form], capture_output=True, text=True, check=True).stdout
    installed = {tuple(line.split()[1:]) for line in asked.splitlines() if line.startswith("installed ")}
    base = [one for one in bill["components"] if one["purl"].startswith("pkg:deb/debian/")]
    assert {(one["name"], one["version"]) for one in base} == installed
    assert all(one["licenses"] for one in base)
    by_name = {one["name"]: [each["license"]["name"] for each in one["licenses"]] for one in base}
    assert "GPL-3+" in by_name["bash"]
    assert any(name.startswith("LGPL-2") for name in by_name["libc6"])
    assert re.search(r"^\| bash \| \S+ \| .*GPL-3\+", licences, re.MULTILINE)
    assert f"the base's packages: {len(base)}" in said


def test_an_interpreter_that_is_not_debian_s_is_in_it(tmp_path, root):
    settings = root / "opt/grounds/pyvenv.cfg"
    before = settings.read_text()
    settings.write_text("home = /usr/local/bin\nversion = 3.11.9\n")
    bill, licences, _ = listed(tmp_path, root)
    settings.write_text(before)
    assert [one["version"] for one in bill["components"] if one["name"] == "python"] == ["3.11.9"]
    assert "| python | 3.11.9 | PSF-2.0 |" in licences


def test_without_a_built_image_it_says_what_is_not_in_it(tmp_path):
    bill, licences, said = listed(tmp_path)
    assert {"name": "grounds:base", "value": NOT_BUILT} in bill["metadata"]["properties"]
    assert NOT_BUILT in licences
    assert NOT_BUILT in said
    assert not [one for one in bill["components"] if one["purl"].startswith("pkg:deb/")]


def test_a_copyright_file_of_any_form_gives_its_licences(tmp_path):
    file = tmp_path / "copyright"
    assert copyright_licences(file) == ["not stated: no copyright file"]
    file.write_text("Format: x\n\nLicense: MIT\n text\n\nLicense: Zlib\n\nLicense: MIT\n")
    assert copyright_licences(file) == ["MIT", "Zlib"]
    file.write_text("It is free.\nSee /usr/share/common-licenses/GPL-2.\n")
    assert copyright_licences(file) == ["GPL-2"]
    file.write_text("It is free.\n")
    assert copyright_licences(file)[0].endswith("copyright")
