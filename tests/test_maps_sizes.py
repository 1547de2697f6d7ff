"""Which layers of a page are paths, which are canvases, which are tiles: counts decide."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.output.maps.sizes import STANDARD, Limits, Size, sizes


def test_a_page_without_layers_needs_no_decision():
    assert sizes({}) == {}


@pytest.mark.parametrize(
    ("count", "size"),
    [
        (0, Size.SVG),
        (2_000, Size.SVG),
        (2_001, Size.CANVAS),
        (10_000, Size.CANVAS),
        (10_001, Size.TILES),
    ],
)
def test_a_layer_alone_is_drawn_by_its_own_count(count, size):
    assert sizes({"only": count}) == {"only": size}


def test_limits_hold_for_the_page_and_the_smallest_layers_stay_sharp():
    counts = {"parcels": 1_500, "zones": 5, "farmland": 600, "landuse": 8_346}
    assert sizes(counts) == {
        "parcels": Size.CANVAS,  # 5 + 600 + 1500 are more than 2000
        "zones": Size.SVG,
        "farmland": Size.SVG,
        "landuse": Size.CANVAS,  # 1500 + 8346 are fewer than 10,000
    }


def test_the_order_of_the_layers_is_kept_and_changes_nothing():
    counts = {"b": 1_500, "a": 1_500}
    assert list(sizes(counts)) == ["b", "a"]
    assert sizes(counts) == sizes({"a": 1_500, "b": 1_500})


@given(st.dictionaries(st.text(max_size=3), st.integers(0, 200), max_size=12))
def test_no_page_has_more_paths_or_canvas_features_than_its_limits(counts):
    limits = Limits(svg=50, canvas=100)
    chosen = sizes(counts, limits)
    for size, most in ((Size.SVG, limits.svg), (Size.CANVAS, limits.canvas)):
        assert sum(n for name, n in counts.items() if chosen[name] is size) <= most
    order = [Size.SVG, Size.CANVAS, Size.TILES]
    for a, few in counts.items():
        for b, many in counts.items():
            if few < many:
                assert order.index(chosen[a]) <= order.index(chosen[b])


def test_the_standard_limits_are_those_that_were_measured():
    assert Limits(svg=2_000, canvas=10_000) == STANDARD
