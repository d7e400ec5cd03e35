"""compose.yaml and the commands of the operators' guide that prepare it: what can be run without a container engine."""

from __future__ import annotations

import re
import stat
import subprocess
import tarfile
from pathlib import Path

import pytest
import yaml

from model.dictionary import shipped_dictionary
from service.model_files import load_active
from tests.service.conftest import hand_made_model, release_into, settings_in

TOP = Path(__file__).parents[2]
POSTGRESQL, GROUNDS = 999, 10001
"""Users of the two images: Debian's postgres image makes the first, our Dockerfile the second."""


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load((TOP / "compose.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def guide():
    """The blocks of commands under "In a container"."""
    text = (TOP / "docs/how-to/operator.md").read_text(encoding="utf-8")
    section = re.search(r"^## In a container\n(.*?)^## ", text, re.DOTALL | re.MULTILINE)[1]
    return re.findall(r"(?:^    .*\n)+", section, re.MULTILINE)


@pytest.fixture
def secrets(guide, tmp_path):
    """The folder that the guide's commands make, run as they stand there."""
    (commands,) = (block for block in guide if "mkdir" in block)
    subprocess.run(["bash", "-euo", "pipefail", "-c", commands], cwd=tmp_path, check=True)
    return tmp_path / "secrets"


def test_each_secret_is_made_for_the_one_user_who_reads_it(compose, secrets):
    named = {name: TOP / secret["file"] for name, secret in compose["secrets"].items()}
    assert {path.parent for path in named.values()} == {TOP / "secrets"}
    assert {path.name for path in named.values()} == {path.name for path in secrets.iterdir()}
    readers = {name: POSTGRESQL if service == "postgresql" else GROUNDS for service, name in _given(compose)}
    assert set(readers) == set(named)
    for name, user in readers.items():
        found = (secrets / name).stat()
        assert (found.st_uid, stat.S_IMODE(found.st_mode)) == (user, 0o400), name
    assert re.search(rf"^RUN groupadd --gid {GROUNDS} ", (TOP / "Dockerfile").read_text(), re.MULTILINE)


def test_compose_is_told_nothing_of_owner_or_mode_that_it_would_ignore(compose):
    assert all(isinstance(secret, str) for service in compose["services"].values() for secret in service["secrets"])


def test_a_password_file_is_that_of_its_role_host_and_database(compose, secrets):
    for service, role in (("database", "owner"), ("grounds", "service")):
        environment = compose["services"][service]["environment"]
        assert environment["GROUNDS_LOG_DATABASE"] == f"postgresql://grounds_{role}@postgresql/grounds"
        assert environment["PGPASSFILE"] == f"/run/secrets/{role}_passfile"
        password = (secrets / f"{role}_password").read_text().strip()
        assert re.fullmatch("[0-9a-f]{64}", password)
        line = f"postgresql:5432:grounds:grounds_{role}:{password}\n"
        assert (secrets / f"{role}_passfile").read_text() == line
    assert (secrets / "owner_password").read_text() != (secrets / "service_password").read_text()


def test_postgresql_makes_the_role_from_its_secret_before_anybody_can_connect(compose):
    postgresql = compose["services"]["postgresql"]
    for name in ("POSTGRES_PASSWORD_FILE", "SERVICE_PASSWORD_FILE"):
        assert Path(postgresql["environment"][name]).name in postgresql["secrets"]
    mounted = dict(volume.split(":")[:2] for volume in postgresql["volumes"])
    (script,) = (host for host, inside in mounted.items() if inside.startswith("/docker-entrypoint-initdb.d/"))
    assert "CREATE ROLE grounds_service LOGIN" in (TOP / script).read_text(encoding="utf-8")
    assert "grant --service grounds_service" in compose["services"]["database"]["entrypoint"][2]
    # On its socket alone PostgreSQL answers before the role is there.
    assert postgresql["healthcheck"]["test"][:4] == ["CMD", "pg_isready", "-h", "127.0.0.1"]
    assert compose["services"]["database"]["depends_on"] == {"postgresql": {"condition": "service_healthy"}}
    assert compose["services"]["grounds"]["depends_on"]["database"] == {"condition": "service_completed_successfully"}


def test_the_packed_volume_is_what_a_service_starts_from(compose, guide, tmp_path):
    (line,) = (line for block in guide for line in block.splitlines() if line.strip().startswith("tar "))
    pack, run = line.split("|")
    # By Compose, so that the volume is the one that it will mount, and as the image's user, who then owns the files.
    by_compose = "docker compose run --rm --no-deps -T --entrypoint tar grounds -x -C /var/lib/grounds"
    assert run.strip() == by_compose
    assert "user" not in compose["services"]["grounds"]
    assert "grounds:/var/lib/grounds" in compose["services"]["grounds"]["volumes"]
    made = settings_in(tmp_path / "var")
    release_into(made, hand_made_model(shipped_dictionary()))
    with (tmp_path / "packed").open("wb") as packed:
        subprocess.run(["bash", "-euc", pack], cwd=tmp_path, check=True, stdout=packed)
    with tarfile.open(tmp_path / "packed") as archive:
        archive.extractall(tmp_path / "volume", filter="data")
    volume = settings_in(tmp_path / "volume")
    assert load_active(volume.models, volume.keys).model.version == "test-1"
    assert [path.name for path in volume.keys.iterdir()] == ["release.pub.pem"]


def test_the_service_gets_no_more_than_it_needs(compose):
    for name in ("grounds", "database"):
        service = compose["services"][name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
    assert "owner" not in yaml.safe_dump(compose["services"]["grounds"])
    assert compose["services"]["grounds"]["ports"] == ["127.0.0.1:8000:8000"]


def _given(compose):
    """Each service and each secret that it is given."""
    for name, service in compose["services"].items():
        for secret in service["secrets"]:
            yield name, secret
