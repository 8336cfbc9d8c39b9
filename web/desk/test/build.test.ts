// SPDX-License-Identifier: EUPL-1.2
//! What is built: small enough, nothing inline, nothing of the developer's tools.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = new URL("..", import.meta.url).pathname;
const LIMIT = 250_000;
let dist: string;
let html: string;

beforeAll(() => {
  dist = mkdtempSync(join(tmpdir(), "belofte-desk-"));
  const vite = new URL("../../node_modules/vite/bin/vite.js", import.meta.url).pathname;
  execFileSync(process.execPath, [vite, "build", "--outDir", dist, "--logLevel", "error"], {
    cwd: root,
    stdio: ["ignore", "ignore", "inherit"],
    // The test's own NODE_ENV would build React for development.
    env: { ...process.env, NODE_ENV: "production" },
  });
  html = readFileSync(join(dist, "index.html"), "utf8");
}, 120_000);
afterAll(() => rmSync(dist, { recursive: true, force: true }));

const packed = (file: string) => gzipSync(readFileSync(join(dist, file)), { level: 9 }).length;
const assets = () => readdirSync(join(dist, "assets"));

describe("build", () => {
  it("opens the first page with less than 250 kB gzipped in all", () => {
    const named = [...html.matchAll(/(?:src|href)="\/([^"]+)"/g)].map((match) => match[1] ?? "");
    // One language is fetched at the start; the heavier one is counted.
    const language = Math.max(...assets().filter((name) => /^(nl|en)-.*\.js$/.test(name)).map((name) => packed(`assets/${name}`)));
    const total = packed("index.html") + language + named.reduce((sum, file) => sum + packed(file), 0);
    console.info(`first page: ${(total / 1000).toFixed(1)} kB gzipped`);
    expect(language).toBeGreaterThan(1000);
    expect(total).toBeLessThan(LIMIT);
  });

  it("has no inline script, style or handler, which the policy forbids", () => {
    expect(html).not.toMatch(/<style|style="|\son\w+="/);
    const scripts = html.match(/<script[^>]*>[^<]*/g) ?? [];
    for (const tag of scripts) expect(tag).toMatch(/src="[^"]+"[^>]*>$/);
    // It sets the colours and asks for the first page: nothing runs before it, and nothing is asked twice for it.
    expect(scripts[0]).toMatch(/src="\/assets\/first-[\w-]{8}\.js"/);
  });

  it("names everything that may be cached for ever by its content", () => {
    for (const name of assets()) expect(name).toMatch(/-[\w-]{8}\.(js|css)$/);
  });

  it("puts the service worker at the root, with its words in both languages and nothing of the catalogue besides", () => {
    const worker = readFileSync(join(dist, "push.js"), "utf8");
    expect(worker).toContain('"title":"Nieuw in Belofte"');
    expect(worker).toContain('"title":"New in Belofte"');
    expect(worker).not.toContain("BELOFTE_WORDS;");
    expect(worker).not.toContain("fetch");
    expect(worker.length).toBeLessThan(4_000);
  });

  it("carries nothing of the made-up API", () => {
    const all = assets().map((name) => readFileSync(join(dist, "assets", name), "utf8")).join("\n");
    expect(all).not.toContain("noorderlicht.example");
    expect(all).not.toContain("Marieke");
  });
});
