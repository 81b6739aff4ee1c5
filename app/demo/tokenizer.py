"""Byte-level BPE: training a small vocabulary, and encoding exactly as the two families do.

The pre-tokenizer cuts text as DeepSeek-R1-Distill-Qwen (digits one by one) and Llama 3 (digits in
threes) do; merges apply lowest rank first, leftmost first. Digits are never merged here, so that
a model sees every digit. Knows nothing of chat formats or files.
"""

import collections
import re
import sys
import unicodedata


def ranges(wanted):
    """A regex class body of all characters that satisfy `wanted`."""
    body, start = [], None
    for code in range(sys.maxunicode + 2):
        inside = code <= sys.maxunicode and wanted(chr(code))
        if inside and start is None:
            start = code
        elif not inside and start is not None:
            body.append(f"\\U{start:08x}-\\U{code - 1:08x}")
            start = None
    return "".join(body)


LETTER = ranges(lambda ch: unicodedata.category(ch)[0] == "L")
NUMBER = ranges(lambda ch: unicodedata.category(ch)[0] == "N")
SPACE = r"\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"


def pattern(digits):
    return re.compile(
        rf"'(?:[sSſ]|[tT]|[rR][eE]|[vV][eE]|[mM]|[lL][lL]|[dD])|[^\r\n{LETTER}{NUMBER}]?[{LETTER}]+"
        rf"|[{NUMBER}]{digits}| ?[^{SPACE}{LETTER}{NUMBER}]+[\r\n]*|[{SPACE}]*[\r\n]+"
        rf"|[{SPACE}]+(?![^{SPACE}])|[{SPACE}]+")


PATTERNS = {"deepseek": pattern(""), "llama": pattern("{1,3}")}


class Tokenizer:
    """Bytes are tokens 0-255, then come the merges in order, then the special tokens."""

    def __init__(self, family, merges, specials):
        self.family = family
        self.cut = PATTERNS[family].findall
        self.vocab = [bytes([byte]) for byte in range(256)] + [a + b for a, b in merges]
        self.merges = merges
        self.specials = specials
        self.ids = {token: i for i, token in enumerate(self.vocab)}
        self.ranks = {pair: rank for rank, pair in enumerate(merges)}
        self.special_ids = {text: len(self.vocab) + i for i, text in enumerate(specials)}
        self.pieces = {}

    def __len__(self):
        return len(self.vocab) + len(self.specials)

    def encode(self, text):
        """The tokens of plain text, in which no special token is seen."""
        if self.family == "deepseek":
            text = unicodedata.normalize("NFC", text)
        known, tokens = self.pieces, []
        for piece in self.cut(text):
            found = known.get(piece)
            if found is None:
                found = self.merge(piece.encode())
                if len(known) < 100000:
                    known[piece] = found
            tokens += found
        return tokens

    def merge(self, piece):
        """The tokens of one piece; Llama takes a piece that is a token whole."""
        if self.family == "llama" and piece in self.ids:
            return [self.ids[piece]]
        symbols = [bytes([byte]) for byte in piece]
        while len(symbols) > 1:
            ranked = [self.ranks.get(pair, len(self.ranks)) for pair in zip(symbols, symbols[1:])]
            best = min(ranked)
            if best == len(self.ranks):
                break
            at = ranked.index(best)
            symbols[at:at + 2] = [symbols[at] + symbols[at + 1]]
        return [self.ids[symbol] for symbol in symbols]

    def decode(self, tokens):
        """The text of tokens; special tokens stand as their own text."""
        named = [text.encode() for text in self.specials]
        return b"".join((self.vocab + named)[token] for token in tokens).decode("utf-8", "replace")


def train(texts, family, size):
    """The `size` merges that byte-pair encoding finds in the texts."""
    cut = PATTERNS[family].findall
    counts = collections.Counter(piece for text in texts for piece in cut(text))
    words = [([bytes([byte]) for byte in piece.encode()], count) for piece, count in counts.items()
             if count > 4 and not any(ch.isnumeric() for ch in piece)]
    merges = []
    while len(merges) < size:
        pairs = collections.Counter()
        for symbols, count in words:
            for pair in zip(symbols, symbols[1:]):
                pairs[pair] += count
        best = max(pairs, key=lambda pair: (pairs[pair], pair))
        merges.append(best)
        for symbols, _ in words:
            at = 0
            while at + 1 < len(symbols):
                if (symbols[at], symbols[at + 1]) == best:
                    symbols[at:at + 2] = [best[0] + best[1]]
                at += 1
    return merges
