"""The JSON API over real HTTP: views, calls, refusals and what clients can do to it."""

from __future__ import annotations

import gzip
import json
import os
import threading
from collections.abc import Iterator

import pytest

from concurrent.core.errors import ConfigurationError
from concurrent.transport import HTTPLimits, JSONService
from concurrent.transport.web.contents import Asset
from tests.integration.transport.http_peers import TIMEOUT_S, Peer
from tests.openfiles import open_files


@pytest.fixture
def peer() -> Iterator[Peer]:
    before = set(threading.enumerate())
    made = Peer(HTTPLimits(threads=2, call_timeout_s=0.2, body_bytes_max=100_000))
    made.start()
    yield made
    made.service.stop()
    assert set(threading.enumerate()) <= before


def test_a_view_is_answered_as_json(peer: Peer) -> None:
    reply = peer.ask("GET", "/ping")
    assert (reply.status, reply.json) == (200, {"is_alive": True})
    assert reply.headers["Content-Type"] == "application/json"


def test_the_default_page_lists_methods_and_views(peer: Peer) -> None:
    reply = peer.ask("GET", "/")
    assert reply.headers["Content-Type"].startswith("text/html")
    assert b"/ping" in reply.body
    assert b"add(a" in reply.body


def test_a_page_can_be_set() -> None:
    peer = Peer()
    peer.service.set_page("/", lambda query: f"<h1>mine \N{SNOWMAN} {query}</h1>")
    peer.start()
    reply = peer.ask("GET", "/?a=1&a=2&b=")
    assert reply.body.decode() == "<h1>mine \N{SNOWMAN} {'a': '2'}</h1>"
    assert "script-src 'self';" in reply.headers["Content-Security-Policy"]
    peer.service.stop()


def test_no_script_runs_but_on_pages(peer: Peer) -> None:
    for path in ("/ping", "/nowhere", "/login"):
        reply = peer.ask("GET", path, headers={"Accept": "text/html"})
        assert "script-src" not in reply.headers["Content-Security-Policy"], path
        assert "default-src 'none'" in reply.headers["Content-Security-Policy"]


def test_scripts_and_styles_are_served_and_kept_by_the_browser_of_who_asks() -> None:
    peer = Peer()
    script = Asset(b"let a = 1;", "text/javascript; charset=utf-8")
    peer.service.set_assets({"1/a.js": script, "a.js": script._replace(is_kept=False)}.get)
    peer.start()
    reply = peer.ask("GET", "/assets/1/a.js")
    assert (reply.status, reply.body) == (200, b"let a = 1;")
    assert reply.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert reply.headers["Cache-Control"].startswith("private, max-age=")
    assert peer.ask("GET", "/assets/a.js").headers["Cache-Control"] == "no-store"
    assert peer.ask("GET", "/assets/b.js").status == 404
    peer.service.stop()


def test_a_view_may_be_a_text_of_another_type() -> None:
    peer = Peer()
    peer.service.add_view(
        "/figures", lambda: "a 1\n", "Figures.", str, content_type="text/plain; version=0.0.4"
    )
    peer.start()
    reply = peer.ask("GET", "/figures")
    assert (reply.headers["Content-Type"], reply.body) == ("text/plain; version=0.0.4", b"a 1\n")
    peer.service.stop()


def test_a_view_that_tells_bad_news_says_so_by_its_status(peer: Peer) -> None:
    reply = peer.ask("GET", "/ill")
    assert (reply.status, reply.json) == (503, {"ok": False})


def test_the_documents_of_the_api_are_served(peer: Peer) -> None:
    openapi = peer.ask("GET", "/openapi.json").json
    assert {"/ping", "/api/1"} <= set(openapi["paths"])
    openrpc = peer.ask("GET", "/api/1").json
    assert "add" in [method["name"] for method in openrpc["methods"]]


def test_a_method_is_called_by_position_and_by_name(peer: Peer) -> None:
    assert peer.call("add", [1, 2]) == {"jsonrpc": "2.0", "id": 1, "result": 3}
    assert peer.call("add", {"a": 4})["result"] == 4


def test_a_method_knows_its_caller_as_on_web_py(peer: Peer) -> None:
    assert peer.call("who")["result"] == ["127.0.0.1", "127.0.0.1", "who"]


def test_a_method_may_return_a_future(peer: Peer) -> None:
    assert peer.call("soon", ["now"])["result"] == "now"


def test_a_future_is_not_waited_for_longer_than_the_limit(peer: Peer) -> None:
    error = peer.call("wait")["error"]
    assert (error["code"], error["data"]["code"]) == (-32000, "timeout")


def test_an_exception_arrives_with_its_traceback_and_no_locals(peer: Peer) -> None:
    reply = peer.post('{"jsonrpc":"2.0","id":1,"method":"fail"}')
    error = reply.json["error"]
    assert error["code"] == -32000
    assert error["data"]["type"] == "KeyError"
    assert "in fail" in error["data"]["traceback"]
    assert b"'a local variable'" not in reply.body


