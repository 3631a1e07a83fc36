// Numbers of records that JavaScript would round: technical data keep every digit that the onboarding portal has sent.

/** A text or a number of JSON. Texts are matched so that digits within them are left alone. */
const TOKEN = /"(?:\\.|[^"\\])*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** Significant digits that every number of JavaScript holds. */
const SAFE_DIGITS = 15;

/** The JSON with each number of more digits than JavaScript holds as a text of these digits. */
export function withExactNumbers(json: string): string {
  return json.replace(TOKEN, (token) => {
    if (token.startsWith('"')) return token;
    const digits = token
      .replace(/[eE].*$/, "")
      .replace(/[-.]/g, "")
      .replace(/^0+/, "");
    const isExact = digits.length <= SAFE_DIGITS && Number.isFinite(Number(token));
    return isExact ? token : `"${token}"`;
  });
}
