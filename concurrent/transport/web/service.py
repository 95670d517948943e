"""The server of the JSON API: JSON-RPC 2.0 and readable views over HTTP, with web.py on cheroot."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from concurrent.core.dependencies import installed_first
from concurrent.core.errors import ConcurrentError, NotAllowed, ProtocolError
from concurrent.core.items import Host
from concurrent.core.loggers import get_log
from concurrent.core.rarely import RareLine
from concurrent.core.stats import IEventCounter
from concurrent.transport.calls.methods import MethodRegistry
from concurrent.transport.security.auditing import NO_AUDIT, IAudit
from concurrent.transport.security.hosts import check_host
from concurrent.transport.security.identity import Identity
from concurrent.transport.security.protection import Protection
from concurrent.transport.security.roles import OBSERVERS, Role
from concurrent.transport.security.trust import Trust
from concurrent.transport.web.admission import (
    READING_VERBS,
    Admission,
    Caller,
    Head,
    ITokens,
    Refused,
    check_role,
    head_of,
)
from concurrent.transport.web.answers import JSON_TYPE, NOTHING, Answer, page, problem, send
from concurrent.transport.web.contents import Asset, Contents, Query, View
from concurrent.transport.web.defaultpage import default_page, missing_page
from concurrent.transport.web.doorway import JOIN_PATH, LOGIN_PATH, LOGOUT_PATH, Doorway
from concurrent.transport.web.httpserver import WebServer
from concurrent.transport.web.httpstream import HTTPLimits, StrictRequest, error_body
from concurrent.transport.web.joindesk import Attempts, IRegistrar, JoinDesk
from concurrent.transport.web.jsonrpc import JSONRPCAnswerer, encode_json
from concurrent.transport.web.logins import Logins
from concurrent.transport.web.openapi import openapi_document, openrpc_document, security_schemes

with installed_first("web"):
    import web

__all__ = ["JSONService"]

RPC_PATH: Final = "/api/1"
OPENAPI_PATH: Final = "/openapi.json"
PING_PATH: Final = "/ping"
ICON_PATH: Final = "/favicon.ico"
"""Browsers ask for it whatever a page says; there is none."""

OWN_PATHS: Final = (RPC_PATH, OPENAPI_PATH, ICON_PATH, JOIN_PATH, LOGIN_PATH, LOGOUT_PATH)
LIVES: Final = Answer("200 OK", b"{}")
"""What anybody is told at ``PING_PATH``, and nothing else anywhere."""

WARNING: Final = "Nothing protects this node: whoever reaches it can run code here."

log = get_log(__name__)


class JSONService:
    """The JSON API of a node.

    Methods are registered with ``jsonremote`` as ``f(request, ...)`` and called by a POST to
    ``/api/1``. They run in a thread of the service, several at a time, with ``web.ctx`` set. A method
    may return a ``concurrent.futures.Future``, which is waited for.

    ``logins`` has the codes that let browsers in.

    :param node_id: who this node is; the first part of the names of the threads.
    :param host: the address to listen on.
    :param port: the port to listen on; 0 lets the system choose, see ``port``.
    :param title: the heading of the page and of the documents that describe the API.
    :param stats: where requests, calls and failures are counted.
    :param allow_insecure: listen on other addresses than loopback though nothing is encrypted.
    :param limits: what is accepted from clients and how long is waited.
    :param protection: what connections pass through; None, or one that is open, lets everybody in.
    :param names: names, besides those of this machine, by which clients and browsers may reach it.
    :param tokens: tells who a token is of; None: there are no tokens.
    :param registrar: takes those in who have an invitation; None: nobody can join here.
    """

    def __init__(  # noqa: PLR0913  all but one by name
        self,
        node_id: str,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        title: str = "Concurrent",
        stats: IEventCounter | None = None,
        allow_insecure: bool = False,
        limits: HTTPLimits | None = None,
        protection: Protection | None = None,
        names: Iterable[str] = (),
        tokens: ITokens | None = None,
        registrar: IRegistrar | None = None,
    ) -> None:
        self.node_id = node_id
        self.host = host
        self.port = port
        self.methods = MethodRegistry()
        self._title = title
        self._stats = stats
        self._allow_insecure = allow_insecure
        self._limits = limits or HTTPLimits()
        self._contents = Contents(OWN_PATHS)
        self._contents.roles_by_path.update(dict.fromkeys((RPC_PATH, OPENAPI_PATH), OBSERVERS))
        self.set_page("/", self._default_page)
        self._server: WebServer | None = None
        self._names = tuple(names)
        self._failure_line = RareLine()
        self.protect(protection, tokens=tokens, registrar=registrar)
        self._calls = JSONRPCAnswerer(
            self.methods,
            batch_max=self._limits.batch_max,
            call_timeout_s=self._limits.call_timeout_s,
            on_event=self._count,
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.address}>"

    @property
    def address(self) -> str:
        """Where the service listens, as ``host:port``."""
        return str(Host(self.host, self.port))

    @property
    def url(self) -> str:
        """The address of the page, for a browser."""
        return f"http://{self.address}/"

    @property
    def client_ip(self) -> str:
        """The address of the client whose request this thread answers. A thread of the service only."""
        return str(web.ctx["ip"])

    @property
    def client_identity(self) -> Identity:
        """Who has sent the request that this thread answers. A thread of the service only.

        :raises NotAllowed: if it answers none, or its sender is not known yet.
        """
        return self.client.identity

    @property
    def client(self) -> Caller:
        """Who has sent the request that this thread answers, and how it is known. A thread of the service only.

        :raises NotAllowed: if it answers none, or its sender is not known yet.
        """
        known: Caller | None = web.ctx.get("caller")
        if known is None:
            raise NotAllowed(
                "this thread answers nobody's request", thing="identity", remedy="Say whose identity is meant"
            )
        return known

    @property
    def roles_by_view(self) -> Mapping[str, frozenset[Role]]:
        """Who may see the page, each view and each document, by its path."""
        return self._contents.roles_by_path

    def add_view(
        self,
        path: str,
        view: Callable[[], Any],
        doc: str,
        answer: Any = Any,
        *,
        roles: Iterable[Role | str] = OBSERVERS,
        content_type: str = JSON_TYPE,
        is_ok: Callable[[Any], bool] = lambda _value: True,
    ) -> None:
        """Answer a GET of ``path`` with what ``view()`` returns, as JSON. Before ``start``.

        :param path: begins with a slash, for example ``/status``.
        :param view: called in a thread of the service.
        :param doc: what the view shows, as a sentence.
        :param answer: the type of what it returns or the full name of that, for the documents that describe the
            API.
        :param roles: who may see it, besides admins.
        :param content_type: of another one ``view()`` returns a text, which is sent as it is.
        :param is_ok: tells of what it returns whether the node works; if not, the status is 503, for programs
            that look at nothing else.
        :raises ConfigurationError: if the path is taken, or none.
        """
        self._contents.add_view(path, View(view, doc, answer, content_type, is_ok), roles)

    def set_page(self, path: str, render: Callable[[Query], str]) -> None:
        """Answer a GET of ``path`` with the HTML that ``render(query)`` returns. Before ``start``.

        Observers may see it. Scripts run on it and styles hold that come from :meth:`set_assets`, and none that
        stand in it.

        :param render: called in a thread of the service with what stands behind the question mark.
        """
        self._contents.set_page(path, render)

    def set_assets(self, asset: Callable[[str], Asset | None]) -> None:
        """Answer a GET of ``/assets/NAME`` with ``asset(NAME)``, for pages. Before ``start``.

        :param asset: called in a thread of the service; None: there is nothing of that name.
        """
        self._contents.set_assets(asset)

    def protect(
        self,
        protection: Protection | None,
        *,
        tokens: ITokens | None = None,
        registrar: IRegistrar | None = None,
        audit: IAudit = NO_AUDIT,
    ) -> None:
        """Say what protects the service, where that is known after its port only. Before ``start``.

        The folder of ``protection.place`` is made by whoever owns it, before ``start``; before this if the port
        has been taken, for then the service listens there at once: whoever can reach it in the place
        shall not come to the port meanwhile, where he is somebody else.

        :param audit: told who has logged in, and who was refused; in threads of the service.
        """
        self._protection = protection
        self._tokens = tokens
        self._registrar = registrar
        self._audit = audit
        self.logins = Logins(protection.trust if protection is not None else Trust())
        if self._server is not None and protection is not None and protection.place is not None:
            self._server.listen_in(protection.place)

    @property
    def warning(self) -> str:
        """What pages have to say first, because the node was told to be open; empty if it was not."""
        return WARNING if self._protection is not None and self._protection.is_open else ""

    def bind(self) -> int:
        """Take the port, and return it; clients wait until ``start``. Any thread; may be left out.

        :raises ConfigurationError: if the address is in use or unknown.
        """
        if self._server is None:
            web.config.debug = False  # web.py would show local variables to the client
            application = web.application((r"[\s\S]*", self._respond), autoreload=False)
            self._server = WebServer(self.node_id, self.host, self.port, application.wsgifunc(), self._limits)
            self.port = self._server.port
        return self.port

    def start(self) -> None:
        """Serve. Any thread; call it once.

        :raises ConfigurationError: if the address is in use, unknown, or not safe to listen on.
        """
        has_keys = self._protection is not None and self._protection.tls is not None
        is_open = self._protection is not None and self._protection.is_open
        try:
            check_host(self.host, allow_insecure=self._allow_insecure or has_keys or is_open)
            self.bind()
            assert self._server is not None
            self._open_doorway()
            self._server.start(self._protection)
        except BaseException:  # boundary: the port is free again, whatever it was
            self.stop()
            raise
        log.info("%s listens", self)

    def _open_doorway(self) -> None:
        self._admission = Admission(
            host=self.host,
            port=self.port,
            protection=self._protection,
            names=self._names,
            tokens=self._tokens,
            logins=self.logins,
        )
        desk = JoinDesk(self._registrar, Attempts())
        self._doorway = Doorway(self._admission, self.logins, desk, self._audit)

    def stop(self, timeout_s: float = 5.0) -> None:
        """Close the service and end its threads; what is being answered may finish. May be repeated.

        Another thread than the service's.

        :param timeout_s: how long to wait for methods that run, in seconds.
        """
        server, self._server = self._server, None
        if server is not None:
            server.stop(timeout_s)

    def _count(self, name: str) -> None:
        if self._stats is not None:
            self._stats.add_count(f"transport.http_{name}")

    def _respond(self) -> bytes:
        """Answer the request that ``web.ctx`` holds. Runs in a thread of the service."""
        self._count("requests")
        try:
            answer = self._answer(web.ctx.env)
        except TimeoutError:
            answer = problem("408 Request Timeout", "the body did not come in time")
        except ProtocolError as error:
            answer = Answer("400 Bad Request", error_body(error))
        except ConcurrentError as error:
            answer = self._failure(error)
        except BaseException:  # boundary: a view failed; its thread goes on, the log has the details
            log.exception("%s: GET %s failed", self, web.ctx.path)
            answer = problem("500 Internal Server Error", f"{web.ctx.path} failed; see the log of the node")
        return send(answer, web.ctx.env.get("HTTP_ACCEPT_ENCODING", ""))

    def _failure(self, error: ConcurrentError) -> Answer:
        """Return the answer where the node itself fails; a stranger is not told how."""
        status = "500 Internal Server Error"
        if "caller" in web.ctx:
            return Answer(status, error_body(error))
        suffix = self._failure_line.suffix(time.monotonic())
        if suffix is not None:
            log.error("%s: somebody at %s cannot be answered: %s%s", self, web.ctx.ip, error, suffix)
        return problem(status, "the node cannot answer; its log says why")

    def _answer(self, env: dict[str, Any]) -> Answer:
        head = head_of(env, web.ctx.path)
        request: StrictRequest = env["concurrent.connection"].request
        try:
            if head.path == JOIN_PATH:
                return self._doorway.join(head, request)
            self._admission.check_name(head)
            if head.path == LOGIN_PATH:
                return self._doorway.log_in(head, request, env.get("CONTENT_TYPE", ""))
            try:
                return self._answer_known(head, env)
            except Refused:
                if head.path == PING_PATH and head.verb in READING_VERBS:
                    request.close_connection = True
                    return LIVES
                raise
        except Refused as refused:
            request.close_connection = True  # so it cannot have us wait until it takes in many answers
            return self._doorway.refusal(head, refused)

    def _answer_known(self, head: Head, env: Mapping[str, Any]) -> Answer:
        """Answer somebody who is known, and may ask that."""
        path = head.path
        caller = self._admission.caller(head)
        web.ctx["caller"] = caller
        allowed = self._allowed_verbs(path)
        if not allowed and head.wants_page:  # a person, who has a browser
            return page(missing_page(path), "404 Not Found")
        if not allowed:
            return problem("404 Not Found", f"there is nothing at {path!r}", f"See {self.url}")
        if head.verb not in allowed:
            refusal = problem("405 Method Not Allowed", f"{path} does not take {head.verb}")
            return refusal._replace(headers=(("Allow", ", ".join(allowed)),))
        self._admission.check_site(head, caller)
        if path == LOGOUT_PATH:
            return self._doorway.log_out(head)
        if head.verb == "POST":
            return self._post(env, caller.identity)
        if path == ICON_PATH:
            return NOTHING
        check_role(caller.identity, self._contents.roles(path), path)
        return self._get(path, head.query)

    def _allowed_verbs(self, path: str) -> tuple[str, ...]:
        if path == RPC_PATH:
            return (*READING_VERBS, "POST")
        if path == LOGOUT_PATH:
            return ("POST",)
        is_there = path in (OPENAPI_PATH, ICON_PATH) or path in self._contents
        return READING_VERBS if is_there else ()

    def _get(self, path: str, query: str) -> Answer:
        if path == RPC_PATH:
            value = openrpc_document(self._title, self.methods, ways=self._ways)
        elif path == OPENAPI_PATH:
            views = self._contents.view_by_path
            value = openapi_document(
                self._title,
                RPC_PATH,
                self.methods,
                {path: view.doc for path, view in views.items()},
                {path: view.answer for path, view in views.items()},
                type_by_view={path: view.content_type for path, view in views.items()},
                roles_by_path=self._contents.roles_by_path,
                ways=self._ways,
                anybodys=(PING_PATH,),
            )
        else:
            return self._contents.answer(path, query)
        return Answer("200 OK", encode_json(value, path))

    @property
    def _ways(self) -> dict[str, Any]:
        """By which ways a client becomes known, for the documents; none are needed where all are let in."""
        is_open = self._protection is None or self._protection.is_open
        return {} if is_open else security_schemes(self._admission.cookie)

    def _post(self, env: Mapping[str, Any], identity: Identity) -> Answer:
        if not _is_json_type(env.get("CONTENT_TYPE", "")):
            return problem(
                "415 Unsupported Media Type",
                "the body must be JSON in UTF-8",
                f"Send it with Content-Type: {JSON_TYPE}",
            )
        body = env["concurrent.connection"].request.read_body()
        reply = self._calls.answer(body, web.ctx.ip, identity)
        if reply.body is None:
            return NOTHING
        return Answer("200 OK" if reply.is_readable else "400 Bad Request", reply.body)

    def _default_page(self, _query: Query) -> str:
        role = self.client.identity.role
        views = self._contents.view_by_path
        return default_page(
            self._title,
            f"Node {self.node_id}",
            {path: view.doc for path, view in views.items() if role in self._contents.roles(path)},
            {self.methods.usage(one, (None,)): one.doc for one in self.methods if role in one.roles},
            (RPC_PATH, OPENAPI_PATH),
            client=self.client,
            warning=self.warning,
        )


def _is_json_type(header: str) -> bool:
    kind, *parameters = (part.strip().lower() for part in header.split(";"))
    return kind == JSON_TYPE and all(
        not parameter.startswith("charset=") or parameter.strip('"')[8:].strip('"') in ("utf-8", "utf8")
        for parameter in parameters
    )
