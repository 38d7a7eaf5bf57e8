"""The bill of materials (contrib/sbom): SPDX 2.3 that a reader takes, true in every checksum, the same bytes each time."""
import hashlib
import json
import os
import re
import shutil
import subprocess

from harness.build import tree_files
from harness.case import case, check, equal, rows

LIBRARIES = ["gnutls=3.7.9", "libtasn1=4.19.0", "jansson=2.14", "libpsl=0.21.2", "libevent_core=2.1.12-stable", "libnghttp2=1.52.0",
             "libcurl=7.88.1", "zlib=1.2.13", "libseccomp=2.5.4", "libcap-ng=0.8.3", "ldns=1.8.3", "libfstrm=0.6.1",
             "libprotobuf-c=1.4.1"]
LICENSES = {"BSD-2-Clause", "Apache-2.0", "ISC", "MPL-2.0", "MIT", "BSD-3-Clause", "LGPL-2.1-or-later", "LGPL-2.1-only", "Zlib", "curl"}
REFERENCE = re.compile(r"SPDXRef-[A-Za-z0-9.-]+")


def is_license(text):
    """An expression (SPDX 2.3, annex D) out of the licences that are known here."""
    return text == "NOASSERTION" or set(text.split(" AND ")) <= LICENSES


class Bad(Exception):
    """What a reader of SPDX 2.3 would object to."""


def want(condition, text):
    if not condition:
        raise Bad(text)


def package_read(p):
    for field in ("SPDXID", "name", "downloadLocation", "versionInfo", "licenseConcluded", "licenseDeclared", "copyrightText"):
        want(isinstance(p.get(field), str) and p[field], f"{p.get('name')}: {field} is missing")      # clause 7
    want(is_license(p["licenseConcluded"]) and is_license(p["licenseDeclared"]), f"{p['name']}: no licence expression")
    want(isinstance(p.get("filesAnalyzed"), bool), f"{p['name']}: filesAnalyzed")
    want(p["filesAnalyzed"] == ("packageVerificationCode" in p), f"{p['name']}: a verification code belongs to analysed files")  # 7.9
    if p["filesAnalyzed"]:
        want(p["licenseInfoFromFiles"] and all(map(is_license, p["licenseInfoFromFiles"])), f"{p['name']}: licenseInfoFromFiles")
    purls = [r["referenceLocator"] for r in p["externalRefs"] if r["referenceType"] == "purl" and r["referenceCategory"] == "PACKAGE-MANAGER"]
    want(purls == [f"pkg:generic/{p['name']}@{p['versionInfo']}"], f"{p['name']}: purl {purls}")      # annex F


def file_read(f):
    want(f["fileName"].startswith("./") and ".." not in f["fileName"], f"{f['fileName']}: a relative name that begins with ./ was expected")
    sums = {c["algorithm"]: c["checksumValue"] for c in f["checksums"]}
    want(set(sums) == {"SHA1", "SHA256"} and re.fullmatch(r"[0-9a-f]{40}", sums["SHA1"]) and re.fullmatch(r"[0-9a-f]{64}", sums["SHA256"]),
         f"{f['fileName']}: checksums {sums}")                                                        # 8.4: SHA-1 is mandatory
    want(is_license(f["licenseConcluded"]) and f["licenseInfoInFiles"] and f["copyrightText"], f"{f['fileName']}: licences")


