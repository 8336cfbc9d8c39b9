// SPDX-License-Identifier: EUPL-1.2
// The tenant's own fields in the desk: an admin sets them up, an agent fills them in, a kind is changed and changed
// back, and what the law protects is signed for.

import assert from "node:assert/strict";
import { after, before } from "node:test";
import { findings, SIZES } from "./support/access.mjs";
import { ask as asked, watched } from "./support/api.mjs";
import { accept, launch, window } from "./support/browser.mjs";
import { startHouse, until } from "./support/house.mjs";
import { press, tabTo } from "./support/keys.mjs";
import { mail, send, startSubmission } from "./support/mail.mjs";

const BOX = "hulp@winkel.example";
/** On a phone the panel is another one: what is being filled in there begins anew. */
const WIDE = SIZES.slice(0, 1);
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
  await send(house.smtp, BOX, mail("Anna Aalders", "anna@klant.example", "Bestelling 1", "Goedemiddag."));
});

after(async () => {
  await browser?.close();
  await post?.close();
  await house?.close();
});

const test = watched(() => [sanne, joris]);
const ask = (method, path, body) => asked(sanne.page, method, path, body);
const row = (page, text) => page.getByRole("listitem").filter({ hasText: text }).locator("[data-row]").first();
const notice = (page, text) => page.getByRole("region", { name: "Notices" }).getByText(text);
const wide = (page) => page.setViewportSize({ width: 1280, height: 800 });
const box = (page, name) => page.getByRole("textbox", { name, exact: true });
const of = (page, title) => page.getByRole("region", { name: title });
const focused = (wanted) => until(`the focus is on ${wanted}`, () => wanted.evaluate((one) => one === document.activeElement));

/** Sets up a field whose name is in Dutch alone, from the list of all fields. */
async function make(page, name, { on, kind, more = async () => {} }) {
  await page.goto(`${house.url}/settings/fields/new`);
  await box(page, "Name in Dutch").fill(name);
  if (on) await page.getByLabel("Of what").selectOption({ label: on });
  if (kind) await page.getByLabel("Kind", { exact: true }).selectOption({ label: kind });
  await more();
  await box(page, "Purpose").fill("Terugvinden van bestellingen");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await notice(page, `Field ${name} saved`).waitFor();
  await page.getByRole("link", { name, exact: true }).waitFor();
}

test("without fields nothing is missing, and the page says what they are for", async () => {
  const { page } = sanne;
  await page.goto(`${house.url}/settings/fields`);
  await page.getByText("No fields of your own yet").waitFor();
  assert.deepEqual(await findings(page, "no fields"), []);
  await wide(page);
  await page.goto(`${house.url}/inbox/open`);
  await row(page, "Bestelling 1").click();
  await page.getByRole("heading", { name: "Bestelling 1" }).first().waitFor();
  assert.equal(await page.getByText("About the customer").count(), 0);
});

test("fields are set up, and what does not hold is said at its place", async () => {
  const { page } = sanne;
  await page.goto(`${house.url}/settings/fields`);
  await page.getByRole("link", { name: "New field" }).click();
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText("Fill this in.").first().waitFor();
  assert.deepEqual(await findings(page, "a new field"), []);
  await wide(page);
  await make(page, "Klantnummer", { more: () => box(page, "Pattern").fill("[0-9]{4,6}") });
  // The comma of a pattern is none of a number.
  const { settings } = (await ask("GET", "/fields")).items.find((one) => one.settings.label.nl === "Klantnummer");
  assert.equal(settings.rules.pattern, "[0-9]{4,6}");
  await make(page, "Krediet", { kind: "Amount" });
  await make(page, "Onderdeel", {
    on: "Of conversations",
    kind: "Choice from a tree",
    more: async () => {
      for (const [no, name] of [[1, "Fiets"], [2, "Band"]]) {
        await page.getByRole("button", { name: "Add an option" }).click();
        await box(page, `Option ${no} in Dutch`).fill(name);
      }
      await page.getByLabel("What Band lies within").selectOption({ label: "Fiets" });
    },
  });
  assert.deepEqual(await findings(page, "fields"), []);
  await wide(page);
  // The same name again is somebody else's.
  await page.goto(`${house.url}/settings/fields/new`);
  await box(page, "Name in Dutch").fill("klantnummer");
  await box(page, "Purpose").fill("Nog eens");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText("This is in use already.").waitFor();
});

