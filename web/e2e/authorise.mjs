// SPDX-License-Identifier: EUPL-1.2
// An admin lets a mailbox be used: goes from its settings (BELOFTE_ACCOUNT) to the provider, which sends them back,
// and sees that it holds; then has it forgotten. Run by the integration tests against a real server and a provider.

import assert from "node:assert/strict";
import { findings } from "./support/access.mjs";
import { launch } from "./support/browser.mjs";

const need = (name) => {
  const value = process.env[name];
  assert.ok(value, `${name} is missing`);
  return value;
};
const url = need("BELOFTE_URL");
const settings = `${url}/settings/channels/${need("BELOFTE_ACCOUNT")}`;
const browser = await launch();
const context = await browser.newContext({
  ignoreHTTPSErrors: true,
  locale: "en-GB",
  viewport: { width: 1280, height: 800 },
});
const page = await context.newPage();
const wrong = [];
page.on("pageerror", (error) => wrong.push(`script: ${error.message}`));
page.on("console", (line) => {
  // A first visit is not signed in, which is an answer and no fault.
  if (line.type() === "error" && !line.text().includes("401")) wrong.push(`console: ${line.text()}`);
});

try {
  await page.goto(settings);
  await page.locator('input[name="email"]').fill(need("BELOFTE_EMAIL"));
  await page.locator('input[name="password"]').fill(need("BELOFTE_PASSWORD"));
  await page.keyboard.press("Enter");
  const go = page.getByRole("button", { name: "Sign in at the provider" });
  await go.waitFor({ timeout: 20_000 });
  await page.getByText("Nobody has signed in yet").waitFor();
  await go.focus();
  await page.keyboard.press("Enter");
  // There and back again: what was brought is in no address any more.
  await page.getByText(/^Authorised since/).waitFor({ timeout: 20_000 });
  assert.equal(page.url(), settings);
  const visited = await page.evaluate(() => performance.getEntriesByType("navigation").map((one) => one.name));
  await page.goBack();
  assert.ok(!page.url().includes("code="), `${page.url()} ${visited}`);
  await page.goto(settings);
  await page.getByText(/^Authorised since/).waitFor();
  assert.deepEqual(await findings(page, "provider"), [], "everybody can use it");
  await page.setViewportSize({ width: 1280, height: 800 });
  const forget = page.getByRole("button", { name: "Forget the authorisation" });
  await forget.click();
  await page.getByRole("button", { name: /^Forget it/ }).click();
  await page.getByText("Nobody has signed in yet").waitFor();
  assert.deepEqual(wrong, [], "the page made no errors");
} catch (error) {
  const text = await page.locator("body").innerText().catch(() => "");
  console.error(error, "\n", page.url(), wrong.join("\n"), "\n", text.slice(0, 3_000));
  process.exitCode = 1;
} finally {
  await browser.close();
}
