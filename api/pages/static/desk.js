// The desk: collect a site and its claims, ask the service, show the answer.
"use strict";

const $ = (id) => document.getElementById(id);
const result = $("result");
const stage = $("stage");
const phone = matchMedia("(max-width: 900px)");
const board = makeBoard();
const drawing = makeDrawing(board, () => {});
const chooser = makeChooser($("use"), $("use-search"), $("use-list"), $("use-none"));
let running = 0;
let chosen = [];

// --- what is sent --------------------------------------------------------------------------------

function way() {
  return document.querySelector('input[name="way"]:checked').value;
}

function query(which, drawn) {
  const params = new URLSearchParams();
  // What was drawn here is in longitude and latitude, whatever the last file was in.
  const names = drawn ? ["use", "as_of"] : ["use", "as_of", "crs", "encoding", "width_m"];
  for (const name of names) if ($(name).value) params.set(name, $(name).value);
  if ($("repair").checked) params.set("repair", "true");
  if (which) params.set("which", which);
  document.querySelectorAll("[data-attr]").forEach((field) => {
    if (field.value !== "") params.append("attr", `${field.dataset.attr}:${field.value}`);
  });
  return params;
}

const MISSING = {
  file: ["还没有地块", "请选择文件，或拖到左侧方框中。"],
  text: ["还没有地块", "请粘贴坐标或 WKT。"],
  draw: ["图形还没有闭合", "请在地图上点出至少三个界址点，再点按第一点或“闭合”。"],
};

async function items() {
  if (way() === "text") {
    const text = $("text").value.trim();
    return text ? [textItem(text)] : [];
  }
  if (way() === "draw") {
    const geometry = drawing.geometry();
    return geometry ? [drawnItem(geometry, $("draw-name").value.trim())] : [];
  }
  return fileItems(chosen);
}

async function submit() {
  const wanted = await items();
  if (!wanted.length) {
    const [title, detail] = MISSING[way()];
    if (way() === "draw") say(`${title}。${detail}`);
    else showAnswer({ ok: false, document: { title, detail, errors: [] } }, null, () => {});
    if (way() === "draw") $("draw-status").textContent = detail;
    return;
  }
  if (wanted.length > MANY) await submitJob(await togetherItem(chosen));
  else if (wanted.length === 1) await ask(wanted[0]);
  else await askAll(wanted);
  refreshRecent();
}

// So many sites that they are worked off in the background.
async function submitJob(item) {
  const own = waiting("正在上传…");
  const answer = await received(() => fetch(`/v1/site-checks/batch?${query("", item.drawn)}`, { method: "POST", ...item.request }));
  if (own !== running) return;
  if (!answer.ok) return showAnswer(answer, null, () => {});
  history.replaceState(null, "", `#job=${answer.document.id}`);
  showJob(answer.document);
}

function showJob(job) {
  arrive("answer");
  followJob(result, job, say);
  comeToAnswer();
}

function ask(item, which) {
  return show(() => send(item, which), item, (picked) => ask(item, picked));
}

async function send(item, which) {
  const url = `/v1/site-checks?${query(which, item.drawn)}`;
  return received(() => fetch(url, { method: "POST", ...item.request }));
}

async function received(request) {
  try {
    const answer = await request();
    const document = await answer.json();
    // Leaving for the form would lose what was typed here.
    if (answer.status === 401) document.detail = "登录已到期。请在新的标签页打开 /sign-in 登录，再回到本页重试；填写的内容还在。";
    return { ok: answer.ok, document };
  } catch {
    return { ok: false, document: { title: "无法连接服务", detail: "检测服务没有应答；请确认服务正在运行后重试。", errors: [] } };
  }
}

// --- what comes back -----------------------------------------------------------------------------

function waiting(text) {
  running += 1;
  stopFollowing();
  stage.setAttribute("aria-busy", "true");
  turnTo("answer");
  result.replaceChildren(h("p", { class: "waiting" }, text));
  say(text);
  return running;
}

async function show(request, item, pick) {
  const own = waiting("正在检测…");
  const answer = await request();
  const source = answer.ok || !item ? [] : linesOf(await item.text());
  if (own !== running) return;
  showAnswer(answer, item, pick, source);
}

// Many files one after the other, so that none waits long for its turn with the others'.
async function askAll(wanted) {
  const own = waiting(`正在检测 1 / ${wanted.length}…`);
  const entries = [];
  for (const [n, item] of wanted.entries()) {
    result.replaceChildren(h("p", { class: "waiting" }, `正在检测 ${n + 1} / ${wanted.length}：${item.name}`));
    const answer = await send(item, "all");
    const source = answer.ok ? [] : linesOf(await item.text());
    if (own !== running) return;
    entries.push(...entriesOf(answer, item, source));
  }
  arrive("answer");
  showSeveral(result, entries);
  say(`${wanted.length} 个文件检测完毕：${counted(entries)}。`);
  comeToAnswer();
}

function entriesOf(answer, item, source) {
  if (answer.ok) return answer.document.checks.map(entryOf);
  const showOne = (place) => showFaults(place, answer.document, () => {}, source);
  return [{ name: item.name, verdict: null, label: "有误", show: showOne }];
}

function entryOf(check) {
  const showOne = (place) => {
    turnTo("answer");
    showCheck(place, check);
  };
  return { name: check.site.name, verdict: check.verdict, label: check.verdict_label, show: showOne };
}

