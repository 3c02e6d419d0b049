# From images to the records that tables are made of.  A record is the file
#     $(W)/runs/SET/ARCHITECTURE/METHOD/seedN.tsv
# and the rule that makes it, `run` below, is all there is to a number.
#
#   SCALE=paper|small|smoke   settings of scale-*.mk
#   SPLIT=image|tile          hold out whole images, or tiles as the paper did
#   RUNS=N                    seeds 1 to N
#   DATA=DIR                  the real data: DIR/nt2, DIR/bloodcell, DIR/livecell (data/README.md)
#   STANDIN=DIR               other real images for where DATA has none
#   HOSTS=a,b                 spread the runs over machines that share this folder

SCALE   ?= small
SPLIT   ?= image
DATA    ?= data/cache
STANDIN ?= $(firstword $(wildcard $(SHARED)/data ../shared/data))
DEVICE  ?= cpu
THREADS ?= 1

include pipelines/scale-$(SCALE).mk
RUNS ?= 3
W    := build/pipelines/$(SCALE)-$(SPLIT)
BIN  ?= build/bin
export PATH := $(abspath $(BIN)):$(PATH)
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c
.DELETE_ON_ERROR:
.SECONDARY:

# ---- data sets: the real one, else its stand-in, else drawn images ----

SETS                = nt2 bloodcell livecell
STANDIN_nt2        ?= itmo_brightfield
STANDIN_bloodcell  ?= bbbc041seg_half
STANDIN_livecell   ?= incucyte_livecell_like
LOOK_nt2            = brightfield
LOOK_bloodcell      = blood
LOOK_livecell       = phase
real     = $(patsubst %/.,%,$(wildcard $(DATA)/$(1)/.))
stand_in = $(if $(STANDIN),$(patsubst %/.,%,$(wildcard $(STANDIN)/$(STANDIN_$(1))/.)))
drawn    = $(W)/drawn/$(1)
folder   = $(if $(DRAWN),$(drawn),$(firstword $(call real,$(1)) $(call stand_in,$(1)) $(drawn)))
came_from = $(if $(filter $(drawn),$(folder)),drawn images,$(if \
           $(call real,$(1)),the real data,$(STANDIN_$(1)) as a stand-in))

$(W)/drawn/%:
	@mkdir -p $@.tmp
	synth -q -n $(DRAWN_TRAIN) -s $(DRAWN_SIZE) -l $(LOOK_$*) --instances --seed 1 --prefix train -o $@.tmp/train
	synth -q -n $(DRAWN_TEST) -s $(DRAWN_SIZE) -l $(LOOK_$*) --instances --seed 2 --prefix test -o $@.tmp/test
	mv $@.tmp $@

