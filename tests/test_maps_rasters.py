"""Rasters as pictures on the map: where they lie, in which colours, and what is left out."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import date
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import rasterio
from PIL import Image
from rasterio import Affine

from gis.model import LayerState
from gis.output.maps import rasters
from gis.output.maps.rasters import raster_pictures
from gis.plan import Plan
from gis.plan.landcover import open_rasters


def pixels(layer: Any) -> np.ndarray:
    """The bands of a picture as a browser decodes them: red, green, blue, alpha."""
    kind, _, data = layer.url.partition(",")
    assert kind == "data:image/png;base64"
    with Image.open(BytesIO(base64.b64decode(data))) as image:
        return np.moveaxis(np.asarray(image.convert("RGBA")), -1, 0)


@pytest.fixture(scope="module")
def pictures(plan: Plan) -> dict[str, Any]:
    return {p.id: p for p in raster_pictures(plan, "public", "wq-raster")}


def test_every_raster_of_the_plan_is_a_picture_that_is_switched_off(pictures) -> None:
    assert set(pictures) == {"landcover", "image_april", "image_june"}
    assert not any(p.layer.show for p in pictures.values())
    assert pictures["landcover"].date == "2026-04-20"


def test_a_picture_lies_where_the_raster_lies(pictures, plan) -> None:
    raster = open_rasters(plan)["landcover"]
    with rasterio.open(raster.path) as source:
        # PROJ's own transformation of the corners, by another way than the warped picture.
        from rasterio.warp import transform_bounds

        west, south, east, north = transform_bounds(source.crs, 4326, *source.bounds)
    (s, w), (n, e) = pictures["landcover"].layer.bounds
    # A pixel of the picture is about 25 m, 0.0003 degrees.
    assert (w, s, e, n) == pytest.approx((west, south, east, north), abs=6e-4)


def test_classes_have_the_colours_of_their_table(pictures, plan) -> None:
    codes = open_rasters(plan)["landcover"].codes.codes.values()
    shown = pixels(pictures["landcover"].layer)
    seen = {tuple(rgb) for rgb in shown[:3][:, shown[3] > 0].T.tolist()}
    wanted = {tuple(int(c.colour[i : i + 2], 16) for i in (1, 3, 5)) for c in codes if c.colour}
    assert seen <= wanted
    assert [str(key.label) for key in pictures["landcover"].keys] == [
        c.name for c in sorted(codes, key=lambda c: c.value) if str(c.name) in
        {str(key.label) for key in pictures["landcover"].keys}
    ]  # fmt: skip


def test_the_shares_of_a_picture_are_about_those_that_are_counted(pictures, plan) -> None:
    """Half of the pixels are left out; a wrong place or order of classes would show."""
    raster = open_rasters(plan)["landcover"]
    with rasterio.open(raster.path) as source:
        own = source.read(1)
    water = next(c for c in raster.codes.codes.values() if c.counted_as == "water")
    counted = (own == water.value).sum() / (own != 0).sum()
    shown = pixels(pictures["landcover"].layer)
    blue = [int(water.colour[i : i + 2], 16) for i in (1, 3, 5)]
    there = shown[3] > 0
    drawn = (np.all(np.moveaxis(shown[:3], 0, -1) == blue, axis=-1) & there).sum() / there.sum()
    assert drawn == pytest.approx(counted, rel=0.05)


def test_the_empty_corners_of_an_image_are_not_drawn(pictures) -> None:
    shown = pixels(pictures["image_april"].layer)
    empty = shown[3] == 0
    assert 0.01 < empty.mean() < 0.5
    assert shown[:3][:, ~empty].max() > 200  # stretched to what the eye can see


def test_a_raster_above_the_ceiling_never_leaves(plan, monkeypatch) -> None:
    all_ = open_rasters(plan)
    secret = {
        name: replace(r, entry=r.entry.model_copy(update={"secrecy": "restricted"}))
        for name, r in all_.items()
    }
    monkeypatch.setattr(rasters, "open_rasters", lambda _: secret)
    assert raster_pictures(plan, "internal", "p") == []
    assert len(raster_pictures(plan, "restricted", "p")) == 3


def test_a_raster_without_data_and_an_image_without_colours_are_left_out(plan, monkeypatch) -> None:
    all_ = open_rasters(plan)
    image = all_["image_april"]
    grey = replace(image, entry=image.entry.model_copy(update={"bands": {"ndvi": 1}}))
    gone = replace(all_["landcover"], state=LayerState.NO_DATA, form=None)
    monkeypatch.setattr(rasters, "open_rasters", lambda _: {"a": gone, "b": grey})
    assert raster_pictures(plan, "public", "p") == []


def test_a_value_that_no_table_explains_is_named_and_grey(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "c.tif"
    values = np.array([[[1, 1, 7], [1, 0, 7]]], dtype=np.uint8)
    place = Affine(10, 0, 400_000, 0, -10, 4_020_000)
    form = {"driver": "GTiff", "count": 1, "height": 2, "width": 3, "dtype": "uint8"}
    with rasterio.open(path, "w", crs="EPSG:4548", transform=place, nodata=0, **form) as target:
        target.write(values)
    entry = SimpleNamespace(id="c", title="<b>类</b>", kind="classes", secrecy="public",
                            nodata=0.0, date=date(2026, 1, 1), bands={})  # fmt: skip
    code = SimpleNamespace(name="林地", colour="#00ff00")
    made: Any = SimpleNamespace(
        entry=entry, path=path, state=LayerState.CHECKED,
        checked=SimpleNamespace(nodata=(0.0,)), codes=SimpleNamespace(codes={1.0: code}),
    )  # fmt: skip
    monkeypatch.setattr(rasters, "open_rasters", lambda _: {"c": made})
    (picture,) = raster_pictures(None, "public", "p")  # type: ignore[arg-type]  # nothing reads the plan here
    assert [str(key.label) for key in picture.keys] == ["林地", "未说明的值 7"]
    assert "<b>" not in str(picture.title)
    shown = pixels(picture.layer)
    assert {tuple(rgb) for rgb in shown[:3][:, shown[3] > 0].T.tolist()} == {
        (0, 255, 0),
        (150, 150, 150),
    }


def test_the_plan_map_names_the_rasters_and_may_leave_them_out(
    plan_page: str, bare_plan_page: str
) -> None:
    assert "土地覆盖（10 米）" in plan_page
    assert "data:image/png" in plan_page
    assert len(plan_page) < 5_000_000  # what the page of the bundled plan may weigh
    assert "多光谱影像" not in bare_plan_page.split("<script>")[-1]
