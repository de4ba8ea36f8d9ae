"""Checks template.yaml: `sam validate`, the translation by SAM linted by cfn-lint, the facts, and that faults are found.

Each folder that is given as an argument holds a project of `cargo msk new`, called as its template: the same, but for the
faults.

`sam validate --lint` does not look inside MSK events, so the template is translated here and the outcome is linted.
"""

import copy
import json
import logging
import os
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ["AWS_DEFAULT_REGION"] = "eu-central-1"  # asked for by the tools; nothing is called there
os.environ["SAM_CLI_TELEMETRY"] = "0"

from cfnlint.api import lint as cfn_lint
from controls import CONTROLS, ENVIRONMENT, EVENT, put
from facts import FACTS, FUNCTION, READ_QUEUE, SEARCH, WRITE_FILES, role_allows_what_is_needed_and_no_more, stack, variables
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

logging.getLogger("samtranslator").setLevel(logging.ERROR)  # it warns of its own usage metrics, which nobody collects

TEMPLATE = Path(__file__).parents[2] / "template.yaml"
SAM = Path(sys.executable).with_name("sam")


class NoManagedPolicies:
    """SAM asks IAM for the ARNs of managed policies that are named. The template names none, and needs no account for it."""

    @staticmethod
    def load():
        return {}


def sam_validate(*options, template=TEMPLATE):
    done = subprocess.run([SAM, "validate", "--template", template, *options], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def sam_refuses(sam, path, value, *options):
    sam = copy.deepcopy(sam)
    put(sam, path, value)
    with tempfile.TemporaryDirectory() as folder:
        faulty = Path(folder, "template.json")
        faulty.write_text(json.dumps(sam))
        try:
            sam_validate(*options, template=faulty)
        except AssertionError:
            return
    raise AssertionError("went unnoticed")


def translate(sam):
    sam = copy.deepcopy(sam)
    sam["Resources"]["Function"]["Properties"]["CodeUri"] = "s3://bucket/code.zip"
    return transform(sam, {}, NoManagedPolicies())


def lint(template):
    matches = cfn_lint(json.dumps(template))
    assert not matches, "; ".join(f"{m.rule.id} {m.message}" for m in matches)


def first_failure(sam, expected):
    """The first check that a faulty template fails. Lint is slow, so it runs only where it is the one expected."""
    try:
        template = translate(sam)
    except Exception as e:
        return "translates", e
    for check in [lint] if expected == "lints" else FACTS:
        try:
            check(template)
        except Exception as e:
            return ("lints" if check is lint else check.__name__), e
    return None, None


class Tally:
    passed = failed = 0

    def check(self, name, run):
        try:
            run()
        except Exception as e:
            self.failed += 1
            print(f"FAIL {name}: {type(e).__name__} {e}", flush=True)
        else:
            self.passed += 1
            print(f"ok   {name}", flush=True)


def found(sam, path, value, expected):
    sam = copy.deepcopy(sam)
    put(sam, path, value)
    found, why = first_failure(sam, expected)
    assert found, "went unnoticed"
    assert found == expected, f"was found by {found} ({why}), not by {expected}"


def has_control(check):
    assert any(expected == check for *_, expected in CONTROLS), "none of the controls"


def holds(tally, path, of=""):
    """What is true of a template without faults, which comes back as it was read."""
    tally.check(f"{of}sam validate", lambda: sam_validate(template=path))
    tally.check(f"{of}sam validate --lint", lambda: sam_validate("--lint", template=path))
    sam = yaml_parse(path.read_text())
    template = {}
    tally.check(f"{of}translates", lambda: template.update(translate(sam)))
    tally.check(f"{of}the translation lints", lambda: lint(template))
    for fact in FACTS:
        tally.check(f"{of}{fact.__name__}", lambda: fact(template))
    return sam


def function_signs_for(service, template):
    v = variables(stack(template, OpenSearchIndex="other"))
    assert (v["OPENSEARCH_SERVICE"], v["OPENSEARCH_INDEX"]) == (service, "other"), v


# What the functions have that `cargo msk new` makes.
PROJECTS = {
    "orders": {"url": ("ServiceUrl", "SERVICE_URL")},
    "two-sources": {"also": READ_QUEUE},
    "cdc": {},
    "typed": {"url": ("ServiceUrl", "FULFILMENT_URL")},
    "traced": {"url": ("ServiceUrl", "SERVICE_URL"), "traces": True},
    "files-s3": {"also": WRITE_FILES},
    "bulk-opensearch": {"url": ("OpenSearchUrl", "OPENSEARCH_URL")} | SEARCH["es"],
    "bulk-postgres": {"url": ("DatabaseUrl", "DATABASE_URL"), "given": {"DatabaseUrl": "postgres://u:p@db/shop"}},
}


def main():
    tally = Tally()
    sam = holds(tally, TEMPLATE)
    bogus, dangling = (EVENT + ".Bogus", 2), (ENVIRONMENT + ".X", {"Ref": "Nothing"})
    tally.check("sam validate fails with a property that MSK events do not have", lambda: sam_refuses(sam, *bogus))
    tally.check("sam validate --lint fails with a reference to nothing", lambda: sam_refuses(sam, *dangling, "--lint"))
    for what, path, value, expected in CONTROLS:
        tally.check(f"fails with {what}", lambda: found(sam, path, value, expected))
    for check in ["translates", "lints", *(fact.__name__ for fact in FACTS)]:
        tally.check(f"{check} has a fault to find", lambda: has_control(check))
    for folder in map(Path, sys.argv[1:]):
        name = folder.name
        FUNCTION.update({"binary": name, "topic": "TOPIC", "url": None, "also": {}, "given": {}, "traces": False} | PROJECTS[name])
        sam = holds(tally, folder / "template.yaml", of=f"{name}: ")
        for service, of_service in SEARCH.items() if name == "bulk-opensearch" else ():
            FUNCTION.update(of_service)
            tally.check(f"{name}: the role for {service}", lambda: role_allows_what_is_needed_and_no_more(translate(sam)))
            tally.check(f"{name}: the variables for {service}", lambda: function_signs_for(service, translate(sam)))
    print(f"{tally.passed} passed, {tally.failed} failed")
    return 1 if tally.failed or not tally.passed else 0


if __name__ == "__main__":
    sys.exit(main())
