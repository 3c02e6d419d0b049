# unet-s from nothing on one set at a time, within what a plain U-Net gets in seven
# minutes on two cores; measured on each set's test part.
#
#   make -f pipelines/budget.mk DATA=DIR            all four: build/budget/table.tsv
#   make -f pipelines/budget.mk DATA=DIR SETS=bbbc041seg_half
#
# SET.seconds are the processor seconds of a training: 840 are seven minutes on two cores.

DATA    ?= ../shared/data
BIN     ?= build/bin
WORK    ?= build/budget
SETS    ?= itmo_brightfield usiigaci_t98g bbbc041seg_half incucyte_livecell_like
STEPS   ?= 1600
THREADS ?= 1
SEED    ?= 1

PATH  := $(abspath $(BIN)):$(PATH)
SHELL  = /bin/bash -o pipefail
TILES  = tile -q --gray -o 0 --mask-suffix ''

$(WORK)/table.tsv: $(SETS:%=$(WORK)/%.score)
	printf 'set\tdsc\tiou\thd95\tcpu_seconds\n' >$@.part
	for s in $(SETS); do awk -v s=$$s -v c="$$(cat $(WORK)/$$s.seconds)" -F'\t' \
	    '{ v[$$1] = $$2 } END { printf "%s\t%.4f\t%.4f\t%.2f\t%s\n", s, v["dsc"], v["iou"], v["hd95"], c }' \
	    $(WORK)/$$s.score; done >>$@.part
	mv $@.part $@

$(WORK)/%.tar:
	@mkdir -p $(@D)
	$(TILES) -s 384 -m $(DATA)/$*/train/masks $(DATA)/$*/train/images/* >$@.part
	mv $@.part $@

# Every sample of every epoch is another window of its tile.
$(WORK)/%.safetensors: $(WORK)/%.tar
	TIMEFORMAT='%U %S'; { time train -q -a unet-s:width=16 -b 8 --crop 192 --repeat 4 --steps $(STEPS) \
	    --optimizer adamw --lr 0.003 --schedule cosine --warmup 5 --weight-decay 0.01 --clip 5 \
	    --average 0.995 -P auto -t $(THREADS) --seed $(SEED) \
	    --policy paper,border=reflect,zoom=1.2,light=0.5,brightness=0.1,contrast=0.2,gamma=0.2,noise=0.02 \
	    -o $@ $<; } 2>$(WORK)/$*.time
	awk '{ print $$1 + $$2 }' $(WORK)/$*.time >$(WORK)/$*.seconds

$(WORK)/%.score: $(WORK)/%.safetensors
	rm -rf $(WORK)/$* && mkdir -p $(WORK)/$*
	tile -q --gray $(DATA)/$*/test/images/* | predict -q -m $< | stitch -q -o $(WORK)/$*
	score -q -s $(WORK)/$* $(DATA)/$*/test/masks >$@.part
	mv $@.part $@

# The steps before a score are kept, and not made again for a score that exists.
.SECONDARY: $(foreach kind,tar safetensors,$(SETS:%=$(WORK)/%.$(kind)))
