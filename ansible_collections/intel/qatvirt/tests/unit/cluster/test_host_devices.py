# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our entries in a list of others."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.host_devices import (
    Entry,
    merge,
    parse_entries,
    remove,
)
from ansible_collections.intel.qatvirt.plugins.module_utils.cluster.kubevirt_config import ConfigOwner
from ansible_collections.intel.qatvirt.plugins.module_utils.errors import Refused

KUBEVIRT = ConfigOwner(
    kind="KubeVirt",
    namespace="kubevirt",
    name="kubevirt",
    url="",
    devices=("spec", "configuration", "permittedHostDevices", "pciHostDevices"),
    selector="pciVendorSelector",
    gates=("spec", "configuration", "developerConfiguration"),
)
HYPERCONVERGED = ConfigOwner(
    kind="HyperConverged",
    namespace="kubevirt-hyperconverged",
    name="hco",
    url="",
    devices=("spec", "virtualization", "permittedHostDevices", "pciHostDevices"),
    selector="pciDeviceSelector",
    gates=None,
)
VF = Entry("8086:4941", "intel.com/qat")


def raw(selector: str, name: str = "intel.com/qat", external: bool = False) -> dict[str, Any]:
    return {"selector": selector, "resource_name": name, "external_resource_provider": external}


def cr(*devices: dict[str, Any], gates: list[str] | None = None) -> dict[str, Any]:
    configuration: dict[str, Any] = {"network": {"x": 1}}
    if devices:
        configuration["permittedHostDevices"] = {"pciHostDevices": list(devices), "mediatedDevices": [{"a": "b"}]}
    if gates is not None:
        configuration["developerConfiguration"] = {"featureGates": gates, "logVerbosity": {"virtAPI": 3}}
    return {"metadata": {"annotations": {"note": "  # a comment\n"}}, "spec": {"configuration": configuration}}


