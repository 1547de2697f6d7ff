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
# # 01 规划与地块检测
#
# 一个规划数据包、几个候选地块、一句结论和它的依据。
#
# 随附数据是**示意**数据：依据公开资料推绘，不是法定成果。

# %%
from datetime import date

import pandas as pd

import gis

plan = gis.load_plan()
AS_OF = date(2026, 11, 22)
print(plan.ref.title, plan.ref.version, f"【{plan.status_label}】")
print(plan.ref.status_note)

# %% [markdown]
# ## 公布的指标，算得出来吗？
#
# 每个指标都由图形按椭球面积重新计算，与公布值并列，并写明口径和分母。

# %%
figures = pd.DataFrame(
    {
        "指标": f.title,
        "公布": f.stated,
        "计算": f.computed,
        "单位": f.unit,
        "口径": f.definition,
        "分母": f.denominator,
        "说明": f.reason,
    }
    for f in plan.figures()
)
figures

# %% [markdown]
# 核心区规划用地的构成：

# %%
balance = plan.land_balance("core")
table = pd.DataFrame(balance.to_dict()["classes"])[["class", "name", "ha", "share", "counted_as"]]
table.columns = ["代码", "地类", "公顷", "占比", "计入"]
table.sort_values("公顷", ascending=False).head(12)

# %% [markdown]
# ## 检测一个地块
#
# 报送的界址点 TXT：坐标系由带号识别，面积按椭球面计算。用途是 080403（中小学用地）。

# %%
samples = gis.load_samples(plan)
school = gis.read_site(samples[0].path, plan, name=samples[0].name)
check = gis.check_site(school, plan, use=samples[0].use, as_of=AS_OF)
print(f"{check.site.name}：{check.verdict.label}")
print(f"椭球面积 {school.area.mu:.2f} 亩，平面面积 {school.area.planar_m2:,.2f} m²")
print("摘要", check.digest)  # 与接口、命令行的答复相同
for note in school.notes:
    print("·", note.message)

# %%
pd.DataFrame(
    {
        "结论": f.verdict.label,
        "规则": f.title,
        "理由": f.reason,
        "依据": "；".join(b.text for b in f.basis),
    }
    for f in check.findings
)

# %% [markdown]
# ## 全部示例地块

# %%
checks = [
    gis.check_site(
        gis.read_site(s.path, plan, name=s.name, width_m=s.width_m),
        plan,
        use=s.use,
        attributes=s.attributes,
        as_of=s.as_of,
    )
    for s in samples
]
pd.DataFrame(
    {
        "地块": c.site.name,
        "亩": round(c.site.area.mu, 2),
        "结论": c.verdict.label,
        "决定性规则": c.finding(c.deciding_rule).title if c.deciding_rule else "—",
        "处理": c.finding(c.deciding_rule).remedy if c.deciding_rule else "",
    }
    for c in checks
)

# %% [markdown]
# ## 地图
#
# 一个 HTML 文件，断网可用；也可以另存后用 U 盘带走。

# %%
gis.plan_map(plan, [gis.to_dict(c) for c in checks])
