# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""PCI addresses."""

from __future__ import annotations

import pytest

from ansible_collections.intel.qatvirt.plugins.module_utils.node.pci import parse_address, vf_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("0000:6b:00.0", "0000:6b:00.0"),
        ("6b:00.0", "0000:6b:00.0"),
        (" 0000:6B:1F.7\n", "0000:6b:1f.7"),
        ("10000:01:00.0", "10000:01:00.0"),
    ],
)
def test_parse_address_takes_what_people_write(text: str, address: str) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize("text", ["", "6b", "0000:6b:00", "0000:6b:00.8", "0000:6b:20.0", "000:6b:00.0", None, 6])
def test_parse_address_names_what_is_wrong(text: object) -> None:
    with pytest.raises(ValueError, match=r"is not a PCI address; expected domain:bus:device.function") as error:
        parse_address(text)
    assert repr(text) in str(error.value)


@pytest.mark.parametrize("number", [1140.0, 1140, "1140.0", 66000])
def test_parse_address_tells_numbers_of_yaml_to_be_quoted(number: object) -> None:
    """YAML 1.1 counts in sixties: 0000:19:00.0 without quotes is 1140.0."""
    with pytest.raises(ValueError, match="in quotes: YAML reads an address of digits only as a number"):
        parse_address(number)


def test_parse_address_asks_for_quotes_where_they_help_only() -> None:
    with pytest.raises(ValueError, match="is not a PCI address") as error:
        parse_address("6b.0")
    assert "quotes" not in str(error.value)


@pytest.mark.parametrize(
    ("pf", "offset", "stride", "index", "vf"),
    [
        ("0000:6b:00.0", 1, 1, 0, "0000:6b:00.1"),
        ("0000:6b:00.0", 1, 1, 15, "0000:6b:02.0"),
        ("0000:01:00.0", 128, 2, 3, "0000:01:10.6"),
        ("10000:ff:00.0", 8, 1, 0, "10000:ff:01.0"),
    ],
)
def test_vf_address_follows_offset_and_stride(pf: str, offset: int, stride: int, index: int, vf: str) -> None:
    assert vf_address(pf, offset, stride, index) == vf
