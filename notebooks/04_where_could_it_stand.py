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
# # 04 两千亩、六千亩放得下吗？
#
# 别处的动物王国占地 2,000 亩，博物馆群占地 6,000 亩。这里有没有这样一块地？没有的话，
# 哪条规则挡住了它，差多少？按全部有效规则逐格去问，不另读一遍法条。
#
# 随附数据是**示意**数据：依据公开资料推绘，不是法定成果。

# %%
from datetime import date

import matplotlib.pyplot as plt
import pandas as pd

import gis

gis.use_chinese_font()
plan = gis.load_plan()
AS_OF = date(2026, 11, 22)
print(plan.ref.title, plan.ref.version, f"【{plan.status_label}】")

# %% [markdown]
# ## 问
#
# 动物王国按娱乐用地（0903）、博物馆群按文化用地（0803）找，都是假定的用途。

# %%
wanted = {"动物王国": ("0903", 2000), "博物馆群": ("0803", 6000)}
answers = {
    name: gis.find_sites(plan, use=use, area_mu=mu, as_of=AS_OF)
    for name, (use, mu) in wanted.items()
}
for name, found in answers.items():
    best = found.candidates[0].name if found.candidates else found.nearest_miss.text
    print(f"{name}（{found.query.use_label}，{found.query.area_mu:,.0f} 亩）：{best}")

# %% [markdown]
# ## 地分几类
#
# 可用、有条件可用、需核实、不可用，各有多少亩；全部规则在每一格上最严的一条说了算。

# %%
classes = pd.DataFrame(
    {
        name: {row["label"]: row["area_mu"] for row in found.to_dict()["feasible"]["classes"]}
        for name, found in answers.items()
    }
)
classes.style.format("{:,.0f} 亩")

# %% [markdown]
# ## 哪条规则挡住了
#
# “单独”是只有这一条规则时挡住的地，“唯一”是去掉这一条就会多出来的地。
# “唯一”为 0 的规则，单去掉它一条也多不出一亩地：挡住大项目的是几条规则叠在一起。

# %%
tables = {}
for name, found in answers.items():
    rows = [row.to_dict() for row in found.binding[:8]]
    tables[name] = pd.DataFrame(rows).set_index("title")[
        ["excluded_mu", "open_mu", "alone_mu", "last_mu"]
    ]
    tables[name].columns = ["不符合（亩）", "待定（亩）", "单独（亩）", "唯一（亩）"]
pd.concat(tables).style.format("{:,.0f}")

# %%
figure, axes = plt.subplots(2, 1, figsize=(11, 7), layout="constrained", sharex=True)
for axis, (name, table) in zip(axes, tables.items(), strict=True):
    shown = table[["不符合（亩）", "待定（亩）"]].iloc[::-1]
    shown.plot.barh(stacked=True, ax=axis, color=["#c62828", "#9e9e9e"], ylabel="")
    axis.set_title(f"{name}：每条规则单独挡住多少地（示意数据）", loc="left")
plt.show()

# %% [markdown]
# ## 最接近的地块
#
# 每个都用同一个 `check_site` 再检测一遍；评分逐项列出，权重可以另给。

# %%
columns = ["name", "verdict", "deciding_rule", "area_mu", "farmland", "road", "score"]
pd.concat({name: found.to_frame()[columns] for name, found in answers.items()}).style.format(
    {"area_mu": "{:,.2f}", "farmland": "{:.1%}", "road": "{:,.0f} m", "score": "{:.3f}"}
)

# %% [markdown]
# ## 领导看的地图
#
# 点一条规则，看它挡住的地；断网可用。

# %%
gis.search_map(answers["动物王国"], plan)

# %%
gis.search_map(answers["博物馆群"], plan)

# %% [markdown]
# ## 小一些呢？
#
# 100 亩的学校（080403）放在高端智慧生活区（Z5）：

# %%
school = gis.find_sites(plan, use="080403", area_mu=100, zone="Z5", as_of=AS_OF)
print(f"{len(school.candidates)} 个候选地块" if school.candidates else school.nearest_miss.text)
school.to_frame()[columns].style.format(
    {"area_mu": "{:,.2f}", "farmland": "{:.1%}", "road": "{:,.0f} m", "score": "{:.3f}"}
)

# %%
gis.search_map(school, plan)
