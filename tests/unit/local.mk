# ---- unit tests: the folders mirror the rooms, a program a file under test.
#
# A test of one file needs one line, its name in check_PROGRAMS: its source is NAME.c, and it is linked with LDADD of
# Makefile.am. One that brings more files (a fixture, a scripted clock) names them in a line of its own below.
noinst_HEADERS += \
	tests/unit/base/dns/dnswire.h \
	tests/unit/failing_alloc.h \
	tests/unit/resolver/cache_fixture.h \
	tests/unit/resolver/daemon/control_stage.h \
	tests/unit/resolver/replay_play.h \
	tests/unit/sanitized.h \
	tests/unit/transport/doh_server.h \
	tests/unit/transport/fake_judge.h \
	tests/unit/transport/fake_loop.h \
	tests/unit/transport/fake_transport.h \
	tests/unit/transport/fake_unacked.h \
	tests/unit/transport/dot_server.h \
	tests/unit/transport/slot_fixture.h \
	tests/unit/transport/proto_recorder.h \
	tests/unit/verify/ct/ctlog_keys.h \
	tests/unit/verify/ct/ctlog_list.h \
	tests/unit/verify/ct/signing_log.h \
	tests/unit/verify/forged.h \
	tests/unit/verify/forged_rows.h \
	tests/unit/verify/data_file.h \
	tests/unit/verify/judged_again.h \
	tests/unit/watch/cert_fixture.h \
	tests/unit/watch/findings_scene.h
# test data in the tree, and real data beside it; tests that want the latter skip without
DATA_CPPFLAGS = $(AM_CPPFLAGS) -DDATA_DIR='"$(abs_top_srcdir)/tests/data"'
# whole verdicts over forged chains, a table a program
FORGED_ROWS = tests/unit/verify/forged_rows.c tests/unit/verify/forged.c
# allocations that fail
FAILING_ALLOC = tests/unit/failing_alloc.c
FAILING_ALLOC_WRAP = $(AM_LDFLAGS) -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=strdup
SIGNING_LOG = tests/unit/verify/ct/signing_log.c
# loop.h with a scripted clock: its objects come before libtransport.a
FAKE_LOOP = tests/unit/transport/fake_loop.c
PROTO_RECORDER = tests/unit/transport/proto_recorder.c
DOH_SERVER = tests/unit/transport/doh_server.c $(PROTO_RECORDER)
SLOT_FIXTURE = tests/unit/transport/slot_fixture.c tests/unit/transport/dot_server.c tests/unit/transport/fake_judge.c tests/unit/transport/fake_unacked.c $(FAKE_LOOP)

if HAVE_CMOCKA
check_PROGRAMS += \
	tests/unit/about/test_dpkg \
	tests/unit/about/test_holes \
	tests/unit/about/test_version \
	tests/unit/base/test_addr \
	tests/unit/base/test_addr_hash \
	tests/unit/base/test_bytes \
	tests/unit/base/test_clock \
	tests/unit/base/test_descriptors \
	tests/unit/base/test_environment \
	tests/unit/base/test_faults \
	tests/unit/base/test_journal \
	tests/unit/base/test_journal_shown \
	tests/unit/base/test_jsonl \
	tests/unit/base/test_log \
	tests/unit/base/test_log_journald \
	tests/unit/base/test_near \
	tests/unit/base/test_path \
	tests/unit/base/test_pool \
	tests/unit/base/test_random \
	tests/unit/base/test_replace \
	tests/unit/base/sandbox/test_sandbox \
	tests/unit/base/test_text
check_PROGRAMS += \
	tests/unit/base/dns/test_message \
	tests/unit/base/dns/test_message_answer \
	tests/unit/base/dns/test_message_cut \
	tests/unit/base/dns/test_message_order \
	tests/unit/base/dns/test_message_reply \
	tests/unit/base/dns/test_padding