test("the order is changed by keyboard, as often as the arrow is pressed", async () => {
  const { page } = sanne;
  await make(page, "Geboortedag", { kind: "Date" });
  await tabTo(page, page.getByRole("button", { name: "Geboortedag up" }));
  await page.keyboard.press("Enter");
  await page.keyboard.press("Enter");
  await until("it is the first", async () => (await ask("GET", "/fields")).items[0].settings.label.nl === "Geboortedag");
});

test("an agent fills them in by keyboard, is told what is wrong, and a colleague sees it come", async () => {
  const { page } = joris;
  await page.goto(`${house.url}/inbox/open`);
  await wide(page);
  await row(page, "Bestelling 1").click();
  await of(page, "About the customer").waitFor();
  assert.deepEqual(await findings(page, "fields to fill in"), []);
  await wide(page);
  await press(page, page.getByRole("button", { name: "Fill in about the customer" }), { most: 120 });
  await box(page, "Klantnummer").fill("12");
  await box(page, "Krediet").fill("1.234,50");
  await page.getByLabel("Geboortedag").fill("1980-02-29");
  await page.keyboard.press("Enter");
  await page.getByText("This is not valid.").waitFor();
  assert.deepEqual(await findings(page, "a wrong value", WIDE), []);
  await wide(page);
  await box(page, "Klantnummer").fill("1234");
  await page.keyboard.press("Enter");
  await notice(page, "Saved").waitFor();
  await of(page, "About the customer").getByText("1234", { exact: true }).waitFor();
  await of(page, "About the customer").getByText(/1,234\.50/).waitFor();
  await page.getByRole("button", { name: "Fill in about the conversation" }).click();
  await page.getByLabel("Onderdeel").selectOption({ label: "\u2003Band" });
  await of(page, "About the conversation").getByRole("button", { name: "Save", exact: true }).click();
  await of(page, "About the conversation").getByText("Band").waitFor();
  // Sanne looks at the same person: what is changed now comes without a reload.
  await sanne.page.goto(page.url());
  await wide(sanne.page);
  await of(sanne.page, "About the customer").getByText("1234", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Fill in about the customer" }).click();
  await box(page, "Klantnummer").fill("4321");
  await page.keyboard.press("Enter");
  await of(sanne.page, "About the customer").getByText("4321", { exact: true }).waitFor();
});

test("who was second does not write over what a colleague filled in", async () => {
  const [first, second] = [sanne.page, joris.page];
  for (const page of [first, second]) {
    await page.getByRole("button", { name: "Fill in about the customer" }).click();
    await box(page, "Klantnummer").waitFor();
  }
  await box(first, "Klantnummer").fill("5555");
  await first.keyboard.press("Enter");
  await of(first, "About the customer").getByText("5555", { exact: true }).waitFor();
  await box(second, "Klantnummer").fill("6666");
  await second.keyboard.press("Enter");
  await of(second, "About the customer").getByRole("alert").waitFor();
  await of(second, "About the customer").getByText("Now: 5555").waitFor();
  assert.equal(await box(second, "Klantnummer").inputValue(), "6666");
  assert.deepEqual(await findings(second, "what a colleague filled in meanwhile", WIDE), []);
  await wide(second);
  // They have read it, and write over it knowingly.
  await box(second, "Klantnummer").press("Enter");
  for (const page of [first, second]) await of(page, "About the customer").getByText("6666", { exact: true }).waitFor();
});

test("another kind says first what it does, loses nothing, and is taken back", async () => {
  const { page } = sanne;
  await page.goto(`${house.url}/settings/fields`);
  await page.getByRole("link", { name: "Klantnummer", exact: true }).click();
  const kind = page.getByLabel("Kind", { exact: true });
  await kind.selectOption({ label: "Date" });
  await page.getByText("0 values fit the new kind, 1 does not.").waitFor();
  await page.getByRole("listitem").filter({ hasText: "6666" }).waitFor();
  assert.deepEqual(await findings(page, "another kind"), []);
  await wide(page);
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await notice(page, "Field Klantnummer saved").waitFor();
  await joris.page.getByText("Was before: 6666").waitFor();
  await kind.selectOption({ label: "Text" });
  await page.getByText("1 value fits the new kind, 0 do not.").waitFor();
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await of(joris.page, "About the customer").getByText("6666", { exact: true }).waitFor();
  assert.equal(await joris.page.getByText("Was before").count(), 0);
});

test("what the law protects is refused until an admin signs", async () => {
  const { page } = sanne;
  await page.goto(`${house.url}/settings/fields/new`);
  await box(page, "Name in Dutch").fill("BSN");
  await box(page, "Purpose").fill("Jaaropgave");
  await page.getByLabel("Sensitivity").selectOption({ label: "National identification number, such as the BSN" });
  await page.getByText("These data are refused unless somebody signs for them.").waitFor();
  await page.getByRole("button", { name: "Sign and save" }).click();
  await page.getByText("Fill this in.").first().waitFor();
  await page.getByLabel("Legal basis").fill("Artikel 46 UAVG");
  await page.getByLabel("What these data are needed for").fill("De jaaropgave");
  assert.deepEqual(await findings(page, "a signature"), []);
  await wide(page);
  await page.getByRole("button", { name: "Sign and save" }).click();
  await page.getByText(/Signed until/).waitFor();
  await page.goto(`${house.url}/privacy`);
  await page.getByText("Field BSN created").waitFor();
});

test("an archived field is gone from every form, comes back with an undo, and is removed for good", async () => {
  const { page } = sanne;
  await page.goto(`${house.url}/settings/fields`);
  await page.getByRole("link", { name: "Krediet", exact: true }).click();
  await page.getByRole("button", { name: "Archive", exact: true }).click();
  await notice(page, "Field Krediet archived").waitFor();
  await until("it is gone", async () => (await joris.page.getByText("Krediet").count()) === 0);
  await page.getByRole("button", { name: "Undo" }).last().click();
  await of(joris.page, "About the customer").getByText(/1,234\.50/).waitFor();
  await page.getByRole("button", { name: "Archive", exact: true }).click();
  await page.getByRole("button", { name: "Remove for good" }).waitFor();
  assert.deepEqual(await findings(page, "an archived field"), []);
  await wide(page);
  await page.getByRole("button", { name: "Remove for good" }).click();
  await page.getByRole("button", { name: "Yes, with everything in it" }).click();
  await notice(page, "Field Krediet removed").waitFor();
  await until("it is gone", async () => (await ask("GET", "/fields")).items.every((one) => one.settings.label.nl !== "Krediet"));
});

test("what is required is not left out, and the keyboard goes on from the pencil", async () => {
  await make(sanne.page, "Klantgroep", {
    more: () => sanne.page.getByRole("switch", { name: "Has to be filled in" }).check(),
  });
  const { page } = joris;
  await page.goto(page.url());
  await wide(page);
  const person = of(page, "About the customer");
  const pencil = page.getByRole("button", { name: "Fill in about the customer" });
  const group = page.getByRole("textbox", { name: /^Klantgroep/ });
  await press(page, pencil, { most: 120 });
  await group.waitFor();
  await focused(person.locator("form input").first());
  await page.keyboard.press("Escape");
  await focused(pencil);
  await page.keyboard.press("Enter");
  await box(page, "Klantnummer").fill("7777");
  await page.keyboard.press("Enter");
  await person.getByText("Fill this in.").waitFor();
  await focused(group);
  assert.deepEqual(await findings(page, "a required field", WIDE), []);
  await wide(page);
  await group.fill("Vaste klanten");
  await group.press("Enter");
  await person.getByText("Vaste klanten", { exact: true }).waitFor();
  await person.getByText("7777", { exact: true }).waitFor();
  await focused(pencil);
});

test("a number that can be read in two ways is not guessed at", async () => {
  await make(sanne.page, "Inhoud", { kind: "Number with decimals" });
  const { page } = joris;
  await page.goto(page.url());
  await wide(page);
  const person = of(page, "About the customer");
  await page.getByRole("button", { name: "Fill in about the customer" }).click();
  await box(page, "Inhoud").fill("1.250");
  await page.keyboard.press("Enter");
  await person.getByText("Write 1250 or 1.25: this can be read in two ways.").waitFor();
  await focused(box(page, "Inhoud"));
  assert.deepEqual(await findings(page, "a number in two ways", WIDE), []);
  await wide(page);
  await box(page, "Inhoud").fill("1250");
  await box(page, "Inhoud").press("Enter");
  await person.getByText("1,250", { exact: true }).waitFor();
});
