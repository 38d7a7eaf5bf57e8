"""Words that a reader stumbles over, in everything that a person reads, and names in the code that a stranger cannot guess."""
import os
import re

from harness.build import tree_files
from harness.case import case, check, equal

# what must not be written: a pattern, and what to write instead
PHRASES = [
    (r"can not\b", "cannot"),
    (r"nobody (may|can) be asked|nobody will do", "no upstream is usable"),
    (r"have the configuration read again|the configuration is read again", "reload the configuration"),
    (r"ahead of their end", "prefetched"),
    (r"(cannot|can|could|to) be had\b", "the verb that is meant: cannot be read, cannot bind"),
    (r"\b(that|which) (is|are) none\b", "not a ..., invalid"),
    (r"\bnever nothing\b|\bnot nothing\b", "a sentence without double negation"),
    (r"\bend(s|ed)? with a word\b", "with a message"),
    (r"\bwhosoever\b", "any client, any server"),
    (r"\bnobody's business\b", "private"),
]

# words of identifiers: a stranger cannot guess what they mean here
IDENTIFIERS = [
    (r"court", "verify_context"),
    (r"spokesman", "representative"),
    (r"tend(ed)?", "maintain"),
    (r"silence", "stall"),
    (r"gather(ed)?", "fan_out; collect"),
    (r"said", "set_at, declared"),
    (r"told|tell", "reported, report"),
    (r"wish(es)?", "request"),
    (r"touchstone", "good resolver"),
]

# files whose words are others', or a table of words
LEFT_OUT = re.compile(r"^(tests/data/|tests/fuzz/corpus/|LICENSE|verify/data/|tests/checks/words\.py$|docs/reliability\.md$)|\.(pem|der|bin|json|crt)$")
STRING_OR_COMMENT = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def stumbles(path, text):
    """Phrases of the table in one file, with their lines; a phrase may go over a line's end."""
    for pattern, instead in PHRASES:
        for m in re.finditer(pattern.replace(" ", r"(?:\s|\n[ \t]*(?:\*|#|//)?[ \t]*)+"), text, re.I):
            yield f"{path}:{text.count(chr(10), 0, m.start()) + 1}: \"{' '.join(m.group(0).split())}\": write {instead}"


def riddles(path, text):
    """Identifiers of the table in C."""
    code = STRING_OR_COMMENT.sub(" ", text)
    for word, instead in IDENTIFIERS:
        for name in sorted({m.group(0) for m in re.finditer(rf"\b(?:\w+_)?{word}(?:_\w+)?\b", code, re.I)}):
            yield f"{path}: {name}: name it {instead}"


# A number that may be 1, and a noun in the plural: COUNTED of base/text.h writes both. Limits are left out: they are never 1.
PLURAL = re.compile(r'(%(?:zu|u|lld|llu|ld|lu)|%" PRI[du]64 ") ((?:[a-z]+ )?[a-z]+s)\b')
NO_NOUN = re.compile(r"of |(?:\w+ )?(?:is|was|has|ms|as|discards|needs)$|s$(?<=ss)")
LIMIT = re.compile(r"(?:than|most|least|to|a string of|a file of) $")
OPTIONAL = re.compile(r"\w\((?:e?s|ies)\)")
# always more than one: bytes and bits of keys and certificates, certificates beyond the limit
NEVER_ONE = {"the RSA key has %u bits", "the key has %zu bytes", "certificate %zu has %zu bytes", "%zu certificates were presented"}


def plurals(path, text):
    """Texts of C that say "1 answers" or "answer(s)"."""
    joined = re.sub(r'(?<!\\)"\s*\n\s*"', "", text)
    for literal in STRING_OR_COMMENT.findall(joined):
        if not literal.startswith('"'):
            continue
        for m in PLURAL.finditer(literal):
            if not (NO_NOUN.search(m.group(2)) or LIMIT.search(literal[:m.start()]) or any(known in literal for known in NEVER_ONE)):
                yield f"{path}: {literal[m.start():m.end()]}: COUNTED writes the number with its noun"
        for m in OPTIONAL.finditer(literal):
            yield f"{path}: {literal}: COUNTED writes the number with its noun"


def texts(t):
    for name in tree_files(t.src):
        if not LEFT_OUT.search(name):
            with open(os.path.join(t.src, name), encoding="utf-8", errors="replace") as f:
                yield name, f.read()


