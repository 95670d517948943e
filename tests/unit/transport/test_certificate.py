"""Who a certificate is of."""

from __future__ import annotations

from typing import Any

import pytest

from concurrent.core.errors import NotAllowed
from concurrent.transport.security.certificate import identity_of_certificate, serial_text, uri_of
from concurrent.transport.security.identity import Identity
from concurrent.transport.security.roles import Role

ANNA = Identity(Role.SUBMIT, "anna", "office", "a1b2")


def certificate(*uris: str, serial: str = "A1B2") -> dict[str, Any]:
    names = (("DNS", "node.office"), *(("URI", uri) for uri in uris))
    return {"subjectAltName": names, "serialNumber": serial}


def test_a_certificate_says_role_name_cluster_and_serial() -> None:
    assert identity_of_certificate(certificate(uri_of(ANNA)), "office") == ANNA


def test_serials_are_compared_in_one_form() -> None:
    padded = identity_of_certificate(certificate(uri_of(ANNA), serial="0ABC"), "office")
    assert padded.serial == serial_text(0xABC) == "abc"


@pytest.mark.parametrize(
    "uris",
    [
        (),
        ("https://office/submit/anna",),
        ("concurrent://office/submit/anna", "concurrent://office/admin/anna"),
        ("concurrent://other/submit/anna",),
        ("concurrent://office.evil/submit/anna",),
        ("concurrent://office/owner/anna",),
        ("concurrent://office/SUBMIT/anna",),
        ("concurrent://office/submit",),
        ("concurrent://office/submit/",),
        ("concurrent://office/submit/anna/admin",),
        ("concurrent://office/submit/anna?role=admin",),
        ("concurrent://office/submit/anna\n",),
        ("concurrent://user@office/submit/anna",),
    ],
)
def test_one_that_does_not_say_exactly_that_is_nobodys(uris: tuple[str, ...]) -> None:
    with pytest.raises(NotAllowed, match="does not name a member"):
        identity_of_certificate(certificate(*uris), "office")
