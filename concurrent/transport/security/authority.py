"""The authority of a cluster: signs the certificates of its members, and tokens.

This is the only module that imports ``cryptography``; whoever needs it imports it late, so that a node that
only connects never does. Any thread.
"""

from __future__ import annotations

import datetime
from typing import Final

from concurrent.core.dependencies import installed_first
from concurrent.core.errors import NotAllowed
from concurrent.transport.security.certificate import uri_of
from concurrent.transport.security.identity import Identity
from concurrent.transport.security.membership import CERTIFICATE_DAYS
from concurrent.transport.security.names import dns_name

with installed_first("cryptography"):
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

__all__ = [
    "Authority",
    "check_server",
    "has_key",
    "is_signature",
    "key_of_authority",
    "name_in_request",
    "new_key",
    "request_for",
]

NOT_BEFORE: Final = datetime.datetime(2000, 1, 1, tzinfo=datetime.timezone.utc)
"""Long ago, so that a machine whose clock is behind does not refuse its own keys."""

REQUEST_BYTES_MAX: Final = 16 << 10
UNREADABLE: Final = (
    ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm, x509.InvalidVersion, x509.ExtensionNotFound,
    x509.DuplicateExtension, x509.UnsupportedGeneralNameType,
)  # fmt: skip
"""What the library raises of certificates and requests that others have sent."""

NUMBER_BYTES: Final = 32
"""Of each of the two numbers of a signature."""


