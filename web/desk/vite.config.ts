// SPDX-License-Identifier: EUPL-1.2
import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";
import { fakeApi } from "./dev/fake/plugin";

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

export default defineConfig({
  plugins: [withoutPalettes(), react(), ...(server ? [] : [fakeApi()])],
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
