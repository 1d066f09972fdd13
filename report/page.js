"use strict";
(function () {
  function all(s) { return Array.prototype.slice.call(document.querySelectorAll(s)); }
  var links = all("nav a");
  if ("IntersectionObserver" in window) {
    var io = new IntersectionObserver(function (es) {
      es.forEach(function (e) {
        if (!e.isIntersecting) return;
        links.forEach(function (a) {
          if (a.hash === "#" + e.target.id) a.setAttribute("aria-current", "true"); else a.removeAttribute("aria-current");
        });
      });
    }, { rootMargin: "-10% 0px -75% 0px" });
    all("main section").forEach(function (s) { io.observe(s); });
  }
  window.addEventListener("beforeprint", function () { all("details").forEach(function (d) { d.open = true; }); });
})();
