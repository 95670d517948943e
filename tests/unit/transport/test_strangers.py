"""What is said to those whom TLS does not let in, and of them."""

from __future__ import annotations

import re
import ssl

import pytest

from concurrent.core.errors import MalformedMessage, NotAllowed, ProtocolError
from concurrent.transport.carriers import strangers


def alert(reason: str = "TLSV1_ALERT_UNKNOWN_CA") -> ssl.SSLError:
    error = ssl.SSLError(1, "the text of the library")
    error.reason = reason
    return error


def unverified() -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "the text of the library")
    error.verify_message = "self-signed certificate"
    return error


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (strangers.needs_key("arm"), NotAllowed, "arm has no key.*keys invite ROLE.*concurrent join LINE"),
        (strangers.no_certificate("office"), NotAllowed, "members of the cluster office.*keys invite.*join"),
        (strangers.not_encrypted(b"Cc", "office"), NotAllowed, "office.*not encrypted.*keys invite.*join"),
        (strangers.not_encrypted(b"GET / HT", "office"), MalformedMessage, "TLS only.*client speaks HTTP"),
        (strangers.not_encrypted(b"\0\1", "office"), MalformedMessage, "TLS only.*client began with 0001"),
        (strangers.broken_greeting(unverified(), "office"), NotAllowed, "self-signed certificate.*keys invite"),
        (strangers.broken_greeting(alert(), "office"), NotAllowed, "does not trust this master.*unknown ca"),
        (strangers.broken_greeting(alert("NO_SHARED_CIPHER"), "office"), MalformedMessage, "no shared cipher"),
        (
            strangers.wrong_server(unverified(), "office"),
            NotAllowed,
            "cannot prove.*a master.*office",
        ),
        (
            strangers.wrong_server(alert(), "office"),
            NotAllowed,
            "does not accept.*office.*keys invite",
        ),
        (strangers.wrong_server(alert("WRONG_VERSION_NUMBER"), "office"), MalformedMessage, "wrong version"),
        (strangers.unencrypted_server(b"Cc", "office"), NotAllowed, "no master.*office.*encrypts nothing"),
        (strangers.unencrypted_server(b"\xff\0", "office"), NotAllowed, "speaks ZeroMQ.*Check the address"),
        (strangers.unencrypted_server(b"?!", "office"), NotAllowed, "speaks no TLS.*Check the address"),
        (strangers.unknown_here(alert(), "office"), NotAllowed, "unknown ca.*keys invite ROLE.*join LINE"),
    ],
)
def test_an_error_says_what_is_wrong_and_what_helps(
    error: ProtocolError, kind: type[ProtocolError], text: str
) -> None:
    assert type(error) is kind
    assert re.search(text, str(error)), str(error)


def test_only_records_of_tls_are_taken_for_it() -> None:
    assert [strangers.is_tls(first) for first in (b"\x16", b"\x15\x03", b"C", b"\x17\x03")] == [
        True,
        True,
        False,
        False,
    ]
