/* Two maps that look at the same place; a ring on the other one shows where the pointer is. */
window.wuquPair = (function () {
  'use strict';
  function start(maps, config) {
    var busy = false;
    var homes = document.querySelectorAll('.wq-pair-map');
    maps.forEach(function (map, n) {
      homes[n].appendChild(map.getContainer());
      map.attributionControl.setPrefix(false);
      if (n === maps.length - 1) { map.attributionControl.addAttribution(config.attribution); }
      wuqu.addBasemap(map, config.basemap);
      L.control.zoom({ zoomInTitle: '放大', zoomOutTitle: '缩小' }).addTo(map);
      L.control.scale({ imperial: false, maxWidth: 140 }).addTo(map);
      map.getContainer().setAttribute('role', 'application');
      map.getContainer().setAttribute('aria-label', homes[n].closest('section').getAttribute('aria-label') + ' 地图');
      map.invalidateSize({ animate: false });
    });
    function follow(from) {
      if (busy) { return; }
      busy = true;
      maps.forEach(function (map) {
        if (map !== from) { map.setView(from.getCenter(), from.getZoom(), { animate: false }); }
      });
      busy = false;
    }
    function fit() {
      maps.forEach(function (map) { map.invalidateSize({ animate: false }); });
      maps[0].fitBounds(config.bounds, { animate: false, padding: [16, 16] });
      follow(maps[0]);
    }
    fit();
    maps.forEach(function (map, n) {
      var ring = L.marker(map.getCenter(), {
        icon: L.divIcon({ className: 'wq-cross', iconSize: [22, 22] }), interactive: false, keyboard: false
      });
      map.on('move zoomend', function () { follow(map); });
      maps[1 - n].on('mousemove', function (e) { ring.setLatLng(e.latlng).addTo(map); });
      maps[1 - n].on('mouseout', function () { ring.remove(); });
    });
    window.addEventListener('resize', function () {
      maps.forEach(function (map) { map.invalidateSize({ animate: false }); });
      follow(maps[0]);
    });
    wuquPaper.start('A3', function () { window.print(); });
    var before = null;
    window.addEventListener('beforeprint', function () {
      before = { center: maps[0].getCenter(), zoom: maps[0].getZoom() };
      document.documentElement.classList.add('wq-print');
      fit();
    });
    window.addEventListener('afterprint', function () {
      document.documentElement.classList.remove('wq-print');
      maps.forEach(function (map) { map.invalidateSize({ animate: false }); });
      maps[0].setView(before.center, before.zoom, { animate: false });
      follow(maps[0]);
    });
    document.documentElement.classList.add('wq-ready');
  }
  return { start: start };
})();