check_PROGRAMS += \
	tests/unit/verify/test_verify_library \
	tests/unit/verify/test_anchor_limits \
	tests/unit/verify/test_disallow \
	tests/unit/verify/test_json_shown \
	tests/unit/verify/test_limbo \
	tests/unit/verify/test_minisign \
	tests/unit/verify/test_reason \
	tests/unit/verify/test_readers_memory \
	tests/unit/verify/test_verify_memory \
	tests/unit/verify/test_vectors \
	tests/unit/verify/test_verdict \
	tests/unit/verify/test_verify \
	tests/unit/verify/test_verify_cert \
	tests/unit/verify/test_verify_clock \
	tests/unit/verify/test_verify_ct \
	tests/unit/verify/test_verify_modes \
	tests/unit/verify/test_verify_path \
	tests/unit/verify/test_verify_policy \
	tests/unit/verify/test_verify_proven \
	tests/unit/verify/test_verify_unjudged
check_PROGRAMS += \
	tests/unit/verify/x509/test_cert \
	tests/unit/verify/x509/test_der \
	tests/unit/verify/x509/test_disguise \
	tests/unit/verify/x509/test_features \
	tests/unit/verify/x509/test_identity \
	tests/unit/verify/x509/test_name \
	tests/unit/verify/x509/test_nameconstraints \
	tests/unit/verify/x509/test_path_validate \
	tests/unit/verify/x509/test_policies \
	tests/unit/verify/x509/test_sigcache \
	tests/unit/verify/x509/test_signature \
	tests/unit/verify/x509/test_strength \
	tests/unit/verify/x509/test_trust \
	tests/unit/verify/x509/test_usage
check_PROGRAMS += \
	tests/unit/verify/ct/test_ctlog_key \
	tests/unit/verify/ct/test_ctlogs \
	tests/unit/verify/ct/test_ctlogs_compare \
	tests/unit/verify/ct/test_ctlogs_header \
	tests/unit/verify/ct/test_ctlogs_json \
	tests/unit/verify/ct/test_ctpolicy \
	tests/unit/verify/ct/test_entry \
	tests/unit/verify/ct/test_head \
	tests/unit/verify/ct/test_precert \
	tests/unit/verify/ct/test_promise \
	tests/unit/verify/ct/test_sct \
	tests/unit/verify/ct/test_tree
check_PROGRAMS += \
	tests/unit/verify/revocation/test_crlscope \
	tests/unit/verify/revocation/test_renewed \
	tests/unit/verify/revocation/test_revocation
check_PROGRAMS += \
	tests/unit/transport/test_doh \
	tests/unit/transport/test_doh_fields \
	tests/unit/transport/test_doh_hostile \
	tests/unit/transport/test_doh_stream \
	tests/unit/transport/test_dot \
	tests/unit/transport/test_fake_loop \
	tests/unit/transport/test_idle \
	tests/unit/transport/test_nat \
	tests/unit/transport/test_late \
	tests/unit/transport/test_loop \
	tests/unit/transport/test_loop_clock \
	tests/unit/transport/test_quota \
	tests/unit/transport/test_stall \
	tests/unit/transport/test_proto_memory \
	tests/unit/transport/test_slot \
	tests/unit/transport/test_slot_cipher \
	tests/unit/transport/test_slot_doh \
	tests/unit/transport/test_slot_errno \
	tests/unit/transport/test_slot_keep \
	tests/unit/transport/test_slot_late \
	tests/unit/transport/test_slot_lost \
	tests/unit/transport/test_slot_memory \
	tests/unit/transport/test_slot_quota \
	tests/unit/transport/test_slot_resume \
	tests/unit/transport/test_slot_retire \
	tests/unit/transport/test_slot_time \
	tests/unit/transport/test_slot_unproven \
	tests/unit/transport/test_ticket \
	tests/unit/transport/test_tls_peer \
	tests/unit/transport/test_unacked
check_PROGRAMS += \
	tests/unit/config/test_changes \
	tests/unit/config/test_manual \
	tests/unit/config/test_settings \
	tests/unit/config/test_settings_files \
	tests/unit/config/test_settings_memory \
	tests/unit/config/test_snapshot \
	tests/unit/config/test_suffix \
	tests/unit/config/test_window_record
