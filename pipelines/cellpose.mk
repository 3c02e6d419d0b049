# Cellpose trained from nothing on drawn and real nuclei; measured on held-out images.
#
#   make -f pipelines/cellpose.mk DATA=DIR             build/cellpose/table.tsv
#   make -f pipelines/cellpose.mk DATA=DIR THREADS=2
#
# DATA has dsb2018_nuclei with train and test, each with images and masks that number
# the nuclei (BBBC038, CC0).  Training reads its train part and drawn images alone; the
# diameter of each held-out image is the size model's, learned from the same.

DATA    ?= ../shared/data
BIN     ?= build/bin
WORK    ?= build/cellpose
STEPS   ?= 1200
SEED    ?= 1
THREADS ?= 1
REAL     = $(DATA)/dsb2018_nuclei
SETS     = drawn real

PATH  := $(abspath $(BIN)):$(PATH)
SHELL  = /bin/bash -o pipefail
TILE   = tile -q --gray --normalize percentile -s full --mask-suffix ''

.PHONY: all
all: $(WORK)/table.tsv
	@cat $<

# ---- images ----

# Nuclei of three sizes: 20 images of each to learn from, 4 to measure on.
$(WORK)/drawn:
	@mkdir -p $@.part
	for r in 6 9 14; do \
	    synth -q -n 20 -s 256 -l fluorescence --contrast 2 --radius $$r --instances --seed $$r \
	        --prefix s$$r -o $@.part/train && \
	    synth -q -n 4 -s 256 -l fluorescence --contrast 2 --radius $$r --instances --seed 10$$r \
	        --prefix t$$r -o $@.part/test || exit 1; done
	mv $@.part $@

FOLDER_drawn = $(WORK)/drawn
FOLDER_real  = $(REAL)

$(WORK)/drawn.%.tar: $(WORK)/drawn
	$(TILE) -m $</$*/masks $</$*/images/* >$@.part && mv $@.part $@

$(WORK)/real.%.tar:
	@mkdir -p $(@D)
	$(TILE) -m $(REAL)/$*/masks $(REAL)/$*/images/* >$@.part && mv $@.part $@

# ---- the network ----

# 1.7 million parameters.  Nuclei are scaled to 17 pixels, as for Cellpose's own nuclei
# model; real images count twice.
$(WORK)/weights.safetensors: $(WORK)/real.train.tar $(WORK)/drawn.train.tar
	train -q -a cellpose:width=16 -b 8 --crop 112 --diameter 17 --size-model -P auto -t $(THREADS) \
	    --optimizer adamw --lr 0.003 --schedule cosine --warmup 5 --weight-decay 0.01 --clip 5 --average 0.99 \
	    -p paper,border=reflect,zoom=1.3,light=0.5,brightness=0.1,contrast=0.3,gamma=0.3,noise=0.02 \
	    --steps $(STEPS) --seed $(SEED) --resume -o $@ \
	    --data "synth; train part of dsb2018_nuclei (CC0)" --license MIT \
	    $(WORK)/real.train.tar $(WORK)/real.train.tar $(WORK)/drawn.train.tar

# ---- what it is worth ----

$(WORK)/%.score: $(WORK)/weights.safetensors $(WORK)/%.test.tar
	rm -rf $(WORK)/$*.labels && mkdir -p $(WORK)/$*.labels
	predict -q -m $< -t $(THREADS) $(WORK)/$*.test.tar | label -q -m flows -o $(WORK)/$*.labels
	score -q -i -s $(WORK)/$*.labels $(FOLDER_$*)/test/masks >$@.part
	mv $@.part $@

$(WORK)/table.tsv: $(SETS:%=$(WORK)/%.score)
	printf 'set\timages\tap50\tap75\tap90\tdsc\tpq\n' >$@.part
	for s in $(SETS); do awk -v s=$$s -F'\t' '{ v[$$1] = $$2; n[$$1] = $$4 } \
	    END { printf "%s\t%d\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\n", s, n["dsc"], v["ap50"], v["ap75"], v["ap90"], v["dsc"], v["pq"] }' \
	    $(WORK)/$$s.score; done >>$@.part
	mv $@.part $@

.DELETE_ON_ERROR:
# The steps before a score are kept, and not made again for a score that exists.
.SECONDARY: $(WORK)/drawn $(WORK)/weights.safetensors $(foreach part,train test,$(SETS:%=$(WORK)/%.$(part).tar))
