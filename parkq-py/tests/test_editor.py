"""The editor's server: whom it answers, and what it keeps."""

import http.client
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import parkq
import pytest
from parkq import _editor

SPACE = {"id": "A1", "quad": [[0.1, 0.5], [0.2, 0.5], [0.2, 0.8], [0.1, 0.8]]}
LOT = {"version": 1, "spaces": [SPACE]}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[_editor.Server]:
    subject = _editor.Subject(
        picture=b"\xff\xd8 stands for an anonymized picture",
        size=(640, 480),
        lot=parkq.Lot(name="north"),
        path=tmp_path / "north.lot.json",
        importers={"parkq": parkq.Lot.from_json},
        propose=lambda _: [SPACE["quad"]],  # type: ignore[list-item]
    )
    server = _editor.Server(subject)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def ask(
    server: _editor.Server, path: str, body: object = None, **headers: str
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    text = None if body is None else body if isinstance(body, str) else json.dumps(body)
    connection.request("GET" if text is None else "POST", path, text, headers)
    answer = connection.getresponse()
    result = answer.status, dict(answer.getheaders()), answer.read()
    connection.close()
    return result


@pytest.fixture
def cookie(server: _editor.Server) -> str:
    status, headers, _ = ask(server, server.url.partition(str(server.server_port))[2])
    assert (status, headers["Location"]) == (303, "/")
    assert "HttpOnly" in headers["Set-Cookie"] and "SameSite=Strict" in headers["Set-Cookie"]
    return headers["Set-Cookie"].partition(";")[0]


def test_it_listens_on_this_machine_only(server: _editor.Server) -> None:
    assert server.server_address[0] == "127.0.0.1"
    assert server.url.startswith("http://127.0.0.1:")


def test_the_token_opens_once(server: _editor.Server) -> None:
    path = server.url.partition(str(server.server_port))[2]
    assert ask(server, "/?token=guess")[0] == 403
    assert ask(server, path)[0] == 303
    assert ask(server, path)[0] == 403


@pytest.mark.parametrize(
    "path", ["/", "/?token=", "/picture", "/state", "/editor.js", "/nothing", "//", "/..%2f"]
)
def test_without_the_cookie_there_is_nothing(server: _editor.Server, path: str) -> None:
    assert ask(server, path)[0] == 403
    assert ask(server, path, Cookie="parkq=guess")[0] == 403
    assert ask(server, path, "{}")[0] == 403


def test_other_sites_are_refused(server: _editor.Server, cookie: str) -> None:
    assert ask(server, "/state", Cookie=cookie)[0] == 200
    port = server.server_port
    # A name that was made to mean this machine; the port alone proves nothing.
    for host in ("evil.example", f"evil.example:{port}", f"127.0.0.1.evil.example:{port}", ""):
        assert ask(server, "/state", Cookie=cookie, Host=host)[0] == 403
    for origin in ("null", f"https://127.0.0.1:{port}", f"http://127.0.0.1:{port + 1}"):
        assert ask(server, "/save", LOT, Cookie=cookie, Origin=origin)[0] == 403
    assert ask(server, "/save", LOT, Cookie=cookie, Origin="http://evil.example")[0] == 403
    assert not server.subject.path.exists()


def test_nothing_comes_from_elsewhere(server: _editor.Server, cookie: str) -> None:
    for path in ("/", "/editor.js", "/editor.css", "/picture"):
        status, headers, body = ask(server, path, Cookie=cookie)
        assert status == 200 and headers["Cache-Control"] == "no-store"
        assert headers["Content-Security-Policy"].startswith(
            "default-src 'none'; script-src 'self'"
        )
        text = body.decode("latin-1").replace("http://www.w3.org/2000/svg", "")
        assert "http:" not in text and "https:" not in text and "//cdn" not in text


def test_a_good_lot_is_saved_whole(server: _editor.Server, cookie: str) -> None:
    status, _, body = ask(server, "/save", LOT, Cookie=cookie)
    assert (status, json.loads(body)) == (200, {"path": str(server.subject.path)})
    assert parkq.Lot.from_json(server.subject.path.read_text()).to_dict() == LOT
    assert [p.name for p in server.subject.path.parent.iterdir()] == [server.subject.path.name]


def test_a_bad_lot_is_not(server: _editor.Server, cookie: str) -> None:
    ask(server, "/save", LOT, Cookie=cookie)
    twice = {"version": 1, "spaces": [SPACE, SPACE]}
    for body in (twice, "nonsense", "[]"):
        status, _, answer = ask(server, "/save", body, Cookie=cookie)
        assert status == 422 and json.loads(answer)["error"].startswith("lot: ")
    assert parkq.Lot.from_json(server.subject.path.read_text()).to_dict() == LOT


def test_the_helpers_answer(server: _editor.Server, cookie: str) -> None:
    state = json.loads(ask(server, "/state", Cookie=cookie)[2])
    assert state["size"] == [640, 480] and state["formats"] == ["parkq"]
    row = json.loads(ask(server, "/row", {"quad": SPACE["quad"], "count": 4}, Cookie=cookie)[2])
    assert len(row["quads"]) == 4
    read = json.loads(ask(server, "/import?format=parkq", LOT, Cookie=cookie)[2])
    assert read["lot"] == LOT
    assert json.loads(ask(server, "/propose", LOT, Cookie=cookie)[2])["quads"] == [SPACE["quad"]]
    for path, body in (
        ("/row", {"quad": SPACE["quad"], "count": 0}),
        ("/row", {"quad": SPACE["quad"]}),
        ("/row", "[]"),
        ("/import?format=x", LOT),
        ("/import", LOT),
        ("/propose", "x"),
    ):
        assert ask(server, path, body, Cookie=cookie)[0] == 422
    assert ask(server, "/nothing", {}, Cookie=cookie)[0] == 404


@pytest.mark.parametrize(
    "path",
    [
        "/../../etc/passwd",
        "/%2e%2e/_cli.py",
        "/__init__.py",
        "/page.html",
        "/editor.js/..",
        "//etc",
    ],
)
def test_no_other_file_is_served(server: _editor.Server, cookie: str, path: str) -> None:
    assert ask(server, path, Cookie=cookie)[0] == 404


def test_a_huge_body_is_refused_unread(server: _editor.Server, cookie: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    connection.putrequest("POST", "/save")
    connection.putheader("Cookie", cookie)
    connection.putheader("Content-Length", str(1 << 40))
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()


def test_quit_is_answered(server: _editor.Server, cookie: str) -> None:
    assert ask(server, "/quit", "", Cookie=cookie)[::2] == (200, b"{}")


def test_a_link_stays_one_and_no_draft_is_left(server: _editor.Server, cookie: str) -> None:
    link = server.subject.path
    real = link.with_name("real.json")
    link.symlink_to(real)
    assert ask(server, "/save", LOT, Cookie=cookie)[0] == 200
    assert link.is_symlink() and len(parkq.Lot.from_json(real.read_text())) == 1
    real.unlink()
    real.mkdir()
    assert ask(server, "/save", LOT, Cookie=cookie)[0] == 422
    assert sorted(path.name for path in link.parent.iterdir()) == [link.name, real.name]


def test_nonsense_is_an_answer(server: _editor.Server, cookie: str) -> None:
    assert ask(server, "/row", "[" * 100_000, Cookie=cookie)[0] == 422
    headers = {"Cookie": cookie, "Content-Length": "9" * 5000}
    assert ask(server, "/row", "", **headers)[0] == 413
