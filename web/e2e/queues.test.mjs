// SPDX-License-Identifier: EUPL-1.2
// Queues and teams in the desk: made, put in order and given hours by an admin; shown, filtered by and changed on a
// conversation; archived with what lies in them, and used again.

import assert from "node:assert/strict";
import { after, before } from "node:test";
import { findings } from "./support/access.mjs";
import { ask as asked, watched } from "./support/api.mjs";
import { accept, launch, window } from "./support/browser.mjs";
import { startHouse, until } from "./support/house.mjs";
import { tabTo } from "./support/keys.mjs";
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
  await receive("Anna Aalders", "Bestelling 1");
  await receive("Bob Brown", "Order 2");
});

after(async () => {
  await browser?.close();
  await post?.close();
  await house?.close();
});

const test = watched(() => [sanne, joris]);
const ask = (method, path, body) => asked(sanne.page, method, path, body);
const receive = (who, about) => send(house.smtp, BOX, mail(who, `${who.split(" ")[0].toLowerCase()}@klant.example`, about, "Goedemiddag."));
const row = (page, text) => page.getByRole("listitem").filter({ hasText: text }).locator("[data-row]").first();
const notice = (page, text) => page.getByRole("region", { name: "Notices" }).getByText(text);
const wide = (page) => page.setViewportSize({ width: 1280, height: 800 });
const conversation = async (about) => (await ask("GET", "/conversations?status=all")).items.find((one) => one.subject === about);

test("queues are made and put in order by keyboard", async () => {
  const { page } = sanne;
  await page.goto(`${house.url}/settings/queues`);
  await wide(page);
  for (const name of ["Winkel", "Balie"]) {
    await tabTo(page, page.getByLabel("Name", { exact: true }));
    await page.keyboard.type(name);
    await page.keyboard.press("Enter");
    await page.getByRole("link", { name, exact: true }).waitFor();
  }
  assert.deepEqual(await findings(page, "queues"), []);
  await wide(page);
  await tabTo(page, page.getByRole("button", { name: "Move the queue Balie up" }));
  await page.keyboard.press("Enter");
  await until("the new order", async () => (await ask("GET", "/queues")).items[1].name === "Balie");
  // The arrow keeps the focus, so that the next press goes on, also when there is no further up.
  const up = page.getByRole("button", { name: "Move the queue Balie up" });
  await until("the arrow has the focus again", () => up.evaluate((one) => one === document.activeElement));
  await page.keyboard.press("Enter");
  await until("it is the first", async () => (await ask("GET", "/queues")).items[0].name === "Balie");
  await page.locator('button[aria-label="Move the queue Balie up"][aria-disabled="true"]').waitFor();
  await until("the arrow has the focus", () => up.evaluate((one) => one === document.activeElement));
});

test("a queue has hours, holidays and days that are otherwise, and everybody sees that it is closed", async () => {
  const { page } = sanne;
  await page.getByRole("link", { name: "Winkel", exact: true }).click();
  await page.getByRole("heading", { name: "Winkel" }).waitFor();
  await page.getByText("The queue is always open.").waitFor();
  await page.getByLabel("Open at certain hours").check();
  await page.getByLabel("King’s Day").waitFor();
  assert.deepEqual(await findings(page, "hours"), []);
  await wide(page);
  // An end before its beginning is not sent.
  await page.getByLabel("Monday, open until, 1").fill("08:00");
  await page.getByText("Each time ends later than it begins").waitFor();
  assert.equal(await page.getByRole("button", { name: "Save opening hours" }).isDisabled(), true);
  await page.getByLabel("Monday, open until, 1").fill("17:30");
  await page.getByLabel("Good Friday").check();
  await page.getByLabel("Other day", { exact: true }).fill("2031-12-24");
  await page.getByRole("button", { name: "Add day" }).click();
  await page.getByRole("button", { name: /Remove the exception of Wed/ }).waitFor();
  await page.getByRole("button", { name: "Save opening hours" }).click();
  await notice(page, "Opening hours of Winkel saved").waitFor();
  const { id } = (await ask("GET", "/queues")).items.find((one) => one.name === "Winkel");
  const kept = (await ask("GET", `/queues/${id}`)).hours;
  assert.deepEqual(kept.week[0], [{ from: "09:00", to: "17:30" }]);
  assert.deepEqual(kept.exceptions, [{ date: "2031-12-24", hours: [] }]);
  assert.equal(kept.holidays.includes("good_friday"), true);
  const never = { week: [[], [], [], [], [], [], []] };
  await ask("PATCH", `/queues/${id}/hours`, { hours: never });
  await joris.page.goto(`${house.url}/inbox/open`);
  await row(joris.page, "Bestelling 1").waitFor();
  await joris.page.getByRole("button", { name: "More views" }).click();
  await joris.page.getByRole("menuitem", { name: "Winkel (closed)" }).waitFor();
  await joris.page.keyboard.press("Escape");
});

