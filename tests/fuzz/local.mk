# ---- fuzz: a target is a line in fuzz_targets, its SOURCES, its LDADD (the room's libraries, then $(FUZZ_LIBS)) and a
# folder of inputs tests/fuzz/corpus/X. With --enable-fuzzers they are libFuzzer programs; else they replay their inputs
# as tests. `make fuzz` builds them all.
fuzz_targets = \
	tests/fuzz/fuzz_cert \
	tests/fuzz/fuzz_certmessage \
	tests/fuzz/fuzz_config \
	tests/fuzz/fuzz_anchor_limits \
	tests/fuzz/fuzz_crl \
	tests/fuzz/fuzz_ctextensions \
	tests/fuzz/fuzz_ctlogs_header \
	tests/fuzz/fuzz_ctlogs_json \
	tests/fuzz/fuzz_der \
	tests/fuzz/fuzz_disallow \
	tests/fuzz/fuzz_doh \
	tests/fuzz/fuzz_dot \
	tests/fuzz/fuzz_h2 \
	tests/fuzz/fuzz_journal \
	tests/fuzz/fuzz_name \
	tests/fuzz/fuzz_onecrl \
	tests/fuzz/fuzz_policy \
	tests/fuzz/fuzz_sct \
	tests/fuzz/fuzz_settings \
	tests/fuzz/fuzz_staple \
	tests/fuzz/fuzz_text \
	tests/fuzz/fuzz_tls \
	tests/fuzz/fuzz_tool \
	tests/fuzz/fuzz_verify
