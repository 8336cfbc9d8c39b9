// SPDX-License-Identifier: EUPL-1.2
// The desk as its people use it, in Chromium, on the built server: from the first invitation to
// an answer that arrived. The tests follow each other; each leaves the desk as the next needs it.

import assert from "node:assert/strict";
import { after, before, test as step } from "node:test";
import { accept, launch, PASSWORD, signIn, window } from "./support/browser.mjs";
import { startHouse, until } from "./support/house.mjs";
import { mail, send, startSubmission } from "./support/mail.mjs";
import { sideways } from "./support/sideways.mjs";

const BOX = "hulp@winkel.example";
let house;
let post;
let browser;
let sanne;
let joris;
let phone;

before(async () => {
  // One by one: what has begun is ended again when the next one fails.
  browser = await launch();
  post = await startSubmission();
  house = await startHouse();
  sanne = await window(browser);
});

/** A test that says what stood on the pages when it failed, and that no page made an error. */
function test(name, run) {
  step(name, async () => {
    const windows = () => [sanne, joris, phone].filter(Boolean);
    try {
      await run();
      for (const one of windows()) assert.deepEqual(one.wrong, [], "the page made no errors");
    } catch (error) {
      for (const { page, wrong } of windows()) {
        const text = await page.locator("body").innerText().catch(() => "");
        console.error(page.url().replace(/#.*/, ""), wrong, text.slice(0, 1_500));
      }
      console.error(house.logs().split("\n").slice(-20).join("\n"));
      throw error;
    } finally {
      for (const one of windows()) one.wrong.length = 0;
    }
  });
}

after(async () => {
  await browser?.close();
  await post?.close();
  await house?.close();
});

const row = (page, text) => page.getByRole("listitem").filter({ hasText: text }).getByRole("link").first();
const notice = (page, text) => page.getByRole("region", { name: "Notices" }).getByText(text);

/** Mail comes in; it stands in the list without anybody reloading. */
async function receive(name, address, subject, text) {
  await send(house.smtp, BOX, mail(name, address, subject, text));
}

async function open(page, subject, view = "open") {
  await page.goto(`${house.url}/inbox/${view}`);
  await row(page, subject).click();
  await page.getByRole("heading", { name: subject }).waitFor();
}

test("an invitation makes the first admin, whose inbox says what comes next", async () => {
  const { page } = sanne;
  await accept(page, house.invitation, "Sanne de Vries", "sanne@winkel.example");
  await page.waitForURL(/\/inbox\/mine$/);
  await page.getByText("Everything is answered").waitFor();
  assert.equal(new URL(page.url()).hash, "", "the token has left the address");

  const again = await window(browser);
  await again.page.goto(house.invitation);
  await again.page.getByText("Invitation not valid").waitFor();
  await again.context.close();
});

test("a mailbox is added after its connection was tested", async () => {
  const { page } = sanne;
  await page.goto(`${house.url}/settings/channels`);
  await page.getByText("No mailbox yet").waitFor();
  await page.getByRole("link", { name: "Add a mailbox" }).first().click();
  await page.getByLabel("E-mail address").fill(BOX);
  await page.getByLabel("Sender’s name").fill("Winkel klantenservice");
  await page.getByLabel("Security").selectOption("none");
  await page.getByLabel("Server", { exact: true }).fill("127.0.0.1");
  await page.getByLabel("Port").fill("1");
  await page.getByRole("button", { name: "Test connection" }).click();
  await page.getByText("The server accepts no connection on this port.").waitFor();
  await page.getByText("Sending does not work yet.").waitFor();
  await page.getByLabel("Port").fill(String(post.port));
  await page.getByRole("button", { name: "Test connection" }).click();
  await page.getByText("Everything works: replies can be sent through this server.").waitFor();
  // A mailbox to fetch from has a test of its own; what is not ticked is not kept.
  const fetches = page.getByLabel("Fetch mail from a mailbox");
  await fetches.check();
  for (const [name, value] of Object.entries({ host: "127.0.0.1", port: "1", username: "service", password: "geheim" })) {
    await page.locator(`input[name="retrieval_${name}"]`).fill(value);
  }
  await page.getByRole("button", { name: "Test mailbox" }).click();
  await page.getByText("Fetching does not work yet.").waitFor();
  await fetches.uncheck();
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await page.getByText(BOX).first().waitFor();
});

test("a colleague comes in by an invitation that is shown once", async () => {
  await sanne.page.goto(`${house.url}/settings/users`);
  await sanne.page.getByRole("button", { name: "Create invitation" }).click();
  const link = await until("the link", async () =>
    /https:\/\/localhost:\d+\/invitation#[\w-]+/.exec(await sanne.page.locator("main").innerHTML())?.[0],
  );
  joris = await window(browser);
  await accept(joris.page, link, "Joris Bakker", "joris@winkel.example");
  // An agent has no rooms of an admin, and no link to one.
  await joris.page.goto(`${house.url}/settings`);
  await joris.page.getByRole("link", { name: "Profile and preferences" }).waitFor();
  assert.equal(await joris.page.getByRole("link", { name: "Mailboxes" }).count(), 0);
  await joris.page.goto(`${house.url}/settings/users`);
  await joris.page.getByRole("heading", { name: "No access" }).waitFor();
});

test("a wrong password says so, and too many lock the account for a while", async () => {
  const thief = await window(browser);
  await signIn(thief.page, house.url, "joris@winkel.example", "geen idee maar lang");
  await thief.page.getByText("Sign-in failed").waitFor();
  const button = thief.page.getByRole("button", { name: "Sign in" });
  for (let tries = 0; tries < 4; tries += 1) {
    const answer = thief.page.waitForResponse(/\/session$/);
    await button.click();
    assert.equal((await answer).status(), 401);
  }
  await thief.page.locator('input[name="password"]').fill(PASSWORD);
  await button.click();
  await thief.page.getByText("Too many tries").waitFor();
  const locked = thief.page.getByRole("button", { name: /^Try again in \d/ });
  await locked.waitFor();
  assert.ok(await locked.isDisabled(), "there is nothing to press while it counts down");
  await thief.context.close();
  // Whoever is in stays in, and other accounts are let in.
  const other = await window(browser);
  await signIn(other.page, house.url, "sanne@winkel.example");
  await other.page.getByRole("navigation", { name: "Main menu" }).waitFor();
  await joris.page.goto(`${house.url}/inbox/mine`);
  await joris.page.getByText("Everything is answered").waitFor();
  await other.context.close();
});

test("mail appears by itself, and search finds it while typing", async () => {
  const { page } = sanne;
  await page.goto(`${house.url}/inbox/unassigned`);
  await page.getByText("Everything is assigned").waitFor();
  await receive("Lotte Schipper", "lotte@klant.example", "Bank komt niet", "De hoekbank zou dinsdag geleverd worden.");
  await receive("Ewan MacLeod", "ewan@klant.example", "Hinge for the C20", "The left hinge has snapped.");
  await row(page, "Bank komt niet").waitFor();
  await row(page, "Hinge for the C20").waitFor();

  await page.keyboard.press("/");
  await page.locator("#search-field").waitFor();
  // The beginning of a name, then a word of the text that nobody else has used.
  await page.keyboard.type("schip");
  await page.getByText("1 found").waitFor();
  await page.keyboard.press("Control+a");
  await page.keyboard.type("hoekbank");
  await page.locator("mark", { hasText: /hoekbank/i }).first().waitFor();
  assert.ok(!page.url().includes("hoekb"), "what is searched stands in no address");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Bank komt niet" }).waitFor();
});

test("a reply with an attachment reaches the customer", async () => {
  const { page } = sanne;
  await open(page, "Bank komt niet");
  await page.keyboard.press("r");
  await page.locator('input[type="file"]').setInputFiles({
    name: "leverbon.txt",
    mimeType: "text/plain",
    buffer: Buffer.from("Leverbon 48213"),
  });
  await page.getByRole("button", { name: "Remove leverbon.txt" }).waitFor();
  await page.getByRole("textbox", { name: "Text of the reply" }).fill("Uw bank komt donderdag.");
  await page.keyboard.press("Control+Enter");
  await page.getByText(/Handed to the recipient/).waitFor();
  await page.getByRole("link", { name: /Download leverbon\.txt/ }).waitFor();
  const sent = await until("the mail", () => post.mails.find((one) => one.to.includes("lotte@klant.example")));
  assert.match(sent.text, /Uw bank komt donderdag\./);
  assert.match(sent.text, /filename="?leverbon\.txt/);
  assert.match(sent.text, /^From: .*Winkel klantenservice.*<hulp@winkel\.example>/m);
});

test("a long conversation opens at its end and reads back to its beginning", async () => {
  const { page } = sanne;
  const first = mail("Thijs Brouwer", "thijs@klant.example", "Lange zaak", "Het eerste bericht.");
  const root = /Message-ID: (<[^>]+>)/.exec(first)[1];
  const rest = Array.from({ length: 119 }, (_, i) =>
    mail("Thijs Brouwer", "thijs@klant.example", "Re: Lange zaak", `Bericht ${i + 2}.\r\n${"Nog een regel.\r\n".repeat(i % 9)}`, `References: ${root}\r\n`),
  );
  await send(house.smtp, BOX, first);
  await send(house.smtp, BOX, ...rest);
  await open(page, "Lange zaak");
  await page.getByRole("log").getByText("Bericht 120.").waitFor();
  const log = page.getByRole("log", { name: "Messages" });
  await until("the end", () => log.evaluate((el) => el.scrollHeight - el.scrollTop - el.clientHeight < 48));
  await until("the beginning", async () => {
    await log.evaluate((el) => el.scrollTo({ top: 0 }));
    return page.getByText("Het eerste bericht.").isVisible();
  });
  assert.ok((await log.getByRole("article").count()) < 40, "only what is in sight is in the page");
  // Who reads back is not thrown to the end by what comes in.
  await send(house.smtp, BOX, mail("Thijs Brouwer", "thijs@klant.example", "Re: Lange zaak", "Het laatste.", `References: ${root}\r\n`));
  await page.getByRole("button", { name: "1 new message" }).click();
  await log.getByText("Het laatste.").waitFor();
  await page.getByRole("button", { name: "Resolve", exact: true }).click();
  await notice(page, "Conversation with Thijs Brouwer resolved").waitFor();
});

test("a note stays inside", async () => {
  const { page } = sanne;
  const before = post.mails.length;
  await open(page, "Bank komt niet", "waiting");
  await page.keyboard.press("n");
  await page.getByRole("textbox", { name: "Text of the note" }).fill("Chauffeur belt een uur vooraf.");
  await page.keyboard.press("Control+Enter");
  const note = page.getByRole("article", { name: /Internal note/ });
  await note.getByText("Chauffeur belt een uur vooraf.").waitFor();
  await note.getByText("Internal, the customer does not see this").waitFor();
  assert.equal(post.mails.length, before, "no mail went out");
});

test("what is assigned appears at the colleague's at once, and can be undone", async () => {
  const { page } = sanne;
  await joris.page.goto(`${house.url}/inbox/mine`);
  await joris.page.getByText("Everything is answered").waitFor();
  await open(page, "Hinge for the C20");
  await page.keyboard.press("a");
  await page.getByRole("textbox", { name: "Find a colleague" }).fill("joris");
  await page.keyboard.press("Enter");
  await notice(page, "Assigned to Joris Bakker").waitFor();
  await row(joris.page, "Hinge for the C20").waitFor();
  await page.getByRole("button", { name: "Undo" }).click();
  await page.getByRole("button", { name: "Nobody; assign" }).waitFor();
  await joris.page.getByText("Everything is answered").waitFor();
});

test("resolve, undo, resolve and reopen", async () => {
  const { page } = sanne;
  await open(page, "Hinge for the C20");
  await page.getByRole("button", { name: "Resolve", exact: true }).click();
  await notice(page, "Conversation with Ewan MacLeod resolved").waitFor();
  await page.getByRole("button", { name: "Undo" }).last().click();
  await row(page, "Hinge for the C20").waitFor();
  await row(page, "Hinge for the C20").click();
  await page.getByRole("button", { name: "Status: Open; change" }).waitFor();
  await page.keyboard.press("e");
  await open(page, "Hinge for the C20", "resolved");
  await page.getByRole("button", { name: "Reopen" }).click();
  await page.getByRole("button", { name: "Status: Open; change" }).waitFor();
  // What happened stands in the conversation.
  await page.getByText(/reopened the conversation/).last().waitFor();
});

test("a broken line is told, mends, and misses nothing", async () => {
  const { page } = sanne;
  await page.goto(`${house.url}/inbox/open`);
  await row(page, "Hinge for the C20").waitFor();
  await house.line.cut();
  await page.getByText("Connection lost.").waitFor();
  await receive("Priya Nair", "priya@klant.example", "While the line was down", "Did this one get through?");
  await house.line.restore();
  await page.getByRole("button", { name: "Try now" }).click();
  await row(page, "While the line was down").waitFor();
  await until("the notice to go", async () => (await page.getByText("Connection lost.").count()) === 0);
});

test("a delivery that failed says why, and is sent again", async () => {
  const { page } = sanne;
  post.refuse.set("priya@klant.example", "552 5.2.2 Mailbox full");
  await open(page, "While the line was down");
  await page.keyboard.press("r");
  await page.getByRole("textbox", { name: "Text of the reply" }).fill("It did.");
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await page.getByText(/The mailbox of Priya Nair is full/).waitFor();
  await page.getByText("552 5.2.2 Mailbox full").waitFor();
  // An answered conversation waits for its customer, and its row tells of the failure.
  await page.goto(page.url().replace("/open/", "/waiting/"));
  await row(page, "not delivered").waitFor();
  post.refuse.clear();
  await page.getByRole("button", { name: "Send again" }).click();
  await page.getByText(/Handed to the recipient/).waitFor();
  assert.ok(post.mails.some((one) => one.to.includes("priya@klant.example") && one.text.includes("It did.")));
  await until("the mark to go", async () => (await page.getByText("not delivered").count()) === 0);
});

test("mail accounting adds up, and quarantined mail is tried again", async () => {
  const { page } = sanne;
  await page.goto(`${house.url}/settings/mail`);
  const sum = page.getByRole("region", { name: BOX });
  await sum.getByText("received").waitFor();
  await page.getByText("Nothing in quarantine").waitFor();
  await send(house.smtp, BOX, "Subject: Geen afzender\r\n\r\nWie ben ik?\r\n");
  // Both change without a reload.
  await page.getByText("No sender can be found anywhere.").waitFor();
  const numbers = await until("the sum", async () => {
    const found = (await sum.locator("dd").allInnerTexts()).map(Number);
    return found[3] === 1 && found;
  });
  const [received, ...parts] = numbers;
  assert.equal(received, parts.reduce((all, one) => all + one, 0), `${numbers}`);
  await page.getByRole("button", { name: "Retry" }).click();
  await page.getByText(/tried again:/).waitFor();
  const source = page.waitForEvent("download");
  await page.getByRole("link", { name: "Source" }).click();
  await (await source).cancel();
});

test("a new name of a contact stands in every list", async () => {
  const { page } = sanne;
  await joris.page.goto(`${house.url}/inbox/waiting`);
  await row(joris.page, "Lotte Schipper").waitFor();
  await open(page, "Bank komt niet", "waiting");
  await page.getByRole("button", { name: "Change name" }).click();
  await page.getByLabel("Customer’s name").fill("Lotte Schipper-Bos");
  await page.getByRole("button", { name: "Save" }).click();
  await row(page, "Lotte Schipper-Bos").waitFor();
  await row(joris.page, "Lotte Schipper-Bos").waitFor();
  await page.reload();
  await row(page, "Lotte Schipper-Bos").waitFor();
});

test("every room of the rail opens, and says what it is", async () => {
  const { page } = sanne;
  await page.goto(`${house.url}/inbox/mine`);
  const rail = page.getByRole("navigation", { name: "Main menu" });
  await rail.waitFor();
  const rooms = await rail.getByRole("link").evaluateAll((all) => all.map((one) => one.getAttribute("href")));
  for (const room of rooms) {
    await page.goto(house.url + room);
    await page.locator("h1").first().waitFor({ state: "attached" });
    assert.equal(await page.getByText("This page does not exist").count(), 0, room);
  }
  assert.ok(rooms.length >= 3, `${rooms}`);
});

test("language and colours change at once and stay", async () => {
  const { page } = sanne;
  await page.goto(`${house.url}/settings/profile`);
  await page.getByText("Nederlands", { exact: true }).click();
  await page.getByRole("heading", { name: "Profiel en voorkeuren" }).waitFor();
  await page.getByText("Donker", { exact: true }).click();
  await page.locator('html[data-mantine-color-scheme="dark"]').waitFor();
  await page.goto(`${house.url}/inbox/open`);
  await page.getByRole("navigation", { name: "Hoofdmenu" }).waitFor();
  assert.equal(await page.locator("html").getAttribute("lang"), "nl");
  const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = ground.match(/\d+/g).slice(0, 3).map(Number);
  assert.ok(Math.max(...light) < 80, `the page is dark: ${ground}`);
  await page.goto(`${house.url}/settings/profile`);
  await page.getByText("English", { exact: true }).click();
  await page.getByText("Light", { exact: true }).click();
  await page.locator('html[data-mantine-color-scheme="light"]').waitFor();
});

test("the main road needs no mouse", async () => {
  await receive("Ruben Hendriks", "ruben@klant.example", "Dubbel afgeschreven", "Twee keer 49,95.");
  const { page } = sanne;
  const keys = page.keyboard;
  await page.goto(`${house.url}/inbox/unassigned`);
  await row(page, "Dubbel afgeschreven").waitFor();
  // The first stop leads past the rail, and where one is can be seen.
  await keys.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), "Skip to content");
  await keys.press("Tab");
  await keys.press("Tab");
  const ring = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  assert.notEqual(ring, "none", "the focus is visible");
  await keys.press("?");
  await page.getByRole("dialog", { name: "Keyboard" }).waitFor();
  await keys.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await keys.press("j");
  await page.getByRole("heading", { name: "Dubbel afgeschreven" }).waitFor();
  await keys.press("a");
  await page.getByRole("button", { name: "Assign to me" }).waitFor();
  await keys.press("Tab");
  await keys.press("Enter");
  await notice(page, "Assigned to Sanne de Vries").waitFor();
  await reply(page, "Wij boeken één keer terug.");
  await keys.press("Control+Enter");
  await page.getByText(/Handed to the recipient/).waitFor();
  await keys.press("Escape");
  await keys.press("e");
  await notice(page, "Conversation with Ruben Hendriks resolved").waitFor();
  await keys.press("Control+k");
  await page.getByRole("combobox").waitFor();
  await keys.type("resolved");
  await page.getByRole("option", { name: /Resolved/ }).first().waitFor();
  await keys.press("Enter");
  await page.waitForURL(/\/inbox\/resolved/);
  await row(page, "Dubbel afgeschreven").waitFor();
  const sent = await until("the mail", () => post.mails.find((one) => one.to.includes("ruben@klant.example")));
  assert.ok(sent);
});

/** Types a reply by keyboard alone, without a pause between the shortcut and the text. */
async function reply(page, text) {
  const field = page.getByRole("textbox", { name: "Text of the reply" });
  await page.keyboard.press("r");
  await page.keyboard.type(text);
  await until("what was typed", async () => (await field.inputValue()) === text);
  return field;
}

test("a draft survives a reload", async () => {
  const { page } = sanne;
  await open(page, "Hinge for the C20");
  const field = await reply(page, "We still have it on");
  await page.reload();
  await until("the draft", async () => (await field.inputValue()) === "We still have it on");
  await field.fill("");
});

test("on a phone one column at a time, with a way back", async () => {
  phone = await window(browser, { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  const { page } = phone;
  await signIn(page, house.url, "sanne@winkel.example");
  await page.waitForURL(/\/inbox\/mine/);
  const fits = async (where) => assert.deepEqual(await page.evaluate(sideways), [], where);
  await page.goto(`${house.url}/inbox/open`);
  await row(page, "Hinge for the C20").waitFor();
  await fits("the list");
  const links = await page.getByRole("navigation", { name: "Main menu" }).getByRole("link").all();
  for (const link of links) {
    const box = await link.boundingBox();
    if (box) assert.ok(box.height >= 44 && box.width >= 44, "a thumb hits it");
  }
  await row(page, "Hinge for the C20").tap();
  await page.getByRole("heading", { name: "Hinge for the C20" }).waitFor();
  await fits("the conversation");
  assert.equal(await page.getByRole("navigation", { name: "Views" }).isVisible(), false, "the list has gone");
  for (const name of ["Back", "Resolve"]) {
    const box = await page.getByRole("button", { name, exact: true }).boundingBox();
    assert.ok(box.height >= 44 && box.width >= 44, `a thumb hits ${name}: ${JSON.stringify(box)}`);
  }
  await page.getByRole("textbox", { name: "Text of the reply" }).tap();
  await page.keyboard.type("The hinge is on its way.");
  await page.getByRole("button", { name: "Send", exact: true }).tap();
  await page.getByText(/Handed to the recipient/).waitFor();
  await page.goBack();
  await page.getByRole("navigation", { name: "Views" }).waitFor();
  await page.getByRole("link", { name: /Waiting/ }).tap();
  await row(page, "Hinge for the C20").tap();
  await page.getByRole("button", { name: "Back", exact: true }).tap();
  await page.getByRole("navigation", { name: "Views" }).waitFor();
  // A sender whose name is longer than the line leaves the time its room.
  const sender = "Wilhelmina Cornelia van der Heuvel-Brouwer tot Wisch";
  await receive(sender, "wilhelmina@klant.example", "A long name", "Dag.");
  await page.goto(`${house.url}/inbox/open`);
  await row(page, "A long name").tap();
  const [name, time] = await Promise.all(
    ["strong", "time"].map((part) => page.locator("article header").locator(part).first().boundingBox()),
  );
  assert.ok(name.x + name.width <= time.x, `the name ends at ${name.x + name.width}, the time begins at ${time.x}`);
  await page.goto(`${house.url}/settings`);
  await page.getByRole("link", { name: "Profile and preferences" }).tap();
  await fits("the settings");
  await page.getByRole("link", { name: "Back to settings" }).tap();
  await page.getByRole("link", { name: "Mailboxes" }).waitFor();
});

test("signing out takes the drafts along and ends the session", async () => {
  const { page } = joris;
  await open(page, "Hinge for the C20", "waiting");
  await reply(page, "Not for others");
  await page.getByRole("button", { name: "Account of Joris Bakker" }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await page.waitForURL(/\/sign-in/);
  await until("the private store to be empty", () =>
    page.evaluate(() => !Object.keys(sessionStorage).some((name) => name.startsWith("belofte.private"))),
  );
  await page.goto(`${house.url}/inbox/mine`);
  await page.waitForURL(/\/sign-in/);
});
