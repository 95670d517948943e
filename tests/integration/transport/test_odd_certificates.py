"""What is nearly a certificate of the cluster, or nearly TLS 1.3, opens nothing."""

from __future__ import annotations

import datetime
import ipaddress
import json
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from concurrent.transport.security.certificate import uri_of
from concurrent.transport.security.identity import Identity
from concurrent.transport.security.keyfolder import KeyFolder
from concurrent.transport.security.members import Members
from concurrent.transport.security.newkeys import make_cluster
from concurrent.transport.security.protection import Protection
from concurrent.transport.security.registrar import Registrar
from concurrent.transport.security.roles import Role
from concurrent.transport.session.envelope import control_message
from concurrent.transport.session.messages import Kind
from tests.clusterkeys import join
from tests.integration.transport.protected_ends import Ends
from tests.integration.transport.raw_peer import RawPeer
from tests.integration.transport.transport_nodes import WAIT_S

DAY = datetime.timedelta(days=1)
EVE = Identity(Role.ADMIN, "eve", "office", "abc123")
NAMES: list[x509.GeneralName] = [x509.DNSName("node.office"), x509.UniformResourceIdentifier(uri_of(EVE))]
CLIENT = (ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH)


@dataclass(frozen=True)
class Wanted:
    """What a certificate says; all that is left out is as the authority of a cluster says it."""

    begins: datetime.timedelta = -DAY
    ends: datetime.timedelta = DAY
    purposes: tuple[x509.ObjectIdentifier, ...] = CLIENT
    names: list[x509.GeneralName] = field(default_factory=lambda: NAMES)


def certificate(wanted: Wanted, key: ec.EllipticCurvePrivateKey, issuer_pem: bytes, issuer_key: bytes) -> bytes:
    """Return a certificate for a key, as PEM, of whoever has the key of the issuer."""
    issuer = x509.load_pem_x509_certificate(issuer_pem)
    signer = serialization.load_pem_private_key(issuer_key, None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    now = datetime.datetime.now(datetime.timezone.utc)
    authority_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    signed = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "admin eve")]))
        .issuer_name(issuer.subject)
        .public_key(key.public_key())
        .serial_number(int(EVE.serial, 16))
        .not_valid_before(now + wanted.begins)
        .not_valid_after(now + wanted.ends)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(authority_id, critical=False)
        .add_extension(x509.ExtendedKeyUsage(wanted.purposes), critical=False)
        .add_extension(x509.SubjectAlternativeName(wanted.names), critical=False)
        .sign(signer, hashes.SHA256())
    )
    return signed.public_bytes(serialization.Encoding.PEM)


def pem_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


def client_with(cluster: KeyFolder, folder: Path, chain: bytes = b"") -> ssl.SSLContext:
    """Return a client that knows the authority, with a key and certificates if there are any."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=cluster.certificate.decode())
    if chain:
        path = folder / "chain.pem"
        path.write_bytes(chain)
        context.load_cert_chain(path)
    return context


def is_welcome(port: int, context: ssl.SSLContext) -> bool:
    """Tell whether a server opens a session for a client."""
    with (
        suppress(OSError),
        socket.create_connection(("127.0.0.1", port), WAIT_S) as plain,
        context.wrap_socket(plain, server_hostname="master.office") as sock,
    ):
        peer = RawPeer(sock, "eve")
        peer.send(control_message(Kind.HELLO, [peer.hello]))
        answer = next(peer.messages(), None)
        return answer is not None and answer.kind == Kind.WELCOME
    return False


@pytest.fixture
def key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@pytest.mark.parametrize(
    ("wanted", "is_good"),
    [
        (Wanted(), True),
        (Wanted(ends=-DAY / 2), False),
        (Wanted(begins=DAY / 2), False),
        (Wanted(purposes=(ExtendedKeyUsageOID.SERVER_AUTH,)), False),
        (Wanted(purposes=(ExtendedKeyUsageOID.CODE_SIGNING,)), False),
        (Wanted(names=[x509.DNSName("*.office")]), False),
        (Wanted(names=[x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False),
        (Wanted(names=[*NAMES, x509.UniformResourceIdentifier("concurrent://office/admin/arm")]), False),
    ],
    ids=["good", "over", "not-yet", "servers-only", "other-purpose", "wildcard", "address", "two-names"],
)
def test_a_client_is_let_in_with_a_whole_certificate_only(
    ends: Ends,
    tls: tuple[Protection, Protection],
    cluster: KeyFolder,
    key: ec.EllipticCurvePrivateKey,
    tmp_path: Path,
    wanted: Wanted,
    *,
    is_good: bool,
) -> None:
    """Even if the authority had signed it."""
    server = ends.serve(tls[0])
    shown = certificate(wanted, key, cluster.certificate, cluster.read("ca.key"))
    assert is_welcome(server.port, client_with(cluster, tmp_path, pem_of(key) + shown)) is is_good
    assert len(server.handlers) == is_good


def test_nobody_but_the_authority_makes_members(
    ends: Ends,
    tls: tuple[Protection, Protection],
    cluster: KeyFolder,
    key: ec.EllipticCurvePrivateKey,
    tmp_path: Path,
) -> None:
    """An authority of the same name does not, nor a member who signs what he likes."""
    server = ends.serve(tls[0])
    other = make_cluster(tmp_path / "other", "office")
    member = join(cluster, tmp_path / "member" / "keys", Role.SLAVE, "rack9")
    for keys, name in ((other, "ca"), (member, "slave")):
        issuer = keys.read(f"{name}.crt")
        shown = certificate(Wanted(), key, issuer, keys.read(f"{name}.key"))
        assert not is_welcome(server.port, client_with(cluster, tmp_path, pem_of(key) + shown + issuer))
    assert server.handlers == []


@pytest.mark.parametrize("ciphers", ["DEFAULT", "aNULL@SECLEVEL=0", "eNULL@SECLEVEL=0", "ALL:eNULL@SECLEVEL=0"])
def test_nothing_below_tls_1_3_is_spoken_and_nothing_without_encryption(
    ends: Ends, tls: tuple[Protection, Protection], cluster: KeyFolder, tmp_path: Path, ciphers: str
) -> None:
    server = ends.serve(tls[0])
    old = client_with(cluster, tmp_path)
    old.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    old.set_ciphers(ciphers)
    with socket.create_connection(("127.0.0.1", server.port), WAIT_S) as plain, pytest.raises(ssl.SSLError):
        old.wrap_socket(plain, server_hostname="master.office")
    assert ends.client(server.port, tls[1]).wait_open(WAIT_S).is_open


def test_who_joins_gets_the_names_that_the_invitation_gives_and_no_others(
    cluster: KeyFolder, key: ec.EllipticCurvePrivateKey
) -> None:
    asked = [
        x509.DNSName("master.office"),
        x509.DNSName("*.office"),
        x509.UniformResourceIdentifier("concurrent://office/admin/eve"),
        x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
    ]
    request = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "admin/eve")]))
        .add_extension(x509.SubjectAlternativeName(asked), critical=True)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
    answer = json.loads(Registrar(cluster).join(Members(cluster).invite(Role.SLAVE), request, "192.0.2.7"))
    made = x509.load_pem_x509_certificate(answer["certificate"].encode())
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [one.value for one in names] == ["node.office", "concurrent://office/slave/admin-eve"]
    assert not made.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
