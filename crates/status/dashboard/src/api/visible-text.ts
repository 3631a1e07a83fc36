// Texts that others wrote: the onboarding portal, senders of webhooks, operators.

/** Escapes of JSON, and characters that a JSON text may hold unescaped although they are invisible. */
const TOKEN =
  /\\u([0-9a-fA-F]{4})|\\.|[\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffe\uffff]/g;

/** Control characters but tab and line breaks, bidirectional controls (UAX 9) and noncharacters. */
function isUnsafe(code: number): boolean {
  return (
    (code < 0x20 && code !== 0x09 && code !== 0x0a && code !== 0x0d) ||
    (code >= 0x7f && code <= 0x9f) ||
    code === 0x061c ||
    code === 0x200e ||
    code === 0x200f ||
    (code >= 0x202a && code <= 0x202e) ||
    (code >= 0x2066 && code <= 0x2069) ||
    code >= 0xfffe
  );
}

/**
 * The JSON with each character that could reorder or hide what stands beside it written as `\u{202e}`, as the command line
 * and the database write it. Applied to whole answers, so that no page can forget it.
 */
export function withVisibleText(json: string): string {
  return json.replace(TOKEN, (token, escaped?: string) => {
    if (token.startsWith("\\") && escaped === undefined) return shortEscape(token);
    const code = escaped === undefined ? token.charCodeAt(0) : Number.parseInt(escaped, 16);
    return isUnsafe(code) ? `\\\\u{${code.toString(16)}}` : token;
  });
}

/** Plain text with the same characters written as `\u{202e}`. */
export const withVisibleCharacters = (text: string): string =>
  [...text]
    .map((character) => {
      const code = character.codePointAt(0) ?? 0;
      return code <= 0xffff && isUnsafe(code) ? `\\u{${code.toString(16)}}` : character;
    })
    .join("");

/** `\b` and `\f` are control characters, the other short escapes are harmless. */
function shortEscape(token: string): string {
  if (token === "\\b") return "\\\\u{8}";
  if (token === "\\f") return "\\\\u{c}";
  return token;
}
