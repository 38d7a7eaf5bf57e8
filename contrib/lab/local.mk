# ---- contrib/lab: the impersonation lab
noinst_LIBRARIES += liblab.a
liblab_a_SOURCES = \
	contrib/lab/answer.c contrib/lab/ask.c contrib/lab/ask.h \
	contrib/lab/cell.c contrib/lab/cell.h contrib/lab/client.c contrib/lab/client.h \
	contrib/lab/conn.c contrib/lab/conn.h contrib/lab/doh.c contrib/lab/dot.c \
	contrib/lab/h1.c contrib/lab/h1.h contrib/lab/h2raw.c contrib/lab/h2raw.h \
	contrib/lab/derw.c contrib/lab/derw.h \
	contrib/lab/exchange.c contrib/lab/exchange.h \
	contrib/lab/fault.c contrib/lab/fault.h contrib/lab/faults.def \
	contrib/lab/files.c contrib/lab/files.h \
	contrib/lab/forge.c contrib/lab/forge.h \
	contrib/lab/key.c contrib/lab/key.h \
	contrib/lab/netlink.c contrib/lab/netlink.h \
	contrib/lab/pkidir.c contrib/lab/pkidir.h \
	contrib/lab/report.c contrib/lab/report.h contrib/lab/report_html.c contrib/lab/report_md.c \
	contrib/lab/results.c contrib/lab/results.h \
	contrib/lab/scenario.c contrib/lab/scenario.h \
	contrib/lab/scenarios_chain.c contrib/lab/scenarios_downgrade.c contrib/lab/scenarios_identity.c \
	contrib/lab/scenarios_misissuance.c contrib/lab/scenarios_protocol.c contrib/lab/scenarios_revocation.c \
	contrib/lab/scenarios_sessions.c contrib/lab/scenarios_transparency.c \
	contrib/lab/server.c contrib/lab/server.h \
	contrib/lab/site.c contrib/lab/site.h \
	contrib/lab/spoil.c contrib/lab/spoil.h \
	contrib/lab/stage.c contrib/lab/stage.h contrib/lab/status.c contrib/lab/status.h \
	contrib/lab/toylog.c contrib/lab/toylog.h \
	contrib/lab/trap.c contrib/lab/trap.h \
	contrib/lab/trial.c contrib/lab/trial.h \
	contrib/lab/upctl.c contrib/lab/upctl.h \
	contrib/lab/world.c contrib/lab/world.h \
	contrib/lab/zone.c contrib/lab/zone.h
bin_PROGRAMS += ctstub-lab
ctstub_lab_SOURCES = contrib/lab/main.c contrib/lab/lab.h contrib/lab/cmd_pki.c contrib/lab/cmd_report.c \
	contrib/lab/cmd_run.c contrib/lab/cmd_serve.c contrib/lab/cmd_up.c
ctstub_lab_LDADD = $(LAB_LIBS)
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
EXTRA_DIST += contrib/lab/README.md contrib/lab/REPORT.md contrib/lab/adapters/README.md
dist_man_MANS += contrib/lab/ctstub-lab.1
LAB_LIBS = liblab.a libbase.a $(GNUTLS_LIBS) $(JANSSON_LIBS) $(NGHTTP2_LIBS) $(EVENT_LIBS) $(LDNS_LIBS)
