"""Serves the web interface on PORT and passes /api/ on to BACKEND_HOST, under the Host header of the backend."""

import http.client
import logging
import os
import re
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

APP = Path(__file__).parent
# These belong to one connection, not to the message; the length is set anew.
NOT_PASSED_ON = {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "host", "content-length"}


class Frontend(BaseHTTPRequestHandler):
    """One page for every path, except what belongs to the backend."""

    protocol_version = "HTTP/1.1"
    server_version = "syntho"

    def handle_any(self):
        path = self.path.partition("?")[0]
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if path.startswith("/api/"):
            status = self.pass_on(body)
        elif self.command in ("GET", "HEAD"):
            status = self.answer(200, [("Content-Type", "text/html; charset=utf-8")], self.page)
        else:
            status = self.answer(405, [], b"")
        logging.info('"%s %s" %s', self.command, path, status)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = handle_any

    def pass_on(self, body):
        headers = {name: value for name, value in self.headers.items() if name.lower() not in NOT_PASSED_ON}
        headers["Host"] = self.backend
        headers["X-Forwarded-Host"] = self.headers.get("Host", "")
        headers["X-Forwarded-For"] = self.client_address[0]
        connection = http.client.HTTPConnection(self.backend, timeout=120)
        try:
            connection.request(self.command, self.path, body or None, headers)
            response = connection.getresponse()
            data = response.read()
        except (OSError, http.client.HTTPException) as error:
            logging.error("backend %s does not answer: %s", self.backend, error)
            return self.answer(502, [("Content-Type", "application/json")], b'{"detail": "the backend does not answer"}')
        finally:
            connection.close()
        passed = [(name, value) for name, value in response.getheaders() if name.lower() not in NOT_PASSED_ON | {"server", "date"}]
        return self.answer(response.status, passed, data)

    def answer(self, status, headers, data):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)
        return status

    def log_message(self, *_):
        """Silences the base class, which would log query strings."""


def main():
    release = (APP / "release").read_text().strip()
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(asctime)s %(levelname)s frontend: %(message)s")
    logging.info("release %s starting in %s mode", release, os.environ.get("NODE_ENV") or "production")
    if (APP / "broken").exists():
        sys.exit("frontend: cannot start: this release is broken")
    port = os.environ.get("PORT") or "3000"
    if not re.fullmatch(r"\d{1,5}", port):
        sys.exit("frontend: PORT has to be a port number")
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    Frontend.backend = os.environ.get("BACKEND_HOST") or "backend:8000"
    Frontend.page = (APP / "index.html").read_text().replace("@RELEASE@", release).encode()
    ThreadingHTTPServer.daemon_threads = True
    with ThreadingHTTPServer(("0.0.0.0", int(port)), Frontend) as server:
        logging.info("listening on port %s, backend at %s", port, Frontend.backend)
        server.serve_forever()


if __name__ == "__main__":
    main()
