/* Layers with too many features for one SVG path each: drawn on a canvas, or from tiles inside the
   page (or beside it). Only pages that need it carry this file; it comes after map.js. Canvases let
   the pointer through, so one listener asks them from top to bottom what lies under a click. Texts
   in tiles were cleaned (HTML entities) in Python, as everywhere. */
window.wuqu.large = (function () {
  'use strict';
  var map = null;
  var canvases = []; // renderers of Leaflet, one per pane
  var tiled = []; // { spec, near, far }
  var fills = {}; // name of a pattern -> small canvas that repeats without a seam
  var PERIOD = 16; // pixels; divides the 256 of a tile, so that patterns meet at its edges
  var WORLD = 2 * Math.PI * 6378137; // metres around the globe of the web's maps
  var KEPT = 24; // tiles that were read and may be needed again
  var LATEST_MS = 5000;
  var FINE = 2; // a pattern is drawn twice as fine, for sharp screens

  // --- lean: the paths of one pane on one canvas ---------------------------------------------
  function canvas(theMap, pane) {
    var renderer = L.canvas({ pane: pane, padding: 0.3 });
    theMap._paneRenderers[pane] = renderer;
    canvases.push(renderer);
  }
  function patternOf(look) {
    var found = /wq-fill-(\w+)/.exec(look.className || '');
    return found ? found[1] : '';
  }
  // A canvas knows no style sheet: the pattern takes the place of the colour.
  function paintPatterns() {
    canvases.forEach(function (renderer) {
      if (!renderer._ctx) { return; }
      Object.keys(renderer._layers).forEach(function (id) {
        var options = renderer._layers[id].options;
        var name = patternOf(options);
        if (name && fills[name]) { options.fillColor = repeated(renderer._ctx, name); }
      });
      renderer._redraw();
    });
  }
  function repeated(context, name) {
    var pattern = context.createPattern(fills[name], 'repeat');
    pattern.setTransform(new DOMMatrix().scale(1 / FINE));
    return pattern;
  }
  // The patterns of the page's SVG, stretched to the period and drawn once.
  function loadPattern(source) {
    var clone = source.cloneNode(true);
    var turn = /rotate\(([-\d.]+)\)/.exec(clone.getAttribute('patternTransform') || '');
    var width = parseFloat(clone.getAttribute('width'));
    var scale = turn ? PERIOD / (width * Math.SQRT2) : PERIOD / 2 / width;
    clone.setAttribute('patternTransform', (turn ? turn[0] + ' ' : '') + 'scale(' + scale + ')');
    clone.setAttribute('id', 'p');
    var side = PERIOD * FINE;
    var text = '<svg xmlns="http://www.w3.org/2000/svg" width="' + side + '" height="' + side +
      '" viewBox="0 0 ' + PERIOD + ' ' + PERIOD + '"><defs>' + new XMLSerializer().serializeToString(clone) +
      '</defs><rect width="' + PERIOD + '" height="' + PERIOD + '" fill="url(#p)"/></svg>';
    var image = new Image(side, side);
    image.src = 'data:image/svg+xml,' + encodeURIComponent(text);
    return image.decode().then(function () {
      var square = document.createElement('canvas');
      square.width = square.height = side;
      square.getContext('2d').drawImage(image, 0, 0);
      fills[source.id.replace('wq-p-', '')] = square;
    });
  }
  function loadPatterns() {
    return Promise.all(Array.prototype.map.call(document.querySelectorAll('pattern[id^="wq-p-"]'), loadPattern));
  }

  // --- tiles ------------------------------------------------------------------------------------
  var whole = new Promise(function (resolve) {
    if (document.readyState !== 'loading') { resolve(); } else { document.addEventListener('DOMContentLoaded', resolve); }
  });
  // Files stand as base64 at the end of the page, or under a path of its host.
  function address(name) { return new URL(api.prefix + name, document.baseURI).href; }
  function blockOf(name) {
    return whole.then(function () {
      var block = document.getElementById(name);
      var text = block.textContent;
      block.remove();
      return text;
    });
  }
  // A piece of an archive is decoded when it is asked for.
  function embedded(name) {
    var text = null;
    return {
      getKey: function () { return name; },
      getBytes: function (offset, length) {
        text = text || blockOf(name);
        return text.then(function (all) { return { data: decoded(all, offset, length) }; });
      }
    };
  }
  function decoded(text, offset, length) {
    var first = Math.floor(offset / 3);
    var letters = atob(text.slice(first * 4, Math.ceil((offset + length) / 3) * 4));
    var skip = offset - first * 3;
    var bytes = new Uint8Array(Math.max(0, Math.min(length, letters.length - skip)));
    for (var i = 0; i < bytes.length; i += 1) { bytes[i] = letters.charCodeAt(skip + i); }
    return bytes.buffer;
  }
  function sourceOf(bands) {
    var byLevel = {};
    bands.forEach(function (band) { byLevel[band.level] = new pmtiles.PMTiles(api.prefix ? address(band.name) : embedded(band.name)); });
    return {
      getZxy: function (z, x, y, signal) {
        return byLevel[z] ? byLevel[z].getZxy(z, x, y, signal) : Promise.resolve(undefined);
      }
    };
  }
  function trace(context, rings) {
    context.beginPath();
    rings.forEach(function (ring) {
      context.moveTo(ring[0].x, ring[0].y);
      for (var n = 1; n < ring.length; n += 1) { context.lineTo(ring[n].x, ring[n].y); }
    });
  }
  function symbolizer(spec, casing) {
    var patterns = {};
    var context = null;
    function fillOf(look) {
      var name = patternOf(look);
      if (!name || !fills[name]) { return look.fillColor; }
      if (!patterns[name]) { patterns[name] = repeated(context, name); }
      return patterns[name];
    }
    return {
      before: function (theContext) {
        if (context !== theContext) { context = theContext; patterns = {}; }
        context.lineJoin = 'round';
      },
      draw: function (theContext, rings, z, feature) {
        var look = spec.looks[feature.props.k];
        if (!look || (casing && !look.casing)) { return; }
        if (feature.geomType === 1) { disc(context, rings, look); return; }
        trace(context, rings);
        if (look.fill && !casing && feature.geomType === 3) {
          context.globalAlpha = look.fillOpacity;
          context.fillStyle = fillOf(look);
          context.fill('evenodd');
        }
        if (look.weight) {
          context.globalAlpha = 1;
          context.strokeStyle = casing ? look.casing : look.color;
          context.lineWidth = look.weight + (casing ? 1.6 : 0);
          context.setLineDash(look.dashArray && !casing ? look.dashArray.split(' ').map(Number) : []);
          context.stroke();
        }
      }
    };
  }
  function disc(context, places, look) {
    places.forEach(function (place) {
      context.beginPath();
      context.arc(place[0].x, place[0].y, 5, 0, 2 * Math.PI);
      context.globalAlpha = 0.9;
      context.fillStyle = look.fillColor;
      context.fill();
      context.globalAlpha = 1;
      context.lineWidth = look.weight;
      context.strokeStyle = look.color;
      context.stroke();
    });
  }
  function nearLayer(spec) {
    var cased = spec.looks.some(function (look) { return look.casing; });
    var rules = (cased ? [true, false] : [false]).map(function (casing) {
      return { dataLayer: 'a', symbolizer: symbolizer(spec, casing) };
    });
    var layer = protomapsL.leafletLayer({
      url: sourceOf(spec.bands), maxDataZoom: lastLevel(spec), paintRules: rules, labelRules: [], attribution: '',
      pane: spec.pane, bounds: spec.bounds, noWrap: true, minZoom: spec.bands[0].level + 1, maxZoom: 20,
      tasks: [ready], keepBuffer: 1, updateWhenIdle: false, updateWhenZooming: false
    });
    layer.on('load', function () { forget(cacheOf(layer)); });
    return layer;
  }
  function lastLevel(spec) { return spec.bands[spec.bands.length - 1].level; }
  function cacheOf(layer) { return layer.views.get('').tileCache; }
  // Tiles that were read are kept, but not so many that the page becomes heavy.
  function forget(cache) {
    var entries = Array.from(cache.cache.entries()).sort(function (a, b) { return b[1].used - a[1].used; });
    entries.slice(KEPT).forEach(function (entry) { cache.cache.delete(entry[0]); });
  }
  // Areas from afar are one picture, of which each tile of the screen shows a piece.
  var Far = L.GridLayer.extend({
    createTile: function (at, done) {
      var spec = this.options.spec;
      var ratio = window.devicePixelRatio || 1;
      var tile = L.DomUtil.create('canvas', 'leaflet-tile');
      tile.width = tile.height = 256 * ratio;
      spec.picture.then(function (image) {
        var side = WORLD / Math.pow(2, at.z);
        var wide = side / (spec.far.box[2] - spec.far.box[0]);
        var fit = smaller(spec, image, wide * image.width / tile.width);
        var piece = pixelsOf(spec, fit, [side * at.x - WORLD / 2, WORLD / 2 - side * at.y]);
        var span = wide * fit.width;
        tile.getContext('2d').drawImage(fit, piece[0], piece[1], span, wide * spec.far.ratio * fit.height, 0, 0, tile.width, tile.height);
        done(null, tile);
      }, done);
      return tile;
    }
  });
  // From farther away a picture of half the size, and half of that: a browser without a graphics
  // card would shrink the whole picture again for every tile.
  function smaller(spec, image, times) {
    var level = Math.max(0, Math.floor(Math.log2(times)));
    spec.sizes = spec.sizes || [image];
    while (spec.sizes.length <= level) {
      var last = spec.sizes[spec.sizes.length - 1];
      var half = document.createElement('canvas');
      half.width = Math.max(1, Math.round(last.width / 2));
      half.height = Math.max(1, Math.round(last.height / 2));
      half.getContext('2d').drawImage(last, 0, 0, half.width, half.height);
      spec.sizes.push(half);
    }
    return spec.sizes[level];
  }
  function pixelsOf(spec, image, place) {
    var box = spec.far.box;
    return [(place[0] - box[0]) / (box[2] - box[0]) * image.width, (box[3] - place[1]) / (box[3] - box[1]) * image.height];
  }
  function pictureOf(name) {
    var image = new Image();
    var place = api.prefix ? Promise.resolve(address(name)) : blockOf(name).then(function (text) { return 'data:image/png;base64,' + text; });
    return place.then(function (url) {
      image.src = url;
      return image.decode();
    }).then(function () { return image; });
  }
  function farLayer(spec) {
    var box = spec.far.box;
    spec.far.ratio = (box[2] - box[0]) / (box[3] - box[1]);
    spec.picture = pictureOf(spec.far.name);
    spec.picture.then(function (image) { spec.image = image; });
    return new Far({ spec: spec, pane: spec.pane, bounds: spec.bounds, noWrap: true, maxZoom: spec.bands[0].level, keepBuffer: 1 });
  }
  function tiles(spec) {
    var near = nearLayer(spec);
    var far = spec.far ? farLayer(spec) : null;
    tiled.push({ spec: spec, near: near, far: far });
    return far ? L.layerGroup([far, near]) : near;
  }

  // --- what lies under a click --------------------------------------------------------------------
  function floorOf(pane) { return Number(map.getPane(pane).style.zIndex) || 0; }
  function onCanvas(renderer, event) {
    var point = map.mouseEventToLayerPoint(event);
    for (var order = renderer._drawLast; order; order = order.prev) {
      var path = order.layer;
      if (path.getPopup() && path._containsPoint(point)) { return path; }
    }
    return null;
  }
  function onTiles(entry, at) {
    var found = cacheOf(entry.near).queryFeatures(at.lng, at.lat, levelAt(entry), 8);
    return found.length ? found[found.length - 1].feature : null;
  }
  function levelAt(entry) { return Math.min(Math.round(map.getZoom()) - 1, lastLevel(entry.spec)); }
  function isFar(entry) { return entry.far && Math.round(map.getZoom()) <= entry.far.options.maxZoom; }
  // A host's picture may not be read where the page has an origin of its own; then it counts as hit.
  function onPicture(spec, at) {
    if (!spec.image) { return false; }
    var place = L.CRS.EPSG3857.project(at);
    var pixel = pixelsOf(spec, spec.image, [place.x, place.y]);
    var probe = document.createElement('canvas').getContext('2d');
    probe.drawImage(spec.image, Math.floor(pixel[0]), Math.floor(pixel[1]), 1, 1, 0, 0, 1, 1);
    try { return probe.getImageData(0, 0, 1, 1).data[3] > 0; } catch (e) { return true; }
  }
  // From afar the parcel is looked up in the tile of the closest view.
  function openFar(entry, at) {
    var level = lastLevel(entry.spec);
    var place = L.CRS.EPSG3857.latLngToPoint(at, level).divideBy(256).floor();
    cacheOf(entry.near).get({ z: level, x: place.x, y: place.y }).then(function () {
      var found = cacheOf(entry.near).queryFeatures(at.lng, at.lat, level, 8);
      if (found.length) { openTile(entry.spec, found[found.length - 1].feature, at); }
    });
  }
  function hits(event) {
    var at = map.mouseEventToLatLng(event);
    var found = [];
    canvases.forEach(function (renderer) {
      var path = renderer._map && onCanvas(renderer, event);
      if (path) { found.push({ floor: floorOf(renderer.options.pane), open: function () { path.openPopup(at); } }); }
    });
    tiled.forEach(function (entry) {
      if (!map.hasLayer(entry.near)) { return; }
      var floor = floorOf(entry.spec.pane);
      if (isFar(entry)) {
        if (onPicture(entry.spec, at)) { found.push({ floor: floor, open: function () { openFar(entry, at); } }); }
        return;
      }
      var feature = onTiles(entry, at);
      if (feature) { found.push({ floor: floor, open: function () { openTile(entry.spec, feature, at); } }); }
    });
    return found.sort(function (a, b) { return b.floor - a.floor; });
  }
  function openTile(spec, feature, at) {
    var row = spec.looks[feature.props.k];
    var rows = [['图层', spec.title]];
    if (row.label !== spec.title) { rows.push(['类别', row.label]); }
    if (feature.props.c) { rows.push(['编码', feature.props.c]); }
    wuqu.popup({ t: feature.props.n || row.label, r: rows }).setLatLng(at).openOn(map);
  }
  function onClick(event) {
    var target = event.target;
    // A tool that draws or measures marks the page with wq-tool and has the clicks for itself.
    if (map.dragging.moved() || document.documentElement.classList.contains('wq-tool')) { return; }
    if (target.closest('.leaflet-control, .leaflet-popup-pane, .leaflet-marker-pane, .leaflet-tooltip-pane')) { return; }
    var pane = target.closest('.leaflet-interactive') && target.closest('.leaflet-pane');
    var floor = pane ? Number(pane.style.zIndex) || 400 : 0;
    var top = hits(event)[0];
    if (!top || top.floor < floor) { return; }
    event.stopImmediatePropagation();
    top.open();
  }

  var ready = loadPatternsLater();
  function loadPatternsLater() { return whole.then(loadPatterns).catch(function () { return []; }); }
  function start(theMap) {
    map = theMap;
    map.getContainer().addEventListener('click', onClick, true);
    ready.then(paintPatterns);
    // A layer that is switched on later has new paths.
    map.on('layeradd', function (e) {
      var name = e.layer.options && patternOf(e.layer.options);
      var renderer = name && e.layer._renderer;
      if (renderer && canvases.indexOf(renderer) >= 0 && fills[name]) { e.layer.options.fillColor = repeated(renderer._ctx, name); }
    });
  }
  // Resolves when no tile is on its way, or after a few seconds: paper is taken after that.
  function settled() {
    var end = performance.now() + LATEST_MS;
    return new Promise(function (resolve) {
      function look() {
        if (!loading() || performance.now() > end) { resolve(); } else { window.setTimeout(look, 10); }
      }
      look();
    });
  }
  // --- paper ----------------------------------------------------------------------------------------
  function loading() {
    return tiled.some(function (entry) {
      return [entry.near, entry.far].some(function (layer) {
        return layer && map.hasLayer(layer) && layer._tileZoom !== undefined && layer.isLoading();
      });
    });
  }
  // What was cleared and drawn again for the paper, Chromium prints with a white ground. A copy that
  // was never cleared keeps what lies below it. Comes after the sheet was laid out.
  function beforePaper() {
    afterPaper();
    document.documentElement.classList.toggle('wq-incomplete', loading());
    map.getContainer().querySelectorAll('.leaflet-map-pane canvas').forEach(function (drawn) {
      if (!drawn.width || !drawn.height) { return; }
      var copy = document.createElement('canvas');
      copy.width = drawn.width;
      copy.height = drawn.height;
      copy.style.cssText = drawn.style.cssText;
      copy.className = drawn.className + ' wq-copy';
      copy.getContext('2d').drawImage(drawn, 0, 0);
      drawn.after(copy);
    });
  }
  function afterPaper() {
    map.getContainer().querySelectorAll('.wq-copy').forEach(function (copy) { copy.remove(); });
    document.documentElement.classList.remove('wq-incomplete');
  }
  function paper() {
    window.addEventListener('beforeprint', beforePaper);
    window.addEventListener('afterprint', afterPaper);
  }
  var api = { prefix: '', canvas: canvas, tiles: tiles, start: start, settled: settled, paper: paper };
  return api;
})();
