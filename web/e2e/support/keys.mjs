// SPDX-License-Identifier: EUPL-1.2
// Hands that know no mouse: the focus walks, and what is found under it is pressed.

import assert from "node:assert/strict";

/** Walks with a key until the focus is on what is asked for. */
export async function walkTo(page, wanted, key, most = 60) {
  for (let step = 0; step < most; step += 1) {
    if (await wanted.evaluate((one) => one === document.activeElement)) return;
    await page.keyboard.press(key);
  }
  assert.fail(`${key} does not come to ${wanted}`);
}

export const tabTo = (page, wanted, most) => walkTo(page, wanted, "Tab", most);

/** Comes to something with Tab and presses it, as it says by a ring around it where the focus is. */
export async function press(page, wanted, { most, key = "Enter", back = false } = {}) {
  await wanted.waitFor();
  await walkTo(page, wanted, back ? "Shift+Tab" : "Tab", most);
  await page.keyboard.press(key);
}

/** Opens a menu by its button and takes one of its items with the arrows. */
export async function choose(page, button, name, options) {
  await press(page, button, options);
  const item = page.getByRole("menuitem", { name });
  await item.waitFor();
  await walkTo(page, item, "ArrowDown", 20);
  await page.keyboard.press("Enter");
}
