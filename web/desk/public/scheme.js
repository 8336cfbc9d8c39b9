// SPDX-License-Identifier: EUPL-1.2
// Runs before the first paint so that a dark desk never flashes white. A file
// of its own, because the content security policy allows no inline script.
(function () {
  var kept = null;
  try {
    kept = localStorage.getItem("belofte.scheme");
  } catch (_) {
    // Storage may be closed to us; the system's preference decides then.
  }
  var dark =
    kept === "dark" || (kept !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.setAttribute("data-mantine-color-scheme", dark ? "dark" : "light");
})();
