"""Reads and checks the container's variables."""

import logging
import os
from urllib.parse import urlsplit

import psycopg2
import redis
import standin

QUEUE = "backend:events"
SUBSCRIBER_MARK = "backend:subscriber"


class Settings:
    """What the API and the subscriber both read."""

    def __init__(self):
        host, name, user, password, key, self.redis_host = standin.require(
            "DB_HOST", "DB_NAME", "DB_USER", "DB_PASSWORD", "SECRET_KEY", "REDIS_HOST"
        )
        port = standin.number("DB_PORT", 1, 65535, 5432)
        self.database = {"host": host, "port": port, "dbname": name, "user": user, "password": password}
        self.key = key.encode()
        if key.startswith("${"):
            logging.warning("SECRET_KEY is the text of a variable, not its value: every installation would share it")
        self.redis_port = standin.number("REDIS_PORT", 1, 65535, 6379)
        self.redis_index = standin.number("REDIS_DB_INDEX", 0, 15, 0)
        self.frontend_url, self.engine_url, _ = standin.require("FRONTEND_URL", "SYNTHO_ENGINE_URL", "SYNTHO_WEBSOCKET_URL")
        if urlsplit(self.frontend_url).scheme not in ("http", "https") or not urlsplit(self.frontend_url).hostname:
            standin.refuse("FRONTEND_URL has to be http:// or https:// and a host")
        self.production = standin.boolean("DJANGO_PRODUCTION", "True")

    def connect(self):
        """Opens a connection to PostgreSQL."""
        return psycopg2.connect(**self.database, connect_timeout=3)

    def redis(self):
        """Returns a client of Redis."""
        return redis.Redis(self.redis_host, self.redis_port, self.redis_index, socket_timeout=15, socket_connect_timeout=3)


class ApiSettings(Settings):
    """What only the API reads."""

    def __init__(self):
        super().__init__()
        self.user_name, self.user_password, self.user_email = standin.require("USER_NAME", "USER_PASSWORD", "USER_EMAIL")
        if len(self.user_password) < 8:
            standin.refuse("USER_PASSWORD has to have 8 characters or more")
        if "@" not in self.user_email:
            standin.refuse("USER_EMAIL has to be an e-mail address")
        self.secure_cookies = standin.boolean("SECURE_COOKIES", "False")
        self.data_access = standin.boolean("DATA_ACCESS", "True")
        self.workers = standin.number("WORKERS", 1, 256, 2)
        self.ray_url = os.environ.get("RAY_URL", "")
        self.allowed_hosts = os.environ.get("EXTRA_ALLOWED_HOSTS", "").split()
        if self.secure_cookies and self.frontend_url.startswith("http://"):
            logging.warning("SECURE_COOKIES is True and FRONTEND_URL is plain http: browsers will not send the cookies back")
