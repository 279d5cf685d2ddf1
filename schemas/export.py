"""JSON Schemas of everything on the topics, for people and tools without Python: ``python -m schemas.export``.

The files in ``schemas/json`` are checked in. A test compares them with the models, so a change of a model is a visible
change of a file; ``incompatibilities`` says whether data that was written before could still be read.
"""

import json
import sys
from pathlib import Path
from typing import Any

from schemas.registry import COMMAND_MODELS, EVENT_MODELS, LATEST_VERSION

FOLDER = Path(__file__).parent / "json"

Schema = dict[str, Any]


def exported() -> dict[str, Schema]:
    """File name to schema: one file per type and version, definitions included."""
    models = {**EVENT_MODELS, **COMMAND_MODELS}
    found = {}
    for name, model in sorted(models.items()):
        document = model.model_json_schema(mode="validation")
        document["title"] = name
        found[f"{name}.{LATEST_VERSION}.json"] = document
    return found


def as_text(schema: Schema) -> str:
    """The form in which a schema is checked in."""
    return json.dumps(schema, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def incompatibilities(old: Schema, new: Schema, *, where: str = "") -> list[str]:
    """Reasons why a record that is valid under ``old`` may not be read by ``new``; empty when all old data survives.

    Looks at what our models can express: properties that went away (unknown fields are forbidden), properties that
    became required, types and enumerations that became narrower.
    """
    return _compare(old, new, old.get("$defs", {}), new.get("$defs", {}), where or old.get("title", "?"), set())


def _compare(old: Schema, new: Schema, old_defs: Schema, new_defs: Schema, where: str, seen: set[str]) -> list[str]:
    if "$ref" in old:
        name = old["$ref"].rpartition("/")[2]
        if name in seen:
            return []
        seen = seen | {name}
    old, new = _resolved(old, old_defs), _resolved(new, new_defs)
    gone = set(old.get("properties", {})) - set(new.get("properties", {}))
    required = set(new.get("required", ())) - set(old.get("required", ()))
    found = [f"{where}.{name}: the field is gone, but old records have it" for name in sorted(gone)]
    found += [f"{where}.{name}: became required, but old records may lack it" for name in sorted(required)]
    narrowed = set(_allowed(old)) - set(_allowed(new))
    if narrowed and _allowed(new):
        found.append(f"{where}: no longer takes {sorted(map(str, narrowed))}")
    for name, schema in old.get("properties", {}).items():
        if name in new.get("properties", {}):
            found += _compare(schema, new["properties"][name], old_defs, new_defs, f"{where}.{name}", seen)
    if "items" in old and "items" in new:
        found += _compare(old["items"], new["items"], old_defs, new_defs, f"{where}[]", seen)
    return found + _compare_variants(old, new, old_defs, new_defs, where, seen)


def _compare_variants(
    old: Schema, new: Schema, old_defs: Schema, new_defs: Schema, where: str, seen: set[str]
) -> list[str]:
    """Members of a union are told apart by their names or types; each old one must still be taken by its own kind."""
    found = []
    news = {_label(variant): variant for variant in _variants(new)}
    for variant in _variants(old):
        label = _label(variant)
        if label not in news:
            found.append(f"{where}: no longer takes {label}")
        else:
            found += _compare(variant, news[label], old_defs, new_defs, f"{where}<{label}>", seen)
    return found


def _variants(schema: Schema) -> list[Schema]:
    return list(schema.get("anyOf") or schema.get("oneOf") or ())


def _label(schema: Schema) -> str:
    return str(schema.get("$ref", "").rpartition("/")[2] or schema.get("const") or schema.get("type"))


def _resolved(schema: Schema, definitions: Schema) -> Schema:
    if "$ref" in schema:
        resolved: Schema = definitions[schema["$ref"].rpartition("/")[2]]
        return resolved
    return schema


def _allowed(schema: Schema) -> list[Any]:
    if "const" in schema:
        return [schema["const"]]
    if "enum" in schema:
        return list(schema["enum"])
    kind = schema.get("type")
    return [f"type {kind}"] if isinstance(kind, str) else []


def main() -> None:
    """Write all files anew."""
    FOLDER.mkdir(exist_ok=True)
    for name, schema in exported().items():
        (FOLDER / name).write_text(as_text(schema))
    sys.stdout.write(f"{len(exported())} schemas in {FOLDER}\n")


if __name__ == "__main__":
    main()
