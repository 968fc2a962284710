"""Works off what the API queued in Redis, and marks in PostgreSQL what is done."""

import json
import logging

import redis
import standin

from backend import database
from backend.settings import QUEUE, SUBSCRIBER_MARK, Settings


def main():
    standin.begin("backend-worker")
    settings = Settings()
    standin.wait_for("PostgreSQL", lambda: settings.connect().close())
    standin.wait_for("Redis", lambda: settings.redis().ping())
    standin.wait_for("the backend's tables", lambda: database.tables_exist(settings), seconds=60)
    logging.info("waiting for events")
    client = settings.redis()
    while True:
        try:
            client.set(SUBSCRIBER_MARK, "here", ex=30)
            event = client.brpop([QUEUE], timeout=5)
        except redis.RedisError as error:
            logging.error("Redis is lost: %s", type(error).__name__)
            standin.wait_for("Redis", lambda: settings.redis().ping())
            continue
        if event:
            handle(settings, json.loads(event[1]))


def handle(settings, event):
    with settings.connect() as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE workspaces SET indexed = true WHERE id = %s", (event["workspace"],))
    logging.info("indexed workspace %s", event["workspace"])
