# The paper's settings (sections 4.2 and 5.1, captions of the tables).
NOTE_SCALE = Scale: paper. Published architectures, 200 epochs, outliers from epoch 150.
RUNS ?= 3
SIDE = 224
PAPER_GRID      = -s 224,448,1000,1500,2000,full -o 35% --edge fit -r $(SIDE)
TILES_nt2       = $(PAPER_GRID)
TILES_bloodcell = -s full -r $(SIDE)
TILES_livecell  = -s full -r $(SIDE)
DRAWN_TRAIN = 30
DRAWN_TEST  = 6
DRAWN_SIZE  = 4000x3000

TRAIN               = -e 200 -b 16 --accumulate 8 --optimizer sgd --lr 0.01 --momentum 0.9 --weight-decay 1e-4
VOS_START  = 150
VOS_SAMPLE = 100000
VOS_SELECT = 10000

pretrained = $(if $(wildcard $(DATA)/weights/$(1)),--init $(DATA)/weights/$(1))
ARCH_cellpose-cyto2    = cellpose
ARCH_cellpose-cyto3    = cellpose
ARCH_unetpp            = unetpp
ARCH_swinunet          = swinunet
ARCH_scaleformer       = scaleformer
ARCH_toposeg-vit-b16   = toposeg-vit-b16
ARCH_toposeg-r50-b16   = toposeg-r50-b16
ARCH_transunet-vit-b16 = transunet-vit-b16
ARCH_transunet-vit-l16 = transunet-vit-l16
ARCH_transunet-r50-b16 = transunet-r50-b16:skips=0
ARCH_transunet-r50-l32 = transunet-r50-l32:skips=0
TRAIN_cellpose-cyto2    = -b 8 --accumulate 1 --weight-decay 5e-5 $(call pretrained,cyto2)
TRAIN_cellpose-cyto3    = -b 8 --accumulate 1 --weight-decay 5e-5 $(call pretrained,cyto3)
TRAIN_swinunet          = $(call pretrained,swin_tiny_patch4_window7_224.pth)
TRAIN_transunet-vit-b16 = $(call pretrained,ViT-B_16.npz)
TRAIN_transunet-vit-l16 = $(call pretrained,ViT-L_16.npz)
TRAIN_transunet-r50-b16 = $(call pretrained,R50+ViT-B_16.npz)
TRAIN_toposeg-vit-b16   = $(TRAIN_transunet-vit-b16)
TRAIN_toposeg-r50-b16   = $(TRAIN_transunet-r50-b16)
FIGURE_TILES = -s 224 -o 25% -r $(SIDE)
NOTES_table4 = -n 'Whole images at the size of a tile, since the published shares are multiples of 1/159 and 1/57 images.'
