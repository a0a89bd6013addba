"""`python -m jaxrestore` is the command `jaxrestore`."""

from jaxrestore.cli.main import main

if __name__ == "__main__":
    main()