def test_an_error_of_ours_keeps_its_code_and_remedy(peer: Peer) -> None:
    data = peer.call("fail_ours")["error"]["data"]
    assert (data["code"], data["data"]["remedy"]) == ("worker-died", "Look at its output.")


@pytest.mark.parametrize("method", ["give_set", "give_nan", "give_nest"])
def test_a_result_without_json_form_is_a_clear_error(peer: Peer, method: str) -> None:
    error = peer.call(method)["error"]
    assert error["code"] == -32603
    assert f"the result of {method} has no JSON form" in error["message"]


def test_a_method_that_exits_ends_no_thread(peer: Peer) -> None:
    for _ in range(5):  # more often than there are threads
        assert "SystemExit" in peer.call("leave")["error"]["message"]
    assert peer.call("add", [1])["result"] == 1


def test_a_notification_runs_and_is_not_answered(peer: Peer) -> None:
    reply = peer.post('{"jsonrpc":"2.0","method":"note","params":[7]}')
    assert (reply.status, reply.body) == (204, b"")
    assert peer.notified.result(TIMEOUT_S) == [7, None]


def test_a_batch_is_answered_with_a_batch(peer: Peer) -> None:
    calls = [{"jsonrpc": "2.0", "id": n, "method": "add", "params": [n]} for n in range(3)]
    assert [answer["result"] for answer in peer.post(json.dumps(calls)).json] == [0, 1, 2]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b'"\xed\xa0\x80"',
        b'{"jsonrpc":"2.0","id":1,"method":"echo","params":[NaN]}',
        b'{"jsonrpc":"2.0","id":1,"method":"echo","params":[1e999]}',
        b'{"jsonrpc":"2.0","id":1,"method":"echo","params":[' + b"9" * 50_000 + b"]}",
        b"[" * 90_000,
        b'{"jsonrpc":"2.0","id":1,"id":2,"method":"echo","params":[1]}',
        b'{"jsonrpc":"2.0","id":1,"method":"echo","params":[{"a":1,"a":2}]}',
    ],
)
def test_a_body_that_is_not_json_is_a_parse_error(peer: Peer, body: bytes) -> None:
    for _ in range(3):
        assert peer.post(body).json["error"]["code"] == -32700
    assert peer.call("add", [1])["result"] == 1


def test_half_a_surrogate_pair_comes_back_as_it_came(peer: Peer) -> None:
    assert peer.call("echo", ["\ud800"])["result"] == "\ud800"
    assert r"\ud800" in peer.call("\ud800")["error"]["message"]


def test_a_failed_view_shows_nothing_of_the_inside(peer: Peer) -> None:
    reply = peer.ask("GET", "/broken")
    assert reply.status == 500
    assert b"ZeroDivision" not in reply.body
    assert peer.ask("GET", "/set").json["error"]["code"] == "invalid-arguments"


