"""`python -m service client`: prints the client of a contract."""

from __future__ import annotations

from typing import BinaryIO

import click
import orjson

from service.client.generate import ContractError, client_source


@click.command()
@click.argument("contract", type=click.File("rb"))
def client(contract: BinaryIO) -> None:
    """Print a Python client of CONTRACT: a file of GET /openapi.json, or - to read it from a pipe."""
    try:
        spec = orjson.loads(contract.read())
        if not isinstance(spec, dict):
            raise ContractError("not an OpenAPI document; give the answer of GET /openapi.json")
        source = client_source(spec)
    except (ContractError, orjson.JSONDecodeError) as error:
        raise click.ClickException(f"{contract.name}: {error}") from None
    click.echo(source, nl=False)
