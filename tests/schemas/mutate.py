"""Values that nearly conform to the corpus's schemas, each with jsonschema's verdict.

Prints JSON lines: a schema, or {"text": ..., "valid": ...} for the schema before it. A value is
written as duet would write it (no spaces, properties in the schema's order), so that a text is
accepted if and only if its value conforms. Left out are values that duet never writes though they
would conform: longer numbers, properties that are neither listed nor asked for."""
import json
import random
import string
import sys

import jsonschema

from check import plain
from corpus import SCHEMAS

# Schemas of which duet knowingly writes fewer texts than conform.
NARROW = {"anything", "nothing asked", "any object", "array of any", "email", "uri", "time",
          "date-time", "uuid", "enormous enum", "required, not listed", "no type", "not a digit",
          "others too", "map", "pattern without anchors"}
# Patterns on which Python's re takes for ever.
SLOW = {"catastrophic", "optional upon optional", "nested counts"}
draw = random.Random(7)


def text(n):
    return "".join(draw.choice("abAB01-_.'\"\\\n\u00e9\u4e2d\U0001F600 aeiou?/") for _ in range(n))


def any_value(depth):
    kind = draw.randrange(8 if depth else 6)
    if kind < 6:
        return [None, True, False, draw.randrange(-20, 120), draw.randrange(100) / 8,
                text(draw.randrange(6))][kind]
    return [any_value(0)] if kind == 6 else {"a": any_value(0)}


def number(s, integer):
    low = s.get("minimum", s.get("exclusiveMinimum", -50))
    high = s.get("maximum", s.get("exclusiveMaximum", 150))
    near = [low, high, 0, low + 1, high - 1, low - 1, high + 1, (low + high) / 2]
    n = draw.choice(near + [draw.uniform(low, min(high, low + 1e4))])
    n = max(min(n, 10 ** 14), -10 ** 14)
    if integer and draw.random() < 0.9:
        return int(n)
    return round(n, draw.randrange(0, 8)) if abs(n) < 1e6 else int(n)


def value(s, root, depth):
    """Something like what s describes; wrong here and there."""
    if draw.random() < 0.06 or s is True or s is False or depth > 9:
        return any_value(1)
    if "$ref" in s:
        at = root
        for step in s["$ref"][2:].split("/"):
            at = at[step.replace("~1", "/").replace("~0", "~")]
        return value(dict(at, **{k: v for k, v in s.items() if k != "$ref"}), root, depth)
    if "const" in s:
        return s["const"]
    if "enum" in s:
        return draw.choice(s["enum"])
    if "anyOf" in s or "oneOf" in s:
        rest = {k: v for k, v in s.items() if k not in ("anyOf", "oneOf")}
        return value(dict(rest, **draw.choice(s.get("anyOf", s.get("oneOf")))), root, depth)
    if "allOf" in s:
        s = dict(s["allOf"][0], properties={k: v for a in s["allOf"]
                                            for k, v in a["properties"].items()})
    kind = s.get("type", "object" if "properties" in s else "array" if "items" in s else "string")
    kind = draw.choice(kind) if isinstance(kind, list) else kind
    if kind == "object":
        out = {k: value(v, root, depth + 1) for k, v in s.get("properties", {}).items()
               if k in s.get("required", []) and draw.random() < 0.95 or draw.random() < 0.5}
        return out
    if kind == "array":
        first = s.get("prefixItems", [])
        n = draw.choice([s.get("minItems", 0), len(first), s.get("maxItems", 3),
                         s.get("minItems", 0) + 1])
        n = max(0, min(n, 40) + draw.choice([0, 0, 0, 1, -1]))
        item = s.get("items", True) or {"type": "integer"}
        return [value(first[i] if i < len(first) else item, root, depth + 1) for i in range(n)]
    if kind in ("integer", "number"):
        return number(s, kind == "integer")
    if kind == "string":
        n = draw.choice([s.get("minLength", 0), min(s.get("maxLength", 9), 80)])
        made = [text(max(0, n + draw.choice([0, 0, 1, -1])))]
        made += ["AB-1234", "xaex", "yes", "maybe", "no", "?", "aab", "ab", "a" * 9, "abababababab",
                 "aaaaabababababab", "2024-02-29", "2023-02-29", "1999-12-31", "255.0.10.1",
                 "256.1.1.1", "abc12", "\U0001F600\u4e00", "a" * 63] if draw.random() < 0.6 else []
        return draw.choice(made)
    return {"null": None, "boolean": draw.random() < 0.5}[kind]


def main(runs):
    for name, schema in SCHEMAS:
        if name in NARROW | SLOW or len(json.dumps(schema)) > 100000:
            continue
        print(json.dumps({"schema": schema}))
        validator = jsonschema.Draft202012Validator(
            plain(schema), format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)
        for _ in range(runs):
            v = value(schema, schema, 0)
            written = json.dumps(v, ensure_ascii=False, separators=(",", ":"))
            if "e-" in written or "e+" in written or ".0" in written and "255.0" not in written:
                continue
            print(json.dumps({"text": written, "valid": validator.is_valid(v)}))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 40)
