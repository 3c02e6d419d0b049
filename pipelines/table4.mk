# Table 4: blood cells (BBBC041Seg) and LIVECell.  The published shares are multiples
# of 1/159 and 1/57, so whole images were scored, not tiles: at the paper's scale each
# image is one tile.
TITLE_table4 = Table 4: BloodCell and LIVECell
$(eval $(call table_rules,table4))
