"""What A_A costs beside raw Celery: `python -m bench` measures both in one run, and writes `RESULTS.md`."""
