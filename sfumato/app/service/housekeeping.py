"""What has to be done from time to time: webhooks are sent, old uploads removed, what a killed call left swept away."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from sfumato.app.service.store.jobs import Jobs
from sfumato.app.service.webhooks import Webhooks
from sfumato.errors import SfumatoError

_log = logging.getLogger("sfumato.service")


class Housekeeping:
    """`with Housekeeping(jobs, webhooks, retention_days): ...`. Several processes may do it for one database."""

    def __init__(self, jobs: Jobs, webhooks: Webhooks, retention_days: float | None = None) -> None:
        self.jobs, self.webhooks, self.days = jobs, webhooks, retention_days
        self._stop = threading.Event()
        chores = ((self.webhooks.send_due, 1.0), (self._expire, 60.0), (self.jobs.sweep, 3600.0))
        self._threads = [
            threading.Thread(target=self._repeat, args=chore, name="housekeeping", daemon=True) for chore in chores
        ]

    def __enter__(self) -> Housekeeping:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        end = time.monotonic() + 12  # a webhook has ten seconds for its answer
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))

    def _expire(self) -> int:
        count = 0 if self.days is None else self.jobs.expire(self.days)
        if count:
            _log.info("uploads removed", extra={"count": count})
        return count

    def _repeat(self, chore: Callable[[], int], seconds: float) -> None:
        while True:
            try:
                chore()
            except (SfumatoError, OSError) as error:
                _log.error("housekeeping failed", extra={"problem": str(error)})
            if self._stop.wait(seconds):
                return