check_PROGRAMS += \
	tests/unit/resolver/replay \
	tests/unit/resolver/test_admission \
	tests/unit/resolver/test_answer_class \
	tests/unit/resolver/test_budget \
	tests/unit/resolver/test_cache \
	tests/unit/resolver/test_cache_key \
	tests/unit/resolver/test_cache_store \
	tests/unit/resolver/test_expiry \
	tests/unit/resolver/test_filter \
	tests/unit/resolver/test_local \
	tests/unit/resolver/test_local_rule \
	tests/unit/resolver/test_health \
	tests/unit/resolver/test_hosts \
	tests/unit/resolver/test_pace \
	tests/unit/resolver/test_quarantine \
	tests/unit/resolver/test_reader \
	tests/unit/resolver/test_record_ldns \
	tests/unit/resolver/test_record_plain \
	tests/unit/resolver/test_reply \
	tests/unit/resolver/test_retries \
	tests/unit/resolver/test_routes \
	tests/unit/resolver/test_server \
	tests/unit/resolver/test_tries \
	tests/unit/resolver/test_warm \
	tests/unit/resolver/test_client_quota
check_PROGRAMS += \
	tests/unit/resolver/daemon/test_clock_watch \
	tests/unit/resolver/daemon/test_control \
	tests/unit/resolver/daemon/test_control_end \
	tests/unit/resolver/daemon/test_control_socket \
	tests/unit/resolver/daemon/test_control_status \
	tests/unit/resolver/daemon/test_daemon_signals \
	tests/unit/resolver/daemon/test_evidence_folder \
	tests/unit/resolver/daemon/test_folder_lock \
	tests/unit/resolver/daemon/test_heap \
	tests/unit/resolver/daemon/test_helper \
	tests/unit/resolver/daemon/test_journal_file \
	tests/unit/resolver/daemon/test_known \
	tests/unit/resolver/daemon/test_list_age \
	tests/unit/resolver/daemon/test_listener_udp \
	tests/unit/resolver/daemon/test_network \
	tests/unit/resolver/daemon/test_notify \
	tests/unit/resolver/daemon/test_query_line \
	tests/unit/resolver/daemon/test_recorder \
	tests/unit/resolver/daemon/test_repeats \
	tests/unit/resolver/daemon/test_socket_unit \
	tests/unit/resolver/daemon/test_tcp_conn \
	tests/unit/resolver/daemon/test_verdict_log \
	tests/unit/resolver/daemon/test_writer
check_PROGRAMS += \
	tests/unit/cli/setup/test_plan \
	tests/unit/cli/test_advice
check_PROGRAMS += \
	tests/unit/lab/pki/test_lab_derw \
	tests/unit/lab/pki/test_lab_forge \
	tests/unit/lab/server/test_lab_h1 \
	tests/unit/lab/run/test_lab_results \
	tests/unit/lab/scenarios/test_lab_scenario \
	tests/unit/lab/server/test_lab_zone
check_PROGRAMS += \
	tests/unit/portal/test_question \
	tests/unit/portal/test_resolvers \
	tests/unit/portal/test_serve
check_PROGRAMS += \
	tests/unit/watch/test_child \
	tests/unit/watch/test_entries_json \
	tests/unit/watch/test_gzip \
	tests/unit/watch/test_pace \
	tests/unit/watch/test_feed \
	tests/unit/watch/test_findings \
	tests/unit/watch/test_findings_memory \
	tests/unit/watch/test_follow_memory \
	tests/unit/watch/test_findings_act \
	tests/unit/watch/test_issued \
	tests/unit/watch/test_judgement \
	tests/unit/watch/test_launcher \
	tests/unit/watch/test_plan \
	tests/unit/watch/test_proof \
	tests/unit/watch/test_reader \
	tests/unit/watch/test_record \
	tests/unit/watch/test_source \
	tests/unit/watch/test_state \
	tests/unit/watch/test_watch_list
endif

