"""What an `is` is to answer, from the words right behind it. Only a short clause counts, nothing later in a sentence.

"returns false" and "should not be visible" turn it round; "the spinner is hidden" or "a false alarm" speak of
something else.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_SIGNS = r"[\s\-–—→⇒=>:#,(*_`\"'✅❌✗✘☑✔]*"
_SAYS = (
    r"(?:(?:it|this|which|and)\s+)?(?:(?:should|must|is\s+to|will|to)\s+)?"
    r"(?:returns?|be|is|says?|answers?|reports?|evaluates?\s+to|expect(?:ed|s)?(?:\s+(?:to\s+be|answer|result))?)"
)
_NOT = r"(?:should|must|may)\s*(?:not|n't)\s+be"
_FAILS = r"(?:(?:it|this)\s+)?(?:should|must|is\s+expected\s+to)\s+fail"
# What the clause may go on with: "hidden until the click" is one, "hidden menu opens" speaks of a menu.
_ENDS = (
    r"(?=[`\"'*_]*\s*(?:$|[.,;:!)\]|–—→-]|\b(?:again|now|any\s?more|yet|here|then|any\s+longer|initially|at|by|on|in|for"
    r"|after|before|when|while|until|till|if|as|because|since|unless|once|and|but)\b))"
)
_FALSE_WORDS = {
    "visible": (r"visible|shown|displayed|there|present", r"hidden|invisible|gone|absent"),
    "enabled": (r"enabled|active", r"disabled|inactive"),
    "checked": (r"checked|selected|ticked", r"unchecked|unticked|unselected"),
}


def is_to_be_false(argv: Sequence[str], behind: str) -> bool:
    """Say whether the words behind a command (its comment, the rest of its line) want it to answer false.

    >>> is_to_be_false(("is", "visible", "#menu"), "- should be hidden")
    True
    >>> is_to_be_false(("is", "visible", "#menu"), "- hidden menu opens")
    False
    """
    if argv[:1] != ("is",) or len(argv) < 2 or argv[1] not in _FALSE_WORDS:  # noqa: PLR2004 - `is` and its question
        return False
    positive, negative = _FALSE_WORDS[argv[1]]
    clause = (
        rf"{_SIGNS}(?:(?:{_SAYS})\b{_SIGNS})?(?:false|not\s+(?:be\s+)?(?:{positive})|{negative})\b{_ENDS}"
        rf"|{_SIGNS}{_NOT}\s+(?:{positive})\b{_ENDS}|{_SIGNS}{_FAILS}\b{_ENDS}"
    )
    return re.match(clause, behind, re.IGNORECASE) is not None
