# TransUNet R50-B16, narrow, that learns flows beside its classes, with virtual outliers and
# without: what the outliers do for single cells.  A row a run, three seeds of each.
#
#   make -f pipelines/flows.mk DATA=DIR           flows.md: the table
#   make -f pipelines/flows.mk DATA=DIR SETS='usiigaci_t98g qpi_adherent'
#
# DATA/SET has train/images, train/masks, test/images, test/masks; masks number cells.  STEPS are
# what the processor seconds of budget.mk (840) hold on an AMD EPYC of Zen 4; on one of Zen 5 2,700.
# Interrupted, a run goes on from its checkpoint.

DATA    ?= ../shared/data
BIN     ?= build/bin
WORK    ?= build/flows
SETS    ?= usiigaci_t98g
SEEDS   ?= 1 2 3
STEPS   ?= 1550
THREADS ?= 1

PATH  := $(abspath $(BIN)):$(PATH)
SHELL  = /bin/bash -o pipefail

WAYS  = plain outliers
RUNS  = $(foreach set,$(SETS),$(foreach seed,$(SEEDS),$(foreach way,$(WAYS),$(set)/$(way)/seed$(seed))))
OPTIONS_outliers = --vos --vos-start 75% --vos-sample 16000 --vos-select 1600
LEARN = train -q -a transunet-r50-b16:size=128,heads=4,hidden=192,decoder=256,depth=4,skips=3,width=32 \
    --flows --normalize range -b 8 --crop 128 --optimizer adamw --lr 0.001 --schedule cosine --warmup 5 \
    --weight-decay 0.01 --clip 5 --average 0.99 -P auto --policy strong --resume -t $(THREADS)

# set, way and seed of WORK/SET/WAY/seedN.
part = $(word $(1),$(subst /, ,$(2)))

all: $(WORK)/flows.md
	cat $<

$(WORK)/flows.md: $(RUNS:%=$(WORK)/%.row)
	printf '| set | seed | outliers | AP50 | F1 | cells true / found | DSC | processor s |\n' >$@.part
	printf '| --- | --- | --- | --- | --- | --- | --- | --- |\n' >>$@.part
	cat $^ >>$@.part
	mv $@.part $@

$(SETS:%=$(WORK)/%.tar): $(WORK)/%.tar:
	@mkdir -p $(@D)
	tile -q --gray -s 384 -o 0 -m $(DATA)/$*/train/masks --mask-suffix '' $(DATA)/$*/train/images/* >$@.part
	mv $@.part $@

.SECONDEXPANSION:
$(RUNS:%=$(WORK)/%.safetensors): $(WORK)/%.safetensors: $(WORK)/$$(call part,1,$$*).tar
	@mkdir -p $(@D)
	TIMEFORMAT='%U %S'; { time $(LEARN) --seed $(subst seed,,$(call part,3,$*)) --steps $(STEPS) \
	    $(OPTIONS_$(call part,2,$*)) -o $@ $< 2>&3; } 3>&2 2>>$(WORK)/$*.seconds

# Means over the test images.
$(WORK)/%.score: $(WORK)/%.safetensors
	rm -rf $(WORK)/$*.found && mkdir -p $(WORK)/$*.found
	tile -q -s 128 -o 25% --gray $(DATA)/$(call part,1,$*)/test/images/* | predict -q -t $(THREADS) -m $< | \
	    label -q -o $(WORK)/$*.found/
	score -q -i -s $(WORK)/$*.found $(DATA)/$(call part,1,$*)/test/masks >$@.part
	mv $@.part $@

$(WORK)/%.row: $(WORK)/%.score
	awk -F'\t' -v set='$(call part,1,$*)' -v seed='$(subst seed,,$(call part,3,$*))' \
	    -v way='$(if $(filter plain,$(call part,2,$*)),without,with)' \
	    'NR == FNR { split($$0, t, " "); seconds += t[1] + t[2]; next } { v[$$1] = $$2 } \
	    END { printf "| %s | %s | %s | %.3f | %.3f | %.0f / %.0f | %.3f | %.0f |\n", set, seed, way, \
	    v["ap50"], v["f1"], v["n_true"], v["n_pred"], v["dsc"], seconds }' $(WORK)/$*.seconds $< >$@.part
	mv $@.part $@

.PHONY: all
# The steps before a row are kept, and not made again for a row that exists.
.SECONDARY: $(SETS:%=$(WORK)/%.tar) $(foreach kind,safetensors score,$(RUNS:%=$(WORK)/%.$(kind)))
