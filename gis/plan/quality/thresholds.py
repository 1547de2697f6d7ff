"""From which size on is something in a layer a fault?

Every threshold of the layer checks stands here once, with its reason. None of them is a number of
law; those stand in the rule books.
"""

from __future__ import annotations

# --- pieces: gaps, overlaps, parts outside, single features -------------------------------------

# Narrower than this (width = 2 · area / perimeter) a piece is a sliver of digitising, no land.
SLIVER_WIDTH_M = 0.1
# Smaller than this a piece is no parcel either, however compact.
SLIVER_AREA_M2 = 1.0
# Coordinates rounded to a millimetre leave pieces up to this wide where a vertex is missing in the
# neighbour; they are summed up in one note.
ROUNDING_WIDTH_M = 0.002
# What overlaying itself leaves behind in double precision; nothing is said of it.
NUMERIC_M2 = 0.001
NUMERIC_M = 0.001
# Lines and points lie outside from this distance to the coverage on.
OUTSIDE_DEPTH_M = 0.1

# --- stated areas -------------------------------------------------------------------------------

# Review standard: beyond this share the stated area is wrong, below it the difference is told.
AREA_SHARE = 0.01
# A stated area is right within this, or within the rounding of its last digit.
AREA_M2 = 1.0
# A planar area is copied from a program, so it agrees much better than the two areas differ.
PLANAR_SHARE = 20e-6
# Of the features whose area disagrees, this share in one other unit means that the column is in it.
SAME_UNIT_SHARE = 0.5
# So many slight differences are one systematic one where this share of them is alike within this
# spread (the scale of a projection differs by some 100 ppm over a county).
SYSTEMATIC_COUNT = 20
SYSTEMATIC_SHARE = 0.9
SYSTEMATIC_SPREAD = 100e-6

# --- position -----------------------------------------------------------------------------------

# Share of the vertices that must lie in the bounds of the plan for a reading of them to fit.
FITTING_SHARE = 0.9
# A feature that lies wholly this far beyond the bounds of the plan has wrong coordinates, …
FAR_DEG = 2.0
# … and so has one with a corner this far away; neither is measured.
VERY_FAR_DEG = 20.0
# Vertices count as the same place when they lie in neighbouring cells of this size.
COINCIDENCE_M = 0.1
# So many vertices must meet other layers, or the edge of their coverage, once a shift is undone; of
# a small layer fewer do when they are this share. By chance one in some ten thousand does.
COINCIDENT_COUNT = 4
COINCIDENT_FEW = 2
COINCIDENT_SHARE = 0.25
# They must be this many times as many as before.
COINCIDENT_GAIN = 3.0
# A shift that follows no formula is searched up to this distance, …
RIGID_REACH_M = 1000.0
# … or, among many vertices, as far as so many steps between two of them fit into memory, …
RIGID_STEPS = 5_000_000
# … reported from this distance on, …
RIGID_LEAST_M = 0.3
# … and believed on this many vertices and this share of them.
RIGID_COUNT = 10
RIGID_SHARE = 0.12
# … unless another step of the same length occurs at least this often beside it: then the layer is
# drawn at a distance on several sides.
RIGID_RIVAL = 0.5
# Vertices of a layer that are looked at; evenly spread over the layer.
SAMPLED_VERTICES = 1000
RIGID_VERTICES = 300

# --- text and report ----------------------------------------------------------------------------

# Share of the texts that a codec must read for the others to count as single faults.
READABLE_SHARE = 0.5
# Findings of one kind in one layer that are told one by one; the others are summed up in one more.
TOLD_ONE_BY_ONE = 1000
