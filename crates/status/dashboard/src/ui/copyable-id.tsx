import { Check, Copy } from "lucide-react";
import { useState } from "react";
import { copyText } from "./copy-text";
import styles from "./copyable-id.module.css";

/** The end of a machine id, whole on hover, with a button that copies it. */
export function CopyableId({ text, name, length = 8 }: { text: string; name: string; length?: number }) {
  const [isCopied, setCopied] = useState(false);
  const copy = async () => {
    await copyText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), 1500);
  };
  return (
    <span className={styles.id}>
      <code title={text}>{text.length > length + 2 ? `…${text.slice(-length)}` : text}</code>
      <button
        type="button"
        className={styles.button}
        onClick={copy}
        aria-label={isCopied ? `${name} copied` : `Copy ${name}`}
      >
        {isCopied ? <Check size={13} aria-hidden /> : <Copy size={13} aria-hidden />}
      </button>
    </span>
  );
}
