"""The processes of the broker's stress test: a Celery application, and a publisher.

Celery runs this file as the module `broker_processes`; with `NAME COUNT QUEUE…` as arguments it publishes.
The folder in AA_STRESS_FOLDER holds the broker and the logs.
"""

import os
import random
import secrets
import sys
import time
from pathlib import Path

from celery import Celery

from analytics_automated.config.filesystem_broker import broker_settings

TASK = "stress.deliver"

folder = Path(os.environ["AA_STRESS_FOLDER"])
app = Celery("stress", set_as_current=False)
app.conf.update(broker_settings(folder / "broker"), task_ignore_result=True)
log = os.open(
    folder / "deliveries" / secrets.token_hex(8), os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600
)


@app.task(name=TASK)  # type: ignore[untyped-decorator]  # Celery has no types
def deliver(message: str, padding: str) -> None:
    os.write(log, f"{message}\n".encode())
    time.sleep(random.random() / 25)  # so that workers are killed while they run some and hold others


def publish(name: str, count: int, queues: list[str]) -> None:
    for number in range(count):
        # Long ones take several writes' time, which is when a reader that does not wait sees a half.
        padding = "x" * random.choice((0, 100, 50_000))
        app.send_task(TASK, [f"{name}-{number}", padding], queue=random.choice(queues))


if __name__ == "__main__":
    publish(sys.argv[1], int(sys.argv[2]), sys.argv[3:])
