"""The vault: seals secrets that must lie in the database, and opens them again.

A sealed secret is `0x01 | key id (4) | nonce (12) | AES-256-GCM ciphertext and tag`. The version, the key's id and the
purpose are authenticated with it, so that a secret sealed for one purpose or person opens for no other.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import Connection

from core.errors import Refusal
from core.settings import BadSetting, Settings
from data.store import people as store

VERSION = b"\x01"
KEY = re.compile(r"[0-9a-fA-F]{64}")


class WrongKey(Refusal):
    """What lies sealed in the database was sealed with a key that this process does not have, or was changed."""

    code = "wrong_key"
    status = 503


@dataclass(frozen=True, slots=True)
class Vault:
    """A ring of keys: the first one seals, each of them opens what it sealed."""

    keys: tuple[bytes, ...]

    def seal(self, secret: bytes, purpose: str) -> bytes:
        head, nonce = VERSION + key_id(self.keys[0]), secrets.token_bytes(12)
        return head + nonce + AESGCM(self.keys[0]).encrypt(nonce, secret, head + purpose.encode())

    def open(self, sealed: bytes, purpose: str) -> bytes:
        """The secret; WrongKey when it was sealed with another key, for another purpose, or has been changed."""
        head, nonce, rest = sealed[:5], sealed[5:17], sealed[17:]
        for key in self.keys:
            if head == VERSION + key_id(key):
                try:
                    return AESGCM(key).decrypt(nonce, rest, head + purpose.encode())
                except (InvalidTag, ValueError):
                    break
        raise WrongKey(
            "The key of this installation does not open the secrets in its database;"
            " give back the file `key` of MILLRACE_HOME, or the MILLRACE_KEY that was used before."
        )

    def derive(self, purpose: str, length: int = 32) -> bytes:
        """Bytes that only this key gives for this purpose: always the same ones."""
        return HKDF(hashes.SHA256(), length, salt=None, info=purpose.encode()).derive(self.keys[0])


def key_id(key: bytes) -> bytes:
    return hashlib.sha256(b"millrace key" + key).digest()[:4]


def of(settings: Settings) -> Vault:
    """The vault of this installation: MILLRACE_KEY, else a key made once in MILLRACE_HOME."""
    return _of(settings.key, settings.home)


@lru_cache(maxsize=8)
def _of(given: str | None, home: Path) -> Vault:
    return Vault(tuple(parse(given or made_once(home / "key"))))


def parse(text: str) -> list[bytes]:
    """The keys of a comma-separated list of 64 hex digits each, the sealing one first."""
    words = [word.strip() for word in text.split(",")]
    if not all(KEY.fullmatch(word) for word in words):
        raise BadSetting(
            "MILLRACE_KEY must be 64 hex digits (make one with `openssl rand -hex 32`);"
            " while keys rotate, the new one, a comma, and the old one."
        )
    return [bytes.fromhex(word) for word in words]


def made_once(path: Path) -> str:
    """The key in this file, for the owner's eyes only; of two processes that make it at once, one wins."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()


def house_secret(db: Connection, vault: Vault, name: str, make: Callable[[], bytes]) -> bytes:
    """A secret of the house, the same in every replica: made at first need, and kept sealed in the database."""
    purpose = f"house_secret:{name}"
    sealed = store.house_secret_of(db, name)
    if sealed is None:
        store.keep_house_secret(db, name, vault.seal(make(), purpose))
        sealed = store.house_secret_of(db, name)
    if sealed is None:
        raise WrongKey(f"The secret {name} could not be kept in the database; check that it accepts writes.")
    return vault.open(sealed, purpose)
