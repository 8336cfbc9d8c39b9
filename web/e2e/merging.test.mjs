// SPDX-License-Identifier: EUPL-1.2
// Conversations that become one, are taken apart, linked and moved to another mailbox, by two people of
// whom one is in the middle of an answer.

import assert from "node:assert/strict";
import { after, before } from "node:test";
import { findings } from "./support/access.mjs";
import { ask as asked, watched } from "./support/api.mjs";
import { accept, launch, window } from "./support/browser.mjs";
import { startHouse, until } from "./support/house.mjs";
import { mail, send, startSubmission } from "./support/mail.mjs";

const BOX = "hulp@winkel.example";
const SHOP = "balie@winkel.example";
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
  for (const address of [BOX, SHOP]) {
    await ask("POST", "/channel-accounts", {
      address,
      from_name: address === BOX ? "Winkel" : "Balie",
      kind: "email",
      submission: { host: "127.0.0.1", port: post.port, security: "none" },
    });
  }
  joris = await window(browser);
  const { link } = await ask("POST", "/invitations", { role: "agent" });
  await accept(joris.page, link.replace(/^https:\/\/[^/]+/, house.url), "Joris Bakker", "joris@winkel.example");
  await receive("Anna Aalders", "Ketel lekt", "De ketel lekt.");
  await receive("Anna Aalders", "Nogmaals de ketel", "Nu staat de gang blank.");
  await receive("Bas Bakker", "Pomp maakt lawaai", "De pomp bromt.");
});

after(async () => {
  await browser?.close();
  await post?.close();
  await house?.close();
});

const test = watched(() => [sanne, joris]);
const ask = (method, path, body) => asked(sanne.page, method, path, body);

const receive = (who, about, text, more) =>
  send(house.smtp, BOX, mail(who, `${who.split(" ")[0].toLowerCase()}@klant.example`, about, text, more));
const row = (page, text) => page.getByRole("listitem").filter({ hasText: text }).locator("[data-row]").first();
const notice = (page, text) => page.getByRole("region", { name: "Notices" }).getByText(text);
const undo = (page) => page.getByRole("button", { name: "Undo" }).last().click();
const dialogue = (page) => page.getByRole("dialog");
const messages = (page) => page.getByRole("article");

async function open(page, about) {
  await page.goto(`${house.url}/inbox/open`);
  await row(page, about).click();
  await page.getByRole("heading", { name: about }).first().waitFor();
}

const more = async (page, name) => {
  await page.getByRole("button", { name: "More for this conversation" }).click();
  await page.getByRole("menuitem", { name }).click();
};

test("two become one by a key, a colleague is led there with the draft, and one undo takes them apart", async () => {
  const [{ page }, other] = [sanne, joris.page];
  await open(other, "Nogmaals de ketel");
  await other.getByRole("textbox", { name: /reply/i }).fill("Wij komen vandaag.");
  await open(page, "Ketel lekt");
  await page.keyboard.press("g");
  // What is offered first is of the same person.
  await dialogue(page).getByRole("button", { name: /Nogmaals de ketel/ }).waitFor();
  assert.deepEqual(await findings(page, "merge"), []);
  await page.setViewportSize({ width: 1280, height: 800 });
  await dialogue(page).getByRole("button", { name: /Nogmaals de ketel/ }).click();
  await dialogue(page).getByText(/All 2 messages stand in conversation/).waitFor();
  assert.deepEqual(await findings(page, "merge preview"), []);
  await page.setViewportSize({ width: 1280, height: 800 });
  await dialogue(page).getByRole("button", { name: "Merge", exact: true }).click();
  await notice(page, /is part of conversation/).waitFor();
  await until("both messages", async () => (await messages(page).count()) === 2);
  await page.getByText(/merged conversation \d+ into this one/).waitFor();
  await until("the row to go", async () => (await row(page, "Nogmaals de ketel").count()) === 0);

  // The colleague stands in the one that is left, with the words.
  await other.getByRole("heading", { name: "Ketel lekt" }).first().waitFor();
  await until("the draft", async () => (await other.getByRole("textbox", { name: /reply/i }).inputValue()) === "Wij komen vandaag.");
  await until("both messages", async () => (await messages(other).count()) === 2);

  await undo(page);
  await notice(page, "The conversations are apart again").waitFor();
  await row(page, "Nogmaals de ketel").waitFor();
  await until("one message", async () => (await messages(page).count()) === 1);
  await until("one message at the colleague", async () => (await messages(other).count()) === 1);
});

