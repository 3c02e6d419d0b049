# What a network learns to tell cells apart by: flows to their middles (diffusion), flows away from
# their borders (distance), or classes for their rims and insides (rims), at equal training.
#
#   make -f pipelines/targets.mk DATA=DIR          targets.md: the table
#   make -f pipelines/targets.mk DATA=DIR round    what is lost on the way from masks to the
#                                                  targets and back, without a network
#
# DATA/SET has train/images, train/masks, test/images, test/masks; masks number cells, but those of
# WHITE, in black and white, of which each piece is taken for a cell.  Interrupted, a run goes on
# from its checkpoint.  SEEDS=1 first gives a table early.

DATA    ?= ../shared/data
BIN     ?= build/bin
HELPER  ?= build/tests/helper
WORK    ?= build/targets
SETS    ?= usiigaci_t98g qpi_adherent deepcell_phase pfc_neurons
WHITE   ?= pfc_neurons
TARGETS ?= diffusion distance rims
SEEDS   ?= 1 2 3
STEPS   ?= 280
THREADS ?= 1

PATH  := $(abspath $(BIN)):$(abspath $(HELPER)):$(PATH)
SHELL  = /bin/bash -o pipefail

RUNS  = $(foreach seed,$(SEEDS),$(foreach set,$(SETS),$(TARGETS:%=$(set)/%/seed$(seed))))
LEARN = train -q -a unet-s:width=16 --normalize range -b 8 --crop 128 --optimizer adamw --lr 0.002 \
    --schedule cosine --warmup 5 --average 0.99 -P auto --policy strong --resume -t $(THREADS)
LEARN_diffusion = --flow-target diffusion
LEARN_distance  = --flow-target distance
LEARN_rims      = --classes 3
# What label does to flows without being told.
LABEL_rims      = -m rims --fill --min-size 15 --min-relative 0.1

# set, target and seed of WORK/SET/TARGET/seedN.
part = $(word $(1),$(subst /, ,$(2)))

all: $(WORK)/targets.md
	cat $<

# The means of each run, then over the seeds.
$(WORK)/targets.md: $(RUNS:%=$(WORK)/%.row)
	printf '| set | target | AP50 | F1 | cells true / found | DSC | processor s |\n' >$@.part
	printf '| --- | --- | --- | --- | --- | --- | --- |\n' >>$@.part
	cat $^ | awk -F'\t' 'function sd(i) { return n[k] > 1 ? sqrt((s2[k, i] - s[k, i] ^ 2 / n[k]) / (n[k] - 1)) : 0 } \
	    { k = $$1 " | " $$2; if (!n[k]++) order[++keys] = k; for (i = 3; i <= 8; i++) { s[k, i] += $$i; s2[k, i] += $$i ^ 2 } } \
	    END { for (j = 1; j <= keys; j++) { k = order[j]; m = n[k]; \
	    printf "| %s | %.3f ± %.3f | %.3f ± %.3f | %.0f / %.0f ± %.0f | %.3f ± %.3f | %.0f |\n", k, s[k, 3] / m, sd(3), \
	    s[k, 4] / m, sd(4), s[k, 5] / m, s[k, 6] / m, sd(6), s[k, 7] / m, sd(7), s[k, 8] / m } }' >>$@.part
	mv $@.part $@

# ---- masks: that number cells, and classes of them ----

MASKS = $(foreach part,train test,$(SETS:%=$(WORK)/%.$(part).masks))
masks = $(WORK)/$(1).$(2).masks

