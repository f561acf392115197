"""Rich text from the editor: only what a notice needs comes through, whatever was typed or pasted.

No styles, no colours and no classes: the retirees' pages set size and contrast. Links open on the web or dial a number. A
picture is named, not addressed: `<img data-file="id of a picture of this notice" alt="...">`; the page fetches it with the
reader's own token. A picture of any other kind (pasted, or of another site) is dropped.
"""

from __future__ import annotations

import html
import re

import nh3

BLOCKS = (
    "p",
    "h2",
    "h3",
    "h4",
    "ul",
    "ol",
    "li",
    "blockquote",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "br",
    "hr",
)
INLINE = ("strong", "b", "em", "i", "u", "a", "img")
SCHEMES = {"https", "http", "tel"}

_FILE = re.compile(r"[0-9a-f]{24}")
# the quotation marks of an attribute are real ones: inside a value they are written &quot;
_NAMELESS_PICTURE = re.compile(r'<img(?![^>]* data-file="[0-9a-f]{24}")[^>]*>')
_BLOCK = re.compile(rf"<(?=/?(?:{'|'.join(BLOCKS)})\b)")


def _attribute(tag: str, name: str, value: str) -> str | None:
    if tag == "img" and name == "data-file":
        return value if _FILE.fullmatch(value) else None
    if name in ("colspan", "rowspan"):
        return value if re.fullmatch(r"[1-9][0-9]?", value) else None
    # ">" would end a tag for whoever reads the result with less care than a browser
    return value.replace("<", "").replace(">", "")


_cleaner = nh3.Cleaner(
    tags={*BLOCKS, *INLINE},
    attributes={
        "a": {"href"},
        "img": {"data-file", "alt"},
        "td": {"colspan", "rowspan"},
        "th": {"colspan", "rowspan"},
    },
    attribute_filter=_attribute,
    url_schemes=SCHEMES,
    url_relative="deny",
)
_stripper = nh3.Cleaner(tags=set())


def clean(text: str) -> str:
    """The same text with nothing in it but what a notice needs; what an editor writes well stays as it is."""
    return _NAMELESS_PICTURE.sub("", _cleaner.clean(text)).strip()


def plain(text: str) -> str:
    """The words of clean rich text, a line for each paragraph, item and cell."""
    stripped = html.unescape(_stripper.clean(_BLOCK.sub("\n<", text)))
    lines = (" ".join(line.split()) for line in stripped.splitlines())
    return "\n".join(line for line in lines if line)
