# What virtual outliers are worth: plain training, each objective with outliers, and each
# with the same losses without them, on several sets and networks (study/settings.tsv).
#
#   make -f pipelines/study.mk -j2 DATA=DIR            the runs that do not exist yet
#   make -f pipelines/study.mk DATA=DIR SETS=incucyte_livecell_like NETWORKS=unet-s
#   make -f pipelines/study.mk page                    study/README.md and its plots anew
#
# Runs that exist stand in study/runs.tsv, a row each, and are not made again; what is made
# here is added to it.  A run that is interrupted goes on where it was.

DATA     ?= ../shared/data
BIN      ?= build/bin
WORK     ?= build/study
SETS     ?= usiigaci_t98g itmo_brightfield pfc_neurons incucyte_livecell_like
NETWORKS ?= unet-s transunet-r50-b16
METHODS  ?= plain balance norm-control norm pareto-control pareto mgda-control mgda
SEEDS    ?= 1 2 3
RUNS      = pipelines/study/runs.tsv

export DATA WORK
export PATH := $(abspath $(BIN)):$(PATH)
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c
.DELETE_ON_ERROR:
.PHONY: runs page list

# WORK/rows/SET/NETWORK/METHOD/SEED.tsv of each run that is not in runs.tsv.
MISSING := $(shell pipelines/study/missing $(RUNS) '$(SETS)' '$(NETWORKS)' '$(METHODS)' '$(SEEDS)')
ROWS    := $(MISSING:%=$(WORK)/rows/%.tsv)

runs: $(ROWS)
	{ pipelines/study/run --header; { tail -q -n +2 $(RUNS); cat $(ROWS) /dev/null; } | sort -u; } >$(RUNS).tmp
	mv $(RUNS).tmp $(RUNS)

list:
	@printf '%s\n' $(MISSING)

$(WORK)/rows/%.tsv:
	@mkdir -p $(@D)
	pipelines/study/run $(subst /, ,$*) >$@.tmp && mv $@.tmp $@

page:
	pipelines/study/page $(RUNS) pipelines/study
