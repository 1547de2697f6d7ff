// Show a problem: what is wrong, where in the file, where on the map, and what to do.
"use strict";

const SHOWN_FAULTS = 200;

// Found, expected, advice: the service writes them in one sentence.
function said(detail) {
  const [first, advice] = detail.replace(/。$/, "").split("；处理办法：");
  const [found, expected] = first.split("；应为：");
  return { found, expected, advice };
}

function showProblem(target, problem, pick, mend) {
  if (problem.code === "several_sites") return showQuestion(target, problem, pick);
  const { found, expected, advice } = said(problem.detail);
  const mendable = problem.detail.includes("repair=true");
  const faults = problem.errors ?? [];
  const row = (title, text) => (text ? [h("dt", {}, title), h("dd", {}, text)] : []);
  target.replaceChildren(
    h(
      "div",
      { class: "problem" },
      h("h2", {}, problem.title),
      // With a list of faults below, the first of them is not told twice.
      faults.length ? h("p", {}, `共 ${faults.length} 处${problem.code === "geometry" ? "图形错误" : "错误"}，改正后再提交。`) : h("p", {}, found),
      h("dl", {}, row("应为", expected), row("怎么办", advice && advice.replace("用 repair=true 自动修复", "由本页自动修复"))),
      faults.length ? h("ol", { class: "faults", "aria-label": "错误清单" }) : null,
      mendable && mend ? h("button", { type: "button", class: "mend", on: { click: mend } }, "修复图形后检测") : null,
    ),
  );
}

function showQuestion(target, problem, pick) {
  const rows = problem.errors.map((e, n) => h("li", {}, h("button", { type: "button", class: "pick", on: { click: () => pick(String(n + 1)) } }, `${n + 1}. ${e.message}`)));
  target.replaceChildren(
    h(
      "div",
      { class: "problem is-question" },
      h("h2", {}, problem.title),
      h("p", {}, `共 ${rows.length} 个，请选择一个检测，或全部检测。`),
      h("ol", {}, rows),
      h("button", { type: "button", class: "go", on: { click: () => pick("all") } }, "全部检测"),
    ),
  );
}

// Fill the list and the map; return whether there was anything to draw.
function placeFaults(target, problem, board, source) {
  const list = target.querySelector(".faults");
  board.clearMarks();
  const outline = problem.outline ? board.addOutline(problem.outline) : null;
  const faults = (problem.errors ?? []).slice(0, SHOWN_FAULTS);
  const marks = faults.map((fault, n) => (fault.marker ? board.addFault(n + 1, fault.marker, `${fault.where} ${fault.message}`, () => choose(n, true)) : null));
  const rows = faults.map((fault, n) => faultRow(fault, n, marks[n] ? () => choose(n, false) : null, source));
  list?.replaceChildren(...rows);

  function choose(n, fromMap) {
    rows.forEach((row, k) => row.classList.toggle("chosen", k === n));
    rows.forEach((row, k) => row.querySelector("button")?.setAttribute("aria-pressed", String(k === n)));
    marks.forEach((mark, k) => mark?.choose(k === n));
    if (fromMap) rows[n].scrollIntoView({ block: "nearest" });
    else {
      board.frame(marks[n].shape, 19);
      if (matchMedia("(max-width: 900px)").matches) document.getElementById("board").scrollIntoView({ block: "nearest" });
    }
  }

  const drawn = Boolean(outline) || marks.some(Boolean);
  // The board gets its size first, or the frame would be that of a hidden map.
  if (drawn) requestAnimationFrame(() => board.frame(outline ?? board.marks));
  return drawn;
}

function faultRow(fault, n, show, source) {
  const inside = [h("span", { class: "badge", "aria-hidden": "true" }, String(n + 1)), h("span", { class: "what" }, h("b", {}, fault.where), h("span", {}, fault.message)), show ? h("small", {}, "看位置") : null];
  const place = show ? h("button", { type: "button", "aria-pressed": "false", on: { click: show } }, inside) : h("p", {}, inside);
  return h("li", { class: show ? "fault placed" : "fault" }, place, quoted(fault.where, source));
}

// The lines of the file that a fault names, as they stand there.
function quoted(where, source) {
  const numbers = [...where.matchAll(/第 (\d+) 行/g)].map((m) => Number(m[1])).slice(0, 4);
  const lines = numbers.filter((n) => (source[n - 1] ?? "").trim());
  if (!lines.length) return null;
  return h("pre", { class: "lines" }, lines.map((n) => h("code", { "data-line": n }, source[n - 1].slice(0, 160))));
}

function linesOf(text) {
  return text.split(/\r\n|\r\r\n|\n|\r/);
}
