// SPDX-License-Identifier: EUPL-1.2
// Three people who live in the desk: tags, conversations that are put off, many changed at once and
// undone, and lists that are kept, by keys alone, each seen by the others without a reload.

import assert from "node:assert/strict";
import { after, before } from "node:test";
import { ask as asked, watched } from "./support/api.mjs";
import { accept, launch, window } from "./support/browser.mjs";
import { startHouse, until } from "./support/house.mjs";
import { mail, send, startSubmission } from "./support/mail.mjs";
import { sideways } from "./support/sideways.mjs";

const BOX = "hulp@winkel.example";
const PEOPLE = ["Anna Aalders", "Bas Bakker", "Carla Cohen", "Dirk Dekker", "Eva Elzinga", "Frits Faber"];
const subject = (who) => `Vraag van ${who.split(" ")[0]}`;
const [ANNA, BAS, CARLA, DIRK, EVA, FRITS] = PEOPLE.map(subject);
let house;
let post;
let browser;
let sanne;
let joris;
let noor;

before(async () => {
  // One by one: what has begun is ended again when the next one fails.
  browser = await launch();
  post = await startSubmission();
  house = await startHouse();
  sanne = await window(browser);
  await accept(sanne.page, house.invitation, "Sanne de Vries", "sanne@winkel.example");
  await ask("POST", "/channel-accounts", {
    address: BOX,
    from_name: "Winkel",
    kind: "email",
    submission: { host: "127.0.0.1", port: post.port, security: "none" },
  });
  const join = async (name, email) => {
    const someone = await window(browser);
    const { link } = await ask("POST", "/invitations", { role: "agent" });
    await accept(someone.page, link.replace(/^https:\/\/[^/]+/, house.url), name, email);
    return someone;
  };
  joris = await join("Joris Bakker", "joris@winkel.example");
  noor = await join("Noor El Amrani", "noor@winkel.example");
  for (const who of PEOPLE) await receive(who, subject(who), "Waar blijft mijn pakket?");
});

after(async () => {
  await browser?.close();
  await post?.close();
  await house?.close();
});

const test = watched(() => [sanne, joris, noor]);
const ask = (method, path, body) => asked(sanne.page, method, path, body);

const receive = (who, about, text, more) =>
  send(house.smtp, BOX, mail(who, `${who.split(" ")[0].toLowerCase()}@klant.example`, about, text, more));
const row = (page, text) => page.getByRole("listitem").filter({ hasText: text }).locator("[data-row]").first();
const gone = (page, text) => until(`${text} to leave`, async () => (await row(page, text).count()) === 0);
const notice = (page, text) => page.getByRole("region", { name: "Notices" }).getByText(text);
const undo = (page) => page.getByRole("button", { name: "Undo" }).last().click();

async function list(page, view, first) {
  await page.goto(`${house.url}/inbox/${view}`);
  if (first) await row(page, first).waitFor();
}

/** Opens a conversation and waits until its header is there. */
async function open(page, about, view = "open") {
  await list(page, view, about);
  await row(page, about).click();
  await page.getByRole("heading", { name: about }).waitFor();
}

test("a tag is made while tagging, seen by everybody, found again, and taken off with undo", async () => {
  const { page } = sanne;
  await list(joris.page, "open", ANNA);
  await open(page, ANNA);
  await page.keyboard.press("t");
  await page.keyboard.type("Met spoed");
  await page.getByRole("button", { name: "Create the tag “Met spoed”" }).waitFor();
  await page.keyboard.press("Enter");
  await notice(page, "Tag Met spoed added").waitFor();
  await row(joris.page, "Met spoed").waitFor();

  // Who answers gives the tag too, and makes none of their own.
  await row(joris.page, BAS).click();
  await joris.page.getByRole("heading", { name: BAS }).waitFor();
  await joris.page.keyboard.press("t");
  await joris.page.keyboard.type("spoedig");
  await joris.page.getByText("No tag found").waitFor();
  await joris.page.keyboard.press("Control+a");
  await joris.page.keyboard.type("spoed");
  await joris.page.keyboard.press("Enter");
  await notice(joris.page, "Tag Met spoed added").waitFor();
  await joris.page.getByText("Joris Bakker added the tag Met spoed").waitFor();

  await page.getByRole("list", { name: "Tags" }).getByRole("link", { name: "Met spoed" }).click();
  await row(page, BAS).waitFor();
  await row(page, ANNA).waitFor();
  assert.equal(await row(page, CARLA).count(), 0);
  await open(page, ANNA);
  await page.keyboard.press("t");
  await page.keyboard.type("met");
  await page.keyboard.press("Enter");
  await notice(page, "Tag Met spoed removed").waitFor();
  await undo(page);
  await page.getByRole("list", { name: "Tags" }).getByRole("link", { name: "Met spoed" }).waitFor();
});

