"""Adds to the bill of materials and the licences what is in the image beside the Python packages.

That is what the pages ship of the packages that they are built from, and the base's Debian packages, as the image's own
dpkg lists them. Usage: python -m tests.image.components FOLDER [ROOT]; without a root (the image was not built here)
the bill of materials and the list of licences say that the base is not in them.
"""

from __future__ import annotations

import json
import re
import sys
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

TOP = Path(__file__).parents[2]
SHIPPED = ("govuk-frontend",)
"""What `npm run build` puts into the pages' built folder. The compiler of the styles leaves nothing of itself there."""
NOT_BUILT = "not listed: the image was not built here; make image, then make sbom"
Component = dict[str, Any]


def page_components(lock: Path) -> list[Component]:
    """The packages whose scripts and styles the pages ship, from npm's lock file."""
    packages = json.loads(lock.read_text(encoding="utf-8"))["packages"]
    return [_page_component(name, packages[f"node_modules/{name}"]) for name in SHIPPED]


def _page_component(name: str, locked: dict[str, Any]) -> Component:
    digest = b64decode(locked["integrity"].removeprefix("sha512-")).hex()
    return {
        **_component(name, locked["version"], f"pkg:npm/{name}@{locked['version']}", [locked["license"]]),
        "hashes": [{"alg": "SHA-512", "content": digest}],
    }


def base_components(root: Path) -> list[Component]:
    """The Debian packages that are installed below a root, each with the licences that its copyright file names."""
    distribution = _release(root)["VERSION_CODENAME"]
    return [
        _component(
            found["Package"],
            found["Version"],
            f"pkg:deb/debian/{quote(found['Package'])}@{quote(found['Version'])}"
            f"?arch={found['Architecture']}&distro={distribution}",
            copyright_licences(root / "usr/share/doc" / found["Package"] / "copyright"),
        )
        for found in _paragraphs((root / "var/lib/dpkg/status").read_text(encoding="utf-8"))
        if found["Status"].split()[-1] == "installed"
    ]


def _paragraphs(status: str) -> Iterator[dict[str, str]]:
    for paragraph in status.strip().split("\n\n"):
        yield dict(re.findall(r"^([A-Za-z-]+): *(.*)$", paragraph, re.MULTILINE))


def copyright_licences(file: Path) -> list[str]:
    """The licences that a Debian copyright file names, by its fields or by the texts that it points to."""
    if not file.is_file():
        return ["not stated: no copyright file"]
    text = file.read_text(encoding="utf-8", errors="replace")
    named = re.findall(r"^License: *(\S.*)$", text, re.MULTILINE) if text.startswith("Format:") else []
    pointed = re.findall(r"/usr/share/common-licenses/([A-Za-z0-9.+-]*[A-Za-z0-9])", text)
    return sorted({name.strip() for name in named or pointed}) or [f"see {'/'.join(file.parts[-5:])}"]


def _component(name: str, version: str, purl: str, licences: list[str]) -> Component:
    shown = [{"license": {"name": licence}} for licence in licences]
    return {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": version,
        "purl": purl,
        "licenses": shown,
    }


def _release(root: Path) -> dict[str, str]:
    text = (root / "etc/os-release").read_text(encoding="utf-8")
    return {name: value.strip('"') for name, value in re.findall(r"^([A-Z_]+)=(.*)$", text, re.MULTILINE)}


def _own_python(root: Path) -> list[Component]:
    """The interpreter, where it is none of Debian's packages: the official Python images compile it themselves."""
    settings = root / "opt/grounds/pyvenv.cfg"
    if not settings.is_file():  # the folder of a Debian base, on which the image is built
        return []
    read = dict(re.findall(r"^(\S+) = (.*)$", settings.read_text(encoding="utf-8"), re.MULTILINE))
    if not read["home"].startswith("/usr/local/"):
        return []
    return [_component("python", read["version"], f"pkg:generic/python@{read['version']}", ["PSF-2.0"])]


def _table(title: str, components: list[Component]) -> str:
    rows = [
        f"| {one['name']} | {one['version']} | {'; '.join(each['license']['name'] for each in one['licenses'])} |"
        for one in components
    ]
    return "\n".join(["", f"## {title}", "", "| Name | Version | License |", "|---|---|---|", *rows, ""])


def main(folder: Path, root: Path | None) -> None:
    """Writes both files anew, with what is beside the Python packages."""
    bill, licences = folder / "sbom.cdx.json", folder / "licences.md"
    content = json.loads(bill.read_text(encoding="utf-8"))
    pages = page_components(TOP / "service/pages/package-lock.json")
    base = [] if root is None else [*_own_python(root), *base_components(root)]
    state = NOT_BUILT if root is None else _release(root)["PRETTY_NAME"]
    content["components"] += [*pages, *base]
    content["metadata"].setdefault("properties", []).append({"name": "grounds:base", "value": state})
    bill.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    tables = _table("Shipped with the pages", pages) + _table(f"The base's packages: {state}", base)
    licences.write_text(licences.read_text(encoding="utf-8") + tables, encoding="utf-8")
    print(f"{len(pages)} package shipped with the pages; the base's packages: {len(base) or state}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
