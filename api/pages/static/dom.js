// Build elements without ever parsing a string as HTML: text from a file stays text.
"use strict";

const SVG = "http://www.w3.org/2000/svg";

function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") for (const [event, run] of Object.entries(value)) element.addEventListener(event, run);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(2).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

function icon(verdict, size, label) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("width", size);
  svg.setAttribute("height", size);
  if (label) {
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", label);
  } else svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#icon-${verdict}`);
  svg.append(use);
  return svg;
}

function fold(title, count, ...children) {
  return h("details", { class: "fold" }, h("summary", {}, title, count === null ? null : h("b", {}, ` ${count}`)), ...children);
}

const number = (value, digits) =>
  value.toLocaleString("zh-CN", { minimumFractionDigits: digits, maximumFractionDigits: digits });
function percent(share) {
  if (share === null || share === undefined) return "";
  return share > 0 && share < 0.00005 ? "不足 0.01%" : `${number(share * 100, 2)}%`;
}

function area(m2) {
  const perMu = Number(document.body.dataset.m2PerMu);
  return m2 >= 1e6 ? `${number(m2 / 1e6, 3)} km²` : `${number(m2 / perMu, 2)} 亩（${number(m2, 2)} m²）`;
}

function measured(measure) {
  if (!measure) return "";
  const areal = measure.unit === "m2" || measure.unit === "m²";
  const text = areal ? area(measure.value) : `${number(measure.value, 2)} ${measure.unit}`;
  return measure.share === null || measure.share === undefined ? text : `${text}，占 ${percent(measure.share)}`;
}

const CLOCK = new Intl.DateTimeFormat("zh-CN", {
  timeZone: "Asia/Shanghai", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hour12: false,
});
function moment(iso) {
  const part = Object.fromEntries(CLOCK.formatToParts(new Date(iso)).map((p) => [p.type, p.value]));
  return `${part.month}-${part.day} ${part.hour}:${part.minute}`;
}