# the judge and its own libraries, nothing else
tests_unit_verify_test_verify_library_LDADD = libverify.a libbase.a $(GNUTLS_LIBS) $(JANSSON_LIBS) $(TASN1_LIBS)
tests_unit_resolver_daemon_test_notify_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=clock_mono_ms,--wrap=poll
tests_unit_base_test_log_journald_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=sendto
tests_unit_verify_test_disallow_CPPFLAGS = $(DATA_CPPFLAGS)
tests_unit_verify_test_limbo_CPPFLAGS = $(DATA_CPPFLAGS)
tests_unit_verify_test_verify_memory_SOURCES = tests/unit/verify/test_verify_memory.c $(FAILING_ALLOC) tests/unit/verify/forged.c
tests_unit_verify_test_verify_memory_LDFLAGS = $(FAILING_ALLOC_WRAP)
tests_unit_verify_test_readers_memory_SOURCES = tests/unit/verify/test_readers_memory.c $(FAILING_ALLOC)
tests_unit_verify_test_readers_memory_CPPFLAGS = $(DATA_CPPFLAGS)
tests_unit_verify_test_readers_memory_LDFLAGS = $(FAILING_ALLOC_WRAP)
tests_unit_verify_test_vectors_CPPFLAGS = $(DATA_CPPFLAGS)
tests_unit_verify_test_verify_SOURCES = tests/unit/verify/test_verify.c $(FORGED_ROWS)
tests_unit_verify_test_verify_cert_SOURCES = tests/unit/verify/test_verify_cert.c $(FORGED_ROWS)
tests_unit_verify_test_verify_clock_SOURCES = tests/unit/verify/test_verify_clock.c $(FORGED_ROWS)
tests_unit_verify_test_verify_ct_SOURCES = tests/unit/verify/test_verify_ct.c $(FORGED_ROWS)
tests_unit_verify_test_verify_modes_SOURCES = tests/unit/verify/test_verify_modes.c tests/unit/verify/forged.c
tests_unit_verify_test_verify_path_SOURCES = tests/unit/verify/test_verify_path.c $(FORGED_ROWS)
tests_unit_verify_test_verify_policy_SOURCES = tests/unit/verify/test_verify_policy.c $(FORGED_ROWS)
tests_unit_verify_test_verify_unjudged_SOURCES = tests/unit/verify/test_verify_unjudged.c $(FORGED_ROWS)
tests_unit_verify_test_verify_proven_SOURCES = tests/unit/verify/test_verify_proven.c tests/unit/verify/forged.c
tests_unit_verify_x509_test_path_validate_SOURCES = tests/unit/verify/x509/test_path_validate.c tests/unit/verify/forged.c
tests_unit_verify_x509_test_sigcache_SOURCES = tests/unit/verify/x509/test_sigcache.c tests/unit/verify/forged.c
tests_unit_verify_x509_test_trust_SOURCES = tests/unit/verify/x509/test_trust.c tests/unit/verify/forged.c
tests_unit_verify_ct_test_ctlogs_CPPFLAGS = $(DATA_CPPFLAGS)
tests_unit_verify_ct_test_ctlogs_json_CPPFLAGS = $(DATA_CPPFLAGS)
tests_unit_verify_revocation_test_renewed_CPPFLAGS = $(DATA_CPPFLAGS)
tests_unit_verify_revocation_test_revocation_CPPFLAGS = $(DATA_CPPFLAGS)
tests_unit_verify_revocation_test_revocation_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=gnutls_hash_fast
tests_unit_transport_test_doh_SOURCES = tests/unit/transport/test_doh.c $(DOH_SERVER)
tests_unit_transport_test_doh_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=nghttp2_session_client_new2
tests_unit_transport_test_doh_hostile_SOURCES = tests/unit/transport/test_doh_hostile.c $(DOH_SERVER)
tests_unit_transport_test_proto_memory_SOURCES = tests/unit/transport/test_proto_memory.c $(DOH_SERVER) $(FAILING_ALLOC)
tests_unit_transport_test_proto_memory_LDFLAGS = $(FAILING_ALLOC_WRAP)
tests_unit_transport_test_dot_SOURCES = tests/unit/transport/test_dot.c $(PROTO_RECORDER)
tests_unit_transport_test_fake_loop_SOURCES = tests/unit/transport/test_fake_loop.c $(FAKE_LOOP)
tests_unit_transport_test_slot_SOURCES = tests/unit/transport/test_slot.c $(SLOT_FIXTURE)
tests_unit_transport_test_slot_cipher_SOURCES = tests/unit/transport/test_slot_cipher.c $(SLOT_FIXTURE)
tests_unit_transport_test_slot_doh_SOURCES = tests/unit/transport/test_slot_doh.c $(SLOT_FIXTURE)
tests_unit_transport_test_slot_errno_SOURCES = tests/unit/transport/test_slot_errno.c $(SLOT_FIXTURE)
tests_unit_transport_test_slot_errno_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=send,--wrap=recv
tests_unit_transport_test_slot_keep_SOURCES = tests/unit/transport/test_slot_keep.c $(SLOT_FIXTURE)
tests_unit_transport_test_slot_late_SOURCES = tests/unit/transport/test_slot_late.c $(SLOT_FIXTURE)
tests_unit_transport_test_slot_lost_SOURCES = tests/unit/transport/test_slot_lost.c $(SLOT_FIXTURE)
tests_unit_transport_test_slot_memory_SOURCES = tests/unit/transport/test_slot_memory.c $(SLOT_FIXTURE) $(FAILING_ALLOC)
tests_unit_transport_test_slot_memory_LDFLAGS = $(FAILING_ALLOC_WRAP)
tests_unit_transport_test_slot_quota_SOURCES = tests/unit/transport/test_slot_quota.c $(SLOT_FIXTURE)
tests_unit_transport_test_slot_resume_SOURCES = tests/unit/transport/test_slot_resume.c $(SLOT_FIXTURE)
tests_unit_transport_test_slot_retire_SOURCES = tests/unit/transport/test_slot_retire.c $(SLOT_FIXTURE)
tests_unit_transport_test_slot_time_SOURCES = tests/unit/transport/test_slot_time.c $(SLOT_FIXTURE)
tests_unit_transport_test_slot_unproven_SOURCES = tests/unit/transport/test_slot_unproven.c $(SLOT_FIXTURE)
tests_unit_config_test_settings_memory_SOURCES = tests/unit/config/test_settings_memory.c $(FAILING_ALLOC)
tests_unit_config_test_settings_memory_LDFLAGS = $(FAILING_ALLOC_WRAP)
tests_unit_resolver_daemon_test_heap_SOURCES = tests/unit/resolver/daemon/test_heap.c $(FAKE_LOOP)
tests_unit_resolver_daemon_test_heap_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=malloc_trim
tests_unit_resolver_daemon_test_recorder_SOURCES = tests/unit/resolver/daemon/test_recorder.c $(FAKE_LOOP) $(FAILING_ALLOC)
tests_unit_resolver_daemon_test_recorder_LDFLAGS = $(FAILING_ALLOC_WRAP)
tests_unit_resolver_daemon_test_listener_udp_SOURCES = tests/unit/resolver/daemon/test_listener_udp.c $(FAKE_LOOP)
tests_unit_resolver_daemon_test_listener_udp_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=engine_ask,--wrap=engine_waiting,--wrap=sendmmsg
tests_unit_resolver_daemon_test_tcp_conn_SOURCES = tests/unit/resolver/daemon/test_tcp_conn.c $(FAKE_LOOP) $(FAILING_ALLOC)
tests_unit_resolver_daemon_test_tcp_conn_LDFLAGS = $(FAILING_ALLOC_WRAP),--wrap=engine_ask,--wrap=engine_forget,--wrap=engine_allows
tests_unit_resolver_daemon_test_control_socket_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=bind,--wrap=mkdirat
tests_unit_portal_test_question_LDADD = $(PORTAL_LIBS) $(TEST_LIBS)
tests_unit_portal_test_resolvers_LDADD = $(PORTAL_LIBS) $(TEST_LIBS)
tests_unit_portal_test_serve_SOURCES = tests/unit/portal/test_serve.c $(FAKE_LOOP)
tests_unit_portal_test_serve_LDADD = $(PORTAL_LIBS) $(TEST_LIBS)
tests_unit_watch_test_child_LDADD = $(WATCH_LIBS) $(TEST_LIBS)
tests_unit_watch_test_launcher_LDADD = $(WATCH_LIBS) $(TEST_LIBS)
tests_unit_watch_test_entries_json_LDADD = $(WATCH_LIBS) $(TEST_LIBS)
tests_unit_watch_test_gzip_LDADD = $(WATCH_LIBS) $(TEST_LIBS)
tests_unit_watch_test_pace_LDADD = $(WATCH_LIBS) $(TEST_LIBS)
tests_unit_cli_test_advice_SOURCES = tests/unit/cli/test_advice.c cli/advice.c
tests_unit_cli_setup_test_plan_LDFLAGS = $(FAILING_ALLOC_WRAP)
tests_unit_cli_setup_test_plan_SOURCES = tests/unit/cli/setup/test_plan.c $(FAILING_ALLOC) \
	cli/setup/apply.c cli/setup/entry.c cli/setup/machine.c cli/setup/plan.c cli/setup/program.c cli/setup/record.c cli/setup/xattrs.c
