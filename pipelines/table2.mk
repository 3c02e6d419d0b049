# Table 2: losses of MorphoSeg on NT2 cells.
TITLE_table2 = Table 2: losses
$(eval $(call table_rules,table2))
