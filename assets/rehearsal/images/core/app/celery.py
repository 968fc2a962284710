"""What `celery -A app.celery worker` loads: the checks of a service's start, then the Celery application."""

import standin

from app.settings import Settings
from app.tasks import app

standin.begin("core-worker")
Settings().wait_for_all()

__all__ = ["app"]
