// SPDX-License-Identifier: EUPL-1.2
// The built server with a data folder and ports of its own, one tenant that nobody has joined
// yet, and a line between browser and server that a test can cut. Nothing of it outlives the run.

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync, openSync, closeSync } from "node:fs";
import { get } from "node:https";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const BINARY =
  process.env.BELOFTE_BINARY ?? fileURLToPath(new URL("../../../target/debug/belofte", import.meta.url));

export const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** Asks again until `look` gives something; what it threw last is the reason when it never does. */
export async function until(what, look, ms = 20_000) {
  const end = Date.now() + ms;
  let reason;
  for (;;) {
    try {
      const found = await look();
      if (found) return found;
    } catch (error) {
      reason = error;
    }
    if (Date.now() > end) throw new Error(`${what} did not come about`, { cause: reason });
    await pause(50);
  }
}

// Below what Linux gives to outgoing connections by default (`ip_local_port_range` begins at 32768),
// so that no connection of a browser takes a port before its server listens on it.
const FIRST_PORT = 10_000;
const PORTS = 22_000;
let nextPort = (process.pid * 37) % PORTS;

/** A server that listens at `where`, or null when somebody else does. */
const listening = (where) =>
  new Promise((done) => {
    const server = createServer();
    server.once("error", () => done(null)).listen(where, () => done(server));
  });

/**
 * Different free ports of the loopback, which no other process that asks here gets for as long as this one lives: each is
 * held by a name in the abstract namespace (unix(7)), as the tests of the server hold theirs. Files run side by side.
 */
export async function freePorts(count) {
  const ports = [];
  for (let tries = 0; ports.length < count && tries < PORTS; tries += 1) {
    const port = FIRST_PORT + nextPort;
    nextPort = (nextPort + 1) % PORTS;
    const mine = await listening({ path: `\0belofte-test-port-${port}` });
    if (!mine) continue;
    const server = await listening({ port, host: "127.0.0.1" });
    if (!server) {
      mine.close();
      continue;
    }
    mine.unref();
    ports.push(port);
    server.close();
    await once(server, "close");
  }
  if (ports.length < count) throw new Error("the loopback has no free ports");
  return ports;
}

/** Passes bytes on between the browser and the server until it is cut. */
class Line {
  sockets = new Set();
  constructor(from, to) {
    this.from = from;
    this.to = to;
  }
  async restore() {
    this.server = createServer((near) => {
      const far = connect(this.to, "127.0.0.1");
      for (const [one, other] of [[near, far], [far, near]]) {
        this.sockets.add(one);
        one.on("error", () => other.destroy());
        one.on("close", () => {
          this.sockets.delete(one);
          other.destroy();
        });
        one.pipe(other);
      }
    });
    this.server.listen(this.from, "127.0.0.1");
    await once(this.server, "listening");
  }
  async cut() {
    const closed = once(this.server, "close");
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }
}

export async function startHouse({ more = "" } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "belofte-e2e-"));
  const [https, outside, smtp] = await freePorts(3);
  const config = join(folder, "belofte.toml");
  writeFileSync(
    config,
    `[server]\nlisten = "127.0.0.1:${https}"\npublic_url = "https://localhost:${outside}"\n` +
      `[data]\nfolder = ${JSON.stringify(join(folder, "data"))}\n[smtp]\nlisten = "127.0.0.1:${smtp}"\n` +
      `[outbound]\nallow_private = ["127.0.0.0/8"]\n${more}`,
  );
  const command = (...args) =>
    JSON.parse(execFileSync(BINARY, [...args, "--config", config, "--json"], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }));
  const tenant = command("tenant", "create", "winkel", "--name", "Winkel");
  const log = join(folder, "log");
  const out = openSync(log, "w");
  const server = spawn(BINARY, ["serve", "--config", config], { stdio: ["ignore", out, out] });
  closeSync(out);
  const logs = () => readFileSync(log, "utf8");
  // Whatever ends the run ends the server, and its folder goes with it.
  const gone = () => {
    server.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  process.once("exit", gone);
  const line = new Line(outside, https);
  await line.restore();
  const ready = () =>
    new Promise((done, failed) => {
      if (server.exitCode !== null) return failed(new Error(`the server ended: ${logs()}`));
      const request = get({ port: https, host: "127.0.0.1", path: "/readyz", rejectUnauthorized: false }, (answer) => {
        answer.resume();
        done(answer.statusCode === 200);
      });
      request.on("error", failed);
    });
  await until("the server", ready, 60_000);
  return {
    url: `https://localhost:${outside}`,
    invitation: tenant.invitation,
    smtp,
    line,
    folder,
    pid: server.pid,
    logs,
    async close() {
      await line.cut();
      const ended = once(server, "exit");
      server.kill("SIGTERM");
      await Promise.race([ended, pause(5_000)]);
      process.off("exit", gone);
      gone();
    },
  };
}
