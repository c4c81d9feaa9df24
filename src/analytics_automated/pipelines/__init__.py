"""WHAT may run: Jobs, Tasks and all that defines them; pipeline files, checks, commands and validators."""
