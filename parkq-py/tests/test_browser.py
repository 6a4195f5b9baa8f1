"""The editor in headless Chromium: a lot is drawn by mouse and keyboard, saved, and read back."""

import json
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import parkq
import pytest
from parkq import _editor
from parkq._cli import _subject
from PIL import Image
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.actions.wheel_input import ScrollOrigin
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
DRIVER = os.environ.get("CHROMEDRIVER", "/usr/bin/chromedriver")

pytestmark = pytest.mark.skipif(
    not (shutil.which(CHROMIUM) and shutil.which(DRIVER)), reason="Chromium is not installed"
)


@pytest.fixture(scope="module")
def browser() -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"):
        options.add_argument(flag)
    options.add_argument("--window-size=1400,900")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


class Page:
    """The editor as its user sees it. Points are relative to the picture."""

    def __init__(self, browser: webdriver.Chrome) -> None:
        self.browser = browser
        self.wait = WebDriverWait(browser, 20)
        self.wait.until(lambda b: b.find_elements(By.CSS_SELECTOR, "body[data-ready]"))
        self.view = browser.find_element(By.ID, "view")

    def at(self, x: float, y: float) -> tuple[int, int]:
        """A point's place in the window."""
        place = self.browser.execute_script(
            "const m = document.getElementById('view').getScreenCTM();"
            "const p = document.getElementById('picture');"
            "const s = (n) => Number(p.getAttribute(n));"
            "const q = new DOMPoint(arguments[0] * s('width'), arguments[1] * s('height'));"
            "const r = q.matrixTransform(m); return [r.x, r.y];",
            x,
            y,
        )
        return round(place[0]), round(place[1])

    def click(self, *points: tuple[float, float]) -> None:
        chain = ActionChains(self.browser, duration=0)
        for point in points:
            chain.w3c_actions.pointer_action.move_to_location(*self.at(*point))
            chain.w3c_actions.pointer_action.click()
        chain.perform()

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        chain = ActionChains(self.browser, duration=0)
        pointer = chain.w3c_actions.pointer_action
        pointer.move_to_location(*self.at(*start))
        pointer.pointer_down()
        pointer.move_to_location(*self.at(*end))
        pointer.pointer_up()
        chain.perform()

    def press(self, *keys: str) -> None:
        self.view.send_keys(*keys)

    def type(self, field: str, text: str) -> None:
        box = self.browser.find_element(By.ID, field)
        box.send_keys(Keys.CONTROL + "a")
        box.send_keys(text + Keys.TAB)

    def names(self) -> list[str]:
        script = "return [...document.querySelectorAll('#list button')].map((b) => b.textContent)"
        return list(self.browser.execute_script(script))

    def until_names(self, names: list[str]) -> None:
        self.wait.until(lambda _: self.names() == names, f"{self.names()} is not {names}")

    def status(self, part: str) -> None:
        self.wait.until(lambda b: part in b.find_element(By.ID, "status").text, part)


