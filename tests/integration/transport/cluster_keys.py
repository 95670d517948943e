"""Keys of small clusters for tests, made in memory."""

from __future__ import annotations

import datetime
import ssl
import tempfile
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from concurrent.transport.security.certificate import serial_text, uri_of
from concurrent.transport.security.identity import Identity
from concurrent.transport.security.protection import TLSKeys
from concurrent.transport.security.roles import Role

FROM = datetime.datetime(2026, 1, 1)
UNTIL = FROM + datetime.timedelta(days=7300)
CURVE = ec.SECP256R1()


class TestCluster:
    """An authority, and the certificates that it signs."""

    __test__ = False

    def __init__(self, name: str = "office") -> None:
        self.name = name
        self._key = ec.generate_private_key(CURVE)
        self._subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        basic = x509.BasicConstraints(ca=True, path_length=0)
        builder = self._builder(self._subject, self._key, x509.random_serial_number())
        self._certificate = builder.add_extension(basic, critical=True).sign(self._key, hashes.SHA256())

    def keys(self, role: Role, name: str, *, signs_as: str | None = None) -> TLSKeys:
        """Return the keys of a member.

        :param signs_as: another cluster that its certificate says it is of.
        """
        key = ec.generate_private_key(CURVE)
        serial = x509.random_serial_number()
        identity = Identity(role, name, signs_as or self.name, serial_text(serial))
        host = "master" if role is Role.MASTER else "node"
        names = x509.SubjectAlternativeName(
            [x509.DNSName(f"{host}.{self.name}"), x509.UniformResourceIdentifier(uri_of(identity))]
        )
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        certificate = self._builder(subject, key, serial).add_extension(names, critical=False)
        pem = certificate.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM)
        secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        server, client = (self._context(kind, pem, secret) for kind in PROTOCOLS)
        server.verify_mode = ssl.CERT_OPTIONAL
        return TLSKeys(self.name, identity, server, client)

    def trusting_context(self) -> ssl.SSLContext:
        """Return what a client has that knows the authority and has no certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_verify_locations(cadata=self._certificate.public_bytes(Encoding.PEM).decode())
        return context

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, serial: int
    ) -> x509.CertificateBuilder:
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(self._subject)
        builder = builder.public_key(key.public_key()).serial_number(serial)
        return builder.not_valid_before(FROM).not_valid_after(UNTIL)

    def _context(self, protocol: int, certificate: bytes, secret: bytes) -> ssl.SSLContext:
        context = ssl.SSLContext(protocol)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_verify_locations(cadata=self._certificate.public_bytes(Encoding.PEM).decode())
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "keys.pem")
            path.write_bytes(secret + certificate)
            context.load_cert_chain(path)
        return context


PROTOCOLS = (ssl.PROTOCOL_TLS_SERVER, ssl.PROTOCOL_TLS_CLIENT)
