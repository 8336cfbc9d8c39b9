// SPDX-License-Identifier: EUPL-1.2
// Macros by keyboard alone: made, found, used on an answer and on many conversations, taken back with one act; and a
// mail that still waits for something does not leave by accident.

import assert from "node:assert/strict";
import { after, before } from "node:test";
import { findings } from "./support/access.mjs";
import { ask as asked, watched } from "./support/api.mjs";
import { accept, launch, window } from "./support/browser.mjs";
import { startHouse, until } from "./support/house.mjs";
import { tabTo, walkTo } from "./support/keys.mjs";
import { mail, send, startSubmission } from "./support/mail.mjs";

const BOX = "hulp@winkel.example";
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
  await ask("POST", "/tags", { name: "Retour" });
  await receive("Anna Aalders", "Bestelling 1", "Goedemiddag, ik heb de bestelling nog niet ontvangen. Kunt u kijken waar die is?");
  await receive("Bob Brown", "Order 2", "Hello, I have not received the order yet. Could you please have a look?");
  await receive("Cas", "Derde", "Kort.");
});

after(async () => {
  await browser?.close();
  await post?.close();
  await house?.close();
});

const test = watched(() => [sanne, joris]);
const ask = (method, path, body) => asked(sanne.page, method, path, body);
const receive = (who, about, text) =>
  send(house.smtp, BOX, mail(who, `${who.split(" ")[0].toLowerCase()}@klant.example`, about, text));
const row = (page, text) => page.getByRole("listitem").filter({ hasText: text }).locator("[data-row]").first();
const notice = (page, text) => page.getByRole("region", { name: "Notices" }).getByText(text);
const dialogue = (page) => page.getByRole("dialog", { name: "Use a macro" });
const answer = (page) => page.getByRole("textbox", { name: /reply/i });
const conversation = async (about) => (await ask("GET", "/conversations?status=all")).items.find((one) => one.subject === about);
const wide = (page) => page.setViewportSize({ width: 1280, height: 800 });

async function open(page, about) {
  await page.goto(`${house.url}/inbox/open`);
  await row(page, about).click();
  await page.getByRole("heading", { name: about }).first().waitFor();
  await answer(page).waitFor();
}

test("one is made with the keyboard alone, in two languages, with what it does", async () => {
  const { page } = sanne;
  await page.goto(`${house.url}/settings/macros`);
  await page.getByText("There are no macros yet").waitFor();
  assert.deepEqual(await findings(page, "no macros"), []);
  await wide(page);
  await tabTo(page, page.getByRole("button", { name: "New macro" }));
  await page.keyboard.press("Enter");
  await page.getByLabel("Name", { exact: true }).waitFor();
  await page.keyboard.type("Retour aanmelden");
  await tabTo(page, page.getByLabel("For everybody"));
  await page.keyboard.press("Space");
  await tabTo(page, page.getByRole("button", { name: "Dutch" }));
  await page.keyboard.press("Enter");
  const dutch = page.getByRole("textbox", { name: "Words in Dutch" });
  await dutch.waitFor();
  await tabTo(page, dutch);
  await page.keyboard.type("Beste ");
  await tabTo(page, page.getByLabel("What stands there when nothing is known"));
  await page.keyboard.type("klant");
  // Nobody types braces.
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.getByRole("menuitem", { name: "First name of the contact" }).waitFor();
  assert.deepEqual(await findings(page, "what can be filled in"), []);
  await wide(page);
  await walkTo(page, page.getByRole("menuitem", { name: "First name of the contact" }), "ArrowDown");
  await page.keyboard.press("Enter");
  await until("the placeholder", async () => (await dutch.innerText()).includes("{{contact.first_name|klant}}"));
  await until("the focus", () => dutch.evaluate((one) => one.contains(document.activeElement)));
  await page.keyboard.type(", stuur het terug.");
  const preview = page.getByRole("region", { name: "Preview" });
  await preview.getByText("Beste Jan, stuur het terug.").waitFor();
  await tabTo(page, page.getByRole("button", { name: "Without a name" }));
  await page.keyboard.press("Enter");
  await preview.getByText("Beste klant, stuur het terug.").waitFor();
  await page.keyboard.press("Shift+Tab");
  await tabTo(page, page.getByRole("combobox", { name: "Status" }).or(page.getByLabel("Status")));
  await page.keyboard.press("r");
  await tabTo(page, page.getByLabel("Assign"));
  await page.keyboard.type("Who");
  await tabTo(page, page.getByLabel("Add tags"));
  await page.keyboard.type("Ret");
  await page.getByRole("list", { name: "Add tags" }).getByText("Retour").waitFor();
  assert.deepEqual(await findings(page, "the editor"), []);
  await wide(page);
  await tabTo(page, page.getByRole("button", { name: "Save" }));
  await page.keyboard.press("Enter");
  await page.getByRole("row", { name: /Retour aanmelden/ }).waitFor();
  assert.deepEqual(await findings(page, "the list of macros"), []);
  await wide(page);
  const [made] = (await ask("GET", "/macros")).items;
  assert.deepEqual([made.name, made.shared, made.languages], ["Retour aanmelden", true, ["nl"]]);
  assert.deepEqual([made.actions.status, made.actions.assignee, made.actions.add_tag_ids.length], ["resolved", "me", 1]);
});

