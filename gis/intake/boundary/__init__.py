"""The parts of the boundary-point TXT: form, head, lines, rings, the linter and the writer.

The front is :mod:`gis.intake.boundary_txt`.
"""
