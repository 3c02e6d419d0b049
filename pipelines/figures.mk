# Figures 4 and 5: whole test images of NT2 with the masks of several methods, and a
# part of one enlarged, with the truth.  (Figure 3, outliers during training, needs
# maps that train does not write yet.)

FIGURE_RUNS = nt2/cellpose-cyto3/plain nt2/toposeg-r50-b16/plain nt2/transunet-r50-b16/plain \
              nt2/transunet-r50-b16/pareto
FIGURES     = $(foreach f,figure4 figure5,$(foreach r,$(FIGURE_RUNS),$(W)/figures/$(f)/$(subst /,-,$(r)).png))

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
	if [ -s $$< ]; then overlay -s both -c ff0000 -m 1000 -o $$@ $$(figure_image) $$<; else : >$$@; fi
$(W)/figures/figure5/$(subst /,-,$(1)).png: $(W)/figures/$(subst /,-,$(1)).mask.png
	@mkdir -p $$(@D)
	if [ -s $$< ]; then overlay -t $$(figure_truth) --panels truth,prediction,errors -m 500 -o $$@ $$(figure_image) $$<; else : >$$@; fi
endef
$(foreach r,$(FIGURE_RUNS),$(eval $(call figure_rules,$(r))))

.PHONY: figure3 figure4 figure5 figures
figure3:
	@echo 'figure3: train does not write maps of outliers yet' >&2; exit 69
figure4: $(filter %/figure4/%,$(FIGURES))
	@ls -l $(filter %/figure4/%.png,$^)
figure5: $(filter %/figure5/%,$(FIGURES))
	@ls -l $(filter %/figure5/%.png,$^)
figures: figure4 figure5
