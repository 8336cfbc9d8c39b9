// SPDX-License-Identifier: EUPL-1.2
// What mails bring, in the desk: images from elsewhere that are asked for, an invitation, a cover, the
// source for admins, a file to keep, a conversation on paper, and keys that are pressed inside a mail.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before } from "node:test";
import { findings, SIZES } from "./support/access.mjs";
import { ask as askAs, watched } from "./support/api.mjs";
import { accept, launch, window } from "./support/browser.mjs";
import { startHouse, until } from "./support/house.mjs";
import { mail, send } from "./support/mail.mjs";

const BOX = "hulp@winkel.example";
const PICTURE = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAYAAAAf8/9hAAAAFklEQVR42mNk+M9Qz0AEYBxVSF+FABJADveWkH6oAAAAAElFTkSuQmCC", "base64");
const DOT = Buffer.from("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7", "base64");
let house;
let pictures;
let browser;
let sanne;
let joris;
const asked = [];

before(async () => {
  browser = await launch();
  pictures = createServer((request, answer) => {
    asked.push(request.url);
    answer.end(request.url.startsWith("/dot") ? DOT : PICTURE);
  }).listen(0, "127.0.0.1");
  await once(pictures, "listening");
  house = await startHouse({ more: `images_from = ["localhost:${pictures.address().port}"]\n` });
  sanne = await window(browser);
  await accept(sanne.page, house.invitation, "Sanne de Vries", "sanne@winkel.example");
  await ask("POST", "/channel-accounts", { address: BOX, from_name: "Winkel", kind: "email" });
  const { link } = await ask("POST", "/invitations", { role: "agent" });
  joris = await window(browser);
  await accept(joris.page, link.replace(/^https:\/\/[^/]+/, house.url), "Joris Bakker", "joris@winkel.example");
});

after(async () => {
  await browser?.close();
  pictures?.close();
  await house?.close();
});

const test = watched(() => [sanne, joris]);

/** Asks the API as Sanne, past her desk. */
const ask = (method, path, body) => askAs(sanne.page, method, path, body);

const newsletter = (subject) => {
  const at = `http://localhost:${pictures.address().port}`;
  return mail("Nieuws", "nieuws@klant.example", subject, `<p>Ons nieuws</p><img src="${at}/kop.png" alt="Een dak"><img src="${at}/dot.gif">`).replace("text/plain", "text/html");
};
const row = (page, text) => page.getByRole("listitem").filter({ hasText: text }).locator("[data-row]").first();

async function open(page, subject) {
  await page.goto(`${house.url}/inbox/open`);
  await row(page, subject).click();
  await page.getByRole("heading", { name: subject }).waitFor();
}

/** The remote images that stand in the frame of a mail now. */
const shown = (page) =>
  page.frameLocator("iframe").first().locator("img").evaluateAll((all) => all.map((one) => [one.src.slice(0, 22), one.naturalWidth]));

test("images from elsewhere wait for somebody who wants them, and a choice makes them come by themselves", async () => {
  await send(house.smtp, BOX, newsletter("Nieuwsbrief november"));
  const { page } = joris;
  await open(page, "Nieuwsbrief november");
  await page.getByText(/2 remote images were not fetched|2 images from elsewhere/i).waitFor();
  assert.deepEqual(await shown(page), []);
  assert.deepEqual(asked, [], "opening a mail asks nobody");
  assert.deepEqual(await findings(page, page.url(), SIZES.slice(0, 1)), []);
  await page.getByRole("button", { name: "Show images" }).click();
  await page.getByText("The images were fetched by our server").waitFor();
  await page.getByText("1 invisible dot").waitFor();
  const pictured = await until("the picture", async () => {
    const all = await shown(page);
    return all.length === 1 && all[0][1] === 16 ? all : null;
  });
  assert.equal(pictured[0][0], "data:image/png;base64,");
  assert.deepEqual(asked.toSorted(), ["/dot.gif", "/kop.png"]);

  // An agent chooses for themselves; for everybody others do.
  await page.getByRole("button", { name: "Always" }).click();
  await page.getByRole("menuitem", { name: "Always from this sender, for me" }).waitFor();
  assert.equal(await page.getByRole("menuitem", { name: /for everybody/ }).count(), 0);
  await page.getByRole("menuitem", { name: "Always from this sender, for me" }).click();
  await page.getByText("Images of this sender are shown from now on").waitFor();
  await send(house.smtp, BOX, newsletter("Nieuwsbrief december"));
  await open(page, "Nieuwsbrief december");
  await until("the picture by itself", async () => (await shown(page)).length === 1);

  // Who did not choose is asked.
  await open(sanne.page, "Nieuwsbrief december");
  await sanne.page.getByRole("button", { name: "Show images" }).waitFor();
  assert.deepEqual(await shown(sanne.page), []);
});

