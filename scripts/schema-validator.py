"""Judges YAML files by a JSON Schema, independently of Divert: schema-validator SCHEMA FILE...

Prints one JSON object a file: its name, and the faults that were found, none for a good file. The tests of the schema read
it; scripts/setup installs what it imports.
"""

import json
import sys

from jsonschema import Draft7Validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError


def document(path):
    yaml = YAML(typ="safe", pure=True)
    yaml.Constructor.add_constructor("tag:yaml.org,2002:timestamp", lambda _, node: node.value)
    with open(path, encoding="utf-8") as file:
        return yaml.load(file)


def faults(validator, path):
    try:
        tree = document(path)
    except YAMLError as error:
        return ["not YAML: " + str(error).splitlines()[0]]
    return [f"{error.json_path}: {error.message[:300]}" for error in validator.iter_errors(tree)]


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        schema = json.load(file)
    Draft7Validator.check_schema(schema)
    validator = Draft7Validator(schema)
    for path in sys.argv[2:]:
        print(json.dumps({"file": path, "faults": faults(validator, path)}))


main()
