"""The image: what is in it, what is not, and that its service answers a screening from a read-only root."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from model.dictionary import shipped_dictionary
from service.access.keys import create_key
from tests.service.conftest import hand_made_model, release_into, settings_in

pytestmark = pytest.mark.timeout(900)
USER = 10001
TOP = Path(__file__).parents[2]
HADOLINT = Path(sys.executable).with_name("hadolint")


@pytest.fixture
def volume(tmp_path):
    """A volume with a released model and a practitioner's key, owned by the image's user."""
    made = settings_in(tmp_path / "var")
    release_into(made, hand_made_model(shipped_dictionary()))
    key, _ = create_key(made.keys, "practitioner")
    for path in (made.var, *made.var.rglob("*")):
        os.chown(path, USER, USER)
    return made.var, key


def test_the_manifest_says_how_to_run_it(image):
    assert image.config["User"] == "10001:10001"
    assert image.config["Entrypoint"] == ["python", "-m", "service"]
    assert image.config["Cmd"] == ["serve"]
    assert image.config["Healthcheck"]["Test"] == ["CMD", "python", "-m", "service", "health"]
    assert "/var/lib/grounds" in image.config["Volumes"]
    assert image.config["StopSignal"] == "SIGTERM"


def test_only_the_service_and_the_model_are_in_it(image):
    app = image.root / "opt/grounds/app"
    assert sorted(path.name for path in app.iterdir()) == ["model", "service"]
    assert not list(app.rglob("node_modules"))
    packages = image.root / "opt/grounds/lib"
    names = {path.name for path in packages.glob("python3*/site-packages/*")}
    assert "flask" in names
    assert not names & {"sklearn", "joblib", "shap", "numpy", "pandas", "pytest", "pip", "setuptools"}
    writable = [path for path in app.rglob("*") if path.stat().st_uid != 0 or path.stat().st_mode & 0o022]
    assert writable == []


def test_it_has_the_compiled_kernel_and_no_compiler(image, tmp_path):
    tried = "from model.kernel import Kernel; print(Kernel.__name__)"
    done = image.run(tmp_path, "python", "-c", tried)
    assert (done.returncode, done.stdout) == (0, "Kernel\n"), done.stderr
    assert [path.name for place in ("usr/bin", "usr/local/bin") for path in (image.root / place).glob("*gcc*")] == []
    assert not list(image.root.glob("usr/include/python3*"))


def test_the_service_answers_a_screening_from_a_read_only_root(image, volume):
    folder, key = volume
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = [f"GROUNDS_PORT={port}", "GROUNDS_HOST=127.0.0.1", "GROUNDS_WORKERS=2"]
    command = image.command(folder, *settings, "python", "-m", "service", "serve")
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        _wait_for(port, process)
        body = json.dumps({"case_ref": "case-0001", "agency": "gp", "features": {"child_stage": "unborn"}}).encode()
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        asked = urllib.request.Request(f"http://127.0.0.1:{port}/v1/screenings", body, headers)
        with urllib.request.urlopen(asked, timeout=10) as answer:
            assert answer.status == 201
            assert json.load(answer)["record"]["leaf_hash"]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as page:
            assert b"/assets/" in page.read()
        health = image.run(folder, f"GROUNDS_PORT={port}", "python", "-m", "service", "health")
        assert health.returncode == 0, health.stderr
    finally:
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output
    verified = image.run(folder, "python", "-m", "service", "log", "verify")
    assert verified.returncode == 0, verified.stderr
    assert image.run(folder, f"GROUNDS_PORT={port}", "python", "-m", "service", "health").returncode == 1


def test_its_root_cannot_be_written_and_it_is_nobody_of_note(image, volume):
    folder, _ = volume
    assert image.run(folder, "sh", "-c", "touch /opt/grounds/app/model/x").returncode != 0
    assert image.run(folder, "id", "-u").stdout.strip() == str(USER)


def _wait_for(port: int, process: subprocess.Popen[str]) -> None:
    for _ in range(300):
        assert process.poll() is None, process.communicate()[0]
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=1):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise AssertionError("the service in the image did not get ready")


def test_its_dockerfile_is_clean_by_hadolint():
    done = subprocess.run([HADOLINT, str(TOP / "Dockerfile")], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_the_bill_of_materials_lists_the_image_s_own_packages(image, tmp_path):
    command = [str(TOP / "tests/image/bill_of_materials"), sys.executable, str(tmp_path), str(image.root)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=TOP)
    assert done.returncode == 0, done.stdout + done.stderr
    bill = json.loads((tmp_path / "sbom.cdx.json").read_text(encoding="utf-8"))
    names = {one["name"] for one in bill["components"]}
    assert {"flask", "govuk-frontend", "libc6", "python3", "openssl"} <= {name.lower() for name in names}
