// SPDX-License-Identifier: EUPL-1.2
// A day of a team without a mouse: what other tests do with clicks is done here by Tab, the arrows, Enter and the keys of
// the desk alone. Nothing in this file clicks, fills in or focuses.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before } from "node:test";
import { ask as asked, watched } from "./support/api.mjs";
import { accept, launch, PASSWORD, window } from "./support/browser.mjs";
import { startHouse, until } from "./support/house.mjs";
import { choose, press, tabTo, walkTo } from "./support/keys.mjs";
import { mail, send, startSubmission } from "./support/mail.mjs";

const BOX = "hulp@winkel.example";
const SHOP = "balie@winkel.example";
const EMAIL = "sanne@winkel.example";
let house;
let post;
let browser;
let sanne;
let daan;

before(async () => {
  browser = await launch();
  post = await startSubmission();
  house = await startHouse();
  sanne = await window(browser);
  await accept(sanne.page, house.invitation, "Sanne de Vries", EMAIL);
  for (const address of [BOX, SHOP]) {
    await ask("POST", "/channel-accounts", {
      address,
      from_name: "Winkel",
      kind: "email",
      submission: { host: "127.0.0.1", port: post.port, security: "none" },
    });
  }
  daan = await window(browser);
  const { link } = await ask("POST", "/invitations", { role: "agent" });
  await accept(daan.page, link.replace(/^https:\/\/[^/]+/, house.url), "Daan Bos", "daan@winkel.example");
  await receive("Anna Aalders", "Ketel lekt", "De ketel lekt.");
  await receive("Anna Aalders", "Nogmaals de ketel", "Nu staat de gang blank.");
  await receive("Bas Bakker", "Pomp bromt", "De pomp bromt.");
});

after(async () => {
  await browser?.close();
  await post?.close();
  await house?.close();
});

const test = watched(() => [sanne, daan]);
const ask = (method, path, body) => asked(sanne.page, method, path, body);
const receive = (who, about, text, more) =>
  send(house.smtp, BOX, mail(who, `${who.split(" ")[0].toLowerCase()}@klant.example`, about, text, more));
const notice = (page, text) => page.getByRole("region", { name: "Notices" }).getByText(text);
const button = (page, name) => page.getByRole("button", { name, exact: typeof name === "string" });
const dialogue = (page) => page.getByRole("dialog");
const messages = (page) => page.getByRole("article");
const undo = (page) => press(page, button(page, "Undo").last(), { most: 150 });
const holds = (field, text) => until(`“${text}”`, async () => (await field.inputValue()) === text);

/** Comes to a conversation by the palette, as somebody does who knows what it is about. */
async function open(page, about) {
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+k");
  await dialogue(page).getByRole("combobox").waitFor();
  await page.keyboard.type(about);
  const found = page.getByRole("option", { name: new RegExp(`^(Anna Aalders|Bas Bakker) ?${about}$`) }).first();
  await found.waitFor();
  await until("it to be chosen", async () => {
    if ((await found.getAttribute("aria-selected")) === "true") return true;
    await page.keyboard.press("ArrowDown");
    return false;
  });
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: about }).first().waitFor();
}

test("one signs out and in", async () => {
  const { page } = sanne;
  await page.goto(`${house.url}/inbox/open`);
  await page.getByText("Ketel lekt").first().waitFor();
  await choose(page, page.getByRole("button", { name: /^Account/ }), "Sign out");
  const address = page.locator('input[name="email"]');
  await address.waitFor();
  await tabTo(page, address);
  await page.keyboard.type(EMAIL);
  await page.keyboard.press("Tab");
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press("Enter");
  await page.getByRole("navigation", { name: "Main menu" }).waitFor();
  await page.getByText("Everything is answered").waitFor();
});

