// SPDX-License-Identifier: EUPL-1.2
// How long people wait for the inbox and for a long conversation, in Chromium and on the wire.
// Run by `cargo xtask bench desk` against a server that it has filled; tells one line of JSON.

import assert from "node:assert/strict";
import { Agent, get } from "node:https";
import { accept, launchWhole, signIn, window } from "./support/browser.mjs";

const need = (name) => {
  const value = process.env[name];
  assert.ok(value, `${name} is missing`);
  return value;
};
const url = need("BELOFTE_URL");
const rounds = Number(need("BELOFTE_ROUNDS"));
const long = need("BELOFTE_LONG");

const browser = await launchWhole();
try {
  const { context, page } = await window(browser);
  context.setDefaultTimeout(60_000);
  const invitation = process.env.BELOFTE_INVITATION;
  if (invitation) await accept(page, `${url}/invitation#${invitation}`, "Sanne de Vries", "sanne@bench.example");
  else {
    await signIn(page, url, "sanne@bench.example");
    await page.getByRole("navigation", { name: "Main menu" }).waitFor();
  }

  // The calls of the first page, as the desk makes them, on one connection that is open already.
  const cookie = (await context.cookies()).map((one) => `${one.name}=${one.value}`).join("; ");
  const agent = new Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false });
  const ask = (path) =>
    new Promise((done, failed) => {
      const begun = performance.now();
      get(url + path, { agent, headers: { cookie } }, (answer) => {
        answer.resume();
        answer.on("end", () => {
          if (answer.statusCode === 200) done(performance.now() - begun);
          else failed(new Error(`${path}: ${answer.statusCode}`));
        });
      }).on("error", failed);
    });
  const times = async (path) => {
    for (let warm = 0; warm < 10; warm += 1) await ask(path);
    const all = [];
    for (let round = 0; round < rounds; round += 1) all.push(await ask(path));
    return all;
  };
  const list = (more) => `/api/v1/conversations?limit=50&${more}`;
  const inbox = await times(list("status=open&assignee=any"));
  const unassigned = await times(list("status=open&assignee=none"));
  const counts = await times("/api/v1/conversations/counts");
  agent.destroy();

  // From the navigation until the first row is painted.
  await context.addInitScript(() => {
    const look = new MutationObserver(() => {
      if (!document.querySelector("ul li time")) return;
      look.disconnect();
      // A task after the frame that has the row: its paint is done, and no frame is waited for in vain.
      requestAnimationFrame(() => {
        const after = new MessageChannel();
        after.port1.onmessage = () => {
          window.firstRow = performance.now();
        };
        after.port2.postMessage(null);
      });
    });
    look.observe(document, { childList: true, subtree: true });
  });
  const paint = [];
  for (let round = 0; round < Math.max(5, rounds / 20); round += 1) {
    await page.goto(`${url}/inbox/open`);
    paint.push(await page.waitForFunction(() => window.firstRow).then((found) => found.jsonValue()));
  }

  // In a desk that is there: from the click on the view until its first row is painted. What is one's own is
  // empty, and nothing of the list is known before.
  const within = [];
  for (let round = 0; round < Math.max(5, rounds / 20); round += 1) {
    await page.goto(`${url}/inbox/mine`);
    const view = page.locator('a[href="/inbox/open"]').first();
    await view.waitFor();
    await page.waitForTimeout(300);
    within.push(
      await view.evaluate(async (element) => {
        const begun = performance.now();
        element.click();
        const frame = () => new Promise((next) => requestAnimationFrame(next));
        while (!document.querySelector("ul li time")) {
          if (performance.now() - begun > 30_000) throw new Error("no row came");
          await frame();
        }
        const after = new MessageChannel();
        await new Promise((next) => {
          after.port1.onmessage = next;
          requestAnimationFrame(() => after.port2.postMessage(null));
        });
        return performance.now() - begun;
      }),
    );
  }

  // The long conversation: opened from the list, then read back to its first message.
  const opened = [];
  for (let round = 0; round < 5; round += 1) {
    await page.goto(`${url}/search`);
    await page.locator("#search-field").fill(long);
    const link = page.getByRole("listitem").getByRole("link").first();
    await link.waitFor();
    opened.push(
      await link.evaluate(async (element) => {
        const begun = performance.now();
        element.click();
        const log = () => document.querySelector('[role="log"] article');
        while (!log()) await new Promise((next) => requestAnimationFrame(next));
        await new Promise((next) => requestAnimationFrame(next));
        return performance.now() - begun;
      }),
    );
  }
  const read = await page.evaluate(async () => {
    const log = document.querySelector('[role="log"]');
    const begun = performance.now();
    let worst = 0;
    let most = 0;
    let still = 0;
    let last = begun;
    // A hundred frames at the top without anything more coming in is the beginning.
    while (still < 100) {
      const before = log.scrollTop;
      log.scrollTop = Math.max(0, before - 400);
      const now = await new Promise((next) => requestAnimationFrame(next));
      worst = Math.max(worst, now - last);
      last = now;
      most = Math.max(most, log.querySelectorAll("article").length);
      still = before === 0 && log.scrollTop === 0 ? still + 1 : 0;
    }
    return { seconds: (last - begun) / 1000, worst, most, height: log.scrollHeight };
  });
  console.log(JSON.stringify({ inbox, unassigned, counts, paint, within, opened, read }));
} finally {
  await browser.close();
}
