# ---- base: bytes, addresses, clocks, text, log; knows libc only
noinst_LIBRARIES += libbase.a
libbase_a_SOURCES = \
	base/addr.c base/addr.h \
	base/addr_hash.c base/addr_hash.h \
	base/bytes.c base/bytes.h \
	base/clock.c base/clock.h \
	base/descriptors.c base/descriptors.h \
	base/environment.c base/environment.h \
	base/faults.c base/faults.h \
	base/journal.c base/journal.h \
	base/journal_shown.c base/journal_shown.h \
	base/jsonl.c base/jsonl.h \
	base/log.c base/log.h base/log_events.def \
	base/log_field.h \
	base/log_journald.c base/log_journald.h \
	base/near.c base/near.h \
	base/option.c base/option.h \
	base/output.c base/output.h \
	base/path.c base/path.h \
	base/pool.c base/pool.h \
	base/random.c base/random.h \
	base/replace.c base/replace.h \
	base/res.c base/res.h \
	base/signals.c base/signals.h \
	base/text.c base/text.h \
	base/text_bytes.c \
	base/text_numbers.c \
	base/dns/compose.c base/dns/compose.h \
	base/dns/message.h \
	base/dns/message_answer.c \
	base/dns/message_cut.c \
	base/dns/message_name.c \
	base/dns/message_order.c \
	base/dns/message_question.c \
	base/dns/message_reply.c \
	base/dns/message_strip.c \
	base/dns/message_walk.c base/dns/message_walk.h \
	base/dns/nameset.c base/dns/nameset.h \
	base/dns/padding.c base/dns/padding.h \
	base/dns/portal_message.c base/dns/portal_message.h
# apart, for the programs that restrict themselves: it needs libseccomp and libcap-ng
noinst_LIBRARIES += libsandbox.a
libsandbox_a_SOURCES = base/sandbox/sandbox.c base/sandbox/sandbox.h base/sandbox/sandbox_calls.def
SANDBOX_LIBS = libsandbox.a libbase.a $(SECCOMP_LIBS) $(CAPNG_LIBS)
dist_man_MANS += base/ctstub-log.5
# what `journalctl -x` says of an event
contrib/systemd/ctstub.catalog: base/log_events.def Makefile
	$(AM_V_GEN)$(MKDIR_P) contrib/systemd && sed -n \
		-e 's/^LOG_EVENT("\([a-z-]*\)", "\([0-9a-f]*\)", "\(.*\)")$$/-- \2\nSubject: ctstub: \1\nDefined-By: ctstub\nDocumentation: man:ctstub-log(5)\n\n\3\n\n@MESSAGE@\n/p' \
		$(srcdir)/base/log_events.def >$@
CLEANFILES += contrib/systemd/ctstub.catalog
if SYSTEMD_UNITS
catalogdir = $(prefix)/lib/systemd/catalog
nodist_catalog_DATA = contrib/systemd/ctstub.catalog
endif