test("what is put off leaves the list for everybody, and the customer brings it back", async () => {
  const { page } = sanne;
  await list(joris.page, "open", CARLA);
  await open(page, CARLA);
  await page.keyboard.press("z");
  await page.getByRole("button", { name: /^Tomorrow/ }).waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.press("z");
  await page.getByRole("button", { name: /^Next Monday/ }).click();
  await notice(page, /Conversation with Carla Cohen snoozed until/).waitFor();
  await gone(joris.page, CARLA);
  await undo(page);
  await row(joris.page, CARLA).waitFor();

  await page.keyboard.press("z");
  await page.getByRole("button", { name: /^Tomorrow/ }).focus();
  await page.keyboard.press("Enter");
  await gone(joris.page, CARLA);
  await joris.page.keyboard.press("Control+k");
  await joris.page.getByRole("combobox").waitFor();
  await joris.page.keyboard.type("snoozed");
  await joris.page.keyboard.press("Enter");
  await joris.page.waitForURL(/\/inbox\/snoozed/);
  await row(joris.page, CARLA).waitFor();
  await receive(PEOPLE[2], CARLA, "Is er al nieuws?", `References: ${await messageId(CARLA)}\r\n`);
  await gone(joris.page, CARLA);
  await page.getByRole("button", { name: "Status: Open; change" }).waitFor();
});

test("what comes back by the clock stands at the top and says so", async () => {
  const { page } = sanne;
  await list(page, "open", DIRK);
  const { items } = await ask("GET", "/conversations?status=open&assignee=any");
  const dirk = items.find((one) => one.subject === DIRK);
  const until_ = new Date(Date.now() + 1_500).toISOString();
  await ask("PATCH", `/conversations/${dirk.id}`, { status: "snoozed", snoozed_until: until_ });
  await gone(page, DIRK);
  await row(page, DIRK).waitFor();
  await until("the top", async () => (await page.locator("[data-row]").first().innerText()).includes(DIRK));
  await row(page, "back").waitFor();
});

test("many are selected by keys, changed at once, and go back with one undo", async () => {
  const { page } = sanne;
  await list(joris.page, "open", EVA);
  await list(page, "open", EVA);
  await row(page, EVA).focus();
  await page.keyboard.press("x");
  await page.getByRole("toolbar", { name: "Selected conversations" }).getByText("1 selected").waitFor();
  await page.keyboard.press("Shift+J");
  await page.keyboard.press("Shift+J");
  await page.getByText("3 selected").waitFor();
  await page.keyboard.press("Shift+K");
  await page.keyboard.press("x");
  await page.getByText("2 selected").waitFor();
  const chosen = await page.locator("[data-selected] [data-row]").evaluateAll((all) => all.map((one) => one.dataset.row));
  assert.equal(chosen.length, 2);
  await page.keyboard.press("a");
  await page.keyboard.type("noor");
  await page.keyboard.press("Enter");
  await notice(page, "2 conversations assigned to Noor El Amrani").waitFor();
  await list(noor.page, "mine", EVA);
  await page.keyboard.press("e");
  await notice(page, "2 conversations resolved").waitFor();
  await gone(joris.page, EVA);
  await noor.page.getByText("Everything is answered").waitFor();
  assert.equal(await page.getByRole("toolbar", { name: "Selected conversations" }).count(), 0);

  // A colleague sets one of them to waiting meanwhile: it stays as it is, and that is said.
  await joris.page.goto(`${house.url}/inbox/resolved/${chosen[1]}`);
  await joris.page.getByRole("button", { name: "Status: Resolved; change" }).click();
  await joris.page.getByRole("menuitem", { name: "Waiting" }).click();
  await joris.page.getByRole("button", { name: "Status: Waiting; change" }).waitFor();
  await page.getByRole("region", { name: "Notices" }).locator("div", { hasText: "2 conversations resolved" }).getByRole("button", { name: "Undo" }).click();
  await notice(page, /1 conversation was not put back/).waitFor();
  await row(page, EVA).waitFor();
  await row(noor.page, EVA).waitFor();
  await joris.page.getByRole("button", { name: "Status: Waiting; change" }).click();
  await joris.page.getByRole("menuitem", { name: "Open" }).click();
  await row(page, ANNA).waitFor();
});

