// The desk: collect a site and its claims, ask the service, show the answer.
"use strict";

const $ = (id) => document.getElementById(id);
const result = $("result");
let running = 0;
let sampleFile = null;

// --- what is sent --------------------------------------------------------------------------------

function way() {
  return document.querySelector('input[name="way"]:checked').value;
}

function query(which) {
  const params = new URLSearchParams();
  for (const name of ["use", "as_of", "crs", "encoding", "width_m"]) if ($(name).value) params.set(name, $(name).value);
  if ($("repair").checked) params.set("repair", "true");
  if (which) params.set("which", which);
  document.querySelectorAll("[data-attr]").forEach((field) => {
    if (field.value !== "") params.append("attr", `${field.dataset.attr}:${field.value}`);
  });
  return params;
}

function asGeometry(text) {
  // Lines of two numbers (a leading point number is skipped) are a ring; anything else is sent as it is.
  const lines = text.split(/\r?\n/).map((l) => l.trim()).filter(Boolean);
  const points = lines.map((l) => l.split(/[\s,;，；]+/).filter(Boolean));
  const numeric = points.every((p) => (p.length === 2 || p.length === 3) && p.slice(-2).every((v) => v !== "" && isFinite(v)));
  if (lines.length < 3 || !numeric) return text;
  const ring = points.map((p) => p.slice(-2).join(" "));
  if (ring[0] !== ring[ring.length - 1]) ring.push(ring[0]);
  return `POLYGON((${ring.join(", ")}))`;
}

function body() {
  if (way() === "text") {
    const text = $("text").value.trim();
    if (!text) return null;
    const kind = text.startsWith("{") ? "application/geo+json" : "text/plain";
    return { body: asGeometry(text), headers: { "Content-Type": kind } };
  }
  const file = sampleFile || $("file").files[0];
  if (!file) return null;
  const form = new FormData();
  form.append("file", file, file.name);
  return { body: form };
}

async function ask(which) {
  const content = body();
  if (!content) {
    showProblem(result, { title: "还没有地块", detail: way() === "file" ? "请选择文件，或拖到左侧方框中。" : "请粘贴坐标或 WKT。" });
    return;
  }
  await show(() => fetch(`/v1/site-checks?${query(which)}`, { method: "POST", ...content }), ask);
  refreshRecent();
}

// --- what comes back -----------------------------------------------------------------------------

async function show(request, pick) {
  const own = ++running;
  result.setAttribute("aria-busy", "true");
  result.replaceChildren(h("p", { class: "waiting" }, "正在检测…"));
  let answer;
  let document_;
  try {
    answer = await request();
    document_ = await answer.json();
  } catch {
    document_ = { title: "无法连接服务", detail: "检测服务没有应答；请确认服务正在运行后重试。" };
  }
  if (own !== running) return;
  result.removeAttribute("aria-busy");
  if (!answer || !answer.ok) showProblem(result, document_, pick);
  else if (document_.checks) showSeveral(result, document_.checks);
  else {
    showCheck(result, document_);
    history.replaceState(null, "", `#check=${document_.id}`);
  }
  result.focus({ preventScroll: true });
  if (matchMedia("(max-width: 900px)").matches) result.scrollIntoView({ block: "start" });
}

function openFromAddress() {
  const id = new URLSearchParams(location.hash.slice(1)).get("check");
  if (id) show(() => fetch(`/v1/site-checks/${encodeURIComponent(id)}`), () => {});
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

function chooseWay() {
  $("way-file").hidden = way() !== "file";
  $("way-text").hidden = way() !== "text";
}

function named(file) {
  $("file-name").textContent = file ? file.name : "选择文件，或拖到这里";
  $("way-file").classList.toggle("chosen", Boolean(file));
}

function dropped(event) {
  event.preventDefault();
  $("way-file").classList.remove("over");
  const file = event.dataTransfer.files[0];
  if (!file) return;
  document.querySelector('input[name="way"][value="file"]').checked = true;
  chooseWay();
  sampleFile = file;
  named(file);
}

async function trySample(button) {
  const answer = await fetch(`/samples/${button.dataset.sample}`).catch(() => null);
  if (!answer || !answer.ok) return;
  sampleFile = new File([await answer.blob()], button.dataset.file);
  document.querySelector('input[name="way"][value="file"]').checked = true;
  chooseWay();
  named(sampleFile);
  $("use").value = button.dataset.use;
  $("width_m").value = button.dataset.width;
  $("as_of").value = button.dataset.asOf;
  const claims = JSON.parse(button.dataset.attributes);
  document.querySelectorAll("[data-attr]").forEach((field) => {
    field.value = field.dataset.attr in claims ? String(claims[field.dataset.attr]) : "";
  });
  ask();
}

$("desk").addEventListener("submit", (event) => {
  event.preventDefault();
  ask();
});
document.querySelectorAll('input[name="way"]').forEach((radio) => radio.addEventListener("change", chooseWay));
$("file").addEventListener("change", () => {
  sampleFile = null;
  named($("file").files[0]);
});
document.querySelectorAll("[data-sample]").forEach((b) => b.addEventListener("click", () => trySample(b)));
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
if (location.hash.startsWith("#check=")) openFromAddress();
else {
  const frame = document.querySelector(".welcome iframe");
  if (frame && matchMedia("(min-width: 901px)").matches) frame.src = frame.dataset.src;
}
