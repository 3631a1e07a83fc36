import react from "@vitejs/plugin-react";
import { compression, defineAlgorithm } from "vite-plugin-compression2";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [
    react(),
    compression({
      include: [/\.(js|css|svg)$/],
      threshold: 1024,
      algorithms: [defineAlgorithm("gzip", { level: 9 }), "brotliCompress"],
    }),
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
    include: ["src/**/*.test.{ts,tsx}"],
    // Modules are loaded once for all files: the component library takes seconds.
    isolate: false,
    // An upper bound for a busy machine.
    testTimeout: 30_000,
  },
});
