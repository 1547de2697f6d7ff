"""Where is a project: which outline does the register name, and can it be used?

A file of the package (``site_file``, read like any site that arrives) or a feature of a project
layer (``site_feature``). A project that names neither has no outline; nothing is guessed from its
name.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np
import shapely

from gis.errors import FormatError, InputError
from gis.intake.read import read_site
from gis.model import LayerState, Site
from gis.portfolio.project import Project

if TYPE_CHECKING:
    from gis.plan import Plan
    from gis.plan.catalogue import Layer

# Where the register means a bare name of a file.
_FOLDERS = ("", "samples", "projects")


def outline_of(project: Project, plan: Plan) -> Site | None:
    """Return the outline of a project as a site of the plan; None when the register names none.

    Raises
    ------
    InputError
        The file or feature that it names is not there or cannot be judged.
    """
    if project.site_file is not None:
        path = file_of(project.site_file, plan.root)
        return replace(read_site(path, plan, name=project.name), name=project.name)
    if project.site_feature is not None:
        layer, at = feature_of(project.site_feature, plan)
        text = shapely.to_wkt(layer.index.geometries[at], rounding_precision=-1)
        return read_site(f"SRID={plan.work_epsg};{text}", plan, name=project.name)
    return None


def file_of(name: str, root: Path) -> Path:
    """Return the file of the package that a register names.

    Raises
    ------
    FormatError
        The name leads out of the package, or nothing is there.
    """
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in name:
        raise FormatError(
            f"边界图文件“{name[:80]}”不在规划数据包内",
            expected="数据包内的相对路径，如 samples/项目.txt",
            advice="把文件放进数据包，改写 site_file",
        )
    inside = root.resolve()
    for folder in _FOLDERS:
        found = (root / folder / path).resolve()
        if found.is_file() and found.is_relative_to(inside):
            return found
    raise FormatError(
        f"边界图文件“{name[:80]}”不存在",
        expected="数据包中的文件，如 samples/项目.txt",
        advice="补充文件，或清空 site_file",
    )


def feature_of(feature_id: str, plan: Plan) -> tuple[Layer, int]:
    """Return the project layer and the place in it of a feature.

    Raises
    ------
    FormatError
        No project layer has a feature of that id, or it is no polygon.
    """
    for layer in plan.with_role("project"):
        if layer.state is not LayerState.CHECKED:
            continue
        at = np.flatnonzero(layer.index.ids == feature_id)
        if len(at) == 1 and layer.info.geometry == "polygon":
            return layer, int(at[0])
    raise FormatError(
        f"项目图层中没有编号为“{feature_id[:40]}”的面",
        expected="role = project 的面图层中的要素编号",
        advice="核对 site_feature，或改用 site_file",
    )


def why_unusable(problem: InputError) -> str:
    """Return why an outline cannot be used, as one sentence without a full stop."""
    return problem.detail.rstrip("。")
