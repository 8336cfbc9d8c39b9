// SPDX-License-Identifier: EUPL-1.2
// The second factor on the built server: setting it up, signing in with a code and with a recovery code, being asked one
// by the organisation, and an admin who takes a colleague's away. The codes are made here, as an app does (RFC 6238).
// The tests follow each other.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, before } from "node:test";
import { findings } from "./support/access.mjs";
import { ask, watched } from "./support/api.mjs";
import { accept, launch, PASSWORD, signIn, window } from "./support/browser.mjs";
import { pause, startHouse, until } from "./support/house.mjs";
import { sideways } from "./support/sideways.mjs";

const ADMIN = "sanne@winkel.example";
const AGENT = "joris@winkel.example";
const LATE = "noor@winkel.example";
let house;
let browser;
let sanne;
let joris;
let away;
const test = watched(() => [sanne, joris, away]);

before(async () => {
  house = await startHouse();
  browser = await launch();
  sanne = await window(browser);
  await accept(sanne.page, house.invitation, "Sanne de Vries", ADMIN);
  joris = await window(browser);
  const { link } = await ask(sanne.page, "POST", "/invitations", { role: "agent" });
  await accept(joris.page, link, "Joris Bakker", AGENT);
});

after(async () => {
  await browser?.close();
  await house?.close();
});

