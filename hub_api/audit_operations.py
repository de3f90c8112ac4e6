"""`hub audit verify | key`: whether the audit log is as it was written."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from hub_api.operations import AS_JSON, with_services

audit = typer.Typer(help="The audit log's hash chain.", no_args_is_help=True)


@audit.command()
def verify(
    head: Annotated[
        str | None,
        typer.Option(help="A head noted earlier (from here or a log line audit_sealed): it must still be there."),
    ] = None,
    as_json: Annotated[bool, AS_JSON] = False,
) -> None:
    """Walk the whole chain: every row, link and signature. Exit 1 when anything is wrong, with what and where."""
    from hub_api.auth import audit_verify

    verdict = with_services(lambda services: audit_verify.verify_now(services, head.lower() if head else None))
    if as_json:
        typer.echo(json.dumps(asdict(verdict), indent=2))
    else:
        typer.echo(
            f"{verdict.links} links, {verdict.seals} signatures, {verdict.archived} rows in detached months, "
            f"{verdict.unsealed} rows wait for the sealer\nhead {verdict.head}"
        )
        for other in verdict.other_keys:
            typer.echo(f"signed by an earlier key {other}: compare it with the one you noted")
        for fault in verdict.faults:
            typer.echo(f"WRONG: {fault}")
        typer.echo("the audit log is NOT as it was written" if verdict.faults else "the audit log is as it was written")
    raise typer.Exit(1 if verdict.faults else 0)


@audit.command()
def key() -> None:
    """Print the public key that signs today, to be noted outside the hub."""
    from hub_api.auth import audit_chain
    from hub_api.settings import load_settings

    public = audit_chain.signing_key(load_settings().secret_key.get_secret_value()).public_key().public_bytes_raw()
    typer.echo(f"{audit_chain.key_id(public)} ed25519 {public.hex()}")
