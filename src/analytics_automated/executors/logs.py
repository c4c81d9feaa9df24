"""Logs of bounded size: the beginning and the end of what a command wrote."""

from analytics_automated.executors.base import Log


class BoundedLog:
    """Keeps the first and the last bytes of a stream, `limit` bytes together, in memory of about that size.

    A stream of at most `limit` bytes is kept whole. Of a longer one the middle is dropped and counted. An odd
    limit gives its odd byte to the end, which is where errors are.
    """

    def __init__(self, limit: int) -> None:
        if limit < 0:
            raise ValueError(f"a log cannot keep {limit} bytes")
        self._head_limit = limit // 2
        self._tail_limit = limit - self._head_limit
        self._head = bytearray()
        self._tail = bytearray()
        self._omitted = 0

    def write(self, data: bytes) -> None:
        """Append what was read."""
        room = self._head_limit - len(self._head)
        if room > 0:
            self._head += data[:room]
            data = data[room:]
        self._tail += data
        excess = len(self._tail) - self._tail_limit
        if excess > 0:
            del self._tail[:excess]
            self._omitted += excess

    def log(self) -> Log:
        """What is kept so far."""
        return Log(head=bytes(self._head), tail=bytes(self._tail), omitted=self._omitted)
