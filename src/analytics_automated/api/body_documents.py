"""The bodies of requests that are read by hand, for the OpenAPI document."""

from typing import Any

_VALUE: dict[str, Any] = {
    "oneOf": [
        {"type": "string", "description": "The file's text."},
        {
            "type": "object",
            "properties": {"text": {"type": "string"}, "file_name": {"type": "string"}},
            "required": ["text"],
            "additionalProperties": False,
        },
        {
            "type": "object",
            "properties": {
                "base64": {"type": "string", "contentEncoding": "base64"},
                "file_name": {"type": "string"},
            },
            "required": ["base64"],
            "additionalProperties": False,
        },
        {
            "type": "object",
            "properties": {"result": {"type": "string", "description": "<submission id>/<result name>"}},
            "required": ["result"],
            "additionalProperties": False,
        },
    ]
}
_ENVELOPE: dict[str, Any] = {
    "name": {"type": "string", "maxLength": 255, "description": "The caller's own name of the submission."},
    "email": {"type": "string", "format": "email"},
    "webhook": {"type": "string", "format": "uri"},
}

SUBMISSION_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "A part per input and a field per parameter, under the names that the job's page tells.",
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {
                        **_ENVELOPE,
                        "input_data": {
                            "type": "string",
                            "contentMediaType": "application/octet-stream",
                            "description": "The input of a job that has a single one.",
                        },
                    },
                    "additionalProperties": True,
                }
            },
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {
                        **_ENVELOPE,
                        "parameters": {"type": "object"},
                        "inputs": {
                            "type": "object",
                            "additionalProperties": {"anyOf": [_VALUE, {"type": "array", "items": _VALUE}]},
                        },
                    },
                    "additionalProperties": False,
                }
            },
        },
    }
}