$(MASKS): $(WORK)/%.masks:
	rm -rf $@.part && mkdir -p $@.part
	label -q -f png $(if $(filter $(WHITE),$(basename $*)),,-m keep) -o $@.part/ $(DATA)/$(subst .,/,$*)/masks/*
	mv $@.part $@

$(SETS:%=$(WORK)/%.rims): $(WORK)/%.rims: | $(WORK)/%.train.masks
	rm -rf $@.part && mkdir -p $@.part
	label -q -f png -m keep --rims 2 -o $@.part/ $(WORK)/$*.train.masks/*
	mv $@.part $@

$(SETS:%=$(WORK)/%/flows.tar): $(WORK)/%/flows.tar: | $(WORK)/%.train.masks
	@mkdir -p $(@D)
	tile -q --gray -s full -m $(WORK)/$*.train.masks --mask-suffix '' $(DATA)/$*/train/images/* >$@.part
	mv $@.part $@

$(SETS:%=$(WORK)/%/classes.tar): $(WORK)/%/classes.tar: | $(WORK)/%.rims
	@mkdir -p $(@D)
	tile -q --gray -s full -m $(WORK)/$*.rims --mask-suffix '' $(DATA)/$*/train/images/* >$@.part
	mv $@.part $@

# ---- runs ----

.SECONDEXPANSION:
$(RUNS:%=$(WORK)/%.safetensors): $(WORK)/%.safetensors: \
    $(WORK)/$$(call part,1,$$*)/$$(if $$(filter rims,$$(call part,2,$$*)),classes,flows).tar
	@mkdir -p $(@D)
	TIMEFORMAT='%U %S'; { time $(LEARN) --seed $(subst seed,,$(call part,3,$*)) --steps $(STEPS) \
	    $(LEARN_$(call part,2,$*)) -o $@ $< 2>&3; } 3>&2 2>>$(WORK)/$*.seconds

$(WORK)/%.tar: $(WORK)/%.safetensors
	tile -q -s 224 -o 25% --gray $(DATA)/$(call part,1,$*)/test/images/* | \
	    predict -q -t $(THREADS) -m $< >$@.part
	mv $@.part $@

# Means over the test images.
$(WORK)/%.score: $(WORK)/%.tar | $(WORK)/$$(call part,1,$$*).test.masks
	rm -rf $(WORK)/$*.found && mkdir -p $(WORK)/$*.found
	label -q $(LABEL_$(call part,2,$*)) -o $(WORK)/$*.found/ $<
	score -q -i -s $(WORK)/$*.found $(call masks,$(call part,1,$*),test) >$@.part
	mv $@.part $@

$(WORK)/%.row: $(WORK)/%.score
	awk -F'\t' -v set='$(call part,1,$*)' -v target='$(call part,2,$*)' \
	    'NR == FNR { split($$0, t, " "); seconds += t[1] + t[2]; next } { v[$$1] = $$2 } \
	    END { printf "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", set, target, v["ap50"], v["f1"], v["n_true"], \
	    v["n_pred"], v["dsc"], seconds }' $(WORK)/$*.seconds $< >$@.part
	mv $@.part $@

# ---- there and back ----

ROUNDS = $(foreach set,$(SETS),$(TARGETS:%=$(WORK)/round/%/$(set)))

round: $(ROUNDS:%=%.row)
	printf '| set | target | AP50 | cells true / found | DSC |\n| --- | --- | --- | --- | --- |\n'
	cat $^

$(ROUNDS:%=%.row): $(WORK)/%.row: | $(WORK)/$$(notdir $$*).test.masks
	rm -rf $(WORK)/$* $(WORK)/$*.classes && mkdir -p $(WORK)/$* $(WORK)/$*.classes
	$(if $(filter rims,$(call part,2,$*)),label -q -f png -m keep --rims 2 -o $(WORK)/$*.classes/ $(call masks,$(notdir $*),test)/*; \
	    label -q $(LABEL_rims) -o $(WORK)/$*/ $(WORK)/$*.classes/*,tile -q -s full --gray \
	    -m $(call masks,$(notdir $*),test) --mask-suffix '' $(DATA)/$(notdir $*)/test/images/* | \
	    stream flows $(if $(filter diffusion,$(call part,2,$*)),1,2) | label -q -o $(WORK)/$*/)
	score -q -i -s $(WORK)/$* $(call masks,$(notdir $*),test) | awk -F'\t' '{ v[$$1] = $$2 } \
	    END { printf "| %s | %s | %.3f | %.0f / %.0f | %.4f |\n", "$(notdir $*)", "$(call part,2,$*)", \
	    v["ap50"], v["n_true"], v["n_pred"], v["dsc"] }' >$@.part
	mv $@.part $@

.PHONY: all round
# The steps before a row are kept, and not made again for a row that exists.
.SECONDARY: $(MASKS) $(SETS:%=$(WORK)/%.rims) $(SETS:%=$(WORK)/%/flows.tar) $(SETS:%=$(WORK)/%/classes.tar) \
    $(foreach kind,safetensors tar score,$(RUNS:%=$(WORK)/%.$(kind)))
