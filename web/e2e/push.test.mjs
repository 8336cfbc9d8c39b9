// SPDX-License-Identifier: EUPL-1.2
// Notifications of the browser, with Chromium itself: the service worker shows that something is new and never what, the
// desk turns it on at a click and off with the session. Of the browser one thing is stood in for: its push service
// cannot be reached from here, so subscriptions are made by the test (`PushManager`), at a push service of its own.
// What comes from there is delivered to the real service worker. The tests follow each other.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before } from "node:test";
import { findings } from "./support/access.mjs";
import { ask, watched } from "./support/api.mjs";
import { accept, launchWhole, signIn, window } from "./support/browser.mjs";
import { pause, startHouse, until } from "./support/house.mjs";

const EMAIL = "sanne@winkel.example";
let folder;
let service;
let house;
let browser;
let sanne;
const told = [];
const test = watched(() => [sanne]);

/** A push service on the loopback, over TLS; it takes everything. */
async function startService() {
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  execFileSync(
    "openssl",
    ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj", "/CN=localhost",
      "-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE", "-keyout", key, "-out", cert],
    { stdio: "ignore" },
  );
  const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (request, response) => {
    const parts = [];
    request.on("data", (part) => parts.push(part));
    request.on("end", () => {
      told.push({ path: request.url, headers: request.headers, body: Buffer.concat(parts) });
      response.writeHead(201).end();
    });
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return { port: server.address().port, cert, close: () => new Promise((done) => server.close(done)) };
}

/** What stands in for the push service of the browser: where it says that the browser is reached. */
const standIn = (port) => {
  const KEPT = "test.subscription";
  const subscription = ({ endpoint, key }) => ({
    endpoint,
    options: { userVisibleOnly: true, applicationServerKey: Uint8Array.from(key).buffer },
    unsubscribe: async () => {
      localStorage.removeItem(KEPT);
      return true;
    },
  });
  const kept = () => JSON.parse(localStorage.getItem(KEPT) ?? "null");
  PushManager.prototype.getSubscription = async () => (kept() ? subscription(kept()) : null);
  PushManager.prototype.subscribe = async (options) => {
    const made = { endpoint: `https://localhost:${port}/browser-${crypto.randomUUID()}`, key: [...options.applicationServerKey] };
    localStorage.setItem(KEPT, JSON.stringify(made));
    return subscription(made);
  };
};

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "belofte-push-"));
  service = await startService();
  house = await startHouse({ more: `root_certs_file = ${JSON.stringify(service.cert)}\n[push]\nservices = ["localhost:${service.port}"]\n` });
  // The program of a service worker is fetched by the browser itself, which asks no page whether it trusts.
  browser = await launchWhole("--ignore-certificate-errors");
  sanne = await window(browser);
  await sanne.context.addInitScript(standIn, service.port);
  await accept(sanne.page, house.invitation, "Sanne de Vries", EMAIL);
});

