"""The start page and a Submission's page."""
