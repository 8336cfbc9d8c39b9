// SPDX-License-Identifier: EUPL-1.2
// The system's Chromium, and pages that keep what goes wrong on them.

import { chromium } from "playwright-core";

/** The password of everybody in tests. */
export const PASSWORD = "correct paard batterij";

/**
 * The engine without the window around it: a quarter less processor time. What a browser does beside its pages, such as
 * push and notifications, is the window's.
 */
const BARE = process.env.BELOFTE_CHROMIUM ?? "/usr/bin/chromium-headless-shell";
const WHOLE = process.env.BELOFTE_CHROMIUM ?? "/usr/bin/chromium";

const start = (executablePath, more) =>
  chromium.launch({
    executablePath,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      ...more,
    ],
  });

/** A browser for what happens in pages, … */
export const launch = (...more) => start(BARE, more);
/** … and a whole one. */
export const launchWhole = (...more) => start(WHOLE, more);

/** Mail of this window goes out at once; a test of taking it back says how long it waits. */
export const atOnce = (context) =>
  context.addInitScript(() => {
    try {
      localStorage.getItem("belofte.undo") ?? localStorage.setItem("belofte.undo", "0");
    } catch {
      // A page without storage has no desk either.
    }
  });

/** A window of its own; `wrong` gathers script errors and policy violations. */
export async function window(browser, options = {}) {
  const context = await browser.newContext({
    ignoreHTTPSErrors: true,
    locale: "en-GB",
    timezoneId: "Europe/Amsterdam",
    viewport: { width: 1280, height: 800 },
    reducedMotion: "reduce",
    ...options,
  });
  context.setDefaultTimeout(15_000);
  await atOnce(context);
  const page = await context.newPage();
  const wrong = [];
  page.on("pageerror", (error) => wrong.push(`script: ${error.message}`));
  page.on("console", (line) => {
    // Refusals and a line that was cut are what some tests are about; the page shows them.
    if (line.type() === "error" && !/status of 4\d\d|ERR_|WebSocket connection/.test(line.text())) {
      wrong.push(`console: ${line.text()}`);
    }
  });
  return { context, page, wrong };
}

/** Uses an invitation as its receiver does. */
export async function accept(page, link, name, email) {
  await page.goto(link);
  await page.getByLabel("Your name").fill(name);
  await page.getByLabel("E-mail address").fill(email);
  await page.getByRole("textbox", { name: "Password" }).fill(PASSWORD);
  await page.getByRole("button", { name: "Create account" }).click();
  await page.getByRole("navigation", { name: "Main menu" }).waitFor();
}

export async function signIn(page, url, email, password = PASSWORD) {
  await page.goto(`${url}/sign-in`);
  await page.locator('input[name="email"]').fill(email);
  await page.locator('input[name="password"]').fill(password);
  await page.keyboard.press("Enter");
}