test("two conversations become one, are taken apart, and stand beside each other", async () => {
  const { page } = sanne;
  await open(page, "Ketel lekt");
  await page.keyboard.press("g");
  await dialogue(page).waitFor();
  await page.keyboard.type("nogmaals");
  await button(dialogue(page), /Nogmaals de ketel/).waitFor();
  await page.keyboard.press("Enter");
  await press(page, button(dialogue(page), "Merge"));
  await until("both messages", async () => (await messages(page).count()) === 2);
  await undo(page);
  await until("one message", async () => (await messages(page).count()) === 1);

  await choose(page, button(page, "More for this conversation"), /Link another/, { most: 150 });
  await dialogue(page).waitFor();
  await page.keyboard.type("pomp");
  await button(dialogue(page), /Pomp bromt/).waitFor();
  await page.keyboard.press("Enter");
  await press(page, button(dialogue(page), "Link"));
  const linked = page.getByRole("region", { name: /^Linked conversations/ });
  await press(page, linked.getByRole("link", { name: /Pomp bromt/ }), { most: 150 });
  await page.getByRole("heading", { name: "Pomp bromt" }).first().waitFor();
  await press(page, linked.getByRole("button", { name: /^Unlink/ }), { most: 150 });
  await until("the link to go", async () => (await linked.count()) === 0);
});

test("a message becomes a conversation of its own, and one goes on in another mailbox", async () => {
  const { page } = sanne;
  await receive("Anna Aalders", "Re: Ketel lekt", "En de factuur?");
  const all = (await ask("GET", "/conversations?status=all")).items;
  const [ketel, factuur] = ["Ketel lekt", "Re: Ketel lekt"].map((about) => all.find((one) => one.subject === about));
  await ask("POST", `/conversations/${ketel.id}/merge`, { conversation_ids: [factuur.id] });
  await open(page, "Ketel lekt");
  await until("two messages", async () => (await messages(page).count()) === 2);
  const said = messages(page).filter({ hasText: "En de factuur?" });
  await choose(page, said.getByRole("button", { name: /^More/ }), /Split off/, { most: 150 });
  await tabTo(page, dialogue(page).getByLabel("Subject of the new conversation"));
  await page.keyboard.press("Control+a");
  await page.keyboard.type("Factuur van de ketel");
  await press(page, button(dialogue(page), "Split off 1 message"));
  await page.getByRole("heading", { name: "Factuur van de ketel" }).first().waitFor();
  await choose(page, button(page, "More for this conversation"), /another mailbox/, { most: 150 });
  await press(page, button(dialogue(page), new RegExp(SHOP)));
  await notice(page, `The conversation goes on in ${SHOP}`).waitFor();
});

