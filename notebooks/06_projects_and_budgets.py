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
# # 06 项目在等什么，用地还剩多少
#
# 清单上的项目逐个检测、依次记账：卡在哪条规则、哪道手续、哪个问题；稀缺的用地各功能区还剩多少。
#
# 随附数据是**示意**数据：依据公开资料推绘，不是法定成果。清单只录入了公开材料写明的项目，
# 没有写明的一律留空，用途代码是假定。

# %%
from datetime import date

import pandas as pd

import gis
from gis.plan.budgets import printed

plan = gis.load_plan()
print(plan.ref.title, plan.ref.version, f"【{plan.status_label}】")

# %% [markdown]
# ## 项目在等什么
#
# 一句话、分类的问题清单（清单式管理，销号）：

# %%
portfolio = gis.check_portfolio(plan, as_of=date(2026, 11, 22))
answer = portfolio.to_dict()
print(answer["sentence"])
for group in answer["waiting"]:
    names = "、".join(f"{p['name']}（{p['problem'] or '没有写明'}）" for p in group["projects"])
    print(f"· {group['class']} {group['count']} 个：{names}")

# %% [markdown]
# 逐个项目：结论、决定性规则、下一步手续、未销号的问题。没有边界图的也在表里，不会悄悄略过。

# %%
projects = portfolio.to_frame()
shown = projects[["name", "verdict_label", "deciding_title", "next_stage", "problem", "waits"]]
shown.set_axis(["项目", "结论", "决定性规则", "下一步手续", "问题", "等待"], axis="columns").fillna(
    ""
)

# %% [markdown]
# ## 各功能区还剩多少地
#
# 城镇开发边界分三类，公顷；与 `wuqu budgets show` 和地图上的台账是同一组数。

# %%
rows = []
for budget in gis.budgets(plan):
    whole, zones = printed(budget, per_m2=1e4)
    rows.append((budget.name, "合计", whole["free_m2"]))
    for part, row in zip(budget.by_zone, zones, strict=True):
        rows.append((budget.name, " ".join(filter(None, (part.zone, part.name))), row["free_m2"]))
left = pd.DataFrame(rows, columns=["项目", "功能区", "尚余 ha"])
left.pivot(index="项目", columns="功能区", values="尚余 ha").style.format("{:,.2f}", na_rep="—")

# %%
import matplotlib.pyplot as plt

gis.use_chinese_font()
boundary = [b for b in gis.budgets(plan) if b.kind == "dev_boundary"]
zones = pd.DataFrame(
    {b.name: {z.zone or "区外": z.amounts.free_m2 / 1e4 for z in b.by_zone} for b in boundary}
).sort_index()
zones.plot.bar(stacked=True, figsize=(9, 4), rot=0, ylabel="公顷", colormap="tab20c")
plt.title("城镇开发边界内还没有建设的地（示意数据）", loc="left")
plt.show()

# %% [markdown]
# ## 一个项目接一个项目，占了什么
#
# 按优先级依次记账，只是模拟，不写入预留台账；哪个项目使哪一项用完，写在它那一行。

# %%
for budget in answer["budgets"]:
    print("·", budget["title"], "——", budget["text"])

# %%
taken = projects.loc[projects["takes"] != "", ["name", "area_mu", "takes"]]
taken.set_axis(["项目", "亩", "占用"], axis="columns").style.format({"亩": "{:,.2f}"})

# %% [markdown]
# ## 清单的合计
#
# 材料写明的合计与已录入各行之和并列；差额是没有录入的项目，不是算错。

# %%
for total in answer["totals"]:
    print("·", total["text"])

# %% [markdown]
# ## 一张图
#
# 同一组数，给领导看：按问题类别列出，点一行就到那个项目。

# %%
gis.portfolio_map(portfolio, plan)
