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
# # 02 用地平衡与“52 %”
#
# 公布的“绿地和水域面积占总用地面积 52 %”没有写地类，也没有写分母。这里把它算一遍：
# 数了哪些地类，除以哪个范围，换一种口径会变多少；再看稀缺的用地还剩多少。
#
# 随附数据是**示意**数据：依据公开资料推绘，不是法定成果。

# %%
import pandas as pd

import gis

plan = gis.load_plan()
print(plan.ref.title, plan.ref.version, f"【{plan.status_label}】")

# %% [markdown]
# ## 各个范围有多大
#
# 椭球面积是法定口径，平面面积随投影而变；两者都列出。

# %%
pd.DataFrame(
    {
        "范围": a.title,
        "椭球面积 km²": round(a.area.ellipsoidal_m2 / 1e6, 4),
        "平面面积 km²": round(a.area.planar_m2 / 1e6, 4),
        "相差 m²": round(a.area.planar_m2 - a.area.ellipsoidal_m2, 1),
    }
    for a in plan.areas
)

# %%
pd.DataFrame(
    {
        "指标": f.title,
        "公布": f.stated,
        "计算": f.computed,
        "单位": f.unit,
        "口径": f.definition,
        "分母": f.denominator,
        "图层": f.layer_title,
        "时点": f.vintage,
        "说明": f.reason,
    }
    for f in plan.figures()
)

# %% [markdown]
# ## 核心区的用地平衡
#
# 地类 × 功能区，公顷；各行各列相加等于合计，印出来的数也相加得上。

# %%
core = plan.land_balance("core")
print(core.sentence)
core.table()

# %%
gis.land_balance_chart(core)

# %% [markdown]
# ## 数了什么，没数什么
#
# 每一类可以争论的用地，改变它的算法，占比移动几个百分点：

# %%
changes = pd.DataFrame(core.to_dict()["sensitivity"])
changes = changes[["title", "counted", "ha", "other_share", "difference_points", "note"]]
changes.columns = ["地类", "现已计入", "公顷", "改变算法后的占比", "变动（百分点）", "理由"]
changes

# %% [markdown]
# ## 四种口径，几个分母
#
# 图层没有覆盖的地不算作“没有绿地”：这时占比只是下限，写明“不低于”。

# %%
rows = []
for name in ("core", "approval", "resort", "Z5"):
    for found in plan.land_balance(name).to_dict()["definitions"]:
        rows.append({"范围": name, "口径": found["id"], "占比": found["share_text"]})
pd.DataFrame(rows).pivot(index="范围", columns="口径", values="占比")

# %% [markdown]
# 也可以用自己的范围，例如一个地块：

# %%
school = gis.read_site(plan.root / "samples" / "yizhong_xinxiao.txt", plan)
print(plan.land_balance(school).sentence)

# %% [markdown]
# ## 还剩多少
#
# 城镇开发边界按类型：总量、已用（现状建设用地）、已预留、尚余；耕地和绿地水域也记在账上。

# %%
pd.DataFrame(
    {
        "项目": b.name,
        "总量 ha": b.amounts.total_m2 and round(b.amounts.total_m2 / 1e4, 2),
        "已用 ha": b.amounts.used_m2 and round(b.amounts.used_m2 / 1e4, 2),
        "已预留 ha": b.amounts.reserved_m2 and round(b.amounts.reserved_m2 / 1e4, 2),
        "尚余 ha": b.amounts.free_m2 and round(b.amounts.free_m2 / 1e4, 2),
        "说明": b.note,
    }
    for b in gis.budgets(plan)
)

# %% [markdown]
# 一个地块要占用多少，地块检测会逐项说明；几个地块依次记账，说明哪一个使哪一项用完。

# %%
for item in gis.check_site(school, plan, use="080403").impact:
    print("·", item.text)

# %%
samples = gis.load_samples(plan)
sites = [gis.read_site(s.path, plan, name=s.name, width_m=s.width_m) for s in samples]
booking = gis.book(plan, sites, uses=[s.use for s in samples])
for line in booking.to_dict()["budgets"]:
    print("·", line["title"], "——", line["text"])

# %% [markdown]
# ## 遥感指标，另记
#
# NDVI 植被占比是某一天的遥感指标，不是规划绿地和水域占比；同一片地一年里可以相差很大，
# 所以给出日期、阈值、有效像元比例和全年范围。

# %%
for row in gis.raster_rows(plan, "core"):
    share = "无数据" if row["share"] is None else f"{row['share']:.2%}"
    print("·", share, row["sentence"])
