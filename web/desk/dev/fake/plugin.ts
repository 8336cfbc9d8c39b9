// SPDX-License-Identifier: EUPL-1.2
//! Puts the made-up API in front of `vite` and `vite preview`. `preview` sends
//! the content security policy that the server sends, so that what it breaks
//! is seen before anybody else sees it.

import { readFileSync } from "node:fs";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Plugin } from "vite";
import { type WebSocket, WebSocketServer } from "ws";
import { answer, events, fake, receive } from "./api";
import { cases, users, me } from "./data";

export const policy = /```csp\n([^`]+)```/
  .exec(readFileSync(new URL("../../README.md", import.meta.url), "utf8"))?.[1]
  ?.trim()
  .replace(/\s*\n\s*/g, " ");

const COOKIE = "belofte-fake";

async function read(request: IncomingMessage): Promise<Uint8Array> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

async function handle(request: IncomingMessage, response: ServerResponse) {
  const url = new URL(request.url ?? "/", "http://localhost");
  const raw = await read(request);
  const isJson = (request.headers["content-type"] ?? "").includes("json");
  // Times of the outside world, so that skeletons and progress are seen.
  const slow = Number(process.env.FAKE_LATENCY ?? 0);
  if (slow) await new Promise((done) => setTimeout(done, slow));
  if (url.pathname === "/api/v1/fake/receive") {
    for (const one of [...cases.values()].slice(8, 11)) receive(one, "Is er al nieuws over mijn vraag?");
    response.writeHead(204).end();
    return;
  }
  if (url.pathname === "/api/v1/fake/presence") {
    const [writer, reader] = users.filter((user) => user.id !== me.id);
    const subject = url.searchParams.get("who") ?? "";
    const id = [...cases.values()].find((one) => one.row.contact.name.includes(subject))?.row.id ?? "";
    if (writer && reader) {
      const people = [{ user_id: writer.id, state: "writing" as const }, { user_id: reader.id, state: "viewing" as const }];
      events.whisper({ kind: "presence", conversation_id: id, people, writer_id: writer.id });
    }
    response.writeHead(204).end();
    return;
  }
  if (url.pathname === "/api/v1/fake/role") {
    me.role = url.searchParams.get("role") === "agent" ? "agent" : "admin";
    me.privacy_officer = me.role === "admin";
    response.writeHead(204).end(String(users.length));
    return;
  }
  const result = answer({
    method: request.method ?? "GET",
    path: url.pathname.replace("/api/v1", ""),
    query: url.searchParams,
    body: isJson && raw.length ? JSON.parse(Buffer.from(raw).toString("utf8")) : {},
    raw,
    language: (request.headers["accept-language"] ?? "nl").startsWith("en") ? "en" : "nl",
    signedIn: (request.headers.cookie ?? "").includes(`${COOKIE}=1`),
  });
  if (result.session === "start") response.setHeader("set-cookie", `${COOKIE}=1; Path=/; HttpOnly; SameSite=Strict`);
  if (result.session === "end") response.setHeader("set-cookie", `${COOKIE}=; Path=/; Max-Age=0`);
  if (result.bytes) {
    response.writeHead(200, {
      "content-type": result.bytes.type,
      "content-disposition": `attachment; filename*=UTF-8''${encodeURIComponent(result.bytes.name)}`,
    });
    response.end(result.bytes.data);
    return;
  }
  response.writeHead(result.status, {
    "content-type": result.status >= 400 ? "application/problem+json" : "application/json",
  });
  response.end(result.json === undefined ? undefined : JSON.stringify(result.json));
}

function live(server: Server) {
  const sockets = new Set<WebSocket>();
  const wss = new WebSocketServer({ noServer: true });
  server.on("upgrade", (request, socket, head) => {
    if (!(request.url ?? "").startsWith("/api/v1/live")) return;
    wss.handleUpgrade(request, socket, head, (ws) => {
      sockets.add(ws);
      ws.on("close", () => sockets.delete(ws));
      ws.on("message", () => ws.send('{"pong":1}'));
      ws.send(JSON.stringify({ seq: fake.seq, kind: "hello", at: new Date().toISOString() }));
    });
  });
  events.whisper = (whisper) => {
    for (const socket of sockets) socket.send(JSON.stringify(whisper));
  };
  events.frame = (frame) => {
    fake.seq += 1;
    const text = JSON.stringify({ ...frame, seq: fake.seq, at: new Date().toISOString() });
    for (const socket of sockets) socket.send(text);
  };
}

type Next = () => void;
function serve(request: IncomingMessage, response: ServerResponse, next: Next) {
  if (!(request.url ?? "").startsWith("/api/")) return next();
  handle(request, response).catch((error: unknown) => {
    response.writeHead(500).end(String(error));
  });
}

export function fakeApi(): Plugin {
  return {
    name: "belofte-fake-api",
    configureServer(server) {
      server.middlewares.use(serve);
      if (server.httpServer) live(server.httpServer as Server);
    },
    configurePreviewServer(server) {
      server.middlewares.use((_request, response, next) => {
        if (policy) response.setHeader("content-security-policy", policy);
        response.setHeader("x-content-type-options", "nosniff");
        next();
      });
      server.middlewares.use(serve);
      live(server.httpServer as Server);
    },
  };
}
