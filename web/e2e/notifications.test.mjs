// SPDX-License-Identifier: EUPL-1.2
// Notes that name colleagues, and what people are told of, with two agents in two browsers and the keyboard alone.
// The tests follow each other.

import assert from "node:assert/strict";
import { after, before } from "node:test";
import { findings, SIZES } from "./support/access.mjs";
import { ask, watched } from "./support/api.mjs";
import { accept, launch, window } from "./support/browser.mjs";
import { startHouse, until } from "./support/house.mjs";
import { mail, send, startSubmission } from "./support/mail.mjs";

const BOX = "hulp@winkel.example";
let house;
let post;
let browser;
let sanne;
let daan;
const test = watched(() => [sanne, daan]);

const row = (page, text) => page.getByRole("listitem").filter({ hasText: text }).locator("[data-row]").first();
const note = (page) => page.getByRole("textbox", { name: "Text of the note" });
const names = (page) => page.getByRole("listbox", { name: "Colleagues to name" });
const bell = (page) => page.getByRole("button", { name: /^Notifications/ });
const panel = (page) => page.getByRole("dialog", { name: "Notifications" });
const lines = (page) => panel(page).getByRole("listitem");
const unread = (page, count) =>
  until(`${count} unread at the bell`, async () => {
    const said = await bell(page).innerText();
    return count === 0 ? !/unread/.test(said) : said.includes(`${count} unread`);
  });

async function open(page, subject) {
  await page.goto(`${house.url}/inbox/open`);
  await row(page, subject).click();
  await page.getByRole("heading", { name: subject }).waitFor();
  await page.getByRole("log", { name: "Messages" }).getByText("Kunt u helpen?").first().waitFor();
}

/** The conversation about `subject`, as the API has it. */
async function conversation(subject) {
  const { items } = await ask(sanne.page, "GET", "/conversations?status=all&limit=100");
  return items.find((one) => one.subject === subject);
}

before(async () => {
  browser = await launch();
  post = await startSubmission();
  house = await startHouse();
  sanne = await window(browser);
  await accept(sanne.page, house.invitation, "Sanne de Vries", "sanne@winkel.example");
  await ask(sanne.page, "POST", "/channel-accounts", {
    address: BOX,
    from_name: "Winkel",
    kind: "email",
    submission: { host: "127.0.0.1", port: post.port, security: "none" },
  });
  const { link } = await ask(sanne.page, "POST", "/invitations", { role: "agent" });
  daan = await window(browser);
  await accept(daan.page, link.replace(/^https:\/\/[^/]+/, house.url), "Daan Bos", "daan@winkel.example");
  for (const [who, about] of [["Lotte Visser", "Slang lekt"], ["Ruben Smit", "Pomp piept"]]) {
    await send(house.smtp, BOX, mail(who, `${who.split(" ")[0].toLowerCase()}@klant.example`, about, "Kunt u helpen?"));
  }
});

after(async () => {
  await browser?.close();
  await post?.close();
  await house?.close();
});

test("a colleague is named by keyboard alone, and hears of it while the desk stands open", async () => {
  const { page } = sanne;
  await daan.page.goto(`${house.url}/inbox/open`);
  await row(daan.page, "Pomp piept").waitFor();
  await unread(daan.page, 0);
  await open(page, "Slang lekt");
  await page.keyboard.press("n");
  await page.keyboard.type("Please look, @da");
  await names(page).getByRole("option", { name: "Daan Bos" }).waitFor();
  assert.equal(await note(page).getAttribute("aria-activedescendant"), await names(page).getByRole("option").first().getAttribute("id"));
  assert.deepEqual(await findings(page, "names", [SIZES[0]]), []);
  // Escape closes the list and leaves the field alone; another letter of another name opens it again.
  await page.keyboard.press("Escape");
  await names(page).waitFor({ state: "hidden" });
  assert.ok(await note(page).evaluate((field) => field === document.activeElement), "the field keeps the focus");
  await page.keyboard.type(" or @");
  await names(page).getByRole("option", { name: "Daan Bos" }).waitFor();
  assert.equal(await names(page).getByRole("option").count(), 1, "colleagues, without oneself");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await until("the name", async () => (await note(page).inputValue()) === "Please look, @da or @Daan Bos ");
  await page.keyboard.type("about the hose");
  await page.getByText("Gets a notification: Daan Bos").waitFor();
  await page.getByText("Draft saved", { exact: true }).waitFor();
  // It outlives a reload, with whom it names.
  await page.reload();
  await until("the draft", async () => (await note(page).inputValue()) === "Please look, @da or @Daan Bos about the hose");
  await page.getByText("Gets a notification: Daan Bos").waitFor();
  await unread(daan.page, 0);
  await note(page).focus();
  await page.keyboard.press("Control+Enter");
  await page.getByRole("article", { name: /note/i }).getByText("@Daan Bos").waitFor();

  await unread(daan.page, 1);
  await until("the count in the title", async () => (await daan.page.title()).startsWith("(1) "));
  await unread(page, 0);
});

