// SPDX-License-Identifier: EUPL-1.2
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { connectLive, PING_MS, PONG_MS, pauseBefore } from "./live";
import type { LiveFrame } from "./schema";

class FakeSocket {
  static all: FakeSocket[] = [];
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event?: { code: number }) => void) | null = null;
  sent: string[] = [];
  closed = false;
  readonly OPEN = 1;
  readyState = 1;
  constructor(readonly url: string) {
    FakeSocket.all.push(this);
  }
  send(text: string) {
    this.sent.push(text);
  }
  close() {
    this.closed = true;
    this.readyState = 3;
    this.onclose?.();
  }
  say(value: unknown) {
    this.onmessage?.({ data: typeof value === "string" ? value : JSON.stringify(value) });
  }
}

function last(): FakeSocket {
  const socket = FakeSocket.all.at(-1);
  if (!socket) throw new Error("no socket was opened");
  return socket;
}

function connect(since = 10) {
  const frames: LiveFrame[] = [];
  const states: string[] = [];
  const connection = connectLive({
    url: "/live",
    since,
    random: () => 1,
    socket: (url) => new FakeSocket(url) as unknown as WebSocket,
    onFrame: (frame) => frames.push(frame),
    onState: (state) => states.push(state),
  });
  return { connection, frames, states };
}

const at = "2026-03-01T10:00:00.000Z";

beforeEach(() => {
  vi.useFakeTimers();
  FakeSocket.all = [];
});
afterEach(() => vi.useRealTimers());

describe("live connection", () => {
  it("resumes at the last handled number, not at the number of hello", () => {
    const { frames } = connect(10);
    expect(last().url).toBe("/live?since=10");
    last().say({ seq: 15, kind: "hello", at });
    last().say({ seq: 11, kind: "message_created", at });
    last().close();
    vi.advanceTimersByTime(500);
    expect(last().url).toBe("/live?since=11");
    expect(frames.map((f) => f.kind)).toEqual(["hello", "message_created"]);
  });

  it("hands over no frame twice", () => {
    const { frames } = connect(10);
    last().say({ seq: 12, kind: "hello", at });
    last().say({ seq: 12, kind: "message_created", at });
    last().say({ seq: 12, kind: "message_created", at });
    expect(frames).toHaveLength(2);
  });

  it("hands over what has no number for itself, and speaks only while it is open", () => {
    const whispers: string[] = [];
    const frames: LiveFrame[] = [];
    const connection = connectLive({
      url: "/live",
      since: 10,
      socket: (url) => new FakeSocket(url) as unknown as WebSocket,
      onFrame: (frame) => frames.push(frame),
      onWhisper: (whisper) => whispers.push(whisper.kind),
      onState: (state) => {
        if (state === "open") connection.say({ here: "at once" });
      },
    });
    connection.say({ here: "too early" });
    expect(last().sent).toEqual([]);
    last().say({ seq: 12, kind: "hello", at });
    last().say({ kind: "presence", conversation_id: "c", people: [] });
    last().say({ seq: 13, kind: "message_created", at });
    expect(whispers).toEqual(["presence"]);
    expect(frames.map((frame) => frame.seq)).toEqual([12, 13]);
    expect(last().sent).toEqual(['{"here":"at once"}']);
    const gone = last();
    gone.readyState = 2;
    connection.say({ here: "while it closes" });
    expect(gone.sent).toHaveLength(1);
    gone.close();
    connection.say({ here: "too late" });
    expect(gone.sent).toHaveLength(1);
  });

  it("continues from the number of a resync", () => {
    connect(10);
    last().say({ seq: 900, kind: "resync", at });
    last().close();
    vi.advanceTimersByTime(500);
    expect(last().url).toBe("/live?since=900");
  });

  it("waits longer each time and starts small again after success", () => {
    const { states } = connect();
    last().close();
    vi.advanceTimersByTime(500);
    last().close();
    vi.advanceTimersByTime(999);
    expect(FakeSocket.all).toHaveLength(2);
    vi.advanceTimersByTime(1);
    expect(FakeSocket.all).toHaveLength(3);
    last().say({ seq: 10, kind: "hello", at });
    last().close();
    vi.advanceTimersByTime(500);
    expect(FakeSocket.all).toHaveLength(4);
    expect(states).toContain("lost");
  });

  it("closes a line on which no pong comes back", () => {
    connect();
    last().say({ seq: 10, kind: "hello", at });
    const first = last();
    vi.advanceTimersByTime(PING_MS);
    expect(first.sent).toEqual(['{"ping":1}']);
    vi.advanceTimersByTime(PONG_MS);
    expect(first.closed).toBe(true);
  });

  it("does not wait for the browser to notice that a dead line is dead", () => {
    connect();
    last().say({ seq: 10, kind: "hello", at });
    const first = last();
    // A close that nobody answers tells nothing for a long time.
    first.close = () => undefined;
    vi.advanceTimersByTime(PING_MS + PONG_MS + 500);
    expect(FakeSocket.all).toHaveLength(2);
    expect(last().url).toBe("/live?since=10");
  });

  it("asks at once when the person comes back after a day, and goes on where it was", () => {
    const { connection, states } = connect(10);
    last().say({ seq: 10, kind: "hello", at });
    last().say({ seq: 11, kind: "message_created", at });
    const first = last();
    // The machine slept: no timer ran, and nothing was told of the line.
    connection.nudge();
    expect(first.sent).toEqual(['{"ping":1}']);
    vi.advanceTimersByTime(PONG_MS + 500);
    expect(FakeSocket.all).toHaveLength(2);
    expect(last().url).toBe("/live?since=11");
    // So long ago that the server keeps it no more: everything is fetched anew.
    last().say({ seq: 5_000, kind: "resync", at });
    expect(states.at(-1)).toBe("open");
    last().close();
    connection.nudge();
    expect(last().url).toBe("/live?since=5000");
  });

  it("keeps a line that answers", () => {
    connect();
    last().say({ seq: 10, kind: "hello", at });
    for (let i = 0; i < 3; i++) {
      vi.advanceTimersByTime(PING_MS);
      last().say('{"pong":1}');
    }
    expect(FakeSocket.all).toHaveLength(1);
    expect(last().closed).toBe(false);
  });

  it("asks for the session when the server says that it ended", () => {
    const refused = vi.fn();
    connectLive({
      url: "/live",
      since: 1,
      socket: (url) => new FakeSocket(url) as unknown as WebSocket,
      onFrame: () => undefined,
      onState: () => undefined,
      onRefused: refused,
    });
    last().say({ seq: 1, kind: "hello", at });
    last().onclose?.({ code: 1012 });
    expect(refused).not.toHaveBeenCalled();
    vi.advanceTimersByTime(500);
    last().say({ seq: 1, kind: "hello", at });
    last().onclose?.({ code: 4401 });
    expect(refused).toHaveBeenCalledTimes(1);
  });

  it("does nothing after stop", () => {
    const { connection } = connect();
    connection.stop();
    vi.advanceTimersByTime(100_000);
    expect(FakeSocket.all).toHaveLength(1);
  });

  it("scatters its pauses and never waits longer than half a minute", () => {
    expect(pauseBefore(0, () => 0)).toBe(250);
    expect(pauseBefore(0, () => 1)).toBe(500);
    expect(pauseBefore(50, () => 1)).toBe(30_000);
  });
});
