"""Where a name leads, and whether one may go there. In: a host. Out: its addresses, all of them public, or
RefusedAddressError.

What a stranger's address leads to inside this machine or its network (a router, a database, the cloud's own service of
keys) is nobody's footage. A name is looked up once; the connection then goes to one of these addresses, whatever the
name says a moment later.
"""

from __future__ import annotations

import ipaddress
import queue
import socket
import threading

from sfumato.execution.fetch.clock import Clock

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052: the last four bytes are the address that is meant
_UNICAST = ipaddress.IPv6Network("2000::/3")  # all that has been given out
_NOT_PUBLIC = (  # what `is_global` of one Python or another takes for public
    ipaddress.ip_network("168.63.129.16/32"),  # the inside of a large cloud, on every machine of it
    ipaddress.ip_network("192.0.0.0/24"),  # for protocols; another large cloud's service of keys
    ipaddress.ip_network("192.88.99.0/24"),  # relays of 6to4, given up
    ipaddress.ip_network("3fff::/20"),  # documentation
)


class RefusedAddressError(Exception):
    """The text says why."""


def resolve(host: str, port: int, clock: Clock) -> list[str]:
    """The addresses of `host`, in the system's order, each once. Raises RefusedAddressError if one of them is not
    public: a name that leads both ways is a trick; OSError without an answer, TimeoutError without one in time.
    """
    found = list(dict.fromkeys(_looked_up(host, port, clock)))
    if not all(map(is_public, found)):
        raise RefusedAddressError(f"{host} leads to an address that is not public")  # which one is nobody's business
    return found


def is_public(address: str) -> bool:
    """Whether anybody may be reached there, and nothing of this machine or its network."""
    number = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(number, ipaddress.IPv6Address):
        inner = _inner(number)
        if inner is not None:
            return is_public(str(inner))
        if number not in _UNICAST:
            return False
    return number.is_global and not number.is_multicast and not any(number in each for each in _NOT_PUBLIC)


def _inner(number: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that packets to this one end at."""
    if number in _NAT64:
        return ipaddress.IPv4Address(int(number) & 0xFFFFFFFF)
    teredo = number.teredo
    return number.ipv4_mapped or number.sixtofour or (teredo[1] if teredo is not None else None)


def _looked_up(host: str, port: int, clock: Clock) -> list[str]:
    """The system's answer, which cannot be broken off: waited for no longer than the clock allows."""
    answers: queue.SimpleQueue[list[str] | OSError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answers.put([str(entry[4][0]) for entry in entries])
        except UnicodeError:
            answers.put(OSError("no name of a host"))
        except OSError as error:
            answers.put(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        answer = answers.get(timeout=clock.left())
    except queue.Empty:
        raise TimeoutError("it takes too long") from None
    if isinstance(answer, OSError):
        raise answer
    if not answer:
        raise OSError("it has no address")
    return answer
