# make -f pipelines/all.mk TARGET: every table and figure of the paper (see rules.mk).
include pipelines/rules.mk
include pipelines/table1.mk pipelines/table2.mk pipelines/table3.mk pipelines/table4.mk
include pipelines/figures.mk

.PHONY: tables report
tables: $(TABLES)

# What each architecture reaches in the time of TransUNet, plain and with outliers.
.PHONY: architectures
architectures: $(W)/architectures.md
	@cat $<
$(W)/architectures.md: $(call records,$(ALL_RUNS))
	pipelines/against transunet-r50-b16 $^ >$@.tmp && mv $@.tmp $@

# One page with everything in it.
report: $(W)/report.html
$(W)/report.html: $(TABLES:%=$(W)/%.html) $(TABLES:%=$(W)/%.svg) $(FIGURES)
	pipelines/report '$(NOTE_SCALE)' $(W) $(FIGURES) >$@.tmp && mv $@.tmp $@
