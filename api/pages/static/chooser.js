// A list of uses that is searched by name or code: the pattern of a combobox with a list box.
// The chosen code stands in the hidden select, which also holds the list.
"use strict";

function makeChooser(select, input, list, hint) {
  const rows = [...select.options].filter((o) => o.value).map((o) => ({ code: o.value, text: o.textContent, group: o.parentElement.label }));
  let shown = [];
  let active = -1;

  const words = () => input.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const named = () => rows.find((r) => r.code === select.value);

  function found() {
    const wanted = words();
    if (named() && input.value === named().text) return rows;
    // A code is looked for from its beginning, a name anywhere.
    return rows.filter((r) => wanted.every((w) => r.code.startsWith(w) || r.text.toLowerCase().includes(w) || r.group.includes(w)));
  }

  function open() {
    shown = found();
    const items = [];
    let group = null;
    shown.forEach((row, n) => {
      if (row.group !== group) items.push(h("li", { class: "group", role: "presentation" }, (group = row.group)));
      items.push(h("li", { id: `use-${row.code}`, role: "option", "aria-selected": String(row.code === select.value), on: { pointerdown: (e) => e.preventDefault(), click: () => choose(n) } }, row.text));
    });
    if (!shown.length) items.push(h("li", { class: "group", role: "presentation" }, "没有这样的用途；可输入名称中的字，或代码的前几位"));
    list.replaceChildren(...items);
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    activate(shown.findIndex((r) => r.code === select.value));
  }

  function close() {
    list.hidden = true;
    active = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  function activate(n) {
    list.querySelector(".active")?.classList.remove("active");
    active = n;
    const option = n >= 0 ? document.getElementById(`use-${shown[n].code}`) : null;
    if (!option) return input.removeAttribute("aria-activedescendant");
    option.classList.add("active");
    // Within the list only: the page must not jump.
    list.scrollTop = Math.max(0, option.offsetTop - list.clientHeight / 2);
    input.setAttribute("aria-activedescendant", option.id);
  }

  function choose(n) {
    show(shown[n].code);
    close();
  }

  function show(code) {
    select.value = code;
    input.value = named()?.text ?? "";
    input.setCustomValidity("");
    hint.hidden = Boolean(select.value);
  }

  function settle() {
    close();
    const text = input.value.trim();
    const exact = rows.find((r) => r.code === text || r.text === text || r.text.slice(r.code.length + 1) === text);
    const only = text && found().length === 1 ? found()[0] : null;
    // What was typed and is no use must not look like one.
    show((exact ?? only)?.code ?? "");
  }

  function onKey(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      if (list.hidden) open();
      else if (shown.length) activate((active + step + shown.length) % shown.length);
    } else if (event.key === "Enter" && !list.hidden) {
      event.preventDefault();
      if (active >= 0) choose(active);
      else if (shown.length === 1) choose(0);
    } else if (event.key === "Escape" && !list.hidden) {
      event.preventDefault();
      close();
    }
  }

  input.addEventListener("focus", () => input.select());
  input.addEventListener("click", open);
  input.addEventListener("input", () => {
    select.value = "";
    open();
    if (shown.length && words().length) activate(0);
  });
  input.addEventListener("keydown", onKey);
  input.addEventListener("blur", settle);
  show(select.value);
  return { show };
}
