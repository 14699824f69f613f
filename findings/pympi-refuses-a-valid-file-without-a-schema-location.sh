#!/usr/bin/env bash
# Finding: pympi-ling 1.71 cannot open an EAF 3.0 file whose root element has no attribute xsi:noNamespaceSchemaLocation: KeyError, before anything is
# read. The attribute is a hint for validators that XML Schema leaves to the writer, and the schema of EAF 3.0 does not mention it; lxml finds the
# file valid by that schema. With the attribute, and nothing else changed, the same file is read. ELAN itself always writes it. So a program
# that writes EAF should write it too.
#
#   findings/pympi-refuses-a-valid-file-without-a-schema-location.sh
#
# Needs bash, Python 3.11 with venv, and a way for pip to get the package. Everything is in a temporary folder that is removed at the end.
# Exit 0: the behaviour is there. 3: it is not (any more). Other: cannot be judged (2: an install failed, or the file with the attribute is not read either).
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
{
  python3 -m venv "$folder/venv"
  "$folder/venv/bin/pip" install --quiet --disable-pip-version-check pympi-ling==1.71
} || exit 2

"$folder/venv/bin/python" - "$folder" <<'PY'
import sys
from importlib.metadata import version
from pathlib import Path

from pympi.Elan import Eaf

folder = Path(sys.argv[1])
print(f"pympi-ling {version('pympi-ling')}")
HINT = ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:noNamespaceSchemaLocation="http://www.mpi.nl/tools/elan/EAFv3.0.xsd"'
FILE = """<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT AUTHOR="" DATE="2026-01-01T00:00:00Z" FORMAT="3.0" VERSION="3.0"{hint}>
<HEADER TIME_UNITS="milliseconds"/>
<TIME_ORDER><TIME_SLOT TIME_SLOT_ID="ts1" TIME_VALUE="0"/><TIME_SLOT TIME_SLOT_ID="ts2" TIME_VALUE="500"/></TIME_ORDER>
<TIER LINGUISTIC_TYPE_REF="lt" TIER_ID="words"><ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts2">
<ANNOTATION_VALUE>hello</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION></TIER>
<LINGUISTIC_TYPE GRAPHIC_REFERENCES="false" LINGUISTIC_TYPE_ID="lt" TIME_ALIGNABLE="true"/>
</ANNOTATION_DOCUMENT>
"""


def look(name, hint):
    file = folder / f"{name}.eaf"
    file.write_text(FILE.format(hint=hint))
    try:
        found = Eaf(str(file)).get_annotation_data_for_tier("words")
    except KeyError as error:
        found = f"KeyError {error}"
    print(f"{name} the schema location: {found}")
    return found


if look("with", HINT) != [(0, 500, "hello")]:
    print("cannot judge: the file with it is not read either")
    sys.exit(2)
refused = look("without", "")
holds = isinstance(refused, str) and "noNamespaceSchemaLocation" in refused
print("a valid file without it is refused" if holds else "it is not so (any more)")
sys.exit(0 if holds else 3)
PY