function showAnswer({ ok, document: answer }, item, pick, source = []) {
  arrive("answer");
  if (!ok) {
    showFaults(result, answer, pick, source);
    if (item && wantsJob(answer)) result.append(jobButton(() => submitJob(item)));
    say(`${answer.title}。${answer.errors?.length ? `共 ${answer.errors.length} 处。` : answer.detail}`);
  } else if (answer.checks) {
    showSeveral(result, answer.checks.map(entryOf));
    say(`检测完毕，共 ${answer.checks.length} 个地块。`);
  } else {
    showCheck(result, answer);
    say(`检测完毕：${answer.site.name}，${answer.verdict_label}。`);
    history.replaceState(null, "", `#check=${answer.id}`);
  }
  comeToAnswer();
}

function comeToAnswer() {
  stage.focus({ preventScroll: true });
  if (phone.matches) stage.scrollIntoView({ block: "start" });
}

function showFaults(place, problem, pick, source) {
  showProblem(place, problem, pick, () => {
    $("repair").checked = true;
    submit();
  });
  turnTo("faults");
  putBoard();
  if (!placeFaults(place, problem, board, source)) turnTo("answer");
}

// What the stage shows: the map, the answer, or faults with the map beside them.
function turnTo(what) {
  stage.dataset.show = what;
  $("draw-back").hidden = what !== "answer";
}

function arrive(what) {
  stage.removeAttribute("aria-busy");
  board.clearMarks();
  turnTo(what);
}

function say(text) {
  $("live").textContent = text;
}

async function openFromAddress() {
  const told = new URLSearchParams(location.hash.slice(1));
  if (told.get("job")) {
    const own = waiting("正在打开任务…");
    const answer = await received(() => fetch(`/v1/jobs/${encodeURIComponent(told.get("job"))}`));
    if (own !== running) return;
    if (answer.ok) showJob(answer.document);
    else showAnswer(answer, null, () => {});
    return;
  }
  const id = told.get("check");
  if (id) show(() => received(() => fetch(`/v1/site-checks/${encodeURIComponent(id)}`)), null, () => {});
}

async function refreshRecent() {
  const answer = await fetch("/v1/site-checks?limit=12").catch(() => null);
  if (!answer || !answer.ok) return;
  const { checks } = await answer.json();
  $("recent").replaceChildren(
    ...checks.map((c) =>
      h("li", {}, h("a", { href: `#check=${c.id}` }, icon(c.verdict, 20, c.verdict_label), h("span", {}, c.name), h("small", {}, c.verdict_label), h("time", { datetime: c.created_at }, moment(c.created_at)))),
    ),
  );
  $("recent-empty").hidden = checks.length > 0;
}

// --- the form ------------------------------------------------------------------------------------

// On a phone the map stands where the hand is: in the form while drawing, else with the answer.
function putBoard() {
  const home = phone.matches && way() === "draw" && stage.dataset.show !== "faults" ? $("draw-place") : $("board-place");
  if ($("board").parentElement !== home) home.append($("board"));
}

function chooseWay() {
  for (const name of ["file", "text", "draw"]) $(`way-${name}`).hidden = way() !== name;
  if ($("samples")) $("samples").hidden = way() === "draw";
  const draws = way() === "draw";
  drawing.use(draws);
  if (draws) {
    turnTo("map");
    board.clearMarks();
  }
  putBoard();
}

function pickWay(name) {
  document.querySelector(`input[name="way"][value="${name}"]`).checked = true;
  chooseWay();
}

function take(files) {
  chosen = [...files];
  const names = chosen.map((f) => f.name);
  $("file-name").textContent = names.length > 1 ? `${names.length} 个文件：${names.slice(0, 3).join("、")}${names.length > 3 ? "…" : ""}` : (names[0] ?? "选择文件，或拖到这里");
  $("way-file").classList.toggle("chosen", names.length > 0);
}

function dropped(event) {
  event.preventDefault();
  $("way-file").classList.remove("over");
  if (!event.dataTransfer.files.length) return;
  pickWay("file");
  take(event.dataTransfer.files);
  // Dropping a file is asking about it: faults of the file come before everything else.
  submit();
}

async function trySample(button) {
  const answer = await fetch(`/samples/${button.dataset.sample}`).catch(() => null);
  if (!answer || !answer.ok) return;
  const file = new File([await answer.blob()], button.dataset.file);
  pickWay("file");
  take([file]);
  chooser.show(button.dataset.use);
  $("width_m").value = button.dataset.width;
  $("as_of").value = button.dataset.asOf;
  const claims = JSON.parse(button.dataset.attributes);
  document.querySelectorAll("[data-attr]").forEach((field) => {
    field.value = field.dataset.attr in claims ? String(claims[field.dataset.attr]) : "";
  });
  submit();
}

$("desk").addEventListener("submit", (event) => {
  event.preventDefault();
  submit();
});
document.querySelectorAll('input[name="way"]').forEach((radio) => radio.addEventListener("change", chooseWay));
$("draw-back").addEventListener("click", chooseWay);
$("file").addEventListener("change", () => take($("file").files));
document.querySelectorAll("[data-sample]").forEach((b) => b.addEventListener("click", () => trySample(b)));
phone.addEventListener("change", putBoard);
window.addEventListener("hashchange", openFromAddress);
window.addEventListener("dragover", (event) => {
  event.preventDefault();
  $("way-file").classList.add("over");
});
window.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) $("way-file").classList.remove("over");
});
window.addEventListener("drop", dropped);

chooseWay();
board.load();
if (/^#(check|job)=/.test(location.hash)) openFromAddress();
