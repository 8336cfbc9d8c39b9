// SPDX-License-Identifier: EUPL-1.2
// Several people, and several windows of one, in the same conversation: drafts that outlive a killed browser,
// who reads and who writes, and no two answers to one question. The tests follow each other.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before } from "node:test";
import { chromium } from "playwright-core";
import { findings } from "./support/access.mjs";
import { ask as asked, watched } from "./support/api.mjs";
import { accept, launch, PASSWORD, signIn, window } from "./support/browser.mjs";
import { freePorts, pause, startHouse, until } from "./support/house.mjs";
import { mail, send, startSubmission } from "./support/mail.mjs";

const BOX = "hulp@winkel.example";
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
  await accept(sanne.page, house.invitation, "Sanne de Vries", "sanne@winkel.example");
  await ask("POST", "/channel-accounts", {
    address: BOX,
    from_name: "Winkel",
    kind: "email",
    submission: { host: "127.0.0.1", port: post.port, security: "none" },
  });
  const { link } = await ask("POST", "/invitations", { role: "agent" });
  daan = await window(browser);
  await accept(daan.page, link.replace(/^https:\/\/[^/]+/, house.url), "Daan Bos", "daan@winkel.example");
  for (const [who, about] of [["Lotte Visser", "Slang lekt"], ["Ruben Smit", "Pomp piept"], ["Els Mol", "Ketel koud"]]) {
    await send(house.smtp, BOX, mail(who, `${who.split(" ")[0].toLowerCase()}@klant.example`, about, "Kunt u helpen?"));
  }
});

after(async () => {
  await browser?.close();
  await post?.close();
  await house?.close();
});

const test = watched(() => [sanne, daan]);

/** Asks the API as Sanne, past her desk. */
const ask = (method, path, body) => asked(sanne.page, method, path, body);

const row = (page, text) => page.getByRole("listitem").filter({ hasText: text }).locator("[data-row]").first();
const field = (page) => page.getByRole("textbox", { name: "Text of the reply" });
const saved = (page) => page.getByText("Draft saved", { exact: true });
const value = (page, wanted) => until(`the words ${wanted}`, async () => (await field(page).inputValue()) === wanted);

async function open(page, subject, view = "open") {
  await page.goto(`${house.url}/inbox/${view}`);
  await row(page, subject).click();
  await page.getByRole("heading", { name: subject }).waitFor();
  await page.getByRole("log", { name: "Messages" }).getByText("Kunt u helpen?").first().waitFor();
}

