# The default model: single cells by flows, in gray images of many kinds.
#
#   make -f pipelines/default-model.mk DATA=DIR            train: data/default.safetensors
#   make -f pipelines/default-model.mk DATA=DIR measure    the table of data/default-model.md
#   make -f pipelines/default-model.mk DATA=DIR sheet      pictures of good and bad ones, in data/cells
#   make -f pipelines/default-model.mk DATA=DIR leave      what it is worth on a kind it never saw
#
# DATA has the sets below, each with train/images and train/masks (NAME.png or .tif, masks
# NAME.png); training reads nothing else of DATA.  A tenth of the images of each is left out.
# Training starts from START, by default the weights shipped now (what those have behind them:
# data/default-model.md); interrupted, it goes on from its checkpoint when make is run again.
# The result is the mean of the weights before and after, which finds more on kinds that were
# never seen than either.  To train for longer, raise STEPS, or keep the result as START.
# With PASTE=N every other time that a set is shown has up to N more of its cells pasted into each
# tile (augment --cells); the weights shipped now were made without.

DATA    ?= ../shared/data
BIN     ?= build/bin
WORK    ?= build/default-model
OUT     ?= data/default.safetensors
START   ?= $(WORK)/start.safetensors
THREADS ?= 0
STEPS   ?= 6415
PASTE   ?= 0
PYTHON  ?= python3

SETS = usiigaci_t98g dsb2018_nuclei dsb2018_more bbbc039_u2os qpi_adherent qpi_adherent_b \
    sbsst265_neuroblastoma cervical_lbc nist_stem_colony pfc_neurons
SIZE = $(or $(SIZE_$(1)),256)
SIZE_usiigaci_t98g          = 512
SIZE_sbsst265_neuroblastoma = 512
SIZE_qpi_adherent           = 400
SIZE_qpi_adherent_b         = 400
SIZE_pfc_neurons            = 480
SIZE_cervical_lbc           = 320
SIZE_bbbc039_u2os           = 384

DRAWN = drawn sheets kinds

# Sets whose masks number cells, which can be pasted.
NUMBERED = $(filter-out nist_stem_colony pfc_neurons,$(SETS))
pasted = $(if $(and $(filter-out 0,$(PASTE)),$(filter $(NUMBERED),$(2)),$(filter 2 4 6 8 10,$(1))),.pasted)

# Small sets several times, so that each counts.
times  = $(foreach i,$(1),$(WORK)/$(2)$(call pasted,$(i),$(2)).tar)
LEARNED = $(call times,1 2 3 4,usiigaci_t98g) $(call times,1 2 3,dsb2018_nuclei) $(call times,1,dsb2018_more) \
    $(call times,1 2,bbbc039_u2os) $(call times,1 2 3 4 5 6 7 8,qpi_adherent) \
    $(call times,1 2 3 4 5 6 7 8 9 10,qpi_adherent_b) $(call times,1 2,sbsst265_neuroblastoma) \
    $(call times,1 2,cervical_lbc) $(call times,1 2 3 4 5 6 7 8,nist_stem_colony) \
    $(call times,1 2 3 4,pfc_neurons) $(call times,1,drawn) $(call times,1 2 3,sheets) \
    $(call times,1 2,kinds)

PATH := $(abspath $(BIN)):$(PATH)
SHELL = /bin/bash -o pipefail

LEARN = train -a unet-s:width=24,norm=0 --flows --normalize range --optimizer adamw --schedule cosine \
    --weight-decay 0.01 --clip 5 --crop 224 --batch 8 --channels 1 --half --resume \
    $(if $(filter-out 0,$(THREADS)),-t $(THREADS)) --lr 0.0015 --warmup 2 --average 0.99 \
    --policy strong,zoom=2.5,invert=0.2 -P auto

$(OUT): $(WORK)/trained.safetensors
	weights convert --mean $(START) --set rescale=auto $< $@

$(WORK)/trained.safetensors: $(START) $(sort $(LEARNED))
	$(LEARN) --init $(START) --steps $(STEPS) --seed 12 --license "MIT; credits in data/default-model.md" \
	    --data "synth; train parts of $(SETS)" -o $@ $(LEARNED)

# What is shipped now, so that a new run of make goes on from it.
$(WORK)/start.safetensors:
	@mkdir -p $(@D)
	cp data/default.safetensors $@

# Tiles of a set, a tenth of its source images left out.
$(WORK)/%.tar:
	@mkdir -p $(@D)
	tile -q -s $(call SIZE,$*) -o 20% -m $(DATA)/$*/train/masks --mask-suffix '' \
	    $(DATA)/$*/train/images/* | holdout -q --train -f 0.1 --seed 1 >$@.part
	mv $@.part $@

$(WORK)/%.pasted.tar: $(WORK)/%.tar
	augment -q -p none --cells $< --paste $(PASTE) -o $@ $<

# N drawn images of each look, from a seed on: files first, since tile notes their range.
draw = mkdir -p $(@:.tar=) && seed=$(2); for look in $(3); do \
    synth -q -n $(1) -s 384 -l $$look --instances --seed $$seed --prefix drawn$$((seed++ - 20)) \
        -o $(@:.tar=)/ || exit 1; done && \
    tile -q -s full -m $(@:.tar=)/masks --mask-suffix '' $(@:.tar=)/images/* >$@.part && mv $@.part $@

$(WORK)/drawn.tar:
	$(call draw,60,21,mixed fluorescence phase brightfield blood)

# Sheets of cells that touch.
$(WORK)/sheets.tar:
	$(call draw,120,26,monolayer)

# Kinds that no set has.
$(WORK)/kinds.tar:
	$(call draw,40,27,bacteria yeast cytoplasm tissue smear)

# ---- what it is worth: each set's test part, through the whole pipe ----

measure:
	DATA=$(DATA) MODEL=$(OUT) $(PYTHON) tests/bench/cells.py

sheet:
	MODEL=$(OUT) pipelines/sheet $(DATA) data/cells

# ---- a kind left out: trained from nothing, for less long, with and without it ----

LEAVE_STEPS ?= 700
LEFT_usiigaci = usiigaci_t98g
LEFT_qpi      = qpi_adherent qpi_adherent_b
LEFT_pfc      = pfc_neurons
LEFT          = usiigaci qpi pfc
tars          = $(foreach kind,tar pasted.tar,$(LEFT_$(1):%=$(WORK)/%.$(kind)))

leave: $(LEFT:%=$(WORK)/without-%.md)
	cat $^

$(WORK)/without-%.safetensors: $(sort $(LEARNED))
	$(LEARN) --steps $(LEAVE_STEPS) --seed 9 -o $@ $(filter-out $(call tars,$*),$(LEARNED))

$(WORK)/without-%.md: $(WORK)/without-nothing.safetensors $(WORK)/without-%.safetensors
	for model in $^; do echo "$$(basename $$model)" && \
	    DATA=$(DATA) MODEL=$$model $(PYTHON) tests/bench/cells.py $(LEFT_$*) || exit 1; done >$@.part
	mv $@.part $@

.PHONY: measure sheet leave
.SECONDARY: $(SETS:%=$(WORK)/%.tar) $(LEFT:%=$(WORK)/without-%.safetensors)
