// SPDX-License-Identifier: EUPL-1.2
// The people of a tenant: found by words and by what is kept of them, in an order, opened, renamed, added and written to;
// and nothing of them in an address or in what stays on the device.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before } from "node:test";
import { findings, SIZES } from "./support/access.mjs";
import { ask as asked, watched } from "./support/api.mjs";
import { accept, launch, window } from "./support/browser.mjs";
import { startHouse, until } from "./support/house.mjs";
import { press, tabTo } from "./support/keys.mjs";
import { mail, send, startSubmission } from "./support/mail.mjs";

const BOX = "hulp@winkel.example";
/** On a phone there are no columns to look at: what is asked of those is asked on a wide screen. */
const WIDE = SIZES.slice(0, 1);
const NUMBERS = { "Anna Aalders": "4004", "Bas Bakker": "1001", "Carla Cohen": "3003" };
const PEOPLE = [...Object.keys(NUMBERS), "Dirk Dekker"];
const addressOf = (who) => `${who.split(" ")[0].toLowerCase()}@klant.example`;
const settings = (nl, kind, more = {}) => ({
  label: { nl },
  kind,
  purpose: "Bestellingen terugvinden",
  sensitivity: "ordinary",
  readers: ["agent", "supervisor", "admin"],
  writers: ["agent", "supervisor", "admin"],
  ...more,
});
let house;
let post;
let browser;
let sanne;
let joris;

before(async () => {
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
  joris = await window(browser);
  const { link } = await ask("POST", "/invitations", { role: "agent" });
  await accept(joris.page, link.replace(/^https:\/\/[^/]+/, house.url), "Joris Bakker", "joris@winkel.example");
});

after(async () => {
  await browser?.close();
  await post?.close();
  await house?.close();
});

const test = watched(() => [sanne, joris]);
const ask = (method, path, body) => asked(sanne.page, method, path, body);
const wide = (page) => page.setViewportSize({ width: 1280, height: 800 });
const who = (page, name) => page.getByRole("table", { name: "Contacts" }).getByRole("link", { name, exact: true });
const column = (page, name) => page.getByRole("columnheader", { name, exact: true });
const search = (page) => page.getByRole("textbox", { name: "Find contacts" });
const filter = (page) => page.getByRole("group", { name: "Filter", exact: true });
const condition = (page, no) => filter(page).getByRole("group", { name: `Condition ${no}`, exact: true });
const about = (page, name) => page.getByRole("complementary", { name: "Contact" }).getByRole("heading", { name, exact: true });
const adder = (page) => page.getByRole("main").getByRole("button", { name: "New contact" }).first();
const adding = (page) => page.getByRole("dialog", { name: "New contact" });
const addressAt = (page, no) => adding(page).getByRole("textbox", { name: `E-mail address ${no}`, exact: true });
const focused = (wanted) => until(`the focus is on ${wanted}`, () => wanted.evaluate((one) => one === document.activeElement));
/** Waits until exactly these stand in the list, in this order. */
const stand = (page, ...names) =>
  until(`${names} stand there`, async () => {
    const links = await page.getByRole("table", { name: "Contacts" }).locator("[data-row]").allInnerTexts();
    return links.map((one) => one.trim()).join("|") === names.join("|");
  });

test("before anybody wrote the page says who will stand there", async () => {
  const { page } = sanne;
  await page.goto(`${house.url}/inbox/mine`);
  await page.getByRole("navigation", { name: "Main menu" }).getByRole("link", { name: "Contacts" }).click();
  await page.getByText("No contacts yet").waitFor();
  assert.deepEqual(await findings(page, "no contacts"), []);
  await wide(page);
});

test("who writes comes to stand there, the newest first, while one looks", async () => {
  const { page } = sanne;
  for (const one of PEOPLE) await send(house.smtp, BOX, mail(one, addressOf(one), `Vraag van ${one}`, "Goedemiddag."));
  await stand(page, ...[...PEOPLE].reverse());
  await page.getByText("4 contacts").waitFor();
  assert.deepEqual(await findings(page, "contacts"), []);
  await wide(page);
});

