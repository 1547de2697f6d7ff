// The map of the desk: the ground of the plan, and what is drawn or marked upon it.
// It shows; it measures nothing that counts and asks nobody outside.
"use strict";

const LABEL_CLASS = { zone: "name-zone", water: "name-water", district: "name-district", road: "name-road" };

function makeBoard() {
  const box = document.getElementById("board");
  const map = L.map("map", { attributionControl: false, zoomControl: false, zoomSnap: 0.25, zoomDelta: 1, minZoom: 9, maxZoom: 20, doubleClickZoom: true });
  L.control.zoom({ position: "bottomright", zoomInTitle: "放大", zoomOutTitle: "缩小" }).addTo(map);
  L.control.scale({ imperial: false, position: "bottomleft" }).addTo(map);
  map.setView([36.35, 116], 11);
  map.createPane("ground").style.zIndex = 300;
  map.createPane("names").style.zIndex = 350;
  map.getPane("ground").style.pointerEvents = map.getPane("names").style.pointerEvents = "none";
  const paper = L.canvas({ pane: "ground", padding: 0.3 });
  const marks = L.featureGroup().addTo(map);
  let home = null;
  let names = [];

  // --- the ground --------------------------------------------------------------------------------

  function drawn(shapes, look, filled) {
    const style = { ...look, fill: filled && look.fill, interactive: false };
    return L.geoJSON(shapes, { style, pane: "ground", renderer: paper, interactive: false, pointToLayer: (_, at) => L.circleMarker(at, { ...style, radius: 4 }) });
  }

  function layerOf(row) {
    const group = L.layerGroup();
    row.parts.filter((p) => p.casing).forEach((p) => drawn(p.shapes, p.casing, false).addTo(group));
    row.parts.forEach((p) => drawn(p.shapes, p.look, true).addTo(group));
    return group;
  }

  function swatch(row) {
    const look = row.parts.at(-1)?.look ?? {}; // the topmost, which of roads are the main ones
    const mark = h("i", { "aria-hidden": "true" });
    mark.style.borderColor = look.color;
    mark.style.backgroundColor = look.fill ? look.fillColor : "transparent";
    return mark;
  }

  function listed(row, layer) {
    const tick = h("input", { type: "checkbox", checked: row.shown, on: { change: () => toggle(layer, tick.checked) } });
    return h("li", {}, h("label", {}, tick, swatch(row), h("span", {}, row.title, row.vintage ? h("small", {}, row.vintage) : null)));
  }

  // A canvas draws in the order in which things are added, so a layer that comes later is put in place.
  let stack = [];
  function toggle(layer, on) {
    if (!on) return layer.remove();
    layer.addTo(map);
    stack.slice(stack.indexOf(layer) + 1).filter((l) => map.hasLayer(l)).forEach((l) => l.remove().addTo(map));
  }

  async function load() {
    const answer = await fetch("/desk/ground.json").catch(() => null);
    if (!answer || !answer.ok) return note("规划底图没有取到，仍可绘制和检测。");
    const ground = await answer.json();
    const rows = ground.layers;
    ground.sheets.forEach((part) => drawn(part.shapes, part.look, true).addTo(map));
    const layers = rows.map(layerOf);
    stack = layers;
    rows.forEach((row, n) => row.shown && layers[n].addTo(map));
    document.querySelector("#board-layers ul").replaceChildren(...rows.map((row, n) => listed(row, layers[n])).reverse());
    names = ground.labels;
    home = L.latLngBounds(ground.home);
    if (!marks.getLayers().length) goHome();
    map.on("zoomend moveend", nameThings);
    nameThings();
    box.dataset.ready = "true";
  }

  function note(text) {
    box.append(h("p", { class: "board-trouble" }, text));
  }

  // Names that would cover each other are left out, the less important first.
  const order = ["zone", "district", "water", "road"];
  const texts = L.layerGroup().addTo(map);
  function nameThings() {
    const taken = [];
    texts.clearLayers();
    const view = map.getBounds();
    const zoom = map.getZoom();
    const visible = names.map((n) => ({ ...n, at: n.at.find((place) => view.contains(place)) }));
    const wanted = visible.filter((n) => n.at && zoom >= n.zoom).sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
    for (const name of wanted) {
      const at = map.latLngToContainerPoint(name.at);
      const half = name.text.length * (name.kind === "zone" ? 8.5 : 7.5) + 6;
      const here = { left: at.x - half, right: at.x + half, top: at.y - 13, bottom: at.y + 13 };
      if (taken.some((t) => here.left < t.right && here.right > t.left && here.top < t.bottom && here.bottom > t.top)) continue;
      taken.push(here);
      const shown = h("span", { class: LABEL_CLASS[name.kind] ?? "name-road" }, name.text);
      L.marker(name.at, { pane: "names", interactive: false, keyboard: false, icon: L.divIcon({ className: "name", html: shown, iconSize: [0, 0] }) }).addTo(texts);
    }
  }

  // --- marks -------------------------------------------------------------------------------------

  // A hidden map has no size and cannot be framed; it is framed as soon as it is shown.
  let waits = null;
  function fit(bounds, options) {
    map.invalidateSize({ pan: false, animate: false });
    const size = map.getSize();
    waits = size.x && size.y ? null : () => fit(bounds, options);
    if (!waits) map.fitBounds(bounds, { animate: false, ...options });
  }

  function goHome() {
    if (home) fit(home, { padding: [12, 12] });
  }

  function clearMarks() {
    marks.clearLayers();
  }

  // Outline as given, lines over the ground; never filled, because a broken one has no inside.
  function addOutline(geometry) {
    return L.geoJSON(geometry, { style: { className: "mark-outline", fill: false }, interactive: false }).addTo(marks);
  }

  function addFault(number, geometry, title, chosen) {
    const shape = L.geoJSON(geometry, { style: { className: "mark-fault", fill: false }, interactive: false, pointToLayer: (_, at) => L.circleMarker(at, { radius: 9, className: "mark-fault", interactive: false, fill: false }) }).addTo(marks);
    const middle = shape.getBounds().getCenter();
    const pin = h("span", { class: "pin" }, String(number));
    const marker = L.marker(middle, { icon: L.divIcon({ className: "pin-box", html: pin, iconSize: [30, 38], iconAnchor: [15, 38] }), alt: title, title, riseOnHover: true });
    marker.on("click", chosen);
    marker.addTo(marks);
    const choose = (on) => {
      pin.classList.toggle("chosen", on);
      marker.setZIndexOffset(on ? 1000 : 0); // above its neighbours
    };
    return { shape, choose };
  }

  function frame(layer, closest) {
    const bounds = layer.getBounds();
    // Pins stand above their place, buttons on the right.
    const room = { paddingTopLeft: [40, 70], paddingBottomRight: [box.clientWidth > 600 ? 110 : 84, 50] };
    if (bounds.isValid()) fit(bounds, { ...room, maxZoom: closest ?? 19 });
  }

  // Where the board stands may change its size.
  new ResizeObserver(() => (waits ? waits() : map.invalidateSize({ pan: false }))).observe(box);
  document.getElementById("board-home").addEventListener("click", goHome);
  return { map, marks, load, goHome, clearMarks, addOutline, addFault, frame };
}
