"""From a network and its weights to restored images: any size, exact tiles, planned memory."""

from jaxrestore.inference.restorer import Restorer

__all__ = ["Restorer"]