test("people are found by words, which stand in no address", async () => {
  const { page } = sanne;
  await page.keyboard.press("/");
  await focused(search(page));
  await page.keyboard.type("bas@kl");
  await stand(page, "Bas Bakker");
  assert.equal(new URL(page.url()).pathname, "/contacts");
  assert.equal(new URL(page.url()).search, "");
  await search(page).fill("zeppelin");
  await page.getByText("Nobody found").waitFor();
  assert.deepEqual(await findings(page, "nobody found"), []);
  await wide(page);
  await page.getByRole("button", { name: "Clear the search field" }).last().click();
  await stand(page, ...[...PEOPLE].reverse());
});

test("a field of the tenant's is a column, a condition and an order", async () => {
  const { page } = sanne;
  const number = await ask("POST", "/fields", { record: "contact", settings: settings("Klantnummer", "text") });
  const secret = await ask("POST", "/fields", {
    record: "contact",
    settings: settings("Krediet", "integer", { sensitivity: "sensitive", readers: ["admin"], writers: ["admin"] }),
  });
  const { items } = await ask("POST", "/contacts/search", {});
  for (const row of items) {
    const value = NUMBERS[row.name];
    if (!value) continue;
    const values = [{ field_id: number.id, value }, { field_id: secret.id, value: Number(value) }];
    await ask("PATCH", `/contacts/${row.id}/fields`, { values });
  }
  await page.getByRole("button", { name: "Columns" }).click();
  await page.getByRole("menuitemcheckbox", { name: "Klantnummer" }).click();
  await page.keyboard.press("Escape");
  await page.getByRole("cell", { name: "3003", exact: true }).waitFor();
  assert.deepEqual(await findings(page, "a column", WIDE), []);
  await wide(page);
  const sort = column(page, "Klantnummer");
  await sort.getByRole("button").click();
  await stand(page, "Bas Bakker", "Carla Cohen", "Anna Aalders", "Dirk Dekker");
  assert.equal(await sort.getAttribute("aria-sort"), "ascending");
  await sort.getByRole("button").click();
  // Who has none comes last either way.
  await stand(page, "Anna Aalders", "Carla Cohen", "Bas Bakker", "Dirk Dekker");
  assert.equal(await sort.getAttribute("aria-sort"), "descending");
  await page.getByRole("button", { name: "Filter", exact: true }).click();
  await condition(page, 1).getByLabel("What it is about").selectOption({ label: "Klantnummer" });
  await condition(page, 1).getByLabel("What is asked").selectOption({ label: "begins with" });
  await condition(page, 1).getByLabel("Value").fill("300");
  await stand(page, "Carla Cohen");
  await page.getByRole("button", { name: "Filter (1)" }).waitFor();
  await page.getByRole("button", { name: "Add a condition" }).click();
  await condition(page, 2).getByLabel("Value").fill("dekker");
  await page.getByText("Nobody found").waitFor();
  await filter(page).getByText("Any of them").click();
  await stand(page, "Carla Cohen", "Dirk Dekker");
  assert.deepEqual(await findings(page, "a filter"), []);
  await wide(page);
});

test("an order and columns stay on the device, and nothing of anybody", async () => {
  const { page } = sanne;
  const stays = await page.evaluate(() => JSON.stringify({ ...localStorage }));
  for (const one of ["dekker", "Carla", "klant.example", "Klantnummer", "begins_with"]) assert.ok(!stays.includes(one), `${one} in ${stays}`);
  assert.match(stays, /belofte\.contacts/);
  assert.equal(page.url(), `${house.url}/contacts`);
  assert.doesNotMatch(await page.title(), /Carla|Dekker/i);
  // The filter lives as long as the tab does.
  await page.reload();
  await stand(page, "Carla Cohen", "Dirk Dekker");
  assert.equal(await condition(page, 1).getByLabel("Value").inputValue(), "300");
  await page.getByRole("button", { name: "Clear the filter" }).click();
  await stand(page, "Anna Aalders", "Carla Cohen", "Bas Bakker", "Dirk Dekker");
});

