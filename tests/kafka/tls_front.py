"""A TLS listener in front of a broker that speaks plain text, with an authority of the test's own."""

import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_VALID = datetime(2020, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC)


def _certificate(
    subject: str, key: ec.EllipticCurvePrivateKey, issuer: str, issuer_key: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    def name(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    loopback = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    return (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_VALID[0])
        .not_valid_after(_VALID[1])
        .add_extension(x509.BasicConstraints(ca=subject == issuer, path_length=None), critical=True)
        .add_extension(loopback, critical=False)
        .sign(issuer_key, hashes.SHA256())
    )


def make_authority(folder: Path) -> Path:
    """Writes `ca.pem`, and `broker.pem` with a key that it vouches for; returns the path of the former."""
    authority, broker = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    pem = serialization.Encoding.PEM
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ca.pem").write_bytes(_certificate("test", authority, "test", authority).public_bytes(pem))
    key = broker.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "broker.pem").write_bytes(
        key + _certificate("broker", broker, "test", authority).public_bytes(pem)
    )
    return folder / "ca.pem"


@contextmanager
def tls_front(port: int, broker_port: int, certificate: Path) -> Iterator[None]:
    """Takes TLS on `port` and hands on to the broker what comes."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    listener = socket.create_server(("127.0.0.1", port))
    lines: list[socket.socket] = [listener]

    def serve() -> None:
        with suppress(OSError):
            while True:
                came, _ = listener.accept()
                threading.Thread(target=connect, args=(came,), daemon=True).start()

    def connect(came: socket.socket) -> None:
        with suppress(OSError):
            client = context.wrap_socket(came, server_side=True)
            broker = socket.create_connection(("127.0.0.1", broker_port))
            lines.extend((client, broker))
            threading.Thread(target=carry, args=(broker, client), daemon=True).start()
            carry(client, broker)

    def carry(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while piece := source.recv(65536):
                target.sendall(piece)
        with suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield
    finally:
        for line in lines:
            line.close()
