"""The registry's settings: what is wrong stops the start."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from tests.fakes.gateway import Time
from tests.fakes.registrant import Machine

from adyton.adapters.environment import SettingMalformedError
from adyton.gateway.registry.settings import CollateralOrigin, RegistrySettings, Unattested


def test_without_settings_no_evidence_is_accepted_and_none_is_wanted_less() -> None:
    settings = RegistrySettings.from_environ({})
    assert settings == RegistrySettings()
    assert settings.policy is None
    assert settings.unattested is Unattested.REFUSED
    assert settings.lifetime == timedelta(hours=24)


def test_everything_can_be_set(tmp_path: Path) -> None:
    machine = Machine(tmp_path, Time().clock)
    path = tmp_path / "policy.json"
    path.write_text(json.dumps(machine.policy_json))
    settings = RegistrySettings.from_environ(
        {
            "ADYTON_REGISTRY_POLICY": str(path),
            "ADYTON_REGISTRY_UNATTESTED": "accepted",
            "ADYTON_REGISTRY_COLLATERAL": "fetched",
            "ADYTON_REGISTRY_HOURS": "2",
            "ADYTON_REGISTRY_VERIFY_MINUTES": "3",
            "ADYTON_REGISTRY_WORKERS": "4",
            "ADYTON_REGISTRY_KEY_WORKERS": "5",
        }
    )
    assert settings == RegistrySettings(
        policy=machine.policy,
        unattested=Unattested.ACCEPTED,
        collateral=CollateralOrigin.FETCHED,
        lifetime=timedelta(hours=2),
        verify_every=timedelta(minutes=3),
        workers=4,
        key_workers=5,
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ADYTON_REGISTRY_POLICY", "missing.yaml"),
        ("ADYTON_REGISTRY_POLICY", "broken.yaml"),
        ("ADYTON_REGISTRY_UNATTESTED", "yes"),
        ("ADYTON_REGISTRY_COLLATERAL", "yes"),
        ("ADYTON_REGISTRY_HOURS", "0"),
        ("ADYTON_REGISTRY_HOURS", "721"),
        ("ADYTON_REGISTRY_VERIFY_MINUTES", "-1"),
        ("ADYTON_REGISTRY_WORKERS", "4097"),
        ("ADYTON_REGISTRY_KEY_WORKERS", "many"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, name: str, value: str) -> None:
    (tmp_path / "broken.yaml").write_text("version: none")
    given = str(tmp_path / value) if name.endswith("POLICY") else value
    with pytest.raises(SettingMalformedError, match=name):
        RegistrySettings.from_environ({name: given})


def joining(tmp_path: Path, **changes: str) -> dict[str, str]:
    (tmp_path / "key.txt").write_text(f"adk_{'0' * 16}_{'1' * 64}\n")
    (tmp_path / "nokey.txt").write_text("password")
    return {
        "ADYTON_REGISTRY_URL": "https://registry.example",
        "ADYTON_REGISTRY_KEY_FILE": str(tmp_path / "key.txt"),
        "ADYTON_REGISTRY_ENDPOINT": "https://gateway.example",
        **changes,
    }


def test_a_registry_to_join_has_an_address_a_key_and_ours(tmp_path: Path) -> None:
    settings = RegistrySettings.from_environ(joining(tmp_path))
    assert settings.joining is not None
    assert settings.joining.url == "https://registry.example"
    assert settings.joining.api_key.startswith("adk_")
    assert "adk_" not in repr(settings)
    local = joining(tmp_path, ADYTON_REGISTRY_URL="http://127.0.0.1:8423")
    assert RegistrySettings.from_environ(local).joining is not None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ADYTON_REGISTRY_URL", "http://registry.example"),
        ("ADYTON_REGISTRY_URL", "http://127.0.0.1.example"),
        ("ADYTON_REGISTRY_URL", "https://user@registry.example"),
        ("ADYTON_REGISTRY_URL", "https://registry.example/path?x"),
        ("ADYTON_REGISTRY_URL", ""),
        ("ADYTON_REGISTRY_KEY_FILE", "missing.txt"),
        ("ADYTON_REGISTRY_KEY_FILE", "nokey.txt"),
        ("ADYTON_REGISTRY_ENDPOINT", "http://gateway.example"),
        ("ADYTON_REGISTRY_ENDPOINT", ""),
    ],
)
def test_a_wrong_setting_about_joining_is_named(tmp_path: Path, name: str, value: str) -> None:
    given = str(tmp_path / value) if value.endswith(".txt") else value
    with pytest.raises(SettingMalformedError, match=name):
        RegistrySettings.from_environ(joining(tmp_path, **{name: given}))
