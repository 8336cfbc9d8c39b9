// SPDX-License-Identifier: EUPL-1.2
// Takes a picture of every view in both languages, schemes and sizes, and
// fails on a script error, a policy violation, an accessibility finding or
// what does not fit on the width of the window.
// `--dev` uses the development server, `--only=thread,inbox` some of the views,
// `--quick` Dutch light on both sizes; `--language=en`, `--scheme=dark` pick one.

import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { createServer, preview } from "vite";
import { sideways } from "../../e2e/support/sideways.mjs";
import { views } from "./views.mjs";

const args = process.argv.slice(2);
const only = args.find((a) => a.startsWith("--only="))?.slice(7).split(",");
const quick = args.includes("--quick");
const chosen = (name, all) => {
  const given = args.find((a) => a.startsWith(`--${name}=`))?.split("=")[1];
  return given ? [given] : quick ? all.slice(0, 1) : all;
};
const root = fileURLToPath(new URL("..", import.meta.url));
const out = fileURLToPath(new URL("../../e2e/shots", import.meta.url));
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

mkdirSync(out, { recursive: true });
let server;
let base;
if (args.includes("--dev")) {
  server = await createServer({ root, server: { port: 5199 } });
  await server.listen();
  base = server.resolvedUrls.local[0].replace(/\/$/, "");
} else {
  server = await preview({ root, preview: { port: 5198 } });
  // Another port than was asked for, when that one is taken.
  base = server.resolvedUrls.local[0].replace(/\/$/, "");
}

const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
const SIZES = { wide: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } };
const found = [];

for (const language of chosen("language", ["nl", "en"])) {
  for (const scheme of chosen("scheme", ["light", "dark"])) {
    for (const [size, viewport] of Object.entries(SIZES)) {
      const context = await browser.newContext({
        viewport,
        locale: language === "nl" ? "nl-NL" : "en-GB",
        timezoneId: "Europe/Amsterdam",
        colorScheme: scheme,
        deviceScaleFactor: 1,
        hasTouch: size === "phone",
        isMobile: size === "phone",
      });
      await context.addInitScript(
        ([l, s]) => {
          localStorage.setItem("belofte.language", l);
          localStorage.setItem("belofte.scheme", s);
        },
        [language, scheme],
      );
      let where = "";
      const note = (text) => found.push(`${where}: ${text}`);
      const first = await context.newPage();
      await first.goto(`${base}/sign-in`);
      await first.evaluate(
        async ([l, s]) => {
          const post = (path, body, method = "POST") =>
            fetch(`/api/v1${path}`, {
              method,
              headers: { "content-type": "application/json", "X-Belofte": "1" },
              body: JSON.stringify(body),
            });
          await post("/session", { email: "sanne@noorderlicht.example", password: "x" });
          await post("/me", { language: l, colour_scheme: s }, "PATCH");
        },
        [language, scheme],
      );
      await first.close();
      for (const [name, view] of Object.entries(views)) {
        if (only && !only.includes(name)) continue;
        if (view.sizes && !view.sizes.includes(size)) continue;
        where = `${name}-${language}-${scheme}-${size}`;
        // A page of its own: what a view does to requests or to its tab ends with it.
        const page = await context.newPage();
        page.on("console", (m) => {
          if (m.type() === "error" && !/status of [45]\d\d|ERR_|WebSocket/.test(m.text())) note(m.text());
        });
        page.on("pageerror", (e) => note(`script error: ${e.message}`));
        try {
          if (view.before) await view.before(page, language);
          await page.goto(base + view.path, { waitUntil: "load" });
          await page.waitForTimeout(450);
          if (view.act) await view.act(page, size);
          await page.waitForTimeout(350);
          await page.screenshot({ path: `${out}/${where}.png` });
          for (const one of await page.evaluate(sideways)) note(`too wide: ${one}`);
          await page.evaluate(axe);
          const result = await page.evaluate(() =>
            axe.run(document, { iframes: false, runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"] }),
          );
          for (const v of result.violations) {
            note(`axe ${v.id} (${v.impact}): ${v.nodes.map((n) => `${n.target.join(" ")} ${n.any[0]?.message ?? ""}`).slice(0, 3).join(" ; ")}`);
          }
        } catch (error) {
          note(`no picture: ${error.message.split("\n")[0]}`);
        } finally {
          if (view.after) await view.after(page);
          await page.close();
        }
      }
      await context.close();
    }
  }
}
await browser.close();
await server.close();
for (const line of [...new Set(found)]) console.log(line);
console.log(found.length === 0 ? "shots: nothing found" : `shots: ${found.length} findings`);
process.exit(found.length === 0 ? 0 : 1);
