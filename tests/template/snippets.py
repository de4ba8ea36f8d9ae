"""Checks the CDK and Terraform snippets of the guide, and that faults in them are found.

CDK's is compiled against CDK's own types, synthesized and linted; its mapping has to be that of template.yaml. Terraform's is
parsed, and each name in it looked up in the AWS provider's schema, as the provider's bindings for TypeScript have it.
"""

import base64
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import urllib.request
from pathlib import Path

import hcl2
from check import TEMPLATE, Tally, lint, translate
from facts import CLUSTER, mapping, stack
from samtranslator.yaml_helper import yaml_parse

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs/src/recipes.md"

# The bindings, of which one file is read: 37 MB packed, far more unpacked.
BINDINGS = "https://registry.npmjs.org/@cdktf/provider-aws/-/provider-aws-21.22.1.tgz"
INTEGRITY = "BuSHeaQFUL9l33pBzIMRT7cTQ69AM2mLtijjteCPhVQRmvuhuj9Lvfymf7knAMhYqAT6+Lrls9jiGVW/Us3zrQ=="
RESOURCE = "aws_cloudformation_stack"
SCHEMA = "package/lib/cloudformation-stack/index.d.ts"

# A name that CDK does not have: its type says so. A setting that differs from template.yaml's: the comparison does.
CDK_CONTROLS = {"misspelt": ("bisectBatchOnError", "bisectBatchOnErr"), "weak": ("retryAttempts: 10000", "retryAttempts: 10")}
TERRAFORM_CONTROLS = [
    ("an attribute that the resource does not have", "template_body", "template_text"),
    ("a resource that the provider does not have", RESOURCE, "aws_cloudformation_stak"),
    ("no name", 'name          = "shop"', ""),
    ("a capability too few", ', "CAPABILITY_AUTO_EXPAND"', ""),
    ("a parameter that the template does not have", "Topic =", "Topics ="),
    ("a parameter too few", "ClusterArn = var.cluster_arn, ", ""),
    ("an open brace", "parameters    = {", "parameters    = "),
]


def snippet(language):
    (text,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(), re.S | re.M)
    return text


def changed(text, before, after):
    assert text.count(before) == 1, f"the snippet has no {before}"
    return text.replace(before, after)


def cdk(tally, folder):
    frame = (HERE / "stack.ts").read_text().replace("CLUSTER", CLUSTER)
    page = snippet("ts")
    versions = {"right": page} | {name: changed(page, *fault) for name, fault in CDK_CONTROLS.items()}
    for name, text in versions.items():
        (folder / f"{name}.ts").write_text(changed(frame, "// SNIPPET", text))
    (folder / "node_modules").symlink_to(HERE / "node_modules")
    node = shutil.which("node")
    options = ["--strict", "--skipLibCheck", "--module", "commonjs", "--target", "es2022"]
    sources = [f"{name}.ts" for name in versions]
    tsc = subprocess.run([node, "node_modules/typescript/bin/tsc", *options, *sources], cwd=folder, capture_output=True, text=True)
    # `process` is Node's, whose types are not here.
    faults = [line for line in tsc.stdout.splitlines() if line[:1].strip() and "'process'" not in line]
    tally.check("CDK: the snippet compiles", lambda: no([f for f in faults if not f.startswith("misspelt.ts")]))
    tally.check("CDK: a misspelt setting does not", lambda: some([f for f in faults if "bisectBatchOnErr'" in f]))
    run = "for (const n of ['right', 'weak']) console.log(JSON.stringify(require(`./${n}.js`).template))"
    done = subprocess.run([node, "-e", run], cwd=folder, capture_output=True, text=True, env={"OUT": str(folder / "out")})
    templates = {}
    tally.check("CDK: the snippet is synthesized", lambda: templates.update(zip(["right", "weak"], map(json.loads, done.stdout.splitlines()), strict=True)))
    tally.check("CDK: the outcome lints", lambda: lint(without_dependencies(templates["right"])))
    tally.check("CDK: the mapping is that of template.yaml", lambda: same_mapping(templates["right"]))
    tally.check("CDK: fewer attempts are found", lambda: fails(same_mapping, templates["weak"]))


