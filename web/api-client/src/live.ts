// SPDX-License-Identifier: EUPL-1.2
//! The live connection: resumes by sequence number, tries again with growing,
//! scattered pauses, and notices a line that is dead without having closed.

import type { LiveFrame, WhisperFrame } from "./schema";

export type LiveState = "connecting" | "open" | "lost" | "stopped";

export interface LiveOptions {
  /** Address of the endpoint without `since`. */
  url: string;
  /** Where to resume: the last sequence number that was handled. */
  since: number;
  onFrame: (frame: LiveFrame) => void;
  /** What holds at this moment and has no number. */
  onWhisper?: (frame: WhisperFrame) => void;
  onState: (state: LiveState, retryInMs: number | null) => void;
  /** Called when a connection could not be made or the session ended; the caller checks its session. */
  onRefused?: () => void;
  random?: () => number;
  socket?: (url: string) => WebSocket;
}

export interface LiveConnection {
  /** Says something to the server; nothing while the line is not open. */
  say: (what: object) => void;
  /** Looks at once whether the line lives, for instance when the network or the person came back. */
  nudge: () => void;
  stop: () => void;
}

export const PING_MS = 25_000;
export const PONG_MS = 10_000;
/** The close code with which the server says that the session is over. */
export const SESSION_ENDED = 4401;
const FIRST_MS = 500;
const MOST_MS = 30_000;

/** Full jitter: anywhere between half a step and a whole one, so that desks do not return as one. */
export function pauseBefore(attempt: number, random: () => number): number {
  const step = Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(attempt, 10));
  return Math.round(step / 2 + (random() * step) / 2);
}

export function connectLive(options: LiveOptions): LiveConnection {
  const random = options.random ?? Math.random;
  const open = options.socket ?? ((url: string) => new WebSocket(url));
  let seq = options.since;
  let attempt = 0;
  let stopped = false;
  let socket: WebSocket | null = null;
  let retry: ReturnType<typeof setTimeout> | null = null;
  let ping: ReturnType<typeof setInterval> | null = null;
  let pong: ReturnType<typeof setTimeout> | null = null;
  let probe: (() => void) | null = null;
  /** The socket, once it has been greeted. */
  let live: WebSocket | null = null;

  function clearTimers() {
    if (retry) clearTimeout(retry);
    if (ping) clearInterval(ping);
    if (pong) clearTimeout(pong);
    retry = ping = pong = probe = live = null;
  }

  function again() {
    if (stopped) return;
    clearTimers();
    const pause = pauseBefore(attempt, random);
    attempt += 1;
    options.onState("lost", pause);
    retry = setTimeout(start, pause);
  }

  function start() {
    if (stopped) return;
    clearTimers();
    if (attempt === 0) options.onState("connecting", null);
    let greeted = false;
    const mine = open(`${options.url}?since=${seq}`);
    socket = mine;
    // A browser tells of the end of a line that is dead only after a while: nobody waits for that.
    const drop = () => {
      if (mine !== socket || stopped) return;
      socket = null;
      mine.close();
      if (!greeted) options.onRefused?.();
      again();
    };
    // A server that accepts and then says nothing is as lost as one that is away.
    pong = setTimeout(drop, PONG_MS);
    mine.onmessage = (event) => {
      if (mine !== socket || stopped) return;
      if (pong) clearTimeout(pong);
      pong = null;
      const frame = read(event.data);
      if (!frame) return;
      if (!("seq" in frame)) return options.onWhisper?.(frame);
      if (!greeted) {
        greeted = true;
        attempt = 0;
        // Whoever hears that it is open may speak at once.
        live = mine;
        options.onState("open", null);
        probe = () => {
          mine.send('{"ping":1}');
          if (!pong) pong = setTimeout(drop, PONG_MS);
        };
        ping = setInterval(probe, PING_MS);
      }
      // After a resync the history is gone: continue from where the server is.
      if (frame.kind === "resync") seq = frame.seq;
      // `hello` carries the newest number of the server, while the frames
      // between ours and that one are still to come: it must not move ours.
      else if (frame.kind !== "hello") {
        if (frame.seq <= seq) return;
        seq = frame.seq;
      }
      options.onFrame(frame);
    };
    mine.onclose = (event?: { code?: number }) => {
      if (mine !== socket || stopped) return;
      socket = null;
      if (!greeted || event?.code === SESSION_ENDED) options.onRefused?.();
      again();
    };
  }

  start();
  return {
    say(what) {
      // One that is closing says so a moment later; what is told then is told again on the next line.
      if (live && live.readyState === live.OPEN) live.send(JSON.stringify(what));
    },
    nudge() {
      if (stopped) return;
      // A machine that slept may hold a line that is long dead and has not been told.
      if (socket) return probe?.();
      attempt = 0;
      start();
    },
    stop() {
      stopped = true;
      clearTimers();
      options.onState("stopped", null);
      socket?.close();
      socket = null;
    },
  };
}

function read(data: unknown): LiveFrame | WhisperFrame | null {
  if (typeof data !== "string") return null;
  try {
    const value: unknown = JSON.parse(data);
    if (typeof value === "object" && value !== null && "kind" in value) {
      return "seq" in value ? (value as unknown as LiveFrame) : (value as WhisperFrame);
    }
  } catch {
    // Not a frame of ours: nothing to act upon.
  }
  return null;
}
