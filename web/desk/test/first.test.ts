// SPDX-License-Identifier: EUPL-1.2
//! What `first.js` asks for is what the desk asks for a moment later, to the letter.

import { readFileSync } from "node:fs";
import { runInNewContext } from "node:vm";
import { createApi } from "@belofte/api-client";
import { describe, expect, it } from "vitest";
import { FILTERS, VIEWS } from "../src/conversations/views";

const source = readFileSync(new URL("../src/first.js", import.meta.url), "utf8");
const ID = "01930000-0000-7000-8000-000000000013";

function asked(pathname: string, kept: Record<string, string> = { "belofte.in": "1" }) {
  const attributes: Record<string, string> = {};
  const paths: string[] = [];
  runInNewContext(source, {
    localStorage: { getItem: (key: string) => kept[key] ?? null },
    matchMedia: () => ({ matches: true }),
    document: { documentElement: { setAttribute: (name: string, value: string) => Object.assign(attributes, { [name]: value }) } },
    window: {},
    location: { pathname },
    fetch: (path: string) => {
      paths.push(path);
      return Promise.resolve();
    },
  });
  return { paths, scheme: attributes["data-mantine-color-scheme"] };
}

async function askedByDesk(view: (typeof VIEWS)[number], conversation?: string) {
  const paths: string[] = [];
  const api = createApi({
    baseUrl: "https://desk.example",
    language: () => "nl",
    newKey: () => "key",
    fetch: async (request) => {
      paths.push(request.url.replace("https://desk.example", ""));
      return new Response("{}", { headers: { "content-type": "application/json" } });
    },
  });
  await api.session.get();
  await api.conversations.list({ ...FILTERS[view], limit: 50 });
  if (conversation) {
    await api.conversations.get(conversation);
    await api.conversations.messages(conversation);
  }
  await api.conversations.counts();
  return paths;
}

describe("first.js", () => {
  it("asks for the session, the list and its counts as the desk does", async () => {
    for (const view of VIEWS) expect(asked(`/inbox/${view}`).paths).toEqual(await askedByDesk(view));
    expect(asked("/").paths).toEqual(await askedByDesk("mine"));
  });
  it("asks for the conversation that the address names", async () => {
    expect(asked(`/inbox/open/${ID}`).paths).toEqual(await askedByDesk("open", ID));
  });
  it("asks for no list where none is shown, and for nothing while nobody is signed in", () => {
    expect(asked("/settings/profile").paths).toEqual(["/api/v1/session", "/api/v1/conversations/counts"]);
    expect(asked("/inbox/nergens").paths).not.toContainEqual(expect.stringContaining("status="));
    expect(asked("/inbox/mine", {}).paths).toEqual([]);
  });
  it("sets the colours that were chosen, else those of the system", () => {
    expect(asked("/", {}).scheme).toBe("dark");
    expect(asked("/", { "belofte.scheme": "light" }).scheme).toBe("light");
  });
});