def read(text):
    """A document, or Bad. What SPDX 2.3 makes mandatory, and that nothing is named that is not there."""
    d = json.loads(text)
    want(d["spdxVersion"] == "SPDX-2.3" and d["dataLicense"] == "CC0-1.0" and d["SPDXID"] == "SPDXRef-DOCUMENT", "the head")
    want(re.fullmatch(r"https://[^#\s]+", d["documentNamespace"]) and d["name"], "the name space")  # 6.5
    want(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", d["creationInfo"]["created"]), "created")  # 6.9
    want(all(re.match(r"(Tool|Organization|Person): \S", c) for c in d["creationInfo"]["creators"]), "creators")
    for p in d["packages"]:
        package_read(p)
    for f in d.get("files", []):
        file_read(f)
    ids = [d["SPDXID"]] + [x["SPDXID"] for x in d["packages"] + d.get("files", [])]
    want(len(ids) == len(set(ids)) and all(map(REFERENCE.fullmatch, ids)), "identifiers")
    for r in d["relationships"]:
        want(r["spdxElementId"] in ids and r["relatedSpdxElement"] in ids, f"a relationship with nobody: {r}")
        want(r["relationshipType"] in ("DESCRIBES", "DEPENDS_ON", "CONTAINS"), f"relationship {r}")
    contained = {r["relatedSpdxElement"] for r in d["relationships"] if r["relationshipType"] == "CONTAINS"}
    want(contained == {f["SPDXID"] for f in d.get("files", [])}, "files that no package contains")
    want(d["documentDescribes"] == ["SPDXRef-Package-ctstub"], "documentDescribes")
    return d


def sbom(t, *arguments):
    return t.run(os.path.join(t.src, "contrib", "sbom"), *arguments)


def made(t, *arguments):
    code, out, err = sbom(t, "--version", "0.1.0", "--time", "1700000000", *arguments)
    equal((code, err), (0, ""), "contrib/sbom")
    return out


def product(t):
    """A copy of the tree as it would be in a tarball."""
    folder = t.path("tree")
    for name in tree_files(t.src):
        if not name.startswith("tests/fuzz/corpus/"):
            os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
            shutil.copyfile(os.path.join(t.src, name), os.path.join(folder, name))
    return folder


@case("the document of a build names every library that configure looks for", builds=("gcc",))
def libraries(t):
    d = read(made(t, *LIBRARIES))
    with open(os.path.join(t.src, "configure.ac"), encoding="utf-8") as f:
        wanted = set(re.findall(r"CTSTUB_BUILT_WITH\(\[\w+\], \[([\w-]+)\],", f.read()))
    equal({p["name"] for p in d["packages"]} - {"ctstub"}, wanted, "packages")
    equal({p["name"] + "=" + p["versionInfo"] for p in d["packages"]} - {"ctstub=0.1.0"}, set(LIBRARIES), "versions")
    check("files" not in d, "a build has no files")


@case("the document that make installs is of this build", builds=("gcc",))
def installed(t):
    with open(os.path.join(t.build, "about", "ctstub.spdx.json"), encoding="utf-8") as f:
        d = read(f.read())
    for p in d["packages"]:
        if p["name"] != "ctstub":
            done = subprocess.run(["pkg-config", "--modversion", p["name"]], stdout=subprocess.PIPE, check=True)
            equal(p["versionInfo"], done.stdout.decode().strip(), p["name"])


@case("the document of a tarball has every file with its checksums and its licence", builds=("gcc",))
def files(t):
    folder = product(t)
    d = read(made(t, "--files", folder, *LIBRARIES))
    names = {"./" + os.path.relpath(os.path.join(at, n), folder) for at, _, ns in os.walk(folder) for n in ns}
    equal({f["fileName"] for f in d["files"]}, names, "files")
    sha1s = []
    for f in d["files"]:
        with open(os.path.join(folder, f["fileName"]), "rb") as stream:
            content = stream.read()
        sums = {c["algorithm"]: c["checksumValue"] for c in f["checksums"]}
        equal((sums["SHA1"], sums["SHA256"]), (hashlib.sha1(content).hexdigest(), hashlib.sha256(content).hexdigest()), f["fileName"])
        sha1s.append(sums["SHA1"])
    code = d["packages"][0]["packageVerificationCode"]["packageVerificationCodeValue"]
    equal(code, hashlib.sha1("".join(sorted(sha1s)).encode()).hexdigest(), "verification code")
    licenses = {f["fileName"]: f["licenseConcluded"] for f in d["files"]}
    equal(licenses["./verify/judge.c"], "BSD-2-Clause", "a file of the product")
    other = {name: license for name, license in licenses.items() if license not in ("BSD-2-Clause", "NOASSERTION")}
    check(other and all(name.startswith("./tests/data/") for name in other), f"other licences: {other}")


@case("the same tree and time give the same bytes; another file gives another name", builds=("gcc",))
def reproducible(t):
    t.write("tree/base/x.c", "int x;\n")
    first = made(t, "--files", t.path("tree"), *LIBRARIES)
    os.utime(t.path("tree/base/x.c"), (1, 1))
    equal(made(t, "--files", t.path("tree"), *reversed(LIBRARIES)), first, "the document")
    equal(read(first)["creationInfo"]["created"], "2023-11-14T22:13:20Z", "created")
    t.write("tree/base/x.c", "int y;\n")
    check(read(made(t, "--files", t.path("tree"), *LIBRARIES))["documentNamespace"] != read(first)["documentNamespace"], "the same name space")


@case("names with quotes, blanks and backslashes are kept; the document leaves itself out", builds=("gcc",))
def names(t):
    t.write('tree/tests/a "b" \\c.txt', "x")
    t.write("tree/contrib/ctstub.spdx.json", "{}")
    t.write("tree/configure", "x")
    d = read(made(t, "--files", t.path("tree")))
    equal({f["fileName"]: f["licenseConcluded"] for f in d["files"]}, {'./tests/a "b" \\c.txt': "BSD-2-Clause", "./configure": "NOASSERTION"}, "files")


@rows([("no document is made without a version", ["--time", "1"]),
       ("no document is made without a time", ["--version", "1"]),
       ("no document is made with a library whose licence is not known", ["--version", "1", "--time", "1", "libnew=1"]),
       ("no document is made with a library without a version", ["--version", "1", "--time", "1", "gnutls"])], builds=("gcc",))
def refused(t, arguments):
    code, out, err = sbom(t, *arguments)
    check(code != 0 and err and not out.strip(), f"{code}: {out}{err}")


@rows([("a reader objects to a file without SHA-1", lambda d: d["files"][0]["checksums"].pop(0)),
       ("a reader objects to an unknown licence", lambda d: d["packages"][0].update(licenseConcluded="BSD")),
       ("a reader objects to a relationship with an unknown element", lambda d: d["relationships"][0].update(relatedSpdxElement="SPDXRef-x")),
       ("a reader objects to two elements of one name", lambda d: d["packages"][1].update(SPDXID="SPDXRef-Package-ctstub")),
       ("a reader objects to a time of another form", lambda d: d["creationInfo"].update(created="2023-11-14")),
       ("a reader objects to an absolute name", lambda d: d["files"][0].update(fileName="/etc/passwd")),
       ("a reader objects to a file that no package contains", lambda d: d["relationships"].pop()),
       ("a reader objects to a package without a place to get it", lambda d: d["packages"][0].pop("downloadLocation"))], builds=("gcc",))
def control(t, spoil):
    t.write("tree/base/x.c", "int x;\n")
    d = json.loads(made(t, "--files", t.path("tree"), *LIBRARIES))
    spoil(d)
    try:
        read(json.dumps(d))
    except (Bad, KeyError):
        return
    check(False, "it was read")
