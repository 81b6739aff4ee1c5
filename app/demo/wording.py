"""Small tools for making many wordings out of few lines.

A pattern is text with choices in square brackets: "[Hi|Hello] there[!|]". Knows nothing of maths.
"""

import functools
import re


@functools.cache
def parts(pattern):
    """The pattern cut into plain texts and lists of choices."""
    cut = re.split(r"\[([^\[\]]*)\]", pattern)
    return [piece.split("|") if i % 2 else piece for i, piece in enumerate(cut)]


def pick(rng, options):
    return options[int(rng.random() * len(options))]


def spin(rng, pattern):
    """One of the texts the pattern stands for."""
    return "".join(p if isinstance(p, str) else pick(rng, p) for p in parts(pattern))


def made_up(rng):
    """A word that means nothing."""
    if rng.random() < 0.5:
        return "".join(pick(rng, "bcdfghklmnprstvw") + pick(rng, "aeiou")
                       for _ in range(rng.randint(1, 4)))
    return "".join(pick(rng, "abcdefghijklmnopqrstuvwxyz") for _ in range(rng.randint(1, 9)))


def typed(rng, text):
    """The text as people type it: often in lower case, with things left out or doubled."""
    luck = rng.random()
    if luck < 0.15:
        text = text.lower()
    elif luck < 0.19:
        text = text.upper()
    elif luck < 0.22 and len(text) > 8:
        slip = rng.randrange(len(text) - 1)
        if text[slip:slip + 2].isalpha():
            text = text[:slip] + text[slip + 1] + text[slip] + text[slip + 2:]
    luck = rng.random()
    if luck < 0.08:
        text = text.rstrip(".?!")
    elif luck < 0.11:
        text += pick(rng, (" ", "\n", "?", "!", "??", "...", " :)"))
    elif luck < 0.12:
        text = " " + text
    return text
