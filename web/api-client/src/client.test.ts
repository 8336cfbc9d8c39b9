// SPDX-License-Identifier: EUPL-1.2
import { describe, expect, it, vi } from "vitest";
import { createApi } from "./client";
import { ApiError, NoAnswer } from "./errors";

function withAnswer(answer: (request: Request) => Response | Promise<Response>) {
  const seen: Request[] = [];
  const api = createApi({
    baseUrl: "https://desk.example",
    language: () => "nl",
    newKey: () => "key-1",
    fetch: async (request) => {
      seen.push(request);
      return answer(request);
    },
  });
  return { api, seen };
}

const json = (status: number, body: unknown) =>
  new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json" } });

describe("client", () => {
  it("marks unsafe requests and gives each POST an idempotency key", async () => {
    const { api, seen } = withAnswer(() => json(200, { items: [] }));
    await api.search.find("storing");
    await api.conversations.counts();
    expect(seen[0]?.headers.get("x-belofte")).toBe("1");
    expect(seen[0]?.headers.get("idempotency-key")).toBe("key-1");
    expect(seen[1]?.headers.get("x-belofte")).toBeNull();
  });

  it("keeps the key of a caller that retries", async () => {
    const { api, seen } = withAnswer(() => json(201, {}));
    await api.conversations.send("c", { kind: "note", text: "x", attachment_ids: [] }, "mine");
    expect(seen[0]?.headers.get("idempotency-key")).toBe("mine");
  });

  it("puts what is searched in the body, never in the address", async () => {
    const { api, seen } = withAnswer(() => json(200, { items: [] }));
    await api.search.find("Jansen");
    expect(seen[0]?.url).toBe("https://desk.example/api/v1/search");
    expect(await seen[0]?.json()).toEqual({ q: "Jansen", limit: 30 });
  });

  it("throws the problem of the server", async () => {
    const { api } = withAnswer(() => json(409, { type: "/errors/conflict", title: "Gewijzigd", status: 409, code: "conflict" }));
    const error = await api.conversations.counts().catch((e: unknown) => e);
    expect(error).toBeInstanceOf(ApiError);
    expect((error as ApiError).problem.title).toBe("Gewijzigd");
  });

  it("makes a problem of a page that a proxy sends", async () => {
    const { api } = withAnswer(() => new Response("<h1>Bad gateway</h1>", { status: 502 }));
    const error = await api.conversations.counts().catch((e: unknown) => e);
    expect((error as ApiError).code).toBe("busy");
  });

  it("tells a missing answer apart from a refusal", async () => {
    const { api } = withAnswer(() => Promise.reject(new TypeError("failed to fetch")));
    await expect(api.conversations.counts()).rejects.toBeInstanceOf(NoAnswer);
  });

  it("tells how long to wait, whether the server says so or a proxy", async () => {
    const refuse = (body: unknown) => new Response(JSON.stringify(body), { status: 429, headers: { "content-type": "application/json", "retry-after": "7" } });
    const wait = async (body: unknown) => {
      const error = await withAnswer(() => refuse(body)).api.conversations.counts().catch((e: unknown) => e);
      return (error as ApiError).problem.retry_after_s;
    };
    expect(await wait({ type: "/errors/too_many_tries", title: "Te vaak", status: 429, code: "too_many_tries", retry_after_s: 12 })).toBe(12);
    expect(await wait("rate limited")).toBe(7);
  });

  it("stops waiting for a server that is silent, and tells a caller that stopped itself apart", async () => {
    const silent = (request: Request) =>
      new Promise<Response>((_, failed) => {
        if (request.signal.aborted) failed(request.signal.reason);
        request.signal.addEventListener("abort", () => failed(request.signal.reason));
      });
    vi.spyOn(AbortSignal, "timeout").mockImplementation(() => AbortSignal.abort(new DOMException("late", "TimeoutError")));
    await expect(withAnswer(silent).api.conversations.counts()).rejects.toBeInstanceOf(NoAnswer);
    vi.restoreAllMocks();
    const stop = new AbortController();
    const asked = withAnswer(silent).api.conversations.counts(stop.signal);
    stop.abort();
    await expect(asked).rejects.toMatchObject({ name: "AbortError" });
  });

  it("accepts an empty answer", async () => {
    const { api } = withAnswer(() => new Response(null, { status: 204 }));
    await expect(api.session.end()).resolves.toBeUndefined();
  });
});
