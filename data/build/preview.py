"""Render the built layers as PNG files for the eye; not part of the products.

``python data/build/preview.py OUT_DIR`` after build.py. Needs matplotlib and a CJK font.
"""

from __future__ import annotations

import sys
from pathlib import Path

import geopandas as gpd
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes

DATA = (
    Path(sys.argv[2]) if len(sys.argv) > 2 else Path(__file__).resolve().parents[1] / "shapefiles"
)
SANDIAO = {
    "01": "#f5f0b4",
    "02": "#c9eaa8",
    "03": "#7cbf76",
    "04": "#d6f29a",
    "05": "#ff6a5a",
    "06": "#bb9674",
    "07": "#ffe04a",
    "08": "#ff9ad5",
    "10": "#a8a8a8",
    "11": "#6fb3e6",
    "12": "#d8c79f",
    "0103": "#e8dfa0",
    "0702": "#ffd38a",
    "0810": "#40e070",
    "0810A": "#acffcf",
    "1109": "#a9bfcc",
    "0809": "#3a7c9a",
    "1006": "#c8c8c8",
}
PLANNED = {
    "07": "#fff04a",
    "08": "#ff7ad5",
    "0803": "#ff9a30",
    "0805": "#00a57c",
    "09": "#ff3a3a",
    "10": "#bb9674",
    "12": "#a8a8a8",
    "13": "#006380",
    "1401": "#50f060",
    "1402": "#30a060",
    "1403": "#acffcf",
    "16": "#ffffff",
    "17": "#3f9fd0",
}
ZONES = {"Z1": "#9fd8ef", "Z2": "#f7b0c8", "Z3": "#c9a0dc", "Z4": "#dcebb0", "Z5": "#ffd59a"}
WINDOWS = {
    "core": (403500, 4027000, 410000, 4033900),
    "west": (397000, 4018500, 404000, 4025500),
    "south": (406500, 4019000, 413500, 4026500),
    "east": (411000, 4016000, 418500, 4023500),
}


def load(name: str) -> gpd.GeoDataFrame:
    """Read one layer."""
    return gpd.read_file(DATA / f"{name}.shp")


def colours(codes: list[str], table: dict[str, str]) -> list[str]:
    """Return the colour of the longest known prefix of each code."""
    return [next(table[c[:n]] for n in (6, 5, 4, 3, 2) if c[:n] in table) for c in codes]


def current(ax: Axes, edge: float) -> None:
    """Draw the current land use with the town borders."""
    parcels = load("DLTB")
    parcels.plot(
        ax=ax, color=colours(list(parcels.DLBM), SANDIAO), edgecolor="#55555566", linewidth=edge
    )
    load("XZQ").boundary.plot(ax=ax, color="#222", linewidth=1.2)
    load("HXQ").boundary.plot(ax=ax, color="#c02080", linewidth=1.0, linestyle="--")


def planned(ax: Axes) -> None:
    """Draw the planned land use of the core."""
    plots = load("GHYDYH")
    plots.plot(
        ax=ax, color=colours(list(plots.YDYHFLDM), PLANNED), edgecolor="#00000033", linewidth=0.3
    )


def rules(ax: Axes) -> None:
    """Draw zones, farmland, development boundary, redline and lines."""
    zones = load("GNFQ")
    zones.plot(ax=ax, color=[ZONES[z] for z in zones.GNFQDM], edgecolor="#666", linewidth=0.8)
    load("YJJBNTTB").plot(ax=ax, color="#e0c020", alpha=0.55)
    load("CZKFBJ").plot(
        ax=ax, column="GHFQDM", cmap="Reds", alpha=0.35, edgecolor="#d02020", linewidth=1.0
    )
    load("STBHHX").plot(ax=ax, color="#207a40")
    load("HDGLFW").boundary.plot(ax=ax, color="#2060c0", linewidth=0.6)
    load("JCQ").boundary.plot(ax=ax, color="#333", linewidth=0.8, linestyle=":")
    load("DLXL").plot(ax=ax, color="#ff7f00", linewidth=0.8)
    load("DLZXX").plot(ax=ax, color="#777", linewidth=0.5)
    load("XM").plot(ax=ax, color="#6020c0")


def save(fig: plt.Figure, path: Path, dpi: int) -> None:
    """Write one picture without margins."""
    fig.savefig(path, dpi=dpi, bbox_inches="tight")
    print(path.name)


def main(out: Path) -> None:
    """Write the overview and the detail windows."""
    plt.rcParams["font.family"] = "Noto Sans CJK SC"
    out.mkdir(parents=True, exist_ok=True)
    for name, draw in (("rules", rules), ("planned", planned)):
        fig, ax = plt.subplots(figsize=(18, 14))
        draw(ax)
        ax.set_axis_off()
        save(fig, out / f"{name}.png", 62)
    fig, ax = plt.subplots(figsize=(20, 16))
    current(ax, 0.15)
    ax.set_axis_off()
    save(fig, out / "landuse.png", 80)
    for name, (x0, y0, x1, y1) in WINDOWS.items():
        ax.set(xlim=(x0, x1), ylim=(y0, y1))
        save(fig, out / f"landuse_{name}.png", 56)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
