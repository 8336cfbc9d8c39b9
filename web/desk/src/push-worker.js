// SPDX-License-Identifier: EUPL-1.2
// The service worker of the desk: it says that something is new, in the words of its user's language, and never what.
// A push brings nothing and nothing is asked for, so that nothing of anybody can stand on a locked screen. It keeps no
// page and answers no request: the desk is as without it. The build puts the words in the place of `BELOFTE_WORDS`.
(() => {
  const all = BELOFTE_WORDS;
  const language = new URL(self.location.href).searchParams.get("language");
  const words = all[language] ?? all.nl;
  // Whoever asks for a test wants to see it, also with the desk before them.
  let testedUntil = 0;

  const windows = () => self.clients.matchAll({ type: "window", includeUncontrolled: true });

  async function show() {
    const looks = (await windows()).some((one) => one.focused);
    // Who has the desk before them sees it there.
    if (looks && Date.now() > testedUntil) return;
    // One tag: what comes later takes the place of what was there.
    await self.registration.showNotification(words.title, { body: words.text, tag: "belofte", renotify: true, lang: language ?? "nl" });
  }

  async function open() {
    const all = await windows();
    const desk = all.find((one) => one.visibilityState === "visible") ?? all[0];
    try {
      // Where somebody was they stay: what was typed is not left for it.
      if (desk) return await desk.focus();
    } catch {
      // A browser that does not bring it forward opens another one.
    }
    return self.clients.openWindow("/inbox/mine");
  }

  self.addEventListener("install", (event) => event.waitUntil(self.skipWaiting()));
  self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
  self.addEventListener("message", (event) => {
    if (event.data === "test") testedUntil = Date.now() + 30_000;
  });
  self.addEventListener("push", (event) => event.waitUntil(show()));
  self.addEventListener("notificationclick", (event) => {
    event.notification.close();
    event.waitUntil(open());
  });
})();
