"""The software bill of materials (CycloneDX) of what users install: vistio, what it needs, what its page was built of.

    python -m releasing.sbom PYTHON FILE

PYTHON is the interpreter of an environment that has vistio and nothing that it does not need. ``cyclonedx-py`` looks at
the environment; it knows nothing of the page, so that is added from its lock file.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from releasing.licences import read_list, settled
from releasing.packages import ROOT, Package, in_the_page

WITHOUT = frozenset({"pip", "setuptools"})
"""What an environment has of its own."""


def made(python: str, version: str) -> dict[str, Any]:
    """The document of an environment.

    Raises:
        subprocess.CalledProcessError: ``cyclonedx-py`` refused.
    """
    command = ["cyclonedx-py", "environment", "--pyproject", str(ROOT / "pyproject.toml")]
    # Twice the same should be the same: without the moment and a random number.
    command += ["--mc-type", "application", "--output-reproducible", "--of", "JSON", python]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    page = list(settled(in_the_page(), read_list()))
    return complete(json.loads(done.stdout), page, version)


def complete(document: dict[str, Any], page: list[Package], version: str) -> dict[str, Any]:
    """The document with the page's packages, and without what no user of vistio needs."""
    main = document["metadata"]["component"]
    main["version"] = version
    own = {main["name"], *WITHOUT}
    components = [each for each in document["components"] if each["name"] not in own]
    gone = {each["bom-ref"] for each in document["components"] if each["name"] in own}
    components += [
        {
            "type": "library",
            "bom-ref": package.purl,
            "name": package.name,
            "version": package.version,
            "purl": package.purl,
            "licenses": [{"expression": package.licence}],
        }
        for package in page
    ]
    dependencies = [each for each in document["dependencies"] if each["ref"] not in gone]
    for each in dependencies:
        if each["ref"] == main["bom-ref"]:
            each["dependsOn"] = sorted({*each.get("dependsOn", ()), *(package.purl for package in page)})
    dependencies += [{"ref": package.purl} for package in page]
    return {**document, "components": components, "dependencies": dependencies}


def main(arguments: list[str]) -> int:
    """The exit code."""
    from releasing.checklist import project_version

    python, file = arguments
    document = made(python, project_version())
    Path(file).write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    print(f"{file}: {len(document['components'])} components")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
