# ---- resolver: the engine, and in daemon/ the process around it
noinst_LIBRARIES += libresolver.a
# the trip of a question
libresolver_a_SOURCES = \
	resolver/admission.c resolver/admission.h \
	resolver/answer_class.c resolver/answer_class.h \
	resolver/ask.c resolver/ask.h \
	resolver/attempt.c resolver/attempt.h \
	resolver/beside.c resolver/beside.h \
	resolver/budget.c resolver/budget.h \
	resolver/cache.c resolver/cache.h \
	resolver/cache_entry.c resolver/cache_entry.h \
	resolver/cache_key.c resolver/cache_key.h \
	resolver/cache_store.c resolver/cache_store.h \
	resolver/cache_table.c resolver/cache_table.h \
	resolver/cache_terms.h \
	resolver/client.h \
	resolver/client_quota.c resolver/client_quota.h \
	resolver/counters.c resolver/counters.h resolver/counters.def \
	resolver/clock_shift.c resolver/clock_shift.h \
	resolver/deliver.c resolver/deliver.h \
	resolver/engine.c resolver/engine.h \
	resolver/engine_state.c resolver/engine_state.h \
	resolver/expiry.c resolver/expiry.h \
	resolver/explain.c resolver/explain.h \
	resolver/filter.c resolver/filter.h \
	resolver/health.c resolver/health.h \
	resolver/here.c resolver/here.h \
	resolver/hosts.c resolver/hosts.h \
	resolver/hosts_table.c resolver/hosts_table.h \
	resolver/reader.c resolver/reader.h \
	resolver/keep_warm.c resolver/keep_warm.h \
	resolver/lane.c resolver/lane.h \
	resolver/local.c resolver/local.h \
	resolver/local_data.c resolver/local_data.h \
	resolver/maintain.c resolver/maintain.h \
	resolver/order.c resolver/order.h \
	resolver/pace.c resolver/pace.h \
	resolver/plan.c resolver/plan.h \
	resolver/portal.c resolver/portal.h \
	resolver/quarantine.c resolver/quarantine.h \
	resolver/queries.c resolver/queries.h \
	resolver/query.c resolver/query.h \
	resolver/query_answer.c resolver/query_answer.h \
	resolver/query_send.c resolver/query_send.h \
	resolver/rebinding.c resolver/rebinding.h \
	resolver/record_ldns.c resolver/record_ldns.h \
	resolver/record_plain.c resolver/record_plain.h \
	resolver/reply.c resolver/reply.h \
	resolver/retries.c resolver/retries.h \
	resolver/routes.c resolver/routes.h \
	resolver/server.c resolver/server.h \
	resolver/server_slot.c resolver/server_slot.h \
	resolver/special.c resolver/special.h \
	resolver/time_names.c resolver/time_names.h \
	resolver/tries.c resolver/tries.h \
	resolver/tap.c resolver/tap.h \
	resolver/upstream_report.c resolver/upstream_report.h \
	resolver/upstream_set.c resolver/upstream_set.h \
	resolver/upstreams.c resolver/upstreams.h \
	resolver/waiter.c resolver/waiter.h \
	resolver/warm.c resolver/warm.h
