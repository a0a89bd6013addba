"""One file format a file, behind `jaxrestore.data.images`: nothing else of the package knows how a picture is encoded."""
