"""The backend's API: documentation, login, workspaces, jobs, and the state of what it depends on."""

import json
import logging
import urllib.error
import urllib.request

import psycopg2
import standin

from backend import database
from backend.settings import QUEUE, SUBSCRIBER_MARK, ApiSettings

DOCS = """<!doctype html><title>Syntho API</title><h1>Syntho API</h1>
<ul><li>GET /api/v1/live/<li>GET /api/v1/status/<li>POST /api/v1/auth/login/ {"email", "password"}<li>GET /api/v1/users/me/
<li>GET, POST /api/v1/workspaces/<li>POST /api/v1/jobs/<li>GET /api/v1/jobs/ID/</ul>
"""


def live(api):
    return 200, {"status": "live", "version": api.release}


def docs(_api):
    return 200, DOCS


def ask(url, method="GET", seconds=5):
    """Returns status and JSON of another service."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=seconds) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def status(api):
    """Looks at everything the backend depends on, now."""
    settings = api.settings
    probes = {
        "database": lambda: settings.connect().close(),
        "redis": lambda: settings.redis().ping(),
        "subscriber": lambda: settings.redis().get(SUBSCRIBER_MARK) or 1 / 0,
        "engine": lambda: ask(settings.engine_url.rstrip("/") + "/v1/status")[0] == 200 or 1 / 0,
    }
    if settings.ray_url:
        probes["ray"] = lambda: ask(settings.ray_url.rstrip("/") + "/api/version")[1]["ray_version"]
    found = {}
    for part, probe in probes.items():
        try:
            probe()
            found[part] = "ok"
        except Exception:  # noqa: BLE001 - whatever it is, the part does not answer
            found[part] = "unreachable"
    well = set(found.values()) == {"ok"}
    return 200 if well else 503, {"status": "ok" if well else "degraded", "version": api.release, **found}


def log_in(api):
    body = api.json()
    email, password = body.get("email"), body.get("password")
    if not isinstance(email, str) or not isinstance(password, str):
        return 400, {"detail": "email and password are needed"}
    token, user = database.log_in(api.settings, email, password)
    secure = "; Secure" if api.settings.secure_cookies else ""
    api.extra_headers["Set-Cookie"] = f"sessionid={token}; HttpOnly; Path=/; SameSite=Lax{secure}"
    return 200, {"token": token, "user": user}


def me(api):
    return 200, api.user()


def list_workspaces(api):
    api.user()
    with api.settings.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT id, name, indexed FROM workspaces ORDER BY id")
        rows = cursor.fetchall()
    return 200, [{"id": number, "name": name, "indexed": indexed} for number, name, indexed in rows]


def create_workspace(api):
    api.user()
    name = api.json().get("name")
    if not isinstance(name, str) or not name:
        return 400, {"detail": "name is needed"}
    try:
        with api.settings.connect() as connection, connection.cursor() as cursor:
            cursor.execute("INSERT INTO workspaces (name) VALUES (%s) RETURNING id", (name,))
            number = cursor.fetchone()[0]
    except psycopg2.errors.UniqueViolation:
        return 409, {"detail": "there is a workspace of that name"}
    api.settings.redis().lpush(QUEUE, json.dumps({"workspace": number}))
    return 201, {"id": number, "name": name, "indexed": False}


def start_job(api):
    api.user()
    return ask(api.settings.engine_url.rstrip("/") + "/v1/jobs", "POST")


def show_job(api, job):
    api.user()
    return ask(api.settings.engine_url.rstrip("/") + "/v1/jobs/" + job)


class BackendApi(standin.Api):
    """The routes of the backend, for the allowed Host headers only."""

    routes = (
        ("GET", r"/api/docs/?", docs),
        ("GET", r"/api/v1/live/?", live),
        ("GET", r"/api/v1/status/?", status),
        ("POST", r"/api/v1/auth/login/?", log_in),
        ("GET", r"/api/v1/users/me/?", me),
        ("GET", r"/api/v1/workspaces/?", list_workspaces),
        ("POST", r"/api/v1/workspaces/?", create_workspace),
        ("POST", r"/api/v1/jobs/?", start_job),
        ("GET", r"/api/v1/jobs/([0-9a-f-]{36})/?", show_job),
    )

    def admit(self):
        host = (self.headers.get("Host") or "").rsplit(":", 1)[0].lower()
        if host not in self.settings.allowed_hosts:
            logging.error("Invalid HTTP_HOST header: %r. It may have to be added to EXTRA_ALLOWED_HOSTS", host)
            raise standin.Answer(400, "<h1>Bad Request (400)</h1>")
        self.extra_headers["Access-Control-Allow-Origin"] = self.settings.frontend_url

    def user(self):
        """Returns the user whose token came with the request."""
        kind, _, token = (self.headers.get("Authorization") or "").partition(" ")
        if kind != "Bearer" or not token:
            cookies = dict(part.strip().partition("=")[::2] for part in (self.headers.get("Cookie") or "").split(";"))
            token = cookies.get("sessionid", "")
        return database.session_user(self.settings, token)


def main():
    BackendApi.release = standin.begin("backend")
    settings = BackendApi.settings = ApiSettings()
    logging.info("frontend at %s, allowed hosts: %s", settings.frontend_url, " ".join(settings.allowed_hosts) or "none")
    standin.wait_for("PostgreSQL", lambda: settings.connect().close())
    standin.wait_for("Redis", lambda: settings.redis().ping())
    database.migrate(settings, BackendApi.release)
    database.create_administrator(settings)
    standin.serve(8000, BackendApi)