after(async () => {
  await browser?.close();
  await house?.close();
  await service?.close();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

const settings = () => sanne.page.goto(`${house.url}/settings/push`);
const allow = () => sanne.context.grantPermissions(["notifications"], { origin: house.url });
const button = (name) => sanne.page.getByRole("button", { name, exact: true });
const registration = () => sanne.page.evaluate(async () => (await navigator.serviceWorker.getRegistration("/"))?.active?.scriptURL ?? null);
const shown = () =>
  sanne.page.evaluate(async () => {
    const own = await navigator.serviceWorker.getRegistration("/");
    return (await own.getNotifications()).map(({ title, body, tag, lang, data, icon }) => ({ title, body, tag, lang, data, icon }));
  });
const sweep = () =>
  sanne.page.evaluate(async () => {
    const own = await navigator.serviceWorker.getRegistration("/");
    for (const one of await own.getNotifications()) one.close();
  });

/** Has the browser's own machinery deliver a message to the service worker, as its push service would. */
async function deliver(data = "") {
  const cdp = await sanne.context.newCDPSession(sanne.page);
  const found = new Promise((done) =>
    cdp.on("ServiceWorker.workerRegistrationUpdated", ({ registrations }) => {
      const own = registrations.find((one) => !one.isDeleted && one.scopeURL.startsWith(house.url));
      if (own) done(own.registrationId);
    }),
  );
  await cdp.send("ServiceWorker.enable");
  const registrationId = await found;
  await cdp.send("ServiceWorker.deliverPushMessage", { origin: `${house.url}/`, registrationId, data });
  await cdp.detach();
}

/** Has something delivered while no desk is open, and what is shown then. */
async function deliverAway(...messages) {
  await sanne.page.goto("about:blank");
  for (const message of messages) await deliver(message);
  await pause(500);
  await settings();
  return until("the notification", async () => {
    const all = await shown();
    return all.length > 0 && all;
  });
}

test("a desk that is opened asks for nothing, and the settings say what stands in the way", async () => {
  await settings();
  await sanne.page.getByText("Your organisation has not allowed notifications", { exact: false }).waitFor();
  assert.equal(await sanne.page.evaluate(() => Notification.requestPermission.name), "requestPermission");
  assert.equal(await registration(), null, "no service worker without being asked");
  assert.deepEqual(await findings(sanne.page, "not allowed"), []);
  await button("Allow").click();
  await sanne.page.getByText("Notifications are allowed", { exact: true }).waitFor();
  const { services } = await ask(sanne.page, "GET", "/push");
  await sanne.page.getByText(`localhost:${service.port}`, { exact: false }).waitFor();
  assert.deepEqual(services, [`localhost:${service.port}`]);
  // Nobody has been asked yet; this browser says no by itself.
  if ((await sanne.page.evaluate(() => Notification.permission)) === "denied") {
    await sanne.page.getByText("Blocked in this browser").waitFor();
    assert.deepEqual(await findings(sanne.page, "blocked"), []);
  }
});

test("it is turned on at a click, by keyboard, and the list shows the device", async () => {
  await allow();
  await settings();
  await button("Turn on notifications").focus();
  await sanne.page.keyboard.press("Enter");
  await sanne.page.getByText("This device gets notifications").waitFor();
  await button("Send a test notification").waitFor();
  assert.match(await registration(), /\/push\.js\?language=en$/);
  const { devices, public_key: key } = await ask(sanne.page, "GET", "/push");
  assert.deepEqual(devices.map(({ current, service: host }) => [current, host]), [[true, "localhost"]]);
  const by = await sanne.page.evaluate(() => JSON.parse(localStorage.getItem("test.subscription")).key);
  assert.equal(Buffer.from(by).toString("base64url"), key, "subscribed by the key of the organisation");
  await sanne.page.getByText("Since", { exact: false }).waitFor();
  assert.deepEqual(await findings(sanne.page, "on"), []);
});

test("the push service is told nothing of what is new, and the notification says nothing of it", async () => {
  await sweep();
  await button("Send a test notification").click();
  await sanne.page.getByText("Sent. The notification appears", { exact: false }).waitFor();
  assert.equal(told.length, 1);
  assert.equal(told[0].body.length, 0, "a message without a body");
  assert.match(told[0].headers.authorization, /^vapid t=[\w-]+\.[\w-]+\.[\w-]+, k=[\w-]{87}$/);
  // A test is seen, although the desk is before her.
  await deliver();
  const [one, ...more] = await until("the notification", async () => {
    const all = await shown();
    return all.length > 0 && all;
  });
  assert.deepEqual(more, []);
  const words = { title: "New in Belofte", body: "There is something new for you. Open Belofte to see it." };
  assert.deepEqual(one, { ...words, tag: "belofte", lang: "en", data: null, icon: "" });
});

test("several are one notification, and whatever comes along with a message is not shown", async () => {
  await sweep();
  const all = await deliverAway("", "Jan Jansen wrote: my order has not arrived");
  assert.equal(all.length, 1, JSON.stringify(all));
  assert.doesNotMatch(JSON.stringify(all), /Jansen|order/);
});

test("a click brings the desk forward, or opens it where what is new stands", async () => {
  const worker = sanne.context.serviceWorkers().find((one) => one.url().includes("/push.js"));
  assert.ok(worker, "the service worker runs");
  // What a click lets a worker do nobody but the browser gives: what it would do is noted.
  const clicked = await worker.evaluate(async () => {
    const done = [];
    WindowClient.prototype.focus = async function focus() {
      done.push(`focus ${new URL(this.url).pathname}`);
      return this;
    };
    self.clients.openWindow = async (path) => done.push(`open ${path}`);
    await self.registration.showNotification("one", { tag: "click" });
    const click = async () => {
      const [notification] = await self.registration.getNotifications({ tag: "click" });
      self.dispatchEvent(new NotificationEvent("notificationclick", { notification }));
      await new Promise((next) => setTimeout(next, 300));
    };
    await click();
    const left = (await self.registration.getNotifications({ tag: "click" })).length;
    await self.registration.showNotification("two", { tag: "click" });
    self.clients.matchAll = async () => [];
    await click();
    return { done, left };
  });
  assert.deepEqual(clicked, { done: ["focus /settings/push", "open /inbox/mine"], left: 0 });
  await sweep();
});

test("the words follow the language of their user", async () => {
  await ask(sanne.page, "PATCH", "/me", { language: "nl" });
  await settings();
  await until("the worker in Dutch", async () => /language=nl$/.test((await registration()) ?? ""));
  const [one] = await deliverAway("");
  assert.equal(one.title, "Nieuw in Belofte");
  assert.equal(one.lang, "nl");
  assert.deepEqual(await findings(sanne.page, "aan"), []);
  await ask(sanne.page, "PATCH", "/me", { language: "en" });
  await settings();
  await until("the worker in English", async () => /language=en$/.test((await registration()) ?? ""));
  const { devices } = await ask(sanne.page, "GET", "/push");
  assert.equal(devices.length, 1, "it is the same device");
});

test("with the desk before somebody nothing is shown", async () => {
  await sweep();
  await sanne.page.bringToFront();
  const looks = await sanne.page.evaluate(async () => {
    const own = await navigator.serviceWorker.ready;
    return own !== null && document.hasFocus();
  });
  assert.ok(looks);
  // The half minute of the test before is over for a worker that begins anew.
  await sanne.page.evaluate(async () => (await navigator.serviceWorker.getRegistration("/")).unregister());
  await settings();
  await until("the worker", registration);
  await deliver();
  await pause(700);
  assert.deepEqual(await shown(), []);
});

test("signing out ends it, in the browser and at the server", async () => {
  await settings();
  // Until then the page moves, and a menu that opens meanwhile closes again.
  await button("Turn off").waitFor();
  await sanne.page.getByRole("button", { name: /^Account/ }).click();
  await sanne.page.getByRole("menuitem", { name: "Sign out" }).click();
  await sanne.page.getByRole("button", { name: "Sign in" }).waitFor();
  assert.equal(await registration(), null);
  assert.equal(await sanne.page.evaluate(() => localStorage.getItem("test.subscription")), null);
  assert.equal(await sanne.page.evaluate(() => localStorage.getItem("belofte.push")), null);
  await signIn(sanne.page, house.url, EMAIL);
  await sanne.page.getByRole("navigation", { name: "Main menu" }).waitFor();
  assert.deepEqual((await ask(sanne.page, "GET", "/push")).devices, []);
  await settings();
  await button("Turn on notifications").waitFor();
});

test("a browser goes on for its user after a session ran out, and lets go of somebody else's", async () => {
  await button("Turn on notifications").click();
  await button("Send a test notification").waitFor();
  // The session is gone without a word to this browser.
  const { items } = await ask(sanne.page, "GET", "/sessions");
  await ask(sanne.page, "DELETE", `/sessions/${items.find((one) => one.current).id}`);
  await signIn(sanne.page, house.url, EMAIL);
  await sanne.page.getByRole("navigation", { name: "Main menu" }).waitFor();
  await until("the device of the new session", async () => {
    const { devices } = await ask(sanne.page, "GET", "/push");
    return devices.length === 1 && devices[0].current;
  });
  // Somebody else sat down at it since.
  await sanne.page.evaluate(() => localStorage.setItem("belofte.push", "01890000-0000-7000-8000-000000000000"));
  await sanne.page.goto(`${house.url}/inbox/mine`);
  await until("the worker to be gone", async () => (await registration()) === null);
  assert.equal(await sanne.page.evaluate(() => localStorage.getItem("test.subscription")), null);
});

test("the organisation that forbids it forgets every device", async () => {
  await settings();
  await button("Allow no longer").click();
  await button("Forget all devices now").click();
  await sanne.page.getByText("Notifications are allowed no longer", { exact: false }).first().waitFor();
  assert.equal((await ask(sanne.page, "GET", "/push")).public_key, undefined);
});
