"""`flask photos`: import a folder of identity photographs, named by ID number."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import click

from models import imports, schema
from models.access import CITY, Actor


@click.group("photos")
def group() -> None:
    """Reference photographs."""
    schema.prepare()


@group.command("import")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--division", required=True, help="prefix of the area whose people the photographs show")
def import_folder(folder: Path, division: str) -> None:
    """Hand a folder of photographs to the worker; files are named by ID number."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, path.name)
    if not archive.namelist():
        raise click.ClickException("there are no files in this folder")
    row = imports.start(imports.PHOTOS, folder.name, packed.getvalue(), Actor(CITY, division=division))
    click.echo(f"import {row['_id']} is with the worker")
