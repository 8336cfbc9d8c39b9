// SPDX-License-Identifier: EUPL-1.2
// The desk on a bad day: keys that come quicker than views, answers that do not come or refuse,
// a session that ends in the middle of a sentence; and what axe finds on every view.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { findings, SIZES } from "./support/access.mjs";
import { ask as asked } from "./support/api.mjs";
import { accept, launch, PASSWORD, window } from "./support/browser.mjs";
import { pause, startHouse, until } from "./support/house.mjs";
import { mail, send, startSubmission } from "./support/mail.mjs";

const BOX = "hulp@winkel.example";
const PEOPLE = ["Anna Aalders", "Bas Bakker", "Carla Cohen", "Dirk Dekker", "Eva Elzinga", "Frits Faber"];
const subject = (who) => `Vraag van ${who.split(" ")[0]}`;
let house;
let post;
let browser;
let sanne;

before(async () => {
  // One by one: what has begun is ended again when the next one fails.
  browser = await launch();
  post = await startSubmission();
  house = await startHouse({ more: "[limits]\nattachment_bytes = 65536\n" });
  sanne = await window(browser);
  const { page } = sanne;
  await accept(page, house.invitation, "Sanne de Vries", "sanne@winkel.example");
  await ask("POST", "/channel-accounts", {
    address: BOX,
    from_name: "Winkel",
    kind: "email",
    submission: { host: "127.0.0.1", port: post.port, security: "none" },
  });
  for (const who of PEOPLE) {
    const address = `${who.split(" ")[0].toLowerCase()}@klant.example`;
    await send(house.smtp, BOX, mail(who, address, subject(who), `Beste winkel,\r\n\r\nWaar blijft mijn pakket?\r\n\r\n${who}`));
  }
});

after(async () => {
  await browser?.close();
  await post?.close();
  await house?.close();
});

/** Asks the API as Sanne, past her desk. */
const ask = (method, path, body) => asked(sanne.page, method, path, body);

const row = (page, text) => page.getByRole("listitem").filter({ hasText: text }).getByRole("link").first();
const field = (page, name = "Text of the reply") => page.getByRole("textbox", { name });

async function open(page, who, view = "open") {
  await page.goto(`${house.url}/inbox/${view}`);
  await row(page, subject(who)).click();
  await page.getByRole("heading", { name: subject(who) }).waitFor();
}

const holds = (box, text) => until(`“${text}”`, async () => (await box.inputValue()) === text);

/** Presses keys in one go, as a hand that knows them does: no view can come in between. */
const burst = (page, keys) =>
  page.evaluate((all) => {
    for (const key of all) {
      const target = document.activeElement ?? document.body;
      const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
      const typed = target.dispatchEvent(event) && key.length === 1 && target.matches("input, textarea");
      if (typed) document.execCommand("insertText", false, key);
    }
  }, keys);

test("what is typed right after r is the reply, whichever view is still on its way", async () => {
  const { page } = sanne;
  await page.goto(`${house.url}/inbox/open`);
  await row(page, subject("Frits Faber")).waitFor();
  const open = (await ask("GET", "/conversations/counts")).open;
  await burst(page, ["j", "j", "r", ..."een nee, jan e"]);
  await holds(field(page), "een nee, jan e");
  await page.getByRole("heading", { name: subject("Eva Elzinga") }).waitFor();
  await field(page).fill("");
  await page.keyboard.press("Escape");
  // The focus is where one can see it, and the next key is a shortcut again.
  assert.notEqual(await page.evaluate(() => document.activeElement?.tagName), "BODY");
  await burst(page, ["k", "n", ..."jee"]);
  await holds(field(page, "Text of the note"), "jee");
  await page.getByRole("heading", { name: subject("Frits Faber") }).waitFor();
  await field(page, "Text of the note").fill("");
  await page.keyboard.press("Escape");
  await burst(page, ["/", ..."dekk"]);
  await holds(page.locator("#search-field"), "dekk");
  await page.getByText("1 found").waitFor();
  assert.equal((await ask("GET", "/conversations/counts")).open, open, "no letter of a text was taken for a shortcut");
});

test("what is typed right after an assignee is chosen is the reply", async () => {
  const { page } = sanne;
  await open(page, "Anna Aalders");
  await page.keyboard.press("a");
  const me = page.getByRole("button", { name: "Assign to me" });
  await me.focus();
  await page.keyboard.press("Enter");
  await burst(page, ["r", ..."jeneen"]);
  await holds(field(page), "jeneen");
  await page.getByRole("button", { name: /^Assigned to Sanne de Vries/ }).waitFor();
  await page.getByRole("heading", { name: subject("Anna Aalders") }).waitFor();
  await field(page).fill("");
});

