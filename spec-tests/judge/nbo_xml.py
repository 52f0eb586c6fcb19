#!/usr/bin/env python3
"""Judges by libxml2 the NBO XML that fairzarr makes of records.

    python nbo_xml.py --bin fairzarr [--xsd NBO.xsd ... | --catalogue nbo-2.01-catalogue.json] --image OME_TIFF DOCUMENT...

(needs lxml). Without either, the published schemas are judged by that lie in ../shared/facts/nbo/real. Without a published
schema one is made from a table of its declarations: elements with their content models and attributes, simple types with
their facets, and identity constraints.

Each DOCUMENT is embedded into a store that says nothing else, and given to a conversion of the image by --nbo; what
`extract --as nbo-xml` gives is validated twice, by the schema and by the schema with nothing in it demanded.
- WRONG: the second finds an error other than a value that the document itself has in this form; or a document that is
  valid, or NBO XML alone in its store, comes out otherwise.
- INCOMPLETE: valid but for what no source says.
Exit code 1 if anything is WRONG.
"""
import argparse, json, pathlib, re, shutil, subprocess, sys, tempfile
from lxml import etree

XS = "http://www.w3.org/2001/XMLSchema"
SHARED = pathlib.Path(__file__).resolve().parents[3] / "shared/facts/nbo/real"


def xs(tag, /, **attributes):
    return etree.Element(f"{{{XS}}}{tag}", {key: str(value) for key, value in attributes.items()})


class Schema:
    """The schema that a catalogue of declarations describes."""

    def __init__(self, catalogue, demanding=True):
        self.demanding = demanding
        self.namespace = catalogue["counts"]["file"]["targetNamespace"]
        self.elements = {element["path"]: element for element in catalogue["elements"]}
        self.members = {}
        for element in catalogue["elements"]:
            if element["substitution_group"]:
                self.members.setdefault(element["substitution_group"], []).append(element["name"])
        root = etree.Element(
            f"{{{XS}}}schema", nsmap={"xs": XS, "OME": self.namespace},
            targetNamespace=self.namespace, elementFormDefault="qualified",
        )
        for element in catalogue["elements"]:
            if element["global"] and not element["abstract"]:
                root.append(self.element(element))
        for constraint in catalogue["identityConstraints"] if demanding else []:
            scope = root.find(f"xs:element[@name='{constraint['scope']}']", {"xs": XS})
            if scope is None:
                continue
            node = xs(constraint["kind"], name=constraint["name"])
            if constraint["refer"]:
                node.set("refer", "OME:" + constraint["refer"].split(":")[-1])
            node.append(xs("selector", xpath=constraint["selector"]))
            for field in constraint["fields"]:
                node.append(xs("field", xpath=field))
            scope.append(node)
        self.validator = etree.XMLSchema(etree.ElementTree(root))

    def concrete(self, name):
        element = self.elements[name]
        if not element["abstract"]:
            return [name]
        return [found for member in self.members.get(name, []) for found in self.concrete(member)]

    def element(self, element):
        node = xs("element", name=element["name"])
        if element.get("type_from") == "untyped":
            return node
        if element["type_kind"] == "simple":
            node.append(self.simple(element["simple_type"]))
            return node
        kind = xs("complexType")
        node.append(kind)
        holder = kind
        if element.get("simple_content"):
            base = element["simple_content"]
            base = base if base.startswith("xs:") else {"base64Binary": "xs:base64Binary"}.get(base, "xs:string")
            holder = xs("extension", base=base)
            content = xs("simpleContent")
            content.append(holder)
            kind.append(content)
        elif element["children"]:
            kind.append(self.model(element))
        for attribute in element["attributes"]:
            holder.append(self.attribute(attribute))
        return node

    def model(self, element):
        sequence, last, group = xs("sequence"), None, None
        for child in element["children"]:
            choice = next((c for c in child["compositors"] if c.startswith("choice")), None)
            if choice is None:
                sequence.append(self.particle(child))
                continue
            if (choice, child["declared_in"]) != last:
                least, most = choice[len("choice["):-1].split(",")
                most = "unbounded" if most == "*" else most
                group = xs("choice", minOccurs=least if self.demanding else 0, maxOccurs=most)
                sequence.append(group)
                last = (choice, child["declared_in"])
            inner = child["compositors"][child["compositors"].index(choice) + 1:]
            if inner:
                found = group.find("xs:sequence", {"xs": XS})
                if found is None:
                    found = xs("sequence")
                    group.append(found)
                found.append(self.particle(child))
            else:
                group.append(self.particle(child))
        return sequence

    def particle(self, child):
        occurs = {"minOccurs": child["minOccurs"] if self.demanding else 0, "maxOccurs": child["maxOccurs"]}
        if child["name"] == "##any":
            return xs("any", processContents="lax", **occurs)
        local = next(
            (self.elements[path] for path in (f"{child['declared_in']}/{child['name']}", f"{child['declared_in']}(type)/{child['name']}")
             if not child["is_ref"] and path in self.elements), None)
        if local:
            node = self.element(local)
        else:
            names = self.concrete(child["name"])
            if len(names) == 1:
                node = xs("element", ref=f"OME:{names[0]}")
            else:
                node = xs("choice")
                for name in names:
                    node.append(xs("element", ref=f"OME:{name}"))
        for key, value in occurs.items():
            node.set(key, str(value))
        return node

    def attribute(self, attribute):
        # Validators collapse the blanks that two of the names have.
        node = xs("attribute", name=attribute["name"].strip(), use=attribute["use"] if self.demanding else "optional")
        if attribute.get("builtin") != "xs:anySimpleType":
            node.append(self.simple(attribute))
        return node

    def simple(self, kind):
        # Patterns of one type are alternatives; each type in the chain has to be satisfied.
        base = xs("restriction", base=kind.get("builtin") or "xs:string")
        for value in kind.get("enumerations") or []:
            base.append(xs("enumeration", value=value))
        for facet, value in (kind.get("facets") or {}).items():
            if not (facet == "whiteSpace" and kind.get("enumerations")):
                base.append(xs(facet, value=value))
        node = xs("simpleType")
        node.append(base)
        for patterns in kind.get("patterns") or []:
            outer = xs("restriction")
            outer.append(node)
            for pattern in patterns if isinstance(patterns, list) else [patterns]:
                outer.append(xs("pattern", value=pattern))
            node = xs("simpleType")
            node.append(outer)
        return node

    def errors(self, data):
        tree = etree.fromstring(data, etree.XMLParser(resolve_entities=False, huge_tree=True, no_network=True))
        self.validator.validate(tree.getroottree())
        return [error.message.replace(f"{{{self.namespace}}}", "") for error in self.validator.error_log]


