"""The pages' styles, scripts and icon, from this host alone.

`built/` is made by `make` from the design system's package (`package.json`); `static/` is ours.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from flask import Blueprint, Response
from werkzeug.exceptions import NotFound

FOLDERS = (Path(__file__).parent / "built", Path(__file__).parent / "static")
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


class AssetsMissing(RuntimeError):
    """The design system's files were not built; one line with the fix."""


class Assets:
    """Every file of the two folders, read once, under a name that changes with its content."""

    def __init__(self) -> None:
        """Raises `AssetsMissing`."""
        files = {path.name: path for folder in FOLDERS for path in sorted(folder.glob("*.*")) if path.suffix in TYPES}
        if "grounds.css" not in files or "govuk-frontend.min.js" not in files:
            raise AssetsMissing("service/pages/built: the pages' styles are not built; run: make pages")
        self._files = {name: (path.read_bytes(), TYPES[path.suffix]) for name, path in files.items()}
        # One digest over all: a script imports its neighbours by relative name.
        self.digest = hashlib.sha256(b"".join(data for data, _ in self._files.values())).hexdigest()[:12]

    def address(self, name: str) -> str:
        """Where a file is. Raises `KeyError` for one that there is not."""
        self._files[name]
        return f"/assets/{self.digest}/{name}"

    def file(self, name: str) -> tuple[bytes, str]:
        """A file's bytes and type. Raises `KeyError`."""
        return self._files[name]


def assets_blueprint(assets: Assets) -> Blueprint:
    """The addresses of the files: public, and kept by the browser for a year, as a new content has a new address."""
    blueprint = Blueprint("assets", __name__)

    @blueprint.get("/assets/<digest>/<name>")
    def asset(digest: str, name: str) -> Response:
        try:
            data, kind = assets.file(name)
        except KeyError:
            raise NotFound from None
        kept = "public, max-age=31536000, immutable" if digest == assets.digest else "no-store"
        return Response(data, mimetype=kind, headers={"Cache-Control": kept})

    return blueprint
