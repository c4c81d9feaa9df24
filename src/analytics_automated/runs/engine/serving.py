"""The Backends that a worker serves, as they are at this moment."""

from collections.abc import Collection
from functools import lru_cache
from typing import Any

from django.db.models import prefetch_related_objects

from analytics_automated.pipelines.models import Backend, QueueType
from analytics_automated.storage.statements import Columns, Statement

_BACKEND = Columns(Backend, "b")
_QUEUE_TYPE = Columns(QueueType, "q")
_ALL = Statement(f"""
SELECT {_BACKEND}, {_QUEUE_TYPE},
    EXISTS (SELECT 1 FROM pipelines_data d WHERE d.backend_id = b.id),
    EXISTS (SELECT 1 FROM pipelines_backendvariable v WHERE v.backend_id = b.id)
FROM pipelines_backend b JOIN pipelines_queuetype q ON q.id = b.queue_type_id
ORDER BY b.name
""")  # noqa: S608 -- names of ours


def served(queues: Collection[str], without: Collection[str] = ()) -> list[Backend]:
    """The Backends of these queues but for those `without`, with their Queue Types."""
    backends = [_plain(row) if not any(row[-2:]) else _read(row) for row in _ALL.rows()]
    return [each for each in backends if each.queue_type.name in queues and each.name not in without]


def _read(row: tuple[Any, ...]) -> Backend:
    backend = _BACKEND.read(row)
    backend.queue_type = _QUEUE_TYPE.read(row[len(_BACKEND) :])
    return backend


@lru_cache(maxsize=256)
def _plain(row: tuple[Any, ...]) -> Backend:
    """One that has no data and no variables: all there is of it is in the row, so that equal rows are one Backend."""
    backend = _read(row)
    prefetch_related_objects([backend], "data", "environment")
    return backend
