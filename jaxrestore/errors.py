"""The one exception that means "what you gave me is wrong", as opposed to "I am broken"; and how to know that memory ran out."""


class InputError(ValueError):
    """Bad input from the user: a file, a field, a name or a value.

    Its message is one line that says which file or field, what is wrong with it, and what to do. The command line prints it and exits with
    code 2; a script can catch it as the ValueError that it is.
    """


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out: backends report an allocation that failed as a RuntimeError of their own."""
    return isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and "RESOURCE_EXHAUSTED" in str(error))
