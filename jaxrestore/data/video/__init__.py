"""Videos in files: what they are, their frames, and files made of frames. ffmpeg does the coding, in processes of its own.

Frames go through pipes and never to the disk as pictures. An `Encoding` says how they are stored again; `Pieces` makes a file of them that
can be gone on with after a kill; `join` puts the pieces together, with all else that the source holds.
"""

WRITTEN = (".mp4", ".m4v", ".mov", ".mkv", ".webm")
"""File name endings of videos that can be written."""

SUFFIXES = (*WRITTEN, ".avi", ".ts", ".m2ts", ".mts", ".mpg", ".mpeg", ".vob", ".wmv", ".flv", ".ogv", ".3gp", ".y4m", ".mxf", ".nut")
"""File name endings by which a video is known."""
