"""How A_A is wired: settings from the environment, Django, Celery, URLs."""
