"""Reads and checks the container's variables, and waits for everything they point to."""

import base64
import binascii
import hashlib
import hmac
import logging
import os
import re
import socket
from urllib.parse import unquote

import psycopg2
import redis
import standin

from app import raytask

DRIVER = "postgresql+asyncpg://"
RAY_CLIENT_PORT = 10001
SCHEMA = """
CREATE TABLE IF NOT EXISTS core_state (key text PRIMARY KEY, value text NOT NULL);
CREATE TABLE IF NOT EXISTS core_jobs (
    id uuid PRIMARY KEY, state text NOT NULL, result jsonb, created timestamptz NOT NULL DEFAULT now()
);
"""


class Settings:
    """The checked variables."""

    def __init__(self):
        self.database = database_arguments(*standin.require("DATABASE_URL"))
        self.key = fernet_key("SECRET_KEY")
        if os.environ.get("SECRET_KEY_2"):
            fernet_key("SECRET_KEY_2")
        self.broker, self.results = standin.require("CELERY_BROKER_URL", "CELERY_RESULT_BACKEND")
        for name, url in (("CELERY_BROKER_URL", self.broker), ("CELERY_RESULT_BACKEND", self.results)):
            if not re.match(r"rediss?://", url):
                standin.refuse(f"{name} has to begin with redis://")
        self.redis_host, _, _ = standin.require("REDIS_HOST", "REDIS_PORT", "LICENSE_KEY_SIGNED")
        self.redis_port = standin.number("REDIS_PORT", 1, 65535)
        self.environment = os.environ.get("APP_ENV") or "prod"
        if self.environment not in ("prod", "dev"):
            standin.refuse("APP_ENV has to be prod or dev")
        self.ray = ray_address(self.environment)

    def connect(self):
        """Opens a connection to PostgreSQL."""
        return psycopg2.connect(**self.database, connect_timeout=3)

    def redis(self):
        """Returns a client of the Redis that Ray jobs report to."""
        return redis.Redis(self.redis_host, self.redis_port, socket_timeout=3, socket_connect_timeout=3)

    def reach_ray(self):
        """Opens the client port, without a Ray session."""
        socket.create_connection((self.ray, RAY_CLIENT_PORT), timeout=3).close()

    def wait_for_all(self):
        """Connects to everything once, or ends the program."""
        standin.wait_for("PostgreSQL", self.prepare_database)
        standin.wait_for("Redis", lambda: self.redis().ping())
        standin.wait_for("the broker", lambda: redis.Redis.from_url(self.broker, socket_connect_timeout=3).ping())
        if self.ray:
            standin.wait_for("Ray's client port", self.reach_ray)
            nodes = standin.wait_for("Ray", lambda: raytask.in_process(self.ray, "nodes"))
            logging.info("Ray %s has %s node(s): %s", nodes["ray_version"], len(nodes["nodes"]), ", ".join(sorted(nodes["nodes"])))

    def prepare_database(self):
        """Creates the tables, and makes sure that what they hold belongs to our key."""
        mark = hmac.new(self.key, b"core", hashlib.sha256).hexdigest()
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(1)")
            cursor.execute(SCHEMA)
            cursor.execute("INSERT INTO core_state VALUES ('key-mark', %s) ON CONFLICT DO NOTHING", (mark,))
            cursor.execute("SELECT value FROM core_state WHERE key = 'key-mark'")
            known = cursor.fetchone()[0]
        if not hmac.compare_digest(known, mark):
            standin.refuse("SECRET_KEY is not the key that the stored data was encrypted with")


def database_arguments(url):
    """Takes a URL apart as SQLAlchemy does: user and password end at the first `@`, and are percent-decoded."""
    if not url.startswith(DRIVER):
        standin.refuse(f"DATABASE_URL has to begin with {DRIVER}")
    login, at, place = url.removeprefix(DRIVER).partition("@")
    user, colon, password = login.partition(":")
    match = re.fullmatch(r"([^/:]+)(?::(\d+))?/(.+)", place)
    if not (at and user and colon and match):
        standin.refuse("DATABASE_URL has to name user, password, host and database")
    host, port, name = match.groups()
    return {"host": host, "port": int(port or 5432), "user": unquote(user), "password": unquote(password), "dbname": name}


def fernet_key(name):
    """Returns the 32 bytes of a Fernet key."""
    (text,) = standin.require(name)
    try:
        key = base64.b64decode(text.encode(), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError, ValueError):
        key = b""
    if len(key) != 32:
        standin.refuse(f"{name} has to be a Fernet key: 32 bytes in URL-safe base64")
    return key


def ray_address(environment):
    """Returns the head's address: bare, because scheme and ports are put around it."""
    address = os.environ.get("RAY_ADDRESS", "").strip()
    if not address and environment == "prod":
        standin.refuse("not set: RAY_ADDRESS")
    if address and not re.fullmatch(r"[A-Za-z0-9._-]+", address):
        standin.refuse("RAY_ADDRESS has to be a host name or an address, without scheme and port")
    return address
