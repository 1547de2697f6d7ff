// Show an answer of the service: one check, several checks, or a problem. Decides nothing.
"use strict";

const PASSED = "pass";
const IDLE = "not_applicable";

function showCheck(target, check) {
  const acting = check.findings.filter((f) => f.verdict !== PASSED && f.verdict !== IDLE);
  const first = [...remarks(check), group("需要处理", acting)].filter(Boolean);
  target.replaceChildren(
    verdictCard(check),
    h(
      "div",
      { class: "answer" },
      h("div", { class: "mapside" }, mapFrame(check), downloads(check)),
      h("div", { class: "reasons" }, first.length ? h("div", {}, first) : null, h("div", {}, others(check), impact(check), facts(check))),
    ),
  );
}

function verdictCard(check) {
  const size = check.site.area;
  return h(
    "header",
    { class: `verdict is-${check.verdict}` },
    check.plan.status === "approved" ? null : h("span", { class: "seal" }, check.plan.status === "draft" ? "草案" : "示意"),
    h("p", { class: "word" }, icon(check.verdict, 46), h("strong", {}, check.verdict_label)),
    h("div", {}, h("h2", {}, check.site.name), h("p", { class: "sentence" }, sentence(check))),
    h(
      "p",
      { class: "sizes" },
      h("span", {}, h("b", {}, number(size.mu, 2)), " 亩"),
      h("span", {}, h("b", {}, number(size.ha, 4)), " 公顷"),
      h("span", {}, h("b", {}, number(size.ellipsoidal_m2, 2)), " m²"),
    ),
  );
}

function sentence(check) {
  return decided(check) + (check.site.crs.survey_grade === false ? "非测量成果，仅供参考。" : "");
}

function decided(check) {
  const deciding = check.findings.find((f) => f.rule === check.deciding_rule);
  if (!deciding) return "适用的规则全部符合。";
  const more = check.findings.filter((f) => f.verdict === check.verdict && f !== deciding).length;
  // What is to be verified stands last in a reason, what is taken stands first.
  const said = deciding.reason.split("。").filter((part) => part.trim());
  const gist = (check.verdict === "undetermined" ? said.at(-1) : said[0]).split("，拟建")[0];
  return `${deciding.title}：${gist}${more ? `；另有 ${more} 项${check.verdict_label}` : ""}。`;
}

function remarks(check) {
  const open = check.layers.filter((layer) => layer.state !== "checked");
  return [
    ...check.warnings.map((w) => h("p", { class: "warning" }, w.message)),
    open.length
      ? h("p", { class: "warning" }, `未检查的图层：${open.map((l) => `${l.title}（${l.reason || "无数据"}）`).join("、")}`)
      : null,
  ];
}

function group(title, findings) {
  if (!findings.length) return null;
  return h("section", {}, h("h3", {}, title), h("ul", { class: "findings" }, findings.map((f, n) => finding(f, n === 0))));
}

function others(check) {
  const passed = check.findings.filter((f) => f.verdict === PASSED);
  const idle = check.findings.filter((f) => f.verdict === IDLE);
  const list = (rows) => h("ul", { class: "findings" }, rows.map((f) => finding(f, false)));
  return [
    passed.length ? fold("符合的规则", passed.length, list(passed)) : null,
    idle.length ? fold("不涉及的规则", idle.length, list(idle)) : null,
  ];
}

function finding(f, open) {
  const value = measured(f.measure);
  const row = (title, ...content) => [h("dt", {}, title), h("dd", {}, ...content)];
  return h(
    "li",
    {},
    h(
      "details",
      { class: `finding is-${f.verdict}`, open },
      h("summary", {}, icon(f.verdict, 22), h("span", {}, f.title, value ? h("small", {}, value) : null), h("b", {}, f.verdict_label)),
      h(
        "dl",
        {},
        row("理由", f.reason),
        f.threshold ? row("标准", f.threshold) : null,
        row("依据", f.basis.length ? f.basis.map(basis) : "未列明"),
        f.remedy ? row("怎么办", f.remedy) : null,
        f.office ? row("主管部门", f.office) : null,
      ),
      f.decides ? null : h("p", { class: "help" }, "该图层对应的法规正在调整，此项只作提示，不计入结论。"),
    ),
  );
}

function basis(b) {
  const text = `《${b.document}》${b.number ? `（${b.number}）` : ""}${b.article}`;
  return h("p", {}, text, b.verified ? null : h("em", {}, "依据待核"));
}

