// What a browser loads before the overview shows, compressed as the service sends it, and its ceiling. A build that reaches the
// ceiling fails.
import { existsSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "vite";

/** In bytes. Browsers take brotli only from HTTPS and from this machine: everywhere else the gzip figure counts. */
export const FIRST_LOAD_LIMIT = 300_000;

const ENCODINGS = { br: ".br", gzip: ".gz" } as const;

/** A file of the build, as Rolldown describes it. */
export type BuiltFile =
  | { type: "asset"; fileName: string }
  | { type: "chunk"; fileName: string; isEntry: boolean; facadeModuleId: string | null; imports: string[] };

/** The page that a browser opens first. */
const FIRST_PAGE = /\/src\/pages\/overview\/overview\.tsx$/;
/** Files that are loaded from index.html or by a style sheet, and the worker that receives updates. */
const ALWAYS_LOADED = /\.(css|woff2)$|^assets\/stream-worker[^.]*\.js$/;
const PUBLIC_FILES = ["index.html", "theme.js", "icon.svg"];

/** The names of the files that are loaded before the first page shows. */
export function firstLoadFiles(files: BuiltFile[]): string[] {
  const chunks = new Map(files.flatMap((file) => (file.type === "chunk" ? [[file.fileName, file]] : [])));
  const names = new Set(PUBLIC_FILES);
  const add = (fileName: string) => {
    if (names.has(fileName)) return;
    names.add(fileName);
    for (const imported of chunks.get(fileName)?.imports ?? []) add(imported);
  };
  const starts = [...chunks.values()].filter(
    ({ isEntry, facadeModuleId }) => isEntry || FIRST_PAGE.test(facadeModuleId ?? ""),
  );
  if (starts.length < 2) throw new Error("the entry or the first page is not among the files of the build");
  for (const { fileName } of starts) add(fileName);
  for (const { fileName } of files) if (ALWAYS_LOADED.test(fileName)) add(fileName);
  return [...names];
}

/** Prints the size of the first load, and fails the build when it reaches the ceiling. */
export function firstLoadLimit(): Plugin {
  let folder = "";
  let names: string[] = [];
  return {
    name: "first-load-limit",
    apply: "build",
    // After the plugin that writes the compressed files.
    enforce: "post",
    configResolved({ build }) {
      folder = build.outDir;
    },
    writeBundle(_, bundle) {
      names = firstLoadFiles(Object.values(bundle) as BuiltFile[]);
    },
    closeBundle: {
      order: "post",
      sequential: true,
      handler() {
        if (names.length === 0) return;
        for (const [encoding, suffix] of Object.entries(ENCODINGS)) {
          const sizes = names.map((name) => sentSize(join(folder, name), suffix));
          const total = sizes.reduce((sum, size) => sum + size, 0);
          const text = `first load with ${encoding}: ${Math.round(total / 1000)} kB in ${names.length} files`;
          if (total >= FIRST_LOAD_LIMIT) {
            // A build that fails must not look like a finished one.
            rmSync(join(folder, "index.html"));
            this.error(`${text}; it must stay below ${FIRST_LOAD_LIMIT / 1000} kB`);
          }
          console.info(text);
        }
      },
    },
  };
}

/** The size of the compressed copy that the service sends, or of the file where there is none. */
function sentSize(path: string, suffix: string): number {
  return statSync(existsSync(path + suffix) ? path + suffix : path).size;
}