class Authority:
    """The key of an authority, and its certificate.

    :param key_pem: what ``key_pem`` returned.
    :param certificate_pem: what ``certificate_pem`` returned.
    :raises ValueError: if these are no such key and certificate, or do not belong together.
    """

    def __init__(self, key_pem: bytes, certificate_pem: bytes) -> None:
        key = serialization.load_pem_private_key(key_pem, None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise ValueError("the key of an authority is one of an elliptic curve")
        self._key = key
        self._certificate = x509.load_pem_x509_certificate(certificate_pem)
        if self.public != _point(_public_key(self._certificate)):
            raise ValueError("the key and the certificate of the authority do not belong together")

    def __repr__(self) -> str:
        return f"<Authority {self._certificate.subject.rfc4514_string()}>"

    @classmethod
    def new(cls, cluster: str) -> Authority:
        """Return a new authority for a cluster."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"authority of {cluster}"[:64])])
        usage = _usage(signs_certificates=True)
        builder = (
            _builder(name, name, key.public_key(), key.public_key())
            .serial_number(x509.random_serial_number())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
        )
        return cls(_key_pem(key), _pem(builder.sign(key, hashes.SHA256())))

    @property
    def key_pem(self) -> bytes:
        """The secret key."""
        return _key_pem(self._key)

    @property
    def certificate_pem(self) -> bytes:
        """The certificate that every member has."""
        return _pem(self._certificate)

    @property
    def public(self) -> bytes:
        """The public key, 33 bytes."""
        return _point(self._key.public_key())

    def issue(self, request_pem: bytes, identity: Identity, days: int = CERTIFICATE_DAYS) -> bytes:
        """Return the certificate of a member.

        :param request_pem: the signing request of whoever has the key.
        :param identity: whom it is for; its serial is the number of the certificate.
        :param days: how long it is good.
        :raises NotAllowed: if that is no request, or not signed by the key that it is for.
        """
        request = _request(request_pem)
        names = [
            x509.DNSName(dns_name(identity.cluster, identity.role)),
            x509.UniformResourceIdentifier(uri_of(identity)),
        ]
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{identity.role} {identity.name}"[:64])])
        purposes = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        builder = (
            _builder(subject, self._certificate.subject, request.public_key(), self._key.public_key(), days)
            .serial_number(int(identity.serial, 16))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
        )
        return _pem(builder.sign(self._key, hashes.SHA256()))

    def sign(self, content: bytes) -> bytes:
        """Return the signature of something, 64 bytes."""
        r, s = decode_dss_signature(self._key.sign(content, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(NUMBER_BYTES, "big") + s.to_bytes(NUMBER_BYTES, "big")


def new_key() -> bytes:
    """Return a new secret key of a member, as PEM."""
    return _key_pem(ec.generate_private_key(ec.SECP256R1()))


def request_for(key_pem: bytes, name: str) -> bytes:
    """Return a signing request for a key, as PEM.

    :param name: what the member would like to be called.
    """
    key = serialization.load_pem_private_key(key_pem, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM)


def name_in_request(request_pem: bytes) -> str:
    """Return what whoever has made a request would like to be called.

    :raises NotAllowed: if it is none.
    """
    found = _request(request_pem).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else ""


def key_of_authority(certificate_pem: bytes) -> bytes:
    """Return the public key in the certificate of an authority, 33 bytes.

    :raises ValueError: if that is no such certificate.
    """
    return _point(_public_key(x509.load_pem_x509_certificate(certificate_pem)))


def has_key(certificate_pem: bytes, key_pem: bytes) -> bool:
    """Return whether a certificate is for a secret key."""
    key = serialization.load_pem_private_key(key_pem, None)
    public = _public_key(x509.load_pem_x509_certificate(certificate_pem))
    return isinstance(key, ec.EllipticCurvePrivateKey) and _point(key.public_key()) == _point(public)


def is_signature(signature: bytes, content: bytes, public: bytes) -> bool:
    """Return whether the authority with a public key has signed something."""
    if len(signature) != 2 * NUMBER_BYTES:
        return False
    r, s = (int.from_bytes(half, "big") for half in (signature[:NUMBER_BYTES], signature[NUMBER_BYTES:]))
    return _is_signed(encode_dss_signature(r, s), content, public)


def check_server(certificate_der: bytes, public: bytes, name: str) -> None:
    """Check the certificate that a server has shown whose authority is known by its public key only.

    :param public: the public key of the authority, 33 bytes.
    :param name: the DNS name that it must have.
    :raises NotAllowed: if it was not signed by that authority for that name.
    """
    try:
        certificate = x509.load_der_x509_certificate(certificate_der)
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        is_named = names.get_values_for_type(x509.DNSName) == [name]
        is_signed = _is_signed(certificate.signature, certificate.tbs_certificate_bytes, public)
    except UNREADABLE:
        is_named = is_signed = False
    if is_signed and is_named:
        return
    reason = "is of another name" if is_signed else "is not of the authority in the line"
    raise NotAllowed(
        f"what answers {reason}, so it was told nothing: {name} was expected",
        thing="certificate",
        remedy="Look at the address in the line; if the master's keys were made anew, ask for a new line",
    )


def _is_signed(signature: bytes, content: bytes, public: bytes) -> bool:
    try:
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public)
        key.verify(signature, content, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True


def _request(pem: bytes) -> x509.CertificateSigningRequest:
    if len(pem) <= REQUEST_BYTES_MAX:
        try:
            request = x509.load_pem_x509_csr(pem)
            key = request.public_key()
            if request.is_signature_valid and isinstance(key, ec.EllipticCurvePublicKey):
                if isinstance(key.curve, ec.SECP256R1):
                    return request
        except UNREADABLE:
            pass
    raise NotAllowed("that is no signing request for a key of this cluster", thing="request")


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: object,
    issuer_key: ec.EllipticCurvePublicKey,
    days: int = CERTIFICATE_DAYS,
) -> x509.CertificateBuilder:
    assert isinstance(public_key, ec.EllipticCurvePublicKey)
    end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .not_valid_before(NOT_BEFORE)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=signs_certificates, crl_sign=False, encipher_only=False,
        decipher_only=False,
    )  # fmt: skip


def _public_key(certificate: x509.Certificate) -> ec.EllipticCurvePublicKey:
    key = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise ValueError("the certificate is for another kind of key")
    return key


def _point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
