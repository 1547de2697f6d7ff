# ---
# jupyter:
#   jupytext:
#     formats: py:percent,ipynb
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 08 自己的县区：十分钟，从一个图层文件夹到规划数据包
#
# 手里是平台导出的一个文件夹：名称带行政代码和年份，有的缺 `.prj`，有一个图层谁也不知道叫什么。
# 把它变成规划数据包，检测一个地块，看地图。原文件不改动，不需要互联网。
#
# 没有自己的图层也能练习：下面用随附的**示意**图层改名充当。换成自己的文件夹，只改 `folder`。

# %%
import shutil
import tempfile
from datetime import date
from pathlib import Path

import pandas as pd

import gis
from gis.plan.new.package import plan_new, write_package
from gis.plan.new.questions import Answers
from gis.plan.quality import check_plan

desk = Path(tempfile.mkdtemp())
folder = desk / "平台导出"
folder.mkdir()
bundled = gis.load_plan().root / "shapefiles"
names = {
    n: f"371502_{n}_2025" for n in ("GHFW", "XZQ", "CZKFBJ", "YJJBNTTB", "STBHHX", "DLTB", "DLZXX")
}
for own, exported in {**names, "SX": "data1"}.items():
    for file in bundled.glob(f"{own}.*"):
        if (own, file.suffix) not in {("CZKFBJ", ".prj"), ("SX", ".prj"), ("SX", ".cpg")}:
            shutil.copy(file, folder / f"{exported}{file.suffix}")
print(*sorted(p.name for p in folder.glob("*.shp")), sep="\n")

# %% [markdown]
# ## 识别
#
# 按图层名、字段和编码认图层：角色、关键字段、分类体系、坐标系。认不出的变成问题，各有默认答案。
# 这一步什么也不写。

# %%
draft = plan_new([folder], "my-county", Answers({}, None))
pd.DataFrame(
    {"问题": q["key"], "内容": q["text"], "默认答案": q["default"]}
    for q in draft.to_dict()["questions"]
)

# %% [markdown]
# ## 回答
#
# `data1` 我们知道是水系；名称和编号写自己的；别的按默认。

# %%
answers = {"layer.data1": "water", "plan.id": "my-county", "plan.title": "我的县区（练习）"}
draft = plan_new([folder], "my-county", Answers(answers, None))
found = pd.DataFrame(draft.to_dict()["layers"])
found[["title", "id", "role", "features", "from", "recognised_by", "crs", "vintage"]].set_axis(
    ["图层", "编号", "角色", "要素", "来自", "识别依据", "坐标系", "时点"], axis="columns"
)

# %% [markdown]
# ## 写出，检查
#
# 一个文件夹：`plan.toml` 和 `layers/`。写完马上检查数据。命令行一步就够：
# `wuqu plan new my-county --from 平台导出 --answer layer.data1=water --yes`

# %%
package = write_package(draft, desk / "my-county")
plan = gis.load_plan(package)
report = check_plan(plan)
text = (package / "plan.toml").read_text(encoding="utf-8")
print(text[:900], "…")
print("待核的注释：", sum(line.startswith("# 待核") for line in text.splitlines()), "处")
print(f"【{plan.status_label}】{plan.ref.title}：{len(plan.layers)} 个图层；数据检查", end="")
print("有错误或警告" if report.has_faults else "没有发现问题")

# %% [markdown]
# ## 检测一个地块
#
# 南部农田里一个假想的两千亩主题公园。没有的图层（文物、水源地……）对应的规则是“需核实”，
# 不会当作“不冲突”。

# %%
park = gis.read_site(bundled.parent / "samples" / "theme_park_2000mu.geojson", plan)
check = gis.check_site(park, plan, use="0903", as_of=date(2026, 11, 22))
print(f"{check.site.name}：{check.verdict.label}，{check.site.area.mu:,.2f} 亩")
pd.DataFrame(
    {"结论": f.verdict.label, "规则": f.title, "理由": f.reason}
    for f in check.findings
    if f.verdict in (gis.Verdict.FAIL, gis.Verdict.UNDETERMINED)
)

# %% [markdown]
# ## 看地图
#
# 图上写着“草案”。另存为一个 HTML 文件，断网可开。

# %%
page = gis.plan_map(plan, [gis.to_dict(check)])
(desk / "my-county.html").write_text(page, encoding="utf-8")
page

# %% [markdown]
# ## 接下来
#
# 核对“待核”的注释，最要紧的是覆盖范围：在它里面没有图形，就是“查过、没有”；在它外面，就是“不知道”。
# 然后写自己的规则，登记指标，发布。见文档《十分钟：从一个图层文件夹到自己的县区》。
