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
# what is found, judged, recorded once and acted on
libwatch_a_SOURCES += \
	contrib/watch/accepted.c contrib/watch/accepted.h \
	contrib/watch/block.c contrib/watch/block.h \
	contrib/watch/child.c contrib/watch/child.h \
	contrib/watch/evidence.c contrib/watch/evidence.h \
	contrib/watch/finding.c contrib/watch/finding.h \
	contrib/watch/finding_json.c \
	contrib/watch/findings.c contrib/watch/findings.h \
	contrib/watch/findings_act.c contrib/watch/findings_act.h \
	contrib/watch/findings_again.c contrib/watch/findings_again.h \
	contrib/watch/findings_limits.h contrib/watch/findings_state.h \
	contrib/watch/findings_report.c contrib/watch/findings_report.h \
	contrib/watch/issued.c contrib/watch/issued.h \
	contrib/watch/launcher.c contrib/watch/launcher.h \
	contrib/watch/judgement.c contrib/watch/judgement.h \
	contrib/watch/plan.c contrib/watch/plan.h \
	contrib/watch/record.c contrib/watch/record.h contrib/watch/record_line.c
# what is expected, and what an organisation hands to its machines
libwatch_a_SOURCES += \
	contrib/watch/cmd_known.c \
	contrib/watch/cmd_pull.c \
	contrib/watch/cmd_sign.c \
	contrib/watch/commands.c contrib/watch/commands.h \
	contrib/watch/feed.c contrib/watch/feed.h \
	contrib/watch/shown.c contrib/watch/shown.h
# reading logs
libwatch_a_SOURCES += \
	contrib/watch/entries_json.c contrib/watch/entries_json.h \
	contrib/watch/entry.h \
	contrib/watch/gzip.c contrib/watch/gzip.h \
	contrib/watch/pace.c contrib/watch/pace.h
libwatch_a_SOURCES += \
	contrib/watch/entries.c \
	contrib/watch/fetch.c contrib/watch/fetch.h \
	contrib/watch/follow.c contrib/watch/follow.h \
	contrib/watch/heads.c \
	contrib/watch/misbehaviour.def \
	contrib/watch/proof.c contrib/watch/proof.h \
	contrib/watch/proven.c \
	contrib/watch/reader.c contrib/watch/reader.h contrib/watch/reader_settings.h \
	contrib/watch/source.c contrib/watch/source.h \
	contrib/watch/start.c \
	contrib/watch/state.c contrib/watch/state.h \
	contrib/watch/status.c contrib/watch/status.h
sbin_PROGRAMS += ctstub-watch
ctstub_watch_SOURCES = \
	contrib/watch/main.c \
	contrib/watch/options.c contrib/watch/options.h
ctstub_watch_LDADD = $(ABOUT_LIBS) $(WATCH_LIBS) $(SANDBOX_LIBS)
dist_man_MANS += contrib/watch/ctstub-watch.8
