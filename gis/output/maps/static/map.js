/* The behaviour of every wuqu map page. Texts arrive cleaned (HTML entities) from Python, so they
   are set as HTML and never built into code. No network, no storage, no library but Leaflet. */
window.wuqu = (function () {
  'use strict';
  var map = null;
  var config = null;
  var layers = {};
  var labels = [];
  var calm = window.matchMedia('(prefers-reduced-motion: reduce)').matches;
  var phone = window.matchMedia('(max-width: 760px)');

  function all(selector, root) {
    return Array.prototype.slice.call((root || document).querySelectorAll(selector));
  }
  // A theme of a thousand features fires a thousand events; the page answers once a frame.
  function soon(action) {
    var waiting = false;
    return function () {
      if (waiting || printing) { return; }
      waiting = true;
      window.requestAnimationFrame(function () { waiting = false; action(); });
    };
  }
  function one(selector, root) { return (root || document).querySelector(selector); }

  // --- features -----------------------------------------------------------------------------
  var POPUP = { maxWidth: 300, minWidth: 180, autoPanPadding: [24, 24] };
  function bind(feature, layer) {
    var p = feature.properties || {};
    if (p.t) { layer.bindPopup(popupHtml(p), POPUP); }
  }
  function popup(p) { return L.popup(POPUP).setContent(popupHtml(p)); }
  function popupHtml(p) {
    var rows = (p.r || []).map(function (row) {
      return '<dt>' + row[0] + '</dt><dd>' + row[1] + '</dd>';
    }).join('');
    var verdict = p.v ? '<p class="wq-popup-verdict wq-v-' + p.v + '">' + p.i + '<b>' + p.w + '</b></p>' : '';
    return '<h3>' + p.t + '</h3>' + verdict + (rows ? '<dl>' + rows + '</dl>' : '') + (p.n ? '<p>' + p.n + '</p>' : '');
  }

  function bindPins() {
    map.eachLayer(function (layer) {
      var n = layer.options && layer.options.wq;
      if (typeof n === 'number' && config.sites[n]) { bind({ properties: config.sites[n] }, layer); }
    });
  }

  // --- where the map looks ------------------------------------------------------------------
  function sheetHeight() {
    if (!phone.matches) { return 0; }
    // The height that the sheet is moving to, not the one in the middle of its transition.
    var low = parseFloat(getComputedStyle(document.documentElement).getPropertyValue('--wq-low')) || 190;
    return sheetState === 'low' ? low : window.innerHeight * 0.56;
  }
  var lastFit = null;
  var moved = false; // by hand; then the map stays where the reader put it
  function fit(bounds, options) {
    var narrow = phone.matches;
    var pad = config.padding;
    var legend = one('.wq-legend.is-open');
    var right = !narrow && legend && !legendFree ? legend.offsetWidth + 16 : 0;
    lastFit = [bounds, options];
    moved = false;
    map.fitBounds(bounds, L.extend({
      paddingTopLeft: [narrow ? 14 : pad, narrow ? 62 : 62 + pad / 3],
      paddingBottomRight: [narrow ? 14 : pad + right, (narrow ? 20 : pad / 2 + 20) + sheetHeight()],
      animate: !calm
    }, options || {}));
  }
  // Where the outline leaves a corner free, the legend stands there and the map keeps its width.
  var legendFree = false;
  function placeLegend() {
    var legend = one('.wq-legend');
    legendFree = false;
    legend.classList.remove('is-wide', 'is-top');
    if (phone.matches || !config.outline || !legend.classList.contains('is-open')) { return; }
    legendFree = true;
    legend.classList.add('is-wide');
    fit(config.bounds, { animate: false });
    var top = covered(legend, true);
    var bottom = covered(legend, false);
    if (Math.min(top, bottom) > 0.06) {
      legendFree = false;
      legend.classList.remove('is-wide');
    }
    legend.classList.toggle('is-top', legendFree && top < bottom);
  }
  function replaceLegend() {
    if (!config.outline || moved || !lastFit || lastFit[0] !== config.bounds) { return; }
    placeLegend();
    fit(config.bounds, { animate: false });
  }
  function covered(legend, top) {
    legend.classList.toggle('is-top', top);
    var box = legend.getBoundingClientRect();
    var origin = map.getContainer().getBoundingClientRect();
    var inside = 0;
    var steps = 14;
    for (var i = 0; i <= steps; i += 1) {
      for (var j = 0; j <= steps; j += 1) {
        var x = box.left + (box.width * i) / steps - origin.left;
        var y = box.top + (box.height * j) / steps - origin.top;
        if (within(map.containerPointToLatLng([x, y]), config.outline)) { inside += 1; }
      }
    }
    return inside / ((steps + 1) * (steps + 1));
  }
  function within(p, ring) {
    var odd = false;
    for (var i = 0, j = ring.length - 1; i < ring.length; j = i, i += 1) {
      var a = ring[i];
      var b = ring[j];
      if ((a[0] > p.lat) !== (b[0] > p.lat) && p.lng < ((b[1] - a[1]) * (p.lat - a[0])) / (b[0] - a[0]) + a[1]) { odd = !odd; }
    }
    return odd;
  }
  // The style sheet draws roads thinner from afar.
  function markZoom() {
    var z = map.getZoom();
    map.getContainer().setAttribute('data-zoom', z < 11.6 ? 'far' : z < 13.2 ? 'middle' : 'near');
  }
  function parseBounds(text) {
    var v = text.split(',').map(Number);
    return [[v[0], v[1]], [v[2], v[3]]];
  }

  // --- controls -----------------------------------------------------------------------------
  function addControls(control) {
    map.attributionControl.setPrefix(false);
    map.attributionControl.addAttribution(config.attribution);
    L.control.zoom({ zoomInTitle: '放大', zoomOutTitle: '缩小' }).addTo(map);
    var Home = L.Control.extend({
      options: { position: 'topleft' },
      onAdd: function () {
        var box = L.DomUtil.create('div', 'leaflet-bar');
        var link = L.DomUtil.create('a', 'wq-home', box);
        link.href = '#';
        link.title = config.homeTitle;
        link.setAttribute('role', 'button');
        link.setAttribute('aria-label', config.homeTitle);
        link.innerHTML = '<svg viewBox="0 0 24 24" width="18" height="18" aria-hidden="true"><path d="M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5" fill="none" stroke="currentColor" stroke-width="2.2"/></svg>';
        L.DomEvent.disableClickPropagation(box);
        L.DomEvent.on(link, 'click', function (e) { L.DomEvent.preventDefault(e); fit(config.bounds); });
        return box;
      }
    });
    new Home().addTo(map);
    wuquMeasure.start(map, config.m2PerMu);
    addBasemap(map, config.basemap);
    L.control.scale({ imperial: false, maxWidth: 140 }).addTo(map);
    map.zoomControl = null;
    groupLayerControl(control);
    map.on('popupopen', function (e) {
      var close = one('.leaflet-popup-close-button', e.popup.getElement());
      if (close) { close.setAttribute('aria-label', '关闭'); close.title = '关闭'; }
    });
    map.getContainer().setAttribute('aria-label', config.mapLabel);
    map.getContainer().setAttribute('role', 'application');
  }
  // A background of the intranet. Until its first picture has come the page stays as it is, so
  // that a host out of reach leaves a complete map.
  function addBasemap(map, url) {
    if (!url) { return; }
    var tiles = L.tileLayer(url, { maxZoom: 20, maxNativeZoom: 18, className: 'wq-basemap' });
    tiles.once('tileload', function () { document.documentElement.classList.add('wq-has-basemap'); });
    tiles.addTo(map);
  }

  function groupLayerControl(control) {
    if (!control) { return; }
    var toggle = one('.leaflet-control-layers-toggle', control.getContainer());
    toggle.title = '图层';
    toggle.setAttribute('aria-label', '打开图层列表');
    toggle.innerHTML = '<svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true"><path d="M12 3 22 8.5 12 14 2 8.5zM3.2 12.6 12 17.4l8.8-4.8M3.2 16.6 12 21.4l8.8-4.8" fill="none" stroke="currentColor" stroke-width="1.8"/></svg><span>图层</span>';
    var update = control._update;
    control._update = function () {
      update.call(control);
      headings(control.getContainer());
      return control;
    };
    headings(control.getContainer());
  }
  function headings(box) {
    var seen = {};
    all('.leaflet-control-layers-overlays label', box).forEach(function (label) {
      var row = one('.wq-row', label);
      var group = row && row.getAttribute('data-group');
      if (group && !seen[group]) {
        seen[group] = true;
        var title = document.createElement('div');
        title.className = 'wq-layers-group';
        title.textContent = group;
        label.parentNode.insertBefore(title, label);
      }
    });
  }
  function addThemes() {
    var buttons = all('.wq-themes button');
    function show(id) {
      buttons.forEach(function (b) {
        var on = b.getAttribute('data-theme') === id;
        var layer = layers[b.getAttribute('data-theme')];
        b.setAttribute('aria-checked', on ? 'true' : 'false');
        b.tabIndex = on ? 0 : -1;
        if (!on && map.hasLayer(layer)) { map.removeLayer(layer); }
        if (on && !map.hasLayer(layer)) { map.addLayer(layer); }
      });
      updateLegend();
      replaceLegend();
    }
    buttons.forEach(function (b, n) {
      b.addEventListener('click', function () { show(b.getAttribute('data-theme')); });
      b.addEventListener('keydown', function (e) {
        var step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[e.key];
        if (!step) { return; }
        e.preventDefault();
        var next = buttons[(n + step + buttons.length) % buttons.length];
        next.focus();
        show(next.getAttribute('data-theme'));
      });
    });
    map.on('baselayerchange', function (e) {
      Object.keys(layers).forEach(function (id) {
        if (layers[id] === e.layer) { show(id); }
      });
    });
  }

  // --- legend: rows of the layers that are on the map ---------------------------------------
  function updateLegend() {
    all('.wq-legend [data-layer]').forEach(function (row) {
      var layer = layers[row.getAttribute('data-layer')];
      row.hidden = Boolean(layer) && !map.hasLayer(layer);
    });
    all('.wq-legend section').forEach(function (section) {
      section.hidden = false;
      section.hidden = !all('li', section).some(function (row) { return getComputedStyle(row).display !== 'none'; });
    });
    var empty = all('.wq-legend section').every(function (section) { return section.hidden; });
    one('.wq-legend').classList.toggle('is-empty', empty);
  }
  function addLegend() {
    var box = one('.wq-legend');
    var button = one('.wq-legend-button');
    function open(yes) {
      box.classList.toggle('is-open', yes);
      button.setAttribute('aria-expanded', yes ? 'true' : 'false');
    }
    button.addEventListener('click', function () { open(!box.classList.contains('is-open')); });
    one('.wq-legend-close').addEventListener('click', function () { open(false); button.focus(); });
    document.addEventListener('keydown', function (e) {
      if (e.key === 'Escape') { map.closePopup(); if (phone.matches) { open(false); } }
    });
    open(!phone.matches);
    map.on('layeradd layerremove', soon(updateLegend));
    updateLegend();
    L.DomEvent.disableScrollPropagation(box);
    L.DomEvent.disableClickPropagation(box);
  }

  // --- labels: sparse, never one over another, never over a site ----------------------------
  function addLabels() {
    labels = config.labels.map(function (l) {
      var icon = L.divIcon({
        className: 'wq-label wq-label-' + l.kind,
        html: '<span>' + l.text + '</span>',
        iconSize: [0, 0]
      });
      return { spec: l, sizes: {}, marker: L.marker(l.at[0], { icon: icon, interactive: false, keyboard: false, pane: 'wq-labels' }).addTo(map) };
    }).sort(function (a, b) { return a.spec.rank - b.spec.rank; });
    map.on('zoomend moveend layeradd layerremove resize', soon(declutter));
    declutter();
  }
  function declutter() {
    var taken = all('.wq-pin, .wq-themes, .wq-legend.is-open, .wq-legend-button, .wq-inset, .wq-north, .wq-mapmark, .wq-measure, .leaflet-control')
      .map(function (thing) { return grown(thing.getBoundingClientRect(), 2); });
    if (config.keepClear) { taken.push(screenBox(config.keepClear)); }
    var frame = map.getContainer().getBoundingClientRect();
    var seen = map.getBounds();
    labels.forEach(function (l) {
      var element = l.marker.getElement();
      var layer = layers[l.spec.layer];
      var crowded = l.spec.kind === 'site' && phone.matches && !printing && map.getZoom() < 13;
      var on = !crowded && map.getZoom() >= l.spec.minZoom && (!layer || map.hasLayer(layer)) &&
        l.spec.at.some(function (place) { return seen.contains(place); });
      var placed = on && (put(l, element, false, taken, frame) || (l.spec.short && put(l, element, true, taken, frame)));
      element.style.display = placed ? '' : 'none';
    });
  }
  // Sizes are measured once; asking the browser for each place would lay the page out each time.
  function sizeOf(l, element, short) {
    var key = (short ? 's' : 'l') + (printing ? 'p' : phone.matches ? 'm' : 'd');
    if (!l.sizes[key]) {
      element.style.display = '';
      wear(l, element, short);
      l.sizes[key] = [element.firstChild.offsetWidth, element.firstChild.offsetHeight];
    }
    return l.sizes[key];
  }
  function wear(l, element, short) {
    if (!l.spec.short || short === l.isShort) { return; }
    l.isShort = short;
    element.firstChild.innerHTML = short ? l.spec.short : l.spec.text;
    element.classList.toggle('is-short', short);
  }
  function put(l, element, short, taken, frame) {
    var size = sizeOf(l, element, short);
    // A zone's name may stick out a little; where the zone is small its number stands instead.
    if (l.spec.room && !short && size[0] > (phone.matches && !printing ? 1.1 : 1.9) * pixels(l.spec.room)) { return false; }
    var side = size[0] / 2 + 24;
    var shifts = l.spec.kind === 'site'
      ? [[side, 0], [-side, 0], [0, -28], [0, 28], [side, -16], [side, 16], [-side, -16], [-side, 16], [side, -30], [side, 30]]
      : short ? [[0, 0], [0, -18], [0, 18], [18, 0], [-18, 0], [0, -36], [34, 0], [-34, 0], [34, -14]]
      : l.spec.kind === 'zone' ? [[0, 0], [0, -20], [0, 20]] : [[0, 0], [0, -24], [0, 24], [0, -46], [0, 46]];
    for (var k = 0; k < l.spec.at.length; k += 1) {
      var anchor = map.latLngToContainerPoint(l.spec.at[k]);
      for (var n = 0; n < shifts.length; n += 1) {
        var box = boxAt(frame.left + anchor.x + shifts[n][0], frame.top + anchor.y + shifts[n][1], size);
        if (inside(box, frame) && !hits(box, taken)) {
          taken.push(box);
          wear(l, element, short);
          l.marker.setLatLng(l.spec.at[k]);
          element.firstChild.style.marginLeft = shifts[n][0] + 'px';
          element.firstChild.style.marginTop = shifts[n][1] + 'px';
          return true;
        }
      }
    }
    return false;
  }
  function boxAt(x, y, size) {
    return grown({ left: x - size[0] / 2, right: x + size[0] / 2, top: y - size[1] / 2, bottom: y + size[1] / 2 }, 2);
  }
  function hits(box, taken) { return taken.some(function (t) { return overlap(t, box); }); }
  function inside(box, frame) { return box.left >= frame.left && box.right <= frame.right && box.top >= frame.top && box.bottom <= frame.bottom; }
  function pixels(degrees) {
    var c = map.getCenter();
    return map.latLngToContainerPoint([c.lat, c.lng + degrees]).x - map.latLngToContainerPoint(c).x;
  }
  function screenBox(bounds) {
    var rect = map.getContainer().getBoundingClientRect();
    var a = map.latLngToContainerPoint(bounds[0]);
    var b = map.latLngToContainerPoint(bounds[1]);
    return { left: rect.left + a.x - 6, right: rect.left + b.x + 6, top: rect.top + b.y - 6, bottom: rect.top + a.y + 6 };
  }
  function grown(r, by) { return { left: r.left - by, right: r.right + by, top: r.top - by, bottom: r.bottom + by }; }
  function overlap(a, b) { return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom; }

  // --- rows of the card that point to places ------------------------------------------------
  function addTargets() {
    all('[data-bounds]').forEach(function (element) {
      element.addEventListener('click', function () { go(element); });
    });
    all('details[data-finding]').forEach(function (d) {
      d.addEventListener('toggle', function () {
        if (printing) { return; }
        if (d.open) { focusFinding(d); } else if (!one('details[data-finding][open]')) { emphasise(null); }
      });
    });
  }
  function go(element) {
    if (phone.matches) { setSheet('low'); }
    fit(parseBounds(element.getAttribute('data-bounds')), { maxZoom: 17 });
    emphasise(element.getAttribute('data-layer-key'));
  }
  function focusFinding(d) {
    all('details[data-finding][open]').forEach(function (other) { if (other !== d) { other.open = false; } });
    var key = d.getAttribute('data-layer-key');
    if (!key || !layers[key]) { emphasise(null); return; }
    if (phone.matches) { setSheet('half'); }
    fit(layers[key].getBounds(), { maxZoom: 18 });
    emphasise(key);
  }
  // One overlap and one new outline at a time: the chosen one, else the first of its kind.
  function emphasise(key) {
    var first = { f: config.deciding, r: config.remedy };
    Object.keys(layers).forEach(function (id) {
      if (!/^[fr]\d+$/.test(id)) { return; }
      var kind = id.charAt(0);
      var wanted = key && key.charAt(0) === kind ? key : first[kind];
      if (id === wanted && !map.hasLayer(layers[id])) { map.addLayer(layers[id]); }
      if (id !== wanted && map.hasLayer(layers[id])) { map.removeLayer(layers[id]); }
    });
    all('.wq-conflict').forEach(function (path) { path.classList.toggle('is-chosen', Boolean(key)); });
  }

  // --- the sheet on a phone: low, half, full ------------------------------------------------
  var sheetState = 'low';
  function setSheet(state) {
    sheetState = state;
    document.documentElement.setAttribute('data-sheet', state);
    var handle = one('.wq-handle');
    handle.setAttribute('aria-expanded', state === 'low' ? 'false' : 'true');
    handle.setAttribute('aria-label', state === 'low' ? '展开详情' : '收起详情');
    if (state === 'low') { one('.wq-card-body').scrollTop = 0; one('.wq-card').scrollTop = 0; }
    liftControls();
  }
  function liftControls() {
    var root = document.documentElement;
    if (!phone.matches) { root.style.setProperty('--wq-lift', '0px'); return; }
    var card = one('.wq-card');
    var lead = one('.wq-lead');
    root.style.setProperty('--wq-low', Math.round(lead.getBoundingClientRect().bottom - card.getBoundingClientRect().top + card.scrollTop + 10) + 'px');
    var heights = { low: getComputedStyle(root).getPropertyValue('--wq-low'), half: '56vh', full: '56vh' };
    root.style.setProperty('--wq-lift', heights[sheetState]);
  }
  function refit() {
    if (lastFit && !moved && sheetState !== 'full') { fit(lastFit[0], lastFit[1]); }
  }
  function addSheet() {
    var handle = one('.wq-handle');
    var start = null;
    handle.addEventListener('click', function () {
      setSheet(sheetState === 'low' ? 'half' : sheetState === 'half' ? 'full' : 'low');
      refit();
    });
    handle.addEventListener('touchstart', function (e) { start = e.touches[0].clientY; }, { passive: true });
    handle.addEventListener('touchend', function (e) {
      if (start === null) { return; }
      var by = e.changedTouches[0].clientY - start;
      start = null;
      if (Math.abs(by) < 24) { return; }
      e.preventDefault();
      setSheet(by < 0 ? (sheetState === 'low' ? 'half' : 'full') : (sheetState === 'full' ? 'half' : 'low'));
      refit();
    });
    setSheet('low');
    window.addEventListener('resize', liftControls);
  }

  // --- paper --------------------------------------------------------------------------------
  var printing = false;
  var before = null;
  function beforePrint() {
    if (printing) { return; }
    printing = true;
    before = { center: map.getCenter(), zoom: map.getZoom(), open: all('details').map(function (d) { return d.open; }) };
    document.documentElement.classList.add('wq-print');
    all('details').forEach(function (d) { d.open = d.hasAttribute('data-print'); });
    map.closePopup();
    updateLegend();
    shortenLegend();
    map.invalidateSize({ animate: false, pan: false });
    map.fitBounds(config.printBounds || config.bounds, { animate: false, padding: [16, 16] });
    redrawNow();
    declutter();
  }
  // A long legend stands in two columns, above the note at the foot of the sheet.
  function shortenLegend() {
    var legend = one('.wq-legend');
    var note = one('.wq-card:not(.wq-card-site) .wq-about');
    legend.classList.remove('is-long');
    if (!note) { return; }
    legend.classList.toggle('is-long', legend.getBoundingClientRect().bottom > note.getBoundingClientRect().top);
  }
  function afterPrint() {
    if (!printing) { return; }
    document.documentElement.classList.remove('wq-print');
    all('details').forEach(function (d, n) { d.open = before.open[n]; });
    map.invalidateSize({ animate: false, pan: false });
    map.setView(before.center, before.zoom, { animate: false });
    printing = false;
    updateLegend();
    declutter();
  }
  // Tiles come a little later than paper is taken: lay the sheet out first, then wait for them.
  function print() {
    if (!wuqu.large) { window.print(); return; }
    beforePrint();
    wuqu.large.settled().then(function () { window.print(); });
  }
  // Canvas layers draw in the next frame; paper is taken before it.
  function redrawNow() {
    map.eachLayer(function (layer) { if (layer._redraw && layer._ctx) { layer._redraw(); } });
  }

  function start(theMap, theLayers, control, theConfig) {
    map = theMap;
    layers = theLayers;
    config = theConfig;
    if (wuqu.large) { wuqu.large.start(map); }
    addSheet();
    addControls(control);
    map.on('zoomend', markZoom);
    map.on('dragstart', function () { moved = true; });
    addThemes();
    addLegend();
    liftControls();
    placeLegend();
    fit(config.bounds, { animate: false });
    markZoom();
    bindPins();
    addLabels();
    addTargets();
    wuquPaper.start('A4', print);
    window.addEventListener('beforeprint', beforePrint);
    window.addEventListener('afterprint', afterPrint);
    if (wuqu.large) { wuqu.large.paper(); }
    var wide = phone.matches;
    window.addEventListener('resize', function () {
      map.invalidateSize({ animate: false });
      if (wide !== phone.matches && !printing) { wide = phone.matches; placeLegend(); fit(config.bounds, { animate: false }); }
    });
    document.documentElement.classList.add('wq-ready');
  }

  return { addBasemap: addBasemap, bind: bind, popup: popup, start: start };
})();
