"""Settings: read once, and a wrong one stops the start with its name."""

from datetime import timedelta
from pathlib import Path

import pytest

from adyton.adapters.egress import Destination, NamePattern
from adyton.adapters.environment import SettingMalformedError
from adyton.gateway.settings import GatewaySettings

HOME = {"HOME": "/home/somebody"}


def test_the_defaults_need_a_home_and_nothing_else() -> None:
    settings = GatewaySettings.from_environ(HOME)
    state = Path("/home/somebody/.local/state/adyton")
    assert (settings.host, settings.port) == ("127.0.0.1", 8423)
    assert settings.worker_socket == state / "worker.sock"
    assert settings.egress_socket == state / "egress.sock"
    assert settings.database_url == f"sqlite:///{state}/adyton.db"
    assert settings.egress_patterns == ()
    assert settings.egress_overrides == {}


def test_every_setting_is_read() -> None:
    settings = GatewaySettings.from_environ(
        {
            "ADYTON_HOST": "::1",
            "ADYTON_PORT": "80",
            "ADYTON_STATE_DIR": "/var/lib/adyton",
            "ADYTON_WORKER_SOCKET": "/run/worker",
            "ADYTON_EGRESS_SOCKET": "/run/egress",
            "DATABASE_URL": "postgres://somebody:secret@db/adyton?sslmode=require",
            "ADYTON_EGRESS_ALLOW": "api.example.com, *.example.org:8443,",
            "ADYTON_EGRESS_OVERRIDE": "production.plaid.com=127.0.0.1:9443,a.b:8=[::1]:9",
            "ADYTON_RETENTION_DAYS": "7",
            "ADYTON_DEADLINE_SECONDS": "20",
            "ADYTON_MAX_IN_FLIGHT": "3",
            "ADYTON_KEY_IN_FLIGHT": "2",
            "ADYTON_KEY_PER_MINUTE": "60",
        }
    )
    assert (settings.host, settings.port) == ("::1", 80)
    assert settings.state_dir == Path("/var/lib/adyton")
    assert settings.worker_socket == Path("/run/worker")
    assert settings.egress_patterns == (
        NamePattern("api.example.com", is_wild=False, port=443),
        NamePattern(".example.org", is_wild=True, port=8443),
    )
    assert settings.egress_overrides == {
        Destination("production.plaid.com", 443): ("127.0.0.1", 9443),
        Destination("a.b", 8): ("::1", 9),
    }
    limits = settings.limits
    assert (limits.in_flight, limits.key_in_flight, limits.key_per_minute) == (3, 2, 60)
    assert (limits.deadline, limits.retention) == (timedelta(seconds=20), timedelta(days=7))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ADYTON_PORT", "65536"),
        ("ADYTON_PORT", "-1"),
        ("ADYTON_PORT", "http"),
        ("ADYTON_PORT", "٨"),
        ("ADYTON_RETENTION_DAYS", "0"),
        ("ADYTON_MAX_IN_FLIGHT", "1.5"),
        ("ADYTON_DEADLINE_SECONDS", "99999999999999999999"),
        ("ADYTON_WORKER_SOCKET", "/" + "x" * 107),
        ("ADYTON_EGRESS_SOCKET", "/" + "é" * 60),
        ("DATABASE_URL", "mysql://somebody:secret@db/adyton"),
        ("DATABASE_URL", "secret"),
        ("ADYTON_EGRESS_ALLOW", "127.0.0.1"),
        ("ADYTON_EGRESS_ALLOW", "a.*.b"),
        ("ADYTON_EGRESS_ALLOW", "api.example.com:0"),
        ("ADYTON_EGRESS_OVERRIDE", "api.example.com"),
        ("ADYTON_EGRESS_OVERRIDE", "api.example.com=127.0.0.1:port"),
        ("ADYTON_TLS_CERTIFICATE", "/nowhere.pem"),
    ],
)
def test_a_wrong_setting_is_named_and_no_secret_is_quoted(name: str, value: str) -> None:
    with pytest.raises(SettingMalformedError) as caught:
        GatewaySettings.from_environ({**HOME, name: value})
    assert caught.value.name == name
    assert str(caught.value).startswith(f"{name}: ")
    assert "secret" not in str(caught.value)


def test_without_a_home_a_folder_must_be_named() -> None:
    with pytest.raises(SettingMalformedError, match="ADYTON_STATE_DIR"):
        GatewaySettings.from_environ({})


def test_a_certificate_without_its_key_is_refused(tmp_path: Path) -> None:
    certificate = tmp_path / "certificate.pem"
    certificate.touch()
    with pytest.raises(SettingMalformedError, match="come together"):
        GatewaySettings.from_environ({**HOME, "ADYTON_TLS_CERTIFICATE": str(certificate)})


def test_the_database_is_hidden_from_repr() -> None:
    settings = GatewaySettings.from_environ({**HOME, "DATABASE_URL": "postgresql://a:secret@b/c"})
    assert "secret" not in repr(settings)
