# Table 1: methods compared on NT2 cells.
TITLE_table1 = Table 1: comparison on NT2 cells
NOTES_table1 = -n 'The paper does not say with which loss MorphoSeg was added to UNet++, SwinUnet, ScaleFormer and TopoSeg: pareto here.'
$(eval $(call table_rules,table1))
