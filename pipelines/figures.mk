# Figure 3: patches of NT2 in training, their masks, and what outliers made of the
# network's answer.  Figures 4 and 5: a whole test image of NT2 with the masks of
# several methods, and where they are right and wrong, with parts enlarged (FIGURE_INSETS).

FIGURE_RUNS = nt2/cellpose-cyto3/plain nt2/toposeg-r50-b16/plain nt2/transunet-r50-b16/plain \
              nt2/transunet-r50-b16/pareto
FIGURE3     = $(W)/figures/figure3/$(subst /,-,$(FIGURE3_RUN)).png
FIGURES     = $(FIGURE3) $(foreach f,figure4 figure5,$(foreach r,$(FIGURE_RUNS),$(W)/figures/$(f)/$(subst /,-,$(r)).png))

test_folder  = $(call folder,nt2)$(if $(call has_test,nt2),/test)
figure_image = $(firstword $(sort $(wildcard $(test_folder)/images/*)))
figure_truth = $(firstword $(wildcard $(test_folder)/masks/$(basename $(notdir $(figure_image))).*))

# A run that failed has no weights and gives an empty file, which the report leaves out.
define figure_rules
$(W)/figures/$(subst /,-,$(1)).mask.png: $(W)/runs/$(1)/seed1.tsv
	@mkdir -p $$(@D)
	if grep -q '^# status	ok$$$$' $$<; then \
	    tile -q $(FIGURE_TILES) $$(figure_image) | \
	    predict -q -m $$(<:.tsv=.safetensors) -d $(DEVICE) -t $(THREADS) | stitch -q -o $$@; \
	else : >$$@; fi
$(W)/figures/figure4/$(subst /,-,$(1)).png: $(W)/figures/$(subst /,-,$(1)).mask.png
	@mkdir -p $$(@D)
	if [ -s $$< ]; then overlay -s both -c ff0000 -m 600 -o $$@ $$(figure_image) $$<; else : >$$@; fi
$(W)/figures/figure5/$(subst /,-,$(1)).png: $(W)/figures/$(subst /,-,$(1)).mask.png
	@mkdir -p $$(@D)
	if [ -s $$< ]; then overlay -t $$(figure_truth) --panels truth,prediction,errors $(FIGURE_INSETS) -m 320 -o $$@ $$(figure_image) $$<; else : >$$@; fi
endef
$(foreach r,$(FIGURE_RUNS),$(eval $(call figure_rules,$(r))))

# The streams that a run with outliers leaves beside its weights.
outlier_stream = $(W)/runs/$(FIGURE3_RUN)/seed1.outliers.tar
sheet          = $(W)/figures/outliers
$(FIGURE3): $(W)/runs/$(FIGURE3_RUN)/seed1.tsv
	@mkdir -p $(@D)
	if grep -q '^# status	ok$$' $<; then \
	    stitch -q --image -o $(sheet).image.tif $(outlier_stream) && \
	    stitch -q --mask -o $(sheet).mask.png $(outlier_stream) && \
	    stitch -q -o $(sheet).prediction.png $(outlier_stream) && \
	    overlay -s fill -c ff0000 -t $(sheet).mask.png --panels image,truth,prediction -o $@ \
	        $(sheet).image.tif $(sheet).prediction.png; \
	else : >$@; fi

.PHONY: figure3 figure4 figure5 figures
figure3: $(FIGURE3)
	@ls -l $^
figure4: $(filter %/figure4/%,$(FIGURES))
	@ls -l $(filter %/figure4/%.png,$^)
figure5: $(filter %/figure5/%,$(FIGURES))
	@ls -l $(filter %/figure5/%.png,$^)
figures: figure3 figure4 figure5