@pytest.fixture
def server(tmp_path: Path, small: np.ndarray) -> Iterator[_editor.Server]:
    picture = tmp_path / "camera.png"
    Image.fromarray(small).resize((1280, 800)).save(picture)
    server = _editor.Server(_subject(picture, tmp_path / "camera.lot.json", parkq.Lot()))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_lot_is_drawn_saved_and_read_back(
    browser: webdriver.Chrome, server: _editor.Server, tmp_path: Path
) -> None:
    browser.get(server.url)
    page = Page(browser)
    loaded = browser.execute_script("return document.getElementById('picture').href.baseVal")
    assert loaded == "picture"

    # One space, by its corners; named, closed, moved by a corner and by the keyboard.
    page.press("s")
    page.click((0.1, 0.6), (0.2, 0.6), (0.2, 0.8), (0.1, 0.8))
    page.until_names(["1"])
    page.type("name", "visitor")
    page.type("stay", "90")
    browser.find_element(By.ID, "closed").click()
    page.until_names(["visitor"])
    page.press("v")
    page.drag((0.2, 0.8), (0.25, 0.85))
    page.press(Keys.ARROW_RIGHT)
    page.press(Keys.ARROW_LEFT)

    # A row of four in perspective, with names of its own.
    page.type("prefix", "B")
    page.type("count", "4")
    page.press("r")
    page.click((0.4, 0.5), (0.8, 0.5), (0.9, 0.7), (0.3, 0.7))
    page.until_names(["visitor", "B1", "B2", "B3", "B4"])

    # A mask of five corners, ended by Enter.
    page.press("m")
    page.click((0, 0), (0.5, 0), (0.5, 0.1), (0.2, 0.2), (0, 0.1))
    page.press(Keys.ENTER)
    page.until_names(["visitor", "B1", "B2", "B3", "B4", "mask 1"])

    # Delete, undo, redo, undo.
    page.press("v")
    browser.find_elements(By.CSS_SELECTOR, "#list button")[4].click()
    page.press(Keys.DELETE)
    page.until_names(["visitor", "B1", "B2", "B3", "mask 1"])
    page.press(Keys.CONTROL, "z")
    page.until_names(["visitor", "B1", "B2", "B3", "B4", "mask 1"])
    page.press(Keys.CONTROL, Keys.SHIFT, "z")
    page.until_names(["visitor", "B1", "B2", "B3", "mask 1"])
    browser.find_element(By.ID, "undo").click()
    page.until_names(["visitor", "B1", "B2", "B3", "B4", "mask 1"])

    # A name that is taken is refused.
    browser.find_elements(By.CSS_SELECTOR, "#list button")[1].click()
    page.type("name", "B2")
    page.status("There is a space B2 already")

    page.press(Keys.CONTROL, "s")
    page.status("Saved 5 spaces and 1 masks")
    lot = parkq.Lot.from_json((tmp_path / "camera.lot.json").read_text())
    assert [space.id for space in lot.spaces] == ["visitor", "B1", "B2", "B3", "B4"]
    visitor = lot.spaces[0]
    assert (visitor.closed, visitor.max_stay_minutes) == (True, 90)
    assert visitor.quad[0] == pytest.approx((0.1, 0.6), abs=0.003)
    assert visitor.quad[2] == pytest.approx((0.25, 0.85), abs=0.003)
    for one, other in zip(lot.spaces[1:-1], lot.spaces[2:], strict=True):
        assert one.quad[1] == other.quad[0] and one.quad[2] == other.quad[3]
    assert [len(mask) for mask in lot.masks] == [5]

    # The page is what the file says when it is opened again.
    page.browser.refresh()
    page = Page(browser)
    page.until_names(["visitor", "B1", "B2", "B3", "B4", "mask 1"])

    # Import another program's lot, and get proposals for its free vehicles.
    other = tmp_path / "other.json"
    corners = [[64, 40], [128, 40], [128, 80], [64, 80]]
    other.write_text(json.dumps([{"points": corners}]))
    browser.find_element(By.CSS_SELECTOR, "#format option[value=ultralytics]").click()
    browser.find_element(By.ID, "file").send_keys(str(other))
    page.until_names(["1"])
    browser.find_element(By.ID, "propose").click()
    page.status("proposed")
    assert len(page.names()) > 1
    browser.find_element(By.ID, "save").click()
    page.status(f"Saved {len(page.names())} spaces")
    lot = parkq.Lot.from_json((tmp_path / "camera.lot.json").read_text())
    assert len(lot) == len(page.names()) and lot.spaces[0].quad[0] == (0.05, 0.05)

    errors = [e for e in browser.get_log("browser") if e["level"] == "SEVERE"]
    assert errors == []


def test_shapes_are_moved_and_removed_by_mouse(
    browser: webdriver.Chrome, server: _editor.Server, tmp_path: Path
) -> None:
    browser.get(server.url)
    page = Page(browser)

    # A corner that was put wrongly is taken back; in a zoomed view, too, a click is where it is.
    view = browser.find_element(By.ID, "view")
    chain = ActionChains(browser)
    chain.scroll_from_origin(ScrollOrigin.from_element(view), 0, -150).perform()
    page.press("s")
    page.click((0.4, 0.4), (0.45, 0.4), (0.7, 0.7))
    page.press(Keys.BACKSPACE)
    page.press(Keys.CONTROL, "z")
    page.click((0.5, 0.4), (0.5, 0.5), (0.4, 0.5))
    page.until_names(["1"])
    page.press("0", "m")
    page.click((0.1, 0.1), (0.2, 0.1), (0.2, 0.2))
    page.press(Keys.ENTER)
    page.click((0.7, 0.1), (0.8, 0.1), (0.8, 0.2))
    page.press(Keys.ENTER)
    page.until_names(["1", "mask 1", "mask 2"])

    # Whole outlines follow the mouse, as far as the picture goes.
    page.press("v")
    page.drag((0.43, 0.47), (0.53, 0.57))
    page.drag((0.17, 0.12), (0.17, 0.0))
    page.click((0.78, 0.12))
    browser.find_element(By.ID, "delete").click()
    page.until_names(["1", "mask 1"])
    page.click((0.95, 0.95))
    assert not browser.find_element(By.ID, "panel").is_displayed()
    page.press("n", Keys.DELETE)
    page.until_names(["mask 1"])
    page.press(Keys.CONTROL, "z")
    page.until_names(["1", "mask 1"])

    browser.find_element(By.ID, "save").click()
    page.status("Saved 1 spaces and 1 masks")
    lot = parkq.Lot.from_json((tmp_path / "camera.lot.json").read_text())
    [space], [mask] = lot.spaces, lot.masks
    for corner, expected in zip(space.quad, [(0.5, 0.5), (0.6, 0.5), (0.6, 0.6), (0.5, 0.6)],
                                strict=True):  # fmt: skip
        assert corner == pytest.approx(expected, abs=0.003)
    assert mask[0] == pytest.approx((0.1, 0.0), abs=0.003)
    assert mask[2] == pytest.approx((0.2, 0.1), abs=0.003)


def test_the_address_opens_for_one_browser(
    browser: webdriver.Chrome, server: _editor.Server
) -> None:
    url = server.url
    browser.get(url)
    Page(browser)
    browser.delete_all_cookies()
    browser.get(url)
    assert "opens once" in browser.find_element(By.TAG_NAME, "body").text
