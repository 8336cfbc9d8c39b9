// SPDX-License-Identifier: EUPL-1.2
// An agent answers a mail, by keyboard where that is quicker: signs in, opens the conversation
// named by BELOFTE_SUBJECT, sends BELOFTE_ANSWER, and waits until the desk says that the mail
// server has it. Run by the integration tests against a real server.

import assert from "node:assert/strict";
import { atOnce, launch } from "./support/browser.mjs";

const need = (name) => {
  const value = process.env[name];
  assert.ok(value, `${name} is missing`);
  return value;
};
const url = need("BELOFTE_URL");
const browser = await launch();
const context = await browser.newContext({
  ignoreHTTPSErrors: true,
  locale: "en-GB",
  viewport: { width: 1280, height: 800 },
});
await atOnce(context);
const page = await context.newPage();
const wrong = [];
page.on("pageerror", (error) => wrong.push(`script: ${error.message}`));
page.on("console", (line) => {
  // A first visit is not signed in, which is an answer and no fault.
  if (line.type() === "error" && !line.text().includes("401")) wrong.push(`console: ${line.text()}`);
});

try {
  await page.goto(url);
  await page.locator('input[name="email"]').fill(need("BELOFTE_EMAIL"));
  await page.locator('input[name="password"]').fill(need("BELOFTE_PASSWORD"));
  await page.keyboard.press("Enter");
  // The desk begins with one's own; nobody has this one yet.
  await page.getByText("Unassigned", { exact: true }).first().click();
  const row = page.getByText(need("BELOFTE_SUBJECT")).first();
  await row.waitFor({ timeout: 20_000 });
  await row.click();
  await page.getByRole("button", { name: "Resolve" }).first().waitFor();
  // r opens the reply, without a chord.
  await page.keyboard.press("r");
  const field = page.getByRole("textbox", { name: "Text of the reply" });
  await field.waitFor();
  await field.fill(need("BELOFTE_ANSWER"));
  await page.keyboard.press("Control+Enter");
  await page.getByText(/Handed to|Delivered to/).first().waitFor({ timeout: 30_000 });
  assert.deepEqual(wrong, [], "the page made no errors");
} catch (error) {
  const text = await page.locator("body").innerText().catch(() => "");
  console.error(error, "\n", wrong.join("\n"), "\n", text.slice(0, 2_000));
  process.exitCode = 1;
} finally {
  await browser.close();
}
