// Draw one polygon by taps, by mouse or by keyboard. Every step can be undone.
"use strict";

const NEAR_PX = 14;

function makeDrawing(board, onChange) {
  const { map } = board;
  const $ = (id) => document.getElementById(id);
  const layer = L.featureGroup().addTo(map);
  let points = [];
  let closed = false;
  let active = false;
  let before = [];
  let handles = [];
  let shape = null;

  function keep() {
    before.push({ points: points.slice(), closed });
  }

  function add(at) {
    const last = points[points.length - 1];
    if (closed || (last && near(last, at, 3))) return;
    if (points.length >= 3 && near(points[0], at, NEAR_PX)) return finish();
    keep();
    points.push(at);
    redraw();
  }

  function near(a, b, pixels) {
    return map.latLngToContainerPoint(a).distanceTo(map.latLngToContainerPoint(b)) <= pixels;
  }

  function finish() {
    if (closed || points.length < 3) return;
    keep();
    closed = true;
    redraw();
  }

  function undo() {
    const last = before.pop();
    if (!last) return;
    ({ points, closed } = last);
    redraw();
  }

  function clear() {
    if (!points.length) return;
    keep();
    points = [];
    closed = false;
    redraw();
  }

  // --- on the map --------------------------------------------------------------------------------

  function redraw() {
    layer.clearLayers();
    shape = closed ? L.polygon(points, { className: "drawn closed", interactive: false }) : L.polyline(points, { className: "drawn", interactive: false });
    shape.addTo(layer);
    handles = points.map(handle);
    tell();
  }

  function handle(at, n) {
    const first = n === 0 && !closed && points.length >= 3;
    const dot = h("span", { class: first ? "vertex first" : "vertex" });
    const marker = L.marker(at, { draggable: true, keyboard: false, title: first ? "点按闭合" : `界址点 ${n + 1}`, icon: L.divIcon({ className: "vertex-box", html: dot, iconSize: [32, 32] }) });
    marker.on("dragstart", keep);
    marker.on("drag", () => {
      points = points.map((p, k) => (k === n ? marker.getLatLng() : p));
      shape.setLatLngs(points);
      tell();
    });
    if (n === 0) marker.on("click", finish);
    return marker.addTo(layer);
  }

  function tell() {
    const status = $("draw-status");
    const count = points.length;
    // An estimate while drawing; the service measures.
    const mu = number(wuquGeodesy.area(points) / Number(document.body.dataset.m2PerMu), 2);
    if (!count) status.textContent = "点按地图，加第一个界址点";
    else if (count === 1) status.textContent = "1 个界址点";
    else if (count === 2) status.textContent = `2 个界址点，边长约 ${number(wuquGeodesy.length(points), 1)} 米`;
    else status.textContent = closed ? `已闭合：${count} 个界址点，约 ${mu} 亩` : `${count} 个界址点，约 ${mu} 亩；点按第一点闭合`;
    $("draw-undo").disabled = !before.length;
    $("draw-clear").disabled = !count;
    $("draw-finish").disabled = closed || count < 3;
    onChange(closed);
  }

  function onKey(event) {
    if (!active || event.target !== map.getContainer()) return;
    if (event.key === "Enter" || event.key === " ") add(map.getCenter());
    else if (event.key === "Backspace" || event.key === "Delete") undo();
    else return;
    event.preventDefault();
  }

  function use(on) {
    active = on;
    $("draw-tools").hidden = !on;
    map.getContainer().classList.toggle("drawing", on);
    if (on) map.doubleClickZoom.disable();
    else map.doubleClickZoom.enable();
    if (on) layer.addTo(map);
    else layer.remove();
  }

  function geometry() {
    // Nine decimals are a tenth of a millimetre.
    const ring = points.map((p) => [Number(p.lng.toFixed(9)), Number(p.lat.toFixed(9))]);
    return closed ? { type: "Polygon", coordinates: [[...ring, ring[0]]] } : null;
  }

  map.on("click", (event) => active && add(event.latlng));
  map.on("dblclick", () => active && finish());
  map.getContainer().addEventListener("keydown", onKey);
  // The cross in the middle is for the keyboard; a tap focuses the map too and needs none.
  const keyed = (on) => map.getContainer().classList.toggle("keyed", on);
  document.addEventListener("keydown", () => keyed(true), true);
  document.addEventListener("pointerdown", () => keyed(false), true);
  $("draw-undo").addEventListener("click", undo);
  $("draw-clear").addEventListener("click", clear);
  $("draw-finish").addEventListener("click", finish);
  return { use, geometry, frame: () => points.length && board.frame(layer, 18) };
}
