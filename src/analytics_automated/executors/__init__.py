"""WHERE a command runs: executors and what passes to and from them. Imports no Django."""