test("what the server does not take is said at its condition", async () => {
  const { page } = sanne;
  await page.getByRole("button", { name: "Add a condition" }).click();
  await condition(page, 1).getByLabel("What it is about").selectOption({ label: "Krediet" });
  await condition(page, 1).getByLabel("Value").fill("veel");
  await condition(page, 1).getByText("This is not valid.").waitFor();
  await page.getByText("A condition does not hold good").waitFor();
  assert.deepEqual(await findings(page, "a condition that does not hold"), []);
  await wide(page);
  await condition(page, 1).getByLabel("Value").fill("3000");
  await stand(page, "Anna Aalders", "Carla Cohen");
  await page.getByRole("button", { name: "Take condition 1 away" }).click();
  await page.getByRole("button", { name: "Order: Klantnummer" }).click();
  await page.getByRole("menuitemradio", { name: "Newest first" }).click();
  await stand(page, ...[...PEOPLE].reverse());
});

test("somebody is opened, renamed, and stands in the list under the new name", async () => {
  const { page } = sanne;
  await who(page, "Bas Bakker").click();
  await about(page, "Bas Bakker").waitFor();
  assert.match(page.url(), /\/contacts\/[0-9a-f-]{36}$/);
  await page.getByText("1001").last().waitFor();
  assert.deepEqual(await findings(page, "a contact"), []);
  await wide(page);
  await page.getByRole("button", { name: "Change name" }).click();
  await page.getByLabel("Customer’s name").fill("Bas Bakker-Smit");
  await page.keyboard.press("Enter");
  await about(page, "Bas Bakker-Smit").waitFor();
  await who(page, "Bas Bakker-Smit").waitFor();
  // What a colleague changes comes without a reload.
  const id = new URL(page.url()).pathname.split("/").at(-1);
  await asked(joris.page, "PATCH", `/contacts/${id}`, { name: "Bas Smit" });
  await about(page, "Bas Smit").waitFor();
  await who(page, "Bas Smit").waitFor();
  // All their conversations lead back to them.
  await page.getByRole("complementary", { name: "Contact" }).getByRole("link", { name: /Vraag van Bas Bakker/ }).click();
  await page.getByRole("heading", { name: "Vraag van Bas Bakker" }).first().waitFor();
  await page.getByRole("complementary", { name: "About this customer" }).getByRole("link", { name: "Bas Smit", exact: true }).click();
  await about(page, "Bas Smit").waitFor();
  // A filtered list is not asked for again by itself: it says that there is something.
  await search(page).fill("smit");
  await stand(page, "Bas Smit");
  await asked(joris.page, "PATCH", `/contacts/${id}`, { name: "Bas de Smit" });
  await page.getByText("Changed meanwhile.").waitFor();
  await page.getByRole("button", { name: "Refresh" }).click();
  await stand(page, "Bas de Smit");
  await until("it says so no more", async () => (await page.getByText("Changed meanwhile.").count()) === 0);
  await search(page).fill("");
});

test("nobody is there under an address that leads nowhere", async () => {
  const { page } = sanne;
  await page.goto(`${house.url}/contacts/01890000-0000-7000-8000-000000000000`);
  await page.getByRole("heading", { name: "This contact is not there" }).waitFor();
  assert.deepEqual(await findings(page, "no such contact"), []);
  await wide(page);
  await page.getByRole("button", { name: "To the contacts" }).click();
  await who(page, "Dirk Dekker").waitFor();
});

