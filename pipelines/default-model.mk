# The default model, from nothing: drawn images and three public sets of real ones.
#
#   make -f pipelines/default-model.mk DATA=DIR          train: data/default.safetensors
#   make -f pipelines/default-model.mk DATA=DIR THREADS=16
#   make -f pipelines/default-model.mk DATA=DIR measure  the table of data/default-model.md
#
# DATA has usiigaci_t98g, dsb2018_nuclei and nist_stem_colony, each with
# train/images and train/masks (NAME.png or .tif, masks NAME.png); training reads
# nothing else of DATA.  Ninths of the real images, whole images each, are held out
# to watch it.  Four stages, each from the last weights of the one before: 1,800 steps on
# everything, 800 with the largest set twice and less zoom, 3,000 with twice the
# drawings, 800 with the nuclei three times.

DATA    ?= ../shared/data
BIN     ?= build/bin
WORK    ?= build/default-model
OUT     ?= data/default.safetensors
THREADS ?= 0
SETS     = usiigaci_t98g dsb2018_nuclei nist_stem_colony
# The small set five times, so that it counts.
LEARNT = $(SETS:%=$(WORK)/%.tar) $(foreach i,2 3 4 5,$(WORK)/nist_stem_colony.tar) $(WORK)/drawn.tar
SIZE_usiigaci_t98g    = 384
SIZE_dsb2018_nuclei   = 256
SIZE_nist_stem_colony = 256

PATH := $(abspath $(BIN)):$(PATH)
SHELL = /bin/bash -o pipefail

TRAIN = train -a unet-s:width=24 --optimizer adamw --schedule cosine --warmup 3 --weight-decay 0.01 \
    --average 0.995 --clip 5 --crop 192 --batch 12 --channels 1 -P auto --half --resume \
    $(if $(filter-out 0,$(THREADS)),-t $(THREADS)) --license MIT --val $(WORK)/validation.tar \
    --data "synth; train parts of usiigaci_t98g (MIT), dsb2018_nuclei (CC0), nist_stem_colony (public domain)"

$(OUT): $(WORK)/fourth.safetensors
	cp $(WORK)/fourth.last.safetensors $@

$(WORK)/first.safetensors: $(SETS:%=$(WORK)/%.tar) $(WORK)/drawn.tar $(WORK)/validation.tar
	$(TRAIN) --lr 0.002 --policy strong,zoom=2 --steps 1800 --seed 1 -o $@ $(LEARNT)

$(WORK)/second.safetensors: $(WORK)/first.safetensors
	$(TRAIN) --init $(WORK)/first.last.safetensors --lr 0.001 --policy strong,zoom=1.6 --steps 800 --seed 2 \
	    -o $@ $(WORK)/usiigaci_t98g.tar $(LEARNT)

$(WORK)/third.safetensors: $(WORK)/second.safetensors $(WORK)/drawn-more.tar
	$(TRAIN) --init $(WORK)/second.last.safetensors --lr 0.0015 --policy strong,zoom=2 --steps 3000 --seed 3 \
	    -o $@ $(WORK)/usiigaci_t98g.tar $(LEARNT) $(WORK)/drawn-more.tar

$(WORK)/fourth.safetensors: $(WORK)/third.safetensors
	$(TRAIN) --init $(WORK)/third.last.safetensors --lr 0.0008 --policy strong,zoom=1.6 --steps 800 --seed 4 \
	    -o $@ $(WORK)/usiigaci_t98g.tar $(WORK)/dsb2018_nuclei.tar $(WORK)/dsb2018_nuclei.tar \
	    $(filter-out %/usiigaci_t98g.tar,$(LEARNT)) $(WORK)/drawn-more.tar

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

$(WORK)/drawn.tar: FIRST = 1
$(WORK)/drawn-more.tar: FIRST = 11

$(WORK)/drawn.tar $(WORK)/drawn-more.tar:
	@mkdir -p $(@D)
	seed=$(FIRST); for look in mixed mixed phase brightfield; do \
	    synth -q -n 240 -s 384 -l $$look --seed $$seed --prefix drawn$$((seed++)) || exit 1; done >$@.part
	mv $@.part $@

# ---- what it is worth: each set's test part, through the whole pipe ----

MEASURED = usiigaci_t98g/test dsb2018_nuclei/test nist_stem_colony/test bbbc041seg_half/test \
    bbbc041seg_native/test itmo_brightfield/test incucyte_livecell_like/test \
    deepcell_phase/test vicar_pnt1a wbc_zheng

measure: $(foreach s,$(MEASURED),$(WORK)/measured/$(firstword $(subst /, ,$(s))).tsv)
	@printf '| set | images | DSC | IoU | HD95 |\n| --- | --- | --- | --- | --- |\n'
	@for t in $^; do awk -v s=$$(basename $$t .tsv) -F'\t' '{ m[$$1] = $$2; n[$$1] = $$4 } END { \
	    printf "| %s | %d | %.3f | %.3f | %.1f |\n", s, n["dsc"], m["dsc"], m["iou"], m["hd95"] }' $$t; done

define measured
$(WORK)/measured/$(firstword $(subst /, ,$(1))).tsv: $(OUT)
	rm -rf $$(@:.tsv=) && mkdir -p $$(@:.tsv=)
	tile -q $(DATA)/$(1)/images/* | predict -q -m $(OUT) | stitch -q -o $$(@:.tsv=)
	score -q -s $$(@:.tsv=) $(DATA)/$(1)/masks >$$@.part
	mv $$@.part $$@
endef
$(foreach s,$(MEASURED),$(eval $(call measured,$(s))))

.PHONY: measure
.SECONDARY:
