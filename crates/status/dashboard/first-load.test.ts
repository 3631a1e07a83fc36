import { expect, test } from "vitest";
import { type BuiltFile, firstLoadFiles } from "./first-load";

const chunk = (fileName: string, part: Partial<Extract<BuiltFile, { type: "chunk" }>> = {}): BuiltFile => ({
  type: "chunk",
  fileName,
  isEntry: false,
  facadeModuleId: null,
  imports: [],
  ...part,
});
const asset = (fileName: string): BuiltFile => ({ type: "asset", fileName });

const entry = chunk("assets/index-1.js", { isEntry: true, imports: ["assets/react-1.js"] });
const overview = chunk("assets/overview-1.js", {
  facadeModuleId: "/dashboard/src/pages/overview/overview.tsx",
  imports: ["assets/react-1.js", "assets/table-1.js"],
});

test("the first load has the entry and the overview with what they import, styles, font and worker, and no other page", () => {
  const files = firstLoadFiles([
    entry,
    overview,
    chunk("assets/react-1.js"),
    chunk("assets/table-1.js"),
    chunk("assets/settings-1.js", { facadeModuleId: "/dashboard/src/pages/settings/settings.tsx" }),
    asset("assets/stream-worker-1.js"),
    asset("assets/style-1.css"),
    asset("assets/style-1.css.gz"),
    asset("assets/inter-1.woff2"),
    asset("redoc.standalone.js"),
  ]);
  expect(files.toSorted()).toEqual([
    "assets/index-1.js",
    "assets/inter-1.woff2",
    "assets/overview-1.js",
    "assets/react-1.js",
    "assets/stream-worker-1.js",
    "assets/style-1.css",
    "assets/table-1.js",
    "icon.svg",
    "index.html",
    "theme.js",
  ]);
});

test("a build whose overview is not found is not measured as a small one", () => {
  expect(() => firstLoadFiles([entry])).toThrow("first page");
});