test("an invitation is a card, a cover is told, and a signature is folded", async () => {
  const calendar =
    "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Overleg dakgoot\r\nLOCATION:Kade 3\r\n" +
    "DTSTART:20261201T090000Z\r\nDTEND:20261201T103000Z\r\nORGANIZER;CN=Jan:mailto:jan@klant.example\r\nEND:VEVENT\r\nEND:VCALENDAR";
  const text = `--b\r\n\r\nKomt u?\r\n-- \r\nJansen BV\r\n--b\r\nContent-Type: text/calendar; method=REQUEST\r\n\r\n${calendar}\r\n--b--`;
  await send(house.smtp, BOX, mail("Jan", "jan@klant.example", "Uitnodiging", text, "MIME-Version: 1.0\r\n").replace("text/plain; charset=utf-8", "multipart/mixed; boundary=b"));
  await send(house.smtp, BOX, mail("Els", "els@klant.example", "Geheim", "-----BEGIN PGP MESSAGE-----\r\n\r\nabc\r\n-----END PGP MESSAGE-----"));
  const { page } = sanne;
  await open(page, "Uitnodiging");
  const card = page.getByRole("region", { name: "Appointment" });
  await card.getByText("Overleg dakgoot").waitFor();
  await card.getByText(/1 December 2026/).waitFor();
  await card.getByText("Jan · jan@klant.example").waitFor();
  const article = page.getByRole("article", { name: "Message from Jan" });
  assert.equal(await article.getByText("Jansen BV").count(), 0);
  await article.getByRole("button", { name: "Show signature" }).click();
  await article.getByText("Jansen BV").waitFor();
  assert.deepEqual(await findings(page, page.url(), SIZES.slice(0, 1)), []);
  await open(page, "Geheim");
  await page.getByText("Encrypted with PGP: it cannot be read here.").waitFor();
});

test("a conversation goes on paper without notes, a mail is kept, and its source is an admin's", async () => {
  const { page } = sanne;
  await open(page, "Uitnodiging");
  const id = new URL(page.url()).pathname.split("/").at(-1);
  await ask("POST", `/conversations/${id}/messages`, { kind: "note", text: "Niet voor de klant.", attachment_ids: [] });
  await page.getByText("Niet voor de klant.").waitFor();
  const [paper] = await Promise.all([page.context().waitForEvent("page"), page.keyboard.press("p")]);
  await paper.getByRole("heading", { name: /Uitnodiging/ }).waitFor();
  await paper.getByText("Komt u?").waitFor();
  assert.equal(await paper.getByText("Niet voor de klant.").count(), 0);
  assert.deepEqual(await findings(paper, "paper"), []);
  await paper.getByLabel("With internal notes").check();
  await paper.getByText("Niet voor de klant.").waitFor();
  await paper.emulateMedia({ media: "print" });
  assert.equal(await paper.getByRole("button", { name: "Print" }).isVisible(), false, "paper has no buttons");
  await paper.close();

  const menu = async (where) => {
    await where.getByRole("button", { name: /^More about the message from Jan/ }).click();
    await where.getByRole("menuitem", { name: "Save as e-mail (.eml)" }).waitFor();
  };
  await menu(page);
  const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("menuitem", { name: "Save as e-mail (.eml)" }).click()]);
  assert.equal(file.suggestedFilename(), "Uitnodiging.eml");
  await menu(page);
  await page.getByRole("menuitem", { name: "Show source" }).click();
  await page.getByRole("dialog").getByText("Subject: Uitnodiging").waitFor();
  assert.deepEqual(await findings(page, page.url(), SIZES.slice(0, 1)), []);
  await page.keyboard.press("Escape");
  await open(joris.page, "Uitnodiging");
  await menu(joris.page);
  assert.equal(await joris.page.getByRole("menuitem", { name: "Show source" }).count(), 0);
});

const priced = (subject, text) =>
  mail("Karin Kok", "karin@klant.example", subject, `<p>${text}</p><p><a href="https://klant.example/lijst">de lijst</a></p>`).replace("text/plain", "text/html");

/** Clicks on words of a mail, so that the focus lies in its frame. */
async function into(page, words) {
  await page.frameLocator("iframe").first().getByText(words).click();
  await until("the focus in the mail", () =>
    page.evaluate(() => document.activeElement?.localName === "iframe" && document.activeElement.contentDocument.readyState === "complete"),
  );
}

