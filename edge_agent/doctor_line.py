"""The doctor's look at the way to headquarters: name, TLS, whose it is, credential, clock."""

import socket
import ssl
from datetime import datetime
from urllib.parse import urlsplit

import httpx

from edge_agent.clock_offset import WRONG_CLOCK_MS, ClockOffset
from edge_agent.doctor_check import Check, failed, passed, warned
from edge_agent.retry_policy import TryLater
from edge_agent.settings import Settings
from edge_agent.uplink import Delivered, Outcome
from shared.zone_data import zone_data_version

_NOT_YET_VALID, _EXPIRED = 9, 10
_OTHER_NAME = (62, 64)
"""X509_V_ERR_HOSTNAME_MISMATCH and …_IP_ADDRESS_MISMATCH of OpenSSL."""
LOOSE_CLOCK_MS = 30_000
"""From here on a PC's clock is not kept by anybody."""


def way_there(server_url: str, settings: Settings) -> list[Check]:
    """Whether the server's name is known and, with https, its certificate is good."""
    parts = urlsplit(server_url)
    host, secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        advice = "Check the network cable, the router and the name server; sales are safe here meanwhile."
        return [failed("dns", f"the name {host} is not known ({error.strerror or error})", advice)]
    checks = [passed("dns", f"{host} is {addresses[0][4][0]}")]
    if secure:
        checks.append(_tls(host, port, settings))
    else:
        checks.append(passed("tls", f"{server_url} is not encrypted, so there is no certificate to check"))
    return checks


def _tls(host: str, port: int, settings: Settings) -> Check:
    try:
        trust = (
            ssl.create_default_context(cafile=settings.ca_file)
            if settings.ca_file
            else httpx.create_ssl_context()
        )
        with (
            socket.create_connection((host, port), timeout=settings.connect_timeout) as plain,
            trust.wrap_socket(plain, server_hostname=host) as secured,
        ):
            version = secured.version()
    except ssl.SSLCertVerificationError as error:
        return failed("tls", f"the certificate is not accepted: {error.verify_message}", _advice(error))
    except (OSError, ssl.SSLError) as error:
        advice = "Check the line and the firewall; sales are safe here meanwhile."
        return failed("tls", f"no secure connection to {host}:{port} ({error})", advice)
    return passed("tls", f"{version}, certificate accepted")


def _advice(error: ssl.SSLCertVerificationError) -> str:
    """What to do about a certificate, by OpenSSL's number of what is wrong with it."""
    if error.verify_code == _NOT_YET_VALID:
        return "Set this PC's date: to it, the certificate lies in the future. Sales are safe here meanwhile."
    if error.verify_code == _EXPIRED:
        return "Check this PC's date; if it is right, headquarters has to renew its certificate."
    if error.verify_code in _OTHER_NAME:
        return (
            "Correct server_url: the certificate is for another name; or somebody else answers on this line."
        )
    return "Behind a company's proxy name its authority as ca_file; else somebody else answers on this line."


def judge(outcome: Outcome, server_url: str, sent: datetime, received: datetime) -> list[Check]:
    """What an answer to a request for the profile says about server, credential, clock and zone data."""
    if isinstance(outcome, TryLater):
        if outcome.unauthorised:
            advice = "Ask headquarters for a fresh code and run `edge-agent enrol URL CODE`; nothing is lost."
            return [
                passed("server", f"{server_url} answers, and it is ours"),
                failed("credential", f"is refused: {outcome.reason}", advice),
            ]
        advice = (
            "Open a browser on this PC: if it asks to sign in to the network, do so. Else check the line."
        )
        return [failed("server", outcome.reason, advice)]
    if not isinstance(outcome, Delivered) or not isinstance(outcome.document, dict):
        return [failed("server", f"{server_url} answers something else", "Check the URL, then call support.")]
    return [
        passed("server", f"{server_url} answers, and it is ours"),
        passed("credential", "is accepted"),
        _clock(outcome.document.get("serverTime"), sent, received),
        _zone_data(outcome.document.get("timezoneData")),
    ]


def _clock(server_time: object, sent: datetime, received: datetime) -> Check:
    offset = ClockOffset()
    offset.measure(sent, received, server_time)
    if offset.milliseconds is None:
        return warned("clock", "headquarters did not say its time", "Update headquarters.")
    finding = f"{offset.milliseconds:+d} ms to headquarters"
    if abs(offset.milliseconds) > WRONG_CLOCK_MS:
        return failed("clock", finding, "Set this PC's clock and switch on its automatic time.")
    if abs(offset.milliseconds) > LOOSE_CLOCK_MS:
        return warned("clock", finding, "Switch on this PC's automatic time.")
    return passed("clock", finding)


def _zone_data(theirs: object) -> Check:
    ours = zone_data_version()
    if theirs in (None, ours):
        return passed("zone data", f"{ours}, the same as headquarters'")
    advice = "Update the older of the two; headquarters dates every sale by its own."
    return warned("zone data", f"{ours} here, {theirs} at headquarters", advice)
