# Table 3: encoders of MorphoSeg on NT2 cells.
TITLE_table3 = Table 3: encoders
$(eval $(call table_rules,table3))
