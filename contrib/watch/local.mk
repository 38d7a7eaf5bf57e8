# ---- contrib/watch: the monitor of CT logs
noinst_HEADERS += contrib/watch/entry.h
