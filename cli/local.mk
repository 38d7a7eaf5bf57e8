# ---- cli: the user's tool
bin_PROGRAMS += ctstub
ctstub_SOURCES = cli/main.c $(CLI_SOURCES)
# all but main(), for the fuzz target of the tool as well
CLI_SOURCES = \
	cli/advice.c cli/advice.h \
	cli/args.c cli/args.h \
	cli/audit.c cli/audit.h \
	cli/chain.c \
	cli/cli.h \
	cli/cmd_audit.c \
	cli/cmd_captive.c \
	cli/cmd_ctlogs.c \
	cli/cmd_disallow.c \
	cli/cmd_egress.c \
	cli/cmd_flush.c \
	cli/cmd_help.c \
	cli/cmd_history.c \
	cli/cmd_log_level.c \
	cli/cmd_metrics.c \
	cli/cmd_probe.c \
	cli/cmd_reload.c \
	cli/cmd_stats.c \
	cli/cmd_status.c \
	cli/cmd_upstreams.c \
	cli/cmd_verify.c \
	cli/completion.c cli/completion.h \
	cli/control.c cli/control.h \
	cli/ct_print.c cli/ct_print.h \
	cli/ct_known.c cli/ct_known.h \
	cli/ct_window.c cli/ct_window.h \
	cli/ct_sources.c cli/ct_sources.h \
	cli/egress.c cli/egress.h \
	cli/egress_check.c cli/egress_check.h \
	cli/egress_doh.def \
	cli/fetch.c cli/fetch.h \
	cli/file_kind.c cli/file_kind.h \
	cli/files.c cli/files.h \
	cli/lookup.c cli/lookup.h \
	cli/options.c cli/options.h \
	cli/output.c \
	cli/probe.h cli/probe_print.c \
	cli/protection.c cli/protection.h \
	cli/rules.c cli/rules.h \
	cli/setup/alone.c cli/setup/alone.h \
	cli/setup/apply.c cli/setup/apply.h \
	cli/setup/cmd_setup.c \
	cli/setup/entry.c cli/setup/entry.h \
	cli/setup/machine.c cli/setup/machine.h \
	cli/setup/ours.c cli/setup/ours.h \
	cli/setup/plan.c cli/setup/plan.h \
	cli/setup/program.c cli/setup/program.h \
	cli/setup/record.c cli/setup/record.h \
	cli/setup/resolves.c cli/setup/resolves.h \
	cli/setup/xattrs.c cli/setup/xattrs.h \
	cli/status_print.c cli/status_print.h \
	cli/verbs.c \
	cli/watch_status.c cli/watch_status.h
dist_man_MANS += cli/ctstub.1
ctstub_LDADD = $(ABOUT_LIBS) $(CONFIG_LIBS) $(LDNS_LIBS) $(CURL_LIBS)
# Completions, printed by the program from its own tables. Their folders: what the shells look through by default.
completions = contrib/completions/bash/ctstub contrib/completions/zsh/_ctstub contrib/completions/fish/ctstub.fish
bashcompdir = $(datadir)/bash-completion/completions
zshcompdir = $(datadir)/zsh/site-functions
fishcompdir = $(datadir)/fish/vendor_completions.d
nodist_bashcomp_DATA = contrib/completions/bash/ctstub
nodist_zshcomp_DATA = contrib/completions/zsh/_ctstub
nodist_fishcomp_DATA = contrib/completions/fish/ctstub.fish
CLEANFILES += $(completions)
$(completions): ctstub$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) $(@D) && shell=$(@D) && ./ctstub$(EXEEXT) help --completion "$${shell##*/}" >$@.new && mv $@.new $@