test("an agent moves a conversation, undoes it, and sees what is open in a queue", async () => {
  const { page } = joris;
  await wide(page);
  await row(page, "Bestelling 1").click();
  await page.getByRole("heading", { name: "Bestelling 1" }).first().waitFor();
  const move = async () => {
    await page.keyboard.press("m");
    await page.keyboard.type("winkel");
    await page.keyboard.press("Enter");
    await notice(page, /moved to/).first().waitFor();
  };
  await move();
  await page.getByText("Joris Bakker moved the conversation to the queue Winkel").waitFor();
  await page.getByRole("button", { name: "Undo" }).last().click();
  await until("another queue", async () => (await conversation("Bestelling 1")).queue.name !== "Winkel");
  await move();
  await until("another queue", async () => (await conversation("Bestelling 1")).queue.name === "Winkel");
  await page.getByRole("button", { name: "More views" }).click();
  await page.getByRole("menuitem", { name: "Winkel (closed)" }).click();
  await row(page, "Bestelling 1").waitFor();
  assert.equal(await row(page, "Order 2").count(), 0);
  assert.match(await page.title(), /Winkel/);
  // Another comes in while the list is looked at.
  const { id } = await conversation("Order 2");
  const queue = (await ask("GET", "/queues")).items.find((one) => one.name === "Winkel");
  await ask("PATCH", `/conversations/${id}`, { queue_id: queue.id });
  await row(page, "Order 2").waitFor();
});

test("a queue is archived into another one, and used again", async () => {
  const { page } = sanne;
  await page.goto(`${house.url}/settings/queues`);
  await page.getByRole("link", { name: "Winkel", exact: true }).click();
  await page.getByRole("button", { name: "Archive queue" }).click();
  await page.getByText("The queue is not empty").first().waitFor();
  await page.getByLabel("Into which queue").selectOption({ label: "Balie" });
  await page.getByRole("button", { name: "Archive queue" }).click();
  await notice(page, "Queue Winkel archived").waitFor();
  await until("another queue", async () => (await conversation("Order 2")).queue.name === "Balie");
  await page.getByRole("button", { name: "Use again" }).waitFor();
  assert.deepEqual(await findings(page, "an archived queue"), []);
  await wide(page);
  await page.getByRole("button", { name: "Use again" }).click();
  await notice(page, "Queue Winkel in use again").waitFor();
  await until("another queue", async () => (await conversation("Order 2")).queue.name === "Winkel");
  await until("another queue", async () => (await conversation("Bestelling 1")).queue.name === "Winkel");
});

test("a team has members and queues", async () => {
  const { page } = sanne;
  await page.goto(`${house.url}/settings/teams`);
  await page.getByText("No teams yet").waitFor();
  await page.getByLabel("Name", { exact: true }).fill("Toonbank");
  await page.getByRole("button", { name: "Create team" }).click();
  await page.getByLabel("Joris Bakker").check();
  await page.getByLabel("Winkel", { exact: true }).check();
  assert.deepEqual(await findings(page, "a team"), []);
  await wide(page);
  await page.getByRole("button", { name: "Save" }).click();
  await notice(page, "Team Toonbank saved").waitFor();
  await page.getByText("1 member, 1 queue").waitFor();
  assert.deepEqual(await findings(page, "teams"), []);
  const [team] = (await ask("GET", "/teams")).items;
  const kept = await ask("GET", `/teams/${team.id}`);
  assert.equal(kept.member_ids.length, 1);
});
