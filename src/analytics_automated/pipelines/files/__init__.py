"""Pipeline files: YAML with source positions, read into definitions."""
