"""The room of the Python client. It imports no Django and no other room, which a contract holds."""