tests_unit_resolver_daemon_test_control_end_SOURCES = tests/unit/resolver/daemon/test_control_end.c tests/unit/resolver/daemon/control_stage.c
tests_unit_resolver_daemon_test_control_end_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=poll,--wrap=__poll_chk,--wrap=clock_mono_ms
tests_unit_resolver_daemon_test_control_SOURCES = tests/unit/resolver/daemon/test_control.c tests/unit/resolver/daemon/control_stage.c
CACHE_FIXTURE = tests/unit/resolver/cache_fixture.c
tests_unit_resolver_test_cache_SOURCES = tests/unit/resolver/test_cache.c $(CACHE_FIXTURE)
tests_unit_resolver_test_cache_store_SOURCES = tests/unit/resolver/test_cache_store.c $(CACHE_FIXTURE)
tests_unit_resolver_test_server_SOURCES = tests/unit/resolver/test_server.c $(FAKE_LOOP)
tests_unit_resolver_test_server_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=tp_slot_stats,--wrap=tp_slot_state
tests_unit_resolver_replay_SOURCES = \
	tests/unit/resolver/replay.c \
	tests/unit/resolver/replay_client.c \
	tests/unit/resolver/replay_play.c \
	tests/unit/resolver/replay_upstream.c \
	tests/unit/resolver/replay_portal.c \
	tests/unit/resolver/replay_world.c \
	tests/unit/transport/fake_transport.c \
	$(FAKE_LOOP)
