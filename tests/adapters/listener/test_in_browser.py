"""The page as people see it, in a real browser: at every width, in light and dark, readable, without a complaint."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files

import pytest

from precoro_daemon.status.snapshot import Snapshot
from tests.adapters.listener.browser import browser, browser_missing, running_browser
from tests.adapters.listener.watching import watching
from tests.status.snapshots import quiet, troubled

pytestmark = [pytest.mark.asyncio, pytest.mark.skipif(bool(browser_missing()), reason=browser_missing() or "-")]

FAINT_TEXTS = """
const luminance = ([r, g, b]) => [r, g, b].map(v => v / 255)
  .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
  .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
const parts = color => color.match(/[\\d.]+/g).map(Number);
const ground = element => {
  for (let e = element; e; e = e.parentElement) {
    const found = parts(getComputedStyle(e).backgroundColor);
    if (found.length < 4 || found[3] > 0) return found.slice(0, 3);
  }
  return [255, 255, 255];
};
return [...document.querySelectorAll("body *")]
  .filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()))
  .map(e => {
    const [a, b] = [luminance(parts(getComputedStyle(e).color)), luminance(ground(e))];
    return [e.textContent.trim().slice(0, 40), (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)];
  })
  .filter(([, ratio]) => ratio < 4.5);
"""

TOO_WIDE = """
return [...document.querySelectorAll("body *")]
  .filter(e => e.getBoundingClientRect().right > innerWidth + 1 || e.scrollWidth > e.clientWidth + 1 && e.clientWidth)
  .map(e => e.outerHTML.slice(0, 80));
"""

GROUND = "return getComputedStyle(document.documentElement).backgroundColor"
SMALLEST = """
return Math.min(...[...document.querySelectorAll("body *")].map(e => parseFloat(getComputedStyle(e).fontSize)))
"""


SCREENS = ((320, False), (320, True), (390, True), (768, False), (1280, False), (1280, True))
"""Widths, and whether it is dark."""


@pytest.fixture(scope="module")
def chromium() -> Iterator[str]:
    with running_browser() as session:
        yield session


@pytest.mark.parametrize("snapshot", [quiet(), troubled()], ids=["quiet", "troubled"])
async def test_it_can_be_read_everywhere(chromium: str, snapshot: Snapshot) -> None:
    async with browser(chromium) as chrome, watching(snapshot) as post:
        grounds = set()
        for width, dark in SCREENS:
            await chrome.screen(width, dark=dark)
            await chrome.open(f"{post.url}/")
            assert await chrome.run("return document.documentElement.scrollWidth") <= width
            assert await chrome.run(TOO_WIDE) == []
            assert await chrome.run(FAINT_TEXTS) == []
            assert await chrome.run(SMALLEST) >= 12
            grounds.add(await chrome.run(GROUND))
        assert len(grounds) == 2, "light and dark look the same"
        assert await chrome.run("return document.querySelectorAll('script').length") == 0
        assert [line for line in await chrome.log() if "favicon" not in line["message"]] == []


@pytest.mark.parametrize("snapshot", [quiet(), troubled()], ids=["quiet", "troubled"])
async def test_axe_finds_nothing(chromium: str, snapshot: Snapshot) -> None:
    """WCAG 2.2 AA and axe's best practices, with everything unfolded, narrow and wide, light and dark."""
    axe = files("axe_core_python").joinpath("axe.min.js").read_text("utf-8")
    async with browser(chromium) as chrome, watching(snapshot) as post:
        for width, dark in ((390, False), (1280, True)):
            await chrome.screen(width, dark=dark)
            await chrome.open(f"{post.url}/")
            await chrome.run("for (const e of document.querySelectorAll('details')) e.open = true")
            found = await chrome.run(f"{axe}; return axe.run(document, {{resultTypes: ['violations']}})")
            assert [(one["id"], [node["html"][:120] for node in one["nodes"]]) for one in found["violations"]] == []
            assert found["passes"], "axe looked at nothing"


async def test_the_bars_are_drawn_and_the_text_is_heard(chromium: str) -> None:
    async with browser(chromium) as chrome, watching(quiet()) as post:
        await chrome.screen(390)
        await chrome.open(f"{post.url}/")
        heights = await chrome.run(
            "return [...document.querySelectorAll('svg.hours:not(.small) rect')]"
            ".map(e => e.getBoundingClientRect().height)"
        )
        assert len(heights) == 2 * 24 + 2 * 14
        assert min(heights[:24]) > 5
        assert [height for height in heights[24:29] if height] == [], "nothing is known of the hours before five"
        assert min(heights[29:48]) > 5
        label = await chrome.run("return document.querySelector('svg.hours').getAttribute('aria-label')")
        assert label.startswith("Calls by hour: 2,496 in all, at most 151")
