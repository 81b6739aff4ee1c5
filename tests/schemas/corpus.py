"""Schemas that answers are made to conform to: as (name, schema), from plain to hostile.

`python3 corpus.py RUNS PART PARTS` prints lines for duet batch: RUNS for each schema of one of so many
parts of them."""
import json
import sys


def obj(properties, required=None, **more):
    required = list(properties) if required is None else required
    return {"type": "object", "properties": properties, "required": required, **more}


S, I, N, B = ({"type": t} for t in ("string", "integer", "number", "boolean"))
short = {"type": "string", "maxLength": 6}


def deep(n):
    schema = {"type": "integer", "minimum": 0, "maximum": 9}
    for i in range(n):
        schema = {"type": "array", "items": schema, "minItems": 1, "maxItems": 1} if i % 2 else \
            obj({"a": schema})
    return schema


SCHEMAS = [
    ("null", {"type": "null"}),
    ("boolean", B),
    ("integer", I),
    ("number", N),
    ("string", {"type": "string", "maxLength": 12}),
    ("string of one length", {"type": "string", "minLength": 3, "maxLength": 3}),
    ("long minimum", {"type": "string", "minLength": 70, "maxLength": 75}),
    ("empty string", {"type": "string", "maxLength": 0}),
    ("enum", {"enum": ["red", "green", 1, None, True, 2.5, "gr\u00fcn", "a\"b\\c\n"]}),
    ("enum of containers", {"enum": [[1, 2], {"a": [None]}, [], {}]}),
    ("enum with a type", {"type": "string", "enum": ["one", "two", 3]}),
    ("const", {"const": {"version": 1, "tags": ["x", "y"]}}),
    ("const text", {"const": "\u2028 \u00e9 \U0001F600 \t"}),
    ("types", {"type": ["integer", "null", "boolean"]}),
    ("nullable", {"type": "integer", "minimum": 5, "maximum": 6, "nullable": True}),
    ("digit", {"type": "integer", "minimum": 0, "maximum": 9}),
    ("two to three digits", {"type": "integer", "minimum": 37, "maximum": 512}),
    ("around zero", {"type": "integer", "minimum": -13, "maximum": 104}),
    ("negative", {"type": "integer", "minimum": -2048, "maximum": -17}),
    ("exclusive", {"type": "integer", "exclusiveMinimum": 9, "exclusiveMaximum": 12}),
    ("from above", {"type": "integer", "minimum": 999999}),
    ("from below", {"type": "integer", "maximum": -1000}),
    ("huge bounds", {"type": "integer", "minimum": -9223372036854775807,
                     "maximum": 9223372036854775806}),
    ("one huge number", {"type": "integer", "minimum": 123456789012345678,
                         "maximum": 123456789012345679}),
    ("bounds beyond all", {"type": "integer", "minimum": -1e300, "maximum": 1e300}),
    ("fractional bounds", {"type": "integer", "minimum": 0.5, "maximum": 2.5}),
    ("probability", {"type": "number", "minimum": 0, "maximum": 1}),
    ("open interval", {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 0.001}),
    ("temperature", {"type": "number", "minimum": -273.15, "maximum": 56.7}),
    ("above", {"type": "number", "exclusiveMinimum": 1234.5}),
    ("fine", {"type": "number", "minimum": 0.123456789, "maximum": 0.12345679}),
    ("multiple", {"type": "integer", "multipleOf": 7, "minimum": 1, "maximum": 1000}),
    ("multiple without bounds", {"type": "integer", "multipleOf": 25}),
    ("multiple of halves", {"type": "number", "multipleOf": 0.5, "minimum": -3, "maximum": 40}),
    ("multiple, many", {"type": "integer", "multipleOf": 3, "minimum": -100000, "maximum": 99999}),
    ("pattern", {"type": "string", "pattern": "^[A-Z]{2,3}-\\d{4}$"}),
    ("pattern in the middle", {"type": "string", "pattern": "^.{0,4}[aeiou]{2}.{0,4}$"}),
    ("pattern without anchors", {"type": "string", "pattern": "[aeiou]{2}x"}),
    ("pattern with alternatives", {"type": "string", "pattern": "^(?:yes|no|may(be)?)$|^\\?+$"}),
    ("pattern with escapes", {"type": "string", "pattern": "^[\"\\\\/\\n\\u00e9-\\u00ff]{1,8}$"}),
    ("pattern with a length", {"type": "string", "pattern": "^[a-f0-9]+$", "minLength": 5,
                               "maxLength": 9}),
    ("not a digit", {"type": "string", "pattern": "^\\D{1,5}$"}),
    ("not a quote", {"type": "string", "pattern": "^[^'\"]{0,20}$"}),
    ("catastrophic", {"type": "string", "pattern": "^(?:(a|aa)+|a{1,40})b$"}),
    ("astral", {"type": "string", "pattern": "^[\U0001F600-\U0001F64F\u4e00-\u9fff]{1,4}$"}),
    ("date", {"type": "string", "format": "date"}),
    ("time", {"type": "string", "format": "time"}),
    ("date-time", {"type": "string", "format": "date-time"}),
    ("email", {"type": "string", "format": "email"}),
    ("uuid", {"type": "string", "format": "uuid"}),
    ("ipv4", {"type": "string", "format": "ipv4"}),
    ("uri", {"type": "string", "format": "uri"}),
    ("array", {"type": "array", "items": I}),
    ("array of any", {"type": "array", "maxItems": 2}),
    ("counted array", {"type": "array", "items": B, "minItems": 2, "maxItems": 5}),
    ("long array", {"type": "array", "items": {"type": "null"}, "minItems": 20, "maxItems": 30}),
    ("empty array", {"type": "array", "maxItems": 0}),
    ("prefix", {"type": "array", "prefixItems": [I, B, short], "items": False, "minItems": 2}),
    ("prefix and more", {"type": "array", "prefixItems": [{"const": "v"}], "items": I,
                         "minItems": 1, "maxItems": 3}),
    ("unique", {"type": "array", "items": {"enum": ["a", "b", "c", 1]}, "uniqueItems": True,
                "minItems": 1}),
    ("matrix", {"type": "array", "minItems": 2, "maxItems": 2, "items": {
        "type": "array", "minItems": 2, "maxItems": 2, "items": {"type": "integer", "minimum": -9,
                                                                 "maximum": 9}}}),
    ("object", obj({"name": short, "age": {"type": "integer", "minimum": 0, "maximum": 130}})),
    ("optional", obj({"a": I, "b": B, "c": {"type": "null"}, "d": B}, ["c"],
                     additionalProperties=False)),
    ("all optional", obj({"x": B, "y": B}, [], additionalProperties=False)),
    ("no properties", obj({}, additionalProperties=False)),
    ("map", {"type": "object", "additionalProperties": {"type": "integer"}}),
    ("others too", obj({"id": I, "idea": B}, ["id"], additionalProperties={"type": "boolean"})),
    ("required, not listed", {"type": "object", "required": ["zed"],
                              "additionalProperties": {"enum": [1, 2]}}),
    ("odd names", obj({"a \"b\"": I, "\u00e9": B, "": {"const": 0}, "x\\y\n": B},
                      additionalProperties=False)),
    ("anyOf", {"anyOf": [I, {"type": "array", "items": B, "maxItems": 2}, {"const": "none"}]}),
    ("anyOf beside", {"type": "object", "properties": {"a": I, "b": B},
                      "additionalProperties": False,
                      "anyOf": [{"required": ["a"]}, {"required": ["b"]}]}),
    ("oneOf", {"oneOf": [obj({"kind": {"const": "circle"}, "r": I}),
                         obj({"kind": {"const": "square"}, "side": I}), {"type": "null"}]}),
    ("oneOf by number", {"oneOf": [{"type": "string", "maxLength": 2}, {"enum": [1, 2]}]}),
    ("allOf", {"allOf": [obj({"a": {"type": "integer", "minimum": 3}}),
                         obj({"a": {"maximum": 5}, "b": {"type": ["null", "boolean"]}}),
                         obj({"b": {"type": ["null", "string"]}})]}),
    ("ref", {"$defs": {"point": obj({"x": I, "y": I})},
             "type": "array", "items": {"$ref": "#/$defs/point"}, "minItems": 1, "maxItems": 2}),
    ("ref with a twist", {"definitions": {"a~b/c": {"type": "integer"}},
                          "properties": {"v": {"$ref": "#/definitions/a~0b~1c", "minimum": 4,
                                               "maximum": 4}},
                          "type": "object", "required": ["v"]}),
    ("tree", {"$defs": {"node": obj({"v": {"type": "integer", "minimum": 0, "maximum": 3},
                                     "kids": {"type": "array", "maxItems": 2,
                                              "items": {"$ref": "#/$defs/node"}}})},
              "$ref": "#/$defs/node"}),
    ("list by recursion", {"$defs": {"list": {"anyOf": [{"type": "null"}, obj(
        {"head": B, "tail": {"$ref": "#/$defs/list"}})]}}, "$ref": "#/$defs/list"}),
    ("mutual recursion", {"$defs": {
        "a": {"type": "array", "items": {"$ref": "#/$defs/b"}, "maxItems": 2},
        "b": obj({"a": {"$ref": "#/$defs/a"}}, [])}, "$ref": "#/$defs/a"}),
    ("annotations", {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "x",
                     "title": "t", "description": "d", "$comment": "c", "type": "object",
                     "properties": {"a": {"type": "boolean", "default": True, "examples": [False],
                                          "deprecated": True}}, "required": ["a"]}),
    ("no type", {"properties": {"a": B}, "required": ["a"]}),
    ("anything", True),
    ("nothing asked", {}),
    ("any object", {"type": "object"}),
    # Hostile.
    ("deep", deep(60)),
    ("enormous enum", {"enum": ["value %d of %s" % (i, "xyz" * (i % 7)) for i in range(20000)]}),
    ("words within words", {"enum": ["a" * i for i in range(1, 400)]}),
    ("many properties", obj({"p%d" % i: B for i in range(300)}, [],
                            additionalProperties=False)),
    ("many alternatives", {"anyOf": [obj({"k": {"const": i}, "v%d" % i: B}) for i in range(200)]}),
    ("same beginnings", {"anyOf": [{"type": "array", "items": {"const": "a" * i}, "minItems": 1,
                                    "maxItems": 2} for i in range(1, 80)]}),
    ("endless string", {"type": "array", "items": {"type": "string", "maxLength": 1000000000},
                        "maxItems": 0}),
    ("optional upon optional", {"type": "string", "pattern": "^(a?){60}a{3}$"}),
    ("nested counts", {"type": "string", "pattern": "^(?:(?:a{1,9}b?){1,9}c?){1,5}$"}),
    ("long tail", {"type": "string", "pattern": "^[ab]{0,6}a[ab]{12}$"}),
    ("wide classes", {"type": "string", "pattern": "^[^\\u0000-\\u001f\"\\\\]{3}$"}),
]

if __name__ == "__main__":
    runs, part, parts = (list(map(int, sys.argv[1:])) + [3, 0, 1][len(sys.argv) - 1:])[:3]
    for number, (name, schema) in enumerate(SCHEMAS):
        if number % parts != part:
            continue
        for run in range(runs):
            print(json.dumps({
                "id": number, "prompt": "17 + 25", "schema": schema, "seed": 100 * number + run,
                "temperature": (1, 2, 10)[run % 3], "top_p": 1, "max_tokens": 1200}))
