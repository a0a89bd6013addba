"""Networks for super-resolution, one file each."""
