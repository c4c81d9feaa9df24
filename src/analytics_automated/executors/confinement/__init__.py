"""How commands are kept apart from the machine that they run on: wrappings of their argument lists."""