test("who is another contact is said before, a number is enough, and the panel takes it apart", async () => {
  const { page } = sanne;
  const pomp = (await ask("GET", "/conversations?status=all")).items.find((one) => one.subject === "Pomp maakt lawaai");
  await open(page, "Ketel lekt");
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox").fill("merge");
  await page.getByRole("option", { name: /Merge the conversation with Anna Aalders/ }).click();
  await dialogue(page).getByLabel("Which conversation becomes one with this one?").fill(`#${pomp.no}`);
  await dialogue(page).getByRole("button", { name: /Pomp maakt lawaai/ }).waitFor();
  await page.keyboard.press("Enter");
  await dialogue(page).getByText("Different contacts: Anna Aalders and Bas Bakker.", { exact: false }).waitFor();
  assert.deepEqual(await findings(page, "other contacts"), []);
  await page.setViewportSize({ width: 1280, height: 800 });
  await dialogue(page).getByRole("button", { name: "Merge all the same" }).click();
  await until("both messages", async () => (await messages(page).count()) === 2);
  // Later mail for the one lands here; its address leads here.
  await page.goto(`${house.url}/inbox/open/${pomp.id}`);
  await page.getByRole("heading", { name: "Ketel lekt" }).first().waitFor();
  await page.getByRole("button", { name: /^Take apart: conversation \d+$/ }).click();
  await notice(page, "The conversations are apart again").waitFor();
  await row(page, "Pomp maakt lawaai").waitFor();
});

test("a message becomes a conversation of its own and is put back", async () => {
  const { page } = sanne;
  await receive("Anna Aalders", "Re: Ketel lekt", "En de factuur?", "In-Reply-To: <geen@klant.example>\r\n");
  const all = (await ask("GET", "/conversations?status=all")).items;
  const [ketel, factuur] = ["Ketel lekt", "Re: Ketel lekt"].map((about) => all.find((one) => one.subject === about));
  await ask("POST", `/conversations/${ketel.id}/merge`, { conversation_ids: [factuur.id] });
  await open(page, "Ketel lekt");
  await until("two messages", async () => (await messages(page).count()) === 2);
  await messages(page).filter({ hasText: "En de factuur?" }).getByRole("button", { name: /^More/ }).click();
  await page.getByRole("menuitem", { name: /Split off/ }).click();
  await dialogue(page).getByLabel("Subject of the new conversation").fill("Factuur van de ketel");
  assert.deepEqual(await findings(page, "split"), []);
  await page.setViewportSize({ width: 1280, height: 800 });
  await dialogue(page).getByRole("button", { name: "Split off 1 message" }).click();
  await page.getByRole("heading", { name: "Factuur van de ketel" }).first().waitFor();
  await until("its message", async () => (await messages(page).count()) === 1);
  await undo(page);
  await notice(page, "The messages are back where they were").waitFor();
  await page.getByRole("heading", { name: "Ketel lekt" }).first().waitFor();
  await until("two messages", async () => (await messages(page).count()) === 2);
});

test("conversations stand beside each other in both panels until the link is taken away", async () => {
  const { page } = sanne;
  await open(page, "Ketel lekt");
  await more(page, /Link another/);
  await dialogue(page).getByLabel("Which conversation belongs with this one?").fill("pomp");
  await dialogue(page).getByRole("button", { name: /Pomp maakt lawaai/ }).click();
  await dialogue(page).getByRole("button", { name: "Link", exact: true }).click();
  const linked = page.getByRole("region", { name: /^Linked conversations/ });
  await linked.getByRole("link", { name: /Pomp maakt lawaai/ }).click();
  await page.getByRole("heading", { name: "Pomp maakt lawaai" }).first().waitFor();
  await linked.getByRole("link", { name: /Ketel lekt/ }).waitFor();
  assert.deepEqual(await findings(page, "linked"), []);
  await page.setViewportSize({ width: 1280, height: 800 });
  await linked.getByRole("button", { name: /^Unlink/ }).click();
  await until("the link to go", async () => (await linked.count()) === 0);
});

