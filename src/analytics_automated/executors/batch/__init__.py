"""What all executors share that use a scheduler: the wrapper, the state folder, and how to judge an end."""
