"""The vault: what it seals opens for the same purpose and key, and for nothing else."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Connection

from core.settings import BadSetting
from core.trust import vault
from core.trust.vault import Vault, WrongKey

OLD, NEW = bytes(range(32)), bytes(range(32, 64))


def test_what_was_sealed_opens_again() -> None:
    ring = Vault((OLD,))
    assert ring.open(ring.seal(b"secret", "a purpose"), "a purpose") == b"secret"


def test_a_sealed_secret_is_different_each_time_and_names_its_key() -> None:
    ring = Vault((OLD,))
    one, two = ring.seal(b"secret", "p"), ring.seal(b"secret", "p")
    assert one != two
    assert one[:5] == two[:5] == b"\x01" + vault.key_id(OLD)


def test_it_opens_for_no_other_purpose() -> None:
    ring = Vault((OLD,))
    with pytest.raises(WrongKey):
        ring.open(ring.seal(b"secret", "person.totp:1"), "person.totp:2")


def test_any_changed_bit_is_noticed() -> None:
    ring = Vault((OLD,))
    sealed = ring.seal(b"secret", "p")
    for at in range(len(sealed)):
        changed = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
        with pytest.raises(WrongKey):
            ring.open(changed, "p")


@pytest.mark.parametrize("sealed", [b"", b"\x01", b"\x01" + b"\0" * 40])
def test_what_was_never_sealed_is_refused_with_a_sentence(sealed: bytes) -> None:
    with pytest.raises(WrongKey, match="MILLRACE_KEY"):
        Vault((OLD,)).open(sealed, "p")


def test_while_keys_rotate_the_new_one_seals_and_both_open() -> None:
    before, after = Vault((OLD,)), Vault((NEW, OLD))
    assert after.open(before.seal(b"secret", "p"), "p") == b"secret"
    with pytest.raises(WrongKey):
        before.open(after.seal(b"secret", "p"), "p")


def test_a_key_of_another_form_is_refused_by_name() -> None:
    with pytest.raises(BadSetting, match="MILLRACE_KEY"):
        vault.parse("hunter2")
    assert len(vault.parse(f"{NEW.hex()}, {OLD.hex()}")) == 2


def test_the_key_of_an_installation_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as together:
        made = set(together.map(lambda _: vault.made_once(tmp_path / "home" / "key"), range(16)))
    assert len(made) == 1
    assert stat.S_IMODE((tmp_path / "home" / "key").stat().st_mode) == 0o600
    assert [file.name for file in (tmp_path / "home").iterdir()] == ["key"]


def test_replicas_with_one_key_share_the_secrets_of_the_house(db: Connection) -> None:
    one = vault.house_secret(db, Vault((OLD,)), "test_cookie", lambda: b"first")
    two = vault.house_secret(db, Vault((OLD,)), "test_cookie", lambda: b"second")
    assert one == two == b"first"


def test_another_key_is_told_so_instead_of_making_new_secrets(db: Connection) -> None:
    vault.house_secret(db, Vault((OLD,)), "test_cookie", lambda: b"first")
    with pytest.raises(WrongKey):
        vault.house_secret(db, Vault((NEW,)), "test_cookie", lambda: b"second")


def test_derived_bytes_are_the_same_for_a_purpose_and_differ_between_purposes() -> None:
    ring = Vault((OLD,))
    assert ring.derive("a") == ring.derive("a") != ring.derive("b")