test("a link is taken away again by its undo, on both sides", async () => {
  const { page } = sanne;
  const find = async (about) => (await ask("GET", "/conversations?status=all")).items.find((one) => one.subject === about).id;
  const [ketel, pomp] = [await find("Ketel lekt"), await find("Pomp maakt lawaai")];
  const beside = async (id) => (await ask("GET", `/conversations/${id}/related`)).linked.map((one) => one.id);
  // The one that it is linked to is open at a colleague.
  const other = joris.page;
  await open(other, "Pomp maakt lawaai");
  await open(page, "Ketel lekt");
  await more(page, /Link another/);
  await dialogue(page).getByLabel("Which conversation belongs with this one?").fill("pomp");
  await dialogue(page).getByRole("button", { name: /Pomp maakt lawaai/ }).click();
  await dialogue(page).getByRole("button", { name: "Link", exact: true }).click();
  await notice(page, /^Conversation \d+ is linked$/).waitFor();
  const linked = (where) => where.getByRole("region", { name: /^Linked conversations/ });
  await linked(page).getByRole("link", { name: /Pomp maakt lawaai/ }).waitFor();
  await linked(other).getByRole("link", { name: /Ketel lekt/ }).waitFor();
  assert.deepEqual([await beside(ketel), await beside(pomp)], [[pomp], [ketel]]);

  await undo(page);
  for (const where of [page, other]) await until("the link to go", async () => (await linked(where).count()) === 0);
  assert.deepEqual([await beside(ketel), await beside(pomp)], [[], []]);
});

test("a conversation that was moved to another mailbox is moved back by its undo", async () => {
  const { page } = sanne;
  const place = async () => {
    const one = (await ask("GET", "/conversations?status=all")).items.find(({ subject }) => subject === "Nogmaals de ketel");
    return [one.channel_account_id, one.queue.id];
  };
  const before = await place();
  await open(page, "Nogmaals de ketel");
  await more(page, /another mailbox/);
  await dialogue(page).getByRole("button", { name: new RegExp(SHOP) }).click();
  await notice(page, `The conversation goes on in ${SHOP}`).waitFor();
  await page.getByText(`moved the conversation to ${SHOP}`).waitFor();
  assert.notEqual((await place())[0], before[0]);

  await undo(page);
  await page.getByText(`moved the conversation to ${BOX}`).waitFor();
  assert.deepEqual(await place(), before);
  // The dialogue knows it, and what is answered goes out from where it was.
  await more(page, /another mailbox/);
  await dialogue(page).getByRole("button", { name: new RegExp(SHOP) }).waitFor();
  assert.equal(await dialogue(page).getByRole("button", { name: new RegExp(BOX) }).count(), 0);
  await page.keyboard.press("Escape");
  await dialogue(page).waitFor({ state: "detached" });
  await page.getByRole("textbox", { name: /reply/i }).fill("Wij komen dweilen.");
  await page.keyboard.press("Control+Enter");
  await until("the mail", () => post.mails.some(({ text }) => text.includes("komen dweilen") && /^From: .*<hulp@winkel\.example>/m.test(text)), 30_000);
});

test("a conversation goes on in another mailbox, and answers go out from there", async () => {
  const { page } = sanne;
  await open(page, "Pomp maakt lawaai");
  await more(page, /another mailbox/);
  await dialogue(page).getByRole("button", { name: new RegExp(SHOP) }).click();
  await notice(page, `The conversation goes on in ${SHOP}`).waitFor();
  await page.getByText(`moved the conversation to ${SHOP}`).waitFor();
  await page.getByRole("textbox", { name: /reply/i }).fill("Wij luisteren ernaar.");
  await page.keyboard.press("Control+Enter");
  await until("the mail", () => post.mails.some(({ text }) => text.includes("luisteren ernaar") && text.includes(`<${SHOP}>`)), 30_000);
});
