"""Drawing a lot in the browser, over the anonymized picture.

The server listens on 127.0.0.1 only. Its address holds a token that opens the page once, for one
browser, which gets a cookie in exchange; no request without that cookie is answered, nor one that
another site's page made. The page loads nothing from anywhere else.
"""

from __future__ import annotations

import hmac
import json
import secrets
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from socketserver import TCPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import parkq

_FILES = {
    "/": ("page.html", "text/html; charset=utf-8"),
    "/editor.css": ("editor.css", "text/css; charset=utf-8"),
    "/editor.js": ("editor.js", "text/javascript; charset=utf-8"),
}
_LARGEST_BODY = 16 << 20
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

Quad = list[list[float]]


@dataclass
class Subject:
    """What is edited."""

    picture: bytes
    """The anonymized picture, a JPEG."""
    size: tuple[int, int]
    """Its width and height, pixels."""
    lot: parkq.Lot
    """The lot to begin with."""
    path: Path
    """Where it is saved."""
    importers: dict[str, Callable[[str], parkq.Lot]]
    """Other programs' lot files: each format's name, and what reads its text."""
    propose: Callable[[parkq.Lot], list[Quad]]
    """Outlines of spaces that the lot lacks, relative."""


class Server(ThreadingHTTPServer):
    """Serves one subject to one browser."""

    daemon_threads = True
    # On Windows the option would let another program listen on the same port.
    allow_reuse_address = sys.platform != "win32"

    def __init__(self, subject: Subject, port: int = 0) -> None:
        """Bind to 127.0.0.1; port 0 is any free one."""
        super().__init__(("127.0.0.1", port), _Handler)
        self.subject = subject
        self.lock = threading.Lock()
        self._token: str | None = secrets.token_urlsafe(32)
        self._session = secrets.token_urlsafe(32)

    def server_bind(self) -> None:
        """Bind as a TCP server does: HTTPServer asks the name service for the address' name."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    @property
    def url(self) -> str:
        """The address with the token; it works once."""
        return f"http://127.0.0.1:{self.server_port}/?token={self._token}"

    def exchange(self, token: str) -> str | None:
        """Return the session for the token, the first time it is shown."""
        with self.lock:
            known = self._token
            if known is None or not hmac.compare_digest(token.encode(), known.encode()):
                return None
            self._token = None
            return self._session

    def knows(self, cookie: str) -> bool:
        """Whether a Cookie header holds the session."""
        pairs = (part.strip().partition("=") for part in cookie.split(";"))
        values = [value for name, _, value in pairs if name == self._cookie_name]
        return any(hmac.compare_digest(v.encode(), self._session.encode()) for v in values)

    @property
    def _cookie_name(self) -> str:
        # Cookies are shared by all ports of a host.
        return f"parkq-{self.server_port}"

    def cookie(self, session: str) -> str:
        """Return the Set-Cookie header's value."""
        return f"{self._cookie_name}={session}; HttpOnly; SameSite=Strict; Path=/"


