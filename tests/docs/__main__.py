"""`python -m tests.docs`: write what the code owns into the manual."""

from __future__ import annotations

from tests.docs.generate import ROOT, filled, pages

for page in pages():
    before = page.read_text("utf-8")
    if (after := filled(before)) != before:
        page.write_text(after, "utf-8")
        print(page.relative_to(ROOT))
