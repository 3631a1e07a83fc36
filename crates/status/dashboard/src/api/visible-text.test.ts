import { expect, test } from "vitest";
import { withVisibleText } from "./visible-text";

const shown = (value: unknown) => JSON.parse(withVisibleText(JSON.stringify(value)));

test("control and bidirectional characters are written out", () => {
  const hostile = "a\u001b[31m\b\f\u007f\u009b\u202eb\u2066\u061c\ufffe";
  expect(shown({ [hostile]: [hostile] })).toEqual({
    "a\\u{1b}[31m\\u{8}\\u{c}\\u{7f}\\u{9b}\\u{202e}b\\u{2066}\\u{61c}\\u{fffe}": [
      "a\\u{1b}[31m\\u{8}\\u{c}\\u{7f}\\u{9b}\\u{202e}b\\u{2066}\\u{61c}\\u{fffe}",
    ],
  });
  expect(JSON.parse(withVisibleText('"\\u202E \\u001B"'))).toBe("\\u{202e} \\u{1b}");
});

test("letters, line breaks, quotes and backslashes stay as they are", () => {
  const harmless = { a: 'Gjøa "x"\n\tمرحبا ⚓ 🚢 \\u202e \\\\u202e \\b', b: 1.5, c: null };
  expect(shown(harmless)).toEqual(harmless);
});