tests_fuzz_fuzz_certmessage_SOURCES = tests/fuzz/fuzz_certmessage.c
tests_fuzz_fuzz_certmessage_LDADD = $(TRANSPORT_LIBS) $(FUZZ_LIBS)
tests_fuzz_fuzz_doh_SOURCES = tests/fuzz/fuzz_doh.c $(PROTO_RECORDER)
tests_fuzz_fuzz_doh_LDADD = $(TRANSPORT_LIBS) $(FUZZ_LIBS)
tests_fuzz_fuzz_dot_SOURCES = tests/fuzz/fuzz_dot.c $(PROTO_RECORDER)
tests_fuzz_fuzz_dot_LDADD = $(TRANSPORT_LIBS) $(FUZZ_LIBS)
tests_fuzz_fuzz_config_SOURCES = tests/fuzz/fuzz_config.c tests/fuzz/scratch.c tests/fuzz/scratch.h
tests_fuzz_fuzz_config_CPPFLAGS = $(DATA_CPPFLAGS)
tests_fuzz_fuzz_config_LDADD = $(RESOLVER_LIBS) $(FUZZ_LIBS)
tests_fuzz_fuzz_policy_SOURCES = tests/fuzz/fuzz_policy.c tests/fuzz/scratch.c tests/fuzz/scratch.h
tests_fuzz_fuzz_policy_CPPFLAGS = $(DATA_CPPFLAGS)
tests_fuzz_fuzz_policy_LDADD = $(LAB_LIBS) $(FUZZ_LIBS)
tests_fuzz_fuzz_tool_SOURCES = tests/fuzz/fuzz_tool.c $(CLI_SOURCES)
tests_fuzz_fuzz_tool_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=connect
tests_fuzz_fuzz_tool_LDADD = $(CONFIG_LIBS) $(LDNS_LIBS) $(CURL_LIBS) $(FUZZ_LIBS)
tests_fuzz_fuzz_h2_SOURCES = tests/fuzz/fuzz_h2.c $(PROTO_RECORDER)
tests_fuzz_fuzz_h2_LDADD = $(TRANSPORT_LIBS) $(FUZZ_LIBS)
tests_fuzz_fuzz_tls_SOURCES = tests/fuzz/fuzz_tls.c
tests_fuzz_fuzz_tls_LDADD = $(TRANSPORT_LIBS) $(FUZZ_LIBS)
tests_fuzz_fuzz_journal_SOURCES = tests/fuzz/fuzz_journal.c
tests_fuzz_fuzz_journal_LDADD = libbase.a $(FUZZ_LIBS)
tests_fuzz_fuzz_settings_SOURCES = tests/fuzz/fuzz_settings.c
tests_fuzz_fuzz_settings_LDADD = $(CONFIG_LIBS) $(FUZZ_LIBS)
tests_fuzz_fuzz_text_SOURCES = tests/fuzz/fuzz_text.c
tests_fuzz_fuzz_text_LDADD = libbase.a $(FUZZ_LIBS)
tests_fuzz_fuzz_anchor_limits_SOURCES = tests/fuzz/fuzz_anchor_limits.c
tests_fuzz_fuzz_anchor_limits_LDADD = $(VERIFY_LIBS) $(FUZZ_LIBS)
tests_fuzz_fuzz_crl_SOURCES = tests/fuzz/fuzz_crl.c
tests_fuzz_fuzz_crl_LDADD = $(VERIFY_LIBS) $(FUZZ_LIBS)
tests_fuzz_fuzz_ctlogs_header_SOURCES = tests/fuzz/fuzz_ctlogs_header.c
tests_fuzz_fuzz_ctlogs_header_LDADD = $(VERIFY_LIBS) $(FUZZ_LIBS)
tests_fuzz_fuzz_ctlogs_json_SOURCES = tests/fuzz/fuzz_ctlogs_json.c
tests_fuzz_fuzz_ctlogs_json_LDADD = $(VERIFY_LIBS) $(FUZZ_LIBS)
tests_fuzz_fuzz_disallow_SOURCES = tests/fuzz/fuzz_disallow.c
tests_fuzz_fuzz_disallow_LDADD = $(VERIFY_LIBS) $(FUZZ_LIBS)
tests_fuzz_fuzz_name_SOURCES = tests/fuzz/fuzz_name.c
tests_fuzz_fuzz_name_LDADD = $(VERIFY_LIBS) $(FUZZ_LIBS)
tests_fuzz_fuzz_onecrl_SOURCES = tests/fuzz/fuzz_onecrl.c
tests_fuzz_fuzz_onecrl_LDADD = $(VERIFY_LIBS) $(FUZZ_LIBS)
tests_fuzz_fuzz_staple_SOURCES = tests/fuzz/fuzz_staple.c
tests_fuzz_fuzz_staple_LDADD = $(VERIFY_LIBS) $(FUZZ_LIBS)
tests_fuzz_fuzz_sct_SOURCES = tests/fuzz/fuzz_sct.c
tests_fuzz_fuzz_sct_LDADD = $(VERIFY_LIBS) $(FUZZ_LIBS)
tests_fuzz_fuzz_ctextensions_SOURCES = tests/fuzz/fuzz_ctextensions.c
tests_fuzz_fuzz_ctextensions_LDADD = $(VERIFY_LIBS) $(FUZZ_LIBS)
tests_fuzz_fuzz_der_SOURCES = tests/fuzz/fuzz_der.c
tests_fuzz_fuzz_der_LDADD = $(VERIFY_LIBS) $(FUZZ_LIBS)
tests_fuzz_fuzz_cert_SOURCES = tests/fuzz/fuzz_cert.c
tests_fuzz_fuzz_cert_LDADD = $(VERIFY_LIBS) $(FUZZ_LIBS)
tests_fuzz_fuzz_verify_SOURCES = tests/fuzz/fuzz_verify.c
tests_fuzz_fuzz_verify_LDADD = $(VERIFY_LIBS) $(FUZZ_LIBS)
# the resolver's
fuzz_targets += \
	tests/fuzz/fuzz_control \
	tests/fuzz/fuzz_lists \
	tests/fuzz/fuzz_question \
	tests/fuzz/fuzz_reply \
	tests/fuzz/fuzz_resolver \
	tests/fuzz/fuzz_walker
tests_fuzz_fuzz_control_SOURCES = tests/fuzz/fuzz_control.c
tests_fuzz_fuzz_control_LDADD = $(RESOLVER_LIBS) $(FUZZ_LIBS)
tests_fuzz_fuzz_lists_SOURCES = tests/fuzz/fuzz_lists.c
tests_fuzz_fuzz_lists_LDADD = $(RESOLVER_LIBS) $(FUZZ_LIBS)
tests_fuzz_fuzz_question_SOURCES = tests/fuzz/fuzz_question.c
tests_fuzz_fuzz_question_LDADD = $(RESOLVER_LIBS) $(FUZZ_LIBS)
tests_fuzz_fuzz_reply_SOURCES = tests/fuzz/fuzz_reply.c tests/fuzz/beside.h
tests_fuzz_fuzz_reply_LDADD = $(RESOLVER_LIBS) $(LDNS_LIBS) $(FUZZ_LIBS)
tests_fuzz_fuzz_resolver_SOURCES = tests/fuzz/fuzz_resolver.c tests/fuzz/resolver_plans.c tests/fuzz/resolver_plans.h tests/fuzz/scratch.c tests/fuzz/scratch.h \
	tests/unit/transport/fake_transport.c $(FAKE_LOOP)
