"""Settings: where they come from and what is said of wrong ones."""

import tomllib
from pathlib import Path

import pytest

from edge_agent.errors import SettingsError
from edge_agent.settings import configuration_template, described, read_settings


def test_file_then_environment_then_flags(tmp_path: Path) -> None:
    (tmp_path / "agent.toml").write_text('port = 1\nretry_cap = 7\nlog_level = "DEBUG"\n')
    environment = {
        "EDGE_AGENT_DATA_DIR": str(tmp_path),
        "EDGE_AGENT_PORT": "2",
        "EDGE_AGENT_RETRY_CAP": "8.5",
    }
    settings = read_settings({"port": 3, "log_level": None}, environment)
    assert (settings.port, settings.retry_cap, settings.log_level) == (3, 8.5, "DEBUG")
    assert settings.data_dir == tmp_path


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("prot = 1", "'prot', which is no setting"),
        ("port = 70000", "port must be between 0 and 65535"),
        ("port = true", "port must be a whole number"),
        ("port = 1.5", "port must be a whole number"),
        ('retry_cap = "fast"', "retry_cap must be a number"),
        ("retry_cap = nan", "retry_cap must be between"),
        ('log_level = "LOUD"', "log_level must be DEBUG"),
        ("port = ", "cannot be read"),
    ],
)
def test_a_wrong_setting_is_named_with_its_origin(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "agent.toml").write_text(text)
    with pytest.raises(SettingsError, match=message) as raised:
        read_settings({}, {"EDGE_AGENT_DATA_DIR": str(tmp_path)})
    assert "agent.toml" in str(raised.value)


def test_a_wrong_environment_variable_is_named() -> None:
    with pytest.raises(SettingsError, match="EDGE_AGENT_PORT: port must be a whole number, not 'x'"):
        read_settings({}, {"EDGE_AGENT_PORT": "x"})


def test_the_template_is_read_as_all_defaults(tmp_path: Path) -> None:
    text = configuration_template({})
    assert tomllib.loads(text) == {}
    uncommented = "\n".join(line.removeprefix("# ") if " = " in line else line for line in text.splitlines())
    (tmp_path / "agent.toml").write_text(uncommented)
    settings = read_settings({}, {"EDGE_AGENT_DATA_DIR": str(tmp_path)})
    for name, default, _, _ in described():
        assert name == "data_dir" or getattr(settings, name) == default


def test_the_template_keeps_what_was_chosen() -> None:
    assert tomllib.loads(configuration_template({"port": 9014})) == {"port": 9014}
