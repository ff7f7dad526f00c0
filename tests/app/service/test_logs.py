"""The log: one JSON object a line, and no secret in it."""

from __future__ import annotations

import io
import json
import logging

from sfumato.app.service.logs import begin_log, end_log


def test_a_line_holds_what_was_told_and_cannot_be_broken() -> None:
    stream = io.StringIO()
    handler = begin_log(stream)
    try:
        logger = logging.getLogger("sfumato.service")
        logger.info("judged\n{}", extra={"job": "a\u202e\x1b[31m", "seconds": 1.5})
        try:
            raise ValueError("gone")
        except ValueError as error:
            logger.error("fault", exc_info=error)
    finally:
        end_log(handler)
    logger.info("nobody hears this")
    first, second = (json.loads(line) for line in stream.getvalue().splitlines())
    assert (first["event"], first["level"], first["seconds"]) == ("judged\n{}", "info", 1.5)
    assert "\x1b" not in stream.getvalue()
    assert "ValueError: gone" in second["fault"]
