"""How the agent comes to belong to a store: a one-time code against a credential of the device's own.

The device's id is made and saved before anything is sent, and the same code with the same device is answered
again: an answer that got lost costs nothing but the same command once more.
"""

import os
import platform
import threading
from pathlib import Path
from uuid import uuid4

import msgspec

from edge_agent.data_folder import DataFolder, write_durably
from edge_agent.errors import EnrolmentFailed, NotEnrolled
from edge_agent.program_version import program_version
from edge_agent.retry_policy import TryLater
from edge_agent.signing_key import public_signing_key
from edge_agent.store_profile import read_profile, save_profile
from edge_agent.uplink import Delivered, Outcome, Refused, Uplink
from shared.protocol import ENROLMENTS_PATH
from shared.wire_json import JsonError, decode_json, encode_json


class Enrolment(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Which store and which server the agent belongs to; kept in the data folder."""

    store_id: str
    server_url: str
    device_id: str


class _Answer(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    store_id: str
    device_id: str
    credential: str
    profile: dict[str, object]


class _Device(msgspec.Struct, frozen=True, rename="camel"):
    device_id: str


def device_id(folder: DataFolder) -> str:
    """This agent's own id; made, and on the disk, before it is first used."""
    try:
        return msgspec.json.decode(folder.device.read_bytes(), type=_Device).device_id
    except FileNotFoundError:
        fresh = str(uuid4())
        write_durably(folder.device, msgspec.json.encode(_Device(fresh)))
        return fresh
    except (OSError, msgspec.DecodeError) as error:
        raise EnrolmentFailed(
            f"{folder.device} cannot be read ({error}); remove it and enrol once more with a fresh code."
        ) from error


def load_enrolment(folder: DataFolder) -> Enrolment:
    """The enrolment. Raises NotEnrolled when there is none."""
    try:
        return msgspec.convert(decode_json(folder.enrolment.read_bytes()), Enrolment)
    except (OSError, JsonError, msgspec.ValidationError) as error:
        raise NotEnrolled(
            "The agent belongs to no store yet; ask headquarters for an enrolment code and run "
            "`edge-agent enrol URL CODE`."
        ) from error


def enrol(folder: DataFolder, server_url: str, code: str, uplink: Uplink) -> Enrolment:
    """Exchanges the code; safe to repeat. Raises EnrolmentFailed with what to do."""
    device = device_id(folder)
    request = {
        "code": code,
        "deviceId": device,
        "deviceName": platform.node() or "unnamed",
        "agentVersion": program_version(),
        "signingKey": public_signing_key(folder.signing_key),
    }
    answer = _read_answer(uplink.post(ENROLMENTS_PATH, encode_json(request)), server_url)
    _demand_same_store(folder, answer.store_id)
    try:
        profile = read_profile(answer.profile)
    except ValueError as error:
        raise EnrolmentFailed(
            f"The server's profile of {answer.store_id} makes no sense ({error}); call support."
        ) from error
    enrolment = Enrolment(store_id=answer.store_id, server_url=server_url, device_id=device)
    write_durably(folder.credential, answer.credential.encode(), secret=True)
    save_profile(folder.profile, profile)
    # Written last: a folder with an enrolment has everything else.
    write_durably(folder.enrolment, encode_json(msgspec.to_builtins(enrolment)))
    return enrolment


def _read_answer(outcome: Outcome, server_url: str) -> _Answer:
    if isinstance(outcome, TryLater):
        if outcome.unauthorised:
            raise EnrolmentFailed(
                f"The code was refused: {outcome.reason}. "
                "Ask headquarters for a fresh one; a code works once and expires."
            )
        raise EnrolmentFailed(
            f"Enrolling failed: {outcome.reason}. Check the URL and the line, then run the same again."
        )
    if isinstance(outcome, Refused):
        raise EnrolmentFailed(
            f"Enrolling was refused ({outcome.sentence}); ask headquarters for a fresh code."
        )
    assert isinstance(outcome, Delivered), "the three outcomes are all there are"
    try:
        return msgspec.convert(outcome.document, _Answer)
    except msgspec.ValidationError as error:
        raise EnrolmentFailed(
            f"{server_url} answered something else than an enrolment ({error}); "
            "check that the URL is the sync server's."
        ) from error


def _demand_same_store(folder: DataFolder, store_id: str) -> None:
    try:
        former = load_enrolment(folder)
    except NotEnrolled:
        return
    if former.store_id != store_id:
        raise EnrolmentFailed(
            f"This folder holds the sales of {former.store_id} and the code is for {store_id}; "
            "use a code of the same store, or a folder of its own for the other with --data-dir."
        )


class CredentialFile:
    """The device's secret, read anew when the file changes, so that enrolling again needs no restart."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._turn = threading.Lock()
        self._read: tuple[int, str] | None = None

    def __call__(self) -> str | None:
        """The credential as it is now; None when there is none."""
        with self._turn:
            try:
                changed = os.stat(self._path).st_mtime_ns  # noqa: PTH116  # asked at every request
                if self._read is None or self._read[0] != changed:
                    self._read = (changed, self._path.read_text("ascii").strip())
            except (OSError, UnicodeDecodeError):
                return None
            return self._read[1]
