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
# # 03 一个界址点 TXT：从收件到报告
#
# 收到一个勘测定界界址点 TXT：先检查格式，再读取、检测，看地图，出报告，最后写回 TXT。
#
# 随附数据是**示意**数据：依据公开资料推绘，不是法定成果。

# %%
import tempfile
from datetime import date
from pathlib import Path

import pandas as pd

import gis

plan = gis.load_plan()
received = plan.root / "samples" / "yizhong_xinxiao.txt"
folder = Path(tempfile.mkdtemp())  # 报告和写出的文件放在这里
print(received.read_bytes().decode("gb18030"))

# %% [markdown]
# ## 先检查，再采用
#
# 检查一次列出全部问题和行号；没有“错误”的文件就能采用。


# %%
def checked(data: bytes) -> pd.DataFrame:
    report = gis.lint_boundary_txt(data, plan)
    print("可以采用" if report.is_accepted else "不能采用")
    rows = [{"级别": r.level, "位置": r.where, "问题": r.message} for r in report.rows]
    return pd.DataFrame(rows, columns=["级别", "位置", "问题"])


checked(received.read_bytes())

# %% [markdown]
# 如果有人手工改过这个文件呢？改错一个坐标，漏掉最后一行：

# %%
damaged = received.read_bytes().decode("gb18030").splitlines()
damaged[14] = damaged[14].replace("39406323.410", "38406323.410")  # 带号
checked("\r\n".join(damaged[:-1]).encode("gb18030"))

# %% [markdown]
# ## 读取
#
# 坐标系由带号识别；椭球面积是法定口径，平面面积随投影而变，两者都列出。

# %%
site = gis.read_site(received, plan)
print(f"{site.name}：椭球面积 {site.area.mu:.2f} 亩，平面面积 {site.area.planar_m2:,.2f} m²")
for note in (*site.notes, *site.warnings):
    print("·", note.message)

# %% [markdown]
# ## 检测
#
# 一个结论、决定它的规则、占用的稀缺用地；法规时点写明，过几年再算也是同一个答案。

# %%
check = gis.check_site(site, plan, use="080403", as_of=date(2026, 11, 22))
print(check.verdict.label, "——", check.finding(check.deciding_rule).title)
print("摘要", check.digest)
for item in check.impact:
    print("·", item.text)

# %%
pd.DataFrame(
    {"结论": f.verdict.label, "规则": f.title, "理由": f.reason, "处理": f.remedy}
    for f in check.findings
    if f.verdict is not gis.Verdict.NOT_APPLICABLE
)

# %% [markdown]
# ## 看地图

# %%
gis.site_map(gis.to_dict(check), plan)

# %% [markdown]
# ## 出报告
#
# 同一个答案印在纸上：PDF 或 DOCX，含位置图、逐条依据和界址点成果表。

# %%
report = gis.site_report(
    gis.to_dict(check), plan, folder / "聊城一中新校.pdf", geometry=site.geometry
)
print(report.name, f"{report.stat().st_size / 1024:,.0f} KB")

# %% [markdown]
# ## 写回 TXT
#
# 写出前先读回比对，差一毫米以上就不写；读回的是同一块地，检测也是同一个答案。

# %%
written = gis.write_txt(site, folder / "聊城一中新校.txt", plan)
again = gis.check_site(gis.read_site(written, plan), plan, use="080403", as_of=check.as_of)
print(written.read_bytes().decode("gb18030")[:300], "…")
print(f"面积相差 {abs(again.site.area.ellipsoidal_m2 - site.area.ellipsoidal_m2):.3f} m²")
print("结论相同" if again.verdict is check.verdict else "结论不同")