function impact(check) {
  if (!check.impact.length) return null;
  const rows = check.impact.map((i) =>
    h("tr", {}, h("th", { scope: "row" }, i.title), h("td", {}, unknown(i) ? "未知" : area(i.area_m2)), h("td", {}, i.total_m2 && !unknown(i) ? percent(i.area_m2 / i.total_m2) : "")),
  );
  // Records of earlier versions have no sentence.
  const said = check.impact.filter((i) => i.text).map((i) => h("li", {}, i.text));
  const head = h("tr", {}, h("th", { scope: "col" }, "指标"), h("th", { scope: "col" }, "占用"), h("th", { scope: "col" }, "占总量"));
  return h("section", {}, h("h3", {}, "占用指标"), h("table", {}, h("thead", {}, head), h("tbody", {}, rows)), said.length ? h("ul", { class: "help" }, said) : null);
}

// Null is "nobody knows", never nothing.
function unknown(i) {
  return i.area_m2 === null;
}

function evidenceAmount(e) {
  if (e.kind === "area") return area(e.area_m2);
  if (e.kind === "length") return `${number(e.length_m, 2)} m`;
  if (e.kind === "distance") return `距 ${number(e.distance_m, 2)} m`;
  return `${e.count} 个`;
}

function facts(check) {
  const titles = Object.fromEntries(check.layers.map((l) => [l.id, l.title]));
  const rows = check.evidence.map((e) =>
    h("tr", {}, h("th", { scope: "row" }, titles[e.layer] || e.layer), h("td", {}, e.name || e.class || "—"), h("td", {}, evidenceAmount(e)), h("td", {}, percent(e.share))),
  );
  const head = h("tr", {}, ["图层", "类别", "数量", "占地块"].map((t) => h("th", { scope: "col" }, t)));
  const row = (title, text) => [h("dt", {}, title), h("dd", {}, text)];
  return [
    fold("地块涉及的图层要素", check.evidence.length, h("table", {}, h("thead", {}, head), h("tbody", {}, rows))),
    fold(
      "检测说明", null,
      h(
        "dl",
        { class: "about" },
        row("规划", `${check.plan.title} 版本 ${check.plan.version}`),
        row("依据日期", check.as_of),
        row("坐标系", `${check.site.crs.source} → ${check.site.crs.work}`),
        row("平面面积", `${number(check.site.area.planar_m2, 2)} m²（仅供对照，以椭球面积为准）`),
        check.site.notes.map((n) => row("备注", n.message)),
        check.out_of_scope.map((o) => row(`不检查：${o.topic}`, o.reason)),
        row("规则库", check.rulebook.id),
        row("记录编号", check.id),
        row("校验码", check.digest),
      ),
    ),
  ];
}

function mapFrame(check) {
  const source = `/maps/site-checks/${check.id}.html`;
  return [
    h("iframe", { title: `${check.site.name}的地图`, src: source, loading: "lazy", sandbox: "allow-scripts allow-modals" }),
    h("a", { class: "button", href: source }, "查看地图"),
  ];
}

function downloads(check) {
  const base = `/v1/site-checks/${check.id}`;
  const offered = JSON.parse(document.body.dataset.downloads);
  return h(
    "p",
    { class: "downloads" },
    h("a", { class: "whole", href: `/maps/site-checks/${check.id}.html`, target: "_blank", rel: "noopener" }, "全屏地图"),
    offered.map(([suffix, title]) => h("a", { href: `${base}.${suffix}`, download: `${check.site.name}.${suffix}` }, `下载${/^[A-Z]/.test(title) ? " " : ""}${title}`)),
  );
}

// How many of each verdict, in the order in which they come.
function counted(entries) {
  const labels = [...new Set(entries.map((entry) => entry.label))];
  return labels.map((label) => `${label} ${entries.filter((entry) => entry.label === label).length}`).join("，");
}

// Several sites, or several files: each a tab with its verdict, or with what is wrong with it.
function showSeveral(target, entries) {
  const place = h("div", {});
  const choose = (entry, button) => {
    target.querySelectorAll(".choices button").forEach((b) => b.setAttribute("aria-pressed", String(b === button)));
    entry.show(place);
  };
  const buttons = entries.map((entry) =>
    h("button", { type: "button", "aria-pressed": "false", on: { click: (e) => choose(entry, e.currentTarget) } }, entry.verdict ? icon(entry.verdict, 18, entry.label) : h("b", { class: "cross" }, entry.label), ` ${entry.name}`),
  );
  target.replaceChildren(
    h("p", { class: "counted" }, `共 ${entries.length} 个：${counted(entries)}`),
    h("div", { class: "choices", role: "group", "aria-label": "各地块" }, buttons),
    place,
  );
  choose(entries[0], buttons[0]);
}

// On paper nothing can be opened: what asks for action and where the answer comes from stand open.
let unfolded = [];
window.addEventListener("beforeprint", () => {
  unfolded = [...document.querySelectorAll("#result .fold, #result section .finding")].filter((d) => !d.open);
  unfolded.forEach((d) => { d.open = true; });
});
window.addEventListener("afterprint", () => {
  unfolded.forEach((d) => { d.open = false; });
  unfolded = [];
});
