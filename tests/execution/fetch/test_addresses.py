"""Which addresses are public: none that leads into a machine or its network, however it is written."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfumato.execution.fetch.addresses import is_public

INSIDE = [
    *("0.0.0.0", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.255", "169.254.169.254"),
    *("172.16.0.1", "192.0.0.192", "192.168.1.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255"),
    *("168.63.129.16", "192.0.2.1", "203.0.113.7", "192.88.99.1"),
    *("::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1"),
    *("64:ff9b:1::1", "fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1", "ff0e::1"),
    *("2002:7f00:1::", "2002:a00:1::1", "2001:db8::1", "2001:0:1:2:3:4:80ff:fffe", "100::1", "3fff::1", "4000::1"),
]
OUTSIDE = ["8.8.8.8", "93.184.215.14", "2606:2800:220:1::1", "64:ff9b::808:808", "::ffff:8.8.8.8", "2002:808:808::1"]


@pytest.mark.parametrize("address", INSIDE)
def test_what_is_inside_is_refused(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", OUTSIDE)
def test_what_is_public_is_not(address: str) -> None:
    assert is_public(address)


@given(st.sampled_from(["10.0.0.0/8", "127.0.0.0/8", "192.168.0.0/16", "172.16.0.0/12", "169.254.0.0/16"]), st.data())
def test_every_wrapping_of_an_address_inside_is_refused(network: str, data: st.DataObject) -> None:
    inside = ipaddress.ip_network(network)
    number = data.draw(st.integers(int(inside[0]), int(inside[-1])))
    wraps = (0, 0xFFFF << 32, 0x64FF9B << 96, (0x2002 << 112) | (number << 80) - number)
    for wrap in wraps:
        assert not is_public(str(ipaddress.IPv6Address(wrap + number)))
