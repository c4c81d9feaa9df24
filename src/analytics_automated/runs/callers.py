"""Who calls: whom limits count for, and between whom work is shared out fairly. It is the account of who is logged in,
else the address.

An address is personal data, so only a keyed hash of it is kept: it tells whether two Submissions are of one caller, and
nothing else to who does not have the key.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from django.utils.crypto import salted_hmac

NOBODY = 0
"""Whoever has no limits: A_A itself."""
Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def caller_at(remote: str, forwarded: str, proxies: Sequence[Network]) -> int:
    """The caller behind a connection from `remote` that came with `forwarded` as its `X-Forwarded-For`."""
    address = client_address(remote, forwarded, proxies)
    return _hashed(f"address:{_household(address) if address else ''}")


def caller_logged_in(account: int) -> int:
    """The caller who is logged in, wherever the request comes from; `account` is the primary key."""
    return _hashed(f"account:{account}")


def client_address(remote: str, forwarded: str, proxies: Sequence[Network]) -> Address | None:
    """The address that a request came from; none where that is no address.

    Each proxy adds at the end of `X-Forwarded-For` whom it had the request from. So it is read from its end, and only
    as far as those who wrote it are trusted: what stands before can be made up by anybody.
    """
    address = _read(remote)
    for hop in reversed(forwarded.split(",")) if forwarded else ():
        if address is None or not any(address in proxy for proxy in proxies):
            break
        before = _read(hop.strip())
        if before is None:
            break
        address = before
    return address


def _read(text: str) -> Address | None:
    """An address, also with a port, as some proxies write it; IPv4 within IPv6 is IPv4."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _household(address: Address) -> str:
    """One caller's addresses: of IPv6 everybody has a whole /64."""
    return str(ip_network((address, 64), strict=False)) if isinstance(address, IPv6Address) else str(address)


def _hashed(identity: str) -> int:
    """64 bits, as databases have them, keyed with the installation's secret key; never `NOBODY`."""
    digest = salted_hmac("analytics_automated.runs.callers", identity, algorithm="sha256").digest()
    return int.from_bytes(digest[:8], "big", signed=True) or 1
