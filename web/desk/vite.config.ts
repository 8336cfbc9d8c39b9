// SPDX-License-Identifier: EUPL-1.2
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";
import { fakeApi } from "./dev/fake/plugin";
import { WORKER, withWords } from "./src/push/words";

const repository = fileURLToPath(new URL("../..", import.meta.url));

// `VITE_API=https://localhost:8443 npm run dev` works on a running server; without
// it the made-up API of `dev/fake` answers. Neither is part of what is built.
const server = process.env.VITE_API;

/** Mantine declares ten shades of twelve colours; the desk has its own tokens and uses none of these. */
function withoutPalettes(): Plugin {
  const unused = /^\s*--mantine-color-(pink|grape|violet|indigo|cyan|teal|green|lime|yellow|orange|blue)-[\w-]+:[^;]+;\n?/gm;
  return {
    name: "belofte-without-palettes",
    enforce: "pre",
    transform: (code, id) => (id.includes("default-css-variables.css") ? code.replace(unused, "") : null),
  };
}

/**
 * Gives `src/first.js` a name that tells its content, so that the browser need not ask for it
 * again. It is a plain script, which Vite would leave alone: a module would run after the page is read.
 */
function first(): Plugin {
  const tag = '<script src="/src/first.js"></script>';
  let reference = "";
  return {
    name: "belofte-first",
    apply: "build",
    buildStart() {
      const source = readFileSync(new URL("src/first.js", import.meta.url), "utf8");
      reference = this.emitFile({ type: "asset", name: "first.js", source });
    },
    transformIndexHtml: {
      order: "pre",
      handler: (html) => html.replace(tag, ""),
    },
    generateBundle: {
      order: "post",
      handler(_, bundle) {
        const page = bundle["index.html"];
        if (page?.type !== "asset") throw new Error("no index.html in the bundle");
        page.source = String(page.source).replace("<title>", `<script src="/${this.getFileName(reference)}"></script>\n    <title>`);
      },
    },
  };
}

/**
 * Puts the service worker at the root, whose scope is then the whole desk, under a name that stays: browsers ask for
 * it again by themselves. It is a plain script, since not every browser takes a module for one.
 */
function worker(): Plugin {
  const source = () => {
    const catalogue = (language: string) => JSON.parse(readFileSync(`${repository}/catalogue/${language}.json`, "utf8"));
    const text = readFileSync(new URL("src/push-worker.js", import.meta.url), "utf8");
    return withWords(text, { nl: catalogue("nl"), en: catalogue("en") });
  };
  return {
    name: "belofte-worker",
    configureServer(server) {
      server.middlewares.use(WORKER, (_, response) => {
        response.setHeader("content-type", "text/javascript");
        response.end(source());
      });
    },
    generateBundle() {
      this.emitFile({ type: "asset", fileName: WORKER.slice(1), source: source() });
    },
  };
}

export default defineConfig({
  plugins: [first(), worker(), withoutPalettes(), react(), ...(server ? [] : [fakeApi()])],
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    // A policy of `script-src 'self'` leaves no room for an inline polyfill.
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: {
    port: 5173,
    fs: { allow: [repository] },
    ...(server
      ? { proxy: { "/api": { target: server, changeOrigin: true, secure: false, ws: true } } }
      : {}),
  },
});
