"""The command line, as a person and a script meet it."""

import json
import stat
from pathlib import Path

import pytest

from tests.edge_agent.agent_process import AgentProcess, eventually
from tests.edge_agent.builders import sale
from tests.edge_agent.misbehaving_line import MisbehavingLine

pytestmark = pytest.mark.system

COMMANDS = (
    "init",
    "enrol",
    "run",
    "status",
    "enqueue",
    "prove",
    "doctor",
    "resync",
    "bundle",
    "export",
    "import",
)


@pytest.fixture
def bare(tmp_path: Path) -> AgentProcess:
    """An agent that nobody has set up."""
    return AgentProcess(tmp_path / "bare")


def test_help_is_there_on_every_level(bare: AgentProcess) -> None:
    top = bare.command("--help")
    assert top.returncode == 0
    for command in COMMANDS:
        assert command in top.stdout
        result = bare.command(command, "--help")
        assert result.returncode == 0
        assert "--json" in result.stdout


def test_the_version_is_printed(bare: AgentProcess) -> None:
    result = bare.command("--version")
    assert (result.returncode, result.stdout.split()[0]) == (0, "edge-agent")


def test_wrong_usage_ends_with_2(bare: AgentProcess) -> None:
    for words in ((), ("nonsense",), ("enrol", "only-url"), ("status", "--port", "x"), ("enqueue",)):
        assert bare.command(*words).returncode == 2


def test_a_wrong_setting_ends_with_1_and_one_sentence(tmp_path: Path) -> None:
    result = AgentProcess(tmp_path / "a", EDGE_AGENT_RETRY_CAP="fast").command("status")
    assert result.returncode == 1
    assert result.stderr == (
        "edge-agent: EDGE_AGENT_RETRY_CAP: retry_cap must be a number, not 'fast'; correct it.\n"
    )


def test_init_makes_the_folder_and_leaves_what_is_there(bare: AgentProcess) -> None:
    first = json.loads(bare.command("init", "--json").stdout)
    assert first["configurationWritten"]
    Path(first["configuration"]).write_text("batch_max_events = 7\n")
    again = json.loads(bare.command("init", "--json").stdout)
    assert (again["configurationWritten"], again["deviceId"]) == (False, first["deviceId"])
    assert Path(first["configuration"]).read_text() == "batch_max_events = 7\n"


def test_run_before_enrolment_says_what_to_do(bare: AgentProcess) -> None:
    result = bare.command("run")
    assert result.returncode == 1
    assert "run `edge-agent enrol URL CODE`" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_enrolling_keeps_the_credential_to_itself_and_can_be_repeated(
    bare: AgentProcess, line: MisbehavingLine
) -> None:
    bare.enrol(line.url)
    device = (bare.data_dir / "device.json").read_text()
    credential = bare.data_dir / "credential"
    assert credential.read_text() == "first-credential"
    assert stat.S_IMODE(credential.stat().st_mode) == 0o600
    line.set(credential="second-credential")
    bare.enrol(line.url)
    assert credential.read_text() == "second-credential"
    assert (bare.data_dir / "device.json").read_text() == device


def test_an_enrolment_whose_answer_is_lost_is_repeated_with_the_same_device(
    bare: AgentProcess, line: MisbehavingLine
) -> None:
    line.always(hang_up=True)
    lost = bare.command("enrol", line.url, "CODE-1")
    assert lost.returncode == 1
    assert "run the same again" in lost.stderr
    device = (bare.data_dir / "device.json").read_text()
    line.always()
    bare.enrol(line.url)
    assert (bare.data_dir / "device.json").read_text() == device


def test_a_captive_portal_cannot_enrol_anybody(bare: AgentProcess, line: MisbehavingLine) -> None:
    line.always(status=200, body="<html>Welcome</html>")
    result = bare.command("enrol", line.url, "CODE-1")
    assert result.returncode == 1
    assert "somebody else answers" in result.stderr
    assert not (bare.data_dir / "credential").exists()