test("the bell leads to the note by keyboard alone, and what was looked at is read", async () => {
  const { page } = daan;
  await page.locator("body").click({ position: { x: 5, y: 5 } });
  await page.keyboard.press("b");
  await lines(page).getByText("Sanne de Vries named you in a note about Lotte Visser").waitFor();
  assert.deepEqual(await findings(page, "notifications"), []);
  await page.setViewportSize(SIZES[0]);
  const focused = () => page.evaluate(() => document.activeElement?.closest("li")?.textContent ?? "");
  assert.match(await focused(), /Slang lekt/, "the first line has the focus");
  // Read, and unread again, without going anywhere.
  await page.keyboard.press("u");
  await unread(page, 0);
  await page.keyboard.press("u");
  await unread(page, 1);
  await page.keyboard.press("Enter");
  await panel(page).waitFor({ state: "hidden" });
  const shown = page.getByRole("article", { name: /note/i });
  await shown.getByText("@Daan Bos").waitFor();
  await until("it is in sight", () =>
    shown.evaluate((element) => {
      const { top, bottom } = element.getBoundingClientRect();
      return top >= 0 && bottom <= innerHeight;
    }),
  );
  await unread(page, 0);
  await until("the title", async () => !(await page.title()).startsWith("("));
  // The palette knows the way as well, and Escape gives the focus back.
  await page.keyboard.press("Control+k");
  await page.keyboard.type("notif");
  await page.getByRole("option", { name: "Notifications" }).first().waitFor();
  await page.keyboard.press("Enter");
  await lines(page).getByText("Slang lekt").waitFor();
  await page.keyboard.press("Escape");
  await panel(page).waitFor({ state: "hidden" });
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keyboard" }).getByText("Notifications").waitFor();
  await page.keyboard.press("Escape");
});

test("what is given and what the customer writes are lines that count, and one undo brings them back", async () => {
  const { page } = daan;
  await page.goto(`${house.url}/inbox/open`);
  const pump = await conversation("Pomp piept");
  const { items } = await ask(sanne.page, "GET", "/users");
  const his = items.find((one) => one.name === "Daan Bos").id;
  await ask(sanne.page, "PATCH", `/conversations/${pump.id}`, { assignee_id: his });
  await unread(page, 1);
  for (const words of ["En nu?", "Hallo?"]) {
    await send(house.smtp, BOX, mail("Ruben Smit", "ruben@klant.example", "Re: Pomp piept", words, "In-Reply-To: <e2e-2@klant.example>\r\n"));
  }
  await unread(page, 2);
  await page.keyboard.press("b");
  await lines(page).getByText("2 new messages from Ruben Smit").waitFor();
  await lines(page).getByText("Sanne de Vries gave you the conversation with Ruben Smit").waitFor();
  await panel(page).getByRole("button", { name: "Mark all as read" }).click();
  await unread(page, 0);
  await page.getByRole("button", { name: "Undo" }).click();
  await unread(page, 2);
  assert.equal(await lines(page).count(), 3);
  // On the small screen it fills the width, and a finger is enough.
  await page.setViewportSize(SIZES[1]);
  await lines(page).getByText("2 new messages from Ruben Smit").click();
  await page.getByRole("log", { name: "Messages" }).getByText("En nu?").waitFor();
  // A conversation takes the whole of a small screen; beside it stands the bell.
  await page.setViewportSize(SIZES[0]);
  await unread(page, 0);
});

test("who wants to hear nothing of it does not, and a note is taken back with its words kept", async () => {
  const { page } = daan;
  await page.goto(`${house.url}/settings/notifications`);
  const box = page.getByRole("checkbox", { name: "In the desk: You are named in a note" });
  // It is drawn in the next moment: `uncheck` wants it in this one.
  await box.click();
  await until("it is off", async () => !(await box.isChecked()));
  await until("it is kept", async () => {
    const { items } = await ask(page, "GET", "/me/notifications");
    return items.find((one) => one.kind === "mentioned").desk === false;
  });
  assert.deepEqual(await findings(page, "preferences"), []);
  await page.setViewportSize(SIZES[0]);

  await open(sanne.page, "Slang lekt");
  await sanne.page.keyboard.press("n");
  await sanne.page.keyboard.type("@daan");
  await names(sanne.page).getByRole("option", { name: "Daan Bos" }).waitFor();
  await sanne.page.keyboard.press("Tab");
  await sanne.page.keyboard.type("secret of the hose");
  await sanne.page.keyboard.press("Control+Enter");
  const written = sanne.page.getByRole("article", { name: /note/i }).filter({ hasText: "secret of the hose" });
  await written.waitFor();
  await open(page, "Slang lekt");
  await page.getByRole("article", { name: /note/i }).filter({ hasText: "secret of the hose" }).waitFor();
  await unread(page, 0);

  await written.getByRole("button", { name: "More with your note" }).press("Enter");
  await sanne.page.getByRole("menuitem", { name: "Take back and edit" }).press("Enter");
  await until("the words are back", async () => (await note(sanne.page).inputValue()) === "@Daan Bos secret of the hose");
  await sanne.page.getByText("Gets a notification: Daan Bos").waitFor();
  await page.getByRole("article", { name: /note/i }).filter({ hasText: "secret of the hose" }).waitFor({ state: "detached" });

  // What is passed on to others never holds a note.
  await sanne.page.getByRole("button", { name: "Forward", exact: true }).click();
  await sanne.page.getByText("The original message goes below").waitFor();
  const passed = await sanne.page.locator("details").innerText();
  assert.ok(!passed.includes("Daan") && !passed.includes("hose"), passed);
});