test("by keyboard alone: sorted, opened, walked through and left again", async () => {
  const { page } = sanne;
  await page.goto(`${house.url}/contacts`);
  await who(page, "Dirk Dekker").waitFor();
  await press(page, column(page, "Name").getByRole("button"));
  await stand(page, "Anna Aalders", "Bas de Smit", "Carla Cohen", "Dirk Dekker");
  await press(page, who(page, "Carla Cohen"));
  await focused(about(page, "Carla Cohen"));
  await page.keyboard.press("j");
  await about(page, "Dirk Dekker").waitFor();
  await page.keyboard.press("k");
  await page.keyboard.press("k");
  await about(page, "Bas de Smit").waitFor();
  await page.keyboard.press("Escape");
  await focused(who(page, "Bas de Smit"));
  assert.equal(new URL(page.url()).pathname, "/contacts");
  // The filter opens in its first input, and Escape leads back to where it came from.
  const button = page.getByRole("button", { name: "Filter", exact: true });
  await tabTo(page, search(page), 80);
  await press(page, button);
  await focused(condition(page, 1).getByLabel("What it is about"));
  await tabTo(page, condition(page, 1).getByLabel("Value"));
  await page.keyboard.type("carla");
  await stand(page, "Carla Cohen");
  await page.keyboard.press("Escape");
  await focused(page.getByRole("button", { name: "Filter (1)" }));
  await page.keyboard.press("Enter");
  await tabTo(page, page.getByRole("button", { name: "Clear the filter" }));
  await page.keyboard.press("Enter");
  await stand(page, "Anna Aalders", "Bas de Smit", "Carla Cohen", "Dirk Dekker");
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox").waitFor();
  await page.keyboard.type("contacts");
  await page.getByRole("option", { name: "Contacts", exact: true }).waitFor();
  await page.keyboard.press("Escape");
});

test("an admin takes out those of the list by keyboard alone, and an agent takes out nobody", async () => {
  const { page } = sanne;
  await page.goto(`${house.url}/contacts`);
  await search(page).fill("carla");
  await stand(page, "Carla Cohen");
  const opener = page.getByRole("button", { name: "Export…" });
  await tabTo(page, opener);
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog", { name: "Export contacts" });
  await dialog.getByText("1 contact, as the list shows them.").waitFor();
  await focused(dialog.getByRole("radio", { name: "Table (CSV)" }));
  assert.deepEqual(await findings(page, "an export"), []);
  await wide(page);
  const [file] = await Promise.all([page.waitForEvent("download"), tabTo(page, dialog.getByRole("button", { name: "Export", exact: true })).then(() => page.keyboard.press("Enter"))]);
  assert.equal(file.suggestedFilename(), "contacts.csv");
  const [head, row, end] = (await readFile(await file.path(), "utf8")).split("\r\n");
  assert.match(head, /^\ufeffName,E-mail addresses,.*,Klantnummer,Krediet$/);
  assert.match(row, /^Carla Cohen,carla@klant\.example,.*,3003,3003$/);
  assert.equal(end, "");
  await dialog.waitFor({ state: "detached" });
  await focused(opener);
  // A server that does not answer is said, and what was chosen stays.
  await page.route("**/api/v1/contacts/export", (route) => route.abort());
  await opener.click();
  await dialog.getByRole("radio", { name: "Cards (vCard)" }).check();
  await dialog.getByRole("button", { name: "Export", exact: true }).click();
  await dialog.getByRole("alert").waitFor();
  assert.ok(await dialog.getByRole("radio", { name: "Cards (vCard)" }).isChecked());
  await page.unroute("**/api/v1/contacts/export");
  const [cards] = await Promise.all([page.waitForEvent("download"), dialog.getByRole("button", { name: "Export", exact: true }).click()]);
  assert.equal(cards.suggestedFilename(), "contacts.vcf");
  assert.match(await readFile(await cards.path(), "utf8"), /\r\nFN:Carla Cohen\r\nEMAIL:carla@klant\.example\r\n/);
  await page.getByRole("button", { name: "Clear the search field" }).first().click();
  const other = joris.page;
  await other.goto(`${house.url}/contacts`);
  await other.getByText("4 contacts").waitFor();
  assert.equal(await other.getByRole("button", { name: "Export…" }).count(), 0);
});

