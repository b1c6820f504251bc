"""Settings: what stands without any, and each that is refused."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from core import settings
from core.errors import Refusal
from core.settings import BadSetting, Oidc, read

OIDC = {
    "MILLRACE_OIDC_ISSUER": "https://id.example.com",
    "MILLRACE_OIDC_CLIENT_ID": "millrace",
    "MILLRACE_OIDC_CLIENT_SECRET": "quiet",
}


def test_without_any_setting_millrace_serves_this_machine_alone() -> None:
    found = read({})
    assert (found.address, found.port, found.public_url) == ("127.0.0.1", 8501, "http://127.0.0.1:8501")
    assert found.is_loopback
    assert found.home == Path(settings.__file__).resolve().parents[1] / ".millrace"
    assert (found.database_url, found.key, found.oidc, found.demo) == (None, None, None, False)
    assert (found.currency, found.timezone, found.proxies) == ("USD", "UTC", "")


def test_a_setting_left_empty_is_none() -> None:
    names = ("DATABASE_URL", "MILLRACE_HOME", "MILLRACE_ADDRESS", "MILLRACE_URL", "MILLRACE_CURRENCY", "MILLRACE_KEY")
    assert read(dict.fromkeys(names, "")) == read({})


def test_the_address_that_browsers_use_follows_the_port_unless_it_is_given() -> None:
    assert read({"PORT": "9000"}).public_url == "http://127.0.0.1:9000"
    assert (
        read({"PORT": "9000", "MILLRACE_URL": "https://money.example.com/"}).public_url == "https://money.example.com"
    )


def test_a_home_is_kept_as_a_whole_path_wherever_the_process_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    found = read({"MILLRACE_HOME": "state"})
    assert found.home.is_absolute()
    assert found.home.name == "state"


def test_settings_do_not_change_after_they_are_read() -> None:
    with pytest.raises(FrozenInstanceError):
        read({}).port = 1  # type: ignore[misc]


@pytest.mark.parametrize("port", ["0", "65536", "-1", "80.0", "", " 80", "٨٠", "eighty", "1_000", "1e3", "９０００"])
def test_a_port_that_is_none_is_refused(port: str) -> None:
    with pytest.raises(BadSetting, match="PORT must be a number from 1 to 65535"):
        read({"PORT": port})


@pytest.mark.parametrize("currency", ["usd", "XXX", "DOLLAR", "$", "US"])
def test_a_house_currency_that_does_not_exist_is_refused(currency: str) -> None:
    with pytest.raises(Refusal, match="ISO 4217"):
        read({"MILLRACE_CURRENCY": currency})


@pytest.mark.parametrize("name", ["Mars/Olympus", "../etc/passwd", "EST5EDT7"])
def test_a_house_zone_that_does_not_exist_is_refused(name: str) -> None:
    with pytest.raises(Refusal, match="time zone"):
        read({"MILLRACE_TIMEZONE": name})


@pytest.mark.parametrize("address", ["0.0.0.0", "10.0.0.5", "::", "millrace.example.com"])
def test_the_demo_refuses_to_listen_to_others(address: str) -> None:
    """Its passwords are known to everybody."""
    with pytest.raises(BadSetting, match=r"127\.0\.0\.1 only"):
        read({"MILLRACE_DEMO": "1", "MILLRACE_ADDRESS": address})
    assert not read({"MILLRACE_ADDRESS": address}).is_loopback


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "localhost"])
def test_the_demo_listens_to_this_machine(address: str) -> None:
    assert read({"MILLRACE_DEMO": "1", "MILLRACE_ADDRESS": address}).demo


def test_sign_in_through_a_provider_needs_all_three_of_its_settings() -> None:
    assert read(OIDC).oidc == Oidc("https://id.example.com", "millrace", "quiet")
    for missing in OIDC:
        with pytest.raises(BadSetting, match=missing):
            read({name: value for name, value in OIDC.items() if name != missing})


def test_every_refusal_is_one_sentence_that_shows_no_secret() -> None:
    with pytest.raises(BadSetting) as refused:
        read({"MILLRACE_OIDC_CLIENT_SECRET": "quiet"})
    assert "quiet" not in str(refused.value)
    assert str(refused.value).endswith(".")
