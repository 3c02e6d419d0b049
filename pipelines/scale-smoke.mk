# Minutes, on drawn images: shows that every row of every table runs, and no more.
NOTE_SCALE = Scale: smoke. A few steps of tiny networks on drawn images: that the rules work, and nothing about the methods.
RUNS ?= 1
SIDE  = 64
DRAWN = yes
TILES_nt2       = -s 128,full -o 35% --edge fit -r $(SIDE)
TILES_bloodcell = -s full -r $(SIDE)
TILES_livecell  = -s full -r $(SIDE)
DRAWN_TRAIN = 4
DRAWN_TEST  = 2
DRAWN_SIZE  = 256x192

TRAIN      = --steps 6 -b 2 --optimizer adamw --lr 0.001
VOS_START  = 50%
VOS_SAMPLE = 1000
VOS_SELECT = 10

NARROW = size=$(SIDE),heads=2,hidden=32,decoder=64
ARCH_cellpose-cyto2    = cellpose:width=8
ARCH_cellpose-cyto3    = cellpose:width=8
ARCH_unetpp            = unetpp:width=8
ARCH_swinunet          = swinunet:width=24,window=2
ARCH_scaleformer       = scaleformer:width=8,heads=2,size=$(SIDE)
ARCH_toposeg-vit-b16   = toposeg-vit-b16:$(NARROW),depth=1
ARCH_toposeg-r50-b16   = toposeg-r50-b16:$(NARROW),depth=1,skips=0,width=8
ARCH_transunet-vit-b16 = transunet-vit-b16:$(NARROW),depth=1
ARCH_transunet-vit-l16 = transunet-vit-l16:$(NARROW),depth=2
ARCH_transunet-r50-b16 = transunet-r50-b16:$(NARROW),depth=1,skips=0,width=8
ARCH_transunet-r50-l32 = transunet-r50-l32:$(NARROW),depth=2,skips=0,width=8
FIGURE_TILES = -s 128 -o 25% -r $(SIDE)
NOTES_table4 = -n 'Whole images at the size of a tile, since the published shares are multiples of 1/159 and 1/57 images.'
