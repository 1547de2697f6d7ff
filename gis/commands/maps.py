"""wuqu map: the plan, or two states of it side by side, as one HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from gis.commands.common import Ceiling, CeilingOption, PlanOption, open_plan, stderr, writing
from gis.commands.outputs import RecipientOption

_LARGE_MAP_MB = 25


def draw_map(
    out: Annotated[Path, typer.Option("-o", "--out", help="输出的 HTML 文件。")] = Path("map.html"),
    compare: Annotated[
        str | None,
        typer.Option(
            help="左右对照：land（现状与规划）、law（现行与修改中），或另一版本规划数据包的文件夹。"
        ),
    ] = None,
    recipient: RecipientOption = "",
    ceiling: CeilingOption = Ceiling.public,
    plan: PlanOption = None,
) -> None:
    """绘制规划图：单个 HTML 文件，可离线打开。"""
    from gis.output.maps import comparison_map, plan_map
    from gis.output.sharing import sharing_of_environment

    opened = open_plan(plan)
    shown: dict[str, Any] = {"sharing": sharing_of_environment(recipient), "ceiling": ceiling.value}
    if compare is None:
        page = plan_map(opened, **shown)
    elif compare in ("land", "law"):
        page = comparison_map(opened, what="law" if compare == "law" else "land", **shown)
    else:
        page = comparison_map(opened, open_plan(Path(compare)), **shown)
    with writing(out):
        out.write_text(page, encoding="utf-8")
    stderr().print(f"已写出：{out}")
    size_mb = out.stat().st_size / 1e6
    if size_mb > _LARGE_MAP_MB:
        advice = "用 wuqu serve 打开 /maps/plan.html?assets=static，只读取看到的部分"
        stderr().print(f"文件有 {size_mb:.0f} MB，打开较慢；{advice}。")
