// Every class of a CSS module is used by the components that import it, and every class that they use exists.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { expect, test } from "vitest";

const SRC = resolve(import.meta.dirname);
const files = readdirSync(SRC, { recursive: true, encoding: "utf8" }).map((name) => join(SRC, name));

function definedClasses(file: string): Set<string> {
  const css = readFileSync(file, "utf8").replace(/\/\*[\s\S]*?\*\//g, "");
  const selectors = [...css.matchAll(/([^{};]+)\{/g)].map((match) => match[1] ?? "");
  const names = selectors.flatMap((selector) => [...selector.matchAll(/\.([a-zA-Z]\w*)/g)]);
  return new Set(names.map((match) => match[1] ?? ""));
}

/** The classes used by each imported module: `import styles from "./card.module.css"` and `styles.card`. */
function usedClasses(file: string): [module: string, name: string][] {
  const code = readFileSync(file, "utf8");
  return [...code.matchAll(/import (\w+) from "(.*\.module\.css)"/g)].flatMap(([, variable, path]) => {
    const uses = code.matchAll(new RegExp(`(?<![./-\\w"])${variable}\\.(\\w+)`, "g"));
    return [...uses].map((use): [string, string] => [resolve(dirname(file), path ?? ""), use[1] ?? ""]);
  });
}

const short = (module: string, name: string) => `${relative(SRC, module)} .${name}`;

test("components use the classes that their CSS modules define, and no others", () => {
  const modules = files.filter((file) => file.endsWith(".module.css"));
  const defined = modules.flatMap((file) => [...definedClasses(file)].map((name) => short(file, name)));
  const used = files.filter((file) => /(?<!\.test)\.tsx?$/.test(file)).flatMap((file) => usedClasses(file));
  expect([...new Set(used.map(([module, name]) => short(module, name)))].sort()).toEqual(defined.sort());
});
