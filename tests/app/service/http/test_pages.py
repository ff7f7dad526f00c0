"""The page of the service, in a real browser: in by a key, upload, watch, decide by keyboard, export, delete, out."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from typing import Any

import httpx
import pytest

from tests.media_fixtures import make_video
from tests.review_fixtures import HOSTILE

SHOWN = "document.querySelector('#clip h2')?.textContent"


def logged_in(service: Any, made: Any) -> httpx.Client:
    client = httpx.Client(base_url=service.address)
    answer = client.post("/login", data={"key": made.secret})
    assert (answer.status_code, answer.headers["location"]) == (303, "./")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert made.secret not in cookie
    return client


def test_a_session_changes_nothing_for_another_page(served: Any) -> None:
    service = served()
    made = service.client(role="review").made
    client = logged_in(service, made)
    body = {"content": b"1", "headers": {"Content-Type": "application/octet-stream"}}
    assert client.post("/v1/jobs", **body).status_code == 403  # a form of another site could send this
    strange = {"Content-Type": "application/octet-stream", "X-Sfumato": "page", "Origin": "https://evil.example"}
    assert client.post("/v1/jobs", content=b"1", headers=strange).status_code == 403
    ours = {"Content-Type": "application/octet-stream", "X-Sfumato": "page", "Origin": service.address}
    assert client.post("/v1/jobs", content=b"1", headers=ours).status_code == 202
    login = {"data": {"key": made.secret}, "headers": {"Origin": "https://evil.example"}}
    assert httpx.post(f"{service.address}/login", **login).status_code == 403


def test_a_session_ends_with_logout_its_time_and_its_key(served: Any) -> None:
    service = served()
    made = service.client(role="review").made
    first, second = logged_in(service, made), logged_in(service, made)
    assert first.get("/").status_code == 200
    stolen = first.cookies["sfumato-session"]
    assert first.post("/logout", headers={"X-Sfumato": "page"}).status_code == 204
    again = httpx.get(f"{service.address}/v1/jobs", cookies={"sfumato-session": stolen})
    assert again.status_code == 401
    service.running.access.revoke(made.key.id)
    assert second.get("/").headers["location"] == "login"
    assert service.running.access.by_session(service.running.access.begin_session(made.key, -1.0)) is None


def test_a_wrong_key_is_refused_and_not_shown(served: Any) -> None:
    answer = httpx.post(f"{served().address}/login", data={"key": HOSTILE})
    assert answer.status_code == 401
    assert "That is no valid key." in answer.text
    assert "alert(1)" not in answer.text


def test_a_page_holds_hostile_names_as_text_alone(served: Any) -> None:
    service = served()
    api = service.client("team", "review")
    api.post("/v1/jobs", files={"file": (f"{HOSTILE}.mp4".replace("/", ""), b"1")})
    service.judge_all()
    answer = logged_in(service, api.made).get("/")
    assert "<img src=x" not in answer.text
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert "connect-src 'self'" in answer.headers["content-security-policy"]


@pytest.mark.page
def test_a_person_reviews_in_the_browser(served: Any, browser: Any, tmp_path: Any) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    service = served(working=True)
    made = service.client("team", "review", "Ada").made
    video = make_video(tmp_path / "clip <b>1.mp4", frames=20)
    page = browser.new_page()
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on(
        "request",
        lambda asked: None if asked.url.startswith((service.address, "data:", "blob:")) else faults.append(asked.url),
    )
    page.goto(service.address)
    _require_accessible(axe, page)
    page.keyboard.type(made.secret)
    page.keyboard.press("Enter")
    wait_until(page, "document.querySelector('#clip .nothing')?.textContent.startsWith('Nothing was judged yet')")
    page.set_input_files("#upload", video)
    wait_until(page, f"{SHOWN} === 'clip _b_1.mp4'")
    wait_until(page, "document.querySelector('video')?.readyState >= 2")
    _require_accessible(axe, page)
    page.keyboard.press("r")
    page.keyboard.type("a seam at the jaw")
    page.keyboard.press("Escape")
    page.keyboard.press("3")
    wait_until(page, "document.getElementById('progress').textContent.startsWith('1 file decided')")
    wait_until(page, "document.querySelector('#reviewer').textContent === 'Ada'")
    [kept] = _until(lambda: service.running.jobs.decided("team"))
    assert (kept["decision"], kept["reviewer"], kept["reason"]) == ("manipulated", "Ada", "a seam at the jaw")
    page.reload()
    wait_until(page, "document.getElementById('progress')?.textContent.startsWith('1 file decided')")
    with page.expect_download() as waiting:
        page.keyboard.press("x")
    lines = waiting.value.path().read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [kept]
    named = page.inner_text("#clip h2")
    page.click("#delete")
    assert page.inner_text("#sure-title") == f"Delete {named}?"
    wait_until(page, "document.getElementById('sure').open")
    page.click("#sure button.main")
    wait_until(page, "document.querySelector('#clip .nothing')?.textContent.startsWith('Nothing was judged yet')")
    assert service.running.jobs.judged("team", 10) == []
    page.click("#leave")
    wait_until(page, "location.pathname === '/login'")
    assert faults == []
    page.close()


def wait_until(page: Any, expression: str, seconds: float = 60.0) -> None:
    """Polls from outside, over the page's changes of address too."""
    from playwright.sync_api import Error

    def holds() -> bool:
        with suppress(Error):
            return bool(page.evaluate(expression))
        return False

    _until(holds, seconds)


def _until(ask: Any, seconds: float = 20.0) -> Any:
    end = time.monotonic() + seconds
    while not (found := ask()):
        assert time.monotonic() < end
        time.sleep(0.05)
    return found


def _require_accessible(axe: Any, page: Any) -> None:
    found = axe.Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    assert [each["id"] for each in found if each["impact"] in ("serious", "critical")] == []
