"""What is minimised, each as a pure `init` and `step`."""