def without_dependencies(template):
    """CDK writes some that follow from references too, which the linter minds."""
    resources = template["Resources"].items()
    return template | {"Resources": {name: {k: v for k, v in r.items() if k != "DependsOn"} for name, r in resources}}


def same_mapping(template):
    (found,) = (r["Properties"] for r in template["Resources"].values() if r["Type"] == "AWS::Lambda::EventSourceMapping")
    expected = dict(mapping(stack(translate(yaml_parse(TEMPLATE.read_text())), ConsumerGroup="shop")))
    # No age, as the default is; and each has names of its own.
    assert expected.pop("MaximumRecordAgeInSeconds") == -1
    name, attribute = found["DestinationConfig"]["OnFailure"]["Destination"]["Fn::GetAtt"]
    assert (template["Resources"][name]["Type"], attribute) == ("AWS::S3::Bucket", "Arn"), f"{name}.{attribute} is no bucket"
    found = found | {name: expected[name] for name in ("FunctionName", "DestinationConfig")}
    differ = {name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name)}
    assert not differ, {name: (found.get(name), expected.get(name)) for name in differ}


def no(faults):
    assert not faults, "; ".join(faults)


def some(faults):
    assert faults, "went unnoticed"


def fails(check, *given):
    try:
        check(*given)
    except Exception:
        return
    raise AssertionError("went unnoticed")


def schema(cache):
    """The attributes of the resource, each with whether it has to be there."""
    if not cache.exists():
        with urllib.request.urlopen(BINDINGS, timeout=60) as answer:
            packed = answer.read()
        digest = base64.b64encode(hashlib.sha512(packed).digest()).decode()
        assert digest == INTEGRITY, f"the provider's bindings have the sum {digest}"
        archive = cache.with_suffix(".tgz")
        archive.write_bytes(packed)
        with tarfile.open(archive) as tar:
            cache.write_bytes(tar.extractfile(SCHEMA).read())
        archive.unlink()
    config = cache.read_text().split("interface CloudformationStackConfig")[1].split("export ")[0]
    snake = lambda name: re.sub("[A-Z]", lambda upper: "_" + upper.group().lower(), name)
    return {snake(name): not optional for name, optional in re.findall(r"^    readonly (\w+)(\??):", config, re.M)}


def terraform(text, attributes, template):
    resources = hcl2.loads(text)["resource"]
    (resource,) = resources
    ((kind, named),) = resource.items()
    assert kind.strip('"') == RESOURCE, f"no schema for {kind}"
    (body,) = (value for name, value in named.items() if not name.startswith("__"))
    given = {name: value for name, value in body.items() if not name.startswith("__")}
    assert given.keys() <= attributes.keys(), f"not in the schema: {given.keys() - attributes.keys()}"
    missing = {name for name, needed in attributes.items() if needed} - given.keys()
    assert not missing, f"missing: {missing}"
    capabilities = {value.strip('"') for value in given["capabilities"]}
    assert capabilities == {"CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"}, capabilities
    parameters = template["Parameters"]
    assert given["parameters"].keys() <= parameters.keys(), given["parameters"].keys() - parameters.keys()
    asked = {name for name, parameter in parameters.items() if "Default" not in parameter}
    assert asked <= given["parameters"].keys(), f"parameters without a default: {asked - given['parameters'].keys()}"


def main():
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder:
        cdk(tally, Path(folder))
    page, template = snippet("hcl"), yaml_parse(TEMPLATE.read_text())
    attributes = {}
    # Beside the packages that npm fetched.
    cache = HERE / "node_modules" / "aws_cloudformation_stack.d.ts"
    tally.check("Terraform: the provider's schema is there", lambda: attributes.update(schema(cache)))
    tally.check("Terraform: each name in the snippet is the provider's", lambda: terraform(page, attributes, template))
    for what, before, after in TERRAFORM_CONTROLS:
        tally.check(f"Terraform: fails with {what}", lambda: fails(terraform, changed(page, before, after), attributes, template))
    print(f"{tally.passed} passed, {tally.failed} failed")
    return 1 if tally.failed or not tally.passed else 0


if __name__ == "__main__":
    sys.exit(main())
