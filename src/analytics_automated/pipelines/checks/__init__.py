"""Checks of a configuration beyond the shape of single keys. Files and pages run the same ones."""
