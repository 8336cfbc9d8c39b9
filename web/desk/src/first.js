// SPDX-License-Identifier: EUPL-1.2
// Runs before everything else, as a file of its own because the content security policy allows no
// inline script. It sets the colour scheme, so that a dark desk never flashes white, and asks the
// server for what the first page shows while the browser still reads the program.
(() => {
  const kept = (key) => {
    try {
      return localStorage.getItem(key);
    } catch {
      // Storage may be closed to us; the system's preference decides then.
      return null;
    }
  };
  const scheme = kept("belofte.scheme");
  const dark = scheme === "dark" || (scheme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.setAttribute("data-mantine-color-scheme", dark ? "dark" : "light");

  const early = {};
  window.belofteEarly = early;
  // Who was not signed in here has nothing to ask for.
  if (kept("belofte.in") !== "1") return;
  const ask = (path) => {
    early[path] = fetch(path, { credentials: "same-origin" });
    // Whoever takes it hears of a failure.
    early[path].catch(() => undefined);
  };
  const inbox = /^\/(?:$|inbox(?:$|\/(mine|unassigned|open|waiting|snoozed|resolved)(?:\/([0-9a-f-]{36}))?\/?$))/.exec(location.pathname);
  const API = "/api/v1";
  ask(`${API}/session`);
  if (inbox) {
    const view = inbox[1] ?? "mine";
    const filter = { mine: "status=open&assignee=me", unassigned: "status=open&assignee=none" }[view] ?? `status=${view}&assignee=any`;
    ask(`${API}/conversations?${filter}&limit=50`);
    if (inbox[2]) {
      ask(`${API}/conversations/${inbox[2]}`);
      ask(`${API}/conversations/${inbox[2]}/messages?limit=50`);
    }
  }
  ask(`${API}/conversations/counts`);
})();
