"""Signs logs: Ed25519 (RFC 8032) over the text `mprun-log:` and the last seal. Needs the package cryptography."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from mprun.errors.exceptions import UsageError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey


def signer(path: str) -> Callable[[str], str]:
    """Return a function from a seal to its signature in Base64, made with the private key in the PEM file `path`.

    Raises UsageError.
    """
    key = _private_key(path)
    return lambda seal: base64.b64encode(key.sign(_message(seal))).decode()


def checker(path: str) -> Callable[[str, str], bool]:
    """Return a function that checks the signature of a seal, given both, with the public key in the PEM file `path`.

    Raises UsageError.
    """
    key = _public_key(path)

    def is_good(seal: str, signature: str) -> bool:
        from cryptography.exceptions import InvalidSignature

        try:
            key.verify(base64.b64decode(signature, validate=True), _message(seal))
        except (InvalidSignature, binascii.Error, ValueError):
            return False
        return True

    return is_good


def _message(seal: str) -> bytes:
    """The prefix keeps a signature of a log from being valid for anything else that is signed with the same key."""
    return b"mprun-log:" + seal.encode()


def _private_key(path: str) -> Ed25519PrivateKey:
    _need_cryptography()
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(_bytes(path), password=None)
    except TypeError as error:
        raise UsageError(f"the key {path} has a passphrase; mprun takes a key without one") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UsageError(f"{path} is not a private key in PEM form; {_MAKE_ONE}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise UsageError(f"the key {path} is not an Ed25519 key; {_MAKE_ONE}")
    return key


def _public_key(path: str) -> Ed25519PublicKey:
    _need_cryptography()
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(_bytes(path))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UsageError(f"{path} is not a public key in PEM form; {_SHOW_ONE}") from error
    if not isinstance(key, Ed25519PublicKey):
        raise UsageError(f"the key {path} is not an Ed25519 key")
    return key


_MAKE_ONE = "`openssl genpkey -algorithm ed25519 -out key.pem` makes one"
_SHOW_ONE = "`openssl pkey -in key.pem -pubout` prints that of key.pem"


def _bytes(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise UsageError(f"the key {path} can't be read: {error.strerror}") from error


def _need_cryptography() -> None:
    try:
        import cryptography  # noqa: F401
    except ImportError as error:
        raise UsageError("signatures need the package cryptography: pip install 'mprun[sign]'") from error
