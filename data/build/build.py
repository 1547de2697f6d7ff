"""Build the bundled schematic plan: ``python data/build/build.py [--out DIR]``.

Reads facts.toml and writes shapefiles, rasters, plan.toml, samples and the register of projects. A
second run writes the same bytes. The order below is the order of dependence: outlines, ways, water,
sites, the painted countryside, one arrangement of faces, and every layer as a union of faces.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import catalogue
import districts
import fields
import landuse
import layers
import lines
import numpy as np
import parcels
import planned
import rasters
import register
import restrictions
import samples
import shapely
import sites
import streets
import urban
import water
import zones
from arrange import Arrangement
from frame import HERE, area, facts
from shapely.geometry.base import BaseGeometry
from write import write_shapefile

START = time.monotonic()


def say(message: str) -> None:
    """Print progress with the seconds since the start."""
    print(f"[{time.monotonic() - START:5.1f} s] {message}", flush=True)


class Drawing:
    """Everything drawn as free shapes, before it meets the common arrangement."""

    def __init__(self) -> None:
        self.rail = streets.railways()
        self.place = districts.build_districts(self.rail[0][3])
        self.ways = streets.streets() + streets.country_roads(self.place.resort)
        causeway = streets.named(self.ways, "松桂大街").land
        self.waters = water.all_water(causeway)
        self.sites = sites.build_sites()
        taken = landuse.ground_taken(self.ways, self.rail, self.waters)
        self.urban = urban.build_urban(taken, self.sites, self.waters)
        quiet = shapely.union_all([w.dike.buffer(60) for w in self.waters])
        free = self.place.resort - taken - self.urban.ground
        self.country = fields.build_country(free, list(self.place.towns.values()), quiet)
        self.patches = landuse.stack(self.ways, self.rail, self.waters, self.urban, self.country)
        self.plots = planned.plan_core(
            self.place.core, self.ways, self.rail, self.waters, self.sites
        )
        self.zones = zones.zone_sketch(self.place, self.country, self.urban, self.waters)
        self.development = zones.development(self.urban, self.waters)

    def outlines(self) -> list:
        """Return every shape whose edge some layer needs."""
        core_plots = [p.shape & self.place.core for p in self.plots]
        out = [p.shape for p in self.patches] + core_plots + self.zones.shapes
        out += [shape for _, _, shape in self.development] + [self.place.core, self.place.approval]
        out += [*self.place.towns.values(), *(shape for _, shape in lines.purple_shapes())]
        return [*out, self.urban.core_ground, *lines.redline_shapes()]


class Labels:
    """What every face of the arrangement belongs to."""

    def __init__(self, base: Arrangement, draw: Drawing) -> None:
        self.town = base.owner([draw.place.towns[t["id"]] for t in facts()["towns"]["list"]])
        self.patch, self.parcel = landuse.paint(base, draw.patches, self.town)
        self.code = np.array([p.code for p in draw.patches])[self.patch]
        self.state = np.array([p.state_owned for p in draw.patches])[self.patch]
        self.core = base.inside(draw.place.core)
        self.approval = base.inside(draw.place.approval)
        self.plan = base.owner_or_nearest([p.shape for p in draw.plots], self.core)
        self.zone = zones.zones_of_faces(base, draw.zones)
        self.growth = base.owner([shape for _, _, shape in draw.development])
        ranges = [w.dike for w in draw.waters if w.axis is not None]
        self.river = base.inside(shapely.union_all(ranges))


def build_tables(draw: Drawing) -> list[layers.Table]:
    """Node everything once and return all layers."""
    base = Arrangement(draw.outlines(), draw.place.resort)
    say(f"{len(base.faces)} faces")
    label = Labels(base, draw)
    say("faces labelled")
    everything = np.ones(len(base.faces), bool)
    tables = [
        layers.outline("GHFW", "1000", "江北水城旅游度假区", base.union(everything)),
        layers.towns(base, label.town),
        layers.outline("HXQ", "1002", "规划核心区", base.union(label.core)),
        layers.outline("SPFW", "1003", "省批范围", base.union(label.approval)),
        layers.zones(base, label.zone),
        layers.development(base, label.growth, draw.development),
        layers.parcels(base, draw.patches, label.patch, label.parcel),
        layers.planned_use(base, draw.plots, label.plan),
    ]
    tables += _rule_layers(base, draw, label) + _networks(draw)
    parcels.make_room(next(table for table in tables if table.file == "GHYDYH"))
    tables += restrictions.restriction_layers(base, draw.waters, draw.sites)
    tables += [
        parcels.detailed_parcels(),
        parcels.ownership(base, label.state, label.town, draw.country),
    ]
    return tables + layers.without_features({table.file for table in tables})


def _rule_layers(base: Arrangement, draw: Drawing, label: Labels) -> list[layers.Table]:
    """Return the layers that rules read: farmland, redline, city lines, water, built-up area."""
    plots, waters = draw.plots, draw.waters
    protected = lines.redline(base, waters)
    # The 2014 plan leaves no farmland in the core, so none of it is permanent.
    blocked = (label.growth >= 0) | (label.plan >= 0)
    blocked |= np.logical_or.reduce([chosen for _, _, chosen in protected])
    plot = lines.farmland(base, label.code, draw.country, blocked, draw.urban)
    return [
        layers.farmland(base, plot, label.code),
        layers.features("STBHHX", "2004", base, protected, "LHLX"),
        layers.features("ZXCQCSLVX", "2005", base, lines.green_line(plots, label.plan)),
        layers.features("ZXCQCSLX", "2006", base, lines.blue_line(base, draw.place, waters)),
        layers.features("ZXCQCSZX", "2007", base, lines.purple_line(base)),
        layers.features("ZXCQCSHX", "2008", base, lines.yellow_line(plots, label.plan)),
        layers.features("SX", "3002", base, lines.water_bodies(base, waters)),
        layers.features("HDGLFW", "3003", base, lines.river_ranges(base, waters)),
        layers.features("JCQ", "3004", base, lines.built_up(draw.urban, base, label.river)),
    ]


def _networks(draw: Drawing) -> list[layers.Table]:
    """Return lines and projects, which need no faces."""
    # Streets along the border lie exactly on it; 5 cm keep rounding from tearing them up.
    resort = draw.place.resort.buffer(0.05)
    return [
        layers.roads(draw.ways, resort, draw.country.roads),
        layers.railways(draw.rail, _settings(draw, resort)),
        layers.power_lines(streets.power_lines(), resort),
        layers.projects(draw.sites),
    ]


def _settings(draw: Drawing, resort: BaseGeometry) -> list[tuple[str, BaseGeometry]]:
    """Return what a railway runs through; outside the core the widest strip of the law is drawn."""
    city = draw.urban.core_ground
    return [("城市市区", city), ("城市郊区居民居住区", draw.place.core - city), ("其他", resort)]


def main() -> None:
    """Parse the one option and build."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--out", type=Path, default=HERE.parent, help="folder to write (default: data/)"
    )
    out = parser.parse_args().out
    say("drawing")
    draw = Drawing()
    tables = build_tables(draw)
    for table in tables:
        write_shapefile(
            out / "shapefiles" / table.file, table.geometry, table.fields, table.rows, table.shapes
        )
        km2 = sum(area(shape) for shape in table.shapes) / 1e6 if table.geometry == "polygon" else 0
        say(f"{table.file}: {len(table.rows)} features" + (f", {km2:.6f} km2" if km2 else ""))
    rasters.write_rasters(out / "rasters", next(t for t in tables if t.file == "DLTB"))
    say("rasters")
    samples.write_samples(out / "samples", draw.sites)
    projects = next(t for t in tables if t.file == "XM")
    register.write_projects(out / "projects.csv", projects)
    register.write_head(out / "projects.toml")
    catalogue.write_plan(out / "plan.toml")
    say(f"done: {out.name}")


if __name__ == "__main__":
    main()
