"""What CloudFormation makes of a template for given parameters: just enough of its functions for template.yaml.

A reference to a resource becomes `<Name>`, an attribute of one `<Name.Attribute>`.
"""

import re

PSEUDO = {
    "AWS::AccountId": "123456789012",
    "AWS::Partition": "aws",
    "AWS::Region": "eu-central-1",
    "AWS::StackName": "stack",
}
NOTHING = object()


class Stack:
    def __init__(self, template, **given):
        self.template = template
        self.parameters = {name: given.get(name, p.get("Default")) for name, p in template["Parameters"].items()}
        unknown = given.keys() - self.parameters.keys()
        assert not unknown, f"no such parameter: {unknown}"
        self.resources = {name: self.value(r) for name, r in template["Resources"].items()}

    def broken_rules(self):
        """The rules that refuse these parameters, as CloudFormation would before it creates anything."""
        rules = self.template.get("Rules", {})
        return [
            name
            for name, rule in rules.items()
            if self.value(rule.get("RuleCondition", True))
            and not all(self.value(a["Assert"]) for a in rule["Assertions"])
        ]

    def of_type(self, kind):
        return {name: r.get("Properties", {}) for name, r in self.resources.items() if r["Type"] == kind}

    def condition(self, name):
        return self.value(self.template["Conditions"][name])

    def ref(self, name):
        if name == "AWS::NoValue":
            return NOTHING
        if name in PSEUDO:
            return PSEUDO[name]
        if name in self.parameters:
            return self.parameters[name]
        assert name in self.template["Resources"], f"reference to nothing: {name}"
        return f"<{name}>"

    def value(self, node):
        if isinstance(node, list):
            return [v for v in map(self.value, node) if v is not NOTHING]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            (name, argument), = node.items()
            if name == "Ref":
                return self.ref(argument)
            if name == "Condition" and isinstance(argument, str):
                return self.condition(argument)
            if name.startswith("Fn::"):
                return getattr(self, "fn_" + name[4:].lower())(argument)
        values = {key: self.value(v) for key, v in node.items()}
        return {key: v for key, v in values.items() if v is not NOTHING}

    def fn_if(self, argument):
        condition, then, otherwise = argument
        return self.value(then if self.condition(condition) else otherwise)

    def fn_equals(self, argument):
        left, right = self.value(argument)
        return str(left) == str(right)

    def fn_not(self, argument):
        return not self.value(argument)[0]

    def fn_and(self, argument):
        return all(self.value(argument))

    def fn_join(self, argument):
        separator, items = self.value(argument)
        return separator.join(items)

    def fn_split(self, argument):
        separator, text = self.value(argument)
        return text.split(separator)

    def fn_select(self, argument):
        index, items = self.value(argument)
        return items[int(index)]

    def fn_getatt(self, argument):
        name, attribute = argument if isinstance(argument, list) else argument.split(".", 1)
        assert name in self.template["Resources"], f"attribute of nothing: {name}"
        return f"<{name}.{attribute}>"

    def fn_sub(self, argument):
        text, names = argument if isinstance(argument, list) else (argument, {})
        names = self.value(names)

        def replace(match):
            name = match.group(1)
            if name in names:
                return names[name]
            return self.fn_getatt(name) if "." in name else str(self.ref(name))

        return re.sub(r"\$\{([^}!]+)\}", replace, text)