test("what was typed outlives a killed browser, with its files, and is there on another device", async () => {
  // A browser of its own, so that it can be killed: its process and everything in it.
  const profile = mkdtempSync(join(tmpdir(), "belofte-killed-"));
  const [port] = await freePorts(1);
  const process_ = spawn(
    process.env.BELOFTE_CHROMIUM ?? "/usr/bin/chromium",
    ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--ignore-certificate-errors", `--user-data-dir=${profile}`, `--remote-debugging-port=${port}`, "--lang=en-GB", "about:blank"],
    { stdio: "ignore", detached: true },
  );
  const gone = new Promise((done) => process_.once("exit", done));
  try {
    const killed = await until("the other browser", () => chromium.connectOverCDP(`http://127.0.0.1:${port}`));
    const [context] = killed.contexts();
    context.setDefaultTimeout(15_000);
    const page = await context.newPage();
    await signIn(page, house.url, "sanne@winkel.example");
    await page.getByRole("navigation", { name: "Main menu" }).waitFor();
    await open(page, "Slang lekt");
    await page.keyboard.press("r");
    await page.keyboard.type("Dear Lotte, the hose");
    await page.locator('input[type="file"]').setInputFiles({ name: "slang.txt", mimeType: "text/plain", buffer: Buffer.from("zo") });
    await page.getByRole("button", { name: "Remove slang.txt" }).waitFor();
    await saved(page).waitFor();
    await page.getByRole("button", { name: "Note", exact: true }).click();
    await page.getByRole("textbox", { name: "Text of the note" }).fill("Ask the workshop.");
    await saved(page).waitFor();
    await until("no copy in the browser", () => page.evaluate(() => !Object.keys(sessionStorage).some((name) => name.includes("writing."))));
    await page.getByRole("button", { name: "Reply", exact: true }).click();
    await saved(page).waitFor();
    await pause(300);
    process.kill(-process_.pid, "SIGKILL");
    await gone;
  } finally {
    if (process_.exitCode === null && process_.signalCode === null) process.kill(-process_.pid, "SIGKILL");
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
  const { page } = sanne;
  await page.goto(`${house.url}/inbox/open`);
  await row(page, "Slang lekt").getByText("Draft").waitFor();
  await open(page, "Slang lekt");
  await value(page, "Dear Lotte, the hose");
  await page.getByRole("button", { name: "Remove slang.txt" }).waitFor();
  await page.getByRole("button", { name: "Note", exact: true }).click();
  await until("the note", async () => (await page.getByRole("textbox", { name: "Text of the note" }).inputValue()) === "Ask the workshop.");
  await page.getByRole("button", { name: "Reply", exact: true }).click();
  // It stands in the list of drafts, and a colleague has none of it.
  await page.goto(`${house.url}/inbox/drafts`);
  await row(page, "Slang lekt").waitFor();
  assert.deepEqual(await findings(page, "drafts"), []);
  await page.setViewportSize({ width: 1280, height: 800 });
  await open(daan.page, "Slang lekt");
  assert.equal(await field(daan.page).inputValue(), "");
  assert.equal(await daan.page.getByText("Draft", { exact: true }).count(), 0);
});

test("who leaves the page, or signs out, in the middle of a word finds it again", async () => {
  const other = await window(browser);
  try {
    const { page } = other;
    await signIn(page, house.url, "daan@winkel.example", PASSWORD);
    await page.getByRole("navigation", { name: "Main menu" }).waitFor();
    await open(page, "Ketel koud");
    await field(page).fill("Left in the mid");
    await saved(page).waitFor();
    await field(page).fill("Left in the middle");
    await page.goto("about:blank");
    await open(daan.page, "Ketel koud");
    await value(daan.page, "Left in the middle");
    await open(page, "Ketel koud");
    await value(page, "Left in the middle");
    await field(page).fill("Left in the middle of a word");
    await page.getByRole("button", { name: "Account of Daan Bos" }).click();
    await page.getByRole("menuitem", { name: "Sign out" }).click();
    await page.waitForURL(/sign-in/);
    assert.equal(await page.evaluate(() => JSON.stringify({ ...sessionStorage }).includes("middle")), false, "nothing stays in the browser");
    await value(daan.page, "Left in the middle of a word");
    // Thrown away it is gone everywhere.
    await field(daan.page).fill("");
    await until("no draft", async () => (await row(daan.page, "Ketel koud").getByText("Draft").count()) === 0);
  } finally {
    await other.context.close();
  }
});

test("two windows of one person never overwrite each other in silence", async () => {
  const other = await window(browser);
  try {
    await signIn(other.page, house.url, "sanne@winkel.example", PASSWORD);
    await other.page.getByRole("navigation", { name: "Main menu" }).waitFor();
    await open(sanne.page, "Pomp piept");
    await open(other.page, "Pomp piept");
    await field(sanne.page).fill("From the office.");
    await saved(sanne.page).waitFor();
    // A window in which nothing is written follows the other.
    await value(other.page, "From the office.");
    // Offline one goes on, and says that it is not saved.
    await other.context.setOffline(true);
    await field(other.page).fill("From the office. And the train.");
    await other.page.getByText("Not saved yet.").waitFor();
    await field(sanne.page).fill("From the office, once more.");
    await saved(sanne.page).waitFor();
    await pause(1_200);
    await other.context.setOffline(false);
    await other.page.getByText("You have changed this draft in another window").waitFor({ timeout: 30_000 });
    assert.deepEqual(await findings(other.page, "a draft that was changed"), []);
    await other.page.setViewportSize({ width: 1280, height: 800 });
    await other.page.getByRole("button", { name: "Put both together" }).click();
    const both = "From the office, once more.\n\nFrom the office. And the train.";
    await value(other.page, both);
    await value(sanne.page, both);
    // Sent in one, it is gone in the other.
    await field(other.page).press("Control+Enter");
    await other.page.getByText(/Handed to/).first().waitFor();
    await value(sanne.page, "");
    await until("one mail", () => post.mails.filter((one) => one.text.includes("once more")).length === 1);
    assert.equal((await ask("GET", "/drafts")).items.some((one) => one.conversation?.subject === "Pomp piept"), false);
  } finally {
    await other.context.close();
  }
});

test("a colleague sees who reads and who writes, takes the reply over, and nothing is lost", async () => {
  await open(sanne.page, "Ketel koud");
  await daan.page.goto(`${house.url}/inbox/open`);
  await row(daan.page, "Ketel koud").getByText("Sanne de Vries is reading this").waitFor({ state: "attached" });
  await row(daan.page, "Ketel koud").click();
  await daan.page.getByRole("list", { name: "Also here" }).getByText("Sanne de Vries is reading this").waitFor({ state: "attached" });
  await sanne.page.keyboard.press("r");
  await sanne.page.keyboard.type("Dear Els, we");
  await daan.page.getByText("Sanne de Vries is writing a reply.", { exact: true }).waitFor();
  assert.ok(await field(daan.page).evaluate((one) => one.readOnly), "one writes at a time");
  assert.deepEqual(await findings(daan.page, "somebody writes"), []);
  await daan.page.setViewportSize({ width: 1280, height: 800 });
  await daan.page.getByRole("button", { name: "Take over" }).click();
  await until("Daan can write", () => field(daan.page).evaluate((one) => !one.readOnly));
  await sanne.page.getByText("Daan Bos has taken the reply over.").waitFor();
  assert.equal(await field(sanne.page).inputValue(), "Dear Els, we");
  assert.ok(await sanne.page.getByRole("button", { name: "Send", exact: true }).isDisabled());
  await field(daan.page).fill("Dear Els, I come by.");
  await field(daan.page).press("Control+Enter");
  await daan.page.getByText(/Handed to/).first().waitFor();
  // His answer has gone: Sanne can write again, and what she wrote was written without having read it.
  await until("Sanne can write", () => field(sanne.page).evaluate((one) => !one.readOnly));
  await field(sanne.page).press("End");
  await sanne.page.keyboard.type(" send a van.");
  await field(sanne.page).press("Control+Enter");
  await sanne.page.getByText("A colleague’s answer went out while you were writing.").waitFor();
  assert.deepEqual(await findings(sanne.page, "overtaken"), []);
  await sanne.page.setViewportSize({ width: 1280, height: 800 });
  assert.equal(post.mails.filter((one) => one.text.includes("send a van")).length, 0, "no double answer");
  assert.equal(await field(sanne.page).inputValue(), "Dear Els, we send a van.");
  await sanne.page.getByRole("button", { name: "Send mine as well" }).click();
  await until("both mails", () => post.mails.filter((one) => one.text.includes("send a van")).length === 1);
  await until("an empty field", async () => (await field(sanne.page).inputValue()) === "");
  // Who leaves is seen to leave.
  await daan.page.goto(`${house.url}/settings/profile`);
  await until("Sanne alone", async () => (await sanne.page.getByRole("list", { name: "Also here" }).count()) === 0);
});
