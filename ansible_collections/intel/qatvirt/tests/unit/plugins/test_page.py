# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is on the page for a report, and what can never be on it."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.intel.qatvirt.plugins.filter.report import FilterModule
from ansible_collections.intel.qatvirt.plugins.module_utils.proof.registry import validate
from ansible_collections.intel.qatvirt.plugins.module_utils.proof.report import report as made_of
from ansible_collections.intel.qatvirt.plugins.plugin_utils.page import page
from ansible_collections.intel.qatvirt.tests.unit.proof import reports
from ansible_collections.intel.qatvirt.tests.unit.proof.sites import healthy_site

MEGABYTE = 1_000_000
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{ 7 * 7 }}"


class Reader(HTMLParser):
    """Text of a page without its style, and the elements it has with their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.pieces: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag in ("td", "th"):
            self.pieces.append(" ")

    def handle_data(self, data: str) -> None:
        if self.elements[-1:] and self.elements[-1][0] != "style":
            self.pieces.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.pieces).split())


def read(report: dict[str, Any]) -> Reader:
    return Reader(page(report))


def with_strings(value: Any, replace: str) -> Any:
    """The same report with every string that is not one of a few words replaced."""
    if isinstance(value, dict):
        return {key: with_strings(item, replace) for key, item in value.items()}
    if isinstance(value, list):
        return [with_strings(item, replace) for item in value]
    return replace if isinstance(value, str) and value not in reserved() else value


def reserved() -> set[str]:
    """Words that are the contract's, not the cluster's."""
    kinds = {"vm", "pod", "process", "resource", "free", "unusable"}
    return kinds | {"container", "pass", "warn", "fail", "skipped", "impossible", "node", "cluster"}


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for item in value.values():
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)
    elif isinstance(value, str):
        yield value


@pytest.mark.parametrize("make", [reports.healthy_lab, reports.broken_site])
def test_hostile_strings_are_text_wherever_they_stand(make: Any) -> None:
    report = with_strings(make(), HOSTILE)
    shown = read(report)
    assert not [
        tag for tag, _attributes in shown.elements if tag in ("script", "img", "iframe", "object", "base", "form")
    ]
    assert not [name for _tag, attributes in shown.elements for name in attributes if name.startswith("on")]
    assert HOSTILE in shown.text
    assert [tag for tag, _attributes in shown.elements] == [
        tag for tag, _attributes in read(with_strings(make(), "x")).elements
    ]


def test_half_a_character_does_not_keep_the_page_from_being_written() -> None:
    """JSON can have one, UTF-8 cannot."""
    report = reports.healthy_lab()
    report["nodes"][0]["os"] = "a\ud800b"
    assert "a?b" in page(report).encode("utf-8").decode("utf-8")


def test_key_from_the_cluster_is_text_too() -> None:
    report = reports.healthy_lab()
    report["nodes"][0]["resources"] = {HOSTILE: 1}
    report["tests"][0]["expected"] = {HOSTILE: 1}
    assert read(report).text.count(HOSTILE) == 2


def test_page_needs_nothing_from_elsewhere() -> None:
    shown = read(reports.broken_site())
    for tag, attributes in shown.elements:
        for name in ("src", "href", "srcset", "data", "action"):
            target = attributes.get(name) or "#"
            assert target.startswith("#") or target == "data:,", f"{tag} {name}={target}"
    assert "url(" not in page(reports.broken_site())
    assert "@import" not in page(reports.broken_site())


def test_links_within_the_page_lead_somewhere() -> None:
    shown = read(reports.broken_site())
    ids = [attributes["id"] for _tag, attributes in shown.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = {attributes["href"] for tag, attributes in shown.elements if tag == "a"}
    assert {"#check-vfdrv", "#test-1"} <= targets
    assert targets <= {f"#{name}" for name in ids}


def test_every_finding_is_there_with_its_remedy_and_evidence() -> None:
    report = reports.broken_site()
    text = read(report).text
    for check in report["checks"]:
        if check["findings"]:
            assert check["cause"] in text
            assert check["doc"] in text
        assert check["question"] in text
        for finding in check["findings"]:
            for told in filter(None, finding.values()):
                assert told in text or told in ("fail", "warn")


def test_every_vf_is_there_with_its_owner() -> None:
    report = reports.broken_site()
    text = read(report).text
    for node in report["nodes"]:
        for pf in node["pfs"]:
            for vf in pf["vfs"]:
                assert re.search(rf"{re.escape(vf['address'])} {vf['driver']} {vf['iommu_group']} [A-Z]: ", text)
                assert vf["owner"]["text"] in text


def test_every_answer_of_a_test_is_there() -> None:
    report = reports.broken_site()
    text = read(report).text
    for test in report["tests"]:
        for told in strings({key: test[key] for key in ("object", "given", "diagnosis", "reason", "phases")}):
            assert told in text
    assert "8086:4941 in slot 0000:06:00.0, class 0b4000, no driver" in text
    assert "Not possible The guest's kernel has no driver for a 4xxx VF." in text


def test_failures_come_before_warnings_and_those_before_the_rest() -> None:
    html = page(reports.broken_site())
    places = [html.index(f">{name}</code>") for name in ("PFDOWN", "VFDRV", "GUEST", "STALE", "IOMMU", "FUNC")]
    assert places == sorted(places)


def test_the_worst_comes_first_among_findings_and_nodes() -> None:
    def finding(severity: str, node: str) -> dict[str, Any]:
        return reports.finding(severity, node, None, f"{severity} on {node}", f"mend the {severity}", "")

    nodes = [reports.node(name, []) for name in ("fine", "warned", "failed")]
    found = [finding("warn", "warned"), finding("fail", "failed"), finding("warn", "failed")]
    html = page(reports.report(nodes, [reports.check("node", "VFDRV", "fail", found)], []))
    assert html.index("fail on failed") < html.index("warn on warned")
    assert re.findall(r'<article class="node (\w+)">\s*<header>\s*<h3>(\w+)<', html) == [
        ("fail", "failed"),
        ("warn", "warned"),
        ("pass", "fine"),
    ]


def test_failed_test_is_told_once_under_what_to_do() -> None:
    report = reports.broken_site()
    to_do = page(report).split('id="checks"')[0]
    assert to_do.count("No node fits") == to_do.count('href="#test-1"') == 1
    report["checks"] = []
    to_do = page(report).split('id="checks"')[0]
    assert to_do.count("No node fits") == to_do.count('href="#test-1"') == 1


def test_skipped_check_tells_its_reason() -> None:
    assert "KubeVirt 1.8 does not ask for VFIO character devices." in read(reports.healthy_lab()).text


def test_emulated_hardware_is_said_only_where_it_is() -> None:
    assert "no proof that they pass on silicon" in read(reports.healthy_lab()).text
    assert "emulated" not in read(reports.broken_site()).text.lower()
    mixed = reports.broken_site()
    mixed["emulated"] = mixed["nodes"][0]["emulated"] = True
    assert "The QAT devices of 1 of 3 nodes are emulated" in read(mixed).text


@pytest.mark.parametrize(
    ("report", "sentence"),
    [
        (reports.healthy_lab(), "It holds: 19 checks pass and 2 tests pass."),
        (reports.broken_site(), "It does not hold: 3 checks fail and 1 test fails."),
        (reports.report([], [reports.check("node", "IOMMU")], []), "It holds: 1 check passes."),
        (
            reports.report([], reports.checks(reports.check("node", "BOOT", "warn")), []),
            "It holds, with 1 warning: 20 checks pass.",
        ),
        (reports.report([], [], [reports.failed_vm("qat1")]), "It does not hold: 1 test fails."),
    ],
)
def test_headline_is_the_verdict(report: dict[str, Any], sentence: str) -> None:
    assert re.findall(r"<h1[^>]*>([^<]+)</h1>", page(report)) == [sentence]


def test_report_with_nothing_in_it_says_so() -> None:
    text = read(reports.report([], [], [], cluster=None)).text
    for sentence in ("No node was read.", "No test virtual machine or pod was started.", "about the nodes alone"):
        assert sentence in text


def test_fleet_is_drawn_where_something_is_to_be_said_and_else_summed_up() -> None:
    html = page(reports.fleet())
    assert len(html) < 10 * MEGABYTE
    drawn = re.findall(r"<h3>(node-\d+)\.", html)
    assert drawn[:10] == [f"node-{number:04}" for number in range(0, 1000, 100)]
    assert len(drawn) == 60
    for number in range(1000):
        assert f">node-{number:04}.fleet.example.net<" in html
    assert "128,000" in html
    # Passed tests after the first 50 are rows.
    assert "10 more tests, none of which failed" in html


def test_fleet_with_the_same_fault_everywhere_stays_small() -> None:
    report = reports.fleet(broken_every=1)
    check = next(item for item in report["checks"] if item["findings"])
    check["findings"] = [{**item, "object": f"VF {number}"} for number in range(5) for item in check["findings"]]
    html = page(report)
    assert len(html) < 10 * MEGABYTE
    assert "4,000 more findings of this check: see the report's JSON." in html


@pytest.mark.parametrize("name", ["qat_report_page", "qat_report_junit"])
def test_filter_tells_what_is_no_report(name: str) -> None:
    rendered = FilterModule().filters()[name]
    assert "IOMMU" in rendered(reports.healthy_lab())
    for wrong, told in (
        ([], "this is no dictionary, expected a report"),
        ({"schema": 1}, "found a report of schema 1, expected 2"),
        ({"schema": 2}, "the report is not whole: 'checks' is missing"),
    ):
        with pytest.raises(AnsibleFilterError, match=re.escape(told)):
            rendered(wrong)


@pytest.mark.parametrize("name", ["qat_report_page", "qat_report_junit"])
def test_what_the_checks_report_is_rendered(name: str) -> None:
    """The real report, so that samples and contract stay the same."""
    site = healthy_site(3, 2)
    report = made_of(site, validate(site), "2026-11-25T04:00:00Z")
    rendered = FilterModule().filters()[name](report)
    assert all(check["id"] in rendered for check in report["checks"])
    samples = reports.healthy_lab()
    assert report.keys() == samples.keys()
    for key in ("checks", "nodes"):
        assert report[key][0].keys() == samples[key][0].keys()
    assert report["nodes"][0]["pfs"][0].keys() == samples["nodes"][0]["pfs"][0].keys()


def test_missing_field_is_told_by_its_name() -> None:
    report = copy.deepcopy(reports.healthy_lab())
    del report["collection"]
    with pytest.raises(AnsibleFilterError, match=r"not whole: .*collection"):
        FilterModule().filters()["qat_report_page"](report)
