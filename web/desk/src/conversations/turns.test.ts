// SPDX-License-Identifier: EUPL-1.2

import { describe, expect, it } from "vitest";
import { inTurn } from "./turns";

/** A conversation as the server keeps it: who does not know its version is refused. */
function kept(version: number) {
  const answers: (() => void)[] = [];
  return {
    answers,
    change: (on: number) =>
      new Promise<{ version: number }>((done, failed) => {
        answers.push(() => {
          if (on !== version) return failed(new Error("somebody else was first"));
          version += 1;
          done({ version });
        });
      }),
  };
}

const tick = () => new Promise((done) => setTimeout(done));

describe("turns", () => {
  it("makes each change on what the one before it left", async () => {
    const { answers, change } = kept(4);
    const first = inTurn("a", 4, change);
    const second = inTurn("a", 4, change);
    await tick();
    expect(answers).toHaveLength(1);
    answers.shift()?.();
    expect(await first).toEqual({ version: 5 });
    await tick();
    answers.shift()?.();
    expect(await second).toEqual({ version: 6 });
  });

  it("goes on after one that was refused", async () => {
    const { answers, change } = kept(7);
    const refused = inTurn("b", 6, change);
    const next = inTurn("b", 7, change);
    answers.shift()?.();
    await expect(refused).rejects.toThrow("first");
    await tick();
    answers.shift()?.();
    expect(await next).toEqual({ version: 8 });
  });

  it("lets conversations not wait for each other, and sends at once what waits for nothing", () => {
    const { answers, change } = kept(1);
    void inTurn("c", 1, change);
    void inTurn("d", 1, change);
    expect(answers).toHaveLength(2);
  });
});
