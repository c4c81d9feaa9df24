"""First pipeline files, guessed from command lines."""
