// SPDX-License-Identifier: EUPL-1.2
import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { fakeApi } from "./dev/fake/plugin";

const repository = fileURLToPath(new URL("../..", import.meta.url));

// `VITE_API=https://localhost:8443 npm run dev` works on a running server; without
// it the made-up API of `dev/fake` answers. Neither is part of what is built.
const server = process.env.VITE_API;

export default defineConfig({
  plugins: [react(), ...(server ? [] : [fakeApi()])],
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