test("it is found by a key, says first what it will do, and one undo takes words and changes back", async () => {
  const [{ page }, other] = [sanne, joris.page];
  await open(other, "Bestelling 1");
  await open(page, "Bestelling 1");
  await page.keyboard.press("r");
  await page.keyboard.type("Eerst dit. En dan dat.");
  for (let step = 0; step < "En dan dat.".length; step += 1) await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("Control+/");
  await dialogue(page).getByText("Beste Anna, stuur het terug.").waitFor();
  await dialogue(page).getByText("Assigned to Sanne de Vries").waitFor();
  await dialogue(page).getByText("Tagged Retour").waitFor();
  assert.deepEqual(await findings(page, "choosing a macro"), []);
  await wide(page);
  await page.keyboard.type("reto");
  await page.keyboard.press("Enter");
  await notice(page, "Retour aanmelden used").waitFor();
  await until("the words at the cursor", async () => (await answer(page).inputValue()) === "Eerst dit. Beste Anna, stuur het terug.En dan dat.");
  await until("the focus behind them", async () =>
    answer(page).evaluate((one) => one === document.activeElement && one.selectionStart === "Eerst dit. Beste Anna, stuur het terug.".length),
  );
  const used = await conversation("Bestelling 1");
  assert.deepEqual([used.status, used.assignee.name, used.tags[0].name], ["resolved", "Sanne de Vries", "Retour"]);
  // It says that it goes out and is resolved, as the macro means it.
  await page.getByRole("button", { name: "Send and resolve" }).waitFor();
  // The colleague sees it at once.
  await other.getByRole("button", { name: /Assigned to Sanne/ }).waitFor();

  await page.keyboard.type(" Meer.");
  await tabTo(page, page.getByRole("button", { name: "Undo" }).last(), 200);
  await page.keyboard.press("Enter");
  await until("the words as they were, and what came since", async () => (await answer(page).inputValue()) === "Eerst dit.  Meer.En dan dat.");
  await until("the changes as they were", async () => {
    const now = await conversation("Bestelling 1");
    return now.status === "open" && !now.assignee && now.tags.length === 0;
  });
});

test("an answer that a macro resolves is sent and resolved, and what is open is not sent by accident", async () => {
  const { page } = sanne;
  await ask("POST", "/macros", {
    name: "Naar wie",
    texts: { en: { html: "<p>Dear {{contact.name}},</p><p>about <b>{{agent.nickname}}</b></p>" } },
  });
  await open(page, "Order 2");
  await page.keyboard.press("i");
  await page.keyboard.type("naar");
  await dialogue(page).getByText("One place is still open", { exact: false }).waitFor();
  assert.deepEqual(await findings(page, "a macro with an open place"), []);
  await wide(page);
  await page.keyboard.press("Enter");
  await notice(page, "Naar wie used").waitFor();
  // It is formatted, so the draft is; what is open is marked there.
  const rich = answer(page);
  await until("the words", async () => (await rich.innerText()).includes("Dear Bob Brown,"));
  await page.getByText("Still to be filled in: {{agent.nickname}}").waitFor();
  await tabTo(page, rich, 200);
  await page.keyboard.press("Control+Enter");
  await page.getByRole("alert").filter({ hasText: "Not sent" }).waitFor();
  assert.deepEqual(await findings(page, "an open place"), []);
  await wide(page);
  const messages = async () => (await ask("GET", `/conversations/${(await conversation("Order 2")).id}/messages`)).items;
  assert.equal((await messages()).length, 1, "nothing was sent");
  await tabTo(page, page.getByRole("button", { name: "Go there" }), 200);
  await page.keyboard.press("Enter");
  await until("the place to be selected", () => page.evaluate(() => String(getSelection()) === "{{agent.nickname}}"));
  await page.keyboard.type("us");
  await until("nothing open", async () => (await page.getByText("filled in").count()) === 0);
  await page.keyboard.press("Control+/");
  await page.keyboard.type("reto");
  // The customer writes English, and there is no English: it says so.
  await dialogue(page).getByText("This one is written in Dutch only.").waitFor();
  await page.keyboard.press("Enter");
  await notice(page, "Retour aanmelden used").waitFor();
  await until("the words below", async () => (await rich.innerText()).includes("Beste Bob, stuur het terug."));
  await page.keyboard.press("Control+Enter");
  await until("it to be sent", async () => (await messages()).length === 2);
  await until("it to be resolved", async () => (await conversation("Order 2")).status === "resolved");
  const [sent] = (await messages()).filter((one) => one.kind === "reply");
  assert.ok(sent.text.includes("Dear Bob Brown,") && !sent.text.includes("{{"), sent.text);
});

