"""What is open: project, engine, jobs, undo, threads, messages."""
