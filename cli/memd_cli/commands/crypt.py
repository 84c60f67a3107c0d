"""encrypt, decrypt, rekey, unlock, key."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from memd_cli.commands.options import Json
from memd_cli.help import examples
from memd_cli.session import Session, perform

CARE = "Look after it"

app = typer.Typer(rich_markup_mode="rich")
key = typer.Typer(rich_markup_mode="rich", no_args_is_help=True, help="The key of an encrypted store: keep a copy.")

Passphrase = Annotated[
    bool, typer.Option("--passphrase", help="Use a passphrase, which is asked for, or taken from the environment.")
]
KeyFile = Annotated[
    str | None,
    typer.Option("--key-file", metavar="FILE", help="Write the new key to this new file, not to the keyring."),
]
File = Annotated[str, typer.Argument(metavar="FILE", help="Where it lies, or shall lie.", show_default=False)]


def _perform(command: str, verb: str, options: dict[str, Any]) -> int:
    from memd_cli import crypt

    return perform(Session(command, options), getattr(crypt, verb), crypt.show)


@app.command(
    rich_help_panel=CARE,
    epilog=examples("memd encrypt", "memd encrypt --passphrase", "memd key export ~/usb/memd.key"),
)
def encrypt(passphrase: Passphrase = False, key_file: KeyFile = None, json: Json = False) -> int:
    """Encrypt the store: the file, its log and its backups.

    A random key is kept in the system's keyring, unless another option says otherwise. The store is written anew,
    compared, and takes the old one's place in one step; a kill at any moment leaves the one or the other. Copies
    outside of the data folder stay as they are. Needs the extra: [cyan]pip install 'memdaemon\\[encryption]'[/].
    """
    return _perform("encrypt", "encrypt", {"passphrase": passphrase, "key_file": key_file, "json": json})


@app.command(rich_help_panel=CARE, epilog=examples("memd decrypt"))
def decrypt(json: Json = False) -> int:
    """Write the store anew without encryption. Its backups stay encrypted, and their key where it is."""
    return _perform("decrypt", "decrypt", {"json": json})


@app.command(rich_help_panel=CARE, epilog=examples("memd rekey", "memd rekey --passphrase"))
def rekey(
    passphrase: Passphrase = False,
    keyring: Annotated[bool, typer.Option("--keyring", help="Use a random key in the system's keyring.")] = False,
    key_file: KeyFile = None,
    json: Json = False,
) -> int:
    """Encrypt the store and its backups with a new key, or another passphrase.

    Without options it is of the kind that it was. Copies elsewhere still need the former key, which stays in the
    keyring.
    """
    options = {"passphrase": passphrase, "keyring": keyring, "key_file": key_file, "json": json}
    return _perform("rekey", "rekey", options)


@app.command(rich_help_panel=CARE, epilog=examples("memd unlock", "MEMD_KEY_FILE=~/memd.key memd unlock"))
def unlock(json: Json = False) -> int:
    """Give the daemon the key of an encrypted store, until it stops.

    It is taken from MEMD_PASSPHRASE, the file that MEMD_KEY_FILE names, or the keyring; else the passphrase is asked
    for. It goes over the socket, which is open to you alone.
    """
    return _perform("unlock", "unlock", {"json": json})


@key.command("export", epilog=examples("memd key export ~/usb/memd.key"))
def export_key(file: File, json: Json = False) -> int:
    """Write the key to a new file, for you alone to read. Who has it can read the store."""
    return _perform("key export", "export_key", {"file": file, "json": json})


@key.command("import", epilog=examples("memd key import ~/usb/memd.key"))
def import_key(file: File, json: Json = False) -> int:
    """Put the key in a file into the system's keyring, once it has opened the store."""
    return _perform("key import", "import_key", {"file": file, "json": json})


app.add_typer(key, name="key", rich_help_panel=CARE, epilog=examples("memd key export ~/usb/memd.key"))
