"""Training: pure steps, compiled over devices; a loop that resumes exactly."""
