#!/usr/bin/env python3
"""The two halves of docs.sh around mdBook.

copy    puts the pages of docs/SUMMARY.md under .local/docs, at the places that they have in the checkout. A file that is no page of the
        site and that a page links to becomes a plain page under source/, so that no link leads out of the site.
check   follows each link of the built site in .local/book to its file and its anchor."""

import html
import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parents[2]
PAGES = ROOT / ".local/docs"
SITE = ROOT / ".local/book"
SUMMARY = ROOT / "docs/SUMMARY.md"
LINK = re.compile(r"\]\(([^)\s]*)\)")
SHOWN_FILE_LIMIT = 1_000_000

SOURCE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>body {{ font: 1rem sans-serif; margin: 1rem }} pre {{ font: 0.85rem/1.4 monospace; overflow-x: auto; tab-size: 4 }}</style>
<h1>{title}</h1>
{body}
</html>
"""

faults = []


# ----------------------------------------------------------------------------------------------------------- copy


def own_files():
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [Path(name) for name in names.split("\0") if name]


def relative(target, page):
    return os.path.relpath(target, page.parent)


def place(page):
    """Where a page lies in the site: mdBook makes index.html of README.md, and leaves the links to it as they are."""
    return page.with_name("index.md") if page.name == "README.md" else page


def in_text(markdown, change):
    """Applies a function to what stands outside of code blocks."""
    parts = re.split(r"(^ *```.*?^ *```)", markdown, flags=re.DOTALL | re.MULTILINE)
    return "".join(part if at % 2 else change(part) for at, part in enumerate(parts))


class Sources:
    """Pages under source/ for files and directories of the checkout."""

    def __init__(self):
        self.files = own_files()
        self.written = {}

    def page_of(self, path):
        """The page for `path`; nothing where the checkout has no such file, or one that cannot be shown."""
        if path not in self.written:
            self.written[path] = self.write(path)
        return self.written[path]

    def write(self, path):
        if (ROOT / path).is_dir():
            page = Path("source") / path / "index.html"
            inside = [name for name in self.files if name.is_relative_to(path)]
            body = "\n".join(f"<li>{self.entry(name, name.relative_to(path), page)}</li>" for name in inside)
            body = f"<ul>\n{body}\n</ul>"
        elif path in self.files and (ROOT / path).stat().st_size <= SHOWN_FILE_LIMIT:
            page = Path("source") / f"{path}.html"
            try:
                body = f"<pre>{html.escape((ROOT / path).read_text())}</pre>"
            except UnicodeDecodeError:
                return None
        else:
            return None
        (PAGES / page).parent.mkdir(parents=True, exist_ok=True)
        (PAGES / page).write_text(SOURCE.format(title=html.escape(str(path)), body=body))
        return page

    def entry(self, path, text, page):
        target = self.page_of(path)
        text = html.escape(str(text))
        return f'<a href="{html.escape(relative(target, page))}">{text}</a>' if target else text


def copy():
    summary = SUMMARY.read_text()
    listed = [Path(os.path.normpath(Path("docs") / target)) for target in LINK.findall(summary) if target]
    for page in sorted((ROOT / "docs").rglob("*.md")):
        if page != SUMMARY and page.relative_to(ROOT) not in listed:
            faults.append(f"docs/SUMMARY.md lacks {page.relative_to(ROOT)}")
    shutil.rmtree(PAGES, ignore_errors=True)
    shutil.copytree(ROOT / "docs/images", PAGES / "docs/images")
    sources = Sources()
    for page in listed:

        def rewritten(found, page=page):
            path, hash_sign, anchor = found[1].partition("#")
            if not path or urlsplit(path).scheme:
                return found[0]
            target = Path(os.path.normpath(page.parent / path))
            if target in listed:
                return f"]({relative(place(target), page)}{hash_sign}{anchor})"
            if (PAGES / target).is_file():
                return found[0]
            source = sources.page_of(target)
            if source is None:
                faults.append(f"{page}: {path} is not there, or cannot be shown")
                return found[0]
            return f"]({relative(source, page)}{hash_sign}{anchor})"

        text = in_text((ROOT / page).read_text(), lambda part: LINK.sub(rewritten, part))
        (PAGES / place(page)).parent.mkdir(parents=True, exist_ok=True)
        (PAGES / place(page)).write_text(text)
    # The summary lies at the root of what it lists.
    def from_root(found):
        return f"]({place(Path(os.path.normpath('docs/' + found[1])))})" if found[1] else found[0]

    (PAGES / "SUMMARY.md").write_text(LINK.sub(from_root, summary))


# ---------------------------------------------------------------------------------------------------------- check


class Page(HTMLParser):
    """The links and the ids of a page."""

    def __init__(self, path):
        super().__init__()
        self.links, self.ids = [], {"", "top"}
        self.feed(path.read_text())

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name in ("href", "src") and value:
                self.links.append(value)
            elif name == "id" or (name == "name" and tag == "a"):
                self.ids.add(value)


def check():
    pages = {path: Page(path) for path in sorted(SITE.rglob("*.html"))}
    followed = 0
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            followed += 1
            target = Path(os.path.normpath(path.parent / unquote(parts.path))) if parts.path else path
            if parts.path.startswith("/"):
                target = SITE / unquote(parts.path).lstrip("/")
            if target.is_dir():
                target /= "index.html"
            if not target.is_file() or not target.is_relative_to(SITE):
                faults.append(f"{path.relative_to(SITE)}: {link} is not there")
            elif target in pages and unquote(parts.fragment) not in pages[target].ids:
                faults.append(f"{path.relative_to(SITE)}: {link}: the page has no such anchor")
    if not followed:
        faults.append("the site has no links")
    return f"{followed} links of {len(pages)} pages lead somewhere: .local/book/index.html"


if sys.argv[1:] == ["copy"]:
    said = copy()
elif sys.argv[1:] == ["check"]:
    said = check()
else:
    sys.exit(__doc__)
if faults:
    sys.exit("\n".join(faults))
if said:
    print(said)