test("Shift and a click take a run of rows, and Escape lets go", async () => {
  const { page } = sanne;
  await list(page, "open", ANNA);
  const rows = page.locator("[data-row]");
  await page.getByRole("checkbox", { name: /^Select the conversation/ }).nth(1).click();
  await rows.nth(3).click({ modifiers: ["Shift"] });
  await page.getByText("3 selected").waitFor();
  await page.getByRole("checkbox", { name: "Select all that is loaded" }).click();
  await page.getByText(/^[4-9] selected$/).waitFor();
  await page.keyboard.press("t");
  await page.getByRole("textbox", { name: "Find a tag" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("toolbar", { name: "Selected conversations" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("navigation", { name: "Views" }).waitFor();
  assert.equal(await page.locator("[data-selected]").count(), 0);
});

test("resolve and next goes on in the list and in the thread", async () => {
  const { page } = sanne;
  await list(page, "open", FRITS);
  await row(page, FRITS).focus();
  await page.keyboard.press("e");
  await notice(page, "Conversation with Frits Faber resolved").waitFor();
  await gone(page, FRITS);
  assert.ok(await page.evaluate(() => document.activeElement?.hasAttribute("data-row")), "the focus is in the next row");
  await undo(page);
  await open(page, ANNA);
  const heading = page.getByRole("heading", { level: 2 });
  await page.keyboard.press("e");
  await notice(page, "Conversation with Anna Aalders resolved").waitFor();
  await until("the next one", async () => {
    const text = await heading.first().innerText();
    return text.startsWith("Vraag van") && text !== ANNA;
  });
  await undo(page);
  await row(page, ANNA).waitFor();
});

test("a view is kept, shared, opened by its address, and comes back after it was deleted", async () => {
  const { page } = sanne;
  await list(page, "open", ANNA);
  await page.getByRole("button", { name: "More views" }).click();
  await page.getByRole("menuitem", { name: "New view…" }).click();
  await page.getByRole("textbox", { name: "Name" }).fill("Spoed van vandaag");
  await page.getByLabel("Tag", { exact: true }).selectOption({ label: "Met spoed" });
  await page.getByRole("switch", { name: "For everybody" }).check();
  await page.getByRole("button", { name: "Save" }).click();
  await page.waitForURL(/\/inbox\/[0-9a-f-]{36}$/);
  await row(page, ANNA).waitFor();
  assert.equal(await row(page, DIRK).count(), 0);
  const address = page.url();

  await list(joris.page, "mine");
  await joris.page.getByRole("button", { name: "More views" }).click();
  await joris.page.getByRole("menuitem", { name: "Spoed van vandaag" }).click();
  await joris.page.waitForURL(address);
  await row(joris.page, ANNA).waitFor();
  await joris.page.getByRole("button", { name: /^View Spoed van vandaag/ }).click();
  assert.equal(await joris.page.getByRole("menuitem", { name: /Delete the view/ }).count(), 0, "it is everybody's");
  await joris.page.keyboard.press("Escape");

  await page.getByRole("button", { name: /^View Spoed van vandaag/ }).click();
  await page.getByRole("menuitem", { name: "Delete the view Spoed van vandaag" }).click();
  await notice(page, "View Spoed van vandaag deleted").waitFor();
  await joris.page.getByText("This view is gone").waitFor();
  await undo(page);
  await page.waitForURL(/\/inbox\/[0-9a-f-]{36}$/);
  await row(page, ANNA).waitFor();
});

test("signing is turned on for a domain, told what its record lacks, and dropped again", async () => {
  const { page } = sanne;
  await page.goto(`${house.url}/settings/signing`);
  await page.getByRole("button", { name: "Turn on signing" }).click();
  const value = page.getByRole("textbox", { name: "Content of the record (TXT)" });
  await value.waitFor();
  assert.match(await value.inputValue(), /^v=DKIM1; k=rsa; p=[A-Za-z0-9+/]+=*$/);
  const name = await page.getByRole("textbox", { name: "Name of the record" }).inputValue();
  assert.match(name, /^belofte-[0-9a-f]{8}\._domainkey\./);
  assert.equal(await page.getByRole("button", { name: "Turn on signing" }).count(), 0, "one key waits at a time");
  await page.getByRole("button", { name: "Check now" }).click();
  // No such domain is in any name server; where none answers, that is said.
  await page.getByText(/There is no such record|No name server answers/).first().waitFor();
  await page.getByText("Not signing yet").waitFor();
  await page.setViewportSize({ width: 390, height: 844 });
  assert.deepEqual(await page.evaluate(sideways), []);
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.getByRole("button", { name: "Drop this key" }).click();
  await page.getByRole("button", { name: /^Drop this key for/ }).click();
  await page.getByRole("button", { name: "Turn on signing" }).waitFor();
});

test("tags are renamed and merged in the settings, and every row follows", async () => {
  const { page } = sanne;
  await list(joris.page, "open", ANNA);
  await page.goto(`${house.url}/settings/tags`);
  await page.getByRole("button", { name: "Change the tag Met spoed" }).click();
  await page.getByRole("textbox", { name: "Name" }).first().fill("Dringend");
  await page.getByRole("button", { name: "Save" }).click();
  await row(joris.page, "Dringend").waitFor();
  await page.getByRole("textbox", { name: "Name" }).fill("Haast");
  await page.getByRole("button", { name: "Create tag" }).click();
  await page.getByRole("button", { name: "Change the tag Dringend" }).click();
  await page.getByLabel("Merge into").selectOption({ label: "Haast" });
  await page.getByRole("button", { name: "Merge into Haast" }).click();
  await page.getByRole("button", { name: /this cannot be undone/ }).click();
  await row(joris.page, "Haast").waitFor();
  await page.getByRole("button", { name: "Archive the tag Haast" }).click();
  await notice(page, "Tag Haast archived").waitFor();
  await undo(page);
  await page.getByText("In use").waitFor();
  // A phone has the same, and nothing is wider than it.
  await page.setViewportSize({ width: 390, height: 844 });
  await list(page, "open", ANNA);
  await page.getByRole("checkbox", { name: /^Select the conversation/ }).first().click();
  assert.deepEqual(await page.evaluate(sideways), []);
  for (const button of await page.getByRole("toolbar").getByRole("button").all()) {
    const box = await button.boundingBox();
    assert.ok(box.height >= 44 && box.width >= 44, `a thumb hits it: ${JSON.stringify(box)}`);
  }
});

/** The Message-ID of the mail that began a conversation. */
async function messageId(about) {
  const { items } = await ask("GET", "/conversations?status=all");
  const { items: messages } = await ask("GET", `/conversations/${items.find((one) => one.subject === about).id}/messages`);
  return sanne.page.evaluate(async (id) => {
    const source = await (await fetch(`/api/v1/messages/${id}/source`)).text();
    return /^Message-ID: (<[^>]+>)/im.exec(source)[1];
  }, messages[0].id);
}
