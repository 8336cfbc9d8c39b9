// SPDX-License-Identifier: EUPL-1.2
// The API as somebody who is signed in on a page asks it, past their desk; and tests that tell what stood on the pages.

import assert from "node:assert/strict";
import { test } from "node:test";

/** Asks the API as the user of `page`; anything but success throws. */
export async function ask(page, method, path, body) {
  const answer = await page.evaluate(
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
      return { status: answer.status, text: await answer.text() };
    },
    [method, path, body],
  );
  assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${answer.text}`);
  return answer.text ? JSON.parse(answer.text) : null;
}

/** Tests that say what stood on the pages when they failed, and that no page of `windows()` made an error. */
export const watched = (windows) => (name, run) =>
  test(name, async () => {
    const all = windows().filter(Boolean);
    try {
      await run();
      for (const one of all) assert.deepEqual(one.wrong, [], "the page made no errors");
    } catch (error) {
      for (const { page, wrong } of all) {
        const text = await page
          .locator("body")
          .innerText()
          .catch(() => "");
        console.error(page.url(), wrong, text.slice(0, 1_500));
      }
      throw error;
    } finally {
      for (const one of all) one.wrong.length = 0;
    }
  });
