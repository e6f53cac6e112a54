"""`kjpstate schema`: the document's JSON Schema in one piece, for editors."""

from __future__ import annotations

import click

from kjpstate.cli.session import Session


@click.command()
@click.pass_obj
def command(session: Session) -> int:
    """Print the JSON Schema (2020-12) of the document; editors complete and check with it."""
    from kjpstate import document

    session.out_json(document.bundled_schema())
    return 0
