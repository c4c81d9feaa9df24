"""Checks of the data that a user sends, run before anything is queued. One small class each."""
