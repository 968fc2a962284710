"""What the stand-in services share: settings, waiting for others, logging and a small HTTP server.

Nothing here prints a value of a setting: messages carry names only.
"""

import json
import logging
import os
import re
import signal
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

APP = Path("/app")


def begin(service):
    """Starts the log, takes a broken release seriously, and returns the release."""
    logging.basicConfig(
        stream=sys.stdout,
        level=logging.INFO,
        format="%(asctime)s %(levelname)s " + service + ": %(message)s",
    )
    release = (APP / "release").read_text().strip()
    logging.info("release %s starting", release)
    if (APP / "broken").exists():
        refuse("cannot start: this release is broken")
    # PID 1 has no default handlers: without these a stop takes until the kill.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    return release


def refuse(message):
    """Ends the program the way the vendor's images do when they cannot run."""
    logging.error("%s", message)
    sys.exit(1)


def require(*names):
    """Returns the named variables; a missing or empty one ends the program."""
    missing = [name for name in names if not os.environ.get(name, "").strip()]
    if missing:
        refuse("not set: " + ", ".join(missing))
    return [os.environ[name] for name in names]


def boolean(name, default=None):
    """Returns a variable that is exactly `True` or `False`."""
    text = os.environ.get(name, "") or default
    if text not in ("True", "False"):
        refuse(f"{name} has to be True or False")
    return text == "True"


def number(name, low, high, default=None):
    """Returns a variable that is a whole number within bounds."""
    text = os.environ.get(name, "") or str(default or "")
    if not re.fullmatch(r"\d{1,6}", text) or not low <= int(text) <= high:
        refuse(f"{name} has to be a number from {low} to {high}")
    return int(text)


def wait_for(what, probe, seconds=30):
    """Calls `probe` until it does not raise, at most for some seconds; then the program ends."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            result = probe()
        except Exception as error:  # noqa: BLE001 - each client library has its own errors
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            if time.monotonic() >= deadline:
                refuse(f"{what} does not answer: {reason}")
            logging.warning("waiting for %s: %s", what, reason)
            time.sleep(1)
        else:
            logging.info("connected to %s", what)
            return result


class Answer(Exception):
    """Ends a request early, with a status and a body."""

    def __init__(self, status, body):
        super().__init__(status)
        self.status = status
        self.body = body


class Api(BaseHTTPRequestHandler):
    """Serves `routes`, a list of (method, pattern, function of the request and the pattern's groups)."""

    protocol_version = "HTTP/1.1"
    server_version = "syntho"
    routes = ()

    def admit(self):
        """Raises an Answer when the request is not for us."""

    def json(self):
        """Returns the request's body as a JSON object."""
        try:
            body = json.loads(self.body)
        except ValueError as error:
            raise Answer(400, {"detail": "the body is not JSON"}) from error
        if not isinstance(body, dict):
            raise Answer(400, {"detail": "the body is not a JSON object"})
        return body

    def handle_any(self):
        """Finds the route and answers."""
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.extra_headers = {}
        path = self.path.partition("?")[0]
        try:
            self.admit()
            status, body = self.route(path)
        except Answer as answer:
            status, body = answer.status, answer.body
        except Exception:  # noqa: BLE001 - the client gets an answer, the log the reason
            logging.exception("%s %s failed", self.command, path)
            status, body = 500, {"detail": "internal error"}
        self.answer(status, body)
        logging.info('"%s %s" %s', self.command, path, status)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = handle_any

    def route(self, path):
        method = "GET" if self.command == "HEAD" else self.command
        allowed = [(wanted, match, function) for wanted, pattern, function in self.routes if (match := re.fullmatch(pattern, path))]
        for wanted, match, function in allowed:
            if wanted == method:
                return function(self, *match.groups())
        return (405, {"detail": "method not allowed"}) if allowed else (404, {"detail": "not found"})

    def answer(self, status, body):
        kind = "text/html; charset=utf-8" if isinstance(body, str) else "application/json"
        data = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        for name, value in self.extra_headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def log_message(self, *_):
        """Silences the base class, which would log query strings."""


class Server(ThreadingHTTPServer):
    """A server whose threads never keep the process alive."""

    daemon_threads = True
    request_queue_size = 64


def serve(port, handler):
    """Serves on all addresses until the program is told to stop."""
    with Server(("0.0.0.0", port), handler) as server:
        logging.info("listening on port %s", port)
        server.serve_forever()
