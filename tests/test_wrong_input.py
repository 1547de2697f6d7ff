"""Wrong coordinates never become an answer: refused, or understood as what they are.

The law tested: whatever mistake is made with CRS, order or unit, the site either comes out where it
truly lies with its true area, or is refused. Left out are mistakes that no number betrays: metres
without a declaration that come from another datum on the same meridian (1980 Xi'an, UTM).
"""

from __future__ import annotations

import json
import math

import pytest
import shapely
from examples import examples
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from shapely import affinity
from shapely.geometry import Polygon, box, mapping

from gis.crs import CrsPolicy, ellipsoidal_area, gauss_kruger_epsg, transform
from gis.errors import InputError
from gis.intake import read_site
from gis.intake.boundary_txt import Plot, boundary_txt
from gis.webmap import to_bd09, to_gcj02

# ``WUQU_EXAMPLES`` sets the number of examples; then they are random.
TRIED = settings(
    max_examples=examples(60),
)
WRONG_DATUMS = (4610, 4214, 2343, 2383, 2434, 21460)
OTHERS = (3857, 32650, 32649, 4479, 4550, 4513, 4500)
DEGREES = (4490, 4326)


@st.composite
def places(draw):
    """A county somewhere in China: its policy, and a parcel inside it in the work CRS."""
    lon, lat = draw(st.floats(76, 133)), draw(st.floats(19, 52))
    zone = round(lon / 3)
    six = int(lon // 6) + 1
    codes = [4490, 4326]
    for number in (zone, zone - 1, six):
        codes += [gauss_kruger_epsg(number, prefixed=p) for p in (True, False)]
    work = gauss_kruger_epsg(zone, prefixed=False)
    accepted = tuple(dict.fromkeys(code for code in codes if code))
    policy = CrsPolicy(work, accepted, (lon - 0.2, lat - 0.15, lon + 0.2, lat + 0.15))
    east, north = draw(st.floats(-0.15, 0.15)), draw(st.floats(-0.1, 0.1))
    centre = transform(shapely.Point(lon + east, lat + north), 4490, work)
    size = draw(st.floats(60, 900))
    ring = [(0, 0), (1, 0.1), (1.1, 0.8), (0.4, 1.2)]
    return policy, Polygon([(centre.x + size * x, centre.y + size * y) for x, y in ring])


def geojson(polygon, epsg=None):
    shape = dict(mapping(polygon))
    if epsg:
        name = f"urn:ogc:def:crs:EPSG::{epsg}"
        shape["crs"] = {"type": "name", "properties": {"name": name}}
    return json.dumps(shape)


def understood_or_refused(content, policy, truth, **options):
    """Assert the law; return the site, or None when it was refused."""
    try:
        site = read_site(content, policy, **options)
    except InputError:
        return None
    assert shapely.hausdorff_distance(site.geometry, truth) < 0.05, "a site at a wrong place"
    true_m2 = ellipsoidal_area(truth, policy.work_epsg)
    # A TXT is written in millimetres.
    assert site.area.ellipsoidal_m2 == pytest.approx(true_m2, abs=0.001 * truth.length)
    return site


@TRIED
@given(places(), st.data())
def test_a_wrong_declaration_is_refused_or_harmless(place, data):
    policy, truth = place
    own = data.draw(st.sampled_from(policy.accepted))
    said = data.draw(st.sampled_from(policy.accepted + OTHERS + WRONG_DATUMS))
    # Degrees of a wrong datum look like any degrees: the declaration is what tells.
    numbers = transform(truth, policy.work_epsg, own)
    understood_or_refused(geojson(numbers, said), policy, truth)
    understood_or_refused(f"SRID={said};{numbers.wkt}", policy, truth)
    understood_or_refused(numbers.wkt, policy, truth, crs=said)


@TRIED
@given(places(), st.sampled_from(WRONG_DATUMS))
def test_an_old_datum_is_always_refused(place, epsg):
    policy, truth = place
    for own in (policy.work_epsg, 4490):
        numbers = transform(truth, policy.work_epsg, own)
        for content in (geojson(numbers, epsg), f"SRID={epsg};{numbers.wkt}"):
            assert understood_or_refused(content, policy, truth) is None


@TRIED
@given(places(), st.data())
def test_swapped_axes_are_refused_or_put_right(place, data):
    policy, truth = place
    own = data.draw(st.sampled_from(policy.accepted))
    numbers = shapely.transform(transform(truth, policy.work_epsg, own), lambda xy: xy[:, ::-1])
    for content in (geojson(numbers), geojson(numbers, own), numbers.wkt):
        assert understood_or_refused(content, policy, truth) is None
    if own not in DEGREES:
        text = boundary_txt([Plot("甲", "1", transform(truth, policy.work_epsg, own))], epsg=own)
        head, _, rows = text.partition("@\r\n")
        swapped = [row.split(",") for row in rows.split()]
        rows = "\r\n".join(",".join((a, b, d, c)) for a, b, c, d in swapped)
        understood_or_refused(f"{head}@\r\n{rows}\r\n", policy, truth)


FACTORS = {
    "kilometres": 1e-3,
    "decimetres": 10,
    "centimetres": 100,
    "millimetres": 1000,
    "feet": 1 / 0.3048,
    "chi": 3,
    "radians": math.pi / 180,
    "minutes": 60,
    "seconds": 3600,
    "gon": 10 / 9,
    "microdegrees": 1e6,
}


@TRIED
@given(places(), st.sampled_from(sorted(FACTORS)), st.data())
def test_wrong_units_are_refused(place, unit, data):
    policy, truth = place
    own = data.draw(st.sampled_from(policy.accepted))
    factor = FACTORS[unit]
    numbers = affinity.scale(transform(truth, policy.work_epsg, own), factor, factor, origin=(0, 0))
    for content in (geojson(numbers), numbers.wkt, geojson(numbers, own)):
        assert understood_or_refused(content, policy, truth) is None


@TRIED
@given(places(), st.data())
def test_lost_and_wrong_leading_digits_are_refused(place, data):
    policy, truth = place
    own = data.draw(st.sampled_from([c for c in policy.accepted if c not in DEGREES]))
    numbers = transform(truth, policy.work_epsg, own)
    dx, dy = data.draw(
        st.sampled_from(
            [
                (-500_000, 0),  # without the false easting
                (0, -math.floor(truth.bounds[1] / 1e5) * 1e5),  # northing without its lead
                (1e6, 0),  # the next zone number
                (3.9e7, 0),  # a zone number of another place, or one twice
                (0, 1e6),
                (0, -1e6),
            ]
        )
    )
    assume(abs(dy) != 0 or dx != 0)
    shifted = affinity.translate(numbers, dx, dy)
    for content in (geojson(shifted), geojson(shifted, own), shifted.wkt):
        understood_or_refused(content, policy, truth)


@TRIED
@given(places(), st.floats(0.01, 3), st.integers(0, 7))
def test_a_place_outside_the_bounds_is_refused_at_any_distance(place, gap, direction):
    policy, _ = place
    west, south, east, north = policy.bounds
    dx, dy = [(1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1)][direction]
    x = (east + gap if dx > 0 else west - gap) if dx else (west + east) / 2
    y = (north + gap if dy > 0 else south - gap) if dy else (south + north) / 2
    parcel = box(x, y, x + 0.001 * (dx or 1), y + 0.001 * (dy or 1))
    with pytest.raises(InputError):
        read_site(geojson(parcel), policy)


@TRIED
@given(places(), st.sampled_from([to_gcj02, to_bd09]))
def test_a_web_map_datum_with_a_wrong_name_is_caught_or_flagged(place, to_map):
    """A file called after a web map is open to both readings; nothing else betrays the shift."""
    policy, truth = place
    lonlat = transform(truth, policy.work_epsg, 4490)
    numbers = shapely.transform(lonlat, to_map)
    site = read_site(geojson(numbers).encode(), policy, name="gcj02 bd09.json")
    assert site.doubt is not None
    nearest = min(shapely.hausdorff_distance(o, truth) for o in site.doubt.others)
    assert nearest < 0.05
