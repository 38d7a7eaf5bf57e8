# ---- config: what was wanted
noinst_LIBRARIES += libconfig.a
libconfig_a_SOURCES = \
	config/changes.c config/changes.h \
	config/check.c \
	config/compile.c config/compile.h \
	config/compiled_in.c config/compiled_in.h \
	config/errors.c \
	config/file.c config/file.h \
	config/forms.c config/forms.h \
	config/grammar.y \
	config/hints.c config/hints.h \
	config/lexer.l \
	config/load.c config/load.h \
	config/named_paths.c config/named_paths.h \
	config/options.c config/options.def config/options.h \
	config/owned.c config/owned.h \
	config/parse.c config/parse.h \
	config/portal_names.c config/portal_names.def config/portal_names.h \
	config/print.c \
	config/probe.c \
	config/reader.c config/reader.h \
	config/reverse.c config/reverse.h \
	config/settings.h \
	config/settings_read.c \
	config/snapshot.c config/snapshot.h \
	config/snapshot_compile.c \
	config/suffix.c config/suffix.h \
	config/watch_files.c config/watch_files.h \
	config/window_record.c config/window_record.h
AM_YFLAGS = -d -Wno-yacc
dist_man_MANS += config/ctstub.conf.5
BUILT_SOURCES += config/grammar.c config/grammar.h config/lexer.c
CONFIG_LIBS = libconfig.a $(TRANSPORT_LIBS) $(PSL_LIBS)
