/* Lengths and areas on GRS80, the ellipsoid of CGCS2000, for the eye: what counts is measured in
   Python. Points have lat and lng in degrees, as Leaflet's have. */
window.wuquGeodesy = (function () {
  'use strict';
  var AXIS_M = 6378137;
  var E2 = 0.00669438002290;
  var E = Math.sqrt(E2);
  var RADIAN = Math.PI / 180;

  // With the radii of curvature in the middle of the line; 1e-6 of the length up to 100 km.
  function distance(a, b) {
    var middle = (a.lat + b.lat) / 2 * RADIAN;
    var root = Math.sqrt(1 - E2 * Math.sin(middle) * Math.sin(middle));
    var east = AXIS_M / root * Math.cos(middle) * (b.lng - a.lng) * RADIAN;
    var north = AXIS_M * (1 - E2) / (root * root * root) * (b.lat - a.lat) * RADIAN;
    return Math.hypot(east, north);
  }
  function length(points) {
    var sum = 0;
    for (var n = 1; n < points.length; n += 1) { sum += distance(points[n - 1], points[n]); }
    return sum;
  }
  // Height in the equal-area cylindrical projection (Snyder 1987, Map Projections, eq. 3-12).
  function height(lat) {
    var sine = Math.sin(lat * RADIAN);
    return (1 - E2) * (sine / (1 - E2 * sine * sine) - Math.log((1 - E * sine) / (1 + E * sine)) / (2 * E));
  }
  function area(ring) {
    var twice = 0;
    var low = ring.length ? height(ring[0].lat) : 0;
    for (var n = 0; n < ring.length; n += 1) {
      var a = ring[n];
      var b = ring[(n + 1) % ring.length];
      // Relative to the first point, so that a small ring loses no digits.
      var ax = (a.lng - ring[0].lng) * RADIAN;
      var bx = (b.lng - ring[0].lng) * RADIAN;
      twice += ax * (height(b.lat) - low) - bx * (height(a.lat) - low);
    }
    return Math.abs(twice) / 4 * AXIS_M * AXIS_M;
  }
  return { distance: distance, length: length, area: area };
})();