test("the palette finds people, conversations, actions, settings and help, and gives the focus back", async () => {
  const { page } = sanne;
  await open(page, "Carla Cohen");
  const button = page.getByRole("button", { name: "Resolve", exact: true });
  await button.focus();
  await page.keyboard.press("Control+k");
  const combo = page.getByRole("combobox");
  const options = () => page.getByRole("option").allInnerTexts();
  await page.keyboard.type("cohe");
  await holds(combo, "cohe");
  await until("the person", async () => (await options()).some((one) => one.includes("carla@klant.example")));
  for (const [q, wanted] of [["write a n", "Write a note on Carla Cohen"], ["mailb", "Mailboxes"], ["keyb", "Keyboard"], ["waiting", "Waiting"]]) {
    await combo.fill(q);
    await until(wanted, async () => (await options()).some((one) => one.includes(wanted)));
  }
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await until("the focus", () => button.evaluate((element) => element === document.activeElement));
  await page.keyboard.press("Control+k");
  await page.keyboard.type("write a re");
  await page.getByRole("option", { name: /Write a reply to Carla Cohen/ }).waitFor();
  await page.keyboard.press("Enter");
  await until("the cursor in the reply", () => field(page).evaluate((element) => element === document.activeElement));
});

test("a person in the palette brings their conversations, and nobody else's", async () => {
  const { page } = sanne;
  // A namesake, and a mail of somebody else that holds every word of her address.
  await send(
    house.smtp,
    BOX,
    mail("Carla Cohen", "carla@klant.example", "Retour zonder bon", "Kan dat?"),
    mail("Bas Bakker", "bas@klant.example", "Namens een buurvrouw", "Carla vroeg het mij.", "Cc: Carla <carla@klant.example>\r\n"),
    mail("Carla Cohen", "post@elders.example", "Een naamgenoot", "Dag."),
  );
  await open(page, "Dirk Dekker");
  for (const one of ["Retour zonder bon", "Namens een buurvrouw", "Een naamgenoot"]) await row(page, one).waitFor();
  const combo = page.getByRole("combobox");
  const her = page.getByRole("option", { name: /^Carla Cohen ?carla@klant\.example$/ });
  const shown = () => page.getByRole("option").locator("span").allInnerTexts();
  const hers = ["Carla Cohen", "Retour zonder bon", "Carla Cohen", subject("Carla Cohen"), "Search for “carla@klant.example” in all messages"];
  const find = async () => {
    await page.keyboard.press("Control+k");
    await combo.waitFor();
    await page.keyboard.type("cohen");
    await her.waitFor();
  };
  await find();
  await until("her to be chosen", async () => {
    if ((await her.getAttribute("aria-selected")) === "true") return true;
    await page.keyboard.press("ArrowDown");
    return false;
  });
  await page.keyboard.press("Enter");
  await until("her conversations", async () => (await shown()).includes(hers.at(-1)));
  assert.deepEqual(await shown(), hers);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Retour zonder bon" }).waitFor();

  // A click does the same, and the cursor stays where one types; other words find other things again.
  await find();
  await her.click();
  await until("her conversations", async () => (await shown()).includes(hers.at(-1)));
  assert.deepEqual(await shown(), hers);
  await until("the cursor in the field", () => combo.evaluate((element) => element === document.activeElement));
  await page.keyboard.press("Control+a");
  await page.keyboard.type("keyb");
  await page.getByRole("option", { name: /^Keyboard/ }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
});

test("a press on one's account counts, also when its menu comes in between", async () => {
  const { page } = sanne;
  let give;
  const menu = new Promise((done) => {
    give = done;
  });
  await page.route(/\/account-menu-[^/]*\.js$/, async (route) => {
    await menu;
    await route.continue();
  });
  const asked = page.waitForRequest(/\/account-menu-/);
  await page.goto(`${house.url}/inbox/open`);
  const account = page.getByRole("button", { name: /^Account/ });
  await account.hover();
  await page.mouse.down();
  await asked;
  const came = page.waitForResponse(/\/account-menu-/);
  give();
  await (await came).finished();
  // Whatever a menu that is there does to the button has been done.
  await pause(300);
  await page.mouse.up();
  await page.getByRole("menuitem", { name: "Sign out" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("menuitem", { name: "Sign out" }).waitFor({ state: "hidden" });
  await until("the focus on the button", () => account.evaluate((one) => one === document.activeElement));
  await page.keyboard.press("Enter");
  await page.getByRole("menuitem", { name: "Sign out" }).waitFor();
  await page.keyboard.press("Escape");
  await page.unroute(/\/account-menu-[^/]*\.js$/);
});

test("what is typed about one person is not saved with another", async () => {
  const { page } = sanne;
  // Both are known to the desk: nothing is fetched, and nothing is drawn anew for that.
  await open(page, "Bas Bakker");
  await page.getByRole("button", { name: "Change name" }).waitFor();
  await row(page, subject("Carla Cohen")).click();
  await page.getByRole("heading", { name: subject("Carla Cohen") }).waitFor();
  await page.getByRole("button", { name: "Change name" }).click();
  const name = page.getByRole("textbox", { name: "Customer’s name" });
  await name.fill("Carla de Wit");
  await row(page, subject("Bas Bakker")).click();
  await page.getByRole("heading", { name: subject("Bas Bakker") }).waitFor();
  await until("no form", async () => (await name.count()) === 0);
});

test("keys that are switched off do nothing", async () => {
  const { page } = sanne;
  await ask("PATCH", "/me", { single_key_shortcuts: false });
  await open(page, "Carla Cohen");
  await page.getByRole("log").focus();
  await page.keyboard.press("r");
  await page.keyboard.press("?");
  await page.keyboard.press("j");
  await page.getByRole("heading", { name: subject("Carla Cohen") }).waitFor();
  assert.equal(await page.getByRole("dialog").count(), 0);
  assert.equal(await field(page).inputValue(), "");
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox").waitFor();
  await page.keyboard.press("Escape");
  await ask("PATCH", "/me", { single_key_shortcuts: true });
});

test("a reply that found no server is kept, and sent once when it is back", async () => {
  const { page } = sanne;
  await open(page, "Bas Bakker");
  await field(page).fill("Uw pakket komt morgen.");
  // The answer is lost, not the mail: what a broken line looks like from here.
  await page.route(/\/messages$/, async (route) => {
    await route.fetch();
    await route.abort("connectionreset");
  });
  await page.keyboard.press("Control+Enter");
  await page.getByText("No answer from the server").waitFor();
  await holds(field(page), "Uw pakket komt morgen.");
  await page.unroute(/\/messages$/);
  // Longer than until the words are saved once more, which did not go along.
  await pause(1_500);
  // Nor is it forgotten by who looks whether there is a note.
  await page.getByRole("button", { name: "Note", exact: true }).click();
  await field(page, "Text of the note").waitFor();
  await page.getByRole("button", { name: "Reply", exact: true }).click();
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByText(/Handed to the recipient/).waitFor();
  await holds(field(page), "");
  const sent = post.mails.filter((one) => one.text.includes("Uw pakket komt morgen."));
  assert.equal(sent.length, 1, "the customer has it once");
  // Nor do they come back as a draft of what has been sent.
  await pause(1_500);
  await page.reload();
  await field(page).waitFor();
  await pause(1_500);
  await holds(field(page), "");
});

test("what is sent before the conversation has come goes out when it is there", async () => {
  const { page } = sanne;
  await send(house.smtp, BOX, mail("Hanna Haas", "hanna@klant.example", "Vraag van Hanna", "Dag."));
  await row(page, "Vraag van Hanna").waitFor();
  const one = /\/conversations\/[0-9a-f-]{36}$/;
  let release = () => {};
  const held = new Promise((resolve) => {
    release = resolve;
  });
  await page.route(one, async (route) => {
    await held;
    await route.continue();
  });
  await row(page, "Vraag van Hanna").click();
  await field(page).fill("Dag Hanna, tot morgen.");
  await page.keyboard.press("Control+Enter");
  release();
  await page.getByText(/Handed to the recipient/).waitFor();
  await page.unroute(one);
  await holds(field(page), "");
  const sent = post.mails.filter((mailed) => mailed.text.includes("Dag Hanna, tot morgen."));
  assert.equal(sent.length, 1, "the customer has it once");
});

test("a session that ends in the middle of a sentence shows the door, and the sentence is still there", async () => {
  const { page } = sanne;
  await open(page, "Dirk Dekker");
  const address = page.url();
  await field(page).fill("Beste Dirk, wij zoeken");
  const mine = (await ask("GET", "/sessions")).items.find((one) => one.current);
  await ask("DELETE", `/sessions/${mine.id}`);
  await page.getByRole("heading", { name: "Sign in again" }).waitFor();
  assert.equal(await page.getByText("pakket").count(), 0, "nothing of anybody is on screen");
  assert.equal(page.url(), address);
  const password = page.locator('input[name="password"]');
  await until("the cursor in the password", () => password.evaluate((element) => element === document.activeElement));
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: subject("Dirk Dekker") }).waitFor();
  await holds(field(page), "Beste Dirk, wij zoeken");
  await page.keyboard.press("r");
  await page.keyboard.type(" het uit.");
  await holds(field(page), "Beste Dirk, wij zoeken het uit.");
  // What comes in is told again, by a line of the new session.
  await send(house.smtp, BOX, mail("Gerda Groot", "gerda@klant.example", "Na het aanmelden", "Dag."));
  await row(page, "Na het aanmelden").waitFor();
  await field(page).fill("");
});

test("a change that somebody else made first is told, and the newest state is shown", async () => {
  const { page } = sanne;
  await open(page, "Eva Elzinga");
  // Between reading and changing, somebody else was there.
  await page.route(/\/conversations\/[0-9a-f-]{36}$/, async (route) => {
    if (route.request().method() !== "PATCH") return route.continue();
    const body = route.request().postDataJSON();
    await route.continue({ postData: JSON.stringify({ ...body, version: body.version - 1 }) });
  });
  await page.getByRole("button", { name: /^Status/ }).click();
  await page.getByRole("menuitem", { name: "Waiting" }).click();
  await page.getByText(/was not changed/).waitFor();
  await page.getByRole("button", { name: "Status: Open; change" }).waitFor();
  await page.unroute(/\/conversations\/[0-9a-f-]{36}$/);
  await page.getByRole("button", { name: /^Status/ }).click();
  await page.getByRole("menuitem", { name: "Waiting" }).click();
  await page.getByRole("button", { name: "Status: Waiting; change" }).waitFor();
});

test("a file that is too large is refused beside it, and the reply goes without it", async () => {
  const { page } = sanne;
  await open(page, "Frits Faber");
  await page.locator('input[type="file"]').setInputFiles({ name: "film.bin", mimeType: "application/octet-stream", buffer: Buffer.alloc(200_000, 7) });
  const files = page.getByRole("list", { name: "Attachments to this message" });
  await files.getByRole("alert").waitFor();
  assert.match(await files.innerText(), /too large|larger than/i);
  await page.getByRole("button", { name: "Remove film.bin" }).click();
  await files.waitFor({ state: "detached" });
  await field(page).fill("Kunt u de film kleiner maken?");
  await page.keyboard.press("Control+Enter");
  await page.getByText(/Handed to the recipient/).waitFor();
});

test("a refusal for a while counts down to a button that works", async () => {
  const { page } = sanne;
  const list = /\/api\/v1\/conversations\?/;
  const refuse = (seconds) => (route) =>
    route.fulfill({
      status: 429,
      headers: { "retry-after": String(seconds) },
      contentType: "application/problem+json",
      body: JSON.stringify({ type: "/errors/too_many_tries", title: "Too many tries", detail: "This was tried too often.", status: 429, code: "too_many_tries" }),
    });
  await page.route(list, refuse(5));
  await page.goto(`${house.url}/inbox/open`);
  await page.getByText("Too many tries").waitFor();
  const button = page.getByRole("button", { name: /^Try again in \d seconds?$/ });
  assert.ok(await button.isDisabled(), "there is nothing to press while it counts down");
  await page.unroute(list);
  await page.getByRole("button", { name: "Try again", exact: true }).click();
  await row(page, subject("Carla Cohen")).waitFor();
  // A short one passes without a word.
  let refused = 0;
  await page.route(list, (route) => {
    refused += 1;
    return refused === 1 ? refuse(1)(route) : route.continue();
  });
  await page.goto(`${house.url}/inbox/open`);
  await row(page, subject("Carla Cohen")).waitFor();
  assert.equal(await page.getByText("Too many tries").count(), 0);
  await page.unroute(list);
});

test("a server that is slow says so, and the list comes in later", async () => {
  const { page } = sanne;
  const list = /\/api\/v1\/conversations\?/;
  let answer;
  const asked = new Promise((done) => {
    answer = done;
  });
  await page.route(list, async (route) => {
    await asked;
    await route.continue();
  });
  await page.goto(`${house.url}/inbox/open`);
  await page.getByText("The server is slow to answer.").waitFor();
  answer();
  await row(page, subject("Carla Cohen")).waitFor();
  await page.unroute(list);
});

test("a reload keeps place, address and draft", async () => {
  const { page } = sanne;
  const first = mail("Hans Hoek", "hans@klant.example", "Lange geschiedenis", "Begin.");
  const root = /Message-ID: (<[^>]+>)/.exec(first)[1];
  await send(house.smtp, BOX, first);
  await send(house.smtp, BOX, ...Array.from({ length: 24 }, (_, i) => mail("Hans Hoek", "hans@klant.example", "Re: Lange geschiedenis", `Regel ${i + 2}.\r\n${"Meer.\r\n".repeat(8)}`, `References: ${root}\r\n`)));
  await page.goto(`${house.url}/inbox/open`);
  await row(page, "Lange geschiedenis").click();
  await page.getByRole("log").getByText("Regel 25.").waitFor();
  const log = page.getByRole("log");
  await until("the middle", async () => {
    await log.evaluate((element) => element.scrollTo({ top: element.scrollHeight / 2 }));
    return page.getByText("Regel 13.").isVisible();
  });
  const seen = await until("what is read", () =>
    log.evaluate((element) => {
      const edge = element.getBoundingClientRect().top;
      return [...element.querySelectorAll("article")].find((one) => one.getBoundingClientRect().bottom > edge + 40)?.innerText.match(/Regel \d+/)?.[0];
    }),
  );
  await page.reload();
  await page.getByText(`${seen}.`).waitFor();
  await until("the same place", () => page.getByText(`${seen}.`).evaluate((element) => {
    const box = element.getBoundingClientRect();
    return box.bottom > 0 && box.top < innerHeight;
  }));
});

const VIEWS = [
  "/inbox/open",
  "/search",
  "/settings/profile",
  "/settings/sessions",
  "/settings/channels",
  "/settings/channels/new",
  "/settings/signing",
  "/settings/mail",
  "/settings/dead-letters",
  "/settings/users",
  "/settings/api-keys",
  "/privacy",
  "/nergens",
];

/** The view is there, and nothing of it is still on its way. */
const whole = (page) =>
  until("the view", () => page.evaluate(() => document.querySelector("h1, h2") && !document.querySelector("[aria-busy='true']")));

test("axe finds nothing on any view, in both languages, sizes and schemes", { timeout: 300_000 }, async () => {
  const { page } = sanne;
  const found = [];
  for (const language of ["nl", "en"]) {
    await ask("PATCH", "/me", { language });
    for (const path of VIEWS) {
      await page.setViewportSize(SIZES[0]);
      await page.goto(house.url + path);
      await page.locator(`html[lang="${language}"]`).waitFor();
      await whole(page);
      found.push(...(await findings(page, `${path} ${language}`)));
    }
    // An open conversation, and what floats over it.
    await page.setViewportSize(SIZES[0]);
    await page.goto(`${house.url}/inbox/open`);
    await row(page, subject("Carla Cohen")).click();
    await page.getByRole("article").first().waitFor();
    found.push(...(await findings(page, `conversation ${language}`)));
    const floats = {
      assign: ["a", "dialog"],
      help: ["?", "dialog"],
      palette: ["Control+k", "dialog"],
    };
    for (const [name, [keys, role]] of Object.entries(floats)) {
      await page.setViewportSize(SIZES[0]);
      await page.keyboard.press(keys);
      await page.getByRole(role).waitFor();
      found.push(...(await findings(page, `${name} ${language}`, SIZES.slice(0, 1), role)));
      await page.keyboard.press("Escape");
      await page.getByRole(role).waitFor({ state: "detached" });
    }
    await page.getByRole("button", { name: /^Status/ }).click();
    await page.getByRole("menu").waitFor();
    found.push(...(await findings(page, `status ${language}`, SIZES.slice(0, 1), "menu")));
    await page.keyboard.press("Escape");
  }
  const door = await window(browser);
  await door.page.goto(`${house.url}/sign-in`);
  await door.page.locator('input[name="password"]').waitFor();
  found.push(...(await findings(door.page, "sign-in")));
  await door.context.close();
  assert.deepEqual(found, []);
});

test("the pages made no errors", () => {
  assert.deepEqual(sanne.wrong.filter((line) => !/AbortError/.test(line)), []);
});
