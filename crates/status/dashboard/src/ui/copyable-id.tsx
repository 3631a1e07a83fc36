import { Check, Copy as CopyIcon } from "lucide-react";
import { useState } from "react";

/** A machine's identifier: short, monospaced, whole on hover, with a button that copies it. */
export function Copy({ text, what, short = 8 }: { text: string; what: string; short?: number }) {
  const [done, setDone] = useState(false);
  const copy = async () => {
    await copyText(text);
    setDone(true);
    setTimeout(() => setDone(false), 1500);
  };
  return (
    <span className="copy">
      <code title={text}>{text.length > short + 2 ? `…${text.slice(-short)}` : text}</code>
      <button type="button" onClick={copy} aria-label={done ? `${what} copied` : `Copy ${what}`}>
        {done ? <Check size={13} aria-hidden /> : <CopyIcon size={13} aria-hidden />}
      </button>
    </span>
  );
}

async function copyText(text: string) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  // Plain-HTTP deployments have no clipboard API.
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}
