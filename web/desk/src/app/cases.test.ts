// SPDX-License-Identifier: EUPL-1.2

import type { ConversationRow, SearchHit, SearchPage } from "@belofte/api-client";
import { expect, it } from "vitest";
import { casesOf, MOST, PAGES } from "./cases";

const CARLA = { id: "carla", name: "Carla Cohen", address: "carla@klant.example" };
const hit = (id: string, contact: string) => ({ conversation: { id, contact: { id: contact } } as ConversationRow }) as SearchHit;
const page = (items: SearchHit[], next_cursor?: string) =>
  ({ items, took_ms: 1, indexed_lag: 0, unindexed: false, ...(next_cursor ? { next_cursor } : {}) }) as SearchPage;
const ids = (rows: ConversationRow[]) => rows.map((row) => row.id);

it("finds the conversations of a person, each once, and nobody else's", async () => {
  const asked: unknown[] = [];
  const rows = await casesOf(CARLA, async (words, cursor) => {
    asked.push([words, cursor]);
    return cursor ? page([hit("a", "carla"), hit("d", "carla")]) : page([hit("b", "carla"), hit("c", "bas"), hit("b", "carla"), hit("a", "carla")], "more");
  });
  expect(ids(rows)).toEqual(["b", "a", "d"]);
  expect(asked).toEqual([["carla@klant.example ", undefined], ["carla@klant.example ", "more"]]);
});

it("looks for the name of somebody without an address", async () => {
  let asked = "";
  const rows = await casesOf({ ...CARLA, address: "" }, async (words) => {
    asked = words;
    return page([hit("a", "carla"), hit("b", "other carla")]);
  });
  expect(asked).toBe("Carla Cohen ");
  expect(ids(rows)).toEqual(["a"]);
});

it("ends, however much there is", async () => {
  let pages = 0;
  const others = await casesOf(CARLA, async () => {
    pages += 1;
    return page([hit(`b${pages}`, "bas")], "more");
  });
  expect([others.length, pages]).toEqual([0, PAGES]);
  const many = await casesOf(CARLA, async () => page(Array.from({ length: MOST + 10 }, (_, at) => hit(`a${at}`, "carla")), "more"));
  expect(many).toHaveLength(MOST);
});
