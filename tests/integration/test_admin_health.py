"""Pages of how Backends are, as an operator reads them."""

import pytest

from analytics_automated.executors.base import Condition
from analytics_automated.runs import health
from analytics_automated.runs.models import Health

pytestmark = pytest.mark.django_db


def test_the_operator_sees_that_a_backend_is_down_since_when_and_why(admin_client) -> None:
    assert health.look_after("cluster", "me", 30)
    assert not health.look_after("cluster", "another", 30)
    health.tell_condition("cluster", Condition(slots=16, running=3, waiting=2, detail="partition main"))
    assert health.tell_failure("cluster", "sinfo: Unable to contact slurm controller")
    assert not health.tell_failure("cluster", "sinfo: Unable to contact slurm controller")

    shown = admin_client.get("/admin/runs/health/").content.decode()
    assert "cluster" in shown
    page = admin_client.get(f"/admin/runs/health/{Health.objects.get().pk}/change/").content.decode()
    assert "Unable to contact slurm controller" in page
    assert health.down_backends() == {"cluster"}

    assert health.tell_condition("cluster", Condition(slots=16))
    assert health.down_backends() == frozenset()
    assert Health.objects.get().error, "the last error stays to be read"
