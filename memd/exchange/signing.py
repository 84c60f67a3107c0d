"""Signed exports: whose they are, and that nobody changed them since. Ed25519.

The key lies in the data folder, for its owner alone, and is made when it is first needed. Who signed is a name, which
anybody can write, and a key, which nobody else has: a name is believed the first time, and from then on it goes with
that key (`exchange.signers` in the configuration).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Literal

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from memd.errors import BadInput, Conflict, StoreReadOnly
from memd.exchange import lines as x

KEY = "signing.pem"  # in the data folder

Standing = Literal["own", "known", "new", "unsigned"]


class Judgement(msgspec.Struct, frozen=True):
    """Who signed a file.

    Attributes:
        standing: `own` (by this data folder), `known` (the key that this name had before), `new` (the first file of
            this name) or `unsigned`.
        signer, at: the name and the time that were signed; empty and null where nothing was.
        fingerprint: of the key.
        key: the public key in base64, as the configuration has it.
    """

    standing: Standing
    signer: str = ""
    at: datetime | None = None
    fingerprint: str = ""
    key: str = ""


def sign(home: Path, digest: str, signer: str, at: datetime) -> x.Signature:
    """Sign what has this digest.

    Args:
        home: the data folder, with the key; one is made where there is none.
        digest: as the file's end gives it.
        signer: a name, without commas and equals signs.
        at: now.

    Raises:
        BadInput: the name can't be one.
        StoreReadOnly: the key can't be read or written.
    """
    check_name(signer)
    key = _private_key(home / KEY, make=True)
    assert key is not None
    signature = key.sign(_message(digest, signer, at))
    return x.Signature(signer, at, _base64(_raw(key.public_key())), _base64(signature))


def check_name(signer: str) -> None:
    """Raise BadInput where nobody can be called so."""
    if not _is_name(signer):
        raise BadInput(
            f"{signer!r} can't be a signer's name.", "Give another: memd config set exchange.name ann@laptop"
        )


def judge(home: Path, digest: str, signature: x.Signature | None, known: Mapping[str, str]) -> Judgement:
    """Whether a signature holds, and what is known of the signer.

    Args:
        home: the data folder.
        digest: of the file, worked out from its bytes.
        signature: that it carries; None: none.
        known: the keys (base64) of signers that were met before, by name.

    Raises:
        BadInput: the signature doesn't hold.
        Conflict: the name had another key before.
    """
    if signature is None:
        return Judgement("unsigned")
    if not _is_name(signature.signer):
        raise BadInput("The signer's name can't be one.", "Nothing was changed. Ask who signed it.")
    try:
        raw = base64.b64decode(signature.key, validate=True)
        public = Ed25519PublicKey.from_public_bytes(raw)
        signed = base64.b64decode(signature.signature, validate=True)
        public.verify(signed, _message(digest, signature.signer, signature.at))
    except (InvalidSignature, binascii.Error, ValueError):
        raise BadInput(
            f"The signature of {signature.signer[:60]} doesn't hold: the file was changed, or somebody else signed it.",
            "Nothing was changed. Ask for the file again.",
        ) from None
    own = _private_key(home / KEY, make=False)
    known_key = known.get(signature.signer)
    found = Judgement("new", signature.signer, signature.at, fingerprint(raw), _base64(raw))
    if own is not None and _raw(own.public_key()) == raw:
        return msgspec.structs.replace(found, standing="own")
    if known_key is None:
        return found
    if known_key != _base64(raw):
        raise Conflict(
            f"The file is signed as {signature.signer} by another key ({found.fingerprint}) than before.",
            "Ask whether the key is a new one. If it is, take the old one out: memd config set exchange.signers",
        )
    return msgspec.structs.replace(found, standing="known")


def fingerprint(key: bytes) -> str:
    """What people compare of a public key: the first 16 bytes of its SHA-256, by fours."""
    digest = hashlib.sha256(key).hexdigest()[:32]
    return " ".join(digest[place : place + 4] for place in range(0, 32, 4))


def _is_name(signer: str) -> bool:
    """Whether this can be a name in the configuration, where commas and equals signs part names and keys."""
    return (
        bool(signer.strip()) and signer == signer.strip() and len(signer) <= 100
        and all(c.isprintable() and c not in ",=" for c in signer)
    )  # fmt: skip


def _message(digest: str, signer: str, at: datetime) -> bytes:
    """What is signed."""
    return msgspec.json.encode(["memd-export", x.FORMAT, digest, signer, at])


def _private_key(path: Path, *, make: bool) -> Ed25519PrivateKey | None:
    try:
        if path.exists():
            key = load_pem_private_key(path.read_bytes(), None)
            if isinstance(key, Ed25519PrivateKey):
                return key
            raise BadInput(f"{path} is no Ed25519 key.", "Move it away; memd makes a new one.")
        if not make:
            return None
        key = Ed25519PrivateKey.generate()
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        return key
    except FileExistsError:  # another process made one meanwhile
        return _private_key(path, make=False)
    except OSError as error:
        raise StoreReadOnly(f"{path}: {error.strerror}.", "Check its permissions.") from None
    except (ValueError, TypeError):
        raise BadInput(f"{path} is no key.", "Move it away; memd makes a new one.") from None


def _raw(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()
