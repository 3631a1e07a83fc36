import { defineConfig } from "@playwright/test";
import base from "./playwright.config";

// Screenshots of every page against the real services: `npm run shots`.
const { projects: _ofTests, ...shared } = base;

export default defineConfig({
  ...shared,
  testMatch: "shots.ts",
  outputDir: "test-results/shots-run",
  timeout: 1_800_000,
  use: { ...shared.use, contextOptions: { reducedMotion: "reduce" }, trace: "off" },
});