/** An app with the key that stands on a page; it shows each code once. */
class App {
  given = 0;
  constructor(text) {
    const bits = [...text.replace(/\s/g, "")].map((letter) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0")).join("");
    this.key = Buffer.from(bits.match(/.{8}/g).map((octet) => Number.parseInt(octet, 2)));
  }
  static period = () => Math.floor(Date.now() / 30_000);
  at(period) {
    const count = Buffer.alloc(8);
    count.writeBigUInt64BE(BigInt(period));
    const tag = createHmac("sha1", this.key).update(count).digest();
    const code = (tag.readUInt32BE(tag[19] & 15) & 0x7fffffff) % 1_000_000;
    return String(code).padStart(6, "0");
  }
  async next() {
    // The code before this one holds too, unless it ends on its way to the server.
    const oldest = Math.floor((Date.now() + 10_000) / 30_000) - 1;
    const next = Math.max(this.given + 1, oldest);
    while (next > App.period() + 1) await pause(250);
    this.given = next;
    return this.at(next);
  }
  wrong() {
    const near = Array.from({ length: 9 }, (_, at) => this.at(App.period() - 4 + at));
    return ["000000", "000001", "000002", "000003", "000004", "000005", "000006", "000007", "000008", "000009"].find((code) => !near.includes(code));
  }
}

/** The key that stands on the page. */
const read = async (page) => {
  await page.getByRole("img", { name: "QR code with the key for your app" }).waitFor();
  return new App(await page.locator("code").innerText());
};
const codesOf = (page) => page.getByRole("listitem").filter({ hasText: /^[a-z2-7]{4}(-[a-z2-7]{4}){3}$/ }).allInnerTexts();
const button = (page, name) => page.getByRole("button", { name, exact: true });
const atDesk = (page) => page.getByRole("navigation", { name: "Main menu" }).waitFor();
const signOut = (page) => ask(page, "DELETE", "/session");
const narrow = async (page) => {
  await page.setViewportSize({ width: 390, height: 844 });
  const wide = await page.evaluate(sideways);
  await page.setViewportSize({ width: 1280, height: 800 });
  return wide.length;
};

let app;
let codes;

test("it is set up with the app's first code and the password", async () => {
  const { page } = joris;
  await page.goto(`${house.url}/settings/second-factor`);
  await page.getByText("Not set up", { exact: true }).waitFor();
  assert.deepEqual(await findings(page, "no second factor"), []);
  await button(page, "Set up").click();
  app = await read(page);
  assert.equal(await narrow(page), 0, "nothing is wider than a phone");
  assert.deepEqual(await findings(page, "setting up"), []);
  await page.getByLabel("Then type the six digits that the app shows").fill(app.wrong());
  await page.getByRole("textbox", { name: "Current password" }).fill(PASSWORD);
  await page.keyboard.press("Enter");
  await page.getByText("This code is not right", { exact: false }).waitFor();
  await page.getByLabel("Then type the six digits that the app shows").fill(await app.next());
  await button(page, "Confirm").click();
  await page.getByRole("heading", { name: "Your recovery codes" }).waitFor();
  codes = await codesOf(page);
  assert.equal(codes.length, 10);
  assert.equal(await narrow(page), 0);
  assert.deepEqual(await findings(page, "recovery codes"), []);
  // Leaving over them is asked first; who says no still has them.
  await page.setViewportSize({ width: 1280, height: 800 });
  const asked = new Promise((heard) => page.once("dialog", (dialog) => dialog.dismiss().then(() => heard(dialog.message()))));
  await page.getByRole("link", { name: "Profile and preferences" }).click();
  assert.match(await asked, /not shown again/);
  assert.deepEqual(await codesOf(page), codes);
  // A browser that allows no copying says so.
  await page.evaluate(() => Object.defineProperty(navigator, "clipboard", { value: undefined, configurable: true }));
  await button(page, "Copy the codes").click();
  await page.getByText("The browser did not allow copying", { exact: false }).waitFor();
  await button(page, "I have kept them").click();
  await page.getByText("You have 10 recovery codes left.").waitFor();
  assert.deepEqual(await findings(page, "a second factor"), []);
});

test("signing in takes the password and then a code, by keyboard alone", async () => {
  const { page } = joris;
  await signOut(page);
  await signIn(page, house.url, AGENT);
  await page.getByRole("heading", { name: "Your code" }).waitFor();
  assert.equal(await narrow(page), 0);
  assert.deepEqual(await findings(page, "a code is asked"), []);
  await page.goto(`${house.url}/inbox/mine`);
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await signIn(page, house.url, AGENT);
  await page.getByLabel("Code of your app").waitFor();
  await page.keyboard.type(app.wrong());
  await page.keyboard.press("Enter");
  await page.getByText("This code is not right", { exact: false }).waitFor();
  await page.keyboard.type(await app.next());
  await page.keyboard.press("Enter");
  await atDesk(page);
});

test("without the phone a recovery code does, once", async () => {
  const { page } = joris;
  for (const works of [true, false]) {
    await signOut(page);
    await signIn(page, house.url, AGENT);
    await button(page, "Use a recovery code").click();
    await page.getByRole("heading", { name: "A recovery code" }).waitFor();
    await page.getByLabel("Recovery code").fill(codes[0].toUpperCase().replaceAll("-", " "));
    await page.keyboard.press("Enter");
    if (works) await atDesk(page);
    else await page.getByText("This code is not right", { exact: false }).waitFor();
  }
  await page.getByLabel("Recovery code").fill(codes[1]);
  await page.keyboard.press("Enter");
  await atDesk(page);
});

test("an admin takes it away, and its owner is told", async () => {
  await sanne.page.goto(`${house.url}/settings/users`);
  await button(sanne.page, "Change Joris Bakker").click();
  await sanne.page.getByRole("menuitem", { name: "Take the second factor away" }).click();
  await button(sanne.page, "Take the second factor away").click();
  assert.deepEqual(await findings(sanne.page, "taking a factor away"), []);
  await until("the question", async () => (await button(sanne.page, "Yes, take it away").count()) || (await button(sanne.page, "Take the second factor away").click()));
  await button(sanne.page, "Yes, take it away").click();
  await sanne.page.getByText("The second factor of Joris Bakker was taken away", { exact: true }).waitFor();
  const { page } = joris;
  await signIn(page, house.url, AGENT);
  await page.getByText("An administrator took your second factor away", { exact: false }).waitFor();
  assert.deepEqual(await findings(page, "told of it"), []);
  assert.equal(await narrow(page), 0);
  await button(page, "Understood").click();
  await page.getByText("An administrator took your second factor away", { exact: false }).waitFor({ state: "detached" });
  await page.reload();
  await atDesk(page);
  assert.equal(await page.getByText("An administrator took your second factor away", { exact: false }).count(), 0);
});

test("who is asked one is led to it and does nothing before", async () => {
  await sanne.page.goto(`${house.url}/settings/users`);
  await sanne.page.getByRole("switch", { name: "Agent" }).click();
  await sanne.page.getByText("Saved", { exact: true }).waitFor();
  await sanne.page.getByRole("switch", { name: "Administrator" }).click();
  await sanne.page.getByText("Set up a second factor of your own first", { exact: false }).waitFor();
  const { page } = joris;
  await signIn(page, house.url, AGENT);
  await page.getByRole("heading", { name: "Set up a second factor" }).waitFor();
  assert.deepEqual(await findings(page, "asked to set up"), []);
  assert.equal(await narrow(page), 0);
  const mine = await read(page);
  await page.getByLabel("Then type the six digits that the app shows").fill(await mine.next());
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Your recovery codes" }).waitFor();
  assert.deepEqual(await findings(page, "recovery codes at the sign-in"), []);
  await button(page, "I have kept them").click();
  await atDesk(page);

  // Who joins is led the same way.
  away = await window(browser);
  const { link } = await ask(sanne.page, "POST", "/invitations", { role: "agent" });
  await away.page.goto(link);
  await away.page.getByLabel("Your name").fill("Noor Visser");
  await away.page.getByLabel("E-mail address").fill(LATE);
  await away.page.getByRole("textbox", { name: "Password" }).fill(PASSWORD);
  await button(away.page, "Create account").click();
  const hers = await read(away.page);
  await away.page.getByLabel("Then type the six digits that the app shows").fill(await hers.next());
  await away.page.keyboard.press("Enter");
  await button(away.page, "I have kept them").click();
  await atDesk(away.page);
});
