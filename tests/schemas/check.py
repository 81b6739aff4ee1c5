"""Holds what duet batch wrote for corpus.py against jsonschema. Prints what is wrong; exits 1 then.
With --all it is also wrong where no answer to some schema came to its end."""
import collections
import json
import sys

import jsonschema

from corpus import SCHEMAS


def plain(schema):
    """Without nullable, which is OpenAPI's and not JSON Schema's."""
    if isinstance(schema, dict) and schema.get("nullable"):
        return {"anyOf": [{k: v for k, v in schema.items() if k != "nullable"}, {"type": "null"}]}
    return schema


def main(all_needed):
    whole, cut, wrong = collections.Counter(), collections.Counter(), 0
    for line in sys.stdin:
        result = json.loads(line)
        name, schema = SCHEMAS[result["id"]]
        if "error" in result:
            print("%s: %s" % (name, result["error"]))
            wrong += 1
            continue
        if result.get("unfinished"):
            cut[name] += 1
            continue
        try:
            value = json.loads(result["answer"])
            jsonschema.validate(value, plain(schema), cls=jsonschema.Draft202012Validator,
                                format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)
            whole[name] += 1
        except (ValueError, jsonschema.ValidationError) as e:
            print("%s: %.300r: %s" % (name, result["answer"], str(e).split("\n")[0][:200]))
            wrong += 1
    for name in cut if all_needed else []:
        if not whole[name]:
            print("%s: no answer was whole (%d cut short)" % (name, cut[name]))
            wrong += 1
    print("%d answers whole, %d cut short, %d wrong" %
          (sum(whole.values()), sum(cut.values()), wrong))
    return wrong > 0 or not whole


if __name__ == "__main__":
    sys.exit(main("--all" in sys.argv))
