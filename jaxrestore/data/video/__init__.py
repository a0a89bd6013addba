"""Videos in files: what they are, their frames, and files made of frames. ffmpeg does the coding, in processes of its own.

Frames go through pipes and never to the disk as pictures. An `Encoding` says how they are stored again; `Pieces` makes a file of them that
can be gone on with after a kill; `join` puts the pieces together, with all else that the source holds.
"""
