"""What HAPPENED: Submissions, their StepRuns, Attempts, Results and Events; the engine that alone writes states."""