test("an agent has no column and no condition of a field that they do not read", async () => {
  const { page } = joris;
  await page.goto(`${house.url}/contacts`);
  await who(page, "Dirk Dekker").waitFor();
  await page.getByRole("button", { name: "Columns" }).click();
  await page.getByRole("menuitemcheckbox", { name: "Klantnummer" }).waitFor();
  assert.equal(await page.getByRole("menuitemcheckbox", { name: "Krediet" }).count(), 0);
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Filter", exact: true }).click();
  const names = await condition(page, 1).getByLabel("What it is about").locator("option").allTextContents();
  assert.deepEqual(names, ["Name", "Address", "Known since", "Klantnummer"]);
  await page.getByRole("button", { name: "Clear the filter" }).click();
  await who(page, "Carla Cohen").click();
  await about(page, "Carla Cohen").waitFor();
  await page.getByText("3003").last().waitFor();
  assert.equal(await page.getByText("Krediet").count(), 0);
  await page.getByRole("button", { name: "Order: Newest first" }).click();
  await page.getByRole("menuitemradio", { name: "Klantnummer" }).waitFor();
  assert.equal(await page.getByRole("menuitemradio", { name: "Krediet" }).count(), 0);
});

test("somebody is added who has not written: what was typed costs no Escape, and what is wrong is said at its input", async () => {
  const { page } = sanne;
  const [queue] = (await ask("GET", "/queues")).items;
  await ask("POST", "/fields", { record: "contact", settings: settings("Regio", "text", { required: true }) });
  await ask("POST", "/fields", { record: "contact", settings: settings("Kenteken", "text", { required: true, queue_ids: [queue.id] }) });
  await page.goto(`${house.url}/contacts`);
  await stand(page, "Anna Aalders", "Bas de Smit", "Carla Cohen", "Dirk Dekker");
  await tabTo(page, search(page), 80);
  await press(page, adder(page));
  const name = adding(page).getByRole("textbox", { name: "Name", exact: true });
  await focused(name);
  await page.keyboard.type("Hilde Hofman");
  await page.keyboard.press("Escape");
  await adding(page).waitFor({ state: "detached" });
  await focused(adder(page));
  await page.keyboard.press("Enter");
  await adding(page).getByText("You filled this in earlier").waitFor();
  assert.equal(await name.inputValue(), "Hilde Hofman");
  await addressAt(page, 1).fill("hilde@klant.example");
  await press(page, adding(page).getByRole("button", { name: "Another address" }));
  await focused(addressAt(page, 2));
  await page.keyboard.type("Hilde@klant.example");
  await page.keyboard.press("Enter");
  // What every form asks for is asked; what the forms of a queue ask for is not.
  const region = adding(page).getByRole("textbox", { name: /^Regio/ });
  await focused(region);
  assert.equal(await adding(page).getByText("Fill this in.").count(), 1);
  assert.deepEqual(await findings(page, "somebody new", SIZES, "dialog"), []);
  await wide(page);
  await region.fill("Noord");
  await page.keyboard.press("Enter");
  await adding(page).getByText("This address is there twice.").waitFor();
  await focused(addressAt(page, 2));
  await addressAt(page, 2).fill("hilde@");
  await page.keyboard.press("Enter");
  await adding(page).getByText("This is not an e-mail address.").waitFor();
  await addressAt(page, 2).fill("carla@klant.example");
  await page.keyboard.press("Enter");
  await adding(page).getByText("Somebody has one of these addresses already.").waitFor();
  assert.deepEqual(await findings(page, "an address that somebody has", SIZES, "dialog"), []);
  await wide(page);
  await adding(page).getByRole("button", { name: "Look up carla@klant.example" }).click();
  await stand(page, "Carla Cohen");
  assert.equal(page.url(), `${house.url}/contacts`);
  await search(page).fill("");
  await adder(page).click();
  await adding(page).getByRole("button", { name: "Take e-mail address 2 away" }).click();
  await focused(addressAt(page, 1));
  await adding(page).getByRole("textbox", { name: "Klantnummer" }).fill("5005");
  await page.keyboard.press("Enter");
  await focused(about(page, "Hilde Hofman"));
  await page.getByText("Hilde Hofman has been added").waitFor();
  await stand(page, "Anna Aalders", "Bas de Smit", "Carla Cohen", "Dirk Dekker", "Hilde Hofman");
  for (const one of ["5005", "Noord", "hilde@klant.example"]) await page.getByRole("complementary", { name: "Contact" }).getByText(one).waitFor();
  const stays = await page.evaluate(() => JSON.stringify([{ ...localStorage }, Object.keys(sessionStorage)]));
  for (const one of ["Hilde", "klant.example", "new-contact"]) assert.ok(!stays.includes(one), `${one} in ${stays}`);
});

