# ---- contrib/watch: the monitor of CT logs
noinst_HEADERS += contrib/watch/entry.h
# what logs hold, held against what is watched for
noinst_LIBRARIES += libwatch.a
libwatch_a_SOURCES = \
	contrib/watch/address_text.c \
	contrib/watch/identifiers.c contrib/watch/identifiers.h \
	contrib/watch/punycode.c \
	contrib/watch/spelling.c contrib/watch/spelling.h \
	contrib/watch/watch_list.c contrib/watch/watch_list.h \
	contrib/watch/watch_table.c contrib/watch/watch_table.h
WATCH_LIBS = libwatch.a $(CONFIG_LIBS)
