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
# # 07 十万个地块
#
# 一个县的图斑有几万到几十万个。先量：每个地块在每个图层上占多少；再判：每个地块一个结论。
# 进度看得见，速度自己量，一台机器不够时交给 dask 集群。
#
# 地块是用固定种子随机生成的，只为演示规模；数量由下面的 `PARCELS` 决定。

# %%
import os
import tempfile
import time
from datetime import date
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely
from tqdm.auto import tqdm

import gis

PARCELS = int(os.environ.get("WUQU_NOTEBOOK_PARCELS", "100000"))
AS_OF = date(2026, 11, 22)
plan = gis.load_plan()
folder = Path(tempfile.mkdtemp())
print(f"{PARCELS:,} 个地块")

# %%
rng = np.random.default_rng(20261122)
resort = next(a.polygon for a in plan.areas if a.id == "resort")
west, south, east, north = resort.bounds
corner = rng.uniform((west, south), (east, north), (2 * PARCELS, 2))
size = rng.uniform(20, 120, (2 * PARCELS, 2))
boxes = shapely.box(*corner.T, *(corner + size).T)
shapely.prepare(resort)
boxes = boxes[shapely.contains(resort, boxes)][:PARCELS]
parcels = gpd.GeoDataFrame({"name": [f"D{n}" for n in range(len(boxes))]}, geometry=boxes, crs=4548)
print(f"{len(parcels):,} 个地块，共 {parcels.area.sum() / 1e6:,.1f} km²（随机生成，互相重叠）")

# %% [markdown]
# ## 先量：每个地块 × 每个图层
#
# 不问规则，只量面积。第一次调用要编译和建索引，所以先用十个地块热身，再计时。

# %%
gis.overlap_table(parcels.head(10), plan)
start = time.perf_counter(), time.process_time()
table = gis.overlap_table(parcels, plan)
wall, cpu = time.perf_counter() - start[0], time.process_time() - start[1]
print(
    f"{len(table):,} 行；{wall:.2f} 秒（CPU {cpu:.2f} 秒），每秒 {len(parcels) / wall:,.0f} 个地块"
)

# %%
areal = table.dropna(subset="area_m2")
summary = areal.groupby("title", sort=False).agg(
    地块数=("site", "nunique"),
    公顷=("area_m2", lambda m2: m2.sum() / 1e4),
    平均占比=("share", "mean"),
)
summary.sort_values("公顷", ascending=False).head(12).style.format(
    {"地块数": "{:,}", "公顷": "{:,.1f}", "平均占比": "{:.1%}"}
)

# %% [markdown]
# ## 再判：每个地块一个结论
#
# 全部规则，与单个地块检测同一个答案。写出 GeoPackage 时可以中断：再次运行，从断点继续。

# %%
with tqdm(total=len(parcels), unit=" 个地块") as bar:
    result = gis.check_sites(
        parcels,
        plan,
        use="0701",
        as_of=AS_OF,
        out=folder / "结论.gpkg",
        progress=lambda done, _: bar.update(done - bar.n),
    )
rate = bar.n / bar.format_dict["elapsed"]
print(f"每秒 {rate:,.0f} 个地块；十万个约 {100_000 / rate / 60:,.1f} 分钟（一个进程）")

# %%
counts = result["verdict_label"].value_counts()
print("；".join(f"{label} {count:,}" for label, count in counts.items()))
result.groupby("deciding_rule")["verdict_label"].agg(结论="first", 地块数="size").sort_values(
    "地块数", ascending=False
).head(10)

# %% [markdown]
# 随便挑一个，单独检测，摘要相同：

# %%
row = result.iloc[len(result) // 2]
alone = gis.check_site(
    gis.read_site(shapely.geometry.mapping(row.geometry), plan, crs=4548),
    plan,
    use="0701",
    as_of=AS_OF,
)
print(
    row["name"],
    row["verdict_label"],
    alone.verdict.label,
    "摘要相同：",
    row["digest"] == alone.digest,
)

# %% [markdown]
# ## 看图

# %%
colours = {"符合": "#2e7d32", "有条件符合": "#f9a825", "需核实": "#6a6a6a", "不符合": "#c62828"}
axis = gpd.GeoSeries([resort], crs=4548).boundary.plot(color="black", linewidth=0.8, figsize=(9, 7))
for label, colour in colours.items():
    part = result[result["verdict_label"] == label]
    if len(part):
        part.plot(ax=axis, color=colour)
axis.set_axis_off()

# %% [markdown]
# ## 一台机器不够：dask
#
# 工作进程只需要装有本软件，不需要共享磁盘：图层随地块裁好一起送去。这里在本机开一个小集群，
# 判前五百个地块，与上面逐个比对。

# %%
from distributed import LocalCluster

few = parcels.head(500)
with LocalCluster(
    n_workers=2,
    threads_per_worker=1,
    processes=PARCELS > 10_000,  # 地块少时，开进程比判地块还慢
    dashboard_address=None,
) as cluster:
    spread = gis.check_sites(few, plan, use="0701", as_of=AS_OF, dask=cluster.scheduler_address)
same = (spread["digest"].to_numpy() == result["digest"].head(len(few)).to_numpy()).all()
print(f"dask 判了 {len(spread):,} 个地块，与单进程逐个相同：{same}")
