/** Indented JSON whose numbers keep all their digits; text that is no JSON stays as it is. */
export function prettyJson(text: string): string {
  try {
    JSON.parse(text);
  } catch {
    return text;
  }
  // Only white space is set anew: parsing would round numbers.
  const tokens = text.match(/"(?:\\.|[^"\\])*"|[{}[\],:]|[^\s{}[\],:"]+/g) ?? [];
  let pretty = "";
  let depth = 0;
  const newLine = () => `\n${"  ".repeat(depth)}`;
  tokens.forEach((token, i) => {
    const opensBefore = "{[".includes(tokens[i - 1] ?? " ");
    if ("{[".includes(token)) {
      depth += 1;
      pretty += "}]".includes(tokens[i + 1] ?? " ") ? token : token + newLine();
    } else if ("}]".includes(token)) {
      depth -= 1;
      pretty += opensBefore ? token : newLine() + token;
    } else if (token === ",") {
      pretty += token + newLine();
    } else {
      pretty += token === ":" ? ": " : token;
    }
  });
  return pretty;
}
