"""Other users of the machine of a node: what lets in its own is of no use to them, and the log stays short."""

from __future__ import annotations

import pytest

from concurrent.core.rarely import RareLine
from concurrent.transport.security.identity import THIS_USER, Identity
from concurrent.transport.security.roles import Role
from concurrent.transport.web import httpstream
from tests.integration.transport.protected_peers import OWN_FORM, ProtectedPeer

ANNA = Identity(Role.ADMIN, "anna", "office-4kd2", "01")


def test_a_login_of_this_user_is_of_no_use_to_others_of_the_machine(
    peer: ProtectedPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, others = peer.cookie_of(THIS_USER), peer.cookie_of(ANNA)
    code = peer.service.logins.code_for(THIS_USER)
    monkeypatch.setattr(httpstream, "is_of_other_user", lambda _socket: True)
    refused = peer.ask("GET", "/secret", headers={"Cookie": own})
    assert refused.status == 401
    assert b"user of this node only" in refused.body
    assert peer.ask("GET", "/secret", headers={"Cookie": others}).status == 200  # who has shown a token
    path = f"/login?code={code}"
    assert peer.ask("GET", path).status == 401
    assert peer.ask("POST", path, b"", OWN_FORM).status == 401
    monkeypatch.undo()
    assert peer.ask("GET", "/secret", headers={"Cookie": own}).status == 200
    assert peer.ask("GET", path).status == 200
    assert peer.ask("POST", path, b"", OWN_FORM).status == 303  # for it was not used up


def test_of_a_script_with_a_token_that_has_ended_the_log_has_one_line(
    peer: ProtectedPeer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RareLine, "suffix", lambda _line, _now: "")
    token = peer.cluster.tokens.make(Role.ADMIN, ttl_s=60)
    peer.trust.revoke([peer.cluster.tokens.identity_of(token).serial])
    for _ in range(3):
        assert peer.ask("GET", "/stats", headers={"Authorization": f"Bearer {token}"}).status == 401
    assert caplog.text.count("has been revoked") == 1
