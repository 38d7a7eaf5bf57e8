# ---- contrib/lab: the impersonation lab
noinst_LIBRARIES += liblab.a
liblab_a_SOURCES = \
	contrib/lab/lab_complain.c contrib/lab/lab_complain.h \
	contrib/lab/lab_files.c contrib/lab/lab_files.h \
	contrib/lab/lab_help.c contrib/lab/lab_help.h \
	contrib/lab/lab_options.c contrib/lab/lab_options.h \
	contrib/lab/lab_sink.c contrib/lab/lab_sink.h \
	contrib/lab/up_show.c contrib/lab/up_show.h
# certificates and logs, true and false
liblab_a_SOURCES += \
	contrib/lab/pki/derw.c contrib/lab/pki/derw.h \
	contrib/lab/pki/forge.c contrib/lab/pki/forge.h \
	contrib/lab/pki/key.c contrib/lab/pki/key.h \
	contrib/lab/pki/lab_status.c contrib/lab/pki/lab_status.h \
	contrib/lab/pki/toylog.c contrib/lab/pki/toylog.h \
	contrib/lab/pki/world.c contrib/lab/pki/world.h
# what each impersonator shows
liblab_a_SOURCES += \
	contrib/lab/scenarios/pkidir.c contrib/lab/scenarios/pkidir.h \
	contrib/lab/scenarios/scenario.c contrib/lab/scenarios/scenario.h \
	contrib/lab/scenarios/scenarios_chain.c \
	contrib/lab/scenarios/scenarios_downgrade.c \
	contrib/lab/scenarios/scenarios_identity.c \
	contrib/lab/scenarios/scenarios_misissuance.c \
	contrib/lab/scenarios/scenarios_protocol.c \
	contrib/lab/scenarios/scenarios_revocation.c \
	contrib/lab/scenarios/scenarios_sessions.c \
	contrib/lab/scenarios/scenarios_strength.c contrib/lab/scenarios/scenarios_strength.h \
	contrib/lab/scenarios/scenarios_transparency.c \
	contrib/lab/scenarios/site.c contrib/lab/scenarios/site.h
# the DoT and DoH servers that show it
liblab_a_SOURCES += \
	contrib/lab/server/answer.c \
	contrib/lab/server/lab_conn.c contrib/lab/server/lab_conn.h \
	contrib/lab/server/lab_conn_tls.c \
	contrib/lab/server/lab_counts.h \
	contrib/lab/server/lab_doh.c \
	contrib/lab/server/lab_doh_response.c contrib/lab/server/lab_doh_response.h \
	contrib/lab/server/lab_dot.c \
	contrib/lab/server/lab_fault.c contrib/lab/server/lab_fault.h \
	contrib/lab/server/lab_faults.def \
	contrib/lab/server/h1.c contrib/lab/server/h1.h \
	contrib/lab/server/h2raw.c contrib/lab/server/h2raw.h \
	contrib/lab/server/lab_server.c contrib/lab/server/lab_server.h \
	contrib/lab/server/spoil.c contrib/lab/server/spoil.h \
	contrib/lab/server/lab_zone.c contrib/lab/server/lab_zone.h
# a client in namespaces of its own, and what it did
liblab_a_SOURCES += \
	contrib/lab/run/lab_ask.c contrib/lab/run/lab_ask.h \
	contrib/lab/run/cell.c contrib/lab/run/cell.h \
	contrib/lab/run/lab_client.c contrib/lab/run/lab_client.h \
	contrib/lab/run/lab_exchange.c contrib/lab/run/lab_exchange.h \
	contrib/lab/run/jobs.c contrib/lab/run/jobs.h \
	contrib/lab/run/netlink.c contrib/lab/run/netlink.h \
	contrib/lab/run/results.c contrib/lab/run/results.h \
	contrib/lab/run/stage.c contrib/lab/run/stage.h \
	contrib/lab/run/trap.c contrib/lab/run/trap.h \
	contrib/lab/run/trial.c contrib/lab/run/trial.h \
	contrib/lab/run/upctl.c contrib/lab/run/upctl.h
# CT logs with trees, over HTTPS
liblab_a_SOURCES += \
	contrib/lab/logs/filler.c contrib/lab/logs/filler.h \
	contrib/lab/logs/lab_logs.c contrib/lab/logs/lab_logs.h \
	contrib/lab/logs/leaf.c contrib/lab/logs/leaf.h \
	contrib/lab/logs/logs_https.c contrib/lab/logs/logs_https.h \
	contrib/lab/logs/logs_inside.h contrib/lab/logs/logs_reply.h \
	contrib/lab/logs/logs_rfc6962.c \
	contrib/lab/logs/logs_tiles.c \
	contrib/lab/logs/lab_misbehaviour.def \
	contrib/lab/logs/toytree.c contrib/lab/logs/toytree.h
# many runs side by side
liblab_a_SOURCES += \
	contrib/lab/report/report.c contrib/lab/report/report.h \
	contrib/lab/report/report_html.c \
	contrib/lab/report/report_md.c
bin_PROGRAMS += ctstub-lab
ctstub_lab_SOURCES = contrib/lab/main.c contrib/lab/lab.h contrib/lab/cmd_logs.c contrib/lab/cmd_pki.c \
	contrib/lab/cmd_report.c contrib/lab/cmd_run.c contrib/lab/cmd_serve.c contrib/lab/cmd_switch.c contrib/lab/cmd_up.c
ctstub_lab_LDADD = $(ABOUT_LIBS) $(LAB_LIBS)
labadaptersdir = $(pkgdatadir)/lab/adapters
dist_labadapters_SCRIPTS = \
	contrib/lab/adapters/ctstub contrib/lab/adapters/curl-doh contrib/lab/adapters/curl-doh-name \
	contrib/lab/adapters/dig contrib/lab/adapters/dig-name contrib/lab/adapters/dnsdist \
	contrib/lab/adapters/dnsdist-name contrib/lab/adapters/dnsdist-nothing contrib/lab/adapters/kdig \
	contrib/lab/adapters/kdig-name contrib/lab/adapters/kresd contrib/lab/adapters/kresd-name \
	contrib/lab/adapters/smartdns contrib/lab/adapters/smartdns-name \
	contrib/lab/adapters/smartdns-nothing contrib/lab/adapters/stubby \
	contrib/lab/adapters/stubby-address contrib/lab/adapters/systemd-resolved \
	contrib/lab/adapters/systemd-resolved-name contrib/lab/adapters/systemd-resolved-opportunistic \
	contrib/lab/adapters/template contrib/lab/adapters/unbound contrib/lab/adapters/unbound-name \
	contrib/lab/adapters/unbound-nothing
dist_labadapters_DATA = contrib/lab/adapters/README.md
EXTRA_DIST += contrib/lab/README.md contrib/lab/REPORT.md
dist_man_MANS += contrib/lab/ctstub-lab.1
LAB_LIBS = liblab.a $(VERIFY_LIBS) $(ZLIB_LIBS) $(NGHTTP2_LIBS) $(EVENT_LIBS) $(LDNS_LIBS)