def devices(item: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = item["spec"]["configuration"]["permittedHostDevices"]["pciHostDevices"]
    return found


def test_an_empty_cr_gets_entry_and_gate() -> None:
    after = merge(cr(), KUBEVIRT, [VF])
    assert devices(after) == [{"pciVendorSelector": "8086:4941", "resourceName": "intel.com/qat"}]
    assert after["spec"]["configuration"]["developerConfiguration"] == {"featureGates": ["HostDevices"]}


def test_hyperconverged_has_its_own_names_and_no_gate() -> None:
    after = merge({"spec": {}}, HYPERCONVERGED, [VF])
    entry = {"pciDeviceSelector": "8086:4941", "resourceName": "intel.com/qat"}
    assert after == {"spec": {"virtualization": {"permittedHostDevices": {"pciHostDevices": [entry]}}}}


def test_what_stands_there_in_other_case_is_left_as_it_is() -> None:
    before = cr({"pciVendorSelector": "8086:37C9", "resourceName": "intel.com/qat"}, gates=["HostDevices"])
    assert merge(deepcopy(before), KUBEVIRT, [Entry("8086:37c9", "intel.com/qat")]) == before


def test_a_provider_that_is_wrong_is_corrected_and_the_rest_of_the_entry_kept() -> None:
    theirs = {
        "pciVendorSelector": "8086:4941",
        "resourceName": "intel.com/qat",
        "externalResourceProvider": True,
        "x": 1,
    }
    (entry,) = devices(merge(cr(theirs), KUBEVIRT, [VF]))
    assert entry == {**theirs, "externalResourceProvider": False}


def test_another_name_for_the_selector_is_refused() -> None:
    with pytest.raises(
        Refused, match=r"KubeVirt kubevirt/kubevirt gives it the name acme.com/qat; KubeVirt takes the last"
    ):
        merge(cr({"pciVendorSelector": "8086:4941", "resourceName": "acme.com/qat"}), KUBEVIRT, [VF])


def test_a_gate_that_somebody_closed_is_not_opened() -> None:
    item = cr(gates=[])
    item["spec"]["configuration"]["developerConfiguration"]["disabledFeatureGates"] = ["HostDevices"]
    with pytest.raises(Refused, match="has HostDevices in disabledFeatureGates"):
        merge(item, KUBEVIRT, [VF])


def test_absent_removes_only_what_has_selector_and_name() -> None:
    others = [
        {"pciVendorSelector": "8086:4941", "resourceName": "acme.com/qat"},
        {"pciVendorSelector": "10DE:1EB8", "resourceName": "nvidia.com/T4", "externalResourceProvider": True},
    ]
    ours = {"pciVendorSelector": "8086:4941", "resourceName": "intel.com/qat"}
    assert devices(remove(cr(others[0], ours, others[1]), KUBEVIRT, [VF])) == others


def test_absent_leaves_a_list_that_others_left_empty() -> None:
    before = cr()
    before["spec"]["configuration"]["permittedHostDevices"] = {"pciHostDevices": []}
    assert remove(deepcopy(before), KUBEVIRT, [VF]) == before


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        (
            [raw("8086:4940")],
            "selector 8086:4940 is the PF of a 4xxx; a virtual machine gets VFs, whose selector is 8086:4941",
        ),
        ([raw("8086:37C8")], "VFs, whose selector is 8086:37c9"),
        ([raw("4941")], "selector '4941' is not vendor and device in hexadecimal, such as 8086:4941"),
        ([raw("8086:4941", "qat")], "resource name 'qat' is not DOMAIN/NAME"),
        ([raw("8086:4941", "intel.com/")], "is not DOMAIN/NAME"),
        ([raw("8086:4941", "qat.intel.com/cy", external=True)], "such a virtual machine never starts"),
        ([raw("8086:4941", "qat.intel.com/cy")], "names of Intel's plugin"),
        ([raw("8086:4941"), raw("8086:4941", "intel.com/other")], "another entry gives it the name intel.com/qat"),
        ([raw("8086:49ab"), raw("8086:49AB", "intel.com/other")], "another entry gives it the name"),
        ([raw("8086:4941"), raw("8086:4941", external=True)], "with and without external_resource_provider"),
    ],
)
def test_what_cannot_work_is_refused(entries: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(Refused, match="nothing was changed") as refused:
        parse_entries(entries)
    assert message in str(refused.value)


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(Refused) as refused:
        parse_entries([raw("8086:4940"), raw("nonsense")])
    assert "8086:4940" in str(refused.value) and "nonsense" in str(refused.value)


def test_what_never_worked_can_be_removed_but_must_be_an_entry() -> None:
    unwanted = [raw("8086:4940"), raw("8086:4941", "qat.intel.com/cy", external=True)]
    assert parse_entries(unwanted, absent=True) == [
        Entry("8086:4940", "intel.com/qat"),
        Entry("8086:4941", "qat.intel.com/cy", external=True),
    ]
    with pytest.raises(Refused, match="not vendor and device"):
        parse_entries([raw("8086")], absent=True)


def test_no_entry_at_all_changes_nothing() -> None:
    assert merge(cr(), KUBEVIRT, []) == cr()


def test_the_second_of_two_entries_there_is_seen_too() -> None:
    item = cr(
        {"pciVendorSelector": "8086:4941", "resourceName": "intel.com/qat"},
        {"pciVendorSelector": "8086:4941", "resourceName": "acme.com/qat"},
    )
    with pytest.raises(Refused, match=r"gives it the name acme\.com/qat"):
        merge(item, KUBEVIRT, [VF])


def test_an_entry_that_somebody_disabled_is_not_enabled() -> None:
    entry = {"pciDeviceSelector": "8086:4941", "resourceName": "intel.com/qat", "disabled": True}
    item = {"spec": {"virtualization": {"permittedHostDevices": {"pciHostDevices": [entry]}}}}
    with pytest.raises(Refused, match="has 8086:4941 with disabled: true"):
        merge(item, HYPERCONVERGED, [VF])


SELECTORS = st.sampled_from(("8086:4941", "8086:37C9", "8086:37c9", "10de:1eb8", "10DE:1EB8"))
NAMES = st.sampled_from(("intel.com/qat", "nvidia.com/T4"))
THEIRS = st.fixed_dictionaries(
    {"pciVendorSelector": SELECTORS, "resourceName": NAMES},
    optional={"externalResourceProvider": st.booleans(), "unknown": st.integers()},
)
OURS = st.lists(st.builds(Entry, SELECTORS, NAMES), max_size=3)


@given(st.lists(THEIRS, max_size=5), OURS)
def test_merging_keeps_others_in_order_and_is_done_after_once(theirs: list[dict[str, Any]], ours: list[Entry]) -> None:
    before = cr(*theirs)
    try:
        after = merge(deepcopy(before), KUBEVIRT, ours)
    except Refused:
        return
    assert merge(deepcopy(after), KUBEVIRT, ours) == after
    wanted = {entry.key for entry in ours}
    foreign = [entry for entry in theirs if entry["pciVendorSelector"].lower() not in wanted]
    found = devices(after) if theirs or ours else []
    assert [entry for entry in found if entry["pciVendorSelector"].lower() not in wanted] == foreign
    assert wanted <= {entry["pciVendorSelector"].lower() for entry in found}
    assert after["metadata"] == before["metadata"]


@given(st.lists(THEIRS, max_size=4), st.builds(Entry, st.just("8086:4945"), NAMES))
def test_absent_after_present_is_as_before_but_for_the_gate(theirs: list[dict[str, Any]], ours: Entry) -> None:
    before = cr(*theirs, gates=["HostDevices"])
    assert remove(merge(deepcopy(before), KUBEVIRT, [ours]), KUBEVIRT, [ours]) == before
