# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report's page in a browser: on a small screen, in the dark colour scheme, with the keyboard, on paper."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import ActionChains, Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.keys import Keys

from ansible_collections.intel.qatvirt.plugins.plugin_utils.page import page
from ansible_collections.intel.qatvirt.tests.unit.proof import reports

REPORTS = {"lab": reports.healthy_lab(), "site": reports.broken_site(), "fleet": reports.fleet()}
EACH = pytest.mark.parametrize("name", REPORTS)
SMALL = pytest.mark.parametrize("name", ["lab", "site"])
SCHEMES = pytest.mark.parametrize("scheme", ["light", "dark"])
INTERACTIVE = "a[href], summary, [tabindex='0']"

# JavaScript functions for the contrast of a text with the colours behind it, stripes included: WCAG 2.2 (1.4.3).
COLOURS = """
const parse = text => [...text.matchAll(/rgba?\\(([^)]+)\\)/g)].map(hit => hit[1].split(/[ ,/]+/).map(Number));
const luminance = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, at) => sum + v * [0.2126, 0.7152, 0.0722][at], 0);
const contrast = (a, b) => {
    const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
    return (light + 0.05) / (dark + 0.05);
};
const behind = element => {
    for (let at = element; at; at = at.parentElement) {
        const style = getComputedStyle(at);
        const [plain] = parse(style.backgroundColor);
        const stripes = parse(style.backgroundImage);
        const opaque = plain.length === 3 || plain[3] === 1;
        if (opaque || stripes.length) return opaque ? [plain, ...stripes] : stripes;
    }
    return [[255, 255, 255]];
};
"""