test("a lost answer makes nobody twice, and the palette begins somebody new as well", async () => {
  const { page } = sanne;
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox").waitFor();
  await page.keyboard.type("new contact");
  await page.getByRole("option", { name: "New contact", exact: true }).waitFor();
  await page.keyboard.press("Enter");
  await adding(page).waitFor();
  await adding(page).getByRole("textbox", { name: "Name", exact: true }).fill("Ilse Imming");
  await adding(page).getByRole("textbox", { name: /^Regio/ }).fill("Zuid");
  // The server has taken it, and its answer never comes.
  await page.route(
    "**/api/v1/contacts",
    async (route) => {
      await route.fetch();
      await route.abort();
    },
    { times: 1 },
  );
  await page.keyboard.press("Enter");
  await adding(page).getByRole("alert").waitFor();
  await adding(page).getByRole("button", { name: "Add", exact: true }).click();
  await about(page, "Ilse Imming").waitFor();
  const { items } = await ask("POST", "/contacts/search", { q: "Ilse" });
  assert.equal(items.length, 1);
});

test("a mail is begun to somebody, and one that was begun gets them besides", async () => {
  const { page } = sanne;
  const write = async (name) => {
    await page.goto(`${house.url}/contacts`);
    await who(page, name).click();
    await page.getByRole("button", { name: /^Write a message to / }).click();
    await page.waitForURL(/\/inbox\/mine\/new$/);
    await focused(page.getByLabel("Subject"));
    await page.getByRole("button", { name: `Remove ${name}` }).waitFor();
  };
  await write("Hilde Hofman");
  await page.keyboard.type("Your visit");
  await page.getByRole("textbox", { name: "Text of the message" }).fill("Does Tuesday suit you?");
  await page.getByText("Draft saved").waitFor();
  // From another window: the server alone knows of the draft.
  await page.evaluate(() => sessionStorage.clear());
  await write("Dirk Dekker");
  await page.getByText("Dirk Dekker has been added to the message that you were writing").waitFor();
  await page.getByRole("button", { name: "Remove Hilde Hofman" }).waitFor();
  assert.equal(await page.getByLabel("Subject").inputValue(), "Your visit");
  assert.equal(await page.getByRole("textbox", { name: "Text of the message" }).inputValue(), "Does Tuesday suit you?");
  await page.getByText("Draft saved").waitFor();
  assert.equal(new URL(page.url()).search, "");
  const stays = await page.evaluate(() => JSON.stringify([{ ...localStorage }, history.state, document.title]));
  for (const one of ["Dirk", "klant.example"]) assert.ok(!stays.includes(one), `${one} in ${stays}`);
  // Read anew it is as it was, and nobody is added twice.
  await page.reload();
  await page.getByRole("button", { name: "Remove Dirk Dekker" }).waitFor();
  assert.equal(await page.getByRole("list", { name: "To: people" }).getByRole("listitem").count(), 2);
});

test("the name stays in sight beside columns that do not fit, and the whole row leads to somebody", async () => {
  const { page } = sanne;
  await page.goto(`${house.url}/contacts`);
  await who(page, "Carla Cohen").waitFor();
  await page.setViewportSize({ width: 700, height: 800 });
  const row = who(page, "Carla Cohen");
  const before = await row.boundingBox();
  const moved = await row.evaluate((one) => {
    const scroller = one.closest("table").parentElement;
    scroller.scrollLeft = 10_000;
    return { by: scroller.scrollLeft, wide: scroller.scrollWidth === one.closest("table").offsetWidth };
  });
  assert.ok(moved.by > 0, "it scrolls sideways");
  assert.ok(moved.wide, "and no further than the table is wide");
  const after = await row.boundingBox();
  assert.equal(Math.round(after.x), Math.round(before.x));
  await page.mouse.click(680, after.y + after.height / 2);
  await about(page, "Carla Cohen").waitFor();
  await wide(page);
});
