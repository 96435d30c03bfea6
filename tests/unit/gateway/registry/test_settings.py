"""The registry's settings: what is wrong stops the start."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from tests.fakes.gateway import Time
from tests.fakes.registrant import Machine

from adyton.adapters.environment import SettingMalformedError
from adyton.gateway.registry.settings import RegistrySettings, Unattested


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
            "ADYTON_REGISTRY_HOURS": "2",
            "ADYTON_REGISTRY_VERIFY_MINUTES": "3",
            "ADYTON_REGISTRY_WORKERS": "4",
            "ADYTON_REGISTRY_KEY_WORKERS": "5",
        }
    )
    assert settings == RegistrySettings(
        policy=machine.policy,
        unattested=Unattested.ACCEPTED,
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
