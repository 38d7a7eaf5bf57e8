# ---- contrib/watch: the monitor of CT logs
noinst_LIBRARIES += libwatch.a
WATCH_LIBS = libwatch.a $(CONFIG_LIBS) $(ZLIB_LIBS) $(CURL_LIBS)
# what logs hold, held against what is watched for
libwatch_a_SOURCES = \
	contrib/watch/address_text.c \
	contrib/watch/identifiers.c contrib/watch/identifiers.h \
	contrib/watch/punycode.c \
	contrib/watch/spelling.c contrib/watch/spelling.h \
	contrib/watch/watch_list.c contrib/watch/watch_list.h \
	contrib/watch/watch_table.c contrib/watch/watch_table.h
# reading logs
libwatch_a_SOURCES += \
	contrib/watch/entries_json.c contrib/watch/entries_json.h \
	contrib/watch/entry.h \
	contrib/watch/gzip.c contrib/watch/gzip.h \
	contrib/watch/pace.c contrib/watch/pace.h
