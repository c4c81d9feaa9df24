"""Stored bytes: Blobs by content, and the streams in and out. Knows nothing of what the bytes are for."""
