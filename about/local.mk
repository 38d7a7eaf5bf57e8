# ---- about: the libraries that a program runs with, and their known holes
ABOUT_LIBS = libabout.a $(ABOUT_DL)
noinst_LIBRARIES += libabout.a
libabout_a_SOURCES = \
	about/about.c about/about.h \
	about/dpkg.c about/dpkg.h \
	about/holes.c about/holes.h about/holes.def \
	about/libraries.c about/libraries.h about/libraries.def \
	about/version.c about/version.h
# the bill of materials of this build, and of a tarball (dist-hook of Makefile.am)
EXTRA_DIST += contrib/sbom
sbom = $(srcdir)/contrib/sbom --version '$(PACKAGE_VERSION)' --time '$(build_time_s)'
nodist_doc_DATA = about/ctstub.spdx.json
CLEANFILES += about/ctstub.spdx.json
about/ctstub.spdx.json: contrib/sbom contrib/debian/copyright Makefile
	$(AM_V_GEN)$(MKDIR_P) about && $(sbom) $(sbom_libraries) >$@.tmp && mv $@.tmp $@