class _Handler(BaseHTTPRequestHandler):
    server: Server
    server_version = "parkq"
    sys_version = ""

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        token = parse_qs(url.query).get("token")
        if not self._is_ours():
            self._refuse()
        elif url.path == "/" and token:
            session = self.server.exchange(token[0])
            if session is None:
                self._refuse()
            else:
                self._answer(
                    HTTPStatus.SEE_OTHER,
                    "text/plain",
                    b"",
                    {"Location": "/", "Set-Cookie": self.server.cookie(session)},
                )
        elif not self.server.knows(self.headers.get("Cookie", "")):
            self._refuse()
        elif url.path in _FILES:
            name, kind = _FILES[url.path]
            self._answer(HTTPStatus.OK, kind, files(__package__).joinpath(name).read_bytes())
        elif url.path == "/picture":
            self._answer(HTTPStatus.OK, "image/jpeg", self.server.subject.picture)
        elif url.path == "/state":
            subject = self.server.subject
            state = {
                "lot": subject.lot.to_dict(),
                "size": subject.size,
                "path": str(subject.path),
                "formats": list(subject.importers),
            }
            self._json(HTTPStatus.OK, state)
        else:
            self._json(HTTPStatus.NOT_FOUND, {"error": f"there is no {url.path}"})

    def do_POST(self) -> None:
        url = urlsplit(self.path)
        actions = {
            "/save": self._save,
            "/row": self._row,
            "/import": self._import,
            "/propose": self._propose,
            "/quit": self._quit,
        }
        if not self._is_ours() or not self.server.knows(self.headers.get("Cookie", "")):
            self._refuse()
            return
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or len(length) > 9 or int(length) > _LARGEST_BODY:
            problem = f"a body of {length or 'unknown'} bytes, at most {_LARGEST_BODY} are read"
            self._json(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, {"error": problem})
            self.close_connection = True
            return
        action = actions.get(url.path)
        if action is None:
            self._json(HTTPStatus.NOT_FOUND, {"error": f"there is no {url.path}"})
            return
        try:
            body = self.rfile.read(int(length)).decode()
            self._json(HTTPStatus.OK, action(body, parse_qs(url.query)))
        except (ValueError, KeyError, TypeError, OSError, RecursionError) as error:
            self._json(HTTPStatus.UNPROCESSABLE_ENTITY, {"error": str(error)})
        if url.path == "/quit":
            # Not before it is answered: this thread ends with the program.
            threading.Thread(target=self.server.shutdown).start()

    def _save(self, body: str, _query: dict[str, list[str]]) -> dict[str, Any]:
        lot = parkq.Lot.from_json(body)
        path = self.server.subject.path.resolve()
        with self.server.lock:
            # A lot file is whole at any time, whatever happens here.
            draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
            try:
                draft.write_text(lot.to_json() + "\n", encoding="utf-8")
                draft.replace(path)
            except OSError:
                draft.unlink(missing_ok=True)
                raise
            self.server.subject.lot = lot
        return {"path": str(path)}

    def _row(self, body: str, _query: dict[str, list[str]]) -> dict[str, Any]:
        asked = json.loads(body)
        return {"quads": parkq.row(asked["quad"], asked["count"])}

    def _import(self, body: str, query: dict[str, list[str]]) -> dict[str, Any]:
        importer = self.server.subject.importers[query["format"][0]]
        return {"lot": importer(body).to_dict()}

    def _propose(self, body: str, _query: dict[str, list[str]]) -> dict[str, Any]:
        return {"quads": self.server.subject.propose(parkq.Lot.from_json(body))}

    def _quit(self, _body: str, _query: dict[str, list[str]]) -> dict[str, Any]:
        return {}

    def _is_ours(self) -> bool:
        """Whether the browser asked this very address, from a page of it or from none."""
        port = self.server.server_port
        hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
        origin = self.headers.get("Origin")
        return self.headers.get("Host") in hosts and (
            origin is None or origin.removeprefix("http://") in hosts
        )

    def _refuse(self) -> None:
        problem = "this page opens once, by the address that parkq printed"
        self._answer(HTTPStatus.FORBIDDEN, "text/plain; charset=utf-8", problem.encode())
        self.close_connection = True

    def _json(self, status: HTTPStatus, value: dict[str, Any]) -> None:
        self._answer(status, "application/json", json.dumps(value).encode())

    def _answer(
        self, status: HTTPStatus, kind: str, body: bytes, more: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        about = {"Content-Type": kind, "Content-Length": str(len(body))}
        for name, value in (_HEADERS | about | (more or {})).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the address holds the token."""


def propose(vehicles: list[parkq.Detection], lot: parkq.Lot, size: tuple[int, int]) -> list[Quad]:
    """Return the ground under each vehicle that stands on no known space, relative.

    A box says where a vehicle is, not how it stands: the lower half of the box, a little narrower
    at the top, is a beginning that is corrected by hand.
    """
    width, height = size
    spaces = [space.quad for space in lot.spaces]
    quads: list[Quad] = []
    for vehicle in vehicles:
        x, y, w, h = vehicle.rect
        left, right = max(x / width, 0.0), min((x + w) / width, 1.0)
        top, bottom = max((y + h / 2) / height, 0.0), min((y + h) / height, 1.0)
        middle = ((left + right) / 2, (top + bottom) / 2)
        if any(_contains(quad, middle) for quad in spaces):
            continue
        inset = (right - left) / 10
        quads.append([[left + inset, top], [right - inset, top], [right, bottom], [left, bottom]])
    return quads


def _contains(quad: tuple[tuple[float, float], ...], point: tuple[float, float]) -> bool:
    """Whether a polygon contains a point: the crossings of a ray, even or odd."""
    x, y = point
    inside = False
    for (ax, ay), (bx, by) in zip(quad, quad[1:] + quad[:1], strict=True):
        if (ay > y) != (by > y) and x < (bx - ax) * (y - ay) / (by - ay) + ax:
            inside = not inside
    return inside
