// SPDX-License-Identifier: EUPL-1.2
// A shift: three agents in three browsers answer what customers write, for an hour. They take what
// lies on top, think, are called away in the middle of a sentence, reload, lose their browser, and
// get in each other's way; nobody but the desk tells them what a colleague does. `cargo xtask shift`.
//
// It ends well when every mail is answered, no answer went out twice, no customer got two answers to
// one question, everything that was typed was sent, and neither the pages nor the log hold an error.

import assert from "node:assert/strict";
import { accept, launchWhole, PASSWORD, signIn, window } from "./support/browser.mjs";
import { pause, startHouse, until } from "./support/house.mjs";
import { mail, send, startSubmission } from "./support/mail.mjs";

const MINUTES = Number(process.env.BELOFTE_MINUTES ?? 60);
const MAILS = Number(process.env.BELOFTE_MAILS ?? 200);
const BOX = "hulp@winkel.example";
const TEAM = [
  ["Sanne de Vries", "sanne"],
  ["Joris Bakker", "joris"],
  ["Noor El Amrani", "noor"],
];
const FIRST = [
  "Anna",
  "Bas",
  "Carla",
  "Dirk",
  "Eva",
  "Frits",
  "Gerda",
  "Hans",
  "Ina",
  "Jaap",
  "Karin",
  "Leo",
];
const LAST = ["Aalders", "Bos", "Cohen", "Dekker", "Elzinga", "Faber", "Groot", "Hoek"];

