"""Whether anything that is pinned has a known vulnerability, as pip-audit is told by an advisory service.

    python -m releasing.audit [FILE] [arguments of pip-audit, such as --vulnerability-service osv]

FILE is constraints.txt unless another one is named first. A service that is not reached is a failure: nothing was
audited then.
"""

from __future__ import annotations

import json
import subprocess
import sys

UNREACHED = (
    "audit: nothing was audited, for the advisory service was not reached, or knows none of these packages (its last"
    " line stands above). Run `nox -s audit` again where it is reached, or name another one:"
    " `nox -s audit -- --vulnerability-service osv`. A release needs one that answered."
)


def judged(code: int, output: str) -> list[str]:
    """What is wrong, a line each; nothing when all was looked up and nothing is known of it.

    Args:
        code: of pip-audit: 0 when nothing is known, 1 else.
        output: its JSON; none when it could not ask.
    """
    try:
        found = json.loads(output)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return [UNREACHED]
    if all("skip_reason" in each for each in found):
        return [UNREACHED]
    wrong = [
        f"{each['name']} {each['version']}: {one['id']}, mended in"
        f" {', '.join(one['fix_versions']) or 'no version'}: pin another version in constraints.txt"
        for each in found
        for one in each.get("vulns", ())
    ]
    wrong += [
        f"{each['name']}: not looked up: {each['skip_reason']}" for each in found if "skip_reason" in each
    ]
    return wrong or ([UNREACHED] if code else [])


def main(arguments: list[str]) -> int:
    """The exit code."""
    file = "constraints.txt"
    if arguments and not arguments[0].startswith("-"):
        file, *arguments = arguments
    command = [sys.executable, "-m", "pip_audit", "--requirement", file, "--no-deps", "--disable-pip"]
    command += ["--progress-spinner", "off", "--format", "json", "--timeout", "15", *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    wrong = judged(done.returncode, done.stdout)
    print("\n".join(wrong) or f"audit: nothing is known of what {file} pins")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
