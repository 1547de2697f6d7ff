// Many sites as one job: handed in, followed, cancelled, taken away. Decides nothing.
"use strict";

// Up to so many, checks one by one are answered soon enough, and each can be looked at right here.
const MANY = 50;
const LOOK_AGAIN_MS = 2000;
const FORMS = { xlsx: "Excel 表格", gpkg: "GeoPackage", csv: "CSV 表格", geojson: "GeoJSON", zip: "全部报告（zip）" };
let following = null;

// Whether a single check was too small a tool for what was sent.
function wantsJob(problem) {
  if (problem.code === "several_sites") return (problem.errors ?? []).length > MANY;
  return ["limit", "effort", "body_limit"].includes(problem.code);
}

// All files as one: the service takes a zip apart, loose parts of Shapefiles included.
async function togetherItem(files) {
  if (files.length === 1) return fileItem(files[0]);
  return fileItem(new File([await zipped(files)], `${files.length}个文件.zip`));
}

function jobButton(start) {
  return h("p", { class: "many" }, h("button", { type: "button", class: "go", on: { click: start } }, "批量检测"), h("span", { class: "help" }, "在后台逐个检测，无法检测的地块单独列出，不影响其他地块。"));
}

function stopFollowing() {
  following?.stop();
  following = null;
}

// Show a job and keep it up to date until it ends; `tell` speaks to a screen reader.
function followJob(target, job, tell) {
  stopFollowing();
  const view = jobView(target, job, tell);
  view.update(job);
  if (isOver(job)) return view.finish(job);
  let timer = 0;
  let ended = false;
  const source = new EventSource(job.links.events);
  const end = async () => {
    if (ended) return;
    ended = true;
    source.close();
    const whole = await askFor(job.links.self);
    if (whole) view.finish(whole);
  };
  const take = (event) => {
    const told = JSON.parse(event.data);
    view.update(told);
    if (isOver(told)) end();
  };
  source.addEventListener("state", take);
  source.addEventListener("progress", take);
  // A lost connection is taken up again by the browser; where it was refused, looking does as well.
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED && !ended && !timer) timer = setInterval(look, LOOK_AGAIN_MS);
  });
  async function look() {
    const told = await askFor(job.links.self);
    if (!told || ended) return;
    view.update(told);
    if (isOver(told)) {
      clearInterval(timer);
      end();
    }
  }
  following = {
    stop() {
      ended = true;
      source.close();
      clearInterval(timer);
    },
  };
}

function isOver(job) {
  return job.state !== "queued" && job.state !== "running";
}

async function askFor(url) {
  const answer = await fetch(url).catch(() => null);
  return answer?.ok ? answer.json() : null;
}

function jobView(target, job, tell) {
  const bar = h("progress", { id: "job-bar", max: "1" });
  const status = h("p", { class: "job-status" });
  const counts = h("p", { class: "counted" });
  const cancel = h("button", { type: "button", class: "plain" }, "取消");
  const after = h("div", {});
  let spoken = "";
  cancel.addEventListener("click", async () => {
    cancel.disabled = true;
    await fetch(job.links.cancel, { method: "POST" }).catch(() => null);
  });
  target.replaceChildren(
    h("section", { class: "job", "aria-label": "批量检测" }, h("h2", {}, job.name || "批量检测"), h("label", { for: "job-bar" }, "进度"), bar, status, counts, h("p", {}, cancel), after),
  );

  function update(told) {
    if (told.total) {
      bar.max = told.total;
      bar.value = told.done;
    }
    const size = told.total === null ? "" : `${number(told.done, 0)} / ${number(told.total, 0)} 个`;
    const left = told.remaining_s === null || isOver(told) ? "" : `，约剩 ${duration(told.remaining_s)}`;
    status.textContent = `${told.state_label} ${size}${left}`;
    counts.textContent = countsOf(told.counts);
    if (told.state_label !== spoken) tell(`批量检测${told.state_label}。`);
    spoken = told.state_label;
  }

  function finish(whole) {
    update(whole);
    cancel.hidden = true;
    bar.hidden = whole.state !== "done";
    after.replaceChildren(...[wrong(whole), files(whole, tell), problemsOf(whole)].filter(Boolean));
    tell(`批量检测${whole.state_label}：${countsOf(whole.counts) || "没有结果"}。`);
  }

  return { update, finish };
}

const COUNTED = { fail: "不符合", undetermined: "需核实", conditional: "有条件符合", pass: "符合", problem: "无法检测" };
function countsOf(counts) {
  return Object.entries(COUNTED).filter(([key]) => counts[key]).map(([key, word]) => `${word} ${number(counts[key], 0)}`).join("，");
}

function duration(seconds) {
  return seconds < 90 ? `${Math.max(1, seconds)} 秒` : `${Math.round(seconds / 60)} 分钟`;
}

function wrong(job) {
  return job.error ? h("p", { class: "warning" }, job.error.detail) : null;
}

function files(job, tell) {
  const offered = Object.entries(FORMS).filter(([suffix]) => job.links.results[suffix]);
  if (!offered.length) return null;
  const note = h("p", { class: "help", role: "status" });
  const buttons = offered.map(([suffix, title]) =>
    h("button", { type: "button", "data-result": suffix, on: { click: (e) => takeAway(job, suffix, title, e.currentTarget, note, tell) } }, `下载 ${title}`),
  );
  return h("div", {}, h("h3", {}, "结果"), h("p", { class: "downloads" }, buttons), note);
}

// A result is written when it is first asked for; the service says when to ask again.
async function takeAway(job, suffix, title, button, note, tell) {
  button.disabled = true;
  try {
    for (;;) {
      const answer = await fetch(job.links.results[suffix]);
      if (answer.status === 202) {
        const { done, total } = await answer.json();
        note.textContent = `正在生成${title}${total ? `：${done} / ${total}` : ""}…`;
        await new Promise((next) => setTimeout(next, 1000 * Number(answer.headers.get("Retry-After") ?? 3)));
        continue;
      }
      if (!answer.ok) {
        const problem = await answer.json();
        note.textContent = `${problem.title}：${problem.detail}`;
        return;
      }
      save(await answer.blob(), `${(job.name || "批量检测").replace(/\.[^.]*$/, "")}-结果.${suffix}`);
      note.textContent = `${title}已下载。`;
      tell(note.textContent);
      return;
    }
  } catch {
    note.textContent = "无法连接服务；请确认服务正在运行后重试。";
  } finally {
    button.disabled = false;
  }
}

function save(blob, name) {
  const url = URL.createObjectURL(blob);
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60000);
}

function problemsOf(job) {
  if (!job.problems.length) return null;
  const rows = job.problems.map((p) => h("li", {}, h("b", {}, `第 ${p.row} 行 ${p.name}：`), p.message));
  const more = job.counts.problem - rows.length;
  return fold("无法检测的地块", job.counts.problem, h("ol", { class: "refusals" }, rows), more > 0 ? h("p", { class: "help" }, `其余 ${more} 个见结果表。`) : null);
}
