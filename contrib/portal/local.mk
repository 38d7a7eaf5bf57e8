# ---- contrib/portal: the helper that alone sends questions in clear text
noinst_LIBRARIES += libportal.a
libportal_a_SOURCES = \
	contrib/portal/asking.c contrib/portal/asking.h \
	contrib/portal/question.c contrib/portal/question.h \
	contrib/portal/resolvers.c contrib/portal/resolvers.h \
	contrib/portal/serve.c contrib/portal/serve.h
PORTAL_LIBS = libportal.a $(SANDBOX_LIBS) $(CONFIG_LIBS)
sbin_PROGRAMS += ctstub-portal
ctstub_portal_SOURCES = contrib/portal/main.c
ctstub_portal_LDADD = $(ABOUT_LIBS) $(PORTAL_LIBS)
dist_man_MANS += contrib/portal/ctstub-portal.8