# Tiles without any cell are left out of both parts, as in section 4.2.  A data set
# with a train and a test folder keeps that split; SPLIT=tile divides the tiles of
# its train folder.  One without is divided by SPLIT.
cut      = tile -q $(TILES_$(1)) -m $(2)/masks $(2)/images/* | prune
has_test = $(if $(filter $(drawn),$(folder)),yes,$(wildcard $(call folder,$(1))/test))
all_of   = $(call folder,$(1))$(if $(call has_test,$(1)),/train)
hold_out = holdout --seed 1 -f 0.2 $(if $(filter tile,$(SPLIT)),--by tile --allow-leakage)
by_image = $(and $(filter image,$(SPLIT)),$(call has_test,$(1)))

define data_rules
$(W)/data/$(1).all.tar: $(call folder,$(1))
	@mkdir -p $$(@D)
	$(call cut,$(1),$(call all_of,$(1))) >$$@.tmp && mv $$@.tmp $$@
$(W)/data/$(1).train.tar: $(W)/data/$(1).all.tar
	$(if $(by_image),ln -f $$< $$@,$(hold_out) --train -o $$@ $$<)
$(W)/data/$(1).test.tar: $(W)/data/$(1).all.tar
	$(if $(by_image),$(call cut,$(1),$(call folder,$(1))/test) >$$@.tmp && mv $$@.tmp $$@,$(hold_out) --test -o $$@ $$<)
endef
$(foreach s,$(SETS),$(eval $(call data_rules,$(s))))

# ---- methods: the plain network, or outliers with one of the losses ----

OUTLIERS        = --vos --vos-start $(VOS_START) --vos-sample $(VOS_SAMPLE) --vos-select $(VOS_SELECT)
METHOD_plain    =
METHOD_balance  = $(OUTLIERS) --loss balance
METHOD_norm     = $(OUTLIERS) --loss norm
METHOD_pareto   = $(OUTLIERS) --loss pareto

# ---- runs ----

# The run with outliers that figure 3 shows.
FIGURE3_RUN = nt2/transunet-r50-b16/pareto

# A table names the runs it needs in its last column.
last_column = awk -F'\t' '!/^\#/ && c { print $$c } !/^\#/ && !c { for (i = 1; i <= NF; i++) if ($$i == "run") c = i }'
TABLES   := table1 table2 table3 table4
$(foreach t,$(TABLES),$(eval RUNS_OF_$(t) := $(shell $(last_column) pipelines/paper/$(t).tsv)))
runs_of   = $(RUNS_OF_$(1))
ALL_RUNS := $(sort $(foreach t,$(TABLES),$(call runs_of,$(t))))
SEEDS    := $(shell seq $(RUNS))
records  = $(foreach r,$(sort $(1)),$(foreach s,$(SEEDS),$(W)/runs/$(r)/seed$(s).tsv))

# $(call run,SET,ARCHITECTURE,METHOD,SEED)
define run
$(W)/runs/$(1)/$(2)/$(3)/seed$(4).tsv: $(W)/data/$(1).train.tar $(W)/data/$(1).test.tar
	@mkdir -p $$(@D)
	pipelines/attempt $$@ $(1)/$(2)/$(3) $(4) $(DEVICE) ' \
	    train -q -a $(ARCH_$(2)) $(METHOD_$(3)) $(TRAIN) $(TRAIN_$(2)) --seed $(4) -d $(DEVICE) -t $(THREADS) \
	        $(if $(filter $(FIGURE3_RUN),$(1)/$(2)/$(3)),--vos-stream $$(@:.tsv=.outliers.tar)) \
	        --resume --log $$(@:.tsv=.log.tsv) -o $$(@:.tsv=.safetensors) $$(word 1,$$^) && \
	    predict -q -m $$(@:.tsv=.safetensors) -d $(DEVICE) -t $(THREADS) $$(word 2,$$^) | \
	    score -q -c released --by tile -s'
endef
parts = $(word $(2),$(subst /, ,$(1)))
$(foreach r,$(ALL_RUNS),$(foreach s,$(SEEDS),$(eval $(call run,$(call parts,$(r),1),$(call parts,$(r),2),$(call parts,$(r),3),$(s)))))

.PHONY: runs list retry data
data: $(foreach s,$(SETS),$(W)/data/$(s).train.tar $(W)/data/$(s).test.tar)

ifdef HOSTS
runs: data
	$(MAKE) -s -f pipelines/all.mk list | parallel --sshlogin $(HOSTS) --workdir $(CURDIR) \
	    --joblog $(W)/jobs.log --resume \
	    $(MAKE) -s -f pipelines/all.mk SCALE=$(SCALE) SPLIT=$(SPLIT) RUNS=$(RUNS) {}
else
runs: $(call records,$(ALL_RUNS))
endif

list:
	@printf '%s\n' $(call records,$(ALL_RUNS))

# Forgets the runs that failed, and what they left, so that the next make tries them again.
retry:
	@grep -L '^# status	ok$$' $(wildcard $(W)/runs/*/*/*/seed?*.tsv) /dev/null | grep 'seed[0-9]*\.tsv$$' | \
	    while read -r record; do rm -v "$$record"; rm -f "$${record%.tsv}".{ckpt,safetensors,log.tsv,outliers.tar,err}; done || true

# ---- tables ----

NOTE_SPLIT_image = Split by image: no tile of a test image was trained on.
NOTE_SPLIT_tile  = Split by tile, as in the paper: tiles of one image are in both parts, so figures are too high.
NOTE_SPLIT       = $(NOTE_SPLIT_$(SPLIT))
sets_of          = $(sort $(foreach r,$(call runs_of,$(1)),$(call parts,$(r),1)))
NOTE_DATA        = Data: $(foreach s,$(call sets_of,$(1)),$(s): $(call came_from,$(s)).)
NOTE_SCORE       = Scores by the rules of the published code: tile by tile, and HD95 0 where prediction or truth is empty.
notes            = -n '$(NOTE_SCALE)' -n '$(call NOTE_DATA,$(1))' -n '$(NOTE_SPLIT)' -n '$(NOTE_SCORE)' $(NOTES_$(1))

define table_rules
.PHONY: $(1)
$(1): $(W)/$(1).md $(W)/$(1).svg
	@cat $$<
$(W)/$(1).%: pipelines/paper/$(1).tsv $(if $(HOSTS),runs) $(call records,$(call runs_of,$(1)))
	table -f $$(FORMAT_$$*) -t '$(TITLE_$(1))' $(call notes,$(1)) $$(filter-out runs,$$^) >$$@.tmp && mv $$@.tmp $$@
$(W)/$(1).svg: $(W)/$(1).tsv
	gnuplot -e "table='$$<'; plot_title='$(TITLE_$(1))'" pipelines/bars.gp >$$@.tmp && mv $$@.tmp $$@
endef
FORMAT_md   = markdown
FORMAT_html = html
FORMAT_tsv  = tsv
