# make -f pipelines/all.mk TARGET: every table and figure of the paper, from images to pages.
#
# Every figure of a table is the record of a run,
#     $(W)/runs/SET/NETWORK/METHOD/seedN.tsv
# which pipelines/run makes; which runs a table needs is the last column of paper/table?.tsv.
#
#   SCALE=paper|code|small|whole|smoke    settings: scales/SCALE.tsv
#   SPLIT=image|tile    hold out whole images, or tiles as the paper did
#   RUNS=N              seeds 1 to N
#   DATA=DIR            the real data: DIR/nt2, DIR/bloodcell, DIR/livecell (data/sources.md)
#   STANDIN=DIR         other real images for where DATA has none (sets.tsv says which)
#   OPTIONS='...'       more options for train, which overrule those of the scale
#   SKIPS=0|1|2|3       skip connections of the R50 networks
#   HOSTS=a,b           spread the runs over machines that share this folder

SCALE ?= small
SPLIT ?= image
ifneq ($(SCALE),smoke)
DATA    ?= data/cache
STANDIN ?= $(firstword $(wildcard $(SHARED)/data ../shared/data))
endif
DEVICE  ?= cpu
THREADS ?= 1
BIN     ?= build/bin
W       ?= build/pipelines/$(SCALE)-$(SPLIT)
export SCALE SPLIT DATA STANDIN DEVICE THREADS OPTIONS SKIPS W
export PATH := $(abspath $(BIN)):$(PATH)
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c
.DELETE_ON_ERROR:
.SUFFIXES:

ifeq ($(wildcard pipelines/scales/$(SCALE).tsv),)
$(error SCALE=$(SCALE): there are $(basename $(notdir $(wildcard pipelines/scales/*.tsv))))
endif
ifndef RUNS
RUNS := $(shell SCALE=$(SCALE) pipelines/records --runs)
endif
RECORDS1 := $(shell pipelines/records $(W) $(RUNS) table1)
RECORDS2 := $(shell pipelines/records $(W) $(RUNS) table2)
RECORDS3 := $(shell pipelines/records $(W) $(RUNS) table3)
RECORDS4 := $(shell pipelines/records $(W) $(RUNS) table4)
RECORDS  := $(sort $(RECORDS1) $(RECORDS2) $(RECORDS3) $(RECORDS4))

# ---- tiles, and the runs on them ----

$(W)/data/%.train.tar $(W)/data/%.test.tar:
	pipelines/cut $*

$(W)/runs/nt2/%.tsv: $(W)/data/nt2.train.tar $(W)/data/nt2.test.tar
	@pipelines/run $@
$(W)/runs/bloodcell/%.tsv: $(W)/data/bloodcell.train.tar $(W)/data/bloodcell.test.tar
	@pipelines/run $@
$(W)/runs/livecell/%.tsv: $(W)/data/livecell.train.tar $(W)/data/livecell.test.tar
	@pipelines/run $@

.PHONY: data runs list retry
data: $(foreach set,nt2 bloodcell livecell,$(W)/data/$(set).train.tar $(W)/data/$(set).test.tar)

ifdef HOSTS
runs: data
	printf '%s\n' $(RECORDS) | parallel --sshlogin $(HOSTS) --workdir $(CURDIR) --joblog $(W)/jobs.log --resume \
	    $(MAKE) -s -f pipelines/all.mk SCALE=$(SCALE) SPLIT=$(SPLIT) RUNS=$(RUNS) DEVICE=$(DEVICE) {}
else
runs: $(RECORDS)
endif

list:
	@printf '%s\n' $(RECORDS)

# Forgets the runs that failed, and what they left, so that the next make tries them again.
retry:
	@grep -L '^# status	ok$$' $(wildcard $(W)/runs/*/*/*/seed?*.tsv) /dev/null | grep 'seed[0-9]*\.tsv$$' | \
	    while read -r record; do rm -v "$$record"; rm -f "$${record%.tsv}".{ckpt,safetensors,log.tsv,outliers.tar,err}; done || true

# ---- tables: ours beside the paper's, and a plot of each ----

.PHONY: tables table1 table2 table3 table4 architectures
table1 table2 table3 table4: %: $(W)/%.md $(W)/%.svg
	@cat $<
tables: table1 table2 table3 table4

$(W)/table1.md $(W)/table1.html $(W)/table1.tsv: $(if $(HOSTS),runs) $(RECORDS1)
$(W)/table2.md $(W)/table2.html $(W)/table2.tsv: $(if $(HOSTS),runs) $(RECORDS2)
$(W)/table3.md $(W)/table3.html $(W)/table3.tsv: $(if $(HOSTS),runs) $(RECORDS3)
$(W)/table4.md $(W)/table4.html $(W)/table4.tsv: $(if $(HOSTS),runs) $(RECORDS4)

$(W)/%.md: pipelines/paper/%.tsv
	pipelines/publish markdown $* $(filter $(W)/runs/%,$^) >$@.tmp && mv $@.tmp $@
$(W)/%.html: pipelines/paper/%.tsv
	pipelines/publish html $* $(filter $(W)/runs/%,$^) >$@.tmp && mv $@.tmp $@
$(W)/%.tsv: pipelines/paper/%.tsv
	pipelines/publish tsv $* $(filter $(W)/runs/%,$^) >$@.tmp && mv $@.tmp $@
$(W)/%.svg: $(W)/%.tsv
	pipelines/plot $<

# What each architecture reaches in the time of TransUNet, plain and with outliers.
architectures: $(W)/architectures.md
	@cat $<
$(W)/architectures.md: $(RECORDS)
	pipelines/against transunet-r50-b16 $^ >$@.tmp && mv $@.tmp $@

# ---- figures and the page with everything ----

# Figure 3: what outliers make of the network's answer in training.  Figures 4 and 5: whole
# images with the masks of several methods.
FIGURE_RUNS  = nt2/cellpose-cyto3/plain nt2/toposeg-r50-b16/plain nt2/transunet-r50-b16/plain nt2/transunet-r50-b16/pareto
FIGURE3_RUN  = $(W)/runs/nt2/transunet-r50-b16/pareto/seed1.tsv
FIGURE3      = $(W)/figures/figure3/nt2-transunet-r50-b16-pareto.png
FIGURE4      = $(W)/figures/figure4.done
FIGURE5      = $(W)/figures/figure5.done

.PHONY: figures figure3 figure4 figure5 report
figure3: $(FIGURE3)
	@echo $<
figure4 figure5: %: $(W)/figures/%.done
	@cat $<
figures: figure3 figure4 figure5

$(FIGURE3): $(FIGURE3_RUN)
	pipelines/figure3 $< $@
$(W)/figures/%.done: $(FIGURE_RUNS:%=$(W)/runs/%/seed1.tsv)
	@mkdir -p $(@D)
	pipelines/figure $* $^ >$@.tmp && mv $@.tmp $@

report: $(W)/report.html
	@echo $(CURDIR)/$<
$(W)/report.html: $(W)/table1.html $(W)/table2.html $(W)/table3.html $(W)/table4.html \
    $(W)/table1.svg $(W)/table2.svg $(W)/table3.svg $(W)/table4.svg $(FIGURE3) $(FIGURE4) $(FIGURE5)
	pipelines/report $(W) >$@.tmp && mv $@.tmp $@
