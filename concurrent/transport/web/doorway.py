"""How somebody whom the node does not know becomes known: ``/login``, ``/logout`` and ``/join``; and refusals.

Any thread of the service.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Final
from urllib.parse import parse_qs

from concurrent.core.errors import ConcurrentError, NotAllowed
from concurrent.core.loggers import get_log
from concurrent.core.rarely import RareLine, RareTexts
from concurrent.transport.security.auditing import REFUSED, IAudit
from concurrent.transport.security.identity import Identity
from concurrent.transport.web.admission import READING_VERBS, WHO_ASKS, Admission, Head, Refused
from concurrent.transport.web.answers import Answer, page, problem, redirect
from concurrent.transport.web.httpstream import StrictRequest, error_body
from concurrent.transport.web.joindesk import JoinDesk
from concurrent.transport.web.loginpage import confirm_page, login_page, problem_page
from concurrent.transport.web.logins import LOGIN_TTL_S, Logins

__all__ = ["JOIN_PATH", "LOGIN_PATH", "LOGOUT_PATH", "Doorway"]

JOIN_PATH: Final = "/join"
LOGIN_PATH: Final = "/login"
LOGOUT_PATH: Final = "/logout"

FORM_TYPE: Final = "application/x-www-form-urlencoded"
FORM_BYTES_MAX: Final = 8 * 1024
FIELDS_MAX: Final = 8

log = get_log(__name__)


class Doorway:
    """See the module.

    :param admission: decides who asks.
    :param logins: has the codes and cookies.
    :param desk: takes new members in.
    :param audit: told of logins and refusals.
    """

    def __init__(self, admission: Admission, logins: Logins, desk: JoinDesk, audit: IAudit) -> None:
        self._admission = admission
        self._logins = logins
        self._desk = desk
        self._audit = audit
        self._refused_line = RareLine()
        self._refusals = RareTexts()

    def join(self, head: Head, request: StrictRequest) -> Answer:
        """Take a new member in. Whatever name it has reached the node by, the secret is what counts.

        :raises Refused: if it has no invitation, before its request is read.
        """
        self._admission.check_site(head, None)
        self._desk.check(head, request.body_bytes)
        return Answer("200 OK", self._desk.join(head, request.read_body()))

    def log_in(self, head: Head, request: StrictRequest, content_type: str) -> Answer:
        """Give a browser a cookie when a form is sent: for the code in its address, or for the token in it.

        Who comes with a code gets that form first, for any web site could lead a browser to such an address,
        and have its user be somebody else here.

        :raises Refused: if there is neither.
        """
        if head.verb in READING_VERBS:
            return self._asked(head)
        is_form = content_type.partition(";")[0].strip().lower() == FORM_TYPE
        if head.verb != "POST" or not is_form:
            raise Refused("401 Unauthorized", WHO_ASKS)
        self._admission.check_site(head, None, is_login=True)
        if request.body_bytes > FORM_BYTES_MAX:
            return problem("413 Content Too Large", f"the form has more than {FORM_BYTES_MAX} bytes")
        form, code = request.read_body().decode("latin-1"), _one(head.query, "code")
        if code is not None:
            return self._admitted(head, "code", partial(self._redeem, head), code)
        return self._admitted(head, "token", self._log_in_as, _one(form, "token"))

    def _asked(self, head: Head) -> Answer:
        """Ask a person whether to be logged in by the code in the address; who is known already needs none."""
        code = _one(head.query, "code")
        try:
            if code is None:
                raise WHO_ASKS
            return page(confirm_page(self._identity_of_code(head, code)))
        except (
            NotAllowed
        ) as error:  # it was used, by this browser perhaps: people go back, and browsers ask twice
            if not self._is_known(head):
                raise Refused("401 Unauthorized", error) from None
            return redirect("/")

    def _is_known(self, head: Head) -> bool:
        try:
            self._admission.caller(head)
        except Refused:
            return False
        return True

    def log_out(self, head: Head) -> Answer:
        """End the logins of a browser."""
        for secret in head.cookies(self._admission.cookie):
            self._logins.log_out(secret)
        return redirect(LOGIN_PATH, self._cookie_header("", 0, is_encrypted=head.is_encrypted))

    def refusal(self, head: Head, refused: Refused) -> Answer:
        """Return what somebody is told who is refused; if it has tried to be known, the log has it too."""
        error, status = refused.error, refused.status
        if error is not WHO_ASKS:
            self._note_refusal(head, error)
        headers = {"401": (("WWW-Authenticate", "Bearer"),), "429": (("Retry-After", "60"),)}.get(
            status[:3], ()
        )
        if not head.wants_page:
            return Answer(status, error_body(error), headers=headers)
        if status.startswith("401"):
            text = login_page(error, head.headers.get("Host", ""))
        else:
            text = problem_page(status.partition(" ")[2], error)
        return page(text, status)._replace(headers=headers)

    def _note_refusal(self, head: Head, error: ConcurrentError) -> None:
        reason = error.__cause__ or error  # the log may say more than the stranger is told
        now = time.monotonic()
        is_new = self._refusals.is_due(f"{head.path[:100]} {head.identity} {head.peer_ip} {reason}", now)
        suffix = self._refused_line.suffix(now) if is_new else None
        if suffix is not None:
            who = head.identity or "somebody"
            log.warning(
                "refused %.20r %.100r of %s at %s: %s%s",
                head.verb,
                head.path,
                who,
                head.peer_ip,
                reason,
                suffix,
            )
        self._audit.write("refuse", head.identity, head.peer_ip, head.path[:100], f"{REFUSED}: {reason}")

    def _redeem(self, head: Head, code: str) -> str:
        """Return the secret of a cookie; a code that who shows it may not use is not used up."""
        self._identity_of_code(head, code)
        return self._logins.redeem(code)

    def _identity_of_code(self, head: Head, code: str) -> Identity:
        """Return whom a code lets in; raises NotAllowed if it is none, or not for who shows it."""
        identity = self._logins.identity_of_code(code)
        self._admission.check_user(head, identity)
        return identity

    def _log_in_as(self, token: str) -> str:
        return self._logins.log_in(self._admission.identity_of_token(token))

    def _admitted(self, head: Head, what: str, redeem: Callable[[str], str], given: str | None) -> Answer:
        if given is None:
            raise Refused("401 Unauthorized", WHO_ASKS)
        try:
            secret = redeem(given)
        except NotAllowed as error:
            raise Refused("401 Unauthorized", error) from None
        self._audit.write("login", self._logins.identity_of(secret), head.peer_ip, what, "done")
        return redirect("/", self._cookie_header(secret, LOGIN_TTL_S, is_encrypted=head.is_encrypted))

    def _cookie_header(self, secret: str, age_s: float, *, is_encrypted: bool) -> tuple[str, str]:
        parts = (
            f"{self._admission.cookie}={secret}",
            "Path=/",
            f"Max-Age={age_s:.0f}",
            "HttpOnly",
            "SameSite=Strict",
            *(("Secure",) if is_encrypted else ()),
        )
        return ("Set-Cookie", "; ".join(parts))


def _one(form: str, field: str) -> str | None:
    """Return the only value of a field; None if there is none, or more than one."""
    try:
        values = parse_qs(form, max_num_fields=FIELDS_MAX).get(field, [])
    except ValueError:
        return None
    return values[0].strip() if len(values) == 1 else None
