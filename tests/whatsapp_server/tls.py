"""Makes a throw-away certificate authority and a server certificate under it."""

from __future__ import annotations

import datetime
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

CHAT_HOST = "web.whatsapp.com"
MEDIA_HOST = "mmg.whatsapp.net"
PICTURE_HOST = "pps.whatsapp.net"
HOSTS = (CHAT_HOST, MEDIA_HOST, PICTURE_HOST)


@dataclass(frozen=True, slots=True)
class Authority:
    """The authority's certificate on disk, and a server context it vouches for."""

    certificate: Path
    server: ssl.SSLContext


def create_authority(directory: Path) -> Authority:
    """Writes a new authority into ``directory`` and certifies the service's hosts."""
    own_key, server_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    own_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test authority")])
    own = _sign(own_name, own_name, own_key, own_key, authority=True)
    server_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, CHAT_HOST)])
    server = _sign(server_name, own_name, server_key, own_key, authority=False)
    paths = directory / "authority.pem", directory / "server.pem"
    paths[0].write_bytes(own.public_bytes(Encoding.PEM))
    secret = server_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    paths[1].write_bytes(secret + server.public_bytes(Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(paths[1])
    context.set_alpn_protocols(["http/1.1"])
    return Authority(paths[0], context)


def _sign(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
    *,
    authority: bool,
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    day = datetime.timedelta(days=1)
    hosts = [x509.DNSName(host) for host in HOSTS]
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - day)
        .not_valid_after(now + day)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if not authority:
        builder = builder.add_extension(x509.SubjectAlternativeName(hosts), critical=False)
    return builder.sign(signer, SHA256())