def test_a_refused_code_says_what_to_do(bare: AgentProcess, line: MisbehavingLine) -> None:
    problem = json.dumps({"errorCode": "ENROLMENT_REFUSED", "message": "The code has expired"})
    line.always(status=403, marked=True, body=problem)
    result = bare.command("enrol", line.url, "CODE-1")
    assert result.returncode == 1
    assert "The code has expired" in result.stderr
    assert "Ask headquarters for a fresh one" in result.stderr


def test_status_of_a_stopped_agent_says_so_and_what_to_do(agent: AgentProcess) -> None:
    result = agent.command("status", "--json")
    assert result.returncode == 1
    report = json.loads(result.stdout)
    assert (report["running"], report["storeId"]) == (False, "STORE-01")
    assert "start it with `edge-agent run`" in result.stderr


def test_status_of_a_running_agent(agent: AgentProcess) -> None:
    agent.start()
    agent.sell(sale())
    agent.until_delivered()
    result = agent.command("status")
    assert f"http://127.0.0.1:{agent.port}/ is green\n" in result.stdout
    assert result.returncode == 0
    assert result.stdout.splitlines()[0] == "All events are safe and sent."
    report = json.loads(agent.command("status", "--json").stdout)
    assert {
        "online",
        "backlog",
        "lastSuccess",
        "clockOffsetMs",
        "diskFreeBytes",
        "undeliverable",
        "version",
    } <= set(report)


def test_enqueue_hands_files_to_the_running_agent(
    agent: AgentProcess, line: MisbehavingLine, tmp_path: Path
) -> None:
    agent.start()
    file = tmp_path / "export.ndjson"
    file.write_text("".join(json.dumps(sale(eventId=f"e-{n}")) + "\n" for n in range(3)))
    first = agent.command("enqueue", str(file), "--json")
    assert first.returncode == 0, first.stderr
    (outcome,) = json.loads(first.stdout)
    assert (outcome["accepted"], outcome["duplicates"], outcome["rejected"]) == (3, 0, 0)
    again = agent.command("enqueue", str(file))
    assert "0 accepted, 3 known already, 0 rejected" in again.stdout
    agent.until_delivered()
    assert len(line.held()["events"]) == 3


def test_enqueue_of_a_bad_file_names_the_report(agent: AgentProcess, tmp_path: Path) -> None:
    agent.start()
    file = tmp_path / "export.json"
    file.write_text(json.dumps([sale(quantity=0)]))
    result = agent.command("enqueue", str(file))
    assert result.returncode == 1
    assert "export.json.error.json" in result.stderr


def test_enqueue_without_an_agent_leaves_the_file_for_it(
    agent: AgentProcess, line: MisbehavingLine, tmp_path: Path
) -> None:
    file = tmp_path / "export.json"
    file.write_text(json.dumps([sale(), sale()]))
    result = agent.command("enqueue", str(file))
    assert result.returncode == 0
    assert "will be taken when the agent runs" in result.stdout
    assert (agent.data_dir / "spool" / "in" / "export.json").exists()
    agent.start()
    eventually("the file is taken", lambda: len(line.held()["events"]) == 2)


def test_a_token_file_is_honoured_by_the_commands(tmp_path: Path, line: MisbehavingLine) -> None:
    token = tmp_path / "token"
    token.write_text("long-random-text\n")
    with AgentProcess(tmp_path / "agent", EDGE_AGENT_TOKEN_FILE=str(token)) as agent:
        agent.enrol(line.url)
        agent.start(answers_with=401)  # the test's own plain request is refused
        report = agent.command("status", "--json")
        assert json.loads(report.stdout)["running"]


def test_a_folder_of_another_store_is_not_taken_over(bare: AgentProcess, line: MisbehavingLine) -> None:
    bare.enrol(line.url)
    enrolment = bare.data_dir / "enrolment.json"
    enrolment.write_text(enrolment.read_text().replace("STORE-01", "STORE-02"))
    result = bare.command("enrol", line.url, "CODE-2")
    assert result.returncode == 1
    assert "holds the sales of STORE-02" in result.stderr
