# ---- verify: the judge
VERIFY_LIBS = libverify.a libbase.a $(GNUTLS_LIBS) $(TASN1_LIBS) $(JANSSON_LIBS)
noinst_LIBRARIES += libverify.a
libverify_a_SOURCES = \
	verify/anchor_limits.h \
	verify/anchor_limits_case.c \
	verify/anchor_limits_read.c \
	verify/anchor_limits_table.c verify/anchor_limits_table.h \
	verify/cert_match.c verify/cert_match.h \
	verify/data_text.h \
	verify/disallow.c verify/disallow.h \
	verify/json.c verify/json.h \
	verify/json_shown.c verify/json_shown.h \
	verify/judge.c verify/judge.h \
	verify/judge_ct.c \
	verify/judge_disallow.c \
	verify/judge_identity.c \
	verify/judge_import.c \
	verify/judge_modes.c \
	verify/judge_path.c \
	verify/judge_presented.c \
	verify/judge_revocation.c \
	verify/lines.c verify/lines.h \
	verify/onecrl.c verify/onecrl.h \
	verify/path_policy.c verify/path_policy.h \
	verify/policy.c verify/policy.h \
	verify/reason.c \
	verify/reasons.def \
	verify/minisign.c verify/minisign.h \
	verify/verdict.c verify/verdict.h \
	verify/verdict_build.c verify/verdict_build.h \
	verify/verdict_json.c \
	verify/verdict_text.c \
	verify/verify.c verify/verify.h \
	verify/when.h \
	verify/why.c verify/why.h
# certificates
libverify_a_SOURCES += \
	verify/x509/algorithm.c verify/x509/algorithm.h \
	verify/x509/anchor_tidy.c verify/x509/anchor_tidy.h \
	verify/x509/anchor_trust.c verify/x509/anchor_trust.h \
	verify/x509/altname.c verify/x509/altname.h \
	verify/x509/cert.c verify/x509/cert.h \
	verify/x509/critical.c \
	verify/x509/datum.h \
	verify/x509/der.c verify/x509/der.h \
	verify/x509/disguise.c verify/x509/disguise.h \
	verify/x509/identity.c verify/x509/identity.h \
	verify/x509/issuers.c verify/x509/issuers.h \
	verify/x509/lead.c verify/x509/lead.h \
	verify/x509/idn.c verify/x509/idn.h \
	verify/x509/name.c verify/x509/name.h \
	verify/x509/name_text.c \
	verify/x509/name_value.c verify/x509/name_value.h \
	verify/x509/nameconstraints.c verify/x509/nameconstraints.h \
	verify/x509/features.c verify/x509/features.h \
	verify/x509/oid.h \
	verify/x509/path.h \
	verify/x509/path_build.c \
	verify/x509/path_validate.c verify/x509/path_validate.h \
	verify/x509/pem.c verify/x509/pem.h \
	verify/x509/sigcache.c verify/x509/sigcache.h \
	verify/x509/sigform.c verify/x509/sigform.h \
	verify/x509/policies.c verify/x509/policies.h \
	verify/x509/proofs.c verify/x509/proofs.h \
	verify/x509/signature.c verify/x509/signature.h \
	verify/x509/spki.c verify/x509/spki.h \
	verify/x509/strength.c verify/x509/strength.h \
	verify/x509/trust.c verify/x509/trust.h \
	verify/x509/usage.c verify/x509/usage.h
# transparency
libverify_a_SOURCES += \
	verify/ct/ctlogs.h \
	verify/ct/ctlogs_build.c verify/ct/ctlogs_build.h \
	verify/ct/ctlogs_compare.c \
	verify/ct/ctlogs_compiled.c \
	verify/ct/ctlogs_find.c \
	verify/ct/ctlogs_header.c \
	verify/ct/ctlogs_json.c \
	verify/ct/ctlogs_write.c \
	verify/ct/ctpolicy.c verify/ct/ctpolicy.h \
	verify/ct/entry.c verify/ct/entry.h \
	verify/ct/head.c verify/ct/head.h \
	verify/ct/logsign.c verify/ct/logsign.h \
	verify/ct/precert.c verify/ct/precert.h \
	verify/ct/promise.c verify/ct/promise.h verify/ct/sct.c verify/ct/sct.h \
	verify/ct/sct_status.def \
	verify/ct/tokens.c verify/ct/tokens.h \
	verify/ct/sctcheck.c verify/ct/sctcheck.h \
	verify/ct/tree.c verify/ct/tree.h
# staples and lists
libverify_a_SOURCES += \
	verify/revocation/crl.c verify/revocation/crl.h \
	verify/revocation/crlcheck.c \
	verify/revocation/crls.c verify/revocation/crls.h \
	verify/revocation/crlscope.c verify/revocation/crlscope.h \
	verify/revocation/revocation.h \
	verify/revocation/staple.c
# the texts that are compiled in
verify_texts = $(srcdir)/verify/data/ctlogs.txt $(srcdir)/verify/data/ctlogs_retired.txt $(srcdir)/verify/data/anchors.txt $(srcdir)/verify/data/disallow.txt
nodist_libverify_a_SOURCES = verify/data_text.c
verify/data_text.c: $(verify_texts) $(srcdir)/verify/data/text.awk
	$(AM_V_GEN)$(MKDIR_P) verify && LC_ALL=C $(AWK) -f $(srcdir)/verify/data/text.awk $(verify_texts) >$@.tmp && mv $@.tmp $@
EXTRA_DIST += verify/data/ctlogs.txt verify/data/ctlogs_retired.txt verify/data/anchors.txt verify/data/disallow.txt verify/data/text.awk
EXTRA_DIST += contrib/update-ct-logs contrib/update-anchor-limits contrib/anchor-limits.facts
CLEANFILES += verify/data_text.c
EXTRA_DIST += tests/data
dist_man_MANS += verify/ctstub-disallow.5
