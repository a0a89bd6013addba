"""The command line: one thin file a command. Heavy imports happen inside a command's `run`, so that help appears at once."""
