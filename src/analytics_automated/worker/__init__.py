"""The worker: Celery tasks and threads of its own, thin doors to the engine."""
