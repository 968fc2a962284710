"""The Core API: its status, and jobs that run on Ray."""

import json
import logging
import threading
import time
import uuid

import standin

from app import raytask
from app.settings import Settings
from app.tasks import run_job

CHECK_EVERY = 5


class Watch(threading.Thread):
    """Looks at everything the service needs every few seconds, so that the status answers at once."""

    def __init__(self, settings):
        super().__init__(daemon=True)
        self.settings = settings
        self.parts = {}
        self.look()

    def probes(self):
        yield "database", lambda: self.settings.connect().close()
        yield "redis", lambda: self.settings.redis().ping()
        if self.settings.ray:
            yield "ray", self.settings.reach_ray

    def look(self):
        found = {}
        for part, probe in self.probes():
            try:
                probe()
                found[part] = "ok"
            except Exception:  # noqa: BLE001 - whatever it is, the part does not answer
                found[part] = "unreachable"
            if found[part] != self.parts.get(part, "ok"):
                logging.warning("%s is %s", part, found[part])
        self.parts = found

    def run(self):
        while True:
            time.sleep(CHECK_EVERY)
            self.look()


def status(api):
    well = all(state == "ok" for state in api.watch.parts.values())
    return 200 if well else 503, {"status": "ok" if well else "degraded", "version": api.release, **api.watch.parts}


def ray_nodes(api):
    """Runs a task on every node and says where."""
    with api.slots:
        try:
            return 200, raytask.in_process(api.settings.ray, "spread")
        except Exception as error:  # noqa: BLE001 - the reason goes to the client
            return 503, {"detail": str(error)}


def start_job(api):
    job = str(uuid.uuid4())
    with api.settings.connect() as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO core_jobs (id, state) VALUES (%s, 'queued')", (job,))
    run_job.delay(job)
    return 202, {"id": job, "state": "queued"}


def show_job(api, job):
    with api.settings.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT state, result FROM core_jobs WHERE id = %s", (job,))
        row = cursor.fetchone()
    if row is None:
        return 404, {"detail": "no such job"}
    return 200, {"id": job, "state": row[0], "result": row[1] if isinstance(row[1], dict) else json.loads(row[1] or "null")}


class CoreApi(standin.Api):
    """The routes of the Core API."""

    routes = (
        ("GET", r"/api/v1/status/?", status),
        ("GET", r"/api/v1/ray/nodes/?", ray_nodes),
        ("POST", r"/api/v1/jobs/?", start_job),
        ("GET", r"/api/v1/jobs/([0-9a-f-]{36})/?", show_job),
    )


def main():
    CoreApi.release = standin.begin("core")
    port = standin.number("PORT", 1, 65535, 8080)
    workers = standin.number("MAX_WORKERS", 1, 256, 4)
    CoreApi.settings = Settings()
    logging.info("environment %s, %s worker(s), licence key present", CoreApi.settings.environment, workers)
    CoreApi.settings.wait_for_all()
    CoreApi.slots = threading.Semaphore(workers)
    CoreApi.watch = Watch(CoreApi.settings)
    CoreApi.watch.start()
    standin.serve(port, CoreApi)


if __name__ == "__main__":
    main()