test("the palette and the panel find it, many get what it does, and who is gone is said before", async () => {
  const [{ page }, agent] = [sanne, joris];
  const users = (await ask("GET", "/users")).items;
  const gone = users.find((one) => one.name === "Joris Bakker");
  await ask("POST", "/macros", { name: "Voor Joris", shared: true, actions: { assignee: gone.id, status: "waiting" } });
  await page.goto(`${house.url}/inbox/open`);
  await row(page, "Bestelling 1").focus();
  await page.keyboard.press("x");
  await row(page, "Derde").focus();
  await page.keyboard.press("x");
  await page.keyboard.press("i");
  await page.keyboard.type("voor");
  await dialogue(page).getByText("Assigned to Joris Bakker").waitFor();
  assert.deepEqual(await findings(page, "a macro for many"), []);
  await wide(page);
  await page.keyboard.press("Enter");
  await notice(page, "Voor Joris used on 2 conversations").waitFor();
  await until("both", async () =>
    (await Promise.all(["Bestelling 1", "Derde"].map(conversation))).every((one) => one.status === "waiting" && one.assignee?.name === "Joris Bakker"),
  );
  await tabTo(page, page.getByRole("button", { name: "Undo" }).last(), 200);
  await page.keyboard.press("Enter");
  await until("both as they were", async () =>
    (await Promise.all(["Bestelling 1", "Derde"].map(conversation))).every((one) => one.status === "open" && !one.assignee),
  );

  await agent.context.close();
  await ask("PATCH", `/users/${gone.id}`, { state: "blocked" });
  await open(page, "Derde");
  await page.keyboard.press("Control+k");
  await page.keyboard.type("macro voor");
  await page.getByRole("option", { name: "Macro: Voor Joris" }).waitFor();
  await page.keyboard.press("Enter");
  await dialogue(page).getByText("A colleague who is not here any more: Joris Bakker").waitFor();
  assert.deepEqual(await findings(page, "a macro that names who is gone"), []);
  await wide(page);
  // Enter agrees to nothing that was not read.
  await page.keyboard.press("Enter");
  assert.equal((await conversation("Derde")).status, "open");
  await tabTo(page, dialogue(page).getByRole("button", { name: "Use the rest" }));
  await page.keyboard.press("Enter");
  await until("the rest", async () => (await conversation("Derde")).status === "waiting");
  assert.equal((await conversation("Derde")).assignee, undefined);
  await page.getByRole("complementary").getByRole("button", { name: "Retour aanmelden" }).waitFor();
});

test("one is duplicated, and deleted with a way back", async () => {
  const { page } = sanne;
  await page.goto(`${house.url}/settings/macros`);
  await tabTo(page, page.getByRole("button", { name: "Duplicate Retour aanmelden" }), 120);
  await page.keyboard.press("Enter");
  await page.getByLabel("Name", { exact: true }).waitFor();
  assert.equal(await page.getByLabel("Name", { exact: true }).inputValue(), "Retour aanmelden (copy)");
  await tabTo(page, page.getByRole("button", { name: "Save" }), 120);
  await page.keyboard.press("Enter");
  await page.getByRole("row", { name: /\(copy\)/ }).waitFor();
  await tabTo(page, page.getByRole("button", { name: "Delete Retour aanmelden (copy)" }), 120);
  await page.keyboard.press("Enter");
  await notice(page, /is deleted/).waitFor();
  await until("it to go", async () => (await page.getByRole("row", { name: /\(copy\)/ }).count()) === 0);
  await tabTo(page, page.getByRole("button", { name: "Undo" }).last(), 200);
  await page.keyboard.press("Enter");
  await page.getByRole("row", { name: /\(copy\)/ }).waitFor();
  const texts = (await ask("GET", "/macros")).items.find((one) => one.name.endsWith("(copy)"));
  const whole = await ask("GET", `/macros/${texts.id}`);
  assert.equal(whole.texts.nl.text, "Beste {{contact.first_name|klant}}, stuur het terug.");
});