class Browser:
    """A headless Chromium, and the reports' pages as files."""

    def __init__(self, directory: Path) -> None:
        options = ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        # With the path of the driver, selenium does not look for a driver on the internet.
        self.driver = Chrome(options=options, service=Service("/usr/bin/chromedriver"))
        self.urls = {}
        for name, report in REPORTS.items():
            path = directory / f"{name}.html"
            path.write_text(page(report), encoding="utf-8")
            self.urls[name] = path.as_uri()

    def show(
        self, name: str, width: int = 1280, scheme: str = "light", media: str = "", motion: str = "reduce"
    ) -> None:
        """Load a report's page on a screen of that width and colour scheme. media: "print" shows what goes to paper."""
        self.cdp(
            "Emulation.setEmulatedMedia",
            media=media,
            features=[
                {"name": "prefers-color-scheme", "value": scheme},
                {"name": "prefers-reduced-motion", "value": motion},
            ],
        )
        self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=width < 600)
        self.driver.get(self.urls[name])

    def unfold(self) -> None:
        """Open all folded parts of the page."""
        self.run("for (const item of document.querySelectorAll('details')) item.open = true")

    def run(self, script: str, *arguments: Any) -> Any:
        """Run a script in the page and give what it returns."""
        return self.driver.execute_script(script, *arguments)

    def cdp(self, command: str, **parameters: Any) -> Any:
        """Run a command of the Chrome DevTools Protocol and give its answer."""
        return self.driver.execute_cdp_cmd(command, parameters)

    def press(self, key: str) -> None:
        ActionChains(self.driver).send_keys(key).perform()

    def log(self, kind: str) -> list[dict[str, Any]]:
        """The entries of one of the browser's logs since the last call."""
        entries: list[dict[str, Any]] = self.driver.get_log(kind)  # type: ignore[no-untyped-call]
        return entries

    def requests(self) -> list[str]:
        """The URLs that the browser has requested since the last call."""
        events = [json.loads(entry["message"])["message"] for entry in self.log("performance")]
        return [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One browser for all tests, because its start takes long."""
    started = Browser(tmp_path_factory.mktemp("pages"))
    yield started
    started.driver.quit()


@EACH
def test_page_loads_nothing_and_has_no_errors(browser: Browser, name: str) -> None:
    browser.requests()
    browser.log("browser")
    browser.show(name)
    browser.unfold()
    assert [url for url in browser.requests() if not url.startswith("data:")] == [browser.urls[name]]
    assert browser.log("browser") == []


@EACH
@pytest.mark.parametrize("width", [320, 360, 800])
def test_page_is_never_wider_than_the_screen(browser: Browser, name: str, width: int) -> None:
    browser.show(name, width)
    browser.unfold()
    assert browser.run("return [innerWidth, document.documentElement.scrollWidth]") == [width, width]
    sticking_out = """
        return [...document.body.querySelectorAll('*')]
            .filter(item => !item.parentElement.closest('.wide, .skip, .unseen') && !item.matches('.skip, .unseen'))
            .filter(item => item.getBoundingClientRect().right > innerWidth + 0.5)
            .slice(0, 5).map(item => item.outerHTML.slice(0, 200))
    """
    assert browser.run(sticking_out) == []


@SMALL
def test_keyboard_reaches_everything_and_shows_where_it_is(browser: Browser, name: str) -> None:
    browser.show(name)
    visible = f"[...document.querySelectorAll(`{INTERACTIVE}`)].filter(item => item.checkVisibility())"
    expected = browser.run(f"return {visible}.length")
    for number in range(expected):
        browser.press(Keys.TAB)
        reached, style, width, ratio, inside = browser.run(
            COLOURS
            + f"""
            const item = document.activeElement, style = getComputedStyle(item), box = item.getBoundingClientRect();
            return [{visible}.indexOf(item), style.outlineStyle, parseFloat(style.outlineWidth),
                Math.min(...behind(item.parentElement).map(back => contrast(parse(style.outlineColor)[0], back))),
                box.left >= 0 && box.right <= innerWidth && box.bottom > 0 && box.top < innerHeight]
            """
        )
        assert reached == number
        assert (style, inside) == ("solid", True)
        assert width >= 2
        assert ratio >= 3


def test_keyboard_skips_to_the_findings_and_unfolds(browser: Browser) -> None:
    browser.show("site")
    browser.press(Keys.TAB)
    browser.press(Keys.ENTER)
    assert browser.run("return document.activeElement.id") == "main"
    first = "document.querySelector('details')"
    browser.run(f"{first}.querySelector('summary').focus()")
    browser.press(Keys.ENTER)
    assert browser.run(f"return {first}.open && {first}.querySelector('.evidence').checkVisibility()")


@SMALL
@SCHEMES
def test_text_stands_out_in_both_schemes(browser: Browser, name: str, scheme: str) -> None:
    browser.show(name, scheme=scheme)
    browser.unfold()
    paper = browser.run(COLOURS + "return luminance(parse(getComputedStyle(document.body).backgroundColor)[0])")
    assert paper > 0.9 if scheme == "light" else paper < 0.05
    texts = browser.run(
        COLOURS
        + """
        const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = [];
        while (walker.nextNode()) {
            const text = walker.currentNode.data.trim(), item = walker.currentNode.parentElement;
            if (!text || !item.checkVisibility()) continue;
            const [colour] = parse(getComputedStyle(item).color);
            found.push([Math.min(...behind(item).map(back => contrast(colour, back))), text, item.className]);
        }
        return found;
        """
    )
    assert len(texts) > 100
    assert [text for text in texts if text[0] < 4.5] == []


@SMALL
def test_owners_differ_by_more_than_colour(browser: Browser, name: str) -> None:
    browser.show(name)
    letters = browser.run(
        """
        return [...document.querySelectorAll('b.vf')]
            .map(item => [item.classList[1], item.textContent, getComputedStyle(item).backgroundImage])
        """
    )
    looks = {kind: {letter for other, letter, _ in letters if other == kind} for kind, _, _ in letters}
    assert all(len(seen) == 1 for seen in looks.values())
    assert len({letter for _, letter, _ in letters}) == len(looks) == 6


@SMALL
def test_printout_is_light_and_whole(browser: Browser, name: str, tmp_path: Path) -> None:
    browser.show(name, scheme="dark")
    printed = tmp_path / "report.pdf"
    printed.write_bytes(base64.b64decode(browser.cdp("Page.printToPDF", paperWidth=8.27, paperHeight=11.69)["data"]))
    text = subprocess.run(["pdftotext", "-raw", printed, "-"], check=True, capture_output=True, text=True).stdout
    # The text is in the page's order (-raw). White space is ignored: line breaks are up to the printer.
    text = "".join(text.split())
    report = REPORTS[name]
    told = [
        finding[key]
        for check in report["checks"]
        for finding in check["findings"]
        for key in ("message", "fix", "evidence")
    ]
    told += [vf["address"] for node in report["nodes"] for pf in node["pfs"] for vf in pf["vfs"]]
    assert [item for item in told if "".join(item.split()) not in text] == []
    browser.show(name, scheme="dark", media="print")
    dark = COLOURS + "return luminance(behind(document.body)[0])"
    assert browser.run(dark) == 1


def test_fleet_can_be_printed_in_a_bearable_length(browser: Browser, tmp_path: Path) -> None:
    """The printout leaves out the VF tables of nodes without findings; the file has them."""
    browser.show("fleet")
    printed = tmp_path / "fleet.pdf"
    printed.write_bytes(base64.b64decode(browser.cdp("Page.printToPDF", transferMode="ReturnAsBase64")["data"]))
    info = subprocess.run(["pdfinfo", printed], check=True, capture_output=True, text=True).stdout
    assert int(info.split("Pages:")[1].split()[0]) < 150


@SMALL
def test_structure_is_what_assistive_technology_needs(browser: Browser, name: str) -> None:
    browser.show(name)
    assert browser.run("return document.documentElement.lang") == "en"
    assert browser.run("return document.title").startswith("QAT report 2026-11-25 04:00 UTC: ")
    levels = browser.run("return [...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map(item => +item.tagName[1])")
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(deeper - level <= 1 for level, deeper in pairwise(levels))
    tree = browser.cdp("Accessibility.getFullAXTree")["nodes"]
    roles = [node["role"]["value"] for node in tree if not node["ignored"]]
    for landmark in ("banner", "navigation", "main", "contentinfo"):
        assert roles.count(landmark) == 1, landmark
    named = {
        (node["role"]["value"], bool(node.get("name", {}).get("value")))
        for node in tree
        if not node["ignored"] and node["role"]["value"] in ("image", "region", "link", "navigation")
    }
    assert ("image", True) in named
    assert not [role for role, has_name in named if not has_name]
    assert browser.run("return [...document.querySelectorAll('th:not([scope])')].length") == 0


@pytest.mark.parametrize(("motion", "behaviour"), [("reduce", "auto"), ("no-preference", "smooth")])
def test_page_moves_only_for_those_who_like_it(browser: Browser, motion: str, behaviour: str) -> None:
    browser.show("lab", motion=motion)
    assert browser.run("return getComputedStyle(document.documentElement).scrollBehavior") == behaviour