tests_unit_resolver_replay_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=realloc
tests_unit_resolver_replay_LDADD = libresolver.a libconfig.a libtransport.a libverify.a libbase.a $(LDNS_LIBS) $(GNUTLS_LIBS) $(TASN1_LIBS) $(JANSSON_LIBS) $(PSL_LIBS)
WATCH_CERTS = tests/unit/watch/cert_fixture.c
tests_unit_watch_test_watch_list_SOURCES = tests/unit/watch/test_watch_list.c $(WATCH_CERTS)
tests_unit_watch_test_watch_list_LDADD = $(WATCH_LIBS) $(LAB_LIBS) $(TEST_LIBS)
FINDINGS_SCENE = tests/unit/watch/findings_scene.c tests/unit/verify/forged.c
tests_unit_watch_test_findings_SOURCES = tests/unit/watch/test_findings.c $(FINDINGS_SCENE)
tests_unit_watch_test_findings_LDADD = $(WATCH_LIBS) $(LAB_LIBS) $(TEST_LIBS)
tests_unit_watch_test_findings_act_SOURCES = tests/unit/watch/test_findings_act.c $(FINDINGS_SCENE)
tests_unit_watch_test_findings_act_LDADD = $(WATCH_LIBS) $(LAB_LIBS) $(TEST_LIBS)
tests_unit_watch_test_findings_memory_SOURCES = tests/unit/watch/test_findings_memory.c $(FINDINGS_SCENE) $(FAILING_ALLOC)
tests_unit_watch_test_findings_memory_LDFLAGS = $(FAILING_ALLOC_WRAP)
tests_unit_watch_test_findings_memory_LDADD = $(WATCH_LIBS) $(LAB_LIBS) $(TEST_LIBS)
tests_unit_watch_test_findings_act_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=fork
tests_unit_watch_test_follow_memory_SOURCES = tests/unit/watch/test_follow_memory.c tests/unit/watch/fake_bodies.c $(SIGNING_LOG) $(FAILING_ALLOC)
tests_unit_watch_test_follow_memory_LDFLAGS = $(FAILING_ALLOC_WRAP),--wrap=watch_log_misbehaved,--wrap=watch_entry_seen
tests_unit_watch_test_follow_memory_LDADD = $(WATCH_LIBS) $(TEST_LIBS)
tests_unit_watch_test_issued_SOURCES = tests/unit/watch/test_issued.c $(FINDINGS_SCENE)
tests_unit_watch_test_issued_LDADD = $(WATCH_LIBS) $(LAB_LIBS) $(TEST_LIBS)
tests_unit_watch_test_judgement_SOURCES = tests/unit/watch/test_judgement.c $(FINDINGS_SCENE)
tests_unit_watch_test_judgement_LDADD = $(WATCH_LIBS) $(LAB_LIBS) $(TEST_LIBS)
tests_unit_watch_test_plan_SOURCES = tests/unit/watch/test_plan.c $(FINDINGS_SCENE)
tests_unit_watch_test_plan_LDADD = $(WATCH_LIBS) $(LAB_LIBS) $(TEST_LIBS)
tests_unit_watch_test_proof_SOURCES = tests/unit/watch/test_proof.c tests/unit/watch/fake_bodies.c
tests_unit_watch_test_proof_LDADD = $(WATCH_LIBS) $(TEST_LIBS)
tests_unit_watch_test_reader_SOURCES = tests/unit/watch/test_reader.c tests/unit/watch/fake_bodies.c
tests_unit_watch_test_reader_LDADD = $(WATCH_LIBS) $(TEST_LIBS)
tests_unit_watch_test_record_LDADD = $(WATCH_LIBS) $(TEST_LIBS)
tests_unit_watch_test_source_LDADD = $(WATCH_LIBS) $(TEST_LIBS)
tests_unit_watch_test_state_SOURCES = tests/unit/watch/test_state.c tests/unit/verify/forged.c $(FAILING_ALLOC)
tests_unit_watch_test_state_LDFLAGS = $(FAILING_ALLOC_WRAP),--wrap=file_read_some
tests_unit_watch_test_state_LDADD = $(WATCH_LIBS) $(LAB_LIBS) $(TEST_LIBS)
tests_unit_verify_ct_test_head_SOURCES = tests/unit/verify/ct/test_head.c $(SIGNING_LOG) $(FAILING_ALLOC)
tests_unit_verify_ct_test_head_LDFLAGS = $(FAILING_ALLOC_WRAP)
tests_unit_verify_ct_test_precert_SOURCES = tests/unit/verify/ct/test_precert.c tests/unit/verify/forged.c
tests_unit_verify_ct_test_precert_LDADD = $(LAB_LIBS) $(TEST_LIBS)
tests_unit_verify_ct_test_promise_SOURCES = tests/unit/verify/ct/test_promise.c tests/unit/verify/forged.c
tests_unit_verify_ct_test_promise_LDADD = $(LAB_LIBS) $(TEST_LIBS)
tests_unit_watch_test_feed_LDADD = $(WATCH_LIBS) $(TEST_LIBS)