@case("no text has a word that readers stumble over", builds=("gcc",))
def words(t):
    found = [s for name, text in texts(t) for s in stumbles(name, text)]
    check(not found, f"{len(found)} places: " + "; ".join(found[:30]))


@case("no name in the code is a riddle", builds=("gcc",))
def names(t):
    found = [r for name, text in texts(t) if name.endswith((".c", ".h", ".def", ".l", ".y")) for r in riddles(name, text)]
    found += [f"{name}: a file of that name" for name, _ in texts(t) for word, _ in IDENTIFIERS
              if re.search(rf"(^|[/_])({word})[_.]", name) and not name.startswith("tests/checks/")]
    check(not found, f"{len(found)} places: " + "; ".join(found[:30]))


@case("no text counts one answers, nor answer(s)", builds=("gcc",))
def numbers(t):
    found = [p for name, text in texts(t) if name.endswith((".c", ".h", ".def")) and not name.startswith("tests/") for p in plurals(name, text)]
    check(not found, f"{len(found)} places: " + "; ".join(found[:30]))


@case("the check of plurals sees numbers before nouns, over literals that are joined, and leaves limits and verbs alone", builds=("gcc",))
def plurals_control(_t):
    says = ": COUNTED writes the number with its noun"
    equal([p.removesuffix(says) for p in plurals("a.c", 'f("%u "\n   "answers, %s", x); g("%lld old days"); h("worker(s)"); /* %u answers */')],
          ["a.c: %u answers", "a.c: %lld old days", 'a.c: "worker(s)"'], "found")
    equal(list(plurals("a.c", 'f("more than %zu bytes", "line %zu has no end", "%lld ms", "at most %zu logs"); g(strlen(s), "%lld of logs")')),
          [], "left alone")


# What clients send and upstreams get is a query; a question is the section in it (RFC 9499, 5). Fixed names stay as they are.
QUESTION = re.compile(r"(?<!another )(?<!The )(?<!the )(?<![-_\w])questions?(?![-_\w])", re.I)
# tables with remarks for developers
REMARKS = ("base/sandbox/sandbox_calls.def", "config/portal_names.def")


def questions(path, text):
    """Texts of C, and lines of a manual page, that call a query a question."""
    if path.endswith((".c", ".h", ".def")):
        shown = [s for s in STRING_OR_COMMENT.findall(re.sub(r'(?<!\\)"\s*\n\s*"', "", text)) if s.startswith('"') and " " in s]
    else:
        shown = [line for line in text.splitlines() if not line.startswith(".")]
    return [f"{path}: {s}: a query" for s in shown if QUESTION.search(s)]


@case("no text that a user reads calls a query a question", builds=("gcc",))
def queries(t):
    shown = re.compile(r"^(base|cli|config|resolver|transport|contrib/portal)/.*\.([ch]|def|[1-9])$|^contrib/watch/.*\.8$")
    found = [q for name, text in texts(t) if shown.search(name) and name not in REMARKS for q in questions(name, text)]
    check(not found, f"{len(found)} places: " + "; ".join(found[:30]))


@case("the check of queries sees a text and a line of a manual page, and leaves names and the question section alone", builds=("gcc",))
def queries_control(_t):
    equal(questions("a.c", 'C(A, "questions_udp", "Questions received"); /* questions of a */ g("an answer for another question", "question");'),
          ['a.c: "Questions received": a query'], "of C")
    equal(questions("a.8", "At most 16 questions wait.\n.Li time_questions\nif the question could not be read."),
          ["a.8: At most 16 questions wait.: a query"], "of a page")


@case("the check of words sees a phrase over a line's end and a name, and leaves other words alone", builds=("gcc",))
def control(_t):
    equal([s.split(": write")[0] for s in stumbles("a.c", "/* It can\n * not be read. */\nx();\n/* Nobody may be asked */")],
          ['a.c:1: "can * not"', 'a.c:4: "Nobody may be asked"'], "phrases")
    equal(list(stumbles("a.md", "It cannot be read; canNot; scan notes; he told the truth.")), [], "other words")
    equal(list(riddles("a.c", "struct court c; upstreams_tend(x); attend(y); /* tend */ \"silence\"; tp_silence_ms")),
          ["a.c: court: name it verify_context", "a.c: upstreams_tend: name it maintain", "a.c: tp_silence_ms: name it stall"], "names")
