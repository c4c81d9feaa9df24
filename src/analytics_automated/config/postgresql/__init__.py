"""Django's PostgreSQL, with a pool that gives out no dead connection."""
