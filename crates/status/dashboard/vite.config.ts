import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { compression, defineAlgorithm } from "vite-plugin-compression2";
import { defineConfig } from "vitest/config";
import { firstLoadLimit } from "./first-load.ts";

const REDOC = "redoc/bundles/redoc.standalone.js";
/** Redoc's only request to another host. */
const REDOC_LOGO = "https://cdn.redoc.ly/redoc/logo-mini.svg";
const NO_IMAGE =
  "data:image/svg+xml,%3Csvg%20xmlns=%22http://www.w3.org/2000/svg%22%20width=%221%22%20height=%221%22/%3E";

/** Puts Redoc beside public/docs.html, which shows the reference of the operator API. */
function redoc(): Plugin {
  return {
    name: "redoc",
    generateBundle() {
      const source = readFileSync(createRequire(import.meta.url).resolve(REDOC), "utf8");
      if (!source.includes(REDOC_LOGO)) this.error(`${REDOC} does not name ${REDOC_LOGO}`);
      const fileName = "redoc.standalone.js";
      this.emitFile({ type: "asset", fileName, source: source.replaceAll(REDOC_LOGO, NO_IMAGE) });
    },
  };
}

const { version } = JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8"));

export default defineConfig({
  define: { DASHBOARD_VERSION: JSON.stringify(version) },
  plugins: [
    react(),
    redoc(),
    compression({
      include: [/\.(js|css|svg)$/],
      threshold: 1024,
      algorithms: [defineAlgorithm("gzip", { level: 9 }), "brotliCompress"],
    }),
    firstLoadLimit(),
  ],
  build: {
    target: "es2022",
    // No inlined assets: the Content-Security-Policy allows only files of this origin.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // One style sheet: 40 modules are 15 kB, and its order does not depend on which page comes first.
    cssCodeSplit: false,
  },
  server: { proxy: { "/api": process.env.SMS_STATUS_URL ?? "http://127.0.0.1:3005" } },
  test: {
    environment: "happy-dom",
    include: ["src/**/*.test.{ts,tsx}", "*.test.ts"],
    // Modules are loaded once for all files: the component library takes seconds.
    isolate: false,
    // An upper bound for a busy machine.
    testTimeout: 30_000,
  },
});
