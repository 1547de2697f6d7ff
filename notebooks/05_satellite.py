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
# # 05 卫星看到的绿和水：换一天，换一个阈值，换一种口径
#
# “绿地和水域占 52 %”是规划口径。卫星影像也能算出一个占比，但它随日期、阈值和口径变化。
# 这里把三样各换一遍，看看数字移动多少。
#
# 随附影像是**示意**影像：由示意地类图斑合成，只有春季和麦收后两天，不是实拍。

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import rasterio
from rasterio.plot import plotting_extent

import gis
from gis.engine.spectral import normalised_difference
from gis.plan.areas import find_area
from gis.plan.landcover import index_by_area, index_series

gis.use_chinese_font()
plan = gis.load_plan()
images = {r.id: r for r in plan.file.raster if r.kind == "bands"}
pd.DataFrame({"日期": r.date, "标题": r.title, "来源": r.source} for r in plan.file.raster)

# %% [markdown]
# ## 换一天
#
# 同一片地，同一个阈值（NDVI ≥ 0.4）：四月麦田是绿的，六月麦收以后不是。湖面两天一样。

# %%
for index in ("ndvi", "ndwi"):
    found = index_series(plan, "spring_2026", "core", index=index)
    for day in found.dates:
        print(f"{index.upper()} {day.date} 阈值 {day.threshold:g}：核心区 {day.share:.2%}")

# %%
core = find_area(plan, "core").polygon
figure, axes = plt.subplots(1, 2, figsize=(13, 5), layout="constrained")
for axis, image in zip(axes, images.values(), strict=True):
    with rasterio.open(plan.root / image.path, driver="GTiff") as file:
        red, nir = file.read([image.bands["red"], image.bands["nir"]])
        extent = plotting_extent(file)
    shown = axis.imshow(
        normalised_difference(nir, red), extent=extent, cmap="BrBG", vmin=-0.6, vmax=0.9
    )
    axis.plot(*core.exterior.xy, color="black", linewidth=1)
    axis.set_title(f"NDVI　{image.date}（黑线：规划核心区；示意影像）")
    axis.set_axis_off()
figure.colorbar(shown, ax=axes, shrink=0.8)
plt.show()

# %% [markdown]
# ## 换一个阈值
#
# 阈值越高，算作“绿”的越少。曲线越陡，这个数越不能当作事实来引用。

# %%
steps = np.round(np.arange(0.1, 0.81, 0.05), 2)
curves = pd.DataFrame(
    {
        str(image.date): [
            gis.index_share(plan, name, "core", threshold=float(t)).shares.share for t in steps
        ]
        for name, image in images.items()
    },
    index=pd.Index(steps, name="NDVI 阈值"),
)
axis = (100 * curves).plot(figsize=(9, 4), marker=".", ylabel="核心区占比 %", ylim=(0, 100))
axis.axhline(52, color="#c00000", linestyle="--", linewidth=1)
axis.text(0.8, 53, "公布 52 %（规划口径，不可比）", ha="right", color="#c00000")
axis.set_title("阈值和日期如何改变 NDVI 植被占比（示意影像）", loc="left")
plt.show()

# %% [markdown]
# 也可以让每幅影像自己定阈值（大津法）。可分性低，说明影像里没有清楚的两类：

# %%
for name, image in images.items():
    own = gis.index_share(plan, name, "core", threshold="otsu").shares
    print(f"{image.date}：阈值 {own.threshold:.3f}，可分性 {own.separability:.2f}", end="")
    print(f"，占比 {own.share:.2%}")

# %% [markdown]
# ## 换一种口径
#
# 规划口径（A、B、C）数的是将来的用地，现状口径（D）数的是调查的图斑，遥感数的是那一天的地表。
# 这些数回答的是不同的问题，不能互相替代，也不能相减。

# %%
planned = {f"口径 {d['id']}": d for d in plan.land_balance("core").to_dict()["definitions"]}
rows = [("规划／调查", name, d["share"], d["vintage"], d["text"]) for name, d in planned.items()]
for row in gis.raster_rows(plan, "core"):
    rows.append(("遥感", row["title"], row["share"], row["date"], row["definition"]))
definitions = pd.DataFrame(rows, columns=["类型", "数的是", "占比", "时点", "定义"])
definitions.style.format({"占比": "{:.2%}"})

# %% [markdown]
# ## 哪里变得最多
#
# 两天之差按功能区看：变动大的是种麦的地，不是少了的绿地。

# %%
days = {
    str(image.date): {a.area.title: a.shares.share for a in index_by_area(plan, name)}
    for name, image in images.items()
}
change = pd.DataFrame(days)
first, last = change.columns
change["变动（百分点）"] = 100 * (change[last] - change[first])
change.sort_values("变动（百分点）").style.format(
    {first: "{:.1%}", last: "{:.1%}", "变动（百分点）": "{:+.1f}"}
)