def test_large_answers_are_compressed_if_the_client_can_take_it(peer: Peer) -> None:
    packed = peer.ask("GET", "/large", headers={"Accept-Encoding": "br, gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert json.loads(gzip.decompress(packed.body)) == "x" * 5000
    for accepted in ("", "br", "gzip;q=0"):
        assert peer.ask("GET", "/large", headers={"Accept-Encoding": accepted}).json == "x" * 5000


def test_small_answers_are_not_compressed(peer: Peer) -> None:
    assert "Content-Encoding" not in peer.ask("GET", "/ping", headers={"Accept-Encoding": "gzip"}).headers


def test_an_unknown_path_is_404_in_json(peer: Peer) -> None:
    for path in ("/none", "/api/1/", "/%0A", "/%ff"):
        reply = peer.ask("GET", path)
        assert (reply.status, reply.json["error"]["code"]) == (404, "unknown-method")


def test_a_person_gets_a_page_for_an_unknown_path(peer: Peer) -> None:
    reply = peer.ask("GET", "/%3Cscript%3E", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert reply.status == 404
    assert reply.headers["Content-Type"].startswith("text/html")
    assert b"&lt;script&gt;" in reply.body


@pytest.mark.parametrize(
    ("verb", "path", "allowed"),
    [
        ("PUT", "/api/1", "GET, HEAD, POST"),
        ("POST", "/ping", "GET, HEAD"),
        ("OPTIONS", "/api/1", "GET, HEAD, POST"),
    ],
)
def test_another_verb_is_405_and_says_what_is_allowed(peer: Peer, verb, path, allowed) -> None:
    reply = peer.ask(verb, path, b"")
    assert (reply.status, reply.headers["Allow"]) == (405, allowed)
    assert not [name for name in reply.headers if name.startswith("Access-Control")]


@pytest.mark.parametrize("path", ["/", "/ping", "/large", "/api/1", "/openapi.json", "/favicon.ico", "/none"])
def test_head_is_answered_as_get_is_but_without_a_body(peer: Peer, path: str) -> None:
    of_get, of_head = peer.ask("GET", path), peer.ask("HEAD", path)
    assert (of_head.status, of_head.body) == (of_get.status, b"")
    assert {**of_head.headers, "Date": ""} == {**of_get.headers, "Date": ""}
    with peer.connect() as client:
        client.sendall(f"HEAD {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: client.recv(65536), b""))
    assert answer.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
    ],
)
def test_a_page_of_another_site_calls_nothing(peer: Peer, headers: dict[str, str]) -> None:
    reply = peer.post('{"jsonrpc":"2.0","method":"note","params":[1]}', **headers)
    assert reply.status == 403
    assert not peer.notified.done()


def test_the_own_page_and_programs_may_call(peer: Peer) -> None:
    own = {"Origin": f"http://127.0.0.1:{peer.service.port}", "Sec-Fetch-Site": "same-origin"}
    for headers in (own, {"Sec-Fetch-Site": "none"}, {}):
        assert peer.post('{"jsonrpc":"2.0","id":1,"method":"add","params":[1]}', **headers).json["result"] == 1


def test_a_body_that_is_not_json_is_400_and_a_call_that_fails_is_not(peer: Peer) -> None:
    assert peer.post("{").status == 400
    assert peer.post("[]").status == 200
    assert peer.post('{"jsonrpc":"2.0","id":1,"method":"nothing"}').status == 200


def test_mistakes_of_clients_are_a_line_each_and_no_traceback(
    peer: Peer, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", "concurrent.transport.web"):
        for body in ('"method":"nothing"', '"method":"add","params":["x"]', '"method":"add","params":{"c":1}'):
            assert peer.post('{"jsonrpc":"2.0",' + body + "}").status == 204
        for body in ("{", "[]", '{"jsonrpc":"2.0","id":1,"method":"add","params":[1,2,3]}'):
            peer.post(body)
    assert [record.exc_info for record in caplog.records if "notification" in record.getMessage()] == [None] * 3
    assert "Traceback" not in caplog.text
    assert all("\n" not in record.getMessage() for record in caplog.records)


def test_a_flood_of_wrong_notifications_is_a_few_lines(peer: Peer, caplog: pytest.LogCaptureFixture) -> None:
    flood = "[" + ",".join(['{"jsonrpc":"2.0","method":"nothing"}'] * 500) + "]"
    with caplog.at_level("INFO", "concurrent.transport.web"):
        assert peer.post(flood).status == 204
    assert 0 < len(caplog.records) < 50


def test_a_notification_that_fails_by_no_fault_of_the_client_is_logged_with_its_traceback(
    peer: Peer, caplog: pytest.LogCaptureFixture
) -> None:
    peer.post('{"jsonrpc":"2.0","method":"fail"}')
    assert "KeyError" in caplog.text


@pytest.mark.parametrize(
    "kind",
    ["", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16"],
)
def test_a_body_of_another_type_is_415(peer: Peer, kind: str) -> None:
    body = b'{"jsonrpc":"2.0","method":"note","params":[1]}'
    reply = peer.ask("POST", "/api/1", body, {"Content-Type": kind})
    assert reply.status == 415
    assert not peer.notified.done()


def test_the_type_may_name_its_charset(peer: Peer) -> None:
    reply = peer.post("[1]", **{"Content-Type": 'Application/JSON; charset="UTF-8"'})
    assert reply.status == 200


@pytest.mark.parametrize("host", ["localhost", "localhost:99", "127.0.0.1:1", "[::1]:80", "LOCALHOST"])
def test_names_of_this_machine_are_accepted(peer: Peer, host: str) -> None:
    assert peer.ask("GET", "/ping", headers={"Host": host}).status == 200


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "10.0.0.1", "", "["])
def test_a_name_that_leads_here_from_elsewhere_is_403(peer: Peer, host: str) -> None:
    assert peer.ask("GET", "/ping", headers={"Host": host}).status == 403


def test_calls_and_failures_are_counted(peer: Peer) -> None:
    peer.call("add", [1])
    peer.call("fail")
    counts = peer.stats.snapshot()["counts"]
    assert (counts["transport.http_calls"], counts["transport.http_failures"]) == (2, 1)


def test_a_path_is_taken_by_one_view_only(peer: Peer) -> None:
    for path in ("/ping", "/api/1", "ping"):
        with pytest.raises(ConfigurationError, match="cannot be the path"):
            peer.service.add_view(path, dict, "")


def test_an_address_in_use_is_a_configuration_error(peer: Peer) -> None:
    with pytest.raises(ConfigurationError, match="cannot listen"):
        JSONService("second", port=peer.service.port).start()


def test_other_addresses_than_loopback_need_consent() -> None:
    with pytest.raises(ConfigurationError, match="allow_insecure"):
        JSONService("open", host="0.0.0.0").start()
    service = JSONService("open", host="0.0.0.0", allow_insecure=True)
    service.start()
    service.stop()


def test_no_socket_is_inherited_by_children(peer: Peer) -> None:
    with peer.connect() as client:
        client.sendall(b"GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert client.recv(100)
        sockets = [fd for fd, link in open_files().items() if "socket" in link]
        assert sockets
        assert not any(map(os.get_inheritable, sockets))
