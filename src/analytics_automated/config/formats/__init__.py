"""How dates and times are written, by language: Django reads its setting only where a language has no formats."""
