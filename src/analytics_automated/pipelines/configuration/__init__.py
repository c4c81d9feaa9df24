"""The configuration in the database: reading it, changing it, and keeping it right.

Every change, from a file or a page, goes through here: the same checks, one transaction, a line of history, and a new
snapshot of every job that it touches. What was submitted before is not touched.
"""

from analytics_automated.pipelines.configuration.applying import Options, apply
from analytics_automated.pipelines.configuration.changes import Changes, Difference
from analytics_automated.pipelines.configuration.exporting import Export, exported, needed_by
from analytics_automated.pipelines.configuration.stored import Stored, read_stored
from analytics_automated.pipelines.configuration.verifying import ensure_local_backend, verify_stored

__all__ = [
    "Changes",
    "Difference",
    "Export",
    "Options",
    "Stored",
    "apply",
    "ensure_local_backend",
    "exported",
    "needed_by",
    "read_stored",
    "verify_stored",
]