class Published(Schema):
    """The published schema itself; its one import is of a schema that it does not use."""

    def __init__(self, path, demanding=True):
        tree = etree.parse(str(path), etree.XMLParser(no_network=True))
        root = tree.getroot()
        self.namespace = root.get("targetNamespace")
        for node in root.findall(f"{{{XS}}}import"):
            root.remove(node)
        if not demanding:
            for node in root.iter(f"{{{XS}}}attribute"):
                node.attrib.pop("use", None)
            for node in root.iter(*(f"{{{XS}}}{tag}" for tag in ("element", "choice", "sequence"))):
                if node.getparent() is not root:
                    node.set("minOccurs", "0")
            for node in list(root.iter(*(f"{{{XS}}}{tag}" for tag in ("key", "keyref", "unique")))):
                node.getparent().remove(node)
        self.validator = etree.XMLSchema(tree)


# The second form is that of values of a type that is not a list.
VALUE = re.compile(r"attribute '(.*?)': (?:.*The value '(?P<of_list>.*)' (?:must|is not|has)|'(?P<of_type>.*)' is not a valid value)")


def is_said(error, data):
    """Whether an error is about a value that the document itself has."""
    found = VALUE.search(error)
    if not found:
        return False
    # In JSON within JSON the quotes are escaped.
    quote, value = r'\\*"?', found["of_list"] or found["of_type"]
    said = rf"{quote}{re.escape(found[1])}{quote}\s*[:=]\s*{quote}{re.escape(value)}\b"
    return re.search(said, data.decode()) is not None


def canonical(data):
    root = etree.fromstring(data, etree.XMLParser(remove_blank_text=True, remove_comments=True))
    return etree.canonicalize(etree.tostring(root, encoding="unicode"), strip_text=True, rewrite_prefixes=True)


def run(*arguments):
    return subprocess.run([str(argument) for argument in arguments], capture_output=True, timeout=600)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--bin", required=True)
    options.add_argument("--xsd", nargs="+", default=[])
    options.add_argument("--catalogue")
    options.add_argument("--image", required=True)
    options.add_argument("document", nargs="+", type=pathlib.Path)
    options = options.parse_args()
    if options.catalogue:
        catalogue = json.loads(pathlib.Path(options.catalogue).read_text())
        judges = [(options.catalogue, Schema(catalogue), Schema(catalogue, demanding=False))]
    else:
        published = options.xsd or sorted(SHARED.glob("NBO_v*.xsd"))
        if not published:
            sys.exit(f"no published schema in {SHARED}: give --xsd or --catalogue")
        judges = [(path, Published(path), Published(path, demanding=False)) for path in published]
    wrong = 0
    for path, schema, lenient in judges:
        print(f"by {path}")
        wrong += judged(options, schema, lenient)
    sys.exit(1 if wrong else 0)


def judged(options, schema, lenient):
    """How many documents come out wrong by a schema."""
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        for path in options.document:
            data = path.read_bytes()
            is_nbo = path.suffix == ".xml" and schema.namespace.encode() in data and b"openmicroscopy.org" not in data
            for alone in (True, False):
                store = pathlib.Path(folder) / "x.ome.zarr"
                shutil.rmtree(store, ignore_errors=True)
                if alone:
                    store.mkdir()
                    (store / "zarr.json").write_text(BARE)
                    made = run(options.bin, "embed", store, "--nbo", path)
                else:
                    made = run(options.bin, "convert", options.image, store, "--nbo", path)
                extracted = run(options.bin, "extract", store, "--as", "nbo-xml") if made.returncode == 0 else made
                if extracted.returncode != 0:
                    faults = [extracted.stderr.decode(errors="replace").strip()[:200]]
                    errors = faults
                else:
                    errors = schema.errors(extracted.stdout)
                    faults = [e for e in lenient.errors(extracted.stdout) if not is_said(e, data)]
                    if alone and is_nbo:
                        faults += [e for e in errors if e not in schema.errors(data)]
                        if canonical(data) != canonical(extracted.stdout):
                            faults.append("not canonically equal to the document")
                verdict = "WRONG" if faults else "INCOMPLETE" if errors else "VALID"
                wrong += bool(faults)
                print(f"{verdict:10} {path.name} {'alone' if alone else 'with the image'}: {len(errors)} errors")
                for fault in sorted(set(faults)):
                    print(f"           {fault}")
    return wrong


BARE = json.dumps({"zarr_format": 3, "node_type": "group", "attributes": {
    "ome": {"version": "0.5", "multiscales": [{"name": "none", "axes": [], "datasets": []}]}}})

if __name__ == "__main__":
    main()