tests_fuzz_fuzz_resolver_CPPFLAGS = $(DATA_CPPFLAGS)
tests_fuzz_fuzz_resolver_LDADD = libresolver.a libconfig.a libtransport.a libverify.a libbase.a $(GNUTLS_LIBS) $(TASN1_LIBS) $(JANSSON_LIBS) $(PSL_LIBS) $(FUZZ_LIBS)
tests_fuzz_fuzz_walker_SOURCES = tests/fuzz/fuzz_walker.c tests/fuzz/beside.h
tests_fuzz_fuzz_walker_LDADD = $(RESOLVER_LIBS) $(LDNS_LIBS) $(FUZZ_LIBS)

# the watcher's
fuzz_targets += \
	tests/fuzz/fuzz_entries \
	tests/fuzz/fuzz_feed \
	tests/fuzz/fuzz_head \
	tests/fuzz/fuzz_proof \
	tests/fuzz/fuzz_tile \
	tests/fuzz/fuzz_watch_list
tests_fuzz_fuzz_entries_SOURCES = tests/fuzz/fuzz_entries.c
tests_fuzz_fuzz_entries_LDADD = $(WATCH_LIBS) $(FUZZ_LIBS)
tests_fuzz_fuzz_head_SOURCES = tests/fuzz/fuzz_head.c
tests_fuzz_fuzz_head_LDADD = $(VERIFY_LIBS) $(FUZZ_LIBS)
tests_fuzz_fuzz_proof_SOURCES = tests/fuzz/fuzz_proof.c
tests_fuzz_fuzz_proof_LDADD = $(VERIFY_LIBS) $(FUZZ_LIBS)
tests_fuzz_fuzz_tile_SOURCES = tests/fuzz/fuzz_tile.c
tests_fuzz_fuzz_tile_LDADD = $(WATCH_LIBS) $(FUZZ_LIBS)
tests_fuzz_fuzz_feed_SOURCES = tests/fuzz/fuzz_feed.c
tests_fuzz_fuzz_feed_LDADD = $(WATCH_LIBS) $(FUZZ_LIBS)
tests_fuzz_fuzz_watch_list_SOURCES = tests/fuzz/fuzz_watch_list.c
tests_fuzz_fuzz_watch_list_LDADD = $(WATCH_LIBS) $(FUZZ_LIBS)

# the portal helper's
fuzz_targets += tests/fuzz/fuzz_portal
tests_fuzz_fuzz_portal_SOURCES = tests/fuzz/fuzz_portal.c
tests_fuzz_fuzz_portal_LDADD = $(PORTAL_LIBS) $(FUZZ_LIBS)

if FUZZERS
FUZZ_LIBS = $(FUZZ_WRAP) tests/fuzz/liblimits.a $(FUZZ_ENGINE)
noinst_PROGRAMS += $(fuzz_targets)
noinst_LIBRARIES += tests/fuzz/liblimits.a
else
FUZZ_LIBS = $(FUZZ_WRAP) tests/fuzz/libreplay.a tests/fuzz/liblimits.a
check_LIBRARIES += tests/fuzz/libreplay.a tests/fuzz/liblimits.a
check_PROGRAMS += $(fuzz_targets)
endif
tests_fuzz_liblimits_a_SOURCES = tests/fuzz/limits.c tests/fuzz/fuzz.h
tests_fuzz_libreplay_a_SOURCES = tests/fuzz/replay.c tests/fuzz/mutilate.c tests/fuzz/mutilate.h tests/fuzz/fuzz.h
EXTRA_DIST += tests/fuzz/config.dict tests/fuzz/settings.dict tests/fuzz/tool.dict tests/fuzz/make-corpus tests/fuzz/policy_model.py tests/fuzz/runs.json tests/fuzz/seeds.py
