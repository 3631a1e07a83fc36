#!/usr/bin/env python3
"""Checks the commands of the pages for operators: each `sms-sync …` in a code block, or in backquotes, is a command with options that
the built program knows."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "target/debug/sms-sync"
PAGES = [*(ROOT / "docs").glob("*.md"), *(ROOT / "docs/runbooks").glob("*.md"), ROOT / "README.md"]

HELP = {}


def help_of(words):
    if words not in HELP:
        answer = subprocess.run([PROGRAM, *words, "--help"], capture_output=True, text=True, check=False)
        HELP[words] = answer.stdout if answer.returncode == 0 else None
    return HELP[words]


def subcommands(text):
    listed = re.search(r"^Commands:\n((?:  .*\n)+)", text, re.MULTILINE)
    return set(re.findall(r"^  ([a-z-]+)", listed[1], re.MULTILINE)) if listed else set()


def fault(command):
    """What is wrong with a command; nothing where it is right."""
    words, rest = (), command.split()[1:]
    while rest and subcommands(help_of(words)):
        if rest[0].startswith("-") or not re.fullmatch(r"[a-z-]+", rest[0]):
            break
        if rest[0] not in subcommands(help_of(words)):
            return f"no command {' '.join(['sms-sync', *words, rest[0]])}"
        words, rest = (*words, rest[0]), rest[1:]
    for option in re.findall(r"(?<!\S)--([a-z-]+)", " ".join(rest)):
        if not re.search(rf"--{option}\b(?!-)", help_of(words)):
            return f"{' '.join(['sms-sync', *words])} has no option --{option}"
    return None


def commands(text):
    text = text.replace("-n sms-sync", "")  # the namespace, of kubectl
    for block in re.findall(r"```.*?\n(.*?)```", text, re.DOTALL):
        for line in block.splitlines():
            for part in re.split(r"[;|&]|\$\(", line.split(" #")[0]):
                found = re.search(r"(?:^|\s|target/debug/)(sms-sync( .*)?)$", part.strip().rstrip(")"))
                if found and not part.strip().startswith(("image:", "-")):
                    yield found[1]
    for inline in re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL)):
        found = re.search(r"(?:^|\s)(sms-sync .*)$", inline)
        if found:
            yield found[1]


if not PROGRAM.exists():
    sys.exit(f"{PROGRAM.relative_to(ROOT)} is not built")
checked, faults = 0, []
for page in PAGES:
    for one in commands(page.read_text()):
        checked += 1
        if wrong := fault(one):
            faults.append(f"{page.relative_to(ROOT)}: `{one}`: {wrong}")
if faults or checked < 20:
    sys.exit("\n".join([*faults, f"{checked} commands were found"]))
print(f"{checked} commands of the documentation are commands of sms-sync")
