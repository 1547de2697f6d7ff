/* The sheet of paper: A4 or A3, always landscape. The style sheet lays it out; here stands which. */
window.wuquPaper = (function () {
  'use strict';
  var rule = null;
  function choose(size) {
    if (!rule) { rule = document.head.appendChild(document.createElement('style')); }
    rule.textContent = '@page { size: ' + size + ' landscape; }';
    document.documentElement.classList.toggle('wq-a3', size === 'A3');
  }
  // Each button prints on its own sheet; the browser's print command takes the usual one.
  function start(usual, print) {
    choose(usual);
    document.querySelectorAll('.wq-print-button').forEach(function (button) {
      button.addEventListener('click', function () {
        choose(button.getAttribute('data-paper'));
        print();
      });
    });
    window.addEventListener('afterprint', function () { choose(usual); });
  }
  return { start: start };
})();