test("the keys of the desk work with the focus in a mail, and those of the mail are left to it", async () => {
  const { page } = sanne;
  await send(house.smtp, BOX, priced("Prijslijst een", "Wat kost een?"), priced("Prijslijst twee", "Wat kost twee?"));
  const at = (subject) => page.getByRole("heading", { name: subject }).waitFor();
  const [een, twee] = [() => into(page, "Wat kost een?"), () => into(page, "Wat kost twee?")];
  await open(page, "Prijslijst twee");
  await row(page, "Prijslijst een").waitFor();
  await twee();
  await page.keyboard.press("j");
  await at("Prijslijst een");
  // What had the focus went with its mail: the next key is heard all the same.
  await page.keyboard.press("k");
  await at("Prijslijst twee");
  await twee();
  await page.keyboard.press("j");
  await at("Prijslijst een");
  await een();
  await page.keyboard.press("k");
  await at("Prijslijst twee");

  const reply = page.getByRole("textbox", { name: "Text of the reply" });
  const note = page.getByRole("textbox", { name: "Text of the note" });
  const inMail = () => until("the focus back in the mail", () => page.evaluate(() => document.activeElement?.localName === "iframe"));
  await twee();
  await page.keyboard.press("r");
  await page.keyboard.type("Een euro, en");
  await until("the reply", async () => (await reply.inputValue()) === "Een euro, en");
  await reply.fill("");
  await page.keyboard.press("Escape");
  await inMail();
  await page.keyboard.press("n");
  await page.keyboard.type("Duur, en");
  await until("the note", async () => (await note.inputValue()) === "Duur, en");
  await note.fill("");
  await page.keyboard.press("Escape");
  await inMail();
  await page.keyboard.press("Shift+R");
  await until("the cursor in the reply", () => reply.evaluate((one) => one === document.activeElement));
  await page.keyboard.press("Escape");
  for (const key of ["a", "?", "Control+k"]) {
    await twee();
    await page.keyboard.press(key);
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
  }
  await twee();
  await page.keyboard.press("/");
  await page.keyboard.type("prijslijst");
  const search = page.locator("#search-field");
  await until("the words", async () => (await search.inputValue()) === "prijslijst");

  // What means nothing to the desk is done by the mail; and a key that nobody pressed is none.
  await open(page, "Prijslijst twee");
  await twee();
  const heard = await page.evaluateHandle(() => {
    const inside = document.querySelector("iframe").contentDocument;
    const all = [];
    inside.addEventListener("keydown", (event) => all.push([event.key, event.defaultPrevented]));
    inside.addEventListener("copy", () => all.push(["copied", /Wat kost twee/.test(inside.getSelection().toString())]));
    return all;
  });
  for (const key of ["Tab", "ArrowDown", "PageDown", "Control+a", "Control+c"]) {
    await page.keyboard.press(key);
    if (key !== "Tab") continue;
    const focused = () => page.evaluate(() => document.querySelector("iframe").contentDocument.activeElement?.localName);
    await until("the link of the mail", async () => (await focused()) === "a");
  }
  const own = (await heard.jsonValue()).filter(([key]) => key !== "Control");
  assert.deepEqual(own, [["Tab", false], ["ArrowDown", false], ["PageDown", false], ["a", false], ["c", false], ["copied", true]]);
  const forged = await page.evaluate(() => {
    const { body } = document.querySelector("iframe").contentDocument;
    const left = body.dispatchEvent(new KeyboardEvent("keydown", { key: "r", bubbles: true, cancelable: true }));
    return [left, document.activeElement.localName];
  });
  assert.deepEqual(forged, [true, "iframe"]);

  await page.keyboard.press("e");
  await page.getByText("Conversation with Karin Kok resolved").waitFor();
});

test("keys that are switched off do nothing in a mail either", async () => {
  const { page } = sanne;
  await ask("PATCH", "/me", { single_key_shortcuts: false });
  await open(page, "Prijslijst een");
  await into(page, "Wat kost een?");
  for (const key of ["j", "r", "?", "e"]) await page.keyboard.press(key);
  assert.equal(await page.evaluate(() => document.activeElement.localName), "iframe");
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await page.getByRole("heading", { name: "Prijslijst een" }).waitFor();
  await row(page, "Prijslijst een").waitFor();
  assert.equal(await page.getByRole("textbox", { name: "Text of the reply" }).inputValue(), "");
  await ask("PATCH", "/me", { single_key_shortcuts: true });
});
