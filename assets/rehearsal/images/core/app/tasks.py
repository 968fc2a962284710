"""The Celery application and its one task."""

import json
import os

from celery import Celery

from app import raytask

app = Celery("syntho-core", broker=os.environ.get("CELERY_BROKER_URL"), backend=os.environ.get("CELERY_RESULT_BACKEND"))
app.conf.update(task_default_queue="core", worker_concurrency=2, broker_connection_retry_on_startup=True)


@app.task(name="core.run_job")
def run_job(job):
    """Runs a task on every Ray node and stores where it ran."""
    from app.settings import Settings

    settings = Settings()
    try:
        state, result = "done", raytask.in_process(settings.ray, "spread")
    except Exception as error:  # noqa: BLE001 - the job's state is where a failure belongs
        state, result = "failed", {"reason": str(error)}
    with settings.connect() as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE core_jobs SET state = %s, result = %s WHERE id = %s", (state, json.dumps(result), job))
    return state
