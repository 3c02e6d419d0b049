# The default model, from nothing: drawn images and three public sets of real ones.
#
#   make -f pipelines/default-model.mk DATA=DIR          DIR: the real images, see below
#   make -f pipelines/default-model.mk DATA=DIR STEPS=4000 THREADS=16
#
# DATA has usiigaci_t98g, dsb2018_nuclei and nist_stem_colony, each with
# train/images and train/masks (NAME.png or .tif, masks NAME.png); nothing else of
# DATA is read.  Ninths of the real images, whole images each, are held out to
# choose the best weights.  data/default-model.md says what came out.

DATA    ?= ../shared/data
BIN     ?= build/bin
WORK    ?= build/default-model
OUT     ?= data/default.safetensors
STEPS   ?= 1800
THREADS ?= 0
SETS     = usiigaci_t98g dsb2018_nuclei nist_stem_colony
# The small set five times, so that it counts.
LEARNT = $(SETS:%=$(WORK)/%.tar) $(foreach i,2 3 4 5,$(WORK)/nist_stem_colony.tar) $(WORK)/drawn.tar
SIZE_usiigaci_t98g    = 384
SIZE_dsb2018_nuclei   = 256
SIZE_nist_stem_colony = 256

PATH := $(abspath $(BIN)):$(PATH)
SHELL = /bin/bash -o pipefail

$(OUT): $(WORK)/default.safetensors
	cp $< $@

$(WORK)/default.safetensors: $(SETS:%=$(WORK)/%.tar) $(WORK)/drawn.tar $(WORK)/validation.tar
	train -a unet-s:width=24 --optimizer adamw --lr 0.002 --schedule cosine --warmup 3 \
	    --weight-decay 0.01 --average 0.995 --clip 5 --crop 192 --batch 12 \
	    --policy strong,zoom=2 --channels 1 --steps $(STEPS) --seed 1 -P bf16 \
	    $(if $(filter-out 0,$(THREADS)),-t $(THREADS)) --half --resume \
	    --data "synth; train parts of usiigaci_t98g (MIT), dsb2018_nuclei (CC0), nist_stem_colony (public domain)" \
	    --licence "MIT" --val $(WORK)/validation.tar -o $@ $(LEARNT)

# Tiles of a set, and the part of them that is held out by source image.
$(WORK)/%.all.tar:
	@mkdir -p $(@D)
	tile -q -s $(SIZE_$*) -o 25% -m $(DATA)/$*/train/masks --mask-suffix '' $(DATA)/$*/train/images/* >$@.part
	mv $@.part $@

$(WORK)/%.tar: $(WORK)/%.all.tar
	holdout -q --train -f 0.11 --seed 1 $< >$@.part
	mv $@.part $@

$(WORK)/validation.tar: $(SETS:%=$(WORK)/%.all.tar)
	for set in $^; do holdout -q --test -f 0.11 --seed 1 $$set || exit 1; done >$@.part
	mv $@.part $@

$(WORK)/drawn.tar:
	@mkdir -p $(@D)
	for look in mixed mixed phase brightfield; do \
	    synth -q -n 240 -s 384 -l $$look --seed $$((++seed)) --prefix drawn$$seed || exit 1; done >$@.part
	mv $@.part $@

.SECONDARY:
