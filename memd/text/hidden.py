"""Characters that a reader can't see, or that a terminal obeys: where they stand in Unicode. Standard library only.

Tab and line feed are shown as what they are; the joiners U+200C and U+200D are needed by Persian and by emoji.
"""

CONTROLS = ((0x00, 0x08), (0x0B, 0x1F), (0x7F, 0x9F))  # C0 but for tab and line feed, DEL, C1 (a lone return, NEL)

RANGES = (
    *CONTROLS,
    (0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C),  # soft hyphen, grapheme joiner, Arabic letter mark
    (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180E, 0x180E),  # fillers, invisible vowels, Mongolian separator
    (0x200B, 0x200B), (0x200E, 0x200F), (0x2028, 0x202E), (0x2060, 0x206F),  # zero width space, marks, separators, bidi
    (0x3164, 0x3164), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF9, 0xFFFB),  # fillers, byte order mark, annotation
    (0xD800, 0xDFFF),  # halves of a pair
    (0x1D173, 0x1D17A),  # musical formatting
    (0xE0000, 0xE0FFF),  # tags and variation selectors: whole sentences can hide in them
)  # fmt: skip


def spelt(code: int) -> str:
    """A character as it is spelt out: `<U+202E>`."""
    return f"<U+{code:04X}>"


class Spelling(dict[int, "str | int"]):
    """A table for `str.translate` that spells out what can't be seen; `spell` says how, some characters otherwise.

    It learns each character when it first meets it, so that making one costs nothing.
    """

    def __init__(self, spell: "Callable[[int], str]" = spelt, but: "Mapping[int, str | int] | None" = None) -> None:
        super().__init__(but or {})
        self._spell = spell

    def __missing__(self, code: int) -> "str | int":
        hidden = any(first <= code <= last for first, last in RANGES)
        self[code] = self._spell(code) if hidden else code
        return self[code]


TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
