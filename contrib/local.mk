# ---- contrib: units, the default configuration, glue
EXTRA_DIST += \
	contrib/ctstub.conf contrib/debian contrib/fleet \
	contrib/install-packages contrib/packages contrib/quickstart \
	contrib/systemd/egress.conf \
	contrib/systemd/ctstub-audit.service.in contrib/systemd/ctstub-audit.timer contrib/systemd/ctstub-audit-retry.timer \
	contrib/systemd/ctstub-ct-logs.service.in contrib/systemd/ctstub-ct-logs.timer contrib/systemd/ctstub-ct-logs-retry.timer \
	contrib/systemd/ctstubd.service.in contrib/systemd/ctstubd.socket \
	contrib/systemd/ctstub-portal.service.in contrib/systemd/ctstub-portal.socket \
	contrib/systemd/ctstub-watch.service.in contrib/systemd/ctstub-watch-reload.path contrib/systemd/ctstub-reload.service.in \
	contrib/systemd/ctstub-watch-pull.service.in contrib/systemd/ctstub-watch-pull.timer contrib/systemd/ctstub-metrics.service.in \
	contrib/systemd/ctstub-links.path contrib/systemd/ctstub-links.timer contrib/systemd/ctstub-links@.service.in \
	contrib/systemd/sysusers.conf contrib/systemd/tmpfiles.conf
# commented configurations, and what a laptop needs beside one
examplesdir = $(docdir)/examples
dist_examples_DATA = contrib/examples/ctstub.conf contrib/examples/fleet.conf contrib/examples/lab.conf contrib/examples/laptop.conf
dist_doc_DATA = contrib/logrotate
# drop-ins that the manual and the units name
dropinsdir = $(docdir)/systemd
dist_dropins_DATA = contrib/systemd/bind-itself.conf contrib/systemd/control-group.conf
laptopdir = $(docdir)/laptop
dist_laptop_DATA = contrib/laptop/README.md contrib/laptop/networkmanager-captive.sh
# what `ctstub setup --with-links` installs
pkgdata_SCRIPTS = contrib/laptop/links-hook
EXTRA_DIST += contrib/laptop/links-hook.in
CLEANFILES += contrib/laptop/links-hook
contrib/laptop/links-hook: contrib/laptop/links-hook.in Makefile
	$(fill_unit) $(srcdir)/contrib/laptop/links-hook.in >$@ && chmod +x $@
units = contrib/systemd/ctstubd.service contrib/systemd/ctstub-audit.service contrib/systemd/ctstub-ct-logs.service \
	contrib/systemd/ctstub-portal.service contrib/systemd/ctstub-watch.service contrib/systemd/ctstub-reload.service \
	contrib/systemd/ctstub-watch-pull.service contrib/systemd/ctstub-metrics.service contrib/systemd/ctstub-links@.service
CLEANFILES += $(units)
fill_unit = $(AM_V_GEN)$(MKDIR_P) $(@D) && sed -e 's,@sbindir\@,$(sbindir),' -e 's,@bindir\@,$(bindir),' -e 's,@pkgdatadir\@,$(pkgdatadir),' -e 's,@sysconfdir\@,$(sysconfdir),g'
# what the systemd that is built for knows (--with-systemd-version)
if SYSTEMD_RESTART_STEPS
restart_steps = -e 's/^@restart_steps@$$/RestartSteps=8\nRestartMaxDelaySec=1min/'
else
restart_steps = -e '/^@restart_steps@$$/d'
endif
contrib/systemd/ctstubd.service: contrib/systemd/ctstubd.service.in Makefile
	$(fill_unit) $(restart_steps) $(srcdir)/contrib/systemd/ctstubd.service.in >$@
contrib/systemd/ctstub-audit.service: contrib/systemd/ctstub-audit.service.in Makefile
	$(fill_unit) $(srcdir)/contrib/systemd/ctstub-audit.service.in >$@
contrib/systemd/ctstub-ct-logs.service: contrib/systemd/ctstub-ct-logs.service.in Makefile
	$(fill_unit) $(srcdir)/contrib/systemd/ctstub-ct-logs.service.in >$@
contrib/systemd/ctstub-portal.service: contrib/systemd/ctstub-portal.service.in Makefile
	$(fill_unit) $(srcdir)/contrib/systemd/ctstub-portal.service.in >$@
contrib/systemd/ctstub-watch.service: contrib/systemd/ctstub-watch.service.in Makefile
	$(fill_unit) $(srcdir)/contrib/systemd/ctstub-watch.service.in >$@
contrib/systemd/ctstub-reload.service: contrib/systemd/ctstub-reload.service.in Makefile
	$(fill_unit) $(srcdir)/contrib/systemd/ctstub-reload.service.in >$@
contrib/systemd/ctstub-watch-pull.service: contrib/systemd/ctstub-watch-pull.service.in Makefile
	$(fill_unit) $(srcdir)/contrib/systemd/ctstub-watch-pull.service.in >$@
contrib/systemd/ctstub-links@.service: contrib/systemd/ctstub-links@.service.in Makefile
	$(fill_unit) $(srcdir)/contrib/systemd/ctstub-links@.service.in >$@
contrib/systemd/ctstub-metrics.service: contrib/systemd/ctstub-metrics.service.in Makefile
	$(fill_unit) $(srcdir)/contrib/systemd/ctstub-metrics.service.in >$@
if SYSTEMD_UNITS
nodist_systemdunit_DATA = $(units)
dist_systemdunit_DATA = contrib/systemd/ctstubd.socket contrib/systemd/ctstub-portal.socket contrib/systemd/ctstub-audit.timer contrib/systemd/ctstub-ct-logs.timer \
	contrib/systemd/ctstub-watch-reload.path contrib/systemd/ctstub-watch-pull.timer \
	contrib/systemd/ctstub-audit-retry.timer contrib/systemd/ctstub-ct-logs-retry.timer \
	contrib/systemd/ctstub-links.path contrib/systemd/ctstub-links.timer
endif
# A configuration that somebody has written is never overwritten, and is left behind when it was changed.
install-data-local:
	$(MKDIR_P) '$(DESTDIR)$(sysconfdir)/ctstub/conf.d'
	test -e '$(DESTDIR)$(sysconfdir)/ctstub/ctstub.conf' || $(INSTALL_DATA) $(srcdir)/contrib/ctstub.conf '$(DESTDIR)$(sysconfdir)/ctstub/ctstub.conf'
if SYSTEMD_UNITS
	$(MKDIR_P) '$(DESTDIR)$(prefix)/lib/sysusers.d' '$(DESTDIR)$(prefix)/lib/tmpfiles.d'
	$(INSTALL_DATA) $(srcdir)/contrib/systemd/sysusers.conf '$(DESTDIR)$(prefix)/lib/sysusers.d/ctstub.conf'
	$(INSTALL_DATA) $(srcdir)/contrib/systemd/tmpfiles.conf '$(DESTDIR)$(prefix)/lib/tmpfiles.d/ctstub.conf'
endif
uninstall-local:
	if cmp -s $(srcdir)/contrib/ctstub.conf '$(DESTDIR)$(sysconfdir)/ctstub/ctstub.conf'; then rm -f '$(DESTDIR)$(sysconfdir)/ctstub/ctstub.conf'; fi
	rm -f '$(DESTDIR)$(prefix)/lib/sysusers.d/ctstub.conf' '$(DESTDIR)$(prefix)/lib/tmpfiles.d/ctstub.conf'
	rmdir '$(DESTDIR)$(sysconfdir)/ctstub/conf.d' '$(DESTDIR)$(sysconfdir)/ctstub' 2>/dev/null || :
