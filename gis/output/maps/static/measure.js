/* Measuring on a map page: lengths along taps, and the area that they enclose. For the eye only. */
window.wuquMeasure = (function () {
  'use strict';
  var ICON = '<svg viewBox="0 0 24 24" width="18" height="18" aria-hidden="true"><path d="M3 16 16 3l5 5L8 21zM7.5 11.5l2 2M11 8l2.5 2.5M14.5 4.5l2 2" fill="none" stroke="currentColor" stroke-width="2"/></svg>';
  var EMPTY = '点按地图量距离，三点以上同时量面积';
  var map, button, panel, said, line, dots, m2PerMu;
  var points = [];
  var active = false;

  function number(value, digits) {
    return value.toLocaleString('zh-CN', { minimumFractionDigits: digits, maximumFractionDigits: digits });
  }
  function metres(value) { return value < 1000 ? number(value, 1) + ' 米' : number(value / 1000, 3) + ' 公里'; }
  function sentence() {
    if (points.length < 2) { return points.length ? '再点一处' : EMPTY; }
    var text = '长约 ' + metres(wuquGeodesy.length(points));
    if (points.length < 3) { return text; }
    var m2 = wuquGeodesy.area(points);
    return text + '；合围面积约 ' + number(m2 / m2PerMu, 2) + ' 亩（' + number(m2 / 10000, m2 < 1e6 ? 4 : 2) + ' 公顷）';
  }
  function redraw() {
    line.setLatLngs(points);
    line.setStyle({ fill: points.length > 2 });
    dots.clearLayers();
    points.forEach(function (at) {
      L.circleMarker(at, { radius: 4, color: '#14365f', weight: 2, fillColor: '#fff', fillOpacity: 1, interactive: false, pane: 'wq-measure' }).addTo(dots);
    });
    said.textContent = sentence();
  }
  function add(at) { points.push(at); redraw(); }
  function undo() { points.pop(); redraw(); }
  function clear() { points = []; redraw(); }
  function use(on) {
    active = on;
    button.setAttribute('aria-pressed', on ? 'true' : 'false');
    // Others leave the clicks to a tool that is in use.
    document.documentElement.classList.toggle('wq-tool', on);
    panel.hidden = !on;
    if (on) { map.closePopup(); map.doubleClickZoom.disable(); } else { clear(); map.doubleClickZoom.enable(); }
  }
  // Before Leaflet and everything that listens for taps on features.
  function onClick(event) {
    if (!active || event.target.closest('.leaflet-control')) { return; }
    event.stopImmediatePropagation();
    event.preventDefault();
    if (!map.dragging.moved()) { add(map.mouseEventToLatLng(event)); }
  }
  function onKey(event) {
    if (!active) { return; }
    if (event.key === 'Escape') { use(false); button.focus(); return; }
    if (event.target !== map.getContainer()) { return; }
    if (event.key === 'Enter') { add(map.getCenter()); }
    else if (event.key === 'Backspace' || event.key === 'Delete') { undo(); }
    else { return; }
    event.preventDefault();
  }
  function control() {
    var Tool = L.Control.extend({
      options: { position: 'topleft' },
      onAdd: function () {
        var box = L.DomUtil.create('div', 'leaflet-bar');
        button = L.DomUtil.create('a', 'wq-measure-button', box);
        button.href = '#';
        button.title = '量距离和面积';
        button.setAttribute('role', 'button');
        button.setAttribute('aria-label', button.title);
        button.setAttribute('aria-pressed', 'false');
        button.innerHTML = ICON;
        L.DomEvent.disableClickPropagation(box);
        L.DomEvent.on(button, 'click', function (e) { L.DomEvent.preventDefault(e); use(!active); });
        return box;
      }
    });
    new Tool().addTo(map);
  }
  function start(theMap, perMu) {
    map = theMap;
    m2PerMu = perMu;
    panel = document.querySelector('.wq-measure');
    said = panel.querySelector('output');
    map.createPane('wq-measure').style.zIndex = 660;
    line = L.polyline([], { color: '#14365f', weight: 3, fillColor: '#14365f', fillOpacity: 0.12, interactive: false, pane: 'wq-measure' }).addTo(map);
    dots = L.layerGroup().addTo(map);
    control();
    panel.querySelector('[data-do="undo"]').addEventListener('click', undo);
    panel.querySelector('[data-do="clear"]').addEventListener('click', clear);
    panel.querySelector('[data-do="end"]').addEventListener('click', function () { use(false); button.focus(); });
    map.getContainer().addEventListener('click', onClick, true);
    document.addEventListener('keydown', onKey);
  }
  return { start: start };
})();
