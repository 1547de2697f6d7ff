"""What do two bands of an image say of plants and water, and where does one class end?

Normalised differences and the threshold of Otsu, on arrays. Which threshold is right for a place
and a date is not decided here.

Sources: NDVI, Rouse et al. 1974; NDWI, McFeeters 1996 (green and near infrared, water above 0);
N. Otsu 1979, A threshold selection method from gray-level histograms.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gis.engine.index import Array

# Index: (plus, minus); the index is (plus - minus) / (plus + minus).
INDICES = {"ndvi": ("nir", "red"), "ndwi": ("green", "nir")}
# An index runs from -1 to 1; a bin of 0.001 is finer than any image is calibrated.
BINS = 2000


@dataclass(frozen=True, slots=True)
class Threshold:
    """A threshold of an index, and how well it separates when it was found from a histogram.

    ``separability`` is the variance between the two classes over the whole variance, 0 to 1: two
    clear humps come near 1, an even spread has 0.75, a single bell (nothing to separate) 0.64.
    """

    value: float
    separability: float | None = None


def normalised_difference(plus: Array, minus: Array) -> Array:
    """Return (plus - minus) / (plus + minus) as floats; NaN where the sum is not above zero.

    Integers are widened first: 200 + 100 does not fit into eight bits. A sum of zero or below
    (deep shadow, offsets of the calibration) has no meaning and is not a value of the index.
    """
    a, b = np.asarray(plus, dtype=np.float64), np.asarray(minus, dtype=np.float64)
    total = a + b
    with np.errstate(divide="ignore", invalid="ignore"):
        index: Array = np.where(total > 0, (a - b) / total, np.nan)
    return index


def histogram(index: Array) -> Array:
    """Return how many finite values of an index lie in each of 2,000 bins from -1 to 1.

    Values beyond the ends (negative reflectances) count in the outer bins.
    """
    values = np.clip(index[np.isfinite(index)], -1.0, 1.0)
    at = np.minimum(((values + 1.0) * (BINS / 2)).astype(np.int64), BINS - 1)
    counts: Array = np.bincount(at, minlength=BINS)
    return counts


def otsu(counts: Array, low: float = -1.0, high: float = 1.0) -> Threshold | None:
    """Return the threshold that separates a histogram best, or None when all is in one bin.

    It maximises the variance between the classes below and above, w0 · w1 · (m0 - m1)². Between
    two humps with nothing in between every split is equally good, and the middle is taken.

    Parameters
    ----------
    counts
        Counts of equal bins from ``low`` to ``high``.
    """
    weights = np.asarray(counts, dtype=np.float64)
    width = (high - low) / len(weights)
    centres = low + (np.arange(len(weights)) + 0.5) * width
    below = np.cumsum(weights)[:-1]
    above = weights.sum() - below
    sums = np.cumsum(weights * centres)
    parted = (below > 0) & (above > 0)
    if not parted.any():
        return None
    with np.errstate(divide="ignore", invalid="ignore"):
        gap = sums[:-1] / below - (sums[-1] - sums[:-1]) / above
    between = np.where(parted, below * above * gap**2, 0.0) / weights.sum() ** 2
    best = np.flatnonzero(between >= between.max() * (1 - 1e-9))
    mean = sums[-1] / weights.sum()
    spread = float((weights * (centres - mean) ** 2).sum() / weights.sum())
    edge = low + (best[0] + best[-1] + 2) / 2 * width
    return Threshold(float(edge), min(float(between.max()) / spread, 1.0))