test("a reply is sent with a copy, a file and marked words; a message is passed on", async () => {
  const { page } = sanne;
  await open(page, "Pomp bromt");
  await page.keyboard.press("r");
  await page.keyboard.type("Wij komen");
  await holds(page.getByRole("textbox", { name: "Text of the reply" }), "Wij komen");
  const chosen = page.waitForEvent("filechooser");
  await press(page, button(page, "Attach a file"));
  await (await chosen).setFiles({ name: "plan.txt", mimeType: "text/plain", buffer: Buffer.from("morgen om negen") });
  await button(page, "Remove plan.txt").waitFor();
  await press(page, page.getByRole("button", { name: /^To / }), { back: true });
  await press(page, button(page, /^Add Cc/));
  const cc = page.getByRole("combobox", { name: "Cc", exact: true });
  await until("the cursor in Cc", () => cc.evaluate((one) => one === document.activeElement));
  await page.keyboard.type("bedrijf@klant.example,");
  await button(page, /^Remove bedrijf@klant.example/).waitFor();
  await page.keyboard.press("Control+Enter");
  const sent = await until("the mail", () => post.mails.find((one) => one.text.includes("Wij komen")));
  assert.ok(sent.to.includes("bedrijf@klant.example") && sent.to.includes("bas@klant.example"), String(sent.to));
  assert.match(sent.text, /filename="?plan\.txt/);
  await page.getByText(/Handed to/).first().waitFor();

  await page.keyboard.press("Escape");
  await page.keyboard.press("f");
  await until("the cursor in To", () => page.evaluate(() => document.activeElement?.matches("input") ?? false));
  await page.keyboard.type("monteur@klant.example,");
  await button(page, /^Remove monteur@klant.example/).waitFor();
  await page.keyboard.press("Control+Enter");
  await until("what was passed on", () => post.mails.some((one) => one.to.includes("monteur@klant.example")));
});

test("a reply is taken over from a colleague", async () => {
  await daan.page.goto(`${house.url}/inbox/open`);
  await daan.page.getByText("Ketel lekt").first().waitFor();
  await open(daan.page, "Ketel lekt");
  await daan.page.keyboard.press("r");
  await daan.page.keyboard.type("Beste Anna");
  const { page } = sanne;
  await open(page, "Ketel lekt");
  await page.getByText("Daan Bos is writing a reply.", { exact: true }).waitFor();
  await press(page, button(page, "Take over"), { most: 150 });
  const field = page.getByRole("textbox", { name: "Text of the reply" });
  await until("Sanne can write", () => field.evaluate((one) => !one.readOnly));
  await daan.page.getByText("Sanne de Vries has taken the reply over.").waitFor();
  // Who takes it over means to write.
  await until("the cursor in it", () => field.evaluate((one) => one === document.activeElement));
  await page.keyboard.type("Ik neem het over.");
  await holds(field, "Ik neem het over.");
  await page.keyboard.press("Control+a");
  await page.keyboard.press("Delete");
  await page.keyboard.press("Escape");
});

test("a message is read as source, kept as a file, and printed", async () => {
  const { page } = sanne;
  await open(page, "Pomp bromt");
  const said = messages(page).filter({ hasText: "De pomp bromt." }).first();
  await choose(page, said.getByRole("button", { name: /^More/ }), "Show source", { most: 150 });
  await dialogue(page).getByText(/^Subject: Pomp bromt/m).waitFor();
  await page.keyboard.press("Escape");
  await dialogue(page).waitFor({ state: "detached" });
  const kept = page.waitForEvent("download");
  await choose(page, said.getByRole("button", { name: /^More/ }), "Save as e-mail (.eml)", { most: 150 });
  assert.match(readFileSync(await (await kept).path(), "utf8"), /Subject: Pomp bromt/);
  const printed = page.context().waitForEvent("page");
  await page.keyboard.press("p");
  await (await printed).close();
});

test("a view is made, opened and deleted, and comes back", async () => {
  const { page } = sanne;
  await press(page, button(page, "More views"), { most: 150 });
  const fresh = page.getByRole("menuitem", { name: "New view…" });
  await fresh.waitFor();
  await walkTo(page, fresh, "ArrowDown", 20);
  await page.keyboard.press("Enter");
  await tabTo(page, page.getByRole("textbox", { name: "Name" }));
  await page.keyboard.type("Alles van mij");
  await tabTo(page, page.getByLabel("Assigned to"));
  await page.keyboard.type("Of who");
  await press(page, button(page, "Save"));
  await page.waitForURL(/\/inbox\/[0-9a-f-]{36}$/);
  await choose(page, page.getByRole("button", { name: /^View Alles van mij/ }), "Delete the view Alles van mij", { most: 150 });
  await notice(page, "View Alles van mij deleted").waitFor();
  await undo(page);
  await page.waitForURL(/\/inbox\/[0-9a-f-]{36}$/);
});

test("what is typed as a password can be looked at", async () => {
  const { page } = sanne;
  await page.goto(`${house.url}/settings/profile`);
  const field = page.getByRole("textbox", { name: "Current password" });
  await field.waitFor();
  await tabTo(page, field, 150);
  await page.keyboard.type("wat er staat");
  assert.equal(await field.getAttribute("type"), "password");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await until("the words", async () => (await field.getAttribute("type")) === "text");
});

test("every room of the settings is reached, and nothing in it is there for a mouse alone", async () => {
  const { page } = sanne;
  await press(page, page.getByRole("navigation", { name: "Main menu" }).getByRole("link", { name: "Settings" }), { most: 150 });
  const rooms = page.getByRole("navigation", { name: "Settings" }).getByRole("link");
  await rooms.first().waitFor();
  const count = await rooms.count();
  assert.ok(count > 8, `${count} rooms`);
  for (let at = 0; at < count; at += 1) {
    const path = await rooms.nth(at).getAttribute("href");
    await press(page, rooms.nth(at), { most: 200 });
    await page.waitForURL(`${house.url}${path}`);
    await page.locator("main h1, main h2").first().waitFor();
    // Whatever acts is on the way of Tab: once around, and nothing is left out.
    const left = await page.evaluate(() => {
      const all = [...document.querySelectorAll("main :is(a[href], button, input, select, textarea)")];
      return all.filter((one) => one.tabIndex < 0 && one.checkVisibility() && !one.disabled && !one.closest('[role="radiogroup"], [role="tablist"], [aria-hidden="true"]')).map((one) => one.outerHTML.slice(0, 160));
    });
    assert.deepEqual(left, [], path);
  }
});
