"""Settings: flags before environment before file before default, and no name that nobody declared."""

from pathlib import Path

import pytest

from sync_server.errors import SettingsInvalid
from sync_server.settings import Settings, load_settings


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"SYNC_SERVER_{name.upper()}", raising=False)


def _file(folder: Path, text: str) -> None:
    (folder / "sync-server.toml").write_text(text, encoding="utf-8")


def test_a_flag_wins_over_the_environment_and_that_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _file(tmp_path, 'port = 1001\nhost = "10.0.0.1"\nworkers = 3\n')
    monkeypatch.setenv("SYNC_SERVER_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("SYNC_SERVER_PORT", "1002")
    monkeypatch.setenv("SYNC_SERVER_HOST", "10.0.0.2")
    settings = load_settings({"port": 1003, "host": None})
    assert (settings.port, settings.host, settings.workers, settings.log_level.value) == (
        1003,
        "10.0.0.2",
        3,
        "info",
    )


def test_the_file_lies_in_the_data_folder_that_a_flag_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNC_SERVER_DATA_DIR", str(tmp_path / "elsewhere"))
    _file(tmp_path, "port = 1001\n")
    assert load_settings({"data_dir": tmp_path}).port == 1001


def test_defaults_are_those_of_the_contract(tmp_path: Path) -> None:
    settings = load_settings({"data_dir": tmp_path})
    assert (settings.port, settings.database_url, settings.kafka_bootstrap_servers) == (9003, None, None)


def test_a_misspelt_name_is_refused_in_the_file(tmp_path: Path) -> None:
    _file(tmp_path, "prot = 9003\n")
    with pytest.raises(SettingsInvalid, match="prot"):
        load_settings({"data_dir": tmp_path})


def test_a_misspelt_name_is_refused_in_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNC_SERVER_PROT", "9003")
    with pytest.raises(SettingsInvalid, match="SYNC_SERVER_PROT"):
        load_settings({"data_dir": tmp_path})


@pytest.mark.parametrize(
    "line",
    [
        "port = 70000",
        'port = "many"',
        "workers = 0",
        'log_level = "loud"',
        "credential_cache_seconds = 31",
        'database_url = "mysql://hunter2@db/x"',
        "port = ",
    ],
)
def test_a_value_that_cannot_be_used_is_refused_without_showing_secrets(tmp_path: Path, line: str) -> None:
    _file(tmp_path, line)
    with pytest.raises(SettingsInvalid) as refusal:
        load_settings({"data_dir": tmp_path})
    assert "hunter2" not in str(refusal.value)


def test_a_password_does_not_show_when_settings_are_printed(tmp_path: Path) -> None:
    settings = load_settings({"data_dir": tmp_path, "database_url": "postgresql://app:hunter2@db/x"})
    assert "hunter2" not in repr(settings) + str(settings.model_dump())


def test_trusted_proxies_are_separated_by_commas(tmp_path: Path) -> None:
    settings = load_settings({"data_dir": tmp_path, "trusted_proxies": "10.0.0.1, 10.0.0.2"})
    assert settings.trusted_proxies == ("10.0.0.1", "10.0.0.2")
