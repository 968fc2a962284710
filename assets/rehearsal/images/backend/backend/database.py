"""The backend's tables, accounts and sessions in PostgreSQL."""

import hashlib
import hmac
import logging
import secrets

import standin

# Each release adds to the end and takes nothing away, so the release before still runs on the newer tables.
MIGRATIONS = (
    ("1.9.0", "CREATE TABLE users (id serial PRIMARY KEY, name text NOT NULL, email text NOT NULL UNIQUE, password text NOT NULL)"),
    ("1.9.0", "CREATE TABLE sessions (mark text PRIMARY KEY, user_id int NOT NULL REFERENCES users, created timestamptz DEFAULT now())"),
    ("1.9.0", "CREATE TABLE workspaces (id serial PRIMARY KEY, name text NOT NULL UNIQUE, indexed boolean NOT NULL DEFAULT false)"),
    ("1.10.0", "ALTER TABLE workspaces ADD COLUMN note text NOT NULL DEFAULT ''"),
)
ROUNDS = 100_000


def as_numbers(release):
    return tuple(int(part) for part in release.split("."))


def migrate(settings, release):
    """Brings the tables to this release; several containers may try at once."""
    with settings.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(2)")
        cursor.execute("CREATE TABLE IF NOT EXISTS migrations (number int PRIMARY KEY, applied timestamptz DEFAULT now())")
        cursor.execute("SELECT coalesce(max(number), 0) FROM migrations")
        done = cursor.fetchone()[0]
        for count, (since, statement) in enumerate(MIGRATIONS, start=1):
            if count > done and as_numbers(since) <= as_numbers(release):
                cursor.execute(statement)
                cursor.execute("INSERT INTO migrations (number) VALUES (%s)", (count,))
                logging.info("applied migration %s", count)
    logging.info("database is up to date")


def tables_exist(settings):
    """Raises until the API has made the tables."""
    with settings.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM workspaces")


def hash_password(password, salt=None):
    salt = salt or secrets.token_hex(8)
    return f"pbkdf2_sha256${ROUNDS}${salt}$" + hashlib.pbkdf2_hmac("sha256", password.encode(), salt.encode(), ROUNDS).hex()


def create_administrator(settings):
    """Creates the first account; an existing one keeps the password that it has."""
    with settings.connect() as connection, connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO users (name, email, password) VALUES (%s, %s, %s) ON CONFLICT (email) DO NOTHING",
            (settings.user_name, settings.user_email.lower(), hash_password(settings.user_password)),
        )
        logging.info("administrator %s", "created" if cursor.rowcount else "is already there")


def session_mark(settings, token):
    """Returns what is stored of a token: without the token and our key it opens nothing."""
    return hmac.new(settings.key, token.encode(), hashlib.sha256).hexdigest()


def log_in(settings, email, password):
    """Returns a new session's token and its user, or ends the request."""
    with settings.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT id, name, email, password FROM users WHERE email = %s", (email.lower(),))
        row = cursor.fetchone()
        salt = row[3].split("$")[2] if row else None
        # An unknown name costs as much time as a wrong password.
        right = hmac.compare_digest(hash_password(password, salt), row[3] if row else "")
        if not right:
            raise standin.Answer(401, {"detail": "unknown e-mail address or wrong password"})
        token = secrets.token_urlsafe(32)
        cursor.execute("INSERT INTO sessions (mark, user_id) VALUES (%s, %s)", (session_mark(settings, token), row[0]))
    return token, {"name": row[1], "email": row[2]}


def session_user(settings, token):
    """Returns the user of a token, or ends the request."""
    with settings.connect() as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, email FROM users JOIN sessions ON user_id = id WHERE mark = %s", (session_mark(settings, token),)
        )
        row = cursor.fetchone()
    if row is None:
        raise standin.Answer(401, {"detail": "log in first"})
    return {"name": row[0], "email": row[1]}
