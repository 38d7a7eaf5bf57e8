"""The events of the log: those of the table, and those that the sources log."""
import re

TABLE = "base/log_events.def"
# contrib/lab's lines go to a file that its report reads, never to the journal
OTHERS = ("contrib/lab/", "tests/")
# a function that gets the event as an argument: its name, and which argument it is
GIVEN = {"log_event": 1, "log_write": 1, "server_log": 2, "main_trouble": 0, "put_line": 2}
# events that a function names
NAMED = {"finding_kind_text": ["expected", "rogue", "unreadable", "log-misbehaved"]}


def table(text):
    return re.findall(r'^LOG_EVENT\("([a-z-]+)", "([0-9a-f]{32})", "([^"\n]+)"\)$', text, re.M)


def events_in(text):
    """Strings in the argument that is the event of each call."""
    found = set()
    for name, place in GIVEN.items():
        for call in re.finditer(r"\b" + name + r"\(", text):
            arguments = re.split(r',(?=(?:[^"]*"[^"]*")*[^"]*$)', text[call.end():].split(";", 1)[0])
            if len(arguments) > place:
                found |= set(re.findall(r'"([a-z][a-z-]*)"', arguments[place]))
                for function, events in NAMED.items():
                    found |= set(events) if function in arguments[place] else set()
    return found
