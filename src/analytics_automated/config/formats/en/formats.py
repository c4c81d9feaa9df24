"""Dates and times as ISO 8601 orders them, with seconds: who looks into what happened needs them."""

DATE_FORMAT = "Y-m-d"
TIME_FORMAT = "H:i:s"
DATETIME_FORMAT = "Y-m-d H:i:s"