# the process: listeners, workers, control socket
libresolver_a_SOURCES += \
	resolver/daemon/captive.c resolver/daemon/captive.h \
	resolver/daemon/clock_watch.c resolver/daemon/clock_watch.h \
	resolver/daemon/configuration.c resolver/daemon/configuration.h \
	resolver/daemon/control.c resolver/daemon/control.h \
	resolver/daemon/control_json.c resolver/daemon/control_json.h \
	resolver/daemon/control_socket.c resolver/daemon/control_socket.h \
	resolver/daemon/control_status.c resolver/daemon/control_status.h \
	resolver/daemon/control_value.c resolver/daemon/control_value.h \
	resolver/daemon/daemon.c resolver/daemon/daemon.h \
	resolver/daemon/daemon_signals.c resolver/daemon/daemon_signals.h \
	resolver/daemon/evidence_folder.c resolver/daemon/evidence_folder.h \
	resolver/daemon/fan_out.c resolver/daemon/fan_out.h \
	resolver/daemon/folder_lock.c resolver/daemon/folder_lock.h \
	resolver/daemon/heap.c resolver/daemon/heap.h \
	resolver/daemon/helper.c resolver/daemon/helper.h \
	resolver/daemon/held.c resolver/daemon/held.h \
	resolver/daemon/journal_file.c resolver/daemon/journal_file.h \
	resolver/daemon/journal_states.c resolver/daemon/journal_states.h \
	resolver/daemon/known.c resolver/daemon/known.h \
	resolver/daemon/list_age.c resolver/daemon/list_age.h \
	resolver/daemon/listen_check.c resolver/daemon/listen_check.h \
	resolver/daemon/listener.c resolver/daemon/listener.h \
	resolver/daemon/listener_tcp.c resolver/daemon/listener_tcp.h \
	resolver/daemon/listener_udp.c resolver/daemon/listener_udp.h \
	resolver/daemon/metrics.c resolver/daemon/metrics.h \
	resolver/daemon/portal_link.c resolver/daemon/portal_link.h \
	resolver/daemon/network.c resolver/daemon/network.h \
	resolver/daemon/notify.c resolver/daemon/notify.h \
	resolver/daemon/path_check.c resolver/daemon/path_check.h \
	resolver/daemon/portal_reach.c resolver/daemon/portal_reach.h \
	resolver/daemon/recorder.c resolver/daemon/recorder.h \
	resolver/daemon/repeats.c resolver/daemon/repeats.h \
	resolver/daemon/service.c resolver/daemon/service.h \
	resolver/daemon/socket_unit.c resolver/daemon/socket_unit.h \
	resolver/daemon/showing.c resolver/daemon/showing.h \
	resolver/daemon/sockets.c resolver/daemon/sockets.h \
	resolver/daemon/status.c resolver/daemon/status.h \
	resolver/daemon/tcp_conn.c resolver/daemon/tcp_conn.h \
	resolver/daemon/turn_away.c resolver/daemon/turn_away.h \
	resolver/daemon/verdict_log.c resolver/daemon/verdict_log.h \
	resolver/daemon/watchdog.c resolver/daemon/watchdog.h \
	resolver/daemon/worker.c resolver/daemon/worker.h \
	resolver/daemon/workers.c resolver/daemon/workers.h \
	resolver/daemon/writer.c resolver/daemon/writer.h
# the query log
libresolver_a_SOURCES += \
	resolver/daemon/querylog/query_event.c resolver/daemon/querylog/query_event.h \
	resolver/daemon/querylog/query_feed.c resolver/daemon/querylog/query_feed.h \
	resolver/daemon/querylog/query_file.c resolver/daemon/querylog/query_file.h \
	resolver/daemon/querylog/query_line.c resolver/daemon/querylog/query_line.h \
	resolver/daemon/querylog/query_log.c resolver/daemon/querylog/query_log.h \
	resolver/daemon/querylog/query_writer.c resolver/daemon/querylog/query_writer.h
EXTRA_DIST += resolver/daemon/querylog/dnstap.proto
if DNSTAP
libresolver_a_SOURCES += \
	resolver/daemon/querylog/query_dnstap.c resolver/daemon/querylog/query_dnstap.h \
	resolver/daemon/querylog/query_stream.c resolver/daemon/querylog/query_stream.h
# what protoc-c makes is not held to our warnings
noinst_LIBRARIES += libdnstap.a
nodist_libdnstap_a_SOURCES = resolver/daemon/querylog/dnstap.pb-c.c resolver/daemon/querylog/dnstap.pb-c.h
libdnstap_a_CFLAGS = -std=gnu11 $(HARDEN_CFLAGS) $(SAN_CFLAGS) $(DNSTAP_CFLAGS)
BUILT_SOURCES += resolver/daemon/querylog/dnstap.pb-c.h
CLEANFILES += resolver/daemon/querylog/dnstap.pb-c.c resolver/daemon/querylog/dnstap.pb-c.h
resolver/daemon/querylog/dnstap.pb-c.c: resolver/daemon/querylog/dnstap.pb-c.h
	@touch $@
resolver/daemon/querylog/dnstap.pb-c.h: resolver/daemon/querylog/dnstap.proto
	$(AM_V_GEN)$(MKDIR_P) resolver/daemon/querylog && $(PROTOC_C) --proto_path=$(srcdir) --c_out=. $(srcdir)/resolver/daemon/querylog/dnstap.proto
DNSTAP_LIB = libdnstap.a
endif
sbin_PROGRAMS += ctstubd
ctstubd_SOURCES = resolver/daemon/main.c
ctstubd_LDADD = $(ABOUT_LIBS) $(RESOLVER_LIBS)
# The dynamic linker looks for each symbol in the libraries by their order: those that define most of them come first.
ctstubd_LDFLAGS = -Wl,--no-as-needed -lc $(GNUTLS_LIBS) $(EVENT_LIBS) $(AM_LDFLAGS)
dist_man_MANS += resolver/daemon/ctstubd.8
RESOLVER_LIBS = libresolver.a $(DNSTAP_LIB) $(DNSTAP_LIBS) $(SANDBOX_LIBS) $(CONFIG_LIBS) $(ABOUT_DL)

EXTRA_DIST += tests/data/replay
