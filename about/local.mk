# ---- about: the libraries that a program runs with, and their known holes
ABOUT_LIBS = libabout.a $(ABOUT_DL)
noinst_LIBRARIES += libabout.a
libabout_a_SOURCES = \
	about/about.c about/about.h \
	about/dpkg.c about/dpkg.h \
	about/holes.c about/holes.h about/holes.def \
	about/libraries.c about/libraries.h about/libraries.def \
	about/version.c about/version.h
