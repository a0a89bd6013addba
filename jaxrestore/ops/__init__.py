"""Pure array functions on images."""