/** The same chance every time (mulberry32), so that a shift that went wrong can be worked again. */
function chance(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const seed = Number(process.env.BELOFTE_SEED ?? 1);
const begun = Date.now();
const end = begun + MINUTES * 60_000;
/** So long a thought takes: an hour of 200 mails leaves an agent 54 s for each; a short shift thinks quicker. */
const think = Math.min(1, (MINUTES * 60 * TEAM.length) / MAILS / 40);
const thought = (random, seconds) => pause(random() * seconds * 1000 * think);

const browser = await launchWhole();
const post = await startSubmission();
const house = await startHouse();
/** What each agent was about to send, and whether the desk said that it went out. */
const written = [];
const cases = new Map();
const tally = {
  answered: 0,
  beaten: 0,
  gave_way: 0,
  reloads: 0,
  crashes: 0,
  interrupted: 0,
  notes: 0,
};
let coming = true;
/** What a new house says on purpose. */
const EXPECTED = [
  /root key/,
  /key_backup_dir/,
  /certificate made by itself/,
  /no name server answers/,
];

function ask(page, method, path, body) {
  return page.evaluate(
    async ([how, where, what]) => {
      const answer = await fetch(`/api/v1${where}`, {
        method: how,
        headers: {
          "content-type": "application/json",
          "X-Belofte": "1",
          "Idempotency-Key": crypto.randomUUID(),
        },
        ...(what ? { body: JSON.stringify(what) } : {}),
      });
      const text = await answer.text();
      if (!answer.ok) throw new Error(`${how} ${where}: ${answer.status} ${text}`);
      return text ? JSON.parse(text) : null;
    },
    [method, path, body],
  );
}

/** The customers: most write something new, some come back to an answer that they got. */
async function customers() {
  const random = chance(seed);
  for (let number = 1; number <= MAILS; number += 1) {
    const due = begun + ((end - begun) * 0.85 * number) / MAILS;
    await pause(Math.max(0, due - Date.now()));
    const answered = [...cases.values()].filter((one) => one.answers.length === one.questions);
    if (random() < 0.25 && answered.length > 0) {
      const one = answered[Math.floor(random() * answered.length)];
      const id = /^Message-ID: *(<[^>]+>)/im.exec(one.answers.at(-1))?.[1];
      one.questions += 1;
      await send(
        house.smtp,
        BOX,
        mail(
          one.name,
          one.address,
          `Re: ${one.subject}`,
          `Dank u. Nog iets (${number}).`,
          `In-Reply-To: ${id}\r\nReferences: ${id}\r\n`,
        ),
      );
    } else {
      const [first, last] = [FIRST[number % FIRST.length], LAST[number % LAST.length]];
      const one = {
        name: `${first} ${last}`,
        address: `klant${number}@klant.example`,
        subject: `Vraag ${number} van ${first}`,
        questions: 1,
        answers: [],
      };
      cases.set(one.address, one);
      await send(
        house.smtp,
        BOX,
        mail(
          one.name,
          one.address,
          one.subject,
          `Beste winkel,\r\n\r\nWaar blijft bestelling ${number}?\r\n\r\n${first}`,
        ),
      );
    }
  }
  coming = false;
}

/** What arrived at the customers, laid beside what they asked. */
async function letterbox() {
  let read = 0;
  while (!letterbox.over) {
    for (; read < post.mails.length; read += 1) {
      const { to, text } = post.mails[read];
      for (const address of to) cases.get(address)?.answers.push(text);
    }
    await pause(100);
  }
}

class Agent {
  constructor(number, desk) {
    this.name = TEAM[number][0];
    this.email = `${TEAM[number][1]}@winkel.example`;
    this.random = chance(seed * 1_000 + number);
    this.desk = desk;
    this.serial = 0;
  }

  get page() {
    return this.desk.page;
  }

  field() {
    return this.page.getByRole("textbox", { name: "Text of the reply" });
  }

  rows() {
    return this.page.locator("[data-row]");
  }

  async holds(text) {
    await until(
      `“${text}” in the reply of ${this.name}`,
      async () => (await this.field().inputValue()) === text,
    );
  }

  /** Opens what lies on top of the list of nobody's; false when there is nothing. */
  async take() {
    if (!this.page.url().includes("/inbox/unassigned"))
      await this.page.goto(`${house.url}/inbox/unassigned`);
    const rows = this.rows();
    if ((await rows.count()) === 0) return false;
    // The one that waits longest, or one near it: that is how people get in each other's way.
    const count = await rows.count();
    const at = count - 1 - Math.floor(this.random() * Math.min(4, count));
    try {
      await rows.nth(at).click({ timeout: 2_000 });
      await this.page.waitForURL(/\/inbox\/unassigned\/[\w-]{36}$/, { timeout: 2_000 });
    } catch {
      return false;
    }
    await this.page.getByRole("log", { name: "Messages" }).getByRole("article").first().waitFor();
    return true;
  }

  async type(text) {
    await this.field().pressSequentially(text, { delay: 15 });
  }

  /** The desk says that the server has what was typed. */
  async saved() {
    await this.page.getByText("Draft saved", { exact: true }).waitFor();
  }

  /** Whether a colleague writes here, as the desk says. */
  async taken() {
    return this.page
      .getByText(/ is writing a reply\.?$/)
      .first()
      .isVisible();
  }

  /** Throws away what was begun here, and looks for other work. */
  async giveWay() {
    tally.gave_way += 1;
    await until(
      "an empty reply",
      async () => {
        // Somebody who still holds the reply lets nobody write in it, and goes on or goes away.
        if ((await this.field().inputValue()) === "") return true;
        await this.field()
          .fill("", { timeout: 1_000 })
          .catch(() => {});
        return false;
      },
      60_000,
    );
    await this.page.goto(`${house.url}/inbox/unassigned`);
  }

  async reload() {
    tally.reloads += 1;
    await this.saved();
    await this.page.reload();
    await this.field().waitFor();
  }

  /** The browser is gone without a word; the agent signs in from another one. */
  async crash() {
    tally.crashes += 1;
    await this.saved();
    const url = this.page.url();
    const { context, wrong } = this.desk;
    // No page hears of it: the process behind it ends.
    await context.close({ runBeforeUnload: false });
    this.desk = await window(browser);
    this.desk.wrong.push(...wrong);
    await signIn(this.page, house.url, this.email, PASSWORD);
    await this.page.getByRole("navigation", { name: "Main menu" }).waitFor();
    await this.page.goto(url);
    await this.field().waitFor();
  }

  /** Called away: a note on another conversation, and back. */
  async interrupted() {
    tally.interrupted += 1;
    const url = this.page.url();
    await this.page.goto(`${house.url}/inbox/open`);
    const rows = this.rows();
    if ((await rows.count()) > 0) {
      await rows.first().click();
      await this.page.getByRole("log", { name: "Messages" }).getByRole("article").first().waitFor();
      await this.page.keyboard.press("n");
      const note = this.page.getByRole("textbox", { name: "Text of the note" });
      await note.fill(`Gebeld door de monteur (${this.name}).`);
      await note.press("Control+Enter");
      await until("an empty note", async () => (await note.inputValue().catch(() => "")) === "");
      tally.notes += 1;
    }
    await this.page.goto(url);
    await this.field().waitFor();
  }

  async answer() {
    const { random } = this;
    this.serial += 1;
    await thought(random, 20);
    // Somebody writes here, or has answered while this one read.
    if (
      (await this.taken()) ||
      !(await this.page.getByRole("button", { name: "Status: Open; change" }).isVisible())
    ) {
      tally.gave_way += 1;
      await this.page.goto(`${house.url}/inbox/unassigned`);
      return;
    }
    await this.page.keyboard.press("r");
    await this.field().waitFor();
    const before = await this.field().inputValue();
    assert.equal(before, "", `${this.name} finds an empty reply`);
    const [first, second] = [
      `Antwoord ${this.serial} van ${this.name}.`,
      ` Uw pakket komt morgen.`,
    ];
    await this.type(first);
    // Both began at one moment: one of them has the reply, and the other one is told.
    if (await this.taken()) return this.giveWay();
    await thought(random, 10);
    const mood = random();
    if (mood < 0.08) await this.reload();
    else if (mood < 0.13) await this.crash();
    else if (mood < 0.25) await this.interrupted();
    if (mood < 0.25) await this.holds(first);
    // A colleague has taken it over while this one was away.
    if (await this.taken()) return this.giveWay();
    await this.field().evaluate((field) => {
      field.focus();
      field.setSelectionRange(field.value.length, field.value.length);
    });
    await this.type(second);
    await thought(random, 10);
    if (await this.taken()) return this.giveWay();
    const text = first + second;
    const entry = { text, by: this.name, outcome: "typed" };
    written.push(entry);
    await this.field().press("Control+Enter");
    await this.outcome(entry);
  }

  /** Sent; or a colleague was first, and the agent lets theirs be. */
  async outcome(entry) {
    const sent = this.page.getByRole("log", { name: "Messages" }).getByText(entry.text);
    const beaten = this.page.getByText("A colleague’s answer went out while you were writing.");
    await sent.or(beaten).first().waitFor();
    if (await beaten.isVisible()) {
      tally.beaten += 1;
      entry.outcome = "beaten";
      await this.holds(entry.text);
      await this.field().fill("");
      await this.page.goto(`${house.url}/inbox/unassigned`);
      return;
    }
    entry.outcome = "sent";
    tally.answered += 1;
    await this.holds("");
    await this.page.keyboard.press("Escape");
    await this.page.keyboard.press("e");
  }

  async work() {
    for (;;) {
      if (await this.take()) await this.answer();
      else {
        await pause(300);
        const open = await ask(this.page, "GET", "/conversations/counts");
        if (!coming && open.unassigned === 0) return;
        if (Date.now() > end + 300_000)
          throw new Error(`${this.name} is not done: ${JSON.stringify(open)}`);
      }
    }
  }
}

const sanne = await window(browser);
await accept(sanne.page, house.invitation, TEAM[0][0], "sanne@winkel.example");
await ask(sanne.page, "POST", "/channel-accounts", {
  address: BOX,
  from_name: "Winkel",
  kind: "email",
  submission: { host: "127.0.0.1", port: post.port, security: "none" },
});
const agents = [new Agent(0, sanne)];
for (const [name, short] of TEAM.slice(1)) {
  const desk = await window(browser);
  const { link } = await ask(sanne.page, "POST", "/invitations", { role: "agent" });
  await accept(
    desk.page,
    link.replace(/^https:\/\/[^/]+/, house.url),
    name,
    `${short}@winkel.example`,
  );
  agents.push(new Agent(agents.length, desk));
}

/** What an answer is worth: each went out once, and no question was answered twice. */
function judge() {
  const faults = [];
  for (const { text, by, outcome } of written) {
    const letters = post.mails.filter((one) => one.text.includes(text)).length;
    const wanted = outcome === "sent" ? 1 : 0;
    if (letters !== wanted)
      faults.push(`“${text}” of ${by} (${outcome}) went out ${letters} times`);
  }
  for (const one of cases.values()) {
    if (one.answers.length !== one.questions)
      faults.push(`${one.subject}: ${one.questions} questions, ${one.answers.length} answers`);
  }
  for (const { name, desk } of agents) faults.push(...desk.wrong.map((line) => `${name}: ${line}`));
  const log = house
    .logs()
    .split("\n")
    .filter((line) => / (WARN|ERROR) |panicked/.test(line));
  faults.push(...log.filter((line) => !EXPECTED.some((one) => one.test(line))));
  return faults;
}

let failure;
try {
  const looking = letterbox();
  await Promise.all([customers(), ...agents.map((one) => one.work())]);
  // What was sent last is on its way.
  await until(
    "the last answer",
    () => [...cases.values()].every((one) => one.answers.length === one.questions),
    60_000,
  ).catch(() => {});
  letterbox.over = true;
  await looking;
} catch (error) {
  failure = error;
  for (const { name, page } of agents) {
    console.error(
      `\n== ${name} ${page.url()}\n${(
        await page
          .locator("body")
          .innerText()
          .catch(() => "")
      ).slice(0, 1_500)}`,
    );
  }
}
const faults = failure ? [String(failure.stack)] : judge();
console.log(
  JSON.stringify({
    shift: {
      minutes: MINUTES,
      took_s: Math.round((Date.now() - begun) / 1000),
      mails: MAILS,
      conversations: cases.size,
      agents: TEAM.length,
      ...tally,
      faults: faults.length,
    },
  }),
);
for (const fault of faults) console.error(fault);
await Promise.race([Promise.all([browser.close(), post.close(), house.close()]), pause(10_000)]);
// Whoever still works when one of them could not go on is sent home.
process.exit(faults.length > 0 ? 1 : 0);
